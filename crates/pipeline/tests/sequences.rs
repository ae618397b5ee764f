//! Sequences, samples and lineage on small inputs, in a shorthand: `A@3/k` is an event of category `A` at second 3 with
//! the key `k`.

use maxspan_pipeline::input::{InputOptions, Reader};
use maxspan_pipeline::query::{self, QueryOptions};
use serde_json::{Value, json};

fn event(text: &str) -> Value {
    let (name, place) = text.split_once('@').unwrap();
    let (second, key) = place.split_once('/').unwrap_or((place, "k"));
    let millis = (second.parse::<f64>().unwrap() * 1000.0) as i64 + 1_767_225_600_000;
    json!({"@timestamp": millis, "event": {"category": name}, "host": {"id": key}, "name": text})
}

/// Each sequence as the names of its events joined by `>`; `-` for a missing one.
fn found(query: &str, events: &[Value]) -> Vec<String> {
    let input: String = events.iter().map(|event| format!("{event}\n")).collect();
    let mut reader = Reader::of_bytes("events", std::io::Cursor::new(input), InputOptions::default());
    let options = QueryOptions { size: 100, max_samples_per_key: 10, ..QueryOptions::default() };
    let answer =
        query::run(query, &mut reader, &options).unwrap_or_else(|problems| panic!("{query}: {problems:?}"));
    let name = |event: &Value| event["_source"]["name"].as_str().unwrap_or("-").to_owned();
    let hits = &answer.response["hits"];
    if let Some(events) = hits["events"].as_array() {
        return events.iter().map(name).collect();
    }
    let sequences = hits["sequences"].as_array().unwrap().iter();
    sequences
        .map(|one| one["events"].as_array().unwrap().iter().map(name).collect::<Vec<_>>().join(">"))
        .collect()
}

fn check(query: &str, events: &str, expected: &[&str]) {
    let events: Vec<Value> = events.split_whitespace().map(event).collect();
    assert_eq!(found(query, &events), expected, "{query} on {events:?}");
}

#[test]
fn trailing_missing_events_are_waited_for() {
    let query = "sequence by host.id with maxspan=10s [A where true] [B where true] ![M where true]";
    check(query, "A@0 B@1", &["A@0>B@1>-"]);
    check(query, "A@0 B@1 M@5", &[]);
    // What comes long after does not make the one within the window forgotten.
    check(query, "A@0 B@1 M@5 M@100", &[]);
    check(query, "A@0 B@1 M@5 A@100", &[]);
    check(query, "A@0 B@1 M@10", &[]);
    check(query, "A@0 B@1 M@10.001", &["A@0>B@1>-"]);
    check(query, "A@0 B@1 M@5/other", &["A@0>B@1>-"]);
    // Results are in the order of their last event, whichever is decided first.
    check(query, "A@0/a B@1/a A@2/b B@3/b A@100/b", &["A@0/a>B@1/a>-", "A@2/b>B@3/b>-"]);
    check(query, "A@0/a A@1/b B@2/b B@9/a A@100/b", &["A@1/b>B@2/b>-", "A@0/a>B@9/a>-"]);
}

#[test]
fn leading_missing_events_look_back_from_the_last_event() {
    let query = "sequence by host.id with maxspan=10s ![M where true] [A where true] [B where true]";
    check(query, "M@0 A@9 B@10", &[]);
    check(query, "M@0 A@9 B@10.001", &["->A@9>B@10.001"]);
    check(query, "A@9 M@9.5 B@10", &["->A@9>B@10"]);
}

#[test]
fn both_ends_act_jointly() {
    let query =
        "sequence by host.id with maxspan=10s ![M where true] [A where true] [B where true] ![N where true]";
    check(query, "M@0 A@2 B@3 N@5", &[]);
    check(query, "M@0 A@2 B@3 N@5 N@100 M@101", &[]);
    check(query, "M@0 A@2 B@3 N@10.5", &["->A@2>B@3>-"]);
    check(query, "M@0 A@2 B@3", &["->A@2>B@3>-"]);
}

#[test]
fn missing_events_between_stages_kill_the_candidate() {
    let query = "sequence by host.id with maxspan=1h [A where true] ![M where true] [B where true]";
    check(query, "A@0 M@1 B@2", &[]);
    check(query, "A@0 M@1 A@2 B@3", &["A@2>->B@3"]);
    check(query, "M@0 A@1 B@2 M@3", &["A@1>->B@2"]);
}

#[test]
fn spans_until_and_runs() {
    let pair = "sequence by host.id with maxspan=10s [A where true] [B where true]";
    check(pair, "A@0 B@10", &["A@0>B@10"]);
    check(pair, "A@0 B@10.001", &[]);
    check(pair, "A@0 A@1 B@2 B@3", &["A@1>B@2"]);
    let until = "sequence by host.id [A where true] [B where true] until [U where true]";
    check(until, "A@0 U@1 B@2", &[]);
    check(until, "A@0 U@1/other B@2", &["A@0>B@2"]);
    check(until, "A@0 B@1 U@2", &["A@0>B@1"]);
    let runs = "sequence by host.id [A where true] with runs=2 [B where true]";
    check(runs, "A@0 A@1 B@2", &["A@0>A@1>B@2"]);
    check(runs, "A@0 B@1", &[]);
}

#[test]
fn samples_take_different_events_in_any_order() {
    let query = "sample by host.id [A where true] [any where true]";
    check(query, "B@5 A@9", &["A@9>B@5"]);
    check(query, "A@9", &[]);
}

#[test]
fn lineage_follows_processes() {
    let process = |name: &str, second: i64, id: &str, parent: &str| {
        json!({"@timestamp": second, "event.category": "process", "name": name,
               "process": {"name": name, "entity_id": id, "parent": {"entity_id": parent}}})
    };
    let events = [
        process("child", 3, "2", "1"),
        process("root", 1, "1", "0"),
        process("grandchild", 4, "3", "2"),
        process("stranger", 5, "9", "8"),
        process("late", 6, "1", "0"),
    ];
    let of = |relation: &str| {
        found(&format!("process where {relation} of [process where name == \"root\"]"), &events)
    };
    assert_eq!(of("child"), ["child"]);
    assert_eq!(of("descendant"), ["child", "grandchild"]);
    assert_eq!(of("event"), ["root", "late"]);
    let nested = "process where child of [process where child of [process where name == \"root\"]]";
    assert_eq!(found(nested, &events), ["grandchild"]);
    let many = ["event of [process where true]"; 7].join(" or ");
    let mut reader = Reader::of_bytes("events", std::io::empty(), InputOptions::default());
    assert!(query::run(&format!("any where {many}"), &mut reader, &QueryOptions::default()).is_err());
}
