//! Schedules as a user meets them: one run, records of executions, and hunts that go on where the last one ended.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

const HEAD: &str = r#"
[rule]
description = "d"
risk_score = 21
severity = "low"
interval = "5m"
"#;

/// A rule that counts, one over a sequence across any cut, and one that looks for indicators.
const RULES: [&str; 3] = [
    r#"rule_id = "00000000-0000-4000-8000-000000000001"
name = "Many"
type = "threshold"
language = "kuery"
query = "event.category: process"
from = "now-9m"
index = ["logs-*"]
threshold = { field = ["host.name"], value = 3 }
"#,
    r#"rule_id = "00000000-0000-4000-8000-000000000002"
name = "Pair"
type = "eql"
language = "eql"
query = 'sequence by host.name with maxspan=10m [process where process.name == "a"] [process where process.name == "b"]'
index = ["logs-*"]
"#,
    r#"rule_id = "00000000-0000-4000-8000-000000000003"
name = "Known"
type = "threat_match"
language = "kuery"
query = "event.category: process"
index = ["logs-*"]
threat_index = ["ti-*"]
threat_language = "kuery"
threat_query = "*"
threat_mapping = [{ entries = [{ field = "process.name", type = "mapping", value = "threat.indicator.name" }] }]
"#,
];

fn event(minute: u32, name: &str) -> String {
    let time = format!("2026-01-01T{:02}:{:02}:00Z", minute / 60, minute % 60);
    format!(
        r#"{{"_index":"logs-x-default","_id":"{minute}","@timestamp":"{time}","event":{{"category":["process"]}},"process":{{"name":"{name}"}},"host":{{"name":"h"}}}}"#
    )
}

const INDICATOR: &str = r#"{"_index":"ti-x-default","_id":"i","@timestamp":"2025-01-01T00:00:00Z","threat":{"indicator":{"name":"z"}}}"#;

/// Rules, and events of two hours: a quiet stretch, `a` and `b` over 01:00, and `z` at the end.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::create_dir(folder.path().join("rules")).expect("a folder");
    for (number, rule) in RULES.iter().enumerate() {
        let rule = format!("{HEAD}{rule}");
        fs::write(folder.path().join(format!("rules/{number}.toml")), rule).expect("a file");
    }
    let first = [(1, "x"), (2, "x"), (3, "x"), (57, "a"), (58, "x")];
    let second = [(61, "b"), (62, "x"), (118, "z"), (119, "x")];
    let lines = |of: &[(u32, &str)]| of.iter().map(|(minute, name)| event(*minute, name) + "\n").collect();
    let (first, second): (String, String) = (lines(&first), lines(&second));
    write(folder.path(), "first.ndjson", &format!("{INDICATOR}\n{first}"));
    write(folder.path(), "second.ndjson", &second);
    folder
}

fn write(folder: &Path, name: &str, text: &str) {
    fs::write(folder.join(name), text).expect("a file");
}

/// What the program writes, after it ended with this code.
#[track_caller]
fn run(folder: &Path, arguments: &[&str], code: i32) -> (String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_maxspan"));
    let output = command.current_dir(folder).args(arguments).stdin(Stdio::null()).output();
    let output = output.expect("a program that runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("output in UTF-8");
    let (out, error) = (text(output.stdout), text(output.stderr));
    assert_eq!(output.status.code(), Some(code), "{error}{out}");
    (out, error)
}

/// Name of the rule, id, and time of each alert, but for building blocks; sorted.
fn alerts(out: &str) -> Vec<String> {
    let documents = out.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let shells = documents.filter(|alert| alert["kibana.alert.building_block_type"].is_null());
    let text = |alert: &Value, field: &str| alert[field].as_str().unwrap_or_default().to_owned();
    let mut all: Vec<String> = shells
        .map(|alert| {
            format!("{} {}", text(&alert, "kibana.alert.rule.name"), text(&alert, "kibana.alert.uuid"))
        })
        .collect();
    all.sort();
    all
}

fn names(alerts: &[String]) -> Vec<&str> {
    alerts.iter().filter_map(|alert| alert.split(' ').next()).collect()
}

const HUNT: [&str; 5] = ["hunt", "--rules", "rules", "--quiet", "--now"];
const LATER: &str = "2026-02-01";

#[test]
fn a_single_run_of_each_rule() {
    let folder = folder();
    run(folder.path(), &["import", "--store", "store", "first.ndjson", "second.ndjson"], 0);
    let check = |more: &[&str], expected: &[&str]| {
        for input in [&["first.ndjson", "second.ndjson"][..], &["--store", "store"]] {
            let arguments = [&HUNT[..], &[LATER, "--schedule", "once"], more, input].concat();
            let found = alerts(&run(folder.path(), &arguments, 0).0);
            assert_eq!(names(&found), expected, "{more:?} {input:?}");
        }
    };
    // The last event is at 01:59.
    check(&[], &["Known"]);
    check(&["--to", "2026-01-01T00:05:00Z"], &["Many"]);
    check(&["--to", "2026-01-01T01:01:00Z"], &["Many", "Pair"]);
    check(&["--from", "2026-01-01T00:50", "--to", "2026-01-01T01:02:00Z"], &["Many", "Pair"]);
    let from_pipe = [&HUNT[..], &[LATER, "--schedule", "once", "-"]].concat();
    assert!(run(folder.path(), &from_pipe, 2).1.contains("--to"));
    let both = [&HUNT[..], &[LATER, "--schedule", "once", "--catch-up", "--store", "store"]].concat();
    assert!(run(folder.path(), &both, 2).1.contains("--catch-up"));
}

#[test]
fn a_store_gives_a_window_what_files_give_it() {
    let folder = folder();
    run(folder.path(), &["import", "--store", "store", "first.ndjson", "second.ndjson"], 0);
    let check = |window: &[&str], expected: &[&str], read: u32| {
        let hunt = |input: &[&str]| {
            let common = ["hunt", "--rules", "rules", "--now", LATER];
            run(folder.path(), &[&common[..], window, input].concat(), 0)
        };
        let (from_files, _) = hunt(&["first.ndjson", "second.ndjson"]);
        let (from_store, said) = hunt(&["--store", "store"]);
        assert_eq!(alerts(&from_store), alerts(&from_files), "{window:?}");
        assert_eq!(names(&alerts(&from_store)), expected, "{window:?}");
        assert!(said.contains(&format!("{read} read")), "{window:?}: {said}");
    };
    check(&[], &["Known", "Many", "Many", "Pair"], 10);
    // Ten minutes before it, for the sequence, and further for what thresholds raised; and the indicator.
    check(&["--from", "2026-01-01T01:59"], &["Known"], 7);
    check(&["--from", "2026-01-01T01:01", "--to", "2026-01-01T01:01"], &["Many", "Pair"], 8);
}

#[test]
fn records_can_be_asked_for() {
    let folder = folder();
    let files = ["--executions", "records.ndjson", "first.ndjson", "second.ndjson"];
    run(folder.path(), &[&HUNT[..], &[LATER], &files].concat(), 0);
    let query = r#"FROM .maxspan-executions
        | WHERE maxspan.execution.kind == "run"
        | STATS runs = COUNT(*), alerts = SUM(maxspan.execution.alerts) BY rule.name
        | SORT rule.name"#;
    let asked = ["query", "--language", "esql", "--format", "csv", query, "records.ndjson"];
    let (out, _) = run(folder.path(), &asked, 0);
    // No schema knows these fields: their numbers are read as doubles.
    assert_eq!(out.lines().collect::<Vec<_>>(), ["runs,alerts,rule.name", "5,1.0,Known", "7,2.0,Many"]);
    let nowhere = ["--executions", "no/such/folder/records.ndjson", "first.ndjson"];
    run(folder.path(), &[&HUNT[..], &[LATER], &nowhere].concat(), 4);
}

/// Hunts that go on, one by one, raise what one hunt over all raises.
#[test]
fn hunts_go_on_where_the_last_one_ended() {
    let folder = folder();
    let expected =
        alerts(&run(folder.path(), &[&HUNT[..], &[LATER, "first.ndjson", "second.ndjson"]].concat(), 0).0);
    let catch_up = |now: &str| {
        let arguments = ["hunt", "--rules", "rules", "--now", now, "--catch-up", "--store", "store"];
        let (out, said) = run(folder.path(), &arguments, 0);
        (alerts(&out), said)
    };
    run(folder.path(), &["import", "--store", "store", "first.ndjson"], 0);
    let (mut found, said) = catch_up("2026-01-01T01:00:30Z");
    assert!(said.contains("No records"), "{said}");
    assert_eq!(names(&found), ["Many"]);
    run(folder.path(), &["import", "--store", "store", "second.ndjson"], 0);
    let (more, said) = catch_up("2026-01-01T03:00:30Z");
    assert!(said.contains("Catching up from 2026-01-01T01:00:30.000Z: 2 h 0 min"), "{said}");
    found.extend(more);
    let (nothing, said) = catch_up("2026-01-01T04:00:00Z");
    assert!(said.contains("Catching up from 2026-01-01T03:00:30.000Z"), "{said}");
    assert_eq!(nothing, Vec::<String>::new());
    found.sort();
    found.dedup();
    assert_eq!(found, expected);
    let records = ["export", "--store", "store", "--index", ".maxspan-hunts", "--documents"];
    assert_eq!(run(folder.path(), &records, 0).0.lines().count(), 3);
    let records = ["export", "--store", "store", "--index", ".maxspan-executions", "--documents"];
    let (records, _) = run(folder.path(), &records, 0);
    assert!(records.lines().count() > 5 && !records.contains("partial failure"), "{records}");
}

#[test]
fn records_in_files_say_where_to_go_on() {
    let folder = folder();
    let hunt = |now: &str, more: &[&str], code: i32| {
        let arguments = [&["hunt", "--rules", "rules", "--now", now], more].concat();
        run(folder.path(), &arguments, code)
    };
    hunt("2026-01-01T01:00:30Z", &["--executions", "1.ndjson", "first.ndjson"], 0);
    let more = ["--catch-up", "--executions-from", "1.ndjson", "first.ndjson", "second.ndjson"];
    let (out, said) = hunt("2026-01-01T02:30:00Z", &more, 0);
    assert!(said.contains("Catching up from 2026-01-01T01:00:30.000Z"), "{said}");
    assert_eq!(names(&alerts(&out)), ["Known", "Many", "Pair"]);
    assert!(hunt(LATER, &["--catch-up", "first.ndjson"], 2).1.contains("--executions-from"));
}
