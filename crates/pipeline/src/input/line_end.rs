//! Where a line of NDJSON ends, found in the same pass as what may be more in it than an event.
//!
//! Most lines hold neither a key with a leading underscore nor a second document. Sixty-four bytes at a time, with vector
//! instructions where the machine has them, that is known for the price of finding the line feed.
#![allow(
    clippy::inline_always,
    reason = "what uses vector instructions has to stand in the function that was chosen"
)]

use fearless_simd::{Level, Simd, dispatch, prelude::*, u8x64};

const BLOCK: usize = 64;

/// The end of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LineEnd {
    /// Bytes before the line feed.
    pub(super) length: usize,
    /// Whether a quote with an underscore behind it, or `}{`, may stand in the line.
    pub(super) suspicious: bool,
}

/// The end of the line that the bytes begin with; none where it is not among them.
pub(super) fn line_end(bytes: &[u8]) -> Option<LineEnd> {
    dispatch!(Level::new(), simd => find(simd, bytes))
}

#[inline(always)]
fn find<S: Simd>(simd: S, bytes: &[u8]) -> Option<LineEnd> {
    let (mut at, mut suspicious) = (0, false);
    // A byte more than a block, so that each byte of the block is seen with the one behind it.
    while let Some((first, second)) = bytes.get(at..at + BLOCK).zip(bytes.get(at + 1..at + 1 + BLOCK)) {
        let (first, second) = (u8x64::from_slice(simd, first), u8x64::from_slice(simd, second));
        let first_is = |byte: u8| first.simd_eq(u8x64::splat(simd, byte)).to_bitmask();
        let second_is = |byte: u8| second.simd_eq(u8x64::splat(simd, byte)).to_bitmask();
        let suspects = first_is(b'"') & second_is(b'_') | first_is(b'}') & second_is(b'{');
        let feeds = first_is(b'\n');
        if feeds != 0 {
            let before = (feeds & feeds.wrapping_neg()) - 1;
            let length = at + feeds.trailing_zeros() as usize;
            return Some(LineEnd { length, suspicious: suspicious || suspects & before != 0 });
        }
        suspicious |= suspects != 0;
        at += BLOCK;
    }
    let rest = &bytes[at..];
    let length = memchr::memchr(b'\n', rest)?;
    let pairs = || rest[..length].windows(2);
    let suspects = pairs().any(|pair| pair == b"\"_" || pair == b"}{");
    Some(LineEnd { length: at + length, suspicious: suspicious || suspects })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_what_a_plain_search_finds(text in r#"([a-z_{}"]|"_|\}\{){0,150}(\n[a-z"_]{0,80})?"#) {
            let expected = text.find('\n').map(|length| {
                let line = &text[..length];
                LineEnd { length, suspicious: line.contains("\"_") || line.contains("}{") }
            });
            prop_assert_eq!(line_end(text.as_bytes()), expected);
        }
    }
}
