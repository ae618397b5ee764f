//! The outcome for a person: a line for each file, then what failed, then the counts.

use clap::builder::styling::AnsiColor;
use maxspan_pipeline::spec::{Difference, Verdict};
use similar::{ChangeTag, TextDiff};

use super::report::{CaseReport, FileReport, Report, time};
use crate::terminal::{Paint, printable};

/// Lines that are as expected and shown around those that are not.
const CONTEXT: usize = 2;

/// Lines of one difference or explanation that are shown.
const LINES_MAX: usize = 60;

/// The report; with `quiet`, only what failed and the counts.
pub(super) fn text(report: &Report, quiet: bool, verbose: bool, paint: Paint) -> String {
    let mut out = String::new();
    let width = report.files.iter().map(|file| file.path.display().to_string().len()).max().unwrap_or(0);
    for file in report.files.iter().filter(|_| !quiet) {
        out += &file_line(file, width, paint);
        for case in file.cases.iter().filter(|_| verbose) {
            let word = verdict_word(&case.outcome.verdict, paint);
            out += &format!("  {word} {}\n", printable(&case.title));
        }
    }
    for file in &report.files {
        out += &problems(file, paint);
        for case in &file.cases {
            out += &case_text(file, case, paint);
        }
    }
    if !out.is_empty() {
        out += "\n";
    }
    out + &report.counts().line(report.seconds) + "\n"
}

fn file_line(file: &FileReport, width: usize, paint: Paint) -> String {
    let counts = file.counts();
    let word = if counts.broken > 0 {
        paint.colour(AnsiColor::Red, "ERR ")
    } else if counts.failed > 0 {
        paint.colour(AnsiColor::Red, "FAIL")
    } else {
        paint.colour(AnsiColor::Green, "ok  ")
    };
    let mut parts = vec![format!("{} passed", counts.passed)];
    let others = [(counts.failed, "failed"), (counts.skipped, "skipped"), (counts.broken, "broken")];
    parts
        .extend(others.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")));
    let path = file.path.display().to_string();
    let took = paint.dim(&time(file.seconds()));
    format!("{word}  {:width$}  {}  {took}\n", printable(&path), parts.join(", "))
}

fn verdict_word(verdict: &Verdict, paint: Paint) -> String {
    match verdict {
        Verdict::Passed => paint.colour(AnsiColor::Green, "ok  "),
        Verdict::Failed => paint.colour(AnsiColor::Red, "FAIL"),
        Verdict::Skipped(_) => paint.colour(AnsiColor::Yellow, "skip"),
        Verdict::Broken(_) => paint.colour(AnsiColor::Red, "ERR "),
    }
}

/// What is wrong with the file itself.
fn problems(file: &FileReport, paint: Paint) -> String {
    let mut out = String::new();
    if let Some(problem) = &file.problem {
        let path = file.path.display().to_string();
        out += &format!("\n{} {}: {problem}\n", paint.colour(AnsiColor::Red, "ERR "), printable(&path));
    }
    for error in file.rendered_errors() {
        out += &format!("\n{error}\n");
    }
    out
}

fn case_text(file: &FileReport, case: &CaseReport, paint: Paint) -> String {
    let reason = match &case.outcome.verdict {
        Verdict::Passed => return String::new(),
        Verdict::Failed => String::new(),
        Verdict::Skipped(reason) | Verdict::Broken(reason) => {
            format!("  {}\n", printable(reason).replace('\n', "\n  "))
        }
    };
    let path = file.path.display();
    let place = format!("{path}:{}", case.line);
    let word = verdict_word(&case.outcome.verdict, paint);
    let mut out = format!(
        "\n{word} {}  {}\n{reason}",
        paint.bold(&printable(&case.title)),
        paint.dim(&printable(&place))
    );
    for difference in &case.outcome.differences {
        let line = paint.dim(&printable(&format!("{path}:{}", difference.line)));
        out += &format!("  {}  {line}\n", printable(&difference.what));
        out += &limited(&diff_lines(difference), |line| painted(line, paint));
        let notes: Vec<String> =
            difference.notes.iter().flat_map(|note| note.lines().map(str::to_owned)).collect();
        out += &limited(&notes, str::to_owned);
    }
    if let Some(explanation) = &case.outcome.explanation {
        let lines: Vec<String> = explanation.lines().map(str::to_owned).collect();
        out += &limited(&lines, |line| paint.dim(line));
    }
    out
}

/// Lines with a blank, `-` (expected, but not there) or `+` (there, but not expected) before them.
pub(super) fn diff_lines(difference: &Difference) -> Vec<String> {
    let expected: Vec<&str> = difference.expected.iter().map(String::as_str).collect();
    let actual: Vec<&str> = difference.actual.iter().map(String::as_str).collect();
    let diff = TextDiff::from_slices(&expected, &actual);
    let mut lines = Vec::new();
    for (index, group) in diff.grouped_ops(CONTEXT).iter().enumerate() {
        if index > 0 {
            lines.push("…".to_owned());
        }
        for change in group.iter().flat_map(|operation| diff.iter_changes(operation)) {
            let sign = match change.tag() {
                ChangeTag::Equal => ' ',
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
            };
            lines.push(format!("{sign} {}", change.value()));
        }
    }
    lines
}

fn painted(line: &str, paint: Paint) -> String {
    match line.as_bytes().first() {
        Some(b'-') => paint.colour(AnsiColor::Red, line),
        Some(b'+') => paint.colour(AnsiColor::Green, line),
        _ => line.to_owned(),
    }
}

fn limited(lines: &[String], look: impl Fn(&str) -> String) -> String {
    let shown = lines.iter().take(LINES_MAX).map(|line| format!("    {}", look(&printable(line))));
    let mut out: String = shown.map(|line| format!("{}\n", line.trim_end())).collect();
    if lines.len() > LINES_MAX {
        out += &format!("    … and {} more lines\n", lines.len() - LINES_MAX);
    }
    out
}
