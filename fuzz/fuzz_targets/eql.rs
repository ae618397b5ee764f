//! EQL: any text is parsed, lowered in both ways, written out and run; every message fits the text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use maxspan_diagnostics::{Source, has_errors};
use maxspan_eql::{LowerOptions, ParseOptions, Strictness, lower, parse_expression, parse_with};
use maxspan_event::Fields;
use maxspan_fuzz::{check_messages, events, query_options, schema};
use maxspan_pipeline::query::{self, QueryLanguage};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let source = Source::new("query", text);
    for strictness in [Strictness::Lenient, Strictness::Elasticsearch] {
        check(&source, strictness);
    }
    let (tree, found) = parse_expression(text);
    assert_eq!(tree.is_some(), found.is_empty());
    check_messages(&source, &found);
});

fn check(source: &Source, strictness: Strictness) {
    let lineage = strictness == Strictness::Lenient;
    let (tree, found) = parse_with(&source.text, &ParseOptions { lineage });
    assert_eq!(tree.is_some(), found.is_empty());
    check_messages(source, &found);
    for diagnostic in &found {
        maxspan_eql::elasticsearch_position(source, diagnostic);
    }
    let Some(tree) = tree else { return };
    let mut fields = Fields::default();
    let options = LowerOptions { strictness, ..LowerOptions::default() };
    let (plan, found) = lower(&tree, &source.text, schema(), &mut fields, &options);
    assert_eq!(plan.is_none(), has_errors(&found));
    check_messages(source, &found);
    let Some(plan) = plan else { return };
    maxspan_plan::dump::plan(&plan, &fields);
    let options = query_options(QueryLanguage::Eql, strictness);
    let answer = query::run(&source.text, &mut events(), &options).expect("a query that was lowered runs");
    assert_eq!((answer.events, answer.problems.len()), (3, 0));
}
