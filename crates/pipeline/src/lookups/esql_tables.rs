//! Lookup tables as ES|QL looks at them: rows for LOOKUP JOIN, and a policy for ENRICH where a column is to be matched.

use maxspan_esql::functions::Context;
use maxspan_esql::query::Column;
use maxspan_esql::run::{Ranges, Table, Tables};
use maxspan_esql::{Value, Zone};
use serde_json::Value as Json;

use super::LookupTable;
use super::columns::ColumnType;

/// Adds a table, and its policy.
pub(super) fn insert(tables: &mut Tables, table: &LookupTable) {
    let header = &table.header;
    let context = Context::new(0, Zone::UTC);
    let columns: Vec<Column> = header
        .columns
        .iter()
        .map(|column| Column { name: column.name.clone(), kind: column.kind.data_type() })
        .collect();
    let matched = header.match_field.as_deref();
    let matched = header.columns.iter().find(|column| Some(column.name.as_str()) == matched);
    let range_kind = matched.and_then(|column| Some((column, column.kind.range_of()?)));
    let mut ranges = Ranges { kind: range_kind.map(|(_, kind)| kind).unwrap_or_default(), rows: Vec::new() };
    let mut rows = Vec::with_capacity(table.rows.len());
    for row in &table.rows {
        let cells = LookupTable::cells(row, header.kind).unwrap_or_default();
        let value = |name: &str, kind: ColumnType| {
            cells.get(name).map_or(Value::Null, |cell| kind.value(cell, &context))
        };
        rows.push(header.columns.iter().map(|column| value(&column.name, column.kind)).collect());
        if let Some((column, _)) = range_kind {
            ranges.rows.push(cells.get(&column.name).map(|cell| ends(cell, column.kind)).unwrap_or_default());
        }
    }
    tables.insert(&header.name, Table { columns, rows });
    match matched {
        Some(column) if range_kind.is_some() => {
            tables.insert_range_policy(&header.name, &header.name, &column.name, ranges);
        }
        Some(column) => tables.insert_policy(&header.name, &header.name, &column.name),
        None => {}
    }
}

/// The ranges of a cell; what is no range, in a table that somebody changed, is left out.
fn ends(cell: &Json, kind: ColumnType) -> Vec<(Value, Value)> {
    let one = |value: &Json| kind.ends(value.as_str()?);
    match cell {
        Json::Array(values) => values.iter().filter_map(one).collect(),
        value => one(value).into_iter().collect(),
    }
}
