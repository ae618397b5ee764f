//! An event's document as places in its text: what alerts, results and ids are made from without building a tree.
//!
//! The text is JSON without white space between its tokens, without a key twice in an object, and with no more escapes in
//! keys than JSON needs; a document that is written otherwise is rewritten first. Values keep the letters they came in.
//! Top-level keys that begin with `_` are bookkeeping and not part of the document.

mod read;

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::Value;

use crate::decode::unescape::unescaped;
use crate::identity::without_white_space;
use crate::{repair, slots::Span};

/// A document of which every part can be reached.
///
/// ```
/// use maxspan_event::Document;
/// let document = Document::read(br#"{"_id": "1", "host": {"name": "a"}, "process.pid": 7.0}"#);
/// assert_eq!(document.get("host.name").unwrap().text().unwrap(), "a");
/// assert_eq!(document.get("process.pid").unwrap().json(), "7.0");
/// assert_eq!(document.to_json(), r#"{"host":{"name":"a"},"process.pid":7.0}"#);
/// ```
#[derive(Debug, Clone)]
pub struct Document<'a> {
    text: Cow<'a, str>,
    /// The members and all that is in them, in the order of the text.
    nodes: Vec<Node>,
}

/// What kind of value a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartKind {
    /// Members with keys.
    Object,
    /// Elements without.
    Array,
    /// A text.
    Text,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// `null`
    Null,
}

/// A value, with the key of a member.
#[derive(Debug, Clone, Copy)]
struct Node {
    /// Between the quotes; empty for elements.
    key: Span,
    /// With quotes or brackets.
    value: Span,
    /// How many nodes it is, those inside included.
    size: u32,
    kind: PartKind,
    is_key_escaped: bool,
    is_escaped: bool,
}

impl<'a> Document<'a> {
    /// Reads JSON bytes, mended where that is needed ([`repair`]). What cannot be read as an object, since it is damaged or
    /// nested too deeply, becomes the text of `event.original`.
    pub fn read(source: &'a [u8]) -> Self {
        let source = source.trim_ascii();
        let quick = std::str::from_utf8(source).map(|text| read::nodes(text).map(|nodes| (text, nodes)));
        match quick {
            Ok(Ok((text, nodes))) => Self { text: Cow::Borrowed(text), nodes },
            Ok(Err(read::Refusal::Spaced)) => {
                let compact = String::from_utf8(without_white_space(source)).ok();
                compact.and_then(Self::of_text).unwrap_or_else(|| Self::rewritten(source))
            }
            _ => Self::rewritten(source),
        }
    }

    /// A document of JSON text that is as it must be.
    fn of_text(text: String) -> Option<Self> {
        let nodes = read::nodes(&text).ok()?;
        Some(Self { text: Cow::Owned(text), nodes })
    }

    /// The long way, by a tree.
    fn rewritten(source: &[u8]) -> Self {
        let whole = repair::parse(source).filter(Value::is_object);
        whole.and_then(|whole| Self::of_text(whole.to_string())).unwrap_or_else(|| Self::original(source))
    }

    fn original(source: &[u8]) -> Self {
        let text = String::from_utf8_lossy(source);
        let whole = serde_json::json!({"event": {"original": text}});
        // Only the length can be in the way: more than the places can count.
        Self::of_text(whole.to_string()).unwrap_or(Self { text: Cow::Borrowed("{}"), nodes: Vec::new() })
    }

    /// The top-level members.
    pub fn members(&self) -> Parts<'_> {
        Parts { text: &self.text, nodes: &self.nodes }
    }

    /// The value of a field: `{"a": {"b": 1}}`, `{"a.b": 1}` and every mixture have `a.b`.
    ///
    /// Where a document has a field twice, the longer key wins. Lists are not stepped into, nor are objects under keys with
    /// escapes: names of fields have none.
    pub fn get(&self, field: &str) -> Option<Part<'_>> {
        self.members().get(field)
    }

    /// The document with a text in `host.os.type`: in the objects `host` and `os` where they are there.
    pub fn with_host_os(&self, os: &str) -> Document<'static> {
        let inner = self.members().member("host").and_then(|host| host.parts().member("os"));
        let text = match inner.filter(|inner| inner.kind() == PartKind::Object) {
            Some(inner) => {
                let Span { start, end } = inner.nodes[0].value;
                let (before, after) = (&self.text[..start as usize], &self.text[end as usize..]);
                format!("{before}{}{after}", with_text(inner.parts(), "type", os))
            }
            None => with_text(self.members(), "host.os.type", os),
        };
        Document::of_text(text).unwrap_or_else(|| self.clone().into_owned())
    }

    /// Bytes of the text it was read from.
    pub fn text_len(&self) -> usize {
        self.text.len()
    }

    /// The same, holding its text itself.
    pub fn into_owned(self) -> Document<'static> {
        Document { text: self.text.into_owned().into(), nodes: self.nodes }
    }

    /// The document as JSON.
    pub fn to_json(&self) -> String {
        object(self.members().map(Part::entry))
    }

    /// The document as a tree.
    pub fn to_value(&self) -> Value {
        Value::Object(self.members().map(|part| (part.key().into_owned(), part.to_value())).collect())
    }
}

/// A value in a document.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a> {
    text: &'a str,
    /// Itself, and what is in it.
    nodes: &'a [Node],
}

impl<'a> Part<'a> {
    /// What it is.
    pub fn kind(self) -> PartKind {
        self.nodes[0].kind
    }

    /// Its JSON.
    pub fn json(self) -> &'a str {
        self.nodes[0].value.of(self.text)
    }

    /// The key of a member as it is written, between its quotes; empty for an element.
    pub fn raw_key(self) -> &'a str {
        self.nodes[0].key.of(self.text)
    }

    /// The key of a member; empty for an element.
    pub fn key(self) -> Cow<'a, str> {
        plain(self.raw_key(), self.nodes[0].is_key_escaped)
    }

    /// The order of two members by their keys.
    pub(crate) fn cmp_keys(self, other: Self) -> Ordering {
        if self.nodes[0].is_key_escaped || other.nodes[0].is_key_escaped {
            return self.key().cmp(&other.key());
        }
        self.raw_key().cmp(other.raw_key())
    }

    /// A member's key and value as JSON.
    pub fn entry(self) -> &'a str {
        let Node { key, value, .. } = self.nodes[0];
        &self.text[key.start().saturating_sub(1)..value.end()]
    }

    /// A text without its quotes and escapes; none for other values.
    pub fn text(self) -> Option<Cow<'a, str>> {
        let json = self.json();
        (self.kind() == PartKind::Text).then(|| plain(&json[1..json.len() - 1], self.nodes[0].is_escaped))
    }

    /// Whether a value that holds no others is written as `serde_json` writes it.
    pub(crate) fn is_as_written(self) -> bool {
        let json = self.json();
        match self.kind() {
            PartKind::Text => !self.nodes[0].is_escaped || read::is_as_written(&json[1..json.len() - 1]),
            PartKind::Number => {
                let digits = json.strip_prefix('-').unwrap_or(json);
                digits.len() <= 18 && digits.bytes().all(|byte| byte.is_ascii_digit()) && json != "-0"
            }
            _ => true,
        }
    }

    /// The members of an object, the elements of an array; nothing of other values.
    pub fn parts(self) -> Parts<'a> {
        Parts { text: self.text, nodes: &self.nodes[1..] }
    }

    /// The value as a tree.
    pub fn to_value(self) -> Value {
        serde_json::from_str(self.json()).unwrap_or_default()
    }
}

/// The JSON of an object with a text under a key, in place of what stands there.
fn with_text(members: Parts<'_>, key: &str, text: &str) -> String {
    let own = format!("\"{key}\":{}", Value::from(text));
    object(members.filter(|part| part.raw_key() != key).map(Part::entry).chain([own.as_str()]))
}

fn object<'a>(entries: impl Iterator<Item = &'a str>) -> String {
    format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
}

/// What JSON's text stands for. Escapes were checked when the document was read.
fn plain(text: &str, is_escaped: bool) -> Cow<'_, str> {
    if is_escaped { unescaped(text).unwrap_or_default().into() } else { text.into() }
}

/// Members or elements, one after the other.
#[derive(Debug, Clone)]
pub struct Parts<'a> {
    text: &'a str,
    nodes: &'a [Node],
}

impl<'a> Parts<'a> {
    /// The member with this key.
    pub fn member(mut self, key: &str) -> Option<Part<'a>> {
        self.find(|part| if part.nodes[0].is_key_escaped { part.key() == key } else { part.raw_key() == key })
    }

    /// The value of a field below; see [`Document::get`].
    pub fn get(self, field: &str) -> Option<Part<'a>> {
        let mut longest: Option<(usize, Part<'a>)> = None;
        for part in self {
            if part.nodes[0].is_key_escaped && part.key() == field {
                return Some(part);
            }
            let Some(rest) = field.strip_prefix(part.raw_key()) else { continue };
            if rest.is_empty() {
                return Some(part);
            }
            let Some(rest) = rest.strip_prefix('.') else { continue };
            let is_longer = longest.is_none_or(|(longest, _)| longest < part.raw_key().len());
            if part.kind() == PartKind::Object
                && is_longer
                && let Some(found) = part.parts().get(rest)
            {
                longest = Some((part.raw_key().len(), found));
            }
        }
        longest.map(|(_, part)| part)
    }
}

impl<'a> Iterator for Parts<'a> {
    type Item = Part<'a>;

    fn next(&mut self) -> Option<Part<'a>> {
        let size = self.nodes.first()?.size as usize;
        let (nodes, rest) = self.nodes.split_at(size);
        self.nodes = rest;
        Some(Part { text: self.text, nodes })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::identity::content_id;

    #[test]
    fn documents_are_rewritten_where_they_have_to_be() {
        let check = |source: &str, expected: &str| {
            assert_eq!(Document::read(source.as_bytes()).to_json(), expected, "{source}");
        };
        check(r#"{"a":1.50,"b":{"c":[1e3,{}]}}"#, r#"{"a":1.50,"b":{"c":[1e3,{}]}}"#);
        check(" { \"a\" : [ 1 , \" x \" ] }\n", r#"{"a":[1," x "]}"#);
        check(r#"{"a":1,"b":2,"a":3}"#, r#"{"a":3,"b":2}"#);
        check(r#"{"x":{"a":1,"a":{"b":2}}}"#, r#"{"x":{"a":{"b":2}}}"#);
        check(r#"{"\u0061":"\u0061","\"":"\/"}"#, r#"{"a":"a","\"":"/"}"#);
        check(r#"{"\"":"\/\u0061"}"#, r#"{"\"":"\/\u0061"}"#);
        check(r#"{"_id":{"a":[1]},"a":{"_b":1},"_c":2}"#, r#"{"a":{"_b":1}}"#);
        check(r#"{"a":"\ud800","b":1e400}"#, "{\"a\":\"\u{fffd}\",\"b\":\"1e400\"}");
        check("{}", "{}");
        check(r#"{"a":"#, r#"{"event":{"original":"{\"a\":"}}"#);
        check("[1]", r#"{"event":{"original":"[1]"}}"#);
        check(r#"{"a":01}"#, r#"{"event":{"original":"{\"a\":01}"}}"#);
        check(r#"{"a":1,}"#, r#"{"event":{"original":"{\"a\":1,}"}}"#);
        let deep = |levels: usize| format!(r#"{{"a":{}{}}}"#, "[".repeat(levels), "]".repeat(levels));
        check(&deep(126), &deep(126));
        check(&deep(127), &format!(r#"{{"event":{{"original":{}}}}}"#, json!(deep(127))));
    }

    #[test]
    fn fields_are_found_however_they_are_written() {
        let check = |document: Value, field: &str, expected: Option<Value>| {
            let text = document.to_string();
            let document = Document::read(text.as_bytes());
            assert_eq!(document.get(field).map(Part::to_value), expected, "{text} {field}");
        };
        check(json!({"a": {"b": {"c": 1}}}), "a.b.c", Some(json!(1)));
        check(json!({"a.b.c": 1}), "a.b.c", Some(json!(1)));
        check(json!({"a.b": {"c": 1}}), "a.b.c", Some(json!(1)));
        check(json!({"a": {"b.c": 1}}), "a.b.c", Some(json!(1)));
        check(json!({"a": {"x": 0}, "a.b": {"c": 1}}), "a.b.c", Some(json!(1)));
        check(json!({"a": {"b": {"c": 0}}, "a.b": {"c": 1}}), "a.b.c", Some(json!(1)));
        check(json!({"a.b": {"c": 1}, "a": {"b": {"c": 0}}}), "a.b.c", Some(json!(1)));
        check(json!({"a.b": {"x": 0}, "a": {"b": {"c": 1}}}), "a.b.c", Some(json!(1)));
        check(json!({"a": {"b": 1}, "a.b": 2}), "a.b", Some(json!(2)));
        check(json!({"a": {"\"": 3}}), "a.\"", Some(json!(3)));
        check(json!({"a": 1}), "a.b", None);
        check(json!({"a": [{"b": 1}]}), "a.b", None);
    }

    #[test]
    fn a_derived_system_is_written_in() {
        let check = |source: &str, expected: &str| {
            assert_eq!(Document::read(source.as_bytes()).with_host_os("macos").to_json(), expected);
        };
        check(
            r#"{"_src": "x", "host": {"os": {"family": "darwin"}}, "a": 1}"#,
            r#"{"host":{"os":{"family":"darwin","type":"macos"}},"a":1}"#,
        );
        check(r#"{"host":{"os":{}}}"#, r#"{"host":{"os":{"type":"macos"}}}"#);
        check(r#"{"host":{"os":{"type":null}}}"#, r#"{"host":{"os":{"type":"macos"}}}"#);
        check(r#"{"host":{"os":"darwin"}}"#, r#"{"host":{"os":"darwin"},"host.os.type":"macos"}"#);
        check(r#"{"host.os.family":"darwin"}"#, r#"{"host.os.family":"darwin","host.os.type":"macos"}"#);
        check("{}", r#"{"host.os.type":"macos"}"#);
    }

    /// Any JSON value; keys are few, so that they meet.
    fn value() -> impl Strategy<Value = Value> {
        let scalar = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "[ -~\u{0}-\u{20}\u{7f}-\u{20ff}\u{1f600}]{0,8}".prop_map(Value::from),
        ];
        let key = || prop_oneof!["[ab_.]{0,3}", "[\"\\\\\n\u{1}é]{0,2}"];
        scalar.prop_recursive(4, 32, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((key(), inner), 0..6).prop_map(|members| members.into_iter().collect()),
            ]
        })
    }

    /// The document of the tree, by `serde_json` alone.
    fn content(value: &Value) -> Value {
        let members = value.as_object().unwrap().iter().filter(|(key, _)| !key.starts_with('_'));
        Value::Object(members.map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    fn sorted(value: &Value) -> Value {
        match value {
            Value::Object(members) => {
                let mut members: Vec<_> =
                    members.iter().map(|(key, value)| (key.clone(), sorted(value))).collect();
                members.sort_by(|one, other| other.0.cmp(&one.0));
                members.into_iter().collect()
            }
            Value::Array(values) => values.iter().map(sorted).collect(),
            scalar => scalar.clone(),
        }
    }

    proptest! {
        #[test]
        fn a_document_is_what_the_parser_says(members in prop::collection::vec(("[ab_]{1,2}", value()), 0..6)) {
            let value: Value = members.into_iter().collect();
            let (compact, spaced) = (value.to_string(), serde_json::to_string_pretty(&value).unwrap());
            let (one, other) = (Document::read(compact.as_bytes()), Document::read(spaced.as_bytes()));
            prop_assert_eq!(one.to_value(), content(&value));
            prop_assert_eq!(one.to_json(), other.to_json());
            let turned = sorted(&value).to_string();
            prop_assert_eq!(content_id(&one, 0), content_id(&Document::read(turned.as_bytes()), 0));
        }

        #[test]
        fn any_bytes_are_a_document(source in prop::collection::vec(any::<u8>(), 0..64)) {
            let document = Document::read(&source);
            prop_assert!(serde_json::from_str::<Value>(&document.to_json()).is_ok());
        }

        #[test]
        fn any_tokens_are_a_document(source in r#"\{("a":|"b":|\{|\}|\[|\]|,|1|-|\.|"|\\|u00|d8| |true){0,16}"#) {
            let parsed = serde_json::from_str::<Value>(&source).ok().filter(Value::is_object);
            let document = Document::read(source.as_bytes());
            match parsed {
                Some(parsed) => prop_assert_eq!(document.to_value(), content(&parsed)),
                None => prop_assert!(document.get("event.original").is_some() || repair::parse(source.as_bytes()).is_some()),
            }
        }
    }
}
