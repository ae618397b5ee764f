//! `maxspan rules list`, `show`, `coverage` and `convert` as a user runs them.

mod support;

use serde_json::{Value, json};
use support::{DEFAULTS_ID, DEFAULTS_NAME, Place, catch_all_rule, defaults_rule};

const CATCH_ALL_ID: &str = "5b2b3cd8-3c6e-4c52-8d8c-6c1a1f8f7b01";

/// A folder with two rules in TOML, one in JSON, and a broken one.
fn place() -> Place {
    let place = Place::new();
    let exported = json!({
        "id": "ffb3cd8a-3c6e-4c52-8d8c-6c1a1f8f7b09", "rule_id": "exported", "name": "Exported, \"quoted\"",
        "description": "D", "severity": "critical", "risk_score": 99, "type": "query", "language": "kuery",
        "query": "user.name: root", "index": ["winlogbeat-*"], "enabled": false, "tags": ["OS: Windows"],
        "from": "now-6m", "created_by": "ada", "unknown_field": {"kept": null},
    });
    place
        .write("rules/defaults.toml", defaults_rule())
        .write("rules/all.toml", catch_all_rule(CATCH_ALL_ID, "All Events", "event.kind: event"))
        .write("rules/exported.ndjson", exported.to_string() + "\n");
    place
}

// ---- list

#[test]
fn rules_are_listed_and_chosen() {
    let place = place();
    let check = |flags: &[&str], expected: &[&str]| {
        let run = place.run(&[&["rules", "list", "rules", "--format", "ids"], flags].concat()).code(0);
        assert_eq!(run.out.lines().collect::<Vec<_>>(), expected, "{flags:?}: {}", run.err);
    };
    check(&[], &[CATCH_ALL_ID, "exported", DEFAULTS_ID]);
    check(&["--sort", "risk", "--reverse"], &[CATCH_ALL_ID, DEFAULTS_ID, "exported"]);
    check(&["--severity", "low", "--severity", "critical"], &[CATCH_ALL_ID, "exported"]);
    check(&["--min-severity", "high"], &["exported"]);
    check(&["--risk", "99"], &["exported"]);
    check(&["--os", "windows"], &["exported"]);
    check(&["--disabled"], &["exported"]);
    check(&["--enabled", "--language", "kql"], &[CATCH_ALL_ID, DEFAULTS_ID]);
    check(&["--field", "event.kind"], &[CATCH_ALL_ID]);
    check(&["--index", "winlogbeat-8.1"], &["exported"]);
    check(&["--index", "logs-*", "--text", "SOFTWAREUPDATE"], &[DEFAULTS_ID]);
    check(&["--rule", DEFAULTS_NAME], &[DEFAULTS_ID]);
    check(&["--maturity", "development"], &[]);
}

#[test]
fn lists_are_written_for_people_and_programs() {
    let place = place();
    let list = |flags: &[&str]| place.run(&[&["rules", "list", "rules"], flags].concat()).code(0);
    let table = list(&[]);
    assert_eq!(table.out.lines().count(), 4, "{}", table.out);
    assert!(table.out.starts_with("SEVERITY  RISK  TYPE"), "{}", table.out);
    list(&["--columns", "risk,id"]).prints("RISK  ID\n  21  5b2b3cd8");
    list(&["--format", "csv", "--columns", "id,name,index"])
        .prints("exported,\"Exported, \"\"quoted\"\"\",winlogbeat-*\r\n");
    let rules = list(&["--format", "json"]).json();
    assert_eq!(rules[1]["rule_id"], "exported");
    assert_eq!((&rules[1]["systems"], &rules[1]["enabled"]), (&json!(["windows"]), &json!(false)));
    assert_eq!(list(&["--format", "ndjson"]).lines(), *rules.as_array().unwrap());
}

#[test]
fn what_is_not_listed_is_said() {
    let place = place();
    place.write("rules/broken.toml", "[rule]\nname = 1\n");
    place.run(&["rules", "list", "rules"]).code(0).says("1 rule or file could not be read");
    place.run(&["rules", "list", "rules", "--os", "ios"]).code(0).says("none of 3 rules fits the filters");
    place.write("none/readme.json", "[]");
    place.run(&["rules", "list", "none"]).code(2).says("there are no rules");
    place.run(&["rules", "list", "gone"]).code(2).says("rules gone: ");
    place.run(&["rules", "list", "rules", "--severity", "urgent"]).code(2);
}

#[allow(dead_code, reason = "used by the sections below")]
fn object(value: &Value) -> &serde_json::Map<String, Value> {
    value.as_object().unwrap()
}
