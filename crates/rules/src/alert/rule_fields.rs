//! `kibana.alert.rule.*`: what an alert says about its rule (specification 3.3).
//!
//! With the rule's query and guides this is most of an alert's text, and the same for all alerts of a rule; so it is
//! made, and written as JSON, once.

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::members::Members;
use super::source::flattened;
use crate::api_json::parameters_json;
use crate::document::RuleDocument;

/// Consumer and producer of all detection rules.
const SIEM: &str = "siem";

/// A rule, and what all its alerts say about it.
#[derive(Debug, Clone)]
pub struct AlertingRule<'a> {
    /// The rule.
    pub document: &'a RuleDocument,
    /// What its alerts say about it.
    pub fields: Arc<RuleFields>,
}

impl<'a> AlertingRule<'a> {
    /// Puts together what the rule's alerts say about it.
    pub fn new(document: &'a RuleDocument) -> Self {
        Self { document, fields: Arc::new(RuleFields::new(document)) }
    }
}

/// What all alerts of a rule say about it: `kibana.alert.rule.*`, but for the name, which events can override.
#[derive(Debug)]
pub struct RuleFields {
    values: Map<String, Value>,
    /// The same, as the members of a JSON object.
    json: Members,
}

impl RuleFields {
    fn new(rule: &RuleDocument) -> Self {
        let values = values(rule);
        let json = Members::of(&values);
        Self { values, json }
    }

    /// The fields by their dotted names.
    pub fn values(&self) -> &Map<String, Value> {
        &self.values
    }

    /// The members of the JSON object.
    pub(crate) fn json(&self) -> &str {
        self.json.as_str()
    }
}

impl PartialEq for RuleFields {
    fn eq(&self, other: &Self) -> bool {
        self.values == other.values
    }
}

/// The rule's fields; what the rule does not have is left out.
fn values(rule: &RuleDocument) -> Map<String, Value> {
    let mut out = Fields::default();
    put_identity(&mut out, rule);
    put_content(&mut out, rule);
    put_behaviour(&mut out, rule);
    out.put("parameters", parameters_json(rule));
    if let Some(meta) = &rule.meta {
        let mut members = Vec::new();
        for (key, value) in meta {
            flattened(&format!("meta.{key}"), value, &mut members);
        }
        for (name, value) in members {
            out.put(&name, value);
        }
    }
    out.0
}

fn put_identity(out: &mut Fields, rule: &RuleDocument) {
    out.put("uuid", &rule.uuid);
    out.put("rule_id", &rule.rule_id);
    out.put("type", rule.rule_type().name());
    out.put("category", rule.rule_type().category());
    out.put("rule_type_id", rule.rule_type().rule_type_id());
    out.put("consumer", SIEM);
    out.put("producer", SIEM);
    out.put("version", rule.version);
    out.put("revision", rule.revision);
    out.put("immutable", rule.immutable);
    out.put_some("created_at", rule.created_at.as_ref());
    out.put_some("created_by", rule.created_by.as_ref());
    out.put_some("updated_at", rule.updated_at.as_ref());
    out.put_some("updated_by", rule.updated_by.as_ref());
}

fn put_content(out: &mut Fields, rule: &RuleDocument) {
    out.put("description", &rule.description);
    out.put("author", &rule.author);
    out.put("tags", &rule.tags);
    out.put("threat", &rule.threat);
    out.put("references", &rule.references);
    out.put("false_positives", &rule.false_positives);
    out.put_some("license", rule.license.as_ref());
    out.put_some("note", rule.note.as_ref());
    out.put_some("timeline_id", rule.timeline_id.as_ref());
    out.put_some("timeline_title", rule.timeline_title.as_ref());
}

fn put_behaviour(out: &mut Fields, rule: &RuleDocument) {
    let patterns = rule.index_patterns();
    if !patterns.is_empty() {
        out.put("indices", patterns);
    }
    out.put("enabled", rule.enabled);
    out.put("interval", &rule.schedule.interval);
    out.put("from", &rule.schedule.from.text);
    out.put("to", &rule.schedule.to.text);
    out.put("max_signals", rule.max_signals);
    // The rule's own; the alert's are beside the rule's fields, after overrides.
    out.put("severity", rule.severity);
    out.put("risk_score", rule.risk_score);
    out.put("severity_mapping", &rule.severity_mapping);
    out.put("risk_score_mapping", &rule.risk_score_mapping);
    out.put_some("building_block_type", rule.building_block_type.as_ref());
    out.put_some("rule_name_override", rule.rule_name_override.as_ref());
    out.put_some("timestamp_override", rule.timestamp_override.as_ref());
    out.put("exceptions_list", &rule.exceptions_list);
    out.put("actions", &rule.actions);
    out.put_some("throttle", rule.throttle.as_ref());
    out.put_some("namespace", rule.namespace.as_ref());
}

/// Puts fields together.
#[derive(Default)]
struct Fields(Map<String, Value>);

impl Fields {
    fn put(&mut self, name: &str, value: impl Serialize) {
        self.0.insert(format!("kibana.alert.rule.{name}"), json!(value));
    }

    fn put_some(&mut self, name: &str, value: Option<impl Serialize>) {
        if let Some(value) = value {
            self.put(name, value);
        }
    }
}
