//! Alerts of indicator match rules: an event with the indicators that it has values of (specification 5.3).

use maxspan_event::{Document, Part};
use serde_json::{Map, Value, json};

use super::rule_fields::AlertingRule;
use super::source::scalars;
use super::{Alert, AlertContext, SourceEvent, event_alert};
use crate::document::{RuleParams, ThreatMappingEntry, ThreatMatchParams};

/// An indicator, and the group of the mapping by which the event has its values.
#[derive(Debug)]
pub struct MatchedIndicator<'a> {
    /// Its document.
    pub document: &'a SourceEvent<'a>,
    /// The group's place in the mapping.
    pub group: usize,
}

/// The alert of an event and its indicators, which come to the event's own enrichments; none by the recursion guard.
pub fn indicator_alert(
    rule: &AlertingRule<'_>,
    event: &SourceEvent<'_>,
    matched: &[MatchedIndicator<'_>],
    context: &AlertContext<'_>,
) -> Option<Alert> {
    let RuleParams::ThreatMatch(params) = &rule.document.params else { return None };
    let enrichments = matched.iter().flat_map(|one| enrichments(params, event, one)).collect();
    let enriched = enriched(event.source.as_ref()?, enrichments);
    let source = Document::read(enriched.as_bytes());
    let event = SourceEvent { index: event.index.clone(), id: event.id.clone(), source: Some(source) };
    event_alert(rule, &event, context)
}

/// An enrichment for each pair of the group.
fn enrichments(
    params: &ThreatMatchParams,
    event: &SourceEvent<'_>,
    matched: &MatchedIndicator<'_>,
) -> Vec<Value> {
    let Some(group) = params.threat_mapping.get(matched.group) else { return Vec::new() };
    let document = matched.document;
    let indicator = object_at(document, &params.threat_indicator_path);
    let feed = document.field("threat.feed.name");
    let pairs = group.entries.iter().filter(|entry| entry.negate != Some(true));
    let enrichment = |entry: &ThreatMappingEntry| {
        let mut enrichment = json!({"indicator": indicator});
        if let Some(name) = &feed {
            enrichment["feed"] = json!({"name": name});
        }
        enrichment["matched"] = json!({
            "atomic": common_value(event, document, entry),
            "field": entry.field,
            "id": document.id,
            "index": &*document.index,
            "type": "indicator_match_rule",
        });
        enrichment
    };
    pairs.map(enrichment).collect()
}

/// The value of the event's field that the indicator has too; the first one where they are written in different ways.
fn common_value(event: &SourceEvent<'_>, indicator: &SourceEvent<'_>, entry: &ThreatMappingEntry) -> Value {
    let (own, other) = (event.field(&entry.field), indicator.field(&entry.value));
    let own = own.as_ref().map(scalars).unwrap_or_default();
    let other: Vec<String> =
        other.as_ref().map(scalars).unwrap_or_default().into_iter().map(comparable).collect();
    let common = own.iter().find(|value| other.contains(&comparable(value)));
    common.or(own.first()).map_or(Value::Null, |value| (*value).clone())
}

/// A value as text without regard to case and to how addresses are written.
fn comparable(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    maxspan_event::parse_ip(&text).map_or_else(|| text.to_lowercase(), |ip| ip.to_string())
}

/// The object at a path, also where its members are written with dots; an empty one where there is none.
fn object_at(document: &SourceEvent<'_>, path: &str) -> Value {
    let found = match document.field(path) {
        Some(Value::Array(values)) => values.into_iter().next(),
        other => other,
    };
    if let Some(found @ Value::Object(_)) = found {
        return found;
    }
    let mut members = Map::new();
    for part in document.source.iter().flat_map(Document::members) {
        let name = part.key();
        if let Some(rest) = name.strip_prefix(path).and_then(|rest| rest.strip_prefix('.')) {
            members.insert(rest.to_owned(), part.to_value());
        }
    }
    Value::Object(members)
}

/// The document with enrichments behind its own.
fn enriched(document: &Document<'_>, more: Vec<Value>) -> String {
    let own = match document.get("threat.enrichments").map(Part::to_value) {
        Some(Value::Array(values)) => values,
        Some(value) => vec![value],
        None => Vec::new(),
    };
    let all: Vec<Value> = own.into_iter().chain(more).collect();
    let threat = document.members().member("threat").map(Part::to_value);
    let threat = match threat {
        Some(Value::Object(mut members)) => {
            members.insert("enrichments".to_owned(), Value::Array(all));
            Value::Object(members)
        }
        _ => json!({"enrichments": all}),
    };
    let others = document.members().filter(|part| !matches!(&*part.key(), "threat" | "threat.enrichments"));
    let mut entries: Vec<String> = others.map(|part| part.entry().to_owned()).collect();
    entries.push(format!("\"threat\":{threat}"));
    format!("{{{}}}", entries.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enrichments_come_behind_those_of_the_event() {
        let check = |source: Value, expected: Value| {
            let source = source.to_string();
            let text = enriched(&Document::read(source.as_bytes()), vec![json!(1)]);
            assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), expected);
        };
        check(json!({"a": 1}), json!({"a": 1, "threat": {"enrichments": [1]}}));
        check(
            json!({"threat": {"enrichments": [0], "x": 2}}),
            json!({"threat": {"enrichments": [0, 1], "x": 2}}),
        );
        check(
            json!({"threat.enrichments": {"y": 0}, "threat.x": 2}),
            json!({"threat.x": 2, "threat": {"enrichments": [{"y": 0}, 1]}}),
        );
        check(json!({"threat": "x"}), json!({"threat": {"enrichments": [1]}}));
    }

    #[test]
    fn indicators_are_found_however_they_are_written() {
        let check = |source: Value, expected: Value| {
            let source = source.to_string();
            let source = Some(Document::read(source.as_bytes()));
            let event = SourceEvent { index: "i".into(), id: "e".into(), source };
            assert_eq!(object_at(&event, "threat.indicator"), expected);
        };
        check(json!({"threat": {"indicator": {"ip": "192.0.2.1"}}}), json!({"ip": "192.0.2.1"}));
        check(json!({"threat.indicator.ip": "192.0.2.1"}), json!({"ip": "192.0.2.1"}));
        check(json!({"threat": {"indicator": [{"ip": "192.0.2.1"}]}}), json!({"ip": "192.0.2.1"}));
        check(json!({"threat": {"indicator": "x"}}), json!({}));
    }
}
