//! Tables in memory, as data and as schema.

use std::collections::BTreeMap;

use maxspan_event::index::IndexPatterns;
use serde_json::{Map, Value as Json, json};

use crate::query::Column;
use crate::schema::Schema;
use crate::types::DataType;
use crate::value::Value;

/// A table.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    /// The columns.
    pub columns: Vec<Column>,
    /// Rows with a value for each column; those of several values as an index gives them, sorted.
    pub rows: Vec<Vec<Value>>,
}

/// Tables by name: indices, lookup indices, and what enrich policies look at.
#[derive(Debug, Clone, Default)]
pub struct Tables {
    tables: BTreeMap<String, Table>,
    /// Policy: its table, and the column that is matched.
    policies: BTreeMap<String, (String, String)>,
}

impl Tables {
    /// Adds a table, or replaces the one of that name.
    pub fn insert(&mut self, name: impl Into<String>, table: Table) {
        self.tables.insert(name.into(), table);
    }

    /// Adds an enrich policy over a table.
    pub fn insert_policy(
        &mut self,
        name: impl Into<String>,
        table: impl Into<String>,
        matched: impl Into<String>,
    ) {
        self.policies.insert(name.into(), (table.into(), matched.into()));
    }

    /// A table.
    pub fn get(&self, name: &str) -> Option<&Table> {
        self.tables.get(name)
    }

    pub(super) fn policy_table(&self, policy: &str) -> Option<&Table> {
        self.policies.get(policy).and_then(|(table, _)| self.tables.get(table))
    }

    /// The tables that patterns name, in order of names; a pattern that begins with `-` takes away.
    pub(super) fn named<'a>(&'a self, patterns: &[&str]) -> Vec<(&'a str, &'a Table)> {
        let patterns = IndexPatterns::new(patterns.iter().copied());
        self.tables
            .iter()
            .filter(|(name, _)| patterns.matches(name))
            .map(|(name, table)| (name.as_str(), table))
            .collect()
    }
}

impl Schema for Tables {
    fn columns(&self, patterns: &[&str]) -> Option<Vec<Column>> {
        let named = self.named(patterns);
        if named.is_empty() {
            return None;
        }
        let mut kinds: BTreeMap<&str, DataType> = BTreeMap::new();
        for column in named.iter().flat_map(|(_, table)| &table.columns) {
            let kind = kinds.entry(&column.name).or_insert(column.kind);
            if *kind != column.kind {
                // The same field with two types cannot be used without saying which is meant.
                *kind = DataType::Unsupported;
            }
        }
        Some(kinds.into_iter().map(|(name, kind)| Column { name: name.to_owned(), kind }).collect())
    }

    fn lookup(&self, index: &str) -> Option<Vec<Column>> {
        self.get(index).map(|table| table.columns.clone())
    }

    fn policy(&self, name: &str) -> Option<(String, Vec<Column>)> {
        let (table, matched) = self.policies.get(name)?;
        let columns = self.get(table)?.columns.iter().filter(|column| column.name != *matched);
        Some((matched.clone(), columns.cloned().collect()))
    }

    fn documents(&self, patterns: &[&str]) -> maxspan_event::Schema {
        let mut properties = Map::new();
        for column in self.columns(patterns).unwrap_or_default() {
            let kind = match column.kind {
                DataType::Datetime => "date",
                DataType::Null | DataType::Unsupported => "keyword",
                kind => kind.name(),
            };
            properties.insert(column.name, json!({ "type": kind }));
        }
        let empty = maxspan_event::Schema::empty();
        let mapping = json!({ "properties": Json::Object(properties) }).to_string();
        empty.with_mapping(&mapping).unwrap_or(empty)
    }
}
