//! Text that others wrote, made harmless for terminals.

use std::borrow::Cow;
use std::fmt::Write;

/// Text of events and rules without what a terminal would obey: control characters, and characters that turn the direction
/// of writing or take no place, are written as escapes; line ends stay. An attacker who chooses a file name must not be able
/// to rewrite the screen. Joiners stay, which scripts and emoji are written with.
pub fn printable(text: &str) -> Cow<'_, str> {
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

fn is_safe(character: char) -> bool {
    let hidden = matches!(character,
        '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{feff}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}');
    character == '\n' || !character.is_control() && !hidden
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_escaped() {
        assert_eq!(printable("a\u{1b}[2Jb\r\nc\td\u{9b}"), "a\\u{1b}[2Jb\\r\nc\\td\\u{9b}");
        assert_eq!(printable("a\u{202e}b\u{200b}c\u{2066}"), "a\\u{202e}b\\u{200b}c\\u{2066}");
        assert_eq!(printable("Zoë 🦊 👩\u{200d}🚒"), "Zoë 🦊 👩\u{200d}🚒");
    }
}
