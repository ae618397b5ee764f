//! A case at work: its rules over its events, and what came of it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use maxspan_diagnostics::{Diagnostic, Source, render as rendered};
use maxspan_engine::Selectivity;
use maxspan_event::Schema;
use maxspan_rules::CompileOptions;
use maxspan_rules::lint::Allows;

use super::document::{Case, SpecFile};
use super::events::{self, CaseEvent, items};
use super::expect::{self, Difference};
use super::files::SpecFiles;
use super::options::SpecOptions;
use super::rules::{Built, Library};
use super::update::{self, Edit};
use crate::check::{Check, CheckOptions};
use crate::explain::text::{Plain, render};
use crate::explain::{ExplainOptions, Subject, explain_items};
use crate::hunt::{Collected, HuntAlert, HuntStats, hunt_items};
use crate::input::{InputProblem, Item};
use crate::rule_base::{RuleBase, RuleBaseOptions};

/// Orders in which a case with `any_order` is run beside its own and the reverse.
const SHUFFLES: u64 = 4;

/// Rules of a case that are explained; those that stayed silent come first.
const EXPLAINED_RULES_MAX: usize = 3;
/// Events of a case that are explained, of a sequence for each stage.
const EXPLAINED_EVENTS_MAX: usize = 5;

/// How cases are run.
#[derive(Debug, Clone)]
pub struct RunnerOptions {
    /// Types of fields; parsed once, shared by all cases.
    pub schema: Schema,
    /// A file or folder with the rules of cases that name none.
    pub fallback_rules: Option<PathBuf>,
}

impl Default for RunnerOptions {
    fn default() -> Self {
        Self { schema: Schema::built_in(), fallback_rules: None }
    }
}

/// Runs cases. Rules and what they share are read and compiled once; may be used by several threads at a time.
pub struct Runner<'a> {
    files: &'a dyn SpecFiles,
    library: Library<'a>,
    has_fallback: bool,
}

/// What became of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// All is as expected.
    Passed,
    /// Something differs.
    Failed,
    /// It was not run to the end, for this reason.
    Skipped(String),
    /// It cannot be run, for this reason.
    Broken(String),
}

/// What became of a case, and why.
#[derive(Debug)]
pub struct CaseOutcome {
    /// In a word.
    pub verdict: Verdict,
    /// What differs from what is expected.
    pub differences: Vec<Difference>,
    /// Of a case that failed: what its rules made of its events.
    pub explanation: Option<String>,
    /// What would make a case that failed pass.
    pub edits: Vec<Edit>,
    /// Wall time.
    pub seconds: f64,
}

/// A case as it was run.
#[derive(Debug)]
pub struct CaseRun {
    /// Its events in the order of arrival.
    pub events: Vec<CaseEvent>,
    /// Alerts in the order of output, building blocks included.
    pub alerts: Vec<HuntAlert>,
    /// What the hunt did.
    pub stats: HuntStats,
    /// Events that could not be read.
    pub problems: Vec<InputProblem>,
    built: Arc<Built>,
    options: SpecOptions,
    /// Number and block of events, by their place in the order of arrival.
    places: Vec<(u64, usize)>,
}

impl CaseRun {
    /// The rules of the case.
    pub fn rules(&self) -> &RuleBase {
        &self.built.base
    }

    /// Its events as a hunt takes them ([`hunt_items`]).
    pub fn items(&self) -> impl Iterator<Item = &Item> {
        items(&self.events)
    }

    /// Number and block of the events of an alert that are there.
    pub(super) fn events_of(&self, alert: &HuntAlert) -> impl Iterator<Item = (u64, usize)> {
        alert.events.iter().flatten().filter_map(|event| {
            let index = usize::try_from(event.arrival).ok()?.checked_sub(1)?;
            self.places.get(index).copied()
        })
    }

    /// Line and column of a message as specs count them: in a block from its first line.
    pub(super) fn place(&self, source: &Arc<Source>, diagnostic: &Diagnostic) -> (usize, usize) {
        let position = source.position(diagnostic.span.start);
        let block = self.built.blocks.iter().find(|(block, _)| Arc::ptr_eq(block, source));
        let first = block.map_or(1, |(_, first)| *first);
        ((position.line + 1).saturating_sub(first).max(1), position.column)
    }
}

/// What `rules check --strict` says about the rules of a case, for `text diagnostics`.
pub fn diagnostics(run: &CaseRun) -> Vec<(Arc<Source>, Diagnostic)> {
    let compile = CompileOptions { strictness: run.options.checked, ..run.options.compile.clone() };
    let base = RuleBaseOptions {
        schema: run.rules().schema.clone(),
        compile,
        normalize: run.options.normalize,
        only: Vec::new(),
        selectivity: Selectivity::default(),
    };
    let options = CheckOptions { base, lints: true, allows: Allows::default() };
    Check::new(run.built.loaded.clone(), options).finish().messages
}

/// The text of `maxspan explain` for the case; none without events, or a rule that can be run.
pub(super) fn explained(run: &CaseRun) -> Option<String> {
    if run.events.is_empty() {
        return None;
    }
    let fired: Vec<u32> = run.alerts.iter().map(|alert| alert.rule.0).collect();
    let (mut rules, alerted): (Vec<_>, Vec<_>) =
        run.rules().rule_set.rules().map(|(id, _)| id).partition(|id| !fired.contains(&id.0));
    // Whoever asks why, asks about silence first.
    rules.extend(alerted);
    let options = ExplainOptions {
        hunt: run.options.hunt.clone(),
        schema: run.rules().schema.clone(),
        compile: run.options.compile.clone(),
        normalize: run.options.normalize,
        nearest: false,
        events_max: EXPLAINED_EVENTS_MAX,
    };
    let mut texts = Vec::new();
    for id in rules.iter().take(EXPLAINED_RULES_MAX) {
        let subject = Subject {
            rule: run.rules().document(*id),
            exceptions: &run.built.loaded.exceptions,
            value_lists: &run.built.loaded.value_lists,
        };
        let explanation = explain_items(subject, items(&run.events), &options).ok()?;
        texts.push(render(&explanation, &Plain));
    }
    let rest = rules.len().saturating_sub(EXPLAINED_RULES_MAX);
    if rest > 0 {
        texts.push(format!("… and {rest} more rules\n"));
    }
    (!texts.is_empty()).then(|| texts.join("\n"))
}

impl<'a> Runner<'a> {
    /// A runner that reads linked files through `files`.
    pub fn new(files: &'a dyn SpecFiles, options: RunnerOptions) -> Self {
        let has_fallback = options.fallback_rules.is_some();
        Self { files, library: Library::new(files, options.schema, options.fallback_rules), has_fallback }
    }

    /// Runs a case of a spec and compares.
    pub fn run(&self, spec: &SpecFile, case: &Case) -> CaseOutcome {
        let started = Instant::now();
        let mut outcome = match self.outcome(spec, case) {
            Ok(outcome) => outcome,
            Err(verdict) => CaseOutcome {
                verdict,
                differences: Vec::new(),
                explanation: None,
                edits: Vec::new(),
                seconds: 0.0,
            },
        };
        outcome.seconds = started.elapsed().as_secs_f64();
        outcome
    }

    fn outcome(&self, spec: &SpecFile, case: &Case) -> Result<CaseOutcome, Verdict> {
        let file = &spec.source.name;
        if case.is_broken {
            return Err(Verdict::Broken("the spec has errors".to_owned()));
        }
        if case.setup.rules.is_empty() && case.setup.exceptions.is_empty() && !self.has_fallback {
            return Err(Verdict::Broken("the case has no rule".to_owned()));
        }
        let built = self.library.base(&case.setup, file).map_err(Verdict::Broken)?;
        let mut differences = Vec::new();
        if case.expected.diagnostics.is_none() {
            differences.extend(unusable(case, &built)?);
        }
        let default = SpecOptions::default();
        let options = case.setup.options.as_deref().unwrap_or(&default);
        let events = events::read(case, file, self.files).map_err(Verdict::Broken)?;
        let run = case_run(built, events, options);
        if differences.is_empty() {
            differences = expect::compare(case, &run, &spec.source);
            differences.extend(other_orders(case, &run, options));
        }
        let verdict = if differences.is_empty() { Verdict::Passed } else { Verdict::Failed };
        let failed = verdict == Verdict::Failed;
        Ok(CaseOutcome {
            verdict,
            explanation: if failed { explained(&run) } else { None },
            edits: if failed { update::edits(spec, case, &run) } else { Vec::new() },
            differences,
            seconds: 0.0,
        })
    }
}

/// Rules with errors fail a case that does not ask for them; where there is no rule to run, there is nothing to fail.
fn unusable(case: &Case, built: &Built) -> Result<Option<Difference>, Verdict> {
    let base = &built.base;
    let errors: Vec<String> = base
        .errors()
        .map(|(source, diagnostic)| rendered(source, std::slice::from_ref(diagnostic)).trim_end().to_owned())
        .collect();
    if !errors.is_empty() && case.expected.stats.is_none() {
        let what = "the rules of the case have errors".to_owned();
        return Ok(Some(Difference { line: case.line, what, notes: errors, ..Difference::default() }));
    }
    if !base.rule_set.is_empty() || case.expected.stats.is_some() {
        return Ok(None);
    }
    if let Some(rule) = base.not_run.first() {
        return Err(Verdict::Skipped(rule.reason.clone()));
    }
    Err(Verdict::Broken(match built.immature {
        0 => "there is no rule where the links of the case lead".to_owned(),
        _ => "the maturity of the case's rules is not production; the option `any_maturity = true` runs them"
            .to_owned(),
    }))
}

fn case_run(built: Arc<Built>, events: Vec<CaseEvent>, options: &SpecOptions) -> CaseRun {
    let mut found = Collected::default();
    let stats = hunt_items(&built.base, items(&events), &options.hunt, &mut found);
    let is_event = |event: &&CaseEvent| matches!(event.item, Item::Event(_));
    let places = events.iter().filter(is_event).map(|event| (event.number, event.block)).collect();
    let Collected { alerts, problems } = found;
    CaseRun { events, alerts, stats, problems, options: options.clone(), built, places }
}

/// With `any_order`, the first other order of the events that gives other alerts.
fn other_orders(case: &Case, run: &CaseRun, options: &SpecOptions) -> Option<Difference> {
    if !options.any_order {
        return None;
    }
    let shown = |alerts: &[HuntAlert]| -> Vec<String> {
        alerts.iter().map(|alert| alert.alert.document.to_json()).collect()
    };
    let expected = shown(&run.alerts);
    for turn in 0..=SHUFFLES {
        let mut order: Vec<&Item> = items(&run.events).collect();
        if turn == 0 {
            order.reverse();
        } else {
            shuffle(&mut order, turn);
        }
        let mut found = Collected::default();
        hunt_items(run.rules(), order, &options.hunt, &mut found);
        let actual = shown(&found.alerts);
        if actual != expected {
            let name = if turn == 0 { "in reverse".to_owned() } else { format!("shuffled (seed {turn})") };
            let what = format!("the events {name} give other alerts");
            return Some(Difference { line: case.line, what, expected, actual, notes: Vec::new() });
        }
    }
    None
}

/// Fisher–Yates with a small generator (splitmix64): the same order for a seed, everywhere.
fn shuffle<T>(items: &mut [T], seed: u64) {
    let mut state = seed;
    for last in (1..items.len()).rev() {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        items.swap(last, (mixed % (last as u64 + 1)) as usize);
    }
}
