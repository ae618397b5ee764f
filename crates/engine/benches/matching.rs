//! Decoding alone, and decoding with matching against few and many rules, over made-up events of several kinds.
//!
//! `cargo bench -p maxspan-engine`

mod made_up;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use maxspan_engine::{EventInput, Scratch};
use maxspan_event::Slots;

/// From one rule to more than any public repository has.
const RULES: [usize; 4] = [1, 100, 1_000, 3_000];

const EVENTS: usize = 200;

fn matching(criterion: &mut Criterion) {
    let events = made_up::mixed(EVENTS);
    let mut group = criterion.benchmark_group("events");
    group.throughput(Throughput::Bytes(events.iter().map(|event| event.len() as u64).sum()));
    for count in RULES {
        let rules = made_up::rule_set(count);
        group.bench_function(format!("decode the fields of {count} rules"), |bencher| {
            let mut slots = Slots::default();
            bencher.iter(|| {
                let sound = |event: &&String| rules.decoder().decode(event.as_bytes(), &mut slots).is_ok();
                events.iter().filter(sound).count()
            });
        });
        group.bench_function(format!("match {count} rules"), |bencher| {
            let mut scratch = Scratch::default();
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
