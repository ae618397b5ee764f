//! `cargo xtask conformance`: runs the conformance tests and writes `docs/conformance.md` from what they report.
//!
//! Each test writes one JSON file ([`render::Report`]) to the folder that `MAXSPAN_CONFORMANCE_OUT` names. The document
//! is only replaced when all tests passed; what failed tests reported is in `conformance.md` beside their files.

mod render;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::outcome::Outcome;
use crate::{cargo, paths};
use render::Report;

const DOCUMENT: &str = "docs/conformance.md";
/// Of the whole workspace, so that what the other tests have built is taken.
const TEST: [&str; 5] = ["test", "--workspace", "--test", "conformance", "--no-fail-fast"];

/// Runs the tests, then writes or compares the document.
pub(crate) fn run(check: bool) -> Result<Outcome> {
    let missing = paths::missing_packs();
    if let Some(pack) = missing.first() {
        return Ok(Outcome::Skipped(format!("shared pack {} is not there (MAXSPAN_SHARED)", pack.display())));
    }
    let folder = cargo::metadata()?.target_directory.join("conformance");
    empty(&folder)?;
    let tests = cargo::check(cargo::command(&TEST).env("MAXSPAN_CONFORMANCE_OUT", &folder));
    let draft = folder.join("conformance.md");
    let text = render::document(read_reports(&folder)?);
    fs::write(&draft, &text).with_context(|| draft.display().to_string())?;
    tests.with_context(|| format!("conformance tests; what they reported: {}", draft.display()))?;
    publish(&text, check)
}

fn publish(text: &str, check: bool) -> Result<Outcome> {
    let path = paths::workspace().join(DOCUMENT);
    if !check {
        fs::write(&path, text).with_context(|| path.display().to_string())?;
        println!("{}", path.display());
    } else if fs::read_to_string(&path).ok().as_deref() != Some(text) {
        bail!("{DOCUMENT} is not up to date: run `cargo xtask conformance`");
    }
    Ok(Outcome::Passed)
}

/// Reports of an earlier run must not be taken for this one's.
fn empty(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    fs::create_dir_all(folder).with_context(|| folder.display().to_string())
}

fn read_reports(folder: &Path) -> Result<Vec<Report>> {
    let mut reports = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            reports.push(serde_json::from_str(&text).with_context(|| path.display().to_string())?);
        }
    }
    if reports.is_empty() {
        bail!("no conformance test wrote a report to {}", folder.display());
    }
    Ok(reports)
}
