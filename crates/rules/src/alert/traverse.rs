//! Makes an event's source fit for the alerts index (specification 3.2, step 4).

use std::net::IpAddr;

use maxspan_event::{Document, Part, PartKind};

use super::field_kinds::{FieldKind, FieldKinds, Place};
use super::members::{Members, separate};
use super::time::milliseconds;

/// First parts of names that alerts keep for themselves.
const RESERVED: [&str; 3] = ["kibana", "signal", "threshold_result"];
/// Parts of an event that an alert keeps a copy of, with the copy's name.
const COPIES: [(&str, &str); 2] =
    [("event", "kibana.alert.original_event"), ("data_stream", "kibana.alert.original_data_stream")];
/// Where ECS has the kind of an event, which an alert sets.
const EVENT_KIND: (&str, &str) = ("event", "kind");
/// A field that an alert has in place of the event's.
const TIMESTAMP: &str = "@timestamp";

/// Puts down the source without reserved names and without values that ECS does not allow, with copies of `event.*` and
/// `data_stream.*`, and without `@timestamp` and `event.kind`, which the alert sets.
pub(crate) fn put_fit_for_alert(out: &mut Members, source: &Document<'_>, kinds: &FieldKinds) {
    let mut copies: Vec<(String, String)> = Vec::new();
    for part in source.members() {
        let key = part.raw_key();
        let first = key.split('.').next().unwrap_or("");
        if RESERVED.contains(&first) || key == TIMESTAMP {
            continue;
        }
        match COPIES.iter().find(|(original, _)| *original == first) {
            None => {
                put_allowed_member(out.text(), part, Some(kinds.root()));
            }
            Some((original, copy)) => put_copied(out, &mut copies, part, (original, copy), kinds),
        }
    }
    for (name, json) in copies {
        out.put_json(&name, &json);
    }
}

/// Puts down a member that alerts have a copy of, and notes the copy.
fn put_copied(
    out: &mut Members,
    copies: &mut Vec<(String, String)>,
    part: Part<'_>,
    (original, copy): (&str, &str),
    kinds: &FieldKinds,
) {
    let mut allowed = String::from("{");
    if !put_allowed_member(&mut allowed, part, Some(kinds.root())) {
        return;
    }
    allowed.push('}');
    let allowed = Document::read(allowed.as_bytes());
    for part in allowed.members() {
        let rest = &part.raw_key()[original.len()..];
        // `event` itself must be an object to have copies.
        if !rest.is_empty() || part.kind() == PartKind::Object {
            note_copies(copies, &mut format!("{copy}{rest}"), part);
        }
        put_without_kind(out, part);
    }
}

/// Notes the fields of a value by their dotted names; of two with the same name the later stays.
fn note_copies(copies: &mut Vec<(String, String)>, name: &mut String, part: Part<'_>) {
    if part.kind() != PartKind::Object {
        let json = part.json().to_owned();
        match copies.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => *known = json,
            None => copies.push((name.clone(), json)),
        }
        return;
    }
    for part in part.parts() {
        let length = name.len();
        name.push('.');
        name.push_str(part.raw_key());
        note_copies(copies, name, part);
        name.truncate(length);
    }
}

/// Puts down a member without `event.kind`, however it is written; an `event` with nothing else goes too.
fn put_without_kind(out: &mut Members, part: Part<'_>) {
    let (event, kind) = EVENT_KIND;
    let key = part.raw_key();
    if key.split_once('.') == Some((event, kind)) {
        return;
    }
    if key != event || part.kind() != PartKind::Object {
        out.put_entry(part.entry());
        return;
    }
    let others = || part.parts().filter(|part| part.raw_key() != kind);
    if others().next().is_some() {
        let entries: Vec<_> = others().map(Part::entry).collect();
        out.put_json(event, &format!("{{{}}}", entries.join(",")));
    }
}

/// Puts down what ECS allows of a member; false, and nothing, where it allows nothing of it. The place is that of the
/// object that has the member.
fn put_allowed_member(out: &mut String, part: Part<'_>, above: Option<Place<'_>>) -> bool {
    let Ok(place) = place_of(part.raw_key(), above) else { return false };
    let before = out.len();
    separate(out);
    let Some(place) = place else {
        out.push_str(part.entry());
        return true;
    };
    let key = part.entry().len() - part.json().len();
    out.push_str(&part.entry()[..key]);
    let kept = put_allowed(out, part, place);
    if !kept {
        out.truncate(before);
    }
    kept
}

/// A dotted key reaches through a field that holds a value.
struct ThroughValue;

/// The place that a key leads to, if ECS has one. None of the fields that a dotted key reaches through may hold a value.
fn place_of<'a>(key: &str, above: Option<Place<'a>>) -> Result<Option<Place<'a>>, ThroughValue> {
    let mut place = above;
    let mut through = None;
    for segment in key.as_bytes().split(|byte| *byte == b'.') {
        if through.is_some_and(FieldKind::holds_value) {
            return Err(ThroughValue);
        }
        place = place.and_then(|place| place.child(segment));
        through = place.and_then(Place::kind);
    }
    Ok(place)
}

fn put_allowed(out: &mut String, part: Part<'_>, place: Place<'_>) -> bool {
    match part.kind() {
        PartKind::Array => put_items(out, part, ('[', ']'), |out, item| {
            let before = out.len();
            separate(out);
            let kept = put_allowed(out, item, place);
            if !kept {
                out.truncate(before);
            }
            kept
        }),
        PartKind::Object => match place.kind() {
            Some(FieldKind::Unchecked) => {
                out.push_str(part.json());
                true
            }
            Some(kind) if kind.holds_value() => false,
            _ => put_items(out, part, ('{', '}'), |out, member| put_allowed_member(out, member, Some(place))),
        },
        _ => {
            let fits = place.kind().is_none_or(|kind| scalar_fits(kind, part));
            if fits {
                out.push_str(part.json());
            }
            fits
        }
    }
}

/// Puts down those parts that are kept; false where there are parts and none is.
fn put_items(
    out: &mut String,
    part: Part<'_>,
    (open, close): (char, char),
    mut put: impl FnMut(&mut String, Part<'_>) -> bool,
) -> bool {
    out.push(open);
    let (mut any, mut kept) = (false, false);
    for part in part.parts() {
        any = true;
        kept |= put(out, part);
    }
    out.push(close);
    kept || !any
}

fn scalar_fits(kind: FieldKind, part: Part<'_>) -> bool {
    if part.kind() == PartKind::Null {
        return true;
    }
    let text_is = |fits: &dyn Fn(&str) -> bool| part.text().is_some_and(|text| fits(&text));
    match kind {
        FieldKind::Text | FieldKind::Unchecked => true,
        FieldKind::Object | FieldKind::Nested => false,
        FieldKind::Ip => text_is(&|text| text.parse::<IpAddr>().is_ok()),
        FieldKind::Date => part.kind() == PartKind::Number || text_is(&|text| milliseconds(text).is_some()),
        FieldKind::Boolean => {
            part.kind() == PartKind::Boolean || text_is(&|text| matches!(text, "true" | "false" | ""))
        }
        FieldKind::Long => number_of(part).is_some_and(|number| number.abs() < 9.3e18),
        FieldKind::Float => number_of(part).is_some(),
    }
}

/// A number, or a text that is one: Elasticsearch takes both.
fn number_of(part: Part<'_>) -> Option<f64> {
    let number = match part.kind() {
        PartKind::Number => part.json().parse(),
        _ => part.text()?.parse(),
    };
    number.ok().filter(|number: &f64| number.is_finite())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::needless_pass_by_value, reason = "`json!` values as arguments make tables readable")]

    use serde_json::{Value, json};

    use super::*;

    fn ecs() -> FieldKinds {
        FieldKinds::new([
            ("agent.name", FieldKind::Text),
            ("event.kind", FieldKind::Text),
            ("source.ip", FieldKind::Ip),
            ("source.port", FieldKind::Long),
            ("event.created", FieldKind::Date),
            ("event.risk_score", FieldKind::Float),
            ("process.interactive", FieldKind::Boolean),
            ("source.geo.location", FieldKind::Unchecked),
            ("email.attachments", FieldKind::Nested),
        ])
    }

    fn fit_for_alert(source: &Value) -> Value {
        let (text, mut out) = (source.to_string(), Members::default());
        put_fit_for_alert(&mut out, &Document::read(text.as_bytes()), &ecs());
        Value::Object(out.parsed())
    }

    #[test]
    fn what_ecs_does_not_allow_is_dropped() {
        let check = |source: Value, expected: Value| {
            assert_eq!(fit_for_alert(&source), expected, "{source}");
        };
        check(
            json!({"kibana": {"a": 1}, "kibana.alert.uuid": "x", "signal": {}, "threshold_result": 1, "a": 1}),
            json!({"a": 1}),
        );
        check(json!({"agent": "x"}), json!({}));
        check(json!({"agent": {"name": {"x": 1}, "id": 7}}), json!({"agent": {"id": 7}}));
        check(json!({"agent": {"name": {"x": 1}}}), json!({}));
        check(json!({"agent.name.x": 1, "agent.name": "n"}), json!({"agent.name": "n"}));
        check(
            json!({"source": {"ip": ["1.2.3.4", "x", "::1"], "port": ["a"]}}),
            json!({"source": {"ip": ["1.2.3.4", "::1"]}}),
        );
        check(json!({"source": {"port": "80"}}), json!({"source": {"port": "80"}}));
        check(
            json!({"source": {"geo": {"location": {"lat": 1}}}}),
            json!({"source": {"geo": {"location": {"lat": 1}}}}),
        );
        check(json!({"process": {"interactive": "yes", "own": {}}}), json!({"process": {"own": {}}}));
        check(
            json!({"email": {"attachments": ["x", {"file": 1}]}}),
            json!({"email": {"attachments": [{"file": 1}]}}),
        );
        check(json!({"own": {"deep": [[1]]}, "tags": []}), json!({"own": {"deep": [[1]]}, "tags": []}));
    }

    #[test]
    fn event_and_data_stream_are_copied() {
        let source = json!({
            "event": {"kind": "event", "category": ["process"], "created": "never"},
            "event.action": "start", "data_stream": {"type": "logs"},
        });
        let expected = json!({
            "event": {"category": ["process"]}, "event.action": "start", "data_stream": {"type": "logs"},
            "kibana.alert.original_event.kind": "event",
            "kibana.alert.original_event.category": ["process"],
            "kibana.alert.original_event.action": "start",
            "kibana.alert.original_data_stream.type": "logs",
        });
        assert_eq!(fit_for_alert(&source), expected);
    }
}
