//! What a query may name: columns of indices, lookup tables, enrich policies.

use maxspan_event::FieldType;

use crate::query::Column;
use crate::types::DataType;

/// What is known of the data before it is read.
pub trait Schema {
    /// The columns of the indices that the patterns name, in the order in which they are shown; none where no index fits.
    fn columns(&self, patterns: &[&str]) -> Option<Vec<Column>>;

    /// The type of a field that [`Schema::columns`] does not list; none makes it an unknown column.
    fn unlisted(&self, name: &str) -> Option<DataType> {
        let _ = name;
        None
    }

    /// The type that a field counts as that nobody knows; none makes it an unknown column.
    fn unmapped(&self) -> Option<DataType> {
        None
    }

    /// The columns of a lookup index.
    fn lookup(&self, index: &str) -> Option<Vec<Column>> {
        let _ = index;
        None
    }

    /// An enrich policy: the column that is matched, and those that it adds.
    fn policy(&self, name: &str) -> Option<(String, Vec<Column>)> {
        let _ = name;
        None
    }

    /// The fields of the documents of these indices, for KQL.
    fn documents(&self, patterns: &[&str]) -> maxspan_event::Schema;
}

/// The fields of events: those of the `event` crate's schema for every index.
///
/// A field that it does not know counts as a keyword without values, and is reported; Elasticsearch knows it only where
/// some index has it.
#[derive(Debug, Clone)]
pub struct EventSchema {
    schema: maxspan_event::Schema,
    columns: Vec<Column>,
}

impl EventSchema {
    /// The fields of a schema.
    pub fn new(schema: maxspan_event::Schema) -> Self {
        let mut names: Vec<&str> = schema.names().collect();
        names.sort_unstable();
        names.dedup();
        let is_leaf = |kind: FieldType| !matches!(kind, FieldType::Object | FieldType::Nested);
        let kinds = names.into_iter().map(|name| (name, schema.field(name).kind));
        let columns = kinds
            .filter(|(_, kind)| is_leaf(*kind))
            .map(|(name, kind)| Column { name: name.to_owned(), kind: DataType::of_field(kind) })
            .collect();
        Self { schema, columns }
    }
}

impl Schema for EventSchema {
    fn columns(&self, _patterns: &[&str]) -> Option<Vec<Column>> {
        Some(self.columns.clone())
    }

    fn unlisted(&self, name: &str) -> Option<DataType> {
        self.schema.get(name).map(|field| DataType::of_field(field.kind))
    }

    fn unmapped(&self) -> Option<DataType> {
        Some(DataType::Keyword)
    }

    fn documents(&self, _patterns: &[&str]) -> maxspan_event::Schema {
        self.schema.clone()
    }
}
