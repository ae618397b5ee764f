//! What became of all cases, by file; every format is written from this.

use std::path::PathBuf;
use std::sync::Arc;

use maxspan_diagnostics::{Diagnostic, Source};
use maxspan_pipeline::spec::{CaseOutcome, SpecFile, Verdict};

use crate::output::messages::rendered;

/// The outcome of a run.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// Files with cases, in order.
    pub(super) files: Vec<FileReport>,
    /// Wall time.
    pub(super) seconds: f64,
}

/// The outcome of one file.
#[derive(Debug)]
pub(super) struct FileReport {
    pub(super) path: PathBuf,
    pub(super) spec: Arc<SpecFile>,
    /// Cases that were run, in order.
    pub(super) cases: Vec<CaseReport>,
    /// Why the file as a whole cannot be used.
    pub(super) problem: Option<String>,
}

/// The outcome of one case.
#[derive(Debug)]
pub(super) struct CaseReport {
    /// Its headings.
    pub(super) title: String,
    pub(super) line: usize,
    pub(super) outcome: CaseOutcome,
}

/// How many cases there were of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) passed: usize,
    pub(super) failed: usize,
    pub(super) skipped: usize,
    /// Cases that cannot be run, and errors that are about no case.
    pub(super) broken: usize,
}

impl Report {
    pub(super) fn counts(&self) -> Counts {
        self.files.iter().map(FileReport::counts).fold(Counts::default(), Counts::plus)
    }
}

impl FileReport {
    pub(super) fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for case in &self.cases {
            *match case.outcome.verdict {
                Verdict::Passed => &mut counts.passed,
                Verdict::Failed => &mut counts.failed,
                Verdict::Skipped(_) => &mut counts.skipped,
                Verdict::Broken(_) => &mut counts.broken,
            } += 1;
        }
        if counts.broken == 0 {
            counts.broken = usize::from(self.problem.is_some() || self.errors().next().is_some());
        }
        counts
    }

    /// Whether there is nothing to report.
    pub(super) fn is_empty(&self) -> bool {
        self.cases.is_empty() && self.problem.is_none() && self.errors().next().is_none()
    }

    /// What is wrong with the text of the spec.
    pub(super) fn errors(&self) -> impl Iterator<Item = &Diagnostic> {
        self.spec.diagnostics.iter()
    }

    /// The same as text with the lines that are meant.
    pub(super) fn rendered_errors(&self) -> impl Iterator<Item = String> {
        let source: &Source = &self.spec.source;
        self.errors().map(move |diagnostic| rendered(source, diagnostic))
    }

    pub(super) fn seconds(&self) -> f64 {
        self.cases.iter().map(|case| case.outcome.seconds).sum()
    }
}

impl Counts {
    fn plus(self, other: Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
            skipped: self.skipped + other.skipped,
            broken: self.broken + other.broken,
        }
    }

    /// `3 passed, 1 failed, 0 skipped (12 ms)`; broken ones only where there are any.
    pub(super) fn line(self, seconds: f64) -> String {
        let Self { passed, failed, skipped, broken } = self;
        let broken = if broken > 0 { format!(", {broken} broken") } else { String::new() };
        format!("{passed} passed, {failed} failed, {skipped} skipped{broken} in {}", time(seconds))
    }
}

/// `12 ms`, `3.4 s`.
pub(super) fn time(seconds: f64) -> String {
    // The sum of no times is a negative zero.
    let seconds = seconds + 0.0;
    if seconds < 1.0 { format!("{:.0} ms", seconds * 1e3) } else { format!("{seconds:.1} s") }
}
