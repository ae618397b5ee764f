//! What a scan need not read: files by what their table says, row groups by statistics and bloom filters.

use std::sync::Arc;

use maxspan_event::{Value, ValueRef};
use object_store::ObjectStore;
use parquet::bloom_filter::Sbbf;
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::statistics::Statistics;
use parquet::schema::types::SchemaDescriptor;

use super::{Equality, ScanRequest, answerable, window};
use crate::columns::{EVERYTHING, INEXACT, INGESTED, Kind, Layout, TIMESTAMP, TypedColumn};
use crate::error::{Result, StoreError};
use crate::limits::LOOKUP_VALUES_MAX;
use crate::read::{FileBuilder, open};
use crate::table::FileEntry;

/// What a scan looks for, in terms of columns.
#[derive(Debug, Clone)]
pub(crate) struct Condition {
    /// In microseconds, both included.
    pub(super) window: (i64, i64),
    pub(super) or_ingested: bool,
    pub(super) wanted: Arc<[Wanted]>,
}

/// Some value of a column is one of these, or the column holds less than the document.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) column: TypedColumn,
    pub(super) values: Values,
}

/// Values of one kind.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Values {
    Texts(Vec<String>),
    Longs(Vec<i64>),
    Booleans(Vec<bool>),
}

/// A file with what may be in it.
pub(crate) struct Opened {
    pub(crate) place: String,
    pub(crate) builder: FileBuilder,
    pub(crate) row_groups: Vec<usize>,
}

impl Condition {
    pub(crate) fn new(request: &ScanRequest, layout: &Layout) -> Self {
        let wanted = answerable(request, layout).filter_map(|equality| Wanted::new(equality, layout));
        Self { window: window(request), or_ingested: request.or_ingested, wanted: wanted.collect() }
    }

    /// Whether files should be opened before it is their turn, since most of them will have nothing.
    pub(super) fn looks_up(&self) -> bool {
        self.wanted.iter().any(|wanted| wanted.column.lookup)
    }

    /// Whether some row may be unwanted.
    pub(crate) fn rules_out(&self) -> bool {
        self.window != (i64::MIN, i64::MAX) || !self.wanted.is_empty()
    }

    /// Whether an event of the window may be in the file.
    pub(crate) fn may_be_in(&self, file: &FileEntry) -> bool {
        let (from, to) = self.window;
        if self.or_ingested {
            let may_overlap = |(least, most): (i64, i64)| from <= most && least <= to;
            if file.ingested.is_none_or(|range| range.is_some_and(may_overlap)) {
                return true;
            }
        }
        let (least, most) = file.time_range();
        let day_overlaps = file.day.is_none_or(|day| {
            let start = i64::from(day) * DAY_MICROS;
            from <= start.saturating_add(DAY_MICROS - 1) && start <= to
        });
        file.day.is_none() || (day_overlaps && from <= most && least <= to)
    }
}

/// Microseconds of a day.
const DAY_MICROS: i64 = 86_400_000_000;

impl Wanted {
    /// None where the column could not be compared as the document would be.
    fn new(equality: &Equality, layout: &Layout) -> Option<Self> {
        let column = layout.column(&equality.field)?.clone();
        let values = || equality.values.iter().map(Value::borrowed);
        let values = match column.kind {
            Kind::Text => Values::Texts(values().map(text).collect::<Option<_>>()?),
            // A fraction, or more than a column holds, may still be equal to what a document says.
            Kind::Long if values().any(is_other_number) => return None,
            Kind::Long => Values::Longs(values().filter_map(long).collect()),
            Kind::Boolean => Values::Booleans(values().filter_map(boolean).collect()),
            // Fractions and instants are equal within limits that a column does not know.
            Kind::Double | Kind::Date => return None,
        };
        Some(Self { column, values })
    }

    /// Whether a row group may hold one of the values by the least and the greatest in it.
    fn may_be_between(&self, statistics: Option<&Statistics>) -> bool {
        match (&self.values, statistics) {
            (Values::Texts(texts), Some(Statistics::ByteArray(found))) => {
                let Some((least, most)) = found.min_bytes_opt().zip(found.max_bytes_opt()) else {
                    return true;
                };
                texts.iter().any(|text| least <= text.as_bytes() && text.as_bytes() <= most)
            }
            (Values::Longs(numbers), Some(Statistics::Int64(found))) => {
                let Some((least, most)) = found.min_opt().zip(found.max_opt()) else { return true };
                numbers.iter().any(|number| least <= number && number <= most)
            }
            _ => true,
        }
    }

    fn may_be_among(&self, filter: &Sbbf) -> bool {
        match &self.values {
            Values::Texts(texts) if texts.len() <= LOOKUP_VALUES_MAX => {
                texts.iter().any(|text| filter.check(text.as_str()))
            }
            Values::Longs(numbers) => numbers.iter().any(|number| filter.check(number)),
            Values::Texts(_) | Values::Booleans(_) => true,
        }
    }
}

/// The text of a value in a column of texts; none where there is no telling.
fn text(value: ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::Text(text) => Some(text.to_owned()),
        ValueRef::Ip(ip) => Some(ip.to_string()),
        _ => None,
    }
}

/// Whether the value is a number that no column of integers holds.
fn is_other_number(value: ValueRef<'_>) -> bool {
    matches!(value, ValueRef::Double(_) | ValueRef::Unsigned(_))
}

/// The integer; what is no number is equal to none.
fn long(value: ValueRef<'_>) -> Option<i64> {
    match value {
        ValueRef::Long(number) => Some(number),
        _ => None,
    }
}

fn boolean(value: ValueRef<'_>) -> Option<bool> {
    match value {
        ValueRef::Boolean(value) => Some(value),
        _ => None,
    }
}

/// Opens a file; none where nothing in it is wanted.
pub(crate) async fn prune(
    store: &Arc<dyn ObjectStore>,
    file: &FileEntry,
    condition: &Condition,
) -> Result<Option<Opened>> {
    // Where every row is wanted, no page is left out.
    let mut builder = open(store, file, condition.rules_out()).await?;
    let place = file.place.clone();
    let mut row_groups = Vec::new();
    for number in 0..builder.metadata().num_row_groups() {
        let group = builder.metadata().row_group(number);
        let by_ingestion = condition.or_ingested && may_be_ingested_within(condition.window, group);
        if !by_ingestion && !may_be_within(condition.window, group) {
            continue;
        }
        let mut may_match = true;
        for wanted in condition.wanted.iter() {
            may_match = may_match && may_hold(&mut builder, number, wanted, &place).await?;
        }
        if may_match {
            row_groups.push(number);
        }
    }
    Ok((!row_groups.is_empty()).then_some(Opened { place, builder, row_groups }))
}

/// Whether a row group may have an event of the window; those without a time are wanted too.
fn may_be_within((from, to): (i64, i64), group: &RowGroupMetaData) -> bool {
    let Some(column) = leaf_of(group.schema_descr(), TIMESTAMP) else { return true };
    let Some(Statistics::Int64(times)) = group.column(column).statistics() else { return true };
    let range = times.min_opt().zip(times.max_opt());
    times.null_count_opt() != Some(0) || range.is_none_or(|(least, most)| from <= *most && *least <= to)
}

/// Whether a row group may have an event that came in within the window.
fn may_be_ingested_within((from, to): (i64, i64), group: &RowGroupMetaData) -> bool {
    // Where no row tells less than its document, what is not in the column is nowhere.
    let tells_all = leaf_of(group.schema_descr(), INEXACT).is_none_or(|marks| !has_values(group, marks));
    let Some(column) = leaf_of(group.schema_descr(), INGESTED) else { return !tells_all };
    let Some(Statistics::Int64(times)) = group.column(column).statistics() else { return true };
    let range = times.min_opt().zip(times.max_opt());
    !tells_all || range.is_some_and(|(least, most)| from <= *most && *least <= to)
}

async fn may_hold(builder: &mut FileBuilder, number: usize, wanted: &Wanted, place: &str) -> Result<bool> {
    let group = builder.metadata().row_group(number);
    let column = leaf_of(group.schema_descr(), &wanted.column.field.name);
    let by_statistics = column.is_some_and(|column| wanted.may_be_between(group.column(column).statistics()));
    if by_statistics && wanted.column.lookup {
        let filter = bloom_filter(builder, number, column, place).await?;
        if filter.is_none_or(|filter| wanted.may_be_among(&filter)) {
            return Ok(true);
        }
    } else if by_statistics {
        return Ok(true);
    }
    // Nothing by the column itself, but it may say that it does not tell.
    has_marks(builder, number, &wanted.column.field.name, place).await
}

/// Whether some row of the group may say that this column holds less than its document.
pub(crate) async fn has_marks(
    builder: &mut FileBuilder,
    number: usize,
    name: &str,
    place: &str,
) -> Result<bool> {
    let group = builder.metadata().row_group(number);
    let marks = leaf_of(group.schema_descr(), INEXACT).filter(|marks| has_values(group, *marks));
    if marks.is_none() {
        return Ok(false);
    }
    let filter = bloom_filter(builder, number, marks, place).await?;
    Ok(filter.is_none_or(|filter| filter.check(name) || filter.check(EVERYTHING)))
}

async fn bloom_filter(
    builder: &mut FileBuilder,
    number: usize,
    column: Option<usize>,
    place: &str,
) -> Result<Option<Sbbf>> {
    let Some(column) = column else { return Ok(None) };
    let filter = builder.get_row_group_column_bloom_filter(number, column).await;
    filter.map_err(|error| StoreError::of_file(place, &error))
}

/// Whether some row of the group has a value in this column.
pub(crate) fn has_values(group: &RowGroupMetaData, column: usize) -> bool {
    let column = group.column(column);
    let nulls = column.statistics().and_then(Statistics::null_count_opt);
    nulls.is_none_or(|nulls| nulls < column.num_values() as u64)
}

/// Whether some row of the group may have no value in the column of this name.
pub(crate) fn has_gaps(group: &RowGroupMetaData, name: &str) -> bool {
    let Some(column) = leaf_of(group.schema_descr(), name) else { return true };
    group.column(column).statistics().and_then(Statistics::null_count_opt) != Some(0)
}

/// The number of the column that holds the values of a field.
pub(crate) fn leaf_of(schema: &SchemaDescriptor, name: &str) -> Option<usize> {
    schema
        .columns()
        .iter()
        .position(|column| column.path().parts().first().is_some_and(|first| first == name))
}
