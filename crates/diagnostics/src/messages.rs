//! Messages about one text up to a limit; the others are counted in one more message.

use crate::{Code, Diagnostic, Severity, Span};

/// Collects messages. A message beyond the limit is not even made, since looking for names that are alike takes time.
#[derive(Debug)]
pub struct Messages {
    kept: Vec<Diagnostic>,
    most: usize,
    others: usize,
    /// The code of the first of the others and where it is; an error goes before a warning.
    first_other: Option<(Code, Span)>,
    muted: bool,
}

impl Messages {
    /// Keeps at most `most` messages.
    pub fn new(most: usize) -> Self {
        Self { kept: Vec::new(), most, others: 0, first_other: None, muted: false }
    }

    /// Adds a message of this code.
    pub fn push(&mut self, code: Code, make: impl FnOnce() -> Diagnostic) {
        if self.muted {
            return;
        }
        if self.kept.len() < self.most {
            return self.kept.push(make());
        }
        self.others += 1;
        let is_error = |code: Code| code.severity() == Severity::Error;
        let graver = self.first_other.is_none_or(|(first, _)| is_error(code) && !is_error(first));
        if graver {
            self.first_other = Some((code, make().span));
        }
    }

    /// Whether there is no message.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// How many messages there are, counting those that were not kept.
    pub fn len(&self) -> usize {
        self.kept.len() + self.others
    }

    /// The message that was kept last, to add to it.
    pub fn last_mut(&mut self) -> Option<&mut Diagnostic> {
        self.kept.last_mut()
    }

    /// Messages are dropped without count while muted: what is looked at again was said before.
    pub fn mute(&mut self, muted: bool) {
        self.muted = muted;
    }

    /// Puts what was kept in the order of the text.
    pub fn sort_by_place(&mut self) {
        self.kept.sort_by_key(|diagnostic| diagnostic.span.start);
    }

    /// What was kept, and how many more there were; that message is an error where one of them is.
    pub fn finish(mut self) -> Vec<Diagnostic> {
        if let Some((code, span)) = self.first_other {
            let plural = if self.others == 1 { "" } else { "s" };
            self.kept.push(Diagnostic::new(code, span, format!("and {} more message{plural}", self.others)));
        }
        self.kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes;

    #[test]
    fn messages_beyond_the_limit_are_counted_and_errors_stay_errors() {
        let check = |codes: &[Code], expected: &[&str]| {
            let mut messages = Messages::new(2);
            for (place, code) in codes.iter().enumerate() {
                messages.push(*code, || Diagnostic::new(*code, Span::at(place), place.to_string()));
            }
            let found = messages.finish();
            let found: Vec<_> = found
                .iter()
                .map(|one| {
                    format!("{} {} {}", one.severity() == Severity::Error, one.span.start, one.message)
                })
                .collect();
            assert_eq!(found, expected);
        };
        let (warning, error) = (codes::EQL_FIELD_UNMAPPED, codes::EQL_UNKNOWN_FIELD);
        check(&[], &[]);
        check(&[warning, error], &["false 0 0", "true 1 1"]);
        check(&[warning, warning, warning], &["false 0 0", "false 1 1", "false 2 and 1 more message"]);
        check(
            &[warning, warning, warning, error, error],
            &["false 0 0", "false 1 1", "true 3 and 3 more messages"],
        );
    }
}
