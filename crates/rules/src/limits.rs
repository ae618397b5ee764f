//! The limits of loading: what is over one is refused with a message, never cut silently.
//!
//! The defaults are far above what the public rule repositories and exports hold (2,000 rules, 60 kB a rule,
//! 40 MB an export); they exist so that a wrong path or a hostile file cannot fill the memory.

/// How many windows before the first run of a hunt the runs of a threshold rule begin, where the hunt has a start. What a
/// run raises goes by what the runs before it raised, without an end to the past; after so many windows that rarely
/// matters (docs/differences.md).
pub const THRESHOLD_HISTORY_WINDOWS: i64 = 8;

/// Most messages about one rule, exception list or exception item; the last one then counts the others.
pub const MESSAGES_PER_RULE_MAX: usize = 100;

/// Most tests of one conjunction, or alternatives of one list, that lints compare with each other; those after them are
/// not compared.
pub const LINT_COMPARED_MAX: usize = 1_000;

/// How much is read; each field is inclusive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one TOML rule file.
    pub toml_bytes_max: usize,
    /// Bytes of one JSON or NDJSON file.
    pub json_bytes_max: usize,
    /// Bytes of one value list.
    pub value_list_bytes_max: usize,
    /// Rules of one load.
    pub rules_max: usize,
    /// Exception items of one load.
    pub exception_items_max: usize,
    /// Files visited by one load.
    pub files_max: usize,
    /// Levels of folders below a path.
    pub folder_depth_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            toml_bytes_max: 4 << 20,
            json_bytes_max: 256 << 20,
            value_list_bytes_max: 64 << 20,
            rules_max: 50_000,
            exception_items_max: 200_000,
            files_max: 200_000,
            folder_depth_max: 32,
        }
    }
}
