//! ES|QL rules: which runs of their schedule find what, and the alerts of rows (specification 3.6, 5.4).

#![allow(clippy::needless_pass_by_value, reason = "`json!` values as arguments make tables readable")]

mod support;

use maxspan_pipeline::hunt::MaxSignals;
use serde_json::{Value, json};
use support::{at, on_host, rules, run};

fn esql(query: &str) -> Value {
    json!({"type": "esql", "language": "esql", "query": query})
}

/// The values of a field in each alert, in order.
fn found(query: &str, field: &str, events: &[Value]) -> Vec<Value> {
    let (alerts, stats) = run(&rules(&esql(query)), events, MaxSignals::Rule);
    assert_eq!(stats.runs_failed, 0, "{:?}", stats.runs_failed_by_rule);
    alerts.iter().map(|alert| alert[field].clone()).collect()
}

#[test]
fn rows_of_events_raise_one_alert_whichever_runs_find_them() {
    let check = |condition: &str, expected: Value| {
        let query = format!("FROM logs-* METADATA _id, _index, _version | WHERE {condition} | KEEP *");
        let event = |minute, more: Value| at(minute, more);
        let events = [
            event(
                "10:01",
                json!({"host": {"name": "a"}, "process": {"name": "cmd.exe", "args": ["x", "y"]}}),
            ),
            event("10:02", json!({"host": {"name": "b"}, "process": {"name": "CMD.EXE", "pid": 7}})),
            event("10:30", json!({"host": {"name": "c"}, "user": {"id": 501}})),
            json!({"@timestamp": "2024-01-01T10:30:00Z", "_index": "other-a", "host": {"name": "d"},
                "process": {"name": "cmd.exe"}}),
        ];
        let (alerts, stats) = run(&rules(&esql(&query)), &events, MaxSignals::Rule);
        let hosts: Value = alerts.iter().map(|alert| alert["host"]["name"].clone()).collect();
        assert_eq!((hosts, stats.runs_failed), (expected, 0), "{condition}");
    };
    check("process.name == \"cmd.exe\"", json!(["a"]));
    check("TO_LOWER(process.name) == \"cmd.exe\"", json!(["a", "b"]));
    check("process.name LIKE \"C*\"", json!(["b"]));
    check("process.name RLIKE \"[cC][mM].*\"", json!(["a", "b"]));
    check("process.pid > 6", json!(["b"]));
    check("process.name IN (\"CMD.EXE\", \"x\")", json!(["b"]));
    // Nothing compares with nothing, and several values with nothing.
    check("process.name != \"cmd.exe\"", json!(["b"]));
    check("process.args == \"x\"", json!([]));
    check("NOT process.args == \"z\"", json!([]));
    check("process.name IS NULL", json!(["c"]));
    check("user.id == \"501\"", json!(["c"]));
    check("MV_CONTAINS(process.args, \"x\") OR user.id IS NOT NULL", json!(["a", "c"]));
    check("KQL(\"process.args: y\")", json!(["a"]));
    check("@timestamp > NOW() - 4 minutes", json!(["b", "c"]));
}

#[test]
fn groups_raise_an_alert_in_each_run_that_finds_them() {
    let query =
        "FROM logs-* | STATS events = COUNT(*) BY host.name | WHERE events >= 2 | KEEP events, host.name";
    let check = |times: &[(&str, &str)], expected: Value| {
        let events: Vec<_> = times.iter().map(|(minute, host)| on_host(minute, host)).collect();
        let (alerts, _) = run(&rules(&esql(query)), &events, MaxSignals::Rule);
        let rows: Value = alerts.iter().map(|alert| json!([alert["host.name"], alert["events"]])).collect();
        assert_eq!(rows, expected, "{times:?}");
    };
    // The runs at 10:05 and at 10:10 both look at 10:01 to 10:05.
    check(&[("10:01", "a"), ("10:02", "a"), ("10:02", "b")], json!([["a", 2], ["a", 2]]));
    check(&[("10:01", "a"), ("10:10", "a")], json!([["a", 2]]));
    check(&[("10:00", "a"), ("10:10", "a")], json!([]));
}

#[test]
fn alerts_have_the_ids_of_the_specification() {
    let event = json!({"@timestamp": "2023-12-31T23:59:00Z", "_index": "logs-test-000001", "_id": "abc123"});
    let rule = |query: &str| {
        let mut rule = esql(query);
        rule["id"] = json!("11111111-2222-3333-4444-555555555555");
        rule["from"] = json!("now-5m");
        rule
    };
    let check = |query: &str, expected: &[&str]| {
        let (alerts, _) = run(&rules(&rule(query)), std::slice::from_ref(&event), MaxSignals::Rule);
        let ids: Vec<_> = alerts.iter().map(|alert| alert["kibana.alert.uuid"].as_str().unwrap()).collect();
        assert_eq!(ids, expected, "{query}");
    };
    check("FROM logs-* METADATA _id, _index", &["a6cce965aa045f4d608ad551caf0bf4bd2a324b4"]);
    check("FROM logs-* METADATA _id, _version, _index", &["4fd59ff5814298c54f2c62d54bcd41f3299d3c56"]);
}

#[test]
fn caps_count_new_alerts_and_leave_the_rest_to_later_runs() {
    let events: Vec<_> = ["a", "b", "c"].iter().map(|host| on_host("10:03", host)).collect();
    let check = |query: &str, hosts: Value, capped: Option<u64>| {
        let (alerts, stats) = run(&rules(&esql(query)), &events, MaxSignals::Count(1));
        let host = |alert: &Value| alert.get("host.name").unwrap_or(&alert["host"]["name"]).clone();
        let found: Value = alerts.iter().map(host).collect();
        assert_eq!((found, stats.alerts_capped_by_rule.get("rid-1").copied()), (hosts, capped), "{query}");
    };
    let rows = "FROM logs-* METADATA _id, _index | SORT host.name";
    check(rows, json!(["a", "b"]), Some(1));
    check("FROM logs-* | STATS COUNT(*) BY host.name | SORT host.name", json!(["a", "a"]), Some(4));
}

#[test]
fn columns_replace_fields() {
    let query = "FROM logs-* METADATA _id, _index, _version
        | EVAL Esql.name = TO_UPPER(host.name), user.name = \"changed\"
        | KEEP _id, _index, _version, Esql.name, user.name, host.name";
    let event =
        at("10:01", json!({"host": {"name": "a"}, "user": {"name": "u", "id": "1"}, "labels": {"x": 1}}));
    let (alerts, _) = run(&rules(&esql(query)), &[event], MaxSignals::Rule);
    let [alert] = &alerts[..] else { panic!("{alerts:?}") };
    assert_eq!(alert["Esql.name"], "A");
    assert_eq!((&alert["user.name"], &alert["user"]), (&json!("changed"), &json!({"id": "1"})));
    assert_eq!((&alert["host"], &alert["host.name"]), (&json!({"name": "a"}), &Value::Null));
    assert_eq!(alert["labels"], json!({"x": 1}));
    assert_eq!(alert["kibana.alert.ancestors"][0]["index"], "logs-a");
    assert!(alert.get("_id").is_none() && alert.get("_version").is_none());
}

#[test]
fn rows_without_an_id_raise_an_alert_in_each_run() {
    let query = "FROM logs-* METADATA _id | WHERE _id IS NOT NULL | KEEP host.name";
    assert_eq!(found(query, "host.name", &[on_host("10:01", "a")]), [json!("a"), json!("a")]);
}

#[test]
fn events_of_two_indices_may_have_one_id() {
    let event = |index: &str, host: &str| json!({"@timestamp": "2024-01-01T10:01:00Z", "_index": index, "_id": "1", "host": {"name": host}});
    let query = "FROM logs-* METADATA _id, _index | SORT _index | KEEP _id, _index";
    let (alerts, _) =
        run(&rules(&esql(query)), &[event("logs-a", "a"), event("logs-b", "b")], MaxSignals::Rule);
    let hosts: Vec<_> = alerts.iter().map(|alert| &alert["host"]["name"]).collect();
    assert_eq!(hosts, ["a", "b"]);
}

#[test]
fn what_goes_wrong_in_a_run_is_told() {
    let events = [at("10:01", json!({"process": {"args": ["x"]}}))];
    let query = "FROM logs-* METADATA _id, _index | EVAL n = TO_INTEGER(process.args) | WHERE n == 1";
    let (alerts, stats) = run(&rules(&esql(query)), &events, MaxSignals::Rule);
    assert_eq!(alerts, Vec::<Value>::new());
    assert!(!stats.run_warnings_by_rule["rid-1"].is_empty());
    assert_eq!((stats.runs, stats.runs_failed), (2, 0));
}

#[test]
fn events_that_a_query_expands_have_an_alert_for_each_value() {
    let events = [at("10:01", json!({"host": {"name": "a"}, "process": {"args": ["x", "y", "x"]}}))];
    let query = "FROM logs-* METADATA _id, _index | MV_EXPAND process.args | KEEP _id, _index, process.args";
    assert_eq!(found(query, "process.args", &events), [json!("x"), json!("y")]);
}
