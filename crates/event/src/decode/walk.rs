//! The quick way through a document: from position to position of its structure, guided by the trie.
//!
//! The walk takes a document only when it is sure that it is valid JSON, what is skipped included; values are spans of
//! the document. Where it is not sure ([`Unsure`]), the thorough way decides, and says what is wrong.

use super::trie::{ROOT, Trie, may_be_several};
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
    /// The positions that are left.
    rest: &'a [u32],
    depth: usize,
    slots: &'a mut Slots,
}

impl<'a> Walk<'a> {
    /// Walks through the whole document; `positions` are those of its structure.
    pub(super) fn document(
        decoder: &'a Decoder,
        text: &'a str,
        positions: &'a [u32],
        slots: &'a mut Slots,
    ) -> Result<(), Unsure> {
        let (trie, bytes) = (&decoder.trie, text.as_bytes());
        let mut walk = Self { decoder, trie, text, bytes, rest: positions, depth: 0, slots };
        let (start, byte) = walk.next(0)?;
        if byte != b'{' {
            return Err(Unsure);
        }
        let (end, _) = walk.object(ROOT, start + 1)?;
        let all_seen = walk.rest.is_empty() && is_blank(&bytes[end..]);
        if all_seen { Ok(()) } else { Err(Unsure) }
    }

    /// The next position and what stands there, with nothing but blanks from `from` to it.
    #[inline]
    fn next(&mut self, from: usize) -> Result<(usize, u8), Unsure> {
        let (position, rest) = self.rest.split_first().ok_or(Unsure)?;
        let position = *position as usize;
        if position != from && !is_blank(self.bytes.get(from..position).ok_or(Unsure)?) {
            return Err(Unsure);
        }
        self.rest = rest;
        Ok((position, self.bytes[position]))
    }

    /// The place of a string's closing quote, which is the next position after its opening one.
    #[inline]
    fn closing_quote(&mut self) -> Result<usize, Unsure> {
        let (position, rest) = self.rest.split_first().ok_or(Unsure)?;
        self.rest = rest;
        Ok(*position as usize)
    }

    /// A key and its colon after `from`: the key's place, and where its value may begin.
    #[inline]
    fn key(&mut self, open: usize) -> Result<(usize, usize, usize), Unsure> {
        let close = self.closing_quote()?;
        let (colon, byte) = self.next(close + 1)?;
        if byte == b':' { Ok((open + 1, close, colon + 1)) } else { Err(Unsure) }
    }

    /// The entries of an object after its bracket; where it ends, and whether it has any.
    fn object(&mut self, node: u32, from: usize) -> Result<(usize, bool), Unsure> {
        let (mut at, mut byte) = self.next(from)?;
        if byte == b'}' {
            return Ok((at + 1, false));
        }
        loop {
            if byte != b'"' {
                return Err(Unsure);
            }
            let (start, end, value) = self.key(at)?;
            let end = match self.child(node, start, end)? {
                Some(child) => self.entry(child, value)?,
                None => self.skip(value)?,
            };
            (at, byte) = self.next(end)?;
            match byte {
                b',' => (at, byte) = self.next(at + 1)?,
                b'}' => return Ok((at + 1, true)),
                _ => return Err(Unsure),
            }
        }
    }

    /// The trie's node for a key.
    #[inline]
    fn child(&self, node: u32, start: usize, end: usize) -> Result<Option<u32>, Unsure> {
        let key = &self.bytes[start..end];
        match self.trie.walk(node, key) {
            None if may_be_several(key) && key.contains(&b'\\') => {
                let key = unescape::unescaped(&self.text[start..end]).ok_or(Unsure)?;
                Ok(self.trie.walk(node, key.as_bytes()))
            }
            found => Ok(found),
        }
    }

    /// The value of a key that somebody wants.
    fn entry(&mut self, node: u32, from: usize) -> Result<usize, Unsure> {
        let end = self.value(node, from)?;
        if !self.trie.node(node).nested.is_empty() {
            let value = self.text[from..end].trim_start();
            self.decoder.nested_objects(node, value, self.slots).map_err(|_| Unsure)?;
        }
        Ok(end)
    }

    fn value(&mut self, node: u32, from: usize) -> Result<usize, Unsure> {
        let position = self.place()?;
        match self.bytes[position] {
            b'"' => {
                self.next(from)?;
                let close = self.closing_quote()?;
                self.string(node, position + 1, close)?;
                Ok(close + 1)
            }
            b'{' => {
                self.next(from)?;
                self.deeper()?;
                let (end, any) = self.object(node, position + 1)?;
                self.depth -= 1;
                if any {
                    self.push(node, Raw::Object);
                }
                Ok(end)
            }
            b'[' => {
                self.next(from)?;
                self.deeper()?;
                let end = self.array(node, position + 1)?;
                self.depth -= 1;
                Ok(end)
            }
            _ => {
                let (start, end) = trim(self.bytes, from, position)?;
                self.scalar(node, start, end)?;
                Ok(position)
            }
        }
    }

    fn deeper(&mut self) -> Result<(), Unsure> {
        self.depth += 1;
        if self.depth < WALK_DEPTH_MAX { Ok(()) } else { Err(Unsure) }
    }

    fn array(&mut self, node: u32, from: usize) -> Result<usize, Unsure> {
        let position = self.place()?;
        if self.bytes[position] == b']' && self.bytes.get(from..position).is_some_and(is_blank) {
            self.rest = &self.rest[1..];
            return Ok(position + 1);
        }
        let mut from = from;
        loop {
            let end = self.value(node, from)?;
            let (at, byte) = self.next(end)?;
            match byte {
                b',' => from = at + 1,
                b']' => return Ok(at + 1),
                _ => return Err(Unsure),
            }
        }
    }

    fn string(&mut self, node: u32, start: usize, end: usize) -> Result<(), Unsure> {
        let targets = &self.trie.node(node).targets;
        if targets.is_empty() {
            return Ok(());
        }
        let span = Span::new(start, end);
        let text = &self.text[start..end];
        let escaped = text.as_bytes().contains(&b'\\');
        // A lone surrogate is nothing that the text can hold.
        if escaped && unescape::has_code_units(text) && unescape::unescaped(text).is_none() {
            return Err(Unsure);
        }
        for slot in targets {
            self.slots.push_string(*slot, self.text, span, escaped, self.decoder.is_looked_at(*slot));
        }
        Ok(())
    }

    fn scalar(&mut self, node: u32, start: usize, end: usize) -> Result<(), Unsure> {
        let value = &self.bytes[start..end];
        if is_number(value) {
            if !is_in_range(&self.text[start..end]) {
                return Err(Unsure);
            }
            for slot in &self.trie.node(node).targets {
                self.slots.push_number(*slot, Span::new(start, end));
            }
            return Ok(());
        }
        match value {
            b"true" => self.push(node, Raw::Boolean(true)),
            b"false" => self.push(node, Raw::Boolean(false)),
            b"null" => self.decoder.push_null(node, self.slots),
            _ => return Err(Unsure),
        }
        Ok(())
    }

    fn push(&mut self, node: u32, raw: Raw) {
        for slot in &self.trie.node(node).targets {
            self.slots.push_raw(*slot, raw);
        }
    }

    /// Skips a value that nobody wants; where it ends.
    #[inline]
    fn skip(&mut self, from: usize) -> Result<usize, Unsure> {
        let position = self.place()?;
        match self.bytes[position] {
            b'"' => {
                self.next(from)?;
                Ok(self.closing_quote()? + 1)
            }
            b'{' | b'[' => self.skip_container(from),
            _ => {
                let (start, end) = trim(self.bytes, from, position)?;
                let value = &self.bytes[start..end];
                let valid = is_number(value) || matches!(value, b"true" | b"false" | b"null");
                if valid { Ok(position) } else { Err(Unsure) }
            }
        }
    }

    /// Skips an object or array, without recursion.
    fn skip_container(&mut self, from: usize) -> Result<usize, Unsure> {
        // Bit by bit from below, the kinds of the brackets that are open: 1 for an object.
        let mut kinds = 0_u128;
        let mut depth = 0;
        let mut from = from;
        loop {
            // A bracket opens.
            let (open, bracket) = self.next(from)?;
            depth += 1;
            if depth == u128::BITS {
                return Err(Unsure);
            }
            kinds = kinds << 1 | u128::from(bracket == b'{');
            from = open + 1;
            let empty = self.peek()? == if bracket == b'{' { b'}' } else { b']' };
            let mut end = if empty && is_blank(&self.bytes[from..self.place()?]) {
                None
            } else {
                Some(self.first(kinds, &mut from)?)
            };
            // What follows a value; the bracket that opens next ends this.
            loop {
                if end == Some(OPENS) {
                    break;
                }
                let (at, byte) = self.next(end.unwrap_or(from))?;
                match (byte, kinds & 1 == 1) {
                    (b',', _) if end.is_some() => {
                        from = at + 1;
                        end = Some(self.first(kinds, &mut from)?);
                    }
                    (b'}', true) | (b']', false) => {
                        kinds >>= 1;
                        depth -= 1;
                        if depth == 0 {
                            return Ok(at + 1);
                        }
                        end = Some(at + 1);
                    }
                    _ => return Err(Unsure),
                }
            }
        }
    }

    /// The next entry or element of what is open: where its value ends, or that a bracket opens at `from`.
    #[inline]
    fn first(&mut self, kinds: u128, from: &mut usize) -> Result<usize, Unsure> {
        if kinds & 1 == 1 {
            let (open, byte) = self.next(*from)?;
            if byte != b'"' {
                return Err(Unsure);
            }
            *from = self.key(open)?.2;
        }
        if matches!(self.peek()?, b'{' | b'[') { Ok(OPENS) } else { self.skip(*from) }
    }

    /// The next position, which stays the next one.
    #[inline]
    fn place(&self) -> Result<usize, Unsure> {
        self.rest.first().map(|position| *position as usize).ok_or(Unsure)
    }

    #[inline]
    fn peek(&self) -> Result<u8, Unsure> {
        Ok(self.bytes[self.place()?])
    }
}

/// Instead of an end: a bracket opens.
const OPENS: usize = usize::MAX;

fn is_blank(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'))
}

/// The range without blanks at its ends.
#[inline]
fn trim(bytes: &[u8], mut start: usize, mut end: usize) -> Result<(usize, usize), Unsure> {
    if start > end {
        return Err(Unsure);
    }
    while start < end && is_blank(&bytes[start..=start]) {
        start += 1;
    }
    while start < end && is_blank(&bytes[end - 1..end]) {
        end -= 1;
    }
    Ok((start, end))
}

/// Whether the bytes are a number by JSON's grammar.
#[inline]
pub(super) fn is_number(bytes: &[u8]) -> bool {
    let digits = |bytes: &[u8]| bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let rest = bytes.strip_prefix(b"-").unwrap_or(bytes);
    let whole = digits(rest);
    if whole == 0 || whole > 1 && rest[0] == b'0' {
        return false;
    }
    let mut rest = &rest[whole..];
    if let Some(fraction) = rest.strip_prefix(b".") {
        let count = digits(fraction);
        if count == 0 {
            return false;
        }
        rest = &fraction[count..];
    }
    if let [b'e' | b'E', exponent @ ..] = rest {
        let exponent = match exponent {
            [b'+' | b'-', digits @ ..] => digits,
            digits => digits,
        };
        let count = digits(exponent);
        return count > 0 && count == exponent.len();
    }
    rest.is_empty()
}

/// Whether a float can hold the number.
fn is_in_range(number: &str) -> bool {
    /// A number with fewer characters and without an exponent is.
    const SURELY: usize = 300;
    let plain = number.len() < SURELY && !number.contains(['e', 'E']);
    plain || number.parse::<f64>().is_ok_and(f64::is_finite)
}
