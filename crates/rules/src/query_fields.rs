//! Which fields a rule's query names.
//!
//! EQL and KQL are parsed. Of other languages, and of a query with errors, every dotted word outside of
//! quotes counts: that errs on the side of naming too many (`logs.endpoint` in a `from`), never too few.

use std::collections::BTreeSet;

use maxspan_eql::ast::{EventQuery, Expr, ExprKind, Query, QueryKind, Stage};
use maxspan_kql::ast::{Literal, LiteralKind, Node, NodeKind};

use crate::document::{Language, RuleDocument, RuleParams};
use crate::query_tokens::{QueryTokenKind, query_tokens};

/// The names of fields in the rule's query, and in what belongs to it: groups, terms, suppression.
///
/// KQL may name fields by a pattern (`process.*`); it is given as written.
pub fn query_fields(rule: &RuleDocument) -> BTreeSet<String> {
    let mut fields = match rule.language {
        None => BTreeSet::new(),
        Some(language) => fields_of(language, &rule.query),
    };
    match &rule.params {
        RuleParams::Threshold(params) => {
            fields.extend(params.threshold.field.iter().cloned());
            fields.extend(params.threshold.cardinality.iter().map(|entry| entry.field.clone()));
        }
        RuleParams::NewTerms(params) => fields.extend(params.fields.iter().cloned()),
        RuleParams::ThreatMatch(params) => {
            let entries = params.threat_mapping.iter().flat_map(|group| &group.entries);
            fields.extend(entries.map(|entry| entry.field.clone()));
        }
        _ => {}
    }
    let suppression = rule.alert_suppression.iter().flat_map(|suppression| &suppression.group_by);
    fields.extend(suppression.cloned());
    fields
}

/// The names of fields in a query.
pub fn fields_of(language: Language, query: &str) -> BTreeSet<String> {
    let mut fields = BTreeSet::new();
    match language {
        Language::Eql => {
            if let (Some(tree), _) = maxspan_eql::parse(query) {
                eql_query(&tree, &mut fields);
                return fields;
            }
        }
        Language::Kuery => {
            if let (Some(tree), _) = maxspan_kql::parse(query, &maxspan_kql::ParseOptions::default()) {
                kql_node(&tree, "", &mut fields);
                return fields;
            }
        }
        Language::Esql | Language::Lucene => {}
    }
    let tokens = query_tokens(language, query);
    let names = tokens.iter().filter(|token| token.kind == QueryTokenKind::Field);
    fields.extend(names.map(|token| token.span.slice(query).trim_matches('`').to_owned()));
    fields
}

fn eql_query(query: &Query, fields: &mut BTreeSet<String>) {
    let (by, stages) = match &query.kind {
        QueryKind::Event(query) => return eql_event(query, fields),
        QueryKind::Sequence(sequence) => {
            if let Some(stage) = &sequence.until {
                eql_stage(stage, fields);
            }
            (&sequence.by, &sequence.stages)
        }
        QueryKind::Sample(sample) => (&sample.by, &sample.stages),
    };
    for key in by {
        eql_expr(key, fields);
    }
    for stage in stages {
        eql_stage(stage, fields);
    }
}

fn eql_stage(stage: &Stage, fields: &mut BTreeSet<String>) {
    for key in &stage.by {
        eql_expr(key, fields);
    }
    eql_event(&stage.query, fields);
}

fn eql_event(query: &EventQuery, fields: &mut BTreeSet<String>) {
    eql_expr(&query.condition, fields);
}

fn eql_expr(expr: &Expr, fields: &mut BTreeSet<String>) {
    match &expr.kind {
        ExprKind::Field(field) => {
            fields.insert(field.name.clone());
        }
        ExprKind::Lineage { query, .. } => eql_event(query, fields),
        _ => {}
    }
    for child in expr.children() {
        eql_expr(child, fields);
    }
}

/// `above` is the path of the objects around, with a dot at its end.
fn kql_node(node: &Node, above: &str, fields: &mut BTreeSet<String>) {
    let mut name = |field: &Literal| fields.insert(format!("{above}{}", literal_text(field)));
    match &node.kind {
        NodeKind::Is { field: None, .. } => {}
        NodeKind::Is { field: Some(field), .. } | NodeKind::Range { field, .. } => {
            name(field);
        }
        NodeKind::And(members) | NodeKind::Or(members) => {
            for member in members {
                kql_node(member, above, fields);
            }
        }
        NodeKind::Not(inner) => kql_node(inner, above, fields),
        NodeKind::Nested { path, query } => {
            name(path);
            kql_node(query, &format!("{above}{}.", literal_text(path)), fields);
        }
    }
}

fn literal_text(literal: &Literal) -> String {
    match &literal.kind {
        LiteralKind::Null => "null".to_owned(),
        LiteralKind::Boolean(flag) => flag.to_string(),
        LiteralKind::Text(text) | LiteralKind::Quoted(text) => text.clone(),
        LiteralKind::Wildcard(parts) => parts.join("*"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_in_every_language() {
        let check = |language: Language, query: &str, expected: &[&str]| {
            let found = fields_of(language, query);
            assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), expected, "{query}");
        };
        let eql = Language::Eql;
        check(eql, "process where a.b == \"c.d\" and not ?e in (1, f)", &["a.b", "e", "f"]);
        check(eql, "any where length(a.b) > 1 + c and d : (\"x\")", &["a.b", "c", "d"]);
        check(
            eql,
            "sequence by k with maxspan=1m [any where a == 1] by x [any where b == 2] by y until [any where c == 1] by z",
            &["a", "b", "c", "k", "x", "y", "z"],
        );
        check(eql, "process where child of [process where a.b == 1]", &["a.b"]);
        check(Language::Kuery, "a.b:(c or \"d.e\") and not f >= 3 and g*: x", &["a.b", "f", "g*"]);
        check(Language::Kuery, "a: { b: c and d < 2 }", &["a", "a.b", "a.d"]);
        check(Language::Kuery, "a.b:(unclosed", &["a.b"]);
        check(Language::Esql, "from logs-* | where a.b == \"c.d\" // e.f\n| keep g.h", &["a.b", "g.h"]);
    }
}
