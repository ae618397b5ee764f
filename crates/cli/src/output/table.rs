//! Alerts for a person: one a row, as wide as the terminal, without the building blocks of sequences.

use std::io;
use std::io::Write as _;

use comfy_table::{
    Attribute, Cell, CellAlignment, Color, ColumnConstraint, ContentArrangement, Table, presets,
};
use maxspan_pipeline::hunt::{HuntAlert, HuntStats};
use maxspan_pipeline::rule_base::RuleBase;

use super::row::{Grouping, Row, listed};
use super::{AlertOutput, Writer};
use crate::terminal::{self, Paint, printable};

/// Names of one cell; an alert of many hosts would fill the screen.
const NAMES_MAX: usize = 3;

/// Heading of how many alerts suppression folded into others; shown where there are any.
pub(crate) const SUPPRESSED: &str = "SUPPRESSED";

/// Whom a table is drawn for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    /// Columns to fit into; none for rows of any width, one line each, as tools like them.
    width: Option<u16>,
    paint: Paint,
}

impl Look {
    /// For standard output, or for a file.
    pub(crate) fn new(paint: Paint, to_file: bool) -> Self {
        Self { width: if to_file { None } else { terminal::width() }, paint }
    }

    /// An empty table with these headings.
    pub(crate) fn table(self, headings: &[&str]) -> Table {
        let mut table = Table::new();
        table.load_preset(presets::NOTHING).force_no_tty();
        if let Some(width) = self.width {
            table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
        }
        if self.paint.is_on() {
            table.enforce_styling();
        }
        table.set_header(headings.iter().map(|heading| Cell::new(heading).add_attribute(Attribute::Bold)));
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        table
    }
}

/// Collects rows, since the widths of columns depend on all of them.
pub(crate) struct AlertTable {
    writer: Writer,
    look: Look,
    grouping: Grouping,
    rows: Vec<Row>,
}

impl AlertTable {
    pub(crate) fn new(writer: Writer, look: Look) -> Self {
        Self { writer, look, grouping: Grouping::default(), rows: Vec::new() }
    }
}

impl AlertOutput for AlertTable {
    fn alert(&mut self, _rules: &RuleBase, alert: &HuntAlert) -> io::Result<()> {
        self.rows.extend(self.grouping.push(alert).map(|group| Row::new(&group)));
        Ok(())
    }

    fn finish(&mut self, _rules: &RuleBase, _stats: &HuntStats) -> io::Result<()> {
        if !self.rows.is_empty() {
            // Alerts come in the order of the field that their rule goes by, which may not be the time shown.
            self.rows.sort_by(|a, b| a.time.cmp(&b.time));
            let suppressed = self.rows.iter().any(|row| row.suppressed > 0);
            let mut headings = vec!["TIME", "SEVERITY", "RULE", "HOST", "USER", "REASON"];
            if suppressed {
                headings.insert(2, SUPPRESSED);
            }
            let mut table = self.look.table(&headings);
            table.add_rows(self.rows.iter().map(|row| cells(row, suppressed)));
            for column in if suppressed { 0..3 } else { 0..2 } {
                keep_whole(&mut table, column);
            }
            write_table(&mut self.writer, &table)?;
        }
        self.writer.flush()
    }
}

fn cells(row: &Row, suppressed: bool) -> Vec<Cell> {
    let mut cells = vec![
        Cell::new(row.time.as_deref().unwrap_or("-")),
        severity_cell(&row.severity),
        text_cell(&row.rule_name),
        text_cell(&listed(&row.hosts, NAMES_MAX)),
        text_cell(&listed(&row.users, NAMES_MAX)),
        text_cell(&row.reason),
    ];
    if suppressed {
        cells.insert(2, count_cell(row.suppressed));
    }
    cells
}

/// A number, or nothing for none.
pub(crate) fn count_cell(count: u64) -> Cell {
    if count > 0 { number_cell(count) } else { Cell::new("") }
}

/// A cell of text that others wrote: on one line, and safe for a terminal.
pub(crate) fn text_cell(text: &str) -> Cell {
    let text = printable(text).replace('\n', " ");
    Cell::new(if text.is_empty() { "-" } else { &text })
}

pub(crate) fn severity_cell(severity: &str) -> Cell {
    let colour = match severity {
        "critical" => Color::Magenta,
        "high" => Color::Red,
        "medium" => Color::Yellow,
        _ => Color::Cyan,
    };
    Cell::new(severity).fg(colour)
}

pub(crate) fn number_cell(number: u64) -> Cell {
    Cell::new(indicatif::HumanCount(number)).set_alignment(CellAlignment::Right)
}

/// The column is never broken into lines.
pub(crate) fn keep_whole(table: &mut Table, column: usize) {
    if let Some(column) = table.column_mut(column) {
        column.set_constraint(ColumnConstraint::ContentWidth);
    }
}

/// Writes a table without the blanks that fill its last column.
pub(crate) fn write_table(writer: &mut Writer, table: &Table) -> io::Result<()> {
    for line in table.lines() {
        writeln!(writer, "{}", line.trim_end())?;
    }
    Ok(())
}
