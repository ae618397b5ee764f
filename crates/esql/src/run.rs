//! Runs a query over rows in memory, row by row: slow and plain, so that it can be believed.
//!
//! Rows are pulled from the end: a stage asks the one before it for a row, so that LIMIT stops all before it. A row has a
//! place for every column of the query. What is held (rows that are sorted, groups) is counted against a limit; what a stage is
//! done with is not taken off again, so that the count errs towards too much.

use std::fmt;

use crate::evaluate::Evaluator;
use crate::limits::{MEMORY_BYTES, STEPS_BETWEEN_CHECKS};
use crate::query::{Column, Query};
use crate::value::Value;

mod groups;
mod lookup;
mod stages;
mod tables;

pub use stages::change;
pub use tables::{Ranges, Table, Tables};

/// How a query is run.
#[derive(Default)]
pub struct Options<'a> {
    /// What `NOW()` is, in milliseconds since 1970.
    pub now_ms: i64,
    /// How much memory may be held; without it [`MEMORY_BYTES`].
    pub memory_bytes: Option<usize>,
    /// Asked now and then; true stops the run. A time limit is the caller's, who has a clock.
    pub stop: Option<&'a dyn Fn() -> bool>,
}

/// The rows of a result.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The columns, in order.
    pub columns: Vec<Column>,
    /// The rows.
    pub rows: Vec<Vec<Value>>,
    /// What could not be computed, and what was cut.
    pub warnings: Vec<String>,
}

/// Why a run ended without a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunError {
    /// More would have to be held than is allowed.
    Memory {
        /// The limit in bytes.
        limit: usize,
    },
    /// The caller stopped it.
    Stopped,
    /// The tables are others than those that the query was resolved against.
    MissingTable(String),
    /// The rows could not be read to their end.
    Rows(String),
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory { limit } => write!(f, "the query holds more than {limit} bytes"),
            Self::Stopped => f.write_str("the query was stopped"),
            Self::MissingTable(name) => write!(f, "there is no table [{name}]"),
            Self::Rows(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for RunError {}

/// Rows that a query reads instead of those of tables; an error ends the run.
pub type Rows<'a> = dyn Iterator<Item = Result<Vec<Value>, RunError>> + 'a;

/// Runs a query to its end.
pub fn run(query: &Query, tables: &Tables, options: &Options<'_>) -> Result<Outcome, RunError> {
    run_over(query, Input::Tables, tables, options)
}

/// The same over rows as a [`RowReader`](crate::rows::RowReader) makes them; lookups still look at tables.
pub fn run_rows<'a>(
    query: &'a Query,
    rows: &'a mut Rows<'a>,
    tables: &'a Tables,
    options: &Options<'a>,
) -> Result<Outcome, RunError> {
    run_over(query, Input::Rows(rows), tables, options)
}

fn run_over<'a>(
    query: &'a Query,
    input: Input<'a>,
    tables: &'a Tables,
    options: &Options<'a>,
) -> Result<Outcome, RunError> {
    let mut shared = Shared::new(query, input, tables, options);
    let mut stages = stages::stages(query);
    let mut rows = Vec::new();
    while let Some(mut row) = stages::pull(&mut stages, &mut shared)? {
        let shown: Vec<Value> = query.output.iter().map(|(_, id)| row[id.0].clone()).collect();
        row.clear();
        shared.hold(&shown)?;
        rows.push(shown);
    }
    let columns =
        query.output.iter().map(|(name, id)| Column { name: name.clone(), kind: query.columns[id.0].kind });
    let mut warnings = query.warnings.clone();
    warnings.extend(shared.evaluator.warnings.texts(&query.source));
    Ok(Outcome { columns: columns.collect(), rows, warnings })
}

/// Runs a query over one row after the other, each by itself: for the first part of [`Query::split`].
pub struct EachRow<'a> {
    shared: Shared<'a>,
    stages: Vec<stages::Stage<'a>>,
}

impl<'a> EachRow<'a> {
    /// A run that has seen no row.
    pub fn new(query: &'a Query, tables: &'a Tables, options: &Options<'a>) -> Self {
        Self { shared: Shared::new(query, Input::One(None), tables, options), stages: stages::stages(query) }
    }

    /// What comes of a row: rows with a value for each column of the query.
    pub fn rows(&mut self, row: Vec<Value>) -> Result<Vec<Vec<Value>>, RunError> {
        self.shared.memory_bytes = 0;
        self.shared.input = Input::One(Some(row));
        let mut rows = Vec::new();
        while let Some(row) = stages::pull(&mut self.stages, &mut self.shared)? {
            self.shared.hold(&row)?;
            rows.push(row);
        }
        Ok(rows)
    }

    /// What could not be computed so far.
    pub fn warnings(&self) -> Vec<String> {
        self.shared.evaluator.warnings.texts(&self.shared.query.source)
    }
}

impl fmt::Debug for EachRow<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EachRow").finish_non_exhaustive()
    }
}

/// The values of all columns, by id.
type Row = Vec<Value>;

/// What scans read.
enum Input<'a> {
    Tables,
    Rows(&'a mut Rows<'a>),
    One(Option<Row>),
}

/// What all stages use.
struct Shared<'a> {
    query: &'a Query,
    tables: &'a Tables,
    input: Input<'a>,
    evaluator: Evaluator,
    memory_bytes: usize,
    memory_limit: usize,
    steps: u64,
    stop: Option<&'a dyn Fn() -> bool>,
}

impl<'a> Shared<'a> {
    fn new(query: &'a Query, input: Input<'a>, tables: &'a Tables, options: &Options<'a>) -> Self {
        let evaluator = Evaluator::new(options.now_ms, query.zone.clone());
        let memory_limit = options.memory_bytes.unwrap_or(MEMORY_BYTES);
        Self { query, tables, input, evaluator, memory_bytes: 0, memory_limit, steps: 0, stop: options.stop }
    }

    fn empty_row(&self) -> Row {
        vec![Value::Null; self.query.columns.len()]
    }

    /// Counts a row that is kept.
    fn hold(&mut self, row: &[Value]) -> Result<(), RunError> {
        let heap: usize = row.iter().map(Value::heap_bytes).sum();
        self.hold_bytes(heap + size_of_val(row))
    }

    fn hold_bytes(&mut self, bytes: usize) -> Result<(), RunError> {
        self.memory_bytes = self.memory_bytes.saturating_add(bytes);
        if self.memory_bytes > self.memory_limit {
            return Err(RunError::Memory { limit: self.memory_limit });
        }
        Ok(())
    }

    /// Counts a step, and asks now and then whether to go on.
    fn step(&mut self) -> Result<(), RunError> {
        self.steps += 1;
        let asks = self.steps.is_multiple_of(STEPS_BETWEEN_CHECKS);
        if asks && self.stop.is_some_and(|stop| stop()) { Err(RunError::Stopped) } else { Ok(()) }
    }
}
