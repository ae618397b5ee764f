//! Lucene regular expressions: text to tree.

use super::interval::interval;
use super::{Node, RegexError};
use crate::limits::{REGEX_DEPTH_MAX, REGEX_REPEAT_MAX, REGEX_STACKED_MAX};

/// Parses a whole expression.
pub(super) fn parse(pattern: &str) -> Result<Node, RegexError> {
    let mut parser = Parser { chars: pattern.chars().collect(), position: 0, depth: 0 };
    let node = parser.union()?;
    match parser.peek() {
        None => Ok(node),
        Some(c) => Err(parser.error(format!("unexpected `{c}`"))),
    }
}

struct Parser {
    chars: Vec<char>,
    position: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.position).copied()
    }

    fn eat(&mut self, c: char) -> bool {
        let found = self.peek() == Some(c);
        self.position += usize::from(found);
        found
    }

    fn error(&self, message: impl Into<String>) -> RegexError {
        RegexError { message: message.into(), offset: self.position }
    }

    fn union(&mut self) -> Result<Node, RegexError> {
        let mut nodes = vec![self.intersection()?];
        while self.eat('|') {
            nodes.push(self.intersection()?);
        }
        Ok(if nodes.len() == 1 { nodes.remove(0) } else { Node::Alternate(nodes) })
    }

    fn intersection(&mut self) -> Result<Node, RegexError> {
        let mut nodes = vec![self.concatenation()?];
        while self.eat('&') {
            nodes.push(self.concatenation()?);
        }
        Ok(if nodes.len() == 1 { nodes.remove(0) } else { Node::Intersect(nodes) })
    }

    fn concatenation(&mut self) -> Result<Node, RegexError> {
        let mut nodes = Vec::new();
        while self.peek().is_some_and(|c| !matches!(c, '|' | '&' | ')')) {
            nodes.push(self.repetition()?);
        }
        Ok(if nodes.len() == 1 { nodes.remove(0) } else { Node::Concat(nodes) })
    }

    fn repetition(&mut self) -> Result<Node, RegexError> {
        let mut node = self.complement()?;
        for _ in 0..=REGEX_STACKED_MAX {
            let operator = self.peek();
            if !matches!(operator, Some('?' | '*' | '+' | '{')) {
                return Ok(node);
            }
            self.position += 1;
            let (min, max) = match operator {
                Some('?') => (0, Some(1)),
                Some('*') => (0, None),
                Some('+') => (1, None),
                _ => self.bounds()?,
            };
            node = Node::Repeat { node: Box::new(node), min, max };
        }
        Err(self.error(format!("more than {REGEX_STACKED_MAX} repetitions of one part")))
    }

    /// `n}`, `n,}` or `n,m}`.
    fn bounds(&mut self) -> Result<(u32, Option<u32>), RegexError> {
        let min = self.count()?;
        let max = if !self.eat(',') {
            Some(min)
        } else if self.peek() == Some('}') {
            None
        } else {
            Some(self.count()?)
        };
        if !self.eat('}') {
            return Err(self.error("expected `}`"));
        }
        match max {
            Some(max) if max < min => Err(self.error("the second count is smaller than the first")),
            _ => Ok((min, max)),
        }
    }

    fn count(&mut self) -> Result<u32, RegexError> {
        let number = self.number().ok_or_else(|| self.error("expected a count"))?.0;
        match u32::try_from(number) {
            Ok(count) if count <= REGEX_REPEAT_MAX => Ok(count),
            _ => Err(self.error(format!("a count over {REGEX_REPEAT_MAX}"))),
        }
    }

    /// A decimal number and how many digits it has.
    fn number(&mut self) -> Option<(u64, usize)> {
        let start = self.position;
        while self.peek().is_some_and(|c| c.is_ascii_digit()) {
            self.position += 1;
        }
        let digits: String = self.chars[start..self.position].iter().collect();
        Some((digits.parse().ok()?, digits.len()))
    }

    fn complement(&mut self) -> Result<Node, RegexError> {
        if !self.eat('~') {
            return self.class_or_simple();
        }
        self.nested(|parser| Ok(Node::Complement(Box::new(parser.complement()?))))
    }

    fn nested(
        &mut self,
        inner: impl FnOnce(&mut Self) -> Result<Node, RegexError>,
    ) -> Result<Node, RegexError> {
        self.depth += 1;
        if self.depth > REGEX_DEPTH_MAX {
            return Err(self.error(format!("nested more than {REGEX_DEPTH_MAX} deep")));
        }
        let node = inner(self);
        self.depth -= 1;
        node
    }

    fn class_or_simple(&mut self) -> Result<Node, RegexError> {
        let Some(c) = self.peek() else { return Err(self.error("unexpected end")) };
        self.position += 1;
        match c {
            '.' => Ok(Node::AnyChar),
            '@' => Ok(Node::AnyString),
            '#' => Ok(Node::Nothing),
            '(' => self.group(),
            '[' => self.class(),
            '"' => self.quoted(),
            '<' => self.interval(),
            '\\' => self.escape(),
            '*' | '+' | '?' | '{' => {
                self.position -= 1;
                Err(self.error(format!("nothing to repeat before `{c}`")))
            }
            c => Ok(Node::Char(c)),
        }
    }

    /// `\d \s \w` and their opposites; else the character itself.
    fn escape(&mut self) -> Result<Node, RegexError> {
        let c = self.escaped()?;
        Ok(predefined(c)
            .map_or(Node::Char(c), |ranges| Node::Class { negated: c.is_ascii_uppercase(), ranges }))
    }

    fn escaped(&mut self) -> Result<char, RegexError> {
        let c = self.peek().ok_or_else(|| self.error("a backslash at the end"))?;
        self.position += 1;
        Ok(c)
    }

    fn group(&mut self) -> Result<Node, RegexError> {
        let node = self.nested(Self::union)?;
        if self.eat(')') { Ok(node) } else { Err(self.error("expected `)`")) }
    }

    fn quoted(&mut self) -> Result<Node, RegexError> {
        let rest = &self.chars[self.position..];
        let Some(length) = rest.iter().position(|c| *c == '"') else {
            return Err(self.error("expected `\"`"));
        };
        let nodes = rest[..length].iter().map(|c| Node::Char(*c)).collect();
        self.position += length + 1;
        Ok(Node::Concat(nodes))
    }

    fn interval(&mut self) -> Result<Node, RegexError> {
        let from = self.number();
        let to = if self.eat('-') { self.number() } else { None };
        let (Some((min, width)), Some((max, width_max))) = (from, to) else {
            return Err(self.error("expected `<n-m>`"));
        };
        if !self.eat('>') || min > max {
            return Err(self.error("expected `<n-m>`, the smaller number first"));
        }
        Ok(interval(min, max, (width == width_max).then_some(width)))
    }

    fn class(&mut self) -> Result<Node, RegexError> {
        let negated = self.eat('^');
        let mut ranges = Vec::new();
        loop {
            match self.peek() {
                None => return Err(self.error("expected `]`")),
                Some(']') if !ranges.is_empty() => break,
                Some(_) => match self.predefined_in_class() {
                    Some(more) => ranges.extend(more),
                    None => ranges.push(self.range()?),
                },
            }
        }
        self.position += 1;
        Ok(Node::Class { negated, ranges })
    }

    /// `[\d.]`: the ranges of a predefined class inside brackets.
    fn predefined_in_class(&mut self) -> Option<Vec<(char, char)>> {
        let letter =
            (self.peek() == Some('\\')).then(|| self.chars.get(self.position + 1).copied()).flatten()?;
        let ranges = predefined(letter)?;
        self.position += 2;
        Some(if letter.is_ascii_uppercase() { opposite(&ranges) } else { ranges })
    }

    fn range(&mut self) -> Result<(char, char), RegexError> {
        let from = self.class_char()?;
        let is_range =
            self.peek() == Some('-') && self.chars.get(self.position + 1).is_some_and(|c| *c != ']');
        if !is_range {
            return Ok((from, from));
        }
        self.position += 1;
        let to = self.class_char()?;
        if to < from {
            Err(self.error(format!("the range `{from}-{to}` is upside down")))
        } else {
            Ok((from, to))
        }
    }

    fn class_char(&mut self) -> Result<char, RegexError> {
        if self.eat('\\') {
            return self.escaped();
        }
        let c = self.peek().ok_or_else(|| self.error("expected `]`"))?;
        self.position += 1;
        Ok(c)
    }
}

/// All characters outside of sorted ASCII ranges.
fn opposite(ranges: &[(char, char)]) -> Vec<(char, char)> {
    let (mut outside, mut from) = (Vec::new(), '\0');
    for (start, end) in ranges {
        if from < *start {
            outside.push((from, char::from(*start as u8 - 1)));
        }
        from = char::from(*end as u8 + 1);
    }
    outside.push((from, char::MAX));
    outside
}

/// What a predefined class, or the opposite of a negated one, holds: ASCII only, as in Lucene.
fn predefined(letter: char) -> Option<Vec<(char, char)>> {
    Some(match letter.to_ascii_lowercase() {
        'd' => vec![('0', '9')],
        's' => vec![('\t', '\n'), ('\r', '\r'), (' ', ' ')],
        'w' => vec![('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')],
        _ => return None,
    })
}
