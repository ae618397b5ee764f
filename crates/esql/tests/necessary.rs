//! An event that comes through a query satisfies what follows from the query for single events.

use maxspan_diagnostics::Source;
use maxspan_esql::rows::{RowEvent, RowReader};
use maxspan_esql::run::{EachRow, Options, Tables};
use maxspan_esql::{EventSchema, analyze, necessary, outline, parse};
use maxspan_event::{Decoder, Fields, Schema, Slots};
use maxspan_plan::Environment;
use maxspan_plan::condition::Truth;
use proptest::prelude::*;
use serde_json::{Value, json};

/// Conditions of a kind that rules have, on a keyword, a number, and a field that no schema knows.
const CONDITIONS: [&str; 22] = [
    "{f} == \"a\"",
    "{f} != \"a\"",
    "\"a\" == {f}",
    "TO_LOWER({f}) == \"a\"",
    "TO_LOWER({f}) IN (\"a\", \"é\", \"k\")",
    "TO_UPPER({f}) == \"A\"",
    "TO_LOWER({f}) LIKE \"a*\"",
    "{f} LIKE \"a*\"",
    "{f} RLIKE \"[ab].*\"",
    "{f} IN (\"a\", \"1\")",
    "{f} IS NULL",
    "{f} IS NOT NULL",
    "{n} > 3",
    "{n} IN (1, 5)",
    "5 >= {n}",
    "{n} == 5",
    "{u} == \"a\"",
    "{u} == \"5\"",
    "{u} == \"true\"",
    "{u} LIKE \"a*\"",
    "LENGTH({f}) > 1",
    "MV_COUNT({f}) == 2 AND STARTS_WITH(MV_FIRST({f}), \"a\")",
];

fn condition() -> impl Strategy<Value = String> {
    let single = (0..CONDITIONS.len()).prop_map(|index| {
        let fields = [("{f}", "process.name"), ("{n}", "process.pid"), ("{u}", "no.such")];
        fields.iter().fold(CONDITIONS[index].to_owned(), |text, (name, field)| text.replace(name, field))
    });
    single.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|one| format!("NOT ({one})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) AND ({b})")),
            (inner.clone(), inner).prop_map(|(a, b)| format!("({a}) OR ({b})")),
        ]
    })
}

fn values() -> impl Strategy<Value = Value> {
    let one = prop_oneof![
        Just(json!("a")),
        Just(json!("A")),
        Just(json!("ab")),
        Just(json!("é")),
        Just(json!("\u{212A}")),
        Just(json!(1)),
        Just(json!(5)),
        Just(json!("5")),
        Just(json!(true)),
        Just(json!(5.0)),
    ];
    prop_oneof![Just(Value::Null), one.clone(), proptest::collection::vec(one, 0..3).prop_map(Value::Array),]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn what_comes_through_satisfies_it(
        conditions in proptest::collection::vec(condition(), 1..3),
        (name, pid, other) in (values(), values(), values()),
    ) {
        let wheres: String = conditions.iter().map(|one| format!(" | WHERE {one}")).collect();
        let text = format!("FROM x METADATA _id{wheres} | KEEP _id | LIMIT 9");
        let schema = Schema::built_in();
        let source = Source::new("query", text.clone());
        let (query, found) = analyze(&parse(&text).0, &source, &EventSchema::on_demand(schema.clone()));
        // Types that do not fit are not what this is about.
        let Some(query) = query else { return Err(TestCaseError::reject(format!("{found:?}"))) };
        let mut fields = Fields::default();
        let predicate = necessary(&query, &schema, &mut fields);
        let outline = outline(&query, &schema, &mut fields);
        let decoder = Decoder::new(fields, schema.clone());
        let event = json!({"process": {"name": name, "pid": pid}, "no": {"such": other}}).to_string();
        let mut slots = Slots::default();
        let event = RowEvent { index: "x", id: "1", source: event.as_bytes() };
        let row = RowReader::new(&query, &schema).read(&event, &mut slots).unwrap();
        let (each, _, _) = query.split();
        let tables = Tables::default();
        let rows = EachRow::new(&each, &tables, &Options::default()).rows(row).unwrap();
        decoder.decode(event.source, &mut slots).unwrap();
        let satisfied = predicate.holds(Environment::new(&slots));
        let said = String::from_utf8_lossy(event.source);
        prop_assert!(satisfied || rows.is_empty(), "{text} on {said}");
        let truth = outline.stages[0].condition.evaluate(&slots).truth;
        prop_assert!(truth != Truth::False || rows.is_empty(), "outline of {text} on {said}");
    }
}
