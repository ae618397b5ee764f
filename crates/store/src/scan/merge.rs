//! Files that overlap in time, merged into one order.

use std::sync::Arc;

use maxspan_diagnostics::codes;
use tokio::sync::mpsc::Receiver;

use super::EventBatch;
use crate::error::{Result, StoreError};
use crate::limits::SCAN_ROWS;
use crate::read::EventColumns;

/// The files that are open, each with the rows that are next. A file's rows are in the order of time.
#[derive(Debug)]
pub(super) struct Merge {
    open: Vec<Open>,
    open_max: usize,
    /// What went wrong with a file that is open no more.
    problems: Vec<StoreError>,
}

#[derive(Debug)]
struct Open {
    columns: Arc<EventColumns>,
    row: usize,
    rest: Receiver<Result<EventColumns>>,
}

impl Open {
    fn time(&self) -> i64 {
        self.columns.time(self.row).unwrap_or(i64::MIN)
    }
}

impl Merge {
    pub(super) fn new(open_max: usize) -> Self {
        Self { open: Vec::new(), open_max, problems: Vec::new() }
    }

    /// Whether a file that begins at this time must be open before more is given.
    pub(super) fn needs(&self, begin: i64) -> bool {
        self.open.iter().map(Open::time).min().is_none_or(|next| begin <= next)
    }

    /// Adds a file.
    pub(super) async fn add(&mut self, mut rest: Receiver<Result<EventColumns>>) -> Result<()> {
        if self.open.len() == self.open_max {
            let words = format!(
                "more than {} files overlap in time, and would have to be open at once; `maxspan store compact` makes \
                 one of them, --memory-limit allows more",
                self.open_max
            );
            return Err(StoreError::new(codes::STORE_MEMORY, "the store", words));
        }
        if let Some(columns) = next(&mut rest).await? {
            self.open.push(Open { columns, row: 0, rest });
        }
        Ok(())
    }

    /// The next events, up to where a file begins that is not open yet; none when there are none up to there.
    pub(super) async fn batch(&mut self, until: Option<i64>) -> Option<Result<EventBatch>> {
        if let Some(problem) = self.problems.pop() {
            return Some(Err(problem));
        }
        let mut batch = EventBatch::default();
        // The place of each open file's columns among those of the batch.
        let mut places: Vec<Option<u32>> = vec![None; self.open.len()];
        while batch.order.len() < SCAN_ROWS {
            let Some(first) = (0..self.open.len()).min_by_key(|number| self.open[*number].time()) else {
                break;
            };
            let open = &mut self.open[first];
            // Events of the very time at which the next file begins may come before it.
            if until.is_some_and(|until| open.time() > until) {
                break;
            }
            let place = *places[first].get_or_insert_with(|| {
                batch.columns.push(Arc::clone(&open.columns));
                batch.columns.len() as u32 - 1
            });
            batch.order.push((place, open.row as u32));
            open.row += 1;
            if open.row < open.columns.len() {
                continue;
            }
            match next(&mut open.rest).await {
                Ok(Some(columns)) => {
                    (open.columns, open.row) = (columns, 0);
                    places[first] = None;
                }
                ended => {
                    self.open.remove(first);
                    places.remove(first);
                    self.problems.extend(ended.err());
                }
            }
        }
        if !batch.is_empty() {
            return Some(Ok(batch));
        }
        self.problems.pop().map(Err)
    }
}

/// The next rows of a file that has some.
async fn next(rest: &mut Receiver<Result<EventColumns>>) -> Result<Option<Arc<EventColumns>>> {
    while let Some(columns) = rest.recv().await {
        let columns = columns?;
        if columns.len() > 0 {
            return Ok(Some(Arc::new(columns)));
        }
    }
    Ok(None)
}
