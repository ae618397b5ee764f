//! Loads a public rule repository, which lies beside this one and is not part of it: every rule must load, and come
//! back the same from the API's JSON.
//!
//! Set `MAXSPAN_SHARED` to the folder that has `corpus/rules`. Without it the test is skipped, but not in CI.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use maxspan_diagnostics::{Source, render};
use maxspan_rules::load::load_version_lock;
use maxspan_rules::{
    LoadOptions, LoadedRules, RuleDocument, RuleType, load_paths, parse_json, parse_ndjson, to_api_json,
};

/// Rules in the repository, by type.
const EXPECTED: [(RuleType, usize); 7] = [
    (RuleType::Query, 339),
    (RuleType::Eql, 771),
    (RuleType::Esql, 161),
    (RuleType::Threshold, 22),
    (RuleType::NewTerms, 181),
    (RuleType::ThreatMatch, 3),
    (RuleType::MachineLearning, 87),
];

fn corpus() -> Option<PathBuf> {
    let shared = std::env::var_os("MAXSPAN_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let corpus = shared.join("corpus");
    if corpus.join("rules").is_dir() {
        return Some(corpus);
    }
    assert!(std::env::var_os("CI").is_none(), "no rules at {}", corpus.display());
    println!("SKIPPED: no rules at {}", corpus.display());
    None
}

fn load(corpus: &Path) -> LoadedRules {
    let version_lock = load_version_lock(&corpus.join("version.lock.json")).unwrap();
    let options = LoadOptions { version_lock: Some(version_lock), ..LoadOptions::default() };
    load_paths(&[corpus.join("rules")], &options)
}

#[test]
fn every_rule_loads_without_a_message() {
    let Some(corpus) = corpus() else { return };
    let loaded = load(&corpus);
    let mut by_code: BTreeMap<String, usize> = BTreeMap::new();
    for (source, diagnostic) in loaded.diagnostics() {
        let count = by_code.entry(diagnostic.code.to_string()).or_default();
        *count += 1;
        if *count <= 3 {
            println!("{}", render(source, std::slice::from_ref(diagnostic)));
        }
    }
    let mut by_type: BTreeMap<RuleType, usize> = BTreeMap::new();
    for rule in &loaded.rules {
        *by_type.entry(rule.rule_type()).or_default() += 1;
    }
    println!("{:?}\n{by_type:?}\nmessages by code: {by_code:?}", loaded.counts);
    assert_eq!(loaded.diagnostics().filter(|(_, diagnostic)| diagnostic.is_error()).count(), 0);
    assert_eq!(by_type, BTreeMap::from(EXPECTED));
    // One published rule has an id that is no UUID; nothing else is to be said about the repository.
    assert_eq!(by_code, BTreeMap::from([("MX1413".to_owned(), 1)]));
    let left = |rule: &&RuleDocument| {
        rule.note.as_ref().is_some_and(|note| note.contains("$osquery_") || note.contains("$investigate_"))
    };
    // Two guides name one more query than their rule has.
    assert_eq!(loaded.rules.iter().filter(left).count(), 2, "notes with placeholders");
    assert!(
        loaded.rules.iter().filter(|rule| rule.version > 1).count() > 1_000,
        "versions come from the lock"
    );
}

#[test]
fn queries_have_a_place_in_their_file() {
    let Some(corpus) = corpus() else { return };
    let loaded = load(&corpus);
    let with_query = loaded.rules.iter().filter(|rule| rule.language.is_some());
    let (verbatim, escaped): (Vec<_>, Vec<_>) = with_query.partition(|rule| rule.origin.query_verbatim);
    println!("queries written letter by letter: {}, with escapes: {}", verbatim.len(), escaped.len());
    for rule in &verbatim {
        let span = rule.origin.query_span.unwrap();
        assert_eq!(span.slice(&rule.origin.source.text), rule.query, "{}", rule.rule_id);
    }
    assert!(escaped.iter().all(|rule| rule.origin.query_span.is_some()));
    assert!(verbatim.len() > 9 * escaped.len());
}

#[test]
fn rules_come_back_from_the_api_json() {
    let Some(corpus) = corpus() else { return };
    let loaded = load(&corpus);
    let lines: Vec<_> = loaded.rules.iter().map(|rule| to_api_json(rule).to_string()).collect();
    let exported = Arc::new(Source::new("export.ndjson", lines.join("\n")));
    let file = parse_ndjson(&exported);
    assert!(file.diagnostics.is_empty(), "{}", render(&exported, &file.diagnostics[..1]));
    assert_eq!(file.rules.len(), loaded.rules.len());
    for (back, rule) in file.rules.into_iter().zip(&loaded.rules) {
        let back = RuleDocument { origin: rule.origin.clone(), ..back };
        assert_eq!(&back, rule, "{}", rule.rule_id);
    }
    let list = Arc::new(Source::new("export.json", format!("[{}]", lines.join(",\n"))));
    assert_eq!(parse_json(&list).rules.len(), loaded.rules.len());
}
