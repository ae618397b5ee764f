//! The cases: columns, rows and warnings of queries.
//!
//! Expected warnings have to be there, others may be; where several are of different versions, the exact text counts. The
//! order of rows counts unless the case says otherwise.

use std::collections::BTreeMap;

use fancy_regex::Regex;
use maxspan_diagnostics::{Source, has_errors};
use maxspan_esql::run::{Options, Outcome, Tables, run};
use maxspan_esql::{Value, analyze, parse, to_text};
use serde_json::Value as Json;

use crate::data;
use crate::support::{Record, lines, shared};

/// The share of the cases that has to pass; it only goes up.
const PERCENT_MIN: f64 = 99.7;

/// 2026-01-01, after all dates of the cases that are compared with now.
const NOW_MS: i64 = 1_767_225_600_000;

/// Cases that do not pass, by file and name, and why.
const EXCEPTIONS: &str = include_str!("exceptions.txt");

#[test]
fn esql_cases() {
    let Some(shared) = shared() else { return };
    let pack = shared.join("conformance/esql");
    let tables = data::tables(&pack.join("data"));
    let exceptions = exceptions();
    let mut record = Record::new(
        24,
        "esql-cases",
        "ES|QL `cases.jsonl`: columns, rows and warnings of queries",
        "at least 95 %",
    );
    let (mut skipped, mut extra) = (0, 0);
    for case in lines(&pack.join("cases.jsonl")) {
        if case["runnable"] != true {
            skipped += 1;
            continue;
        }
        let name = name(&case);
        match (check(&case, &tables), exceptions.get(name.as_str())) {
            (Ok(more), None) => {
                extra += usize::from(more);
                record.case(name, Ok(()));
            }
            (Ok(_), Some(_)) => {
                record.case(name.clone(), Err(format!("{name} passes, but is listed as an exception")));
            }
            (Err(_), Some(reason)) => record.exception(name, *reason),
            (Err(reason), None) => record.case(name, Err(reason)),
        }
    }
    record.note(format!(
        "{skipped} further cases need data that the pack does not have. In {extra} of the cases that pass there are warnings beyond those that the case expects."
    ));
    record.finish(PERCENT_MIN);
}

fn name(case: &Json) -> String {
    let file = case["file"].as_str().unwrap_or("").trim_end_matches(".csv-spec");
    format!("{file}: {}", case["name"].as_str().unwrap_or(""))
}

/// `file: name | reason` in each line.
fn exceptions() -> BTreeMap<&'static str, &'static str> {
    let lines = EXCEPTIONS.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| line.split_once(" | ").unwrap_or_else(|| panic!("{line}"))).collect()
}

/// Runs a case; the result says whether there were warnings that it does not expect.
fn check(case: &Json, tables: &Tables) -> Result<bool, String> {
    let outcome = outcome(case["query"].as_str().unwrap_or(""), tables)?;
    check_columns(case, &outcome)?;
    check_rows(case, &outcome)?;
    check_warnings(case, &outcome)
}

fn outcome(query: &str, tables: &Tables) -> Result<Outcome, String> {
    let source = Source::new("query", query);
    let (tree, found) = parse(query);
    if has_errors(&found) {
        return Err(format!("syntax: {}", messages(&found)));
    }
    let (query, found) = analyze(&tree, &source, tables);
    let query = query.ok_or_else(|| format!("meaning: {}", messages(&found)))?;
    run(&query, tables, &Options { now_ms: NOW_MS, ..Options::default() }).map_err(|error| error.to_string())
}

fn messages(found: &[maxspan_diagnostics::Diagnostic]) -> String {
    found.iter().map(|one| one.message.clone()).collect::<Vec<_>>().join("; ")
}

fn check_columns(case: &Json, outcome: &Outcome) -> Result<(), String> {
    let expected: Vec<String> = case["expected_columns"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|column| {
            format!("{}:{}", column["name"].as_str().unwrap_or(""), column["type"].as_str().unwrap_or(""))
        })
        .collect();
    let found: Vec<String> =
        outcome.columns.iter().map(|column| format!("{}:{}", column.name, column.kind.name())).collect();
    if expected == found { Ok(()) } else { Err(format!("columns: {found:?}, expected {expected:?}")) }
}

fn check_rows(case: &Json, outcome: &Outcome) -> Result<(), String> {
    let expected = case["expected_rows"].as_array().cloned().unwrap_or_default();
    let mut found: Vec<Vec<Json>> = outcome.rows.iter().map(|row| row.iter().map(json).collect()).collect();
    if expected.len() != found.len() {
        return Err(format!("{} rows, expected {}", found.len(), expected.len()));
    }
    let ordered = case["ignore_order"] != true;
    for (number, row) in expected.iter().enumerate() {
        let wanted = row.as_array().map_or(&[][..], Vec::as_slice);
        let place = if ordered {
            found.first().filter(|found| same_row(found, wanted)).map(|_| 0)
        } else {
            found.iter().position(|found| same_row(found, wanted))
        };
        let Some(place) = place else {
            let first = found.first().cloned().unwrap_or_default();
            return Err(format!("row {number}: {}, expected {row}", Json::Array(first)));
        };
        found.remove(place);
    }
    Ok(())
}

fn json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(value) => Json::from(*value),
        Value::Int(value) => Json::from(*value),
        Value::Long(value) => Json::from(*value),
        Value::UnsignedLong(value) => Json::from(*value),
        Value::Double(value) => Json::from(*value),
        Value::Many(values) => values.iter().map(json).collect(),
        other => Json::from(to_text(other.borrowed())),
    }
}

fn same_row(found: &[Json], wanted: &[Json]) -> bool {
    found.len() == wanted.len() && found.iter().zip(wanted).all(|(found, wanted)| same(found, wanted))
}

fn same(found: &Json, wanted: &Json) -> bool {
    if let Some(range) = wanted["range"].as_array() {
        let number = found.as_f64().unwrap_or(f64::NAN);
        return (range[0].as_f64() <= Some(number)) && (Some(number) <= range[1].as_f64());
    }
    match (found, wanted) {
        (Json::Array(found), Json::Array(wanted)) => same_row(found, wanted),
        (Json::Number(found), Json::Number(wanted)) if found.is_f64() || wanted.is_f64() => {
            let (found, wanted) = (found.as_f64().unwrap_or(f64::NAN), wanted.as_f64().unwrap_or(f64::NAN));
            (found - wanted).abs() <= 1e-10 * wanted.abs().max(1e-3)
        }
        (Json::String(found), Json::String(wanted)) => found == wanted || found == &without_zeros(wanted),
        _ => found == wanted,
    }
}

/// Dates with nanoseconds have as many digits as the case gives them.
fn without_zeros(date: &str) -> String {
    let Some((before, fraction)) = date.strip_suffix('Z').and_then(|date| date.rsplit_once('.')) else {
        return date.to_owned();
    };
    let mut fraction = fraction.to_owned();
    while fraction.len() > 3 && fraction.ends_with('0') {
        fraction.pop();
    }
    format!("{before}.{fraction}Z")
}

fn is_match(regex: &str, text: &str) -> bool {
    Regex::new(regex).is_ok_and(|regex| regex.is_match(text).unwrap_or(false))
}

fn check_warnings(case: &Json, outcome: &Outcome) -> Result<bool, String> {
    // Quotes are escaped on their way through a header.
    let mut left: Vec<String> = outcome
        .warnings
        .iter()
        .filter(|warning| !warning.starts_with("No limit defined"))
        .map(|warning| warning.replace('"', "\\\""))
        .collect();
    for wanted in case["warnings"].as_array().into_iter().flatten() {
        let fits = |found: &String| match (wanted["text"].as_str(), wanted["regex"].as_str()) {
            // Some texts are expressions too.
            (Some(regex), _) if regex.contains("\\d+") => is_match(regex, found),
            (Some(text), _) => found == text || (!text.starts_with("Line") && found.ends_with(text)),
            (_, Some(regex)) => is_match(regex, found),
            _ => false,
        };
        let Some(place) = left.iter().position(fits) else {
            return Err(format!("no warning {wanted}; there are {left:?}"));
        };
        left.remove(place);
    }
    Ok(!left.is_empty())
}
