//! `maxspan hunt`: rules over events, alerts out.

use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use maxspan_pipeline::hunt::{HuntAlert, HuntObserver, HuntOptions, HuntStats, hunt};
use maxspan_pipeline::input::{InputProblem, Progress};
use maxspan_pipeline::lookups::LookupFolders;
use maxspan_pipeline::rule_base::{RuleBase, RuleBaseOptions};
use maxspan_rules::CompileOptions;
use serde_json::{Map, Value};

use super::hunt_schedule::{Records, compile_options};
use crate::args::{HuntArguments, HuntFormat, HuntOutput, HuntRules};
use crate::events;
use crate::exit::{Exit, Failure};
use crate::load;
use crate::lookups::{self, Indicators};
use crate::output::messages::{print_all, print_diagnostics};
use crate::output::ndjson::NdJson;
use crate::output::reading::Reading;
use crate::output::summary::{Summary, counted};
use crate::output::table::{AlertTable, Look};
use crate::output::{AlertOutput, Writer, account};
use crate::terminal::{self, Paint};
use crate::time;

const ALERTS: &str = "the alerts";

pub(crate) fn run(arguments: &HuntArguments) -> Result<Exit, Failure> {
    let now = time::now(arguments.now.as_deref())?;
    let store = arguments.store.as_deref();
    let tables = lookups::folders(arguments.lookups.lookups.as_deref(), store)?;
    let rules = rule_base(arguments, &tables, now)?;
    report_rules(&rules, arguments.output.verbose);
    check_rules(&rules, &arguments.rules)?;
    let output = open_output(&arguments.output)?;
    let open = |path: Option<&Path>, what| path.map(|path| open_file(path, what)).transpose();
    let stats_file = open(arguments.output.stats.as_deref(), "the stats")?;
    let records_file = open(arguments.schedule.executions.as_deref(), "the records of executions")?;
    let records = Records::new(records_file, arguments);

    let mut reader = match store {
        Some(store) => events::reader_of_store(&rules, store, arguments.threads.count())?,
        None => events::reader(&arguments.inputs),
    };
    let indicators = lookups::indicators(&tables, &arguments.indicators, &rules, now);
    let unused = indicators.unused.clone();
    let options = options(arguments, indicators, now);
    let options = HuntOptions { executions: records.are_wanted(), ..options };
    let mut watcher = Watcher::new(&rules, output, records, arguments.output.quiet);
    let mut stats = hunt(&rules, &mut reader, &options, &mut watcher);
    stats.indicator_tables_unused = unused;
    let problems = watcher.reading.close();
    let (records, written) = watcher.finish(&stats);
    let written = written.map_err(Failure::output(ALERTS));
    if let Some(file) = stats_file {
        write_stats(file, &stats).map_err(Failure::output("the stats"))?;
    }
    if !arguments.output.quiet {
        for line in account::lines(&rules, &stats, Paint::stderr()) {
            terminal::say(&line);
        }
    }
    written?;
    records.finish(store)?;
    Ok(exit(&stats, problems, arguments.output.fail_on_alert))
}

fn exit(stats: &HuntStats, problems: u64, fail_on_alert: bool) -> Exit {
    if stats.events == 0 && problems > 0 {
        Exit::Input
    } else if stats.matches_unread + stats.alerts_unread > 0 {
        Exit::Output
    } else if fail_on_alert && stats.alerts > 0 {
        Exit::Alerts
    } else {
        Exit::Success
    }
}

// ---- Rules

fn rule_base(arguments: &HuntArguments, tables: &LookupFolders, now: i64) -> Result<RuleBase, Failure> {
    let HuntRules { paths, only, exceptions, version_lock, any_maturity } = &arguments.rules;
    let mut loaded = load::rules(paths, exceptions, *any_maturity, version_lock.as_deref())?;
    lookups::add_value_lists(tables, &mut loaded);
    let tables = lookups::tables_of_rules(tables, &loaded);
    let options = RuleBaseOptions {
        schema: load::schema(&arguments.reading.mapping, false)?,
        compile: CompileOptions { tables, ..compile_options(arguments, &loaded, now)? },
        normalize: !arguments.reading.no_normalize,
        only: only.clone(),
        selectivity: load::selectivity(arguments.profile.as_deref())?,
    };
    Ok(RuleBase::new(loaded, &options))
}

fn report_rules(rules: &RuleBase, verbose: bool) {
    print_diagnostics("error", rules.errors());
    let warnings = || rules.messages().filter(|(_, diagnostic)| !diagnostic.is_error());
    if verbose {
        print_all(warnings());
        return;
    }
    let count = warnings().count() as u64;
    if count > 0 {
        terminal::warning(&format!("{} about rules (--verbose shows them)", counted(count, "warning")));
    }
}

/// Whether there is a rule to run.
fn check_rules(rules: &RuleBase, arguments: &HuntRules) -> Result<(), Failure> {
    for name in &rules.unknown {
        terminal::warning(&format!("no rule has the id or name `{name}`"));
    }
    if !rules.rule_set.is_empty() {
        return Ok(());
    }
    if !arguments.only.is_empty() && rules.unknown.len() == arguments.only.len() {
        return Err(Failure::usage("--rule names no rule that is there"));
    }
    if rules.read == 0 {
        let paths: Vec<_> = arguments.paths.iter().map(|path| path.display().to_string()).collect();
        return Err(Failure::usage(format!("no rules in {}", paths.join(", "))));
    }
    Err(Failure::rules(format!("no rule can be run: {}", account::not_run_and_failed(rules).join(", "))))
}

fn options(arguments: &HuntArguments, indicators: Indicators, now: i64) -> HuntOptions {
    let defaults = HuntOptions::default();
    arguments.held.apply(HuntOptions {
        default_index: arguments.reading.index.clone().unwrap_or_default(),
        max_signals: arguments.window.max_signals(),
        threads: arguments.threads.count(),
        costs: arguments.output.stats.is_some(),
        now,
        space: arguments.space.clone(),
        indicators: indicators.files,
        indicator_tables: indicators.tables,
        // Who fixes the time wants the same output again.
        execution_uuid: if arguments.now.is_some() { defaults.execution_uuid } else { random_uuid() },
        ..defaults
    })
}

/// A UUID of version 4. The standard library seeds its hashers at random, and nothing here needs more than that.
fn random_uuid() -> String {
    let (high, low) = (RandomState::new().hash_one("high"), RandomState::new().hash_one("low"));
    let (high, low) = ((high & !0xf000) | 0x4000, (low & !(0b11 << 62)) | (0b10 << 62));
    let (a, b, c) = (high >> 32, high >> 16 & 0xffff, high & 0xffff);
    format!("{a:08x}-{b:04x}-{c:04x}-{:04x}-{:012x}", low >> 48, low & 0xffff_ffff_ffff)
}

// ---- Output

fn open_output(arguments: &HuntOutput) -> Result<Box<dyn AlertOutput>, Failure> {
    let writer: Writer = match &arguments.output {
        Some(path) => Box::new(open_file(path, ALERTS)?),
        None => Box::new(BufWriter::new(io::stdout())),
    };
    let to_file = arguments.output.is_some();
    let look = Look::new(if to_file { Paint::none() } else { Paint::stdout() }, to_file);
    Ok(match arguments.format {
        HuntFormat::NdJson => Box::new(NdJson::new(writer)),
        HuntFormat::Table => Box::new(AlertTable::new(writer, look)),
        HuntFormat::Summary => Box::new(Summary::new(writer, look)),
    })
}

/// Opens a file before the hunt: a wrong path is better known now than hours later.
fn open_file(path: &Path, what: &str) -> Result<BufWriter<File>, Failure> {
    let name = format!("{what} to {}", path.display());
    File::create(path).map(BufWriter::new).map_err(Failure::output(&name))
}

fn write_stats(mut file: BufWriter<File>, stats: &HuntStats) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut file, stats)?;
    file.write_all(b"\n")?;
    file.flush()
}

// ---- While it runs

/// Listens to a hunt: passes alerts on, shows problems and progress.
struct Watcher<'a> {
    rules: &'a RuleBase,
    output: Box<dyn AlertOutput>,
    records: Records,
    /// The first error of the output; nothing is written after it.
    failed: Option<io::Error>,
    reading: Reading,
}

impl<'a> Watcher<'a> {
    fn new(rules: &'a RuleBase, output: Box<dyn AlertOutput>, records: Records, quiet: bool) -> Self {
        Self { rules, output, records, failed: None, reading: Reading::new(quiet) }
    }

    fn finish(mut self, stats: &HuntStats) -> (Records, io::Result<()>) {
        let finished = match self.failed.take() {
            Some(error) => Err(error),
            None => self.output.finish(self.rules, stats),
        };
        (self.records, finished)
    }
}

impl HuntObserver for Watcher<'_> {
    fn alert(&mut self, alert: HuntAlert) {
        if self.failed.is_none() {
            self.failed = self.output.alert(self.rules, &alert).err();
        }
    }

    fn execution(&mut self, record: &Map<String, Value>) {
        self.records.take(record);
    }

    fn problem(&mut self, problem: &InputProblem) {
        self.reading.problem(problem);
    }

    fn progress(&mut self, progress: Progress, events: u64) {
        self.reading.progress(progress, events);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn run_ids_are_uuids_and_differ() {
        let (one, other) = (random_uuid(), random_uuid());
        let lengths: Vec<usize> = one.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12], "{one}");
        assert_eq!(one.as_bytes()[14], b'4');
        assert!(b"89ab".contains(&one.as_bytes()[19]), "{one}");
        assert_ne!(one, other);
    }
}
