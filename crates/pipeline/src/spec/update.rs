//! `--update`: what is expected is rewritten to what came; every other byte stays.

use maxspan_diagnostics::Span;
use serde_json::Value;

use super::compare::{equal, members_line};
use super::document::{Block, Case, EventsFrom, SpecFile};
use super::expect::{counts_by_block, default_line, diagnostic_lines, rows, stats_like};
use super::run::CaseRun;

/// A part of the spec's text, and what goes there instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The part; empty where something is put between.
    pub span: Span,
    /// The new text.
    pub text: String,
}

/// The text with the edits applied. They must not overlap.
pub fn edited(text: &str, edits: &[Edit]) -> String {
    let mut sorted: Vec<&Edit> = edits.iter().collect();
    sorted.sort_by_key(|edit| edit.span.start);
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for edit in sorted {
        // An edit that does not fit is left out rather than spoiling the file.
        let Some(before) = text.get(done..edit.span.start) else { continue };
        out.push_str(before);
        out.push_str(&edit.text);
        done = edit.span.end;
    }
    out.push_str(text.get(done..).unwrap_or(""));
    out
}

/// What makes a case that failed pass.
pub(super) fn edits(spec: &SpecFile, case: &Case, run: &CaseRun) -> Vec<Edit> {
    let text = &spec.source.text;
    let mut edits = Vec::new();
    let expected = &case.expected;
    if !run.problems.is_empty() && expected.stats.is_none() {
        return edits;
    }
    if expected.diagnostics.is_none() && expected.stats.is_none() && run.rules().errors().next().is_some() {
        return edits;
    }
    if expected.is_empty() && case.events.iter().all(|events| events.alerts.is_none()) {
        edits.extend(added(text, case, run));
    }
    for (events, count) in case.events.iter().zip(counts_by_block(case, run)) {
        let Some(expected) = events.alerts.as_ref().filter(|expected| expected.count != count) else {
            continue;
        };
        let text = if expected.is_silent { format!("events alerts={count}") } else { count.to_string() };
        edits.push(Edit { span: expected.span, text });
    }
    if let Some((block, count)) = expected.count.as_ref().filter(|(_, count)| *count != run.stats.alerts) {
        let _ = count;
        edits.push(replaced(text, block, &[run.stats.alerts.to_string()]));
    }
    if let Some(alerts) = &expected.alerts {
        let rows = rows(run, &alerts.alerts);
        if rows.pairs.len() != alerts.alerts.len() || rows.pairs.len() != rows.listed.len() {
            edits.push(replaced(text, &alerts.block, &rows.lines));
        }
    }
    if let Some((block, named)) = &expected.stats {
        let actual = Value::Object(stats_like(run, named));
        if !equal(&actual, &Value::Object(named.clone())) {
            edits.push(replaced(text, block, &stats_lines(block, &actual)));
        }
    }
    if let Some((block, lines)) = &expected.diagnostics {
        let (actual, matched) = diagnostic_lines(run, lines);
        if matched != lines.len() || matched != actual.len() {
            edits.push(replaced(text, block, &actual));
        }
    }
    edits
}

/// In one line where the block had one, else pretty.
fn stats_lines(block: &Block, stats: &Value) -> Vec<String> {
    if block.text.trim().lines().count() <= 1 {
        return vec![super::compare::one_line(stats)];
    }
    serde_json::to_string_pretty(stats).unwrap_or_default().lines().map(str::to_owned).collect()
}

/// The content of a block, replaced by lines with the block's indentation and line ends.
fn replaced(text: &str, block: &Block, lines: &[String]) -> Edit {
    let (indent, end) = style(text, block.span.start);
    let content: String = lines.iter().map(|line| format!("{indent}{line}{end}")).collect();
    // The indentation of the closing fence stays with it.
    Edit { span: block.content, text: content }
}

/// A block of alerts after the last block of events.
fn added(text: &str, case: &Case, run: &CaseRun) -> Option<Edit> {
    let (start, after) = match &case.events.last()?.from {
        EventsFrom::Block(block) => (block.span.start, block.span.end),
        EventsFrom::Link(link) => {
            let rest = text.get(link.span.end..).unwrap_or("");
            let line_end = rest.find(['\r', '\n']).unwrap_or(rest.len());
            (text[..link.span.start].rfind('\n').map_or(0, |at| at + 1), link.span.end + line_end)
        }
    };
    let (indent, end) = style(text, start);
    let shown = run.alerts.iter().filter(|alert| !alert.building_block);
    let lines: String =
        shown.map(|alert| format!("{indent}{}{end}", members_line(&default_line(run, alert)))).collect();
    let block = format!("{end}{end}{indent}```ndjson alerts{end}{lines}{indent}```");
    Some(Edit { span: Span::at(after), text: block })
}

/// Indentation and line end of the line on which something starts. A list marker counts as blanks.
fn style(text: &str, start: usize) -> (String, &'static str) {
    let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let before = &text[line_start..start];
    let blank = |character: char| if character == '\t' { '\t' } else { ' ' };
    let line = text[line_start..].split_inclusive('\n').next().unwrap_or("");
    (before.chars().map(blank).collect(), if line.ends_with("\r\n") { "\r\n" } else { "\n" })
}
