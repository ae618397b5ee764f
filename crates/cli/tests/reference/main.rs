//! Pages of the book that are made from the tables that the program runs on, and from its help.
//!
//! Each page is rendered and compared with the file; with `MAXSPAN_UPDATE=1` the file is written instead
//! (`cargo xtask codegen` does that). The examples on the pages are run by tests of the crates whose tables they are.

mod eql_functions;
mod eql_operators;
mod esql_functions;
mod help;
mod kql_reference;
mod markdown;
#[path = "../support/mod.rs"]
mod support;

use std::env;
use std::fs;
use std::path::Path;

use support::{Place, defaults_event, defaults_rule};

/// Compares a page with what it should be, or writes it.
#[track_caller]
fn check(page: &str, expected: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(page);
    if env::var_os("MAXSPAN_UPDATE").is_some_and(|value| value == "1") {
        fs::write(&path, expected).unwrap();
        return;
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    let line = found.lines().zip(expected.lines()).position(|(found, expected)| found != expected);
    let line = line.unwrap_or_else(|| found.lines().count().min(expected.lines().count()));
    assert!(
        found == expected,
        "docs/{page} is not up to date: run `cargo xtask codegen`\nline {}: {:?}\nshould be {:?}",
        line + 1,
        found.lines().nth(line),
        expected.lines().nth(line)
    );
}

#[test]
fn eql_functions_page() {
    check("eql-functions.md", &eql_functions::page());
}

#[test]
fn eql_operators_page() {
    check("eql-operators.md", &eql_operators::page());
}

#[test]
fn esql_functions_page() {
    check("esql-functions.md", &esql_functions::page());
}

#[test]
fn kql_reference_page() {
    check("kql-reference.md", &kql_reference::page());
}

#[test]
fn commands_page() {
    check("commands/reference.md", &help::page());
}

fn read(page: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(page)).unwrap()
}

/// The rows of tables, as the cells of each line.
fn rows(page: &str) -> Vec<Vec<String>> {
    let cells = |line: &str| line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect();
    read(page).lines().filter(|line| line.starts_with("| ")).map(cells).collect()
}

#[test]
fn the_page_of_alerts_has_every_field_of_the_stats_file() {
    let place = Place::new();
    place.write("rule.toml", defaults_rule());
    place.write("event.json", defaults_event("2026-03-10T10:00:00.000Z", "mac-1").to_string());
    place.run(&["hunt", "--rules", "rule.toml", "--stats", "stats.json", "event.json"]).code(0);
    let stats: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(&place.read("stats.json")).unwrap();
    let described: Vec<String> = rows("alerts.md").into_iter().map(|cells| cells[0].clone()).collect();
    let missing: Vec<&String> =
        stats.keys().filter(|key| !described.iter().any(|cell| cell.contains(&format!("`{key}`")))).collect();
    assert_eq!(missing, Vec::<&String>::new());
}

#[test]
fn the_page_of_commands_has_every_exit_code() {
    let help = Place::new().run(&["help"]).code(0).out;
    let codes: Vec<Vec<String>> = help
        .lines()
        .skip_while(|line| *line != "Exit codes:")
        .skip(1)
        .filter_map(|line| line.trim().split_once("  "))
        .map(|(code, text)| vec![code.to_owned(), text.to_owned()])
        .collect();
    assert!(!codes.is_empty());
    let rows = rows("commands/README.md");
    for code in codes {
        assert!(rows.contains(&code), "docs/commands/README.md has no row {code:?}");
    }
}
