//! The outcome as workflow commands of GitHub Actions: an annotation at the line of every case that failed.
//!
//! The form is that of GitHub's documentation of workflow commands: `::error file=…,line=…,title=…::message`, with
//! `%`, line ends and, in properties, `:` and `,` as escapes.

use std::env;
use std::fs::OpenOptions;
use std::io::Write as _;

use maxspan_pipeline::spec::Verdict;

use super::report::{CaseReport, FileReport, Report};
use super::text::diff_lines;
use crate::terminal;

/// Annotations, and the closing line.
pub(super) fn annotations(report: &Report) -> String {
    let mut out = String::new();
    for file in &report.files {
        let path = file.path.display().to_string();
        if let Some(problem) = &file.problem {
            out += &command("error", &path, 1, "broken spec", problem);
        }
        for error in file.errors() {
            let line = file.spec.source.position(error.span.start).line;
            out += &command("error", &path, line, &error.code.to_string(), &error.message);
        }
        for case in &file.cases {
            out += &case_command(&path, case);
        }
    }
    out + &report.counts().line(report.seconds) + "\n"
}

/// Appends a table of files with failures to the job's summary, where GitHub says that there is one.
pub(super) fn write_summary(report: &Report) {
    let Some(path) = env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()) else { return };
    let file = OpenOptions::new().append(true).create(true).open(path);
    if let Err(error) = file.and_then(|mut file| file.write_all(summary(report).as_bytes())) {
        terminal::warning(&format!("cannot write the job's summary: {error}"));
    }
}

fn summary(report: &Report) -> String {
    let mut out = format!("### maxspan test\n\n{}\n", report.counts().line(report.seconds));
    let bad: Vec<&FileReport> = report
        .files
        .iter()
        .filter(|file| {
            let counts = file.counts();
            counts.failed + counts.broken > 0
        })
        .collect();
    if !bad.is_empty() {
        out += "\n| file | case |\n|---|---|\n";
    }
    for file in bad {
        let failed = file
            .cases
            .iter()
            .filter(|case| matches!(case.outcome.verdict, Verdict::Failed | Verdict::Broken(_)));
        for case in failed {
            let title = case.title.replace('|', "\\|");
            out += &format!("| {}:{} | {title} |\n", file.path.display(), case.line);
        }
    }
    out
}

fn case_command(path: &str, case: &CaseReport) -> String {
    let (kind, message) = match &case.outcome.verdict {
        Verdict::Passed => return String::new(),
        Verdict::Skipped(reason) => ("notice", reason.clone()),
        Verdict::Broken(reason) => ("error", reason.clone()),
        Verdict::Failed => ("error", details(case)),
    };
    let line = case.outcome.differences.first().map_or(case.line, |difference| difference.line);
    command(kind, path, line, &case.title, &message)
}

fn details(case: &CaseReport) -> String {
    let mut lines = Vec::new();
    for difference in &case.outcome.differences {
        lines.push(difference.what.clone());
        lines.extend(diff_lines(difference));
        lines.extend(difference.notes.iter().cloned());
    }
    lines.join("\n")
}

fn command(kind: &str, path: &str, line: usize, title: &str, message: &str) -> String {
    let (path, title) = (property(path), property(title));
    format!("::{kind} file={path},line={line},title={title}::{}\n", data(message))
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::command;

    #[test]
    fn what_would_end_a_command_is_escaped() {
        let line = command("error", "a,b.md", 3, "T: 50%", "one\ntwo: x");
        assert_eq!(line, "::error file=a%2Cb.md,line=3,title=T%3A 50%25::one%0Atwo: x\n");
    }
}
