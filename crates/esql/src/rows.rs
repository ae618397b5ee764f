//! Events as rows: the columns of a query, read from documents.
//!
//! Fields are read by the decoder that rules are matched with, so that a query sees the values that other rules see. Several
//! values of a field are as an index gives them: texts sorted and each once, other values sorted.

use maxspan_event::{DecodeError, Decoder, Fields, Slot, Slots, ValueRef as Field, date};

use crate::functions::convert::to_text;
use crate::query::{ColumnId, Command, Query, Scan};
use crate::types::DataType;
use crate::value::{Value, order};

/// An event beside its document.
#[derive(Debug, Clone, Copy)]
pub struct RowEvent<'a> {
    /// `_index`
    pub index: &'a str,
    /// `_id`
    pub id: &'a str,
    /// The document as JSON.
    pub source: &'a [u8],
}

/// Makes rows of events for one query.
#[derive(Debug)]
pub struct RowReader {
    decoder: Decoder,
    fields: Vec<(Slot, ColumnId, DataType)>,
    metadata: Vec<(ColumnId, Metadata)>,
    columns: usize,
}

/// What is known of an event beside its fields.
#[derive(Debug, Clone, Copy)]
enum Metadata {
    Index,
    Id,
    Version,
    IndexMode,
    /// What events do not have here.
    Null,
}

/// Every event is the first version of its document.
const VERSION: i64 = 1;

impl RowReader {
    /// A reader for the columns of a query whose fields have the types of a schema.
    pub fn new(query: &Query, schema: &maxspan_event::Schema) -> Self {
        let mut fields = Fields::default();
        let mut reader = Self {
            decoder: Decoder::new(Fields::default(), schema.clone()),
            fields: Vec::new(),
            metadata: Vec::new(),
            columns: query.columns.len(),
        };
        for scan in query.commands.iter().filter_map(Command::as_scan) {
            for (id, name) in &scan.fields {
                let slot = fields.slot(&schema.field(name));
                reader.fields.push((slot, *id, query.columns[id.0].kind));
            }
            reader.metadata.extend(scan.metadata.iter().map(|(id, name)| (*id, Metadata::of(name))));
        }
        reader.decoder = Decoder::new(fields, schema.clone());
        reader
    }

    /// Whether rows have the ids of their events.
    pub fn asks_id(&self) -> bool {
        self.metadata.iter().any(|(_, metadata)| matches!(metadata, Metadata::Id))
    }

    /// The row of an event: a value for each column of the query, null in those that commands fill later.
    pub fn read(&self, event: &RowEvent<'_>, slots: &mut Slots) -> Result<Vec<Value>, DecodeError> {
        self.decoder.decode_fields(event.source, slots)?;
        let mut row = vec![Value::Null; self.columns];
        for (slot, id, kind) in &self.fields {
            row[id.0] = values_of(slots, *slot, *kind);
        }
        for (id, metadata) in &self.metadata {
            row[id.0] = match metadata {
                Metadata::Index => Value::text(event.index),
                Metadata::Id => Value::text(event.id),
                Metadata::Version => Value::Long(VERSION),
                Metadata::IndexMode => Value::text("standard"),
                Metadata::Null => Value::Null,
            };
        }
        Ok(row)
    }
}

impl Metadata {
    fn of(name: &str) -> Self {
        match name {
            "_index" => Self::Index,
            "_id" => Self::Id,
            "_version" => Self::Version,
            "_index_mode" => Self::IndexMode,
            _ => Self::Null,
        }
    }
}

impl Command {
    /// What it reads, where it reads indices.
    pub fn as_scan(&self) -> Option<&Scan> {
        if let Self::Scan(scan) = self { Some(scan) } else { None }
    }
}

fn values_of(slots: &Slots, slot: Slot, kind: DataType) -> Value {
    as_indexed(slots.values(slot).filter_map(|value| value_of(value, kind)).collect(), kind)
}

/// The values of a field as an index gives them: texts sorted and each once, other values sorted.
pub fn as_indexed(mut values: Vec<Value>, kind: DataType) -> Value {
    if values.len() > 1 && kind != DataType::Text {
        values.sort_by(order);
        if matches!(kind, DataType::Keyword | DataType::Ip | DataType::Version) {
            values.dedup();
        }
    }
    Value::from_values(values)
}

/// A value as the column's type has it; none where it cannot be one.
fn value_of(value: Field<'_>, kind: DataType) -> Option<Value> {
    let own = match value {
        Field::Boolean(value) => Value::Bool(value),
        Field::Long(value) => Value::Long(value),
        Field::Unsigned(value) => Value::UnsignedLong(value),
        Field::Double(value) => Value::Double(value),
        Field::Text(text) => Value::text(text),
        Field::Ip(ip) => Value::Ip(ip),
        Field::Date(nanos) if kind == DataType::DateNanos => Value::DateNanos(nanos),
        Field::Date(nanos) => Value::Date(date::to_millis(nanos)),
        Field::Version(text) => Value::Version(text.into()),
        Field::Object => return None,
    };
    match (kind, &own) {
        _ if own.data_type() == kind || own.data_type().is_text() && kind.is_text() => Some(own),
        (DataType::Keyword | DataType::Text, _) => Some(Value::text(to_text(own.borrowed()))),
        (DataType::Long, Value::UnsignedLong(value)) => i64::try_from(*value).ok().map(Value::Long),
        (DataType::UnsignedLong, Value::Long(value)) => u64::try_from(*value).ok().map(Value::UnsignedLong),
        (DataType::Double, _) => own.borrowed().as_double().map(Value::Double),
        _ => None,
    }
}
