//! Samples: for every key one event a stage, all different, in any order.

use std::collections::BTreeMap;

use super::held::{Held, StepKey};
use super::sequence::Fired;
use super::{CorrelatorOptions, RuleCounters};
use crate::detection::{DetectionOrder, TieValue};
use crate::events::Place;
use crate::limits::{SAMPLE_SEARCH_MAX, SAMPLES_PER_KEY_MAX};

/// An event and the rule's primary timestamp in it.
type Candidate = (Place, Option<i64>);

/// The state of one rule.
#[derive(Debug)]
pub(super) struct SampleState {
    stages: usize,
    per_key: usize,
    /// The events of each stage, by the key's bytes, which sort like the key.
    keys: BTreeMap<Box<[u8]>, Vec<Vec<Candidate>>>,
    keys_max: usize,
    events_max: usize,
    bytes: usize,
}

impl SampleState {
    pub(super) fn new(stages: usize, per_key: usize, options: &CorrelatorOptions) -> Self {
        let CorrelatorOptions { sample_keys: keys_max, sample_events: events_max, .. } = *options;
        let per_key = per_key.min(SAMPLES_PER_KEY_MAX);
        Self { stages, per_key, keys: BTreeMap::new(), keys_max, events_max, bytes: 0 }
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
    ) {
        let stages = self.stages;
        for (step, key) in steps {
            let is_new = !self.keys.contains_key(*key);
            if self.bytes > bytes_max || (is_new && self.keys.len() >= self.keys_max) {
                counters.evicted += 1;
                continue;
            }
            if is_new {
                self.bytes += key.len() + stages * size_of::<Vec<Candidate>>() + KEY_BYTES;
                self.keys.insert((*key).into(), vec![Vec::new(); stages]);
            }
            let events = self.keys.get_mut(*key).and_then(|stages| stages.get_mut(*step as usize));
            let Some(events) = events else { continue };
            if events.len() < self.events_max {
                let before = events.capacity();
                events.push((held.place, held.primary_time));
                self.bytes += (events.capacity() - before) * size_of::<Candidate>();
            } else {
                counters.evicted += 1;
            }
        }
    }

    /// Shows the places of all events.
    pub(super) fn visit_places(&mut self, visit: &mut dyn FnMut(&mut Place)) {
        for (place, _) in self.keys.values_mut().flatten().flatten() {
            visit(place);
        }
    }

    pub(super) fn finish(&mut self, counters: &mut RuleCounters, out: &mut dyn FnMut(Fired)) {
        for (key, stages) in std::mem::take(&mut self.keys) {
            let mut search = Search {
                stages: &stages,
                wanted: self.per_key,
                steps_left: SAMPLE_SEARCH_MAX,
                found: Vec::new(),
            };
            search.extend(&mut Vec::new());
            counters.evicted += u64::from(search.steps_left == 0);
            for sample in search.found {
                let time = sample.iter().filter_map(|(_, time)| *time).max();
                let events = sample.into_iter().map(|(event, _)| Some(event)).collect();
                let order = DetectionOrder { time: None, tiebreaker: TieValue::Absent, arrival: 0 };
                out(Fired { key: key.clone(), events, time, order, group: None, run_ms: None });
            }
        }
    }
}

/// What a key takes beside its bytes and its events.
const KEY_BYTES: usize = 64;

/// Depth-first search for samples of one key: stage by stage, an event that the sample does not have yet. Bounded in
/// steps, since choosing different events for many stages can take long.
struct Search<'a> {
    stages: &'a [Vec<Candidate>],
    wanted: usize,
    steps_left: usize,
    found: Vec<Vec<Candidate>>,
}

impl<'a> Search<'a> {
    fn extend(&mut self, chosen: &mut Vec<&'a Candidate>) {
        let Some(candidates) = self.stages.get(chosen.len()) else {
            self.found.push(chosen.iter().map(|candidate| **candidate).collect());
            return;
        };
        for candidate in candidates {
            if self.found.len() == self.wanted || self.steps_left == 0 {
                return;
            }
            self.steps_left -= 1;
            if chosen.iter().any(|other| other.0 == candidate.0) {
                continue;
            }
            chosen.push(candidate);
            self.extend(chosen);
            chosen.pop();
        }
    }
}
