//! The flags of `maxspan lookup`, and `--lookups` of the commands that use tables.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand, ValueEnum};
use maxspan_pipeline::lookups::{ColumnType, TableFormat, TableKind};

/// Tables that rules and queries look into.
#[derive(Debug, Args)]
pub(crate) struct LookupArguments {
    /// Folder of lookup tables that `maxspan lookup load` made: value lists, indicators, tables of ENRICH and LOOKUP JOIN
    #[arg(long, value_name = "DIR", help_heading = "Lookups")]
    pub(crate) lookups: Option<PathBuf>,
}

/// Where tables are kept.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct TablePlace {
    /// The event store that the tables belong to: a local folder
    #[arg(long, value_name = "STORE", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) store: Option<String>,
    /// A folder of tables without a store
    #[arg(long, value_name = "DIR")]
    pub(crate) lookups: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LookupCommand {
    /// Load a table from files, in place of the one of that name
    ///
    /// Value lists hold values that exceptions name; indicators are looked for by indicator match rules; tables of kind
    /// enrich are for ENRICH and LOOKUP JOIN of ES|QL. A row that cannot be used is named and counted, and the others are
    /// loaded. A load that is broken off leaves the table as it was.
    #[command(after_help = "Examples:
  maxspan lookup load monitoring_hosts --kind values --type ip_range ranges.txt --lookups tables
  maxspan lookup load owners --kind enrich --match-field host.name hosts.csv --store events
  maxspan lookup load ti-feed --kind indicators bundle.json --store events
  maxspan lookup load owners --kind enrich --append more.ndjson --store events")]
    Load(Box<LoadArguments>),
    /// List tables: what they are for, rows, size, when they were loaded
    #[command(after_help = "Examples:\n  maxspan lookup list --store events")]
    List {
        #[command(flatten)]
        place: TablePlace,
        /// As JSON, one object a line
        #[arg(long, help_heading = "Output")]
        json: bool,
    },
    /// Show the rows of a table
    #[command(after_help = "Examples:
  maxspan lookup show owners --store events
  maxspan lookup show owners --format ndjson --limit 10 --lookups tables")]
    Show {
        /// The table
        name: String,
        #[command(flatten)]
        place: TablePlace,
        /// How rows are written [default: table on a terminal, else ndjson]
        #[arg(long, value_enum, help_heading = "Output")]
        format: Option<ShowFormat>,
        /// Only so many rows
        #[arg(long, value_name = "N", help_heading = "Output")]
        limit: Option<usize>,
    },
    /// Delete a table
    #[command(after_help = "Examples:\n  maxspan lookup remove owners --store events")]
    Remove {
        /// The table
        name: String,
        #[command(flatten)]
        place: TablePlace,
    },
}

/// What is loaded, and how.
#[derive(Debug, Args)]
pub(crate) struct LoadArguments {
    /// The name of the table: the id of a value list, the index of indicators, the name in ENRICH and LOOKUP JOIN
    pub(crate) name: String,
    /// What the table is for
    #[arg(long, value_enum)]
    pub(crate) kind: Kind,
    /// Format of the files [default: by their names and content]
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,
    /// Type of a value list (`ip_range`), or of a column (`bytes=long`); may be repeated
    ///
    /// Other columns have the type that ECS gives a field of their name, or the one that all their values have.
    #[arg(long = "type", value_name = "[COLUMN=]TYPE", value_parser = typed)]
    pub(crate) types: Vec<(Option<String>, ColumnType)>,
    /// The column that ENRICH matches; of a value list in CSV or NDJSON, the column with the values
    #[arg(long, value_name = "COLUMN")]
    pub(crate) match_field: Option<String>,
    /// Keep the rows that are there
    #[arg(long)]
    pub(crate) append: bool,
    /// Load nothing when a row cannot be used
    #[arg(long)]
    pub(crate) strict: bool,
    #[command(flatten)]
    pub(crate) place: TablePlace,
    /// The time that counts as now
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, help_heading = "Run")]
    pub(crate) now: Option<String>,
    /// Files; `-` is standard input
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// A value list of exceptions
    Values,
    /// Indicators of indicator match rules
    Indicators,
    /// Rows for ENRICH and LOOKUP JOIN
    Enrich,
}

impl From<Kind> for TableKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Values => Self::Values,
            Kind::Indicators => Self::Indicators,
            Kind::Enrich => Self::Enrich,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A value a line
    Lines,
    /// Comma-separated values with a line of names
    Csv,
    /// A JSON object a line
    #[value(name = "ndjson")]
    NdJson,
    /// A STIX 2.1 bundle
    Stix,
}

impl From<Format> for TableFormat {
    fn from(format: Format) -> Self {
        match format {
            Format::Lines => Self::Lines,
            Format::Csv => Self::Csv,
            Format::NdJson => Self::NdJson,
            Format::Stix => Self::Stix,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ShowFormat {
    /// Columns and rows for a person
    Table,
    /// A JSON object a line
    #[value(name = "ndjson")]
    NdJson,
}

fn typed(text: &str) -> Result<(Option<String>, ColumnType), String> {
    let (column, kind) = match text.rsplit_once('=') {
        Some((column, kind)) => (Some(column.to_owned()), kind),
        None => (None, text),
    };
    Ok((column, ColumnType::parse(kind)?))
}
