//! `maxspan rules explain`, `rules profile` and what `hunt --stats` says of costs, as a user runs them.

mod support;

use serde_json::{Value, json};
use support::{
    DEFAULTS_ID, DEFAULTS_NAME, Place, Run, catch_all_rule, defaults_event, defaults_rule, ndjson,
    rules_folder,
};

const ALL_ID: &str = "5b2b3cd8-3c6e-4c52-8d8c-6c1a1f8f7b01";
const NOT_ID: &str = "5b2b3cd8-3c6e-4c52-8d8c-6c1a1f8f7b02";
const NOW: &str = "2026-04-01T00:00:00Z";

/// Columns that everything for a person fits into.
const WIDTH: usize = 100;

/// Three rules, and 200 events of which one in ten matches the first rule.
fn place() -> Place {
    let place = Place::new();
    let event = |number: usize| {
        let mut event = defaults_event(&format!("2026-03-10T10:{:02}:00.000Z", number % 60), "mac-1");
        event["process"]["pid"] = json!(number);
        if !number.is_multiple_of(10) {
            event["process"]["name"] = json!(format!("tool{number}"));
            event["process"]["args"] = json!(["tool"]);
        }
        event
    };
    let events: Vec<Value> = (0..200).map(event).collect();
    place.write("events.ndjson", ndjson(&events)).write("rules/defaults.toml", defaults_rule());
    place.write("rules/all.toml", catch_all_rule(ALL_ID, "Everything", "host.name: mac-1"));
    place.write("rules/not.toml", catch_all_rule(NOT_ID, "Only a negation", "not process.name: defaults"));
    place
}

fn hunt(place: &Place, more: &[&str]) -> Run {
    place.run(&[&["hunt", "-q", "--rules", "rules", "--now", NOW, "events.ndjson"], more].concat())
}

#[track_caller]
fn fits(run: Run) -> Run {
    for line in run.out.lines() {
        assert!(line.chars().count() <= WIDTH, "{} columns: {line}", line.chars().count());
    }
    run
}

// ---- explain

#[test]
fn a_rule_is_explained_with_gate_and_anchor() {
    let place = place();
    let run = fits(place.run(&["rules", "explain", "rules/defaults.toml"]).code(0));
    let run = run.prints(DEFAULTS_NAME).prints(DEFAULTS_ID).prints("found by what an event has\n");
    let run = run.prints("  gate      event.category: process\n").prints("            host.os.type: macos\n");
    run.prints("  anchor    ").prints("of events through (estimated)\n").prints("× a plain comparison\n");

    let found =
        place.run(&["rules", "explain", DEFAULTS_ID, "--rules", "rules", "--format", "json"]).code(0).json();
    let rule = &found[0];
    assert_eq!(
        (&rule["name"], &rule["always"], &rule["measured"]),
        (&json!(DEFAULTS_NAME), &json!(false), &json!(null))
    );
    let unit = &rule["units"][0];
    assert_eq!((&unit["step"], &unit["no_anchor"]), (&json!(null), &json!(null)));
    assert_eq!(unit["gate"]["host.os.type"], json!(["macos"]));
    assert!(!unit["anchor"].as_array().unwrap().is_empty(), "{unit}");
    assert_eq!(unit["share"]["measured"], json!(false));
}

#[test]
fn a_rule_without_an_anchor_says_why() {
    let place = place();
    let check = |query: &str, expected: &str| {
        place.write("one.toml", catch_all_rule(ALL_ID, "One", query));
        fits(place.run(&["rules", "explain", "one.toml"]).code(0)).prints(expected);
    };
    check("not process.name: a", "  anchor    none: only negated conditions and tests for missing fields\n");
    check("process.name: a or not user.name: b", "  anchor    none: an alternative of its `or` has nothing");
    check(
        "event.category: process",
        "  anchor    none: beside what the gate asks, nothing that an event must have\n",
    );
    check(
        "\"some words\"",
        "  anchor    none: free text, or field names with wildcards, look into every field\n",
    );
    check("not process.name: a", "  on the always-list: ");
    check("not process.name: a", "  gate      none: it asks no category");
    let values: Vec<String> = (0..20).map(|number| format!("name{number}")).collect();
    check(&format!("process.name: ({})", values.join(" or ")), "  anchor    one of 20:\n");
    check(&format!("process.name: ({})", values.join(" or ")), "… and 12 more (--format json has all)\n");
    check(&format!("process.name: {}", "x".repeat(300)), "xxx…\n");
}

#[test]
fn steps_are_explained_one_by_one() {
    let place = place();
    let rules = rules_folder();
    let run = fits(place.run(&[
        "rules",
        "explain",
        rules.join("macos/launch_item_after_browser_download.toml").to_str().unwrap(),
    ]));
    let run = run.code(0).prints("  step 1 of ").prints("  step 2 of ").prints("    event.category: file\n");
    assert!(run.out.matches("  gate ").count() >= 2, "{}", run.out);
}

#[test]
fn rules_are_found_as_in_show() {
    let place = place();
    place
        .run(&["rules", "explain", "Everything", "Only a negation", "--rules", "rules"])
        .code(0)
        .prints("\n\nOnly a");
    place.run(&["rules", "explain", "e", "--rules", "rules"]).code(2).says("fits 3 rules");
    place.run(&["rules", "explain", "Everything"]).code(2).says("--rules PATH");
    place
        .run(&["rules", "explain", "Everythink", "--rules", "rules"])
        .code(2)
        .says("did you mean `Everything`?");
    place.run(&["rules", "explain"]).code(2);
    place.run(&["rules", "explain", "--worst", "3"]).code(2).says("--rules");
    place.run(&["rules", "explain", "--worst", "0", "--rules", "rules"]).code(2);
    place.write("broken.toml", catch_all_rule(ALL_ID, "Broken", "host.name: ("));
    place.run(&["rules", "explain", "broken.toml"]).code(1).says("error[MX1301]").says("no rule can be run");
}

#[test]
fn the_worst_rules_are_listed_by_estimate_or_by_measure() {
    let place = place();
    let run = fits(place.run(&["rules", "explain", "--worst", "2", "--rules", "rules"]).code(0));
    let lines: Vec<&str> = run.out.lines().collect();
    assert_eq!(lines.len(), 3, "{}", run.out);
    assert!(lines[0].ends_with("  RULE") && lines[0].trim_start().starts_with("COST"), "{}", run.out);
    assert!(lines[1].contains("all") && lines[1].ends_with("yes  Only a negation"), "{}", run.out);

    hunt(&place, &["--stats", "stats.json"]).code(0);
    let worst = ["rules", "explain", "--worst", "20", "--rules", "rules", "--stats", "stats.json"];
    let run = fits(place.run(&worst).code(0)).prints("CANDIDATES");
    assert_eq!(run.out.lines().count(), 4, "{}", run.out);
    let found = place.run(&[&worst[..], &["--format", "json"]].concat()).code(0).json();
    let times: Vec<u64> = found
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| rule["measured"]["nanoseconds"].as_u64().unwrap())
        .collect();
    assert!(times.len() == 3 && times.is_sorted_by(|a, b| a >= b), "{times:?}");
    let run = place.run(&["rules", "explain", "rules/not.toml", "--stats", "stats.json"]).code(0);
    run.prints("  measured over 200 events: 200 candidates, 180 matches, ");
}

// ---- stats

#[test]
fn stats_say_what_rules_cost() {
    let place = place();
    let stats = |threads: &str| -> Value {
        hunt(&place, &["--stats", "stats.json", "--threads", threads]).code(0);
        serde_json::from_str(&place.read("stats.json")).unwrap()
    };
    let (one, three) = (stats("1"), stats("3"));
    for stats in [&one, &three] {
        let rules = &stats["prefilter"]["rules"];
        let of = |id: &str| (rules[id]["candidates"].clone(), rules[id]["matches"].clone());
        assert_eq!(of(DEFAULTS_ID), (json!(20), json!(20)), "{rules}");
        assert_eq!(of(ALL_ID), (json!(200), json!(200)), "{rules}");
        assert_eq!(of(NOT_ID), (json!(200), json!(180)), "{rules}");
        assert_eq!(stats["prefilter"]["candidates"], json!(420), "the sum over rules");
        assert!(rules[NOT_ID]["nanoseconds"].as_u64().unwrap() > 0, "{rules}");
        let shares: Vec<f64> = ["decode", "prefilter", "evaluate"]
            .iter()
            .map(|key| stats["time_shares"][key].as_f64().unwrap())
            .collect();
        assert!(shares.iter().all(|share| *share > 0.0) && shares.iter().sum::<f64>() < 1.0, "{shares:?}");
    }
    place.write("rules2/curl.toml", catch_all_rule(ALL_ID, "Curl", "process.name: curl"));
    place.run(&["hunt", "-q", "--rules", "rules2", "--stats", "stats.json", "events.ndjson"]).code(0);
    let stats: Value = serde_json::from_str(&place.read("stats.json")).unwrap();
    assert_eq!(stats["prefilter"]["rules"], json!({}), "rules that were never evaluated are not listed");
}

// ---- profile

#[test]
fn a_profile_is_measured_and_changes_no_alert() {
    let place = place();
    let profile = ["rules", "profile", "--rules", "rules", "events.ndjson"];
    let run = place.run(&[&profile[..], &["-o", "profile.json"]].concat()).code(0).says("put to 200 events");
    assert_eq!(run.out, "");
    let table: Value = serde_json::from_str(&place.read("profile.json")).unwrap();
    assert_eq!((&table["version"], &table["events"]), (&json!(1), &json!(200)));
    assert_eq!(table["atoms"]["process.name = \"defaults\""], json!(20));
    assert_eq!(table["atoms"]["host.name = \"mac-1\""], json!(200));
    assert_eq!(table["atoms"]["event.category = \"process\""], json!(200));
    assert_eq!(place.run(&profile).code(0).json(), table, "on standard output without -o");

    let run =
        fits(place.run(&["rules", "explain", "rules/defaults.toml", "--profile", "profile.json"]).code(0));
    let run = run
        .prints("lets all of events through (measured)\n")
        .prints("lets 10 % of events through (measured)\n");
    assert!(!run.out.contains("estimated"), "{}", run.out);

    let alerts = hunt(&place, &[]).code(0).out;
    assert!(!alerts.is_empty());
    assert_eq!(hunt(&place, &["--profile", "profile.json"]).code(0).out, alerts);
    // The other way around: what is rare is said to be common.
    let atoms = table["atoms"].as_object().unwrap();
    let turned: Value =
        atoms.iter().map(|(atom, count)| (atom.clone(), json!(200 - count.as_u64().unwrap()))).collect();
    place.write("turned.json", json!({"version": 1, "events": 200, "atoms": turned}).to_string());
    assert_eq!(hunt(&place, &["--profile", "turned.json"]).code(0).out, alerts);
}

#[test]
fn tables_that_cannot_be_read_are_errors_with_a_code() {
    let place = place();
    let check = |text: &[u8], says: &str| {
        place.write("table.json", text);
        let run = hunt(&place, &["--profile", "table.json"]).code(2).says("error[MX1901]").says(says);
        run.says("profile table.json: cannot be used");
        let explain = ["rules", "explain", "rules/all.toml", "--profile", "table.json"];
        place.run(&explain).code(2).says("error[MX1901]");
    };
    check(b"", "EOF");
    check(b"{\"version\": 1, \"events\": 3, \"atoms\": {\"a\": ", "EOF");
    check(b"{\"version\": 7}", "a profile of version 7; this program reads version 1");
    check(b"{\"version\": 1, \"events\": 3, \"atoms\": {\"a\": 4}}", "a count of 4, but there are 3 events");
    check(b"\xff\xfe\x00", "expected");
    hunt(&place, &["--profile", "gone.json"]).code(2).says("profile gone.json: ");
    place.write("stats.json", "{\"events\": 1, \"prefilter\": {}}");
    let explain = ["rules", "explain", "rules/all.toml", "--stats", "stats.json"];
    place.run(&explain).code(2).says("error[MX1902]").says("missing field `rules`");
}

#[test]
fn a_profile_needs_rules_and_events() {
    let place = place();
    place.run(&["rules", "profile", "--rules", "rules", "gone.ndjson"]).code(3).says("gone.ndjson");
    place.run(&["rules", "profile", "--rules", "gone", "events.ndjson"]).code(2).says("rules gone: ");
    place.run(&["rules", "profile", "events.ndjson"]).code(2);
    place.write("none/readme.txt", "x");
    place.run(&["rules", "profile", "--rules", "none", "events.ndjson"]).code(2).says("there are no rules");
    place.write("events.ndjson", "{\"a\": 1}\n{broken\n");
    let run =
        place.run(&["rules", "profile", "--rules", "rules", "events.ndjson"]).code(0).says("events.ndjson:2");
    assert_eq!(run.json()["events"], json!(1));
}
