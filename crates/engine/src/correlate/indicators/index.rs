//! The indicators that are there, by the digests of their values.
//!
//! A million of them shall fit: an indicator is its place, its times, and a link in the chain of each of its keys.

use std::collections::BTreeSet;

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use super::waiting::Pending;
use super::{Group, NegatedValue, Packed};
use crate::events::Place;
use crate::limits::{ENRICHMENTS_MAX, INDICATORS_TRIED_MAX};

/// The indicators that some run has seen.
#[derive(Debug)]
pub(super) struct Index {
    /// How many times an indicator has.
    bounds: usize,
    /// The newest link of each key.
    newest: HashMap<Packed, u32, FxBuildHasher>,
    links: Vec<Link>,
    /// In the order of their time.
    places: Vec<Place>,
    /// Those of the first indicator, then of the second.
    times: Vec<i64>,
    /// Of indicators that have some.
    negated: HashMap<u32, Box<[NegatedValue]>, FxBuildHasher>,
    negated_bytes: usize,
}

/// An indicator of a key, and the next older one.
#[derive(Debug, Clone, Copy)]
struct Link {
    indicator: u32,
    leads: bool,
    older: Option<std::num::NonZeroU32>,
}

/// The indicators of an event.
#[derive(Debug, Default)]
pub(super) struct Joined {
    /// Indicator and group, in the order of the indicators.
    pub(super) pairs: BTreeSet<(u32, u16)>,
    /// There are more than an alert can have.
    pub(super) cut: bool,
}

/// What a key takes beside its links: itself, a number, and the table's own.
const KEY_BYTES: usize = 24;

impl Index {
    pub(super) fn new(bounds: usize) -> Self {
        Self {
            bounds,
            newest: HashMap::default(),
            links: Vec::new(),
            places: Vec::new(),
            times: Vec::new(),
            negated: HashMap::default(),
            negated_bytes: 0,
        }
    }

    pub(super) fn bytes(&self) -> usize {
        let tables = self.newest.capacity() * KEY_BYTES + self.negated_bytes;
        tables
            + self.links.capacity() * size_of::<Link>()
            + (self.places.capacity() + self.times.capacity()) * size_of::<u64>()
    }

    pub(super) fn place(&self, indicator: u32) -> Place {
        self.places[indicator as usize]
    }

    pub(super) fn visit_places(&mut self, visit: &mut dyn FnMut(&mut Place)) {
        self.places.iter_mut().for_each(visit);
    }

    pub(super) fn insert(
        &mut self,
        place: Place,
        times: &[i64],
        keys: &[(Packed, bool)],
        negated: Box<[NegatedValue]>,
    ) {
        let number = self.places.len() as u32;
        self.places.push(place);
        self.times.extend_from_slice(times);
        for (key, leads) in keys {
            // Links are counted from 1, so that none takes no room.
            let link = self.links.len() as u32 + 1;
            let before = self.newest.insert(*key, link);
            let older = before.and_then(std::num::NonZeroU32::new);
            self.links.push(Link { indicator: number, leads: *leads, older });
        }
        if !negated.is_empty() {
            self.negated_bytes += KEY_BYTES + size_of_val(&*negated);
            self.negated.insert(number, negated);
        }
    }

    /// The indicators of an event among those that a run takes.
    pub(super) fn joined(&self, event: &Pending, groups: &[Group], earliest: &[i64]) -> Joined {
        let mut joined = Joined::default();
        let (mut enrichments, mut tried) = (0, 0);
        for (number, leads, key) in &event.keys {
            let Some(group) = groups.get(usize::from(*number)) else { continue };
            let mut next = self.newest.get(key).copied();
            while let Some(link) = next.and_then(|number| self.links.get(number as usize - 1)) {
                next = link.older.map(std::num::NonZeroU32::get);
                tried += 1;
                if tried > INDICATORS_TRIED_MAX {
                    joined.cut = true;
                    return joined;
                }
                let pair = (link.indicator, *number);
                let takes = (*leads || link.leads) && self.is_taken(link.indicator, earliest);
                if !takes || joined.pairs.contains(&pair) || !self.differs(event, group, pair) {
                    continue;
                }
                enrichments += group.enrichments;
                if enrichments > ENRICHMENTS_MAX && !joined.pairs.is_empty() {
                    joined.cut = true;
                    return joined;
                }
                joined.pairs.insert(pair);
            }
        }
        joined
    }

    fn is_taken(&self, indicator: u32, earliest: &[i64]) -> bool {
        let from = indicator as usize * self.bounds;
        self.times[from..from + self.bounds].iter().zip(earliest).all(|(time, earliest)| time >= earliest)
    }

    /// Whether the negated pairs of a group hold: of each there is a value on one side at least, and none in common where
    /// one side has no other.
    fn differs(&self, event: &Pending, group: &Group, (indicator, number): (u32, u16)) -> bool {
        let none: &[NegatedValue] = &[];
        let of_indicator = self.negated.get(&indicator).map_or(none, |values| values);
        group.negated.iter().all(|entry| {
            let is_of = |value: &&NegatedValue| (value.0, value.1) == (number, *entry);
            let event: Vec<_> = event.negated.iter().filter(is_of).map(|value| value.2).collect();
            let indicator: Vec<_> = of_indicator.iter().filter(is_of).map(|value| value.2).collect();
            match (event.len(), indicator.len()) {
                (0, 0) => false,
                (1, _) | (_, 1) => !event.iter().any(|value| indicator.contains(value)),
                _ => true,
            }
        })
    }

    /// Forgets indicators that are before what later runs take. The others keep their order.
    pub(super) fn forget_before(&mut self, earliest: &[i64]) {
        if earliest.is_empty() {
            return;
        }
        let mut numbers: Vec<Option<u32>> = Vec::with_capacity(self.places.len());
        let mut kept = 0;
        for number in 0..self.places.len() as u32 {
            let stays = self.is_taken(number, earliest);
            numbers.push(stays.then_some(kept));
            kept += u32::from(stays);
        }
        let mut old = std::mem::replace(self, Self::new(self.bounds));
        for (number, place) in old.places.iter().enumerate().filter(|(number, _)| numbers[*number].is_some())
        {
            self.places.push(*place);
            let from = number * old.bounds;
            self.times.extend_from_slice(&old.times[from..from + old.bounds]);
        }
        for (number, values) in old.negated.drain() {
            if let Some(number) = numbers[number as usize] {
                self.negated_bytes += KEY_BYTES + size_of_val(&*values);
                self.negated.insert(number, values);
            }
        }
        for (key, newest) in old.newest.drain() {
            self.relink(key, newest, &old.links, &numbers);
        }
    }

    /// Takes over the links of a key whose indicators are still there.
    fn relink(&mut self, key: Packed, newest: u32, links: &[Link], numbers: &[Option<u32>]) {
        let mut newer: Option<usize> = None;
        let mut next = Some(newest);
        while let Some(link) = next.and_then(|number| links.get(number as usize - 1)) {
            next = link.older.map(std::num::NonZeroU32::get);
            let Some(indicator) = numbers[link.indicator as usize] else { continue };
            self.links.push(Link { indicator, leads: link.leads, older: None });
            let number = self.links.len() as u32;
            match newer {
                Some(newer) => self.links[newer].older = std::num::NonZeroU32::new(number),
                None => {
                    self.newest.insert(key, number);
                }
            }
            newer = Some(number as usize - 1);
        }
    }
}
