//! However a rule file is cut or changed: reading it gives messages whose places fit the text, and never panics.

use std::sync::Arc;

use maxspan_diagnostics::{Source, render};
use maxspan_rules::{ParsedFile, TomlOptions, parse_json, parse_ndjson, parse_toml};

const TOML: &str = r#"[metadata]
maturity = "production"
[transform]
[[transform.osquery]]
label = "ö"
query = "SELECT 1"
[rule]
name = "N"
description = """
D
"""
rule_id = "00000000-0000-0000-0000-00000000000a"
severity = "low"
risk_score = 0x15
type = "new_terms"
note = "ä $osquery_0 ${osquery_0}"
query = '''
a:"ü"
'''
[rule.new_terms]
field = "new_terms_fields"
value = ["a"]
[[rule.new_terms.history_window_start]]
field = "history_window_start"
value = "now-7d"
[[exceptions]]
[exceptions.container]
list_id = "l"
[[exceptions.items]]
entries = [{ field = "a", type = "match", operator = "included", value = "x" }]
"#;

const JSON: &str = r#"{"rule_id": "ö\"1", "name": "N", "description": "D", "severity": "low", "risk_score": 2.0e1,
 "type": "threshold", "query": "a:\u00fc", "threshold": {"field": "a", "value": 2, "cardinality": [{"field": "b", "value": 1}]},
 "exceptions_list": [{"id": "1", "list_id": "l", "type": "detection", "namespace_type": "single"}], "x": [null, {}]}"#;

/// Every beginning of the text, and the text with each character left out or replaced.
fn variants(text: &str) -> impl Iterator<Item = String> {
    text.char_indices().flat_map(move |(at, c)| {
        let (before, after) = (&text[..at], &text[at + c.len_utf8()..]);
        [
            before.to_owned(),
            format!("{before}{after}"),
            format!("{before}\"{after}"),
            format!("{before}ß{after}"),
        ]
    })
}

fn check(text: &str, parse: &dyn Fn(&Arc<Source>) -> ParsedFile) {
    for variant in variants(text) {
        let source = Arc::new(Source::new("text", variant));
        let file = parse(&source);
        for diagnostic in &file.diagnostics {
            let (start, end) = (diagnostic.span.start, diagnostic.span.end);
            assert!(source.text.get(start..end).is_some(), "{start}..{end} of {}", source.text);
        }
        render(&source, &file.diagnostics);
    }
}

#[test]
fn toml() {
    check(TOML, &|source| parse_toml(source, &TomlOptions::default()));
}

#[test]
fn json() {
    check(JSON, &parse_json);
    check(&format!("[{JSON}]"), &parse_json);
}

#[test]
fn ndjson() {
    check(&JSON.replace('\n', ""), &parse_ndjson);
}

#[test]
fn the_texts_themselves_are_good() {
    let toml = parse_toml(&Arc::new(Source::new("text", TOML)), &TomlOptions::default());
    assert_eq!((toml.rules.len(), toml.items.len(), toml.diagnostics), (1, 1, Vec::new()));
    let json = parse_json(&Arc::new(Source::new("text", JSON)));
    assert_eq!((json.rules.len(), json.diagnostics.len()), (1, 1));
}
