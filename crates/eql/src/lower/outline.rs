//! The conditions of a query with their places, for explanations.
//!
//! Every condition is lowered by itself with the code that lowers the whole query, once as it is and once negated, so
//! an explanation cannot mean something else than the match.

use maxspan_diagnostics::Span;
use maxspan_event::{Field, FieldType, Fields, Schema};
use maxspan_plan::RegexBudget;
use maxspan_plan::condition::{Condition, ConditionKind, Outline, Read, Single, Stage};

use super::{LowerOptions, Lowering};
use crate::ast::{self, Expr, ExprKind, QueryKind};

/// The conditions of a query that [`lower`](super::lower) has a plan for; stages are in the order of the plan's steps.
pub fn outline(
    query: &ast::Query,
    text: &str,
    schema: &Schema,
    fields: &mut Fields,
    options: &LowerOptions,
) -> Outline {
    let mut lowering = Lowering::new(text, schema, fields, options);
    // What is to be said was said when the query was lowered.
    lowering.diagnostics.mute(true);
    let event = |stage| Outline { stages: vec![stage], until: None, maxspan: None };
    match &query.kind {
        QueryKind::Event(query) => event(lowering.event_outline(query)),
        QueryKind::Sequence(sequence) => Outline {
            stages: lowering.stage_outlines(&sequence.by, &sequence.stages),
            until: sequence.until.as_ref().map(|stage| lowering.stage_outline(&sequence.by, stage)),
            maxspan: sequence.maxspan.map(|span| span.span),
        },
        QueryKind::Sample(sample) => Outline {
            stages: lowering.stage_outlines(&sample.by, &sample.stages),
            until: None,
            maxspan: None,
        },
    }
}

impl Lowering<'_> {
    fn stage_outlines(&mut self, by: &[Expr], stages: &[ast::Stage]) -> Vec<Stage> {
        let mut out = Vec::new();
        for stage in stages {
            let outline = self.stage_outline(by, stage);
            let runs = stage.runs.map_or(1, |runs| runs.count as usize);
            out.extend(std::iter::repeat_n(outline, runs));
        }
        out
    }

    fn stage_outline(&mut self, by: &[Expr], stage: &ast::Stage) -> Stage {
        let mut outline = self.event_outline(&stage.query);
        outline.span = stage.span;
        outline.missing = stage.missing;
        outline.keys = by
            .iter()
            .chain(&stage.by)
            .filter_map(|key| {
                let ExprKind::Field(name) = &key.kind else { return None };
                Some((self.read(name, key.span), self.key(key)?))
            })
            .collect();
        outline
    }

    fn event_outline(&mut self, query: &ast::EventQuery) -> Stage {
        let mut all = Vec::new();
        if query.category.is_some() {
            let holds = self.category(query);
            let name = ast::FieldName {
                name: self.options.event_category_field.clone(),
                optional: self.schema.get(&self.options.event_category_field).is_none(),
            };
            let mut read = self.read(&name, query.category_span);
            if read.kind == FieldType::Unknown.name() {
                // As the category itself is lowered.
                read.slot = self.fields.slot(&Field::new(&name.name, FieldType::Keyword));
            }
            let single = Single { fails: holds.clone().negate(), holds, reads: vec![read] };
            all.push(Condition { span: query.category_span, kind: ConditionKind::Single(Box::new(single)) });
        }
        match self.condition_outline(&query.condition) {
            // `process where a and b` is one list of conditions.
            Condition { kind: ConditionKind::And(inner), .. } => all.extend(inner),
            other => all.push(other),
        }
        let condition = Condition { span: query.span, kind: ConditionKind::And(all) };
        Stage { span: query.span, condition, missing: false, keys: Vec::new() }
    }

    fn condition_outline(&mut self, expr: &Expr) -> Condition {
        let list =
            |this: &mut Self, list: &[Expr]| list.iter().map(|one| this.condition_outline(one)).collect();
        let kind = match &expr.kind {
            ExprKind::And(all) => ConditionKind::And(list(self, all)),
            ExprKind::Or(any) => ConditionKind::Or(list(self, any)),
            ExprKind::Not(inner) => ConditionKind::Not(Box::new(self.condition_outline(inner))),
            _ if is_related(expr) => ConditionKind::Related,
            _ => ConditionKind::Single(Box::new(self.single(expr))),
        };
        Condition { span: expr.span, kind }
    }

    fn single(&mut self, expr: &Expr) -> Single {
        // The budget is one query's, and everything is lowered twice here.
        let holds = self.condition(expr, false);
        self.regexes = RegexBudget::default();
        let fails = self.condition(expr, true);
        self.regexes = RegexBudget::default();
        Single { holds, fails, reads: self.reads(expr) }
    }

    /// The fields that an expression reads, each once, in the order of the text.
    fn reads(&mut self, expr: &Expr) -> Vec<Read> {
        let mut found: Vec<(ast::FieldName, Span)> = Vec::new();
        collect_fields(expr, &mut found);
        let mut reads: Vec<Read> = Vec::new();
        for (name, span) in found {
            let read = self.read(&name, span);
            if !reads.iter().any(|other| other.name == read.name) {
                reads.push(read);
            }
        }
        reads
    }

    fn read(&mut self, name: &ast::FieldName, span: Span) -> Read {
        let field = self.schema.field(&name.name);
        let slot = self.fields.slot(&field);
        Read { name: field.name, path: field.path, kind: field.kind.name(), span, slot }
    }
}

fn collect_fields(expr: &Expr, out: &mut Vec<(ast::FieldName, Span)>) {
    if let ExprKind::Field(name) = &expr.kind {
        out.push((name.clone(), expr.span));
    }
    for child in expr.children() {
        collect_fields(child, out);
    }
}

/// Whether other events decide: a relation between processes, also where it is compared (`child of […] == true`).
fn is_related(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::Lineage { .. }) || expr.children().into_iter().any(is_related)
}
