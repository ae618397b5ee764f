//! Where an alert came from: its events, and the alerts among them (specification 3.4).

use serde_json::{Value, json};

use super::SourceEvent;
use super::source::scalars;

/// One ancestor of an alert.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ancestor {
    /// Id of the document.
    pub(crate) id: String,
    /// Its index; empty for the building blocks of a shell.
    pub(crate) index: String,
    /// 0 for an event, else the alert's depth.
    pub(crate) depth: u64,
    /// Whether it is an alert.
    pub(crate) is_alert: bool,
    /// Of an alert, the uuid of its rule.
    pub(crate) rule: Option<String>,
}

impl Ancestor {
    pub(crate) fn to_json(&self) -> Value {
        let kind = if self.is_alert { "signal" } else { "event" };
        let mut value = json!({"id": self.id, "type": kind, "index": self.index, "depth": self.depth});
        if let Some(rule) = &self.rule {
            value["rule"] = json!(rule);
        }
        value
    }

    /// An ancestor as an alert has it. Without an id it still counts: its rule must be known.
    fn from_json(value: &Value) -> Option<Self> {
        value.as_object()?;
        let text = |name: &str| value.get(name).and_then(first_text);
        Some(Self {
            id: text("id").unwrap_or_default(),
            index: text("index").unwrap_or_default(),
            depth: value.get("depth").and_then(first_number).unwrap_or(0),
            is_alert: text("type").as_deref() == Some("signal"),
            rule: text("rule"),
        })
    }
}

/// The event itself and, where it is an alert, what that came from; the event is last.
pub(crate) fn ancestors(event: &SourceEvent<'_>) -> Vec<Ancestor> {
    let earlier = event.field("kibana.alert.ancestors");
    let earlier = match &earlier {
        Some(Value::Array(earlier)) => earlier.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    let mut all: Vec<_> = earlier.iter().filter_map(Ancestor::from_json).collect();
    all.push(parent(event));
    all
}

fn parent(event: &SourceEvent<'_>) -> Ancestor {
    let has = |field: &str| event.source.as_ref().is_some_and(|source| source.get(field).is_some());
    let is_alert = has("kibana.alert.uuid") || has("signal");
    let number = |field: &str| event.field(field).as_ref().and_then(first_number);
    let text = |field: &str| event.field(field).as_ref().and_then(first_text);
    Ancestor {
        id: event.id.clone(),
        index: event.index.to_string(),
        depth: if is_alert { number("kibana.alert.depth").unwrap_or(1) } else { 0 },
        is_alert,
        rule: if is_alert { text("kibana.alert.rule.uuid") } else { None },
    }
}

/// A text; of a list, as searches give their fields, the first.
fn first_text(value: &Value) -> Option<String> {
    scalars(value).first()?.as_str().map(str::to_owned)
}

fn first_number(value: &Value) -> Option<u64> {
    scalars(value).first()?.as_u64()
}

/// Whether an ancestor is an alert of the rule: then a further alert would feed itself.
pub(crate) fn has_rule(ancestors: &[Ancestor], rule_uuid: &str) -> bool {
    ancestors.iter().any(|ancestor| ancestor.rule.as_deref() == Some(rule_uuid))
}

/// The depth of an alert with these direct parents.
pub(crate) fn depth_above(parents: &[u64]) -> u64 {
    parents.iter().max().map_or(1, |depth| depth + 1)
}

#[cfg(test)]
mod tests {
    use maxspan_event::Document;
    use serde_json::json;

    use super::*;

    #[test]
    fn events_and_alerts_are_told_apart() {
        let check = |source: Value, expected: Value| {
            let source = source.to_string();
            let source = Some(Document::read(source.as_bytes()));
            let event = SourceEvent { index: "i".into(), id: "e".into(), source };
            let found: Vec<_> = ancestors(&event).iter().map(Ancestor::to_json).collect();
            assert_eq!(Value::Array(found), expected);
        };
        check(json!({}), json!([{"id": "e", "type": "event", "index": "i", "depth": 0}]));
        let first = json!({"id": "x", "type": "event", "index": "y", "depth": 0});
        check(
            json!({"kibana.alert.uuid": "e", "kibana.alert.depth": 2, "kibana.alert.rule.uuid": "r",
                   "kibana.alert.ancestors": [first]}),
            json!([first, {"id": "e", "type": "signal", "index": "i", "depth": 2, "rule": "r"}]),
        );
        check(
            json!({"kibana": {"alert": {"uuid": "e"}}}),
            json!([{"id": "e", "type": "signal", "index": "i", "depth": 1}]),
        );
    }

    #[test]
    fn no_form_of_an_alert_hides_its_rules() {
        let check = |alert: Value, expected: bool| {
            let source = json!({"kibana": {"alert": alert}}).to_string();
            let source = Some(Document::read(source.as_bytes()));
            let event = SourceEvent { index: "".into(), id: String::new(), source };
            assert_eq!(has_rule(&ancestors(&event), "r"), expected, "{alert}");
        };
        check(json!({"uuid": "e", "rule": {"uuid": "r"}}), true);
        check(json!({"uuid": "e", "rule": {"uuid": ["r"]}}), true);
        check(json!({"uuid": "e", "rule": {"uuid": "s"}}), false);
        check(json!({"ancestors": [{"type": "signal", "rule": "r"}]}), true);
        check(json!({"ancestors": [{"id": 7, "rule": ["r"]}]}), true);
        check(json!({"ancestors": {"id": "x", "rule": "r"}}), true);
        check(json!({"ancestors": ["r"]}), false);
    }
}
