//! The events with the fewest conditions in their way, out of any number, in bounded memory.
//!
//! Of events with as many conditions in their way, those are nearer that fail them for less: by the case of letters, or
//! by a wildcard that is none.

use crate::input::RawEvent;

/// How far an event is from matching: conditions in its way, and those of them that fail for more than a slip.
pub(super) type Far = (u32, u32);

/// The nearest events so far, nearest first; of equally near ones the earlier.
#[derive(Debug)]
pub(super) struct Nearest {
    kept: Vec<(Far, u64, RawEvent)>,
    max: usize,
}

impl Nearest {
    pub(super) fn new(max: usize) -> Self {
        Self { kept: Vec::new(), max }
    }

    /// Offers an event; `slips` counts the conditions that fail for more than a slip, and is only asked for where that
    /// decides.
    pub(super) fn offer(
        &mut self,
        distance: u32,
        slips: impl FnOnce() -> u32,
        arrival: u64,
        event: &RawEvent,
    ) {
        let full = self.kept.len() == self.max;
        if full && self.kept.last().is_none_or(|((worst, more), ..)| (distance, 0) >= (*worst, *more)) {
            return;
        }
        let far = (distance, slips());
        let place = self.kept.partition_point(|(other, ..)| *other <= far);
        self.kept.insert(place, (far, arrival, event.clone()));
        self.kept.truncate(self.max);
    }

    /// The events with their places in the order of arrival.
    pub(super) fn take(&mut self) -> Vec<(u64, RawEvent)> {
        std::mem::take(&mut self.kept).into_iter().map(|(_, arrival, event)| (arrival, event)).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::input::Location;

    #[test]
    fn the_nearest_stay_and_of_these_the_earliest() {
        let location = Location { file: Arc::from("f"), line: 1, ordinal: 1 };
        let event = RawEvent { source: Box::default(), index: None, id: None, location };
        let check = |distances: &[Far], max: usize, expected: &[u64]| {
            let mut nearest = Nearest::new(max);
            for (arrival, distance) in distances.iter().enumerate() {
                nearest.offer(distance.0, || distance.1, arrival as u64, &event);
            }
            let kept: Vec<u64> = nearest.take().into_iter().map(|(arrival, _)| arrival).collect();
            assert_eq!(kept, expected);
        };
        check(&[(3, 3), (1, 1), (2, 2), (1, 1)], 2, &[1, 3]);
        check(&[(3, 3), (1, 1)], 5, &[1, 0]);
        check(&[(1, 1), (1, 1), (1, 1)], 2, &[0, 1]);
        check(&[(1, 1), (1, 0), (1, 1)], 2, &[1, 0]);
        check(&[(1, 1), (1, 1), (1, 0)], 1, &[2]);
        check(&[(1, 1)], 0, &[]);
    }
}
