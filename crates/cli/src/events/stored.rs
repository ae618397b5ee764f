//! Events of Parquet files, Delta tables and stores: all that needs the crate `store`.

use std::path::Path;
use std::sync::Arc;

use maxspan_diagnostics::codes;
use maxspan_event::{Field, Schema};
use maxspan_pipeline::input::{
    InputOptions, OtherEvent, OtherEvents, OtherFormats, OtherProblem, ProblemKind, Reader,
};
use maxspan_pipeline::rule_base::RuleBase;
use maxspan_store::columns::{INGESTED, Layout, TIMESTAMP};
use maxspan_store::documents::Documents;
use maxspan_store::{EventBatch, Scan, ScanOrder, ScanRequest, Store, StoreError, StoreOptions, Streams};

use crate::exit::{Exit, Failure};

/// A reader of the events of a store that the rules may look at.
pub(crate) fn reader_for(rules: &RuleBase, name: &str, threads: usize) -> Result<Reader, Failure> {
    let options = StoreOptions { threads, ..StoreOptions::default() };
    let store = Arc::new(Store::open(name, options).map_err(failure)?);
    let scan = store.scan(&request(rules, store.layout())).map_err(failure)?;
    let events = StoreEvents { scan, batch: Vec::new().into_iter() };
    Ok(Reader::of_events(name, Box::new(events), InputOptions::default()))
}

/// What the rules can look at: the streams that one of them chooses, and the window of the hunt, where they all go by times
/// that columns have as the rules read them.
fn request(rules: &RuleBase, layout: &Layout) -> ScanRequest {
    let indicators = rules.rule_set.rules().filter_map(|(_, rule)| rule.indicator_indices());
    let indicators: Vec<_> = indicators.collect();
    let streams = rules.rule_set.rules().map(|(_, rule)| &rule.indices).chain(indicators.iter().copied());
    let request =
        ScanRequest { streams: Streams::of_any(streams), order: ScanOrder::Any, ..ScanRequest::default() };
    // Indicators count however old they are.
    let Some((from, to)) = rules.window.filter(|_| indicators.is_empty()) else { return request };
    let fields = rules.rule_set.decoder().fields();
    let mut times: Vec<&Field> = Vec::new();
    for slot in rules.rule_set.rules().flat_map(|(_, rule)| &rule.primary) {
        times.push(fields.field(*slot));
    }
    let by_time = Schema::built_in().field(TIMESTAMP);
    let by_ingestion = layout.column(INGESTED).map(|column| &column.field);
    let known = |field: &&Field| **field == by_time || Some(*field) == by_ingestion;
    if !times.iter().all(known) {
        return request;
    }
    ScanRequest {
        from: (from != i64::MIN).then_some(from),
        to: (to != i64::MAX).then_some(to),
        or_ingested: times.iter().any(|field| **field != by_time),
        ..request
    }
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
    scan: Scan,
    batch: std::vec::IntoIter<OtherEvent>,
}

impl OtherEvents for StoreEvents {
    fn next(&mut self) -> Option<Result<OtherEvent, OtherProblem>> {
        loop {
            if let Some(event) = self.batch.next() {
                return Some(Ok(event));
            }
            match self.scan.next()? {
                Ok(batch) => self.batch = owned(&batch).into_iter(),
                Err(error) => return Some(Err(problem(error))),
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
