//! Comma-separated values to rows. The first line has the names of the columns; an empty cell is no value.
//!
//! The file is read twice: types of columns are those that all of their values have.

use std::collections::HashSet;

use csv::{ByteRecord, ReaderBuilder};
use serde_json::{Map, Value as Json};

use super::columns::{ColumnType, Detector, TableColumn};
use super::load::{Collected, LoadOptions, column_type};
use super::{LookupError, LookupErrorKind};
use crate::limits::{LOOKUP_CELL_BYTES_MAX, LOOKUP_COLUMN_NAME_BYTES_MAX, LOOKUP_COLUMNS_MAX};

/// Takes the rows of a file; `row` makes the text of each, or says why it is none.
pub(super) fn read(
    file: &str,
    bytes: &[u8],
    options: &LoadOptions,
    collected: &mut Collected,
    row: impl Fn(Map<String, Json>) -> Result<String, String>,
) -> Result<(), LookupError> {
    let names = names(file, bytes)?;
    let columns = columns(bytes, &names, options);
    collected.add_columns(columns.clone())?;
    let mut reader = reader(bytes);
    let mut record = ByteRecord::new();
    loop {
        let line = reader.position().line();
        match reader.read_byte_record(&mut record) {
            Ok(false) => return Ok(()),
            Ok(true) => {}
            Err(error) => return Err(unreadable(file, &error)),
        }
        let line = record.position().map_or(line, csv::Position::line);
        let made = if is_cut(bytes, &record, reader.position().byte()) {
            Err("a quote that is opened here is never closed".to_owned())
        } else {
            cells(&record, &columns).and_then(&row)
        };
        match made {
            Ok(row) => collected.push(row)?,
            Err(message) => collected.account.fail(|| format!("{file}:{line}"), message),
        }
    }
}

/// The cells of one column, with their lines; the first column where none is named.
pub(super) fn column(
    file: &str,
    bytes: &[u8],
    name: Option<&str>,
    mut take: impl FnMut(u64, Result<&str, String>) -> Result<(), LookupError>,
) -> Result<(), LookupError> {
    let names = names(file, bytes)?;
    let place = match name {
        None if names.len() == 1 => 0,
        None => {
            let message = format!("{file}: {} columns; --match-field says which has the values", names.len());
            return Err(LookupError::new(LookupErrorKind::Usage, message));
        }
        Some(name) => names.iter().position(|known| known == name).ok_or_else(|| {
            LookupError::new(LookupErrorKind::Usage, format!("{file}: no column is called `{name}`"))
        })?,
    };
    let mut reader = reader(bytes);
    let mut record = ByteRecord::new();
    while reader.read_byte_record(&mut record).map_err(|error| unreadable(file, &error))? {
        let line = record.position().map_or(0, csv::Position::line);
        let cell = if is_cut(bytes, &record, reader.position().byte()) {
            Err("a quote that is opened here is never closed".to_owned())
        } else if record.len() != names.len() {
            Err(wrong_length(record.len(), names.len()))
        } else {
            std::str::from_utf8(&record[place]).map_err(|_| "no UTF-8".to_owned())
        };
        take(line, cell)?;
    }
    Ok(())
}

fn reader(bytes: &[u8]) -> csv::Reader<&[u8]> {
    ReaderBuilder::new().delimiter(delimiter(bytes)).flexible(true).from_reader(bytes)
}

/// What separates cells: a comma, unless the first line has none and has tabs or semicolons.
fn delimiter(bytes: &[u8]) -> u8 {
    let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    [b',', b'\t', b';'].into_iter().find(|byte| first.contains(byte)).unwrap_or(b',')
}

fn names(file: &str, bytes: &[u8]) -> Result<Vec<String>, LookupError> {
    let wrong = |message: String| LookupError::new(LookupErrorKind::Input, format!("{file}:1: {message}"));
    let mut reader = reader(bytes);
    let header = reader.byte_headers().map_err(|error| unreadable(file, &error))?;
    if header.len() > LOOKUP_COLUMNS_MAX {
        return Err(wrong(format!("{} columns; {LOOKUP_COLUMNS_MAX} are allowed", header.len())));
    }
    let mut names = Vec::new();
    let mut seen = HashSet::new();
    for name in header {
        let name = std::str::from_utf8(name).map_err(|_| wrong("a column's name is no UTF-8".to_owned()))?;
        let name = name.trim().to_owned();
        if name.is_empty() {
            return Err(wrong("a column has no name".to_owned()));
        }
        if name.len() > LOOKUP_COLUMN_NAME_BYTES_MAX {
            return Err(wrong(format!(
                "a column's name is longer than {LOOKUP_COLUMN_NAME_BYTES_MAX} bytes"
            )));
        }
        if !seen.insert(name.clone()) {
            return Err(wrong(format!("two columns are called `{name}`")));
        }
        names.push(name);
    }
    if names.is_empty() {
        return Err(wrong("there is no line with the names of columns".to_owned()));
    }
    Ok(names)
}

/// The columns with their types; rows that are no rows say nothing about them.
fn columns(bytes: &[u8], names: &[String], options: &LoadOptions) -> Vec<TableColumn> {
    let mut detectors = vec![Detector::default(); names.len()];
    let mut reader = reader(bytes);
    let mut record = ByteRecord::new();
    while reader.read_byte_record(&mut record).unwrap_or(false) {
        if record.len() != names.len() {
            continue;
        }
        for (detector, cell) in detectors.iter_mut().zip(&record) {
            if let Some(text) = std::str::from_utf8(cell).ok().map(str::trim).filter(|text| !text.is_empty())
            {
                detector.text(text);
            }
        }
    }
    let columns = names.iter().zip(&detectors);
    columns
        .map(|(name, detector)| TableColumn {
            name: name.clone(),
            kind: column_type(name, options, || detector.kind()),
        })
        .collect()
}

fn cells(record: &ByteRecord, columns: &[TableColumn]) -> Result<Map<String, Json>, String> {
    if record.len() != columns.len() {
        return Err(wrong_length(record.len(), columns.len()));
    }
    let mut row = Map::new();
    for (cell, column) in record.iter().zip(columns) {
        let name = &column.name;
        let text = std::str::from_utf8(cell).map_err(|_| format!("`{name}` is no UTF-8"))?;
        if text.len() > LOOKUP_CELL_BYTES_MAX {
            return Err(format!("`{name}` is longer than {LOOKUP_CELL_BYTES_MAX} bytes"));
        }
        if text.trim().is_empty() {
            continue;
        }
        let text = if column.kind == ColumnType::Text { text } else { text.trim() };
        let value = column.kind.read(text).ok_or_else(|| not_of(name, text, column.kind))?;
        row.insert(name.clone(), value);
    }
    Ok(row)
}

/// A value that is not of its column's type, in words.
pub(super) fn not_of(name: &str, text: &str, kind: ColumnType) -> String {
    let shown: String = text.chars().take(60).collect();
    let more = if shown.len() < text.len() { "…" } else { "" };
    format!("`{name}` is {}, not `{shown}{more}`", kind.name())
}

fn wrong_length(found: usize, expected: usize) -> String {
    format!("{found} cells where there are {expected} columns")
}

/// Whether the record goes on to the end of the file because a quote is missing: one begins a cell, and its quotes are no
/// pairs.
fn is_cut(bytes: &[u8], record: &ByteRecord, end: u64) -> bool {
    let place = |byte: u64| usize::try_from(byte).unwrap_or(bytes.len()).min(bytes.len());
    if place(end) < bytes.len() {
        return false;
    }
    let text = &bytes[record.position().map_or(bytes.len(), |position| place(position.byte()))..];
    let after_delimiter = [delimiter(bytes), b'"'];
    let begins_cell = text.starts_with(b"\"") || text.windows(2).any(|two| two == after_delimiter);
    begins_cell && memchr::memchr_iter(b'"', text).count() % 2 == 1
}

fn unreadable(file: &str, error: &csv::Error) -> LookupError {
    LookupError::new(LookupErrorKind::Input, format!("{file}: {error}"))
}
