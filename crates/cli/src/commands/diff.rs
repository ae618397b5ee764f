//! `maxspan rules diff`: two versions of rules over the same events.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::PathBuf;

use indicatif::HumanCount;
use maxspan_pipeline::diff::{Diff, DiffObserver, diff};
use maxspan_pipeline::hunt::HuntOptions;
use maxspan_pipeline::input::{InputProblem, Progress};
use maxspan_pipeline::rule_base::{RuleBase, RuleBaseOptions, Selectivity};
use maxspan_rules::CompileOptions;

use crate::args::catalog::{DiffArguments, DiffFormat};
use crate::events;
use crate::exit::{Exit, Failure};
use crate::load;
use crate::lookups;
use crate::output::Writer;
use crate::output::account::not_run_and_failed;
use crate::output::diff::{markdown, text};
use crate::output::messages::print_diagnostics;
use crate::output::reading::Reading;
use crate::terminal::{self, Paint};
use crate::time;

pub(crate) fn run(arguments: &DiffArguments) -> Result<Exit, Failure> {
    let now = time::now(arguments.now.as_deref())?;
    let old = rule_base(&arguments.old, "old", arguments, now)?;
    let new = rule_base(&arguments.new, "new", arguments, now)?;
    if old.rule_set.is_empty() && new.rule_set.is_empty() {
        let why = not_run_and_failed(&old).into_iter().chain(not_run_and_failed(&new));
        return Err(Failure::rules(format!("no rule can be run: {}", why.collect::<Vec<_>>().join(", "))));
    }
    let unknown = old.unknown.iter().filter(|name| new.unknown.contains(name));
    unknown.for_each(|name| terminal::warning(&format!("no rule has the id or name `{name}`")));
    let writer: Writer = match &arguments.output {
        Some(path) => {
            let name = format!("the comparison to {}", path.display());
            Box::new(BufWriter::new(File::create(path).map_err(Failure::output(&name))?))
        }
        None => Box::new(BufWriter::new(io::stdout())),
    };
    let mut reader = events::reader(&arguments.inputs);
    let mut reading = Reading::new(arguments.quiet);
    let found = diff(&old, &new, &mut reader, &options(arguments, now), arguments.limit, &mut reading);
    let problems = reading.close();
    write(writer, &found, arguments).map_err(Failure::output("the comparison"))?;
    if !arguments.quiet {
        report(&found, &old, &new);
    }
    Ok(if found.new.events == 0 && problems > 0 {
        Exit::Input
    } else if arguments.fail_on_change && found.alerts.any_change() {
        Exit::Alerts
    } else {
        Exit::Success
    })
}

fn rule_base(path: &PathBuf, side: &str, arguments: &DiffArguments, now: i64) -> Result<RuleBase, Failure> {
    let window = time::window(arguments.window.from.as_deref(), arguments.window.to.as_deref(), now)?;
    let paths = std::slice::from_ref(path);
    let mut loaded = load::rules(paths, &arguments.exceptions, arguments.any_maturity, None)?;
    let folders = lookups::folders(arguments.lookups.lookups.as_deref(), None)?;
    lookups::add_value_lists(&folders, &mut loaded);
    let tables = lookups::tables_of_rules(&folders, &loaded);
    let options = RuleBaseOptions {
        schema: load::schema(&arguments.reading.mapping, false)?,
        compile: CompileOptions { now, window, tables, ..CompileOptions::default() },
        normalize: !arguments.reading.no_normalize,
        only: arguments.only.clone(),
        selectivity: Selectivity::default(),
    };
    let rules = RuleBase::new(loaded, &options);
    if rules.errors().next().is_some() {
        terminal::warning(&format!("the {side} rules have errors:"));
        print_diagnostics("error", rules.errors());
    }
    Ok(rules)
}

fn options(arguments: &DiffArguments, now: i64) -> HuntOptions {
    let defaults = HuntOptions::default();
    arguments.held.apply(HuntOptions {
        default_index: arguments.reading.index.clone().unwrap_or_default(),
        max_signals: arguments.window.max_signals(),
        threads: arguments.threads.count(),
        now,
        ..defaults
    })
}

fn write(mut writer: Writer, found: &Diff, arguments: &DiffArguments) -> io::Result<()> {
    let paint = if arguments.output.is_some() { Paint::none() } else { Paint::stdout() };
    match arguments.format {
        DiffFormat::Text => write!(writer, "{}", text(found, paint))?,
        DiffFormat::Markdown => write!(writer, "{}", markdown(found))?,
        DiffFormat::Json => {
            serde_json::to_writer_pretty(&mut writer, found)?;
            writeln!(writer)?;
        }
    }
    writer.flush()
}

/// What was read and run, on standard error.
fn report(found: &Diff, old: &RuleBase, new: &RuleBase) {
    let events = HumanCount(found.new.events);
    terminal::say(&format!("{events} events read, {:.1} s", found.new.seconds));
    for (name, rules) in [("old", old), ("new", new)] {
        let mut parts = vec![format!("{} ran", HumanCount(rules.rule_set.len() as u64))];
        parts.extend(not_run_and_failed(rules));
        terminal::say(&format!("{name} rules: {}", parts.join(", ")));
    }
    if found.alerts_not_compared > 0 {
        let count = HumanCount(found.alerts_not_compared);
        terminal::warning(&format!("{count} alerts beyond the limit were not compared"));
    }
}

impl DiffObserver for Reading {
    fn problem(&mut self, problem: &InputProblem) {
        Self::problem(self, problem);
    }

    fn progress(&mut self, progress: Progress, events: u64) {
        Self::progress(self, progress, events);
    }
}
