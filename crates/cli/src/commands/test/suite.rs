//! Files read and cases run on several threads; the report is the same however many there are.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use maxspan_pipeline::limits::SPEC_BYTES_MAX;
use maxspan_pipeline::spec::{Case, CaseOutcome, Runner, SpecFile, Verdict, parse};

use super::arguments::TestArguments;
use super::files::SpecSource;
use super::report::{CaseReport, FileReport, Report};

/// The cases of a run.
pub(super) struct Suite<'a> {
    sources: &'a [SpecSource],
    /// In lower case.
    filter: Option<String>,
    fail_fast: bool,
    jobs: usize,
}

/// A file as it was read: its spec, or why there is none.
type Read = Result<SpecFile, String>;

impl<'a> Suite<'a> {
    pub(super) fn new(arguments: &TestArguments, sources: &'a [SpecSource]) -> Self {
        let processors = || thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            sources,
            filter: arguments.filter.as_ref().map(|filter| filter.to_lowercase()),
            fail_fast: arguments.fail_fast,
            jobs: arguments.jobs.map_or_else(processors, std::num::NonZero::get),
        }
    }

    /// Reads all files and runs their cases.
    pub(super) fn run(&self, runner: &Runner<'_>) -> Report {
        let never = AtomicBool::new(false);
        let specs = parallel(self.sources.len(), self.jobs, &never, |at| read(&self.sources[at].path));
        let specs: Vec<Read> = specs.into_iter().map(|read| read.unwrap_or(Err(String::new()))).collect();
        let cases = self.cases(&specs);
        let stop = AtomicBool::new(false);
        let mut outcomes = parallel(cases.len(), self.jobs, &stop, |at| {
            let (spec, case) = cases[at];
            let outcome = runner.run(spec, case);
            if self.fail_fast && !is_good(&outcome) {
                stop.store(true, Ordering::Relaxed);
            }
            outcome
        });
        if self.fail_fast {
            // Others may have ended meanwhile: what counts is the first in the order of the files.
            let first = outcomes.iter().position(|found| found.as_ref().is_some_and(|one| !is_good(one)));
            outcomes.iter_mut().skip(first.map_or(usize::MAX, |at| at + 1)).for_each(|found| *found = None);
        }
        let mut outcomes = outcomes.into_iter();
        let reports: Vec<Vec<CaseReport>> = specs
            .iter()
            .map(|spec| {
                let of_file = spec.iter().flat_map(|spec| self.cases_of(spec));
                let reports: Vec<_> = of_file.zip(&mut outcomes).filter_map(case_report).collect();
                reports
            })
            .collect();
        let files = self.sources.iter().zip(specs).zip(reports);
        let files = files.filter_map(|((source, spec), cases)| self.file_report(source, spec, cases));
        Report { files: files.collect(), seconds: 0.0 }
    }

    fn cases<'s>(&self, specs: &'s [Read]) -> Vec<(&'s SpecFile, &'s Case)> {
        let specs = specs.iter().flatten();
        specs.flat_map(|spec| self.cases_of(spec).map(move |case| (spec, case))).collect()
    }

    fn cases_of<'s>(&self, spec: &'s SpecFile) -> impl Iterator<Item = &'s Case> {
        let is_wanted = |case: &&Case| {
            self.filter.as_ref().is_none_or(|filter| {
                case.title().to_lowercase().contains(filter)
                    || spec.source.name.to_lowercase().contains(filter)
            })
        };
        spec.cases.iter().filter(is_wanted).collect::<Vec<_>>().into_iter()
    }

    /// None for a file in a folder that is no spec, or of which no case is wanted.
    fn file_report(&self, source: &SpecSource, read: Read, cases: Vec<CaseReport>) -> Option<FileReport> {
        let path = source.path.clone();
        match read {
            Ok(spec) => {
                let is_wanted = !cases.is_empty() || self.filter.is_none();
                let problem = (source.is_named && !spec.is_spec()).then(|| "there are no cases".to_owned());
                let is_said = problem.is_some() || spec.is_spec();
                (is_wanted && is_said).then(|| FileReport { path, spec: Arc::new(spec), cases, problem })
            }
            Err(problem) if source.is_named || self.filter.is_none() => {
                let spec = Arc::new(parse(&path.display().to_string(), ""));
                Some(FileReport { path, spec, cases, problem: Some(problem) })
            }
            Err(_) => None,
        }
    }
}

fn case_report((case, outcome): (&Case, Option<CaseOutcome>)) -> Option<CaseReport> {
    Some(CaseReport { title: case.title(), line: case.line, outcome: outcome? })
}

fn is_good(outcome: &CaseOutcome) -> bool {
    matches!(outcome.verdict, Verdict::Passed | Verdict::Skipped(_))
}

fn read(path: &Path) -> Read {
    let metadata = fs::metadata(path).map_err(|error| error.to_string())?;
    if metadata.len() > SPEC_BYTES_MAX as u64 {
        return Err(format!("the file has {} bytes, over the limit of {SPEC_BYTES_MAX}", metadata.len()));
    }
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    Ok(parse(&path.display().to_string(), &text))
}

/// `make` of every number below `count`, on as many threads as there are jobs; none for those after a stop.
fn parallel<T: Send>(
    count: usize,
    jobs: usize,
    stop: &AtomicBool,
    make: impl Fn(usize) -> T + Sync,
) -> Vec<Option<T>> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut made = Vec::new();
        while !stop.load(Ordering::Relaxed) {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= count {
                break;
            }
            made.push((at, make(at)));
        }
        made
    };
    let mut all: Vec<Option<T>> = (0..count).map(|_| None).collect();
    let workers = jobs.min(count).max(1);
    thread::scope(|scope| {
        let others: Vec<_> = (1..workers).map(|_| scope.spawn(work)).collect();
        let mine = work();
        let theirs = others.into_iter().flat_map(|worker| match worker.join() {
            Ok(made) => made,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        for (at, value) in mine.into_iter().chain(theirs.collect::<Vec<_>>()) {
            all[at] = Some(value);
        }
    });
    all
}
