//! `cargo xtask fuzz`: runs the targets of `fuzz/`, each for a while, from the kept corpora and seeds.
//!
//! It needs a nightly toolchain and cargo-fuzz, which is installed where it is missing. Without them the task is
//! skipped. Kept corpora are `fuzz/corpus/TARGET.gz`: compressed lines, an input in hexadecimal digits each. There are no
//! sanitizers: no crate here has unsafe code, and without them a minute is worth two.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

use crate::outcome::Outcome;
use crate::{cargo, paths};

/// The version that is installed where there is none.
const CARGO_FUZZ: &str = "0.13.2";

/// How long each target runs unless told otherwise; CI has a minute each.
pub(crate) const SECONDS: u64 = 60;

/// One input may take so long, on a machine that does other work too.
const TIMEOUT_SECONDS: u64 = 30;

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
struct Request {
    /// None for all.
    target: Option<String>,
    seconds: u64,
    /// Write what the corpora have become, minimised, into the repository.
    keep: bool,
}

/// `[TARGET] [--seconds N] [--keep]`
pub(crate) fn run(options: &[&str]) -> Result<Outcome> {
    let request = read(options)?;
    let mut targets = targets()?;
    if let Some(wanted) = &request.target {
        if !targets.contains(wanted) {
            bail!("no target is called `{wanted}`; there are {}", targets.join(", "));
        }
        targets.retain(|target| target == wanted);
    }
    if let Some(reason) = missing() {
        return Ok(Outcome::Skipped(reason));
    }
    let place = Place::new()?;
    cargo::check(fuzz("build", &place).args(request.target.as_deref()))?;
    let mut failed = Vec::new();
    for target in &targets {
        println!("\n==> fuzz {target}, {} s", request.seconds);
        if run_target(&place, target, request.seconds).is_err() {
            failed.push(target.as_str());
        } else if request.keep {
            keep(&place, target)?;
        }
    }
    if failed.is_empty() {
        return Ok(Outcome::Passed);
    }
    println!("failed: {}; what failed lies in {}", failed.join(", "), place.artifacts.display());
    Ok(Outcome::Failed)
}

fn read(options: &[&str]) -> Result<Request> {
    let mut request = Request { target: None, seconds: SECONDS, keep: false };
    let mut rest = options.iter();
    while let Some(option) = rest.next() {
        match *option {
            "--seconds" => {
                let value = rest.next().context("--seconds needs a number")?;
                request.seconds = value.parse().with_context(|| format!("--seconds {value}"))?;
            }
            "--keep" => request.keep = true,
            target if !target.starts_with('-') && request.target.is_none() => {
                request.target = Some(target.to_owned());
            }
            other => bail!("`fuzz` does not take `{other}`"),
        }
    }
    Ok(request)
}

fn folder() -> PathBuf {
    paths::workspace().join("fuzz")
}

/// The names of the targets, sorted.
fn targets() -> Result<Vec<String>> {
    let folder = folder().join("fuzz_targets");
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        names.extend(path.file_stem().map(|name| name.to_string_lossy().into_owned()));
    }
    Ok(names.into_iter().collect())
}

/// Why fuzzing is not possible here; installs cargo-fuzz where only that is missing.
fn missing() -> Option<String> {
    if !succeeds(&mut nightly(&["--version"])) {
        return Some("there is no nightly toolchain (`rustup toolchain install nightly`)".to_owned());
    }
    if succeeds(&mut nightly(&["fuzz", "--version"])) {
        return None;
    }
    println!("cargo-fuzz is missing: installing version {CARGO_FUZZ}");
    let install = ["install", "--locked", "cargo-fuzz", "--version", CARGO_FUZZ];
    let installed = nightly(&install).status().is_ok_and(|status| status.success());
    (!installed).then(|| "cargo-fuzz is not installed, and cannot be".to_owned())
}

fn succeeds(command: &mut Command) -> bool {
    let quiet = command.stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

/// `cargo` of the nightly toolchain, whatever toolchain runs this.
fn nightly(arguments: &[&str]) -> Command {
    let mut command = Command::new("rustup");
    command.args(["run", "nightly", "cargo"]).args(arguments).current_dir(paths::workspace());
    command
}

/// Folders outside of the repository, beside what is built.
struct Place {
    built: PathBuf,
    corpora: PathBuf,
    artifacts: PathBuf,
}

impl Place {
    fn new() -> Result<Self> {
        let built = cargo::metadata()?.target_directory.join("fuzz");
        Ok(Self { corpora: built.join("corpora"), artifacts: built.join("artifacts"), built })
    }
}

fn fuzz(subcommand: &str, place: &Place) -> Command {
    let mut command = nightly(&["fuzz", subcommand, "--sanitizer", "none"]);
    command.arg("--fuzz-dir").arg(folder()).arg("--target-dir").arg(&place.built);
    command
}

fn run_target(place: &Place, target: &str, seconds: u64) -> Result<()> {
    let (corpus, artifacts) = (place.corpora.join(target), place.artifacts.join(target));
    fs::create_dir_all(&corpus)?;
    fs::create_dir_all(&artifacts)?;
    unpack(&kept(target), &corpus)?;
    let mut command = fuzz("run", place);
    command.arg(target).arg(&corpus).arg(folder().join("seeds").join(target)).arg("--");
    command.arg(format!("-dict={}", folder().join(format!("dictionaries/{target}.txt")).display()));
    command.arg(format!("-artifact_prefix={}/", artifacts.display()));
    command.arg(format!("-max_total_time={seconds}")).arg(format!("-timeout={TIMEOUT_SECONDS}"));
    command.args(["-rss_limit_mb=4096", "-max_len=4096", "-print_final_stats=1", "-verbosity=0"]);
    cargo::check(&mut command)
}

fn kept(target: &str) -> PathBuf {
    folder().join(format!("corpus/{target}.gz"))
}

/// Minimises a corpus and writes it into the repository.
fn keep(place: &Place, target: &str) -> Result<()> {
    let small = place.corpora.join(format!("{target}.small"));
    if small.is_dir() {
        fs::remove_dir_all(&small)?;
    }
    fs::create_dir_all(&small)?;
    let mut command = fuzz("run", place);
    command.arg(target).arg(&small).arg(place.corpora.join(target)).arg(folder().join("seeds").join(target));
    cargo::check(command.args(["--", "-merge=1", "-verbosity=0"]))?;
    pack(&small, &kept(target))
}

/// Writes the files of a folder into one.
fn pack(folder: &Path, file: &Path) -> Result<()> {
    let mut inputs = BTreeSet::new();
    for entry in fs::read_dir(folder)? {
        inputs.insert(fs::read(entry?.path())?);
    }
    if let Some(parent) = file.parent() {
        fs::create_dir_all(parent)?;
    }
    let mut encoder = GzEncoder::new(File::create(file)?, Compression::best());
    for input in inputs {
        let digits: String = input.iter().map(|byte| format!("{byte:02x}")).collect();
        writeln!(encoder, "{digits}")?;
    }
    encoder.finish()?;
    Ok(())
}

/// Writes each input of a kept corpus into a file of its own; no file, no inputs.
fn unpack(file: &Path, folder: &Path) -> Result<()> {
    let Ok(packed) = File::open(file) else { return Ok(()) };
    for (number, line) in BufReader::new(GzDecoder::new(packed)).lines().enumerate() {
        let line = line.with_context(|| file.display().to_string())?;
        fs::write(folder.join(format!("kept-{number:05}")), bytes(&line)?)?;
    }
    Ok(())
}

fn bytes(digits: &str) -> Result<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    pairs.map(|pair| Ok(u8::from_str_radix(std::str::from_utf8(pair)?, 16)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::{Request, bytes, folder, read, targets};

    #[test]
    fn options_are_read() {
        let check = |options: &[&str], target: Option<&str>, seconds: u64, keep: bool| {
            let expected = Request { target: target.map(str::to_owned), seconds, keep };
            assert_eq!(read(options).expect("good options"), expected);
        };
        check(&[], None, 60, false);
        check(&["eql", "--seconds", "5"], Some("eql"), 5, false);
        check(&["--keep", "eql"], Some("eql"), 60, true);
        assert!(read(&["eql", "kql"]).is_err());
        assert!(read(&["--seconds"]).is_err());
    }

    #[test]
    fn every_target_has_seeds_and_a_dictionary_and_is_built() {
        let manifest = std::fs::read_to_string(folder().join("Cargo.toml")).expect("the manifest");
        let targets = targets().expect("targets");
        assert!(!targets.is_empty());
        for target in targets {
            assert!(folder().join("seeds").join(&target).is_dir(), "{target}");
            assert!(folder().join(format!("dictionaries/{target}.txt")).is_file(), "{target}");
            assert!(manifest.contains(&format!("name = \"{target}\"")), "{target}");
        }
    }

    #[test]
    fn digits_are_bytes() {
        assert_eq!(bytes("00ff0a").expect("digits"), [0, 255, 10]);
        assert!(bytes("0g").is_err());
    }
}
