//! The limits of this crate. Where reaching one loses something, a counter is named beside it.

/// Most key tuples that one event with multi-valued keys takes part under in one step; further ones are dropped and
/// counted in [`crate::MatchCounters::keys_dropped`].
pub const KEY_TUPLES_PER_EVENT_MAX: usize = 1_000;

/// Most different contents of events without an id that are counted, to tell exact duplicates apart; further ones are
/// counted in [`crate::Occurrences::dropped`].
pub const OCCURRENCES_MAX: usize = 900_000;

/// Most keys that a sample keeps events for; events of further ones are dropped and counted in
/// [`crate::RuleCounters::evicted`].
pub const SAMPLE_KEYS_MAX: usize = 1_000_000;

/// Most enrichments of one alert, the newest indicators first, as in Kibana; alerts with more are counted in
/// [`crate::RuleCounters::enrichments_cut`].
pub const ENRICHMENTS_MAX: usize = 200;

/// Most indicators of the values of one event that are looked at in one run; counted with [`ENRICHMENTS_MAX`].
pub const INDICATORS_TRIED_MAX: usize = 100_000;

/// Most different values of [`crate::RuleSetBuilder::noted`] that are remembered. They are only told, never matched.
pub const NOTED_VALUES_MAX: usize = 10_000;

/// Most index names whose rules are remembered; for further ones they are looked up anew for every event.
pub const INDEX_NAMES_MAX: usize = 10_000;

/// Most combinations of values of the prefilter's gate that are remembered; then they are worked out anew, which costs
/// only time.
pub(crate) const GATE_KEYS_MAX: usize = 4_096;

/// How many things are in a part of what was last seen, at the mean, before one more part is made.
pub(crate) const SEEN_SEGMENT_ENTRIES: usize = 16_384;

/// Most things in one part of what was last seen; digests that are spread evenly never come near. Further ones are not
/// stored, and events with them are counted in [`crate::RuleCounters::evicted`].
pub const SEEN_SEGMENT_ENTRIES_MAX: usize = 65_535;

/// Most terms that are remembered for all rules together so that documents of events that have them again need not be
/// kept; beyond them documents are kept that nobody needs.
pub(crate) const KNOWN_TERMS_MAX: usize = 1 << 16;

/// Most processes that a lineage query remembers; the one that was seen longest ago is forgotten and counted in
/// [`crate::RuleCounters::evicted`].
pub const LINEAGE_PROCESSES_MAX: usize = 1_000_000;

/// How many parents a lineage query climbs; a search that is not decided by then answers no, and is counted in
/// [`crate::RuleCounters::lineage_cut`].
pub const LINEAGE_DEPTH_MAX: usize = 64;

/// Most keys with state that one sequence keeps; those touched longest ago are dropped and their partial sequences
/// counted in [`crate::RuleCounters::evicted`].
pub const SEQUENCE_KEYS_MAX: usize = 1_000_000;

/// Most bytes of matches that the correlator holds back in memory for sorting, unless told otherwise. What is more is
/// put aside; without a spill the older half is handed on, and what comes too late is counted in
/// [`crate::RuleCounters::late`].
pub const BUFFER_BYTES_DEFAULT: usize = 1 << 30;

/// Most bytes of documents of events that the correlator keeps in memory, unless told otherwise. What is more is put
/// aside; without a spill it is as with [`BUFFER_BYTES_DEFAULT`].
pub const DOCUMENT_BYTES_DEFAULT: usize = 3 << 30;

/// Most bytes of the state of sequences, samples and lineage, unless told otherwise. Beyond it the state touched longest
/// ago is dropped and counted in [`crate::RuleCounters::evicted`]; samples leave out what comes after.
pub const STATE_BYTES_DEFAULT: usize = 2 << 30;

/// Bytes of documents that are put aside at a time; a longer document goes alone.
pub const DOCUMENT_PIECE_BYTES: usize = 256 << 10;

/// Most bytes of one match that is held back, which join keys of many megabytes make; a longer one is dropped and
/// counted in [`crate::RuleCounters::evicted`].
pub const MATCH_BYTES_MAX: usize = 64 << 20;

/// Most and fewest bytes read ahead of each run of matches that were put aside. The buffers of all runs share what
/// sorting may take, so more memory is taken only with thousands of runs.
pub const RUN_READ_BYTES_MAX: usize = 256 << 10;
/// See [`RUN_READ_BYTES_MAX`].
pub const RUN_READ_BYTES_MIN: usize = 4 << 10;

/// Most samples of one key that are looked for. Rules look for one; `query` refuses to be asked for more than this.
pub const SAMPLES_PER_KEY_MAX: usize = 1_000;

/// Most events of one stage and key that a sample is chosen from; further ones are dropped and counted in
/// [`crate::RuleCounters::evicted`].
pub const SAMPLE_EVENTS_MAX: usize = 10_000;

/// Most steps that the search for samples of one key takes; keys at which it ends are counted in
/// [`crate::RuleCounters::evicted`].
pub const SAMPLE_SEARCH_MAX: usize = 1_000_000;

/// Most stretches of time of all rules by which the runs of their schedules are told apart, in 24 bytes each; events beyond
/// are counted in [`crate::Correlator::runs_not_logged`], and their runs miss in the log. Also most runs of one rule of
/// which is told what their caps left out.
pub const RUNS_LOGGED_MAX: usize = 1_000_000;
