//! The detections of one rule that are kept until the end of a run: ordered, without doubles, capped.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use maxspan_engine::{Detection, KeptEvent, apply_limits};
use maxspan_event::EventId;
use maxspan_plan::Limit;
use rustc_hash::FxHashSet;

use crate::limits::RETAINED_SLACK;
use crate::suppress::FoldRuns;

/// Which detections a cap keeps, and what they are ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// The first ones by the rule's order.
    Oldest,
    /// The first ones by the rule's primary timestamp, those without one last: as Elastic's KQL rules page.
    OldestByPrimaryTime,
    /// Those with the highest tiebreakers, then the first ones.
    Highest,
    /// The last ones by the rule's order, as Elasticsearch's EQL search gives the tail.
    Newest,
}

/// How many detections are kept, and which.
#[derive(Debug, Clone)]
pub(crate) struct Cap {
    /// Most detections in one interval; none for no cap.
    pub(crate) count: Option<usize>,
    /// The interval in nanoseconds; none for one interval over the whole run.
    pub(crate) interval: Option<i64>,
    /// The runs of the rule's schedule, where the cap goes by them and not by the interval.
    pub(crate) runs: Option<FoldRuns>,
    /// Which ones.
    pub(crate) keep: Keep,
    /// How many more detections beyond the cap can be remembered; rules may share it.
    pub(crate) remembered: Arc<AtomicUsize>,
}

/// The detections of one rule. Memory is bounded by twice the cap, and a little more, for each interval.
#[derive(Debug)]
pub(crate) struct Retained {
    cap: Cap,
    limits: Vec<Limit>,
    intervals: BTreeMap<i64, Vec<Detection>>,
    /// Intervals that got detections since they were visited.
    fresh: BTreeSet<i64>,
    /// Hashes of detections that the cap dropped, so that they are counted once.
    dropped: FxHashSet<u64>,
    /// Detections that the cap dropped.
    pub(crate) capped: u64,
    /// Of these, detections that are not remembered: should they come again, they count again.
    pub(crate) not_remembered: u64,
    /// Detections of the same events as another one.
    pub(crate) repeated: u64,
}

impl Retained {
    /// Keeps what the cap and the query's own `head` and `tail` keep.
    pub(crate) fn new(cap: Cap, limits: &[Limit]) -> Self {
        Self {
            cap,
            limits: limits.to_vec(),
            intervals: BTreeMap::new(),
            fresh: BTreeSet::new(),
            dropped: FxHashSet::default(),
            capped: 0,
            not_remembered: 0,
            repeated: 0,
        }
    }

    pub(crate) fn push(&mut self, detection: Detection) {
        if self.dropped.contains(&hash(&detection)) {
            self.repeated += 1;
            return;
        }
        // `head` and `tail` count over the whole run, so nothing is cut before they are applied.
        let interval = if self.limits.is_empty() { self.interval(&detection) } else { 0 };
        let count = if self.limits.is_empty() { self.cap.count } else { self.limited() };
        self.fresh.insert(interval);
        let list = self.intervals.entry(interval).or_default();
        list.push(detection);
        if count.is_some_and(|count| list.len() >= 2 * count.max(RETAINED_SLACK)) {
            let mut list = std::mem::take(list);
            if self.limits.is_empty() {
                self.settle(&mut list);
            } else {
                self.order(&mut list);
                list = apply_limits(list, &self.limits);
            }
            self.intervals.insert(interval, list);
        }
    }

    /// Shows the events of detections that came since the last visit, of those that are still kept.
    pub(crate) fn visit_fresh(&mut self, visit: &mut dyn FnMut(&mut KeptEvent)) {
        for interval in std::mem::take(&mut self.fresh) {
            let Some(mut list) = self.intervals.remove(&interval) else { continue };
            if self.limits.is_empty() {
                self.settle(&mut list);
            }
            list.iter_mut().flat_map(|one| one.events.iter_mut().flatten()).for_each(&mut *visit);
            self.intervals.insert(interval, list);
        }
    }

    /// What is kept, in order.
    pub(crate) fn finish(&mut self) -> Vec<Detection> {
        let mut all: Vec<Detection> = std::mem::take(&mut self.intervals).into_values().flatten().collect();
        if !self.limits.is_empty() {
            self.order(&mut all);
            all = apply_limits(all, &self.limits);
        }
        let mut intervals: BTreeMap<i64, Vec<Detection>> = BTreeMap::new();
        for detection in all {
            intervals.entry(self.interval(&detection)).or_default().push(detection);
        }
        let mut kept = Vec::new();
        for mut list in intervals.into_values() {
            self.settle(&mut list);
            kept.append(&mut list);
        }
        kept
    }

    /// With one `head` or `tail`, no more than it keeps needs to be held.
    fn limited(&self) -> Option<usize> {
        match self.limits.as_slice() {
            [Limit::Head(count) | Limit::Tail(count)] => Some(*count),
            _ => None,
        }
    }

    fn interval(&self, detection: &Detection) -> i64 {
        if let Some(runs) = &self.cap.runs {
            return runs.run_of(detection);
        }
        match (self.cap.interval, detection.time) {
            (Some(interval), Some(time)) if interval > 0 => time.div_euclid(interval),
            _ => 0,
        }
    }

    /// Orders the list, drops doubles, and cuts it to the cap.
    fn settle(&mut self, list: &mut Vec<Detection>) {
        self.order(list);
        let Some(count) = self.cap.count.filter(|count| *count < list.len()) else { return };
        let cut = match self.cap.keep {
            Keep::Oldest | Keep::OldestByPrimaryTime | Keep::Highest => list.split_off(count),
            Keep::Newest => {
                let kept = list.split_off(list.len() - count);
                std::mem::replace(list, kept)
            }
        };
        self.capped += cut.len() as u64;
        let room = self.cap.remembered.load(Ordering::Relaxed);
        self.dropped.extend(cut.iter().map(hash).take(room));
        self.cap.remembered.store(room.saturating_sub(cut.len()), Ordering::Relaxed);
        self.not_remembered += cut.len().saturating_sub(room) as u64;
    }

    /// A stable order: what the rule orders by, then the identity of the events. Of the same events one is left.
    fn order(&mut self, list: &mut Vec<Detection>) {
        let by_primary_time = self.cap.keep == Keep::OldestByPrimaryTime;
        let primary = |one: &Detection| if by_primary_time { one.time.unwrap_or(i64::MAX) } else { 0 };
        let is_highest = self.cap.keep == Keep::Highest;
        let tiebreaker = |one: &Detection| is_highest.then(|| one.order.tiebreaker.clone());
        list.sort_by(|a, b| {
            tiebreaker(b)
                .cmp(&tiebreaker(a))
                .then_with(|| primary(a).cmp(&primary(b)))
                .then_with(|| a.order.cmp(&b.order))
                .then_with(|| identities(a).cmp(identities(b)))
                .then_with(|| a.keys.cmp(&b.keys))
                // Two documents with one id: whichever arrives first, the same one is kept.
                .then_with(|| contents(a).cmp(contents(b)))
        });
        let before = list.len();
        list.dedup_by(|a, b| a.keys == b.keys && identities(a).eq(identities(b)));
        self.repeated += (before - list.len()) as u64;
    }
}

/// Whether a detection is before another of its rule: by the primary timestamp, then as the rule orders them.
pub(crate) fn comes_before(one: &Detection, other: &Detection) -> bool {
    let primary = |one: &Detection| one.time.unwrap_or(i64::MAX);
    let order = primary(one).cmp(&primary(other)).then_with(|| one.order.cmp(&other.order));
    let order = order.then_with(|| identities(one).cmp(identities(other)));
    order.then_with(|| contents(one).cmp(contents(other))).is_lt()
}

/// Index and id of each event; nothing for a missing one.
fn identities(detection: &Detection) -> impl Iterator<Item = Option<(&str, &EventId)>> {
    detection.events.iter().map(|event| event.as_ref().map(|event| (&**event.index(), event.id())))
}

fn contents(detection: &Detection) -> impl Iterator<Item = u64> {
    detection.present().map(KeptEvent::content)
}

fn hash(detection: &Detection) -> u64 {
    let mut hasher = DefaultHasher::new();
    detection.keys.hash(&mut hasher);
    identities(detection).for_each(|identity| identity.hash(&mut hasher));
    hasher.finish()
}
