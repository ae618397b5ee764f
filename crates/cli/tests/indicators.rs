//! `maxspan hunt` with indicators from files of their own, and with machine learning rules.

mod support;

use serde_json::{Value, json};
use support::Place;

fn place(rule: &Value) -> Place {
    let place = Place::new();
    let event =
        json!({"@timestamp": "2026-03-10T10:01:00Z", "_index": "logs-a", "source": {"ip": "192.0.2.7"}});
    let indicator = json!({"@timestamp": "2027-01-01T00:00:00Z", "_id": "i", "threat": {"indicator": {"ip": "192.0.2.7"}}});
    place.write("rule.ndjson", format!("{rule}\n")).write("events.ndjson", format!("{event}\n"));
    place.write("feed/one.ndjson", format!("{indicator}\nno document\n"));
    place
}

fn rule(own: &Value) -> Value {
    let mut rule =
        json!({"rule_id": "r", "name": "R", "description": "D", "severity": "low", "risk_score": 21});
    rule.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
    rule
}

fn threat_match(threat_query: &str) -> Value {
    rule(&json!({"type": "threat_match", "language": "kuery", "query": "*", "index": ["logs-*"],
        "threat_index": ["ti-*"], "threat_language": "kuery", "threat_query": threat_query,
        "threat_mapping": [{"entries": [
            {"field": "source.ip", "type": "mapping", "value": "threat.indicator.ip"}]}]}))
}

#[test]
fn files_of_indicators_are_in_every_index_and_always_there() {
    let place = place(&threat_match("threat.indicator.ip: *"));
    let hunt = ["hunt", "--rules", "rule.ndjson", "--stats", "stats.json"];
    place.run(&[&hunt[..], &["events.ndjson"]].concat()).code(0).says("Alerts  none");
    let run = place.run(&[&hunt[..], &["--indicators", "feed", "events.ndjson"]].concat()).code(0);
    let alerts = run.lines();
    assert_eq!(alerts[0]["threat"]["enrichments"][0]["matched"]["id"], "i");
    let stats: Value = serde_json::from_str(&place.read("stats.json")).unwrap();
    assert_eq!((&stats["events"], &stats["indicators"]), (&json!(1), &json!(1)));
    assert_eq!(stats["events_failed"], 1, "what is no document is reported");
    run.says("feed/one.ndjson:2");
}

#[test]
fn what_a_rule_asks_of_indicators_is_asked_of_files_too() {
    let hunt = ["hunt", "--rules", "rule.ndjson", "--indicators", "feed", "events.ndjson"];
    let found = |query: &str| place(&threat_match(query)).run(&hunt).code(0).lines().len();
    assert_eq!(found("@timestamp >= \"now-30d/d\""), 1);
    assert_eq!(found("@timestamp >= now+365d"), 0);
    assert_eq!(found("event.kind: enrichment"), 0);
}

#[test]
fn machine_learning_rules_without_results_are_named() {
    let place = place(&rule(&json!({"type": "machine_learning", "anomaly_threshold": 50,
        "machine_learning_job_id": ["j"]})));
    let hunt = ["hunt", "--rules", "rule.ndjson", "--stats", "stats.json", "events.ndjson"];
    let run = place.run(&hunt).code(0);
    run.says("1 machine learning rule found no results of their anomaly detection jobs");
    let stats: Value = serde_json::from_str(&place.read("stats.json")).unwrap();
    assert_eq!(stats["rules_without_anomalies"], json!(["r"]));
}

#[test]
fn the_new_types_are_explained() {
    let check = |rule: &Value, expected: &str| {
        let run = place(rule).run(&["explain", "--rule", "rule.ndjson", "--event", "events.ndjson"]);
        run.code(0).prints(expected);
    };
    check(&threat_match("*"), "no alert: 1 of 1 event match, and no run sees indicators of theirs");
    let jobs =
        json!({"type": "machine_learning", "anomaly_threshold": 50, "machine_learning_job_id": ["a\"b"]});
    check(&rule(&jobs), "job_id: (\"a\\\"b\")");
}
