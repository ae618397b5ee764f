//! One ES|QL query over one input.
//!
//! Events are matched, by any number of threads, against what follows from the query for single events; those that pass go
//! through a bounded channel to the thread that runs the query, which makes rows of them. So no more is held than the query
//! itself asks for, and that is limited.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use maxspan_diagnostics::{Diagnostic, Source, has_errors};
use maxspan_engine::{CompiledRule, MatchCounters, Occurrences, RuleSetBuilder};
use maxspan_esql::ast::{CommandKind, Tree};
use maxspan_esql::query::Column;
use maxspan_esql::rows::RowReader;
use maxspan_esql::run::{self, Options, RunError, Tables, run_rows};
use maxspan_esql::{EventSchema, Query, Value, WithTables, analyze, necessary, parse};
use maxspan_event::index::IndexPatterns;
use maxspan_event::{Event, Slots, date};
use maxspan_plan::{Plan, PlanKind};

use super::{Problems, QueryOptions};
use crate::input::{InputProblem, Reader};
use crate::limits::QUERY_CHANNEL_BATCHES;
use crate::matching::{Matcher, Outcome, Step};
use crate::source::with_row_event;
use crate::workers;

/// What a run may use.
#[derive(Debug, Clone, Copy, Default)]
pub struct RunLimits {
    /// Bytes of rows and groups that may be held; none for the default of the language.
    pub memory_bytes: Option<usize>,
    /// How long it may take.
    pub timeout: Option<Duration>,
}

/// The rows of an answer and what happened on the way.
#[derive(Debug, Default)]
pub struct RowsAnswer {
    /// The columns, in order.
    pub columns: Vec<Column>,
    /// The rows, with a value for each column.
    pub rows: Vec<Vec<Value>>,
    /// What could not be computed, or was cut.
    pub warnings: Vec<String>,
    /// Warnings about the query.
    pub diagnostics: Vec<Diagnostic>,
    /// What could not be read.
    pub problems: Vec<InputProblem>,
    /// How many more there were.
    pub more_problems: u64,
    /// What limits took away from events.
    pub events_lost: MatchCounters,
    /// Events that were read.
    pub events: u64,
    /// Wall time.
    pub took: Duration,
}

/// Why there is no answer.
#[derive(Debug)]
pub enum RowsError {
    /// Messages about a query that cannot be run.
    Query(Vec<Diagnostic>),
    /// The events could not be read, for this reason.
    Events(String),
    /// The run ended early.
    Run(RunError),
    /// The run took longer than it may.
    Timeout(Duration),
}

/// Has a query answered by somebody who has the events, such as a store; it is told how many were read.
pub fn run_elsewhere(
    source: &Source,
    options: &QueryOptions,
    answer: impl FnOnce(&Query) -> Result<(run::Outcome, u64), RowsError>,
) -> Result<RowsAnswer, RowsError> {
    let started = Instant::now();
    let Resolved { query, tree, diagnostics } = resolved(source, options)?;
    let (outcome, events) = answer(&query)?;
    let run::Outcome { columns, rows, warnings } = with_values(outcome, names_columns(&tree));
    let took = started.elapsed();
    Ok(RowsAnswer { columns, rows, warnings, diagnostics, events, took, ..RowsAnswer::default() })
}

/// Runs a query. A query that begins with ROW reads no events.
pub fn run(
    source: &Source,
    reader: &mut Reader,
    options: &QueryOptions,
    limits: RunLimits,
) -> Result<RowsAnswer, RowsError> {
    let started = Instant::now();
    let Resolved { query, tree, diagnostics } = resolved(source, options)?;
    let mut builder = RuleSetBuilder::new(options.schema.clone());
    let predicate = necessary(&query, &options.schema, &mut builder.fields);
    let mut rule = CompiledRule::new(Plan::new(PlanKind::Events(predicate)), builder.slot("@timestamp"));
    rule.indices = IndexPatterns::new(tree.index_patterns());
    builder.add(rule);
    let rule_set = builder.build(options.normalize);
    let mut matchers = Matcher::for_threads(options.threads, &rule_set, &options.default_index, false);
    let rows = RowReader::new(&query, &options.schema);
    let (tables, ended) = (&options.tables, AtomicBool::new(false));
    let running = Running { query: &query, rows, tables, limits, started, ended };
    let mut reading = Reading::default();
    let outcome = thread::scope(|scope| {
        let (sender, receiver) = sync_channel(QUERY_CHANNEL_BATCHES);
        let (running, now_ms) = (&running, date::to_millis(options.now));
        let answer = scope.spawn(move || running.run(receiver, now_ms));
        if query.commands.iter().any(|command| command.as_scan().is_some()) {
            let take = |outcome, _| reading.outcome(outcome, &sender);
            workers::in_order_until(&running.ended, reader, &mut matchers, Matcher::batch, take);
        }
        drop(sender);
        answer.join()
    });
    let mut events_lost = MatchCounters::default();
    for matcher in &matchers {
        events_lost += matcher.counters();
    }
    let run::Outcome { columns, rows, warnings } = match outcome {
        Ok(Ok(outcome)) => with_values(outcome, names_columns(&tree)),
        Ok(Err(RunError::Stopped)) => return Err(RowsError::Timeout(limits.timeout.unwrap_or_default())),
        Ok(Err(error)) => return Err(RowsError::Run(error)),
        Err(panic) => std::panic::resume_unwind(panic),
    };
    let Reading { problems, events, .. } = reading;
    let (problems, more_problems) = problems.into_parts();
    let took = started.elapsed();
    Ok(RowsAnswer {
        columns,
        rows,
        warnings,
        diagnostics,
        problems,
        more_problems,
        events_lost,
        events,
        took,
    })
}

/// Whether the columns of the result are those that the query names, not those of an index.
fn names_columns(tree: &Tree) -> bool {
    tree.from().is_none()
        || tree.commands.iter().any(|command| match &command.kind {
            CommandKind::Stats(_) => true,
            CommandKind::Keep(names) => names.iter().all(|name| name.as_plain().is_some()),
            _ => false,
        })
}

/// A result without the columns of an index that no row has values in, where the query did not choose columns.
fn with_values(outcome: run::Outcome, chosen: bool) -> run::Outcome {
    if chosen {
        return outcome;
    }
    let run::Outcome { columns, rows, warnings } = outcome;
    let has_values = |column: usize| rows.iter().any(|row| !row[column].is_null());
    let shown: Vec<usize> = (0..columns.len()).filter(|column| has_values(*column)).collect();
    let row = |row: &Vec<Value>| shown.iter().map(|column| row[*column].clone()).collect();
    let rows = rows.iter().map(row).collect();
    run::Outcome { columns: shown.iter().map(|column| columns[*column].clone()).collect(), rows, warnings }
}

/// A query that can be run, and what there is to say about it.
struct Resolved {
    query: Query,
    tree: Tree,
    diagnostics: Vec<Diagnostic>,
}

fn resolved(source: &Source, options: &QueryOptions) -> Result<Resolved, RowsError> {
    let (tree, mut found) = parse(&source.text);
    if has_errors(&found) {
        return Err(RowsError::Query(found));
    }
    let (query, more) = {
        let events = EventSchema::new(options.schema.clone());
        analyze(&tree, source, &WithTables::new(&events, &options.tables))
    };
    found.extend(more);
    match query.filter(|_| !has_errors(&found)) {
        Some(query) => Ok(Resolved { query, tree, diagnostics: found }),
        None => Err(RowsError::Query(found)),
    }
}

/// The side that reads events.
#[derive(Default)]
struct Reading {
    occurrences: Occurrences,
    problems: Problems,
    arrivals: u64,
    events: u64,
}

impl Reading {
    /// Passes on the events that play a part. Nobody takes them any more once a run has all that it asks for.
    fn outcome(&mut self, outcome: Outcome, sender: &SyncSender<Vec<Arc<Event>>>) {
        let Outcome { steps, arrivals, events } = outcome;
        let mut passed = Vec::new();
        for step in steps {
            match step {
                Step::Matched(place, matched) => {
                    let found = self.occurrences.settle(matched, self.arrivals + place);
                    passed.extend(found.map(|found| found.event));
                }
                Step::Problem(problem) => self.problems.push(problem),
                Step::Event(_) => {}
            }
        }
        self.arrivals += arrivals;
        self.events += events;
        if !passed.is_empty() {
            let _ = sender.send(passed);
        }
    }
}

/// The side that runs the query.
struct Running<'a> {
    query: &'a Query,
    rows: RowReader,
    tables: &'a Tables,
    limits: RunLimits,
    started: Instant,
    /// The run needs no more events.
    ended: AtomicBool,
}

impl Running<'_> {
    fn run(&self, receiver: Receiver<Vec<Arc<Event>>>, now_ms: i64) -> Result<run::Outcome, RunError> {
        let _ended = SetAtEnd(&self.ended);
        let mut slots = Slots::default();
        let asks_id = self.rows.asks_id();
        let mut rows = receiver.into_iter().flatten().map(|event| {
            if self.is_late() {
                return Err(RunError::Stopped);
            }
            let identity = (&*event.index, &event.id);
            let row = with_row_event(identity, event.derived_os, &event.source, asks_id, |event| {
                self.rows.read(event, &mut slots)
            });
            row.map_err(|error| RunError::Rows(error.message))
        });
        let stop = || self.is_late();
        let options = Options { now_ms, memory_bytes: self.limits.memory_bytes, stop: Some(&stop) };
        run_rows(self.query, &mut rows, self.tables, &options)
    }

    fn is_late(&self) -> bool {
        self.limits.timeout.is_some_and(|timeout| self.started.elapsed() > timeout)
    }
}

/// Sets a flag when a run ends, however that is.
struct SetAtEnd<'a>(&'a AtomicBool);

impl Drop for SetAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
