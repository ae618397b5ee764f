//! The duel: rules with and without the prefilter, and with any table of shares, find the same in any event.
//!
//! Of the input's lines, those that begin with `{` are events, those that begin with `k ` are KQL, the others EQL.
#![no_main]

use libfuzzer_sys::fuzz_target;
use maxspan_engine::{CompiledRule, EventInput, Profiler, RuleSet, RuleSetBuilder, Scratch, Selectivity};
use maxspan_fuzz::{EVENTS, schema};
use maxspan_plan::{Plan, PlanKind};

/// Lines of one kind that are taken.
const LINES_MAX: usize = 8;

/// Rules that are always there, so that conditions are shared.
const ALWAYS: [&str; 3] = [
    "process where process.name == \"cmd.exe\"",
    "any where k : (\"x\", \"y*\") and not n == 7",
    "sequence by host.id [process where true] [network where cidrMatch(ip, \"198.51.100.0/24\")]",
];

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (events, queries): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| line.starts_with('{'));
    let queries = &queries[..queries.len().min(LINES_MAX)];
    let rules = rule_set(queries, Selectivity::default());
    // Shares that the input decides: what was common becomes rare.
    let profiler = Profiler::new(&rules);
    let count = |atom: &str| (atom.len() + data.len()) as u64 % 100;
    let shares = Selectivity::measured(100, profiler.atoms().into_keys().map(|atom| (atom, count(atom))));
    let others = rule_set(queries, shares);
    let (mut all, mut some, mut other) = (Scratch::exhaustive(), Scratch::default(), Scratch::default());
    for event in events.into_iter().take(LINES_MAX).chain(EVENTS.lines()) {
        let input = EventInput { index: None, default_index: "", id: Some("1"), source: event.as_bytes() };
        let expected = rules.match_event(&input, &mut all);
        let found = rules.match_event(&input, &mut some);
        let other_found = others.match_event(&input, &mut other);
        // Brute force looks at every leaf of an event, and may refuse what nothing else looks at.
        if let (Ok(expected), Ok(found), Ok(other_found)) = (expected, found, other_found) {
            assert_eq!(found, expected, "the prefilter and brute force differ");
            assert_eq!(other_found, expected, "another table of shares gives other matches");
        }
    }
});

fn rule_set(queries: &[&str], selectivity: Selectivity) -> RuleSet {
    let mut builder = RuleSetBuilder::new(schema().clone());
    builder.selectivity = selectivity;
    let timestamp = builder.slot("@timestamp");
    for query in ALWAYS.iter().chain(queries) {
        if let Some(plan) = plan(query, &mut builder) {
            builder.add(CompiledRule::new(plan, timestamp));
        }
    }
    builder.build(true)
}

fn plan(query: &str, builder: &mut RuleSetBuilder) -> Option<Plan> {
    if let Some(query) = query.strip_prefix("k ") {
        let tree = maxspan_kql::parse(query, &maxspan_kql::ParseOptions::default()).0?;
        let options = maxspan_kql::LowerOptions { now: 0 };
        let predicate = maxspan_kql::lower(&tree, &builder.schema, &mut builder.fields, &options).0?;
        return Some(Plan::new(PlanKind::Events(predicate)));
    }
    let tree = maxspan_eql::parse_with(query, &maxspan_eql::ParseOptions { lineage: true }).0?;
    let options = maxspan_eql::LowerOptions::default();
    maxspan_eql::lower(&tree, query, &builder.schema, &mut builder.fields, &options).0
}
