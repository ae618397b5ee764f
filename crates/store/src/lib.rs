//! The event store: events in Delta tables, written, found again, looked after.
//!
//! This is the only crate that knows `DataFusion`, Delta Lake, Arrow and Parquet. A [`Store`] is a folder, or a URL of an
//! object store, with one Delta table for each data stream ([`store`]). An [`Importer`] puts events into it. What
//! is found is found by columns, which only ever rule events out; what an event says, its document says.

pub mod columns;
pub mod documents;
mod encoder;
mod error;
mod file;
pub mod implied;
mod import;
mod known;
pub mod limits;
mod location;
pub mod maintain;
mod names;
mod query;
mod read;
mod rows;
pub mod scan;
pub mod session;
pub mod store;
mod table;

pub use error::{Result, StoreError};
pub use import::{ImportCounts, Importer, NewEvent};
pub use location::Location;
pub use names::{STREAM_DEFAULT, Streams};
pub use query::{DocumentRow, QueryError, ReadRow, RowsOfDocuments, StoredAnswer, StoredQuery, write_arrow};
pub use scan::{Equality, EventBatch, Scan, ScanOrder, ScanRequest, StoredEvent};
pub use store::{Store, StoreOptions, Stream};
pub use table::FileEntry;
