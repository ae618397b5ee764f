//! New terms by the correlator: what is kept of events, what repeats another event, and what does not fit.

use maxspan_engine::{
    CompiledRule, Correlator, CorrelatorOptions, EventInput, KeyValue, Occurrences, RuleCounters, RuleId,
    RuleSet, RuleSetBuilder, Scratch,
};
use maxspan_event::Schema;
use maxspan_plan::{GroupTest, Grouped, Key, Plan, PlanKind, Predicate, Step, TestKind, Windows};

/// New users within an hour; the rule runs every five minutes over the last nine.
fn rule_set() -> RuleSet {
    let mut builder = RuleSetBuilder::new(Schema::built_in());
    let (timestamp, user) = (builder.slot("@timestamp"), builder.slot("user.name"));
    let predicate = Predicate::test(user, TestKind::Exists);
    let steps = vec![Step { predicate, missing: false, keys: vec![Key { slot: user, optional: false }] }];
    let windows = Windows::every(300_000, -540_000, 0);
    let grouped = Grouped { steps, windows, test: GroupTest::New { history_ms: -3_600_000 } };
    builder.add(CompiledRule::new(Plan::new(PlanKind::Grouped(grouped)), timestamp));
    builder.build(false)
}

/// Users that are new, what was lost, and the bytes of documents that were kept, when events `id minute user` come.
fn run(events: &[(&str, u32, &str)], options: CorrelatorOptions) -> (Vec<String>, RuleCounters, usize) {
    let rules = rule_set();
    let (mut scratch, mut occurrences) = (Scratch::default(), Occurrences::default());
    let mut correlator = Correlator::new(&rules, options);
    for (id, minute, user) in events {
        let source = format!(
            r#"{{"@timestamp":"2026-01-01T{:02}:{:02}:00Z","user":{{"name":"{user}"}},"filler":"{}"}}"#,
            minute / 60,
            minute % 60,
            "x".repeat(1_000)
        );
        let input = EventInput { index: None, default_index: "", id: Some(id), source: source.as_bytes() };
        if let Some(matched) = rules.match_event(&input, &mut scratch).unwrap() {
            occurrences.settle(matched, 0).for_each(|one| correlator.push(one));
        }
    }
    let kept = correlator.events().memory_bytes();
    let user = |key: &KeyValue| if let KeyValue::Text(text) = key { text.to_string() } else { String::new() };
    let found = correlator.finish();
    let users = found.iter().flat_map(|one| one.keys.iter().map(user)).collect();
    (users, correlator.counters(RuleId(0)), kept)
}

#[test]
fn documents_of_events_without_new_terms_are_not_kept() {
    let ids: Vec<String> = (0..2_000).map(|number: u32| number.to_string()).collect();
    let check = |newest_first: bool, documents_at_most: usize| {
        let mut events: Vec<_> = ids.iter().zip(0..).map(|(id, at)| (id.as_str(), at / 50, "u")).collect();
        if newest_first {
            events.reverse();
        }
        let (users, counters, kept) = run(&events, CorrelatorOptions::default());
        assert_eq!((users, counters), (vec!["u".to_owned()], RuleCounters::default()));
        assert!(kept / 1_000 <= documents_at_most, "{kept}");
    };
    // A piece of memory has 256 of them.
    check(false, 300);
    check(true, usize::MAX);
}

#[test]
fn what_repeats_an_event_counts_with_its_own_terms() {
    let check = |events: &[(&str, u32, &str)], expected: &[&str], repeated: u64| {
        for reversed in [false, true] {
            let mut events = events.to_vec();
            if reversed {
                events.reverse();
            }
            let (mut users, counters, _) = run(&events, CorrelatorOptions::default());
            users.sort();
            assert_eq!(
                (users, counters.repeated),
                (expected.iter().map(|&user| user.into()).collect(), repeated)
            );
            assert_eq!(counters.unread, 0);
        }
    };
    check(&[("1", 1, "a"), ("1", 1, "a")], &["a"], 1);
    check(&[("1", 1, "a"), ("1", 1, "b")], &["a", "b"], 1);
    check(&[("1", 1, "a"), ("1", 1, "b"), ("2", 3, "a"), ("3", 3, "b")], &["a", "b"], 1);
    check(&[("1", 1, "a"), ("2", 1, "a"), ("3", 40, "a"), ("4", 90, "a"), ("5", 170, "a")], &["a", "a"], 0);
}

#[test]
fn terms_that_do_not_fit_are_counted_and_raise_nothing() {
    let users: Vec<String> = (0..5_000).map(|number: u32| format!("user-{number}")).collect();
    let events: Vec<_> = users.iter().map(|user| (user.as_str(), 1, user.as_str())).collect();
    let check = |state_bytes: usize, fit: std::ops::RangeInclusive<usize>| {
        let (found, counters, _) = run(&events, CorrelatorOptions { state_bytes, ..Default::default() });
        assert!(fit.contains(&found.len()), "{}", found.len());
        assert_eq!(found.len() as u64 + counters.evicted, 5_000);
    };
    check(100, 0..=2);
    check(100_000, 500..=800);
    check(2 << 20, 5_000..=5_000);
}

#[test]
fn terms_that_are_forgotten_make_room() {
    // Two hundred new users every two hours.
    let users: Vec<String> = (0..2_000).map(|number: u32| format!("user-{number}")).collect();
    let events: Vec<_> =
        users.iter().zip(0..).map(|(user, at)| (user.as_str(), at / 200 * 120, user.as_str())).collect();
    let (found, counters, _) = run(&events, CorrelatorOptions { state_bytes: 45_000, ..Default::default() });
    assert_eq!((found.len(), counters.evicted), (2_000, 0));
}
