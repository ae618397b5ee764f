//! LOOKUP JOIN and ENRICH: rows of a table by their keys.

use std::cmp::Ordering;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::tables::{Ranges, Table};
use super::{Row, RunError, Shared};
use crate::functions::convert::{convert, to_text};
use crate::limits::{LOOKUP_KEYS_PER_ROW_MAX, VALUES_MAX};
use crate::query::{Lookup, LookupMatch, LookupTable};
use crate::value::{Value, compare};
use crate::warning::Instead;

/// What an index is of: a policy or a table, its columns, and how they are compared.
pub(super) type IndexKey = (bool, String, Vec<String>, LookupMatch);

/// Finds rows of a table.
#[derive(Debug)]
pub(super) struct LookupIndex {
    table: Arc<Table>,
    rows: Rows,
    /// What the table and the index hold.
    bytes: usize,
}

#[derive(Debug)]
enum Rows {
    /// By the values of the keys, each value by itself.
    ByKeys(FxHashMap<Vec<Value>, Vec<usize>>),
    Ranges(RangeIndex),
}

/// A lookup that runs: the index, where the columns are that it fills, and a row whose matches wait to be given on.
#[derive(Debug)]
pub(super) struct Joining {
    index: Arc<LookupIndex>,
    /// By output, the column of the table.
    places: Vec<Option<usize>>,
    waiting: Option<(Row, Vec<usize>, usize)>,
}

impl Joining {
    pub(super) fn new(lookup: &Lookup, shared: &mut Shared<'_>) -> Result<Self, RunError> {
        let (is_policy, name) = match &lookup.table {
            LookupTable::Policy(name) => (true, name),
            LookupTable::Index(name) => (false, name),
        };
        let found = if is_policy {
            shared.tables.policy_table(name)
        } else {
            shared.tables.shared(name).map(|table| (table, None))
        };
        let (table, ranges) = found.ok_or_else(|| RunError::MissingTable(name.clone()))?;
        let fields = lookup.keys.iter().map(|(_, field)| field.clone()).collect();
        let places = places(&table, lookup.outputs.iter().map(|(_, field)| field.as_str()));
        let key = (is_policy, name.clone(), fields, lookup.matches);
        let index = shared.tables.index(key, |key| LookupIndex::new(key, table, ranges.as_deref()))?;
        shared.hold_bytes(index.bytes)?;
        Ok(Self { index, places, waiting: None })
    }

    /// The next row that comes of the last one that was given; none when there are no more.
    pub(super) fn next(&mut self, lookup: &Lookup) -> Option<Row> {
        let (row, matches, next) = self.waiting.as_mut()?;
        let mut joined = row.clone();
        let found = &self.index.table.rows[*matches.get(*next)?];
        for ((id, _), place) in lookup.outputs.iter().zip(&self.places) {
            joined[id.0] = place.and_then(|place| found.get(place).cloned()).unwrap_or_default();
        }
        *next += 1;
        if *next == matches.len() {
            self.waiting = None;
        }
        Some(joined)
    }

    /// The row with what the table says of it: several values for a policy. Of several rows, for a join, this is none, and
    /// [`Joining::next`] gives them.
    pub(super) fn take(
        &mut self,
        lookup: &Lookup,
        mut row: Row,
        shared: &mut Shared<'_>,
    ) -> Result<Option<Row>, RunError> {
        let is_join = matches!(lookup.table, LookupTable::Index(_));
        let keys: Vec<Value> = lookup.keys.iter().map(|(id, _)| row[id.0].clone()).collect();
        if is_join && keys.iter().any(|key| matches!(key, Value::Many(_))) {
            // A join compares, and several values equal nothing.
            shared.evaluator.warnings.push("LOOKUP JOIN encountered multi-value".to_owned());
            return Ok(Some(row));
        }
        let mut matches = self.index.matches(lookup, &keys, shared)?;
        if is_join {
            if matches.is_empty() {
                return Ok(Some(row));
            }
            self.waiting = Some((row, matches, 0));
            return Ok(None);
        }
        matches.sort_unstable();
        matches.dedup();
        for ((id, field), place) in lookup.outputs.iter().zip(&self.places) {
            let found = matches.iter().filter_map(|found| self.index.table.rows[*found].get((*place)?));
            let mut values = Vec::new();
            for value in found.flat_map(Value::values) {
                if values.len() == VALUES_MAX {
                    let text = format!("ENRICH finds more than {VALUES_MAX} values of [{field}] for a row");
                    shared.evaluator.warnings.push(text);
                    values.clear();
                    break;
                }
                values.push(value.clone());
            }
            row[id.0] = Value::from_values(values);
        }
        Ok(Some(row))
    }
}

impl LookupIndex {
    fn new(key: &IndexKey, table: Arc<Table>, ranges: Option<&Ranges>) -> Result<Self, RunError> {
        let (_, _, fields, compared) = key;
        let values = table.rows.iter().flatten();
        let mut bytes: usize = values.map(|value| size_of::<Value>() + value.heap_bytes()).sum();
        if let Some(ranges) = ranges {
            let index = RangeIndex::new(ranges);
            bytes += index.entries.len() * size_of::<(Value, Value, usize)>() * 2;
            return Ok(Self { table, rows: Rows::Ranges(index), bytes });
        }
        let keys = places(&table, fields.iter().map(String::as_str));
        let mut by_keys: FxHashMap<Vec<Value>, Vec<usize>> = FxHashMap::default();
        for (number, row) in table.rows.iter().enumerate() {
            let value = |place: &Option<usize>| {
                let value = place.and_then(|place| row.get(place).cloned()).unwrap_or_default();
                if *compared == LookupMatch::EqualTexts { texts(&value) } else { value }
            };
            let all = combinations(&keys.iter().map(value).collect::<Vec<_>>()).ok_or_else(|| {
                RunError::Rows(format!("row {} of the table has too many combinations of keys", number + 1))
            })?;
            for key in all {
                bytes += size_of::<usize>();
                by_keys
                    .entry(key)
                    .or_insert_with_key(|key| {
                        bytes += 2 * size_of::<Vec<Value>>() + size_of_val(key.as_slice());
                        Vec::new()
                    })
                    .push(number);
            }
        }
        Ok(Self { table, rows: Rows::ByKeys(by_keys), bytes })
    }

    /// The rows that belong to these values. A value that is not of the type of the ranges belongs to none, with a warning.
    fn matches(
        &self,
        lookup: &Lookup,
        keys: &[Value],
        shared: &mut Shared<'_>,
    ) -> Result<Vec<usize>, RunError> {
        let mut matches = Vec::new();
        match (&self.rows, lookup.matches) {
            (Rows::ByKeys(by_keys), compared) => {
                let keys = match compared {
                    LookupMatch::EqualTexts => &*keys.iter().map(texts).collect::<Vec<_>>(),
                    _ => keys,
                };
                let too_many = || RunError::Rows("a row has too many combinations of keys".to_owned());
                for key in combinations(keys).ok_or_else(too_many)? {
                    matches.extend(by_keys.get(&key).into_iter().flatten());
                }
            }
            (Rows::Ranges(index), LookupMatch::InRange(kind)) => {
                for value in keys.iter().flat_map(Value::values) {
                    let converted = match value {
                        Value::Text(_) => convert(&shared.evaluator.context, value.borrowed(), kind),
                        _ => Ok(value.clone()),
                    };
                    match converted {
                        Ok(value) => index.find(&value, &mut matches),
                        Err(failure) => {
                            shared.evaluator.warnings.failed(lookup.span, Instead::Null, &failure);
                        }
                    }
                }
            }
            (Rows::Ranges(_), _) => {}
        }
        Ok(matches)
    }
}

/// Ranges in order of their first values, over which stands a tree of the largest last values, so that those that hold a
/// value are found without looking at the others.
#[derive(Debug, Default)]
struct RangeIndex {
    /// First and last value, and the row.
    entries: Vec<(Value, Value, usize)>,
    /// The entry with the largest last value of each stretch: of the whole at 1, of the halves of stretch n at 2n and 2n + 1.
    last: Vec<usize>,
}

impl RangeIndex {
    fn new(ranges: &Ranges) -> Self {
        let rows = ranges.rows.iter().enumerate();
        let all = rows.flat_map(|(row, ranges)| ranges.iter().map(move |(a, b)| (a.clone(), b.clone(), row)));
        let mut entries: Vec<_> = all.collect();
        entries.sort_by(|a, b| order(&a.0, &b.0));
        let mut index = Self { last: vec![0; 4 * entries.len()], entries };
        if !index.entries.is_empty() {
            index.fill(1, 0, index.entries.len());
        }
        index
    }

    /// As deep as the logarithm of the number of ranges.
    fn fill(&mut self, node: usize, from: usize, to: usize) {
        if to - from == 1 {
            self.last[node] = from;
            return;
        }
        let middle = from.midpoint(to);
        self.fill(2 * node, from, middle);
        self.fill(2 * node + 1, middle, to);
        let (a, b) = (self.last[2 * node], self.last[2 * node + 1]);
        self.last[node] = if order(&self.entries[a].1, &self.entries[b].1).is_lt() { b } else { a };
    }

    fn find(&self, value: &Value, matches: &mut Vec<usize>) {
        let begun = self.entries.partition_point(|(first, ..)| order(first, value).is_le());
        if begun > 0 {
            self.collect((1, 0, self.entries.len()), begun, value, matches);
        }
    }

    /// The rows of the ranges before `begun` that end at the value or later.
    fn collect(
        &self,
        (node, from, to): (usize, usize, usize),
        begun: usize,
        value: &Value,
        matches: &mut Vec<usize>,
    ) {
        if from >= begun || order(&self.entries[self.last[node]].1, value).is_lt() {
            return;
        }
        if to - from == 1 {
            matches.push(self.entries[from].2);
            return;
        }
        let middle = from.midpoint(to);
        self.collect((2 * node, from, middle), begun, value, matches);
        self.collect((2 * node + 1, middle, to), begun, value, matches);
    }
}

/// Values of other types are in no range, and come before all.
fn order(a: &Value, b: &Value) -> Ordering {
    compare(a.borrowed(), b.borrowed()).unwrap_or(Ordering::Less)
}

/// The values as texts.
fn texts(value: &Value) -> Value {
    Value::from_values(value.values().iter().map(|one| Value::text(to_text(one.borrowed()))).collect())
}

fn places<'a>(table: &Table, fields: impl Iterator<Item = &'a str>) -> Vec<Option<usize>> {
    fields.map(|field| table.columns.iter().position(|column| column.name == field)).collect()
}

/// Every choice of one value a key; none where a key has no value, since null equals nothing. Nothing where there are
/// more than the limit.
fn combinations(keys: &[Value]) -> Option<Vec<Vec<Value>>> {
    let counts = keys.iter().try_fold(1_usize, |all, key| all.checked_mul(key.values().len()));
    counts.filter(|count| *count <= LOOKUP_KEYS_PER_ROW_MAX)?;
    let mut all = vec![Vec::with_capacity(keys.len())];
    for key in keys {
        let values = key.values();
        all = all
            .iter()
            .flat_map(|chosen: &Vec<Value>| {
                values.iter().map(|value| [chosen.as_slice(), std::slice::from_ref(value)].concat())
            })
            .collect();
    }
    Some(all)
}
