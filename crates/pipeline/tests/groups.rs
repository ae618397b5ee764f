//! Threshold and new-terms rules: which runs of their schedule find what (specification 5.1, 5.2).
#![allow(clippy::needless_pass_by_value, reason = "`json!` values as arguments make tables readable")]

mod support;

use maxspan_pipeline::hunt::{HuntStats, MaxSignals};
use serde_json::{Value, json};
use support::{at, on_host, rules, run};

/// Host and count of each group that a threshold finds.
fn found(own: Value, events: &[Value]) -> Vec<(String, u64)> {
    let (alerts, _) = run(&rules(&own), events, MaxSignals::Rule);
    let host = |alert: &Value| alert["host.name"].as_str().unwrap_or_default().to_owned();
    let count = |alert: &Value| alert["kibana.alert.threshold_result"]["count"].as_u64().unwrap();
    alerts.iter().map(|alert| (host(alert), count(alert))).collect()
}

fn threshold(value: u64) -> Value {
    json!({"type": "threshold", "threshold": {"field": ["host.name"], "value": value}})
}

#[test]
fn groups_are_counted_in_the_windows_of_runs() {
    let check = |value: u64, times: &[(&str, &str)], expected: &[(&str, u64)]| {
        let events: Vec<_> = times.iter().map(|(minute, host)| on_host(minute, host)).collect();
        let expected: Vec<_> = expected.iter().map(|(host, count)| ((*host).to_owned(), *count)).collect();
        assert_eq!(found(threshold(value), &events), expected, "{value} {times:?}");
    };
    check(2, &[("10:01", "a"), ("10:02", "a"), ("10:02", "b")], &[("a", 2)]);
    // The run at 10:10 looks from 10:01 on, both ends included.
    check(2, &[("10:01", "a"), ("10:10", "a")], &[("a", 2)]);
    check(2, &[("10:00", "a"), ("10:10", "a")], &[]);
    // Nine minutes apart, and no run sees both.
    check(2, &[("10:03", "a"), ("10:12", "a")], &[]);
    // What was found counts no more; what comes later starts anew.
    check(2, &[("10:04", "a"), ("10:05", "a"), ("10:06", "a")], &[("a", 2)]);
    check(2, &[("10:04", "a"), ("10:05", "a"), ("10:06", "a"), ("10:07", "a")], &[("a", 2), ("a", 2)]);
    // One run has all of them.
    check(2, &[("10:01", "a"), ("10:02", "a"), ("10:03", "a"), ("10:04", "a")], &[("a", 4)]);
    // Groups in the order of their keys, runs in the order of time.
    check(1, &[("10:01", "b"), ("10:02", "a"), ("10:31", "a")], &[("a", 1), ("b", 1), ("a", 1)]);
}

#[test]
fn groups_without_fields_and_of_several_values() {
    let all = json!({"type": "threshold", "threshold": {"field": [], "value": 2}});
    assert_eq!(found(all, &[on_host("10:01", "a"), on_host("10:02", "b")]), [(String::new(), 2)]);
    let lists =
        [at("10:01", json!({"host.name": ["a", "b", "a"]})), on_host("10:02", "b"), at("10:03", json!({}))];
    assert_eq!(found(threshold(2), &lists), [("b".to_owned(), 2)]);
}

#[test]
fn different_values_are_counted_too() {
    let rule = json!({"type": "threshold", "threshold": {"field": ["host.name"], "value": 2,
        "cardinality": [{"field": "user.name", "value": 2}]}});
    let by = |minute: &str, user: &str| at(minute, json!({"host": {"name": "a"}, "user": {"name": user}}));
    let base = rules(&rule);
    assert_eq!(run(&base, &[by("10:01", "x"), by("10:02", "x")], MaxSignals::Rule).1.alerts, 0);
    let (alerts, _) = run(&base, &[by("10:01", "x"), by("10:02", "x"), by("10:03", "y")], MaxSignals::Rule);
    assert_eq!(alerts.len(), 1);
    assert_eq!(
        alerts[0]["kibana.alert.threshold_result"],
        json!({"terms": [{"field": "host.name", "value": "a"}], "count": 3, "from": "2024-01-01T10:01:00.000Z",
               "cardinality": [{"field": "user.name", "value": 2}]})
    );
}

#[test]
fn the_alert_of_a_group_has_its_fields_alone() {
    let events = [on_host("10:01", "a"), at("10:02", json!({"host": {"name": "a"}, "user": {"name": "x"}}))];
    let (alerts, _) = run(&rules(&threshold(2)), &events, MaxSignals::Rule);
    let alert = &alerts[0];
    let expected = json!({"host.name": "a", "user": null, "kibana.alert.original_time": "2024-01-01T10:02:00.000Z",
        "kibana.alert.reason": "event on a created low alert N.", "kibana.alert.depth": 1});
    for (field, expected) in expected.as_object().unwrap() {
        assert_eq!(&alert[field], expected, "{field}");
    }
    // UUID version 5 of `rid-1`, the run at 10:05, `host.name`, `a`.
    let id = maxspan_rules::alert::ids::threshold_event_id(
        "rid-1",
        "2024-01-01T10:05:00.000Z",
        &["host.name"],
        &["a"],
    );
    let ancestor = json!([{"id": id, "type": "event", "index": "logs-*", "depth": 0}]);
    assert_eq!(alert["kibana.alert.ancestors"], ancestor);
}

fn new_terms(fields: &[&str], history: &str) -> Value {
    json!({"type": "new_terms", "new_terms_fields": fields, "history_window_start": history})
}

/// Time and terms of each alert.
fn news(own: Value, events: &[Value]) -> Vec<(String, Value)> {
    let (alerts, _) = run(&rules(&own), events, MaxSignals::Rule);
    let time = |alert: &Value| alert["kibana.alert.original_time"].as_str().unwrap()[11..16].to_owned();
    alerts.iter().map(|alert| (time(alert), alert["kibana.alert.new_terms"].clone())).collect()
}

#[test]
fn terms_are_new_when_the_history_has_none() {
    let check = |times: &[(&str, &str)], expected: &[(&str, &str)]| {
        let events: Vec<_> = times.iter().map(|(minute, host)| on_host(minute, host)).collect();
        let expected: Vec<_> =
            expected.iter().map(|(minute, host)| ((*minute).to_owned(), json!([host]))).collect();
        assert_eq!(news(new_terms(&["host.name"], "now-1h"), &events), expected, "{times:?}");
    };
    check(&[("10:01", "a"), ("10:02", "a"), ("10:30", "a")], &[("10:01", "a")]);
    check(&[("10:01", "a"), ("10:02", "b")], &[("10:01", "a"), ("10:02", "b")]);
    // The run at 11:10 has 10:10 in its history, that at 11:15 does not, but begins at 11:06.
    check(&[("10:10", "a"), ("11:07", "a")], &[("10:10", "a"), ("11:07", "a")]);
    check(&[("10:10", "a"), ("11:06", "a")], &[("10:10", "a")]);
    // Seen again within the history, each time.
    check(&[("10:01", "a"), ("10:50", "a"), ("11:40", "a")], &[("10:01", "a")]);
    check(&[("10:01", "a"), ("11:30", "a")], &[("10:01", "a"), ("11:30", "a")]);
}

#[test]
fn combinations_of_terms_are_new() {
    let both = |minute: &str, host: &str, user: Value| {
        at(minute, json!({"host": {"name": host}, "user": {"name": user}}))
    };
    let events = [
        both("10:01", "a", json!("x")),
        both("10:02", "a", json!(["x", "y"])),
        both("10:03", "b", json!("x")),
        on_host("10:04", "c"),
    ];
    let expected = [("10:01", json!(["a", "x"])), ("10:02", json!(["a", "y"])), ("10:03", json!(["b", "x"]))];
    let expected = expected.map(|(minute, terms)| (minute.to_owned(), terms));
    assert_eq!(news(new_terms(&["host.name", "user.name"], "now-1d"), &events), expected);
}

#[test]
fn runs_are_capped_and_what_is_left_out_is_counted() {
    let events: Vec<_> = ["a", "b", "c"].map(|host| on_host("10:02", host)).into();
    let cap = MaxSignals::Count(1);
    let capped = |stats: &HuntStats| stats.alerts_capped_by_rule.get("rid-1").copied().unwrap_or_default();
    let (alerts, stats) = run(&rules(&threshold(1)), &events, cap);
    assert_eq!((alerts.len(), alerts[0]["host.name"].clone(), capped(&stats)), (1, json!("a"), 2));
    // The run at 10:10 sees them too, and raises the next one.
    let (alerts, stats) = run(&rules(&new_terms(&["host.name"], "now-1d")), &events, cap);
    let terms: Vec<_> = alerts.iter().map(|alert| alert["kibana.alert.new_terms"][0].clone()).collect();
    assert_eq!((terms, capped(&stats)), (vec![json!("a"), json!("b")], 1));
}

#[test]
fn the_id_of_a_new_term_is_kibanas() {
    let event = json!({"@timestamp": "2024-01-01T10:01:00Z", "_index": "logs-test-000001", "_id": "abc123",
        "host": {"name": "host-1"}, "user": {"name": "user-1"}});
    let rule = json!({"id": "11111111-2222-3333-4444-555555555555", "type": "new_terms", "index": ["logs-*"],
        "new_terms_fields": ["host.name", "user.name"], "history_window_start": "now-1d"});
    let (alerts, _) = run(&rules(&rule), &[event], MaxSignals::Rule);
    assert_eq!(alerts[0]["kibana.alert.uuid"], "9fb9b92d5f4b477eec39862163d6cce83b1ec254");
}
