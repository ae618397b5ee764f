//! Events of Parquet files, Delta tables and stores: all that needs the crate `store`.

use std::path::Path;
use std::sync::Arc;

use maxspan_diagnostics::codes;
use maxspan_event::{Field, Schema};
use maxspan_pipeline::executions::EXECUTIONS_INDEX;
use maxspan_pipeline::input::{
    InputOptions, OtherEvent, OtherEvents, OtherFormats, OtherProblem, ProblemKind, Reader,
};
use maxspan_pipeline::rule_base::RuleBase;
use maxspan_store::columns::{INGESTED, Layout, TIMESTAMP};
use maxspan_store::documents::Documents;
use maxspan_store::{
    EventBatch, Importer, NewEvent, Scan, ScanOrder, ScanRequest, Store, StoreError, StoreOptions, Streams,
};

use crate::exit::{Exit, Failure};

/// A reader of the events of a store that the rules may look at.
pub(crate) fn reader_for(rules: &RuleBase, name: &str, threads: usize) -> Result<Reader, Failure> {
    let options = StoreOptions { threads, ..StoreOptions::default() };
    let store = Arc::new(Store::open(name, options).map_err(failure)?);
    let requests = requests(rules, store.layout());
    reader_of(&store, name, &requests)
}

/// A reader of the records of executions that a store has.
pub(crate) fn executions(name: &str) -> Result<Reader, Failure> {
    let store = Arc::new(Store::open(name, StoreOptions::default()).map_err(failure)?);
    let streams = Streams::exactly(EXECUTIONS_INDEX);
    reader_of(&store, name, &[ScanRequest { streams, order: ScanOrder::Any, ..ScanRequest::default() }])
}

/// Keeps records of executions, by their ids, in a store.
pub(crate) fn keep_executions(name: &str, records: &[(String, String)]) -> Result<(), Failure> {
    let store = Arc::new(Store::open(name, StoreOptions::default()).map_err(failure)?);
    let mut importer = Importer::new(store);
    for (id, record) in records {
        let event = NewEvent { index: Some(EXECUTIONS_INDEX), id: Some(id), source: record.as_bytes() };
        // What was written here can be read.
        let _ = importer.push(&event).map_err(failure)?;
    }
    importer.finish().1.map_err(failure)
}

/// The latest `@timestamp` of a store, in nanoseconds, in streams other than those of records.
pub(crate) fn last_time(name: &str) -> Result<Option<i64>, Failure> {
    let store = Store::open(name, StoreOptions::default()).map_err(failure)?;
    let streams = Streams::default().without(Streams::exactly(EXECUTIONS_INDEX));
    let streams = store.info(&streams).map_err(failure)?;
    // The end of the microsecond that the column has.
    Ok(streams.iter().filter_map(|one| Some(one.times?.1.saturating_mul(1_000).saturating_add(999))).max())
}

fn reader_of(store: &Arc<Store>, name: &str, requests: &[ScanRequest]) -> Result<Reader, Failure> {
    let mut scans = Vec::new();
    for request in requests {
        scans.push(store.scan(request).map_err(failure)?);
    }
    let events = StoreEvents { scans, batch: Vec::new().into_iter() };
    Ok(Reader::of_events(name, Box::new(events), InputOptions::default()))
}

/// What the rules can look at: the streams that one of them chooses, and the times that they look at. Streams of indicators
/// are read whole, since these count however old they are.
fn requests(rules: &RuleBase, layout: &Layout) -> Vec<ScanRequest> {
    let events = Streams::of_any(rules.rule_set.rules().map(|(_, rule)| &rule.indices));
    // Records of executions are no events, however wide a pattern is.
    let events = events.without(Streams::exactly(EXECUTIONS_INDEX));
    let indicators: Vec<_> =
        rules.rule_set.rules().filter_map(|(_, rule)| rule.indicator_indices()).collect();
    if indicators.is_empty() {
        return vec![within(rules, layout, events)];
    }
    let indicators = Streams::of_any(indicators).without(Streams::exactly(EXECUTIONS_INDEX));
    let whole = ScanRequest { streams: indicators.clone(), order: ScanOrder::Any, ..ScanRequest::default() };
    vec![whole, within(rules, layout, events.without(indicators))]
}

/// The times that rules look at, where they all go by times that columns have as the rules read them.
fn within(rules: &RuleBase, layout: &Layout, streams: Streams) -> ScanRequest {
    let request = ScanRequest { streams, order: ScanOrder::Any, ..ScanRequest::default() };
    let Some((from, to)) = times(rules) else { return request };
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

/// From the earliest to the latest time that some rule looks at; none where one looks at all.
fn times(rules: &RuleBase) -> Option<(i64, i64)> {
    let mut all = rules.rule_set.rules().map(|(_, rule)| rule.times);
    let first = all.next()??;
    all.try_fold(first, |(from, to), times| times.map(|(start, end)| (from.min(start), to.max(end))))
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
    /// The last one is read.
    scans: Vec<Scan>,
    batch: std::vec::IntoIter<OtherEvent>,
}

impl OtherEvents for StoreEvents {
    fn next(&mut self) -> Option<Result<OtherEvent, OtherProblem>> {
        loop {
            if let Some(event) = self.batch.next() {
                return Some(Ok(event));
            }
            match self.scans.last_mut()?.next() {
                Some(Ok(batch)) => self.batch = owned(&batch).into_iter(),
                Some(Err(error)) => return Some(Err(problem(error))),
                None => drop(self.scans.pop()),
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
