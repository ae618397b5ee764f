//! The detections of one rule that are kept until the end of a run: ordered, without doubles, capped.

use std::collections::BTreeMap;

use maxspan_engine::{Detection, apply_limits};
use maxspan_event::Event;
use maxspan_plan::Limit;

/// Which detections a cap keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// The first ones, as Elastic's KQL rules page from the oldest on.
    Oldest,
    /// The last ones, as Elasticsearch's EQL search gives the tail.
    Newest,
}

/// How many detections are kept, and which.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cap {
    /// Most detections in one interval; none for no cap.
    pub(crate) count: Option<usize>,
    /// The interval in nanoseconds; none for one interval over the whole run.
    pub(crate) interval: Option<i64>,
    /// Which ones.
    pub(crate) keep: Keep,
}

/// The detections of one rule. Memory is bounded by twice the cap for each interval.
#[derive(Debug)]
pub(crate) struct Retained {
    cap: Cap,
    limits: Vec<Limit>,
    intervals: BTreeMap<i64, Vec<Detection>>,
    /// Detections that the cap dropped.
    pub(crate) capped: u64,
    /// Detections of the same events as another one.
    pub(crate) repeated: u64,
}

impl Retained {
    /// Keeps what the cap and the query's own `head` and `tail` keep.
    pub(crate) fn new(cap: Cap, limits: &[Limit]) -> Self {
        Self { cap, limits: limits.to_vec(), intervals: BTreeMap::new(), capped: 0, repeated: 0 }
    }

    pub(crate) fn push(&mut self, detection: Detection) {
        // `head` and `tail` count over the whole run, so nothing is cut before they are applied.
        let interval = if self.limits.is_empty() { self.interval(&detection) } else { 0 };
        let list = self.intervals.entry(interval).or_default();
        list.push(detection);
        let full = self.cap.count.is_some_and(|count| list.len() >= (2 * count).max(1000));
        if full && self.limits.is_empty() {
            let mut list = std::mem::take(list);
            self.settle(&mut list);
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

    fn interval(&self, detection: &Detection) -> i64 {
        match (self.cap.interval, detection.time) {
            (Some(interval), Some(time)) if interval > 0 => time.div_euclid(interval),
            _ => 0,
        }
    }

    /// Orders the list, drops doubles, and cuts it to the cap.
    fn settle(&mut self, list: &mut Vec<Detection>) {
        self.order(list);
        let Some(count) = self.cap.count.filter(|count| *count < list.len()) else { return };
        self.capped += (list.len() - count) as u64;
        match self.cap.keep {
            Keep::Oldest => list.truncate(count),
            Keep::Newest => {
                list.drain(..list.len() - count);
            }
        }
    }

    /// A stable order: what the rule orders by, then the identity of the events.
    fn order(&mut self, list: &mut Vec<Detection>) {
        list.sort_by(|a, b| {
            a.order
                .cmp(&b.order)
                .then_with(|| identities(a).cmp(identities(b)))
                .then_with(|| a.keys.cmp(&b.keys))
        });
        let before = list.len();
        list.dedup_by(|a, b| a.keys == b.keys && same_events(a, b));
        self.repeated += (before - list.len()) as u64;
    }
}

fn identities(detection: &Detection) -> impl Iterator<Item = (&str, Option<&str>, &[u8], u32)> {
    detection.present().map(|event| identity(event))
}

fn identity(event: &Event) -> (&str, Option<&str>, &[u8], u32) {
    (&event.index, event.id.as_deref(), &event.source, event.occurrence)
}

/// Two events with the same index and id are one, whatever their documents say.
fn same_events(a: &Detection, b: &Detection) -> bool {
    let key = |event: &Event| match &event.id {
        Some(id) => (event.index.clone(), id.clone(), 0),
        None => (event.index.clone(), String::from_utf8_lossy(&event.source).into(), event.occurrence),
    };
    a.events.len() == b.events.len()
        && a.events.iter().zip(&b.events).all(|(a, b)| match (a, b) {
            (Some(a), Some(b)) => std::sync::Arc::ptr_eq(a, b) || (a.id == b.id && key(a) == key(b)),
            (None, None) => true,
            _ => false,
        })
}
