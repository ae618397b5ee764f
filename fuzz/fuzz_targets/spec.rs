//! Spec files: any text is read, its cases are run, and what would make them pass is written into the text.
#![no_main]

use std::path::Path;
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use maxspan_fuzz::{EVENTS, check_messages, schema};
use maxspan_pipeline::spec::{MemoryFiles, Runner, RunnerOptions, SpecFile, edited, parse};

/// Cases of one text that are run.
const CASES_MAX: usize = 4;

const RULE: &str = r#"[metadata]
maturity = "production"
[rule]
name = "N"
description = "D"
rule_id = "00000000-0000-0000-0000-000000000001"
severity = "low"
risk_score = 1
type = "query"
query = "k: x"
"#;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let spec = parse("specs/a.md", text);
    check_messages(&spec.source, &spec.diagnostics);
    let options = RunnerOptions { schema: schema().clone(), fallback_rules: None };
    let runner = Runner::new(files(), options);
    for (index, case) in spec.cases.iter().enumerate().take(CASES_MAX) {
        let outcome = runner.run(&spec, case);
        if outcome.edits.is_empty() {
            continue;
        }
        for edit in &outcome.edits {
            assert!(text.get(edit.span.start..edit.span.end).is_some(), "{edit:?} does not fit");
        }
        let updated = parse("specs/a.md", &edited(text, &outcome.edits));
        assert_still_there(&spec, &updated, index);
    }
});

/// What an update wrote does not take the file apart.
fn assert_still_there(spec: &SpecFile, updated: &SpecFile, index: usize) {
    assert_eq!(spec.cases.len(), updated.cases.len(), "{}", updated.source.text);
    assert_eq!(spec.cases[index].name, updated.cases[index].name, "{}", updated.source.text);
}

/// What the seeds link to.
fn files() -> &'static MemoryFiles {
    static FILES: OnceLock<MemoryFiles> = OnceLock::new();
    FILES.get_or_init(|| {
        let files = [("specs/r.toml", RULE), ("specs/e.ndjson", EVENTS)];
        let owned = |(path, text): (&str, &str)| (Path::new(path).to_owned(), text.to_owned());
        MemoryFiles { files: files.map(owned).into() }
    })
}
