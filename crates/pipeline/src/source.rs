//! An event's document as alerts and query results carry it.

use maxspan_engine::{EventStore, KeptEvent, SpillError};
use maxspan_event::{DecodeError, identity};
use maxspan_rules::alert::SourceEvent;
use serde_json::{Map, Value, json};

use crate::input::{InputProblem, Location, ProblemKind};

/// A kept event as alerts and query results take it.
pub(crate) fn source_event(events: &EventStore, event: &KeptEvent) -> Result<SourceEvent, SpillError> {
    let whole = identity::document_of(&events.source(event)?);
    let id = event.id().text(&whole);
    Ok(SourceEvent { index: event.index().to_string(), id, source: document(whole, event.derived_os()) })
}

/// The document of an event.
///
/// Top-level keys that begin with `_` are bookkeeping and left out; a derived `host.os.type` is written in. A document
/// that cannot be read as a whole (nested too deeply where no rule looked) is kept as text in `event.original`, so
/// that the alert is not lost.
fn document(whole: Value, derived_os: Option<&str>) -> Value {
    let Value::Object(mut map) = whole else {
        return document(json!({"event": {"original": whole}}), derived_os);
    };
    map.retain(|key, _| !key.starts_with('_'));
    if let Some(os) = derived_os {
        set_host_os(&mut map, os);
    }
    Value::Object(map)
}

/// An event that the decoder refused, as a problem of the input.
pub(crate) fn undecodable(location: &Location, error: DecodeError) -> InputProblem {
    let mut location = location.clone();
    location.line += (error.line as u64).saturating_sub(1);
    let column = (error.column > 0).then_some(error.column as u64);
    InputProblem { location, column, kind: ProblemKind::Malformed, message: error.message }
}

fn set_host_os(map: &mut Map<String, Value>, os: &str) {
    let nested = map
        .get_mut("host")
        .and_then(Value::as_object_mut)
        .and_then(|host| host.get_mut("os"))
        .and_then(Value::as_object_mut);
    match nested {
        Some(inner) => inner.insert("type".to_owned(), os.into()),
        None => map.insert("host.os.type".to_owned(), os.into()),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bookkeeping_goes_and_the_derived_system_comes() {
        let check = |source: &str, expected: &str| {
            assert_eq!(
                document(identity::document_of(source.as_bytes()), Some("macos")).to_string(),
                expected
            );
        };
        check(
            r#"{"_src": "x", "host": {"os": {"family": "darwin"}}}"#,
            r#"{"host":{"os":{"family":"darwin","type":"macos"}}}"#,
        );
        check(r#"{"host.os.family": "darwin"}"#, r#"{"host.os.family":"darwin","host.os.type":"macos"}"#);
        check(
            &format!("{}1{}", "[".repeat(500), "]".repeat(500)),
            &format!(
                r#"{{"event":{{"original":"{}1{}"}},"host.os.type":"macos"}}"#,
                "[".repeat(500),
                "]".repeat(500)
            ),
        );
    }
}
