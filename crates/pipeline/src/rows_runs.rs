//! Runs of ES|QL rules: the events of a run's window as rows, and the rows of the result that raise alerts.
//!
//! A row that stands for an event raises one alert, whichever runs find it; other rows raise one in each run that finds
//! them (specification 3.6). What a run's cap leaves out of the former is left to the next run that finds it.
//!
//! Windows overlap, so what a query makes of each event by itself is kept from run to run, and what it makes of all of them
//! where nothing changed; only what comes after the first `NOW()` is always run. Of a query that looks at each row by itself
//! only the new rows are run.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use maxspan_engine::{Detection, EventStore, KeptEvent, RuleId};
use maxspan_esql::run::{self, EachRow, Options, RunError, run_rows};
use maxspan_event::{Slots, identity};
use maxspan_rules::RowsQuery;
use maxspan_rules::alert::{esql_event_id, esql_row_id};
use serde_json::Value;

use crate::rule_base::RuleBase;
use crate::source::with_row_event;

mod window;

use window::{Read, Rows, RowsWindow};

/// A row that raises an alert.
#[derive(Debug)]
pub(crate) struct FoundRow {
    pub(crate) rule: RuleId,
    /// The run that found it, in milliseconds since 1970.
    pub(crate) run_ms: i64,
    /// Names and values of the columns, but for those that no row of the run has values in.
    pub(crate) row: Vec<(String, Value)>,
    /// The event that it stands for.
    pub(crate) event: Option<KeptEvent>,
    /// The id of its alert.
    pub(crate) id: String,
}

/// What the runs of one rule did.
#[derive(Debug, Default)]
pub(crate) struct RowsCounters {
    /// Runs over windows that had events.
    pub(crate) runs: u64,
    /// Rows beyond the caps.
    pub(crate) capped: u64,
    /// Runs that ended without a result.
    pub(crate) failed: u64,
    /// Why the first of them did.
    pub(crate) error: Option<String>,
    /// What the query could not compute, or cut.
    pub(crate) warnings: BTreeSet<String>,
    /// Events that could not be read again.
    pub(crate) unread: u64,
    /// Its runs, in order, where they are logged.
    pub(crate) log: Vec<RowsRun>,
}

/// What is to be said about a run, beside its events and its alerts.
#[derive(Debug)]
pub(crate) struct RowsRun {
    pub(crate) run_ms: i64,
    pub(crate) took: Duration,
    /// Rows beyond the cap; later runs may have raised them.
    pub(crate) capped: u64,
    /// Why it ended without a result.
    pub(crate) error: Option<String>,
    /// What the query could not compute, or cut, in the first run that said so.
    pub(crate) warnings: Vec<String>,
}

/// The runs of all ES|QL rules of a hunt.
#[derive(Debug)]
pub(crate) struct RowsRuns<'a> {
    rules: &'a RuleBase,
    space: &'a str,
    memory_bytes: usize,
    slots: Slots,
    states: BTreeMap<usize, State<'a>>,
    found: Vec<FoundRow>,
    /// So many more runs are logged.
    log_room: usize,
}

#[derive(Debug, Default)]
struct State<'a> {
    reading: Reading<'a>,
    cap: Option<usize>,
    counters: RowsCounters,
    /// Alerts of events that were raised.
    raised: HashSet<u128>,
    /// Alerts of events that a cap left out, and that no other run raised so far.
    left_out: HashSet<u128>,
    window: RowsWindow,
    /// The result of the last run.
    last: Option<Arc<run::Outcome>>,
}

/// What a run's cap did.
#[derive(Debug, Default)]
struct Tally {
    raised: usize,
    left_out: u64,
    /// Of these, rows that no later run can raise.
    lost: u64,
}

/// Makes rows of events.
#[derive(Debug, Default)]
struct Reading<'a> {
    /// What is done with the row of each event by itself; none before the first one.
    each: Option<EachRow<'a>>,
    /// Events that could not be read again.
    unread: u64,
}

/// A run, and the events that its rows can stand for.
struct Run<'r> {
    rule: RuleId,
    query: &'r RowsQuery,
    /// In milliseconds since 1970.
    at_ms: i64,
    /// Whether rows stand for events.
    of_events: bool,
    /// Ids are unique in an index alone.
    by_id: HashMap<Arc<str>, Vec<&'r KeptEvent>>,
}

/// How many different warnings of one rule are kept.
const WARNINGS_MAX: usize = 20;

impl<'a> RowsRuns<'a> {
    /// No run yet; one run may hold so many bytes.
    pub(crate) fn new(rules: &'a RuleBase, space: &'a str, memory_bytes: usize) -> Self {
        let (slots, states, found, log_room) = (Slots::default(), BTreeMap::new(), Vec::new(), 0);
        Self { rules, space, memory_bytes, slots, states, found, log_room }
    }

    /// Logs runs from now on, so many.
    pub(crate) fn log(&mut self, runs_max: usize) {
        self.log_room = runs_max;
    }

    /// Says how many alerts one run of a rule raises at most.
    pub(crate) fn set_cap(&mut self, rule: RuleId, cap: Option<usize>) {
        self.states.entry(rule.0 as usize).or_default().cap = cap;
    }

    /// The runs of a rule that were logged.
    pub(crate) fn log_of(&self, rule: RuleId) -> &[RowsRun] {
        self.states.get(&(rule.0 as usize)).map_or(&[], |state| &state.counters.log)
    }

    /// Whether the rule is run here.
    pub(crate) fn runs(&self, rule: RuleId) -> bool {
        self.rules.rows_query(rule).is_some()
    }

    /// Runs a rule over the events of a window.
    pub(crate) fn run(&mut self, store: &EventStore, detection: &Detection) {
        let rule = detection.rule;
        let (Some(query), Some(facts)) = (self.rules.rows_query(rule), detection.group) else { return };
        let Self { memory_bytes, slots, states, rules, .. } = self;
        let state = states.entry(rule.0 as usize).or_default();
        let raises = match rules.rule_set.rule(rule).plan.windows() {
            // No run that raises something shares an event with this one.
            Some(all) if facts.run_ms < all.raising.0.saturating_sub(all.width_ms()) => return,
            Some(all) => all.raises(facts.run_ms),
            None => true,
        };
        state.counters.runs += u64::from(raises);
        let started = Instant::now();
        let known = if self.log_room > 0 { state.counters.warnings.clone() } else { BTreeSet::new() };
        let events: Vec<&KeptEvent> = detection.present().collect();
        let mut run = Run::new(rule, query, facts.run_ms);
        let mut reading = std::mem::take(&mut state.reading);
        let read = &mut |event: &KeptEvent| reading.rows(query, store, event, slots);
        let outcome = state.outcome(&mut run, &events, read, *memory_bytes);
        state.reading = reading;
        let (mut capped, mut why) = (0, None);
        match outcome {
            Ok(Some(outcome)) => capped = self.take(&run, &outcome, raises),
            Ok(None) => {}
            Err(error) => {
                // What this run did not see is new to the next one.
                (state.window, state.last) = (RowsWindow::default(), None);
                state.counters.failed += u64::from(raises);
                why = Some(error.to_string());
            }
        }
        let Some(State { counters, .. }) = self.states.get_mut(&(rule.0 as usize)) else { return };
        if raises && let Some(why) = &why {
            counters.error.get_or_insert_with(|| why.clone());
        }
        if raises && self.log_room > 0 {
            self.log_room -= 1;
            let warnings = counters.warnings.difference(&known).cloned().collect();
            let took = started.elapsed();
            counters.log.push(RowsRun { run_ms: facts.run_ms, took, capped, error: why, warnings });
        }
    }

    /// What was found so far.
    pub(crate) fn take_found(&mut self) -> Vec<FoundRow> {
        std::mem::take(&mut self.found)
    }

    /// What the runs of each rule did, by the rule's number.
    pub(crate) fn counters(&mut self) -> impl Iterator<Item = (usize, &RowsCounters)> {
        self.states.iter_mut().map(|(rule, state)| {
            state.counters.capped += state.left_out.drain().count() as u64;
            state.counters.unread = state.reading.unread;
            let warnings = state.reading.each.as_ref().map(EachRow::warnings).unwrap_or_default();
            state.warn(warnings.iter());
            (*rule, &state.counters)
        })
    }

    /// Keeps the rows of a result that raise alerts; how many are beyond the cap.
    fn take(&mut self, run: &Run<'_>, outcome: &run::Outcome, raises: bool) -> u64 {
        let Self { rules, space, states, found, .. } = self;
        let Some(state) = states.get_mut(&(run.rule.0 as usize)) else { return 0 };
        let document = rules.document(run.rule);
        // Those of the query itself are about its LIMIT, in whose place the cap is.
        let known = &run.query.query.warnings;
        state.warn(outcome.warnings.iter().filter(|warning| !known.contains(warning)));
        let run::Outcome { columns, rows, .. } = outcome;
        let shown: Vec<usize> =
            (0..columns.len()).filter(|column| rows.iter().any(|row| !row[*column].is_null())).collect();
        let ends =
            rules.rule_set.rule(run.rule).plan.windows().map(|all| (all.from(run.at_ms), all.to(run.at_ms)));
        let mut raised = Tally::default();
        for (position, row) in rows.iter().enumerate() {
            let row: Vec<(String, Value)> =
                shown.iter().map(|column| (columns[*column].name.clone(), row[*column].to_json())).collect();
            let event_id = esql_event_id(&row, &run.query.expanded, space, document);
            let event_id = event_id.filter(|_| run.of_events);
            if !state.raises(event_id.as_deref(), &mut raised) || !raises {
                continue;
            }
            let event = event_id.as_ref().and_then(|_| run.event(&row));
            let id =
                event_id.unwrap_or_else(|| esql_row_id(ends.unwrap_or_default(), position, space, document));
            found.push(FoundRow { rule: run.rule, run_ms: run.at_ms, row, event, id });
        }
        if raises {
            state.counters.capped += raised.lost;
        }
        raised.left_out
    }
}

impl State<'_> {
    /// The result of a run; none where it has nothing that the runs before had not.
    fn outcome<'r>(
        &mut self,
        run: &mut Run<'r>,
        events: &[&'r KeptEvent],
        read: &mut Read<'_>,
        memory_bytes: usize,
    ) -> Result<Option<Arc<run::Outcome>>, RunError> {
        let moved = self.window.advance(events, read, memory_bytes / 4)?;
        let RowsQuery { query, timed, .. } = run.query;
        let nothing_left_out = run.of_events && self.left_out.is_empty();
        if moved.same_rows && nothing_left_out && timed.is_none() {
            return Ok(None);
        }
        let last = self.last.clone().filter(|_| moved.same_rows && !run.of_events);
        let outcome = if let Some(last) = last {
            last
        } else {
            let alone = nothing_left_out && timed.is_none() && query.is_row_by_row();
            let first = if alone { moved.first_new } else { 0 };
            Arc::new(self.result(run, events, first, read, memory_bytes)?)
        };
        self.last = (!run.of_events).then(|| Arc::clone(&outcome));
        let Some(timed) = timed else { return Ok(Some(outcome)) };
        let options = Options { now_ms: run.at_ms, memory_bytes: Some(memory_bytes), stop: None };
        let mut rows = outcome.rows.iter().cloned().map(Ok);
        let mut result = run_rows(timed, &mut rows, &run.query.tables, &options)?;
        result.warnings.extend_from_slice(&outcome.warnings);
        Ok(Some(Arc::new(result)))
    }

    /// The result of the query over the events of the window from a number on.
    fn result<'r>(
        &self,
        run: &mut Run<'r>,
        events: &[&'r KeptEvent],
        first: usize,
        read: &mut Read<'_>,
        memory_bytes: usize,
    ) -> Result<run::Outcome, RunError> {
        let Run { query, at_ms, of_events, by_id, .. } = run;
        let mut rows = events.iter().enumerate().skip(first).flat_map(|(number, event)| {
            let found = match self.window.rows(number) {
                Some(rows) => Ok(rows.clone()),
                // Not kept: read again.
                None => read(event),
            };
            let Rows { rows, id } = match found {
                Ok(rows) => rows,
                Err(error) => return vec![Err(error)],
            };
            if let Some(id) = id.filter(|_| *of_events) {
                by_id.entry(id).or_default().push(*event);
            }
            rows.into_iter().map(Ok).collect()
        });
        let options = Options { now_ms: *at_ms, memory_bytes: Some(memory_bytes), stop: None };
        run_rows(&query.together, &mut rows, &query.tables, &options)
    }

    /// Whether a row raises an alert: it is new, and the run has not raised too many.
    fn raises(&mut self, event_id: Option<&str>, tally: &mut Tally) -> bool {
        let digest = event_id.map(|id| identity::digest(id.as_bytes()));
        if digest.is_some_and(|digest| self.raised.contains(&digest)) {
            return false;
        }
        if self.cap.is_some_and(|cap| tally.raised >= cap) {
            tally.left_out += 1;
            match digest {
                Some(digest) => drop(self.left_out.insert(digest)),
                None => tally.lost += 1,
            }
            return false;
        }
        tally.raised += 1;
        if let Some(digest) = digest {
            self.raised.insert(digest);
            self.left_out.remove(&digest);
        }
        true
    }

    fn warn<'w>(&mut self, warnings: impl Iterator<Item = &'w String>) {
        let kept = &mut self.counters.warnings;
        for warning in warnings {
            if kept.len() < WARNINGS_MAX && !kept.contains(warning) {
                kept.insert(warning.clone());
            }
        }
    }
}

impl<'r> Run<'r> {
    fn new(rule: RuleId, query: &'r RowsQuery, run_ms: i64) -> Self {
        let has_id = query.query.output.iter().any(|(name, _)| name == "_id");
        let of_events = has_id && !query.query.is_aggregating;
        Self { rule, query, at_ms: run_ms, of_events, by_id: HashMap::new() }
    }

    /// The event that a row stands for.
    fn event(&self, row: &[(String, Value)]) -> Option<KeptEvent> {
        let column = |wanted: &str| row.iter().find(|(name, _)| name == wanted)?.1.as_str();
        let events = self.by_id.get(column("_id")?)?;
        let named = |event: &&&KeptEvent| column("_index").is_none_or(|index| **event.index() == *index);
        events.iter().find(named).map(|event| (*event).clone())
    }
}

impl<'a> Reading<'a> {
    /// What the query makes of an event by itself. What was matched can be read; what cannot is counted.
    fn rows(
        &mut self,
        query: &'a RowsQuery,
        store: &EventStore,
        event: &KeptEvent,
        slots: &mut Slots,
    ) -> Result<Rows, RunError> {
        let source = store.source(event).map_err(|error| RunError::Rows(error.message))?;
        let (identity, asks_id) = ((&**event.index(), event.id()), query.reader.asks_id());
        let (row, id) = with_row_event(identity, event.derived_os(), &source, asks_id, |event| {
            (query.reader.read(event, slots), asks_id.then(|| event.id.into()))
        });
        let Ok(row) = row else {
            self.unread += 1;
            return Ok(Rows::default());
        };
        let start = || EachRow::new(&query.each, &query.tables, &Options::default());
        let rows = self.each.get_or_insert_with(start).rows(row)?;
        let id = id.filter(|_| !rows.is_empty());
        Ok(Rows { rows: rows.into(), id })
    }
}
