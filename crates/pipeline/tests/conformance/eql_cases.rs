//! EQL: whole queries over small data sets, and sequences as abstract series.

use std::fs;
use std::path::Path;

use maxspan_event::Schema;
use maxspan_pipeline::input::{InputOptions, Reader};
use maxspan_pipeline::query::{self, QueryAnswer, QueryOptions};
use serde_json::{Value, json};

use crate::support::{Record, lines, shared};

/// `size` of the runner that the cases were written for.
const SIZE_DEFAULT: usize = 50;

#[test]
fn eql_cases() {
    let Some(shared) = shared() else { return };
    let folder = shared.join("conformance/eql");
    let mut record = Record::new(10, "eql-cases", "EQL cases, dialect `es`, status `active`", "100 %");
    for case in lines(&folder.join("cases.jsonl")) {
        if case["dialect"] == "es" && case["status"] == "active" {
            record.case(text(&case, "name"), check(&folder, &case));
        }
    }
    record.finish(100.0);
}

fn text<'a>(case: &'a Value, name: &str) -> &'a str {
    case[name].as_str().unwrap_or_default()
}

fn check(folder: &Path, case: &Value) -> Result<(), String> {
    let answer = run(folder, case)?;
    let found = ids(&answer.response, text(case, "id_field"));
    let expected = case["expected_alternatives"].as_array().unwrap();
    if !expected.iter().any(|one| *one == json!(found)) {
        return Err(format!("found {found:?}, expected {}", case["expected_alternatives"]));
    }
    match case["join_keys"].as_array() {
        Some(keys) => compare_keys(keys, &answer.response),
        None => Ok(()),
    }
}

fn compare_keys(expected: &[Value], response: &Value) -> Result<(), String> {
    let sequences = response["hits"]["sequences"].as_array().cloned().unwrap_or_default();
    let keys = sequences.iter().flat_map(|one| one["join_keys"].as_array().cloned().unwrap_or_default());
    let as_text = |key: &Value| match key {
        Value::Null => "null".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let found: Vec<String> = keys.map(|key| as_text(&key)).collect();
    let expected: Vec<String> = expected.iter().map(as_text).collect();
    if found == expected { Ok(()) } else { Err(format!("keys {found:?}, expected {expected:?}")) }
}

/// The ids of all events in the order of the answer; -1 for a missing one.
fn ids(response: &Value, id_field: &str) -> Vec<i64> {
    let id = |event: &Value| {
        if event["missing"] == true { -1 } else { event["_source"][id_field].as_i64().unwrap_or(i64::MIN) }
    };
    if let Some(events) = response["hits"]["events"].as_array() {
        return events.iter().map(id).collect();
    }
    let sequences = response["hits"]["sequences"].as_array().unwrap();
    sequences.iter().flat_map(|one| one["events"].as_array().unwrap()).map(id).collect()
}

fn run(folder: &Path, case: &Value) -> Result<QueryAnswer, String> {
    let datasets: Vec<&str> = text(case, "dataset").split(',').collect();
    let mut schema = Schema::empty();
    let mut events = Vec::new();
    for dataset in datasets {
        let mapping = fs::read_to_string(folder.join(format!("mappings/{dataset}.mapping"))).unwrap();
        schema = schema.with_mapping(&mapping).map_err(|error| error.to_string())?;
        events.extend(fs::read(folder.join(format!("data/{dataset}.ndjson"))).unwrap());
    }
    let options = QueryOptions {
        tiebreaker_field: case["tiebreaker_field"].as_str().map(str::to_owned),
        size: case["size"].as_u64().map_or(SIZE_DEFAULT, |size| size as usize),
        max_samples_per_key: case["max_samples_per_key"].as_u64().unwrap_or(1) as usize,
        schema,
        normalize: false,
        ..QueryOptions::default()
    };
    let mut reader = Reader::of_bytes("events", std::io::Cursor::new(events), InputOptions::default());
    let answer =
        query::run(text(case, "query"), &mut reader, &options).map_err(|problems| format!("{problems:?}"))?;
    if let Some(problem) = answer.problems.first() {
        return Err(format!("{problem:?}"));
    }
    Ok(answer)
}

#[test]
fn eql_series() {
    let Some(shared) = shared() else { return };
    let mut record =
        Record::new(11, "eql-series", "EQL sequences as abstract series (`series.jsonl`)", "100 %");
    for series in lines(&shared.join("conformance/eql/series.jsonl")) {
        record.case(text(&series, "name"), check_series(&series));
    }
    record.finish(100.0);
}

/// Stage i of a series becomes the events of category `s<i>`.
fn check_series(series: &Value) -> Result<(), String> {
    let stages = series["stages"].as_array().unwrap();
    let mut events = String::new();
    for (index, stage) in stages.iter().enumerate() {
        for event in stage.as_array().unwrap() {
            let document = json!({
                "@timestamp": event["t"], "event.category": format!("s{index}"), "key": event["key"], "name": event["event"],
            });
            events.push_str(&format!("{document}\n"));
        }
    }
    let stages: Vec<String> = (0..stages.len()).map(|index| format!("[s{index} where true]")).collect();
    let query = format!("sequence by ?key {}", stages.join(" "));
    let options = QueryOptions { size: 1000, normalize: false, ..QueryOptions::default() };
    let mut reader = Reader::of_bytes("events", std::io::Cursor::new(events), InputOptions::default());
    let answer = query::run(&query, &mut reader, &options).map_err(|problems| format!("{problems:?}"))?;
    let name = |event: &Value| event["_source"]["name"].clone();
    let sequences = answer.response["hits"]["sequences"].as_array().unwrap().iter();
    let mut found: Vec<String> = sequences
        .map(|one| {
            json!([
                one["join_keys"][0],
                one["events"].as_array().unwrap().iter().map(name).collect::<Vec<_>>()
            ])
            .to_string()
        })
        .collect();
    let expected = series["expected"].as_array().unwrap().iter();
    let mut expected: Vec<String> =
        expected.map(|one| json!([one["key"], one["events"]]).to_string()).collect();
    found.sort();
    expected.sort();
    if found == expected { Ok(()) } else { Err(format!("found {found:?}, expected {expected:?}")) }
}
