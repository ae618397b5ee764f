//! Markdown on a terminal: headings in bold, points with hanging indents, code as it is, everything as wide
//! as asked.
//!
//! A reading aid, not a renderer: it knows what investigation guides use, and prints what it does not know
//! as it is.

use crate::terminal::{Paint, printable, wrapped_whole};

/// Indents of points count up to here; deeper ones would leave no room for text.
const INDENT_MAX: usize = 12;
/// The least columns for text, however narrow the terminal.
const WIDTH_MIN: usize = 20;

/// The text in lines of at most `width` columns, but for code.
pub(crate) fn markdown_lines(text: &str, width: usize, paint: Paint) -> Vec<String> {
    let mut out =
        Writing { width, paint, lines: Vec::new(), paragraph: String::new(), lead: Lead::default() };
    let mut fence: Option<usize> = None;
    for line in printable(text).lines() {
        let bare = line.trim_start();
        if bare.starts_with("```") {
            out.flush();
            fence = if fence.is_some() { None } else { Some(line.len() - bare.len()) };
            continue;
        }
        match fence {
            Some(indent) => {
                // Code that is indented less than its fence keeps its first letters.
                let blanks = indent.min(line.len() - bare.len());
                out.code(line.get(blanks..).unwrap_or(bare), indent);
            }
            None => out.line(line),
        }
    }
    out.flush();
    while out.lines.last().is_some_and(String::is_empty) {
        out.lines.pop();
    }
    out.lines
}

/// What stands before the first line of a paragraph, and how far the others are indented.
#[derive(Default)]
struct Lead {
    first: String,
    indent: usize,
}

struct Writing {
    width: usize,
    paint: Paint,
    lines: Vec<String>,
    paragraph: String,
    lead: Lead,
}

impl Writing {
    fn line(&mut self, line: &str) {
        let bare = line.trim();
        if bare.is_empty() {
            self.flush();
            if self.lines.last().is_some_and(|last| !last.is_empty()) {
                self.lines.push(String::new());
            }
        } else if let Some(title) = heading(bare) {
            self.flush();
            self.lines.push(self.paint.bold(&inline(title)));
        } else if let Some((marker, text)) = point(bare) {
            self.flush();
            let indent = (line.len() - line.trim_start().len()).min(INDENT_MAX);
            let first = format!("{}{marker} ", " ".repeat(indent));
            self.lead = Lead { indent: first.chars().count(), first };
            text.clone_into(&mut self.paragraph);
        } else if bare.starts_with('|') {
            // Rows of a table stay rows.
            self.flush();
            self.lines.push(inline(bare));
        } else if let Some(quoted) = bare.strip_prefix('>') {
            if !self.lead.first.starts_with('>') {
                self.flush();
                self.lead = Lead { first: "> ".to_owned(), indent: 2 };
            }
            self.add(quoted.trim());
        } else {
            self.add(bare);
        }
    }

    fn add(&mut self, text: &str) {
        if !self.paragraph.is_empty() {
            self.paragraph.push(' ');
        }
        self.paragraph.push_str(text);
    }

    fn code(&mut self, line: &str, indent: usize) {
        let indent = " ".repeat(indent.min(INDENT_MAX) + 2);
        self.lines.push(format!("{indent}{}", self.paint.dim(line)).trim_end().to_owned());
    }

    fn flush(&mut self) {
        let (text, lead) = (std::mem::take(&mut self.paragraph), std::mem::take(&mut self.lead));
        if text.is_empty() && lead.first.is_empty() {
            return;
        }
        let width = self.width.saturating_sub(lead.indent).max(WIDTH_MIN);
        let indent = " ".repeat(lead.indent);
        for (index, line) in wrapped_whole(&inline(&text), width).into_iter().enumerate() {
            let start = if index == 0 { &lead.first } else { &indent };
            self.lines.push(format!("{start}{line}"));
        }
    }
}

fn heading(line: &str) -> Option<&str> {
    let title = line.trim_start_matches('#');
    let level = line.len() - title.len();
    (1..=6).contains(&level).then(|| title.strip_prefix(' ')).flatten().map(str::trim)
}

/// The marker of a point and its text.
fn point(line: &str) -> Option<(&str, &str)> {
    let (marker, text) = line.split_once(' ')?;
    let number = marker.strip_suffix(['.', ')']).is_some_and(|number| {
        !number.is_empty() && number.len() <= 3 && number.bytes().all(|byte| byte.is_ascii_digit())
    });
    match marker {
        "-" | "*" | "+" => Some(("•", text.trim())),
        _ if number => Some((marker, text.trim())),
        _ => None,
    }
}

/// Text without the marks for bold and code, links as `text (address)`.
fn inline(text: &str) -> String {
    let text = text.replace("**", "");
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find('[') {
        out.push_str(&rest[..at]);
        let link = rest[at..].split_once("](").and_then(|(label, after)| {
            let (address, beyond) = after.split_once(')')?;
            let label = &label[1..];
            (!label.contains(['[', ']']) && !address.contains(' ')).then_some((label, address, beyond))
        });
        if let Some((label, address, beyond)) = link {
            let same = label == address;
            out += &if same { address.to_owned() } else { format!("{label} ({address})") };
            rest = beyond;
        } else {
            out.push('[');
            rest = &rest[at + 1..];
        }
    }
    out.push_str(rest);
    out.replace('`', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_becomes_lines() {
        let check = |text: &str, expected: &[&str]| {
            assert_eq!(markdown_lines(text, 24, Paint::none()), expected, "{text}");
        };
        check("## A `b`\n\n\none two three four five\nsix\n", &["A b", "", "one two three four five", "six"]);
        check(
            "- one **two** three four five six\n  seven\n- x",
            &["• one two three four", "  five six seven", "• x"],
        );
        check(" 1. a\n```sql\nSELECT  1\n```\nb", &[" 1. a", "  SELECT  1", "b"]);
        check("a\n| `b` | c |\n|---|---|\nd", &["a", "| b | c |", "|---|---|", "d"]);
        check("> a\n> b\nc", &["> a b c"]);
        check("see [x](https://y) [z] a[0](b c)", &["see x (https://y) [z]", "a[0](b c)"]);
        check("[x](x) \u{1b}[2J", &["x \\u{1b}[2J"]);
        check("```\nunclosed", &["  unclosed"]);
        check("  ```\n  ab\nc\n    d\n  ```", &["    ab", "    c", "      d"]);
    }
}
