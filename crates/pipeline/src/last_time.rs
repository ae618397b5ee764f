//! The time of the last event of an input: where a single run of rules stands, unless it is told.

use maxspan_event::{Decoder, Fields, Schema, Slots, ValueRef};

use crate::input::{Batch, BatchItem, Reader};

/// The latest `@timestamp` of the events, in nanoseconds since 1970; none where no event has one. Reads the whole input.
pub fn last_time(reader: &mut Reader) -> Option<i64> {
    let (schema, mut fields) = (Schema::built_in(), Fields::default());
    let timestamp = fields.slot(&schema.field("@timestamp"));
    let decoder = Decoder::new(fields, schema).looked_at([timestamp]);
    let (mut slots, mut batch, mut last) = (Slots::default(), Batch::default(), None);
    while reader.batch(&mut batch) {
        for item in batch.iter() {
            let BatchItem::Event(event) = item else { continue };
            if decoder.decode_fields(event.source, &mut slots).is_ok()
                && let Some(ValueRef::Date(nanos)) = slots.first(timestamp)
            {
                last = last.max(Some(nanos));
            }
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::InputOptions;

    #[test]
    fn events_without_a_time_do_not_count() {
        let check = |lines: &str, expected: Option<i64>| {
            let bytes = std::io::Cursor::new(lines.to_owned());
            let mut reader = Reader::of_bytes("events", bytes, InputOptions::default());
            assert_eq!(last_time(&mut reader), expected, "{lines}");
        };
        check("", None);
        check("{\"a\": 1}\nno JSON\n", None);
        let times =
            "{\"@timestamp\": 5}\n{\"@timestamp\": \"1970-01-01T00:00:07Z\"}\n{\"@timestamp\": 6000}\n";
        check(times, Some(7_000_000_000));
    }
}
