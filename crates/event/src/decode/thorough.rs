//! The thorough way through a document: `serde_json`, driven as a pull parser by the trie.

use std::fmt;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::value::RawValue;

use super::trie::ROOT;
use super::walk::is_number;
use super::{DecodeError, Decoder};
use crate::limits::DEPTH_MAX;
use crate::slots::{Raw, Slots};

/// Reads the whole document, which must be an object.
pub(super) fn read(decoder: &Decoder, bytes: &[u8], slots: &mut Slots) -> Result<(), DecodeError> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    DocumentSeed { decoder, slots }.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(())
}

struct DocumentSeed<'a> {
    decoder: &'a Decoder,
    slots: &'a mut Slots,
}

impl<'de> DeserializeSeed<'de> for DocumentSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for DocumentSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event, which is a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        let Self { decoder, slots } = self;
        NodeSeed { decoder, node: ROOT, slots, written: "", depth: 0 }.entries(map).map(|_| ())
    }
}

/// The value under one node of the trie.
struct NodeSeed<'a> {
    decoder: &'a Decoder,
    node: u32,
    slots: &'a mut Slots,
    /// The text of the number that is being read.
    written: &'a str,
    depth: usize,
}

impl NodeSeed<'_> {
    /// The same for a value below.
    fn below(&mut self, node: u32) -> NodeSeed<'_> {
        let depth = self.depth + 1;
        NodeSeed { decoder: self.decoder, node, slots: self.slots, written: "", depth }
    }

    /// Visits the entries of an object; gives how many there were.
    fn entries<'de, A: MapAccess<'de>>(mut self, mut map: A) -> Result<usize, A::Error> {
        let mut count = 0;
        while let Some(child) = map.next_key_seed(KeySeed { decoder: self.decoder, node: self.node })? {
            count += 1;
            let Some(node) = child else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            if self.decoder.trie.nested(node).is_empty() {
                map.next_value_seed(self.below(node))?;
                continue;
            }
            let text = map.next_value::<&RawValue>()?.get();
            // First what refuses too deep a nesting.
            let mut deserializer = serde_json::Deserializer::from_str(text);
            self.below(node).deserialize(&mut deserializer).map_err(again)?;
            self.decoder.nested_objects(node, text, self.slots).map_err(A::Error::custom)?;
        }
        Ok(count)
    }
}

/// Refuses what is nested too deep. Each text within a text is a new one to `serde_json`, which counts anew.
pub(super) fn check_depth<E: Error>(depth: usize) -> Result<(), E> {
    if depth < DEPTH_MAX { Ok(()) } else { Err(E::custom("recursion limit exceeded")) }
}

/// An error in a text that stands within another one: without its place, which is not that in the document.
pub(super) fn again<E: Error>(error: serde_json::Error) -> E {
    E::custom(DecodeError::from(error))
}

impl<'de> DeserializeSeed<'de> for NodeSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(mut self, deserializer: D) -> Result<(), D::Error> {
        if self.decoder.trie.targets(self.node).is_empty() {
            return deserializer.deserialize_any(To(self));
        }
        // Parsed numbers have lost how they are written, so the text is taken first.
        let text = <&RawValue>::deserialize(deserializer)?.get();
        let node = self.node;
        let seed = NodeSeed { written: text, ..self.below(node) };
        serde_json::Deserializer::from_str(text).deserialize_any(To(seed)).map_err(again)
    }
}

impl<'de> Place<'de> for NodeSeed<'_> {
    fn boolean(self, value: bool) {
        self.decoder.push(self.node, self.slots, Raw::Boolean(value));
    }

    fn number(self) {
        debug_assert!(self.written.is_empty() || is_number(self.written.as_bytes()));
        for slot in self.decoder.trie.targets(self.node) {
            self.slots.push_number_text(*slot, self.written);
        }
    }

    fn text(self, text: &str) {
        for slot in self.decoder.trie.targets(self.node) {
            self.slots.push_text(*slot, text);
        }
    }

    fn null(self) {
        self.decoder.push_null(self.node, self.slots);
    }

    fn array<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        check_depth(self.depth)?;
        let node = self.node;
        while items.next_element_seed(self.below(node))?.is_some() {}
        Ok(())
    }

    fn object<A: MapAccess<'de>>(mut self, map: A) -> Result<(), A::Error> {
        check_depth(self.depth)?;
        let node = self.node;
        let depth = self.depth;
        let count = NodeSeed { depth, ..self.below(node) }.entries(map)?;
        if count > 0 {
            self.decoder.push(node, self.slots, Raw::Object);
        }
        Ok(())
    }
}

/// Where a JSON value goes, whatever it is.
pub(super) trait Place<'de>: Sized {
    fn boolean(self, value: bool);

    /// A number; the place has its text.
    fn number(self);

    fn text(self, text: &str);

    fn null(self);

    fn array<A: SeqAccess<'de>>(self, items: A) -> Result<(), A::Error>;

    fn object<A: MapAccess<'de>>(self, entries: A) -> Result<(), A::Error>;
}

/// Hands a JSON value to its place.
pub(super) struct To<P>(pub(super) P);

impl<'de, P: Place<'de>> Visitor<'de> for To<P> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.0.boolean(value);
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        self.0.number();
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        self.0.number();
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        self.0.number();
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.0.text(text);
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.0.null();
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<(), A::Error> {
        self.0.array(items)
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<(), A::Error> {
        self.0.object(entries)
    }
}

/// Finds the trie's node for a key without copying the key.
struct KeySeed<'a> {
    decoder: &'a Decoder,
    node: u32,
}

impl<'de> DeserializeSeed<'de> for KeySeed<'_> {
    type Value = Option<u32>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<u32>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeySeed<'_> {
    type Value = Option<u32>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Option<u32>, E> {
        Ok(self.decoder.trie.walk(self.node, key.as_bytes()))
    }
}
