//! Join keys.

use std::net::IpAddr;

use maxspan_event::{ValueRef, date};

/// One value of a join key. Equal values join; null equals null.
///
/// The order of variants and values is the order of samples: null first, then ascending.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KeyValue {
    /// The field is missing; only for optional keys.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// An integer.
    Long(i64),
    /// An integer above [`i64::MAX`].
    Unsigned(u64),
    /// A float, by its bits.
    Double(u64),
    /// Milliseconds since 1970.
    Date(i64),
    /// An address.
    Ip(IpAddr),
    /// A string.
    Text(Box<str>),
    /// A version, compared as text.
    Version(Box<str>),
}

/// The values of all keys of a stage, in order.
pub type KeyTuple = Box<[KeyValue]>;

/// How dates in keys are printed: Elasticsearch does it differently for sequences and for samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyStyle {
    /// ISO 8601.
    Sequence,
    /// Milliseconds since 1970.
    Sample,
}

impl KeyValue {
    /// The key for a decoded value; none for an object.
    pub fn from_value(value: ValueRef<'_>) -> Option<Self> {
        Some(match value {
            ValueRef::Boolean(value) => Self::Boolean(value),
            ValueRef::Long(value) => Self::Long(value),
            ValueRef::Unsigned(value) => Self::Unsigned(value),
            // Both zeros are one key.
            ValueRef::Double(value) => Self::Double(if value == 0.0 { 0.0_f64 } else { value }.to_bits()),
            ValueRef::Date(nanos) => Self::Date(date::to_millis(nanos)),
            ValueRef::Ip(ip) => Self::Ip(ip),
            ValueRef::Text(text) => Self::Text(text.into()),
            ValueRef::Version(text) => Self::Version(text.into()),
            ValueRef::Object => return None,
        })
    }

    /// As results print it; none for null.
    pub fn to_text(&self, style: KeyStyle) -> Option<String> {
        Some(match self {
            Self::Null => return None,
            Self::Boolean(value) => value.to_string(),
            Self::Long(value) => value.to_string(),
            Self::Unsigned(value) => value.to_string(),
            Self::Double(bits) => f64::from_bits(*bits).to_string(),
            Self::Date(millis) if style == KeyStyle::Sequence => {
                date::format_millis(date::from_millis(*millis))
            }
            Self::Date(millis) => millis.to_string(),
            Self::Ip(ip) => ip.to_string(),
            Self::Text(text) | Self::Version(text) => text.to_string(),
        })
    }
}

/// All tuples that the values of several keys make: the cartesian product, in order. `values` holds the distinct
/// values of each key; a key without any makes no tuple. Stops at `max` and says how many tuples were left out.
pub fn tuples(values: &[Vec<KeyValue>], max: usize) -> (Vec<KeyTuple>, u64) {
    let total = values.iter().map(|one| one.len() as u64).fold(1, u64::saturating_mul);
    let mut made = Vec::new();
    let mut indices = vec![0; values.len()];
    while (made.len() as u64) < total && made.len() < max {
        made.push(indices.iter().zip(values).map(|(index, one)| one[*index].clone()).collect());
        // The last key turns fastest.
        for place in (0..indices.len()).rev() {
            indices[place] += 1;
            if indices[place] < values[place].len() {
                break;
            }
            indices[place] = 0;
        }
    }
    let dropped = total - made.len() as u64;
    (made, dropped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_multiply() {
        let long = |values: &[i64]| values.iter().map(|value| KeyValue::Long(*value)).collect::<Vec<_>>();
        let check = |values: &[Vec<KeyValue>], max: usize, count: usize, dropped: u64| {
            let (made, left) = tuples(values, max);
            assert_eq!((made.len(), left), (count, dropped), "{values:?}");
        };
        check(&[], 10, 1, 0);
        check(&[long(&[1, 2]), long(&[3, 4, 5])], 10, 6, 0);
        check(&[long(&[1, 2]), long(&[3, 4, 5])], 4, 4, 2);
        check(&[long(&[1]), long(&[])], 10, 0, 0);
        let (made, _) = tuples(&[long(&[1, 2]), long(&[3, 4])], 10);
        assert_eq!(made[1].as_ref(), [KeyValue::Long(1), KeyValue::Long(4)]);
    }
}
