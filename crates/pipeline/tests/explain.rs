//! Explanations: what they say of conditions and chains, and that they agree with the engine.

use std::sync::Arc;

use maxspan_diagnostics::Source;
use maxspan_pipeline::explain::text::{Plain, broken, render};
use maxspan_pipeline::explain::{ExplainOptions, Explanation, Subject, explain};
use maxspan_pipeline::input::{InputOptions, Reader};
use maxspan_rules::load::ValueLists;
use maxspan_rules::{ExceptionStore, RuleDocument, TomlOptions, parse_json, parse_toml};
use serde_json::{Value, json};

fn rule(language: &str, query: &str) -> RuleDocument {
    let rule_type = if language == "eql" { "eql" } else { "query" };
    let text = format!(
        "[metadata]\nmaturity = \"production\"\n[rule]\ndescription = \"d\"\nname = \"R\"\nrisk_score = 1\n\
         severity = \"low\"\nrule_id = \"r\"\ntype = \"{rule_type}\"\nlanguage = \"{language}\"\n\
         index = [\"logs-*\"]\nquery = '''{query}'''\n"
    );
    let parsed = parse_toml(&Arc::new(Source::new("rule.toml", text)), &TomlOptions::default());
    assert_eq!(parsed.rules.len(), 1, "{:?}", parsed.diagnostics);
    parsed.rules.into_iter().next().unwrap()
}

fn explained(rule: &RuleDocument, events: &[Value], options: &ExplainOptions) -> Explanation {
    let input: String = events.iter().map(|event| format!("{event}\n")).collect();
    let mut reader = Reader::of_bytes("e", std::io::Cursor::new(input), InputOptions::default());
    let subject =
        Subject { rule, exceptions: &ExceptionStore::default(), value_lists: &ValueLists::default() };
    explain(subject, &mut reader, options).unwrap()
}

/// The lines of the text that say something of conditions, without the blanks around them.
fn conditions(language: &str, query: &str, event: &Value) -> Vec<String> {
    let explanation =
        explained(&rule(language, query), std::slice::from_ref(event), &ExplainOptions::default());
    let text = render(&explanation, &Plain);
    let wanted = |line: &&str| {
        ["true ", "false ", "null ", "^ "]
            .iter()
            .any(|word| line.trim_start_matches(['>', ' ']).starts_with(word))
    };
    let lines = text.lines().filter(wanted).filter(|line| !line.contains("names no index"));
    lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

#[track_caller]
fn check(language: &str, query: &str, event: &Value, expected: &[&str]) {
    assert_eq!(conditions(language, query, event), expected, "{query} {event}");
}

#[test]
fn conditions_say_what_they_saw() {
    let event = json!({"event": {"category": "process"}, "process": {"name": "cmd.exe", "args": ["a", "b"], "pid": "x"},
                       "source": {"ip": "10.0.0.1"}});
    check(
        "eql",
        "process where process.name == \"CMD.exe\" and not process.args : (\"b*\", \"c\")",
        &event,
        &[
            "false all of",
            "true process event.category = \"process\"",
            "> false process.name == \"CMD.exe\" process.name = \"cmd.exe\"",
            "^ `cmd.exe` and `CMD.exe` differ in case only",
            "false not",
            "> true process.args : (\"b*\", \"c\") process.args = [\"a\", \"b\"]",
        ],
    );
    check(
        "eql",
        "any where length(process.title) > 3 or process.pid == 12 or process.name == \"cmd*\"",
        &event,
        &[
            "null all of",
            "null any of",
            "> null length(process.title) > 3 process.title is missing",
            "^ process.title is missing in the event",
            "> false process.pid == 12 process.pid = \"x\"",
            "^ a field of type `long` cannot hold this value",
            "> false process.name == \"cmd*\" process.name = \"cmd.exe\"",
            "^ `cmd*` is compared letter by letter: `*` and `?` stand for themselves",
        ],
    );
    check(
        "kuery",
        "process.name: CMD* and not source.ip: \"10.0.0.0/8\"",
        &event,
        &[
            "false all of",
            "> false process.name: CMD* process.name = \"cmd.exe\"",
            "^ `cmd.exe` and `CMD*` differ in case only",
            "false not",
            "> true source.ip: \"10.0.0.0/8\" source.ip = \"10.0.0.1\"",
        ],
    );
}

#[test]
fn a_list_of_values_is_one_condition() {
    let event = json!({"process": {"name": "cmd.exe", "args": ["a", "b"]}});
    check(
        "kuery",
        "process.name: (CMD.exe or\n  \"powershell.exe\") and process.args: (a and c)",
        &event,
        &[
            "false all of",
            "> false process.name: (CMD.exe or \"powershell.exe\") process.name = \"cmd.exe\"",
            "^ `cmd.exe` and `CMD.exe` differ in case only",
            "false all of",
            "true a process.args = [\"a\", \"b\"]",
            "> false c process.args = [\"a\", \"b\"]",
        ],
    );
}

#[test]
fn what_other_events_decide_is_null() {
    let event = json!({"event": {"category": "process"}, "process": {"name": "sh"}});
    for related in ["child of [process where true]", "(child of [process where true]) == true"] {
        let query = format!("process where process.name == \"sh\" and {related}");
        let lines = conditions("eql", &query, &event);
        assert_eq!(lines[0], "null all of", "{query}");
        assert!(
            lines.iter().any(|line| line.contains("decided by earlier events of related processes")),
            "{lines:?}"
        );
    }
}

#[test]
fn nested_conditions_are_shown_for_the_closest_object() {
    let event =
        json!({"dll": {"pe": {"sections": [{"name": "a", "entropy": 1}, {"name": "b", "entropy": 9}]}}});
    check(
        "kuery",
        "dll.pe.sections: { name: b and entropy: 8 }",
        &event,
        &[
            "false in one object",
            "false all of",
            "true name: b dll.pe.sections.name = \"b\"",
            "> false entropy: 8 dll.pe.sections.entropy = 9",
        ],
    );
}

#[test]
fn gates_are_named() {
    let check = |changes: Value, event: Value, expected: &str| {
        let mut document = json!({"rule_id": "r", "name": "N", "description": "D", "severity": "low", "risk_score": 1,
            "type": "query", "query": "*:*", "index": ["logs-*"]});
        document.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        let parsed = parse_json(&Arc::new(Source::new("rule.json", document.to_string())));
        let explanation = explained(&parsed.rules[0], &[event], &ExplainOptions::default());
        let gates = &explanation.events[0].gates;
        let closed: Vec<_> =
            gates.iter().filter(|gate| !gate.passed).map(|gate| gate.text.as_str()).collect();
        assert_eq!(closed, [expected]);
        assert_eq!((explanation.matched, explanation.stats.alerts), (0, 0));
    };
    check(json!({}), json!({"_index": "other"}), "`other` is none of logs-*");
    let filter = json!({"query": {"match_phrase": {"event.action": "a"}}, "meta": {}});
    check(json!({"filters": [filter]}), json!({"event.action": "b"}), "filter 1 does not hold");
}

/// Category, second and host of each event.
fn chain(query: &str, events: &[(&str, i64, &str)]) -> Vec<String> {
    let event = |(category, second, host): &(&str, i64, &str)| {
        let (minute, second) = (second / 60, second % 60);
        json!({"@timestamp": format!("2026-01-01T00:{minute:02}:{second:02}Z"), "event.category": category,
               "host.id": host})
    };
    let events: Vec<Value> = events.iter().map(event).collect();
    let explanation = explained(&rule("eql", query), &events, &ExplainOptions::default());
    explanation.chain.map_or_else(Vec::new, |chain| chain.breaks.iter().map(broken).collect())
}

#[test]
fn chains_say_what_broke_them() {
    let check = |query: &str, events: &[(&str, i64, &str)], expected: &[&str]| {
        assert_eq!(chain(query, events), expected, "{query} {events:?}");
    };
    let three = "sequence by host.id with maxspan=1m [a where true] [b where true] [c where true]";
    let until = "sequence by host.id with maxspan=1m [a where true] [c where true] until [d where true]";
    let missing = "sequence by host.id with maxspan=1m [a where true] ![d where true] [c where true]";
    check(three, &[("a", 0, "h"), ("b", 1, "h"), ("c", 2, "h")], &[]);
    check(
        three,
        &[("a", 0, "h"), ("b", 10, "h"), ("c", 72, "h")],
        &["the last event comes 1 m 12 s after the first: 12 s over maxspan (1 m)"],
    );
    check(
        three,
        &[("a", 0, "h"), ("b", 10, "h"), ("c", 20, "g")],
        &["host.id differs: stage 1 has `h`, stage 3 has `g`"],
    );
    check(
        three,
        &[("a", 0, "h"), ("c", 10, "h"), ("b", 20, "h")],
        &["the event of stage 3 comes 10 s before that of stage 2"],
    );
    check(
        until,
        &[("a", 0, "h"), ("d", 1, "h"), ("c", 2, "h")],
        &["the event of `until` came in between: e:2 2026-01-01T00:00:01.000Z"],
    );
    // On another host it would not matter.
    check(until, &[("a", 0, "h"), ("d", 1, "g"), ("c", 2, "h")], &[]);
    check(
        missing,
        &[("a", 0, "h"), ("d", 1, "h"), ("c", 2, "h")],
        &["the event of stage 2, which has to be missing, is there: e:2 2026-01-01T00:00:01.000Z"],
    );
    check(
        "sequence by host.id with maxspan=1m [a where true] ![d where true]",
        &[("a", 0, "h"), ("d", 30, "h")],
        &["the event of stage 2, which has to be missing, is there: e:2 2026-01-01T00:00:30.000Z"],
    );
    check(
        three,
        &[("a", 0, "h"), ("c", 10, "g"), ("b", 200, "h")],
        &[
            "the event of stage 3 comes 3 m 10 s before that of stage 2",
            "the last event comes 3 m 20 s after the first: 2 m 20 s over maxspan (1 m)",
            "host.id differs: stage 1 has `h`, stage 3 has `g`",
        ],
    );
    check(
        "sample by host.id [a where true] [b where true]",
        &[("a", 0, "h"), ("b", 1, "g")],
        &["host.id differs: stage 1 has `h`, stage 2 has `g`"],
    );
    // A stage without any event makes no chain: the stage says so.
    check(three, &[("a", 0, "h"), ("b", 1, "h")], &[]);
}

/// Hosts of an event, one or several.
fn hosts(events: &[(&str, i64, Value)], query: &str) -> (u64, Vec<String>) {
    let event = |(category, second, host): &(&str, i64, Value)| {
        let mut event =
            json!({"@timestamp": format!("2026-01-01T00:00:{second:02}Z"), "event.category": category});
        if !host.is_null() {
            event["host.id"] = host.clone();
        }
        event
    };
    let events: Vec<Value> = events.iter().map(event).collect();
    let explanation = explained(&rule("eql", query), &events, &ExplainOptions::default());
    let breaks = explanation.chain.map_or_else(Vec::new, |chain| chain.breaks.iter().map(broken).collect());
    (explanation.stats.alerts, breaks)
}

#[test]
fn keys_with_several_values_are_held_together() {
    let check = |query: &str, events: &[(&str, i64, Value)], expected: &[&str]| {
        assert_eq!(hosts(events, query).1, expected, "{query} {events:?}");
    };
    let both = || json!(["g", "h"]);
    let over = "the last event comes 29 s after the first: 19 s over maxspan (10 s)";
    // What happens on the other host does not matter.
    check(
        "sequence by host.id with maxspan=10s [a where true] ![x where true] [b where true]",
        &[("a", 1, both()), ("x", 2, json!("g")), ("b", 30, json!("h"))],
        &[over],
    );
    check(
        "sequence by host.id with maxspan=10s [a where true] [b where true] until [x where true]",
        &[("a", 1, both()), ("x", 2, json!("g")), ("b", 30, json!("h"))],
        &[over],
    );
    check(
        "sequence by host.id with maxspan=10s [a where true] [b where true] [c where true]",
        &[("a", 1, both()), ("b", 2, json!("g")), ("c", 3, json!("h"))],
        &["host.id differs: stage 2 has `g`, stage 3 has `h`"],
    );
    // An event without the key takes no part, and hides none that does.
    check(
        "sequence by host.id with maxspan=10s [a where true] [b where true]",
        &[("a", 1, json!("g")), ("b", 2, Value::Null), ("b", 3, json!("h"))],
        &["host.id differs: stage 1 has `g`, stage 2 has `h`"],
    );
    check(
        "sequence by host.id with maxspan=10s [a where true] [b where true] with runs=3",
        &[("a", 1, json!("g")), ("b", 2, json!("g")), ("b", 3, json!("g"))],
        &["an event fills one stage: 4 are needed, 3 there"],
    );
    check(
        "sequence by host.id with maxspan=10s [a where true] [b where true] [a where true]",
        &[("a", 1, json!("g")), ("b", 2, json!("g")), ("b", 3, json!("g"))],
        &["an event fills one stage: 3 are needed, 2 there"],
    );
}

proptest::proptest! {
    /// Whoever asks why a sequence is silent gets an answer: a stage without events that take part, or a break.
    #[test]
    fn a_silent_sequence_has_a_reason(
        events in proptest::collection::vec((0..4_usize, 0..30_i64, 0..5_usize), 0..8),
        shape in 0..5_usize,
    ) {
        let query = [
            "sequence by host.id with maxspan=10s [a where true] [b where true]",
            "sequence by host.id with maxspan=10s [a where true] ![x where true] [b where true]",
            "sequence by host.id with maxspan=5s [a where true] [b where true] [a where true]",
            "sequence by host.id with maxspan=10s [a where true] [b where true] until [x where true]",
            "sample by host.id [a where true] [b where true]",
        ][shape];
        let host = [json!("g"), json!("h"), json!(["g", "h"]), json!(["h", "i"]), Value::Null];
        let mut events: Vec<_> = events
            .into_iter()
            .map(|(category, second, at)| (["a", "b", "x", "c"][category], second, host[at].clone()))
            .collect();
        events.sort_by_key(|(_, second, _)| *second);
        let (alerts, breaks) = hosts(&events, query);
        let there = |category: &str| events.iter().any(|one| one.0 == category && !one.2.is_null());
        if alerts == 0 && there("a") && there("b") {
            proptest::prop_assert!(!breaks.is_empty(), "{} {:?}", query, events);
        }
    }
}

#[test]
fn stages_without_events_show_the_closest_and_events_without_keys_are_counted() {
    let query = "sequence by host.id [a where true] [b where process.name == \"x\" and process.pid == 1]";
    let events = [
        json!({"@timestamp": "2026-01-01T00:00:00Z", "event.category": "a"}),
        json!({"@timestamp": "2026-01-01T00:00:01Z", "event.category": "b", "host.id": "h", "process.pid": 2}),
        json!({"@timestamp": "2026-01-01T00:00:02Z", "event.category": "b", "host.id": "h", "process.name": "x"}),
    ];
    let explanation = explained(&rule("eql", query), &events, &ExplainOptions::default());
    let [first, second] = explanation.stages.as_slice() else { panic!("two stages") };
    assert_eq!((first.matched, first.without_key, second.matched), (1, 1, 0));
    assert_eq!(second.nearest.len(), 1);
    assert_eq!((second.nearest[0].place.as_str(), second.nearest[0].distance), ("e:3", 1));
}

#[test]
fn the_nearest_of_many_events_are_found() {
    let event = |pid: i64| {
        let name = if pid == 777 { "almost" } else { "no" };
        json!({"event.category": "process", "process": {"pid": pid, "name": name}})
    };
    let events: Vec<Value> = (0..1_000).map(event).collect();
    let options = ExplainOptions { nearest: true, events_max: 2, ..ExplainOptions::default() };
    let query = "process where process.pid == 5000 and process.name == \"almost\"";
    let explanation = explained(&rule("eql", query), &events, &options);
    let found: Vec<_> =
        explanation.events.iter().map(|event| (event.place.as_str(), event.distance)).collect();
    assert_eq!(found, [("e:778", 1), ("e:1", 2)]);
}

#[test]
fn groups_say_how_many_events_count() {
    let check = |own: Value, expected: &str| {
        let mut rule = json!({"rule_id": "r", "name": "R", "description": "d", "severity": "low", "risk_score": 1,
            "query": "event.outcome: failure", "index": ["logs-*"]});
        rule.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
        let rule = parse_json(&Arc::new(Source::new("rule.json", rule.to_string()))).rules.remove(0);
        let event = |outcome: &str| {
            json!({"@timestamp": "2026-01-01T00:00:00Z", "_index": "logs-a", "event": {"outcome": outcome},
                   "host": {"name": "h"}})
        };
        let events = [event("failure"), event("success")];
        let text = render(&explained(&rule, &events, &ExplainOptions::default()), &Plain);
        assert!(text.contains(expected), "{text}");
    };
    let threshold =
        |value: u64| json!({"type": "threshold", "threshold": {"field": ["host.name"], "value": value}});
    check(threshold(1), "1 alert from 2 events");
    check(threshold(2), "no alert: 1 of 2 events count, and no run sees enough of one group");
    let new_terms = |field: &str| json!({"type": "new_terms", "new_terms_fields": [field], "history_window_start": "now-7d"});
    check(new_terms("host.name"), "1 alert from 2 events");
    check(new_terms("user.name"), "no alert: 1 of 2 events match, and no run sees new terms");
    let esql = |query: &str| json!({"type": "esql", "language": "esql", "query": query, "index": []});
    check(esql("FROM logs-* METADATA _id | WHERE event.outcome == \"failure\""), "1 alert from 2 events");
    check(
        esql("FROM logs-* | STATS n = COUNT(*) | WHERE n > 9"),
        "no alert: no run over 2 events gives a row",
    );
    let on_rows = esql("FROM logs-* METADATA _id | WHERE LENGTH(event.outcome) > 99");
    check(on_rows, "1 condition in the way, or for the rows to decide");
}
