//! Reading input from real files: every shape under every compression, every kind of bad input with good input
//! around it, the shared packs of real events, and bytes that mean nothing.

use std::fs;
use std::io::{self, Cursor, Read, Write};
use std::path::{Path, PathBuf};

use maxspan_pipeline::input::{InputOptions, InputSpec, Item, ProblemKind, RawEvent, Reader};
use maxspan_pipeline::limits::InputLimits;
use proptest::prelude::*;
use serde_json::{Value, json};

/// What a reading gave: the sources of events as text, and the problems as `kind line`.
#[derive(Debug, Default, PartialEq)]
struct Outcome {
    events: Vec<String>,
    problems: Vec<String>,
}

fn read_all(reader: &mut Reader) -> (Vec<RawEvent>, Vec<String>) {
    let (mut events, mut problems) = (Vec::new(), Vec::new());
    for item in reader.by_ref() {
        match item {
            Item::Event(event) => events.push(event),
            Item::Problem(problem) => {
                problems.push(format!("{} {}", problem.kind.name(), problem.location.line));
            }
        }
    }
    assert_eq!(reader.counts().events, events.len() as u64);
    assert_eq!(reader.counts().problems().map(|(_, count)| count).sum::<u64>(), problems.len() as u64);
    (events, problems)
}

fn read_paths<P: AsRef<Path>>(paths: &[P], options: InputOptions) -> Outcome {
    let mut reader = Reader::open(&InputSpec::new(paths), options);
    let (events, problems) = read_all(&mut reader);
    let progress = reader.progress();
    assert_eq!(Some(progress.bytes_read), progress.bytes_total, "all bytes of all files are read");
    let text = |event: &RawEvent| String::from_utf8_lossy(&event.source).into_owned();
    Outcome { events: events.iter().map(text).collect(), problems }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("writing to memory");
    encoder.finish().expect("writing to memory")
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).expect("writing to memory")
}

/// The bytes as they are, and in every compression, whole and in two parts.
fn compressed(bytes: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let (head, tail) = bytes.split_at(bytes.len() / 2);
    vec![
        ("plain", bytes.to_vec()),
        ("gzip", gzip(bytes)),
        ("gzip in two members", [gzip(head), gzip(tail)].concat()),
        ("zstd", zstd(bytes)),
        ("zstd in two frames", [zstd(head), zstd(tail)].concat()),
    ]
}

/// Events with everything in them that could be taken for structure.
fn documents() -> Vec<Value> {
    vec![
        json!({"@timestamp": "2024-01-01T00:00:00Z", "process": {"args": ["a}{", "]", "\\"], "pid": 1}}),
        json!({"message": "say \"_source\": {\n} \u{1F600}", "hits": {"hits": 1}, "empty": {}, "list": []}),
        json!({"index": "no action", "nested": [{"_id": "inner", "a": [[{}]]}], "n": -1.5e30}),
    ]
}

fn joined(documents: &[Value], separator: &str, text: fn(&Value) -> String) -> String {
    documents.iter().map(text).collect::<Vec<_>>().join(separator)
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).expect("a value can be written")
}

fn hits() -> Vec<Value> {
    let hit = |(number, source): (usize, Value)| json!({"_index": "i", "_id": number.to_string(), "_score": null, "_source": source, "sort": [1]});
    documents().into_iter().enumerate().map(hit).collect()
}

fn search() -> Value {
    json!({"took": 1, "timed_out": false, "_shards": {"total": 1}, "hits": {"total": {"value": 3}, "hits": hits()}})
}

fn eql_sequences() -> Value {
    let hits = hits();
    json!({"is_partial": false, "hits": {"total": {"value": 2}, "sequences": [
        {"join_keys": ["x", 1], "events": [hits[0], hits[1]]},
        {"join_keys": [], "events": [hits[2]]},
    ]}})
}

/// Writes `text` in every compression, and checks that the events of [`documents`] come out, with indexes and ids
/// where `wrapped`.
#[track_caller]
fn check_shape(shape: &str, text: &str, wrapped: bool, times: usize) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (compression, bytes) in compressed(text.as_bytes()) {
        let path = folder.path().join("events.of-any-name");
        fs::write(&path, bytes).expect("a file");
        let mut reader = Reader::open(&InputSpec::new([&path]), InputOptions::default());
        let (events, problems) = read_all(&mut reader);
        assert_eq!(problems, Vec::<String>::new(), "{shape}, {compression}");
        let parsed: Vec<Value> = events
            .iter()
            .map(|event| serde_json::from_slice(&event.source).expect("a source is whole"))
            .collect();
        let expected: Vec<Value> = std::iter::repeat_n(documents(), times).flatten().collect();
        assert_eq!(parsed, expected, "{shape}, {compression}");
        for (number, event) in events.iter().enumerate() {
            let id = wrapped.then(|| (number % 3).to_string());
            assert_eq!(event.id, id, "{shape}, {compression}");
            assert_eq!(event.index.as_deref(), wrapped.then_some("i"), "{shape}, {compression}");
            assert_eq!(event.location.ordinal, number as u64, "{shape}, {compression}");
        }
        assert_eq!(reader.counts().bytes_decompressed, text.len() as u64, "{shape}, {compression}");
    }
}

#[test]
fn plain_documents_arrive_in_every_shape() {
    let all = documents();
    let array = Value::from(all.clone());
    check_shape("lines", &joined(&all, "\n", Value::to_string), false, 1);
    check_shape(
        "lines with CRLF and blanks",
        &(joined(&all, "\r\n\r\n", Value::to_string) + "\r\n"),
        false,
        1,
    );
    check_shape("lines with BOM", &format!("\u{feff}{}\n", joined(&all, "\n", Value::to_string)), false, 1);
    check_shape("array", &array.to_string(), false, 1);
    check_shape("array, pretty", &pretty(&array), false, 1);
    check_shape(
        "array, an element a line",
        &format!("[\n{}\n]\n", joined(&all, ",\n", Value::to_string)),
        false,
        1,
    );
    check_shape("arrays, one a line", &format!("{array}\n{array}\n"), false, 2);
    check_shape("array of arrays", &format!("[{array},{array}]"), false, 2);
    check_shape("objects, pretty", &joined(&all, "\n", pretty), false, 1);
    check_shape("objects, adjacent", &joined(&all, "", Value::to_string), false, 1);
    check_shape("objects, pretty and adjacent", &joined(&all, "", pretty), false, 1);
    check_shape(
        "lines, then pretty",
        &format!("{}\n{}", joined(&all, "\n", Value::to_string), joined(&all, "\n", pretty)),
        false,
        2,
    );
}

#[test]
fn wrapped_documents_arrive_in_every_shape() {
    let (hits, search) = (hits(), search());
    check_shape("hits, one a line", &joined(&hits, "\n", Value::to_string), true, 1);
    check_shape("hits in an array", &pretty(&Value::from(hits.clone())), true, 1);
    check_shape("hits, pretty", &joined(&hits, "\n", pretty), true, 1);
    check_shape("search response", &search.to_string(), true, 1);
    check_shape("search response, pretty", &pretty(&search), true, 1);
    check_shape("search responses, one a line", &format!("{search}\n{search}\n"), true, 2);
    check_shape("search responses, pretty", &format!("{}\n{}\n", pretty(&search), pretty(&search)), true, 2);
    check_shape("search responses in an array", &json!([search, search]).to_string(), true, 2);
    check_shape("msearch", &json!({"took": 1, "responses": [search, search]}).to_string(), true, 2);
    check_shape("msearch, pretty", &pretty(&json!({"responses": [search, {"error": {}}, search]})), true, 2);
    check_shape(
        "async search",
        &json!({"id": "x", "is_running": false, "response": search}).to_string(),
        true,
        1,
    );
    check_shape("EQL events", &json!({"timed_out": false, "hits": {"events": hits}}).to_string(), true, 1);
    check_shape("EQL sequences", &pretty(&eql_sequences()), true, 1);
    let bulk =
        |hit: &Value| format!("{}\n{}", json!({"index": {"_index": "i", "_id": hit["_id"]}}), hit["_source"]);
    check_shape("bulk", &(joined(&hits, "\n", bulk) + "\n"), true, 1);
    let create = |hit: &Value| {
        format!("{{ \"create\": {{\"_index\":\"i\", \"_id\":{}}}}}\r\n{}", hit["_id"], hit["_source"])
    };
    check_shape("bulk, create", &joined(&hits, "\r\n", create), true, 1);
}

#[test]
fn bookkeeping_beside_the_fields_is_taken_out_and_left_in() {
    let text = "{\"_index\":\"i\",\"_src\":\"x\",\"_id\":\"1\",\"a\":1}\n{\"a\":2,\"b\":{},\"_id\":\"2\"}\n";
    let mut reader = Reader::of_bytes("body", Cursor::new(text), InputOptions::default());
    let (events, problems) = read_all(&mut reader);
    assert!(problems.is_empty(), "{problems:?}");
    let shown: Vec<_> = events.iter().map(|event| (event.index.as_deref(), event.id.as_deref())).collect();
    assert_eq!(shown, [(Some("i"), Some("1")), (None, Some("2"))]);
    let sources: Vec<_> = events.iter().map(|event| String::from_utf8_lossy(&event.source)).collect();
    assert_eq!(sources, text.lines().collect::<Vec<_>>());
}

/// Limits small enough to reach.
fn small() -> InputOptions {
    let limits = InputLimits { document_bytes_max: 1000, document_depth_max: 20, ..InputLimits::default() };
    InputOptions { limits }
}

/// Checks that of `parts`, written one after the other, those that are whole JSON arrive, and what is told.
#[track_caller]
fn check_bad(bytes: &[u8], good: &[&str], problems: &[&str]) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (compression, stored) in compressed(bytes) {
        let path = folder.path().join("x");
        fs::write(&path, stored).expect("a file");
        let read = read_paths(&[&path], small());
        assert_eq!(read.events, good, "{compression}");
        assert_eq!(read.problems, problems, "{compression}");
    }
}

#[test]
fn good_input_around_bad_input_arrives() {
    let (one, two) = (r#"{"a":1}"#, r#"{"a":2}"#);
    let around = |bad: &[u8]| [one.as_bytes(), b"\n", bad, b"\n", two.as_bytes(), b"\n"].concat();
    let deep = r#"{"a":"#.repeat(50);
    let huge = format!(r#"{{"a":"{}"}}"#, "x".repeat(5000));
    for (bad, kind) in [
        (&b"no json at all {"[..], "malformed 2"),
        (b"{\"a\":\"cut of", "malformed 2"),
        (b"{\"a\":[1,2", "malformed 3"),
        (b"\xfftext", "invalid-utf8 2"),
        (b"[1]", "not-an-object 2"),
        (b"\"text\"", "not-an-object 2"),
        (deep.as_bytes(), "too-deep 2"),
        (huge.as_bytes(), "too-long 2"),
        (&huge.as_bytes()[..4000], "too-long 2"),
        (b"{\"hits\":{\"hits\":[{\"_id\":\"1\"}]}}", "no-source 2"),
        (b"{\"delete\":{\"_id\":\"1\"}}", "bulk-delete 2"),
        (b"{\"update\":{\"_id\":\"1\"}}\n{\"doc\":{}}", "bulk-update 2"),
    ] {
        check_bad(&around(bad), &[one, two], &[kind]);
    }
    // A line that is whole but wrong inside is the decoder's to refuse.
    check_bad(&around(b"{\"a\":nil}"), &[one, "{\"a\":nil}", two], &[]);
    check_bad(b"", &[], &["empty 1"]);
    check_bad(b"\n \r\n", &[], &["empty 3"]);
}

#[test]
fn good_elements_around_bad_elements_arrive() {
    let (one, two) = (r#"{"a":1}"#, r#"{"a":2}"#);
    let huge = format!(r#"{{"a":"{}"}}"#, "x".repeat(5000));
    let deep = format!("{}1{}", r#"{"a":"#.repeat(50), "}".repeat(50));
    for (bad, kind) in [
        ("{\"a\":nil}", "malformed 2"),
        ("{\"a\" 1}", "malformed 2"),
        ("{\"a\":\"cut of", "malformed 2"),
        ("7", "not-an-object 2"),
        (&huge, "too-long 2"),
        (&deep, "too-deep 2"),
    ] {
        check_bad(format!("[{one},\n{bad},\n{two}]").as_bytes(), &[one, two], &[kind]);
        let hits =
            format!("{{\"hits\":{{\"hits\":[{{\"_source\":{one}}},\n{bad},\n{{\"_source\":{two}}}]}}}}");
        check_bad(hits.as_bytes(), &[one, two], &[kind]);
    }
}

/// Bytes of many events that do not compress to nothing.
fn many_lines() -> Vec<String> {
    let noise = |number: u64| number.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(17);
    (0..5000)
        .map(|number| format!("{{\"n\":{number},\"noise\":{{\"x\":\"{:x}\"}}}}", noise(number)))
        .collect()
}

#[test]
fn events_before_the_end_of_a_truncated_file_arrive() {
    let lines = many_lines();
    let text = lines.join("\n");
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, whole) in [("gz", gzip(text.as_bytes())), ("zst", zstd(text.as_bytes()))] {
        let path = folder.path().join(name);
        fs::write(&path, &whole[..whole.len() * 2 / 3]).expect("a file");
        let read = read_paths(&[&path], InputOptions::default());
        assert_eq!(read.events, lines[..read.events.len()], "{name}");
        assert!(read.events.len() > 2000, "{name}: {}", read.events.len());
        let line = read.events.len() + 1;
        assert_eq!(read.problems, [format!("truncated {line}")], "{name}");
    }
}

#[test]
fn events_before_damage_arrive() {
    let lines = many_lines();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let text = lines.join("\n") + "\n";
    for (name, whole) in [("gz", gzip(text.as_bytes())), ("zst", zstd(text.as_bytes()))] {
        let path = folder.path().join(name);
        fs::write(&path, [&whole, &b"this is no more of it"[..]].concat()).expect("a file");
        let mut reader = Reader::open(&InputSpec::new([&path]), InputOptions::default());
        let (events, problems) = read_all(&mut reader);
        assert_eq!(events.len(), lines.len(), "{name}");
        assert_eq!(problems, ["damaged 5001"], "{name}");
    }
}

#[test]
fn files_that_cannot_be_read_are_told_and_the_others_are_read() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let at = |name: &str| folder.path().join(name);
    fs::write(at("a.json"), "{}").expect("a file");
    fs::write(at("b.json"), "").expect("a file");
    fs::create_dir(at("none")).expect("a folder");
    let paths = [at("missing.json"), at("a.json"), at("none"), at("b.json")];
    let read = read_paths(&paths, InputOptions::default());
    assert_eq!(read.events, ["{}"]);
    assert_eq!(read.problems, ["unreadable 0", "empty 0", "empty 1"]);
}

#[cfg(unix)]
#[test]
fn a_file_without_permission_is_told() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (closed, open) = (folder.path().join("a.json"), folder.path().join("b.json"));
    fs::write(&closed, "{\"a\":1}").expect("a file");
    fs::write(&open, "{}").expect("a file");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).expect("permissions can be set");
    if fs::File::open(&closed).is_ok() {
        println!("SKIPPED: this user may read every file");
        return;
    }
    let mut reader = Reader::open(&InputSpec::new([folder.path()]), InputOptions::default());
    let (events, problems) = read_all(&mut reader);
    assert_eq!((events.len(), problems), (1, vec!["unreadable 0".to_owned()]));
}

#[test]
fn folders_are_read_in_order_and_every_event_says_where_it_was() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("b.ndjson"), "{\"n\":2}\n\n{\"n\":3}\n").expect("a file");
    fs::write(folder.path().join("a.json.zst"), zstd(b"[{\"n\":1}]")).expect("a file");
    fs::write(folder.path().join("notes.txt"), "not read").expect("a file");
    let mut reader = Reader::open(&InputSpec::new([folder.path()]), InputOptions::default());
    let (events, problems) = read_all(&mut reader);
    assert!(problems.is_empty(), "{problems:?}");
    let shown: Vec<_> = events
        .iter()
        .map(|event| {
            let file = event.location.file.rsplit('/').next().unwrap_or_default().to_owned();
            (file, event.location.line, event.location.ordinal)
        })
        .collect();
    let at = |file: &str, line, ordinal| (file.to_owned(), line, ordinal);
    assert_eq!(shown, [at("a.json.zst", 1, 0), at("b.ndjson", 1, 0), at("b.ndjson", 3, 1)]);
    assert_eq!(reader.counts().files, 2);
}

/// Packs of real events, with the number of lines that `spec/data-notes.md` says they have.
const PACKS: [(&str, usize); 6] = [
    ("winlog-golden-pairs", 701),
    ("ecs-samples", 742),
    ("elastic-defend-samples", 252),
    ("macos-elastic-defend", 60),
    ("ecs-beats-modules", 10_348),
    ("aws-cloudtrail-raw", 413),
];

#[test]
fn the_shared_packs_have_as_many_events_as_lines() {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared");
    let shared = std::env::var_os("MAXSPAN_SHARED").map_or_else(|| PathBuf::from(default), PathBuf::from);
    let data = shared.join("data");
    if !data.is_dir() {
        assert!(std::env::var_os("CI").is_none(), "{} must be there in CI", data.display());
        println!("SKIPPED: {} is not there", data.display());
        return;
    }
    for (pack, lines) in PACKS {
        let path = data.join(format!("{pack}.ndjson.gz"));
        let read = read_paths(&[path], InputOptions::default());
        assert_eq!(read.problems, Vec::<String>::new(), "{pack}");
        assert_eq!(read.events.len(), lines, "{pack}");
    }
}

/// Gives its bytes a few at a time.
struct Dribble {
    bytes: Cursor<Vec<u8>>,
    piece: usize,
}

impl Read for Dribble {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = buffer.len().min(self.piece);
        self.bytes.read(&mut buffer[..length])
    }
}

/// All items of `bytes` read in pieces.
fn items(bytes: &[u8], piece: usize, options: InputOptions) -> Vec<Item> {
    let source = Dribble { bytes: Cursor::new(bytes.to_vec()), piece };
    let mut reader = Reader::of_bytes("x", source, options);
    let mut items = Vec::new();
    while let Some(item) = reader.next() {
        items.push(item);
        assert!(items.len() as u64 <= reader.counts().bytes_decompressed + 4, "the reading comes to an end");
    }
    items
}

/// Text made of what the reader looks for.
fn pieces_of_json() -> impl Strategy<Value = String> {
    let parts = [
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        "\n",
        " ",
        "  ",
        "1",
        "true",
        "x",
        "\r\n",
        "\"a\":",
        "{\"a\":1}",
        "{}",
        "\"hits\":",
        "{\"hits\":{\"hits\":[",
        "\"_source\":{",
        "\"_index\":\"i\"",
        "\"_id\":\"1\",",
        "{\"index\":{}}\n",
        "{\"delete\":{}}\n",
        "{\"update\":{}}\n",
        "{\"responses\":[",
        "\"sequences\":[",
        "{\"events\":[",
        "\u{feff}",
        "é",
        "]}}\n",
        "}\n{",
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ];
    proptest::collection::vec(proptest::sample::select(parts.to_vec()), 0..60)
        .prop_map(|parts| parts.concat())
}

/// Limits that a short text can reach.
fn tiny() -> InputOptions {
    let limits = InputLimits {
        document_bytes_max: 60,
        document_depth_max: 4,
        array_depth_max: 2,
        ..InputLimits::default()
    };
    InputOptions { limits }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_come_to_an_end(bytes in proptest::collection::vec(any::<u8>(), 0..300), magic in 0..4_usize) {
        let head: &[u8] = [&b""[..], b"\x1f\x8b\x08\0\0\0\0\0\0\x03", b"\x28\xb5\x2f\xfd", b"[{"][magic];
        items(&[head, &bytes].concat(), 7, tiny());
    }

    #[test]
    fn the_items_do_not_depend_on_how_bytes_arrive(text in pieces_of_json(), piece in 1..9_usize) {
        let whole = items(text.as_bytes(), usize::MAX, tiny());
        prop_assert_eq!(items(text.as_bytes(), piece, tiny()), whole);
    }

    #[test]
    fn every_source_is_a_part_of_the_input(text in pieces_of_json()) {
        for item in items(text.as_bytes(), 1000, InputOptions::default()) {
            if let Item::Event(event) = item {
                prop_assert!(text.as_bytes().windows(event.source.len()).any(|part| *part == *event.source));
                prop_assert_eq!((event.source.first(), event.source.last()), (Some(&b'{'), Some(&b'}')));
            }
        }
    }

    #[test]
    fn lines_around_a_broken_line_arrive(text in pieces_of_json()) {
        // What opens an array may rightly take the lines after it in, and an action the next line.
        let line = text.replace(['\n', '\r', '['], "").replace("index", "x").replace("update", "x");
        let body = format!("{{\"first\":1}}\n{line}\n{{\"second\":2}}\n{{\"third\":3}}\n");
        let items = items(body.as_bytes(), 1000, InputOptions::default());
        let has = |part: &[u8]| items.iter().any(|item| matches!(item, Item::Event(event) if memchr::memmem::find(&event.source, part).is_some()));
        prop_assert!(has(b"{\"first\":1}") && has(b"\"third\":3"), "{items:?}");
    }
}

#[test]
fn kinds_are_counted_by_themselves() {
    let mut reader = Reader::of_bytes("x", Cursor::new("{}\n5\n6\nx\n"), InputOptions::default());
    assert_eq!(reader.by_ref().count(), 4);
    let counts = reader.counts();
    assert_eq!(counts.problems_of(ProblemKind::NotAnObject), 2);
    assert_eq!(
        counts.problems().collect::<Vec<_>>(),
        [(ProblemKind::Malformed, 1), (ProblemKind::NotAnObject, 2)]
    );
}
