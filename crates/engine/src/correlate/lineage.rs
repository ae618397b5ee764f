//! Lineage queries: which processes matched, and who descends from whom.
//!
//! Events come in order. A query's own event counts at once, so `event of` holds from the first matching event on.
//! What is remembered is bounded; the process that was seen longest ago is forgotten first.

use std::collections::VecDeque;

use maxspan_plan::{Lineage, Relation};
use rustc_hash::FxHashMap;

use super::RuleCounters;
use super::held::{Digest, HeldLineage, StepKey};
use crate::limits::LINEAGE_DEPTH_MAX;

/// What the lineage queries of one rule remember. A process is known by its digest.
#[derive(Debug)]
pub(super) struct LineageState {
    relations: Vec<Relation>,
    processes: FxHashMap<Digest, Process>,
    /// Processes in the order in which they were first seen.
    seen: VecDeque<Digest>,
    processes_max: usize,
}

#[derive(Debug, Default)]
struct Process {
    parent: Option<Digest>,
    /// Bit i: an event of the process satisfied query i.
    matched: u64,
}

impl LineageState {
    pub(super) fn new(queries: &[Lineage], processes_max: usize) -> Self {
        let relations = queries.iter().map(|query| query.relation).collect();
        Self { relations, processes: FxHashMap::default(), seen: VecDeque::new(), processes_max }
    }

    /// Bytes of memory, roughly.
    pub(super) fn bytes(&self) -> usize {
        /// A byte beside each entry of the table, which is between half and seven eighths full.
        const ENTRY_BYTES: usize = (size_of::<(Digest, Process)>() + 1) * 3 / 2 + size_of::<Digest>();
        self.processes.len() * ENTRY_BYTES
    }

    /// Answers the lineage queries for an event, and remembers it: the steps that hold, and their keys; none where no
    /// step holds.
    pub(super) fn settle<'a>(
        &mut self,
        lineage: &HeldLineage<'a>,
        bytes_max: usize,
        counters: &mut RuleCounters,
    ) -> Option<Vec<StepKey<'a>>> {
        if let Some(process) = lineage.process {
            self.remember(process, lineage.parent, bytes_max, counters);
        }
        let mut answers = 0_usize;
        for query in 0..self.relations.len() {
            // A query refers to earlier ones only, whose answers are known by now.
            if lineage.queries.get(query).is_some_and(|table| table >> answers & 1 == 1) {
                self.mark(lineage.process, query);
            }
            answers |= usize::from(self.holds(lineage, query, counters)) << query;
        }
        let holding = || lineage.steps.iter().enumerate().filter(|(_, (table, _))| table >> answers & 1 == 1);
        holding().next()?;
        let keys = holding().flat_map(|(step, (_, keys))| keys.iter().map(move |key| (step as u32, *key)));
        Some(keys.collect())
    }

    fn remember(
        &mut self,
        process: Digest,
        parent: Option<Digest>,
        bytes_max: usize,
        counters: &mut RuleCounters,
    ) {
        if !self.processes.contains_key(&process) {
            let full = self.processes.len() >= self.processes_max || self.bytes() > bytes_max;
            if full && let Some(oldest) = self.seen.pop_front() {
                self.processes.remove(&oldest);
                counters.evicted += 1;
            }
            self.seen.push_back(process);
        }
        let entry = self.processes.entry(process).or_default();
        if entry.parent.is_none() {
            entry.parent = parent;
        }
    }

    fn mark(&mut self, process: Option<Digest>, query: usize) {
        if let Some(entry) = process.and_then(|process| self.processes.get_mut(&process)) {
            entry.matched |= 1 << query;
        }
    }

    fn holds(&self, lineage: &HeldLineage<'_>, query: usize, counters: &mut RuleCounters) -> bool {
        let matched =
            |process: Digest| self.processes.get(&process).is_some_and(|one| one.matched >> query & 1 == 1);
        match self.relations[query] {
            Relation::Event => lineage.process.is_some_and(matched),
            Relation::Child => self.parent_of(lineage).is_some_and(matched),
            Relation::Descendant => {
                let mut ancestor = self.parent_of(lineage);
                for _ in 0..LINEAGE_DEPTH_MAX {
                    let Some(process) = ancestor else { return false };
                    if matched(process) {
                        return true;
                    }
                    ancestor = self.processes.get(&process).and_then(|one| one.parent);
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
    fn parent_of(&self, lineage: &HeldLineage<'_>) -> Option<Digest> {
        lineage.parent.or_else(|| self.processes.get(&lineage.process?)?.parent)
    }
}
