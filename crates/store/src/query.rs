//! Queries in ES|QL over stored events: lowered to logical plans of `DataFusion`, as far as these mean the same, and run on
//! what is left by the executor that runs queries over anything else.
//!
//! A plan reads the columns of the tables and not the documents, groups in several threads, and puts aside what does not
//! fit in memory. What columns do not hold, what `DataFusion` does not have, or has with another meaning, is done by the
//! code of the language: a field from its document, an expression row by row, a command over rows. So there is one meaning.
//! Tests hold both ways against each other.

mod expressions;
mod functions;
mod ipc;
mod plan;
mod table;
mod values;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use datafusion::execution::SendableRecordBatchStream;
use datafusion::logical_expr::LogicalPlan;
use futures::TryStreamExt;
use maxspan_esql::query::{Command, Query};
use maxspan_esql::run::{Options, Outcome, RunError, Tables, run_rows};
use maxspan_esql::{Value, necessary};
use maxspan_event::index::IndexPatterns;
use maxspan_event::{Fields, Schema};
use rustc_hash::FxHashMap;
use tokio::time::timeout;

pub use ipc::write_arrow;

use crate::error::{Result, StoreError};
use crate::implied::implied;
use crate::limits::QUERY_ROWS;
use crate::names::Streams;
use crate::scan::{Condition, ScanRequest, StoredEvent, candidates};
use crate::session::{query_error, session_of};
use crate::store::{Store, StoreOptions};
use expressions::Scope;
use functions::Evaluators;
use plan::{Planned, planned};
use table::{Events, OpenedFile, Shared, events};
use values::{Cells, Form};

/// A row that was read from the document of an event.
#[derive(Debug, Clone)]
pub struct DocumentRow {
    /// The index that the event counts as; empty where nothing says.
    pub index: String,
    /// A value for each column of the query.
    pub values: Vec<Value>,
}

/// Reads the row of one event after the other.
pub type ReadRow = Box<dyn FnMut(&StoredEvent<'_>) -> Result<DocumentRow, String> + Send>;

/// Makes rows of documents, for what columns do not hold.
pub trait RowsOfDocuments: Send + Sync {
    /// A reader for one thread.
    fn reader(&self) -> ReadRow;
}

/// A query over a store.
pub struct StoredQuery<'a> {
    /// The query, which begins with FROM.
    pub query: &'a Query,
    /// The types that its fields were resolved with.
    pub schema: &'a Schema,
    /// What rows are read with.
    pub documents: Arc<dyn RowsOfDocuments>,
    /// Tables of lookups.
    pub tables: &'a Tables,
    /// What `NOW()` is, in milliseconds since 1970.
    pub now_ms: i64,
    /// Bytes that may be held in all.
    pub memory: usize,
    /// How long the query may take.
    pub timeout: Option<Duration>,
}

/// The answer to a query over a store.
#[derive(Debug)]
pub struct StoredAnswer {
    /// Columns, rows and warnings.
    pub outcome: Outcome,
    /// Events whose columns were read.
    pub events: u64,
}

/// Why there is no answer.
#[derive(Debug)]
pub enum QueryError {
    /// The store.
    Store(StoreError),
    /// The run of what plans do not do.
    Run(RunError),
    /// It took too long.
    Timeout,
}

impl From<StoreError> for QueryError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Store {
    /// Runs a query.
    pub fn query(&self, request: &StoredQuery<'_>) -> Result<StoredAnswer, QueryError> {
        let deadline = request.timeout.map(|timeout| Instant::now() + timeout);
        let prepared = self.prepared(request)?;
        let Prepared { planned, events, evaluators, rest } = prepared;
        let needs_rows =
            rest.commands.iter().any(|command| !matches!(command, Command::Scan(_) | Command::Limit(_)));
        // What plans hold and what rows hold is there at the same time.
        let share = if needs_rows { request.memory / 2 } else { request.memory };
        let options = StoreOptions { memory: share, ..self.options() };
        let session = session_of(options, QUERY_ROWS)?;
        let stream = self.within(deadline, async {
            let frame = session.execute_logical_plan(planned.plan).await?;
            frame.execute_stream().await
        })?;
        let forms = planned.scope.forms;
        let mut rows = PlanRows {
            store: self,
            stream,
            forms,
            deadline,
            columns: request.query.columns.len(),
            ready: Vec::new().into_iter(),
        };
        let late = || deadline.is_some_and(|deadline| Instant::now() > deadline);
        let options = Options { now_ms: request.now_ms, memory_bytes: Some(share), stop: Some(&late) };
        let mut failed = None;
        let mut until_failed = std::iter::from_fn(|| match rows.next()? {
            Ok(row) => Some(Ok(row)),
            Err(error) => {
                failed = Some(error);
                Some(Err(RunError::Stopped))
            }
        });
        let outcome = run_rows(&rest, &mut until_failed, request.tables, &options);
        let mut outcome = match (outcome, failed) {
            (_, Some(error)) => return Err(error),
            (Err(RunError::Stopped), _) => return Err(QueryError::Timeout),
            (Err(error), _) => return Err(QueryError::Run(error)),
            (Ok(outcome), None) => outcome,
        };
        for text in evaluators.warnings(&request.query.source) {
            if !outcome.warnings.contains(&text) {
                outcome.warnings.push(text);
            }
        }
        Ok(StoredAnswer { outcome, events: events.shared.events.load(Ordering::Relaxed) })
    }

    /// The logical plan of a query, and how many of its commands it does: for who wants to know how it is run.
    pub fn plan_of(&self, request: &StoredQuery<'_>) -> Result<(LogicalPlan, usize), QueryError> {
        let prepared = self.prepared(request)?;
        Ok((prepared.planned.plan, prepared.planned.commands))
    }

    fn prepared(&self, request: &StoredQuery<'_>) -> Result<Prepared, QueryError> {
        let query = request.query;
        let evaluators = Arc::new(Evaluators::new(request.now_ms, query.zone.clone()));
        let events = self.runtime().block_on(self.events_of(request))?;
        let scope = Scope {
            forms: FxHashMap::default(),
            columns: query.columns.len(),
            evaluators: Arc::clone(&evaluators),
        };
        let planned = planned(query, &events, scope).map_err(|error| query_error(&error))?;
        // The rows of the plan take the place of the events.
        let rest = query.after(planned.commands);
        Ok(Prepared { planned, events, evaluators, rest })
    }

    /// The files that events of the query may be in.
    async fn events_of(&self, request: &StoredQuery<'_>) -> Result<Events> {
        let scan = request.query.commands.iter().find_map(Command::as_scan);
        let scan = scan.ok_or_else(|| StoreError::of(self.place(), &std::fmt::Error))?;
        let patterns: Vec<&str> = scan.patterns.iter().map(String::as_str).collect();
        let streams = Streams::new(patterns.iter().copied());
        let mut fields = Fields::default();
        let condition = necessary(request.query, request.schema, &mut fields);
        let (from, to) = maxspan_esql::time_window(request.query, request.now_ms);
        let equals = implied(&condition, &fields, self.layout());
        let scan_request =
            ScanRequest { streams: streams.clone(), from, to, equals, ..ScanRequest::default() };
        let condition = Condition::new(&scan_request, self.layout());
        let (mut files, mut names) = (Vec::new(), FxHashMap::default());
        for (stream, table) in self.tables(&streams).await? {
            for file in table.files()?.into_iter().filter(|file| condition.may_be_in(file)) {
                names.insert(file.path.clone(), stream.name.clone());
                files.push(file);
            }
        }
        let objects = self.objects();
        let opened = candidates(objects, &condition, files).await.into_iter().map(|(file, opened)| {
            let stream = names.remove(&file.path).unwrap_or_default();
            Ok(OpenedFile { stream, file, opened: opened? })
        });
        let opened: Vec<OpenedFile> = opened.collect::<Result<_>>()?;
        let shared = Shared {
            objects: Arc::clone(objects),
            condition,
            columns: table::columns(scan, request.query, request.schema, self.layout()),
            patterns: IndexPatterns::new(patterns),
            documents: Arc::clone(&request.documents),
            events: AtomicU64::new(0),
        };
        events(shared, opened, self.options().threads).await
    }

    /// Waits for something, but not beyond the deadline.
    fn within<T>(
        &self,
        deadline: Option<Instant>,
        work: impl Future<Output = Result<T, datafusion::error::DataFusionError>>,
    ) -> Result<T, QueryError> {
        let done = self.runtime().block_on(async {
            match deadline {
                None => Ok(work.await),
                Some(deadline) => timeout(deadline.saturating_duration_since(Instant::now()), work).await,
            }
        });
        match done {
            Err(_) => Err(QueryError::Timeout),
            Ok(Err(error)) => Err(QueryError::Store(query_error(&error))),
            Ok(Ok(done)) => Ok(done),
        }
    }
}

struct Prepared {
    planned: Planned,
    events: Events,
    evaluators: Arc<Evaluators>,
    rest: Query,
}

/// What a plan gives, as rows.
struct PlanRows<'a> {
    store: &'a Store,
    stream: SendableRecordBatchStream,
    forms: FxHashMap<maxspan_esql::query::ColumnId, Form>,
    deadline: Option<Instant>,
    columns: usize,
    ready: std::vec::IntoIter<Vec<Value>>,
}

impl PlanRows<'_> {
    fn next(&mut self) -> Option<Result<Vec<Value>, QueryError>> {
        loop {
            if let Some(row) = self.ready.next() {
                return Some(Ok(row));
            }
            let Self { store, stream, deadline, .. } = self;
            let batch = match store.within(*deadline, stream.try_next()) {
                Ok(batch) => batch?,
                Err(error) => return Some(Err(error)),
            };
            match self.rows_of(&batch) {
                Ok(rows) => self.ready = rows.into_iter(),
                Err(error) => return Some(Err(QueryError::Store(StoreError::of("the query", &error)))),
            }
        }
    }

    fn rows_of(
        &self,
        batch: &arrow::array::RecordBatch,
    ) -> Result<Vec<Vec<Value>>, arrow::error::ArrowError> {
        let mut rows = vec![vec![Value::Null; self.columns]; batch.num_rows()];
        for (id, form) in &self.forms {
            let Some(array) = batch.column_by_name(&table::plan_name(*id)) else { continue };
            let cells = Cells::new(array, *form)?;
            for (number, row) in rows.iter_mut().enumerate() {
                row[id.0] = cells.value(number);
            }
        }
        Ok(rows)
    }
}
