//! The limits of this crate.

/// Largest compiled regular expression, in bytes; a larger one is an error of its rule.
pub const REGEX_BYTES_MAX: usize = 4 << 20;

/// Longest regular expression, in characters.
pub const REGEX_CHARS_MAX: usize = 20_000;

/// Deepest nesting of groups in a regular expression.
pub const REGEX_DEPTH_MAX: usize = 100;

/// Highest count in `{n,m}` of a regular expression.
pub const REGEX_REPEAT_MAX: u32 = 1_000;

/// Longest value, in characters, that regular expressions with `~`, `&` or `<n-m>` are tried on; longer values do not
/// match. Their cost grows with the square of the length.
pub const REGEX_SET_CHARS_MAX: usize = 4_096;

/// Longest string that a scalar function builds, in bytes; what would be longer is null.
pub const STRING_BYTES_MAX: usize = 1 << 20;
