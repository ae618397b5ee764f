//! `maxspan lookup`, and rules and queries that look into tables.

mod support;

use serde_json::{Value, json};
use support::Place;

const OWNERS: &str = "host.name,owner,floor\nalpha,ops,1\nalpha,web,2\nbeta,lab,3\n";

fn place() -> Place {
    let place = Place::new();
    let event = |host: &str, ip: &str, minute: u32| {
        json!({"@timestamp": format!("2026-03-10T10:{minute:02}:00Z"), "_index": "logs-a", "_id": format!("{host}-{minute}"),
            "host": {"name": host}, "source": {"ip": ip}})
    };
    let events =
        [event("alpha", "192.0.2.1", 1), event("beta", "10.1.2.3", 2), event("gamma", "10.9.9.9", 3)];
    place.write("events.ndjson", support::ndjson(&events)).write("owners.csv", OWNERS);
    place.write("networks.csv", "range,zone\n10.0.0.0/8,inside\n10.1.0.0-10.1.255.255,lab\n");
    place
}

fn load(place: &Place, arguments: &[&str]) {
    place.run(&[&["lookup", "load"], arguments, &["--lookups", "tables"]].concat()).code(0);
}

fn rows(place: &Place, query: &str) -> Value {
    let run =
        place.run(&["query", "--language", "esql", query, "--lookups", "tables", "events.ndjson"]).code(0);
    run.json()["values"].clone()
}

#[test]
fn queries_join_and_enrich() {
    let place = place();
    load(&place, &["owners", "--kind", "enrich", "--match-field", "host.name", "owners.csv"]);
    let zones =
        ["zones", "--kind", "enrich", "--match-field", "range", "--type", "range=ip_range", "networks.csv"];
    load(&place, &zones);
    assert_eq!(
        rows(
            &place,
            "FROM logs-* | LOOKUP JOIN owners ON host.name | KEEP host.name, owner, floor | SORT floor"
        ),
        json!([["alpha", "ops", 1], ["alpha", "web", 2], ["beta", "lab", 3], ["gamma", null, null]])
    );
    assert_eq!(
        rows(&place, "FROM logs-* | ENRICH owners WITH owner | KEEP host.name, owner | SORT host.name"),
        json!([["alpha", ["ops", "web"]], ["beta", "lab"], ["gamma", null]])
    );
    assert_eq!(
        rows(
            &place,
            "FROM logs-* | ENRICH zones ON source.ip WITH zone | KEEP host.name, zone | SORT host.name"
        ),
        json!([["alpha", null], ["beta", ["inside", "lab"]], ["gamma", "inside"]])
    );
    let query = |query: &str| {
        place.run(&["query", "--language", "esql", query, "--lookups", "tables", "events.ndjson"]).code(2)
    };
    query("FROM logs-* | LOOKUP JOIN owner ON host.name").says("did you mean [owners]?");
    query("FROM logs-* | LOOKUP JOIN owners ON host.nam").says("did you mean [host.name]?");
    let nowhere = ["query", "--language", "esql", "FROM a | ENRICH b", "--lookups", "gone", "events.ndjson"];
    place.run(&nowhere).code(2).says("lookups gone: there is no such folder");
}

fn rule(own: &Value) -> String {
    let mut rule = json!({"rule_id": "r", "name": "R", "description": "D", "severity": "low", "risk_score": 21, "interval": "5m"});
    rule.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
    format!("{rule}\n")
}

#[test]
fn rules_in_esql_look_into_tables() {
    let place = place();
    load(&place, &["owners", "--kind", "enrich", "--match-field", "host.name", "owners.csv"]);
    let query = "FROM logs-* METADATA _id | LOOKUP JOIN owners ON host.name | WHERE owner == \"lab\" | KEEP _id, owner";
    place.write("rule.ndjson", rule(&json!({"type": "esql", "language": "esql", "query": query})));
    let hunt = |more: &[&str]| {
        place.run(&[&["hunt", "-q", "--rules", "rule.ndjson", "events.ndjson"], more].concat())
    };
    let alerts = hunt(&["--lookups", "tables"]).code(0).lines();
    assert_eq!(alerts.len(), 1);
    assert_eq!((&alerts[0]["host"]["name"], &alerts[0]["owner"]), (&json!("beta"), &json!("lab")));
    hunt(&[]).code(1).says("there is no lookup index [owners]");
    let check = |more: &[&str]| place.run(&[&["rules", "check", "rule.ndjson"], more].concat());
    check(&["--lookups", "tables"]).code(0);
    check(&[]).code(1).prints("MX2005");
}

#[test]
fn exceptions_name_value_lists() {
    let place = place();
    place.write("ranges.txt", "10.1.0.0-10.1.255.255\n192.0.2.0/24\nno range\n");
    let load = [
        "lookup",
        "load",
        "known",
        "--kind",
        "values",
        "--type",
        "ip_range",
        "ranges.txt",
        "--lookups",
        "tables",
    ];
    place
        .run(&load)
        .code(0)
        .says("ranges.txt:3: `value` is ip_range, not `no range`")
        .says("2 rows loaded, 1 cannot be used");
    place.run(&[&load[..], &["--strict"]].concat()).code(3).says("nothing was loaded: 1 row cannot be used");
    let exceptions = json!([{"list_id": "l", "namespace_type": "single", "id": "l", "type": "detection"}]);
    place.write(
        "rule.ndjson",
        rule(&json!({"type": "query", "language": "kuery", "query": "host.name: *",
        "exceptions_list": exceptions})),
    );
    let item = json!({"list_id": "l", "item_id": "i", "name": "I", "type": "simple", "entries": [{"field": "source.ip",
        "type": "list", "operator": "included", "list": {"id": "known", "type": "ip_range"}}]});
    let list = json!({"list_id": "l", "type": "detection", "name": "L", "description": "D"});
    place.write("exceptions.ndjson", format!("{list}\n{item}\n"));
    let hunt = ["hunt", "-q", "--rules", "rule.ndjson", "--exceptions", "exceptions.ndjson", "events.ndjson"];
    assert_eq!(place.run(&hunt).code(0).lines().len(), 3, "the list is not there");
    let alerts = place.run(&[&hunt[..], &["--lookups", "tables"]].concat()).code(0).lines();
    assert_eq!(alerts.iter().map(|alert| &alert["host"]["name"]).collect::<Vec<_>>(), ["gamma"]);
    let explain = ["explain", "--rule", "rule.ndjson", "--event", "events.ndjson", "--lookups", "tables"];
    place.run(&explain).code(0);
}

fn threat_match(index: &str) -> String {
    rule(&json!({"type": "threat_match", "language": "kuery", "query": "*", "index": ["logs-*"],
        "threat_index": [index], "threat_language": "kuery", "threat_query": "event.kind: enrichment",
        "threat_mapping": [{"entries": [
            {"field": "source.ip", "type": "mapping", "value": "threat.indicator.ip"}]}]}))
}

fn bundle() -> String {
    let indicator = |id: u32, pattern: &str| {
        json!({"type": "indicator", "spec_version": "2.1", "id": format!("indicator--{id}"), "pattern": pattern,
            "pattern_type": "stix", "created": "2026-01-01T00:00:00Z", "modified": "2026-01-01T00:00:00Z",
            "valid_from": "2026-01-01T00:00:00Z"})
    };
    let objects = [
        indicator(1, "[ipv4-addr:value = '10.1.2.3']"),
        indicator(2, "[file:name LIKE 'x%'] OR [file:name = 'y']"),
    ];
    json!({"type": "bundle", "id": "bundle--1", "objects": objects}).to_string()
}

#[test]
fn indicators_come_from_tables_of_their_index() {
    let place = place();
    place.write("bundle.json", bundle()).write("rule.ndjson", threat_match("ti-*"));
    let load = ["lookup", "load", "ti-feed", "--kind", "indicators", "bundle.json", "--lookups", "tables"];
    place
        .run(&load)
        .code(0)
        .says("1 alternative of STIX patterns not expressed: LIKE")
        .says("ti-feed: 2 rows loaded");
    let hunt =
        ["hunt", "--rules", "rule.ndjson", "--lookups", "tables", "--stats", "stats.json", "events.ndjson"];
    let alerts = place.run(&hunt).code(0).lines();
    assert_eq!(alerts.len(), 1);
    let matched = &alerts[0]["threat"]["enrichments"][0]["matched"];
    assert_eq!((&matched["atomic"], &matched["id"]), (&json!("10.1.2.3"), &json!("indicator--1")));
    assert_eq!(matched["index"], "ti-feed");
    place.write("rule.ndjson", threat_match("other-*"));
    let run = place.run(&hunt).code(0);
    assert_eq!(run.out, "");
    run.says("1 table of indicators in an index that no rule looks at: ti-feed");
    let stats: Value = serde_json::from_str(&place.read("stats.json")).unwrap();
    assert_eq!((&stats["indicators"], &stats["indicator_tables_unused"]), (&json!(0), &json!(["ti-feed"])));
}

#[test]
fn hunts_read_indicators_of_all_formats() {
    let place = place();
    place.write("rule.ndjson", threat_match("ti-*"));
    let document = json!({"event": {"kind": "enrichment"}, "threat": {"indicator": {"ip": "192.0.2.1"}}});
    place.write("feed/a.csv", "threat.indicator.ip\n10.9.9.9\nno address\n").write("feed/b.json", bundle());
    place.write("feed/c.ndjson", format!("{document}\n")).write("feed/README.txt", "not read");
    let hunt = ["hunt", "--rules", "rule.ndjson", "--indicators", "feed", "events.ndjson"];
    let run = place.run(&hunt).code(0);
    assert_eq!(run.lines().len(), 3);
    run.says("feed/a.csv:3: `threat.indicator.ip` is ip, not `no address`");
    place.write("feed/d.stix", "{");
    assert_eq!(place.run(&hunt).code(0).says("feed/d.stix: no JSON").lines().len(), 3, "the others are read");
}

#[test]
fn tables_are_listed_shown_and_removed() {
    let place = place();
    let lookup = |arguments: &[&str]| place.run(&[&["lookup"], arguments, &["--lookups", "tables"]].concat());
    lookup(&["list"]).code(0).prints("table");
    lookup(&["load", "owners", "--kind", "enrich", "--match-field", "host.name", "owners.csv"])
        .code(0)
        .says("owners: 3 rows loaded");
    let append = ["load", "owners", "--kind", "enrich", "--append", "-", "--format", "ndjson"];
    let arguments = [&["lookup"], &append[..], &["--lookups", "tables"]].concat();
    let run = place.run_with_input(&arguments, b"{\"host\":{\"name\":\"gamma\"},\"owner\":\"new\"}\n");
    run.code(0).says("owners: 1 row loaded, 4 in all");
    lookup(&["list"]).code(0).prints("owners  enrich  host.name (keyword)  3        4");
    let listed = lookup(&["list", "--json"]).code(0).lines();
    assert_eq!((&listed[0]["match_field"], &listed[0]["rows"]), (&json!("host.name"), &json!(4)));
    let shown = lookup(&["show", "owners", "--limit", "1"]).code(0).lines();
    assert_eq!(shown, [json!({"host.name": "alpha", "owner": "ops", "floor": 1})]);
    lookup(&["show", "owners", "--format", "table"]).code(0).prints("beta       lab    3");
    lookup(&["show", "owner"]).code(2).says("did you mean `owners`?");
    lookup(&["remove", "owners"]).code(0);
    lookup(&["remove", "owners"]).code(2).says("there is no lookup table `owners`");
    lookup(&["load", "a/b", "--kind", "enrich", "owners.csv"]).code(2).says("is no name of a table");
    lookup(&["load", "x", "--kind", "enrich", "gone.csv"]).code(3).says("gone.csv: ");
    place.run(&["lookup", "list", "--store", "s3://b/x"]).code(2).says("kept in local folders only");
    place.run(&["lookup", "list", "--store", "tables"]).code(2).says("there is no store here");
}

#[test]
#[cfg(feature = "store")]
fn tables_belong_to_a_store() {
    let place = place();
    place.run(&["import", "--store", "store", "events.ndjson"]).code(0);
    let load = ["lookup", "load", "ti-feed", "--kind", "indicators", "bundle.json", "--store", "store"];
    place.write("bundle.json", bundle()).write("rule.ndjson", threat_match("ti-*"));
    place.run(&load).code(0);
    let hunt = ["hunt", "-q", "--rules", "rule.ndjson", "--store", "store"];
    assert_eq!(place.run(&hunt).code(0).lines().len(), 1);
    place.run(&["store", "info", "store"]).code(0).prints("3 events");
    place.run(&["store", "verify", "store"]).code(0);
}
