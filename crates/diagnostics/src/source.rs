//! A text with a name, and positions in it.

use std::fmt;

use serde::Serialize;

/// A range of bytes of a text: `start..end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// `start..end`; an end before the start is taken as the start.
    pub fn new(start: usize, end: usize) -> Self {
        Self { start, end: end.max(start) }
    }

    /// An empty span, between two characters.
    pub fn at(offset: usize) -> Self {
        Self { start: offset, end: offset }
    }

    /// From the start of `self` to the end of `other`.
    pub fn to(self, other: Self) -> Self {
        Self::new(self.start, other.end)
    }

    /// The part of `text` that is meant; empty where the span does not fit the text.
    pub fn slice(self, text: &str) -> &str {
        text.get(self.start..self.end).unwrap_or("")
    }

    /// The same place after `offset` bytes were put before the text.
    pub fn shifted(self, offset: usize) -> Self {
        Self { start: self.start + offset, end: self.end + offset }
    }
}

/// Line and column, both from 1; the column counts characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// A text and what to call it (a path, or `query`).
#[derive(Debug, Clone)]
pub struct Source {
    /// What messages call the text.
    pub name: String,
    /// The text.
    pub text: String,
    /// The file that the text was taken from, and the line there, where the text stands for a part of a file.
    pub part_of: Option<(String, usize)>,
    line_starts: Vec<usize>,
}

impl Source {
    /// A text with a name.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        let text = text.into();
        let line_starts = std::iter::once(0)
            .chain(text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(i, _)| i + 1));
        Self { name: name.into(), line_starts: line_starts.collect(), text, part_of: None }
    }

    /// The same, as a part of a file.
    pub fn in_file(mut self, file: impl Into<String>, line: usize) -> Self {
        self.part_of = Some((file.into(), line));
        self
    }

    /// Line and column of a byte offset; an offset past the end is the end.
    pub fn position(&self, offset: usize) -> Position {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = self.line_starts.partition_point(|start| *start <= offset);
        let start = self.line_starts[line - 1];
        Position { line, column: self.text[start..offset].chars().count() + 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn position_counts_characters_not_bytes() {
        let source = Source::new("t", "äö\nx");
        assert_eq!(source.position(2).to_string(), "1:2");
        assert_eq!(source.position(5).to_string(), "2:1");
        assert_eq!(source.position(99).to_string(), "2:2");
    }
}
