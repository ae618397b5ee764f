//! A store: a folder with one Delta table for each data stream.
//!
//! ```text
//! STORE/maxspan-store.json                         the form of the store
//! STORE/logs-endpoint.events.process-default/      a data stream
//!       _delta_log/…                               which files there are: Delta's log
//!       day=2026-01-31/part-….zstd.parquet         events of a day, in the order of time
//! ```

use std::sync::Arc;

use futures::{StreamExt, TryStreamExt, stream};
use maxspan_diagnostics::codes;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutPayload};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::columns::Layout;
use crate::error::{Result, StoreError};
use crate::limits::{MEMORY_DEFAULT, MEMORY_MIN, TABLES_OPENED_AT_ONCE};
use crate::location::Location;
use crate::names::{Streams, folder_of, stream_of_folder};
use crate::session::runtime;
use crate::table::Table;

/// The file that tells a store from another folder.
const MARKER: &str = "maxspan-store.json";
/// The form of stores that this version reads and writes.
const FORMAT: u64 = 1;

/// How a store is worked with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreOptions {
    /// Bytes of memory that whatever is done may take, beside the program itself.
    pub memory: usize,
    /// How many threads work.
    pub threads: usize,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self { memory: MEMORY_DEFAULT, threads: 1 }
    }
}

/// An open store.
#[derive(Debug)]
pub struct Store {
    location: Location,
    runtime: Runtime,
    layout: Layout,
    options: StoreOptions,
}

/// A data stream of a store, and where its table is.
#[derive(Debug, Clone)]
pub struct Stream {
    /// The name of the data stream.
    pub name: String,
    pub(crate) location: Location,
}

impl Store {
    /// Opens the store that is there.
    pub fn open(text: &str, options: StoreOptions) -> Result<Self> {
        let store = Self::at(text, options)?;
        let found = store.runtime.block_on(store.marker())?;
        if found { Ok(store) } else { Err(store.none("there is no store here; `maxspan import` makes one")) }
    }

    /// Opens the store, or makes one where there is nothing.
    pub fn create(text: &str, options: StoreOptions) -> Result<Self> {
        let store = Self::at(text, options)?;
        store.runtime.block_on(async {
            if store.marker().await? {
                return Ok(());
            }
            let holds_others = store.holds_anything().await?;
            if holds_others {
                return Err(
                    store.none("this folder holds other files and no store; name an empty or a new one")
                );
            }
            let content = json!({"format": FORMAT, "written_by": "maxspan"}).to_string();
            let payload = PutPayload::from(content);
            match store.objects().put_opts(&store.marker_path(), payload, PutMode::Create.into()).await {
                Ok(_) | Err(object_store::Error::AlreadyExists { .. }) => Ok(()),
                Err(error) => Err(store.failed(&error)),
            }
        })?;
        Ok(store)
    }

    fn at(text: &str, options: StoreOptions) -> Result<Self> {
        if options.memory < MEMORY_MIN {
            let words = format!("works with no less than {} MiB of memory", MEMORY_MIN >> 20);
            return Err(StoreError::new(codes::STORE_MEMORY, text, words));
        }
        let runtime = runtime(options.threads)?;
        Ok(Self { location: Location::new(text)?, runtime, layout: Layout::default(), options })
    }

    /// The data streams that `streams` may choose, sorted by name.
    pub fn streams(&self, streams: &Streams) -> Result<Vec<Stream>> {
        self.runtime.block_on(self.list(streams))
    }

    /// As it was written.
    pub fn place(&self) -> &str {
        self.location.text()
    }

    /// The columns of its tables.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// How it is worked with.
    pub fn options(&self) -> StoreOptions {
        self.options
    }

    /// What runs the store's work, and that of queries over it.
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    pub(crate) fn objects(&self) -> &Arc<dyn ObjectStore> {
        self.location.store()
    }

    pub(crate) async fn list(&self, streams: &Streams) -> Result<Vec<Stream>> {
        let listed = self.objects().list_with_delimiter(Some(self.location.path())).await;
        let listed = listed.map_err(|error| self.failed(&error))?;
        let mut found = Vec::new();
        for folder in &listed.common_prefixes {
            let folder = folder.filename().unwrap_or_default();
            let Some(name) = stream_of_folder(folder).filter(|name| streams.may_match(name)) else {
                continue;
            };
            found.push(Stream { name, location: self.location.child(folder)? });
        }
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    /// The tables of the chosen streams.
    pub(crate) async fn tables(&self, streams: &Streams) -> Result<Vec<(Stream, Table)>> {
        let found = self.list(streams).await?;
        // A task for each, so that threads share them; but few at once, since each waits on a thread that reads its log.
        let opening = stream::iter(found).map(|stream| {
            let location = stream.location.clone();
            let task = tokio::spawn(async move { Table::open(&location).await });
            async {
                let opened = task.await.map_err(|error| self.failed(&error))?;
                opened.map(|table| (stream, table))
            }
        });
        opening.buffered(TABLES_OPENED_AT_ONCE).try_collect().await
    }

    /// Where the table of a data stream is.
    pub(crate) fn stream_location(&self, name: &str) -> Result<Location> {
        self.location.child(&folder_of(name))
    }

    fn marker_path(&self) -> Path {
        self.location.path().clone().join(MARKER)
    }

    /// Whether there is a store; an error where another version made it.
    async fn marker(&self) -> Result<bool> {
        let bytes = match self.objects().get(&self.marker_path()).await {
            Ok(found) => found.bytes().await.map_err(|error| self.failed(&error))?,
            Err(object_store::Error::NotFound { .. }) => return Ok(false),
            Err(error) => return Err(self.failed(&error)),
        };
        let content: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        match content["format"].as_u64() {
            Some(FORMAT) => Ok(true),
            other => {
                let form = other
                    .map_or_else(|| "no form that can be read".to_owned(), |form| format!("form {form}"));
                let words = format!("the store has {form}, and this version works with form {FORMAT}");
                Err(StoreError::new(codes::STORE_FORMAT, self.place(), words))
            }
        }
    }

    async fn holds_anything(&self) -> Result<bool> {
        match self.objects().list_with_delimiter(Some(self.location.path())).await {
            Ok(listed) => Ok(!listed.objects.is_empty() || !listed.common_prefixes.is_empty()),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(self.failed(&error)),
        }
    }

    fn none(&self, words: &str) -> StoreError {
        StoreError::new(codes::STORE_NONE, self.place(), words)
    }

    pub(crate) fn failed(&self, error: &(dyn std::error::Error + 'static)) -> StoreError {
        StoreError::of(self.place(), error)
    }
}
