//! From a rule and the events of a detection to Kibana's alert documents (specification 3, 7).
//!
//! Pure functions: the time, the execution's id and the fields' types are handed in ([`AlertContext`]), so that the
//! same events give the same alerts. An alert is a full copy of the event, with flat keys `kibana.alert.…` over it.
//!
//! Step 1 of specification 3.2 (copying values that only Elasticsearch's mapping knows into the source) has no
//! counterpart here: there is no mapping that adds values.
//!
//! ```
//! use maxspan_event::Document;
//! use maxspan_rules::alert::{AlertContext, AlertingRule, FieldKind, FieldKinds, SourceEvent, event_alert};
//! # use std::sync::Arc;
//! # let text = r#"{"rule_id":"r","name":"N","description":"D","severity":"low","risk_score":1,"type":"query"}"#;
//! # let file = maxspan_rules::parse_json(&Arc::new(maxspan_diagnostics::Source::new("rule.json", text)));
//! # let rule = &file.rules[0];
//! let event = SourceEvent {
//!     index: "logs-1".into(),
//!     id: "e1".into(),
//!     source: Some(Document::read(br#"{"host": {"name": "h1"}}"#)),
//! };
//! let kinds = FieldKinds::new([("host.name", FieldKind::Text)]);
//! let context = AlertContext::new("2024-01-01T00:00:00.000Z", "execution-1", &kinds);
//! let alert = event_alert(&AlertingRule::new(rule), &event, &context).unwrap();
//! assert_eq!(alert.document.get("kibana.alert.reason").unwrap(), "event on h1 created low alert N.");
//! ```

mod ancestors;
mod anomalies;
mod document;
mod esql;
mod field_kinds;
mod grouped;
pub mod ids;
mod indicators;
mod intersection;
mod members;
mod overrides;
mod reason;
mod rule_fields;
mod sequence;
pub mod source;
pub mod suppression;
pub mod time;
mod traverse;

use std::sync::Arc;

pub use document::AlertDocument;
pub use esql::{ResultRow, esql_alert, esql_event_id, esql_row_id};
pub use field_kinds::{FieldKind, FieldKinds};
pub use grouped::{ThresholdGroup, new_terms_alert, threshold_alert};
pub use indicators::{MatchedIndicator, indicator_alert};
use maxspan_event::{Document, Part};
use members::Members;
pub use rule_fields::{AlertingRule, RuleFields};
pub use sequence::{SequenceAlerts, sequence_alerts};
use serde_json::Value;
pub use suppression::Suppression;

use crate::document::{RuleDocument, RuleParams};

/// An event that a rule matched.
#[derive(Debug, Clone)]
pub struct SourceEvent<'a> {
    /// `_index`; may be empty.
    pub index: Arc<str>,
    /// `_id`, stable for the event; may be empty.
    pub id: String,
    /// The document; none says that the event is missing.
    pub source: Option<Document<'a>>,
}

impl SourceEvent<'_> {
    /// The stand-in for an event that a sequence says must be missing (`![…]`).
    pub fn missing() -> Self {
        Self { index: "".into(), id: String::new(), source: None }
    }

    /// Whether this stands for a missing event.
    pub fn is_missing(&self) -> bool {
        self.source.is_none()
    }

    /// The value of a field, however it is written.
    pub(crate) fn field(&self, field: &str) -> Option<Value> {
        self.source.as_ref()?.get(field).map(Part::to_value)
    }
}

/// An alert document and its id.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    /// `_id`, equal to `kibana.alert.uuid`.
    pub id: String,
    /// The document.
    pub document: AlertDocument,
}

/// How a run came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ExecutionType {
    /// By the rule's schedule.
    #[default]
    Scheduled,
    /// By hand, over a span of the past.
    Manual,
}

impl ExecutionType {
    /// `kibana.alert.rule.execution.type`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Manual => "manual",
        }
    }
}

/// What an alert needs to know beside rule and events.
#[derive(Clone, Copy)]
pub struct AlertContext<'a> {
    /// The Kibana space.
    pub space: &'a str,
    /// The time that alerts carry as `@timestamp`, ISO 8601 with milliseconds and `Z`.
    pub now: &'a str,
    /// The run's id.
    pub execution_uuid: &'a str,
    /// `kibana.version`.
    pub version: &'a str,
    /// How the run came about.
    pub execution_type: ExecutionType,
    /// Start of a manual run, ISO 8601; else none.
    pub intended_timestamp: Option<&'a str>,
    /// What ECS says about fields.
    pub field_kinds: &'a FieldKinds,
    /// What was folded into the alert; none where nothing can be.
    pub suppression: Option<&'a Suppression>,
}

impl<'a> AlertContext<'a> {
    /// The default space, a scheduled run.
    pub fn new(now: &'a str, execution_uuid: &'a str, field_kinds: &'a FieldKinds) -> Self {
        Self {
            space: "default",
            now,
            execution_uuid,
            version: env!("CARGO_PKG_VERSION"),
            execution_type: ExecutionType::Scheduled,
            intended_timestamp: None,
            field_kinds,
            suppression: None,
        }
    }
}

/// Whether the event is an alert of the rule, or made from one: then a further alert would feed itself.
pub fn is_recursive(rule: &RuleDocument, event: &SourceEvent<'_>) -> bool {
    ancestors::has_rule(&ancestors::ancestors(event), &rule.uuid)
}

/// The alert of one event; none where the event is an alert of the same rule, or made from one (the recursion guard
/// of specification 3.4).
pub fn event_alert(
    rule: &AlertingRule<'_>,
    event: &SourceEvent<'_>,
    context: &AlertContext<'_>,
) -> Option<Alert> {
    let id = suppression::event_id(rule.document, event, context);
    if matches!(rule.document.params, RuleParams::MachineLearning(_)) {
        let record = anomalies::as_event(event)?;
        let (index, source) = (Arc::clone(&event.index), Some(Document::read(record.as_bytes())));
        let event = SourceEvent { index, id: event.id.clone(), source };
        return alert_of(rule, &event, id, context, |_| {});
    }
    alert_of(rule, event, id, context, |_| {})
}

/// An alert of one event under an id, with members of its own behind the others; none by the recursion guard.
fn alert_of(
    rule: &AlertingRule<'_>,
    event: &SourceEvent<'_>,
    id: String,
    context: &AlertContext<'_>,
    put_more: impl FnOnce(&mut Members),
) -> Option<Alert> {
    let AlertingRule { document: rule, fields } = rule;
    let source = event.source.as_ref()?;
    let ancestors = ancestors::ancestors(event);
    if ancestors::has_rule(&ancestors, &rule.uuid) {
        return None;
    }
    let overrides = overrides::overrides(rule, event);
    let parts = document::AlertParts {
        id: &id,
        depth: ancestors::depth_above(&[ancestors.last().map_or(0, |parent| parent.depth)]),
        ancestors: &ancestors,
        reason: reason::reason(|field| event.field(field), &overrides),
        overrides: &overrides,
        original_time: document::original_time(source),
        building_block_type: rule.building_block_type.as_deref(),
    };
    let mut own = document::alert_members(source, context, &parts);
    put_more(&mut own);
    suppression::put(&mut own, context);
    Some(Alert { id, document: AlertDocument::new(own, Arc::clone(fields)) })
}
