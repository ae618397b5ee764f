//! Literals: from the text of a token to its value.
//!
//! These are helpers below the lexer: they trust that a token is whole, and decode it. A token that the lexer would
//! never hand out (a quote inside without a backslash) is decoded too.

use std::fmt;

/// Why a literal has no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiteralError {
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// First byte of the offending part, within the token.
    pub start: usize,
    /// One past its last byte.
    pub end: usize,
}

impl fmt::Display for LiteralError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for LiteralError {}

/// A number's value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// Without point and exponent.
    Integer(i64),
    /// With a point or an exponent.
    Decimal(f64),
}

const RAW_QUOTES: &str = "\"\"\"";

/// How many hex digits a `\u{…}` escape may have.
const BRACED_DIGITS: std::ops::RangeInclusive<usize> = 2..=8;

/// The value of a string token, `"…"` with escapes or `"""…"""` without.
///
/// ```
/// use maxspan_eql::literal::unquote;
/// assert_eq!(unquote(r#""C:\\Temp\u{5c}a""#).unwrap(), r"C:\Temp\a");
/// assert_eq!(unquote(r#""""C:\Temp""""#).unwrap(), r"C:\Temp");
/// ```
pub fn unquote(token: &str) -> Result<String, LiteralError> {
    let raw = token.strip_prefix(RAW_QUOTES).and_then(|rest| rest.strip_suffix(RAW_QUOTES));
    if let Some(content) = raw {
        return Ok(content.to_owned());
    }
    let quoted = token.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let content = quoted.ok_or_else(|| error("a string is written in double quotes", 0, token.len()))?;
    unescape(content).map_err(|problem| LiteralError {
        start: problem.start + 1,
        end: problem.end + 1,
        message: problem.message,
    })
}

/// The name in a backquoted identifier; two backquotes inside stand for one.
pub(crate) fn unquote_identifier(token: &str) -> String {
    let content = token.strip_prefix('`').and_then(|rest| rest.strip_suffix('`')).unwrap_or(token);
    content.replace("``", "`")
}

/// The value of a number token, with its sign if `negative`.
pub(crate) fn number(token: &str, negative: bool) -> Result<Number, LiteralError> {
    let signed = if negative { format!("-{token}") } else { token.to_owned() };
    if token.bytes().all(|byte| byte.is_ascii_digit()) {
        let value = signed.parse().map(Number::Integer);
        return value.map_err(|_| error(format!("Number [{signed}] is too large"), 0, token.len()));
    }
    match signed.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(Number::Decimal(value)),
        _ => Err(error(format!("Number [{signed}] is too large"), 0, token.len())),
    }
}

fn unescape(content: &str) -> Result<String, LiteralError> {
    let mut value = String::with_capacity(content.len());
    let mut offset = 0;
    while let Some(found) = content[offset..].find('\\') {
        value.push_str(&content[offset..offset + found]);
        offset += found;
        let (character, length) = escape(&content[offset..]).map_err(|mut problem| {
            problem.start += offset;
            problem.end += offset;
            problem
        })?;
        value.push(character);
        offset += length;
    }
    value.push_str(&content[offset..]);
    Ok(value)
}

/// The character that the escape at the start of `text` stands for, and the escape's length in bytes.
fn escape(text: &str) -> Result<(char, usize), LiteralError> {
    let Some(kind) = text[1..].chars().next() else {
        return Err(error("a backslash at the end escapes nothing", 0, 1));
    };
    match simple_escape(kind) {
        Some(character) => Ok((character, 2)),
        None if kind == 'u' => unicode_escape(text),
        None => Err(error(format!("unknown escape [\\{kind}]"), 0, 1 + kind.len_utf8())),
    }
}

/// The character of a one-letter escape; `u` is not one of them.
pub(crate) fn simple_escape(kind: char) -> Option<char> {
    Some(match kind {
        'b' => '\u{8}',
        't' => '\t',
        'n' => '\n',
        'f' => '\u{c}',
        'r' => '\r',
        '"' | '\'' | '\\' => kind,
        _ => return None,
    })
}

fn unicode_escape(text: &str) -> Result<(char, usize), LiteralError> {
    let braced = text[2..].strip_prefix('{').and_then(|rest| rest.split_once('}')).map(|(digits, _)| digits);
    let (digits, length) = match braced {
        Some(digits) => (digits, "\\u{}".len() + digits.len()),
        None => (text.get(2..6).unwrap_or(""), "\\u0000".len().min(text.len())),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(error("a Unicode escape is \\u with four hex digits, or \\u{…}", 0, 2));
    }
    if braced.is_some() && !BRACED_DIGITS.contains(&digits.len()) {
        let count = digits.len();
        let message = format!(
            "Unicode sequence in curly braces should use [2-8] hex digits, [\\u{{{digits}}}] has [{count}]"
        );
        return Err(error(message, 0, length));
    }
    match u32::from_str_radix(digits, 16).ok().map(char::from_u32) {
        Some(Some('\0')) => Err(error("Unicode sequence results in null", 0, length)),
        Some(Some(character)) => Ok((character, length)),
        _ => Err(error(format!("Invalid unicode character code [{digits}]"), 0, length)),
    }
}

fn error(message: impl Into<String>, start: usize, end: usize) -> LiteralError {
    LiteralError { message: message.into(), start, end }
}

#[cfg(test)]
mod tests {
    use super::{Number, number, unquote, unquote_identifier};

    #[test]
    fn strings_are_decoded() {
        let check = |token: &str, expected: &str| {
            assert_eq!(unquote(token).as_deref(), Ok(expected), "{token}");
        };
        check(r#""""#, "");
        check(r#""plain""#, "plain");
        check(r#""tab\tquote\"backslash\\end""#, "tab\tquote\"backslash\\end");
        check(r#""\b\f\r\n\'""#, "\u{8}\u{c}\r\n'");
        check(r#""caf\u00e9 \u{1F600}""#, "café 😀");
        check(r#""inner"quote""#, "inner\"quote");
        check(r#""""\d+""""#, r"\d+");
        check("\"\"\"C:\\dir\\\"\"\"", "C:\\dir\\");
        check("\"\"\"\"in quotes\"\"\"\"", "\"in quotes\"");
    }

    #[test]
    fn bad_strings_say_where() {
        let check = |token: &str, message: &str, bad: &str| {
            let problem = unquote(token).expect_err(token);
            assert!(problem.message.contains(message), "{token}: {problem}");
            assert_eq!(&token[problem.start..problem.end], bad, "{token}");
        };
        check("bare", "double quotes", "bare");
        check("\"", "double quotes", "\"");
        check(r#""a\q""#, "unknown escape", r"\q");
        check(r#""a\u{9}b""#, "has [1]", r"\u{9}");
        check(r#""a\u{110000}b""#, "Invalid", r"\u{110000}");
        check(r#""a\ud800b""#, "Invalid", r"\ud800");
        check(r#""a\u{00}b""#, "null", r"\u{00}");
        check(r#""a\u12""#, "four hex digits", r"\u");
        check("\"a\\u1\u{e9}\"", "four hex digits", r"\u");
    }

    #[test]
    fn numbers_are_decoded() {
        let check = |token: &str, negative: bool, expected: Option<Number>| {
            assert_eq!(number(token, negative).ok(), expected, "{token}");
        };
        check("0", false, Some(Number::Integer(0)));
        check("0042", false, Some(Number::Integer(42)));
        check("9223372036854775807", false, Some(Number::Integer(i64::MAX)));
        check("9223372036854775808", false, None);
        check("9223372036854775808", true, Some(Number::Integer(i64::MIN)));
        check("1.5", true, Some(Number::Decimal(-1.5)));
        check("2e3", false, Some(Number::Decimal(2000.0)));
        check(".5", false, Some(Number::Decimal(0.5)));
        check("1e999", false, None);
    }

    #[test]
    fn backquoted_names_are_decoded() {
        let check = |token: &str, expected: &str| assert_eq!(unquote_identifier(token), expected, "{token}");
        check("`a b`", "a b");
        check("`a``b`", "a`b");
        check("``", "");
    }
}
