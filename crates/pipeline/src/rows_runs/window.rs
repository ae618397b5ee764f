//! The rows of a rule's window, kept from run to run as far as memory goes.

use std::collections::VecDeque;
use std::sync::Arc;

use maxspan_engine::{KeptEvent, SpillError};
use maxspan_esql::Value;

/// Makes the row of an event; none where it cannot be read.
pub(super) type Read<'r> = dyn FnMut(&KeptEvent) -> Result<Option<Row>, SpillError> + 'r;

/// The row of an event.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) values: Vec<Value>,
    /// `_id`, where the query asks for it.
    pub(super) id: Arc<str>,
}

/// The rows of the last window.
#[derive(Debug, Default)]
pub(super) struct RowsWindow {
    /// By the arrival of their events, in the order of these.
    rows: VecDeque<(u64, Option<Row>)>,
    bytes: usize,
    /// They took too much memory once, and are kept no more.
    too_many: bool,
    /// Events that could not be read.
    pub(super) unread: u64,
}

/// How a window differs from the one before.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moved {
    /// So many events are not in it any more.
    pub(super) dropped: usize,
    /// The first one that was not in the window before.
    pub(super) first_new: usize,
}

impl RowsWindow {
    /// Goes on to the next window: what it shares with the last one are its first events.
    pub(super) fn advance(
        &mut self,
        events: &[&KeptEvent],
        read: &mut Read<'_>,
        bytes_max: usize,
    ) -> Result<Moved, SpillError> {
        if self.too_many {
            return Ok(Moved { dropped: 0, first_new: 0 });
        }
        let first = events.first().map(|event| event.arrival());
        let mut dropped = 0;
        while let Some((_, row)) = self.rows.pop_front_if(|(arrival, _)| Some(*arrival) != first) {
            self.bytes -= bytes(row.as_ref());
            dropped += 1;
        }
        let first_new = self.rows.len().min(events.len());
        for event in &events[first_new..] {
            let row = read(event)?;
            self.unread += u64::from(row.is_none());
            self.bytes += bytes(row.as_ref());
            self.rows.push_back((event.arrival(), row));
            if self.bytes > bytes_max {
                *self = Self { too_many: true, unread: self.unread, ..Self::default() };
                break;
            }
        }
        Ok(Moved { dropped, first_new })
    }

    /// The row of an event of the window, by its number; the outer none where rows are not kept.
    pub(super) fn row(&self, number: usize) -> Option<Option<Row>> {
        self.rows.get(number).map(|(_, row)| row.clone())
    }
}

fn bytes(row: Option<&Row>) -> usize {
    let heap = row.map_or(0, |row| {
        size_of_val(&*row.values) + row.values.iter().map(Value::heap_bytes).sum::<usize>() + row.id.len()
    });
    heap + size_of::<(u64, Option<Row>)>()
}
