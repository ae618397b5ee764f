//! The parser against the conformance pack and the rule corpus of the shared folder (`MAXSPAN_SHARED`), and
//! properties that hold for any text. Where the folder is absent the packs are skipped, except on CI.

use std::fs;
use std::path::{Path, PathBuf};

use maxspan_diagnostics::Span;
use maxspan_kql::ast::{Literal, LiteralKind, Node, NodeKind, RangeOp};
use maxspan_kql::{ParseOptions, parse, parse_literal, to_kql};
use proptest::prelude::*;
use serde_json::Value;

/// The folder in the shared one, if it is there.
fn shared(folder: &str) -> Option<PathBuf> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared");
    let root = std::env::var("MAXSPAN_SHARED").unwrap_or_else(|_| default.to_owned());
    let path = Path::new(&root).join(folder);
    if path.exists() {
        return Some(path);
    }
    assert!(std::env::var_os("CI").is_none(), "{} is missing", path.display());
    println!("SKIPPED: {} is missing", path.display());
    None
}

fn json_lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).expect("a readable pack");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON lines")).collect()
}

/// The queries of the other two packs are about meaning; they must at least parse.
#[test]
fn queries_of_the_other_packs() {
    let Some(folder) = shared("conformance/kql") else { return };
    for pack in ["dsl.jsonl", "evaluator.jsonl"] {
        let cases = json_lines(&folder.join(pack));
        let queries: Vec<&str> = cases.iter().filter_map(|case| case["query"].as_str()).collect();
        for query in &queries {
            check_round_trip(query);
        }
        println!("{pack}: {} queries", queries.len());
    }
}

#[test]
fn corpus_queries() {
    let Some(folder) = shared("corpus/rules") else { return };
    let mut files = Vec::new();
    collect_toml(&folder, &mut files);
    let mut count = 0;
    for file in &files {
        let text = fs::read_to_string(file).expect("a readable rule");
        let document: toml::Table = text.parse().expect("TOML");
        for query in kuery_queries(&document) {
            count += 1;
            check_round_trip(query);
        }
    }
    println!("{count} queries in {} files", files.len());
    assert!(count > 0, "the corpus has KQL rules");
}

fn collect_toml(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            collect_toml(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
}

fn kuery_queries(document: &toml::Table) -> Vec<&str> {
    let Some(rule) = document.get("rule") else { return Vec::new() };
    let text = |key: &str| rule.get(key).and_then(toml::Value::as_str);
    let mut queries = Vec::new();
    if text("language") == Some("kuery") {
        queries.extend(text("query"));
        // A threat query without a language of its own is KQL.
        if text("threat_language").unwrap_or("kuery") == "kuery" {
            queries.extend(text("threat_query"));
        }
    }
    queries
}

/// The query parses, and its printed form parses to the same tree.
fn check_round_trip(query: &str) {
    let (tree, diagnostics) = parse(query, &ParseOptions::default());
    let tree = tree.unwrap_or_else(|| panic!("{query}\n{diagnostics:?}"));
    check_printed(&tree);
}

fn check_printed(tree: &Node) {
    let printed = to_kql(tree);
    let (again, diagnostics) = parse(&printed, &ParseOptions::default());
    let again = again.unwrap_or_else(|| panic!("printed: {printed}\n{diagnostics:?}\n{tree:?}"));
    assert_eq!(without_spans(&again), without_spans(tree), "printed: {printed}");
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

/// Text that is likely to hold what needs an escape.
fn any_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-zA-Z0-9.@_ -]{1,6}",
        "[\\\\():<>\"*{}\\t\\n\\r\u{a0}]{1,2}",
        prop::sample::select(vec![
            " and ", " OR ", "not ", "NOT ", " or", "and", "null", "true", "\\u0041", "\\n"
        ])
        .prop_map(str::to_owned),
        any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..5).prop_map(|pieces| pieces.concat())
}

/// Unquoted text as the parser can make it: trimmed, and no constant.
fn any_unquoted() -> impl Strategy<Value = String> {
    any_text()
        .prop_map(|text| text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}').to_owned())
        .prop_filter("a constant", |text| !matches!(text.as_str(), "null" | "true" | "false"))
}

fn any_literal() -> impl Strategy<Value = Literal> {
    let parts = prop::collection::vec(any_text(), 0..3);
    prop_oneof![
        Just(LiteralKind::Null),
        any::<bool>().prop_map(LiteralKind::Boolean),
        any_unquoted().prop_map(LiteralKind::Text),
        any_text().prop_map(LiteralKind::Quoted),
        (any_unquoted(), parts, any_unquoted()).prop_map(|(first, middle, last)| {
            LiteralKind::Wildcard(std::iter::once(first).chain(middle).chain([last]).collect())
        }),
    ]
    .prop_map(|kind| Literal { kind, span: Span::default() })
}

fn any_node() -> impl Strategy<Value = Node> {
    let op = prop::sample::select(vec![
        RangeOp::Less,
        RangeOp::LessOrEqual,
        RangeOp::Greater,
        RangeOp::GreaterOrEqual,
    ]);
    let leaf = prop_oneof![
        (prop::option::of(any_literal()), any_literal())
            .prop_map(|(field, value)| NodeKind::Is { field, value }),
        (any_literal(), op, any_literal()).prop_map(|(field, op, value)| NodeKind::Range {
            field,
            op,
            value
        }),
    ]
    .prop_map(node);
    leaf.prop_recursive(4, 24, 4, |inner| {
        let many = || prop::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            many().prop_map(NodeKind::And),
            many().prop_map(NodeKind::Or),
            inner.clone().prop_map(|inner| NodeKind::Not(Box::new(inner))),
            (any_literal(), inner.clone())
                .prop_map(|(path, inner)| NodeKind::Nested { path, query: Box::new(inner) }),
            (any_literal(), prop::collection::vec(any_literal(), 2..4), any::<bool>()).prop_map(one_field),
        ]
        .prop_map(node)
    })
}

fn node(kind: NodeKind) -> Node {
    Node { kind, span: Span::default() }
}

/// A list of values of one field.
fn one_field((field, values, is_and): (Literal, Vec<Literal>, bool)) -> NodeKind {
    let nodes =
        values.into_iter().map(|value| node(NodeKind::Is { field: Some(field.clone()), value })).collect();
    if is_and { NodeKind::And(nodes) } else { NodeKind::Or(nodes) }
}

/// Text of the grammar's own tokens: often a query, or nearly one.
fn any_near_query() -> impl Strategy<Value = String> {
    let tokens = vec![
        "(", ")", "{", "}", ":", "<", ">=", "\"", "\"a b\"", "\\", "\\*", "\\n", "\\or", "\\NOT", "*", "a",
        "b.c", "kn", "not", "NOT ", " and ", " or ", "and", "or", " ", "\n", "\u{a0}", "é", "null", "true",
        "=", "a:", "a:(", "not ", "x:{",
    ];
    prop::collection::vec(prop::sample::select(tokens), 0..14).prop_map(|tokens| tokens.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_parses_or_is_refused(text in any::<String>(), leading_wildcards in any::<bool>()) {
        check_contract(&text, leading_wildcards);
    }

    #[test]
    fn near_queries_parse_or_are_refused(text in any_near_query(), leading_wildcards in any::<bool>()) {
        check_contract(&text, leading_wildcards);
    }

    #[test]
    fn printed_trees_parse_to_themselves(tree in any_node()) {
        check_printed(&tree);
    }
}

/// A tree or one error with a span that fits the text; a tree survives printing.
fn check_contract(text: &str, leading_wildcards: bool) {
    let (tree, diagnostics) = parse(text, &ParseOptions { leading_wildcards });
    assert_eq!(tree.is_none(), maxspan_diagnostics::has_errors(&diagnostics), "{text}");
    for diagnostic in &diagnostics {
        let span = diagnostic.span;
        assert!(text.get(span.start..span.end).is_some(), "{text}: {diagnostic:?}");
    }
    if let Some(tree) = tree {
        assert!(text.get(tree.span.start..tree.span.end).is_some(), "{text}: {tree:?}");
        check_printed(&tree);
    }
    let (literal, diagnostics) = parse_literal(text);
    assert_eq!(literal.is_none(), maxspan_diagnostics::has_errors(&diagnostics), "{text}");
}
