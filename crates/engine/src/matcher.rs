//! One event against all rules.
//!
//! Matching an event depends on the event alone, so any worker can do it, in any order. What depends on the events
//! before it (its place, and the id of one that repeats content) [`Occurrences`](crate::Occurrences) settles.
//!
//! The way of an event: its fields are decoded, what follows from them is derived, the rules of its index are chosen;
//! the [`prefilter`](crate::prefilter) finds the units (rules, or their steps) that it is a candidate for, and only
//! these are evaluated. Brute force ([`Scratch::exhaustive`]) evaluates all of them: the oracle that the prefilter has
//! to agree with.

use std::collections::BTreeSet;
use std::ops::AddAssign;
use std::sync::Arc;

use maxspan_event::{DecodeError, Dropped, Event, EventId, Slot, Slots, ValueRef, identity, repair};
use maxspan_plan::limits::LINEAGE_QUERIES_MAX;
use maxspan_plan::{Environment, GroupTest, Grouped, Key, PlanKind, Predicate, Sample, Step};
use rustc_hash::FxHashMap;

use crate::indicators;
use crate::key::{KeyTuple, KeyValue, tuples};
use crate::limits::{INDEX_NAMES_MAX, KEY_TUPLES_PER_EVENT_MAX, NOTED_VALUES_MAX};
use crate::meter::{Clock, Costs, Meter};
use crate::prefilter::PrefilterScratch;
use crate::program::Answers;
use crate::ruleset::{CompiledRule, RuleId, RuleSet};

/// Where Kibana keeps the alerts of the default space.
const ALERTS_INDEX: &str = ".alerts-security.alerts-default";

/// An event as it comes from an input.
#[derive(Debug, Clone, Copy)]
pub struct EventInput<'a> {
    /// The `_index` that came with it.
    pub index: Option<&'a str>,
    /// The index of events that have neither `_index` nor `data_stream.*`; empty where nothing says, which every rule
    /// looks into.
    pub default_index: &'a str,
    /// The `_id` that came with it.
    pub id: Option<&'a str>,
    /// The document as JSON.
    pub source: &'a [u8],
}

/// One event satisfied something of one rule.
#[derive(Debug, Clone)]
pub struct Match {
    /// Which rule.
    pub rule: RuleId,
    /// The event, shared by all its matches.
    pub event: Arc<Event>,
    /// Nanoseconds since 1970 of the rule's timestamp field.
    pub time: Option<i64>,
    /// The rule's tiebreaker.
    pub tiebreaker: Option<KeyValue>,
    /// The shipper's own order.
    pub sequence_number: Option<i64>,
    /// Nanoseconds since 1970 of the rule's primary timestamp.
    pub primary_time: Option<i64>,
    /// What was satisfied.
    pub body: MatchBody,
}

/// An event that satisfied something, and what; see [`Occurrences::settle`](crate::Occurrences::settle).
#[derive(Debug, PartialEq)]
pub struct Matched {
    /// The event, without its place in the order of arrival and among those of the same content.
    pub(crate) event: Event,
    /// Not empty.
    pub(crate) found: Vec<Found>,
}

/// A [`Match`] without its event.
#[derive(Debug, PartialEq)]
pub(crate) struct Found {
    pub(crate) rule: RuleId,
    pub(crate) time: Option<i64>,
    pub(crate) tiebreaker: Option<KeyValue>,
    pub(crate) sequence_number: Option<i64>,
    pub(crate) primary_time: Option<i64>,
    pub(crate) body: MatchBody,
}

/// What was satisfied.
#[derive(Debug, Clone, PartialEq)]
pub enum MatchBody {
    /// An event query.
    Event,
    /// Steps of a sequence or sample.
    Steps(Vec<StepMatch>),
    /// Steps of a plan that counts events, which no detection has among its own.
    Counted(Vec<StepMatch>),
    /// Something of a plan with lineage queries, to be settled once the order of events is known.
    Lineage(LineageMatch),
}

impl MatchBody {
    /// Whether a detection can have the event among its own. Most of what lineage queries are told is only who descends
    /// from whom.
    pub(crate) fn can_be_detected(&self) -> bool {
        match self {
            Self::Event | Self::Steps(_) => true,
            Self::Counted(_) => false,
            Self::Lineage(lineage) => lineage.steps.iter().any(|(table, _)| *table != 0),
        }
    }
}

/// A step and the keys under which the event takes part in it.
#[derive(Debug, Clone, PartialEq)]
pub struct StepMatch {
    /// The step; `until` comes after the last one.
    pub step: usize,
    /// The key tuples; not empty.
    pub keys: Vec<KeyTuple>,
}

/// For every combination of answers to the lineage queries (bit i for query i), whether predicates hold.
#[derive(Debug, Clone, PartialEq)]
pub struct LineageMatch {
    /// The event's process.
    pub process: Option<KeyValue>,
    /// Its parent.
    pub parent: Option<KeyValue>,
    /// A table for each lineage query.
    pub queries: Vec<u64>,
    /// A table and the keys for each step (for event queries the one step, without keys).
    pub steps: Vec<(u64, Vec<KeyTuple>)>,
}

/// What is known of an event beside its values.
#[derive(Debug, Clone)]
pub struct EventView {
    /// The index that it counts as; empty where nothing says.
    pub index: Arc<str>,
    /// Its id, as of the first event with this content.
    pub id: EventId,
    /// The `host.os.type` that was derived.
    pub derived_os: Option<&'static str>,
}

/// An event whose values are in the slots.
struct Decoded {
    /// Its id, where it is an alert.
    alert_uuid: Option<String>,
    index: Arc<str>,
    applicable: Applicable,
    derived_os: Option<&'static str>,
}

/// What happened beside matches, since the scratch was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MatchCounters {
    /// Events whose `host.os.type` was derived.
    pub os_derived: u64,
    /// Key tuples beyond [`KEY_TUPLES_PER_EVENT_MAX`].
    pub keys_dropped: u64,
    /// Matches of sequences that were dropped because their event has no timestamp.
    pub without_timestamp: u64,
    /// Events that name no index; every rule looked at them.
    pub without_index: u64,
    /// Documents with a lone surrogate or a number out of range, which were mended.
    pub repaired: u64,
    /// Values beyond the limit of one field.
    pub values_dropped: u64,
    /// Texts that a function did not make, because they would be longer than its limit.
    pub texts_dropped: u64,
    /// Rules, and steps of rules, that were evaluated because the prefilter did not rule them out.
    pub candidates: u64,
}

impl AddAssign for MatchCounters {
    fn add_assign(&mut self, other: Self) {
        let Self {
            os_derived,
            keys_dropped,
            without_timestamp,
            without_index,
            repaired,
            values_dropped,
            texts_dropped,
            candidates,
        } = other;
        self.os_derived += os_derived;
        self.keys_dropped += keys_dropped;
        self.without_timestamp += without_timestamp;
        self.without_index += without_index;
        self.repaired += repaired;
        self.values_dropped += values_dropped;
        self.texts_dropped += texts_dropped;
        self.candidates += candidates;
    }
}

/// What a worker reuses from event to event.
#[derive(Debug, Default)]
pub struct Scratch {
    slots: Slots,
    answers: Vec<bool>,
    applicable: FxHashMap<Arc<str>, Applicable>,
    /// Room for the name of a data stream.
    stream: String,
    prefilter: PrefilterScratch,
    conditions: Answers,
    exhaustive: bool,
    counters: MatchCounters,
    meter: Meter,
    noted: BTreeSet<Box<str>>,
}

/// The rules that look into an index.
#[derive(Debug, Clone)]
struct Applicable {
    /// Stands for the index among those that are remembered.
    number: Option<u16>,
    rules: Arc<[RuleId]>,
    /// Of those that look for indicators, whether it is an index of their events, and one of their indicators.
    sides: Arc<[(RuleId, [bool; 2])]>,
}

impl Scratch {
    /// A scratch with which every rule of an event's index is evaluated, without a prefilter.
    pub fn exhaustive() -> Self {
        Self { exhaustive: true, ..Self::default() }
    }

    /// A scratch that keeps account of what events and rules cost, by this clock.
    pub fn metered(clock: Clock) -> Self {
        Self { meter: Meter::new(clock), ..Self::default() }
    }

    /// What events and rules cost; none where that was not asked for.
    pub fn costs(&self) -> Option<&Costs> {
        self.meter.costs()
    }

    /// The different values that events had in the field that is noted ([`crate::RuleSetBuilder::noted`]).
    pub fn noted(&self) -> &BTreeSet<Box<str>> {
        &self.noted
    }

    /// The values of the last event.
    pub fn slots(&self) -> &Slots {
        &self.slots
    }

    /// What happened beside matches.
    pub fn counters(&self) -> MatchCounters {
        let Dropped { values, texts } = self.slots.dropped();
        MatchCounters { values_dropped: values, texts_dropped: texts, ..self.counters }
    }
}

impl RuleSet {
    /// Matches one event against every rule that looks into its index; none where it satisfies nothing.
    pub fn match_event(
        &self,
        input: &EventInput<'_>,
        scratch: &mut Scratch,
    ) -> Result<Option<Matched>, DecodeError> {
        scratch.meter.begin();
        let Decoded { alert_uuid, index, applicable, derived_os } = self.decode(input, scratch)?;
        scratch.meter.decoded();
        let mut found = Vec::new();
        if scratch.exhaustive {
            self.match_all(input, &applicable.rules, scratch, &mut found)?;
        } else {
            self.match_candidates(input, &applicable, scratch, &mut found)?;
            if cfg!(debug_assertions) {
                self.assert_that_none_is_missing(input, &applicable.rules, scratch, &found);
            }
        }
        for (id, [as_event, as_indicator]) in &*applicable.sides {
            let kept = |one: &mut Found| {
                one.rule != *id || indicators::keep(&mut one.body, *as_event, *as_indicator)
            };
            found.retain_mut(kept);
        }
        let event = Known { input, alert_uuid, index, derived_os };
        Ok(matched(event, found))
    }

    /// Matches a document that is an indicator, whatever its index, and was there before all events; none where no rule
    /// takes it.
    pub fn match_indicator(
        &self,
        input: &EventInput<'_>,
        in_index: Option<&str>,
        scratch: &mut Scratch,
    ) -> Result<Option<Matched>, DecodeError> {
        let without_index = scratch.counters.without_index;
        let Decoded { alert_uuid, index, derived_os, .. } = self.decode(input, scratch)?;
        scratch.counters.without_index = without_index;
        self.decode_leaves(input, scratch)?;
        let mut found = Vec::new();
        for (rule, compiled) in self.rules() {
            let PlanKind::Indicators(plan) = &compiled.plan.kind else { continue };
            if in_index.is_some_and(|index| !plan.indices.matches(index)) {
                continue;
            }
            let Scratch { slots, counters, .. } = &mut *scratch;
            if let Some(body) = indicators::indicator_body(plan, slots, counters) {
                let (time, tiebreaker, sequence_number, primary_time) = (None, None, None, None);
                found.push(Found { rule, time, tiebreaker, sequence_number, primary_time, body });
            }
        }
        Ok(matched(Known { input, alert_uuid, index, derived_os }, found))
    }

    /// Decodes one event as [`RuleSet::match_event`] does, and leaves its values in [`Scratch::slots`].
    pub fn view_event(
        &self,
        input: &EventInput<'_>,
        scratch: &mut Scratch,
    ) -> Result<EventView, DecodeError> {
        let Decoded { alert_uuid, index, derived_os, .. } = self.decode(input, scratch)?;
        self.decode_leaves(input, scratch)?;
        Ok(EventView { index, id: event_id(input, alert_uuid.as_deref()), derived_os })
    }

    /// Evaluates all rules.
    fn match_all(
        &self,
        input: &EventInput<'_>,
        rules: &[RuleId],
        scratch: &mut Scratch,
        found: &mut Vec<Found>,
    ) -> Result<(), DecodeError> {
        self.decode_leaves(input, scratch)?;
        for id in rules {
            let rule = self.rule(*id);
            if let Some(body) = evaluate(rule, scratch) {
                found.extend(self.found(*id, rule, body, scratch));
            }
        }
        Ok(())
    }

    /// Holds what was found against brute force: in debug builds, each event of each test is a duel.
    fn assert_that_none_is_missing(
        &self,
        input: &EventInput<'_>,
        rules: &[RuleId],
        scratch: &mut Scratch,
        found: &[Found],
    ) {
        let (counters, dropped, mut all) = (scratch.counters, scratch.slots.dropped(), Vec::new());
        if self.match_all(input, rules, scratch, &mut all).is_ok() {
            assert_eq!(found, all, "the prefilter and brute force differ");
        }
        scratch.counters = counters;
        scratch.slots.set_dropped(dropped);
    }

    /// Evaluates what the event is a candidate for.
    fn match_candidates(
        &self,
        input: &EventInput<'_>,
        applicable: &Applicable,
        scratch: &mut Scratch,
        found: &mut Vec<Found>,
    ) -> Result<(), DecodeError> {
        let mut prefilter = std::mem::take(&mut scratch.prefilter);
        let candidates =
            self.prefilter().candidates(&applicable.rules, applicable.number, &scratch.slots, &mut prefilter);
        scratch.meter.prefiltered();
        let result = self.match_units(input, candidates, scratch, found);
        scratch.prefilter = prefilter;
        result
    }

    fn match_units(
        &self,
        input: &EventInput<'_>,
        candidates: &[u32],
        scratch: &mut Scratch,
        found: &mut Vec<Found>,
    ) -> Result<(), DecodeError> {
        let rule_of = |unit: u32| self.prefilter().unit(unit).rule;
        scratch.counters.candidates += candidates.len() as u64;
        if candidates.iter().any(|unit| self.asks_leaves(rule_of(*unit))) {
            self.decode_leaves(input, scratch)?;
        }
        scratch.conditions.begin(self.program());
        scratch.meter.prepared();
        for units in candidates.chunk_by(|a, b| rule_of(*a) == rule_of(*b)) {
            let id = rule_of(units[0]);
            let rule = self.rule(id);
            let body = self.evaluate_units(rule, units, scratch);
            scratch.meter.evaluated(id, units.len(), body.is_some());
            if let Some(body) = body {
                found.extend(self.found(id, rule, body, scratch));
            }
        }
        Ok(())
    }

    /// Evaluates units of one rule.
    fn evaluate_units(&self, rule: &CompiledRule, units: &[u32], scratch: &mut Scratch) -> Option<MatchBody> {
        if !rule.plan.lineage.is_empty() {
            return evaluate_lineage(rule, scratch);
        }
        let Scratch { slots, counters, conditions, .. } = scratch;
        let mut found = Vec::new();
        for unit in units {
            if !self.program().holds(*unit, slots, conditions) {
                continue;
            }
            let number = self.prefilter().unit(*unit).step;
            let Some(step) = rule.plan.step(number as usize) else { return Some(MatchBody::Event) };
            found.extend(step_match(number as usize, step, slots, counters));
        }
        body_of_steps(rule, found, slots, counters)
    }

    /// The time that a rule's windows go by, of an event's document; the slots are what it is decoded to.
    pub fn primary_time(&self, id: RuleId, source: &[u8], slots: &mut Slots) -> Option<i64> {
        self.decoder().decode_fields(source, slots).ok()?;
        self.rule(id).primary.iter().find_map(|slot| date_of(slots, *slot))
    }

    /// What a rule found in the event whose values are in the slots; none where the rule cannot place it in time.
    fn found(
        &self,
        id: RuleId,
        rule: &CompiledRule,
        mut body: MatchBody,
        scratch: &mut Scratch,
    ) -> Option<Found> {
        let Scratch { slots, counters, .. } = scratch;
        let primary_time = rule.primary.iter().find_map(|slot| date_of(slots, *slot));
        let time = match rule.plan.kind {
            // Windows are over the primary timestamp.
            PlanKind::Grouped(_) | PlanKind::Indicators(_) => primary_time,
            _ => date_of(slots, rule.timestamp),
        };
        let needs_time = match rule.plan.kind {
            PlanKind::Sample(_) => false,
            // An indicator without a time was always there.
            PlanKind::Indicators(_) => !indicators::keep(&mut body, time.is_some(), true),
            _ => !matches!(body, MatchBody::Event),
        };
        if time.is_none() && needs_time {
            counters.without_timestamp += 1;
            return None;
        }
        Some(Found {
            rule: id,
            time,
            tiebreaker: rule.tiebreaker.and_then(|slot| slots.first(slot)).and_then(KeyValue::from_value),
            sequence_number: match slots.first(self.sequence_number()) {
                Some(ValueRef::Long(number)) => Some(number),
                _ => None,
            },
            primary_time,
            body,
        })
    }

    /// Fills the slots: the event's own fields, then what is derived from them.
    fn decode(&self, input: &EventInput<'_>, scratch: &mut Scratch) -> Result<Decoded, DecodeError> {
        if let Err(error) = self.decoder().decode_fields(input.source, &mut scratch.slots) {
            let Some(mended) = repair::repaired(input.source) else { return Err(error) };
            self.decoder().decode_fields(&mended, &mut scratch.slots)?;
            scratch.counters.repaired += 1;
        }
        let alert_uuid = self.alert_uuid(scratch);
        self.note(scratch);
        let (index, applicable) = self.applicable(input, alert_uuid.is_some(), scratch);
        let derived = self.normalizer().and_then(|normalizer| normalizer.apply(&mut scratch.slots));
        scratch.counters.os_derived += u64::from(derived.is_some());
        let derived_os = derived.map(maxspan_event::HostOs::name);
        Ok(Decoded { alert_uuid, index, applicable, derived_os })
    }

    /// Adds the leaves of free text, where some rule needs them.
    fn decode_leaves(&self, input: &EventInput<'_>, scratch: &mut Scratch) -> Result<(), DecodeError> {
        let Err(error) = self.decoder().decode_leaves(input.source, &mut scratch.slots) else {
            return Ok(());
        };
        let Some(mended) = repair::repaired(input.source) else { return Err(error) };
        self.decoder().decode_leaves(&mended, &mut scratch.slots)
    }

    /// Remembers the values of the field that is noted.
    fn note(&self, scratch: &mut Scratch) {
        let Some(slot) = self.noted() else { return };
        let Scratch { slots, noted, .. } = scratch;
        for text in slots.values(slot).filter_map(ValueRef::as_text) {
            if !noted.contains(text) && noted.len() < NOTED_VALUES_MAX {
                noted.insert(text.into());
            }
        }
    }

    /// The id of an event that is an alert.
    fn alert_uuid(&self, scratch: &Scratch) -> Option<String> {
        scratch.slots.values(self.alert_uuid_slot()).next().and_then(ValueRef::as_text).map(str::to_owned)
    }

    /// The event's index, and the rules that look into it.
    fn applicable(
        &self,
        input: &EventInput<'_>,
        is_alert: bool,
        scratch: &mut Scratch,
    ) -> (Arc<str>, Applicable) {
        let mut stream = std::mem::take(&mut scratch.stream);
        let named = match input.index {
            Some(index) => Some(index),
            None if is_alert => Some(ALERTS_INDEX),
            None => self.data_stream(&scratch.slots, &mut stream),
        };
        let found = self.applicable_to(named.unwrap_or(input.default_index), scratch);
        scratch.stream = stream;
        found
    }

    fn applicable_to(&self, index: &str, scratch: &mut Scratch) -> (Arc<str>, Applicable) {
        scratch.counters.without_index += u64::from(index.is_empty());
        if let Some((index, applicable)) = scratch.applicable.get_key_value(index) {
            return (Arc::clone(index), applicable.clone());
        }
        let rules = self.rules_of(index);
        let number = scratch.applicable.len();
        let number = u16::try_from(number).ok().filter(|_| number < INDEX_NAMES_MAX);
        let sides = self.sides_of(index, &rules);
        let (index, applicable): (Arc<str>, _) = (index.into(), Applicable { number, rules, sides });
        if number.is_some() {
            scratch.applicable.insert(Arc::clone(&index), applicable.clone());
        }
        (index, applicable)
    }

    /// The data stream that an event names itself: `logs-endpoint.events.process-default`.
    fn data_stream<'n>(&self, slots: &Slots, name: &'n mut String) -> Option<&'n str> {
        let part = |slot: Slot| slots.values(slot).next().and_then(ValueRef::as_text);
        let [kind, dataset, namespace] = self.data_stream_slots();
        name.clear();
        // Without a type the name is a guess, and `--index` says better.
        for part in [part(kind)?, "-", part(dataset)?, "-", part(namespace).unwrap_or("default")] {
            name.push_str(part);
        }
        Some(name)
    }
}

/// What is known of an event that satisfied something.
struct Known<'a> {
    input: &'a EventInput<'a>,
    alert_uuid: Option<String>,
    index: Arc<str>,
    derived_os: Option<&'static str>,
}

/// The event with what was found in it; none where that is nothing.
fn matched(known: Known<'_>, found: Vec<Found>) -> Option<Matched> {
    if found.is_empty() {
        return None;
    }
    let Known { input, alert_uuid, index, derived_os } = known;
    let content = identity::content_hash(input.source);
    let id = given_id(input, alert_uuid.as_deref());
    let id = id.unwrap_or(EventId::Content { hash: content, occurrence: 0 });
    // Without a copy of the document where nobody will ask for it.
    let can_be_detected = found.iter().any(|one| one.body.can_be_detected());
    let source = if can_be_detected { input.source.into() } else { Box::default() };
    let event = Event { index, id, source, content, derived_os, arrival: 0 };
    Some(Matched { event, found })
}

/// The id that came with the event, or that an alert has.
fn given_id(input: &EventInput<'_>, alert_uuid: Option<&str>) -> Option<EventId> {
    let mut ids = [input.id, alert_uuid].into_iter().flatten();
    ids.find(|id| !id.is_empty()).map(|id| EventId::Given(id.into()))
}

/// The id of an event of which nobody knows whether others are like it.
fn event_id(input: &EventInput<'_>, alert_uuid: Option<&str>) -> EventId {
    let hash = || identity::content_hash(input.source);
    given_id(input, alert_uuid).unwrap_or_else(|| EventId::Content { hash: hash(), occurrence: 0 })
}

fn date_of(slots: &Slots, slot: Slot) -> Option<i64> {
    match slots.first(slot) {
        Some(ValueRef::Date(nanos)) => Some(nanos),
        _ => None,
    }
}

fn evaluate(rule: &CompiledRule, scratch: &mut Scratch) -> Option<MatchBody> {
    if !rule.plan.lineage.is_empty() {
        return evaluate_lineage(rule, scratch);
    }
    let Scratch { slots, counters, .. } = scratch;
    let environment = Environment::new(slots);
    let (steps, until): (&[Step], Option<&Step>) = match &rule.plan.kind {
        PlanKind::Events(predicate) => return predicate.holds(environment).then_some(MatchBody::Event),
        PlanKind::Sequence(sequence) => (&sequence.steps, sequence.until.as_ref()),
        PlanKind::Sample(sample) => (&sample.steps, None),
        PlanKind::Grouped(grouped) => (&grouped.steps, None),
        PlanKind::Indicators(indicators) => (&indicators.steps, None),
    };
    let mut found = Vec::new();
    for (index, step) in steps.iter().chain(until).enumerate() {
        if step.predicate.holds(environment) {
            found.extend(step_match(index, step, slots, counters));
        }
    }
    body_of_steps(rule, found, slots, counters)
}

/// What the steps that an event satisfied are told as; none where it satisfied none.
fn body_of_steps(
    rule: &CompiledRule,
    found: Vec<StepMatch>,
    slots: &Slots,
    counters: &mut MatchCounters,
) -> Option<MatchBody> {
    if let PlanKind::Indicators(plan) = &rule.plan.kind {
        return indicators::body(plan, &found, slots, counters);
    }
    let counts = matches!(rule.plan.kind, PlanKind::Grouped(Grouped { test: GroupTest::Count { .. }, .. }));
    let body = if counts { MatchBody::Counted } else { MatchBody::Steps };
    (!found.is_empty()).then(|| body(found))
}

/// The keys under which an event takes part in a step; none where it lacks one.
fn step_match(index: usize, step: &Step, slots: &Slots, counters: &mut MatchCounters) -> Option<StepMatch> {
    let keys = key_tuples(&step.keys, slots, counters);
    (!keys.is_empty()).then_some(StepMatch { step: index, keys })
}

/// The tuples of a stage's keys: every distinct value of a multi-valued key, and null for an optional key without one.
fn key_tuples(keys: &[Key], slots: &Slots, counters: &mut MatchCounters) -> Vec<KeyTuple> {
    let mut values = Vec::with_capacity(keys.len());
    for key in keys {
        let mut distinct: Vec<KeyValue> = slots.values(key.slot).filter_map(KeyValue::from_value).collect();
        distinct.sort_unstable();
        distinct.dedup();
        if distinct.is_empty() && key.optional {
            distinct.push(KeyValue::Null);
        }
        values.push(distinct);
    }
    let (made, dropped) = tuples(&values, KEY_TUPLES_PER_EVENT_MAX);
    counters.keys_dropped += dropped;
    made
}

fn evaluate_lineage(rule: &CompiledRule, scratch: &mut Scratch) -> Option<MatchBody> {
    let plan = &rule.plan;
    // Lowering lets no more through than a table of 64 bits holds.
    let count = plan.lineage.len();
    debug_assert!(count <= LINEAGE_QUERIES_MAX);
    let first = plan.lineage.first()?;
    let key = |slot: Slot| scratch.slots.first(slot).and_then(KeyValue::from_value);
    let (process, parent) = (key(first.process), key(first.parent));
    let Scratch { slots, counters, answers, .. } = scratch;
    let queries: Vec<u64> =
        plan.lineage.iter().map(|one| table(&one.predicate, count, slots, answers)).collect();
    let steps: Vec<(u64, Vec<KeyTuple>)> = match &plan.kind {
        PlanKind::Events(predicate) => vec![(table(predicate, count, slots, answers), Vec::new())],
        PlanKind::Sequence(sequence) => {
            let steps = sequence.steps.iter().chain(&sequence.until);
            steps
                .map(|step| {
                    (table(&step.predicate, count, slots, answers), key_tuples(&step.keys, slots, counters))
                })
                .collect()
        }
        // Only EQL has lineage queries.
        PlanKind::Indicators(_) => Vec::new(),
        PlanKind::Sample(Sample { steps }) | PlanKind::Grouped(Grouped { steps, .. }) => {
            let steps = steps.iter();
            steps
                .map(|step| {
                    (table(&step.predicate, count, slots, answers), key_tuples(&step.keys, slots, counters))
                })
                .collect()
        }
    };
    let links = process.is_some() && parent.is_some();
    let possible = queries.iter().chain(steps.iter().map(|(table, _)| table)).any(|table| *table != 0);
    (links || possible).then_some(MatchBody::Lineage(LineageMatch { process, parent, queries, steps }))
}

/// Bit i: whether the predicate holds when the answers to the lineage queries are the bits of i.
fn table(predicate: &Predicate, count: usize, slots: &Slots, answers: &mut Vec<bool>) -> u64 {
    let mut table = 0;
    for combination in 0..1_usize << count {
        answers.clear();
        answers.extend((0..count).map(|query| combination >> query & 1 == 1));
        if predicate.holds(Environment { slots, lineage: answers }) {
            table |= 1 << combination;
        }
    }
    table
}
