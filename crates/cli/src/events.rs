//! Events that commands read: from files and folders of all formats, Parquet and Delta among them, and from stores.
//!
//! Without the feature `store` there are neither stores nor Parquet.

use std::path::Path;
use std::sync::Arc;

use maxspan_diagnostics::Source;
use maxspan_pipeline::input::{InputOptions, InputSpec, OtherFormats, Reader};
use maxspan_pipeline::query::QueryOptions;
use maxspan_pipeline::query::rows::{RowsAnswer, RowsError, RunLimits};
use maxspan_pipeline::rule_base::RuleBase;

use crate::exit::Failure;

#[cfg(feature = "store")]
mod asked;
#[cfg(feature = "store")]
mod requests;
#[cfg(feature = "store")]
mod stored;
#[cfg(feature = "store")]
pub(crate) use asked::write_arrow;
#[cfg(feature = "store")]
pub(crate) use stored::{failure, hunts, keep_records, last_time};

/// A reader of files and folders.
pub(crate) fn reader<P: AsRef<Path>>(paths: impl IntoIterator<Item = P>) -> Reader {
    Reader::open_with(&InputSpec::new(paths), InputOptions::default(), OTHER_FORMATS.map(|make| make()))
}

/// Makes what reads formats that take the store's libraries.
type MakeFormats = fn() -> Arc<dyn OtherFormats>;

#[cfg(feature = "store")]
const OTHER_FORMATS: Option<MakeFormats> = Some(|| Arc::new(stored::Parquet));
#[cfg(not(feature = "store"))]
const OTHER_FORMATS: Option<MakeFormats> = None;

/// A reader of the events of a store that the rules may look at.
#[cfg(feature = "store")]
pub(crate) fn reader_of_store(rules: &RuleBase, name: &str, threads: usize) -> Result<Reader, Failure> {
    stored::reader_for(rules, name, threads)
}

#[cfg(not(feature = "store"))]
pub(crate) fn reader_of_store(_: &RuleBase, _: &str, _: usize) -> Result<Reader, Failure> {
    Err(without_stores())
}

#[cfg(not(feature = "store"))]
pub(crate) fn hunts(_: &str) -> Result<Reader, Failure> {
    Err(without_stores())
}

#[cfg(not(feature = "store"))]
pub(crate) fn keep_records(_: &str, _: &[(String, String, String)]) -> Result<(), Failure> {
    Err(without_stores())
}

#[cfg(not(feature = "store"))]
pub(crate) fn last_time(_: &str) -> Result<Option<i64>, Failure> {
    Err(without_stores())
}

#[cfg(not(feature = "store"))]
fn without_stores() -> Failure {
    Failure::usage(WITHOUT_STORES)
}

/// The answer of a store to a query in ES|QL.
#[cfg(feature = "store")]
pub(crate) fn query_store(
    name: &str,
    source: &Source,
    options: &QueryOptions,
    limits: RunLimits,
) -> Result<RowsAnswer, RowsError> {
    asked::query(name, source, options, limits)
}

#[cfg(not(feature = "store"))]
pub(crate) fn query_store(
    _: &str,
    _: &Source,
    _: &QueryOptions,
    _: RunLimits,
) -> Result<RowsAnswer, RowsError> {
    Err(RowsError::Events(WITHOUT_STORES.to_owned()))
}

#[cfg(not(feature = "store"))]
const WITHOUT_STORES: &str = "this program was built without stores (the feature `store`)";
