//! The reference of forms: every example is run, and every form of the syntax tree and type of field has one.

use std::collections::BTreeSet;

use maxspan_event::{Decoder, Fields, Schema, Slots};
use maxspan_kql::ast::{Literal, LiteralKind, Node, NodeKind, RangeOp};
use maxspan_kql::reference::{Example, GROUPS, MAPPING, NOW};
use maxspan_kql::{LowerOptions, ParseOptions, lower, parse};
use maxspan_plan::Environment;

fn examples() -> impl Iterator<Item = &'static Example> {
    GROUPS.iter().flat_map(|group| group.forms).flat_map(|form| form.examples)
}

fn schema() -> Schema {
    Schema::built_in().with_mapping(MAPPING).unwrap()
}

fn tree(query: &str) -> Node {
    let (tree, problems) = parse(query, &ParseOptions::default());
    tree.unwrap_or_else(|| panic!("{query}: {problems:?}"))
}

fn matches(query: &str, event: &str) -> bool {
    let mut fields = Fields::default();
    let (predicate, problems) = lower(&tree(query), &schema(), &mut fields, &LowerOptions { now: NOW });
    let predicate = predicate.unwrap_or_else(|| panic!("{query}: {problems:?}"));
    let mut slots = Slots::default();
    Decoder::new(fields, schema()).decode(event.as_bytes(), &mut slots).unwrap();
    predicate.holds(Environment::new(&slots))
}

#[test]
fn examples_are_true() {
    let wrong = examples().filter(|example| matches(example.query, example.event) != example.matches);
    let wrong: Vec<String> = wrong.map(|example| format!("{} on {}", example.query, example.event)).collect();
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_form_is_described() {
    for form in GROUPS.iter().flat_map(|group| group.forms) {
        assert!(!form.summary.is_empty() && !form.examples.is_empty(), "{}", form.form);
    }
}

#[test]
fn every_form_of_the_syntax_tree_has_an_example() {
    let mut found = BTreeSet::new();
    for example in examples() {
        collect(&tree(example.query), &mut found);
    }
    let wanted = [
        "<",
        "<=",
        ">",
        ">=",
        "and",
        "boolean",
        "field",
        "field pattern",
        "free text",
        "nested",
        "not",
        "null",
        "or",
        "pattern",
        "quoted",
        "text",
    ];
    assert_eq!(found.into_iter().collect::<Vec<_>>(), wanted);
}

#[test]
fn every_type_that_compares_in_its_own_way_has_an_example() {
    let mut found = BTreeSet::new();
    for example in examples() {
        types(&tree(example.query), &mut found);
    }
    for kind in [
        "keyword",
        "wildcard",
        "constant_keyword",
        "text",
        "long",
        "double",
        "boolean",
        "ip",
        "date",
        "version",
    ] {
        assert!(found.contains(kind), "{kind} is not in {found:?}");
    }
}

/// The forms of a query. Exhaustive, so that a new form has to be listed here.
fn collect(node: &Node, found: &mut BTreeSet<&'static str>) {
    match &node.kind {
        NodeKind::Is { field, value } => {
            found.insert(match field.as_ref().map(|field| &field.kind) {
                None => "free text",
                Some(LiteralKind::Wildcard(_)) => "field pattern",
                Some(_) => "field",
            });
            found.insert(literal(value));
        }
        NodeKind::Range { op, .. } => {
            found.insert(match op {
                RangeOp::Less => "<",
                RangeOp::LessOrEqual => "<=",
                RangeOp::Greater => ">",
                RangeOp::GreaterOrEqual => ">=",
            });
        }
        NodeKind::And(all) => {
            found.insert("and");
            for one in all {
                collect(one, found);
            }
        }
        NodeKind::Or(any) => {
            found.insert("or");
            for one in any {
                collect(one, found);
            }
        }
        NodeKind::Not(inner) => {
            found.insert("not");
            collect(inner, found);
        }
        NodeKind::Nested { query, .. } => {
            found.insert("nested");
            collect(query, found);
        }
    }
}

fn literal(value: &Literal) -> &'static str {
    match value.kind {
        LiteralKind::Null => "null",
        LiteralKind::Boolean(_) => "boolean",
        LiteralKind::Text(_) => "text",
        LiteralKind::Quoted(_) => "quoted",
        LiteralKind::Wildcard(_) => "pattern",
    }
}

/// The types of the fields that a query names, outside of nested groups.
fn types(node: &Node, found: &mut BTreeSet<&'static str>) {
    match &node.kind {
        NodeKind::Is { field: Some(field), .. } | NodeKind::Range { field, .. } => {
            if let LiteralKind::Text(name) | LiteralKind::Quoted(name) = &field.kind {
                found.insert(schema().field(name).kind.name());
            }
        }
        NodeKind::And(nodes) | NodeKind::Or(nodes) => {
            for node in nodes {
                types(node, found);
            }
        }
        NodeKind::Not(inner) => types(inner, found),
        NodeKind::Is { field: None, .. } | NodeKind::Nested { .. } => {}
    }
}
