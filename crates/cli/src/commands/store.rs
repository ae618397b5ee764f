//! `maxspan store`: what is in a store, and looking after it.

use std::io::{self, BufWriter, Write};
use std::time::Duration;

use comfy_table::Table;
use indicatif::{DecimalBytes, HumanCount};
use maxspan_event::date::format_millis;
use maxspan_store::maintain::{CompactOptions, StreamInfo};
use maxspan_store::{Store, Streams};
use serde_json::json;

use crate::args::store::{StoreArguments, StoreCommand};
use crate::events::failure;
use crate::exit::{Exit, Failure};
use crate::terminal;
use crate::time;

/// Nanoseconds of a day.
const DAY_NANOS: i64 = 86_400_000_000_000;

pub(crate) fn run(command: &StoreCommand) -> Result<Exit, Failure> {
    match command {
        StoreCommand::Info { what, json } => info(what, *json),
        StoreCommand::Compact { what, keep_hours } => compact(what, *keep_hours),
        StoreCommand::Verify { what } => verify(what),
        StoreCommand::Retain { what, days, keep_hours, now } => {
            let today = time::now(now.as_deref())?.div_euclid(DAY_NANOS);
            let first_day = today - i64::from(*days) + 1;
            retain(what, i32::try_from(first_day).unwrap_or(i32::MIN), *keep_hours)
        }
    }
}

fn open(what: &StoreArguments) -> Result<(Store, Streams), Failure> {
    let store = Store::open(&what.store, what.resources.options()).map_err(failure)?;
    Ok((store, Streams::new(what.index.iter().map(String::as_str))))
}

fn hours(hours: u32) -> Duration {
    Duration::from_secs(u64::from(hours) * 3_600)
}

fn info(what: &StoreArguments, json: bool) -> Result<Exit, Failure> {
    let (store, streams) = open(what)?;
    let found = store.info(&streams).map_err(failure)?;
    let text = if json { json_lines(&found) } else { table(&found) };
    let mut writer = BufWriter::new(io::stdout().lock());
    let written = writer.write_all(text.as_bytes()).and_then(|()| writer.flush());
    written.map_err(Failure::output("the table"))?;
    Ok(Exit::Success)
}

fn json_lines(found: &[StreamInfo]) -> String {
    let line = |one: &StreamInfo| {
        let time = |micros: i64| format_millis(micros.saturating_mul(1_000));
        let object = json!({
            "data_stream": one.name, "events": one.events, "files": one.files, "bytes": one.bytes,
            "days": one.days, "first": one.times.map(|(first, _)| time(first)),
            "last": one.times.map(|(_, last)| time(last)), "without_time": one.untimed, "version": one.version,
        });
        format!("{object}\n")
    };
    found.iter().map(line).collect()
}

fn table(found: &[StreamInfo]) -> String {
    let mut table = Table::new();
    table.load_preset(comfy_table::presets::NOTHING);
    table.set_header(["data stream", "events", "files", "size", "days", "first", "last"]);
    let time = |micros: i64| format_millis(micros.saturating_mul(1_000));
    for one in found {
        table.add_row([
            terminal::printable(&one.name).into_owned(),
            HumanCount(one.events).to_string(),
            HumanCount(one.files).to_string(),
            DecimalBytes(one.bytes).to_string(),
            HumanCount(one.days).to_string(),
            one.times.map_or_else(String::new, |(first, _)| time(first)),
            one.times.map_or_else(String::new, |(_, last)| time(last)),
        ]);
    }
    let sum = |of: fn(&StreamInfo) -> u64| found.iter().map(of).sum::<u64>();
    let (events, files, bytes) = (sum(|one| one.events), sum(|one| one.files), sum(|one| one.bytes));
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    format!(
        "{}\n{} events, {} files, {}\n",
        lines.join("\n"),
        HumanCount(events),
        HumanCount(files),
        DecimalBytes(bytes)
    )
}

fn compact(what: &StoreArguments, keep_hours: u32) -> Result<Exit, Failure> {
    let (store, streams) = open(what)?;
    let options = CompactOptions { keep: hours(keep_hours), ..CompactOptions::default() };
    let counts = store.compact(&streams, options).map_err(failure)?;
    terminal::say(&format!(
        "{} files ({}) became {} ({}), {} events; {} files deleted",
        HumanCount(counts.files_before),
        DecimalBytes(counts.bytes_before),
        HumanCount(counts.files_after),
        DecimalBytes(counts.bytes_after),
        HumanCount(counts.events),
        HumanCount(counts.deleted)
    ));
    Ok(Exit::Success)
}

fn verify(what: &StoreArguments) -> Result<Exit, Failure> {
    let (store, streams) = open(what)?;
    let (counts, problems) = store.verify(&streams, |_| ()).map_err(failure)?;
    for problem in &problems {
        terminal::error(&problem.to_string());
    }
    let more = counts.bad - problems.len() as u64;
    if more > 0 {
        terminal::say(&format!("… and {} more", HumanCount(more)));
    }
    terminal::say(&format!(
        "{} tables, {} files ({}), {} events read; {} damaged",
        HumanCount(counts.tables),
        HumanCount(counts.files),
        DecimalBytes(counts.bytes),
        HumanCount(counts.events),
        HumanCount(counts.bad)
    ));
    Ok(if counts.bad > 0 { Exit::Input } else { Exit::Success })
}

fn retain(what: &StoreArguments, first_day: i32, keep_hours: u32) -> Result<Exit, Failure> {
    let (store, streams) = open(what)?;
    let counts = store.retain(&streams, first_day, hours(keep_hours)).map_err(failure)?;
    terminal::say(&format!(
        "{} events in {} files ({}) dropped; {} files deleted",
        HumanCount(counts.events),
        HumanCount(counts.files),
        DecimalBytes(counts.bytes),
        HumanCount(counts.deleted)
    ));
    Ok(Exit::Success)
}
