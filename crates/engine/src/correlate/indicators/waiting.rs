//! Events that some run saw without an indicator of their values, and that a later run sees again.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use super::{NegatedValue, Packed};
use crate::events::Place;

/// An event that was not found yet.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) place: Place,
    pub(super) time: Option<i64>,
    /// Its place among events of the same time, where that decides.
    pub(super) arrival: u64,
    /// Its number among the events of the rule.
    pub(super) position: u64,
    /// The last run that sees it.
    pub(super) last_run: i64,
    /// Group, whether the values lead, and their digest.
    pub(super) keys: Box<[(u16, bool, Packed)]>,
    pub(super) negated: Box<[NegatedValue]>,
}

/// Events by their positions, found by their keys.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    events: HashMap<u64, Pending, FxBuildHasher>,
    by_key: BTreeSet<(Packed, u64)>,
    by_last_run: BTreeMap<i64, Vec<u64>>,
    bytes: usize,
}

/// What an entry of [`Waiting::by_key`] takes.
const KEY_BYTES: usize = 40;
/// What an event takes beside itself.
const EVENT_BYTES: usize = 32;

impl Pending {
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + size_of_val(&*self.keys) + size_of_val(&*self.negated)
    }

    fn waiting_bytes(&self) -> usize {
        self.bytes() + self.keys.len() * KEY_BYTES + EVENT_BYTES
    }
}

impl Waiting {
    pub(super) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn put(&mut self, event: Pending) {
        self.bytes += event.waiting_bytes();
        let position = event.position;
        self.by_key.extend(event.keys.iter().map(|(.., key)| (*key, position)));
        self.by_last_run.entry(event.last_run).or_default().push(position);
        self.events.insert(position, event);
    }

    /// The positions of events that wait for a key.
    pub(super) fn find(&self, key: Packed, found: &mut BTreeSet<u64>) {
        found.extend(self.by_key.range((key, 0)..=(key, u64::MAX)).map(|(_, position)| *position));
    }

    pub(super) fn take(&mut self, position: u64) -> Option<Pending> {
        let event = self.events.remove(&position)?;
        self.bytes -= event.waiting_bytes();
        for (.., key) in &event.keys {
            self.by_key.remove(&(*key, position));
        }
        Some(event)
    }

    /// Forgets events that no run from this one on sees.
    pub(super) fn forget_before(&mut self, run: i64) {
        while let Some(entry) = self.by_last_run.first_entry().filter(|entry| *entry.key() < run) {
            for position in entry.remove() {
                self.take(position);
            }
        }
    }

    pub(super) fn visit_places(&mut self, visit: &mut dyn FnMut(&mut Place)) {
        self.events.values_mut().for_each(|event| visit(&mut event.place));
    }
}
