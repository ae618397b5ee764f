//! Conditions of both languages in one form: and, or, and tests of one field, negation pushed down to the tests.
//!
//! What a test means is asked from the languages' own lowering, leaf by leaf, so that it cannot differ from what the
//! engine runs. Lists (`in (…)`, `: (…)`) become alternatives, each with its place. Whatever is no test of one field is
//! opaque: nothing is known about it.

use maxspan_diagnostics::{Span, has_errors};
use maxspan_eql::ast::{self as eql, Expr, ExprKind};
use maxspan_event::{Fields, Schema, Slot};
use maxspan_kql::ast as kql;
use maxspan_plan::{PlanKind, Predicate, TestKind};

/// A condition and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) kind: NodeKind,
    pub(super) span: Span,
}

#[derive(Debug, Clone)]
pub(super) enum NodeKind {
    /// All of them.
    All(Vec<Node>),
    /// Any of them.
    Any(Vec<Node>),
    /// A test of one field.
    Test(Literal),
    /// Always so, or never.
    Constant(bool),
    /// Something else.
    Opaque,
}

/// Some value of a field passes a test; or, negative, none does.
#[derive(Debug, Clone)]
pub(super) struct Literal {
    pub(super) slot: Slot,
    pub(super) test: TestKind,
    pub(super) negative: bool,
    pub(super) span: Span,
}

/// One event of a rule: its condition, and the fields that the slots stand for.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) condition: Node,
    /// From a missing-event stage (`![…]`).
    pub(super) missing: bool,
    /// A stage that shares join keys with others.
    pub(super) joined: bool,
}

/// Brings conditions into this form; slots are those of `fields`.
pub(super) struct Builder<'a> {
    pub(super) text: &'a str,
    pub(super) schema: &'a Schema,
    pub(super) now: i64,
    pub(super) category_field: &'a str,
    pub(super) fields: Fields,
}

impl Builder<'_> {
    /// The events of an EQL query, `until` last.
    pub(super) fn eql(&mut self, query: &eql::Query) -> Vec<Step> {
        match &query.kind {
            eql::QueryKind::Event(event) => vec![self.event(event)],
            eql::QueryKind::Sequence(sequence) => {
                let stages = sequence.stages.iter().chain(&sequence.until);
                stages.map(|stage| self.stage(stage, &sequence.by)).collect()
            }
            eql::QueryKind::Sample(sample) => {
                sample.stages.iter().map(|stage| self.stage(stage, &sample.by)).collect()
            }
        }
    }

    fn stage(&mut self, stage: &eql::Stage, by: &[Expr]) -> Step {
        let joined = !by.is_empty() || !stage.by.is_empty();
        Step { missing: stage.missing, joined, ..self.event(&stage.query) }
    }

    fn event(&mut self, query: &eql::EventQuery) -> Step {
        let mut parts = Vec::new();
        if query.category.is_some() {
            let condition = Expr { kind: ExprKind::Boolean(true), span: query.category_span };
            parts.push(self.lowered(query.category.clone(), &condition, query.category_span));
        }
        parts.push(self.eql_condition(&query.condition, false));
        Step { condition: all(parts, query.span), missing: false, joined: false }
    }

    fn eql_condition(&mut self, expr: &Expr, negated: bool) -> Node {
        let span = expr.span;
        match &expr.kind {
            ExprKind::Boolean(value) => Node { kind: NodeKind::Constant(*value != negated), span },
            ExprKind::Not(inner) => self.eql_condition(inner, !negated),
            ExprKind::And(list) | ExprKind::Or(list) => {
                let parts = list.iter().map(|one| self.eql_condition(one, negated)).collect();
                if matches!(expr.kind, ExprKind::And(_)) == negated {
                    any(parts, span)
                } else {
                    all(parts, span)
                }
            }
            ExprKind::In { value, list, negated: not_in, ignore_case }
                if is_field(value) && list.iter().all(is_literal) =>
            {
                let one = |item: &Expr| ExprKind::In {
                    value: value.clone(),
                    list: vec![item.clone()],
                    negated: false,
                    ignore_case: *ignore_case,
                };
                self.members(list, span, *not_in != negated, one)
            }
            ExprKind::Match { op, value, patterns } if is_field(value) && patterns.iter().all(is_literal) => {
                let one = |item: &Expr| ExprKind::Match {
                    op: *op,
                    value: value.clone(),
                    patterns: vec![item.clone()],
                };
                self.members(patterns, span, negated, one)
            }
            _ => self.eql_leaf(expr, negated),
        }
    }

    /// The members of a list as conditions of their own.
    fn members(&mut self, list: &[Expr], span: Span, negated: bool, one: impl Fn(&Expr) -> ExprKind) -> Node {
        let mut parts = Vec::with_capacity(list.len());
        for item in list {
            let span = if list.len() == 1 { span } else { item.span };
            parts.push(self.eql_leaf(&Expr { kind: one(item), span }, negated));
        }
        if negated { all(parts, span) } else { any(parts, span) }
    }

    fn eql_leaf(&mut self, expr: &Expr, negated: bool) -> Node {
        let span = expr.span;
        let mut leaf = expr.clone();
        silence(&mut leaf);
        if negated {
            leaf = Expr { kind: ExprKind::Not(Box::new(leaf)), span };
        }
        self.lowered(None, &leaf, span)
    }

    fn lowered(&mut self, category: Option<String>, condition: &Expr, span: Span) -> Node {
        let event = eql::EventQuery {
            category,
            category_span: span,
            condition: condition.clone(),
            span: condition.span,
        };
        let query = eql::Query { kind: eql::QueryKind::Event(event), pipes: Vec::new() };
        let options = maxspan_eql::LowerOptions {
            event_category_field: self.category_field.to_owned(),
            now: self.now,
            ..maxspan_eql::LowerOptions::default()
        };
        let (plan, _) = maxspan_eql::lower(&query, self.text, self.schema, &mut self.fields, &options);
        match plan.map(|plan| plan.kind) {
            Some(PlanKind::Events(predicate)) => node_of(&predicate, span, false),
            _ => Node { kind: NodeKind::Opaque, span },
        }
    }

    /// The condition of a KQL query.
    pub(super) fn kql(&mut self, node: &kql::Node) -> Step {
        Step { condition: self.kql_condition(node, false), missing: false, joined: false }
    }

    fn kql_condition(&mut self, node: &kql::Node, negated: bool) -> Node {
        let span = node.span;
        match &node.kind {
            kql::NodeKind::Not(inner) => self.kql_condition(inner, !negated),
            kql::NodeKind::And(list) | kql::NodeKind::Or(list) => {
                let parts = list.iter().map(|one| self.kql_condition(one, negated)).collect();
                let is_and = matches!(node.kind, kql::NodeKind::And(_));
                if is_and == negated { any(parts, span) } else { all(parts, span) }
            }
            kql::NodeKind::Is { .. } | kql::NodeKind::Range { .. } | kql::NodeKind::Nested { .. } => {
                let options = maxspan_kql::LowerOptions { now: self.now };
                let (predicate, found) = maxspan_kql::lower(node, self.schema, &mut self.fields, &options);
                match predicate.filter(|_| !has_errors(&found)) {
                    Some(predicate) => node_of(&predicate, span, negated),
                    None => Node { kind: NodeKind::Opaque, span },
                }
            }
        }
    }
}

/// A predicate in this form; negation of two-valued predicates can be pushed down.
fn node_of(predicate: &Predicate, span: Span, negated: bool) -> Node {
    let parts = |list: &[Predicate]| list.iter().map(|one| node_of(one, span, negated)).collect();
    match predicate {
        Predicate::Constant(value) => Node { kind: NodeKind::Constant(*value != negated), span },
        Predicate::Not(inner) => node_of(inner, span, !negated),
        Predicate::And(list) if negated => any(parts(list), span),
        Predicate::And(list) => all(parts(list), span),
        Predicate::Or(list) if negated => all(parts(list), span),
        Predicate::Or(list) => any(parts(list), span),
        Predicate::Test(test) => {
            let literal = Literal { slot: test.slot, test: test.kind.clone(), negative: negated, span };
            Node { kind: NodeKind::Test(literal), span }
        }
        Predicate::Script(_) | Predicate::Leaves(_) | Predicate::Nested(..) | Predicate::Lineage(_) => {
            Node { kind: NodeKind::Opaque, span }
        }
    }
}

/// All of them, flat.
fn all(parts: Vec<Node>, span: Span) -> Node {
    let mut flat = Vec::with_capacity(parts.len());
    for part in parts {
        match part.kind {
            NodeKind::All(inner) => flat.extend(inner),
            _ => flat.push(part),
        }
    }
    if flat.len() == 1 { flat.remove(0) } else { Node { kind: NodeKind::All(flat), span } }
}

/// Any of them, flat.
fn any(parts: Vec<Node>, span: Span) -> Node {
    let mut flat = Vec::with_capacity(parts.len());
    for part in parts {
        match part.kind {
            NodeKind::Any(inner) => flat.extend(inner),
            _ => flat.push(part),
        }
    }
    if flat.len() == 1 { flat.remove(0) } else { Node { kind: NodeKind::Any(flat), span } }
}

/// Marks a field that is compared with constants as optional. It means the same, and spares the search for names like an
/// unknown one, which was said when the rule was compiled.
fn silence(leaf: &mut Expr) {
    let field = match &mut leaf.kind {
        ExprKind::Compare { left, right, .. } if is_literal(right) => left,
        ExprKind::Compare { left, right, .. } if is_literal(left) => right,
        ExprKind::In { value, list, .. } if list.iter().all(is_literal) => value,
        ExprKind::Match { value, patterns, .. } if patterns.iter().all(is_literal) => value,
        _ => return,
    };
    if let ExprKind::Field(name) = &mut field.kind {
        name.optional = true;
    }
}

fn is_field(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::Field(_))
}

fn is_literal(expr: &Expr) -> bool {
    matches!(
        expr.kind,
        ExprKind::Null
            | ExprKind::Boolean(_)
            | ExprKind::Integer(_)
            | ExprKind::Decimal(_)
            | ExprKind::String(_)
    )
}
