//! The columns of a table: one list of fields, the types that the schema gives them, and the form of their values.
//!
//! A column is there to find events, never to be them: the document stands beside it as it came, and whoever wants to
//! be exact reads that. So a column holds what fits its type, and a row says in `_inexact` which of its columns hold
//! less than its document: because there are several values where the column takes one, because a value does not fit
//! the type, or because there is too much of it. Whoever leaves out rows by a column looks at `_inexact` too, and
//! errs towards yes.
//!
//! Fields that ECS has hold several values are lists, all others are single values. Addresses are text in their
//! canonical form, dates have microseconds.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field as ArrowField, Schema as ArrowSchema, SchemaRef, TimeUnit};
use maxspan_event::{Field, FieldType, Schema};
use rustc_hash::FxHashSet;

/// The time of the event, in microseconds; the document has the nanoseconds.
pub const TIMESTAMP: &str = "@timestamp";
/// When the event came in, which rules may go by instead of its time.
pub const INGESTED: &str = "event.ingested";
/// The index that came with the event.
pub const INDEX: &str = "_index";
/// The id that came with the event.
pub const ID: &str = "_id";
/// The document as it came.
pub const SOURCE: &str = "_source";
/// The document as it came, where that is no UTF-8; [`SOURCE`] then has what can be read of it.
pub const RAW: &str = "_raw";
/// Names of columns that hold less than the document; [`EVERYTHING`] stands for all of them.
pub const INEXACT: &str = "_inexact";
/// The partition: the day of the event in UTC.
pub const DAY: &str = "day";
/// In [`INEXACT`]: any column may hold less than the document.
pub const EVERYTHING: &str = "*";

/// A field that has a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// The field.
    pub name: &'static str,
    /// Whether events are looked up by it, so that row groups have bloom filters of its values.
    pub lookup: bool,
}

const fn plain(name: &'static str) -> Column {
    Column { name, lookup: false }
}

const fn lookup(name: &'static str) -> Column {
    Column { name, lookup: true }
}

/// The fields that rules of all kinds, and people, ask for most. A column that no event of a file has is not in the
/// file and costs nothing.
pub const COLUMNS: [Column; 116] = [
    plain("agent.id"),
    plain("agent.name"),
    plain("agent.type"),
    plain("client.ip"),
    plain("client.user.email"),
    plain("cloud.account.id"),
    plain("cloud.instance.id"),
    plain("cloud.provider"),
    plain("cloud.region"),
    plain("container.id"),
    plain("data_stream.dataset"),
    plain("data_stream.namespace"),
    plain("data_stream.type"),
    lookup("destination.domain"),
    lookup("destination.ip"),
    plain("destination.port"),
    plain("dll.code_signature.trusted"),
    lookup("dll.hash.sha256"),
    plain("dll.name"),
    plain("dll.path"),
    lookup("dns.question.name"),
    plain("dns.question.type"),
    lookup("dns.resolved_ip"),
    plain("event.action"),
    plain("event.category"),
    plain("event.code"),
    plain("event.dataset"),
    plain("event.ingested"),
    plain("event.kind"),
    plain("event.module"),
    plain("event.outcome"),
    plain("event.provider"),
    plain("event.reason"),
    plain("event.type"),
    plain("file.directory"),
    plain("file.extension"),
    lookup("file.hash.md5"),
    lookup("file.hash.sha1"),
    lookup("file.hash.sha256"),
    plain("file.name"),
    lookup("file.path"),
    plain("file.size"),
    plain("group.id"),
    plain("group.name"),
    lookup("host.id"),
    plain("host.ip"),
    lookup("host.name"),
    plain("host.os.family"),
    plain("host.os.type"),
    plain("http.request.method"),
    plain("http.response.status_code"),
    plain("kibana.alert.rule.name"),
    plain("kibana.alert.rule.rule_id"),
    plain("kibana.alert.severity"),
    plain("network.direction"),
    plain("network.protocol"),
    plain("network.transport"),
    plain("network.type"),
    plain("orchestrator.namespace"),
    plain("orchestrator.resource.name"),
    plain("organization.name"),
    plain("powershell.sequence"),
    plain("powershell.total"),
    plain("process.Ext.token.integrity_level_name"),
    plain("process.args"),
    plain("process.args_count"),
    plain("process.code_signature.exists"),
    plain("process.code_signature.status"),
    plain("process.code_signature.subject_name"),
    plain("process.code_signature.trusted"),
    plain("process.command_line"),
    lookup("process.entity_id"),
    lookup("process.executable"),
    lookup("process.hash.md5"),
    lookup("process.hash.sha1"),
    lookup("process.hash.sha256"),
    plain("process.interactive"),
    lookup("process.name"),
    plain("process.parent.args"),
    plain("process.parent.command_line"),
    lookup("process.parent.entity_id"),
    plain("process.parent.executable"),
    lookup("process.parent.name"),
    plain("process.parent.pid"),
    plain("process.pe.original_file_name"),
    plain("process.pid"),
    plain("process.working_directory"),
    plain("registry.data.strings"),
    lookup("registry.path"),
    plain("registry.value"),
    plain("rule.name"),
    plain("service.name"),
    lookup("source.address"),
    plain("source.as.number"),
    plain("source.as.organization.name"),
    plain("source.geo.country_name"),
    lookup("source.ip"),
    plain("source.port"),
    lookup("threat.indicator.ip"),
    lookup("url.domain"),
    lookup("url.full"),
    plain("url.path"),
    plain("user.domain"),
    plain("user.effective.name"),
    lookup("user.email"),
    lookup("user.id"),
    lookup("user.name"),
    plain("user.target.name"),
    plain("user_agent.name"),
    plain("user_agent.original"),
    plain("winlog.computer_name"),
    plain("winlog.event_data.SubjectUserName"),
    plain("winlog.event_data.TargetUserName"),
    plain("winlog.event_id"),
    lookup("winlog.logon.id"),
    plain("winlog.logon.type"),
];

/// How a column holds one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text: keywords, addresses, versions.
    Text,
    /// An integer of 64 bits.
    Long,
    /// A floating point number.
    Double,
    /// True or false.
    Boolean,
    /// An instant, in microseconds.
    Date,
}

impl Kind {
    fn of(kind: FieldType) -> Self {
        match kind {
            FieldType::Long | FieldType::UnsignedLong => Self::Long,
            FieldType::Double => Self::Double,
            FieldType::Boolean => Self::Boolean,
            FieldType::Date | FieldType::DateNanos => Self::Date,
            _ => Self::Text,
        }
    }

    /// The type of one value.
    pub fn data_type(self) -> DataType {
        match self {
            Self::Text => DataType::Utf8,
            Self::Long => DataType::Int64,
            Self::Double => DataType::Float64,
            Self::Boolean => DataType::Boolean,
            Self::Date => instant(),
        }
    }
}

/// A column with its type.
#[derive(Debug, Clone)]
pub struct TypedColumn {
    /// The field, as the built-in schema has it.
    pub field: Field,
    /// How a value is held.
    pub kind: Kind,
    /// Whether the column takes several values.
    pub several: bool,
    /// Whether there are bloom filters.
    pub lookup: bool,
}

impl TypedColumn {
    /// The type of the column.
    pub fn data_type(&self) -> DataType {
        let one = self.kind.data_type();
        if self.several { list_of(one) } else { one }
    }
}

/// All columns with their types. They depend on the built-in schema alone: what is stored by one user is read by
/// another, whatever mappings either has.
#[derive(Debug)]
pub struct Layout {
    columns: Vec<TypedColumn>,
}

impl Default for Layout {
    fn default() -> Self {
        let schema = Schema::built_in();
        let ecs: FxHashSet<&str> = schema.ecs_fields().map(|(name, _)| name).collect();
        let typed = |column: &Column| {
            let field = schema.field(column.name);
            let several = ecs.contains(column.name) && !schema.holds_one_value(column.name);
            TypedColumn { kind: Kind::of(field.kind), field, several, lookup: column.lookup }
        };
        Self { columns: COLUMNS.iter().map(typed).collect() }
    }
}

impl Layout {
    /// The columns of fields, by name.
    pub fn columns(&self) -> &[TypedColumn] {
        &self.columns
    }

    /// The column of a field.
    pub fn column(&self, name: &str) -> Option<&TypedColumn> {
        let place = self.columns.binary_search_by(|column| column.field.name.as_str().cmp(name)).ok()?;
        self.columns.get(place)
    }

    /// What a table holds in its files, without the partition.
    pub fn file_schema(&self) -> SchemaRef {
        let text = |name: &str| ArrowField::new(name, DataType::Utf8, true);
        let mut fields = vec![ArrowField::new(TIMESTAMP, instant(), true), text(INDEX), text(ID)];
        fields.extend(
            self.columns.iter().map(|column| ArrowField::new(&column.field.name, column.data_type(), true)),
        );
        fields.push(ArrowField::new(INEXACT, list_of(DataType::Utf8), true));
        fields.push(ArrowField::new(RAW, DataType::Binary, true));
        fields.push(ArrowField::new(SOURCE, DataType::Utf8, true));
        Arc::new(ArrowSchema::new(fields))
    }

    /// What a table holds.
    pub fn table_schema(&self) -> SchemaRef {
        let mut fields: Vec<_> = self.file_schema().fields().iter().cloned().collect();
        fields.push(Arc::new(ArrowField::new(DAY, DataType::Date32, true)));
        Arc::new(ArrowSchema::new(fields))
    }
}

/// The type of instants.
pub fn instant() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

/// A list as Delta has it.
pub fn list_of(one: DataType) -> DataType {
    DataType::List(Arc::new(ArrowField::new("element", one, true)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_sorted_and_known_and_typed() {
        assert!(COLUMNS.is_sorted_by(|a, b| a.name < b.name));
        let layout = Layout::default();
        for column in layout.columns() {
            assert!(column.field.is_known(), "{}", column.field.name);
        }
        let check = |name: &str, data_type: DataType| {
            assert_eq!(layout.column(name).expect(name).data_type(), data_type, "{name}");
        };
        check("process.name", DataType::Utf8);
        check("process.args", list_of(DataType::Utf8));
        check("event.category", list_of(DataType::Utf8));
        check("process.pid", DataType::Int64);
        check("source.ip", DataType::Utf8);
        check("host.ip", list_of(DataType::Utf8));
        check("event.ingested", instant());
        check("process.code_signature.trusted", DataType::Boolean);
        check("winlog.event_id", DataType::Utf8);
        assert!(layout.column("no.such.field").is_none());
    }
}
