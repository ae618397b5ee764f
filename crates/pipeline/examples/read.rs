//! Reads the given files and folders (`-` is standard input) to the end and says what was in them, and how fast.
//!
//! `cargo run --release -p maxspan-pipeline --example read -- events.ndjson.gz`

use std::time::Instant;

use maxspan_pipeline::input::{InputOptions, InputSpec, Item, Reader};

/// Problems shown one by one; all are counted.
const PROBLEMS_SHOWN_MAX: usize = 20;

fn main() {
    let started = Instant::now();
    let mut reader = Reader::open(&InputSpec::new(std::env::args_os().skip(1)), InputOptions::default());
    let mut source_bytes = 0_u64;
    let mut shown = 0;
    for item in reader.by_ref() {
        match item {
            Item::Event(event) => source_bytes += event.source.len() as u64,
            Item::Problem(problem) if shown < PROBLEMS_SHOWN_MAX => {
                shown += 1;
                let (place, kind) = (&problem.location, problem.kind.name());
                println!("{}:{}: {kind}: {}", place.file, place.line, problem.message);
            }
            Item::Problem(_) => {}
        }
    }
    let (counts, seconds) = (reader.counts(), started.elapsed().as_secs_f64());
    let speed = counts.bytes_decompressed as f64 / 1e6 / seconds;
    println!("{} events, {source_bytes} bytes, of {} files in {seconds:.2} s", counts.events, counts.files);
    println!(
        "{} bytes stored, {} decompressed: {speed:.0} MB/s",
        counts.bytes_compressed, counts.bytes_decompressed
    );
    for (kind, count) in counts.problems() {
        println!("{count} {}", kind.name());
    }
}
