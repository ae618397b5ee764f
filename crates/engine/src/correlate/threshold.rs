//! Thresholds: groups that have many events, or many different values, in the window of a run.
//!
//! A run is settled when an event comes that is beyond its window. What a group was found for counts no more for that
//! group: events up to the last of them are out (specification 5.1, signal history). A run that no event came to since
//! the one before finds nothing new, and is passed over.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use maxspan_event::date;
use maxspan_plan::Windows;

use super::RuleCounters;
use super::held::{Digest, Held, StepKey, digest, keys};
use super::sequence::Fired;
use crate::detection::{DetectionOrder, GroupFacts, TieValue};

/// The state of one rule.
#[derive(Debug)]
pub(super) struct ThresholdState {
    windows: Windows,
    /// At least so many events.
    events: u64,
    /// At least so many different values.
    values: Option<u64>,
    /// Most groups that one run finds.
    cap: Option<usize>,
    /// By the key's bytes, which sort like the key.
    groups: BTreeMap<Box<[u8]>, Group>,
    /// The run that is next; none before the first event.
    run: Option<i64>,
    bytes: usize,
}

/// The events of a group that are in the window of the next run, or behind it.
#[derive(Debug, Default)]
struct Group {
    /// Milliseconds, and the different values.
    events: VecDeque<(i64, Box<[Digest]>)>,
    /// Up to when events were part of an alert.
    alerted: Option<i64>,
}

/// What a group takes beside its key and its events.
const GROUP_BYTES: usize = 96;

impl ThresholdState {
    pub(super) fn new(windows: Windows, events: u64, values: Option<u64>) -> Self {
        Self { windows, events, values, cap: None, groups: BTreeMap::new(), run: None, bytes: 0 }
    }

    /// Says how many groups a run finds at most.
    pub(super) fn set_cap(&mut self, cap: Option<usize>) {
        self.cap = cap;
    }

    /// Bytes of memory, roughly.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes the next event in order. The state shall have at most so many bytes: what is beyond is left out.
    pub(super) fn push(
        &mut self,
        held: &Held<'_>,
        steps: &[StepKey<'_>],
        bytes_max: usize,
        counters: &mut RuleCounters,
        fired: &mut Vec<Fired>,
    ) {
        let at = held.millis();
        match self.run {
            Some(run) if at <= self.windows.to(run) => {}
            Some(run) => {
                self.settle(run, counters, fired);
                self.run = Some(self.windows.first_run(at));
            }
            None => self.run = Some(self.windows.first_run(at)),
        }
        let values: BTreeSet<Digest> = keys(steps, 1).map(digest).collect();
        for key in keys(steps, 0) {
            if self.bytes > bytes_max {
                counters.evicted += 1;
                continue;
            }
            if !self.groups.contains_key(key) {
                self.bytes += key.len() + GROUP_BYTES;
                self.groups.insert(key.into(), Group::default());
            }
            let Some(group) = self.groups.get_mut(key) else { continue };
            self.bytes += event_bytes(values.len());
            group.events.push_back((at, values.iter().copied().collect()));
        }
    }

    /// No more events come.
    pub(super) fn finish(&mut self, counters: &mut RuleCounters, fired: &mut Vec<Fired>) {
        if let Some(run) = self.run {
            self.settle(run, counters, fired);
        }
    }

    /// Finds groups. All events that are held are within the window or before it.
    fn settle(&mut self, run: i64, counters: &mut RuleCounters, fired: &mut Vec<Fired>) {
        let (from, before) = (self.windows.from(run), fired.len());
        let Self { groups, bytes, cap, events, values, .. } = self;
        groups.retain(|key, group| {
            *bytes -= group.forget_before(from);
            if let Some(facts) = group.facts(run, *events, *values) {
                if cap.is_some_and(|cap| fired.len() - before >= cap) {
                    counters.capped += 1;
                } else {
                    group.alerted = Some(facts.last_ms);
                    fired.push(found(key, facts));
                }
            }
            let keep = !group.events.is_empty();
            if !keep {
                *bytes -= key.len() + GROUP_BYTES;
            }
            keep
        });
    }
}

impl Group {
    /// Forgets what no later window has; the bytes that this frees.
    fn forget_before(&mut self, from: i64) -> usize {
        let mut freed = 0;
        while let Some((_, values)) = self.events.pop_front_if(|(at, _)| *at < from) {
            freed += event_bytes(values.len());
        }
        // As in the specification: what was alerted up to the very start of a window counts again.
        self.alerted = self.alerted.filter(|alerted| *alerted > from);
        freed
    }

    /// What there is to say about the group where it passes.
    fn facts(&self, run_ms: i64, events: u64, values: Option<u64>) -> Option<GroupFacts> {
        let start = self.alerted.map_or(0, |alerted| self.events.partition_point(|(at, _)| *at <= alerted));
        let count = (self.events.len() - start) as u64;
        let (first_ms, last_ms) = (self.events.get(start)?.0, self.events.back()?.0);
        if count < events {
            return None;
        }
        let distinct = values.map(|_| {
            self.events.range(start..).flat_map(|(_, values)| values).collect::<BTreeSet<_>>().len() as u64
        });
        let passes = distinct.zip(values).is_none_or(|(distinct, wanted)| distinct >= wanted);
        passes.then_some(GroupFacts { run_ms, first_ms, last_ms, events: count, values: distinct })
    }
}

fn event_bytes(values: usize) -> usize {
    size_of::<(i64, Box<[Digest]>)>() + values * size_of::<Digest>()
}

fn found(key: &[u8], facts: GroupFacts) -> Fired {
    let time = Some(date::from_millis(facts.run_ms));
    let order = DetectionOrder { time, tiebreaker: TieValue::Absent, arrival: 0 };
    let (group, run_ms) = (Some(facts), Some(facts.run_ms));
    Fired { key: key.into(), events: Vec::new(), time, order, group, run_ms }
}
