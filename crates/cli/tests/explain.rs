//! `maxspan explain` as a user runs it.

mod support;

use serde_json::json;
use support::{DEFAULTS_ID, DEFAULTS_NAME, Place, defaults_event, defaults_rule, ndjson};

const TIME: &str = "2026-01-01T00:00:00Z";

/// A folder with a rule and two events: one that matches it, and a near miss.
fn place() -> Place {
    let place = Place::new();
    let mut near = defaults_event("2026-01-01T00:00:01Z", "h2");
    near["process"]["name"] = json!("Defaults2");
    place.write("rules/r.toml", defaults_rule());
    place.write("events.ndjson", ndjson(&[defaults_event(TIME, "h1"), near]));
    place
}

#[test]
fn a_near_miss_is_explained() {
    let run = place().run(&["explain", "--rule", "rules/r.toml", "--event", "events.ndjson"]).code(0);
    let run = run.prints(DEFAULTS_NAME).prints("1 alert from 2 events").prints("events.ndjson:2");
    let run = run.prints("does not match: 1 condition is in the way");
    let marked: Vec<&str> = run.out.lines().filter(|line| line.trim_start().starts_with("> ")).collect();
    assert_eq!(marked.len(), 1, "{}", run.out);
    assert!(marked[0].contains("process.name = \"Defaults2\""), "{}", marked[0]);
}

#[test]
fn the_nearest_alone_are_shown_where_that_is_asked() {
    let run = place().run(&["explain", "--rule", "rules/r.toml", "--nearest", "--event", "events.ndjson"]);
    let run = run.code(0).prints("events.ndjson:2");
    assert!(!run.out.contains("events.ndjson:1 "), "{}", run.out);
}

#[test]
fn tools_get_json() {
    let place = place();
    let events = place.read("events.ndjson");
    let arguments =
        ["explain", "--rules", "rules", "--rule", DEFAULTS_ID, "--event", "-", "--format", "json"];
    let explanation = place.run_with_input(&arguments, events.as_bytes()).code(0).json();
    assert_eq!(explanation["rule_id"], DEFAULTS_ID);
    assert_eq!((&explanation["matched"], &explanation["stats"]["alerts"]), (&json!(1), &json!(1)));
    let near = &explanation["events"][1];
    assert_eq!(
        (&near["place"], &near["matched"], &near["distance"]),
        (&json!("-:2"), &json!(false), &json!(1))
    );
    let parts = near["conditions"]["parts"].as_array().unwrap();
    let obstacle = parts.iter().find(|part| part["obstacle"] == json!(true)).unwrap();
    assert_eq!(obstacle["truth"], "false");
    assert_eq!(obstacle["fields"][0]["values"], json!(["Defaults2"]));
    let text = place.read("rules/r.toml");
    let line = text.lines().nth(obstacle["at"]["line"].as_u64().unwrap() as usize - 1).unwrap();
    let column = obstacle["at"]["column"].as_u64().unwrap() as usize - 1;
    assert!(line[column..].starts_with(obstacle["text"].as_str().unwrap()), "{line} {obstacle}");
}

#[test]
fn warnings_about_the_rule_are_shown() {
    let place = place();
    place.write("w.toml", support::catch_all_rule("w", "W", "process.nmae: x"));
    let run = place.run(&["explain", "--rule", "w.toml", "--event", "events.ndjson"]).code(0);
    run.says("MX1304").says("process.name").prints("process.nmae is missing");
}

#[test]
fn what_terminals_obey_is_escaped() {
    let place = place();
    let mut event = defaults_event(TIME, "h1");
    event["process"]["name"] = json!("\u{1b}[2J\u{9b}");
    place.write("events.ndjson", ndjson(&[event]));
    let run = place.run(&["explain", "--rule", "rules/r.toml", "--event", "events.ndjson"]).code(0);
    assert!(!run.out.contains(['\u{1b}', '\u{9b}']), "{}", run.out);
}

#[test]
fn rules_are_chosen_by_file_id_or_name() {
    let place = place();
    let check = |arguments: &[&str], code: i32, text: &str| {
        let mut all = vec!["explain", "--event", "events.ndjson"];
        all.extend(arguments);
        let run = place.run(&all).code(code);
        assert!(run.out.contains(text) || run.err.contains(text), "{arguments:?}: {} {}", run.out, run.err);
    };
    check(&["--rules", "rules"], 0, DEFAULTS_NAME);
    check(&["--rules", "rules", "--rule", &DEFAULTS_NAME.to_uppercase()], 0, DEFAULTS_NAME);
    check(&["--rules", "rules", "--rule", "other"], 2, "no rule has the id or name `other`");
    check(&["--rule", "not-there.toml"], 2, "not-there.toml");
    check(&[], 2, "--rules");
    place.write("rules/other.toml", support::catch_all_rule("x", "Other", "*:*"));
    check(&["--rules", "rules"], 2, "2 rules; --rule chooses one");
    place.write("broken.toml", support::catch_all_rule("x", "Broken", "a: (b"));
    check(&["--rule", "broken.toml"], 1, "the rule `Broken` cannot be run");
    place.write("broken.ndjson", "{\"a\": \n");
    let run = place.run(&["explain", "--rule", "rules/r.toml", "--event", "broken.ndjson"]);
    run.code(3).says("broken.ndjson");
}
