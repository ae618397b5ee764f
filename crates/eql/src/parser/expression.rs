//! Expressions, by precedence climbing.
//!
//! Both the recursion of the parser and the height of the tree it builds are bounded by [`NESTING_MAX`]: a long
//! `a + b + c …` needs no recursion here, but would need it in whoever walks the tree.

use maxspan_diagnostics::{Diagnostic, Span, codes};

use super::{Fatal, Parsed, Parser};
use crate::ast::{ArithmeticOp, CompareOp, Expr, ExprKind, FieldName, MatchOp, Relation};
use crate::functions;
use crate::lexer::{Token, TokenKind};
use crate::limits::NESTING_MAX;
use crate::literal::{Number, number, unquote_identifier};

/// How tightly operators bind, from `or` to the sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Or,
    And,
    Not,
    Compare,
    /// `in`, `:`, `like`, `regex`
    Predicate,
    Sum,
    Product,
    Sign,
    Primary,
}

/// An expression and how many levels of the tree it takes.
struct Node {
    expr: Expr,
    height: usize,
}

/// Several expressions and the height of the highest.
#[derive(Default)]
struct Nodes {
    exprs: Vec<Expr>,
    height: usize,
}

impl Nodes {
    fn push(&mut self, node: Node) {
        self.height = self.height.max(node.height);
        self.exprs.push(node.expr);
    }
}

impl Parser<'_> {
    pub(super) fn single_expression(&mut self) -> Parsed<Expr> {
        let expression = self.expression()?;
        self.expect(TokenKind::End, "the end of the expression or an operator")?;
        Ok(expression)
    }

    pub(super) fn expression(&mut self) -> Parsed<Expr> {
        Ok(self.level(Level::Or)?.expr)
    }

    /// The expression, and the height of its tree.
    pub(super) fn expression_and_height(&mut self) -> Parsed<(Expr, usize)> {
        let node = self.level(Level::Or)?;
        Ok((node.expr, node.height))
    }

    /// An expression of operators that bind as tightly as `lowest` or more.
    fn level(&mut self, lowest: Level) -> Parsed<Node> {
        self.depth += 1;
        if self.depth > NESTING_MAX {
            return Err(too_deep(self.token_at(0).span));
        }
        let node = self.operators(lowest)?;
        self.depth -= 1;
        Ok(node)
    }

    fn operators(&mut self, lowest: Level) -> Parsed<Node> {
        let start = self.token_at(0).span.start;
        // What may follow: an operator that binds more tightly than one already applied has no left operand.
        let (mut left, mut highest) = self.prefix(lowest, start)?;
        loop {
            let level = infix_level(self.peek()).filter(|level| (lowest..=highest).contains(level));
            (left, highest) = match level {
                None => return Ok(left),
                Some(Level::Or) => (self.any_of(left, start)?, Level::Or),
                Some(Level::And) => (self.all_of(left, start)?, Level::Or),
                Some(Level::Compare) => (self.comparison(left, start)?, Level::Not),
                Some(Level::Predicate) => (self.predicate(left, start)?, Level::Compare),
                Some(level) => (self.arithmetic(left, level, start)?, level),
            };
        }
    }

    /// What an expression begins with, and the tightest operator that may follow it.
    fn prefix(&mut self, lowest: Level, start: usize) -> Parsed<(Node, Level)> {
        match self.peek() {
            TokenKind::Not if lowest <= Level::Not => {
                self.bump();
                let operand = self.level(Level::Not)?;
                let not = ExprKind::Not(Box::new(operand.expr));
                Ok((self.node(not, start, operand.height)?, Level::And))
            }
            TokenKind::Minus => Ok((self.negation(start)?, Level::Product)),
            TokenKind::Plus => {
                self.bump();
                Ok((self.level(Level::Sign)?, Level::Product))
            }
            _ => Ok((self.primary(start)?, Level::Primary)),
        }
    }

    fn negation(&mut self, start: usize) -> Parsed<Node> {
        self.bump();
        if matches!(self.peek(), TokenKind::Integer | TokenKind::Decimal) {
            let token = self.bump();
            let negative = true;
            let literal = self.number_value(token, negative);
            return self.node(literal, start, 0);
        }
        let operand = self.level(Level::Sign)?;
        let negated = match operand.expr.kind {
            ExprKind::Integer(i64::MIN) => {
                let message = format!("Number [{}] is too large", i64::MIN.unsigned_abs());
                self.collect_plain(codes::EQL_NUMBER, operand.expr.span, message);
                ExprKind::Integer(0)
            }
            ExprKind::Integer(value) => ExprKind::Integer(-value),
            ExprKind::Decimal(value) => ExprKind::Decimal(-value),
            _ => ExprKind::Negate(Box::new(operand.expr)),
        };
        self.node(negated, start, operand.height)
    }

    fn any_of(&mut self, first: Node, start: usize) -> Parsed<Node> {
        let items = self.chain(first, TokenKind::Or, Level::And)?;
        self.node(ExprKind::Or(items.exprs), start, items.height)
    }

    fn all_of(&mut self, first: Node, start: usize) -> Parsed<Node> {
        let items = self.chain(first, TokenKind::And, Level::Not)?;
        self.node(ExprKind::And(items.exprs), start, items.height)
    }

    fn chain(&mut self, first: Node, operator: TokenKind, operands: Level) -> Parsed<Nodes> {
        let mut items = Nodes::default();
        items.push(first);
        while self.eat(operator).is_some() {
            items.push(self.level(operands)?);
        }
        Ok(items)
    }

    fn comparison(&mut self, left: Node, start: usize) -> Parsed<Node> {
        let Some(op) = compare_op(self.bump().kind) else { return Ok(left) };
        let right = self.level(Level::Predicate)?;
        if compare_op(self.peek()).is_some() {
            let help = "comparisons do not chain: join them with `and`, or use parentheses".to_owned();
            return Err(self.mismatch_with_help("'and', 'or' or the end of the expression", Some(help)));
        }
        let height = left.height.max(right.height);
        let compare = ExprKind::Compare { op, left: Box::new(left.expr), right: Box::new(right.expr) };
        self.node(compare, start, height)
    }

    fn arithmetic(&mut self, left: Node, level: Level, start: usize) -> Parsed<Node> {
        let Some(op) = arithmetic_op(self.bump().kind) else { return Ok(left) };
        let operand = if level == Level::Sum { Level::Product } else { Level::Sign };
        let right = self.level(operand)?;
        let height = left.height.max(right.height);
        let arithmetic = ExprKind::Arithmetic { op, left: Box::new(left.expr), right: Box::new(right.expr) };
        self.node(arithmetic, start, height)
    }

    fn predicate(&mut self, value: Node, start: usize) -> Parsed<Node> {
        let negated = self.eat(TokenKind::Not).is_some();
        if matches!(self.peek(), TokenKind::In | TokenKind::InTilde) {
            return self.membership(value, negated, start);
        }
        if negated {
            let help = "only `in` and `in~` follow `not`; otherwise it goes first: `not x like …`";
            return Err(self.mismatch_with_help("'in' or 'in~'", Some(help.to_owned())));
        }
        let Some(op) = match_op(self.bump().kind) else { return Ok(value) };
        let patterns = self.patterns()?;
        let height = value.height.max(patterns.height);
        let value = Box::new(value.expr);
        self.node(ExprKind::Match { op, value, patterns: patterns.exprs }, start, height)
    }

    fn membership(&mut self, value: Node, negated: bool, start: usize) -> Parsed<Node> {
        let ignore_case = self.bump().kind == TokenKind::InTilde;
        self.expect(TokenKind::LeftParenthesis, "'('")?;
        let list = self.list()?;
        let height = value.height.max(list.height);
        let value = Box::new(value.expr);
        self.node(ExprKind::In { value, list: list.exprs, negated, ignore_case }, start, height)
    }

    /// Expressions after an opening parenthesis, at least one, up to and with the closing one.
    fn list(&mut self) -> Parsed<Nodes> {
        let mut items = Nodes::default();
        items.push(self.level(Level::Or)?);
        while self.eat(TokenKind::Comma).is_some() {
            items.push(self.level(Level::Or)?);
        }
        self.expect(TokenKind::RightParenthesis, "',', ')' or an operator")?;
        Ok(items)
    }

    fn patterns(&mut self) -> Parsed<Nodes> {
        let mut patterns = Nodes::default();
        if self.eat(TokenKind::LeftParenthesis).is_none() {
            patterns.push(self.constant()?);
            return Ok(patterns);
        }
        patterns.push(self.constant()?);
        while self.eat(TokenKind::Comma).is_some() {
            patterns.push(self.constant()?);
        }
        self.expect(TokenKind::RightParenthesis, "',' or ')'")?;
        Ok(patterns)
    }

    fn constant(&mut self) -> Parsed<Node> {
        let start = self.token_at(0).span.start;
        let number = |kind| matches!(kind, TokenKind::Integer | TokenKind::Decimal);
        if self.peek() == TokenKind::Minus && number(self.peek_second()) {
            return self.negation(start);
        }
        if let Some(literal) = self.literal() {
            return self.node(literal, start, 0);
        }
        let help = "the right side is a constant; two fields are compared with `==`";
        Err(self.mismatch_with_help("a constant", Some(help.to_owned())))
    }

    /// The literal that comes next, if one does.
    fn literal(&mut self) -> Option<ExprKind> {
        let token = self.token_at(0);
        let literal = match token.kind {
            TokenKind::Null => ExprKind::Null,
            TokenKind::True => ExprKind::Boolean(true),
            TokenKind::False => ExprKind::Boolean(false),
            TokenKind::Integer | TokenKind::Decimal => {
                let negative = false;
                self.number_value(token, negative)
            }
            TokenKind::String | TokenKind::SingleQuoted | TokenKind::QuestionQuoted => {
                ExprKind::String(self.string_value(token))
            }
            _ => return None,
        };
        self.bump();
        Some(literal)
    }

    /// The value of a number token; one that has none is noted and read as zero.
    fn number_value(&mut self, token: Token, negative: bool) -> ExprKind {
        match number(self.slice(token), negative) {
            Ok(Number::Integer(value)) => ExprKind::Integer(value),
            Ok(Number::Decimal(value)) => ExprKind::Decimal(value),
            Err(problem) => {
                self.collect_plain(codes::EQL_NUMBER, token.span, problem.message);
                ExprKind::Integer(0)
            }
        }
    }

    fn primary(&mut self, start: usize) -> Parsed<Node> {
        if let Some(literal) = self.literal() {
            return self.node(literal, start, 0);
        }
        match self.peek() {
            TokenKind::LeftParenthesis => {
                self.bump();
                let inner = self.level(Level::Or)?;
                self.expect(TokenKind::RightParenthesis, "')' or an operator")?;
                Ok(inner)
            }
            TokenKind::TildeIdentifier => self.call(start),
            TokenKind::Identifier if self.peek_second() == TokenKind::LeftParenthesis => self.call(start),
            TokenKind::Identifier | TokenKind::QuotedIdentifier | TokenKind::Question => {
                if let Some(relation) = self.relation() {
                    return self.lineage(relation, start);
                }
                self.field(start)
            }
            TokenKind::Not => {
                let help = "`not` as an operand stands in parentheses".to_owned();
                Err(self.mismatch_with_help("an expression", Some(help)))
            }
            _ => Err(self.mismatch("an expression")),
        }
    }

    fn field(&mut self, start: usize) -> Parsed<Node> {
        let optional = self.eat(TokenKind::Question).is_some();
        let mut name = self.name_part()?;
        while self.eat(TokenKind::Dot).is_some() {
            name.push('.');
            name.push_str(&self.name_part()?);
        }
        if self.peek() == TokenKind::LeftBracket && self.peek_second() == TokenKind::Integer {
            let index = self.token_at(1).span;
            let diagnostic =
                Diagnostic::new(codes::EQL_UNSUPPORTED, index, "Array indexes are not supported");
            let help = "a condition on a field holds if it holds for any of its values";
            return Err(diagnostic.with_help(help).into());
        }
        self.node(ExprKind::Field(FieldName { name, optional }), start, 0)
    }

    fn name_part(&mut self) -> Parsed<String> {
        let token = self.token_at(0);
        let part = match token.kind {
            TokenKind::Identifier => self.slice(token).to_owned(),
            TokenKind::QuotedIdentifier => unquote_identifier(self.slice(token)),
            _ => return Err(self.mismatch("the name of a field")),
        };
        self.bump();
        Ok(part)
    }

    fn call(&mut self, start: usize) -> Parsed<Node> {
        let token = self.bump();
        let ignore_case = token.kind == TokenKind::TildeIdentifier;
        let name_span = Span::new(token.span.start, token.span.end - usize::from(ignore_case));
        let name = name_span.slice(self.text).to_owned();
        self.expect(TokenKind::LeftParenthesis, "'('")?;
        let arguments = match self.eat(TokenKind::RightParenthesis) {
            Some(_) => Nodes::default(),
            None => self.list()?,
        };
        self.check_argument_count(&name, name_span, arguments.exprs.len());
        let Nodes { exprs, height } = arguments;
        self.node(ExprKind::Call { name, name_span, ignore_case, arguments: exprs }, start, height)
    }

    fn check_argument_count(&mut self, name: &str, name_span: Span, count: usize) {
        let Some(function) =
            maxspan_plan::functions::find(name).filter(|function| !functions::takes(function, count))
        else {
            return;
        };
        let (name, words) = (function.name.to_lowercase(), functions::arguments_in_words(function));
        let message = format!("error building [{name}]: expects {words}");
        self.collect_plain(codes::EQL_ARGUMENT_COUNT, name_span, message);
    }

    /// The relation whose name and `of` come next, if they do.
    fn relation(&self) -> Option<Relation> {
        let of = self.token_at(1);
        if self.peek() != TokenKind::Identifier || of.kind != TokenKind::Identifier || self.slice(of) != "of"
        {
            return None;
        }
        match self.slice(self.token_at(0)) {
            "child" => Some(Relation::Child),
            "descendant" => Some(Relation::Descendant),
            "event" => Some(Relation::Event),
            _ => None,
        }
    }

    fn lineage(&mut self, relation: Relation, start: usize) -> Parsed<Node> {
        let keyword = self.bump();
        if !self.options.lineage {
            let message = "Process relationships are not supported";
            return Err(Diagnostic::new(codes::EQL_UNSUPPORTED, keyword.span, message).into());
        }
        self.bump();
        self.expect(TokenKind::LeftBracket, "'['")?;
        let (query, height) = self.event_query_and_height()?;
        self.expect(TokenKind::RightBracket, "']' or an operator")?;
        self.node(ExprKind::Lineage { relation, query: Box::new(query) }, start, height)
    }

    /// An expression from `start` to the last token, above operands of that height.
    fn node(&self, kind: ExprKind, start: usize, operands_height: usize) -> Parsed<Node> {
        let span = Span::new(start, self.end_of_last());
        let height = operands_height + 1;
        if height > NESTING_MAX {
            return Err(too_deep(span));
        }
        Ok(Node { expr: Expr { kind, span }, height })
    }
}

fn too_deep(span: Span) -> Fatal {
    let message = format!("the query is nested more than {NESTING_MAX} levels deep");
    Diagnostic::new(codes::EQL_NESTING, span, message).into()
}

fn infix_level(kind: TokenKind) -> Option<Level> {
    match kind {
        TokenKind::Or => Some(Level::Or),
        TokenKind::And => Some(Level::And),
        TokenKind::Not | TokenKind::In | TokenKind::InTilde => Some(Level::Predicate),
        TokenKind::Plus | TokenKind::Minus => Some(Level::Sum),
        TokenKind::Star | TokenKind::Slash | TokenKind::Percent => Some(Level::Product),
        _ if compare_op(kind).is_some() => Some(Level::Compare),
        _ => match_op(kind).map(|_| Level::Predicate),
    }
}

fn compare_op(kind: TokenKind) -> Option<CompareOp> {
    Some(match kind {
        TokenKind::Equal => CompareOp::Equal,
        TokenKind::NotEqual => CompareOp::NotEqual,
        TokenKind::Less => CompareOp::Less,
        TokenKind::LessOrEqual => CompareOp::LessOrEqual,
        TokenKind::Greater => CompareOp::Greater,
        TokenKind::GreaterOrEqual => CompareOp::GreaterOrEqual,
        _ => return None,
    })
}

fn arithmetic_op(kind: TokenKind) -> Option<ArithmeticOp> {
    Some(match kind {
        TokenKind::Plus => ArithmeticOp::Add,
        TokenKind::Minus => ArithmeticOp::Subtract,
        TokenKind::Star => ArithmeticOp::Multiply,
        TokenKind::Slash => ArithmeticOp::Divide,
        TokenKind::Percent => ArithmeticOp::Modulo,
        _ => return None,
    })
}

fn match_op(kind: TokenKind) -> Option<MatchOp> {
    Some(match kind {
        TokenKind::Colon => MatchOp::Colon,
        TokenKind::Like => MatchOp::Like,
        TokenKind::LikeTilde => MatchOp::LikeIgnoreCase,
        TokenKind::Regex => MatchOp::Regex,
        TokenKind::RegexTilde => MatchOp::RegexIgnoreCase,
        _ => return None,
    })
}
