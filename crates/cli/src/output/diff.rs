//! The comparison of two versions of rules: for a terminal, and as Markdown for a pull request.

use clap::builder::styling::AnsiColor;
use indicatif::HumanCount;
use maxspan_pipeline::diff::{
    AlertChange, AlertCounts, AlertSample, Diff, FieldChange, RuleChange, RuleDiff,
};
use serde_json::Value;

use super::page::{code, escaped, longest_run};
use super::summary::counted;
use crate::terminal::{Paint, printable};

/// Characters of a value that is shown; longer ones are only named.
const VALUE_CHARS_MAX: usize = 60;
/// Events named of one alert; then their number.
const EVENTS_MAX: usize = 4;

/// The comparison for a terminal.
pub(crate) fn text(diff: &Diff, paint: Paint) -> String {
    let mut out = String::new();
    for rule in &diff.rules {
        out += &format!("{}  {}\n", paint.bold(&printable(&rule.name)), paint.dim(&printable(&rule.rule_id)));
        out += &format!("  rule    {}\n", rule_line(rule, &printable_owned));
        for line in query_lines(rule) {
            let colour = match line.as_bytes().first() {
                Some(b'+') => Some(AnsiColor::Green),
                Some(b'-') => Some(AnsiColor::Red),
                _ => None,
            };
            let line = printable(line);
            let line = colour.map_or_else(|| line.to_string(), |colour| paint.colour(colour, &line));
            out += &format!("    {line}\n");
        }
        out += &format!("  alerts  {}\n", counts(rule.alerts));
        out.extend(remarks(rule).iter().map(|remark| format!("          {remark}\n")));
        for sample in &rule.samples {
            let (sign, colour) = sign(sample.change);
            let head = format!("{sign} {}  {}", printable(&sample.time), printable(&sample.reason));
            out += &format!("    {}\n", paint.colour(colour, &head));
            for (field, before, after) in shown_differences(sample) {
                out += &format!("        {field}: {} → {}\n", printable(before), printable(after));
            }
            out += &format!("        {}\n", paint.dim(&printable(&places(sample).join(", "))));
        }
        out += &unshown(rule).map_or_else(String::new, |line| format!("    {line}\n"));
        out.push('\n');
    }
    out + &totals(diff) + "\n"
}

fn printable_owned(text: &str) -> String {
    printable(text).into_owned()
}

/// `changed: query, severity (low → high)`
fn rule_line(rule: &RuleDiff, value: &dyn Fn(&str) -> String) -> String {
    match rule.change {
        RuleChange::Added => "added".to_owned(),
        RuleChange::Removed => "removed".to_owned(),
        RuleChange::Unchanged => "the same".to_owned(),
        RuleChange::Changed => {
            let fields: Vec<String> = rule.fields.iter().map(|change| field_text(change, value)).collect();
            format!("changed: {}", fields.join(", "))
        }
    }
}

fn field_text(change: &FieldChange, value: &dyn Fn(&str) -> String) -> String {
    let short = |value: &Value| match value {
        Value::Null => Some("none".to_owned()),
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Array(values) if values.iter().all(Value::is_string) => Some(value.to_string()),
        _ => None,
    };
    let fits = |text: &String| text.chars().count() <= VALUE_CHARS_MAX && !text.contains('\n');
    let pair = short(&change.old).filter(fits).zip(short(&change.new).filter(fits));
    match pair {
        Some((old, new)) if change.field != "query" => {
            format!("{} ({} → {})", change.field, value(&old), value(&new))
        }
        _ => change.field.clone(),
    }
}

fn query_lines(rule: &RuleDiff) -> impl Iterator<Item = &str> {
    rule.query_diff.lines()
}

fn counts(counts: AlertCounts) -> String {
    let AlertCounts { new, gone, changed, unchanged } = counts;
    let parts = [(new, "new"), (gone, "gone"), (changed, "changed"), (unchanged, "unchanged")];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, name)| format!("{} {name}", HumanCount(count)))
        .collect();
    if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
}

fn remarks(rule: &RuleDiff) -> Vec<String> {
    let mut remarks = rule.notes.clone();
    if rule.capped.0 + rule.capped.1 > 0 {
        let (old, new) = (HumanCount(rule.capped.0), HumanCount(rule.capped.1));
        remarks.push(format!("max_signals dropped {old} before and {new} after: --no-cap compares all"));
    }
    remarks
}

fn sign(change: AlertChange) -> (char, AnsiColor) {
    match change {
        AlertChange::New => ('+', AnsiColor::Green),
        AlertChange::Gone => ('-', AnsiColor::Red),
        AlertChange::Changed => ('~', AnsiColor::Yellow),
    }
}

/// What an alert says otherwise; the reason repeats name and severity, so it is shown only where it is all
/// there is.
fn shown_differences(sample: &AlertSample) -> impl Iterator<Item = (&str, &str, &str)> {
    let only_reason = sample.differences.len() == 1;
    let shown = sample.differences.iter().map(|(field, before, after)| {
        (field.strip_prefix("kibana.alert.").unwrap_or(field), before.as_str(), after.as_str())
    });
    shown.filter(move |(field, _, _)| only_reason || *field != "reason")
}

/// Where the events are: `file:line`, or index and id.
fn places(sample: &AlertSample) -> Vec<String> {
    let mut places: Vec<String> = sample
        .events
        .iter()
        .take(EVENTS_MAX)
        .map(|event| event.place.clone().unwrap_or_else(|| format!("{}/{}", event.index, event.id)))
        .collect();
    let more = sample.events.len().saturating_sub(EVENTS_MAX);
    if more > 0 {
        places.push(format!("{more} more"));
    }
    places
}

/// How many alerts are not among the examples.
fn unshown(rule: &RuleDiff) -> Option<String> {
    let all = rule.alerts.new + rule.alerts.gone + rule.alerts.changed;
    let more = all.saturating_sub(rule.samples.len() as u64);
    (more > 0).then(|| format!("… and {} (--limit shows more of each kind)", counted(more, "more alert")))
}

/// `3 rules changed, 1 added, 120 unchanged; alerts: 4 new, 1 gone, 300 unchanged`
fn totals(diff: &Diff) -> String {
    let of = |change: RuleChange| diff.rules.iter().filter(|rule| rule.change == change).count() as u64;
    let unchanged = diff.rules_unchanged as u64 + of(RuleChange::Unchanged);
    let parts = [
        (of(RuleChange::Added), "added"),
        (of(RuleChange::Removed), "removed"),
        (of(RuleChange::Changed), "changed"),
        (unchanged, "unchanged"),
    ];
    let rules: Vec<String> = parts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, name)| format!("{} {name}", HumanCount(count)))
        .collect();
    format!("Rules: {}\nAlerts: {}", rules.join(", "), counts(diff.alerts))
}

/// The comparison as a Markdown document.
pub(crate) fn markdown(diff: &Diff) -> String {
    let mut out = format!("## Rule changes\n\n{}\n", totals(diff).replace('\n', "  \n"));
    if diff.rules.is_empty() {
        return out;
    }
    out += "\n| Rule | Change | New | Gone | Changed | Unchanged |\n|---|---|---:|---:|---:|---:|\n";
    for rule in &diff.rules {
        let change = match rule.change {
            RuleChange::Added => "added",
            RuleChange::Removed => "removed",
            RuleChange::Changed => "changed",
            RuleChange::Unchanged => "the same",
        };
        let AlertCounts { new, gone, changed, unchanged } = rule.alerts;
        let name = escaped(&rule.name);
        out += &format!("| {name} | {change} | {new} | {gone} | {changed} | {unchanged} |\n");
    }
    diff.rules.iter().for_each(|rule| out += &markdown_rule(rule));
    out
}

fn markdown_rule(rule: &RuleDiff) -> String {
    let mut out = format!("\n### {}\n\n{}\n\n", escaped(&rule.name), code(&rule.rule_id));
    out += &format!("Rule {}. Alerts: {}.\n", rule_line(rule, &|text: &str| code(text)), counts(rule.alerts));
    out.extend(remarks(rule).iter().map(|remark| format!("\n> {}\n", escaped(remark))));
    if !rule.query_diff.is_empty() {
        let fence = "`".repeat(longest_run(&rule.query_diff, '`').max(2) + 1);
        out += &format!("\n{fence}diff\n{}\n{fence}\n", rule.query_diff.trim_end());
    }
    if rule.samples.is_empty() {
        return out;
    }
    out.push('\n');
    for sample in &rule.samples {
        let name = match sample.change {
            AlertChange::New => "new",
            AlertChange::Gone => "gone",
            AlertChange::Changed => "changed",
        };
        let places: Vec<String> = places(sample).iter().map(|place| code(place)).collect();
        let (time, reason) = (escaped(&sample.time), escaped(&sample.reason));
        out += &format!("- **{name}** {time}: {reason} ({})\n", places.join(", "));
        for (field, before, after) in shown_differences(sample) {
            out += &format!("  - {}: {} → {}\n", code(field), escaped(before), escaped(after));
        }
    }
    out += &unshown(rule).map_or_else(String::new, |line| format!("- {line}\n"));
    out
}
