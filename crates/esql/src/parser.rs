//! Tokens to a syntax tree, with recovery: what cannot be read is reported, and reading goes on at the next command.
//!
//! [`parse`] gives a tree for every text. It stands for the query only where no diagnostic is an error.

use maxspan_diagnostics::{Code, Diagnostic, Messages, Span, codes};

use crate::ast::{Name, Tree, Word};
use crate::lexer::{self, Token, TokenKind};
use crate::limits::{COMMANDS_MAX, DIAGNOSTICS_MAX, QUERY_BYTES_MAX};

mod command;
mod expression;
mod stats;

/// What went wrong is in the diagnostics; the caller goes on at the next command.
struct Failed;

type Parsed<T> = Result<T, Failed>;

/// Reads a query.
pub fn parse(text: &str) -> (Tree, Vec<Diagnostic>) {
    if text.len() > QUERY_BYTES_MAX {
        let message = format!("the query is longer than {QUERY_BYTES_MAX} bytes");
        return (Tree::default(), vec![Diagnostic::new(codes::ESQL_NESTING, Span::at(0), message)]);
    }
    let (tokens, found) = lexer::tokens(text);
    let mut parser =
        Parser { text, tokens, at: 0, nesting: 0, messages: Messages::new(DIAGNOSTICS_MAX), said: None };
    for diagnostic in found {
        parser.messages.push(diagnostic.code, || diagnostic);
    }
    let tree = parser.tree();
    parser.messages.sort_by_place();
    (tree, parser.messages.finish())
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    /// Index of the token that is read next.
    at: usize,
    /// How many expressions are open.
    nesting: usize,
    messages: Messages,
    /// Where the last message was; a second one at the same place would only repeat it.
    said: Option<usize>,
}

impl<'a> Parser<'a> {
    fn tree(&mut self) -> Tree {
        let mut tree = Tree::default();
        while self.peek_word("set") {
            match self.setting() {
                Ok(setting) => tree.settings.push(setting),
                Err(Failed) => self.skip_past(";"),
            }
        }
        loop {
            let start = self.span().start;
            match self.command(tree.commands.is_empty()) {
                Ok(kind) => tree.commands.push(crate::ast::Command { kind, span: self.span_from(start) }),
                Err(Failed) => self.skip_to_pipe(),
            }
            self.eat(";");
            if self.is_end() {
                return tree;
            }
            if !self.eat("|") {
                let message = format!("expected `|` or the end of the query, but found {}", self.found());
                self.error(codes::ESQL_SYNTAX, self.span(), message, None);
                self.skip_to_pipe();
                if !self.eat("|") {
                    return tree;
                }
            }
            if tree.commands.len() >= COMMANDS_MAX {
                let message = format!("the query has more than {COMMANDS_MAX} commands");
                self.error(codes::ESQL_NESTING, self.span(), message, None);
                return tree;
            }
        }
    }

    fn token(&self) -> &Token {
        // The end is always the last token, and never passed.
        &self.tokens[self.at.min(self.tokens.len() - 1)]
    }

    fn peek_at(&self, ahead: usize) -> &Token {
        &self.tokens[(self.at + ahead).min(self.tokens.len() - 1)]
    }

    fn span(&self) -> Span {
        self.token().span
    }

    /// From a place to the end of the token before the next one.
    fn span_from(&self, start: usize) -> Span {
        let end = self.at.checked_sub(1).map_or(start, |before| self.tokens[before].span.end);
        Span::new(start, end)
    }

    fn slice(&self, token: &Token) -> &'a str {
        token.span.slice(self.text)
    }

    fn is_end(&self) -> bool {
        self.token().kind == TokenKind::End
    }

    fn advance(&mut self) -> Token {
        let token = self.token().clone();
        if token.kind != TokenKind::End {
            self.at += 1;
        }
        token
    }

    fn peek(&self, symbol: &str) -> bool {
        matches!(&self.token().kind, TokenKind::Symbol(found) if *found == symbol)
    }

    fn eat(&mut self, symbol: &str) -> bool {
        let there = self.peek(symbol);
        self.at += usize::from(there);
        there
    }

    fn expect(&mut self, symbol: &str) -> Parsed<()> {
        if self.eat(symbol) { Ok(()) } else { self.expected(&format!("`{symbol}`")) }
    }

    fn word_at(&self, ahead: usize, word: &str) -> bool {
        let token = self.peek_at(ahead);
        token.kind == TokenKind::Word && self.slice(token).eq_ignore_ascii_case(word)
    }

    fn peek_word(&self, word: &str) -> bool {
        self.word_at(0, word)
    }

    fn eat_word(&mut self, word: &str) -> bool {
        let there = self.peek_word(word);
        self.at += usize::from(there);
        there
    }

    fn expect_word(&mut self, word: &str) -> Parsed<()> {
        if self.eat_word(word) { Ok(()) } else { self.expected(&format!("`{}`", word.to_uppercase())) }
    }

    /// Any bare word.
    fn word(&mut self, what: &str) -> Parsed<Word> {
        if self.token().kind != TokenKind::Word {
            return self.expected(what);
        }
        let token = self.advance();
        Ok(Word { text: self.slice(&token).to_owned(), span: token.span })
    }

    fn string(&mut self, what: &str) -> Parsed<Word> {
        match self.token().kind.clone() {
            TokenKind::String(text) => Ok(Word { text, span: self.advance().span }),
            _ => self.expected(what),
        }
    }

    /// What stands next, for messages.
    fn found(&self) -> String {
        let token = self.token();
        match token.kind {
            TokenKind::End => "the end of the query".to_owned(),
            _ => format!("`{}`", shortened(self.slice(token))),
        }
    }

    fn expected<T>(&mut self, what: &str) -> Parsed<T> {
        if self.token().kind == TokenKind::Parameter {
            let message = format!(
                "`{}` is a parameter, and there is nothing to put in its place",
                self.slice(self.token())
            );
            self.error(codes::ESQL_UNSUPPORTED, self.span(), message, Some("write the value itself"));
        } else {
            let message = format!("expected {what}, but found {}", self.found());
            self.error(codes::ESQL_SYNTAX, self.span(), message, None);
        }
        Err(Failed)
    }

    fn error(&mut self, code: Code, span: Span, message: impl Into<String>, help: Option<&str>) {
        if self.said == Some(span.start) {
            return;
        }
        self.said = Some(span.start);
        let mut diagnostic = Diagnostic::new(code, span, message);
        diagnostic.help = help.map(str::to_owned);
        self.messages.push(code, || diagnostic);
    }

    fn skip_to_pipe(&mut self) {
        while !self.is_end() && !self.peek("|") {
            self.advance();
        }
    }

    fn skip_past(&mut self, symbol: &str) {
        while !self.is_end() && !self.eat(symbol) {
            self.advance();
        }
    }

    /// Values between commas, at least one.
    fn list<T>(&mut self, mut one: impl FnMut(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        let mut list = vec![one(self)?];
        while self.eat(",") {
            list.push(one(self)?);
        }
        Ok(list)
    }

    /// A name with its dots; with `wildcards`, stars that touch it belong to it.
    fn name(&mut self, wildcards: bool) -> Parsed<Name> {
        let start = self.span().start;
        let (mut pieces, mut last) = (Vec::new(), String::new());
        let mut end = None;
        loop {
            let token = self.token().clone();
            if end.is_some_and(|end| end != token.span.start) && !self.continues_name(&token) {
                break;
            }
            match &token.kind {
                TokenKind::Word => last.push_str(self.slice(&token)),
                TokenKind::Quoted(name) => last.push_str(name),
                // `a.1b` and `a*2` are no names in Elasticsearch, but `data.0` from flattened arrays is seen.
                TokenKind::Integer | TokenKind::Decimal if end.is_some() => last.push_str(self.slice(&token)),
                TokenKind::Symbol(".") => last.push('.'),
                TokenKind::Symbol("*") if wildcards => pieces.push(std::mem::take(&mut last)),
                _ => break,
            }
            end = Some(token.span.end);
            self.advance();
        }
        pieces.push(last);
        let complete = pieces.len() > 1 || (!pieces[0].is_empty() && !pieces[0].ends_with('.'));
        if end.is_none() || !complete {
            return self.expected("the name of a column");
        }
        Ok(Name { pieces, span: self.span_from(start) })
    }

    /// Blanks may stand around the dots of a name.
    fn continues_name(&self, token: &Token) -> bool {
        let dot = |token: &Token| matches!(token.kind, TokenKind::Symbol("."));
        let before = self.at.checked_sub(1).map(|before| &self.tokens[before]);
        dot(token) || before.is_some_and(dot)
    }
}

/// At most this many characters of the text in a message.
const QUOTED_CHARS_MAX: usize = 40;

fn shortened(text: &str) -> String {
    match text.char_indices().nth(QUOTED_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
