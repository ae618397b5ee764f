//! The coverage of rules: as a table, as Markdown, as comma-separated values.

use std::io;
use std::io::Write as _;

use comfy_table::Cell;
use maxspan_rules::coverage::{Coverage, CoveringRule, FrameworkCoverage, alert_count, fired_count};

use super::Writer;
use super::csv::csv_line;
use super::page::escaped;
use super::summary::counted;
use super::table::{Look, keep_whole, number_cell, text_cell};

/// A row of the coverage: a tactic, a technique or a sub-technique.
struct Row<'a> {
    /// 0 for tactics, 1 for techniques, 2 for sub-techniques.
    depth: usize,
    tactic: (&'a str, &'a str),
    id: &'a str,
    name: &'a str,
    rules: &'a [CoveringRule],
}

fn rows(framework: &FrameworkCoverage) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    for tactic in &framework.tactics {
        let pair = (tactic.id.as_str(), tactic.name.as_str());
        rows.push(Row { depth: 0, tactic: pair, id: &tactic.id, name: &tactic.name, rules: &tactic.rules });
        rows.extend(tactic.techniques.iter().map(|technique| Row {
            depth: if technique.sub_technique { 2 } else { 1 },
            tactic: pair,
            id: &technique.id,
            name: &technique.name,
            rules: &technique.rules,
        }));
    }
    rows
}

/// Writes the table and the totals.
pub(crate) fn write_table(
    writer: &mut Writer,
    coverage: &Coverage,
    look: Look,
    verbose: bool,
) -> io::Result<()> {
    for framework in &coverage.frameworks {
        let mut headings = vec!["ID", "TACTIC OR TECHNIQUE", "RULES"];
        if coverage.with_alerts {
            headings.extend(["FIRED", "ALERTS"]);
        }
        if verbose {
            headings.push("NAMES");
        }
        let mut table = look.table(&headings);
        for row in rows(framework) {
            let mut cells = vec![
                Cell::new(format!("{}{}", "  ".repeat(row.depth), row.id)),
                text_cell(row.name),
                number_cell(row.rules.len() as u64),
            ];
            if coverage.with_alerts {
                cells.push(number_cell(fired_count(row.rules) as u64));
                cells.push(number_cell(alert_count(row.rules)));
            }
            if verbose {
                // Names stand where they are mapped most precisely: a tactic's are those of its techniques.
                cells.push(Cell::new(if row.depth == 0 { String::new() } else { names(row.rules) }));
            }
            table.add_row(cells);
        }
        (0..headings.len()).filter(|column| !matches!(headings[*column], "NAMES")).for_each(|column| {
            keep_whole(&mut table, column);
        });
        super::table::write_table(writer, &table)?;
        writeln!(writer)?;
    }
    if verbose && !coverage.unmapped.is_empty() {
        writeln!(writer, "Without a mapping:")?;
        for rule in &coverage.unmapped {
            writeln!(writer, "  {}", crate::terminal::printable(&rule.name))?;
        }
        writeln!(writer)?;
    }
    writeln!(writer, "{}", totals(coverage))
}

fn names(rules: &[CoveringRule]) -> String {
    let names: Vec<String> =
        rules.iter().map(|rule| crate::terminal::printable(&rule.name).replace('\n', " ")).collect();
    names.join("; ")
}

/// `1,564 rules: 1,515 mapped to MITRE ATT&CK (14 tactics, 190 techniques, 300 sub-techniques), 49 without a
/// mapping`
fn totals(coverage: &Coverage) -> String {
    let mut parts = Vec::new();
    for framework in &coverage.frameworks {
        let mut ids = [Vec::new(), Vec::new(), Vec::new()];
        for row in rows(framework) {
            ids[row.depth].push(row.id);
        }
        // A technique of several tactics is one technique.
        let [tactics, techniques, inner] = ids.map(|mut ids| {
            ids.sort_unstable();
            ids.dedup();
            ids.len() as u64
        });
        parts.push(format!(
            "{} mapped to {} ({}, {}, {})",
            indicatif::HumanCount(framework.rules as u64),
            framework.name,
            counted(tactics, "tactic"),
            counted(techniques, "technique"),
            counted(inner, "sub-technique")
        ));
    }
    parts.push(format!("{} without a mapping", indicatif::HumanCount(coverage.unmapped.len() as u64)));
    format!("{}: {}", counted(coverage.rules as u64, "rule"), parts.join(", "))
}

/// The coverage as a Markdown document.
pub(crate) fn markdown(coverage: &Coverage, verbose: bool) -> String {
    let mut out = format!("# Coverage\n\n{}\n", escaped(&totals(coverage)));
    let (more, line) = if coverage.with_alerts { (" Fired | Alerts |", "---:|---:|") } else { ("", "") };
    let (names_head, names_line) = if verbose { (" Names |", "---|") } else { ("", "") };
    for framework in &coverage.frameworks {
        for row in rows(framework) {
            let mut counts = format!(" {} |", row.rules.len());
            if coverage.with_alerts {
                counts += &format!(" {} | {} |", fired_count(row.rules), alert_count(row.rules));
            }
            if row.depth == 0 {
                out += &format!("\n## {} {}\n\n", escaped(row.id), escaped(row.name));
                out += &format!(
                    "| ID | Technique | Rules |{more}{names_head}\n|---|---|---:|{line}{names_line}\n"
                );
                let blank = if verbose { " |" } else { "" };
                out += &format!("| {} | *all* |{counts}{blank}\n", escaped(row.id));
                continue;
            }
            let names = if verbose { format!(" {} |", escaped(&names(row.rules))) } else { String::new() };
            let indent = if row.depth == 2 { "&emsp;" } else { "" };
            out += &format!("| {} | {indent}{} |{counts}{names}\n", escaped(row.id), escaped(row.name));
        }
    }
    if verbose && !coverage.unmapped.is_empty() {
        out += "\n## Without a mapping\n\n";
        out.extend(coverage.unmapped.iter().map(|rule| format!("- {}\n", escaped(&rule.name))));
    }
    out
}

/// The coverage as comma-separated values; a row without a technique is the tactic's.
pub(crate) fn csv(coverage: &Coverage, verbose: bool) -> String {
    let mut headings =
        vec!["framework", "tactic_id", "tactic", "technique_id", "technique", "rules", "fired", "alerts"];
    if verbose {
        headings.push("names");
    }
    let mut out = csv_line(headings);
    for framework in &coverage.frameworks {
        for row in rows(framework) {
            let (id, name) = if row.depth == 0 { ("", "") } else { (row.id, row.name) };
            let count = |count: u64| if coverage.with_alerts { count.to_string() } else { String::new() };
            let mut cells = vec![framework.name.clone(), row.tactic.0.to_owned(), row.tactic.1.to_owned()];
            cells.extend([id.to_owned(), name.to_owned(), row.rules.len().to_string()]);
            cells.extend([count(fired_count(row.rules) as u64), count(alert_count(row.rules))]);
            if verbose {
                cells.push(names(row.rules));
            }
            out += &csv_line(cells);
        }
    }
    out
}
