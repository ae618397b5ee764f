//! Text to tokens. Every text has tokens: what is none is an [`TokenKind::Unknown`] with a diagnostic.
//!
//! Keywords are words here; whether a word is one depends on where it stands, and that the parser knows.

use maxspan_diagnostics::{Diagnostic, Span, codes};

/// A token and its place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) span: Span,
}

/// Kinds of tokens.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TokenKind {
    /// A bare word.
    Word,
    /// A name in backticks, without them.
    Quoted(String),
    Integer,
    Decimal,
    /// A string, without quotes and escapes.
    String(String),
    /// An operator or bracket.
    Symbol(&'static str),
    /// A parameter, `?` and what follows.
    Parameter,
    Unknown,
    End,
}

/// Longer ones first.
const SYMBOLS: [&str; 25] = [
    "::", "==", "!=", "<=", ">=", "<", ">", "=", "+", "-", "*", "/", "%", "(", ")", "[", "]", "{", "}", ",",
    ".", "|", ":", ";", "&",
];

/// The tokens of a text, the last of which is its end.
pub(crate) fn tokens(text: &str) -> (Vec<Token>, Vec<Diagnostic>) {
    let mut lexer = Lexer { text, at: 0, diagnostics: Vec::new() };
    let mut tokens = Vec::new();
    loop {
        lexer.skip_blanks();
        let start = lexer.at;
        let kind = lexer.token();
        let end = kind == TokenKind::End;
        tokens.push(Token { kind, span: Span::new(start, lexer.at) });
        if end {
            return (tokens, lexer.diagnostics);
        }
    }
}

/// Whether a name can stand without backticks, but for words with a meaning.
pub(crate) fn is_bare(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_' || c == '@')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '@')
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    diagnostics: Vec<Diagnostic>,
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn skip_while(&mut self, accept: impl Fn(char) -> bool) {
        self.at += self.rest().find(|c| !accept(c)).unwrap_or(self.rest().len());
    }

    fn skip_blanks(&mut self) {
        loop {
            self.skip_while(char::is_whitespace);
            if self.rest().starts_with("//") {
                self.skip_while(|c| c != '\n' && c != '\r');
            } else if self.rest().starts_with("/*") {
                self.skip_comment();
            } else {
                return;
            }
        }
    }

    /// `/* … */`, which may be nested.
    fn skip_comment(&mut self) {
        let start = self.at;
        let mut open = 0_usize;
        loop {
            if self.rest().starts_with("/*") {
                open += 1;
                self.at += 2;
            } else if self.rest().starts_with("*/") {
                open -= 1;
                self.at += 2;
                if open == 0 {
                    return;
                }
            } else if let Some(c) = self.peek() {
                self.at += c.len_utf8();
            } else {
                self.error(start, "the comment has no end", "close it with `*/`");
                return;
            }
        }
    }

    fn error(&mut self, start: usize, message: &str, help: &str) {
        let span = Span::new(start, self.at.max(start));
        self.diagnostics.push(Diagnostic::new(codes::ESQL_TOKEN, span, message).with_help(help));
    }

    fn token(&mut self) -> TokenKind {
        let Some(first) = self.peek() else { return TokenKind::End };
        match first {
            '"' if self.rest().starts_with("\"\"\"") => self.raw_string(),
            '"' => self.string(),
            '`' => self.quoted(),
            '?' => {
                self.skip_while(|c| c == '?' || c.is_ascii_alphanumeric() || c == '_');
                TokenKind::Parameter
            }
            '.' if self.rest()[1..].starts_with(|c: char| c.is_ascii_digit()) => self.number(),
            c if c.is_ascii_digit() => self.number(),
            c if c.is_ascii_alphabetic() || c == '_' || c == '@' => {
                self.skip_while(|c| c.is_ascii_alphanumeric() || c == '_' || c == '@');
                TokenKind::Word
            }
            _ => self.symbol(first),
        }
    }

    fn symbol(&mut self, first: char) -> TokenKind {
        if let Some(symbol) = SYMBOLS.iter().find(|symbol| self.rest().starts_with(**symbol)) {
            self.at += symbol.len();
            return TokenKind::Symbol(symbol);
        }
        let start = self.at;
        self.at += first.len_utf8();
        self.error(
            start,
            &format!("`{first}` has no meaning here"),
            "names with such characters stand in backticks",
        );
        TokenKind::Unknown
    }

    fn number(&mut self) -> TokenKind {
        let mut kind = TokenKind::Integer;
        self.skip_while(|c| c.is_ascii_digit());
        if self.rest().starts_with('.') {
            kind = TokenKind::Decimal;
            self.at += 1;
            self.skip_while(|c| c.is_ascii_digit());
        }
        let exponent = self.rest().strip_prefix(['e', 'E']);
        let digits = exponent.map(|rest| rest.strip_prefix(['+', '-']).unwrap_or(rest));
        if digits.is_some_and(|digits| digits.starts_with(|c: char| c.is_ascii_digit())) {
            kind = TokenKind::Decimal;
            self.at += 1;
            self.skip_while(|c| c == '+' || c == '-');
            self.skip_while(|c| c.is_ascii_digit());
        }
        kind
    }

    /// `"…"` with escapes.
    fn string(&mut self) -> TokenKind {
        let start = self.at;
        self.at += 1;
        let mut value = String::new();
        while let Some(c) = self.peek() {
            self.at += c.len_utf8();
            match c {
                '"' => return TokenKind::String(value),
                '\\' => self.escape(&mut value),
                '\n' | '\r' => break,
                _ => value.push(c),
            }
        }
        self.error(start, "the string has no end", "close it with `\"`, on the same line");
        TokenKind::String(value)
    }

    fn escape(&mut self, value: &mut String) {
        let start = self.at - 1;
        let Some(c) = self.peek() else { return };
        self.at += c.len_utf8();
        match c {
            't' => value.push('\t'),
            'n' => value.push('\n'),
            'r' => value.push('\r'),
            '\\' | '"' => value.push(c),
            _ => {
                self.error(
                    start,
                    &format!("`\\{c}` is no escape"),
                    "a backslash is written `\\\\`, or in `\"\"\"…\"\"\"`",
                );
                value.push(c);
            }
        }
    }

    /// `"""…"""`, taken as it is; up to two more quotes at the end belong to it.
    fn raw_string(&mut self) -> TokenKind {
        let start = self.at;
        let Some(length) = self.rest()[3..].find("\"\"\"") else {
            self.at = self.text.len();
            self.error(start, "the string has no end", "close it with `\"\"\"`");
            return TokenKind::String(self.text[start + 3..].to_owned());
        };
        let mut end = start + 3 + length;
        for _ in 0..2 {
            end += usize::from(self.text[end + 3..].starts_with('"'));
        }
        self.at = end + 3;
        TokenKind::String(self.text[start + 3..end].to_owned())
    }

    /// `` `…` ``, where two backticks stand for one.
    fn quoted(&mut self) -> TokenKind {
        let start = self.at;
        self.at += 1;
        let mut name = String::new();
        while let Some(c) = self.peek() {
            self.at += c.len_utf8();
            if c != '`' {
                name.push(c);
            } else if self.peek() == Some('`') {
                self.at += 1;
                name.push('`');
            } else {
                return TokenKind::Quoted(name);
            }
        }
        self.error(start, "the name has no end", "close it with a backtick");
        TokenKind::Quoted(name)
    }
}
