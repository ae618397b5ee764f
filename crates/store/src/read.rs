//! Files of tables, opened for reading: with the columns that are wanted, and values taken out of batches.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{SchemaRef, TimestampMicrosecondType};
use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use maxspan_diagnostics::codes;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::async_reader::{AsyncFileReader, ParquetRecordBatchStreamBuilder};
use parquet::errors::ParquetError;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader};
use parquet::schema::types::SchemaDescriptor;

use crate::columns::{ID, INDEX, RAW, SOURCE, TIMESTAMP};
use crate::error::{Result, StoreError};
use crate::scan::StoredEvent;
use crate::table::FileEntry;

/// A file that is being opened.
pub(crate) type FileBuilder = ParquetRecordBatchStreamBuilder<ObjectFile>;

/// Bytes at the end of a file that are read at first: the footer, and in small files the page index.
const FOOTER_BYTES: usize = 64 << 10;

/// Reads the footer of a file, and where pages will be chosen, their index.
pub(crate) async fn open(store: &Arc<dyn ObjectStore>, file: &FileEntry, pages: bool) -> Result<FileBuilder> {
    let opened = FileBuilder::new_with_options(ObjectFile::new(store, file), options(pages)).await;
    opened.map_err(|error| StoreError::of_file(&file.place, &error))
}

/// How files are read.
pub(crate) fn options(pages: bool) -> ArrowReaderOptions {
    let policy = if pages { PageIndexPolicy::Optional } else { PageIndexPolicy::Skip };
    ArrowReaderOptions::new().with_page_index_policy(policy).with_skip_arrow_metadata(true)
}

/// A file of an object store, whose size is known.
#[derive(Debug, Clone)]
pub(crate) struct ObjectFile {
    store: Arc<dyn ObjectStore>,
    path: Path,
    bytes: u64,
}

impl ObjectFile {
    pub(crate) fn new(store: &Arc<dyn ObjectStore>, file: &FileEntry) -> Self {
        Self { store: Arc::clone(store), path: file.path.clone(), bytes: file.bytes }
    }
}

impl AsyncFileReader for ObjectFile {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes, ParquetError>> {
        async move { self.store.get_range(&self.path, range).await.map_err(external) }.boxed()
    }

    fn get_byte_ranges(
        &mut self,
        ranges: Vec<Range<u64>>,
    ) -> BoxFuture<'_, Result<Vec<Bytes>, ParquetError>> {
        async move { self.store.get_ranges(&self.path, &ranges).await.map_err(external) }.boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, Result<Arc<ParquetMetaData>, ParquetError>> {
        let reader = ParquetMetaDataReader::new().with_arrow_reader_options(options);
        let bytes = self.bytes;
        async move {
            let metadata = reader.with_prefetch_hint(Some(FOOTER_BYTES)).load_and_finish(self, bytes).await?;
            Ok(Arc::new(metadata))
        }
        .boxed()
    }
}

fn external(error: object_store::Error) -> ParquetError {
    ParquetError::External(Box::new(error))
}

/// The columns of these names, as far as the file has them.
pub(crate) fn projection<'a>(
    arrow: &SchemaRef,
    parquet: &SchemaDescriptor,
    names: impl IntoIterator<Item = &'a str>,
) -> ProjectionMask {
    ProjectionMask::roots(parquet, names.into_iter().filter_map(|name| arrow.index_of(name).ok()))
}

/// The columns that make an event.
pub(crate) const EVENT_COLUMNS: [&str; 5] = [TIMESTAMP, INDEX, ID, RAW, SOURCE];

/// The events of a batch that was read with [`EVENT_COLUMNS`].
#[derive(Debug)]
pub(crate) struct EventColumns {
    times: TimestampMicrosecondArray,
    index: Option<StringArray>,
    id: Option<StringArray>,
    raw: Option<BinaryArray>,
    source: StringArray,
}

impl EventColumns {
    /// The columns of a batch; an error where one has another type.
    pub(crate) fn new(batch: &RecordBatch, place: &str) -> Result<Self> {
        let column = |name: &str| batch.column_by_name(name);
        let missing =
            |name: &str| StoreError::new(codes::STORE_COLUMN, place, format!("has no column `{name}`"));
        let times = column(TIMESTAMP).ok_or_else(|| missing(TIMESTAMP))?;
        let times = times
            .as_primitive_opt::<TimestampMicrosecondType>()
            .ok_or_else(|| wrong_type(place, TIMESTAMP, times))?;
        let source = column(SOURCE).ok_or_else(|| missing(SOURCE))?;
        let text = |name: &str| column(name).map(|array| text(array, place, name)).transpose();
        let raw = column(RAW)
            .map(|array| array.as_binary_opt::<i32>().cloned().ok_or_else(|| wrong_type(place, RAW, array)));
        Ok(Self {
            times: times.clone(),
            index: text(INDEX)?,
            id: text(ID)?,
            raw: raw.transpose()?,
            source: self::text(source, place, SOURCE)?,
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.source.len()
    }

    /// In microseconds.
    pub(crate) fn time(&self, row: usize) -> Option<i64> {
        self.times.is_valid(row).then(|| self.times.value(row))
    }

    pub(crate) fn index(&self, row: usize) -> Option<&str> {
        value(self.index.as_ref(), row)
    }

    pub(crate) fn id(&self, row: usize) -> Option<&str> {
        value(self.id.as_ref(), row)
    }

    /// A row as an event.
    pub(crate) fn event(&self, row: usize) -> StoredEvent<'_> {
        StoredEvent {
            time: self.time(row),
            index: self.index(row),
            id: self.id(row),
            source: self.document(row),
        }
    }

    /// The document as it came.
    pub(crate) fn document(&self, row: usize) -> &[u8] {
        match &self.raw {
            Some(raw) if raw.is_valid(row) => raw.value(row),
            _ => self.source.value(row).as_bytes(),
        }
    }
}

fn value(array: Option<&StringArray>, row: usize) -> Option<&str> {
    array.filter(|array| array.is_valid(row)).map(|array| array.value(row))
}

fn text(array: &ArrayRef, place: &str, name: &str) -> Result<StringArray> {
    array.as_string_opt::<i32>().cloned().ok_or_else(|| wrong_type(place, name, array))
}

/// The error about a column of another type.
pub(crate) fn wrong_type(place: &str, name: &str, array: &ArrayRef) -> StoreError {
    let words = format!("column `{name}` has the type {}", array.data_type());
    StoreError::new(codes::STORE_COLUMN, place, words)
}
