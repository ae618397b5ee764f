//! What broke a sequence: the nearest thing to a full chain that a relaxed variant of the rule finds is held against what
//! the rule asks.
//!
//! The breaks are found by looking at the chain's events, not concluded from the variant, so they are facts about these
//! events; which chain is shown is a choice (fewest breaks, then shortest).

use maxspan_engine::{Detection, KeptEvent, KeyStyle, KeyTuple, KeyValue};
use maxspan_event::date;
use maxspan_plan::condition::Stage;
use maxspan_plan::{PlanKind, Sequence};
use rustc_hash::FxHashMap;
use serde::Serialize;

use super::variants::Variant;
use super::view::View;

/// An event that satisfies stages of the rule.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) arrival: u64,
    pub(super) place: String,
    /// Nanoseconds since 1970.
    pub(super) time: Option<i64>,
    /// Stage from 0 (`until` last) and key tuples.
    pub(super) steps: Vec<(usize, Vec<KeyTuple>)>,
}

/// Events for every stage that needs one, which are no sequence all the same.
#[derive(Debug, Serialize)]
pub struct Chain {
    /// The events in the order of stages.
    pub events: Vec<ChainEvent>,
    /// Why they are no sequence; not empty.
    pub breaks: Vec<Break>,
}

/// An event of a chain.
#[derive(Debug, Serialize)]
pub struct ChainEvent {
    /// The stage, from 1.
    pub stage: usize,
    /// Where it was found: `file:line`.
    pub place: String,
    /// Its time.
    pub time: Option<String>,
    /// The values of the join keys.
    pub keys: Vec<Option<String>>,
}

/// Something that keeps events from being a sequence. Stages count from 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "break", rename_all = "kebab-case")]
pub enum Break {
    /// The last event comes too long after the first.
    Maxspan {
        /// From the first to the last event, in milliseconds.
        took_ms: i64,
        /// What the rule allows, in milliseconds.
        maxspan_ms: i64,
        /// By how much it is over, in milliseconds.
        over_ms: i64,
    },
    /// Events do not share a join key.
    Key {
        /// The key in the one stage.
        field: String,
        /// The stage.
        stage: usize,
        /// Its values.
        values: Vec<Option<String>>,
        /// The key in the other stage.
        other_field: String,
        /// The other stage.
        other_stage: usize,
        /// Its values.
        other_values: Vec<Option<String>>,
    },
    /// An event comes before that of the stage before.
    Order {
        /// The stage whose event comes too early.
        stage: usize,
        /// The stage that it has to come after.
        after_stage: usize,
        /// How much too early, in milliseconds.
        early_ms: i64,
    },
    /// An event fills one stage only, and there are too few of them.
    TooFew {
        /// Stages that need an event.
        stages: usize,
        /// Different events that can fill them.
        events: usize,
    },
    /// The `until` event came in between.
    Until {
        /// Where.
        place: String,
        /// When.
        time: Option<String>,
    },
    /// An event is there that has to be missing.
    Present {
        /// The stage.
        stage: usize,
        /// Where.
        place: String,
        /// When.
        time: Option<String>,
    },
}

/// The chain with the fewest breaks, of those the shortest in time.
pub(super) fn best_chain(view: &View, detections: &[Detection], records: &[Record]) -> Option<Chain> {
    let mut best: Option<(usize, i64, Chain)> = None;
    for detection in detections {
        let Some(variant) =
            (detection.rule.0 as usize).checked_sub(1).and_then(|index| view.variants.get(index))
        else {
            continue;
        };
        let Some(links) = links(detection, variant, records) else { continue };
        let common = common_keys(&links);
        let breaks = Judge { view, records, links: &links, common: &common }.breaks();
        let took = took_ms(&links);
        let better = best.as_ref().is_none_or(|(count, time, _)| (breaks.len(), took) < (*count, *time));
        if !breaks.is_empty() && better {
            best = Some((breaks.len(), took, Chain { events: chain_events(&links, &common), breaks }));
        }
    }
    best.map(|(_, _, chain)| chain).or_else(|| too_few(view, records))
}

/// Where every stage has events, but not one of its own: an event fills one stage of a sequence or sample.
fn too_few(view: &View, records: &[Record]) -> Option<Chain> {
    let missing = |stage: &usize| view.outline.query.stages[*stage].missing;
    let stages: Vec<usize> = (0..view.outline.query.stages.len()).filter(|stage| !missing(stage)).collect();
    // A stage with as many events as there are stages always finds one.
    let events_of = |stage: usize| -> Vec<usize> {
        let fills = |record: &Record| record.steps.iter().any(|(step, _)| *step == stage);
        let filling = records.iter().enumerate().filter(|(_, record)| fills(record));
        filling.map(|(index, _)| index).take(stages.len()).collect()
    };
    let candidates: Vec<Vec<usize>> = stages.iter().map(|stage| events_of(*stage)).collect();
    if candidates.iter().any(Vec::is_empty) {
        return None;
    }
    let events = fillable(&candidates);
    let breaks = vec![Break::TooFew { stages: stages.len(), events }];
    (events < stages.len()).then(|| Chain { events: Vec::new(), breaks })
}

/// How many stages can have an event of their own: a greatest matching, by augmenting paths.
fn fillable(candidates: &[Vec<usize>]) -> usize {
    fn fill(
        stage: usize,
        candidates: &[Vec<usize>],
        tried: &mut Vec<usize>,
        taken: &mut FxHashMap<usize, usize>,
    ) -> bool {
        for event in &candidates[stage] {
            if tried.contains(event) {
                continue;
            }
            tried.push(*event);
            let holder = taken.get(event).copied();
            if holder.is_none_or(|other| fill(other, candidates, tried, taken)) {
                taken.insert(*event, stage);
                return true;
            }
        }
        false
    }
    let mut taken = FxHashMap::default();
    (0..candidates.len()).filter(|stage| fill(*stage, candidates, &mut Vec::new(), &mut taken)).count()
}

/// The tuples of join keys that all events of a chain have.
fn common_keys(links: &[Link<'_>]) -> Vec<KeyTuple> {
    let Some((first, rest)) = links.split_first() else { return Vec::new() };
    let shared = |tuple: &&KeyTuple| rest.iter().all(|link| link.keys.contains(tuple));
    first.keys.iter().filter(shared).cloned().collect()
}

/// The event of a stage.
struct Link<'a> {
    /// From 0.
    stage: usize,
    record: &'a Record,
    keys: &'a [KeyTuple],
}

impl Link<'_> {
    fn millis(&self) -> Option<i64> {
        self.record.time.map(date::to_millis)
    }
}

fn links<'a>(detection: &Detection, variant: &Variant, records: &'a [Record]) -> Option<Vec<Link<'a>>> {
    let link = |(event, stage): (&KeptEvent, &usize)| {
        let found = records.binary_search_by_key(&event.arrival(), |record| record.arrival).ok()?;
        let record = &records[found];
        let (_, keys) = record.steps.iter().find(|(step, _)| step == stage)?;
        Some(Link { stage: *stage, record, keys })
    };
    detection.present().zip(&variant.steps).map(link).collect()
}

fn took_ms(links: &[Link<'_>]) -> i64 {
    let times = || links.iter().filter_map(Link::millis);
    times().max().unwrap_or(0).saturating_sub(times().min().unwrap_or(0))
}

fn chain_events(links: &[Link<'_>], common: &[KeyTuple]) -> Vec<ChainEvent> {
    let event = |link: &Link<'_>| ChainEvent {
        stage: link.stage + 1,
        place: link.record.place.clone(),
        time: link.record.time.map(date::format_millis),
        keys: common
            .first()
            .or(link.keys.first())
            .map_or_else(Vec::new, |tuple| tuple.iter().map(text).collect()),
    };
    links.iter().map(event).collect()
}

fn text(value: &KeyValue) -> Option<String> {
    value.to_text(KeyStyle::Sequence)
}

/// Holds a chain against what the rule asks.
struct Judge<'a> {
    view: &'a View,
    records: &'a [Record],
    links: &'a [Link<'a>],
    /// The key tuples that all of the chain's events have.
    common: &'a [KeyTuple],
}

impl Judge<'_> {
    fn breaks(&self) -> Vec<Break> {
        let mut breaks = Vec::new();
        if let PlanKind::Sequence(sequence) = &self.view.plan.kind {
            self.order(&mut breaks);
            let took_ms = took_ms(self.links);
            if let Some(maxspan_ms) = sequence.maxspan_ms.filter(|maxspan| took_ms > *maxspan) {
                breaks.push(Break::Maxspan { took_ms, maxspan_ms, over_ms: took_ms - maxspan_ms });
            }
            self.keys(&mut breaks);
            self.unwanted(sequence, &mut breaks);
        } else {
            self.keys(&mut breaks);
        }
        breaks
    }

    fn order(&self, breaks: &mut Vec<Break>) {
        for pair in self.links.windows(2) {
            let (Some(before), Some(after)) = (pair[0].millis(), pair[1].millis()) else { continue };
            if after < before {
                let (stage, after_stage) = (pair[1].stage + 1, pair[0].stage + 1);
                breaks.push(Break::Order { stage, after_stage, early_ms: before - after });
            }
        }
    }

    /// For each key the first two stages that have no value of it in common. Where every key by itself is shared, but not
    /// all together, the stages with different tuples.
    fn keys(&self, breaks: &mut Vec<Break>) {
        let stages: Vec<_> = self.view.stages().collect();
        let count = self.links.first().map_or(0, |link| stages[link.stage].keys.len());
        if count == 0 || !self.common.is_empty() {
            return;
        }
        for place in 0..count {
            let values = |link: &Link<'_>| {
                let mut values: Vec<KeyValue> = link.keys.iter().map(|tuple| tuple[place].clone()).collect();
                values.sort_unstable();
                values.dedup();
                values
            };
            let apart = |(a, b): &(&Link<'_>, &Link<'_>)| {
                let other = values(b);
                !values(a).iter().any(|value| other.contains(value))
            };
            let pairs = self
                .links
                .iter()
                .enumerate()
                .flat_map(|(index, one)| self.links[index + 1..].iter().map(move |other| (one, other)));
            let Some((one, other)) = pairs.into_iter().find(apart) else { continue };
            breaks.push(Break::Key {
                field: stages[one.stage].keys[place].0.name.clone(),
                stage: one.stage + 1,
                values: values(one).iter().map(text).collect(),
                other_field: stages[other.stage].keys[place].0.name.clone(),
                other_stage: other.stage + 1,
                other_values: values(other).iter().map(text).collect(),
            });
        }
        if !breaks.iter().any(|one| matches!(one, Break::Key { .. })) {
            breaks.extend(self.no_common_tuple(&stages));
        }
    }

    /// Fields with several values: each value is shared by some stages, none by all.
    fn no_common_tuple(&self, stages: &[&Stage]) -> Option<Break> {
        let (first, last) = (self.links.first()?, self.links.last()?);
        let names = |link: &Link<'_>| {
            let names: Vec<&str> =
                stages[link.stage].keys.iter().map(|(read, _)| read.name.as_str()).collect();
            names.join(", ")
        };
        let values = |link: &Link<'_>| link.keys.iter().map(|tuple| Some(joined(tuple))).collect();
        Some(Break::Key {
            field: names(first),
            stage: first.stage + 1,
            values: values(first),
            other_field: names(last),
            other_stage: last.stage + 1,
            other_values: values(last),
        })
    }

    /// Events of `until` and of stages that have to be missing.
    fn unwanted(&self, sequence: &Sequence, breaks: &mut Vec<Break>) {
        let (Some(first), Some(last)) = (self.links.first(), self.links.last()) else { return };
        let until = sequence.steps.len();
        let between = |record: &&Record| first.record.time <= record.time && record.time <= last.record.time;
        if let Some(record) = self.of_stage(until).find(between) {
            breaks.push(Break::Until {
                place: record.place.clone(),
                time: record.time.map(date::format_millis),
            });
        }
        for (stage, _) in sequence.steps.iter().enumerate().filter(|(_, step)| step.missing) {
            let from = self.links.iter().rfind(|link| link.stage < stage).and_then(Link::millis);
            let to = self.links.iter().find(|link| link.stage > stage).and_then(Link::millis);
            let span = sequence.maxspan_ms.unwrap_or(i64::MAX);
            let from = from.or_else(|| last.millis().map(|millis| millis.saturating_sub(span)));
            let to = to.or_else(|| first.millis().map(|millis| millis.saturating_add(span)));
            let within = |record: &&Record| {
                let millis = record.time.map(date::to_millis);
                from <= millis
                    && millis <= to
                    && !self.links.iter().any(|link| link.record.arrival == record.arrival)
            };
            if let Some(record) = self.of_stage(stage).find(within) {
                let time = record.time.map(date::format_millis);
                breaks.push(Break::Present { stage: stage + 1, place: record.place.clone(), time });
            }
        }
    }

    /// The events of a stage that share all keys with the chain; none where the chain's events do not share them.
    fn of_stage(&self, stage: usize) -> impl Iterator<Item = &Record> {
        let shares = move |keys: &[KeyTuple]| keys.iter().any(|tuple| self.common.contains(tuple));
        let has =
            move |record: &&Record| record.steps.iter().any(|(step, keys)| *step == stage && shares(keys));
        self.records.iter().filter(has)
    }
}

/// The values of a tuple in one text.
fn joined(tuple: &KeyTuple) -> String {
    let values: Vec<String> =
        tuple.iter().map(|value| text(value).unwrap_or_else(|| "null".to_owned())).collect();
    values.join(", ")
}
