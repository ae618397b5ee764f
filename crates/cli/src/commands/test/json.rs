//! The outcome as one JSON object, for tools of one's own.

use maxspan_diagnostics::Report as DiagnosticReport;
use maxspan_pipeline::spec::{Difference, Verdict};
use serde_json::{Value, json};

use super::report::{CaseReport, FileReport, Report};

/// The report, pretty.
pub(super) fn json(report: &Report) -> String {
    let counts = report.counts();
    let value = json!({
        "passed": counts.passed,
        "failed": counts.failed,
        "skipped": counts.skipped,
        "broken": counts.broken,
        "seconds": report.seconds,
        "files": report.files.iter().map(file).collect::<Vec<_>>(),
    });
    serde_json::to_string_pretty(&value).unwrap_or_default() + "\n"
}

fn file(file: &FileReport) -> Value {
    let diagnostics: Vec<_> =
        file.errors().map(|one| DiagnosticReport::new(&file.spec.source, one)).collect();
    json!({
        "file": file.path.display().to_string(),
        "problem": file.problem,
        "diagnostics": diagnostics,
        "cases": file.cases.iter().map(case).collect::<Vec<_>>(),
    })
}

fn case(case: &CaseReport) -> Value {
    let (verdict, reason) = match &case.outcome.verdict {
        Verdict::Passed => ("passed", None),
        Verdict::Failed => ("failed", None),
        Verdict::Skipped(reason) => ("skipped", Some(reason)),
        Verdict::Broken(reason) => ("broken", Some(reason)),
    };
    json!({
        "case": case.title,
        "line": case.line,
        "verdict": verdict,
        "reason": reason,
        "seconds": case.outcome.seconds,
        "differences": case.outcome.differences.iter().map(difference).collect::<Vec<_>>(),
        "explanation": case.outcome.explanation,
    })
}

fn difference(difference: &Difference) -> Value {
    let Difference { line, what, expected, actual, notes } = difference;
    json!({"line": line, "what": what, "expected": expected, "actual": actual, "notes": notes})
}
