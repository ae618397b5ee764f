//! From syntax tree to predicate, with the meaning that Kibana gives KQL in Elasticsearch.
//!
//! Two-valued throughout: a missing field does not match, so its negation does. Every leaf means any value of the
//! field. What a value means depends on the field's type: keywords compare exactly and with case, text by its words,
//! dates by the span that was written, addresses by block.

use maxspan_diagnostics::{Code, Diagnostic, Messages, Span, codes, has_errors, nearest_names};
use maxspan_event::wildcard::Wildcard;
use maxspan_event::{Field, FieldType, Fields, Schema};
use maxspan_plan::{Leaves, Predicate, TestKind};

use crate::ast::{Literal, LiteralKind, Node, NodeKind, RangeOp};
use crate::limits::DIAGNOSTICS_MAX;

mod outline;
mod value;

pub use outline::outline;
use value::by_kind;
pub use value::{range_test, value_test};

/// What the meaning of a query depends on beside its text.
#[derive(Debug, Clone, Default)]
pub struct LowerOptions {
    /// What `now` is in date math, in nanoseconds since 1970.
    pub now: i64,
}

/// Lowers a query; there is a predicate unless a diagnostic is an error.
pub fn lower(
    node: &Node,
    schema: &Schema,
    fields: &mut Fields,
    options: &LowerOptions,
) -> (Option<Predicate>, Vec<Diagnostic>) {
    let mut lowering = Lowering::new(schema, options);
    let predicate = lowering.node(node, fields);
    let diagnostics = lowering.diagnostics.finish();
    ((!has_errors(&diagnostics)).then_some(predicate), diagnostics)
}

struct Lowering<'a> {
    schema: &'a Schema,
    options: &'a LowerOptions,
    diagnostics: Messages,
    /// The path of the nested group that is being lowered, with a dot at its end; empty outside.
    prefix: String,
}

impl<'a> Lowering<'a> {
    fn new(schema: &'a Schema, options: &'a LowerOptions) -> Self {
        Self { schema, options, diagnostics: Messages::new(DIAGNOSTICS_MAX), prefix: String::new() }
    }

    fn node(&mut self, node: &Node, fields: &mut Fields) -> Predicate {
        match &node.kind {
            NodeKind::Is { field, value } => self.is(field.as_ref(), value, fields),
            NodeKind::Range { field, op, value } => self.range(field, *op, value, fields),
            NodeKind::And(all) => {
                Predicate::and(all.iter().map(|one| self.node(one, fields)).collect::<Vec<_>>())
            }
            NodeKind::Or(any) => {
                Predicate::or(any.iter().map(|one| self.node(one, fields)).collect::<Vec<_>>())
            }
            NodeKind::Not(inner) => self.node(inner, fields).negate(),
            NodeKind::Nested { path, query } => self.nested(path, query, fields),
        }
    }

    fn is(&mut self, field: Option<&Literal>, value: &Literal, fields: &mut Fields) -> Predicate {
        let Some(field) = field else { return self.free_text(value, fields) };
        if let LiteralKind::Wildcard(parts) = &field.kind {
            return self.field_pattern(parts, value, fields);
        }
        let resolved = self.field(field);
        if is_anything(&value.kind) && self.prefix.is_empty() && self.schema.is_object(&resolved.name) {
            fields.want_leaves();
            return Predicate::Leaves(Box::new(Leaves::below(&resolved.path)));
        }
        let slot = fields.slot(&resolved);
        if value.kind == LiteralKind::Null {
            self.warn(
                codes::KQL_NULL,
                value.span,
                "`null` matches nothing",
                "write `not field: *` for a missing field",
            );
        }
        let Some(test) = value_test(&resolved, &value.kind, self.options.now) else {
            self.check_value(&resolved, value);
            return Predicate::Constant(false);
        };
        Predicate::test(slot, test)
    }

    /// A bare value is looked for in every field.
    fn free_text(&mut self, value: &Literal, fields: &mut Fields) -> Predicate {
        if is_anything(&value.kind) {
            return Predicate::Constant(true);
        }
        fields.want_leaves();
        Predicate::Leaves(Box::new(Leaves { fields: None, tests: by_kind(&value.kind, self.options.now) }))
    }

    /// `pro*.name: value`: some field whose name fits has the value.
    fn field_pattern(&mut self, parts: &[String], value: &Literal, fields: &mut Fields) -> Predicate {
        let pattern = Wildcard::from_parts(parts.iter().map(String::as_str), false);
        if pattern.matches_all() && is_anything(&value.kind) {
            return Predicate::Constant(true);
        }
        fields.want_leaves();
        let tests = by_kind(&value.kind, self.options.now);
        Predicate::Leaves(Box::new(Leaves { fields: Some(pattern), tests }))
    }

    fn range(&mut self, field: &Literal, op: RangeOp, value: &Literal, fields: &mut Fields) -> Predicate {
        if let LiteralKind::Wildcard(parts) = &field.kind {
            let pattern = Wildcard::from_parts(parts.iter().map(String::as_str), false);
            fields.want_leaves();
            let tests = value::range_by_kind(op, &value.kind, self.options.now);
            return Predicate::Leaves(Box::new(Leaves { fields: Some(pattern), tests }));
        }
        let resolved = self.field(field);
        let slot = fields.slot(&resolved);
        if let Some(test) = range_test(&resolved, op, &value.kind, self.options.now) {
            Predicate::test(slot, test)
        } else {
            self.check_value(&resolved, value);
            Predicate::Constant(false)
        }
    }

    /// The inner query is evaluated on each object under the path by itself.
    fn nested(&mut self, path: &Literal, query: &Node, fields: &mut Fields) -> Predicate {
        let relative = text_of(&path.kind);
        let outer = self.prefix.clone();
        self.prefix = format!("{outer}{relative}.");
        let mut inner_fields = Fields::default();
        let inner = self.node(query, &mut inner_fields);
        self.prefix = outer;
        Predicate::Nested(fields.nested(&relative, inner_fields), Box::new(inner))
    }

    /// Resolves a field; inside a nested group its values stand at the path relative to the group.
    fn field(&mut self, literal: &Literal) -> Field {
        let relative = text_of(&literal.kind);
        let name = format!("{}{relative}", self.prefix);
        let mut field = self.schema.field(&name);
        if !field.is_known() && !self.schema.is_object(&name) {
            self.unmapped(&name, literal.span);
        }
        if let Some(path) = field.path.strip_prefix(self.prefix.as_str()) {
            field.path = path.to_owned();
        }
        field
    }

    fn unmapped(&mut self, name: &str, span: Span) {
        let (code, schema) = (codes::KQL_FIELD_UNMAPPED, self.schema);
        self.diagnostics.push(code, || {
            let near = nearest_names(name, schema.names());
            let diagnostic = Diagnostic::new(code, span, format!("no schema knows the field [{name}]"));
            if near.is_empty() {
                return diagnostic;
            }
            diagnostic.with_help(format!("did you mean [{}]?", near.join(", ")))
        });
    }

    /// Says why a value can never match.
    fn check_value(&mut self, field: &Field, value: &Literal) {
        if value.kind == LiteralKind::Null {
            return;
        }
        let message = format!(
            "[{}] of type [{}] cannot hold this value, so it matches nothing",
            field.name,
            field.kind.name()
        );
        self.warn(codes::KQL_VALUE, value.span, &message, "compare with a value of the field's type");
    }

    fn warn(&mut self, code: Code, span: Span, message: &str, help: &str) {
        self.diagnostics.push(code, || Diagnostic::new(code, span, message).with_help(help));
    }
}

/// `*`
fn is_anything(kind: &LiteralKind) -> bool {
    matches!(kind, LiteralKind::Wildcard(parts) if parts.iter().all(String::is_empty))
}

/// A literal as the name of a field or path.
fn text_of(kind: &LiteralKind) -> String {
    match kind {
        LiteralKind::Null => "null".to_owned(),
        LiteralKind::Boolean(value) => value.to_string(),
        LiteralKind::Text(text) | LiteralKind::Quoted(text) => text.clone(),
        LiteralKind::Wildcard(parts) => parts.join("*"),
    }
}

/// Types that only presence can be asked of.
fn only_presence(kind: FieldType) -> bool {
    matches!(kind, FieldType::Object | FieldType::Nested | FieldType::Binary | FieldType::Unsupported)
}

/// The test for `field: *`.
const EXISTS: TestKind = TestKind::Exists;

#[cfg(test)]
mod tests;
