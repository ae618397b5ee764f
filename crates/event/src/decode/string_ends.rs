//! Where the strings of a JSON document end.
//!
//! Sixty-four bytes at a time, with vector instructions where the machine has them. What is here is necessary for valid
//! JSON, not sufficient: the walk over the document checks the rest. Escapes and control characters in strings are
//! checked here, since nobody looks into a string that is skipped.
//!
//! Source of the method: Langdale and Lemire, "Parsing Gigabytes of JSON per Second", 2019, section 3.1.
#![allow(
    clippy::inline_always,
    reason = "what uses vector instructions has to stand in the function that was chosen"
)]

use fearless_simd::{Level, Simd, dispatch, prelude::*, u8x64};

const BLOCK: usize = 64;

/// The ends of the strings of one document. Reused from document to document.
#[derive(Debug, Default)]
pub(crate) struct StringEnds {
    ends: Vec<StringEnd>,
    len: usize,
    code_units: bool,
}

/// Where the closing quote of a string stands, and whether the string has escapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StringEnd(u32);

impl StringEnd {
    /// Set where the string has escapes. A document is shorter than what the other bits hold.
    const ESCAPED: u32 = 1 << 31;

    /// The place of the closing quote.
    #[inline]
    pub(crate) fn place(self) -> usize {
        (self.0 & !Self::ESCAPED) as usize
    }

    /// Whether the string has escapes.
    #[inline]
    pub(crate) fn is_escaped(self) -> bool {
        self.0 & Self::ESCAPED != 0
    }
}

/// Which bytes of a block are what; bit i for byte i.
#[derive(Clone, Copy)]
struct Block {
    quotes: u64,
    backslashes: u64,
    controls: u64,
}

/// What one block needs to know of those before it.
#[derive(Default)]
struct Before {
    /// 1 where the first byte of the block is escaped.
    escaped: u64,
    /// All bits set where the block begins within a string.
    in_string: u64,
    /// 1 where that string had escapes.
    has_escapes: u64,
}

impl StringEnds {
    /// The ends in order.
    pub(crate) fn ends(&self) -> &[StringEnd] {
        &self.ends[..self.len]
    }

    /// Whether there is an escape `\u` anywhere, and with it maybe half of a surrogate pair.
    pub(crate) fn has_code_units(&self) -> bool {
        self.code_units
    }

    /// Finds them. False where the document cannot be valid JSON, or is too long for the positions.
    pub(crate) fn read(&mut self, bytes: &[u8]) -> bool {
        (self.len, self.code_units) = (0, false);
        bytes.len() < StringEnd::ESCAPED as usize && dispatch!(Level::new(), simd => self.blocks(simd, bytes))
    }

    #[inline(always)]
    fn blocks<S: Simd>(&mut self, simd: S, bytes: &[u8]) -> bool {
        let mut before = Before::default();
        let (blocks, rest) = bytes.as_chunks::<BLOCK>();
        let mut start = 0;
        for block in blocks {
            if !self.block(classify(simd, block), block, start, &mut before, bytes) {
                return false;
            }
            start += BLOCK;
        }
        let mut last = [b' '; BLOCK];
        last[..rest.len()].copy_from_slice(rest);
        self.block(classify(simd, &last), &last, start, &mut before, bytes)
            && before.in_string == 0
            && before.escaped == 0
    }

    #[inline(always)]
    fn block(
        &mut self,
        found: Block,
        block: &[u8; BLOCK],
        start: usize,
        before: &mut Before,
        bytes: &[u8],
    ) -> bool {
        let escaped = escaped(found.backslashes, &mut before.escaped);
        let quotes = found.quotes & !escaped;
        // Each opening quote turns the bits from itself on, each closing one turns them back, itself included.
        let in_string = prefix_xor(quotes) ^ before.in_string;
        before.in_string = ((in_string as i64) >> 63) as u64;
        if found.controls & in_string != 0 {
            return false;
        }
        // Most escapes are those of quotes and backslashes, which are always valid.
        let others = escaped & in_string & !(found.quotes | found.backslashes);
        if others != 0 && !self.escapes_are_valid(others, block, start, bytes) {
            return false;
        }
        // A backslash added to the run of its string's bits turns the bit behind the run on: that of the closing quote.
        let (sum, over) = in_string.overflowing_add(found.backslashes & in_string);
        let (sum, over_again) = sum.overflowing_add(std::mem::replace(&mut before.has_escapes, 0));
        before.has_escapes = u64::from(over | over_again);
        self.push(start, quotes & !in_string, sum);
        true
    }

    /// Adds the ends at the bits; those of strings with escapes are set in `escaped`.
    #[inline(always)]
    fn push(&mut self, start: usize, mut bits: u64, escaped: u64) {
        if self.ends.len() < self.len + BLOCK {
            self.ends.resize(self.len * 2 + BLOCK, StringEnd(0));
        }
        let Some((out, _)) = self.ends[self.len..].split_first_chunk_mut::<BLOCK>() else { return };
        let count = bits.count_ones() as usize;
        // Four at a time, since most blocks have fewer; what is written too much is overwritten next.
        let mut at = 0;
        while at < count {
            for end in &mut out[at..at + 4] {
                let at = bits.trailing_zeros();
                let is_escaped = escaped.checked_shr(at).unwrap_or(0) as u32 & 1;
                *end = StringEnd((start as u32 + at) | (is_escaped << StringEnd::ESCAPED.trailing_zeros()));
                bits &= bits.wrapping_sub(1);
            }
            at += 4;
        }
        self.len += count;
    }

    /// Whether each escaped byte, none of them a quote or a backslash, makes a valid escape.
    fn escapes_are_valid(
        &mut self,
        mut escaped: u64,
        block: &[u8; BLOCK],
        start: usize,
        bytes: &[u8],
    ) -> bool {
        while escaped != 0 {
            let at = escaped.trailing_zeros() as usize;
            match block[at % BLOCK] {
                b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
                b'u' => {
                    let digits = bytes.get(start + at + 1..start + at + 5);
                    if !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
                        return false;
                    }
                    self.code_units = true;
                }
                _ => return false,
            }
            escaped &= escaped - 1;
        }
        true
    }
}

#[inline(always)]
fn classify<S: Simd>(simd: S, block: &[u8; BLOCK]) -> Block {
    let bytes = u8x64::from_slice(simd, block);
    let is = |byte: u8| bytes.simd_eq(u8x64::splat(simd, byte)).to_bitmask();
    Block {
        quotes: is(b'"'),
        backslashes: is(b'\\'),
        controls: bytes.simd_lt(u8x64::splat(simd, 0x20)).to_bitmask(),
    }
}

/// The bytes that a backslash stands before which is not escaped itself. `carry` is 1 where the block before ended with
/// such a backslash.
#[inline(always)]
fn escaped(backslashes: u64, carry: &mut u64) -> u64 {
    const ODD: u64 = 0xAAAA_AAAA_AAAA_AAAA;
    if backslashes == 0 {
        return std::mem::take(carry);
    }
    // Backslashes that begin a run or stand in it, without one that is escaped from the block before. Subtracting the
    // starts of runs at odd places turns every second bit of a run.
    let backslashes = backslashes & !*carry;
    let follows = backslashes << 1 | *carry;
    let odd_starts = backslashes & ODD & !follows;
    let (ends, overflow) = odd_starts.overflowing_add(backslashes);
    *carry = u64::from(overflow);
    let flipped = ends << 1;
    (ODD >> 1 ^ flipped) & follows
}

#[inline(always)]
fn prefix_xor(mut bits: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << shift;
    }
    bits
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The places of the ends, and whether the strings have escapes, found byte by byte.
    fn plainly(bytes: &[u8]) -> Option<Vec<(usize, bool)>> {
        let (mut found, mut in_string, mut escaped, mut at) = (Vec::new(), false, false, 0);
        while at < bytes.len() {
            match bytes[at] {
                b'"' => {
                    if in_string {
                        found.push((at, escaped));
                    }
                    (in_string, escaped) = (!in_string, false);
                }
                b'\\' if in_string => {
                    escaped = true;
                    at += 1;
                    match bytes.get(at)? {
                        b'u' => {
                            let digits = bytes.get(at + 1..at + 5)?;
                            digits.iter().all(u8::is_ascii_hexdigit).then_some(())?;
                        }
                        byte => b"\"\\/bfnrt".contains(byte).then_some(())?,
                    }
                }
                byte if in_string && byte < 0x20 => return None,
                _ => {}
            }
            at += 1;
        }
        (!in_string).then_some(found)
    }

    fn ends(bytes: &[u8]) -> Option<Vec<(usize, bool)>> {
        let mut ends = StringEnds::default();
        ends.read(bytes).then(|| ends.ends().iter().map(|end| (end.place(), end.is_escaped())).collect())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn it_is_what_a_plain_loop_finds(
            text in r#"([a-z \\]{0,3}(["{}\[\]:,]|\\\\|\\"|\\u00e[0-9g]|"[a-z{,:]{0,70}"|\\{1,70}|[\x00-\x1f])){0,40}"#
        ) {
            // A backslash outside of strings is no JSON; whether it escapes there is of no matter.
            let plain = plainly(text.as_bytes());
            if let Some(expected) = plain
                && !outside_strings(&text).contains('\\')
            {
                prop_assert_eq!(ends(text.as_bytes()), Some(expected));
            }
        }
    }

    /// The text without its strings.
    fn outside_strings(text: &str) -> String {
        let (mut out, mut in_string, mut chars) = (String::new(), false, text.chars());
        while let Some(c) = chars.next() {
            match c {
                '"' => in_string = !in_string,
                '\\' if in_string => {
                    chars.next();
                }
                _ if in_string => {}
                other => out.push(other),
            }
        }
        out
    }

    #[test]
    fn strings_that_are_no_json_are_refused() {
        let long = "x".repeat(60);
        for bad in ["\"", "\"\\\"", "\"\\x\"", "\"\n\"", "\"\\u12g4\"", "\"\\u12\""] {
            assert_eq!(ends(format!("{{{long}{bad}").as_bytes()), None, "{bad}");
            assert_eq!(ends(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(ends(br#"{"a\"":"\\"}"#), Some(vec![(5, true), (10, true)]));
        assert_eq!(ends(b""), Some(vec![]));
    }
}
