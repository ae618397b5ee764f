//! What the tests of stores share: folders, imports, and what a scan gives.
#![allow(dead_code, unreachable_pub, missing_docs)]

use std::sync::Arc;

use maxspan_store::{ImportCounts, Importer, NewEvent, ScanRequest, Store, StoreOptions};
use tempfile::TempDir;

/// A new store in a folder that goes with it.
pub fn store() -> (TempDir, Arc<Store>) {
    store_with(StoreOptions { threads: 2, ..StoreOptions::default() })
}

pub fn store_with(options: StoreOptions) -> (TempDir, Arc<Store>) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("store");
    let store = Store::create(path.to_str().expect("a path in UTF-8"), options).expect("a new store");
    (folder, Arc::new(store))
}

/// Imports documents with their index and id.
pub fn import(store: &Arc<Store>, events: &[(&str, &str, &str)]) -> ImportCounts {
    let mut importer = Importer::new(Arc::clone(store));
    for (index, id, source) in events {
        let (index, id) =
            (Some(*index).filter(|text| !text.is_empty()), Some(*id).filter(|text| !text.is_empty()));
        let event = NewEvent { index, id, source: source.as_bytes() };
        importer.push(&event).expect("an import that goes on").expect("a document that can be read");
    }
    let (counts, outcome) = importer.finish();
    outcome.expect("an import that ends well");
    counts
}

/// The documents that a scan gives, in its order.
pub fn scanned(store: &Arc<Store>, request: &ScanRequest) -> Vec<String> {
    let mut found = Vec::new();
    for batch in store.scan(request).expect("a scan") {
        let batch = batch.expect("a batch");
        found.extend(batch.iter().map(|event| String::from_utf8_lossy(event.source).into_owned()));
    }
    found
}

/// An event of a second of the first of January 2026, with more members.
pub fn event(second: u32, more: &str) -> String {
    format!(r#"{{"@timestamp":"2026-01-01T00:{:02}:{:02}.123456789Z"{more}}}"#, second / 60, second % 60)
}
