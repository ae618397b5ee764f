//! The parser: from text to syntax tree and diagnostics, by recursive descent.
//!
//! Two kinds of errors are kept apart, as in Elasticsearch. An error of the lexer or grammar ends the parse: there is
//! one at most, and it is the first in the list. Errors in what the grammar accepts (a time span without a unit, a
//! wrong number of arguments) are collected on the way, and follow in order. Only errors are reported, and a tree
//! comes only without any.

mod expression;
mod statement;
#[cfg(test)]
mod tests;

use maxspan_diagnostics::{Code, Diagnostic, Messages, Span, codes};

use crate::ast;
use crate::lexer::{Token, TokenKind, keyword, lex, quoted_text};
use crate::limits::{DIAGNOSTICS_MAX, QUERY_BYTES_MAX};
use crate::literal::unquote;

/// What the parser accepts beyond Elasticsearch's EQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParseOptions {
    /// `child of [..]`, `descendant of [..]`, `event of [..]`, which Elasticsearch refuses.
    pub lineage: bool,
}

impl Default for ParseOptions {
    fn default() -> Self {
        Self { lineage: true }
    }
}

/// Parses a whole query, pipes included.
///
/// ```
/// let (query, diagnostics) = maxspan_eql::parse(r#"process where process.name : "cmd.exe" | head 3"#);
/// assert!(diagnostics.is_empty());
/// assert_eq!(query.unwrap().pipes[0].name, "head");
/// ```
pub fn parse(text: &str) -> (Option<ast::Query>, Vec<Diagnostic>) {
    parse_with(text, &ParseOptions::default())
}

/// Parses a whole query, with options.
pub fn parse_with(text: &str, options: &ParseOptions) -> (Option<ast::Query>, Vec<Diagnostic>) {
    run(text, *options, Parser::query)
}

/// Parses a single expression.
pub fn parse_expression(text: &str) -> (Option<ast::Expr>, Vec<Diagnostic>) {
    parse_expression_with(text, &ParseOptions::default())
}

/// Parses a single expression, with options.
pub fn parse_expression_with(text: &str, options: &ParseOptions) -> (Option<ast::Expr>, Vec<Diagnostic>) {
    run(text, *options, Parser::single_expression)
}

fn run<'a, T>(
    text: &'a str,
    options: ParseOptions,
    rule: fn(&mut Parser<'a>) -> Parsed<T>,
) -> (Option<T>, Vec<Diagnostic>) {
    if text.len() > QUERY_BYTES_MAX {
        let message = format!("the query has {} bytes; {QUERY_BYTES_MAX} are the most", text.len());
        return (None, vec![Diagnostic::new(codes::PLAN_TOO_LARGE, Span::at(0), message)]);
    }
    let lexed = lex(text);
    let mut parser = Parser {
        text,
        tokens: lexed.tokens,
        unknown: lexed.error,
        options,
        next: 0,
        depth: 0,
        collected: Messages::new(DIAGNOSTICS_MAX),
    };
    match rule(&mut parser) {
        Ok(tree) if parser.collected.is_empty() => (Some(tree), Vec::new()),
        Ok(_) => (None, parser.collected.finish()),
        Err(fatal) => {
            let mut found = parser.collected.finish();
            found.insert(0, *fatal.0);
            (None, found)
        }
    }
}

/// What a rule gives, or the error that ends the parse.
type Parsed<T> = Result<T, Fatal>;

/// The error that ends the parse; boxed, since every rule carries room for it.
struct Fatal(Box<Diagnostic>);

impl From<Diagnostic> for Fatal {
    fn from(diagnostic: Diagnostic) -> Self {
        Self(Box::new(diagnostic))
    }
}

struct Parser<'a> {
    text: &'a str,
    /// Ends with `End` or `Unknown`, which are never consumed.
    tokens: Vec<Token>,
    /// The lexer's error, if the last token is `Unknown`.
    unknown: Option<Diagnostic>,
    options: ParseOptions,
    /// Index of the next token.
    next: usize,
    /// How many expressions are being parsed within each other.
    depth: usize,
    /// Errors that do not end the parse.
    collected: Messages,
}

impl Parser<'_> {
    fn peek(&self) -> TokenKind {
        self.token_at(0).kind
    }

    fn peek_second(&self) -> TokenKind {
        self.token_at(1).kind
    }

    /// The token `ahead` places after the next; the last token where there are fewer.
    fn token_at(&self, ahead: usize) -> Token {
        self.tokens[(self.next + ahead).min(self.tokens.len() - 1)]
    }

    /// Consumes the next token.
    fn bump(&mut self) -> Token {
        let token = self.token_at(0);
        self.next = (self.next + 1).min(self.tokens.len() - 1);
        token
    }

    /// Consumes the next token if it is of that kind.
    fn eat(&mut self, kind: TokenKind) -> Option<Token> {
        (self.peek() == kind).then(|| self.bump())
    }

    /// Consumes a token of that kind, or fails.
    fn expect(&mut self, kind: TokenKind, expected: &str) -> Parsed<Token> {
        match self.eat(kind) {
            Some(token) => Ok(token),
            None => Err(self.mismatch(expected)),
        }
    }

    /// Where the token before the next one ends.
    fn end_of_last(&self) -> usize {
        self.tokens[self.next.saturating_sub(1)].span.end
    }

    fn slice(&self, token: Token) -> &str {
        token.span.slice(self.text)
    }

    /// Notes an error that does not end the parse.
    fn collect(&mut self, diagnostic: Diagnostic) {
        self.collected.push(diagnostic.code, || diagnostic);
    }

    /// Notes an error without further explanation.
    fn collect_plain(&mut self, code: Code, span: Span, message: impl Into<String>) {
        self.collect(Diagnostic::new(code, span, message));
    }

    /// The next token does not fit.
    fn mismatch(&self, expected: &str) -> Fatal {
        self.mismatch_with_help(expected, None)
    }

    /// The next token does not fit; `help` is better than what the token alone suggests.
    fn mismatch_with_help(&self, expected: &str, help: Option<String>) -> Fatal {
        if let Some(unknown) = self.unknown_nearby() {
            return unknown.clone().into();
        }
        let token = self.token_at(0);
        let input = match token.kind {
            TokenKind::End => "<EOF>".to_owned(),
            _ => quoted_text(self.slice(token)),
        };
        let class = match token.kind {
            TokenKind::Question => "extraneous input",
            TokenKind::QuotedIdentifier if self.next == 0 => "no viable alternative at input",
            _ => "mismatched input",
        };
        let message = format!("{class} '{input}' expecting {expected}");
        let mut diagnostic = Diagnostic::new(codes::EQL_SYNTAX, token.span, message);
        diagnostic.help = help.or_else(|| self.help_for(token));
        diagnostic.into()
    }

    /// The lexer's error, where its place is the next token or the one after: Elasticsearch looks one token ahead
    /// before it decides that a token does not fit, and so meets the lexer's error first.
    fn unknown_nearby(&self) -> Option<&Diagnostic> {
        let nearby = self.peek() == TokenKind::Unknown || self.peek_second() == TokenKind::Unknown;
        self.unknown.as_ref().filter(|_| nearby)
    }

    /// The way out that a misplaced token suggests.
    fn help_for(&self, token: Token) -> Option<String> {
        let written = self.slice(token);
        let help = match token.kind {
            TokenKind::Assign => "equality is written `==`, or `:` without regard to case".to_owned(),
            TokenKind::Identifier if written == "of" => {
                "process relations are `child of [..]`, `descendant of [..]` and `event of [..]`".to_owned()
            }
            TokenKind::Identifier => {
                let lower = written.to_lowercase();
                keyword(&lower)?;
                format!("keywords are lower-case: `{lower}`")
            }
            TokenKind::Decimal if written.starts_with('.') => {
                "a part of a name that begins with a digit is written in backquotes".to_owned()
            }
            TokenKind::Pipe => "alternatives are written `or`; pipes come last".to_owned(),
            _ => {
                keyword(written)?;
                format!("`{written}` is a keyword; as a name it is written in backquotes: `` `{written}` ``")
            }
        };
        Some(help)
    }

    /// The value of a string token; one that has none is noted and read as empty.
    fn string_value(&mut self, token: Token) -> String {
        let written = self.slice(token).to_owned();
        match token.kind {
            TokenKind::SingleQuoted => {
                let message = "Use double quotes [\"] to define string literals, not single quotes [']";
                let help = format!("write \"{}\"", quoted_text(&written[1..written.len() - 1]));
                self.collect(Diagnostic::new(codes::EQL_STRING_QUOTES, token.span, message).with_help(help));
            }
            TokenKind::QuestionQuoted => {
                let (opening, content) = (&written[..2], &written[2..written.len() - 1]);
                let message = format!(
                    "Use triple double quotes [\"\"\"] to define unescaped string literals, not [{opening}]"
                );
                let help = format!("write \"\"\"{}\"\"\"", quoted_text(content));
                self.collect(Diagnostic::new(codes::EQL_STRING_QUOTES, token.span, message).with_help(help));
            }
            _ => match unquote(&written) {
                Ok(value) => return value,
                Err(problem) => {
                    let escape = Span::new(problem.start, problem.end).shifted(token.span.start);
                    let diagnostic = Diagnostic::new(codes::EQL_UNICODE_ESCAPE, token.span, problem.message);
                    self.collect(diagnostic.with_label(escape, "this escape"));
                }
            },
        }
        String::new()
    }
}
