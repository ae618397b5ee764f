//! From JSON bytes to [`Slots`]: one pass over the document, guided by a trie of the needed paths.
//!
//! Nested objects, dotted keys and any mixture of both lead to the same node of the trie; arrays and arrays of
//! objects give several values. What no node wants is checked and skipped.
//!
//! There are two ways. The quick one finds the ends of strings with vector instructions ([`string_ends`]), and walks
//! over what is between them ([`walk`]); it takes a document only where it is sure that it is valid. The thorough one
//! ([`thorough`]) is `serde_json`; it takes all others, and says what is wrong with them. Both give the same values:
//! spans of the document, which take their field's type when somebody looks at them.

use std::fmt;
use std::sync::Arc;

use crate::field::Field;
use crate::limits::QUICK_BYTES_MAX;
use crate::schema::Schema;
use crate::slots::{Fields, NestedSlot, Raw, Slot, Slots};

mod leaves;
pub(crate) mod string_ends;
mod thorough;
mod trie;
pub(crate) mod unescape;
pub(crate) mod walk;

use trie::{Trie, TrieBuilder};
use walk::Walk;

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
    /// The fields by their slots, shared with what is decoded.
    by_slot: Arc<[Field]>,
    trie: Trie,
    nested: Vec<Decoder>,
    schema: Schema,
    /// By slot, whether its texts are looked at in most events.
    looked_at: Vec<bool>,
}

/// The buffers of decoding, reused from event to event.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    ends: string_ends::StringEnds,
}

impl Decoder {
    /// A decoder for the fields; the schema types the leaves of free text.
    pub fn new(fields: Fields, schema: Schema) -> Self {
        let mut trie = TrieBuilder::new();
        for (slot, field) in fields.iter() {
            for path in std::iter::once(&field.path).chain(&field.other_path) {
                trie.insert(path).targets.push(slot);
            }
        }
        let mut nested = Vec::new();
        for (index, one) in fields.nested.iter().enumerate() {
            trie.insert(&one.path).nested.push(NestedSlot(index as u32));
            nested.push(Self::new(one.fields.clone(), schema.clone()));
        }
        let by_slot = fields.iter().map(|(_, field)| field.clone()).collect();
        let (trie, looked_at) = (trie.build(), vec![false; fields.len()]);
        Self { fields, by_slot, trie, nested, schema, looked_at }
    }

    /// The same decoder, told whose texts are looked at in most events. Only speed depends on it.
    pub fn looked_at(mut self, slots: impl IntoIterator<Item = Slot>) -> Self {
        slots.into_iter().for_each(|slot| self.looked_at[slot.index()] = true);
        self
    }

    /// The fields and their slots.
    pub fn fields(&self) -> &Fields {
        &self.fields
    }

    /// Fills the slots with one event's values; what they held before is gone.
    pub fn decode(&self, bytes: &[u8], slots: &mut Slots) -> Result<(), DecodeError> {
        self.decode_fields(bytes, slots)?;
        self.decode_leaves(bytes, slots)
    }

    /// The same without the leaves of free text ([`Slots::leaves`]), which few rules ask for.
    pub fn decode_fields(&self, bytes: &[u8], slots: &mut Slots) -> Result<(), DecodeError> {
        if !self.decode_quickly(bytes, slots) {
            return self.decode_thoroughly(bytes, slots);
        }
        if cfg!(debug_assertions) {
            self.assert_same_thoroughly(bytes, slots);
        }
        Ok(())
    }

    /// Holds what the quick way found against the thorough one: in debug builds, each event of each test is a duel.
    fn assert_same_thoroughly(&self, bytes: &[u8], slots: &Slots) {
        let mut others = Slots::default();
        let outcome = self.decode_thoroughly(bytes, &mut others);
        assert_eq!(outcome, Ok(()), "{}", String::from_utf8_lossy(bytes));
        for (slot, field) in self.fields.iter() {
            let same = slots.values(slot).eq(others.values(slot));
            assert!(same, "{} in {}", field.name, String::from_utf8_lossy(bytes));
        }
    }

    /// Adds the leaves of free text to an event whose fields are decoded, where somebody asked for them.
    pub fn decode_leaves(&self, bytes: &[u8], slots: &mut Slots) -> Result<(), DecodeError> {
        if self.fields.leaves { leaves::read(self, bytes, slots) } else { Ok(()) }
    }

    /// The quick way. False where it is not sure; the slots then hold nothing of use.
    fn decode_quickly(&self, bytes: &[u8], slots: &mut Slots) -> bool {
        if bytes.len() > QUICK_BYTES_MAX {
            return false;
        }
        let Ok(text) = simdutf8::basic::from_utf8(bytes) else { return false };
        let mut buffers = std::mem::take(&mut slots.buffers);
        slots.begin(&self.by_slot, text);
        let sure = buffers.ends.read(bytes) && Walk::document(self, text, &buffers.ends, slots).is_ok();
        slots.buffers = buffers;
        sure
    }

    /// The thorough way.
    fn decode_thoroughly(&self, bytes: &[u8], slots: &mut Slots) -> Result<(), DecodeError> {
        slots.begin(&self.by_slot, "");
        thorough::read(self, bytes, slots).map_err(|error| whole_error(bytes).unwrap_or(error))
    }

    #[inline]
    fn is_looked_at(&self, slot: Slot) -> bool {
        self.looked_at[slot.index()]
    }

    /// What stands for an explicit null.
    fn push_null(&self, node: u32, slots: &mut Slots) {
        for slot in self.trie.targets(node) {
            if let Some(text) = &self.by_slot[slot.index()].null_value {
                slots.push_text(*slot, text);
            }
        }
    }

    fn push(&self, node: u32, slots: &mut Slots, raw: Raw) {
        for slot in self.trie.targets(node) {
            slots.push_raw(*slot, raw);
        }
    }

    /// Hands each object of a nested path to its own decoder; `value` is the JSON that stands there.
    fn nested_objects(&self, node: u32, value: &str, slots: &mut Slots) -> Result<(), DecodeError> {
        match value.as_bytes().first() {
            Some(b'[') => {
                let items: Vec<&serde_json::value::RawValue> = serde_json::from_str(value)?;
                items.iter().try_for_each(|item| self.nested_objects(node, item.get(), slots))
            }
            Some(b'{') => {
                for nested in self.trie.nested(node) {
                    let mut inner = Slots::default();
                    self.nested[nested.0 as usize].decode_thoroughly(value.as_bytes(), &mut inner)?;
                    slots.push_nested(*nested, inner);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// What is wrong with a document as JSON. Who reads it in pieces is told the wrong column of some errors.
fn whole_error(bytes: &[u8]) -> Option<DecodeError> {
    if bytes.len() > QUICK_BYTES_MAX {
        return None;
    }
    serde_json::from_slice::<serde_json::Value>(bytes).err().map(DecodeError::from)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::field::FieldType;
    use crate::limits::VALUES_PER_FIELD_MAX;
    use crate::value::{Value, ValueRef};

    fn values(kind: FieldType, document: &str) -> Vec<Value> {
        let mut fields = Fields::default();
        let slot = fields.slot(&Field::new("a.b", kind));
        let mut slots = Slots::default();
        Decoder::new(fields, Schema::empty()).decode(document.as_bytes(), &mut slots).unwrap();
        slots.values(slot).map(ValueRef::into_value).collect()
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
    fn values_beyond_the_limit_of_a_field_are_counted() {
        let mut fields = Fields::default();
        let slot = fields.slot(&Field::new("a", FieldType::Keyword));
        let decoder = Decoder::new(fields, Schema::empty());
        let many = vec!["1.5"; VALUES_PER_FIELD_MAX + 3].join(",");
        let mut slots = Slots::default();
        for dropped in [3, 6] {
            decoder.decode(format!(r#"{{"a": [{many}]}}"#).as_bytes(), &mut slots).unwrap();
            assert_eq!((slots.values(slot).len(), slots.dropped().values), (VALUES_PER_FIELD_MAX, dropped));
        }
    }

    /// JSON of any shape, with what the quick way could trip over.
    fn json() -> impl Strategy<Value = String> {
        let scalar = prop_oneof![
            "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,3})?",
            Just("true".to_owned()),
            Just("null".to_owned()),
            r#""([a-z{}\[\],: é]|\\\\|\\"|\\n|\\u00e9|\\ud83d\\ude00|\\ud83d){0,80}""#,
            r#"01|-|tru|1\.|\.5|"\\x"|"\t"|'a'|\{|\]|,|:|"open"#,
        ];
        let key = r#""(a|b|c|a\.b|b\.c|x|long_key_that_is_no_field|\\u0061|a\.|)""#;
        scalar.prop_recursive(5, 60, 6, move |inner| {
            let blank = "( |\n|\t){0,2}";
            let entry =
                (key, blank, inner.clone()).prop_map(|(key, blank, value)| format!("{key}{blank}:{value}"));
            prop_oneof![
                (blank, prop::collection::vec(inner, 0..6))
                    .prop_map(|(blank, items)| format!("[{blank}{}]", items.join(","))),
                (blank, prop::collection::vec(entry, 0..6))
                    .prop_map(|(blank, entries)| format!("{{{}{blank}}}", entries.join(","))),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]
        /// What is decoded quickly is held against `serde_json` in debug builds; here it is known to be sure of what is
        /// plainly valid.
        #[test]
        fn both_ways_give_the_same(value in json(), cut in 0_usize..400) {
            let mut fields = Fields::default();
            for (path, kind) in [("a", FieldType::Keyword), ("a.b", FieldType::Long), ("b.c", FieldType::Unknown), ("c", FieldType::Date)] {
                fields.slot(&Field::new(path, kind));
            }
            let decoder = Decoder::new(fields, Schema::empty());
            let document = format!(r#"{{"a":{value},"b":{{"c":[{value}]}}}}"#);
            let mut slots = Slots::default();
            let _ = decoder.decode(document.as_bytes(), &mut slots);
            let _ = decoder.decode(&document.as_bytes()[..cut.min(document.len())], &mut slots);
            let valid = serde_json::from_str::<serde_json::Value>(&document).is_ok();
            prop_assert!(!valid || decoder.decode_quickly(document.as_bytes(), &mut slots), "{}", document);
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
        let actions: Vec<_> = slots
            .nested(nested)
            .iter()
            .map(|object| object.values(action).map(ValueRef::into_value).collect::<Vec<_>>())
            .collect();
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
        assert!(decoder.decode(br#"{"a": [{"b": "\ud8000"}, 1]}"#, &mut slots).is_ok());
        for bad in
            ["", r#"{"a": "\ud8000"}"#, "[]", "7", "{\"a\": 1", "{\"a\": 1} x", "{\"a\": 1e999}", &deep]
        {
            assert!(decoder.decode(bad.as_bytes(), &mut slots).is_err(), "{}", &bad[..bad.len().min(20)]);
        }
        assert!(decoder.decode(b"{\"a\": \"\xff\"}", &mut slots).is_err());
        decoder.decode(b"{}", &mut slots).unwrap();
        assert!(!slots.is_present(slot));
    }
}
