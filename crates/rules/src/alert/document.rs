//! The fields that every alert has (specification 3.2, 3.3).

use std::sync::Arc;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value, json};

use super::AlertContext;
use super::ancestors::Ancestor;
use super::overrides::Overrides;
use super::rule_fields::RuleFields;
use super::source::{get, get_in};
use super::time::{iso, milliseconds_of};
use super::traverse::fit_for_alert;
use crate::document::RuleDocument;

/// An alert's document: fields of its own, and those that all alerts of its rule share.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertDocument {
    own: Map<String, Value>,
    rule: Arc<RuleFields>,
}

impl AlertDocument {
    pub(crate) fn new(own: Map<String, Value>, rule: Arc<RuleFields>) -> Self {
        Self { own, rule }
    }

    /// Its own fields: those of the event, and what differs from alert to alert of the rule.
    pub fn own(&self) -> &Map<String, Value> {
        &self.own
    }

    /// A member by its name, which may have dots.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.own.get(name).or_else(|| self.rule.values().get(name))
    }

    /// The value of a field, whether it is written nested, dotted, or mixed.
    pub fn find(&self, field: &str) -> Option<&Value> {
        get_in(&self.own, field).or_else(|| get_in(self.rule.values(), field))
    }

    /// The whole document as JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl Serialize for AlertDocument {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in &self.own {
            map.serialize_entry(name, value)?;
        }
        for (name, json) in self.rule.json() {
            map.serialize_entry(name, json)?;
        }
        map.end()
    }
}

/// What differs from alert to alert of a rule.
pub(crate) struct AlertParts<'a> {
    pub(crate) id: &'a str,
    pub(crate) ancestors: &'a [Ancestor],
    /// One above the deepest direct parent.
    pub(crate) depth: u64,
    pub(crate) overrides: &'a Overrides,
    pub(crate) reason: String,
    /// `kibana.alert.original_time`; see [`original_time`].
    pub(crate) original_time: Option<Value>,
}

/// An event's source, made fit for an alert.
pub(crate) fn alert_source(source: Value, context: &AlertContext<'_>) -> Map<String, Value> {
    match source {
        Value::Object(source) => fit_for_alert(source, context.field_kind),
        _ => Map::new(),
    }
}

/// Lays an alert's own fields over a source.
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
    put("kibana.alert.rule.name", json!(parts.overrides.name));
    if let Some(time) = &parts.original_time {
        put("kibana.alert.original_time", time.clone());
    }
}

/// `kibana.alert.original_time`: the event's `@timestamp`, never the rule's override; left out where it is no date.
pub(crate) fn original_time(source: &Value) -> Option<Value> {
    get(source, "@timestamp").and_then(milliseconds_of).map(|time| Value::String(iso(time)))
}
