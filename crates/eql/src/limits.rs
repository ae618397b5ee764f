//! Every limit of the EQL front end, in one place.
//!
//! A query comes from a file that anybody may have written: whatever grows with it stops somewhere.

/// Longest query in bytes; the longest published detection rule has a twentieth of it.
pub const QUERY_BYTES_MAX: usize = 1 << 20;

/// Most levels of operators, parentheses and lists within each other; the deepest published detection rule has 16.
/// The limit holds for the parser's recursion and for the height of the tree, so that whoever walks the tree may
/// recurse. The parser takes 10 KiB of stack per level at worst, without optimization: it stays below the 2 MiB that
/// a thread has.
pub const NESTING_MAX: usize = 128;

/// Most stages of a sequence or sample, each `with runs=n` counted n times.
pub const STAGES_MAX: usize = 256;

/// Largest `n` of `with runs=n`, as in Elasticsearch.
pub const RUNS_MAX: u32 = 100;

/// Most messages about one query of each kind (syntax, meaning); one more says how many others there are.
pub const DIAGNOSTICS_MAX: usize = 100;

/// Longest piece of the query that a message repeats, in characters.
pub const QUOTED_TEXT_CHARS_MAX: usize = 80;

/// Longest expression that a message repeats, in characters.
pub const QUOTED_EXPRESSION_CHARS_MAX: usize = 1_000;
