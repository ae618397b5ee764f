//! Why a rule matches events, or does not: every condition with its truth and the values that it saw.
//!
//! The rule runs over the input as in a hunt, which says whether there are alerts. Beside that each event is looked at
//! condition by condition ([`maxspan_plan::condition`]); of sequences and samples, the stages that found events and
//! what broke the chain between them. What is kept is bounded ([`ExplainOptions`]), whatever the size of the input.

mod chain;
mod nearest;
mod stages;
mod tree;
mod variants;
mod view;

pub mod text;

use std::borrow::Borrow;
use std::sync::Arc;

use maxspan_diagnostics::{Diagnostic, Source};
use maxspan_engine::Selectivity;
use maxspan_event::Schema;
use maxspan_rules::alert::AlertDocument;
use maxspan_rules::load::ValueLists;
use maxspan_rules::{CompileOptions, ExceptionStore, LoadedRules, RuleDocument};
use serde::Serialize;

use crate::hunt::{HuntAlert, HuntObserver, HuntOptions, HuntStats, Run};
use crate::input::{InputProblem, Item, RawEvent, Reader};
use crate::limits::{EXPLAIN_ALERTS_MAX, EXPLAIN_PROBLEMS_MAX};
use crate::rule_base::{RuleBase, RuleBaseOptions};
use nearest::Nearest;
use stages::StageTable;
use view::View;

pub use chain::{Break, Chain, ChainEvent};
pub use stages::{SeenStage, StageEvent};
pub use tree::{FieldSeen, Node};

/// How an explanation is made.
#[derive(Debug, Clone)]
pub struct ExplainOptions {
    /// As for a hunt.
    pub hunt: HuntOptions,
    /// Types of fields.
    pub schema: Schema,
    /// How the rule is compiled.
    pub compile: CompileOptions,
    /// Derive fields that older shippers leave out.
    pub normalize: bool,
    /// Explain the events that came closest to matching instead of the first ones.
    pub nearest: bool,
    /// Most events that are explained; of a sequence, for each stage.
    pub events_max: usize,
}

impl Default for ExplainOptions {
    fn default() -> Self {
        Self {
            hunt: HuntOptions::default(),
            schema: Schema::built_in(),
            compile: CompileOptions::default(),
            normalize: true,
            nearest: false,
            events_max: 10,
        }
    }
}

/// Why a rule matched, or did not.
#[derive(Debug, Serialize)]
pub struct Explanation {
    /// The rule's id.
    pub rule_id: String,
    /// The rule's name.
    pub name: String,
    /// Whether it looks for single events, a sequence or a sample.
    pub kind: &'static str,
    /// The text of the query.
    pub query: String,
    /// The alerts that a hunt raises, the first ones.
    pub alerts: Vec<AlertSummary>,
    /// What the hunt did.
    pub stats: HuntStats,
    /// Events that satisfy an event query, filters and exceptions included; 0 for sequences and samples.
    pub matched: u64,
    /// The events that are explained.
    pub events: Vec<EventExplanation>,
    /// The stages of a sequence or sample.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stages: Vec<SeenStage>,
    /// The chain of events that came closest to a sequence, and what broke it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chain: Option<Chain>,
    /// What could not be read, the first ones.
    #[serde(skip)]
    pub problems: Vec<InputProblem>,
    /// What is to be said about the rule: fields that no schema knows, exception lists that are not there …
    #[serde(skip)]
    pub diagnostics: Vec<(Arc<Source>, Diagnostic)>,
    /// Where the query stands: its file, and what to add to places.
    #[serde(skip)]
    pub source: Arc<Source>,
    /// Offset of the query in the source, in bytes.
    #[serde(skip)]
    pub shift: usize,
}

/// An alert in a line.
#[derive(Debug, Serialize)]
pub struct AlertSummary {
    /// Its id.
    pub id: String,
    /// Its reason.
    pub reason: String,
}

/// What became of a query for one event.
#[derive(Debug, Clone, Serialize)]
pub struct EventExplanation {
    /// Where the event was found: `file:line`.
    pub place: String,
    /// Its time, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// The index that it counts as; empty where nothing says.
    pub index: String,
    /// The stage that it is held against, from 1; none for an event query.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<usize>,
    /// Whether it satisfies the query, filters, exceptions, index patterns and window.
    pub matched: bool,
    /// How many conditions would have to turn.
    pub distance: u32,
    /// What the rule asks beside its query, and whether the event fits.
    pub gates: Vec<Gate>,
    /// The conditions of the query.
    pub conditions: Node,
}

/// What a rule asks of an event beside its query.
#[derive(Debug, Clone, Serialize)]
pub struct Gate {
    /// `index`, `filter`, `exception`, `window`.
    pub kind: &'static str,
    /// Whether the event fits.
    pub passed: bool,
    /// What is asked and what the event has.
    pub text: String,
}

/// A rule and what belongs to it.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The rule.
    pub rule: &'a RuleDocument,
    /// Exception lists.
    pub exceptions: &'a ExceptionStore,
    /// Value lists.
    pub value_lists: &'a ValueLists,
}

/// Explains a rule over the input; the messages where the rule cannot be run.
pub fn explain(
    subject: Subject<'_>,
    reader: &mut Reader,
    options: &ExplainOptions,
) -> Result<Explanation, Vec<(Arc<Source>, Diagnostic)>> {
    explain_each(subject, reader, options)
}

/// The same over events that were read already.
pub fn explain_items<'i>(
    subject: Subject<'_>,
    items: impl IntoIterator<Item = &'i Item>,
    options: &ExplainOptions,
) -> Result<Explanation, Vec<(Arc<Source>, Diagnostic)>> {
    explain_each(subject, items, options)
}

fn explain_each<I: Borrow<Item>>(
    subject: Subject<'_>,
    items: impl IntoIterator<Item = I>,
    options: &ExplainOptions,
) -> Result<Explanation, Vec<(Arc<Source>, Diagnostic)>> {
    let base = rule_base(subject, options);
    let Some(view) = View::new(subject, options) else { return Err(base.diagnostics) };
    if base.rule_set.is_empty() {
        return Err(base.diagnostics);
    }
    let mut run = Run::new(&base, &options.hunt);
    let mut heard = Heard::default();
    let mut watch = Watch::new(view, options);
    let mut bytes = 0;
    for item in items {
        run.item(item.borrow(), &mut heard);
        if let Item::Event(event) = item.borrow() {
            bytes += event.source.len() as u64;
            watch.event(event);
        }
    }
    let stats = run.finish(&mut heard, bytes);
    let explanation = watch.explanation(subject.rule, stats, heard);
    Ok(Explanation { diagnostics: base.diagnostics, ..explanation })
}

fn rule_base(subject: Subject<'_>, options: &ExplainOptions) -> RuleBase {
    let loaded = LoadedRules {
        rules: vec![subject.rule.clone()],
        exceptions: subject.exceptions.clone(),
        value_lists: subject.value_lists.clone(),
        ..LoadedRules::default()
    };
    let options = RuleBaseOptions {
        schema: options.schema.clone(),
        compile: options.compile.clone(),
        normalize: options.normalize,
        only: Vec::new(),
        selectivity: Selectivity::default(),
    };
    RuleBase::new(loaded, &options)
}

/// What the hunt says, as far as an explanation repeats it.
#[derive(Debug, Default)]
struct Heard {
    alerts: Vec<AlertSummary>,
    problems: Vec<InputProblem>,
}

impl HuntObserver for Heard {
    fn alert(&mut self, alert: HuntAlert) {
        if !alert.building_block && self.alerts.len() < EXPLAIN_ALERTS_MAX {
            let reason = reason(&alert.alert.document);
            self.alerts.push(AlertSummary { id: alert.alert.id, reason });
        }
    }

    fn problem(&mut self, problem: &InputProblem) {
        if self.problems.len() < EXPLAIN_PROBLEMS_MAX {
            self.problems.push(problem.clone());
        }
    }
}

/// Looks at each event as it passes.
struct Watch<'a> {
    view: View,
    options: &'a ExplainOptions,
    matched: u64,
    events: Vec<EventExplanation>,
    nearest: Nearest,
    stages: Option<StageTable>,
    arrival: u64,
}

impl<'a> Watch<'a> {
    fn new(view: View, options: &'a ExplainOptions) -> Self {
        let stages = (!view.is_event_query()).then(|| StageTable::new(&view, options));
        Self {
            stages,
            view,
            options,
            matched: 0,
            events: Vec::new(),
            nearest: Nearest::new(options.events_max),
            arrival: 0,
        }
    }

    fn event(&mut self, event: &RawEvent) {
        self.arrival += 1;
        // What cannot be decoded is among the hunt's problems.
        let Some(seen) = self.view.look(event, self.arrival, &self.options.hunt.default_index) else {
            return;
        };
        if let Some(stages) = &mut self.stages {
            stages.event(&self.view, &seen, event, self.arrival);
            return;
        }
        let distance = self.view.distance(&seen, 0);
        self.matched += u64::from(distance == 0);
        if self.options.nearest {
            if distance > 0 {
                self.nearest.offer(distance, || self.view.beyond_slips(0), self.arrival, event);
            }
        } else if self.events.len() < self.options.events_max {
            self.events.push(self.view.explain(&seen, event, None));
        }
    }

    fn explanation(mut self, rule: &RuleDocument, stats: HuntStats, heard: Heard) -> Explanation {
        let default_index = &self.options.hunt.default_index;
        for (arrival, event) in self.nearest.take() {
            if let Some(seen) = self.view.look(&event, arrival, default_index) {
                self.events.push(self.view.explain(&seen, &event, None));
            }
        }
        let (stages, chain) = match self.stages {
            Some(table) => table.finish(&mut self.view, default_index, stats.alerts > 0),
            None => (Vec::new(), None),
        };
        Explanation {
            rule_id: rule.rule_id.clone(),
            name: rule.name.clone(),
            kind: self.view.kind(),
            query: rule.query.clone(),
            alerts: heard.alerts,
            stats,
            matched: self.matched,
            events: self.events,
            stages,
            chain,
            problems: heard.problems,
            diagnostics: Vec::new(),
            source: Arc::clone(&self.view.outline.source),
            shift: self.view.outline.shift,
        }
    }
}

fn reason(document: &AlertDocument) -> String {
    document.get("kibana.alert.reason").and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
}
