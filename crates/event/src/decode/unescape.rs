//! JSON's escapes in strings.

/// The text that a JSON string stands for, given what is between its quotes. None where an escape is none, or is half of
/// a surrogate pair.
pub(crate) fn unescaped(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    unescape_into(text, &mut out).then_some(out)
}

/// Adds the text that a JSON string stands for. False where an escape is none; what was added is then of no use.
pub(crate) fn unescape_into(text: &str, out: &mut String) -> bool {
    unescape(text, out).is_some()
}

fn unescape(text: &str, out: &mut String) -> Option<()> {
    // What stands before `next` in it is done, but for the first byte where that stands for itself.
    let (mut rest, mut next) = (text, 0);
    while let Some(found) = rest.as_bytes()[next..].iter().position(|byte| *byte == b'\\') {
        let at = next + found;
        out.push_str(&rest[..at]);
        let escape = *rest.as_bytes().get(at + 1)?;
        if matches!(escape, b'"' | b'\\' | b'/') {
            (rest, next) = (&rest[at + 1..], 1);
            continue;
        }
        let mut length = 2;
        out.push(match escape {
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let unit = code_unit(&rest[at..])?;
                length = if (0xD800..0xDC00).contains(&unit) { 12 } else { 6 };
                let low = if length == 12 { Some(code_unit(rest.get(at + 6..)?)?) } else { None };
                char::decode_utf16([unit].into_iter().chain(low)).next()?.ok()?
            }
            _ => return None,
        });
        (rest, next) = (&rest[at + length..], 0);
    }
    out.push_str(rest);
    Some(())
}

/// The code unit of an escape `\u` that the text begins with.
fn code_unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    let valid = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    valid.then(|| u16::from_str_radix(digits, 16).ok()).flatten()
}

/// Whether code units may be among the escapes, which may be halves of surrogate pairs.
pub(crate) fn has_code_units(text: &str) -> bool {
    text.contains("\\u")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_what_the_parser_says() {
        let check = |text: &str| {
            let parsed = serde_json::from_str::<String>(&format!("\"{text}\"")).ok();
            assert_eq!(unescaped(text), parsed, "{text}");
        };
        for text in [
            "",
            "plain",
            r#"\"\\\/\b\f\n\r\t"#,
            r"a\u00e9b",
            r"\ud83d\ude00!",
            r"\ud83d",
            r"\ud83dx",
            r"\ude00",
            r"\ud83d\u0041",
            r"\ud83d\ud83d",
            r"\u12",
            r"\u+123",
            r"\x",
            "\\",
            r"C:\\Windows\\é\u0000",
        ] {
            check(text);
        }
    }
}
