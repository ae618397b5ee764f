//! Fields and the constants they are compared with, as they are written, in both languages.

use maxspan_diagnostics::Span;
use maxspan_eql::ast::{self as eql, CompareOp, Expr, ExprKind, MatchOp};
use maxspan_kql::ast::{self as kql, Literal, LiteralKind};

/// A field against a constant. A comparison with a list is one for each member.
#[derive(Debug, Clone)]
pub(super) struct Comparison {
    pub(super) field: String,
    pub(super) field_span: Span,
    pub(super) operator: Operator,
    pub(super) value: Constant,
    /// The constant.
    pub(super) value_span: Span,
    /// Under an odd number of negations.
    pub(super) negated: bool,
    /// `?field`
    pub(super) optional: bool,
    /// The category of the events that are compared, where the query names one.
    pub(super) category: Option<String>,
}

/// How they are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    /// `==`, `!=`
    Equal,
    /// `<` and its like, of both languages
    Order,
    /// `in`
    In,
    /// `in~`
    InAnyCase,
    /// `:` of EQL
    Colon,
    /// `like`
    Like,
    /// `like~`
    LikeAnyCase,
    /// `regex`, `regex~`
    Regex,
    /// KQL, no wildcards
    Kql,
    /// KQL in quotes
    KqlQuoted,
    /// KQL with wildcards
    KqlPattern,
}

impl Operator {
    /// As it is written.
    pub(super) fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::Order => "<",
            Self::In => "in",
            Self::InAnyCase => "in~",
            Self::Colon | Self::Kql | Self::KqlQuoted | Self::KqlPattern => ":",
            Self::Like => "like",
            Self::LikeAnyCase => "like~",
            Self::Regex => "regex",
        }
    }

    /// Whether `*` stands for any run of characters.
    pub(super) fn has_wildcards(self) -> bool {
        matches!(self, Self::Colon | Self::Like | Self::LikeAnyCase | Self::KqlPattern)
    }

    /// Whether the case of the constant counts; for constants without wildcards.
    pub(super) fn counts_case(self) -> bool {
        matches!(self, Self::Equal | Self::In | Self::Like | Self::Kql | Self::KqlQuoted)
    }
}

/// A constant.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Constant {
    /// A string; of KQL's wildcards the text with stars.
    Text(String),
    Number,
    Boolean,
    Null,
}

/// Collects the comparisons of a query.
#[derive(Debug, Default)]
pub(super) struct Comparisons {
    pub(super) all: Vec<Comparison>,
    category: Option<String>,
}

impl Comparisons {
    pub(super) fn eql(&mut self, query: &eql::Query) {
        match &query.kind {
            eql::QueryKind::Event(event) => self.event(event, false),
            eql::QueryKind::Sequence(sequence) => {
                sequence
                    .stages
                    .iter()
                    .chain(&sequence.until)
                    .for_each(|stage| self.event(&stage.query, false));
            }
            eql::QueryKind::Sample(sample) => {
                sample.stages.iter().for_each(|stage| self.event(&stage.query, false));
            }
        }
    }

    fn event(&mut self, query: &eql::EventQuery, negated: bool) {
        let outer = std::mem::replace(&mut self.category, query.category.clone());
        self.expr(&query.condition, negated);
        self.category = outer;
    }

    fn expr(&mut self, expr: &Expr, negated: bool) {
        match &expr.kind {
            ExprKind::Not(inner) => self.expr(inner, !negated),
            ExprKind::And(list) | ExprKind::Or(list) => {
                for one in list {
                    self.expr(one, negated);
                }
            }
            ExprKind::Compare { op, left, right } => {
                let operator = match op {
                    CompareOp::Equal | CompareOp::NotEqual => Operator::Equal,
                    _ => Operator::Order,
                };
                let negated = negated != (*op == CompareOp::NotEqual);
                self.push(left, right, operator, negated);
                self.push(right, left, operator, negated);
            }
            ExprKind::In { value, list, negated: not_in, ignore_case } => {
                let operator = if *ignore_case { Operator::InAnyCase } else { Operator::In };
                for item in list {
                    self.push(value, item, operator, negated != *not_in);
                }
            }
            ExprKind::Match { op, value, patterns } => {
                let operator = match op {
                    MatchOp::Colon => Operator::Colon,
                    MatchOp::Like => Operator::Like,
                    MatchOp::LikeIgnoreCase => Operator::LikeAnyCase,
                    MatchOp::Regex | MatchOp::RegexIgnoreCase => Operator::Regex,
                };
                for item in patterns {
                    self.push(value, item, operator, negated);
                }
            }
            ExprKind::Lineage { query, .. } => self.event(query, negated),
            _ => {}
        }
    }

    fn push(&mut self, field: &Expr, value: &Expr, operator: Operator, negated: bool) {
        let ExprKind::Field(name) = &field.kind else { return };
        let constant = match &value.kind {
            ExprKind::String(text) => Constant::Text(text.clone()),
            ExprKind::Integer(_) | ExprKind::Decimal(_) | ExprKind::Negate(_) => Constant::Number,
            ExprKind::Boolean(_) => Constant::Boolean,
            ExprKind::Null => Constant::Null,
            _ => return,
        };
        self.all.push(Comparison {
            field: name.name.clone(),
            field_span: field.span,
            operator,
            value: constant,
            value_span: value.span,
            negated,
            optional: name.optional,
            category: self.category.clone(),
        });
    }

    pub(super) fn kql(&mut self, node: &kql::Node) {
        self.kql_node(node, "", false);
    }

    fn kql_node(&mut self, node: &kql::Node, prefix: &str, negated: bool) {
        match &node.kind {
            kql::NodeKind::Not(inner) => self.kql_node(inner, prefix, !negated),
            kql::NodeKind::And(list) | kql::NodeKind::Or(list) => {
                for one in list {
                    self.kql_node(one, prefix, negated);
                }
            }
            kql::NodeKind::Nested { path, query } => {
                if let Some(path) = plain(path) {
                    self.kql_node(query, &format!("{prefix}{path}."), negated);
                }
            }
            kql::NodeKind::Is { field: Some(field), value } => {
                let operator = match &value.kind {
                    LiteralKind::Quoted(_) => Operator::KqlQuoted,
                    LiteralKind::Wildcard(_) => Operator::KqlPattern,
                    _ => Operator::Kql,
                };
                self.push_kql(field, value, operator, prefix, negated);
            }
            kql::NodeKind::Is { field: None, .. } => {}
            kql::NodeKind::Range { field, value, .. } => {
                self.push_kql(field, value, Operator::Order, prefix, negated);
            }
        }
    }

    fn push_kql(
        &mut self,
        field: &Literal,
        value: &Literal,
        operator: Operator,
        prefix: &str,
        negated: bool,
    ) {
        let Some(name) = plain(field) else { return };
        let constant = match &value.kind {
            LiteralKind::Null => Constant::Null,
            LiteralKind::Boolean(_) => Constant::Boolean,
            LiteralKind::Text(text) | LiteralKind::Quoted(text) => Constant::Text(text.clone()),
            LiteralKind::Wildcard(parts) => Constant::Text(parts.join("*")),
        };
        self.all.push(Comparison {
            field: format!("{prefix}{name}"),
            field_span: field.span,
            operator,
            value: constant,
            value_span: value.span,
            negated,
            optional: false,
            category: None,
        });
    }
}

impl Comparison {
    /// The constant, where it is a string.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Constant::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether this asks whether the field is there.
    pub(super) fn asks_presence(&self) -> bool {
        self.value == Constant::Null || self.has_only_stars()
    }

    fn has_only_stars(&self) -> bool {
        self.operator.has_wildcards() && self.text().is_some_and(|text| text.bytes().all(|byte| byte == b'*'))
    }
}

/// The name of a field without wildcards.
fn plain(literal: &Literal) -> Option<&str> {
    match &literal.kind {
        LiteralKind::Text(text) | LiteralKind::Quoted(text) => Some(text),
        _ => None,
    }
}
