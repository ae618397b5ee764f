//! The fields that every alert has (specification 3.2, 3.3).

use serde_json::{Map, Value, json};

use super::ancestors::Ancestor;
use super::overrides::Overrides;
use super::rule_fields::put_rule_fields;
use super::source::get;
use super::time::{iso, milliseconds_of};
use super::traverse::fit_for_alert;
use super::{AlertContext, SourceEvent};
use crate::document::RuleDocument;

/// What differs from alert to alert of a rule.
pub(crate) struct AlertParts<'a> {
    pub(crate) id: &'a str,
    pub(crate) ancestors: &'a [Ancestor],
    /// One above the deepest direct parent.
    pub(crate) depth: u64,
    pub(crate) overrides: &'a Overrides,
    pub(crate) reason: String,
}

/// The event's source, made fit for an alert.
pub(crate) fn alert_source(event: &SourceEvent, context: &AlertContext<'_>) -> Map<String, Value> {
    event.source.as_object().map(|source| fit_for_alert(source, context.field_kind)).unwrap_or_default()
}

/// Lays an alert's fields over a source.
pub(crate) fn put_alert_fields(
    document: &mut Map<String, Value>,
    rule: &RuleDocument,
    context: &AlertContext<'_>,
    parts: &AlertParts<'_>,
) {
    let mut put = |name: &str, value: Value| document.insert(name.to_owned(), value);
    let ancestors: Vec<_> = parts.ancestors.iter().map(Ancestor::to_json).collect();
    put("@timestamp", json!(context.now));
    put("event.kind", json!("signal"));
    put("kibana.space_ids", json!([context.space]));
    put("kibana.version", json!(context.version));
    put("kibana.alert.uuid", json!(parts.id));
    put("kibana.alert.ancestors", Value::Array(ancestors));
    put("kibana.alert.depth", json!(parts.depth));
    put("kibana.alert.status", json!("active"));
    put("kibana.alert.workflow_status", json!("open"));
    put("kibana.alert.workflow_tags", json!([]));
    put("kibana.alert.workflow_assignee_ids", json!([]));
    put("kibana.alert.reason", json!(parts.reason));
    put("kibana.alert.severity", json!(parts.overrides.severity));
    put("kibana.alert.risk_score", json!(parts.overrides.risk_score));
    put("kibana.alert.start", json!(context.now));
    put("kibana.alert.last_detected", json!(context.now));
    put("kibana.alert.intended_timestamp", json!(context.intended_timestamp.unwrap_or(context.now)));
    put("kibana.alert.rule.execution.timestamp", json!(context.now));
    put("kibana.alert.rule.execution.uuid", json!(context.execution_uuid));
    put("kibana.alert.rule.execution.type", json!(context.execution_type.name()));
    if let Some(building_block_type) = &rule.building_block_type {
        put("kibana.alert.building_block_type", json!(building_block_type));
    }
    put_rule_fields(document, rule, parts.overrides);
}

/// `kibana.alert.original_time`: the event's `@timestamp`, never the rule's override; left out where it is no date.
pub(crate) fn put_original_time(document: &mut Map<String, Value>, source: &Value) {
    if let Some(time) = get(source, "@timestamp").and_then(milliseconds_of).map(iso) {
        document.insert("kibana.alert.original_time".to_owned(), Value::String(time));
    }
}
