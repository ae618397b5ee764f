//! `kibana.alert.reason`: one sentence about the alert (specification 3.5).

use serde_json::Value;

use super::overrides::Overrides;

/// The sentence for a document, given the values of its fields.
///
/// Ports are written, as in Kibana's documentation: releases that read ports from the source instead of the fields
/// response lose them, because a number has no length there.
pub(crate) fn reason(value_of: impl Fn(&str) -> Option<Value>, overrides: &Overrides) -> String {
    let part = |field: &str, before: &str, after: &str| match value_of(field).as_ref().and_then(value_text) {
        Some(text) => format!("{before}{text}{after}"),
        None => String::new(),
    };
    let what = [
        part("process.name", " process ", ","),
        part("process.parent.name", " parent process ", ","),
        part("file.name", " file ", ","),
        part("source.ip", " source ", ""),
        part("source.port", ":", ","),
        part("destination.ip", " destination ", ""),
        part("destination.port", ":", ","),
    ]
    .concat();
    let category = part("event.category", "", " ");
    let with = if what.is_empty() { "" } else { " with" };
    let user = part("user.name", " by ", "");
    let host = part("host.name", " on ", "");
    let (severity, name) = (overrides.severity.name(), &overrides.name);
    format!("{category}event{with}{what}{user}{host} created {severity} alert {name}.")
}

/// A value as text; none for what counts as absent: nothing, an empty text or list, a lone `-`.
fn value_text(value: &Value) -> Option<String> {
    let text = match value {
        Value::Array(values) => values.iter().filter_map(scalar_text).collect::<Vec<_>>().join(", "),
        scalar => scalar_text(scalar)?,
    };
    (!text.is_empty() && text != "-").then_some(text)
}

fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::alert::source::get_in;
    use crate::document::RuleSeverity;

    #[test]
    fn the_sentence_names_what_the_event_has() {
        let check = |document: Value, severity: RuleSeverity, expected: &str| {
            let overrides = Overrides { severity, risk_score: 1.into(), name: "R".into() };
            assert_eq!(reason(|field| get_in(document.as_object()?, field).cloned(), &overrides), expected);
        };
        let (low, high) = (RuleSeverity::Low, RuleSeverity::High);
        check(
            json!({"event": {"category": ["process", "start"]}, "process": {"name": "cmd.exe", "parent": {"name": "explorer.exe"}},
                   "user.name": "bob", "host": {"name": "h1"}}),
            low,
            "process, start event with process cmd.exe, parent process explorer.exe, by bob on h1 created low alert R.",
        );
        check(
            json!({"event.category": "network", "source": {"ip": "1.1.1.1", "port": 80},
                   "destination": {"ip": "2.2.2.2", "port": [443]}, "host.name": "h1"}),
            high,
            "network event with source 1.1.1.1:80, destination 2.2.2.2:443, on h1 created high alert R.",
        );
        check(json!({}), high, "event created high alert R.");
        check(
            json!({"source": {"ip": "1.1.1.1"}, "destination.ip": "2.2.2.2", "host.name": "h1"}),
            low,
            "event with source 1.1.1.1 destination 2.2.2.2 on h1 created low alert R.",
        );
        check(
            json!({"process.name": "-", "file.name": ["-"], "user.name": "", "host.name": []}),
            low,
            "event created low alert R.",
        );
    }
}
