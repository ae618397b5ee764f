//! What several events must satisfy: sequences, samples, and limits on what is found.

use maxspan_event::Slot;

use crate::grouped::{Grouped, Windows};
use crate::indicators::Indicators;
use crate::predicate::Predicate;

/// A rule's query, ready to be run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What is looked for.
    pub kind: PlanKind,
    /// `head` and `tail`, in order.
    pub limits: Vec<Limit>,
    /// Lineage queries that predicates of the plan refer to; a query may refer to earlier ones.
    pub lineage: Vec<Lineage>,
}

/// What is looked for.
#[derive(Debug, Clone)]
pub enum PlanKind {
    /// Single events.
    Events(Predicate),
    /// Events in order.
    Sequence(Sequence),
    /// Events that share a key, in any order.
    Sample(Sample),
    /// Groups of events, over the windows of a schedule.
    Grouped(Grouped),
    /// Events that have the values of indicators, over the windows of a schedule.
    Indicators(Box<Indicators>),
}

/// How many results are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// The first ones.
    Head(usize),
    /// The last ones.
    Tail(usize),
}

/// One stage of a sequence or sample.
#[derive(Debug, Clone)]
pub struct Step {
    /// What its event must satisfy, the event category included.
    pub predicate: Predicate,
    /// There must be no such event.
    pub missing: bool,
    /// The join keys, those of all stages first.
    pub keys: Vec<Key>,
}

/// A join key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// The field.
    pub slot: Slot,
    /// Null is a value like any other; else an event without the key takes no part.
    pub optional: bool,
}

/// Events in order.
#[derive(Debug, Clone)]
pub struct Sequence {
    /// The stages, runs expanded; at least one is not missing.
    pub steps: Vec<Step>,
    /// Longest time from the first event to the last, in milliseconds, included.
    pub maxspan_ms: Option<i64>,
    /// An event that drops what its key has in flight.
    pub until: Option<Step>,
}

/// Events that share a key, in any order.
#[derive(Debug, Clone)]
pub struct Sample {
    /// The stages; at least two.
    pub steps: Vec<Step>,
}

/// A lineage query: relates an event's process to one that matched.
#[derive(Debug, Clone)]
pub struct Lineage {
    /// The relation.
    pub relation: Relation,
    /// What an event of the related process must have satisfied, at the same time or before.
    pub predicate: Predicate,
    /// `process.entity_id`
    pub process: Slot,
    /// `process.parent.entity_id`
    pub parent: Slot,
}

/// How the processes are related.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// The process itself matched.
    Event,
    /// Its parent matched.
    Child,
    /// Some ancestor matched.
    Descendant,
}

impl Plan {
    /// A plan without limits and lineage.
    pub fn new(kind: PlanKind) -> Self {
        Self { kind, limits: Vec::new(), lineage: Vec::new() }
    }

    /// The windows of its schedule, where it goes by some.
    pub fn windows(&self) -> Option<Windows> {
        match &self.kind {
            PlanKind::Events(_) | PlanKind::Sequence(_) | PlanKind::Sample(_) => None,
            PlanKind::Grouped(grouped) => Some(grouped.windows),
            PlanKind::Indicators(indicators) => Some(indicators.windows),
        }
    }

    /// The step with a number, as in [`Plan::steps`]; none for event queries.
    pub fn step(&self, number: usize) -> Option<&Step> {
        match &self.kind {
            PlanKind::Events(_) => None,
            PlanKind::Sequence(sequence) => sequence.steps.iter().chain(&sequence.until).nth(number),
            PlanKind::Sample(sample) => sample.steps.get(number),
            PlanKind::Grouped(grouped) => grouped.steps.get(number),
            PlanKind::Indicators(indicators) => indicators.steps.get(number),
        }
    }

    /// The predicates of the plan's steps, `until` last.
    pub fn steps(&self) -> Vec<&Predicate> {
        match &self.kind {
            PlanKind::Events(predicate) => vec![predicate],
            PlanKind::Sequence(sequence) => {
                sequence.steps.iter().chain(&sequence.until).map(|step| &step.predicate).collect()
            }
            PlanKind::Sample(sample) => sample.steps.iter().map(|step| &step.predicate).collect(),
            PlanKind::Grouped(grouped) => grouped.steps.iter().map(|step| &step.predicate).collect(),
            PlanKind::Indicators(indicators) => indicators.steps.iter().map(|step| &step.predicate).collect(),
        }
    }

    /// The plan with another condition on every event that takes part in it: a rule's filters and exceptions, which
    /// Elasticsearch applies to events before sequences are matched.
    pub fn restricted(mut self, condition: &Predicate) -> Self {
        let restrict = |predicate: &mut Predicate| {
            let inner = std::mem::replace(predicate, Predicate::Constant(true));
            *predicate = Predicate::and([inner, condition.clone()]);
        };
        match &mut self.kind {
            PlanKind::Events(predicate) => restrict(predicate),
            PlanKind::Sequence(sequence) => {
                sequence
                    .steps
                    .iter_mut()
                    .chain(&mut sequence.until)
                    .for_each(|step| restrict(&mut step.predicate));
            }
            PlanKind::Sample(sample) => {
                sample.steps.iter_mut().for_each(|step| restrict(&mut step.predicate));
            }
            PlanKind::Grouped(grouped) => {
                grouped.steps.iter_mut().for_each(|step| restrict(&mut step.predicate));
            }
            PlanKind::Indicators(indicators) => {
                indicators.steps.iter_mut().for_each(|step| restrict(&mut step.predicate));
            }
        }
        self.lineage.iter_mut().for_each(|lineage| restrict(&mut lineage.predicate));
        self
    }
}
