//! A rule made ready to be looked at condition by condition, and an event in its light.

use std::sync::Arc;

use maxspan_engine::{Match, Occurrences, RuleSet, RuleSetBuilder, Scratch};
use maxspan_event::index::IndexPatterns;
use maxspan_event::{Slot, ValueRef, date};
use maxspan_plan::condition::Stage;
use maxspan_plan::{Environment, GroupTest, Grouped, Plan, PlanKind};
use maxspan_rules::RuleType;
use maxspan_rules::compile::{ANOMALY_INDICES, Columns, Outcome, RuleOutline, compile, outline};

use super::tree::{is_slip, node};
use super::variants::{Variant, variants};
use super::{EventExplanation, ExplainOptions, Gate, Subject};
use crate::input::RawEvent;

/// The rule, its parts, and its relaxed variants.
#[derive(Debug)]
pub(super) struct View {
    pub(super) outline: RuleOutline,
    pub(super) plan: Plan,
    /// The rule's variants, in the order of the rule set, from its second rule on; the first is the rule itself.
    pub(super) variants: Vec<Variant>,
    pub(super) rule_set: RuleSet,
    indices: IndexPatterns,
    patterns: Vec<String>,
    timestamp: Slot,
    scratch: Scratch,
    occurrences: Occurrences,
}

/// An event whose values are in the view's slots.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) index: Arc<str>,
    /// Nanoseconds since 1970.
    pub(super) time: Option<i64>,
    /// Whether index, filters, exceptions and window let it through; each that does not counts.
    closed_gates: u32,
    /// The matches of the rule and its variants.
    pub(super) matches: Vec<Match>,
}

impl View {
    /// None where the rule cannot be run.
    pub(super) fn new(subject: Subject<'_>, options: &ExplainOptions) -> Option<Self> {
        let Subject { rule, exceptions, value_lists } = subject;
        let mut builder = RuleSetBuilder::new(options.schema.clone());
        let compiled =
            compile(rule, exceptions, value_lists, &mut builder, &Columns::default(), &options.compile);
        let rows_query = compiled.rows_query;
        let Outcome::Ready(compiled) = compiled.outcome else { return None };
        let outline = outline(rule, exceptions, value_lists, &mut builder, &options.compile)?;
        let variants = variants(&compiled.plan);
        let mut relaxed_rules = Vec::new();
        let plan = compiled.plan.clone();
        let (timestamp, indices) = (compiled.timestamp, compiled.indices.clone());
        for variant in &variants {
            let mut relaxed = (*compiled).clone();
            relaxed.plan.kind = variant.kind.clone();
            relaxed_rules.push(relaxed);
        }
        builder.add(*compiled);
        for relaxed in relaxed_rules {
            builder.add(relaxed);
        }
        let patterns = match rule.rule_type() {
            RuleType::MachineLearning => vec![ANOMALY_INDICES],
            RuleType::Esql => rows_query.iter().flat_map(|rows| &rows.patterns).map(String::as_str).collect(),
            _ => rule.index_patterns(),
        };
        let patterns = patterns.into_iter().map(str::to_owned).collect();
        let rule_set = builder.build(options.normalize);
        let (scratch, occurrences) = (Scratch::default(), Occurrences::default());
        Some(Self { outline, plan, variants, rule_set, indices, patterns, timestamp, scratch, occurrences })
    }

    pub(super) fn is_event_query(&self) -> bool {
        matches!(self.plan.kind, PlanKind::Events(_) | PlanKind::Grouped(_) | PlanKind::Indicators(_))
    }

    pub(super) fn kind(&self) -> &'static str {
        match self.plan.kind {
            PlanKind::Events(_) => "event",
            PlanKind::Sequence(_) => "sequence",
            PlanKind::Sample(_) => "sample",
            PlanKind::Grouped(Grouped { test: GroupTest::Count { .. }, .. }) => "threshold",
            PlanKind::Grouped(Grouped { test: GroupTest::New { .. }, .. }) => "new terms",
            PlanKind::Grouped(Grouped { test: GroupTest::All, .. }) => "ES|QL",
            PlanKind::Indicators(_) => "indicator match",
        }
    }

    /// The stages, `until` last.
    pub(super) fn stages(&self) -> impl Iterator<Item = &Stage> {
        self.outline.query.stages.iter().chain(&self.outline.query.until)
    }

    fn stage(&self, number: usize) -> Option<&Stage> {
        self.stages().nth(number)
    }

    /// Decodes an event; none where that fails.
    pub(super) fn look(&mut self, event: &RawEvent, arrival: u64, default_index: &str) -> Option<Seen> {
        let input = event.input(default_index);
        let view = self.rule_set.view_event(&input, &mut self.scratch).ok()?;
        let time = match self.scratch.slots().first(self.timestamp) {
            Some(ValueRef::Date(nanos)) => Some(nanos),
            _ => None,
        };
        let matches = if self.variants.is_empty() {
            Vec::new()
        } else {
            let matched = self.rule_set.match_event(&input, &mut self.scratch).ok()?;
            matched.into_iter().flat_map(|matched| self.occurrences.settle(matched, arrival)).collect()
        };
        let closed_gates = self.closed_gates(&view.index);
        Some(Seen { index: view.index, time, closed_gates, matches })
    }

    /// How many conditions and gates are in the way of a stage for the event that was looked at last.
    pub(super) fn distance(&self, seen: &Seen, stage: usize) -> u32 {
        let conditions = self.stage(stage).map_or(0, |stage| stage.condition.distance(self.scratch.slots()));
        conditions + seen.closed_gates
    }

    /// The join keys of a stage that the event that was looked at last lacks.
    pub(super) fn lacking_keys(&self, stage: usize) -> Vec<String> {
        let Some(stage) = self.stage(stage) else { return Vec::new() };
        let lacks = |slot: Slot| !self.scratch.slots().is_present(slot);
        let needed = stage.keys.iter().filter(|(_, key)| !key.optional && lacks(key.slot));
        needed.map(|(read, _)| read.name.clone()).collect()
    }

    /// How many of the conditions in the way fail for more than a slip: not only by the case of letters, or because a
    /// wildcard is none.
    pub(super) fn beyond_slips(&self, stage: usize) -> u32 {
        let Some(stage) = self.stage(stage) else { return 0 };
        let verdict = stage.condition.evaluate(self.scratch.slots());
        verdict.obstacles().into_iter().filter(|obstacle| !is_slip(obstacle)).count() as u32
    }

    /// The event that was looked at last, condition by condition.
    pub(super) fn explain(&self, seen: &Seen, event: &RawEvent, stage: Option<usize>) -> EventExplanation {
        let number = stage.unwrap_or(0);
        // A plan has at least one stage, and numbers come from its own stages.
        let conditions = self.stage(number).map(|stage| {
            node(&stage.condition.evaluate(self.scratch.slots()), &self.outline.source, self.outline.shift)
        });
        let distance = self.distance(seen, number);
        EventExplanation {
            place: event.location.to_string(),
            time: seen.time.map(date::format_millis),
            index: seen.index.to_string(),
            stage: stage.map(|stage| stage + 1),
            matched: distance == 0,
            distance,
            gates: self.gates(&seen.index),
            conditions: conditions.unwrap_or_default(),
        }
    }

    /// How many gates an event of the index is stopped by; [`View::gates`] names them.
    fn closed_gates(&self, index: &str) -> u32 {
        let environment = Environment::new(self.scratch.slots());
        let filters = self.outline.filters.iter().filter(|(_, filter)| !filter.holds(environment)).count();
        let exceptions = self.outline.exceptions.iter().filter(|(.., item)| item.holds(environment)).count();
        let outside = !self.outline.window.holds(environment);
        (filters + exceptions) as u32 + u32::from(!self.is_chosen(index)) + u32::from(outside)
    }

    /// Whether the rule looks into the index; events without one are looked at by every rule.
    fn is_chosen(&self, index: &str) -> bool {
        index.is_empty() || self.indices.matches(index)
    }

    /// What the rule asks beside its query: all that an event fails, and the index and filters that it passes.
    fn gates(&self, index: &str) -> Vec<Gate> {
        let environment = Environment::new(self.scratch.slots());
        let mut gates = Vec::new();
        let passed = self.is_chosen(index);
        let patterns = self.patterns.join(", ");
        let text = match (index.is_empty(), passed) {
            (true, _) => "the event names no index, so every rule looks at it".to_owned(),
            (false, true) => format!("`{index}` is one of {patterns}"),
            (false, false) => format!("`{index}` is none of {patterns}"),
        };
        gates.push(Gate { kind: "index", passed, text });
        for (number, filter) in &self.outline.filters {
            let passed = filter.holds(environment);
            let word = if passed { "holds" } else { "does not hold" };
            gates.push(Gate { kind: "filter", passed, text: format!("filter {} {word}", number + 1) });
        }
        for (name, id, item) in &self.outline.exceptions {
            if item.holds(environment) {
                let text = format!("the exception `{name}` ({id}) applies to the event");
                gates.push(Gate { kind: "exception", passed: false, text });
            }
        }
        if !self.outline.window.holds(environment) {
            let text = "the event's time lies outside of the window".to_owned();
            gates.push(Gate { kind: "window", passed: false, text });
        }
        gates
    }
}
