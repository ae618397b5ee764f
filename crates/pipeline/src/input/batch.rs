//! Some events and problems that follow each other in the input, to be worked on at once.
//!
//! A batch holds lines of NDJSON where they stand in the buffer that they were read into, and everything else as
//! [`Item`]s; never both. Whoever reads a batch into one that was used before uses its memory again.

use std::sync::Arc;

use maxspan_engine::EventInput;

use super::line::Bookkeeping;
use super::{InputProblem, Item, Location, Progress, RawEvent};

/// The next part of an input; see [`Reader::batch`](super::Reader::batch).
#[derive(Debug, Default)]
pub struct Batch {
    pub(super) lines: Lines,
    pub(super) items: Vec<Item>,
    pub(super) progress: Progress,
}

/// Lines that are events as they stand.
#[derive(Debug, Default)]
pub(super) struct Lines {
    pub(super) buffer: Vec<u8>,
    /// Where the lines start in the buffer.
    pub(super) start: usize,
    pub(super) cuts: Vec<Cut>,
    pub(super) file: Arc<str>,
    /// Events that the file gave before the first line.
    pub(super) ordinal: u64,
}

/// One of them: its document, from the start of the lines, and the line in the file.
#[derive(Debug)]
pub(super) struct Cut {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) line: u64,
    /// Its leading bookkeeping, from the start of the document.
    pub(super) found: Bookkeeping,
}

/// What a batch holds.
#[derive(Debug, Clone, Copy)]
pub enum BatchItem<'a> {
    /// An event.
    Event(BatchEvent<'a>),
    /// Something that could not be read as one.
    Problem(&'a InputProblem),
}

/// An event in the memory of its batch; see [`RawEvent`].
#[derive(Debug, Clone, Copy)]
pub struct BatchEvent<'a> {
    /// The bytes of the event's JSON object.
    pub source: &'a [u8],
    /// The index it came from.
    pub index: Option<&'a str>,
    /// The id of its document.
    pub id: Option<&'a str>,
    file: &'a Arc<str>,
    line: u64,
    ordinal: u64,
}

impl Batch {
    /// Its events and problems in their order.
    pub fn iter(&self) -> impl Iterator<Item = BatchItem<'_>> {
        let lines = &self.lines;
        let lines = lines.cuts.iter().zip(lines.ordinal..).map(|(cut, ordinal)| lines.event(cut, ordinal));
        lines.map(BatchItem::Event).chain(self.items.iter().map(BatchItem::from))
    }

    /// How far the reading was when the batch was read.
    pub fn progress(&self) -> Progress {
        self.progress
    }

    /// Empties it, and keeps its memory.
    pub(super) fn clear(&mut self) {
        self.lines.cuts.clear();
        self.items.clear();
    }
}

impl Lines {
    fn event(&self, cut: &Cut, ordinal: u64) -> BatchEvent<'_> {
        let source = &self.buffer[self.start + cut.start..self.start + cut.end];
        let (index, id) = (cut.found.index(source), cut.found.id(source));
        BatchEvent { source, index, id, file: &self.file, line: cut.line, ordinal }
    }
}

impl<'a> From<&'a Item> for BatchItem<'a> {
    fn from(item: &'a Item) -> Self {
        match item {
            Item::Event(event) => Self::Event(event.into()),
            Item::Problem(problem) => Self::Problem(problem),
        }
    }
}

impl<'a> From<&'a RawEvent> for BatchEvent<'a> {
    fn from(event: &'a RawEvent) -> Self {
        let RawEvent { source, index, id, location } = event;
        let Location { file, line, ordinal } = location;
        let (index, id) = (index.as_deref(), id.as_deref());
        Self { source, index, id, file, line: *line, ordinal: *ordinal }
    }
}

impl<'a> BatchEvent<'a> {
    /// The event as the engine takes it; `default_index` is that of events that name none.
    pub fn input(&self, default_index: &'a str) -> EventInput<'a> {
        let index = self.index.filter(|index| !index.is_empty());
        EventInput { index, default_index, id: self.id, source: self.source }
    }

    /// Where it was found.
    pub fn location(&self) -> Location {
        Location { file: Arc::clone(self.file), line: self.line, ordinal: self.ordinal }
    }

    /// A copy that stands for itself.
    pub fn to_raw(&self) -> RawEvent {
        RawEvent {
            source: self.source.into(),
            index: self.index.map(str::to_owned),
            id: self.id.map(str::to_owned),
            location: self.location(),
        }
    }
}
