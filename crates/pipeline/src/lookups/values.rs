//! Value lists: one value a line, a column of CSV, or texts and objects of NDJSON.

use std::collections::HashSet;

use maxspan_event::Cidr;
use serde_json::{Value as Json, json};

use super::columns::{ColumnType, TableColumn};
use super::load::{Collected, LoadOptions, TableFormat};
use super::{LookupError, LookupErrorKind, LookupTable, csv_rows};
use crate::limits::LOOKUP_CELL_BYTES_MAX;

/// The one column of a value list.
pub(super) const VALUE: &str = "value";

/// Takes the values of a file.
pub(super) fn read(
    file: &str,
    bytes: &[u8],
    format: TableFormat,
    options: &LoadOptions,
    collected: &mut Collected,
) -> Result<(), LookupError> {
    let kind = options.value_type.unwrap_or(ColumnType::Keyword);
    collected.add_columns(vec![TableColumn { name: VALUE.to_owned(), kind }])?;
    let mut take = |line: u64, text: Result<&str, String>| -> Result<(), LookupError> {
        let value = text.map(str::trim).and_then(|text| checked(text, kind).map(|()| text));
        match value {
            Ok("") => Ok(()),
            Ok(value) => collected.push(json!({ VALUE: value }).to_string()),
            Err(message) => {
                collected.account.fail(|| format!("{file}:{line}"), message);
                Ok(())
            }
        }
    };
    let lines = bytes.split(|byte| *byte == b'\n').zip(1..);
    match format {
        TableFormat::Csv => csv_rows::column(file, bytes, options.match_field.as_deref(), take),
        TableFormat::Lines => {
            for (line, number) in lines {
                take(number, std::str::from_utf8(line).map_err(|_| "no UTF-8".to_owned()))?;
            }
            Ok(())
        }
        TableFormat::NdJson => {
            let field = options.match_field.as_deref().unwrap_or(VALUE);
            for (line, number) in lines.filter(|(line, _)| !line.trim_ascii().is_empty()) {
                let value = serde_json::from_slice::<Json>(line).map_err(|error| format!("no JSON: {error}"));
                let text = value.and_then(|value| text_of(&value, field));
                take(number, text.as_deref().map_err(Clone::clone))?;
            }
            Ok(())
        }
        TableFormat::Stix => {
            let message = format!("{file}: STIX bundles hold indicators: --kind indicators");
            Err(LookupError::new(LookupErrorKind::Usage, message))
        }
    }
}

fn text_of(value: &Json, field: &str) -> Result<String, String> {
    match value {
        Json::String(text) => Ok(text.clone()),
        Json::Number(number) => Ok(number.to_string()),
        Json::Bool(value) => Ok(value.to_string()),
        Json::Object(members) => match members.get(field) {
            Some(one) if !one.is_object() => text_of(one, field),
            _ => Err(format!("the object has no text or number `{field}`")),
        },
        _ => Err("neither a text nor a number".to_owned()),
    }
}

/// Whether a value is of the type. Addresses may be blocks, as exceptions take them.
fn checked(text: &str, kind: ColumnType) -> Result<(), String> {
    if text.len() > LOOKUP_CELL_BYTES_MAX {
        return Err(format!("longer than {LOOKUP_CELL_BYTES_MAX} bytes"));
    }
    let fits = match kind {
        _ if text.is_empty() => true,
        ColumnType::Ip => Cidr::parse(text).is_some(),
        kind => kind.read(text).is_some(),
    };
    if fits { Ok(()) } else { Err(csv_rows::not_of(VALUE, text, kind)) }
}

/// Each row once; and how many were there already.
pub(super) fn once(rows: Vec<String>) -> (Vec<String>, u64) {
    let before = rows.len();
    let mut seen = HashSet::with_capacity(before);
    let kept: Vec<String> = rows.into_iter().filter(|row| seen.insert(row.clone())).collect();
    let repeated = (before - kept.len()) as u64;
    (kept, repeated)
}

/// The values of a list.
pub(super) fn values(table: &LookupTable) -> Vec<String> {
    let value = |row: &String| match serde_json::from_str::<Json>(row).ok()?.get(VALUE)? {
        Json::String(text) => Some(text.clone()),
        _ => None,
    };
    table.rows.iter().filter_map(value).collect()
}
