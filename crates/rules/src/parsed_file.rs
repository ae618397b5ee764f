//! What one rule file holds.

use maxspan_diagnostics::{Code, Diagnostic, Span, codes};

use crate::document::RuleDocument;
use crate::exceptions::{ExceptionItem, ExceptionList};

/// The documents of one file that can be used, and everything that is to be said about the others.
#[derive(Debug, Clone, Default)]
pub struct ParsedFile {
    /// Rules, in the order of the file.
    pub rules: Vec<RuleDocument>,
    /// Exception lists.
    pub lists: Vec<ExceptionList>,
    /// Exception items.
    pub items: Vec<ExceptionItem>,
    /// Messages about the file's text.
    pub diagnostics: Vec<Diagnostic>,
    /// Rules that cannot be used; each has at least one error among the messages.
    pub rules_failed: usize,
    /// Exception lists and items that cannot be used; each has at least one error among the messages.
    pub exceptions_failed: usize,
    /// What was passed over on purpose.
    pub skipped: Skipped,
}

/// Counts of what was passed over on purpose.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Skipped {
    /// TOML rules whose maturity is not `production`.
    pub immature_rules: usize,
    /// TOML rules in a folder `_deprecated`.
    pub deprecated_rules: usize,
    /// Connectors of exports.
    pub connectors: usize,
    /// Details lines of exports.
    pub details_lines: usize,
    /// Files and lines that are no rule documents.
    pub not_rules: usize,
    /// Rules, lists and items whose id was taken already.
    pub duplicates: usize,
}

impl Skipped {
    /// Adds the counts of another.
    pub fn add(&mut self, other: Self) {
        self.immature_rules += other.immature_rules;
        self.deprecated_rules += other.deprecated_rules;
        self.connectors += other.connectors;
        self.details_lines += other.details_lines;
        self.not_rules += other.not_rules;
        self.duplicates += other.duplicates;
    }
}

impl ParsedFile {
    pub(crate) fn report(&mut self, code: Code, span: Span, message: impl Into<String>) {
        self.diagnostics.push(Diagnostic::new(code, span, message));
    }

    /// Counts an exception list or item that cannot even be told from its table, with a message.
    pub(crate) fn fail_exception(&mut self, span: Span, message: &str) {
        self.exceptions_failed += 1;
        self.report(codes::EXCEPTION_FORMAT, span, message);
    }

    /// Keeps a rule that was read, or counts it as failed; and its messages.
    pub(crate) fn add_rule(&mut self, (rule, diagnostics): (Option<RuleDocument>, Vec<Diagnostic>)) {
        match rule {
            Some(rule) => self.rules.push(rule),
            None => self.rules_failed += 1,
        }
        self.diagnostics.extend(diagnostics);
    }

    /// Keeps an exception item that was read, and its messages.
    pub(crate) fn add_item(&mut self, (item, diagnostics): (Option<ExceptionItem>, Vec<Diagnostic>)) {
        self.exceptions_failed += usize::from(item.is_none());
        self.items.extend(item);
        self.diagnostics.extend(diagnostics);
    }

    /// Keeps an exception list that was read, and its messages.
    pub(crate) fn add_list(&mut self, (list, diagnostics): (Option<ExceptionList>, Vec<Diagnostic>)) {
        self.exceptions_failed += usize::from(list.is_none());
        self.lists.extend(list);
        self.diagnostics.extend(diagnostics);
    }
}
