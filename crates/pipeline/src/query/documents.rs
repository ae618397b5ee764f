//! Rows of a query from documents that somebody else stores: read as a hunt and a query over files read them.

use std::sync::Arc;

use maxspan_engine::{EventInput, RuleSet, RuleSetBuilder, Scratch};
use maxspan_esql::rows::RowReader;
use maxspan_esql::{Query, Value};
use maxspan_event::Slots;

use super::QueryOptions;
use crate::source::with_row_event;

/// What rows of a query are read with, by any number of threads.
#[derive(Debug)]
pub struct DocumentRows {
    rule_set: RuleSet,
    rows: RowReader,
    default_index: String,
}

/// Reads one document after the other.
#[derive(Debug)]
pub struct DocumentReader {
    shared: Arc<DocumentRows>,
    scratch: Scratch,
    slots: Slots,
}

impl DocumentRows {
    /// For a query with these options.
    pub fn new(query: &Query, options: &QueryOptions) -> Self {
        let rule_set = RuleSetBuilder::new(options.schema.clone()).build(options.normalize);
        let rows = RowReader::new(query, &options.schema);
        Self { rule_set, rows, default_index: options.default_index.clone() }
    }

    /// A reader for one thread.
    pub fn reader(self: &Arc<Self>) -> DocumentReader {
        DocumentReader { shared: Arc::clone(self), scratch: Scratch::default(), slots: Slots::default() }
    }
}

impl DocumentReader {
    /// The index of an event, and a value for each column of the query; `index` and `id` are what came with it. An error
    /// says what is wrong with the document.
    pub fn read(
        &mut self,
        index: Option<&str>,
        id: Option<&str>,
        source: &[u8],
    ) -> Result<(String, Vec<Value>), String> {
        let Self { shared, scratch, slots } = self;
        let input = EventInput { index, default_index: &shared.default_index, id, source };
        let view = shared.rule_set.view_event(&input, scratch).map_err(|error| error.message)?;
        let identity = (&*view.index, &view.id);
        let asks_id = shared.rows.asks_id();
        let row = with_row_event(identity, view.derived_os, source, asks_id, |event| {
            shared.rows.read(event, slots)
        });
        let row = row.map_err(|error| error.message)?;
        Ok((view.index.to_string(), row))
    }
}
