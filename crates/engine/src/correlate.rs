//! Matches to detections: order, sequences, samples, lineage.
//!
//! Matches of rules that look at several events are held back, put in order, and handed to the rule's state machine.
//! So the detections do not depend on the order in which events arrive. When more is held back than the limit allows,
//! the older half is handed on; an event that belongs before that and arrives later is late: it is counted, not used.

use std::cmp::Ordering;

use maxspan_event::{Event, date};
use maxspan_plan::{Limit, PlanKind};

use crate::detection::{Detection, DetectionOrder, TieValue};
use crate::key::KeyValue;
use crate::limits::{
    BUFFER_BYTES_DEFAULT, LINEAGE_PROCESSES_MAX, SAMPLE_EVENTS_MAX, SAMPLE_KEYS_MAX, SEQUENCE_KEYS_MAX,
};
use crate::matcher::{Match, MatchBody, StepMatch};
use crate::ruleset::{CompiledRule, RuleId, RuleSet};

mod lineage;
mod sample;
mod sequence;

use lineage::LineageState;
use sample::SampleState;
use sequence::SequenceState;

/// What orders events of the same time and tiebreaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TieBreak {
    /// The order of arrival, as Elasticsearch.
    Arrival,
    /// The time below the millisecond, `event.sequence`, the earlier stage, the event's identity: the same for any order
    /// of arrival.
    Content,
}

/// How a correlator works.
#[derive(Debug, Clone, Copy)]
pub struct CorrelatorOptions {
    /// What orders events of the same time.
    pub tie_break: TieBreak,
    /// Most bytes held back for sorting, over all rules.
    pub buffer_bytes: usize,
    /// Most keys with state in one sequence.
    pub sequence_keys: usize,
    /// Most keys in one sample.
    pub sample_keys: usize,
    /// Most events of one stage and key in a sample.
    pub sample_events: usize,
    /// Most processes that the lineage queries of one rule remember.
    pub lineage_processes: usize,
    /// Up to when events are known, in nanoseconds since 1970: a sequence whose last events have to be missing for
    /// longer than that is not decided when the input ends. None: what has not come by then does not come.
    pub known_until: Option<i64>,
}

impl Default for CorrelatorOptions {
    fn default() -> Self {
        Self {
            tie_break: TieBreak::Content,
            buffer_bytes: BUFFER_BYTES_DEFAULT,
            sequence_keys: SEQUENCE_KEYS_MAX,
            sample_keys: SAMPLE_KEYS_MAX,
            sample_events: SAMPLE_EVENTS_MAX,
            lineage_processes: LINEAGE_PROCESSES_MAX,
            known_until: None,
        }
    }
}

/// What was lost, for one rule.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RuleCounters {
    /// Events that arrived after their place in the order had passed.
    pub late: u64,
    /// Events that came again: the same index and id at the same time.
    pub repeated: u64,
    /// Partial sequences, processes or sample events that a limit pushed out.
    pub evicted: u64,
    /// Sequences whose last events have to be missing, and whose window had not passed when events were last known.
    pub undecided: u64,
    /// Searches for an ancestor that ended after [`crate::limits::LINEAGE_DEPTH_MAX`] generations without an answer.
    pub lineage_cut: u64,
}

/// Holds the state of all rules.
#[derive(Debug)]
pub struct Correlator {
    options: CorrelatorOptions,
    rules: Vec<RuleState>,
    buffered_bytes: usize,
    ready: Vec<Detection>,
}

#[derive(Debug)]
struct RuleState {
    buffer: Vec<Match>,
    /// The last match that was handed on.
    frontier: Option<Match>,
    lineage: Option<LineageState>,
    machine: Machine,
    counters: RuleCounters,
}

#[derive(Debug)]
enum Machine {
    Events,
    Sequence(SequenceState),
    Sample(SampleState),
}

impl RuleState {
    fn new(rule: &CompiledRule, options: &CorrelatorOptions) -> Self {
        let machine = match &rule.plan.kind {
            PlanKind::Events(_) => Machine::Events,
            PlanKind::Sequence(sequence) => {
                Machine::Sequence(SequenceState::new(sequence, options.sequence_keys))
            }
            PlanKind::Sample(sample) => {
                Machine::Sample(SampleState::new(sample.steps.len(), rule.samples_per_key, options))
            }
        };
        let lineage = (!rule.plan.lineage.is_empty())
            .then(|| LineageState::new(&rule.plan.lineage, options.lineage_processes));
        Self { buffer: Vec::new(), frontier: None, lineage, machine, counters: RuleCounters::default() }
    }
}

impl Correlator {
    /// No state yet.
    pub fn new(rule_set: &RuleSet, options: CorrelatorOptions) -> Self {
        let rules = rule_set.rules().map(|(_, rule)| RuleState::new(rule, &options)).collect();
        Self { options, rules, buffered_bytes: 0, ready: Vec::new() }
    }

    /// Takes a match.
    pub fn push(&mut self, found: Match) {
        if matches!(found.body, MatchBody::Event) {
            self.ready.push(single(found, self.options.tie_break));
            return;
        }
        let state = &mut self.rules[found.rule.0 as usize];
        let late =
            state.frontier.as_ref().is_some_and(|last| order(&found, last, self.options.tie_break).is_lt());
        if late {
            state.counters.late += 1;
            return;
        }
        self.buffered_bytes += weight(&found);
        state.buffer.push(found);
        if self.buffered_bytes > self.options.buffer_bytes {
            self.relieve();
        }
    }

    /// Detections of rules that look at single events, and what limits made ready early.
    pub fn drain(&mut self) -> impl Iterator<Item = Detection> + '_ {
        self.ready.drain(..)
    }

    /// What was lost so far, for one rule.
    pub fn counters(&self, rule: RuleId) -> RuleCounters {
        self.rules[rule.0 as usize].counters
    }

    /// The input has ended: everything that is held back is settled. Detections come out rule by rule, each rule's in
    /// order of its last event.
    pub fn finish(&mut self) -> Vec<Detection> {
        for index in 0..self.rules.len() {
            let count = self.rules[index].buffer.len();
            let before = self.ready.len();
            self.hand_on(index, count);
            let state = &mut self.rules[index];
            match &mut state.machine {
                Machine::Events => {}
                Machine::Sequence(machine) => {
                    let known_until = self.options.known_until.map(date::to_millis);
                    machine.finish(RuleId(index as u32), known_until, &mut state.counters, &mut self.ready);
                }
                Machine::Sample(machine) => {
                    machine.finish(RuleId(index as u32), &mut state.counters, &mut self.ready);
                }
            }
            // What waits for trailing missing events is decided in another order.
            self.ready[before..].sort_by(|a, b| a.order.cmp(&b.order));
        }
        std::mem::take(&mut self.ready)
    }

    /// Hands on the older half of every buffer.
    fn relieve(&mut self) {
        for index in 0..self.rules.len() {
            let count = self.rules[index].buffer.len().div_ceil(2);
            self.hand_on(index, count);
        }
    }

    fn hand_on(&mut self, index: usize, count: usize) {
        let tie_break = self.options.tie_break;
        let state = &mut self.rules[index];
        state.buffer.sort_by(|a, b| order(a, b, tie_break));
        for found in state.buffer.drain(..count) {
            self.buffered_bytes -= weight(&found).min(self.buffered_bytes);
            let again =
                |last: &Match| last.event.index == found.event.index && last.event.id == found.event.id;
            if state.frontier.as_ref().is_some_and(|last| last.time == found.time && again(last)) {
                state.counters.repeated += 1;
                continue;
            }
            let settled = match &mut state.lineage {
                Some(lineage) => lineage.settle(&found, &mut state.counters),
                None => Settled::from(&found.body),
            };
            match (&mut state.machine, settled) {
                (_, Settled::Nothing) => {}
                (Machine::Events, _) => self.ready.push(single(found.clone(), tie_break)),
                (Machine::Sequence(machine), Settled::Steps(steps)) => {
                    let order = order_of(&found, tie_break);
                    machine.push(&found, &steps, &order, &mut state.counters, &mut self.ready);
                }
                (Machine::Sample(machine), Settled::Steps(steps)) => {
                    machine.push(&found, &steps, &mut state.counters);
                }
                (_, Settled::Event) => {}
            }
            state.frontier = Some(found);
        }
        if let Machine::Sequence(machine) = &mut state.machine {
            machine.expire(&mut state.counters);
        }
    }
}

/// A match with its lineage queries answered.
enum Settled {
    Nothing,
    Event,
    Steps(Vec<StepMatch>),
}

impl From<&MatchBody> for Settled {
    fn from(body: &MatchBody) -> Self {
        match body {
            MatchBody::Event => Self::Event,
            MatchBody::Steps(steps) => Self::Steps(steps.clone()),
            MatchBody::Lineage(_) => Self::Nothing,
        }
    }
}

fn single(found: Match, tie_break: TieBreak) -> Detection {
    let order = order_of(&found, tie_break);
    Detection {
        rule: found.rule,
        time: found.primary_time,
        order,
        events: vec![Some(found.event)],
        keys: Box::default(),
    }
}

/// The place of a detection whose last event this is.
fn order_of(found: &Match, tie_break: TieBreak) -> DetectionOrder {
    DetectionOrder {
        time: found.time.map(|nanos| date::from_millis(date::to_millis(nanos))),
        tiebreaker: found.tiebreaker.clone().map_or(TieValue::Absent, TieValue::Value),
        arrival: if tie_break == TieBreak::Arrival { found.event.arrival } else { 0 },
    }
}

/// Memory of a match in bytes, roughly.
fn weight(found: &Match) -> usize {
    const RECORD_BYTES: usize = 300;
    found.event.source.len() + RECORD_BYTES
}

/// The order of events: time with the precision of Elasticsearch's dates, tiebreaker, and what the policy says.
fn order(a: &Match, b: &Match, tie_break: TieBreak) -> Ordering {
    let millis = |found: &Match| found.time.map(date::to_millis);
    let by_time = millis(a).cmp(&millis(b));
    let by_tiebreaker = || compare_present_first(a.tiebreaker.as_ref(), b.tiebreaker.as_ref());
    by_time.then_with(by_tiebreaker).then_with(|| match tie_break {
        TieBreak::Arrival => a.event.arrival.cmp(&b.event.arrival),
        TieBreak::Content => a
            .time
            .cmp(&b.time)
            .then_with(|| a.sequence_number.cmp(&b.sequence_number))
            .then_with(|| first_step(a).cmp(&first_step(b)))
            .then_with(|| identity(&a.event).cmp(&identity(&b.event))),
    })
}

/// Events without a tiebreaker come after those with one.
fn compare_present_first(a: Option<&KeyValue>, b: Option<&KeyValue>) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => a.cmp(b),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    }
}

fn first_step(found: &Match) -> usize {
    match &found.body {
        MatchBody::Event => 0,
        MatchBody::Steps(steps) => steps.first().map_or(0, |step| step.step),
        MatchBody::Lineage(lineage) => {
            lineage.steps.iter().position(|(table, _)| *table != 0).unwrap_or(usize::MAX)
        }
    }
}

fn identity(event: &Event) -> (&str, &str, &[u8]) {
    (&event.index, &event.id, &event.source)
}

/// Keeps what `head` and `tail` keep.
pub fn apply_limits<T>(mut results: Vec<T>, limits: &[Limit]) -> Vec<T> {
    for limit in limits {
        match limit {
            Limit::Head(count) => results.truncate(*count),
            Limit::Tail(count) => {
                results.drain(..results.len().saturating_sub(*count));
            }
        }
    }
    results
}
