//! From JSON text to the places of its values, in one pass.

use std::hash::Hasher;

use rustc_hash::FxHasher;

use super::{Node, PartKind};
use crate::decode::string_ends::{StringEnd, StringEnds};
use crate::decode::unescape;
use crate::decode::walk::{is_in_range, scalar_end};
use crate::limits::DEPTH_MAX;
use crate::slots::Span;

/// Why a text was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// There is white space between tokens, if nothing worse.
    Spaced,
    /// It is no valid JSON object, or not written as a document has to be.
    Other,
}

/// The nodes of an object's members, bookkeeping left out.
pub(super) fn nodes(text: &str) -> Result<Vec<Node>, Refusal> {
    let mut ends = StringEnds::default();
    if !ends.read(text.as_bytes()) {
        return Err(Refusal::Other);
    }
    let mut reader = Reader {
        text,
        ends: ends.ends(),
        has_code_units: ends.has_code_units(),
        nodes: Vec::with_capacity(ends.ends().len()),
        keys: Vec::new(),
        depth: 0,
    };
    reader.expect(0, b'{')?;
    let end = reader.object(1, true)?;
    if end == text.len() { Ok(reader.nodes) } else { Err(reader.refusal(end)) }
}

struct Reader<'a> {
    text: &'a str,
    /// The ends of the strings that are to come.
    ends: &'a [StringEnd],
    has_code_units: bool,
    nodes: Vec<Node>,
    /// Hashes of the keys of the objects that are open.
    keys: Vec<u64>,
    depth: usize,
}

impl Reader<'_> {
    fn byte(&self, at: usize) -> u8 {
        self.text.as_bytes().get(at).copied().unwrap_or(0)
    }

    fn refusal(&self, at: usize) -> Refusal {
        if self.byte(at).is_ascii_whitespace() { Refusal::Spaced } else { Refusal::Other }
    }

    fn expect(&self, at: usize, byte: u8) -> Result<(), Refusal> {
        if self.byte(at) == byte { Ok(()) } else { Err(self.refusal(at)) }
    }

    fn deeper(&mut self) -> Result<(), Refusal> {
        self.depth += 1;
        if self.depth <= DEPTH_MAX { Ok(()) } else { Err(Refusal::Other) }
    }

    /// The end of the string whose opening quote stands here. Strings are met in order, and none is met twice.
    fn string(&mut self, open: usize) -> Result<StringEnd, Refusal> {
        self.expect(open, b'"')?;
        let (end, rest) = self.ends.split_first().ok_or(Refusal::Other)?;
        self.ends = rest;
        let text = &self.text[open + 1..end.place()];
        // Half of a surrogate pair is nothing that a text can hold.
        if end.is_escaped()
            && self.has_code_units
            && unescape::has_code_units(text)
            && unescape::unescaped(text).is_none()
        {
            return Err(Refusal::Other);
        }
        Ok(*end)
    }

    /// The members of an object after its bracket; where it ends.
    fn object(&mut self, from: usize, is_top: bool) -> Result<usize, Refusal> {
        self.deeper()?;
        let first_key = self.keys.len();
        let mut at = from;
        while self.byte(at) != b'}' {
            if at != from {
                self.expect(at, b',')?;
                at += 1;
            }
            let key = self.string(at)?;
            let (span, colon) = (Span::new(at + 1, key.place()), key.place() + 1);
            self.expect(colon, b':')?;
            self.note_key(span, key.is_escaped())?;
            let node = self.nodes.len();
            at = self.value(colon + 1, span, key.is_escaped())?;
            if is_top && span.of(self.text).starts_with('_') {
                self.nodes.truncate(node);
            }
        }
        self.have_no_key_twice(first_key)?;
        self.depth -= 1;
        Ok(at + 1)
    }

    fn note_key(&mut self, span: Span, is_escaped: bool) -> Result<(), Refusal> {
        let key = span.of(self.text);
        if is_escaped && !is_as_written(key) {
            return Err(Refusal::Other);
        }
        let mut hasher = FxHasher::default();
        hasher.write(key.as_bytes());
        self.keys.push(hasher.finish());
        Ok(())
    }

    /// Two keys with the same hash are taken for one key that is there twice; the long way decides.
    fn have_no_key_twice(&mut self, first: usize) -> Result<(), Refusal> {
        let keys = &mut self.keys[first..];
        keys.sort_unstable();
        let twice = keys.windows(2).any(|two| two[0] == two[1]);
        self.keys.truncate(first);
        if twice { Err(Refusal::Other) } else { Ok(()) }
    }

    fn array(&mut self, from: usize) -> Result<usize, Refusal> {
        self.deeper()?;
        let mut at = from;
        while self.byte(at) != b']' {
            if at != from {
                self.expect(at, b',')?;
                at += 1;
            }
            at = self.value(at, Span::new(at, at), false)?;
        }
        self.depth -= 1;
        Ok(at + 1)
    }

    /// Puts down the value that stands here; where it ends.
    fn value(&mut self, at: usize, key: Span, is_key_escaped: bool) -> Result<usize, Refusal> {
        let place = self.nodes.len();
        let value = Span::new(at, at);
        let kind = PartKind::Null;
        self.nodes.push(Node { key, value, size: 1, kind, is_key_escaped, is_escaped: false });
        let (kind, end, is_escaped) = match self.byte(at) {
            b'"' => {
                let end = self.string(at)?;
                (PartKind::Text, end.place() + 1, end.is_escaped())
            }
            b'{' => (PartKind::Object, self.object(at + 1, false)?, false),
            b'[' => (PartKind::Array, self.array(at + 1)?, false),
            other => {
                let end = scalar_end(self.text.as_bytes(), at).ok_or_else(|| self.refusal(at))?;
                let kind = match other {
                    b't' | b'f' => PartKind::Boolean,
                    b'n' => PartKind::Null,
                    _ if is_in_range(&self.text[at..end]) => PartKind::Number,
                    _ => return Err(Refusal::Other),
                };
                (kind, end, false)
            }
        };
        let size = (self.nodes.len() - place) as u32;
        let node = &mut self.nodes[place];
        *node = Node { value: Span::new(at, end), size, kind, is_escaped, ..*node };
        Ok(end)
    }
}

/// Whether a text's escapes are those that `serde_json` writes: no more than needed, each in its shortest form.
pub(crate) fn is_as_written(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(found) = memchr_backslash(&bytes[at..]) {
        let escape = at + found + 1;
        match bytes.get(escape) {
            Some(b'"' | b'\\' | b'b' | b'f' | b'n' | b'r' | b't') => at = escape + 1,
            Some(b'u') if is_needed(&bytes[escape + 1..]) => at = escape + 5,
            _ => return false,
        }
    }
    true
}

fn memchr_backslash(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|byte| *byte == b'\\')
}

/// Whether four digits stand for a control character that has no shorter escape, as `serde_json` writes it.
fn is_needed(digits: &[u8]) -> bool {
    let Some([b'0', b'0', high @ (b'0' | b'1'), low @ (b'0'..=b'9' | b'a'..=b'f')]) = digits.first_chunk()
    else {
        return false;
    };
    !(*high == b'0' && matches!(low, b'8' | b'9' | b'a' | b'c' | b'd'))
}
