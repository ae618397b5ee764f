//! Matches a second and bytes a key with a million open keys of one sequence, as one line of JSON.
//!
//! ```sh
//! cargo run --release -p maxspan-engine --example open_keys -- [memory|aside] [KEYS] [DOCUMENT_BYTES]
//! ```
//!
//! The rule is `sequence by host.id, process.entity_id` of two stages, without maxspan. Every key gets a match of the
//! first stage, in no order of time; at the end all keys are open but one, which a match of the second stage completes.
//! Measured is the time from `Correlator::push` to the place in the state, sorting included, but not the making of the
//! matches: `seconds` are those of the processor (`/proc/self/schedstat`), so that other work on the machine counts
//! little; where the system does not say them, those of the clock. Bytes are the growth of the process's memory (`/proc/self/statm`) from before the first match to the
//! completed sequence, when all other keys are open: with all that is held, `bytes_a_key`; without what
//! `EventStore` holds of documents, `bytes_a_key_without_documents`. With `memory`, matches and documents stay in
//! memory; with `aside`, what is beyond 24 MiB of matches and 12 MiB of documents goes to a file, as in a hunt.

mod aside;

use std::sync::Arc;
use std::time::Instant;

use aside::resident_bytes;
use maxspan_engine::{
    CompiledRule, Correlator, CorrelatorOptions, KeyValue, Match, MatchBody, RuleId, RuleSet, RuleSetBuilder,
    StepMatch,
};
use maxspan_event::{Event, EventId, Schema};

const QUERY: &str = "sequence by host.id, process.entity_id [process where true] [network where true]";

/// Matches that are made before they are pushed.
const BATCH: usize = 1_000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, default: usize| {
        arguments.get(at).map_or(default, |text| text.parse().expect("an argument is a number"))
    };
    let mode = arguments.first().map_or("aside", String::as_str);
    let (keys, document_bytes) = (number(1, 1_000_000), number(2, 300));
    let goes_aside = mode == "aside";
    let mut options = CorrelatorOptions { sequence_keys: keys, ..CorrelatorOptions::default() };
    if goes_aside {
        (options.buffer_bytes, options.document_bytes) = (24 << 20, 12 << 20);
    }
    let spill = goes_aside.then(aside::aside);
    let rules = rule_set();
    let mut correlator = Correlator::with_spill(&rules, options, spill);
    let before = resident_bytes();
    let push = push_all(&mut correlator, keys, document_bytes);
    let clock = Clock::start();
    let (mut detections, mut grown, mut documents) = (0, 0, 0);
    correlator.finish_into(&mut |events, _| {
        detections += 1;
        grown = resident_bytes().saturating_sub(before);
        documents = events.memory_bytes();
    });
    let seconds = push + clock.seconds();
    assert_eq!((detections, correlator.counters(RuleId(0)).evicted), (1, 0), "all keys but one are open");
    let matches = keys + 1;
    println!(
        "{{\"mode\":\"{mode}\",\"keys\":{keys},\"document_bytes\":{document_bytes},\"seconds\":{seconds:.3},\
         \"push_seconds\":{:.3},\"matches_a_second\":{:.0},\"bytes_a_key\":{:.1},\
         \"bytes_a_key_without_documents\":{:.1},\"bytes_put_aside\":{}}}",
        push,
        matches as f64 / seconds,
        grown as f64 / keys as f64,
        grown.saturating_sub(documents) as f64 / keys as f64,
        correlator.events().spilled_bytes(),
    );
}

fn rule_set() -> RuleSet {
    let mut builder = RuleSetBuilder::new(Schema::built_in());
    let (tree, _) = maxspan_eql::parse(QUERY);
    let tree = tree.expect("the query is sound");
    let options = maxspan_eql::LowerOptions::default();
    let (plan, _) = maxspan_eql::lower(&tree, QUERY, &builder.schema, &mut builder.fields, &options);
    let timestamp = builder.slot("@timestamp");
    builder.add(CompiledRule::new(plan.expect("the query is sound"), timestamp));
    builder.build(false)
}

/// The seconds that it took.
fn push_all(correlator: &mut Correlator, keys: usize, document_bytes: usize) -> f64 {
    let mut took = 0.0;
    let mut batch = Vec::with_capacity(BATCH);
    for from in (0..=keys).step_by(BATCH) {
        batch.extend((from..=keys.min(from + BATCH - 1)).map(|number| made(number, keys, document_bytes)));
        let clock = Clock::start();
        batch.drain(..).for_each(|one| correlator.push(one));
        took += clock.seconds();
    }
    took
}

/// The match of a number: that of the first stage for each key; beyond them, the second stage of key 0.
fn made(number: usize, keys: usize, document_bytes: usize) -> Match {
    // A multiplicative hash: no order of time.
    let second = (number as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
    let (step, key, second) = if number == keys { (1, 0, 1 << 30) } else { (0, number, second) };
    let time = 1_767_225_600_000_000_000 + second as i64 * 1_000_000;
    let text = |text: String| KeyValue::Text(text.into_boxed_str());
    let host = text(format!("{:08x}-0000-4000-8000-00000000abcd", key % 1_000));
    let process = text(format!("{:016x}-{key:08x}-0000000000", key as u64 * 7_919));
    let event = Event {
        index: "logs-endpoint.events.process-default".into(),
        id: EventId::Given(format!("{number:020x}").into()),
        source: vec![b'x'; document_bytes].into(),
        content: number as u64,
        derived_os: None,
        arrival: number as u64,
    };
    Match {
        rule: RuleId(0),
        event: Arc::new(event),
        time: Some(time),
        tiebreaker: None,
        sequence_number: None,
        primary_time: Some(time),
        body: MatchBody::Steps(vec![StepMatch { step, keys: vec![Box::new([host, process])] }]),
    }
}

/// Time of the processor; of the clock, where the system does not say it.
struct Clock {
    started: Instant,
    on_processor: Option<u64>,
}

impl Clock {
    fn start() -> Self {
        Self { started: Instant::now(), on_processor: processor_nanos() }
    }

    fn seconds(&self) -> f64 {
        match (self.on_processor, processor_nanos()) {
            (Some(from), Some(to)) => (to - from) as f64 / 1e9,
            _ => self.started.elapsed().as_secs_f64(),
        }
    }
}

fn processor_nanos() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok()
}
