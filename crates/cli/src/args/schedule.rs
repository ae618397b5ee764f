//! When rules run, and what is kept of it: `--schedule`, `--executions`, `--catch-up`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// When the rules of a hunt run.
#[derive(Debug, Args)]
#[command(next_help_heading = "Schedule")]
pub(crate) struct ScheduleArguments {
    /// When rules run
    #[arg(long, value_enum, default_value_t = ScheduleMode::Rule)]
    pub(crate) schedule: ScheduleMode,
    /// Write a record of what each rule, and each run of its schedule, looked at and raised to this file, as NDJSON
    #[arg(long, value_name = "FILE")]
    pub(crate) executions: Option<PathBuf>,
    /// Hunt from where the last hunt ended that kept records, up to now
    ///
    /// The records are those of --executions-from, or of the store, where those of this hunt are kept too. Without any,
    /// everything is hunted through. Runs that are not due yet are left to the next hunt.
    #[arg(long, conflicts_with_all = ["from", "to"])]
    pub(crate) catch_up: bool,
    /// File or folder with records of earlier hunts; may be repeated
    #[arg(long, value_name = "PATH", requires = "catch_up")]
    pub(crate) executions_from: Vec<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ScheduleMode {
    /// Rules that go by runs run at each interval over the time of the events; the others look at everything at once
    Rule,
    /// Every rule runs once, at --to or else at the last event, over its own window, or from --from on
    Once,
}
