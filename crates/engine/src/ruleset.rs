//! Compiled rules. Immutable once built; all that changes is passed beside it.

use std::sync::Arc;

use maxspan_event::index::{IndexPatterns, PatternLists};
use maxspan_event::{Decoder, Fields, Normalizer, Schema, Slot};
use maxspan_plan::{Plan, PlanKind, Predicate};
use rustc_hash::FxHashMap;

use crate::prefilter::{Prefilter, Selectivity, UnitReport, gate};
use crate::program::Program;

/// A rule's place in its rule set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RuleId(pub u32);

/// A rule as the engine runs it.
#[derive(Debug, Clone)]
pub struct CompiledRule {
    /// What it looks for.
    pub plan: Plan,
    /// Which indices it looks into.
    pub indices: IndexPatterns,
    /// The timestamp that orders its events.
    pub timestamp: Slot,
    /// What orders events of the same time.
    pub tiebreaker: Option<Slot>,
    /// Where the time of a detection is read, the first present one.
    pub primary: Vec<Slot>,
    /// How many samples of one key are wanted.
    pub samples_per_key: usize,
    /// Its conditions ask that the primary timestamp lies within these instants, both included, in nanoseconds since 1970;
    /// none where any will do. Who reads events can leave out others; not indicators, of which it is not asked.
    pub times: Option<(i64, i64)>,
}

/// All rules of a run, and the decoder for the fields that they name.
#[derive(Debug)]
pub struct RuleSet {
    rules: Vec<CompiledRule>,
    decoder: Decoder,
    normalizer: Option<Normalizer>,
    prefilter: Prefilter,
    program: Program,
    selectivity: Selectivity,
    views: Views,
    /// By rule, whether it needs [`maxspan_event::Slots::leaves`].
    asks_leaves: Vec<bool>,
    /// `event.sequence`: the shipper's own order, where timestamps are equal.
    sequence_number: Slot,
    /// `data_stream.type`, `.dataset`, `.namespace`
    data_stream: [Slot; 3],
    /// `kibana.alert.uuid`: the event is an alert.
    alert_uuid: Slot,
    /// See [`RuleSetBuilder::noted`].
    noted: Option<Slot>,
}

/// Which indices rules look into. A thousand rules have some hundred different lists of patterns.
#[derive(Debug)]
struct Views {
    /// The different ones.
    lists: PatternLists,
    /// By rule, which of them.
    of_rules: Vec<u32>,
    /// Of rules that look for indicators, which one chooses those.
    of_indicators: Vec<(RuleId, u32)>,
}

impl Views {
    fn new(rules: &[CompiledRule]) -> Self {
        let (mut lists, mut numbers) = (Vec::new(), FxHashMap::default());
        let mut number = |indices| {
            *numbers.entry(indices).or_insert_with(|| {
                lists.push(indices);
                lists.len() as u32 - 1
            })
        };
        let of_rules = rules.iter().map(|rule| number(&rule.indices)).collect();
        let ids = (0..).map(RuleId).zip(rules);
        let of_indicators = ids.filter_map(|(id, rule)| Some((id, number(rule.indicator_indices()?))));
        let of_indicators = of_indicators.collect();
        Self { lists: PatternLists::new(lists), of_rules, of_indicators }
    }
}

/// Collects rules and the fields they name.
#[derive(Debug)]
pub struct RuleSetBuilder {
    /// The schema that fields are resolved with.
    pub schema: Schema,
    /// The fields named so far.
    pub fields: Fields,
    /// What the prefilter chooses its anchors by.
    pub selectivity: Selectivity,
    /// A field whose values are remembered ([`crate::Scratch::noted`]), whatever rules say of their events.
    pub noted: Option<Slot>,
    rules: Vec<CompiledRule>,
}

impl RuleSetBuilder {
    /// No rules yet.
    pub fn new(schema: Schema) -> Self {
        let (fields, selectivity) = (Fields::default(), Selectivity::default());
        Self { schema, fields, selectivity, noted: None, rules: Vec::new() }
    }

    /// Adds a rule whose plan was lowered with [`RuleSetBuilder::fields`].
    pub fn add(&mut self, rule: CompiledRule) -> RuleId {
        self.rules.push(rule);
        RuleId(self.rules.len() as u32 - 1)
    }

    /// The slot of a field by its name.
    pub fn slot(&mut self, name: &str) -> Slot {
        let field = self.schema.field(name);
        self.fields.slot(&field)
    }

    /// The rule set; with `normalize`, fields that older shippers leave out are derived.
    pub fn build(mut self, normalize: bool) -> RuleSet {
        let normalizer = normalize.then(|| Normalizer::new(&mut self.fields, &self.schema));
        let sequence_number = self.slot("event.sequence");
        let data_stream =
            ["type", "dataset", "namespace"].map(|name| self.slot(&format!("data_stream.{name}")));
        let alert_uuid = self.slot("kibana.alert.uuid");
        let gate = gate::slots(&mut self.fields, &self.schema);
        let Self { schema, fields, selectivity, noted, rules } = self;
        let (prefilter, program) = Prefilter::new(&rules, &gate, &fields, &selectivity);
        let views = Views::new(&rules);
        let asks_leaves = rules.iter().map(CompiledRule::asks_leaves).collect();
        let decoder = Decoder::new(fields, schema).looked_at(prefilter.fields_looked_at());
        RuleSet {
            rules,
            decoder,
            normalizer,
            prefilter,
            program,
            selectivity,
            views,
            asks_leaves,
            sequence_number,
            data_stream,
            alert_uuid,
            noted,
        }
    }
}

impl RuleSet {
    /// All rules with their ids.
    pub fn rules(&self) -> impl Iterator<Item = (RuleId, &CompiledRule)> {
        self.rules.iter().enumerate().map(|(index, rule)| (RuleId(index as u32), rule))
    }

    /// One rule.
    pub fn rule(&self, id: RuleId) -> &CompiledRule {
        &self.rules[id.0 as usize]
    }

    /// How many rules there are.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there is no rule.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The decoder for all fields that the rules name.
    pub fn decoder(&self) -> &Decoder {
        &self.decoder
    }

    /// Rules of which every event of their index is a candidate that passes the gate, of which they ask nothing but what
    /// whole classes of events have: the always-list.
    pub fn always_rules(&self) -> impl Iterator<Item = RuleId> + '_ {
        self.prefilter.always_rules()
    }

    /// How the prefilter finds a rule.
    pub fn prefilter_report(&self, rule: RuleId) -> Vec<UnitReport> {
        self.prefilter.report(rule, self.rule(rule), self.decoder.fields(), &self.selectivity)
    }

    /// Conditions of all rules, and those of them that several rules or steps share.
    pub fn condition_counts(&self) -> (usize, usize) {
        self.program.leaf_counts()
    }

    /// The rules that look into an index; all of them where nothing says which it is.
    pub(crate) fn rules_of(&self, index: &str) -> Arc<[RuleId]> {
        let chosen = self.views.lists.matching(index);
        let is_chosen = |view: u32| index.is_empty() || chosen[view as usize];
        let mut more = self.views.of_indicators.iter().peekable();
        let rules = self.views.of_rules.iter().zip(0..).map(|(view, number)| (RuleId(number), *view));
        let rules = rules.filter(|(id, view)| {
            let indicators = more.next_if(|(other, _)| other == id);
            is_chosen(*view) || indicators.is_some_and(|(_, view)| is_chosen(*view))
        });
        rules.map(|(id, _)| id).collect()
    }

    /// Of the rules that look for indicators, whether the index is one of their events, and one of their indicators.
    pub(crate) fn sides_of(&self, index: &str, rules: &[RuleId]) -> Arc<[(RuleId, [bool; 2])]> {
        let chosen = |indices: &IndexPatterns| index.is_empty() || indices.matches(index);
        let sides = rules.iter().filter_map(|id| {
            let rule = self.rule(*id);
            Some((*id, [chosen(&rule.indices), chosen(rule.indicator_indices()?)]))
        });
        sides.collect()
    }

    pub(crate) fn prefilter(&self) -> &Prefilter {
        &self.prefilter
    }

    pub(crate) fn program(&self) -> &Program {
        &self.program
    }

    pub(crate) fn asks_leaves(&self, rule: RuleId) -> bool {
        self.asks_leaves[rule.0 as usize]
    }

    pub(crate) fn normalizer(&self) -> Option<&Normalizer> {
        self.normalizer.as_ref()
    }

    pub(crate) fn alert_uuid_slot(&self) -> Slot {
        self.alert_uuid
    }

    pub(crate) fn noted(&self) -> Option<Slot> {
        self.noted
    }

    pub(crate) fn data_stream_slots(&self) -> [Slot; 3] {
        self.data_stream
    }

    pub(crate) fn sequence_number(&self) -> Slot {
        self.sequence_number
    }
}

impl CompiledRule {
    /// A rule that looks into every index, ordered by `timestamp` alone.
    pub fn new(plan: Plan, timestamp: Slot) -> Self {
        Self {
            plan,
            indices: IndexPatterns::default(),
            timestamp,
            tiebreaker: None,
            primary: vec![timestamp],
            samples_per_key: 1,
            times: None,
        }
    }

    /// Where its indicators are, where it looks for some.
    pub fn indicator_indices(&self) -> Option<&IndexPatterns> {
        match &self.plan.kind {
            PlanKind::Indicators(plan) => Some(&plan.indices),
            _ => None,
        }
    }

    /// Whether some condition needs every leaf of an event.
    fn asks_leaves(&self) -> bool {
        let lineage = self.plan.lineage.iter().map(|query| &query.predicate);
        self.plan.steps().into_iter().chain(lineage).any(Predicate::asks_leaves)
    }

    /// Whether single events are all it looks for, without regard to others.
    pub fn is_stateless(&self) -> bool {
        matches!(self.plan.kind, PlanKind::Events(_)) && self.plan.lineage.is_empty()
    }
}
