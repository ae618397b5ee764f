//! Rule documents: load, check, lower; detection and rule to alert.
//!
//! A rule file (Elastic's TOML, or Kibana's exported NDJSON and JSON) becomes a [`RuleDocument`]: typed, checked,
//! defaults filled in, with the place in its file. Exception lists are kept beside ([`ExceptionStore`]), and
//! [`alert`] turns a rule and the events of a detection into Kibana's alert document.
//!
//! Only [`load`] touches the file system; everything else is a pure function of its arguments, and the current
//! time is always handed in.

pub mod alert;
mod api_json;
mod attack;
pub mod compile;
pub mod convert;
pub mod coverage;
pub mod document;
mod exception_predicate;
pub mod exceptions;
mod field_reader;
mod filters;
pub mod guide;
mod json_places;
mod kibana_rules;
pub mod limits;
pub mod lint;
pub mod listing;
pub mod load;
pub mod page;
mod parsed_file;
pub mod query_fields;
pub mod query_tokens;
mod read_rule;
pub mod schedule;
pub mod toml_out;
mod toml_rules;
mod toml_text;
mod version_lock;

pub use api_json::{parameters_json, to_api_json};
pub use compile::{
    Columns, CompileOptions, Compiled, Outcome, RowsQuery, RuleOutline, Runs, compile, outline,
};
pub use document::{RuleDocument, RuleType};
pub use exceptions::{ExceptionItem, ExceptionStore};
pub use kibana_rules::{DocumentKind, classify, parse_json, parse_ndjson};
pub use limits::Limits;
pub use load::{
    LoadOptions, LoadedExceptions, LoadedRules, joined, load_exceptions, load_parsed, load_paths,
};
pub use parsed_file::{ParsedFile, Skipped};
pub use schedule::{DateMath, Schedule};
pub use toml_rules::{TomlOptions, parse_toml};
pub use version_lock::VersionLock;
