//! What is raised and what is folded, run by run (specification 6.3).
//!
//! In a run, candidates of one instance are folded into the first by time. With a duration, they are folded into the
//! last alert of the instance instead, where the run that made it is at most that long ago. Up to the end of such an
//! alert everything was counted before: what is not after it is dropped.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use maxspan_rules::alert::Suppression;
use maxspan_rules::alert::suppression::Term;

use super::SuppressionCounters;
use crate::kept::Raised;

/// What may be raised. Times are milliseconds since 1970.
#[derive(Debug)]
pub(super) struct Candidate {
    /// What raises the alert.
    pub(super) raised: Raised,
    /// By what it is folded.
    pub(super) instance: String,
    /// The same in words.
    pub(super) terms: Vec<Term>,
    pub(super) start_ms: i64,
    pub(super) end_ms: i64,
    /// How many others it stands for.
    pub(super) docs: u64,
}

/// The alerts of a rule so far.
#[derive(Debug)]
pub(super) struct Fold {
    /// How long alerts are folded into one; none for those of one run.
    duration_ms: Option<i64>,
    /// Where the window of a run begins, from the run.
    from_ms: i64,
    /// Most alerts of a run.
    cap: Option<usize>,
    raised: Vec<Raised>,
    /// By instance, the last alert.
    newest: HashMap<String, Newest>,
    counters: SuppressionCounters,
}

#[derive(Debug)]
struct Newest {
    /// Its place among what was raised.
    place: usize,
    /// The run that made it.
    run_ms: i64,
    end_ms: i64,
}

impl Fold {
    pub(super) fn new(duration_ms: Option<i64>, from_ms: i64, cap: Option<usize>) -> Self {
        let (raised, newest, counters) = (Vec::new(), HashMap::new(), SuppressionCounters::default());
        Self { duration_ms, from_ms, cap, raised, newest, counters }
    }

    /// Raises what is not folded, so many at most; how many that are.
    pub(super) fn raise(&mut self, plain: Vec<Raised>, most: Option<usize>) -> usize {
        let count = most.unwrap_or(usize::MAX).min(plain.len());
        self.counters.capped += (plain.len() - count) as u64;
        self.raised.extend(plain.into_iter().take(count));
        count
    }

    /// Folds the candidates of the next run, in which so many alerts were raised before; how many were folded.
    pub(super) fn run(&mut self, run_ms: i64, candidates: Vec<Candidate>, mut raised: usize) -> u64 {
        let before = self.counters.suppressed;
        let since = match self.duration_ms {
            Some(duration_ms) => run_ms.saturating_sub(duration_ms),
            None => run_ms.saturating_add(self.from_ms),
        };
        for one in self.merged(since, candidates) {
            let into = self.newest.get_mut(&one.instance);
            let into = into.filter(|newest| self.duration_ms.is_some() && newest.run_ms >= since);
            if let Some(newest) = into {
                newest.end_ms = newest.end_ms.max(one.end_ms);
                let folded = one.docs + 1;
                self.counters.suppressed += folded;
                if let Some(suppression) = self.raised[newest.place].suppression_mut() {
                    suppression.docs_count += folded;
                    suppression.end_ms = newest.end_ms;
                }
            } else if self.cap.is_some_and(|cap| raised >= cap) {
                self.counters.capped += one.docs + 1;
            } else {
                raised += 1;
                self.make(run_ms, one);
            }
        }
        self.counters.suppressed - before
    }

    /// All that was raised.
    pub(super) fn finish(self, counters: &mut SuppressionCounters) -> Vec<Raised> {
        let SuppressionCounters { suppressed, capped, repeated, .. } = self.counters;
        counters.suppressed += suppressed;
        counters.capped += capped;
        counters.repeated += repeated;
        self.raised
    }

    /// One candidate of each instance, by time. What was counted before is dropped.
    fn merged(&mut self, since: i64, mut candidates: Vec<Candidate>) -> Vec<Candidate> {
        candidates.sort_by_key(|one| one.start_ms);
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut merged: Vec<Candidate> = Vec::new();
        for one in candidates {
            let newest = self.newest.get(&one.instance).filter(|newest| newest.run_ms >= since);
            if newest.is_some_and(|newest| one.end_ms <= newest.end_ms) {
                self.counters.repeated += one.docs + 1;
                continue;
            }
            match places.entry(one.instance.clone()) {
                Entry::Vacant(entry) => {
                    entry.insert(merged.len());
                    merged.push(one);
                }
                Entry::Occupied(entry) => {
                    let first = &mut merged[*entry.get()];
                    first.docs += one.docs + 1;
                    first.end_ms = first.end_ms.max(one.end_ms);
                }
            }
        }
        merged
    }

    fn make(&mut self, run_ms: i64, one: Candidate) {
        let Candidate { mut raised, instance, terms, start_ms, end_ms, docs } = one;
        self.counters.suppressed += docs;
        raised.set_suppression(Suppression {
            terms,
            instance_id: instance.clone(),
            start_ms,
            end_ms,
            made_end_ms: end_ms,
            docs_count: docs,
        });
        self.newest.insert(instance, Newest { place: self.raised.len(), run_ms, end_ms });
        self.raised.push(raised);
    }
}
