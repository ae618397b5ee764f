//! What depends on the terminal: colour, width, and making text that others wrote safe to print.

use std::env;
use std::io::{self, IsTerminal, Write as _};

use clap::builder::styling::{AnsiColor, Style};
pub(crate) use maxspan_diagnostics::printable;

/// Columns where there is no terminal to ask.
const WIDTH_DEFAULT: usize = 100;
/// Longer lines are hard to read, however wide the terminal is.
const WIDTH_PROSE_MAX: usize = 110;

/// Whether text on standard output is for a person.
pub(crate) fn stdout_is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Whether messages are for a person.
pub(crate) fn stderr_is_terminal() -> bool {
    io::stderr().is_terminal()
}

/// Columns of the terminal on standard output, if it is one.
pub(crate) fn width() -> Option<u16> {
    comfy_table::Table::new().width().filter(|_| stdout_is_terminal())
}

/// Columns for prose.
pub(crate) fn prose_width() -> usize {
    width().map_or(WIDTH_DEFAULT, usize::from).min(WIDTH_PROSE_MAX)
}

/// Colours, or none: see <https://no-color.org>.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paint {
    on: bool,
}

impl Paint {
    /// For files.
    pub(crate) fn none() -> Self {
        Self { on: false }
    }

    /// For text on standard output.
    pub(crate) fn stdout() -> Self {
        Self { on: stdout_is_terminal() && colours_wanted() }
    }

    /// For messages.
    pub(crate) fn stderr() -> Self {
        Self { on: stderr_is_terminal() && colours_wanted() }
    }

    pub(crate) fn is_on(self) -> bool {
        self.on
    }

    pub(crate) fn bold(self, text: &str) -> String {
        self.styled(Style::new().bold(), text)
    }

    pub(crate) fn dim(self, text: &str) -> String {
        self.styled(Style::new().dimmed(), text)
    }

    pub(crate) fn colour(self, colour: AnsiColor, text: &str) -> String {
        self.styled(Style::new().bold().fg_color(Some(colour.into())), text)
    }

    /// The text in the colour of a severity.
    pub(crate) fn severity(self, severity: &str, text: &str) -> String {
        self.colour(severity_colour(severity), text)
    }

    fn styled(self, style: Style, text: &str) -> String {
        if self.on { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

fn severity_colour(severity: &str) -> AnsiColor {
    match severity {
        "critical" => AnsiColor::Magenta,
        "high" => AnsiColor::Red,
        "medium" => AnsiColor::Yellow,
        _ => AnsiColor::Cyan,
    }
}

fn colours_wanted() -> bool {
    let is_set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
    !is_set("NO_COLOR") && env::var_os("TERM").is_none_or(|terminal| terminal != "dumb")
}

/// `error: …` on standard error.
pub(crate) fn error(message: &str) {
    say(&format!("{} {}", Paint::stderr().colour(AnsiColor::Red, "error:"), printable(message)));
}

/// `warning: …` on standard error.
pub(crate) fn warning(message: &str) {
    say(&format!("{} {}", Paint::stderr().colour(AnsiColor::Yellow, "warning:"), printable(message)));
}

/// A line on standard error. Where that is closed there is nobody to tell.
pub(crate) fn say(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// The text in lines of at most `width` characters, broken at blanks where there are any.
pub(crate) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let mut word = word;
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(std::mem::take(&mut line));
        }
        while let Some((cut, _)) = word.char_indices().nth(width.max(1)) {
            lines.push(word[..cut].to_owned());
            word = &word[cut..];
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// The same, but for words that are longer than a line: these stay whole, so that addresses can be copied.
pub(crate) fn wrapped_whole(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut columns = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        match lines.last_mut() {
            Some(line) if columns + 1 + length <= width => {
                line.push(' ');
                line.push_str(word);
                columns += 1 + length;
            }
            _ => {
                lines.push(word.to_owned());
                columns = length;
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_at_blanks_and_only_then_inside_words() {
        assert_eq!(wrapped("one two  three", 7), ["one two", "three"]);
        assert_eq!(wrapped("a abcdefgh b", 3), ["a", "abc", "def", "gh", "b"]);
        assert_eq!(wrapped("", 3), [""; 0]);
        assert_eq!(wrapped_whole("a b abcdefgh c", 3), ["a b", "abcdefgh", "c"]);
    }
}
