//! Events out of the store, for whoever looks at their documents.
//!
//! A scan leaves out what a request rules out: tables by name, days, files and row groups by their statistics, row groups
//! by bloom filters, rows by columns. It errs towards yes: what it gives is to be checked again, against the document,
//! with the same code that checks events that never were in a store.
//!
//! A file that cannot be read is an error among the batches; the others are read all the same.

pub(crate) mod filter;
mod merge;
mod prune;

use std::sync::Arc;

use futures::future::ready;
use futures::{StreamExt, TryStreamExt, stream};
use maxspan_event::Value;
use object_store::ObjectStore;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::columns::Layout;
use crate::error::{Result, StoreError};
use crate::limits::{SCAN_FILE_BYTES, SCAN_OPENED_AT_ONCE, SCAN_ROWS};
use crate::names::Streams;
use crate::read::{EVENT_COLUMNS, EventColumns};
use crate::rows::micros;
use crate::store::Store;
use crate::table::FileEntry;
pub(crate) use filter::Marks;
use prune::prune;
pub(crate) use prune::{Condition, Opened, has_gaps, has_marks, has_values, leaf_of};

/// What is looked for.
#[derive(Debug, Clone, Default)]
pub struct ScanRequest {
    /// Which tables.
    pub streams: Streams,
    /// The first instant, in nanoseconds. Events without a time are always given.
    pub from: Option<i64>,
    /// The last instant, in nanoseconds.
    pub to: Option<i64>,
    /// Whether an event is also wanted whose `event.ingested` is within the window, though its time is not: what rules with
    /// that `timestamp_override` ask for.
    pub or_ingested: bool,
    /// Each must hold.
    pub equals: Vec<Equality>,
    /// How events come.
    pub order: ScanOrder,
}

/// Some value of the field is one of these.
#[derive(Debug, Clone, PartialEq)]
pub struct Equality {
    /// The field's name. One without a column rules nothing out.
    pub field: String,
    /// What its values are compared with.
    pub values: Vec<Value>,
}

/// The order in which a scan gives events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ScanOrder {
    /// By time; those of the same microsecond file by file.
    #[default]
    Time,
    /// As files are read, by several threads.
    Any,
}

/// Some events of a scan.
#[derive(Debug, Default)]
pub struct EventBatch {
    columns: Vec<Arc<EventColumns>>,
    /// Places: which of the columns, and the row.
    order: Vec<(u32, u32)>,
}

/// An event of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredEvent<'a> {
    /// Microseconds since 1970; the document has the nanoseconds.
    pub time: Option<i64>,
    /// The index that came with it.
    pub index: Option<&'a str>,
    /// The id that came with it.
    pub id: Option<&'a str>,
    /// The bytes of its document.
    pub source: &'a [u8],
}

impl EventBatch {
    /// All rows of some columns.
    fn whole(columns: EventColumns) -> Self {
        let order = (0..columns.len() as u32).map(|row| (0, row)).collect();
        Self { columns: vec![Arc::new(columns)], order }
    }

    /// The events in their order.
    pub fn iter(&self) -> impl Iterator<Item = StoredEvent<'_>> {
        self.order.iter().map(|(columns, row)| self.columns[*columns as usize].event(*row as usize))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }
}

/// A scan under way. What it reads ahead is bounded.
#[derive(Debug)]
pub struct Scan {
    store: Arc<Store>,
    batches: Receiver<Result<EventBatch>>,
    bytes: u64,
}

impl Scan {
    /// Bytes of the files that the scan may have to read.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Iterator for Scan {
    type Item = Result<EventBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        self.store.runtime().block_on(self.batches.recv())
    }
}

/// What a scan's tasks share.
#[derive(Debug)]
struct Plan {
    objects: Arc<dyn ObjectStore>,
    condition: Condition,
    files: Vec<FileEntry>,
    memory: usize,
    threads: usize,
}

impl Store {
    /// Looks for events.
    pub fn scan(self: &Arc<Self>, request: &ScanRequest) -> Result<Scan> {
        let plan = self.runtime().block_on(self.plan(request))?;
        let bytes = plan.files.iter().map(|file| file.bytes).sum();
        let (sender, batches) = channel(2);
        match request.order {
            ScanOrder::Time => self.runtime().spawn(in_order_of_time(plan, sender)),
            ScanOrder::Any => self.runtime().spawn(in_any_order(plan, sender)),
        };
        Ok(Scan { store: Arc::clone(self), batches, bytes })
    }

    async fn plan(&self, request: &ScanRequest) -> Result<Plan> {
        let condition = Condition::new(request, self.layout());
        let mut files = Vec::new();
        for (_, table) in self.tables(&request.streams).await? {
            files.extend(table.files()?.into_iter().filter(|file| condition.may_be_in(file)));
        }
        files.sort_by(|a, b| (a.time_range(), &a.path).cmp(&(b.time_range(), &b.path)));
        let (memory, threads) = (self.options().memory, self.options().threads.max(1));
        Ok(Plan { objects: Arc::clone(self.objects()), condition, files, memory, threads })
    }
}

/// Opens files, several at once, and keeps those in which something may be found.
pub(crate) async fn candidates(
    objects: &Arc<dyn ObjectStore>,
    condition: &Condition,
    files: Vec<FileEntry>,
) -> Vec<(FileEntry, Result<Opened>)> {
    let opening = stream::iter(files).map(|file| {
        let (objects, condition) = (Arc::clone(objects), condition.clone());
        // A task for each, so that threads share them.
        let task = tokio::spawn(async move {
            let opened = prune(&objects, &file, &condition).await.transpose()?;
            Some((file, opened))
        });
        // A task only fails by a panic, which is then that of the scan.
        async { task.await.unwrap_or_else(|failed| std::panic::resume_unwind(failed.into_panic())) }
    });
    opening.buffered(SCAN_OPENED_AT_ONCE).filter_map(ready).collect().await
}

/// Reads files one after the other where they do not overlap, and merges those that do.
async fn in_order_of_time(plan: Plan, sender: Sender<Result<EventBatch>>) {
    let files: Vec<(FileEntry, Option<Result<Opened>>)> = if plan.condition.looks_up() {
        let opened = candidates(&plan.objects, &plan.condition, plan.files.clone()).await;
        opened.into_iter().map(|(file, opened)| (file, Some(opened))).collect()
    } else {
        plan.files.iter().map(|file| (file.clone(), None)).collect()
    };
    let mut merge = merge::Merge::new((plan.memory / SCAN_FILE_BYTES).max(2));
    let mut waiting = files.into_iter().peekable();
    loop {
        while let Some((file, _)) = waiting.peek()
            && merge.needs(file.time_range().0)
        {
            let Some((file, opened)) = waiting.next() else { break };
            let opened = match opened {
                None => prune(&plan.objects, &file, &plan.condition).await.transpose(),
                some => some,
            };
            let added = match opened {
                None => Ok(()),
                Some(Ok(opened)) => merge.add(read(opened, plan.condition.clone())).await,
                Some(Err(error)) => Err(error),
            };
            if let Err(error) = added {
                let ends = !error.is_about_one_file();
                if sender.send(Err(error)).await.is_err() || ends {
                    return;
                }
            }
        }
        let next = waiting.peek().map(|(file, _)| file.time_range().0);
        let Some(batch) = merge.batch(next).await else {
            if waiting.peek().is_none() {
                return;
            }
            continue;
        };
        if sender.send(batch).await.is_err() {
            return;
        }
    }
}

/// Reads files by several tasks.
async fn in_any_order(plan: Plan, sender: Sender<Result<EventBatch>>) {
    let work = stream::iter(plan.files.clone()).map(Ok::<_, ()>);
    let _ = work
        .try_for_each_concurrent(plan.threads, |file| {
            let sender = sender.clone();
            let (objects, condition) = (Arc::clone(&plan.objects), plan.condition.clone());
            async move {
                let mut batches = match prune(&objects, &file, &condition).await {
                    Ok(None) => return Ok(()),
                    Ok(Some(opened)) => read(opened, condition),
                    Err(error) => return sender.send(Err(error)).await.map_err(|_| ()),
                };
                while let Some(batch) = batches.recv().await {
                    sender.send(batch.map(EventBatch::whole)).await.map_err(|_| ())?;
                }
                Ok(())
            }
        })
        .await;
}

/// Reads the rows of an opened file in a task of its own, somewhat ahead.
fn read(opened: Opened, condition: Condition) -> Receiver<Result<EventColumns>> {
    let (sender, receiver) = channel(1);
    tokio::spawn(async move {
        let place = opened.place.clone();
        let failed = |error| StoreError::of_file(place.clone(), &error);
        let mut stream = match filter::stream(opened, &condition, EVENT_COLUMNS, SCAN_ROWS) {
            Ok(stream) => stream,
            Err(error) => {
                let _ = sender.send(Err(error)).await;
                return;
            }
        };
        loop {
            let columns = match stream.try_next().await {
                Ok(None) => return,
                Ok(Some(batch)) => EventColumns::new(&batch, &place),
                Err(error) => Err(failed(error)),
            };
            let is_last = columns.is_err();
            if sender.send(columns).await.is_err() || is_last {
                return;
            }
        }
    });
    receiver
}

/// A window in microseconds, as wide as its first and last milliseconds: that is how exactly rules look at dates.
fn window(request: &ScanRequest) -> (i64, i64) {
    let millis = |nanos: i64| micros(nanos).div_euclid(1_000) * 1_000;
    (request.from.map_or(i64::MIN, millis), request.to.map_or(i64::MAX, |to| millis(to) + 999))
}

/// The equalities that a column can answer.
fn answerable<'a>(request: &'a ScanRequest, layout: &Layout) -> impl Iterator<Item = &'a Equality> {
    request.equals.iter().filter(|equality| layout.column(&equality.field).is_some())
}
