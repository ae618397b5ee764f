//! `MX1642` guide-anchor and `MX1643` guide-plugin: the investigation guide and the setup guide.

use std::collections::BTreeSet;

use maxspan_diagnostics::codes;
use serde_json::Value;

use super::subject::Subject;

/// Plugins of Kibana's guides: `!{osquery{…}}`.
const PLUGINS: [&str; 3] = ["investigate", "osquery", "insight"];

pub(super) fn check(subject: &mut Subject<'_>) {
    let rule = subject.rule;
    for (field, text) in [("note", rule.note.as_deref().unwrap_or("")), ("setup", rule.setup.as_str())] {
        for anchor in broken_anchors(text) {
            let message =
                format!("the link to `#{anchor}` leads nowhere: no heading of the guide gives this name");
            let help = "write the heading in lower case, with hyphens for spaces";
            subject.say_of_text(&format!("#{anchor}"), field, codes::LINT_GUIDE_ANCHOR, message, help);
        }
        for (place, what) in broken_plugins(text) {
            let message = format!("the block `{place}` {what}, so Kibana shows its text");
            let help = "a block is `!{name{ JSON }}`, with all its quotes and brackets";
            subject.say_of_text(place, field, codes::LINT_GUIDE_PLUGIN, message, help);
        }
    }
}

/// Links to headings that are not there.
fn broken_anchors(text: &str) -> Vec<&str> {
    let headings: BTreeSet<String> = text
        .lines()
        .filter_map(|line| Some(line.trim_start().strip_prefix('#')?.trim_start_matches('#').trim()))
        .map(anchor_of)
        .collect();
    let targets = text.match_indices("](#").filter_map(|(at, found)| {
        let rest = &text[at + found.len()..];
        rest.split_once(')').map(|(target, _)| target)
    });
    targets.filter(|target| !target.contains('\n') && !headings.contains(&target.to_lowercase())).collect()
}

/// The name under which links find a heading.
fn anchor_of(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).flat_map(char::to_lowercase).collect()
}

/// Plugin blocks that cannot be read: how they begin, and what is wrong.
fn broken_plugins(text: &str) -> Vec<(&str, String)> {
    let mut broken = Vec::new();
    for (at, found) in text.match_indices("!{") {
        let rest = &text[at + found.len()..];
        let name = rest.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or("");
        if !PLUGINS.contains(&name) {
            continue;
        }
        let start = &text[at..at + found.len() + name.len()];
        let mut values = serde_json::Deserializer::from_str(&rest[name.len()..]).into_iter::<Value>();
        match values.next() {
            Some(Ok(Value::Object(_)))
                if rest[name.len() + values.byte_offset()..].trim_start().starts_with('}') => {}
            Some(Ok(Value::Object(_))) => broken.push((start, "does not end with `}}`".to_owned())),
            Some(Ok(_)) | None => broken.push((start, "holds no JSON object".to_owned())),
            Some(Err(error)) => broken.push((start, format!("is not valid JSON: {error}"))),
        }
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::super::support::check_fields;

    #[test]
    fn guides() {
        let check = |note: &str, expected: &[&str]| check_fields(&format!("note = '''{note}'''"), expected);
        check("## First Steps\n[see](#first-steps)", &[]);
        check("## First steps\n[see](#second-steps)", &["MX1642 12:7 second-steps"]);
        check("!{osquery{\"label\":\"L\",\"query\":\"SELECT 1\"}}", &[]);
        check("!{osquery{\"label\":\"L}}", &["MX1643 11:11 JSON"]);
        check("!{investigate{\"label\":\"L\"}", &["MX1643 11:11 does not end"]);
        check("!{other{}} and !{x", &[]);
    }
}
