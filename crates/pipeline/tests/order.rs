//! Invariant 8: the same events give the same alerts, whatever the order in which they arrive.

use std::sync::{Arc, LazyLock};

use maxspan_diagnostics::Source;
use maxspan_pipeline::hunt::{Collected, HuntOptions, HuntStats, hunt};
use maxspan_pipeline::input::{InputOptions, Reader};
use maxspan_pipeline::rule_base::{RuleBase, RuleBaseOptions};
use maxspan_rules::{LoadedRules, TomlOptions, parse_toml};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Type, query, cap, and what only that type has, of rules that order could matter to.
const RULES: [(&str, &str, u32, &str); 25] = [
    ("eql", "sequence by host.id with maxspan=5s [a where true] [b where true]", 100, ""),
    (
        "eql",
        "sequence by host.id with maxspan=4s [a where true] [b where true] with runs=2 until [c where true]",
        100,
        "",
    ),
    ("eql", "sequence by host.id with maxspan=3s [a where true] ![c where true] [b where true]", 100, ""),
    (
        "eql",
        "sequence by host.id with maxspan=3s ![c where true] [a where true] [b where true] ![c where true]",
        100,
        "",
    ),
    ("eql", "sequence by host.id, ?user.name [any where true] [any where true]", 2, ""),
    ("eql", "sample by host.id [a where true] [b where true]", 100, ""),
    ("eql", "any where descendant of [a where true]", 100, ""),
    ("eql", "a where true", 2, ""),
    ("query", "event.category: (a or b)", 3, ""),
    ("threshold", "event.category: *", 100, "threshold = { field = ['host.id'], value = 2 }"),
    ("threshold", "*", 1, VALUES_OF_USERS),
    ("new_terms", "event.category: *", 100, NEW_TERMS),
    ("new_terms", "event.category: (a or b)", 1, NEW_TERMS),
    ("threat_match", "event.category: (a or b)", 100, THREAT),
    ("threat_match", "event.category: *", 1, THREAT),
    ("esql", "FROM logs-* METADATA _id, _index | WHERE event.category IN (\"a\", \"b\")", 2, ""),
    ("esql", "FROM logs-* | STATS n = COUNT(*), users = VALUES(user.name) BY host.id | WHERE n > 1", 3, ""),
    ("query", "event.category: (a or b)", 2, SUPPRESSED_BY_TWO),
    ("query", "event.category: *", 1, SUPPRESSED_FOR_LONG),
    ("eql", "any where true", 1, SUPPRESSED_BY_TWO),
    ("eql", "any where user.name != \"x\" or true", 2, SUPPRESSED_FOR_LONG),
    ("eql", "sequence by host.id with maxspan=5s [a where true] [b where true]", 1, SUPPRESSED_FOR_LONG),
    ("new_terms", "event.category: *", 2, SUPPRESSED_NEW_TERMS),
    ("threat_match", "event.category: (a or b)", 1, SUPPRESSED_THREAT),
    (
        "esql",
        "FROM logs-* | STATS n = COUNT(*) BY host.id, user.name | SORT host.id, user.name",
        3,
        SUPPRESSED_FOR_LONG,
    ),
];

const SUPPRESSED_BY_TWO: &str =
    "alert_suppression = { group_by = ['user.name', 'host.id'], missing_fields_strategy = 'suppress' }";
const SUPPRESSED_FOR_LONG: &str = "interval = '2s'\nfrom = 'now-4s'\n\
    alert_suppression = { group_by = ['user.name'], missing_fields_strategy = 'doNotSuppress', \
    duration = { value = 3, unit = 's' } }";
const SUPPRESSED_NEW_TERMS: &str = "interval = '2s'\nfrom = 'now-3s'\nhistory_window_start = 'now-5s'\n\
    new_terms_fields = ['host.id', 'event.category']\n\
    alert_suppression = { group_by = ['host.id'], missing_fields_strategy = 'suppress' }";
const SUPPRESSED_THREAT: &str = "interval = '2s'\nfrom = 'now-4s'\nthreat_index = ['*']\nthreat_language = 'kuery'\n\
    threat_query = 'event.category: c'\n\
    threat_mapping = [{ entries = [{ field = 'host.id', type = 'mapping', value = 'host.id' }] }]\n\
    alert_suppression = { group_by = ['user.name'], missing_fields_strategy = 'suppress', \
    duration = { value = 2, unit = 's' } }";

const VALUES_OF_USERS: &str = "threshold = { field = ['host.id', 'user.name'], value = 2, cardinality = [{ field = 'event.category', value = 2 }] }";
const NEW_TERMS: &str =
    "new_terms_fields = ['host.id', 'event.category']\nhistory_window_start = 'now-2m'\nfrom = 'now-70s'";

const THREAT: &str = "threat_index = ['*']\nthreat_language = 'kuery'\nfrom = 'now-70s'\n\
    threat_query = 'event.category: c and @timestamp >= \"now-55s\"'\n\
    threat_mapping = [{ entries = [{ field = 'host.id', type = 'mapping', value = 'host.id' }, \
    { field = 'process.entity_id', type = 'mapping', value = 'process.entity_id', negate = true }] }, \
    { entries = [{ field = 'user.name', type = 'mapping', value = 'user.name' }] }]";

/// All rules together; and each by itself. Made once, since a rule set never changes.
static TOGETHER: LazyLock<RuleBase> = LazyLock::new(|| rules_where(|_| true));
static ALONE: LazyLock<Vec<RuleBase>> =
    LazyLock::new(|| (0..RULES.len()).map(|rule| rules_where(|index| index == rule)).collect());

/// The rules whose numbers are wanted; a rule is the same whichever others are there.
fn rules_where(wanted: impl Fn(usize) -> bool) -> RuleBase {
    let mut rules = Vec::new();
    for (index, (rule_type, query, cap, more)) in RULES.iter().enumerate().filter(|(index, _)| wanted(*index))
    {
        let language = if matches!(*rule_type, "eql" | "esql") { rule_type } else { "kuery" };
        let interval = if more.contains("interval") { "" } else { "interval = \"1m\"\n" };
        let indices = if *rule_type == "esql" { "" } else { "index = [\"*\"]\n" };
        let text = format!(
            "[metadata]\nmaturity = \"production\"\ncreation_date = \"2026/01/01\"\nupdated_date = \"2026/01/01\"\n\
             [rule]\nauthor = [\"t\"]\ndescription = \"d\"\nname = \"Rule {index}\"\nrisk_score = 1\nseverity = \"low\"\n\
             rule_id = \"00000000-0000-4000-8000-0000000000{index:02}\"\ntype = \"{rule_type}\"\nlanguage = \"{language}\"\n\
             {indices}max_signals = {cap}\n{interval}query = '''{query}'''\n{more}\n"
        );
        let parsed = parse_toml(&Arc::new(Source::new("rule.toml", text)), &TomlOptions::default());
        assert_eq!(parsed.rules.len(), 1, "{:?}", parsed.diagnostics);
        rules.extend(parsed.rules);
    }
    let base = RuleBase::new(LoadedRules { rules, ..LoadedRules::default() }, &RuleBaseOptions::default());
    let expected = (0..RULES.len()).filter(|index| wanted(*index)).count();
    assert_eq!(base.documents.len(), expected, "{:?}", base.diagnostics);
    base
}

fn run(base: &RuleBase, events: &[Value]) -> (Vec<String>, HuntStats) {
    run_with(base, events, &HuntOptions::default())
}

fn run_with(base: &RuleBase, events: &[Value], options: &HuntOptions) -> (Vec<String>, HuntStats) {
    let input: String = events.iter().map(|event| format!("{event}\n")).collect();
    let mut reader = Reader::of_bytes("events", std::io::Cursor::new(input), InputOptions::default());
    let mut collected = Collected::default();
    let stats = hunt(base, &mut reader, options, &mut collected);
    let documents = collected.alerts.iter().map(|alert| alert.alert.document.to_json());
    (documents.collect(), stats)
}

/// Few hosts, few instants, few processes: ties and doubles are common. Some events have an id, some none.
fn event() -> impl Strategy<Value = Value> {
    let parts =
        (0..3_usize, 0..2_u8, 0..8_i64, 0..3_u8, 0..3_u8, proptest::option::of(0..40_u8), any::<bool>());
    parts.prop_map(|(category, host, second, process, parent, id, user)| {
        let mut event = json!({
            "@timestamp": format!("2026-01-01T00:00:0{second}Z"),
            "event": {"category": CATEGORIES[category]},
            "host": {"id": format!("h{host}")},
            "process": {"entity_id": format!("p{process}"), "parent": {"entity_id": format!("p{parent}")}},
            "_index": "logs-test",
        });
        if let Some(id) = id {
            event["_id"] = json!(format!("{category}{host}{second}{process}{parent}{id}"));
        }
        if user {
            event["user"] = json!({"name": "u"});
        }
        event
    })
}

const CATEGORIES: [&str; 3] = ["a", "b", "c"];

fn shuffled() -> impl Strategy<Value = (Vec<Value>, Vec<Value>)> {
    proptest::collection::vec(event(), 0..40)
        .prop_flat_map(|events| (Just(events.clone()), Just(events).prop_shuffle()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_order_of_arrival_gives_the_same_alerts((events, other) in shuffled()) {
        let ((alerts, stats), (other_alerts, other_stats)) = (run(&TOGETHER, &events), run(&TOGETHER, &other));
        prop_assert_eq!(alerts, other_alerts);
        prop_assert_eq!(stats.alerts_capped_by_rule, other_stats.alerts_capped_by_rule);
        prop_assert_eq!(stats.alerts_repeated, other_stats.alerts_repeated);
        prop_assert_eq!(stats.suppressed_by_rule, other_stats.suppressed_by_rule);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// What brute force finds for many rules at once is what it finds for each rule alone; a prefilter will have to.
    #[test]
    fn many_rules_find_what_each_finds_alone(events in proptest::collection::vec(event(), 0..30)) {
        let (together, _) = run(&TOGETHER, &events);
        let mut alone: Vec<String> = ALONE.iter().flat_map(|base| run(base, &events).0).collect();
        let mut together = together;
        together.sort();
        alone.sort();
        prop_assert_eq!(together, alone);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// What does not fit in memory is put aside, and nothing else changes.
    #[test]
    fn little_memory_gives_the_same_alerts(events in proptest::collection::vec(event(), 0..60)) {
        let little = HuntOptions { sequence_memory: 40 << 10, ..HuntOptions::default() };
        let (alerts, stats) = run(&TOGETHER, &events);
        let (other_alerts, other_stats) = run_with(&TOGETHER, &events, &little);
        prop_assert_eq!(alerts, other_alerts);
        prop_assert_eq!(stats.spilled_bytes, 0);
        let same = HuntStats { spilled_bytes: 0, seconds: stats.seconds, ..other_stats.clone() };
        prop_assert_eq!(format!("{stats:?}"), format!("{same:?}"));
        prop_assert!(events.len() < 30 || other_stats.spilled_bytes > 0);
    }
}

#[test]
fn without_a_temporary_file_older_events_are_handed_on() {
    let event = |category: &str, minute: u8, second: u8| {
        json!({"@timestamp": format!("2026-01-01T00:{minute:02}:{second:02}Z"), "event.category": category,
               "host.id": "h", "filler": "x".repeat(2_000)})
    };
    let mut events = vec![event("a", 30, 0), event("b", 30, 1)];
    events.extend((0..20).map(|minute| event("a", minute + 31, 0)));
    events.extend([event("a", 1, 0), event("b", 1, 1)]);
    let nowhere = "/there/is/no/such/folder";
    let check = |sequence_memory: usize, spill: bool, alerts: u64, late: bool, error: bool| {
        let temp_dir = Some(nowhere.into());
        let options = HuntOptions { sequence_memory, spill, temp_dir, ..HuntOptions::default() };
        let (_, stats) = run_with(&ALONE[0], &events, &options);
        assert_eq!((stats.alerts, stats.late_events > 0), (alerts, late), "{stats:?}");
        assert_eq!(stats.spill_error.is_some_and(|text| text.contains(nowhere)), error);
        assert_eq!((stats.spilled_bytes, stats.matches_unread, stats.alerts_unread), (0, 0, 0));
    };
    check(96 << 20, true, 2, false, false);
    check(16 << 10, true, 1, true, true);
    check(16 << 10, false, 1, true, false);
}

#[test]
fn every_rule_of_the_property_fires_somewhere() {
    let base = &*TOGETHER;
    let event = |category: &str, second: u8, process: &str, parent: &str| {
        json!({"@timestamp": format!("2026-01-01T00:00:{second:02}Z"), "event.category": category, "host.id": "h",
               "user.name": "u", "process.entity_id": process, "process.parent.entity_id": parent})
    };
    let events = [
        event("c", 0, "p9", "p8"),
        event("a", 20, "p1", "p0"),
        event("b", 21, "p2", "p1"),
        event("b", 22, "p3", "p2"),
        event("c", 50, "p9", "p8"),
    ];
    let (_, stats) = run(base, &events);
    let silent: Vec<&str> = base
        .documents
        .iter()
        .filter(|rule| !stats.alerts_by_rule.contains_key(&rule.rule_id))
        .map(|rule| rule.query.as_str())
        .collect();
    assert_eq!(silent, Vec::<&str>::new(), "{stats:?}");
}
