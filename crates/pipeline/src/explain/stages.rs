//! The stages of a sequence or sample: which events each found, and which came closest where it found none.

use maxspan_engine::{Correlator, CorrelatorOptions, KeyStyle, KeyTuple, MatchBody, RuleId};
use maxspan_event::date;
use maxspan_plan::condition::Stage;
use serde::Serialize;

use super::chain::{Chain, Record, best_chain};
use super::nearest::Nearest;
use super::tree::one_line;
use super::view::{Seen, View};
use super::{EventExplanation, ExplainOptions};
use crate::input::RawEvent;
use crate::limits::EXPLAIN_RECORDS_MAX;

/// A stage and what it found.
#[derive(Debug, Serialize)]
pub struct SeenStage {
    /// Its number in the query, from 1; runs count each.
    pub number: usize,
    /// Its text.
    pub text: String,
    /// `event`, `missing` or `until`.
    pub role: &'static str,
    /// The join keys.
    pub keys: Vec<String>,
    /// Events that satisfy it.
    pub matched: u64,
    /// Of these, events that lack a join key, and so take no part.
    pub without_key: u64,
    /// Of these, events without a timestamp, which take no part.
    pub without_time: u64,
    /// The first of the events.
    pub events: Vec<StageEvent>,
    /// The events that came closest, where none satisfies it or the nearest ones were asked for.
    pub nearest: Vec<EventExplanation>,
}

/// An event that satisfies a stage.
#[derive(Debug, Clone, Serialize)]
pub struct StageEvent {
    /// Where it was found: `file:line`.
    pub place: String,
    /// Its time.
    pub time: Option<String>,
    /// The values of the join keys; several where a field has several, none where the event takes no part.
    pub keys: Vec<Vec<Option<String>>>,
    /// The join keys that it lacks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lacks: Vec<String>,
}

/// Collects what the stages find.
#[derive(Debug)]
pub(super) struct StageTable {
    stages: Vec<SeenStage>,
    nearest: Vec<Nearest>,
    all_nearest: bool,
    events_max: usize,
    correlator: Correlator,
    pub(super) records: Vec<Record>,
}

impl StageTable {
    pub(super) fn new(view: &View, options: &ExplainOptions) -> Self {
        let until = view.outline.query.until.is_some();
        let count = view.stages().count();
        let stages = view.stages().enumerate().map(|(index, stage)| {
            let role = if until && index + 1 == count {
                "until"
            } else if stage.missing {
                "missing"
            } else {
                "event"
            };
            seen_stage(index + 1, role, stage, view)
        });
        let stages: Vec<SeenStage> = stages.collect();
        Self {
            nearest: stages.iter().map(|_| Nearest::new(options.events_max)).collect(),
            stages,
            all_nearest: options.nearest,
            events_max: options.events_max,
            correlator: Correlator::new(&view.rule_set, CorrelatorOptions::default()),
            records: Vec::new(),
        }
    }

    /// Takes the event that the view has just looked at.
    pub(super) fn event(&mut self, view: &View, seen: &Seen, event: &RawEvent, arrival: u64) {
        let own = seen.matches.iter().find(|found| found.rule == RuleId(0));
        let steps = own.map_or_else(Vec::new, |found| steps_of(&found.body));
        let place = event.location.to_string();
        for index in 0..self.stages.len() {
            let distance = view.distance(seen, index);
            if distance > 0 {
                self.nearest[index].offer(distance, || view.beyond_slips(index), arrival, event);
                continue;
            }
            let keys = steps.iter().find(|(step, _)| *step == index).map(|(_, keys)| keys);
            let lacks = if keys.is_none() { view.lacking_keys(index) } else { Vec::new() };
            self.matched(
                index,
                keys,
                seen,
                StageEvent { place: place.clone(), time: None, keys: Vec::new(), lacks },
            );
        }
        if !steps.is_empty() && self.records.len() < EXPLAIN_RECORDS_MAX {
            self.records.push(Record { arrival, place, time: seen.time, steps });
        }
        for found in &seen.matches {
            self.correlator.push(found.clone());
        }
    }

    fn matched(&mut self, index: usize, keys: Option<&Vec<KeyTuple>>, seen: &Seen, event: StageEvent) {
        let stage = &mut self.stages[index];
        stage.matched += 1;
        if keys.is_none() && seen.time.is_none() {
            stage.without_time += 1;
        } else if keys.is_none() {
            stage.without_key += 1;
        }
        if stage.events.len() < self.events_max {
            let text = |key: &KeyTuple| key.iter().map(|value| value.to_text(KeyStyle::Sequence)).collect();
            let keys = keys.map_or_else(Vec::new, |keys| keys.iter().map(text).collect());
            stage.events.push(StageEvent { time: seen.time.map(date::format_millis), keys, ..event });
        }
    }

    /// The stages, and the chain that came closest where there is no alert.
    pub(super) fn finish(
        mut self,
        view: &mut View,
        default_index: &str,
        alerted: bool,
    ) -> (Vec<SeenStage>, Option<Chain>) {
        let detections = self.correlator.finish();
        let chain = (!alerted).then(|| best_chain(view, &detections, &self.records)).flatten();
        for (index, stage) in self.stages.iter_mut().enumerate() {
            let wanted = stage.role == "event" && (stage.matched == 0 || self.all_nearest);
            let count = if self.all_nearest { self.events_max } else { 1 };
            for (arrival, event) in
                self.nearest[index].take().into_iter().take(if wanted { count } else { 0 })
            {
                if let Some(seen) = view.look(&event, arrival, default_index) {
                    stage.nearest.push(view.explain(&seen, &event, Some(index)));
                }
            }
        }
        (self.stages, chain)
    }
}

/// The stages of a match and their keys; where processes' relations decide, those that may hold.
fn steps_of(body: &MatchBody) -> Vec<(usize, Vec<KeyTuple>)> {
    match body {
        MatchBody::Event => Vec::new(),
        MatchBody::Steps(steps) | MatchBody::Counted(steps) => {
            steps.iter().map(|step| (step.step, step.keys.clone())).collect()
        }
        MatchBody::Lineage(lineage) => {
            let possible = lineage.steps.iter().enumerate().filter(|(_, (table, _))| *table != 0);
            possible.map(|(step, (_, keys))| (step, keys.clone())).collect()
        }
    }
}

fn seen_stage(number: usize, role: &'static str, stage: &Stage, view: &View) -> SeenStage {
    let text = stage.span.shifted(view.outline.shift);
    SeenStage {
        number,
        text: one_line(text.slice(&view.outline.source.text)),
        role,
        keys: stage.keys.iter().map(|(read, _)| read.name.clone()).collect(),
        matched: 0,
        without_key: 0,
        without_time: 0,
        events: Vec::new(),
        nearest: Vec::new(),
    }
}
