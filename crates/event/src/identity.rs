//! An identity for events that bring none.

use std::fmt::Write;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::repair;

/// An id from the event's content: the same for the same document whatever its white space and the order of its
/// keys. `occurrence` (from 0) keeps exact duplicates of one input apart.
///
/// SHA-256 over a canonical form (keys sorted, no white space), cut to 20 hexadecimal characters (80 bits).
/// Top-level keys that begin with `_` are bookkeeping and do not count.
///
/// ```
/// use maxspan_event::identity::content_id;
/// let a = serde_json::json!({"a": 1, "b": {"c": [1.5, null]}, "_src": "x"});
/// let b = serde_json::json!({"b": {"c": [1.5, null]}, "a": 1});
/// assert_eq!(content_id(&a, 0), content_id(&b, 0));
/// assert_ne!(content_id(&a, 0), content_id(&a, 1));
/// ```
pub fn content_id(document: &Value, occurrence: u32) -> String {
    let mut canonical = String::new();
    write_canonical(document, &mut canonical, true);
    let digest = Sha256::digest(canonical.as_bytes());
    let mut id = String::with_capacity(24);
    for byte in digest.iter().take(10) {
        // Writing to a string cannot fail.
        let _ = write!(id, "{byte:02x}");
    }
    if occurrence > 0 { repeated(&id, occurrence) } else { id }
}

/// The id of an exact duplicate of the event with the id `first`, which comes from its content.
pub fn repeated(first: &str, occurrence: u32) -> String {
    format!("{first}-{}", occurrence + 1)
}

/// The same for a document as JSON bytes; what cannot be read as a whole counts as text.
pub fn content_id_of(source: &[u8], occurrence: u32) -> String {
    let document =
        repair::parse(source).unwrap_or_else(|| Value::String(String::from_utf8_lossy(source).into_owned()));
    content_id(&document, occurrence)
}

/// 128 bits that stand for some bytes: the first half of their SHA-256. Nobody can find two texts with the same ones by
/// less than some 2⁶⁴ attempts.
pub fn digest(bytes: &[u8]) -> u128 {
    let mut half = [0; 16];
    half.copy_from_slice(&Sha256::digest(bytes)[..16]);
    u128::from_be_bytes(half)
}

fn write_canonical(value: &Value, out: &mut String, top: bool) {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<_> = map.keys().filter(|key| !(top && key.starts_with('_'))).collect();
            keys.sort_unstable();
            out.push('{');
            for key in keys {
                let _ = write!(out, "{}:", Value::String(key.clone()));
                write_canonical(&map[key], out, false);
                out.push(',');
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for item in items {
                write_canonical(item, out, false);
                out.push(',');
            }
            out.push(']');
        }
        scalar => {
            let _ = write!(out, "{scalar}");
        }
    }
}
