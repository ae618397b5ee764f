//! Files that the arguments name: rules, mappings, the version lock.

use std::fs;
use std::path::{Path, PathBuf};

use maxspan_diagnostics::{Diagnostic, Source};
use maxspan_event::Schema;
use maxspan_pipeline::limits::PROFILE_BYTES_MAX;
use maxspan_pipeline::profile::{HuntCosts, Profile};
use maxspan_pipeline::rule_base::Selectivity;
use maxspan_rules::load::{load_exceptions, load_version_lock};
use maxspan_rules::{LoadOptions, LoadedRules, VersionLock, load_paths};

use crate::exit::Failure;
use crate::output::messages::rendered;
use crate::terminal;

/// The built-in schema, or with `mapping_only` an empty one, and the mappings over it.
pub(crate) fn schema(mappings: &[PathBuf], mapping_only: bool) -> Result<Schema, Failure> {
    let mut schema = if mapping_only { Schema::empty() } else { Schema::built_in() };
    for path in mappings {
        let text = fs::read_to_string(path).map_err(|error| unusable("mapping", path, &error.to_string()))?;
        schema = schema.with_mapping(&text).map_err(|error| {
            let line = if error.line > 0 { format!(" (line {})", error.line) } else { String::new() };
            unusable("mapping", path, &format!("{}{line}", error.message))
        })?;
    }
    Ok(schema)
}

/// Rules and what belongs to them; of `exceptions` only exception and value lists are taken. A path that is not there is
/// an error; what is wrong inside is among the problems.
pub(crate) fn rules(
    paths: &[PathBuf],
    exceptions: &[PathBuf],
    any_maturity: bool,
    version_lock: Option<&Path>,
) -> Result<LoadedRules, Failure> {
    check_paths("rules", paths)?;
    check_paths("exceptions", exceptions)?;
    let version_lock = self::version_lock(version_lock)?;
    let options = LoadOptions { any_maturity, version_lock, ..LoadOptions::default() };
    let mut loaded = load_paths(paths, &options);
    if !exceptions.is_empty() {
        let found = load_exceptions(exceptions, &options);
        if found.exceptions.item_count() == 0 && found.value_lists.iter().next().is_none() {
            terminal::warning("--exceptions names no file with exceptions or value lists");
        }
        loaded.merge(found);
    }
    Ok(loaded)
}

/// Says so where a path is not there.
pub(crate) fn check_paths(what: &str, paths: &[PathBuf]) -> Result<(), Failure> {
    for path in paths {
        // Not `exists`, which says no to what may not be looked at either.
        fs::metadata(path).map_err(|error| unusable(what, path, &error.to_string()))?;
    }
    Ok(())
}

/// The version lock, where one is named.
pub(crate) fn version_lock(path: Option<&Path>) -> Result<Option<VersionLock>, Failure> {
    let read = |path: &Path| {
        load_version_lock(path).map_err(|error| unusable("version lock", path, &error.to_string()))
    };
    path.map(read).transpose()
}

/// What a profile says of atoms; without one, nothing is known.
pub(crate) fn selectivity(path: Option<&Path>) -> Result<Selectivity, Failure> {
    let Some(path) = path else { return Ok(Selectivity::default()) };
    Ok(measured("profile", path, Profile::read)?.selectivity())
}

/// What rules cost by the stats of a hunt.
pub(crate) fn hunt_costs(path: Option<&Path>) -> Result<Option<HuntCosts>, Failure> {
    path.map(|path| measured("stats", path, HuntCosts::read)).transpose()
}

/// Reads a table of what was measured.
fn measured<T>(
    what: &str,
    path: &Path,
    read: impl Fn(&Source) -> Result<T, Diagnostic>,
) -> Result<T, Failure> {
    let unreadable = |error: std::io::Error| unusable(what, path, &error.to_string());
    if fs::metadata(path).map_err(unreadable)?.len() > PROFILE_BYTES_MAX {
        return Err(unusable(what, path, &format!("longer than {PROFILE_BYTES_MAX} bytes")));
    }
    let bytes = fs::read(path).map_err(unreadable)?;
    // What is no UTF-8 is no JSON either; the place where it stops to be shows in the message.
    let source = Source::new(path.display().to_string(), String::from_utf8_lossy(&bytes));
    read(&source).map_err(|diagnostic| {
        terminal::say(&format!("{}\n", rendered(&source, &diagnostic)));
        unusable(what, path, "cannot be used")
    })
}

fn unusable(what: &str, path: &Path, why: &str) -> Failure {
    Failure::usage(format!("{what} {}: {why}", path.display()))
}
