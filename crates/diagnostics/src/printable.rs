//! Text that others wrote, made harmless for terminals.

use std::borrow::Cow;
use std::fmt::Write;

/// Text of events and rules without what a terminal would obey: control characters are written as escapes, line ends
/// stay. An attacker who chooses a file name must not be able to rewrite the screen.
pub fn printable(text: &str) -> Cow<'_, str> {
    let is_safe = |character: char| !character.is_control() || character == '\n';
    if text.chars().all(is_safe) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if is_safe(character) {
            out.push(character);
        } else {
            let _ = write!(out, "{}", character.escape_default());
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_escaped() {
        assert_eq!(printable("a\u{1b}[2Jb\r\nc\td\u{9b}"), "a\\u{1b}[2Jb\\r\nc\\td\\u{9b}");
        assert_eq!(printable("Zoë 🦊"), "Zoë 🦊");
    }
}
