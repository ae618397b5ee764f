//! What `:`, MATCH and `MATCH_PHRASE` look for: words of texts, whole values of other fields, with or without misspellings.

use std::cmp::Ordering;

use maxspan_plan::{TextMode, TextQuery, words};

use crate::value::{Value, compare};

/// A search in one field; any value may fit.
#[derive(Debug, Clone)]
pub enum MatchQuery {
    /// Words of a text.
    Words {
        /// The words.
        words: Vec<String>,
        /// All of them have to be there, not only one.
        all: bool,
        /// How far a word may be from the one that is meant.
        edits: Edits,
    },
    /// Words next to each other.
    Phrase(TextQuery),
    /// A text that is compared as a whole, misspelt.
    Near(String, Edits),
    /// A value of the field's type.
    Equal(Value),
    /// Nothing fits: the value cannot be one of the field's type.
    Nothing,
}

/// How many letters may be wrong, left out, added, or swapped with their neighbour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edits {
    /// So many; at most two, as in Lucene.
    Exactly(usize),
    /// By the length: none up to two letters, one up to five, then two.
    Auto,
}

/// The most edits that can be asked for.
const EDITS_MAX: usize = 2;

impl Edits {
    /// `0`, `1`, `2` or `AUTO`.
    pub fn parse(text: &str) -> Option<Self> {
        if text.eq_ignore_ascii_case("auto") {
            return Some(Self::Auto);
        }
        text.parse().ok().filter(|edits| *edits <= EDITS_MAX).map(Self::Exactly)
    }

    fn for_word(self, word: &str) -> usize {
        match self {
            Self::Exactly(edits) => edits,
            Self::Auto => match word.chars().count() {
                0..=2 => 0,
                3..=5 => 1,
                _ => 2,
            },
        }
    }

    fn fits(self, wanted: &str, found: &str) -> bool {
        let most = self.for_word(wanted);
        if most == 0 { wanted == found } else { is_near(wanted, found, most) }
    }
}

impl MatchQuery {
    /// Words of a text.
    pub fn words(text: &str, all: bool, edits: Edits) -> Self {
        Self::Words { words: words(text).collect(), all, edits }
    }

    /// Words of a text in this order.
    pub fn phrase(text: &str) -> Self {
        Self::Phrase(TextQuery::new(text, TextMode::Phrase))
    }

    /// Whether one value fits.
    pub fn fits(&self, value: &Value) -> bool {
        match self {
            Self::Words { words: wanted, all, edits } => value.borrowed().as_text().is_some_and(|text| {
                let found: Vec<String> = words(text).collect();
                let there = |wanted: &String| found.iter().any(|found| edits.fits(wanted, found));
                if *all { !wanted.is_empty() && wanted.iter().all(there) } else { wanted.iter().any(there) }
            }),
            Self::Phrase(phrase) => value.borrowed().as_text().is_some_and(|text| phrase.matches(text)),
            Self::Near(wanted, edits) => {
                value.borrowed().as_text().is_some_and(|text| edits.fits(wanted, text))
            }
            Self::Equal(wanted) => compare(value.borrowed(), wanted.borrowed()) == Some(Ordering::Equal),
            Self::Nothing => false,
        }
    }
}

/// Whether at most so many edits lead from one to the other (optimal string alignment).
fn is_near(a: &str, b: &str, most: usize) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().abs_diff(b.len()) > most {
        return false;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let same = a[i - 1] == b[j - 1];
            row[j] = (last[j - 1] + usize::from(!same)).min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        // Rows only grow.
        if row.iter().all(|distance| *distance > most) {
            return false;
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()] <= most
}

#[cfg(test)]
mod tests {
    use super::{Edits, MatchQuery};
    use crate::value::Value;

    #[test]
    fn values_fit() {
        let check = |query: &MatchQuery, value: &str, expected: bool| {
            assert_eq!(query.fits(&Value::text(value)), expected, "{query:?} {value}");
        };
        let near = |edits: &str| MatchQuery::Near("svchost.exe".to_owned(), Edits::parse(edits).unwrap());
        check(&near("1"), "svchost.exe", true);
        check(&near("1"), "scvhost.exe", true);
        check(&near("1"), "svch0st.exe", true);
        check(&near("1"), "svch0st.ex", false);
        check(&near("2"), "svch0st.ex", true);
        check(&near("0"), "svch0st.exe", false);
        check(&near("AUTO"), "svhost.exe", true);
        let words = |all, edits| MatchQuery::words("quick fox", all, Edits::Exactly(edits));
        check(&words(false, 0), "The QUICK hare", true);
        check(&words(true, 0), "The QUICK hare", false);
        check(&words(true, 1), "fix it quick", true);
        check(&MatchQuery::phrase("quick fox"), "fox quick", false);
        assert_eq!(Edits::parse("3"), None);
    }
}
