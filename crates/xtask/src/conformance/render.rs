//! Reports of conformance tests as Markdown: a table of all, then a section for each.
//!
//! The text depends on nothing but the reports: neither on the order in which they come, nor on time or machine.

use std::fmt::Write;

use serde::Deserialize;

const HEADER: &str = "\
# Conformance

Made by `cargo xtask conformance` from the results of its tests; do not edit.

| what | bar | result | share |
|---|---|---|---|
";

/// What one test reports.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Report {
    /// Unique and short.
    name: String,
    /// What was compared with what.
    title: String,
    /// What must be reached, in words.
    bar: String,
    /// Cases that gave the expected result.
    passed: u64,
    /// All cases.
    total: u64,
    /// What a reader must know of the cases and the comparison.
    #[serde(default)]
    notes: Vec<String>,
    /// Cases that did not pass or were not compared.
    #[serde(default)]
    exceptions: Vec<Exception>,
    /// Reports of a low order come first; equal ones by name.
    order: u32,
}

/// A case that did not pass, and why.
#[derive(Debug, Clone, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(deny_unknown_fields)]
struct Exception {
    case: String,
    reason: String,
}

/// The whole document.
pub(crate) fn document(mut reports: Vec<Report>) -> String {
    reports.sort_by(|a, b| (a.order, &a.name).cmp(&(b.order, &b.name)));
    let rows: String = reports.iter().map(row).collect();
    let sections: String = reports.iter().map(section).collect();
    format!("{HEADER}{rows}{sections}")
}

fn row(report: &Report) -> String {
    let (title, bar) = (cell(&report.title), cell(&report.bar));
    format!("| {title} | {bar} | {} of {} | {} |\n", report.passed, report.total, share(report))
}

fn section(report: &Report) -> String {
    let mut text = format!("\n## {}\n\n", one_line(&report.title));
    // Writing to a string cannot fail.
    let _ = writeln!(text, "`{}`: {} of {}.", report.name, report.passed, report.total);
    for note in &report.notes {
        let _ = write!(text, "\n{}\n", note.trim());
    }
    write_exceptions(&mut text, &report.exceptions);
    text
}

fn write_exceptions(text: &mut String, exceptions: &[Exception]) {
    if exceptions.is_empty() {
        return;
    }
    text.push_str("\n| case | reason |\n|---|---|\n");
    let mut exceptions: Vec<&Exception> = exceptions.iter().collect();
    exceptions.sort();
    for exception in exceptions {
        let _ = writeln!(text, "| {} | {} |", code(&exception.case), cell(&exception.reason));
    }
}

/// Rounded down, so that only all cases are 100 %.
fn share(report: &Report) -> String {
    let wide = |number: u64| u128::from(number);
    let Some(per_mille) = (wide(report.passed) * 1_000).checked_div(wide(report.total)) else {
        return "–".to_owned();
    };
    match (per_mille / 10, per_mille % 10) {
        (percent, 0) => format!("{percent} %"),
        (percent, tenth) => format!("{percent}.{tenth} %"),
    }
}

fn cell(text: &str) -> String {
    one_line(text).replace('|', "\\|")
}

/// A case is often a query, whose signs must not be taken for Markdown.
fn code(text: &str) -> String {
    let text = cell(text);
    if text.contains('`') { format!("`` {text} ``") } else { format!("`{text}`") }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::{Report, document};

    fn report(text: &str) -> Report {
        serde_json::from_str(text).expect("a report")
    }

    fn reports() -> Vec<Report> {
        let first = r#"{"name": "queries", "title": "EQL queries", "bar": "100 %", "passed": 4, "total": 4, "order": 1}"#;
        let second = r#"{"name": "alerts", "title": "Alerts of a | b", "bar": "at least 99 %", "passed": 1999,
            "total": 2000, "order": 2, "notes": ["Compared\nby id."],
            "exceptions": [{"case": "z", "reason": "late"}, {"case": "a|b", "reason": "two\nlines"}]}"#;
        vec![report(second), report(first)]
    }

    const EXPECTED: &str = "\
# Conformance

Made by `cargo xtask conformance` from the results of its tests; do not edit.

| what | bar | result | share |
|---|---|---|---|
| EQL queries | 100 % | 4 of 4 | 100 % |
| Alerts of a \\| b | at least 99 % | 1999 of 2000 | 99.9 % |

## EQL queries

`queries`: 4 of 4.

## Alerts of a | b

`alerts`: 1999 of 2000.

Compared
by id.

| case | reason |
|---|---|
| `a\\|b` | two lines |
| `z` | late |
";

    #[test]
    fn reports_are_rendered_in_their_order() {
        assert_eq!(document(reports()), EXPECTED);
    }

    #[test]
    fn the_order_of_reports_does_not_matter() {
        let mut reversed = reports();
        reversed.reverse();
        assert_eq!(document(reversed), document(reports()));
    }

    #[test]
    fn no_cases_have_no_share() {
        let empty = r#"{"name": "n", "title": "t", "bar": "b", "passed": 0, "total": 0, "order": 1}"#;
        assert!(document(vec![report(empty)]).contains("| 0 of 0 | – |"));
    }

    #[test]
    fn unknown_keys_are_refused() {
        let misspelt =
            r#"{"name": "n", "title": "t", "bar": "b", "passed": 0, "total": 0, "order": 1, "note": []}"#;
        assert!(serde_json::from_str::<Report>(misspelt).is_err());
    }
}
