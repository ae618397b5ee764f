//! Which events of a batch a table holds already.
//!
//! Events are the same when their `_index`, `_id` and `@timestamp` are; those without an id when their `_index`,
//! `@timestamp` and documents are, byte for byte. Only files that overlap in time are looked at, and of these only rows
//! whose time some event of the batch has, so that new events cost next to nothing.
//!
//! Copies without an id are counted: two of them in the input are two events, as in a hunt, and only as many are left out
//! as the table holds. Those that the same import wrote before do not count: its input had them as copies.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::{BooleanArray, RecordBatch};
use futures::TryStreamExt;
use maxspan_event::identity::digest;
use object_store::ObjectStore;
use parquet::arrow::arrow_reader::{ArrowPredicateFn, RowFilter};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::columns::{ID, TIMESTAMP};
use crate::error::{Result, StoreError};
use crate::limits::SCAN_ROWS;
use crate::read::{EVENT_COLUMNS, EventColumns, open, projection};
use crate::rows::{Filled, micros};
use crate::table::FileEntry;

/// What tells events apart: a digest of index and id, or of index and document.
type Key = (Option<i64>, bool, u128);

/// For each event of the batch, whether one of `files` has it; `own` says which of them the same import wrote.
pub(crate) async fn known(
    store: &Arc<dyn ObjectStore>,
    files: &[FileEntry],
    own: impl Fn(&FileEntry) -> bool,
    batch: &Filled,
) -> Result<Vec<bool>> {
    let mut known = vec![false; batch.times().len()];
    let overlapping: Vec<&FileEntry> = files.iter().filter(|file| overlaps(file, batch)).collect();
    if overlapping.is_empty() {
        return Ok(known);
    }
    let times: Arc<FxHashSet<Option<i64>>> =
        Arc::new(batch.times().iter().map(|time| time.map(micros)).collect());
    let mut keys: Option<FxHashMap<Key, VecDeque<usize>>> = None;
    for file in overlapping {
        let ids_only = own(file);
        let mut builder = open(store, file, false).await?;
        if ids_only && builder.schema().index_of(ID).is_err() {
            continue;
        }
        let (arrow, parquet) =
            (builder.schema().clone(), builder.metadata().file_metadata().schema_descr_ptr());
        let wanted = Arc::clone(&times);
        let only_times = projection(&arrow, &parquet, [TIMESTAMP]);
        let filter =
            ArrowPredicateFn::new(only_times, move |batch: RecordBatch| Ok(has_time(&batch, &wanted)));
        let names = EVENT_COLUMNS.into_iter();
        builder = builder
            .with_projection(projection(&arrow, &parquet, names))
            .with_batch_size(SCAN_ROWS)
            .with_row_filter(RowFilter::new(vec![Box::new(filter)]));
        let failed = |error| StoreError::of_file(&file.place, &error);
        let mut stream = builder.build().map_err(failed)?;
        while let Some(found) = stream.try_next().await.map_err(failed)? {
            let found = EventColumns::new(&found, &file.place)?;
            let keys = match &mut keys {
                Some(keys) => keys,
                none => none.insert(keys_of(batch)?),
            };
            cross_out(&found, ids_only, keys, &mut known);
        }
    }
    Ok(known)
}

/// Whether the file can hold an event of the batch.
fn overlaps(file: &FileEntry, batch: &Filled) -> bool {
    let times = || batch.times().iter().flatten().map(|nanos| micros(*nanos));
    let (from, to) = file.time_range();
    match times().min().zip(times().max()) {
        Some((least, most)) => from <= most && least <= to,
        // Events without a time have a partition of their own.
        None => true,
    }
}

fn has_time(batch: &RecordBatch, wanted: &FxHashSet<Option<i64>>) -> BooleanArray {
    use arrow::array::AsArray;
    use arrow::datatypes::TimestampMicrosecondType;
    let times = batch
        .column_by_name(TIMESTAMP)
        .and_then(|times| times.as_primitive_opt::<TimestampMicrosecondType>());
    match times {
        Some(times) => times.iter().map(|time| Some(wanted.contains(&time))).collect(),
        None => BooleanArray::from(vec![true; batch.num_rows()]),
    }
}

/// The rows of the batch by their keys, in the order of arrival.
fn keys_of(batch: &Filled) -> Result<FxHashMap<Key, VecDeque<usize>>> {
    let columns = EventColumns::new(&batch.as_batch(&EVENT_COLUMNS)?, "a batch")?;
    let mut keys: FxHashMap<Key, VecDeque<usize>> = FxHashMap::default();
    for row in 0..columns.len() {
        keys.entry(key(&columns, row)).or_default().push_back(row);
    }
    Ok(keys)
}

fn cross_out(
    found: &EventColumns,
    ids_only: bool,
    keys: &mut FxHashMap<Key, VecDeque<usize>>,
    known: &mut [bool],
) {
    for row in 0..found.len() {
        let key = key(found, row);
        if key.1 {
            for same in keys.remove(&key).into_iter().flatten() {
                known[same] = true;
            }
        } else if !ids_only && let Some(copy) = keys.get_mut(&key).and_then(VecDeque::pop_front) {
            known[copy] = true;
        }
    }
}

fn key(columns: &EventColumns, row: usize) -> Key {
    let index = columns.index(row).unwrap_or_default();
    let own = columns.id(row).map_or_else(|| columns.document(row), str::as_bytes);
    let mut bytes = Vec::with_capacity(index.len() + 1 + own.len());
    bytes.extend_from_slice(index.as_bytes());
    bytes.push(0);
    bytes.extend_from_slice(own);
    (columns.time(row), columns.id(row).is_some(), digest(&bytes))
}
