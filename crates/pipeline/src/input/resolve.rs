//! Paths expanded into the files to read, with their sizes.
//!
//! A folder gives all files below it whose names end in one of [`EXTENSIONS`], in the order of their paths; hidden
//! files and folders are left out, links are followed. A file named explicitly is taken whatever its name. A file
//! that is met again, by whatever path, is left out and counted, since its events would be counted twice.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use walkdir::{DirEntry, WalkDir};

use super::{InputPath, InputSpec, OtherFormats, ProblemKind};

/// Extensions of the files that are read from folders; `.ndjson.gz` ends in one of them, as does `.gz` alone.
const EXTENSIONS: [&str; 6] = ["ndjson", "jsonl", "json", "log", "gz", "zst"];

/// One thing to read, or the reason why it cannot be.
#[derive(Debug)]
pub(super) struct Entry {
    /// The path as shown.
    pub(super) name: Arc<str>,
    pub(super) what: What,
}

/// See [`Entry`].
#[derive(Debug)]
pub(super) enum What {
    File(PathBuf),
    /// A file or folder of another format.
    Other(PathBuf),
    StandardInput,
    Problem(ProblemKind, String),
}

/// The files that a specification stands for.
#[derive(Debug, Default)]
pub(super) struct Resolved {
    pub(super) entries: Vec<Entry>,
    /// Sum of the sizes of all files; `None` where one has no size to know (standard input, a pipe).
    pub(super) bytes_total: Option<u64>,
    /// Files left out because they were met before.
    pub(super) files_repeated: u64,
}

/// Expands `spec`. Reads folders and sizes, and of files only what `others` wants to see of them.
pub(super) fn resolve(spec: &InputSpec, others: Option<&dyn OtherFormats>) -> Resolved {
    let empty = Resolved { bytes_total: Some(0), ..Resolved::default() };
    let mut resolver = Resolver { resolved: empty, seen: HashSet::new(), others };
    for path in &spec.paths {
        match path {
            InputPath::StandardInput => resolver.standard_input(),
            InputPath::Path(path) => resolver.path(path),
        }
    }
    resolver.resolved
}

/// The expansion so far.
struct Resolver<'a> {
    resolved: Resolved,
    /// Canonical paths of all files.
    seen: HashSet<PathBuf>,
    others: Option<&'a dyn OtherFormats>,
}

impl Resolver<'_> {
    fn standard_input(&mut self) {
        self.resolved.bytes_total = None;
        self.resolved.entries.push(Entry { name: Arc::from("-"), what: What::StandardInput });
    }

    fn path(&mut self, path: &Path) {
        match path.metadata() {
            Ok(_) if self.is_other(path) => self.file(path, None),
            Ok(metadata) if metadata.is_dir() => self.folder(path),
            Ok(metadata) => self.file(path, metadata.is_file().then_some(metadata.len())),
            Err(error) => self.problem(path, ProblemKind::Unreadable, error.to_string()),
        }
    }

    fn folder(&mut self, folder: &Path) {
        let mut empty = true;
        let walk = WalkDir::new(folder).follow_links(true).sort_by_file_name();
        let mut walk = walk.into_iter().filter_entry(|entry| !is_hidden(entry));
        while let Some(entry) = walk.next() {
            match entry {
                Ok(entry) if self.is_other(entry.path()) => {
                    self.path(entry.path());
                    if entry.file_type().is_dir() {
                        walk.skip_current_dir();
                    }
                }
                Ok(entry) if entry.file_type().is_dir() || !has_extension(entry.path()) => continue,
                Ok(entry) => self.path(entry.path()),
                Err(error) => {
                    let path = error.path().unwrap_or(folder).to_owned();
                    self.problem(&path, ProblemKind::Unreadable, error.to_string());
                }
            }
            empty = false;
        }
        if empty {
            let message = format!("no file below this folder ends in .{}", EXTENSIONS.join(", ."));
            self.problem(folder, ProblemKind::Empty, message);
        }
    }

    fn file(&mut self, path: &Path, bytes: Option<u64>) {
        // A path that cannot be made canonical is reported when it is opened.
        let canonical = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if !self.seen.insert(canonical) {
            self.resolved.files_repeated += 1;
            return;
        }
        self.resolved.bytes_total = self.resolved.bytes_total.zip(bytes).map(|(total, bytes)| total + bytes);
        let what =
            if self.is_other(path) { What::Other(path.to_owned()) } else { What::File(path.to_owned()) };
        self.resolved.entries.push(Entry { name: shown(path), what });
    }

    fn is_other(&self, path: &Path) -> bool {
        self.others.is_some_and(|others| others.takes(path))
    }

    fn problem(&mut self, path: &Path, kind: ProblemKind, message: String) {
        self.resolved.entries.push(Entry { name: shown(path), what: What::Problem(kind, message) });
    }
}

fn shown(path: &Path) -> Arc<str> {
    Arc::from(path.to_string_lossy())
}

fn is_hidden(entry: &DirEntry) -> bool {
    entry.depth() > 0 && entry.file_name().to_string_lossy().starts_with('.')
}

fn has_extension(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default();
    EXTENSIONS.iter().any(|known| extension.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes `files` (of three bytes each) in a folder and checks what `paths` in it expand to.
    #[track_caller]
    fn check(files: &[&str], paths: &[&str], expected: &[&str], bytes_total: Option<u64>, repeated: u64) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for file in files {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            std::fs::write(path, "{}\n").expect("a file");
        }
        let place = |path: &&str| if *path == "-" { PathBuf::from("-") } else { folder.path().join(path) };
        let resolved = resolve(&InputSpec::new(paths.iter().map(place)), None);
        let root = folder.path().to_string_lossy().into_owned();
        let shown = |entry: &Entry| {
            let name = entry.name.strip_prefix(root.as_str()).unwrap_or(&entry.name).trim_matches('/');
            match &entry.what {
                What::Problem(kind, _) => format!("{name}: {}", kind.name()),
                _ => name.to_owned(),
            }
        };
        let entries: Vec<String> = resolved.entries.iter().map(shown).collect();
        assert_eq!(entries, expected);
        assert_eq!(resolved.bytes_total, bytes_total);
        assert_eq!(resolved.files_repeated, repeated);
    }

    #[test]
    fn folders_give_their_event_files_in_order() {
        let files = ["b.ndjson", "a/z.json.gz", "a/y.LOG", "c.txt", ".hidden.json", ".git/x.json", "d.zst"];
        check(&files, &[""], &["a/y.LOG", "a/z.json.gz", "b.ndjson", "d.zst"], Some(12), 0);
        check(&files, &["c.txt", "a"], &["c.txt", "a/y.LOG", "a/z.json.gz"], Some(9), 0);
        check(&files, &[".hidden.json", ".git"], &[".hidden.json", ".git/x.json"], Some(6), 0);
    }

    #[test]
    fn what_is_not_there_is_told_and_what_is_there_twice_is_counted() {
        check(&["a.json"], &["none", "a.json", "", "./a.json"], &["none: unreadable", "a.json"], Some(3), 2);
        check(&["a/b.txt"], &["a", "-"], &["a: empty", "-"], None, 0);
    }
}
