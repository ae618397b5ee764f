//! How large a store becomes, and how fast it is filled and searched, without the program around it.
//!
//! ```text
//! measure fill STORE FILE...          NDJSON, of which a leading `_index` is understood
//! measure compact STORE
//! measure find STORE FIELD=VALUE... [FROM TO]   all must hold; how many events, in how many milliseconds
//! measure repeat COUNT FILE...                  so many events to standard output: the files' again and again, each time
//!                                               under the next two weeks, with other hosts and processes
//! ```

use std::env;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use maxspan_event::{Value, date};
use maxspan_store::maintain::CompactOptions;
use maxspan_store::{Equality, Importer, NewEvent, ScanRequest, Store, StoreOptions, Streams};

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let options = StoreOptions { threads: 2, ..StoreOptions::default() };
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["fill", store, files @ ..] => {
            fill(&Arc::new(Store::create(store, options).expect("a store")), files);
        }
        ["compact", store] => compact(&Store::open(store, options).expect("a store")),
        ["find", store, conditions @ ..] => find(store, options, conditions),
        ["repeat", count, files @ ..] => repeat(count.parse().expect("a number"), files),
        _ => eprintln!("measure fill|compact|find|repeat ARGUMENT..."),
    }
}

fn fill(store: &Arc<Store>, files: &[&str]) {
    let started = Instant::now();
    let mut importer = Importer::new(Arc::clone(store));
    let (mut bytes, mut refused) = (0, 0);
    for file in files {
        let mut reader = BufReader::with_capacity(1 << 20, File::open(file).expect("a file"));
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).expect("a line") > 0 {
            bytes += line.len();
            let source = line.trim_ascii();
            let index = source
                .strip_prefix(b"{\"_index\":\"")
                .and_then(|rest| rest.split(|byte| *byte == b'"').next());
            let index = index.and_then(|index| std::str::from_utf8(index).ok());
            refused +=
                u64::from(importer.push(&NewEvent { index, id: None, source }).expect("an import").is_err());
            line.clear();
        }
    }
    let (counts, outcome) = importer.finish();
    outcome.expect("an import");
    let seconds = started.elapsed().as_secs_f64();
    println!("{counts:?}, {refused} refused");
    println!("{seconds:.1} s, {:.0} MB/s of JSON", bytes as f64 / 1e6 / seconds);
    let stored = stored(store);
    println!("{stored} bytes, 1/{:.1} of the JSON", bytes as f64 / stored as f64);
}

fn stored(store: &Store) -> u64 {
    let streams = store.info(&Streams::default()).expect("what is there");
    streams.iter().map(|stream| stream.bytes).sum()
}

fn compact(store: &Store) {
    let started = Instant::now();
    let options = CompactOptions { keep: Duration::ZERO, ..CompactOptions::default() };
    let counts = store.compact(&Streams::default(), options).expect("a compaction");
    println!("{counts:?}, {:.1} s, {} bytes", started.elapsed().as_secs_f64(), stored(store));
}

fn find(store: &str, options: StoreOptions, conditions: &[&str]) {
    let started = Instant::now();
    let store = Arc::new(Store::open(store, options).expect("a store"));
    let (equal, times): (Vec<&str>, Vec<&str>) = conditions.iter().partition(|text| text.contains('='));
    let equality = |condition: &str| {
        let (field, value) = condition.split_once('=').expect("FIELD=VALUE");
        Equality { field: field.to_owned(), values: vec![Value::text(value)] }
    };
    let equals = equal.into_iter().map(equality).collect();
    let time = |place: usize| times.get(place).map(|text| date::parse(text).expect("a time"));
    let request = ScanRequest { equals, from: time(0), to: time(1), ..ScanRequest::default() };
    let mut events = 0;
    for batch in store.scan(&request).expect("a scan") {
        events += batch.expect("a batch").len();
    }
    println!("{events} events, {:.1} ms", started.elapsed().as_secs_f64() * 1e3);
}

/// Days from one copy of the events to the next.
const COPY_DAYS: i64 = 14;

fn repeat(count: usize, files: &[&str]) {
    let mut out = BufWriter::with_capacity(1 << 20, io::stdout().lock());
    let lines: Vec<String> = files
        .iter()
        .flat_map(|file| BufReader::new(File::open(file).expect("a file")).lines())
        .map(|line| line.expect("a line"))
        .collect();
    let copies = (0..).flat_map(|copy| lines.iter().map(move |line| (copy, line)));
    for (copy, line) in copies.take(count) {
        writeln!(out, "{}", moved(line, copy)).expect("an output");
    }
    out.flush().expect("an output");
}

/// The event some weeks later, on another host.
fn moved(line: &str, copy: i64) -> String {
    let value = |key: &str, within: &str| {
        let start = within.find(key)? + key.len();
        let end = start + within[start..].find('"')?;
        Some(within[start..end].to_owned())
    };
    let mut line = line.to_owned();
    let day = value("\"@timestamp\":\"", &line).and_then(|time| time.get(..10).map(str::to_owned));
    if let Some(day) = day
        && let Some(nanos) = date::parse(&day)
    {
        let later = date::format_millis(nanos + copy * COPY_DAYS * 86_400_000_000_000);
        line = line.replace(&day, &later[..10]);
    }
    let host = line.find("\"host\":{").map(|start| &line[start..]);
    let host = host.and_then(|host| value("\"name\":\"", host));
    for name in [host, value("\"entity_id\":\"", &line)].into_iter().flatten() {
        line = line.replace(&format!("\"{name}\""), &format!("\"{name}-{copy}\""));
    }
    line
}
