//! The other subcommands as a user runs them.

mod support;

use serde_json::{Value, json};
use support::{DEFAULTS_ID, Place, catch_all_rule, defaults_event, defaults_rule, ndjson};

fn place() -> Place {
    let place = Place::new();
    let events = [
        defaults_event("2026-03-10T10:00:00.000Z", "mac-1"),
        defaults_event("2026-03-11T11:00:00.000Z", "mac-2"),
    ];
    place.write("events.ndjson", ndjson(&events));
    place
}

// ---- query

#[test]
fn eql_queries_are_answered_as_elasticsearch_does() {
    let place = place();
    let eql = |query: &str| place.run(&["query", "--language", "eql", query, "events.ndjson"]);
    let answer = eql("process where host.name == \"mac-2\"").code(0).json();
    assert_eq!(answer["hits"]["total"], json!({"value": 1, "relation": "eq"}));
    assert_eq!(answer["hits"]["events"][0]["_source"]["host"]["id"], "mac-2");
    assert_eq!(answer["timed_out"], false);
    let answer = eql("sequence [process where host.name == \"mac-1\"] [any where true]").code(0).json();
    assert_eq!(answer["hits"]["sequences"][0]["events"].as_array().unwrap().len(), 2);
}

#[test]
fn kql_queries_are_answered_in_the_same_shape() {
    let run =
        place().run(&["query", "--language", "kql", "--size", "1", "process.name: def*", "events.ndjson"]);
    let run = run.code(0);
    assert_eq!(run.out.lines().count(), 1, "compact where there is no terminal");
    let answer = run.json();
    assert_eq!(answer["hits"]["events"].as_array().unwrap().len(), 1);
}

#[test]
fn queries_are_read_from_files() {
    let place = place();
    place
        .write("q.eql", "process where\n  host.name == \"mac-1\"\n")
        .write("bad.eql", "process where\n  host.name ==\n");
    let run = |query: &str| place.run(&["query", "--language", "eql", query, "events.ndjson"]);
    assert_eq!(run("@q.eql").code(0).json()["hits"]["total"]["value"], 1);
    run("@bad.eql").code(2).says("bad.eql:3");
    run("@gone.eql").code(2).says("query gone.eql: ");
}

#[test]
fn query_errors_show_the_place() {
    let run = place().run(&["query", "--language", "eql", "process where pid = 1", "events.ndjson"]).code(2);
    assert_eq!(run.out, "");
    run.says("error[MX11").says("process where pid = 1").says("error: the query has 1 error");
}

#[test]
fn strict_queries_refuse_unknown_fields() {
    let place = place();
    let query = "any where no_such_field == \"x\"";
    place.run(&["query", "--language", "eql", query, "events.ndjson"]).code(0).says("warning[MX1210]");
    place.run(&["query", "--language", "eql", "--strict", query, "events.ndjson"]).code(2);
}

#[test]
fn mappings_give_types() {
    let place = place();
    place.write("mapping.json", r#"{"properties": {"host": {"properties": {"name": {"type": "keyword"}}}}}"#);
    place
        .write("broken.json", "{")
        .write("event.json", r#"{"@timestamp": "2026", "host": {"name": "a"}, "n": 1}"#);
    let run = |more: &[&str]| {
        let query = ["any where process.name == \"defaults\"", "events.ndjson"];
        place.run(&[&["query", "--language", "eql", "--strict"], more, &query].concat())
    };
    run(&["--mapping", "mapping.json"]).code(0);
    run(&["--mapping", "mapping.json", "--mapping-only"]).code(2).says("process.name");
    run(&["--mapping-only"]).code(2);
    run(&["--mapping", "broken.json"]).code(2).says("mapping broken.json: ");
    run(&["--mapping", "gone.json"]).code(2).says("mapping gone.json: ");
}

/// Three events on two hosts.
fn hosts() -> Place {
    let place = Place::new();
    let event = |minute: u32, host: &str, user: &str| {
        format!(
            "{{\"@timestamp\":\"2026-01-01T00:0{minute}:00Z\",\"_index\":\"logs-a\",\"_id\":\"e{minute}\",\
             \"host\":{{\"name\":\"{host}\"}},\"user\":{{\"name\":{user}}}}}\n"
        )
    };
    let events = [event(1, "b", "\"u\""), event(2, "a", "[\"x\", \"w\"]"), event(3, "b", "\"v,1\"")];
    place.write("events.ndjson", events.concat());
    place
}

#[test]
fn rows_of_esql_queries_are_written_in_three_ways() {
    let place = hosts();
    let run = |format: &str, query: &str| {
        place.run(&["query", "--language", "esql", "--format", format, query, "events.ndjson"]).code(0)
    };
    let groups = "FROM logs-* | STATS n = COUNT(*), users = VALUES(user.name) BY host.name | SORT host.name";
    let answer = run("json", groups).json();
    let column = |name: &str, kind: &str| json!({"name": name, "type": kind});
    let columns = [column("n", "long"), column("users", "keyword"), column("host.name", "keyword")];
    assert_eq!(answer["columns"], json!(columns));
    assert_eq!(answer["values"], json!([[1, ["w", "x"], "a"], [2, ["u", "v,1"], "b"]]));
    assert_eq!(answer["is_partial"], json!(false));
    let csv = run("csv", &format!("{groups} | LIMIT 5"));
    assert_eq!(csv.out, "n,users,host.name\r\n1,\"[w, x]\",a\r\n2,\"[u, v,1]\",b\r\n");
    let table =
        run("table", "FROM logs-* METADATA _id | WHERE user.name == \"u\" | KEEP _id, @timestamp | LIMIT 5");
    table.prints("_id").prints("2026-01-01T00:01:00.000Z").prints("e1");
    // Where columns are not named, those without values are left out.
    let answer = run("json", "FROM logs-* | WHERE host.name == \"a\" | LIMIT 5").json();
    assert_eq!(answer["columns"].as_array().unwrap().len(), 4, "{answer}");
    assert_eq!(run("csv", "ROW a = 1 | EVAL b = a + 1 | LIMIT 1").out, "a,b\r\n1,2\r\n");
}

#[test]
fn esql_queries_have_limits() {
    let place = hosts();
    let run = |more: &[&str], query: &str| {
        place.run(&[&["query", "--language", "esql"], more, &[query, "events.ndjson"]].concat())
    };
    let sorted = "FROM logs-* | SORT host.name | KEEP host.name | LIMIT 9";
    run(&["--memory-limit", "1B"], sorted).code(2).says("--memory-limit");
    run(&["--timeout", "5m"], sorted).code(0);
    run(&["--timeout", "soon"], sorted).code(2).says("--timeout");
    run(&[], "FROM logs-* | STATS n = COUNT(").code(2).says("error[MX2002]");
    run(&[], "FROM logs-* | COMPLETION a = host.name WITH m").code(2).says("MX2004");
    run(&[], "FROM logs-* | EVAL n = TO_LONG(host.name) | KEEP n").code(0).says("warning: ").says("No limit");
    let eql =
        place.run(&["query", "--language", "eql", "--format", "csv", "any where true", "events.ndjson"]);
    eql.code(2).says("--language esql");
}

#[test]
fn a_query_without_an_input_to_read_fails() {
    place().run(&["query", "--language", "eql", "any where true", "gone.ndjson"]).code(3).says("gone.ndjson");
}

// ---- rules check

/// A folder with a good rule, one with a warning, one with an error, and one of a type that is not run.
fn rules() -> Place {
    let place = Place::new();
    let id = |last: u32| format!("5b2b3cd8-3c6e-4c52-8d8c-6c1a1f8f7b{last:02}");
    let esql = catch_all_rule(&id(3), "ES|QL", "from logs-* | completion a = message with model | limit 1")
        .replace("\"query\"", "\"esql\"")
        .replace("\"kuery\"", "\"esql\"")
        .replace("index = [\"logs-*\"]\n", "");
    place
        .write("rules/good.toml", defaults_rule())
        .write("rules/odd.toml", catch_all_rule(&id(1), "Odd", "no_such_field: 1"))
        .write("rules/broken.toml", catch_all_rule(&id(2), "Broken", "event.kind: (a or"))
        .write("rules/esql.toml", esql);
    place
}

#[test]
fn rules_are_checked_as_text() {
    let run = rules().run(&["rules", "check", "rules"]).code(1);
    let run = run.prints("rules/broken.toml:").prints("error[MX1301]").prints("warning[MX1304]");
    run.prints("4 rules: 2 ok, 1 failed, 1 not run yet (esql 1), 1 error, 1 warning\n");
    let place = rules();
    place.run(&["rules", "check", "rules/good.toml"]).code(0).prints("1 rule: 1 ok, 0 failed\n");
    place.run(&["rules", "check", "gone"]).code(2).says("rules gone: ");
}

#[test]
fn rules_are_checked_as_json() {
    let report = rules().run(&["rules", "check", "--format", "json", "rules"]).code(1).json();
    assert_eq!([&report["rules"], &report["ok"], &report["failed"], &report["not_run"]], [4, 2, 1, 1]);
    assert_eq!(report["by_type"], json!({"esql": 1, "query": 3}));
    let messages: Vec<(&str, &str, &Value)> = report["diagnostics"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["name"].as_str().unwrap(), one["file"].as_str().unwrap(), &one["rule_id"]))
        .collect();
    let id = |last: &str| json!(format!("5b2b3cd8-3c6e-4c52-8d8c-6c1a1f8f7b{last}"));
    assert_eq!(
        messages,
        [
            ("kql-syntax", "rules/broken.toml", &id("02")),
            ("rule-not-run", "rules/esql.toml", &id("03")),
            ("kql-field-unmapped", "rules/odd.toml", &id("01")),
        ]
    );
}

#[test]
fn strict_checks_count_warnings_as_failures() {
    let place = rules();
    place.run(&["rules", "check", "rules/odd.toml"]).code(0);
    let run = place.run(&["rules", "check", "--strict", "rules/odd.toml", "rules/good.toml"]).code(1);
    run.prints("2 rules: 1 ok, 1 failed, 1 warning\n");
    place.run(&["rules", "check", "--strict", "rules/esql.toml"]).code(0);
}

// ---- demo, completions, help

#[test]
fn the_demo_raises_three_alerts() {
    let place = Place::new();
    let run = place.run(&["demo"]).code(0);
    let headlines: Vec<&str> = run.out.lines().filter(|line| line.starts_with("Alert ")).collect();
    assert_eq!(
        headlines,
        [
            "Alert 1  macOS Installer Package Spawns a Network Event",
            "Alert 2  SoftwareUpdate Preferences Modification with Defaults",
            "Alert 3  SoftwareUpdate Preferences Modification with Defaults",
        ]
    );
    assert_eq!(run.err, "");
    for part in [
        "The story",
        "Step 2    15:12:36.895, 1.8 s later: curl",
        "ATT&CK",
        "Triage",
        "Harmless?",
        "events/s",
    ] {
        assert!(run.out.contains(part), "no {part:?} in {}", run.out);
    }
    assert!(!run.out.contains('\u{1b}'));
}

#[test]
fn the_demo_is_data_too() {
    let place = Place::new();
    let run = place.run(&["demo", "--format", "ndjson", "--events", "events.ndjson"]).code(0);
    let alerts = run.lines();
    let of_type = |name: &str| {
        let shown = alerts.iter().filter(|alert| alert.get("kibana.alert.building_block_type").is_none());
        shown.filter(|alert| alert["kibana.alert.rule.type"] == name).count()
    };
    assert_eq!((of_type("eql"), of_type("query"), alerts.len()), (1, 2, 5));
    assert_eq!(alerts.iter().filter(|alert| alert["kibana.alert.rule.rule_id"] == DEFAULTS_ID).count(), 2);
    assert!(place.read("events.ndjson").lines().count() > 4_000);
    place.run(&["demo", "--events", "gone/events.ndjson"]).code(4).says("cannot write the events to gone");
}

#[test]
fn completions_are_written_for_shells() {
    let place = Place::new();
    place.run(&["completions", "bash"]).code(0).prints("--sequence-memory");
    place.run(&["completions", "zsh"]).code(0).prints("#compdef maxspan");
    place.run(&["completions", "fish"]).code(0).prints("complete -c maxspan");
    place.run(&["completions", "nonsense"]).code(2);
}

#[test]
fn help_says_what_each_command_is_for() {
    let place = Place::new();
    let rules = ["check", "list", "show", "coverage", "convert", "diff"].map(|name| ["rules", name]);
    let mut commands = vec![&["hunt"][..], &["query"], &["rules"], &["demo"], &["completions"]];
    commands.extend(rules.iter().map(|command| &command[..]));
    for command in commands {
        let run = place.run(&[command, &["--help"]].concat()).code(0);
        assert!(run.out.contains("Examples:\n  maxspan "), "{command:?}: {}", run.out);
    }
    place.run(&["--help"]).code(0).prints("Exit codes:\n   0  ").prints("  10  `hunt --fail-on-alert`");
    place.run(&["--version"]).code(0).prints("maxspan 0.1.0");
}
