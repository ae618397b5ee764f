//! Dated records in `bench/record`: what was measured, on what.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::bench::programs::Programs;
use crate::bench::report::Section;
use crate::bench::{Request, machine};
use crate::paths;

/// Adds what was found to the record of the day.
pub(super) fn append(
    sections: &[Section],
    request: &Request<'_>,
    programs: &Programs,
    load_before: &str,
) -> Result<PathBuf> {
    let now = jiff::Timestamp::now();
    let path = paths::workspace().join(format!("bench/record/{}-bench.md", now.strftime("%F")));
    let mut text = String::new();
    if !path.is_file() {
        text += &format!(
            "# Benchmarks, {}\n\nWhat each scenario means: [../README.md](../README.md).\n",
            now.strftime("%F")
        );
    }
    text += &format!("\n## {} UTC, commit {}\n\n", now.strftime("%H:%M"), machine::commit());
    text += &format!(
        "* Machine: {}; load averages {load_before} before, {} after.\n",
        machine::describe(),
        machine::load()
    );
    text += &format!("* {}, {}.\n", machine::compiler(), programs.describe());
    text += "* Rules: the rule corpus of the shared packs. Events: the first 100,000 of `data/windows-ecs.ndjson.gz`, \
             unpacked, unless a scenario says otherwise.\n";
    let runs = request.runs;
    text += &format!("* `cargo xtask bench {}--runs {runs} --record`\n", words(&request.scenarios));
    for section in sections {
        text += &format!("\n{}", section.markdown());
    }
    let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
    file.write_all(text.as_bytes()).with_context(|| path.display().to_string())?;
    Ok(path)
}

fn words(names: &[&str]) -> String {
    names.iter().map(|name| format!("{name} ")).collect()
}
