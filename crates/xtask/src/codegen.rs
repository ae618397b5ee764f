//! `cargo xtask codegen`: writes the pages of the book that are made ([`pages`]), and the built-in tables of the `event`
//! crate: of fields, from the published ECS field list and a list of further fields that rules and integrations use, and
//! of the values that ECS allows. With `--check` it compares instead.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::outcome::Outcome;
use crate::paths;

mod pages;

pub(crate) use pages::FOLDERS;

const HEADER: &str = "\
# Field types: ECS 9.5 and fields that integrations and rules use beyond it. Written by `cargo xtask codegen`.
# A line: how many leading segments of the name it shares with the line before, the type (with a plus: ECS; with `[]`:
# ECS has it hold several values), the rest of the name.
";

const VALUES_HEADER: &str = "\
# Values that ECS 9.5 allows. Written by `cargo xtask codegen`. A line: the field, then its values.
";

/// Writes everything that is made, or compares it.
pub(crate) fn run(check: bool) -> Result<Outcome> {
    pages::run(check)?;
    fields(check)
}

/// Reads `ecs/` of the shared folder and writes `crates/event/src/fields.txt`, or compares that file.
fn fields(check: bool) -> Result<Outcome> {
    let shared = paths::shared();
    if check && !shared.join("ecs").is_dir() {
        return Ok(Outcome::Skipped(format!("{} is not there", shared.join("ecs").display())));
    }
    let ecs = ecs(&shared)?;
    let mut types = other_fields(&shared)?;
    types.extend(ecs_fields(&ecs));
    put("crates/event/src/fields.txt", &render(&types), check)?;
    put("crates/event/src/values.txt", &allowed_values(&ecs), check)?;
    println!("{} fields", types.len());
    Ok(Outcome::Passed)
}

/// Writes a file of the workspace, or compares it.
fn put(path: &str, text: &str, check: bool) -> Result<()> {
    let path = paths::workspace().join(path);
    if check {
        let present = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        if present != text {
            bail!("{} is not up to date: run `cargo xtask codegen`", path.display());
        }
    } else {
        fs::write(&path, text).with_context(|| path.display().to_string())?;
    }
    println!("{} bytes: {}", text.len(), path.display());
    Ok(())
}

fn ecs(shared: &Path) -> Result<BTreeMap<String, Value>> {
    let path = shared.join("ecs/ecs-9.5.0-flat.json.gz");
    let mut text = String::new();
    flate2::read::GzDecoder::new(fs::File::open(&path).with_context(|| path.display().to_string())?)
        .read_to_string(&mut text)?;
    Ok(serde_json::from_str(&text)?)
}

fn ecs_fields(fields: &BTreeMap<String, Value>) -> BTreeMap<String, String> {
    let several = |value: &Value| {
        value["normalize"].as_array().is_some_and(|normal| normal.iter().any(|word| word == "array"))
    };
    let kind = |value: &Value| {
        let several = if several(value) { "[]" } else { "" };
        format!("+{}{several}", value["type"].as_str().unwrap_or("keyword"))
    };
    let mut types: BTreeMap<String, String> =
        fields.iter().map(|(name, field)| (name.clone(), kind(field))).collect();
    for sub in fields.values().filter_map(|field| field["multi_fields"].as_array()).flatten() {
        if let Some(name) = sub["flat_name"].as_str() {
            types.insert(name.to_owned(), kind(sub));
        }
    }
    types
}

fn allowed_values(fields: &BTreeMap<String, Value>) -> String {
    let mut out = VALUES_HEADER.to_owned();
    for (name, field) in fields {
        let Some(values) = field["allowed_values"].as_array() else { continue };
        let values: Vec<&str> = values.iter().filter_map(|value| value["name"].as_str()).collect();
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{name} {}", values.join(" "));
    }
    out
}

fn other_fields(shared: &Path) -> Result<BTreeMap<String, String>> {
    let path = shared.join("ecs/other-fields.json");
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    Ok(serde_json::from_str(&text)?)
}

fn render(types: &BTreeMap<String, String>) -> String {
    let mut out = HEADER.to_owned();
    let mut previous: Vec<&str> = Vec::new();
    for (name, kind) in types {
        let segments: Vec<&str> = name.split('.').collect();
        let longest = segments.len().min(previous.len()).saturating_sub(1);
        let shared = (0..longest).take_while(|i| segments[*i] == previous[*i]).count();
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{shared} {kind} {}", segments[shared..].join("."));
        previous = segments;
    }
    out
}
