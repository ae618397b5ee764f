//! Tables in memory, as data and as schema.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use maxspan_event::index::IndexPatterns;
use rustc_hash::FxHashMap;
use serde_json::{Map, Value as Json, json};

use super::RunError;
use super::lookup::{IndexKey, LookupIndex};
use crate::query::Column;
use crate::schema::{Policy, Schema};
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

/// The ranges of a column of a table, for policies that look into which of them a value falls.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ranges {
    /// The type of what lies in them.
    pub kind: DataType,
    /// By row, the ranges with both ends.
    pub rows: Vec<Vec<(Value, Value)>>,
}

/// Tables by name: indices, lookup indices, and what enrich policies look at. What lookups find rows by is made once, and
/// copies share it.
#[derive(Debug, Clone, Default)]
pub struct Tables {
    by_name: BTreeMap<String, Arc<Table>>,
    policies: BTreeMap<String, Looked>,
    /// Names of lookups that are there and were not read.
    others: BTreeSet<String>,
    indexes: Arc<Mutex<FxHashMap<IndexKey, Arc<LookupIndex>>>>,
}

/// What a policy looks at.
#[derive(Debug, Clone)]
struct Looked {
    table: String,
    matched: String,
    ranges: Option<Arc<Ranges>>,
}

impl Tables {
    /// Adds a table, or replaces the one of that name.
    pub fn insert(&mut self, name: impl Into<String>, table: Table) {
        self.by_name.insert(name.into(), Arc::new(table));
        self.indexes = Arc::default();
    }

    /// Adds an enrich policy over a table.
    pub fn insert_policy(
        &mut self,
        name: impl Into<String>,
        table: impl Into<String>,
        matched: impl Into<String>,
    ) {
        self.add_policy(name.into(), Looked { table: table.into(), matched: matched.into(), ranges: None });
    }

    /// Adds an enrich policy over the ranges of a column of a table.
    pub fn insert_range_policy(
        &mut self,
        name: impl Into<String>,
        table: impl Into<String>,
        matched: impl Into<String>,
        ranges: Ranges,
    ) {
        let ranges = Some(Arc::new(ranges));
        self.add_policy(name.into(), Looked { table: table.into(), matched: matched.into(), ranges });
    }

    fn add_policy(&mut self, name: String, looked: Looked) {
        self.policies.insert(name, looked);
        self.indexes = Arc::default();
    }

    /// Says that there is a lookup of this name too, so that who misspells it is told.
    pub fn insert_name(&mut self, name: impl Into<String>) {
        self.others.insert(name.into());
    }

    /// A table.
    pub fn get(&self, name: &str) -> Option<&Table> {
        self.by_name.get(name).map(|table| &**table)
    }

    pub(super) fn shared(&self, name: &str) -> Option<Arc<Table>> {
        self.by_name.get(name).cloned()
    }

    /// The table of a policy, and its ranges where it has some.
    pub(super) fn policy_table(&self, policy: &str) -> Option<(Arc<Table>, Option<Arc<Ranges>>)> {
        let looked = self.policies.get(policy)?;
        Some((self.shared(&looked.table)?, looked.ranges.clone()))
    }

    /// What finds rows by these keys; made where it is not there yet.
    pub(super) fn index(
        &self,
        key: IndexKey,
        make: impl FnOnce(&IndexKey) -> Result<LookupIndex, RunError>,
    ) -> Result<Arc<LookupIndex>, RunError> {
        let mut indexes = self.indexes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(index) = indexes.get(&key) {
            return Ok(Arc::clone(index));
        }
        let index = Arc::new(make(&key)?);
        indexes.insert(key, Arc::clone(&index));
        Ok(index)
    }

    /// The tables that patterns name, in order of names; a pattern that begins with `-` takes away.
    pub(super) fn named<'a>(&'a self, patterns: &[&str]) -> Vec<(&'a str, &'a Table)> {
        let patterns = IndexPatterns::new(patterns.iter().copied());
        self.by_name
            .iter()
            .filter(|(name, _)| patterns.matches(name))
            .map(|(name, table)| (name.as_str(), &**table))
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

    fn policy(&self, name: &str) -> Option<Policy> {
        let Looked { table, matched, ranges } = self.policies.get(name)?;
        let (found, columns): (Vec<Column>, _) =
            self.get(table)?.columns.iter().cloned().partition(|column| column.name == *matched);
        let matched = found.into_iter().next()?;
        Some(Policy { matched, ranges_of: ranges.as_ref().map(|ranges| ranges.kind), columns })
    }

    fn lookup_names(&self) -> Vec<String> {
        self.by_name.keys().chain(self.policies.keys()).chain(&self.others).cloned().collect()
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
