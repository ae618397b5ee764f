//! Each limit of the correlator is reached in small, counted, and leaves the rest to go on.

use maxspan_engine::{
    CompiledRule, Correlator, CorrelatorOptions, EventInput, Occurrences, RuleCounters, RuleId,
    RuleSetBuilder, Scratch,
};
use maxspan_event::Schema;

/// What is found and what is lost when events `category key second` meet a query under the limits.
fn run(query: &str, events: &[(&str, &str, u32)], options: CorrelatorOptions) -> (usize, RuleCounters) {
    let mut builder = RuleSetBuilder::new(Schema::built_in());
    let (tree, problems) = maxspan_eql::parse(query);
    let tree = tree.unwrap_or_else(|| panic!("{query}: {problems:?}"));
    let lower = maxspan_eql::LowerOptions::default();
    let (plan, problems) = maxspan_eql::lower(&tree, query, &builder.schema, &mut builder.fields, &lower);
    let timestamp = builder.slot("@timestamp");
    let rule = builder.add(CompiledRule::new(plan.unwrap_or_else(|| panic!("{problems:?}")), timestamp));
    let rules = builder.build(false);
    let (mut scratch, mut occurrences) = (Scratch::default(), Occurrences::default());
    let mut correlator = Correlator::new(&rules, options);
    let mut found = 0;
    for (arrival, (category, key, second)) in events.iter().enumerate() {
        let source = format!(
            r#"{{"@timestamp":"2026-01-01T00:00:{second:02}Z","event.category":"{category}","process.entity_id":"{key}","process.parent.entity_id":"0"}}"#
        );
        let (id, arrival) = (arrival.to_string(), arrival as u64);
        let input = EventInput { index: None, default_index: "", id: Some(&id), source: source.as_bytes() };
        if let Some(matched) = rules.match_event(&input, &mut scratch).unwrap() {
            occurrences.settle(matched, arrival).for_each(|one| correlator.push(one));
        }
        found += correlator.drain().count();
    }
    found += correlator.finish().len();
    assert_eq!(rule, RuleId(0));
    (found, correlator.counters(rule))
}

#[test]
fn sequences_forget_the_keys_that_were_touched_longest_ago() {
    let query = "sequence by process.entity_id [a where true] [b where true]";
    let events = [("a", "1", 1), ("a", "2", 2), ("a", "3", 3), ("b", "1", 4), ("b", "3", 5)];
    let all = CorrelatorOptions::default();
    assert_eq!(run(query, &events, all), (2, RuleCounters::default()));
    let two = CorrelatorOptions { sequence_keys: 2, ..all };
    assert_eq!(run(query, &events, two), (1, RuleCounters { evicted: 1, ..RuleCounters::default() }));
}

#[test]
fn what_comes_after_its_place_has_passed_is_late() {
    let query = "sequence by process.entity_id [a where true] [b where true]";
    let events = [("a", "1", 5), ("b", "1", 6), ("a", "2", 8), ("a", "3", 1), ("b", "3", 2)];
    let tight = CorrelatorOptions { buffer_bytes: 1, ..CorrelatorOptions::default() };
    let (found, counters) = run(query, &events, tight);
    assert_eq!((found, counters.late), (1, 2));
}

#[test]
fn samples_drop_keys_and_events_beyond_the_limit() {
    let query = "sample by process.entity_id [a where true] [b where true]";
    let events = [("a", "1", 1), ("b", "1", 2), ("a", "2", 3), ("b", "2", 4)];
    let one_key = CorrelatorOptions { sample_keys: 1, ..CorrelatorOptions::default() };
    assert_eq!(run(query, &events, one_key), (1, RuleCounters { evicted: 2, ..RuleCounters::default() }));
    let events = [("a", "1", 1), ("a", "1", 2), ("b", "1", 3)];
    let one_event = CorrelatorOptions { sample_events: 1, ..CorrelatorOptions::default() };
    assert_eq!(run(query, &events, one_event), (1, RuleCounters { evicted: 1, ..RuleCounters::default() }));
}

#[test]
fn lineage_forgets_the_process_that_was_seen_first() {
    let query = "b where event of [a where true]";
    let events = [("a", "1", 1), ("a", "2", 2), ("b", "1", 3), ("b", "2", 4)];
    let all = CorrelatorOptions::default();
    assert_eq!(run(query, &events, all).0, 2);
    let one = CorrelatorOptions { lineage_processes: 1, ..all };
    let (found, counters) = run(query, &events, one);
    assert_eq!((found, counters.evicted), (0, 3));
}
