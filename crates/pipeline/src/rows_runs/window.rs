//! The rows of a rule's window, kept from run to run as far as memory goes.

use std::collections::VecDeque;
use std::sync::Arc;

use maxspan_engine::KeptEvent;
use maxspan_esql::Value;
use maxspan_esql::run::RunError;

/// Makes the rows of an event.
pub(super) type Read<'r> = dyn FnMut(&KeptEvent) -> Result<Rows, RunError> + 'r;

/// What comes of one event.
#[derive(Debug, Clone, Default)]
pub(super) struct Rows {
    /// With a value for each column of the query.
    pub(super) rows: Box<[Vec<Value>]>,
    /// `_id`, where the query asks for it.
    pub(super) id: Option<Arc<str>>,
}

/// The rows of the last window.
#[derive(Debug, Default)]
pub(super) struct RowsWindow {
    /// By the arrival of their events, in the order of these.
    events: VecDeque<(u64, Rows)>,
    bytes: usize,
    /// They took too much memory once, and are kept no more.
    too_many: bool,
}

/// How a window differs from the one before.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moved {
    /// The first event that was not in the window before.
    pub(super) first_new: usize,
    /// Whether it has the same rows.
    pub(super) same_rows: bool,
}

impl RowsWindow {
    /// Goes on to the next window: what it shares with the last one are its first events.
    pub(super) fn advance(
        &mut self,
        events: &[&KeptEvent],
        read: &mut Read<'_>,
        bytes_max: usize,
    ) -> Result<Moved, RunError> {
        if self.too_many {
            return Ok(Moved { first_new: 0, same_rows: false });
        }
        let first = events.first().map(|event| event.arrival());
        let mut same_rows = true;
        while let Some((_, rows)) = self.events.pop_front_if(|(arrival, _)| Some(*arrival) != first) {
            self.bytes -= rows.bytes();
            same_rows &= rows.rows.is_empty();
        }
        let first_new = self.events.len().min(events.len());
        for event in &events[first_new..] {
            let rows = read(event)?;
            self.bytes += rows.bytes();
            same_rows &= rows.rows.is_empty();
            self.events.push_back((event.arrival(), rows));
            if self.bytes > bytes_max {
                *self = Self { too_many: true, ..Self::default() };
                return Ok(Moved { first_new, same_rows: false });
            }
        }
        Ok(Moved { first_new, same_rows })
    }

    /// What came of an event of the window, by its number; none where rows are not kept.
    pub(super) fn rows(&self, number: usize) -> Option<&Rows> {
        self.events.get(number).map(|(_, rows)| rows)
    }
}

impl Rows {
    fn bytes(&self) -> usize {
        let row = |row: &Vec<Value>| size_of_val(&**row) + row.iter().map(Value::heap_bytes).sum::<usize>();
        let id = self.id.as_ref().map_or(0, |id| id.len());
        size_of::<(u64, Self)>() + self.rows.iter().map(row).sum::<usize>() + id
    }
}
