//! From JSON bytes to [`Slots`]: one pass over the document, guided by a trie of the needed paths.
//!
//! Nested objects, dotted keys and any mixture of both lead to the same node of the trie; arrays and arrays of
//! objects give several values. What no node wants is skipped without being decoded.
//!
//! A number in a field of text is the text that it is written as (`1e3`), as in Elasticsearch. Parsed numbers have
//! lost it, so an event that has a number with a fraction or exponent in such a field is decoded a second time, with
//! the text of each number at hand. Integers are written in one way only, so this is rare.

use std::fmt;

use rustc_hash::FxHashMap;
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::value::RawValue;

use crate::field::{Field, FieldType};
use crate::ip::parse_ip;
use crate::schema::Schema;
use crate::slots::{Fields, Leaf, NestedSlot, Slot, Slots};
use crate::value::Value;
use crate::wildcard;

/// Why an event could not be decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodeError {
    /// What is wrong.
    pub message: String,
    /// Line within the event's bytes, from 1; 0 where unknown.
    pub line: usize,
    /// Column in bytes, from 1; 0 where unknown.
    pub column: usize,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for DecodeError {}

impl From<serde_json::Error> for DecodeError {
    fn from(error: serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        let text = error.to_string();
        let message = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message).to_owned();
        Self { message, line, column }
    }
}

/// Decodes the fields that somebody asked for. Immutable; one serves any number of threads.
#[derive(Debug)]
pub struct Decoder {
    fields: Fields,
    nodes: Vec<Node>,
    nested: Vec<Decoder>,
    schema: Schema,
}

#[derive(Debug, Default)]
struct Node {
    children: FxHashMap<Box<str>, u32>,
    targets: Vec<Slot>,
    nested: Vec<NestedSlot>,
    /// Whether a target takes numbers as they are written.
    takes_text: bool,
}

/// What is at hand of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Numbers {
    /// Its value.
    Parsed,
    /// Also how it is written, where that counts.
    AsWritten,
}

const ROOT: u32 = 0;

impl Decoder {
    /// A decoder for the fields; the schema types the leaves of free text.
    pub fn new(fields: Fields, schema: Schema) -> Self {
        let mut decoder = Self { nodes: vec![Node::default()], nested: Vec::new(), fields, schema };
        for (slot, field) in decoder.fields.clone().iter() {
            for path in std::iter::once(&field.path).chain(&field.other_path) {
                let node = decoder.insert(path);
                let node = &mut decoder.nodes[node as usize];
                node.targets.push(slot);
                node.takes_text |= takes_text(field);
            }
        }
        for (index, nested) in decoder.fields.nested.clone().into_iter().enumerate() {
            let node = decoder.insert(&nested.path);
            decoder.nodes[node as usize].nested.push(NestedSlot(index as u32));
            decoder.nested.push(Self::new(nested.fields, decoder.schema.clone()));
        }
        decoder
    }

    /// The fields and their slots.
    pub fn fields(&self) -> &Fields {
        &self.fields
    }

    /// Fills the slots with one event's values; what they held before is gone.
    pub fn decode(&self, bytes: &[u8], slots: &mut Slots) -> Result<(), DecodeError> {
        slots.clear();
        self.pass(bytes, slots, Numbers::Parsed)?;
        if slots.wants_number_texts() {
            slots.begin_again();
            self.pass(bytes, slots, Numbers::AsWritten)?;
        }
        Ok(())
    }

    fn pass(&self, bytes: &[u8], slots: &mut Slots, numbers: Numbers) -> Result<(), DecodeError> {
        let mut deserializer = serde_json::Deserializer::from_slice(bytes);
        DocumentSeed { decoder: self, numbers, slots }.deserialize(&mut deserializer)?;
        deserializer.end()?;
        if self.fields.leaves {
            let mut deserializer = serde_json::Deserializer::from_slice(bytes);
            let mut walk = LeafWalk { decoder: self, numbers, path: String::new(), slots };
            LeafSeed { walk: &mut walk, written: None }.deserialize(&mut deserializer)?;
        }
        Ok(())
    }

    fn insert(&mut self, path: &str) -> u32 {
        let mut node = ROOT;
        for segment in path.split('.') {
            let next = self.nodes.len() as u32;
            let child = *self.nodes[node as usize].children.entry(segment.into()).or_insert(next);
            if child == next {
                self.nodes.push(Node::default());
            }
            node = child;
        }
        node
    }

    fn walk(&self, node: u32, key: &str) -> Option<u32> {
        let mut node = node;
        for segment in key.split('.') {
            node = *self.nodes[node as usize].children.get(segment)?;
        }
        Some(node)
    }

    fn push(&self, node: u32, slots: &mut Slots, scalar: Scalar<'_>) {
        for slot in &self.nodes[node as usize].targets {
            slots.push(*slot, coerce(scalar, self.fields.field(*slot)));
        }
    }

    fn push_null(&self, node: u32, slots: &mut Slots) {
        for slot in &self.nodes[node as usize].targets {
            let field = self.fields.field(*slot);
            if let Some(text) = &field.null_value {
                slots.push(*slot, coerce(Scalar::Text(text), field));
            }
        }
    }

    fn push_object(&self, node: u32, slots: &mut Slots) {
        for slot in &self.nodes[node as usize].targets {
            slots.push(*slot, Value::Object);
        }
    }

    /// Decodes one object of a nested path into slots of its own.
    fn push_nested(
        &self,
        node: u32,
        object: &str,
        numbers: Numbers,
        slots: &mut Slots,
    ) -> Result<(), DecodeError> {
        for nested in &self.nodes[node as usize].nested {
            let mut inner = Slots::default();
            self.nested[nested.0 as usize].pass(object.as_bytes(), &mut inner, numbers)?;
            if inner.wants_number_texts() {
                slots.want_number_texts();
            }
            slots.push_nested(*nested, inner);
        }
        Ok(())
    }

    fn push_leaf(&self, path: &str, slots: &mut Slots, scalar: Scalar<'_>) {
        // Bookkeeping beside the event's own fields is no part of the event.
        if path.starts_with('_') {
            return;
        }
        let field = self.schema.field(path);
        if matches!(scalar, Scalar::Double(_, None)) && takes_text(&field) {
            slots.want_number_texts();
        }
        slots.push_leaf(Leaf { path: path.into(), value: coerce(scalar, &field), field });
    }
}

/// Whether values of the field come from the text of a number.
fn takes_text(field: &Field) -> bool {
    !matches!(
        field.kind,
        FieldType::Long
            | FieldType::UnsignedLong
            | FieldType::Double
            | FieldType::Nested
            | FieldType::Object
            | FieldType::Unsupported
            | FieldType::Unknown
    )
}

/// A JSON scalar before it gets its field's type.
#[derive(Debug, Clone, Copy)]
enum Scalar<'a> {
    Boolean(bool),
    Signed(i64),
    Unsigned(u64),
    /// And how it is written, where that is at hand.
    Double(f64, Option<&'a str>),
    Text(&'a str),
}

impl Scalar<'_> {
    fn to_text(self) -> Box<str> {
        match self {
            Self::Boolean(value) => value.to_string().into(),
            Self::Signed(value) => value.to_string().into(),
            Self::Unsigned(value) => value.to_string().into(),
            Self::Double(_, Some(written)) => written.into(),
            Self::Double(value, None) => serde_json::Number::from_f64(value)
                .map_or_else(|| value.to_string(), |n| n.to_string())
                .into(),
            Self::Text(text) => text.into(),
        }
    }

    fn to_value(self) -> Value {
        match self {
            Self::Boolean(value) => Value::Boolean(value),
            Self::Signed(value) => Value::Long(value),
            Self::Unsigned(value) => i64::try_from(value).map_or(Value::Unsigned(value), Value::Long),
            Self::Double(value, _) => Value::Double(value),
            Self::Text(text) => Value::text(text),
        }
    }
}

/// The scalar as the field's type; a scalar that the type cannot hold stays the string it was written as, so that
/// events of conflicting types are tolerated.
fn coerce(scalar: Scalar<'_>, field: &Field) -> Value {
    let typed = match field.kind {
        FieldType::Keyword
        | FieldType::ConstantKeyword
        | FieldType::Wildcard
        | FieldType::Flattened
        | FieldType::Text
        | FieldType::Binary => {
            let text = scalar.to_text();
            return Value::Text(if field.lowercase { wildcard::fold(&text).into() } else { text });
        }
        FieldType::Long | FieldType::UnsignedLong if field.cuts_fractions => to_integer(scalar),
        FieldType::Long | FieldType::UnsignedLong => {
            to_integer(scalar).and_then(|whole| keep_fraction(scalar, whole))
        }
        FieldType::Double => to_double(scalar),
        FieldType::Boolean => to_boolean(scalar),
        FieldType::Ip => match scalar {
            Scalar::Text(text) => parse_ip(text).map(Value::Ip),
            _ => None,
        },
        FieldType::Date | FieldType::DateNanos => to_date(scalar, field),
        FieldType::Version => Some(Value::Version(scalar.to_text())),
        FieldType::Nested | FieldType::Object | FieldType::Unsupported | FieldType::Unknown => {
            Some(scalar.to_value())
        }
    };
    typed.unwrap_or_else(|| Value::Text(scalar.to_text()))
}

/// The number itself where cutting its fraction would change it.
fn keep_fraction(scalar: Scalar<'_>, whole: Value) -> Option<Value> {
    match to_double(scalar)? {
        Value::Double(value) if value.fract() != 0.0 => Some(Value::Double(value)),
        _ => Some(whole),
    }
}

/// Fractions are cut, as Elasticsearch's `coerce` does.
fn to_integer(scalar: Scalar<'_>) -> Option<Value> {
    match scalar {
        Scalar::Signed(_) | Scalar::Unsigned(_) => Some(scalar.to_value()),
        Scalar::Double(value, _) if value.abs() < 9.2e18 => Some(Value::Long(value.trunc() as i64)),
        Scalar::Double(value, _) => Some(Value::Double(value)),
        Scalar::Text(text) => match text.trim().parse::<i64>() {
            Ok(value) => Some(Value::Long(value)),
            Err(_) => match text.trim().parse::<u64>() {
                Ok(value) => Some(Value::Unsigned(value)),
                Err(_) => finite(text).and_then(|value| to_integer(Scalar::Double(value, None))),
            },
        },
        Scalar::Boolean(_) => None,
    }
}

fn to_double(scalar: Scalar<'_>) -> Option<Value> {
    match scalar {
        Scalar::Signed(value) => Some(Value::Double(value as f64)),
        Scalar::Unsigned(value) => Some(Value::Double(value as f64)),
        Scalar::Double(value, _) => Some(Value::Double(value)),
        Scalar::Text(text) => finite(text).map(Value::Double),
        Scalar::Boolean(_) => None,
    }
}

fn finite(text: &str) -> Option<f64> {
    text.trim().parse::<f64>().ok().filter(|value| value.is_finite())
}

fn to_boolean(scalar: Scalar<'_>) -> Option<Value> {
    match scalar {
        Scalar::Boolean(value) => Some(Value::Boolean(value)),
        Scalar::Text("true") => Some(Value::Boolean(true)),
        Scalar::Text("false" | "") => Some(Value::Boolean(false)),
        _ => None,
    }
}

fn to_date(scalar: Scalar<'_>, field: &Field) -> Option<Value> {
    let nanos = match scalar {
        Scalar::Text(text) => field.date_format.parse(text, false)?,
        Scalar::Signed(number) => field.date_format.parse_number(number)?,
        Scalar::Unsigned(_) => i64::MAX,
        Scalar::Double(..) => field.date_format.parse(&scalar.to_text(), false)?,
        Scalar::Boolean(_) => return None,
    };
    Some(Value::Date(nanos))
}

/// The whole document, which must be an object.
struct DocumentSeed<'a> {
    decoder: &'a Decoder,
    numbers: Numbers,
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
        let Self { decoder, numbers, slots } = self;
        NodeSeed { decoder, numbers, node: ROOT, slots, written: None }.entries(map).map(|_| ())
    }
}

/// The value under one node of the trie.
struct NodeSeed<'a> {
    decoder: &'a Decoder,
    numbers: Numbers,
    node: u32,
    slots: &'a mut Slots,
    /// The text of the number that is being read.
    written: Option<&'a str>,
}

impl NodeSeed<'_> {
    /// The same for a value below.
    fn below(&mut self, node: u32) -> NodeSeed<'_> {
        NodeSeed { decoder: self.decoder, numbers: self.numbers, node, slots: self.slots, written: None }
    }

    /// Visits the entries of an object; gives how many there were.
    fn entries<'de, A: MapAccess<'de>>(mut self, mut map: A) -> Result<usize, A::Error> {
        let mut count = 0;
        while let Some(child) = map.next_key_seed(KeySeed { decoder: self.decoder, node: self.node })? {
            count += 1;
            match child {
                Some(node) if self.decoder.nodes[node as usize].nested.is_empty() => {
                    map.next_value_seed(self.below(node))?;
                }
                Some(node) => {
                    let text = map.next_value::<&RawValue>()?.get();
                    // First what refuses too deep a nesting.
                    let mut deserializer = serde_json::Deserializer::from_str(text);
                    self.below(node).deserialize(&mut deserializer).map_err(again)?;
                    self.nested(node, text).map_err(A::Error::custom)?;
                }
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(count)
    }

    /// Hands each object of a nested path to its own decoder.
    fn nested(&mut self, node: u32, text: &str) -> Result<(), DecodeError> {
        match text.as_bytes().first() {
            Some(b'[') => {
                let items: Vec<&RawValue> = serde_json::from_str(text)?;
                items.iter().try_for_each(|item| self.nested(node, item.get()))
            }
            Some(b'{') => self.decoder.push_nested(node, text, self.numbers, self.slots),
            _ => Ok(()),
        }
    }
}

/// An error in a text that stands within another one: without its place, which is not that in the document.
fn again<E: Error>(error: serde_json::Error) -> E {
    E::custom(DecodeError::from(error))
}

/// Whether the text of a JSON value is a number.
fn is_number(text: &str) -> bool {
    matches!(text.as_bytes().first(), Some(b'-' | b'0'..=b'9'))
}

impl<'de> DeserializeSeed<'de> for NodeSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(mut self, deserializer: D) -> Result<(), D::Error> {
        let node = &self.decoder.nodes[self.node as usize];
        if self.numbers == Numbers::Parsed || !node.takes_text {
            return deserializer.deserialize_any(To(self));
        }
        let text = <&RawValue>::deserialize(deserializer)?.get();
        let node = self.node;
        let seed = NodeSeed { written: is_number(text).then_some(text), ..self.below(node) };
        serde_json::Deserializer::from_str(text).deserialize_any(To(seed)).map_err(again)
    }
}

impl<'de> Place<'de> for NodeSeed<'_> {
    fn scalar(self, scalar: Scalar<'_>) {
        self.decoder.push(self.node, self.slots, scalar);
    }

    fn double(self, value: f64) {
        if self.written.is_none() && self.decoder.nodes[self.node as usize].takes_text {
            self.slots.want_number_texts();
        }
        let scalar = Scalar::Double(value, self.written);
        self.scalar(scalar);
    }

    fn null(self) {
        self.decoder.push_null(self.node, self.slots);
    }

    fn array<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        let node = self.node;
        while items.next_element_seed(self.below(node))?.is_some() {}
        Ok(())
    }

    fn object<A: MapAccess<'de>>(mut self, map: A) -> Result<(), A::Error> {
        let node = self.node;
        let count = self.below(node).entries(map)?;
        if count > 0 {
            self.decoder.push_object(node, self.slots);
        }
        Ok(())
    }
}

/// Where a JSON value goes, whatever it is.
trait Place<'de>: Sized {
    fn scalar(self, scalar: Scalar<'_>);

    /// A float, with its text where that is at hand.
    fn double(self, value: f64);

    fn null(self);

    fn array<A: SeqAccess<'de>>(self, items: A) -> Result<(), A::Error>;

    fn object<A: MapAccess<'de>>(self, entries: A) -> Result<(), A::Error>;
}

/// Hands a JSON value to its place.
struct To<P>(P);

impl<'de, P: Place<'de>> Visitor<'de> for To<P> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.0.scalar(Scalar::Boolean(value));
        Ok(())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.0.scalar(Scalar::Signed(value));
        Ok(())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.0.scalar(i64::try_from(value).map_or(Scalar::Unsigned(value), Scalar::Signed));
        Ok(())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.0.double(value);
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.0.scalar(Scalar::Text(text));
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

/// The way through all scalars of a document, each with its path.
struct LeafWalk<'a> {
    decoder: &'a Decoder,
    numbers: Numbers,
    path: String,
    slots: &'a mut Slots,
}

/// The value at the path of the walk.
struct LeafSeed<'a, 'w> {
    walk: &'a mut LeafWalk<'w>,
    /// The text of the number that is being read.
    written: Option<&'a str>,
}

impl<'de> DeserializeSeed<'de> for LeafSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.walk.numbers == Numbers::Parsed {
            return deserializer.deserialize_any(To(self));
        }
        let text = <&RawValue>::deserialize(deserializer)?.get();
        let seed = LeafSeed { walk: self.walk, written: is_number(text).then_some(text) };
        serde_json::Deserializer::from_str(text).deserialize_any(To(seed)).map_err(again)
    }
}

impl<'de> Place<'de> for LeafSeed<'_, '_> {
    fn scalar(self, scalar: Scalar<'_>) {
        self.walk.decoder.push_leaf(&self.walk.path, self.walk.slots, scalar);
    }

    fn double(self, value: f64) {
        let scalar = Scalar::Double(value, self.written);
        self.scalar(scalar);
    }

    fn null(self) {}

    fn array<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(LeafSeed { walk: &mut *self.walk, written: None })?.is_some() {}
        Ok(())
    }

    fn object<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let length = self.walk.path.len();
        while entries.next_key_seed(PathSeed(&mut self.walk.path))?.is_some() {
            entries.next_value_seed(LeafSeed { walk: &mut *self.walk, written: None })?;
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
        Ok(self.decoder.walk(self.node, key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::VALUES_PER_FIELD_MAX;

    fn values(kind: FieldType, document: &str) -> Vec<Value> {
        let mut fields = Fields::default();
        let slot = fields.slot(&Field::new("a.b", kind));
        let mut slots = Slots::default();
        Decoder::new(fields, Schema::empty()).decode(document.as_bytes(), &mut slots).unwrap();
        slots.values(slot).to_vec()
    }

    #[test]
    fn nested_dotted_and_mixed_keys_are_the_same_field() {
        let check = |document: &str, expected: &[&str]| {
            let expected: Vec<Value> = expected.iter().map(|text| Value::text(*text)).collect();
            assert_eq!(values(FieldType::Keyword, document), expected, "{document}");
        };
        check(r#"{"a": {"b": "x"}}"#, &["x"]);
        check(r#"{"a.b": "x"}"#, &["x"]);
        check(r#"{"a.b": "x", "a": {"b": ["y", null, "z"]}}"#, &["x", "y", "z"]);
        check(r#"{"a": [{"b": "x"}, {"b": ["y"]}, {"c": 1}, 7]}"#, &["x", "y"]);
        check(r#"{"a": {"b": []}}"#, &[]);
        check(r#"{"a": {"b": null}}"#, &[]);
        check(r#"{"a": {"b": ""}}"#, &[""]);
        check(r#"{"a": {"b": 501}}"#, &["501"]);
        check(r#"{"a": {"b": [true, 1.5]}}"#, &["true", "1.5"]);
        check(r#"{"a": {"b\u0000": 1}}"#, &[]);
    }

    #[test]
    fn scalars_take_the_type_of_the_field() {
        let check = |kind: FieldType, json: &str, expected: Value| {
            assert_eq!(values(kind, &format!(r#"{{"a.b": {json}}}"#)), [expected], "{kind:?} {json}");
        };
        check(FieldType::Long, "\"42\"", Value::Long(42));
        check(FieldType::Long, "1.9", Value::Long(1));
        check(FieldType::Long, "18446744073709551615", Value::Unsigned(u64::MAX));
        check(FieldType::Long, "\"n/a\"", Value::text("n/a"));
        check(FieldType::Double, "1", Value::Double(1.0));
        check(FieldType::Boolean, "\"true\"", Value::Boolean(true));
        check(FieldType::Boolean, "1", Value::text("1"));
        check(FieldType::Ip, "\"::ffff:10.0.0.1\"", Value::Ip("10.0.0.1".parse().unwrap()));
        check(FieldType::Ip, "\"-\"", Value::text("-"));
        check(FieldType::Date, "1500", Value::Date(1_500_000_000));
        check(FieldType::Date, "\"1970-01-01T00:00:00.000000001Z\"", Value::Date(1));
        check(FieldType::Unknown, "5", Value::Long(5));
        check(FieldType::Unknown, "1e3", Value::Double(1000.0));
        // The nearest float to what is written, which a quick conversion misses.
        for exact in [23.020_368_547_758_082, -9.223_372_003_685_478e22, 1.844_674_407_370_925_7e20] {
            check(FieldType::Double, &format!("{exact:e}"), Value::Double(exact));
        }
        check(FieldType::Keyword, "{\"c\": 1}", Value::Object);
    }

    #[test]
    fn texts_have_numbers_as_they_are_written() {
        let check = |number: &str| {
            let texts = |document: &str| values(FieldType::Keyword, document);
            assert_eq!(texts(&format!(r#"{{"a.b": {number}}}"#)), [Value::text(number)]);
            let nested =
                format!(r#"{{"a": [{{"c": 1.0, "b": [[{number}, "x"], true]}}, {{"b": {number}}}]}}"#);
            let expected = [number, "x", "true", number].map(Value::text);
            assert_eq!(texts(&nested), expected);
            assert_eq!(leaf(&format!(r#"{{"x": [0.5], "a": {{"b": {number}}}}}"#)), Value::text(number));
        };
        for number in ["0", "-7", "1e3", "1.0", "-0", "0.10", "1E+2", "18446744073709551616", "0.1e-400"] {
            check(number);
        }
        assert_eq!(values(FieldType::Version, r#"{"a.b": 1.10}"#), [Value::Version("1.10".into())]);
        assert_eq!(values(FieldType::Boolean, r#"{"a.b": 1.0}"#), [Value::text("1.0")]);
    }

    /// The leaf `a.b`, which is of type keyword.
    fn leaf(document: &str) -> Value {
        let mut fields = Fields::default();
        fields.want_leaves();
        let mapping = r#"{"properties": {"a": {"properties": {"b": {"type": "keyword"}}}}}"#;
        let schema = Schema::empty().with_mapping(mapping).unwrap();
        let mut slots = Slots::default();
        Decoder::new(fields, schema).decode(document.as_bytes(), &mut slots).unwrap();
        slots.leaves().iter().find(|leaf| &*leaf.path == "a.b").unwrap().value.clone()
    }

    #[test]
    fn what_is_decoded_twice_counts_once() {
        let mut fields = Fields::default();
        let slot = fields.slot(&Field::new("a", FieldType::Keyword));
        let decoder = Decoder::new(fields, Schema::empty());
        let many = vec!["1.5"; VALUES_PER_FIELD_MAX + 3].join(",");
        let mut slots = Slots::default();
        for dropped in [3, 6] {
            decoder.decode(format!(r#"{{"a": [{many}]}}"#).as_bytes(), &mut slots).unwrap();
            assert_eq!((slots.values(slot).len(), slots.values_dropped()), (VALUES_PER_FIELD_MAX, dropped));
        }
    }

    #[test]
    fn nested_objects_keep_their_fields_apart() {
        let mut inner = Fields::default();
        let action = inner.slot(&Field::new("action", FieldType::Keyword));
        let mut fields = Fields::default();
        let nested = fields.nested("deltas", inner);
        let mut slots = Slots::default();
        let decoder = Decoder::new(fields, Schema::empty());
        decoder.decode(br#"{"deltas": [{"action": "ADD"}, [{"action": 1.0}], 7]}"#, &mut slots).unwrap();
        let actions: Vec<_> =
            slots.nested(nested).iter().map(|object| object.values(action).to_vec()).collect();
        assert_eq!(actions, [[Value::text("ADD")], [Value::text("1.0")]]);
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let error = decoder.decode(format!(r#"{{"deltas": {deep}}}"#).as_bytes(), &mut slots).unwrap_err();
        assert_eq!((error.message.as_str(), error.line), ("recursion limit exceeded", 1));
    }

    #[test]
    fn leaves_are_all_scalars_with_their_paths() {
        let mut fields = Fields::default();
        fields.want_leaves();
        let mut slots = Slots::default();
        let decoder = Decoder::new(fields, Schema::empty());
        decoder.decode(br#"{"a": {"b": [1, {"c": "x"}]}, "_id": "no"}"#, &mut slots).unwrap();
        let leaves: Vec<_> = slots.leaves().iter().map(|leaf| (&*leaf.path, leaf.value.clone())).collect();
        assert_eq!(leaves, [("a.b", Value::Long(1)), ("a.b.c", Value::text("x"))]);
    }

    #[test]
    fn bad_events_are_errors_and_leave_no_values_behind() {
        let mut fields = Fields::default();
        let slot = fields.slot(&Field::new("a", FieldType::Keyword));
        let decoder = Decoder::new(fields, Schema::empty());
        let mut slots = Slots::default();
        let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
        let deep = format!(r#"{{"a": {deep}}}"#);
        for bad in ["", "[]", "7", "{\"a\": 1", "{\"a\": 1} x", "{\"a\": 1e999}", &deep] {
            assert!(decoder.decode(bad.as_bytes(), &mut slots).is_err(), "{}", &bad[..bad.len().min(20)]);
        }
        assert!(decoder.decode(b"{\"a\": \"\xff\"}", &mut slots).is_err());
        decoder.decode(b"{}", &mut slots).unwrap();
        assert_eq!(slots.values(slot), []);
    }
}
