//! Runs of ES|QL rules: the events of a run's window as rows, and the rows of the result that raise alerts.
//!
//! A row that stands for an event raises one alert, whichever runs find it; other rows raise one in each run that finds
//! them (specification 3.6). What a run's cap leaves out of the former is left to the next run that finds it.
//!
//! Windows overlap, so rows are kept from run to run, and a result where nothing changed. Of a query that looks at each row
//! by itself only the new rows are run.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use maxspan_engine::{Detection, EventStore, KeptEvent, RuleId, SpillError};
use maxspan_esql::run::{self, Options, RunError, Tables, run_rows};
use maxspan_event::{Slots, identity};
use maxspan_plan::{PlanKind, Windows};
use maxspan_rules::RowsQuery;
use maxspan_rules::alert::{esql_event_id, esql_row_id};
use serde_json::Value;

use crate::rule_base::RuleBase;
use crate::source::with_row_event;

mod window;

use window::{Read, RowsWindow};

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
}

/// The runs of all ES|QL rules of a hunt.
#[derive(Debug)]
pub(crate) struct RowsRuns<'a> {
    rules: &'a RuleBase,
    space: &'a str,
    memory_bytes: usize,
    slots: Slots,
    states: BTreeMap<usize, State>,
    found: Vec<FoundRow>,
}

#[derive(Debug, Default)]
struct State {
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

/// A run, and the events that its rows can stand for.
struct Run<'r> {
    rule: RuleId,
    query: &'r RowsQuery,
    run_ms: i64,
    /// Whether rows stand for events.
    of_events: bool,
    by_id: HashMap<Arc<str>, &'r KeptEvent>,
}

/// How many different warnings of one rule are kept.
const WARNINGS_MAX: usize = 20;

impl<'a> RowsRuns<'a> {
    /// No run yet; one run may hold so many bytes.
    pub(crate) fn new(rules: &'a RuleBase, space: &'a str, memory_bytes: usize) -> Self {
        let (slots, states, found) = (Slots::default(), BTreeMap::new(), Vec::new());
        Self { rules, space, memory_bytes, slots, states, found }
    }

    /// Says how many alerts one run of a rule raises at most.
    pub(crate) fn set_cap(&mut self, rule: RuleId, cap: Option<usize>) {
        self.states.entry(rule.0 as usize).or_default().cap = cap;
    }

    /// Whether the rule is run here.
    pub(crate) fn runs(&self, rule: RuleId) -> bool {
        self.rules.rows_query(rule).is_some()
    }

    /// Runs a rule over the events of a window.
    pub(crate) fn run(&mut self, store: &EventStore, detection: &Detection) {
        let rule = detection.rule;
        let (Some(query), Some(facts)) = (self.rules.rows_query(rule), detection.group) else { return };
        let Self { memory_bytes, slots, states, .. } = self;
        let state = states.entry(rule.0 as usize).or_default();
        state.counters.runs += 1;
        let events: Vec<&KeptEvent> = detection.present().collect();
        let mut read = |event: &KeptEvent| read_row(query, store, event, slots);
        let moved = match state.window.advance(&events, &mut read, *memory_bytes / 4) {
            Ok(moved) => moved,
            Err(error) => return state.failed(&RunError::Rows(error.message)),
        };
        let what = &query.query;
        let unchanged = moved.dropped == 0 && moved.first_new == events.len() && !what.reads_clock;
        let of_events = query.reader.asks_id() && !what.is_aggregating;
        if unchanged && of_events && state.left_out.is_empty() {
            return;
        }
        let alone = of_events && what.is_row_by_row() && !what.reads_clock && state.left_out.is_empty();
        let first = if alone { moved.first_new } else { 0 };
        let mut run = Run { rule, query, run_ms: facts.run_ms, of_events, by_id: HashMap::new() };
        let outcome = match state.last.clone().filter(|_| unchanged && !of_events) {
            Some(outcome) => outcome,
            None => match state.result(&mut run, &events, first, &mut read, *memory_bytes) {
                Ok(outcome) => Arc::new(outcome),
                Err(error) => return state.failed(&error),
            },
        };
        state.last = (!of_events).then(|| Arc::clone(&outcome));
        self.take(&run, &outcome);
    }

    /// What was found so far.
    pub(crate) fn take_found(&mut self) -> Vec<FoundRow> {
        std::mem::take(&mut self.found)
    }

    /// What the runs of each rule did, by the rule's number.
    pub(crate) fn counters(&mut self) -> impl Iterator<Item = (usize, &RowsCounters)> {
        self.states.iter_mut().map(|(rule, state)| {
            state.counters.capped += state.left_out.drain().count() as u64;
            state.counters.unread += std::mem::take(&mut state.window.unread);
            (*rule, &state.counters)
        })
    }

    /// Keeps the rows of a result that raise alerts.
    fn take(&mut self, run: &Run<'_>, outcome: &run::Outcome) {
        let Self { rules, space, states, found, .. } = self;
        let Some(state) = states.get_mut(&(run.rule.0 as usize)) else { return };
        let document = rules.document(run.rule);
        state.warn(run.query, &outcome.warnings);
        let run::Outcome { columns, rows, .. } = outcome;
        let shown: Vec<usize> =
            (0..columns.len()).filter(|column| rows.iter().any(|row| !row[*column].is_null())).collect();
        let ends = rules.windows(run.rule).map(|all| (all.from(run.run_ms), all.to(run.run_ms)));
        let mut raised = 0;
        for (position, row) in rows.iter().enumerate() {
            let row: Vec<(String, Value)> =
                shown.iter().map(|column| (columns[*column].name.clone(), row[*column].to_json())).collect();
            let event_id = esql_event_id(&row, &run.query.expanded, space, document);
            let event_id = event_id.filter(|_| run.of_events);
            if !state.raises(event_id.as_deref(), &mut raised) {
                continue;
            }
            let event = event_id.as_ref().and_then(|_| run.event(&row));
            let id =
                event_id.unwrap_or_else(|| esql_row_id(ends.unwrap_or_default(), position, space, document));
            found.push(FoundRow { rule: run.rule, run_ms: run.run_ms, row, event, id });
        }
    }
}

impl State {
    /// The result of the query over the events of the window from a number on.
    fn result<'r>(
        &self,
        run: &mut Run<'r>,
        events: &[&'r KeptEvent],
        first: usize,
        read: &mut Read<'_>,
        memory_bytes: usize,
    ) -> Result<run::Outcome, RunError> {
        let Run { query, run_ms, of_events, by_id, .. } = run;
        let mut rows = events.iter().enumerate().skip(first).filter_map(|(number, event)| {
            let row = match self.window.row(number) {
                Some(row) => row?,
                // Not kept: read again.
                None => match read(event).transpose()? {
                    Ok(row) => row,
                    Err(error) => return Some(Err(RunError::Rows(error.message))),
                },
            };
            if *of_events {
                by_id.insert(row.id, event);
            }
            Some(Ok(row.values))
        });
        let options = Options { now_ms: *run_ms, memory_bytes: Some(memory_bytes), stop: None };
        run_rows(&query.query, &mut rows, &Tables::default(), &options)
    }

    /// Whether a row raises an alert: it is new, and the run has not raised too many.
    fn raises(&mut self, event_id: Option<&str>, raised: &mut usize) -> bool {
        let digest = event_id.map(|id| identity::digest(id.as_bytes()));
        if digest.is_some_and(|digest| self.raised.contains(&digest)) {
            return false;
        }
        if self.cap.is_some_and(|cap| *raised >= cap) {
            match digest {
                Some(digest) => drop(self.left_out.insert(digest)),
                None => self.counters.capped += 1,
            }
            return false;
        }
        *raised += 1;
        if let Some(digest) = digest {
            self.raised.insert(digest);
            self.left_out.remove(&digest);
        }
        true
    }

    fn failed(&mut self, error: &RunError) {
        self.counters.failed += 1;
        self.counters.error.get_or_insert(error.to_string());
    }

    /// Keeps warnings, but for those of the query itself: they are about its LIMIT, in whose place the cap is.
    fn warn(&mut self, query: &RowsQuery, warnings: &[String]) {
        let kept = &mut self.counters.warnings;
        for warning in warnings.iter().filter(|warning| !query.query.warnings.contains(warning)) {
            if kept.len() < WARNINGS_MAX && !kept.contains(warning) {
                kept.insert(warning.clone());
            }
        }
    }
}

impl Run<'_> {
    /// The event that a row stands for.
    fn event(&self, row: &[(String, Value)]) -> Option<KeptEvent> {
        let (_, id) = row.iter().find(|(name, _)| name == "_id")?;
        self.by_id.get(id.as_str()?).map(|event| (*event).clone())
    }
}

impl RuleBase {
    /// The windows of a rule that goes by them.
    fn windows(&self, rule: RuleId) -> Option<Windows> {
        match &self.rule_set.rule(rule).plan.kind {
            PlanKind::Grouped(grouped) => Some(grouped.windows),
            _ => None,
        }
    }
}

/// The row of an event; none where the decoder refuses it, which it did not when the event was matched.
fn read_row(
    query: &RowsQuery,
    store: &EventStore,
    event: &KeptEvent,
    slots: &mut Slots,
) -> Result<Option<window::Row>, SpillError> {
    let source = store.source(event)?;
    let (identity, asks_id) = ((&**event.index(), event.id()), query.reader.asks_id());
    let row = with_row_event(identity, event.derived_os(), &source, asks_id, |event| {
        let values = query.reader.read(event, slots).ok()?;
        Some(window::Row { values, id: event.id.into() })
    });
    Ok(row)
}
