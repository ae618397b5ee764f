//! Arguments of what says how rules are found and what they cost.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueEnum};

use super::Reading;

/// Say how rules are found among events, and what they cost
///
/// A rule is evaluated on those events only that pass its gate (fields with few values) and its anchor (values or parts
/// of texts of which an event must have one). For each event query or step this shows both, the share of events that
/// they let through, and where there is no anchor why not. Shares are guesses unless `--profile` gives a table of
/// `rules profile`; costs are guesses unless `--stats` gives the file of `hunt --stats`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  maxspan rules explain rules/macos/curl.toml
  maxspan rules explain 'Whoami Process Activity' --rules detection-rules/rules --profile profile.json
  maxspan rules explain --worst 20 --rules detection-rules/rules --stats stats.json")]
pub(crate) struct CostArguments {
    /// Its id, its name, or a file that holds it; several may be named
    #[arg(value_name = "ID|NAME|FILE", value_parser = NonEmptyStringValueParser::new(),
        required_unless_present = "worst", conflicts_with = "worst")]
    pub(crate) rules: Vec<String>,
    /// The rules that cost most, as a table: so many of those in --rules
    #[arg(long, value_name = "N", requires = "paths", value_parser = worst)]
    pub(crate) worst: Option<usize>,
    /// File or folder in which rules are looked for; may be repeated
    #[arg(long = "rules", value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// With --worst, also rules that are in development or deprecated
    #[arg(long)]
    pub(crate) any_maturity: bool,
    /// Elasticsearch mapping with the types of fields, over the built-in table; may be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) mapping: Vec<PathBuf>,
    /// What `hunt --stats` wrote: also measured costs
    #[arg(long, value_name = "FILE")]
    pub(crate) stats: Option<PathBuf>,
    /// What `rules profile` wrote: measured shares, and the anchors that a hunt chooses by them
    #[arg(long, value_name = "FILE")]
    pub(crate) profile: Option<PathBuf>,
    /// How it is written
    #[arg(long, value_enum, default_value_t = CostFormat::Text)]
    pub(crate) format: CostFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CostFormat {
    /// For a person
    Text,
    /// One JSON list of objects
    Json,
}

/// Measure what rules could be found by, over events
///
/// Counts for every value or part of a text that could be the anchor of some rule the events that have it, and writes a
/// table in JSON. `hunt --profile` finds rules by what is rare in the table. Alerts are the same with any table.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  maxspan rules profile --rules detection-rules/rules --output profile.json last-week.ndjson.gz
  maxspan hunt --rules detection-rules/rules --profile profile.json logs/")]
pub(crate) struct ProfileArguments {
    /// File or folder with rules; may be repeated
    #[arg(long = "rules", value_name = "PATH", required = true, help_heading = "Rules")]
    pub(crate) paths: Vec<PathBuf>,
    /// Also rules that are in development or deprecated
    #[arg(long, help_heading = "Rules")]
    pub(crate) any_maturity: bool,
    #[command(flatten)]
    pub(crate) reading: Reading,
    /// Write the table to this file instead of standard output
    #[arg(long, short, value_name = "FILE", help_heading = "Output")]
    pub(crate) output: Option<PathBuf>,
    /// No progress bar and no closing summary
    #[arg(long, short, help_heading = "Output")]
    pub(crate) quiet: bool,
    /// Files and folders with events; `-` is standard input
    #[arg(value_name = "INPUT", required = true, help_heading = None)]
    pub(crate) inputs: Vec<PathBuf>,
}

fn worst(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|count| *count > 0).ok_or_else(|| "write a whole number from 1 on".to_owned())
}
