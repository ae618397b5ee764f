//! Values as bytes that sort like the values, and back.
//!
//! What is held back is kept as bytes: they take less memory than values, can be put into a file as they are, and two of
//! them are compared as bytes. Every writer here is self-delimiting, so that the order of several values written one
//! after the other is the order of the values. What is read may come from a file that somebody else changed, so reading
//! never panics: it gives nothing.

use std::net::IpAddr;

use maxspan_event::EventId;

use crate::key::{KeyTuple, KeyValue};

/// The first byte of a key's value, in the order of [`KeyValue`]'s variants.
mod tag {
    pub(super) const NULL: u8 = 0;
    pub(super) const BOOLEAN: u8 = 1;
    pub(super) const LONG: u8 = 2;
    pub(super) const UNSIGNED: u8 = 3;
    pub(super) const DOUBLE: u8 = 4;
    pub(super) const DATE: u8 = 5;
    pub(super) const IP_V4: u8 = 6;
    pub(super) const IP_V6: u8 = 7;
    pub(super) const TEXT: u8 = 8;
    pub(super) const VERSION: u8 = 9;
}

/// Ends a text; a zero inside is written as [`ESCAPED_ZERO`].
const TEXT_END: [u8; 2] = [0, 0];
const ESCAPED_ZERO: [u8; 2] = [0, 1];

const SIGN: u64 = 1 << 63;

pub(crate) fn put_u32(out: &mut Vec<u8>, value: u32) {
    out.extend_from_slice(&value.to_be_bytes());
}

pub(crate) fn put_u64(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(&value.to_be_bytes());
}

pub(crate) fn put_i64(out: &mut Vec<u8>, value: i64) {
    put_u64(out, value as u64 ^ SIGN);
}

/// None comes first.
pub(crate) fn put_optional(out: &mut Vec<u8>, value: Option<i64>) {
    match value {
        None => out.push(0),
        Some(value) => {
            out.push(1);
            put_i64(out, value);
        }
    }
}

/// A text that sorts as its bytes do, before any longer one that begins with it.
pub(crate) fn put_text(out: &mut Vec<u8>, text: &[u8]) {
    let mut parts = text.split(|byte| *byte == 0);
    out.extend_from_slice(parts.next().unwrap_or_default());
    for part in parts {
        out.extend_from_slice(&ESCAPED_ZERO);
        out.extend_from_slice(part);
    }
    out.extend_from_slice(&TEXT_END);
}

/// An event's id; given ones come first.
pub(crate) fn put_id(out: &mut Vec<u8>, id: &EventId) {
    match id {
        EventId::Given(id) => {
            out.push(0);
            put_text(out, id.as_bytes());
        }
        EventId::Content { hash, occurrence } => {
            out.push(1);
            put_u64(out, *hash);
            put_u32(out, *occurrence);
        }
    }
}

/// A value of a key; the bytes sort like the values.
pub(crate) fn put_key(out: &mut Vec<u8>, value: &KeyValue) {
    match value {
        KeyValue::Null => out.push(tag::NULL),
        KeyValue::Boolean(value) => out.extend_from_slice(&[tag::BOOLEAN, u8::from(*value)]),
        KeyValue::Long(value) => {
            out.push(tag::LONG);
            put_i64(out, *value);
        }
        KeyValue::Unsigned(value) => {
            out.push(tag::UNSIGNED);
            put_u64(out, *value);
        }
        KeyValue::Double(bits) => {
            out.push(tag::DOUBLE);
            put_u64(out, *bits);
        }
        KeyValue::Date(millis) => {
            out.push(tag::DATE);
            put_i64(out, *millis);
        }
        KeyValue::Ip(IpAddr::V4(ip)) => {
            out.push(tag::IP_V4);
            out.extend_from_slice(&ip.octets());
        }
        KeyValue::Ip(IpAddr::V6(ip)) => {
            out.push(tag::IP_V6);
            out.extend_from_slice(&ip.octets());
        }
        KeyValue::Text(text) => {
            out.push(tag::TEXT);
            put_text(out, text.as_bytes());
        }
        KeyValue::Version(text) => {
            out.push(tag::VERSION);
            put_text(out, text.as_bytes());
        }
    }
}

/// All values of a tuple.
pub(crate) fn put_tuple(out: &mut Vec<u8>, tuple: &[KeyValue]) {
    for value in tuple {
        put_key(out, value);
    }
}

/// The values of a tuple that [`put_tuple`] wrote.
pub(crate) fn tuple(bytes: &[u8]) -> Option<KeyTuple> {
    let mut reader = Bytes(bytes);
    let mut values = Vec::new();
    while !reader.0.is_empty() {
        values.push(reader.key()?);
    }
    Some(values.into())
}

/// Bytes that are read from the front.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bytes<'a>(pub(crate) &'a [u8]);

impl<'a> Bytes<'a> {
    pub(crate) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const COUNT: usize>(&mut self) -> Option<[u8; COUNT]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.array().map(|[byte]: [u8; 1]| byte)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    pub(crate) fn i64(&mut self) -> Option<i64> {
        self.u64().map(|bits| (bits ^ SIGN) as i64)
    }

    pub(crate) fn u128(&mut self) -> Option<u128> {
        self.array().map(u128::from_be_bytes)
    }

    /// What [`put_optional`] wrote.
    pub(crate) fn optional(&mut self, into: &mut Option<i64>) -> Option<()> {
        *into = if self.u8()? == 0 { None } else { Some(self.i64()?) };
        Some(())
    }

    pub(crate) fn text(&mut self) -> Option<Box<str>> {
        let mut text = Vec::new();
        loop {
            let zero = self.0.iter().position(|byte| *byte == 0)?;
            text.extend_from_slice(self.take(zero)?);
            if self.array::<2>()? == TEXT_END {
                return String::from_utf8(text).ok().map(String::into_boxed_str);
            }
            text.push(0);
        }
    }

    pub(crate) fn id(&mut self) -> Option<EventId> {
        match self.u8()? {
            0 => self.text().map(EventId::Given),
            1 => Some(EventId::Content { hash: self.u64()?, occurrence: self.u32()? }),
            _ => None,
        }
    }

    pub(crate) fn key(&mut self) -> Option<KeyValue> {
        Some(match self.u8()? {
            tag::NULL => KeyValue::Null,
            tag::BOOLEAN => KeyValue::Boolean(self.u8()? != 0),
            tag::LONG => KeyValue::Long(self.i64()?),
            tag::UNSIGNED => KeyValue::Unsigned(self.u64()?),
            tag::DOUBLE => KeyValue::Double(self.u64()?),
            tag::DATE => KeyValue::Date(self.i64()?),
            tag::IP_V4 => KeyValue::Ip(IpAddr::from(self.array::<4>()?)),
            tag::IP_V6 => KeyValue::Ip(IpAddr::from(self.array::<16>()?)),
            tag::TEXT => KeyValue::Text(self.text()?),
            tag::VERSION => KeyValue::Version(self.text()?),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> Vec<KeyValue> {
        let text = |text: &str| KeyValue::Text(text.into());
        let ip = |text: &str| KeyValue::Ip(text.parse().unwrap());
        vec![
            KeyValue::Null,
            KeyValue::Boolean(false),
            KeyValue::Boolean(true),
            KeyValue::Long(i64::MIN),
            KeyValue::Long(-1),
            KeyValue::Long(0),
            KeyValue::Long(i64::MAX),
            KeyValue::Unsigned(u64::MAX),
            KeyValue::Double(1.5_f64.to_bits()),
            KeyValue::Double((-1.5_f64).to_bits()),
            KeyValue::Date(-5),
            KeyValue::Date(5),
            ip("192.0.2.1"),
            ip("192.0.2.10"),
            ip("2001:db8::1"),
            text(""),
            text("\0"),
            text("\0\0"),
            text("\0\u{1}"),
            text("\u{1}"),
            text("a"),
            text("a\0"),
            text("a\0b"),
            text("aa"),
            text("ü"),
            KeyValue::Version("1.0".into()),
        ]
    }

    #[test]
    fn tuples_come_back_and_sort_like_their_values() {
        let mut tuples = Vec::new();
        for one in values() {
            for other in values() {
                tuples.push(vec![one.clone(), other]);
            }
        }
        let written = |tuple: &[KeyValue]| {
            let mut out = Vec::new();
            put_tuple(&mut out, tuple);
            out
        };
        for one in &tuples {
            assert_eq!(tuple(&written(one)).as_deref(), Some(one.as_slice()));
            for other in &tuples {
                assert_eq!(written(one).cmp(&written(other)), one.cmp(other), "{one:?} {other:?}");
            }
        }
    }

    #[test]
    fn broken_bytes_give_nothing() {
        for bytes in [&[3_u8, 1][..], &[8, 65], &[8, 65, 0], &[8, 255, 0, 0], &[77]] {
            assert_eq!(tuple(bytes), None, "{bytes:?}");
        }
    }
}
