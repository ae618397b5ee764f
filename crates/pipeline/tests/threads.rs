//! Batches hold what the reader gives, and any number of threads and any size of batches give the same output.

use std::fs;
use std::io::{self, Cursor, Read, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use maxspan_diagnostics::Source;
use maxspan_pipeline::diff::{DiffObserver, diff};
use maxspan_pipeline::hunt::{HuntAlert, HuntObserver, HuntOptions, hunt};
use maxspan_pipeline::input::{
    Batch, BatchItem, Counts, InputOptions, InputProblem, InputSpec, Item, Progress, RawEvent, Reader,
};
use maxspan_pipeline::limits::InputLimits;
use maxspan_pipeline::query::{self, QueryOptions};
use maxspan_pipeline::rule_base::{RuleBase, RuleBaseOptions};
use maxspan_rules::{LoadedRules, TomlOptions, parse_toml};
use proptest::prelude::*;
use serde_json::Value;

/// Language and query of rules to which the order of events, their doubles and their places matter; and by what their
/// alerts are folded.
const RULES: [(&str, &str, &str); 7] = [
    ("eql", "any where true", ""),
    ("kuery", "event.category: a", ""),
    ("eql", "sequence by host.id with maxspan=9s [a where true] [b where true]", ""),
    ("eql", "any where descendant of [a where true]", ""),
    ("eql", "any where true", "process.entity_id"),
    ("kuery", "event.category: *", "host.id"),
    ("eql", "sequence with maxspan=9s [a where true] [b where true]", "host.id"),
];

static BASE: LazyLock<RuleBase> = LazyLock::new(|| first_rules(RULES.len()));
static FIRST_TWO: LazyLock<RuleBase> = LazyLock::new(|| first_rules(2));

fn first_rules(count: usize) -> RuleBase {
    let rules = RULES[..count].iter().enumerate().flat_map(|(number, (language, query, group_by))| {
        let rule_type = if *language == "eql" { "eql" } else { "query" };
        let suppression = match *group_by {
            "" => String::new(),
            field => format!(
                "alert_suppression = {{ group_by = ['{field}'], missing_fields_strategy = 'suppress' }}\n"
            ),
        };
        let text = format!(
            "[metadata]\nmaturity = \"production\"\ncreation_date = \"2026/01/01\"\nupdated_date = \"2026/01/01\"\n\
             [rule]\nauthor = [\"t\"]\ndescription = \"d\"\nname = \"Rule {number}\"\nrisk_score = 1\nseverity = \"low\"\n\
             rule_id = \"00000000-0000-4000-8000-00000000000{number}\"\ntype = \"{rule_type}\"\nlanguage = \"{language}\"\n\
             index = [\"*\"]\nmax_signals = 7\ninterval = \"1m\"\nquery = '''{query}'''\n{suppression}"
        );
        parse_toml(&Arc::new(Source::new("rule.toml", text)), &TomlOptions::default()).rules
    });
    let loaded = LoadedRules { rules: rules.collect(), ..LoadedRules::default() };
    let base = RuleBase::new(loaded, &RuleBaseOptions::default());
    assert_eq!(base.documents.len(), count, "{:?}", base.diagnostics);
    base
}

/// Lines and parts of lines; events and what is around them in inputs of all shapes.
const PARTS: [&str; 27] = [
    // Plain lines, most with the same content: doubles are told apart by what came before.
    "{\"@timestamp\":\"2026-01-01T00:00:01Z\",\"event\":{\"category\":\"a\"},\"host\":{\"id\":\"h\"},\"process\":{\"entity_id\":\"p\",\"parent\":{\"entity_id\":\"o\"}}}\n",
    "{\"@timestamp\":\"2026-01-01T00:00:02Z\",\"event\":{\"category\":\"b\"},\"host\":{\"id\":\"h\"},\"process\":{\"entity_id\":\"q\",\"parent\":{\"entity_id\":\"p\"}}}\n",
    "{\"@timestamp\":\"2026-01-01T00:00:03Z\",\"event\":{\"category\":\"a\"},\"host\":{\"id\":\"g\"}}\r\n",
    "{\"_index\":\"i\",\"_id\":\"1\",\"@timestamp\":\"2026-01-01T00:00:04Z\",\"event\":{\"category\":\"b\"}}\n",
    "{\"_index\":\"i\",\"@timestamp\":\"2026-01-01T00:00:04Z\",\"event\":{\"category\":\"b\"}} \n",
    "{\"event\":{\"category\":\"a\"}}\n",
    "{}\n",
    // Lines whose structure is read.
    "{\"event\":{\"category\":\"b\"},\"_id\":\"2\"}\n",
    "{\"a\":1}{\"b\":1}\n",
    "{\"_index\":\"i\",\"_id\":\"3\",\"_source\":{\"event\":{\"category\":\"a\"}}}\n",
    "{\"index\":{\"_index\":\"j\"}}\n",
    "{\"update\":{}}\n",
    "[{\"a\":1},\n{\"event\":{\"category\":\"a\"}}]\n",
    "{\n  \"a\": 1\n}\n",
    "{\"a\":{}\n, \"b\":{} }\n",
    "{\"hits\":{\"hits\":[",
    // Lines that are lost: some the reader refuses, some the decoder.
    "{\"a\":01}\n",
    "{\"a\":\"\\x\"}\n",
    "{\"a\":{\"b\n",
    "{\"a\":}\n",
    "stray\n",
    "]}",
    "{\"a\":\"a line beyond the limit of a document, which is a few hundred bytes in these tests: ...............................................................................................................................................................................................................................\"}\n",
    // What is between them.
    "\n",
    "  ",
    "\u{feff}",
    ",",
];

/// Texts of several lines; the first part starts plainly more often than not, so that lines can be trusted.
fn text() -> impl Strategy<Value = String> {
    let plain = proptest::sample::select(PARTS[..7].to_vec());
    let part = prop_oneof![6 => plain.clone(), 2 => proptest::sample::select(PARTS.to_vec())];
    let first = prop_oneof![6 => plain, 2 => proptest::sample::select(PARTS.to_vec())];
    (first, proptest::collection::vec(part, 0..40), any::<bool>()).prop_map(|(first, parts, cut)| {
        let text = first.to_owned() + &parts.concat();
        let end = if cut { text.trim_end().len() } else { text.len() };
        text[..end].to_owned()
    })
}

/// Some files, plain and compressed, one of them possibly cut off.
fn files() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let file = (text(), 0..4_u8).prop_map(|(text, packing)| match packing {
        0 => gzip(text.as_bytes()),
        1 => {
            let mut packed = gzip(text.as_bytes());
            packed.truncate(packed.len() - 5);
            packed
        }
        _ => text.into_bytes(),
    });
    proptest::collection::vec(file, 1..4)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("writing to memory");
    encoder.finish().expect("writing to memory")
}

fn options(batch_bytes: usize) -> InputOptions {
    let limits = InputLimits { batch_bytes, document_bytes_max: 250, ..InputLimits::default() };
    InputOptions { limits }
}

/// The files in a folder that lives as long as the first of the pair.
fn written(files: &[Vec<u8>]) -> (tempfile::TempDir, InputSpec) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let write = |(number, bytes): (usize, &Vec<u8>)| -> PathBuf {
        let path = folder.path().join(format!("{number}.ndjson"));
        fs::write(&path, bytes).expect("a file");
        path
    };
    let paths: Vec<PathBuf> = files.iter().enumerate().map(write).collect();
    let spec = InputSpec::new(&paths);
    (folder, spec)
}

fn in_batches(mut reader: Reader) -> (Vec<Item>, Counts, Progress) {
    let (mut batch, mut items) = (Batch::default(), Vec::new());
    while reader.batch(&mut batch) {
        assert!(batch.iter().next().is_some(), "a batch holds something");
        items.extend(batch.iter().map(|item| match item {
            BatchItem::Event(event) => Item::Event(event.to_raw()),
            BatchItem::Problem(problem) => Item::Problem(problem.clone()),
        }));
    }
    (items, reader.counts(), reader.progress())
}

fn one_by_one(mut reader: Reader) -> (Vec<Item>, Counts, Progress) {
    let items = reader.by_ref().collect();
    (items, reader.counts(), reader.progress())
}

/// All that a hunt tells, as text.
#[derive(Default)]
struct Told {
    lines: Vec<String>,
    watched: bool,
}

impl HuntObserver for Told {
    fn alert(&mut self, alert: HuntAlert) {
        let document = alert.alert.document.to_json();
        let arrivals: Vec<_> = alert.events.iter().flatten().map(|event| event.arrival).collect();
        self.lines.push(format!("{document} {arrivals:?}"));
    }

    fn watches_events(&self) -> bool {
        self.watched
    }

    fn event(&mut self, event: &RawEvent) {
        assert!(self.watched);
        self.lines.push(format!("{event:?}"));
    }

    fn problem(&mut self, problem: &InputProblem) {
        self.lines.push(format!("{problem:?}"));
    }
}

fn hunted(spec: &InputSpec, threads: usize, batch_bytes: usize, watched: bool) -> (Vec<String>, Value) {
    let mut reader = Reader::open(spec, options(batch_bytes));
    let mut told = Told { watched, ..Told::default() };
    let options = HuntOptions { threads, ..HuntOptions::default() };
    let stats = hunt(&BASE, &mut reader, &options, &mut told);
    let mut stats = serde_json::to_value(&stats).expect("numbers and names");
    stats["seconds"].take();
    (told.lines, stats)
}

fn answered(spec: &InputSpec, threads: usize, batch_bytes: usize) -> String {
    let mut reader = Reader::open(spec, options(batch_bytes));
    let options = QueryOptions { threads, ..QueryOptions::default() };
    let text = "sequence with maxspan=9s [any where true] [any where true]";
    let answer = query::run(text, &mut reader, &options).expect("the query is sound");
    let hits = &answer.response["hits"];
    format!("{hits} {:?} {:?} {}", answer.problems, answer.events_lost, answer.events)
}

/// Problems of a comparison, told as it goes.
#[derive(Default)]
struct Problems(Vec<String>);

impl DiffObserver for Problems {
    fn problem(&mut self, problem: &InputProblem) {
        self.0.push(format!("{problem:?}"));
    }
}

/// The comparison of the rules with the first two of them, with the places of samples.
fn compared(spec: &InputSpec, threads: usize, batch_bytes: usize) -> (Value, Vec<String>) {
    let mut reader = Reader::open(spec, options(batch_bytes));
    let options = HuntOptions { threads, ..HuntOptions::default() };
    let mut problems = Problems::default();
    let found = diff(&FIRST_TWO, &BASE, &mut reader, &options, 5, &mut problems);
    let mut found = serde_json::to_value(&found).expect("numbers and names");
    found["old"]["seconds"].take();
    found["new"]["seconds"].take();
    (found, problems.0)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn batches_hold_what_the_reader_gives(files in files(), batch_bytes in 1..600_usize) {
        let (_folder, spec) = written(&files);
        let opened = |batch_bytes: usize| Reader::open(&spec, options(batch_bytes));
        let expected = one_by_one(opened(1));
        prop_assert_eq!(&in_batches(opened(batch_bytes)), &expected);
        prop_assert_eq!(&in_batches(opened(256 << 10)), &expected);
        let stream = || Reader::of_bytes("x", Cursor::new(files[0].clone()), options(batch_bytes));
        prop_assert_eq!(in_batches(stream()), one_by_one(stream()));
    }

}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_output_does_not_depend_on_threads_and_batches(
        files in files(),
        threads in 2..5_usize,
        batch_bytes in 1..1000_usize,
    ) {
        let (_folder, spec) = written(&files);
        for watched in [false, true] {
            let expected = hunted(&spec, 1, 256 << 10, watched);
            prop_assert_eq!(&hunted(&spec, 1, batch_bytes, watched), &expected);
            prop_assert_eq!(&hunted(&spec, threads, batch_bytes, watched), &expected);
        }
        prop_assert_eq!(compared(&spec, threads, batch_bytes), compared(&spec, 1, 256 << 10));
        prop_assert_eq!(answered(&spec, threads, batch_bytes), answered(&spec, 1, 256 << 10));
    }
}

/// The same events over and over, enough for thousands of batches.
#[test]
fn many_batches_keep_their_order() {
    let text = PARTS[..8].concat().repeat(500);
    let (_folder, spec) = written(&[text.into_bytes()]);
    let expected = hunted(&spec, 1, 256 << 10, false);
    assert_eq!(expected.1["events"], 4_000);
    for threads in [2, 3, 16] {
        assert_eq!(hunted(&spec, threads, 100, false), expected, "{threads} threads");
    }
}

/// Panics where it is told to.
struct Panics {
    lines: Cursor<String>,
    at: u64,
}

impl Read for Panics {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        assert!(self.lines.position() < self.at, "this read fails");
        let count = buffer.len().min(100);
        self.lines.read(&mut buffer[..count])
    }
}

impl HuntObserver for Panics {
    fn alert(&mut self, _alert: HuntAlert) {}

    fn watches_events(&self) -> bool {
        true
    }

    fn event(&mut self, event: &RawEvent) {
        assert!(event.location.line < self.at, "this event fails");
    }
}

#[test]
fn a_panic_of_the_input_or_the_observer_is_that_of_the_hunt() {
    let check = |read_at: u64, event_at: u64, expected: &str| {
        for threads in 1..5 {
            let lines = Cursor::new("{}\n".repeat(1000));
            let mut reader = Reader::of_bytes("x", Panics { lines, at: read_at }, options(50));
            let options = HuntOptions { threads, ..HuntOptions::default() };
            let mut observer = Panics { lines: Cursor::default(), at: event_at };
            let run = || hunt(&BASE, &mut reader, &options, &mut observer);
            let panic = catch_unwind(AssertUnwindSafe(run)).expect_err("a panic");
            assert_eq!(panic.downcast_ref::<&str>(), Some(&expected), "{threads} threads");
        }
    };
    check(1500, u64::MAX, "this read fails");
    check(u64::MAX, 300, "this event fails");
    check(u64::MAX, 1000, "this event fails");
}

/// A damaged stream gives what was unpacked before the read that meets the damage; where that begins must not depend on
/// how much is asked for.
#[test]
fn damage_costs_the_same_events_in_batches_of_any_size() {
    let packed = gzip("{\"a\":1}\n".repeat(60_000).as_bytes());
    for damage in (packed.len() / 4..packed.len() - 20).step_by(97) {
        let mut damaged = packed.clone();
        damaged[damage..].fill(0xff);
        let (_folder, spec) = written(&[damaged]);
        let whole = one_by_one(Reader::open(&spec, options(1))).0;
        for batch_bytes in [100, 5_000, 64 << 10, 100_000] {
            let items = in_batches(Reader::open(&spec, options(batch_bytes))).0;
            assert!(items == whole, "{damage}, {batch_bytes}: {} of {}", items.len(), whole.len());
        }
    }
}
