//! Events into the store, a batch at a time.
//!
//! ```text
//! push ──► rows of each data stream and day, in memory     ids seen twice are counted and left out
//!            │ a batch is full
//!            ▼ beside the reading of the next
//!          what the tables have already is left out ──► sorted by time ──► Parquet ──► one commit a table
//! ```
//!
//! A commit is all or nothing: who is killed, or fails, leaves whole batches behind, and files that no table lists,
//! which `compact` removes. The same import again then adds what is missing.

use std::collections::BTreeMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use chrono::Utc;
use deltalake::protocol::{DeltaOperation, SaveMode};
use futures::{StreamExt, stream};
use maxspan_diagnostics::codes;
use maxspan_event::DecodeError;
use maxspan_event::identity::digest;
use object_store::{ObjectStoreExt, PutPayload};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::columns::DAY;
use crate::encoder::Encoder;
pub use crate::encoder::NewEvent;
use crate::error::{Result, StoreError};
use crate::file::{Summary, encode, new_name};
use crate::known::known;
use crate::limits::{
    BATCH_BYTES_MAX, BATCH_EVENTS_MAX, BATCH_SHARE, COMMITS_AT_ONCE, EVENT_BYTES, STREAMS_MAX,
};
use crate::names::STREAM_DEFAULT;
use crate::rows::Rows;
use crate::store::Store;
use crate::table::{FileEntry, NewFile, Table};

/// What an import did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ImportCounts {
    /// Events that were stored.
    pub stored: u64,
    /// Events that the store had already, or that came twice.
    pub duplicates: u64,
    /// Bytes of the documents that were stored.
    pub source_bytes: u64,
    /// Files that were written.
    pub files: u64,
    /// Their bytes.
    pub file_bytes: u64,
    /// Commits to tables.
    pub commits: u64,
    /// Events that went to the table for all others, since the store has too many data streams.
    pub streams_over_limit: u64,
}

/// An import under way.
#[derive(Debug)]
pub struct Importer {
    store: Arc<Store>,
    encoder: Encoder,
    pending: Pending,
    streams: FxHashMap<String, u32>,
    bytes_max: usize,
    writer: Writing,
    counts: ImportCounts,
}

/// Events that wait to be written.
#[derive(Debug, Default)]
struct Pending {
    groups: FxHashMap<(u32, Option<i32>), Group>,
    bytes: usize,
    events: usize,
}

/// Events of one data stream and day.
#[derive(Debug)]
struct Group {
    rows: Rows,
    ids: FxHashSet<u128>,
    source_bytes: u64,
}

/// The writer, at rest or at work.
#[derive(Debug)]
enum Writing {
    Idle(Writer),
    Busy(JoinHandle<(Writer, Result<()>)>),
    /// After an error, or a panic.
    Gone,
}

/// Writes batches, one after the other.
#[derive(Debug)]
struct Writer {
    store: Arc<Store>,
    tables: BTreeMap<String, Table>,
    /// Files of this import.
    own: FxHashSet<String>,
    counts: ImportCounts,
}

impl Importer {
    /// An import into `store`.
    pub fn new(store: Arc<Store>) -> Self {
        let bytes_max = (store.options().memory / BATCH_SHARE).min(BATCH_BYTES_MAX);
        let writer = Writer {
            store: Arc::clone(&store),
            tables: BTreeMap::new(),
            own: FxHashSet::default(),
            counts: ImportCounts::default(),
        };
        Self {
            store,
            encoder: Encoder::new(),
            pending: Pending::default(),
            streams: FxHashMap::default(),
            bytes_max,
            writer: Writing::Idle(writer),
            counts: ImportCounts::default(),
        }
    }

    /// Takes an event. The inner error is about the event, which is then left out; the outer one ends the import.
    pub fn push(&mut self, event: &NewEvent<'_>) -> Result<Result<(), DecodeError>> {
        if let Err(error) = self.encoder.decode(event) {
            return Ok(Err(error));
        }
        let stream = self.stream();
        let new_group =
            || Group { rows: Rows::new(&self.encoder.layout), ids: FxHashSet::default(), source_bytes: 0 };
        let group = self.pending.groups.entry((stream, self.encoder.day())).or_insert_with(new_group);
        if let Some(id) = event.id
            && !group.ids.insert(id_key(event.index, id, self.encoder.time()))
        {
            self.counts.duplicates += 1;
            return Ok(Ok(()));
        }
        self.encoder.push(event, &mut group.rows);
        group.source_bytes += event.source.len() as u64;
        self.pending.bytes += event.source.len() + EVENT_BYTES;
        self.pending.events += 1;
        if self.pending.bytes >= self.bytes_max || self.pending.events >= BATCH_EVENTS_MAX {
            self.write_pending()?;
        }
        Ok(Ok(()))
    }

    /// Writes what waits, and says what was done. `partial` is what was done before an error.
    pub fn finish(mut self) -> (ImportCounts, Result<()>) {
        let outcome = self.write_pending().and_then(|()| self.wait());
        (self.counts(), outcome)
    }

    /// What was done so far, without the batch that is being written.
    pub fn counts(&self) -> ImportCounts {
        let mut counts = match &self.writer {
            Writing::Idle(writer) => writer.counts,
            Writing::Busy(_) | Writing::Gone => ImportCounts::default(),
        };
        counts.duplicates += self.counts.duplicates;
        counts.streams_over_limit += self.counts.streams_over_limit;
        counts
    }

    /// The number of the event's data stream.
    fn stream(&mut self) -> u32 {
        let (number, name) = (self.streams.len(), self.encoder.stream());
        if let Some(stream) = self.streams.get(name) {
            return *stream;
        }
        let name = if number < STREAMS_MAX {
            name
        } else {
            self.counts.streams_over_limit += 1;
            STREAM_DEFAULT
        };
        match self.streams.entry(name.to_owned()) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(free) => *free.insert(number as u32),
        }
    }

    /// Hands the pending events to the writer, once it has written those before.
    fn write_pending(&mut self) -> Result<()> {
        self.wait()?;
        let pending = std::mem::take(&mut self.pending);
        if pending.events == 0 {
            return Ok(());
        }
        let Writing::Idle(mut writer) = std::mem::replace(&mut self.writer, Writing::Gone) else {
            return Err(self.gone());
        };
        let names: FxHashMap<u32, String> =
            self.streams.iter().map(|(name, number)| (*number, name.clone())).collect();
        let batch: Vec<Work> = pending
            .groups
            .into_iter()
            .map(|((stream, day), group)| Work { stream: names[&stream].clone(), day, group })
            .filter(|work| work.group.rows.len() > 0)
            .collect();
        let spawned = thread::Builder::new().name("writer".to_owned()).spawn(move || {
            let outcome = writer.write(batch);
            (writer, outcome)
        });
        let thread = spawned
            .map_err(|error| StoreError::new(codes::STORE_FAILED, self.store.place(), error.to_string()))?;
        self.writer = Writing::Busy(thread);
        Ok(())
    }

    /// Waits for the batch that is being written.
    fn wait(&mut self) -> Result<()> {
        match std::mem::replace(&mut self.writer, Writing::Gone) {
            Writing::Busy(thread) => {
                let (writer, outcome) = thread.join().map_err(|_| self.gone())?;
                self.writer = Writing::Idle(writer);
                outcome
            }
            idle @ Writing::Idle(_) => {
                self.writer = idle;
                Ok(())
            }
            Writing::Gone => Err(self.gone()),
        }
    }

    fn gone(&self) -> StoreError {
        StoreError::new(codes::STORE_FAILED, self.store.place(), "the import ended before")
    }
}

fn id_key(index: Option<&str>, id: &str, time: Option<i64>) -> u128 {
    let mut bytes = Vec::with_capacity(64);
    bytes.extend_from_slice(index.unwrap_or_default().as_bytes());
    bytes.push(0);
    bytes.extend_from_slice(id.as_bytes());
    bytes.extend_from_slice(&time.unwrap_or(i64::MIN).to_le_bytes());
    digest(&bytes)
}

/// A group with its name.
#[derive(Debug)]
struct Work {
    stream: String,
    day: Option<i32>,
    group: Group,
}

/// The files that are there, by data stream and day.
type Known = BTreeMap<String, FxHashMap<Option<i32>, Vec<FileEntry>>>;

/// What became of a group.
#[derive(Debug, Default)]
struct Done {
    file: Option<NewFile>,
    stored: u64,
    duplicates: u64,
    source_bytes: u64,
}

impl Writer {
    /// Writes a batch: its files, by several threads, then a commit a table.
    fn write(&mut self, mut batch: Vec<Work>) -> Result<()> {
        // The largest first, so that no thread is left with one at the end.
        batch.sort_by_key(|work| work.group.source_bytes);
        let mut known = Known::new();
        for work in &batch {
            self.open(&work.stream)?;
            if !known.contains_key(&work.stream) {
                let mut days: FxHashMap<Option<i32>, Vec<FileEntry>> = FxHashMap::default();
                for file in self.tables[&work.stream].files()? {
                    days.entry(file.day).or_default().push(file);
                }
                known.insert(work.stream.clone(), days);
            }
        }
        let (this, queue, known) = (&*self, Mutex::new(batch), &known);
        let threads = this.store.options().threads.max(1);
        let work_off = || {
            let mut done = Vec::new();
            loop {
                let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop();
                let Some(work) = next else { return (done, Ok(())) };
                let stream = work.stream.clone();
                match this.file(work, known) {
                    Ok(one) => done.push((stream, one)),
                    Err(error) => return (done, Err(error)),
                }
            }
        };
        let (done, outcome) = thread::scope(|scope| {
            let others: Vec<_> = (1..threads).map(|_| scope.spawn(work_off)).collect();
            let (mut done, mut outcome) = work_off();
            for other in others {
                match other.join() {
                    Ok((more, result)) => {
                        done.extend(more);
                        outcome = outcome.and(result);
                    }
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            (done, outcome)
        });
        match outcome {
            Ok(()) => self.commit(done),
            Err(error) => {
                self.discard(&done);
                Err(error)
            }
        }
    }

    fn open(&mut self, stream: &str) -> Result<()> {
        if !self.tables.contains_key(stream) {
            let location = self.store.stream_location(stream)?;
            let opening = Table::open_or_create(&location, stream, self.store.layout());
            let table = self.store.runtime().block_on(opening)?;
            self.tables.insert(stream.to_owned(), table);
        }
        Ok(())
    }

    /// Writes the file of a group, without what the table has already.
    fn file(&self, work: Work, files: &Known) -> Result<Done> {
        let Work { stream, day, group } = work;
        let files = files.get(&stream).and_then(|days| days.get(&day)).map_or(&[][..], Vec::as_slice);
        let (layout, objects) = (self.store.layout(), self.store.objects());
        let filled = group.rows.finish(layout);
        let own = |file: &FileEntry| self.own.contains(file.path.as_ref());
        let known = self.store.runtime().block_on(known(objects, files, own, &filled))?;
        let duplicates = known.iter().filter(|known| **known).count() as u64;
        let source_bytes = group.source_bytes.saturating_sub(filled.source_bytes(&known));
        let sorted = filled.sorted(&known);
        let stored = sorted.len() as u64;
        if stored == 0 {
            return Ok(Done { duplicates, ..Done::default() });
        }
        let mut summary = Summary::default();
        let bytes = encode(sorted, layout, &mut summary)?;
        let relative = new_name(day, &bytes);
        let location = self.store.stream_location(&stream)?;
        let path = location.file(&relative);
        let file = summary.file(relative, bytes.len() as u64, day);
        let put = self.store.runtime().block_on(objects.put(&path, PutPayload::from(bytes)));
        put.map_err(|error| StoreError::of(location.place(&file.relative), &error))?;
        Ok(Done { file: Some(file), stored, duplicates, source_bytes })
    }

    fn commit(&mut self, done: Vec<(String, Done)>) -> Result<()> {
        let now_ms = Utc::now().timestamp_millis();
        let mut actions: BTreeMap<String, Vec<_>> = BTreeMap::new();
        let mut counts: BTreeMap<String, ImportCounts> = BTreeMap::new();
        for (stream, done) in done {
            let counts = counts.entry(stream.clone()).or_default();
            counts.stored += done.stored;
            counts.duplicates += done.duplicates;
            counts.source_bytes += done.source_bytes;
            if let Some(file) = done.file {
                counts.files += 1;
                counts.file_bytes += file.bytes;
                let location = self.store.stream_location(&stream)?;
                self.own.insert(location.file(&file.relative).to_string());
                actions.entry(stream).or_default().push(file.addition(true, now_ms));
            }
        }
        let commits = self.tables.iter_mut().filter_map(|(stream, table)| {
            let actions = actions.remove(stream)?;
            Some(async move {
                let operation = DeltaOperation::Write {
                    mode: SaveMode::Append,
                    partition_by: Some(vec![DAY.to_owned()]),
                    predicate: None,
                };
                (stream, table.commit(actions, operation).await)
            })
        });
        let commits = stream::iter(commits).buffer_unordered(COMMITS_AT_ONCE).collect::<Vec<_>>();
        let mut outcome = Ok(());
        for (stream, result) in self.store.runtime().block_on(commits) {
            match result {
                Ok(()) => self.counts.commits += 1,
                Err(error) => {
                    counts.remove(stream);
                    outcome = Err(error);
                }
            }
        }
        for counts in counts.into_values() {
            self.counts.stored += counts.stored;
            self.counts.duplicates += counts.duplicates;
            self.counts.source_bytes += counts.source_bytes;
            self.counts.files += counts.files;
            self.counts.file_bytes += counts.file_bytes;
        }
        outcome
    }

    /// Removes the files of a batch that failed. What cannot be removed is left to `compact`.
    fn discard(&self, done: &[(String, Done)]) {
        for (stream, done) in done {
            if let (Some(file), Ok(location)) = (&done.file, self.store.stream_location(stream)) {
                let path = location.file(&file.relative);
                let _ = self.store.runtime().block_on(self.store.objects().delete(&path));
            }
        }
    }
}
