//! The schema: which type a field has.
//!
//! The built-in table holds ECS and the fields that detection rules and integrations use beyond it; `xtask codegen`
//! writes it (`fields.txt`). Mappings that a user brings go over it.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::field::{Field, FieldType};
use crate::mapping::{self, MappingError};

/// Written by `cargo xtask codegen`; the format is described in its first lines.
const BUILT_IN: &str = include_str!("fields.txt");

/// Written by `cargo xtask codegen`: values that ECS allows.
const VALUES: &str = include_str!("values.txt");

/// Sub-fields that hold the same values as the field above them, for another kind of search.
const MULTI_FIELDS: [&str; 5] = ["caseless", "keyword", "text", "stem", "raw"];

/// What the built-in table says of a field.
#[derive(Debug, Clone, Copy)]
struct Known {
    kind: FieldType,
    ecs: bool,
    several: bool,
}

/// The built-in table.
#[derive(Debug, Default)]
struct Table {
    fields: FxHashMap<Box<str>, Known>,
}

/// Types by field name. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Schema {
    built_in: Arc<Table>,
    mapped: Arc<FxHashMap<String, Field>>,
}

impl Schema {
    /// The built-in table.
    pub fn built_in() -> Self {
        Self { built_in: Arc::new(parse_table(BUILT_IN)), mapped: Arc::default() }
    }

    /// A schema that knows no field.
    pub fn empty() -> Self {
        Self { built_in: Arc::default(), mapped: Arc::default() }
    }

    /// The schema with an Elasticsearch mapping over it; see [`MappingError`] for what is refused.
    pub fn with_mapping(&self, json: &str) -> Result<Self, MappingError> {
        let mut mapped = (*self.mapped).clone();
        mapping::read(json, &mut mapped)?;
        Ok(Self { built_in: Arc::clone(&self.built_in), mapped: Arc::new(mapped) })
    }

    /// The field of a name; of type [`FieldType::Unknown`] when the schema does not know it.
    pub fn field(&self, name: &str) -> Field {
        self.get(name).unwrap_or_else(|| Field::new(name, FieldType::Unknown))
    }

    /// The field of a name, if the schema knows it.
    pub fn get(&self, name: &str) -> Option<Field> {
        if let Some(field) = self.mapped.get(name) {
            return Some(field.clone());
        }
        if let Some(field) = self.multi_field(name) {
            return Some(field);
        }
        if let Some(path) = alert_field(name) {
            let mut field = self.get(&path).unwrap_or_else(|| Field::new(&path, FieldType::Keyword));
            name.clone_into(&mut field.name);
            // Alerts from before Kibana 8 carry the fields under this name.
            field.other_path = Some(name.to_owned());
            return Some(field);
        }
        let known = self.built_in.fields.get(name);
        let kind = known.map(|known| known.kind).or_else(|| self.flattened_parent(name))?;
        let mut field = self.inside_nested(Field::new(name, kind));
        field.cuts_fractions = known.is_some_and(|known| known.ecs);
        Some(field)
    }

    fn built_in_kind(&self, name: &str) -> Option<FieldType> {
        self.built_in.fields.get(name).map(|known| known.kind)
    }

    /// The fields of the Elastic Common Schema with their types, without what integrations add to it.
    pub fn ecs_fields(&self) -> impl Iterator<Item = (&str, FieldType)> {
        self.built_in.fields.iter().filter(|(_, known)| known.ecs).map(|(name, known)| (&**name, known.kind))
    }

    /// Whether ECS says that the field holds one value. False for fields that it has hold several, and for all others.
    pub fn holds_one_value(&self, name: &str) -> bool {
        let one = |known: &Known| known.ecs && !known.several && known.kind != FieldType::Nested;
        !self.mapped.contains_key(name)
            && self.built_in.fields.get(name).is_some_and(one)
            && self.inside_nested(Field::new(name, FieldType::Keyword)).nested_path.is_none()
    }

    /// The values that ECS allows in a field; none where it does not say, or where a mapping has the field.
    pub fn allowed_values(&self, name: &str) -> Vec<&'static str> {
        if self.mapped.contains_key(name) {
            return Vec::new();
        }
        let values = VALUES.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        values.map(|values| values.split(' ').collect()).unwrap_or_default()
    }

    /// Whether the name stands for an object that has known fields. A field with sub-fields (`process.name.text`) is none.
    pub fn is_object(&self, name: &str) -> bool {
        let object = |field: Field| matches!(field.kind, FieldType::Object | FieldType::Nested);
        if !self.get(name).is_none_or(object) {
            return false;
        }
        let inside = |known: &str| {
            known.len() > name.len() && known.starts_with(name) && known.as_bytes()[name.len()] == b'.'
        };
        self.names().any(inside)
    }

    /// All known names, for "did you mean".
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.mapped.keys().map(String::as_str).chain(self.built_in.fields.keys().map(|name| &**name))
    }

    /// `process.name.caseless`: the values of `process.name`, lower-cased.
    fn multi_field(&self, name: &str) -> Option<Field> {
        let (parent, last) = name.rsplit_once('.')?;
        if !MULTI_FIELDS.contains(&last) {
            return None;
        }
        let above = self.mapped.get(parent).map(|field| field.kind).or_else(|| self.built_in_kind(parent))?;
        if !above.is_string() {
            return None;
        }
        let kind = if last == "text" || last == "stem" { FieldType::Text } else { FieldType::Keyword };
        let mut field = Field::new(name, kind);
        field.path = self.mapped.get(parent).map_or_else(|| parent.to_owned(), |field| field.path.clone());
        field.lowercase = last == "caseless";
        Some(field)
    }

    fn flattened_parent(&self, name: &str) -> Option<FieldType> {
        let parents = name.match_indices('.').map(|(dot, _)| &name[..dot]);
        let mapped = |parent: &str| self.mapped.get(parent).map(|field| field.kind);
        let mut kinds = parents.filter_map(|parent| mapped(parent).or_else(|| self.built_in_kind(parent)));
        kinds.any(|kind| kind == FieldType::Flattened).then_some(FieldType::Keyword)
    }

    fn inside_nested(&self, mut field: Field) -> Field {
        let mut parents = field.name.match_indices('.').map(|(dot, _)| &field.name[..dot]);
        let nested = parents.rfind(|parent| self.built_in_kind(parent) == Some(FieldType::Nested));
        field.nested_path = nested.map(str::to_owned);
        field
    }
}

/// Fields of alerts under their names from before Kibana 8, which rules still use.
fn alert_field(name: &str) -> Option<String> {
    let rest = name.strip_prefix("signal.")?;
    Some(match rest {
        "rule.id" => "kibana.alert.rule.uuid".to_owned(),
        "rule.severity" => "kibana.alert.severity".to_owned(),
        "rule.risk_score" => "kibana.alert.risk_score".to_owned(),
        "status" => "kibana.alert.workflow_status".to_owned(),
        "reason" | "depth" | "original_time" => format!("kibana.alert.{rest}"),
        _ => {
            const OBJECTS: [&str; 5] =
                ["rule.", "original_event.", "ancestors.", "group.", "threshold_result."];
            OBJECTS.iter().any(|object| rest.starts_with(object)).then(|| format!("kibana.alert.{rest}"))?
        }
    })
}

/// Lines of `<segments shared with the line before> <rest of the name> <letter of the type>`.
fn parse_table(text: &str) -> Table {
    let mut table = Table::default();
    let mut previous = String::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let mut parts = line.splitn(3, ' ');
        let (Some(shared), Some(kind), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
            continue;
        };
        let segments = shared.parse::<usize>().unwrap_or(0);
        let keep = if segments == 0 {
            0
        } else {
            previous.match_indices('.').nth(segments - 1).map_or(0, |(dot, _)| dot + 1)
        };
        previous.truncate(keep);
        previous.push_str(rest);
        let (ecs, kind) = kind.strip_prefix('+').map_or((false, kind), |kind| (true, kind));
        let (several, kind) = kind.strip_suffix("[]").map_or((false, kind), |kind| (true, kind));
        let known = Known { kind: FieldType::from_mapping(kind), ecs, several };
        table.fields.insert(previous.as_str().into(), known);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_types() {
        let schema = Schema::built_in();
        let check = |name: &str, kind: FieldType, path: &str| {
            let field = schema.field(name);
            assert_eq!((field.kind, field.path.as_str()), (kind, path), "{name}");
        };
        check("process.name", FieldType::Keyword, "process.name");
        check("process.name.caseless", FieldType::Keyword, "process.name");
        check("process.name.text", FieldType::Text, "process.name");
        check("process.command_line", FieldType::Wildcard, "process.command_line");
        check("process.pid", FieldType::Long, "process.pid");
        check("source.ip", FieldType::Ip, "source.ip");
        check("@timestamp", FieldType::Date, "@timestamp");
        check("message", FieldType::Text, "message");
        check("process.code_signature.trusted", FieldType::Boolean, "process.code_signature.trusted");
        check("dll.pe.imports.foo", FieldType::Keyword, "dll.pe.imports.foo");
        check("no.such.field", FieldType::Unknown, "no.such.field");
        check("signal.rule.name", FieldType::Keyword, "kibana.alert.rule.name");
        check("signal.status", FieldType::Keyword, "kibana.alert.workflow_status");
        assert!(schema.field("process.name.caseless").lowercase);
        assert!(schema.is_object("process.parent"));
        assert!(!schema.is_object("process.name"));
        assert_eq!(schema.field("dll.pe.sections.name").nested_path.as_deref(), Some("dll.pe.sections"));
        assert!(schema.names().count() > 9_000);
    }

    #[test]
    fn what_ecs_says_of_values() {
        let schema = Schema::built_in();
        let check = |name: &str, one: bool| assert_eq!(schema.holds_one_value(name), one, "{name}");
        check("process.name", true);
        check("process.args", false);
        check("event.category", false);
        check("dll.pe.sections.name", false);
        check("no.such.field", false);
        assert!(schema.allowed_values("event.kind").contains(&"alert"));
        assert!(schema.allowed_values("process.name").is_empty());
    }

    #[test]
    fn mappings_go_over_the_table() {
        let schema = Schema::built_in();
        let mapping = r#"{"properties": {"my": {"properties": {"field": {"type": "long"}}}, "process": {"properties": {"pid": {"type": "keyword"}}}}}"#;
        let schema = schema.with_mapping(mapping).unwrap();
        assert_eq!(schema.field("my.field").kind, FieldType::Long);
        assert_eq!(schema.field("process.pid").kind, FieldType::Keyword);
        assert_eq!(schema.field("process.name").kind, FieldType::Keyword);
    }
}
