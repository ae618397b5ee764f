//! Values: what a field of a row holds, owned ([`Value`]) or borrowed ([`ValueRef`]).
//!
//! A field has no value (null), one, or several ([`Value::Many`], never fewer than two and never nested). Several values
//! have the order in which they were made; those of an index are sorted.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use maxspan_event::version;
use serde_json::Value as Json;

use crate::functions::convert::to_text;
use crate::time_span::TimeSpan;
use crate::types::DataType;

/// An owned value. Cheap to clone.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs)]
pub enum Value {
    #[default]
    Null,
    Bool(bool),
    Int(i32),
    Long(i64),
    UnsignedLong(u64),
    Double(f64),
    Text(Arc<str>),
    Ip(IpAddr),
    Version(Arc<str>),
    /// Milliseconds since 1970.
    Date(i64),
    /// Nanoseconds since 1970.
    DateNanos(i64),
    Span(TimeSpan),
    /// Longitude and latitude in degrees.
    Point(f64, f64),
    /// Two or more.
    Many(Arc<[Value]>),
}

/// A borrowed value, as functions take it.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs)]
pub enum ValueRef<'a> {
    Null,
    Bool(bool),
    Int(i32),
    Long(i64),
    UnsignedLong(u64),
    Double(f64),
    Text(&'a str),
    Ip(IpAddr),
    Version(&'a str),
    Date(i64),
    DateNanos(i64),
    Span(TimeSpan),
    Point(f64, f64),
    Many(&'a [Value]),
}

impl Value {
    /// A text.
    pub fn text(text: impl AsRef<str>) -> Self {
        Self::Text(Arc::from(text.as_ref()))
    }

    /// None is null, one is itself, more are several.
    pub fn from_values(mut values: Vec<Value>) -> Self {
        match values.len() {
            0 => Self::Null,
            1 => values.swap_remove(0),
            _ => Self::Many(values.into()),
        }
    }

    /// The same, borrowed.
    pub fn borrowed(&self) -> ValueRef<'_> {
        match self {
            Self::Null => ValueRef::Null,
            Self::Bool(value) => ValueRef::Bool(*value),
            Self::Int(value) => ValueRef::Int(*value),
            Self::Long(value) => ValueRef::Long(*value),
            Self::UnsignedLong(value) => ValueRef::UnsignedLong(*value),
            Self::Double(value) => ValueRef::Double(*value),
            Self::Text(text) => ValueRef::Text(text),
            Self::Ip(ip) => ValueRef::Ip(*ip),
            Self::Version(text) => ValueRef::Version(text),
            Self::Date(millis) => ValueRef::Date(*millis),
            Self::DateNanos(nanos) => ValueRef::DateNanos(*nanos),
            Self::Span(span) => ValueRef::Span(*span),
            Self::Point(x, y) => ValueRef::Point(*x, *y),
            Self::Many(values) => ValueRef::Many(values),
        }
    }

    /// Whether there is no value.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Whether it is one value, and true.
    pub fn is_true(&self) -> bool {
        matches!(self, Self::Bool(true))
    }

    /// The values one by one; none for null.
    pub fn values(&self) -> &[Value] {
        match self {
            Self::Null => &[],
            Self::Many(values) => values,
            one => std::slice::from_ref(one),
        }
    }

    /// The value as JSON: dates and addresses are texts, several values an array.
    pub fn to_json(&self) -> Json {
        match self {
            Self::Null => Json::Null,
            Self::Bool(value) => Json::from(*value),
            Self::Int(value) => Json::from(*value),
            Self::Long(value) => Json::from(*value),
            Self::UnsignedLong(value) => Json::from(*value),
            Self::Double(value) => Json::from(*value),
            Self::Many(values) => values.iter().map(Self::to_json).collect(),
            other => Json::from(to_text(other.borrowed())),
        }
    }

    /// About how much memory it holds beside its own place.
    pub fn heap_bytes(&self) -> usize {
        match self {
            Self::Text(text) | Self::Version(text) => text.len() + 16,
            Self::Many(values) => {
                values.iter().map(|value| size_of::<Self>() + value.heap_bytes()).sum::<usize>() + 16
            }
            _ => 0,
        }
    }

    /// The type that it is of by itself; null where nothing says.
    pub fn data_type(&self) -> DataType {
        match self {
            Self::Null => DataType::Null,
            Self::Bool(_) => DataType::Boolean,
            Self::Int(_) => DataType::Integer,
            Self::Long(_) => DataType::Long,
            Self::UnsignedLong(_) => DataType::UnsignedLong,
            Self::Double(_) => DataType::Double,
            Self::Text(_) => DataType::Keyword,
            Self::Ip(_) => DataType::Ip,
            Self::Version(_) => DataType::Version,
            Self::Date(_) => DataType::Datetime,
            Self::DateNanos(_) => DataType::DateNanos,
            Self::Span(TimeSpan::Period { .. }) => DataType::DatePeriod,
            Self::Span(TimeSpan::Duration(_)) => DataType::TimeDuration,
            Self::Point(..) => DataType::GeoPoint,
            Self::Many(values) => values.first().map_or(DataType::Null, Self::data_type),
        }
    }
}

impl<'a> ValueRef<'a> {
    /// The text of a keyword, text or version.
    pub fn as_text(self) -> Option<&'a str> {
        match self {
            Self::Text(text) | Self::Version(text) => Some(text),
            _ => None,
        }
    }

    /// A whole number.
    pub fn as_long(self) -> Option<i64> {
        match self {
            Self::Int(value) => Some(i64::from(value)),
            Self::Long(value) => Some(value),
            Self::UnsignedLong(value) => i64::try_from(value).ok(),
            _ => None,
        }
    }

    /// Any number as a double.
    pub fn as_double(self) -> Option<f64> {
        match self {
            Self::Int(value) => Some(f64::from(value)),
            Self::Long(value) => Some(value as f64),
            Self::UnsignedLong(value) => Some(value as f64),
            Self::Double(value) => Some(value),
            _ => None,
        }
    }

    /// The milliseconds of an instant.
    pub fn as_millis(self) -> Option<i64> {
        match self {
            Self::Date(millis) => Some(millis),
            Self::DateNanos(nanos) => Some(nanos.div_euclid(1_000_000)),
            _ => None,
        }
    }

    /// The same, owned.
    pub fn to_value(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(value),
            Self::Int(value) => Value::Int(value),
            Self::Long(value) => Value::Long(value),
            Self::UnsignedLong(value) => Value::UnsignedLong(value),
            Self::Double(value) => Value::Double(value),
            Self::Text(text) => Value::Text(text.into()),
            Self::Ip(ip) => Value::Ip(ip),
            Self::Version(text) => Value::Version(text.into()),
            Self::Date(millis) => Value::Date(millis),
            Self::DateNanos(nanos) => Value::DateNanos(nanos),
            Self::Span(span) => Value::Span(span),
            Self::Point(x, y) => Value::Point(x, y),
            Self::Many(values) => Value::Many(values.into()),
        }
    }
}

/// An address as 16 bytes, in which order and prefixes are those of Elasticsearch.
pub fn ip_bytes(ip: IpAddr) -> [u8; 16] {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().octets(),
        IpAddr::V6(ip) => ip.octets(),
    }
}

/// Back from 16 bytes; mapped addresses are of version 4.
pub fn ip_from_bytes(bytes: [u8; 16]) -> IpAddr {
    let ip = Ipv6Addr::from(bytes);
    ip.to_ipv4_mapped().map_or(IpAddr::V6(ip), IpAddr::V4)
}

/// Compares single values of the same kind; numbers of any width with each other. Others have no order.
pub fn compare(a: ValueRef<'_>, b: ValueRef<'_>) -> Option<Ordering> {
    use ValueRef as V;
    Some(match (a, b) {
        (V::Bool(a), V::Bool(b)) => a.cmp(&b),
        (V::Text(a), V::Text(b)) => a.cmp(b),
        (V::Version(a), V::Version(b)) => version::compare(a, b),
        (V::Version(a), V::Text(b)) | (V::Text(a), V::Version(b)) => version::compare(a, b),
        (V::Ip(a), V::Ip(b)) => ip_bytes(a).cmp(&ip_bytes(b)),
        (V::Date(a), V::Date(b)) | (V::DateNanos(a), V::DateNanos(b)) => a.cmp(&b),
        (V::Date(a), V::DateNanos(b)) => (i128::from(a) * 1_000_000).cmp(&i128::from(b)),
        (V::DateNanos(a), V::Date(b)) => i128::from(a).cmp(&(i128::from(b) * 1_000_000)),
        (V::Point(a, b), V::Point(c, d)) => a.total_cmp(&c).then(b.total_cmp(&d)),
        (V::Double(_), _) | (_, V::Double(_)) => compare_doubles(a.as_double()?, b.as_double()?),
        _ => whole(a)?.cmp(&whole(b)?),
    })
}

/// Both zeros are equal, and NaN comes last.
fn compare_doubles(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

fn whole(value: ValueRef<'_>) -> Option<i128> {
    match value {
        ValueRef::Int(value) => Some(i128::from(value)),
        ValueRef::Long(value) => Some(i128::from(value)),
        ValueRef::UnsignedLong(value) => Some(i128::from(value)),
        _ => None,
    }
}

/// Compares for sorting: values without an order between them stay as they are.
pub fn order(a: &Value, b: &Value) -> Ordering {
    compare(a.borrowed(), b.borrowed()).unwrap_or(Ordering::Equal)
}

/// Equal means the same group and the same distinct value: NaN equals itself, and so do both zeros.
impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Many(a), Self::Many(b)) => a == b,
            (Self::Span(a), Self::Span(b)) => a == b,
            (Self::Version(a), Self::Version(b)) => a == b,
            (a, b) => compare(a.borrowed(), b.borrowed()).is_some_and(Ordering::is_eq),
        }
    }
}

impl Eq for Value {}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::Null => 0_u8.hash(state),
            Self::Bool(value) => value.hash(state),
            Self::Int(_) | Self::Long(_) | Self::UnsignedLong(_) | Self::Double(_) => {
                // Equal numbers of different widths have to hash the same.
                let double = self.borrowed().as_double().unwrap_or(0.0);
                (if double == 0.0 { 0.0 } else { double }).to_bits().hash(state);
            }
            Self::Text(text) | Self::Version(text) => text.hash(state),
            Self::Ip(ip) => ip_bytes(*ip).hash(state),
            Self::Date(millis) => (i128::from(*millis) * 1_000_000).hash(state),
            Self::DateNanos(nanos) => i128::from(*nanos).hash(state),
            Self::Span(span) => span.hash(state),
            Self::Point(x, y) => (x.to_bits(), y.to_bits()).hash(state),
            Self::Many(values) => values.hash(state),
        }
    }
}
