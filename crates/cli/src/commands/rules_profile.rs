//! `maxspan rules profile`: what rules could be found by, measured over events.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};

use maxspan_pipeline::input::{InputProblem, Progress};
use maxspan_pipeline::profile::{Profile, ProfileObserver, profile};
use maxspan_pipeline::rule_base::{RuleBase, RuleBaseOptions};

use crate::args::cost::ProfileArguments;
use crate::events;
use crate::exit::{Exit, Failure};
use crate::load;
use crate::output::Writer;
use crate::output::account::not_run_and_failed;
use crate::output::messages::print_diagnostics;
use crate::output::reading::Reading;
use crate::output::summary::counted;
use crate::terminal;

const TABLE: &str = "the profile";

pub(crate) fn run(arguments: &ProfileArguments) -> Result<Exit, Failure> {
    let rules = rule_base(arguments)?;
    // A wrong path is better known now than after all events.
    let mut writer: Writer = match &arguments.output {
        Some(path) => {
            let name = format!("{TABLE} to {}", path.display());
            Box::new(BufWriter::new(File::create(path).map_err(Failure::output(&name))?))
        }
        None => Box::new(BufWriter::new(io::stdout())),
    };
    let mut reader = events::reader(&arguments.inputs);
    let mut reading = Reading::new(arguments.quiet);
    let found = profile(&rules, &mut reader, &mut reading);
    let problems = reading.close();
    write(&mut writer, &found).map_err(Failure::output(TABLE))?;
    if !arguments.quiet {
        let (atoms, events) = (counted(found.atoms.len() as u64, "question"), counted(found.events, "event"));
        terminal::say(&format!("{atoms} put to {events}"));
    }
    Ok(if found.events == 0 && problems > 0 { Exit::Input } else { Exit::Success })
}

fn rule_base(arguments: &ProfileArguments) -> Result<RuleBase, Failure> {
    let options = RuleBaseOptions {
        schema: load::schema(&arguments.reading.mapping, false)?,
        normalize: !arguments.reading.no_normalize,
        ..RuleBaseOptions::default()
    };
    let loaded = load::rules(&arguments.paths, &[], arguments.any_maturity, None)?;
    let rules = RuleBase::new(loaded, &options);
    print_diagnostics("error", rules.errors());
    if !rules.rule_set.is_empty() {
        return Ok(rules);
    }
    if rules.read == 0 {
        return Err(Failure::usage("there are no rules in these paths"));
    }
    Err(Failure::rules(format!("no rule can be run: {}", not_run_and_failed(&rules).join(", "))))
}

fn write(writer: &mut Writer, found: &Profile) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *writer, found)?;
    writeln!(writer)?;
    writer.flush()
}

impl ProfileObserver for Reading {
    fn problem(&mut self, problem: &InputProblem) {
        Self::problem(self, problem);
    }

    fn progress(&mut self, progress: Progress, events: u64) {
        Self::progress(self, progress, events);
    }
}
