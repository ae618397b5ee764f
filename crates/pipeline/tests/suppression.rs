//! Suppression against a plain replay of a rule's runs over the alerts that the rule raises without it; and what is
//! counted. Single cases, expected by hand, are in `specs/engine/suppression-*.md`.

#![allow(clippy::needless_pass_by_value, reason = "`json!` values as arguments make tables readable")]

mod support;

use maxspan_pipeline::hunt::{HuntStats, MaxSignals};
use proptest::prelude::*;
use serde_json::{Value, json};
use support::{at, on_host, rules, run};

/// Rules of types whose alerts are each about one event that one run sees first.
fn rule(number: usize) -> Value {
    match number {
        0 => json!({"type": "query"}),
        1 => json!({"type": "eql", "language": "eql", "query": "any where true"}),
        _ => {
            json!({"type": "new_terms", "new_terms_fields": ["event.action"], "history_window_start": "now-30d"})
        }
    }
}

fn suppressed(mut rule: Value, minutes: Option<u64>, missing: bool) -> Value {
    let strategy = if missing { "suppress" } else { "doNotSuppress" };
    rule["alert_suppression"] = json!({"group_by": ["host.name"], "missing_fields_strategy": strategy});
    if let Some(minutes) = minutes {
        rule["alert_suppression"]["duration"] = json!({"value": minutes, "unit": "m"});
    }
    rule
}

/// Few hosts and few moments in an hour; each event has an id of its own.
fn events() -> impl Strategy<Value = Vec<Value>> {
    let parts = (0..60_u32, proptest::option::weighted(0.8, 0..3_u8), 0..12_u8);
    proptest::collection::vec(parts, 0..40).prop_map(|all| {
        let event = |(number, (minute, host, action)): (usize, (u32, Option<u8>, u8))| {
            let mut own = json!({"event": {"action": format!("a{action}"), "id": number}});
            if let Some(host) = host {
                own["host"] = json!({"name": format!("h{host}")});
            }
            at(&format!("10:{minute:02}"), own)
        };
        all.into_iter().enumerate().map(event).collect()
    })
}

/// What an alert says of suppression: host, first and last minute, how many others.
type Folded = (Option<String>, i64, i64, u64);

fn minute(alert: &Value, field: &str) -> i64 {
    let text = alert[field].as_str().unwrap();
    text[14..16].parse().unwrap()
}

/// Alerts in the order of time are folded into the last one of their host, where that was made by the same run, or by
/// one that is not too long ago.
fn replayed(alerts: &[Value], minutes: Option<i64>, missing: bool) -> Vec<Option<Folded>> {
    let mut raised: Vec<(i64, Option<Folded>)> = Vec::new();
    for alert in alerts {
        let at = minute(alert, "kibana.alert.original_time");
        let run = at.div_euclid(5) * 5 + if at % 5 == 0 { 0 } else { 5 };
        let host = alert["host"]["name"].as_str().map(str::to_owned);
        if host.is_none() && !missing {
            raised.push((run, None));
            continue;
        }
        let last =
            raised.iter_mut().rev().find(|(_, folded)| folded.as_ref().is_some_and(|one| one.0 == host));
        match last {
            Some((made, Some(folded))) if *made >= run - minutes.unwrap_or(0) => {
                folded.2 = at;
                folded.3 += 1;
            }
            _ => raised.push((run, Some((host, at, at, 0)))),
        }
    }
    raised.into_iter().map(|(_, folded)| folded).collect()
}

fn said(alert: &Value) -> Option<Folded> {
    let host = match &alert["kibana.alert.suppression.terms"][0]["value"] {
        Value::Array(values) => values[0].as_str(),
        value => value.as_str(),
    };
    let docs = alert["kibana.alert.suppression.docs_count"].as_u64()?;
    let (start, end) = ("kibana.alert.suppression.start", "kibana.alert.suppression.end");
    Some((host.map(str::to_owned), minute(alert, start), minute(alert, end), docs))
}

fn lost(stats: &HuntStats) -> u64 {
    stats.alerts_capped_by_rule.values().sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn folding_is_a_replay_of_the_runs(
        events in events(), number in 0..3_usize, minutes in proptest::option::of(1..30_u64), missing in any::<bool>(),
    ) {
        let (plain, _) = run(&rules(&rule(number)), &events, MaxSignals::Unlimited);
        let base = rules(&suppressed(rule(number), minutes, missing));
        let (alerts, stats) = run(&base, &events, MaxSignals::Unlimited);
        let mut expected = replayed(&plain, minutes.map(|all| all as i64), missing);
        let mut found: Vec<_> = alerts.iter().map(said).collect();
        expected.sort();
        found.sort();
        prop_assert_eq!(found, expected);
        prop_assert_eq!(stats.alerts + stats.suppressed, plain.len() as u64);
    }

    /// Whatever the cap, each alert without suppression is raised, folded, or counted as capped.
    #[test]
    fn nothing_is_lost_without_a_count(
        events in events(), number in 0..3_usize, minutes in proptest::option::of(1..30_u64),
        missing in any::<bool>(), cap in 1..4_u32,
    ) {
        let (plain, _) = run(&rules(&rule(number)), &events, MaxSignals::Unlimited);
        let base = rules(&suppressed(rule(number), minutes, missing));
        let (alerts, stats) = run(&base, &events, MaxSignals::Count(cap));
        prop_assert_eq!(stats.alerts + stats.suppressed + stats.alerts_repeated + lost(&stats), plain.len() as u64);
        let docs: u64 = alerts.iter().filter_map(|one| one["kibana.alert.suppression.docs_count"].as_u64()).sum();
        prop_assert_eq!(docs, stats.suppressed);
        // Most alerts of one run: counted by the run of the alert's own event.
        let own = |alert: &Value| (minute(alert, "kibana.alert.original_time") + 4) / 5;
        for alert in &alerts {
            prop_assert!(alerts.iter().filter(|other| own(other) == own(alert)).count() <= cap as usize);
        }
    }
}

#[test]
fn the_fields_of_a_record_of_anomalies_are_those_of_its_influencers() {
    let own = json!({"type": "machine_learning", "anomaly_threshold": 50, "machine_learning_job_id": "j"});
    let base = rules(&suppressed(own, None, true));
    let record = |minute: &str, host: &str| {
        let influencers = json!([{"influencer_field_name": "host.name", "influencer_field_values": [host]}]);
        json!({"_index": ".ml-anomalies-x", "_id": format!("{minute}{host}"), "job_id": "j", "result_type": "record",
            "is_interim": false, "record_score": 75, "timestamp": format!("2024-01-01T{minute}:00Z"),
            "influencers": influencers})
    };
    let events = [record("10:01", "a"), record("10:02", "b"), record("10:03", "a")];
    let (alerts, stats) = run(&base, &events, MaxSignals::Rule);
    let found: Vec<_> = alerts.iter().map(said).collect();
    let folded = |host: &str, start, end, docs| Some((Some(host.to_owned()), start, end, docs));
    assert_eq!(found, [folded("a", 1, 3, 1), folded("b", 2, 2, 0)], "{stats:?}");
}

#[test]
fn what_the_recursion_guard_drops_is_not_folded() {
    for own in [rule(0), rule(1)] {
        let base = rules(&suppressed(own, None, true));
        let mut alert = on_host("10:01", "a");
        alert["kibana.alert.uuid"] = json!("u");
        alert["kibana.alert.rule.uuid"] = json!("rid-1");
        let (alerts, stats) = run(&base, &[alert, on_host("10:02", "a")], MaxSignals::Rule);
        assert_eq!((stats.alerts, stats.suppressed, stats.alerts_recursive), (1, 0, 1));
        assert_eq!(said(&alerts[0]), Some((Some("a".to_owned()), 2, 2, 0)));
    }
}

#[test]
fn values_longer_than_any_term_are_missing() {
    let base = rules(&suppressed(rule(1), None, true));
    let event = |minute: &str, length: usize| on_host(minute, &"x".repeat(length));
    let (alerts, _) = run(&base, &[event("10:01", 32_767), event("10:02", 32_766)], MaxSignals::Rule);
    let lengths: Vec<_> = alerts.iter().map(|one| said(one).unwrap().0.map(|host| host.len())).collect();
    assert_eq!(lengths, [None, Some(32_766)]);
}
