//! Decoding of made-up events, a kind at a time: the forty fields that rules ask for most.
//!
//! `cargo bench -p maxspan-event`

mod made_up;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use maxspan_event::{Decoder, Fields, Schema, Slots};

const FIELDS: [&str; 40] = [
    "@timestamp",
    "agent.type",
    "cloud.account.id",
    "data_stream.dataset",
    "destination.domain",
    "destination.ip",
    "destination.port",
    "dns.question.name",
    "event.action",
    "event.category",
    "event.code",
    "event.dataset",
    "event.kind",
    "event.module",
    "event.outcome",
    "event.provider",
    "event.type",
    "file.extension",
    "file.name",
    "file.path",
    "host.id",
    "host.name",
    "host.os.type",
    "network.direction",
    "process.args",
    "process.args_count",
    "process.command_line",
    "process.entity_id",
    "process.executable",
    "process.name",
    "process.parent.args",
    "process.parent.executable",
    "process.parent.name",
    "process.pe.original_file_name",
    "registry.data.strings",
    "registry.path",
    "source.ip",
    "user.domain",
    "user.id",
    "user.name",
];

/// Events of one kind in a pass.
const EVENTS: usize = 200;

fn decode(criterion: &mut Criterion) {
    let schema = Schema::built_in();
    let mut fields = Fields::default();
    for name in FIELDS {
        fields.slot(&schema.field(name));
    }
    let decoder = Decoder::new(fields, schema);
    let mut group = criterion.benchmark_group("decode");
    for (kind, event) in made_up::KINDS {
        let events: Vec<String> = (0..EVENTS).map(event).collect();
        group.throughput(Throughput::Bytes(events.iter().map(|event| event.len() as u64).sum()));
        group.bench_function(kind, |bencher| {
            let mut slots = Slots::default();
            bencher.iter(|| {
                for event in &events {
                    decoder.decode(event.as_bytes(), &mut slots).expect("the event is sound");
                }
                slots.present().len()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, decode);
criterion_main!(benches);
