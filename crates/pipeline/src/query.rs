//! One query over one input, answered in the shape of Elasticsearch's EQL search.

pub mod documents;
pub mod rows;

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Instant;

use maxspan_diagnostics::{Diagnostic, codes, has_errors};
use maxspan_engine::{
    CompiledRule, Correlator, CorrelatorOptions, Detection, EventStore, KeptEvent, KeyStyle, KeyValue,
    Matched, Occurrences, RuleId, RuleSet, RuleSetBuilder, TieBreak,
};
pub use maxspan_engine::{MatchCounters, RuleCounters};
use maxspan_eql::{ParseOptions as EqlOptions, Strictness};
use maxspan_esql::run::Tables;
use maxspan_event::Schema;
use maxspan_plan::{Limit, Plan, PlanKind};
use maxspan_rules::alert::SourceEvent;
use serde_json::{Map, Value, json};

use crate::input::{InputProblem, Reader};
use crate::limits::{CAPPED_REMEMBERED_MAX, QUERY_PROBLEMS_MAX};
use crate::matching::{Matcher, Outcome, Step};
use crate::retained::{Cap, Keep, Retained};
use crate::source::source_event;
use crate::workers;

/// Query languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueryLanguage {
    /// EQL.
    Eql,
    /// KQL.
    Kql,
}

/// How a query is run; the names are those of Elasticsearch's EQL search.
#[derive(Debug, Clone)]
pub struct QueryOptions {
    /// The language of the query.
    pub language: QueryLanguage,
    /// The field that orders events.
    pub timestamp_field: String,
    /// The field that orders events of the same time; then the order of arrival counts.
    pub tiebreaker_field: Option<String>,
    /// The field of the event category.
    pub event_category_field: String,
    /// Most events, sequences or samples in the answer.
    pub size: usize,
    /// Most samples of one key; more than [`crate::limits::SAMPLES_PER_KEY_MAX`] are as many as that.
    pub max_samples_per_key: usize,
    /// Types of fields.
    pub schema: Schema,
    /// What EQL refuses.
    pub strictness: Strictness,
    /// What `now` is, in nanoseconds since 1970.
    pub now: i64,
    /// Derive fields that older shippers leave out.
    pub normalize: bool,
    /// The index of events that name none.
    pub default_index: String,
    /// How many threads match events; the answer is the same for any number.
    pub threads: usize,
    /// The tables that LOOKUP JOIN and ENRICH may name.
    pub tables: Arc<Tables>,
}

impl Default for QueryOptions {
    fn default() -> Self {
        Self {
            language: QueryLanguage::Eql,
            timestamp_field: "@timestamp".to_owned(),
            tiebreaker_field: None,
            event_category_field: "event.category".to_owned(),
            size: 10,
            max_samples_per_key: 1,
            schema: Schema::built_in(),
            strictness: Strictness::Lenient,
            now: 0,
            normalize: true,
            default_index: String::new(),
            threads: 1,
            tables: Arc::default(),
        }
    }
}

/// The answer and what happened on the way.
#[derive(Debug)]
pub struct QueryAnswer {
    /// `{"is_partial": …, "took": …, "hits": {…}}`
    pub response: Value,
    /// Warnings about the query.
    pub diagnostics: Vec<Diagnostic>,
    /// What could not be read: the first [`QUERY_PROBLEMS_MAX`] of it.
    pub problems: Vec<InputProblem>,
    /// How many more there were.
    pub more_problems: u64,
    /// What limits took away from events.
    pub events_lost: MatchCounters,
    /// What limits took away from sequences, samples and lineage.
    pub state_lost: RuleCounters,
    /// Events that were read.
    pub events: u64,
}

/// Runs a query. The error holds the messages about a query that cannot be run.
pub fn run(text: &str, reader: &mut Reader, options: &QueryOptions) -> Result<QueryAnswer, Vec<Diagnostic>> {
    let started = Instant::now();
    let mut builder = RuleSetBuilder::new(options.schema.clone());
    let (plan, diagnostics) = plan(text, &mut builder, options);
    let Some(plan) = plan else { return Err(diagnostics) };
    let (shape, limits) = (Shape::of(&plan), plan.limits.clone());
    let timestamp = builder.slot(&options.timestamp_field);
    let mut rule = CompiledRule::new(plan, timestamp);
    rule.tiebreaker = options.tiebreaker_field.as_deref().map(|name| builder.slot(name));
    rule.samples_per_key = options.max_samples_per_key;
    builder.add(rule);
    let rule_set = builder.build(options.normalize);
    let mut collection = Collection::new(&rule_set, shape, &limits, options);
    let mut matchers = Matcher::for_threads(options.threads, &rule_set, &options.default_index, false);
    workers::in_order(reader, &mut matchers, Matcher::batch, |outcome, _| collection.outcome(outcome));
    let mut events_lost = MatchCounters::default();
    for matcher in &matchers {
        events_lost += matcher.counters();
    }
    let found = collection.finish(&limits);
    let response = answer(&found, collection.correlator.events(), shape, started);
    let (problems, more_problems) = std::mem::take(&mut collection.problems).into_parts();
    Ok(QueryAnswer {
        response,
        diagnostics,
        events_lost,
        state_lost: collection.correlator.counters(RuleId(0)),
        problems,
        more_problems,
        events: collection.events,
    })
}

/// What could not be read.
#[derive(Debug, Default)]
struct Problems {
    first: Vec<InputProblem>,
    more: u64,
}

impl Problems {
    fn push(&mut self, problem: InputProblem) {
        if self.first.len() < QUERY_PROBLEMS_MAX {
            self.first.push(problem);
        } else {
            self.more += 1;
        }
    }

    /// The first of them, and how many more there were.
    fn into_parts(self) -> (Vec<InputProblem>, u64) {
        (self.first, self.more)
    }
}

/// The state of a query that is being run.
struct Collection<'a> {
    options: &'a QueryOptions,
    occurrences: Occurrences,
    correlator: Correlator,
    retained: Retained,
    shape: Shape,
    /// Sequences that a limit made ready before the end.
    early: Vec<Detection>,
    problems: Problems,
    arrivals: u64,
    events: u64,
}

impl<'a> Collection<'a> {
    fn new(rule_set: &'a RuleSet, shape: Shape, limits: &[Limit], options: &'a QueryOptions) -> Self {
        let correlator_options =
            CorrelatorOptions { tie_break: TieBreak::Arrival, ..CorrelatorOptions::default() };
        // Elasticsearch gives the last events when there are more than wanted, unless the query asks for its head.
        let remembered = Arc::new(AtomicUsize::new(CAPPED_REMEMBERED_MAX));
        let cap =
            Cap { count: Some(options.size), interval: None, runs: None, keep: keep(limits), remembered };
        Self {
            options,
            occurrences: Occurrences::default(),
            correlator: Correlator::new(rule_set, correlator_options),
            retained: Retained::new(cap, limits),
            shape,
            early: Vec::new(),
            problems: Problems::default(),
            arrivals: 0,
            events: 0,
        }
    }

    /// Takes what the next items gave.
    fn outcome(&mut self, outcome: Outcome) {
        let Outcome { steps, arrivals, events } = outcome;
        for step in steps {
            match step {
                Step::Matched(place, matched) => self.matched(matched, self.arrivals + place),
                Step::Problem(problem) => self.problems.push(problem),
                Step::Event(_) => {}
            }
        }
        self.arrivals += arrivals;
        self.events += events;
    }

    fn matched(&mut self, matched: Matched, arrival: u64) {
        self.occurrences.settle(matched, arrival).for_each(|found| self.correlator.push(found));
        for detection in self.correlator.drain() {
            match self.shape {
                Shape::Events => self.retained.push(detection),
                Shape::Sequences | Shape::Samples => self.early.push(detection),
            }
        }
    }

    fn finish(&mut self, limits: &[Limit]) -> Vec<Detection> {
        let settled = self.correlator.finish();
        if self.shape == Shape::Events {
            for detection in settled {
                self.retained.push(detection);
            }
            return self.retained.finish();
        }
        // Sequences and samples come out in the order of Elasticsearch already.
        let found = self.early.drain(..).chain(settled).collect();
        let found = maxspan_engine::apply_limits(found, limits);
        let size = match (self.shape, keep(limits)) {
            (Shape::Samples, _) | (_, Keep::Oldest) => Limit::Head(self.options.size),
            _ => Limit::Tail(self.options.size),
        };
        maxspan_engine::apply_limits(found, &[size])
    }
}

/// Parses and lowers a query of either language.
pub(crate) fn plan(
    text: &str,
    builder: &mut RuleSetBuilder,
    options: &QueryOptions,
) -> (Option<Plan>, Vec<Diagnostic>) {
    match options.language {
        QueryLanguage::Kql => {
            let (tree, mut found) = maxspan_kql::parse(text, &maxspan_kql::ParseOptions::default());
            let lowered = tree.map(|tree| {
                let lower = maxspan_kql::LowerOptions { now: options.now };
                maxspan_kql::lower(&tree, &builder.schema, &mut builder.fields, &lower)
            });
            let (predicate, more) = lowered.unwrap_or_default();
            found.extend(more);
            (predicate.map(|predicate| Plan::new(PlanKind::Events(predicate))), found)
        }
        QueryLanguage::Eql => {
            let lineage = options.strictness == Strictness::Lenient;
            let (tree, mut found) = maxspan_eql::parse_with(text, &EqlOptions { lineage });
            let lower = maxspan_eql::LowerOptions {
                event_category_field: options.event_category_field.clone(),
                strictness: options.strictness,
                now: options.now,
            };
            let lowered = tree
                .filter(|_| !has_errors(&found))
                .map(|tree| maxspan_eql::lower(&tree, text, &builder.schema, &mut builder.fields, &lower));
            let (plan, more) = lowered.unwrap_or_default();
            found.extend(more);
            if plan.is_none() && !has_errors(&found) {
                found.push(Diagnostic::new(
                    codes::EQL_SYNTAX,
                    maxspan_diagnostics::Span::default(),
                    "the query is empty",
                ));
            }
            (plan, found)
        }
    }
}

/// What the answer lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Events,
    Sequences,
    Samples,
}

impl Shape {
    fn of(plan: &Plan) -> Self {
        match plan.kind {
            // Queries have no schedule, so none is of groups.
            PlanKind::Events(_) | PlanKind::Grouped(_) | PlanKind::Indicators(_) => Self::Events,
            PlanKind::Sequence(_) => Self::Sequences,
            PlanKind::Sample(_) => Self::Samples,
        }
    }
}

fn keep(limits: &[Limit]) -> Keep {
    if matches!(limits.last(), Some(Limit::Head(_))) { Keep::Oldest } else { Keep::Newest }
}

fn answer(found: &[Detection], events: &EventStore, shape: Shape, started: Instant) -> Value {
    let style = if shape == Shape::Samples { KeyStyle::Sample } else { KeyStyle::Sequence };
    let document = |event: &KeptEvent| event_json(events, event);
    let total = json!({"value": found.len(), "relation": "eq"});
    let hits = match shape {
        Shape::Events => {
            let events: Vec<Value> =
                found.iter().flat_map(maxspan_engine::Detection::present).map(document).collect();
            json!({"total": total, "events": events})
        }
        Shape::Sequences | Shape::Samples => {
            let sequences: Vec<Value> = found.iter().map(|one| sequence_json(one, events, style)).collect();
            json!({"total": total, "sequences": sequences})
        }
    };
    json!({
        "is_partial": false,
        "is_running": false,
        "took": u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        "timed_out": false,
        "hits": hits,
    })
}

fn sequence_json(detection: &Detection, events: &EventStore, style: KeyStyle) -> Value {
    let mut map = Map::new();
    if !detection.keys.is_empty() {
        let keys: Vec<Value> = detection.keys.iter().map(|key| key_json(key, style)).collect();
        map.insert("join_keys".to_owned(), Value::Array(keys));
    }
    let missing = || json!({"_index": "", "_id": "", "missing": true});
    let document =
        |event: &Option<KeptEvent>| event.as_ref().map_or_else(missing, |event| event_json(events, event));
    map.insert("events".to_owned(), detection.events.iter().map(document).collect());
    Value::Object(map)
}

fn key_json(key: &KeyValue, style: KeyStyle) -> Value {
    match key {
        KeyValue::Null => Value::Null,
        KeyValue::Boolean(value) => json!(value),
        KeyValue::Long(value) => json!(value),
        KeyValue::Unsigned(value) => json!(value),
        KeyValue::Double(bits) => json!(f64::from_bits(*bits)),
        other => json!(other.to_text(style)),
    }
}

fn event_json(events: &EventStore, event: &KeptEvent) -> Value {
    // Nothing is put aside, so every document can be read.
    let SourceEvent { index, id, source } =
        source_event(events, event).unwrap_or_else(|_| SourceEvent::missing());
    json!({"_index": &*index, "_id": id, "_source": source.map(|source| source.to_value())})
}
