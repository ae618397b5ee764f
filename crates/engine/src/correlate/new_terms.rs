//! New terms: values, or combinations of them, that a run sees for the first time since its history begins.
//!
//! An event is the first one of its terms in a run when it is in the run's window, and the event before it with the same
//! terms is before the run's history (specification 5.2). So the time of the last event of each combination is enough.
//! What a run's cap leaves out is left to the next run that sees it as new.

use std::collections::BTreeMap;

use hashbrown::HashMap;
use maxspan_plan::Windows;
use rustc_hash::FxBuildHasher;

use super::held::{Digest, Held, StepKey, digest, keys};
use super::sequence::Fired;
use super::{RuleCounters, TieBreak};
use crate::detection::DetectionOrder;
use crate::events::Place;

/// The state of one rule.
#[derive(Debug)]
pub(super) struct NewTermsState {
    windows: Windows,
    /// Where the history begins, from the end of the window.
    history_ms: i64,
    /// Most alerts of one run.
    cap: Option<usize>,
    /// When a combination was last seen, in milliseconds.
    seen: HashMap<Digest, i64, FxBuildHasher>,
    /// What was found and waits for the end of its run's window: by run, then by key.
    pending: BTreeMap<i64, BTreeMap<Box<[u8]>, Pending>>,
    pending_bytes: usize,
    /// What was last seen before is of no use; looked for when memory is used up.
    purged_before: i64,
}

/// The first event of a combination.
#[derive(Debug)]
struct Pending {
    place: Place,
    time: Option<i64>,
    order: DetectionOrder,
    /// The last run that sees it as new.
    last_run: i64,
}

/// What a combination takes: key, time, and the table's room for growth.
const SEEN_BYTES: usize = 56;
/// What a pending event takes beside its key.
const PENDING_BYTES: usize = 144;

impl NewTermsState {
    pub(super) fn new(windows: Windows, history_ms: i64) -> Self {
        Self {
            windows,
            history_ms,
            cap: None,
            seen: HashMap::default(),
            pending: BTreeMap::new(),
            pending_bytes: 0,
            purged_before: i64::MIN,
        }
    }

    /// Says how many alerts a run raises at most.
    pub(super) fn set_cap(&mut self, cap: Option<usize>) {
        self.cap = cap;
    }

    /// Bytes of memory, roughly.
    pub(super) fn bytes(&self) -> usize {
        self.seen.len() * SEEN_BYTES + self.pending_bytes
    }

    /// Takes the next event in order. The state shall have at most so many bytes: combinations that are beyond are not
    /// remembered, and raise nothing.
    pub(super) fn push(
        &mut self,
        held: &Held<'_>,
        steps: &[StepKey<'_>],
        (bytes_max, tie_break): (usize, TieBreak),
        counters: &mut RuleCounters,
        fired: &mut Vec<Fired>,
    ) {
        let at = held.millis();
        self.settle_before(Some(at), counters, fired);
        for key in keys(steps, 0) {
            let digest = digest(key);
            if self.bytes() > bytes_max && !self.seen.contains_key(&digest) && !self.purge(at, bytes_max) {
                counters.evicted += 1;
                continue;
            }
            let before = self.seen.insert(digest, at);
            let Some((first_run, last_run)) = self.runs(at, before) else { continue };
            let pending = Pending {
                place: held.place,
                time: held.primary_time,
                order: held.order(tie_break),
                last_run,
            };
            self.pending_bytes += key.len() + PENDING_BYTES;
            self.pending.entry(first_run).or_default().entry(key.into()).or_insert(pending);
        }
    }

    /// No more events come.
    pub(super) fn finish(&mut self, counters: &mut RuleCounters, fired: &mut Vec<Fired>) {
        self.settle_before(None, counters, fired);
    }

    /// Shows the places of all events.
    pub(super) fn visit_places(&mut self, visit: &mut dyn FnMut(&mut Place)) {
        self.pending.values_mut().flat_map(BTreeMap::values_mut).for_each(|one| visit(&mut one.place));
    }

    /// The first and the last run that see an event as the first of its terms.
    fn runs(&self, at: i64, before: Option<i64>) -> Option<(i64, i64)> {
        let Windows { to_ms, .. } = self.windows;
        let without_before = before.map(|before| {
            self.windows.run_after(before.saturating_sub(to_ms).saturating_sub(self.history_ms))
        });
        let first = self.windows.first_run(at).max(without_before.unwrap_or(i64::MIN));
        let last = self.windows.last_run_from_before(at);
        (first <= last).then_some((first, last))
    }

    /// Settles runs whose windows end before a moment; all of them without one.
    fn settle_before(&mut self, at: Option<i64>, counters: &mut RuleCounters, fired: &mut Vec<Fired>) {
        while let Some(run) = self.pending.first_entry() {
            let run_ms = *run.key();
            if at.is_some_and(|at| at <= self.windows.to(run_ms)) {
                return;
            }
            let found = run.remove();
            let next = run_ms.saturating_add(self.windows.interval_ms);
            for (position, (key, one)) in found.into_iter().enumerate() {
                if self.cap.is_none_or(|cap| position < cap) {
                    self.pending_bytes -= key.len() + PENDING_BYTES;
                    let Pending { place, time, order, .. } = one;
                    let (events, run_ms) = (vec![Some(place)], Some(run_ms));
                    fired.push(Fired { key, events, time, order, group: None, run_ms });
                } else if next <= one.last_run {
                    self.pending.entry(next).or_default().entry(key).or_insert(one);
                } else {
                    self.pending_bytes -= key.len() + PENDING_BYTES;
                    counters.capped += 1;
                }
            }
        }
    }

    /// Forgets combinations that no history of a run to come has. Whether there is room again.
    fn purge(&mut self, at: i64, bytes_max: usize) -> bool {
        let useful = self.windows.to(self.windows.first_run(at)).saturating_add(self.history_ms);
        if useful > self.purged_before {
            self.purged_before = useful.saturating_add(self.windows.interval_ms);
            self.seen.retain(|_, last| *last >= useful);
        }
        self.bytes() <= bytes_max
    }
}
