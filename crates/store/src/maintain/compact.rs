//! Small files of a day made into large ones, in the order of time.

use std::sync::Arc;
use std::time::Duration;

use arrow::datatypes::{Schema as ArrowSchema, SchemaRef};
use chrono::Utc;
use datafusion::common::Column;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::prelude::{Expr, SessionContext};
use deltalake::protocol::DeltaOperation;
use futures::TryStreamExt;
use object_store::{ObjectStoreExt, PutPayload};
use parquet::arrow::ArrowWriter;
use parquet::errors::ParquetError;

use super::vacuum;
use crate::columns::TIMESTAMP;
use crate::error::{Result, StoreError};
use crate::file::{Summary, new_name, properties};
use crate::limits::{COMPACT_FILES_MAX, FILE_BYTES_TARGET, FILE_SMALL_SHARE, SCAN_FILE_BYTES};
use crate::location::Location;
use crate::names::Streams;
use crate::read::open;
use crate::session::session;
use crate::store::Store;
use crate::table::{FileEntry, NewFile, Table};

/// How a store is compacted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompactOptions {
    /// Bytes of a file to aim at.
    pub file_bytes: u64,
    /// How long files are kept that a table no longer lists.
    pub keep: Duration,
}

impl Default for CompactOptions {
    fn default() -> Self {
        let hours = u64::from(crate::limits::VACUUM_HOURS_DEFAULT);
        Self { file_bytes: FILE_BYTES_TARGET, keep: Duration::from_secs(hours * 3_600) }
    }
}

/// What a compaction did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CompactCounts {
    /// Files that were merged.
    pub files_before: u64,
    /// Their bytes.
    pub bytes_before: u64,
    /// Files that they became.
    pub files_after: u64,
    /// Their bytes.
    pub bytes_after: u64,
    /// Events that were written again.
    pub events: u64,
    /// Files that were deleted since no table lists them any more.
    pub deleted: u64,
}

impl Store {
    /// Merges small files, and deletes what no table lists.
    pub fn compact(&self, streams: &Streams, options: CompactOptions) -> Result<CompactCounts> {
        self.runtime().block_on(async {
            let mut counts = CompactCounts::default();
            let context = session(self.options())?;
            for (stream, mut table) in self.tables(streams).await? {
                table.check_format()?;
                let memory = self.options().memory;
                let merged_max = (memory / SCAN_FILE_BYTES / 2).clamp(2, COMPACT_FILES_MAX);
                for group in groups(table.files()?, options.file_bytes.min(memory as u64 / 4), merged_max) {
                    let merge = Merge { store: self, context: &context, location: &stream.location };
                    let files = merge.run(&group, options.file_bytes).await?;
                    commit(&mut table, &group, &files).await?;
                    counts.files_before += group.len() as u64;
                    counts.bytes_before += group.iter().map(|file| file.bytes).sum::<u64>();
                    counts.files_after += files.len() as u64;
                    counts.bytes_after += files.iter().map(|file| file.bytes).sum::<u64>();
                    counts.events += files.iter().map(|file| file.rows).sum::<u64>();
                }
                counts.deleted += vacuum(&stream.location, table, options.keep).await?;
            }
            Ok(counts)
        })
    }
}

/// The files of each day that are worth being merged, in groups of at most `files_max` that make about one large file.
fn groups(mut files: Vec<FileEntry>, file_bytes: u64, files_max: usize) -> Vec<Vec<FileEntry>> {
    files.retain(|file| file.bytes < file_bytes / FILE_SMALL_SHARE);
    files.sort_by(|a, b| (a.day, a.time_range(), &a.relative).cmp(&(b.day, b.time_range(), &b.relative)));
    let mut groups: Vec<Vec<FileEntry>> = Vec::new();
    let mut bytes = 0;
    for file in files {
        let fits = |group: &Vec<FileEntry>| {
            group.len() < files_max && group[0].day == file.day && bytes + file.bytes <= file_bytes
        };
        let file_bytes = file.bytes;
        if let Some(group) = groups.last_mut().filter(|group| fits(group)) {
            group.push(file);
        } else {
            groups.push(vec![file]);
            bytes = 0;
        }
        bytes += file_bytes;
    }
    groups.retain(|group| group.len() > 1);
    groups
}

async fn commit(table: &mut Table, before: &[FileEntry], after: &[NewFile]) -> Result<()> {
    let now_ms = Utc::now().timestamp_millis();
    let removals = before.iter().map(|file| Table::removal(file, false, now_ms));
    let actions = removals.chain(after.iter().map(|file| file.addition(false, now_ms))).collect();
    let target_size = FILE_BYTES_TARGET as i64;
    table.commit(actions, DeltaOperation::Optimize { predicate: None, target_size }).await
}

/// The merging of files of one table and day.
struct Merge<'a> {
    store: &'a Store,
    context: &'a SessionContext,
    location: &'a Location,
}

impl Merge<'_> {
    async fn run(&self, group: &[FileEntry], file_bytes: u64) -> Result<Vec<NewFile>> {
        let schema = self.schema(group).await?;
        let failed =
            |error: &(dyn std::error::Error + 'static)| StoreError::of_file(self.location.text(), error);
        let mut rows = self.sorted(group, &schema).await.map_err(|error| failed(&error))?;
        let (mut written, mut file) = (Vec::new(), None);
        while let Some(batch) = rows.try_next().await.map_err(|error| failed(&error))? {
            let (writer, summary) = match &mut file {
                Some(open) => open,
                none => {
                    none.insert((self.writer(&schema).map_err(|error| failed(&error))?, Summary::default()))
                }
            };
            summary.add(&batch);
            writer.write(&batch).map_err(|error| failed(&error))?;
            if writer.bytes_written() as u64 + writer.in_progress_size() as u64 >= file_bytes {
                written.extend(self.close(file.take(), group[0].day).await?);
            }
        }
        written.extend(self.close(file.take(), group[0].day).await?);
        Ok(written)
    }

    /// The columns that some file has.
    async fn schema(&self, group: &[FileEntry]) -> Result<SchemaRef> {
        let mut there = Vec::new();
        for file in group {
            let builder = open(self.store.objects(), file, false).await?;
            there.extend(builder.schema().fields().iter().map(|field| field.name().clone()));
        }
        there.sort_unstable();
        there.dedup();
        let all = self.store.layout().file_schema();
        let fields = all.fields().iter().filter(|field| there.binary_search(field.name()).is_ok());
        Ok(Arc::new(ArrowSchema::new(fields.cloned().collect::<Vec<_>>())))
    }

    /// All rows in the order of time. Files are sorted, so that they are merged as they are read.
    async fn sorted(
        &self,
        group: &[FileEntry],
        schema: &SchemaRef,
    ) -> datafusion::error::Result<SendableRecordBatchStream> {
        let by_time = vec![Expr::Column(Column::from_name(TIMESTAMP)).sort(true, true)];
        let mut root = self.location.url().clone();
        root.set_path("/");
        self.context.register_object_store(&root, Arc::clone(self.store.objects()));
        let urls = group
            .iter()
            .map(|file| {
                let mut url = root.clone();
                url.set_path(&format!("/{}", file.path));
                ListingTableUrl::parse(url)
            })
            .collect::<datafusion::error::Result<Vec<_>>>()?;
        let options = ListingOptions::new(Arc::new(ParquetFormat::default()))
            .with_file_extension(".parquet")
            .with_file_sort_order(vec![by_time.clone()]);
        let config = ListingTableConfig::new_with_multi_paths(urls)
            .with_listing_options(options)
            .with_schema(Arc::clone(schema));
        let table = Arc::new(ListingTable::try_new(config)?);
        self.context.read_table(table)?.sort(by_time)?.execute_stream().await
    }

    fn writer(&self, schema: &SchemaRef) -> Result<ArrowWriter<Vec<u8>>, ParquetError> {
        let properties = properties(schema, self.store.layout())?;
        ArrowWriter::try_new(Vec::new(), Arc::clone(schema), Some(properties))
    }

    async fn close(
        &self,
        file: Option<(ArrowWriter<Vec<u8>>, Summary)>,
        day: Option<i32>,
    ) -> Result<Option<NewFile>> {
        let Some((writer, summary)) = file else { return Ok(None) };
        let bytes = writer.into_inner().map_err(|error| StoreError::of(self.location.text(), &error))?;
        let relative = new_name(day, &bytes);
        let path = self.location.file(&relative);
        let file = summary.file(relative, bytes.len() as u64, day);
        let put = self.store.objects().put(&path, PutPayload::from(bytes)).await;
        put.map_err(|error| StoreError::of(self.location.place(&file.relative), &error))?;
        Ok(Some(file))
    }
}

#[cfg(test)]
mod tests {
    use object_store::path::Path;

    use super::*;

    fn file(name: &str, day: i32, bytes: u64) -> FileEntry {
        FileEntry {
            relative: name.to_owned(),
            path: Path::from(name),
            place: name.to_owned(),
            bytes,
            rows: None,
            day: Some(day),
            times: None,
            ingested: None,
            index: None,
        }
    }

    #[test]
    fn small_files_of_a_day_are_merged() {
        let check = |files: &[(&str, i32, u64)], expected: &[&[&str]]| {
            let files = files.iter().map(|(name, day, bytes)| file(name, *day, *bytes)).collect();
            let groups = groups(files, 100, 3);
            let names: Vec<Vec<&str>> = groups
                .iter()
                .map(|group| group.iter().map(|file| file.relative.as_str()).collect())
                .collect();
            assert_eq!(names, expected);
        };
        check(&[("a", 1, 10), ("b", 1, 10), ("c", 2, 10)], &[&["a", "b"]]);
        check(&[("a", 1, 40), ("b", 1, 40), ("c", 1, 40), ("d", 1, 40)], &[&["a", "b"], &["c", "d"]]);
        check(&[("a", 1, 1), ("b", 1, 1), ("c", 1, 1), ("d", 1, 1)], &[&["a", "b", "c"]]);
        check(&[("a", 1, 60), ("b", 1, 10)], &[]);
    }
}
