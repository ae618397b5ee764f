//! Makes the files of the cases.

use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use crate::support::{Place, catch_all_rule, defaults_event, defaults_rule, ndjson};

/// What happens beside the program.
pub(crate) type Meanwhile = fn(&Path);

pub(crate) const NOTHING: Meanwhile = |_| ();

/// A file whose broken second line stands between two good ones.
fn second_line(place: &Place, line: &[u8]) {
    let good = b"{\"process\":{\"name\":\"good\"}}\n";
    place.write("bad.ndjson", [good.as_slice(), line, b"\n", good].concat());
}

pub(crate) fn malformed(place: &Place) {
    second_line(place, b"{\"process\":{\"name\": nonsense}}");
}

pub(crate) fn not_utf8(place: &Place) {
    second_line(place, b"{\"process\":{\"name\":\"\xff\xfe\"}}");
}

pub(crate) fn nul_bytes(place: &Place) {
    second_line(place, b"{\"process\":{\"name\":\"x\0y\"}}");
}

/// What a crash leaves in a log: a hole of zeros in the middle of the file.
pub(crate) fn hole(place: &Place) {
    second_line(place, &vec![0; 32 << 20]);
}

pub(crate) fn nested_named(place: &Place) {
    let (open, close) = ("[".repeat(10_000), "]".repeat(10_000));
    second_line(place, format!("{{\"process\":{{\"name\":{open}1{close}}}}}").as_bytes());
}

pub(crate) fn nested_open(place: &Place) {
    second_line(place, "{\"a\":[".repeat(10_000).as_bytes());
}

pub(crate) fn long_line(place: &Place) {
    let mut line = b"{\"process\":{\"name\":\"".to_vec();
    line.resize(100_000_000, b'x');
    line.extend_from_slice(b"\"}}");
    second_line(place, &line);
}

pub(crate) fn great_numbers(place: &Place) {
    let event = defaults_event("2026-03-12T10:00:00.000Z", "mac-3").to_string();
    let pids = "[123456789012345678901234567890, -9223372036854775809, 18446744073709551615, 1e-999]";
    let event = event.replacen("\"defaults\"", &format!("[\"defaults\", 1e999], \"pid\": {pids}"), 1);
    second_line(place, event.as_bytes());
}

/// Of the two names the rule asks for the first one, which a parser that keeps the last would lose.
pub(crate) fn repeated_keys(place: &Place) {
    let event = defaults_event("2026-03-12T10:00:00.000Z", "mac-3").to_string();
    let event = event.replacen("\"defaults\"", "\"defaults\", \"name\": \"other\"", 1);
    second_line(place, event.as_bytes());
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("writing to memory");
    encoder.finish().expect("writing to memory")
}

pub(crate) fn truncated_gzip(place: &Place) {
    let whole = gzip(&b"{\"process\":{\"name\":\"good\"}}\n".repeat(1_000));
    place.write("bad.ndjson.gz", &whole[..whole.len() - 20]);
}

/// Sixteen GiB of zeros in 16 MiB: the same member again and again.
pub(crate) fn bomb(place: &Place) {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&vec![0; 64 << 20]).expect("writing to memory");
    let member = encoder.finish().expect("writing to memory");
    place.write("bad.ndjson.gz", member.repeat(256));
}

#[cfg(unix)]
pub(crate) fn folder_loop(place: &Place) {
    place.write("folder/good.ndjson", "{\"process\":{\"name\":\"good\"}}\n");
    std::os::unix::fs::symlink(".", place.path().join("folder/loop")).expect("a link");
    std::os::unix::fs::symlink(".", place.path().join("rules/loop")).expect("a link");
}

/// A link to nothing: unlike a file without rights, root cannot read it either.
#[cfg(unix)]
pub(crate) fn unreadable(place: &Place) {
    std::os::unix::fs::symlink("nowhere", place.path().join("bad.ndjson")).expect("a link");
    std::os::unix::fs::symlink("nowhere", place.path().join("rules/bad.toml")).expect("a link");
}

pub(crate) fn growing(place: &Place) {
    let events: Vec<_> =
        (0..1_000).map(|n| defaults_event("2026-03-12T10:00:00.000Z", &n.to_string())).collect();
    place.write("bad.ndjson", ndjson(&events));
}

/// Appends lines while the program reads.
pub(crate) fn grow(folder: &Path) {
    let mut file = OpenOptions::new().append(true).open(folder.join("bad.ndjson")).expect("the file");
    for n in 0..1_000 {
        let event = defaults_event("2026-03-12T10:00:00.000Z", &format!("more-{n}"));
        // One write a line, so that no line is seen in part.
        file.write_all(format!("{event}\n").as_bytes()).expect("a line more");
    }
}

pub(crate) const BROKEN_ID: &str = "5b2b3cd8-3c6e-4c52-8d8c-6c1a1f8f7a02";

pub(crate) fn broken_query(place: &Place) {
    place.write("rules/bad.toml", catch_all_rule(BROKEN_ID, "Broken", "event.kind: ) or b"));
    place.write("bad.eql", "process where (true");
}

fn eql_rule(query: &str) -> String {
    catch_all_rule(BROKEN_ID, "Large", query).replace("\"query\"", "\"eql\"").replace("\"kuery\"", "\"eql\"")
}

/// Expressions that are each within the limits, and together fill any memory; and one whose automaton explodes.
pub(crate) fn exploding_regex(place: &Place) {
    let many: Vec<String> = (0..20_000).map(|n| format!("\"[^x]{{900}}{n}\"")).collect();
    let query = format!("process where process.name regex ({})", many.join(", "));
    place.write("rules/bad.toml", eql_rule(&query));
    place.write("bad.eql", format!("process where process.name regex \"a{}b~(c|d)\"", "@x".repeat(100)));
}

pub(crate) fn large_rule(place: &Place) {
    let rule = catch_all_rule(BROKEN_ID, "Large", "event.kind: *");
    place.write("rules/bad.toml", rule.replace("\"D\"", &format!("\"{}\"", "x".repeat(10_000_000))));
    let query = format!("process where process.name in ({}\"x\")", "\"y\", ".repeat(2_000_000));
    place.write("bad.eql", query);
}

/// Every field unknown, so that each asks for a message and for names that are alike.
pub(crate) fn many_messages(place: &Place) {
    let unknown: Vec<String> = (0..20_000).map(|n| format!("prcess.nam{n} == \"x\"")).collect();
    place.write("bad.eql", format!("process where {}", unknown.join(" or ")));
    let lines: String = (0..20_000).map(|n| format!("{{\"rule_id\": {n}}}\n")).collect();
    place.write("rules/bad.ndjson", lines);
}

pub(crate) fn many_exceptions(place: &Place) {
    let rule = defaults_rule().replacen(
        "[rule]\n",
        "[rule]\nexceptions_list = [{ id = \"1\", list_id = \"many\", type = \"detection\", namespace_type = \"single\" }]\n",
        1,
    );
    place.write("rules/defaults.toml", rule);
    fs::create_dir(place.path().join("exceptions")).expect("a folder");
    let file = File::create(place.path().join("exceptions/many.ndjson")).expect("a file");
    let mut file = BufWriter::new(file);
    for n in 0..100_000 {
        writeln!(
            file,
            r#"{{"list_id":"many","item_id":"i{n}","name":"I{n}","type":"simple","namespace_type":"single","entries":[{{"field":"host.name","type":"match","operator":"included","value":"other-{n}"}}]}}"#
        )
        .expect("a line");
    }
    file.flush().expect("the file");
}

/// Indicators whose second row is no UTF-8, and whose third is not whole.
pub(crate) fn cut_csv(place: &Place) {
    let rows = b"threat.indicator.ip,threat.indicator.name\n192.0.2.1,a\n192.0.2.2,\xff\n192.0.2.3,\"cut";
    place.write("bad.csv", rows);
}

pub(crate) fn many_columns(place: &Place) {
    let names: Vec<String> = (0..1_000_000).map(|number| format!("c{number}")).collect();
    place.write("bad.csv", names.join(",") + "\n");
}

pub(crate) fn nested_pattern(place: &Place) {
    let pattern = format!("[{}url:value = 'x'{}]", "(".repeat(10_000), ")".repeat(10_000));
    let indicator = |id: u32, pattern: &str| json!({"type": "indicator", "id": format!("indicator--{id}"), "pattern": pattern, "pattern_type": "stix"});
    let objects = [indicator(1, &pattern), indicator(2, "[url:value = 'x']")];
    place.write("bad.stix", json!({"type": "bundle", "objects": objects}).to_string());
}

pub(crate) fn no_bundle(place: &Place) {
    place.write("bad.stix", "{\"type\": \"bundle\", \"objects\": [");
}
