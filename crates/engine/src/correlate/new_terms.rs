//! New terms: values, or combinations of them, that a run sees for the first time since its history begins.
//!
//! An event is the first one of its terms in a run when it is in the run's window, and the event before it with the same
//! terms is before the run's history (specification 5.2). So the time of the last event of each combination is enough,
//! and of that time only which runs have it in their history. What a run's cap leaves out is left to the next run that
//! sees it as new.

use std::collections::BTreeMap;

use maxspan_plan::Windows;

use super::held::{Held, StepKey, keys};
use super::runs::CutRuns;
use super::sequence::Fired;
use super::{RuleCounters, TieBreak};
use crate::detection::DetectionOrder;
use crate::events::{NOWHERE, Place};
use crate::last_seen::LastSeen;

/// The state of one rule.
#[derive(Debug)]
pub(super) struct NewTermsState {
    windows: Windows,
    /// Where the history begins, from the end of the window.
    history_ms: i64,
    /// Most alerts of one run.
    cap: Option<usize>,
    /// The last run that has the last event of a combination in its history, as a number of intervals since 1970.
    seen: LastSeen,
    /// What was found and waits for the end of its run's window: by run, then by key.
    pending: BTreeMap<i64, BTreeMap<Box<[u8]>, Pending>>,
    pending_bytes: usize,
    /// Before this run memory is not freed again.
    freed_before: i64,
    /// What its cap left out of each run.
    pub(super) cut: CutRuns,
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

/// What a pending event takes beside its key.
const PENDING_BYTES: usize = 144;

impl NewTermsState {
    /// With the key for digests of combinations.
    pub(super) fn new(windows: Windows, history_ms: i64, digest_key: u128) -> Self {
        Self {
            windows,
            history_ms,
            cap: None,
            seen: LastSeen::new(digest_key),
            pending: BTreeMap::new(),
            pending_bytes: 0,
            freed_before: i64::MIN,
            cut: CutRuns::default(),
        }
    }

    /// Says how many alerts a run raises at most.
    pub(super) fn set_cap(&mut self, cap: Option<usize>) {
        self.cap = cap;
    }

    /// Bytes of memory, roughly.
    pub(super) fn bytes(&self) -> usize {
        self.seen.bytes() + self.pending_bytes
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
        // What no history of a run to come has is of no use.
        self.seen.forget_before(self.windows.number(self.windows.first_run(at)));
        for key in keys(steps, 0) {
            let digest = self.seen.digest(key);
            if self.bytes() > bytes_max && self.seen.get(digest).is_none() && !self.free(at, bytes_max) {
                counters.evicted += 1;
                continue;
            }
            let Ok(before) = self.seen.put(digest, self.last_history(at)) else {
                counters.evicted += 1;
                continue;
            };
            let Some((first_run, last_run)) = self.runs(at, before) else { continue };
            if held.place == NOWHERE {
                // It was known not to be new when it came; that there was no room for what it repeats is counted.
                continue;
            }
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

    /// Whether an event is new in no run when its terms came at an earlier time.
    pub(super) fn is_new_nowhere(&self, at: i64, earlier: i64) -> bool {
        earlier < at && self.runs(at, Some(self.last_history(earlier))).is_none()
    }

    /// The number of the last run that has a moment in its history.
    fn last_history(&self, at: i64) -> i64 {
        self.windows.number(at.saturating_sub(self.windows.to_ms).saturating_sub(self.history_ms))
    }

    /// The first and the last run that see an event as the first of its terms; `before` is the last one that has the event
    /// before in its history.
    fn runs(&self, at: i64, before: Option<i64>) -> Option<(i64, i64)> {
        let without_before = before.map(|number| self.windows.numbered(number.saturating_add(1)));
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
            let raises = self.windows.raises(run_ms);
            let left_out = self.cap.map_or(0, |cap| found.len().saturating_sub(cap)) as u64;
            self.cut.note(run_ms, if raises { left_out } else { 0 });
            let next = run_ms.saturating_add(self.windows.interval_ms);
            for (position, (key, one)) in found.into_iter().enumerate() {
                if self.cap.is_none_or(|cap| position < cap) {
                    self.pending_bytes -= key.len() + PENDING_BYTES;
                    let Pending { place, time, order, .. } = one;
                    let (events, known_ms) = (vec![Some(place)], Some(run_ms));
                    let found = Fired { key, events, time, order, group: None, known_ms };
                    fired.extend(raises.then_some(found));
                } else if next <= one.last_run {
                    self.pending.entry(next).or_default().entry(key).or_insert(one);
                } else {
                    self.pending_bytes -= key.len() + PENDING_BYTES;
                    counters.capped += u64::from(raises);
                }
            }
        }
    }

    /// Frees what is forgotten, but not before a good part of it may be. Whether there is room again.
    fn free(&mut self, at: i64, bytes_max: usize) -> bool {
        let run = self.windows.first_run(at);
        if run >= self.freed_before {
            self.freed_before = run.saturating_add(self.windows.interval_ms.max(-(self.history_ms / 16)));
            self.seen.compact();
        }
        self.bytes() <= bytes_max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is kept of times says the same as the times.
    #[test]
    fn runs_follow_from_the_last_run_of_the_history() {
        for (windows, history_ms) in [
            (Windows::every(5, -9, 0), -20),
            (Windows::every(5, -5, 0), -6),
            (Windows::every(7, -30, -3), -40),
            (Windows::every(1, -2, 1), -9),
            (Windows::every(60, -70, 0), -71),
            (Windows::every(5, -9, 0), -5),
            (Windows::once(3, -9, 0), -30),
        ] {
            let state = NewTermsState::new(windows, history_ms, 0);
            for at in -80..80_i64 {
                let last = windows.last_run_from_before(at);
                let of = |first: i64| (first <= last).then_some((first, last));
                let alone = of(windows.first_run(at));
                assert_eq!(state.runs(at, None), alone);
                for before in at - 150..=at {
                    let without_before = windows.run_after(before - windows.to_ms - history_ms);
                    let wanted = of(windows.first_run(at).max(without_before));
                    let stored = state.last_history(before);
                    assert_eq!(
                        state.runs(at, Some(stored)),
                        wanted,
                        "{windows:?} {history_ms} {before} {at}"
                    );
                    // What is forgotten made no difference.
                    if stored < windows.number(windows.first_run(at)) {
                        assert_eq!(wanted, alone, "{windows:?} {history_ms} {before} {at}");
                    }
                    assert_eq!(state.is_new_nowhere(at, before), before < at && wanted.is_none());
                }
            }
        }
    }
}
