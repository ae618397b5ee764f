//! From a [`RuleDocument`] back to the JSON of Kibana's API (specification 1.2).
//!
//! What has a default is always written, what is optional only when it is there; reading the result gives the same
//! document again, but for its origin.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::document::{RuleDocument, RuleParams};

/// Fields of a rule that are not parameters of its type but belong to the installed rule; Kibana keeps them apart.
const NOT_PARAMETERS: [&str; 11] = [
    "id",
    "name",
    "tags",
    "enabled",
    "interval",
    "actions",
    "revision",
    "created_at",
    "created_by",
    "updated_at",
    "updated_by",
];

/// The rule as Kibana's API gives it.
pub fn to_api_json(rule: &RuleDocument) -> Value {
    Value::Object(api_fields(rule))
}

/// The rule's parameters, as alerts carry them in `kibana.alert.rule.parameters` (specification 3.3).
pub fn parameters_json(rule: &RuleDocument) -> Value {
    let mut fields = api_fields(rule);
    fields.retain(|name, _| !NOT_PARAMETERS.contains(&name.as_str()) && name != "throttle");
    Value::Object(fields)
}

fn api_fields(rule: &RuleDocument) -> Map<String, Value> {
    let mut out = Fields(Map::new());
    out.put("id", &rule.uuid);
    out.put("rule_id", &rule.rule_id);
    out.put("name", &rule.name);
    out.put("description", &rule.description);
    out.put("type", rule.rule_type().name());
    put_query(&mut out, rule);
    put_params(&mut out, &rule.params);
    out.put("severity", rule.severity);
    out.put("risk_score", rule.risk_score);
    put_overrides(&mut out, rule);
    out.put("interval", &rule.schedule.interval);
    out.put("from", &rule.schedule.from.text);
    out.put("to", &rule.schedule.to.text);
    out.put("max_signals", rule.max_signals);
    out.put("enabled", rule.enabled);
    put_texts(&mut out, rule);
    out.put("exceptions_list", &rule.exceptions_list);
    out.put("threat", &rule.threat);
    out.put("actions", &rule.actions);
    if !rule.response_actions.is_empty() {
        out.put("response_actions", &rule.response_actions);
    }
    out.put("related_integrations", &rule.related_integrations);
    out.put("required_fields", &rule.required_fields);
    put_installation(&mut out, rule);
    out.0
}

fn put_query(out: &mut Fields, rule: &RuleDocument) {
    if let Some(language) = rule.language {
        out.put("language", language);
        out.put("query", &rule.query);
    }
    if !rule.index.is_empty() {
        out.put("index", &rule.index);
    }
    out.put_some("data_view_id", rule.data_view_id.as_ref());
    if !rule.filters.is_empty() {
        out.put("filters", &rule.filters);
    }
    out.put_some("alert_suppression", rule.alert_suppression.as_ref());
}

fn put_params(out: &mut Fields, params: &RuleParams) {
    match params {
        RuleParams::Query { saved_id } => out.put_some("saved_id", saved_id.as_ref()),
        RuleParams::SavedQuery { saved_id } => out.put("saved_id", saved_id),
        RuleParams::Eql { event_category_override, tiebreaker_field, timestamp_field } => {
            out.put_some("event_category_override", event_category_override.as_ref());
            out.put_some("tiebreaker_field", tiebreaker_field.as_ref());
            out.put_some("timestamp_field", timestamp_field.as_ref());
        }
        RuleParams::Esql => {}
        RuleParams::Threshold(params) => {
            out.put("threshold", &params.threshold);
            out.put_some("saved_id", params.saved_id.as_ref());
        }
        RuleParams::NewTerms(params) => {
            out.put("new_terms_fields", &params.fields);
            out.put("history_window_start", &params.history_window_start.text);
        }
        RuleParams::ThreatMatch(params) => {
            out.put("threat_index", &params.threat_index);
            out.put("threat_mapping", &params.threat_mapping);
            out.put("threat_query", &params.threat_query);
            out.put("threat_language", params.threat_language);
            out.put("threat_filters", &params.threat_filters);
            out.put("threat_indicator_path", &params.threat_indicator_path);
            out.put_some("concurrent_searches", params.concurrent_searches);
            out.put_some("items_per_search", params.items_per_search);
            out.put_some("saved_id", params.saved_id.as_ref());
        }
        RuleParams::MachineLearning(params) => {
            out.put("anomaly_threshold", params.anomaly_threshold);
            out.put("machine_learning_job_id", &params.machine_learning_job_id);
        }
    }
}

fn put_overrides(out: &mut Fields, rule: &RuleDocument) {
    out.put("severity_mapping", &rule.severity_mapping);
    out.put("risk_score_mapping", &rule.risk_score_mapping);
    out.put_some("rule_name_override", rule.rule_name_override.as_ref());
    out.put_some("timestamp_override", rule.timestamp_override.as_ref());
    if rule.timestamp_override_fallback_disabled {
        out.put("timestamp_override_fallback_disabled", true);
    }
    out.put_some("building_block_type", rule.building_block_type.as_ref());
    out.put_some("investigation_fields", rule.investigation_fields.as_ref());
}

fn put_texts(out: &mut Fields, rule: &RuleDocument) {
    out.put("tags", &rule.tags);
    out.put("author", &rule.author);
    out.put_some("license", rule.license.as_ref());
    out.put("references", &rule.references);
    out.put("false_positives", &rule.false_positives);
    out.put_some("note", rule.note.as_ref());
    out.put("setup", &rule.setup);
    out.put_some("timeline_id", rule.timeline_id.as_ref());
    out.put_some("timeline_title", rule.timeline_title.as_ref());
}

fn put_installation(out: &mut Fields, rule: &RuleDocument) {
    out.put("version", rule.version);
    out.put("revision", rule.revision);
    out.put_some("meta", rule.meta.as_ref());
    out.put_some("throttle", rule.throttle.as_ref());
    out.put_some("namespace", rule.namespace.as_ref());
    out.put("immutable", rule.immutable);
    out.put_some("rule_source", rule.rule_source.as_ref());
    out.put_some("created_at", rule.created_at.as_ref());
    out.put_some("created_by", rule.created_by.as_ref());
    out.put_some("updated_at", rule.updated_at.as_ref());
    out.put_some("updated_by", rule.updated_by.as_ref());
}

/// The fields of the JSON object in the making.
struct Fields(Map<String, Value>);

impl Fields {
    fn put(&mut self, name: &str, value: impl Serialize) {
        self.0.insert(name.to_owned(), json!(value));
    }

    fn put_some(&mut self, name: &str, value: Option<impl Serialize>) {
        if let Some(value) = value {
            self.put(name, value);
        }
    }
}
