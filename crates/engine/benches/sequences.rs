//! Matches into the state of a sequence: held back, put in order, taken.
//!
//! `cargo bench -p maxspan-engine --bench sequences`

use std::sync::Arc;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use maxspan_engine::{
    CompiledRule, Correlator, CorrelatorOptions, KeyValue, Match, MatchBody, RuleId, RuleSet, RuleSetBuilder,
    StepMatch,
};
use maxspan_event::{Event, EventId, Schema};

/// Matches of one run.
const MATCHES: usize = 10_000;

const QUERIES: [(&str, &str); 4] = [
    ("open", "sequence by host.id, process.entity_id [a where true] [b where true]"),
    ("maxspan", "sequence by host.id, process.entity_id with maxspan=1m [a where true] [b where true]"),
    ("missing", "sequence by host.id, process.entity_id with maxspan=1m [a where true] ![b where true]"),
    ("sample", "sample by host.id, process.entity_id [a where true] [b where true]"),
];

fn rule_set(query: &str) -> RuleSet {
    let mut builder = RuleSetBuilder::new(Schema::built_in());
    let (tree, _) = maxspan_eql::parse(query);
    let tree = tree.expect("the query is sound");
    let options = maxspan_eql::LowerOptions::default();
    let (plan, _) = maxspan_eql::lower(&tree, query, &builder.schema, &mut builder.fields, &options);
    let timestamp = builder.slot("@timestamp");
    builder.add(CompiledRule::new(plan.expect("the query is sound"), timestamp));
    builder.build(false)
}

/// Every fourth key gets its second stage; the order of arrival is not that of time.
fn matches() -> Vec<Match> {
    let one = |number: usize| {
        let step = usize::from(number % 5 == 4);
        let key = if step == 1 { number - 4 } else { number };
        let second = (number * 7_919) % MATCHES;
        let time = Some(1_767_225_600_000_000_000 + second as i64 * 50_000_000);
        let text = |text: String| KeyValue::Text(text.into_boxed_str());
        let keys = [text(format!("host-{}", key % 100)), text(format!("process-{key:032x}"))];
        let event = Event {
            index: "logs-test".into(),
            id: EventId::Given(number.to_string().into()),
            source: vec![b'x'; 1_000].into(),
            content: number as u64,
            derived_os: None,
            arrival: number as u64,
        };
        let body = MatchBody::Steps(vec![StepMatch { step, keys: vec![Box::new(keys)] }]);
        let (event, rule) = (Arc::new(event), RuleId(0));
        Match { rule, event, time, tiebreaker: None, sequence_number: None, primary_time: time, body }
    };
    (0..MATCHES).map(one).collect()
}

fn sequences(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sequences");
    group.throughput(Throughput::Elements(MATCHES as u64));
    let matches = matches();
    for (name, query) in QUERIES {
        let rules = rule_set(query);
        group.bench_function(name, |bencher| {
            let setup = || (Correlator::new(&rules, CorrelatorOptions::default()), matches.clone());
            let run = |(mut correlator, matches): (Correlator, Vec<Match>)| {
                for one in matches {
                    correlator.push(one);
                }
                correlator.finish().len()
            };
            bencher.iter_batched(setup, run, BatchSize::LargeInput);
        });
    }
    group.finish();
}

criterion_group!(benches, sequences);
criterion_main!(benches);
