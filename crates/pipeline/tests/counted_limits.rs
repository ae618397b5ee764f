//! What a limit takes away in a hunt is counted; what the recursion guard drops takes no place under a cap.

use std::sync::Arc;

use maxspan_diagnostics::Source;
use maxspan_pipeline::hunt::{Collected, HuntOptions, HuntStats, MaxSignals, hunt};
use maxspan_pipeline::input::{InputOptions, Reader};
use maxspan_pipeline::rule_base::{RuleBase, RuleBaseOptions};
use maxspan_rules::{LoadedRules, parse_json};
use serde_json::{Value, json};

const TIME: i64 = 1_767_225_600_000;

fn stats(language: &str, query: &str, events: &[Value], options: &HuntOptions) -> HuntStats {
    stats_with(&json!({}), language, query, events, options)
}

fn stats_with(
    own: &Value,
    language: &str,
    query: &str,
    events: &[Value],
    options: &HuntOptions,
) -> HuntStats {
    let kind = if language == "eql" { "eql" } else { "query" };
    let mut rule = json!({"rule_id": "r", "name": "N", "description": "D", "severity": "low", "risk_score": 1,
        "type": kind, "language": language, "query": query, "index": ["*"]});
    rule.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
    let file = parse_json(&Arc::new(Source::new("rule.json", rule.to_string())));
    let loaded = LoadedRules { rules: file.rules, ..LoadedRules::default() };
    let rules = RuleBase::new(loaded, &RuleBaseOptions::default());
    assert_eq!(rules.failed, 0, "{:?}", rules.diagnostics);
    let input: String = events.iter().map(|event| format!("{event}\n")).collect();
    let mut reader = Reader::of_bytes("events", std::io::Cursor::new(input), InputOptions::default());
    hunt(&rules, &mut reader, options, &mut Collected::default())
}

#[test]
fn texts_that_would_be_too_long() {
    let check = |length: usize, query: &str, dropped: u64| {
        let events = [json!({"@timestamp": TIME, "process": {"name": "x".repeat(length)}})];
        let stats = stats("eql", query, &events, &HuntOptions::default());
        assert_eq!(stats.texts_dropped, dropped, "{query} on {length} bytes");
    };
    let twice = "any where concat(process.name, process.name) != null";
    check(1 << 19, twice, 0);
    check((1 << 19) + 1, twice, 1);
    check(1 << 20, "any where concat(process.name, process.command_line) == null", 0);
}

/// Process `n` is the child of `n - 1`, and 0 that of `root`.
fn generations(count: usize, root: &str) -> Vec<Value> {
    let name = |n: usize| format!("p{n}");
    let parent = |n: usize| if n == 0 { root.to_owned() } else { name(n - 1) };
    (0..count)
        .map(|n| {
            let process = json!({"entity_id": name(n), "parent": {"entity_id": parent(n)}});
            json!({"@timestamp": TIME + n as i64, "process": process})
        })
        .collect()
}

#[test]
fn searches_for_ancestors_that_end_undecided() {
    let check = |count: usize, root: &str, cut: u64| {
        let query = "any where descendant of [any where process.name == \"none\"]";
        let stats = stats("eql", query, &generations(count, root), &HuntOptions::default());
        assert_eq!(stats.lineage_cut, cut, "{count} generations above which is {root}");
    };
    check(64, "up", 0);
    check(65, "up", 1);
    check(67, "up", 3);
    // A process that is its own parent has no further ancestors.
    check(65, "p0", 0);
    check(66, "p0", 1);
}

#[test]
fn capped_alerts_that_are_not_remembered() {
    let events: Vec<Value> =
        (0..1_500).map(|n| json!({"@timestamp": TIME + n, "event": {"id": n}})).collect();
    let check = |remembered: usize, not_remembered: u64| {
        let options = HuntOptions {
            max_signals: MaxSignals::Count(10),
            capped_remembered: remembered,
            ..HuntOptions::default()
        };
        let stats = stats("kuery", "event.id: *", &events, &options);
        assert_eq!((stats.alerts, stats.alerts_capped_by_rule["r"]), (10, 1_490));
        assert_eq!(stats.capped_not_remembered, not_remembered, "{remembered} remembered");
    };
    check(10_000, 0);
    check(1_000, 490);
}

#[test]
fn events_that_suppression_does_not_remember() {
    let mut events: Vec<Value> = (0..100)
        .map(|n| json!({"@timestamp": TIME - 1_000 + n, "event": {"id": "a"}, "_id": n.to_string()}))
        .collect();
    events.push(events[0].clone());
    events.push(events[99].clone());
    let own = json!({"alert_suppression": {"group_by": ["event.id"]}});
    let check = |remembered: usize, expected: (u64, u64, u64)| {
        let options = HuntOptions { suppressed_remembered: remembered, ..HuntOptions::default() };
        let stats = stats_with(&own, "kuery", "event.id: *", &events, &options);
        let found = (stats.suppressed, stats.alerts_repeated, stats.suppressed_not_remembered);
        assert_eq!((stats.alerts, found), (1, expected), "{remembered} remembered");
    };
    check(1_000, (99, 2, 0));
    // The last one is counted twice.
    check(90, (100, 1, 11));
}

#[test]
fn what_the_recursion_guard_drops_takes_no_place_under_the_cap() {
    let own = |second: i64| {
        json!({"@timestamp": TIME + second, "event": {"id": "a"}, "kibana.alert.uuid": format!("u{second}"),
            "kibana.alert.rule.uuid": "r", "_index": "logs"})
    };
    let event = |second: i64| json!({"@timestamp": TIME + second, "event": {"id": "a"}});
    let check = |language: &str, query: &str, expected: (u64, u64, u64)| {
        let events = [own(1), own(2), event(3), event(4), own(5), own(6)];
        let options = HuntOptions { max_signals: MaxSignals::Count(2), ..HuntOptions::default() };
        let stats = stats(language, query, &events, &options);
        let capped = stats.alerts_capped_by_rule.get("r").copied().unwrap_or(0);
        assert_eq!((stats.alerts, stats.alerts_recursive, capped), expected, "{language}");
    };
    check("kuery", "event.id: a", (2, 4, 0));
    // The cap of an EQL rule is the size of its search, which knows no guard.
    check("eql", "any where event.id == \"a\"", (0, 2, 4));
}
