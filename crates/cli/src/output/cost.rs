//! How rules are found and what they cost, for a person: a page for each rule, or a table of many.

use std::fmt::Write as _;
use std::time::Duration;

use indicatif::HumanCount;
use maxspan_pipeline::cost::{MeasuredCost, NoAnchor, RuleCost, ShareOfEvents, UnitCost};

use super::summary::counted;
use crate::terminal::{Paint, printable};

/// Columns that a page and a table fit into.
const WIDTH: usize = 100;

/// Parts of an anchor, or values of a field of the gate, that are shown.
const SHOWN_MAX: usize = 8;

/// Columns that the longest text of a page may take.
const TEXT_MAX: usize = WIDTH - 14;

/// A page for each rule.
pub(crate) fn pages(rules: &[RuleCost], paint: Paint) -> String {
    let pages: Vec<String> = rules.iter().map(|rule| page(rule, paint)).collect();
    pages.join("\n")
}

fn page(rule: &RuleCost, paint: Paint) -> String {
    let mut out = paint.bold(&cut(&rule.name, WIDTH)) + "\n";
    let _ = writeln!(out, "  {}", cut(&rule.rule_id, WIDTH - 2));
    let always = if rule.always {
        "on the always-list: every event of its indices and class is evaluated"
    } else {
        "found by what an event has"
    };
    let _ = writeln!(out, "  {always}");
    if let Some(measured) = &rule.measured {
        let _ = writeln!(out, "  {}", measured_line(measured));
    }
    for unit in &rule.units {
        out += &unit_lines(unit, rule.units.len(), paint);
    }
    out
}

fn measured_line(measured: &MeasuredCost) -> String {
    let rule = &measured.rule;
    format!(
        "measured over {}: {}, {}, {}",
        counted(measured.events, "event"),
        counted(rule.candidates, "candidate"),
        matches(rule.matches),
        time(rule.nanoseconds),
    )
}

fn matches(count: u64) -> String {
    format!("{} {}", HumanCount(count), if count == 1 { "match" } else { "matches" })
}

fn unit_lines(unit: &UnitCost, units: usize, paint: Paint) -> String {
    let mut out = String::from("\n");
    match unit.step {
        _ if unit.until => {
            let _ = writeln!(out, "  {}", paint.bold("until"));
        }
        Some(step) => {
            let _ = writeln!(out, "  {}", paint.bold(&format!("step {step} of {units}")));
        }
        None => {}
    }
    if unit.impossible {
        return out + "  matches nothing: no event can satisfy its conditions\n";
    }
    for (index, (field, values)) in unit.gate.iter().enumerate() {
        let label = if index == 0 { "gate" } else { "" };
        line(&mut out, label, &format!("{field}: {}", listed(values, ", ")));
    }
    if unit.gate.is_empty() {
        line(&mut out, "gate", "none: it asks no category, operating system, action or the like");
    } else {
        line(&mut out, "", &lets_through(unit.gate_share));
    }
    match (&unit.anchor, unit.reason) {
        (Some(atoms), _) => anchor(&mut out, atoms, unit.anchor_share),
        (None, reason) => {
            let why = reason.map_or("", no_anchor);
            line(&mut out, "anchor", &format!("none: {why}"));
        }
    }
    let weight = HumanCount(u64::from(unit.weight));
    let evaluated = format!("{} of events, ", percent(unit.share));
    line(&mut out, "evaluated", &format!("{evaluated}each at about {weight} × a plain comparison"));
    out
}

fn anchor(out: &mut String, atoms: &[String], share: ShareOfEvents) {
    if let [only] = atoms {
        line(out, "anchor", only);
    } else {
        line(out, "anchor", &format!("one of {}:", atoms.len()));
        atoms.iter().take(SHOWN_MAX).for_each(|atom| line(out, "", &format!("  {atom}")));
        let more = atoms.len().saturating_sub(SHOWN_MAX);
        if more > 0 {
            line(out, "", &format!("  … and {more} more (--format json has all)"));
        }
    }
    line(out, "", &lets_through(share));
}

/// A line with its label on the left.
fn line(out: &mut String, label: &str, text: &str) {
    let _ = writeln!(out, "  {label:<10}{}", cut(text, TEXT_MAX));
}

fn listed(values: &[String], between: &str) -> String {
    let mut shown = values.iter().take(SHOWN_MAX).cloned().collect::<Vec<_>>().join(between);
    let more = values.len().saturating_sub(SHOWN_MAX);
    if more > 0 {
        let _ = write!(shown, " … and {more} more");
    }
    shown
}

fn lets_through(share: ShareOfEvents) -> String {
    let how = if share.measured { "measured" } else { "estimated" };
    format!("lets {} of events through ({how})", percent(share))
}

fn percent(share: ShareOfEvents) -> String {
    let percent = share.value * 100.0;
    match percent {
        all if all >= 99.95 => "all".to_owned(),
        much if much >= 10.0 => format!("{much:.0} %"),
        some if some >= 0.1 => format!("{some:.1} %"),
        few if few >= 0.001 => format!("{few:.3} %"),
        _ => "under 0.001 %".to_owned(),
    }
}

/// Why there is no anchor, after `none:`.
fn no_anchor(reason: NoAnchor) -> &'static str {
    match reason {
        NoAnchor::Anything => "it asks nothing of an event",
        NoAnchor::Negated => "only negated conditions and tests for missing fields",
        NoAnchor::Script => "only computed conditions that need no field",
        NoAnchor::Gate => "beside what the gate asks, nothing that an event must have",
        NoAnchor::Nested => "only conditions on objects of a nested field",
        NoAnchor::FreeText => "free text, or field names with wildcards, look into every field",
        NoAnchor::Lineage => "lineage queries need every process, whatever it matches",
        NoAnchor::Alternative => "an alternative of its `or` has nothing that an event must have",
    }
}

/// The rules that cost most, one a line.
pub(crate) fn table(rules: &[RuleCost], measured: bool, paint: Paint) -> String {
    let headings = if measured {
        ["TIME", "CANDIDATES", "MATCHES", "EACH", "ALWAYS"].as_slice()
    } else {
        ["COST", "EVENTS", "STEPS", "ALWAYS"].as_slice()
    };
    let rows: Vec<Vec<String>> =
        rules.iter().map(if measured { measured_row } else { estimated_row }).collect();
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([headings[column].len()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..headings.len()).map(width).collect();
    let row = |cells: &[String], name: &str| {
        let mut out = String::new();
        for (cell, width) in cells.iter().zip(&widths) {
            let _ = write!(out, "{cell:>width$}  ");
        }
        let left = WIDTH.saturating_sub(out.chars().count());
        out + &cut(name, left)
    };
    let headings: Vec<String> = headings.iter().map(ToString::to_string).collect();
    let mut out = paint.bold(&row(&headings, "RULE")) + "\n";
    for (cells, rule) in rows.iter().zip(rules) {
        out += &row(cells, &rule.name);
        out.push('\n');
    }
    out
}

fn measured_row(rule: &RuleCost) -> Vec<String> {
    let cost = rule.measured.map(|measured| measured.rule).unwrap_or_default();
    let each = cost.nanoseconds / cost.candidates.max(1);
    vec![
        time(cost.nanoseconds),
        HumanCount(cost.candidates).to_string(),
        HumanCount(cost.matches).to_string(),
        time(each),
        always(rule),
    ]
}

fn estimated_row(rule: &RuleCost) -> Vec<String> {
    let most = rule.units.iter().map(|unit| unit.share).max_by(|a, b| a.value.total_cmp(&b.value));
    vec![
        format!("{:.2}", rule.estimate),
        most.map_or_else(|| "-".to_owned(), percent),
        rule.units.len().to_string(),
        always(rule),
    ]
}

fn always(rule: &RuleCost) -> String {
    if rule.always { "yes" } else { "" }.to_owned()
}

/// `812 ns`, `1.5 ms`.
fn time(nanoseconds: u64) -> String {
    let seconds = Duration::from_nanos(nanoseconds).as_secs_f64();
    match nanoseconds {
        0..1_000 => format!("{nanoseconds} ns"),
        1_000..1_000_000 => format!("{:.1} µs", seconds * 1e6),
        1_000_000..1_000_000_000 => format!("{:.1} ms", seconds * 1e3),
        _ => format!("{seconds:.2} s"),
    }
}

/// The text on one line, safe for a terminal, and of so many columns at most.
fn cut(text: &str, columns: usize) -> String {
    let text = printable(text).replace('\n', " ");
    if text.chars().count() <= columns {
        return text;
    }
    let kept: String = text.chars().take(columns.saturating_sub(1)).collect();
    kept + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_and_times_are_short() {
        let check = |value: f64, expected: &str| {
            assert_eq!(percent(ShareOfEvents { value, measured: true }), expected);
        };
        check(1.0, "all");
        check(0.9, "90 %");
        check(0.0123, "1.2 %");
        check(0.0005, "0.050 %");
        check(0.0, "under 0.001 %");
        let times = [7, 1_500, 2_000_000, 3_210_000_000].map(time);
        assert_eq!(times, ["7 ns", "1.5 µs", "2.0 ms", "3.21 s"]);
        assert_eq!(cut("abcdef", 4), "abc…");
    }
}
