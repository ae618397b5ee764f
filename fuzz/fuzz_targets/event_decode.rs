//! The event decoder against `serde_json`: the same documents are refused, and fields have the same values.
//!
//! Known differences, which are meant: what no field names is passed over without a look at its text and numbers, so
//! the decoder takes more documents; and of a repeated key every value counts.
//!
//! And [`Document`] against the same.
#![no_main]

use std::fmt;
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use maxspan_event::{Decoder, Document, Field, FieldType, Fields, Schema, Slot, Slots, Value, ValueRef, repair};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// Fields of every type, at paths that overlap.
const FIELDS: [(&str, FieldType); 12] = [
    ("a", FieldType::Keyword),
    ("a.b", FieldType::Unknown),
    ("a.b.c", FieldType::Keyword),
    ("n", FieldType::Long),
    ("n", FieldType::UnsignedLong),
    ("n", FieldType::Double),
    ("b", FieldType::Boolean),
    ("t", FieldType::Date),
    ("t", FieldType::DateNanos),
    ("i", FieldType::Ip),
    ("v", FieldType::Version),
    ("x", FieldType::Text),
];

/// A decoder and the slots of what is compared.
struct Setup {
    decoder: Decoder,
    keyword: [(&'static str, Slot); 3],
    unknown: Slot,
    long: Slot,
    double: Slot,
}

fn setup(leaves: bool) -> Setup {
    let mut fields = Fields::default();
    let slots = FIELDS.map(|(path, kind)| fields.slot(&Field::new(path, kind)));
    let mut inner = Fields::default();
    inner.slot(&Field::new("x", FieldType::Keyword));
    fields.nested("o", inner);
    if leaves {
        fields.want_leaves();
    }
    let keyword = [("a", slots[0]), ("a.b.c", slots[2]), ("x", slots[11])];
    let decoder = Decoder::new(fields, Schema::empty());
    Setup { decoder, keyword, unknown: slots[1], long: slots[3], double: slots[5] }
}

/// Places in the text give what a tree gives, and any bytes give a document.
fn document_is_what_the_parser_says(data: &[u8]) {
    let document = Document::read(data).to_json();
    let found = serde_json::from_str::<serde_json::Value>(&document);
    if let Some(serde_json::Value::Object(mut whole)) = repair::parse(data) {
        whole.retain(|key, _| !key.starts_with('_'));
        assert_eq!(found.as_ref().ok(), Some(&whole.into()), "{document}");
    }
    assert!(found.is_ok(), "{document}");
}

fuzz_target!(|data: &[u8]| {
    static SETUPS: OnceLock<[Setup; 2]> = OnceLock::new();
    let [plain, leaves] = SETUPS.get_or_init(|| [setup(false), setup(true)]);
    let mut slots = Slots::default();
    document_is_what_the_parser_says(data);
    let whole = serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(data);
    let with_leaves = leaves.decoder.decode(data, &mut slots);
    assert_eq!(with_leaves.is_ok(), whole.is_ok(), "{with_leaves:?} {whole:?}");
    let decoded = plain.decoder.decode(data, &mut slots);
    if let (Ok(_), Err(error)) = (&whole, &decoded) {
        panic!("serde_json takes what the decoder refuses: {error:?}");
    }
    if whole.is_ok() {
        check_values(plain, data, &slots);
        assert!(repair::repaired(data).is_none(), "a good document is mended");
    } else if let Some(mended) = repair::repaired(data) {
        let twice = repair::repaired(&mended);
        assert!(twice.is_none(), "mended twice: {:?}", String::from_utf8_lossy(&mended));
        let _ = plain.decoder.decode(&mended, &mut slots);
    }
});

fn check_values(setup: &Setup, data: &[u8], slots: &Slots) {
    let document: Json = serde_json::from_slice(data).expect("parsed before");
    let check = |slot: Slot, path: &str, expected: &dyn Fn(&Json) -> Option<Value>| {
        let mut found = Vec::new();
        document.at(path, &mut |value| found.extend(expected(value)));
        let values: Vec<Value> = slots.values(slot).map(ValueRef::into_value).collect();
        assert_eq!(values.len(), found.len(), "{path}: {values:?} {found:?}");
        for (is, should) in values.iter().zip(&found) {
            // Bit by bit, so that -0.0 differs from 0.0.
            assert_eq!(format!("{is:?}"), format!("{should:?}"), "{path}");
        }
    };
    for (path, slot) in setup.keyword {
        check(slot, path, &|value| match value {
            Json::Text(text) => Some(Value::text(text.as_str())),
            Json::Number(number) => Some(Value::text(number.as_str())),
            Json::Boolean(value) => Some(Value::text(value.to_string())),
            Json::Object(entries) => (!entries.is_empty()).then_some(Value::Object),
            Json::Array(_) | Json::Null => None,
        });
    }
    check(setup.unknown, "a.b", &|value| match value {
        Json::Text(text) => Some(Value::text(text.as_str())),
        Json::Number(number) => Some(untyped(number)),
        Json::Boolean(value) => Some(Value::Boolean(*value)),
        Json::Object(entries) => (!entries.is_empty()).then_some(Value::Object),
        Json::Array(_) | Json::Null => None,
    });
    check(setup.double, "n", &|value| match value {
        Json::Text(text) => Some(match text.trim().parse::<f64>() {
            Ok(number) if number.is_finite() => Value::Double(number),
            _ => Value::text(text.as_str()),
        }),
        Json::Number(number) => Some(Value::Double(number.parse().expect("a number"))),
        Json::Boolean(value) => Some(Value::text(value.to_string())),
        Json::Object(entries) => (!entries.is_empty()).then_some(Value::Object),
        Json::Array(_) | Json::Null => None,
    });
    let longs = slots.values(setup.long).len();
    assert_eq!(longs, slots.values(setup.double).len(), "a value is lost by its type");
}

/// A number as a field of no type has it.
fn untyped(number: &str) -> Value {
    match (number.parse::<i64>(), number.parse::<u64>()) {
        // A negative zero is no integer to serde_json.
        (Ok(value), _) if number != "-0" => Value::Long(value),
        (_, Ok(value)) => Value::Unsigned(value),
        _ => Value::Double(number.parse().expect("a number")),
    }
}

/// A document with every repeated key and numbers as written.
enum Json {
    Null,
    Boolean(bool),
    Number(String),
    Text(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Calls `found` with what stands at the path, dots in keys and nesting alike, in the order of the document.
    fn at(&self, path: &str, found: &mut dyn FnMut(&Json)) {
        match self {
            Json::Object(entries) => {
                for (key, value) in entries {
                    if key == path {
                        value.reached(found);
                    } else if let Some(rest) = path.strip_prefix(key.as_str())
                        && let Some(rest) = rest.strip_prefix('.')
                    {
                        value.at(rest, found);
                    }
                }
            }
            Json::Array(items) => items.iter().for_each(|item| item.at(path, found)),
            _ => {}
        }
    }

    fn reached(&self, found: &mut dyn FnMut(&Json)) {
        match self {
            Json::Array(items) => items.iter().for_each(|item| item.reached(found)),
            other => found(other),
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        let parsed = match raw.as_bytes().first() {
            Some(b'{') => serde_json::from_str::<Entries>(raw).map(|entries| Json::Object(entries.0)),
            Some(b'[') => serde_json::from_str::<Items>(raw).map(|items| Json::Array(items.0)),
            Some(b'"') => serde_json::from_str(raw).map(Json::Text),
            Some(b't' | b'f') => serde_json::from_str(raw).map(Json::Boolean),
            Some(b'n') => Ok(Json::Null),
            _ => Ok(Json::Number(raw.to_owned())),
        };
        parsed.map_err(D::Error::custom)
    }
}

struct Entries(Vec<(String, Json)>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Entries;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(All)
    }
}

struct Items(Vec<Json>);

impl<'de> Deserialize<'de> for Items {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Items;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Items, A::Error> {
                let mut all = Vec::new();
                while let Some(item) = items.next_element()? {
                    all.push(item);
                }
                Ok(Items(all))
            }
        }
        deserializer.deserialize_seq(All)
    }
}
