//! The fields that every alert has (specification 3.2, 3.3).

use std::sync::{Arc, OnceLock};

use maxspan_event::Document;
use serde_json::{Map, Value};

use super::AlertContext;
use super::ancestors::Ancestor;
use super::members::Members;
use super::overrides::Overrides;
use super::rule_fields::RuleFields;
use super::source::get_in;
use super::time::{iso, milliseconds_of};
use super::traverse::put_fit_for_alert;

/// What makes an alert a building block.
pub(crate) const BUILDING_BLOCK_TYPE: &str = "kibana.alert.building_block_type";

/// An alert's document: fields of its own, and those that all alerts of its rule share.
///
/// It is text, for most alerts are written and not looked at; the first look parses its own fields.
#[derive(Debug, Clone)]
pub struct AlertDocument {
    own: Members,
    parsed: OnceLock<Map<String, Value>>,
    rule: Arc<RuleFields>,
}

impl AlertDocument {
    pub(crate) fn new(own: Members, rule: Arc<RuleFields>) -> Self {
        Self { own, parsed: OnceLock::new(), rule }
    }

    /// Its own fields: those of the event, and what differs from alert to alert of the rule.
    pub fn own(&self) -> &Map<String, Value> {
        self.parsed.get_or_init(|| self.own.parsed())
    }

    /// A member by its name, which may have dots.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.own().get(name).or_else(|| self.rule.values().get(name))
    }

    /// The value of a field, whether it is written nested, dotted, or mixed.
    pub fn find(&self, field: &str) -> Option<&Value> {
        get_in(self.own(), field).or_else(|| get_in(self.rule.values(), field))
    }

    /// The parts of the whole document as JSON, one behind the other.
    pub fn json_parts(&self) -> [&str; 5] {
        ["{", self.own.as_str(), ",", self.rule.json(), "}"]
    }

    /// The whole document as JSON.
    pub fn to_json(&self) -> String {
        self.json_parts().concat()
    }
}

impl PartialEq for AlertDocument {
    fn eq(&self, other: &Self) -> bool {
        (self.own(), &self.rule) == (other.own(), &other.rule)
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
    pub(crate) original_time: Option<String>,
    pub(crate) building_block_type: Option<&'a str>,
}

/// An event's source, made fit for an alert, with an alert's own fields over it.
pub(crate) fn alert_members(
    source: &Document<'_>,
    context: &AlertContext<'_>,
    parts: &AlertParts<'_>,
) -> Members {
    /// Most alerts' own fields take less beside those of the event.
    const OWN_BYTES: usize = 2048;
    let mut out = Members::with_capacity(source.text_len() + OWN_BYTES);
    put_timestamp(&mut out, context);
    put_fit_for_alert(&mut out, source, context.field_kinds);
    put_alert_fields(&mut out, context, parts);
    out
}

/// What alerts have in place of an event's `@timestamp`.
pub(crate) fn put_timestamp(out: &mut Members, context: &AlertContext<'_>) {
    out.put_text("@timestamp", context.now);
}

/// Puts down an alert's own fields, but for the time.
pub(crate) fn put_alert_fields(out: &mut Members, context: &AlertContext<'_>, parts: &AlertParts<'_>) {
    let ancestors: Vec<_> = parts.ancestors.iter().map(Ancestor::to_json).collect();
    out.put_text("event.kind", "signal");
    out.put("kibana.space_ids", [context.space]);
    out.put_text("kibana.version", context.version);
    out.put_text("kibana.alert.uuid", parts.id);
    out.put("kibana.alert.ancestors", ancestors);
    out.put("kibana.alert.depth", parts.depth);
    out.put_text("kibana.alert.status", "active");
    out.put_text("kibana.alert.workflow_status", "open");
    out.put_json("kibana.alert.workflow_tags", "[]");
    out.put_json("kibana.alert.workflow_assignee_ids", "[]");
    out.put_text("kibana.alert.reason", &parts.reason);
    out.put("kibana.alert.severity", parts.overrides.severity);
    out.put("kibana.alert.risk_score", &parts.overrides.risk_score);
    out.put_text("kibana.alert.start", context.now);
    out.put_text("kibana.alert.last_detected", context.now);
    out.put_text("kibana.alert.intended_timestamp", context.intended_timestamp.unwrap_or(context.now));
    out.put_text("kibana.alert.rule.execution.timestamp", context.now);
    out.put_text("kibana.alert.rule.execution.uuid", context.execution_uuid);
    out.put_text("kibana.alert.rule.execution.type", context.execution_type.name());
    if let Some(building_block_type) = parts.building_block_type {
        out.put_text(BUILDING_BLOCK_TYPE, building_block_type);
    }
    out.put_text("kibana.alert.rule.name", &parts.overrides.name);
    if let Some(time) = &parts.original_time {
        out.put_text("kibana.alert.original_time", time);
    }
}

/// `kibana.alert.original_time`: the event's `@timestamp`, never the rule's override; left out where it is no date.
pub(crate) fn original_time(source: &Document<'_>) -> Option<String> {
    source.get("@timestamp").and_then(|time| milliseconds_of(&time.to_value())).map(iso)
}
