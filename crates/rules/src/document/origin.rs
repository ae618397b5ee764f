//! Where a rule came from: its file, the places of its fields, and the metadata that only Elastic's TOML has.

use std::sync::Arc;

use maxspan_diagnostics::{Source, Span};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The file of a rule, and places in it.
///
/// Two origins are equal when they are the same place of the same loaded text.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The file's text; its name is the path. Rules of one export share it.
    pub source: Arc<Source>,
    /// The rule in the file: its table, or its JSON object.
    pub span: Span,
    /// The query's text without its quotes, where there is a query.
    pub query_span: Option<Span>,
    /// Whether the file has the query letter by letter, so that a place in the query is a place in the file. False
    /// where the file writes it with escapes, as JSON does.
    pub query_verbatim: bool,
    /// The place of each top-level field's value, in the order of the file.
    pub field_spans: Vec<(String, Span)>,
    /// `[metadata]` of Elastic's TOML.
    pub metadata: Option<TomlMetadata>,
}

impl PartialEq for Origin {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.source, &other.source)
            && self.span == other.span
            && self.query_span == other.query_span
            && self.metadata == other.metadata
    }
}

impl Origin {
    /// The place of a field's value; the rule's where the field is not written.
    pub fn field_span(&self, name: &str) -> Span {
        self.field_spans.iter().find(|(field, _)| field == name).map_or(self.span, |(_, span)| *span)
    }

    /// The text to show messages about the query against, and how far to shift their spans.
    ///
    /// The file itself where it has the query letter by letter; else the query alone.
    pub fn query_source(&self, rule_id: &str, query: &str) -> (Arc<Source>, usize) {
        match self.query_span {
            Some(span) if self.query_verbatim => (Arc::clone(&self.source), span.start),
            _ => (self.text_source("query", rule_id, query), 0),
        }
    }

    /// A field's text by itself, named after the line of the file, the rule and the field: `rules.ndjson:3 (id, query)`.
    /// For texts that the file writes with escapes, often all of them in one line.
    pub fn text_source(&self, field: &str, rule_id: &str, text: &str) -> Arc<Source> {
        let line = self.source.position(self.field_span(field).start).line;
        let file = &self.source.name;
        Arc::new(Source::new(format!("{file}:{line} ({rule_id}, {field})"), text).in_file(file, line))
    }
}

/// `[metadata]` of Elastic's TOML (specification 1.1).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TomlMetadata {
    /// `2021/10/14`
    pub creation_date: String,
    /// `2021/10/14`
    pub updated_date: String,
    /// `2021/10/14`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deprecation_date: Option<String>,
    /// `production`, `development` …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maturity: Option<String>,
    /// Fleet packages: a name or a list of names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub integration: Option<Value>,
    /// Lowest version of the Elastic stack.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_stack_version: Option<String>,
    /// All the rest.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl TomlMetadata {
    /// Names of the Fleet packages.
    pub fn integrations(&self) -> Vec<&str> {
        match &self.integration {
            Some(Value::String(name)) => vec![name],
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }
}
