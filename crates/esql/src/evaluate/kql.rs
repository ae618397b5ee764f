//! `KQL()` on a row: the fields that the condition looks at become a document again, and that is what it is asked of.

use maxspan_event::Slots;
use maxspan_plan::Environment;
use serde_json::{Map, Value as Json};

use crate::query::{ColumnId, KqlQuery};
use crate::value::Value;

/// Whether the row's document satisfies the condition.
pub(super) fn holds(query: &KqlQuery, row: &[Value], slots: &mut Slots) -> bool {
    let mut document = Map::new();
    for (slot, id) in &query.fields {
        insert(&mut document, &query.decoder.fields().field(*slot).path, *id, row);
    }
    for (name, id) in &query.all {
        insert(&mut document, name, *id, row);
    }
    let text = Json::Object(document).to_string();
    // What was written here can be read.
    query.decoder.decode(text.as_bytes(), slots).is_ok() && query.predicate.holds(Environment::new(slots))
}

fn insert(document: &mut Map<String, Json>, name: &str, id: ColumnId, row: &[Value]) {
    let values: Vec<Json> = row.get(id.0).map_or(&[][..], Value::values).iter().map(Value::to_json).collect();
    if !values.is_empty() {
        document.insert(name.to_owned(), Json::Array(values));
    }
}
