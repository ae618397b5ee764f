//! The rows of one file in the columns of a plan: as the file has them, or from their documents.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, ListArray, RecordBatch, RecordBatchOptions, StringArray,
    new_null_array,
};
use arrow::buffer::OffsetBuffer;
use arrow::compute::{filter, filter_record_batch};
use arrow::datatypes::{SchemaRef, TimestampMicrosecondType, TimestampMillisecondType};
use arrow::error::ArrowError;
use datafusion::error::DataFusionError;
use futures::{StreamExt, stream};
use maxspan_diagnostics::codes;
use maxspan_esql::rows::as_indexed;
use maxspan_esql::{DataType, Value};

use super::{Doubts, EventColumn, Item, Origin, Shared};
use crate::columns::{ID, INDEX, INEXACT, RAW, SOURCE, TIMESTAMP};
use crate::error::{Result, StoreError};
use crate::limits::QUERY_ROWS;
use crate::query::values::{Cells, Form, array_of, item};
use crate::query::{DocumentRow, ReadRow};
use crate::read::{EventColumns, FileBuilder, ObjectFile};
use crate::scan::{Marks, Opened, filter as rows};

pub(super) type Batches = stream::BoxStream<'static, Result<RecordBatch, DataFusionError>>;

/// The batches of a file.
pub(super) fn batches(item: Item, shared: Arc<Shared>, schema: SchemaRef) -> Batches {
    let place = item.file.place.clone();
    let reader = ObjectFile::new(&shared.objects, &item.file);
    let builder = FileBuilder::new_with_metadata(reader, item.metadata.clone());
    let opened = Opened { place: place.clone(), builder, row_groups: item.row_groups.clone() };
    let mut assembler = Assembler::new(item, shared, schema);
    let names = assembler.names();
    let names = names.iter().map(String::as_str);
    match rows::stream(opened, &assembler.shared.condition, names, QUERY_ROWS) {
        Err(error) => stream::iter([Err(external(error))]).boxed(),
        Ok(batches) => batches
            .map(move |batch| match batch {
                Ok(batch) => assembler.assembled(&batch).map_err(external),
                Err(error) => Err(external(StoreError::of_file(place.clone(), &error))),
            })
            .boxed(),
    }
}

fn external(error: StoreError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

/// Makes batches of the table of what is read of a file.
struct Assembler {
    shared: Arc<Shared>,
    schema: SchemaRef,
    place: String,
    /// The index of all events of the file.
    index: Option<String>,
    /// Whether each row has to be asked for its index.
    asks_index: bool,
    doubts: Doubts,
    /// Whether every row is read from its document.
    all_documents: bool,
    /// Reads rows from documents, where some may have to be.
    reader: Option<ReadRow>,
}

impl Assembler {
    fn new(item: Item, shared: Arc<Shared>, schema: SchemaRef) -> Self {
        let Item { file, index, doubts, .. } = item;
        let has = |origin: Origin| shared.columns.iter().any(|column| column.origin == origin);
        let asks_index = index.is_none() && (has(Origin::Index) || !shared.patterns.is_empty());
        let all_documents = has(Origin::Document);
        let some_documents = all_documents || doubts.marked || doubts.has_gaps || asks_index;
        let reader = some_documents.then(|| shared.documents.reader());
        Self { shared, schema, place: file.place, index, asks_index, doubts, all_documents, reader }
    }

    /// The columns of the file that are read.
    fn names(&self) -> Vec<String> {
        let columns = self.shared.columns.iter();
        let columns = columns.filter(|column| matches!(column.origin, Origin::Column { .. }));
        let mut names: Vec<String> = columns.map(|column| column.name.clone()).collect();
        if self.reader.is_some() {
            names.extend([TIMESTAMP, INDEX, ID, RAW, SOURCE, INEXACT].map(str::to_owned));
        } else if names.is_empty() {
            // So that rows can be counted.
            names.push(TIMESTAMP.to_owned());
        }
        names
    }

    fn assembled(&mut self, batch: &RecordBatch) -> Result<RecordBatch> {
        let rows = batch.num_rows();
        self.shared.events.fetch_add(rows as u64, Ordering::Relaxed);
        let documents = self.documents(batch)?;
        let columns = self.shared.columns.iter().map(|column| self.column(column, batch, &documents));
        let arrays = columns.collect::<Result<Vec<ArrayRef>, ArrowError>>();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        arrays
            .and_then(|arrays| RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options))
            .and_then(|made| {
                if !self.asks_index || self.shared.patterns.is_empty() {
                    return Ok(made);
                }
                let indices = self.indices(batch, &documents);
                let chosen: BooleanArray = indices.map(|index| Some(self.shared.chooses(&index))).collect();
                filter_record_batch(&made, &chosen)
            })
            .map_err(|error| StoreError::of_file(&*self.place, &error))
    }

    /// Rows that have to be read from their documents; nothing where no row has to be.
    fn documents(&mut self, batch: &RecordBatch) -> Result<Vec<Option<DocumentRow>>> {
        let asked = self.rows_to_read(batch);
        let Some(reader) = self.reader.as_mut().filter(|_| asked.contains(&true)) else {
            return Ok(Vec::new());
        };
        let events = EventColumns::new(batch, &self.place)?;
        let mut read = |row: usize| {
            let found = reader(&events.event(row));
            found.map_err(|message| StoreError::new(codes::STORE_DAMAGED, &*self.place, message))
        };
        asked.iter().enumerate().map(|(row, asked)| asked.then(|| read(row)).transpose()).collect()
    }

    fn rows_to_read(&self, batch: &RecordBatch) -> Vec<bool> {
        let mut asked = vec![self.all_documents; batch.num_rows()];
        if self.all_documents || self.reader.is_none() {
            return asked;
        }
        let gaps_of = |name: &str, asked: &mut [bool]| {
            let array = batch.column_by_name(name);
            let missing = |row: usize| array.is_none_or(|array| array.is_null(row));
            asked.iter_mut().enumerate().for_each(|(row, asked)| *asked |= missing(row));
        };
        for column in &self.shared.columns {
            let Origin::Column { gaps } = column.origin else { continue };
            if gaps {
                gaps_of(&column.name, &mut asked);
            }
            if self.doubts.marked {
                let marks = Marks::new(batch, &column.name);
                asked.iter_mut().enumerate().for_each(|(row, asked)| *asked |= marks.at(row));
            }
        }
        if self.asks_index {
            gaps_of(INDEX, &mut asked);
        }
        asked
    }

    fn column(
        &self,
        column: &EventColumn,
        batch: &RecordBatch,
        documents: &[Option<DocumentRow>],
    ) -> Result<ArrayRef, ArrowError> {
        let rows = batch.num_rows();
        let of_document = |row: usize| {
            let found = documents.get(row).and_then(Option::as_ref);
            found.map(|found| found.values[column.id.0].clone())
        };
        let array = match column.origin {
            Origin::Index => {
                return Ok(Arc::new(self.indices(batch, documents).map(Some).collect::<StringArray>()));
            }
            Origin::Document => {
                let values: Vec<Value> = (0..rows).map(|row| of_document(row).unwrap_or_default()).collect();
                return array_of(&values, column.form);
            }
            Origin::Column { .. } => match batch.column_by_name(&column.name) {
                Some(array) => as_planned(array, column.form)?,
                None => new_null_array(&column.form.data_type(), rows),
            },
        };
        if documents.is_empty() {
            return Ok(array);
        }
        let cells = Cells::new(&array, column.form)?;
        let value = |row: usize| of_document(row).unwrap_or_else(|| cells.value(row));
        array_of(&(0..rows).map(value).collect::<Vec<_>>(), column.form)
    }

    /// The index of each event.
    fn indices<'a>(
        &'a self,
        batch: &'a RecordBatch,
        documents: &'a [Option<DocumentRow>],
    ) -> impl Iterator<Item = String> + 'a {
        let column = batch.column_by_name(INDEX).and_then(|array| array.as_string_opt::<i32>());
        (0..batch.num_rows()).map(move |row| {
            let named = column.filter(|column| column.is_valid(row)).map(|column| column.value(row));
            let read = || documents.get(row).and_then(Option::as_ref).map(|found| found.index.as_str());
            self.index.as_deref().or(named).or_else(read).unwrap_or_default().to_owned()
        })
    }
}

/// A column of a file in the form that it is planned with.
fn as_planned(array: &ArrayRef, form: Form) -> Result<ArrayRef, ArrowError> {
    let Some(lists) = array.as_list_opt::<i32>() else {
        let one = element(array, form)?;
        return if form.several { Ok(in_lists(&one)) } else { Ok(one) };
    };
    let elements = element(lists.values(), form)?;
    let field = item(elements.data_type().clone());
    let lists = ListArray::try_new(field, lists.offsets().clone(), elements, lists.nulls().cloned())?;
    let array: ArrayRef = Arc::new(lists.clone());
    if lists.offsets().lengths().all(|length| length <= 1) {
        return Ok(array);
    }
    // Several values are in the order of the document, and rows have them as an index gives them.
    let cells = Cells::new(&array, form)?;
    let indexed = |row: usize| as_indexed(cells.value(row).values().to_vec(), form.kind);
    let values: Vec<Value> = (0..lists.len()).map(indexed).collect();
    array_of(&values, form)
}

/// Values of a column of a file as plans have them: dates to the millisecond.
fn element(array: &ArrayRef, form: Form) -> Result<ArrayRef, ArrowError> {
    if form.kind != DataType::Datetime {
        return Ok(Arc::clone(array));
    }
    let micros = array.as_primitive_opt::<TimestampMicrosecondType>();
    let micros = micros.ok_or_else(|| {
        let found = array.data_type();
        ArrowError::SchemaError(format!("a column of dates is of the type {found}"))
    })?;
    let dates = micros.unary::<_, TimestampMillisecondType>(|micros| micros.div_euclid(1_000));
    Ok(Arc::new(dates.with_timezone("UTC")))
}

/// Each value in a list of its own.
fn in_lists(array: &ArrayRef) -> ArrayRef {
    let lengths = (0..array.len()).map(|row| usize::from(array.is_valid(row)));
    let offsets = OffsetBuffer::from_lengths(lengths);
    let nulls = array.logical_nulls();
    let valid: BooleanArray = (0..array.len()).map(|row| Some(array.is_valid(row))).collect();
    let values = filter(array, &valid).unwrap_or_else(|_| Arc::clone(array));
    Arc::new(ListArray::new(item(array.data_type().clone()), offsets, values, nulls))
}
