//! Evaluates typed expressions on one row: the meaning that every engine has to keep to.
//!
//! Null is unknown: it stays null in comparisons and arithmetic, AND and OR are three-valued. Where one value is asked for
//! and there are several, the result is null, with a warning. All operands are evaluated, so that warnings do not depend on
//! the order in which an engine looks at them; only CASE and COALESCE stop early.

use std::cmp::Ordering;
use std::sync::Arc;

use maxspan_diagnostics::Span;
use maxspan_plan::CompareOp;

use crate::functions::convert::convert;
use crate::functions::{Context, add_span};
use crate::query::{ArithmeticOp, Expr, ExprKind, Pattern};
use crate::time_span::TimeSpan;
use crate::types::DataType;
use crate::value::{Value, ValueRef, compare};
use crate::warning::{Failure, Instead, Warnings};
use crate::zone::Zone;

mod kql;

/// What evaluation needs beside the row.
#[derive(Debug)]
pub struct Evaluator {
    /// What functions may depend on.
    pub context: Context,
    /// What could not be computed.
    pub warnings: Warnings,
    slots: maxspan_event::Slots,
}

impl Evaluator {
    /// An evaluator at a time, in a zone.
    pub fn new(now_ms: i64, zone: Zone) -> Self {
        Self {
            context: Context::new(now_ms, zone),
            warnings: Warnings::default(),
            slots: maxspan_event::Slots::default(),
        }
    }

    /// The value of an expression; the row has the values of columns at their ids.
    pub fn evaluate(&mut self, expr: &Expr, row: &[Value]) -> Value {
        match &expr.kind {
            ExprKind::Constant(value) => value.clone(),
            ExprKind::Column(id) => row.get(id.0).cloned().unwrap_or_default(),
            ExprKind::Call(function, arguments) => {
                let values: Vec<Value> =
                    arguments.iter().map(|argument| self.evaluate(argument, row)).collect();
                let borrowed: Vec<ValueRef<'_>> = values.iter().map(Value::borrowed).collect();
                let Self { context, warnings, .. } = self;
                function.call(context, &borrowed, &mut |failure| {
                    warnings.failed(expr.span, Instead::Null, &failure);
                })
            }
            ExprKind::Case(branches, otherwise) => self.case(expr.span, branches, otherwise, row),
            ExprKind::Coalesce(list) => {
                let mut values = list.iter().map(|one| self.evaluate(one, row));
                values.find(|value| !value.is_null()).unwrap_or_default()
            }
            ExprKind::And(list) => self.logic(list, row, false),
            ExprKind::Or(list) => self.logic(list, row, true),
            ExprKind::Not(inner) => match self.single(inner, row, expr.span) {
                Value::Bool(value) => Value::Bool(!value),
                _ => Value::Null,
            },
            ExprKind::IsNull(inner) => Value::Bool(self.evaluate(inner, row).is_null()),
            ExprKind::In(value, list) => self.is_in(value, list, row, expr.span),
            ExprKind::Like(value, patterns) => {
                let value = self.single(value, row, expr.span);
                value.borrowed().as_text().map_or(Value::Null, |text| Value::Bool(fits(text, patterns)))
            }
            ExprKind::Compare(op, left, right) => {
                let values = (self.evaluate(left, row), self.evaluate(right, row));
                self.pair(values, expr.span, |_, a, b| Ok(compared(*op, a, b)))
            }
            ExprKind::Arithmetic(op, left, right) => {
                let values = (self.evaluate(left, row), self.evaluate(right, row));
                let (op, kind) = (*op, expr.data_type);
                self.pair(values, expr.span, |context, a, b| arithmetic(op, kind, a, b, &context.zone))
            }
            ExprKind::Negate(inner) => self.negate(inner, row, expr.span),
            ExprKind::Widen(inner) => self.widen(inner, expr.data_type, row),
            ExprKind::List(list) => {
                let values: Vec<Value> = list.iter().map(|one| self.evaluate(one, row)).collect();
                Value::from_values(values.iter().flat_map(|value| value.values().to_vec()).collect())
            }
            ExprKind::Match(field, query) => {
                let value = self.evaluate(field, row);
                Value::Bool(value.values().iter().any(|value| query.fits(value)))
            }
            ExprKind::Kql(query) => Value::Bool(kql::holds(query, row, &mut self.slots)),
        }
    }

    /// Null, with a warning.
    pub fn fail(&mut self, span: Span, failure: &Failure) -> Value {
        self.warnings.failed(span, Instead::Null, failure);
        Value::Null
    }

    /// The value, null with a warning where there are several.
    fn single(&mut self, expr: &Expr, row: &[Value], span: Span) -> Value {
        match self.evaluate(expr, row) {
            Value::Many(_) => self.fail(span, &Failure::multi_value()),
            value => value,
        }
    }

    /// Combines two single values, neither of them null.
    fn pair(
        &mut self,
        (left, right): (Value, Value),
        span: Span,
        combine: impl FnOnce(&Context, ValueRef<'_>, ValueRef<'_>) -> Result<Value, Failure>,
    ) -> Value {
        if left.is_null() || right.is_null() {
            return Value::Null;
        }
        if matches!(left, Value::Many(_)) || matches!(right, Value::Many(_)) {
            return self.fail(span, &Failure::multi_value());
        }
        match combine(&self.context, left.borrowed(), right.borrowed()) {
            Ok(value) => value,
            Err(failure) => self.fail(span, &failure),
        }
    }

    fn case(&mut self, span: Span, branches: &[(Expr, Expr)], otherwise: &Expr, row: &[Value]) -> Value {
        for (condition, value) in branches {
            match self.evaluate(condition, row) {
                Value::Bool(true) => return self.evaluate(value, row),
                Value::Many(_) => self.warnings.failed(span, Instead::False, &Failure::multi_value()),
                _ => {}
            }
        }
        self.evaluate(otherwise, row)
    }

    /// AND, or OR where `deciding` is true: one deciding operand decides, else one unknown one makes it unknown.
    fn logic(&mut self, list: &[Expr], row: &[Value], deciding: bool) -> Value {
        let (mut decided, mut unknown) = (false, false);
        for expr in list {
            match self.single(expr, row, expr.span) {
                Value::Bool(value) => decided |= value == deciding,
                _ => unknown = true,
            }
        }
        match (decided, unknown) {
            (true, _) => Value::Bool(deciding),
            (false, true) => Value::Null,
            (false, false) => Value::Bool(!deciding),
        }
    }

    fn is_in(&mut self, value: &Expr, list: &[Expr], row: &[Value], span: Span) -> Value {
        let value = self.single(value, row, span);
        let (mut found, mut unknown) = (false, false);
        for other in list {
            let other = self.single(other, row, span);
            if other.is_null() {
                unknown = true;
            } else {
                found |= compare(value.borrowed(), other.borrowed()) == Some(Ordering::Equal);
            }
        }
        match (value.is_null(), found, unknown) {
            (true, ..) | (_, false, true) => Value::Null,
            (_, found, _) => Value::Bool(found),
        }
    }

    fn negate(&mut self, inner: &Expr, row: &[Value], span: Span) -> Value {
        let negated = match self.single(inner, row, span) {
            Value::Int(value) => value.checked_neg().map(Value::Int).ok_or("integer"),
            Value::Long(value) => value.checked_neg().map(Value::Long).ok_or("long"),
            Value::Double(value) => Ok(Value::Double(-value)),
            Value::Span(span) => span.negate().map(Value::Span).ok_or("long"),
            Value::UnsignedLong(0) => Ok(Value::UnsignedLong(0)),
            Value::UnsignedLong(_) => Err("unsigned_long"),
            _ => Ok(Value::Null),
        };
        negated.unwrap_or_else(|kind| self.fail(span, &Failure::arithmetic(format!("{kind} overflow"))))
    }

    fn widen(&mut self, inner: &Expr, to: DataType, row: &[Value]) -> Value {
        let value = self.evaluate(inner, row);
        let values: Result<Vec<Value>, Failure> =
            value.values().iter().map(|value| convert(&self.context, value.borrowed(), to)).collect();
        match values {
            Ok(values) => Value::from_values(values),
            Err(failure) => self.fail(inner.span, &failure),
        }
    }
}

/// Whether a text fits one of the patterns.
pub fn fits(text: &str, patterns: &Arc<[Pattern]>) -> bool {
    patterns.iter().any(|pattern| match pattern {
        Pattern::Wildcard(wildcard) => wildcard.matches(text),
        Pattern::Regex(regex) => regex.matches(text),
    })
}

fn compared(op: CompareOp, a: ValueRef<'_>, b: ValueRef<'_>) -> Value {
    let Some(ordering) = compare(a, b) else { return Value::Null };
    Value::Bool(match op {
        CompareOp::Equal => ordering.is_eq(),
        CompareOp::NotEqual => ordering.is_ne(),
        CompareOp::Less => ordering.is_lt(),
        CompareOp::LessOrEqual => ordering.is_le(),
        CompareOp::Greater => ordering.is_gt(),
        CompareOp::GreaterOrEqual => ordering.is_ge(),
    })
}

fn arithmetic(
    op: ArithmeticOp,
    kind: DataType,
    a: ValueRef<'_>,
    b: ValueRef<'_>,
    zone: &Zone,
) -> Result<Value, Failure> {
    match (a, b) {
        (ValueRef::Span(a), ValueRef::Span(b)) => span_sum(op, a, b),
        (date, ValueRef::Span(span)) => date_and_span(op, date, span, zone),
        (ValueRef::Span(span), date) => date_and_span(op, date, span, zone),
        _ if kind == DataType::Double => {
            doubles(op, a.as_double().unwrap_or(f64::NAN), b.as_double().unwrap_or(f64::NAN))
        }
        _ => whole_numbers(op, kind, a, b),
    }
}

fn span_sum(op: ArithmeticOp, a: TimeSpan, b: TimeSpan) -> Result<Value, Failure> {
    let b = if op == ArithmeticOp::Subtract { b.negate() } else { Some(b) };
    let sum = b.and_then(|b| a.plus(b));
    sum.map(Value::Span).ok_or_else(|| Failure::arithmetic("long overflow"))
}

fn date_and_span(
    op: ArithmeticOp,
    date: ValueRef<'_>,
    span: TimeSpan,
    zone: &Zone,
) -> Result<Value, Failure> {
    let overflow = || Failure::arithmetic("long overflow");
    let span = if op == ArithmeticOp::Subtract { span.negate().ok_or_else(overflow)? } else { span };
    match date {
        ValueRef::DateNanos(nanos) => {
            let millis = add_span(nanos.div_euclid(1_000_000), span, zone)?;
            let nanos = millis
                .checked_mul(1_000_000)
                .and_then(|moved| moved.checked_add(nanos.rem_euclid(1_000_000)));
            nanos.map(Value::DateNanos).ok_or_else(overflow)
        }
        other => add_span(other.as_millis().unwrap_or(0), span, zone).map(Value::Date),
    }
}

fn doubles(op: ArithmeticOp, a: f64, b: f64) -> Result<Value, Failure> {
    if b == 0.0 && matches!(op, ArithmeticOp::Divide | ArithmeticOp::Remainder) {
        return Err(Failure::arithmetic("/ by zero"));
    }
    let result = match op {
        ArithmeticOp::Add => a + b,
        ArithmeticOp::Subtract => a - b,
        ArithmeticOp::Multiply => a * b,
        ArithmeticOp::Divide => a / b,
        ArithmeticOp::Remainder => a % b,
    };
    if result.is_finite() {
        return Ok(Value::Double(result));
    }
    let text = crate::functions::convert::to_text(ValueRef::Double(result));
    Err(Failure::arithmetic(format!("not a finite double number: {text}")))
}

fn whole_numbers(
    op: ArithmeticOp,
    kind: DataType,
    a: ValueRef<'_>,
    b: ValueRef<'_>,
) -> Result<Value, Failure> {
    let wide = |value: ValueRef<'_>| match value {
        ValueRef::UnsignedLong(value) => i128::from(value),
        other => i128::from(other.as_long().unwrap_or(0)),
    };
    let (a, b) = (wide(a), wide(b));
    let result = match op {
        ArithmeticOp::Add => a + b,
        ArithmeticOp::Subtract => a - b,
        // Two numbers of 64 bits have room in 128.
        ArithmeticOp::Multiply => a.saturating_mul(b),
        ArithmeticOp::Divide | ArithmeticOp::Remainder if b == 0 => {
            return Err(Failure::arithmetic("/ by zero"));
        }
        ArithmeticOp::Divide => a / b,
        ArithmeticOp::Remainder => a % b,
    };
    let value = match kind {
        DataType::Integer => i32::try_from(result).ok().map(Value::Int),
        DataType::UnsignedLong => u64::try_from(result).ok().map(Value::UnsignedLong),
        _ => i64::try_from(result).ok().map(Value::Long),
    };
    value.ok_or_else(|| Failure::arithmetic(format!("{} overflow", kind.name())))
}
