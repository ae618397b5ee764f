//! KQL: trees and errors, and queries on documents.

use maxspan_event::Schema;
use maxspan_kql::ast::{Literal, LiteralKind, Node, NodeKind, RangeOp};
use maxspan_kql::{ParseOptions, parse, parse_literal};
use maxspan_pipeline::input::{InputOptions, Reader};
use maxspan_pipeline::query::{self, QueryLanguage, QueryOptions};
use serde_json::{Value, json};

use crate::support::{Record, lines, shared};

#[test]
fn kql_cases() {
    let Some(shared) = shared() else { return };
    let mut record =
        Record::new(20, "kql-cases", "KQL `cases.jsonl`: the tree, or an error and its offset", "100 %");
    for case in lines(&shared.join("conformance/kql/cases.jsonl")) {
        record.case(case["query"].as_str().unwrap(), check(&case));
    }
    record.finish(100.0);
}

fn check(case: &Value) -> Result<(), String> {
    let query = case["query"].as_str().unwrap();
    let leading_wildcards = case["options"]["allowLeadingWildcards"].as_bool().unwrap_or(true);
    let (tree, problems) = if case["start_rule"] == "Literal" {
        let (literal, problems) = parse_literal(query);
        (literal.map(|literal| literal_json(&literal)), problems)
    } else {
        let (node, problems) = parse(query, &ParseOptions { leading_wildcards });
        (node.map(|node| node_json(&node)), problems)
    };
    match (case["error_offset"].as_u64(), tree) {
        (Some(offset), None) => {
            let start = problems[0].span.start;
            let found = query[..start].chars().count() as u64;
            if found == offset { Ok(()) } else { Err(format!("error at {found}, expected {offset}")) }
        }
        (None, Some(tree)) if tree == case["ast"] => Ok(()),
        (_, tree) => Err(format!("{tree:?} {problems:?}")),
    }
}

fn node_json(node: &Node) -> Value {
    match &node.kind {
        NodeKind::Is { field, value } => json!(["is", field.as_ref().map(literal_json), literal_json(value)]),
        NodeKind::Range { field, op, value } => {
            let op = match op {
                RangeOp::Less => "lt",
                RangeOp::LessOrEqual => "lte",
                RangeOp::Greater => "gt",
                RangeOp::GreaterOrEqual => "gte",
            };
            json!(["range", literal_json(field), op, literal_json(value)])
        }
        NodeKind::And(all) => list("and", all),
        NodeKind::Or(any) => list("or", any),
        NodeKind::Not(inner) => json!(["not", node_json(inner)]),
        NodeKind::Nested { path, query } => json!(["nested", literal_json(path), node_json(query)]),
    }
}

fn list(name: &str, nodes: &[Node]) -> Value {
    std::iter::once(json!(name)).chain(nodes.iter().map(node_json)).collect()
}

fn literal_json(literal: &Literal) -> Value {
    match &literal.kind {
        LiteralKind::Null => Value::Null,
        LiteralKind::Boolean(value) => json!({"lit": value}),
        LiteralKind::Text(text) => json!({"lit": text}),
        LiteralKind::Quoted(text) => json!({"quoted": text}),
        LiteralKind::Wildcard(parts) => json!({"wildcard": parts}),
    }
}

/// Cases in which that evaluator departs from Elasticsearch's meaning, and why.
const DEPARTURES: [(&str, &str); 0] = [];

/// The types that Elasticsearch would have for the documents of the cases.
const MAPPING: &str = r#"{"properties": {
  "number": {"type": "long"}, "number_list": {"type": "long"}, "boolean": {"type": "boolean"},
  "boolean_list": {"type": "boolean"}, "ip": {"type": "ip"}, "string": {"type": "keyword"},
  "string_list": {"type": "keyword"}, "structured": {"type": "nested"}, "deltas": {"type": "nested"}
}}"#;

#[test]
fn kql_evaluator() {
    let Some(shared) = shared() else { return };
    let mut record = Record::new(
        21,
        "kql-evaluator",
        "KQL `evaluator.jsonl`: query and document",
        "100 %, but for named departures",
    );
    for case in lines(&shared.join("conformance/kql/evaluator.jsonl")) {
        let query = case["query"].as_str().unwrap();
        match (evaluate(&case), DEPARTURES.iter().find(|(text, _)| *text == query)) {
            (Err(_), Some((_, reason))) => record.exception(query, *reason),
            (result, _) => record.case(query, result),
        }
    }
    record.finish(95.0);
}

fn evaluate(case: &Value) -> Result<(), String> {
    let schema = Schema::empty().with_mapping(MAPPING).unwrap();
    let options =
        QueryOptions { language: QueryLanguage::Kql, schema, normalize: false, ..QueryOptions::default() };
    let document = case["document"].to_string();
    let mut reader = Reader::of_bytes("event", std::io::Cursor::new(document), InputOptions::default());
    let answer = query::run(case["query"].as_str().unwrap(), &mut reader, &options)
        .map_err(|problems| format!("{problems:?}"))?;
    let found = !answer.response["hits"]["events"].as_array().unwrap().is_empty();
    if json!(found) == case["expected"] {
        Ok(())
    } else {
        Err(format!("{found}, expected {}", case["expected"]))
    }
}
