//! Indicator match rules: which events are found by which indicators, in which runs (specification 5.3).
#![allow(clippy::needless_pass_by_value, reason = "`json!` values as arguments make tables readable")]

use std::sync::Arc;

use maxspan_diagnostics::Source;
use maxspan_pipeline::hunt::{Collected, HuntOptions, HuntStats, MaxSignals, hunt};
use maxspan_pipeline::input::{InputOptions, Reader};
use maxspan_pipeline::rule_base::{RuleBase, RuleBaseOptions};
use maxspan_rules::{LoadedRules, parse_json};
use serde_json::{Value, json};

/// A rule that runs every five minutes over the last nine, with what is in `own` instead of its own.
fn base(own: &Value) -> RuleBase {
    let mut rule = json!({"rule_id": "rid-1", "id": "11111111-2222-3333-4444-555555555555", "name": "N",
        "description": "D", "severity": "low", "risk_score": 21, "type": "threat_match", "language": "kuery",
        "query": "*", "index": ["logs-*"], "interval": "5m", "from": "now-9m",
        "threat_index": ["ti-*"], "threat_query": "*", "threat_language": "kuery",
        "threat_mapping": [pair("source.ip", "threat.indicator.ip")]});
    rule.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
    let text = format!("[{rule},\n{EXCEPTION}]");
    let file = parse_json(&Arc::new(Source::new("rules.json", text)));
    let mut loaded = LoadedRules { rules: file.rules, ..LoadedRules::default() };
    file.items.into_iter().for_each(|item| {
        loaded.exceptions.insert_item(item);
    });
    RuleBase::new(loaded, &RuleBaseOptions::default())
}

const EXCEPTION: &str = r#"{"list_id":"l","item_id":"i","name":"I",
    "entries":[{"field":"host.name","type":"match","operator":"included","value":"quiet"}]}"#;

fn run(base: &RuleBase, events: &[Value], cap: MaxSignals) -> (Vec<Value>, HuntStats) {
    let input: String = events.iter().map(|event| format!("{event}\n")).collect();
    let mut reader = Reader::of_bytes("events", std::io::Cursor::new(input), InputOptions::default());
    let mut collected = Collected::default();
    let options = HuntOptions { max_signals: cap, ..HuntOptions::default() };
    let stats = hunt(base, &mut reader, &options, &mut collected);
    let documents = collected.alerts.iter().map(|alert| alert.alert.document.to_json());
    (documents.map(|text| serde_json::from_str(&text).unwrap()).collect(), stats)
}

/// A group of one pair.
fn pair(field: &str, value: &str) -> Value {
    json!({"entries": [entry(field, value)]})
}

fn entry(field: &str, value: &str) -> Value {
    json!({"field": field, "type": "mapping", "value": value})
}

fn not(field: &str, value: &str) -> Value {
    json!({"field": field, "type": "mapping", "value": value, "negate": true})
}

/// A document at a minute of the first day of 2024, or another time.
fn document(index: &str, time: &str, own: Value) -> Value {
    let time = if time.len() == 5 { format!("2024-01-01T{time}:00Z") } else { time.to_owned() };
    let mut event = json!({"@timestamp": time, "_index": index, "_id": format!("{time} {own}")});
    event.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
    event
}

fn event(time: &str, own: Value) -> Value {
    document("logs-a", time, own)
}

fn indicator(time: &str, own: Value) -> Value {
    document("ti-a", time, own)
}

fn from(ip: &str) -> Value {
    json!({"source.ip": ip})
}

fn bad(ip: &str) -> Value {
    json!({"threat": {"indicator": {"ip": ip}}})
}

/// The times of the events that raise an alert, and how many enrichments each has.
fn found(own: Value, events: &[Value]) -> Vec<(String, usize)> {
    let base = base(&own);
    assert_eq!(base.documents.len(), 1, "{:?}", base.diagnostics);
    let (alerts, _) = run(&base, events, MaxSignals::Rule);
    let time = |alert: &Value| alert["kibana.alert.original_time"].as_str().unwrap()[11..16].to_owned();
    let count = |alert: &Value| alert["threat"]["enrichments"].as_array().unwrap().len();
    alerts.iter().map(|alert| (time(alert), count(alert))).collect()
}

#[track_caller]
fn check(own: Value, events: &[Value], expected: &[(&str, usize)]) {
    let expected: Vec<_> = expected.iter().map(|(time, count)| ((*time).to_owned(), *count)).collect();
    assert_eq!(found(own.clone(), events), expected, "{own}");
    let backwards: Vec<Value> = events.iter().rev().cloned().collect();
    assert_eq!(found(own.clone(), &backwards), expected, "{own}, backwards");
}

#[test]
fn an_event_has_an_indicators_value() {
    let one = |ip: &str, listed: &str| [event("10:01", from(ip)), indicator("09:00", bad(listed))];
    check(json!({}), &one("192.0.2.1", "192.0.2.1"), &[("10:01", 1)]);
    check(json!({}), &one("192.0.2.1", "192.0.2.2"), &[]);
    // Addresses, however they are written.
    check(json!({}), &one("2001:db8::1", "2001:DB8:0:0::1"), &[("10:01", 1)]);
    // All indicators of an event are in one alert.
    let twice = [
        event("10:01", from("192.0.2.1")),
        indicator("09:00", bad("192.0.2.1")),
        indicator("09:01", bad("192.0.2.1")),
        event("10:02", from("192.0.2.3")),
    ];
    check(json!({}), &twice, &[("10:01", 2)]);
}

#[test]
fn sides_are_told_apart_by_index_query_and_filters() {
    let swapped =
        [document("ti-a", "10:01", from("192.0.2.1")), document("logs-a", "09:00", bad("192.0.2.1"))];
    check(json!({}), &swapped, &[]);
    let one = [event("10:01", from("192.0.2.1")), indicator("09:00", bad("192.0.2.1"))];
    check(json!({"query": "source.port: 1"}), &one, &[]);
    check(json!({"threat_query": "event.kind: enrichment"}), &one, &[]);
    let filter = |negate: bool| json!([{"meta": {"negate": negate}, "query": {"match_phrase": {"event.kind": "enrichment"}}}]);
    check(json!({"threat_filters": filter(false)}), &one, &[]);
    check(json!({"threat_filters": filter(true)}), &one, &[("10:01", 1)]);
    // One index can have both.
    let both =
        [document("logs-a", "10:01", from("192.0.2.1")), document("logs-a", "09:00", bad("192.0.2.1"))];
    check(json!({"threat_index": ["logs-*"]}), &both, &[("10:01", 1)]);
}

#[test]
fn groups_are_alternatives_and_entries_hold_together() {
    let mapping = json!([
        {"entries": [entry("source.ip", "threat.indicator.ip"), entry("source.port", "threat.indicator.port")]},
        pair("url.domain", "threat.indicator.url.domain"),
    ]);
    let own = json!({"threat_mapping": mapping});
    let listed = |ip: &str, port: Value| {
        indicator(
            "09:00",
            json!({"threat": {"indicator": {"ip": ip, "port": port, "url": {"domain": "a.example.net"}}}}),
        )
    };
    let seen = |ip: &str, port: Value, domain: &str| {
        event("10:01", json!({"source": {"ip": ip, "port": port}, "url": {"domain": domain}}))
    };
    let one = |event: Value, expected: &[(&str, usize)]| {
        check(own.clone(), &[event, listed("192.0.2.1", json!(443))], expected);
    };
    one(seen("192.0.2.1", json!(443), "b.example.net"), &[("10:01", 2)]);
    one(seen("192.0.2.1", json!("443"), "b.example.net"), &[("10:01", 2)]);
    one(seen("192.0.2.1", json!(80), "b.example.net"), &[]);
    one(seen("192.0.2.9", json!(443), "b.example.net"), &[]);
    one(seen("192.0.2.9", json!(80), "a.example.net"), &[("10:01", 1)]);
    one(seen("192.0.2.1", json!(443), "a.example.net"), &[("10:01", 3)]);
    // The values of one indicator, not of two.
    let apart = [listed("192.0.2.1", json!(80)), listed("192.0.2.2", json!(443))];
    let both: Vec<Value> =
        apart.into_iter().chain([seen("192.0.2.1", json!(443), "b.example.net")]).collect();
    check(own.clone(), &both, &[]);
}

#[test]
fn negated_entries_must_differ() {
    let own = json!({"threat_mapping": [{"entries": [
        entry("source.ip", "threat.indicator.ip"), not("host.name", "threat.indicator.description")]}]});
    let one = |host: Value, listed: Value, expected: &[(&str, usize)]| {
        let events = [
            event("10:01", json!({"source": {"ip": "192.0.2.1"}, "host": {"name": host}})),
            indicator("09:00", json!({"threat": {"indicator": {"ip": "192.0.2.1", "description": listed}}})),
        ];
        check(own.clone(), &events, expected);
    };
    one(json!("a"), json!("b"), &[("10:01", 1)]);
    one(json!("a"), json!("a"), &[]);
    one(json!(["a", "b"]), json!("a"), &[]);
    one(json!("a"), json!(["a", "b"]), &[]);
    // With several values on both sides nothing is asked.
    one(json!(["a", "b"]), json!(["b", "c"]), &[("10:01", 1)]);
    // One side may lack the field, not both.
    one(json!(null), json!("b"), &[("10:01", 1)]);
    one(json!("a"), json!(null), &[("10:01", 1)]);
    one(json!(null), json!(null), &[]);
}

#[test]
fn of_several_values_one_side_must_have_one() {
    let two = json!({"threat_mapping": [{"entries": [
        entry("user.name", "threat.indicator.name"), entry("host.name", "threat.indicator.provider")]}]});
    let one = |own: &Value, user: Value, listed: Value, expected: &[(&str, usize)]| {
        let events = [
            event("10:01", json!({"user": {"name": user}, "host": {"name": "h"}})),
            indicator("09:00", json!({"threat": {"indicator": {"name": listed, "provider": "h"}}})),
        ];
        check(own.clone(), &events, expected);
    };
    one(&two, json!(["a", "b"]), json!("b"), &[("10:01", 2)]);
    one(&two, json!("b"), json!(["a", "b"]), &[("10:01", 2)]);
    one(&two, json!(["a", "b"]), json!(["b", "c"]), &[]);
    // Where the pair is alone and its fields are keywords, the first value stands for all.
    let alone = json!({"threat_mapping": [pair("user.name", "threat.indicator.name")]});
    one(&alone, json!(["a", "b"]), json!(["b", "c"]), &[("10:01", 1)]);
    one(&alone, json!(["a", "b"]), json!(["c", "b"]), &[]);
    one(&alone, json!("a"), json!("A"), &[]);
}

#[test]
fn indicators_count_from_their_time_on() {
    let one = |time: &str, there: &str, expected: &[(&str, usize)]| {
        check(json!({}), &[event(time, from("192.0.2.1")), indicator(there, bad("192.0.2.1"))], expected);
    };
    // The run at 10:05 sees the event, and one at 10:10, whose window begins at 10:01.
    one("10:01", "10:04", &[("10:01", 1)]);
    one("10:01", "10:05", &[("10:01", 1)]);
    one("10:01", "10:06", &[("10:01", 1)]);
    one("10:01", "10:10", &[("10:01", 1)]);
    one("10:01", "10:11", &[]);
    // No second run sees these.
    one("2024-01-01T10:00:30Z", "10:06", &[]);
    one("2024-01-01T10:00:30Z", "10:05", &[("10:00", 1)]);
    // The alert is of the first run that finds the event: what comes later is not in it.
    let later = [
        event("10:01", from("192.0.2.1")),
        indicator("10:02", bad("192.0.2.1")),
        indicator("10:07", bad("192.0.2.1")),
    ];
    check(json!({}), &later, &[("10:01", 1)]);
    // An indicator without a time was always there.
    let timeless = json!({"_index": "ti-a", "_id": "t", "threat": {"indicator": {"ip": "192.0.2.1"}}});
    check(json!({}), &[event("10:00", from("192.0.2.1")), timeless], &[("10:00", 1)]);
}

#[test]
fn the_override_says_when_an_indicator_is_there() {
    let own = json!({"timestamp_override": "event.ingested"});
    let late = json!({"source.ip": "192.0.2.1", "event.ingested": "2024-01-01T12:00:30Z"});
    let listed =
        json!({"threat": {"indicator": {"ip": "192.0.2.1"}}, "event.ingested": "2024-01-01T12:01:00Z"});
    let both = [event("10:01", late), indicator("13:00", listed)];
    check(own, &both, &[("10:01", 1)]);
    check(json!({}), &both, &[]);
}

#[test]
fn now_in_the_threat_query_is_the_run() {
    let one = |query: &str, there: &str, expected: &[(&str, usize)]| {
        let events = [event("10:01", from("192.0.2.1")), indicator(there, bad("192.0.2.1"))];
        check(json!({"threat_query": query}), &events, expected);
    };
    let month = "@timestamp >= \"now-30d/d\" and threat.indicator.ip: *";
    one(month, "2023-12-02T00:00:00Z", &[("10:01", 1)]);
    one(month, "2023-12-01T23:59:59Z", &[]);
    one("@timestamp > now-1h", "09:06", &[("10:01", 1)]);
    one("@timestamp > now-1h", "09:05", &[]);
    one("@timestamp >= now-1h", "09:05", &[("10:01", 1)]);
    // Not yet for the run at 10:05, but for the next.
    one("@timestamp <= now-8m", "10:01", &[("10:01", 1)]);
    one("@timestamp < now-8m", "10:02", &[]);
    one("@timestamp <= now-8m", "10:03", &[]);
    let filter = json!([{"query": {"range": {"@timestamp": {"gte": "now-1h/h"}}}}]);
    let both = |there: &str| [event("10:01", from("192.0.2.1")), indicator(there, bad("192.0.2.1"))];
    check(json!({"threat_filters": filter}), &both("09:00"), &[("10:01", 1)]);
    check(json!({"threat_filters": filter}), &both("08:59"), &[]);
}

#[test]
fn what_cannot_be_replayed_is_not_run() {
    let check = |own: Value, expected: &str| {
        let base = base(&own);
        let reasons: Vec<&str> = base.not_run.iter().map(|rule| rule.reason.as_str()).collect();
        assert_eq!(base.documents.len(), 0, "{own}");
        assert!(matches!(reasons.as_slice(), [reason] if reason.contains(expected)), "{own} {reasons:?}");
    };
    let query = |text: &str| json!({"threat_query": text});
    check(query("not @timestamp < now-30d"), "in another way");
    check(query("@timestamp >= now-30d or threat.indicator.ip: *"), "in another way");
    check(query("@timestamp: now-1d"), "in another way");
    check(query("@timestamp >= now-1M"), "`now-1M`");
    check(query("@timestamp <= now/d"), "`now/d`");
    let range = json!({"range": {"@timestamp": {"gte": "now-1d"}}});
    check(json!({"threat_filters": [{"meta": {"negate": true}, "query": range}]}), "in another way");
    check(json!({"threat_filters": [{"query": {"bool": {"should": [range]}}}]}), "in another way");
    check(json!({"from": "now-1d/d"}), "rounded time");
    check(json!({"threat_language": "lucene"}), "Lucene");
}

#[test]
fn exceptions_apply_to_both_sides() {
    let own = json!({"exceptions_list": [
        {"id": "1", "list_id": "l", "type": "detection", "namespace_type": "single"}]});
    let one = |event_host: &str, indicator_host: &str, expected: &[(&str, usize)]| {
        let events = [
            event("10:01", json!({"source.ip": "192.0.2.1", "host.name": event_host})),
            indicator("09:00", json!({"threat.indicator.ip": "192.0.2.1", "host.name": indicator_host})),
        ];
        check(own.clone(), &events, expected);
    };
    one("a", "b", &[("10:01", 1)]);
    one("quiet", "b", &[]);
    one("a", "quiet", &[]);
}

#[test]
fn a_run_is_capped_from_its_newest_event_on() {
    let capped = |stats: &HuntStats| stats.alerts_capped_by_rule.get("rid-1").copied().unwrap_or_default();
    // The run at 10:05 has all, that at 10:10 the last two.
    let first = "2024-01-01T10:00:30Z";
    let mut events: Vec<Value> = [first, "10:01", "10:02"].map(|time| event(time, from("192.0.2.1"))).into();
    events.push(indicator("09:00", bad("192.0.2.1")));
    let (alerts, stats) = run(&base(&json!({})), &events, MaxSignals::Count(1));
    let original: Vec<&str> =
        alerts.iter().map(|alert| &alert["kibana.alert.original_time"].as_str().unwrap()[11..16]).collect();
    assert_eq!((original, capped(&stats)), (vec!["10:01", "10:02"], 1));
}

#[test]
fn an_alert_has_the_events_fields_and_its_indicators() {
    let own =
        json!({"source": {"ip": "192.0.2.1"}, "threat": {"enrichments": [{"matched": {"atomic": "x"}}]}});
    let listed =
        json!({"threat": {"indicator": {"ip": "192.0.2.1", "type": "ipv4-addr"}, "feed": {"name": "F"}}});
    let (alerts, _) =
        run(&base(&json!({})), &[event("10:01", own), indicator("09:00", listed.clone())], MaxSignals::Rule);
    let id = format!("2024-01-01T09:00:00Z {listed}");
    let [alert] = alerts.as_slice() else { panic!("{alerts:?}") };
    assert_eq!(
        alert["threat"]["enrichments"],
        json!([{"matched": {"atomic": "x"}}, {
            "indicator": {"ip": "192.0.2.1", "type": "ipv4-addr"}, "feed": {"name": "F"},
            "matched": {"atomic": "192.0.2.1", "field": "source.ip", "id": id, "index": "ti-a",
                        "type": "indicator_match_rule"}}])
    );
    assert_eq!(alert["kibana.alert.rule.category"], "Indicator Match Rule");
    assert_eq!(alert["kibana.alert.reason"], "event with source 192.0.2.1 created low alert N.");
    assert_eq!(alert["kibana.alert.ancestors"].as_array().unwrap().len(), 1);
}

#[test]
fn the_id_is_that_of_the_event() {
    let event = json!({"@timestamp": "2024-01-01T10:01:00Z", "_index": "logs-test-000001", "_id": "abc123",
        "source.ip": "192.0.2.1"});
    let (alerts, _) =
        run(&base(&json!({})), &[event, indicator("09:00", bad("192.0.2.1"))], MaxSignals::Rule);
    assert_eq!(
        alerts[0]["kibana.alert.uuid"],
        "877f4e138998a33431d14c89fd0320e10708b5595b483f96c094de9307ef78b5"
    );
}

#[test]
fn enrichments_have_a_limit_that_is_counted() {
    let mut events: Vec<Value> = (0..201)
        .map(|number| indicator("09:00", json!({"n": number, "threat": {"indicator": {"ip": "192.0.2.1"}}})))
        .collect();
    events.push(event("10:01", from("192.0.2.1")));
    let (alerts, stats) = run(&base(&json!({})), &events, MaxSignals::Rule);
    assert_eq!(alerts[0]["threat"]["enrichments"].as_array().unwrap().len(), 200);
    assert_eq!(stats.enrichments_cut_by_rule.get("rid-1"), Some(&1));
}
