//! Windows: all events of each run's window, for what looks at them together.
//!
//! A run is settled when an event comes that is beyond its window; then the runs after it, as long as their windows have
//! events. Runs whose windows are empty are passed over.

use std::collections::VecDeque;

use maxspan_event::date;
use maxspan_plan::Windows;

use super::RuleCounters;
use super::held::Held;
use super::sequence::Fired;
use crate::detection::{DetectionOrder, GroupFacts, TieValue};
use crate::events::Place;

/// The state of one rule.
#[derive(Debug)]
pub(super) struct WindowState {
    windows: Windows,
    /// Milliseconds, and the document; in order.
    events: VecDeque<(i64, Place)>,
    /// The run that is next; none before the first event.
    run: Option<i64>,
}

/// What an event takes beside its document.
const EVENT_BYTES: usize = size_of::<(i64, Place)>();

impl WindowState {
    pub(super) fn new(windows: Windows) -> Self {
        Self { windows, events: VecDeque::new(), run: None }
    }

    /// Bytes of memory, roughly.
    pub(super) fn bytes(&self) -> usize {
        self.events.len() * EVENT_BYTES
    }

    /// Takes the next event in order, after all runs before it were settled. The state shall have at most so many bytes:
    /// what is beyond is left out.
    pub(super) fn push(&mut self, held: &Held<'_>, bytes_max: usize, counters: &mut RuleCounters) {
        let at = held.millis();
        self.run.get_or_insert(self.windows.first_run(at));
        if self.bytes() < bytes_max {
            self.events.push_back((at, held.place));
        } else {
            counters.evicted += 1;
        }
    }

    /// The next run whose window ends before a moment, or at all without one; none where the events that are there are in
    /// no later window. One by one, since each has a list of its events.
    pub(super) fn settle(&mut self, before: Option<i64>) -> Option<Fired> {
        let run = self.run.filter(|run| before.is_none_or(|at| at > self.windows.to(*run)))?;
        while self.events.pop_front_if(|(at, _)| *at < self.windows.from(run)).is_some() {}
        let (Some((first_ms, _)), Some((last_ms, _))) = (self.events.front(), self.events.back()) else {
            self.run = None;
            return None;
        };
        self.run = Some(run.saturating_add(self.windows.interval_ms));
        let events = self.events.len() as u64;
        let (first_ms, last_ms) = (*first_ms, *last_ms);
        Some(self.found(GroupFacts { run_ms: run, first_ms, last_ms, events, values: None }))
    }

    /// Shows the places of all events.
    pub(super) fn visit_places(&mut self, visit: &mut dyn FnMut(&mut Place)) {
        self.events.iter_mut().for_each(|(_, place)| visit(place));
    }

    fn found(&self, facts: GroupFacts) -> Fired {
        let time = Some(date::from_millis(facts.run_ms));
        let order = DetectionOrder { time, tiebreaker: TieValue::Absent, arrival: 0 };
        let events = self.events.iter().map(|(_, place)| Some(*place)).collect();
        let (group, run_ms) = (Some(facts), Some(facts.run_ms));
        Fired { key: Box::default(), events, time, order, group, run_ms }
    }
}
