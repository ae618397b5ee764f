//! Where things are.

use std::path::{Path, PathBuf};

/// The root of the workspace.
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Specifications, conformance packs and corpora of others: `MAXSPAN_SHARED`, else `../shared`.
pub fn shared() -> PathBuf {
    std::env::var_os("MAXSPAN_SHARED").map_or_else(|| workspace().join("../shared"), PathBuf::from)
}
