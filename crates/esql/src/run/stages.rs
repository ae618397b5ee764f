//! The stages of a run, one a command.

use std::cmp::Ordering;
use std::vec::IntoIter;

use rustc_hash::FxHashSet;

use super::groups::{grouped, with_groups};
use super::lookup::Joining;
use super::{Input, Row, RunError, Shared};
use crate::evaluate::Evaluator;
use crate::query::{ColumnId, Command, Expr, Lookup, Query, Scan, SortKey};
use crate::value::{Value, order};
use crate::warning::Instead;

/// A command and where it is.
pub(super) struct Stage<'q> {
    command: &'q Command,
    state: State,
    /// For `MV_EXPAND`, whether somebody still looks at the column with all values.
    keeps: bool,
}

/// What a stage has to remember between two rows.
enum State {
    /// Not begun, or nothing to remember.
    Idle,
    /// Rows that wait to be given on.
    Rows(IntoIter<Row>),
    /// How many rows were given on.
    Count(usize),
    /// A row, its values, and which of them is next.
    Expanding(Row, Value, usize),
    /// A lookup.
    Lookup(Box<Joining>),
}

impl<'q> Stage<'q> {
    pub(super) fn new(command: &'q Command) -> Self {
        Self { command, state: State::Idle, keeps: true }
    }
}

/// The stages of a query.
pub(super) fn stages(query: &Query) -> Vec<Stage<'_>> {
    let mut read: FxHashSet<ColumnId> = query.output.iter().map(|(_, id)| *id).collect();
    let mut stages: Vec<Stage<'_>> = query.commands.iter().map(Stage::new).collect();
    for stage in stages.iter_mut().rev() {
        if let Command::MvExpand { from, .. } = stage.command {
            stage.keeps = read.contains(from);
        }
        stage.command.for_each_read(&mut |id| {
            read.insert(id);
        });
    }
    stages
}

/// The next row of the last stage.
pub(super) fn pull(stages: &mut [Stage<'_>], shared: &mut Shared<'_>) -> Result<Option<Row>, RunError> {
    let Some((stage, before)) = stages.split_last_mut() else { return Ok(None) };
    shared.step()?;
    let state = &mut stage.state;
    match stage.command {
        Command::Scan(_) if !matches!(shared.input, Input::Tables) => match &mut shared.input {
            Input::Rows(rows) => rows.next().transpose(),
            Input::One(row) => Ok(row.take()),
            Input::Tables => Ok(None),
        },
        Command::Scan(_) | Command::Sort(_) | Command::Stats(_) | Command::InlineStats(_) => {
            if let State::Idle = state {
                *state = State::Rows(collected(stage.command, before, shared)?.into_iter());
            }
            Ok(if let State::Rows(rows) = state { rows.next() } else { None })
        }
        Command::Row(fields) => Ok(row(state, fields, shared)),
        Command::Filter(condition) => {
            while let Some(row) = pull(before, shared)? {
                if shared.evaluator.evaluate(condition, &row).is_true() {
                    return Ok(Some(row));
                }
            }
            Ok(None)
        }
        Command::Eval(_) | Command::Dissect { .. } | Command::Grok { .. } => {
            let Some(mut row) = pull(before, shared)? else { return Ok(None) };
            change(stage.command, &mut row, &mut shared.evaluator);
            Ok(Some(row))
        }
        Command::Limit(most) => limit(state, *most, before, shared),
        Command::MvExpand { from, to } => mv_expand(state, (*from, *to, stage.keeps), before, shared),
        Command::Lookup(lookup) => joined(state, lookup, before, shared),
    }
}

/// The rows of commands that need all rows before they give one.
fn collected(
    command: &Command,
    before: &mut [Stage<'_>],
    shared: &mut Shared<'_>,
) -> Result<Vec<Row>, RunError> {
    match command {
        Command::Scan(scan) => scanned(scan, shared),
        Command::Sort(keys) => sorted(keys, before, shared),
        Command::Stats(stats) => grouped(stats, before, shared),
        Command::InlineStats(stats) => with_groups(stats, before, shared),
        _ => Ok(Vec::new()),
    }
}

/// What EVAL, DISSECT and GROK make of a row; other commands leave it as it is.
pub fn change(command: &Command, row: &mut [Value], evaluator: &mut Evaluator) {
    match command {
        Command::Eval(fields) => assign(fields, row, evaluator),
        Command::Dissect { input, dissector, outputs } => {
            let value = evaluator.evaluate(input, row);
            let mut found = vec![Vec::new(); outputs.len()];
            for text in value.values().iter().filter_map(|value| value.borrowed().as_text()) {
                let parts = dissector.apply(text).into_iter().flatten();
                found.iter_mut().zip(parts).for_each(|(list, part)| list.push(Value::text(part)));
            }
            fill(row, outputs, found);
        }
        Command::Grok { input, grok, outputs } => {
            let value = evaluator.evaluate(input, row);
            let mut found = vec![Vec::new(); outputs.len()];
            for text in value.values().iter().filter_map(|value| value.borrowed().as_text()) {
                match grok.apply(text, &evaluator.context) {
                    Ok(parts) => found.iter_mut().zip(parts).for_each(|(list, part)| list.extend(part)),
                    Err(failure) => evaluator.warnings.failed(input.span, Instead::Null, &failure),
                }
            }
            fill(row, outputs, found);
        }
        _ => {}
    }
}

fn joined(
    state: &mut State,
    lookup: &Lookup,
    before: &mut [Stage<'_>],
    shared: &mut Shared<'_>,
) -> Result<Option<Row>, RunError> {
    if let State::Idle = state {
        *state = State::Lookup(Box::new(Joining::new(lookup, shared)?));
    }
    let State::Lookup(joining) = state else { return Ok(None) };
    loop {
        if let Some(row) = joining.next(lookup) {
            return Ok(Some(row));
        }
        let Some(row) = pull(before, shared)? else { return Ok(None) };
        if let Some(row) = joining.take(lookup, row, shared)? {
            return Ok(Some(row));
        }
    }
}

fn fill(row: &mut [Value], outputs: &[ColumnId], found: Vec<Vec<Value>>) {
    for (id, values) in outputs.iter().zip(found) {
        row[id.0] = Value::from_values(values);
    }
}

/// Computes columns one after the other; later ones see earlier ones.
pub(super) fn assign(fields: &[(ColumnId, Expr)], row: &mut [Value], evaluator: &mut Evaluator) {
    for (id, value) in fields {
        row[id.0] = evaluator.evaluate(value, row);
    }
}

fn row(state: &mut State, fields: &[(ColumnId, Expr)], shared: &mut Shared<'_>) -> Option<Row> {
    if !matches!(state, State::Idle) {
        return None;
    }
    *state = State::Count(1);
    let mut row = shared.empty_row();
    assign(fields, &mut row, &mut shared.evaluator);
    Some(row)
}

fn limit(
    state: &mut State,
    most: usize,
    before: &mut [Stage<'_>],
    shared: &mut Shared<'_>,
) -> Result<Option<Row>, RunError> {
    let given = if let State::Count(given) = state { *given } else { 0 };
    if given >= most {
        return Ok(None);
    }
    *state = State::Count(given + 1);
    pull(before, shared)
}

fn mv_expand(
    state: &mut State,
    (from, to, keeps): (ColumnId, ColumnId, bool),
    before: &mut [Stage<'_>],
    shared: &mut Shared<'_>,
) -> Result<Option<Row>, RunError> {
    if let State::Expanding(row, values, next) = state
        && let Some(value) = values.values().get(*next)
    {
        *next += 1;
        let mut row = row.clone();
        row[to.0] = value.clone();
        return Ok(Some(row));
    }
    let Some(mut row) = pull(before, shared)? else { return Ok(None) };
    // Others may look at the column under another name, and KQL at the document.
    let value = if keeps { row[from.0].clone() } else { std::mem::take(&mut row[from.0]) };
    if let Value::Many(values) = &value {
        let mut first = row.clone();
        first[to.0] = values.first().cloned().unwrap_or_default();
        *state = State::Expanding(row, value, 1);
        return Ok(Some(first));
    }
    *state = State::Idle;
    row[to.0] = value;
    Ok(Some(row))
}

/// The rows of all tables that the patterns name, one table after the other.
fn scanned(scan: &Scan, shared: &mut Shared<'_>) -> Result<Vec<Row>, RunError> {
    let patterns: Vec<&str> = scan.patterns.iter().map(String::as_str).collect();
    let mut rows = Vec::new();
    for (name, table) in shared.tables.named(&patterns) {
        let places: Vec<(ColumnId, Option<usize>)> = scan
            .fields
            .iter()
            .map(|(id, field)| (*id, table.columns.iter().position(|column| column.name == *field)))
            .collect();
        for (number, values) in table.rows.iter().enumerate() {
            shared.step()?;
            let mut row = shared.empty_row();
            for (id, place) in &places {
                row[id.0] = place.and_then(|place| values.get(place).cloned()).unwrap_or_default();
            }
            for (id, metadata) in &scan.metadata {
                row[id.0] = match metadata.as_str() {
                    "_index" => Value::text(name),
                    "_id" => Value::text(number.to_string()),
                    "_version" => Value::Long(1),
                    "_index_mode" => Value::text("standard"),
                    _ => Value::Null,
                };
            }
            shared.hold(&row)?;
            rows.push(row);
        }
    }
    Ok(rows)
}

/// All rows in order; of several values the least counts, or going down the greatest.
fn sorted(keys: &[SortKey], before: &mut [Stage<'_>], shared: &mut Shared<'_>) -> Result<Vec<Row>, RunError> {
    let mut keyed = Vec::new();
    while let Some(row) = pull(before, shared)? {
        shared.hold(&row)?;
        let values: Vec<Value> = keys.iter().map(|key| sort_value(key, &row, shared)).collect();
        keyed.push((values, row));
    }
    keyed.sort_by(|(a, _), (b, _)| {
        let each = keys.iter().zip(a.iter().zip(b));
        each.map(|(key, (a, b))| sort_order(key, a, b)).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    });
    Ok(keyed.into_iter().map(|(_, row)| row).collect())
}

fn sort_value(key: &SortKey, row: &Row, shared: &mut Shared<'_>) -> Value {
    let value = shared.evaluator.evaluate(&key.value, row);
    let values = value.values().iter();
    let chosen =
        if key.descending { values.max_by(|a, b| order(a, b)) } else { values.min_by(|a, b| order(a, b)) };
    chosen.cloned().unwrap_or_default()
}

fn sort_order(key: &SortKey, a: &Value, b: &Value) -> Ordering {
    match (a.is_null(), b.is_null()) {
        (true, true) => Ordering::Equal,
        (true, false) if key.nulls_first => Ordering::Less,
        (true, false) => Ordering::Greater,
        (false, true) if key.nulls_first => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) if key.descending => order(b, a),
        (false, false) => order(a, b),
    }
}
