//! The outcome of a check for other programs: JSON, annotations of a GitHub workflow, SARIF.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use maxspan_diagnostics::{Code, Diagnostic, Report, Severity, Source};
use serde_json::{Value, json};

use super::Outcome;

/// Where the pages about codes are.
const PAGES: &str = "docs/diagnostics/";

/// One JSON object.
pub(super) fn json(outcome: &Outcome<'_>) -> String {
    let rules = &outcome.checked.rules;
    let diagnostics: Vec<Report> =
        outcome.checked.messages.iter().map(|(source, one)| Report::new(source, one)).collect();
    let mut by_code: BTreeMap<String, u64> = BTreeMap::new();
    for one in &diagnostics {
        *by_code.entry(one.code.to_string()).or_default() += 1;
    }
    let mut report = json!({
        "rules": rules.read,
        "ok": outcome.ok,
        "failed": outcome.failed,
        "not_run": rules.not_run.len(),
        "by_type": rules.by_type,
        "by_code": by_code,
        "diagnostics": diagnostics,
    });
    if let Some(against) = &outcome.checked.against {
        report["against"] = serde_json::to_value(against).unwrap_or_default();
    }
    pretty(&report)
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}

/// A line for each message, which a workflow shows beside the line that is meant.
pub(super) fn github(outcome: &Outcome<'_>) -> String {
    let mut text = String::new();
    for (source, diagnostic) in &outcome.checked.messages {
        let command = match diagnostic.severity() {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "notice",
        };
        let help = diagnostic.help.as_ref().map(|help| format!("\nhelp: {help}")).unwrap_or_default();
        let code = diagnostic.code;
        let title = property(&format!("{code} {}", code.info().name));
        let message = data(&format!("{}{help}", diagnostic.message));
        // Writing to a string cannot fail.
        let _ = writeln!(text, "::{command} {},title={title}::{message}", place(source, diagnostic));
    }
    text
}

fn place(source: &Source, diagnostic: &Diagnostic) -> String {
    if let Some((file, line)) = &source.part_of {
        return format!("file={},line={line}", property(file));
    }
    let report = Report::new(source, diagnostic);
    let mut place =
        format!("file={},line={},endLine={}", property(&source.name), report.line, report.end_line);
    if report.line == report.end_line {
        // Columns are only looked at within one line.
        let _ = write!(place, ",col={},endColumn={}", report.column, report.end_column);
    }
    place
}

/// Text as workflow commands take it.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// A log of SARIF 2.1.0 with one run.
pub(super) fn sarif(outcome: &Outcome<'_>) -> String {
    let mut codes: Vec<Code> = outcome.checked.messages.iter().map(|(_, one)| one.code).collect();
    codes.sort_by_key(|code| code.info().number);
    codes.dedup();
    let rules: Vec<Value> = codes
        .iter()
        .map(|code| {
            let info = code.info();
            json!({
                "id": code.to_string(),
                "name": info.name,
                "shortDescription": {"text": info.title},
                "help": {"text": format!("{PAGES}{code}.md; maxspan rules check --explain {code}")},
                "defaultConfiguration": {"level": level(info.severity)},
            })
        })
        .collect();
    let results: Vec<Value> =
        outcome.checked.messages.iter().map(|(source, one)| result(source, one)).collect();
    pretty(&json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": "maxspan", "version": env!("CARGO_PKG_VERSION"), "rules": rules}},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    }))
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

fn result(source: &Source, diagnostic: &Diagnostic) -> Value {
    let help = diagnostic.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
    let (file, region) = if let Some((file, line)) = &source.part_of {
        (file, json!({"startLine": line}))
    } else {
        let report = Report::new(source, diagnostic);
        let region = json!({
            "startLine": report.line,
            "startColumn": report.column,
            "endLine": report.end_line,
            "endColumn": report.end_column,
        });
        (&source.name, region)
    };
    let mut result = json!({
        "ruleId": diagnostic.code.to_string(),
        "level": level(diagnostic.severity()),
        "message": {"text": format!("{}{help}", diagnostic.message)},
        "locations": [{
            "physicalLocation": {"artifactLocation": {"uri": uri(file)}, "region": region},
        }],
    });
    if let Some(rule_id) = &diagnostic.rule_id {
        result["properties"] = json!({"rule_id": rule_id});
    }
    result
}

/// A path as a relative or `file:` address.
fn uri(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.replace('\\', "/").bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    if uri.starts_with('/') { format!("file://{uri}") } else { uri }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_escaped() {
        assert_eq!(data("50%\nmore"), "50%25%0Amore");
        assert_eq!(property("a:b,c"), "a%3Ab%2Cc");
        assert_eq!(uri("rules/my rule.toml"), "rules/my%20rule.toml");
        assert_eq!(uri("/rules/a.toml"), "file:///rules/a.toml");
    }
}
