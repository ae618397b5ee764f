//! The rules of the corpus that are written in ES|QL: they parse, print and parse again, and resolve against the schema of
//! events.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use maxspan_diagnostics::{Diagnostic, Source, codes, has_errors};
use maxspan_esql::{EventSchema, analyze, parse, to_esql};

use crate::support::{Record, shared};

#[test]
fn esql_rules() {
    let Some(shared) = shared() else { return };
    let schema = EventSchema::new(maxspan_event::Schema::built_in());
    let mut record = Record::new(
        26,
        "esql-rules",
        "Corpus rules in ES|QL: parsed and resolved, those that call a model refused",
        "100 %",
    );
    let mut unmapped: BTreeMap<String, usize> = BTreeMap::new();
    let mut refused = 0;
    for (id, query) in queries(&shared.join("corpus/rules")) {
        let calls_model = query.contains("COMPLETION");
        refused += usize::from(calls_model);
        record.case(id, check(&query, calls_model, &schema, &mut unmapped));
    }
    let names: Vec<String> = unmapped.keys().map(|name| format!("`{name}`")).collect();
    record.note(format!("{refused} of the rules call a model (COMPLETION), and are refused with a code."));
    record.note(format!(
        "{} fields are in no schema, and count as keywords without values: {}.",
        names.len(),
        names.join(", ")
    ));
    record.finish(100.0);
}

fn check(
    query: &str,
    calls_model: bool,
    schema: &EventSchema,
    unmapped: &mut BTreeMap<String, usize>,
) -> Result<(), String> {
    let source = Source::new("query", query);
    let (tree, found) = parse(query);
    if calls_model {
        let refused = found.len() == 1 && found[0].code == codes::ESQL_UNSUPPORTED;
        return if refused { Ok(()) } else { Err(format!("{found:?}")) };
    }
    if has_errors(&found) {
        return Err(text(&source, &found));
    }
    if tree.index_patterns().is_empty() {
        return Err("no index patterns".to_owned());
    }
    let printed = to_esql(&tree);
    let (again, problems) = parse(&printed);
    if !problems.is_empty() || again != tree {
        return Err(format!("printed as another query: {printed}"));
    }
    let (resolved, found) = analyze(&tree, &source, schema);
    for diagnostic in found.iter().filter(|one| one.code == codes::ESQL_FIELD_UNMAPPED) {
        *unmapped.entry(diagnostic.span.slice(query).to_owned()).or_default() += 1;
    }
    resolved.map(|_| ()).ok_or_else(|| text(&source, &found))
}

fn text(source: &Source, found: &[Diagnostic]) -> String {
    let errors: Vec<String> = found
        .iter()
        .filter(|one| one.is_error())
        .map(|one| format!("{} {} {}", source.position(one.span.start), one.code, one.message))
        .collect();
    errors.join("; ")
}

/// Id and query of each rule, in order of files.
fn queries(folder: &Path) -> Vec<(String, String)> {
    let mut files = Vec::new();
    collect(folder, &mut files);
    files.sort();
    let mut queries = Vec::new();
    for file in files {
        let Ok(text) = fs::read_to_string(&file) else { continue };
        let Ok(document) = text.parse::<toml::Table>() else { continue };
        let rule = &document["rule"];
        if rule.get("type").and_then(toml::Value::as_str) == Some("esql") {
            let field = |name: &str| rule[name].as_str().unwrap_or_default().to_owned();
            queries.push((field("rule_id"), field("query")));
        }
    }
    queries
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
}
