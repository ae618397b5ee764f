//! How many events answer each atom that could be an anchor with yes: what a [`Selectivity`] is measured by.
//!
//! All atoms are indexed, not only those that were chosen, so a rule set measures what any choice would let through.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use maxspan_event::Slots;
use maxspan_plan::Predicate;

use super::atom::Atom;
use super::gate::Requirement;
use super::guard::Analysis;
use super::index::{self, FieldIndex};
use super::{Selectivity, predicates};
use crate::ruleset::RuleSet;

/// Counts events by atom.
#[derive(Debug)]
pub struct Profiler {
    /// By number of the atom, as it is described.
    names: Vec<String>,
    /// By number of the atom, the events that answer yes.
    counts: Vec<u64>,
    /// By number of the atom, the last event that answered yes.
    last: Vec<u64>,
    index: Vec<FieldIndex>,
    events: u64,
    text: String,
}

impl Profiler {
    /// A profiler for the atoms of all rules, that of the gate among them.
    pub fn new(rules: &RuleSet) -> Self {
        let (fields, guess) = (rules.decoder().fields(), Selectivity::default());
        let slots = rules.prefilter().gate.slots();
        let considered = Some(RefCell::new(BTreeSet::new()));
        let analysis = Analysis { gate: &slots, fields, selectivity: &guess, considered };
        let nothing = Predicate::Constant(true);
        let mut atoms = BTreeSet::new();
        for (_, rule) in rules.rules() {
            for (_, predicate) in predicates(rule, &nothing) {
                analysis.guard(predicate);
                atoms.extend(Requirement::of(predicate, &slots, fields).atoms(&slots).into_iter().flatten());
            }
        }
        atoms.extend(analysis.considered.map(RefCell::into_inner).unwrap_or_default());
        let atoms: Vec<(Atom, Vec<u32>)> = atoms.into_iter().zip((0..).map(|number| vec![number])).collect();
        Self {
            names: atoms.iter().map(|(atom, _)| atom.describe(fields)).collect(),
            counts: vec![0; atoms.len()],
            last: vec![0; atoms.len()],
            index: index::by_field(&atoms),
            events: 0,
            text: String::new(),
        }
    }

    /// Takes the event whose values are in the slots ([`RuleSet::view_event`]).
    pub fn count(&mut self, slots: &Slots) {
        self.events += 1;
        let Self { counts, last, index, events, text, .. } = self;
        for field in index {
            field.look(slots, text, |atom| {
                let atom = atom as usize;
                if last[atom] != *events {
                    last[atom] = *events;
                    counts[atom] += 1;
                }
            });
        }
    }

    /// How many events were taken.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// Atoms as they are described, with the number of events that answered yes.
    pub fn atoms(&self) -> BTreeMap<&str, u64> {
        self.names.iter().map(String::as_str).zip(self.counts.iter().copied()).collect()
    }
}
