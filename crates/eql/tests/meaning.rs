//! What conditions mean: queries on one event, through parser, lowering and evaluation.

use maxspan_eql::{LowerOptions, lower, parse};
use maxspan_event::{Decoder, Fields, Schema, Slots};
use maxspan_plan::functions::FUNCTIONS;
use maxspan_plan::{Environment, PlanKind};

/// 2026-03-18T12:00:00Z.
const NOW: i64 = 1_773_835_200_000_000_000;

const MAPPING: &str = r#"{"properties": {
  "event": {"properties": {"category": {"type": "keyword"}}},
  "name": {"type": "keyword"}, "other": {"type": "keyword"}, "code": {"type": "long"}, "ratio": {"type": "double"},
  "ip": {"type": "ip"}, "at": {"type": "date"}, "ok": {"type": "boolean"}, "v": {"type": "version"}
}}"#;

fn holds(condition: &str, document: &str) -> bool {
    let query = format!("any where {condition}");
    let schema = Schema::empty().with_mapping(MAPPING).unwrap();
    let (tree, problems) = parse(&query);
    let tree = tree.unwrap_or_else(|| panic!("{query}: {problems:?}"));
    let mut fields = Fields::default();
    let options = LowerOptions { now: NOW, ..LowerOptions::default() };
    let (plan, problems) = lower(&tree, &query, &schema, &mut fields, &options);
    let plan = plan.unwrap_or_else(|| panic!("{query}: {problems:?}"));
    let mut slots = Slots::default();
    Decoder::new(fields, schema).decode(document.as_bytes(), &mut slots).unwrap();
    let PlanKind::Events(predicate) = plan.kind else { panic!("{query} is no event query") };
    predicate.holds(Environment::new(&slots))
}

fn check(condition: &str, document: &str, expected: bool) {
    assert_eq!(holds(condition, document), expected, "{condition} on {document}");
}

#[test]
fn a_missing_field_fails_an_index_leaf_and_passes_its_negation() {
    for leaf in [
        "name == \"x\"",
        "name : \"x*\"",
        "name in (\"x\", \"y\")",
        "name in~ (\"x\")",
        "name like \"x*\"",
        "name regex \"x.*\"",
        "startsWith(name, \"x\")",
        "endsWith~(name, \"x\")",
        "stringContains(name, \"x\")",
        "cidrMatch(ip, \"10.0.0.0/8\")",
        "ok",
        "ok == true",
        "at == \"2026-01-01\"",
    ] {
        check(leaf, "{}", false);
        check(&format!("not {leaf}"), "{}", true);
        check(&format!("not (not {leaf})"), "{}", false);
        // A field by itself is no condition: `ok == false` asks for the value false.
        check(&format!("({leaf}) == false"), "{}", leaf != "ok");
    }
    check("name != \"x\"", "{}", true);
    check("name not in (\"x\")", "{}", true);
    check("not (name == \"x\" or name == \"y\")", "{}", true);
    check("not (name == \"x\" and code > 3)", "{}", true);
}

#[test]
fn a_missing_field_fails_an_ordering_leaf_and_its_negation() {
    for leaf in ["code > -1", "code <= 5", "-1 < code", "name >= \"a\"", "at < \"2027-01-01\"", "v > \"1.0\""]
    {
        check(leaf, "{}", false);
        check(&format!("not ({leaf})"), "{}", false);
    }
    check("not (code > -1)", r#"{"code": -5}"#, true);
}

#[test]
fn a_missing_field_makes_a_script_unknown() {
    for leaf in [
        "length(name) > 3",
        "concat(name, \"x\") == \"yx\"",
        "indexOf(name, \"x\") == 0",
        "code + 1 == 2",
        "name == other",
        "string(code) : \"1*\"",
        "startsWith(\"xyz\", name)",
        "length(name) in (1, 2)",
    ] {
        check(leaf, "{}", false);
        check(&format!("not ({leaf})"), "{}", false);
    }
    check("(code > -1) == null", "{}", true);
    check("(code > -1) != null", r#"{"code": 1}"#, true);
    check("length(name) == null", "{}", true);
    check("not (length(name) == null)", "{}", false);
    // Kleene: one true branch decides, whatever the other.
    check("length(name) > 3 or code == 1", r#"{"code": 1}"#, true);
}

#[test]
fn null_tests_are_two_valued() {
    check("name == null", "{}", true);
    check("null == name", r#"{"name": []}"#, true);
    check("name != null", r#"{"name": ""}"#, true);
    check("not name == null", r#"{"name": "x"}"#, true);
    check("?gone == null", "{}", true);
    check("?gone", "{}", false);
    check("not ?gone", "{}", true);
    check("?gone == ?away", "{}", true);
    check("name in (null, \"x\")", "{}", false);
    check("null", "{}", false);
    check("not null", "{}", false);
}

#[test]
fn several_values_match_by_any_and_are_negated_by_none() {
    let document = r#"{"name": ["b", "a"], "code": [5, 1]}"#;
    check("name == \"b\"", document, true);
    check("name != \"b\"", document, false);
    check("not name : (\"b*\", \"c\")", document, false);
    check("code > 4 and code < 2", document, true);
    check("not (code > 4)", document, true);
    // A script sees the first value in sorted order.
    check("concat(name, \"\") == \"a\"", document, true);
    check("code + 0 == 1", document, true);
}

#[test]
fn case_and_wildcards_depend_on_the_operator() {
    let document = r#"{"name": "CMD.exe"}"#;
    check("name == \"cmd.exe\"", document, false);
    check("name : \"cmd.exe\"", document, true);
    check("name == \"CMD*\"", document, false);
    check("name : \"c?d.*\"", document, true);
    check("name like \"CMD*\"", document, true);
    check("name like \"cmd*\"", document, false);
    check("name like~ (\"x\", \"cmd*\")", document, true);
    check("name in (\"cmd.exe\")", document, false);
    check("name in~ (\"cmd.exe\", \"x\")", document, true);
    check("name in~ (\"cmd*\")", document, false);
    check("name regex \"[A-Z]+\\\\.exe\"", document, true);
    check("name regex~ \"cmd.*\"", document, true);
    check("name regex \"MD\"", document, false);
    check("startsWith~(name, \"cmd\")", document, true);
    check("startsWith(name, \"cmd\")", document, false);
}

#[test]
fn types_decide_equality_and_order() {
    check("ip == \"10.0.0.0/8\"", r#"{"ip": "10.1.2.3"}"#, true);
    check("ip == \"::ffff:10.1.2.3\"", r#"{"ip": "10.1.2.3"}"#, true);
    check("at == \"2026-03-18\"", r#"{"at": "2026-03-18T23:59:59.999Z"}"#, true);
    check("at >= \"now-1h\"", r#"{"at": "2026-03-18T11:00:00Z"}"#, true);
    check("at > \"2026-03-18\"", r#"{"at": "2026-03-18T12:00:00Z"}"#, false);
    check("v > \"1.5.0\"", r#"{"v": "1.11.0"}"#, true);
    check("code == 5.0", r#"{"code": 5}"#, true);
    check("code == \"5\"", r#"{"code": 5}"#, false);
    check("code / 2 == 2", r#"{"code": 5}"#, true);
    check("code / 2.0 == 2.5", r#"{"code": 5}"#, true);
    check("ratio / 2 == 0.25", r#"{"ratio": 0.5}"#, true);
    check("code % 3 == -2", r#"{"code": -5}"#, true);
    check("code / 0 == null", r#"{"code": 5}"#, true);
    check("name == \"501\"", r#"{"name": 501}"#, true);
    check("unmapped == 5", r#"{"unmapped": "5"}"#, true);
    check("unmapped == \"5\"", r#"{"unmapped": 5}"#, true);
    check("unmapped : \"5*\"", r#"{"unmapped": 51}"#, true);
}

#[test]
fn examples_of_functions_are_true() {
    for function in FUNCTIONS {
        for (call, value) in function.examples {
            let condition = match *value {
                "null" => format!("{call} == null"),
                text => format!("string({call}) == \"{text}\""),
            };
            check(&condition, "{}", true);
        }
    }
}
