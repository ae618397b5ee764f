//! Loads rules, exception lists and value lists from files and folders. The only module here that touches the disk.
//!
//! What is read:
//!
//! * `*.toml` — Elastic's rules (`[rule]`) and exception lists (`[[exceptions]]`, by custom in `exceptions/`);
//! * `*.ndjson` — Kibana's exports: rules, exception lists and items, connectors (counted), the details line;
//! * `*.json` — one rule, a list of rules, a package asset; also an export with the wrong extension;
//! * `value_lists/<id>.txt` — one value a line; empty lines are left out, blanks around values too;
//! * `version.lock.json` is no rule file and passed over; hand it in as [`LoadOptions::version_lock`].
//!
//! Folders are read to the bottom, in order of names; hidden ones (`.git`) and `_deprecated` are not. Symbolic
//! links inside folders are followed for files only. A bad file or rule never stops the others; everything that is
//! wrong is in [`LoadedRules::problems`]. Of two rules with one id the first wins.
//!
//! [`load_exceptions`] takes only exception and value lists, from the same files.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use maxspan_diagnostics::{Code, Diagnostic, Source, Span, codes};

use crate::document::RuleDocument;
use crate::exceptions::{ExceptionItem, ExceptionStore};
use crate::kibana_rules::{parse_json, parse_ndjson};
use crate::limits::Limits;
use crate::parsed_file::{ParsedFile, Skipped};
use crate::toml_rules::{TomlOptions, parse_toml};
use crate::version_lock::VersionLock;

/// How to load.
#[derive(Debug, Clone, Default)]
pub struct LoadOptions {
    /// Also load TOML rules whose maturity is not `production`, and folders `_deprecated`.
    pub any_maturity: bool,
    /// Versions of TOML rules; without it they are 1.
    pub version_lock: Option<VersionLock>,
    /// Limits.
    pub limits: Limits,
}

/// Everything that was loaded.
#[derive(Debug, Clone, Default)]
pub struct LoadedRules {
    /// Rules, in order of paths, each id once.
    pub rules: Vec<RuleDocument>,
    /// Exception lists and items.
    pub exceptions: ExceptionStore,
    /// Value lists.
    pub value_lists: ValueLists,
    /// Messages, by file in order of paths; files without messages are not here.
    pub problems: Vec<(Arc<Source>, Vec<Diagnostic>)>,
    /// Counts.
    pub counts: LoadCounts,
}

impl LoadedRules {
    /// All messages with their texts.
    pub fn diagnostics(&self) -> impl Iterator<Item = (&Source, &Diagnostic)> {
        self.problems.iter().flat_map(|(source, diagnostics)| {
            diagnostics.iter().map(move |diagnostic| (&**source, diagnostic))
        })
    }
}

impl LoadedRules {
    /// Adds exceptions and value lists that were loaded without rules. What is here already goes before them, and
    /// gives a message.
    pub fn merge(&mut self, other: LoadedExceptions) {
        let LoadedExceptions { exceptions, value_lists, problems, counts } = other;
        self.problems.extend(problems);
        self.counts.add(counts);
        let mut repeated: Vec<(Arc<Source>, Diagnostic)> = Vec::new();
        self.exceptions.merge(exceptions, &mut |item| {
            let name = format!("exception item `{}`", item.item_id);
            repeated.push((Arc::clone(&item.source), duplicate(&name, item.span)));
        });
        for (id, values) in value_lists.lists {
            let message = format!("value list `{id}` is there already: the first one counts");
            if !self.value_lists.insert(id.clone(), values) {
                let source = Arc::new(Source::new(format!("value_lists/{id}.txt"), ""));
                let diagnostic = Diagnostic::new(codes::EXCEPTION_DUPLICATE, Span::default(), message);
                repeated.push((source, diagnostic));
            }
        }
        self.counts.skipped.duplicates += repeated.len();
        self.problems.extend(repeated.into_iter().map(|(source, diagnostic)| (source, vec![diagnostic])));
    }
}

/// Exceptions and value lists without rules.
#[derive(Debug, Clone, Default)]
pub struct LoadedExceptions {
    /// Exception lists and items.
    pub exceptions: ExceptionStore,
    /// Value lists.
    pub value_lists: ValueLists,
    /// Messages, by file in order of paths; those about rules are left out.
    pub problems: Vec<(Arc<Source>, Vec<Diagnostic>)>,
    /// Counts; without rules, and what could have been anything counts as an exception that failed.
    pub counts: LoadCounts,
}

/// What a load went through.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LoadCounts {
    /// Files read.
    pub files: usize,
    /// Files that could not be read, or are over a limit.
    pub files_failed: usize,
    /// Rules (or whole rule files) that cannot be used; each has an error among the messages.
    pub rules_failed: usize,
    /// Exception lists and items that cannot be used; each has an error among the messages.
    pub exceptions_failed: usize,
    /// What was passed over on purpose.
    pub skipped: Skipped,
}

impl LoadCounts {
    fn add(&mut self, other: Self) {
        self.files += other.files;
        self.files_failed += other.files_failed;
        self.rules_failed += other.rules_failed;
        self.exceptions_failed += other.exceptions_failed;
        self.skipped.add(other.skipped);
    }
}

/// Value lists by id.
#[derive(Debug, Clone, Default)]
pub struct ValueLists {
    lists: BTreeMap<String, Vec<String>>,
}

impl ValueLists {
    /// The values of a list. Kibana names an imported list after its file (`ips.txt`), so both forms are found.
    pub fn get(&self, id: &str) -> Option<&[String]> {
        let found = self.lists.get(id).or_else(|| self.lists.get(id.strip_suffix(".txt")?));
        found.map(Vec::as_slice)
    }

    /// Keeps a list; false where its id was taken already.
    pub fn insert(&mut self, id: String, values: Vec<String>) -> bool {
        let fresh = !self.lists.contains_key(&id);
        if fresh {
            self.lists.insert(id, values);
        }
        fresh
    }

    /// Ids and numbers of values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, usize)> {
        self.lists.iter().map(|(id, values)| (id.as_str(), values.len()))
    }
}

/// Loads files and folders.
pub fn load_paths(paths: &[PathBuf], options: &LoadOptions) -> LoadedRules {
    load(paths, options, Wanted::All)
}

/// Loads exception and value lists from files and folders; rules there are passed over, and messages about them too.
pub fn load_exceptions(paths: &[PathBuf], options: &LoadOptions) -> LoadedExceptions {
    let LoadedRules { exceptions, value_lists, problems, counts, .. } =
        load(paths, options, Wanted::Exceptions);
    LoadedExceptions { exceptions, value_lists, problems, counts }
}

/// What a text in memory holds, as if it were the only file of a load.
pub fn load_parsed(source: &Arc<Source>, parsed: ParsedFile, options: &LoadOptions) -> LoadedRules {
    let mut loader = Loader::new(options, Wanted::All);
    loader.loaded.counts.files = 1;
    loader.add_parsed(source, parsed);
    loader.loaded
}

/// Several loads as one: of two rules, lists or items with one id the first wins, and there is a message.
pub fn joined(loads: impl IntoIterator<Item = LoadedRules>, options: &LoadOptions) -> LoadedRules {
    let mut loader = Loader::new(options, Wanted::All);
    for LoadedRules { rules, exceptions, value_lists, problems, counts } in loads {
        for rule in rules {
            let mut diagnostics = Vec::new();
            let source = Arc::clone(&rule.origin.source);
            loader.add_rule(rule, &mut diagnostics);
            if !diagnostics.is_empty() {
                loader.loaded.problems.push((source, diagnostics));
            }
        }
        loader.loaded.merge(LoadedExceptions { exceptions, value_lists, problems, counts });
    }
    loader.loaded
}

fn load(paths: &[PathBuf], options: &LoadOptions, wanted: Wanted) -> LoadedRules {
    let mut loader = Loader::new(options, wanted);
    let mut files = Vec::new();
    for path in paths {
        loader.collect(path, 0, &mut files);
    }
    for file in files {
        loader.load_file(&file);
    }
    loader.loaded
}

/// Reads a `version.lock.json`.
pub fn load_version_lock(path: &Path) -> Result<VersionLock, VersionLockError> {
    Ok(VersionLock::parse(&fs::read_to_string(path)?)?)
}

/// A `version.lock.json` that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum VersionLockError {
    /// The file cannot be read.
    #[error("cannot be read: {0}")]
    File(#[from] std::io::Error),
    /// The text is no version lock.
    #[error("is no version lock: {0}")]
    Format(#[from] serde_json::Error),
}

/// The texts of rule files, unread.
#[derive(Debug, Default)]
pub struct LoadedTexts {
    /// Files in order of paths.
    pub files: Vec<(FileKind, Arc<Source>)>,
    /// Messages about files that could not be read.
    pub problems: Vec<(Arc<Source>, Vec<Diagnostic>)>,
}

/// Loads the texts of rule files, whatever the maturity of their rules; value lists are left out.
pub fn load_texts(paths: &[PathBuf], limits: &Limits) -> LoadedTexts {
    let options = LoadOptions { any_maturity: true, limits: limits.clone(), ..LoadOptions::default() };
    let mut loader = Loader {
        options: &options,
        wanted: Wanted::All,
        loaded: LoadedRules::default(),
        first_places: BTreeMap::new(),
        uuids: BTreeMap::new(),
    };
    let mut paths_found = Vec::new();
    for path in paths {
        loader.collect(path, 0, &mut paths_found);
    }
    let mut files = Vec::new();
    for path in paths_found {
        let Some((kind, text)) = loader.read(&path).filter(|(kind, _)| *kind != FileKind::ValueList) else {
            continue;
        };
        files.push((kind, Arc::new(Source::new(path.display().to_string(), text))));
    }
    LoadedTexts { files, problems: loader.loaded.problems }
}

/// What a file holds, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// Elastic's TOML.
    Toml,
    /// One JSON document a line.
    NdJson,
    /// One JSON document.
    Json,
    /// A value list.
    ValueList,
}

fn kind_of_file(path: &Path) -> Option<FileKind> {
    let in_value_lists = path.parent().and_then(Path::file_name).is_some_and(|name| name == "value_lists");
    match path.extension()?.to_str()? {
        "toml" => Some(FileKind::Toml),
        "ndjson" => Some(FileKind::NdJson),
        "json" if path.file_name().is_some_and(|name| name == "version.lock.json") => None,
        "json" => Some(FileKind::Json),
        "txt" if in_value_lists => Some(FileKind::ValueList),
        _ => None,
    }
}

/// What is taken out of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    All,
    Exceptions,
}

struct Loader<'a> {
    options: &'a LoadOptions,
    wanted: Wanted,
    loaded: LoadedRules,
    /// Where each rule id was first.
    first_places: BTreeMap<String, String>,
    /// Which rule has each saved-object id.
    uuids: BTreeMap<String, String>,
}

impl<'a> Loader<'a> {
    fn new(options: &'a LoadOptions, wanted: Wanted) -> Self {
        Self {
            options,
            wanted,
            loaded: LoadedRules::default(),
            first_places: BTreeMap::new(),
            uuids: BTreeMap::new(),
        }
    }
}

impl Loader<'_> {
    /// Adds the files at and below a path. A path that was named must be a rule file; what lies in folders may not be.
    fn collect(&mut self, path: &Path, depth: usize, files: &mut Vec<PathBuf>) {
        if !path.is_dir() {
            if depth == 0 && path.exists() && kind_of_file(path).is_none() {
                self.fail_file(path, codes::RULE_FILE, "is not named like a rule file (toml, ndjson, json)");
            } else if depth == 0 || kind_of_file(path).is_some() {
                files.push(path.to_owned());
            }
            return;
        }
        if depth > self.options.limits.folder_depth_max {
            return self.fail_file(path, codes::RULE_LIMIT, "lies deeper than the limit of folders");
        }
        let entries = fs::read_dir(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let mut entries = match entries {
            Ok(entries) => entries,
            Err(error) => return self.fail_file(path, codes::RULE_FILE, &format!("cannot be read: {error}")),
        };
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            if files.len() >= self.options.limits.files_max {
                return self.fail_file(path, codes::RULE_LIMIT, "has more files than the limit");
            }
            self.collect_entry(&entry, depth, files);
        }
    }

    fn collect_entry(&mut self, entry: &fs::DirEntry, depth: usize, files: &mut Vec<PathBuf>) {
        let name = entry.file_name();
        let file_type = entry.file_type();
        let is_folder = file_type.as_ref().is_ok_and(fs::FileType::is_dir);
        let is_linked_folder =
            file_type.is_ok_and(|file_type| file_type.is_symlink()) && entry.path().is_dir();
        if name.as_encoded_bytes().starts_with(b".") || is_linked_folder {
            return;
        }
        if is_folder && name == "_deprecated" && !self.options.any_maturity {
            let mut deprecated = Vec::new();
            self.collect(&entry.path(), depth + 1, &mut deprecated);
            self.loaded.counts.skipped.deprecated_rules += deprecated.len();
            return;
        }
        self.collect(&entry.path(), depth + 1, files);
    }

    /// A file's kind and text, unless it cannot be read.
    fn read(&mut self, path: &Path) -> Option<(FileKind, String)> {
        let kind = kind_of_file(path).or_else(|| (!path.exists()).then_some(FileKind::Toml))?;
        let limits = &self.options.limits;
        let bytes_max = match kind {
            FileKind::Toml => limits.toml_bytes_max,
            FileKind::NdJson | FileKind::Json => limits.json_bytes_max,
            FileKind::ValueList => limits.value_list_bytes_max,
        };
        match read_text(path, bytes_max) {
            Ok(text) => Some((kind, text)),
            Err((code, message)) => {
                self.fail_file(path, code, &message);
                None
            }
        }
    }

    fn load_file(&mut self, path: &Path) {
        let Some((kind, text)) = self.read(path) else { return };
        self.loaded.counts.files += 1;
        if kind == FileKind::ValueList {
            return self.add_value_list(path, &text);
        }
        let source = Arc::new(Source::new(path.display().to_string(), text));
        let parsed = match kind {
            FileKind::Toml => parse_toml(&source, &self.toml_options()),
            FileKind::NdJson => parse_ndjson(&source),
            _ => parse_json(&source),
        };
        self.add_parsed(&source, parsed);
    }

    fn toml_options(&self) -> TomlOptions<'_> {
        TomlOptions {
            any_maturity: self.options.any_maturity,
            version_lock: self.options.version_lock.as_ref(),
        }
    }

    fn add_parsed(&mut self, source: &Arc<Source>, mut parsed: ParsedFile) {
        if self.wanted == Wanted::Exceptions {
            leave_rules_out(&mut parsed);
        }
        let mut diagnostics = parsed.diagnostics;
        self.loaded.counts.rules_failed += parsed.rules_failed;
        self.loaded.counts.exceptions_failed += parsed.exceptions_failed;
        self.loaded.counts.skipped.add(parsed.skipped);
        for rule in parsed.rules {
            self.add_rule(rule, &mut diagnostics);
        }
        for list in parsed.lists {
            let (span, name) = (list.span, format!("exception list `{}`", list.list_id));
            if !self.loaded.exceptions.insert_list(list) {
                self.loaded.counts.skipped.duplicates += 1;
                diagnostics.push(duplicate(&name, span));
            }
        }
        self.add_items(parsed.items, &mut diagnostics);
        if !diagnostics.is_empty() {
            diagnostics.sort_by_key(|diagnostic| diagnostic.span.start);
            self.loaded.problems.push((Arc::clone(source), diagnostics));
        }
    }

    fn add_rule(&mut self, mut rule: RuleDocument, diagnostics: &mut Vec<Diagnostic>) {
        let span = rule.origin.field_span("rule_id");
        if let Some(first) = self.first_places.get(&rule.rule_id) {
            let message = format!("rule id `{}` is taken already, by {first}", rule.rule_id);
            diagnostics
                .push(Diagnostic::new(codes::RULE_DUPLICATE_ID, span, message).about_rule(&rule.rule_id));
            self.loaded.counts.skipped.duplicates += 1;
        } else if self.loaded.rules.len() >= self.options.limits.rules_max {
            let message = "more rules than the limit: this one is left out";
            diagnostics.push(Diagnostic::new(codes::RULE_LIMIT, span, message).about_rule(&rule.rule_id));
            self.loaded.counts.rules_failed += 1;
        } else {
            let place = format!("{}:{}", rule.origin.source.name, rule.origin.source.position(span.start));
            self.first_places.insert(rule.rule_id.clone(), place);
            self.keep_uuid(&mut rule, diagnostics);
            self.loaded.rules.push(rule);
        }
    }

    /// Alert ids derive from the saved-object id: of two rules with one, the second goes by its rule id.
    fn keep_uuid(&mut self, rule: &mut RuleDocument, diagnostics: &mut Vec<Diagnostic>) {
        if let Some(other) = self.uuids.get(&rule.uuid) {
            let message = format!(
                "the saved-object id `{}` is taken already, by rule `{other}`: alerts of rule `{}` go by its rule id",
                rule.uuid, rule.rule_id
            );
            let span = rule.origin.field_span("id");
            let found = Diagnostic::new(codes::RULE_FIELD_UNUSUAL, span, message);
            diagnostics.push(found.about_rule(&rule.rule_id));
            let both = format!("{}:{}", rule.rule_id, rule.uuid);
            rule.uuid = Some(rule.rule_id.clone()).filter(|id| !self.uuids.contains_key(id)).unwrap_or(both);
        }
        self.uuids.insert(rule.uuid.clone(), rule.rule_id.clone());
    }

    fn add_items(&mut self, items: Vec<ExceptionItem>, diagnostics: &mut Vec<Diagnostic>) {
        let mut over_limit = 0;
        for item in items {
            let (span, name) = (item.span, format!("exception item `{}`", item.item_id));
            if self.loaded.exceptions.item_count() >= self.options.limits.exception_items_max {
                if over_limit == 0 {
                    let message =
                        "more exception items than the limit: this one and those after it are left out";
                    diagnostics.push(Diagnostic::new(codes::RULE_LIMIT, span, message));
                }
                over_limit += 1;
            } else if !self.loaded.exceptions.insert_item(item) {
                self.loaded.counts.skipped.duplicates += 1;
                diagnostics.push(duplicate(&name, span));
            }
        }
        self.loaded.counts.exceptions_failed += over_limit;
    }

    fn add_value_list(&mut self, path: &Path, text: &str) {
        let id = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let values = text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
        if !self.loaded.value_lists.insert(id, values) {
            self.loaded.counts.skipped.duplicates += 1;
            self.report_file(path, codes::EXCEPTION_DUPLICATE, "is a value list that is there already");
        }
    }

    fn fail_file(&mut self, path: &Path, code: Code, message: &str) {
        self.loaded.counts.files_failed += 1;
        self.report_file(path, code, message);
    }

    fn report_file(&mut self, path: &Path, code: Code, message: &str) {
        let source = Arc::new(Source::new(path.display().to_string(), ""));
        let diagnostic = Diagnostic::new(code, Span::default(), format!("{} {message}", path.display()));
        self.loaded.problems.push((source, vec![diagnostic]));
    }
}

fn duplicate(name: &str, span: Span) -> Diagnostic {
    let message = format!("{name} is there already: the first one counts");
    Diagnostic::new(codes::EXCEPTION_DUPLICATE, span, message)
}

/// Keeps exceptions and what is said about them. A text that cannot be read could have been one.
fn leave_rules_out(parsed: &mut ParsedFile) {
    let about_exceptions = |diagnostic: &Diagnostic| {
        diagnostic.code == codes::RULE_FORMAT || (1500..1600).contains(&diagnostic.code.info().number)
    };
    parsed.diagnostics.retain(about_exceptions);
    let unreadable =
        parsed.diagnostics.iter().filter(|diagnostic| diagnostic.code == codes::RULE_FORMAT).count();
    parsed.exceptions_failed += unreadable;
    parsed.rules.clear();
    parsed.rules_failed = 0;
    parsed.skipped = Skipped::default();
}

/// A file's text, unless it is too large or no UTF-8. A byte order mark is left out.
fn read_text(path: &Path, bytes_max: usize) -> Result<String, (Code, String)> {
    let unreadable = |error: std::io::Error| (codes::RULE_FILE, format!("cannot be read: {error}"));
    let bytes = fs::metadata(path).map_err(unreadable)?.len();
    if bytes > bytes_max as u64 {
        return Err((codes::RULE_SIZE, format!("has {bytes} bytes, over the limit of {bytes_max}")));
    }
    let text = fs::read_to_string(path).map_err(unreadable)?;
    Ok(match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: &str =
        r#"{"rule_id":"r1","name":"N","description":"D","severity":"low","risk_score":1,"type":"query"}"#;
    const TOML: &str = "[rule]\nname = 'N'\ndescription = 'D'\nrule_id = '00000000-0000-0000-0000-00000000000a'\n\
                        severity = 'low'\nrisk_score = 21\ntype = 'query'\nquery = 'a:1'\n";
    const ITEM: &str =
        r#"{"list_id":"l","item_id":"i","entries":[{"field":"a","type":"exists","operator":"included"}]}"#;

    /// Writes files, loads their folder (or the paths named), and says what came of it: rule ids, then codes.
    fn check(files: &[(&str, &str)], paths: &[&str], options: &LoadOptions, expected: &str) -> LoadedRules {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let paths: Vec<_> = paths.iter().map(|path| folder.path().join(path)).collect();
        let loaded = load_paths(&paths, options);
        let mut found: Vec<_> = loaded.rules.iter().map(|rule| rule.rule_id.as_str()).collect();
        found.extend(loaded.diagnostics().map(|(_, diagnostic)| diagnostic.code.info().name));
        assert_eq!(found.join(" "), expected, "{files:?}");
        loaded
    }

    #[test]
    fn folders_are_read_in_order_to_the_bottom() {
        let options = LoadOptions::default();
        let second = RULE.replace("r1", "r2");
        let files = [
            ("b/rule.toml", TOML),
            ("b/c/export.ndjson", RULE),
            ("a.json", second.as_str()),
            ("readme.md", "x"),
            (".git/rule.toml", "broken"),
            ("version.lock.json", "{}"),
            ("value_lists/ips.txt", "\u{feff}1.2.3.4\r\n\n ::1 \n"),
            ("notes.txt", "x"),
            ("z/_deprecated/old.toml", "broken"),
        ];
        let expected = "r2 r1 00000000-0000-0000-0000-00000000000a";
        let loaded = check(&files, &["."], &options, expected);
        assert_eq!((loaded.counts.files, loaded.counts.skipped.deprecated_rules), (4, 1));
        assert_eq!(loaded.value_lists.get("ips.txt").unwrap(), ["1.2.3.4", "::1"]);
        assert!(loaded.value_lists.get("ips").is_some() && loaded.value_lists.get("x").is_none());
        let all = LoadOptions { any_maturity: true, ..LoadOptions::default() };
        check(&files, &["."], &all, &format!("{expected} rule-format"));
    }

    #[test]
    fn of_two_rules_with_one_id_the_first_wins() {
        let options = LoadOptions::default();
        let text = format!("{RULE}\n{RULE}\n{ITEM}\n{ITEM}\n");
        let loaded =
            check(&[("a.ndjson", &text)], &["."], &options, "r1 rule-duplicate-id exception-duplicate");
        assert_eq!(loaded.counts.skipped.duplicates, 2);
        assert!(
            loaded.problems[0].1[0].message.contains("a.ndjson:1:12"),
            "{}",
            loaded.problems[0].1[0].message
        );
        check(
            &[("a.ndjson", RULE), ("b.json", RULE)],
            &["a.ndjson", "b.json"],
            &options,
            "r1 rule-duplicate-id",
        );
    }

    #[test]
    fn of_two_rules_with_one_saved_object_id_the_second_goes_by_its_rule_id() {
        let check_uuids = |rules: &[(&str, &str)], codes: &str, expected: &[&str]| {
            let lines: Vec<_> = rules
                .iter()
                .map(|(rule_id, uuid)| RULE.replace("\"r1\"", &format!("\"{rule_id}\",\"id\":\"{uuid}\"")))
                .collect();
            let ids: Vec<_> = rules.iter().map(|(rule_id, _)| *rule_id).collect();
            let found = format!("{}{codes}", ids.join(" "));
            let loaded = check(&[("a.ndjson", &lines.join("\n"))], &["."], &LoadOptions::default(), &found);
            let uuids: Vec<_> = loaded.rules.iter().map(|rule| rule.uuid.as_str()).collect();
            assert_eq!(uuids, expected);
        };
        check_uuids(&[("a", "u"), ("b", "v")], "", &["u", "v"]);
        check_uuids(&[("a", "u"), ("b", "u")], " rule-field-unusual", &["u", "b"]);
        check_uuids(&[("a", "b"), ("b", "b")], " rule-field-unusual", &["b", "b:b"]);
    }

    #[test]
    fn exceptions_are_loaded_without_rules() {
        let broken = ITEM.replace("included", "x");
        let other = ITEM.replace("\"i\"", "\"j\"");
        let folder = tempfile::tempdir().unwrap();
        let text = format!("{RULE}\n{{\"rule_id\":1}}\n{ITEM}\n{other}\n{broken}\nx\n");
        fs::write(folder.path().join("more.ndjson"), text).unwrap();
        fs::create_dir(folder.path().join("value_lists")).unwrap();
        fs::write(folder.path().join("value_lists/v.txt"), "a\n").unwrap();
        let found = load_exceptions(&[folder.path().to_owned()], &LoadOptions::default());
        let codes = |problems: &[(Arc<Source>, Vec<Diagnostic>)]| {
            let all = problems.iter().flat_map(|(_, diagnostics)| diagnostics);
            all.map(|diagnostic| diagnostic.code.info().name).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(codes(&found.problems), "exception-entry rule-format");
        assert_eq!((found.counts.exceptions_failed, found.counts.rules_failed), (2, 0));
        assert_eq!((found.exceptions.item_count(), found.value_lists.iter().count()), (2, 1));
        let mut loaded =
            check(&[("a.ndjson", &format!("{RULE}\n{ITEM}"))], &["."], &LoadOptions::default(), "r1");
        loaded.merge(found);
        assert_eq!(codes(&loaded.problems), "exception-entry rule-format exception-duplicate");
        assert_eq!((loaded.exceptions.item_count(), loaded.counts.exceptions_failed), (2, 2));
        assert_eq!(loaded.value_lists.get("v").unwrap(), ["a"]);
        assert_eq!(loaded.exceptions.unused(&loaded.rules).count(), 2);
    }

    #[test]
    fn lists_may_name_the_rules_that_have_them() {
        let list = "[[exceptions]]\n[exceptions.container]\nlist_id = 'own'\nrules = ['r1', 'r9']\n\
                    [[exceptions.items]]\nitem_id = 'i'\n\
                    entries = [{field = 'a', type = 'exists', operator = 'included'}]\n";
        let options = LoadOptions::default();
        let rules = format!("{RULE}\n{}", RULE.replace("r1", "r2"));
        let loaded = check(&[("a.ndjson", &rules), ("e/own.toml", list)], &["."], &options, "r1 r2");
        let count = |rule: &RuleDocument| loaded.exceptions.items_for(rule, None).items.len();
        assert_eq!((count(&loaded.rules[0]), count(&loaded.rules[1])), (1, 0));
        assert_eq!(loaded.exceptions.unused(&loaded.rules).count(), 0);
        assert_eq!(loaded.exceptions.unused(&loaded.rules[1..]).count(), 1);
    }

    #[test]
    fn what_cannot_be_read_stops_nothing() {
        let options = LoadOptions::default();
        check(&[("a.toml", "x ="), ("b.ndjson", RULE)], &["."], &options, "r1 rule-format");
        check(&[("b.ndjson", RULE)], &["gone.toml", "b.ndjson"], &options, "r1 rule-file");
        check(&[("b.ndjson", RULE)], &["gone", "b.ndjson"], &options, "r1 rule-file");
        check(&[("rule.yml", "x"), ("b.ndjson", RULE)], &["rule.yml", "b.ndjson"], &options, "r1 rule-file");
        check(
            &[("pyproject.toml", "[tool]\nx = 1"), ("b.ndjson", RULE)],
            &["."],
            &options,
            "r1 rule-not-a-rule",
        );
    }

    #[test]
    fn limits_are_reported() {
        let with = |change: fn(&mut Limits)| {
            let mut options = LoadOptions::default();
            change(&mut options.limits);
            options
        };
        let two = format!("{RULE}\n{}", RULE.replace("r1", "r2"));
        let items = format!("{ITEM}\n{}", ITEM.replace("\"i\"", "\"j\""));
        let json = [("a.ndjson", two.as_str())];
        check(&[("a.toml", TOML)], &["."], &with(|limits| limits.toml_bytes_max = 10), "rule-size");
        check(&json, &["."], &with(|limits| limits.json_bytes_max = 10), "rule-size");
        check(
            &[("value_lists/a.txt", "long line")],
            &["."],
            &with(|limits| limits.value_list_bytes_max = 3),
            "rule-size",
        );
        check(&json, &["."], &with(|limits| limits.rules_max = 1), "r1 rule-limit");
        check(&[("a.ndjson", &items)], &["."], &with(|limits| limits.exception_items_max = 1), "rule-limit");
        check(
            &[("a.json", RULE), ("b.toml", TOML)],
            &["."],
            &with(|limits| limits.files_max = 1),
            "r1 rule-limit",
        );
        check(&[("a/b/c.json", RULE)], &["."], &with(|limits| limits.folder_depth_max = 1), "rule-limit");
        check(&[("a/b/c.json", RULE)], &["."], &with(|limits| limits.folder_depth_max = 2), "r1");
    }
}
