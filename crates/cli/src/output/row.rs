//! An alert in brief: what a table, a summary and a person want to know of it first.

use maxspan_pipeline::hunt::HuntAlert;
use maxspan_rules::alert::AlertDocument;
use maxspan_rules::alert::source::scalars;
use serde_json::Value;

/// An alert that stands for itself, with the building blocks of its sequence.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    pub(crate) rule: usize,
    /// The events of the sequence, in order; empty for an alert of one event.
    pub(crate) blocks: Vec<AlertDocument>,
    pub(crate) alert: AlertDocument,
}

/// Puts the building blocks and the alert of a sequence together; they come one after the other.
#[derive(Debug, Default)]
pub(crate) struct Grouping {
    blocks: Vec<AlertDocument>,
}

impl Grouping {
    /// Takes the next alert; gives a group when it is complete.
    pub(crate) fn push(&mut self, alert: &HuntAlert) -> Option<Group> {
        let document = alert.alert.document.clone();
        if alert.building_block {
            self.blocks.push(document);
            return None;
        }
        Some(Group { rule: alert.rule.0 as usize, blocks: std::mem::take(&mut self.blocks), alert: document })
    }
}

impl Group {
    /// The events' documents, in order.
    pub(crate) fn events(&self) -> &[AlertDocument] {
        if self.blocks.is_empty() { std::slice::from_ref(&self.alert) } else { &self.blocks }
    }

    /// All different values of the first of these fields that any event has.
    fn values(&self, fields: &[&str]) -> Vec<String> {
        for field in fields {
            let mut values: Vec<String> = Vec::new();
            for value in self.events().iter().flat_map(|event| texts(event, field)) {
                if !values.contains(&value) {
                    values.push(value);
                }
            }
            if !values.is_empty() {
                return values;
            }
        }
        Vec::new()
    }
}

/// What is said of an alert on one line.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// Of the last event; Kibana's `original_time` of a sequence is no time of an event.
    pub(crate) time: Option<String>,
    pub(crate) severity: String,
    pub(crate) rule_name: String,
    pub(crate) hosts: Vec<String>,
    pub(crate) users: Vec<String>,
    pub(crate) reason: String,
    /// How many alerts suppression folded into it.
    pub(crate) suppressed: u64,
}

impl Row {
    pub(crate) fn new(group: &Group) -> Self {
        let text = |field: &str| first_text(&group.alert, field);
        Self {
            time: group.events().last().and_then(|event| first_text(event, "kibana.alert.original_time")),
            severity: text("kibana.alert.severity").unwrap_or_default(),
            rule_name: text("kibana.alert.rule.name").unwrap_or_default(),
            hosts: group.values(&["host.name", "host.hostname", "host.id"]),
            users: group.values(&["user.name", "user.email", "user.id"]),
            reason: text("kibana.alert.reason").unwrap_or_default(),
            suppressed: group
                .alert
                .get("kibana.alert.suppression.docs_count")
                .and_then(Value::as_u64)
                .unwrap_or(0),
        }
    }
}

/// The values of a field as texts.
pub(crate) fn texts(document: &AlertDocument, field: &str) -> Vec<String> {
    let values = document.find(field).map(scalars).unwrap_or_default();
    values.into_iter().map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).collect()
}

/// The first value of a field, unless it is empty.
pub(crate) fn first_text(document: &AlertDocument, field: &str) -> Option<String> {
    texts(document, field).into_iter().next().filter(|text| !text.is_empty())
}

/// Names with commas between them; at most `count`, then how many more.
pub(crate) fn listed(names: &[String], count: usize) -> String {
    if names.len() <= count {
        return names.join(", ");
    }
    format!("{}, +{}", names[..count].join(", "), names.len() - count)
}
