//! The members of a JSON object as they are written.

use serde::Serialize;
use serde_json::{Map, Value};

/// The text between an object's brackets, member by member. Whoever puts a member sees to it that its name is new.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Members(String);

impl Members {
    /// No members, and room for so many bytes.
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self(String::with_capacity(bytes))
    }

    /// The members of a map.
    pub(crate) fn of(map: &Map<String, Value>) -> Self {
        let mut members = Self::default();
        for (name, value) in map {
            let name = Value::from(name.as_str()).to_string();
            members.put_entry(&format!("{name}:{value}"));
        }
        members
    }

    /// The members as a map.
    pub(crate) fn parsed(&self) -> Map<String, Value> {
        // They were put together of JSON.
        serde_json::from_str(&format!("{{{}}}", self.0)).unwrap_or_default()
    }

    /// Puts a value under a name that needs no escapes.
    pub(crate) fn put(&mut self, name: &str, value: impl Serialize) {
        // What alerts are made of can be written.
        self.put_json(name, &serde_json::to_string(&value).unwrap_or_else(|_| "null".to_owned()));
    }

    /// Puts a text under a name that needs no escapes.
    pub(crate) fn put_text(&mut self, name: &str, text: &str) {
        if text.bytes().any(|byte| byte < b' ' || matches!(byte, b'"' | b'\\')) {
            return self.put(name, text);
        }
        self.put_json(name, "\"");
        self.0.push_str(text);
        self.0.push('"');
    }

    /// Puts a value's JSON under a name that is escaped where it needs to be.
    pub(crate) fn put_json(&mut self, name: &str, json: &str) {
        separate(&mut self.0);
        for part in ["\"", name, "\":", json] {
            self.0.push_str(part);
        }
    }

    /// Puts a member's JSON.
    pub(crate) fn put_entry(&mut self, entry: &str) {
        separate(&mut self.0);
        self.0.push_str(entry);
    }

    /// What is there so far, to write behind it.
    pub(crate) fn text(&mut self) -> &mut String {
        &mut self.0
    }

    /// The members, with commas between them.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Puts a comma behind a member or element, so that the next can follow.
pub(crate) fn separate(json: &mut String) {
    if !matches!(json.as_bytes().last(), None | Some(b'{' | b'[')) {
        json.push(',');
    }
}
