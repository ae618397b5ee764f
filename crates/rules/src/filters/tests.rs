//! Filters on documents.

#![allow(clippy::needless_pass_by_value, reason = "`json!` values as arguments make tables readable")]

use maxspan_event::{Decoder, Slots};
use maxspan_plan::Environment;
use serde_json::json;

use super::*;

const MAPPING: &str = r#"{"properties": {"deltas": {"type": "nested", "properties": {
    "a": {"type": "keyword"}, "b": {"type": "long"}, "inner": {"type": "nested", "properties": {"c": {"type": "long"}}}}}}}"#;

fn holds(filter: &Value, document: &Value) -> Result<bool, String> {
    let schema = Schema::built_in().with_mapping(MAPPING).unwrap();
    let mut fields = Fields::default();
    let predicate = lower_filter(filter, &mut FilterContext::new(&schema, &mut fields, 0))?;
    let mut slots = Slots::default();
    Decoder::new(fields, schema)
        .decode(document.to_string().as_bytes(), &mut slots)
        .map_err(|error| error.to_string())?;
    Ok(predicate.holds(Environment::new(&slots)))
}

/// What a query says of one document; an error where it cannot be translated.
#[track_caller]
fn check(query: Value, expected: Result<bool, &str>) {
    let document = json!({"process": {"name": "cmd.exe", "pid": 7}, "file.path": "C:\\Temp\\x.dll",
        "message": "a quick brown fox", "@timestamp": "2024-01-02T00:00:00Z", "own": 5,
        "user.name": "MÜLLER", "deltas": [{"a": "x", "b": 1, "inner": [{"c": 3}]}, {"a": "y", "b": 2}]});
    check_filter(json!({"query": query}), &document, expected);
}

#[track_caller]
fn check_filter(filter: Value, document: &Value, expected: Result<bool, &str>) {
    assert_eq!(holds(&filter, document), expected.map_err(str::to_owned), "{filter}");
}

#[test]
fn query_dsl_is_lowered() {
    check(json!({"term": {"process.name": "cmd.exe"}}), Ok(true));
    check(json!({"term": {"process.name": {"value": "CMD.exe", "boost": 2}}}), Ok(false));
    check(json!({"term": {"process.name": {"value": "CMD.exe", "case_insensitive": true}}}), Ok(true));
    check(json!({"term": {"process.name.caseless": "CMD.exe"}}), Ok(true));
    check(json!({"term": {"own": {"value": "5", "case_insensitive": true}}}), Ok(true));
    check(
        json!({"wildcard": {"file.path": {"value": "?:\\\\temp\\\\*", "case_insensitive": true}}}),
        Ok(true),
    );
    check(
        json!({"wildcard": {"process.name.caseless": {"wildcard": "CMD*", "rewrite": "constant_score"}}}),
        Ok(true),
    );
    check(json!({"terms": {"process.pid": [6, 7], "boost": 1}}), Ok(true));
    check(json!({"terms": {"process.pid": []}}), Ok(false));
    check(json!({"exists": {"field": "user.id", "_name": "n"}}), Ok(false));
    check(json!({"prefix": {"process.name": {"value": "cmd"}}}), Ok(true));
    check(json!({"regexp": {"process.name": {"value": "c.d\\.exe", "flags": "ALL"}}}), Ok(true));
    check(json!({"regexp": {"process.name.caseless": "C.D\\.EXE"}}), Ok(true));
    check(json!({"constant_score": {"filter": {"match_all": {}}}}), Ok(true));
    check(json!({"match_none": {}}), Ok(false));
}

#[test]
fn analysed_text_is_matched_by_words() {
    check(json!({"match_phrase": {"message": "Quick brown"}}), Ok(true));
    check(json!({"match_phrase": {"message": {"query": "quick fox", "slop": 0}}}), Ok(false));
    check(json!({"match": {"message": {"query": "slow fox"}}}), Ok(true));
    check(json!({"match": {"message": {"query": "slow fox", "operator": "AND"}}}), Ok(false));
    check(json!({"match": {"message": {"query": "fox quick", "operator": "and"}}}), Ok(true));
    check(json!({"match": {"message": {"query": "-", "operator": "and"}}}), Ok(false));
    check(json!({"match": {"message": {"query": "fox quick", "type": "phrase"}}}), Ok(false));
    check(json!({"match": {"message": {"query": "slow fox", "minimum_should_match": 1}}}), Ok(true));
    check(json!({"match": {"message": {"query": "slow fox", "minimum_should_match": "100%"}}}), Ok(false));
    check(json!({"match": {"process.name": {"query": "cmd.exe", "operator": "and"}}}), Ok(true));
    check(json!({"match_phrase_prefix": {"process.name": {"query": "cmd"}}}), Ok(true));
    check(json!({"match_phrase_prefix": {"process.name": {"query": "exe"}}}), Ok(false));
    check(json!({"match": {"message": {"query": "Bro", "type": "phrase_prefix"}}}), Ok(true));
    check(json!({"term": {"message": "quick"}}), Ok(true));
    check(json!({"term": {"message": "Quick"}}), Ok(false));
    check(json!({"term": {"message": "quick brown"}}), Ok(false));
    check(json!({"wildcard": {"message": "QUI*"}}), Ok(true));
    check(json!({"prefix": {"message": "qui"}}), Ok(true));
}

#[test]
fn ranges_honour_their_options() {
    check(json!({"range": {"process.pid": {"gte": 7, "lt": 8}}}), Ok(true));
    check(json!({"range": {"process.pid": {"from": 7, "to": 8}}}), Ok(true));
    check(json!({"range": {"process.pid": {"from": 7, "to": 8, "include_lower": false}}}), Ok(false));
    check(json!({"range": {"process.pid": {"from": 7, "to": null, "include_upper": false}}}), Ok(true));
    check(json!({"range": {"process.pid": {"from": 6, "to": 7, "include_upper": false}}}), Ok(false));
    check(json!({"range": {"process.pid": {}}}), Ok(true));
    check(json!({"range": {"user.id": {}}}), Ok(false));
    let day = |options: Value| {
        let mut bounds = json!({"gte": "2024-01-02", "lt": "2024-01-03"});
        bounds.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
        json!({"range": {"@timestamp": bounds}})
    };
    check(day(json!({"format": "strict_date_optional_time", "time_zone": "UTC"})), Ok(true));
    check(day(json!({"format": "dd/MM/yyyy"})), Err("a range with the format \"dd/MM/yyyy\""));
    check(day(json!({"format": "epoch_millis"})), Err("a range with the format \"epoch_millis\""));
    check(day(json!({"time_zone": "+01:00"})), Err("a range with the time zone \"+01:00\""));
    check(
        day(json!({"gt": "2024-01-01"})),
        Err("a range with more than one of `gt`, `gte`, `from` and `include_lower`"),
    );
    check(
        day(json!({"lte": null, "lt": 1})),
        Err("a range with more than one of `lt`, `lte`, `to` and `include_upper`"),
    );
    check(
        json!({"range": {"@timestamp": {"gte": 1_704_153_600_000_i64, "format": "epoch_millis"}}}),
        Ok(true),
    );
    check(
        json!({"range": {"process.pid": {"gte": "abc"}}}),
        Err("`abc`, which `process.pid` of type `long` cannot hold"),
    );
    check(json!({"range": {"process.pid": {"gte": [7]}}}), Err("a range whose bound is no scalar"));
    check(json!({"range": {"process.pid": {"gte": null}}}), Err("a range whose bound is no scalar"));
    check(json!({"range": {"process.pid": {"gte": 7, "format": "0"}}}), Err("a range with the format \"0\""));
    check(json!({"range": {"process.pid": {"gte": 7, "step": 2}}}), Err("a `range` query with `step`"));
    check(json!({"range": {"process.pid": 7}}), Err("a `range` query without bounds"));
}

#[test]
fn boolean_queries_count_their_clauses() {
    let pid = |pid: u64| json!({"term": {"process.pid": pid}});
    check(json!({"bool": {"must_not": pid(7)}}), Ok(false));
    check(json!({"bool": {"filter": [{"match_all": {}}], "should": [pid(1)]}}), Ok(true));
    check(json!({"bool": {"must": [], "should": [pid(1)]}}), Ok(false));
    check(json!({"bool": {"should": [pid(1)], "minimum_should_match": 0}}), Ok(false));
    check(json!({"bool": {}}), Ok(true));
    let name = json!({"term": {"process.name": "cmd.exe"}});
    let fox = json!({"match": {"message": "fox"}});
    let least = |least: Value, expected: Result<bool, &str>| {
        let should = [pid(1), pid(7), name.clone(), fox.clone()];
        check(json!({"bool": {"should": should, "minimum_should_match": least}}), expected);
    };
    least(json!(1), Ok(true));
    least(json!("3"), Ok(true));
    least(json!(4), Ok(false));
    least(json!(5), Ok(false));
    least(json!("75%"), Ok(true));
    least(json!(-1), Ok(true));
    least(json!("-20%"), Ok(false));
    least(json!("2<75%"), Err("`minimum_should_match` \"2<75%\""));
    least(json!(true), Err("`minimum_should_match` true"));
    let seven = vec![pid(7); 7];
    check(
        json!({"bool": {"should": seven, "minimum_should_match": 2}}),
        Err("`minimum_should_match` 2 of 7 clauses"),
    );
}

#[test]
fn filters_are_negated_combined_and_written_in_older_ways() {
    let document = json!({"process.name": "cmd.exe", "process.pid": 7});
    let yes = json!({"query": {"term": {"process.pid": 7}}});
    let no = json!({"meta": {"negate": true}, "query": {"term": {"process.pid": 7}}});
    let off = json!({"meta": {"disabled": true}, "query": {"percolate": {}}});
    check_filter(no.clone(), &document, Ok(false));
    check_filter(off.clone(), &document, Ok(true));
    check_filter(json!({"exists": {"field": "process.name"}, "meta": {}, "$state": {}}), &document, Ok(true));
    check_filter(
        json!({"meta": {"type": "phrases", "key": "process.name", "params": ["a", "cmd.exe"]}}),
        &document,
        Ok(true),
    );
    check_filter(
        json!({"meta": {"type": "phrase", "key": "process.name", "params": {"query": "a"}}}),
        &document,
        Ok(false),
    );
    check_filter(
        json!({"meta": {"type": "range", "key": "process.pid", "params": {"gte": 8}}}),
        &document,
        Ok(false),
    );
    let combined = |relation: &str, negate: bool, params: Value| json!({"meta": {"type": "combined", "relation": relation, "negate": negate, "params": params}, "query": {}});
    check_filter(combined("AND", false, json!([yes, no])), &document, Ok(false));
    check_filter(combined("OR", false, json!([no, yes])), &document, Ok(true));
    check_filter(combined("OR", false, json!([no, off])), &document, Ok(false));
    check_filter(
        combined("OR", true, json!([no, combined("AND", false, json!([yes]))])),
        &document,
        Ok(false),
    );
    check_filter(combined("OR", false, json!([off])), &document, Ok(true));
    check_filter(
        combined("XOR", false, json!([yes])),
        &document,
        Err("a combined filter whose `relation` is neither `AND` nor `OR`"),
    );
    check_filter(combined("OR", false, json!([])), &document, Err("a combined filter without filters"));
    check_filter(combined("OR", false, json!([{}])), &document, Err("a filter without a query"));
}

#[test]
fn nested_queries_look_at_one_object() {
    let nested = |query: Value| json!({"nested": {"path": "deltas", "query": query, "score_mode": "none"}});
    let both = |b: Value| nested(json!({"bool": {"filter": [{"term": {"deltas.a": "x"}}, b]}}));
    check(both(json!({"term": {"deltas.b": "1"}})), Ok(true));
    check(both(json!({"term": {"deltas.b": "2"}})), Ok(false));
    let inner =
        |c: u64| json!({"nested": {"path": "deltas.inner", "query": {"term": {"deltas.inner.c": c}}}});
    check(both(inner(3)), Ok(true));
    check(both(inner(4)), Ok(false));
    check(both(json!({"term": {"deltas.b": "x"}})), Err("`x`, which `deltas.b` of type `long` cannot hold"));
    check(
        both(json!({"term": {"process.pid": 7}})),
        Err("`process.pid`, which is not below the nested path"),
    );
}

#[test]
fn what_cannot_be_translated_is_an_error() {
    let document = json!({});
    check_filter(json!([]), &document, Err("a filter that is no object"));
    check_filter(json!({}), &document, Err("a filter without a query"));
    check_filter(json!({"meta": 1}), &document, Err("`meta` that is no object"));
    check_filter(
        json!({"meta": {"negate": "yes"}, "query": {"match_all": {}}}),
        &document,
        Err("a filter whose `negate` is neither true nor false"),
    );
    check_filter(
        json!({"query": {"match_all": {}}, "exists": {"field": "a"}}),
        &document,
        Err("a filter with both `query` and `exists`"),
    );
    check(json!({}), Err("an empty query"));
    check(
        json!({"match_all": {}, "exists": {"field": "a"}}),
        Err("a query that is both `match_all` and `exists`"),
    );
    check(json!({"percolate": {}}), Err("a query of type `percolate`"));
    check(json!({"bool": []}), Err("the body of `bool` that is no object"));
    check(json!({"bool": {"must": [], "mustnot": []}}), Err("a `bool` query with `mustnot`"));
    check(json!({"bool": {"must": null}}), Err("a query that is no object"));
    check(json!({"exists": {"field": "a", "x": 1}}), Err("a `exists` query with `x`"));
    check(json!({"term": {}}), Err("a `term` query without a field"));
    check(json!({"term": {"a": 1, "b": 2}}), Err("a `term` query with a second field, `b`"));
    check(json!({"term": {"a": {"value": 1, "fuzzy": 1}}}), Err("a `term` query with `fuzzy`"));
    check(json!({"term": {"a": {"case_insensitive": true}}}), Err("a `term` query without a value"));
    check(
        json!({"term": {"a": {"value": 1, "case_insensitive": "x"}}}),
        Err("a `term` query with `case_insensitive` \"x\""),
    );
    check(json!({"term": {"a": [1]}}), Err("a `term` query whose value is no scalar"));
    check(
        json!({"term": {"process.pid": "abc"}}),
        Err("`abc`, which `process.pid` of type `long` cannot hold"),
    );
    check(
        json!({"terms": {"process.pid": [1, "abc"]}}),
        Err("`abc`, which `process.pid` of type `long` cannot hold"),
    );
    check(
        json!({"terms": {"a": {"index": "i", "id": 1, "path": "p"}}}),
        Err("a `terms` query without a list of values"),
    );
}

#[test]
fn what_a_field_or_an_option_does_not_allow_is_an_error() {
    check(
        json!({"wildcard": {"a": {"value": "x", "wildcard": "y"}}}),
        Err("a `wildcard` query with two values"),
    );
    check(
        json!({"wildcard": {"process.pid": "7*"}}),
        Err("a `wildcard` query on `process.pid` of type `long`"),
    );
    check(
        json!({"regexp": {"a": {"value": "x", "flags": "NONE"}}}),
        Err("a `regexp` query with `flags` \"NONE\""),
    );
    check(
        json!({"regexp": {"user.name.caseless": "MÜLLER"}}),
        Err("a `regexp` query with such capital letters on a field in lower case"),
    );
    check(json!({"match": {"a": {"query": "x", "fuzziness": 1}}}), Err("a `match` query with `fuzziness`"));
    check(
        json!({"match": {"a": {"query": "x", "operator": "xor"}}}),
        Err("a `match` query with `operator` \"xor\""),
    );
    check(
        json!({"match": {"a": {"query": "x", "minimum_should_match": 2}}}),
        Err("a `match` query with `minimum_should_match` 2"),
    );
    check(
        json!({"match_phrase": {"a": {"query": "x y", "slop": 1}}}),
        Err("a `match_phrase` query with `slop` 1"),
    );
    check(
        json!({"match_phrase_prefix": {"message": "quick bro"}}),
        Err("a `match_phrase_prefix` query with several words on analysed text"),
    );
    check(
        json!({"match_phrase_prefix": {"process.pid": "7"}}),
        Err("a `match_phrase_prefix` query on `process.pid` of type `long`"),
    );
}
