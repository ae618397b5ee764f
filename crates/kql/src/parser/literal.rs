//! Literals: the lexical half of the grammar.
//!
//! [`scan`] reads one literal at an offset, or says that none begins there. It looks at each character once, and at
//! the keyword after a run of whitespace once a run.
//!
//! An unquoted literal runs over spaces: it ends before a special character, before whitespace + `and`/`or` +
//! whitespace, and before `not` + whitespace, even inside a word (`kn` in `knot x`).

use maxspan_diagnostics::Span;

use crate::ast::{Literal, LiteralKind};

/// A literal, and where reading goes on: after an unquoted one that is past the spaces that follow it.
pub(super) struct Scanned {
    pub(super) literal: Literal,
    pub(super) end: usize,
}

/// The literal that begins at `start`, if any. A quote that is never closed begins none.
pub(super) fn scan(text: &str, start: usize) -> Option<Scanned> {
    if text[start..].starts_with('"') { scan_quoted(text, start) } else { scan_unquoted(text, start) }
}

/// Whitespace as the grammar knows it.
pub(crate) fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n' | '\u{a0}')
}

/// The characters that unquoted text must escape.
pub(crate) fn is_special(c: char) -> bool {
    matches!(c, '\\' | '(' | ')' | ':' | '<' | '>' | '"' | '*' | '{' | '}')
}

/// What is trimmed off both ends of an unquoted literal: whitespace as JavaScript's `trim` knows it, as the original
/// parser is written in that language.
pub(crate) fn is_trimmed(c: char) -> bool {
    c == '\u{feff}' || (c.is_whitespace() && c != '\u{85}')
}

/// How many bytes of whitespace `text` begins with.
pub(super) fn space_length(text: &str) -> usize {
    text.len() - text.trim_start_matches(is_space).len()
}

/// Whether `text` begins with the keyword, in any case, and whitespace.
pub(crate) fn starts_with_keyword(text: &str, keyword: &str) -> bool {
    starts_ignoring_case(text, keyword) && text[keyword.len()..].starts_with(is_space)
}

fn starts_ignoring_case(text: &str, keyword: &str) -> bool {
    text.get(..keyword.len()).is_some_and(|start| start.eq_ignore_ascii_case(keyword))
}

fn scan_quoted(text: &str, start: usize) -> Option<Scanned> {
    let mut value = String::new();
    let mut position = start + 1;
    loop {
        let rest = &text[position..];
        let c = rest.chars().next()?;
        if c == '"' {
            let end = position + 1;
            let literal = Literal { kind: LiteralKind::Quoted(value), span: Span::new(start, end) };
            return Some(Scanned { literal, end });
        }
        // A backslash that begins no escape stands for itself: "C:\Windows".
        let (unescaped, length) = quoted_escape(rest).unwrap_or((c, c.len_utf8()));
        value.push(unescaped);
        position += length;
    }
}

fn scan_unquoted(text: &str, start: usize) -> Option<Scanned> {
    let mut parts = vec![String::new()];
    let mut end = start;
    while let Some(length) = scan_piece(&text[end..], &mut parts) {
        end += length;
    }
    if end == start {
        return None;
    }
    let written = text[start..end].trim_end_matches(is_trimmed).len();
    let literal = Literal { kind: unquoted_kind(parts), span: Span::new(start, start + written) };
    Some(Scanned { literal, end })
}

/// Reads one character, escape, `*` or run of whitespace of an unquoted literal; gives its length in bytes, or
/// nothing where the literal ends.
fn scan_piece(rest: &str, parts: &mut Vec<String>) -> Option<usize> {
    let c = rest.chars().next()?;
    if c == '*' {
        parts.push(String::new());
        return Some(1);
    }
    let part = parts.last_mut()?;
    if c == '\\' {
        let (unescaped, length) = unquoted_escape(rest)?;
        part.push(unescaped);
        return Some(length);
    }
    if is_space(c) {
        let (run, after) = rest.split_at(space_length(rest));
        if starts_with_keyword(after, "and") || starts_with_keyword(after, "or") {
            return None;
        }
        part.push_str(run);
        return Some(run.len());
    }
    if is_special(c) || starts_with_keyword(rest, "not") {
        return None;
    }
    part.push(c);
    Some(c.len_utf8())
}

fn unquoted_kind(mut parts: Vec<String>) -> LiteralKind {
    // Escaped whitespace at the ends is trimmed too: `\n` alone is the empty text.
    if let Some(first) = parts.first_mut() {
        *first = first.trim_start_matches(is_trimmed).to_owned();
    }
    if let Some(last) = parts.last_mut() {
        last.truncate(last.trim_end_matches(is_trimmed).len());
    }
    if parts.len() > 1 {
        return LiteralKind::Wildcard(parts);
    }
    let text = parts.pop().unwrap_or_default();
    match text.as_str() {
        "null" => LiteralKind::Null,
        "true" => LiteralKind::Boolean(true),
        "false" => LiteralKind::Boolean(false),
        _ => LiteralKind::Text(text),
    }
}

/// The character that the escape at the start of `rest` stands for in quotes, and the escape's length.
fn quoted_escape(rest: &str) -> Option<(char, usize)> {
    let after = rest.strip_prefix('\\')?;
    match after.chars().next()? {
        c @ ('\\' | '"') => Some((c, 2)),
        c => control_escape(c).or_else(|| unicode_escape(rest)),
    }
}

/// The same outside quotes, where special characters and keywords have escapes too. The order matters: `\not` is a
/// newline and `ot`.
fn unquoted_escape(rest: &str) -> Option<(char, usize)> {
    let after = rest.strip_prefix('\\')?;
    let c = after.chars().next()?;
    let keyword = || {
        // The letters after the first are plain text by themselves.
        ["and", "or", "not"].iter().any(|keyword| starts_ignoring_case(after, keyword)).then_some((c, 2))
    };
    control_escape(c).or(is_special(c).then_some((c, 2))).or_else(|| unicode_escape(rest)).or_else(keyword)
}

fn control_escape(c: char) -> Option<(char, usize)> {
    match c {
        't' => Some(('\t', 2)),
        'r' => Some(('\r', 2)),
        'n' => Some(('\n', 2)),
        _ => None,
    }
}

/// `\uXXXX`, or two of them that are the halves of one character. Half a character alone is U+FFFD, as it becomes
/// when such a text is written as UTF-8.
fn unicode_escape(rest: &str) -> Option<(char, usize)> {
    let unit = code_unit(rest)?;
    if let Some(low) = rest.get(6..).and_then(code_unit)
        && let Some(Ok(c)) = char::decode_utf16([unit, low]).next()
        && c.len_utf16() == 2
    {
        return Some((c, 12));
    }
    Some((char::from_u32(u32::from(unit)).unwrap_or(char::REPLACEMENT_CHARACTER), 6))
}

fn code_unit(rest: &str) -> Option<u16> {
    let digits = rest.strip_prefix("\\u")?.get(..4)?;
    // `from_str_radix` would take a sign.
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &str) -> LiteralKind {
        LiteralKind::Text(value.to_owned())
    }

    fn quoted(value: &str) -> LiteralKind {
        LiteralKind::Quoted(value.to_owned())
    }

    fn wildcard(parts: &[&str]) -> LiteralKind {
        LiteralKind::Wildcard(parts.iter().map(|part| (*part).to_owned()).collect())
    }

    /// Scans at the start; `rest` is what is left of the source.
    fn check(source: &str, kind: &LiteralKind, rest: &str) {
        let scanned = scan(source, 0).unwrap_or_else(|| panic!("{source}: no literal"));
        assert_eq!((&scanned.literal.kind, &source[scanned.end..]), (kind, rest), "{source}");
    }

    #[test]
    fn unquoted_literals_end_where_the_grammar_says() {
        check("lsass dump", &text("lsass dump"), "");
        check("lsass  and x", &text("lsass"), "  and x");
        check("lsass \u{a0}OR\tx", &text("lsass"), " \u{a0}OR\tx");
        check("lsass or", &text("lsass or"), "");
        check("lsass  )", &text("lsass"), ")");
        check("do not x", &text("do"), "not x");
        check("slipknot x", &text("slipk"), "not x");
        check("slipknot", &text("slipknot"), "");
        check("or x", &text("or x"), "");
        check("nothing", &text("nothing"), "");
    }

    #[test]
    fn constants_are_exact() {
        check("true", &LiteralKind::Boolean(true), "");
        check("false ", &LiteralKind::Boolean(false), "");
        check("null", &LiteralKind::Null, "");
        check("\\u0074rue", &LiteralKind::Boolean(true), "");
        check("NULL", &text("NULL"), "");
        check("\"null\"", &quoted("null"), "");
    }

    #[test]
    fn stars_split_and_escaped_stars_do_not() {
        check("*", &wildcard(&["", ""]), "");
        check("cmd*.e?e", &wildcard(&["cmd", ".e?e"]), "");
        check("a\\*b*", &wildcard(&["a*b", ""]), "");
        check("\"a*\"", &quoted("a*"), "");
        check("\\n*x", &wildcard(&["", "x"]), "");
    }

    #[test]
    fn escapes() {
        check("c\\:\\\\x", &text("c:\\x"), "");
        check("a\\tb", &text("a\tb"), "");
        check("a\\qb", &text("a"), "\\qb");
        check("a \\or b", &text("a or b"), "");
        check("a \\NOT b", &text("a NOT b"), "");
        check("a \\not b", &text("a \not b"), "");
        check("\\n", &text(""), "");
        check("\\u00e9t\\u00E9", &text("été"), "");
        check("\\ud83d\\ude00!", &text("😀!"), "");
        check("\\ud83d!", &text("\u{fffd}!"), "");
        check("a\\u+041", &text("a"), "\\u+041");
        check(r#""C:\Windows\temp" x"#, &quoted("C:\\Windows\temp"), " x");
        check(r#""\"\\\u12""#, &quoted("\"\\\\u12"), "");
    }

    #[test]
    fn what_begins_no_literal() {
        for source in ["", ":", ")", "not x", "\"open", "\"open\\\"", "\\q", "\\u12", " and x", "\\é"] {
            assert!(scan(source, 0).is_none(), "{source}");
        }
    }
}
