//! Invariant 5: with and without the prefilter the same matches, whatever the rules, the events and the shares that the
//! prefilter chooses its anchors by.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::LazyLock;

use maxspan_engine::{
    CompiledRule, EventInput, Matched, Profiler, RuleSet, RuleSetBuilder, Scratch, Selectivity,
};
use maxspan_event::Schema;
use maxspan_plan::{Plan, PlanKind};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};

static SCHEMA: LazyLock<Schema> = LazyLock::new(Schema::built_in);

/// Fields of text: keywords, wildcards, analysed text, gate fields and an array.
const TEXT_FIELDS: [&str; 9] = [
    "process.name",
    "process.command_line",
    "process.args",
    "user.name",
    "message",
    "event.action",
    "event.outcome",
    "host.os.type",
    "made.up",
];

/// Texts that are equal, or begin alike, where case or folding is ignored in one way and not in another.
const TEXTS: [&str; 20] = [
    "cmd.exe",
    "CMD.EXE",
    "Cmd.exe",
    "cmd",
    "c",
    "",
    "a b",
    "a\\b",
    "C:\\a\\cmd.exe",
    "Stra\u{df}e",
    "STRASSE",
    "stra\u{1e9e}e",
    "\u{e4}b",
    "\u{c4}B",
    "\u{130}x",
    "i\u{307}x",
    "\u{212a}",
    "k",
    "443",
    "true",
];

const NUMBER_FIELDS: [&str; 3] = ["process.pid", "destination.port", "process.exit_code"];

const NUMBERS: [&str; 6] = ["0", "1", "-1", "443", "443.0", "9007199254740993"];

const ADDRESSES: [&str; 5] = ["192.0.2.7", "192.0.2.200", "198.51.100.1", "2001:db8::1", "::ffff:192.0.2.7"];

// ---- Rules

/// A query, and whether it is KQL.
type Query = (String, bool);

fn literal(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\"))
}

fn text() -> impl Strategy<Value = String> {
    select(&TEXTS[..]).prop_map(literal)
}

/// A text with stars, some of which begin or end it.
fn pattern() -> impl Strategy<Value = String> {
    (select(&TEXTS[..]), 0..5_usize).prop_map(|(text, form)| {
        let half: String = text.chars().take(2).collect();
        literal(&match form {
            0 => format!("{text}*"),
            1 => format!("*{text}"),
            2 => format!("*{half}*"),
            3 => format!("{half}*{}", text.chars().last().unwrap_or('x')),
            _ => format!("?{}", text.chars().skip(1).collect::<String>()),
        })
    })
}

/// A list of two or three.
fn several(item: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    proptest::collection::vec(item, 2..4).prop_map(|items| format!("({})", items.join(", ")))
}

/// A condition of EQL on a text.
fn eql_text() -> impl Strategy<Value = String> {
    let field = || select(&TEXT_FIELDS[..]);
    let regex = select(&["\"c.d.*\"", "\"(cmd|a).*\"", "\".*[e-x]xe\"", "\".*\"", "\"(k|\u{212a})\""][..]);
    let tilde = || select(&["", "~"][..]);
    let call = select(&["startsWith", "endsWith", "stringContains"][..]);
    prop_oneof![
        (field(), select(&["==", "!=", ":", "<", ">="][..]), text())
            .prop_map(|(f, op, v)| format!("{f} {op} {v}")),
        (field(), select(&[":", "like", "like~"][..]), pattern())
            .prop_map(|(f, op, v)| format!("{f} {op} {v}")),
        (field(), select(&["in", "in~", "not in", "not in~"][..]), several(text()))
            .prop_map(|(f, op, v)| format!("{f} {op} {v}")),
        (field(), select(&[":", "like", "like~"][..]), several(pattern()))
            .prop_map(|(f, op, v)| format!("{f} {op} {v}")),
        (field(), select(&["regex", "regex~"][..]), regex).prop_map(|(f, op, v)| format!("{f} {op} {v}")),
        (call, tilde(), field(), text()).prop_map(|(name, t, f, v)| format!("{name}{t}({f}, {v})")),
        (field(), text()).prop_map(|(f, v)| format!("concat({f}, \"\") == {v}")),
        (field(), 0..9_u8).prop_map(|(f, n)| format!("length({f}) > {n}")),
        (field(), text()).prop_map(|(f, v)| format!("indexOf({f}, {v}) == 0")),
        (field(), select(&["==", "!="][..])).prop_map(|(f, op)| format!("{f} {op} null")),
        (field(), field()).prop_map(|(a, b)| format!("{a} == {b}")),
        (field(), field()).prop_map(|(a, b)| format!("{a} : {b}")),
    ]
}

/// A condition of EQL on another type.
fn eql_other() -> impl Strategy<Value = String> {
    let number = || select(&NUMBERS[..]).prop_map(str::to_owned);
    let field = || select(&NUMBER_FIELDS[..]);
    let blocks = ["\"192.0.2.0/24\"", "\"192.0.2.0/25\", \"2001:db8::/32\"", "\"0.0.0.0/0\""];
    prop_oneof![
        (field(), select(&["==", "!=", "<", "<=", ">", ">="][..]), number())
            .prop_map(|(f, op, v)| format!("{f} {op} {v}")),
        (field(), select(&["in", "not in"][..]), several(number()))
            .prop_map(|(f, op, v)| format!("{f} {op} {v}")),
        (field(), number()).prop_map(|(f, v)| format!("{f} + 1 == {v}")),
        (field(), select(&["==", "!="][..])).prop_map(|(f, op)| format!("{f} {op} null")),
        select(blocks.to_vec()).prop_map(|block| format!("cidrMatch(source.ip, {block})")),
        (select(&["==", "!="][..]), select(&ADDRESSES[..]))
            .prop_map(|(op, v)| format!("source.ip {op} \"{v}\"")),
        (select(&["==", "!="][..]), any::<bool>())
            .prop_map(|(op, v)| format!("process.code_signature.trusted {op} {v}")),
    ]
}

/// A value as KQL writes it.
fn kql_value() -> impl Strategy<Value = String> {
    let word = |text: &str| text.chars().filter(|c| c.is_alphanumeric() || *c == '.').collect::<String>();
    let word = move |text: &&str| Some(word(text)).filter(|word| !word.is_empty());
    let bare = select(&TEXTS[..]).prop_filter_map("a word", move |text| word(&text));
    prop_oneof![
        text(),
        bare.clone(),
        bare.clone().prop_map(|word| format!("{word}*")),
        bare.clone().prop_map(|word| format!("*{word}*")),
        (bare.clone(), bare).prop_map(|(a, b)| format!("({a} or {b}*)")),
        Just("*".to_owned()),
    ]
}

fn kql_leaf() -> impl Strategy<Value = String> {
    let field = select(&TEXT_FIELDS[..]);
    let numbers = (select(&NUMBER_FIELDS[..]), select(&[":", ">", "<="][..]), select(&NUMBERS[..]));
    prop_oneof![
        5 => (field, kql_value()).prop_map(|(f, v)| format!("{f}: {v}")),
        3 => numbers.prop_map(|(f, op, v)| format!("{f}{op} {v}")),
        1 => select(&["192.0.2.0/24", "192.0.2.7"][..]).prop_map(|v| format!("source.ip: \"{v}\"")),
        1 => any::<bool>().prop_map(|v| format!("process.code_signature.trusted: {v}")),
        1 => Just("proc*.name: cmd*".to_owned()),
        1 => Just("\"cmd.exe\"".to_owned()),
        1 => Just("event.created >= \"2026-01-01\"".to_owned()),
    ]
}

/// Conditions joined and negated.
fn nested(leaf: impl Strategy<Value = String> + 'static) -> impl Strategy<Value = String> {
    leaf.prop_recursive(3, 12, 3, |inner| {
        let list = |word: &'static str, inner: BoxedStrategy<String>| {
            proptest::collection::vec(inner, 2..4).prop_map(move |list| format!("({})", list.join(word)))
        };
        let inner = inner.boxed();
        prop_oneof![
            list(" and ", inner.clone()),
            list(" or ", inner.clone()),
            inner.prop_map(|one| format!("not ({one})")),
        ]
    })
}

fn query() -> impl Strategy<Value = Query> {
    let category = || select(&["any", "process", "network"][..]);
    let condition = || nested(prop_oneof![2 => eql_text(), 1 => eql_other()]).boxed();
    let stage = move || (category(), condition()).prop_map(|(c, one)| format!("{c} where {one}"));
    prop_oneof![
        5 => stage().prop_map(|query| (query, false)),
        1 => (stage(), stage(), stage()).prop_map(|(a, b, c)| {
            (format!("sequence by host.id [{a}] [{b}] until [{c}]"), false)
        }),
        1 => (stage(), stage()).prop_map(|(a, b)| (format!("sample by host.id [{a}] [{b}]"), false)),
        1 => stage().prop_map(|stage| (format!("any where descendant of [{stage}]"), false)),
        5 => nested(kql_leaf()).prop_map(|query| (query, true)),
    ]
}

fn plan(query: &Query, builder: &mut RuleSetBuilder) -> Option<Plan> {
    let (text, is_kql) = query;
    if *is_kql {
        let tree = maxspan_kql::parse(text, &maxspan_kql::ParseOptions::default()).0?;
        let options = maxspan_kql::LowerOptions { now: 0 };
        let predicate = maxspan_kql::lower(&tree, &builder.schema, &mut builder.fields, &options).0?;
        return Some(Plan::new(PlanKind::Events(predicate)));
    }
    let tree = maxspan_eql::parse_with(text, &maxspan_eql::ParseOptions { lineage: true }).0?;
    let options = maxspan_eql::LowerOptions::default();
    maxspan_eql::lower(&tree, text, &builder.schema, &mut builder.fields, &options).0
}

/// The rules that compile, found by `selectivity`.
fn rule_set(queries: &[Query], selectivity: Selectivity) -> RuleSet {
    let mut builder = RuleSetBuilder::new(SCHEMA.clone());
    builder.selectivity = selectivity;
    let timestamp = builder.slot("@timestamp");
    for query in queries {
        if let Some(plan) = plan(query, &mut builder) {
            builder.add(CompiledRule::new(plan, timestamp));
        }
    }
    builder.build(true)
}

/// Shares that depend on `seed` alone, for all that the rules could be found by.
fn random_shares(rules: &RuleSet, seed: u64) -> Selectivity {
    let profiler = Profiler::new(rules);
    let count = |atom: &str| {
        let mut hasher = DefaultHasher::new();
        (seed, atom).hash(&mut hasher);
        hasher.finish() % 1_001
    };
    Selectivity::measured(1_000, profiler.atoms().into_keys().map(|atom| (atom, count(atom))))
}

// ---- Events

fn text_value() -> impl Strategy<Value = Value> {
    let one = || {
        prop_oneof![
            12 => select(&TEXTS[..]).prop_map(Value::from),
            1 => Just(Value::Null),
            1 => Just(json!(443)),
            1 => Just(json!(true)),
        ]
    };
    prop_oneof![5 => one(), 1 => proptest::collection::vec(one(), 0..4).prop_map(Value::Array)]
}

fn number_value() -> impl Strategy<Value = Value> {
    select(vec![
        json!(0),
        json!(-0.0),
        json!(443),
        json!("443"),
        json!(443.0),
        json!(-1),
        json!([1, 443]),
        json!("no number"),
        json!(9_007_199_254_740_993_i64),
    ])
}

/// Few fields have a value; names are nested or with dots, and one is not what the schema says.
fn event() -> impl Strategy<Value = Vec<u8>> {
    let texts =
        TEXT_FIELDS.map(|name| proptest::option::weighted(0.6, text_value()).prop_map(move |v| (name, v)));
    let numbers = NUMBER_FIELDS
        .map(|name| proptest::option::weighted(0.5, number_value()).prop_map(move |v| (name, v)));
    let address = proptest::option::of(select(&ADDRESSES[..]).prop_map(Value::from));
    let category =
        select(vec![json!("process"), json!("network"), json!(["process", "network"]), json!("Process")]);
    let trusted = proptest::option::of(select(vec![json!(true), json!(false), json!("true")]));
    (Vec::from(texts), Vec::from(numbers), address, category, trusted, any::<bool>()).prop_map(
        |(texts, numbers, address, category, trusted, dotted)| {
            let mut event = Map::new();
            let others = [
                ("source.ip", address),
                ("event.category", Some(category)),
                ("process.code_signature.trusted", trusted),
                ("@timestamp", Some(json!("2026-01-01T00:00:00Z"))),
                ("event.created", Some(json!("2026-01-01T00:00:00Z"))),
                ("host.id", Some(json!("h"))),
                ("process.entity_id", Some(json!("p"))),
            ];
            for (name, value) in texts.into_iter().chain(numbers).chain(others) {
                if let Some(value) = value {
                    insert(&mut event, name, value, dotted);
                }
            }
            Value::Object(event).to_string().into_bytes()
        },
    )
}

fn insert(event: &mut Map<String, Value>, name: &str, value: Value, dotted: bool) {
    match name.split_once('.') {
        Some((head, rest)) if !dotted => {
            let inner = event.entry(head).or_insert_with(|| json!({}));
            if let Value::Object(inner) = inner {
                insert(inner, rest, value, dotted);
            }
        }
        _ => {
            event.insert(name.to_owned(), value);
        }
    }
}

fn matched(rules: &RuleSet, source: &[u8], scratch: &mut Scratch) -> Option<Matched> {
    let input = EventInput { index: None, default_index: "", id: Some("1"), source };
    rules.match_event(&input, scratch).expect("the event is JSON")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn the_prefilter_and_brute_force_find_the_same(
        queries in proptest::collection::vec(query(), 1..8),
        events in proptest::collection::vec(event(), 1..12),
        seed in any::<u64>(),
    ) {
        let rules = rule_set(&queries, Selectivity::default());
        let others = rule_set(&queries, random_shares(&rules, seed));
        let (mut all, mut some, mut other) = (Scratch::exhaustive(), Scratch::default(), Scratch::default());
        for event in &events {
            let expected = matched(&rules, event, &mut all);
            let text = || format!("{queries:#?}\n{}", String::from_utf8_lossy(event));
            prop_assert_eq!(&matched(&rules, event, &mut some), &expected, "{}", text());
            prop_assert_eq!(&matched(&others, event, &mut other), &expected, "with random shares\n{}", text());
        }
    }
}

#[test]
fn the_duel_is_about_something() {
    let mut runner = TestRunner::deterministic();
    let queries: Vec<Query> =
        (0..200).map(|_| query().new_tree(&mut runner).expect("a query").current()).collect();
    let rules = rule_set(&queries, Selectivity::default());
    assert!(rules.len() > 150, "{} of 200 queries compile", rules.len());
    let anchored =
        rules.rules().filter(|(id, _)| rules.prefilter_report(*id).iter().all(|unit| unit.anchor.is_ok()));
    assert!(anchored.count() > 50, "few rules have an anchor");
    let mut runner = TestRunner::deterministic();
    let mut scratch = Scratch::default();
    let found = (0..200)
        .filter(|_| {
            let event = event().new_tree(&mut runner).expect("an event").current();
            matched(&rules, &event, &mut scratch).is_some()
        })
        .count();
    let units: usize = rules.rules().map(|(id, _)| rules.prefilter_report(id).len()).sum();
    let evaluated = scratch.counters().candidates;
    assert!(found > 100, "{found} of 200 events match");
    assert!(evaluated < 200 * units as u64 * 3 / 4, "{evaluated} candidates of 200 events and {units} units");
}
