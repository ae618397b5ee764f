//! One rule over events of one day; for the rules that go by the runs of their schedule.

#![allow(clippy::needless_pass_by_value, reason = "`json!` values as arguments make tables readable")]

use std::sync::Arc;

use maxspan_diagnostics::Source;
use maxspan_pipeline::hunt::{Collected, HuntOptions, HuntStats, MaxSignals, hunt};
use maxspan_pipeline::input::{InputOptions, Reader};
use maxspan_pipeline::rule_base::{RuleBase, RuleBaseOptions};
use maxspan_rules::{LoadedRules, parse_json};
use serde_json::{Value, json};

/// A rule that runs every five minutes over the last nine.
pub(crate) fn rules(own: &Value) -> RuleBase {
    let mut rule = json!({"rule_id": "rid-1", "name": "N", "description": "D", "severity": "low", "risk_score": 21,
        "language": "kuery", "query": "*", "interval": "5m", "from": "now-9m"});
    if own["type"] != "esql" {
        rule["index"] = json!(["logs-*"]);
    }
    rule.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
    let rules = parse_json(&Arc::new(Source::new("rule.json", rule.to_string()))).rules;
    let base = RuleBase::new(LoadedRules { rules, ..LoadedRules::default() }, &RuleBaseOptions::default());
    assert_eq!(base.documents.len(), 1, "{:?}", base.diagnostics);
    base
}

pub(crate) fn run(base: &RuleBase, events: &[Value], cap: MaxSignals) -> (Vec<Value>, HuntStats) {
    let input: String = events.iter().map(|event| format!("{event}\n")).collect();
    let mut reader = Reader::of_bytes("events", std::io::Cursor::new(input), InputOptions::default());
    let mut collected = Collected::default();
    let stats =
        hunt(base, &mut reader, &HuntOptions { max_signals: cap, ..HuntOptions::default() }, &mut collected);
    let document = |alert: &maxspan_pipeline::hunt::HuntAlert| {
        serde_json::from_str(&alert.alert.document.to_json()).unwrap()
    };
    (collected.alerts.iter().map(document).collect(), stats)
}

/// An event at a minute of the day, with fields of its own.
pub(crate) fn at(minute: &str, own: Value) -> Value {
    let (hour, minute) = minute.split_once(':').unwrap();
    let mut event = json!({"@timestamp": format!("2024-01-01T{hour}:{minute}:00Z"), "_index": "logs-a",
        "_id": format!("{hour}:{minute} {own}")});
    event.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
    event
}

pub(crate) fn on_host(minute: &str, host: &str) -> Value {
    at(minute, json!({"host": {"name": host}}))
}
