//! The programs that are measured: built, found, and called.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::bench::measure::{self, Run};
use crate::{cargo, paths};

/// Where the programs are, and what they can do.
pub(super) struct Programs {
    /// The release binary.
    pub(super) maxspan: PathBuf,
    /// Of `bench/reference`.
    reference: PathBuf,
    /// Where scenarios read and write.
    pub(super) folder: PathBuf,
    /// What cargo builds to.
    pub(super) target: PathBuf,
    /// Whether a hunt can be told how many threads to use.
    pub(super) has_threads: bool,
    /// Whether the binary, and with it the references, use mimalloc.
    pub(super) mimalloc: bool,
}

impl Programs {
    /// Builds the release binary and the references, which take the same allocator.
    pub(super) fn build() -> Result<Self> {
        let metadata = cargo::metadata()?;
        let cli = metadata.packages.iter().find(|package| package.name == "maxspan-cli");
        let dependencies = &cli.context("no package `maxspan-cli`")?.dependencies;
        let mimalloc = dependencies.iter().any(|dependency| dependency.name == "mimalloc");
        let target = metadata.target_directory;
        let folder = target.join("bench");
        fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        cargo::check(&mut cargo::command(&["build", "--quiet", "--release", "--package", "maxspan-cli"]))?;
        let reference = build_reference(&folder, mimalloc)?;
        let maxspan = target.join("release").join(executable("maxspan"));
        let help = Command::new(&maxspan).args(["hunt", "--help"]).output()?;
        let has_threads = String::from_utf8_lossy(&help.stdout).contains("--threads");
        Ok(Self { maxspan, reference, folder, target, has_threads, mimalloc })
    }

    /// A file below the folder of the benchmarks.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A hunt with the rules of a folder over one file, on so many threads; says what its statistics say.
    pub(super) fn hunt_on(&self, threads: usize, rules: &Path, events: &Path, more: &[&str]) -> Result<Run> {
        let statistics = self.path("statistics.json");
        let mut command = Command::new(&self.maxspan);
        command.args(["hunt", "--quiet", "--rules"]).arg(rules).arg("--stats").arg(&statistics).args(more);
        if self.has_threads {
            command.arg("--threads").arg(threads.to_string());
        }
        measure::warm(events)?;
        let run = measure::run(command.arg(events), &self.path("alerts.ndjson"))?;
        Ok(Run { said: measure::read_json(&statistics)?, ..run })
    }

    /// A hunt on one thread.
    pub(super) fn hunt(&self, rules: &Path, events: &Path) -> Result<Run> {
        self.hunt_on(1, rules, events, &[])
    }

    /// simd-json's tape over one file.
    pub(super) fn tape(&self, events: &Path) -> Result<Run> {
        measure::warm(events)?;
        measure::run_and_ask(Command::new(&self.reference).arg("tape").arg(events), &self.path("tape.json"))
    }

    /// What was built, for the record.
    pub(super) fn describe(&self) -> String {
        let allocator = if self.mimalloc { "mimalloc" } else { "the system's allocator" };
        let threads = if self.has_threads { "`--threads 1` unless said" } else { "one thread" };
        format!("release build, {allocator} in maxspan and references, {threads}")
    }
}

fn build_reference(folder: &Path, mimalloc: bool) -> Result<PathBuf> {
    let target = folder.join("reference");
    let mut command = cargo::command(&["build", "--quiet", "--release", "--locked"]);
    command.arg("--manifest-path").arg(paths::workspace().join("bench/reference/Cargo.toml"));
    command.arg("--target-dir").arg(&target);
    if mimalloc {
        command.args(["--features", "mimalloc"]);
    }
    cargo::check(&mut command)?;
    Ok(target.join("release").join(executable("maxspan-reference")))
}

fn executable(name: &str) -> String {
    format!("{name}{}", std::env::consts::EXE_SUFFIX)
}
