//! The quick way through a document: byte by byte outside of strings, guided by the trie, and over strings by where they
//! end.
//!
//! The walk takes a document only when it is sure that it is valid JSON, what is skipped included; values are spans of
//! the document. Where it is not sure ([`Unsure`]), the thorough way decides, and says what is wrong.

use super::string_ends::{StringEnd, StringEnds};
use super::trie::{ROOT, Trie};
use super::{Decoder, unescape};
use crate::limits::WALK_DEPTH_MAX;
use crate::slots::{Raw, Slots, Span};

/// The document is not valid JSON, or has something that the quick way leaves to the thorough one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unsure;

/// A way through one document.
pub(super) struct Walk<'a> {
    decoder: &'a Decoder,
    trie: &'a Trie,
    text: &'a str,
    bytes: &'a [u8],
    /// The ends of the strings that are to come.
    ends: &'a [StringEnd],
    /// Whether escapes may be halves of surrogate pairs.
    has_code_units: bool,
    depth: usize,
    slots: &'a mut Slots,
}

impl<'a> Walk<'a> {
    /// Walks through the whole document; `ends` are those of its strings.
    pub(super) fn document(
        decoder: &'a Decoder,
        text: &'a str,
        ends: &'a StringEnds,
        slots: &'a mut Slots,
    ) -> Result<(), Unsure> {
        let (trie, bytes) = (&decoder.trie, text.as_bytes());
        let (ends, has_code_units) = (ends.ends(), ends.has_code_units());
        let mut walk = Self { decoder, trie, text, bytes, ends, has_code_units, depth: 0, slots };
        let start = walk.after_blanks(0);
        if walk.byte(start) != b'{' {
            return Err(Unsure);
        }
        let (end, _) = walk.object(ROOT, start + 1)?;
        if walk.after_blanks(end) == bytes.len() { Ok(()) } else { Err(Unsure) }
    }

    /// The byte at a place; behind the end a zero, which nothing begins with.
    #[inline]
    fn byte(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or(0)
    }

    /// The first place from `at` on without a blank.
    #[inline]
    fn after_blanks(&self, mut at: usize) -> usize {
        while matches!(self.byte(at), b' ' | b'\t' | b'\n' | b'\r') {
            at += 1;
        }
        at
    }

    /// The end of a string, given the place of its opening quote.
    #[inline]
    fn string_end(&mut self, open: usize) -> Result<StringEnd, Unsure> {
        if self.byte(open) != b'"' {
            return Err(Unsure);
        }
        // Strings are met in order, and none is met twice.
        let (end, rest) = self.ends.split_first().ok_or(Unsure)?;
        self.ends = rest;
        Ok(*end)
    }

    /// A key and its colon: where the key ends, and where its value begins.
    #[inline]
    fn key(&mut self, open: usize) -> Result<(StringEnd, usize), Unsure> {
        let close = self.string_end(open)?;
        let colon = self.after_blanks(close.place() + 1);
        if self.byte(colon) == b':' { Ok((close, self.after_blanks(colon + 1))) } else { Err(Unsure) }
    }

    /// The entries of an object after its bracket; where it ends, and whether it has any.
    fn object(&mut self, node: u32, from: usize) -> Result<(usize, bool), Unsure> {
        let mut at = self.after_blanks(from);
        if self.byte(at) == b'}' {
            return Ok((at + 1, false));
        }
        loop {
            let (close, value) = self.key(at)?;
            let end = match self.child(node, at + 1, close)? {
                Some(child) => self.entry(child, value)?,
                None => self.skip(value)?,
            };
            at = self.after_blanks(end);
            match self.byte(at) {
                b',' => at = self.after_blanks(at + 1),
                b'}' => return Ok((at + 1, true)),
                _ => return Err(Unsure),
            }
        }
    }

    /// The trie's node for a key.
    #[inline]
    fn child(&self, node: u32, start: usize, end: StringEnd) -> Result<Option<u32>, Unsure> {
        let key = &self.text[start..end.place()];
        if end.is_escaped() {
            let key = unescape::unescaped(key).ok_or(Unsure)?;
            return Ok(self.trie.walk(node, key.as_bytes()));
        }
        Ok(self.trie.walk(node, key.as_bytes()))
    }

    /// The value of a key that somebody wants.
    fn entry(&mut self, node: u32, from: usize) -> Result<usize, Unsure> {
        let end = self.value(node, from)?;
        if !self.trie.nested(node).is_empty() {
            let value = &self.text[from..end];
            self.decoder.nested_objects(node, value, self.slots).map_err(|_| Unsure)?;
        }
        Ok(end)
    }

    /// The value at a place; where it ends.
    fn value(&mut self, node: u32, at: usize) -> Result<usize, Unsure> {
        match self.byte(at) {
            b'"' => {
                let close = self.string_end(at)?;
                self.string(node, at + 1, close)?;
                Ok(close.place() + 1)
            }
            b'{' => {
                self.deeper()?;
                let (end, any) = self.object(node, at + 1)?;
                self.depth -= 1;
                if any {
                    self.push(node, Raw::Object);
                }
                Ok(end)
            }
            b'[' => {
                self.deeper()?;
                let end = self.array(node, at + 1)?;
                self.depth -= 1;
                Ok(end)
            }
            _ => self.scalar(node, at),
        }
    }

    fn deeper(&mut self) -> Result<(), Unsure> {
        self.depth += 1;
        if self.depth < WALK_DEPTH_MAX { Ok(()) } else { Err(Unsure) }
    }

    fn array(&mut self, node: u32, from: usize) -> Result<usize, Unsure> {
        let mut at = self.after_blanks(from);
        if self.byte(at) == b']' {
            return Ok(at + 1);
        }
        loop {
            let end = self.value(node, at)?;
            at = self.after_blanks(end);
            match self.byte(at) {
                b',' => at = self.after_blanks(at + 1),
                b']' => return Ok(at + 1),
                _ => return Err(Unsure),
            }
        }
    }

    fn string(&mut self, node: u32, start: usize, end: StringEnd) -> Result<(), Unsure> {
        let targets = self.trie.targets(node);
        let (span, escaped) = (Span::new(start, end.place()), end.is_escaped());
        // A lone surrogate is nothing that the text can hold.
        if escaped && self.has_code_units {
            let text = &self.text[start..end.place()];
            if unescape::has_code_units(text) && unescape::unescaped(text).is_none() {
                return Err(Unsure);
            }
        }
        for slot in targets {
            self.slots.push_string(*slot, self.text, span, escaped, self.decoder.is_looked_at(*slot));
        }
        Ok(())
    }

    fn scalar(&mut self, node: u32, at: usize) -> Result<usize, Unsure> {
        let end = scalar_end(self.bytes, at).ok_or(Unsure)?;
        match self.byte(at) {
            b't' => self.push(node, Raw::Boolean(true)),
            b'f' => self.push(node, Raw::Boolean(false)),
            b'n' => self.decoder.push_null(node, self.slots),
            _ => {
                if !is_in_range(&self.text[at..end]) {
                    return Err(Unsure);
                }
                for slot in self.trie.targets(node) {
                    self.slots.push_number(*slot, Span::new(at, end));
                }
            }
        }
        Ok(end)
    }

    fn push(&mut self, node: u32, raw: Raw) {
        for slot in self.trie.targets(node) {
            self.slots.push_raw(*slot, raw);
        }
    }

    /// Skips a value that nobody wants; where it ends.
    #[inline]
    fn skip(&mut self, at: usize) -> Result<usize, Unsure> {
        match self.byte(at) {
            b'{' | b'[' => self.skip_container(at),
            _ => self.skip_plain(at),
        }
    }

    /// Skips a string, a number or a word.
    #[inline]
    fn skip_plain(&mut self, at: usize) -> Result<usize, Unsure> {
        if self.byte(at) == b'"' {
            return Ok(self.string_end(at)?.place() + 1);
        }
        scalar_end(self.bytes, at).ok_or(Unsure)
    }

    /// Skips an object or array, without recursion.
    fn skip_container(&mut self, mut at: usize) -> Result<usize, Unsure> {
        // Bit by bit from below, the kinds of the brackets that are open: 1 for an object.
        let mut kinds = 0_u128;
        let mut depth = 0;
        'open: loop {
            let is_object = self.byte(at) == b'{';
            depth += 1;
            if depth == u128::BITS {
                return Err(Unsure);
            }
            kinds = kinds << 1 | u128::from(is_object);
            at = self.after_blanks(at + 1);
            if self.byte(at) != closing(is_object) {
                at = self.item(is_object, at)?;
                if matches!(self.byte(at), b'{' | b'[') {
                    continue;
                }
                at = self.skip_plain(at)?;
            }
            // What follows a value, or stands in an empty bracket.
            loop {
                let is_object = kinds & 1 == 1;
                at = self.after_blanks(at);
                match self.byte(at) {
                    b',' => {
                        let next = self.after_blanks(at + 1);
                        at = self.item(is_object, next)?;
                        if matches!(self.byte(at), b'{' | b'[') {
                            continue 'open;
                        }
                        at = self.skip_plain(at)?;
                    }
                    byte if byte == closing(is_object) => {
                        kinds >>= 1;
                        depth -= 1;
                        at += 1;
                        if depth == 0 {
                            return Ok(at);
                        }
                    }
                    _ => return Err(Unsure),
                }
            }
        }
    }

    /// Where the value of an entry, or an element, begins.
    #[inline]
    fn item(&mut self, is_object: bool, at: usize) -> Result<usize, Unsure> {
        if is_object { Ok(self.key(at)?.1) } else { Ok(at) }
    }
}

fn closing(is_object: bool) -> u8 {
    if is_object { b'}' } else { b']' }
}

/// Where the number or word at a place ends; none where there is neither.
#[inline]
pub(crate) fn scalar_end(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = bytes.get(at..)?;
    let word = |word: &[u8]| rest.starts_with(word).then_some(at + word.len());
    match rest.first()? {
        b't' => word(b"true"),
        b'f' => word(b"false"),
        b'n' => word(b"null"),
        _ => number_length(rest).map(|length| at + length),
    }
}

/// Whether the bytes are a number by JSON's grammar.
pub(super) fn is_number(bytes: &[u8]) -> bool {
    number_length(bytes) == Some(bytes.len())
}

/// The length of the number that the bytes begin with.
#[inline]
fn number_length(bytes: &[u8]) -> Option<usize> {
    let digits = |from: usize| {
        let count = bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        (count > 0).then_some(from + count)
    };
    let start = usize::from(bytes.first() == Some(&b'-'));
    let mut end = digits(start)?;
    if bytes[start] == b'0' && end > start + 1 {
        return None;
    }
    if bytes.get(end) == Some(&b'.') {
        end = digits(end + 1)?;
    }
    if let Some(b'e' | b'E') = bytes.get(end) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        end = digits((end + 1 + sign).min(bytes.len()))?;
    }
    Some(end)
}

/// Whether a float can hold the number.
pub(crate) fn is_in_range(number: &str) -> bool {
    /// A number with fewer characters and without an exponent is.
    const SURELY: usize = 300;
    let plain = number.len() < SURELY && !number.contains(['e', 'E']);
    plain || number.parse::<f64>().is_ok_and(f64::is_finite)
}
