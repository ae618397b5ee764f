//! The values that events have in the fields that alerts are folded by.

use maxspan_engine::limits::KEY_TUPLES_PER_EVENT_MAX;
use maxspan_engine::{EventStore, KeptEvent, KeyTuple, KeyValue, SpillError, tuples};
use maxspan_event::{Decoder, Fields, Schema, Slot, Slots, repair};
use maxspan_rules::alert::suppression::term_value;
use serde_json::Value;

use crate::hunt::key_value;
use crate::limits::SUPPRESSION_VALUE_BYTES_MAX;

/// Reads the fields of one rule.
#[derive(Debug)]
pub(super) struct ValueReader {
    decoder: Decoder,
    wanted: Vec<Slot>,
    /// The place of `host.os.type`, which may have been derived.
    os: Option<usize>,
    slots: Slots,
}

impl ValueReader {
    pub(super) fn new(names: &[String], schema: &Schema) -> Self {
        let mut fields = Fields::default();
        let wanted = names.iter().map(|name| fields.slot(&schema.field(name))).collect();
        let os = names.iter().position(|name| name == "host.os.type");
        Self { decoder: Decoder::new(fields, schema.clone()), wanted, os, slots: Slots::default() }
    }

    /// The values of each field, in the order of the document. Those that no index would take as terms are left out.
    pub(super) fn values(
        &mut self,
        store: &EventStore,
        event: &KeptEvent,
    ) -> Result<Vec<Vec<KeyValue>>, SpillError> {
        let source = store.source(event)?;
        let Self { decoder, wanted, os, slots } = self;
        let read = decoder.decode_fields(&source, slots).is_ok()
            || repair::repaired(&source).is_some_and(|mended| decoder.decode_fields(&mended, slots).is_ok());
        if !read {
            return Ok(vec![Vec::new(); wanted.len()]);
        }
        let of_slot =
            |slot: &Slot| slots.values(*slot).filter_map(KeyValue::from_value).filter(is_term).collect();
        let mut values: Vec<Vec<KeyValue>> = wanted.iter().map(of_slot).collect();
        if let (Some(place), Some(derived)) = (*os, event.derived_os())
            && values[place].is_empty()
        {
            values[place].push(KeyValue::Text(derived.into()));
        }
        Ok(values)
    }
}

fn is_term(value: &KeyValue) -> bool {
    match value {
        KeyValue::Text(text) | KeyValue::Version(text) => text.len() <= SUPPRESSION_VALUE_BYTES_MAX,
        _ => true,
    }
}

/// Every combination of values, null for a field that has none; and how many there are beyond the limit.
pub(super) fn combinations(mut values: Vec<Vec<KeyValue>>) -> (Vec<KeyTuple>, u64) {
    for one in &mut values {
        one.sort_unstable();
        one.dedup();
        if one.is_empty() {
            one.push(KeyValue::Null);
        }
    }
    tuples(&values, KEY_TUPLES_PER_EVENT_MAX)
}

/// The values as one: a list, or null.
pub(super) fn list(values: &[KeyValue]) -> Value {
    term_value(Value::Array(values.iter().map(key_value).collect()))
}
