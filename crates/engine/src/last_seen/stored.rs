//! What was last seen, as bytes that outlive the program.
//!
//! ```text
//! name of the format, 8 bytes │ version u32 │ blocks, the last of which is empty
//! block      length u32 │ content │ checksum: digest of the checksum before and the content
//! contents   key u128 │ forgotten before i64 │ segments u64 │ the segments
//! segment    entries u32 │ earliest time i64 │ bytes of a distance u8 │ entries: hash 10 bytes, distance from the earliest
//! ```
//!
//! Numbers are big-endian. Nothing is taken from a block whose checksum is not right, so bytes that were cut or changed
//! are an error, and never a wrong answer. The first digest is of the name and the version.

use std::fmt;
use std::io::{Read, Write};

use maxspan_event::identity;

use super::LastSeen;
use super::segment::{Entry, Segment};
use crate::limits::SEEN_SEGMENT_ENTRIES_MAX;

const FORMAT: [u8; 8] = *b"mx-seen\n";
const VERSION: u32 = 1;
/// Most bytes of a block's content.
const BLOCK_BYTES: usize = 64 << 10;
const HASH_BYTES: usize = super::HASH_BITS as usize / 8;

/// Stored bytes cannot be read.
#[derive(Debug)]
#[non_exhaustive]
pub enum SeenError {
    /// Reading failed.
    Io(std::io::Error),
    /// The bytes are of something else.
    Other,
    /// The bytes were written by a program that stores them in another way.
    Version(u32),
    /// The bytes end too early.
    Cut,
    /// The bytes are not those that were written.
    Changed,
    /// It takes more memory than it may.
    TooLarge,
}

impl fmt::Display for SeenError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let again = "delete it, and read the history again";
        match self {
            Self::Io(error) => write!(formatter, "cannot read what was last seen: {error}"),
            Self::Other => write!(formatter, "this is not what was last seen; is it another file?"),
            Self::Version(version) => write!(
                formatter,
                "what was last seen is stored in version {version}, and this program reads version {VERSION}; use the \
                 program that wrote it, or {again}"
            ),
            Self::Cut => write!(formatter, "what was last seen is cut off; {again}"),
            Self::Changed => {
                write!(formatter, "what was last seen was changed after it was written; {again}")
            }
            Self::TooLarge => {
                write!(formatter, "what was last seen takes more memory than it may; allow more, or {again}")
            }
        }
    }
}

impl std::error::Error for SeenError {}

impl From<std::io::Error> for SeenError {
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::UnexpectedEof { Self::Cut } else { Self::Io(error) }
    }
}

impl LastSeen {
    /// Writes all that is not forgotten, and the key.
    pub fn write_to(&self, out: &mut impl Write) -> std::io::Result<()> {
        let head = head(VERSION);
        out.write_all(&head)?;
        let mut blocks = Blocks { out, content: Vec::new(), checksum: identity::digest(&head) };
        blocks.put(&self.key.to_be_bytes())?;
        blocks.put(&self.before.to_be_bytes())?;
        blocks.put(&(self.segments.len() as u64).to_be_bytes())?;
        for segment in &self.segments {
            write_segment(&mut blocks, segment, self.before)?;
        }
        blocks.end()
    }

    /// Reads what [`write_to`](Self::write_to) wrote, if it takes no more than so many bytes of memory.
    pub fn read_from(input: &mut impl Read, bytes_max: usize) -> Result<Self, SeenError> {
        let mut head_read = [0; FORMAT.len() + 4];
        input.read_exact(&mut head_read)?;
        let (format, version) = head_read.split_at(FORMAT.len());
        let version = version.iter().fold(0, |number, byte| number << 8 | u32::from(*byte));
        if format != FORMAT {
            return Err(SeenError::Other);
        }
        if version != VERSION {
            return Err(SeenError::Version(version));
        }
        let checksum = identity::digest(&head_read);
        let mut blocks = ReadBlocks { input, content: Vec::new(), at: 0, checksum };
        let mut seen = Self::new(u128::from_be_bytes(blocks.take()?));
        seen.before = i64::from_be_bytes(blocks.take()?);
        seen.segments.clear();
        let count = u64::from_be_bytes(blocks.take()?);
        let bits = count.checked_ilog2().ok_or(SeenError::Changed)?;
        for address in 0..count {
            let is_split = address < count - (1 << bits) || address >= 1 << bits;
            let segment = read_segment(&mut blocks, address, bits + u32::from(is_split))?;
            seen.segments.push(segment);
            seen.count(address as usize, 0, 0);
            if seen.bytes() > bytes_max {
                return Err(SeenError::TooLarge);
            }
        }
        blocks.end()?;
        Ok(seen)
    }
}

fn head(version: u32) -> [u8; FORMAT.len() + 4] {
    let mut head = [0; FORMAT.len() + 4];
    head[..FORMAT.len()].copy_from_slice(&FORMAT);
    head[FORMAT.len()..].copy_from_slice(&version.to_be_bytes());
    head
}

fn write_segment(blocks: &mut Blocks<impl Write>, segment: &Segment, before: i64) -> std::io::Result<()> {
    let entries = segment.entries().filter(|entry| entry.time >= before);
    let times = || entries.clone().map(|entry| entry.time);
    let earliest = times().min().unwrap_or(0);
    let span = times().max().unwrap_or(0).wrapping_sub(earliest) as u64;
    let distance_bytes = (u64::BITS - span.leading_zeros()).div_ceil(8) as usize;
    blocks.put(&(entries.clone().count() as u32).to_be_bytes())?;
    blocks.put(&earliest.to_be_bytes())?;
    blocks.put(&[distance_bytes as u8])?;
    for Entry { hash, time } in entries {
        let mut bytes = [0; HASH_BYTES + 8];
        bytes[..HASH_BYTES].copy_from_slice(&hash.to_be_bytes()[16 - HASH_BYTES..]);
        let distance = (time.wrapping_sub(earliest) as u64).to_be_bytes();
        let length = HASH_BYTES + distance_bytes;
        bytes[HASH_BYTES..length].copy_from_slice(&distance[8 - distance_bytes..]);
        blocks.put(&bytes[..length])?;
    }
    Ok(())
}

fn read_segment(
    blocks: &mut ReadBlocks<'_, impl Read>,
    address: u64,
    address_bits: u32,
) -> Result<Segment, SeenError> {
    let count = u32::from_be_bytes(blocks.take()?) as usize;
    let earliest = i64::from_be_bytes(blocks.take()?);
    let [distance_bytes] = blocks.take()?;
    if count > SEEN_SEGMENT_ENTRIES_MAX || distance_bytes > 8 {
        return Err(SeenError::Changed);
    }
    let mut entries: Vec<Entry> = Vec::new();
    for _ in 0..count {
        let hash: [u8; HASH_BYTES] = blocks.take()?;
        let hash = hash.iter().fold(0, |number, byte| number << 8 | u128::from(*byte));
        let mut distance = 0;
        for _ in 0..distance_bytes {
            let [byte] = blocks.take()?;
            distance = distance << 8 | u64::from(byte);
        }
        let in_order = entries.last().is_none_or(|last| last.hash < hash);
        if !in_order || hash & ((1 << address_bits) - 1) != u128::from(address) {
            return Err(SeenError::Changed);
        }
        entries.push(Entry { hash, time: earliest.wrapping_add(distance as i64) });
    }
    Ok(Segment::build(address, address_bits, entries.iter().copied()))
}

/// Cuts what is written into blocks; no number crosses two of them.
struct Blocks<'a, W> {
    out: &'a mut W,
    content: Vec<u8>,
    checksum: u128,
}

impl<W: Write> Blocks<'_, W> {
    fn put(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        if self.content.len() + bytes.len() > BLOCK_BYTES {
            self.write()?;
        }
        self.content.extend_from_slice(bytes);
        Ok(())
    }

    fn write(&mut self) -> std::io::Result<()> {
        self.checksum = identity::keyed_digest(self.checksum, &self.content);
        self.out.write_all(&(self.content.len() as u32).to_be_bytes())?;
        self.out.write_all(&self.content)?;
        self.out.write_all(&self.checksum.to_be_bytes())?;
        self.content.clear();
        Ok(())
    }

    fn end(mut self) -> std::io::Result<()> {
        if !self.content.is_empty() {
            self.write()?;
        }
        self.write()
    }
}

/// Hands out what is in blocks whose checksum is right.
struct ReadBlocks<'a, R> {
    input: &'a mut R,
    content: Vec<u8>,
    at: usize,
    checksum: u128,
}

impl<R: Read> ReadBlocks<'_, R> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], SeenError> {
        if self.at == self.content.len() {
            self.read()?;
        }
        let mut bytes = [0; N];
        let found = self.content.get(self.at..self.at + N).ok_or(SeenError::Changed)?;
        bytes.copy_from_slice(found);
        self.at += N;
        Ok(bytes)
    }

    fn read(&mut self) -> Result<(), SeenError> {
        let mut length = [0; 4];
        self.input.read_exact(&mut length)?;
        let length = u32::from_be_bytes(length) as usize;
        if length > BLOCK_BYTES {
            return Err(SeenError::Changed);
        }
        self.content.resize(length, 0);
        self.at = 0;
        self.input.read_exact(&mut self.content)?;
        let mut checksum = [0; 16];
        self.input.read_exact(&mut checksum)?;
        self.checksum = identity::keyed_digest(self.checksum, &self.content);
        if self.checksum.to_be_bytes() == checksum { Ok(()) } else { Err(SeenError::Changed) }
    }

    fn end(mut self) -> Result<(), SeenError> {
        if self.at < self.content.len() {
            return Err(SeenError::Changed);
        }
        self.read()?;
        if self.content.is_empty() { Ok(()) } else { Err(SeenError::Changed) }
    }
}
