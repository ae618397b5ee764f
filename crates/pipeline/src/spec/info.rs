//! The line that opens a fenced block: language, role, `key=value` attributes with their places.

use maxspan_diagnostics::{Diagnostic, Span, codes, nearest_names};

/// What an info string says.
#[derive(Debug)]
pub(super) struct Info<'a> {
    pub(super) language: &'a str,
    pub(super) role: &'a str,
    pub(super) role_span: Span,
    pub(super) attributes: Vec<Attribute<'a>>,
}

/// `key=value`, the value with or without double quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Attribute<'a> {
    pub(super) key: &'a str,
    pub(super) value: &'a str,
    pub(super) span: Span,
    pub(super) value_span: Span,
}

/// Which roles a language has.
const ROLES: [(&str, &[&str]); 7] = [
    ("toml", &["rule", "options"]),
    ("ndjson", &["rule", "exceptions", "events", "silent", "alerts"]),
    ("json", &["rule", "exceptions", "mapping", "events", "stats"]),
    ("eql", &["rule"]),
    ("kuery", &["rule"]),
    ("kql", &["rule"]),
    ("text", &["alerts", "diagnostics", "explain"]),
];

/// What the info string says; none where the block is not ours.
pub(super) fn read(text: &str, span: Span) -> Result<Option<Info<'_>>, Diagnostic> {
    let words = words(text, span);
    let [(language, _), (role, role_span), rest @ ..] = words.as_slice() else { return Ok(None) };
    let Some((_, roles)) = ROLES.iter().find(|(name, _)| name == language) else { return Ok(None) };
    if !roles.contains(role) {
        return unknown_role(language, role, *role_span, roles);
    }
    let mut attributes = Vec::new();
    for (word, span) in rest {
        let Some((key, value)) = word.split_once('=') else {
            let message = format!("`{word}` is no attribute; attributes are written `key=value`");
            return Err(Diagnostic::new(codes::SPEC_BLOCK, *span, message));
        };
        let unquoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        let quote = usize::from(unquoted.is_some());
        let value_span = Span::new(span.start + key.len() + 1 + quote, span.end - quote);
        attributes.push(Attribute { key, value: unquoted.unwrap_or(value), span: *span, value_span });
    }
    Ok(Some(Info { language, role, role_span: *role_span, attributes }))
}

/// A misspelt role would be a test that never runs; a block that is marked for another tool is none of ours.
fn unknown_role<'a>(
    language: &str,
    role: &str,
    span: Span,
    roles: &[&str],
) -> Result<Option<Info<'a>>, Diagnostic> {
    let all = ROLES.iter().flat_map(|(_, roles)| roles.iter().copied());
    let near = nearest_names(role, all).first().copied();
    let is_word = role.chars().all(|character| character.is_ascii_alphabetic());
    // Much else is text: only what is almost one of ours is a slip there.
    let is_slip = near.is_some_and(|near| roles.contains(&near) && near.as_bytes()[0] == role.as_bytes()[0]);
    if role.starts_with("ignore") || !is_word || (language == "text" && !is_slip) {
        return Ok(None);
    }
    let help = match near {
        Some(near) if roles.contains(&near) => format!("did you mean `{language} {near}`?"),
        _ => {
            let known: Vec<String> = roles.iter().map(|role| format!("`{language} {role}`")).collect();
            format!("there are {}; `{language} ignore` is passed over", known.join(", "))
        }
    };
    let message = format!("there are no blocks `{language} {role}`");
    Err(Diagnostic::new(codes::SPEC_BLOCK, span, message).with_help(help))
}

/// Words with their places; blanks in double quotes do not part words.
fn words(text: &str, span: Span) -> Vec<(&str, Span)> {
    let line = span.slice(text);
    let mut words = Vec::new();
    let (mut start, mut quoted) = (None, false);
    for (at, character) in line.char_indices().chain([(line.len(), ' ')]) {
        quoted ^= character == '"';
        let is_end = at == line.len() || (character.is_whitespace() && !quoted);
        match (start, is_end) {
            (None, false) => start = Some(at),
            (Some(begin), true) => {
                words.push((&line[begin..at], Span::new(span.start + begin, span.start + at)));
                start = None;
            }
            _ => {}
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_and_attributes_are_read() {
        let check = |text: &str, expected: &str| {
            let shown = match read(text, Span::new(0, text.len())) {
                Ok(None) => "-".to_owned(),
                Ok(Some(info)) => {
                    let attributes = info.attributes.iter().map(|one| {
                        assert_eq!(one.value_span.slice(text), one.value, "{text}");
                        format!(" {}={}", one.key, one.value)
                    });
                    format!("{} {}{}", info.language, info.role, attributes.collect::<String>())
                }
                Err(diagnostic) => {
                    format!("{}: {}", diagnostic.message, diagnostic.help.unwrap_or_default())
                }
            };
            assert_eq!(shown, expected, "{text}");
        };
        check("", "-");
        check("json", "-");
        check("rust events", "-");
        check("json title=\"x\"", "-");
        check("ndjson ignore-this", "-");
        check("text plain", "-");
        check("ndjson events alerts=1  shift=-1h", "ndjson events alerts=1 shift=-1h");
        check("eql rule name=\"a b\" id=c", "eql rule name=a b id=c");
        check("eql rule name=\"a", "eql rule name=\"a");
        check("ndjson evnts", "there are no blocks `ndjson evnts`: did you mean `ndjson events`?");
        check("text alert", "there are no blocks `text alert`: did you mean `text alerts`?");
        check(
            "eql events",
            "there are no blocks `eql events`: there are `eql rule`; `eql ignore` is passed over",
        );
        check("eql rule x", "`x` is no attribute; attributes are written `key=value`: ");
    }
}
