//! Files to a table: which format they are in, their rows, and what is wrong with some of them.
//!
//! A row that cannot be used is counted and named with its line; the others are loaded. A file that cannot be read, or is over
//! a limit, is an error, and the table stays as it was.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use maxspan_diagnostics::nearest_names;
use maxspan_event::{Schema, date};
use serde_json::{Map, Value as Json};

use super::columns::{ColumnType, TableColumn};
use super::{
    Header, LookupError, LookupErrorKind, LookupTable, TableKind, VERSION, check_name, csv_rows, indicators,
    ndjson_rows, stix, values,
};
use crate::input::decompressed;
use crate::limits::{
    InputLimits, LOOKUP_BYTES_MAX, LOOKUP_COLUMNS_MAX, LOOKUP_PROBLEMS_MAX, LOOKUP_ROWS_MAX,
};

/// How a table is loaded.
#[derive(Debug, Clone)]
pub struct LoadOptions {
    /// What it is for.
    pub kind: TableKind,
    /// The format of all files; without it, each file's name and content say it.
    pub format: Option<TableFormat>,
    /// The type of a value list's values.
    pub value_type: Option<ColumnType>,
    /// Types of columns; those of others are ECS's, or found.
    pub types: Vec<(String, ColumnType)>,
    /// The column that ENRICH matches; of a value list, the column that has the values.
    pub match_field: Option<String>,
    /// Types of fields.
    pub schema: Schema,
    /// The time, in nanoseconds since 1970.
    pub now: i64,
}

/// A format of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableFormat {
    /// A value a line.
    Lines,
    /// Comma-separated values with a line of names.
    Csv,
    /// A JSON object a line.
    NdJson,
    /// A STIX 2.1 bundle.
    Stix,
}

/// What a load went through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoadAccount {
    /// Rows of the files that were taken.
    pub loaded: u64,
    /// Rows that cannot be used.
    pub failed: u64,
    /// The first of these.
    pub problems: Vec<RowProblem>,
    /// Rows that were there already; of indicators with an id, the last one counts.
    pub repeated: u64,
    /// STIX objects that are no indicators, by type.
    pub other_objects: BTreeMap<String, u64>,
    /// STIX indicators that are revoked, and left out.
    pub revoked: u64,
    /// STIX indicators whose time is over; they are loaded, since they count for events of that time.
    pub expired: u64,
    /// What STIX patterns have that no document can say, by what it is.
    pub not_expressed: BTreeMap<String, u64>,
}

/// A row that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowProblem {
    /// File and line, or file and object.
    pub place: String,
    /// What is wrong.
    pub message: String,
}

impl LoadAccount {
    pub(super) fn fail(&mut self, place: impl FnOnce() -> String, message: impl Into<String>) {
        self.failed += 1;
        if self.problems.len() < LOOKUP_PROBLEMS_MAX {
            self.problems.push(RowProblem { place: place(), message: message.into() });
        }
    }
}

/// Rows that a load collects.
pub(super) struct Collected {
    pub(super) columns: Vec<TableColumn>,
    pub(super) rows: Vec<String>,
    bytes: usize,
    pub(super) account: LoadAccount,
}

impl Collected {
    pub(super) fn new(columns: Vec<TableColumn>) -> Self {
        Self { columns, rows: Vec::new(), bytes: 0, account: LoadAccount::default() }
    }

    /// Keeps a row.
    pub(super) fn push(&mut self, row: String) -> Result<(), LookupError> {
        self.bytes += row.len() + 1;
        if self.rows.len() as u64 == LOOKUP_ROWS_MAX || self.bytes > LOOKUP_BYTES_MAX {
            let message = format!(
                "more than {LOOKUP_ROWS_MAX} rows, or {LOOKUP_BYTES_MAX} bytes of them, in one table"
            );
            return Err(LookupError::new(LookupErrorKind::Usage, message));
        }
        self.rows.push(row);
        Ok(())
    }

    /// Adds columns that are not there yet.
    pub(super) fn add_columns(&mut self, more: Vec<TableColumn>) -> Result<(), LookupError> {
        for column in more {
            match self.columns.iter().find(|known| known.name == column.name) {
                None => self.columns.push(column),
                Some(known) if known.kind == column.kind => {}
                Some(known) => {
                    let (name, kind, other) = (&column.name, known.kind.name(), column.kind.name());
                    let message = format!("`{name}` is {kind} and {other}; --type {name}=TYPE decides");
                    return Err(LookupError::new(LookupErrorKind::Usage, message));
                }
            }
        }
        if self.columns.len() > LOOKUP_COLUMNS_MAX {
            let message = format!("{} columns; {LOOKUP_COLUMNS_MAX} are allowed", self.columns.len());
            return Err(LookupError::new(LookupErrorKind::Usage, message));
        }
        Ok(())
    }
}

/// Loads files into a table. With `before`, its rows stay.
pub fn load(
    name: &str,
    files: &[PathBuf],
    before: Option<LookupTable>,
    options: &LoadOptions,
) -> Result<(LookupTable, LoadAccount), LookupError> {
    check_name(name)?;
    let options = &checked(options, before.as_ref())?;
    let (columns, rows, mut sources) = match before {
        Some(LookupTable { header, rows }) => (header.columns, rows, header.sources),
        None => (Vec::new(), Vec::new(), Vec::new()),
    };
    let kept = rows.len() as u64;
    let mut collected = Collected::new(columns);
    rows.into_iter().try_for_each(|row| collected.push(row))?;
    for path in files {
        let bytes = read_bytes(path)?;
        let format = options.format.unwrap_or_else(|| format_of(path, &bytes, options.kind));
        let file = path.display().to_string();
        match options.kind {
            TableKind::Values => values::read(&file, &bytes, format, options, &mut collected)?,
            TableKind::Enrich => rows_of(&file, &bytes, format, options, &mut collected)?,
            TableKind::Indicators => {
                indicators::read(&file, &bytes, format, name, options, &mut collected)?;
            }
        }
        if !sources.contains(&file) {
            sources.push(file);
        }
    }
    let match_field = match options.kind {
        TableKind::Enrich => options.match_field.clone(),
        _ => None,
    };
    if let Some(field) = &match_field {
        check_match_field(field, &collected.columns)?;
    }
    let Collected { columns, rows, mut account, .. } = collected;
    let (rows, repeated) = match options.kind {
        TableKind::Values => values::once(rows),
        TableKind::Indicators => last_of_each_id(rows),
        TableKind::Enrich => (rows, 0),
    };
    account.repeated = repeated;
    account.loaded = (rows.len() as u64).saturating_sub(kept);
    let header = Header {
        version: VERSION,
        name: name.to_owned(),
        kind: options.kind,
        match_field,
        columns,
        rows: rows.len() as u64,
        loaded_at: date::format_millis(options.now),
        sources,
    };
    Ok((LookupTable { header, rows }, account))
}

/// The options, with what a table that is there decides.
fn checked(options: &LoadOptions, before: Option<&LookupTable>) -> Result<LoadOptions, LookupError> {
    let mut options = options.clone();
    let usage = |message: String| Err(LookupError::new(LookupErrorKind::Usage, message));
    if let Some(before) = before {
        let Header { kind, match_field, columns, name, .. } = &before.header;
        if *kind != options.kind {
            return usage(format!("the table `{name}` is of kind {}", kind.name()));
        }
        if *kind == TableKind::Enrich {
            options.match_field = options.match_field.or_else(|| match_field.clone());
        }
        let known = columns.iter().map(|column| (column.name.clone(), column.kind));
        if options.kind == TableKind::Values {
            let kind = columns.first().map(|column| column.kind);
            if options.value_type.is_some() && options.value_type != kind {
                return usage(format!("the values of `{name}` are of another type"));
            }
            options.value_type = kind;
        } else {
            // What the flags say of a column that is there is compared with it later.
            options.types.extend(known);
        }
    }
    if options.kind != TableKind::Values && options.value_type.is_some() {
        return usage("a type without a column is for value lists: --type COLUMN=TYPE".to_owned());
    }
    if let Some(kind) = options.value_type.filter(|kind| !kind.is_of_lists()) {
        return usage(format!("a value list cannot be of type `{}`", kind.name()));
    }
    if options.kind != TableKind::Indicators && options.format == Some(TableFormat::Stix) {
        return usage("STIX bundles hold indicators: --kind indicators".to_owned());
    }
    if options.kind != TableKind::Values && options.format == Some(TableFormat::Lines) {
        return usage("lines of values are for value lists: --kind values".to_owned());
    }
    Ok(options)
}

fn check_match_field(field: &str, columns: &[TableColumn]) -> Result<(), LookupError> {
    if columns.iter().any(|column| column.name == field) {
        return Ok(());
    }
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let near = nearest_names(field, names.iter().copied());
    let shown = if near.is_empty() { names.iter().take(10).copied().collect() } else { near };
    let message = format!("no column is called `{field}` (--match-field): {}", shown.join(", "));
    Err(LookupError::new(LookupErrorKind::Usage, message))
}

/// Of rows with one id the last; and how many were left out.
fn last_of_each_id(rows: Vec<String>) -> (Vec<String>, u64) {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut kept: Vec<String> = Vec::with_capacity(rows.len());
    let mut repeated = 0;
    for row in rows {
        let id = indicators::id_of(&row);
        if let Some(place) = id.as_ref().and_then(|id| places.get(id)) {
            kept[*place] = row;
            repeated += 1;
        } else {
            places.extend(id.map(|id| (id, kept.len())));
            kept.push(row);
        }
    }
    (kept, repeated)
}

/// The rows of a table for ENRICH and LOOKUP JOIN.
fn rows_of(
    file: &str,
    bytes: &[u8],
    format: TableFormat,
    options: &LoadOptions,
    collected: &mut Collected,
) -> Result<(), LookupError> {
    match format {
        TableFormat::Csv => {
            csv_rows::read(file, bytes, options, collected, |row| Ok(Json::Object(row).to_string()))
        }
        TableFormat::NdJson => ndjson_rows::read(file, bytes, options, collected),
        TableFormat::Lines | TableFormat::Stix => {
            let message = format!("{file}: a table is loaded from CSV or NDJSON (--format)");
            Err(LookupError::new(LookupErrorKind::Usage, message))
        }
    }
}

/// The format of a file: what its name says, else what its content looks like.
pub(super) fn format_of(path: &Path, bytes: &[u8], kind: TableKind) -> TableFormat {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let name = name.trim_end_matches(".gz").trim_end_matches(".zst").to_owned();
    let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    let first = bytes.trim_ascii_start().first();
    if ends(&[".csv", ".tsv"]) {
        return TableFormat::Csv;
    }
    if ends(&[".stix", ".stix2"]) || (first == Some(&b'{') && stix::looks_like_bundle(bytes)) {
        return TableFormat::Stix;
    }
    if ends(&[".ndjson", ".jsonl", ".json"]) || first == Some(&b'{') {
        return TableFormat::NdJson;
    }
    if kind == TableKind::Values { TableFormat::Lines } else { TableFormat::Csv }
}

/// The bytes of a file, decompressed, without a mark of the order of bytes; `-` is standard input.
pub(super) fn read_bytes(path: &Path) -> Result<Vec<u8>, LookupError> {
    let failed =
        |error: io::Error| LookupError::new(LookupErrorKind::Input, format!("{}: {error}", path.display()));
    let raw: Box<dyn io::Read + Send> = if path.as_os_str() == "-" {
        Box::new(io::stdin())
    } else {
        Box::new(File::open(path).map_err(failed)?)
    };
    let mut bytes = Vec::new();
    let plain = decompressed(raw, InputLimits::default()).map_err(failed)?;
    plain.take(LOOKUP_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > LOOKUP_BYTES_MAX {
        let message = format!("{}: longer than {LOOKUP_BYTES_MAX} bytes", path.display());
        return Err(LookupError::new(LookupErrorKind::Input, message));
    }
    if bytes.starts_with(b"\xef\xbb\xbf") {
        bytes.drain(..3);
    }
    Ok(bytes)
}

/// A type for each column: the one that is given, ECS's, or what its values are.
pub(super) fn column_type(
    name: &str,
    options: &LoadOptions,
    found: impl FnOnce() -> ColumnType,
) -> ColumnType {
    let given = options.types.iter().find(|(known, _)| known == name).map(|(_, kind)| *kind);
    // Ids are texts, also those that look like numbers.
    let given = given.or((name == "_id").then_some(ColumnType::Keyword));
    given.or_else(|| ColumnType::of_field(&options.schema, name)).unwrap_or_else(found)
}

/// The values of a document by dotted names; those of objects in arrays come together.
pub(super) fn flattened(document: &Map<String, Json>) -> Map<String, Json> {
    let mut flat = Map::new();
    let mut open: Vec<(String, &Json)> =
        document.iter().rev().map(|(name, value)| (name.clone(), value)).collect();
    while let Some((name, value)) = open.pop() {
        match value {
            Json::Object(members) => {
                open.extend(members.iter().rev().map(|(key, value)| (format!("{name}.{key}"), value)));
            }
            Json::Array(values) => open.extend(values.iter().rev().map(|value| (name.clone(), value))),
            Json::Null => {}
            value => match flat.get_mut(&name) {
                None => drop(flat.insert(name, value.clone())),
                Some(Json::Array(values)) => values.push(value.clone()),
                Some(one) => *one = Json::Array(vec![one.take(), value.clone()]),
            },
        }
    }
    flat
}
