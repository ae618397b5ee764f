//! LOOKUP JOIN and ENRICH: rows of a table by their keys.

use rustc_hash::FxHashMap;

use super::tables::Table;
use super::{Row, RunError, Shared};
use crate::query::{Lookup, LookupTable};
use crate::value::Value;

/// The rows of a table by the values of its keys, each value by itself.
pub(super) struct LookupIndex {
    by_keys: FxHashMap<Vec<Value>, Vec<usize>>,
    /// The values of the output columns, by row of the table.
    outputs: Vec<Vec<Value>>,
}

impl LookupIndex {
    pub(super) fn new(lookup: &Lookup, shared: &mut Shared<'_>) -> Result<Self, RunError> {
        let name = match &lookup.table {
            LookupTable::Policy(name) | LookupTable::Index(name) => name,
        };
        let table = match lookup.table {
            LookupTable::Policy(_) => shared.tables.policy_table(name),
            LookupTable::Index(_) => shared.tables.get(name),
        };
        let table = table.ok_or_else(|| RunError::MissingTable(name.clone()))?;
        let keys = places(table, lookup.keys.iter().map(|(_, field)| field.as_str()));
        let outputs = places(table, lookup.outputs.iter().map(|(_, field)| field.as_str()));
        let mut index = Self { by_keys: FxHashMap::default(), outputs: Vec::new() };
        for (number, row) in table.rows.iter().enumerate() {
            let value =
                |place: &Option<usize>| place.and_then(|place| row.get(place).cloned()).unwrap_or_default();
            for key in combinations(&keys.iter().map(value).collect::<Vec<_>>()) {
                index.by_keys.entry(key).or_default().push(number);
            }
            let found: Vec<Value> = outputs.iter().map(value).collect();
            shared.hold(&found)?;
            index.outputs.push(found);
        }
        Ok(index)
    }

    /// The row with what the table says of it: several rows for a join, several values for a policy.
    pub(super) fn joined(&self, lookup: &Lookup, row: Row, shared: &mut Shared<'_>) -> Vec<Row> {
        let keys: Vec<Value> = lookup.keys.iter().map(|(id, _)| row[id.0].clone()).collect();
        let several = keys.iter().any(|key| matches!(key, Value::Many(_)));
        let join = matches!(lookup.table, LookupTable::Index(_));
        let mut matches: Vec<usize> = Vec::new();
        if several && join {
            // A join compares, and several values equal nothing.
            shared.evaluator.warnings.push("LOOKUP JOIN encountered multi-value".to_owned());
        } else {
            for key in combinations(&keys) {
                matches.extend(self.by_keys.get(&key).into_iter().flatten());
            }
        }
        if !join {
            matches.sort_unstable();
            matches.dedup();
            let values = |column: usize| {
                let all = matches.iter().flat_map(|found| self.outputs[*found][column].values().to_vec());
                Value::from_values(all.collect())
            };
            let mut row = row;
            for (column, (id, _)) in lookup.outputs.iter().enumerate() {
                row[id.0] = values(column);
            }
            return vec![row];
        }
        if matches.is_empty() {
            return vec![row];
        }
        let with = |found: &usize| {
            let mut row = row.clone();
            for ((id, _), value) in lookup.outputs.iter().zip(&self.outputs[*found]) {
                row[id.0] = value.clone();
            }
            row
        };
        matches.iter().map(with).collect()
    }
}

fn places<'a>(table: &Table, fields: impl Iterator<Item = &'a str>) -> Vec<Option<usize>> {
    fields.map(|field| table.columns.iter().position(|column| column.name == field)).collect()
}

/// Every choice of one value a key; none where a key has no value, since null equals nothing.
fn combinations(keys: &[Value]) -> Vec<Vec<Value>> {
    let mut all = vec![Vec::new()];
    for key in keys {
        let values = key.values();
        all = all
            .iter()
            .flat_map(|chosen: &Vec<Value>| {
                values.iter().map(|value| [chosen.as_slice(), std::slice::from_ref(value)].concat())
            })
            .collect();
    }
    all
}
