//! `JSON_EXTRACT`: a part of a JSON text.

use serde_json::value::RawValue;

use super::{Context, Function, PLAIN, required, text_of};
use crate::types::{DataType, TEXTS, Types};
use crate::value::{Value, ValueRef};
use crate::warning::Failure;

pub(super) static FUNCTIONS: &[Function] = &[Function {
    name: "JSON_EXTRACT",
    parameters: &[required("json", TEXTS.or(Types::of(&[DataType::Unsupported]))), required("path", TEXTS)],
    group: "String",
    summary: "What stands at a path (`a.b[0]['c d']`, with or without `$` before) of a JSON text. Objects and arrays come as JSON; JSON's null is null.",
    examples: &[
        (r#"JSON_EXTRACT("{\"a\": {\"b\": [1, 2]}}", "a.b[1]")"#, r#""2""#),
        (r#"JSON_EXTRACT("[\"x\"]", "$[0]")"#, r#""x""#),
    ],
    evaluate: extract,
    ..PLAIN
}];

/// A step of a path.
#[derive(Debug, PartialEq)]
enum Step {
    Key(String),
    Index(usize),
}

fn extract(_: &mut Context, a: &[ValueRef<'_>]) -> Result<Value, Failure> {
    let (json, path) = (text_of(a[0]), text_of(a[1]));
    let steps = parse_path(path)?;
    let mut part: &RawValue =
        serde_json::from_str(json).map_err(|_| Failure::argument("invalid JSON input"))?;
    for step in &steps {
        part = match step {
            Step::Key(key) => member(part, key)?.ok_or_else(|| missing(path))?,
            Step::Index(index) => element(part, *index).ok_or_else(|| missing(path))??,
        };
    }
    Ok(as_value(part.get()))
}

fn missing(path: &str) -> Failure {
    Failure::argument(format!("path [{path}] does not exist"))
}

/// A string without its quotes, null as null, all else as it stands in the text.
fn as_value(text: &str) -> Value {
    match text.as_bytes().first() {
        Some(b'"') => serde_json::from_str::<String>(text).map_or(Value::Null, Value::text),
        Some(b'n') => Value::Null,
        _ => Value::text(text),
    }
}

/// The first member of that name; duplicates are not looked at.
fn member<'a>(part: &'a RawValue, key: &str) -> Result<Option<&'a RawValue>, Failure> {
    if !part.get().starts_with('{') {
        return Ok(None);
    }
    let members: Members<'a> =
        serde_json::from_str(part.get()).map_err(|_| Failure::argument("invalid JSON input"))?;
    Ok(members.0.into_iter().find(|(name, _)| name == key).map(|(_, value)| value))
}

/// The element at an index; an error where the array is too short, none where there is no array.
fn element(part: &RawValue, index: usize) -> Option<Result<&RawValue, Failure>> {
    let elements: Vec<&RawValue> = serde_json::from_str(part.get()).ok()?;
    Some(elements.get(index).copied().ok_or_else(|| Failure::argument("array index out of bounds")))
}

/// The members of an object in their order, duplicates too.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> serde::Deserialize<'de> for Members<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor(std::marker::PhantomData))
    }
}

struct MembersVisitor<'a>(std::marker::PhantomData<&'a ()>);

impl<'de: 'a, 'a> serde::de::Visitor<'de> for MembersVisitor<'a> {
    type Value = Members<'a>;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Members<'a>, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry::<String, &'de RawValue>()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}

/// `a.b[0]['c']`, with or without `$` before.
fn parse_path(path: &str) -> Result<Vec<Step>, Failure> {
    let malformed = || Failure::argument(format!("invalid path [{path}]"));
    let mut rest = path.strip_prefix('$').unwrap_or(path);
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(bracket) = rest.strip_prefix('[') {
            let (step, after) = bracket_step(bracket).ok_or_else(malformed)?;
            steps.push(step);
            rest = after;
            continue;
        }
        if let Some(after) = rest.strip_prefix('.') {
            rest = after;
        } else if !steps.is_empty() {
            return Err(malformed());
        }
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        if end == 0 {
            return Err(malformed());
        }
        steps.push(Step::Key(rest[..end].to_owned()));
        rest = &rest[end..];
    }
    Ok(steps)
}

/// What stands after `[`, and the rest after `]`.
fn bracket_step(text: &str) -> Option<(Step, &str)> {
    if let Some(quote) = text.chars().next().filter(|c| *c == '\'' || *c == '"') {
        let (key, after) = text[1..].split_once(quote)?;
        return Some((Step::Key(key.to_owned()), after.strip_prefix(']')?));
    }
    let (index, after) = text.split_once(']')?;
    Some((Step::Index(index.trim().parse().ok()?), after))
}
