//! One Parquet file of a table, written: how its columns are encoded, and what its table has to know of it.
//!
//! Files are sorted by time. Documents lie in large pages, since what makes them small is that they are alike; all
//! other columns have dictionaries. Row groups have statistics, a page index, and bloom filters of the fields that events
//! are looked up by.

use std::hash::{BuildHasher, RandomState};

use arrow::array::{Array, AsArray, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::compute::{max, max_string, min, min_string};
use arrow::datatypes::SchemaRef;
use maxspan_event::identity::digest;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;

use crate::columns::{EVERYTHING, INDEX, INEXACT, INGESTED, Layout, RAW, SOURCE, TIMESTAMP};
use crate::error::{Result, StoreError};
use crate::limits::{
    BLOOM_FALSE_POSITIVES, COLUMN_ZSTD_LEVEL, PAGE_ROWS, ROW_GROUP_BYTES, ROW_GROUP_ROWS, SOURCE_PAGE_BYTES,
    SOURCE_ZSTD_LEVEL, STATISTICS_BYTES,
};
use crate::rows::Sorted;
use crate::table::{NewFile, partition_folder};

/// What a table has to know of a file, gathered while it is written.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    rows: u64,
    times: Option<(i64, i64)>,
    ingested: Option<(i64, i64)>,
    ingested_nulls: u64,
    /// Some row's document says more of `event.ingested` than its column, so that the table is told nothing of it.
    ingested_inexact: bool,
    index: Option<(String, String)>,
    index_nulls: u64,
}

impl Summary {
    pub(crate) fn add(&mut self, batch: &RecordBatch) {
        self.rows += batch.num_rows() as u64;
        if let Some(times) = instants(batch, TIMESTAMP) {
            self.times = merged(self.times, min(times).zip(max(times)));
        }
        if let Some(times) = instants(batch, INGESTED) {
            self.ingested = merged(self.ingested, min(times).zip(max(times)));
            self.ingested_nulls += times.null_count() as u64;
        } else {
            self.ingested_nulls += batch.num_rows() as u64;
        }
        self.ingested_inexact |= marks(batch, INGESTED);
        let index = batch.column_by_name(INDEX);
        if let Some(index) = index.and_then(|index| index.as_any().downcast_ref::<StringArray>()) {
            let range = min_string(index).zip(max_string(index));
            let range = range.map(|(least, most)| (least.to_owned(), most.to_owned()));
            self.index = merged(self.index.take(), range);
            self.index_nulls += index.null_count() as u64;
        } else {
            self.index_nulls += batch.num_rows() as u64;
        }
    }

    pub(crate) fn file(self, relative: String, bytes: u64, day: Option<i32>) -> NewFile {
        let Self { rows, times, ingested, ingested_nulls, ingested_inexact, index, index_nulls } = self;
        let ingested = (!ingested_inexact).then_some((ingested, ingested_nulls));
        NewFile { relative, bytes, rows, day, times, ingested, index, index_nulls }
    }
}

/// Whether some row says that this column holds less than its document.
fn marks(batch: &RecordBatch, name: &str) -> bool {
    let lists = batch.column_by_name(INEXACT).and_then(|marks| marks.as_list_opt::<i32>());
    let names = lists.and_then(|lists| lists.values().as_string_opt::<i32>());
    names.is_some_and(|names| names.iter().flatten().any(|mark| mark == name || mark == EVERYTHING))
}

fn instants<'a>(batch: &'a RecordBatch, name: &str) -> Option<&'a TimestampMicrosecondArray> {
    batch.column_by_name(name)?.as_any().downcast_ref()
}

fn merged<T: Ord>(one: Option<(T, T)>, other: Option<(T, T)>) -> Option<(T, T)> {
    match (one, other) {
        (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
        (one, other) => one.or(other),
    }
}

/// Encodes sorted events as a file.
pub(crate) fn encode(mut rows: Sorted, layout: &Layout, summary: &mut Summary) -> Result<Vec<u8>> {
    let failed = |error: ParquetError| StoreError::of("a file that is written", &error);
    let properties = properties(rows.schema(), layout).map_err(failed)?;
    let mut writer =
        ArrowWriter::try_new(Vec::new(), rows.schema().clone(), Some(properties)).map_err(failed)?;
    while let Some(batch) = rows.batch() {
        let batch = batch?;
        summary.add(&batch);
        writer.write(&batch).map_err(failed)?;
    }
    writer.into_inner().map_err(failed)
}

/// A name that no other file has, in the folder of its partition. It has the digest of the content in it, so that a file
/// that was changed can be told.
pub(crate) fn new_name(day: Option<i32>, content: &[u8]) -> String {
    let unique = RandomState::new().hash_one("name");
    format!("{}/part-{unique:016x}-{}{NAME_END}", partition_folder(day), digest_text(digest(content)))
}

/// What the names of the store's files end in.
const NAME_END: &str = ".zstd.parquet";

/// A digest as names have it.
pub(crate) fn digest_text(digest: u128) -> String {
    format!("{digest:032x}")
}

/// The digest of a file's content that its name says; none for files of others.
pub(crate) fn digest_of_name(relative: &str) -> Option<&str> {
    let name = relative.rsplit('/').next()?.strip_prefix("part-")?.strip_suffix(NAME_END)?;
    name.split_once('-').map(|(_, digest)| digest).filter(|digest| digest.len() == 32)
}

/// How the columns of a file are written.
pub(crate) fn properties(schema: &SchemaRef, layout: &Layout) -> Result<WriterProperties, ParquetError> {
    let column_level = Compression::ZSTD(ZstdLevel::try_new(COLUMN_ZSTD_LEVEL)?);
    let source_level = Compression::ZSTD(ZstdLevel::try_new(SOURCE_ZSTD_LEVEL)?);
    let times = SortingColumn { column_idx: 0, descending: false, nulls_first: true };
    let mut builder = WriterProperties::builder()
        .set_created_by(concat!("maxspan ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(column_level)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_statistics_truncate_length(Some(STATISTICS_BYTES))
        .set_column_index_truncate_length(Some(STATISTICS_BYTES))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_max_row_group_bytes(Some(ROW_GROUP_BYTES))
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_write_batch_size(256)
        .set_sorting_columns(Some(vec![times]));
    for name in [SOURCE, RAW] {
        let path = ColumnPath::from(name_parts(name));
        builder = builder
            .set_column_compression(path.clone(), source_level)
            .set_column_dictionary_enabled(path.clone(), false)
            .set_column_data_page_size_limit(path.clone(), SOURCE_PAGE_BYTES)
            .set_column_statistics_enabled(path, EnabledStatistics::None);
    }
    let times = ColumnPath::from(name_parts(TIMESTAMP));
    builder = builder
        .set_column_dictionary_enabled(times.clone(), false)
        .set_column_statistics_enabled(times.clone(), EnabledStatistics::Page)
        .set_column_encoding(times, Encoding::DELTA_BINARY_PACKED);
    for field in schema.fields() {
        let several = matches!(field.data_type(), arrow::datatypes::DataType::List(_));
        let is_looked_up = layout.column(field.name()).is_some_and(|column| column.lookup);
        if is_looked_up || field.name() == INEXACT {
            builder = with_bloom_filter(builder, column_path(field.name(), several));
        }
    }
    Ok(builder.build())
}

fn with_bloom_filter(builder: WriterPropertiesBuilder, path: ColumnPath) -> WriterPropertiesBuilder {
    builder
        .set_column_bloom_filter_enabled(path.clone(), true)
        .set_column_bloom_filter_fpp(path.clone(), BLOOM_FALSE_POSITIVES)
        .set_column_bloom_filter_max_ndv(path, ROW_GROUP_ROWS as u64)
}

/// The path of the values of a column. The dots of a field's name are part of the one name.
pub(crate) fn column_path(name: &str, several: bool) -> ColumnPath {
    let mut parts = name_parts(name);
    if several {
        parts.extend(["list".to_owned(), "element".to_owned()]);
    }
    ColumnPath::from(parts)
}

fn name_parts(name: &str) -> Vec<String> {
    vec![name.to_owned()]
}
