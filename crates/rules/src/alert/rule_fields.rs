//! `kibana.alert.rule.*`: what an alert says about its rule (specification 3.3).

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::overrides::Overrides;
use super::source::flattened;
use crate::api_json::parameters_json;
use crate::document::RuleDocument;

/// Consumer and producer of all detection rules.
const SIEM: &str = "siem";

/// Adds the rule's fields to an alert; what the rule does not have is left out.
pub(crate) fn put_rule_fields(document: &mut Map<String, Value>, rule: &RuleDocument, overrides: &Overrides) {
    let mut out = RuleFields(document);
    put_identity(&mut out, rule, overrides);
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
}

fn put_identity(out: &mut RuleFields<'_>, rule: &RuleDocument, overrides: &Overrides) {
    out.put("uuid", &rule.uuid);
    out.put("rule_id", &rule.rule_id);
    out.put("name", &overrides.name);
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

fn put_content(out: &mut RuleFields<'_>, rule: &RuleDocument) {
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

fn put_behaviour(out: &mut RuleFields<'_>, rule: &RuleDocument) {
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

struct RuleFields<'a>(&'a mut Map<String, Value>);

impl RuleFields<'_> {
    fn put(&mut self, name: &str, value: impl Serialize) {
        self.0.insert(format!("kibana.alert.rule.{name}"), json!(value));
    }

    fn put_some(&mut self, name: &str, value: Option<impl Serialize>) {
        if let Some(value) = value {
            self.put(name, value);
        }
    }
}
