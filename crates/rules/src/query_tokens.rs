//! Cuts a query into pieces that can be coloured: keywords, fields, texts, numbers, comments.
//!
//! For showing only. It knows no grammar, takes any text, and errs by leaving pieces plain; the parsers of
//! the languages say what a query means.

use maxspan_diagnostics::Span;

use crate::document::Language;

/// What a piece of a query is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueryTokenKind {
    /// `where`, `and`, `sequence`, an event category before `where` …
    Keyword,
    /// The name of a field: a word with a dot, or one before `:` or an operator.
    Field,
    /// A word before `(` that is no keyword.
    Function,
    /// Text in quotes.
    Text,
    /// A number, also one with a unit.
    Number,
    /// A comment.
    Comment,
}

/// A piece of a query; what lies between pieces is plain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueryToken {
    /// What it is.
    pub kind: QueryTokenKind,
    /// Where it stands.
    pub span: Span,
}

const EQL_KEYWORDS: [&str; 22] = [
    "and",
    "any",
    "by",
    "child",
    "descendant",
    "event",
    "false",
    "in",
    "join",
    "like",
    "maxspan",
    "not",
    "null",
    "of",
    "or",
    "regex",
    "sample",
    "sequence",
    "true",
    "until",
    "where",
    "with",
];
const KQL_KEYWORDS: [&str; 6] = ["and", "or", "not", "true", "false", "null"];
const ESQL_KEYWORDS: [&str; 34] = [
    "and",
    "as",
    "asc",
    "by",
    "change_point",
    "completion",
    "desc",
    "dissect",
    "drop",
    "enrich",
    "eval",
    "false",
    "fork",
    "from",
    "grok",
    "in",
    "inlinestats",
    "is",
    "join",
    "keep",
    "like",
    "limit",
    "lookup",
    "metadata",
    "mv_expand",
    "not",
    "null",
    "on",
    "or",
    "rename",
    "rlike",
    "sort",
    "stats",
    "true",
];
const ESQL_MORE_KEYWORDS: [&str; 4] = ["where", "row", "with", "nulls"];

/// Cuts a query into pieces, in order.
pub fn query_tokens(language: Language, text: &str) -> Vec<QueryToken> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(character) = text[at..].chars().next() {
        let rest = &text[at..];
        let (kind, length) = if let Some(length) = comment(language, rest) {
            (Some(QueryTokenKind::Comment), length)
        } else if character == '"' {
            (Some(QueryTokenKind::Text), quoted(rest))
        } else if character == '`' && language != Language::Kuery {
            let length = rest[1..].find('`').map_or(rest.len(), |end| end + 2);
            (Some(QueryTokenKind::Field), length)
        } else if is_word(language, character) {
            let length = rest.find(|c| !is_word(language, c)).unwrap_or(rest.len());
            (word_kind(language, &rest[..length], &rest[length..]), length)
        } else {
            (None, character.len_utf8())
        };
        tokens.extend(kind.map(|kind| QueryToken { kind, span: Span::new(at, at + length) }));
        at += length;
    }
    tokens
}

/// The bytes of a comment that the text begins with.
fn comment(language: Language, text: &str) -> Option<usize> {
    if matches!(language, Language::Kuery | Language::Lucene) {
        return None;
    }
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    text.starts_with("/*").then(|| text[2..].find("*/").map_or(text.len(), |end| end + 4))
}

/// The bytes of a quoted text, to its end or that of the query.
fn quoted(text: &str) -> usize {
    if let Some(inside) = text.strip_prefix("\"\"\"") {
        return inside.find("\"\"\"").map_or(text.len(), |end| end + 6);
    }
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            '"' if !escaped => return at + 1,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    text.len()
}

fn is_word(language: Language, character: char) -> bool {
    let more = match language {
        Language::Kuery | Language::Lucene => "_.@*-\\/?$",
        Language::Eql | Language::Esql => "_.@",
    };
    character.is_alphanumeric() || more.contains(character)
}

fn word_kind(language: Language, word: &str, after: &str) -> Option<QueryTokenKind> {
    let next = after.trim_start();
    let is_keyword = match language {
        Language::Eql => EQL_KEYWORDS.contains(&word),
        Language::Kuery | Language::Lucene => KQL_KEYWORDS.contains(&word.to_ascii_lowercase().as_str()),
        Language::Esql => {
            let lower = word.to_ascii_lowercase();
            ESQL_KEYWORDS.contains(&lower.as_str()) || ESQL_MORE_KEYWORDS.contains(&lower.as_str())
        }
    };
    let before_where = language == Language::Eql && next.starts_with("where");
    if before_where || (is_keyword && !next.starts_with(':')) {
        return Some(QueryTokenKind::Keyword);
    }
    if word.starts_with(|c: char| c.is_ascii_digit()) {
        return Some(QueryTokenKind::Number);
    }
    match language {
        Language::Kuery | Language::Lucene => {
            next.starts_with([':', '<', '>']).then_some(QueryTokenKind::Field)
        }
        _ if after.starts_with('(') || after.starts_with("~(") => Some(QueryTokenKind::Function),
        _ => word.contains('.').then_some(QueryTokenKind::Field),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_told_apart() {
        let check = |language: Language, text: &str, expected: &str| {
            let shown: Vec<String> = query_tokens(language, text)
                .iter()
                .map(|token| format!("{:?}:{}", token.kind, token.span.slice(text)))
                .collect();
            assert_eq!(shown.join(" "), expected, "{text}");
        };
        check(
            Language::Eql,
            "process where a.b == \"x\\\"y\" and length(c.d) > 5 // e",
            "Keyword:process Keyword:where Field:a.b Text:\"x\\\"y\" Keyword:and Function:length Field:c.d Number:5 \
             Comment:// e",
        );
        check(
            Language::Kuery,
            "a.b:(x or \"y\") and c >= 3",
            "Field:a.b Keyword:or Text:\"y\" Keyword:and Field:c Number:3",
        );
        check(
            Language::Esql,
            "FROM logs-* | WHERE a.b /* c",
            "Keyword:FROM Keyword:WHERE Field:a.b Comment:/* c",
        );
        check(Language::Eql, "any where \"\"\"a\"b", "Keyword:any Keyword:where Text:\"\"\"a\"b");
        check(Language::Eql, "ö \"ü", "Text:\"ü");
        check(Language::Lucene, "", "");
    }
}
