//! Warnings of a run: what could not be computed, where in the query, and why.
//!
//! The texts are those that clients of Elasticsearch know: a line for the expression, and one for each different reason.

use std::fmt::Write;

use maxspan_diagnostics::{Source, Span};
use rustc_hash::FxHashMap;

use crate::limits::WARNINGS_PER_EXPRESSION_MAX;

/// Why a function has no value for a row. The classes are the names under which Elasticsearch reports them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    class: &'static str,
    message: String,
}

impl Failure {
    /// An argument that the function does not take.
    pub fn argument(message: impl Into<String>) -> Self {
        Self { class: "java.lang.IllegalArgumentException", message: message.into() }
    }

    /// A result that is no number, or out of the range of its type.
    pub fn arithmetic(message: impl Into<String>) -> Self {
        Self { class: "java.lang.ArithmeticException", message: message.into() }
    }

    /// A value that cannot be converted.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self { class: "org.elasticsearch.xpack.esql.core.InvalidArgumentException", message: message.into() }
    }

    /// A text that is no number.
    pub fn number_format(message: impl Into<String>) -> Self {
        Self { class: "java.lang.NumberFormatException", message: message.into() }
    }

    /// A date out of range.
    pub fn date_time(message: impl Into<String>) -> Self {
        Self { class: "java.time.DateTimeException", message: message.into() }
    }

    /// A regular expression that cannot be read.
    pub fn pattern(message: impl Into<String>) -> Self {
        Self { class: "java.util.regex.PatternSyntaxException", message: message.into() }
    }

    /// A function of one value met several.
    pub fn multi_value() -> Self {
        Self::argument("single-value function encountered multi-value")
    }

    /// `value` does not fit the type.
    pub fn out_of_range(value: &str, kind: &str) -> Self {
        Self::invalid(format!("[{value}] out of [{kind}] range"))
    }

    /// Class and message.
    pub fn text(&self) -> String {
        format!("{}: {}", self.class, self.message)
    }
}

/// What stands in for a value that could not be computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Instead {
    /// Null.
    Null,
    /// False, as a condition of CASE.
    False,
}

/// Collects the warnings of a run.
#[derive(Debug, Default)]
pub struct Warnings {
    /// Where and what instead, with the reasons; in order of appearance.
    failures: Vec<((Span, Instead), Vec<String>)>,
    places: FxHashMap<(Span, Instead), usize>,
    others: Vec<String>,
}

impl Warnings {
    /// An expression failed on a row.
    pub fn failed(&mut self, span: Span, instead: Instead, failure: &Failure) {
        let place = *self.places.entry((span, instead)).or_insert_with(|| {
            self.failures.push(((span, instead), Vec::new()));
            self.failures.len() - 1
        });
        let reasons = &mut self.failures[place].1;
        if reasons.len() < WARNINGS_PER_EXPRESSION_MAX {
            let text = failure.text();
            if !reasons.contains(&text) {
                reasons.push(text);
            }
        }
    }

    /// A warning about the query or its result as a whole.
    pub fn push(&mut self, text: String) {
        if !self.others.contains(&text) {
            self.others.push(text);
        }
    }

    /// The texts, with line and column in the query.
    pub fn texts(&self, source: &Source) -> Vec<String> {
        let mut texts = self.others.clone();
        for ((span, instead), reasons) in &self.failures {
            let position = source.position(span.start);
            let place = format!("Line {}:{}", position.line, position.column);
            let value = if *instead == Instead::Null { "null" } else { "false" };
            texts.push(format!(
                "{place}: evaluation of [{}] failed, treating result as {value}. Only first {} failures recorded.",
                span.slice(&source.text),
                WARNINGS_PER_EXPRESSION_MAX
            ));
            for reason in reasons {
                let mut text = String::new();
                // Writing to a string cannot fail.
                let _ = write!(text, "{place}: {reason}");
                texts.push(text);
            }
        }
        texts
    }
}
