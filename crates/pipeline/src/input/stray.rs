//! What is wrong with a line that starts like no document.

use serde::de::IgnoredAny;

use super::ProblemKind;

/// Why `head`, the start of a line or all of it, is no document: the kind, the words, and the offset of the fault.
pub(super) fn why_stray(head: &[u8]) -> (ProblemKind, String, usize) {
    if let Err(error) = std::str::from_utf8(head)
        && error.error_len().is_some()
    {
        return (ProblemKind::InvalidUtf8, "the line is not UTF-8".to_owned(), error.valid_up_to());
    }
    if serde_json::from_slice::<IgnoredAny>(head).is_ok() {
        return (ProblemKind::NotAnObject, "a JSON value that is not an object".to_owned(), 0);
    }
    let found = head.first().map(|byte| byte.escape_ascii().to_string()).unwrap_or_default();
    (ProblemKind::Malformed, format!("malformed JSON: expected an object, found `{found}`"), 0)
}

/// Whether `start`, the first bytes of a stream, is the byte order mark of UTF-16.
pub(super) fn foreign_encoding(start: &[u8]) -> bool {
    matches!(start, [0xff, 0xfe, ..] | [0xfe, 0xff, ..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(head: &[u8], kind: ProblemKind, offset: usize) {
        let (found, _, at) = why_stray(head);
        assert_eq!((found, at), (kind, offset), "{}", head.escape_ascii());
    }

    #[test]
    fn stray_lines_are_told_apart() {
        check(b"12", ProblemKind::NotAnObject, 0);
        check(b"\"text\"\r", ProblemKind::NotAnObject, 0);
        check(b"hello", ProblemKind::Malformed, 0);
        check(b"}", ProblemKind::Malformed, 0);
        check(b"ab\xffcd", ProblemKind::InvalidUtf8, 2);
        // Cut within a character by the limit of what is looked at.
        check("é".as_bytes().split_last().expect("two bytes").1, ProblemKind::Malformed, 0);
    }
}
