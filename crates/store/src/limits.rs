//! Every limit of this crate, in one place: what it bounds, and why it has this value.

/// Memory of a command that reads or writes a store, unless told otherwise.
pub const MEMORY_DEFAULT: usize = 1 << 30;

/// The least memory that a command works with: a batch of an import, or a page of documents for each of some files.
pub const MEMORY_MIN: usize = 64 << 20;

/// What share of the memory one batch of an import may take, as bytes of documents. While a batch is written, the next
/// one is read; columns and what is encoded take about as much again.
pub const BATCH_SHARE: usize = 6;

/// Most bytes of documents in a batch, whatever the memory is: offsets within a column have 32 bits.
pub const BATCH_BYTES_MAX: usize = 1 << 30;

/// Most events in a batch, so that one of tiny events is bounded too.
pub const BATCH_EVENTS_MAX: usize = 4_000_000;

/// Bytes that an event counts beside its document: what its columns take at least.
pub const EVENT_BYTES: usize = 256;

/// Longest text that a column holds; the column of a longer one has none, and says so (`_inexact`). Most command lines
/// and paths are under 1 KiB, and longer texts are hardly searched for by equality.
pub const COLUMN_TEXT_BYTES_MAX: usize = 8 << 10;

/// Most values that a column of lists holds for one event; a longer list is left out, and the column says so.
pub const COLUMN_VALUES_MAX: usize = 256;

/// Longest name of a data stream. What is longer, or empty, goes to the default one; file systems take 255 bytes, of
/// which escapes may take three for one.
pub const STREAM_NAME_BYTES_MAX: usize = 80;

/// Data streams of a store. Events of further ones go to the default one, where they are found all the same.
pub const STREAMS_MAX: usize = 10_000;

/// Rows of a row group. Statistics and bloom filters are for a row group, so that smaller ones are read more exactly;
/// larger ones compress better, and have fewer to look at.
pub const ROW_GROUP_ROWS: usize = 128 << 10;

/// Bytes of documents in a row group, before compression.
pub const ROW_GROUP_BYTES: usize = 512 << 20;

/// Bytes of a page of documents before compression. A page is what is decompressed to read one event; larger ones
/// compress better, since documents are alike.
pub const SOURCE_PAGE_BYTES: usize = 8 << 20;

/// Rows of a page of documents, so that pages of short ones are not all of a row group.
pub const PAGE_ROWS: usize = 20_000;

/// Rows that are put in order and encoded at a time.
pub const ENCODED_ROWS: usize = 2_048;

/// Bytes of texts in statistics: the footer of a file is read before anything else of it.
pub const STATISTICS_BYTES: usize = 32;

/// Compression of documents.
pub const SOURCE_ZSTD_LEVEL: i32 = 9;

/// Compression of the other columns, which have a dictionary already.
pub const COLUMN_ZSTD_LEVEL: i32 = 3;

/// How often a bloom filter may say yes where the answer is no.
pub const BLOOM_FALSE_POSITIVES: f64 = 0.01;

/// Bytes of a file that `compact` aims at. A file is held in memory while it is written, so that it is there as a whole or
/// not at all, and its name can tell its content.
pub const FILE_BYTES_TARGET: u64 = 128 << 20;

/// A file that is smaller than this part of the target is worth being rewritten.
pub const FILE_SMALL_SHARE: u64 = 2;

/// Rows of a batch that a scan gives at most.
pub const SCAN_ROWS: usize = 1_024;

/// Rows of a batch that a query works on at a time.
pub const QUERY_ROWS: usize = 8_192;

/// Memory that each open file of a scan in order of time is taken to need: a page of documents, and rows of them.
pub const SCAN_FILE_BYTES: usize = SOURCE_PAGE_BYTES + (8 << 20);

/// Commits to a table after which a checkpoint of its log is written.
pub const CHECKPOINT_INTERVAL: u64 = 20;

/// Damaged files that a scan or a check names; further ones are counted.
pub const PROBLEMS_NAMED_MAX: usize = 100;

/// Hours that `compact` keeps files that no table holds any more, for whoever still reads an older version.
pub const VACUUM_HOURS_DEFAULT: u32 = 24;

/// Values of one condition that a scan looks up in bloom filters; a longer list is only held against the rows.
pub const LOOKUP_VALUES_MAX: usize = 64;

/// Files that a scan opens at once in order to see whether something may be in them.
pub const SCAN_OPENED_AT_ONCE: usize = 16;

/// Files that `compact` merges at once at most; more are merged in several passes.
pub const COMPACT_FILES_MAX: usize = 256;

/// Tables that an import commits to at once.
pub const COMMITS_AT_ONCE: usize = 8;

/// Tables that are opened at once. Each takes threads that wait for others of the same pool, so that hundreds of tables would
/// wait for each other for ever.
pub const TABLES_OPENED_AT_ONCE: usize = 16;
