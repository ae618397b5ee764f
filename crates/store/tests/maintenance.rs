//! Stores that are looked after: small files merged, old days dropped, damage named and the rest still read.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use maxspan_diagnostics::codes;
use maxspan_store::maintain::CompactOptions;
use maxspan_store::{ScanRequest, Store, StoreOptions, Streams};
use support::{event, import, scanned, store};

/// A store with an event a second, written by as many imports as there are parts.
fn filled(store: &Arc<Store>, count: u32, parts: u32) -> Vec<String> {
    let events: Vec<String> =
        (0..count).map(|n| event(n, &format!(r#","process":{{"pid":{n},"args":["a","{n}"]}}"#))).collect();
    for part in 0..parts {
        let mine = events.iter().enumerate().filter(|(n, _)| *n as u32 % parts == part);
        let rows: Vec<_> = mine.map(|(_, source)| ("logs-x-default", "", source.as_str())).collect();
        import(store, &rows);
    }
    events
}

/// All data files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() && !entry.ends_with("_delta_log") {
            found.extend(files(&entry));
        } else if entry.extension().is_some_and(|extension| extension == "parquet") {
            found.push(entry);
        }
    }
    found.sort();
    found
}

fn at_once() -> CompactOptions {
    CompactOptions { keep: Duration::ZERO, ..CompactOptions::default() }
}

#[test]
fn small_files_become_large_ones_with_the_same_events() {
    let (folder, store) = store();
    let events = filled(&store, 900, 5);
    assert_eq!(files(folder.path()).len(), 5);
    let counts = store.compact(&Streams::default(), at_once()).expect("a compaction");
    assert_eq!((counts.files_before, counts.files_after, counts.events, counts.deleted), (5, 1, 900, 5));
    assert_eq!(files(folder.path()).len(), 1);
    assert_eq!(scanned(&store, &ScanRequest::default()), events);
    let (verified, problems) = store.verify(&Streams::default(), |_| ()).expect("a check");
    assert_eq!((verified.events, verified.files, verified.bad), (900, 1, 0), "{problems:?}");
    let again = store.compact(&Streams::default(), at_once()).expect("a compaction");
    assert_eq!((again.files_before, again.deleted), (0, 0));
    let rows: Vec<_> = events.iter().map(|source| ("logs-x-default", "", source.as_str())).collect();
    let counts = import(&store, &rows);
    assert_eq!((counts.stored, counts.duplicates), (0, 900), "what was compacted is still known");
}

#[test]
fn old_days_are_dropped() {
    let (folder, store) = store();
    let days = ["2026-01-01", "2026-01-02", "2026-01-03"]
        .map(|day| format!(r#"{{"@timestamp":"{day}T12:00:00Z"}}"#));
    let untimed = r#"{"a":1}"#;
    let rows: Vec<_> =
        days.iter().map(String::as_str).chain([untimed]).map(|event| ("i", "", event)).collect();
    import(&store, &rows);
    let counts = store.retain(&Streams::default(), 20_455, Duration::ZERO).expect("a retention");
    assert_eq!((counts.events, counts.files, counts.deleted), (1, 1, 1));
    assert_eq!(scanned(&store, &ScanRequest::default()), [untimed, &days[1], &days[2]]);
    assert_eq!(files(folder.path()).len(), 3);
    let info = store.info(&Streams::default()).expect("what is there");
    assert_eq!((info[0].events, info[0].days, info[0].untimed), (3, 2, 1));
}

#[test]
fn a_damaged_file_is_named_and_the_others_are_read() {
    let (folder, store) = store();
    let events = filled(&store, 30, 3);
    let damaged = files(folder.path()).remove(1);
    let whole = fs::read(&damaged).expect("a file");
    let name = damaged.file_name().expect("a name").to_string_lossy().into_owned();
    let check = |content: Option<&[u8]>, code| {
        match content {
            Some(content) => fs::write(&damaged, content).expect("a file that is written"),
            None => fs::remove_file(&damaged).expect("a file that is removed"),
        }
        let mut read = 0;
        let mut errors = Vec::new();
        for batch in store.scan(&ScanRequest::default()).expect("a scan") {
            match batch {
                Ok(batch) => read += batch.len(),
                Err(error) => errors.push(error),
            }
        }
        assert!(read >= 20 && read <= events.len(), "{read}");
        let (counts, problems) = store.verify(&Streams::default(), |_| ()).expect("a check");
        assert_eq!((counts.bad, problems.len(), counts.files), (1, 1, 3));
        assert_eq!(problems[0].code, code, "{}", problems[0]);
        assert!(problems[0].place.contains(&name), "{}", problems[0]);
        errors
    };
    assert_eq!(check(Some(&whole[..whole.len() / 2]), codes::STORE_DAMAGED).len(), 1);
    assert_eq!(check(Some(&[]), codes::STORE_DAMAGED).len(), 1);
    let mut changed = whole.clone();
    changed[100] ^= 1;
    check(Some(&changed), codes::STORE_DAMAGED);
    let mut footer = whole.clone();
    let end = footer.len() - 20;
    footer[end] ^= 0xff;
    check(Some(&footer), codes::STORE_DAMAGED);
    assert_eq!(check(None, codes::STORE_FILE_MISSING).len(), 1);
}

#[test]
fn what_is_no_store_is_said_to_be_none() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let place = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let check =
        |outcome: maxspan_store::Result<Store>, code| assert_eq!(outcome.expect_err("no store").code, code);
    let options = StoreOptions::default();
    check(Store::open(&place("none"), options), codes::STORE_NONE);
    fs::create_dir(place("other")).expect("a folder");
    fs::write(folder.path().join("other/file.txt"), "x").expect("a file");
    check(Store::open(&place("other"), options), codes::STORE_NONE);
    check(Store::create(&place("other"), options), codes::STORE_NONE);
    check(Store::open("nothing://x/y", options), codes::STORE_ADDRESS);
    check(Store::open(&place("none"), StoreOptions { memory: 1, ..options }), codes::STORE_MEMORY);
    fs::create_dir(place("newer")).expect("a folder");
    fs::write(folder.path().join("newer/maxspan-store.json"), r#"{"format":2}"#).expect("a file");
    check(Store::open(&place("newer"), options), codes::STORE_FORMAT);
    check(Store::create(&place("newer"), options), codes::STORE_FORMAT);
}
