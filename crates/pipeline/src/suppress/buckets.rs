//! What the runs of a KQL rule have in each combination of values: a count, the span of time, the first event.
//!
//! Of a run, the first combinations in the order of their values are kept, as many as it may raise alerts; so what is
//! kept does not depend on the order of arrival, and a combination that fell out never comes back.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::hash::{DefaultHasher, Hash, Hasher};

use maxspan_engine::{Detection, KeptEvent, KeyTuple};
use rustc_hash::FxHashSet;

use super::SuppressionCounters;
use crate::retained::comes_before;

/// The buckets of a rule.
#[derive(Debug, Default)]
pub(super) struct Buckets {
    runs: BTreeMap<i64, BTreeMap<KeyTuple, Bucket>>,
    /// Hashes of the events that were counted.
    counted: FxHashSet<u64>,
}

/// What a run has in one combination of values.
#[derive(Debug)]
pub(super) struct Bucket {
    /// From 1.
    pub(super) events: u64,
    pub(super) start_ms: i64,
    pub(super) end_ms: i64,
    /// The first by time, then by the rule's order.
    pub(super) first: Detection,
}

impl Buckets {
    /// Whether the same document was counted before; it is remembered.
    pub(super) fn is_known(
        &mut self,
        event: &KeptEvent,
        room: &mut usize,
        counters: &mut SuppressionCounters,
    ) -> bool {
        let mut hasher = DefaultHasher::new();
        (&**event.index(), event.id(), event.content()).hash(&mut hasher);
        let hash = hasher.finish();
        if self.counted.contains(&hash) {
            counters.repeated += 1;
            return true;
        }
        if *room == 0 {
            counters.not_remembered += 1;
        } else {
            *room -= 1;
            self.counted.insert(hash);
        }
        false
    }

    /// Counts a detection. Whether it is kept as the first of a bucket.
    pub(super) fn count(
        &mut self,
        run: i64,
        keys: Vec<KeyTuple>,
        at_ms: i64,
        detection: &Detection,
        cap: Option<usize>,
        counters: &mut SuppressionCounters,
    ) -> bool {
        let buckets = self.runs.entry(run).or_default();
        let mut kept = false;
        for key in keys {
            let is_full = cap.is_some_and(|cap| buckets.len() >= cap);
            if is_full && !buckets.contains_key(&key) {
                if buckets.last_key_value().is_none_or(|(last, _)| *last < key) {
                    counters.capped += 1;
                    continue;
                }
                counters.capped += buckets.pop_last().map_or(0, |(_, bucket)| bucket.events);
            }
            kept |= put(buckets.entry(key), at_ms, detection);
        }
        kept
    }

    /// Shows the events of a run.
    pub(super) fn visit(&mut self, run: i64, visit: &mut dyn FnMut(&mut KeptEvent)) {
        let buckets = self.runs.get_mut(&run).into_iter().flat_map(BTreeMap::values_mut);
        buckets.flat_map(|bucket| bucket.first.events.iter_mut().flatten()).for_each(visit);
    }

    /// All buckets, by run and then by their values.
    pub(super) fn take(&mut self) -> impl Iterator<Item = (i64, KeyTuple, Bucket)> {
        self.counted = FxHashSet::default();
        let of_run = |(run, buckets): (i64, BTreeMap<KeyTuple, Bucket>)| {
            buckets.into_iter().map(move |(key, bucket)| (run, key, bucket))
        };
        std::mem::take(&mut self.runs).into_iter().flat_map(of_run)
    }
}

fn put(entry: Entry<'_, KeyTuple, Bucket>, at_ms: i64, detection: &Detection) -> bool {
    let bucket = match entry {
        Entry::Vacant(entry) => {
            let first = detection.clone();
            entry.insert(Bucket { events: 1, start_ms: at_ms, end_ms: at_ms, first });
            return true;
        }
        Entry::Occupied(entry) => entry.into_mut(),
    };
    bucket.events += 1;
    bucket.start_ms = bucket.start_ms.min(at_ms);
    bucket.end_ms = bucket.end_ms.max(at_ms);
    let is_first = comes_before(detection, &bucket.first);
    if is_first {
        bucket.first = detection.clone();
    }
    is_first
}
