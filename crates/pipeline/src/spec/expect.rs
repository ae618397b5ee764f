//! What a case expects against what came.

use std::collections::HashSet;
use std::sync::Arc;

use maxspan_diagnostics::{Diagnostic, Source};
use serde_json::{Map, Value};

use super::compare::{aligned, equal, members_line, one_line};
use super::document::{Case, ExpectedAlert, ExpectedDiagnostic};
use super::run::{CaseRun, diagnostics, explained};
use crate::hunt::HuntAlert;
use crate::limits::{CASE_ALERTS_ALIGNED_MAX, CASE_NOTES_MAX};

/// One thing that differs from what is expected.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    /// The line of the expectation in the spec, from 1.
    pub line: usize,
    /// What differs, in a sentence.
    pub what: String,
    /// What is expected, in lines; lines that are also in `actual` are as they should be.
    pub expected: Vec<String>,
    /// What came, in lines.
    pub actual: Vec<String>,
    /// Single differences in words.
    pub notes: Vec<String>,
}

/// All that differs; empty when the case is as expected.
pub(super) fn compare(case: &Case, run: &CaseRun, source: &Source) -> Vec<Difference> {
    if case.expected.is_empty() && case.events.iter().all(|events| events.alerts.is_none()) {
        let what = "nothing is expected of these events; `--update` writes down what comes".to_owned();
        return vec![Difference { line: case.line, what, ..Difference::default() }];
    }
    let mut differences = Vec::new();
    differences.extend(unread(case, run));
    differences.extend(counts(case, run, source));
    differences.extend(count(case, run));
    differences.extend(alerts(case, run));
    differences.extend(stats(case, run));
    differences.extend(rule_diagnostics(case, run));
    differences.extend(explain(case, run));
    differences
}

// ---- Events

/// Events that cannot be read fail a case, unless it counts them.
fn unread(case: &Case, run: &CaseRun) -> Option<Difference> {
    let counted = ["events_failed", "input_problems"];
    let is_counted =
        |(_, stats): &(_, Map<String, Value>)| counted.iter().any(|name| stats.contains_key(*name));
    if run.problems.is_empty() || case.expected.stats.as_ref().is_some_and(is_counted) {
        return None;
    }
    let notes = run.problems.iter().map(|problem| {
        let place = &problem.location;
        format!("{}:{}: {}: {}", place.file, place.line, problem.kind.name(), problem.message)
    });
    let line = usize::try_from(run.problems[0].location.line).unwrap_or(case.line).max(1);
    let what = "events of the case cannot be read".to_owned();
    Some(Difference { line, what, notes: limited(notes), ..Difference::default() })
}

// ---- Counts

/// `alerts=` of blocks of events: an alert counts where the last of its events stands.
fn counts(case: &Case, run: &CaseRun, source: &Source) -> Vec<Difference> {
    let actual = counts_by_block(case, run);
    let blocks = case.events.iter().zip(actual);
    let different = blocks.filter_map(|(events, actual)| {
        let expected = events.alerts.as_ref().filter(|expected| expected.count != actual)?;
        let what = format!("{} expected of these events, {actual} came", alerts_word(expected.count));
        let line = source.position(expected.span.start).line;
        Some(Difference { line, what, notes: listed_alerts(run), ..Difference::default() })
    });
    different.collect()
}

/// How many alerts end in each block of events.
pub(super) fn counts_by_block(case: &Case, run: &CaseRun) -> Vec<u64> {
    let mut counts = vec![0; case.events.len()];
    for alert in run.alerts.iter().filter(|alert| !alert.building_block) {
        if let Some(count) = run.events_of(alert).max().and_then(|(_, block)| counts.get_mut(block)) {
            *count += 1;
        }
    }
    counts
}

fn count(case: &Case, run: &CaseRun) -> Option<Difference> {
    let (block, expected) = case.expected.count.as_ref()?;
    let actual = run.stats.alerts;
    let what = format!("{} expected, {actual} came", alerts_word(*expected));
    (*expected != actual).then(|| Difference {
        line: block.line,
        what,
        notes: listed_alerts(run),
        ..Difference::default()
    })
}

fn alerts_word(count: u64) -> String {
    match count {
        0 => "no alert".to_owned(),
        1 => "1 alert".to_owned(),
        _ => format!("{count} alerts"),
    }
}

fn listed_alerts(run: &CaseRun) -> Vec<String> {
    let shown = run.alerts.iter().filter(|alert| !alert.building_block);
    limited(shown.map(|alert| format!("alert {}", members_line(&default_line(run, alert)))))
}

// ---- Alerts

/// How the lines of an `alerts` block and the alerts of a run belong together.
pub(super) struct AlertRows<'a> {
    /// Alerts that the block has to list.
    pub(super) listed: Vec<&'a HuntAlert>,
    /// Expected and actual places that are the same.
    pub(super) pairs: Vec<(usize, usize)>,
    /// What each alert is in a line of the block.
    pub(super) lines: Vec<String>,
}

fn alerts(case: &Case, run: &CaseRun) -> Option<Difference> {
    let expected = case.expected.alerts.as_ref()?;
    let rows = rows(run, &expected.alerts);
    if rows.pairs.len() == expected.alerts.len() && rows.pairs.len() == rows.listed.len() {
        return None;
    }
    let what = format!("{} expected, {} came", alerts_word(expected.alerts.len() as u64), rows.listed.len());
    let what = if expected.alerts.len() == rows.listed.len() { "the alerts differ".to_owned() } else { what };
    let notes = alert_notes(run, &expected.alerts, &rows);
    let lines = expected.alerts.iter().map(|alert| alert.text.clone()).collect();
    Some(Difference { line: expected.block.line, what, expected: lines, actual: rows.lines, notes })
}

/// Aligns the lines of an `alerts` block with the alerts.
pub(super) fn rows<'a>(run: &'a CaseRun, expected: &[ExpectedAlert]) -> AlertRows<'a> {
    let with_blocks = expected.iter().any(|one| one.fields.get("building_block") == Some(&Value::Bool(true)));
    let is_listed = |alert: &&HuntAlert| with_blocks || !alert.building_block;
    let listed: Vec<&HuntAlert> = run.alerts.iter().filter(is_listed).collect();
    let same = |at: usize, came: usize| {
        expected[at].fields.iter().all(|(key, value)| holds(run, listed[came], key, value))
    };
    let pairs = aligned(expected.len(), listed.len(), CASE_ALERTS_ALIGNED_MAX, same);
    let mut lines = Vec::with_capacity(listed.len());
    let mut templates = templates(expected.len(), listed.len(), &pairs);
    for (alert, template) in listed.iter().zip(templates.drain(..)) {
        lines.push(match template {
            Template::Same(at) => expected[at].text.clone(),
            Template::Like(at) => members_line(&line_like(run, alert, &expected[at].fields)),
            Template::None => members_line(&default_line(run, alert)),
        });
    }
    AlertRows { listed, pairs, lines }
}

/// Which expected line an alert is written like.
#[derive(Clone, Copy)]
enum Template {
    Same(usize),
    Like(usize),
    None,
}

/// Between two lines that are as expected, others are paired in their order; an alert more is written like the last
/// line before it.
fn templates(expected: usize, actual: usize, pairs: &[(usize, usize)]) -> Vec<Template> {
    let mut templates = Vec::with_capacity(actual);
    let mut next = 0;
    for (at, came) in pairs.iter().copied().chain([(expected, actual)]) {
        while templates.len() < came {
            templates.push(if next < at {
                Template::Like(next)
            } else if expected > 0 {
                Template::Like(next.min(expected).saturating_sub(1))
            } else {
                Template::None
            });
            next = (next + 1).min(at);
        }
        if came < actual {
            templates.push(Template::Same(at));
        }
        next = at + 1;
    }
    templates
}

/// Whether a field of an expected line holds for an alert.
fn holds(run: &CaseRun, alert: &HuntAlert, key: &str, expected: &Value) -> bool {
    match (key, expected) {
        ("rule", Value::String(name)) => {
            let rule = run.rules().document(alert.rule);
            let shown = alert.alert.document.get("kibana.alert.rule.name").and_then(Value::as_str);
            *name == rule.rule_id || *name == rule.name || shown == Some(name)
        }
        ("keys", Value::Object(expected)) => expected.iter().all(|(name, expected)| {
            let found = alert.keys.iter().find(|(key, _)| key == name);
            found.is_some_and(|(_, value)| equal(value, expected))
        }),
        ("events", Value::Array(expected)) => events_hold(run, alert, expected),
        _ => equal(&named(run, alert, key), expected),
    }
}

fn events_hold(run: &CaseRun, alert: &HuntAlert, expected: &[Value]) -> bool {
    let numbers: Vec<u64> = run.events_of(alert).map(|(number, _)| number).collect();
    let ids = ids_of(alert);
    numbers.len() == expected.len()
        && expected.iter().enumerate().all(|(at, expected)| match expected {
            Value::String(id) => ids.get(at).is_some_and(|found| found == id),
            other => other.as_u64() == Some(numbers[at]),
        })
}

/// The `_id` of each event of the alert, as its document has them.
fn ids_of(alert: &HuntAlert) -> Vec<String> {
    let ancestors = alert.alert.document.get("kibana.alert.ancestors").and_then(Value::as_array);
    let depth_0 = |ancestor: &&Value| ancestor.get("depth").and_then(Value::as_u64) == Some(0);
    let id = |ancestor: &Value| ancestor.get("id").and_then(Value::as_str).map(str::to_owned);
    let mut ids = Vec::new();
    for found in ancestors.into_iter().flatten().filter(depth_0).filter_map(id) {
        if !ids.contains(&found) {
            ids.push(found);
        }
    }
    ids
}

/// What an alert has for a name in an expected line.
fn named(run: &CaseRun, alert: &HuntAlert, key: &str) -> Value {
    match key {
        "rule" => run.rules().document(alert.rule).name.clone().into(),
        "id" => alert.alert.id.clone().into(),
        "reason" => alert.alert.document.get("kibana.alert.reason").cloned().unwrap_or_default(),
        "building_block" => alert.building_block.into(),
        "keys" => Value::Object(alert.keys.iter().cloned().collect()),
        "events" => run.events_of(alert).map(|(number, _)| Value::from(number)).collect(),
        path => alert.alert.document.find(path).cloned().unwrap_or_default(),
    }
}

/// The alert in the fields of an expected line, those that hold as they are written.
fn line_like(run: &CaseRun, alert: &HuntAlert, fields: &Map<String, Value>) -> Map<String, Value> {
    let field = |(key, expected): (&String, &Value)| {
        let value = if holds(run, alert, key, expected) {
            expected.clone()
        } else {
            match (key.as_str(), expected, named(run, alert, key)) {
                ("keys", Value::Object(wanted), Value::Object(found)) => found
                    .into_iter()
                    .filter(|(name, _)| wanted.contains_key(name))
                    .collect::<Map<_, _>>()
                    .into(),
                (_, _, found) => found,
            }
        };
        (key.clone(), value)
    };
    let mut line: Map<String, Value> = fields.iter().map(field).collect();
    if alert.building_block {
        line.entry("building_block").or_insert(Value::Bool(true));
    }
    line
}

/// The alert as `--update` writes it where nothing says how.
pub(super) fn default_line(run: &CaseRun, alert: &HuntAlert) -> Map<String, Value> {
    let names: &[&str] =
        if alert.keys.is_empty() { &["rule", "reason"] } else { &["rule", "reason", "keys"] };
    names.iter().map(|name| ((*name).to_owned(), named(run, alert, name))).collect()
}

fn alert_notes(run: &CaseRun, expected: &[ExpectedAlert], rows: &AlertRows<'_>) -> Vec<String> {
    let (found, came): (HashSet<usize>, HashSet<usize>) = rows.pairs.iter().copied().unzip();
    let unexpected = rows.listed.iter().enumerate().filter(|(at, _)| !came.contains(at));
    let unexpected = unexpected.map(|(at, alert)| {
        let rule = run.rules().document(alert.rule);
        let numbers: Vec<String> = run.events_of(alert).map(|(number, _)| number.to_string()).collect();
        let noun = if numbers.len() == 1 { "event" } else { "events" };
        let (name, id, events) = (&rule.name, &rule.rule_id, numbers.join(", "));
        format!("unexpected: alert {} of `{name}` ({id}) on {noun} {events}", at + 1)
    });
    let missing = expected.iter().enumerate().filter(|(at, _)| !found.contains(at));
    let missing = missing.map(|(at, one)| format!("missing: alert {}: {}", at + 1, one.text));
    limited(unexpected.chain(missing))
}

/// The first of many notes, and how many others there are.
fn limited(notes: impl Iterator<Item = String>) -> Vec<String> {
    let mut notes = notes.fuse();
    let mut shown: Vec<String> = notes.by_ref().take(CASE_NOTES_MAX).collect();
    let more = notes.count();
    if more > 0 {
        shown.push(format!("… and {more} more"));
    }
    shown
}

// ---- Stats

fn stats(case: &Case, run: &CaseRun) -> Option<Difference> {
    let (block, expected) = case.expected.stats.as_ref()?;
    let actual = stats_like(run, expected);
    let is_same = equal(&Value::Object(actual.clone()), &Value::Object(expected.clone()));
    (!is_same).then(|| Difference {
        line: block.line,
        what: "the stats differ".to_owned(),
        expected: stat_lines(expected),
        actual: stat_lines(&actual),
        notes: Vec::new(),
    })
}

/// The stats of the run, as much of them as is named.
pub(super) fn stats_like(run: &CaseRun, named: &Map<String, Value>) -> Map<String, Value> {
    let stats = serde_json::to_value(&run.stats).unwrap_or_default();
    part(stats.as_object().unwrap_or(&Map::new()), named)
}

fn part(stats: &Map<String, Value>, named: &Map<String, Value>) -> Map<String, Value> {
    let none = Map::new();
    let one = |(key, wanted): (&String, &Value)| {
        let value = match (stats.get(key), wanted) {
            (found, Value::Object(wanted)) if !wanted.is_empty() => {
                Value::Object(part(found.and_then(Value::as_object).unwrap_or(&none), wanted))
            }
            // A count of nothing is left out of maps.
            (None, Value::Number(_)) => 0.into(),
            (found, _) => found.cloned().unwrap_or_default(),
        };
        (key.clone(), value)
    };
    named.iter().map(one).collect()
}

fn stat_lines(stats: &Map<String, Value>) -> Vec<String> {
    stats.iter().map(|(key, value)| format!("{}: {}", Value::from(key.as_str()), one_line(value))).collect()
}

// ---- Diagnostics

fn rule_diagnostics(case: &Case, run: &CaseRun) -> Option<Difference> {
    let (block, expected) = case.expected.diagnostics.as_ref()?;
    let (lines, matched) = diagnostic_lines(run, expected);
    if matched == expected.len() && matched == lines.len() {
        return None;
    }
    Some(Difference {
        line: block.line,
        what: "what is said about the rules differs".to_owned(),
        expected: expected.iter().map(|one| one.text.clone()).collect(),
        actual: lines,
        notes: Vec::new(),
    })
}

/// What is said about the rules, each as it is expected or else in full; and how many are as expected.
pub(super) fn diagnostic_lines(run: &CaseRun, expected: &[ExpectedDiagnostic]) -> (Vec<String>, usize) {
    let mut found: Vec<(usize, usize, Arc<Source>, Diagnostic)> = diagnostics(run)
        .into_iter()
        .map(|(source, one)| {
            let (line, column) = run.place(&source, &one);
            (line, column, source, one)
        })
        .collect();
    found.sort_by(|a, b| {
        let key = |one: &(usize, usize, Arc<Source>, Diagnostic)| (one.2.name.clone(), one.0, one.1);
        key(a).cmp(&key(b)).then_with(|| a.3.code.to_string().cmp(&b.3.code.to_string()))
    });
    let mut taken: Vec<Option<usize>> = vec![None; found.len()];
    // Those that say most choose first.
    let mut order: Vec<usize> = (0..expected.len()).collect();
    order.sort_by_key(|at| (expected[*at].place.is_none(), std::cmp::Reverse(expected[*at].message.len())));
    for at in order {
        let fits = |(index, (line, column, _, one)): &(usize, &(usize, usize, Arc<Source>, Diagnostic))| {
            taken[*index].is_none()
                && one.code.to_string() == expected[at].code
                && expected[at].place.is_none_or(|place| place == (*line, *column))
                && said(one).contains(&expected[at].message)
        };
        if let Some((index, _)) = found.iter().enumerate().find(fits) {
            taken[index] = Some(at);
        }
    }
    let matched = taken.iter().flatten().count();
    let lines = found.iter().zip(&taken).map(|((line, column, _, one), taken)| match taken {
        Some(at) => expected[*at].text.clone(),
        None => format!("{} {line}:{column} {}", one.code, said(one)),
    });
    (lines.collect(), matched)
}

/// The message in one line.
fn said(diagnostic: &Diagnostic) -> String {
    diagnostic.message.split_whitespace().collect::<Vec<_>>().join(" ")
}

// ---- Explanations

/// The lines must be in the text, in order; how many blanks stand between words does not matter.
fn explain(case: &Case, run: &CaseRun) -> Option<Difference> {
    let block = case.expected.explain.as_ref()?;
    let text = explained(run).unwrap_or_default();
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut lines = text.lines();
    let is_missing = |wanted: &&str| !lines.any(|line| words(line).contains(&words(wanted)));
    let missing = block.text.lines().map(str::trim).filter(|line| !line.is_empty()).find(is_missing)?;
    let what = format!("the explanation has no line `{missing}` (after those before it)");
    let actual = text.lines().map(str::to_owned).collect();
    let expected = block.text.lines().map(str::to_owned).collect();
    Some(Difference { line: block.line, what, expected, actual, notes: Vec::new() })
}
