//! Hostile and broken inputs, rules and exceptions: a clear message with file and line, a count, what is good goes on,
//! and memory stays bounded. The table of cases is [`cases::CASES`]; `docs/hardening.md` shows the same table.

#[path = "../support/mod.rs"]
mod support;

mod cases;
mod make;
mod measure;

use serde_json::Value;
use support::{DEFAULTS_ID, Place, defaults_event, defaults_rule, ndjson};

use cases::{CASES, Case, Other};
use measure::{Measured, measured};

const PAGE: &str = include_str!("../../../../docs/hardening.md");

/// Our rule, and the events that it matches: they stand beside everything that is broken.
fn place() -> Place {
    let place = Place::new();
    let events = [
        defaults_event("2026-03-10T10:00:00.000Z", "mac-1"),
        defaults_event("2026-03-11T11:00:00.000Z", "mac-2"),
    ];
    place.write("rules/defaults.toml", defaults_rule()).write("events.ndjson", ndjson(&events));
    place
}

/// One case: a hunt over what is broken and the good events beside it, then other commands on the same files.
fn check(case: &Case) {
    let place = place();
    (case.make)(&place);
    let mut arguments = vec!["hunt", "--rules", "rules", "--now", "2026-04-01T00:00:00Z"];
    arguments.extend(["--stats", "stats.json", "--verbose"]);
    arguments.extend_from_slice(case.arguments);
    arguments.push("events.ndjson");
    let run = measured(&place, &arguments, case.meanwhile);
    let context = format!("{}: {}\n{}", case.name, arguments.join(" "), run.err);
    assert_eq!(run.code, 0, "{context}");
    assert_bounds(case.name, &run, case.mebibytes, case.seconds);
    for text in case.says {
        assert!(run.err.contains(text), "no {text:?} in {context}");
    }
    let stats: Value = serde_json::from_str(&place.read("stats.json")).expect("stats are JSON");
    for (pointer, expected) in case.counts {
        let found = stats.pointer(pointer).and_then(Value::as_u64);
        assert_eq!(found, Some(*expected), "{pointer} in {stats:#}\n{context}");
    }
    assert!(stats["alerts_by_rule"][DEFAULTS_ID].as_u64() >= Some(2), "no alert on good events: {context}");
    for other in case.others {
        check_other(case, &place, other);
    }
}

fn check_other(case: &Case, place: &Place, other: &Other) {
    let run = measured(place, other.arguments, make::NOTHING);
    let context = format!("{}: {}\n{}{}", case.name, other.arguments.join(" "), run.out, run.err);
    assert_eq!(run.code, other.code, "{context}");
    assert_bounds(case.name, &run, case.mebibytes, case.seconds);
    for text in other.says {
        assert!(run.err.contains(text) || run.out.contains(text), "no {text:?} in {context}");
    }
}

fn assert_bounds(name: &str, run: &Measured, mebibytes: u64, seconds: u64) {
    println!("{name}: {} MiB, {:.1} s", run.peak_bytes >> 20, run.took.as_secs_f64());
    assert!(run.peak_bytes >> 20 <= mebibytes, "{name}: {} MiB at the peak", run.peak_bytes >> 20);
    assert!(run.took.as_secs() <= seconds, "{name}: {:?}", run.took);
}

/// Every case of the group, whatever becomes of the others.
fn check_group(group: &str) {
    let cases: Vec<&Case> = CASES.iter().filter(|case| case.group == group).collect();
    assert!(!cases.is_empty(), "no case in {group}");
    let failed = |case: &&&Case| std::panic::catch_unwind(|| check(case)).is_err();
    let failed: Vec<&str> = cases.iter().filter(failed).map(|case| case.name).collect();
    assert!(failed.is_empty(), "failed, see above: {failed:?}");
}

#[test]
fn events() {
    check_group("events");
}

#[test]
fn files() {
    check_group("files");
}

#[test]
fn rules() {
    check_group("rules");
}

#[test]
fn lookups() {
    check_group("lookups");
}

#[test]
fn every_case_is_in_a_group() {
    assert!(CASES.iter().all(|case| ["events", "files", "rules", "lookups"].contains(&case.group)));
}

/// A reader that goes away ends the program without a word.
#[test]
fn a_closed_pipe() {
    let place = place();
    for arguments in [
        &["hunt", "--rules", "rules", "--quiet", "events.ndjson"][..],
        &["query", "--language", "eql", "any where true", "events.ndjson"],
        &["rules", "check", "rules"],
    ] {
        let mut child = place.command(arguments).spawn().expect("the program starts");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("the program ends");
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((output.status.code(), err.as_str()), (Some(0), ""), "{arguments:?}");
    }
}

/// The page has the table of the cases, line by line.
#[test]
fn the_page_has_every_case() {
    let rows: String = CASES
        .iter()
        .map(|case| format!("| {} | {} | {} |\n", case.name, case.happens, case.counted))
        .collect();
    let table = format!("| case | what happens | counted in |\n|---|---|---|\n{rows}");
    assert!(PAGE.contains(&table), "docs/hardening.md should have:\n\n{table}");
}
