//! The rules of the corpus that are written in ES|QL: they parse, print and parse again, resolve against the schema of events,
//! and run over a few made-up rows.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use maxspan_diagnostics::{Diagnostic, Source, codes, has_errors};
use maxspan_esql::query::{Column, Command};
use maxspan_esql::run::{Options, Table, Tables, run};
use maxspan_esql::{DataType, EventSchema, Query, Value, analyze, parse, to_esql};

use crate::support::{Record, shared};

#[test]
fn esql_rules() {
    let Some(shared) = shared() else { return };
    let schema = EventSchema::new(maxspan_event::Schema::built_in());
    let mut record = Record::new(
        26,
        "esql-rules",
        "Corpus rules in ES|QL: parsed, resolved and run over made-up rows; those that call a model refused",
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
    let resolved = resolved.ok_or_else(|| text(&source, &found))?;
    let tables = made_up(&resolved);
    let outcome = run(&resolved, &tables, &Options { now_ms: NOW_MS, ..Options::default() });
    outcome.map(|_| ()).map_err(|error| error.to_string())
}

/// 2026-01-01.
const NOW_MS: i64 = 1_767_225_600_000;

/// A table that the first index pattern chooses, with the fields that the query reads: a row with one value in each, one
/// with several, one with none.
fn made_up(query: &Query) -> Tables {
    let mut tables = Tables::default();
    let Some(Command::Scan(scan)) = query.commands.first() else { return tables };
    let kinds: Vec<DataType> = scan.fields.iter().map(|(id, _)| query.columns[id.0].kind).collect();
    let columns = scan
        .fields
        .iter()
        .zip(&kinds)
        .map(|((_, name), kind)| Column { name: name.clone(), kind: *kind })
        .collect();
    let one = |number: u8| kinds.iter().map(move |kind| made_up_value(*kind, number)).collect::<Vec<_>>();
    let several = one(1).into_iter().zip(one(2)).map(|(a, b)| match (a, b) {
        (Value::Null, _) => Value::Null,
        (a, b) => Value::Many([a, b].into()),
    });
    let rows = vec![one(1), several.collect(), vec![Value::Null; kinds.len()]];
    let name =
        scan.patterns.iter().find(|pattern| !pattern.starts_with('-')).map(|name| name.replace('*', "x"));
    tables.insert(name.unwrap_or_default(), Table { columns, rows });
    tables
}

fn made_up_value(kind: DataType, number: u8) -> Value {
    let whole = i64::from(number);
    match kind {
        DataType::Boolean => Value::Bool(number == 1),
        DataType::Integer => Value::Int(i32::from(number)),
        DataType::Long => Value::Long(whole),
        DataType::UnsignedLong => Value::UnsignedLong(u64::from(number)),
        DataType::Double => Value::Double(whole as f64),
        DataType::Keyword | DataType::Text => Value::text(format!("value {number}")),
        DataType::Ip => Value::Ip([192, 0, 2, number].into()),
        DataType::Version => Value::Version(format!("{number}.0").into()),
        DataType::Datetime => Value::Date(NOW_MS - whole * 60_000),
        DataType::DateNanos => Value::DateNanos((NOW_MS - whole * 60_000) * 1_000_000),
        _ => Value::Null,
    }
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
