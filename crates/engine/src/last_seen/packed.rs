//! Pairs of numbers without a bit between them, one behind the other, in pages of the same size.
//!
//! All keys have the same number of bits, and so have all values. Pages are as long as each other whatever they hold, so
//! that what is freed fits what is asked for next, and memory does not come to consist of gaps. No pair crosses pages:
//! less than a pair is wasted at the end of each.

use std::ops::Range;

/// A page of the processor's memory.
const PAGE_BYTES: usize = 4096;
/// As many bytes are looked at at once.
const WORD_BYTES: usize = 16;
/// So many bits are in one word, wherever in a byte they begin.
const AT_ONCE_BITS: u32 = 8 * WORD_BYTES as u32 - 7;

type Page = [u8; PAGE_BYTES];

/// The pairs.
#[derive(Debug, Default)]
pub(super) struct Packed {
    key_bits: u32,
    value_bits: u32,
    pairs_of_page: u32,
    /// 2³² by the pairs of a page, rounded up: dividing an index below 2¹⁶ by them is multiplying with this.
    reciprocal: u64,
    len: usize,
    pages: Vec<Box<Page>>,
}

/// See [`Packed::pairs`].
#[derive(Debug, Clone)]
pub(super) struct Pairs<'a> {
    packed: &'a Packed,
    at: At,
    left: usize,
}

/// A place in the pages.
#[derive(Debug, Clone, Copy)]
struct At {
    page: usize,
    bit: u32,
}

impl Packed {
    /// No pairs; keys of at most 80 bits and values of at most 64.
    pub(super) fn new(key_bits: u32, value_bits: u32) -> Self {
        let pairs_of_page = PAGE_BYTES as u32 * 8 / (key_bits + value_bits).max(1);
        let reciprocal = (1_u64 << 32).div_ceil(u64::from(pairs_of_page));
        Self { key_bits, value_bits, pairs_of_page, reciprocal, len: 0, pages: Vec::new() }
    }

    /// How many there are; fewer than 2¹⁶.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Bits of a value.
    pub(super) fn value_bits(&self) -> u32 {
        self.value_bits
    }

    /// Bytes of memory, without its own.
    pub(super) fn bytes(&self) -> usize {
        self.pages.len() * PAGE_BYTES + self.pages.capacity() * size_of::<Box<Page>>()
    }

    /// Adds a pair.
    pub(super) fn push(&mut self, key: u128, value: u64) {
        let (at, bits) = (self.at(self.len), self.bits());
        if at.page == self.pages.len() {
            self.pages.push(Box::new([0; PAGE_BYTES]));
        }
        let page = &mut self.pages[at.page];
        if bits <= AT_ONCE_BITS {
            let (byte, shift) = word_of(at.bit);
            // Nothing is there yet.
            let word = word(page, byte) | (key | u128::from(value) << self.key_bits) << shift;
            page[byte..byte + WORD_BYTES].copy_from_slice(&word.to_le_bytes());
        } else {
            write(page, at.bit, self.key_bits, key);
            write(page, at.bit + self.key_bits, self.value_bits, u128::from(value));
        }
        self.len += 1;
    }

    /// Adds pairs of others, whose keys and values have as many bits.
    pub(super) fn append(&mut self, others: &Self, mut range: Range<usize>) {
        while !range.is_empty() {
            let (from, to, bits) = (others.at(range.start), self.at(self.len), self.bits());
            if to.page == self.pages.len() {
                self.pages.push(Box::new([0; PAGE_BYTES]));
            }
            let room = self.pairs_of_page - from.bit.max(to.bit) / bits;
            let count = range.len().min(room as usize);
            copy(&others.pages[from.page], from.bit, &mut self.pages[to.page], to.bit, count as u32 * bits);
            range.start += count;
            self.len += count;
        }
    }

    /// Room for so many more.
    pub(super) fn reserve(&mut self, pairs: usize) {
        let pages = (self.len + pairs).div_ceil(self.pairs_of_page as usize);
        self.pages.reserve_exact(pages.saturating_sub(self.pages.len()));
    }

    /// The key of a pair that is there.
    pub(super) fn key(&self, index: usize) -> u128 {
        let at = self.at(index);
        read(&self.pages[at.page], at.bit, self.key_bits)
    }

    /// The value of a pair that is there.
    pub(super) fn value(&self, index: usize) -> u64 {
        let at = self.at(index);
        read(&self.pages[at.page], at.bit + self.key_bits, self.value_bits) as u64
    }

    /// Changes the value of a pair that is there.
    pub(super) fn set_value(&mut self, index: usize, value: u64) {
        let at = self.at(index);
        write(&mut self.pages[at.page], at.bit + self.key_bits, self.value_bits, u128::from(value));
    }

    /// All pairs in order.
    pub(super) fn pairs(&self) -> Pairs<'_> {
        Pairs { packed: self, at: At { page: 0, bit: 0 }, left: self.len }
    }

    fn bits(&self) -> u32 {
        self.key_bits + self.value_bits
    }

    fn at(&self, index: usize) -> At {
        let page = ((index as u64 * self.reciprocal) >> 32) as u32;
        let bit = (index as u32 - page * self.pairs_of_page) * self.bits();
        At { page: page as usize, bit }
    }
}

impl Iterator for Pairs<'_> {
    type Item = (u128, u64);

    fn next(&mut self) -> Option<(u128, u64)> {
        self.left = self.left.checked_sub(1)?;
        let Packed { key_bits, value_bits, pages, .. } = self.packed;
        let bits = key_bits + value_bits;
        if self.at.bit + bits > PAGE_BYTES as u32 * 8 {
            self.at = At { page: self.at.page + 1, bit: 0 };
        }
        let (page, bit) = (pages.get(self.at.page)?, self.at.bit);
        self.at.bit += bits;
        if bits <= AT_ONCE_BITS {
            let pair = read(page, bit, bits);
            return Some((pair & mask(*key_bits), (pair >> key_bits) as u64));
        }
        Some((read(page, bit, *key_bits), read(page, bit + key_bits, *value_bits) as u64))
    }
}

/// The byte at which a word begins that has the bit, and the bit's place in the word. Near the end of the page that is
/// the last word, so bits up to the end of the page are in it.
fn word_of(bit: u32) -> (usize, u32) {
    let byte = (bit as usize / 8).min(PAGE_BYTES - WORD_BYTES);
    (byte, bit - 8 * byte as u32)
}

fn mask(bits: u32) -> u128 {
    (1 << bits) - 1
}

fn word(page: &Page, byte: usize) -> u128 {
    let mut bytes = [0; WORD_BYTES];
    bytes.copy_from_slice(&page[byte..byte + WORD_BYTES]);
    u128::from_le_bytes(bytes)
}

fn read(page: &Page, bit: u32, bits: u32) -> u128 {
    let (byte, shift) = word_of(bit);
    word(page, byte).checked_shr(shift).unwrap_or(0) & mask(bits)
}

fn write(page: &mut Page, bit: u32, bits: u32, value: u128) {
    let (byte, shift) = word_of(bit);
    let keep = !mask(bits).checked_shl(shift).unwrap_or(0);
    let word = word(page, byte) & keep | value.checked_shl(shift).unwrap_or(0);
    page[byte..byte + WORD_BYTES].copy_from_slice(&word.to_le_bytes());
}

/// Copies bits to where only zeros are.
fn copy(from: &Page, mut from_bit: u32, to: &mut Page, mut to_bit: u32, mut bits: u32) {
    while bits > 0 {
        let at_once = bits.min(AT_ONCE_BITS);
        let (byte, shift) = word_of(to_bit);
        let word = word(to, byte) | read(from, from_bit, at_once) << shift;
        to[byte..byte + WORD_BYTES].copy_from_slice(&word.to_le_bytes());
        (from_bit, to_bit, bits) = (from_bit + at_once, to_bit + at_once, bits - at_once);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_of_any_width_are_what_they_were() {
        let check = |key_bits: u32, value_bits: u32| {
            let (key_mask, value_mask) = (mask(key_bits), mask(value_bits) as u64);
            let key =
                |number: usize| (number as u128).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_0C5D) & key_mask;
            let value = |number: usize| (number as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) & value_mask;
            let mut packed = Packed::new(key_bits, value_bits);
            (0..3_000).for_each(|number| packed.push(key(number), value(number)));
            (0..3_000).step_by(3).for_each(|number| packed.set_value(number, value(number + 7)));
            for number in 0..3_000 {
                let wanted = value(if number % 3 == 0 { number + 7 } else { number });
                let got = (packed.key(number), packed.value(number));
                assert_eq!(got, (key(number), wanted), "{number}: {key_bits} {value_bits}");
            }
            let pairs = (0..3_000).map(|number| (packed.key(number), packed.value(number)));
            assert!(packed.pairs().eq(pairs), "{key_bits} {value_bits}");
            let mut copied = Packed::new(key_bits, value_bits);
            copied.push(packed.key(0), packed.value(0));
            copied.append(&packed, 5..5);
            copied.append(&packed, 1..700);
            copied.push(packed.key(700), packed.value(700));
            copied.append(&packed, 701..3_000);
            assert!(packed.pairs().eq(copied.pairs()), "{key_bits} {value_bits}");
        };
        for (key_bits, value_bits) in
            [(80, 64), (80, 1), (57, 13), (3, 1), (1, 0), (64, 64), (79, 49), (77, 51)]
        {
            check(key_bits, value_bits);
        }
    }

    #[test]
    fn every_index_has_its_own_place() {
        for width in 1..=144 {
            let packed = Packed::new(width.min(80), width.saturating_sub(80));
            for index in 0..65_535 {
                let at = packed.at(index);
                let per_page = packed.pairs_of_page as usize;
                assert_eq!((at.page, at.bit as usize), (index / per_page, index % per_page * width as usize));
            }
        }
    }
}
