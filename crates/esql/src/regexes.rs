//! Regular expressions with the syntax of Java, as REPLACE and GROK take them, with bounds on size and steps.
//!
//! They run on `fancy-regex`: in linear time where they need no backtracking, else with a limit on the steps back.
//! `\w`, `\d` and `\s` know all of Unicode, where Java's know ASCII.

use std::sync::Arc;

use fancy_regex::{Regex, RegexBuilder};
use rustc_hash::FxHashMap;

use crate::limits::{REGEX_BYTES_MAX, REGEX_PROGRAM_BYTES_MAX, REGEX_STEPS_MAX, REGEXES_KEPT_MAX};
use crate::warning::Failure;

/// Compiled expressions by text.
#[derive(Debug, Default)]
pub(crate) struct Regexes {
    kept: FxHashMap<Box<str>, Result<Arc<Regex>, Failure>>,
}

impl Regexes {
    /// The expression of a text.
    pub(crate) fn get(&mut self, pattern: &str) -> Result<Arc<Regex>, Failure> {
        if let Some(known) = self.kept.get(pattern) {
            return known.clone();
        }
        if self.kept.len() >= REGEXES_KEPT_MAX {
            self.kept.clear();
        }
        let compiled = compile(pattern).map(Arc::new);
        self.kept.insert(pattern.into(), compiled.clone());
        compiled
    }
}

/// Compiles an expression.
pub(crate) fn compile(pattern: &str) -> Result<Regex, Failure> {
    if pattern.len() > REGEX_BYTES_MAX {
        return Err(Failure::pattern(format!("longer than {REGEX_BYTES_MAX} bytes near index 0")));
    }
    let compiled = RegexBuilder::new(pattern)
        .backtrack_limit(REGEX_STEPS_MAX)
        .delegate_size_limit(REGEX_PROGRAM_BYTES_MAX)
        .build();
    compiled.map_err(|error| Failure::pattern(format!("{}%0A{pattern}", describe(pattern, &error))))
}

/// The message that Java has, where it is known; else that of the library.
fn describe(pattern: &str, error: &fancy_regex::Error) -> String {
    if open_groups(pattern) > 0 {
        return format!("Unclosed group near index {}", pattern.chars().count());
    }
    let text = error.to_string();
    let first = text.lines().next().unwrap_or("malformed");
    format!("{first} near index 0")
}

/// How many groups are not closed at the end.
fn open_groups(pattern: &str) -> usize {
    let (mut open, mut chars, mut class) = (0_usize, pattern.chars(), false);
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                chars.next();
            }
            '[' => class = true,
            ']' => class = false,
            '(' if !class => open += 1,
            ')' if !class => open = open.saturating_sub(1),
            _ => {}
        }
    }
    open
}
