//! What two versions of a rule set raise on the same events: the review of a rule change.
//!
//! Both versions run over the input in one pass. An alert is the same in both when its rule and its events
//! are; so a rule that says more about the same events has *changed* alerts, one that sees other events
//! *new* and *gone* ones. Ids of alerts are not compared: they derive from the saved-object id, which a
//! converted rule may not have.

mod rules;

use std::collections::{BTreeMap, BTreeSet};

use maxspan_event::date;
use maxspan_rules::RuleDocument;
use maxspan_rules::alert::AlertDocument;
use maxspan_rules::alert::source::scalars;
use rustc_hash::FxHashMap;
use serde::Serialize;

use crate::hunt::{HuntAlert, HuntObserver, HuntOptions, HuntStats, Run};
use crate::input::{Batch, BatchItem, InputProblem, Location, Progress, Reader};
use crate::limits::{DIFF_ALERTS_MAX, DIFF_PLACES_MAX};
use crate::matching::{Matcher, Outcome};
use crate::rule_base::RuleBase;
use crate::workers;

pub use rules::{FieldChange, RuleChange, compare_rules, query_diff};

/// Which version of the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Old,
    New,
}

/// The comparison.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Diff {
    /// Rules with a change of any kind: those whose alerts changed first, each in order of names. Those
    /// alike in everything are counted only.
    pub rules: Vec<RuleDiff>,
    /// Rules that are the same and raised the same alerts.
    pub rules_unchanged: usize,
    /// Sums over all rules, unchanged ones too.
    pub alerts: AlertCounts,
    /// Alerts beyond the limit, which were not compared.
    pub alerts_not_compared: u64,
    /// What the run of the old rules did.
    pub old: HuntStats,
    /// What the run of the new rules did.
    pub new: HuntStats,
}

/// How many alerts are what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct AlertCounts {
    /// Only the new rules raise them.
    pub new: u64,
    /// Only the old rules raise them.
    pub gone: u64,
    /// Both raise them, and they say something else.
    pub changed: u64,
    /// Both raise them, and they say the same.
    pub unchanged: u64,
}

impl AlertCounts {
    /// Whether any alert is not as before.
    pub fn any_change(self) -> bool {
        self.new + self.gone + self.changed > 0
    }
}

/// A rule in both versions.
#[derive(Debug, Clone, Serialize)]
pub struct RuleDiff {
    /// The id.
    pub rule_id: String,
    /// Its name, the new one where there are two.
    pub name: String,
    /// What became of its document.
    pub change: RuleChange,
    /// Fields that are not the same.
    pub fields: Vec<FieldChange>,
    /// The query's lines, old and new, as a unified diff; empty where the query is the same.
    pub query_diff: String,
    /// Its alerts.
    pub alerts: AlertCounts,
    /// Examples, at most as many of each kind as were asked for.
    pub samples: Vec<AlertSample>,
    /// Why a version raised nothing, where it fails or is not run.
    pub notes: Vec<String>,
    /// Alerts that the cap dropped, old and new: a capped rule is compared only in what is left.
    pub capped: (u64, u64),
}

/// What became of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AlertChange {
    /// Only the new rules raise it.
    New,
    /// Only the old rules raise it.
    Gone,
    /// It says something else.
    Changed,
}

/// An alert as an example.
#[derive(Debug, Clone, Serialize)]
pub struct AlertSample {
    /// What became of it.
    pub change: AlertChange,
    /// The time of its last event, as the event writes it.
    pub time: String,
    /// Its reason; of a changed one, the new one.
    pub reason: String,
    /// What it says otherwise: field, before, after.
    pub differences: Vec<(String, String, String)>,
    /// Its events.
    pub events: Vec<EventPlace>,
}

/// An event of an alert.
#[derive(Debug, Clone, Serialize)]
pub struct EventPlace {
    /// `_index`; may be empty.
    pub index: String,
    /// `_id`
    pub id: String,
    /// `file:line`, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
}

/// Who listens to a comparison.
pub trait DiffObserver {
    /// Something in the input that could not be read; the comparison goes on.
    fn problem(&mut self, _problem: &InputProblem) {}

    /// Now and then, for a progress bar.
    fn progress(&mut self, _progress: Progress, _events: u64) {}
}

/// What of an alert is compared, beside its events.
const COMPARED: [&str; 6] = [
    "kibana.alert.severity",
    "kibana.alert.risk_score",
    "kibana.alert.rule.name",
    "kibana.alert.building_block_type",
    "kibana.alert.suppression.docs_count",
    "kibana.alert.reason",
];

/// The rule's place in both rule sets, and the events: index and id of each.
type Key = (String, Vec<(String, String)>);

/// One side's alert.
struct Kept {
    compared: [String; COMPARED.len()],
    time: String,
    /// Orders samples: the event's time, then the order of output.
    order: (Option<i64>, usize),
    arrivals: Vec<u64>,
}

/// Examples with what they are ordered by.
type Samples = Vec<(AlertChange, (Option<i64>, usize), AlertSample)>;

/// How many events pass between two reports of progress.
const PROGRESS_EVENTS: u64 = 1_000;

/// Runs both rule sets over the input and compares.
pub fn diff(
    old: &RuleBase,
    new: &RuleBase,
    reader: &mut Reader,
    options: &HuntOptions,
    samples_max: usize,
    observer: &mut dyn DiffObserver,
) -> Diff {
    let (mut old_run, mut new_run) = (Run::new(old, options), Run::new(new, options));
    let (mut old_side, mut new_side) = (Collect::new(old), Collect::new(new));
    let mut places = Places::default();
    let matchers =
        |rules| Matcher::for_threads(options.threads, rules, options.default_index.as_str(), false);
    let mut pairs: Vec<_> = matchers(&old.rule_set).into_iter().zip(matchers(&new.rule_set)).collect();
    workers::in_order(reader, &mut pairs, Both::of, |both, progress| {
        let before = new_run.arrivals();
        // What one side cannot decode, neither can: the second report is the same.
        old_run.outcome(both.old, &mut Forward(observer));
        new_run.outcome(both.new, &mut Silent);
        for (place, location) in both.places {
            places.put(before + place + 1, location);
        }
        if new_run.arrivals() / PROGRESS_EVENTS > before / PROGRESS_EVENTS {
            observer.progress(progress, new_run.arrivals());
        }
    });
    for (old, new) in &pairs {
        old_run.count(old);
        new_run.count(new);
    }
    observer.progress(reader.progress(), new_run.arrivals());
    let bytes = reader.counts().bytes_decompressed;
    let old_stats = old_run.finish(&mut old_side, bytes);
    let new_stats = new_run.finish(&mut new_side, bytes);
    let changes = compare_rules(&all_documents(old), &all_documents(new));
    let mut out = compare_alerts(changes, old_side, &new_side, &places, samples_max);
    for rule in &mut out.rules {
        let capped = |stats: &HuntStats| stats.alerts_capped_by_rule.get(&rule.rule_id).copied().unwrap_or(0);
        rule.capped = (capped(&old_stats), capped(&new_stats));
        rule.notes = notes(&rule.rule_id, old, new);
    }
    (out.old, out.new) = (old_stats, new_stats);
    out
}

/// What a batch gave on both sides, and the locations of its events that satisfied something on either.
struct Both {
    old: Outcome,
    new: Outcome,
    places: Vec<(u64, Location)>,
}

impl Both {
    fn of((old, new): &mut (Matcher<'_>, Matcher<'_>), batch: &Batch) -> Self {
        let (old, new) = (old.batch(batch), new.batch(batch));
        let matched: BTreeSet<u64> = old.matched().chain(new.matched()).collect();
        let events = batch.iter().filter_map(|item| match item {
            BatchItem::Event(event) => Some(event),
            BatchItem::Problem(_) => None,
        });
        let found = (0..).zip(events).filter(|(place, _)| matched.contains(place));
        let places = found.map(|(place, event)| (place, event.location())).collect();
        Self { old, new, places }
    }
}

fn all_documents(rules: &RuleBase) -> Vec<&RuleDocument> {
    rules.documents.iter().chain(&rules.not_run_documents).chain(&rules.failed_documents).collect()
}

/// Why a side of the rule raised nothing.
fn notes(rule_id: &str, old: &RuleBase, new: &RuleBase) -> Vec<String> {
    let has = |rules: &[RuleDocument]| rules.iter().any(|rule| rule.rule_id == rule_id);
    let mut notes = Vec::new();
    for (name, rules) in [("old", old), ("new", new)] {
        if has(&rules.failed_documents) {
            notes.push(format!("the {name} version fails and raised nothing"));
        } else if has(&rules.not_run_documents) {
            notes.push(format!("the {name} version is not run yet and raised nothing"));
        }
    }
    notes
}

/// Hands problems on; alerts come at the end, to another observer.
struct Forward<'a>(&'a mut dyn DiffObserver);

impl HuntObserver for Forward<'_> {
    fn alert(&mut self, _alert: HuntAlert) {}

    fn problem(&mut self, problem: &InputProblem) {
        self.0.problem(problem);
    }
}

struct Silent;

impl HuntObserver for Silent {
    fn alert(&mut self, _alert: HuntAlert) {}
}

/// Where events that a rule matched were found, by their place in the order of arrival.
#[derive(Default)]
struct Places {
    by_arrival: FxHashMap<u64, Location>,
}

impl Places {
    fn put(&mut self, arrival: u64, location: Location) {
        // Beyond the limit a sample shows the event's id alone.
        if self.by_arrival.len() < DIFF_PLACES_MAX {
            self.by_arrival.insert(arrival, location);
        }
    }

    fn get(&self, arrival: u64) -> Option<String> {
        self.by_arrival.get(&arrival).map(Location::to_string)
    }
}

/// Takes the alerts of one side.
struct Collect<'a> {
    rules: &'a RuleBase,
    alerts: BTreeMap<Key, Kept>,
    count: usize,
    not_compared: u64,
    /// The time of the last building block, which the alert of a sequence has not.
    block_time: Option<String>,
}

impl<'a> Collect<'a> {
    fn new(rules: &'a RuleBase) -> Self {
        Self { rules, alerts: BTreeMap::new(), count: 0, not_compared: 0, block_time: None }
    }
}

impl HuntObserver for Collect<'_> {
    fn alert(&mut self, alert: HuntAlert) {
        let document = &alert.alert.document;
        let own_time = text_of(document, "kibana.alert.original_time");
        if alert.building_block {
            self.block_time = Some(own_time);
            return;
        }
        let time = self.block_time.take().unwrap_or(own_time);
        if self.count >= DIFF_ALERTS_MAX {
            self.not_compared += 1;
            return;
        }
        self.count += 1;
        let events =
            alert.events.iter().flatten().map(|event| (event.index.to_string(), event.id.to_string()));
        let key = (self.rules.document(alert.rule).rule_id.clone(), events.collect());
        let kept = Kept {
            compared: COMPARED.map(|field| text_of(document, field)),
            order: (date::parse(&time), self.count),
            time,
            arrivals: alert.events.iter().flatten().map(|event| event.arrival).collect(),
        };
        self.alerts.insert(key, kept);
    }
}

fn text_of(document: &AlertDocument, field: &str) -> String {
    let values = document.find(field).map(scalars).unwrap_or_default();
    let texts =
        values.into_iter().map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    texts.filter(|text| text != "null").collect::<Vec<_>>().join(", ")
}

/// Puts the alerts of both sides to their rules.
fn compare_alerts(
    changes: Vec<RuleDiff>,
    old: Collect<'_>,
    new: &Collect<'_>,
    places: &Places,
    samples_max: usize,
) -> Diff {
    let mut out = Diff { alerts_not_compared: old.not_compared + new.not_compared, ..Diff::default() };
    let mut rules: BTreeMap<String, (RuleDiff, Samples)> =
        changes.into_iter().map(|rule| (rule.rule_id.clone(), (rule, Vec::new()))).collect();
    let mut old_alerts = old.alerts;
    let mut seen = |key: &Key, kept: &Kept, before: Option<&Kept>, side: Side| {
        let Some((rule, samples)) = rules.get_mut(&key.0) else { return };
        let differences = before.map(|before| differences(before, kept)).unwrap_or_default();
        let change = match (side, before) {
            (Side::Old, _) => AlertChange::Gone,
            (Side::New, None) => AlertChange::New,
            (Side::New, Some(_)) if differences.is_empty() => {
                rule.alerts.unchanged += 1;
                return;
            }
            (Side::New, Some(_)) => AlertChange::Changed,
        };
        let count = match change {
            AlertChange::New => &mut rule.alerts.new,
            AlertChange::Gone => &mut rule.alerts.gone,
            AlertChange::Changed => &mut rule.alerts.changed,
        };
        *count += 1;
        samples.push((change, kept.order, sample(change, key, kept, differences, places)));
        // The earliest are kept; so many more now and then, so that a rule of many alerts takes no memory
        // for them.
        if samples.len() > 6 * samples_max + 64 {
            cut(samples, samples_max);
        }
    };
    for (key, kept) in &new.alerts {
        let before = old_alerts.remove(key);
        seen(key, kept, before.as_ref(), Side::New);
    }
    for (key, kept) in &old_alerts {
        seen(key, kept, None, Side::Old);
    }
    for (mut rule, mut samples) in rules.into_values() {
        out.alerts.new += rule.alerts.new;
        out.alerts.gone += rule.alerts.gone;
        out.alerts.changed += rule.alerts.changed;
        out.alerts.unchanged += rule.alerts.unchanged;
        if rule.change == RuleChange::Unchanged && !rule.alerts.any_change() {
            out.rules_unchanged += 1;
            continue;
        }
        cut(&mut samples, samples_max);
        rule.samples = samples.into_iter().map(|(_, _, sample)| sample).collect();
        out.rules.push(rule);
    }
    out.rules.sort_by_key(|rule| (!rule.alerts.any_change(), rule.name.to_lowercase(), rule.rule_id.clone()));
    out
}

/// Keeps the earliest of each kind, in order.
fn cut(samples: &mut Samples, samples_max: usize) {
    samples.sort_by_key(|(change, order, _)| (*change, *order));
    let mut counts: BTreeMap<AlertChange, usize> = BTreeMap::new();
    samples.retain(|(change, _, _)| {
        let count = counts.entry(*change).or_default();
        *count += 1;
        *count <= samples_max
    });
}

/// Field, before, after, for what is not the same.
fn differences(before: &Kept, after: &Kept) -> Vec<(String, String, String)> {
    let pairs = COMPARED.iter().zip(before.compared.iter().zip(&after.compared));
    pairs
        .filter(|(_, (before, after))| before != after)
        .map(|(field, (before, after))| ((*field).to_owned(), before.clone(), after.clone()))
        .collect()
}

fn sample(
    change: AlertChange,
    key: &Key,
    kept: &Kept,
    differences: Vec<(String, String, String)>,
    places: &Places,
) -> AlertSample {
    let events = key.1.iter().zip(&kept.arrivals).map(|((index, id), arrival)| EventPlace {
        index: index.clone(),
        id: id.clone(),
        place: places.get(*arrival),
    });
    AlertSample {
        change,
        time: kept.time.clone(),
        reason: kept.compared[COMPARED.len() - 1].clone(),
        differences,
        events: events.collect(),
    }
}
