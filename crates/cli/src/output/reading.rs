//! What is shown on standard error while an input is read: problems as they come, and a progress bar on terminals.

use std::time::{Duration, Instant};

use indicatif::{DecimalBytes, HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};
use maxspan_pipeline::input::{InputProblem, Progress};

use super::messages::{Messages, input_problem};
use crate::terminal;

/// How often the progress bar is drawn anew.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);

/// An input that is being read.
pub(crate) struct Reading {
    problems: Messages,
    bar: ProgressBar,
    started: Instant,
    drawn: Instant,
}

impl Reading {
    /// Nothing is read yet; with `quiet` there is no bar.
    pub(crate) fn new(quiet: bool) -> Self {
        let shown = !quiet && terminal::stderr_is_terminal();
        let target = if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let now = Instant::now();
        Self {
            problems: Messages::new("problem"),
            bar: ProgressBar::with_draw_target(None, target),
            started: now,
            drawn: now,
        }
    }

    /// Shows something that could not be read.
    pub(crate) fn problem(&mut self, problem: &InputProblem) {
        if let Some(text) = self.problems.next(|| input_problem(problem)) {
            self.bar.suspend(|| terminal::say(&text));
        }
    }

    /// Moves the bar.
    pub(crate) fn progress(&mut self, progress: Progress, events: u64) {
        if self.bar.is_hidden() || self.drawn.elapsed() < PROGRESS_INTERVAL {
            return;
        }
        self.drawn = Instant::now();
        if self.bar.length().is_none() {
            self.bar.set_style(style(progress.bytes_total.is_some()));
            progress.bytes_total.into_iter().for_each(|total| self.bar.set_length(total));
        }
        let seconds = self.started.elapsed().as_secs_f64();
        let events_rate = HumanCount((events as f64 / seconds) as u64);
        let bytes_rate = DecimalBytes((progress.bytes_read as f64 / seconds) as u64);
        self.bar
            .set_message(format!("{} events  {events_rate} events/s  {bytes_rate}/s", HumanCount(events)));
        self.bar.set_position(progress.bytes_read);
    }

    /// Ends progress and problems; the number of these.
    pub(crate) fn close(&mut self) -> u64 {
        self.bar.finish_and_clear();
        if let Some(rest) = self.problems.rest() {
            terminal::say(&rest);
        }
        self.problems.count()
    }
}

/// A bar where the end is known, else a spinner.
fn style(end_known: bool) -> ProgressStyle {
    let template =
        if end_known { "{bar:24} {percent:>3}%  {msg}  {eta} left" } else { "{spinner} {msg}  {elapsed}" };
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
