//! One Delta table: opened, made, its files and their statistics, and commits to it.

use std::collections::HashMap;

use chrono::DateTime;
use deltalake::DeltaTable;
use deltalake::kernel::transaction::{CommitBuilder, CommitProperties};
use deltalake::kernel::{Action, Add, ArrayType, DataType, PrimitiveType, Remove, StructField};
use deltalake::logstore::LogStoreRef;
use deltalake::operations::create::CreateBuilder;
use deltalake::protocol::{DeltaOperation, SaveMode};
use maxspan_diagnostics::codes;
use object_store::path::Path;
use serde_json::{Map, Value, json};

use crate::columns::{DAY, INDEX, INEXACT, INGESTED, Kind, Layout, RAW, SOURCE, TIMESTAMP};
use crate::error::{Result, StoreError};
use crate::limits::CHECKPOINT_INTERVAL;
use crate::location::Location;

/// The property that says in which form the store writes its tables.
const FORMAT_PROPERTY: &str = "maxspan.format";
/// The form that this version writes. What has another one, or none, is read as a table of somebody else.
const FORMAT: &str = "1";

/// A table at one version.
#[derive(Debug)]
pub(crate) struct Table {
    location: Location,
    log: LogStoreRef,
    delta: DeltaTable,
}

/// A file of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct FileEntry {
    /// Below the folder of the table, as the log has it.
    pub relative: String,
    /// Where it is in the object store.
    pub path: Path,
    /// What it is called in messages.
    pub place: String,
    /// Its bytes.
    pub bytes: u64,
    /// Its events, where the log says so.
    pub rows: Option<u64>,
    /// Days since 1970; none for events without a time.
    pub day: Option<i32>,
    /// The earliest and latest time in microseconds, where the log says so.
    pub times: Option<(i64, i64)>,
    /// The earliest and latest `event.ingested` in microseconds, or that there is none, where the log says so.
    pub ingested: Option<Option<(i64, i64)>>,
    /// The only `_index` of its events, where the log says that there is one.
    pub index: Option<String>,
}

impl FileEntry {
    /// The earliest and latest time that an event of the file can have, in microseconds.
    pub fn time_range(&self) -> (i64, i64) {
        self.times.unwrap_or((i64::MIN, i64::MAX))
    }
}

impl Table {
    /// The table in this folder.
    pub(crate) async fn open(location: &Location) -> Result<Self> {
        let log = location.log();
        let mut delta = DeltaTable::new(log.clone());
        delta.load().await.map_err(|error| StoreError::of(location.text(), &error))?;
        Ok(Self { location: location.clone(), log, delta })
    }

    /// The table in this folder, made where there is none.
    pub(crate) async fn open_or_create(location: &Location, name: &str, layout: &Layout) -> Result<Self> {
        let log = location.log();
        let exists = log.is_delta_table_location().await;
        if exists.map_err(|error| StoreError::of(location.text(), &error))? {
            let table = Self::open(location).await?;
            table.check_format()?;
            return Ok(table);
        }
        let create = CreateBuilder::new()
            .with_log_store(log.clone())
            .with_table_name(name)
            .with_save_mode(SaveMode::Ignore)
            .with_columns(fields(layout))
            .with_partition_columns([DAY])
            .with_raise_if_key_not_exists(false)
            .with_configuration([
                (FORMAT_PROPERTY, Some(FORMAT.to_owned())),
                ("delta.checkpointInterval", Some(CHECKPOINT_INTERVAL.to_string())),
            ]);
        let delta = create.await.map_err(|error| StoreError::of(location.text(), &error))?;
        Ok(Self { location: location.clone(), log, delta })
    }

    /// Whether the store itself wrote the table, in a form that this version writes too.
    pub(crate) fn is_ours(&self) -> bool {
        self.format().as_deref() == Some(FORMAT)
    }

    fn format(&self) -> Option<String> {
        let state = self.delta.snapshot().ok()?;
        state.metadata().configuration().get(FORMAT_PROPERTY).cloned()
    }

    /// Says so where this version may not write to the table.
    pub(crate) fn check_format(&self) -> Result<()> {
        if self.is_ours() {
            return Ok(());
        }
        let words = match self.format() {
            Some(format) => format!("the table has the form {format}, and this version writes {FORMAT}"),
            None => "the table was not written by maxspan, so it is only read".to_owned(),
        };
        Err(StoreError::new(codes::STORE_FORMAT, self.location.text(), words))
    }

    pub(crate) fn version(&self) -> u64 {
        self.delta.version().unwrap_or_default()
    }

    pub(crate) fn into_delta(self) -> DeltaTable {
        self.delta
    }

    /// The files, in the order of their earliest times.
    pub(crate) fn files(&self) -> Result<Vec<FileEntry>> {
        let state = self.delta.snapshot().map_err(|error| StoreError::of(self.location.text(), &error))?;
        let mut files: Vec<_> = state
            .log_data()
            .iter()
            .map(|view| {
                let relative = view.path().into_owned();
                let stats = view.stats().and_then(|text| serde_json::from_str(&text).ok());
                let day = view.partition_values_map().remove(DAY).flatten();
                self.entry(relative, view.size() as u64, day.as_deref(), &stats.unwrap_or_default())
            })
            .collect();
        files.sort_by(|a, b| (a.time_range(), &a.relative).cmp(&(b.time_range(), &b.relative)));
        Ok(files)
    }

    fn entry(&self, relative: String, bytes: u64, day: Option<&str>, stats: &Value) -> FileEntry {
        let text = |kind: &str, name: &str| stats[kind][name].as_str();
        let micros = |kind: &str, name: &str| {
            Some(DateTime::parse_from_rfc3339(text(kind, name)?).ok()?.timestamp_micros())
        };
        // A statistic in milliseconds is rounded down, by whoever wrote it.
        let range = |name: &str| {
            micros("minValues", name).zip(micros("maxValues", name).map(|most| most.saturating_add(999)))
        };
        let never_ingested =
            stats["nullCount"][INGESTED].as_u64().is_some_and(|nulls| stats["numRecords"] == nulls);
        let is_one =
            text("minValues", INDEX) == text("maxValues", INDEX) && stats["nullCount"][INDEX] == json!(0);
        FileEntry {
            path: self.location.file(&relative),
            place: self.location.place(&relative),
            bytes,
            rows: stats["numRecords"].as_u64(),
            day: day.and_then(days_since_1970),
            times: range(TIMESTAMP),
            ingested: if never_ingested { Some(None) } else { range(INGESTED).map(Some) },
            index: text("minValues", INDEX).filter(|_| is_one).map(str::to_owned),
            relative,
        }
    }

    /// Commits, and is then at the new version.
    pub(crate) async fn commit(&mut self, actions: Vec<Action>, operation: DeltaOperation) -> Result<()> {
        let failed = |error| StoreError::of(self.location.text(), &error);
        let state = self.delta.snapshot().map_err(failed)?.clone();
        let builder = CommitBuilder::from(CommitProperties::default().with_cleanup_expired_logs(Some(true)));
        let commit = builder.with_actions(actions).build(Some(&state), self.log.clone(), operation);
        commit.await.map_err(failed)?;
        self.delta.update_state().await.map_err(failed)
    }

    /// An action that takes a file out of the table.
    pub(crate) fn removal(entry: &FileEntry, data_change: bool, now_ms: i64) -> Action {
        Action::Remove(Remove {
            path: entry.relative.clone(),
            data_change,
            deletion_timestamp: Some(now_ms),
            extended_file_metadata: Some(true),
            partition_values: Some(partition(entry.day)),
            size: Some(entry.bytes as i64),
            tags: None,
            deletion_vector: None,
            base_row_id: None,
            default_row_commit_version: None,
        })
    }
}

/// A file that was written and belongs to no version yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewFile {
    pub(crate) relative: String,
    pub(crate) bytes: u64,
    pub(crate) rows: u64,
    pub(crate) day: Option<i32>,
    /// In microseconds.
    pub(crate) times: Option<(i64, i64)>,
    /// The earliest and latest `event.ingested`, in microseconds, and how many events have none; nothing where columns do
    /// not tell.
    pub(crate) ingested: Option<(Option<(i64, i64)>, u64)>,
    /// The least and the greatest `_index`, and how many events have none.
    pub(crate) index: Option<(String, String)>,
    pub(crate) index_nulls: u64,
}

impl NewFile {
    /// The action that puts it into a table.
    pub(crate) fn addition(&self, data_change: bool, now_ms: i64) -> Action {
        let mut least = Map::new();
        let mut most = Map::new();
        let ingested = self.ingested.and_then(|(range, _)| range);
        for (name, range) in [(TIMESTAMP, self.times), (INGESTED, ingested)] {
            if let Some((from, to)) = range {
                least.insert(name.to_owned(), json!(rfc3339(from)));
                most.insert(name.to_owned(), json!(rfc3339(to)));
            }
        }
        if let Some((from, to)) = &self.index {
            least.insert(INDEX.to_owned(), json!(from));
            most.insert(INDEX.to_owned(), json!(to));
        }
        let time_nulls = if self.times.is_some() { 0 } else { self.rows };
        let mut nulls = Map::from_iter([
            (TIMESTAMP.to_owned(), json!(time_nulls)),
            (INDEX.to_owned(), json!(self.index_nulls)),
        ]);
        if let Some((_, count)) = self.ingested {
            nulls.insert(INGESTED.to_owned(), json!(count));
        }
        let stats = json!({
            "numRecords": self.rows, "minValues": least, "maxValues": most, "nullCount": nulls,
        });
        Action::Add(Add {
            path: self.relative.clone(),
            partition_values: partition(self.day),
            size: self.bytes as i64,
            modification_time: now_ms,
            data_change,
            stats: Some(stats.to_string()),
            tags: None,
            deletion_vector: None,
            base_row_id: None,
            default_row_commit_version: None,
            clustering_provider: None,
        })
    }
}

/// The folder of a partition below its table.
pub(crate) fn partition_folder(day: Option<i32>) -> String {
    format!("{DAY}={}", day.map_or_else(|| "__HIVE_DEFAULT_PARTITION__".to_owned(), date))
}

fn partition(day: Option<i32>) -> HashMap<String, Option<String>> {
    HashMap::from([(DAY.to_owned(), day.map(date))])
}

/// The date of a day since 1970.
pub(crate) fn date(day: i32) -> String {
    let date = DateTime::from_timestamp(i64::from(day) * 86_400, 0).unwrap_or_default();
    date.format("%Y-%m-%d").to_string()
}

fn days_since_1970(date: &str) -> Option<i32> {
    let midnight = DateTime::parse_from_rfc3339(&format!("{date}T00:00:00Z")).ok()?;
    i32::try_from(midnight.timestamp() / 86_400).ok()
}

/// An instant of microseconds as Delta writes it in statistics.
fn rfc3339(micros: i64) -> String {
    let time = DateTime::from_timestamp_micros(micros).unwrap_or_default();
    time.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

/// The columns of a table in Delta's types.
fn fields(layout: &Layout) -> Vec<StructField> {
    let primitive = DataType::Primitive;
    let one = |kind: Kind| match kind {
        Kind::Text => primitive(PrimitiveType::String),
        Kind::Long => primitive(PrimitiveType::Long),
        Kind::Double => primitive(PrimitiveType::Double),
        Kind::Boolean => primitive(PrimitiveType::Boolean),
        Kind::Date => primitive(PrimitiveType::Timestamp),
    };
    let list = |one: DataType| DataType::Array(Box::new(ArrayType::new(one, true)));
    let text = |name: &str| StructField::new(name, primitive(PrimitiveType::String), true);
    let mut fields =
        vec![StructField::new(TIMESTAMP, one(Kind::Date), true), text(INDEX), text(crate::columns::ID)];
    for column in layout.columns() {
        let kind = one(column.kind);
        let kind = if column.several { list(kind) } else { kind };
        fields.push(StructField::new(&column.field.name, kind, true));
    }
    fields.push(StructField::new(INEXACT, list(one(Kind::Text)), true));
    fields.push(StructField::new(RAW, primitive(PrimitiveType::Binary), true));
    fields.push(text(SOURCE));
    fields.push(StructField::new(DAY, primitive(PrimitiveType::Date), true));
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_dates() {
        for (day, text) in [(0, "1970-01-01"), (20_454, "2026-01-01"), (-1, "1969-12-31")] {
            assert_eq!((date(day).as_str(), days_since_1970(text)), (text, Some(day)));
        }
        assert_eq!(partition_folder(None), "day=__HIVE_DEFAULT_PARTITION__");
        assert_eq!(rfc3339(1_500), "1970-01-01T00:00:00.001500Z");
    }
}
