//! From syntax tree to plan: names are resolved, types checked, and every condition gets the way it is evaluated.
//!
//! Negation is pushed down to the leaves first; then each leaf is a test of one field (two-valued, a missing field
//! fails it) or a script (three-valued). Which one it is decides what a missing field means, so the classification is
//! Elasticsearch's: a bare field against constants is a test, everything else a script.

use std::collections::HashSet;

use maxspan_diagnostics::{Code, Diagnostic, Messages, Span, codes, has_errors, nearest_names};
use maxspan_event::{Field, FieldType, Fields, Schema, Value};
use maxspan_plan::limits::LINEAGE_QUERIES_MAX;
use maxspan_plan::{
    Key, Limit, Lineage, Plan, PlanKind, Predicate, RegexBudget, Relation, Sample, Sequence, Step, TestKind,
    ValueSet,
};

use crate::ast::{self, Expr, ExprKind, QueryKind};
use crate::limits::{DIAGNOSTICS_MAX, QUOTED_EXPRESSION_CHARS_MAX};

mod calls;
mod condition;
mod constant;
mod expression;
mod outline;
mod types;

pub use outline::outline;
use types::Type;

/// What the meaning of a query depends on beside its text.
#[derive(Debug, Clone)]
pub struct LowerOptions {
    /// The field that holds the event category.
    pub event_category_field: String,
    /// What is refused.
    pub strictness: Strictness,
    /// What `now` is in date math, in nanoseconds since 1970.
    pub now: i64,
}

/// What is refused, and what only warned about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strictness {
    /// As Elasticsearch: unknown fields, conflicting types and syntax beyond its dialect are errors.
    Elasticsearch,
    /// For events without a mapping: an unknown field counts as missing unless events carry it, types that differ make
    /// a condition false, lineage and field-to-field comparisons work. Each with a warning.
    Lenient,
}

impl Default for LowerOptions {
    fn default() -> Self {
        Self { event_category_field: "event.category".to_owned(), strictness: Strictness::Lenient, now: 0 }
    }
}

/// Lowers a query; there is a plan unless a diagnostic is an error. `text` is the query's text.
pub fn lower(
    query: &ast::Query,
    text: &str,
    schema: &Schema,
    fields: &mut Fields,
    options: &LowerOptions,
) -> (Option<Plan>, Vec<Diagnostic>) {
    let mut lowering = Lowering::new(text, schema, fields, options);
    let kind = match &query.kind {
        QueryKind::Event(event) => PlanKind::Events(lowering.event_query(event)),
        QueryKind::Sequence(sequence) => PlanKind::Sequence(lowering.sequence(sequence)),
        QueryKind::Sample(sample) => PlanKind::Sample(lowering.sample(sample)),
    };
    let limits = query.pipes.iter().filter_map(Lowering::pipe).collect();
    let Lowering { mut diagnostics, lineage, .. } = lowering;
    diagnostics.sort_by_place();
    let diagnostics = diagnostics.finish();
    let plan = (!has_errors(&diagnostics)).then_some(Plan { kind, limits, lineage });
    (plan, diagnostics)
}

struct Lowering<'a> {
    text: &'a str,
    schema: &'a Schema,
    fields: &'a mut Fields,
    options: &'a LowerOptions,
    diagnostics: Messages,
    /// Join keys that were looked at.
    keys: HashSet<Span>,
    lineage: Vec<Lineage>,
    regexes: RegexBudget,
}

impl<'a> Lowering<'a> {
    fn new(text: &'a str, schema: &'a Schema, fields: &'a mut Fields, options: &'a LowerOptions) -> Self {
        Self {
            text,
            schema,
            fields,
            options,
            diagnostics: Messages::new(DIAGNOSTICS_MAX),
            keys: HashSet::new(),
            lineage: Vec::new(),
            regexes: RegexBudget::default(),
        }
    }

    fn strict(&self) -> bool {
        self.options.strictness == Strictness::Elasticsearch
    }

    fn report(&mut self, code: Code, span: Span, message: impl Into<String>) {
        self.diagnostics.push(code, || Diagnostic::new(code, span, message));
    }

    /// An error where Elasticsearch's checks apply, else a warning.
    fn report_type(&mut self, code: Code, span: Span, message: String) {
        let code = if self.strict() { code } else { codes::EQL_TYPE_LENIENT };
        self.report(code, span, message);
    }

    /// The text of an expression as messages quote it.
    fn quote(&self, span: Span) -> String {
        let text = span.slice(self.text);
        match text.char_indices().nth(QUOTED_EXPRESSION_CHARS_MAX) {
            Some((cut, _)) => format!("{}…", &text[..cut]),
            None => text.to_owned(),
        }
    }

    fn event_query(&mut self, query: &ast::EventQuery) -> Predicate {
        let category = self.category(query);
        let condition = self.condition(&query.condition, false);
        Predicate::and([category, condition])
    }

    fn category(&mut self, query: &ast::EventQuery) -> Predicate {
        let name = &self.options.event_category_field;
        let field = self.schema.get(name);
        if field.is_none() && self.strict() {
            let (span, message) = (query.category_span, format!("Unknown column [{name}]"));
            self.report(codes::EQL_UNKNOWN_FIELD, span, message);
        }
        let Some(category) = &query.category else { return Predicate::Constant(true) };
        let field = field.unwrap_or_else(|| Field::new(name, FieldType::Keyword));
        let values = ValueSet::new([Value::text(category.as_str())], false);
        Predicate::test(self.fields.slot(&field), TestKind::OneOf(values))
    }

    fn sequence(&mut self, sequence: &ast::SequenceQuery) -> Sequence {
        let steps = self.steps(&sequence.by, &sequence.stages);
        let until = sequence.until.as_ref().map(|stage| self.step(&sequence.by, stage));
        let written: Vec<&ast::Stage> = sequence.stages.iter().chain(&sequence.until).collect();
        self.check_keys(&written);
        Sequence { steps, maxspan_ms: sequence.maxspan.map(|span| span.millis), until }
    }

    fn sample(&mut self, sample: &ast::SampleQuery) -> Sample {
        let steps = self.steps(&sample.by, &sample.stages);
        let written: Vec<&ast::Stage> = sample.stages.iter().collect();
        self.check_keys(&written);
        Sample { steps }
    }

    /// The steps with their runs written out; the parser limits their number.
    fn steps(&mut self, by: &[Expr], stages: &[ast::Stage]) -> Vec<Step> {
        let mut steps = Vec::new();
        for stage in stages {
            let step = self.step(by, stage);
            let runs = stage.runs.map_or(1, |runs| runs.count as usize);
            steps.extend(std::iter::repeat_n(step, runs));
        }
        steps
    }

    fn step(&mut self, by: &[Expr], stage: &ast::Stage) -> Step {
        let predicate = self.event_query(&stage.query);
        let keys = by.iter().chain(&stage.by).filter_map(|key| self.key(key)).collect();
        Step { predicate, missing: stage.missing, keys }
    }

    fn key(&mut self, key: &Expr) -> Option<Key> {
        let ExprKind::Field(name) = &key.kind else {
            self.report(codes::EQL_SYNTAX, key.span, "a join key must be a field");
            return None;
        };
        // The keys of all stages are looked at once a stage; one message is enough.
        self.diagnostics.mute(!self.keys.insert(key.span));
        let field = self.field(name, key.span);
        self.diagnostics.mute(false);
        Some(Key { slot: self.fields.slot(&field), optional: name.optional })
    }

    /// Keys at the same place need the same type; the parser saw to it that there are as many.
    fn check_keys(&mut self, stages: &[&ast::Stage]) {
        let Some((first, rest)) = stages.split_first() else { return };
        for stage in rest {
            for (a, b) in first.by.iter().zip(&stage.by) {
                self.check_key_types(a, b);
            }
        }
    }

    fn check_key_types(&mut self, first: &Expr, other: &Expr) {
        let (Some(a), Some(b)) = (self.key_type(first), self.key_type(other)) else { return };
        if a != Type::Unknown && b != Type::Unknown && a.family() != b.family() {
            let message = format!(
                "Sequence key [{}] type [{}] is incompatible with key [{}] type [{}]",
                self.quote(other.span),
                b.mapping_name(),
                self.quote(first.span),
                a.mapping_name()
            );
            self.report_type(codes::EQL_KEY_TYPE, other.span, message);
        }
    }

    fn key_type(&self, key: &Expr) -> Option<Type> {
        let ExprKind::Field(name) = &key.kind else { return None };
        Some(Type::of_field(&self.schema.field(&name.name)))
    }

    fn pipe(pipe: &ast::Pipe) -> Option<Limit> {
        // The parser lets only `head` and `tail` with one count through.
        let [Expr { kind: ExprKind::Integer(count), .. }] = pipe.arguments.as_slice() else { return None };
        let count = usize::try_from(*count).ok()?;
        Some(if pipe.name == "head" { Limit::Head(count) } else { Limit::Tail(count) })
    }

    /// Resolves a field's name, and says so when no schema knows it or queries cannot use it.
    fn field(&mut self, name: &ast::FieldName, span: Span) -> Field {
        let Some(field) = self.schema.get(&name.name) else {
            return self.unknown_field(name, span);
        };
        let kind = field.mapping_type.as_deref().unwrap_or(field.kind.name()).to_owned();
        let usable = !matches!(field.kind, FieldType::Unsupported | FieldType::Nested);
        let message = if field.kind == FieldType::Nested {
            format!(
                "Cannot use field [{}] type [nested] due to nested fields not being supported yet",
                name.name
            )
        } else if let Some(parent) = &field.nested_path {
            let kind = Type::of_field(&field).name().to_lowercase();
            format!(
                "Cannot use field [{}] type [{kind}] with unsupported nested type in hierarchy (field [{parent}])",
                name.name
            )
        } else if usable {
            return field;
        } else {
            format!("Cannot use field [{}] with unsupported type [{kind}]", name.name)
        };
        self.report_type(codes::EQL_FIELD_TYPE, span, message);
        field
    }

    fn unknown_field(&mut self, name: &ast::FieldName, span: Span) -> Field {
        let field = Field::new(&name.name, FieldType::Unknown);
        if name.optional {
            return field;
        }
        let code = if self.strict() { codes::EQL_UNKNOWN_FIELD } else { codes::EQL_FIELD_UNMAPPED };
        let schema = self.schema;
        self.diagnostics.push(code, || {
            let near = nearest_names(&name.name, schema.names());
            let help = match near.as_slice() {
                [] if schema.is_object(&name.name) => "this is an object; name one of its fields".to_owned(),
                [] => format!("if events may carry it, write `?{}`", name.name),
                [only] => format!("did you mean [{only}]?"),
                several => format!("did you mean any of [{}]?", several.join(", ")),
            };
            Diagnostic::new(code, span, format!("Unknown column [{}]", name.name)).with_help(help)
        });
        field
    }

    /// `child of [..]`: a query of its own, and a reference to its answer.
    fn lineage(&mut self, relation: ast::Relation, query: &ast::EventQuery, span: Span) -> Predicate {
        if self.strict() {
            self.report(codes::EQL_UNSUPPORTED, span, "Process relationships are not supported");
            return Predicate::Constant(false);
        }
        self.report(codes::EQL_EXTENSION, span, "process relationships work here, but not in Elasticsearch");
        let predicate = self.event_query(query);
        if self.lineage.len() == LINEAGE_QUERIES_MAX {
            let message = format!("more than {LINEAGE_QUERIES_MAX} process relationships in one query");
            self.report(codes::PLAN_TOO_LARGE, span, message);
            return Predicate::Constant(false);
        }
        let relation = match relation {
            ast::Relation::Child => Relation::Child,
            ast::Relation::Descendant => Relation::Descendant,
            ast::Relation::Event => Relation::Event,
        };
        let process = self.fields.slot(&self.schema.field("process.entity_id"));
        let parent = self.fields.slot(&self.schema.field("process.parent.entity_id"));
        self.lineage.push(Lineage { relation, predicate, process, parent });
        Predicate::Lineage(maxspan_plan::LineageId(self.lineage.len() - 1))
    }
}
