//! Atoms: the questions about one field that the prefilter can answer for all rules at once.

use std::hash::Hasher;

use maxspan_event::{Fields, Slot, ValueRef, date};
use rustc_hash::FxHasher;

/// A question about one field. An event that has no value that answers it with yes cannot satisfy what requires it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Atom {
    pub(crate) slot: Slot,
    pub(crate) kind: AtomKind,
}

/// What is asked of a value. Texts are folded ([`maxspan_event::wildcard::fold`]), whether case counts or not.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum AtomKind {
    /// There is a value.
    Present,
    /// The text of the value.
    Text(Box<str>),
    /// A part of the text.
    Part(Box<str>, Place),
    /// A value that is no text, by [`value_hash`], and how it is written. Values of one hash are written alike.
    Value(u64, Box<str>),
}

/// Where in the text a part stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Place {
    Anywhere,
    Start,
    End,
}

impl Place {
    /// Whether a part from `start` to `end` of a text of this length stands there.
    #[inline]
    pub(crate) fn holds(self, start: usize, end: usize, length: usize) -> bool {
        match self {
            Self::Anywhere => true,
            Self::Start => start == 0,
            Self::End => end == length,
        }
    }
}

impl Atom {
    /// As `rules explain` and profiles write it.
    pub(crate) fn describe(&self, fields: &Fields) -> String {
        let name = &fields.field(self.slot).name;
        match &self.kind {
            AtomKind::Present => format!("{name} is there"),
            AtomKind::Text(text) => format!("{name} = {text:?}"),
            AtomKind::Part(text, Place::Anywhere) => format!("{name} has {text:?}"),
            AtomKind::Part(text, Place::Start) => format!("{name} begins with {text:?}"),
            AtomKind::Part(text, Place::End) => format!("{name} ends with {text:?}"),
            AtomKind::Value(_, text) => format!("{name} = {text}"),
        }
    }
}

impl AtomKind {
    /// The question whether a value equals this one; none for what is asked in another way.
    pub(crate) fn equals(value: ValueRef<'_>) -> Option<Self> {
        let hash = value_hash(value)?;
        let text = match value {
            ValueRef::Boolean(value) => value.to_string(),
            ValueRef::Date(nanos) => date::format_millis(date::from_millis(date::to_millis(nanos))),
            ValueRef::Ip(ip) => ip.to_canonical().to_string(),
            number => (number.as_double()? + 0.0).to_string(),
        };
        Some(Self::Value(hash, text.into()))
    }
}

/// A hash under which values that compare as equal are equal; none for what is asked in another way.
pub(crate) fn value_hash(value: ValueRef<'_>) -> Option<u64> {
    let (tag, bits) = match value {
        ValueRef::Boolean(value) => (0, u128::from(value)),
        ValueRef::Date(nanos) => (1, i128::from(date::to_millis(nanos)) as u128),
        ValueRef::Ip(ip) => (
            2,
            u128::from_be_bytes(match ip {
                std::net::IpAddr::V4(ip) => ip.to_ipv6_mapped().octets(),
                std::net::IpAddr::V6(ip) => ip.octets(),
            }),
        ),
        ValueRef::Text(_) | ValueRef::Version(_) | ValueRef::Object => return None,
        // An integer and a float that are equal are the same float; both zeros are equal.
        number => (3, u128::from((number.as_double()? + 0.0).to_bits())),
    };
    let mut hasher = FxHasher::default();
    hasher.write_u8(tag);
    hasher.write_u128(bits);
    Some(hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_have_one_hash() {
        use ValueRef::{Boolean, Date, Double, Ip, Long, Unsigned};
        let check = |a: ValueRef<'_>, b: ValueRef<'_>, same: bool| {
            assert_eq!(value_hash(a) == value_hash(b), same, "{a:?} {b:?}");
            assert_eq!(AtomKind::equals(a) == AtomKind::equals(b), same, "{a:?} {b:?}");
        };
        check(Long(3), Double(3.0), true);
        check(Double(0.0), Double(-0.0), true);
        check(Unsigned(u64::MAX), Double(u64::MAX as f64), true);
        check(Date(1_000_001), Date(1_999_999), true);
        check(Long(3), Long(4), false);
        check(Boolean(true), Long(1), false);
        check(Ip("10.0.0.1".parse().unwrap()), Ip("10.0.0.2".parse().unwrap()), false);
        check(Ip("10.0.0.1".parse().unwrap()), Ip("::ffff:10.0.0.1".parse().unwrap()), true);
    }

    #[test]
    fn values_are_written_for_people() {
        let mut fields = Fields::default();
        let slot = fields.slot(&maxspan_event::Field::new("x", maxspan_event::FieldType::Long));
        let check = |value: ValueRef<'_>, expected: &str| {
            let atom = Atom { slot, kind: AtomKind::equals(value).unwrap() };
            assert_eq!(atom.describe(&fields), expected);
        };
        check(ValueRef::Long(443), "x = 443");
        check(ValueRef::Double(-0.0), "x = 0");
        check(ValueRef::Boolean(true), "x = true");
        check(ValueRef::Ip("192.0.2.1".parse().unwrap()), "x = 192.0.2.1");
        check(ValueRef::Date(1_500_000), "x = 1970-01-01T00:00:00.001Z");
    }
}
