//! Raw events from files, folders and standard input.
//!
//! A [`Reader`] gives one [`Item`] after another: an event as the bytes of its JSON document, or a problem with the
//! input. A problem never ends the reading, and every problem is counted. The shape of the input is told by its
//! content, as is its compression (gzip, zstd): one document a line, arrays, objects over several lines, search
//! responses and their hits, `_bulk` bodies. Files are read one after the other in a fixed order, in pieces: memory
//! is bounded by the longest document ([`InputLimits`]), not by the file.
//!
//! Who has much to do for an event takes [`Batch`]es instead, which several threads can work on: the same items in
//! the same order, without a copy of each event.
//!
//! Documents are cut, not checked: a line from `{` to `}` is handed on as it is, and whether it is valid JSON, valid
//! UTF-8 and not too deep is the decoder's to say.
//!
//! ```
//! use maxspan_pipeline::input::{InputOptions, Item, Reader};
//!
//! let body = b"{\"index\":{\"_index\":\"logs-x\"}}\n{\"event\":{\"kind\":\"event\"}}\n";
//! let mut reader = Reader::of_bytes("body", body.as_slice(), InputOptions::default());
//! let Some(Item::Event(event)) = reader.next() else { panic!("one event") };
//! assert_eq!(&*event.source, br#"{"event":{"kind":"event"}}"#);
//! assert_eq!(event.index.as_deref(), Some("logs-x"));
//! assert_eq!((event.location.line, reader.next()), (2, None));
//! ```

mod batch;
mod bulk;
mod documents;
mod line;
mod line_end;
mod other;
mod recover;
mod resolve;
mod shape;
mod source;
mod stray;
mod tokens;
mod window;

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use maxspan_engine::EventInput;

use crate::limits::{ITEM_BYTES, InputLimits};
pub use batch::{Batch, BatchEvent, BatchItem};
use documents::Documents;
use other::OtherFile;
pub use other::{OtherEvent, OtherEvents, OtherFormats, OtherProblem};
use resolve::{Entry, What, resolve};
use source::Meters;
use window::Window;

/// The decompressed bytes of what is no input of events, such as a lookup table's file.
pub(crate) fn decompressed(
    raw: Box<dyn Read + Send>,
    limits: crate::limits::InputLimits,
) -> io::Result<Box<dyn Read + Send>> {
    source::decompressed(raw, &Arc::new(Meters::default()), limits)
}

/// What to read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InputSpec {
    /// In the order in which they are read.
    pub paths: Vec<InputPath>,
}

/// One thing to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InputPath {
    /// Standard input, written `-`.
    StandardInput,
    /// A file, whatever its extension, or a folder: every file below it that ends in `.ndjson`, `.jsonl`, `.json`,
    /// `.log`, `.gz` or `.zst`, or is of another format that is read ([`OtherFormats`]), in the order of their paths,
    /// hidden ones left out.
    Path(PathBuf),
}

impl InputSpec {
    /// `-` is standard input, anything else a path.
    pub fn new<P: AsRef<Path>>(paths: impl IntoIterator<Item = P>) -> Self {
        let paths = paths.into_iter().map(|path| match path.as_ref() {
            path if path == Path::new("-") => InputPath::StandardInput,
            path => InputPath::Path(path.to_owned()),
        });
        Self { paths: paths.collect() }
    }
}

/// How to read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct InputOptions {
    /// See [`InputLimits`].
    pub limits: InputLimits,
}

/// What a [`Reader`] gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// An event.
    Event(RawEvent),
    /// Something that could not be read as one.
    Problem(InputProblem),
}

/// An event as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawEvent {
    /// The bytes of the event's JSON object: what is under `_source` where it was wrapped, else the whole document
    /// with whatever bookkeeping it carries. Not checked to be valid JSON, nor UTF-8.
    pub source: Box<[u8]>,
    /// The index it came from: that of the hit or bulk action, else the document's own `_index`.
    pub index: Option<String>,
    /// The id of its document: that of the hit or bulk action, else the document's own `_id`.
    pub id: Option<String>,
    /// Where it was found.
    pub location: Location,
}

impl RawEvent {
    /// The event as the engine takes it; `default_index` is that of events that name none.
    pub fn input<'a>(&'a self, default_index: &'a str) -> EventInput<'a> {
        BatchEvent::from(self).input(default_index)
    }
}

/// A place in the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The path of the file as it was found; `-` is standard input.
    pub file: Arc<str>,
    /// The line, from 1: of the first byte of an event's document (the hit, where it is wrapped), or of a problem.
    /// 0 where the file has no lines to speak of (it could not be opened).
    pub line: u64,
    /// Events that the file gave before this place: an event's number, from 0.
    pub ordinal: u64,
}

impl fmt::Display for Location {
    /// `file:line`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// Something in the input that is no event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputProblem {
    /// Where it is.
    pub location: Location,
    /// Place on the line in bytes, from 1.
    pub column: Option<u64>,
    /// What sort of problem.
    pub kind: ProblemKind,
    /// The problem in words.
    pub message: String,
}

/// The sorts of problems.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProblemKind {
    /// Text that is not JSON, or JSON that breaks off. Reading goes on with the next document.
    Malformed,
    /// Text that is not UTF-8 where a document should start, or a whole file in UTF-16.
    InvalidUtf8,
    /// A document longer than the limit; it is skipped.
    TooLong,
    /// A document, or the arrays around it, nested deeper than the limit; it is skipped.
    TooDeep,
    /// A JSON value that is not an object where a document should be.
    NotAnObject,
    /// A hit without `_source`, or a bulk action without a document.
    NoSource,
    /// A bulk `update`: its document is a part of an event, and skipped.
    BulkUpdate,
    /// A bulk `delete`.
    BulkDelete,
    /// A bulk action of another name. The document that follows is read.
    UnknownAction,
    /// A compressed file that ends too early. What came before was read.
    Truncated,
    /// A compressed file whose content is wrong. What came before was read, but for the last 64 KiB at most.
    Damaged,
    /// A compressed file that gave more than its size makes plausible; the rest is not read.
    Expansion,
    /// A file or folder that does not exist or cannot be read.
    Unreadable,
    /// A file without content, or a folder without event files.
    Empty,
}

impl ProblemKind {
    /// Whether an event was there that is lost to the run; the others are about whole files, or about what is no event.
    pub fn loses_an_event(self) -> bool {
        matches!(
            self,
            Self::Malformed
                | Self::InvalidUtf8
                | Self::TooLong
                | Self::TooDeep
                | Self::NotAnObject
                | Self::NoSource
        )
    }

    /// All kinds, in order.
    pub const ALL: [Self; 14] = [
        Self::Malformed,
        Self::InvalidUtf8,
        Self::TooLong,
        Self::TooDeep,
        Self::NotAnObject,
        Self::NoSource,
        Self::BulkUpdate,
        Self::BulkDelete,
        Self::UnknownAction,
        Self::Truncated,
        Self::Damaged,
        Self::Expansion,
        Self::Unreadable,
        Self::Empty,
    ];

    /// Its name in reports and machine-readable output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::InvalidUtf8 => "invalid-utf8",
            Self::TooLong => "too-long",
            Self::TooDeep => "too-deep",
            Self::NotAnObject => "not-an-object",
            Self::NoSource => "no-source",
            Self::BulkUpdate => "bulk-update",
            Self::BulkDelete => "bulk-delete",
            Self::UnknownAction => "unknown-action",
            Self::Truncated => "truncated",
            Self::Damaged => "damaged",
            Self::Expansion => "expansion",
            Self::Unreadable => "unreadable",
            Self::Empty => "empty",
        }
    }
}

/// What was read so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Files opened, standard input included.
    pub files: u64,
    /// Files left out because they were named twice.
    pub files_repeated: u64,
    /// Events given.
    pub events: u64,
    /// Bytes taken from files, as they are stored.
    pub bytes_compressed: u64,
    /// Bytes after decompression.
    pub bytes_decompressed: u64,
    problems: [u64; ProblemKind::ALL.len()],
}

impl Counts {
    /// Problems of this kind.
    pub fn problems_of(&self, kind: ProblemKind) -> u64 {
        self.problems[kind as usize]
    }

    /// The kinds that occurred, with their numbers.
    pub fn problems(&self) -> impl Iterator<Item = (ProblemKind, u64)> + '_ {
        ProblemKind::ALL
            .into_iter()
            .map(|kind| (kind, self.problems_of(kind)))
            .filter(|(_, count)| *count > 0)
    }
}

/// How far the reading is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes taken from files, as they are stored.
    pub bytes_read: u64,
    /// Sum of the sizes of all files when they were listed; `None` where one has none to know (standard input).
    pub bytes_total: Option<u64>,
}

/// Reads raw events. Its items do not depend on how the bytes arrive.
pub struct Reader {
    entries: std::vec::IntoIter<Entry>,
    options: InputOptions,
    bytes_total: Option<u64>,
    open: Option<Open>,
    others: Option<Arc<dyn OtherFormats>>,
    /// Without the bytes of the file that is open.
    counts: Counts,
}

/// The file that is being read.
enum Open {
    Documents(Box<Documents>, Arc<Meters>),
    Other(OtherFile),
}

impl Reader {
    /// A reader of all that `spec` stands for. Folders are listed now, files opened when their turn comes; what is
    /// wrong with either is among the items.
    pub fn open(spec: &InputSpec, options: InputOptions) -> Self {
        Self::open_with(spec, options, None)
    }

    /// The same, with formats that somebody else reads.
    pub fn open_with(spec: &InputSpec, options: InputOptions, others: Option<Arc<dyn OtherFormats>>) -> Self {
        let resolved = resolve(spec, others.as_deref());
        let counts = Counts { files_repeated: resolved.files_repeated, ..Counts::default() };
        let entries = resolved.entries.into_iter();
        Self { entries, options, bytes_total: resolved.bytes_total, open: None, others, counts }
    }

    /// A reader of one stream that is already open, such as the body of a request; `name` is its file in locations.
    pub fn of_bytes(name: &str, bytes: impl Read + Send + 'static, options: InputOptions) -> Self {
        let mut reader = Self::open(&InputSpec::default(), options);
        reader.bytes_total = None;
        if let Err(error) = reader.start(Arc::from(name), Box::new(bytes)) {
            let entry = Entry {
                name: Arc::from(name),
                what: What::Problem(ProblemKind::Unreadable, error.to_string()),
            };
            reader.entries = vec![entry].into_iter();
        }
        reader
    }

    /// A reader of events that are in no file, such as those of a store; `name` is their file in locations.
    pub fn of_events(name: &str, events: Box<dyn OtherEvents>, options: InputOptions) -> Self {
        let mut reader = Self::open(&InputSpec::default(), options);
        reader.bytes_total = None;
        reader.counts.files += 1;
        reader.open = Some(Open::Other(OtherFile::new(events, Arc::from(name))));
        reader
    }

    /// What was read so far.
    pub fn counts(&self) -> Counts {
        let mut counts = self.counts;
        match &self.open {
            Some(Open::Documents(_, meters)) => {
                counts.bytes_compressed += meters.compressed();
                counts.bytes_decompressed += meters.decompressed();
            }
            Some(Open::Other(file)) => counts.bytes_decompressed += file.bytes(),
            None => {}
        }
        counts
    }

    /// How far the reading is.
    pub fn progress(&self) -> Progress {
        Progress { bytes_read: self.counts().bytes_compressed, bytes_total: self.bytes_total }
    }

    /// Reads the next items into `batch`, about [`InputLimits::batch_bytes`] of them; false when all is read. Together
    /// with [`Reader::next`] it gives every item once.
    pub fn batch(&mut self, batch: &mut Batch) -> bool {
        batch.clear();
        if let Some(Open::Documents(documents, _)) = &mut self.open
            && documents.lines(&mut batch.lines)
        {
            self.counts.events += batch.lines.cuts.len() as u64;
        } else {
            let mut bytes = 0;
            while bytes < self.options.limits.batch_bytes
                && let Some(item) = self.next()
            {
                bytes += ITEM_BYTES + if let Item::Event(event) = &item { event.source.len() } else { 0 };
                batch.items.push(item);
            }
        }
        batch.progress = self.progress();
        !(batch.lines.cuts.is_empty() && batch.items.is_empty())
    }

    /// The next item, from whichever file has one.
    fn next_item(&mut self) -> Option<Item> {
        loop {
            if let Some(open) = &mut self.open {
                let item = match open {
                    Open::Documents(documents, _) => documents.next(),
                    Open::Other(file) => file.next(),
                };
                if item.is_some() {
                    return item;
                }
                self.counts = self.counts();
                self.open = None;
            }
            let entry = self.entries.next()?;
            if let Some(problem) = self.begin(entry) {
                return Some(Item::Problem(problem));
            }
        }
    }

    /// Opens the file of `entry`, or says why not.
    fn begin(&mut self, entry: Entry) -> Option<InputProblem> {
        let name = Arc::clone(&entry.name);
        let outcome = match entry.what {
            What::Problem(kind, message) => return Some(whole_file_problem(name, kind, message)),
            What::StandardInput => self.start(entry.name, Box::new(io::stdin())),
            What::File(path) => File::open(path).and_then(|file| self.start(entry.name, Box::new(file))),
            What::Other(path) => return self.begin_other(&path, entry.name),
        };
        let error = outcome.err()?;
        Some(whole_file_problem(name, ProblemKind::Unreadable, error.to_string()))
    }

    fn begin_other(&mut self, path: &Path, name: Arc<str>) -> Option<InputProblem> {
        match self.others.as_ref()?.open(path) {
            Ok(events) => {
                self.open = Some(Open::Other(OtherFile::new(events, name)));
                self.counts.files += 1;
                None
            }
            Err(problem) => Some(whole_file_problem(name, problem.kind, problem.message)),
        }
    }

    fn start(&mut self, name: Arc<str>, raw: Box<dyn Read + Send>) -> io::Result<()> {
        let meters = Arc::new(Meters::default());
        let plain = source::decompressed(raw, &meters, self.options.limits)?;
        let documents = Documents::new(Window::new(plain), name, self.options.limits);
        self.open = Some(Open::Documents(Box::new(documents), meters));
        self.counts.files += 1;
        Ok(())
    }
}

impl Iterator for Reader {
    type Item = Item;

    /// The next event or problem; `None` when all is read.
    fn next(&mut self) -> Option<Item> {
        let item = self.next_item()?;
        match &item {
            Item::Event(_) => self.counts.events += 1,
            Item::Problem(problem) => self.counts.problems[problem.kind as usize] += 1,
        }
        Some(item)
    }
}

/// A problem with a file as a whole.
fn whole_file_problem(file: Arc<str>, kind: ProblemKind, message: String) -> InputProblem {
    InputProblem { location: Location { file, line: 0, ordinal: 0 }, column: None, kind, message }
}
