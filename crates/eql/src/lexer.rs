//! The lexer: from text to tokens with spans.
//!
//! It stops at the first piece of text that no token matches, as Elasticsearch does; the tokens before it are kept,
//! because an error of the grammar among them comes first. The last token is always [`TokenKind::End`] or
//! [`TokenKind::Unknown`], and every token but `End` covers at least one character.

use maxspan_diagnostics::{Diagnostic, Span, codes};

use crate::limits::QUOTED_TEXT_CHARS_MAX;
use crate::literal::simple_escape;

/// What a token is. Keywords are lower-case only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[rustfmt::skip]
pub(crate) enum TokenKind {
    /// A bare word that is no keyword.
    Identifier,
    /// A bare word with `~` right after it: a function that ignores case.
    TildeIdentifier,
    /// `` `…` ``
    QuotedIdentifier,
    Integer, Decimal,
    /// `"…"` or `"""…"""`
    String,
    /// `'…'`, which EQL has no more.
    SingleQuoted,
    /// `?"…"` or `?'…'`, which EQL has no more.
    QuestionQuoted,
    And, Any, By, False, In, InTilde, Join, Like, LikeTilde, Not, Null, Or, Regex, RegexTilde, Sample, Sequence,
    True, Until, Where, With,
    Assign, Equal, NotEqual, Less, LessOrEqual, Greater, GreaterOrEqual,
    Plus, Minus, Star, Slash, Percent,
    Colon, Comma, Dot, Pipe, Question,
    LeftParenthesis, RightParenthesis, LeftBracket, RightBracket,
    /// `![`
    MissingBracket,
    /// Text that is no token; [`Lexed::error`] says why.
    Unknown,
    /// The end of the text.
    End,
}

/// A token and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) span: Span,
}

/// The tokens of a text, and why they end before the text does.
#[derive(Debug)]
pub(crate) struct Lexed {
    pub(crate) tokens: Vec<Token>,
    pub(crate) error: Option<Diagnostic>,
}

/// Cuts `text` into tokens; whitespace and comments are left out.
pub(crate) fn lex(text: &str) -> Lexed {
    let mut tokens = Vec::with_capacity(text.len() / 4);
    let mut offset = 0;
    loop {
        offset = match skip_blank(text, offset) {
            Ok(offset) => offset,
            Err(problem) => return stopped(text, &problem, tokens),
        };
        if offset == text.len() {
            tokens.push(Token { kind: TokenKind::End, span: Span::at(offset) });
            return Lexed { tokens, error: None };
        }
        match token(text, offset) {
            Ok((kind, end)) => {
                tokens.push(Token { kind, span: Span::new(offset, end) });
                offset = end;
            }
            Err(problem) => return stopped(text, &problem, tokens),
        }
    }
}

/// The keyword that `word` is, if it is one.
pub(crate) fn keyword(word: &str) -> Option<TokenKind> {
    Some(match word {
        "and" => TokenKind::And,
        "any" => TokenKind::Any,
        "by" => TokenKind::By,
        "false" => TokenKind::False,
        "in" => TokenKind::In,
        "join" => TokenKind::Join,
        "like" => TokenKind::Like,
        "not" => TokenKind::Not,
        "null" => TokenKind::Null,
        "or" => TokenKind::Or,
        "regex" => TokenKind::Regex,
        "sample" => TokenKind::Sample,
        "sequence" => TokenKind::Sequence,
        "true" => TokenKind::True,
        "until" => TokenKind::Until,
        "where" => TokenKind::Where,
        "with" => TokenKind::With,
        _ => return None,
    })
}

/// A piece of the query for a message: on one line, and shortened.
pub(crate) fn quoted_text(text: &str) -> String {
    let mut characters = text.chars();
    let mut quoted = String::new();
    for character in characters.by_ref().take(QUOTED_TEXT_CHARS_MAX) {
        match character {
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            _ => quoted.push(character),
        }
    }
    if characters.next().is_some() {
        quoted.push('…');
    }
    quoted
}

/// A token's kind and end, or why there is none.
type Scanned = Result<(TokenKind, usize), Unknown>;

/// Text that is no token.
struct Unknown {
    /// From the first character of what was begun to the one that does not fit, or to the end of the text.
    span: Span,
    /// What does not fit, where that is only a part of it.
    part: Option<(Span, &'static str)>,
    help: Option<&'static str>,
}

fn unknown(span: Span, help: Option<&'static str>) -> Unknown {
    Unknown { span, part: None, help }
}

fn stopped(text: &str, problem: &Unknown, mut tokens: Vec<Token>) -> Lexed {
    tokens.push(Token { kind: TokenKind::Unknown, span: problem.span });
    let message = format!("token recognition error at: '{}'", quoted_text(problem.span.slice(text)));
    let mut error = Diagnostic::new(codes::EQL_TOKEN, problem.span, message);
    if let Some((span, label)) = problem.part {
        error = error.with_label(span, label);
    }
    if let Some(help) = problem.help {
        error = error.with_help(help);
    }
    Lexed { tokens, error: Some(error) }
}

/// The offset of the next character that is neither whitespace nor within a comment.
fn skip_blank(text: &str, mut offset: usize) -> Result<usize, Unknown> {
    loop {
        let rest = &text[offset..];
        let trimmed = rest.trim_start_matches([' ', '\t', '\r', '\n']);
        offset += rest.len() - trimmed.len();
        if trimmed.starts_with("//") {
            offset += trimmed.find(['\r', '\n']).unwrap_or(trimmed.len());
        } else if let Some(comment) = trimmed.strip_prefix("/*") {
            let Some(length) = comment.find("*/") else {
                let span = Span::new(offset, offset + 2);
                return Err(unknown(span, Some("the comment is never closed with `*/`")));
            };
            offset += length + 4;
        } else {
            return Ok(offset);
        }
    }
}

fn token(text: &str, start: usize) -> Scanned {
    let rest = &text[start..];
    let bytes = rest.as_bytes();
    match bytes[0] {
        b'"' => string(text, start),
        b'\'' => single_quoted(text, start),
        b'`' => quoted_identifier(text, start),
        b'0'..=b'9' => Ok(number(bytes, start)),
        b'.' if bytes.get(1).is_some_and(u8::is_ascii_digit) => Ok(number(bytes, start)),
        b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'@' => Ok(word(rest, start)),
        b'?' => Ok(question(text, start)),
        _ => punctuation(rest, start),
    }
}

fn word(rest: &str, start: usize) -> (TokenKind, usize) {
    let length =
        rest[1..].find(|c: char| !c.is_ascii_alphanumeric() && c != '_').map_or(rest.len(), |n| n + 1);
    let kind = keyword(&rest[..length]);
    if !rest[length..].starts_with('~') {
        return (kind.unwrap_or(TokenKind::Identifier), start + length);
    }
    let kind = match kind {
        Some(TokenKind::In) => TokenKind::InTilde,
        Some(TokenKind::Like) => TokenKind::LikeTilde,
        Some(TokenKind::Regex) => TokenKind::RegexTilde,
        _ => TokenKind::TildeIdentifier,
    };
    (kind, start + length + 1)
}

fn number(bytes: &[u8], start: usize) -> (TokenKind, usize) {
    let mut length = digits(bytes, 0);
    let mut kind = TokenKind::Integer;
    if bytes.get(length) == Some(&b'.') {
        kind = TokenKind::Decimal;
        length = digits(bytes, length + 1);
    }
    if matches!(bytes.get(length), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(length + 1), Some(b'+' | b'-')));
        let end = digits(bytes, length + 1 + sign);
        if end > length + 1 + sign {
            kind = TokenKind::Decimal;
            length = end;
        }
    }
    (kind, start + length)
}

/// Where the digits that begin at `from` end.
fn digits(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or(&[]);
    from + rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// A string: raw if it can be, else with escapes. Raw quotes that are not closed on their line are an empty string
/// and the beginning of the next one, which is what Elasticsearch reports too.
fn string(text: &str, start: usize) -> Scanned {
    match raw_string_end(text, start) {
        Some(end) => Ok((TokenKind::String, end)),
        None => escaped_string(text, start),
    }
}

/// Up to two quotes before the closing three belong to the content: five at most end a raw string.
fn raw_string_end(text: &str, start: usize) -> Option<usize> {
    let content = text[start..].strip_prefix("\"\"\"")?;
    let line = &content[..content.find(['\r', '\n']).unwrap_or(content.len())];
    let closing = line.find("\"\"\"")? + 3;
    let further = line[closing..].bytes().take(2).take_while(|byte| *byte == b'"').count();
    Some(start + 3 + closing + further)
}

fn escaped_string(text: &str, start: usize) -> Scanned {
    let mut offset = start + 1;
    loop {
        let rest = &text[offset..];
        offset += rest.find(['"', '\\', '\r', '\n']).unwrap_or(rest.len());
        match text.as_bytes().get(offset) {
            Some(b'"') => return Ok((TokenKind::String, offset + 1)),
            Some(b'\\') => offset = escape_end(text, start, offset)?,
            _ => return Err(unclosed_string(text, start, offset)),
        }
    }
}

fn unclosed_string(text: &str, start: usize, offset: usize) -> Unknown {
    let end = (offset + 1).min(text.len());
    let help = if text[..start].ends_with("\"\"") {
        "a raw string ends with three double quotes on the same line; at most two more may precede them"
    } else {
        "the string is not closed with `\"` on the same line"
    };
    unknown(Span::new(start, end), Some(help))
}

/// Where the escape at `offset` ends, in the string that began at `start`.
fn escape_end(text: &str, start: usize, offset: usize) -> Result<usize, Unknown> {
    let kind = text[offset + 1..].chars().next();
    match kind {
        Some('u') => unicode_escape_end(text, start, offset),
        Some(kind) if simple_escape(kind).is_some() => Ok(offset + 2),
        _ => {
            let end = offset + 1 + kind.map_or(0, char::len_utf8);
            let help = "a backslash is written `\\\\`, or as it is in a raw string `\"\"\"…\"\"\"`";
            Err(bad_escape(start, offset, end, help))
        }
    }
}

fn unicode_escape_end(text: &str, start: usize, offset: usize) -> Result<usize, Unknown> {
    let digits_start = offset + 2;
    let braced = text[digits_start..].starts_with('{');
    let mut end = digits_start + usize::from(braced);
    let first_digit = end;
    while text.as_bytes().get(end).is_some_and(u8::is_ascii_hexdigit) && (braced || end < first_digit + 4) {
        end += 1;
    }
    let next = text[end..].chars().next();
    let help = "a Unicode escape is `\\u` with four hex digits, or `\\u{…}` with two to eight";
    if !braced {
        let complete = end == first_digit + 4;
        let bad_end = end + next.map_or(0, char::len_utf8);
        return if complete { Ok(end) } else { Err(bad_escape(start, offset, bad_end, help)) };
    }
    if next == Some('}') && end > first_digit {
        return Ok(end + 1);
    }
    Err(bad_escape(start, offset, end + next.map_or(0, char::len_utf8), help))
}

fn bad_escape(start: usize, offset: usize, end: usize, help: &'static str) -> Unknown {
    let part = Some((Span::new(offset, end), "not an escape"));
    Unknown { span: Span::new(start, end), part, help: Some(help) }
}

fn single_quoted(text: &str, start: usize) -> Scanned {
    match quoted_end(text, start) {
        Some(end) => Ok((TokenKind::SingleQuoted, end)),
        None => Err(unknown(Span::new(start, start + 1), Some("strings are written in double quotes"))),
    }
}

fn question(text: &str, start: usize) -> (TokenKind, usize) {
    match quoted_end(text, start + 1) {
        Some(end) => (TokenKind::QuestionQuoted, end),
        None => (TokenKind::Question, start + 1),
    }
}

/// The end of what the quote at `start`, if it is one, opens on its line; a backslash hides the character after it.
fn quoted_end(text: &str, start: usize) -> Option<usize> {
    let quote = text[start..].chars().next().filter(|character| matches!(character, '"' | '\''))?;
    let mut characters = text[start + 1..].char_indices();
    while let Some((offset, character)) = characters.next() {
        match character {
            '\r' | '\n' => return None,
            '\\' => drop(characters.next()),
            _ if character == quote => return Some(start + 1 + offset + 1),
            _ => {}
        }
    }
    None
}

/// The longest text that ends with a backquote outside a pair; where the last pair leads nowhere, the first of it is
/// the end.
fn quoted_identifier(text: &str, start: usize) -> Scanned {
    let mut end = None;
    let mut offset = start + 1;
    while let Some(found) = text[offset..].find('`') {
        offset += found + 1;
        end = Some(offset);
        if !text[offset..].starts_with('`') {
            break;
        }
        offset += 1;
    }
    match end {
        Some(end) => Ok((TokenKind::QuotedIdentifier, end)),
        None => Err(unknown(Span::new(start, text.len()), Some("the backquote has no counterpart"))),
    }
}

fn punctuation(rest: &str, start: usize) -> Scanned {
    let two = |kind| Ok((kind, start + 2));
    match rest.as_bytes() {
        [b'=', b'=', ..] => return two(TokenKind::Equal),
        [b'!', b'=', ..] => return two(TokenKind::NotEqual),
        [b'!', b'[', ..] => return two(TokenKind::MissingBracket),
        [b'<', b'=', ..] => return two(TokenKind::LessOrEqual),
        [b'>', b'=', ..] => return two(TokenKind::GreaterOrEqual),
        _ => {}
    }
    let kind = match rest.as_bytes()[0] {
        b'=' => TokenKind::Assign,
        b'<' => TokenKind::Less,
        b'>' => TokenKind::Greater,
        b'+' => TokenKind::Plus,
        b'-' => TokenKind::Minus,
        b'*' => TokenKind::Star,
        b'/' => TokenKind::Slash,
        b'%' => TokenKind::Percent,
        b':' => TokenKind::Colon,
        b',' => TokenKind::Comma,
        b'.' => TokenKind::Dot,
        b'|' => TokenKind::Pipe,
        b'(' => TokenKind::LeftParenthesis,
        b')' => TokenKind::RightParenthesis,
        b'[' => TokenKind::LeftBracket,
        b']' => TokenKind::RightBracket,
        _ => return Err(strange_character(rest, start)),
    };
    Ok((kind, start + 1))
}

fn strange_character(rest: &str, start: usize) -> Unknown {
    let character = rest.chars().next().unwrap_or(' ');
    let help = match character {
        '!' => Some("negation is written `not`, inequality `!=`"),
        '&' => Some("conjunction is written `and`"),
        '~' => Some("`~` follows a function or `in`, `like`, `regex` directly"),
        '{' | '}' => Some("lists are written in parentheses"),
        '“' | '”' | '„' | '‘' | '’' => Some("strings are written in plain double quotes"),
        _ if character.is_alphanumeric() => Some("a name with such a character is written in backquotes"),
        _ if character.is_whitespace() => Some("only blanks, tabs and line ends separate words"),
        _ => None,
    };
    unknown(Span::new(start, start + character.len_utf8()), help)
}

#[cfg(test)]
mod tests {
    use super::{TokenKind, lex};
    use TokenKind::{
        By, Colon, Decimal, Dot, End, Equal, Identifier, In, InTilde, Integer, LeftParenthesis, Minus,
        MissingBracket, NotEqual, Question, QuestionQuoted, QuotedIdentifier, SingleQuoted, Slash, String,
        TildeIdentifier, Unknown,
    };

    fn check(text: &str, expected: &[(TokenKind, &str)]) {
        let lexed = lex(text);
        let found: Vec<_> = lexed.tokens.iter().map(|token| (token.kind, token.span.slice(text))).collect();
        assert_eq!(found, expected, "{text}");
        let stopped = found.last().is_some_and(|(kind, _)| *kind == Unknown);
        assert_eq!(lexed.error.is_some(), stopped, "{text}");
    }

    #[test]
    fn words_and_numbers() {
        check("by By bye", &[(By, "by"), (Identifier, "By"), (Identifier, "bye"), (End, "")]);
        check("in~ in ~", &[(InTilde, "in~"), (In, "in"), (Unknown, "~")]);
        check("f~(", &[(TildeIdentifier, "f~"), (LeftParenthesis, "("), (End, "")]);
        check("@a_1.b", &[(Identifier, "@a_1"), (Dot, "."), (Identifier, "b"), (End, "")]);
        check(
            "1 1.5 .5 2e9 2E-1",
            &[
                (Integer, "1"),
                (Decimal, "1.5"),
                (Decimal, ".5"),
                (Decimal, "2e9"),
                (Decimal, "2E-1"),
                (End, ""),
            ],
        );
        check("5m 5e", &[(Integer, "5"), (Identifier, "m"), (Integer, "5"), (Identifier, "e"), (End, "")]);
        check("a-b", &[(Identifier, "a"), (Minus, "-"), (Identifier, "b"), (End, "")]);
        check("größe", &[(Identifier, "gr"), (Unknown, "ö")]);
    }

    #[test]
    fn strings() {
        check(r#""a" "b\"c""#, &[(String, r#""a""#), (String, r#""b\"c""#), (End, "")]);
        check(r#""""a"b""" x"#, &[(String, r#""""a"b""""#), (Identifier, "x"), (End, "")]);
        check(r#""""a""""""#, &[(String, r#""""a""""""#), (End, "")]);
        check(r#""""a"""""" "#, &[(String, r#""""a""""""#), (Unknown, "\" ")]);
        check("\"\"\"a\n", &[(String, "\"\""), (Unknown, "\"a\n")]);
        check("\"a", &[(Unknown, "\"a")]);
        check(r#""a\d""#, &[(Unknown, r#""a\d"#)]);
        check(r#""\u12x""#, &[(Unknown, r#""\u12x"#)]);
        check(r#""\u{12""#, &[(Unknown, r#""\u{12""#)]);
        check(r#""\u{}""#, &[(Unknown, r#""\u{}"#)]);
        check("\"\\", &[(Unknown, "\"\\")]);
        check(r"'a\'b'", &[(SingleQuoted, r"'a\'b'"), (End, "")]);
        check("'a", &[(Unknown, "'")]);
        check("?é", &[(Question, "?"), (Unknown, "é")]);
        check(
            "?\"a\" ?'b' ?c",
            &[
                (QuestionQuoted, "?\"a\""),
                (QuestionQuoted, "?'b'"),
                (Question, "?"),
                (Identifier, "c"),
                (End, ""),
            ],
        );
    }

    #[test]
    fn backquotes() {
        check("`a b`", &[(QuotedIdentifier, "`a b`"), (End, "")]);
        check("`a``b`", &[(QuotedIdentifier, "`a``b`"), (End, "")]);
        check("``a", &[(QuotedIdentifier, "``"), (Identifier, "a"), (End, "")]);
        check("`a`` b", &[(QuotedIdentifier, "`a`"), (Unknown, "` b")]);
        check("`a", &[(Unknown, "`a")]);
    }

    #[test]
    fn punctuation_and_comments() {
        check("!=![:", &[(NotEqual, "!="), (MissingBracket, "!["), (Colon, ":"), (End, "")]);
        check("== // a\n/* b\n*/ /", &[(Equal, "=="), (Slash, "/"), (End, "")]);
        check("// a", &[(End, "")]);
        check("/* a", &[(Unknown, "/*")]);
        check("! [", &[(Unknown, "!")]);
        check("é", &[(Unknown, "é")]);
    }
}
