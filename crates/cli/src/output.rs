//! How alerts and messages are written.

pub(crate) mod account;
pub(crate) mod cost;
pub(crate) mod coverage;
pub(crate) mod csv;
pub(crate) mod diff;
pub(crate) mod list;
pub(crate) mod markdown;
pub(crate) mod messages;
pub(crate) mod ndjson;
pub(crate) mod page;
pub(crate) mod person;
pub(crate) mod reading;
pub(crate) mod row;
pub(crate) mod rows;
pub(crate) mod summary;
pub(crate) mod table;

use std::io::{self, Write};

use maxspan_pipeline::hunt::{HuntAlert, HuntStats};
use maxspan_pipeline::rule_base::RuleBase;

/// A way to write alerts. They come in the order of output, the building blocks of a sequence before its alert.
pub(crate) trait AlertOutput {
    /// Takes an alert.
    fn alert(&mut self, rules: &RuleBase, alert: &HuntAlert) -> io::Result<()>;

    /// Writes what could not be written before the last alert was known.
    fn finish(&mut self, rules: &RuleBase, stats: &HuntStats) -> io::Result<()>;
}

/// Where alerts are written to.
pub(crate) type Writer = Box<dyn Write>;
