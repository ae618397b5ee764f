//! Indicators: events that have their values, run by run.
//!
//! Events and indicators come in the order of their time. A run is settled once what comes is beyond it and its window:
//! events of which it is the first run are looked up among the indicators that are there, and events that earlier runs
//! saw are looked up by the indicators that are new ([`Index`], [`Waiting`]). So an event is found by the first run that
//! has it in its window and takes an indicator of its values; the alert has all indicators of that run. What a run's cap
//! leaves out is left to the next run, the newest events first.

mod index;
mod waiting;

use std::collections::{BTreeMap, BTreeSet};

use index::{Index, Joined};
use maxspan_event::date;
use maxspan_plan::{Indicators, RunBound, Windows};
use waiting::{Pending, Waiting};

use super::held::{Held, StepKey, digest};
use super::sequence::Fired;
use super::{RuleCounters, TieBreak};
use crate::bytes::{self, put_key, put_u32};
use crate::detection::{DetectionOrder, TieValue};
use crate::events::Place;
use crate::indicators::Part;
use crate::key::KeyValue;

/// A digest without alignment, of which a table holds more.
pub(super) type Packed = [u8; 16];

/// The state of one rule.
#[derive(Debug)]
pub(super) struct IndicatorState {
    windows: Windows,
    bounds: Vec<RunBound>,
    groups: Vec<Group>,
    /// Most alerts of one run.
    cap: Option<usize>,
    index: Index,
    /// Indicators that no run has seen, by the first run that does.
    fresh: BTreeMap<i64, Vec<NewIndicator>>,
    fresh_bytes: usize,
    /// Events by the run that looks them up next.
    due: BTreeMap<i64, Vec<Pending>>,
    due_bytes: usize,
    waiting: Waiting,
    /// Events taken so far.
    position: u64,
    /// When useless indicators are looked for again, in milliseconds, and how long that is put off if there are none.
    purge_at: i64,
    purge_wait_ms: i64,
}

/// What is known of a group of the mapping.
#[derive(Debug)]
pub(super) struct Group {
    class: usize,
    /// Enrichments that an indicator of it gives.
    enrichments: usize,
    /// The places of the negated pairs.
    negated: Vec<u16>,
}

/// An indicator before its first run.
#[derive(Debug)]
struct NewIndicator {
    place: Place,
    /// Its time for each bound.
    times: Box<[i64]>,
    /// What it is found by, and whether that leads.
    keys: Box<[(Packed, bool)]>,
    negated: Box<[NegatedValue]>,
}

/// A value of a negated pair: group, place in it, digest.
pub(super) type NegatedValue = (u16, u16, Packed);

impl NewIndicator {
    fn bytes(&self) -> usize {
        size_of::<Self>() + size_of_val(&*self.times) + size_of_val(&*self.keys) + size_of_val(&*self.negated)
    }
}

impl IndicatorState {
    pub(super) fn new(plan: &Indicators) -> Self {
        let groups = plan.groups.iter().map(|group| Group {
            class: group.class,
            enrichments: group.positive().count(),
            negated: group.negated().map(|(place, _)| place as u16).collect(),
        });
        Self {
            windows: plan.windows,
            bounds: plan.bounds.clone(),
            groups: groups.collect(),
            cap: None,
            index: Index::new(plan.bounds.len()),
            fresh: BTreeMap::new(),
            fresh_bytes: 0,
            due: BTreeMap::new(),
            due_bytes: 0,
            waiting: Waiting::default(),
            position: 0,
            purge_at: i64::MIN,
            purge_wait_ms: plan.windows.interval_ms,
        }
    }

    /// Says how many alerts a run raises at most.
    pub(super) fn set_cap(&mut self, cap: Option<usize>) {
        self.cap = cap;
    }

    /// Bytes of memory, roughly.
    pub(super) fn bytes(&self) -> usize {
        self.index.bytes() + self.fresh_bytes + self.due_bytes + self.waiting.bytes()
    }

    /// Takes the next event in order. The state shall have at most so many bytes: indicators and events that are beyond
    /// are left out.
    pub(super) fn push(
        &mut self,
        held: &Held<'_>,
        steps: &[StepKey<'_>],
        (bytes_max, tie_break): (usize, TieBreak),
        counters: &mut RuleCounters,
        fired: &mut Vec<Fired>,
    ) {
        let at = held.millis();
        self.settle_before(Some(at), counters, fired);
        self.settle_in(self.windows.first_run(at));
        if self.bytes() > bytes_max && !self.purge(at, bytes_max) {
            counters.evicted += 1;
            return;
        }
        if let Some((first_moment, indicator)) = read_indicator(steps, held.place) {
            // Without a time it was always there.
            let there = held.time.map_or(i64::MIN, |_| at);
            self.fresh_bytes += indicator.bytes();
            let run = self.windows.run_from(first_moment.max(there));
            self.fresh.entry(run).or_default().push(indicator);
        }
        let (first_run, last_run) =
            (self.windows.first_run(at), self.windows.last_run_from_before(at.saturating_add(1)));
        if held.time.is_some() && first_run <= last_run {
            let arrival = held.order(tie_break).arrival;
            if let Some(event) = self.read_event(steps, held, arrival, last_run) {
                self.put_due(first_run, event);
            }
        }
    }

    /// No more events come.
    pub(super) fn finish(&mut self, counters: &mut RuleCounters, fired: &mut Vec<Fired>) {
        self.settle_before(None, counters, fired);
    }

    /// Shows the places of all events and indicators.
    pub(super) fn visit_places(&mut self, visit: &mut dyn FnMut(&mut Place)) {
        self.index.visit_places(visit);
        self.fresh.values_mut().flatten().for_each(|one| visit(&mut one.place));
        self.due.values_mut().flatten().for_each(|one| visit(&mut one.place));
        self.waiting.visit_places(visit);
    }

    fn read_event(
        &mut self,
        steps: &[StepKey<'_>],
        held: &Held<'_>,
        arrival: u64,
        last_run: i64,
    ) -> Option<Pending> {
        let (mut keys, mut negated) = (Vec::new(), Vec::new());
        for (step, key) in steps {
            match Part::of(*step) {
                Some(Part::Event { group, leads }) => {
                    let Some(Group { class, .. }) = self.groups.get(group) else { continue };
                    keys.push((group as u16, leads, packed(*class, key)));
                }
                Some(Part::EventNegated { group, entry }) => {
                    negated.push((group as u16, entry as u16, digest(key).to_be_bytes()));
                }
                _ => {}
            }
        }
        if keys.is_empty() {
            return None;
        }
        self.position += 1;
        Some(Pending {
            place: held.place,
            time: held.primary_time,
            arrival,
            position: self.position,
            last_run,
            keys: keys.into(),
            negated: negated.into(),
        })
    }

    fn put_due(&mut self, run: i64, event: Pending) {
        self.due_bytes += event.bytes();
        self.due.entry(run).or_default().push(event);
    }

    /// The next run that can find something.
    fn next_run(&self) -> Option<i64> {
        let due = self.due.first_key_value().map(|(run, _)| *run);
        let fresh = self.fresh.first_key_value().map(|(run, _)| *run);
        due.into_iter().chain(fresh.filter(|_| !self.waiting.is_empty())).min()
    }

    /// Settles runs that nothing can belong to any more; all of them without a moment.
    fn settle_before(&mut self, at: Option<i64>, counters: &mut RuleCounters, fired: &mut Vec<Fired>) {
        while let Some(run) = self.next_run() {
            if at.is_some_and(|at| at <= run.max(self.windows.to(run))) {
                return;
            }
            self.settle(run, counters, fired);
        }
    }

    fn settle(&mut self, run: i64, counters: &mut RuleCounters, fired: &mut Vec<Fired>) {
        let earliest = self.earliest(run);
        self.waiting.forget_before(run);
        let mut events = self.waiting_for(run, &earliest);
        let due = self.due.remove(&run).unwrap_or_default();
        self.due_bytes -= due.iter().map(Pending::bytes).sum::<usize>();
        events.extend(due);
        let mut found = Vec::new();
        for event in events {
            let joined = self.index.joined(&event, &self.groups, &earliest);
            if !joined.pairs.is_empty() {
                found.push((event, joined));
            } else if event.last_run > run {
                self.waiting.put(event);
            }
        }
        found.sort_by_key(|(event, _)| std::cmp::Reverse(event.position));
        let next = run.saturating_add(self.windows.interval_ms);
        for (place, (event, joined)) in found.into_iter().enumerate() {
            if self.cap.is_none_or(|cap| place < cap) {
                counters.enrichments_cut += u64::from(joined.cut);
                fired.push(self.fire(run, &event, &joined));
            } else if next <= event.last_run {
                self.put_due(next, event);
            } else {
                counters.capped += 1;
            }
        }
    }

    /// What the indicators of a run have as their times at least. A bound whose moment cannot be said takes nothing.
    fn earliest(&self, run: i64) -> Vec<i64> {
        self.bounds.iter().map(|bound| bound.earliest(run).unwrap_or(i64::MAX)).collect()
    }

    /// Puts indicators to the others that are new in runs before all that are still to be settled, where no event waits
    /// for them: so few are held as new, which takes more memory.
    fn settle_in(&mut self, first_run: i64) {
        let run = self.due.first_key_value().map_or(first_run, |(due, _)| first_run.min(*due));
        if self.waiting.is_empty() && self.fresh.first_key_value().is_some_and(|(fresh, _)| *fresh <= run) {
            let earliest = self.earliest(run);
            self.waiting_for(run, &earliest);
        }
    }

    /// Puts the indicators that are new in a run to the others, and takes the events that wait for their values.
    fn waiting_for(&mut self, run: i64, earliest: &[i64]) -> Vec<Pending> {
        let mut found = BTreeSet::new();
        while let Some(entry) = self.fresh.first_entry().filter(|entry| *entry.key() <= run) {
            for one in entry.remove() {
                self.fresh_bytes -= one.bytes();
                if one.times.iter().zip(earliest).any(|(time, earliest)| time < earliest) {
                    continue;
                }
                for (key, _) in &one.keys {
                    self.waiting.find(*key, &mut found);
                }
                self.index.insert(one.place, &one.times, &one.keys, one.negated);
            }
        }
        found.into_iter().filter_map(|position| self.waiting.take(position)).collect()
    }

    /// The detection of an event: itself, then its indicators; the key has the group of each.
    fn fire(&self, run: i64, event: &Pending, joined: &Joined) -> Fired {
        let mut key = Vec::new();
        let mut events = vec![Some(event.place)];
        for (indicator, group) in &joined.pairs {
            put_key(&mut key, &KeyValue::Long(i64::from(*group)));
            events.push(Some(self.index.place(*indicator)));
        }
        let order = DetectionOrder {
            time: event.time.map(|nanos| date::from_millis(date::to_millis(nanos))),
            tiebreaker: TieValue::Absent,
            arrival: event.arrival,
        };
        Fired { key: key.into(), events, time: event.time, order, group: None, run_ms: Some(run) }
    }

    /// Forgets indicators that no run to come takes. Whether there is room again.
    fn purge(&mut self, at: i64, bytes_max: usize) -> bool {
        if at < self.purge_at {
            return false;
        }
        let run = self.next_run().unwrap_or(i64::MAX).min(self.windows.run_from(at));
        self.waiting.forget_before(run);
        let earliest = self.earliest(run);
        self.index.forget_before(&earliest);
        let has_room = self.bytes() <= bytes_max;
        // Looking at all of them pays only as they get old.
        self.purge_wait_ms =
            if has_room { self.windows.interval_ms } else { self.purge_wait_ms.saturating_mul(2) };
        self.purge_at = at.saturating_add(self.purge_wait_ms);
        has_room
    }
}

/// The indicator of a match, and the first moment of a run that takes it.
fn read_indicator(steps: &[StepKey<'_>], place: Place) -> Option<(i64, NewIndicator)> {
    let (mut all_times, mut keys, mut negated) = (None, Vec::new(), Vec::new());
    for (step, key) in steps {
        match Part::of(*step) {
            Some(Part::Times) => all_times = bytes::tuple(key),
            Some(Part::Indicator { class, leads }) => keys.push((packed(class, key), leads)),
            Some(Part::IndicatorNegated { group, entry }) => {
                negated.push((group as u16, entry as u16, digest(key).to_be_bytes()));
            }
            _ => {}
        }
    }
    let times = all_times?;
    let mut times = times.iter().map(|value| if let KeyValue::Long(at) = value { *at } else { i64::MIN });
    let first = times.next()?;
    let (times, keys, negated) = (times.collect(), keys.into(), negated.into());
    Some((first, NewIndicator { place, times, keys, negated }))
}

/// The digest of a class and a key.
fn packed(class: usize, key: &[u8]) -> Packed {
    let mut bytes = Vec::with_capacity(key.len() + 4);
    put_u32(&mut bytes, class as u32);
    bytes.extend_from_slice(key);
    digest(&bytes).to_be_bytes()
}
