//! ES|QL over a store and over files: the same query gives the same rows, though one is mostly done by plans over columns
//! and the other row by row over documents.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

/// What a query writes, after it ended with this code.
#[track_caller]
fn query(folder: &Path, arguments: &[&str], code: i32) -> (Vec<u8>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_maxspan"));
    let output = command.current_dir(folder).args(["query", "--language", "esql"]).args(arguments).output();
    let output = output.expect("a program that runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
    (output.stdout, said)
}

/// Columns and rows; what has no order is sorted: rows, unless the query sorts them, and the values of a field, which
/// VALUES gives in any order.
#[track_caller]
fn answer(folder: &Path, text: &str, input: &[&str]) -> (Value, Vec<String>, Vec<String>) {
    let arguments = [&["--format", "json", "--now", "2026-01-03T00:00:00Z", text], input].concat();
    let (out, said) = query(folder, &arguments, 0);
    let answer: Value = serde_json::from_slice(&out).expect("an answer");
    let row = |row: &Value| {
        let mut row = row.clone();
        for value in row.as_array_mut().expect("a row") {
            if let Some(values) = value.as_array_mut() {
                values.sort_by_key(Value::to_string);
            }
        }
        row.to_string()
    };
    let mut rows: Vec<String> = answer["values"].as_array().expect("rows").iter().map(row).collect();
    if !text.contains("| SORT") {
        rows.sort();
    }
    let mut warnings: Vec<String> =
        said.lines().filter(|line| line.contains("warning")).map(str::to_owned).collect();
    warnings.sort();
    (answer["columns"].clone(), rows, warnings)
}

/// Events of all the kinds that columns have trouble with.
fn events() -> Vec<Value> {
    let actions = ["start", "end", "fork"];
    let mut events: Vec<Value> = (0_u32..400)
        .map(|n| {
            json!({
                "_index": if n % 4 == 0 { "logs-y-default" } else { "logs-x-default" },
                "_id": format!("id-{n}"),
                "@timestamp": format!("2026-01-{:02}T00:{:02}:{:02}.{:03}Z", 1 + n / 200, n % 60, n % 7, n % 1000),
                "event": {
                    "category": if n % 9 == 0 { json!(["process", "file"]) } else { json!("process") },
                    "action": actions[n as usize % 3],
                    "ingested": format!("2026-01-03T00:00:{:02}.123456789Z", n % 60),
                },
                "host": {"name": format!("h{}", n % 5), "os": {"type": "linux"}},
                "process": {
                    "name": format!("p{}", n % 17),
                    "pid": n,
                    "args": [format!("p{}", n % 17), format!("-{}", n % 3), "x"],
                    "entity_id": format!("e{}", n / 4),
                    "parent": {"pid": n / 2},
                },
                "source": {"ip": format!("10.0.{}.{}", n % 3, n % 250), "port": n % 3000},
            })
        })
        .collect();
    // Several values where a column has one.
    events[3]["process"]["name"] = json!(["p3", "other"]);
    events[4]["process"]["pid"] = json!([4, 5, 4]);
    // A value that does not fit.
    events[5]["process"]["pid"] = json!("no number");
    events[6]["source"]["ip"] = json!("not an address");
    // A text that is too long for a column.
    events[7]["process"]["name"] = json!("long".repeat(4000));
    // Nothing, and the system to be derived.
    events[8]["process"] = json!({});
    events[9]["host"] = json!({"name": "h9", "os": {"family": "windows", "name": "Windows"}});
    events[10]["host"] = json!({"name": "h9"});
    events[10]["agent"] = json!({"type": "winlogbeat"});
    // Dotted names, and a number as text.
    events[11] = json!({"_index": "logs-x-default", "@timestamp": "2026-01-01T10:00:00Z", "process.name": "dotted", "process.pid": "11"});
    // No index, no id, no time.
    events[12].as_object_mut().expect("an object").retain(|name, _| !name.starts_with('_'));
    events[13].as_object_mut().expect("an object").remove("@timestamp");
    events[14].as_object_mut().expect("an object").remove("_id");
    events[16]["@timestamp"] = json!(["2026-01-01T00:00:01Z", "2026-01-01T00:00:02Z"]);
    // A generation of a backing index.
    events[15]["_index"] = json!(".ds-logs-x-default-2026.01.01-000001");
    // A field without a column.
    for (n, event) in events.iter_mut().enumerate().filter(|(n, _)| n % 10 == 0) {
        event["labels"] = json!({"team": format!("t{}", n % 4)});
        event["message"] = json!(format!("user=u{} took {} ms", n % 3, n));
    }
    events
}

fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let lines: Vec<String> = events().iter().map(Value::to_string).collect();
    fs::write(folder.path().join("events.ndjson"), lines.join("\n")).expect("a file");
    let mut command = Command::new(env!("CARGO_BIN_EXE_maxspan"));
    let imported =
        command.current_dir(&folder).args(["import", "--quiet", "--store", "store", "events.ndjson"]);
    assert!(imported.status().expect("a program that runs").success());
    folder
}

/// Queries in which plans, rows from documents, and the executor of rows all play their part.
const QUERIES: [&str; 62] = [
    "FROM logs-* | STATS c = COUNT(*)",
    "FROM logs-x-* | STATS c = COUNT(*) BY _index",
    "FROM logs-* METADATA _index | STATS c = COUNT(*) BY _index",
    "FROM logs-*,-logs-y* | STATS c = COUNT(*)",
    "FROM other-* | STATS c = COUNT(*)",
    "FROM logs-* METADATA _id, _index, _version | WHERE process.pid < 20 | KEEP _id, _index, _version, process.pid",
    r#"FROM logs-* | WHERE process.name == "p3" | STATS c = COUNT(*), v = VALUES(process.pid) BY host.name"#,
    r#"FROM logs-* | WHERE process.name == "other" | KEEP process.name, process.pid"#,
    r#"FROM logs-* | WHERE process.name != "p3" | STATS c = COUNT(*)"#,
    r#"FROM logs-* | WHERE NOT process.name == "p3" OR process.pid > 300 | STATS c = COUNT(*)"#,
    r#"FROM logs-* | WHERE event.category == "process" | STATS c = COUNT(*)"#,
    "FROM logs-* | STATS c = COUNT(*) BY event.category",
    "FROM logs-* | STATS c = COUNT(*), n = COUNT(event.category), d = COUNT_DISTINCT(event.category)",
    "FROM logs-* | STATS c = COUNT(*) BY event.category, process.args",
    "FROM logs-* | STATS c = COUNT(process.pid), d = COUNT_DISTINCT(process.name) BY event.action",
    "FROM logs-* | STATS a = MIN(process.pid), b = MAX(process.pid), s = SUM(process.pid), m = AVG(process.pid)",
    "FROM logs-* | STATS a = MIN(source.port), b = MAX(source.port), s = SUM(source.port), m = AVG(source.port) BY host.name",
    "FROM logs-* | STATS a = MIN(@timestamp), b = MAX(@timestamp), n = COUNT(@timestamp) BY event.action",
    "FROM logs-* | STATS a = MIN(process.name), b = MAX(process.name) BY host.name",
    "FROM logs-* | STATS v = VALUES(host.name), a = VALUES(process.args) BY event.action",
    r#"FROM logs-* | STATS c = COUNT(*) WHERE process.pid > 100, v = VALUES(host.name) WHERE event.action == "start" BY source.ip"#,
    "FROM logs-* | STATS d = COUNT_DISTINCT(source.port % 5) WHERE process.pid > 100, e = COUNT_DISTINCT(source.port) BY host.name",
    r#"FROM logs-* | STATS s = SUM(source.port) WHERE event.action == "end", n = COUNT(process.args) WHERE event.action == "end", m = MIN(source.port) WHERE event.action == "end" BY host.name"#,
    "FROM logs-* | STATS m = MEDIAN(source.port), p = PERCENTILE(source.port, 90) BY host.name",
    "FROM logs-* | STATS t = TOP(process.pid, 3, \"desc\"), f = FIRST(process.name, @timestamp) BY host.name",
    "FROM logs-* | STATS c = COUNT(*) BY host.os.type",
    r#"FROM logs-* | WHERE host.os.type == "windows" | KEEP host.name, process.pid"#,
    "FROM logs-* | STATS c = COUNT(*) BY labels.team",
    r#"FROM logs-* | WHERE labels.team == "t2" | STATS c = COUNT(*), m = MAX(process.pid)"#,
    r#"FROM logs-* | WHERE message IS NOT NULL | DISSECT message "user=%{u} took %{ms} ms" | STATS c = COUNT(*), m = MAX(TO_LONG(ms)) BY u"#,
    r#"FROM logs-* | WHERE message IS NOT NULL | GROK message "user=%{WORD:u} took %{NUMBER:ms:int} ms" | STATS s = SUM(ms) BY u"#,
    "FROM logs-* | EVAL h = DATE_TRUNC(1 hour, @timestamp) | STATS c = COUNT(*) BY h",
    "FROM logs-* | STATS c = COUNT(*) BY BUCKET(@timestamp, 1 day)",
    "FROM logs-* | EVAL d = process.pid / process.parent.pid | WHERE d > 2 | KEEP process.pid, d",
    "FROM logs-* | EVAL x = process.pid * 9223372036854775807 | STATS c = COUNT(x)",
    r#"FROM logs-* | EVAL k = CASE(process.pid < 10, "low", process.pid < 100, "middle", "high") | STATS c = COUNT(*) BY k"#,
    r#"FROM logs-* | EVAL n = COALESCE(process.name, "none") | STATS c = COUNT(*) BY n"#,
    r#"FROM logs-* | EVAL n = TO_UPPER(process.name) | WHERE n LIKE "P1*" | STATS c = COUNT(*) BY n"#,
    r#"FROM logs-* | WHERE process.name LIKE "p?" | STATS c = COUNT(*)"#,
    r#"FROM logs-* | WHERE process.name RLIKE "p[0-4]" | STATS c = COUNT(*)"#,
    r#"FROM logs-* | WHERE process.name IN ("p1", "p2", "other") | STATS c = COUNT(*) BY process.name"#,
    "FROM logs-* | WHERE process.pid IN (1, 2, 4, 399) | KEEP process.pid, process.name",
    r#"FROM logs-* | WHERE source.ip == "10.0.1.1" | STATS c = COUNT(*)"#,
    r#"FROM logs-* | WHERE CIDR_MATCH(source.ip, "10.0.1.0/24") | STATS c = COUNT(*) BY source.ip"#,
    "FROM logs-* | STATS c = COUNT_DISTINCT(source.ip), a = MIN(source.ip), b = MAX(source.ip)",
    r#"FROM logs-* | WHERE KQL("process.name: p1* and not event.action: end") | STATS c = COUNT(*) BY process.name"#,
    r#"FROM logs-* | WHERE process.args : "-1" | STATS c = COUNT(*)"#,
    "FROM logs-* | MV_EXPAND event.category | STATS c = COUNT(*) BY event.category",
    "FROM logs-* | MV_EXPAND process.args | WHERE process.args == \"x\" | STATS c = COUNT(*)",
    "FROM logs-* | EVAL n = MV_COUNT(process.args), j = MV_CONCAT(event.category, \"+\") | STATS c = COUNT(*) BY n, j",
    "FROM logs-* | INLINE STATS m = MAX(process.pid) BY host.name | WHERE process.pid == m | KEEP host.name, process.pid, m",
    "FROM logs-* | SORT process.pid DESC NULLS LAST, @timestamp | LIMIT 7 | KEEP process.pid, @timestamp, process.name",
    "FROM logs-* | WHERE process.pid IS NOT NULL | SORT source.ip, source.port | LIMIT 9 | KEEP source.ip, source.port",
    "FROM logs-* | STATS c = COUNT(*) BY host.name | SORT c DESC, host.name | LIMIT 3",
    "FROM logs-* | STATS c = COUNT(*) BY host.name, event.action | WHERE c > 20 | EVAL e = c * 2 | KEEP host.name, e",
    "FROM logs-* | STATS c = COUNT(*) BY host.name | STATS m = MAX(c), n = COUNT(*)",
    r#"FROM logs-* | WHERE @timestamp >= "2026-01-02T00:00:00Z" | STATS c = COUNT(*)"#,
    r#"FROM logs-* | WHERE @timestamp > NOW() - 30 hours AND @timestamp < "2026-01-02T00:30:00Z" | STATS c = COUNT(*)"#,
    "FROM logs-* | WHERE @timestamp IS NULL | KEEP process.pid, event.action",
    "FROM logs-* | STATS c = COUNT(*) BY a = process.pid % 3, b = a",
    "FROM logs-* | WHERE event.ingested >= \"2026-01-03T00:00:30.123Z\" | STATS c = COUNT(*)",
    "FROM logs-* | WHERE process.name IS NULL | STATS c = COUNT(*), p = PRESENT(process.pid), s = SUM(process.pid)",
];

#[test]
fn a_store_answers_as_files_do() {
    let folder = folder();
    let mut rows = 0;
    for text in QUERIES {
        let files = answer(folder.path(), text, &["events.ndjson"]);
        let store = answer(folder.path(), text, &["--store", "store"]);
        assert_eq!(store, files, "{text}");
        rows += files.1.len();
    }
    assert!(rows > 200, "queries that find nothing prove nothing: {rows} rows");
}

#[test]
fn lookups_look_into_the_tables_of_the_store() {
    let folder = folder();
    fs::write(folder.path().join("owners.csv"), "host.name,owner\nh0,ann\nh1,bob\nh1,eve\n").expect("a file");
    let load = |place: &[&str]| {
        let common =
            ["lookup", "load", "owners", "--kind", "enrich", "--match-field", "host.name", "owners.csv"];
        let mut command = Command::new(env!("CARGO_BIN_EXE_maxspan"));
        let output =
            command.current_dir(&folder).args(common).args(place).output().expect("a program that runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    fs::create_dir(folder.path().join("tables")).expect("a folder");
    load(&["--lookups", "tables"]);
    load(&["--store", "store"]);
    for text in [
        "FROM logs-* | LOOKUP JOIN owners ON host.name | STATS c = COUNT(*) BY owner",
        "FROM logs-* | STATS c = COUNT(*) BY host.name | ENRICH owners ON host.name WITH owner",
    ] {
        let files = answer(folder.path(), text, &["--lookups", "tables", "events.ndjson"]);
        let store = answer(folder.path(), text, &["--store", "store"]);
        assert_eq!(store, files, "{text}");
        assert!(store.1.iter().any(|row| row.contains("ann")), "{text}: {:?}", store.1);
    }
}

#[test]
fn answers_can_be_arrow_files() {
    let folder = folder();
    let text = "FROM logs-* | STATS c = COUNT(*) BY host.name";
    let (out, _) = query(folder.path(), &["--format", "arrow", "--store", "store", text], 0);
    assert!(out.starts_with(b"ARROW1") && out.ends_with(b"ARROW1"), "{} bytes", out.len());
}

#[test]
fn limits_are_errors_with_a_way_out() {
    let folder = folder();
    let check = |arguments: &[&str], expected: &str| {
        let (_, said) = query(folder.path(), &[arguments, &["--store", "store"]].concat(), 2);
        assert!(said.contains(expected), "{arguments:?}: {said}");
    };
    check(
        &["--memory-limit", "64KiB", "FROM logs-* METADATA _id | STATS v = VALUES(process.args) BY _id"],
        "--memory-limit",
    );
    check(&["--timeout", "1ms", "FROM logs-* | STATS c = COUNT(*) BY process.args"], "--timeout");
    let (_, said) = query(folder.path(), &["FROM logs-*", "--store", "nowhere"], 3);
    assert!(said.contains("nowhere"), "{said}");
    let (_, said) = query(folder.path(), &["ROW a = 1", "--store", "store"], 3);
    assert!(said.contains("FROM"), "{said}");
}

#[test]
fn a_damaged_file_is_an_error_that_names_it() {
    let folder = folder();
    let day = folder.path().join("store/logs-y-default/day=2026-01-01");
    let file = fs::read_dir(day).expect("a folder").next().expect("a file").expect("a file").path();
    let bytes = fs::read(&file).expect("bytes");
    fs::write(&file, &bytes[..bytes.len() / 2]).expect("a file");
    let (_, said) = query(folder.path(), &["FROM logs-* | STATS c = COUNT(*)", "--store", "store"], 3);
    assert!(said.contains("MX2102") && said.contains(".parquet"), "{said}");
    let other = "FROM logs-x-* | STATS c = COUNT(*)";
    query(folder.path(), &[other, "--store", "store"], 0);
}
