//! TOML rule files: any text is read, what can be used is compiled and run; every message fits the text.
#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use maxspan_diagnostics::Source;
use maxspan_rules::{TomlOptions, parse_toml};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let source = Arc::new(Source::new("rule.toml", text));
    let options = TomlOptions { any_maturity: true, ..TomlOptions::default() };
    maxspan_fuzz::check_file(&source, parse_toml(&source, &options));
});
