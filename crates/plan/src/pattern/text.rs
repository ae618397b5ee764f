//! Analysed text: words by Unicode's rules (UAX #29) in lower case, as Elasticsearch's standard analyzer makes them.

use maxspan_event::wildcard::{Wildcard, fold};
use unicode_segmentation::UnicodeSegmentation;

/// The words of a text, in order, in lower case.
pub fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.unicode_words().map(|word| fold(word).into_owned())
}

/// How the words of a query must stand in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextMode {
    /// Any of them, anywhere (`match`).
    Any,
    /// All of them, next to each other, in order (`match_phrase`).
    Phrase,
}

/// A question about analysed text.
#[derive(Debug, Clone, PartialEq)]
pub struct TextQuery {
    words: Vec<Wildcard>,
    mode: TextMode,
}

impl TextQuery {
    /// The words of a text; a text without words matches nothing.
    pub fn new(text: &str, mode: TextMode) -> Self {
        Self { words: words(text).map(|word| Wildcard::from_parts([word.as_str()], false)).collect(), mode }
    }

    /// Word patterns, any of which may match a word; they are folded here.
    pub fn from_patterns(patterns: Vec<Wildcard>) -> Self {
        Self { words: patterns, mode: TextMode::Any }
    }

    /// The words as written in dumps.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.words.iter().map(Wildcard::text)
    }

    /// The patterns of the words, which are folded.
    pub fn words(&self) -> &[Wildcard] {
        &self.words
    }

    /// How the words must stand.
    pub fn mode(&self) -> TextMode {
        self.mode
    }

    /// Whether the text satisfies the query.
    pub fn matches(&self, text: &str) -> bool {
        let found: Vec<String> = words(text).collect();
        match self.mode {
            TextMode::Any => found.iter().any(|word| self.words.iter().any(|wanted| wanted.matches(word))),
            TextMode::Phrase if self.words.is_empty() => false,
            TextMode::Phrase => found
                .windows(self.words.len())
                .any(|window| window.iter().zip(&self.words).all(|(word, wanted)| wanted.matches(word))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_phrases() {
        let check = |query: &str, mode: TextMode, text: &str, expected: bool| {
            assert_eq!(TextQuery::new(query, mode).matches(text), expected, "{query} on {text}");
        };
        check("quick fox", TextMode::Any, "The QUICK hare", true);
        check("quick fox", TextMode::Phrase, "a quick, fox!", true);
        check("quick fox", TextMode::Phrase, "fox quick", false);
        check("cmd.exe", TextMode::Any, "run cmd.exe now", true);
        check("-", TextMode::Any, "a - b", false);
        check("-", TextMode::Phrase, "a - b", false);
    }
}
