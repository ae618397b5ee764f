//! The command line: subcommands, flags, and their help.

pub(crate) mod catalog;
pub(crate) mod cost;
mod explain;
mod held;
pub(crate) mod lookup;
mod rows;
pub(crate) mod schedule;
#[cfg(feature = "store")]
pub(crate) mod store;
mod threads;

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use maxspan_diagnostics::{Code, codes, nearest_names};
use maxspan_pipeline::hunt::MaxSignals;
use maxspan_pipeline::limits::SAMPLES_PER_KEY_MAX;

use crate::commands::test::arguments::TestArguments;
use crate::exit;
use catalog::{ConvertArguments, CoverageArguments, DiffArguments, ListArguments, ShowArguments};
use cost::{CostArguments, ProfileArguments};
pub(crate) use explain::{ExplainArguments, ExplainFormat};
use lookup::{LookupArguments, LookupCommand};
pub(crate) use rows::{RowsArguments, RowsFormat};
#[cfg(feature = "store")]
use store::{ExportArguments, ImportArguments, StoreCommand};
use threads::Threads;

const EXAMPLES: &str = "Examples:
  maxspan demo
  maxspan hunt --rules detection-rules/rules --format table events.ndjson.gz
  maxspan query --language eql 'process where process.name == \"curl\"' events.ndjson";

/// Run Elastic's detection rules over ECS events
///
/// maxspan runs Elastic Security's detection rules (EQL and KQL), unchanged, over events in the Elastic Common Schema,
/// without Elasticsearch or Kibana. Begin with `maxspan demo`; then hunt through events of your own.
#[derive(Debug, Parser)]
#[command(name = "maxspan", version, max_term_width = 100)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{}", exit::help()))]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Hunt(Box<HuntArguments>),
    Query(Box<QueryArguments>),
    Explain(Box<ExplainArguments>),
    /// Look after rules: check, list, show, convert and compare them, and see what they cost
    ///
    /// What concerns rules themselves. Only `diff` and `profile` need events.
    #[command(after_help = "Examples:
  maxspan rules check rules/
  maxspan rules list rules/ --tactic execution --min-severity high
  maxspan rules diff main/rules branch/rules events.ndjson
  maxspan rules check --strict --format json detection-rules/rules > report.json")]
    Rules {
        #[command(subcommand)]
        command: RulesCommand,
    },
    Test(TestArguments),
    #[cfg(feature = "store")]
    Import(Box<ImportArguments>),
    #[cfg(feature = "store")]
    Export(Box<ExportArguments>),
    #[cfg(feature = "store")]
    /// Look after an event store: what is in it, compaction, checks, retention
    ///
    /// A store is made by `maxspan import`. Other programs read it as the Delta tables that it is.
    #[command(after_help = "Examples:
  maxspan store info events
  maxspan store compact events
  maxspan store retain --days 90 events")]
    Store {
        #[command(subcommand)]
        command: StoreCommand,
    },
    /// Look after lookup tables: value lists, indicators, tables of ENRICH and LOOKUP JOIN
    ///
    /// Tables belong to an event store, or lie in a folder of their own (`--lookups`). `hunt`, `query`, `explain` and
    /// `rules` look into them.
    #[command(after_help = "Examples:
  maxspan lookup load owners --kind enrich --match-field host.name hosts.csv --store events
  maxspan lookup list --store events
  maxspan lookup show owners --store events")]
    Lookup {
        #[command(subcommand)]
        command: LookupCommand,
    },
    Demo(DemoArguments),
    /// Print a completion script for a shell
    ///
    /// The script goes to standard output. Where it belongs depends on the shell.
    #[command(after_help = "Examples:
  maxspan completions bash > ~/.local/share/bash-completion/completions/maxspan
  maxspan completions zsh > ~/.zfunc/_maxspan
  maxspan completions fish > ~/.config/fish/completions/maxspan.fish")]
    Completions {
        /// The shell
        shell: Shell,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum RulesCommand {
    Check(CheckArguments),
    List(Box<ListArguments>),
    Show(ShowArguments),
    Coverage(Box<CoverageArguments>),
    Convert(ConvertArguments),
    Diff(Box<DiffArguments>),
    Explain(CostArguments),
    Profile(ProfileArguments),
}

const HUNT_EXAMPLES: &str = "Examples:
  maxspan hunt --rules detection-rules/rules --format table logs/
  maxspan hunt --rules rules --rule 'Whoami Process Activity' --from now-7d windows.ndjson.gz
  maxspan hunt --rules rules --exceptions lists/ --stats stats.json logs/ > alerts.ndjson
  zcat events.gz | maxspan hunt --rules rules --fail-on-alert -";

/// Run rules over events and write the alerts
///
/// Reads rules (Elastic's TOML, exports of Kibana), runs them over all events of the input, and writes an alert for
/// whatever they detect. The whole input counts as one look-back, so a sequence is found wherever its events stand.
///
/// Events are JSON documents: one a line, in arrays, `_bulk` bodies, search responses; gzip and zstd are recognised.
/// Alerts go to standard output in the order of their events' time, messages and a closing summary to standard error.
/// A rule that cannot be used does not stop the others, nor does an event; all that is lost is counted and named.
#[derive(Debug, Args)]
#[command(after_help = HUNT_EXAMPLES, after_long_help = format!("{HUNT_EXAMPLES}\n\n{}", exit::help()))]
pub(crate) struct HuntArguments {
    #[command(flatten)]
    pub(crate) rules: HuntRules,
    #[command(flatten)]
    pub(crate) output: HuntOutput,
    #[command(flatten)]
    pub(crate) window: HuntWindow,
    #[command(flatten)]
    pub(crate) schedule: schedule::ScheduleArguments,
    #[command(flatten)]
    pub(crate) reading: Reading,
    /// The time that counts as now, in alerts and in date math; makes the output the same in every run
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, help_heading = "Run")]
    pub(crate) now: Option<String>,
    /// The Kibana space, which is part of alert ids
    #[arg(long, value_name = "NAME", default_value = "default", help_heading = "Run")]
    pub(crate) space: String,
    #[command(flatten)]
    pub(crate) held: held::Held,
    #[command(flatten)]
    pub(crate) threads: Threads,
    /// What `rules profile` measured on events like these: rules are found by what is rare, which only saves time
    #[arg(long, value_name = "FILE", help_heading = "Run")]
    pub(crate) profile: Option<PathBuf>,
    /// Hunt through the events of this store instead of files: a folder, or a URL (`s3://bucket/path`)
    #[arg(long, value_name = "STORE", conflicts_with = "inputs", help_heading = "Events")]
    pub(crate) store: Option<String>,
    /// File or folder with indicators for indicator match rules, beside those among the events; may be repeated
    ///
    /// ECS documents with `threat.indicator.*` as NDJSON, CSV with such columns, or STIX 2.1 bundles. They count as being in every index that rules look for indicators in, and
    /// as having been there before all events. What a rule asks of indicators is asked of them too.
    #[arg(long, value_name = "PATH", help_heading = "Run")]
    pub(crate) indicators: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) lookups: LookupArguments,
    /// Files and folders with events; `-` is standard input
    #[arg(value_name = "INPUT", required_unless_present = "store", help_heading = None)]
    pub(crate) inputs: Vec<PathBuf>,
}

/// Which rules a hunt runs.
#[derive(Debug, Args)]
#[command(next_help_heading = "Rules")]
pub(crate) struct HuntRules {
    /// File or folder with rules; may be repeated
    #[arg(long = "rules", value_name = "PATH", required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// Only the rule of this id or name; may be repeated
    #[arg(long = "rule", value_name = "ID|NAME", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) only: Vec<String>,
    /// File or folder with exception lists (or value lists); may be repeated
    ///
    /// Rules in it are not run. A rule takes the lists that its `exceptions_list` names, and those that name the rule.
    #[arg(long, value_name = "PATH")]
    pub(crate) exceptions: Vec<PathBuf>,
    /// Elastic's version.lock.json: alerts then carry the rules' published versions
    #[arg(long, value_name = "FILE")]
    pub(crate) version_lock: Option<PathBuf>,
    /// Also rules that are in development or deprecated
    #[arg(long)]
    pub(crate) any_maturity: bool,
}

/// What a hunt writes, and where.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct HuntOutput {
    /// How alerts are written
    #[arg(long, value_enum, default_value_t = HuntFormat::NdJson)]
    pub(crate) format: HuntFormat,
    /// Write the alerts to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Write what the hunt did to this file, as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) stats: Option<PathBuf>,
    /// End with exit code 10 when there are alerts
    #[arg(long)]
    pub(crate) fail_on_alert: bool,
    /// No progress bar and no closing summary
    #[arg(long, short)]
    pub(crate) quiet: bool,
    /// Also show warnings about rules
    #[arg(long, short)]
    pub(crate) verbose: bool,
}

/// Which alerts a hunt raises.
#[derive(Debug, Args)]
#[command(next_help_heading = "Window and cap")]
pub(crate) struct HuntWindow {
    /// Only events from this time on: a date, or date math such as now-7d
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) from: Option<String>,
    /// Only events up to this time, the whole day or hour that is written
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) to: Option<String>,
    /// At most this many alerts of a rule in one of its intervals, whatever the rule's `max_signals` says
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) max_signals: Option<u32>,
    /// No such cap
    #[arg(long, conflicts_with = "max_signals")]
    pub(crate) no_cap: bool,
}

impl HuntWindow {
    /// The cap on the alerts of a rule.
    pub(crate) fn max_signals(&self) -> MaxSignals {
        match (self.no_cap, self.max_signals) {
            (true, _) => MaxSignals::Unlimited,
            (false, Some(count)) => MaxSignals::Count(count),
            (false, None) => MaxSignals::Rule,
        }
    }
}

/// How events are read.
#[derive(Debug, Args)]
#[command(next_help_heading = "Events")]
pub(crate) struct Reading {
    /// The index of events that name none; without it every rule looks at them
    #[arg(long, value_name = "NAME")]
    pub(crate) index: Option<String>,
    /// Take events as they are: do not derive `host.os.type` where older shippers leave it out
    #[arg(long)]
    pub(crate) no_normalize: bool,
    /// Elasticsearch mapping with the types of fields, over the built-in table; may be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) mapping: Vec<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum HuntFormat {
    /// One alert document a line, as Kibana stores it
    #[value(name = "ndjson")]
    NdJson,
    /// One alert a line, for a person
    Table,
    /// One rule a line, with counts
    Summary,
}

/// Run one query over events, answered as Elasticsearch does
///
/// Prints the answer of Elasticsearch's EQL search as JSON: the events, sequences or samples that a query of EQL finds,
/// or the events that one of KQL finds. Events of the same time stay in the order of the input. The rows of an ES|QL query
/// are a table, CSV, or JSON as Elasticsearch's `_query` answers.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  maxspan query --language eql 'process where process.name == \"curl\"' events.ndjson
  maxspan query --language kql --size 100 'event.category: network' logs/
  maxspan query --language eql --strict @sequence.eql events.ndjson.gz
  maxspan query --language esql 'FROM logs-* | STATS count = COUNT(*) BY host.name' events.ndjson")]
pub(crate) struct QueryArguments {
    /// The language of the query
    #[arg(long, value_enum)]
    pub(crate) language: Language,
    /// The field that orders events
    #[arg(long, value_name = "FIELD", default_value = "@timestamp")]
    pub(crate) timestamp_field: String,
    /// The field that orders events of the same time
    #[arg(long, value_name = "FIELD")]
    pub(crate) tiebreaker_field: Option<String>,
    /// The field of the event category, which an EQL query begins with
    #[arg(long, value_name = "FIELD", default_value = "event.category")]
    pub(crate) event_category_field: String,
    /// Most events, sequences or samples in the answer
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) size: usize,
    /// Most samples of one join key
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = samples_per_key)]
    pub(crate) max_samples_per_key: usize,
    #[command(flatten)]
    pub(crate) reading: Reading,
    /// Only the fields of --mapping exist, not the built-in table
    #[arg(long, requires = "mapping", help_heading = "Events")]
    pub(crate) mapping_only: bool,
    /// Refuse what Elasticsearch refuses: unknown fields, types that differ, syntax of our own
    #[arg(long, help_heading = "Run")]
    pub(crate) strict: bool,
    /// The time that counts as now in date math
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, help_heading = "Run")]
    pub(crate) now: Option<String>,
    #[command(flatten)]
    pub(crate) threads: Threads,
    #[command(flatten)]
    pub(crate) rows: RowsArguments,
    #[command(flatten)]
    pub(crate) lookups: LookupArguments,
    /// The answer on one line, on a terminal too
    #[arg(long, help_heading = "Run")]
    pub(crate) compact: bool,
    /// The query, or `@` and the file that holds it
    #[arg(help_heading = None)]
    pub(crate) query: String,
    /// Files and folders with events; `-` is standard input
    #[arg(value_name = "INPUT", required_unless_present = "store", help_heading = None)]
    pub(crate) inputs: Vec<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    Eql,
    Kql,
    Esql,
}

/// Check rules: syntax, types, schedule, exceptions; with --strict also what they probably do not mean
///
/// Every rule is read, its query parsed and checked against the types of fields, and all that is wrong is shown with
/// its place in the file. With --strict or --lint, rules are also searched for conditions that never hold, case traps,
/// gaps in the schedule, ATT&CK ids that do not exist, and more; with --against, they are compared with events. Every
/// message has a code, which --explain explains and --allow switches off. A rule of a type that is not run yet is sound
/// as far as it was checked, and counted apart. Ends with exit code 1 when a rule failed.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  maxspan rules check rules/
  maxspan rules check --strict --format json detection-rules/rules > report.json
  maxspan rules check --strict --allow redundant-condition --allow-file allow.txt my-rules/
  maxspan rules check --lint --against last-week.ndjson.gz my-rules/
  maxspan rules check --explain case-trap")]
pub(crate) struct CheckArguments {
    /// Files and folders with rules
    #[arg(value_name = "PATH", required_unless_present = "explain")]
    pub(crate) paths: Vec<PathBuf>,
    /// How the outcome is written
    #[arg(long, value_enum, default_value_t = CheckFormat::Text)]
    pub(crate) format: CheckFormat,
    /// Hold EQL to what Elasticsearch accepts, add lints, and take every warning for a failure
    #[arg(long)]
    pub(crate) strict: bool,
    /// Add lints without failing for them
    #[arg(long)]
    pub(crate) lint: bool,
    /// Elasticsearch mapping with the types of fields, over the built-in table; may be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) mapping: Vec<PathBuf>,
    /// Also rules that are in development or deprecated
    #[arg(long)]
    pub(crate) any_maturity: bool,
    /// Print the page about a code, by number or name, and end
    #[arg(long, value_name = "CODE", value_parser = code)]
    pub(crate) explain: Option<Code>,
    #[command(flatten)]
    pub(crate) lookups: LookupArguments,
    #[command(flatten)]
    pub(crate) allow: CheckAllow,
    #[command(flatten)]
    pub(crate) against: CheckAgainst,
}

/// What is not said.
#[derive(Debug, Args)]
#[command(next_help_heading = "Switching off")]
pub(crate) struct CheckAllow {
    /// Do not say this (a warning or note, by number or name), of any rule or of the one with this id or name
    #[arg(long, value_name = "CODE[=RULE]")]
    pub(crate) allow: Vec<String>,
    /// The same from a file, with lines `CODE [RULE]  # why`; may be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) allow_file: Vec<PathBuf>,
}

/// Events that rules are compared with.
#[derive(Debug, Args)]
#[command(next_help_heading = "Events")]
pub(crate) struct CheckAgainst {
    /// Compare with events: fields that none has, values in another case, missing indices, alerts a day; may be repeated
    #[arg(long, value_name = "INPUT")]
    pub(crate) against: Vec<PathBuf>,
    /// The index of events that name none; without it every rule looks at them
    #[arg(long, value_name = "NAME", requires = "against")]
    pub(crate) index: Option<String>,
    /// More alerts of one rule in a day are too many
    #[arg(long, value_name = "N", default_value_t = 10.0, requires = "against")]
    pub(crate) max_volume: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CheckFormat {
    /// Messages with the lines they are about
    Text,
    /// One JSON object
    Json,
    /// Annotations of a GitHub workflow
    #[value(name = "github")]
    GitHub,
    /// SARIF 2.1.0, for code scanning
    Sarif,
}

/// Reads the number or name of a code.
fn code(text: &str) -> Result<Code, String> {
    let near = || nearest_names(text, codes::REGISTRY.iter().map(|code| code.info().name));
    Code::find(text).ok_or_else(|| match near().first() {
        Some(near) => format!("there is no such code; did you mean {near}?"),
        None => "there is no such code; write for instance MX1604 or case-trap".to_owned(),
    })
}

/// See rules at work on a made-up afternoon of six Macs
///
/// Hunts with two built-in rules through some 5,000 bundled events, among which a break-in hides, and explains each
/// alert as an analyst would want it: what happened, step by step, what it means, and what to look at first. Needs no
/// file and no network.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  maxspan demo
  maxspan demo --format ndjson --events office-macs.ndjson")]
pub(crate) struct DemoArguments {
    /// How alerts are written
    #[arg(long, value_enum, default_value_t = DemoFormat::Text)]
    pub(crate) format: DemoFormat,
    /// Write the demo's events to this file, one a line
    #[arg(long, value_name = "FILE")]
    pub(crate) events: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DemoFormat {
    /// For a person
    Text,
    /// One alert document a line, as Kibana stores it
    #[value(name = "ndjson")]
    NdJson,
}

/// Units of sizes, as people write them.
const UNITS: [(&str, u64); 11] = [
    ("", 1),
    ("b", 1),
    ("k", 1 << 10),
    ("kib", 1 << 10),
    ("kb", 1_000),
    ("m", 1 << 20),
    ("mib", 1 << 20),
    ("mb", 1_000_000),
    ("g", 1 << 30),
    ("gib", 1 << 30),
    ("gb", 1_000_000_000),
];

fn samples_per_key(text: &str) -> Result<usize, String> {
    let count = text.parse().map_err(|_| "must be a number".to_owned())?;
    if count > SAMPLES_PER_KEY_MAX {
        return Err(format!("{SAMPLES_PER_KEY_MAX} are the most"));
    }
    Ok(count)
}

/// Reads `512MiB`, `2GB`, `65536`.
fn size(text: &str) -> Result<usize, String> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let unit = text[digits..].trim().to_ascii_lowercase();
    let factor = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, factor)| *factor);
    let bytes = text[..digits]
        .parse::<u64>()
        .ok()
        .zip(factor)
        .and_then(|(number, factor)| number.checked_mul(factor));
    bytes
        .filter(|bytes| *bytes > 0)
        .and_then(|bytes| usize::try_from(bytes).ok())
        .ok_or_else(|| "write a whole number and a unit, for instance 512MiB or 2GB".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Arguments::command().debug_assert();
    }

    #[test]
    fn sizes_are_read() {
        let check = |text: &str, expected: Option<usize>| assert_eq!(size(text).ok(), expected, "{text}");
        check("512MiB", Some(512 << 20));
        check("2GB", Some(2_000_000_000));
        check("64 kib", Some(65_536));
        check("65536", Some(65_536));
        check("0", None);
        check("MiB", None);
        check("1.5GiB", None);
        check("99999999999GiB", None);
    }
}
