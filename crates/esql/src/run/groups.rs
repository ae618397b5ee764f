//! STATS and INLINE STATS.

use rustc_hash::{FxHashMap, FxHashSet};

use super::stages::{Stage, assign, pull};
use super::{Row, RunError, Shared};
use crate::aggregates::Accumulator;
use crate::limits::GROUPS_PER_ROW_MAX;
use crate::query::{Aggregate, Stats};
use crate::value::Value;
use crate::warning::{Failure, Instead};

/// Groups in order of appearance.
struct Groups<'q> {
    stats: &'q Stats,
    by_keys: FxHashMap<Vec<Value>, usize>,
    list: Vec<Group>,
    /// The arguments of each aggregate for the row at hand.
    arguments: Vec<Option<Vec<Value>>>,
    /// Used again from row to row.
    keys: Vec<Value>,
}

struct Group {
    keys: Vec<Value>,
    accumulators: Vec<Option<Accumulator>>,
}

/// The groups of all rows, as rows.
pub(super) fn grouped(
    stats: &Stats,
    before: &mut [Stage<'_>],
    shared: &mut Shared<'_>,
) -> Result<Vec<Row>, RunError> {
    let mut groups = Groups::new(stats, shared)?;
    while let Some(mut row) = pull(before, shared)? {
        groups.add(&mut row, shared)?;
    }
    if let [(_, _)] = stats.keys.as_slice() {
        // Elasticsearch gives the group without a key first, where there is one key.
        groups.list.sort_by_key(|group| !group.keys.iter().all(Value::is_null));
    }
    groups.finish(shared)
}

/// All rows, each with the aggregates of its group.
pub(super) fn with_groups(
    stats: &Stats,
    before: &mut [Stage<'_>],
    shared: &mut Shared<'_>,
) -> Result<Vec<Row>, RunError> {
    let mut groups = Groups::new(stats, shared)?;
    let mut rows = Vec::new();
    while let Some(mut row) = pull(before, shared)? {
        groups.add(&mut row, shared)?;
        shared.hold(&row)?;
        rows.push(row);
    }
    let by_keys = std::mem::take(&mut groups.by_keys);
    let results = groups.finish(shared)?;
    for row in &mut rows {
        let keys: Vec<Value> = stats.keys.iter().map(|(value, _)| row[value.0].clone()).collect();
        // A row with several values of a key belongs to several groups, and so to none.
        let result = by_keys.get(&keys).and_then(|group| results.get(*group));
        for (value, group) in &stats.keys {
            row[group.0] = row[value.0].clone();
        }
        let Some(result) = result else { continue };
        let aggregates = stats.aggregates.iter().map(|aggregate| aggregate.output);
        for id in aggregates.chain(stats.after.iter().map(|(id, _)| *id)) {
            row[id.0] = result[id.0].clone();
        }
    }
    Ok(rows)
}

impl<'q> Groups<'q> {
    fn new(stats: &'q Stats, shared: &mut Shared<'_>) -> Result<Self, RunError> {
        let arguments = vec![None; stats.aggregates.len()];
        let mut groups =
            Self { stats, by_keys: FxHashMap::default(), list: Vec::new(), arguments, keys: Vec::new() };
        if stats.keys.is_empty() {
            // Without keys there is one group, even of no rows.
            groups.group(&[], shared)?;
        }
        Ok(groups)
    }

    fn add(&mut self, row: &mut Row, shared: &mut Shared<'_>) -> Result<(), RunError> {
        assign(&self.stats.before, row, &mut shared.evaluator);
        for (aggregate, arguments) in self.stats.aggregates.iter().zip(&mut self.arguments) {
            fill(aggregate, row, arguments, shared);
        }
        let several = self.stats.keys.iter().any(|(id, _)| matches!(row[id.0], Value::Many(_)));
        if !several {
            let mut keys = std::mem::take(&mut self.keys);
            keys.clear();
            keys.extend(self.stats.keys.iter().map(|(id, _)| row[id.0].clone()));
            let updated = self.update(&keys, shared);
            self.keys = keys;
            return updated;
        }
        for keys in self.combinations(row, shared) {
            self.update(&keys, shared)?;
        }
        Ok(())
    }

    /// Adds the arguments at hand to a group.
    fn update(&mut self, keys: &[Value], shared: &mut Shared<'_>) -> Result<(), RunError> {
        let group = self.group(keys, shared)?;
        let group = &mut self.list[group];
        let mut grown = 0;
        for ((aggregate, accumulator), arguments) in
            self.stats.aggregates.iter().zip(&mut group.accumulators).zip(&self.arguments)
        {
            let (Some(state), Some(arguments)) = (accumulator.as_mut(), arguments) else { continue };
            let held = state.bytes();
            if let Err(failure) = state.update(arguments) {
                shared.evaluator.warnings.failed(aggregate.span, Instead::Null, &failure);
                *accumulator = None;
                continue;
            }
            grown += state.bytes().saturating_sub(held);
        }
        shared.hold_bytes(grown)
    }

    /// The keys of all groups that a row with several values belongs to: one for each combination of different values.
    fn combinations(&self, row: &Row, shared: &mut Shared<'_>) -> Vec<Vec<Value>> {
        let mut all: Vec<Vec<Value>> = vec![Vec::with_capacity(self.stats.keys.len())];
        for (place, (id, _)) in self.stats.keys.iter().enumerate() {
            let value = &row[id.0];
            // The same column twice has the same value twice, and not every combination.
            if let Some(same) = self.stats.keys[..place].iter().position(|(other, _)| other == id) {
                for keys in &mut all {
                    keys.push(keys[same].clone());
                }
                continue;
            }
            let Value::Many(values) = value else {
                for keys in &mut all {
                    keys.push(value.clone());
                }
                continue;
            };
            let mut seen = FxHashSet::default();
            let different: Vec<&Value> =
                values.iter().filter(|value| !value.is_null() && seen.insert(*value)).collect();
            if all.len().saturating_mul(different.len()) > GROUPS_PER_ROW_MAX {
                let warning = format!(
                    "A row belongs to more than [{GROUPS_PER_ROW_MAX}] groups; the others are left out"
                );
                shared.evaluator.warnings.push(warning);
            }
            let combined = all.iter().flat_map(|keys| different.iter().map(move |value| (keys, *value)));
            let extended =
                combined.map(|(keys, value)| [keys.as_slice(), std::slice::from_ref(value)].concat());
            all = extended.take(GROUPS_PER_ROW_MAX).collect();
        }
        all
    }

    /// The number of the group with these keys; a new one where there is none.
    fn group(&mut self, keys: &[Value], shared: &mut Shared<'_>) -> Result<usize, RunError> {
        if let Some(known) = self.by_keys.get(keys) {
            return Ok(*known);
        }
        shared.hold(keys)?;
        shared.hold_bytes(size_of::<Group>() + self.stats.aggregates.len() * size_of::<Accumulator>())?;
        let accumulators =
            self.stats.aggregates.iter().map(|aggregate| accumulator(aggregate, shared)).collect();
        let number = self.list.len();
        self.by_keys.insert(keys.to_vec(), number);
        self.list.push(Group { keys: keys.to_vec(), accumulators });
        Ok(number)
    }

    fn finish(self, shared: &mut Shared<'_>) -> Result<Vec<Row>, RunError> {
        let mut rows = Vec::with_capacity(self.list.len());
        for mut group in self.list {
            let mut row = shared.empty_row();
            for ((_, id), key) in self.stats.keys.iter().zip(group.keys) {
                row[id.0] = key;
            }
            for (aggregate, accumulator) in self.stats.aggregates.iter().zip(&mut group.accumulators) {
                row[aggregate.output.0] = finished(aggregate, accumulator.as_mut(), shared);
            }
            assign(&self.stats.after, &mut row, &mut shared.evaluator);
            shared.hold(&row)?;
            rows.push(row);
        }
        Ok(rows)
    }
}

/// Evaluates the arguments of an aggregate for a row; none where the row does not count.
fn fill(aggregate: &Aggregate, row: &Row, arguments: &mut Option<Vec<Value>>, shared: &mut Shared<'_>) {
    let counts =
        aggregate.filter.as_ref().is_none_or(|filter| shared.evaluator.evaluate(filter, row).is_true());
    if !counts {
        *arguments = None;
        return;
    }
    let list = arguments.get_or_insert_default();
    list.clear();
    list.extend(aggregate.arguments.iter().map(|argument| shared.evaluator.evaluate(argument, row)));
}

/// None where the constants are none that the aggregate takes, which resolving the query has reported.
fn accumulator(aggregate: &Aggregate, shared: &mut Shared<'_>) -> Option<Accumulator> {
    let constants: Vec<Option<Value>> =
        aggregate.arguments.iter().map(|argument| argument.as_constant().cloned()).collect();
    let made = aggregate.function.accumulator(&constants);
    made.map_err(|failure| fail(aggregate, &failure, shared)).ok()
}

fn finished(aggregate: &Aggregate, accumulator: Option<&mut Accumulator>, shared: &mut Shared<'_>) -> Value {
    match accumulator.map(Accumulator::finish) {
        None => Value::Null,
        Some(Ok(value)) => value,
        Some(Err(failure)) => {
            fail(aggregate, &failure, shared);
            Value::Null
        }
    }
}

fn fail(aggregate: &Aggregate, failure: &Failure, shared: &mut Shared<'_>) {
    shared.evaluator.warnings.failed(aggregate.span, Instead::Null, failure);
}
