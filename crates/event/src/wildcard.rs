//! Wildcard patterns: `*` is any run of characters (separators and newlines too), `?` is exactly one.
//!
//! A pattern is cut at its stars once; matching walks the text from left to right and never backtracks over a star,
//! so its cost is bounded by text length times pattern length. Where case is ignored it is ignored for ASCII letters, as
//! Elasticsearch's case-insensitive queries do.

use std::borrow::Cow;

/// The text as it is compared where the case of ASCII letters is ignored.
pub fn fold_ascii(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(text.to_ascii_lowercase())
    } else {
        Cow::Borrowed(text)
    }
}

/// Lower case of one character where that is one character, else the character itself.
pub fn fold_char(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    let mut lower = c.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(folded), None) => folded,
        _ => c,
    }
}

/// The text in lower case, character by character: normalizers, analysed text and functions with `~`.
pub fn fold(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|b| b.is_ascii() && !b.is_ascii_uppercase()) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(fold_char).collect())
}

/// Whether two texts are equal where case is ignored; `folded` went through [`fold`] before.
pub fn equals_folded(text: &str, folded: &str) -> bool {
    if text.is_ascii() {
        return text.eq_ignore_ascii_case(folded);
    }
    text.chars().map(fold_char).eq(folded.chars())
}

/// One character of a pattern between two stars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Unit {
    Char(char),
    AnyOne,
}

/// A part of a pattern without wildcards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Literal {
    /// The part; in lower case (ASCII) where the pattern ignores case.
    pub text: String,
    /// Whether texts begin with it.
    pub at_start: bool,
    /// Whether texts end with it.
    pub at_end: bool,
}

/// A compiled pattern.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Wildcard {
    text: String,
    ignore_case: bool,
    /// What stands between the stars; one more than there are stars.
    segments: Vec<Vec<Unit>>,
}

impl Wildcard {
    /// A pattern with `*` and `?`, without any escape: EQL's `:` and `like`.
    pub fn new(pattern: &str, ignore_case: bool) -> Self {
        Self::build(pattern, ignore_case, pattern.chars().map(|c| (c, true)))
    }

    /// A pattern in which a backslash takes away the next character's meaning: Elasticsearch's `wildcard` query.
    pub fn with_escapes(pattern: &str, ignore_case: bool) -> Self {
        let mut units = Vec::new();
        let mut chars = pattern.chars();
        while let Some(c) = chars.next() {
            match (c, c == '\\') {
                (_, true) => units.push((chars.next().unwrap_or('\\'), false)),
                (c, false) => units.push((c, true)),
            }
        }
        Self::build(pattern, ignore_case, units)
    }

    /// The literal parts with a star between each two: KQL's wildcards, in which `?` means itself.
    pub fn from_parts<'a>(parts: impl IntoIterator<Item = &'a str>, ignore_case: bool) -> Self {
        let mut units: Vec<(char, bool)> = Vec::new();
        for (i, part) in parts.into_iter().enumerate() {
            if i > 0 {
                units.push(('*', true));
            }
            units.extend(part.chars().map(|c| (c, false)));
        }
        let text: String = units.iter().map(|(c, _)| *c).collect();
        Self::build(&text, ignore_case, units)
    }

    fn build(text: &str, ignore_case: bool, units: impl IntoIterator<Item = (char, bool)>) -> Self {
        let mut segments = vec![Vec::new()];
        let mut last = 0;
        for unit in units {
            let unit = match unit {
                ('*', true) => {
                    segments.push(Vec::new());
                    last += 1;
                    continue;
                }
                ('?', true) => Unit::AnyOne,
                (c, _) if ignore_case => Unit::Char(c.to_ascii_lowercase()),
                (c, _) => Unit::Char(c),
            };
            segments[last].push(unit);
        }
        // Two stars in a row are one.
        let count = segments.len();
        let mut index = 0;
        segments.retain(|segment| {
            index += 1;
            !segment.is_empty() || index == 1 || index == count
        });
        Self { text: text.to_owned(), ignore_case, segments }
    }

    /// The pattern as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether case is ignored.
    pub fn ignores_case(&self) -> bool {
        self.ignore_case
    }

    /// The string that the pattern stands for, if it has no wildcards.
    pub fn literal(&self) -> Option<String> {
        let [segment] = self.segments.as_slice() else { return None };
        segment.iter().map(|unit| if let Unit::Char(c) = unit { Some(*c) } else { None }).collect()
    }

    /// Whether the pattern matches every string.
    pub fn matches_all(&self) -> bool {
        self.segments.len() > 1 && self.segments.iter().all(Vec::is_empty)
    }

    /// The same pattern with case ignored.
    pub fn with_any_case(&self) -> Self {
        let mut folded = self.clone();
        folded.ignore_case = true;
        for unit in folded.segments.iter_mut().flatten() {
            if let Unit::Char(c) = unit {
                *c = c.to_ascii_lowercase();
            }
        }
        folded
    }

    /// Whether this pattern matches whatever the other one matches. Errs towards no: `?*` and `*?` are the same, but
    /// only the wildcards of this pattern are laid over those of the other.
    pub fn covers(&self, other: &Self) -> bool {
        if self.matches_all() {
            return true;
        }
        if other.ignore_case && !self.ignore_case {
            return false;
        }
        let other = if self.ignore_case { Cow::Owned(other.with_any_case()) } else { Cow::Borrowed(other) };
        let (wide, narrow) = (self.units(), other.units());
        // Whether the part of `wide` so far covers the first so many units of `narrow`.
        let mut covered = vec![false; narrow.len() + 1];
        covered[0] = true;
        for unit in wide {
            let before = covered.clone();
            covered[0] = before[0] && unit.is_none();
            for (index, narrow_unit) in narrow.iter().enumerate() {
                covered[index + 1] = match (unit, narrow_unit) {
                    (None, _) => before[index + 1] || covered[index],
                    (Some(Unit::AnyOne), Some(_)) => before[index],
                    (Some(one), Some(other)) => one == *other && before[index],
                    (Some(_), None) => false,
                };
            }
        }
        covered[narrow.len()]
    }

    /// Whether no text matches both patterns, as far as their first and last letters show.
    pub fn disjoint(&self, other: &Self) -> bool {
        let any_case = self.ignore_case || other.ignore_case;
        let (a, b) = if any_case {
            (self.with_any_case(), other.with_any_case())
        } else {
            (self.clone(), other.clone())
        };
        let (a, b) = (a.units(), b.units());
        let differ = |pair: (&Option<Unit>, &Option<Unit>)| match pair {
            (Some(Unit::Char(a)), Some(Unit::Char(b))) => Some(a != b),
            (Some(_), Some(_)) => Some(false),
            // From the first star on nothing is known.
            _ => None,
        };
        let heads = a.iter().zip(&b).map_while(differ).any(|differ| differ);
        heads || a.iter().rev().zip(b.iter().rev()).map_while(differ).any(|differ| differ)
    }

    /// The pattern unit by unit; none is a star.
    fn units(&self) -> Vec<Option<Unit>> {
        let mut units = Vec::new();
        for (index, segment) in self.segments.iter().enumerate() {
            if index > 0 {
                units.push(None);
            }
            units.extend(segment.iter().copied().map(Some));
        }
        units
    }

    /// The literal parts that every text which the pattern matches has, in order, each with its place. A pattern without
    /// wildcards is one part, at both ends.
    pub fn literals(&self) -> Vec<Literal> {
        let mut literals = Vec::new();
        let last = self.segments.len() - 1;
        for (number, segment) in self.segments.iter().enumerate() {
            let runs: Vec<&[Unit]> = segment.split(|unit| *unit == Unit::AnyOne).collect();
            for (run_number, run) in runs.iter().enumerate() {
                let text: String = run
                    .iter()
                    .filter_map(|unit| if let Unit::Char(c) = unit { Some(*c) } else { None })
                    .collect();
                let at_start = number == 0 && run_number == 0;
                let at_end = number == last && run_number == runs.len() - 1;
                literals.push(Literal { text, at_start, at_end });
            }
        }
        literals.retain(|literal| !literal.text.is_empty());
        literals
    }

    /// Whether the text begins with a character that the pattern names, rather than with a wildcard.
    pub fn has_fixed_start(&self) -> bool {
        matches!(self.segments.first().and_then(|first| first.first()), Some(Unit::Char(_)))
    }

    /// The same for its end.
    pub fn has_fixed_end(&self) -> bool {
        matches!(self.segments.last().and_then(|last| last.last()), Some(Unit::Char(_)))
    }

    /// Whether the pattern matches the whole text.
    pub fn matches(&self, text: &str) -> bool {
        let Some((first, rest)) = self.segments.split_first() else { return text.is_empty() };
        let Some(after) = self.strip_prefix(text, first) else { return false };
        let Some((last, middle)) = rest.split_last() else { return after.is_empty() };
        let mut remaining = after;
        for segment in middle {
            let Some(found) = self.find(remaining, segment) else { return false };
            remaining = found;
        }
        self.ends_with(remaining, last)
    }

    fn unit_matches(&self, unit: Unit, c: char) -> bool {
        match unit {
            Unit::AnyOne => true,
            Unit::Char(wanted) if self.ignore_case => wanted == c.to_ascii_lowercase(),
            Unit::Char(wanted) => wanted == c,
        }
    }

    /// The text after the segment, if it begins with it.
    fn strip_prefix<'t>(&self, text: &'t str, segment: &[Unit]) -> Option<&'t str> {
        let mut chars = text.chars();
        for unit in segment {
            if !self.unit_matches(*unit, chars.next()?) {
                return None;
            }
        }
        Some(chars.as_str())
    }

    fn ends_with(&self, text: &str, segment: &[Unit]) -> bool {
        let mut chars = text.chars();
        segment.iter().rev().all(|unit| chars.next_back().is_some_and(|c| self.unit_matches(*unit, c)))
    }

    /// The text after the first place where the segment stands.
    fn find<'t>(&self, text: &'t str, segment: &[Unit]) -> Option<&'t str> {
        let mut rest = text;
        loop {
            if let Some(after) = self.strip_prefix(rest, segment) {
                return Some(after);
            }
            let mut chars = rest.chars();
            chars.next()?;
            rest = chars.as_str();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_cover_and_exclude_each_other() {
        let pair = |a: &str, b: &str| (Wildcard::new(a, false), Wildcard::new(b, false));
        let covers = |a: &str, b: &str, expected: bool| {
            let (a, b) = pair(a, b);
            assert_eq!(a.covers(&b), expected, "{a:?} covers {b:?}");
        };
        covers("cmd*", "cmd.exe", true);
        covers("cmd*", "cmd?e*", true);
        covers("cmd?*", "cmd*", false);
        covers("*a*", "*ba", true);
        covers("*a", "*a*", false);
        covers("a", "A", false);
        assert!(Wildcard::new("CMD*", true).covers(&Wildcard::new("Cmd.exe", false)));
        assert!(!Wildcard::new("cmd*", false).covers(&Wildcard::new("cmd.exe", true)));
        assert!(!Wildcard::new("a?", false).covers(&Wildcard::from_parts(["a", ""], false)));
        assert!(Wildcard::new("a?", false).covers(&Wildcard::from_parts(["a?"], false)));
        let disjoint = |a: &str, b: &str, expected: bool| {
            let (a, b) = pair(a, b);
            assert_eq!(a.disjoint(&b), expected, "{a:?} and {b:?}");
        };
        disjoint("a*", "b*", true);
        disjoint("*.exe", "*.dll", true);
        disjoint("a?c*", "abd*", true);
        disjoint("a*", "ab*", false);
        disjoint("*a*", "*b*", false);
    }

    #[test]
    fn stars_and_question_marks() {
        let check = |pattern: &str, text: &str, sensitive: bool, insensitive: bool| {
            assert_eq!(Wildcard::new(pattern, false).matches(text), sensitive, "{pattern} on {text}");
            assert_eq!(
                Wildcard::new(pattern, true).matches(text),
                insensitive,
                "{pattern} on {text}, any case"
            );
        };
        check("cmd.exe", "CMD.exe", false, true);
        check("*.exe", "a.exe", true, true);
        check("*.exe", ".exe", true, true);
        check("?.exe", ".exe", false, false);
        check("?:\\Windows\\*\\x?.dll", "C:\\windows\\a\\b\\x1.dll", false, true);
        check("a*b*c", "aXbYbZc", true, true);
        check("a*b*c", "aXcb", false, false);
        check("*ab*ab*", "ab", false, false);
        check("*ab*ab*", "abab", true, true);
        check("a*a", "a", false, false);
        check("*", "", true, true);
        check("", "", true, true);
        check("", "x", false, false);
        check("**", "any\nthing", true, true);
        check("?", "ä", true, true);
        check("GRÖSSE*", "grÖsse", false, true);
        check("GRÖSSE*", "grösse", false, false);
        check("x*", "\u{130}", false, false);
    }

    #[test]
    fn patterns_have_literal_parts() {
        let check = |pattern: &str, expected: &[(&str, bool, bool)]| {
            let literals = Wildcard::new(pattern, true).literals();
            let literals: Vec<_> =
                literals.iter().map(|part| (part.text.as_str(), part.at_start, part.at_end)).collect();
            assert_eq!(literals, expected, "{pattern}");
        };
        check("Cmd.exe", &[("cmd.exe", true, true)]);
        check("?:\\win*\\x?.dll", &[(":\\win", false, false), ("\\x", false, false), (".dll", false, true)]);
        check("a**b", &[("a", true, false), ("b", false, true)]);
        check("*", &[]);
        check("", &[]);
        check("a?", &[("a", true, false)]);
    }

    #[test]
    fn escapes_and_parts_are_literal() {
        assert!(Wildcard::with_escapes("a\\*b*", false).matches("a*bc"));
        assert!(!Wildcard::with_escapes("a\\*b*", false).matches("axbc"));
        assert!(Wildcard::with_escapes("C:\\\\x\\\\*", true).matches("c:\\X\\y"));
        assert!(Wildcard::from_parts(["a?", "c"], false).matches("a?bc"));
        assert!(!Wildcard::from_parts(["a?", "c"], false).matches("axbc"));
        assert_eq!(Wildcard::new("abc", false).literal().as_deref(), Some("abc"));
        assert_eq!(Wildcard::new("ab?", false).literal(), None);
        assert!(Wildcard::new("**", false).matches_all());
    }
}
