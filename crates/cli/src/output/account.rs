//! The closing summary of a hunt on standard error: what was read, what ran, what was raised, and everything lost.

use std::collections::BTreeMap;

use indicatif::{DecimalBytes, HumanCount};
use maxspan_event::date::format_millis;
use maxspan_pipeline::hunt::HuntStats;
use maxspan_pipeline::query::{MatchCounters, RuleCounters};
use maxspan_pipeline::rule_base::RuleBase;
use maxspan_rules::Runs;

use super::summary::counted;
use crate::terminal::{Paint, printable};

/// Rules named in a line about losses.
const WORST_MAX: usize = 5;

const TEXTS_DROPPED: &str = "of functions beyond the limit of length, taken as null";

const LINEAGE_CUT: &str = "of an ancestor process that ended after the most generations";

/// The lines of the summary.
pub(crate) fn lines(rules: &RuleBase, stats: &HuntStats, paint: Paint) -> Vec<String> {
    let mut lines = vec![
        line(paint, "Events", &events(stats)),
        line(paint, "Rules", &rules_run(rules, stats)),
        line(paint, "Alerts", &alerts(stats)),
    ];
    let mut losses = Vec::new();
    capped(rules, stats, &mut losses);
    late_and_evicted(rules, stats, &mut losses);
    failed_runs(rules, stats, &mut losses);
    limits(stats, &mut losses);
    lines.extend(labelled(paint, "Lost", &losses));
    let mut notes = notes(stats);
    single_run(rules, &mut notes);
    without_anomalies(stats, &mut notes);
    undecided(rules, stats, &mut notes);
    run_warnings(stats, &mut notes);
    lines.extend(labelled(paint, "Notes", &notes));
    lines
}

fn line(paint: Paint, label: &str, text: &str) -> String {
    format!("{}  {text}", paint.bold(&format!("{label:<6}")))
}

fn labelled(paint: Paint, label: &str, texts: &[String]) -> Vec<String> {
    let label_of = |index: usize| if index == 0 { label } else { "" };
    texts.iter().enumerate().map(|(index, text)| line(paint, label_of(index), text)).collect()
}

fn events(stats: &HuntStats) -> String {
    let seconds = stats.seconds.max(1e-6);
    let rate = (stats.events as f64 / seconds) as u64;
    let bytes_rate = DecimalBytes((stats.bytes as f64 / seconds) as u64);
    let read = format!(
        "{} read ({}) in {:.1} s: {} events/s, {bytes_rate}/s",
        HumanCount(stats.events),
        DecimalBytes(stats.bytes),
        stats.seconds,
        HumanCount(rate),
    );
    match stats.events_failed {
        0 => read,
        failed => format!("{read}; {} could not be read", HumanCount(failed)),
    }
}

fn rules_run(rules: &RuleBase, stats: &HuntStats) -> String {
    let ran = format!("{} ran", HumanCount(stats.rules_loaded));
    std::iter::once(ran).chain(not_run_and_failed(rules)).collect::<Vec<_>>().join(", ")
}

/// `2 failed`, `155 not run yet (esql 112, new_terms 43)`; what there is none of is left out.
pub(crate) fn not_run_and_failed(rules: &RuleBase) -> Vec<String> {
    let mut parts = Vec::new();
    if rules.failed > 0 {
        parts.push(format!("{} failed", HumanCount(rules.failed as u64)));
    }
    if !rules.not_run.is_empty() {
        let (count, kinds) = (HumanCount(rules.not_run.len() as u64), not_run_kinds(rules));
        parts.push(format!("{count} not run yet ({kinds})"));
    }
    parts
}

/// `esql 112, new_terms 43`: rules that are not run yet by their type, the most frequent first.
pub(crate) fn not_run_kinds(rules: &RuleBase) -> String {
    let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
    for rule in &rules.not_run {
        *kinds.entry(rule.rule_type.name()).or_default() += 1;
    }
    let worst = worst(kinds.into_iter());
    worst.iter().map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ")
}

fn alerts(stats: &HuntStats) -> String {
    let alerts = match stats.alerts {
        0 => "none".to_owned(),
        alerts => format!("{} by {}", HumanCount(alerts), counted(stats.alerts_by_rule.len() as u64, "rule")),
    };
    match stats.building_blocks {
        0 => alerts,
        blocks => format!("{alerts}, and {} of sequences", counted(blocks, "building block")),
    }
}

fn capped(rules: &RuleBase, stats: &HuntStats, out: &mut Vec<String>) {
    if stats.alerts_capped_by_rule.is_empty() {
        return;
    }
    let total = stats.alerts_capped_by_rule.values().sum();
    let of = counted(stats.alerts_capped_by_rule.len() as u64, "rule");
    out.push(format!("{} over max_signals, of {of} (--no-cap keeps them)", counted(total, "alert")));
    out.extend(worst_rules(rules, &stats.alerts_capped_by_rule));
}

fn late_and_evicted(rules: &RuleBase, stats: &HuntStats, out: &mut Vec<String>) {
    if let Some(error) = &stats.spill_error {
        out.push(format!("{}; --temp-dir names another folder", printable(error)));
    }
    if stats.matches_unread > 0 {
        let events = counted(stats.matches_unread, "event");
        out.push(format!("{events} of sequences that were put aside and could not be read again"));
    }
    if stats.alerts_unread > 0 {
        let alerts = counted(stats.alerts_unread, "alert");
        out.push(format!("{alerts} whose events were put aside and could not be read again"));
    }
    if stats.late_events > 0 {
        let events = counted(stats.late_events, "event");
        out.push(format!("{events} of sequences too late to be put in order (raise --sequence-memory)"));
        out.extend(worst_rules(rules, &stats.late_events_by_rule));
    }
    if !stats.enrichments_cut_by_rule.is_empty() {
        let total = stats.enrichments_cut_by_rule.values().sum();
        out.push(format!("{} without all of their indicators", counted(total, "alert")));
        out.extend(worst_rules(rules, &stats.enrichments_cut_by_rule));
    }
    if !stats.evicted_by_rule.is_empty() {
        let total = stats.evicted_by_rule.values().sum();
        out.push(format!("{} of rules over several events pushed out by a limit", counted(total, "state")));
        out.extend(worst_rules(rules, &stats.evicted_by_rule));
    }
}

/// Runs of ES|QL rules that ended without a result.
fn failed_runs(rules: &RuleBase, stats: &HuntStats, out: &mut Vec<String>) {
    let name = |rule_id: &String| {
        let rule = rules.documents.iter().find(|rule| rule.rule_id == *rule_id);
        printable(rule.map_or(rule_id, |rule| &rule.name)).into_owned()
    };
    if stats.runs_failed > 0 {
        out.push(format!("{} of ES|QL rules without a result", counted(stats.runs_failed, "run")));
        let reasons = stats.runs_failed_by_rule.iter();
        out.extend(reasons.map(|(rule, why)| format!("  {}: {}", name(rule), printable(why))));
    }
}

/// ES|QL rules that could not compute all that they ask for.
fn run_warnings(stats: &HuntStats, out: &mut Vec<String>) {
    if !stats.run_warnings_by_rule.is_empty() {
        let rules = counted(stats.run_warnings_by_rule.len() as u64, "ES|QL rule");
        out.push(format!("{rules} could not compute some values (--stats lists them)"));
    }
}

/// When each rule ran, where it ran once.
fn single_run(rules: &RuleBase, out: &mut Vec<String>) {
    if let (Runs::Once, Some((_, at))) = (rules.runs, rules.window) {
        out.push(format!("each rule ran once, at {}", format_millis(at)));
    }
}

/// Machine learning rules that had nothing to look at.
fn without_anomalies(stats: &HuntStats, out: &mut Vec<String>) {
    let count = stats.rules_without_anomalies.len() as u64;
    if count == 0 {
        return;
    }
    let rules = counted(count, "machine learning rule");
    out.push(format!("{rules} found no results of their anomaly detection jobs (--stats names them)"));
}

/// Sequences that end with an event that has to be missing for longer than the window reaches.
fn undecided(rules: &RuleBase, stats: &HuntStats, out: &mut Vec<String>) {
    if stats.sequences_undecided_by_rule.is_empty() {
        return;
    }
    let total = stats.sequences_undecided_by_rule.values().sum();
    let what = "whose maxspan ends after --to: an event that has to be missing may still come";
    out.push(format!("{} {what}", counted(total, "sequence")));
    out.extend(worst_rules(rules, &stats.sequences_undecided_by_rule));
}

fn limits(stats: &HuntStats, out: &mut Vec<String>) {
    let mut count = |count: u64, noun: &str, text: &str| {
        if count > 0 {
            out.push(format!("{} {text}", counted(count, noun)));
        }
    };
    count(stats.matches_without_timestamp, "event", "of sequences without a timestamp");
    count(stats.keys_dropped, "join key", "beyond the limit of one event");
    count(stats.values_dropped, "value", "beyond the limit of one field");
    count(stats.texts_dropped, "text", TEXTS_DROPPED);
    count(stats.lineage_cut, "lookup", LINEAGE_CUT);
    count(
        stats.capped_not_remembered,
        "alert",
        "over max_signals beyond those that are remembered: doubles of them count again",
    );
    count(
        stats.suppressed_not_remembered,
        "event",
        "counted by suppression beyond those that are remembered: doubles of them count again",
    );
    count(
        stats.occurrences_dropped,
        "event",
        "without an id beyond the limit up to which doubles are told apart",
    );
    count(stats.executions_left_out, "record", "of executions beyond their limit");
    count(stats.executions_events_left_out, "event", "of runs beyond those that records are kept of");
    count(stats.exceptions_failed, "exception", "that cannot be read");
    count(stats.exceptions_not_applied, "exception item", "that cannot be applied (--verbose says why)");
    count(stats.rule_files_failed, "rule file", "that cannot be read");
}

fn notes(stats: &HuntStats) -> Vec<String> {
    let mut notes = Vec::new();
    let mut note = |count: u64, noun: &str, text: &str| {
        if count > 0 {
            notes.push(format!("{} {text}", counted(count, noun)));
        }
    };
    let everywhere = "without an index, shown to rules of every index (--index gives one)";
    note(stats.events_without_index, "event", everywhere);
    note(stats.os_derived, "event", "with a derived host.os.type (--no-normalize leaves it out)");
    note(
        stats.alerts_repeated,
        "detection",
        "of the same events as another one of the rule: one alert for both",
    );
    note(stats.events_repeated, "event", "of sequences read again with the same id, which count once");
    note(stats.events_repaired, "event", "mended: a lone surrogate, or a number out of range");
    for table in &stats.indicator_tables_unused {
        note(1, "table", &format!("of indicators in an index that no rule looks at: {}", printable(table)));
    }
    note(stats.exceptions_unused, "exception item", "that no rule uses");
    note(stats.alerts_recursive, "detection", "on alerts of the same rule: no alert");
    let folded = "folded into others by suppression: their docs_count";
    note(stats.suppressed, "alert", folded);
    notes
}

/// What limits took away from the answer to a query, a line each.
pub(crate) fn lost_in_query(events: &MatchCounters, state: &RuleCounters) -> Vec<String> {
    let counts = [
        (state.late, "event", "of sequences too late to be put in order"),
        (state.evicted, "state", "of sequences pushed out by a limit"),
        (state.lineage_cut, "lookup", LINEAGE_CUT),
        (events.without_timestamp, "event", "of sequences without a timestamp"),
        (events.keys_dropped, "join key", "beyond the limit of one event"),
        (events.values_dropped, "value", "beyond the limit of one field"),
        (events.texts_dropped, "text", TEXTS_DROPPED),
    ];
    let lost = counts.iter().filter(|(count, ..)| *count > 0);
    lost.map(|(count, noun, text)| format!("lost: {} {text}", counted(*count, noun))).collect()
}

/// The rules with the highest counts, a line each.
fn worst_rules(rules: &RuleBase, counts: &BTreeMap<String, u64>) -> Vec<String> {
    let worst = worst(counts.iter().map(|(id, count)| (id.as_str(), *count)));
    let mut lines: Vec<String> = worst
        .iter()
        .take(WORST_MAX)
        .map(|(id, count)| {
            format!("  {:>8}  {}", HumanCount(*count).to_string(), printable(name_of(rules, id)))
        })
        .collect();
    if worst.len() > WORST_MAX {
        let rest = worst[WORST_MAX..].iter().map(|(_, count)| count).sum::<u64>();
        let others = counted((worst.len() - WORST_MAX) as u64, "other rule");
        lines.push(format!("  {:>8}  {others}", HumanCount(rest).to_string()));
    }
    lines
}

/// By count, the highest first, then by name.
fn worst<'a>(counts: impl Iterator<Item = (&'a str, u64)>) -> Vec<(&'a str, u64)> {
    let mut sorted: Vec<_> = counts.collect();
    sorted.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    sorted
}

fn name_of<'a>(rules: &'a RuleBase, rule_id: &'a str) -> &'a str {
    rules.documents.iter().find(|rule| rule.rule_id == rule_id).map_or(rule_id, |rule| &rule.name)
}
