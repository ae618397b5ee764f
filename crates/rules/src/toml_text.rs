//! Text transformations that Elastic's tools do when they turn a TOML rule into the API's JSON (specification 1.1):
//! whitespace normalisation, `$osquery_N` placeholders, the `## Setup` section.

use serde_json::{Map, Value};

/// Keys below which nothing is normalised: queries, Markdown, and messages of actions.
const VERBATIM_KEYS: [&str; 4] = ["query", "note", "setup", "message"];

/// What Python's `str.splitlines` splits at, beside `\r\n`.
const LINE_BREAKS: [char; 10] =
    ['\n', '\r', '\u{b}', '\u{c}', '\u{1c}', '\u{1d}', '\u{1e}', '\u{85}', '\u{2028}', '\u{2029}'];

/// Joins the trimmed lines of every text with a blank, but for texts below [`VERBATIM_KEYS`].
pub(crate) fn normalize_whitespace(value: &mut Value) {
    match value {
        Value::String(text) if (text.trim().len() != text.len() || text.contains(is_line_break)) => {
            *text = joined_lines(text);
        }
        Value::Array(values) => values.iter_mut().for_each(normalize_whitespace),
        Value::Object(map) => {
            for (key, value) in map.iter_mut() {
                if !VERBATIM_KEYS.contains(&key.as_str()) {
                    normalize_whitespace(value);
                }
            }
        }
        _ => {}
    }
}

fn is_line_break(c: char) -> bool {
    LINE_BREAKS.contains(&c)
}

fn joined_lines(text: &str) -> String {
    let unified = text.trim().replace("\r\n", "\n");
    let lines: Vec<_> = unified.split(is_line_break).map(str::trim).collect();
    lines.join(" ")
}

/// Replaces `$name` and `${name}` as Python's `string.Template.safe_substitute` does: `$$` becomes `$`, names without
/// a value stay as they are.
pub(crate) fn substitute(template: &str, value_of: &dyn Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        if let Some(beyond) = after.strip_prefix('$') {
            out.push('$');
            rest = beyond;
            continue;
        }
        let (name, length) = placeholder(after);
        match value_of(name).filter(|_| !name.is_empty()) {
            Some(value) => out.push_str(&value),
            None => out.push_str(&rest[at..=at + length]),
        }
        rest = &after[length..];
    }
    out.push_str(rest);
    out
}

/// The name after a `$`, and how many bytes it takes with its braces.
fn placeholder(after: &str) -> (&str, usize) {
    let name_of = |text: &str| {
        let starts = text.starts_with(|c: char| c == '_' || c.is_ascii_alphabetic());
        let length = text.find(|c: char| c != '_' && !c.is_ascii_alphanumeric()).unwrap_or(text.len());
        if starts { length } else { 0 }
    };
    if let Some(inside) = after.strip_prefix('{') {
        let length = name_of(inside);
        let closed = length > 0 && inside[length..].starts_with('}');
        return if closed { (&inside[..length], length + 2) } else { ("", 0) };
    }
    let length = name_of(after);
    (&after[..length], length)
}

/// The text that stands for one `[[transform.<plugin>]]` table in a note.
pub(crate) fn plugin_text(plugin: &str, table: &Value) -> String {
    format!("!{{{plugin}{}}}", sorted(table))
}

/// The same value with the members of every object in order of their names.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(values) => Value::Array(values.iter().map(sorted).collect()),
        Value::Object(map) => {
            let mut members: Vec<_> = map.iter().map(|(key, value)| (key.clone(), sorted(value))).collect();
            members.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(Map::from_iter(members))
        }
        other => other.clone(),
    }
}

/// Splits a note's `## Setup` section off: the note without it, and the section's text without its heading.
///
/// The section ends at the next heading of level one or two; headings inside fenced code are code.
pub(crate) fn split_setup(note: &str) -> Option<(String, String)> {
    let mut fenced = false;
    let mut section: Option<(usize, usize)> = None;
    let mut end = note.len();
    let mut at = 0;
    for line in note.split_inclusive('\n') {
        let text = line.trim_end();
        fenced ^= text.trim_start().starts_with("```");
        if !fenced {
            match section {
                None if text == "## Setup" => section = Some((at, at + line.len())),
                Some(_) if text.starts_with("# ") || text.starts_with("## ") => {
                    end = at;
                    break;
                }
                _ => {}
            }
        }
        at += line.len();
    }
    let (start, inside) = section?;
    let rest = format!("{}{}", &note[..start], &note[end..]);
    let kept = if end == note.len() { rest.trim_end().to_owned() } else { rest };
    Some((kept, note[inside..end].trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn whitespace_is_normalised_but_in_queries_and_markdown() {
        let check = |mut value: Value, expected: Value| {
            normalize_whitespace(&mut value);
            assert_eq!(value, expected);
        };
        check(json!("\n  one \r\n two\u{2028}three\n"), json!("one two three"));
        check(json!("a  b"), json!("a  b"));
        check(json!("a\n\nb"), json!("a  b"));
        check(
            json!({"query": " a\nb ", "note": " n\n", "x": [" y "]}),
            json!({"query": " a\nb ", "note": " n\n", "x": ["y"]}),
        );
        check(
            json!({"filters": [{"query": {"wildcard": {"f": " v "}}}]}),
            json!({"filters": [{"query": {"wildcard": {"f": " v "}}}]}),
        );
    }

    #[test]
    fn placeholders_are_replaced_like_a_python_template() {
        let check = |template: &str, expected: &str| {
            let value_of = |name: &str| (name == "osquery_0").then(|| "<Q>".to_owned());
            assert_eq!(substitute(template, &value_of), expected, "{template}");
        };
        check("- $osquery_0.", "- <Q>.");
        check("${osquery_0}x", "<Q>x");
        check("$osquery_01 $osquery_1 $HOME $", "$osquery_01 $osquery_1 $HOME $");
        check("$$5 $5 ${x} ${", "$5 $5 ${x} ${");
        check("ä$osquery_0ä", "ä<Q>ä");
        check("", "");
    }

    #[test]
    fn plugins_have_sorted_keys_and_no_blanks() {
        let table = json!({"query": "SELECT 1", "label": "L", "ecs_mapping": {"b": {"field": "x"}, "a": {"value": "y"}}});
        assert_eq!(
            plugin_text("osquery", &table),
            r#"!{osquery{"ecs_mapping":{"a":{"value":"y"},"b":{"field":"x"}},"label":"L","query":"SELECT 1"}}"#
        );
    }

    #[test]
    fn the_setup_section_leaves_the_note() {
        let check = |note: &str, expected: Option<(&str, &str)>| {
            let found = split_setup(note);
            assert_eq!(found.as_ref().map(|(a, b)| (a.as_str(), b.as_str())), expected, "{note}");
        };
        check("## Triage\n\ntext\n\n## Setup\n\ndo it\n", Some(("## Triage\n\ntext", "do it")));
        check("## Setup\ndo\n### more\n## Next\nx", Some(("## Next\nx", "do\n### more")));
        check("## Triage\n```\n## Setup\n```\n", None);
        check("### Setup\nx", None);
    }
}
