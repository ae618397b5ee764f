//! The limits of this crate.

/// Largest compiled regular expression, in bytes; a larger one is an error of its rule.
pub const REGEX_BYTES_MAX: usize = 4 << 20;

/// Longest regular expression, in characters.
pub const REGEX_CHARS_MAX: usize = 20_000;

/// Deepest nesting of groups in a regular expression.
pub const REGEX_DEPTH_MAX: usize = 100;

/// Highest count in `{n,m}` of a regular expression.
pub const REGEX_REPEAT_MAX: u32 = 1_000;

/// Most repetition operators in a row (`a?*+`).
pub const REGEX_STACKED_MAX: usize = 20;

/// Most states of the automaton of a regular expression with `~` or `&`.
pub const REGEX_STATES_MAX: usize = 5_000;

/// Most parts that the regular expressions of one query have together, repetitions written out.
pub const REGEX_PARTS_MAX: usize = 200_000;

/// Most parts that are looked at or copied in order to make the automata of the expressions with `~` or `&` in one
/// query; it bounds the time, as the states bound the memory.
pub const REGEX_WORK_MAX: usize = 500_000;

/// Most lineage queries of one plan: their answers are tabulated in 64 bits, and the table doubles with each.
pub const LINEAGE_QUERIES_MAX: usize = 6;

/// Most groups of one `threat_mapping`, and pairs of one group; a rule with more is not run.
pub const MAPPING_GROUPS_MAX: usize = 1 << 14;
/// See [`MAPPING_GROUPS_MAX`].
pub const MAPPING_ENTRIES_MAX: usize = 1 << 10;

/// Longest string that a scalar function builds, in bytes; what would be longer is null, and counted in
/// `maxspan_event::Dropped::texts`.
pub const STRING_BYTES_MAX: usize = 1 << 20;
