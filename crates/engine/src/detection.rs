//! What the engine gives out: a rule fired.

use crate::events::KeptEvent;
use crate::key::{KeyTuple, KeyValue};
use crate::ruleset::RuleId;

/// A rule fired.
#[derive(Debug, Clone)]
pub struct Detection {
    /// Which rule.
    pub rule: RuleId,
    /// Its events: one for an event query, one a stage for sequences and samples; none for a stage whose event had to
    /// be missing.
    pub events: Vec<Option<KeptEvent>>,
    /// The join keys; empty for event queries.
    pub keys: KeyTuple,
    /// Nanoseconds since 1970 of the rule's primary timestamp in the last event; none where that has no timestamp.
    pub time: Option<i64>,
    /// What results of one rule are ordered by.
    pub order: DetectionOrder,
    /// What is known of a group of events that are not kept; none for other detections.
    pub group: Option<GroupFacts>,
    /// The run that found it, in milliseconds since 1970; none of rules that do not go by runs.
    pub run_ms: Option<i64>,
}

/// What is known of a group of events that passed a threshold. Times are milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupFacts {
    /// The run that found it.
    pub run_ms: i64,
    /// The time of the first event.
    pub first_ms: i64,
    /// The time of the last event.
    pub last_ms: i64,
    /// How many events.
    pub events: u64,
    /// How many different values, where these were counted.
    pub values: Option<u64>,
}

/// Place of a detection among those of its rule: that of its last event.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DetectionOrder {
    /// Nanoseconds since 1970 of the rule's timestamp field; events without it come first.
    pub time: Option<i64>,
    /// The tiebreaker; events without one come last.
    pub tiebreaker: TieValue,
    /// Place among results of the same time and tiebreaker: the order of arrival, or 0 where that must not matter.
    pub arrival: u64,
}

/// A tiebreaker, or none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum TieValue {
    /// There is one.
    Value(KeyValue),
    /// There is none.
    Absent,
}

impl Detection {
    /// The events that are there.
    pub fn present(&self) -> impl Iterator<Item = &KeptEvent> {
        self.events.iter().flatten()
    }
}
