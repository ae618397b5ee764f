//! Lineage queries: which processes matched, and who descends from whom.
//!
//! Events come in order. A query's own event counts at once, so `event of` holds from the first matching event on.
//! What is remembered is bounded; the process that was seen longest ago is forgotten first.

use std::collections::VecDeque;

use maxspan_plan::{Lineage, Relation};
use rustc_hash::FxHashMap;

use super::{RuleCounters, Settled};
use crate::key::KeyValue;
use crate::limits::LINEAGE_DEPTH_MAX;
use crate::matcher::{LineageMatch, Match, MatchBody, StepMatch};

/// What the lineage queries of one rule remember.
#[derive(Debug)]
pub(super) struct LineageState {
    relations: Vec<Relation>,
    processes: FxHashMap<KeyValue, Process>,
    /// Processes in the order in which they were first seen.
    seen: VecDeque<KeyValue>,
    processes_max: usize,
}

#[derive(Debug, Default)]
struct Process {
    parent: Option<KeyValue>,
    /// Bit i: an event of the process satisfied query i.
    matched: u64,
}

impl LineageState {
    pub(super) fn new(queries: &[Lineage], processes_max: usize) -> Self {
        let relations = queries.iter().map(|query| query.relation).collect();
        Self { relations, processes: FxHashMap::default(), seen: VecDeque::new(), processes_max }
    }

    /// Answers the lineage queries for an event, and remembers it.
    pub(super) fn settle(&mut self, found: &Match, counters: &mut RuleCounters) -> Settled {
        let MatchBody::Lineage(lineage) = &found.body else { return Settled::from(&found.body) };
        if let Some(process) = &lineage.process {
            self.remember(process, lineage.parent.as_ref(), counters);
        }
        let mut answers = 0_usize;
        for query in 0..self.relations.len() {
            // A query refers to earlier ones only, whose answers are known by now.
            if lineage.queries[query] >> answers & 1 == 1 {
                self.mark(lineage.process.as_ref(), query);
            }
            answers |= usize::from(self.holds(lineage, query, counters)) << query;
        }
        let holding = lineage.steps.iter().enumerate().filter(|(_, (table, _))| *table >> answers & 1 == 1);
        let steps: Vec<StepMatch> =
            holding.map(|(step, (_, keys))| StepMatch { step, keys: keys.clone() }).collect();
        if steps.is_empty() { Settled::Nothing } else { Settled::Steps(steps) }
    }

    fn remember(&mut self, process: &KeyValue, parent: Option<&KeyValue>, counters: &mut RuleCounters) {
        if !self.processes.contains_key(process) {
            if self.processes.len() == self.processes_max
                && let Some(oldest) = self.seen.pop_front()
            {
                self.processes.remove(&oldest);
                counters.evicted += 1;
            }
            self.seen.push_back(process.clone());
        }
        let entry = self.processes.entry(process.clone()).or_default();
        if entry.parent.is_none() {
            entry.parent = parent.cloned();
        }
    }

    fn mark(&mut self, process: Option<&KeyValue>, query: usize) {
        if let Some(entry) = process.and_then(|process| self.processes.get_mut(process)) {
            entry.matched |= 1 << query;
        }
    }

    fn holds(&self, lineage: &LineageMatch, query: usize, counters: &mut RuleCounters) -> bool {
        let matched =
            |process: &KeyValue| self.processes.get(process).is_some_and(|one| one.matched >> query & 1 == 1);
        match self.relations[query] {
            Relation::Event => lineage.process.as_ref().is_some_and(matched),
            Relation::Child => self.parent_of(lineage).is_some_and(matched),
            Relation::Descendant => {
                let mut ancestor = self.parent_of(lineage);
                for _ in 0..LINEAGE_DEPTH_MAX {
                    let Some(process) = ancestor else { return false };
                    if matched(process) {
                        return true;
                    }
                    ancestor = self.processes.get(process).and_then(|one| one.parent.as_ref());
                    // The first process of a system is often said to be its own parent.
                    if ancestor == Some(process) {
                        return false;
                    }
                }
                counters.lineage_cut += u64::from(ancestor.is_some());
                false
            }
        }
    }

    /// The parent that the event names, else the one that an earlier event of the process named.
    fn parent_of<'a>(&'a self, lineage: &'a LineageMatch) -> Option<&'a KeyValue> {
        lineage.parent.as_ref().or_else(|| self.processes.get(lineage.process.as_ref()?)?.parent.as_ref())
    }
}
