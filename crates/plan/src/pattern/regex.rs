//! Lucene's regular expressions: anchored at both ends, `.` matches line breaks, `^` and `$` are ordinary characters.
//!
//! Operators: `. ? * + {n} {n,} {n,m} | ( ) [ ] [^ ] \ "…"`, and `~` complement, `&` intersection, `<n-m>` numeric
//! interval, `@` any string, `#` no string. `\d \s \w \D \S \W` are classes of ASCII characters, as in Lucene from
//! version 9 on; before any other character a backslash takes away its meaning.
//! Source: Elasticsearch reference, "Regular expression syntax".
//!
//! Expressions without `~`, `&` and `<n-m>` run on the `regex` crate, in linear time. The others run on a matcher over
//! sets of positions ([`sets`]), whose cost is bounded by [`crate::limits::REGEX_SET_CHARS_MAX`].

use std::fmt::Write;

use maxspan_event::wildcard::fold_char;
use regex::{Regex, RegexBuilder};

use crate::limits::{REGEX_BYTES_MAX, REGEX_CHARS_MAX, REGEX_SET_CHARS_MAX};

mod parse;
mod sets;

/// Why a regular expression cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegexError {
    /// What is wrong.
    pub message: String,
    /// Where, in characters from 0.
    pub offset: usize,
}

/// A compiled expression.
#[derive(Debug, Clone)]
pub struct LuceneRegex {
    text: String,
    ignore_case: bool,
    strategy: Strategy,
}

#[derive(Debug, Clone)]
enum Strategy {
    Regex(Regex),
    Sets(Box<Node>),
}

/// The syntax tree of an expression.
#[derive(Debug, Clone, PartialEq)]
enum Node {
    Char(char),
    AnyChar,
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
    Concat(Vec<Node>),
    Alternate(Vec<Node>),
    Repeat {
        node: Box<Node>,
        min: u32,
        max: Option<u32>,
    },
    Intersect(Vec<Node>),
    Complement(Box<Node>),
    /// `<n-m>`: a decimal number in the range; with a width, padded with zeros to it.
    Interval {
        min: u64,
        max: u64,
        width: Option<usize>,
    },
    AnyString,
    Nothing,
}

impl LuceneRegex {
    /// Compiles an expression.
    pub fn new(pattern: &str, ignore_case: bool) -> Result<Self, RegexError> {
        if pattern.chars().count() > REGEX_CHARS_MAX {
            return Err(RegexError {
                message: format!("longer than {REGEX_CHARS_MAX} characters"),
                offset: 0,
            });
        }
        let node = parse::parse(pattern)?;
        let strategy = if node.is_plain() {
            Strategy::Regex(compile(&node, ignore_case)?)
        } else {
            Strategy::Sets(Box::new(if ignore_case { node.folded() } else { node }))
        };
        Ok(Self { text: pattern.to_owned(), ignore_case, strategy })
    }

    /// The expression as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether case is ignored.
    pub fn ignores_case(&self) -> bool {
        self.ignore_case
    }

    /// Whether the whole text matches.
    pub fn matches(&self, text: &str) -> bool {
        match &self.strategy {
            Strategy::Regex(regex) => regex.is_match(text),
            Strategy::Sets(node) => {
                let chars: Vec<char> = if self.ignore_case {
                    text.chars().map(fold_char).collect()
                } else {
                    text.chars().collect()
                };
                chars.len() <= REGEX_SET_CHARS_MAX && sets::matches(node, &chars)
            }
        }
    }
}

fn compile(node: &Node, ignore_case: bool) -> Result<Regex, RegexError> {
    let mut pattern = String::from("^(?:");
    node.write(&mut pattern);
    pattern.push_str(")$");
    RegexBuilder::new(&pattern)
        .case_insensitive(ignore_case)
        .dot_matches_new_line(true)
        .size_limit(REGEX_BYTES_MAX)
        .dfa_size_limit(REGEX_BYTES_MAX)
        .build()
        .map_err(|error| {
            let message = match error {
                regex::Error::CompiledTooBig(_) => format!("compiles to more than {REGEX_BYTES_MAX} bytes"),
                other => other.to_string(),
            };
            RegexError { message, offset: 0 }
        })
}

impl Node {
    /// Whether the `regex` crate has all that the expression uses.
    fn is_plain(&self) -> bool {
        match self {
            Self::Intersect(_) | Self::Complement(_) | Self::Interval { .. } => false,
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
            Self::Intersect(_) | Self::Complement(_) | Self::Interval { .. } => {}
        }
    }

    fn write_group(&self, out: &mut String) {
        let single = matches!(self, Self::Char(_) | Self::AnyChar | Self::Class { .. });
        out.push_str(if single { "" } else { "(?:" });
        self.write(out);
        out.push_str(if single { "" } else { ")" });
    }

    /// The expression for folded text.
    fn folded(self) -> Self {
        let all = |nodes: Vec<Self>| nodes.into_iter().map(Self::folded).collect();
        match self {
            Self::Char(c) => Self::Char(fold_char(c)),
            Self::Class { negated, ranges } => Self::Class { negated, ranges: fold_ranges(&ranges) },
            Self::Concat(nodes) => Self::Concat(all(nodes)),
            Self::Alternate(nodes) => Self::Alternate(all(nodes)),
            Self::Intersect(nodes) => Self::Intersect(all(nodes)),
            Self::Repeat { node, min, max } => Self::Repeat { node: Box::new(node.folded()), min, max },
            Self::Complement(node) => Self::Complement(Box::new(node.folded())),
            other => other,
        }
    }
}

/// The ranges with the lower case of what they hold; wide ranges get the ASCII letters only.
fn fold_ranges(ranges: &[(char, char)]) -> Vec<(char, char)> {
    let mut folded = ranges.to_vec();
    for (from, to) in ranges {
        let (low, high) = ((*from).max('A'), (*to).min('Z'));
        if low <= high {
            folded.push((low.to_ascii_lowercase(), high.to_ascii_lowercase()));
        }
        if !from.is_ascii() && u32::from(*to) - u32::from(*from) < 0x400 {
            folded.extend((*from..=*to).map(|c| (fold_char(c), fold_char(c))));
        }
    }
    folded
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
        check("[ʰ-˿]+", "ʰʱ", true);
    }

    #[test]
    fn case_is_ignored_on_request() {
        let check = |pattern: &str, text: &str| {
            assert!(LuceneRegex::new(pattern, true).unwrap().matches(text), "{pattern} on {text}");
        };
        check("C:\\\\Win[A-Z]+", "c:\\windows");
        check("~(X)[A-Z]", "aq");
        check("ÄB~(c)", "äb");
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
        ] {
            assert!(LuceneRegex::new(pattern, false).is_err(), "{pattern}");
        }
        assert!(LuceneRegex::new(&"(".repeat(200_000), false).is_err());
    }
}
