//! Windows and schedules: hunts over adjacent windows find what one hunt finds, runs of a schedule find what a hunt finds,
//! a single run looks at its window, and records say what runs did.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use maxspan_diagnostics::Source;
use maxspan_event::date;
use maxspan_pipeline::hunt::{HuntAlert, HuntObserver, HuntOptions, HuntStats, MaxSignals, hunt};
use maxspan_pipeline::input::{InputOptions, Reader};
use maxspan_pipeline::rule_base::{RuleBase, RuleBaseOptions};
use maxspan_rules::{CompileOptions, LoadedRules, Runs, TomlOptions, parse_toml};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Type, query, and what only that type has.
type Rule = (&'static str, &'static str, &'static str);

/// Rules over single events and over sequences. Windows are as long as interval and maxspan together.
const STREAM: [Rule; 7] = [
    ("query", "event.category: a", FROM_SHORT),
    ("eql", "sequence by host.id with maxspan=5s [a where true] [b where true]", FROM_SHORT),
    (
        "eql",
        "sequence with maxspan=9s [a where true] [b where true] with runs=2 until [c where true]",
        FROM_SHORT,
    ),
    ("eql", "sequence by host.id with maxspan=9s [a where true] ![c where true] [b where true]", FROM_SHORT),
    (
        "eql",
        "sequence by host.id with maxspan=9s [any where true] [any where true] [any where true]",
        FROM_SHORT,
    ),
    ("eql", "sequence by host.id with maxspan=7s [a where true] [b where true] ![c where true]", FROM_SHORT),
    (
        "eql",
        "sequence by host.id with maxspan=7s [a where true] [b where true]",
        "from = 'now-25s'\ntimestamp_override = 'event.ingested'",
    ),
];

const FROM_SHORT: &str = "from = 'now-19s'";

/// Rules of which what is before the window of a hunt decides, too.
const OTHERS: [Rule; 11] = [
    ("eql", "sequence by host.id with maxspan=7s ![c where true] [a where true] [b where true]", FROM_SHORT),
    (
        "eql",
        "sequence by host.id with maxspan=6s ![c where true] [a where true] [b where true] ![c where true]",
        FROM_SHORT,
    ),
    ("eql", "any where descendant of [a where true]", ""),
    ("threshold", "event.category: *", "from = 'now-17s'\nthreshold = { field = ['host.id'], value = 2 }"),
    (
        "threshold",
        "*",
        "from = 'now-15s'\nto = 'now-2s'\nthreshold = { field = [], value = 2, cardinality = [{ field = 'event.category', value = 2 }] }",
    ),
    (
        "new_terms",
        "event.category: *",
        "from = 'now-15s'\nnew_terms_fields = ['host.id', 'event.category']\nhistory_window_start = 'now-33s'",
    ),
    (
        "new_terms",
        "event.category: (a or b)",
        "from = 'now-31s'\ntimestamp_override = 'event.ingested'\nnew_terms_fields = ['host.id']\nhistory_window_start = 'now-40s'",
    ),
    ("threat_match", "event.category: (a or b)", THREAT),
    ("esql", "FROM logs-* METADATA _id, _index | WHERE event.category == \"a\"", "from = 'now-15s'"),
    ("esql", "FROM logs-* METADATA _id, _index | SORT @timestamp DESC, _id | LIMIT 2", "from = 'now-15s'"),
    ("esql", "FROM logs-* | STATS n = COUNT(*) BY host.id | WHERE n > 1", "from = 'now-15s'"),
];

const THREAT: &str = "threat_index = ['*']\nthreat_language = 'kuery'\nfrom = 'now-15s'\n\
    threat_query = 'event.category: c and @timestamp >= \"now-25s\"'\n\
    threat_mapping = [{ entries = [{ field = 'host.id', type = 'mapping', value = 'host.id' }] }]";

/// All of them run every ten seconds.
fn rules(of: &[Rule], compile: CompileOptions) -> RuleBase {
    let mut rules = Vec::new();
    for (index, (rule_type, query, more)) in of.iter().enumerate() {
        let language = if matches!(*rule_type, "eql" | "esql") { rule_type } else { "kuery" };
        let indices = if *rule_type == "esql" { "" } else { "index = [\"*\"]\n" };
        let text = format!(
            "[metadata]\nmaturity = \"production\"\ncreation_date = \"2026/01/01\"\nupdated_date = \"2026/01/01\"\n\
             [rule]\nauthor = [\"t\"]\ndescription = \"d\"\nname = \"Rule {index}\"\nrisk_score = 1\nseverity = \"low\"\n\
             rule_id = \"00000000-0000-4000-8000-0000000000{index:02}\"\ntype = \"{rule_type}\"\nlanguage = \"{language}\"\n\
             {indices}interval = \"10s\"\nquery = '''{query}'''\n{more}\n"
        );
        let parsed = parse_toml(&Arc::new(Source::new("rule.toml", text)), &TomlOptions::default());
        assert_eq!(parsed.rules.len(), 1, "{query}: {:?}", parsed.diagnostics);
        rules.extend(parsed.rules);
    }
    let options = RuleBaseOptions { compile, ..RuleBaseOptions::default() };
    let base = RuleBase::new(LoadedRules { rules, ..LoadedRules::default() }, &options);
    assert_eq!(base.documents.len(), of.len(), "{:?}", base.diagnostics);
    base
}

/// Alerts and records of a hunt.
#[derive(Default)]
struct Found {
    alerts: Vec<Value>,
    records: Vec<Map<String, Value>>,
}

impl HuntObserver for Found {
    fn alert(&mut self, alert: HuntAlert) {
        self.alerts.push(serde_json::from_str(&alert.alert.document.to_json()).unwrap());
    }

    fn execution(&mut self, record: &Map<String, Value>) {
        self.records.push(record.clone());
    }
}

fn run(base: &RuleBase, events: &[Value], max_signals: MaxSignals) -> (Found, HuntStats) {
    let input: String = events.iter().map(|event| format!("{event}\n")).collect();
    let mut reader = Reader::of_bytes("events", std::io::Cursor::new(input), InputOptions::default());
    let mut found = Found::default();
    let now = second(1_000);
    let options = HuntOptions { max_signals, executions: true, now, ..HuntOptions::default() };
    let stats = hunt(base, &mut reader, &options, &mut found);
    (found, stats)
}

/// Rule and id of each alert.
fn ids(base: &RuleBase, events: &[Value]) -> BTreeSet<(String, String)> {
    let (found, _) = run(base, events, MaxSignals::Unlimited);
    let text = |alert: &Value, field: &str| alert[field].as_str().unwrap().to_owned();
    let id = |alert: &Value| (text(alert, "kibana.alert.rule.name"), text(alert, "kibana.alert.uuid"));
    found.alerts.iter().map(id).collect()
}

/// Nanoseconds of a second of the day of all events.
fn second(second: i64) -> i64 {
    date::parse("2026-01-01T00:00:00Z").unwrap() + second * 1_000_000_000
}

fn time(at: i64) -> String {
    date::format_millis(second(at))
}

const CATEGORIES: [&str; 3] = ["a", "b", "c"];

/// A minute and a half: so long go the runs back that decide what a threshold finds (eight windows of 17 seconds).
fn event() -> impl Strategy<Value = Value> {
    (0..3_usize, 0..2_u8, 0..90_i64, 0..3_u8, 0..3_u8, 0..1_000_u32).prop_map(
        |(category, host, at, process, parent, id)| {
            json!({"@timestamp": time(at), "event": {"category": CATEGORIES[category], "ingested": time(at)},
                "host": {"id": format!("h{host}")}, "_index": "logs-test", "_id": format!("{at}-{id}"),
                "process": {"entity_id": format!("p{process}"), "parent": {"entity_id": format!("p{parent}")}}})
        },
    )
}

fn events() -> impl Strategy<Value = Vec<Value>> {
    proptest::collection::vec(event(), 0..60)
}

fn window(from: i64, to: i64) -> CompileOptions {
    CompileOptions { window: Some((second(from), second(to))), ..CompileOptions::default() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Sequences over the cut, histories before it, runs on both sides: nothing is missing and nothing too much.
    #[test]
    fn hunts_over_adjacent_windows_find_what_one_hunt_finds(
        events in events(),
        cuts in proptest::collection::btree_set(1..89_i64, 1..4),
    ) {
        let of: Vec<Rule> = STREAM.iter().chain(&OTHERS).copied().collect();
        let expected = ids(&rules(&of, window(0, 90)), &events);
        let ends: Vec<i64> = [0].into_iter().chain(cuts).chain([90]).collect();
        let mut found = BTreeSet::new();
        for pair in ends.windows(2) {
            found.extend(ids(&rules(&of, window(pair[0], pair[1])), &events));
        }
        prop_assert_eq!(found, expected);
    }

    /// Each run over its own window, what they raise taken together.
    #[test]
    fn runs_of_a_schedule_find_what_a_hunt_finds(events in events()) {
        let expected = ids(&rules(&STREAM, CompileOptions::default()), &events);
        let mut found = BTreeSet::new();
        for at in (0..=120).step_by(10) {
            let once = CompileOptions { runs: Runs::Once, ..window(0, at) };
            let own_window = CompileOptions { window: Some((i64::MIN, second(at))), ..once };
            found.extend(ids(&rules(&STREAM, own_window), &events));
        }
        prop_assert_eq!(found, expected);
    }
}

fn at(second: i64, category: &str, host: &str) -> Value {
    json!({"@timestamp": time(second), "event.category": category, "host.id": host, "_index": "logs-test",
        "_id": format!("{second}{category}{host}")})
}

#[test]
fn every_rule_of_the_properties_fires_somewhere() {
    let of: Vec<Rule> = STREAM.iter().chain(&OTHERS).copied().collect();
    let mut events = vec![at(1, "c", "h"), at(12, "a", "h"), at(13, "b", "h"), at(14, "b", "h")];
    for event in &mut events {
        let (process, parent) = if event["event.category"] == "a" { ("p1", "p0") } else { ("p2", "p1") };
        (event["process.entity_id"], event["process.parent.entity_id"]) = (process.into(), parent.into());
    }
    let found = ids(&rules(&of, window(0, 90)), &events);
    let names: BTreeSet<_> = found.iter().map(|(name, _)| name.clone()).collect();
    let silent: Vec<_> = (0..of.len()).filter(|rule| !names.contains(&format!("Rule {rule}"))).collect();
    assert_eq!(silent, Vec::<usize>::new());
}

#[test]
fn what_ends_before_the_window_is_of_the_hunt_before() {
    let trailing = "sequence by host.id with maxspan=7s [a where true] [b where true] ![c where true]";
    let plain = "sequence by host.id with maxspan=7s [a where true] [b where true]";
    let events = [at(10, "a", "h"), at(12, "b", "h"), at(40, "c", "h")];
    let check = |query: &'static str, from: i64, to: i64, alerts: u64, undecided: usize| {
        let base = rules(&[("eql", query, FROM_SHORT)], window(from, to));
        let (_, stats) = run(&base, &events, MaxSignals::Rule);
        let found = (stats.alerts, stats.sequences_undecided_by_rule.len());
        assert_eq!(found, (alerts, undecided), "{query} {from} {to}");
    };
    check(plain, 0, 11, 0, 0);
    check(plain, 11, 20, 1, 0);
    check(plain, 12, 20, 1, 0);
    check(plain, 13, 20, 0, 0);
    check(trailing, 0, 16, 0, 1);
    check(trailing, 16, 30, 1, 0);
    check(trailing, 17, 30, 1, 0);
    check(trailing, 18, 30, 0, 0);
}

#[test]
fn an_event_that_came_late_completes_a_sequence() {
    let late = (
        "eql",
        "sequence by host.id with maxspan=7s [a where true] [b where true]",
        "timestamp_override = 'event.ingested'",
    );
    let ingested = |mut event: Value, second: i64| {
        event["event.ingested"] = time(second).into();
        event
    };
    let events = [ingested(at(10, "a", "h"), 30), ingested(at(12, "b", "h"), 13)];
    let check = |from: i64, to: i64, alerts: u64| {
        let (_, stats) = run(&rules(&[late], window(from, to)), &events, MaxSignals::Rule);
        assert_eq!(stats.alerts, alerts, "{from} {to}");
    };
    check(0, 20, 0);
    check(28, 40, 0);
    check(15, 40, 1);
}

/// Rules that run once look at one window, from `now - 17 s` or where the hunt begins.
#[test]
fn a_single_run_looks_at_its_window() {
    let check = |rule: Rule, from: Option<i64>, to: i64, events: &[(i64, &str, &str)], alerts: u64| {
        let window = Some((from.map_or(i64::MIN, second), second(to)));
        let base = rules(&[rule], CompileOptions { runs: Runs::Once, window, ..CompileOptions::default() });
        let events: Vec<Value> = events.iter().map(|(second, kind, host)| at(*second, kind, host)).collect();
        let (_, stats) = run(&base, &events, MaxSignals::Rule);
        assert_eq!(stats.alerts, alerts, "{rule:?} {from:?} {to} {events:?}");
    };
    let threshold = OTHERS[3];
    check(threshold, None, 33, &[(16, "a", "h"), (33, "a", "h")], 1);
    check(threshold, None, 33, &[(15, "a", "h"), (33, "a", "h")], 0);
    check(threshold, None, 33, &[(30, "a", "h"), (34, "a", "h")], 0);
    check(threshold, Some(15), 33, &[(15, "a", "h"), (33, "a", "h")], 1);
    // No run before it took the events away.
    check(threshold, None, 33, &[(17, "a", "h"), (18, "a", "h"), (32, "b", "h")], 1);
    let new_terms = OTHERS[5];
    check(new_terms, None, 40, &[(30, "a", "h"), (31, "a", "i")], 2);
    check(new_terms, None, 40, &[(8, "a", "h"), (30, "a", "h"), (31, "a", "i")], 1);
    check(new_terms, None, 40, &[(6, "a", "h"), (30, "a", "h")], 1);
    check(new_terms, Some(20), 40, &[(22, "a", "h")], 1);
    check(OTHERS[7], None, 40, &[(10, "c", "h"), (30, "a", "h")], 0);
    check(OTHERS[7], None, 40, &[(20, "c", "h"), (30, "a", "h"), (41, "a", "h")], 1);
    check(STREAM[1], None, 40, &[(20, "a", "h"), (22, "b", "h")], 0);
    check(STREAM[1], None, 40, &[(21, "a", "h"), (22, "b", "h")], 1);
    check(STREAM[0], None, 40, &[(20, "a", "h"), (40, "a", "h"), (41, "a", "h")], 1);
    check(OTHERS[10], None, 40, &[(24, "a", "h"), (25, "a", "h"), (26, "a", "h")], 1);
    check(OTHERS[10], None, 40, &[(24, "a", "h"), (25, "a", "h")], 0);
}

/// Runs that are not due yet are left to the hunt that comes after.
#[test]
fn runs_that_are_not_due_do_not_happen() {
    let events = [at(12, "a", "h"), at(14, "a", "h")];
    let check = |due: i64, alerts: usize| {
        let options = CompileOptions { due: Some(second(due)), ..window(0, due) };
        assert_eq!(ids(&rules(&[OTHERS[3]], options), &events).len(), alerts, "{due}");
    };
    check(19, 0);
    check(20, 1);
}

#[test]
fn records_say_what_runs_did() {
    let of = [OTHERS[3], OTHERS[10], STREAM[0]];
    let events = [at(12, "a", "h"), at(13, "a", "h"), at(14, "a", "i"), at(15, "b", "i"), at(41, "a", "h")];
    let (found, stats) = run(&rules(&of, window(0, 60)), &events, MaxSignals::Count(1));
    let text = |record: &Map<String, Value>, name: &str| record[name].as_str().unwrap().to_owned();
    let mut said: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for record in found.records.iter().filter(|record| record.contains_key("rule.name")) {
        let number = |name: &str| record[&format!("maxspan.execution.{name}")].as_u64().unwrap();
        let what = match record.get("kibana.alert.intended_timestamp") {
            Some(at) => at.as_str().unwrap()[17..19].to_owned(),
            None => format!("{}+{} runs", number("runs"), number("runs_without_events")),
        };
        let status = text(record, "kibana.alert.rule.execution.status");
        let line = format!("{what} {}/{}/{} {status}", number("events"), number("alerts"), number("capped"));
        said.entry(text(record, "rule.name")).or_default().push(line);
    }
    let grouped = ["20 4/1/1 partial failure", "30 3/0/0 succeeded", "50 1/0/0 succeeded"];
    let rows = ["20 4/1/1 partial failure", "30 1/0/0 succeeded", "50 1/0/0 succeeded"];
    let sums = "3+4 runs 5/1/1 partial failure";
    let expected = [
        ("Rule 0", [&grouped[..], &[sums]].concat()),
        ("Rule 1", [&rows[..], &[sums]].concat()),
        ("Rule 2", vec!["0+0 runs 4/2/2 partial failure"]),
    ];
    assert_eq!(said.len(), expected.len());
    for (name, expected) in expected {
        assert_eq!(said[name], expected, "{name}");
    }
    assert_eq!(stats.executions, found.records.len() as u64);
    let first = &found.records[0];
    assert_eq!(first["maxspan.execution.window.from"], time(3));
    assert_eq!(first["maxspan.execution.window.to"], time(20));
    assert_eq!(first["message"], "1 over max_signals");
    let last = &found.records[found.records.len() - 1];
    assert_eq!(
        (&last["maxspan.hunt.covered_until"], &last["maxspan.hunt.events"]),
        (&time(60).into(), &5.into())
    );
    assert_eq!(last["maxspan.hunt.rules"].as_array().unwrap().len(), 3);
}

#[test]
fn records_say_what_was_folded() {
    let rule = (
        "new_terms",
        "*",
        "from = 'now-17s'\nnew_terms_fields = ['host.id', 'event.category']\nhistory_window_start = 'now-1h'\n\
         alert_suppression = { group_by = ['host.id'] }",
    );
    let events = [at(12, "a", "h"), at(13, "b", "h"), at(14, "c", "h"), at(15, "a", "i"), at(31, "b", "i")];
    let (found, stats) = run(&rules(&[rule], window(0, 60)), &events, MaxSignals::Unlimited);
    assert_eq!((stats.alerts, stats.suppressed), (3, 2));
    let mut said = Vec::new();
    for record in found.records.iter().filter(|record| record.contains_key("rule.name")) {
        let number = |name: &str| record[&format!("maxspan.execution.{name}")].as_u64().unwrap();
        let is_run = record.contains_key("kibana.alert.intended_timestamp");
        said.push((is_run, number("alerts"), number("suppressed")));
    }
    said.sort_unstable();
    // The run between looks at the last events of the first one, and finds nothing new.
    assert_eq!(said, [(false, 3, 2), (true, 0, 0), (true, 1, 0), (true, 2, 2)]);
}
