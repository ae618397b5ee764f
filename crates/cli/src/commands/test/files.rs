//! Which files are specs: those that are named, and every `.md` file in folders that are.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use crate::exit::Failure;

/// Most spec files of one run.
const FILES_MAX: usize = 100_000;

/// A file that may hold cases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SpecSource {
    pub(super) path: PathBuf,
    /// It was named, so that it must hold cases.
    pub(super) is_named: bool,
}

/// The files of the paths, in order, each once. Hidden files and folders are left out.
pub(super) fn find(paths: &[PathBuf]) -> Result<Vec<SpecSource>, Failure> {
    let mut sources = Vec::new();
    let mut seen = HashSet::new();
    for path in paths {
        let unusable = |error: &dyn std::fmt::Display| Failure::usage(format!("{}: {error}", path.display()));
        let metadata = std::fs::metadata(path).map_err(|error| unusable(&error))?;
        if !metadata.is_dir() {
            if seen.insert(canonical(path)) {
                sources.push(SpecSource { path: path.clone(), is_named: true });
            } else {
                let same = |source: &&mut SpecSource| canonical(&source.path) == canonical(path);
                sources.iter_mut().filter(same).for_each(|source| source.is_named = true);
            }
            continue;
        }
        let walk = WalkDir::new(path).sort_by_file_name().into_iter();
        for entry in walk.filter_entry(|entry| entry.depth() == 0 || !is_hidden(entry)) {
            let entry = entry.map_err(|error| unusable(&error))?;
            if is_markdown(entry.path()) && entry.path().is_file() && seen.insert(canonical(entry.path())) {
                sources.push(SpecSource { path: entry.into_path(), is_named: false });
            }
            if sources.len() > FILES_MAX {
                return Err(unusable(&format!("more than {FILES_MAX} files")));
            }
        }
    }
    Ok(sources)
}

fn is_hidden(entry: &DirEntry) -> bool {
    entry.file_name().as_encoded_bytes().starts_with(b".")
}

pub(super) fn is_markdown(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "md")
}

fn canonical(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}
