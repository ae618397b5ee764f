//! Suppression: alerts of one rule that have the same values in its `group_by` fields are folded into the first of them
//! (specification 6).
//!
//! Folding goes by the runs of the rule's schedule, which are replayed: a detection belongs to the run that found it, or
//! whose window is the first to have its last event. Without a duration the alerts of one run are folded; with one,
//! those of later runs too, as long as they are within it of the run that made the alert.
//!
//! ```text
//! KQL rules         Buckets: what a run has in each combination of values, counted as it comes
//! all others        kept like other detections; read when the input has ended
//! then, run by run  Fold: what is raised, what is folded into what was raised before
//! ```
//!
//! Only the events of alerts that may be raised are kept of KQL rules; of the others, five times the cap of a run.

use std::collections::{BTreeMap, BTreeSet};

use maxspan_engine::{Detection, EventStore, KeptEvent, RuleId, SpillError};
use maxspan_event::date;
use maxspan_plan::Windows;
use maxspan_rules::alert::suppression::{Term, event_terms, instance_id, row_terms, row_time};
use maxspan_rules::document::{AlertSuppression, MissingFieldsStrategy};
use maxspan_rules::{RuleDocument, RuleType, Runs};

use crate::hunt::{HuntOptions, cap_count};
use crate::kept::Raised;
use crate::limits::SUPPRESSED_FACTOR;
use crate::rows_runs::FoundRow;
use crate::rule_base::RuleBase;
use crate::source::source_event;

mod buckets;
mod fold;
mod values;

use buckets::Buckets;
use fold::{Candidate, Fold};
use values::ValueReader;

/// The runs of a rule, and when events without a time count.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FoldRuns {
    windows: Windows,
    /// Whether detections say which run found them.
    named: bool,
    now_ms: i64,
}

impl FoldRuns {
    /// The runs of a rule that may have suppression.
    pub(crate) fn new(rule: &RuleDocument, rules: &RuleBase, options: &HuntOptions) -> Self {
        let (from_ms, to_ms) = (rule.schedule.from.offset_ms, rule.schedule.to.offset_ms);
        let windows = match (rules.runs, rules.window) {
            (Runs::Once, Some((_, at))) => Windows::once(date::to_millis(at), from_ms, to_ms),
            _ => Windows::every(rule.schedule.interval_ms, from_ms, to_ms),
        };
        let kinds = [RuleType::Threshold, RuleType::NewTerms, RuleType::ThreatMatch, RuleType::Esql];
        let named = kinds.contains(&rule.rule_type());
        Self { windows, named, now_ms: date::to_millis(options.now) }
    }

    /// The run that a detection belongs to.
    pub(crate) fn run_of(&self, detection: &Detection) -> i64 {
        let named = detection.known_ms.filter(|_| self.named);
        named.unwrap_or_else(|| self.windows.first_run(self.millis(detection)))
    }

    /// When it was. What has no time was when alerts are written.
    fn millis(&self, detection: &Detection) -> i64 {
        detection.time.map_or(self.now_ms, date::to_millis)
    }
}

/// How many detections of a run are looked at, by the most alerts that it raises.
pub(crate) fn looked_at(rule: &RuleDocument, cap: usize) -> usize {
    let in_memory = rule.alert_suppression.is_some() && !goes_by_buckets(rule);
    if in_memory && rule.rule_type() != RuleType::Threshold {
        cap.saturating_mul(SUPPRESSED_FACTOR)
    } else {
        cap
    }
}

/// Whether Elastic folds the alerts of the rule while it searches, by buckets of an aggregation.
fn goes_by_buckets(rule: &RuleDocument) -> bool {
    matches!(rule.rule_type(), RuleType::Query | RuleType::SavedQuery)
}

/// The rules of a hunt that have suppression.
#[derive(Debug)]
pub(crate) struct Suppressing<'a> {
    rules: &'a RuleBase,
    space: &'a str,
    suppressed: BTreeMap<usize, Suppressed<'a>>,
    /// How many more events can be remembered, so that one that comes again is not counted twice.
    room: usize,
    /// Detections that cannot be read.
    pub(crate) unread: Vec<SpillError>,
}

/// What was folded and left out, of one rule.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct SuppressionCounters {
    /// Detections that were folded into an alert.
    pub(crate) suppressed: u64,
    /// Detections beyond the cap of their run.
    pub(crate) capped: u64,
    /// Detections that came again, or that are not after what was folded into an alert before.
    pub(crate) repeated: u64,
    /// Combinations of values of one event beyond the limit.
    pub(crate) keys_dropped: u64,
    /// Events that were counted and are not remembered: should they come again, they count again.
    pub(crate) not_remembered: u64,
}

/// The state of one rule.
#[derive(Debug)]
struct Suppressed<'a> {
    rule: &'a RuleDocument,
    suppression: &'a AlertSuppression,
    runs: FoldRuns,
    /// Most alerts of a run.
    cap: Option<usize>,
    reader: ValueReader,
    buckets: Buckets,
    fresh: BTreeSet<i64>,
    counters: SuppressionCounters,
    /// How many detections of each run were folded.
    folded: BTreeMap<i64, u64>,
}

/// What a run has to fold.
#[derive(Debug, Default)]
struct RunFound {
    /// Detections that are raised as they are.
    plain: Vec<Raised>,
    candidates: Vec<Candidate>,
}

impl<'a> Suppressing<'a> {
    /// The rules that have suppression, and nothing that they found.
    pub(crate) fn new(rules: &'a RuleBase, options: &'a HuntOptions) -> Self {
        let suppressed = rules.documents.iter().enumerate().filter_map(|(number, rule)| {
            let suppression = rule.alert_suppression.as_ref()?;
            let state = Suppressed {
                rule,
                suppression,
                runs: FoldRuns::new(rule, rules, options),
                cap: cap_count(rule, options),
                reader: ValueReader::new(&suppression.group_by, &rules.schema),
                buckets: Buckets::default(),
                fresh: BTreeSet::new(),
                folded: BTreeMap::new(),
                counters: SuppressionCounters::default(),
            };
            Some((number, state))
        });
        let suppressed = suppressed.collect();
        let (space, room, unread) = (&*options.space, options.suppressed_remembered, Vec::new());
        Self { rules, space, suppressed, room, unread }
    }

    /// Whether a rule has suppression.
    pub(crate) fn has(&self, rule: RuleId) -> bool {
        self.suppressed.contains_key(&(rule.0 as usize))
    }

    /// What became of the detections of a rule.
    pub(crate) fn counters(&self, rule: usize) -> SuppressionCounters {
        self.suppressed.get(&rule).map(|state| state.counters).unwrap_or_default()
    }

    /// How many detections of a run of the rule were folded.
    pub(crate) fn folded_in(&self, rule: RuleId, run_ms: i64) -> u64 {
        let state = self.suppressed.get(&(rule.0 as usize));
        state.and_then(|state| state.folded.get(&run_ms)).copied().unwrap_or(0)
    }

    /// Counts a detection, where that can be done at once; else it has to be kept.
    pub(crate) fn take(
        &mut self,
        store: &EventStore,
        detection: Detection,
    ) -> Result<Option<Detection>, SpillError> {
        let Self { suppressed, room, .. } = self;
        let Some(state) = suppressed.get_mut(&(detection.rule.0 as usize)) else {
            return Ok(Some(detection));
        };
        if !goes_by_buckets(state.rule) {
            return Ok(Some(detection));
        }
        state.count(store, detection, room)
    }

    /// Shows the events that were kept since the last visit.
    pub(crate) fn visit_fresh(&mut self, rule: usize, visit: &mut dyn FnMut(&mut KeptEvent)) {
        let Some(Suppressed { buckets, fresh, .. }) = self.suppressed.get_mut(&rule) else { return };
        for run in std::mem::take(fresh) {
            buckets.visit(run, visit);
        }
    }

    /// What a rule raises, in order: of what was counted, of what was kept, and of rows.
    pub(crate) fn finish(
        &mut self,
        rule: RuleId,
        store: &EventStore,
        kept: Vec<Detection>,
        rows: Vec<FoundRow>,
    ) -> Vec<Raised> {
        let Self { rules, space, suppressed, unread, .. } = self;
        let Some(state) = suppressed.get_mut(&(rule.0 as usize)) else { return Vec::new() };
        let mut runs: BTreeMap<i64, RunFound> = BTreeMap::new();
        let reading = Reading { rules, store, space };
        for detection in kept {
            let run = runs.entry(state.runs.run_of(&detection)).or_default();
            match state.candidate(&reading, detection) {
                Ok(Ok(candidate)) => run.candidates.push(candidate),
                Ok(Err(plain)) => run.plain.push(Raised::Detection(plain, None)),
                Err(error) => unread.push(error),
            }
        }
        for row in rows {
            let run = runs.entry(row.run_ms).or_default();
            match state.row_candidate(&reading, row) {
                Ok(Ok(candidate)) => run.candidates.push(candidate),
                Ok(Err(plain)) => run.plain.push(Raised::Row(plain, None)),
                Err(error) => unread.push(error),
            }
        }
        for (run, candidate) in state.counted(space) {
            runs.entry(run).or_default().candidates.push(candidate);
        }
        state.fold(runs)
    }
}

/// What detections are read with.
struct Reading<'r> {
    rules: &'r RuleBase,
    store: &'r EventStore,
    space: &'r str,
}

impl Suppressed<'_> {
    fn suppresses_missing(&self) -> bool {
        self.suppression.missing_fields_strategy != Some(MissingFieldsStrategy::DoNotSuppress)
    }

    /// Counts a detection in the buckets of its run. It comes back where it is to be raised as it is.
    fn count(
        &mut self,
        store: &EventStore,
        detection: Detection,
        room: &mut usize,
    ) -> Result<Option<Detection>, SpillError> {
        let Some(event) = detection.present().next() else { return Ok(None) };
        let values = self.reader.values(store, event)?;
        if !self.suppresses_missing() && values.iter().any(Vec::is_empty) {
            return Ok(Some(detection));
        }
        let run = self.runs.run_of(&detection);
        let at = self.runs.millis(&detection);
        let (keys, dropped) = values::combinations(values);
        self.counters.keys_dropped += dropped;
        if self.buckets.is_known(event, room, &mut self.counters) {
            return Ok(None);
        }
        if self.buckets.count(run, keys, at, &detection, self.cap, &mut self.counters) {
            self.fresh.insert(run);
        }
        Ok(None)
    }

    /// What was counted, as it comes out of a search.
    fn counted(&mut self, space: &str) -> Vec<(i64, Candidate)> {
        let Self { rule, suppression, buckets, .. } = self;
        let candidate = |(run, key, bucket): (i64, maxspan_engine::KeyTuple, buckets::Bucket)| {
            let values = key.iter().map(crate::hunt::key_value);
            let terms: Vec<Term> = suppression.group_by.iter().cloned().zip(values).collect();
            let (instance, docs) = (instance_id(rule, &terms, space), bucket.events - 1);
            let raised = Raised::Detection(bucket.first, None);
            let (start_ms, end_ms) = (bucket.start_ms, bucket.end_ms);
            (run, Candidate { raised, instance, terms, start_ms, end_ms, docs })
        };
        buckets.take().map(candidate).collect()
    }

    /// A detection with its values; by itself where it is to be raised as it is.
    fn candidate(
        &mut self,
        reading: &Reading<'_>,
        detection: Detection,
    ) -> Result<Result<Candidate, Detection>, SpillError> {
        let group = detection.group;
        let terms = match self.rule.rule_type() {
            RuleType::Threshold => reading.rules.keys(&detection).to_vec(),
            RuleType::Query | RuleType::SavedQuery => return Ok(Err(detection)),
            _ => self.terms(reading, &detection)?,
        };
        let is_threshold = group.is_some();
        if !is_threshold && !self.suppresses_missing() && terms.iter().any(|(_, value)| value.is_null()) {
            return Ok(Err(detection));
        }
        let at = self.runs.millis(&detection);
        let (start_ms, end_ms) = group.map_or((at, at), |facts| (facts.first_ms, facts.last_ms));
        let instance = instance_id(self.rule, &terms, reading.space);
        let raised = Raised::Detection(detection, None);
        Ok(Ok(Candidate { raised, instance, terms, start_ms, end_ms, docs: 0 }))
    }

    /// The values of an alert of the detection: those of its event as an index has them, those of a sequence as the
    /// alert about the whole has them.
    fn terms(&mut self, reading: &Reading<'_>, detection: &Detection) -> Result<Vec<Term>, SpillError> {
        let fields = &self.suppression.group_by;
        let is_sequence = detection.events.len() > 1 && self.rule.rule_type() == RuleType::Eql;
        let by_document = is_sequence || self.rule.rule_type() == RuleType::MachineLearning;
        let mut events = detection.present();
        if by_document {
            let sources: Result<Vec<_>, _> = events.map(|event| source_event(reading.store, event)).collect();
            return Ok(event_terms(self.rule, &sources?, fields));
        }
        let Some(event) = events.next() else { return Ok(Vec::new()) };
        let values = self.reader.values(reading.store, event)?;
        let values = values.iter().map(|values| values::list(values));
        Ok(fields.iter().cloned().zip(values).collect())
    }

    /// A row with its values; by itself where it is to be raised as it is.
    fn row_candidate(
        &self,
        reading: &Reading<'_>,
        row: FoundRow,
    ) -> Result<Result<Candidate, FoundRow>, SpillError> {
        let event = row.event.as_ref().map(|event| source_event(reading.store, event)).transpose()?;
        let terms = row_terms(&row.row, event.as_ref(), &self.suppression.group_by);
        let times = self.rule.timestamp_override.as_deref().into_iter().chain(["@timestamp"]);
        let times: Vec<&str> = times.collect();
        let at = row_time(&row.row, event.as_ref(), &times).unwrap_or(row.run_ms);
        drop(event);
        if !self.suppresses_missing() && terms.iter().any(|(_, value)| value.is_null()) {
            return Ok(Err(row));
        }
        let instance = instance_id(self.rule, &terms, reading.space);
        let raised = Raised::Row(row, None);
        Ok(Ok(Candidate { raised, instance, terms, start_ms: at, end_ms: at, docs: 0 }))
    }

    /// Folds run by run.
    fn fold(&mut self, runs: BTreeMap<i64, RunFound>) -> Vec<Raised> {
        let duration = self.suppression.duration;
        let duration_ms = duration.map(|all| i64::try_from(all.milliseconds()).unwrap_or(i64::MAX));
        let mut fold = Fold::new(duration_ms, self.runs.windows.from_ms, self.cap);
        for (run, RunFound { plain, candidates }) in runs {
            if goes_by_buckets(self.rule) {
                let room = self.cap.map(|cap| cap.saturating_sub(candidates.len()));
                self.folded.insert(run, fold.run(run, candidates, 0));
                fold.raise(plain, room);
            } else {
                let raised = fold.raise(plain, self.cap);
                self.folded.insert(run, fold.run(run, candidates, raised));
            }
        }
        fold.finish(&mut self.counters)
    }
}
