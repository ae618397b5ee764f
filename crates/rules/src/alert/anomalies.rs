//! Records of anomalies as events: what they are about, in the fields that events have it in (specification 5.5).

use maxspan_event::{Document, Part};
use serde_json::{Map, Value};

use super::SourceEvent;
use super::time::{iso, milliseconds_of};

/// The record with its time and the fields that influenced it in their places, as JSON.
pub(super) fn as_event(record: &SourceEvent<'_>) -> Option<String> {
    let Value::Object(mut members) = record.source.as_ref()?.to_value() else { return None };
    let fields = influences(record.source.as_ref()?);
    for (name, _) in &fields {
        members.shift_remove(name);
    }
    for (name, values) in fields {
        put_nested(&mut members, &name, values);
    }
    if let Some(time) = record.field("timestamp").as_ref().and_then(milliseconds_of) {
        members.insert("@timestamp".to_owned(), iso(time).into());
    }
    Some(Value::Object(members).to_string())
}

/// The fields that influenced a record, and the one that it is grouped by, with their values.
fn influences(record: &Document<'_>) -> Vec<(String, Value)> {
    let influencers = record.get("influencers").map(Part::to_value);
    let mut fields: Vec<(String, Value)> = Vec::new();
    for influencer in influencers.iter().filter_map(Value::as_array).flatten() {
        let name = influencer.get("influencer_field_name").and_then(Value::as_str);
        if let (Some(name), Some(values)) = (name, influencer.get("influencer_field_values")) {
            fields.push((name.to_owned(), values.clone()));
        }
    }
    let text = |name: &str| record.get(name).and_then(Part::text).filter(|text| !text.is_empty());
    if let (Some(name), Some(value)) = (text("by_field_name"), text("by_field_value")) {
        fields.push((name.into_owned(), vec![value.into_owned()].into()));
    }
    fields
}

/// Puts a value at a path; what is in the way and no object gives way.
fn put_nested(members: &mut Map<String, Value>, path: &str, value: Value) {
    let mut names = path.split('.');
    let last = names.next_back().unwrap_or(path);
    let mut inner = members;
    for name in names {
        let next = inner.entry(name).or_insert_with(|| Map::new().into());
        if !next.is_object() {
            *next = Map::new().into();
        }
        let Value::Object(next) = next else { return };
        inner = next;
    }
    inner.insert(last.to_owned(), value);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn influencers_become_fields() {
        let check = |source: Value, expected: Value| {
            let source = source.to_string();
            let source = Some(Document::read(source.as_bytes()));
            let record = SourceEvent { index: "i".into(), id: "e".into(), source };
            let found: Value = serde_json::from_str(&as_event(&record).unwrap()).unwrap();
            assert_eq!(found, expected);
        };
        let influencers = json!([{"influencer_field_name": "host.name", "influencer_field_values": ["a"]},
            {"influencer_field_name": "user.name", "influencer_field_values": ["x", "y"]}]);
        check(
            json!({"timestamp": 1_704_103_200_000_i64, "host.name": ["a"], "influencers": influencers}),
            json!({"timestamp": 1_704_103_200_000_i64, "influencers": influencers, "host": {"name": ["a"]},
                   "user": {"name": ["x", "y"]}, "@timestamp": "2024-01-01T10:00:00.000Z"}),
        );
        check(
            json!({"by_field_name": "process.name", "by_field_value": "sh", "process": "x"}),
            json!({"by_field_name": "process.name", "by_field_value": "sh", "process": {"name": ["sh"]}}),
        );
        check(json!({"a": 1, "influencers": "x"}), json!({"a": 1, "influencers": "x"}));
    }
}
