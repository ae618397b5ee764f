//! All scalars of a document with their paths: what free text and field names with wildcards look at.

use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::thorough::{Place, To, again, check_depth};
use super::{DecodeError, Decoder};
use crate::coerce::{Scalar, coerce};
use crate::slots::{Leaf, Slots};

/// Adds every leaf of the document.
pub(super) fn read(decoder: &Decoder, bytes: &[u8], slots: &mut Slots) -> Result<(), DecodeError> {
    slots.begin_leaves();
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let mut walk = LeafWalk { decoder, path: String::new(), slots };
    LeafSeed { walk: &mut walk, written: "", depth: 0 }.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(())
}

/// The way through all scalars.
struct LeafWalk<'a> {
    decoder: &'a Decoder,
    path: String,
    slots: &'a mut Slots,
}

impl LeafWalk<'_> {
    fn push(&mut self, scalar: Scalar<'_>) {
        // Bookkeeping beside the event's own fields is no part of the event.
        if self.path.starts_with('_') {
            return;
        }
        let field = self.decoder.schema.field(&self.path);
        let value = coerce(scalar, &field).to_value(field.lowercase);
        self.slots.push_leaf(Leaf { path: self.path.as_str().into(), value, field });
    }
}

/// The value at the path of the walk.
struct LeafSeed<'a, 'w> {
    walk: &'a mut LeafWalk<'w>,
    /// The text of the number that is being read.
    written: &'a str,
    depth: usize,
}

impl<'w> LeafSeed<'_, 'w> {
    /// The same for a value below.
    fn below(&mut self) -> LeafSeed<'_, 'w> {
        LeafSeed { walk: &mut *self.walk, written: "", depth: self.depth + 1 }
    }
}

impl<'de> DeserializeSeed<'de> for LeafSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let text = <&RawValue>::deserialize(deserializer)?.get();
        let seed = LeafSeed { written: text, ..self };
        serde_json::Deserializer::from_str(text).deserialize_any(To(seed)).map_err(again)
    }
}

impl<'de> Place<'de> for LeafSeed<'_, '_> {
    fn boolean(self, value: bool) {
        self.walk.push(Scalar::Boolean(value));
    }

    fn number(self) {
        self.walk.push(Scalar::Number(self.written));
    }

    fn text(self, text: &str) {
        self.walk.push(Scalar::Text(text));
    }

    fn null(self) {}

    fn array<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        check_depth(self.depth)?;
        while items.next_element_seed(self.below())?.is_some() {}
        Ok(())
    }

    fn object<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<(), A::Error> {
        check_depth(self.depth)?;
        let length = self.walk.path.len();
        while entries.next_key_seed(PathSeed(&mut self.walk.path))?.is_some() {
            entries.next_value_seed(self.below())?;
            self.walk.path.truncate(length);
        }
        Ok(())
    }
}

/// Adds a key to a path.
struct PathSeed<'a>(&'a mut String);

impl<'de> DeserializeSeed<'de> for PathSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for PathSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<(), E> {
        if !self.0.is_empty() {
            self.0.push('.');
        }
        self.0.push_str(key);
        Ok(())
    }
}
