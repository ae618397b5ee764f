//! Alerts of the demo for a person who sees one for the first time: what happened, what it means, where to look.

use std::collections::BTreeSet;
use std::env;
use std::io::{self, Write as _};

use clap::builder::styling::AnsiColor;
use indicatif::HumanCount;
use maxspan_pipeline::hunt::{HuntAlert, HuntStats};
use maxspan_pipeline::rule_base::RuleBase;
use maxspan_rules::RuleDocument;
use maxspan_rules::alert::AlertDocument;
use maxspan_rules::document::Threat;

use super::row::{Group, Grouping, Row, first_text, listed, texts};
use super::summary::counted;
use super::{AlertOutput, Writer};
use crate::demo::scenario;
use crate::terminal::{Paint, printable, wrapped};
use crate::time;

/// Columns of the labels on the left.
const LABEL_WIDTH: usize = 10;
/// Blocks of the investigation guide that are shown (paragraphs, points of a list).
const GUIDE_BLOCKS: usize = 4;

/// Tells the story, each alert as it comes, and what to do next.
pub(crate) struct Person {
    writer: Writer,
    paint: Paint,
    width: usize,
    grouping: Grouping,
    alerts: usize,
    /// Rules whose explanations were printed; they are not printed again.
    explained: BTreeSet<usize>,
}

impl AlertOutput for Person {
    fn alert(&mut self, rules: &RuleBase, alert: &HuntAlert) -> io::Result<()> {
        let Some(group) = self.grouping.push(alert) else { return Ok(()) };
        if self.alerts == 0 {
            self.story()?;
        }
        self.alerts += 1;
        let rule = &rules.documents[group.rule];
        self.headline(&Row::new(&group), rule)?;
        self.events(&group)?;
        if self.explained.insert(group.rule) {
            self.explanation(rule)?;
        } else {
            self.line("", "ATT&CK, triage and false positives as above: the same rule.")?;
        }
        writeln!(self.writer)
    }

    fn finish(&mut self, rules: &RuleBase, stats: &HuntStats) -> io::Result<()> {
        let rate = HumanCount((stats.events as f64 / stats.seconds.max(1e-6)) as u64);
        let milliseconds = stats.seconds * 1e3;
        let text = format!(
            "{} from {} and {} in {milliseconds:.0} ms ({rate} events/s).",
            counted(stats.alerts, "alert"),
            counted(stats.events, "event"),
            counted(rules.rule_set.len() as u64, "rule"),
        );
        self.heading("Counts")?;
        self.line("", &text)?;
        self.line(
            "",
            "The near misses stayed silent: harmless packages, the user's own curl, updates turned on.",
        )?;
        writeln!(self.writer)?;
        self.next()?;
        self.writer.flush()
    }
}

impl Person {
    pub(crate) fn new(writer: Writer, paint: Paint, width: usize) -> Self {
        let (grouping, explained) = (Grouping::default(), BTreeSet::new());
        Self { writer, paint, width, grouping, alerts: 0, explained }
    }

    fn story(&mut self) -> io::Result<()> {
        self.heading("The story")?;
        for sentence in scenario::story() {
            self.line("", sentence)?;
        }
        writeln!(self.writer)
    }

    fn headline(&mut self, row: &Row, rule: &RuleDocument) -> io::Result<()> {
        let (number, name) =
            (self.paint.dim(&format!("Alert {}", self.alerts)), self.paint.bold(&row.rule_name));
        writeln!(self.writer, "{number}  {name}")?;
        let severity =
            self.paint.severity(&row.severity, &format!("{}, risk score {}", row.severity, rule.risk_score));
        self.label("Severity")?;
        writeln!(self.writer, "{severity}")?;
        self.line("When", row.time.as_deref().unwrap_or("-"))?;
        self.line("Where", &format!("{}, as {}", listed(&row.hosts, 3), listed(&row.users, 3)))?;
        self.line("Reason", &row.reason)
    }

    /// The events, each with the time that passed since the one before.
    fn events(&mut self, group: &Group) -> io::Result<()> {
        let mut before: Option<String> = None;
        let count = group.events().len();
        for (index, event) in group.events().iter().enumerate() {
            let time = first_text(event, "kibana.alert.original_time").unwrap_or_default();
            let gap = before.as_deref().and_then(|before| time::seconds_between(before, &time));
            let clock = time.get(11..23).unwrap_or(&time);
            let gap = gap.map_or_else(String::new, |gap| format!(", {gap:.1} s later"));
            let label = if count == 1 { "Event".to_owned() } else { format!("Step {}", index + 1) };
            self.line(&label, &format!("{clock}{gap}: {}", what_happened(event)))?;
            if let Some(command) = first_text(event, "process.command_line") {
                self.line("", &format!("$ {command}"))?;
            }
            before = Some(time);
        }
        Ok(())
    }

    fn explanation(&mut self, rule: &RuleDocument) -> io::Result<()> {
        self.line("Meaning", &rule.description)?;
        for (index, threat) in rule.threat.iter().enumerate() {
            self.line(if index == 0 { "ATT&CK" } else { "" }, &tactic(threat))?;
        }
        let (guide, more) = guide(rule.note.as_deref().unwrap_or_default());
        for (index, block) in guide.iter().enumerate() {
            self.line(if index == 0 { "Triage" } else { "" }, block)?;
        }
        if more > 0 {
            self.line("", &format!("… and {more} more lines of the guide are in the alert."))?;
        }
        for (index, harmless) in rule.false_positives.iter().enumerate() {
            self.line(if index == 0 { "Harmless?" } else { "" }, &format!("- {}", first_sentence(harmless)))?;
        }
        Ok(())
    }

    fn next(&mut self) -> io::Result<()> {
        let program = program();
        self.heading("What next")?;
        let steps = [
            ("keep the events and see the alerts as data", "demo --events demo.ndjson --format ndjson"),
            (
                "ask the events something else",
                "query --language eql 'process where process.parent.name == \"bash\"' demo.ndjson",
            ),
            (
                "hunt in events of your own with Elastic's rules (git clone https://github.com/elastic/detection-rules)",
                "hunt --rules detection-rules/rules --format table events.ndjson",
            ),
            ("check a rule that you are writing", "rules check my-rule.toml"),
        ];
        for (what, command) in steps {
            self.line("", what)?;
            // Not broken into lines, so that it can be copied.
            writeln!(
                self.writer,
                "{:LABEL_WIDTH$}  {}",
                "",
                self.paint.bold(&format!("{program} {command}"))
            )?;
        }
        Ok(())
    }

    fn heading(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.writer, "{}", self.paint.colour(AnsiColor::Green, text))
    }

    fn label(&mut self, label: &str) -> io::Result<()> {
        write!(self.writer, "{}", self.paint.dim(&format!("{label:LABEL_WIDTH$}")))
    }

    /// A label on the left and the text beside it, in as many lines as it takes.
    fn line(&mut self, label: &str, text: &str) -> io::Result<()> {
        let text = printable(text).into_owned();
        for (index, line) in wrapped(&text, self.width.saturating_sub(LABEL_WIDTH)).iter().enumerate() {
            self.label(if index == 0 { label } else { "" })?;
            writeln!(self.writer, "{line}")?;
        }
        Ok(())
    }
}

/// How the program was called; an absolute path is longer than helpful.
fn program() -> String {
    env::args().next().filter(|name| !name.starts_with('/')).unwrap_or_else(|| "maxspan".to_owned())
}

/// `bash (4711) was started by installer`, `curl (4713) connected to 203.0.113.47:443, cdn.example.net`
fn what_happened(event: &AlertDocument) -> String {
    let text = |field: &str| first_text(event, field);
    let name = text("process.name").unwrap_or_else(|| "a process".to_owned());
    let process = text("process.pid").map_or(name.clone(), |pid| format!("{name} ({pid})"));
    if texts(event, "event.category").iter().any(|category| category == "network") {
        let address = text("destination.ip").unwrap_or_else(|| "somewhere".to_owned());
        let port = text("destination.port").map(|port| format!(":{port}")).unwrap_or_default();
        let domain = text("destination.domain").map(|domain| format!(", {domain}")).unwrap_or_default();
        return format!("{process} connected to {address}{port}{domain}");
    }
    text("process.parent.name").map_or(process.clone(), |parent| format!("{process} was started by {parent}"))
}

/// `Execution (TA0002): Command and Scripting Interpreter (T1059), JavaScript (T1059.007)`
fn tactic(threat: &Threat) -> String {
    let mut techniques = Vec::new();
    for technique in &threat.technique {
        techniques.push(format!("{} ({})", technique.name, technique.id));
        let below = technique.subtechnique.iter().flatten();
        techniques.extend(below.map(|below| format!("{} ({})", below.name, below.id)));
    }
    format!("{} ({}): {}", threat.tactic.name, threat.tactic.id, techniques.join(", "))
}

/// The first paragraphs and points of a guide, without headings, tables and marks, and how many lines come after.
fn guide(note: &str) -> (Vec<String>, usize) {
    let mut blocks: Vec<String> = Vec::new();
    let mut open = false;
    let is_prose = |line: &&str| !line.starts_with('|') && !line.starts_with("```");
    let lines: Vec<&str> = note.lines().filter(is_prose).collect();
    for (index, line) in lines.iter().enumerate() {
        let text = line.trim().replace("**", "").replace('`', "");
        if text.is_empty() || text.starts_with('#') {
            open = false;
            continue;
        }
        let point = text.starts_with("- ") || text.starts_with(|c: char| c.is_ascii_digit());
        if open && !point {
            if let Some(block) = blocks.last_mut() {
                *block += &format!(" {text}");
            }
            continue;
        }
        if blocks.len() == GUIDE_BLOCKS {
            let rest = lines[index..].iter().filter(|line| !line.trim().is_empty()).count();
            return (blocks, rest);
        }
        blocks.push(text);
        open = true;
    }
    (blocks, 0)
}

/// Up to the first full stop or colon at the end of a word.
fn first_sentence(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.find(". ") {
        Some(end) => text[..=end].to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guide_is_cut_into_paragraphs_and_points() {
        let note = "## Triage\n\n### What\n\nTwo `events`\nhere:\n\n1. One\n   more\n2. **Two**\n\nThen\n\nlast\nlines\n";
        let (blocks, more) = guide(note);
        assert_eq!(blocks, ["Two events here:", "1. One more", "2. Two", "Then"]);
        assert_eq!(more, 2);
    }

    #[test]
    fn the_first_sentence_ends_at_a_full_stop() {
        assert_eq!(first_sentence("One\n two. Three."), "One two.");
        assert_eq!(first_sentence("One"), "One");
    }
}
