//! `maxspan import`: events into a store.

use std::sync::Arc;
use std::time::Instant;

use indicatif::{DecimalBytes, HumanCount};
use maxspan_pipeline::input::{Batch, BatchItem, InputProblem, ProblemKind, Reader};
use maxspan_store::{ImportCounts, Importer, NewEvent, Store, StoreError};

use crate::args::store::ImportArguments;
use crate::events::{self, failure};
use crate::exit::{Exit, Failure};
use crate::output::reading::Reading;
use crate::terminal;

pub(crate) fn run(arguments: &ImportArguments) -> Result<Exit, Failure> {
    let started = Instant::now();
    let store = Store::create(&arguments.store, arguments.resources.options()).map_err(failure)?;
    let mut importer = Importer::new(Arc::new(store));
    let mut reader = events::reader(&arguments.inputs);
    let mut reading = Reading::new(arguments.quiet);
    let read = read(&mut reader, &mut importer, &mut reading);
    let (counts, written) = importer.finish();
    let problems = reading.close();
    if !arguments.quiet {
        terminal::say(&summary(&counts, &reader, problems, started.elapsed().as_secs_f64()));
    }
    read.and(written).map_err(failure)?;
    let unreadable = counts.stored + counts.duplicates == 0 && problems > 0;
    Ok(if unreadable { Exit::Input } else { Exit::Success })
}

fn read(reader: &mut Reader, importer: &mut Importer, reading: &mut Reading) -> Result<(), StoreError> {
    let (mut batch, mut events) = (Batch::default(), 0);
    while reader.batch(&mut batch) {
        for item in batch.iter() {
            let event = match item {
                BatchItem::Event(event) => event,
                BatchItem::Problem(problem) => {
                    reading.problem(problem);
                    continue;
                }
            };
            events += 1;
            let new = NewEvent {
                index: event.index.filter(|index| !index.is_empty()),
                id: event.id.filter(|id| !id.is_empty()),
                source: event.source,
            };
            if let Err(error) = importer.push(&new)? {
                let mut location = event.location();
                location.line += (error.line as u64).saturating_sub(1);
                let column = (error.column > 0).then_some(error.column as u64);
                let kind = ProblemKind::Malformed;
                reading.problem(&InputProblem { location, column, kind, message: error.message });
            }
        }
        reading.progress(batch.progress(), events);
    }
    Ok(())
}

fn summary(counts: &ImportCounts, reader: &Reader, problems: u64, seconds: f64) -> String {
    let read = reader.counts();
    let rate = DecimalBytes((read.bytes_decompressed as f64 / seconds.max(0.001)) as u64);
    let mut lines = vec![format!(
        "{} events read ({}), {} stored, {} known already; {rate}/s, {seconds:.1} s",
        HumanCount(read.events),
        DecimalBytes(read.bytes_decompressed),
        HumanCount(counts.stored),
        HumanCount(counts.duplicates),
    )];
    lines.push(format!(
        "{} in {} files, {} commits",
        DecimalBytes(counts.file_bytes),
        HumanCount(counts.files),
        HumanCount(counts.commits)
    ));
    if problems > 0 {
        lines.push(format!("{} problems with the input", HumanCount(problems)));
    }
    if counts.streams_over_limit > 0 {
        let count = HumanCount(counts.streams_over_limit);
        lines.push(format!(
            "{count} events went to the table for all others: there are too many data streams"
        ));
    }
    lines.join("\n")
}
