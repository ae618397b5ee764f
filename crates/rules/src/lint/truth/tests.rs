use std::fmt::Write as _;

use maxspan_event::{Decoder, Fields, Slots};
use maxspan_plan::{Environment, PlanKind, Predicate};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::super::LintOptions;
use super::super::subject::Subject;
use super::super::support::{check_eql, check_kql, rule_of, schema};
use super::{Certainty, Verdict, judge};

#[test]
fn contradictions() {
    check_eql("any where process.name == \"a\" and process.name != \"a\"", &["MX1601 1:35 contradicts"]);
    check_eql("any where process.name == \"a\" and not process.name : (\"A\", \"b\")", &["MX1601"]);
    check_eql("any where process.name == null and process.name : \"a*\"", &["MX1601 1:36"]);
    check_eql("process where event.category != \"process\"", &["MX1601 1:15 contradicts `process`"]);
    check_eql(
        "any where not (process.name : \"a*\" or process.pid == 1) and process.name == \"ab\"",
        &["MX1601"],
    );
    check_eql("any where process.args == \"a\" and process.args != \"b\"", &[]);
    check_eql("any where process.name == \"a\" or process.pid == 7", &[]);
    check_kql("process.name: a* and not process.name: *", &["MX1601"]);
    check_kql("process.name: a and not process.name: (b or a)", &["MX1601"]);
}

#[test]
fn alternatives() {
    check_eql(
        "any where process.name : \"a*\" and (process.pid == 1 or process.name == null)",
        &["MX1603 1:56 this alternative"],
    );
    check_eql("any where process.name != \"a\" or process.name : \"A\"", &["MX1602 1:11"]);
    check_eql("any where process.name != \"a\" or process.name != \"b\"", &["MX1607 1:11 join the two"]);
    check_eql("any where process.args != \"a\" or process.args != \"b\"", &[]);
    check_eql("any where process.name in (\"a\", \"b\", \"a\")", &["MX1608 1:38"]);
    check_eql("any where process.name : (\"cmd*\", \"cmd.exe\")", &["MX1609 1:35 cmd*"]);
    check_eql("any where process.name : \"cmd*\" or process.name == \"cmd.exe\"", &["MX1609"]);
    check_kql("process.name: (a or b or a)", &["MX1608 1:26"]);
    check_kql("source.ip: (\"10.0.0.0/8\" or \"10.1.0.0/16\")", &["MX1609 1:29"]);
}

#[test]
fn several_values() {
    check_eql("any where process.name == \"a\" and process.name == \"b\"", &["MX1606 1:35"]);
    check_eql("any where process.pid > 10 and process.pid < 5", &["MX1606"]);
    check_eql("any where process.args == \"a\" and process.args == \"b\"", &[]);
    check_eql("any where no.such == \"a\" and no.such == \"b\"", &[]);
    check_kql("process.name: a and process.name: b", &["MX1606 1:21"]);
}

#[test]
fn needless_conditions() {
    check_eql("any where process.name == \"a\" and process.name != \"b\"", &["MX1610 1:35 no effect"]);
    check_eql("any where process.name != null and process.name == \"b\"", &["MX1610 1:11"]);
    check_eql("any where process.pid > 1 and process.pid > 5", &["MX1610 1:11"]);
    check_eql("any where not process.name : (\"a*\", \"ab\")", &["MX1610 1:37"]);
    check_eql("any where true", &[]);
}

/// Constants that the generated conditions and events are made of.
const NAMES: [&str; 6] = ["a", "A", "ab", "b", "7", "a*"];

/// Conditions over a few fields: one value by ECS, several, a number, an address, a field that no schema knows.
fn eql() -> impl Strategy<Value = String> {
    let name = prop::sample::select(NAMES.to_vec());
    let text = prop::sample::select(vec!["process.name", "process.args", "no.such"]);
    let pattern = prop::sample::select(vec!["a*", "*b", "?", "a", "A*", "*"]);
    let address = prop::sample::select(vec!["10.0.0.1", "10.0.0.0/8", "10.0.0.0/30", "11.0.0.1"]);
    let field_and_name = (text.clone(), name.clone());
    let leaf = prop_oneof![
        (field_and_name.clone(), prop::sample::select(vec!["==", "!=", ":", "<", ">="]))
            .prop_map(|((field, name), op)| format!("{field} {op} \"{name}\"")),
        (text.clone(), prop::collection::vec(name, 1..4), prop::sample::select(vec!["in", "not in", "in~"]))
            .prop_map(|(field, names, op)| format!("{field} {op} (\"{}\")", names.join("\", \""))),
        (text.clone(), prop::collection::vec(pattern, 1..3), prop::sample::select(vec![":", "like"]))
            .prop_map(|(field, patterns, op)| format!("{field} {op} (\"{}\")", patterns.join("\", \""))),
        (0..4_i32, prop::sample::select(vec!["==", "!=", "<", ">=", ">", "<="]))
            .prop_map(|(number, op)| format!("process.pid {op} {number}")),
        (address, prop::sample::select(vec!["==", "!="]))
            .prop_map(|(address, op)| format!("source.ip {op} \"{address}\"")),
        (text, prop::sample::select(vec!["==", "!="])).prop_map(|(field, op)| format!("{field} {op} null")),
        Just("length(process.name) > 1".to_owned()),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" and "))),
            prop::collection::vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" or "))),
            inner.prop_map(|one| format!("not ({one})")),
        ]
    })
}

fn kql() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec!["a", "A", "ab", "b", "7", "a*", "*", "*b", "\"a*\""]);
    let text = prop::sample::select(vec!["process.name", "process.args", "no.such", "message"]);
    let leaf = prop_oneof![
        (text.clone(), name.clone()).prop_map(|(field, name)| format!("{field}: {name}")),
        (text, prop::collection::vec(name, 2..4))
            .prop_map(|(field, names)| format!("{field}: ({})", names.join(" or "))),
        (0..4_i32, prop::sample::select(vec![":", "<", ">=", ">", "<="]))
            .prop_map(|(number, op)| format!("process.pid {op} {number}")),
        prop::sample::select(vec!["10.0.0.1", "10.0.0.0/8"]).prop_map(|ip| format!("source.ip: \"{ip}\"")),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" and "))),
            prop::collection::vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" or "))),
            inner.prop_map(|one| format!("not ({one})")),
        ]
    })
}

/// An event whose fields are missing, or have one value or several.
fn event(values_max: usize) -> impl Strategy<Value = Value> {
    let text = || prop::collection::vec(prop::sample::select(NAMES.to_vec()), 0..=values_max);
    let number = prop::collection::vec(0..5_i64, 0..=values_max);
    let address = prop::sample::select(vec!["10.0.0.1", "10.0.0.2", "10.9.0.1", "11.0.0.1", "-"]);
    let mixed =
        prop_oneof![Just(json!(7)), Just(json!("7")), Just(json!("a")), Just(json!(true)), Just(json!("b"))];
    let mixed = prop::collection::vec(mixed, 0..=values_max);
    let addresses = prop::collection::vec(address, 0..=values_max);
    (text(), text(), number, addresses, mixed).prop_map(|(name, args, pid, ip, odd)| {
        let mut document = Map::new();
        let fields = [
            ("process.name", json!(name)),
            ("process.args", json!(args)),
            ("process.pid", json!(pid)),
            ("source.ip", json!(ip)),
            ("no.such", json!(odd)),
            ("message", json!(args)),
        ];
        for (field, value) in fields {
            document.insert(field.to_owned(), value);
        }
        Value::Object(document)
    })
}

/// Whether the engine matches the event.
fn matches(language: &str, query: &str, event: &Value) -> bool {
    let schema = schema();
    let mut fields = Fields::default();
    let predicate: Predicate = if language == "eql" {
        let (tree, _) = maxspan_eql::parse(query);
        let options = maxspan_eql::LowerOptions::default();
        let plan = maxspan_eql::lower(&tree.unwrap(), query, schema, &mut fields, &options).0.unwrap();
        let PlanKind::Events(predicate) = plan.kind else { unreachable!("an event query") };
        predicate
    } else {
        let (tree, _) = maxspan_kql::parse(query, &maxspan_kql::ParseOptions::default());
        let options = maxspan_kql::LowerOptions { now: 0 };
        maxspan_kql::lower(&tree.unwrap(), schema, &mut fields, &options).0.unwrap()
    };
    let mut slots = Slots::default();
    Decoder::new(fields, schema.clone()).decode(event.to_string().as_bytes(), &mut slots).unwrap();
    predicate.holds(Environment::new(&slots))
}

/// Compares the verdict on a query with what the engine does with an event.
fn compare(language: &str, query: &str, event: &Value, one_value: bool) {
    let schema = schema();
    let rule = rule_of(language, query, "");
    let subject = Subject::new(&rule, LintOptions { schema, now: 0 });
    let (verdict, _) = judge(&subject, &subject.steps[0]);
    let claims = |certainty: Certainty| match certainty {
        Certainty::Certain => true,
        Certainty::OneValue => one_value,
        Certainty::Implied => false,
    };
    let expected = match &verdict {
        Verdict::Never(why) if claims(why.certainty) => false,
        Verdict::Always(why) if claims(why.certainty) => true,
        _ => return,
    };
    let mut what = String::new();
    let _ = write!(what, "{query}\n{event}\n{verdict:?}");
    assert_eq!(matches(language, query, event), expected, "{what}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn verdicts_on_eql_agree_with_the_engine(condition in eql(), events in prop::collection::vec(event(3), 4)) {
        for event in &events {
            compare("eql", &format!("any where {condition}"), event, false);
        }
    }

    #[test]
    fn verdicts_on_fields_with_one_value_agree(condition in eql(), events in prop::collection::vec(event(1), 4)) {
        for event in &events {
            compare("eql", &format!("any where {condition}"), event, true);
        }
    }

    #[test]
    fn verdicts_on_kql_agree_with_the_engine(condition in kql(), events in prop::collection::vec(event(3), 4)) {
        for event in &events {
            compare("kuery", &condition, event, false);
        }
    }
}
