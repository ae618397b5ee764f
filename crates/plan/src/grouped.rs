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
/// Runs are at whole multiples of the interval since 1970 (UTC), so that they do not depend on where the data begins.
/// Times are milliseconds since 1970, beyond some 200 million years they stick to the ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Windows {
    /// From run to run, above 0.
    pub interval_ms: i64,
    /// Start of the window, from the run; included.
    pub from_ms: i64,
    /// End of the window, from the run; included.
    pub to_ms: i64,
}

impl Windows {
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

    fn last_multiple(&self, at_ms: i64) -> i64 {
        at_ms.div_euclid(self.interval_ms).saturating_mul(self.interval_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_at_multiples_of_the_interval() {
        let windows = Windows { interval_ms: 5, from_ms: -9, to_ms: 0 };
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
        let late = Windows { interval_ms: 5, from_ms: -9, to_ms: -2 };
        assert_eq!((late.first_run(3), late.first_run(4)), (5, 10));
        assert_eq!((late.from(10), late.to(10)), (1, 8));
    }
}
