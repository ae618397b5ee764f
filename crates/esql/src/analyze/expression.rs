//! Expressions: constants, columns, and what is made of them.

use maxspan_diagnostics::{Span, codes};

use super::Analysis;
use crate::ast::{self, BinaryOp, Name, Word};
use crate::functions::convert::{cast_function, convert};
use crate::query::{Expr, ExprKind};
use crate::time_span::{TimeSpan, Unit};
use crate::types::DataType;
use crate::value::Value;

impl Analysis<'_> {
    /// An expression with its type; reported, and null, where it has none.
    pub(super) fn expr(&mut self, expr: &ast::Expr) -> Expr {
        if let Some(key) = self.group_key(expr) {
            return key;
        }
        let resolved = self.unfolded(expr);
        self.folded(resolved)
    }

    fn unfolded(&mut self, expr: &ast::Expr) -> Expr {
        let span = expr.span;
        match &expr.kind {
            ast::ExprKind::Null | ast::ExprKind::Missing => Self::nothing(span),
            ast::ExprKind::Boolean(value) => constant(Value::Bool(*value), span),
            ast::ExprKind::Integer(text) => constant(integer(text), span),
            ast::ExprKind::Decimal(text) => constant(Value::Double(text.parse().unwrap_or(f64::NAN)), span),
            ast::ExprKind::String(text) => constant(Value::text(text), span),
            ast::ExprKind::TimeSpan { amount, unit } => self.time_span(amount, unit, span),
            ast::ExprKind::List(values) => self.list(values, span),
            ast::ExprKind::Column(name) => self.column(name),
            ast::ExprKind::Star => {
                self.report(codes::ESQL_SYNTAX, span, "`*` has a meaning only in COUNT(*)");
                Self::nothing(span)
            }
            ast::ExprKind::Call { name, arguments, options } => self.call(name, arguments, options, span),
            ast::ExprKind::Negate(inner) => self.negate(inner, span),
            ast::ExprKind::Not(inner) => {
                let inner = self.condition(inner);
                boolean(ExprKind::Not(Box::new(inner)), span)
            }
            ast::ExprKind::Binary(op @ (BinaryOp::And | BinaryOp::Or), left, right) => {
                self.logic(*op, left, right, span)
            }
            ast::ExprKind::Binary(op, left, right) => self.binary(*op, left, right, span),
            ast::ExprKind::Cast(value, to) => self.cast(value, to, span),
            ast::ExprKind::Like { value, patterns, regex, negated } => {
                self.like(value, patterns, *regex, *negated, span)
            }
            ast::ExprKind::In { value, list, negated } => self.is_in(value, list, *negated, span),
            ast::ExprKind::IsNull { value, negated } => {
                let inner = self.expr(value);
                let test = boolean(ExprKind::IsNull(Box::new(inner)), span);
                if *negated { boolean(ExprKind::Not(Box::new(test)), span) } else { test }
            }
            ast::ExprKind::Match(field, query) => self.match_words(field, query, span),
        }
    }

    /// An expression that has to be true or false.
    pub(super) fn condition(&mut self, expr: &ast::Expr) -> Expr {
        let condition = self.expr(expr);
        if !matches!(condition.data_type, DataType::Boolean | DataType::Null | DataType::Unsupported) {
            self.ask(&condition, DataType::Boolean);
            let message =
                format!("a condition is true or false, but this is [{}]", condition.data_type.name());
            self.report(codes::ESQL_TYPE, expr.span, message);
            return Self::nothing(expr.span);
        }
        condition
    }

    fn column(&mut self, name: &Name) -> Expr {
        let in_group = self.stats.as_ref().is_some_and(|stats| !stats.inside);
        let id = if in_group { self.group_column(name) } else { self.row_column(name) };
        let Some(id) = id else { return Self::nothing(name.span) };
        let data_type = self.columns[id.0].kind;
        Expr { kind: ExprKind::Column(id), data_type, span: name.span }
    }

    fn time_span(&mut self, amount: &str, unit: &Word, span: Span) -> Expr {
        let made = || TimeSpan::new(amount.parse().ok()?, Unit::parse(&unit.text)?);
        if let Some(value) = made() {
            constant(Value::Span(value), span)
        } else {
            self.report(codes::ESQL_TYPE, span, "a time span that is out of range");
            Self::nothing(span)
        }
    }

    fn list(&mut self, values: &[ast::Expr], span: Span) -> Expr {
        let parts: Vec<Expr> = values.iter().map(|value| self.expr(value)).collect();
        let kinds: Vec<DataType> = parts.iter().map(|part| part.data_type).collect();
        let Some(kind) = common(&kinds) else {
            self.report(codes::ESQL_TYPE, span, "the values of a list have one type");
            return Self::nothing(span);
        };
        if parts.iter().any(|part| part.as_constant().is_none()) {
            self.report(
                codes::ESQL_CONSTANT,
                span,
                "the values of a list are constants; MV_APPEND joins columns",
            );
            return Self::nothing(span);
        }
        let parts = parts.into_iter().map(|part| widened(part, kind)).collect();
        Expr { kind: ExprKind::List(parts), data_type: kind, span }
    }

    fn negate(&mut self, inner: &ast::Expr, span: Span) -> Expr {
        let inner = self.expr(inner);
        let kind = inner.data_type;
        if !kind.is_number() && !kind.is_span() && !matches!(kind, DataType::Null | DataType::Unsupported) {
            self.report(
                codes::ESQL_TYPE,
                span,
                format!("a number has a sign, but this is [{}]", kind.name()),
            );
            return Self::nothing(span);
        }
        Expr { kind: ExprKind::Negate(Box::new(inner)), data_type: kind, span }
    }

    fn cast(&mut self, value: &ast::Expr, to: &Word, span: Span) -> Expr {
        let value = self.expr(value);
        let function = DataType::parse(&to.text).and_then(cast_function);
        let Some(function) = function else {
            self.report(codes::ESQL_TYPE, to.span, format!("there is no type [{}] to convert to", to.text));
            return Self::nothing(span);
        };
        self.checked_call(function, vec![value], &[], span)
    }

    /// A constant text as another type, where a value of that type is wanted.
    pub(super) fn adapted(&mut self, expr: Expr, to: DataType) -> Expr {
        if expr.data_type != DataType::Keyword || to.is_text() {
            return expr;
        }
        let Some(value) = expr.as_constant().cloned() else { return expr };
        let converted: Result<Vec<Value>, _> =
            value.values().iter().map(|one| convert(&self.evaluator.context, one.borrowed(), to)).collect();
        match converted {
            Ok(values) => {
                Expr { kind: ExprKind::Constant(Value::from_values(values)), data_type: to, span: expr.span }
            }
            Err(failure) => {
                let message = format!("{} is no [{}]: {}", self.text(expr.span), to.name(), failure.text());
                self.report(codes::ESQL_TYPE, expr.span, message);
                Self::nothing(expr.span)
            }
        }
    }
}

/// A constant of the type that its value has.
pub(super) fn constant(value: Value, span: Span) -> Expr {
    Expr { data_type: value.data_type(), kind: ExprKind::Constant(value), span }
}

/// An expression that is true or false.
pub(super) fn boolean(kind: ExprKind, span: Span) -> Expr {
    Expr { kind, data_type: DataType::Boolean, span }
}

/// The narrowest type that a whole number has room in.
fn integer(text: &str) -> Value {
    if let Ok(value) = text.parse::<i32>() {
        return Value::Int(value);
    }
    if let Ok(value) = text.parse::<i64>() {
        return Value::Long(value);
    }
    if let Ok(value) = text.parse::<u64>() {
        return Value::UnsignedLong(value);
    }
    Value::Double(text.parse().unwrap_or(f64::NAN))
}

/// The type that all have in common.
pub(super) fn common(kinds: &[DataType]) -> Option<DataType> {
    kinds.iter().try_fold(DataType::Null, |common, kind| match kind {
        DataType::Unsupported => Some(common),
        kind => common.common(*kind),
    })
}

/// The same value as a wider type.
pub(super) fn widened(expr: Expr, to: DataType) -> Expr {
    let same = expr.data_type == to || (expr.data_type.is_text() && to.is_text());
    if same || matches!(expr.data_type, DataType::Null | DataType::Unsupported) {
        return Expr { data_type: to, ..expr };
    }
    let span = expr.span;
    Expr { kind: ExprKind::Widen(Box::new(expr)), data_type: to, span }
}
