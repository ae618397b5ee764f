//! JSON cut into its structure, from bytes that arrive in pieces.
//!
//! [`Tokenizer::step`] gives the brackets, keys and scalars of one JSON value and checks that they follow each other
//! as JSON says. It does not look into strings and numbers: whether those are right is the decoder's to say.
//! When the bytes end within a token it answers [`Step::NeedMore`] and goes on there once it is given more; bytes
//! that are no longer needed are dropped by the caller, who then calls [`Tokenizer::rebase`].
//!
//! `{"a":[1]}` gives: open object, key `"a"`, open array, scalar `1`, close, close.

use std::ops::Range;

/// What the caller learns of the structure; offsets are into the bytes given to [`Tokenizer::step`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A bracket that opens, at this offset.
    Open(usize, Container),
    /// A bracket that closes, at this offset. [`Tokenizer::depth`] tells how many levels it closed: one, unless the
    /// input is broken.
    Close(usize),
    /// A key, with its quotes.
    Key(Range<usize>),
    /// A string (with its quotes), a number, `true`, `false` or `null`.
    Scalar(Range<usize>),
}

/// The two brackets of JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Container {
    Array,
    Object,
}

/// What is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) offset: usize,
    pub(super) kind: FaultKind,
}

/// The ways in which structure breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FaultKind {
    /// Something else was expected here; the text says what.
    Expected(&'static str),
    /// A string that goes on past the end of its line.
    StringNotClosed,
    /// The stream ends within a value.
    EndOfInput,
    /// More brackets within each other than the limit.
    TooDeep,
    /// More bytes than the limit. Found by those who know where a document starts.
    TooLong,
}

/// The answer of [`Tokenizer::step`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Token(Token),
    NeedMore,
    Fault(Fault),
}

/// What may come next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expect {
    Value,
    ValueOrEnd,
    Key,
    KeyOrEnd,
    Colon,
    CommaOrEnd,
    /// After a fault: whatever looks like structure; all else is passed over.
    Anything,
}

/// The state between two steps.
#[derive(Debug)]
pub(super) struct Tokenizer {
    position: usize,
    /// How far the string that starts at `position` was searched for its end, so that a long one is searched once.
    searched: usize,
    stack: Vec<Container>,
    expect: Expect,
    /// Depth from which `depth_max` counts: that of the document being read.
    depth_base: usize,
    depth_max: usize,
}

impl Tokenizer {
    pub(super) fn new(depth_max: usize) -> Self {
        Self { position: 0, searched: 0, stack: Vec::new(), expect: Expect::Value, depth_base: 0, depth_max }
    }

    /// Number of brackets that are open.
    pub(super) fn depth(&self) -> usize {
        self.stack.len()
    }

    /// Offset of the first byte that is not part of a token given so far.
    pub(super) fn position(&self) -> usize {
        self.position
    }

    /// Counts nesting from `depth` on.
    pub(super) fn set_depth_base(&mut self, depth: usize) {
        self.depth_base = depth;
    }

    /// Takes note that the first `count` bytes were dropped.
    pub(super) fn rebase(&mut self, count: usize) {
        self.position -= count;
        self.searched = self.searched.saturating_sub(count);
    }

    /// Goes on at `position` after a fault, with only the outer `depth` brackets open, at whatever looks like
    /// structure.
    pub(super) fn recover(&mut self, position: usize, depth: usize) {
        self.stack.truncate(depth);
        self.position = position;
        self.searched = 0;
        self.expect = if depth == 0 { Expect::Value } else { Expect::Anything };
    }

    /// The next token of `bytes`, which continue those of the last call; `at_end` when no more will follow.
    pub(super) fn step(&mut self, bytes: &[u8], at_end: bool) -> Step {
        loop {
            self.skip_passed_over(bytes);
            let Some(&byte) = bytes.get(self.position) else { return Step::NeedMore };
            match (self.expect, byte) {
                (Expect::Colon, b':') => self.advance(Expect::Value),
                (Expect::CommaOrEnd | Expect::Anything, b',') => self.advance(self.after_comma()),
                (Expect::Value | Expect::ValueOrEnd | Expect::Anything, b'{') => {
                    return self.open(Container::Object);
                }
                (Expect::Value | Expect::ValueOrEnd | Expect::Anything, b'[') => {
                    return self.open(Container::Array);
                }
                (Expect::ValueOrEnd | Expect::KeyOrEnd | Expect::CommaOrEnd, b']' | b'}') => {
                    return self.close(byte);
                }
                (Expect::Anything, b']' | b'}') => {
                    if let Some(token) = self.close_nearest(byte) {
                        return token;
                    }
                }
                (Expect::Value | Expect::ValueOrEnd, b'"') => return self.string(bytes, Token::Scalar),
                (Expect::Key | Expect::KeyOrEnd, b'"') => return self.string(bytes, Token::Key),
                (Expect::Value | Expect::ValueOrEnd, _) => return self.scalar(bytes, at_end),
                (expect, _) => return fault(self.position, FaultKind::Expected(expect.text())),
            }
        }
    }

    fn advance(&mut self, expect: Expect) {
        self.position += 1;
        self.expect = expect;
    }

    fn after_comma(&self) -> Expect {
        match self.stack.last() {
            Some(Container::Object) => Expect::Key,
            _ => Expect::Value,
        }
    }

    /// What may follow a value.
    fn after_value(&self) -> Expect {
        if self.stack.is_empty() { Expect::Value } else { Expect::CommaOrEnd }
    }

    fn skip_passed_over(&mut self, bytes: &[u8]) {
        let rest = &bytes[self.position..];
        let passed_over = |byte: &u8| match self.expect {
            Expect::Anything => !matches!(byte, b'{' | b'}' | b'[' | b']' | b','),
            _ => matches!(byte, b' ' | b'\t' | b'\n' | b'\r'),
        };
        self.position += rest.iter().position(|byte| !passed_over(byte)).unwrap_or(rest.len());
    }

    fn open(&mut self, container: Container) -> Step {
        if self.stack.len() - self.depth_base.min(self.stack.len()) >= self.depth_max {
            return fault(self.position, FaultKind::TooDeep);
        }
        let offset = self.position;
        self.stack.push(container);
        self.advance(match container {
            Container::Array => Expect::ValueOrEnd,
            Container::Object => Expect::KeyOrEnd,
        });
        Step::Token(Token::Open(offset, container))
    }

    fn close(&mut self, byte: u8) -> Step {
        if self.stack.last() != Some(&closed_by(byte)) {
            return fault(self.position, FaultKind::Expected(self.expect.text()));
        }
        let offset = self.position;
        self.stack.pop();
        self.advance(self.after_value());
        Step::Token(Token::Close(offset))
    }

    /// Closes the innermost bracket that `byte` can close, and those within it; passes over it if there is none.
    fn close_nearest(&mut self, byte: u8) -> Option<Step> {
        let offset = self.position;
        self.position += 1;
        let depth = self.stack.iter().rposition(|open| *open == closed_by(byte))?;
        self.stack.truncate(depth);
        self.expect = self.after_value();
        Some(Step::Token(Token::Close(offset)))
    }

    fn string(&mut self, bytes: &[u8], token: fn(Range<usize>) -> Token) -> Step {
        let start = self.position;
        match string_end(bytes, self.searched.max(start + 1)) {
            StringEnd::At(end) => {
                self.expect = if self.expect.is_key() { Expect::Colon } else { self.after_value() };
                self.position = end;
                self.searched = 0;
                Step::Token(token(start..end))
            }
            StringEnd::LineFeed(offset) => fault(offset, FaultKind::StringNotClosed),
            StringEnd::SearchedTo(offset) => {
                self.searched = offset;
                Step::NeedMore
            }
        }
    }

    /// Tells a fault at the first byte that is wrong, so that it is the same fault however the bytes arrive.
    fn scalar(&mut self, bytes: &[u8], at_end: bool) -> Step {
        let rest = &bytes[self.position..];
        match rest.first() {
            Some(b't') => self.literal(rest, b"true"),
            Some(b'f') => self.literal(rest, b"false"),
            Some(b'n') => self.literal(rest, b"null"),
            Some(b'-' | b'0'..=b'9') => self.number(rest, at_end),
            _ => fault(self.position, FaultKind::Expected("a JSON value")),
        }
    }

    fn literal(&mut self, rest: &[u8], literal: &[u8]) -> Step {
        if let Some(wrong) = rest.iter().zip(literal).position(|(found, expected)| found != expected) {
            return fault(self.position + wrong, FaultKind::Expected("a JSON value"));
        }
        if rest.len() < literal.len() { Step::NeedMore } else { self.scalar_of(literal.len()) }
    }

    fn number(&mut self, rest: &[u8], at_end: bool) -> Step {
        let in_number = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
        match rest.iter().position(|byte| !in_number(byte)) {
            Some(length) => self.scalar_of(length),
            None if at_end => self.scalar_of(rest.len()),
            None => Step::NeedMore,
        }
    }

    fn scalar_of(&mut self, length: usize) -> Step {
        let start = self.position;
        self.position += length;
        self.expect = self.after_value();
        Step::Token(Token::Scalar(start..self.position))
    }
}

fn fault(offset: usize, kind: FaultKind) -> Step {
    Step::Fault(Fault { offset, kind })
}

impl Expect {
    fn is_key(self) -> bool {
        matches!(self, Self::Key | Self::KeyOrEnd)
    }

    fn text(self) -> &'static str {
        match self {
            Self::Value | Self::Anything => "a JSON value",
            Self::ValueOrEnd => "a JSON value or `]`",
            Self::Key => "a key in double quotes",
            Self::KeyOrEnd => "a key in double quotes or `}`",
            Self::Colon => "`:`",
            Self::CommaOrEnd => "`,` or the closing bracket",
        }
    }
}

fn closed_by(byte: u8) -> Container {
    if byte == b']' { Container::Array } else { Container::Object }
}

/// Where a string ends.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum StringEnd {
    /// Just behind its closing quote.
    At(usize),
    /// Not before this line feed, which no JSON string may contain.
    LineFeed(usize),
    /// Not in these bytes; the search may go on from here once there are more.
    SearchedTo(usize),
}

/// Searches the end of a string from `offset` on, which is behind its opening quote and not within an escape.
pub(super) fn string_end(bytes: &[u8], mut offset: usize) -> StringEnd {
    while let Some(found) = bytes.get(offset..).and_then(|rest| memchr::memchr3(b'"', b'\\', b'\n', rest)) {
        offset += found;
        match bytes[offset] {
            b'"' => return StringEnd::At(offset + 1),
            b'\n' => return StringEnd::LineFeed(offset),
            // A line feed behind the backslash still ends the line.
            _ if bytes.get(offset + 1) == Some(&b'\n') => return StringEnd::LineFeed(offset + 1),
            _ if offset + 1 == bytes.len() => return StringEnd::SearchedTo(offset),
            _ => offset += 2,
        }
    }
    StringEnd::SearchedTo(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tokens of `text` as one string a token, given `piece` bytes more at a time.
    fn tokens(text: &str, piece: usize) -> String {
        let mut tokenizer = Tokenizer::new(4);
        let mut shown = String::new();
        let mut end = 0;
        loop {
            match tokenizer.step(&text.as_bytes()[..end], end == text.len()) {
                Step::NeedMore if end < text.len() => end = (end + piece).min(text.len()),
                Step::NeedMore => return shown + "…",
                Step::Fault(fault) => return format!("{shown}{:?}@{}", fault.kind, fault.offset),
                Step::Token(Token::Open(_, container)) => {
                    shown += if container == Container::Array { "[" } else { "{" };
                }
                Step::Token(Token::Close(_)) => shown += ")",
                Step::Token(Token::Key(range)) => shown = shown + &text[range] + ":",
                Step::Token(Token::Scalar(range)) => shown = shown + &text[range] + " ",
            }
            if tokenizer.depth() == 0 && !shown.is_empty() {
                return shown;
            }
        }
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        for piece in [1, 2, 3, 1000] {
            assert_eq!(tokens(text, piece), expected, "{text} in pieces of {piece}");
        }
    }

    #[test]
    fn structure_is_cut_whatever_the_pieces() {
        check(r#"{"a":[1,"x\"}",true],"b":{}}"#, r#"{"a":[1 "x\"}" true )"b":{))"#);
        check("[ -1.5e+3 ,\r\n null ]", "[-1.5e+3 null )");
        check(r#"{"a\\":"\\"}"#, r#"{"a\\":"\\" )"#);
        check("[[],[]]", "[[)[))");
    }

    #[test]
    fn faults_are_told_with_their_place() {
        check(r#"{"a" 1}"#, r#"{"a":Expected("`:`")@5"#);
        check(r#"{"a":1 "b"}"#, r#"{"a":1 Expected("`,` or the closing bracket")@7"#);
        check("{a:1}", r#"{Expected("a key in double quotes or `}`")@1"#);
        check("[1]]", "[1 )");
        check("[1}", r#"[1 Expected("`,` or the closing bracket")@2"#);
        check("[nil]", r#"[Expected("a JSON value")@2"#);
        check("[xyz]", r#"[Expected("a JSON value")@1"#);
        check("[1,]", r#"[1 Expected("a JSON value")@3"#);
        check("[\"ab\n\"]", "[StringNotClosed@4");
        check("[\"ab\\\n\"]", "[StringNotClosed@5");
        check("[[[[[1]]]]]", "[[[[TooDeep@4");
        check(r#"{"a":"#, r#"{"a":…"#);
    }
}
