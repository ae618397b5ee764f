//! A list of rules: as a table, as data, as ids.

use std::io::{self, BufWriter, Write as _};

use comfy_table::{Cell, CellAlignment};
use maxspan_rules::listing::RuleFacts;

use super::Writer;
use super::csv::csv_line;
use super::table::{Look, keep_whole, severity_cell, text_cell, write_table};
use crate::args::catalog::{Column, ListFormat};
use crate::output::summary::counted;
use crate::terminal::{Paint, stdout_is_terminal};

/// Columns of a table where none are asked for.
const COLUMNS_DEFAULT: [Column; 6] =
    [Column::Severity, Column::Risk, Column::Type, Column::Name, Column::Tactic, Column::Updated];

/// Columns that are never broken into lines.
const WHOLE: [Column; 9] = [
    Column::Id,
    Column::Type,
    Column::Language,
    Column::Severity,
    Column::Risk,
    Column::Updated,
    Column::Maturity,
    Column::Enabled,
    Column::Version,
];

/// Writes the list to standard output.
pub(crate) fn write(rules: &[RuleFacts], format: ListFormat, columns: &[Column]) -> io::Result<()> {
    let mut writer: Writer = Box::new(BufWriter::new(io::stdout()));
    match format {
        ListFormat::Table => {
            let columns = if columns.is_empty() { &COLUMNS_DEFAULT } else { columns };
            write_rows(&mut writer, rules, columns)?;
        }
        ListFormat::Json => {
            serde_json::to_writer_pretty(&mut writer, rules)?;
            writeln!(writer)?;
        }
        ListFormat::NdJson => {
            for rule in rules {
                serde_json::to_writer(&mut writer, rule)?;
                writeln!(writer)?;
            }
        }
        ListFormat::Csv => {
            let columns = if columns.is_empty() { &Column::ALL } else { columns };
            write!(writer, "{}", csv_line(columns.iter().map(|column| column.name())))?;
            for rule in rules {
                write!(writer, "{}", csv_line(columns.iter().map(|column| column.text(rule, "; "))))?;
            }
        }
        ListFormat::Ids => {
            for rule in rules {
                writeln!(writer, "{}", rule.rule_id)?;
            }
        }
    }
    writer.flush()
}

fn write_rows(writer: &mut Writer, rules: &[RuleFacts], columns: &[Column]) -> io::Result<()> {
    if rules.is_empty() {
        return Ok(());
    }
    let headings: Vec<String> = columns.iter().map(|column| column.name().to_uppercase()).collect();
    let headings: Vec<&str> = headings.iter().map(String::as_str).collect();
    let mut table = Look::new(Paint::stdout(), false).table(&headings);
    for rule in rules {
        table.add_row(columns.iter().map(|column| column.cell(rule)));
    }
    for (index, _) in columns.iter().enumerate().filter(|(_, column)| WHOLE.contains(column)) {
        keep_whole(&mut table, index);
    }
    write_table(writer, &table)?;
    if stdout_is_terminal() {
        writeln!(writer, "\n{}", counted(rules.len() as u64, "rule"))?;
    }
    Ok(())
}

impl Column {
    const ALL: [Self; 17] = [
        Self::Id,
        Self::Name,
        Self::Type,
        Self::Language,
        Self::Severity,
        Self::Risk,
        Self::Tactic,
        Self::Technique,
        Self::Index,
        Self::Os,
        Self::Integration,
        Self::Tags,
        Self::Updated,
        Self::Maturity,
        Self::Enabled,
        Self::Version,
        Self::File,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Name => "name",
            Self::Type => "type",
            Self::Language => "language",
            Self::Severity => "severity",
            Self::Risk => "risk",
            Self::Tactic => "tactic",
            Self::Technique => "technique",
            Self::Index => "index",
            Self::Os => "os",
            Self::Integration => "integration",
            Self::Tags => "tags",
            Self::Updated => "updated",
            Self::Maturity => "maturity",
            Self::Enabled => "enabled",
            Self::Version => "version",
            Self::File => "file",
        }
    }

    fn cell(self, rule: &RuleFacts) -> Cell {
        match self {
            Self::Severity => severity_cell(rule.severity),
            Self::Risk => Cell::new(rule.risk_score).set_alignment(CellAlignment::Right),
            Self::Version => Cell::new(rule.version).set_alignment(CellAlignment::Right),
            _ => text_cell(&self.text(rule, ", ")),
        }
    }

    fn text(self, rule: &RuleFacts, between: &str) -> String {
        let or_empty = |text: Option<&str>| text.unwrap_or_default().to_owned();
        match self {
            Self::Id => rule.rule_id.clone(),
            Self::Name => rule.name.clone(),
            Self::Type => rule.rule_type.to_owned(),
            Self::Language => or_empty(rule.language),
            Self::Severity => rule.severity.to_owned(),
            Self::Risk => rule.risk_score.to_string(),
            Self::Tactic => rule.tactics.join(between),
            Self::Technique => rule.techniques.join(between),
            Self::Index => rule.indices.join(between),
            Self::Os => rule.systems.join(between),
            Self::Integration => rule.integrations.join(between),
            Self::Tags => rule.tags.join(between),
            Self::Updated => or_empty(rule.updated.as_deref()),
            Self::Maturity => or_empty(rule.maturity.as_deref()),
            Self::Enabled => if rule.enabled { "yes" } else { "no" }.to_owned(),
            Self::Version => rule.version.to_string(),
            Self::File => format!("{}:{}", rule.file, rule.line),
        }
    }
}
