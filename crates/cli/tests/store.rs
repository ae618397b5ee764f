//! The event store as a user meets it: filled, searched, hunted through, looked after, on disk and in an object store, and
//! read by other programs.
//!
//! What needs Python takes the one that `MAXSPAN_PYTHON` names, with `tests/python/requirements.txt` installed;
//! `cargo xtask test` makes one.

use std::env;
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

const RULE: &str = r#"
[rule]
rule_id = "00000000-0000-4000-8000-000000000001"
name = "curl"
description = "curl"
risk_score = 21
severity = "low"
type = "eql"
language = "eql"
query = 'process where process.name == "curl"'
"#;

/// A command in a folder.
fn maxspan(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_maxspan"));
    command.current_dir(folder).args(arguments);
    command
}

/// What it writes, after it ended with this code.
#[track_caller]
fn run(folder: &Path, arguments: &[&str], code: i32) -> (String, String) {
    outcome(maxspan(folder, arguments).output().expect("a program that runs"), code)
}

#[track_caller]
fn outcome(output: Output, code: i32) -> (String, String) {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("output in UTF-8");
    let (out, error) = (text(output.stdout), text(output.stderr));
    assert_eq!(output.status.code(), Some(code), "{error}{out}");
    (out, error)
}

/// Events of two days, of which every tenth is of curl.
fn events() -> Vec<String> {
    let event = |n: u32| {
        let (day, name) = (1 + n / 50, if n.is_multiple_of(10) { "curl" } else { "sh" });
        format!(
            r#"{{"_index":"logs-x-default","@timestamp":"2026-01-{day:02}T00:00:{:02}.5Z","event":{{"category":["process"]}},"process":{{"name":"{name}","pid":{n},"args":["{name}","{n}"],"entity_id":"e{}"}}}}"#,
            n % 50,
            n / 10
        )
    };
    (0..100).map(event).collect()
}

/// A folder with events, a rule, and a store of the events.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("events.ndjson"), events().join("\n")).expect("a file");
    fs::create_dir(folder.path().join("rules")).expect("a folder");
    fs::write(folder.path().join("rules/curl.toml"), RULE).expect("a file");
    let (_, said) = run(folder.path(), &["import", "--store", "store", "events.ndjson"], 0);
    assert!(said.contains("100 events read") && said.contains("100 stored, 0 known already"), "{said}");
    folder
}

#[test]
fn events_go_in_and_come_out() {
    let folder = folder();
    let check = |arguments: &[&str], expected: &[usize]| {
        let arguments = [&["export", "--store", "store", "--documents"], arguments].concat();
        let (out, _) = run(folder.path(), &arguments, 0);
        let all = events();
        let expected: Vec<&str> = expected.iter().map(|number| all[*number].as_str()).collect();
        assert_eq!(out.lines().collect::<Vec<_>>(), expected, "{arguments:?}");
    };
    check(&[], &(0..100).collect::<Vec<_>>());
    check(&["--from", "2026-01-02T00:00:48Z"], &[98, 99]);
    check(&["--to", "2026-01-01T00:00:01Z"], &[0, 1]);
    check(&["--where", r#"process.entity_id == "e3" and process.pid < 33"#], &[30, 31, 32]);
    check(&["--where", r#"process.name : "CURL""#, "--to", "2026-01-01"], &[0, 10, 20, 30, 40]);
    check(&["--language", "kql", "--where", "process.pid: 7 or process.args: 9"], &[7, 9]);
    check(&["--index", "logs-y-*"], &[]);
    check(&["--index", "logs-*", "--where", "process.pid == 5"], &[5]);
    let (out, _) = run(folder.path(), &["export", "--store", "store", "--where", "process.pid == 5"], 0);
    assert_eq!(out, format!("{{\"create\":{{\"_index\":\"logs-x-default\"}}}}\n{}\n", events()[5]));
    let (_, said) = run(folder.path(), &["export", "--store", "store", "--where", "process.pid =="], 2);
    assert!(said.contains("the condition has errors"), "{said}");
}

#[test]
fn a_hunt_through_a_store_finds_what_one_through_files_does() {
    let folder = folder();
    let hunt = |input: &[&str]| {
        let common = ["hunt", "--rules", "rules", "--quiet", "--now", "2026-02-01", "--no-cap"];
        run(folder.path(), &[&common[..], input].concat(), 0).0
    };
    let expected = hunt(&["events.ndjson"]);
    assert_eq!(expected.lines().count(), 10);
    assert_eq!(hunt(&["--store", "store"]), expected);
    // A store is a folder of Delta tables, and these are folders of Parquet files.
    assert_eq!(hunt(&["store"]), expected);
    let day = "store/logs-x-default/day=2026-01-01";
    assert_eq!(hunt(&[day]).lines().count(), 5);
}

#[test]
fn a_hunt_reads_of_a_store_what_its_rules_can_look_at() {
    let folder = folder();
    let others = events().join("\n").replace("logs-x-default", "logs-y-default");
    fs::write(folder.path().join("others.ndjson"), others).expect("a file");
    run(folder.path(), &["import", "--store", "store", "others.ndjson"], 0);
    let check = |more_of_rule: &str, window: &[&str], read: u32, alerts: usize| {
        fs::write(folder.path().join("rules/curl.toml"), format!("{RULE}{more_of_rule}")).expect("a file");
        let hunt = |input: &[&str]| {
            let common = ["hunt", "--rules", "rules", "--now", "2026-02-01", "--no-cap"];
            run(folder.path(), &[&common[..], window, input].concat(), 0)
        };
        let (expected, _) = hunt(&["events.ndjson", "others.ndjson"]);
        let (found, said) = hunt(&["--store", "store"]);
        assert_eq!(found, expected, "{more_of_rule} {window:?}");
        assert_eq!(found.lines().count(), alerts, "{more_of_rule} {window:?}");
        assert!(said.contains(&format!("{read} read")), "{more_of_rule} {window:?}: {said}");
    };
    let index = "index = [\"logs-x-*\"]\n";
    check("", &[], 200, 20);
    check(index, &[], 100, 10);
    check("", &["--to", "2026-01-01"], 100, 10);
    check(index, &["--from", "2026-01-02", "--to", "2026-01-02T00:00:19"], 20, 2);
    // A time that no column has leaves out nothing; `event.ingested` is one, and no event has it.
    check("timestamp_override = \"event.created\"\n", &["--to", "2026-01-01"], 200, 10);
    check("timestamp_override = \"event.ingested\"\n", &["--to", "2026-01-01"], 100, 10);
}

#[test]
fn a_store_is_looked_after() {
    let folder = folder();
    let (_, said) = run(folder.path(), &["import", "--store", "store", "events.ndjson"], 0);
    assert!(said.contains("0 stored, 100 known already"), "{said}");
    let (out, _) = run(folder.path(), &["store", "info", "--json", "store"], 0);
    let info: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((&info["events"], &info["files"], &info["days"]), (&100.into(), &2.into(), &2.into()));
    let (out, _) = run(folder.path(), &["store", "info", "store"], 0);
    assert!(out.contains("logs-x-default") && out.contains("100 events, 2 files"), "{out}");
    let (_, said) = run(folder.path(), &["store", "verify", "store"], 0);
    assert!(said.contains("100 events read; 0 damaged"), "{said}");
    run(folder.path(), &["store", "compact", "store"], 0);
    let retain = ["store", "retain", "--days", "1", "--keep-hours", "0", "--now", "2026-01-02", "store"];
    let (_, said) = run(folder.path(), &retain, 0);
    assert!(said.contains("50 events in 1 files"), "{said}");
    let day = folder.path().join("store/logs-x-default/day=2026-01-02");
    let file = fs::read_dir(&day).expect("a folder").next().expect("a file").expect("an entry").path();
    fs::write(&file, &fs::read(&file).expect("a file")[..200]).expect("a file");
    let (_, said) = run(folder.path(), &["store", "verify", "store"], 3);
    assert!(
        said.contains("MX2102") && said.contains(&*file.file_name().expect("a name").to_string_lossy()),
        "{said}"
    );
    let (_, said) = run(folder.path(), &["export", "--store", "store"], 3);
    assert!(said.contains("MX2102"), "{said}");
    let (_, said) = run(folder.path(), &["store", "info", "rules"], 2);
    assert!(said.contains("MX2101"), "{said}");
}

#[test]
fn bad_lines_are_counted_and_good_ones_stored() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let lines = format!("{}\nno JSON\n{{\"process\":{{\"name\":tru}}}}\n{}\n", events()[0], events()[1]);
    fs::write(folder.path().join("bad.ndjson"), lines).expect("a file");
    let (_, said) = run(folder.path(), &["import", "--store", "store", "bad.ndjson"], 0);
    assert!(said.contains("2 stored") && said.contains("2 problems"), "{said}");
    let (_, said) = run(folder.path(), &["import", "--store", "store", "none.ndjson"], 3);
    assert!(said.contains("none.ndjson: unreadable"), "{said}");
}

// ---- With Python

/// The Python to use; none where there is none.
fn python() -> Option<Command> {
    let Some(path) = env::var_os("MAXSPAN_PYTHON") else {
        let what = "MAXSPAN_PYTHON names no Python with crates/cli/tests/python/requirements.txt";
        assert!(env::var_os("CI").is_none(), "{what}");
        println!("SKIPPED: {what}");
        return None;
    };
    Some(Command::new(path))
}

fn script(name: &str) -> String {
    format!("{}/tests/python/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn other_programs_read_the_tables() {
    let Some(mut python) = python() else { return };
    let folder = folder();
    let read = python.current_dir(folder.path()).arg(script("read.py")).arg("store/logs-x-default").output();
    let (out, _) = outcome(read.expect("Python"), 0);
    let found: Value = serde_json::from_str(&out).expect("JSON");
    for reader in ["deltalake", "duckdb"] {
        let found = &found[reader];
        assert_eq!(found["events"], 100, "{reader}");
        assert_eq!(found["pids"], 4950, "{reader}");
        assert_eq!(found["names"], serde_json::json!({"curl": 10, "sh": 90}), "{reader}");
        assert_eq!(found["args"], serde_json::json!(["curl", "0"]), "{reader}");
        assert_eq!(found["days"], serde_json::json!(["2026-01-01", "2026-01-02"]), "{reader}");
        assert_eq!(found["documents"], serde_json::json!(events()), "{reader}");
    }
}

#[test]
fn parquet_and_delta_of_others_are_read() {
    let Some(mut python) = python() else { return };
    let folder = folder();
    outcome(python.arg(script("others.py")).arg(folder.path()).output().expect("Python"), 0);
    for input in ["nested.parquet", "dotted.parquet", "table"] {
        let arguments = ["hunt", "--rules", "rules", "--quiet", "--now", "2026-02-01", input];
        let (out, _) = run(folder.path(), &arguments, 0);
        let alerts: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert_eq!(alerts.len(), 1, "{input}: {out}");
        assert!(out.contains("2026-01-01T12:00:00"), "{input}: {out}");
    }
    let cut = folder.path().join("cut.parquet");
    let whole = fs::read(folder.path().join("nested.parquet")).expect("a file");
    fs::write(&cut, &whole[..whole.len() / 2]).expect("a file");
    let arguments = ["hunt", "--rules", "rules", "--quiet", "cut.parquet", "dotted.parquet"];
    let (out, said) = run(folder.path(), &arguments, 0);
    assert_eq!(out.lines().count(), 1, "{said}");
    assert!(said.contains("cut.parquet: damaged") && said.contains("MX2102"), "{said}");
}

/// A server that ends with the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_store_can_be_in_an_object_store() {
    let (Some(mut server), Some(mut bucket)) = (python(), python()) else { return };
    let folder = folder();
    let port =
        TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port();
    let endpoint = format!("http://127.0.0.1:{port}");
    server.args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &port.to_string()]);
    let server = server.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let _server = Server(server.expect("a server"));
    outcome(bucket.arg(script("bucket.py")).args([&endpoint, "events"]).output().expect("Python"), 0);
    let environment = [
        ("AWS_ENDPOINT_URL", endpoint.as_str()),
        ("AWS_ALLOW_HTTP", "true"),
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_REGION", "us-east-1"),
    ];
    let on_server = |arguments: &[&str]| {
        let output = maxspan(folder.path(), arguments).envs(environment).output();
        outcome(output.expect("a program that runs"), 0)
    };
    let store = "s3://events/of/machines";
    let (_, said) = on_server(&["import", "--store", store, "events.ndjson"]);
    assert!(said.contains("100 stored"), "{said}");
    let (_, said) = on_server(&["import", "--store", store, "events.ndjson"]);
    assert!(said.contains("100 known already"), "{said}");
    let (out, _) = on_server(&["export", "--store", store, "--documents"]);
    assert_eq!(out.lines().collect::<Vec<_>>(), events());
    let (_, said) = on_server(&["store", "verify", store]);
    assert!(said.contains("100 events read; 0 damaged"), "{said}");
    on_server(&["store", "compact", "--keep-hours", "0", store]);
    let (out, _) = on_server(&["hunt", "--rules", "rules", "--quiet", "--store", store]);
    assert_eq!(out.lines().count(), 10);
}

#[test]
fn indicators_of_a_store_are_read_from_their_streams_however_old_they_are() {
    let place = tempfile::tempdir().expect("a folder");
    let rule = serde_json::json!({"rule_id": "r", "name": "R", "description": "D", "severity": "low", "risk_score": 21,
        "type": "threat_match", "language": "kuery", "query": "*", "index": ["logs-*"], "threat_index": ["ti-*"],
        "threat_language": "kuery", "threat_query": "threat.indicator.ip: *", "threat_mapping": [{"entries": [
            {"field": "source.ip", "type": "mapping", "value": "threat.indicator.ip"}]}]});
    let events = concat!(
        r#"{"@timestamp": "2026-03-01T10:00:00Z", "_index": "ti-a", "threat": {"indicator": {"ip": "192.0.2.7"}}}"#,
        "\n",
        r#"{"@timestamp": "2026-03-10T10:01:00Z", "_index": "logs-a", "source": {"ip": "192.0.2.7"}}"#,
        "\n",
    );
    fs::write(place.path().join("rule.ndjson"), format!("{rule}\n")).expect("a file");
    fs::write(place.path().join("events.ndjson"), events).expect("a file");
    run(place.path(), &["import", "events.ndjson", "--store", "store"], 0);
    let hunt = |input: &[&str]| {
        let common =
            ["hunt", "--rules", "rule.ndjson", "--quiet", "--now", "2026-04-01", "--from", "2026-03-05"];
        run(place.path(), &[&common[..], input].concat(), 0).0
    };
    let expected = hunt(&["events.ndjson"]);
    assert_eq!(expected.lines().count(), 1, "{expected}");
    assert_eq!(hunt(&["--store", "store"]), expected);
}
