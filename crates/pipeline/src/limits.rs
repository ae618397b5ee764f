//! Every limit of this crate, in one place: what it bounds, and why it has this value.
//!
//! Reaching a limit is reported as an [`InputProblem`](crate::input::InputProblem) and counted; it never stops
//! the events around it. The limits a user may want to change are in [`InputLimits`]; the rest are constants.

/// The limits of reading input that a caller may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InputLimits {
    /// Longest event document, in decompressed bytes: one line of NDJSON, one element of an array, one object.
    ///
    /// It bounds the memory of a reader. Elasticsearch takes 100 MB a request, yet real events stay under 1 MB
    /// (the longest are PowerShell script blocks), so 16 MiB refuses only what is not an event.
    pub document_bytes_max: usize,
    /// Deepest nesting of one document. The same as the decoder's own limit (`serde_json` stops at 128).
    ///
    /// It is tested where documents are cut by structure; a plain NDJSON line is not looked into here, so that its
    /// depth is the decoder's to refuse.
    pub document_depth_max: usize,
    /// Deepest nesting of arrays around documents: `[[{…}],[{…}]]` is 2. Exports nest once, pages of exports twice.
    pub array_depth_max: usize,
    /// Largest ratio of decompressed to compressed bytes, tested once a file gave more than
    /// [`expansion_bytes_free`](Self::expansion_bytes_free).
    ///
    /// gzip cannot exceed 1,032, and event logs compress by 10 to 100; only zstd of the same line repeated, or a
    /// file made to occupy its reader, comes near. Memory is bounded without this limit; it bounds time.
    pub expansion_ratio_max: u64,
    /// Decompressed bytes that a file may give, whatever its ratio.
    pub expansion_bytes_free: u64,
}

impl Default for InputLimits {
    fn default() -> Self {
        Self {
            document_bytes_max: 16 << 20,
            document_depth_max: 128,
            array_depth_max: 8,
            expansion_ratio_max: 2_000,
            expansion_bytes_free: 1 << 30,
        }
    }
}

/// Groups of events, by index and category, whose fields are counted for a check of rules against them; events of
/// further ones are counted alone.
pub const AGAINST_GROUPS_MAX: usize = 10_000;

/// So many events must be looked at before a check says that they lack a field.
pub const AGAINST_EVENTS_MIN: u64 = 100;

/// Ways of writing one value, in upper and lower case, that are remembered of events beside those that rules use.
pub const AGAINST_CASES_MAX: usize = 8;

/// Problems of the input that a check of rules keeps; all are counted.
pub const AGAINST_PROBLEMS_MAX: usize = 20;

/// Bytes asked of a source at a time. A corrupt gzip stream loses at most what one call had decoded, so this is
/// small; larger ones read no faster, as measured.
pub(crate) const READ_BYTES: usize = 64 << 10;

/// A line longer than this is cut by structure rather than by its end, since it may be a whole search response.
pub(crate) const LINE_FAST_BYTES: usize = 1 << 20;

/// A bulk action line longer than this is an event. Actions carry an index, an id and a few flags.
pub(crate) const ACTION_BYTES_MAX: usize = 16 << 10;

/// How much of a line that is no document is looked at, in order to say what is wrong with it.
pub(crate) const STRAY_BYTES_MAX: usize = 64 << 10;

/// Indentation looked at when searching for the next document after a broken one.
pub(crate) const INDENT_BYTES_MAX: usize = 4 << 10;

/// Detections of one rule and interval that are held before the cap is applied, where the cap is smaller.
pub const RETAINED_SLACK: usize = 500;

/// Detections that a cap dropped and that are remembered, so that the same one is not counted twice.
pub const CAPPED_REMEMBERED_MAX: usize = 10_000_000;
