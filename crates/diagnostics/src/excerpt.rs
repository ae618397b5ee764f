//! The part of a long line that a message is about: whole, a generated query would be repeated for each message.

use std::ops::Range;

use codespan_reporting::files::{Error, Files};

use crate::{Diagnostic, Source, Span};

/// Longer lines are not shown whole, in bytes.
const LINE_BYTES_MAX: usize = 500;

/// What is shown of a long line before the place, and from it on, in bytes.
const BEFORE_BYTES: usize = 40;
const AFTER_BYTES: usize = 160;

/// A piece of one line, which says of itself where it stands in the whole text.
pub(crate) struct Excerpt<'a> {
    source: &'a Source,
    text: String,
    /// The piece in the whole text.
    piece: Range<usize>,
    /// Bytes before the piece in [`Self::text`].
    lead: usize,
}

impl<'a> Excerpt<'a> {
    /// The place of the message, if its lines are too long to be shown.
    pub(crate) fn of(source: &'a Source, diagnostic: &Diagnostic) -> Option<Self> {
        let text = source.text.as_str();
        let labels = diagnostic.labels.iter().map(|label| label.span);
        let mut spans = labels.chain([diagnostic.span]);
        if !spans.any(|span| lines_of(text, span).is_some_and(has_long_line)) {
            return None;
        }
        let place = text.floor_char_boundary(diagnostic.span.start);
        let line = line_of(text, place);
        let start = text.ceil_char_boundary(line.start.max(place.saturating_sub(BEFORE_BYTES)));
        let end = text.floor_char_boundary(line.end.min(place + AFTER_BYTES)).max(start);
        let lead = if start > line.start { "… " } else { "" };
        let tail = if end < line.end { " …" } else { "" };
        let shown = format!("{lead}{}{tail}", &text[start..end]);
        Some(Self { source, text: shown, piece: start..end, lead: lead.len() })
    }

    /// The message with its places in the excerpt; labels that are not in it are left out.
    pub(crate) fn moved(&self, diagnostic: &Diagnostic) -> Diagnostic {
        let mut moved = diagnostic.clone();
        moved.span = self.span(diagnostic.span);
        moved.labels.retain(|label| self.piece.contains(&label.span.start));
        moved.labels.iter_mut().for_each(|label| label.span = self.span(label.span));
        moved
    }

    fn span(&self, span: Span) -> Span {
        let place = |at: usize| at.clamp(self.piece.start, self.piece.end) - self.piece.start + self.lead;
        Span::new(place(span.start), place(span.end))
    }
}

impl<'a> Files<'a> for Excerpt<'_> {
    type FileId = ();
    type Name = &'a str;
    type Source = &'a str;

    fn name(&'a self, (): ()) -> Result<&'a str, Error> {
        Ok(&self.source.name)
    }

    fn source(&'a self, (): ()) -> Result<&'a str, Error> {
        Ok(&self.text)
    }

    fn line_index(&'a self, (): (), _byte_index: usize) -> Result<usize, Error> {
        Ok(0)
    }

    fn line_number(&'a self, (): (), _line_index: usize) -> Result<usize, Error> {
        Ok(self.source.position(self.piece.start).line)
    }

    fn column_number(&'a self, (): (), _line_index: usize, byte_index: usize) -> Result<usize, Error> {
        Ok(self.source.position(byte_index.saturating_sub(self.lead) + self.piece.start).column)
    }

    fn line_range(&'a self, (): (), line_index: usize) -> Result<Range<usize>, Error> {
        match line_index {
            0 => Ok(0..self.text.len()),
            given => Err(Error::LineTooLarge { given, max: 0 }),
        }
    }
}

fn line_of(text: &str, place: usize) -> Range<usize> {
    let start = text[..place].rfind('\n').map_or(0, |at| at + 1);
    let end = text[place..].find('\n').map_or(text.len(), |at| place + at);
    start..end
}

/// The lines of a span; none where it does not fit the text.
fn lines_of(text: &str, span: Span) -> Option<&str> {
    text.get(span.start..span.end)?;
    Some(&text[line_of(text, span.start).start..line_of(text, span.end).end])
}

fn has_long_line(lines: &str) -> bool {
    lines.split('\n').any(|line| line.len() > LINE_BYTES_MAX)
}

#[cfg(test)]
mod tests {
    use crate::{Diagnostic, Source, Span, codes, render};

    #[test]
    fn of_a_long_line_the_place_is_shown() {
        let check = |text: String, word: &str, expected: &str| {
            let source = Source::new("query", text);
            let start = source.text.find(word).unwrap();
            let span = Span::new(start, start + word.len());
            let found = Diagnostic::new(codes::EQL_SYNTAX, span, "what").with_label(Span::at(0), "here");
            let rendered = render(&source, &[found]);
            let lines: Vec<&str> = rendered.lines().skip(1).map(str::trim_end).collect();
            assert_eq!(lines.join("\n").trim_end(), expected);
        };
        check(
            format!("a\n{}word{}\nb", "é".repeat(400), "y".repeat(400)),
            "word",
            &format!(
                "  ┌─ query:2:401\n  │\n2 │ … {}word{} …\n  │   {}^^^^",
                "é".repeat(20),
                "y".repeat(156),
                " ".repeat(20)
            ),
        );
        check(
            format!("word {}", "y".repeat(600)),
            "word",
            &format!("  ┌─ query:1:1\n  │\n1 │ word {} …\n  │ ^^^^\n  │ │\n  │ here", "y".repeat(155)),
        );
        check("a word".to_owned(), "word", "  ┌─ query:1:3\n  │\n1 │ a word\n  │ - ^^^^\n  │ │\n  │ here");
    }
}
