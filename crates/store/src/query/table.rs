//! The events of a store as a table of a plan: the columns that a query reads, in the forms that it is planned with.
//!
//! What a typed column holds is taken as it is. A row whose column says that it holds less than its document, and all rows
//! for fields without a column, are read from their documents, by the code that reads rows from events elsewhere. Whether a
//! field may have several values is known before the plan is made: from the layout, and from the marks of the files.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use arrow::datatypes::{Field as ArrowField, Schema as ArrowSchema, SchemaRef};
use datafusion::error::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use futures::{StreamExt, TryStreamExt, stream};
use maxspan_esql::DataType;
use maxspan_esql::query::{ColumnId, Query, Scan};
use maxspan_event::index::IndexPatterns;
use object_store::ObjectStore;
use parquet::arrow::arrow_reader::ArrowReaderMetadata;

use super::RowsOfDocuments;
use super::values::Form;
use crate::columns::{ID, INDEX, Layout, TIMESTAMP};
use crate::error::{Result, StoreError};
use crate::implied::is_column;
use crate::names::STREAM_DEFAULT;
use crate::read;
use crate::scan::{self, Condition, Opened, has_marks, has_values, leaf_of};
use crate::table::FileEntry;

mod files;

/// Where a column of the table comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// A column of the files. `gaps` says that a null there says nothing.
    Column { gaps: bool },
    /// `_index`.
    Index,
    /// Documents.
    Document,
}

/// A column of the table.
#[derive(Debug, Clone)]
pub(super) struct EventColumn {
    pub(super) id: ColumnId,
    name: String,
    origin: Origin,
    pub(super) form: Form,
}

/// The name of a column in plans.
pub(super) fn plan_name(id: ColumnId) -> String {
    format!("c{}", id.0)
}

/// The columns that a scan reads, as the layout has them.
pub(super) fn columns(
    scan: &Scan,
    query: &Query,
    schema: &maxspan_event::Schema,
    layout: &Layout,
) -> Vec<EventColumn> {
    let mut columns: Vec<EventColumn> = Vec::new();
    for (id, name) in &scan.fields {
        let kind = query.columns[id.0].kind;
        let field = schema.field(name);
        let typed = layout.column(name).filter(|column| column.field == field && has_exact_column(kind));
        let (origin, several) = match typed {
            Some(column) => (Origin::Column { gaps: !is_column(&field, layout) }, column.several),
            None if *name == TIMESTAMP && kind == DataType::Datetime => {
                (Origin::Column { gaps: true }, false)
            }
            None => (Origin::Document, true),
        };
        let Some(form) = Form::new(kind, several) else { continue };
        columns.push(EventColumn { id: *id, name: name.clone(), origin, form });
    }
    for (id, name) in &scan.metadata {
        let origin = match name.as_str() {
            INDEX => Origin::Index,
            ID => Origin::Column { gaps: true },
            _ => Origin::Document,
        };
        let Some(form) = Form::one(query.columns[id.0].kind) else { continue };
        columns.push(EventColumn { id: *id, name: name.clone(), origin, form });
    }
    columns
}

/// Whether a column of the layout holds all that there is to values of this type: not what a column of integers has no room
/// for, nor the nanoseconds of dates.
fn has_exact_column(kind: DataType) -> bool {
    !matches!(kind, DataType::UnsignedLong | DataType::DateNanos | DataType::Unsupported | DataType::Null)
}

/// A file to be read, with what is known of its rows.
#[derive(Debug, Clone)]
struct Item {
    file: FileEntry,
    metadata: ArrowReaderMetadata,
    row_groups: Vec<usize>,
    /// The index of its events; none where rows have to be asked.
    index: Option<String>,
    doubts: Doubts,
}

/// Why rows of a file may have to be read from their documents.
#[derive(Debug, Clone, Copy)]
struct Doubts {
    /// Some row may say that a column holds less than its document.
    marked: bool,
    /// Some row has nothing where that says nothing.
    has_gaps: bool,
}

/// What all partitions share.
pub(super) struct Shared {
    pub(super) objects: Arc<dyn ObjectStore>,
    pub(super) condition: Condition,
    pub(super) columns: Vec<EventColumn>,
    pub(super) patterns: IndexPatterns,
    pub(super) documents: Arc<dyn RowsOfDocuments>,
    pub(super) events: AtomicU64,
}

impl Shared {
    /// Whether the query looks into an index; into events without one, every query does.
    fn chooses(&self, index: &str) -> bool {
        index.is_empty() || self.patterns.matches(index)
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("columns", &self.columns).finish_non_exhaustive()
    }
}

/// Files that one thread reads after each other.
#[derive(Debug)]
struct Partition {
    schema: SchemaRef,
    items: Vec<Item>,
    shared: Arc<Shared>,
}

/// The files of a table, opened, with their stream's name.
pub(super) struct OpenedFile {
    pub(super) stream: String,
    pub(super) file: FileEntry,
    pub(super) opened: Opened,
}

/// What a plan reads.
pub(super) struct Events {
    pub(super) schema: SchemaRef,
    pub(super) partitions: Vec<Arc<dyn PartitionStream>>,
    pub(super) shared: Arc<Shared>,
}

/// Makes partitions of files, and settles which columns may have several values.
pub(super) async fn events(mut shared: Shared, files: Vec<OpenedFile>, threads: usize) -> Result<Events> {
    let mut items = Vec::new();
    for OpenedFile { stream, file, mut opened } in files {
        let (mut marked, mut has_gaps) = (false, false);
        for column in &mut shared.columns {
            let Origin::Column { gaps } = column.origin else { continue };
            let group_has_gaps =
                |group: &usize| scan::has_gaps(opened.builder.metadata().row_group(*group), &column.name);
            has_gaps |= gaps && opened.row_groups.iter().any(group_has_gaps);
            let mut is_marked = false;
            for group in &opened.row_groups {
                let place = &opened.place;
                is_marked = is_marked || has_marks(&mut opened.builder, *group, &column.name, place).await?;
            }
            marked |= is_marked;
            // Of a field that is held in one value, documents may have several; of times, those without a day.
            let is_time = column.name == TIMESTAMP && column.form.kind == DataType::Datetime;
            column.form.several |= if is_time { file.day.is_none() } else { is_marked && column.name != ID };
        }
        let index = index_of(&stream, &file, &opened);
        if index.as_ref().is_some_and(|index| !shared.chooses(index)) {
            continue;
        }
        items.push(item_of(file, opened, index, Doubts { marked, has_gaps })?);
    }
    let fields: Vec<ArrowField> = shared
        .columns
        .iter()
        .map(|column| ArrowField::new(plan_name(column.id), column.form.data_type(), true))
        .collect();
    let schema: SchemaRef = Arc::new(ArrowSchema::new(fields));
    let shared = Arc::new(shared);
    let partition = |items: Vec<Item>| -> Arc<dyn PartitionStream> {
        Arc::new(Partition { schema: Arc::clone(&schema), items, shared: Arc::clone(&shared) })
    };
    let partitions = shares(items, threads.max(1)).into_iter().map(partition).collect();
    Ok(Events { schema, partitions, shared })
}

fn item_of(file: FileEntry, opened: Opened, index: Option<String>, doubts: Doubts) -> Result<Item> {
    let Opened { place, builder, row_groups } = opened;
    let metadata = Arc::clone(builder.metadata());
    let metadata = ArrowReaderMetadata::try_new(metadata, read::options(true));
    let metadata = metadata.map_err(|error| StoreError::of_file(place, &error))?;
    Ok(Item { file, metadata, row_groups, index, doubts })
}

/// Row groups dealt out so that each thread has about as many rows.
fn shares(items: Vec<Item>, threads: usize) -> Vec<Vec<Item>> {
    let mut groups: Vec<(u64, Item)> = Vec::new();
    for item in items {
        for group in &item.row_groups {
            let rows = item.metadata.metadata().row_group(*group).num_rows().unsigned_abs();
            groups.push((rows, Item { row_groups: vec![*group], ..item.clone() }));
        }
    }
    groups.sort_by_key(|(rows, _)| std::cmp::Reverse(*rows));
    let mut shares: Vec<(u64, Vec<Item>)> = (0..threads).map(|_| (0, Vec::new())).collect();
    for (rows, item) in groups {
        if let Some((sum, share)) = shares.iter_mut().min_by_key(|(sum, _)| *sum) {
            *sum += rows;
            share.push(item);
        }
    }
    shares.into_iter().map(|(_, items)| items).collect()
}

/// The index of all events of a file, where they have the same one.
fn index_of(stream: &str, file: &FileEntry, opened: &Opened) -> Option<String> {
    if file.index.is_some() {
        return file.index.clone();
    }
    let metadata = opened.builder.metadata();
    let group_has_index = |group: &usize| {
        let group = metadata.row_group(*group);
        leaf_of(group.schema_descr(), INDEX).is_some_and(|column| has_values(group, column))
    };
    let names_none = !opened.row_groups.iter().any(group_has_index);
    (names_none && stream != STREAM_DEFAULT).then(|| stream.to_owned())
}

impl PartitionStream for Partition {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let (shared, schema) = (Arc::clone(&self.shared), Arc::clone(&self.schema));
        let batches = stream::iter(self.items.clone())
            .map(move |item| {
                Ok::<_, DataFusionError>(files::batches(item, Arc::clone(&shared), Arc::clone(&schema)))
            })
            .try_flatten();
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), batches))
    }
}
