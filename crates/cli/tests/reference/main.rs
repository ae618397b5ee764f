//! Pages of the book that are made from the tables that the program runs on, and from its help.
//!
//! Each page is rendered and compared with the file; with `MAXSPAN_UPDATE=1` the file is written instead
//! (`cargo xtask codegen` does that). The examples on the pages are run by tests of the crates whose tables they are.

mod eql_functions;
mod eql_operators;
mod help;
mod kql_reference;
mod markdown;
#[path = "../support/mod.rs"]
mod support;

use std::env;
use std::fs;
use std::path::Path;

/// Compares a page with what it should be, or writes it.
#[track_caller]
fn check(page: &str, expected: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(page);
    if env::var_os("MAXSPAN_UPDATE").is_some_and(|value| value == "1") {
        fs::write(&path, expected).unwrap();
        return;
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    let line = found.lines().zip(expected.lines()).position(|(found, expected)| found != expected);
    let line = line.unwrap_or_else(|| found.lines().count().min(expected.lines().count()));
    assert!(
        found == expected,
        "docs/{page} is not up to date: run `cargo xtask codegen`\nline {}: {:?}\nshould be {:?}",
        line + 1,
        found.lines().nth(line),
        expected.lines().nth(line)
    );
}

#[test]
fn eql_functions_page() {
    check("eql-functions.md", &eql_functions::page());
}

#[test]
fn eql_operators_page() {
    check("eql-operators.md", &eql_operators::page());
}

#[test]
fn kql_reference_page() {
    check("kql-reference.md", &kql_reference::page());
}

#[test]
fn commands_page() {
    check("commands/reference.md", &help::page());
}
