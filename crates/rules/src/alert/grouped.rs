//! Alerts of threshold and new-terms rules (specification 5.1, 5.2).

use maxspan_event::Document;
use serde_json::{Map, Value, json};

use super::ids::{self, HashValue};
use super::rule_fields::AlertingRule;
use super::time::iso;
use super::{Alert, AlertContext, SourceEvent, alert_of};
use crate::document::RuleParams;

/// A group of events that passed a threshold. Times are milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ThresholdGroup<'a> {
    /// Fields and their values, in the order of the rule.
    pub terms: &'a [(String, Value)],
    /// The run that found it.
    pub run_ms: i64,
    /// The time of the first event.
    pub first_ms: i64,
    /// The time of the last event.
    pub last_ms: i64,
    /// How many events.
    pub events: u64,
    /// How many different values, where the rule asks for them.
    pub values: Option<u64>,
}

/// The alert of a group. It stands for an event of its own that has the fields of the group alone; the time of the run is
/// part of its id.
pub fn threshold_alert(
    rule: &AlertingRule<'_>,
    group: &ThresholdGroup<'_>,
    context: &AlertContext<'_>,
) -> Option<Alert> {
    let document = rule.document;
    let mut source = Map::new();
    source.insert("@timestamp".to_owned(), json!(iso(group.last_ms)));
    source.extend(group.terms.iter().cloned());
    let source = Value::Object(source).to_string();
    let fields: Vec<&str> = group.terms.iter().map(|(field, _)| field.as_str()).collect();
    let texts: Vec<String> = group.terms.iter().map(|(_, value)| text_of(value)).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let event = SourceEvent {
        index: ids::threshold_event_index(&document.index_patterns()).into(),
        id: ids::threshold_event_id(&document.rule_id, &iso(group.run_ms), &fields, &texts),
        source: Some(Document::read(source.as_bytes())),
    };
    let id_of = match context.suppression {
        Some(_) => ids::suppressed_threshold_alert_id,
        None => ids::event_alert_id,
    };
    let id = id_of(&event.index, &event.id, context.space, &document.uuid);
    let result = threshold_result(rule, group);
    alert_of(rule, &event, id, context, |own| own.put("kibana.alert.threshold_result", result))
}

fn threshold_result(rule: &AlertingRule<'_>, group: &ThresholdGroup<'_>) -> Value {
    let term = |(field, value): &(String, Value)| json!({"field": field, "value": value});
    let terms: Vec<Value> = group.terms.iter().map(term).collect();
    let mut result = json!({"terms": terms, "count": group.events, "from": iso(group.first_ms)});
    if let (RuleParams::Threshold(params), Some(values)) = (&rule.document.params, group.values)
        && let Some(cardinality) = params.threshold.cardinality.first()
    {
        result["cardinality"] = json!([{"field": cardinality.field, "value": values}]);
    }
    result
}

/// The alert of an event with new terms, in the order of the rule's fields; none by the recursion guard.
pub fn new_terms_alert(
    rule: &AlertingRule<'_>,
    event: &SourceEvent<'_>,
    terms: &[Value],
    context: &AlertContext<'_>,
) -> Option<Alert> {
    let values = terms.iter().map(HashValue::from).collect();
    let id = ids::new_terms_alert_id(&event.index, &event.id, context.space, &rule.document.uuid, values);
    alert_of(rule, event, id, context, |own| own.put("kibana.alert.new_terms", terms))
}

/// A value as ids have it.
fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
