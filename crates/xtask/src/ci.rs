//! `cargo xtask ci`: everything that CI checks, in order; every step runs, and one failed step fails the whole.
//!
//! A step whose tool or data is not on this machine says so. In CI that counts as failed, except for cargo-deny,
//! mdBook and valgrind, which CI does not install, and for fuzzing, which needs a nightly toolchain.

use std::fmt::Write;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};

use crate::outcome::Outcome;
use crate::test::Summary;
use crate::{bench, book, cargo, codegen, conformance, fuzz, paths, test, tidy};

/// What CI runs.
struct Step {
    name: &'static str,
    /// Whether CI accepts that the step could not be done.
    optional: bool,
    run: fn(&mut Summary) -> Result<Outcome>,
}

/// How a step ended.
struct Report {
    name: &'static str,
    took: Duration,
    result: Result<Outcome>,
}

const STEPS: [Step; 11] = [
    Step { name: "fmt", optional: false, run: |_| format() },
    Step { name: "clippy", optional: false, run: |_| clippy() },
    Step { name: "tidy", optional: false, run: |_| tidy::run() },
    Step { name: "codegen", optional: false, run: |_| codegen::run(true) },
    Step { name: "test", optional: false, run: tests },
    Step { name: "conformance", optional: false, run: |_| conformance::run(true) },
    Step { name: "doc", optional: false, run: |_| documentation() },
    Step { name: "book", optional: true, run: |_| book::run_if_installed() },
    Step { name: "deny", optional: true, run: |_| deny() },
    Step { name: "instructions", optional: true, run: |_| bench::instructions_if_possible() },
    Step { name: "fuzz", optional: true, run: |_| fuzz::run(&[]) },
];

/// Runs all steps; the last lines are a table of them and the summary of the tests.
pub(crate) fn run() -> Outcome {
    let mut summary = Summary::default();
    let reports: Vec<Report> = STEPS.iter().map(|step| run_step(step, &mut summary)).collect();
    let failed: Vec<&str> =
        reports.iter().filter(|report| report.result.is_err()).map(|report| report.name).collect();
    println!("\n{}", table(&reports));
    if !failed.is_empty() {
        println!("{} of {} steps failed: {}", failed.len(), reports.len(), failed.join(", "));
    }
    println!("{summary}");
    if failed.is_empty() { Outcome::Passed } else { Outcome::Failed }
}

fn run_step(step: &Step, summary: &mut Summary) -> Report {
    println!("\n==> {}", step.name);
    let started = Instant::now();
    let result = judge((step.run)(summary), step.optional, paths::in_ci());
    let report = Report { name: step.name, took: started.elapsed(), result };
    println!("==> {}", line(&report));
    report
}

/// In CI, a step that could not be done has failed, unless it is optional.
fn judge(result: Result<Outcome>, optional: bool, in_ci: bool) -> Result<Outcome> {
    match result {
        Ok(Outcome::Skipped(reason)) if in_ci && !optional => Err(anyhow!(reason)),
        Ok(Outcome::Failed) => Err(anyhow!("see above")),
        other => other,
    }
}

fn table(reports: &[Report]) -> String {
    reports.iter().fold(String::new(), |mut text, report| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}", line(report));
        text
    })
}

fn line(report: &Report) -> String {
    let (verdict, reason) = match &report.result {
        Ok(Outcome::Passed) => ("passed", String::new()),
        Ok(Outcome::Failed) => ("FAILED", String::new()),
        Ok(Outcome::Skipped(reason)) => ("skipped", format!("  {reason}")),
        Err(error) => ("FAILED", format!("  {error:#}")),
    };
    format!("{:<12} {verdict:<8} {:>7.1} s{reason}", report.name, report.took.as_secs_f64())
}

fn format() -> Result<Outcome> {
    run_tool("fmt", &["--all", "--", "--check", "-l"])
}

fn clippy() -> Result<Outcome> {
    run_tool("clippy", &["--workspace", "--all-targets", "--keep-going", "--", "-D", "warnings"])
}

fn deny() -> Result<Outcome> {
    run_tool("deny", &["check"])
}

fn run_tool(subcommand: &str, arguments: &[&str]) -> Result<Outcome> {
    if !cargo::has(subcommand) {
        return Ok(Outcome::Skipped(format!("`cargo {subcommand}` is not installed")));
    }
    cargo::check(cargo::command(&[subcommand]).args(arguments))?;
    Ok(Outcome::Passed)
}

fn tests(summary: &mut Summary) -> Result<Outcome> {
    let (counted, result) = test::run_all();
    *summary = counted;
    result.map(|()| Outcome::Passed)
}

fn documentation() -> Result<Outcome> {
    let mut command = cargo::command(&["doc", "--workspace", "--no-deps"]);
    cargo::check(command.env("RUSTDOCFLAGS", "-D warnings"))?;
    Ok(Outcome::Passed)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use anyhow::anyhow;

    use super::{Report, judge, table};
    use crate::outcome::Outcome;

    #[test]
    fn what_could_not_be_done_fails_in_ci_unless_optional() {
        let skipped = || Ok(Outcome::Skipped("no clippy".to_owned()));
        assert!(judge(skipped(), false, true).is_err_and(|error| error.to_string() == "no clippy"));
        assert!(judge(skipped(), true, true).is_ok());
        assert!(judge(skipped(), false, false).is_ok());
        assert!(judge(Err(anyhow!("wrong")), true, false).is_err());
    }

    #[test]
    fn the_table_names_each_step_its_result_and_time() {
        let took = Duration::from_millis(1_200);
        let reports = [
            Report { name: "fmt", took, result: Ok(Outcome::Passed) },
            Report { name: "deny", took, result: Ok(Outcome::Skipped("not installed".to_owned())) },
            Report { name: "tidy", took, result: Err(anyhow!("2 violations")) },
        ];
        let lines = table(&reports);
        let lines: Vec<&str> = lines.lines().map(str::trim_end).collect();
        assert_eq!(lines[0], "fmt          passed       1.2 s");
        assert_eq!(lines[1], "deny         skipped      1.2 s  not installed");
        assert_eq!(lines[2], "tidy         FAILED       1.2 s  2 violations");
    }
}
