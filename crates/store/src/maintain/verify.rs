//! Whether every file of a store is there, unchanged, readable, and as its table says.

use arrow::array::RecordBatch;
use futures::TryStreamExt;
use maxspan_diagnostics::codes;
use maxspan_event::identity::digest;
use object_store::ObjectStoreExt;

use crate::error::{Result, StoreError};
use crate::file::{digest_of_name, digest_text};
use crate::limits::{PROBLEMS_NAMED_MAX, SCAN_ROWS};
use crate::names::Streams;
use crate::read::{EventColumns, open};
use crate::store::Store;
use crate::table::{FileEntry, Table};

/// What a check of a store looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct VerifyCounts {
    /// Tables.
    pub tables: u64,
    /// Files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Events that were read.
    pub events: u64,
    /// Files that are not as they should be, and tables that cannot be read.
    pub bad: u64,
}

/// Something that is wrong with a file or table.
pub type VerifyProblem = StoreError;

/// Microseconds of a day.
const DAY_MICROS: i64 = 86_400_000_000;

impl Store {
    /// Reads everything. Gives what it looked at, and what is wrong: the first [`PROBLEMS_NAMED_MAX`] of it.
    pub fn verify(
        &self,
        streams: &Streams,
        mut watch: impl FnMut(&FileEntry),
    ) -> Result<(VerifyCounts, Vec<VerifyProblem>)> {
        let (mut counts, mut problems) = (VerifyCounts::default(), Vec::new());
        let mut bad = |counts: &mut VerifyCounts, error: StoreError| {
            counts.bad += 1;
            if problems.len() < PROBLEMS_NAMED_MAX {
                problems.push(error);
            }
        };
        for stream in self.streams(streams)? {
            let opened = self.runtime().block_on(Table::open(&stream.location));
            let files = opened.and_then(|table| table.files());
            counts.tables += 1;
            let files = match files {
                Ok(files) => files,
                Err(error) => {
                    bad(&mut counts, error);
                    continue;
                }
            };
            for file in files {
                watch(&file);
                counts.files += 1;
                counts.bytes += file.bytes;
                match self.runtime().block_on(self.verify_file(&file)) {
                    Ok(events) => counts.events += events,
                    Err(error) => bad(&mut counts, error),
                }
            }
        }
        Ok((counts, problems))
    }

    /// The number of a file's events.
    async fn verify_file(&self, file: &FileEntry) -> Result<u64> {
        let place = file.place.clone();
        let wrong = |words: String| StoreError::new(codes::STORE_INCONSISTENT, &place, words);
        let failed = |error: &(dyn std::error::Error + 'static)| StoreError::of_file(&place, error);
        let found = self.objects().get(&file.path).await.map_err(|error| failed(&error))?;
        let bytes = found.bytes().await.map_err(|error| failed(&error))?;
        if bytes.len() as u64 != file.bytes {
            let words = format!("has {} bytes, and its table says {}", bytes.len(), file.bytes);
            return Err(StoreError::new(codes::STORE_DAMAGED, &place, words));
        }
        let digest = digest_text(digest(&bytes));
        if digest_of_name(&file.relative).is_some_and(|named| named != digest) {
            return Err(StoreError::new(
                codes::STORE_DAMAGED,
                &place,
                "its content is not that which was written",
            ));
        }
        drop(bytes);
        let builder = open(self.objects(), file, true).await?.with_batch_size(SCAN_ROWS);
        let mut stream = builder.build().map_err(|error| failed(&error))?;
        let (mut events, mut latest) = (0, i64::MIN);
        while let Some(batch) = stream.try_next().await.map_err(|error| failed(&error))? {
            events += batch.num_rows() as u64;
            latest = check_times(&batch, file, latest)?;
        }
        match file.rows {
            Some(rows) if rows != events => {
                Err(wrong(format!("has {events} events, and its table says {rows}")))
            }
            _ => Ok(events),
        }
    }
}

/// Whether the events are in the order of time, and of the day and time that the table says; the latest time.
fn check_times(batch: &RecordBatch, file: &FileEntry, mut latest: i64) -> Result<i64> {
    let place = file.place.as_str();
    let wrong = |words: &str| StoreError::new(codes::STORE_INCONSISTENT, place, words);
    let columns = EventColumns::new(batch, place)?;
    let (from, to) = file.time_range();
    for row in 0..columns.len() {
        let time = columns.time(row);
        if time.map(|time| time.div_euclid(DAY_MICROS) as i32) != file.day {
            return Err(wrong("has an event of another day than its folder"));
        }
        let time = time.unwrap_or(i64::MIN);
        if time < latest {
            return Err(wrong("is not in the order of time"));
        }
        if file.day.is_some() && !(from..=to).contains(&time) {
            return Err(wrong("has an event outside of the times that its table says"));
        }
        latest = time;
    }
    Ok(latest)
}
