//! The way of an event through decoding and matching, for `cargo xtask bench instructions`: made-up events and rules, no
//! input, and the same work in every run. `hot_path decode|match ROUNDS` prints through how many events it went.

#[path = "../benches/made_up/mod.rs"]
mod made_up;

use std::process::ExitCode;

use maxspan_engine::{EventInput, RuleSet, Scratch};
use maxspan_event::Slots;

/// As many rules as one operating system has in a public repository.
const RULES: usize = 400;

const EVENTS: usize = 1_000;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (part, rounds) = match &arguments[..] {
        [part, rounds] => (part.as_str(), rounds.parse().unwrap_or(0)),
        _ => ("", 0),
    };
    let pass: fn(&RuleSet, &[String], usize) -> usize = match part {
        "decode" => decode,
        "match" => matching,
        _ => {
            eprintln!("usage: hot_path decode|match ROUNDS");
            return ExitCode::FAILURE;
        }
    };
    let (rules, events) = (made_up::rule_set(RULES), made_up::mixed(EVENTS));
    // What was found keeps the compiler from leaving the work out.
    let found = pass(&rules, &events, rounds);
    assert!(rounds == 0 || found > 0, "the events have fields, and some rules match");
    println!("{}", rounds * EVENTS);
    ExitCode::SUCCESS
}

/// Fields that the events have.
fn decode(rules: &RuleSet, events: &[String], rounds: usize) -> usize {
    let mut slots = Slots::default();
    let mut found = 0;
    for event in (0..rounds).flat_map(|_| events) {
        rules.decoder().decode(event.as_bytes(), &mut slots).expect("the event is sound");
        found += slots.present().len();
    }
    found
}

/// Events that some rule matches.
fn matching(rules: &RuleSet, events: &[String], rounds: usize) -> usize {
    let mut scratch = Scratch::default();
    let mut found = 0;
    for event in (0..rounds).flat_map(|_| events) {
        let input = EventInput { index: None, default_index: "", id: None, source: event.as_bytes() };
        let matched = rules.match_event(&input, &mut scratch).expect("the event is sound");
        found += usize::from(matched.is_some());
    }
    found
}
