//! What the engine gives out: a rule fired.

use std::sync::Arc;

use maxspan_event::Event;

use crate::key::KeyTuple;
use crate::ruleset::RuleId;

/// A rule fired.
#[derive(Debug, Clone)]
pub struct Detection {
    /// Which rule.
    pub rule: RuleId,
    /// Its events: one for an event query, one a stage for sequences and samples; none for a stage whose event had to
    /// be missing.
    pub events: Vec<Option<Arc<Event>>>,
    /// The join keys; empty for event queries.
    pub keys: KeyTuple,
    /// Nanoseconds since 1970 of the rule's primary timestamp in the last event; none where that has no timestamp.
    pub time: Option<i64>,
}

impl Detection {
    /// The events that are there.
    pub fn present(&self) -> impl Iterator<Item = &Arc<Event>> {
        self.events.iter().flatten()
    }
}
