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
    /// Event logs compress by 10 to 100; only the same line repeated, or a file made to occupy its reader, comes near
    /// (gzip reaches 1,032, zstd more). Memory is bounded without this limit; it bounds time.
    pub expansion_ratio_max: u64,
    /// Decompressed bytes that a file may give, whatever its ratio.
    pub expansion_bytes_free: u64,
    /// Bytes of events that make a [batch](crate::input::Batch), but for a last event that is longer.
    ///
    /// What a batch costs beside its events is spread over about sixty of them, and it still fits the caches between
    /// the cutting and the matching.
    pub batch_bytes: usize,
}

impl Default for InputLimits {
    fn default() -> Self {
        Self {
            document_bytes_max: 16 << 20,
            document_depth_max: 128,
            array_depth_max: 8,
            expansion_ratio_max: 500,
            expansion_bytes_free: 1 << 30,
            batch_bytes: 64 << 10,
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

/// The fewest bytes asked of a source.
pub(crate) const READ_BYTES_MIN: usize = 4 << 10;

/// A buffer of input that grew longer than this, for one long document, is not used again.
pub(crate) const BUFFER_KEPT_MAX: usize = 4 << 20;

/// What an item of a batch counts beside the bytes of its event, so that a batch of problems has an end too.
pub(crate) const ITEM_BYTES: usize = 64;

/// Most threads of a run. More than there are cores gain nothing; each has a batch of its own.
pub const THREADS_MAX: usize = 256;

/// Results of batches that wait for those of an earlier one, for each thread; who has one more waits.
pub(crate) const BATCHES_WAITING_MAX: usize = 4;

/// How often a thread tries to get at the input before it sleeps: about 100 µs, somewhat longer than one batch takes to
/// be read and cut.
pub(crate) const INPUT_TRIES_MAX: usize = 200;

/// Pauses of the processor between two such tries, about 20 ns each.
pub(crate) const PAUSES_BETWEEN_TRIES: usize = 32;

/// Stack of a thread, the same as that of the first one on most systems; conditions are evaluated by recursion.
pub(crate) const THREAD_STACK_BYTES: usize = 8 << 20;

/// A line longer than this is cut by structure rather than by its end, since it may be a whole search response.
pub(crate) const LINE_FAST_BYTES: usize = 1 << 20;

/// A bulk action line longer than this is an event. Actions carry an index, an id and a few flags.
pub(crate) const ACTION_BYTES_MAX: usize = 16 << 10;

/// How much of a line that is no document is looked at, in order to say what is wrong with it.
pub(crate) const STRAY_BYTES_MAX: usize = 64 << 10;

/// Indentation looked at when searching for the next document after a broken one.
pub(crate) const INDENT_BYTES_MAX: usize = 4 << 10;

/// Detections of one rule and interval that are held before the cap is applied, where the cap is smaller.
pub const RETAINED_SLACK: usize = 64;

/// Detections of all rules that a cap dropped and that are remembered, so that the same one is not counted twice. Further
/// ones are counted in [`crate::hunt::HuntStats::capped_not_remembered`].
pub const CAPPED_REMEMBERED_MAX: usize = 900_000;

/// Of a rule with suppression, how many detections of a run are looked at, as a multiple of the alerts that it may raise;
/// the same as in Kibana. KQL rules look at all, ES|QL rules at no more than they may raise.
pub const SUPPRESSED_FACTOR: usize = 5;

/// Events that KQL rules with suppression counted and that are remembered, so that one that comes again is not counted
/// twice. Further ones are counted in [`crate::hunt::HuntStats::suppressed_not_remembered`].
pub const SUPPRESSED_REMEMBERED_MAX: usize = 1_000_000;

/// Longest value, in bytes, that alerts are folded by; longer ones count as missing. Elasticsearch has no longer terms.
pub const SUPPRESSION_VALUE_BYTES_MAX: usize = 32_766;

/// Memory for what a hunt holds back, unless told otherwise: half of it for the state of sequences, a quarter for
/// matches that are put in order, a quarter for documents of events. With rules, inputs and alerts a hunt stays under
/// 200 MB with it.
pub const SEQUENCE_MEMORY_DEFAULT: usize = 96 << 20;

/// Events of a sequence's stages that an explanation looks for a broken chain in; later ones are not part of it.
pub const EXPLAIN_RECORDS_MAX: usize = 200_000;

/// Alerts that an explanation lists; all are counted in its stats.
pub const EXPLAIN_ALERTS_MAX: usize = 100;

/// Problems of the input that an explanation repeats; all are counted in its stats.
pub const EXPLAIN_PROBLEMS_MAX: usize = 20;

/// Largest profile, or file of stats, in bytes. A profile of 10,000 rules has some 10 MB.
pub const PROFILE_BYTES_MAX: u64 = 256 << 20;

/// Largest spec file, in bytes. Specs are written and read by people; the longest of ours are under 1 MB.
pub const SPEC_BYTES_MAX: usize = 16 << 20;

/// Most cases of one spec file; those after it are left out with an error.
pub const SPEC_CASES_MAX: usize = 20_000;

/// Most messages about one spec file; the last one counts the others.
pub const SPEC_DIAGNOSTICS_MAX: usize = 200;

/// Alerts that one difference of a case names one by one; the others are counted.
pub const CASE_NOTES_MAX: usize = 100;

/// Largest `repeat` of a block of events.
pub const SPEC_REPEAT_MAX: u64 = 100_000;

/// Most events of one case, repetitions included; a case with more is broken.
pub const CASE_EVENTS_MAX: usize = 200_000;

/// Most bytes of the events of one case; a case with more is broken. They are held in memory, unlike those of a hunt.
pub const CASE_BYTES_MAX: usize = 256 << 20;

/// Alerts of one case up to which those that are expected and those that came are aligned by the longest common
/// sequence, which takes time and memory by the square; beyond it, by their places.
pub const CASE_ALERTS_ALIGNED_MAX: usize = 1_000;

/// Compiled rule bases kept for other cases with the same set-up; beyond it all are dropped and made anew when needed.
pub const SPEC_RULE_BASES_MAX: usize = 256;

/// Bytes of line ends put before an inline rule so that messages show the line of the spec file; a block further down
/// is named by its line instead.
pub(crate) const SPEC_PADDING_MAX: usize = 64 << 10;

/// Most samples of one key that a query may be asked for.
pub const SAMPLES_PER_KEY_MAX: usize = maxspan_engine::limits::SAMPLES_PER_KEY_MAX;

/// Batches of events that wait for the thread that runs an ES|QL query.
pub const QUERY_CHANNEL_BATCHES: usize = 4;

/// Problems of the input that the answer to a query holds; further ones are counted in
/// [`crate::query::QueryAnswer::more_problems`].
pub const QUERY_PROBLEMS_MAX: usize = 1_000;

/// Alerts of one side of a comparison that are compared; those beyond are counted.
pub const DIFF_ALERTS_MAX: usize = 2_000_000;

/// Events whose place in the input a comparison remembers, to show it beside an alert.
pub const DIFF_PLACES_MAX: usize = 1_000_000;

/// Most records of runs that a hunt gives out; those left out are counted (`executions_left_out`). A record is some 600 bytes.
pub const EXECUTIONS_MAX: u64 = 1_000_000;

/// Most runs of ES|QL rules of which duration and warnings are remembered for their records; records of later runs are
/// without.
pub const ROWS_RUNS_LOGGED_MAX: usize = 200_000;

/// Most rules of which records say up to when they looked at everything; records of further ones count as none.
pub const COVERED_RULES_MAX: usize = 100_000;

/// Most bytes of the rows of one lookup table, and of one file that it is loaded from, decompressed. All of a table is held
/// in memory while it is loaded or used.
pub const LOOKUP_BYTES_MAX: usize = 512 << 20;

/// Most rows of one lookup table.
pub const LOOKUP_ROWS_MAX: u64 = 10_000_000;

/// Most columns of one lookup table.
pub const LOOKUP_COLUMNS_MAX: usize = 1_000;

/// Longest name of a column of a lookup table, in bytes.
pub const LOOKUP_COLUMN_NAME_BYTES_MAX: usize = 1_000;

/// Longest value of one cell of a lookup table, in bytes.
pub const LOOKUP_CELL_BYTES_MAX: usize = 1 << 20;

/// Most tables of one folder.
pub const LOOKUP_TABLES_MAX: usize = 10_000;

/// Longest name of a lookup table, in bytes: what file systems take, with the ending.
pub const LOOKUP_NAME_BYTES_MAX: usize = 200;

/// Longest header of a lookup table, in bytes: 1,000 columns with long names.
pub(crate) const LOOKUP_HEADER_BYTES_MAX: u64 = 16 << 20;

/// Rows that cannot be used and are named; all are counted.
pub const LOOKUP_PROBLEMS_MAX: usize = 20;

/// Largest STIX bundle, in bytes. It is held as a tree, of some ten times that size.
pub const STIX_BYTES_MAX: usize = 128 << 20;

/// Longest STIX pattern, in bytes.
pub const STIX_PATTERN_BYTES_MAX: usize = 1 << 20;

/// Most brackets of a STIX pattern within each other. It bounds the recursion of its parser.
pub const STIX_PATTERN_DEPTH_MAX: usize = 100;

/// Most alternatives of one STIX pattern, each of which becomes a document.
pub const STIX_ALTERNATIVES_MAX: usize = 1_000;

/// What STIX bundles have and no document can say is named, up to this many names; the rest are `others`.
pub(crate) const STIX_NAMED_MAX: usize = 100;
