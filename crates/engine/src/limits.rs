//! The limits of this crate. Where reaching one loses something, a counter is named beside it.

/// Most key tuples that one event with multi-valued keys takes part under in one step; further ones are dropped and
/// counted in [`crate::MatchCounters::keys_dropped`].
pub const KEY_TUPLES_PER_EVENT_MAX: usize = 1_000;

/// Most different contents of events without an id that are counted, to tell exact duplicates apart; further ones are
/// counted in [`crate::Occurrences::dropped`].
pub const OCCURRENCES_MAX: usize = 20_000_000;

/// Most keys that a sample keeps events for; events of further ones are dropped and counted in
/// [`crate::RuleCounters::evicted`].
pub const SAMPLE_KEYS_MAX: usize = 1_000_000;

/// Most index names whose rules are remembered; for further ones they are looked up anew for every event.
pub const INDEX_NAMES_MAX: usize = 10_000;

/// Most combinations of values of the prefilter's gate that are remembered; then they are worked out anew, which costs
/// only time.
pub(crate) const GATE_KEYS_MAX: usize = 4_096;

/// Most processes that a lineage query remembers; the one that was seen longest ago is forgotten and counted in
/// [`crate::RuleCounters::evicted`].
pub const LINEAGE_PROCESSES_MAX: usize = 1_000_000;

/// How many parents a lineage query climbs; a search that is not decided by then answers no, and is counted in
/// [`crate::RuleCounters::lineage_cut`].
pub const LINEAGE_DEPTH_MAX: usize = 64;

/// Most keys with state that one sequence keeps; those touched longest ago are dropped and their partial sequences
/// counted in [`crate::RuleCounters::evicted`].
pub const SEQUENCE_KEYS_MAX: usize = 1_000_000;

/// Most events without order that the correlator holds back for sorting, in bytes of their documents and records,
/// unless told otherwise.
pub const BUFFER_BYTES_DEFAULT: usize = 4 << 30;

/// Most samples of one key that are looked for. Rules look for one; `query` refuses to be asked for more than this.
pub const SAMPLES_PER_KEY_MAX: usize = 1_000;

/// Most events of one stage and key that a sample is chosen from; further ones are dropped and counted in
/// [`crate::RuleCounters::evicted`].
pub const SAMPLE_EVENTS_MAX: usize = 10_000;

/// Most steps that the search for samples of one key takes; keys at which it ends are counted in
/// [`crate::RuleCounters::evicted`].
pub const SAMPLE_SEARCH_MAX: usize = 1_000_000;
