//! What a scenario found: rows of a table, each a median with its spread, maybe beside a bar.

use anyhow::Result;

/// What a row is held against.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Bar {
    AtLeast(f64),
    AtMost(f64),
}

/// A figure of several runs.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    pub(super) what: String,
    /// Sorted; a row of one figure is no measurement of time.
    values: Vec<f64>,
    /// `×`, `MB/s`, `s`; nothing for counts.
    unit: &'static str,
    bar: Option<Bar>,
}

impl Row {
    pub(super) fn new(
        what: impl Into<String>,
        values: impl IntoIterator<Item = f64>,
        unit: &'static str,
    ) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        Self { what: what.into(), values, unit, bar: None }
    }

    pub(super) fn against(self, bar: Bar) -> Self {
        Self { bar: Some(bar), ..self }
    }

    fn median(&self) -> f64 {
        median(&self.values)
    }

    fn spread(&self) -> String {
        match self.values[..] {
            [] | [_] => String::new(),
            [lowest, .., highest] => format!("{} to {}", number(lowest), number(highest)),
        }
    }

    fn bar(&self) -> String {
        match self.bar {
            None => String::new(),
            Some(Bar::AtLeast(bar)) => format!("≥ {}", number(bar)),
            Some(Bar::AtMost(bar)) => format!("≤ {}", number(bar)),
        }
    }

    fn verdict(&self) -> &'static str {
        match self.bar {
            None => "",
            Some(Bar::AtLeast(bar)) if self.median() >= bar => "met",
            Some(Bar::AtMost(bar)) if self.median() <= bar => "met",
            Some(_) => "missed",
        }
    }

    fn cells(&self) -> [String; 5] {
        let unit = if self.unit.is_empty() { String::new() } else { format!(" {}", self.unit) };
        let median = if self.values.is_empty() { "–".to_owned() } else { number(self.median()) + &unit };
        [self.what.clone(), median, self.spread(), self.bar(), self.verdict().to_owned()]
    }
}

/// The middle of sorted numbers; of an even count, the mean of both.
pub(super) fn median(sorted: &[f64]) -> f64 {
    match sorted.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => sorted[count / 2],
        count => f64::midpoint(sorted[count / 2 - 1], sorted[count / 2]),
    }
}

/// Three digits that count, or all of a whole number.
fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 1_000.0 => thousands(value.round() as i64),
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size == 0.0 || size >= 0.1 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    }
}

fn thousands(value: i64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) && !text.ends_with('-') {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// What a scenario found.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) rows: Vec<Row>,
    /// Sentences: what was run, what could not be.
    pub(super) notes: Vec<String>,
}

impl Report {
    pub(super) fn note(note: impl Into<String>) -> Self {
        Self { rows: Vec::new(), notes: vec![note.into()] }
    }

    /// Adds what another found.
    pub(super) fn extend(&mut self, other: Self) {
        self.rows.extend(other.rows);
        self.notes.extend(other.notes);
    }
}

/// A scenario with what it found.
pub(super) struct Section {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) result: Result<Report>,
}

const HEADINGS: [&str; 5] = ["what", "median", "lowest to highest", "bar", ""];

impl Section {
    /// For a terminal.
    pub(super) fn text(&self) -> String {
        let report = match &self.result {
            Ok(report) => report,
            Err(error) => return format!("FAILED: {error:#}\n"),
        };
        let rows: Vec<[String; 5]> = report.rows.iter().map(Row::cells).collect();
        let width = |column: usize| {
            let cells = rows.iter().map(|row| row[column].chars().count());
            cells.chain([HEADINGS[column].chars().count()]).max().unwrap_or(0)
        };
        let line = |cells: &[String; 5]| {
            let padded = (0..5).map(|column| format!("{:<1$}", cells[column], width(column)));
            padded.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
        };
        let mut text = String::new();
        if !rows.is_empty() {
            text += &line(&HEADINGS.map(str::to_owned));
        }
        text.extend(rows.iter().map(line));
        text.extend(report.notes.iter().map(|note| format!("* {note}\n")));
        text
    }

    /// For a record.
    pub(super) fn markdown(&self) -> String {
        let mut text = format!("### `{}`: {}\n\n", self.name, self.about);
        match &self.result {
            Ok(report) => {
                if !report.rows.is_empty() {
                    text += &format!("| {} |\n|---|---|---|---|---|\n", HEADINGS.join(" | "));
                    text.extend(report.rows.iter().map(|row| format!("| {} |\n", row.cells().join(" | "))));
                    text.push('\n');
                }
                text.extend(report.notes.iter().map(|note| format!("* {note}\n")));
            }
            Err(error) => text += &format!("Failed: {error:#}\n"),
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::{Bar, Report, Row, Section, median, number};

    #[test]
    fn the_median_is_the_middle_or_the_mean_of_both() {
        assert!((median(&[1.0, 2.0, 9.0]) - 2.0).abs() < 1e-9);
        assert!((median(&[1.0, 2.0, 4.0, 9.0]) - 3.0).abs() < 1e-9);
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn numbers_have_the_digits_that_count() {
        let check = |value: f64, text: &str| assert_eq!(number(value), text);
        check(1_234_567.8, "1,234,568");
        check(-1_234.0, "-1,234");
        check(123.4, "123");
        check(12.34, "12.3");
        check(0.712, "0.71");
        check(0.0123, "0.0123");
        check(0.0, "0.00");
    }

    #[test]
    fn rows_stand_beside_their_bars() {
        let rows = vec![
            Row::new("hunt ÷ tape", [0.8, 0.6, 0.7], "×").against(Bar::AtLeast(0.7)),
            Row::new("loading", [1.5], "s").against(Bar::AtMost(1.0)),
            Row::new("alerts", [43.0], ""),
        ];
        let report = Report { rows, notes: vec!["One note.".to_owned()] };
        let section = Section { name: "corpus", about: "the corpus", result: Ok(report) };
        let text = section.text();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[1], "hunt ÷ tape  0.70 ×  0.60 to 0.80       ≥ 0.70  met");
        assert_eq!(lines[2], "loading      1.50 s                     ≤ 1.00  missed");
        assert_eq!(lines[3], "alerts       43.0");
        assert_eq!(lines[4], "* One note.");
        assert!(section.markdown().contains("| hunt ÷ tape | 0.70 × | 0.60 to 0.80 | ≥ 0.70 | met |"));
    }
}
