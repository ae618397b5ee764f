//! Searching in text: LIKE and RLIKE, `:` and MATCH, KQL.

use std::sync::Arc;

use maxspan_diagnostics::{Diagnostic, Severity, Span, codes};
use maxspan_event::wildcard::Wildcard;
use maxspan_event::{Decoder, Fields};
use maxspan_kql::{LowerOptions, ParseOptions};
use maxspan_plan::LuceneRegex;

use super::Analysis;
use super::expression::boolean;
use crate::ast::{self, Word};
use crate::functions::convert::{convert, to_text};
use crate::query::{Column, ColumnId, Expr, ExprKind, KqlQuery, Pattern};
use crate::search::{Edits, MatchQuery};
use crate::types::DataType;
use crate::value::Value;

/// Options of MATCH that only change scores or costs, or what no field here has.
const IGNORED_OPTIONS: [&str; 9] = [
    "analyzer",
    "auto_generate_synonyms_phrase_query",
    "boost",
    "fuzzy_rewrite",
    "fuzzy_transpositions",
    "lenient",
    "max_expansions",
    "prefix_length",
    "zero_terms_query",
];

impl Analysis<'_> {
    pub(super) fn like(
        &mut self,
        value: &ast::Expr,
        patterns: &[ast::Expr],
        regex: bool,
        negated: bool,
        span: Span,
    ) -> Expr {
        let value = self.expr(value);
        let kind = value.data_type;
        if !kind.is_text() && !matches!(kind, DataType::Null | DataType::Unsupported) {
            let message = format!("patterns fit text, but this is [{}]", kind.name());
            self.report_with_help(codes::ESQL_TYPE, value.span, message, "convert it with `::string`");
            return Self::nothing(span);
        }
        let mut compiled = Vec::new();
        let mut everything = false;
        for pattern in patterns {
            let Some(text) = self.pattern_text(pattern) else { continue };
            // What fits everything only asks whether there is something.
            everything |= if regex {
                matches!(text.as_str(), ".*" | "@")
            } else {
                !text.is_empty() && text.bytes().all(|byte| byte == b'*')
            };
            compiled.extend(self.pattern(&text, regex, pattern.span));
        }
        let test = if everything {
            let missing = boolean(ExprKind::IsNull(Box::new(value)), span);
            boolean(ExprKind::Not(Box::new(missing)), span)
        } else {
            boolean(ExprKind::Like(Box::new(value), compiled.into()), span)
        };
        if negated { boolean(ExprKind::Not(Box::new(test)), span) } else { test }
    }

    fn pattern_text(&mut self, pattern: &ast::Expr) -> Option<String> {
        let expr = self.expr(pattern);
        let text = self.constant_text(&expr);
        if text.is_none() {
            self.report(codes::ESQL_CONSTANT, pattern.span, "a pattern is a constant text");
        }
        text
    }

    fn pattern(&mut self, text: &str, regex: bool, span: Span) -> Option<Pattern> {
        if !regex {
            return Some(Pattern::Wildcard(Wildcard::with_escapes(text, false)));
        }
        match LuceneRegex::new(text, false) {
            Ok(regex) => Some(Pattern::Regex(regex)),
            Err(error) => {
                self.report(codes::ESQL_PATTERN, span, error.message);
                None
            }
        }
    }

    /// `field : "words"`
    pub(super) fn match_words(&mut self, field: &ast::Expr, query: &ast::Expr, span: Span) -> Expr {
        let field = self.expr(field);
        let query = self.expr(query);
        self.match_query(field, &query, &[], span)
    }

    /// `MATCH(field, query, {options})`: some value of the field has the words, or equals the value where it is no text.
    pub(super) fn match_query(
        &mut self,
        field: Expr,
        query: &Expr,
        options: &[(Word, ast::Expr)],
        span: Span,
    ) -> Expr {
        let Some(value) = self.constant_value(query) else {
            self.report(codes::ESQL_CONSTANT, query.span, "what is searched for is a constant");
            return Self::nothing(span);
        };
        let (all, edits) = self.match_options(options);
        let found = match (field.data_type, &value) {
            (_, Value::Null) => MatchQuery::Nothing,
            (DataType::Text, value) => MatchQuery::words(&to_text(value.borrowed()), all, edits),
            (DataType::Keyword, Value::Text(text)) if edits != Edits::Exactly(0) => {
                MatchQuery::Near(text.to_string(), edits)
            }
            (kind, value) => {
                let converted = convert(&self.evaluator.context, value.borrowed(), kind);
                converted.map_or(MatchQuery::Nothing, MatchQuery::Equal)
            }
        };
        boolean(ExprKind::Match(Box::new(field), Arc::new(found)), span)
    }

    /// Whether all words have to be there, and how far they may be from what is meant.
    fn match_options(&mut self, options: &[(Word, ast::Expr)]) -> (bool, Edits) {
        let (mut all, mut edits) = (false, Edits::Exactly(0));
        for (name, option) in options {
            let expr = self.expr(option);
            let text = expr.as_constant().map(|value| to_text(value.borrowed())).unwrap_or_default();
            match (name.text.as_str(), Edits::parse(&text), text.to_ascii_uppercase().as_str()) {
                ("fuzziness", Some(found), _) => edits = found,
                ("operator", _, "AND") => all = true,
                ("operator", _, "OR") => all = false,
                (known, ..) if IGNORED_OPTIONS.contains(&known) => {}
                (known, ..) => {
                    let message = format!("[MATCH] has no option [{known}] with the value [{text}]");
                    self.report(codes::ESQL_ARGUMENTS, name.span, message);
                }
            }
        }
        (all, edits)
    }

    /// `MATCH_PHRASE(field, query)`
    pub(super) fn match_phrase(&mut self, field: Expr, query: &Expr, span: Span) -> Expr {
        if field.data_type != DataType::Text {
            return self.match_query(field, query, &[], span);
        }
        let Some(text) = self.constant_text(query) else {
            self.report(codes::ESQL_CONSTANT, query.span, "what is searched for is a constant text");
            return Self::nothing(span);
        };
        boolean(ExprKind::Match(Box::new(field), Arc::new(MatchQuery::phrase(&text))), span)
    }

    /// `KQL("…")` looks at the fields of the document, whatever commands made of their names.
    pub(super) fn kql(&mut self, query: &Expr, span: Span) -> Expr {
        let Some(text) = self.constant_text(query) else {
            self.report(codes::ESQL_CONSTANT, query.span, "the query is a constant text");
            return Self::nothing(span);
        };
        let Some(scan) = &self.scan else {
            self.report(codes::ESQL_TYPE, span, "KQL looks at the documents of an index, and ROW has none");
            return Self::nothing(span);
        };
        let patterns: Vec<&str> = scan.patterns.iter().map(String::as_str).collect();
        let schema = self.schema.documents(&patterns);
        let (tree, found) = maxspan_kql::parse(&text, &ParseOptions::default());
        self.inner_messages(found, query.span);
        let Some(tree) = tree else { return Self::nothing(span) };
        let mut fields = Fields::default();
        let (predicate, found) = maxspan_kql::lower(&tree, &schema, &mut fields, &LowerOptions::default());
        self.inner_messages(found, query.span);
        let Some(predicate) = predicate else { return Self::nothing(span) };
        let later = LowerOptions { now: i64::MAX / 2 };
        let (at_another_time, _) = maxspan_kql::lower(&tree, &schema, &mut Fields::default(), &later);
        if at_another_time.as_ref() != Some(&predicate) {
            self.report(
                codes::ESQL_UNSUPPORTED,
                query.span,
                "`now` in a KQL query inside of ES|QL is not run",
            );
            return Self::nothing(span);
        }
        let mut columns = Vec::new();
        for (slot, field) in fields.iter() {
            let id = self.read_field(&field.path, DataType::of_field(field.kind), false);
            columns.push((slot, id));
        }
        let all = if predicate.asks_leaves() { self.all_fields() } else { Vec::new() };
        let decoder = Decoder::new(fields, schema);
        boolean(ExprKind::Kql(Arc::new(KqlQuery { predicate, decoder, fields: columns, all })), span)
    }

    /// Every field of the index that can still be seen.
    fn all_fields(&mut self) -> Vec<(String, ColumnId)> {
        let patterns = self.scan.as_ref().map(|scan| scan.patterns.clone()).unwrap_or_default();
        let patterns: Vec<&str> = patterns.iter().map(String::as_str).collect();
        let fields = self.schema.all(&patterns).into_iter();
        let mut all: Vec<(String, ColumnId)> = fields
            .map(|Column { name, kind }| {
                let id = self.read_field(&name, kind, false);
                (name, id)
            })
            .collect();
        for (id, field) in self.scan.iter().flat_map(|scan| &scan.fields) {
            if !all.iter().any(|(_, known)| known == id) {
                all.push((field.clone(), *id));
            }
        }
        all
    }

    /// Messages about a query inside the query stand at its string.
    fn inner_messages(&mut self, found: Vec<Diagnostic>, span: Span) {
        for diagnostic in found {
            let code =
                if diagnostic.severity() == Severity::Error { codes::ESQL_PATTERN } else { diagnostic.code };
            let mut moved = Diagnostic::new(code, span, diagnostic.message);
            moved.help = diagnostic.help;
            self.messages.push(code, || moved);
        }
    }
}
