//! JSON objects, one a line, to rows. Objects within them become dotted columns, arrays several values.

use std::collections::HashMap;

use serde_json::{Map, Value as Json};

use super::columns::{Detector, TableColumn};
use super::load::{Collected, LoadOptions, column_type, flattened};
use super::{LookupError, LookupErrorKind};
use crate::limits::{LOOKUP_CELL_BYTES_MAX, LOOKUP_COLUMN_NAME_BYTES_MAX, LOOKUP_COLUMNS_MAX};

/// Takes the rows of a file.
pub(super) fn read(
    file: &str,
    bytes: &[u8],
    options: &LoadOptions,
    collected: &mut Collected,
) -> Result<(), LookupError> {
    let columns = columns(file, bytes, options)?;
    collected.add_columns(columns.clone())?;
    let kinds: HashMap<&str, &TableColumn> =
        columns.iter().map(|column| (column.name.as_str(), column)).collect();
    for (line, document) in documents(bytes) {
        match document.and_then(|document| typed(&flattened(&document), &kinds)) {
            Ok(row) => collected.push(row)?,
            Err(message) => collected.account.fail(|| format!("{file}:{line}"), message),
        }
    }
    Ok(())
}

/// The columns of all documents, in order of their appearance.
pub(super) fn columns(
    file: &str,
    bytes: &[u8],
    options: &LoadOptions,
) -> Result<Vec<TableColumn>, LookupError> {
    let mut found = ColumnsFound::default();
    for (line, document) in documents(bytes) {
        let Ok(document) = document else { continue };
        found.document(&document).map_err(|message| {
            LookupError::new(LookupErrorKind::Input, format!("{file}:{line}: {message}"))
        })?;
    }
    Ok(found.columns(options))
}

/// Names and types of columns, as documents come.
#[derive(Debug, Default)]
pub(super) struct ColumnsFound {
    detectors: Vec<(String, Detector)>,
    places: HashMap<String, usize>,
}

impl ColumnsFound {
    pub(super) fn document(&mut self, document: &Map<String, Json>) -> Result<(), String> {
        for (name, value) in flattened(document) {
            let place = match self.places.get(&name) {
                Some(place) => *place,
                None if self.detectors.len() == LOOKUP_COLUMNS_MAX => {
                    return Err(format!("more than {LOOKUP_COLUMNS_MAX} columns"));
                }
                None if name.len() > LOOKUP_COLUMN_NAME_BYTES_MAX => {
                    return Err(format!("a name is longer than {LOOKUP_COLUMN_NAME_BYTES_MAX} bytes"));
                }
                None => {
                    self.places.insert(name.clone(), self.detectors.len());
                    self.detectors.push((name, Detector::default()));
                    self.detectors.len() - 1
                }
            };
            self.detectors[place].1.json(&value);
        }
        Ok(())
    }

    pub(super) fn columns(self, options: &LoadOptions) -> Vec<TableColumn> {
        let typed = |(name, detector): (String, Detector)| {
            let kind = column_type(&name, options, || detector.kind());
            TableColumn { name, kind }
        };
        self.detectors.into_iter().map(typed).collect()
    }
}

/// The documents with their lines.
pub(super) fn documents(bytes: &[u8]) -> impl Iterator<Item = (usize, Result<Map<String, Json>, String>)> {
    let lines = bytes.split(|byte| *byte == b'\n').zip(1..);
    lines.filter(|(line, _)| !line.trim_ascii().is_empty()).map(|(line, number)| {
        let document = match serde_json::from_slice::<Json>(line) {
            Ok(Json::Object(document)) => Ok(document),
            Ok(_) => Err("no JSON object".to_owned()),
            Err(error) => Err(format!("no JSON: {error}")),
        };
        (number, document)
    })
}

fn typed(row: &Map<String, Json>, kinds: &HashMap<&str, &TableColumn>) -> Result<String, String> {
    let mut typed = Map::new();
    for (name, value) in row {
        let Some(column) = kinds.get(name.as_str()) else { continue };
        let text = value.to_string();
        if text.len() > LOOKUP_CELL_BYTES_MAX {
            return Err(format!("`{name}` is longer than {LOOKUP_CELL_BYTES_MAX} bytes"));
        }
        let value = column
            .kind
            .accept(value)
            .ok_or_else(|| super::csv_rows::not_of(name, text.trim_matches('"'), column.kind))?;
        typed.insert(name.clone(), value);
    }
    Ok(Json::Object(typed).to_string())
}
