//! The scalar of an event as the type of its field.
//!
//! A scalar that the type cannot hold stays the string it was written as, so that events of conflicting types are
//! tolerated. A number in a field of text is the text that it is written as (`1e3`), as in Elasticsearch.

use std::borrow::Cow;

use crate::field::{Field, FieldType};
use crate::ip::parse_ip;
use crate::value::{Value, ValueRef};
use crate::wildcard;

/// A JSON scalar before it gets its field's type.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Scalar<'a> {
    Boolean(bool),
    /// A number as it is written, by JSON's grammar, and within the range of floats.
    Number(&'a str),
    Text(&'a str),
}

impl<'a> Scalar<'a> {
    fn text(self) -> &'a str {
        match self {
            Self::Boolean(true) => "true",
            Self::Boolean(false) => "false",
            Self::Number(text) | Self::Text(text) => text,
        }
    }

    fn to_value(self) -> ValueRef<'a> {
        match self {
            Self::Boolean(value) => ValueRef::Boolean(value),
            Self::Number(text) => number(text),
            Self::Text(text) => ValueRef::Text(text),
        }
    }
}

/// A number as JSON parsers take it: an integer where it is one and fits 64 bits, else a float. `-0` is a float.
fn number<'a>(text: &str) -> ValueRef<'a> {
    let float = || ValueRef::Double(text.parse().unwrap_or(f64::NAN));
    if text.bytes().any(|byte| matches!(byte, b'.' | b'e' | b'E')) {
        return float();
    }
    match text.parse::<i64>() {
        Ok(0) if text.starts_with('-') => ValueRef::Double(-0.0),
        Ok(value) => ValueRef::Long(value),
        Err(_) => text.parse().map_or_else(|_| float(), ValueRef::Unsigned),
    }
}

/// The text that a field with a normalizer has for another.
pub(crate) fn normalized<'t>(text: &'t str, field: &Field) -> Cow<'t, str> {
    if field.lowercase { wildcard::fold(text) } else { Cow::Borrowed(text) }
}

/// The scalar as the field's type. Texts are not normalized here ([`normalized`]).
pub(crate) fn coerce<'a>(scalar: Scalar<'a>, field: &Field) -> ValueRef<'a> {
    let typed = match field.kind {
        FieldType::Keyword
        | FieldType::ConstantKeyword
        | FieldType::Wildcard
        | FieldType::Flattened
        | FieldType::Text
        | FieldType::Binary => None,
        FieldType::Long | FieldType::UnsignedLong if field.cuts_fractions => to_integer(scalar),
        FieldType::Long | FieldType::UnsignedLong => {
            to_integer(scalar).and_then(|whole| keep_fraction(scalar, whole))
        }
        FieldType::Double => to_double(scalar),
        FieldType::Boolean => to_boolean(scalar),
        FieldType::Ip => match scalar {
            Scalar::Text(text) => parse_ip(text).map(ValueRef::Ip),
            _ => None,
        },
        FieldType::Date | FieldType::DateNanos => to_date(scalar, field),
        FieldType::Version => Some(ValueRef::Version(scalar.text())),
        FieldType::Nested | FieldType::Object | FieldType::Unsupported | FieldType::Unknown => {
            Some(scalar.to_value())
        }
    };
    typed.unwrap_or(ValueRef::Text(scalar.text()))
}

/// The number itself where cutting its fraction would change it.
fn keep_fraction<'a>(scalar: Scalar<'_>, whole: ValueRef<'a>) -> Option<ValueRef<'a>> {
    match to_double(scalar)? {
        ValueRef::Double(value) if value.fract() != 0.0 => Some(ValueRef::Double(value)),
        _ => Some(whole),
    }
}

/// Fractions are cut, as Elasticsearch's `coerce` does.
fn to_integer<'a>(scalar: Scalar<'_>) -> Option<ValueRef<'a>> {
    match scalar {
        Scalar::Number(text) => match number(text) {
            ValueRef::Double(value) => Some(cut(value)),
            whole => Some(whole),
        },
        Scalar::Text(text) => match text.trim().parse::<i64>() {
            Ok(value) => Some(ValueRef::Long(value)),
            Err(_) => match text.trim().parse::<u64>() {
                Ok(value) => Some(ValueRef::Unsigned(value)),
                Err(_) => finite(text).map(cut),
            },
        },
        Scalar::Boolean(_) => None,
    }
}

fn cut<'a>(value: f64) -> ValueRef<'a> {
    if value.abs() < 9.2e18 { ValueRef::Long(value.trunc() as i64) } else { ValueRef::Double(value) }
}

fn to_double<'a>(scalar: Scalar<'_>) -> Option<ValueRef<'a>> {
    match scalar {
        Scalar::Number(text) => number(text).as_double().map(ValueRef::Double),
        Scalar::Text(text) => finite(text).map(ValueRef::Double),
        Scalar::Boolean(_) => None,
    }
}

fn finite(text: &str) -> Option<f64> {
    text.trim().parse::<f64>().ok().filter(|value| value.is_finite())
}

fn to_boolean<'a>(scalar: Scalar<'_>) -> Option<ValueRef<'a>> {
    match scalar {
        Scalar::Boolean(value) => Some(ValueRef::Boolean(value)),
        Scalar::Text("true") => Some(ValueRef::Boolean(true)),
        Scalar::Text("false" | "") => Some(ValueRef::Boolean(false)),
        _ => None,
    }
}

fn to_date<'a>(scalar: Scalar<'_>, field: &Field) -> Option<ValueRef<'a>> {
    let nanos = match scalar {
        Scalar::Text(text) => field.date_format.parse(text, false)?,
        Scalar::Number(text) => match number(text) {
            ValueRef::Long(number) => field.date_format.parse_number(number)?,
            ValueRef::Unsigned(_) => i64::MAX,
            _ => field.date_format.parse(text, false)?,
        },
        Scalar::Boolean(_) => return None,
    };
    Some(ValueRef::Date(nanos))
}

impl ValueRef<'_> {
    /// A copy that borrows nothing; with `lowercase`, of the normalized text.
    pub(crate) fn to_value(self, lowercase: bool) -> Value {
        match self {
            ValueRef::Text(text) if lowercase => Value::Text(wildcard::fold(text).into()),
            other => other.into_value(),
        }
    }
}
