//! `decoders FILE`: megabytes a second of several JSON libraries over the same lines in memory: several rounds of one
//! pass each, so that what else the machine does falls on all of them. Time is what the thread spent on a core.
//!
//! A decoder that walks takes the fields of `fields.rs` from an event with nested objects and skips the rest. Dotted
//! keys, arrays of objects and types are left out: this says what a library allows, not what a whole decoder needs.

use anyhow::{Context, Result, anyhow};
use cpu_time::ThreadTime;
use jiter::{Jiter, JiterResult, Peek};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Value, json};
use sonic_rs::{JsonContainerTrait, JsonValueTrait, PointerTree};

use crate::ALLOCATOR_NAME;
use crate::fields::{self, FIELDS, Node};
use crate::tape::Counter;

const ROUNDS: usize = 5;

/// Reads one event, and says how much it found.
type Decode<'c> = Box<dyn FnMut(&[u8]) -> Result<u64> + 'c>;

/// Measures every decoder over the lines of the file.
pub(crate) fn run(path: &str) -> Result<Value> {
    let text = std::fs::read(path).with_context(|| path.to_owned())?;
    let lines: Vec<&[u8]> = lines(&text);
    let trie = fields::trie();
    let tree = pointer_tree();
    let mut decoders = decoders(&trie, &tree);
    let mut seconds = vec![Vec::new(); decoders.len()];
    let mut found = vec![0; decoders.len()];
    for _ in 0..ROUNDS {
        for (number, (name, decode)) in decoders.iter_mut().enumerate() {
            let started = ThreadTime::now();
            let mut count = 0;
            for line in &lines {
                count += decode(line).with_context(|| (*name).to_owned())?;
            }
            seconds[number].push(started.elapsed().as_secs_f64());
            found[number] = count;
        }
    }
    let report = |number: usize| {
        let mut speeds: Vec<f64> =
            seconds[number].iter().map(|seconds| text.len() as f64 / 1e6 / seconds).collect();
        speeds.sort_by(f64::total_cmp);
        json!({
            "decoder": decoders[number].0,
            "mb_per_second": speeds[ROUNDS / 2].round(),
            "lowest": speeds[0].round(),
            "highest": speeds[ROUNDS - 1].round(),
            "found": found[number],
        })
    };
    let rows: Vec<Value> = (0..decoders.len()).map(report).collect();
    Ok(json!({
        "allocator": ALLOCATOR_NAME,
        "avx2_at_build": cfg!(target_feature = "avx2"),
        "rounds": ROUNDS,
        "events": lines.len(),
        "bytes": text.len(),
        "decoders": rows,
    }))
}

fn lines(text: &[u8]) -> Vec<&[u8]> {
    let mut lines = Vec::new();
    let mut begin = 0;
    for end in memchr::memchr_iter(b'\n', text).chain([text.len()]) {
        lines.push(&text[begin..end]);
        begin = end + 1;
        if begin > text.len() {
            break;
        }
    }
    lines.retain(|line| !line.is_empty());
    lines
}

fn pointer_tree() -> PointerTree {
    let mut tree = PointerTree::new();
    for field in FIELDS {
        let keys: Vec<&str> = field.split('.').collect();
        tree.add_path(&keys);
    }
    tree
}

fn decoders<'c>(trie: &'c Node, tree: &'c PointerTree) -> Vec<(&'static str, Decode<'c>)> {
    let mut counter = Counter::default();
    let mut copy = Vec::new();
    vec![
        (
            "copy of the line only",
            Box::new(move |line| {
                copy.clear();
                copy.extend_from_slice(line);
                Ok(std::hint::black_box(&copy).len() as u64)
            }),
        ),
        ("serde_json Value", Box::new(|line| Ok(size(&serde_json::from_slice(line)?)))),
        (
            "serde_json IgnoredAny",
            Box::new(|line| Ok(u64::from(serde_json::from_slice(line).map(|IgnoredAny| true)?))),
        ),
        ("serde_json walk of 40 fields", Box::new(|line| walk_with_serde(trie, line))),
        ("sonic-rs Value", Box::new(|line| Ok(sonic_size(&sonic_rs::from_slice(line)?)))),
        ("sonic-rs get_many of 40 fields", Box::new(|line| sonic_many(line, tree))),
        ("sonic-rs lazy walk of 40 fields", Box::new(|line| sonic_walk(line, trie))),
        (
            "simd-json tape",
            Box::new(move |line| {
                let before = counter.nodes;
                counter.line(line)?;
                Ok(counter.nodes - before)
            }),
        ),
        (
            "jiter walk of 40 fields",
            Box::new(|line| {
                let mut jiter = Jiter::new(line);
                let count = jiter_walk(&mut jiter, trie).map_err(|error| anyhow!("{error:?}"))?;
                jiter.finish().map_err(|error| anyhow!("{error:?}"))?;
                Ok(count)
            }),
        ),
        (
            "jiter skip",
            Box::new(|line| {
                let mut jiter = Jiter::new(line);
                jiter.next_skip().map_err(|error| anyhow!("{error:?}"))?;
                Ok(1)
            }),
        ),
    ]
}

/// Members on top, so that the document is looked at.
fn size(value: &Value) -> u64 {
    value.as_object().map_or(0, |members| members.len() as u64)
}

fn sonic_size(value: &sonic_rs::Value) -> u64 {
    value.as_object().map_or(0, |members| members.len() as u64)
}

fn sonic_many(line: &[u8], tree: &PointerTree) -> Result<u64> {
    let values = sonic_rs::get_many(line, tree)?;
    let text = |value: &sonic_rs::LazyValue<'_>| value.as_raw_str().len() as u64;
    Ok(values.iter().flatten().filter(|value| text(value) > 0).count() as u64)
}

fn sonic_walk(json: &[u8], node: &Node) -> Result<u64> {
    let mut found = 0;
    for member in sonic_rs::to_object_iter(json) {
        let (key, value) = member?;
        let Some(child) = node.children.get(&*key) else { continue };
        if child.children.is_empty() {
            found += u64::from(!value.as_raw_str().is_empty());
        } else if value.is_object() {
            found += sonic_walk(value.as_raw_str().as_bytes(), child)?;
        }
    }
    Ok(found)
}

/// The walk that is possible with a pull parser: what no node of the trie wants is skipped.
fn jiter_walk(jiter: &mut Jiter<'_>, node: &Node) -> JiterResult<u64> {
    let mut found = 0;
    let mut key = jiter.next_object()?;
    while let Some(name) = key {
        let child = node.children.get(name);
        let peek = jiter.peek()?;
        match child {
            None => jiter.known_skip(peek)?,
            Some(field) if field.children.is_empty() => found += jiter_value(jiter, peek)?,
            Some(inner) if peek == Peek::Object => found += jiter_walk(jiter, inner)?,
            Some(_) => jiter.known_skip(peek)?,
        }
        key = jiter.next_key()?;
    }
    Ok(found)
}

/// The value of a field: a string is decoded, anything else is read as the library does.
fn jiter_value(jiter: &mut Jiter<'_>, peek: Peek) -> JiterResult<u64> {
    if peek == Peek::String {
        jiter.known_str()?;
    } else {
        jiter.known_value(peek)?;
    }
    Ok(1)
}

fn walk_with_serde(trie: &Node, line: &[u8]) -> Result<u64> {
    let mut deserializer = serde_json::Deserializer::from_slice(line);
    let found = Walk(trie).deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(found)
}

/// A place in the trie, which takes from a document what belongs there.
struct Walk<'t>(&'t Node);

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = u64;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<u64, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = u64;

    fn expecting(&self, text: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        text.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<u64, A::Error> {
        let mut found = 0;
        while let Some(child) = members.next_key_seed(Key(self.0))? {
            match child {
                Some(node) => found += members.next_value_seed(Walk(node))?,
                None => drop(members.next_value::<IgnoredAny>()?),
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<u64, A::Error> {
        while elements.next_element_seed(Walk(self.0))?.is_some() {}
        Ok(1)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<u64, E> {
        std::hint::black_box(text);
        Ok(1)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<u64, E> {
        Ok(1)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<u64, E> {
        Ok(1)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<u64, E> {
        Ok(1)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<u64, E> {
        Ok(1)
    }

    fn visit_unit<E: Error>(self) -> Result<u64, E> {
        Ok(1)
    }
}

/// A key of an object, looked up without being copied.
struct Key<'t>(&'t Node);

impl<'de, 't> DeserializeSeed<'de> for Key<'t> {
    type Value = Option<&'t Node>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'t> Visitor<'_> for Key<'t> {
    type Value = Option<&'t Node>;

    fn expecting(&self, text: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        text.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.0.children.get(key))
    }
}
