//! KQL: any text is parsed, printed and parsed again, lowered, written out and run; every message fits the text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use maxspan_diagnostics::{Source, Span, has_errors};
use maxspan_eql::Strictness;
use maxspan_event::Fields;
use maxspan_fuzz::{check_messages, events, query_options, schema};
use maxspan_kql::ast::{Literal, Node, NodeKind};
use maxspan_kql::{LowerOptions, ParseOptions, lower, parse, parse_literal, to_kql};
use maxspan_pipeline::query::{self, QueryLanguage};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let source = Source::new("query", text);
    let (literal, found) = parse_literal(text);
    assert_eq!(literal.is_none(), has_errors(&found));
    check_messages(&source, &found);
    let (_, found) = parse(text, &ParseOptions { leading_wildcards: false });
    check_messages(&source, &found);
    let (tree, found) = parse(text, &ParseOptions::default());
    assert_eq!(tree.is_none(), has_errors(&found));
    check_messages(&source, &found);
    if let Some(tree) = tree {
        check_tree(&source, &tree);
    }
});

fn check_tree(source: &Source, tree: &Node) {
    let printed = to_kql(tree);
    let (again, found) = parse(&printed, &ParseOptions::default());
    // Escapes make the text longer, and so it may go over the limit.
    if printed.len() <= maxspan_kql::limits::QUERY_BYTES_MAX {
        let again = again.unwrap_or_else(|| panic!("printed as {printed}: {found:?}"));
        assert_eq!(without_spans(&again), without_spans(tree), "printed as {printed}");
    }
    let mut fields = Fields::default();
    let (predicate, found) = lower(tree, schema(), &mut fields, &LowerOptions { now: 0 });
    assert_eq!(predicate.is_none(), has_errors(&found));
    check_messages(source, &found);
    let Some(predicate) = predicate else { return };
    maxspan_plan::dump::predicate(&predicate, &fields);
    let options = query_options(QueryLanguage::Kql, Strictness::Lenient);
    let answer = query::run(&source.text, &mut events(), &options).expect("a query that was lowered runs");
    assert_eq!((answer.events, answer.problems.len()), (3, 0));
}

fn without_spans(node: &Node) -> Node {
    let bare = |literal: &Literal| Literal { span: Span::default(), ..literal.clone() };
    let list = |nodes: &[Node]| nodes.iter().map(without_spans).collect();
    let kind = match &node.kind {
        NodeKind::Is { field, value } => NodeKind::Is { field: field.as_ref().map(bare), value: bare(value) },
        NodeKind::Range { field, op, value } => {
            NodeKind::Range { field: bare(field), op: *op, value: bare(value) }
        }
        NodeKind::And(nodes) => NodeKind::And(list(nodes)),
        NodeKind::Or(nodes) => NodeKind::Or(list(nodes)),
        NodeKind::Not(node) => NodeKind::Not(Box::new(without_spans(node))),
        NodeKind::Nested { path, query } => {
            NodeKind::Nested { path: bare(path), query: Box::new(without_spans(query)) }
        }
    };
    Node { kind, span: Span::default() }
}
