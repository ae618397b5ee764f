//! A rule as lints see it: the document, its query parsed and brought into one form, and what is said about it.

use std::sync::Arc;

use maxspan_diagnostics::{Code, Diagnostic, Source, Span, has_errors};
use maxspan_eql::ParseOptions as EqlOptions;
use maxspan_eql::ast as eql;
use maxspan_event::{Field, Fields, Schema, Slot};
use maxspan_kql::ast as kql;

use super::comparison::{Comparison, Comparisons};
use super::condition::{Builder, Step};
use super::{LintOptions, Message, NamedField};
use crate::document::{Language, RuleDocument, RuleParams};

/// A rule and what lints say about it.
pub(super) struct Subject<'a> {
    pub(super) rule: &'a RuleDocument,
    pub(super) schema: &'a Schema,
    /// The syntax tree, where the query is EQL without errors.
    pub(super) eql: Option<eql::Query>,
    /// Every comparison of a field with a constant.
    pub(super) comparisons: Vec<Comparison>,
    /// The conditions on single events.
    pub(super) steps: Vec<Step>,
    fields: Fields,
    /// The text that places in the query are places of, and how far to shift them.
    query_source: (Arc<Source>, usize),
    messages: Vec<Message>,
}

impl<'a> Subject<'a> {
    pub(super) fn new(rule: &'a RuleDocument, options: LintOptions<'a>) -> Self {
        let (eql, kql) = parsed(rule);
        let mut comparisons = Comparisons::default();
        let category = match &rule.params {
            RuleParams::Eql { event_category_override: Some(name), .. } if !name.is_empty() => name,
            _ => "event.category",
        };
        let mut builder = Builder {
            text: &rule.query,
            schema: options.schema,
            now: options.now,
            category_field: category,
            fields: Fields::default(),
        };
        let mut steps = Vec::new();
        if let Some(query) = &eql {
            comparisons.eql(query);
            steps = builder.eql(query);
        }
        if let Some(node) = &kql {
            comparisons.kql(node);
            steps = vec![builder.kql(node)];
        }
        Self {
            rule,
            schema: options.schema,
            comparisons: comparisons.all,
            steps,
            fields: builder.fields,
            query_source: rule.origin.query_source(&rule.rule_id, &rule.query),
            messages: Vec::new(),
            eql,
        }
    }

    /// The field of a slot in the conditions.
    pub(super) fn field(&self, slot: Slot) -> &Field {
        self.fields.field(slot)
    }

    /// Whether the field in the slot holds one value at most, as far as ECS says.
    pub(super) fn holds_one_value(&self, slot: Slot) -> bool {
        let field = self.field(slot);
        field.path == field.name && self.schema.holds_one_value(&field.name)
    }

    /// The text of a place in the query.
    pub(super) fn quote(&self, span: Span) -> String {
        let text = span.slice(&self.rule.query).split_whitespace().collect::<Vec<_>>().join(" ");
        if text.chars().count() <= QUOTE_CHARS_MAX {
            return text;
        }
        text.chars().take(QUOTE_CHARS_MAX - 1).chain(['…']).collect()
    }

    /// Says something about a place in the query.
    pub(super) fn say(&mut self, mut diagnostic: Diagnostic) {
        let (source, shift) = &self.query_source;
        diagnostic.span = diagnostic.span.shifted(*shift);
        diagnostic.labels.iter_mut().for_each(|label| label.span = label.span.shifted(*shift));
        self.messages.push((Arc::clone(source), diagnostic.about_rule(&self.rule.rule_id)));
    }

    /// Says several things about places in the query.
    pub(super) fn say_all(&mut self, diagnostics: impl IntoIterator<Item = Diagnostic>) {
        for diagnostic in diagnostics {
            self.say(diagnostic);
        }
    }

    /// Says something about a field of the rule's document.
    pub(super) fn say_of_field(&mut self, field: &str, code: Code, message: String, help: &str) {
        self.say_at(self.rule.origin.field_span(field), code, message, help);
    }

    /// Says something about a text that stands somewhere in the rule, in quotes: an id, a link. The field is where it
    /// is said when the text is not found as written.
    pub(super) fn say_of_text(&mut self, text: &str, field: &str, code: Code, message: String, help: &str) {
        let origin = &self.rule.origin;
        let from = origin.field_span(field).start;
        let found = origin.source.text.get(from..).and_then(|rest| rest.find(text));
        let span = found.map_or(origin.field_span(field), |at| Span::new(from + at, from + at + text.len()));
        self.say_at(span, code, message, help);
    }

    fn say_at(&mut self, span: Span, code: Code, message: String, help: &str) {
        let mut diagnostic = Diagnostic::new(code, span, message).about_rule(&self.rule.rule_id);
        if !help.is_empty() {
            diagnostic = diagnostic.with_help(help);
        }
        self.messages.push((Arc::clone(&self.rule.origin.source), diagnostic));
    }

    /// What was said, each once, in the order of the text.
    pub(super) fn into_messages(mut self) -> Vec<Message> {
        self.messages.sort_by_key(|(_, one)| (one.span.start, one.code.info().number));
        self.messages.dedup_by(|(_, a), (_, b)| a == b);
        self.messages
    }

    pub(super) fn named_fields(&self) -> Vec<NamedField> {
        let shift = self.query_source.1;
        let mut named: Vec<NamedField> = Vec::new();
        for one in &self.comparisons {
            let value = one.text().filter(|_| one.operator.counts_case());
            let value = value.map(|text| (text.to_owned(), one.value_span.shifted(shift)));
            named.push(NamedField {
                name: one.field.clone(),
                place: one.field_span.shifted(shift),
                value,
                negated: one.negated,
                optional: one.optional || one.asks_presence(),
                category: one.category.clone(),
            });
        }
        named
    }

    /// The text that [`NamedField::place`] is a place of.
    pub(super) fn query_text(&self) -> Arc<Source> {
        Arc::clone(&self.query_source.0)
    }
}

/// Longest part of a query that a message quotes.
const QUOTE_CHARS_MAX: usize = 60;

/// The rule's query, where its language is known and there are no errors.
fn parsed(rule: &RuleDocument) -> (Option<eql::Query>, Option<kql::Node>) {
    match rule.language {
        Some(Language::Eql) => {
            let (tree, found) = maxspan_eql::parse_with(&rule.query, &EqlOptions { lineage: true });
            (tree.filter(|_| !has_errors(&found)), None)
        }
        Some(Language::Kuery) => {
            let (tree, found) = maxspan_kql::parse(&rule.query, &maxspan_kql::ParseOptions::default());
            (None, tree.filter(|_| !has_errors(&found)))
        }
        _ => (None, None),
    }
}
