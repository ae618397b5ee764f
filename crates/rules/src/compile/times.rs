//! Which runs a rule has in a hunt, and how far before the hunt's window its events may be.
//!
//! A hunt looks for what happened in a window: sequences that end in it, runs of schedules that are the first to see an event
//! of it. These look back, so that hunts over adjacent windows find what one over both finds.

use maxspan_event::date::{from_millis, to_millis};
use maxspan_plan::{Plan, PlanKind, Step, Windows};

use super::{Compilation, Runs};
use crate::document::RuleParams;
use crate::limits::THRESHOLD_HISTORY_WINDOWS;

/// The last nanosecond of a millisecond.
const END_OF_MILLISECOND: i64 = 999_999;

impl Compilation<'_> {
    /// The runs of the rule's schedule that the options ask for.
    pub(super) fn windows(&self) -> Windows {
        let schedule = &self.rule.schedule;
        let (from_ms, to_ms) = (schedule.from.offset_ms, schedule.to.offset_ms);
        match (self.options.runs, self.options.window) {
            (Runs::Once, window) => {
                let (from, to) = window.unwrap_or((i64::MIN, i64::MAX));
                let run_ms = to_millis(to);
                let from_ms = if from == i64::MIN { from_ms } else { to_millis(from).saturating_sub(run_ms) };
                Windows::once(run_ms, from_ms, to_ms)
            }
            (Runs::Schedule, window) => {
                let every = Windows::every(schedule.interval_ms, from_ms, to_ms);
                let raising = |(from, to)| every.raising_for(to_millis(from), to_millis(to));
                let windows = window.map_or(every, raising);
                self.options.due.map_or(windows, |at| windows.raising_until(to_millis(at)))
            }
        }
    }

    /// Within which instants the rule's events are; none where any will do.
    pub(super) fn times(&self, plan: &Plan) -> Option<(i64, i64)> {
        let window = self.options.window;
        if self.options.runs == Runs::Once {
            let windows = self.windows();
            let run_ms = windows.anchor_ms;
            let from_ms = windows.from(run_ms).min(self.history_start(&windows, run_ms));
            return window.map(|_| span(from_ms, windows.to(run_ms)));
        }
        let (from, to) = window?;
        let back = |milliseconds: i64| from.saturating_sub(from_millis(milliseconds));
        if self.goes_by_runs() {
            let windows = self.windows();
            let (first, last) = windows.raising;
            return Some((from.min(from_millis(self.reach(&windows, first))), span(0, windows.to(last)).1));
        }
        let start = match &plan.kind {
            // Ancestors may have started long ago.
            _ if !plan.lineage.is_empty() => i64::MIN,
            PlanKind::Sequence(sequence) => {
                let own = || self.rule.schedule.from.reach_back_ms().max(0);
                let maxspan_ms = sequence.maxspan_ms.unwrap_or_else(own);
                // An event that must be missing before the first one can be maxspan before one that must be after the last.
                let is_missing = |step: Option<&Step>| step.is_some_and(|step| step.missing);
                let both = is_missing(sequence.steps.first()) && is_missing(sequence.steps.last());
                back(maxspan_ms.saturating_mul(1 + i64::from(both)))
            }
            _ => from,
        };
        Some((start, to))
    }

    fn goes_by_runs(&self) -> bool {
        let params = &self.rule.params;
        matches!(
            params,
            RuleParams::Threshold(_)
                | RuleParams::NewTerms(_)
                | RuleParams::ThreatMatch(_)
                | RuleParams::Esql
        )
    }

    /// The time of the first event that what the runs raise from the first one on depends on.
    fn reach(&self, windows: &Windows, first_run: i64) -> i64 {
        let from = windows.from(first_run);
        let before = match &self.rule.params {
            RuleParams::Threshold(_) => windows.width_ms().saturating_mul(THRESHOLD_HISTORY_WINDOWS),
            // Which events the runs before raised already.
            _ => windows.width_ms(),
        };
        let earliest = from.saturating_sub(before);
        // Events of these runs' windows were new in runs from the start of the first window on.
        earliest.min(self.history_start(windows, from.saturating_sub(windows.interval_ms)))
    }

    /// Where the history of a run begins; never, where the rule asks for none.
    fn history_start(&self, windows: &Windows, run_ms: i64) -> i64 {
        match &self.rule.params {
            RuleParams::NewTerms(params) => {
                windows.to(run_ms).saturating_add(params.history_window_start.offset_ms)
            }
            _ => i64::MAX,
        }
    }
}

/// From the start of a millisecond to the end of another.
fn span(first_ms: i64, last_ms: i64) -> (i64, i64) {
    (from_millis(first_ms), from_millis(last_ms).saturating_add(END_OF_MILLISECOND))
}
