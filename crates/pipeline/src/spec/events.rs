//! Events of a case: blocks and files in order, moved in time, repeated, late.

use std::io::Cursor;

use maxspan_event::{date, repair};
use serde_json::{Map, Value};

use super::document::{Case, Events, EventsFrom};
use super::files::SpecFiles;
use crate::input::{InputOptions, Item, ProblemKind, RawEvent, Reader};
use crate::limits::{CASE_BYTES_MAX, CASE_EVENTS_MAX};

/// Dates that move with an event.
const DATES: [&str; 5] = ["@timestamp", "event.start", "event.end", "event.created", "event.ingested"];

/// An event of a case, or what could not be read as one.
#[derive(Debug, Clone)]
pub struct CaseEvent {
    /// The event as rules see it, or the problem.
    pub item: Item,
    /// Its number among the case's events, from 1, in the order in which they are written.
    pub number: u64,
    /// The block of events that it is from.
    pub block: usize,
    /// Nanoseconds since 1970 when it arrives, if any event of the case is late.
    arrival: Option<i64>,
}

/// All events of a case in their order of arrival; or why there are none.
pub(super) fn read(case: &Case, file: &str, files: &dyn SpecFiles) -> Result<Vec<CaseEvent>, String> {
    let mut gathered = Gathered::default();
    for (block, events) in case.events.iter().enumerate() {
        let (reader, first_line) = reader(events, file, files)?;
        // A block without lines is no slip, unlike an empty file.
        let is_empty_block = |item: &Item| {
            let is_empty = matches!(item, Item::Problem(problem) if problem.kind == ProblemKind::Empty);
            is_empty && matches!(events.from, EventsFrom::Block(_))
        };
        let items = reader.take(CASE_EVENTS_MAX + 1).filter(|item| !is_empty_block(item));
        let items: Vec<Item> = items.map(|item| at_line(item, first_line)).collect();
        for turn in 0..events.repeat {
            let by = events.every.saturating_mul(turn as i64).saturating_add(events.shift);
            for item in &items {
                gathered.add(moved(item, by, events.late), block, events.late)?;
            }
        }
    }
    if case.events.iter().any(|events| events.late.is_some()) {
        gathered.in_order_of_arrival();
    }
    Ok(gathered.events)
}

fn reader(events: &Events, file: &str, files: &dyn SpecFiles) -> Result<(Reader, u64), String> {
    match &events.from {
        EventsFrom::Block(block) => {
            let bytes = Cursor::new(block.text.as_bytes().to_vec());
            Ok((Reader::of_bytes(file, bytes, InputOptions::default()), block.line as u64))
        }
        EventsFrom::Link(link) => match files.problem(&link.path) {
            Some(problem) => Err(format!("events {}: {problem}", link.path.display())),
            None => Ok((files.events(&link.path), 1)),
        },
    }
}

/// The item with its line counted in the spec file.
fn at_line(mut item: Item, first_line: u64) -> Item {
    let location = match &mut item {
        Item::Event(event) => &mut event.location,
        Item::Problem(problem) => &mut problem.location,
    };
    if location.line > 0 {
        location.line += first_line - 1;
    }
    item
}

#[derive(Default)]
struct Gathered {
    events: Vec<CaseEvent>,
    bytes: usize,
    number: u64,
}

impl Gathered {
    fn add(&mut self, item: Item, block: usize, late: Option<i64>) -> Result<(), String> {
        let mut arrival = None;
        if let Item::Event(event) = &item {
            self.number += 1;
            self.bytes += event.source.len();
            arrival = timestamp(event).map(|time| time.saturating_add(late.unwrap_or(0)));
        }
        if self.events.len() >= CASE_EVENTS_MAX || self.bytes > CASE_BYTES_MAX {
            return Err(format!(
                "the case has more than {CASE_EVENTS_MAX} events, or {CASE_BYTES_MAX} bytes of them"
            ));
        }
        self.events.push(CaseEvent { item, number: self.number, block, arrival });
        Ok(())
    }

    /// Events without a time arrive with the one before them.
    fn in_order_of_arrival(&mut self) {
        let mut last = i64::MIN;
        for event in &mut self.events {
            last = event.arrival.unwrap_or(last);
            event.arrival = Some(last);
        }
        self.events.sort_by_key(|event| event.arrival);
    }
}

fn timestamp(event: &RawEvent) -> Option<i64> {
    let document = repair::parse(&event.source)?;
    document.get("@timestamp").and_then(instant)
}

fn instant(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => date::parse(text),
        Value::Number(number) => date::parse(&number.to_string()),
        Value::Array(values) => values.first().and_then(instant),
        _ => None,
    }
}

/// The event moved in time, and with `event.ingested` where it is late. What is no JSON object stays as it is.
fn moved(item: &Item, by: i64, late: Option<i64>) -> Item {
    let Item::Event(event) = item else { return item.clone() };
    if by == 0 && late.is_none() {
        return item.clone();
    }
    let Some(Value::Object(mut document)) = repair::parse(&event.source) else { return item.clone() };
    for name in DATES {
        move_date(&mut document, name, by);
    }
    if let (Some(late), Some(time)) = (late, document.get("@timestamp").and_then(instant)) {
        put_ingested(&mut document, time.saturating_add(late));
    }
    let source = Value::Object(document).to_string().into_bytes().into();
    Item::Event(RawEvent { source, ..event.clone() })
}

/// Moves a date wherever the document has it: under its dotted name, or in objects.
fn move_date(members: &mut Map<String, Value>, name: &str, by: i64) {
    if let Some(value) = members.get_mut(name) {
        move_value(value, by);
    }
    if let Some((first, rest)) = name.split_once('.')
        && let Some(Value::Object(inner)) = members.get_mut(first)
    {
        move_date(inner, rest, by);
    }
}

fn move_value(value: &mut Value, by: i64) {
    match value {
        Value::String(text) => {
            if let Some(time) = date::parse(text) {
                *text = formatted(time.saturating_add(by));
            }
        }
        Value::Number(number) => {
            if let Some(millis) = number.as_i64() {
                *value = millis.saturating_add(date::to_millis(by)).into();
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| move_value(value, by)),
        _ => {}
    }
}

fn put_ingested(document: &mut Map<String, Value>, time: i64) {
    if document.contains_key("event.ingested") {
        return;
    }
    match document.get_mut("event") {
        Some(Value::Object(event)) => {
            event.entry("ingested").or_insert_with(|| formatted(time).into());
        }
        _ => {
            document.insert("event.ingested".to_owned(), formatted(time).into());
        }
    }
}

/// ISO 8601 with milliseconds, and what is below them where there is any.
fn formatted(nanos: i64) -> String {
    let text = date::format_millis(nanos);
    let below = nanos.rem_euclid(date::NANOS_PER_MILLI);
    if below == 0 { text } else { format!("{}{below:06}Z", text.trim_end_matches('Z')) }
}

/// The items alone, in order.
pub(super) fn items(events: &[CaseEvent]) -> impl Iterator<Item = &Item> {
    events.iter().map(|event| &event.item)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{MemoryFiles, parse};

    #[test]
    fn events_move_repeat_and_come_late() {
        let check = |blocks: &str, expected: &[(u64, &str)]| {
            let spec = parse("a.md", blocks);
            assert_eq!(spec.diagnostics, []);
            let events = read(&spec.cases[0], "a.md", &MemoryFiles::default()).unwrap();
            let shown: Vec<_> = events
                .iter()
                .map(|event| match &event.item {
                    Item::Event(raw) => (event.number, String::from_utf8_lossy(&raw.source).into_owned()),
                    Item::Problem(problem) => (event.number, problem.kind.name().to_owned()),
                })
                .collect();
            let shown: Vec<_> = shown.iter().map(|(number, text)| (*number, text.as_str())).collect();
            assert_eq!(shown, expected, "{blocks}");
        };
        check("```ndjson events\n{\"a\": 1}\n\n{\"a\":2}\n```", &[(1, "{\"a\": 1}"), (2, "{\"a\":2}")]);
        check(
            "```ndjson events shift=-1h30m\n{\"@timestamp\":\"2026-03-01T10:00:00Z\",\"event\":{\"start\":0,\"kind\":\"x\"},\"event.end\":\"x\"}\n```",
            &[(
                1,
                r#"{"@timestamp":"2026-03-01T08:30:00.000Z","event":{"start":-5400000,"kind":"x"},"event.end":"x"}"#,
            )],
        );
        check(
            "```ndjson events repeat=2 every=1s\n{\"@timestamp\":\"2026-03-01T10:00:00.0000005Z\"}\n```",
            &[
                (1, r#"{"@timestamp":"2026-03-01T10:00:00.0000005Z"}"#),
                (2, r#"{"@timestamp":"2026-03-01T10:00:01.000000500Z"}"#),
            ],
        );
        check(
            "```ndjson events late=90s\n{\"@timestamp\":\"2026-03-01T10:00:00Z\"}\n```\n```ndjson events\n{\"@timestamp\":\"2026-03-01T10:01:00Z\"}\n```",
            &[
                (2, r#"{"@timestamp":"2026-03-01T10:01:00Z"}"#),
                (
                    1,
                    r#"{"@timestamp":"2026-03-01T10:00:00.000Z","event.ingested":"2026-03-01T10:01:30.000Z"}"#,
                ),
            ],
        );
        check("```ndjson events shift=1s\n{\"a\": \n```", &[(0, "malformed")]);
    }
}
