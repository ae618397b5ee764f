//! Looking after a store: what is in it, whether it is sound, and small files made into large ones.

mod compact;
mod verify;

use std::time::Duration;

use chrono::Utc;
use deltalake::checkpoints::create_checkpoint;
use deltalake::operations::vacuum::VacuumMode;
use deltalake::protocol::DeltaOperation;
use futures::TryStreamExt;
use futures::future::ready;
use object_store::ObjectStore;

use crate::columns::DAY;
use crate::error::{Result, StoreError};
use crate::limits::CHECKPOINT_INTERVAL;
use crate::location::Location;
use crate::names::Streams;
use crate::store::Store;
use crate::table::{Table, date};
pub use compact::{CompactCounts, CompactOptions};
pub use verify::{VerifyCounts, VerifyProblem};

/// What is in the table of a data stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamInfo {
    /// The name of the data stream.
    pub name: String,
    /// Its events.
    pub events: u64,
    /// Its files.
    pub files: u64,
    /// Bytes of its files.
    pub bytes: u64,
    /// Days that have events.
    pub days: u64,
    /// The earliest and latest time, in microseconds.
    pub times: Option<(i64, i64)>,
    /// Events without a time.
    pub untimed: u64,
    /// The version of its table.
    pub version: u64,
}

/// What `retain` took away.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RetainCounts {
    /// Events.
    pub events: u64,
    /// Files that the tables no longer list.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Files that were deleted, also such as no table listed before.
    pub deleted: u64,
}

impl Store {
    /// What is in each table, by name.
    pub fn info(&self, streams: &Streams) -> Result<Vec<StreamInfo>> {
        let tables = self.runtime().block_on(self.tables(streams))?;
        tables.iter().map(|(stream, table)| info(&stream.name, table)).collect()
    }

    /// Takes the days before `first_day` (since 1970) out of the tables, and deletes files that nobody has listed for
    /// `keep`. Events without a time stay.
    pub fn retain(&self, streams: &Streams, first_day: i32, keep: Duration) -> Result<RetainCounts> {
        self.runtime().block_on(async {
            let mut counts = RetainCounts::default();
            for (stream, mut table) in self.tables(streams).await? {
                table.check_format()?;
                let old = |day: Option<i32>| day.is_some_and(|day| day < first_day);
                let files: Vec<_> = table.files()?.into_iter().filter(|file| old(file.day)).collect();
                if !files.is_empty() {
                    let now_ms = Utc::now().timestamp_millis();
                    let actions = files.iter().map(|file| Table::removal(file, true, now_ms)).collect();
                    let predicate = Some(format!("{DAY} < '{}'", date(first_day)));
                    table.commit(actions, DeltaOperation::Delete { predicate }).await?;
                }
                counts.events += files.iter().filter_map(|file| file.rows).sum::<u64>();
                counts.bytes += files.iter().map(|file| file.bytes).sum::<u64>();
                counts.files += files.len() as u64;
                counts.deleted += vacuum(&stream.location, table, keep).await?;
            }
            Ok(counts)
        })
    }
}

fn info(name: &str, table: &Table) -> Result<StreamInfo> {
    let files = table.files()?;
    let mut days: Vec<_> = files.iter().filter_map(|file| file.day).collect();
    days.sort_unstable();
    days.dedup();
    let rows = |timed: bool| {
        files.iter().filter(|file| file.times.is_some() == timed).filter_map(|file| file.rows).sum::<u64>()
    };
    let times = files.iter().filter_map(|file| file.times);
    Ok(StreamInfo {
        name: name.to_owned(),
        events: rows(true) + rows(false),
        files: files.len() as u64,
        bytes: files.iter().map(|file| file.bytes).sum(),
        days: days.len() as u64,
        times: times.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))),
        untimed: rows(false),
        version: table.version(),
    })
}

/// Deletes what no version that is younger than `keep` lists, and writes a checkpoint of the log. Gives how many files
/// were deleted.
async fn vacuum(location: &Location, table: Table, keep: Duration) -> Result<u64> {
    let failed = |error| StoreError::of(location.text(), &error);
    let before = data_files(location).await?;
    let keep = chrono::Duration::from_std(keep).unwrap_or(chrono::Duration::MAX);
    let vacuum = table.into_delta().vacuum().with_retention_period(keep);
    let vacuum = vacuum.with_enforce_retention_duration(false).with_mode(VacuumMode::Full);
    let (delta, _) = vacuum.await.map_err(failed)?;
    if delta.version().unwrap_or_default() % CHECKPOINT_INTERVAL != 0 {
        create_checkpoint(&delta, None).await.map_err(failed)?;
    }
    // Files that are long gone are among those that a vacuum says it deleted.
    Ok(before.saturating_sub(data_files(location).await?))
}

/// How many files there are beside the log.
async fn data_files(location: &Location) -> Result<u64> {
    let log = location.path().clone().join("_delta_log");
    let listed = location.store().list(Some(location.path()));
    let files = listed.try_filter(|file| ready(!file.location.prefix_matches(&log)));
    files
        .try_fold(0, |count, _| ready(Ok(count + 1)))
        .await
        .map_err(|error| StoreError::of(location.text(), &error))
}
