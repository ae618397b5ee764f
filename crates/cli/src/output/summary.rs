//! Alerts by rule: how many, how grave, when and where.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::io::Write as _;

use indicatif::HumanCount;
use maxspan_pipeline::hunt::{HuntAlert, HuntStats};
use maxspan_pipeline::rule_base::RuleBase;
use maxspan_rules::document::RuleSeverity;

use super::row::{Grouping, Row, listed};
use super::table::{
    Look, SUPPRESSED, count_cell, keep_whole, number_cell, severity_cell, text_cell, write_table,
};
use super::{AlertOutput, Writer};

/// Host names shown of one rule; then their number.
const HOSTS_SHOWN_MAX: usize = 3;

/// The alerts of one rule.
#[derive(Debug, Default)]
struct OfRule {
    /// The rule's own, whatever its alerts are called by an override.
    name: String,
    /// The highest, where overrides give alerts of one rule different ones.
    severity: Option<RuleSeverity>,
    count: u64,
    first: Option<String>,
    last: Option<String>,
    hosts: BTreeSet<String>,
}

impl OfRule {
    fn add(&mut self, row: Row) {
        self.severity = self.severity.max(RuleSeverity::from_name(&row.severity));
        self.count += 1;
        if let Some(time) = row.time {
            // All times are written alike, so the order of texts is that of times.
            self.first =
                Some(self.first.take().map_or_else(|| time.clone(), |first| first.min(time.clone())));
            self.last = self.last.take().max(Some(time));
        }
        self.hosts.extend(row.hosts);
    }
}

/// Counts alerts by rule.
pub(crate) struct Summary {
    writer: Writer,
    look: Look,
    grouping: Grouping,
    rules: BTreeMap<String, OfRule>,
}

impl Summary {
    pub(crate) fn new(writer: Writer, look: Look) -> Self {
        Self { writer, look, grouping: Grouping::default(), rules: BTreeMap::new() }
    }

    /// The gravest first, then the most frequent.
    fn sorted(&self) -> Vec<(&str, &OfRule)> {
        let mut sorted: Vec<_> = self.rules.iter().map(|(id, of_rule)| (id.as_str(), of_rule)).collect();
        sorted.sort_by(|(_, a), (_, b)| {
            b.severity.cmp(&a.severity).then(b.count.cmp(&a.count)).then_with(|| a.name.cmp(&b.name))
        });
        sorted
    }

    fn write_rules(&mut self, stats: &HuntStats) -> io::Result<()> {
        let columns = [("CAPPED", &stats.alerts_capped_by_rule), (SUPPRESSED, &stats.suppressed_by_rule)];
        let columns: Vec<_> = columns.into_iter().filter(|(_, counts)| !counts.is_empty()).collect();
        let mut headings = vec!["SEVERITY", "ALERTS", "RULE", "FIRST", "LAST", "HOSTS"];
        headings.splice(2..2, columns.iter().map(|(heading, _)| *heading));
        let mut table = self.look.table(&headings);
        for (rule_id, of_rule) in self.sorted() {
            let mut cells = vec![
                severity_cell(of_rule.severity.map_or("-", RuleSeverity::name)),
                number_cell(of_rule.count),
                text_cell(&of_rule.name),
                text_cell(of_rule.first.as_deref().unwrap_or("-")),
                text_cell(of_rule.last.as_deref().unwrap_or("-")),
                text_cell(&hosts(&of_rule.hosts)),
            ];
            let count = |counts: &BTreeMap<String, u64>| counts.get(rule_id).copied().unwrap_or(0);
            cells.splice(2..2, columns.iter().map(|(_, counts)| count_cell(count(counts))));
            table.add_row(cells);
        }
        let last_narrow = headings.len() - 1;
        for column in (0..last_narrow).filter(|column| headings[*column] != "RULE") {
            keep_whole(&mut table, column);
        }
        write_table(&mut self.writer, &table)?;
        writeln!(self.writer)
    }

    fn write_totals(&mut self) -> io::Result<()> {
        let alerts: u64 = self.rules.values().map(|of_rule| of_rule.count).sum();
        if alerts == 0 {
            return writeln!(self.writer, "no alerts");
        }
        let hosts: BTreeSet<&String> = self.rules.values().flat_map(|of_rule| &of_rule.hosts).collect();
        let first = self.rules.values().filter_map(|of_rule| of_rule.first.as_deref()).min();
        let last = self.rules.values().filter_map(|of_rule| of_rule.last.as_deref()).max();
        write!(
            self.writer,
            "{} of {} on {}",
            counted(alerts, "alert"),
            counted(self.rules.len() as u64, "rule"),
            counted(hosts.len() as u64, "host")
        )?;
        if let (Some(first), Some(last)) = (first, last) {
            write!(self.writer, ", from {first} to {last}")?;
        }
        writeln!(self.writer)
    }
}

impl AlertOutput for Summary {
    fn alert(&mut self, rules: &RuleBase, alert: &HuntAlert) -> io::Result<()> {
        if let Some(group) = self.grouping.push(alert) {
            let rule = &rules.documents[group.rule];
            let fresh = || OfRule { name: rule.name.clone(), ..OfRule::default() };
            self.rules.entry(rule.rule_id.clone()).or_insert_with(fresh).add(Row::new(&group));
        }
        Ok(())
    }

    fn finish(&mut self, _rules: &RuleBase, stats: &HuntStats) -> io::Result<()> {
        if !self.rules.is_empty() {
            self.write_rules(stats)?;
        }
        self.write_totals()?;
        self.writer.flush()
    }
}

fn hosts(names: &BTreeSet<String>) -> String {
    listed(&names.iter().cloned().collect::<Vec<_>>(), HOSTS_SHOWN_MAX)
}

/// `1 alert`, `2,000 alerts`.
pub(crate) fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", HumanCount(count))
}
