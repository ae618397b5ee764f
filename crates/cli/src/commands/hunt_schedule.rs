//! When the rules of a hunt run: the flags of [`ScheduleArguments`](crate::args::schedule::ScheduleArguments) as options, and
//! the records that are kept.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use maxspan_event::date::format_millis;
use maxspan_pipeline::executions::Covered;
use maxspan_pipeline::last_time::last_time;
use maxspan_rules::{CompileOptions, LoadedRules, Runs};
use serde_json::{Map, Value};

use crate::args::HuntArguments;
use crate::args::schedule::ScheduleMode;
use crate::events;
use crate::exit::Failure;
use crate::output::summary::counted;
use crate::terminal;
use crate::time;

/// Records of executions: what `--executions` and the store get.
pub(super) struct Records {
    file: Option<BufWriter<File>>,
    /// For the store, by index and id.
    kept: Option<Vec<(String, String, String)>>,
    failed: Option<io::Error>,
}

/// How rules are compiled, as far as the schedule says it.
pub(super) fn compile_options(
    arguments: &HuntArguments,
    rules: &LoadedRules,
    now: i64,
) -> Result<CompileOptions, Failure> {
    let (from, to) = (arguments.window.from.as_deref(), arguments.window.to.as_deref());
    let window = time::window(from, to, now)?;
    let options = CompileOptions { now, window, ..CompileOptions::default() };
    match arguments.schedule.schedule {
        ScheduleMode::Once => {
            Ok(CompileOptions { runs: Runs::Once, window: Some(once(arguments, window)?), ..options })
        }
        ScheduleMode::Rule if arguments.schedule.catch_up => {
            let from = covered(arguments, rules, now)?;
            Ok(CompileOptions { window: Some((from.unwrap_or(i64::MIN), now)), due: Some(now), ..options })
        }
        ScheduleMode::Rule => Ok(options),
    }
}

/// From where on, or without a start, and the moment of the only run.
fn once(arguments: &HuntArguments, window: Option<(i64, i64)>) -> Result<(i64, i64), Failure> {
    if arguments.schedule.catch_up {
        return Err(Failure::usage("--catch-up goes by the runs of schedules: leave out --schedule once"));
    }
    let (from, to) = window.unwrap_or((i64::MIN, i64::MAX));
    if to != i64::MAX {
        return Ok((from, to));
    }
    let last = match &arguments.store {
        Some(store) => events::last_time(store)?,
        None if arguments.inputs.iter().any(|path| path == Path::new("-")) => {
            return Err(Failure::usage("--schedule once needs --to where events come from standard input"));
        }
        None => last_time(&mut events::reader(&arguments.inputs)),
    };
    let last = last.ok_or_else(|| Failure::input("no event has a time to run the rules at: say --to"))?;
    if from > last {
        return Err(Failure::usage(format!("--from is after the last event, at {}", format_millis(last))));
    }
    Ok((from, last))
}

/// Up to when the rules looked at everything, by the records of earlier hunts.
fn covered(arguments: &HuntArguments, rules: &LoadedRules, now: i64) -> Result<Option<i64>, Failure> {
    let mut reader = match (&arguments.store, &*arguments.schedule.executions_from) {
        (Some(store), []) => events::hunts(store)?,
        (None, []) => {
            return Err(Failure::usage("--catch-up needs records: --executions-from, or a --store"));
        }
        (_, paths) => events::reader(paths),
    };
    let covered = Covered::read(&mut reader);
    if covered.others > 0 {
        terminal::warning(&format!("{} of executions without use", counted(covered.others, "record")));
    }
    let only = &arguments.rules.only;
    let chosen = |id: &str, name: &str| {
        only.is_empty() || only.iter().any(|one| one == id || one.eq_ignore_ascii_case(name))
    };
    let ids = rules.rules.iter().filter(|rule| chosen(&rule.rule_id, &rule.name)).map(|rule| &*rule.rule_id);
    let (until, without) = covered.until(ids);
    if !arguments.output.quiet {
        terminal::say(&told(until, without, now));
    }
    Ok(until)
}

/// What there is to catch up with.
fn told(until: Option<i64>, without: u64, now: i64) -> String {
    let Some(until) = until else {
        return "No records of earlier hunts: everything is hunted through".to_owned();
    };
    let seconds = now.saturating_sub(until) / 1_000_000_000;
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    let new = match without {
        0 => String::new(),
        count => format!("; {} without records begin there too", counted(count, "rule")),
    };
    format!("Catching up from {}: {hours} h {minutes} min{new}", format_millis(until))
}

impl Records {
    /// Opens the file, where there is to be one.
    pub(super) fn new(file: Option<BufWriter<File>>, arguments: &HuntArguments) -> Self {
        let keeps = arguments.schedule.catch_up && arguments.store.is_some();
        Self { file, kept: keeps.then(Vec::new), failed: None }
    }

    /// Whether there is use for records.
    pub(super) fn are_wanted(&self) -> bool {
        self.file.is_some() || self.kept.is_some()
    }

    pub(super) fn take(&mut self, record: &Map<String, Value>) {
        // A map of texts and numbers is always JSON.
        let text = serde_json::to_string(record).unwrap_or_default();
        if let Some(file) = self.file.as_mut().filter(|_| self.failed.is_none()) {
            self.failed = writeln!(file, "{text}").err();
        }
        if let Some(kept) = &mut self.kept {
            let field = |name| record.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            kept.push((field("_index"), field("_id"), text));
        }
    }

    /// Writes what is left to be written, after the alerts: what says that a time was looked at must not be kept before.
    pub(super) fn finish(mut self, store: Option<&str>) -> Result<(), Failure> {
        let flushed = match (self.failed.take(), &mut self.file) {
            (Some(error), _) => Err(error),
            (None, Some(file)) => file.flush(),
            (None, None) => Ok(()),
        };
        flushed.map_err(Failure::output("the records of executions"))?;
        match (store, self.kept) {
            (Some(store), Some(kept)) => events::keep_records(store, &kept),
            _ => Ok(()),
        }
    }
}
