//! Indicators and events a second, and bytes an indicator, with a million indicators of one rule, as one line of JSON.
//!
//! ```sh
//! cargo run --release -p maxspan-engine --example many_indicators -- [INDICATORS] [EVENTS] [HASHES] [STATE_MIB]
//! ```
//!
//! The rule joins `file.hash.sha256` with `threat.indicator.file.hash.sha256` (with `HASHES` 3 also `md5` and `sha1`),
//! every hour over the last 65 minutes, with indicators of the last 30 days. Indicators come in the order of their time,
//! spread over the days before the events; the events all lie in the last hour, and one in a thousand has the value of an
//! indicator. The state has `STATE_MIB` (128 unless told, which is a hunt's share of 256 MiB), and nothing may be left
//! out of it. Documents and matches beyond 24 MiB and 12 MiB go to a file, as in a hunt. `seconds` are those of the clock,
//! from the first event to the last detection, decoding included. Bytes are the growth of the process's memory
//! (`/proc/self/statm`) from before the first indicator to the first detection, less what is held of documents.

mod aside;

use std::time::Instant;

use aside::{aside, resident_bytes};
use maxspan_engine::{
    CompiledRule, Correlator, CorrelatorOptions, EventInput, Occurrences, RuleId, RuleSet, RuleSetBuilder,
    Scratch,
};
use maxspan_event::{FieldType, Schema, date};
use maxspan_plan::{
    Indicators, JoinForm, MappingEntry, Plan, PlanKind, Predicate, RunBound, Step, TestKind, Windows,
};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
const HASHES: [&str; 3] = ["sha256", "sha1", "md5"];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, default: usize| {
        arguments.get(at).map_or(default, |text| text.parse().expect("an argument is a number"))
    };
    let (indicators, events, hashes) = (number(0, 1_000_000), number(1, 100_000), number(2, 1).clamp(1, 3));
    let options = CorrelatorOptions {
        buffer_bytes: 24 << 20,
        document_bytes: 12 << 20,
        state_bytes: number(3, 128) << 20,
        ..CorrelatorOptions::default()
    };
    let rules = rule_set(hashes);
    let mut correlator = Correlator::with_spill(&rules, options, Some(aside()));
    let mut work = (Scratch::default(), Occurrences::default());
    let before = resident_bytes();
    let started = Instant::now();
    for number in 0..indicators {
        let source = indicator(number, indicators, hashes);
        push(&rules, &mut correlator, &mut work, ("ti-a", number), &source);
    }
    for number in 0..events {
        let source = event(number, events, indicators);
        push(&rules, &mut correlator, &mut work, ("logs-a", number), &source);
    }
    let (mut detections, mut grown) = (0, 0);
    correlator.finish_into(&mut |events, _| {
        if detections == 0 {
            grown = resident_bytes().saturating_sub(before).saturating_sub(events.memory_bytes());
        }
        detections += 1;
    });
    let seconds = started.elapsed().as_secs_f64();
    assert_eq!((detections, correlator.counters(RuleId(0)).evicted), (events.div_ceil(1_000), 0));
    println!(
        "{{\"indicators\":{indicators},\"events\":{events},\"hashes\":{hashes},\"seconds\":{seconds:.3},\
         \"documents_a_second\":{:.0},\"bytes_an_indicator\":{:.1},\"bytes_put_aside\":{}}}",
        (indicators + events) as f64 / seconds,
        grown as f64 / indicators as f64,
        correlator.events().spilled_bytes(),
    );
}

fn rule_set(hashes: usize) -> RuleSet {
    let mut builder = RuleSetBuilder::new(Schema::built_in());
    let timestamp = builder.slot("@timestamp");
    let mut groups = Vec::new();
    for hash in &HASHES[..hashes] {
        let event = builder.slot(&format!("file.hash.{hash}"));
        let indicator = builder.slot(&format!("threat.indicator.file.hash.{hash}"));
        let form = JoinForm::Text;
        groups.push(vec![MappingEntry { event, indicator, form, exact: true, negated: false }]);
    }
    let has = |builder: &mut RuleSetBuilder, name: &str| {
        let predicate = Predicate::test(builder.slot(name), TestKind::Exists);
        Step { predicate, missing: false, keys: Vec::new() }
    };
    let steps =
        vec![has(&mut builder, "file.hash.sha256"), has(&mut builder, "threat.indicator.file.hash.sha256")];
    let plan = Indicators {
        steps,
        indices: maxspan_event::index::IndexPatterns::new(["ti-*"]),
        groups: Indicators::groups(groups),
        bounds: vec![RunBound::Since {
            slot: timestamp,
            kind: FieldType::Date,
            after: false,
            moment: "now-30d/d".to_owned(),
        }],
        windows: Windows::every(HOUR_MS, -65 * 60_000, 0),
    };
    let mut rule = CompiledRule::new(Plan::new(PlanKind::Indicators(Box::new(plan))), timestamp);
    rule.indices = maxspan_event::index::IndexPatterns::new(["logs-*"]);
    builder.add(rule);
    builder.build(false)
}

fn push(
    rules: &RuleSet,
    correlator: &mut Correlator,
    (scratch, occurrences): &mut (Scratch, Occurrences),
    (index, number): (&str, usize),
    source: &str,
) {
    let id = number.to_string();
    let input =
        EventInput { index: Some(index), default_index: "", id: Some(&id), source: source.as_bytes() };
    let matched = rules.match_event(&input, scratch).expect("the document is sound");
    for found in matched.into_iter().flat_map(|matched| occurrences.settle(matched, 0)) {
        correlator.push(found);
    }
}

/// Half past nine of a day: the events lie in the hour before.
const NOW_MS: i64 = 1_767_258_000_000;

/// Indicators of the 29 days before the events.
fn indicator(number: usize, of: usize, hashes: usize) -> String {
    let at = NOW_MS - 30 * DAY_MS + (number as i64 * (29 * DAY_MS / of as i64));
    let hashes: Vec<String> =
        HASHES[..hashes].iter().map(|hash| format!("\"{hash}\":\"{number:064x}\"")).collect();
    format!(
        "{{\"@timestamp\":\"{}\",\"event\":{{\"kind\":\"enrichment\"}},\"threat\":{{\"indicator\":{{\"type\":\"file\",\
         \"provider\":\"a feed\",\"file\":{{\"hash\":{{{}}}}}}}}}}}",
        date::format_millis(date::from_millis(at)),
        hashes.join(",")
    )
}

/// Events of one hour; one in a thousand has the value of an indicator.
fn event(number: usize, of: usize, indicators: usize) -> String {
    let at = NOW_MS - HOUR_MS + (number as i64 * (HOUR_MS / of as i64));
    let hash = if number.is_multiple_of(1_000) { number * 7 % indicators } else { indicators + number };
    format!(
        "{{\"@timestamp\":\"{}\",\"n\":{number},\"file\":{{\"hash\":{{\"sha256\":\"{hash:064x}\"}}}}}}",
        date::format_millis(date::from_millis(at))
    )
}
