//! The events with the fewest conditions in their way, out of any number, in bounded memory.

use crate::input::RawEvent;

/// The nearest events so far, nearest first; of equally near ones the earlier.
#[derive(Debug)]
pub(super) struct Nearest {
    kept: Vec<(u32, u64, RawEvent)>,
    max: usize,
}

impl Nearest {
    pub(super) fn new(max: usize) -> Self {
        Self { kept: Vec::new(), max }
    }

    pub(super) fn offer(&mut self, distance: u32, arrival: u64, event: &RawEvent) {
        let place = self.kept.partition_point(|(other, ..)| *other <= distance);
        if place < self.max {
            self.kept.insert(place, (distance, arrival, event.clone()));
            self.kept.truncate(self.max);
        }
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
        let check = |distances: &[u32], max: usize, expected: &[u64]| {
            let mut nearest = Nearest::new(max);
            for (arrival, distance) in distances.iter().enumerate() {
                nearest.offer(*distance, arrival as u64, &event);
            }
            let kept: Vec<u64> = nearest.take().into_iter().map(|(arrival, _)| arrival).collect();
            assert_eq!(kept, expected);
        };
        check(&[3, 1, 2, 1], 2, &[1, 3]);
        check(&[3, 1], 5, &[1, 0]);
        check(&[1, 1, 1], 2, &[0, 1]);
        check(&[1], 0, &[]);
    }
}
