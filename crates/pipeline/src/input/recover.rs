//! Finding the next document after a broken one.
//!
//! The search starts at the broken document's first byte, not where it was found to be broken: a line that was cut
//! off may have "swallowed" lines that are whole. It goes on
//!
//! * behind the bracket that closes the document, where brackets balance, or
//! * at a later line that starts with `{` and is not indented deeper than the document, or with a closing bracket
//!   and less indented than it: so pretty-printed files and one-a-line files both go on with the next document,
//!
//! whichever comes first. It errs towards reading too much: inside a broken document that is not indented, an inner
//! object on a line of its own is taken for a document. What is passed over is dropped as it goes, so that the
//! search needs no memory.

use super::window::Window;
use crate::limits::INDENT_BYTES_MAX;

/// Drops the broken document at the start of `window`, which starts at `column` of its line (in bytes, from 0).
pub(super) fn skip_document(window: &mut Window, column: usize) {
    let mut brackets = Brackets::default();
    loop {
        let (passed, stop) = brackets.pass(window.bytes());
        window.consume(passed);
        match stop {
            Stop::Balanced => return,
            Stop::LineStart if goes_on_here(window, column) => return,
            Stop::LineStart => {}
            Stop::EndOfBytes if window.fill() => {}
            Stop::EndOfBytes => return,
        }
    }
}

/// Whether the line at the start of `window` starts like something outside a document that stands at `column`.
fn goes_on_here(window: &mut Window, column: usize) -> bool {
    let looked_at = window.ensure(column.min(INDENT_BYTES_MAX) + 1);
    let head = &window.bytes()[..looked_at];
    let Some(indent) = head.iter().position(|byte| !matches!(byte, b' ' | b'\t')) else { return false };
    match head[indent] {
        b'{' => true,
        b']' | b'}' => indent < column,
        _ => false,
    }
}

/// Why [`Brackets::pass`] stopped.
#[derive(Debug, PartialEq, Eq)]
enum Stop {
    Balanced,
    LineStart,
    EndOfBytes,
}

/// Brackets and strings, without regard to anything else.
#[derive(Debug, Default)]
struct Brackets {
    depth: usize,
    in_string: bool,
    escaped: bool,
}

impl Brackets {
    /// Passes over `bytes` until something is to be decided; the number passed, and what it is.
    fn pass(&mut self, bytes: &[u8]) -> (usize, Stop) {
        for (offset, &byte) in bytes.iter().enumerate() {
            if byte == b'\n' {
                // No string goes on past the end of its line.
                (self.in_string, self.escaped) = (false, false);
                return (offset + 1, Stop::LineStart);
            }
            if self.in_string {
                self.pass_in_string(byte);
            } else if self.closes(byte) {
                return (offset + 1, Stop::Balanced);
            }
        }
        (bytes.len(), Stop::EndOfBytes)
    }

    fn pass_in_string(&mut self, byte: u8) {
        match byte {
            _ if self.escaped => self.escaped = false,
            b'\\' => self.escaped = true,
            b'"' => self.in_string = false,
            _ => {}
        }
    }

    /// Whether `byte`, outside a string, closes the outermost bracket.
    fn closes(&mut self, byte: u8) -> bool {
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        self.depth == 0 && matches!(byte, b'}' | b']')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &'static str, column: usize, rest: &str) {
        let mut window = Window::new(Box::new(text.as_bytes()));
        skip_document(&mut window, column);
        while window.fill() {}
        assert_eq!(window.bytes(), rest.as_bytes(), "{text:?}");
    }

    #[test]
    fn goes_on_behind_the_bracket_that_closes_the_document() {
        check(r#"{"a":xyz,"b":"}"},{"c":1}"#, 0, r#",{"c":1}"#);
        check("{\"a\":[nil,\n {}]} rest", 0, " rest");
    }

    #[test]
    fn goes_on_at_a_line_that_is_not_indented_deeper() {
        check("{\"a\":{\"b\n{\"c\":1}", 0, "{\"c\":1}");
        check("{\n  \"a\": [\n    {}\n", 0, "");
        check("{\n    \"a\": {\n  },\n  {}]", 2, "  {}]");
        check("{\n    \"a\": {\n]", 2, "]");
        check("{\"a\": \"\\", 0, "");
    }
}
