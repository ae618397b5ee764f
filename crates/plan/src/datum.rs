//! Values while an expression is evaluated.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::net::IpAddr;

use maxspan_event::{Value, ValueRef, compare_numbers, date, parse_ip, version};

/// A value or null. Strings of the event are borrowed.
#[derive(Debug, Clone, PartialEq)]
pub enum Datum<'a> {
    /// Missing or undefined.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// An integer.
    Long(i64),
    /// An integer above [`i64::MAX`].
    Unsigned(u64),
    /// A floating point number.
    Double(f64),
    /// A string.
    Text(Cow<'a, str>),
    /// An address.
    Ip(IpAddr),
    /// Nanoseconds since 1970.
    Date(i64),
    /// A software version.
    Version(Cow<'a, str>),
}

impl Datum<'_> {
    /// An owned string.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(Cow::Owned(text.into()))
    }

    /// Whether it is null.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The string, for strings and versions.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Version(text) => Some(text),
            _ => None,
        }
    }

    /// The truth value; none for null and for what is no boolean.
    pub fn as_boolean(&self) -> Option<bool> {
        match self {
            Self::Boolean(value) => Some(*value),
            _ => None,
        }
    }

    /// The integer, for integers.
    pub fn as_long(&self) -> Option<i64> {
        match self {
            Self::Long(value) => Some(*value),
            _ => None,
        }
    }

    /// The number as a float, for numbers.
    pub fn as_double(&self) -> Option<f64> {
        self.as_number()?.borrowed().as_double()
    }

    /// A copy that borrows nothing.
    pub fn into_owned(self) -> Datum<'static> {
        match self {
            Self::Null => Datum::Null,
            Self::Boolean(value) => Datum::Boolean(value),
            Self::Long(value) => Datum::Long(value),
            Self::Unsigned(value) => Datum::Unsigned(value),
            Self::Double(value) => Datum::Double(value),
            Self::Text(text) => Datum::Text(Cow::Owned(text.into_owned())),
            Self::Ip(ip) => Datum::Ip(ip),
            Self::Date(nanos) => Datum::Date(nanos),
            Self::Version(text) => Datum::Version(Cow::Owned(text.into_owned())),
        }
    }

    /// The value as text, as the function `string` prints it; none for null.
    pub fn to_text(&self) -> Option<Cow<'_, str>> {
        Some(match self {
            Self::Null => return None,
            Self::Boolean(value) => Cow::Borrowed(if *value { "true" } else { "false" }),
            Self::Long(value) => Cow::Owned(value.to_string()),
            Self::Unsigned(value) => Cow::Owned(value.to_string()),
            Self::Double(value) => Cow::Owned(format_double(*value)),
            Self::Text(text) | Self::Version(text) => Cow::Borrowed(text),
            Self::Ip(ip) => Cow::Owned(ip.to_string()),
            Self::Date(nanos) => Cow::Owned(date::format_millis(*nanos)),
        })
    }

    pub(crate) fn as_number(&self) -> Option<Value> {
        match self {
            Self::Long(value) => Some(Value::Long(*value)),
            Self::Unsigned(value) => Some(Value::Unsigned(*value)),
            Self::Double(value) => Some(Value::Double(*value)),
            _ => None,
        }
    }
}

impl<'a> From<ValueRef<'a>> for Datum<'a> {
    fn from(value: ValueRef<'a>) -> Self {
        match value {
            ValueRef::Boolean(value) => Self::Boolean(value),
            ValueRef::Long(value) => Self::Long(value),
            ValueRef::Unsigned(value) => Self::Unsigned(value),
            ValueRef::Double(value) => Self::Double(value),
            ValueRef::Text(text) => Self::Text(Cow::Borrowed(text)),
            ValueRef::Ip(ip) => Self::Ip(ip),
            ValueRef::Date(nanos) => Self::Date(nanos),
            ValueRef::Version(text) => Self::Version(Cow::Borrowed(text)),
            ValueRef::Object => Self::Null,
        }
    }
}

/// Whole numbers keep one decimal, as Java prints doubles.
fn format_double(value: f64) -> String {
    if value.is_finite() && value.fract() == 0.0 && value.abs() < 1e7 {
        format!("{value:.1}")
    } else {
        value.to_string()
    }
}

/// The order of two values of comparable types; none for null and for types that have no common order.
pub fn compare(a: &Datum<'_>, b: &Datum<'_>) -> Option<Ordering> {
    match (a, b) {
        (Datum::Boolean(a), Datum::Boolean(b)) => Some(a.cmp(b)),
        (Datum::Version(a), Datum::Version(b) | Datum::Text(b)) => Some(version::compare(a, b)),
        (Datum::Text(a), Datum::Version(b)) => Some(version::compare(a, b)),
        (Datum::Text(a), Datum::Text(b)) => Some(a.cmp(b)),
        (Datum::Ip(_), _) | (_, Datum::Ip(_)) => Some(to_ip(a)?.borrowed().total_cmp(&to_ip(b)?.borrowed())),
        (Datum::Date(_), _) | (_, Datum::Date(_)) => Some(to_millis(a)?.cmp(&to_millis(b)?)),
        _ => compare_numbers(&a.as_number()?.borrowed(), &b.as_number()?.borrowed()),
    }
}

/// Equality: none when either is null, false when the types have nothing in common.
pub fn equals(a: &Datum<'_>, b: &Datum<'_>) -> Option<bool> {
    if a.is_null() || b.is_null() {
        return None;
    }
    Some(compare(a, b) == Some(Ordering::Equal))
}

fn to_ip(datum: &Datum<'_>) -> Option<Value> {
    match datum {
        Datum::Ip(ip) => Some(Value::Ip(*ip)),
        Datum::Text(text) => parse_ip(text).map(Value::Ip),
        _ => None,
    }
}

/// Instants compare with the precision of Elasticsearch's `date`.
fn to_millis(datum: &Datum<'_>) -> Option<i64> {
    match datum {
        Datum::Date(nanos) => Some(date::to_millis(*nanos)),
        Datum::Text(text) => date::parse(text).map(date::to_millis),
        Datum::Long(millis) => Some(*millis),
        _ => None,
    }
}
