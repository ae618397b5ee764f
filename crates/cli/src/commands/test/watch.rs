//! `--watch`: run again what a change concerns. Ends when it is interrupted.
//!
//! Watched are the folders of specs and of what they link to; a change concerns the specs that changed and those with a
//! link to what changed (or to a folder around it). Changes that come together are taken together.

use std::collections::BTreeSet;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use notify::event::ModifyKind;
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};

use super::arguments::{TestArguments, TestFormat};
use super::files::{self, SpecSource};
use super::report::Report;
use super::{run_specs, write};
use crate::exit::{Exit, Failure};
use crate::terminal;

/// Changes are collected until none came for this long: editors write a file in several steps.
const QUIET: Duration = Duration::from_millis(100);

/// Clears the screen and what was scrolled out of it, and goes to the top.
const CLEAR: &str = "\u{1b}[2J\u{1b}[3J\u{1b}[H";

pub(super) fn run(arguments: &TestArguments) -> Result<Exit, Failure> {
    if arguments.output.format != TestFormat::Text {
        return Err(Failure::usage("--watch writes text; leave out --format"));
    }
    let mut watch = Watch::new()?;
    watch.add_paths(arguments)?;
    let mut sources = files::find(&arguments.paths)?;
    loop {
        if terminal::stdout_is_terminal() {
            // Where the screen is gone, the report will say so.
            let _ = write!(io::stdout().lock(), "{CLEAR}");
        }
        let report = run_specs(arguments, &sources);
        let links = watch.add_links(&report)?;
        write(arguments, &report)?;
        terminal::say("waiting for changes; Ctrl-C ends");
        sources = watch.next(arguments, &links)?;
    }
}

/// What a spec links to, by its path.
type Links = Vec<(PathBuf, PathBuf)>;

struct Watch {
    watcher: RecommendedWatcher,
    changes: Receiver<notify::Result<Event>>,
    watched: BTreeSet<PathBuf>,
    /// Every link seen so far: a run of some files says nothing about the others.
    links: Links,
}

impl Watch {
    fn new() -> Result<Self, Failure> {
        let (sender, changes) = mpsc::channel();
        let watcher = notify::recommended_watcher(sender).map_err(|error| unwatchable(&error))?;
        Ok(Self { watcher, changes, watched: BTreeSet::new(), links: Vec::new() })
    }

    fn add_paths(&mut self, arguments: &TestArguments) -> Result<(), Failure> {
        for path in arguments.paths.iter().chain(&arguments.rules) {
            self.add(path)?;
        }
        Ok(())
    }

    /// Watches what the specs link to; gives all links.
    fn add_links(&mut self, report: &Report) -> Result<Links, Failure> {
        for file in &report.files {
            let spec = absolute(&file.path);
            self.links.retain(|(of, _)| *of != spec);
            for link in file.spec.links() {
                if link.exists() {
                    self.add(&link)?;
                }
                self.links.push((spec.clone(), absolute(&link)));
            }
        }
        Ok(self.links.clone())
    }

    /// A folder with all below it; of a file, its folder, since editors replace files by others of the same name.
    fn add(&mut self, path: &Path) -> Result<(), Failure> {
        let path = absolute(path);
        let (folder, mode) = if path.is_dir() {
            (path.as_path(), RecursiveMode::Recursive)
        } else {
            (path.parent().unwrap_or(Path::new("/")), RecursiveMode::NonRecursive)
        };
        if self.watched.iter().any(|watched| folder.starts_with(watched)) {
            return Ok(());
        }
        self.watcher.watch(folder, mode).map_err(|error| unwatchable(&error))?;
        if mode == RecursiveMode::Recursive {
            self.watched.insert(folder.to_owned());
        }
        Ok(())
    }

    /// Waits until something changes that concerns specs; those specs.
    fn next(&self, arguments: &TestArguments, links: &Links) -> Result<Vec<SpecSource>, Failure> {
        loop {
            let changed = self.changed()?;
            let of_all = arguments
                .rules
                .iter()
                .any(|rules| changed.iter().any(|path| concerns(path, &absolute(rules))));
            let sources = files::find(&arguments.paths)?.into_iter().filter(|source| {
                let spec = absolute(&source.path);
                let is_linked =
                    |path: &PathBuf| links.iter().any(|(of, link)| *of == spec && concerns(path, link));
                of_all || changed.contains(&spec) || changed.iter().any(is_linked)
            });
            let sources: Vec<SpecSource> = sources.collect();
            if !sources.is_empty() {
                return Ok(sources);
            }
        }
    }

    /// The paths of the next changes.
    fn changed(&self) -> Result<BTreeSet<PathBuf>, Failure> {
        let mut changed = BTreeSet::new();
        let ended = || Failure::usage("the files are no longer watched");
        let mut add = |event: notify::Result<Event>| {
            let paths = event.ok().filter(is_change).map(|event| event.paths).unwrap_or_default();
            changed.extend(paths.iter().map(|path| absolute(path)));
        };
        add(self.changes.recv().map_err(|_| ended())?);
        loop {
            match self.changes.recv_timeout(QUIET) {
                Ok(event) => add(event),
                Err(RecvTimeoutError::Timeout) => return Ok(changed),
                Err(RecvTimeoutError::Disconnected) => return Err(ended()),
            }
        }
    }
}

/// Whether a change of `path` is one of what is linked: the file itself, or a file in the folder.
fn concerns(path: &Path, link: &Path) -> bool {
    path.starts_with(link)
}

/// Reading a file is an event too, and so is a new time of access.
fn is_change(event: &Event) -> bool {
    match event.kind {
        EventKind::Create(_) | EventKind::Remove(_) | EventKind::Any => true,
        EventKind::Modify(kind) => !matches!(kind, ModifyKind::Metadata(_)),
        EventKind::Access(_) | EventKind::Other => false,
    }
}

/// The path as the watcher reports it; also of a file that is gone.
fn absolute(path: &Path) -> PathBuf {
    let canonical = path.canonicalize().ok().or_else(|| {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Some(folder.canonicalize().ok()?.join(path.file_name()?))
    });
    canonical.unwrap_or_else(|| path.to_owned())
}

fn unwatchable(error: &notify::Error) -> Failure {
    Failure::usage(format!("the files cannot be watched: {error}"))
}
