//! Samples: for every key one event a stage, all different, in any order.

use std::collections::BTreeMap;
use std::sync::Arc;

use maxspan_event::Event;

use super::{CorrelatorOptions, RuleCounters};
use crate::detection::{Detection, DetectionOrder, TieValue};
use crate::key::KeyTuple;
use crate::limits::{SAMPLE_SEARCH_MAX, SAMPLES_PER_KEY_MAX};
use crate::matcher::{Match, StepMatch};
use crate::ruleset::RuleId;

/// An event and the rule's primary timestamp in it.
type Candidate = (Arc<Event>, Option<i64>);

/// The state of one rule.
#[derive(Debug)]
pub(super) struct SampleState {
    stages: usize,
    per_key: usize,
    /// The events of each stage, by key; keys in ascending order.
    keys: BTreeMap<KeyTuple, Vec<Vec<Candidate>>>,
    keys_max: usize,
    events_max: usize,
}

impl SampleState {
    pub(super) fn new(stages: usize, per_key: usize, options: &CorrelatorOptions) -> Self {
        let CorrelatorOptions { sample_keys: keys_max, sample_events: events_max, .. } = *options;
        Self {
            stages,
            per_key: per_key.min(SAMPLES_PER_KEY_MAX),
            keys: BTreeMap::new(),
            keys_max,
            events_max,
        }
    }

    pub(super) fn push(&mut self, found: &Match, steps: &[StepMatch], counters: &mut RuleCounters) {
        let stages = self.stages;
        for (step, key) in steps.iter().flat_map(|step| step.keys.iter().map(move |key| (step.step, key))) {
            if self.keys.len() == self.keys_max && !self.keys.contains_key(key) {
                counters.evicted += 1;
                continue;
            }
            let events = &mut self.keys.entry(key.clone()).or_insert_with(|| vec![Vec::new(); stages])[step];
            if events.len() < self.events_max {
                events.push((Arc::clone(&found.event), found.primary_time));
            } else {
                counters.evicted += 1;
            }
        }
    }

    pub(super) fn finish(&mut self, rule: RuleId, counters: &mut RuleCounters, out: &mut Vec<Detection>) {
        for (keys, stages) in std::mem::take(&mut self.keys) {
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
                out.push(Detection { rule, events, keys: keys.clone(), time, order });
            }
        }
    }
}

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
            self.found.push(chosen.iter().map(|candidate| (*candidate).clone()).collect());
            return;
        };
        for candidate in candidates {
            if self.found.len() == self.wanted || self.steps_left == 0 {
                return;
            }
            self.steps_left -= 1;
            if chosen.iter().any(|other| Arc::ptr_eq(&other.0, &candidate.0)) {
                continue;
            }
            chosen.push(candidate);
            self.extend(chosen);
            chosen.pop();
        }
    }
}
