//! Values of ES|QL in Arrow arrays, and back.
//!
//! A column that can never have several values has one array slot a row; any other has a list a row, where no value is
//! null and one value is a list of one. Addresses and versions are text, dates have milliseconds.

use std::net::IpAddr;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, BooleanBuilder, FixedSizeBinaryArray, FixedSizeBinaryBuilder,
    Float64Array, Float64Builder, Int32Array, Int32Builder, Int64Array, Int64Builder, ListArray, NullArray,
    StringArray, StringBuilder, TimestampMillisecondArray, TimestampMillisecondBuilder,
    TimestampNanosecondArray, TimestampNanosecondBuilder, UInt64Array, UInt64Builder,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{
    DataType as ArrowType, Field, Float64Type, Int32Type, Int64Type, TimeUnit, TimestampMillisecondType,
    TimestampNanosecondType, UInt64Type,
};
use arrow::error::ArrowError;
use maxspan_esql::{DataType, Value, ValueRef, to_text};

/// How a column is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Form {
    /// What its values are.
    pub(super) kind: DataType,
    /// Whether a row may have several.
    pub(super) several: bool,
}

/// Longitude and latitude.
const POINT_BYTES: i32 = 16;

impl Form {
    /// None where values of this type are never in a column.
    pub(super) fn new(kind: DataType, several: bool) -> Option<Self> {
        element_type(kind).map(|_| Self { kind, several: several && !is_null(kind) })
    }

    /// A column of single values.
    pub(super) fn one(kind: DataType) -> Option<Self> {
        Self::new(kind, false)
    }

    /// The type of the array.
    pub(super) fn data_type(self) -> ArrowType {
        let element = element_type(self.kind).unwrap_or(ArrowType::Null);
        if self.several { ArrowType::List(item(element)) } else { element }
    }
}

fn is_null(kind: DataType) -> bool {
    matches!(kind, DataType::Null | DataType::Unsupported)
}

/// The field of what is in a list.
pub(super) fn item(element: ArrowType) -> Arc<Field> {
    Arc::new(Field::new_list_field(element, true))
}

/// The type of one value; none for spans of time.
fn element_type(kind: DataType) -> Option<ArrowType> {
    Some(match kind {
        DataType::Null | DataType::Unsupported => ArrowType::Null,
        DataType::Boolean => ArrowType::Boolean,
        DataType::Integer => ArrowType::Int32,
        DataType::Long => ArrowType::Int64,
        DataType::UnsignedLong => ArrowType::UInt64,
        DataType::Double => ArrowType::Float64,
        DataType::Keyword | DataType::Text | DataType::Ip | DataType::Version => ArrowType::Utf8,
        DataType::Datetime => millis(),
        DataType::DateNanos => ArrowType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())),
        DataType::GeoPoint => ArrowType::FixedSizeBinary(POINT_BYTES),
        DataType::DatePeriod | DataType::TimeDuration => return None,
    })
}

/// The type of dates.
pub(super) fn millis() -> ArrowType {
    ArrowType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()))
}

/// An array whose rows are read as values.
pub(super) struct Cells<'a> {
    elements: Elements<'a>,
    lists: Option<&'a ListArray>,
    rows: &'a dyn Array,
}

enum Elements<'a> {
    Null,
    Bool(&'a BooleanArray),
    Int(&'a Int32Array),
    Long(&'a Int64Array),
    Unsigned(&'a UInt64Array),
    Double(&'a Float64Array),
    Text(&'a StringArray),
    Ip(&'a StringArray),
    Version(&'a StringArray),
    Date(&'a TimestampMillisecondArray),
    Nanos(&'a TimestampNanosecondArray),
    Point(&'a FixedSizeBinaryArray),
}

impl<'a> Cells<'a> {
    /// An error where the array has another type than the form says.
    pub(super) fn new(array: &'a ArrayRef, form: Form) -> Result<Self, ArrowError> {
        let wrong = || {
            let found = array.data_type();
            ArrowError::SchemaError(format!("a column of {} is of the type {found}", form.kind.name()))
        };
        let lists = if form.several { Some(array.as_list_opt::<i32>().ok_or_else(wrong)?) } else { None };
        let values: &'a ArrayRef = lists.map_or(array, ListArray::values);
        let elements = match form.kind {
            DataType::Boolean => values.as_boolean_opt().map(Elements::Bool),
            DataType::Integer => values.as_primitive_opt::<Int32Type>().map(Elements::Int),
            DataType::Long => values.as_primitive_opt::<Int64Type>().map(Elements::Long),
            DataType::UnsignedLong => values.as_primitive_opt::<UInt64Type>().map(Elements::Unsigned),
            DataType::Double => values.as_primitive_opt::<Float64Type>().map(Elements::Double),
            DataType::Keyword | DataType::Text => values.as_string_opt::<i32>().map(Elements::Text),
            DataType::Ip => values.as_string_opt::<i32>().map(Elements::Ip),
            DataType::Version => values.as_string_opt::<i32>().map(Elements::Version),
            DataType::Datetime => values.as_primitive_opt::<TimestampMillisecondType>().map(Elements::Date),
            DataType::DateNanos => values.as_primitive_opt::<TimestampNanosecondType>().map(Elements::Nanos),
            DataType::GeoPoint => values.as_fixed_size_binary_opt().map(Elements::Point),
            DataType::Null | DataType::Unsupported | DataType::DatePeriod | DataType::TimeDuration => {
                Some(Elements::Null)
            }
        };
        Ok(Self { elements: elements.ok_or_else(wrong)?, lists, rows: array.as_ref() })
    }

    /// The value of a row.
    pub(super) fn value(&self, row: usize) -> Value {
        if self.rows.is_null(row) {
            return Value::Null;
        }
        let Some(lists) = self.lists else { return self.elements.value(row) };
        let offsets = lists.offsets();
        let places = offsets[row] as usize..offsets[row + 1] as usize;
        Value::from_values(places.map(|place| self.elements.value(place)).collect())
    }
}

impl Elements<'_> {
    fn value(&self, place: usize) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(array) => Value::Bool(array.value(place)),
            Self::Int(array) => Value::Int(array.value(place)),
            Self::Long(array) => Value::Long(array.value(place)),
            Self::Unsigned(array) => Value::UnsignedLong(array.value(place)),
            Self::Double(array) => Value::Double(array.value(place)),
            Self::Text(array) => Value::text(array.value(place)),
            Self::Ip(array) => array.value(place).parse::<IpAddr>().map_or(Value::Null, Value::Ip),
            Self::Version(array) => Value::Version(array.value(place).into()),
            Self::Date(array) => Value::Date(array.value(place)),
            Self::Nanos(array) => Value::DateNanos(array.value(place)),
            Self::Point(array) => point(array.value(place)).unwrap_or_default(),
        }
    }
}

fn point(bytes: &[u8]) -> Option<Value> {
    let (x, y) = bytes.split_first_chunk::<8>()?;
    Some(Value::Point(f64::from_le_bytes(*x), f64::from_le_bytes(y.try_into().ok()?)))
}

/// The array of some values. An error where a value is not of the form: what cannot be told beforehand is never cut.
pub(super) fn array_of<'a>(
    values: impl IntoIterator<Item = &'a Value>,
    form: Form,
) -> Result<ArrayRef, ArrowError> {
    let mut elements = Builder::new(form.kind);
    if !form.several {
        values.into_iter().try_for_each(|value| elements.push(value))?;
        return Ok(elements.finish());
    }
    let (mut ends, mut valid) = (vec![0_i32], Vec::new());
    for value in values {
        value.values().iter().try_for_each(|one| elements.push(one))?;
        ends.push(
            i32::try_from(elements.len()).map_err(|_| ArrowError::OffsetOverflowError(elements.len()))?,
        );
        valid.push(!value.is_null());
    }
    let elements = elements.finish();
    let field = item(elements.data_type().clone());
    let nulls = Some(NullBuffer::from(valid)).filter(|nulls| nulls.null_count() > 0);
    Ok(Arc::new(ListArray::try_new(field, OffsetBuffer::new(ends.into()), elements, nulls)?))
}

enum Builder {
    Null(usize),
    Bool(BooleanBuilder),
    Int(Int32Builder),
    Long(Int64Builder),
    Unsigned(UInt64Builder),
    Double(Float64Builder),
    Text(StringBuilder),
    Date(TimestampMillisecondBuilder),
    Nanos(TimestampNanosecondBuilder),
    Point(FixedSizeBinaryBuilder),
}

impl Builder {
    fn new(kind: DataType) -> Self {
        match kind {
            DataType::Boolean => Self::Bool(BooleanBuilder::new()),
            DataType::Integer => Self::Int(Int32Builder::new()),
            DataType::Long => Self::Long(Int64Builder::new()),
            DataType::UnsignedLong => Self::Unsigned(UInt64Builder::new()),
            DataType::Double => Self::Double(Float64Builder::new()),
            DataType::Keyword | DataType::Text | DataType::Ip | DataType::Version => {
                Self::Text(StringBuilder::new())
            }
            DataType::Datetime => Self::Date(TimestampMillisecondBuilder::new().with_timezone("UTC")),
            DataType::DateNanos => Self::Nanos(TimestampNanosecondBuilder::new().with_timezone("UTC")),
            DataType::GeoPoint => Self::Point(FixedSizeBinaryBuilder::new(POINT_BYTES)),
            DataType::Null | DataType::Unsupported | DataType::DatePeriod | DataType::TimeDuration => {
                Self::Null(0)
            }
        }
    }

    fn push(&mut self, value: &Value) -> Result<(), ArrowError> {
        match (self, value.borrowed()) {
            (Self::Null(count), ValueRef::Null) => *count += 1,
            (Self::Bool(builder), ValueRef::Null) => builder.append_null(),
            (Self::Int(builder), ValueRef::Null) => builder.append_null(),
            (Self::Long(builder), ValueRef::Null) => builder.append_null(),
            (Self::Unsigned(builder), ValueRef::Null) => builder.append_null(),
            (Self::Double(builder), ValueRef::Null) => builder.append_null(),
            (Self::Text(builder), ValueRef::Null) => builder.append_null(),
            (Self::Date(builder), ValueRef::Null) => builder.append_null(),
            (Self::Nanos(builder), ValueRef::Null) => builder.append_null(),
            (Self::Point(builder), ValueRef::Null) => builder.append_null(),
            (Self::Bool(builder), ValueRef::Bool(value)) => builder.append_value(value),
            (Self::Int(builder), ValueRef::Int(value)) => builder.append_value(value),
            (Self::Long(builder), ValueRef::Long(value)) => builder.append_value(value),
            (Self::Long(builder), ValueRef::Int(value)) => builder.append_value(i64::from(value)),
            (Self::Unsigned(builder), ValueRef::UnsignedLong(value)) => builder.append_value(value),
            (Self::Double(builder), ValueRef::Double(value)) => builder.append_value(value),
            (Self::Text(builder), ValueRef::Text(text) | ValueRef::Version(text)) => {
                builder.append_value(text);
            }
            (Self::Text(builder), value @ ValueRef::Ip(_)) => builder.append_value(to_text(value)),
            (Self::Date(builder), ValueRef::Date(value)) => builder.append_value(value),
            (Self::Nanos(builder), ValueRef::DateNanos(value)) => builder.append_value(value),
            (Self::Point(builder), ValueRef::Point(x, y)) => {
                builder.append_value([x.to_le_bytes(), y.to_le_bytes()].concat())?;
            }
            (_, other) => {
                let found = other.to_value().data_type().name();
                return Err(ArrowError::ComputeError(format!("a value of the type {found} has no place")));
            }
        }
        Ok(())
    }

    fn len(&self) -> usize {
        use arrow::array::ArrayBuilder as _;
        match self {
            Self::Null(count) => *count,
            Self::Bool(builder) => builder.len(),
            Self::Int(builder) => builder.len(),
            Self::Long(builder) => builder.len(),
            Self::Unsigned(builder) => builder.len(),
            Self::Double(builder) => builder.len(),
            Self::Text(builder) => builder.len(),
            Self::Date(builder) => builder.len(),
            Self::Nanos(builder) => builder.len(),
            Self::Point(builder) => builder.len(),
        }
    }

    fn finish(self) -> ArrayRef {
        match self {
            Self::Null(count) => Arc::new(NullArray::new(count)),
            Self::Bool(mut builder) => Arc::new(builder.finish()),
            Self::Int(mut builder) => Arc::new(builder.finish()),
            Self::Long(mut builder) => Arc::new(builder.finish()),
            Self::Unsigned(mut builder) => Arc::new(builder.finish()),
            Self::Double(mut builder) => Arc::new(builder.finish()),
            Self::Text(mut builder) => Arc::new(builder.finish()),
            Self::Date(mut builder) => Arc::new(builder.finish()),
            Self::Nanos(mut builder) => Arc::new(builder.finish()),
            Self::Point(mut builder) => Arc::new(builder.finish()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_as_they_were() {
        let check = |kind: DataType, values: &[Value]| {
            for several in [false, true] {
                let form = Form::new(kind, several).expect("a form");
                let mut values = values.to_vec();
                values.push(Value::Null);
                if form.several {
                    values.push(Value::from_values(values[..2].to_vec()));
                }
                let array = array_of(&values, form).expect("an array");
                assert_eq!(*array.data_type(), form.data_type());
                let cells = Cells::new(&array, form).expect("cells");
                let back: Vec<Value> = (0..values.len()).map(|row| cells.value(row)).collect();
                assert_eq!(back, values, "{kind:?} {several}");
            }
        };
        check(DataType::Boolean, &[Value::Bool(true), Value::Bool(false)]);
        check(DataType::Integer, &[Value::Int(1), Value::Int(-1)]);
        check(DataType::Long, &[Value::Long(i64::MIN), Value::Long(7)]);
        check(DataType::UnsignedLong, &[Value::UnsignedLong(u64::MAX), Value::UnsignedLong(0)]);
        check(DataType::Double, &[Value::Double(0.5), Value::Double(-1.0)]);
        check(DataType::Keyword, &[Value::text("a"), Value::text("")]);
        check(DataType::Version, &[Value::Version("1.2.3".into()), Value::Version("2".into())]);
        let ip = |text: &str| Value::Ip(text.parse().expect("an address"));
        check(DataType::Ip, &[ip("10.0.0.1"), ip("2001:db8::1")]);
        check(DataType::Datetime, &[Value::Date(-1), Value::Date(1_700_000_000_000)]);
        check(DataType::DateNanos, &[Value::DateNanos(-1), Value::DateNanos(5)]);
        check(DataType::GeoPoint, &[Value::Point(1.5, -2.0), Value::Point(0.0, 0.0)]);
    }

    #[test]
    fn several_values_have_no_place_where_one_has() {
        let several = Value::from_values(vec![Value::Long(1), Value::Long(2)]);
        let form = Form::one(DataType::Long).expect("a form");
        assert!(array_of([&several], form).is_err());
        assert!(array_of([&Value::text("x")], form).is_err());
        assert!(Form::one(DataType::TimeDuration).is_none());
    }
}
