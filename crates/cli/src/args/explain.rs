//! The arguments of `maxspan explain`.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueEnum};

use super::Reading;

/// Say why a rule matches events, or does not
///
/// Runs one rule over events and shows every condition of its query: true, false or null, the value that it saw, and
/// where it stands. Of a sequence it shows which events each stage found, the join keys, and what broke the chain. A
/// condition that is in the way of a match is marked with `>`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  maxspan explain --rule my-rule.toml --event event.json
  maxspan explain --rules rules --rule 'Launch Agent' --event - < events.ndjson
  maxspan explain --rule my-rule.toml --nearest --limit 3 --event logs/")]
pub(crate) struct ExplainArguments {
    /// The rule: a file that holds one, or the id or name of one under --rules
    #[arg(long, value_name = "FILE|ID|NAME", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) rule: Option<String>,
    /// File or folder with rules; may be repeated
    #[arg(long = "rules", value_name = "PATH", required_unless_present = "rule")]
    pub(crate) paths: Vec<PathBuf>,
    /// File or folder with exception lists (or value lists); may be repeated
    #[arg(long, value_name = "PATH")]
    pub(crate) exceptions: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) lookups: super::LookupArguments,
    /// File or folder with events, `-` for standard input; may be repeated
    #[arg(long = "event", visible_alias = "events", value_name = "FILE", required = true)]
    pub(crate) events: Vec<PathBuf>,
    /// Show the events that came closest to matching, out of all of the input, instead of the first ones
    #[arg(long)]
    pub(crate) nearest: bool,
    /// Most events that are shown; of a sequence, for each stage
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = limit)]
    pub(crate) limit: usize,
    /// How the explanation is written
    #[arg(long, value_enum, default_value_t = ExplainFormat::Text)]
    pub(crate) format: ExplainFormat,
    #[command(flatten)]
    pub(crate) reading: Reading,
    /// Only events from this time on: a date, or date math such as now-7d
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, help_heading = "Events")]
    pub(crate) from: Option<String>,
    /// Only events up to this time
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, help_heading = "Events")]
    pub(crate) to: Option<String>,
    /// The time that counts as now in date math
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, help_heading = "Events")]
    pub(crate) now: Option<String>,
}

/// Most events that an explanation may show.
const LIMIT_MAX: usize = 1_000;

fn limit(text: &str) -> Result<usize, String> {
    let number = text.parse::<usize>().ok().filter(|number| (1..=LIMIT_MAX).contains(number));
    number.ok_or_else(|| format!("a number from 1 to {LIMIT_MAX}"))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExplainFormat {
    /// For a person
    Text,
    /// One JSON object
    Json,
}
