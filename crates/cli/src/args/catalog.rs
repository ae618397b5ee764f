//! Arguments of what looks at rules without running them, and of the comparison of two sets of rules.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueEnum};

use super::Reading;

/// Which rules a list is about: values of one flag are alternatives, different flags must all hold.
#[derive(Debug, Args)]
#[command(next_help_heading = "Filters (a repeated flag takes either value; different flags must all hold)")]
pub(crate) struct Filters {
    /// Of this type
    #[arg(long = "type", value_name = "TYPE", value_parser = ["query", "saved_query", "eql", "esql", "threshold",
        "new_terms", "threat_match", "machine_learning"])]
    pub(crate) types: Vec<String>,
    /// With a query in this language
    #[arg(long, value_name = "LANGUAGE", value_parser = ["eql", "kuery", "kql", "lucene", "esql"])]
    pub(crate) language: Vec<String>,
    /// Of this severity
    #[arg(long, value_name = "SEVERITY", value_parser = SEVERITIES)]
    pub(crate) severity: Vec<String>,
    /// Of this severity or a graver one
    #[arg(long, value_name = "SEVERITY", value_parser = SEVERITIES)]
    pub(crate) min_severity: Option<String>,
    /// With at least this risk score
    #[arg(long = "risk", value_name = "MIN", value_parser = clap::value_parser!(u8).range(0..=100))]
    pub(crate) min_risk: Option<u8>,
    /// With this tag, or one that ends in it (`macOS` for `OS: macOS`); `*` stands for anything
    #[arg(long, value_name = "TAG", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) tag: Vec<String>,
    /// Of this tactic, by id or name
    #[arg(long, value_name = "TACTIC", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) tactic: Vec<String>,
    /// Of this technique, by id or name; T1059 also takes its sub-techniques
    #[arg(long, value_name = "TECHNIQUE", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) technique: Vec<String>,
    /// That would look into this index; with `*`, into some index of that name
    #[arg(long, value_name = "INDEX", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) index: Vec<String>,
    /// About this operating system, by tag or query
    #[arg(long, value_name = "SYSTEM", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) os: Vec<String>,
    /// That needs data of this integration
    #[arg(long, value_name = "PACKAGE", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) integration: Vec<String>,
    /// Of this maturity, as TOML rules say it: production, development, deprecated …
    #[arg(long, value_name = "MATURITY", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) maturity: Vec<String>,
    /// With all these words somewhere in name, description, tags, query or notes
    #[arg(long, value_name = "WORDS", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) text: Vec<String>,
    /// Whose query names this field; `*` stands for anything
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) field: Vec<String>,
    /// With this id or name
    #[arg(long = "rule", value_name = "ID|NAME", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) rule: Vec<String>,
    /// That are enabled
    #[arg(long, conflicts_with = "disabled")]
    pub(crate) enabled: bool,
    /// That are disabled
    #[arg(long)]
    pub(crate) disabled: bool,
}

const SEVERITIES: [&str; 4] = ["low", "medium", "high", "critical"];

/// How rules are read.
#[derive(Debug, Args)]
#[command(next_help_heading = "Rules")]
pub(crate) struct Loading {
    /// Also rules that are in development or deprecated
    #[arg(long)]
    pub(crate) any_maturity: bool,
    /// Elastic's version.lock.json, for the published versions of rules
    #[arg(long, value_name = "FILE")]
    pub(crate) version_lock: Option<PathBuf>,
}

/// List rules, with filters
///
/// One rule a line, as wide as the terminal. Rules that cannot be read are left out, counted on standard
/// error, and shown by `maxspan rules check`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  maxspan rules list detection-rules/rules --os macos --min-severity high
  maxspan rules list rules --technique T1059 --field process.args --format ids
  maxspan rules list rules --index logs-endpoint.events.network-default --sort risk --columns risk,name,file
  maxspan rules list rules --format csv --columns id,name,severity,tactic > rules.csv")]
pub(crate) struct ListArguments {
    #[command(flatten)]
    pub(crate) filters: Filters,
    #[command(flatten)]
    pub(crate) loading: Loading,
    /// How the list is written
    #[arg(long, value_enum, default_value_t = ListFormat::Table, help_heading = "Output")]
    pub(crate) format: ListFormat,
    /// What the list is ordered by
    #[arg(long, value_enum, default_value_t = ListOrder::Name, help_heading = "Output")]
    pub(crate) sort: ListOrder,
    /// The other way around
    #[arg(long, help_heading = "Output")]
    pub(crate) reverse: bool,
    /// The columns of a table or CSV, with commas between them
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        value_name = "COLUMN,…",
        hide_possible_values = false,
        help_heading = "Output"
    )]
    pub(crate) columns: Vec<Column>,
    /// Files and folders with rules
    #[arg(value_name = "PATH", required = true, help_heading = None)]
    pub(crate) paths: Vec<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListFormat {
    /// For a person
    Table,
    /// One JSON list of objects
    Json,
    /// One JSON object a line
    #[value(name = "ndjson")]
    NdJson,
    /// Comma-separated values with a heading
    Csv,
    /// One rule id a line
    Ids,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListOrder {
    /// Name
    Name,
    /// Gravest first, then highest score
    Severity,
    /// Highest risk score first
    Risk,
    /// Last change first
    Updated,
    /// Rule id
    Id,
    /// Type
    Type,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs)]
pub(crate) enum Column {
    Id,
    Name,
    Type,
    Language,
    Severity,
    Risk,
    Tactic,
    Technique,
    Index,
    Os,
    Integration,
    Tags,
    Updated,
    Maturity,
    Enabled,
    Version,
    File,
}

/// Show a rule as a page to read
///
/// The rule is named by a file that holds it alone, or by its id or name with --rules. The page has the
/// order of Elastic's published reference: what it is about, how it runs, the investigation guide, setup,
/// the query, and the techniques that it is mapped to.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  maxspan rules show rules/macos/curl.toml
  maxspan rules show 'Whoami Process Activity' --rules detection-rules/rules
  maxspan rules show 5f2a6f4e-3b6a-4d5c-8e5e-0d2b8c1d7a10 --rules rules --format markdown > rule.md")]
pub(crate) struct ShowArguments {
    /// Its id, its name, or a file that holds it
    #[arg(value_name = "ID|NAME|FILE", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) rule: String,
    /// File or folder in which the rule is looked for; may be repeated
    #[arg(long = "rules", value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// How the page is written
    #[arg(long, value_enum, default_value_t = ShowFormat::Text)]
    pub(crate) format: ShowFormat,
    /// Elastic's version.lock.json, for the published version of the rule
    #[arg(long, value_name = "FILE")]
    pub(crate) version_lock: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ShowFormat {
    /// For a terminal
    Text,
    /// A Markdown document
    Markdown,
    /// The rule as Kibana's API gives it
    Json,
}

/// Show which ATT&CK tactics and techniques rules are mapped to
///
/// Counts rules by tactic, technique and sub-technique, as a table or as a layer for the ATT&CK Navigator.
/// What no rule is mapped to is not listed: the matrix itself is not part of this program.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  maxspan rules coverage detection-rules/rules
  maxspan rules coverage rules --os macos --verbose
  maxspan rules coverage rules --format navigator --output layer.json
  maxspan rules coverage rules --alerts alerts.ndjson --format markdown")]
pub(crate) struct CoverageArguments {
    #[command(flatten)]
    pub(crate) filters: Filters,
    #[command(flatten)]
    pub(crate) loading: Loading,
    /// How the coverage is written
    #[arg(long, value_enum, default_value_t = CoverageFormat::Table, help_heading = "Output")]
    pub(crate) format: CoverageFormat,
    /// Write to this file instead of standard output
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) output: Option<PathBuf>,
    /// Alerts of a hunt (NDJSON): also counts how often rules fired
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) alerts: Option<PathBuf>,
    /// The framework of a Navigator layer
    #[arg(long, value_enum, default_value_t = LayerFramework::Attack, help_heading = "Output")]
    pub(crate) framework: LayerFramework,
    /// Also name the rules
    #[arg(long, short, help_heading = "Output")]
    pub(crate) verbose: bool,
    /// Files and folders with rules
    #[arg(value_name = "PATH", required = true, help_heading = None)]
    pub(crate) paths: Vec<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CoverageFormat {
    /// For a person
    Table,
    /// A Markdown document
    Markdown,
    /// One JSON object
    Json,
    /// A layer of the ATT&CK Navigator
    Navigator,
    /// Comma-separated values with a heading
    Csv,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LayerFramework {
    /// MITRE ATT&CK
    Attack,
    /// MITRE ATLAS
    Atlas,
}

/// Convert rules between Elastic's TOML and Kibana's NDJSON, without loss
///
/// What one form cannot hold is kept in a place of its own, so that converting back gives the same rule
/// again: in NDJSON under `meta.maxspan`, in TOML in the table `[maxspan]`. Exception lists and connectors
/// of an export stay as they are in NDJSON; beside TOML they go to a file of their own.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  maxspan rules convert --to ndjson detection-rules/rules/macos --output macos.ndjson
  maxspan rules convert --to toml rules_export.ndjson --output rules/
  maxspan rules convert --to json rule.toml")]
pub(crate) struct ConvertArguments {
    /// The form to convert to
    #[arg(long, value_enum)]
    pub(crate) to: ConvertFormat,
    /// Write to this file, or folder for TOML, instead of standard output
    #[arg(long, value_name = "FILE|DIR")]
    pub(crate) output: Option<PathBuf>,
    /// Overwrite files that are there
    #[arg(long)]
    pub(crate) force: bool,
    /// Elastic's version.lock.json: rules get their published versions
    #[arg(long, value_name = "FILE")]
    pub(crate) version_lock: Option<PathBuf>,
    /// Files and folders with rules
    #[arg(value_name = "PATH", required = true)]
    pub(crate) paths: Vec<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ConvertFormat {
    /// Elastic's TOML, one rule a file
    Toml,
    /// One JSON document a line, as Kibana imports it
    #[value(name = "ndjson")]
    NdJson,
    /// One JSON list
    Json,
}

/// Compare what two versions of rules raise on the same events
///
/// Runs both over the events in one pass, and says for each rule what changed in it and which of its alerts
/// are new, gone, changed or as before. An alert is the same when its rule and its events are. Rules that
/// fail on either side are named.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  maxspan rules diff old/rule.toml new/rule.toml events.ndjson.gz
  maxspan rules diff main/rules branch/rules logs/ --format markdown > comment.md
  maxspan rules diff rules-8.19 rules-9.0 logs/ --no-cap --fail-on-change")]
pub(crate) struct DiffArguments {
    /// File or folder with exception lists or value lists, for both sides; may be repeated
    #[arg(long, value_name = "PATH", help_heading = "Rules")]
    pub(crate) exceptions: Vec<PathBuf>,
    /// Only the rule of this id or name; may be repeated
    #[arg(long = "rule", value_name = "ID|NAME", value_parser = NonEmptyStringValueParser::new(),
        help_heading = "Rules")]
    pub(crate) only: Vec<String>,
    /// Also rules that are in development or deprecated
    #[arg(long, help_heading = "Rules")]
    pub(crate) any_maturity: bool,
    #[command(flatten)]
    pub(crate) window: super::HuntWindow,
    #[command(flatten)]
    pub(crate) lookups: super::LookupArguments,
    #[command(flatten)]
    pub(crate) reading: Reading,
    /// How the comparison is written
    #[arg(long, value_enum, default_value_t = DiffFormat::Text, help_heading = "Output")]
    pub(crate) format: DiffFormat,
    /// Write the comparison to this file instead of standard output
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) output: Option<PathBuf>,
    /// Alerts shown of each rule and kind
    #[arg(long, value_name = "N", default_value_t = 5, help_heading = "Output")]
    pub(crate) limit: usize,
    /// End with exit code 10 when an alert is new, gone or changed
    #[arg(long, help_heading = "Output")]
    pub(crate) fail_on_change: bool,
    /// No progress bar and no closing summary
    #[arg(long, short, help_heading = "Output")]
    pub(crate) quiet: bool,
    /// The time that counts as now, in date math
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, help_heading = "Run")]
    pub(crate) now: Option<String>,
    #[command(flatten)]
    pub(crate) held: super::held::Held,
    #[command(flatten)]
    pub(crate) threads: super::threads::Threads,
    /// File or folder with the rules before the change
    #[arg(value_name = "OLD", help_heading = None)]
    pub(crate) old: PathBuf,
    /// File or folder with the rules after the change
    #[arg(value_name = "NEW", help_heading = None)]
    pub(crate) new: PathBuf,
    /// Files and folders with events; `-` is standard input
    #[arg(value_name = "INPUT", required = true, help_heading = None)]
    pub(crate) inputs: Vec<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DiffFormat {
    /// For a person
    Text,
    /// A Markdown document, for instance a comment on a pull request
    Markdown,
    /// One JSON object
    Json,
}
