//! EQL: what is refused, and where; what must be accepted.

use std::fs;

use maxspan_diagnostics::{Diagnostic, Source, codes};
use maxspan_eql::{
    LowerOptions, ParseOptions, Strictness, elasticsearch_position, lower, parse_expression_with, parse_with,
};
use maxspan_event::{Fields, Schema};
use serde_json::{Value, json};

use crate::support::{Record, lines, shared};

/// Cases in which we differ on purpose.
const EXCEPTIONS: [(&str, &str); 1] = [(
    "user_name_alias == \"bob\"",
    "the case tests a mapping that was loaded without resolving aliases; a cluster resolves them, and so do we",
)];

#[test]
fn eql_errors() {
    let Some(shared) = shared() else { return };
    let folder = shared.join("conformance/eql");
    let default = fs::read_to_string(folder.join("mappings/mapping-default.json")).unwrap();
    let mut record = Record::new(
        13,
        "eql-errors",
        "EQL queries that must be refused at the right place, or accepted (`errors.jsonl`)",
        "≥ 97 %",
    );
    record.note("Texts are our own; compared are the verdict and the position. Checked in Elasticsearch's strictness.");
    for case in lines(&folder.join("errors.jsonl")) {
        let query = case["query"].as_str().unwrap();
        let name = format!("{}: {query}", case["name"].as_str().unwrap());
        let known = EXCEPTIONS.iter().find(|(part, _)| query.contains(part));
        match (check(&case, &default), known) {
            (Err(_), Some((_, reason))) => record.exception(name, *reason),
            (result, _) => record.case(name, result),
        }
    }
    record.finish(97.0);
}

fn check(case: &Value, default: &str) -> Result<(), String> {
    let found = first_error(case, default);
    let expected = case["error"].as_str();
    match (expected, found) {
        (None, None) => Ok(()),
        (None, Some((position, message))) => Err(format!("refused at {position}: {message}")),
        (Some(text), None) => Err(format!("accepted, expected {text}")),
        (Some(""), Some(_)) => Ok(()),
        (Some(text), Some((position, message))) => {
            let place = text.to_lowercase();
            if place.starts_with(&format!("line {position}:")) {
                Ok(())
            } else {
                Err(format!("at {position}: {message}; expected {text}"))
            }
        }
    }
}

/// Position and text of the first error, as Elasticsearch counts columns.
fn first_error(case: &Value, default: &str) -> Option<(String, String)> {
    let query = case["query"].as_str().unwrap();
    let source = Source::new("query", query);
    let error = if case["form"] == "expression" {
        let (_, found) = parse_expression_with(query, &ParseOptions { lineage: false });
        found.into_iter().find(Diagnostic::is_error)
    } else {
        statement_error(query, &schema(case["mapping"].as_str().unwrap(), default))
    }?;
    Some((elasticsearch_position(&source, &error).to_string(), format!("{} {}", error.code, error.message)))
}

fn statement_error(query: &str, schema: &Schema) -> Option<Diagnostic> {
    let (tree, found) = parse_with(query, &ParseOptions { lineage: false });
    if let Some(error) = found.into_iter().find(Diagnostic::is_error) {
        return Some(error);
    }
    let options = LowerOptions { strictness: Strictness::Elasticsearch, ..LowerOptions::default() };
    let (plan, found) = lower(&tree?, query, schema, &mut Fields::default(), &options);
    let error = found.into_iter().find(Diagnostic::is_error);
    assert_eq!(plan.is_none(), error.is_some(), "{query}");
    error.filter(|error| error.code != codes::PLAN_TOO_LARGE)
}

/// The mappings that the pack names but does not hold, as far as the queries need them; ours.
fn schema(name: &str, default: &str) -> Schema {
    let field = |kind: &str| json!({"type": kind});
    let properties = match name {
        "mapping-default.json" => {
            let extra = json!({"properties": {"bool": field("boolean"), "plain_text": field("text"), "constant_keyword": field("constant_keyword")}});
            return Schema::empty().with_mapping(default).unwrap().with_mapping(&extra.to_string()).unwrap();
        }
        "mapping-missing-event-category.json" => json!({"other": field("keyword")}),
        "mapping-alias.json" => json!({
            "event_type": field("keyword"), "user_name": field("keyword"), "user_domain": field("keyword"),
            "user_name_alias": {"type": "alias", "path": "user_name"},
        }),
        "mapping-numeric.json" => {
            let kinds = ["long", "integer", "short", "byte", "double", "float", "half_float", "scaled_float"];
            let mut fields: serde_json::Map<String, Value> =
                kinds.iter().map(|kind| (format!("{kind}_field"), field(kind))).collect();
            fields.insert("wrong_int_type_field".into(), field("int"));
            Value::Object(fields)
        }
        "mapping-nodoc.json" => json!({"description_nodoc": field("keyword")}),
        "mapping-date.json" => json!({
            "date": field("date"), "date_nanos_field": field("date_nanos"),
            "date_with_format": {"type": "date", "format": "yyyy-MM-dd"},
            "date_with_multi_format": {"type": "date", "format": "yyyy-MM-dd||HH:mm:ss"},
        }),
        "mapping-boolean.json" => json!({"boolean_field": field("boolean")}),
        "mapping-binary.json" => json!({"blob": field("binary")}),
        "mapping-range.json" => {
            let kinds =
                ["integer_range", "float_range", "long_range", "double_range", "date_range", "ip_range"];
            Value::Object(kinds.iter().map(|kind| (format!("{kind}_field"), field(kind))).collect())
        }
        "mapping-object.json" => json!({"endgame": {"properties": {"pid": field("long")}}}),
        "mapping-nested.json" => json!({
            "long_field": field("long"),
            "processes": {"type": "nested", "properties": {"pid": field("long"), "path": {"type": "text", "fields": {"keyword": field("keyword")}}}},
        }),
        "mapping-geo.json" => json!({"location": field("geo_point"), "site": field("geo_shape")}),
        "mapping-ip.json" => json!({"ip_addr": field("ip")}),
        "mapping-join.json" => json!({"serial_event_id": field("long")}),
        "mapping-multi-field.json" => json!({
            "multi_field": {"type": "text", "fields": {"raw": field("keyword"), "english": field("text")}},
            "multi_field_options": {"type": "text", "fields": {"raw": field("keyword"), "key": field("keyword")}},
            "multi_field_ambiguous": {"type": "text", "fields": {
                "one": field("keyword"), "two": field("keyword"), "normalized": {"type": "keyword", "normalizer": "some_normalizer"},
            }},
            "multi_field_nested": {"type": "nested", "properties": {
                "dep_name": field("text"), "dep_id": {"type": "text", "fields": {"keyword": field("keyword")}},
                "end_date": field("date"), "start_date": field("date"),
            }},
        }),
        other => panic!("no mapping {other}"),
    };
    let mut mapping = json!({"properties": properties});
    if name != "mapping-missing-event-category.json" {
        mapping["properties"]["event"] = json!({"properties": {"category": field("keyword")}});
    }
    Schema::empty().with_mapping(&mapping.to_string()).unwrap()
}

#[test]
fn eql_literals() {
    let Some(shared) = shared() else { return };
    let mut record = Record::new(12, "eql-literals", "EQL literals (`literals.jsonl`)", "100 %");
    for case in lines(&shared.join("conformance/eql/literals.jsonl")) {
        record.case(case["source"].as_str().unwrap(), check_literal(&case));
    }
    record.finish(100.0);
}

fn check_literal(case: &Value) -> Result<(), String> {
    use maxspan_eql::ast::ExprKind;
    let source = case["source"].as_str().unwrap();
    let found = if case["value"].is_string() {
        json!(maxspan_eql::unquote(source).map_err(|error| format!("{error:?}"))?)
    } else {
        let (tree, problems) = parse_expression_with(source, &ParseOptions { lineage: false });
        match tree.map(|tree| tree.kind) {
            Some(ExprKind::Integer(value)) => json!(value),
            Some(ExprKind::Decimal(value)) => json!(value),
            other => return Err(format!("{other:?} {problems:?}")),
        }
    };
    if found == case["value"] { Ok(()) } else { Err(format!("{found}, expected {}", case["value"])) }
}
