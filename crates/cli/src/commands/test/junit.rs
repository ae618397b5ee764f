//! The outcome as JUnit's XML: a suite for each file, a test case for each case, with file and line.

use std::time::Duration;

use maxspan_pipeline::spec::Verdict;
use quick_junit::{NonSuccessKind, Report as JunitReport, TestCase, TestCaseStatus, TestSuite};

use super::report::{CaseReport, FileReport, Report};
use super::text::diff_lines;

/// The report as XML.
pub(super) fn xml(report: &Report) -> String {
    let mut junit = JunitReport::new("maxspan");
    junit.set_time(duration(report.seconds));
    for file in &report.files {
        junit.add_test_suite(suite(file));
    }
    junit.to_string().unwrap_or_default()
}

fn suite(file: &FileReport) -> TestSuite {
    let path = file.path.display().to_string();
    let mut suite = TestSuite::new(path.as_str());
    suite.set_time(duration(file.seconds()));
    for case in &file.cases {
        suite.add_test_case(test_case(&path, case));
    }
    let errors = file.rendered_errors().collect::<Vec<_>>().join("\n\n");
    let error = file.problem.clone().or_else(|| (!errors.is_empty()).then_some(errors));
    if let Some(error) = error {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_message("the spec has errors").set_description(error);
        let mut case = TestCase::new("the spec itself", status);
        case.set_classname(path.as_str());
        case.extra.insert("file".into(), path.as_str().into());
        suite.add_test_case(case);
    }
    suite
}

fn test_case(path: &str, case: &CaseReport) -> TestCase {
    let status = match &case.outcome.verdict {
        Verdict::Passed => TestCaseStatus::success(),
        Verdict::Skipped(reason) => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(reason.as_str());
            status
        }
        Verdict::Broken(reason) => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_message(reason.as_str());
            status
        }
        Verdict::Failed => failure(path, case),
    };
    let mut test = TestCase::new(case.title.as_str(), status);
    test.set_classname(path).set_time(duration(case.outcome.seconds));
    test.extra.insert("file".into(), path.into());
    test.extra.insert("line".into(), case.line.to_string().as_str().into());
    test
}

fn failure(path: &str, case: &CaseReport) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    if let Some(first) = case.outcome.differences.first() {
        status.set_message(first.what.as_str());
    }
    let mut lines = Vec::new();
    for difference in &case.outcome.differences {
        lines.push(format!("{path}:{}: {}", difference.line, difference.what));
        lines.extend(diff_lines(difference));
        lines.extend(difference.notes.iter().cloned());
    }
    lines.extend(case.outcome.explanation.clone());
    status.set_description(lines.join("\n"));
    status
}

fn duration(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}
