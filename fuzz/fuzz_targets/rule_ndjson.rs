//! Rules as Kibana exports them: any text is read as NDJSON and as JSON, what can be used is compiled and run; every
//! message fits the text.
#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use maxspan_diagnostics::Source;
use maxspan_rules::{parse_json, parse_ndjson};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let source = Arc::new(Source::new("rules", text));
    maxspan_fuzz::check_file(&source, parse_ndjson(&source));
    maxspan_fuzz::check_file(&source, parse_json(&source));
});
