//! Converting rules loses nothing: over made-up values, over what people edit in between, over the rule
//! corpus.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use maxspan_diagnostics::Source;
use maxspan_rules::convert::{to_json, to_toml};
use maxspan_rules::toml_out::to_toml_text;
use maxspan_rules::{RuleDocument, TomlOptions, parse_json, parse_toml};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use toml::Table;

const TOML: &str = r#"[metadata]
creation_date = "2024/01/02"
maturity = "production"
when = 2024-01-02
[transform]
[[transform.osquery]]
label = "L"
query = "SELECT 1"
[other]
x = inf
[rule]
author = ["A"]
description = """
D
over lines
"""
from = "now-9m"
name = "N"
note = """
## Triage

$osquery_0

## Setup

Do it.
"""
rule_id = "00000000-0000-0000-0000-00000000000a"
severity = "low"
risk_score = 21
type = "new_terms"
day = 2024-01-02T03:04:05Z
query = '''
a : "C:\\x"
'''
unknown = { "$datetime" = "no date" }
[[rule.threat]]
framework = "MITRE ATT&CK"
[rule.threat.tactic]
id = "TA0001"
name = "Initial Access"
reference = "https://attack.mitre.org/tactics/TA0001"
[rule.new_terms]
field = "new_terms_fields"
value = ["host.id"]
[[rule.new_terms.history_window_start]]
field = "history_window_start"
value = "now-7d"
"#;

/// As text, which has the order of keys.
fn shown(tree: &Table) -> String {
    format!("{tree:?}")
}

fn read_toml(text: &str) -> RuleDocument {
    let options = TomlOptions { any_maturity: true, ..TomlOptions::default() };
    let file = parse_toml(&Arc::new(Source::new("rule.toml", text)), &options);
    file.rules.into_iter().next().unwrap_or_else(|| panic!("{:?}\n{text}", file.diagnostics))
}

fn read_json(document: &Value) -> RuleDocument {
    let file = parse_json(&Arc::new(Source::new("rule.json", document.to_string())));
    file.rules.into_iter().next().unwrap_or_else(|| panic!("{:?}", file.diagnostics))
}

/// The document without its file, which a converted one does not share.
fn apart_from_file(mut rule: RuleDocument, other: &RuleDocument) -> RuleDocument {
    let metadata = rule.origin.metadata.take();
    rule.origin = other.origin.clone();
    rule.origin.metadata = metadata;
    rule
}

/// TOML to JSON and back: the same tree, and the same rule in all three.
fn check_toml(text: &str) -> Value {
    let tree: Table = text.parse().unwrap();
    let document = to_json(&tree, None).unwrap();
    // As it would come back from a file.
    let document: Value = serde_json::from_str(&document.to_string()).unwrap();
    let back = to_toml(&document).unwrap();
    assert_eq!(shown(&back), shown(&tree));
    let written = to_toml_text(&back);
    assert_eq!(shown(&written.parse().unwrap()), shown(&tree), "{written}");
    let first = read_toml(text);
    assert_eq!(apart_from_file(read_json(&document), &first), first);
    assert_eq!(apart_from_file(read_toml(&written), &first), first);
    document
}

/// JSON to TOML and back: the same value.
fn check_json(document: &Value) -> String {
    let text = to_toml_text(&to_toml(document).unwrap());
    let tree: Table = text.parse().unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(to_json(&tree, None).unwrap(), *document, "{text}");
    text
}

fn exported() -> Value {
    json!({
        "id": "f0000000-0000-0000-0000-000000000001", "created_at": "2024-02-03T04:05:06.000Z", "created_by": "ada",
        "updated_at": "2024-02-04T00:00:00.000Z", "updated_by": "ada", "name": "N ", "tags": ["a"], "interval": "5m",
        "enabled": false, "revision": 3, "description": "D\nlines", "risk_score": 21.0, "severity": "low",
        "note": "## Setup\nin the note", "license": null, "output_index": "", "meta": {"from": "1m", "none": null},
        "author": [], "false_positives": [], "from": "now-360s", "rule_id": "r", "max_signals": 100, "version": 7,
        "risk_score_mapping": [], "immutable": false, "rule_source": {"type": "internal"}, "references": [],
        "threat": [{"framework": "F", "tactic": {"id": "T", "name": "n", "reference": "http://x"}, "technique": []}],
        "exceptions_list": [{"id": "1", "list_id": "l", "type": "detection", "namespace_type": "single"}],
        "type": "query", "language": "kuery", "query": "a : \"C:\\\\x\"\nand b:*", "index": ["logs-*"],
        "filters": [{"meta": {"alias": null, "negate": false}, "query": {"exists": {"field": "a"}}}],
        "actions": [{"group": "default", "frequency": {"summary": true}, "params": {"message": " m\n"}}],
        "big": 18_446_744_073_709_551_615_u64, "null": null, "new_terms": {"value": ["x"]},
    })
}

#[test]
fn toml_survives_json() {
    let document = check_toml(TOML);
    assert_eq!(document["id"], "00000000-0000-0000-0000-00000000000a");
    assert_eq!(document["setup"], "Do it.");
    assert_eq!(document["new_terms_fields"], json!(["host.id"]));
}

#[test]
fn json_survives_toml() {
    let document = exported();
    let text = check_json(&document);
    let first = read_json(&document);
    assert_eq!(apart_from_file(read_toml(&text), &first).uuid, first.uuid);
    let mut again = read_toml(&text);
    again.origin = first.origin.clone();
    assert_eq!(again, first);
    for part in [
        "[maxspan.installed]\n",
        "created_by = \"ada\"\n",
        "creation_date = \"2024/02/03\"\n",
        "query = '''\na : ",
    ] {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
}

#[test]
fn package_assets_survive_toml() {
    let asset = json!({"id": "r_7", "type": "security-rule", "attributes": exported(), "references": [null]});
    check_json(&asset);
}

#[test]
fn what_was_edited_in_kibana_wins() {
    let check = |change: fn(&mut Map<String, Value>), expected: &dyn Fn(&str) -> bool| {
        let mut document = check_toml(TOML);
        change(document.as_object_mut().unwrap());
        let text = to_toml_text(&to_toml(&document).unwrap());
        assert!(expected(&text), "{text}");
        let (mut found, first) = (read_toml(&text), read_json(&document));
        found.origin = first.origin.clone();
        assert_eq!(found, first, "{text}");
        assert!(text.contains("[transform]") && text.contains("maturity = \"production\""), "{text}");
    };
    check(|f| drop(f.insert("severity".into(), json!("high"))), &|t| t.contains("severity = \"high\""));
    check(|f| drop(f.insert("query".into(), json!("b : 1"))), &|t| t.contains("query = \"b : 1\""));
    check(|f| drop(f.insert("new_terms_fields".into(), json!(["user.id"]))), &|t| {
        t.contains("new_terms_fields = [\"user.id\"]") && !t.contains("rule.new_terms")
    });
    check(|f| drop(f.insert("setup".into(), json!("Do that."))), &|t| t.contains("setup = \"Do that.\""));
    check(|f| drop(f.insert("description".into(), json!("E"))), &|t| t.contains("description = \"E\""));
    check(|f| drop(f.shift_remove("author")), &|t| !t.contains("author"));
    check(|f| drop(f.insert("enabled".into(), json!(false))), &|t| t.contains("enabled = false"));
    check(|f| drop(f.insert("revision".into(), json!(4))), &|t| {
        t.contains("[maxspan.installed]\nrevision = 4")
    });
    check(|f| drop(f.insert("created_by".into(), json!("ada"))), &|t| t.contains("created_by = \"ada\""));
    check(|f| drop(f.insert("license".into(), json!("L"))), &|t| t.contains("license = \"L\""));
    check(|f| drop(f["meta"].as_object_mut().unwrap().insert("x".into(), json!(1))), &|t| {
        t.contains("[rule.meta]")
    });
}

#[test]
fn what_was_edited_in_toml_wins() {
    let check = |from: &str, to: &str, field: &str, expected: Value| {
        let text = check_json(&exported());
        assert!(text.contains(from), "no {from:?} in {text}");
        let tree: Table = text.replacen(from, to, 1).parse().unwrap();
        let document = to_json(&tree, None).unwrap();
        assert_eq!(document.get(field).cloned().unwrap_or_default(), expected, "{document}");
        assert_eq!(shown(&to_toml(&document).unwrap()), shown(&tree));
    };
    check("severity = \"low\"", "severity = \"high\"", "severity", json!("high"));
    check("name = \"N \"", "name = \"M\"", "name", json!("M"));
    check("D\nlines", "E", "description", json!("E"));
    check("created_by = \"ada\"", "created_by = \"bob\"", "created_by", json!("bob"));
    check("maturity = \"production\"", "maturity = \"development\"", "severity", json!("low"));
}

#[test]
fn what_cannot_be_converted_says_why() {
    let check = |text: &str, expected: &str| {
        let tree: Table = text.parse().unwrap();
        assert_eq!(to_json(&tree, None).unwrap_err().to_string(), expected);
    };
    check("[metadata]", "there is no table `[rule]`");
    check("rule = 1", "`rule` must be a table");
    check("[rule]\nmeta = 1", "`meta` must be a table");
    check("[rule]\n[maxspan]\nexact = 1", "`maxspan.exact` must be a text with a JSON object");
    check("[rule]\n[maxspan]\ninstalled = 1", "`maxspan.installed` must be a table");
    assert_eq!(to_toml(&json!([])).unwrap_err().to_string(), "a rule must be an object");
}

/// Any JSON value, with the texts and keys that could be taken for something else.
fn any_value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        ".{0,12}",
        "[ \\n\\r\\t'\"\\\\a$]{0,12}",
        Just("\n## Setup\nx".to_owned()),
        Just("$osquery_0 $$".to_owned()),
        Just("now-6m".to_owned()),
        Just("'''\n\"\"\"\n\u{0}\u{7f}".to_owned()),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    let key = prop_oneof![
        "[a-z.]{0,4}",
        Just("reference".to_owned()),
        Just("$datetime".to_owned()),
        Just("$table".to_owned()),
        Just("frequency".to_owned()),
        Just("maxspan".to_owned()),
        Just("value".to_owned()),
    ];
    leaf.prop_recursive(3, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..4)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

/// Fields with names that mean something to the conversion, and others.
fn any_rule() -> impl Strategy<Value = Value> {
    let name = prop_oneof![
        prop::sample::select(vec![
            "id",
            "rule_id",
            "name",
            "note",
            "setup",
            "query",
            "threat",
            "actions",
            "meta",
            "version",
            "revision",
            "new_terms",
            "new_terms_fields",
            "history_window_start",
            "created_at",
            "enabled",
            "from",
            "type",
            "filters",
            "related_integrations",
            "description",
            "maxspan",
            "rule",
            "exact",
        ])
        .prop_map(str::to_owned),
        "[a-z_]{1,6}",
        ".{0,3}",
    ];
    prop::collection::vec((name, any_value()), 0..12)
        .prop_map(|fields| Value::Object(fields.into_iter().collect()))
        .prop_filter("an asset is its own kind", |rule| rule.get("attributes").is_none())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn any_json_survives_toml(rule in any_rule()) {
        check_json(&rule);
    }

    #[test]
    fn any_toml_survives_json(rule in any_rule(), other in any_rule()) {
        let toml = |value: &Value| -> Option<Table> {
            // What TOML cannot hold is left out here; the other property is about that.
            let mut fields = value.as_object()?.clone();
            fields.retain(|_, value| Table::try_from(json!({ "x": value })).is_ok());
            Table::try_from(Value::Object(fields)).ok()
        };
        if let (Some(rule), Some(mut tree)) = (toml(&rule), toml(&other)) {
            tree.remove("maxspan");
            tree.insert("rule".to_owned(), toml::Value::Table(rule));
            if let Ok(document) = to_json(&tree, None) {
                let back = to_toml(&document).unwrap();
                prop_assert_eq!(shown(&back), shown(&tree));
                let written = to_toml_text(&back);
                prop_assert_eq!(shown(&written.parse().unwrap()), shown(&tree), "{}", written);
            }
        }
    }
}

#[test]
fn the_corpus_survives() {
    let Some(rules) = corpus() else { return };
    let mut files = Vec::new();
    collect(&rules, &mut files);
    assert!(files.len() > 1_000, "{} files", files.len());
    for file in &files {
        let text = fs::read_to_string(file).unwrap();
        if text.parse::<Table>().is_ok_and(|tree| !tree.contains_key("rule")) {
            continue;
        }
        let document = check_toml(&text);
        // The same rule as an export that never was TOML.
        let mut exported = document.clone();
        let fields = exported.as_object_mut().unwrap();
        fields.shift_remove("meta");
        fields.insert("updated_by".to_owned(), Value::Null);
        let text = check_json(&exported);
        let (mut found, first) = (read_toml(&text), read_json(&exported));
        found.origin = first.origin.clone();
        assert_eq!(found, first, "{}", file.display());
    }
    println!("{} rules converted to JSON and back, and to TOML and back", files.len());
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
}

/// The corpus; absent it is skipped, but not in CI.
fn corpus() -> Option<PathBuf> {
    let shared = env::var("MAXSPAN_SHARED")
        .map_or_else(|_| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let rules = shared.join("corpus/rules");
    if rules.is_dir() {
        return Some(rules);
    }
    assert!(env::var_os("CI").is_none(), "{} is missing", rules.display());
    println!("SKIPPED: {} is missing", rules.display());
    None
}
