//! A program run once, with what it cost; and several programs run in turns.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use wait4::Wait4;

/// What one run of a program cost.
#[derive(Debug, Clone)]
pub(super) struct Run {
    /// Of the whole process.
    pub(super) wall_seconds: f64,
    /// Of all its threads, in the program and in the system.
    pub(super) cpu_seconds: f64,
    pub(super) peak_bytes: u64,
    /// What the program says about itself.
    pub(super) said: Value,
}

impl Run {
    /// A number that the program says about itself, by JSON pointer.
    pub(super) fn number(&self, pointer: &str) -> Option<f64> {
        self.said.pointer(pointer).and_then(Value::as_f64)
    }
}

/// Runs a program to its end, with standard output in a file.
pub(super) fn run(command: &mut Command, output: &Path) -> Result<Run> {
    let file = File::create(output).with_context(|| output.display().to_string())?;
    command.stdout(file).stdin(Stdio::null()).stderr(Stdio::piped());
    let started = Instant::now();
    let mut child = command.spawn().with_context(|| format!("{command:?}"))?;
    // Whatever it writes there is read to the end first: a full pipe would stop it.
    let errors = child.stderr.take().map(std::io::read_to_string).transpose()?.unwrap_or_default();
    let used = child.wait4().with_context(|| format!("{command:?}"))?;
    let wall_seconds = started.elapsed().as_secs_f64();
    if !used.status.success() {
        bail!("{command:?}: {}\n{}", used.status, errors.trim_end());
    }
    let cpu_seconds = (used.rusage.utime + used.rusage.stime).as_secs_f64();
    Ok(Run { wall_seconds, cpu_seconds, peak_bytes: used.rusage.maxrss, said: Value::Null })
}

/// Like [`run`], of a program that prints a JSON document about itself.
pub(super) fn run_and_ask(command: &mut Command, output: &Path) -> Result<Run> {
    let run = run(command, output)?;
    Ok(Run { said: read_json(output)?, ..run })
}

/// A JSON document in a file.
pub(super) fn read_json(path: &Path) -> Result<Value> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    serde_json::from_str(&text).with_context(|| path.display().to_string())
}

/// One program of a scenario, to be run once.
pub(super) type Contender<'a> = &'a dyn Fn() -> Result<Run>;

/// Runs the programs in turns, so that what else the machine does falls on all of them; the runs of each.
pub(super) fn in_turns<const COUNT: usize>(
    runs: usize,
    contenders: [Contender<'_>; COUNT],
) -> Result<[Vec<Run>; COUNT]> {
    let mut results = [const { Vec::new() }; COUNT];
    for _ in 0..runs {
        for (contender, result) in contenders.iter().zip(&mut results) {
            result.push(contender()?);
        }
    }
    Ok(results)
}

/// Reads a file, so that the next run does not wait for the disk; systems put aside what is not read for a while.
pub(super) fn warm(path: &Path) -> Result<()> {
    let mut file = File::open(path).with_context(|| path.display().to_string())?;
    std::io::copy(&mut file, &mut std::io::sink())?;
    Ok(())
}
