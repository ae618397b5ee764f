//! The pages about codes: each example says what its page claims, and nothing is said about its mended form.
//!
//! Pages are specs, and are run as specs. Those about the messages of specs show whole specs instead, which are parsed.
//! `MAXSPAN_UPDATE=1` writes the index of the pages, and what is said about ES|QL; `maxspan test --update
//! docs/diagnostics` writes what rules' checks say.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use maxspan_diagnostics::codes::REGISTRY;
use maxspan_diagnostics::{Diagnostic, Severity, Source, has_errors};
use maxspan_esql::EventSchema;
use maxspan_event::Schema;
use maxspan_pipeline::spec::{MemoryFiles, Runner, RunnerOptions, Verdict, parse};

/// Codes whose pages have no example that a rule alone could be, and why.
const WITHOUT_EXAMPLE: [(&str, &str); 27] = [
    ("MX1112", "takes a query of hundreds of brackets; tested in the parser"),
    ("MX1302", "only an option of the library gives it; tested in the parser"),
    ("MX1303", "takes a query of hundreds of brackets; tested in the parser"),
    ("MX1409", "is about files, not about their text; tested where rules are loaded"),
    ("MX1412", "takes megabytes; tested where rules are loaded"),
    ("MX1415", "takes thousands of files; tested where rules are loaded"),
    ("MX1670", "takes events; tested in `pipeline::against`"),
    ("MX1671", "takes events; tested in `pipeline::against`"),
    ("MX1672", "takes events; tested in `pipeline::against`"),
    ("MX1673", "takes events; tested in `pipeline::against`"),
    ("MX1674", "takes events; tested in `pipeline::against`"),
    ("MX1806", "takes thousands of cases; tested in `crates/pipeline/tests/specs.rs`"),
    ("MX1901", "is about a profile; tested in `pipeline::profile`"),
    ("MX1902", "is about the stats of a hunt; tested in `pipeline::profile`"),
    ("MX2003", "takes a query of hundreds of brackets; tested in the parser"),
    ("MX2101", "is about a store, not about rules; tested in the crate `store`"),
    ("MX2102", "is about a store, not about rules; tested in the crate `store`"),
    ("MX2103", "is about a store, not about rules; tested in the crate `store`"),
    ("MX2104", "is about a store, not about rules; tested in the crate `store`"),
    ("MX2105", "is about a store, not about rules; tested in the crate `store`"),
    ("MX2106", "is about a store, not about rules; tested in the crate `store`"),
    ("MX2107", "is about a store, not about rules; tested in the crate `store`"),
    ("MX2108", "is about a store, not about rules; tested in the crate `store`"),
    ("MX2109", "is about a store, not about rules; tested in the crate `store`"),
    ("MX2110", "is about a store, not about rules; tested in the crate `store`"),
    ("MX2111", "is about a store, not about rules; tested in the crate `store`"),
    ("MX2112", "is about a store, not about rules; tested in the crate `store`"),
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/diagnostics")
}

#[test]
fn examples_of_pages_say_what_the_pages_claim() {
    let files = MemoryFiles::default();
    let runner = Runner::new(&files, RunnerOptions::default());
    for code in REGISTRY {
        let name = code.to_string();
        let path = folder().join(format!("{name}.md"));
        let page = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let shown = if (1800..1900).contains(&code.info().number) {
            check_specs(&name, &page)
        } else if (2000..2100).contains(&code.info().number) {
            check_esql(&name, &page)
        } else {
            check_rules(&name, &page, &runner)
        };
        let has_reason = WITHOUT_EXAMPLE.iter().any(|(code, _)| *code == name);
        assert!(shown != has_reason, "{name}: an example and its mended form, or a reason for having none");
    }
    let pages = fs::read_dir(folder()).unwrap().count();
    assert_eq!(pages, REGISTRY.len() + 1, "every page belongs to a code, but for the index");
}

/// Runs the page's cases; whether an example has the code and a mended one says nothing.
fn check_rules(name: &str, page: &str, runner: &Runner<'_>) -> bool {
    let spec = parse(&format!("{name}.md"), page);
    assert!(spec.diagnostics.is_empty(), "{name}: {:?}", spec.diagnostics);
    for case in &spec.cases {
        let outcome = runner.run(&spec, case);
        assert_eq!(outcome.verdict, Verdict::Passed, "{name}: {:#?}", outcome.differences);
    }
    let said = |title: &str| section(page, title).and_then(|text| block(text, "text diagnostics", "```"));
    let has_code = |text: &str| text.lines().any(|line| line.starts_with(name));
    said("Example").is_some_and(has_code) && said("Mended").is_some_and(|text| text.trim().is_empty())
}

/// Parses the specs of the page; whether the example gives the code and the mended one no message.
fn check_specs(name: &str, page: &str) -> bool {
    let codes = |title: &str| {
        let text = block(section(page, title)?, "markdown", "````")?;
        Some(parse("example.md", text).diagnostics.iter().map(|one| one.code.to_string()).collect::<Vec<_>>())
    };
    match (codes("Example"), codes("Mended")) {
        (Some(example), Some(mended)) => {
            assert!(example.iter().any(|code| code == name), "{name}: the example says {example:?}");
            assert!(mended.is_empty(), "{name}: the mended example says {mended:?}");
            true
        }
        _ => false,
    }
}

/// Resolves the queries of the page against the built-in schema; whether the example says what the page shows, and the
/// mended one nothing.
fn check_esql(name: &str, page: &str) -> bool {
    let schema = EventSchema::new(Schema::built_in());
    let said = |title: &str| {
        let source = Source::new("query", block(section(page, title)?, "esql", "```")?.trim_end());
        let (tree, mut found) = maxspan_esql::parse(&source.text);
        if !has_errors(&found) {
            found.extend(maxspan_esql::analyze(&tree, &source, &schema).1);
        }
        let line =
            |one: &Diagnostic| format!("{} {} {}\n", one.code, source.position(one.span.start), one.message);
        Some(found.iter().map(line).collect::<String>())
    };
    let Some(example) = said("Example") else { return false };
    let shown = section(page, "Example").and_then(|text| block(text, "text", "```"));
    if let (Some(shown), true) = (shown, std::env::var_os("MAXSPAN_UPDATE").is_some()) {
        fs::write(folder().join(format!("{name}.md")), page.replacen(shown, &example, 1)).unwrap();
        return true;
    }
    assert_eq!(shown, Some(example.as_str()), "{name}");
    assert!(example.starts_with(name), "{name}: the example says {example}");
    assert_eq!(said("Mended").as_deref(), Some(""), "{name}");
    true
}

/// What stands under a heading of the second level.
fn section<'a>(page: &'a str, title: &str) -> Option<&'a str> {
    let rest = page.split_once(&format!("\n## {title}\n"))?.1;
    let end = ["\n## Mended\n", "\n## Switching it off\n"].iter().filter_map(|next| rest.find(next)).min();
    Some(&rest[..end.unwrap_or(rest.len())])
}

/// The content of the first block with this info string.
fn block<'a>(text: &'a str, info: &str, fence: &str) -> Option<&'a str> {
    let rest = text.split_once(&format!("{fence}{info}\n"))?.1;
    let end = rest.find(&format!("{fence}\n")).unwrap_or(rest.len() - fence.len());
    Some(&rest[..end])
}

#[test]
fn the_index_lists_every_code() {
    let mut index = "# Diagnostics\n\nWhat `maxspan rules check` says about rules, and `maxspan test` about specs, by code. \
                     `maxspan rules check --explain CODE`\nprints the page of a code.\n\n\
                     | code | name | severity | says |\n|---|---|---|---|\n"
        .to_owned();
    for code in REGISTRY {
        let info = code.info();
        let severity = match info.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        };
        let _ = writeln!(index, "| [{code}]({code}.md) | `{}` | {severity} | {} |", info.name, info.title);
    }
    let path = folder().join("README.md");
    if std::env::var_os("MAXSPAN_UPDATE").is_some() {
        fs::write(&path, &index).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), index, "write it with MAXSPAN_UPDATE=1");
}
