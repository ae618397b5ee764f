//! Messages about rules, queries and inputs on standard error: the first ones in full, all of them counted.

use maxspan_diagnostics::{Diagnostic, Source, render};
use maxspan_pipeline::input::InputProblem;

use super::summary::counted;
use crate::terminal;

/// Messages of one kind that are shown; a broken input or folder of rules must not bury everything else.
const SHOWN_MAX: u64 = 20;

/// Shows the first of many messages and counts the rest.
#[derive(Debug)]
pub(crate) struct Messages {
    /// What there are more of, singular.
    noun: &'static str,
    count: u64,
}

impl Messages {
    pub(crate) fn new(noun: &'static str) -> Self {
        Self { noun, count: 0 }
    }

    /// The next message as text, if it is to be shown.
    pub(crate) fn next(&mut self, text: impl FnOnce() -> String) -> Option<String> {
        self.count += 1;
        (self.count <= SHOWN_MAX).then(text)
    }

    /// Counts messages that are not at hand.
    pub(crate) fn more(&mut self, count: u64) {
        self.count += count;
    }

    /// How many there were.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// Says how many were not shown.
    pub(crate) fn rest(&self) -> Option<String> {
        let more = self.count.saturating_sub(SHOWN_MAX);
        (more > 0).then(|| format!("… and {} like these", counted(more, &format!("more {}", self.noun))))
    }
}

/// Prints every message about texts.
pub(crate) fn print_all<'a>(found: impl Iterator<Item = (&'a Source, &'a Diagnostic)>) {
    for (source, diagnostic) in found {
        terminal::say(&format!("{}\n", rendered(source, diagnostic)));
    }
}

/// Prints messages about texts, as many as are shown.
pub(crate) fn print_diagnostics<'a>(
    noun: &'static str,
    found: impl Iterator<Item = (&'a Source, &'a Diagnostic)>,
) {
    let mut messages = Messages::new(noun);
    for (source, diagnostic) in found {
        if let Some(text) = messages.next(|| rendered(source, diagnostic)) {
            terminal::say(&format!("{text}\n"));
        }
    }
    if let Some(rest) = messages.rest() {
        terminal::say(&rest);
    }
}

/// A message with the lines it is about, without an empty line at its end.
pub(crate) fn rendered(source: &Source, diagnostic: &Diagnostic) -> String {
    let text = render(source, std::slice::from_ref(diagnostic));
    terminal::printable(text.trim_end()).into_owned()
}

/// `file:line:column: kind: message`
pub(crate) fn input_problem(problem: &InputProblem) -> String {
    let file = &problem.location.file;
    let place = match (problem.location.line, problem.column) {
        (0, _) => file.to_string(),
        (line, None) => format!("{file}:{line}"),
        (line, Some(column)) => format!("{file}:{line}:{column}"),
    };
    terminal::printable(&format!("{place}: {}: {}", problem.kind.name(), problem.message)).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_are_shown_and_the_rest_is_counted() {
        let mut messages = Messages::new("problem");
        let shown = (0..23).filter(|_| messages.next(String::new).is_some()).count();
        assert_eq!((shown, messages.rest().as_deref()), (20, Some("… and 3 more problems like these")));
    }
}
