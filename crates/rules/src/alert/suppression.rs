//! Suppression in alerts: what an alert says of the others that were folded into it, and the values that alerts are
//! folded by (specification 6).
//!
//! Which alerts are folded is decided where runs are known; here is what one alert, or one that is to be, says.

use std::borrow::Cow;

use maxspan_event::Document;
use serde_json::{Map, Value, json};

use super::ids::{self, HashValue};
use super::members::Members;
use super::time::{iso, milliseconds_of};
use super::{AlertContext, ResultRow, SourceEvent, anomalies, intersection};
use crate::document::{RuleDocument, RuleParams};

/// A field of `group_by` and what an alert has in it; null where it has nothing.
pub type Term = (String, Value);

/// What an alert says of those that were folded into it. Times are milliseconds since 1970.
#[derive(Debug, Clone, PartialEq)]
pub struct Suppression {
    /// The fields and their values, in the order of the rule.
    pub terms: Vec<Term>,
    /// `kibana.alert.instance.id`
    pub instance_id: String,
    /// The time of the first.
    pub start_ms: i64,
    /// The time of the last.
    pub end_ms: i64,
    /// The time of the last when the alert was made: part of the ids of KQL rules.
    pub made_end_ms: i64,
    /// How many were folded into it.
    pub docs_count: u64,
}

/// `kibana.alert.instance.id`: what alerts are folded by. Those of thresholds have the values of their group alone.
pub fn instance_id(rule: &RuleDocument, terms: &[Term], space: &str) -> String {
    if matches!(rule.params, RuleParams::Threshold(_)) {
        let texts: Vec<Cow<'_, str>> = terms.iter().map(|(_, value)| text_of(value)).collect();
        let texts: Vec<&str> = texts.iter().map(|text| &**text).collect();
        return ids::threshold_instance_id(&texts, &rule.uuid, space);
    }
    let terms: Vec<_> = terms.iter().map(|(field, value)| (field.as_str(), HashValue::from(value))).collect();
    ids::suppression_instance_id(&terms, &rule.uuid, space)
}

/// The values of fields that an alert of these events has: those that all have in common. Of a machine learning rule
/// the fields that influenced its record are among them.
pub fn event_terms(rule: &RuleDocument, events: &[SourceEvent<'_>], fields: &[String]) -> Vec<Term> {
    let is_anomaly = matches!(rule.params, RuleParams::MachineLearning(_));
    let present = events.iter().filter(|event| !event.is_missing());
    let mut documents = present.map(|event| {
        let made = if is_anomaly { anomalies::as_event(event) } else { None };
        let made = made.as_ref().map(|text| Document::read(text.as_bytes()));
        let source = made.as_ref().or(event.source.as_ref());
        let values = fields.iter().filter_map(|field| Some((field.clone(), source?.get(field)?.to_value())));
        values.collect::<Map<_, _>>()
    });
    let first = documents.next().unwrap_or_default();
    let common = documents.fold(first, |common, next| intersection::intersection(&[&common, &next]));
    let value = |field: &String| common.get(field).map_or(Value::Null, |value| term_value(value.clone()));
    fields.iter().map(|field| (field.clone(), value(field))).collect()
}

/// The values of fields that an alert of a row has: those of its columns, then those of the event that it stands for.
pub fn row_terms(row: &ResultRow, event: Option<&SourceEvent<'_>>, fields: &[String]) -> Vec<Term> {
    let term = |field: &String| {
        let column = row.iter().find(|(name, value)| name == field && !value.is_null());
        let own = column.map(|(_, value)| value.clone());
        let value = own.or_else(|| event.and_then(|event| event.field(field)));
        (field.clone(), value.map_or(Value::Null, term_value))
    };
    fields.iter().map(term).collect()
}

/// The time of an alert of a row, in milliseconds since 1970: what it has in one of the fields, the first that is a date.
pub fn row_time(row: &ResultRow, event: Option<&SourceEvent<'_>>, fields: &[&str]) -> Option<i64> {
    let value = |field: &str| {
        let column = row.iter().find(|(name, value)| name == field && !value.is_null());
        column.map(|(_, value)| value.clone()).or_else(|| event.and_then(|event| event.field(field)))
    };
    fields.iter().find_map(|field| milliseconds_of(&value(field)?))
}

/// A value as a term: a list is sorted as JavaScript sorts, an empty one is no value.
pub fn term_value(value: Value) -> Value {
    match value {
        Value::Array(values) if values.is_empty() => Value::Null,
        Value::Array(mut values) => {
            let unit = |value: &Value| text_of(value).encode_utf16().collect::<Vec<u16>>();
            values.sort_by_cached_key(unit);
            Value::Array(values)
        }
        other => other,
    }
}

/// The id of an event's alert: of a KQL rule it has what was folded into it when it was made.
pub(super) fn event_id(rule: &RuleDocument, event: &SourceEvent<'_>, context: &AlertContext<'_>) -> String {
    let is_query = matches!(rule.params, RuleParams::Query { .. } | RuleParams::SavedQuery { .. });
    match context.suppression.filter(|_| is_query) {
        Some(suppression) => {
            let terms: Vec<_> = hashed(&suppression.terms).collect();
            let span = (iso(suppression.start_ms), iso(suppression.made_end_ms));
            ids::suppressed_event_alert_id(&event.index, &event.id, context.space, &rule.uuid, &terms, span)
        }
        None => ids::event_alert_id(&event.index, &event.id, context.space, &rule.uuid),
    }
}

/// Puts down what was folded into an alert.
pub(super) fn put(out: &mut Members, context: &AlertContext<'_>) {
    let Some(suppression) = context.suppression else { return };
    let term = |(field, value): &Term| json!({"field": field, "value": value});
    let terms: Vec<Value> = suppression.terms.iter().map(term).collect();
    out.put_text("kibana.alert.instance.id", &suppression.instance_id);
    out.put("kibana.alert.suppression.terms", terms);
    out.put_text("kibana.alert.suppression.start", &iso(suppression.start_ms));
    out.put_text("kibana.alert.suppression.end", &iso(suppression.end_ms));
    out.put("kibana.alert.suppression.docs_count", suppression.docs_count);
}

fn hashed(terms: &[Term]) -> impl Iterator<Item = (&str, HashValue)> {
    terms.iter().map(|(field, value)| (field.as_str(), HashValue::from(value)))
}

fn text_of(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::needless_pass_by_value, reason = "`json!` values as arguments make tables readable")]

    use std::sync::Arc;

    use maxspan_diagnostics::Source;

    use super::super::{AlertingRule, FieldKinds, event_alert, sequence_alerts};
    use super::*;

    const RULE: &str = "11111111-2222-3333-4444-555555555555";

    fn rule(rule_type: &str, more: Value) -> RuleDocument {
        let mut rule = json!({"rule_id": RULE, "name": "N", "description": "D", "severity": "low",
            "risk_score": 1, "type": rule_type, "query": "x: 1", "index": ["logs-*"]});
        rule.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let text = rule.to_string();
        let mut file = crate::parse_json(&Arc::new(Source::new("rule.json", text)));
        assert_eq!(file.rules.len(), 1, "{:?}", file.diagnostics);
        file.rules.remove(0)
    }

    fn event(source: &Value) -> SourceEvent<'static> {
        let source = Document::read(source.to_string().as_bytes()).into_owned();
        SourceEvent { index: "logs-1".into(), id: "e1".into(), source: Some(source) }
    }

    fn terms(terms: &[(&str, Value)]) -> Vec<Term> {
        terms.iter().map(|(field, value)| ((*field).to_owned(), value.clone())).collect()
    }

    /// The vectors of the specification.
    #[test]
    fn instances_have_the_ids_of_the_specification() {
        let check = |rule: &RuleDocument, found: &[(&str, Value)], expected: &str| {
            assert_eq!(instance_id(rule, &terms(found), "default"), expected, "{found:?}");
        };
        let eql = rule("eql", json!({"language": "eql", "query": "any where true"}));
        let host = ("host.name", json!(["host-1"]));
        check(&eql, std::slice::from_ref(&host), "a955a928b407e2ee5580d3019a06a8f299d40c6f");
        check(&eql, &[host, ("user.name", json!(null))], "edad3fa2de482f036d6df61d29290fb55dd80a95");
        let threshold = rule("threshold", json!({"threshold": {"field": ["host.name"], "value": 1}}));
        check(&threshold, &[("host.name", json!("host-1"))], "16154437e2962687941b799c82565ea4ea6c1d0a");
    }

    #[test]
    fn values_are_those_that_all_events_have() {
        let eql = rule("eql", json!({"language": "eql", "query": "any where true"}));
        let check = |events: &[Value], expected: Value| {
            let events: Vec<_> = events.iter().map(event).collect();
            let found = event_terms(&eql, &events, &["host.name".to_owned()]);
            assert_eq!(found, [("host.name".to_owned(), expected)]);
        };
        check(&[json!({"host": {"name": "a"}}), json!({"host.name": "a"})], json!("a"));
        check(&[json!({"host": {"name": "a"}}), json!({"host": {"name": "b"}})], json!(null));
        check(&[json!({"host": {"name": "a"}}), json!({})], json!(null));
        check(
            &[json!({"host": {"name": ["c", "a", "b"]}}), json!({"host": {"name": ["a", "c"]}})],
            json!(["a", "c"]),
        );
        check(&[json!({"host": {"name": ["a"]}}), json!({"host": {"name": ["b"]}})], json!(null));
        check(&[json!({"host": {"name": [10, 9]}})], json!([10, 9]));
    }

    #[test]
    fn the_alert_says_what_was_folded_into_it() {
        let check = |rule: &RuleDocument, id: &str| {
            let kinds = FieldKinds::new([]);
            let suppression = Suppression {
                terms: terms(&[("host.name", json!("a"))]),
                instance_id: "i".to_owned(),
                start_ms: 0,
                end_ms: 2_000,
                made_end_ms: 1_000,
                docs_count: 3,
            };
            let mut context = AlertContext::new("2026-01-01T00:00:00.000Z", "x", &kinds);
            context.suppression = Some(&suppression);
            let event = event(&json!({"host": {"name": "a"}}));
            let alert = event_alert(&AlertingRule::new(rule), &event, &context).unwrap();
            let get = |name: &str| alert.document.get(name).cloned().unwrap_or_default();
            assert_eq!(get("kibana.alert.suppression.terms"), json!([{"field": "host.name", "value": "a"}]));
            assert_eq!(get("kibana.alert.suppression.start"), json!("1970-01-01T00:00:00.000Z"));
            assert_eq!(get("kibana.alert.suppression.end"), json!("1970-01-01T00:00:02.000Z"));
            assert_eq!(get("kibana.alert.suppression.docs_count"), json!(3));
            assert_eq!(get("kibana.alert.instance.id"), json!("i"));
            assert_eq!((alert.id.as_str(), get("kibana.alert.uuid")), (id, json!(id)));
            let found = sequence_alerts(&AlertingRule::new(rule), &[event], &context).unwrap();
            assert!(found.blocks[0].document.get("kibana.alert.instance.id").is_none());
            assert_eq!(found.shell.document.get("kibana.alert.instance.id"), Some(&json!("i")));
        };
        let eql = rule("eql", json!({"language": "eql", "query": "any where true"}));
        check(&eql, &ids::event_alert_id("logs-1", "e1", "default", RULE));
        let terms = HashValue::Object(vec![
            ("field".to_owned(), "host.name".into()),
            ("value".to_owned(), "a".into()),
        ]);
        let parts = vec![
            "logs-1".into(),
            "e1".into(),
            "undefined".into(),
            HashValue::String(format!("default:{RULE}")),
            HashValue::Array(vec![terms]),
            HashValue::Date("1970-01-01T00:00:00.000Z".to_owned()),
            HashValue::Date("1970-01-01T00:00:01.000Z".to_owned()),
        ];
        check(&rule("query", json!({})), &ids::object_hash(&HashValue::Array(parts)));
    }

    #[test]
    fn rows_have_their_columns_before_the_fields_of_their_event() {
        let row = [
            ("a".to_owned(), json!(["y", "x"])),
            ("b".to_owned(), json!(null)),
            ("t".to_owned(), json!("no")),
        ];
        let event = event(&json!({"a": 1, "b": 2, "@timestamp": "1970-01-01T00:00:01Z"}));
        let fields = ["a", "b", "c"].map(str::to_owned);
        let values =
            |event| row_terms(&row, event, &fields).into_iter().map(|(_, value)| value).collect::<Vec<_>>();
        assert_eq!(values(Some(&event)), [json!(["x", "y"]), json!(2), json!(null)]);
        assert_eq!(values(None), [json!(["x", "y"]), json!(null), json!(null)]);
        assert_eq!(row_time(&row, Some(&event), &["t", "@timestamp"]), Some(1_000));
        assert_eq!(row_time(&row, None, &["t", "@timestamp"]), None);
    }
}
