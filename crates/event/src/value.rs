//! A decoded value of a field.

use std::cmp::Ordering;
use std::net::IpAddr;

use crate::version;

/// One value of a field, decoded as the field's type.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `true` or `false`.
    Boolean(bool),
    /// An integer that fits 64 bits with a sign.
    Long(i64),
    /// An integer above [`i64::MAX`].
    Unsigned(u64),
    /// A floating point number.
    Double(f64),
    /// A string; also a value that its field's type cannot hold, as it was written.
    Text(Box<str>),
    /// An address; an IPv4 address mapped into IPv6 is the IPv4 address.
    Ip(IpAddr),
    /// Nanoseconds since 1970, saturating at the years 1677 and 2262.
    Date(i64),
    /// A software version.
    Version(Box<str>),
    /// The field is an object; only presence can be asked.
    Object,
}

/// A value that is looked at: as [`Value`], but texts are borrowed.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs)]
pub enum ValueRef<'a> {
    Boolean(bool),
    Long(i64),
    Unsigned(u64),
    Double(f64),
    Text(&'a str),
    Ip(IpAddr),
    Date(i64),
    Version(&'a str),
    Object,
}

impl Value {
    /// The value, borrowed.
    pub fn borrowed(&self) -> ValueRef<'_> {
        match self {
            Self::Boolean(value) => ValueRef::Boolean(*value),
            Self::Long(value) => ValueRef::Long(*value),
            Self::Unsigned(value) => ValueRef::Unsigned(*value),
            Self::Double(value) => ValueRef::Double(*value),
            Self::Text(text) => ValueRef::Text(text),
            Self::Ip(ip) => ValueRef::Ip(*ip),
            Self::Date(nanos) => ValueRef::Date(*nanos),
            Self::Version(text) => ValueRef::Version(text),
            Self::Object => ValueRef::Object,
        }
    }

    /// The string, for values that are strings.
    pub fn as_text(&self) -> Option<&str> {
        self.borrowed().as_text()
    }

    /// A string value.
    pub fn text(text: impl Into<Box<str>>) -> Self {
        Self::Text(text.into())
    }
}

impl<'a> ValueRef<'a> {
    /// The string, for values that are strings.
    pub fn as_text(self) -> Option<&'a str> {
        match self {
            Self::Text(text) | Self::Version(text) => Some(text),
            _ => None,
        }
    }

    /// The number as a float, for values that are numbers.
    pub fn as_double(self) -> Option<f64> {
        match self {
            Self::Long(value) => Some(value as f64),
            Self::Unsigned(value) => Some(value as f64),
            Self::Double(value) => Some(value),
            _ => None,
        }
    }

    /// A total order: by type, then by value; the order of doc values within one type.
    pub fn total_cmp(&self, other: &ValueRef<'_>) -> Ordering {
        match (self, other) {
            (ValueRef::Boolean(a), ValueRef::Boolean(b)) => a.cmp(b),
            (ValueRef::Text(a), ValueRef::Text(b)) => a.cmp(b),
            (ValueRef::Ip(a), ValueRef::Ip(b)) => crate::ip::sort_key(*a).cmp(&crate::ip::sort_key(*b)),
            (ValueRef::Date(a), ValueRef::Date(b)) => a.cmp(b),
            (ValueRef::Version(a), ValueRef::Version(b)) => version::compare(a, b),
            _ => compare_numbers(self, other).unwrap_or_else(|| self.type_rank().cmp(&other.type_rank())),
        }
    }

    /// A copy that borrows nothing.
    pub fn into_value(self) -> Value {
        match self {
            Self::Boolean(value) => Value::Boolean(value),
            Self::Long(value) => Value::Long(value),
            Self::Unsigned(value) => Value::Unsigned(value),
            Self::Double(value) => Value::Double(value),
            Self::Text(text) => Value::text(text),
            Self::Ip(ip) => Value::Ip(ip),
            Self::Date(nanos) => Value::Date(nanos),
            Self::Version(text) => Value::Version(text.into()),
            Self::Object => Value::Object,
        }
    }

    fn type_rank(&self) -> u8 {
        match self {
            Self::Boolean(_) => 0,
            Self::Long(_) | Self::Unsigned(_) | Self::Double(_) => 1,
            Self::Date(_) => 2,
            Self::Ip(_) => 3,
            Self::Version(_) => 4,
            Self::Text(_) => 5,
            Self::Object => 6,
        }
    }
}

/// Compares two numbers exactly (an integer never goes through a float that cannot hold it); none when one of
/// them is no number. NaN sorts after everything.
pub fn compare_numbers(a: &ValueRef<'_>, b: &ValueRef<'_>) -> Option<Ordering> {
    use ValueRef::{Double, Long, Unsigned};
    Some(match (a, b) {
        (Long(a), Long(b)) => a.cmp(b),
        (Unsigned(a), Unsigned(b)) => a.cmp(b),
        (Long(_), Unsigned(_)) => Ordering::Less,
        (Unsigned(_), Long(_)) => Ordering::Greater,
        (Double(a), Double(b)) => a.total_cmp(b),
        (Long(a), Double(b)) => compare_integer_double(i128::from(*a), *b),
        (Unsigned(a), Double(b)) => compare_integer_double(i128::from(*a), *b),
        (Double(a), Long(b)) => compare_integer_double(i128::from(*b), *a).reverse(),
        (Double(a), Unsigned(b)) => compare_integer_double(i128::from(*b), *a).reverse(),
        _ => return None,
    })
}

fn compare_integer_double(integer: i128, double: f64) -> Ordering {
    if double.is_nan() {
        return Ordering::Less;
    }
    // Beyond 2^64 every float is further away than any 64-bit integer; below, the cast of the floor is exact.
    let floor = double.floor();
    if floor.abs() > 2e19 {
        return if double > 0.0 { Ordering::Less } else { Ordering::Greater };
    }
    integer.cmp(&(floor as i128)).then(if double > floor { Ordering::Less } else { Ordering::Equal })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_compare_exactly_across_types() {
        let check = |a: Value, b: Value, expected: Ordering| {
            assert_eq!(compare_numbers(&a.borrowed(), &b.borrowed()), Some(expected), "{a:?} {b:?}");
            assert_eq!(
                compare_numbers(&b.borrowed(), &a.borrowed()),
                Some(expected.reverse()),
                "{b:?} {a:?}"
            );
        };
        check(Value::Long(3), Value::Double(3.0), Ordering::Equal);
        check(Value::Long(3), Value::Double(3.5), Ordering::Less);
        check(Value::Long(-3), Value::Double(-3.5), Ordering::Greater);
        check(Value::Long(i64::MAX), Value::Double(9.3e18), Ordering::Less);
        check(Value::Long(i64::MAX), Value::Unsigned(u64::MAX), Ordering::Less);
        check(Value::Unsigned(u64::MAX), Value::Double(1e300), Ordering::Less);
        check(Value::Long(i64::MIN), Value::Double(f64::NEG_INFINITY), Ordering::Greater);
    }
}
