//! `cargo xtask test`: all tests with nothing but cargo, and at the end one line `N passed, N failed, N skipped`.
//!
//! Tests that need the shared packs print `SKIPPED:` where these are absent, and pass; so such a test counts both as
//! passed, as cargo says, and as skipped. In CI, absent packs are a failure. The same holds for tests that need Python, for
//! which one is made ([`python`]).

mod python;
mod summary;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::outcome::Outcome;
use crate::{cargo, paths};
pub(crate) use summary::Summary;

/// Runs all tests and prints the summary as the last line.
pub(crate) fn run() -> Outcome {
    let (summary, result) = run_all();
    if let Err(error) = &result {
        println!("error: {error:#}");
    }
    println!("{summary}");
    if result.is_ok() { Outcome::Passed } else { Outcome::Failed }
}

/// Runs all tests; the summary is there whatever the result.
pub(crate) fn run_all() -> (Summary, Result<()>) {
    let mut summary = Summary::default();
    let python = match python::python() {
        Ok(python) => python,
        Err(error) => return (summary, Err(error)),
    };
    let targets = run_tests(&["--all-targets"], python.as_deref(), &mut summary);
    let documentation = run_tests(&["--doc"], None, &mut summary);
    let packs = report_missing_packs();
    (summary, targets.and(documentation).and(packs))
}

fn run_tests(selection: &[&str], python: Option<&Path>, summary: &mut Summary) -> Result<()> {
    // A passed test's output is only shown, and so its `SKIPPED:` only seen, on demand.
    let mut command = cargo::command(&["test", "--workspace", "--no-fail-fast"]);
    command.args(selection).args(["--", "--show-output"]);
    if let Some(python) = python {
        command.env(python::VARIABLE, python);
    }
    let succeeded = follow(&mut command, summary)?;
    if !succeeded || summary.failed > 0 {
        bail!("`cargo test {}` failed", selection.join(" "));
    }
    Ok(())
}

fn follow(command: &mut Command, summary: &mut Summary) -> Result<bool> {
    let mut child = command.stdout(Stdio::piped()).spawn().with_context(|| format!("{command:?}"))?;
    let output = child.stdout.take().context("standard output is piped")?;
    let mut reader = BufReader::new(output);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        let text = String::from_utf8_lossy(&line);
        if summary.read_line(text.trim_end_matches(['\r', '\n'])) {
            print!("{text}");
        }
        line.clear();
    }
    Ok(child.wait()?.success())
}

fn report_missing_packs() -> Result<()> {
    let missing = paths::missing_packs();
    for pack in &missing {
        println!(
            "shared pack {} is not there: tests that read it were skipped (MAXSPAN_SHARED)",
            pack.display()
        );
    }
    if !missing.is_empty() && paths::in_ci() {
        bail!("shared packs are missing, which CI does not accept");
    }
    Ok(())
}
