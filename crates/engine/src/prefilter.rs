//! Which rules need to look at an event at all.
//!
//! A unit is what is evaluated as one: the predicate of an event rule, or of one step of a sequence or sample. An event
//! is a candidate for a unit when it passes two stages:
//!
//! 1. the [`gate`]: fields with few values (category, operating system, …) leave some units alive;
//! 2. the [`index`]: of each unit that is alive, one anchor: atoms of which one must hold for the predicate to hold
//!    ([`guard`]), chosen by how few events they let through ([`selectivity`]). A unit without an anchor is a candidate
//!    whenever it is alive.
//!
//! A rule is on the always-list, which is counted, when a unit of it has no anchor and the gate asks only classes of
//! events of it: nothing beyond the first fields of the gate, which are coarse.
//!
//! There are no false negatives: whatever satisfies a unit's predicate is a candidate. Brute force is the oracle
//! ([`Scratch::exhaustive`](crate::Scratch::exhaustive)).

use std::collections::BTreeMap;

use maxspan_event::{Fields, Slot, Slots};
use maxspan_plan::{PlanKind, Predicate};
use rustc_hash::FxHashMap;

use crate::limits::GATE_KEYS_MAX;
use crate::program::{Program, ProgramBuilder};
use crate::ruleset::{CompiledRule, RuleId};

mod atom;
pub(crate) mod gate;
mod guard;
mod index;
mod profiler;
mod report;
mod selectivity;

use atom::Atom;
use gate::{Gate, Recent, Requirement, Units};
use guard::{Analysis, Guard};
use index::FieldIndex;
pub use profiler::Profiler;
pub use report::{NoAnchor, Share, UnitReport};
pub use selectivity::Selectivity;

/// What is evaluated as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unit {
    pub(crate) rule: RuleId,
    /// The step, or [`WHOLE`].
    pub(crate) step: u32,
}

/// Instead of a step: the whole rule, for event queries, and for plans whose steps depend on lineage.
pub(crate) const WHOLE: u32 = u32::MAX;

/// The prefilter of a rule set. Immutable.
#[derive(Debug)]
pub(crate) struct Prefilter {
    units: Vec<Unit>,
    requirements: Vec<Requirement>,
    anchors: Vec<Guard>,
    /// By rule, the number of its first unit; one more at the end.
    first_units: Vec<u32>,
    gate: Gate,
    index: Vec<FieldIndex>,
}

/// What the gate says about a combination of values.
#[derive(Debug)]
struct Opened {
    alive: Units,
    /// Units that are alive and have no anchor.
    always: Vec<u32>,
    /// Fields in which some unit that is alive has its anchor.
    fields: Vec<u32>,
}

/// What a worker reuses from event to event.
#[derive(Debug, Default)]
pub(crate) struct PrefilterScratch {
    key: Vec<u16>,
    recent: Recent,
    opened: FxHashMap<Box<[u16]>, Opened>,
    text: String,
    candidates: Vec<u32>,
}

impl Prefilter {
    /// A prefilter for the rules, and the predicates of its units. `gate` are the slots of [`gate::slots`].
    pub(crate) fn new(
        rules: &[CompiledRule],
        gate: &[Slot],
        fields: &Fields,
        selectivity: &Selectivity,
    ) -> (Self, Program) {
        let analysis = Analysis { gate, fields, selectivity, considered: None };
        let nothing = Predicate::Constant(true);
        let (mut units, mut requirements, mut anchors) = (Vec::new(), Vec::new(), Vec::new());
        let (mut first_units, mut program) = (Vec::new(), ProgramBuilder::new(fields));
        for (number, rule) in rules.iter().enumerate() {
            first_units.push(units.len() as u32);
            for (step, predicate) in predicates(rule, &nothing) {
                units.push(Unit { rule: RuleId(number as u32), step });
                requirements.push(Requirement::of(predicate, gate, fields));
                anchors.push(analysis.guard(predicate));
                program.add(predicate);
            }
        }
        first_units.push(units.len() as u32);
        let gate = Gate::new(gate, &requirements);
        let index = index::by_field(&postings(&anchors));
        (Self { units, requirements, anchors, first_units, gate, index }, program.build())
    }

    /// The units that the event is a candidate for, in order. `rules` are those of the event's index, in order;
    /// `index_number` stands for them, where it is known.
    pub(crate) fn candidates<'s>(
        &self,
        rules: &[RuleId],
        index_number: Option<u16>,
        slots: &Slots,
        scratch: &'s mut PrefilterScratch,
    ) -> &'s [u32] {
        let PrefilterScratch { key, recent, opened, text, candidates } = scratch;
        candidates.clear();
        key.clear();
        key.push(index_number.unwrap_or_default());
        self.gate.key(slots, recent, key);
        let fresh;
        let open = if index_number.is_none() {
            fresh = self.open(rules, &key[1..]);
            &fresh
        } else {
            if !opened.contains_key(key.as_slice()) {
                // Whoever can choose the values can make up combinations without end.
                if opened.len() >= GATE_KEYS_MAX {
                    opened.clear();
                }
                opened.insert(key.as_slice().into(), self.open(rules, &key[1..]));
            }
            &opened[key.as_slice()]
        };
        candidates.extend(&open.always);
        for field in &open.fields {
            self.index[*field as usize].look(slots, text, |unit| {
                if gate::contains(&open.alive, unit as usize) {
                    candidates.push(unit);
                }
            });
        }
        candidates.sort_unstable();
        candidates.dedup();
        candidates
    }

    /// What is alive for the rules of an index and a key of the gate.
    fn open(&self, rules: &[RuleId], key: &[u16]) -> Opened {
        let mut alive = self.gate.units(key);
        let mut chosen = vec![0; alive.len()];
        for rule in rules {
            let units = self.units_of(*rule);
            units.for_each(|unit| gate::insert(&mut chosen, unit));
        }
        alive.iter_mut().zip(&chosen).for_each(|(alive, chosen)| *alive &= chosen);
        let is_alive = |unit: &u32| gate::contains(&alive, *unit as usize);
        let always = (0..self.units.len() as u32)
            .filter(|unit| self.anchors[*unit as usize].is_none())
            .filter(is_alive)
            .collect();
        let fields = (0..self.index.len() as u32)
            .filter(|field| self.index[*field as usize].units().iter().any(is_alive))
            .collect();
        Opened { alive, always, fields }
    }

    /// Fields whose texts every event is asked for that has them.
    pub(crate) fn fields_looked_at(&self) -> impl Iterator<Item = Slot> + '_ {
        self.index.iter().filter(|index| index.asks_text()).map(|index| index.slot)
    }

    pub(crate) fn unit(&self, number: u32) -> Unit {
        self.units[number as usize]
    }

    fn units_of(&self, rule: RuleId) -> std::ops::Range<usize> {
        let place = rule.0 as usize;
        self.first_units[place] as usize..self.first_units[place + 1] as usize
    }

    /// Rules with a unit that has no anchor, and of which the gate asks nothing but what whole classes of events have.
    pub(crate) fn always_rules(&self) -> impl Iterator<Item = RuleId> + '_ {
        let is_free = |unit: usize| self.anchors[unit].is_none() && self.requirements[unit].is_coarse();
        let rules = (0..self.first_units.len() as u32 - 1).map(RuleId);
        rules.filter(move |rule| self.units_of(*rule).any(is_free))
    }
}

/// What a rule's units have to satisfy.
fn predicates<'a>(rule: &'a CompiledRule, nothing: &'a Predicate) -> Vec<(u32, &'a Predicate)> {
    match &rule.plan.kind {
        // Every process counts for its descendants, whether it matches anything or not.
        _ if !rule.plan.lineage.is_empty() => vec![(WHOLE, nothing)],
        PlanKind::Events(predicate) => vec![(WHOLE, predicate)],
        PlanKind::Sequence(_) | PlanKind::Sample(_) | PlanKind::Grouped(_) | PlanKind::Indicators(_) => {
            rule.plan.steps().into_iter().enumerate().map(|(step, one)| (step as u32, one)).collect()
        }
    }
}

/// The atoms of all anchors with their units, in the order of their fields.
fn postings(anchors: &[Guard]) -> Vec<(Atom, Vec<u32>)> {
    let mut postings: BTreeMap<&Atom, Vec<u32>> = BTreeMap::new();
    for (unit, anchor) in anchors.iter().enumerate() {
        for atom in anchor.iter().flatten() {
            postings.entry(atom).or_default().push(unit as u32);
        }
    }
    postings.into_iter().map(|(atom, units)| (atom.clone(), units)).collect()
}
