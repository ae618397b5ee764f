//! Rows of an opened file that a scan wants: tested by columns, so that documents of other rows are not read.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, ListArray, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use parquet::arrow::arrow_reader::{ArrowPredicate, ArrowPredicateFn, RowFilter};
use parquet::arrow::async_reader::ParquetRecordBatchStream;
use rustc_hash::FxHashSet;

use super::prune::{Condition, Opened, Values, Wanted};
use crate::columns::{EVERYTHING, INEXACT, INGESTED, TIMESTAMP};
use crate::error::{Result, StoreError};
use crate::read::{ObjectFile, projection};

/// Reads some columns of the rows of an opened file that the condition does not rule out, so many rows at a time.
pub(crate) fn stream<'a>(
    opened: Opened,
    condition: &Condition,
    columns: impl IntoIterator<Item = &'a str>,
    rows: usize,
) -> Result<ParquetRecordBatchStream<ObjectFile>> {
    let Opened { place, builder, row_groups } = opened;
    let (arrow, parquet) = (builder.schema().clone(), builder.metadata().file_metadata().schema_descr_ptr());
    let mut tests: Vec<Box<dyn ArrowPredicate>> = Vec::new();
    let (from, to) = condition.window;
    if (from, to) != (i64::MIN, i64::MAX) {
        let or_ingested = condition.or_ingested;
        let names: &[&str] = if or_ingested { &[TIMESTAMP, INGESTED, INEXACT] } else { &[TIMESTAMP] };
        let columns = projection(&arrow, &parquet, names.iter().copied());
        let test = move |batch: RecordBatch| Ok(within(&batch, from, to, or_ingested));
        tests.push(Box::new(ArrowPredicateFn::new(columns, test)));
    }
    for number in 0..condition.wanted.len() {
        let wanted = Arc::clone(&condition.wanted);
        let columns = projection(&arrow, &parquet, [wanted[number].column.field.name.as_str(), INEXACT]);
        let set = Set::new(&wanted[number].values);
        let test = move |batch: RecordBatch| Ok(wanted_rows(&batch, &wanted[number], &set));
        tests.push(Box::new(ArrowPredicateFn::new(columns, test)));
    }
    let builder = builder
        .with_projection(projection(&arrow, &parquet, columns))
        .with_batch_size(rows)
        .with_row_groups(row_groups)
        .with_row_filter(RowFilter::new(tests));
    builder.build().map_err(|error| StoreError::of_file(place, &error))
}

/// Rows whose time, or time of coming in, is within the window, and those without a time.
fn within(batch: &RecordBatch, from: i64, to: i64, or_ingested: bool) -> BooleanArray {
    let instants = |name: &str| batch.column_by_name(name)?.as_primitive_opt::<TimestampMicrosecondType>();
    let Some(times) = instants(TIMESTAMP) else { return vec![true; batch.num_rows()].into() };
    let ingested = instants(INGESTED).filter(|_| or_ingested);
    let marks = Marks::new(batch, INGESTED);
    let is_ingested = |row: usize| {
        ingested.is_some_and(|times| times.is_valid(row) && (from..=to).contains(&times.value(row)))
            || (or_ingested && marks.at(row))
    };
    let is_within =
        |row: usize| times.is_null(row) || (from..=to).contains(&times.value(row)) || is_ingested(row);
    BooleanBuffer::collect_bool(times.len(), is_within).into()
}

/// Rows that say that a column holds less than their documents.
pub(crate) struct Marks<'a> {
    marks: Option<&'a ListArray>,
    name: &'a str,
}

impl<'a> Marks<'a> {
    pub(crate) fn new(batch: &'a RecordBatch, name: &'a str) -> Self {
        let marks = batch.column_by_name(INEXACT).and_then(|marks| marks.as_list_opt::<i32>());
        Self { marks, name }
    }

    pub(crate) fn at(&self, row: usize) -> bool {
        self.marks.filter(|marks| marks.is_valid(row)).is_some_and(|marks| {
            let names = marks.value(row);
            let Some(names) = names.as_string_opt::<i32>() else { return true };
            names.iter().flatten().any(|mark| mark == self.name || mark == EVERYTHING)
        })
    }
}

/// Rows that have one of the values, and those that do not tell.
fn wanted_rows(batch: &RecordBatch, wanted: &Wanted, set: &Set) -> BooleanArray {
    let name = wanted.column.field.name.as_str();
    let has_value = batch.column_by_name(name).map(|column| Held::new(column, set));
    let marks = Marks::new(batch, name);
    let is_wanted = |row: usize| has_value.as_ref().is_some_and(|held| held.at(row)) || marks.at(row);
    BooleanBuffer::collect_bool(batch.num_rows(), is_wanted).into()
}

/// What values are looked up in.
enum Set {
    Texts(FxHashSet<String>),
    Longs(FxHashSet<i64>),
    Booleans(Vec<bool>),
}

impl Set {
    fn new(values: &Values) -> Self {
        match values {
            Values::Texts(texts) => Self::Texts(texts.iter().cloned().collect()),
            Values::Longs(numbers) => Self::Longs(numbers.iter().copied().collect()),
            Values::Booleans(values) => Self::Booleans(values.clone()),
        }
    }

    /// For each value of a column, whether it is in the set. A column of another type does not tell.
    fn contains(&self, column: &ArrayRef) -> Vec<bool> {
        match self {
            Self::Texts(texts) => match column.as_string_opt::<i32>() {
                Some(column) => {
                    column.iter().map(|text| text.is_some_and(|text| texts.contains(text))).collect()
                }
                None => vec![true; column.len()],
            },
            Self::Longs(numbers) => match column.as_primitive_opt::<Int64Type>() {
                Some(column) => column
                    .iter()
                    .map(|number| number.is_some_and(|number| numbers.contains(&number)))
                    .collect(),
                None => vec![true; column.len()],
            },
            Self::Booleans(values) => match column.as_boolean_opt() {
                Some(column) => {
                    column.iter().map(|value| value.is_some_and(|value| values.contains(&value))).collect()
                }
                None => vec![true; column.len()],
            },
        }
    }
}

/// For each row of a column, whether it has one of the values.
struct Held {
    /// By value.
    contained: Vec<bool>,
    /// Where the values of a row begin, in a column of lists.
    offsets: Option<Vec<i32>>,
}

impl Held {
    fn new(column: &ArrayRef, set: &Set) -> Self {
        match column.as_list_opt::<i32>() {
            Some(lists) => {
                Self { contained: set.contains(lists.values()), offsets: Some(lists.offsets().to_vec()) }
            }
            None => Self { contained: set.contains(column), offsets: None },
        }
    }

    fn at(&self, row: usize) -> bool {
        match &self.offsets {
            None => self.contained[row],
            Some(offsets) => {
                let values = offsets[row] as usize..offsets[row + 1] as usize;
                self.contained[values].iter().any(|contained| *contained)
            }
        }
    }
}
