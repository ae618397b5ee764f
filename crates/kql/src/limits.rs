//! The limits of KQL texts and trees. Reaching one is an error with a name, never a slow or endless parse.

/// How long a query may be, in bytes. The longest of the public detection rules have some ten thousand.
pub const QUERY_BYTES_MAX: usize = 256 * 1024;

/// How many brackets (`(`, `{`) may be open at once. It bounds the parser's recursion and the depth of the tree.
pub const NESTING_MAX: usize = 128;

/// How many bytes of field names a tree may hold in copies: in `field:(a or b)` each value gets its own, so that
/// a long name before a long list would grow with the square of the text.
pub const FIELD_COPIES_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Most messages about the meaning of one query; one more says how many others there are.
pub const DIAGNOSTICS_MAX: usize = 100;
