//! Expressions, from the loosest operator to the tightest.

use maxspan_diagnostics::{Span, codes};

use super::{Failed, Parsed, Parser};
use crate::ast::{BinaryOp, Expr, ExprKind, Word};
use crate::lexer::TokenKind;
use crate::limits::{DEPTH_MAX, NESTING_MAX};

/// Words that end an operand, so that they are no names where an operand begins.
const RESERVED: [&str; 6] = ["and", "or", "in", "like", "rlike", "is"];

const COMPARISONS: [(&str, BinaryOp); 6] = [
    ("==", BinaryOp::Equal),
    ("!=", BinaryOp::NotEqual),
    ("<=", BinaryOp::LessOrEqual),
    (">=", BinaryOp::GreaterOrEqual),
    ("<", BinaryOp::Less),
    (">", BinaryOp::Greater),
];
const SUMS: [(&str, BinaryOp); 2] = [("+", BinaryOp::Add), ("-", BinaryOp::Subtract)];
const PRODUCTS: [(&str, BinaryOp); 3] =
    [("*", BinaryOp::Multiply), ("/", BinaryOp::Divide), ("%", BinaryOp::Remainder)];

/// Whether a word is the unit of a time span.
pub(crate) fn is_time_unit(word: &str) -> bool {
    crate::time_span::Unit::parse(word).is_some()
}

impl Parser<'_> {
    /// Any expression.
    pub(super) fn expression(&mut self) -> Parsed<Expr> {
        self.nested(Self::or)
    }

    /// Goes one level deeper, unless that is too deep.
    fn nested(&mut self, inner: impl FnOnce(&mut Self) -> Parsed<Expr>) -> Parsed<Expr> {
        if self.nesting >= NESTING_MAX {
            let message = format!("nested more than {NESTING_MAX} deep");
            self.error(codes::ESQL_NESTING, self.span(), message, None);
            return Err(Failed);
        }
        self.nesting += 1;
        let parsed = inner(self);
        self.nesting -= 1;
        parsed
    }

    /// Makes an expression, unless its tree is too deep.
    fn make(&mut self, kind: ExprKind, span: Span) -> Parsed<Expr> {
        let expr = Expr::new(kind, span);
        if expr.depth > DEPTH_MAX {
            let message = format!("an expression of more than {DEPTH_MAX} levels");
            self.error(codes::ESQL_NESTING, span, message, Some("write `IN (…)` or lists of patterns"));
            return Err(Failed);
        }
        Ok(expr)
    }

    fn binary(&mut self, op: BinaryOp, left: Expr, right: Expr) -> Parsed<Expr> {
        let span = left.span.to(right.span);
        self.make(ExprKind::Binary(op, Box::new(left), Box::new(right)), span)
    }

    fn or(&mut self) -> Parsed<Expr> {
        let mut left = self.and()?;
        while self.eat_word("or") {
            let right = self.and()?;
            left = self.binary(BinaryOp::Or, left, right)?;
        }
        Ok(left)
    }

    fn and(&mut self) -> Parsed<Expr> {
        let mut left = self.not()?;
        while self.eat_word("and") {
            let right = self.not()?;
            left = self.binary(BinaryOp::And, left, right)?;
        }
        Ok(left)
    }

    fn not(&mut self) -> Parsed<Expr> {
        let start = self.span().start;
        if !self.eat_word("not") {
            return self.comparison();
        }
        let inner = self.nested(Self::not)?;
        let span = self.span_from(start);
        self.make(ExprKind::Not(Box::new(inner)), span)
    }

    /// A value, or a test of one.
    fn comparison(&mut self) -> Parsed<Expr> {
        let start = self.span().start;
        let value = self.sum()?;
        if let Some(op) = self.eat_operator(&COMPARISONS) {
            let right = self.sum()?;
            return self.binary(op, value, right);
        }
        if self.peek("=") {
            let message = "`=` gives a name; values are compared with `==`";
            self.error(codes::ESQL_SYNTAX, self.span(), message, Some("write `==`"));
            return Err(Failed);
        }
        if self.eat(":") {
            let query = self.cast()?;
            let span = self.span_from(start);
            return self.make(ExprKind::Match(Box::new(value), Box::new(query)), span);
        }
        self.word_test(value, start)
    }

    fn word_test(&mut self, value: Expr, start: usize) -> Parsed<Expr> {
        let negated = self.peek_word("not")
            && (self.word_at(1, "in") || self.word_at(1, "like") || self.word_at(1, "rlike"));
        if negated {
            self.advance();
        }
        let kind = if self.eat_word("in") {
            ExprKind::In { value: Box::new(value), list: self.bracketed(Self::expression)?, negated }
        } else if self.peek_word("like") || self.peek_word("rlike") {
            let regex = self.peek_word("rlike");
            self.advance();
            let patterns = if self.peek("(") { self.bracketed(Self::expression)? } else { vec![self.sum()?] };
            ExprKind::Like { value: Box::new(value), patterns, regex, negated }
        } else if self.eat_word("is") {
            let negated = self.eat_word("not");
            self.expect_word("null")?;
            ExprKind::IsNull { value: Box::new(value), negated }
        } else {
            return Ok(value);
        };
        let span = self.span_from(start);
        self.make(kind, span)
    }

    fn bracketed<T>(&mut self, one: impl FnMut(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        self.expect("(")?;
        let list = self.list(one)?;
        self.expect(")")?;
        Ok(list)
    }

    fn eat_operator(&mut self, operators: &[(&str, BinaryOp)]) -> Option<BinaryOp> {
        let (symbol, op) = operators.iter().find(|(symbol, _)| self.peek(symbol))?;
        self.eat(symbol);
        Some(*op)
    }

    fn sum(&mut self) -> Parsed<Expr> {
        let mut left = self.product()?;
        while let Some(op) = self.eat_operator(&SUMS) {
            let right = self.product()?;
            left = self.binary(op, left, right)?;
        }
        Ok(left)
    }

    fn product(&mut self) -> Parsed<Expr> {
        let mut left = self.sign()?;
        while let Some(op) = self.eat_operator(&PRODUCTS) {
            let right = self.sign()?;
            left = self.binary(op, left, right)?;
        }
        Ok(left)
    }

    fn sign(&mut self) -> Parsed<Expr> {
        let start = self.span().start;
        if self.eat("+") {
            return self.nested(Self::sign);
        }
        if !self.eat("-") {
            return self.cast();
        }
        let inner = self.nested(Self::sign)?;
        let span = self.span_from(start);
        let kind = match inner.kind {
            ExprKind::Integer(text) if !text.starts_with('-') => ExprKind::Integer(format!("-{text}")),
            ExprKind::Decimal(text) if !text.starts_with('-') => ExprKind::Decimal(format!("-{text}")),
            _ => ExprKind::Negate(Box::new(inner)),
        };
        self.make(kind, span)
    }

    fn cast(&mut self) -> Parsed<Expr> {
        let start = self.span().start;
        let mut value = self.primary()?;
        while self.eat("::") {
            let to = self.word("the name of a type")?;
            let span = self.span_from(start);
            value = self.make(ExprKind::Cast(Box::new(value), to), span)?;
        }
        Ok(value)
    }

    fn primary(&mut self) -> Parsed<Expr> {
        let token = self.token().clone();
        let kind = match &token.kind {
            TokenKind::Integer => return self.number(),
            TokenKind::Decimal => {
                self.advance();
                ExprKind::Decimal(self.slice(&token).to_owned())
            }
            TokenKind::String(text) => {
                self.advance();
                ExprKind::String(text.clone())
            }
            TokenKind::Symbol("(") => {
                self.advance();
                let inner = self.expression()?;
                self.expect(")")?;
                return Ok(inner);
            }
            TokenKind::Symbol("[") => self.list_literal()?,
            TokenKind::Word | TokenKind::Quoted(_) => return self.word_operand(),
            _ => return self.expected("a value"),
        };
        let span = self.span_from(token.span.start);
        self.make(kind, span)
    }

    /// A whole number, or with a unit after it a time span.
    fn number(&mut self) -> Parsed<Expr> {
        let number = self.advance();
        let amount = self.slice(&number).to_owned();
        let unit = self.token().clone();
        let is_unit = unit.kind == TokenKind::Word && is_time_unit(self.slice(&unit));
        let kind = if is_unit {
            self.advance();
            ExprKind::TimeSpan { amount, unit: Word { text: self.slice(&unit).to_owned(), span: unit.span } }
        } else {
            ExprKind::Integer(amount)
        };
        let span = self.span_from(number.span.start);
        self.make(kind, span)
    }

    fn list_literal(&mut self) -> Parsed<ExprKind> {
        self.expect("[")?;
        let list = self.list(|parser| parser.nested(Self::sign))?;
        self.expect("]")?;
        Ok(ExprKind::List(list))
    }

    /// A word is a constant, a call, or the beginning of a name.
    fn word_operand(&mut self) -> Parsed<Expr> {
        let token = self.token().clone();
        let word = self.slice(&token).to_ascii_lowercase();
        let bare = token.kind == TokenKind::Word;
        if bare
            && matches!(self.peek_at(1).kind, TokenKind::Symbol("("))
            && !RESERVED.contains(&word.as_str())
        {
            return self.call();
        }
        let kind = match word.as_str() {
            "null" if bare => ExprKind::Null,
            "true" if bare => ExprKind::Boolean(true),
            "false" if bare => ExprKind::Boolean(false),
            _ if bare && RESERVED.contains(&word.as_str()) => return self.expected("a value"),
            _ => {
                let name = self.name(false)?;
                let span = name.span;
                return self.make(ExprKind::Column(name), span);
            }
        };
        self.advance();
        self.make(kind, token.span)
    }

    fn call(&mut self) -> Parsed<Expr> {
        let name = self.word("the name of a function")?;
        let start = name.span.start;
        self.expect("(")?;
        let (mut arguments, mut options) = (Vec::new(), Vec::new());
        while !self.peek(")") {
            if self.peek("{") {
                options = self.options()?;
            } else if self.peek("*") && matches!(self.peek_at(1).kind, TokenKind::Symbol(")" | ",")) {
                let span = self.advance().span;
                arguments.push(Expr::new(ExprKind::Star, span));
            } else {
                arguments.push(self.expression()?);
            }
            if !self.eat(",") {
                break;
            }
        }
        self.expect(")")?;
        let span = self.span_from(start);
        self.make(ExprKind::Call { name, arguments, options }, span)
    }

    /// `{"name": value, …}`
    pub(super) fn options(&mut self) -> Parsed<Vec<(Word, Expr)>> {
        self.expect("{")?;
        if self.eat("}") {
            return Ok(Vec::new());
        }
        let options = self.list(|parser| {
            let name = parser.string("the name of an option, in quotes")?;
            parser.expect(":")?;
            Ok((name, parser.nested(Self::sign)?))
        })?;
        self.expect("}")?;
        Ok(options)
    }
}
