//! Rules compiled, and their plans on events.

#![allow(clippy::needless_pass_by_value, reason = "`json!` values as arguments make tables readable")]

use maxspan_event::{Decoder, Schema, Slots, date};
use maxspan_plan::Environment;
use serde_json::{Value, json};

use super::*;
use crate::kibana_rules::parse_json;

const EXCEPTION: &str = r#"{"list_id":"l","item_id":"i","name":"I",
    "entries":[{"field":"process.pid","type":"match","operator":"excluded","value":"abc"}]}"#;

/// What compiling says, and the rule where it can be run.
fn compiled(changes: Value, options: &CompileOptions) -> (RuleSetBuilder, Compiled) {
    let mut rule = json!({"rule_id": "r1", "name": "N", "description": "D", "severity": "low", "risk_score": 1,
        "type": "query", "query": "*:*"});
    rule.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    let text = format!("[{rule},\n{EXCEPTION}]");
    let file = parse_json(&Arc::new(Source::new("rules.json", text)));
    assert!(file.diagnostics.is_empty(), "{:?}", file.diagnostics);
    let mut store = ExceptionStore::default();
    for item in file.items {
        store.insert_item(item);
    }
    let mut builder = RuleSetBuilder::new(Schema::built_in());
    let compiled =
        compile(&file.rules[0], &store, &ValueLists::default(), &mut builder, &Columns::default(), options);
    (builder, compiled)
}

/// Code, place and message of everything that is said.
#[track_caller]
fn check_messages(changes: Value, expected: &[&str]) {
    let (_, compiled) = compiled(changes, &CompileOptions::default());
    let found: Vec<_> = compiled
        .diagnostics
        .iter()
        .map(|(source, diagnostic)| {
            let place = source.position(diagnostic.span.start).line;
            format!("{} {}:{place} {}", diagnostic.code.info().name, source.name, diagnostic.message)
        })
        .collect();
    assert_eq!(found, expected);
}

#[track_caller]
fn check_event(changes: Value, window: Option<(&str, &str)>, document: Value, expected: bool) {
    let window = window.map(|(from, to)| (date::parse(from).unwrap(), date::parse(to).unwrap()));
    let (builder, compiled) = compiled(changes, &CompileOptions { window, ..CompileOptions::default() });
    let Outcome::Ready(rule) = compiled.outcome else { panic!("{:?}", compiled.diagnostics) };
    let PlanKind::Events(predicate) = rule.plan.kind else { panic!("no event query") };
    let mut slots = Slots::default();
    let text = document.to_string();
    Decoder::new(builder.fields, builder.schema).decode(text.as_bytes(), &mut slots).unwrap();
    assert_eq!(predicate.holds(Environment::new(&slots)), expected, "{document}");
}

#[test]
fn the_window_ends_with_its_last_millisecond() {
    let check = |time: &str, expected: bool| {
        let window = Some(("2024-01-01T00:00:00Z", "2024-01-01T01:00:00.500Z"));
        check_event(json!({}), window, json!({"@timestamp": time}), expected);
    };
    check("2024-01-01T00:00:00Z", true);
    check("2023-12-31T23:59:59.999999999Z", false);
    check("2024-01-01T01:00:00.500999999Z", true);
    check("2024-01-01T01:00:00.501Z", false);
}

#[test]
fn the_override_decides_the_window() {
    let window = Some(("2024-01-01", "2024-01-02"));
    let (inside, outside) = ("2024-01-01T12:00:00Z", "2024-01-05");
    for name in ["event.ingested", "own.time", "event.code"] {
        let rule = |no_fallback: bool| json!({"timestamp_override": name, "timestamp_override_fallback_disabled": no_fallback});
        check_event(rule(false), window, json!({name: inside, "@timestamp": outside}), true);
        check_event(rule(false), window, json!({name: outside, "@timestamp": inside}), false);
        check_event(rule(false), window, json!({"@timestamp": inside}), true);
        check_event(rule(true), window, json!({"@timestamp": inside}), false);
        check_event(rule(true), window, json!({name: inside}), true);
        check_event(rule(true), None, json!({"@timestamp": inside}), false);
        check_event(rule(true), None, json!({name: inside}), true);
        check_event(rule(false), None, json!({"@timestamp": inside}), true);
    }
}

#[test]
fn fields_that_do_not_do_what_they_say_are_reported() {
    check_messages(json!({"timestamp_override": "own.time"}), &[]);
    let read_as_dates = "rule-field-unusual rules.json:1 `event.code` is of type `keyword`, not a date: its values are \
                         read as dates";
    check_messages(json!({"timestamp_override": "event.code"}), &[read_as_dates]);
    let eql = |changes: Value| {
        let mut rule = json!({"type": "eql", "language": "eql", "query": "any where true"});
        rule.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        rule
    };
    check_messages(eql(json!({"timestamp_field": "event.code"})), &[read_as_dates]);
    check_messages(eql(json!({"timestamp_field": "own.time", "tiebreaker_field": "event.sequence"})), &[]);
    check_messages(
        eql(json!({"event_category_override": "event.categroy", "tiebreaker_field": "own.tie"})),
        &[
            "eql-field-unmapped rules.json:1 no schema knows the field [event.categroy]",
            "eql-field-unmapped rules.json:1 no schema knows the field [own.tie]",
        ],
    );
    check_messages(
        json!({"severity_mapping": [{"field": "a", "operator": "equals", "value": "x"}]}),
        &["rule-ignored rules.json:1 an entry of `severity_mapping` without `severity` has no effect"],
    );
}

#[test]
fn a_message_about_a_query_names_file_and_line() {
    check_messages(
        json!({"query": "process.pid: \"abc\""}),
        &[
            "kql-value rules.json:1 (r1, query):1 [process.pid] of type [long] cannot hold this value, so it matches \
           nothing",
        ],
    );
    check_messages(
        json!({"query": "own.field: (1 or 2 or 3)"}),
        &["kql-field-unmapped rules.json:1 no schema knows the field [own.field]"],
    );
}

#[test]
fn a_saved_query_needs_the_rule_s_own_query() {
    check_messages(
        json!({"type": "saved_query", "saved_id": "s", "query": ""}),
        &["rule-not-run rules.json:1 the saved query `s` is not part of the file"],
    );
    let not_looked_up = "rule-ignored rules.json:1 the saved query `s` is not looked up; the rule's own query and filters are used";
    check_messages(
        json!({"type": "saved_query", "saved_id": "s", "query": "process.pid: 1"}),
        &[not_looked_up],
    );
    check_messages(
        json!({"type": "saved_query", "saved_id": "s", "query": "", "filters": [{"exists": {"field": "a"}}]}),
        &[not_looked_up],
    );
}

#[test]
fn filters_that_cannot_be_translated_fail_the_rule() {
    let expected = "filter-unsupported rules.json:1 a query of type `percolate` cannot be translated";
    let filters = json!([{"query": {"percolate": {}}}]);
    check_messages(json!({"filters": filters}), &[expected]);
    check_messages(
        json!({"type": "threat_match", "threat_index": ["ti"], "threat_query": "*:*", "threat_filters": filters,
            "threat_mapping": [{"entries": [{"field": "a", "type": "mapping", "value": "b"}]}]}),
        &[expected],
    );
}

#[test]
fn an_exception_that_cannot_be_applied_does_not_stop_the_rule() {
    let rule = json!({"exceptions_list": [{"id": "1", "list_id": "l", "type": "detection", "namespace_type": "single"}]});
    check_messages(
        rule.clone(),
        &[
            "exception-not-applied rules.json:2 the exception `I` is not applied: it has `abc`, which `process.pid` of \
           type `long` cannot hold",
        ],
    );
    check_event(rule, None, json!({"process.pid": 7}), true);
}

#[test]
fn two_places_have_two_messages() {
    check_messages(
        json!({"query": "process.pid: (abc or def)"}),
        &[
            "kql-value rules.json:1 [process.pid] of type [long] cannot hold this value, so it matches nothing",
            "kql-value rules.json:1 [process.pid] of type [long] cannot hold this value, so it matches nothing",
        ],
    );
}

#[test]
fn indicator_rules_do_not_look_at_all_fields_of_documents_that_have_those_of_a_group() {
    let check = |query: &str, looks: bool| {
        let rule = json!({"type": "threat_match", "query": query, "threat_index": ["ti-*"], "threat_query": "a.*: *",
            "threat_mapping": [{"entries": [{"field": "file.hash.md5", "type": "mapping", "value": "a.md5"}]},
                {"entries": [{"field": "dll.hash.md5", "type": "mapping", "value": "a.md5"}]}]});
        let (_, compiled) = compiled(rule, &CompileOptions::default());
        let Outcome::Ready(rule) = compiled.outcome else { panic!("{:?}", compiled.diagnostics) };
        let asks: Vec<bool> = rule.plan.steps().into_iter().map(Predicate::asks_leaves).collect();
        assert_eq!(asks, [looks, false], "{query}");
    };
    check("file.hash.*: * or dll.hash.*: *", false);
    check("*.hash.*: * and not user.name: x", false);
    check("file.hash.*: *", true);
    check("process.hash.*: *", true);
}
