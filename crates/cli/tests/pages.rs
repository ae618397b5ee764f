//! The pages about codes: each example says what its page claims, and nothing is said about its mended form.
//!
//! A case is a heading with blocks: rules (`toml rule`; `eql rule` and `kuery rule` for a query alone), exceptions,
//! options, and `text diagnostics` with a line `CODE LINE:COLUMN text` for each message, the text perhaps in part. With
//! `MAXSPAN_UPDATE=1` these lines are written, and the index of the pages too.

mod support;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use maxspan_diagnostics::codes::REGISTRY;
use maxspan_diagnostics::{Severity, Source};
use maxspan_eql::Strictness;
use maxspan_pipeline::check::{Check, CheckOptions};
use maxspan_pipeline::rule_base::RuleBaseOptions;
use maxspan_rules::{CompileOptions, LoadOptions, load_paths};

/// Codes whose pages have no example that a rule alone could be, and why.
const WITHOUT_EXAMPLE: [(&str, &str); 11] = [
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
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/diagnostics")
}

fn updates() -> bool {
    std::env::var_os("MAXSPAN_UPDATE").is_some()
}

/// A fenced block of a page.
struct Block {
    /// The words after the fence.
    info: String,
    text: String,
    /// Where the text begins in the page.
    start: usize,
}

/// The blocks under each heading of the second level.
fn sections(page: &str) -> Vec<(String, Vec<Block>)> {
    let mut sections: Vec<(String, Vec<Block>)> = Vec::new();
    let mut open: Option<Block> = None;
    let mut at = 0;
    for line in page.split_inclusive('\n') {
        at += line.len();
        match (&mut open, line.strip_prefix("```")) {
            (Some(_), Some(_)) => sections.last_mut().unwrap().1.extend(open.take()),
            (Some(block), None) => block.text += line,
            (None, Some(info)) => {
                let info = info.trim().to_owned();
                open = Some(Block { info, text: String::new(), start: at });
            }
            (None, None) => {
                if let Some(title) = line.strip_prefix("## ") {
                    sections.push((title.trim().to_owned(), Vec::new()));
                }
            }
        }
    }
    assert!(open.is_none(), "a block is not closed");
    sections
}

/// `interval=5m` or `name="Some name"` of a block's info string.
fn attribute<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    let rest = info.split_once(&format!(" {name}="))?.1;
    match rest.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next(),
        None => rest.split(' ').next(),
    }
}

/// A rule around a query alone, and the byte at which the query begins.
fn rule_around(block: &Block, number: usize) -> (String, usize) {
    let (rule_type, language) =
        if block.info.starts_with("eql") { ("eql", "eql") } else { ("query", "kuery") };
    let or = |name: &str, default: String| attribute(&block.info, name).map_or(default, str::to_owned);
    let mut text = format!(
        "[rule]\nname = \"{}\"\ndescription = \"An example\"\nrule_id = \"{}\"\nseverity = \"low\"\n\
         risk_score = 21\nindex = [\"*\"]\ninterval = \"{}\"\nfrom = \"{}\"\ntype = \"{rule_type}\"\n\
         language = \"{language}\"\nquery = '''\n",
        or("name", format!("Example {number}")),
        or("id", format!("00000000-0000-4000-8000-{number:012}")),
        or("interval", "5m".to_owned()),
        or("from", "now-6m".to_owned()),
    );
    let start = text.len();
    text += &block.text;
    text += "'''\n";
    (text, start)
}

/// What is said about the rules of a section: `CODE LINE:COLUMN message`, places within the blocks.
fn said(blocks: &[Block]) -> Vec<String> {
    let place = support::Place::new();
    let mut starts: Vec<(String, usize)> = Vec::new();
    let mut strict = true;
    for (number, block) in blocks.iter().enumerate() {
        let words: Vec<&str> = block.info.split(' ').take(2).collect();
        let (name, text, start) = match words.as_slice() {
            ["toml", "rule"] => (format!("{number}.toml"), block.text.clone(), 0),
            ["eql" | "kuery", "rule"] => {
                let (text, start) = rule_around(block, number);
                (format!("{number}.toml"), text, start)
            }
            ["ndjson", "rule" | "exceptions"] => (format!("{number}.ndjson"), block.text.clone(), 0),
            ["toml", "options"] => {
                strict = !block.text.contains("strict = false");
                continue;
            }
            ["text", "diagnostics"] => continue,
            other => panic!("a block {other:?} is not known here"),
        };
        place.write(&name, &text);
        starts.push((name, start));
    }
    let loaded = load_paths(&[place.path().to_owned()], &LoadOptions::default());
    let strictness = if strict { Strictness::Elasticsearch } else { Strictness::Lenient };
    let compile = CompileOptions { strictness, ..CompileOptions::default() };
    let base = RuleBaseOptions { compile, ..RuleBaseOptions::default() };
    let checked = Check::new(loaded, CheckOptions { base, lints: true, ..CheckOptions::default() }).finish();
    let said = checked.messages.iter().map(|(source, one)| {
        let file = Path::new(&source.name).file_name().unwrap_or_default().to_string_lossy().into_owned();
        let start = starts.iter().find(|(name, _)| *name == file).map_or(0, |(_, start)| *start);
        let text = source.text.get(start..).unwrap_or("");
        let position = Source::new("", text).position(one.span.start.saturating_sub(start));
        // Where the pages are tested is no part of a message.
        let message = one.message.replace(&format!("{}/", place.path().display()), "");
        format!("{} {position} {message}", one.code)
    });
    said.collect()
}

/// Runs the cases of a page; gives the page as it should be.
fn check_page(name: &str, page: &str, failures: &mut Vec<String>) -> String {
    let mut updated = page.to_owned();
    let mut shown = false;
    // From the end, so that what is written leaves earlier places alone.
    for (title, blocks) in sections(page).iter().rev() {
        let Some(expected) = blocks.iter().find(|block| block.info == "text diagnostics") else { continue };
        let said = said(blocks);
        if title == "Mended" {
            if !said.is_empty() {
                failures.push(format!("{name}: the mended example is not: {said:#?}"));
            }
        } else {
            shown |= said.iter().any(|one| one.starts_with(name));
            if !shown {
                failures.push(format!("{name}: the example says {said:#?}"));
            }
        }
        if updates() {
            let lines: String = said.iter().map(|one| format!("{one}\n")).collect();
            updated.replace_range(expected.start..expected.start + expected.text.len(), &lines);
            continue;
        }
        let lines: Vec<&str> = expected.text.lines().collect();
        assert_eq!(said.len(), lines.len(), "{name}, {title}: {said:#?}");
        for (said, line) in said.iter().zip(lines) {
            let mut words = line.splitn(3, ' ');
            let fits = words.clone().take(2).eq(said.split(' ').take(2)) || words.clone().count() < 2;
            let text = words.nth(2).unwrap_or("");
            assert!(
                said.starts_with(&line[..6]) && fits && said.contains(text),
                "{name}: {said} is not {line}"
            );
        }
    }
    if !failures.is_empty() {
        return updated;
    }
    let has_reason = WITHOUT_EXAMPLE.iter().any(|(code, _)| *code == name);
    assert!(shown != has_reason, "{name}: an example, or a reason for having none");
    updated
}

#[test]
fn examples_of_pages_say_what_the_pages_claim() {
    let (mut count, mut failures) = (0, Vec::new());
    for code in REGISTRY {
        let path = folder().join(format!("{code}.md"));
        let page = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let updated = check_page(&code.to_string(), &page, &mut failures);
        if updates() {
            fs::write(&path, updated).unwrap();
        }
        count += 1;
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert_eq!(
        fs::read_dir(folder()).unwrap().count(),
        count + 1,
        "every page belongs to a code, but for the index"
    );
}

#[test]
fn the_index_lists_every_code() {
    let mut index =
        "# Diagnostics\n\nWhat `maxspan rules check` says, by code. `maxspan rules check --explain CODE` \
                     prints the page of a code.\n\n| code | name | severity | says |\n|---|---|---|---|\n"
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
    if updates() {
        fs::write(&path, &index).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), index, "write it with MAXSPAN_UPDATE=1");
}
