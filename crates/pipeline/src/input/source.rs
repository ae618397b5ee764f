//! The bytes of one source: opened, metered and decompressed.
//!
//! gzip (any number of members) and zstd (any number of frames) are told by their first bytes; anything else is
//! taken as it is. Errors in the middle come out of the reader after all bytes before them.

use std::io::{self, BufReader, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

use super::ProblemKind;
use crate::limits::{InputLimits, READ_BYTES};

/// Bytes that went through one source so far.
#[derive(Debug, Default)]
pub(super) struct Meters {
    compressed: AtomicU64,
    decompressed: AtomicU64,
}

impl Meters {
    /// Bytes taken from the file.
    pub(super) fn compressed(&self) -> u64 {
        self.compressed.load(Ordering::Relaxed)
    }

    /// Bytes given to the reader of events.
    pub(super) fn decompressed(&self) -> u64 {
        self.decompressed.load(Ordering::Relaxed)
    }
}

/// The decompressed bytes of `raw`.
pub(super) fn decompressed(
    raw: Box<dyn Read + Send>,
    meters: &Arc<Meters>,
    limits: InputLimits,
) -> io::Result<Box<dyn Read + Send>> {
    let mut raw = MeteredRaw { raw, meters: Arc::clone(meters) };
    let head = head(&mut raw)?;
    let compression = Compression::of(&head);
    let whole = Cursor::new(head).chain(raw);
    let filled = |whole| BufReader::with_capacity(READ_BYTES, Filled { whole, failure: None });
    let plain: Box<dyn Read + Send> = match compression {
        Compression::None => Box::new(whole),
        Compression::Gzip => Box::new(MultiGzDecoder::new(filled(whole))),
        Compression::Zstd => Box::new(zstd::Decoder::with_buffer(filled(whole))?),
    };
    let plain = MeteredPlain { plain, meters: Arc::clone(meters), limits };
    if compression == Compression::None {
        return Ok(Box::new(plain));
    }
    // How much is asked for decides how much of a damaged stream is saved, so it must not be the reader's affair.
    Ok(Box::new(BufReader::with_capacity(READ_BYTES, plain)))
}

/// What an error in the middle of a source means.
pub(super) fn failure_kind(error: &io::Error) -> ProblemKind {
    let expansion = error.get_ref().and_then(|inner| inner.downcast_ref::<ExpansionError>()).is_some();
    match error.kind() {
        _ if expansion => ProblemKind::Expansion,
        _ if error.raw_os_error().is_some() => ProblemKind::Unreadable,
        io::ErrorKind::UnexpectedEof => ProblemKind::Truncated,
        _ => ProblemKind::Damaged,
    }
}

/// How a source is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compression {
    None,
    Gzip,
    Zstd,
}

impl Compression {
    fn of(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            // A frame to be skipped, with which some writers start.
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            _ => Self::None,
        }
    }
}

/// The first four bytes, or as many as there are.
fn head(raw: &mut MeteredRaw) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(4);
    raw.by_ref().take(4).read_to_end(&mut head)?;
    Ok(head)
}

/// Fills every buffer as far as the source reaches: what a decoder gives before the place where a file is damaged
/// depends on how much it gets at a time, and must not depend on how bytes arrive.
struct Filled<R> {
    whole: R,
    /// What ended the source, after bytes that are to be given first.
    failure: Option<io::Error>,
}

impl<R: Read> Read for Filled<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(error) = self.failure.take() {
            return Err(error);
        }
        let mut count = 0;
        while count < buffer.len() {
            match self.whole.read(&mut buffer[count..]) {
                Ok(0) => break,
                Ok(more) => count += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if count == 0 => return Err(error),
                Err(error) => {
                    self.failure = Some(error);
                    break;
                }
            }
        }
        Ok(count)
    }
}

/// Counts the bytes of the file.
struct MeteredRaw {
    raw: Box<dyn Read + Send>,
    meters: Arc<Meters>,
}

impl Read for MeteredRaw {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.raw.read(buffer)?;
        self.meters.compressed.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// Counts the decompressed bytes, and ends a source that gives out of proportion.
struct MeteredPlain {
    plain: Box<dyn Read + Send>,
    meters: Arc<Meters>,
    limits: InputLimits,
}

impl Read for MeteredPlain {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let given = self.meters.decompressed();
        let allowed = self.meters.compressed().saturating_mul(self.limits.expansion_ratio_max);
        if given > self.limits.expansion_bytes_free && given > allowed {
            return Err(io::Error::other(ExpansionError {
                given,
                ratio_max: self.limits.expansion_ratio_max,
            }));
        }
        let count = self.plain.read(buffer)?;
        self.meters.decompressed.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// A source gave more than its size makes plausible.
#[derive(Debug)]
struct ExpansionError {
    given: u64,
    ratio_max: u64,
}

impl std::fmt::Display for ExpansionError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { given, ratio_max } = self;
        write!(
            formatter,
            "more than {ratio_max} times its size came out of it after {given} bytes; the rest is not read"
        )
    }
}

impl std::error::Error for ExpansionError {}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text).expect("writing to memory");
        encoder.finish().expect("writing to memory")
    }

    fn zstd(text: &[u8]) -> Vec<u8> {
        zstd::encode_all(text, 1).expect("writing to memory")
    }

    #[track_caller]
    fn check(raw: Vec<u8>, limits: InputLimits, text: &str, failure: Option<ProblemKind>) {
        let meters = Arc::new(Meters::default());
        let mut plain = decompressed(Box::new(Cursor::new(raw)), &meters, limits).expect("a readable head");
        let mut read = Vec::new();
        let outcome = plain.read_to_end(&mut read);
        assert_eq!(outcome.err().as_ref().map(failure_kind), failure);
        assert_eq!(String::from_utf8_lossy(&read), text);
        assert_eq!(meters.decompressed(), read.len() as u64);
    }

    #[test]
    fn compression_is_told_by_the_first_bytes() {
        let limits = InputLimits::default();
        check(b"abc".to_vec(), limits, "abc", None);
        check(Vec::new(), limits, "", None);
        check([gzip(b"abc"), gzip(b"def")].concat(), limits, "abcdef", None);
        check([zstd(b"abc"), zstd(b"def")].concat(), limits, "abcdef", None);
        check([b"\x50\x2a\x4d\x18\x01\0\0\0x".to_vec(), zstd(b"abc")].concat(), limits, "abc", None);
    }

    #[test]
    fn what_comes_before_a_failure_is_given() {
        let limits = InputLimits::default();
        for mut raw in [gzip(b"abc"), zstd(b"abc")] {
            raw.pop();
            let text = if raw[0] == 0x1f { "abc" } else { "ab" };
            check(raw, limits, text, Some(ProblemKind::Truncated));
        }
        check(
            [gzip(b"abc"), b"junk that is no gzip".to_vec()].concat(),
            limits,
            "abc",
            Some(ProblemKind::Damaged),
        );
        check([zstd(b"abc"), b"junk".to_vec()].concat(), limits, "abc", Some(ProblemKind::Damaged));
    }

    #[test]
    fn a_source_that_expands_out_of_proportion_is_ended() {
        let limits =
            InputLimits { expansion_ratio_max: 2, expansion_bytes_free: 10, ..InputLimits::default() };
        let text = "a".repeat(100);
        check(text.clone().into(), limits, &text, None);
        let long = "a".repeat(1 << 20);
        let meters = Arc::new(Meters::default());
        let raw = Cursor::new(zstd(long.as_bytes()));
        let mut plain = decompressed(Box::new(raw), &meters, limits).expect("a readable head");
        let error = io::copy(&mut plain, &mut io::sink()).expect_err("too much");
        assert_eq!(failure_kind(&error), ProblemKind::Expansion);
    }
}
