//! KQL text to a tree: a recursive descent without backtracking.
//!
//! The grammar, loosest first; each level is a flat list:
//!
//! ```text
//! query   = or-list
//! or      = and (OR and)*                      whitespace on both sides of OR and AND
//! and     = not (AND not)*
//! not     = [NOT] operand                      one NOT, whitespace after it
//! operand = "(" or-list ")" | field ":" "{" or-list "}" | field op literal | field ":" values | value
//! values  = value | "(" or-list ")"            the same lists, over values instead of operands
//! ```
//!
//! The reference is a PEG that tries the kinds of operand in turn. Here the literal is read once, and the character
//! after it decides: no other kind could match, and none gets further before it fails. So the tree is the same, and
//! an error stands where the PEG's furthest failure does. Each character is read a constant number of times.
//!
//! Parsing stops at the first error. Recursion is bounded by [`NESTING_MAX`].

mod literal;
mod message;

use maxspan_diagnostics::{Diagnostic, Span, codes, has_errors};

use crate::ast::{Literal, LiteralKind, Node, NodeKind, RangeOp};
use crate::limits::{FIELD_COPIES_BYTES_MAX, NESTING_MAX, QUERY_BYTES_MAX};
pub(crate) use literal::{is_space, is_special, is_trimmed, starts_with_keyword};
use message::{Place, Wanted};

/// What a query may contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParseOptions {
    /// Whether an unquoted value may begin with `*`. A value that is `*` alone always may, and so may fields and the
    /// bounds of comparisons. Detection rules run with this on.
    pub leading_wildcards: bool,
}

impl Default for ParseOptions {
    fn default() -> Self {
        Self { leading_wildcards: true }
    }
}

/// Parses a query. A blank one is `*:*`.
///
/// There is a tree exactly when no diagnostic is an error.
///
/// ```
/// use maxspan_kql::{ParseOptions, ast::NodeKind, parse};
/// let (tree, _) = parse("process.name:(cmd.exe or pwsh.exe) and not user.id:S-1-5-18", &ParseOptions::default());
/// assert!(matches!(tree.unwrap().kind, NodeKind::And(members) if members.len() == 2));
///
/// let (tree, diagnostics) = parse("user.id:not S-1-5-18", &ParseOptions::default());
/// assert!(tree.is_none());
/// assert_eq!(diagnostics[0].span.start, 8);
/// ```
pub fn parse(text: &str, options: &ParseOptions) -> (Option<Node>, Vec<Diagnostic>) {
    finish(check_size(text).and_then(|()| Parser::new(text, *options).query()))
}

/// Parses one literal, as it may stand before or after a colon: `"a b"`, `ba*`, `true`.
///
/// There is a literal exactly when no diagnostic is an error.
pub fn parse_literal(text: &str) -> (Option<Literal>, Vec<Diagnostic>) {
    finish(check_size(text).and_then(|()| Parser::new(text, ParseOptions::default()).only_literal()))
}

fn finish<T>(parsed: Parsed<T>) -> (Option<T>, Vec<Diagnostic>) {
    match parsed {
        Ok(tree) => (Some(tree), Vec::new()),
        Err(diagnostic) => {
            let diagnostics = vec![*diagnostic];
            debug_assert!(has_errors(&diagnostics), "a failure is an error");
            (None, diagnostics)
        }
    }
}

fn check_size(text: &str) -> Parsed<()> {
    if text.len() <= QUERY_BYTES_MAX {
        return Ok(());
    }
    let message =
        format!("the query has {} bytes, more than the {QUERY_BYTES_MAX} that are allowed", text.len());
    Err(Box::new(
        Diagnostic::new(codes::PLAN_TOO_LARGE, Span::at(0), message).with_help("split it into several rules"),
    ))
}

/// Boxed, as failures are rare and large.
type Parsed<T> = Result<T, Box<Diagnostic>>;

/// What a list is made of: operands, or the values of a field.
#[derive(Clone, Copy)]
enum Members<'f> {
    Operands,
    Values(&'f Literal),
}

impl Members<'_> {
    fn wanted(self, negated: bool) -> Wanted {
        match (self, negated) {
            (Members::Operands, false) => Wanted::Operand,
            (Members::Operands, true) => Wanted::NegatedOperand,
            (Members::Values(_), false) => Wanted::ListValue,
            (Members::Values(_), true) => Wanted::NegatedValue,
        }
    }
}

struct Parser<'t> {
    text: &'t str,
    position: usize,
    options: ParseOptions,
    /// How many brackets are open.
    nesting: usize,
    field_copies_bytes: usize,
    /// The literal read last, and whether it stands without a field: for messages only.
    last_literal: Option<(Span, bool)>,
}

impl<'t> Parser<'t> {
    fn new(text: &'t str, options: ParseOptions) -> Self {
        Self { text, position: 0, options, nesting: 0, field_copies_bytes: 0, last_literal: None }
    }

    fn query(mut self) -> Parsed<Node> {
        self.skip_space();
        if self.rest().is_empty() {
            return Ok(match_all(Span::new(0, self.text.len())));
        }
        let node = self.or_list(Members::Operands)?;
        self.skip_space();
        if self.rest().is_empty() { Ok(node) } else { Err(self.expected(Wanted::After(Place::Query)).into()) }
    }

    fn only_literal(mut self) -> Parsed<Literal> {
        let literal = self.literal(Wanted::Literal)?;
        if self.rest().is_empty() {
            Ok(literal)
        } else {
            Err(self.expected(Wanted::After(Place::Literal)).into())
        }
    }

    fn or_list(&mut self, members: Members<'_>) -> Parsed<Node> {
        let mut nodes = vec![self.and_list(members)?];
        while self.take_operator("or") {
            nodes.push(self.and_list(members)?);
        }
        Ok(join(nodes, NodeKind::Or))
    }

    fn and_list(&mut self, members: Members<'_>) -> Parsed<Node> {
        let mut nodes = vec![self.negation(members)?];
        while self.take_operator("and") {
            nodes.push(self.negation(members)?);
        }
        Ok(join(nodes, NodeKind::And))
    }

    fn negation(&mut self, members: Members<'_>) -> Parsed<Node> {
        let start = self.position;
        let negated = self.take_not();
        let node = match members {
            Members::Operands => self.operand(members.wanted(negated))?,
            Members::Values(field) => self.values(field, members.wanted(negated))?,
        };
        if !negated {
            return Ok(node);
        }
        let span = Span::new(start, node.span.end);
        Ok(Node { kind: NodeKind::Not(Box::new(node)), span })
    }

    fn operand(&mut self, wanted: Wanted) -> Parsed<Node> {
        if self.rest().starts_with('(') {
            return self.bracketed(Place::Group(self.position), Members::Operands);
        }
        let literal = self.literal(wanted)?;
        let end = self.position;
        self.skip_space();
        if self.take(":") {
            return self.match_of(literal);
        }
        if let Some(op) = self.take_comparison() {
            return self.range_of(literal, op);
        }
        // The space before an `and` belongs to the `and`.
        self.position = end;
        self.last_literal = Some((literal.span, true));
        self.check_leading_wildcard(&literal)?;
        Ok(Node { span: literal.span, kind: NodeKind::Is { field: None, value: literal } })
    }

    /// `field:` has been read.
    fn match_of(&mut self, field: Literal) -> Parsed<Node> {
        self.skip_space();
        let start = field.span;
        if self.rest().starts_with('{') {
            let query = Box::new(self.bracketed(Place::Nested(self.position), Members::Operands)?);
            return Ok(Node { span: start.to(query.span), kind: NodeKind::Nested { path: field, query } });
        }
        let mut node = self.values(&field, Wanted::FieldValue)?;
        node.span = start.to(node.span);
        Ok(node)
    }

    /// `field <` has been read.
    fn range_of(&mut self, field: Literal, op: RangeOp) -> Parsed<Node> {
        self.skip_space();
        let value = self.literal(Wanted::Bound)?;
        Ok(Node { span: field.span.to(value.span), kind: NodeKind::Range { field, op, value } })
    }

    fn values(&mut self, field: &Literal, wanted: Wanted) -> Parsed<Node> {
        if self.rest().starts_with('(') {
            return self.bracketed(Place::List(self.position), Members::Values(field));
        }
        let value = self.literal(wanted)?;
        self.check_leading_wildcard(&value)?;
        let field = Some(self.copy_of(field, value.span)?);
        Ok(Node { span: value.span, kind: NodeKind::Is { field, value } })
    }

    /// A list in brackets, the first of which is next. The node's span has the brackets in it.
    fn bracketed(&mut self, place: Place, members: Members<'_>) -> Parsed<Node> {
        let start = self.position;
        if self.nesting == NESTING_MAX {
            return Err(too_deep(start).into());
        }
        self.nesting += 1;
        self.position += 1;
        self.skip_space();
        let mut node = self.or_list(members)?;
        self.skip_space();
        if !self.take(place.closing()) {
            return Err(self.expected(Wanted::After(place)).into());
        }
        self.nesting -= 1;
        node.span = Span::new(start, self.position);
        Ok(node)
    }

    fn literal(&mut self, wanted: Wanted) -> Parsed<Literal> {
        let Some(scanned) = literal::scan(self.text, self.position) else {
            return Err(self.expected(wanted).into());
        };
        self.position = scanned.end;
        self.last_literal = Some((scanned.literal.span, false));
        Ok(scanned.literal)
    }

    fn check_leading_wildcard(&self, value: &Literal) -> Parsed<()> {
        let LiteralKind::Wildcard(parts) = &value.kind else {
            return Ok(());
        };
        let leads = parts.first().is_some_and(String::is_empty);
        let is_lone_star = parts.len() == 2 && parts.iter().all(String::is_empty);
        if self.options.leading_wildcards || !leads || is_lone_star {
            return Ok(());
        }
        let message = "a value begins with `*`, and leading wildcards are switched off";
        Err(Box::new(
            Diagnostic::new(codes::KQL_LEADING_WILDCARD, value.span, message)
                .with_help("write the beginning of the value, or switch leading wildcards on"),
        ))
    }

    /// The field of one value out of its list.
    fn copy_of(&mut self, field: &Literal, value: Span) -> Parsed<Literal> {
        self.field_copies_bytes += field.span.end - field.span.start;
        if self.field_copies_bytes <= FIELD_COPIES_BYTES_MAX {
            return Ok(field.clone());
        }
        let message = "the query is too large: its value lists repeat long field names too often";
        Err(Box::new(
            Diagnostic::new(codes::PLAN_TOO_LARGE, value, message).with_help("split it into several rules"),
        ))
    }

    fn expected(&self, wanted: Wanted) -> Diagnostic {
        message::expected(self.text, self.position, wanted, self.last_literal)
    }

    fn rest(&self) -> &'t str {
        &self.text[self.position..]
    }

    fn skip_space(&mut self) {
        self.position += literal::space_length(self.rest());
    }

    fn take(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.position += token.len();
        }
        found
    }

    /// The longer ones first.
    fn take_comparison(&mut self) -> Option<RangeOp> {
        const COMPARISONS: [(&str, RangeOp); 4] = [
            ("<=", RangeOp::LessOrEqual),
            (">=", RangeOp::GreaterOrEqual),
            ("<", RangeOp::Less),
            (">", RangeOp::Greater),
        ];
        COMPARISONS.iter().find(|(token, _)| self.take(token)).map(|(_, op)| *op)
    }

    /// Whitespace, `and` or `or`, and whitespace; or nothing.
    fn take_operator(&mut self, keyword: &str) -> bool {
        let space = literal::space_length(self.rest());
        let found = space > 0 && starts_with_keyword(&self.rest()[space..], keyword);
        if found {
            self.position += space + keyword.len();
            self.skip_space();
        }
        found
    }

    fn take_not(&mut self) -> bool {
        let found = starts_with_keyword(self.rest(), "not");
        if found {
            self.position += "not".len();
            self.skip_space();
        }
        found
    }
}

/// `*:*`
fn match_all(span: Span) -> Node {
    let star = || Literal { kind: LiteralKind::Wildcard(vec![String::new(), String::new()]), span };
    Node { kind: NodeKind::Is { field: Some(star()), value: star() }, span }
}

/// One node is itself; more are a list.
fn join(mut nodes: Vec<Node>, kind: fn(Vec<Node>) -> NodeKind) -> Node {
    let span = match nodes.as_slice() {
        [first, .., last] => first.span.to(last.span),
        _ => return nodes.remove(0),
    };
    Node { kind: kind(nodes), span }
}

fn too_deep(bracket: usize) -> Diagnostic {
    let message = format!("more than {NESTING_MAX} brackets are open at once");
    Diagnostic::new(codes::KQL_NESTING, Span::new(bracket, bracket + 1), message)
        .with_help("drop the brackets that change nothing")
}

#[cfg(test)]
mod tests;
