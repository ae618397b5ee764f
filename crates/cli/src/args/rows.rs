//! Options of ES|QL queries.

use std::time::Duration;

use clap::{Args, ValueEnum};

use super::size;

/// How ES|QL queries run, and how their rows are written.
#[derive(Debug, Args)]
pub(crate) struct RowsArguments {
    /// Ask the events of this store instead of files, in ES|QL: a folder, or a URL (`s3://bucket/path`)
    #[arg(long, value_name = "STORE", conflicts_with = "inputs", help_heading = "Events")]
    pub(crate) store: Option<String>,
    /// How the rows of an ES|QL query are written [default: table on a terminal, else json]
    #[arg(long, value_enum, help_heading = "ES|QL")]
    pub(crate) format: Option<RowsFormat>,
    /// Memory that an ES|QL query may hold: rows that are sorted, groups
    #[arg(long, value_name = "SIZE", default_value = "512MiB", value_parser = size, help_heading = "ES|QL")]
    pub(crate) memory_limit: usize,
    /// How long an ES|QL query may take: `30s`, `5m`, `2h`
    #[arg(long, value_name = "TIME", value_parser = duration, help_heading = "ES|QL")]
    pub(crate) timeout: Option<Duration>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RowsFormat {
    /// Columns and rows for a person
    Table,
    /// Comma-separated values with a line of names
    Csv,
    /// As Elasticsearch's `_query` answers
    Json,
    /// A file of Apache Arrow (IPC), for other programs
    #[cfg(feature = "store")]
    Arrow,
}

fn duration(text: &str) -> Result<Duration, String> {
    let millis = maxspan_rules::schedule::parse_interval(text).map_err(|error| error.to_string())?;
    Ok(Duration::from_millis(millis.unsigned_abs()))
}
