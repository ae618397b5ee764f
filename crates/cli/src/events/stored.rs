//! Events of Parquet files, Delta tables and stores: all that needs the crate `store`.

use std::path::Path;
use std::sync::Arc;

use maxspan_diagnostics::codes;
use maxspan_pipeline::executions::HUNTS_INDEX;
use maxspan_pipeline::input::{
    InputOptions, OtherEvent, OtherEvents, OtherFormats, OtherProblem, ProblemKind, Reader,
};
use maxspan_pipeline::rule_base::RuleBase;
use maxspan_store::documents::Documents;
use maxspan_store::{
    EventBatch, Importer, NewEvent, Scan, ScanOrder, ScanRequest, Store, StoreError, StoreOptions, Streams,
};

use super::requests::{requests, without_records};
use crate::exit::{Exit, Failure};

/// A reader of the events of a store that the rules may look at.
pub(crate) fn reader_for(rules: &RuleBase, name: &str, threads: usize) -> Result<Reader, Failure> {
    let options = StoreOptions { threads, ..StoreOptions::default() };
    let store = Arc::new(Store::open(name, options).map_err(failure)?);
    let requests = requests(rules, &store).map_err(failure)?;
    Ok(reader_of(store, name, requests))
}

/// A reader of the records of hunts that a store has.
pub(crate) fn hunts(name: &str) -> Result<Reader, Failure> {
    let store = Arc::new(Store::open(name, StoreOptions::default()).map_err(failure)?);
    let streams = Streams::exactly([HUNTS_INDEX]);
    Ok(reader_of(store, name, vec![ScanRequest { streams, order: ScanOrder::Any, ..ScanRequest::default() }]))
}

/// A record by its index and id.
pub(crate) type Record = (String, String, String);

/// Keeps records in a store.
pub(crate) fn keep_records(name: &str, records: &[Record]) -> Result<(), Failure> {
    let store = Arc::new(Store::open(name, StoreOptions::default()).map_err(failure)?);
    let mut importer = Importer::new(store);
    for (index, id, record) in records {
        let event = NewEvent { index: Some(index), id: Some(id), source: record.as_bytes() };
        // What was written here can be read.
        let _ = importer.push(&event).map_err(failure)?;
    }
    importer.finish().1.map_err(failure)
}

/// The latest `@timestamp` of a store, in nanoseconds, in streams other than those of records.
pub(crate) fn last_time(name: &str) -> Result<Option<i64>, Failure> {
    let store = Store::open(name, StoreOptions::default()).map_err(failure)?;
    let streams = without_records(Streams::default());
    let streams = store.info(&streams).map_err(failure)?;
    // The end of the microsecond that the column has.
    Ok(streams.iter().filter_map(|one| Some(one.times?.1.saturating_mul(1_000).saturating_add(999))).max())
}

fn reader_of(store: Arc<Store>, name: &str, requests: Vec<ScanRequest>) -> Reader {
    let (requests, batch) = (requests.into_iter(), Vec::new().into_iter());
    let events = StoreEvents { store, requests, scan: None, batch };
    Reader::of_events(name, Box::new(events), InputOptions::default())
}

/// An error of a store as the end of a command.
#[allow(clippy::needless_pass_by_value)]
pub(crate) fn failure(error: StoreError) -> Failure {
    let output = [codes::STORE_FULL, codes::STORE_CONFLICT];
    let usage = [codes::STORE_NONE, codes::STORE_ADDRESS, codes::STORE_FORMAT, codes::STORE_MEMORY];
    if usage.contains(&error.code) {
        Failure::usage(error.to_string())
    } else if output.contains(&error.code) {
        Failure { exit: Exit::Output, error: anyhow::Error::new(error) }
    } else {
        Failure::input(error.to_string())
    }
}

/// Parquet files and Delta tables.
pub(super) struct Parquet;

impl OtherFormats for Parquet {
    fn takes(&self, path: &Path) -> bool {
        let is_parquet = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("parquet"));
        is_parquet && path.is_file() || path.join("_delta_log").is_dir()
    }

    fn open(&self, path: &Path) -> Result<Box<dyn OtherEvents>, OtherProblem> {
        let text = path.to_str().ok_or_else(|| OtherProblem {
            kind: ProblemKind::Unreadable,
            message: "its path is no UTF-8".to_owned(),
        })?;
        let options = StoreOptions::default();
        let opened = if path.is_dir() {
            Documents::of_delta(text, options)
        } else {
            Documents::of_parquet(text, options)
        };
        Ok(Box::new(Rows(opened.map_err(problem)?)))
    }
}

/// The rows of a file or table.
struct Rows(Documents);

impl OtherEvents for Rows {
    fn next(&mut self) -> Option<Result<OtherEvent, OtherProblem>> {
        let document = self.0.next()?;
        Some(document.map_err(problem).map(|row| OtherEvent {
            source: row.source,
            index: row.index,
            id: row.id,
        }))
    }
}

/// The events of a store.
struct StoreEvents {
    store: Arc<Store>,
    /// What is read after the scan.
    requests: std::vec::IntoIter<ScanRequest>,
    scan: Option<Scan>,
    batch: std::vec::IntoIter<OtherEvent>,
}

impl OtherEvents for StoreEvents {
    fn next(&mut self) -> Option<Result<OtherEvent, OtherProblem>> {
        loop {
            if let Some(event) = self.batch.next() {
                return Some(Ok(event));
            }
            match self.scan.as_mut().and_then(Iterator::next) {
                Some(Ok(batch)) => self.batch = owned(&batch).into_iter(),
                Some(Err(error)) => return Some(Err(problem(error))),
                None => match self.store.scan(&self.requests.next()?) {
                    Ok(scan) => self.scan = Some(scan),
                    Err(error) => return Some(Err(problem(error))),
                },
            }
        }
    }
}

fn owned(batch: &EventBatch) -> Vec<OtherEvent> {
    let owned = |event: maxspan_store::StoredEvent<'_>| OtherEvent {
        source: event.source.into(),
        index: event.index.map(str::to_owned),
        id: event.id.map(str::to_owned),
    };
    batch.iter().map(owned).collect()
}

#[allow(clippy::needless_pass_by_value)]
fn problem(error: StoreError) -> OtherProblem {
    let kind =
        if error.code == codes::STORE_DAMAGED { ProblemKind::Damaged } else { ProblemKind::Unreadable };
    OtherProblem { kind, message: error.to_string() }
}
