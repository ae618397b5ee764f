//! Elasticsearch mappings: `{"properties": …}`, alone or inside `{"mappings": …}` or `{index: {"mappings": …}}`.

use rustc_hash::FxHashMap;
use serde_json::{Map, Value};

use crate::date::DateFormat;
use crate::field::{Field, FieldType};

/// Why a mapping cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappingError {
    /// What is wrong.
    pub message: String,
    /// Line, from 1; 0 where the JSON is fine but is no mapping.
    pub line: usize,
}

impl std::fmt::Display for MappingError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for MappingError {}

/// Reads a mapping into `fields`. Of two mappings that name the same date field, both date formats hold; else the
/// later one wins. Lines that begin with `#` are comments.
pub(crate) fn read(json: &str, fields: &mut FxHashMap<String, Field>) -> Result<(), MappingError> {
    let without_comments: String = json
        .lines()
        .map(|line| if line.trim_start().starts_with('#') { "" } else { line })
        .collect::<Vec<_>>()
        .join("\n");
    let root: Value = serde_json::from_str(&without_comments)
        .map_err(|error| MappingError { message: error.to_string(), line: error.line() })?;
    let properties = find_properties(&root);
    if properties.is_empty() {
        let message =
            "no `properties` found; expected the answer of `GET index/_mapping`, or a part of it".to_owned();
        return Err(MappingError { message, line: 0 });
    }
    for properties in properties {
        let mut aliases = Vec::new();
        read_properties(properties, "", None, fields, &mut aliases);
        resolve_aliases(&aliases, fields);
    }
    Ok(())
}

fn find_properties(root: &Value) -> Vec<&Map<String, Value>> {
    if let Some(found) = properties_of(root) {
        return vec![found];
    }
    root.as_object().into_iter().flat_map(Map::values).filter_map(properties_of).collect()
}

fn properties_of(value: &Value) -> Option<&Map<String, Value>> {
    value.get("mappings").unwrap_or(value).get("properties")?.as_object()
}

fn read_properties(
    properties: &Map<String, Value>,
    prefix: &str,
    nested: Option<&str>,
    fields: &mut FxHashMap<String, Field>,
    aliases: &mut Vec<(String, String)>,
) {
    for (key, definition) in properties {
        let name = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        let kind = definition.get("type").and_then(Value::as_str);
        let inner = definition.get("properties").and_then(Value::as_object);
        if kind == Some("alias") {
            if let Some(path) = definition.get("path").and_then(Value::as_str) {
                aliases.push((name, path.to_owned()));
            }
            continue;
        }
        let inner_nested = if kind == Some("nested") { Some(name.as_str()) } else { nested };
        if let Some(kind) = kind {
            read_field(&name, kind, definition, nested, fields);
        }
        if let Some(inner) = inner {
            read_properties(inner, &name, inner_nested, fields, aliases);
        }
    }
}

fn read_field(
    name: &str,
    kind: &str,
    definition: &Value,
    nested: Option<&str>,
    fields: &mut FxHashMap<String, Field>,
) {
    let mut field = Field::new(name, mapped_type(kind));
    field.mapping_type = Some(kind.to_owned());
    field.nested_path = nested.map(str::to_owned);
    field.lowercase = definition.get("normalizer").is_some();
    field.null_value = definition
        .get("null_value")
        .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    if let Some(format) = definition.get("format").and_then(Value::as_str) {
        field.date_format = DateFormat::new(format);
        if let Some(before) = fields.get(name).filter(|before| before.kind == field.kind) {
            field.date_format = field.date_format.or(&before.date_format);
        }
    }
    for (key, inner) in definition.get("fields").and_then(Value::as_object).into_iter().flatten() {
        let kind = inner.get("type").and_then(Value::as_str).unwrap_or("keyword");
        let mut sub = Field::new(format!("{name}.{key}"), mapped_type(kind));
        sub.mapping_type = Some(kind.to_owned());
        name.clone_into(&mut sub.path);
        sub.nested_path.clone_from(&field.nested_path);
        sub.lowercase = inner.get("normalizer").is_some();
        field.exact |= !sub.lowercase && (sub.kind.is_keyword() || sub.kind == FieldType::Unknown);
        fields.insert(sub.name.clone(), sub);
    }
    fields.insert(name.to_owned(), field);
}

/// A name that is no type name at all is a placeholder that somebody's tooling fills in: the values decide.
fn mapped_type(name: &str) -> FieldType {
    if name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        FieldType::from_mapping(name)
    } else {
        FieldType::Unknown
    }
}

fn resolve_aliases(aliases: &[(String, String)], fields: &mut FxHashMap<String, Field>) {
    for (name, path) in aliases {
        let mut field = fields.get(path).cloned().unwrap_or_else(|| Field::new(path, FieldType::Unknown));
        field.name.clone_from(name);
        fields.insert(name.clone(), field);
    }
}

#[cfg(test)]
mod tests {
    use crate::{FieldType, Schema};

    #[test]
    fn aliases_sub_fields_and_formats() {
        let mapping = r#"
# a comment
{"index": {"mappings": {"properties": {
  "kind": {"type": "keyword"},
  "event": {"properties": {"category": {"type": "alias", "path": "kind"}}},
  "title": {"type": "text", "fields": {"raw": {"type": "keyword"}, "low": {"type": "keyword", "normalizer": "lowercase"}}},
  "day": {"type": "date", "format": "dd-MM-yyyy"},
  "items": {"type": "nested", "properties": {"n": {"type": "integer"}}},
  "gone": {"type": "keyword", "null_value": "NULL"}
}}}}"#;
        let schema = Schema::empty().with_mapping(mapping).unwrap();
        let category = schema.field("event.category");
        assert_eq!((category.path.as_str(), category.kind), ("kind", FieldType::Keyword));
        assert!(schema.field("title").exact);
        assert_eq!(schema.field("title.raw").path, "title");
        assert!(schema.field("title.low").lowercase);
        assert!(schema.field("day").date_format.parse("31-12-2026", false).is_some());
        assert_eq!(schema.field("items.n").nested_path.as_deref(), Some("items"));
        assert_eq!(schema.field("gone").null_value.as_deref(), Some("NULL"));
    }

    #[test]
    fn what_is_no_mapping_is_refused() {
        for (json, message) in [("{", "EOF"), ("{}", "no `properties`"), ("[1]", "no `properties`")] {
            let error = Schema::empty().with_mapping(json).unwrap_err();
            assert!(error.message.contains(message), "{json}: {error}");
        }
    }
}
