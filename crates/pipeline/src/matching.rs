//! Matching without regard to order: what any worker can do with events, one by one or a batch at a time.
//!
//! What comes out is taken in the order of the input by whoever knows what came before: a hunt or a query.

use std::collections::BTreeSet;
use std::sync::LazyLock;
use std::time::Instant;

use maxspan_engine::{Costs, MatchCounters, Matched, RuleSet, Scratch};

use crate::limits::THREADS_MAX;

use crate::input::{Batch, BatchEvent, BatchItem, InputProblem, RawEvent};
use crate::source::undecodable;

/// A worker's view of the rules, and what it reuses from event to event.
#[derive(Debug)]
pub(crate) struct Matcher<'a> {
    rule_set: &'a RuleSet,
    default_index: &'a str,
    /// Whether events are wanted that satisfy nothing.
    watched: bool,
    scratch: Scratch,
}

/// What some items of the input gave.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// In the order of the input.
    pub(crate) steps: Vec<Step>,
    /// Events among the items.
    pub(crate) arrivals: u64,
    /// Of these, events that could be decoded.
    pub(crate) events: u64,
}

/// What the order of the input matters to.
#[derive(Debug)]
pub(crate) enum Step {
    /// An event of a run that is watched, before what it satisfied.
    Event(RawEvent),
    /// What an event satisfied, and its place among the outcome's arrivals, from 0.
    Matched(u64, Matched),
    /// Something that could not be read.
    Problem(InputProblem),
}

impl Outcome {
    /// Places among the arrivals of the events that satisfied something.
    pub(crate) fn matched(&self) -> impl Iterator<Item = u64> + '_ {
        self.steps.iter().filter_map(|step| match step {
            Step::Matched(place, _) => Some(*place),
            Step::Event(_) | Step::Problem(_) => None,
        })
    }
}

impl<'a> Matcher<'a> {
    pub(crate) fn new(rule_set: &'a RuleSet, default_index: &'a str, watched: bool) -> Self {
        Self { rule_set, default_index, watched, scratch: Scratch::default() }
    }

    /// One for each of `threads`, of which there is at least one.
    pub(crate) fn for_threads(
        threads: usize,
        rule_set: &'a RuleSet,
        index: &'a str,
        watched: bool,
    ) -> Vec<Self> {
        (0..threads.clamp(1, THREADS_MAX)).map(|_| Self::new(rule_set, index, watched)).collect()
    }

    /// The same, keeping account of what events and rules cost.
    pub(crate) fn metered(self) -> Self {
        Self { scratch: Scratch::metered(nanoseconds), ..self }
    }

    /// What events and rules cost; none where that was not asked for.
    pub(crate) fn costs(&self) -> Option<&Costs> {
        self.scratch.costs()
    }

    /// The different values of the field that is noted.
    pub(crate) fn noted(&self) -> &BTreeSet<Box<str>> {
        self.scratch.noted()
    }

    /// What happened beside matches, since the matcher was made.
    pub(crate) fn counters(&self) -> MatchCounters {
        self.scratch.counters()
    }

    /// Matches all events of a batch.
    pub(crate) fn batch(&mut self, batch: &Batch) -> Outcome {
        let mut outcome = Outcome::default();
        for item in batch.iter() {
            self.item(item, &mut outcome);
        }
        outcome
    }

    /// Matches the event, or passes the problem on.
    pub(crate) fn item(&mut self, item: BatchItem<'_>, outcome: &mut Outcome) {
        match item {
            BatchItem::Event(event) => self.event(&event, outcome),
            BatchItem::Problem(problem) => outcome.steps.push(Step::Problem(problem.clone())),
        }
    }

    fn event(&mut self, event: &BatchEvent<'_>, outcome: &mut Outcome) {
        if self.watched {
            outcome.steps.push(Step::Event(event.to_raw()));
        }
        let place = outcome.arrivals;
        outcome.arrivals += 1;
        match self.rule_set.match_event(&event.input(self.default_index), &mut self.scratch) {
            Ok(matched) => {
                outcome.events += 1;
                outcome.steps.extend(matched.map(|matched| Step::Matched(place, matched)));
            }
            Err(error) => outcome.steps.push(Step::Problem(undecodable(&event.location(), error))),
        }
    }
}

/// Files of indicators.
impl Matcher<'_> {
    /// Takes a document as an indicator that was there before all events, in one index or in all of them.
    pub(crate) fn indicator(
        &mut self,
        event: &RawEvent,
        in_index: Option<&str>,
    ) -> Result<Option<Matched>, InputProblem> {
        let matched = self.rule_set.match_indicator(&event.input(""), in_index, &mut self.scratch);
        matched.map_err(|error| undecodable(&event.location, error))
    }
}

/// Nanoseconds since the first call.
fn nanoseconds() -> u64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    u64::try_from(START.elapsed().as_nanos()).unwrap_or(u64::MAX)
}
