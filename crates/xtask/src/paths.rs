//! Where things are.

use std::path::PathBuf;

/// The folders of the shared packs that tests read.
const PACKS: [&str; 4] = ["conformance", "corpus", "data", "ecs"];

/// The root of the workspace: what cargo says at run time, since a build directory that several checkouts share may hold
/// the binary of another one.
pub(crate) fn workspace() -> PathBuf {
    let compiled = || PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(compiled, PathBuf::from);
    manifest.ancestors().nth(2).unwrap_or(&manifest).to_path_buf()
}

/// Specifications, conformance packs and corpora of others: `MAXSPAN_SHARED`, else `../shared`.
pub(crate) fn shared() -> PathBuf {
    std::env::var_os("MAXSPAN_SHARED").map_or_else(|| workspace().join("../shared"), PathBuf::from)
}

/// The packs that are not on this machine.
pub(crate) fn missing_packs() -> Vec<PathBuf> {
    PACKS.iter().map(|pack| shared().join(pack)).filter(|folder| !folder.is_dir()).collect()
}

/// Whether this is CI, where everything must be there. Tests ask the same.
pub(crate) fn in_ci() -> bool {
    std::env::var_os("CI").is_some()
}
