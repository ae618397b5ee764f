//! Lucene's regular expressions: anchored at both ends, `.` matches line breaks, `^` and `$` are ordinary characters.
//!
//! Operators: `. ? * + {n} {n,} {n,m} | ( ) [ ] [^ ] \ "…"`, and `~` complement, `&` intersection, `<n-m>` numeric
//! interval, `@` any string, `#` no string. `\d \s \w \D \S \W` are classes of ASCII characters, as in Lucene from
//! version 9 on; before any other character a backslash takes away its meaning.
//! Source: Elasticsearch reference, "Regular expression syntax".
//!
//! Expressions without `~` and `&` run on the `regex` crate, in linear time. The others become an automaton by
//! derivatives ([`derivative`]), also linear. Case is ignored for ASCII letters, as Elasticsearch does.

use std::fmt::Write;

use regex::{Regex, RegexBuilder};

use crate::limits::{REGEX_BYTES_MAX, REGEX_CHARS_MAX, REGEX_PARTS_MAX, REGEX_WORK_MAX};

mod derivative;
mod interval;
mod parse;
mod simplify;

use derivative::Automaton;

/// Why a regular expression cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegexError {
    /// What is wrong.
    pub message: String,
    /// Where, in characters from 0.
    pub offset: usize,
}

impl RegexError {
    /// Too large as a whole.
    fn too_large(message: String) -> Self {
        Self { message, offset: 0 }
    }
}

/// What the expressions of one query may cost together: many small ones fill the memory as one large one does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegexBudget {
    parts_left: usize,
    work_left: usize,
}

impl Default for RegexBudget {
    fn default() -> Self {
        Self { parts_left: REGEX_PARTS_MAX, work_left: REGEX_WORK_MAX }
    }
}

impl RegexBudget {
    fn parts(&mut self, count: usize) -> Result<(), RegexError> {
        let left = self.parts_left.checked_sub(count);
        self.parts_left = left.unwrap_or(0);
        left.map(|_| ()).ok_or_else(|| {
            let what = "the regular expressions of a query have more than";
            RegexError::too_large(format!("{what} {REGEX_PARTS_MAX} parts, repetitions written out"))
        })
    }

    fn work(&mut self, steps: usize) -> Result<(), RegexError> {
        let left = self.work_left.checked_sub(steps);
        self.work_left = left.unwrap_or(0);
        left.map(|_| ()).ok_or_else(|| {
            RegexError::too_large(format!("`~` and `&` take more than {REGEX_WORK_MAX} steps to compile"))
        })
    }
}

/// A compiled expression.
#[derive(Debug, Clone)]
pub struct LuceneRegex {
    text: String,
    ignore_case: bool,
    strategy: Strategy,
    required: Vec<String>,
}

#[derive(Debug, Clone)]
enum Strategy {
    Regex(Regex),
    Automaton(Box<Automaton>),
}

/// The syntax tree of an expression.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Node {
    Char(char),
    AnyChar,
    Class { negated: bool, ranges: Vec<(char, char)> },
    Concat(Vec<Node>),
    Alternate(Vec<Node>),
    Repeat { node: Box<Node>, min: u32, max: Option<u32> },
    Intersect(Vec<Node>),
    Complement(Box<Node>),
    AnyString,
    Nothing,
}

impl PartialEq for LuceneRegex {
    /// The text and the case decide all else.
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text && self.ignore_case == other.ignore_case
    }
}

impl LuceneRegex {
    /// Compiles an expression alone.
    pub fn new(pattern: &str, ignore_case: bool) -> Result<Self, RegexError> {
        Self::within(&mut RegexBudget::default(), pattern, ignore_case)
    }

    /// Compiles an expression of a query.
    pub fn within(budget: &mut RegexBudget, pattern: &str, ignore_case: bool) -> Result<Self, RegexError> {
        if pattern.chars().count() > REGEX_CHARS_MAX {
            return Err(RegexError {
                message: format!("longer than {REGEX_CHARS_MAX} characters"),
                offset: 0,
            });
        }
        let node = parse::parse(pattern)?.simplified();
        budget.parts(node.parts())?;
        let required = node.required().unwrap_or_default();
        let node = if ignore_case { node.with_both_cases() } else { node };
        let strategy = if node.is_plain() {
            Strategy::Regex(compile(&node)?)
        } else {
            Strategy::Automaton(Box::new(Automaton::new(&node, budget)?))
        };
        Ok(Self { text: pattern.to_owned(), ignore_case, strategy, required })
    }

    /// The expression as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether case is ignored.
    pub fn ignores_case(&self) -> bool {
        self.ignore_case
    }

    /// Literals of which every text that matches has at least one, as they are written; none where there is no such
    /// list. Where case is ignored, it is ignored for them too.
    pub fn required_literals(&self) -> &[String] {
        &self.required
    }

    /// Whether the whole text matches.
    pub fn matches(&self, text: &str) -> bool {
        match &self.strategy {
            Strategy::Regex(regex) => regex.is_match(text),
            Strategy::Automaton(automaton) => automaton.matches(text),
        }
    }
}

/// A list of literals is worth as much as its shortest one, and more the fewer there are.
fn telling(list: &[String]) -> (usize, std::cmp::Reverse<usize>) {
    (list.iter().map(String::len).min().unwrap_or(0), std::cmp::Reverse(list.len()))
}

fn compile(node: &Node) -> Result<Regex, RegexError> {
    let mut pattern = String::from("^(?:");
    node.write(&mut pattern);
    pattern.push_str(")$");
    RegexBuilder::new(&pattern)
        .dot_matches_new_line(true)
        .size_limit(REGEX_BYTES_MAX)
        .dfa_size_limit(REGEX_BYTES_MAX)
        .build()
        .map_err(|error| {
            let message = match error {
                regex::Error::CompiledTooBig(_) => format!("compiles to more than {REGEX_BYTES_MAX} bytes"),
                // The message repeats the pattern before it says what is wrong.
                other => other.to_string().lines().last().unwrap_or_default().to_owned(),
            };
            RegexError { message, offset: 0 }
        })
}

impl Node {
    /// Parts of the expression, repetitions written out: what it compiles to grows with them.
    fn parts(&self) -> usize {
        let all = |nodes: &[Self]| nodes.iter().fold(1, |sum: usize, node| sum.saturating_add(node.parts()));
        match self {
            Self::Char(_) | Self::AnyChar | Self::AnyString | Self::Nothing => 1,
            Self::Class { ranges, .. } => 1 + ranges.len(),
            Self::Concat(nodes) | Self::Alternate(nodes) | Self::Intersect(nodes) => all(nodes),
            Self::Complement(node) => node.parts().saturating_add(1),
            Self::Repeat { node, min, max } => {
                let rounds = max.unwrap_or(*min).max(1) as usize;
                node.parts().saturating_mul(rounds).saturating_add(1)
            }
        }
    }

    /// Literals of which every text that matches has at least one; the most telling such list.
    fn required(&self) -> Option<Vec<String>> {
        match self {
            Self::Char(c) => Some(vec![c.to_string()]),
            Self::Concat(nodes) => {
                let mut run = String::new();
                let mut lists = Vec::new();
                for node in nodes {
                    if let Self::Char(c) = node {
                        run.push(*c);
                        continue;
                    }
                    lists.push(vec![std::mem::take(&mut run)]);
                    lists.extend(node.required());
                }
                lists.push(vec![run]);
                lists.into_iter().max_by_key(|list| telling(list)).filter(|list| telling(list).0 > 0)
            }
            Self::Alternate(nodes) => {
                let lists: Option<Vec<_>> = nodes.iter().map(Self::required).collect();
                lists.map(|lists| lists.concat())
            }
            Self::Intersect(nodes) => {
                nodes.iter().filter_map(Self::required).max_by_key(|list| telling(list))
            }
            Self::Repeat { node, min, .. } if *min > 0 => node.required(),
            _ => None,
        }
    }

    /// Whether the `regex` crate has all that the expression uses.
    fn is_plain(&self) -> bool {
        match self {
            Self::Intersect(_) | Self::Complement(_) => false,
            Self::Concat(nodes) | Self::Alternate(nodes) => nodes.iter().all(Self::is_plain),
            Self::Repeat { node, .. } => node.is_plain(),
            _ => true,
        }
    }

    /// The expression as the `regex` crate writes it.
    fn write(&self, out: &mut String) {
        match self {
            Self::Char(c) => push_char(out, *c),
            Self::AnyChar => out.push('.'),
            Self::AnyString => out.push_str(".*"),
            Self::Nothing => out.push_str("[^\\x{0}-\\x{10FFFF}]"),
            Self::Class { negated, ranges } => {
                out.push_str(if *negated { "[^" } else { "[" });
                for (from, to) in ranges {
                    // Writing to a string cannot fail.
                    let _ = write!(out, "\\x{{{:x}}}-\\x{{{:x}}}", u32::from(*from), u32::from(*to));
                }
                out.push(']');
            }
            Self::Concat(nodes) => nodes.iter().for_each(|node| node.write_group(out)),
            Self::Alternate(nodes) => {
                for (i, node) in nodes.iter().enumerate() {
                    if i > 0 {
                        out.push('|');
                    }
                    node.write_group(out);
                }
            }
            Self::Repeat { node, min, max } => {
                node.write_group(out);
                let _ = match max {
                    Some(max) => write!(out, "{{{min},{max}}}"),
                    None => write!(out, "{{{min},}}"),
                };
            }
            Self::Intersect(_) | Self::Complement(_) => {}
        }
    }

    fn write_group(&self, out: &mut String) {
        let single = matches!(self, Self::Char(_) | Self::AnyChar | Self::Class { .. });
        out.push_str(if single { "" } else { "(?:" });
        self.write(out);
        out.push_str(if single { "" } else { ")" });
    }

    /// The expression in which ASCII letters stand for both cases.
    fn with_both_cases(self) -> Self {
        let all = |nodes: Vec<Self>| nodes.into_iter().map(Self::with_both_cases).collect();
        match self {
            Self::Char(c) if c.is_ascii_alphabetic() => {
                Self::Class { negated: false, ranges: both_cases(&[(c, c)]) }
            }
            Self::Class { negated, ranges } => Self::Class { negated, ranges: both_cases(&ranges) },
            Self::Concat(nodes) => Self::Concat(all(nodes)),
            Self::Alternate(nodes) => Self::Alternate(all(nodes)),
            Self::Intersect(nodes) => Self::Intersect(all(nodes)),
            Self::Repeat { node, min, max } => {
                Self::Repeat { node: Box::new(node.with_both_cases()), min, max }
            }
            Self::Complement(node) => Self::Complement(Box::new(node.with_both_cases())),
            other => other,
        }
    }
}

/// The ranges with the other case of the ASCII letters that they hold.
fn both_cases(ranges: &[(char, char)]) -> Vec<(char, char)> {
    let mut both = ranges.to_vec();
    for (from, to) in ranges {
        for (first, last) in [('A', 'Z'), ('a', 'z')] {
            let (low, high) = ((*from).max(first), (*to).min(last));
            if low <= high {
                let other = |c: char| char::from(c as u8 ^ 0x20);
                both.push((other(low), other(high)));
            }
        }
    }
    both
}

fn push_char(out: &mut String, c: char) {
    if c.is_alphanumeric() || c == ' ' || c == '/' {
        out.push(c);
    } else {
        let _ = write!(out, "\\x{{{:x}}}", u32::from(c));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lucene_syntax() {
        let check = |pattern: &str, text: &str, expected: bool| {
            let regex = LuceneRegex::new(pattern, false).unwrap();
            assert_eq!(regex.matches(text), expected, "{pattern} on {text:?}");
        };
        check("ab.*", "abc\nd", true);
        check("b", "abc", false);
        check(".*?net1[ ]+x", "a net1  x", true);
        check("[^a-c]+", "xyz", true);
        check("[a\\-z]", "-", true);
        check("[a-]", "-", true);
        check("a{2,3}", "aaaa", false);
        check("^a$", "a", false);
        check("^a$", "^a$", true);
        check("\\d+[\\w.]*\\S", "42a_.x", true);
        check("\\d", "d", false);
        check("\\D\\s\\W", "x\t-", true);
        check("\"a.b\"c", "a.bc", true);
        check("a@c", "abbbc", true);
        check("#", "", false);
        check("", "", true);
        check("()", "", true);
        check("a|b|", "", true);
        check("~(ab*)", "abb", false);
        check("~(ab*)", "ba", true);
        check(".*~(foo).*", "foo", true);
        check("a~(bc)d", "abcd", false);
        check("a~(bc)d", "abxd", true);
        check("[a-z]+&.*x.*", "axb", true);
        check("[a-z]+&.*x.*", "abb", false);
        check("v<1-100>", "v42", true);
        check("v<1-100>", "v101", false);
        check("<01-10>", "7", false);
        check("<01-10>", "07", true);
        check("<8-113>", "0042", true);
        check("<8-113>", "7", false);
        check("<8-113>", "114", false);
        check("[\\s\\S]+", "a b", true);
        check("[\\D]+", "a1", false);
        check(".*~(a.*~(b.*c).*d).*x", &"a".repeat(4_000), false);
        check("[ʰ-˿]+", "ʰʱ", true);
    }

    #[test]
    fn literals_that_a_match_must_have() {
        let check = |pattern: &str, expected: &[&str]| {
            assert_eq!(LuceneRegex::new(pattern, true).unwrap().required_literals(), expected, "{pattern}");
        };
        check("abc", &["abc"]);
        check(".*net1[ ]+users.*", &["users"]);
        check("(cmd|powershell)\\.exe", &[".exe"]);
        check("a(bcd|efg)+", &["bcd", "efg"]);
        check("a?(b|.*)", &[]);
        check("(abc|)", &[]);
        check("[a-z]+&.*xyz.*", &["xyz"]);
        check("~(abc)", &[]);
        check("", &[]);
    }

    #[test]
    fn case_is_ignored_on_request() {
        let check = |pattern: &str, text: &str| {
            assert!(LuceneRegex::new(pattern, true).unwrap().matches(text), "{pattern} on {text}");
        };
        check("C:\\\\Win[A-Z]+", "c:\\windows");
        check("~(X)[A-Z]", "aq");
        check("Äb~(c)", "ÄB");
        check("k[^k]", "Kx");
    }

    #[test]
    fn broken_expressions_are_errors() {
        for pattern in [
            "(",
            "a)",
            "[",
            "[z-a]",
            "a{3,1}",
            "a{9999}",
            "\\",
            "\"open",
            "*",
            "<9-1>",
            "<a>",
            "(((.{500}){500}){500})",
            "(a{1000}){6}&~(b)",
        ] {
            assert!(LuceneRegex::new(pattern, false).is_err(), "{pattern}");
        }
        assert!(LuceneRegex::new(&"(".repeat(200_000), false).is_err());
        // Few states, each of them large; each optional part is a way of its own.
        assert!(LuceneRegex::new(&format!("a{}b~(c|d)", "@x".repeat(80)), false).is_err());
        assert!(LuceneRegex::new(&format!("~b{}", "a?".repeat(9_000)), false).is_err());
        assert!(LuceneRegex::new(&format!("~b{}", "?".repeat(19_000)), false).is_err());
        assert!(!LuceneRegex::new("k", true).unwrap().matches("\u{212A}"));
    }

    #[test]
    fn the_expressions_of_a_query_share_a_budget() {
        let mut budget = RegexBudget::default();
        let mut compiled = 0;
        while LuceneRegex::within(&mut budget, "a{900}", false).is_ok() {
            compiled += 1;
        }
        assert_eq!(compiled, REGEX_PARTS_MAX / 902);
        assert!(LuceneRegex::within(&mut budget, "a", false).is_err());
    }
}
