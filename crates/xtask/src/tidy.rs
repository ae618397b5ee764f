//! `cargo xtask tidy`: what compilers do not check. Prints `file:line: message` for each violation.
//!
//! | module | checks |
//! |---|---|
//! | [`dependencies`] | each crate depends only on what the table allows |
//! | [`layers`] | no query language below the plan; no input or output, clock, environment or global state up to the engine |
//! | [`files`] | each file says what it is for, is not too long, and names no folder of some machine |
//! | [`decisions`] | each decision has the template's headings and a line in the index |
//! | [`codes`] | each diagnostic code has one meaning |
//! | [`docs`] | the book's table of contents is whole; links and anchors lead somewhere |
//!
//! The checks of source text look at text, not at meaning: they miss what is renamed or hidden in a macro, and are there
//! against accidents.

mod codes;
mod decisions;
mod dependencies;
pub(crate) mod docs;
mod files;
mod layers;
mod rust_text;
mod tree;

use std::fmt;

use anyhow::{Result, bail};

use crate::cargo;
use crate::outcome::Outcome;
use tree::Tree;

/// Something to mend.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Violation {
    /// The path from the workspace's root.
    pub(crate) file: String,
    /// From 1.
    pub(crate) line: usize,
    /// What is wrong.
    pub(crate) message: String,
}

impl Violation {
    fn new(file: &str, line: usize, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, message: message.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.message)
    }
}

/// Runs all checks.
pub(crate) fn run() -> Result<Outcome> {
    let tree = Tree::read()?;
    let mut violations = dependencies::check(&cargo::metadata()?, &tree);
    violations.extend(layers::check(&tree));
    violations.extend(files::check(&tree));
    violations.extend(decisions::check(&tree));
    violations.extend(codes::check(&tree));
    violations.extend(docs::check(&tree));
    violations.sort();
    for violation in &violations {
        println!("{violation}");
    }
    match violations.len() {
        0 => println!("tidy: {} files, nothing to mend", tree.files.len()),
        1 => bail!("1 violation"),
        count => bail!("{count} violations"),
    }
    Ok(Outcome::Passed)
}
