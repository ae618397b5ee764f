//! The pattern language of STIX 2.1, as alternatives of equalities that hold together.
//!
//! What is no equality (`LIKE`, `MATCHES`, `NOT`, `FOLLOWEDBY`, …) is read and named; an alternative that has it cannot be
//! expressed. Depth, length and the number of alternatives are limited.

use crate::limits::{STIX_ALTERNATIVES_MAX, STIX_PATTERN_BYTES_MAX, STIX_PATTERN_DEPTH_MAX};

/// One way in which a pattern can hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Alternative {
    /// What has to be equal.
    pub(super) tests: Vec<Test>,
    /// What else it asks, where that cannot be said.
    pub(super) not_expressed: Option<String>,
}

/// An equality.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Test {
    /// Object and property: `file:hashes.SHA-256`.
    pub(super) path: String,
    /// The value.
    pub(super) value: Literal,
}

/// A constant.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Literal {
    Text(String),
    Number(i64),
    /// A fraction, a truth value, or bytes.
    Other,
}

/// Reads a pattern.
pub(super) fn parse(text: &str) -> Result<Vec<Alternative>, String> {
    if text.len() > STIX_PATTERN_BYTES_MAX {
        return Err(format!("the pattern is longer than {STIX_PATTERN_BYTES_MAX} bytes"));
    }
    let tokens = tokens(text)?;
    let mut parser = Parser { tokens: &tokens, next: 0, depth: 0 };
    let found = parser.observations()?;
    if parser.next < tokens.len() {
        return Err(parser.unexpected("the end"));
    }
    Ok(found)
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    /// A word, also one with `-` and `_`.
    Word(String),
    Text(String),
    Number(String),
    /// `h'…'`, `b'…'`: bytes. `t'…'` is a text.
    Bytes,
    Sign(&'static str),
}

const SIGNS: [&str; 16] =
    ["==", "!=", "<=", ">=", "<>", "=", "<", ">", "[", "]", "(", ")", ",", ":", ".", "*"];

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let at = text.len() - rest.len() + 1;
        let is_prefixed = rest.as_bytes().get(1) == Some(&b'\'') && matches!(first, 'h' | 'b' | 't');
        let (token, after) = if first == '\'' {
            let (text, after) = quoted(&rest[1..]).ok_or(format!("column {at}: a text that has no end"))?;
            (Token::Text(text), after)
        } else if is_prefixed {
            let (text, after) = quoted(&rest[2..]).ok_or(format!("column {at}: a text that has no end"))?;
            (if first == 't' { Token::Text(text) } else { Token::Bytes }, after)
        } else if first.is_ascii_digit() || (first == '-' || first == '+') {
            let end = rest[1..].find(|c: char| !c.is_ascii_digit() && !".eE".contains(c));
            let (number, after) = rest.split_at(end.map_or(rest.len(), |end| end + 1));
            (Token::Number(number.to_owned()), after)
        } else if first.is_alphabetic() || first == '_' {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '-');
            let (word, after) = rest.split_at(end.unwrap_or(rest.len()));
            (Token::Word(word.to_owned()), after)
        } else {
            let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign));
            let sign = sign.ok_or_else(|| format!("column {at}: `{first}` is not expected"))?;
            (Token::Sign(sign), &rest[sign.len()..])
        };
        tokens.push(token);
        rest = after.trim_start();
    }
    Ok(tokens)
}

/// A text behind its quote, and what comes after it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\'' => return Some((value, &text[at + 1..])),
            '\\' => value.push(chars.next()?.1),
            c => value.push(c),
        }
    }
    None
}

struct Parser<'a> {
    tokens: &'a [Token],
    next: usize,
    depth: usize,
}

type Parsed = Result<Vec<Alternative>, String>;

impl Parser<'_> {
    /// Observations joined by OR, AND, FOLLOWEDBY. Only OR can be said: the others ask for several events.
    fn observations(&mut self) -> Parsed {
        let mut found = self.observation()?;
        loop {
            if self.eat_word("OR") {
                found.extend(self.observation()?);
            } else if self.eat_word("AND") || self.eat_word("FOLLOWEDBY") {
                let what = match &self.tokens[self.next - 1] {
                    Token::Word(word) if word.eq_ignore_ascii_case("AND") => "AND of several observations",
                    _ => "FOLLOWEDBY",
                };
                // Precedence does not matter: nothing on either side can be said by itself.
                self.observation()?;
                found = vec![refused(what)];
            } else {
                return limited(found);
            }
        }
    }

    fn observation(&mut self) -> Parsed {
        let mut found = if self.eat("[") {
            let found = self.nested(Self::comparisons)?;
            self.expect("]")?;
            found
        } else if self.eat("(") {
            let found = self.nested(Self::observations)?;
            self.expect(")")?;
            found
        } else {
            return Err(self.unexpected("`[`"));
        };
        for (word, arguments) in [("REPEATS", 2), ("WITHIN", 2), ("START", 3), ("REPEATS", 2), ("WITHIN", 2)]
        {
            if self.eat_word(word) {
                self.next = (self.next + arguments).min(self.tokens.len());
                found = vec![refused(word)];
            }
        }
        Ok(found)
    }

    fn nested(&mut self, inner: fn(&mut Self) -> Parsed) -> Parsed {
        self.depth += 1;
        if self.depth > STIX_PATTERN_DEPTH_MAX {
            return Err(format!("more than {STIX_PATTERN_DEPTH_MAX} brackets within each other"));
        }
        let found = inner(self);
        self.depth -= 1;
        found
    }

    /// Comparisons joined by OR and, tighter, by AND.
    fn comparisons(&mut self) -> Parsed {
        let mut found = self.conjunction()?;
        while self.eat_word("OR") {
            found.extend(self.conjunction()?);
            found = limited(found)?;
        }
        Ok(found)
    }

    fn conjunction(&mut self) -> Parsed {
        let mut found = self.comparison()?;
        while self.eat_word("AND") {
            let others = self.comparison()?;
            if found.len().saturating_mul(others.len()) > STIX_ALTERNATIVES_MAX {
                return Err(too_many());
            }
            let both = |one: &Alternative| others.iter().map(|other| one.and(other)).collect::<Vec<_>>();
            found = found.iter().flat_map(both).collect();
        }
        Ok(found)
    }

    fn comparison(&mut self) -> Parsed {
        if self.eat("(") {
            let found = self.nested(Self::comparisons)?;
            self.expect(")")?;
            return Ok(found);
        }
        let negated_first = self.eat_word("NOT");
        if self.eat_word("EXISTS") {
            self.path()?;
            return Ok(vec![refused("EXISTS")]);
        }
        let path = self.path()?;
        let negated = self.eat_word("NOT") || negated_first;
        let (operator, values) = self.operator_and_values()?;
        if negated {
            return Ok(vec![refused("NOT")]);
        }
        if let Some(operator) = operator {
            return Ok(vec![refused(operator)]);
        }
        let tests = values.into_iter().map(|value| Alternative {
            tests: vec![Test { path: path.clone(), value }],
            not_expressed: None,
        });
        limited(tests.collect())
    }

    /// The operator, where it is no equality, and the values.
    fn operator_and_values(&mut self) -> Result<(Option<&'static str>, Vec<Literal>), String> {
        if self.eat("=") || self.eat("==") {
            return Ok((None, vec![self.literal()?]));
        }
        for sign in ["!=", "<>", "<=", ">=", "<", ">"] {
            if self.eat(sign) {
                return Ok((Some(sign), vec![self.literal()?]));
            }
        }
        for word in ["LIKE", "MATCHES", "ISSUBSET", "ISSUPERSET"] {
            if self.eat_word(word) {
                return Ok((Some(word), vec![self.literal()?]));
            }
        }
        if !self.eat_word("IN") {
            return Err(self.unexpected("an operator"));
        }
        self.expect("(")?;
        let mut values = vec![self.literal()?];
        while self.eat(",") {
            values.push(self.literal()?);
        }
        self.expect(")")?;
        Ok((None, values))
    }

    /// `file:hashes.'SHA-256'`, `windows-registry-key:values[*].name`.
    fn path(&mut self) -> Result<String, String> {
        let Some(Token::Word(object)) = self.take() else {
            self.next = self.next.saturating_sub(1);
            return Err(self.unexpected("the path of a property"));
        };
        let mut path = object.clone();
        self.expect(":")?;
        path.push(':');
        loop {
            let Some(Token::Word(name) | Token::Text(name)) = self.take() else {
                self.next = self.next.saturating_sub(1);
                return Err(self.unexpected("the name of a property"));
            };
            path.push_str(name);
            if self.eat("[") {
                // Any of a list: which one does not matter here.
                self.next += 1;
                self.expect("]")?;
                path.push_str("[*]");
            }
            if !self.eat(".") {
                return Ok(path);
            }
            path.push('.');
        }
    }

    fn literal(&mut self) -> Result<Literal, String> {
        match self.take() {
            Some(Token::Text(text)) => Ok(Literal::Text(text.clone())),
            Some(Token::Number(number)) => Ok(number.parse().map_or(Literal::Other, Literal::Number)),
            Some(Token::Bytes) => Ok(Literal::Other),
            Some(Token::Word(word)) if ["true", "false"].contains(&word.to_lowercase().as_str()) => {
                Ok(Literal::Other)
            }
            _ => {
                self.next = self.next.saturating_sub(1);
                Err(self.unexpected("a value"))
            }
        }
    }

    fn take(&mut self) -> Option<&Token> {
        self.next += 1;
        self.tokens.get(self.next - 1)
    }

    fn eat(&mut self, sign: &str) -> bool {
        let is_next = self.tokens.get(self.next)
            == SIGNS.iter().find(|one| **one == sign).map(|one| Token::Sign(one)).as_ref();
        self.next += usize::from(is_next);
        is_next
    }

    fn eat_word(&mut self, wanted: &str) -> bool {
        let found = self.tokens.get(self.next);
        let is_next = matches!(found, Some(Token::Word(word)) if word.eq_ignore_ascii_case(wanted));
        self.next += usize::from(is_next);
        is_next
    }

    fn expect(&mut self, sign: &str) -> Result<(), String> {
        if self.eat(sign) { Ok(()) } else { Err(self.unexpected(&format!("`{sign}`"))) }
    }

    fn unexpected(&self, wanted: &str) -> String {
        let found = match self.tokens.get(self.next) {
            Some(Token::Word(word)) => format!("`{}`", word.chars().take(40).collect::<String>()),
            Some(Token::Sign(sign)) => format!("`{sign}`"),
            Some(Token::Text(_) | Token::Bytes) => "a text".to_owned(),
            Some(Token::Number(_)) => "a number".to_owned(),
            None => "the end".to_owned(),
        };
        format!("the pattern has {found} where {wanted} is expected")
    }
}

impl Alternative {
    fn and(&self, other: &Self) -> Self {
        let tests = [self.tests.as_slice(), other.tests.as_slice()].concat();
        let not_expressed = self.not_expressed.clone().or_else(|| other.not_expressed.clone());
        Self { tests, not_expressed }
    }
}

fn refused(what: &str) -> Alternative {
    Alternative { tests: Vec::new(), not_expressed: Some(what.to_owned()) }
}

fn limited(found: Vec<Alternative>) -> Parsed {
    if found.len() > STIX_ALTERNATIVES_MAX { Err(too_many()) } else { Ok(found) }
}

fn too_many() -> String {
    format!("the pattern has more than {STIX_ALTERNATIVES_MAX} alternatives")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, expected: &str) {
        let shown = |one: Alternative| match one.not_expressed {
            Some(what) => format!("!{what}"),
            None => one
                .tests
                .iter()
                .map(|test| match &test.value {
                    Literal::Text(text) => format!("{}={text}", test.path),
                    Literal::Number(number) => format!("{}={number}", test.path),
                    Literal::Other => format!("{}=?", test.path),
                })
                .collect::<Vec<_>>()
                .join("&"),
        };
        let found = match parse(pattern) {
            Ok(found) => found.into_iter().map(shown).collect::<Vec<_>>().join(" | "),
            Err(message) => format!("error: {message}"),
        };
        assert_eq!(found, expected, "{pattern}");
    }

    #[test]
    fn patterns_are_alternatives_of_equalities() {
        check("[ipv4-addr:value = '192.0.2.1']", "ipv4-addr:value=192.0.2.1");
        check(
            "[file:hashes.'SHA-256' = 'aa' OR file:hashes.MD5='b']",
            "file:hashes.SHA-256=aa | file:hashes.MD5=b",
        );
        check("[file:name = 'a' AND file:size = 7]", "file:name=a&file:size=7");
        check(
            "[file:name = 'a' AND (file:size = 7 OR file:size == 8)]",
            "file:name=a&file:size=7 | file:name=a&file:size=8",
        );
        check(
            "[url:value IN ('a', 'b')] OR [url:value = 'c\\'d\\\\']",
            "url:value=a | url:value=b | url:value=c'd\\",
        );
        check("([a:b = 'c'] OR [d:e = 'f'])", "a:b=c | d:e=f");
        check("[windows-registry-key:values[*].name = 'Run']", "windows-registry-key:values[*].name=Run");
        check("[a:b = true or a:b = h'00' or a:b = 1.5]", "a:b=? | a:b=? | a:b=?");
    }

    #[test]
    fn what_is_no_equality_is_named() {
        check("[file:name LIKE 'a%']", "!LIKE");
        check("[file:name NOT = 'a']", "!NOT");
        check("[file:name != 'a' AND file:size = 1] OR [url:value = 'x']", "!!= | url:value=x");
        check("[file:name MATCHES 'a' OR url:value = 'x']", "!MATCHES | url:value=x");
        check("[a:b = 'c'] FOLLOWEDBY [d:e = 'f']", "!FOLLOWEDBY");
        check("[a:b = 'c'] AND [d:e = 'f']", "!AND of several observations");
        check("[a:b = 'c'] REPEATS 3 TIMES WITHIN 5 SECONDS", "!WITHIN");
        check("[a:b = 'c'] START t'2026-01-01T00:00:00Z' STOP t'2026-01-02T00:00:00Z'", "!START");
        check("[EXISTS a:b]", "!EXISTS");
        check("[ipv4-addr:value ISSUBSET '10.0.0.0/8']", "!ISSUBSET");
    }

    #[test]
    fn broken_patterns_are_errors() {
        check("", "error: the pattern has the end where `[` is expected");
        check("[a:b = 'c'", "error: the pattern has the end where `]` is expected");
        check("[a:b = ]", "error: the pattern has `]` where a value is expected");
        check("[a:b = 'c]", "error: column 8: a text that has no end");
        check("[a:b[", "error: the pattern has the end where `]` is expected");
        check("[a = 'b']", "error: the pattern has `=` where `:` is expected");
        check("[a:b = 'c'] x", "error: the pattern has `x` where the end is expected");
        check("[a:b ~ 'c']", "error: column 6: `~` is not expected");
        let nested = format!("[{}a:b = 'c'", "(".repeat(10_000));
        check(&nested, "error: more than 100 brackets within each other");
        let either = "(a:b = 'c' OR a:b = 'd')";
        let many = format!("[{}]", vec![either; 20].join(" AND "));
        check(&many, "error: the pattern has more than 1000 alternatives");
    }
}
