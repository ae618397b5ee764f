//! Tables of indicators: ECS documents with their ids, from NDJSON, from CSV whose columns are fields of ECS, and from STIX.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::load::{Collected, LoadAccount, LoadOptions, TableFormat, format_of, read_bytes};
use super::ndjson_rows::{ColumnsFound, documents};
use super::{LookupError, LookupErrorKind, LookupTable, TableKind, csv_rows, stix};
use crate::input::{OtherEvent, OtherEvents, OtherProblem};

/// The name of the member that has the document.
const SOURCE: &str = "_source";

/// Indicators that a hunt reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndicatorTable {
    /// Its name in messages.
    pub name: String,
    /// The index that its documents are in; none where they count as being in every index.
    pub index: Option<String>,
    /// The rows of a table of indicators.
    pub rows: Vec<String>,
}

impl IndicatorTable {
    pub(super) fn of_table(table: LookupTable) -> Self {
        let name = table.header.name;
        Self { index: Some(name.clone()), name, rows: table.rows }
    }

    /// Its documents, for a reader.
    pub(crate) fn events(self: &Arc<Self>) -> Box<dyn OtherEvents> {
        Box::new(Documents { table: Arc::clone(self), next: 0 })
    }
}

struct Documents {
    table: Arc<IndicatorTable>,
    next: usize,
}

impl OtherEvents for Documents {
    fn next(&mut self) -> Option<Result<OtherEvent, OtherProblem>> {
        let row = self.table.rows.get(self.next)?;
        self.next += 1;
        // Rows were written by this program; one that somebody changed is shown as it is, and reported by who decodes it.
        let (id, source) = parts(row).unwrap_or_else(|| (None, row.clone()));
        Some(Ok(OtherEvent { source: source.into_bytes().into(), index: self.table.index.clone(), id }))
    }
}

/// Id and document of a row.
fn parts(row: &str) -> Option<(Option<String>, String)> {
    let mut row: Map<String, Json> = serde_json::from_str(row).ok()?;
    let id = row.get("_id").and_then(Json::as_str).map(str::to_owned);
    Some((id, row.remove(SOURCE)?.to_string()))
}

/// The id of a row.
pub(super) fn id_of(row: &str) -> Option<String> {
    parts(row)?.0
}

/// The document of a row.
pub(super) fn source_of(row: &str) -> Option<Map<String, Json>> {
    match serde_json::from_str::<Map<String, Json>>(row).ok()?.remove(SOURCE)? {
        Json::Object(source) => Some(source),
        _ => None,
    }
}

/// Takes the indicators of a file.
pub(super) fn read(
    file: &str,
    bytes: &[u8],
    format: TableFormat,
    table: &str,
    options: &LoadOptions,
    collected: &mut Collected,
) -> Result<(), LookupError> {
    let mut found = ColumnsFound::default();
    let first = collected.rows.len();
    match format {
        TableFormat::Csv => {
            let mut rows = Collected::new(Vec::new());
            csv_rows::read(file, bytes, options, &mut rows, |row| Ok(indicator(&nested(row)?, None)))?;
            take_account(&mut collected.account, rows.account);
            rows.rows.into_iter().try_for_each(|row| collected.push(row))?;
        }
        TableFormat::NdJson => {
            for (line, document) in documents(bytes) {
                match document.and_then(row_of_document) {
                    Ok(row) => collected.push(row)?,
                    Err(message) => collected.account.fail(|| format!("{file}:{line}"), message),
                }
            }
        }
        TableFormat::Stix => {
            let options = stix::StixOptions { feed: table.to_owned(), now: options.now };
            for (id, document) in stix::read(file, bytes, &options, &mut collected.account)? {
                collected.push(row(Some(&id), &document))?;
            }
        }
        TableFormat::Lines => {
            let message = format!("{file}: indicators are loaded from NDJSON, CSV or STIX (--format)");
            return Err(LookupError::new(LookupErrorKind::Usage, message));
        }
    }
    for document in collected.rows[first..].iter().filter_map(|row| source_of(row)) {
        found
            .document(&document)
            .map_err(|message| LookupError::new(LookupErrorKind::Input, format!("{file}: {message}")))?;
    }
    collected.add_columns(found.columns(options))
}

fn take_account(account: &mut LoadAccount, more: LoadAccount) {
    account.failed += more.failed;
    account.problems.extend(more.problems);
    account.problems.truncate(crate::limits::LOOKUP_PROBLEMS_MAX);
}

/// A row of an id and a document.
fn row(id: Option<&str>, document: &Json) -> String {
    let row = match id {
        Some(id) => json!({"_id": id, SOURCE: document}),
        None => json!({SOURCE: document}),
    };
    row.to_string()
}

/// A document as exports and searches of Elasticsearch write it, or alone, perhaps with an id among its fields.
fn row_of_document(mut document: Map<String, Json>) -> Result<String, String> {
    let id = document.remove("_id").and_then(|id| id.as_str().map(str::to_owned));
    document.remove("_index");
    let source = match document.remove(SOURCE) {
        Some(Json::Object(source)) => source,
        Some(_) => return Err("`_source` is no object".to_owned()),
        None => document,
    };
    if source.is_empty() {
        return Err("the document has no fields".to_owned());
    }
    Ok(row(id.as_deref(), &Json::Object(source)))
}

/// A row of CSV, with what makes it an indicator where it does not say that itself.
fn indicator(document: &Map<String, Json>, id: Option<&str>) -> String {
    let mut document = document.clone();
    let event = document.entry("event").or_insert_with(|| json!({}));
    if let Json::Object(event) = event {
        event.entry("kind").or_insert_with(|| json!("enrichment"));
        event.entry("category").or_insert_with(|| json!(["threat"]));
        event.entry("type").or_insert_with(|| json!(["indicator"]));
    }
    let own_id = match document.remove("_id") {
        Some(Json::String(id)) => Some(id),
        _ => id.map(str::to_owned),
    };
    row(own_id.as_deref(), &Json::Object(document))
}

/// Objects in place of dotted names.
pub(super) fn nested(flat: Map<String, Json>) -> Result<Map<String, Json>, String> {
    let mut document = Map::new();
    for (name, value) in flat {
        let mut place = &mut document;
        let mut keys = name.split('.').peekable();
        while let Some(key) = keys.next() {
            if keys.peek().is_none() {
                if place.insert(key.to_owned(), value).is_some() {
                    return Err(format!("`{name}` is both a field and an object"));
                }
                break;
            }
            let next = place.entry(key).or_insert_with(|| json!({}));
            let Json::Object(inner) = next else {
                return Err(format!("`{name}` is both a field and an object"));
            };
            place = inner;
        }
    }
    Ok(document)
}

/// What paths name as indicators for a hunt: tables of CSV files and STIX bundles, what is left for the reader of events, and
/// what could not be used. Their documents count as being in every index.
pub fn indicators_of_files(
    paths: &[PathBuf],
    options: &LoadOptions,
) -> (Vec<IndicatorTable>, Vec<PathBuf>, LoadAccount, Vec<LookupError>) {
    let (mut tables, mut plain) = (Vec::new(), Vec::new());
    let (mut account, mut problems) = (LoadAccount::default(), Vec::new());
    for path in paths {
        let files = other_files(path);
        if files.is_empty() {
            plain.push(path.clone());
            continue;
        }
        for (file, is_plain) in files {
            if is_plain {
                plain.push(file);
                continue;
            }
            match table_of_file(&file, options, &mut account) {
                Ok(table) => tables.push(table),
                Err(error) => problems.push(error),
            }
        }
    }
    (tables, plain, account, problems)
}

fn table_of_file(
    path: &Path,
    options: &LoadOptions,
    account: &mut LoadAccount,
) -> Result<IndicatorTable, LookupError> {
    let bytes = read_bytes(path)?;
    let name = path.display().to_string();
    let feed = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let format = format_of(path, &bytes, TableKind::Indicators);
    let mut collected = Collected::new(Vec::new());
    collected.account = std::mem::take(account);
    let outcome = read(&name, &bytes, format, &feed, options, &mut collected);
    *account = collected.account;
    outcome?;
    Ok(IndicatorTable { name, index: None, rows: collected.rows })
}

/// The files of a path and whether the reader of events takes them; nothing where it takes all of them.
fn other_files(path: &Path) -> Vec<(PathBuf, bool)> {
    let files: Vec<PathBuf> = if path.is_dir() {
        let entries = walkdir::WalkDir::new(path).sort_by_file_name().into_iter();
        let is_hidden = |entry: &walkdir::DirEntry| {
            entry.depth() > 0 && entry.file_name().as_encoded_bytes().starts_with(b".")
        };
        let entries = entries.filter_entry(|entry| !is_hidden(entry)).flatten();
        entries.filter(|entry| entry.file_type().is_file()).map(walkdir::DirEntry::into_path).collect()
    } else {
        vec![path.to_owned()]
    };
    let is_read = |file: &PathBuf| !path.is_dir() || ENDINGS.iter().any(|ending| has_ending(file, ending));
    let files = files.into_iter().filter(is_read);
    let files: Vec<(PathBuf, bool)> = files
        .map(|file| {
            let is_plain = is_plain(&file);
            (file, is_plain)
        })
        .collect();
    if files.iter().all(|(_, is_plain)| *is_plain) { Vec::new() } else { files }
}

/// The files of a folder that are looked at: those of events, CSV and STIX.
const ENDINGS: [&str; 10] =
    [".ndjson", ".jsonl", ".json", ".log", ".gz", ".zst", ".csv", ".tsv", ".stix", ".stix2"];

fn has_ending(path: &Path, ending: &str) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().to_lowercase().ends_with(ending))
}

/// Whether the reader of events takes a file: whether it is neither CSV nor STIX by its name and its beginning.
fn is_plain(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let name = name.trim_end_matches(".gz").trim_end_matches(".zst").to_owned();
    if [".csv", ".tsv", ".stix", ".stix2"].iter().any(|ending| name.ends_with(ending)) {
        return false;
    }
    let is_json = Path::new(&name).extension().is_some_and(|extension| extension == "json");
    let is_small_json = is_json
        && fs::metadata(path)
            .is_ok_and(|metadata| metadata.is_file() && metadata.len() <= stix::BYTES_MAX as u64);
    !(is_small_json && read_bytes(path).is_ok_and(|bytes| stix::looks_like_bundle(&bytes)))
}
