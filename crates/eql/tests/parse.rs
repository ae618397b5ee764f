//! The parser against the shared packs: expected errors, conformance queries and published rules.
//!
//! The packs are other people's and stay outside the repository: the folder is `$MAXSPAN_SHARED`, or `shared` beside
//! the workspace. Without it these tests are skipped, except in CI.

use std::path::{Path, PathBuf};

use maxspan_diagnostics::{Diagnostic, Source};
use maxspan_eql::{ParseOptions, elasticsearch_position, parse, parse_expression_with, parse_with};
use serde_json::Value;

/// The folder of the packs, if it is there.
fn shared() -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared");
    let folder = std::env::var_os("MAXSPAN_SHARED").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(std::env::var_os("CI").is_none(), "{} is not there", folder.display());
    println!("SKIPPED: {} is not there", folder.display());
    None
}

/// The entries of a pack, one JSON object per line.
fn entries(file: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

fn text<'a>(entry: &'a Value, field: &str) -> &'a str {
    entry[field].as_str().unwrap_or_default()
}

/// Every failure at once: a pack is worked off more easily than failure by failure.
fn report(what: &str, checked: usize, failures: &[String]) {
    println!("{what}: {} of {checked}", checked - failures.len());
    assert!(checked > 0, "{what}: nothing was checked");
    assert!(failures.is_empty(), "{what}:\n{}", failures.join("\n"));
}

/// Parses as Elasticsearch would.
fn strict_diagnostics(query: &str, form: &str) -> Vec<Diagnostic> {
    let options = ParseOptions { lineage: false };
    match form {
        "expression" => parse_expression_with(query, &options).1,
        _ => parse_with(query, &options).1,
    }
}

/// The words that say which kind of error a message is about, without what Elasticsearch expects.
fn class(message: &str) -> &str {
    message.split(" expecting").next().unwrap_or(message)
}

#[test]
fn errors_are_of_the_same_class_and_at_the_same_place() {
    let Some(shared) = shared() else { return };
    let (mut checked, mut failures) = (0, Vec::new());
    for entry in entries(&shared.join("conformance/eql/errors.jsonl")) {
        if text(&entry, "phase") != "parse" {
            continue;
        }
        checked += 1;
        let (query, expected) = (text(&entry, "query"), text(&entry, "error"));
        let diagnostics = strict_diagnostics(query, text(&entry, "form"));
        let source = Source::new("query", query);
        let found = diagnostics.first().map_or_else(String::new, |first| {
            format!("line {}: {}", elasticsearch_position(&source, first), first.message)
        });
        let same = if expected.is_empty() { !found.is_empty() } else { class(&found) == class(expected) };
        if !same {
            failures.push(format!("{query}\n  expected {expected}\n  found    {found}"));
        }
    }
    report("errors", checked, &failures);
}

#[test]
fn what_elasticsearch_parses_is_parsed() {
    let Some(shared) = shared() else { return };
    let mut queries = Vec::new();
    for entry in entries(&shared.join("conformance/eql/errors.jsonl")) {
        if text(&entry, "phase") != "parse" {
            queries.push((text(&entry, "query").to_owned(), text(&entry, "form").to_owned()));
        }
    }
    for entry in entries(&shared.join("conformance/eql/cases.jsonl")) {
        queries.push((text(&entry, "query").to_owned(), "statement".to_owned()));
    }
    let mut failures = Vec::new();
    for (query, form) in &queries {
        let diagnostics = strict_diagnostics(query, form);
        if !diagnostics.is_empty() {
            failures.push(format!("{query}\n  {diagnostics:?}"));
        }
    }
    report("queries", queries.len(), &failures);
}

#[test]
fn published_rules_are_parsed() {
    let Some(shared) = shared() else { return };
    let (mut checked, mut failures) = (0, Vec::new());
    for entry in walkdir::WalkDir::new(shared.join("corpus/rules")).sort_by_file_name() {
        let entry = entry.expect("a readable folder");
        if entry.path().extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let rule = std::fs::read_to_string(entry.path()).expect("a readable rule");
        let rule: toml::Table = rule.parse().expect("a rule in TOML");
        let Some(query) = eql_query(&rule) else { continue };
        checked += 1;
        let (tree, diagnostics) = parse(query);
        if tree.is_none() || !diagnostics.is_empty() {
            let source = Source::new(entry.path().display().to_string(), query);
            failures.push(maxspan_diagnostics::render(&source, &diagnostics));
        }
    }
    report("rules", checked, &failures);
}

fn eql_query(rule: &toml::Table) -> Option<&str> {
    let rule = rule.get("rule")?.as_table()?;
    if rule.get("type")?.as_str()? != "eql" {
        return None;
    }
    rule.get("query")?.as_str()
}
