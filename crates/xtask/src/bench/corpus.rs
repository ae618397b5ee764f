//! The rule corpus of the shared packs, and sets that are made of it. They are written into the cache, never elsewhere.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::bench::programs::Programs;
use crate::bench::tenfold;
use crate::paths;

/// How many rules the small set has.
pub(super) const FEW: usize = 50;

/// How often the large set has each rule.
pub(super) const COPIES: u32 = 10;

/// The corpus as it lies on disk.
pub(super) fn whole() -> PathBuf {
    paths::shared().join("corpus/rules")
}

/// Some rules of the corpus that run, evenly spread over their files.
pub(super) fn few(programs: &Programs) -> Result<PathBuf> {
    let runnable: Vec<(PathBuf, String)> = files()?.into_iter().filter(|(_, text)| runs(text)).collect();
    let chosen = (0..FEW).filter_map(|number| runnable.get(number * runnable.len() / FEW));
    let folder = fresh(programs, "rules-few")?;
    for (path, text) in chosen {
        write(&folder.join(path.file_name().unwrap_or_default()), text)?;
    }
    Ok(folder)
}

/// The corpus several times over, under new ids and with changed constants in all but the first copy; with how many
/// rules that run no constant could be changed in.
pub(super) fn tenfold(programs: &Programs) -> Result<(PathBuf, usize)> {
    let folder = fresh(programs, "rules-tenfold")?;
    let files = files()?;
    let mut unchanged = 0;
    for copy in 0..COPIES {
        let place = folder.join(copy.to_string());
        fs::create_dir_all(&place)?;
        for (path, text) in &files {
            let changed = tenfold::copy(text, copy);
            unchanged += usize::from(copy == 1 && runs(text) && changed.constants == 0);
            write(&place.join(path.file_name().unwrap_or_default()), &changed.text)?;
        }
    }
    Ok((folder, unchanged))
}

/// An empty folder.
pub(super) fn fresh(programs: &Programs, name: &str) -> Result<PathBuf> {
    let folder = programs.path(name);
    if folder.is_dir() {
        fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())?;
    }
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    Ok(folder)
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| path.display().to_string())
}

/// Whether the rule is of a type that maxspan runs.
fn runs(text: &str) -> bool {
    text.lines().any(|line| line == "type = \"eql\"" || line == "type = \"query\"")
}

/// All rule files with their text, sorted by path.
fn files() -> Result<Vec<(PathBuf, String)>> {
    let mut files = Vec::new();
    let mut folders = vec![whole()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "toml") {
                let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
                files.push((path, text));
            }
        }
    }
    files.sort();
    Ok(files)
}
