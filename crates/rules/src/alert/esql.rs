//! Alerts of ES|QL rules (specification 3.6, 5.4).

use maxspan_event::Document;
use serde_json::{Map, Value};

use super::ids::{self, HashValue};
use super::rule_fields::AlertingRule;
use super::source::{get_in, scalars};
use super::time::iso;
use super::{Alert, AlertContext, SourceEvent, alert_of};
use crate::document::RuleDocument;

/// Columns that say which document a row is.
const METADATA: [&str; 3] = ["_id", "_index", "_version"];

/// A row of a query's result: names and values of its columns, but for those that no row has values in.
pub type ResultRow = [(String, Value)];

/// The id of the alert of a row that stands for an event: the same whichever run finds it.
pub fn esql_event_id(
    row: &ResultRow,
    expanded: &[String],
    space: &str,
    rule: &RuleDocument,
) -> Option<String> {
    let column = |name: &str| row.iter().find(|(column, _)| column == name).map(|(_, value)| value);
    let (id, index) =
        (column("_id")?.as_str()?, column("_index").and_then(Value::as_str).unwrap_or_default());
    let version = column("_version").and_then(Value::as_u64);
    let expanded =
        expanded.iter().map(|name| column(name).map_or(HashValue::Undefined, HashValue::from)).collect();
    Some(ids::esql_event_alert_id(index, id, version, space, &rule.uuid, expanded))
}

/// The id of the alert of another row: of the run's window, in milliseconds since 1970, and of the row's position.
pub fn esql_row_id(window: (i64, i64), position: usize, space: &str, rule: &RuleDocument) -> String {
    ids::esql_row_alert_id((&iso(window.0), &iso(window.1)), &rule.query, space, &rule.uuid, position)
}

/// The alert of a row under its id. The columns of the row replace the fields of the event that it stands for, where it
/// stands for one; none by the recursion guard.
pub fn esql_alert(
    rule: &AlertingRule<'_>,
    row: &ResultRow,
    event: Option<&SourceEvent<'_>>,
    id: String,
    context: &AlertContext<'_>,
) -> Option<Alert> {
    let whole = event.and_then(|event| event.source.as_ref()).map(Document::to_value);
    let mut merged = match whole {
        Some(Value::Object(members)) => members,
        _ => Map::new(),
    };
    for (name, value) in
        row.iter().filter(|(name, value)| !METADATA.contains(&name.as_str()) && !value.is_null())
    {
        if !get_in(&merged, name).is_some_and(|own| same_values(own, value)) {
            remove(&mut merged, name);
            merged.insert(name.clone(), value.clone());
        }
    }
    let text = Value::Object(merged).to_string();
    let event = SourceEvent {
        index: event.map_or_else(|| "".into(), |event| event.index.clone()),
        id: event.map(|event| event.id.clone()).unwrap_or_default(),
        source: Some(Document::read(text.as_bytes())),
    };
    alert_of(rule, &event, id, context, |_| {})
}

/// Whether a column only repeats the field: an index has its values in another order and as other JSON types.
fn same_values(field: &Value, column: &Value) -> bool {
    let texts = |value: &Value| {
        let text = |one: &&Value| one.as_str().map_or_else(|| one.to_string(), str::to_owned);
        let mut texts: Vec<String> = scalars(value).iter().map(text).collect();
        texts.sort_unstable();
        texts.dedup();
        texts
    };
    field == column || texts(field) == texts(column)
}

/// Takes a field out, however it is written.
fn remove(members: &mut Map<String, Value>, field: &str) {
    members.remove(field);
    for (dot, _) in field.match_indices('.') {
        if let Some(Value::Object(inner)) = members.get_mut(&field[..dot]) {
            remove(inner, &field[dot + 1..]);
            if inner.is_empty() {
                members.remove(&field[..dot]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_are_taken_out() {
        let check = |document: Value, field: &str, expected: Value| {
            let Value::Object(mut members) = document.clone() else { panic!("{document}") };
            remove(&mut members, field);
            assert_eq!(Value::Object(members), expected, "{document} {field}");
        };
        check(json!({"a": {"b": 1, "c": 2}, "a.b": 3}), "a.b", json!({"a": {"c": 2}}));
        check(json!({"a": {"b.c": 1}}), "a.b.c", json!({}));
        check(json!({"a": 1}), "a.b", json!({"a": 1}));
    }

    #[test]
    fn what_an_index_makes_of_values_is_the_same() {
        let check = |field: Value, column: Value, expected: bool| {
            assert_eq!(same_values(&field, &column), expected, "{field} {column}");
        };
        check(json!(["b", "a"]), json!(["a", "b"]), true);
        check(json!(501), json!("501"), true);
        check(json!(["x"]), json!("x"), true);
        check(json!("x"), json!("y"), false);
    }
}
