//! The part of a byte stream that is being looked at.
//!
//! A [`Window`] holds the bytes that were read and not yet consumed, and knows their line and column. It grows as
//! far as its user lets it: whoever calls [`Window::fill`] without consuming must have a limit of its own.
//! A read error ends the stream like its end does and is kept in [`Window::failure`], so that all that came before
//! is still delivered.

use std::io::{self, Read};

use crate::limits::{BUFFER_KEPT_MAX, READ_BYTES, READ_BYTES_MIN};

/// Unconsumed bytes of a stream, and where they are.
pub(super) struct Window {
    source: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Line of the first unconsumed byte, from 1.
    line: u64,
    /// Bytes between the start of that line and the first unconsumed byte.
    column: usize,
    at_end: bool,
    failure: Option<io::Error>,
}

impl Window {
    pub(super) fn new(source: Box<dyn Read + Send>) -> Self {
        Self {
            source,
            buffer: Vec::new(),
            start: 0,
            end: 0,
            line: 1,
            column: 0,
            at_end: false,
            failure: None,
        }
    }

    /// The bytes that were read and not consumed.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// Bytes before the first unconsumed byte on its line.
    pub(super) fn column(&self) -> usize {
        self.column
    }

    /// Whether the source has given all it has.
    pub(super) fn at_end(&self) -> bool {
        self.at_end
    }

    /// The read error that ended the stream.
    pub(super) fn failure(&self) -> Option<&io::Error> {
        self.failure.as_ref()
    }

    pub(super) fn take_failure(&mut self) -> Option<io::Error> {
        self.failure.take()
    }

    /// Reads more bytes; false at the end of the source.
    pub(super) fn fill(&mut self) -> bool {
        self.read(READ_BYTES)
    }

    /// Reads more bytes, at most so many and no more than [`READ_BYTES`].
    fn read(&mut self, bytes_max: usize) -> bool {
        if self.at_end {
            return false;
        }
        self.make_room();
        loop {
            match self.source.read(&mut self.buffer[self.end..self.end + bytes_max]) {
                Ok(0) => break,
                Ok(count) => {
                    self.end += count;
                    return true;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.failure = Some(error);
                    break;
                }
            }
        }
        self.at_end = true;
        false
    }

    /// Moves the unconsumed bytes to the front where the room behind them is small, and grows where it still is.
    fn make_room(&mut self) {
        if self.buffer.len() - self.end >= READ_BYTES {
            return;
        }
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.buffer.len() - self.end < READ_BYTES {
            let grown = (self.buffer.len() * 2).max(self.end + READ_BYTES * 4);
            self.buffer.resize(grown, 0);
        }
    }

    /// Drops the first `count` bytes, counting the lines that end in them.
    pub(super) fn consume(&mut self, count: usize) {
        let (line, column) = self.place_of(count);
        (self.line, self.column) = (line, column);
        self.start += count;
    }

    /// Drops the first `count` bytes, of which exactly the last is a line feed.
    pub(super) fn consume_line(&mut self, count: usize) {
        self.line += 1;
        self.column = 0;
        self.start += count;
    }

    /// Hands over the buffer in exchange for `other`, where the bytes behind the first `count` go on; of the `count`,
    /// the last is a line feed, and `line` is the line behind it. Gives the place of the first of them in the buffer.
    pub(super) fn hand_over(&mut self, count: usize, line: u64, other: &mut Vec<u8>) -> usize {
        let first = self.start;
        self.start += count;
        (self.line, self.column) = (line, 0);
        self.go_on_in(other);
        first
    }

    /// Exchanges the buffer for `other`, where the bytes that were not consumed go on. A thread that reads into its own
    /// buffer finds it in its own cache.
    pub(super) fn go_on_in(&mut self, other: &mut Vec<u8>) {
        if other.len() > BUFFER_KEPT_MAX {
            *other = Vec::new();
        }
        let rest = &self.buffer[self.start..self.end];
        if other.len() < rest.len() {
            other.resize(rest.len(), 0);
        }
        other[..rest.len()].copy_from_slice(rest);
        (self.start, self.end) = (0, rest.len());
        std::mem::swap(&mut self.buffer, other);
    }

    /// Line (from 1) and bytes before on that line (from 0) of the byte at `offset`.
    pub(super) fn place_of(&self, offset: usize) -> (u64, usize) {
        let before = &self.bytes()[..offset];
        match memchr::memrchr(b'\n', before) {
            None => (self.line, self.column + offset),
            Some(last) => {
                let count = memchr::memchr_iter(b'\n', before).count() as u64;
                (self.line + count, offset - last - 1)
            }
        }
    }

    /// Makes `count` bytes available where the source has them; the number that are, at most `count`. Reads little more
    /// than is needed: what is read too much is moved.
    pub(super) fn ensure(&mut self, count: usize) -> usize {
        loop {
            let missing = count.saturating_sub(self.end - self.start);
            if missing == 0 || !self.read(missing.clamp(READ_BYTES_MIN, READ_BYTES)) {
                return count - missing;
            }
        }
    }

    /// Bytes before the next line feed, reading as far as is needed to find it; `None` where there is none within
    /// `bytes_max`, even if more than that is at hand, so that the answer does not depend on how bytes arrive.
    pub(super) fn line_length(&mut self, bytes_max: usize) -> Option<usize> {
        let mut searched = 0;
        loop {
            if let Some(found) = memchr::memchr(b'\n', &self.bytes()[searched..]) {
                return Some(searched + found).filter(|length| *length <= bytes_max);
            }
            searched = self.bytes().len();
            if searched > bytes_max || !self.fill() {
                return None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads in pieces of one byte.
    struct Dribble(io::Cursor<Vec<u8>>);

    impl Read for Dribble {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0.read(&mut buffer[..1])
        }
    }

    #[track_caller]
    fn check(text: &str, consume: usize, place: (u64, usize), rest: &str) {
        let mut window = Window::new(Box::new(Dribble(io::Cursor::new(text.into()))));
        assert_eq!(window.ensure(consume), consume);
        window.consume(consume);
        assert_eq!((window.line(), window.column()), place, "{text:?}");
        while window.fill() {}
        assert_eq!(window.bytes(), rest.as_bytes(), "{text:?}");
    }

    #[test]
    fn lines_and_columns_follow_what_is_consumed() {
        check("", 0, (1, 0), "");
        check("abc", 2, (1, 2), "c");
        check("ab\ncd", 3, (2, 0), "cd");
        check("ab\ncd\ne", 5, (2, 2), "\ne");
    }

    #[test]
    fn a_buffer_is_handed_over_with_the_lines_in_it() {
        let mut window = Window::new(Box::new(&b"a\nbc\ndef"[..]));
        let mut other = Vec::new();
        assert_eq!(window.ensure(8), 8);
        window.consume(2);
        let start = window.hand_over(3, 3, &mut other);
        assert_eq!(&other[start..start + 3], b"bc\n");
        assert_eq!((window.bytes(), window.line(), window.column()), (&b"def"[..], 3, 0));
        assert!(!window.fill());
        assert_eq!(window.bytes(), b"def");
    }

    #[test]
    fn a_line_is_found_across_reads() {
        let mut window = Window::new(Box::new(Dribble(io::Cursor::new(b"abc\nd".to_vec()))));
        assert_eq!(window.line_length(3), Some(3));
        assert_eq!(window.line_length(2), None);
        window.consume_line(4);
        assert_eq!(window.line_length(100), None);
        assert_eq!((window.bytes(), window.line()), (&b"d"[..], 2));
    }
}
