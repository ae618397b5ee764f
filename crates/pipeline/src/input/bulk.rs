//! The action lines of `_bulk` request bodies.
//!
//! `{"index":{"_index":"x","_id":"1"}}` and `{"create":{…}}` name the place of the document on the next line.
//! `{"update":{…}}` is followed by a partial document, `{"delete":{…}}` by nothing: neither is an event, so both are
//! reported and skipped. An object counts as an action where it has the one key, and under it nothing but the
//! parameters of an action, so that an event which happens to start with `index` stays one.

use serde_json::{Map, Value};

use crate::limits::ACTION_BYTES_MAX;

/// What is asked to be done with a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action {
    /// `index` or `create`: the next document is an event.
    Store {
        index: Option<String>,
        id: Option<String>,
    },
    /// The next document is a part of an event that is elsewhere.
    Update,
    Delete,
    /// Shaped like an action, of a name that Elasticsearch does not know.
    Unknown(String),
}

/// Parameters of an action.
const PARAMETERS: [&str; 15] = [
    "_index",
    "_id",
    "_type",
    "_version",
    "_version_type",
    "version",
    "version_type",
    "routing",
    "_routing",
    "if_seq_no",
    "if_primary_term",
    "require_alias",
    "require_data_stream",
    "dynamic_templates",
    "pipeline",
];

/// More parameters, of `update` alone.
const UPDATE_PARAMETERS: [&str; 3] = ["retry_on_conflict", "_source", "list_executed_pipelines"];

/// The action that `document` is, if it is one.
pub(super) fn action(document: &[u8]) -> Option<Action> {
    if document.len() > ACTION_BYTES_MAX {
        return None;
    }
    let Ok(Value::Object(object)) = serde_json::from_slice(document) else { return None };
    let (name, Value::Object(parameters)) = object.iter().next()? else { return None };
    let known = |key: &String| {
        let key = key.as_str();
        PARAMETERS.contains(&key) || (name == "update" && UPDATE_PARAMETERS.contains(&key))
    };
    if object.len() != 1 || !parameters.keys().all(known) {
        return None;
    }
    Some(match name.as_str() {
        "index" | "create" => {
            Action::Store { index: text(parameters, "_index"), id: text(parameters, "_id") }
        }
        "update" => Action::Update,
        "delete" => Action::Delete,
        // An event may well have one key with an empty object; an action of any use says where.
        _ if parameters.contains_key("_index") || parameters.contains_key("_id") => {
            Action::Unknown(name.clone())
        }
        _ => return None,
    })
}

/// Elasticsearch takes a number for an `_id`, and keeps it as text.
fn text(parameters: &Map<String, Value>, key: &str) -> Option<String> {
    match parameters.get(key)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(document: &str, expected: Option<&Action>) {
        assert_eq!(action(document.as_bytes()).as_ref(), expected, "{document}");
    }

    #[test]
    fn actions_are_told_from_events() {
        let store = |index: Option<&str>, id: Option<&str>| Action::Store {
            index: index.map(str::to_owned),
            id: id.map(str::to_owned),
        };
        check(r#"{"index":{"_index":"x","_id":"1"}}"#, Some(&store(Some("x"), Some("1"))));
        check(r#"{ "create" : { "_index" : "x", "require_alias":true } }"#, Some(&store(Some("x"), None)));
        check(r#"{"index":{"_id":7,"_type":null}}"#, Some(&store(None, Some("7"))));
        check(r#"{"index":{}}"#, Some(&store(None, None)));
        check(r#"{"update":{"_id":"1","retry_on_conflict":3}}"#, Some(&Action::Update));
        check(r#"{"delete":{"_id":"1"}}"#, Some(&Action::Delete));
        check(r#"{"upsert":{"_id":"1"}}"#, Some(&Action::Unknown("upsert".into())));
    }

    #[test]
    fn events_stay_events() {
        check(r#"{"index":{"name":"x"}}"#, None);
        check(r#"{"index":{},"a":1}"#, None);
        check(r#"{"index":"x"}"#, None);
        check(r#"{"process":{}}"#, None);
        check("{}", None);
        check("{", None);
    }
}
