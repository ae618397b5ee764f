//! Parquet files and Delta tables, of ours and of others, as JSON documents.
//!
//! A row is an event. Where it has a document in `_source` (text, or a struct), that is the event, with `_index` and
//! `_id` beside it; else the row itself is: a member for each column, with the dots of its name as they are, structs as
//! objects, lists as arrays, instants as ISO 8601. Nulls are left out.

use std::io;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StructArray};
use arrow::datatypes::{DataType, Schema as ArrowSchema};
use arrow::json::LineDelimitedWriter;
use datafusion::execution::SendableRecordBatchStream;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use maxspan_diagnostics::codes;
use object_store::ObjectStoreExt;
use tokio::runtime::Runtime;

use crate::columns::{ID, INDEX, RAW, SOURCE};
use crate::error::{Result, StoreError};
use crate::limits::SCAN_ROWS;
use crate::location::Location;
use crate::read::{FileBuilder, open};
use crate::session::{runtime, session};
use crate::store::StoreOptions;
use crate::table::{FileEntry, Table};

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The index that stands beside the document.
    pub index: Option<String>,
    /// The id that stands beside it.
    pub id: Option<String>,
    /// Its bytes: a JSON object.
    pub source: Box<[u8]>,
}

/// The rows of a file or table.
pub struct Documents {
    runtime: Runtime,
    place: String,
    batches: BoxStream<'static, Result<RecordBatch>>,
    waiting: std::vec::IntoIter<Document>,
    failed: bool,
}

impl std::fmt::Debug for Documents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Documents").field("place", &self.place).finish_non_exhaustive()
    }
}

impl Documents {
    /// The rows of a Parquet file.
    pub fn of_parquet(text: &str, options: StoreOptions) -> Result<Self> {
        let runtime = runtime(options.threads)?;
        let location = Location::new(text)?;
        let batches = runtime.block_on(parquet(&location))?;
        Ok(Self::new(runtime, text, batches))
    }

    /// The rows of a Delta table, at its latest version.
    pub fn of_delta(text: &str, options: StoreOptions) -> Result<Self> {
        let runtime = runtime(options.threads)?;
        let location = Location::new(text)?;
        let batches = runtime.block_on(delta(&location, options))?;
        Ok(Self::new(runtime, text, batches))
    }

    fn new(runtime: Runtime, place: &str, batches: BoxStream<'static, Result<RecordBatch>>) -> Self {
        Self { runtime, place: place.to_owned(), batches, waiting: Vec::new().into_iter(), failed: false }
    }
}

impl Iterator for Documents {
    type Item = Result<Document>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(document) = self.waiting.next() {
                return Some(Ok(document));
            }
            if self.failed {
                return None;
            }
            let batch = self.runtime.block_on(self.batches.next())?;
            match batch.and_then(|batch| documents(&batch, &self.place)) {
                Ok(documents) => self.waiting = documents.into_iter(),
                Err(error) => {
                    self.failed = true;
                    return Some(Err(error));
                }
            }
        }
    }
}

async fn parquet(location: &Location) -> Result<BoxStream<'static, Result<RecordBatch>>> {
    let path = location.path().clone();
    let head = location.store().head(&path).await;
    let head = head.map_err(|error| StoreError::of_file(location.text(), &error))?;
    let file = FileEntry {
        relative: String::new(),
        path,
        place: location.text().to_owned(),
        bytes: head.size,
        rows: None,
        day: None,
        times: None,
        ingested: None,
        index: None,
    };
    let builder = open(location.store(), &file, false).await?;
    let place = location.text().to_owned();
    let stream = without_typed_columns(builder).build();
    let stream = stream.map_err(|error| StoreError::of_file(location.text(), &error))?;
    Ok(stream.map_err(move |error| StoreError::of_file(place.clone(), &error)).boxed())
}

/// Of a file that has documents, only these are read.
fn without_typed_columns(builder: FileBuilder) -> FileBuilder {
    let builder = builder.with_batch_size(SCAN_ROWS);
    let arrow = builder.schema().clone();
    if !has_documents(&arrow) {
        return builder;
    }
    let parquet = builder.metadata().file_metadata().schema_descr_ptr();
    let mask = crate::read::projection(&arrow, &parquet, [INDEX, ID, RAW, SOURCE]);
    builder.with_projection(mask)
}

fn has_documents(schema: &ArrowSchema) -> bool {
    let is_document = |data_type: &DataType| {
        matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Struct(_))
    };
    schema.field_with_name(SOURCE).is_ok_and(|field| is_document(field.data_type()))
}

async fn delta(
    location: &Location,
    options: StoreOptions,
) -> Result<BoxStream<'static, Result<RecordBatch>>> {
    let table = Table::open(location).await?;
    let place = location.text().to_owned();
    let stream = delta_stream(table, options).await.map_err(|error| StoreError::of(&place, &*error))?;
    Ok(stream.map_err(move |error| StoreError::of_file(place.clone(), &error)).boxed())
}

async fn delta_stream(
    table: Table,
    options: StoreOptions,
) -> Result<SendableRecordBatchStream, Box<dyn std::error::Error + Send + Sync>> {
    let provider = table.into_delta().table_provider().await?;
    let frame = session(options)?.read_table(provider)?;
    let names: Vec<&str> = [INDEX, ID, RAW, SOURCE].to_vec();
    let schema = frame.schema().as_arrow().clone();
    let frame = if has_documents(&schema) {
        let wanted = names.into_iter().filter(|name| schema.field_with_name(name).is_ok());
        let columns =
            wanted.map(|name| datafusion::prelude::Expr::Column(datafusion::common::Column::from_name(name)));
        frame.select(columns.collect::<Vec<_>>())?
    } else {
        frame
    };
    Ok(frame.execute_stream().await?)
}

/// The rows of a batch as documents.
fn documents(batch: &RecordBatch, place: &str) -> Result<Vec<Document>> {
    let batch = plain(batch).map_err(|error| StoreError::of(place, &error))?;
    let source = batch.column_by_name(SOURCE);
    match source {
        Some(source) if source.as_string_opt::<i32>().is_some() => {
            let (index, id, raw) = (INDEX, ID, RAW);
            let [index, id] = [index, id].map(|name| batch.column_by_name(name));
            let raw = batch.column_by_name(raw).and_then(|raw| raw.as_binary_opt::<i32>());
            let text = |column: Option<&ArrayRef>, row: usize| {
                let column = column.and_then(|column| column.as_string_opt::<i32>())?;
                column.is_valid(row).then(|| column.value(row).to_owned())
            };
            let sources = source.as_string::<i32>();
            let document = |row: usize| {
                let exact = raw.filter(|raw| raw.is_valid(row)).map(|raw| raw.value(row));
                let source = exact.unwrap_or_else(|| sources.value(row).as_bytes());
                Document { index: text(index, row), id: text(id, row), source: source.into() }
            };
            Ok((0..batch.num_rows()).filter(|row| sources.is_valid(*row)).map(document).collect())
        }
        Some(source) if source.as_struct_opt().is_some() => {
            let lines = json_lines(&struct_batch(source.as_struct()), place)?;
            let text = |name: &str, row: usize| {
                let column = batch.column_by_name(name)?.as_string_opt::<i32>()?;
                column.is_valid(row).then(|| column.value(row).to_owned())
            };
            let rows = lines.into_iter().enumerate();
            Ok(rows
                .map(|(row, source)| Document { index: text(INDEX, row), id: text(ID, row), source })
                .collect())
        }
        _ => {
            let lines = json_lines(&batch, place)?;
            Ok(lines.into_iter().map(|source| Document { index: None, id: None, source }).collect())
        }
    }
}

fn struct_batch(rows: &StructArray) -> RecordBatch {
    RecordBatch::from(StructArray::new(rows.fields().clone(), rows.columns().to_vec(), None))
}

/// Texts of one type, whatever the file has: the rest of this module asks for that one alone.
fn plain(batch: &RecordBatch) -> Result<RecordBatch, arrow::error::ArrowError> {
    let mut fields = Vec::new();
    let mut columns = Vec::new();
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        let is_text = matches!(column.data_type(), DataType::LargeUtf8 | DataType::Utf8View)
            || matches!(column.data_type(), DataType::Dictionary(_, value) if matches!(**value, DataType::Utf8));
        let target = if is_text { DataType::Utf8 } else { column.data_type().clone() };
        columns.push(if is_text { arrow::compute::cast(column, &target)? } else { Arc::clone(column) });
        fields.push(field.as_ref().clone().with_data_type(target));
    }
    RecordBatch::try_new(Arc::new(ArrowSchema::new(fields)), columns)
}

/// Each row as a JSON object.
fn json_lines(batch: &RecordBatch, place: &str) -> Result<Vec<Box<[u8]>>> {
    let mut bytes = Vec::new();
    {
        let mut writer = LineDelimitedWriter::new(&mut bytes as &mut dyn io::Write);
        let written = writer.write(batch).and_then(|()| writer.finish());
        written.map_err(|error| StoreError::new(codes::STORE_COLUMN, place, error.to_string()))?;
    }
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    Ok(lines.map(Box::from).collect())
}
