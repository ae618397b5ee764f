//! The arguments of `maxspan test`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Run specs: Markdown files that say which alerts rules raise on which events
///
/// A heading of a spec is a case: the rule by a link or in a block, events as NDJSON, and the alerts that are expected.
/// Of a folder, every `.md` file that has cases is run. Ends with exit code 1 when a case fails, with 2 when a spec has
/// errors.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  maxspan test specs/
  maxspan test --filter 'wrong host' specs/rules/macos
  maxspan test --update specs/new-rule.md
  maxspan test --format junit --output results.xml specs/
  maxspan test --watch specs/")]
pub(crate) struct TestArguments {
    /// Files and folders with specs
    #[arg(value_name = "PATH", required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// Only cases whose headings or file have this text; upper and lower case are one
    #[arg(long, value_name = "TEXT")]
    pub(crate) filter: Option<String>,
    /// Rules of cases that name none: a file or folder
    #[arg(long, value_name = "PATH")]
    pub(crate) rules: Option<PathBuf>,
    /// Write what came into the specs as what is expected, and leave everything else as it is
    #[arg(long, conflicts_with_all = ["watch", "fail_fast"])]
    pub(crate) update: bool,
    /// Run again whenever a spec, or a file that it links to, changes
    #[arg(long, conflicts_with = "file")]
    pub(crate) watch: bool,
    /// Stop at the first case that fails
    #[arg(long)]
    pub(crate) fail_fast: bool,
    /// How many cases are run at a time [default: the number of processors]
    #[arg(long, short, value_name = "N")]
    pub(crate) jobs: Option<NonZeroUsize>,
    #[command(flatten)]
    pub(crate) output: TestOutput,
}

/// What is written, and where.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct TestOutput {
    /// How the outcome is written
    #[arg(long, value_enum, default_value_t = TestFormat::Text)]
    pub(crate) format: TestFormat,
    /// Write the outcome to this file instead of standard output
    #[arg(long = "output", value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Only what failed, and the closing line
    #[arg(long, short, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Also each case that passed, and warnings
    #[arg(long, short)]
    pub(crate) verbose: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TestFormat {
    /// For a person
    Text,
    /// JUnit's XML, as CI systems read it
    Junit,
    /// Annotations of GitHub Actions
    Github,
    /// One JSON object
    Json,
}
