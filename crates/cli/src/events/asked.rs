//! ES|QL over a store, and answers as Arrow: what needs the crate `store`.

use std::io;
use std::sync::Arc;

use maxspan_diagnostics::{Source, codes};
use maxspan_esql::run::RunError;
use maxspan_event::date;
use maxspan_pipeline::query::QueryOptions;
use maxspan_pipeline::query::documents::DocumentRows;
use maxspan_pipeline::query::rows::{RowsAnswer, RowsError, RunLimits, run_elsewhere};
use maxspan_store::limits::MEMORY_DEFAULT;
use maxspan_store::{
    DocumentRow, QueryError, ReadRow, RowsOfDocuments, Store, StoreError, StoreOptions, StoredQuery,
};

use crate::exit::Failure;

/// The answer of a store.
pub(super) fn query(
    name: &str,
    source: &Source,
    options: &QueryOptions,
    limits: RunLimits,
) -> Result<RowsAnswer, RowsError> {
    let memory = limits.memory_bytes.unwrap_or(MEMORY_DEFAULT);
    let store_options = StoreOptions { threads: options.threads, ..StoreOptions::default() };
    run_elsewhere(source, options, |query| {
        if query.commands.iter().all(|command| command.as_scan().is_none()) {
            return Err(RowsError::Events("a query of a store begins with FROM".to_owned()));
        }
        let store = Store::open(name, store_options).map_err(|error| refused(&error))?;
        let request = StoredQuery {
            query,
            schema: &options.schema,
            documents: Arc::new(Documents(Arc::new(DocumentRows::new(query, options)))),
            tables: &options.tables,
            now_ms: date::to_millis(options.now),
            memory,
            timeout: limits.timeout,
        };
        match store.query(&request) {
            Ok(answer) => Ok((answer.outcome, answer.events)),
            Err(QueryError::Timeout) => Err(RowsError::Timeout(limits.timeout.unwrap_or_default())),
            Err(QueryError::Run(error)) => Err(RowsError::Run(error)),
            Err(QueryError::Store(error)) if error.code == codes::STORE_MEMORY => {
                Err(RowsError::Run(RunError::Memory { limit: memory }))
            }
            Err(QueryError::Store(error)) => Err(refused(&error)),
        }
    })
}

fn refused(error: &StoreError) -> RowsError {
    RowsError::Events(error.to_string())
}

/// Rows by the code that reads them from files.
struct Documents(Arc<DocumentRows>);

impl RowsOfDocuments for Documents {
    fn reader(&self) -> ReadRow {
        let mut reader = self.0.reader();
        Box::new(move |event| {
            let (index, values) = reader.read(event.index, event.id, event.source)?;
            Ok(DocumentRow { index, values })
        })
    }
}

/// Writes an answer to standard output as an Arrow file.
pub(crate) fn write_arrow(answer: &RowsAnswer) -> Result<(), Failure> {
    maxspan_store::write_arrow(&answer.columns, &answer.rows, io::stdout().lock())
        .map_err(Failure::output("the answer"))
}
