//! `cargo xtask bench instructions`: how many instructions the hot path takes an event, counted by valgrind, against the
//! last record. Counts repeat where times do not, so a few per cent more are a change of the code.
//!
//! The example `hot_path` of the engine runs with few and with more rounds; the difference is that of the rounds, without
//! what comes before them. Compilers differ, so a record of another one is shown and holds nobody up.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::bench::machine;
use crate::outcome::Outcome;
use crate::{cargo, paths};

pub(super) const NAME: &str = "instructions";
pub(super) const ABOUT: &str = "instructions an event of the hot path, against the last record";

/// The parts of the hot path, as the example names them.
const PARTS: [&str; 2] = ["decode", "match"];

/// The example runs with each of these numbers of rounds.
const ROUNDS: [u64; 2] = [1, 3];

/// More than this above the record is an alarm.
const PERCENT_MAX: u64 = 5;

/// `bench/record/instructions.toml`
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    compiler: String,
    instructions_per_event: BTreeMap<String, u64>,
}

/// Counts, and fails when there are more than in the last record; or records.
pub(super) fn run(record: bool) -> Result<Outcome> {
    if let Some(reason) = missing() {
        return Ok(Outcome::Skipped(reason));
    }
    let found = Record { compiler: machine::compiler(), instructions_per_event: count_all()? };
    if record {
        write(&found)?;
        return Ok(Outcome::Passed);
    }
    let Some(last) = read()? else { bail!("{} is not there: `--record` writes it", path().display()) };
    println!("{}", table(&last, &found));
    if last.compiler != found.compiler {
        println!("The record is of {}, this is {}: not compared.", last.compiler, found.compiler);
        return Ok(Outcome::Passed);
    }
    Ok(if alarms(&last, &found).is_empty() { Outcome::Passed } else { Outcome::Failed })
}

/// For CI: the same, where valgrind is installed.
pub(crate) fn run_if_possible() -> Result<Outcome> {
    run(false)
}

fn missing() -> Option<String> {
    let installed = !machine::first_line("valgrind", &["--version"]).is_empty();
    (!installed).then(|| "valgrind is not installed (`apt-get install valgrind`)".to_owned())
}

fn path() -> PathBuf {
    paths::workspace().join("bench/record/instructions.toml")
}

fn read() -> Result<Option<Record>> {
    let path = path();
    if !path.is_file() {
        return Ok(None);
    }
    let text = fs::read_to_string(&path)?;
    toml::from_str(&text).map(Some).with_context(|| path.display().to_string())
}

fn write(record: &Record) -> Result<()> {
    let head = "# Instructions an event of the hot path: `cargo xtask bench instructions --record` writes this file.\n\n";
    let text = toml::to_string(record)?;
    println!("{text}");
    fs::write(path(), format!("{head}{text}")).with_context(|| path().display().to_string())
}

fn count_all() -> Result<BTreeMap<String, u64>> {
    let build = ["build", "--quiet", "--release", "--package", "maxspan-engine", "--example", "hot_path"];
    cargo::check(&mut cargo::command(&build))?;
    let target = cargo::metadata()?.target_directory;
    let example = target.join("release/examples/hot_path");
    let folder = target.join("bench");
    fs::create_dir_all(&folder)?;
    PARTS.iter().map(|part| Ok(((*part).to_owned(), per_event(&example, part, &folder)?))).collect()
}

/// Instructions of the additional rounds, by their events.
fn per_event(example: &Path, part: &str, folder: &Path) -> Result<u64> {
    let [few, more] = ROUNDS.map(|rounds| counted(example, part, rounds, folder));
    let ((few, events_few), (more, events_more)) = (few?, more?);
    Ok(more.saturating_sub(few) / (events_more - events_few).max(1))
}

/// Instructions of the whole process, and the events that it says it went through.
fn counted(example: &Path, part: &str, rounds: u64, folder: &Path) -> Result<(u64, u64)> {
    let profile = folder.join(format!("callgrind.{part}"));
    let mut command = Command::new("valgrind");
    command.arg("--tool=callgrind").arg(format!("--callgrind-out-file={}", profile.display()));
    command.arg(example).arg(part).arg(rounds.to_string());
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("{command:?}"))?;
    let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if !output.status.success() {
        bail!("{command:?}: {}\n{errors}", output.status);
    }
    let events = said.trim().parse().with_context(|| format!("events: `{}`", said.trim()))?;
    Ok((collected(&errors).context("valgrind says what it collected")?, events))
}

/// `==1== Collected : 12345`
fn collected(text: &str) -> Option<u64> {
    let line = text.lines().find(|line| line.contains("Collected :"))?;
    line.rsplit_once(':')?.1.trim().parse().ok()
}

fn percent(last: u64, found: u64) -> f64 {
    (found as f64 / last.max(1) as f64 - 1.0) * 100.0
}

/// The parts that take more than they may, or are not in the record.
fn alarms(last: &Record, found: &Record) -> Vec<String> {
    let parts = found.instructions_per_event.iter();
    let above = parts.filter(|(part, count)| {
        let recorded = last.instructions_per_event.get(*part);
        recorded.is_none_or(|recorded| **count * 100 > *recorded * (100 + PERCENT_MAX))
    });
    above.map(|(part, _)| part.clone()).collect()
}

fn table(last: &Record, found: &Record) -> String {
    let alarms = alarms(last, found);
    let line = |(part, count): (&String, &u64)| {
        let verdict =
            if alarms.contains(part) { format!("  more than {PERCENT_MAX} %") } else { String::new() };
        match last.instructions_per_event.get(part) {
            Some(recorded) => {
                format!(
                    "{part:<8} {count:>9} instructions an event, {:+.1} %{verdict}",
                    percent(*recorded, *count)
                )
            }
            None => format!("{part:<8} {count:>9} instructions an event, not in the record"),
        }
    };
    found.instructions_per_event.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Record, alarms, collected, table};

    fn record(counts: &[(&str, u64)]) -> Record {
        let instructions_per_event: BTreeMap<String, u64> =
            counts.iter().map(|(part, count)| ((*part).to_owned(), *count)).collect();
        Record { compiler: "rustc 1.95.0".to_owned(), instructions_per_event }
    }

    #[test]
    fn what_valgrind_says_is_read() {
        let text = "==7== Events    : Ir\n==7== Collected : 1234567\n==7==\n";
        assert_eq!(collected(text), Some(1_234_567));
        assert_eq!(collected("valgrind: no such file"), None);
    }

    #[test]
    fn more_than_five_per_cent_is_an_alarm() {
        let last = record(&[("decode", 1_000), ("match", 1_000)]);
        let check = |decode: u64, matching: u64, expected: &[&str]| {
            assert_eq!(alarms(&last, &record(&[("decode", decode), ("match", matching)])), expected);
        };
        check(1_050, 900, &[]);
        check(1_051, 1_200, &["decode", "match"]);
        assert_eq!(alarms(&record(&[]), &record(&[("decode", 1)])), ["decode"]);
        assert!(table(&last, &record(&[("decode", 1_100)])).contains("+10.0 %  more than 5 %"));
    }
}
