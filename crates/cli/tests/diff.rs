//! `maxspan rules diff` as a user runs it.

mod support;

use serde_json::json;
use support::{DEFAULTS_ID, Place, Run, catch_all_rule, defaults_event, defaults_rule, ndjson};

const ID: &str = "5b2b3cd8-3c6e-4c52-8d8c-6c1a1f8f7b01";

/// Three events, of which the rule of [`defaults_rule`] matches all.
fn place() -> Place {
    let place = Place::new();
    let events = [
        defaults_event("2026-03-10T10:00:00.000Z", "mac-1"),
        defaults_event("2026-03-10T11:00:00.000Z", "mac-2"),
        defaults_event("2026-03-10T12:00:00.000Z", "mac-3"),
    ];
    place.write("events.ndjson", ndjson(&events)).write("old/defaults.toml", defaults_rule());
    place.write("old/all.toml", catch_all_rule(ID, "All", "host.name: (mac-1 or mac-2)"));
    place
}

fn diff(place: &Place, more: &[&str]) -> Run {
    place.run(&[&["rules", "diff", "old", "new", "events.ndjson"], more].concat())
}

#[test]
fn the_same_rules_raise_the_same_alerts() {
    let place = place();
    let run = place.run(&["rules", "diff", "old", "old", "events.ndjson", "--fail-on-change"]).code(0);
    assert_eq!(run.out, "Rules: 2 unchanged\nAlerts: 5 unchanged\n");
    run.says("3 events read").says("old rules: 2 ran").says("new rules: 2 ran");
}

#[test]
fn new_gone_changed_and_unchanged_alerts_are_told_apart() {
    let place = place();
    place
        .write("new/all.toml", catch_all_rule(ID, "All", "host.name: (mac-2 or mac-3)"))
        .write("new/defaults.toml", defaults_rule().replace("severity = \"medium\"", "severity = \"high\""));
    let run = diff(&place, &["--fail-on-change"]).code(10);
    let run = run
        .prints("  rule    changed: query\n")
        .prints("-host.name: (mac-1 or mac-2)\n    +host.name: (mac-2 or mac-3)\n");
    let run = run.prints("  alerts  1 new, 1 gone, 1 unchanged\n");
    let run = run
        .prints("+ 2026-03-10T12:00:00.000Z")
        .prints("events.ndjson:3\n")
        .prints("- 2026-03-10T10:00:00.000Z");
    let run = run.prints("  rule    changed: severity (medium → high)\n  alerts  3 changed\n");
    run.prints("        severity: medium → high\n")
        .prints("Rules: 2 changed\nAlerts: 1 new, 1 gone, 3 changed, 1 unchanged\n");

    let found = diff(&place, &["--format", "json", "--limit", "1"]).code(0).json();
    assert_eq!(found["alerts"], json!({"new": 1, "gone": 1, "changed": 3, "unchanged": 1}));
    let rule = found["rules"].as_array().unwrap().iter().find(|rule| rule["rule_id"] == DEFAULTS_ID).unwrap();
    assert_eq!(rule["samples"].as_array().unwrap().len(), 1);
    assert_eq!(rule["fields"], json!([{"field": "severity", "old": "medium", "new": "high"}]));

    let run = diff(&place, &["--format", "markdown", "--output", "comment.md"]).code(0);
    assert_eq!(run.out, "");
    let comment = place.read("comment.md");
    for part in [
        "| All | changed | 1 | 1 | 0 | 1 |\n",
        "```diff\n@@",
        "- **new** 2026-03-10T12:00:00.000Z: ",
        "`events.ndjson:3`",
    ] {
        assert!(comment.contains(part), "no {part:?} in {comment}");
    }
}

#[test]
fn rules_that_come_go_or_fail_are_named() {
    let place = place();
    let added = "5b2b3cd8-3c6e-4c52-8d8c-6c1a1f8f7b02";
    place
        .write("new/all.toml", catch_all_rule(ID, "All", "host.name: (mac-1 or"))
        .write("new/more.toml", catch_all_rule(added, "More", "host.name: mac-1"));
    let run = diff(&place, &[]).code(0).says("the new rules have errors:").says("error[MX1301]");
    let run =
        run.prints("the new version fails and raised nothing\n").prints("  rule    added\n  alerts  1 new\n");
    run.prints("  rule    removed\n  alerts  3 gone\n").prints("Rules: 1 added, 1 removed, 1 changed\n");
}

#[test]
fn a_rule_is_the_same_in_toml_and_ndjson() {
    let place = place();
    place.run(&["rules", "convert", "--to", "ndjson", "old", "--output", "new.ndjson"]).code(0);
    let run = place.run(&["rules", "diff", "old", "new.ndjson", "events.ndjson"]).code(0);
    assert_eq!(run.out, "Rules: 2 unchanged\nAlerts: 5 unchanged\n");
}

#[test]
fn windows_caps_and_rules_can_be_chosen() {
    let place = place();
    place.write("new/all.toml", catch_all_rule(ID, "All", "host.name: *"));
    diff(&place, &["--rule", "All"]).code(0).prints("Alerts: 1 new, 2 unchanged\n");
    diff(&place, &["--rule", "All", "--to", "2026-03-10T11:30:00Z"]).code(0).prints("Alerts: 2 unchanged\n");
    diff(&place, &["--rule", "Nothing"]).code(1).says("no rule can be run");
    place.run(&["rules", "diff", "old", "gone", "events.ndjson"]).code(2).says("rules gone: ");
    place.run(&["rules", "diff", "old", "new", "gone.ndjson"]).code(3).says("gone.ndjson");
}

#[test]
fn sequences_are_the_same_where_their_events_are() {
    let place = place();
    let sequence = |query: &str| {
        catch_all_rule(ID, "Two", query).replace("\"query\"", "\"eql\"").replace("\"kuery\"", "\"eql\"")
    };
    let stages =
        |last: &str| format!("sequence by user.name [any where host.name == \"mac-1\"] [any where {last}]");
    place.write("old/all.toml", sequence(&stages("host.name == \"mac-2\"")));
    place.write("new/all.toml", sequence(&stages("host.name != \"mac-1\"")).replace("\"low\"", "\"high\""));
    let run = diff(&place, &["--rule", "Two"]).code(0).prints("  alerts  1 changed\n");
    run.prints("        events.ndjson:1, events.ndjson:2\n").prints("~ 2026-03-10T11:00:00.000Z");
}
