//! A part of what was seen: the digests whose last bits are the same.
//!
//! ```text
//! bits of a hash    │ bucket │ key ············ │ address │
//!                     place in `starts`, packed with the time, the segment's own
//! ```
//!
//! Most is packed, sorted by hash: the first bits say where to look, and are not stored; nor are the last ones, which all
//! have in common. Of the time only the distance from the earliest one is stored. What is new goes to a short sorted list
//! beside it, and both are packed anew when that is full. A time that comes later is written over the packed one.

use super::Full;
use super::packed::{Packed, Pairs};
use crate::limits::SEEN_SEGMENT_ENTRIES_MAX;

/// So many bits of a digest are told apart.
pub(super) const HASH_BITS: u32 = 80;

/// So many in a bucket, and up to twice as many.
const BUCKET_ENTRIES: usize = 8;
/// So many are new before all is packed anew, at least. A few are not worth a page.
const RECENT_MIN: usize = 128;
/// Or one for so many that are packed: more are packed anew more seldom, and take more memory.
const PACKED_OF_RECENT: usize = 64;

/// A hash, and the time that it was last seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) hash: u128,
    pub(super) time: i64,
}

/// An [`Entry`] in less memory. The first fields are the hash.
#[derive(Debug, Clone, Copy)]
struct Recent {
    high: u64,
    low: u16,
    time: i64,
}

/// The digests of one address.
#[derive(Debug)]
pub(super) struct Segment {
    /// The last bits of all hashes, and how many these are.
    address: u64,
    address_bits: u32,
    /// How many of the first bits make the bucket.
    bucket_bits: u32,
    /// The first packed entry of each bucket.
    starts: Vec<u16>,
    /// Keys, with the distance of the time from the earliest.
    packed: Packed,
    earliest: i64,
    /// Sorted by hash. What is here counts, whatever is packed.
    recent: Vec<Recent>,
}

impl Segment {
    pub(super) fn new(address: u64, address_bits: u32) -> Self {
        Self {
            address,
            address_bits,
            bucket_bits: 0,
            starts: Vec::new(),
            packed: Packed::default(),
            earliest: 0,
            recent: Vec::new(),
        }
    }

    /// Of entries with this address, sorted by hash; no more than [`SEEN_SEGMENT_ENTRIES_MAX`].
    pub(super) fn build(
        address: u64,
        address_bits: u32,
        entries: impl Iterator<Item = Entry> + Clone,
    ) -> Self {
        let extent = Extent::of(entries.clone().map(|entry| entry.time));
        Self::build_of(address, address_bits, extent, entries)
    }

    /// The same, where there are no more entries than the extent says, and its times are theirs or beyond.
    fn build_of(
        address: u64,
        address_bits: u32,
        extent: Extent,
        entries: impl Iterator<Item = Entry>,
    ) -> Self {
        let mut segment = Self::new(address, address_bits);
        if extent.count <= RECENT_MIN / 2 {
            segment.recent.reserve_exact(extent.count);
            segment.recent.extend(entries.map(Recent::of));
            return segment;
        }
        segment.bucket_bits = bucket_bits(extent.count);
        segment.earliest = extent.earliest;
        segment.packed = Packed::new(segment.key_bits(), extent.value_bits());
        segment.packed.reserve(extent.count);
        segment.pack(entries);
        segment
    }

    fn pack(&mut self, entries: impl Iterator<Item = Entry>) {
        let buckets = 1 << self.bucket_bits;
        self.starts.reserve_exact(buckets);
        for Entry { hash, time } in entries {
            let bucket = self.bucket(hash);
            while self.starts.len() <= bucket {
                self.starts.push(self.packed.len() as u16);
            }
            self.packed.push(self.key(hash), time.wrapping_sub(self.earliest) as u64);
        }
        self.starts.resize(buckets, self.packed.len() as u16);
    }

    /// Two of one: those whose next bit of the address is 0, and those where it is 1.
    pub(super) fn split(&self, before: i64) -> (Self, Self) {
        let bits = self.address_bits;
        let entries = self.entries().filter(|entry| entry.time >= before);
        let of = |wanted: u128| entries.clone().filter(move |entry| entry.hash >> bits & 1 == wanted);
        let (low, high) = (Self::build(self.address, bits + 1, of(0)), of(1));
        (low, Self::build(self.address | 1 << bits, bits + 1, high))
    }

    /// All entries packed anew, but those from before a time.
    pub(super) fn rebuild(&mut self, before: i64) {
        let packed = self.packed.pairs().map(|(_, distance)| self.earliest.wrapping_add(distance as i64));
        let times = packed.chain(self.recent.iter().map(|recent| recent.time));
        let extent = Extent::of(times.filter(|time| *time >= before));
        let entries = self.entries().filter(|entry| entry.time >= before);
        *self = Self::build_of(self.address, self.address_bits, extent, entries);
    }

    /// Packs the list; all anew where something else than what is missing would change. `are_new` says that nothing of
    /// the list is packed already.
    fn pack_recent(&mut self, are_new: bool, before: i64) {
        let layout_stays = self.packed.len() > 0 && bucket_bits(self.len()) == self.bucket_bits;
        let times_fit = self.recent.iter().all(|recent| self.distance(recent.time).is_some());
        if are_new && layout_stays && times_fit && !self.has_much_before(before) {
            self.merge();
        } else {
            self.rebuild(before);
        }
    }

    /// Puts what is in the list between what is packed.
    fn merge(&mut self) {
        let mut packed = Packed::new(self.key_bits(), self.packed.value_bits());
        packed.reserve(self.len());
        let mut copied = 0;
        for recent in &self.recent {
            let hash = recent.hash();
            let (Ok(at) | Err(at)) = self.find_packed(hash);
            packed.append(&self.packed, copied..at);
            packed.push(self.key(hash), self.distance(recent.time).unwrap_or(0));
            copied = at;
        }
        packed.append(&self.packed, copied..self.packed.len());
        self.packed = packed;
        let mut before = 0;
        for (bucket, start) in self.starts.iter_mut().enumerate() {
            let first_hash = (bucket as u128) << (HASH_BITS - self.bucket_bits);
            while self.recent.get(before).is_some_and(|recent| recent.hash() < first_hash) {
                before += 1;
            }
            *start += before as u16;
        }
        self.recent.clear();
        self.recent.shrink_to(RECENT_MIN);
    }

    /// Whether packed times may be forgotten for an eighth of the span that they have, or for more.
    fn has_much_before(&self, before: i64) -> bool {
        let forgotten = before.saturating_sub(self.earliest).max(0) as u64;
        forgotten >> self.packed.value_bits().saturating_sub(4) > 0
    }

    /// How many entries are stored, at most.
    pub(super) fn len(&self) -> usize {
        self.packed.len() + self.recent.len()
    }

    /// Bytes of memory, without its own.
    pub(super) fn bytes(&self) -> usize {
        let recent = self.recent.capacity() * size_of::<Recent>();
        self.packed.bytes() + recent + self.starts.capacity() * size_of::<u16>()
    }

    /// When a hash was last seen.
    pub(super) fn get(&self, hash: u128) -> Option<i64> {
        if let Ok(at) = self.find_recent(hash) {
            return Some(self.recent[at].time);
        }
        self.find_packed(hash).ok().map(|index| self.time(index))
    }

    /// Notes that a hash was seen; when it was before. What is from before `before` may be forgotten. Whether memory
    /// changed.
    pub(super) fn put(&mut self, hash: u128, time: i64, before: i64) -> Result<(Option<i64>, bool), Full> {
        let at = match self.find_recent(hash) {
            Ok(at) => return Ok((Some(std::mem::replace(&mut self.recent[at].time, time)), false)),
            Err(at) => at,
        };
        let packed = self.find_packed(hash).ok();
        let earlier = packed.map(|index| self.time(index));
        if let Some(index) = packed
            && let Some(distance) = self.distance(time)
        {
            self.packed.set_value(index, distance);
            return Ok((earlier, false));
        }
        if self.len() >= SEEN_SEGMENT_ENTRIES_MAX {
            return Err(Full);
        }
        self.insert_recent(at, Recent::of(Entry { hash, time }));
        // A time that has no room needs wider ones.
        if packed.is_some() || self.recent.len() > self.recent_max() {
            self.pack_recent(packed.is_none(), before);
        }
        Ok((earlier, true))
    }

    /// All entries in the order of their hashes.
    pub(super) fn entries(&self) -> Entries<'_> {
        let bucket_bits = HASH_BITS - self.bucket_bits;
        let pairs = self.packed.pairs();
        let mut entries = Entries {
            segment: self,
            pairs,
            packed: None,
            index: 0,
            bucket: 0,
            bucket_end: self.bucket_end(0),
            bucket_bits,
            recent: &self.recent,
        };
        entries.advance();
        entries
    }

    fn recent_max(&self) -> usize {
        RECENT_MIN.max(self.packed.len() / PACKED_OF_RECENT)
    }

    fn insert_recent(&mut self, at: usize, entry: Recent) {
        let there = self.recent.len();
        if there == self.recent.capacity() {
            // Up to the most that there will be, and not beyond.
            let most = self.recent_max() + 1;
            self.recent.reserve_exact(there.max(8).min(most.saturating_sub(there)).max(1));
        }
        self.recent.insert(at, entry);
    }

    /// Where a hash is in the list, or belongs. Hashes are spread evenly, so it is near where it would be if they were
    /// spread in equal distances.
    fn find_recent(&self, hash: u128) -> Result<usize, usize> {
        let recent = self.recent.as_slice();
        let mut at = (((hash >> (HASH_BITS - 32)) as u64 * recent.len() as u64) >> 32) as usize;
        while at > 0 && recent[at - 1].hash() >= hash {
            at -= 1;
        }
        while at < recent.len() && recent[at].hash() < hash {
            at += 1;
        }
        if recent.get(at).is_some_and(|one| one.hash() == hash) { Ok(at) } else { Err(at) }
    }

    /// Where a hash is packed, or belongs.
    fn find_packed(&self, hash: u128) -> Result<usize, usize> {
        let bucket = self.bucket(hash);
        let Some(from) = self.starts.get(bucket) else { return Err(0) };
        let (mut from, mut to) = (usize::from(*from), self.bucket_end(bucket));
        let key = self.key(hash);
        while from < to {
            let middle = usize::midpoint(from, to);
            let there = self.packed.key(middle);
            if there == key {
                return Ok(middle);
            }
            if there < key { from = middle + 1 } else { to = middle }
        }
        Err(from)
    }

    /// How many are packed up to the end of a bucket.
    fn bucket_end(&self, bucket: usize) -> usize {
        self.starts.get(bucket + 1).map_or(self.packed.len(), |start| usize::from(*start))
    }

    fn bucket(&self, hash: u128) -> usize {
        (hash >> (HASH_BITS - self.bucket_bits)) as usize
    }

    fn key(&self, hash: u128) -> u128 {
        hash >> self.address_bits & ((1 << self.key_bits()) - 1)
    }

    fn key_bits(&self) -> u32 {
        HASH_BITS - self.address_bits - self.bucket_bits
    }

    fn time(&self, index: usize) -> i64 {
        self.earliest.wrapping_add(self.packed.value(index) as i64)
    }

    /// What is stored for a time; none where it does not fit.
    fn distance(&self, time: i64) -> Option<u64> {
        let distance = time.wrapping_sub(self.earliest) as u64;
        let fits = distance.checked_shr(self.packed.value_bits()).unwrap_or(0) == 0;
        (time >= self.earliest && fits).then_some(distance)
    }
}

fn bucket_bits(entries: usize) -> u32 {
    (entries / BUCKET_ENTRIES).max(1).ilog2()
}

/// How many entries there are, and of when.
#[derive(Debug, Clone, Copy)]
struct Extent {
    count: usize,
    earliest: i64,
    latest: i64,
}

impl Extent {
    fn of(times: impl Iterator<Item = i64>) -> Self {
        let mut extent = Self { count: 0, earliest: i64::MAX, latest: i64::MIN };
        for time in times {
            extent.count += 1;
            extent.earliest = extent.earliest.min(time);
            extent.latest = extent.latest.max(time);
        }
        extent
    }

    /// Room for times, and for as long a span behind them.
    fn value_bits(&self) -> u32 {
        let span = self.latest.wrapping_sub(self.earliest) as u64;
        u64::BITS - span.saturating_mul(2).max(1).leading_zeros()
    }
}

impl Recent {
    fn of(entry: Entry) -> Self {
        Self { high: (entry.hash >> 16) as u64, low: entry.hash as u16, time: entry.time }
    }

    fn hash(self) -> u128 {
        u128::from(self.high) << 16 | u128::from(self.low)
    }
}

/// See [`Segment::entries`].
#[derive(Debug, Clone)]
pub(super) struct Entries<'a> {
    segment: &'a Segment,
    pairs: Pairs<'a>,
    /// The next one that is packed, and how many came before it; its bucket, and how many are packed up to its end.
    packed: Option<Entry>,
    index: usize,
    bucket: usize,
    bucket_end: usize,
    /// The bits behind those of the bucket.
    bucket_bits: u32,
    recent: &'a [Recent],
}

impl Iterator for Entries<'_> {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        let hash = self.packed.map_or(u128::MAX, |entry| entry.hash);
        let Some(recent) = self.recent.first().filter(|recent| recent.hash() <= hash) else {
            let entry = self.packed;
            self.advance();
            return entry;
        };
        if recent.hash() == hash {
            self.advance();
        }
        self.recent = &self.recent[1..];
        Some(Entry { hash: recent.hash(), time: recent.time })
    }
}

impl Entries<'_> {
    /// Goes to the next one that is packed.
    fn advance(&mut self) {
        let Self { segment, pairs, packed, index, bucket, bucket_end, bucket_bits, .. } = self;
        *packed = pairs.next().map(|(key, distance)| {
            while *index >= *bucket_end {
                *bucket += 1;
                *bucket_end = segment.bucket_end(*bucket);
            }
            *index += 1;
            let bucket = (*bucket as u128) << *bucket_bits;
            let hash = bucket | key << segment.address_bits | u128::from(segment.address);
            Entry { hash, time: segment.earliest.wrapping_add(distance as i64) }
        });
    }
}
