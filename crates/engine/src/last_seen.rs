//! When each of very many things was last seen, in some nine bytes each.
//!
//! A thing is known by a digest of 128 bits, of which 80 are told apart. A time is any whole number; the fewer different
//! ones there are, the fewer bits they take, so new terms store the number of the run up to which an event counts, and not
//! its milliseconds: what comes of it is the same.
//!
//! **What may go wrong.** Two of `n` different things are taken for one, and the later of them for seen before, with a
//! chance of at most n² ÷ 2⁸¹: 4·10⁻⁹ for 100 million things, 4·10⁻¹³ for one million. Nothing else is approximate. The
//! digest is keyed, so nobody who does not know the key can look for two such things.
//!
//! **How it is laid out.** The last bits of the hash say in which [`Segment`] it is. There are as many segments as keep
//! 16,384 to 32,768 things each, and one more is made by splitting one of them (linear hashing), so nothing is
//! ever copied as a whole, and what is copied at a time does not grow with the number of things. In a segment hashes are
//! sorted and packed, without the bits that follow from their place. For `n` things and `t` different times a thing takes
//! about 80 − log₂(n) + 5 + log₂(t) + 1 bits, and 0.4 bytes for what is not packed yet; a handful take a few hundred bytes.

mod packed;
mod segment;
mod stored;

use maxspan_event::identity;
use segment::{HASH_BITS, Segment};
pub use stored::SeenError;

use crate::limits::SEEN_SEGMENT_ENTRIES;

/// What things were last seen when.
#[derive(Debug)]
pub struct LastSeen {
    key: u128,
    /// Never empty. Those whose number, less the highest bit of their count, is not split yet have one bit less in their
    /// address.
    segments: Vec<Segment>,
    stored: usize,
    /// Bytes of what segments hold.
    held_bytes: usize,
    before: i64,
}

/// There are more things than can be; what was to be stored is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full;

impl LastSeen {
    /// Nothing was seen. Digests are made with the key, which nobody should know who can choose what is seen.
    pub fn new(key: u128) -> Self {
        let segments = vec![Segment::new(0, 0)];
        Self { key, segments, stored: 0, held_bytes: 0, before: i64::MIN }
    }

    /// What stands for a thing.
    pub fn digest(&self, thing: &[u8]) -> u128 {
        identity::keyed_digest(self.key, thing)
    }

    /// When a thing was last seen; none if it was not, or before what [`forget_before`](Self::forget_before) said.
    pub fn get(&self, digest: u128) -> Option<i64> {
        let hash = hash(digest);
        self.segments[self.place(hash)].get(hash).filter(|time| *time >= self.before)
    }

    /// Notes that a thing was seen; when it was before that, as [`get`](Self::get) says.
    pub fn put(&mut self, digest: u128, time: i64) -> Result<Option<i64>, Full> {
        let hash = hash(digest);
        let place = self.place(hash);
        let segment = &mut self.segments[place];
        let (stored, bytes) = (segment.len(), segment.bytes());
        let (earlier, changed) = segment.put(hash, time, self.before)?;
        if changed {
            self.count(place, stored, bytes);
            if self.stored > self.segments.len() * SEEN_SEGMENT_ENTRIES {
                self.split();
            }
        }
        Ok(earlier.filter(|time| *time >= self.before))
    }

    /// Forgets what was last seen before a time. Memory is freed little by little, as other things are noted, or by
    /// [`compact`](Self::compact).
    pub fn forget_before(&mut self, time: i64) {
        self.before = self.before.max(time);
    }

    /// Frees the memory of all that is forgotten. Takes time for each thing that is stored.
    pub fn compact(&mut self) {
        for place in 0..self.segments.len() {
            let segment = &mut self.segments[place];
            let (stored, bytes) = (segment.len(), segment.bytes());
            segment.rebuild(self.before);
            self.count(place, stored, bytes);
        }
    }

    /// How many things are stored; some may be forgotten already, or be stored twice.
    pub fn stored(&self) -> usize {
        self.stored
    }

    /// Bytes of memory.
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + self.segments.capacity() * size_of::<Segment>() + self.held_bytes
    }

    /// Counts a segment that had so many things and bytes before.
    fn count(&mut self, place: usize, stored: usize, bytes: usize) {
        let segment = &self.segments[place];
        self.stored = self.stored - stored + segment.len();
        self.held_bytes = self.held_bytes - bytes + segment.bytes();
    }

    /// Makes one more segment.
    fn split(&mut self) {
        let next = self.segments.len();
        let place = next - (1 << next.ilog2());
        let old = &self.segments[place];
        let (stored, bytes) = (old.len(), old.bytes());
        let (low, high) = old.split(self.before);
        if next == self.segments.capacity() {
            self.segments.reserve_exact(next.div_ceil(8));
        }
        self.segments[place] = low;
        self.segments.push(high);
        self.count(place, stored, bytes);
        self.count(next, 0, 0);
    }

    /// The number of the segment that has a hash, if any has.
    fn place(&self, hash: u128) -> usize {
        let count = self.segments.len();
        let bits = count.ilog2();
        let place = hash as usize & ((2 << bits) - 1);
        // That one is not split off yet.
        if place >= count { place - (1 << bits) } else { place }
    }
}

fn hash(digest: u128) -> u128 {
    digest >> (u128::BITS - HASH_BITS)
}
