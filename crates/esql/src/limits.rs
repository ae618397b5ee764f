//! The limits of ES|QL queries and of running them. Reaching one is an error, or null with a warning; never a crash, and
//! never a wrong answer that looks like a right one.

/// How long a query may be, in bytes, as in Elasticsearch (a million characters).
pub const QUERY_BYTES_MAX: usize = 1_000_000;

/// How many brackets and signs may be open at once. It bounds the recursion of the parser.
pub const NESTING_MAX: usize = 100;

/// How many commands a query may have.
pub const COMMANDS_MAX: usize = 500;

/// How deep the tree of an expression may be; operators without brackets (`a or b or …`) make it deeper too.
pub const DEPTH_MAX: u32 = 400;

/// Most messages about one query; one more says how many others there are.
pub const DIAGNOSTICS_MAX: usize = 100;

/// The rows that a query without LIMIT gives at most.
pub const DEFAULT_LIMIT: usize = 1_000;

/// The rows that a query gives at most, whatever its LIMIT says.
pub const ROWS_MAX: usize = 10_000;

/// The longest text that a function makes, in bytes; a longer one is null with a warning.
pub const TEXT_BYTES_MAX: usize = 1024 * 1024;

/// How many values one field of a row may have; functions that would make more give null with a warning.
pub const VALUES_MAX: usize = 65_536;

/// The longest regular expression, in bytes.
pub const REGEX_BYTES_MAX: usize = 64 * 1024;

/// How often a backtracking expression may step back on one text, before it counts as no match.
pub const REGEX_STEPS_MAX: usize = 1_000_000;

/// How large a compiled regular expression may be, in bytes.
pub const REGEX_PROGRAM_BYTES_MAX: usize = 10 * 1024 * 1024;

/// How many compiled expressions a run keeps, for patterns that are no constants.
pub const REGEXES_KEPT_MAX: usize = 64;

/// How deep patterns of GROK may refer to each other.
pub const GROK_DEPTH_MAX: usize = 20;

/// How long a pattern of GROK may be after all names are replaced, in bytes.
pub const GROK_BYTES_MAX: usize = 64 * 1024;

/// How many messages one expression leaves in the warnings, as in Elasticsearch.
pub const WARNINGS_PER_EXPRESSION_MAX: usize = 20;

/// `COUNT_DISTINCT` is exact up to this many values in a group; beyond, it is estimated (`HyperLogLog`, error about 0.8 %).
pub const DISTINCT_EXACT_MAX: usize = 10_000;

/// The memory that a run may hold by default: rows that are sorted, groups, values that are collected.
pub const MEMORY_BYTES: usize = 512 * 1024 * 1024;

/// After how many steps a run looks whether it may go on.
pub const STEPS_BETWEEN_CHECKS: u64 = 1_024;

/// How many groups one row may belong to, when several keys have several values.
pub const GROUPS_PER_ROW_MAX: usize = 100_000;

/// How many combinations of the values of its keys one row of a lookup table may have.
pub const LOOKUP_KEYS_PER_ROW_MAX: usize = 10_000;
