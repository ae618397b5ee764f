//! Decoding alone, and decoding with brute-force matching, over made-up process events.
//!
//! `cargo bench -p maxspan-engine`

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use maxspan_engine::{CompiledRule, EventInput, RuleSet, RuleSetBuilder, Scratch};
use maxspan_event::{Schema, Slots};

/// How many rules are matched: about as many EQL rules as a large rule set has.
const RULES: usize = 1_000;

fn events() -> Vec<String> {
    let event = |number: usize| {
        format!(
            r#"{{"@timestamp":"2026-01-01T00:00:{:02}Z","event":{{"category":["process"],"type":["start"],"action":"exec"}},
            "host":{{"id":"h{}","os":{{"type":"linux"}}}},"process":{{"name":"tool{number}","pid":{number},"args":["tool{number}","--verbose","/tmp/{number}"],
            "executable":"/usr/bin/tool{number}","parent":{{"name":"sh","pid":1}},"command_line":"tool{number} --verbose /tmp/{number}"}},
            "user":{{"id":"1000","name":"u"}},"message":"{}"}}"#,
            number % 60,
            number % 7,
            "filler ".repeat(150),
        )
    };
    (0..200).map(event).collect()
}

fn rule_set(count: usize) -> RuleSet {
    let mut builder = RuleSetBuilder::new(Schema::built_in());
    for number in 0..count {
        let query = format!(
            "process where host.os.type == \"linux\" and event.type == \"start\" and \
             process.name : (\"bad{number}\", \"worse{number}*\") and not process.parent.name == \"cron\""
        );
        let (tree, _) = maxspan_eql::parse(&query);
        let lowered = tree.map(|tree| {
            let options = maxspan_eql::LowerOptions::default();
            maxspan_eql::lower(&tree, &query, &builder.schema, &mut builder.fields, &options)
        });
        let plan = lowered.and_then(|(plan, _)| plan).expect("the query is sound");
        let timestamp = builder.slot("@timestamp");
        builder.add(CompiledRule::new(plan, timestamp));
    }
    builder.build(true)
}

fn matching(criterion: &mut Criterion) {
    let events = events();
    let bytes: u64 = events.iter().map(|event| event.len() as u64).sum();
    let mut group = criterion.benchmark_group("events");
    group.throughput(Throughput::Bytes(bytes));
    let rules = rule_set(RULES);
    group.bench_function("decode", |bencher| {
        let mut slots = Slots::default();
        bencher.iter(|| {
            events.iter().filter(|event| rules.decoder().decode(event.as_bytes(), &mut slots).is_ok()).count()
        });
    });
    for count in [10, RULES] {
        let rules = rule_set(count);
        let mut scratch = Scratch::default();
        group.bench_function(format!("match {count} rules by brute force"), |bencher| {
            bencher.iter(|| {
                let matches = events.iter().filter(|event| {
                    let input =
                        EventInput { index: None, default_index: "", id: None, source: event.as_bytes() };
                    rules.match_event(&input, &mut scratch).expect("the event is sound").is_some()
                });
                matches.count()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, matching);
criterion_main!(benches);
