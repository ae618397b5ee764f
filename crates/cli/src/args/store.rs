//! The flags of what works with an event store: `import`, `export`, `store`, and `hunt --store`.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand, ValueEnum};
use maxspan_pipeline::query::QueryLanguage;
use maxspan_store::StoreOptions;
use maxspan_store::limits::{MEMORY_DEFAULT, VACUUM_HOURS_DEFAULT};

use super::size;
use super::threads::Threads;

/// What everything that works with a store takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Run")]
pub(crate) struct Resources {
    /// Memory for reading and writing the store: 512MiB, 2GB (default 1GiB)
    ///
    /// What is sorted beyond it goes to temporary files. What cannot be done within it says so.
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub(crate) memory_limit: Option<usize>,
    #[command(flatten)]
    pub(crate) threads: Threads,
}

impl Resources {
    /// The options with these flags.
    pub(crate) fn options(&self) -> StoreOptions {
        StoreOptions { memory: self.memory_limit.unwrap_or(MEMORY_DEFAULT), threads: self.threads.count() }
    }
}

const IMPORT_EXAMPLES: &str = "Examples:
  maxspan import --store events logs/
  zcat events.gz | maxspan import --store events -
  maxspan import --store s3://bucket/events --memory-limit 2GB windows.ndjson.gz";

/// Put events into an event store
///
/// Reads all that `hunt` reads and keeps it: documents as they came, sorted by time, in one Delta table for each data
/// stream. The store is made where there is none. Events that it has already are left out and counted: those of the
/// same index, id and time, and without an id, the same documents. Every batch is stored as a whole or not at all, so
/// an import that was broken off can be run again.
#[derive(Debug, Args)]
#[command(after_help = IMPORT_EXAMPLES)]
pub(crate) struct ImportArguments {
    /// The store: a folder, or a URL (`s3://bucket/path`)
    #[arg(long, value_name = "STORE", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) store: String,
    #[command(flatten)]
    pub(crate) resources: Resources,
    /// No progress bar and no closing summary
    #[arg(long, short, help_heading = "Output")]
    pub(crate) quiet: bool,
    /// Files and folders with events; `-` is standard input
    #[arg(value_name = "INPUT", required = true)]
    pub(crate) inputs: Vec<PathBuf>,
}

const EXPORT_EXAMPLES: &str = "Examples:
  maxspan export --store events > all.ndjson
  maxspan export --store events --index 'logs-endpoint*' --from 2026-03-01 --to 2026-03-02
  maxspan export --store events --where 'process.name == \"curl\" and destination.port == 443'
  maxspan export --store events --language kql --where 'user.name: root' --output root.ndjson";

/// Write events of an event store as NDJSON
///
/// Writes documents in the order of their time, one a line, as `_bulk` bodies have them: with their index and id where
/// they came with some (`--documents` writes documents alone). A condition is checked against the document, by the same
/// code that runs rules.
#[derive(Debug, Args)]
#[command(after_help = EXPORT_EXAMPLES)]
pub(crate) struct ExportArguments {
    /// The store: a folder, or a URL (`s3://bucket/path`)
    #[arg(long, value_name = "STORE", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) store: String,
    /// Only events of indices that these patterns choose; may be repeated
    #[arg(long, value_name = "PATTERN", help_heading = "Events")]
    pub(crate) index: Vec<String>,
    /// Only events from this time on: a date, or date math such as now-7d
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, help_heading = "Events")]
    pub(crate) from: Option<String>,
    /// Only events up to this time, the whole day or hour that is written
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, help_heading = "Events")]
    pub(crate) to: Option<String>,
    /// Only events for which this holds: what EQL has behind `where`, or a query of KQL
    #[arg(long = "where", value_name = "CONDITION", help_heading = "Events")]
    pub(crate) condition: Option<String>,
    /// The language of the condition
    #[arg(long, value_enum, default_value_t = ConditionLanguage::Eql, help_heading = "Events")]
    pub(crate) language: ConditionLanguage,
    /// Elasticsearch mapping with the types of fields, over the built-in table; may be repeated
    #[arg(long, value_name = "FILE", help_heading = "Events")]
    pub(crate) mapping: Vec<PathBuf>,
    /// The time that counts as now in date math
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, help_heading = "Run")]
    pub(crate) now: Option<String>,
    #[command(flatten)]
    pub(crate) resources: Resources,
    /// Documents alone, without their index and id
    #[arg(long, help_heading = "Output")]
    pub(crate) documents: bool,
    /// Write to this file instead of standard output
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) output: Option<PathBuf>,
    /// No closing summary
    #[arg(long, short, help_heading = "Output")]
    pub(crate) quiet: bool,
}

/// A language that conditions on one event are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ConditionLanguage {
    Eql,
    Kql,
}

impl From<ConditionLanguage> for QueryLanguage {
    fn from(language: ConditionLanguage) -> Self {
        match language {
            ConditionLanguage::Eql => Self::Eql,
            ConditionLanguage::Kql => Self::Kql,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Show what is in a store
    ///
    /// A line for each data stream: events, files, bytes, days, first and last time. Reads the logs of the tables, no
    /// events.
    #[command(
        after_help = "Examples:\n  maxspan store info events\n  maxspan store info --json s3://bucket/events"
    )]
    Info {
        #[command(flatten)]
        what: StoreArguments,
        /// As JSON, one object a line
        #[arg(long, help_heading = "Output")]
        json: bool,
    },
    /// Make large files of small ones, and delete what no table lists
    ///
    /// Files of a day are merged in the order of time. Whoever reads an older version of a table still finds its files
    /// for --keep-hours; then they are deleted, and with them what imports left behind that were broken off.
    #[command(after_help = "Examples:\n  maxspan store compact events")]
    Compact {
        #[command(flatten)]
        what: StoreArguments,
        /// Hours for which files are kept that no table lists any more
        #[arg(long, value_name = "N", default_value_t = VACUUM_HOURS_DEFAULT)]
        keep_hours: u32,
    },
    /// Read everything, and say what is damaged
    ///
    /// Every file must be there, have the content that was written, be readable, in the order of time, and hold what its
    /// table says. Ends with exit code 3 when something is wrong.
    #[command(after_help = "Examples:\n  maxspan store verify events")]
    Verify {
        #[command(flatten)]
        what: StoreArguments,
    },
    /// Drop events of days long ago
    ///
    /// Drops whole days (UTC) from all tables and deletes their files after --keep-hours. Events without a time stay.
    #[command(after_help = "Examples:\n  maxspan store retain --days 90 events")]
    Retain {
        #[command(flatten)]
        what: StoreArguments,
        /// Days to keep, today among them
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        days: u32,
        /// Hours for which files are kept that no table lists any more
        #[arg(long, value_name = "N", default_value_t = VACUUM_HOURS_DEFAULT)]
        keep_hours: u32,
        /// The time that counts as now
        #[arg(long, value_name = "TIME", allow_hyphen_values = true, help_heading = "Run")]
        now: Option<String>,
    },
}

/// Which store.
#[derive(Debug, Args)]
pub(crate) struct StoreArguments {
    /// The store: a folder, or a URL (`s3://bucket/path`)
    #[arg(value_name = "STORE", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) store: String,
    /// Only data streams that these patterns choose; may be repeated
    #[arg(long, value_name = "PATTERN")]
    pub(crate) index: Vec<String>,
    #[command(flatten)]
    pub(crate) resources: Resources,
}
