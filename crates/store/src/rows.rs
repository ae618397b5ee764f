//! Events of one data stream and day on their way into columns, as they arrive.
//!
//! A column that no event has takes no memory; one that few have is only touched for those. What is put in is taken
//! out again as record batches in the order of time ([`Filled::sorted`]).

use std::sync::Arc;

use arrow::array::{
    ArrayBuilder, ArrayRef, AsArray, BinaryBuilder, BooleanBuilder, Float64Builder, Int64Builder,
    ListBuilder, RecordBatch, StringBuilder, TimestampMicrosecondBuilder, UInt32Array,
};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field as ArrowField, Schema as ArrowSchema, SchemaRef};
use maxspan_event::{Slot, Slots, ValueRef};

use crate::columns::{
    EVERYTHING, ID, INDEX, INEXACT, Kind, Layout, RAW, SOURCE, TIMESTAMP, TypedColumn, instant, list_of,
};
use crate::error::{Result, StoreError};
use crate::limits::{COLUMN_TEXT_BYTES_MAX, COLUMN_VALUES_MAX, ENCODED_ROWS};

/// What an event brings beside the fields of its document.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrived<'a> {
    /// Nanoseconds since 1970.
    pub(crate) time: Option<i64>,
    pub(crate) index: Option<&'a str>,
    pub(crate) id: Option<&'a str>,
    pub(crate) source: &'a [u8],
    /// Values of some field were dropped, so that no column is sure to be exact.
    pub(crate) incomplete: bool,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    times: Vec<Option<i64>>,
    index: Option<StringBuilder>,
    id: Option<StringBuilder>,
    source: StringBuilder,
    raw: Option<BinaryBuilder>,
    inexact: Option<ListBuilder<StringBuilder>>,
    /// By the number of the column in the layout.
    columns: Vec<Option<Builder>>,
}

impl Rows {
    pub(crate) fn new(layout: &Layout) -> Self {
        Self { columns: layout.columns().iter().map(|_| None).collect(), ..Self::default() }
    }

    pub(crate) fn len(&self) -> usize {
        self.times.len()
    }

    /// Adds an event; `column_of` says which column a slot fills.
    pub(crate) fn push(
        &mut self,
        event: Arrived<'_>,
        slots: &Slots,
        layout: &Layout,
        column_of: impl Fn(Slot) -> Option<usize>,
    ) {
        let row = self.times.len();
        self.times.push(event.time);
        push_text(&mut self.index, row, event.index);
        push_text(&mut self.id, row, event.id);
        if let Ok(text) = std::str::from_utf8(event.source) {
            self.source.append_value(text);
        } else {
            self.source.append_value(String::from_utf8_lossy(event.source));
            let raw = self.raw.get_or_insert_with(BinaryBuilder::new);
            raw.append_nulls(row - raw.len());
            raw.append_value(event.source);
        }
        if event.incomplete {
            self.mark(row, EVERYTHING);
        }
        for slot in slots.present() {
            let Some(number) = column_of(*slot) else { continue };
            let column = &layout.columns()[number];
            let builder = self.columns[number].get_or_insert_with(|| Builder::new(column));
            builder.pad(row);
            if !builder.push(column, slots.values(*slot)) {
                self.mark(row, &column.field.name);
            }
        }
        self.close(row);
    }

    /// Says that a column holds less than the document.
    fn mark(&mut self, row: usize, name: &str) {
        let marks = self.inexact.get_or_insert_with(new_list);
        pad_list(marks, row);
        marks.values().append_value(name);
    }

    /// Ends the list of marks of a row that has some. Values without an end are those of this row.
    fn close(&mut self, row: usize) {
        if let Some(marks) = &mut self.inexact
            && marks.len() == row
            && marks.values().len() > *marks.offsets_slice().last().unwrap_or(&0) as usize
        {
            marks.append(true);
        }
    }

    /// The events in columns, in the order in which they arrived.
    pub(crate) fn finish(mut self, layout: &Layout) -> Filled {
        let rows = self.len();
        let mut fields = Vec::new();
        let mut arrays: Vec<ArrayRef> = Vec::new();
        let mut add = |name: &str, data_type: DataType, array: ArrayRef| {
            fields.push(ArrowField::new(name, data_type, true));
            arrays.push(array);
        };
        let mut times = TimestampMicrosecondBuilder::new().with_timezone("UTC");
        self.times.iter().for_each(|time| times.append_option(time.map(micros)));
        add(TIMESTAMP, instant(), Arc::new(times.finish()));
        for (name, builder) in [(INDEX, self.index.take()), (ID, self.id.take())] {
            if let Some(mut builder) = builder {
                builder.append_nulls(rows - builder.len());
                add(name, DataType::Utf8, Arc::new(builder.finish()));
            }
        }
        for (column, builder) in layout.columns().iter().zip(self.columns) {
            if let Some(mut builder) = builder {
                builder.pad(rows);
                add(&column.field.name, column.data_type(), builder.finish());
            }
        }
        if let Some(mut marks) = self.inexact.take() {
            pad_list(&mut marks, rows);
            add(INEXACT, list_of(DataType::Utf8), Arc::new(marks.finish()));
        }
        if let Some(mut raw) = self.raw.take() {
            raw.append_nulls(rows - raw.len());
            add(RAW, DataType::Binary, Arc::new(raw.finish()));
        }
        add(SOURCE, DataType::Utf8, Arc::new(self.source.finish()));
        Filled { schema: Arc::new(ArrowSchema::new(fields)), arrays, times: self.times }
    }
}

/// Nanoseconds in microseconds, rounded down.
pub(crate) fn micros(nanos: i64) -> i64 {
    nanos.div_euclid(1_000)
}

/// Events in columns, in the order in which they arrived.
#[derive(Debug)]
pub(crate) struct Filled {
    schema: SchemaRef,
    arrays: Vec<ArrayRef>,
    /// In nanoseconds.
    times: Vec<Option<i64>>,
}

impl Filled {
    /// The columns of these names, as far as some event has them.
    pub(crate) fn as_batch(&self, names: &[&str]) -> Result<RecordBatch> {
        let places = names.iter().filter_map(|name| self.schema.index_of(name).ok());
        let (fields, arrays): (Vec<_>, Vec<_>) = places
            .map(|place| (self.schema.fields()[place].clone(), Arc::clone(&self.arrays[place])))
            .unzip();
        let batch = RecordBatch::try_new(Arc::new(ArrowSchema::new(fields)), arrays);
        batch.map_err(|error| StoreError::of("a batch", &error))
    }

    /// The bytes of the documents of some rows.
    pub(crate) fn source_bytes(&self, of: &[bool]) -> u64 {
        let sources = self.arrays.last().and_then(|array| array.as_string_opt::<i32>());
        let rows = of.iter().enumerate().filter(|(_, wanted)| **wanted);
        sources.map_or(0, |sources| rows.map(|(row, _)| sources.value_length(row) as u64).sum())
    }

    /// The times of the events, in nanoseconds.
    pub(crate) fn times(&self) -> &[Option<i64>] {
        &self.times
    }

    /// The events in the order of time, those of the same time as they arrived, without those that `left_out` names, in
    /// batches of [`ENCODED_ROWS`].
    pub(crate) fn sorted(self, left_out: &[bool]) -> Sorted {
        let is_left_out = |row: &u32| left_out.get(*row as usize).copied().unwrap_or(false);
        let mut order: Vec<u32> = (0..self.times.len() as u32).filter(|row| !is_left_out(row)).collect();
        order.sort_by_key(|row| self.times[*row as usize]);
        Sorted { schema: self.schema, arrays: self.arrays, order, next: 0 }
    }
}

/// Events in the order of time; see [`Filled::sorted`].
#[derive(Debug)]
pub(crate) struct Sorted {
    schema: SchemaRef,
    arrays: Vec<ArrayRef>,
    order: Vec<u32>,
    next: usize,
}

impl Sorted {
    /// The columns that some event has, in the order of the layout.
    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    /// The next batch; none at the end.
    pub(crate) fn batch(&mut self) -> Option<Result<RecordBatch>> {
        let end = (self.next + ENCODED_ROWS).min(self.order.len());
        if self.next == end {
            return None;
        }
        let rows = UInt32Array::from(self.order[self.next..end].to_vec());
        self.next = end;
        let columns = self.arrays.iter().map(|array| take(array, &rows, None)).collect::<Result<Vec<_>, _>>();
        let batch = columns.and_then(|columns| RecordBatch::try_new(Arc::clone(&self.schema), columns));
        Some(batch.map_err(|error| StoreError::of("a batch", &error)))
    }
}

/// The values of one column so far.
#[derive(Debug)]
enum Builder {
    Text(StringBuilder),
    Long(Int64Builder),
    Double(Float64Builder),
    Boolean(BooleanBuilder),
    Date(TimestampMicrosecondBuilder),
    Texts(ListBuilder<StringBuilder>),
    Longs(ListBuilder<Int64Builder>),
}

impl Builder {
    fn new(column: &TypedColumn) -> Self {
        match (column.kind, column.several) {
            (Kind::Long, true) => Self::Longs(new_list()),
            (_, true) => Self::Texts(new_list()),
            (Kind::Text, false) => Self::Text(StringBuilder::new()),
            (Kind::Long, false) => Self::Long(Int64Builder::new()),
            (Kind::Double, false) => Self::Double(Float64Builder::new()),
            (Kind::Boolean, false) => Self::Boolean(BooleanBuilder::new()),
            (Kind::Date, false) => Self::Date(TimestampMicrosecondBuilder::new().with_timezone("UTC")),
        }
    }

    /// Fills up with nulls to this number of rows.
    fn pad(&mut self, rows: usize) {
        match self {
            Self::Text(builder) => builder.append_nulls(rows - builder.len()),
            Self::Long(builder) => builder.append_nulls(rows - builder.len()),
            Self::Double(builder) => builder.append_nulls(rows - builder.len()),
            Self::Boolean(builder) => builder.append_nulls(rows - builder.len()),
            Self::Date(builder) => builder.append_nulls(rows - builder.len()),
            Self::Texts(builder) => pad_list(builder, rows),
            Self::Longs(builder) => pad_list(builder, rows),
        }
    }

    /// Adds a row; false where the column holds less than the values.
    fn push<'a>(
        &mut self,
        column: &TypedColumn,
        values: impl ExactSizeIterator<Item = ValueRef<'a>> + Clone,
    ) -> bool {
        match self {
            Self::Texts(builder) => {
                let exact = values.len() <= COLUMN_VALUES_MAX;
                let mut dropped = false;
                for value in values.take(COLUMN_VALUES_MAX) {
                    dropped |= !with_text(column, value, |text| builder.values().append_value(text));
                }
                builder.append(true);
                exact && !dropped
            }
            Self::Longs(builder) => {
                let exact = values.len() <= COLUMN_VALUES_MAX;
                let mut dropped = false;
                for value in values.take(COLUMN_VALUES_MAX) {
                    match value {
                        ValueRef::Long(value) => builder.values().append_value(value),
                        _ => dropped = true,
                    }
                }
                builder.append(true);
                exact && !dropped
            }
            one => {
                let single = values.len() == 1;
                let fits = values.clone().next().is_some_and(|value| one.push_one(column, value));
                single && fits
            }
        }
    }

    /// Adds a row of one value, or of none where it does not fit.
    fn push_one(&mut self, column: &TypedColumn, value: ValueRef<'_>) -> bool {
        match (self, value) {
            (Self::Text(builder), value) => with_text(column, value, |text| builder.append_value(text)),
            (Self::Long(builder), ValueRef::Long(value)) => {
                builder.append_value(value);
                true
            }
            (Self::Double(builder), ValueRef::Double(value)) => {
                builder.append_value(value);
                true
            }
            (Self::Boolean(builder), ValueRef::Boolean(value)) => {
                builder.append_value(value);
                true
            }
            (Self::Date(builder), ValueRef::Date(nanos)) => {
                builder.append_value(nanos.div_euclid(1_000));
                true
            }
            // What is left out is a null as soon as the next row comes.
            _ => false,
        }
    }

    fn finish(self) -> ArrayRef {
        match self {
            Self::Text(mut builder) => Arc::new(builder.finish()),
            Self::Long(mut builder) => Arc::new(builder.finish()),
            Self::Double(mut builder) => Arc::new(builder.finish()),
            Self::Boolean(mut builder) => Arc::new(builder.finish()),
            Self::Date(mut builder) => Arc::new(builder.finish()),
            Self::Texts(mut builder) => Arc::new(builder.finish()),
            Self::Longs(mut builder) => Arc::new(builder.finish()),
        }
    }
}

/// Hands on the text of a value that a text column holds; false where it holds none.
fn with_text(column: &TypedColumn, value: ValueRef<'_>, add: impl FnOnce(&str)) -> bool {
    let is_address = column.field.kind == maxspan_event::FieldType::Ip;
    match value {
        ValueRef::Ip(ip) => add(&ip.to_string()),
        ValueRef::Text(text) | ValueRef::Version(text)
            if !is_address && text.len() <= COLUMN_TEXT_BYTES_MAX =>
        {
            add(text);
        }
        _ => return false,
    }
    true
}

fn push_text(builder: &mut Option<StringBuilder>, row: usize, text: Option<&str>) {
    let Some(text) = text else { return };
    let builder = builder.get_or_insert_with(StringBuilder::new);
    builder.append_nulls(row - builder.len());
    builder.append_value(text);
}

fn new_list<B: ArrayBuilder + Default>() -> ListBuilder<B> {
    let values = B::default();
    let element = if values.as_any().is::<Int64Builder>() { DataType::Int64 } else { DataType::Utf8 };
    ListBuilder::new(values).with_field(ArrowField::new("element", element, true))
}

fn pad_list<B: ArrayBuilder>(builder: &mut ListBuilder<B>, rows: usize) {
    while builder.len() < rows {
        builder.append(false);
    }
}
