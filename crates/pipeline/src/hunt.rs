//! A hunt: all rules over one input, from the first event to the last.
//!
//! The whole input counts as one look-back, so a sequence is found wherever its events stand. Alerts come out at the
//! end in an order that depends on the events alone, so any order of the input gives the same alerts.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Instant;

use maxspan_engine::{
    Correlator, CorrelatorOptions, Costs, Detection, GroupFacts, KeptEvent, KeyStyle, KeyValue,
    MatchCounters, Matched, Occurrences, RuleCosts, RuleId, Spill, SpillError,
};
use maxspan_event::{FieldType, Slot, date, identity};
use maxspan_plan::PlanKind;
use maxspan_rules::alert::{
    Alert, AlertContext, AlertingRule, FieldKind, FieldKinds, MatchedIndicator, SourceEvent, ThresholdGroup,
    esql_alert, event_alert, indicator_alert, new_terms_alert, sequence_alerts, threshold_alert,
};
use maxspan_rules::document::RuleParams;
use maxspan_rules::{RuleDocument, RuleType, Runs};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::input::{InputOptions, InputProblem, InputSpec, Item, Progress, RawEvent, Reader};
use crate::kept::{KeptDetections, Raised};
use crate::limits::{
    CAPPED_REMEMBERED_MAX, ROWS_RUNS_LOGGED_MAX, SEQUENCE_MEMORY_DEFAULT, SUPPRESSED_REMEMBERED_MAX,
};
use crate::lookups::IndicatorTable;
use crate::matching::{Matcher, Outcome, Step};
use crate::retained::{Cap, Keep, Retained};
use crate::rows_runs::{FoundRow, RowsRuns};
use crate::rule_base::RuleBase;
use crate::source::source_event;
use crate::spill::TempFile;
use crate::suppress::{FoldRuns, Suppressing, looked_at};
use crate::workers;

mod records;

use records::AlertsOfRuns;

/// How a hunt works.
#[derive(Debug, Clone)]
pub struct HuntOptions {
    /// The index of events that name none; empty to let every rule look at them.
    pub default_index: String,
    /// How many alerts a rule may raise in one of its intervals.
    pub max_signals: MaxSignals,
    /// Memory for what is held back: matches to be put in order, documents of events, the state of sequences. Matches
    /// and documents that do not fit go to a temporary file; state that does not fit is dropped and counted.
    pub sequence_memory: usize,
    /// Whether there may be a temporary file.
    pub spill: bool,
    /// The folder of the temporary file; none for that of the system.
    pub temp_dir: Option<PathBuf>,
    /// Detections of all rules beyond their caps that are remembered, so that doubles are told from others.
    pub capped_remembered: usize,
    /// Events of all KQL rules with suppression that are remembered, so that one that comes again counts once.
    pub suppressed_remembered: usize,
    /// The time that alerts carry as `@timestamp`, in nanoseconds since 1970.
    pub now: i64,
    /// Files with indicators beside the events: each is in every threat index, and was there before all events.
    pub indicators: Vec<PathBuf>,
    /// Indicators of lookup tables, and of files that were read already.
    pub indicator_tables: Vec<Arc<IndicatorTable>>,
    /// The Kibana space that is part of alert ids.
    pub space: String,
    /// The run's id.
    pub execution_uuid: String,
    /// How many threads match events; the output is the same for any number.
    pub threads: usize,
    /// Give out records of what rules and their runs did ([`HuntObserver::execution`]); takes [`HuntOptions::costs`] too.
    pub executions: bool,
    /// Keep account of what events and rules cost: [`PrefilterStats::rules`], [`HuntStats::time_shares`].
    pub costs: bool,
}

impl Default for HuntOptions {
    fn default() -> Self {
        Self {
            default_index: String::new(),
            max_signals: MaxSignals::Rule,
            sequence_memory: SEQUENCE_MEMORY_DEFAULT,
            spill: true,
            temp_dir: None,
            capped_remembered: CAPPED_REMEMBERED_MAX,
            suppressed_remembered: SUPPRESSED_REMEMBERED_MAX,
            now: 0,
            indicators: Vec::new(),
            indicator_tables: Vec::new(),
            space: "default".to_owned(),
            execution_uuid: "00000000-0000-0000-0000-000000000000".to_owned(),
            threads: 1,
            executions: false,
            costs: false,
        }
    }
}

/// The cap on alerts of one rule in one interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaxSignals {
    /// What the rule says.
    Rule,
    /// This many for every rule.
    Count(u32),
    /// No cap.
    Unlimited,
}

/// What a hunt did. Serialised, it is the `--stats` file.
#[derive(Debug, Clone, Default, Serialize)]
pub struct HuntStats {
    /// Events that were read and matched.
    pub events: u64,
    /// Bytes of the input after decompression.
    pub bytes: u64,
    /// Events that could not be read.
    pub events_failed: u64,
    /// The same, and what else went wrong in the input, by kind.
    pub input_problems: BTreeMap<&'static str, u64>,
    /// Rules that ran.
    pub rules_loaded: u64,
    /// Rules that could not be loaded or compiled.
    pub rules_failed: u64,
    /// Rules of types that are not run yet.
    pub rules_not_run: u64,
    /// Indicators that were read from files of their own, and from lookup tables.
    pub indicators: u64,
    /// Lookup tables of indicators that no rule looks at.
    pub indicator_tables_unused: Vec<String>,
    /// Machine learning rules that ran over an input in which no job of theirs left anything, by rule id.
    pub rules_without_anomalies: BTreeSet<String>,
    /// Exception lists and items that could not be loaded.
    pub exceptions_failed: u64,
    /// Exception items that apply to none of the rules.
    pub exceptions_unused: u64,
    /// Exception items that cannot be applied: a value list is missing, or a value cannot be held by its field.
    pub exceptions_not_applied: u64,
    /// Rule files that could not be read.
    pub rule_files_failed: u64,
    /// Alerts, without the building blocks of sequences.
    pub alerts: u64,
    /// Building-block alerts of sequences.
    pub building_blocks: u64,
    /// Alerts by rule id.
    pub alerts_by_rule: BTreeMap<String, u64>,
    /// Alerts that `max_signals` dropped, by rule id.
    pub alerts_capped_by_rule: BTreeMap<String, u64>,
    /// Detections that `max_signals` dropped and that were not remembered: had they come again, they were counted again.
    pub capped_not_remembered: u64,
    /// Detections that suppression folded into alerts: the sum of their `kibana.alert.suppression.docs_count`.
    pub suppressed: u64,
    /// The same by rule id.
    pub suppressed_by_rule: BTreeMap<String, u64>,
    /// Events that suppression counted and that were not remembered: had they come again, they were counted again.
    pub suppressed_not_remembered: u64,
    /// Detections of the same events as another one of the rule, and those that are no later than what suppression folded
    /// into an alert before.
    pub alerts_repeated: u64,
    /// Detections on alerts of the same rule, which raise none (recursion guard).
    pub alerts_recursive: u64,
    /// Bytes of matches and documents that went to a temporary file.
    pub spilled_bytes: u64,
    /// Why the temporary file could not be written or read: matches were handed on early, or lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spill_error: Option<String>,
    /// Matches of sequences that could not be read again from the temporary file.
    pub matches_unread: u64,
    /// Alerts that were not raised, since an event of theirs could not be read again from the temporary file.
    pub alerts_unread: u64,
    /// Events that arrived after their place in the order had passed, because memory was used up and there was no
    /// temporary file.
    pub late_events: u64,
    /// The same by rule id.
    pub late_events_by_rule: BTreeMap<String, u64>,
    /// State that a limit pushed out, by rule id.
    pub evicted_by_rule: BTreeMap<String, u64>,
    /// Alerts that have not all of their indicators, by rule id: they have 200 of the newest.
    pub enrichments_cut_by_rule: BTreeMap<String, u64>,
    /// Sequences that wait for an event to be missing for longer than the window of the hunt reaches, by rule id. A hunt
    /// with a later end decides them.
    pub sequences_undecided_by_rule: BTreeMap<String, u64>,
    /// Runs of ES|QL rules over windows that had events.
    pub runs: u64,
    /// Those of them that ended without a result.
    pub runs_failed: u64,
    /// Why the first of them did, by rule id.
    pub runs_failed_by_rule: BTreeMap<String, String>,
    /// What runs could not compute, or cut, by rule id.
    pub run_warnings_by_rule: BTreeMap<String, Vec<String>>,
    /// Records of executions that were given out.
    #[serde(skip_serializing_if = "is_zero")]
    pub executions: u64,
    /// Others, beyond the limit.
    #[serde(skip_serializing_if = "is_zero")]
    pub executions_left_out: u64,
    /// Events whose runs are not told in records, since there were too many runs.
    #[serde(skip_serializing_if = "is_zero")]
    pub executions_events_left_out: u64,
    /// Searches for an ancestor process that ended, undecided, after the most generations.
    pub lineage_cut: u64,
    /// Events whose `host.os.type` was derived.
    pub os_derived: u64,
    /// Events without `_index` and `data_stream`, where no index was given.
    pub events_without_index: u64,
    /// Matches of sequences whose event has no timestamp.
    pub matches_without_timestamp: u64,
    /// Join keys of one event beyond the limit.
    pub keys_dropped: u64,
    /// Values of one field, or of free text, beyond the limits.
    pub values_dropped: u64,
    /// Texts that a function of a query did not make, because they would be longer than its limit; null stood for them.
    pub texts_dropped: u64,
    /// Events that were mended: a lone surrogate, or a number out of range.
    pub events_repaired: u64,
    /// Matches of events that came again with the same index and id, and took part in a sequence or sample once; a sum
    /// over rules.
    pub events_repeated: u64,
    /// Events without an id beyond the limit up to which exact duplicates are told apart.
    pub occurrences_dropped: u64,
    /// What the prefilter did.
    pub prefilter: PrefilterStats,
    /// What the threads that match events spent their time with; none where no account was kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_shares: Option<TimeShares>,
    /// Wall time.
    pub seconds: f64,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands it a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// Shares of the time of a run (its wall time, times its threads), from 0 to 1, by events that were timed. The rest went
/// into reading, sequences, alerts, and waiting.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct TimeShares {
    /// Decoding events, and choosing the rules of their index.
    pub decode: f64,
    /// Finding the candidates.
    pub prefilter: f64,
    /// Evaluating them.
    pub evaluate: f64,
}

/// What the prefilter did.
#[derive(Debug, Clone, Default, Serialize)]
pub struct PrefilterStats {
    /// Rules without an anchor: all events of their indices that pass the gate are candidates.
    pub always_rules: u64,
    /// Rules, and steps of rules, that were evaluated, over all events.
    pub candidates: u64,
    /// Conditions of all rules, equal ones counted once.
    pub conditions: u64,
    /// Conditions that more than one rule or step has.
    pub conditions_shared: u64,
    /// By rule id, what rules cost that were evaluated; empty where no account was kept.
    pub rules: BTreeMap<String, RuleStats>,
}

/// What a rule cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleStats {
    /// How often it, or one of its steps, was evaluated.
    pub candidates: u64,
    /// Events that satisfied it, or one of its steps.
    pub matches: u64,
    /// Nanoseconds for evaluating it, by events that were timed. A condition that rules share counts for the first.
    pub nanoseconds: u64,
}

/// An alert as it leaves a hunt.
#[derive(Debug, Clone)]
pub struct HuntAlert {
    /// The rule that raised it.
    pub rule: RuleId,
    /// Whether it is a building block of a sequence's alert.
    pub building_block: bool,
    /// The alert.
    pub alert: Alert,
    /// The join keys of the sequence or sample: the fields of its first event's keys, and their values; null where an
    /// optional key was missing. Empty for rules on single events.
    pub keys: Arc<[(String, Value)]>,
    /// Its events in the order of the rule's stages; none for a stage whose event had to be missing. The same for the
    /// building blocks of a sequence and the alert about it.
    pub events: Arc<[Option<EventRef>]>,
}

/// An event that an alert is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRef {
    /// `_index`; may be empty.
    pub index: Arc<str>,
    /// `_id`
    pub id: Box<str>,
    /// Its place in the order of arrival, from 1.
    pub arrival: u64,
}

/// Who listens to a hunt. Every method has a default that does nothing but for alerts. All are called by the thread that
/// called the hunt.
pub trait HuntObserver {
    /// An alert, in the order of output.
    fn alert(&mut self, alert: HuntAlert);

    /// Whether [`HuntObserver::event`] is to be called, which takes a copy of each event.
    fn watches_events(&self) -> bool {
        false
    }

    /// An event of the input, before what the rules say about it.
    fn event(&mut self, _event: &RawEvent) {}

    /// The record of an execution, where they are asked for ([`crate::executions`]); after all alerts.
    fn execution(&mut self, _record: &serde_json::Map<String, Value>) {}

    /// Something in the input that could not be read; the hunt goes on.
    fn problem(&mut self, _problem: &InputProblem) {}

    /// Now and then, for a progress bar.
    fn progress(&mut self, _progress: Progress, _events: u64) {}
}

/// Collects everything; for tests and small inputs.
#[derive(Debug, Default)]
pub struct Collected {
    /// The alerts in order.
    pub alerts: Vec<HuntAlert>,
    /// What could not be read.
    pub problems: Vec<InputProblem>,
}

impl HuntObserver for Collected {
    fn alert(&mut self, alert: HuntAlert) {
        self.alerts.push(alert);
    }

    fn problem(&mut self, problem: &InputProblem) {
        self.problems.push(problem.clone());
    }
}

/// How many events pass between two reports of progress.
const PROGRESS_EVENTS: u64 = 1_000;

/// Runs all rules over the input.
pub fn hunt(
    rules: &RuleBase,
    reader: &mut Reader,
    options: &HuntOptions,
    observer: &mut dyn HuntObserver,
) -> HuntStats {
    let mut run = Run::new(rules, options);
    run.indicators(observer);
    let watched = observer.watches_events();
    let mut matchers =
        Matcher::for_threads(options.threads, &rules.rule_set, &options.default_index, watched);
    if options.costs || options.executions {
        matchers = matchers.into_iter().map(Matcher::metered).collect();
    }
    workers::in_order(reader, &mut matchers, Matcher::batch, |outcome, progress| {
        let reported = run.arrival / PROGRESS_EVENTS;
        run.outcome(outcome, observer);
        if run.arrival / PROGRESS_EVENTS > reported {
            observer.progress(progress, run.stats.events);
        }
    });
    run.threads = matchers.len();
    for matcher in &matchers {
        run.count(matcher);
    }
    observer.progress(reader.progress(), run.stats.events);
    run.finish(observer, reader.counts().bytes_decompressed)
}

fn matcher<'a>(rules: &'a RuleBase, options: &'a HuntOptions, watched: bool) -> Matcher<'a> {
    let matcher = Matcher::new(&rules.rule_set, &options.default_index, watched);
    if options.costs || options.executions { matcher.metered() } else { matcher }
}

/// Runs all rules over events that were read already.
pub fn hunt_items<'i>(
    rules: &RuleBase,
    items: impl IntoIterator<Item = &'i Item>,
    options: &HuntOptions,
    observer: &mut dyn HuntObserver,
) -> HuntStats {
    let mut bytes = 0;
    let mut run = Run::new(rules, options);
    for item in items {
        if let Item::Event(event) = item {
            bytes += event.source.len() as u64;
        }
        run.item(item, observer);
    }
    run.finish(observer, bytes)
}

/// A hunt that is handed its events one by one: [`hunt`] reads them from one input; who runs several rule sets over one
/// input hands each event to each run.
pub struct Run<'a> {
    started: Instant,
    rules: &'a RuleBase,
    options: &'a HuntOptions,
    /// For items that are handed in one by one.
    matcher: Matcher<'a>,
    /// Those of other matchers.
    counters: MatchCounters,
    /// Those of other matchers too.
    costs: Costs,
    /// Jobs that left results, as other matchers saw.
    jobs: BTreeSet<Box<str>>,
    threads: usize,
    occurrences: Occurrences,
    correlator: Correlator,
    kept: KeptDetections<'a>,
    stats: HuntStats,
    arrival: u64,
}

impl<'a> Run<'a> {
    /// A run that has seen no event.
    pub fn new(rules: &'a RuleBase, options: &'a HuntOptions) -> Self {
        let correlator_options = CorrelatorOptions {
            buffer_bytes: options.sequence_memory / 4,
            document_bytes: options.sequence_memory / 8,
            state_bytes: options.sequence_memory / 2,
            // Nothing that comes after the window counts, so nothing is known of it.
            known_until: rules.window.map(|(_, to)| to),
            digest_key: by_chance(),
            log_runs: options.executions,
            ..CorrelatorOptions::default()
        };
        let remembered = Arc::new(AtomicUsize::new(options.capped_remembered));
        let retained = rules
            .rule_set
            .rules()
            .map(|(id, rule)| Retained::new(cap(rules, id, options, &remembered), &rule.plan.limits));
        let mut rows = RowsRuns::new(rules, &options.space, options.sequence_memory);
        for (id, _) in rules.rule_set.rules().filter(|(id, _)| rows.runs(*id)).collect::<Vec<_>>() {
            rows.set_cap(id, cap_count(rules.document(id), options));
        }
        rows.log(if options.executions { ROWS_RUNS_LOGGED_MAX } else { 0 });
        let (retained, suppressing) = (retained.collect(), Suppressing::new(rules, options));
        let kept = KeptDetections::new(rules, retained, rows, suppressing, options.sequence_memory / 8);
        let spill = options.spill.then(|| TempFile::new(options.temp_dir.clone()));
        let spill = spill.map(|file| Box::new(file) as Box<dyn Spill>);
        let stats = HuntStats {
            rules_loaded: rules.rule_set.len() as u64,
            rules_failed: rules.failed as u64,
            rules_not_run: rules.not_run.len() as u64,
            exceptions_failed: rules.exceptions_failed as u64,
            exceptions_unused: rules.exceptions_unused as u64,
            exceptions_not_applied: rules.exceptions_not_applied as u64,
            rule_files_failed: rules.files_failed as u64,
            ..HuntStats::default()
        };
        Self {
            started: Instant::now(),
            rules,
            options,
            matcher: matcher(rules, options, false),
            counters: MatchCounters::default(),
            costs: Costs::default(),
            jobs: BTreeSet::new(),
            threads: 1,
            occurrences: Occurrences::default(),
            correlator: correlator(rules, options, correlator_options, spill),
            kept,
            stats,
            arrival: 0,
        }
    }

    /// Takes the indicators of the files that the options name.
    fn indicators(&mut self, observer: &mut dyn HuntObserver) {
        if !self.options.indicators.is_empty() {
            let files = InputSpec::new(&self.options.indicators);
            self.indicators_of(Reader::open(&files, InputOptions::default()), None, observer);
        }
        for table in &self.options.indicator_tables {
            let reader = Reader::of_events(&table.name, table.events(), InputOptions::default());
            self.indicators_of(reader, table.index.as_deref(), observer);
        }
    }

    /// Takes all that a reader gives as indicators, of one index or of all.
    fn indicators_of(&mut self, reader: Reader, index: Option<&str>, observer: &mut dyn HuntObserver) {
        for item in reader {
            let matched = match &item {
                Item::Event(event) => {
                    self.stats.indicators += 1;
                    self.matcher.indicator(event, index)
                }
                Item::Problem(problem) => Err(problem.clone()),
            };
            match matched {
                Ok(Some(matched)) => self.matched(matched, 0),
                Ok(None) => {}
                Err(problem) => self.problem(&problem, observer),
            }
        }
    }

    /// Takes the next event or problem.
    pub fn item(&mut self, item: &Item, observer: &mut dyn HuntObserver) {
        if let Item::Event(event) = item
            && observer.watches_events()
        {
            observer.event(event);
        }
        let mut outcome = Outcome::default();
        self.matcher.item(item.into(), &mut outcome);
        self.outcome(outcome, observer);
    }

    /// Takes what the next items gave.
    pub(crate) fn outcome(&mut self, outcome: Outcome, observer: &mut dyn HuntObserver) {
        let Outcome { steps, arrivals, events } = outcome;
        for step in steps {
            match step {
                Step::Event(event) => observer.event(&event),
                Step::Matched(place, matched) => self.matched(matched, self.arrival + place + 1),
                Step::Problem(problem) => self.problem(&problem, observer),
            }
        }
        self.arrival += arrivals;
        self.stats.events += events;
    }

    /// Takes the counts of a matcher that outcomes came from, at its end.
    pub(crate) fn count(&mut self, matcher: &Matcher<'_>) {
        self.counters += matcher.counters();
        matcher.costs().into_iter().for_each(|costs| self.costs += costs);
        self.jobs.extend(matcher.noted().iter().cloned());
    }

    /// Takes an event that satisfied something.
    fn matched(&mut self, matched: Matched, arrival: u64) {
        for found in self.occurrences.settle(matched, arrival) {
            self.correlator.push(found);
        }
        self.kept.keep_ready(&mut self.correlator);
    }

    /// Events handed in so far; the number of the last one.
    pub fn arrivals(&self) -> u64 {
        self.arrival
    }

    fn problem(&mut self, problem: &InputProblem, observer: &mut dyn HuntObserver) {
        self.stats.events_failed += u64::from(problem.kind.loses_an_event());
        *self.stats.input_problems.entry(problem.kind.name()).or_default() += 1;
        observer.problem(problem);
    }

    /// Ends the run: alerts come out now. `bytes` are those of the input after decompression.
    pub fn finish(mut self, observer: &mut dyn HuntObserver, bytes: u64) -> HuntStats {
        self.stats.bytes = bytes;
        let kept = &mut self.kept;
        self.correlator.finish_into(&mut |events, detection| kept.keep(events, detection));
        let raised = kept.finish(self.correlator.events());
        let alerts_of_runs = self.write_alerts(raised, observer);
        self.account();
        self.stats.seconds = self.started.elapsed().as_secs_f64();
        if self.options.costs || self.options.executions {
            self.account_for_costs();
        }
        if self.options.executions {
            self.write_executions(&alerts_of_runs, observer);
        }
        self.stats
    }

    fn account_for_costs(&mut self) {
        let Self { costs, stats, rules, .. } = self;
        self.matcher.costs().into_iter().for_each(|own| *costs += own);
        let total = stats.seconds * self.threads as f64 * 1e9;
        let share = |nanoseconds: u64| if total > 0.0 { (nanoseconds as f64 / total).min(1.0) } else { 0.0 };
        stats.time_shares = Some(TimeShares {
            decode: share(costs.decode),
            prefilter: share(costs.prefilter),
            evaluate: share(costs.evaluate),
        });
        for (rule, costs) in
            rules.documents.iter().zip(&costs.rules).filter(|(_, costs)| costs.candidates > 0)
        {
            let RuleCosts { candidates, matches, nanoseconds } = *costs;
            stats
                .prefilter
                .rules
                .insert(rule.rule_id.clone(), RuleStats { candidates, matches, nanoseconds });
        }
    }

    /// Writes the alerts; how many each run raised.
    fn write_alerts(&mut self, raised: Vec<Raised>, observer: &mut dyn HuntObserver) -> AlertsOfRuns {
        let schema = &self.rules.schema;
        let now = date::format_millis(self.options.now);
        let kinds = FieldKinds::new(schema.ecs_fields().map(|(name, kind)| (name, field_kind(kind))));
        let mut context = AlertContext::new(&now, &self.options.execution_uuid, &kinds);
        context.space = &self.options.space;
        let (mut seen, mut alerts_of_runs) = (HashSet::new(), AlertsOfRuns::new());
        let mut alerting = FxHashMap::default();
        let rules = self.rules;
        for one in raised {
            let number = one.rule();
            let rule = alerting.entry(number).or_insert_with(|| AlertingRule::new(rules.document(number)));
            let context = AlertContext { suppression: one.suppression(), ..context };
            let alerts = match &one {
                Raised::Detection(detection, _) => self.alerts_of(detection, rule, &context),
                Raised::Row(row, _) => self.alert_of_row(row, rule, &context),
            };
            let alerts = match alerts {
                Ok(alerts) => alerts,
                Err(error) => {
                    self.kept.cannot_read(error);
                    continue;
                }
            };
            let Some(last) = alerts.last() else {
                self.stats.alerts_recursive += 1;
                continue;
            };
            if !seen.insert(identity::digest(last.alert.id.as_bytes())) {
                self.stats.alerts_repeated += 1;
                continue;
            }
            self.stats.alerts += 1;
            let rule_id = &rule.document.rule_id;
            *self.stats.alerts_by_rule.entry(rule_id.clone()).or_default() += 1;
            if let Some(run_ms) = one.run_ms().filter(|_| self.options.executions) {
                *alerts_of_runs.entry((number, run_ms)).or_default() += 1;
            }
            for alert in alerts {
                self.stats.building_blocks += u64::from(alert.building_block);
                observer.alert(alert);
            }
        }
        alerts_of_runs
    }

    /// One alert, or the building blocks of a sequence and then the alert about it; none by the recursion guard.
    fn alerts_of(
        &self,
        detection: &Detection,
        rule: &AlertingRule<'_>,
        context: &AlertContext<'_>,
    ) -> Result<Vec<HuntAlert>, SpillError> {
        let events = self.source_events(detection)?;
        let arrivals = detection.events.iter().map(|event| event.as_ref().map_or(0, KeptEvent::arrival));
        let references: Arc<[_]> =
            events.iter().zip(arrivals).map(|(event, at)| reference(event, at)).collect();
        let keys = self.rules.keys(detection);
        // What an alert is about is its event; its indicators are in the alert.
        let references = match self.rules.rule_set.rule(detection.rule).plan.kind {
            PlanKind::Indicators(_) => references.iter().take(1).cloned().collect(),
            _ => references,
        };
        let out = |building_block: bool| {
            let (keys, references) = (Arc::clone(&keys), Arc::clone(&references));
            move |alert: Alert| HuntAlert {
                rule: detection.rule,
                building_block,
                alert,
                keys: Arc::clone(&keys),
                events: Arc::clone(&references),
            }
        };
        let event = events.iter().find(|event| !event.is_missing());
        let single = match (&self.rules.rule_set.rule(detection.rule).plan.kind, &detection.group) {
            (PlanKind::Events(_), _) => event.and_then(|event| event_alert(rule, event, context)),
            (PlanKind::Indicators(_), _) => event.and_then(|event| {
                let matched: Vec<_> = matched_indicators(detection, &events).collect();
                indicator_alert(rule, event, &matched, context)
            }),
            (PlanKind::Grouped(_), Some(facts)) => threshold_alert(rule, &group(facts, &keys), context),
            (PlanKind::Grouped(_), None) => {
                let terms: Vec<_> = keys.iter().map(|(_, value)| value.clone()).collect();
                event.and_then(|event| new_terms_alert(rule, event, &terms, context))
            }
            (PlanKind::Sequence(_) | PlanKind::Sample(_), _) => {
                let Some(found) = sequence_alerts(rule, &events, context) else { return Ok(Vec::new()) };
                let shell = std::iter::once(found.shell).map(out(false));
                return Ok(found.blocks.into_iter().map(out(true)).chain(shell).collect());
            }
        };
        Ok(single.into_iter().map(out(false)).collect())
    }

    /// The alert of a row of an ES|QL rule's result; none by the recursion guard.
    fn alert_of_row(
        &self,
        found: &FoundRow,
        rule: &AlertingRule<'_>,
        context: &AlertContext<'_>,
    ) -> Result<Vec<HuntAlert>, SpillError> {
        let event = found.event.as_ref();
        let arrival = event.map_or(0, KeptEvent::arrival);
        let event = event.map(|event| source_event(self.correlator.events(), event)).transpose()?;
        let events = event.as_ref().map(|event| reference(event, arrival)).into_iter().collect();
        let alert = esql_alert(rule, &found.row, event.as_ref(), found.id.clone(), context);
        let out = |alert| HuntAlert {
            rule: found.rule,
            building_block: false,
            alert,
            keys: Arc::default(),
            events,
        };
        Ok(alert.map(out).into_iter().collect())
    }

    /// The events of a detection, with stand-ins for those that had to be missing.
    fn source_events<'d>(&'d self, detection: &'d Detection) -> Result<Vec<SourceEvent<'d>>, SpillError> {
        let source = |event: &'d Option<KeptEvent>| match event {
            Some(event) => source_event(self.correlator.events(), event),
            None => Ok(SourceEvent::missing()),
        };
        detection.events.iter().map(source).collect()
    }

    fn account(&mut self) {
        self.account_of_the_temporary_file();
        self.account_for_jobs();
        for (index, retained) in self.kept.retained.iter().enumerate() {
            let rule_id = &self.rules.documents[index].rule_id;
            let counters = self.correlator.counters(RuleId(index as u32));
            let mut count = |map: fn(&mut HuntStats) -> &mut BTreeMap<String, u64>, value: u64| {
                if value > 0 {
                    map(&mut self.stats).insert(rule_id.clone(), value);
                }
            };
            let folded = self.kept.suppressing.counters(index);
            let capped = retained.capped + counters.capped + folded.capped;
            count(|stats| &mut stats.alerts_capped_by_rule, capped);
            count(|stats| &mut stats.suppressed_by_rule, folded.suppressed);
            count(|stats| &mut stats.late_events_by_rule, counters.late);
            count(|stats| &mut stats.evicted_by_rule, counters.evicted);
            count(|stats| &mut stats.enrichments_cut_by_rule, counters.enrichments_cut);
            count(|stats| &mut stats.sequences_undecided_by_rule, counters.undecided);
            self.stats.late_events += counters.late;
            self.stats.events_repeated += counters.repeated;
            self.stats.alerts_repeated += retained.repeated + folded.repeated;
            self.stats.suppressed += folded.suppressed;
            self.stats.suppressed_not_remembered += folded.not_remembered;
            self.stats.keys_dropped += folded.keys_dropped;
            self.stats.capped_not_remembered += retained.not_remembered;
            self.stats.lineage_cut += counters.lineage_cut;
            self.stats.alerts_unread += counters.unread;
        }
        self.stats.executions_events_left_out = self.correlator.runs_not_logged();
        self.account_for_runs();
        let mut counters = self.counters;
        counters += self.matcher.counters();
        self.stats.os_derived = counters.os_derived;
        let (conditions, shared) = self.rules.rule_set.condition_counts();
        self.stats.prefilter = PrefilterStats {
            always_rules: self.rules.rule_set.always_rules().count() as u64,
            candidates: counters.candidates,
            conditions: conditions as u64,
            conditions_shared: shared as u64,
            rules: BTreeMap::new(),
        };
        self.stats.events_without_index = counters.without_index;
        self.stats.matches_without_timestamp = counters.without_timestamp;
        self.stats.keys_dropped += counters.keys_dropped;
        self.stats.values_dropped = counters.values_dropped;
        self.stats.texts_dropped = counters.texts_dropped;
        self.stats.events_repaired = counters.repaired;
        self.stats.occurrences_dropped = self.occurrences.dropped();
    }

    fn account_for_runs(&mut self) {
        for (rule, counters) in self.kept.rows.counters() {
            let rule_id = &self.rules.documents[rule].rule_id;
            self.stats.runs += counters.runs;
            self.stats.runs_failed += counters.failed;
            self.stats.alerts_unread += counters.unread;
            if counters.capped > 0 {
                *self.stats.alerts_capped_by_rule.entry(rule_id.clone()).or_default() += counters.capped;
            }
            if let Some(error) = &counters.error {
                self.stats.runs_failed_by_rule.insert(rule_id.clone(), error.clone());
            }
            if !counters.warnings.is_empty() {
                let warnings = counters.warnings.iter().cloned().collect();
                self.stats.run_warnings_by_rule.insert(rule_id.clone(), warnings);
            }
        }
    }

    /// Names the machine learning rules that had nothing to look at.
    fn account_for_jobs(&mut self) {
        self.jobs.extend(self.matcher.noted().iter().cloned());
        for rule in &self.rules.documents {
            let RuleParams::MachineLearning(params) = &rule.params else { continue };
            let asks_all = params.jobs().next().is_none();
            let has_results = if asks_all {
                !self.jobs.is_empty()
            } else {
                params.jobs().any(|job| self.jobs.contains(job))
            };
            if !has_results {
                self.stats.rules_without_anomalies.insert(rule.rule_id.clone());
            }
        }
    }

    fn account_of_the_temporary_file(&mut self) {
        let events = self.correlator.events();
        self.stats.spilled_bytes = events.spilled_bytes();
        let error = events.error().or(self.kept.error.as_ref());
        self.stats.spill_error = error.map(|error| error.message.clone());
        self.stats.matches_unread = self.correlator.matches_unread();
        self.stats.alerts_unread += self.kept.unread;
        self.stats.alerts_recursive += self.kept.recursive;
    }
}

impl RuleBase {
    /// The join keys by the names that the first stage with an event gives them.
    pub(crate) fn keys(&self, detection: &Detection) -> Arc<[(String, Value)]> {
        let steps = match &self.rule_set.rule(detection.rule).plan.kind {
            PlanKind::Events(_) | PlanKind::Indicators(_) => return Arc::default(),
            PlanKind::Sequence(sequence) => &sequence.steps,
            PlanKind::Sample(sample) => &sample.steps,
            PlanKind::Grouped(grouped) => &grouped.steps,
        };
        let Some(step) = steps.iter().find(|step| !step.missing) else { return Arc::default() };
        let fields = self.rule_set.decoder().fields();
        let name = |slot: Slot| fields.field(slot).name.clone();
        step.keys.iter().zip(&detection.keys).map(|(key, value)| (name(key.slot), key_value(value))).collect()
    }
}

/// A correlator in which the runs of schedules are capped as the options say.
fn correlator(
    rules: &RuleBase,
    options: &HuntOptions,
    correlator_options: CorrelatorOptions,
    spill: Option<Box<dyn Spill>>,
) -> Correlator {
    let mut correlator = Correlator::with_spill(&rules.rule_set, correlator_options, spill);
    for (id, _) in rules.rule_set.rules() {
        let document = rules.document(id);
        correlator.set_cap(id, cap_count(document, options).map(|cap| looked_at(document, cap)));
    }
    correlator
}

/// What an alert says of its event; none for one that is missing.
fn reference(event: &SourceEvent<'_>, arrival: u64) -> Option<EventRef> {
    let SourceEvent { index, id, .. } = event;
    (!event.is_missing()).then(|| EventRef { index: Arc::clone(index), id: id.as_str().into(), arrival })
}

/// The indicators of a detection, which come behind its event; its keys are their groups.
fn matched_indicators<'a>(
    detection: &'a Detection,
    events: &'a [SourceEvent<'a>],
) -> impl Iterator<Item = MatchedIndicator<'a>> {
    events.iter().skip(1).zip(&detection.keys).filter_map(|(document, group)| match group {
        KeyValue::Long(group) => Some(MatchedIndicator { document, group: usize::try_from(*group).ok()? }),
        _ => None,
    })
}

/// What an alert says of a group of events.
fn group<'a>(facts: &GroupFacts, keys: &'a [(String, Value)]) -> ThresholdGroup<'a> {
    let GroupFacts { run_ms, first_ms, last_ms, events, values } = *facts;
    ThresholdGroup { terms: keys, run_ms, first_ms, last_ms, events, values }
}

/// A number that nobody knows.
fn by_chance() -> u128 {
    let half = || u128::from(RandomState::new().hash_one(()));
    half() << 64 | half()
}

fn cap(rules: &RuleBase, id: RuleId, options: &HuntOptions, remembered: &Arc<AtomicUsize>) -> Cap {
    let document = rules.document(id);
    let kind = &rules.rule_set.rule(id).plan.kind;
    let goes_by_runs = matches!(kind, PlanKind::Grouped(_) | PlanKind::Indicators(_));
    // The correlator caps those that go by runs.
    let count = cap_count(document, options).filter(|_| !goes_by_runs);
    let count = count.map(|count| looked_at(document, count));
    let runs = document.alert_suppression.is_some().then(|| FoldRuns::new(document, rules, options));
    let keep = match document.rule_type() {
        RuleType::Eql => Keep::Newest,
        RuleType::MachineLearning => Keep::Highest,
        _ => Keep::OldestByPrimaryTime,
    };
    // A single run has one cap.
    let interval = (rules.runs == Runs::Schedule).then(|| date::from_millis(document.schedule.interval_ms));
    Cap { count, interval, runs, keep, remembered: Arc::clone(remembered) }
}

/// Most alerts of a rule in one interval.
pub(crate) fn cap_count(document: &RuleDocument, options: &HuntOptions) -> Option<usize> {
    match options.max_signals {
        MaxSignals::Rule => Some(document.max_signals as usize),
        MaxSignals::Count(count) => Some(count as usize),
        MaxSignals::Unlimited => None,
    }
}

/// A key's value as JSON: numbers and booleans as they are, all else as text.
pub(crate) fn key_value(value: &KeyValue) -> Value {
    match value {
        KeyValue::Null => Value::Null,
        KeyValue::Boolean(value) => (*value).into(),
        KeyValue::Long(value) => (*value).into(),
        KeyValue::Unsigned(value) => (*value).into(),
        KeyValue::Double(bits) => f64::from_bits(*bits).into(),
        other => other.to_text(KeyStyle::Sequence).into(),
    }
}

/// What ECS says about a field, as much as alerts need.
fn field_kind(kind: FieldType) -> FieldKind {
    match kind {
        FieldType::Ip => FieldKind::Ip,
        FieldType::Date | FieldType::DateNanos => FieldKind::Date,
        FieldType::Boolean => FieldKind::Boolean,
        FieldType::Long | FieldType::UnsignedLong => FieldKind::Long,
        FieldType::Double => FieldKind::Float,
        FieldType::Object | FieldType::Flattened => FieldKind::Object,
        FieldType::Nested => FieldKind::Nested,
        FieldType::Binary | FieldType::Unsupported | FieldType::Unknown => FieldKind::Unchecked,
        FieldType::Keyword
        | FieldType::ConstantKeyword
        | FieldType::Wildcard
        | FieldType::Text
        | FieldType::Version => FieldKind::Text,
    }
}
