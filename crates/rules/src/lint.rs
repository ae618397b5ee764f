//! Lints: what is allowed in a rule, but is probably not what its author means.
//!
//! Each file of the folder is one lint, or a few that look at the same thing: its codes (`16xx`), what it says, its
//! tests. They work on the syntax trees of queries and on rule documents, with the schema; a lint over all rules looks
//! for what several of them share. What a lint claims about events is certain: a condition that is said to hold never
//! does hold never (`truth/tests.rs` compares with the engine). What may be meant is said as such, or as a note.
//!
//! A lint can be switched off for a rule, see [`Allows`]. Pages about the codes are in `docs/diagnostics`.

mod allow;
mod anchors;
mod attack;
mod case_trap;
mod comparison;
mod condition;
mod domain;
mod duplicates;
mod guide;
mod known_values;
mod references;
mod regex_text;
mod schedule;
mod sequence;
mod subject;
#[cfg(test)]
mod support;
mod truth;
mod value_type;
mod wildcard;

use std::sync::Arc;

use maxspan_diagnostics::{Diagnostic, Source, Span};
use maxspan_event::Schema;

use crate::document::RuleDocument;
pub use allow::{AllowError, Allows};
use subject::Subject;

/// What lints go by.
#[derive(Debug, Clone, Copy)]
pub struct LintOptions<'a> {
    /// Types of fields.
    pub schema: &'a Schema,
    /// What `now` is in date math, in nanoseconds since 1970.
    pub now: i64,
}

/// A message and the text it is about.
pub type Message = (Arc<Source>, Diagnostic);

/// One lint: looks at a rule and says what it sees.
type Lint = fn(&mut Subject<'_>);

/// The lints that look at one rule, in the order in which they are asked.
const LINTS: [Lint; 12] = [
    truth::check,
    case_trap::check,
    wildcard::check,
    regex_text::check,
    value_type::check,
    known_values::check,
    anchors::check,
    sequence::check,
    schedule::check,
    attack::check,
    references::check,
    guide::check,
];

/// What the lints say about the rules, by rule and place.
pub fn lint(rules: &[RuleDocument], options: LintOptions<'_>) -> Vec<Message> {
    let mut messages = Vec::new();
    for rule in rules {
        let mut subject = Subject::new(rule, options);
        for lint in LINTS {
            lint(&mut subject);
        }
        messages.append(&mut subject.into_messages());
    }
    messages.append(&mut duplicates::check(rules));
    messages
}

/// The fields that a rule's query compares with constants, and the text that their places are places of.
pub fn fields_of(rule: &RuleDocument, options: LintOptions<'_>) -> (Arc<Source>, Vec<NamedField>) {
    let subject = Subject::new(rule, options);
    (subject.query_text(), subject.named_fields())
}

/// A field where a query names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedField {
    /// The field's name.
    pub name: String,
    /// Where the name stands.
    pub place: Span,
    /// A value that it is compared with, case counting.
    pub value: Option<(String, Span)>,
    /// Whether the comparison is negated, so that an event without the field satisfies it.
    pub negated: bool,
    /// Whether the query says that the field may be missing (`?field`), or asks for its presence.
    pub optional: bool,
    /// The category of the events that are compared, where the query names one.
    pub category: Option<String>,
}
