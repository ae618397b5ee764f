//! Events in groups by the values of fields, over the windows of a schedule: thresholds and new terms.

use crate::stream::Step;

/// Which groups of events are found, in which runs of a schedule.
#[derive(Debug, Clone)]
pub struct Grouped {
    /// First the events that count, and the fields whose values make a group; then, where different values are counted,
    /// the same events with the field that has them.
    pub steps: Vec<Step>,
    /// What a run looks at.
    pub windows: Windows,
    /// What is asked of a group.
    pub test: GroupTest,
}

/// What is asked of a group of events in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupTest {
    /// That there are many.
    Count {
        /// At least so many events.
        events: u64,
        /// At least so many different values of the second step's field.
        values: Option<u64>,
    },
    /// Nothing: they are handed out, all of a window together.
    All,
    /// That there was none before.
    New {
        /// Where the history begins, in milliseconds from the end of the window; negative.
        history_ms: i64,
    },
}

/// The runs of a schedule, and the span of time that each looks at.
///
/// Runs are at whole multiples of the interval since 1970 (UTC), so that they do not depend on where the data begins;
/// or there is one, at a moment of its own. Times are milliseconds since 1970, beyond some 200 million years they stick
/// to the ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Windows {
    /// From run to run, above 0.
    pub interval_ms: i64,
    /// Start of the window, from the run; included.
    pub from_ms: i64,
    /// End of the window, from the run; included.
    pub to_ms: i64,
    /// A run, which says where all are.
    pub anchor_ms: i64,
    /// The first and the last run that may raise something. Runs before them happen all the same, since later ones go by
    /// what they found.
    pub raising: (i64, i64),
}

/// From a run that is alone to those that are not: beyond all times of events.
const ALONE_MS: i64 = 1 << 62;

impl Windows {
    /// Runs at whole multiples of the interval, all of which may raise something.
    pub fn every(interval_ms: i64, from_ms: i64, to_ms: i64) -> Self {
        Self { interval_ms, from_ms, to_ms, anchor_ms: 0, raising: (i64::MIN, i64::MAX) }
    }

    /// One run.
    pub fn once(run_ms: i64, from_ms: i64, to_ms: i64) -> Self {
        Self { interval_ms: ALONE_MS, from_ms, to_ms, anchor_ms: run_ms, raising: (run_ms, run_ms) }
    }

    /// Only the runs that are the first to see an event of a span of time raise something.
    pub fn raising_for(self, first_ms: i64, last_ms: i64) -> Self {
        Self { raising: (self.first_run(first_ms), self.first_run(last_ms)), ..self }
    }

    /// Whether a run may raise something.
    pub fn raises(&self, run_ms: i64) -> bool {
        (self.raising.0..=self.raising.1).contains(&run_ms)
    }

    /// Whether there is one run.
    pub fn is_alone(&self) -> bool {
        self.interval_ms == ALONE_MS
    }

    /// How long a window is.
    pub fn width_ms(&self) -> i64 {
        self.to_ms.saturating_sub(self.from_ms).max(0)
    }

    /// The first run whose window ends at a moment or later.
    pub fn first_run(&self, at_ms: i64) -> i64 {
        let earliest = at_ms.saturating_sub(self.to_ms);
        self.run_from(earliest)
    }

    /// The first run at a moment or later.
    pub fn run_from(&self, at_ms: i64) -> i64 {
        let run = self.last_multiple(at_ms);
        if run < at_ms { run.saturating_add(self.interval_ms) } else { run }
    }

    /// Only runs up to a moment raise something.
    #[must_use]
    pub fn raising_until(self, at_ms: i64) -> Self {
        Self { raising: (self.raising.0, self.raising.1.min(self.last_multiple(at_ms))), ..self }
    }

    /// The last run whose window begins before a moment.
    pub fn last_run_from_before(&self, at_ms: i64) -> i64 {
        self.last_multiple(at_ms.saturating_sub(self.from_ms).saturating_sub(1))
    }

    /// The first run after a moment.
    pub fn run_after(&self, at_ms: i64) -> i64 {
        self.last_multiple(at_ms).saturating_add(self.interval_ms)
    }

    /// Start of a run's window.
    pub fn from(&self, run_ms: i64) -> i64 {
        run_ms.saturating_add(self.from_ms)
    }

    /// End of a run's window.
    pub fn to(&self, run_ms: i64) -> i64 {
        run_ms.saturating_add(self.to_ms)
    }

    /// The number of the last run at a moment or before; runs are numbered one after the other.
    pub fn number(&self, at_ms: i64) -> i64 {
        at_ms.saturating_sub(self.anchor_ms).div_euclid(self.interval_ms)
    }

    /// The run of a number.
    pub fn numbered(&self, number: i64) -> i64 {
        number.saturating_mul(self.interval_ms).saturating_add(self.anchor_ms)
    }

    fn last_multiple(&self, at_ms: i64) -> i64 {
        self.numbered(self.number(at_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_at_multiples_of_the_interval() {
        let windows = Windows::every(5, -9, 0);
        let check = |at: i64, first: i64, last: i64| {
            assert_eq!((windows.first_run(at), windows.last_run_from_before(at)), (first, last), "{at}");
        };
        check(0, 0, 5);
        check(1, 5, 5);
        check(2, 5, 10);
        check(5, 5, 10);
        check(-1, 0, 5);
        check(-3, 0, 5);
        assert_eq!((windows.run_after(4), windows.run_after(5)), (5, 10));
        let late = Windows::every(5, -9, -2);
        assert_eq!((late.first_run(3), late.first_run(4)), (5, 10));
        assert_eq!((late.from(10), late.to(10)), (1, 8));
    }

    #[test]
    fn a_run_can_be_alone() {
        let windows = Windows::once(7, -9, 0);
        let check = |at: i64, first: i64, sees: bool| {
            assert_eq!(windows.first_run(at), first, "{at}");
            let in_window = first <= windows.last_run_from_before(at + 1);
            assert_eq!(in_window && windows.raises(first), sees, "{at}");
        };
        check(-3, 7, false);
        check(-2, 7, true);
        check(7, 7, true);
        check(8, 7 + ALONE_MS, false);
    }

    #[test]
    fn a_span_of_time_has_the_runs_that_see_its_events_first() {
        let windows = Windows::every(5, -9, 0).raising_for(6, 15);
        assert_eq!(windows.raising, (10, 15));
        let raising: Vec<i64> = (0..5).map(|number| number * 5).filter(|run| windows.raises(*run)).collect();
        assert_eq!(raising, [10, 15]);
        assert_eq!(windows.raising_until(14).raising, (10, 10));
        let any = Windows::every(5, -9, 0).raising_for(i64::MIN / 2, i64::MAX / 2);
        assert!(any.raises(0) && any.raises(i64::MAX / 4));
    }
}
