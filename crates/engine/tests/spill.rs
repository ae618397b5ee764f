//! What does not fit in memory is put aside: the detections are the same, and a spill that fails is counted.

use std::sync::atomic::{AtomicUsize, Ordering};

use maxspan_engine::{
    CompiledRule, Correlator, CorrelatorOptions, EventInput, Occurrences, RuleCounters, RuleId, RuleSet,
    RuleSetBuilder, Scratch, Spill, SpillError, TieBreak,
};
use maxspan_event::Schema;
use proptest::prelude::*;

const QUERIES: [&str; 7] = [
    "sequence by process.entity_id with maxspan=5s [a where true] [b where true]",
    "sequence by process.entity_id [a where true] [b where true] [a where true] until [c where true]",
    "sequence by process.entity_id with maxspan=4s ![c where true] [a where true] ![b where true]",
    "sequence by process.entity_id with maxspan=4s [a where true] ![c where true] [b where true]",
    "sample by process.entity_id [a where true] [b where true]",
    "b where descendant of [a where true]",
    "sequence by ?user.name [any where true] [any where true] [any where true]",
];

fn rule_set() -> RuleSet {
    let mut builder = RuleSetBuilder::new(Schema::built_in());
    for query in QUERIES {
        let (tree, problems) = maxspan_eql::parse(query);
        let tree = tree.unwrap_or_else(|| panic!("{query}: {problems:?}"));
        let lower = maxspan_eql::LowerOptions::default();
        let (plan, problems) = maxspan_eql::lower(&tree, query, &builder.schema, &mut builder.fields, &lower);
        let timestamp = builder.slot("@timestamp");
        builder.add(CompiledRule::new(plan.unwrap_or_else(|| panic!("{query}: {problems:?}")), timestamp));
    }
    builder.build(false)
}

/// Bytes in memory, which may fail: to be written after so many times, to be read after so many times.
#[derive(Debug, Default)]
struct Memory {
    bytes: Vec<u8>,
    appends_left: Option<usize>,
    reads_left: Option<AtomicUsize>,
    /// One in so many bytes is read as another one.
    damage: Option<usize>,
}

impl Spill for Memory {
    fn append(&mut self, bytes: &[u8]) -> Result<u64, SpillError> {
        if let Some(left) = &mut self.appends_left {
            *left = left.checked_sub(1).ok_or_else(|| SpillError::new("the disk is full"))?;
        }
        self.bytes.extend_from_slice(bytes);
        Ok((self.bytes.len() - bytes.len()) as u64)
    }

    fn read(&self, from: u64, into: &mut [u8]) -> Result<(), SpillError> {
        if let Some(left) = &self.reads_left {
            let took = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
            took.map_err(|_| SpillError::new("the disk is broken"))?;
        }
        let from = from as usize;
        let there = self.bytes.get(from..from + into.len()).ok_or_else(|| SpillError::new("not there"))?;
        into.copy_from_slice(there);
        for (at, byte) in into.iter_mut().enumerate() {
            *byte ^= u8::from(self.damage.is_some_and(|each| (from + at) % each == each - 1));
        }
        Ok(())
    }
}

/// Category, key, second.
type Made = (usize, u8, u32);

/// What came of the events.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    /// Rule, keys, and the documents of the events.
    detections: Vec<String>,
    /// Of all rules.
    late: u64,
    evicted: u64,
    unread: u64,
    matches_unread: u64,
    spilled: bool,
    failed: bool,
}

fn run(rules: &RuleSet, events: &[Made], options: CorrelatorOptions, spill: Option<Memory>) -> Outcome {
    let spill = spill.map(|memory| Box::new(memory) as Box<dyn Spill>);
    let (mut scratch, mut occurrences) = (Scratch::default(), Occurrences::default());
    let mut correlator = Correlator::with_spill(rules, options, spill);
    let mut found = Vec::new();
    for (arrival, (category, key, second)) in events.iter().enumerate() {
        let category = ["a", "b", "c"][*category];
        let source = format!(
            r#"{{"@timestamp":"2026-01-01T00:00:{second:02}Z","event.category":"{category}","process.entity_id":"{key}","process.parent.entity_id":"{}"}}"#,
            key / 2,
        );
        let id = arrival.to_string();
        let input = EventInput { index: None, default_index: "", id: Some(&id), source: source.as_bytes() };
        if let Some(matched) = rules.match_event(&input, &mut scratch).unwrap() {
            occurrences.settle(matched, arrival as u64).for_each(|one| correlator.push(one));
        }
        found.extend(correlator.drain());
    }
    found.append(&mut correlator.finish());
    let mut detections = Vec::new();
    let mut unread = 0;
    for one in &found {
        let sources: Result<Vec<String>, SpillError> = one
            .present()
            .map(|event| {
                let source = correlator.events().source(event)?;
                Ok(format!("{:?} {}", event.id(), String::from_utf8_lossy(&source)))
            })
            .collect();
        match sources {
            Ok(sources) => detections.push(format!("{:?} {:?} {sources:?}", one.rule, one.keys)),
            Err(_) => unread += 1,
        }
    }
    let counters: Vec<RuleCounters> =
        rules.rules().map(|(id, _): (RuleId, _)| correlator.counters(id)).collect();
    Outcome {
        detections,
        late: counters.iter().map(|one| one.late).sum(),
        evicted: counters.iter().map(|one| one.evicted).sum(),
        unread: unread + counters.iter().map(|one| one.unread).sum::<u64>(),
        matches_unread: correlator.matches_unread(),
        spilled: correlator.events().spilled_bytes() > 0,
        failed: correlator.events().error().is_some(),
    }
}

fn events() -> impl Strategy<Value = Vec<Made>> {
    proptest::collection::vec((0..3_usize, 0..6_u8, 0..20_u32), 0..80)
}

/// So little that something is put aside after a few events.
fn little(tie_break: TieBreak) -> CorrelatorOptions {
    CorrelatorOptions { buffer_bytes: 2_000, document_bytes: 500, tie_break, ..CorrelatorOptions::default() }
}

proptest! {
    #[test]
    fn a_spill_changes_nothing(events in events(), by_arrival in any::<bool>()) {
        let rules = rule_set();
        let tie_break = if by_arrival { TieBreak::Arrival } else { TieBreak::Content };
        let all = run(&rules, &events, CorrelatorOptions { tie_break, ..CorrelatorOptions::default() }, None);
        let spilled = run(&rules, &events, little(tie_break), Some(Memory::default()));
        prop_assert_eq!(spilled.spilled, !events.is_empty());
        prop_assert_eq!(&spilled.detections, &all.detections);
        prop_assert_eq!(Outcome { spilled: false, ..spilled }, all);
    }

    /// Events in order are never late, so a spill that cannot be written changes nothing either.
    #[test]
    fn a_full_disk_loses_nothing_that_comes_in_order(events in events(), appends in 0..20_usize) {
        let mut events = events;
        events.sort_by_key(|(_, _, second)| *second);
        let rules = rule_set();
        let options = CorrelatorOptions { tie_break: TieBreak::Arrival, ..CorrelatorOptions::default() };
        let all = run(&rules, &events, options, None);
        let full = Memory { appends_left: Some(appends), ..Memory::default() };
        let mut halted = run(&rules, &events, little(TieBreak::Arrival), Some(full));
        let mut expected = all.detections;
        // What was handed on early comes out before the rest.
        expected.sort();
        halted.detections.sort();
        prop_assert_eq!(halted.detections, expected);
        prop_assert_eq!((halted.late, halted.unread, halted.matches_unread), (0, 0, 0));
    }

    /// In any order: what is lost is counted.
    #[test]
    fn a_full_disk_is_counted(events in events(), appends in 0..6_usize) {
        let rules = rule_set();
        let all = run(&rules, &events, CorrelatorOptions::default(), None);
        let full = Memory { appends_left: Some(appends), ..Memory::default() };
        let halted = run(&rules, &events, little(TieBreak::Content), Some(full));
        prop_assert_eq!((halted.unread, halted.matches_unread), (0, 0));
        if halted.late == 0 {
            let (mut one, mut other) = (halted.detections, all.detections);
            one.sort();
            other.sort();
            prop_assert_eq!(one, other);
        } else {
            prop_assert!(halted.failed);
        }
    }

    #[test]
    fn a_broken_disk_is_counted(events in events(), reads in 0..60_usize) {
        let rules = rule_set();
        let all = run(&rules, &events, CorrelatorOptions::default(), None);
        let broken = Memory { reads_left: Some(AtomicUsize::new(reads)), ..Memory::default() };
        let halted = run(&rules, &events, little(TieBreak::Content), Some(broken));
        let lost = halted.unread + halted.matches_unread;
        prop_assert!(lost > 0 || halted.detections == all.detections);
        prop_assert_eq!(halted.matches_unread > 0, halted.failed);
    }

    #[test]
    fn damaged_bytes_never_panic(events in events(), each in 5..500_usize) {
        let damaged = Memory { damage: Some(each), ..Memory::default() };
        run(&rule_set(), &events, little(TieBreak::Content), Some(damaged));
    }
}

#[test]
fn state_beyond_its_bytes_is_evicted_and_counted() {
    let mut events: Vec<Made> = (0..60).map(|key| (0, key, u32::from(key))).collect();
    events.extend((0..60).map(|key| (1, key, 59)));
    let rules = rule_set();
    let all = run(&rules, &events, CorrelatorOptions::default(), None);
    let tight = CorrelatorOptions { state_bytes: 1_000, ..CorrelatorOptions::default() };
    let evicted = run(&rules, &events, tight, Some(Memory::default()));
    assert_eq!(all.evicted, 0);
    assert!(evicted.evicted > 100, "{evicted:?}");
    assert!(evicted.detections.len() < all.detections.len());
}
