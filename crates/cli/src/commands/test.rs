//! `maxspan test`: specs out of files, cases on several threads, the outcome in several formats.

pub(crate) mod arguments;
mod files;
mod github;
mod json;
mod junit;
mod report;
mod suite;
mod text;
mod watch;

use std::fs;
use std::io::{self, BufWriter, Write as _};
use std::path::PathBuf;
use std::time::Instant;

use maxspan_pipeline::spec::{DiskFiles, Runner, RunnerOptions, edited};

use crate::exit::{Exit, Failure};
use crate::terminal::{self, Paint};
use arguments::{TestArguments, TestFormat};
use files::SpecSource;
use report::{Counts, FileReport, Report};

const OUTCOME: &str = "the outcome";

pub(crate) fn run(arguments: &TestArguments) -> Result<Exit, Failure> {
    if let Some(rules) = &arguments.rules {
        fs::metadata(rules).map_err(|error| Failure::usage(format!("rules {}: {error}", rules.display())))?;
    }
    if arguments.watch {
        return watch::run(arguments);
    }
    let sources = files::find(&arguments.paths)?;
    let mut report = run_specs(arguments, &sources);
    if arguments.update && update(&report)? {
        report = run_specs(arguments, &sources);
    }
    if report.files.iter().all(FileReport::is_empty) {
        return Err(Failure::usage(no_cases(arguments)));
    }
    write(arguments, &report)?;
    Ok(exit(report.counts()))
}

fn no_cases(arguments: &TestArguments) -> String {
    let paths: Vec<String> = arguments.paths.iter().map(|path| path.display().to_string()).collect();
    match &arguments.filter {
        Some(filter) => format!("no case in {} has `{filter}`", paths.join(", ")),
        None => format!("there are no cases in {}", paths.join(", ")),
    }
}

fn exit(counts: Counts) -> Exit {
    match counts {
        Counts { broken: 1.., .. } => Exit::Usage,
        Counts { failed: 1.., .. } => Exit::Rules,
        _ => Exit::Success,
    }
}

/// Runs the cases of these files.
fn run_specs(arguments: &TestArguments, sources: &[SpecSource]) -> Report {
    let started = Instant::now();
    let files = DiskFiles;
    let options = RunnerOptions { fallback_rules: arguments.rules.clone(), ..RunnerOptions::default() };
    let runner = Runner::new(&files, options);
    let suite = suite::Suite::new(arguments, sources);
    let mut report = suite.run(&runner);
    report.seconds = started.elapsed().as_secs_f64();
    report
}

/// Writes the edits of cases that failed into their files; whether there were any.
fn update(report: &Report) -> Result<bool, Failure> {
    let mut changed = Vec::new();
    for file in &report.files {
        let edits: Vec<_> = file.cases.iter().flat_map(|case| case.outcome.edits.iter().cloned()).collect();
        if edits.is_empty() {
            continue;
        }
        let text = edited(&file.spec.source.text, &edits);
        fs::write(&file.path, text).map_err(Failure::output(&file.path.display().to_string()))?;
        changed.push(file.path.clone());
    }
    for path in &changed {
        terminal::say(&format!("updated {}", path.display()));
    }
    Ok(!changed.is_empty())
}

fn write(arguments: &TestArguments, report: &Report) -> Result<(), Failure> {
    let output = &arguments.output;
    let to_file = output.file.is_some();
    let paint = if to_file { Paint::none() } else { Paint::stdout() };
    let text = match output.format {
        TestFormat::Text => text::text(report, output.quiet, output.verbose, paint),
        TestFormat::Junit => junit::xml(report),
        TestFormat::Github => github::annotations(report),
        TestFormat::Json => json::json(report),
    };
    if output.format == TestFormat::Github {
        github::write_summary(report);
    }
    written(output.file.as_ref(), &text).map_err(Failure::output(OUTCOME))?;
    // Where the outcome is for a machine, or in a file, a person still wants to know.
    if to_file || output.format != TestFormat::Text {
        terminal::say(&report.counts().line(report.seconds));
    }
    Ok(())
}

fn written(path: Option<&PathBuf>, text: &str) -> io::Result<()> {
    if let Some(path) = path {
        return fs::write(path, text);
    }
    let mut writer = BufWriter::new(io::stdout().lock());
    writer.write_all(text.as_bytes())?;
    writer.flush()
}
