//! Which runs of a schedule had events in their windows, how many, and what their caps left out: for those who keep
//! records of runs.
//!
//! Matches come in the order of time, so the runs that see one are never before those of the match before it: a line for
//! each stretch of time whose events the same runs see is enough, and runs are counted when they are asked for.

use std::collections::VecDeque;

use maxspan_plan::Windows;

use crate::limits::RUNS_LOGGED_MAX;

/// A run that had events in its window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunFacts {
    /// The moment of the run, in milliseconds since 1970.
    pub run_ms: i64,
    /// Events of its window that satisfied the rule's conditions.
    pub events: u64,
    /// What its cap left out; later runs may have raised it.
    pub capped: u64,
}

/// The runs of one rule.
#[derive(Debug)]
pub(super) struct RunLog {
    windows: Windows,
    /// First and last run that see a stretch of time, and its events; both grow.
    spans: VecDeque<(i64, i64, u64)>,
    cut: CutRuns,
}

impl RunLog {
    pub(super) fn new(windows: Windows) -> Self {
        Self { windows, spans: VecDeque::new(), cut: CutRuns::default() }
    }

    /// Takes an event, where there is room for so many stretches of time. False where there is none.
    pub(super) fn note(&mut self, at_ms: i64, room: &mut usize) -> bool {
        let first = self.windows.first_run(at_ms).max(self.windows.raising.0);
        // The window begins with its first millisecond.
        let last = self.windows.last_run_from_before(at_ms.saturating_add(1)).min(self.windows.raising.1);
        if first > last {
            return true;
        }
        match self.spans.back_mut() {
            Some((of_first, of_last, events)) if (*of_first, *of_last) == (first, last) => *events += 1,
            _ if *room == 0 => return false,
            _ => {
                *room -= 1;
                self.spans.push_back((first, last, 1));
            }
        }
        true
    }

    /// Takes what caps left out.
    pub(super) fn put_cut(&mut self, cut: CutRuns) {
        self.cut = cut;
    }

    /// The runs that had events, in order.
    pub(super) fn runs(&self) -> impl Iterator<Item = RunFacts> + '_ {
        let mut spans = self.spans.iter().peekable();
        let mut cut = self.cut.0.iter().peekable();
        let (mut open, mut next) = (VecDeque::new(), None);
        std::iter::from_fn(move || {
            if open.is_empty() {
                next = spans.peek().map(|(first, ..)| *first);
            }
            let run_ms = next?;
            while let Some(span) = spans.next_if(|(first, ..)| *first <= run_ms) {
                open.push_back(*span);
            }
            let events = open.iter().map(|(_, _, events)| events).sum();
            next = Some(run_ms.saturating_add(self.windows.interval_ms));
            while open.pop_front_if(|(_, last, _)| Some(*last) < next).is_some() {}
            while cut.next_if(|(run, _)| *run < run_ms).is_some() {}
            let capped = cut.peek().filter(|(run, _)| *run == run_ms).map_or(0, |(_, count)| *count);
            Some(RunFacts { run_ms, events, capped })
        })
    }
}

/// What the cap of each run left out, in the order of runs. Beyond [`RUNS_LOGGED_MAX`] runs nothing is noted; what was left
/// out in the end is counted in [`super::RuleCounters::capped`] all the same.
#[derive(Debug, Default)]
pub(super) struct CutRuns(Vec<(i64, u64)>);

impl CutRuns {
    pub(super) fn note(&mut self, run_ms: i64, left_out: u64) {
        if left_out > 0 && self.0.len() < RUNS_LOGGED_MAX {
            self.0.push((run_ms, left_out));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_count_the_events_of_their_windows() {
        let check = |windows: Windows, times: &[i64], expected: &[(i64, u64)]| {
            let (mut log, mut room) = (RunLog::new(windows), 100);
            assert!(times.iter().all(|at| log.note(*at, &mut room)));
            let found: Vec<_> = log.runs().map(|run| (run.run_ms, run.events)).collect();
            assert_eq!(found, expected, "{times:?}");
            let brute: Vec<_> = (-100..100)
                .map(|number| number * 5)
                .filter(|run| windows.raises(*run))
                .map(|run| (run, times.iter().filter(|at| (run - 9..=run).contains(at)).count() as u64))
                .filter(|(_, events)| *events > 0)
                .collect();
            assert_eq!(found, brute, "{times:?}");
        };
        let windows = Windows::every(5, -9, 0);
        check(windows, &[], &[]);
        check(windows, &[1, 5, 6], &[(5, 2), (10, 3), (15, 1)]);
        check(windows, &[1, 31], &[(5, 1), (10, 1), (35, 1), (40, 1)]);
        check(windows.raising_for(6, 10), &[1, 2, 3, 6, 11], &[(10, 4)]);
    }

    #[test]
    fn without_room_nothing_is_noted() {
        let (mut log, mut room) = (RunLog::new(Windows::every(5, -9, 0)), 1);
        assert!(log.note(1, &mut room) && log.note(1, &mut room) && !log.note(30, &mut room));
        assert_eq!(log.runs().map(|run| run.events).collect::<Vec<_>>(), [2, 2]);
    }
}
