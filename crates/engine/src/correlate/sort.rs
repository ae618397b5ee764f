//! Matches put in order, in bounded memory.
//!
//! Matches are kept as bytes one behind the other, and sorted by small entries. When memory is used up, they go to a
//! [`Spill`] as a run, in order; at the end the runs are merged.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

use super::held;
use crate::bytes::Bytes;
use crate::events::Place;
use crate::limits::{MATCH_BYTES_MAX, RUN_READ_BYTES_MAX, RUN_READ_BYTES_MIN};
use crate::spill::{Spill, SpillError};

/// A match in the buffer.
#[derive(Debug, Clone, Copy)]
struct Entry {
    /// The first bytes of what is compared.
    prefix: [u64; 2],
    /// Where it begins.
    from: usize,
}

/// Matches in memory, and the runs that were put aside.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    runs: Vec<Run>,
}

/// Matches in order that were put aside.
#[derive(Debug, Clone, Copy)]
struct Run {
    from: u64,
    bytes: u64,
    matches: u64,
}

impl Buffer {
    /// Adds the match that `write` puts behind what is there.
    pub(super) fn push(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let from = self.bytes.len();
        write(&mut self.bytes);
        let prefix = prefix(held::compared(&self.bytes[from..]));
        self.entries.push(Entry { prefix, from });
    }

    /// Takes the last match out again.
    pub(super) fn pop(&mut self) {
        if let Some(entry) = self.entries.pop() {
            self.bytes.truncate(entry.from);
            self.bytes.shrink_to(2 * entry.from);
        }
    }

    /// What the last match is compared by.
    pub(super) fn last_compared(&self) -> &[u8] {
        self.entries.last().map_or(&[], |entry| held::compared(&self.bytes[entry.from..]))
    }

    /// Bytes of memory.
    pub(super) fn memory_bytes(&self) -> usize {
        self.bytes.len() + self.entries.len() * size_of::<Entry>()
    }

    pub(super) fn has_runs(&self) -> bool {
        !self.runs.is_empty()
    }

    fn sort(&mut self) {
        let Self { bytes, entries, .. } = self;
        let compared = |entry: &Entry| held::compared(&bytes[entry.from..]);
        entries.sort_unstable_by(|a, b| {
            let by_prefix = a.prefix.cmp(&b.prefix);
            by_prefix.then_with(|| compared(a).cmp(compared(b))).then_with(|| a.from.cmp(&b.from))
        });
    }

    /// Puts all that is in memory aside as a run; the bytes of it. After an error all is in memory as before.
    pub(super) fn put_aside(&mut self, spill: &mut dyn Spill) -> Result<u64, SpillError> {
        self.sort();
        let mut piece = Vec::with_capacity(RUN_READ_BYTES_MAX);
        let (mut from, mut written) = (None, 0_u64);
        for entry in &self.entries {
            piece.extend_from_slice(held::first(&self.bytes[entry.from..]).unwrap_or_default());
            if piece.len() >= RUN_READ_BYTES_MAX {
                from.get_or_insert(spill.append(&piece)?);
                written += piece.len() as u64;
                piece.clear();
            }
        }
        from.get_or_insert(spill.append(&piece)?);
        written += piece.len() as u64;
        let matches = self.entries.len() as u64;
        self.runs.push(Run { from: from.unwrap_or(0), bytes: written, matches });
        // A long match may have made them long.
        (self.bytes, self.entries) = (Vec::new(), Vec::new());
        Ok(written)
    }

    /// Hands the older half of every rule's matches in memory to `take`.
    pub(super) fn take_older_half(&mut self, mut take: impl FnMut(&[u8])) {
        self.sort();
        let mut kept = Self { runs: std::mem::take(&mut self.runs), ..Self::default() };
        let rule = |entry: &Entry| entry.prefix[0] >> 32;
        for entries in self.entries.chunk_by(|a, b| rule(a) == rule(b)) {
            let (older, newer) = entries.split_at(entries.len().div_ceil(2));
            for entry in older {
                take(held::first(&self.bytes[entry.from..]).unwrap_or_default());
            }
            for entry in newer {
                let record = held::first(&self.bytes[entry.from..]).unwrap_or_default();
                kept.push(|bytes| bytes.extend_from_slice(record));
            }
        }
        *self = kept;
    }

    /// Shows the places of the events of all matches in memory.
    pub(super) fn visit_places(&mut self, visit: &mut dyn FnMut(&mut Place)) {
        for entry in &self.entries {
            held::visit_place(&mut self.bytes[entry.from..], visit);
        }
    }

    /// All matches in order. `reader` is where the runs are; `memory_bytes` is for reading them.
    pub(super) fn into_sorted(mut self, reader: Option<&dyn Spill>, memory_bytes: usize) -> Sorted<'_> {
        self.sort();
        let each = memory_bytes / (self.runs.len() + 1);
        let each = each.clamp(RUN_READ_BYTES_MIN, RUN_READ_BYTES_MAX);
        let runs = std::mem::take(&mut self.runs).into_iter().map(|run| RunReader::new(run, each)).collect();
        let mut sorted = Sorted {
            memory: self,
            at: 0,
            reader,
            runs,
            heap: BinaryHeap::new(),
            current: None,
            lost: 0,
            error: None,
        };
        for source in 0..sorted.runs.len() {
            sorted.refill(source, Vec::new());
        }
        sorted
    }
}

/// The first sixteen bytes, as numbers that sort like them.
fn prefix(compared: &[u8]) -> [u64; 2] {
    let mut padded = [0; 16];
    let length = compared.len().min(16);
    padded[..length].copy_from_slice(&compared[..length]);
    let mut bytes = Bytes(&padded);
    [bytes.u64().unwrap_or(0), bytes.u64().unwrap_or(0)]
}

/// All matches in order.
pub(super) struct Sorted<'a> {
    memory: Buffer,
    /// The next entry in memory.
    at: usize,
    reader: Option<&'a dyn Spill>,
    runs: Vec<RunReader>,
    /// The next match of every run.
    heap: BinaryHeap<Reverse<Head>>,
    /// The match that was given last.
    current: Option<Vec<u8>>,
    /// Matches that could not be read again.
    pub(super) lost: u64,
    /// Why.
    pub(super) error: Option<SpillError>,
}

/// The next match of a run.
struct Head {
    record: Vec<u8>,
    run: usize,
}

impl Sorted<'_> {
    /// The next match.
    pub(super) fn next(&mut self) -> Option<&[u8]> {
        let from = self.memory.entries.get(self.at).map(|entry| entry.from);
        let in_memory = from.and_then(|from| held::first(&self.memory.bytes[from..]));
        let run_is_next = match (self.heap.peek(), in_memory) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(Reverse(head)), Some(record)) => held::compared(&head.record) <= held::compared(record),
        };
        if !run_is_next {
            let from = from?;
            self.at += 1;
            return held::first(&self.memory.bytes[from..]);
        }
        self.pop_run();
        self.current.as_deref()
    }

    /// Makes the first match of the runs the current one, and reads the next of its run.
    fn pop_run(&mut self) {
        let spare = self.current.take().unwrap_or_default();
        let Some(mut first) = self.heap.peek_mut() else { return };
        let run = first.0.run;
        let mut next = spare;
        match read_next(&mut self.runs[run], self.reader, &mut next) {
            Ok(true) => {
                self.current = Some(std::mem::replace(&mut first.0.record, next));
                // The heap is put in order when `first` goes.
            }
            Ok(false) => self.current = Some(PeekMut::pop(first).0.record),
            Err(error) => {
                self.current = Some(PeekMut::pop(first).0.record);
                self.gave_up(run, error);
            }
        }
    }

    fn refill(&mut self, run: usize, mut record: Vec<u8>) {
        match read_next(&mut self.runs[run], self.reader, &mut record) {
            Ok(true) => self.heap.push(Reverse(Head { record, run })),
            Ok(false) => {}
            Err(error) => self.gave_up(run, error),
        }
    }

    fn gave_up(&mut self, run: usize, error: SpillError) {
        self.lost += self.runs[run].matches_left;
        self.error.get_or_insert(error);
    }
}

impl Ord for Head {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_content = held::compared(&self.record).cmp(held::compared(&other.record));
        // Earlier runs hold what arrived earlier.
        by_content.then_with(|| self.run.cmp(&other.run))
    }
}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Head {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Head {}

/// A run that is read piece by piece.
#[derive(Debug)]
struct RunReader {
    from: u64,
    bytes_left: u64,
    matches_left: u64,
    buffer: Vec<u8>,
    at: usize,
    buffer_bytes: usize,
}

impl RunReader {
    fn new(run: Run, buffer_bytes: usize) -> Self {
        let Run { from, bytes, matches } = run;
        Self { from, bytes_left: bytes, matches_left: matches, buffer: Vec::new(), at: 0, buffer_bytes }
    }

    /// Makes sure that so many bytes are in the buffer.
    fn fill(&mut self, spill: &dyn Spill, wanted: usize) -> Result<(), SpillError> {
        let there = self.buffer.len() - self.at;
        if there >= wanted {
            return Ok(());
        }
        self.buffer.drain(..self.at);
        self.at = 0;
        let more = (wanted.max(self.buffer_bytes) - there) as u64;
        let more = more.min(self.bytes_left) as usize;
        if there + more < wanted {
            return Err(SpillError::damaged());
        }
        self.buffer.resize(there + more, 0);
        spill.read(self.from, &mut self.buffer[there..])?;
        self.from += more as u64;
        self.bytes_left -= more as u64;
        Ok(())
    }
}

/// Reads the next match of a run; false at its end.
fn read_next(
    run: &mut RunReader,
    spill: Option<&dyn Spill>,
    record: &mut Vec<u8>,
) -> Result<bool, SpillError> {
    if run.matches_left == 0 {
        return Ok(false);
    }
    let spill = spill.ok_or_else(SpillError::damaged)?;
    run.fill(spill, 4)?;
    let length = Bytes(&run.buffer[run.at..]).u32().unwrap_or(u32::MAX) as usize;
    if length > MATCH_BYTES_MAX {
        return Err(SpillError::damaged());
    }
    run.fill(spill, length + 4)?;
    record.clear();
    record.extend_from_slice(&run.buffer[run.at..run.at + length + 4]);
    run.at += length + 4;
    run.matches_left -= 1;
    Ok(true)
}
