//! The conditions of a query with their places, for explanations.
//!
//! Every condition is lowered by itself with the code that lowers the whole query. KQL is two-valued: what does not
//! hold fails.

use maxspan_diagnostics::Span;
use maxspan_event::{Fields, Schema};
use maxspan_plan::condition::{Condition, ConditionKind, Outline, Read, Single, Stage};

use super::{LowerOptions, Lowering, text_of};
use crate::ast::{Literal, LiteralKind, Node, NodeKind};

/// The conditions of a query that [`lower`](super::lower) has a predicate for.
pub fn outline(node: &Node, schema: &Schema, fields: &mut Fields, options: &LowerOptions) -> Outline {
    let mut lowering = Lowering::new(schema, options);
    // What is to be said was said when the query was lowered.
    lowering.diagnostics.mute(true);
    let condition = lowering.condition_outline(node, fields);
    let stage = Stage { span: node.span, condition, missing: false, keys: Vec::new() };
    Outline { stages: vec![stage], until: None, maxspan: None }
}

impl Lowering<'_> {
    fn condition_outline(&mut self, node: &Node, fields: &mut Fields) -> Condition {
        let mut list =
            |list: &[Node]| list.iter().map(|one| self.condition_outline(one, fields)).collect::<Vec<_>>();
        let kind = match &node.kind {
            NodeKind::And(all) => ConditionKind::And(list(all)),
            NodeKind::Or(any) => match common_field(any) {
                // `field: (a or b)` is one condition of the text: its values are no more than a list.
                Some(field) => {
                    let kind = self.single_outline(node, Some(field), fields);
                    return Condition { span: field.span.to(node.span), kind };
                }
                None => ConditionKind::Or(list(any)),
            },
            NodeKind::Not(inner) => ConditionKind::Not(Box::new(self.condition_outline(inner, fields))),
            NodeKind::Nested { path, query } => self.nested_outline(path, query, fields),
            NodeKind::Is { field, .. } => self.single_outline(node, field.as_ref(), fields),
            NodeKind::Range { field, .. } => self.single_outline(node, Some(field), fields),
        };
        Condition { span: node.span, kind }
    }

    fn nested_outline(&mut self, path: &Literal, query: &Node, fields: &mut Fields) -> ConditionKind {
        let relative = text_of(&path.kind);
        let outer = self.prefix.clone();
        self.prefix = format!("{outer}{relative}.");
        let mut inner_fields = Fields::default();
        let inner = self.condition_outline(query, &mut inner_fields);
        self.prefix = outer;
        ConditionKind::Nested(fields.nested(&relative, inner_fields), Box::new(inner))
    }

    fn single_outline(&mut self, node: &Node, field: Option<&Literal>, fields: &mut Fields) -> ConditionKind {
        let holds = self.node(node, fields);
        let named = field.filter(|field| !matches!(field.kind, LiteralKind::Wildcard(_)));
        let reads = named.map(|field| self.read(field, field.span, fields)).into_iter().collect();
        ConditionKind::Single(Box::new(Single { fails: holds.clone().negate(), holds, reads }))
    }

    fn read(&mut self, literal: &Literal, span: Span, fields: &mut Fields) -> Read {
        let field = self.field(literal);
        let slot = fields.slot(&field);
        Read { name: field.name, path: field.path, kind: field.kind.name(), span, slot }
    }
}

/// The field that is written once for all of the alternatives.
fn common_field(alternatives: &[Node]) -> Option<&Literal> {
    let field = |node: &Node| match &node.kind {
        NodeKind::Is { field: Some(field), .. } => Some(field.span),
        _ => None,
    };
    let NodeKind::Is { field: Some(first), .. } = &alternatives.first()?.kind else { return None };
    alternatives.iter().all(|node| field(node) == Some(first.span)).then_some(first)
}
