//! One event on its way into the store: decoded, named after its data stream, put into the rows of its day.

use maxspan_event::{DecodeError, Decoder, Fields, Schema, Slot, Slots, ValueRef, repair};

use crate::columns::{Layout, TIMESTAMP};
use crate::names::{STREAM_DEFAULT, stream_of};
use crate::rows::{Arrived, Rows};

/// The index that alerts count as which name none.
const ALERTS_INDEX: &str = ".alerts-security.alerts-default";
/// The field that tells alerts.
const ALERT_ID: &str = "kibana.alert.uuid";
/// Nanoseconds of a day.
const DAY_NANOS: i64 = 86_400_000_000_000;

/// An event as it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewEvent<'a> {
    /// The index that came with it.
    pub index: Option<&'a str>,
    /// The id that came with it.
    pub id: Option<&'a str>,
    /// The bytes of its document.
    pub source: &'a [u8],
}

/// Decodes the fields that have columns, and where an event belongs.
#[derive(Debug)]
pub(crate) struct Encoder {
    pub(crate) layout: Layout,
    decoder: Decoder,
    slots: Slots,
    time: Slot,
    alert_id: Slot,
    data_stream: [Slot; 3],
    /// By the number of a slot, the column that it fills.
    columns: Vec<Option<usize>>,
    stream: String,
    incomplete: bool,
}

impl Encoder {
    pub(crate) fn new() -> Self {
        let (layout, schema, mut fields) = (Layout::default(), Schema::built_in(), Fields::default());
        let by_column: Vec<Slot> = layout.columns().iter().map(|column| fields.slot(&column.field)).collect();
        let mut slot = |name: &str| fields.slot(&schema.field(name));
        let (time, alert_id) = (slot(TIMESTAMP), slot(ALERT_ID));
        let data_stream = ["type", "dataset", "namespace"].map(|part| slot(&format!("data_stream.{part}")));
        let mut columns = vec![None; fields.len()];
        for (number, slot) in by_column.iter().enumerate() {
            columns[slot.index()] = Some(number);
        }
        let decoder = Decoder::new(fields, schema);
        Self {
            layout,
            decoder,
            slots: Slots::default(),
            time,
            alert_id,
            data_stream,
            columns,
            stream: String::new(),
            incomplete: false,
        }
    }

    /// Takes the event's fields out of its document.
    pub(crate) fn decode(&mut self, event: &NewEvent<'_>) -> Result<(), DecodeError> {
        let dropped = self.slots.dropped().values;
        if let Err(error) = self.decoder.decode_fields(event.source, &mut self.slots) {
            let Some(mended) = repair::repaired(event.source) else { return Err(error) };
            self.decoder.decode_fields(&mended, &mut self.slots)?;
        }
        self.incomplete = self.slots.dropped().values != dropped;
        self.name_stream(event);
        Ok(())
    }

    /// The data stream of the event that was decoded last: what rules see as its index.
    pub(crate) fn stream(&self) -> &str {
        &self.stream
    }

    /// The time of that event, in nanoseconds; none where it has several, so that no window leaves it out by the first.
    pub(crate) fn time(&self) -> Option<i64> {
        let mut values = self.slots.values(self.time);
        match (values.next(), values.next()) {
            (Some(ValueRef::Date(nanos)), None) => Some(nanos),
            _ => None,
        }
    }

    /// The day of that event, since 1970.
    pub(crate) fn day(&self) -> Option<i32> {
        self.time().map(|nanos| nanos.div_euclid(DAY_NANOS) as i32)
    }

    /// Puts that event into rows.
    pub(crate) fn push(&self, event: &NewEvent<'_>, rows: &mut Rows) {
        let arrived = Arrived {
            time: self.time(),
            index: event.index,
            id: event.id,
            source: event.source,
            incomplete: self.incomplete,
        };
        rows.push(arrived, &self.slots, &self.layout, |slot| self.columns[slot.index()]);
    }

    fn name_stream(&mut self, event: &NewEvent<'_>) {
        let mut stream = std::mem::take(&mut self.stream);
        stream.clear();
        if let Some(index) = event.index {
            stream.push_str(&stream_of(index));
        } else if self.slots.is_present(self.alert_id) {
            stream.push_str(ALERTS_INDEX);
        } else if self.data_stream(&mut stream).is_some() {
            let name = stream_of(&stream).into_owned();
            stream = name;
        } else {
            stream.clear();
            stream.push_str(STREAM_DEFAULT);
        }
        self.stream = stream;
    }

    /// The data stream that the event names itself.
    fn data_stream(&self, name: &mut String) -> Option<()> {
        let part = |slot: Slot| self.slots.values(slot).next().and_then(ValueRef::as_text);
        let [kind, dataset, namespace] = self.data_stream;
        for part in [part(kind)?, "-", part(dataset)?, "-", part(namespace).unwrap_or("default")] {
            name.push_str(part);
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_belong_to_the_stream_that_rules_see() {
        let mut encoder = Encoder::new();
        let mut check = |index: Option<&str>, source: &str, stream: &str, day: Option<i32>| {
            encoder.decode(&NewEvent { index, id: None, source: source.as_bytes() }).expect(source);
            assert_eq!((encoder.stream(), encoder.day()), (stream, day), "{source}");
        };
        let own =
            r#"{"data_stream": {"type": "logs", "dataset": "x"}, "@timestamp": "1970-01-02T00:00:00Z"}"#;
        check(Some(".ds-logs-y-default-2026.01.01-000001"), own, "logs-y-default", Some(1));
        check(None, own, "logs-x-default", Some(1));
        check(None, r#"{"@timestamp": "1969-12-31T23:59:59.999Z"}"#, STREAM_DEFAULT, Some(-1));
        check(None, r#"{"@timestamp": ["2026-01-01", "2026-01-02"]}"#, STREAM_DEFAULT, None);
        check(None, r#"{"kibana.alert.uuid": "1"}"#, ALERTS_INDEX, None);
        check(None, r#"{"data_stream.dataset": "x", "@timestamp": "soon"}"#, STREAM_DEFAULT, None);
    }
}
