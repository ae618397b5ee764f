//! Lookup tables: value lists of exceptions, indicators, and tables that ENRICH and LOOKUP JOIN look into.
//!
//! A folder has one file a table, `NAME.ndjson.zst`: a line with the [`Header`], then a row a line. A table is written to
//! another file first, which then takes its place, so that whoever reads sees the old table or the new one, and a load that
//! is broken off leaves the old one. What another version wrote is left alone.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Read as _, Write as _};
use std::path::{Path, PathBuf};

use maxspan_diagnostics::nearest_names;
use maxspan_esql::run::Tables;
use maxspan_rules::load::ValueLists;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::limits::{
    LOOKUP_BYTES_MAX, LOOKUP_HEADER_BYTES_MAX, LOOKUP_NAME_BYTES_MAX, LOOKUP_ROWS_MAX, LOOKUP_TABLES_MAX,
};

mod columns;
mod csv_rows;
mod esql_tables;
mod indicators;
pub mod load;
mod ndjson_rows;
pub mod stix;
mod values;

pub use columns::{ColumnType, TableColumn};
pub use indicators::{IndicatorTable, indicators_of_files};
pub use load::{LoadAccount, LoadOptions, RowProblem, TableFormat, load};

/// The form of the files that this version writes and reads.
pub const VERSION: u32 = 1;

/// The folder of a store that has its tables. No data stream's folder begins so.
pub const STORE_FOLDER: &str = "_lookups";

const ENDING: &str = ".ndjson.zst";

/// Compression of tables; they are written once, and read in each hunt.
const ZSTD_LEVEL: i32 = 3;

/// What a table is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TableKind {
    /// Values that exceptions name (`list`).
    Values,
    /// ECS documents with `threat.indicator.*`, for indicator match rules.
    Indicators,
    /// Rows for ENRICH and LOOKUP JOIN.
    Enrich,
}

impl TableKind {
    /// As flags and headers call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Values => "values",
            Self::Indicators => "indicators",
            Self::Enrich => "enrich",
        }
    }
}

/// What a table says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// [`VERSION`].
    #[serde(rename = "maxspan_lookup")]
    pub version: u32,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub kind: TableKind,
    /// The column that ENRICH matches; none where it cannot be a policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub match_field: Option<String>,
    /// Its columns, in order. A value list has one, `value`.
    pub columns: Vec<TableColumn>,
    /// How many rows there are.
    pub rows: u64,
    /// When it was loaded last.
    pub loaded_at: String,
    /// The files that it was loaded from.
    pub sources: Vec<String>,
}

/// A table with its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookupTable {
    /// What it says of itself.
    pub header: Header,
    /// Rows as JSON objects: the columns by name; of indicators `_id`, where they have one, and `_source`.
    pub rows: Vec<String>,
}

impl LookupTable {
    /// The cells of a row by the names of their columns.
    pub fn cells(row: &str, kind: TableKind) -> Option<Map<String, Json>> {
        match kind {
            TableKind::Indicators => Some(load::flattened(&indicators::source_of(row)?)),
            TableKind::Values | TableKind::Enrich => serde_json::from_str(row).ok(),
        }
    }
}

/// Why a table cannot be read or written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookupError {
    /// Which sort of error.
    pub kind: LookupErrorKind,
    /// The problem in words, with the file or table.
    pub message: String,
}

/// Sorts of errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LookupErrorKind {
    /// What was asked for cannot be: a wrong name, a table that is not there, columns that do not go together.
    Usage,
    /// The file is damaged, or another version's.
    Damaged,
    /// A file cannot be read.
    Input,
    /// A table cannot be written.
    Output,
}

impl LookupError {
    fn new(kind: LookupErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}

impl fmt::Display for LookupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for LookupError {}

/// What there is in a folder.
#[derive(Debug, Clone, Default)]
pub struct Listed {
    /// The headers of its tables, sorted by name, and the bytes of their files.
    pub tables: Vec<(Header, u64)>,
    /// Files that cannot be read.
    pub problems: Vec<LookupError>,
}

/// A folder of lookup tables.
#[derive(Debug, Clone)]
pub struct Lookups {
    folder: PathBuf,
}

impl Lookups {
    /// The tables of a folder, which does not have to be there yet.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// The tables of a store; none for a store that is not a local folder.
    pub fn of_store(store: &str) -> Option<Self> {
        (!store.contains("://")).then(|| Self::at(Path::new(store).join(STORE_FOLDER)))
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// All tables; none where the folder is not there.
    pub fn list(&self) -> Result<Listed, LookupError> {
        let unreadable = |error: io::Error| {
            let message = format!("{}: {error}", self.folder.display());
            LookupError::new(LookupErrorKind::Input, message)
        };
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Listed::default()),
            Err(error) => return Err(unreadable(error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let name = entry.map_err(unreadable)?.file_name();
            names.extend(name.to_str().and_then(|name| name.strip_suffix(ENDING)).map(str::to_owned));
            if names.len() > LOOKUP_TABLES_MAX {
                let message = format!("{}: more than {LOOKUP_TABLES_MAX} tables", self.folder.display());
                return Err(LookupError::new(LookupErrorKind::Input, message));
            }
        }
        names.sort();
        let mut listed = Listed::default();
        for name in names.iter().filter(|name| check_name(name).is_ok()) {
            let bytes = fs::metadata(self.path(name)).map_or(0, |metadata| metadata.len());
            match self.header(name) {
                Ok(header) => listed.tables.push((header, bytes)),
                Err(error) => listed.problems.push(error),
            }
        }
        Ok(listed)
    }

    /// What a table says of itself.
    pub fn header(&self, name: &str) -> Result<Header, LookupError> {
        self.open(name).map(|(header, _)| header)
    }

    /// A table with its rows. They must be as many as its header says.
    pub fn read(&self, name: &str) -> Result<LookupTable, LookupError> {
        let (header, mut lines) = self.open(name)?;
        let damaged = |what: &str| self.damaged(name, what);
        if header.rows > LOOKUP_ROWS_MAX {
            return Err(damaged(&format!("{} rows, over the limit of {LOOKUP_ROWS_MAX}", header.rows)));
        }
        let (mut rows, mut bytes, mut line) = (Vec::new(), 0, String::new());
        loop {
            line.clear();
            let count = lines.read_line(&mut line).map_err(|error| damaged(&error.to_string()))?;
            if count == 0 {
                break;
            }
            bytes += count;
            if bytes > LOOKUP_BYTES_MAX || rows.len() as u64 == header.rows {
                return Err(damaged("more rows than it says"));
            }
            rows.push(line.trim_end().to_owned());
        }
        if rows.len() as u64 != header.rows {
            return Err(damaged(&format!("{} rows of {}", rows.len(), header.rows)));
        }
        Ok(LookupTable { header, rows })
    }

    /// Writes a table in place of the one of its name.
    pub fn write(&self, table: &LookupTable) -> Result<(), LookupError> {
        let name = &table.header.name;
        check_name(name)?;
        if let Some(other) = self.other_case(name) {
            let message = format!("there is a table `{other}`, whose file would be the same on many systems");
            return Err(LookupError::new(LookupErrorKind::Usage, message));
        }
        let path = self.path(name);
        let failed = |error: io::Error| {
            LookupError::new(LookupErrorKind::Output, format!("cannot write {}: {error}", path.display()))
        };
        fs::create_dir_all(&self.folder).map_err(failed)?;
        let file = tempfile::Builder::new().prefix(".").suffix(".part").tempfile_in(&self.folder);
        let file = file.map_err(failed)?;
        write_rows(file.as_file(), table).map_err(failed)?;
        file.as_file().sync_all().map_err(failed)?;
        file.persist(&path).map_err(|error| failed(error.error))?;
        Ok(())
    }

    /// Deletes a table.
    pub fn remove(&self, name: &str) -> Result<(), LookupError> {
        check_name(name)?;
        match fs::remove_file(self.path(name)) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(self.missing(name)),
            Err(error) => Err(LookupError::new(
                LookupErrorKind::Output,
                format!("cannot delete {}: {error}", self.path(name).display()),
            )),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}{ENDING}"))
    }

    /// A table of the same name but for upper and lower case.
    fn other_case(&self, name: &str) -> Option<String> {
        let entries = fs::read_dir(&self.folder).ok()?.flatten();
        let names =
            entries.filter_map(|entry| Some(entry.file_name().to_str()?.strip_suffix(ENDING)?.to_owned()));
        names.filter(|other| other != name).find(|other| other.eq_ignore_ascii_case(name))
    }

    /// The header of a table, and its rows.
    fn open(&self, name: &str) -> Result<(Header, impl BufRead), LookupError> {
        check_name(name)?;
        let file = match File::open(self.path(name)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(self.missing(name)),
            Err(error) => {
                let message = format!("{}: {error}", self.path(name).display());
                return Err(LookupError::new(LookupErrorKind::Input, message));
            }
        };
        let damaged = |error: &dyn fmt::Display| self.damaged(name, &error.to_string());
        let mut lines = BufReader::new(zstd::Decoder::new(file).map_err(|error| damaged(&error))?);
        let mut first = String::new();
        let read = lines.by_ref().take(LOOKUP_HEADER_BYTES_MAX).read_line(&mut first);
        read.map_err(|error| damaged(&error))?;
        let known: Version = serde_json::from_str(&first).map_err(|error| damaged(&error))?;
        if known.version != VERSION {
            let what = format!("is of form {}, and this version reads form {VERSION}", known.version);
            return Err(self.damaged(name, &what));
        }
        let header: Header = serde_json::from_str(&first).map_err(|error| damaged(&error))?;
        if header.name != name {
            return Err(self.damaged(name, &format!("says that it is the table `{}`", header.name)));
        }
        Ok((header, lines))
    }

    fn damaged(&self, name: &str, what: &str) -> LookupError {
        let message = format!("the lookup table {}: {what}", self.path(name).display());
        LookupError::new(LookupErrorKind::Damaged, message)
    }

    fn missing(&self, name: &str) -> LookupError {
        let listed = self.list().unwrap_or_default();
        let names = listed.tables.iter().map(|(header, _)| header.name.as_str());
        let near = nearest_names(name, names);
        let mut message = format!("there is no lookup table `{name}` in {}", self.folder.display());
        if !near.is_empty() {
            message.push_str(&format!("; did you mean `{}`?", near.join("`, `")));
        }
        LookupError::new(LookupErrorKind::Usage, message)
    }
}

/// What all versions have in common.
#[derive(Deserialize)]
struct Version {
    #[serde(rename = "maxspan_lookup")]
    version: u32,
}

/// Names that every file system takes: letters, digits, `.`, `_` and `-`, the first one no dot or minus.
pub fn check_name(name: &str) -> Result<(), LookupError> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let begins = name.bytes().next().is_some_and(|byte| byte != b'.' && byte != b'-');
    if begins && name.len() <= LOOKUP_NAME_BYTES_MAX && name.bytes().all(fits) {
        return Ok(());
    }
    let message = format!(
        "`{}` is no name of a table: letters, digits, `.`, `_` and `-`, at most {LOOKUP_NAME_BYTES_MAX}",
        name.chars().take(LOOKUP_NAME_BYTES_MAX).collect::<String>()
    );
    Err(LookupError::new(LookupErrorKind::Usage, message))
}

fn write_rows(file: &File, table: &LookupTable) -> io::Result<()> {
    let mut writer = zstd::Encoder::new(BufWriter::new(file), ZSTD_LEVEL)?;
    serde_json::to_writer(&mut writer, &table.header)?;
    writer.write_all(b"\n")?;
    for row in &table.rows {
        writer.write_all(row.as_bytes())?;
        writer.write_all(b"\n")?;
    }
    writer.finish()?.flush()
}

/// What several folders have together; of tables with one name the first counts.
#[derive(Debug, Clone, Default)]
pub struct LookupFolders {
    tables: Vec<(Lookups, Header)>,
}

impl LookupFolders {
    /// Lists folders; and what in them cannot be read.
    pub fn list(folders: &[Lookups]) -> Result<(Self, Vec<LookupError>), LookupError> {
        let (mut all, mut problems) = (Self::default(), Vec::new());
        for folder in folders {
            let listed = folder.list()?;
            problems.extend(listed.problems);
            for (header, _) in listed.tables {
                if !all.tables.iter().any(|(_, known)| known.name == header.name) {
                    all.tables.push((folder.clone(), header));
                }
            }
        }
        Ok((all, problems))
    }

    /// The value lists.
    pub fn value_lists(&self, problems: &mut Vec<LookupError>) -> ValueLists {
        let mut lists = ValueLists::default();
        for table in self.of_kind(TableKind::Values, |_| true, problems) {
            let name = table.header.name.clone();
            lists.insert(name, values::values(&table));
        }
        lists
    }

    /// The tables of indicators whose names are `wanted`, and the names of the others.
    pub fn indicators(
        &self,
        wanted: impl Fn(&str) -> bool,
        problems: &mut Vec<LookupError>,
    ) -> (Vec<IndicatorTable>, Vec<String>) {
        let names = self.tables.iter().filter(|(_, header)| header.kind == TableKind::Indicators);
        let others = names.map(|(_, header)| header.name.clone()).filter(|name| !wanted(name)).collect();
        let tables = self.of_kind(TableKind::Indicators, wanted, problems);
        (tables.into_iter().map(IndicatorTable::of_table).collect(), others)
    }

    /// The tables that queries name, for ENRICH and LOOKUP JOIN; of the others their names.
    pub fn tables(&self, names: &[&str], problems: &mut Vec<LookupError>) -> Tables {
        let mut tables = Tables::default();
        for (folder, header) in &self.tables {
            tables.insert_name(&header.name);
            if !names.contains(&header.name.as_str()) {
                continue;
            }
            match folder.read(&header.name) {
                Ok(table) => esql_tables::insert(&mut tables, &table),
                Err(error) => problems.push(error),
            }
        }
        tables
    }

    fn of_kind(
        &self,
        kind: TableKind,
        wanted: impl Fn(&str) -> bool,
        problems: &mut Vec<LookupError>,
    ) -> Vec<LookupTable> {
        let mut found = Vec::new();
        for (folder, header) in self.tables.iter().filter(|(_, header)| header.kind == kind) {
            if wanted(&header.name) {
                match folder.read(&header.name) {
                    Ok(table) => found.push(table),
                    Err(error) => problems.push(error),
                }
            }
        }
        found
    }
}
