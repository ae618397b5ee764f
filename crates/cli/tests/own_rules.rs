//! Every case of our own rules: the events that must raise exactly one alert, and those that must raise none.

mod support;

use std::fs;
use std::io::Cursor;

use maxspan_pipeline::hunt::{Collected, HuntOptions, hunt};
use maxspan_pipeline::input::{InputOptions, Reader};
use maxspan_pipeline::rule_base::{RuleBase, RuleBaseOptions};
use maxspan_rules::{LoadOptions, load_paths};
use serde_json::Value;

#[test]
fn the_cases_of_our_rules_hold() {
    let mut files: Vec<_> =
        fs::read_dir(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
    files.sort();
    assert!(!files.is_empty());
    for file in files {
        let cases: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        let path = support::rules_folder().join(cases["rule"].as_str().unwrap());
        let rules = RuleBase::new(load_paths(&[path], &LoadOptions::default()), &RuleBaseOptions::default());
        assert_eq!((rules.rule_set.len(), rules.diagnostics.len()), (1, 0), "{:?}", rules.diagnostics);
        for (kind, expected) in [("alerts", 1), ("silent", 0)] {
            let list = cases[kind].as_array().unwrap();
            assert!(!list.is_empty(), "{}: {kind}", file.display());
            for case in list {
                let what = format!("{}: {kind}: {}", file.display(), case["note"]);
                check(&rules, case, expected, &what);
            }
        }
    }
}

fn check(rules: &RuleBase, case: &Value, expected: usize, what: &str) {
    let events = case["events"].as_array().unwrap();
    let text = support::ndjson(events);
    let mut reader = Reader::of_bytes("case", Cursor::new(text), InputOptions::default());
    let mut found = Collected::default();
    let stats = hunt(rules, &mut reader, &HuntOptions::default(), &mut found);
    assert_eq!(stats.events, events.len() as u64, "{what}: {:?}", found.problems);
    let alerts: Vec<_> = found.alerts.iter().filter(|alert| !alert.building_block).collect();
    assert_eq!(alerts.len(), expected, "{what}: {alerts:#?}");
}
