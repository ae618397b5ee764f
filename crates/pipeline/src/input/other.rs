//! Files that others read: of formats that take libraries which rules do not need, such as Parquet.

use std::path::Path;
use std::sync::Arc;

use super::{InputProblem, Item, Location, ProblemKind, RawEvent, whole_file_problem};

/// Formats that somebody else knows.
pub trait OtherFormats: Send + Sync {
    /// Whether the file, or the folder as a whole, is in such a format.
    fn takes(&self, path: &Path) -> bool;

    /// Begins to read it.
    fn open(&self, path: &Path) -> Result<Box<dyn OtherEvents>, OtherProblem>;
}

/// The events of one file or folder.
pub trait OtherEvents: Send {
    /// The next event or problem. Nothing is asked after the end; after a problem there may be more.
    fn next(&mut self) -> Option<Result<OtherEvent, OtherProblem>>;
}

/// An event; see [`RawEvent`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherEvent {
    /// The bytes of its JSON object.
    pub source: Box<[u8]>,
    /// The index it came from.
    pub index: Option<String>,
    /// Its id.
    pub id: Option<String>,
}

/// Why something cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherProblem {
    /// What sort of problem.
    pub kind: ProblemKind,
    /// The problem in words.
    pub message: String,
}

/// What is being read.
pub(super) struct OtherFile {
    events: Box<dyn OtherEvents>,
    name: Arc<str>,
    ordinal: u64,
    bytes: u64,
}

impl OtherFile {
    pub(super) fn new(events: Box<dyn OtherEvents>, name: Arc<str>) -> Self {
        Self { events, name, ordinal: 0, bytes: 0 }
    }

    /// Bytes of the documents so far.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The next item. Such files have no lines, so the number of the event stands for one.
    pub(super) fn next(&mut self) -> Option<Item> {
        let event = match self.events.next()? {
            Ok(event) => event,
            Err(problem) => return Some(Item::Problem(self.problem(problem))),
        };
        let location =
            Location { file: Arc::clone(&self.name), line: self.ordinal + 1, ordinal: self.ordinal };
        self.ordinal += 1;
        self.bytes += event.source.len() as u64;
        let OtherEvent { source, index, id } = event;
        Some(Item::Event(RawEvent { source, index, id, location }))
    }

    fn problem(&self, problem: OtherProblem) -> InputProblem {
        whole_file_problem(Arc::clone(&self.name), problem.kind, problem.message)
    }
}
