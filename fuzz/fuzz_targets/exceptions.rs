//! Exceptions: any text is read as exported exception lists, and applied to a rule that names the list `l`.
#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use maxspan_diagnostics::Source;
use maxspan_fuzz::{check_messages, run};
use maxspan_rules::{LoadedRules, parse_ndjson};

/// A rule that every event matches, with the list `l` and the value list `v` beside it.
const RULE: &str = r#"{"rule_id":"r","name":"N","description":"D","severity":"low","risk_score":1,"type":"query",
    "query":"@timestamp:*","language":"kuery","index":["*"],"exceptions_list":[
    {"id":"1","list_id":"l","type":"detection","namespace_type":"single"}]}"#;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let source = Arc::new(Source::new("exceptions.ndjson", text));
    let file = parse_ndjson(&source);
    check_messages(&source, &file.diagnostics);
    let rule = maxspan_rules::parse_json(&Arc::new(Source::new("rule.json", RULE)));
    let mut loaded = LoadedRules { rules: rule.rules, ..LoadedRules::default() };
    loaded.value_lists.insert("v".to_owned(), ["x", "192.0.2.0/24", "7", ""].map(str::to_owned).to_vec());
    for list in file.lists {
        loaded.exceptions.insert_list(list);
    }
    for item in file.items {
        loaded.exceptions.insert_item(item);
    }
    run(loaded);
});
