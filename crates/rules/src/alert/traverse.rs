//! Makes an event's source fit for the alerts index (specification 3.2, step 4).

use std::net::IpAddr;

use serde_json::{Map, Value};

use super::FieldKind;
use super::source::flattened;
use super::time::milliseconds_of;

/// First parts of names that alerts keep for themselves.
const RESERVED: [&str; 3] = ["kibana", "signal", "threshold_result"];
/// Parts of an event that an alert keeps a copy of, with the copy's name.
const COPIES: [(&str, &str); 2] =
    [("event", "kibana.alert.original_event"), ("data_stream", "kibana.alert.original_data_stream")];

type Kinds<'a> = &'a dyn Fn(&str) -> Option<FieldKind>;

/// The source without reserved names and without values that ECS does not allow, with copies of `event.*` and
/// `data_stream.*`, and without `event.kind`, which the alert sets.
pub(crate) fn fit_for_alert(mut source: Map<String, Value>, kinds: Kinds<'_>) -> Map<String, Value> {
    let mut path = String::new();
    source.retain(|key, value| {
        let first = key.split('.').next().unwrap_or("");
        !RESERVED.contains(&first) && keep_allowed_member(&mut path, key, value, kinds)
    });
    let copies = copies(&source);
    remove_event_kind(&mut source);
    source.extend(copies);
    source
}

fn copies(source: &Map<String, Value>) -> Vec<(String, Value)> {
    let mut out = Vec::new();
    for (key, value) in source {
        let (first, rest) = key.split_once('.').unwrap_or((key, ""));
        for (_, copy) in COPIES.iter().filter(|(original, _)| *original == first) {
            match rest {
                // `event` itself must be an object to have copies.
                "" if !value.is_object() => {}
                "" => flattened(copy, value, &mut out),
                rest => flattened(&format!("{copy}.{rest}"), value, &mut out),
            }
        }
    }
    out
}

fn remove_event_kind(source: &mut Map<String, Value>) {
    source.shift_remove("event.kind");
    if let Some(Value::Object(event)) = source.get_mut("event") {
        event.shift_remove("kind");
        if event.is_empty() {
            source.shift_remove("event");
        }
    }
}

/// Leaves of a member's value what ECS allows; false where nothing of it is allowed. The path is that of the object, and
/// is so again afterwards.
fn keep_allowed_member(path: &mut String, key: &str, value: &mut Value, kinds: Kinds<'_>) -> bool {
    let before = path.len();
    if !path.is_empty() {
        path.push('.');
    }
    let start = path.len();
    path.push_str(key);
    // A dotted key reaches through fields: none of them may be one that holds a value.
    let mut through = key.match_indices('.').map(|(dot, _)| &path[..start + dot]);
    let kept =
        !through.any(|parent| kinds(parent).is_some_and(holds_value)) && keep_allowed(path, value, kinds);
    path.truncate(before);
    kept
}

fn holds_value(kind: FieldKind) -> bool {
    !matches!(kind, FieldKind::Object | FieldKind::Nested | FieldKind::Unchecked)
}

fn keep_allowed(path: &mut String, value: &mut Value, kinds: Kinds<'_>) -> bool {
    match value {
        Value::Array(values) => {
            let empty = values.is_empty();
            values.retain_mut(|value| keep_allowed(path, value, kinds));
            empty || !values.is_empty()
        }
        Value::Object(members) => match kinds(path) {
            Some(FieldKind::Unchecked) => true,
            Some(kind) if holds_value(kind) => false,
            _ => {
                let empty = members.is_empty();
                members.retain(|key, value| keep_allowed_member(path, key, value, kinds));
                empty || !members.is_empty()
            }
        },
        scalar => kinds(path).is_none_or(|kind| scalar_fits(kind, scalar)),
    }
}

fn scalar_fits(kind: FieldKind, value: &Value) -> bool {
    if value.is_null() {
        return true;
    }
    match kind {
        FieldKind::Text | FieldKind::Unchecked => true,
        FieldKind::Object | FieldKind::Nested => false,
        FieldKind::Ip => value.as_str().is_some_and(|text| text.parse::<IpAddr>().is_ok()),
        FieldKind::Date => milliseconds_of(value).is_some(),
        FieldKind::Boolean => value.is_boolean() || matches!(value.as_str(), Some("true" | "false" | "")),
        FieldKind::Long => number_of(value).is_some_and(|number| number.abs() < 9.3e18),
        FieldKind::Float => number_of(value).is_some(),
    }
}

/// A number, or a text that is one: Elasticsearch takes both.
fn number_of(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok().filter(|number: &f64| number.is_finite()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ecs(field: &str) -> Option<FieldKind> {
        Some(match field {
            "agent" | "source" | "event" | "process" => FieldKind::Object,
            "agent.name" | "event.kind" => FieldKind::Text,
            "source.ip" => FieldKind::Ip,
            "source.port" => FieldKind::Long,
            "event.created" => FieldKind::Date,
            "event.risk_score" => FieldKind::Float,
            "process.interactive" => FieldKind::Boolean,
            "source.geo.location" => FieldKind::Unchecked,
            "email.attachments" => FieldKind::Nested,
            _ => return None,
        })
    }

    #[test]
    fn what_ecs_does_not_allow_is_dropped() {
        let check = |source: Value, expected: Value| {
            let found = fit_for_alert(source.as_object().unwrap().clone(), &ecs);
            assert_eq!(Value::Object(found), expected, "{source}");
        };
        check(
            json!({"kibana": {"a": 1}, "kibana.alert.uuid": "x", "signal": {}, "threshold_result": 1, "a": 1}),
            json!({"a": 1}),
        );
        check(json!({"agent": "x"}), json!({}));
        check(json!({"agent": {"name": {"x": 1}, "id": 7}}), json!({"agent": {"id": 7}}));
        check(json!({"agent": {"name": {"x": 1}}}), json!({}));
        check(json!({"agent.name.x": 1, "agent.name": "n"}), json!({"agent.name": "n"}));
        check(
            json!({"source": {"ip": ["1.2.3.4", "x", "::1"], "port": ["a"]}}),
            json!({"source": {"ip": ["1.2.3.4", "::1"]}}),
        );
        check(json!({"source": {"port": "80"}}), json!({"source": {"port": "80"}}));
        check(
            json!({"source": {"geo": {"location": {"lat": 1}}}}),
            json!({"source": {"geo": {"location": {"lat": 1}}}}),
        );
        check(json!({"process": {"interactive": "yes", "own": {}}}), json!({"process": {"own": {}}}));
        check(
            json!({"email": {"attachments": ["x", {"file": 1}]}}),
            json!({"email": {"attachments": [{"file": 1}]}}),
        );
        check(json!({"own": {"deep": [[1]]}, "tags": []}), json!({"own": {"deep": [[1]]}, "tags": []}));
    }

    #[test]
    fn event_and_data_stream_are_copied() {
        let source = json!({
            "event": {"kind": "event", "category": ["process"], "created": "never"},
            "event.action": "start", "data_stream": {"type": "logs"},
        });
        let expected = json!({
            "event": {"category": ["process"]}, "event.action": "start", "data_stream": {"type": "logs"},
            "kibana.alert.original_event.kind": "event",
            "kibana.alert.original_event.category": ["process"],
            "kibana.alert.original_event.action": "start",
            "kibana.alert.original_data_stream.type": "logs",
        });
        assert_eq!(Value::Object(fit_for_alert(source.as_object().unwrap().clone(), &ecs)), expected);
    }
}
