//! An explanation as text for a person.
//!
//! The text is made without knowing a terminal: a [`Painter`] marks what deserves a colour, and a plain one leaves the
//! text as it is, for files, tests and specs. What events hold is made harmless for terminals here.

use std::fmt::Write;

use maxspan_diagnostics::printable;

use super::{Break, Chain, EventExplanation, Explanation, FieldSeen, Gate, Node, SeenStage};

/// What a piece of the text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// A label at the start of a line.
    Label,
    /// True.
    True,
    /// False.
    False,
    /// Null.
    Null,
    /// Of less weight.
    Dim,
}

/// Colours pieces of the text.
pub trait Painter {
    /// The piece as it is shown.
    fn paint(&self, mark: Mark, text: &str) -> String;

    /// Whether there are colours: then the query is shown as well, its conditions in the colours of their truth.
    fn is_on(&self) -> bool;
}

/// Leaves the text as it is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Plain;

impl Painter for Plain {
    fn paint(&self, _mark: Mark, text: &str) -> String {
        text.to_owned()
    }

    fn is_on(&self) -> bool {
        false
    }
}

/// Longest text of a condition in its column, in characters.
const CONDITION_CHARS_MAX: usize = 60;
/// Values of one field that are shown.
const VALUES_SHOWN_MAX: usize = 8;
/// Longest value that is shown, in characters.
const VALUE_CHARS_MAX: usize = 120;
/// Alerts that are shown.
const ALERTS_SHOWN_MAX: usize = 5;

/// The explanation as text; its last line ends.
pub fn render(explanation: &Explanation, painter: &dyn Painter) -> String {
    let mut text = Text { out: String::new(), painter, explanation };
    text.head();
    explanation.events.iter().for_each(|event| text.event(event, "Event"));
    explanation.stages.iter().for_each(|stage| text.stage(stage));
    if let Some(chain) = &explanation.chain {
        text.chain(chain);
    }
    text.out
}

struct Text<'a> {
    out: String,
    painter: &'a dyn Painter,
    explanation: &'a Explanation,
}

impl Text<'_> {
    fn line(&mut self, label: &str, text: &str) {
        let label = self.painter.paint(Mark::Label, &format!("{label:<8}"));
        let line = format!("{label}{text}");
        self.out.push_str(line.trim_end());
        self.out.push('\n');
    }

    fn head(&mut self) {
        let explanation = self.explanation;
        let Explanation { rule_id, name, source, shift, .. } = explanation;
        self.line("Rule", &printable(&format!("{name} ({rule_id})")));
        let place = source.position(*shift);
        self.line("", &printable(&format!("{}:{place}", source.name)));
        self.line("Result", &printable(&result(explanation)));
        for alert in explanation.alerts.iter().take(ALERTS_SHOWN_MAX) {
            self.line("", &printable(&format!("{} {}", &alert.id, alert.reason)));
        }
        let rest = (explanation.stats.alerts as usize).saturating_sub(ALERTS_SHOWN_MAX);
        if rest > 0 {
            self.line("", &format!("and {rest} more"));
        }
    }

    fn event(&mut self, event: &EventExplanation, label: &str) {
        self.out.push('\n');
        let time = event.time.as_deref().unwrap_or("without a time");
        self.line(label, &printable(&format!("{}  {time}  {}", event.place, event.index)));
        let verdict = match event.distance {
            0 => "matches".to_owned(),
            count if self.explanation.kind == "ES|QL" => {
                format!("{} in the way, or for the rows to decide", plural(u64::from(count), "condition"))
            }
            1 => "does not match: 1 condition is in the way".to_owned(),
            count => format!("does not match: {count} conditions are in the way"),
        };
        let mark = if event.matched { Mark::True } else { Mark::False };
        let verdict = self.painter.paint(mark, &verdict);
        self.line("", &verdict);
        if self.painter.is_on() {
            self.query(&event.conditions);
        }
        // That an event names no index and every rule looks at it is what files are like.
        let shown = |gate: &&Gate| !gate.passed || gate.kind != "index" || !event.index.is_empty();
        for gate in event.gates.iter().filter(shown) {
            let (mark, word) = if gate.passed { (Mark::True, "true") } else { (Mark::False, "false") };
            let sign = if gate.passed { " " } else { ">" };
            let word = self.painter.paint(mark, &format!("{word:<6}"));
            let _ = writeln!(self.out, "  {sign} {word} {:<9} {}", gate.kind, printable(&gate.text));
        }
        let width = column(&event.conditions, 0).min(CONDITION_CHARS_MAX);
        self.node(&event.conditions, 0, width);
    }

    /// The part of the query that the conditions stand in, each in the colour of its truth.
    fn query(&mut self, root: &Node) {
        let mut marks: Vec<(usize, usize, Mark)> = Vec::new();
        collect_marks(root, &mut marks);
        marks.sort_unstable_by_key(|(start, ..)| *start);
        let whole = root.span.shifted(self.explanation.shift);
        let source = &self.explanation.source.text;
        let mut at = whole.start;
        let mut coloured = String::new();
        for (start, end, mark) in marks {
            let (start, end) = (start + self.explanation.shift, end + self.explanation.shift);
            let (Some(before), Some(text)) = (source.get(at..start), source.get(start..end)) else {
                continue;
            };
            coloured.push_str(&printable(before));
            // Line by line, so that a colour does not reach over the margin.
            let lines: Vec<String> =
                text.split('\n').map(|line| self.painter.paint(mark, &printable(line))).collect();
            coloured.push_str(&lines.join("\n"));
            at = end;
        }
        coloured.push_str(&printable(source.get(at..whole.end).unwrap_or_default()));
        for line in coloured.lines() {
            let _ = writeln!(self.out, "    {line}");
        }
        self.out.push('\n');
    }

    fn node(&mut self, node: &Node, depth: usize, width: usize) {
        let mark = mark_of(node);
        let sign = if node.obstacle { ">" } else { " " };
        let truth = self.painter.paint(mark, &format!("{:<6}", node.truth));
        let indent = "  ".repeat(depth);
        let text = match node.kind {
            "and" => "all of".to_owned(),
            "or" => "any of".to_owned(),
            "not" => "not".to_owned(),
            "nested" => "in one object".to_owned(),
            _ => shortened(&node.text, CONDITION_CHARS_MAX),
        };
        let text = format!("{indent}{}", printable(&text));
        let values: Vec<String> = node.fields.iter().map(field).collect();
        let values = printable(&values.join(", ")).into_owned();
        let values = if values.is_empty() { values } else { self.painter.paint(Mark::Dim, &values) };
        let line = format!("  {sign} {truth} {text:<width$}  {values}");
        self.out.push_str(line.trim_end());
        self.out.push('\n');
        if let Some(hint) = &node.hint {
            let _ = writeln!(self.out, "           {indent}^ {}", printable(hint));
        }
        node.parts.iter().for_each(|part| self.node(part, depth + 1, width));
    }

    fn stage(&mut self, stage: &SeenStage) {
        self.out.push('\n');
        let label =
            if stage.role == "until" { "Until".to_owned() } else { format!("Stage {}", stage.number) };
        self.line(&label, &printable(&shortened(&stage.text, 2 * CONDITION_CHARS_MAX)));
        let found = self.painter.paint(
            if (stage.matched > 0) == (stage.role == "event") { Mark::True } else { Mark::False },
            &found(stage),
        );
        self.line("", &found);
        for event in &stage.events {
            let keys: Vec<String> = event.keys.iter().map(|tuple| keys(&stage.keys, tuple)).collect();
            let time = event.time.as_deref().unwrap_or("without a time");
            let lacking = event.lacks.iter().map(|name| format!("{name} is missing"));
            let about: Vec<String> = keys.into_iter().chain(lacking).collect();
            self.line("", &printable(&format!("{}  {time}  {}", event.place, about.join("; "))));
        }
        let shown = stage.events.len() as u64;
        let rest = stage.matched.saturating_sub(shown);
        if rest > 0 {
            self.line("", &format!("and {rest} more"));
        }
        stage.nearest.iter().for_each(|event| self.event(event, "Closest"));
    }

    fn chain(&mut self, chain: &Chain) {
        self.out.push('\n');
        for (index, event) in chain.events.iter().enumerate() {
            let values: Vec<&str> = event.keys.iter().map(|key| key.as_deref().unwrap_or("null")).collect();
            let time = event.time.as_deref().unwrap_or("without a time");
            let line = format!("stage {}: {}  {time}  {}", event.stage, event.place, values.join(", "));
            self.line(if index == 0 { "Chain" } else { "" }, &printable(&line));
        }
        if chain.events.is_empty() {
            self.line("Chain", "none");
        }
        for (index, one) in chain.breaks.iter().enumerate() {
            let text = self.painter.paint(Mark::False, &printable(&broken(one)));
            self.line(if index == 0 { "Broken" } else { "" }, &text);
        }
    }
}

fn result(explanation: &Explanation) -> String {
    let stats = &explanation.stats;
    let events = plural(stats.events, "event");
    let capped: u64 = stats.alerts_capped_by_rule.values().sum();
    let mut text = match stats.alerts {
        0 if explanation.kind != "ES|QL" && explanation.stages.is_empty() && explanation.matched == 0 => {
            format!("no alert: none of {events} matches")
        }
        0 if explanation.kind == "ES|QL" => {
            format!("no alert: no run over {events} gives a row")
        }
        0 if explanation.kind == "threshold" => {
            format!(
                "no alert: {} of {events} count, and no run sees enough of one group",
                explanation.matched
            )
        }
        0 if explanation.kind == "new terms" => {
            format!("no alert: {} of {events} match, and no run sees new terms", explanation.matched)
        }
        0 if explanation.kind == "indicator match" => {
            format!(
                "no alert: {} of {events} match, and no run sees indicators of theirs",
                explanation.matched
            )
        }
        0 => format!("no alert from {events}"),
        alerts => format!("{} from {events}", plural(alerts, "alert")),
    };
    let mut note = |count: u64, what: &str| {
        if count > 0 {
            let _ = write!(text, "; {} {what}", plural(count, "alert"));
        }
    };
    note(capped, "more over max_signals");
    note(stats.suppressed, "folded into others by suppression");
    note(stats.alerts_repeated, "not raised again for the same events");
    note(stats.alerts_recursive, "not raised on alerts of the same rule");
    let undecided: u64 = stats.sequences_undecided_by_rule.values().sum();
    if undecided > 0 {
        let sequences = plural(undecided, "sequence");
        let _ = write!(text, "; {sequences} undecided: maxspan ends after the window");
    }
    if stats.events_failed > 0 {
        let _ = write!(text, "; {} could not be read", plural(stats.events_failed, "event"));
    }
    text
}

fn found(stage: &SeenStage) -> String {
    let mut text = match (stage.role, stage.matched) {
        ("event", 0) => "matched no event".to_owned(),
        (_, 0) => "there is none".to_owned(),
        (_, count) => format!("matched {}", plural(count, "event")),
    };
    if stage.without_key > 0 {
        let (verb, takes) = if stage.without_key == 1 { ("lacks", "takes") } else { ("lack", "take") };
        let _ = write!(text, ", of which {} {verb} a join key and {takes} no part", stage.without_key);
    }
    if stage.without_time > 0 {
        let (verb, takes) = if stage.without_time == 1 { ("has", "takes") } else { ("have", "take") };
        let _ = write!(text, ", of which {} {verb} no timestamp and {takes} no part", stage.without_time);
    }
    text
}

/// What broke a chain, as a sentence without its full stop.
pub fn broken(one: &Break) -> String {
    match one {
        Break::Maxspan { took_ms, maxspan_ms, over_ms } => format!(
            "the last event comes {} after the first: {} over maxspan ({})",
            duration(*took_ms),
            duration(*over_ms),
            duration(*maxspan_ms)
        ),
        Break::Key { field, stage, values, other_field, other_stage, other_values } => {
            let name =
                if field == other_field { field.clone() } else { format!("{field} and {other_field}") };
            format!(
                "{name} differs: stage {stage} has {}, stage {other_stage} has {}",
                listed(values),
                listed(other_values)
            )
        }
        Break::Order { stage, after_stage, early_ms } => {
            format!(
                "the event of stage {stage} comes {} before that of stage {after_stage}",
                duration(*early_ms)
            )
        }
        Break::TooFew { stages, events } => {
            format!("an event fills one stage: {stages} are needed, {events} there")
        }
        Break::Until { place, time } => {
            format!("the event of `until` came in between: {place} {}", time.as_deref().unwrap_or_default())
        }
        Break::Present { stage, place, time } => format!(
            "the event of stage {stage}, which has to be missing, is there: {place} {}",
            time.as_deref().unwrap_or_default()
        ),
    }
}

fn listed(values: &[Option<String>]) -> String {
    let values: Vec<String> = values
        .iter()
        .map(|value| value.as_ref().map_or_else(|| "null".to_owned(), |text| format!("`{text}`")))
        .collect();
    values.join(", ")
}

/// `1 h 2 m 3.5 s`
fn duration(millis: i64) -> String {
    let (seconds, rest) = (millis / 1_000, millis % 1_000);
    let parts = [(seconds / 86_400, "d"), (seconds / 3_600 % 24, "h"), (seconds / 60 % 60, "m")];
    let mut text: Vec<String> =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count} {unit}")).collect();
    let seconds = seconds % 60;
    if rest > 0 {
        let fraction = format!("{rest:03}");
        text.push(format!("{seconds}.{} s", fraction.trim_end_matches('0')));
    } else if seconds > 0 || text.is_empty() {
        text.push(format!("{seconds} s"));
    }
    text.join(" ")
}

fn keys(names: &[String], values: &[Option<String>]) -> String {
    let one = |(name, value): (&String, &Option<String>)| {
        format!("{name} = {}", value.as_deref().unwrap_or("null"))
    };
    names.iter().zip(values).map(one).collect::<Vec<_>>().join(", ")
}

fn field(field: &FieldSeen) -> String {
    let shown: Vec<String> = field
        .values
        .iter()
        .take(VALUES_SHOWN_MAX)
        .map(|value| shortened(&value.to_string(), VALUE_CHARS_MAX))
        .collect();
    let more = field.values.len().saturating_sub(VALUES_SHOWN_MAX);
    match (shown.as_slice(), more) {
        ([], _) => format!("{} is missing", field.name),
        ([only], 0) => format!("{} = {only}", field.name),
        (several, 0) => format!("{} = [{}]", field.name, several.join(", ")),
        (several, more) => format!("{} = [{}, and {more} more]", field.name, several.join(", ")),
    }
}

/// Width of the column of conditions, in characters.
fn column(node: &Node, depth: usize) -> usize {
    let own = 2 * depth + node.text.chars().count();
    node.parts.iter().map(|part| column(part, depth + 1)).fold(own, usize::max)
}

fn shortened(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        None => text.to_owned(),
        Some(_) => text.chars().take(max.saturating_sub(1)).chain(['…']).collect(),
    }
}

fn mark_of(node: &Node) -> Mark {
    match node.truth {
        "true" => Mark::True,
        "false" => Mark::False,
        _ => Mark::Null,
    }
}

fn collect_marks(node: &Node, out: &mut Vec<(usize, usize, Mark)>) {
    if !node.text.is_empty() {
        out.push((node.span.start, node.span.end, mark_of(node)));
    }
    node.parts.iter().for_each(|part| collect_marks(part, out));
}

fn plural(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_at_a_glance() {
        let check = |millis: i64, expected: &str| assert_eq!(duration(millis), expected);
        check(0, "0 s");
        check(1_500, "1.5 s");
        check(42, "0.042 s");
        check(312_000, "5 m 12 s");
        check(90_061_000, "1 d 1 h 1 m 1 s");
        check(3_600_000, "1 h");
    }
}
