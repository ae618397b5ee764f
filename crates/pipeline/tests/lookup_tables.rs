//! Tests of lookup tables: what files become, and what is kept.

use std::fs;
use std::path::PathBuf;

use maxspan_esql::{Value, to_text};
use maxspan_event::Schema;
use maxspan_pipeline::lookups::{
    ColumnType, Header, LoadAccount, LoadOptions, LookupError, LookupErrorKind, LookupFolders, LookupTable,
    Lookups, TableFormat, TableKind, check_name, load,
};
use serde_json::{Value as Json, json};
use tempfile::TempDir;

const KEYWORD: ColumnType = ColumnType::Keyword;

fn options(kind: TableKind) -> LoadOptions {
    LoadOptions {
        kind,
        format: None,
        value_type: None,
        types: Vec::new(),
        match_field: None,
        schema: Schema::built_in(),
        now: 1_800_000_000_000_000_000,
    }
}

/// Loads one file of this name.
fn loaded(
    name: &str,
    content: impl AsRef<[u8]>,
    options: &LoadOptions,
) -> Result<(LookupTable, LoadAccount), LookupError> {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    load("t", &[path], None, options)
}

/// Columns with types, rows, and messages about rows, as one text.
#[track_caller]
fn check(name: &str, content: impl AsRef<[u8]>, options: &LoadOptions, expected: &str) {
    let text = match loaded(name, content, options) {
        Ok((table, account)) => {
            let columns = table.header.columns.iter();
            let mut parts: Vec<String> =
                columns.map(|column| format!("{}:{}", column.name, column.kind.name())).collect();
            parts.extend(table.rows.iter().cloned());
            let line = |place: &str| place.rsplit(':').next().unwrap_or_default().trim().to_owned();
            let said = account.problems.iter();
            parts.extend(said.map(|problem| format!("!{} {}", line(&problem.place), problem.message)));
            assert_eq!(account.failed as usize, account.problems.len());
            parts.join(" / ")
        }
        Err(error) => format!("error: {}", error.message.rsplit('/').next().unwrap_or_default()),
    };
    assert_eq!(text, expected, "{name}");
}

#[test]
fn value_lists_are_lines() {
    let of = |kind| LoadOptions { value_type: Some(kind), ..options(TableKind::Values) };
    check(
        "l.txt",
        "\u{feff}a.exe\r\n\n  b.exe \na.exe\n",
        &options(TableKind::Values),
        "value:keyword / {\"value\":\"a.exe\"} / {\"value\":\"b.exe\"}",
    );
    check(
        "l.txt",
        "10.0.0.1\n10.0.0.0/8\nx\n10.0.0.1-10.0.0.2\n",
        &of(ColumnType::Ip),
        "value:ip / {\"value\":\"10.0.0.1\"} / {\"value\":\"10.0.0.0/8\"} / !3 `value` is ip, not `x` / \
         !4 `value` is ip, not `10.0.0.1-10.0.0.2`",
    );
    check(
        "l.txt",
        "10.0.0.1-10.0.0.2\n10.0.0.0/8\n",
        &of(ColumnType::IpRange),
        "value:ip_range / {\"value\":\"10.0.0.1-10.0.0.2\"} / {\"value\":\"10.0.0.0/8\"}",
    );
    check(
        "l.txt",
        "1\n1.5\n",
        &of(ColumnType::Long),
        "value:long / {\"value\":\"1\"} / !2 `value` is long, not `1.5`",
    );
    check("l.txt", "a", &of(ColumnType::DateRange), "error: a value list cannot be of type `date_range`");
    check(
        "l.txt",
        b"a\n\xff\n",
        &options(TableKind::Values),
        "value:keyword / {\"value\":\"a\"} / !2 no UTF-8",
    );
    check(
        "l.ndjson",
        "\"a\"\n{\"value\": 7}\n{\"x\": 1}\n[]\n",
        &options(TableKind::Values),
        "value:keyword / {\"value\":\"a\"} / {\"value\":\"7\"} / !3 the object has no text or number `value` / \
         !4 neither a text nor a number",
    );
    let column = LoadOptions { match_field: Some("b".to_owned()), ..options(TableKind::Values) };
    check(
        "l.csv",
        "a,b\n1,x\n2\n",
        &column,
        "value:keyword / {\"value\":\"x\"} / !3 1 cells where there are 2 columns",
    );
    check(
        "l.csv",
        "a,b\n1,x\n",
        &options(TableKind::Values),
        "error: l.csv: 2 columns; --match-field says which has the values",
    );
}

#[test]
fn comma_separated_values_have_types() {
    let enrich = &options(TableKind::Enrich);
    check(
        "t.csv",
        "host.name,source.ip,floor,score,since,code,on\nh1,10.0.0.1,1,1.5,2026-01-02,007,true\nh2,,2,2,2026-01-03,8,false\n",
        enrich,
        "host.name:keyword / source.ip:ip / floor:long / score:double / since:date / code:keyword / on:boolean / \
         {\"host.name\":\"h1\",\"source.ip\":\"10.0.0.1\",\"floor\":1,\"score\":1.5,\"since\":\"2026-01-02\",\"code\":\"007\",\"on\":true} / \
         {\"host.name\":\"h2\",\"floor\":2,\"score\":2.0,\"since\":\"2026-01-03\",\"code\":\"8\",\"on\":false}",
    );
    check(
        "t.csv",
        "source.ip,x\n10.0.0.300,1\n::1,2\n",
        enrich,
        "source.ip:ip / x:long / {\"source.ip\":\"::1\",\"x\":2} / !2 `source.ip` is ip, not `10.0.0.300`",
    );
    let typed = LoadOptions { types: vec![("x".to_owned(), KEYWORD)], ..options(TableKind::Enrich) };
    check("t.csv", "x\n1\n", &typed, "x:keyword / {\"x\":\"1\"}");
    check("t.tsv", "a\tb\n1\t2\n", enrich, "a:long / b:long / {\"a\":1,\"b\":2}");
    check("t.csv", "a;b\n\"x;y\";2\n", enrich, "a:keyword / b:long / {\"a\":\"x;y\",\"b\":2}");
}

#[test]
fn broken_comma_separated_values_are_named() {
    let enrich = &options(TableKind::Enrich);
    check(
        "t.csv",
        "a,b\n1,2\n3\n4,5,6\n7,8\n",
        enrich,
        "a:long / b:long / {\"a\":1,\"b\":2} / {\"a\":7,\"b\":8} / !3 1 cells where there are 2 columns / \
         !4 3 cells where there are 2 columns",
    );
    check(
        "t.csv",
        "a,b\n1,2\n3,\"x\n4,5\n",
        enrich,
        "a:long / b:keyword / {\"a\":1,\"b\":\"2\"} / !3 a quote that is opened here is never closed",
    );
    check("t.csv", b"a,b\n1,\xff\n", enrich, "a:long / b:keyword / !2 `b` is no UTF-8");
    check("t.csv", "", enrich, "error: t.csv:1: there is no line with the names of columns");
    check("t.csv", "a,a\n", enrich, "error: t.csv:1: two columns are called `a`");
    check("t.csv", "a,\n", enrich, "error: t.csv:1: a column has no name");
    let many = (0..1_000_000).map(|number| format!("c{number}")).collect::<Vec<_>>().join(",");
    check("t.csv", many, enrich, "error: t.csv:1: 1000000 columns; 1000 are allowed");
}

#[test]
fn json_lines_are_rows() {
    let enrich = &options(TableKind::Enrich);
    check(
        "t.ndjson",
        "{\"host\":{\"name\":\"h\"},\"n\":[1,2]}\n\n{\"n\":3,\"x\":null}\nno\n[1]\n",
        enrich,
        "host.name:keyword / n:long / {\"host.name\":\"h\",\"n\":[1,2]} / {\"n\":3} / \
         !4 no JSON: expected ident at line 1 column 2 / !5 no JSON object",
    );
    let matched = LoadOptions { match_field: Some("hots".to_owned()), ..options(TableKind::Enrich) };
    check("t.ndjson", "{\"host\":1}\n", &matched, "error: no column is called `hots` (--match-field): host");
    check(
        "t.json",
        "{\"type\":\"bundle\",\"objects\":[]}",
        enrich,
        "error: t.json: a table is loaded from CSV or NDJSON (--format)",
    );
}

#[test]
fn indicators_are_documents() {
    let indicators = &options(TableKind::Indicators);
    let rows = |name: &str, content: &str| -> Vec<Json> {
        let (table, _) = loaded(name, content, indicators).unwrap();
        table.rows.iter().map(|row| serde_json::from_str(row).unwrap()).collect()
    };
    assert_eq!(
        rows("i.csv", "_id,threat.indicator.ip,threat.feed.name\n7,192.0.2.1,f\n"),
        [json!({"_id": "7", "_source": {
            "threat": {"indicator": {"ip": "192.0.2.1"}, "feed": {"name": "f"}},
            "event": {"kind": "enrichment", "category": ["threat"], "type": ["indicator"]}}})]
    );
    assert_eq!(
        rows(
            "i.ndjson",
            "{\"_id\":\"1\",\"_source\":{\"a\":1}}\n{\"_id\":\"1\",\"_index\":\"x\",\"a\":2}\n{\"a\":3}\n"
        ),
        [json!({"_id": "1", "_source": {"a": 2}}), json!({"_source": {"a": 3}})],
        "of one id the last"
    );
    check("i.csv", "a,a.b\n1,2\n", indicators, "!2 `a.b` is both a field and an object");
}

fn bundle(objects: &[Json]) -> String {
    json!({"type": "bundle", "id": "bundle--1", "objects": objects}).to_string()
}

fn indicator(pattern: &str) -> Json {
    json!({"type": "indicator", "spec_version": "2.1", "id": "indicator--1", "pattern": pattern, "pattern_type": "stix",
        "created": "2026-01-01T00:00:00Z", "modified": "2026-01-02T00:00:00Z", "valid_from": "2026-01-01T00:00:00Z"})
}

#[test]
fn stix_indicators_become_documents_of_ecs() {
    let mut whole = indicator("[ipv4-addr:value = '192.0.2.1']");
    let more = json!({"name": "N", "description": "D", "confidence": 85, "labels": ["l"],
        "valid_until": "2026-02-01T00:00:00Z", "created_by_ref": "identity--1",
        "kill_chain_phases": [{"kill_chain_name": "mitre-attack", "phase_name": "command-and-control"}],
        "external_references": [{"source_name": "s", "url": "https://example.org/r"}],
        "object_marking_refs": ["marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"]});
    whole.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let identity = json!({"type": "identity", "id": "identity--1", "name": "Us"});
    let (table, account) =
        loaded("b.json", bundle(&[whole, identity]), &options(TableKind::Indicators)).unwrap();
    let row: Json = serde_json::from_str(&table.rows[0]).unwrap();
    assert_eq!(
        row,
        json!({"_id": "indicator--1", "_source": {
            "@timestamp": "2026-01-02T00:00:00Z",
            "event": {"kind": "enrichment", "category": ["threat"], "type": ["indicator"]},
            "threat": {"feed": {"name": "t"}, "tactic": {"name": ["Command and Control"]}, "indicator": {
                "type": "ipv4-addr", "ip": "192.0.2.1", "name": "N", "description": "D", "confidence": "High",
                "first_seen": "2026-01-01T00:00:00Z", "modified_at": "2026-01-02T00:00:00Z", "provider": "Us",
                "reference": "https://example.org/r", "marking": {"tlp": "AMBER"}}},
            "tags": ["l"],
            "stix": {"id": "indicator--1", "valid_from": "2026-01-01T00:00:00Z", "valid_until": "2026-02-01T00:00:00Z"}}})
    );
    assert_eq!((account.loaded, account.expired), (1, 1));
    assert_eq!(account.other_objects, [("identity".to_owned(), 1)].into());
}

#[test]
fn stix_patterns_become_fields() {
    let check = |pattern: &str, expected: Json| {
        let found = loaded("b.json", bundle(&[indicator(pattern)]), &options(TableKind::Indicators));
        let (table, account) = found.unwrap();
        let fields = |row: &String| {
            let row: Json = serde_json::from_str(row).unwrap();
            let mut indicator = row["_source"]["threat"]["indicator"].clone();
            for key in ["first_seen", "modified_at"] {
                indicator.as_object_mut().unwrap().remove(key);
            }
            indicator
        };
        let mut found: Vec<Json> = table.rows.iter().map(fields).collect();
        found.extend(account.not_expressed.keys().map(|what| json!(what)));
        found.extend(account.problems.iter().map(|problem| json!(problem.message)));
        assert_eq!(json!(found), expected, "{pattern}");
    };
    check(
        "[domain-name:value = 'Example.ORG.']",
        json!([{"type": "domain-name", "url": {"domain": "example.org"}}]),
    );
    check(
        "[url:value = 'http://a/b']",
        json!([{"type": "url", "url": {"full": "http://a/b", "original": "http://a/b"}}]),
    );
    check(
        "[file:hashes.'SHA-256' = 'AB' AND file:name = 'x.exe']",
        json!([{"type": "file", "file": {"hash": {"sha256": "ab"}, "name": "x.exe"}}]),
    );
    check(
        "[file:hashes.MD5 = 'a1' OR file:hashes.'SHA-1' = 'b2']",
        json!([{"type": "file", "file": {"hash": {"md5": "a1"}}}, {"type": "file", "file": {"hash": {"sha1": "b2"}}}]),
    );
    check(
        "[ipv4-addr:value IN ('192.0.2.1', '2001:DB8::1', '192.0.2.0/24', '192.0.2.2/32')]",
        json!([{"type": "ipv4-addr", "ip": "192.0.2.1"}, {"type": "ipv6-addr", "ip": "2001:db8::1"},
            {"type": "ipv4-addr", "ip": "192.0.2.2"}, "a block of addresses"]),
    );
    check(
        "[windows-registry-key:key = 'HKEY_LOCAL_MACHINE\\\\Software\\\\X']",
        json!([{"type": "windows-registry-key",
            "registry": {"hive": "HKLM", "key": "Software\\X", "path": "HKLM\\Software\\X"}}]),
    );
    check("[email-addr:value = 'A@b.c']", json!([{"type": "email-addr", "email": {"address": "a@b.c"}}]));
    check(
        "[x509-certificate:hashes.'SHA-1' = 'AA' OR x509-certificate:serial_number = '0a:0b']",
        json!([{"type": "x509-certificate", "file": {"hash": {"sha1": "aa"}}},
            {"type": "x509-certificate", "x509": {"serial_number": "0A0B"}}]),
    );
    check(
        "[process:name = 'x'] OR [url:value LIKE 'y%']",
        json!(["LIKE", "the property process:name", "no document can say what the pattern asks: LIKE"]),
    );
    check(
        "[file:name = 'a' AND file:name = 'b']",
        json!([
            "two values of one property at once",
            "no document can say what the pattern asks: two values of one property at once"
        ]),
    );
}

#[test]
fn stix_versions_and_what_is_revoked() {
    let at = |modified: &str, pattern: &str, revoked: bool| {
        let mut one = indicator(pattern);
        one["modified"] = json!(modified);
        one["revoked"] = json!(revoked);
        one
    };
    let check = |objects: &[Json], rows: usize, revoked: u64| {
        let (table, account) = loaded("b.json", bundle(objects), &options(TableKind::Indicators)).unwrap();
        assert_eq!((table.rows.len(), account.revoked), (rows, revoked));
    };
    let (old, new) = (
        at("2026-01-01T00:00:00Z", "[a:b = 'c']", false),
        at("2026-01-03T00:00:00Z", "[url:value = 'u']", false),
    );
    check(&[new.clone(), old.clone()], 1, 0);
    check(&[old, new], 1, 0);
    check(&[at("2026-01-03T00:00:00Z", "[url:value = 'u']", true)], 0, 1);
    for content in ["", "{", "[1", "7", "{\"objects\": 1}", "{\"type\":\"bundle\"}"] {
        let stix = LoadOptions { format: Some(TableFormat::Stix), ..options(TableKind::Indicators) };
        assert_eq!(loaded("b.json", content, &stix).unwrap_err().kind, LookupErrorKind::Input, "{content}");
    }
}

// ---- Folders

fn place() -> (TempDir, Lookups) {
    let folder = TempDir::new().unwrap();
    let lookups = Lookups::at(folder.path().join("tables"));
    (folder, lookups)
}

fn owners() -> LookupTable {
    let enrich = LoadOptions { match_field: Some("range".to_owned()), ..options(TableKind::Enrich) };
    let enrich = LoadOptions { types: vec![("range".to_owned(), ColumnType::IpRange)], ..enrich };
    let (table, _) =
        loaded("t.csv", "range,owner\n10.0.0.0/8,ops\n10.0.0.1-10.0.0.9,web\n", &enrich).unwrap();
    table
}

#[test]
fn tables_are_kept_as_they_are() {
    let (_folder, lookups) = place();
    let owners = owners();
    assert_eq!(lookups.list().unwrap().tables, [], "a folder that is not there has no tables");
    lookups.write(&owners).unwrap();
    assert_eq!(lookups.read("t").unwrap(), owners);
    let listed = lookups.list().unwrap();
    assert_eq!((listed.tables[0].0.clone(), listed.problems.len()), (owners.header.clone(), 0));
    let other =
        LookupTable { rows: Vec::new(), header: Header { name: "T".to_owned(), rows: 0, ..owners.header } };
    assert_eq!(lookups.write(&other).unwrap_err().kind, LookupErrorKind::Usage, "one file on some systems");
    assert_eq!(fs::read_dir(lookups.folder()).unwrap().count(), 1, "nothing else is left");
    lookups.remove("t").unwrap();
    assert_eq!(lookups.remove("t").unwrap_err().kind, LookupErrorKind::Usage);
}

#[test]
fn damaged_and_foreign_tables_are_named() {
    let (_folder, lookups) = place();
    lookups.write(&owners()).unwrap();
    let path = lookups.folder().join("t.ndjson.zst");
    let whole = fs::read(&path).unwrap();
    let check = |content: &[u8], expected: &str| {
        fs::write(&path, content).unwrap();
        let error = lookups.read("t").unwrap_err();
        assert_eq!(error.kind, LookupErrorKind::Damaged);
        assert!(error.message.contains(expected), "{error}");
    };
    check(&whole[..whole.len() / 2], "");
    check(b"", "");
    check(b"no zstd", "");
    let text = |text: &str| zstd::encode_all(text.as_bytes(), 1).unwrap();
    check(&text("{\"maxspan_lookup\":2}\n"), "is of form 2, and this version reads form 1");
    let header =
        |rows: u64, name: &str| json!(Header { rows, name: name.to_owned(), ..owners().header }).to_string();
    check(&text(&format!("{}\n{{}}\n", header(2, "t"))), "1 rows of 2");
    check(&text(&format!("{}\n{{}}\n{{}}\n", header(1, "t"))), "more rows than it says");
    check(&text(&format!("{}\n", header(0, "other"))), "says that it is the table `other`");
    assert_eq!(lookups.list().unwrap().problems.len(), 1);
}

#[test]
fn names_are_those_of_files() {
    for name in ["a", "A.b_c-9", "logs-ti_feed.x-default", "7"] {
        assert_eq!(check_name(name), Ok(()), "{name}");
    }
    for name in ["", ".a", "-a", "a/b", "..", "a b", "é", "a\\b", &"a".repeat(201)] {
        assert!(check_name(name).is_err(), "{name}");
    }
}

#[test]
fn rows_are_added_to_a_table() {
    let folder = TempDir::new().unwrap();
    let file = |name: &str, content: &str| -> PathBuf {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        path
    };
    let enrich = options(TableKind::Enrich);
    let (first, _) = load("t", &[file("a.csv", "x,y\n1,a\n")], None, &enrich).unwrap();
    let (both, account) = load("t", &[file("b.csv", "x,z\n2,b\n")], Some(first.clone()), &enrich).unwrap();
    assert_eq!(both.rows, ["{\"x\":1,\"y\":\"a\"}", "{\"x\":2,\"z\":\"b\"}"]);
    assert_eq!((both.header.columns.len(), account.loaded, both.header.sources.len()), (3, 1, 2));
    let (_, account) = load("t", &[file("c.csv", "x\nword\n")], Some(first.clone()), &enrich).unwrap();
    assert_eq!((account.loaded, account.failed), (0, 1), "the type of a column stays");
    let error = load("t", &[file("l.txt", "1")], Some(first), &options(TableKind::Values)).unwrap_err();
    assert_eq!(error.message, "the table `t` is of kind enrich");
}

#[test]
fn queries_look_into_tables() {
    let (_folder, lookups) = place();
    lookups.write(&owners()).unwrap();
    let (folders, _) = LookupFolders::list(&[lookups]).unwrap();
    let (mut problems, text) = (Vec::new(), "ROW a = \"10.0.0.5\" | ENRICH t ON a WITH owner");
    let tables = folders.tables(&["t"], &mut problems);
    let (tree, _) = maxspan_esql::parse(text);
    let source = maxspan_diagnostics::Source::new("query", text);
    let (query, found) = maxspan_esql::analyze(&tree, &source, &tables);
    let query = query.unwrap_or_else(|| panic!("{found:?}"));
    let outcome = maxspan_esql::run::run(&query, &tables, &maxspan_esql::run::Options::default()).unwrap();
    let owners: Vec<String> =
        outcome.rows[0][1].values().iter().map(|one: &Value| to_text(one.borrowed())).collect();
    assert_eq!(owners, ["ops", "web"]);
    assert_eq!(problems, []);
}
