//! Queries on documents, for each kind of field.

use maxspan_event::{Decoder, Fields, Schema, Slots};
use maxspan_plan::Environment;

use super::{LowerOptions, lower};
use crate::{ParseOptions, parse};

const MAPPING: &str = r#"{"properties": {
  "n": {"type": "long"}, "name": {"type": "keyword"}, "cmd": {"type": "wildcard"}, "msg": {"type": "text"},
  "ip": {"type": "ip"}, "at": {"type": "date"}, "ok": {"type": "boolean"}, "v": {"type": "version"},
  "items": {"type": "nested", "properties": {"a": {"type": "keyword"}, "b": {"type": "long"}}}
}}"#;

/// 2026-03-18T12:00:00Z.
const NOW: i64 = 1_773_835_200_000_000_000;

fn holds(query: &str, document: &str) -> bool {
    let schema = Schema::empty().with_mapping(MAPPING).unwrap();
    let (tree, problems) = parse(query, &ParseOptions::default());
    let tree = tree.unwrap_or_else(|| panic!("{query}: {problems:?}"));
    let mut fields = Fields::default();
    let (predicate, problems) = lower(&tree, &schema, &mut fields, &LowerOptions { now: NOW });
    let predicate = predicate.unwrap_or_else(|| panic!("{query}: {problems:?}"));
    let mut slots = Slots::default();
    Decoder::new(fields, schema).decode(document.as_bytes(), &mut slots).unwrap();
    predicate.holds(Environment::new(&slots))
}

#[test]
fn the_type_of_a_field_decides_what_a_value_means() {
    let check = |query: &str, document: &str, expected: bool| {
        assert_eq!(holds(query, document), expected, "{query} on {document}");
    };
    check("name: cmd.exe", r#"{"name": "cmd.exe"}"#, true);
    check("name: CMD.exe", r#"{"name": "cmd.exe"}"#, false);
    check("name: *foo bar*", r#"{"name": "a foo bar"}"#, true);
    check("name: *foo bar*", r#"{"name": "a foo"}"#, false);
    check("cmd: *foo bar*", r#"{"cmd": "a foo"}"#, true);
    check("cmd: \"a b\"", r#"{"cmd": "a b"}"#, true);
    check("msg: quick fox", r#"{"msg": "The Quick hare"}"#, true);
    check("msg: \"quick fox\"", r#"{"msg": "The Quick hare"}"#, false);
    check("msg: qui*", r#"{"msg": "The Quick hare"}"#, true);
    check("n: 5", r#"{"n": "5"}"#, true);
    check("n >= 5 and n < 6.5", r#"{"n": 6}"#, true);
    check("n: (1 and 2)", r#"{"n": [1, 2]}"#, true);
    check("ip: 10.0.0.0/8", r#"{"ip": "10.1.1.1"}"#, true);
    check("ip: \"::1\"", r#"{"ip": "0:0:0:0:0:0:0:1"}"#, true);
    check("at: 2026-03-17", r#"{"at": "2026-03-17T23:59:59.999Z"}"#, true);
    check("at: 2026-03-17", r#"{"at": "2026-03-18T00:00:00Z"}"#, false);
    check("at >= now-1d", r#"{"at": "2026-03-17T12:00:00Z"}"#, true);
    check("at > now-1d/d", r#"{"at": "2026-03-17T12:00:00Z"}"#, false);
    check("ok: true", r#"{"ok": "true"}"#, true);
    check("v > 1.5.0", r#"{"v": "1.11.3"}"#, true);
    check("not name: x", r"{}", true);
    check("name: *", r#"{"name": []}"#, false);
    check("items: *", r#"{"items": [{"a": 1}]}"#, true);
    check("items: *", r#"{"items.a": "x"}"#, true);
    check("items: *", r#"{"items": {"a": null}}"#, false);
    check("items: *", r#"{"itemsa": "x"}"#, false);
    check("name: null", r"{}", false);
}

#[test]
fn free_text_and_field_patterns_look_at_every_leaf() {
    let check = |query: &str, document: &str, expected: bool| {
        assert_eq!(holds(query, document), expected, "{query} on {document}");
    };
    check("fox", r#"{"msg": "a fox"}"#, true);
    check("fox", r#"{"other": {"deep": ["fox"]}}"#, true);
    check("\"a fox\"", r#"{"name": "a fox"}"#, true);
    check("5", r#"{"n": 5}"#, true);
    check("fo*", r#"{"name": "fox"}"#, true);
    check("not fox", r#"{"name": "foxes"}"#, true);
    check("na*: fox", r#"{"name": "fox"}"#, true);
    check("na*: fox", r#"{"msg": "fox"}"#, false);
    check("*: fox", r#"{"name": "fox"}"#, true);
    check("na* > a", r#"{"name": "fox"}"#, true);
    check("*", r"{}", true);
}

#[test]
fn nested_groups_look_at_one_object_at_a_time() {
    let check = |query: &str, expected: bool| {
        let document = r#"{"items": [{"a": "x", "b": 1}, {"a": "y", "b": 2}]}"#;
        assert_eq!(holds(query, document), expected, "{query}");
    };
    check("items: { a: x and b: 1 }", true);
    check("items: { a: x and b: 2 }", false);
    check("items: { a: x and not b: 2 }", true);
    check("not items: { a: z }", true);
}
