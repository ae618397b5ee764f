//! `cargo xtask book`: builds `docs` as a book with mdBook, into `book` of the build directory.
//!
//! mdBook is a tool, not a dependency: it is taken from the path or from `tools` of the build directory, and installed there
//! with cargo where it is in neither. That needs the network once. CI builds the book where mdBook is already there, and
//! installs nothing.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::outcome::Outcome;
use crate::tidy::docs::missing_pages;
use crate::{cargo, paths};

/// The version that is installed. Others of the same minor version read the same `book.toml`.
const VERSION: &str = "0.5.4";

/// Builds the book; installs mdBook first where it is missing.
pub(crate) fn run() -> Result<Outcome> {
    let target = cargo::metadata()?.target_directory;
    let program = match installed(&target) {
        Some(program) => program,
        None => install(&target)?,
    };
    build(&program, &target)
}

/// Builds the book where mdBook is installed.
pub(crate) fn run_if_installed() -> Result<Outcome> {
    let target = cargo::metadata()?.target_directory;
    match installed(&target) {
        Some(program) => build(&program, &target),
        None => Ok(Outcome::Skipped("mdBook is not installed; `cargo xtask book` installs it".to_owned())),
    }
}

fn build(program: &Path, target: &Path) -> Result<Outcome> {
    let missing = missing_pages()?;
    if !missing.is_empty() {
        bail!("docs/SUMMARY.md names pages that are not there: {}", missing.join(", "));
    }
    let book = target.join("book");
    let mut command = Command::new(program);
    command.arg("build").arg(paths::workspace().join("docs")).arg("--dest-dir").arg(&book);
    cargo::check(&mut command)?;
    println!("{}", book.join("index.html").display());
    Ok(Outcome::Passed)
}

/// An mdBook that fits, on the path or among our tools.
fn installed(target: &Path) -> Option<PathBuf> {
    [PathBuf::from("mdbook"), tool(target)].into_iter().find(|program| fits(program))
}

fn tool(target: &Path) -> PathBuf {
    target.join("tools/bin").join(format!("mdbook{}", std::env::consts::EXE_SUFFIX))
}

fn fits(program: &Path) -> bool {
    let output = Command::new(program).arg("--version").output();
    output.is_ok_and(|output| is_same_series(&String::from_utf8_lossy(&output.stdout)))
}

/// Whether `mdbook v0.5.2` reads the same `book.toml` as our version.
fn is_same_series(said: &str) -> bool {
    let series = VERSION.rsplit_once('.').map_or(VERSION, |(series, _)| series);
    said.trim().strip_prefix("mdbook v").is_some_and(|found| found.starts_with(&format!("{series}.")))
}

fn install(target: &Path) -> Result<PathBuf> {
    let root = target.join("tools");
    println!(
        "installing mdBook {VERSION} into {}; this needs the network and takes some minutes",
        root.display()
    );
    // Without the parts that watch files and serve pages.
    let arguments = [
        "install",
        "--locked",
        "mdbook",
        "--version",
        VERSION,
        "--no-default-features",
        "--features",
        "search",
    ];
    cargo::check(cargo::command(&arguments).arg("--root").arg(&root)).with_context(|| {
        format!("the book needs mdBook {VERSION}: install it by hand (`cargo install mdbook`), or let this task reach crates.io")
    })?;
    Ok(tool(target))
}

#[cfg(test)]
mod tests {
    use super::is_same_series;

    #[test]
    fn versions_of_one_series_fit() {
        assert!(is_same_series("mdbook v0.5.4\n"));
        assert!(is_same_series("mdbook v0.5.10"));
        assert!(!is_same_series("mdbook v0.4.52"));
        assert!(!is_same_series("mdbook v0.50.1"));
        assert!(!is_same_series(""));
    }
}
