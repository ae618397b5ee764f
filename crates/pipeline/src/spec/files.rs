//! What specs link to: the file system, or files in memory for tests and fuzzing.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use maxspan_diagnostics::{Diagnostic, Source, Span, codes};
use maxspan_rules::{
    LoadOptions, LoadedExceptions, LoadedRules, TomlOptions, load_exceptions, load_parsed, load_paths,
    parse_json, parse_ndjson, parse_toml,
};

use crate::input::{InputOptions, InputSpec, Reader};

/// Reads what cases link to.
pub trait SpecFiles: Sync {
    /// Why the path cannot be used, if it cannot.
    fn problem(&self, path: &Path) -> Option<String>;

    /// The rules of a file or folder.
    fn rules(&self, path: &Path, options: &LoadOptions) -> LoadedRules;

    /// The exceptions and value lists of a file or folder.
    fn exceptions(&self, path: &Path) -> LoadedExceptions;

    /// The events of a file or folder.
    fn events(&self, path: &Path) -> Reader;
}

/// The file system.
#[derive(Debug, Clone, Copy, Default)]
pub struct DiskFiles;

impl SpecFiles for DiskFiles {
    fn problem(&self, path: &Path) -> Option<String> {
        // Not `exists`, which says no to what may not be looked at either.
        std::fs::metadata(path).err().map(|error| error.to_string())
    }

    fn rules(&self, path: &Path, options: &LoadOptions) -> LoadedRules {
        load_paths(&[path.to_owned()], options)
    }

    fn exceptions(&self, path: &Path) -> LoadedExceptions {
        load_exceptions(&[path.to_owned()], &LoadOptions::default())
    }

    fn events(&self, path: &Path) -> Reader {
        Reader::open(&InputSpec::new([path]), InputOptions::default())
    }
}

/// Files in memory, by their paths; there are no folders.
#[derive(Debug, Clone, Default)]
pub struct MemoryFiles {
    /// Contents by path.
    pub files: BTreeMap<PathBuf, String>,
}

impl SpecFiles for MemoryFiles {
    fn problem(&self, path: &Path) -> Option<String> {
        (!self.files.contains_key(path)).then(|| "there is no such file".to_owned())
    }

    fn rules(&self, path: &Path, options: &LoadOptions) -> LoadedRules {
        let text = self.files.get(path).cloned().unwrap_or_default();
        let source = Arc::new(Source::new(path.display().to_string(), text));
        let toml = TomlOptions { any_maturity: options.any_maturity, version_lock: None };
        let parsed = match path.extension().and_then(|extension| extension.to_str()) {
            Some("toml") => parse_toml(&source, &toml),
            Some("ndjson") => parse_ndjson(&source),
            Some("json") => parse_json(&source),
            _ => {
                let message = "the file is not named like a rule file (toml, ndjson, json)";
                let mut loaded = LoadedRules::default();
                loaded.counts.files_failed = 1;
                let diagnostic = Diagnostic::new(codes::RULE_FILE, Span::default(), message);
                loaded.problems.push((source, vec![diagnostic]));
                return loaded;
            }
        };
        load_parsed(&source, parsed, options)
    }

    fn exceptions(&self, path: &Path) -> LoadedExceptions {
        let loaded = self.rules(path, &LoadOptions::default());
        let LoadedRules { exceptions, value_lists, problems, counts, .. } = loaded;
        LoadedExceptions { exceptions, value_lists, problems, counts }
    }

    fn events(&self, path: &Path) -> Reader {
        let text = self.files.get(path).cloned().unwrap_or_default();
        Reader::of_bytes(&path.display().to_string(), Cursor::new(text), InputOptions::default())
    }
}
