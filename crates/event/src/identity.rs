//! An identity for events that bring none.

use std::fmt::Write;
use std::hash::Hasher;

use rustc_hash::FxHasher;
use sha2::{Digest, Sha256};

use crate::document::{Document, Part, PartKind, Parts};

/// An id from the event's content: the same for the same document whatever its white space and the order of its
/// keys. `occurrence` (from 0) keeps exact duplicates of one input apart.
///
/// SHA-256 over a canonical form (keys sorted, no white space; texts and numbers as `serde_json` writes them), cut to 20
/// hexadecimal characters (80 bits). Top-level keys that begin with `_` are bookkeeping and do not count.
///
/// ```
/// use maxspan_event::{Document, identity::content_id};
/// let a = Document::read(br#"{"a": 1, "b": {"c": [1.50, null]}, "_src": "x"}"#);
/// let b = Document::read(br#"{"b": {"c": [1.5, null]}, "a": 1}"#);
/// assert_eq!(content_id(&a, 0), content_id(&b, 0));
/// assert_ne!(content_id(&a, 0), content_id(&a, 1));
/// ```
pub fn content_id(document: &Document<'_>, occurrence: u32) -> String {
    let mut canonical = Vec::new();
    Canonical { out: &mut canonical, open: Vec::new() }.members(document.members());
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

/// A document without the white space between its tokens.
pub(crate) fn without_white_space(source: &[u8]) -> Vec<u8> {
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

/// The same for bytes and a key that nobody knows: two texts with the same one can then only be found by chance.
pub fn keyed_digest(key: u128, bytes: &[u8]) -> u128 {
    let mut half = [0; 16];
    half.copy_from_slice(&Sha256::new().chain_update(key.to_be_bytes()).chain_update(bytes).finalize()[..16]);
    u128::from_be_bytes(half)
}

/// Writes the canonical form.
struct Canonical<'o, 'd> {
    out: &'o mut Vec<u8>,
    /// The members of the objects that are open, sorted.
    open: Vec<Part<'d>>,
}

impl<'d> Canonical<'_, 'd> {
    fn members(&mut self, members: Parts<'d>) {
        let first = self.open.len();
        self.open.extend(members);
        self.open[first..].sort_unstable_by(|one, other| one.cmp_keys(*other));
        self.out.push(b'{');
        for place in first..self.open.len() {
            let part = self.open[place];
            self.out.push(b'"');
            self.out.extend_from_slice(part.raw_key().as_bytes());
            self.out.extend_from_slice(b"\":");
            self.value(part);
            self.out.push(b',');
        }
        self.out.push(b'}');
        self.open.truncate(first);
    }

    fn value(&mut self, part: Part<'d>) {
        match part.kind() {
            PartKind::Object => self.members(part.parts()),
            PartKind::Array => {
                self.out.push(b'[');
                for element in part.parts() {
                    self.value(element);
                    self.out.push(b',');
                }
                self.out.push(b']');
            }
            _ if part.is_as_written() => self.out.extend_from_slice(part.json().as_bytes()),
            _ => {
                // Scalars that were parsed can be written.
                let _ = serde_json::to_writer(&mut *self.out, &part.to_value());
            }
        }
    }
}
