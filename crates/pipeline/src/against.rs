//! Rules compared with events: fields that no event has, values in another case, indices that are not there, and how
//! many alerts a day are to be expected.
//!
//! The events are read once; a hunt runs over them, and beside it the fields that rules name are counted by index and
//! category. What is said holds for these events alone: a sample that is too small or too short says little, which is
//! why messages give its size.

use std::collections::BTreeSet;
use std::sync::Arc;

use maxspan_diagnostics::{Diagnostic, Source, Span, codes};
use maxspan_engine::{RuleSet, RuleSetBuilder, Scratch};
use maxspan_event::wildcard::fold_ascii;
use maxspan_event::{FieldType, Slot, ValueRef, date};
use maxspan_rules::RuleDocument;
use maxspan_rules::lint::{LintOptions, Message, NamedField, fields_of};
use rustc_hash::FxHashMap;
use serde::Serialize;

use crate::hunt::{HuntAlert, HuntObserver, HuntOptions, HuntStats, hunt};
use crate::input::{InputProblem, RawEvent, Reader};
use crate::limits::{AGAINST_CASES_MAX, AGAINST_EVENTS_MIN, AGAINST_GROUPS_MAX, AGAINST_PROBLEMS_MAX};
use crate::rule_base::RuleBase;

/// A field is often missing when fewer than one in so many events has it.
const OFTEN_MISSING: u64 = 5;

/// How rules are compared with events.
#[derive(Debug, Clone)]
pub struct AgainstOptions {
    /// The hunt that counts alerts.
    pub hunt: HuntOptions,
    /// More alerts of a rule in a day are too many.
    pub alerts_per_day_max: f64,
}

impl Default for AgainstOptions {
    fn default() -> Self {
        Self { hunt: HuntOptions::default(), alerts_per_day_max: 10.0 }
    }
}

/// What the events say.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Against {
    /// Events that were read.
    pub events: u64,
    /// Events that could not be read.
    pub events_failed: u64,
    /// Time of the first event.
    pub first: Option<String>,
    /// Time of the last event.
    pub last: Option<String>,
    /// Days between them.
    pub days: f64,
    /// What is to be expected of each rule that raised alerts, the most first.
    pub volume: Vec<Volume>,
    /// Groups of events by index and category beyond the limit; their fields were not counted.
    pub groups_dropped: u64,
    /// The first problems of the input.
    #[serde(skip)]
    pub problems: Vec<InputProblem>,
}

impl Against {
    /// How long the events take, for a person: `4.0 hours`, `7.2 days`.
    pub fn length(&self) -> String {
        if self.days < 2.0 {
            format!("{:.1} hours", self.days * 24.0)
        } else {
            format!("{:.1} days", self.days)
        }
    }
}

/// The alerts of a rule.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Volume {
    /// The rule.
    pub rule_id: String,
    /// Its name.
    pub name: String,
    /// Alerts in the time of the events.
    pub alerts: u64,
    /// Whether the cap of the rule held more back.
    pub capped: bool,
    /// Alerts a day; none where the events cover less than an hour.
    pub per_day: Option<f64>,
}

/// Reads the events and compares.
pub fn against(rules: &RuleBase, reader: &mut Reader, options: &AgainstOptions) -> (Against, Vec<Message>) {
    let mut counter = Counter::new(rules, options);
    let stats = hunt(rules, reader, &options.hunt, &mut counter);
    let report = report(rules, &counter, &stats);
    let mut messages = Vec::new();
    for (rule, named) in rules.documents.iter().zip(&counter.rules) {
        counter.look_at(rule, named, &mut messages);
    }
    too_many(rules, &report, options, &mut messages);
    (report, messages)
}

/// A rule's fields with their slots, and what it looks at.
struct Named {
    source: Arc<Source>,
    fields: Vec<(Slot, NamedField)>,
    indices: maxspan_event::index::IndexPatterns,
}

/// Events of one index and category.
#[derive(Default)]
struct Group {
    events: u64,
    /// How many have a value, by slot.
    present: Vec<u64>,
}

/// A value that rules compare a field with, case counting.
#[derive(Default)]
struct Wanted {
    /// The ways in which rules write it.
    written: BTreeSet<String>,
    /// The ways in which events write it: all that rules do too, and the first of the others.
    seen: BTreeSet<String>,
}

struct Counter<'a> {
    default_index: &'a str,
    rules: Vec<Named>,
    /// Has no rules: it decodes the fields that they name.
    rule_set: RuleSet,
    scratch: Scratch,
    timestamp: Slot,
    category: Slot,
    groups: FxHashMap<(String, String), Group>,
    groups_dropped: u64,
    wanted: FxHashMap<Slot, FxHashMap<String, Wanted>>,
    time: Option<(i64, i64)>,
    problems: Vec<InputProblem>,
}

impl<'a> Counter<'a> {
    fn new(rules: &RuleBase, options: &'a AgainstOptions) -> Self {
        let schema = &rules.schema;
        let mut builder = RuleSetBuilder::new(schema.clone());
        let lint_options = LintOptions { schema, now: options.hunt.now };
        let mut named = Vec::new();
        let mut wanted: FxHashMap<Slot, FxHashMap<String, Wanted>> = FxHashMap::default();
        for ((_, compiled), rule) in rules.rule_set.rules().zip(&rules.documents) {
            let (source, list) = fields_of(rule, lint_options);
            let list: Vec<_> = list.into_iter().map(|one| (builder.slot(&one.name), one)).collect();
            for (slot, one) in &list {
                let Some((value, _)) =
                    one.value.as_ref().filter(|_| schema.field(&one.name).kind.is_keyword())
                else {
                    continue;
                };
                let folded = fold_ascii(value).into_owned();
                let entry = wanted.entry(*slot).or_default().entry(folded).or_default();
                entry.written.insert(value.clone());
            }
            named.push(Named { source, fields: list, indices: compiled.indices.clone() });
        }
        let category = builder.slot("event.category");
        let mut timestamp = schema.field("@timestamp");
        timestamp.kind = FieldType::Date;
        let timestamp = builder.fields.slot(&timestamp);
        Self {
            default_index: &options.hunt.default_index,
            rules: named,
            rule_set: builder.build(true),
            scratch: Scratch::default(),
            timestamp,
            category,
            groups: FxHashMap::default(),
            groups_dropped: 0,
            wanted,
            time: None,
            problems: Vec::new(),
        }
    }

    /// Counts the event whose values are in the scratch.
    fn count(&mut self, index: &str) {
        let slots = self.scratch.slots();
        if let Some(ValueRef::Date(time)) = slots.first(self.timestamp) {
            let (first, last) = self.time.unwrap_or((time, time));
            self.time = Some((first.min(time), last.max(time)));
        }
        let categories: Vec<&str> = slots.values(self.category).filter_map(ValueRef::as_text).collect();
        let key = (index.to_owned(), categories.join(" "));
        if self.groups.len() >= AGAINST_GROUPS_MAX && !self.groups.contains_key(&key) {
            self.groups_dropped += 1;
            return;
        }
        let fields = self.rule_set.decoder().fields();
        let group = self.groups.entry(key).or_default();
        group.events += 1;
        group.present.resize(fields.len(), 0);
        for (slot, _) in fields.iter().filter(|(slot, _)| slots.is_present(*slot)) {
            group.present[slot.index()] += 1;
        }
        for (slot, wanted) in &mut self.wanted {
            for text in slots.values(*slot).filter_map(ValueRef::as_text) {
                let Some(entry) = wanted.get_mut(fold_ascii(text).as_ref()) else { continue };
                let wanted = entry.written.contains(text) || entry.seen.len() < AGAINST_CASES_MAX;
                if wanted && !entry.seen.contains(text) {
                    entry.seen.insert(text.to_owned());
                }
            }
        }
    }

    /// What the events say about one rule.
    fn look_at(&self, rule: &RuleDocument, named: &Named, messages: &mut Vec<Message>) {
        let chosen: Vec<(&(String, String), &Group)> = self
            .groups
            .iter()
            .filter(|((index, _), _)| index.is_empty() || named.indices.matches(index))
            .collect();
        if chosen.is_empty() && !self.groups.is_empty() {
            let message = format!("none of the events is in {}", rule.index_patterns().join(", "));
            let span = rule.origin.field_span("index");
            let diagnostic = Diagnostic::new(codes::DATA_INDEX_EMPTY, span, message)
                .with_help("look at the names of indices in the data, or give one with --index");
            messages.push((Arc::clone(&rule.origin.source), diagnostic.about_rule(&rule.rule_id)));
            return;
        }
        let mut seen = BTreeSet::new();
        for (slot, field) in &named.fields {
            let say =
                |diagnostic: Diagnostic| (Arc::clone(&named.source), diagnostic.about_rule(&rule.rule_id));
            messages.extend(self.other_case(*slot, field).map(say));
            if field.optional || !seen.insert((&field.name, field.negated)) {
                continue;
            }
            let of_category = |key: &str| {
                field.category.as_deref().is_none_or(|wanted| key.split(' ').any(|one| one == wanted))
            };
            let groups = || chosen.iter().filter(|((_, category), _)| of_category(category));
            let events: u64 = groups().map(|(_, group)| group.events).sum();
            let present: u64 = groups().map(|(_, group)| group.present[slot.index()]).sum();
            messages.extend(missing(field, events, present).map(say));
        }
    }

    fn other_case(&self, slot: Slot, field: &NamedField) -> Option<Diagnostic> {
        let (value, span) = field.value.as_ref()?;
        let entry = self.wanted.get(&slot)?.get(fold_ascii(value).as_ref())?;
        let other = entry.seen.first().filter(|_| !entry.seen.contains(value))?;
        let message =
            format!("events have `{other}` in `{}`, never `{value}`, and case counts here", field.name);
        Some(
            Diagnostic::new(codes::DATA_OTHER_CASE, *span, message)
                .with_help(format!("write `{other}`, or use `:`")),
        )
    }
}

/// What is said about a field that few events have, or none.
fn missing(field: &NamedField, events: u64, present: u64) -> Option<Diagnostic> {
    if events < AGAINST_EVENTS_MIN {
        return None;
    }
    if present == 0 {
        let message = format!("none of the {events} events that are looked at has `{}`", field.name);
        let found = Diagnostic::new(codes::DATA_FIELD_ABSENT, field.place, message);
        return Some(found.with_help("check the name, and whether the data source sends the field"));
    }
    if field.negated && present * OFTEN_MISSING < events {
        let message = format!(
            "{present} of {events} events have `{}`: the exclusion lets all others through",
            field.name
        );
        let found = Diagnostic::new(codes::DATA_OFTEN_MISSING, field.place, message);
        return Some(found.with_help("if they should not match, ask for the field as well"));
    }
    None
}

impl HuntObserver for Counter<'_> {
    fn alert(&mut self, _alert: HuntAlert) {}

    fn watches_events(&self) -> bool {
        true
    }

    fn event(&mut self, event: &RawEvent) {
        // An event that cannot be decoded is a problem of the hunt beside, which reports it.
        if let Ok(view) = self.rule_set.view_event(&event.input(self.default_index), &mut self.scratch) {
            self.count(&view.index);
        }
    }

    fn problem(&mut self, problem: &InputProblem) {
        if self.problems.len() < AGAINST_PROBLEMS_MAX {
            self.problems.push(problem.clone());
        }
    }
}

fn report(rules: &RuleBase, counter: &Counter<'_>, stats: &HuntStats) -> Against {
    let days = counter.time.map_or(0.0, |(first, last)| last.saturating_sub(first) as f64 / NANOS_PER_DAY);
    let volume = rules.documents.iter().filter_map(|rule| {
        let alerts = *stats.alerts_by_rule.get(&rule.rule_id)?;
        Some(Volume {
            rule_id: rule.rule_id.clone(),
            name: rule.name.clone(),
            alerts,
            capped: stats.alerts_capped_by_rule.contains_key(&rule.rule_id),
            per_day: (days >= DAYS_MIN).then(|| alerts as f64 / days),
        })
    });
    let mut volume: Vec<Volume> = volume.collect();
    volume.sort_by(|a, b| b.alerts.cmp(&a.alerts).then_with(|| a.rule_id.cmp(&b.rule_id)));
    Against {
        events: stats.events,
        events_failed: stats.events_failed,
        first: counter.time.map(|(first, _)| date::format_millis(first)),
        last: counter.time.map(|(_, last)| date::format_millis(last)),
        days,
        volume,
        groups_dropped: counter.groups_dropped,
        problems: counter.problems.clone(),
    }
}

const NANOS_PER_DAY: f64 = 86_400e9;
/// Less time than this says nothing about a day.
const DAYS_MIN: f64 = 1.0 / 24.0;

fn too_many(rules: &RuleBase, report: &Against, options: &AgainstOptions, messages: &mut Vec<Message>) {
    for volume in &report.volume {
        let Some(per_day) = volume.per_day.filter(|per_day| *per_day > options.alerts_per_day_max) else {
            continue;
        };
        let Some(rule) = rules.documents.iter().find(|rule| rule.rule_id == volume.rule_id) else { continue };
        let at_least = if volume.capped { "≥ " } else { "" };
        let message = format!(
            "{at_least}{} alerts in {} of data: {at_least}{per_day:.0} a day",
            volume.alerts,
            report.length()
        );
        let span: Span = rule.origin.field_span("query");
        let diagnostic = Diagnostic::new(codes::DATA_VOLUME, span, message)
            .with_help("exclude what is known to be harmless, or take the rule as a building block");
        messages.push((Arc::clone(&rule.origin.source), diagnostic.about_rule(&rule.rule_id)));
    }
}

#[cfg(test)]
mod tests;
