//! An identity for events that bring none.

use std::fmt::Write;
use std::hash::Hasher;

use rustc_hash::FxHasher;
use serde::Serialize;
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
    let mut canonical = Vec::new();
    write_canonical(document, &mut canonical, true);
    let digest = Sha256::digest(&canonical);
    let mut id = String::with_capacity(24);
    for byte in digest.iter().take(10) {
        // Writing to a string cannot fail.
        let _ = write!(id, "{byte:02x}");
    }
    if occurrence > 0 {
        let _ = write!(id, "-{}", u64::from(occurrence) + 1);
    }
    id
}

/// The document of JSON bytes, mended where that is needed; what cannot be read as a whole counts as text.
pub fn document_of(source: &[u8]) -> Value {
    repair::parse(source).unwrap_or_else(|| Value::String(String::from_utf8_lossy(source).into_owned()))
}

/// A number that stands for a document's text without the white space between its tokens, and without leading bookkeeping
/// (keys that begin with `_`, with their strings). It is quick, and whoever wants to finds two documents with the same one.
///
/// Writers put white space everywhere or nowhere; a document is taken to have none when there is none around its first
/// key.
///
/// ```
/// use maxspan_event::identity::content_hash;
/// assert_eq!(content_hash(br#"{"a b": [1, "\" c"]}"#), content_hash(br#"{"a b":[1,"\" c"]}"#));
/// assert_ne!(content_hash(br#"{"a b": 1}"#), content_hash(br#"{"ab": 1}"#));
/// assert_eq!(content_hash(br#"{"_src": "x:1", "_n": "2", "a": 1}"#), content_hash(br#"{"a":1}"#));
/// ```
pub fn content_hash(source: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    let content = after_bookkeeping(source);
    if is_spaced(source) {
        hasher.write(&without_white_space(content));
    } else {
        hasher.write(content);
    }
    hasher.finish()
}

/// What stands behind the opening bracket and the leading pairs of bookkeeping.
fn after_bookkeeping(source: &[u8]) -> &[u8] {
    let mut rest = source.strip_prefix(b"{").unwrap_or(source).trim_ascii_start();
    while rest.starts_with(b"\"_") {
        let behind_key = rest[string_length(rest)..].trim_ascii_start();
        let Some(value) = behind_key.strip_prefix(b":").map(<[u8]>::trim_ascii_start) else { break };
        if !value.starts_with(b"\"") {
            break;
        }
        let behind = value[string_length(value)..].trim_ascii_start();
        rest = behind.strip_prefix(b",").unwrap_or(behind).trim_ascii_start();
    }
    rest
}

fn is_spaced(source: &[u8]) -> bool {
    let colon = source.iter().position(|byte| *byte == b':');
    let after_key = colon.and_then(|colon| source.get(colon + 1));
    source.get(1).into_iter().chain(after_key).any(u8::is_ascii_whitespace)
}

fn without_white_space(source: &[u8]) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::with_capacity(source.len()), source);
    while let Some(&byte) = rest.first() {
        let length = if byte == b'"' { string_length(rest) } else { 1 };
        if !byte.is_ascii_whitespace() {
            out.extend_from_slice(&rest[..length]);
        }
        rest = &rest[length..];
    }
    out
}

/// The bytes of the string literal that begins here.
fn string_length(rest: &[u8]) -> usize {
    let mut at = 1;
    while let Some(&byte) = rest.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    rest.len()
}

/// 128 bits that stand for some bytes: the first half of their SHA-256. Nobody can find two texts with the same ones by
/// less than some 2⁶⁴ attempts.
pub fn digest(bytes: &[u8]) -> u128 {
    let mut half = [0; 16];
    half.copy_from_slice(&Sha256::digest(bytes)[..16]);
    u128::from_be_bytes(half)
}

fn write_canonical(value: &Value, out: &mut Vec<u8>, top: bool) {
    match value {
        Value::Object(map) => {
            let mut members: Vec<_> = map.iter().filter(|(key, _)| !(top && key.starts_with('_'))).collect();
            members.sort_unstable_by_key(|(key, _)| *key);
            out.push(b'{');
            for (key, value) in members {
                write_scalar(key, out);
                out.push(b':');
                write_canonical(value, out, false);
                out.push(b',');
            }
            out.push(b'}');
        }
        Value::Array(items) => {
            out.push(b'[');
            for item in items {
                write_canonical(item, out, false);
                out.push(b',');
            }
            out.push(b']');
        }
        scalar => write_scalar(scalar, out),
    }
}

/// Writes a text, number, truth value or null as JSON, which cannot fail.
fn write_scalar(scalar: &(impl Serialize + ?Sized), out: &mut Vec<u8>) {
    let _ = serde_json::to_writer(out, scalar);
}
