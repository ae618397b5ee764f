//! What a query may name: columns of indices, lookup tables, enrich policies.

use maxspan_diagnostics::nearest_names;
use maxspan_event::FieldType;

use crate::query::Column;
use crate::run::Tables;
use crate::types::DataType;

/// What is known of the data before it is read.
pub trait Schema {
    /// The columns of the indices that the patterns name, in the order in which they are shown; none where no index fits.
    fn columns(&self, patterns: &[&str]) -> Option<Vec<Column>>;

    /// All columns of these indices, those too that [`Schema::columns`] does not list.
    fn all(&self, patterns: &[&str]) -> Vec<Column> {
        self.columns(patterns).unwrap_or_default()
    }

    /// The type of a field that [`Schema::columns`] does not list; none makes it an unknown column.
    fn unlisted(&self, name: &str) -> Option<DataType> {
        let _ = name;
        None
    }

    /// The type that a field counts as that nobody knows; none makes it an unknown column.
    fn unmapped(&self) -> Option<DataType> {
        None
    }

    /// Names of unlisted fields that are written like this one.
    fn near(&self, name: &str) -> Vec<String> {
        let _ = name;
        Vec::new()
    }

    /// The columns of a lookup index.
    fn lookup(&self, index: &str) -> Option<Vec<Column>> {
        let _ = index;
        None
    }

    /// An enrich policy.
    fn policy(&self, name: &str) -> Option<Policy> {
        let _ = name;
        None
    }

    /// The names of lookup indices and enrich policies, for who misspelt one.
    fn lookup_names(&self) -> Vec<String> {
        Vec::new()
    }

    /// The fields of the documents of these indices, for KQL.
    fn documents(&self, patterns: &[&str]) -> maxspan_event::Schema;
}

/// What an enrich policy looks at.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// The column that is matched.
    pub matched: Column,
    /// The type of values that lie in the ranges of that column; none where they have to be equal.
    pub ranges_of: Option<DataType>,
    /// The other columns, which it adds.
    pub columns: Vec<Column>,
}

/// Another schema with the lookup indices and enrich policies of some tables.
#[derive(Clone, Copy)]
pub struct WithTables<'a> {
    schema: &'a dyn Schema,
    tables: &'a Tables,
}

impl<'a> WithTables<'a> {
    /// Indices from one, lookups from the other.
    pub fn new(schema: &'a dyn Schema, tables: &'a Tables) -> Self {
        Self { schema, tables }
    }
}

impl Schema for WithTables<'_> {
    fn columns(&self, patterns: &[&str]) -> Option<Vec<Column>> {
        self.schema.columns(patterns)
    }

    fn all(&self, patterns: &[&str]) -> Vec<Column> {
        self.schema.all(patterns)
    }

    fn unlisted(&self, name: &str) -> Option<DataType> {
        self.schema.unlisted(name)
    }

    fn unmapped(&self) -> Option<DataType> {
        self.schema.unmapped()
    }

    fn near(&self, name: &str) -> Vec<String> {
        self.schema.near(name)
    }

    fn lookup(&self, index: &str) -> Option<Vec<Column>> {
        self.tables.lookup(index)
    }

    fn policy(&self, name: &str) -> Option<Policy> {
        self.tables.policy(name)
    }

    fn lookup_names(&self) -> Vec<String> {
        self.tables.lookup_names()
    }

    fn documents(&self, patterns: &[&str]) -> maxspan_event::Schema {
        self.schema.documents(patterns)
    }
}

/// The fields of events: those of the `event` crate's schema for every index.
///
/// A field that it does not know counts as a keyword without values, and is reported; Elasticsearch knows it only where
/// some index has it.
#[derive(Debug, Clone)]
pub struct EventSchema {
    schema: maxspan_event::Schema,
    columns: Vec<Column>,
    names: Vec<String>,
}

impl EventSchema {
    /// The fields of a schema without a list of them: what a query names is there, and `*` adds nothing. For who has the
    /// event beside the row, and so all that the query does not change.
    pub fn on_demand(schema: maxspan_event::Schema) -> Self {
        let names = schema.names().map(str::to_owned).collect();
        Self { schema, columns: Vec::new(), names }
    }

    /// The fields of a schema.
    pub fn new(schema: maxspan_event::Schema) -> Self {
        let columns = leaves(&schema);
        Self { schema, columns, names: Vec::new() }
    }
}

/// The fields with values, in order of names.
fn leaves(schema: &maxspan_event::Schema) -> Vec<Column> {
    let mut names: Vec<&str> = schema.names().collect();
    names.sort_unstable();
    names.dedup();
    let kinds = names.into_iter().map(|name| (name, schema.field(name).kind));
    kinds
        .filter(|(_, kind)| !matches!(kind, FieldType::Object | FieldType::Nested))
        .map(|(name, kind)| Column { name: name.to_owned(), kind: DataType::of_field(kind) })
        .collect()
}

impl Schema for EventSchema {
    fn columns(&self, _patterns: &[&str]) -> Option<Vec<Column>> {
        Some(self.columns.clone())
    }

    fn all(&self, _patterns: &[&str]) -> Vec<Column> {
        if self.columns.is_empty() { leaves(&self.schema) } else { self.columns.clone() }
    }

    fn unlisted(&self, name: &str) -> Option<DataType> {
        self.schema.get(name).map(|field| DataType::of_field(field.kind))
    }

    fn unmapped(&self) -> Option<DataType> {
        Some(DataType::Keyword)
    }

    fn near(&self, name: &str) -> Vec<String> {
        let names = self.names.iter().map(String::as_str);
        nearest_names(name, names).into_iter().map(str::to_owned).collect()
    }

    fn documents(&self, _patterns: &[&str]) -> maxspan_event::Schema {
        self.schema.clone()
    }
}
