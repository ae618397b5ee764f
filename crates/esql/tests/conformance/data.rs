//! The datasets of the cases as tables, read by the rules of the pack's README.

use std::fs;
use std::path::Path;

use maxspan_esql::functions::Context;
use maxspan_esql::query::Column;
use maxspan_esql::run::{Table, Tables};
use maxspan_esql::{DataType, Value, ValueRef, Zone, convert, value};

/// Indices, and the files that they are read from.
const INDICES: [(&str, &str); 19] = [
    ("addresses", "addresses"),
    ("all_types_mv", "all-types-mv"),
    ("apps", "apps"),
    ("employees", "employees"),
    ("event_alerts", "event_alerts"),
    ("event_logs", "event_logs"),
    ("hosts", "hosts"),
    ("json_logs", "json_logs"),
    ("languages", "languages"),
    ("languages_lookup", "languages"),
    ("logs", "logs"),
    ("message_types", "message_types"),
    ("message_types_lookup", "message_types"),
    ("mv_text", "mv_text"),
    ("sample_data", "sample_data"),
    ("sample_data_ts_long", "sample_data_ts_long"),
    ("voyager", "voyager"),
    ("wide", "wide"),
    ("wide_output", "wide"),
];

/// All datasets.
pub(crate) fn tables(folder: &Path) -> Tables {
    let mut tables = Tables::default();
    for (index, file) in INDICES {
        let path = folder.join(format!("{file}.csv"));
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut table = read(&text);
        if index == "event_alerts" || index == "event_logs" {
            add_constant(&mut table, "event_type", if index == "event_alerts" { "alert" } else { "login" });
        }
        tables.insert(index, table);
    }
    tables
}

/// A field that is the same in every document of the index.
fn add_constant(table: &mut Table, name: &str, value: &str) {
    if table.columns.iter().any(|column| column.name == name) {
        return;
    }
    table.columns.push(Column { name: name.to_owned(), kind: DataType::Keyword });
    table.rows.iter_mut().for_each(|row| row.push(Value::text(value)));
}

fn read(text: &str) -> Table {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with("//"));
    let header = lines.next().expect("a header");
    let types: Vec<(String, String)> = header
        .split(',')
        .map(|cell| {
            let (name, kind) = cell.rsplit_once(':').expect("a type");
            (name.trim().to_owned(), kind.trim().to_owned())
        })
        .collect();
    let columns: Vec<Column> =
        types.iter().map(|(name, kind)| Column { name: name.clone(), kind: data_type(kind) }).collect();
    let context = Context::new(0, Zone::UTC);
    let rows = lines
        .map(|line| {
            let cells = cells(line);
            types
                .iter()
                .enumerate()
                .map(|(i, (name, kind))| {
                    let cell = cells.get(i).map_or("", String::as_str);
                    if name == "constant_keyword-foo" {
                        Value::text("foo")
                    } else {
                        cell_value(cell, kind, &context)
                    }
                })
                .collect()
        })
        .collect();
    Table { columns, rows }
}

/// Cells between commas that no list and no backslash protects.
fn cells(line: &str) -> Vec<String> {
    let (mut cells, mut cell, mut list) = (Vec::new(), String::new(), false);
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' if chars.peek() == Some(&',') && !list => {
                chars.next();
                cell.push(',');
            }
            ',' if !list => cells.push(std::mem::take(&mut cell).trim().to_owned()),
            '[' if cell.trim().is_empty() => {
                list = true;
                cell.push(c);
            }
            ']' if list => {
                list = false;
                cell.push(c);
            }
            c => cell.push(c),
        }
    }
    cells.push(cell.trim().to_owned());
    cells
}

fn data_type(kind: &str) -> DataType {
    match kind {
        "s" => DataType::Keyword,
        "l" => DataType::Long,
        "i" => DataType::Integer,
        "d" => DataType::Double,
        "b" => DataType::Boolean,
        other => DataType::parse(other).unwrap_or_else(|| panic!("type {other}")),
    }
}

fn cell_value(cell: &str, kind: &str, context: &Context) -> Value {
    let parts: Vec<&str> = match cell.strip_prefix('[').and_then(|cell| cell.strip_suffix(']')) {
        Some(list) if list.trim().is_empty() => Vec::new(),
        Some(list) => list.split(',').map(str::trim).collect(),
        None if cell.is_empty() => Vec::new(),
        None => vec![cell],
    };
    let target = data_type(kind);
    let mut values: Vec<Value> = parts
        .iter()
        .map(|part| {
            let value =
                convert(context, ValueRef::Text(part), target).unwrap_or_else(|f| panic!("{part}: {f:?}"));
            narrowed(value, kind)
        })
        .collect();
    if target != DataType::Text {
        values.sort_by(value::order);
    }
    if matches!(target, DataType::Keyword | DataType::Ip | DataType::Version) {
        values.dedup();
    }
    Value::from_values(values)
}

/// Numbers as an index of a narrower type gives them back.
fn narrowed(value: Value, kind: &str) -> Value {
    match (value, kind) {
        (Value::Double(value), "float") => Value::Double(f64::from(value as f32)),
        (Value::Double(value), "half_float") => Value::Double(half(value)),
        (value, _) => value,
    }
}

/// Rounded to the eleven bits of a half-precision number, as far as the cases need it (normal numbers).
fn half(value: f64) -> f64 {
    if value == 0.0 {
        return value;
    }
    let exponent = value.abs().log2().floor() as i32;
    let unit = 2_f64.powi(exponent - 10);
    (value / unit).round_ties_even() * unit
}
