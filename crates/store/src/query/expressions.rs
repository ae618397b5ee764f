//! Expressions of ES|QL as expressions of plans.
//!
//! Comparisons, logic and patterns over single values mean the same in both; what else there is, is computed row by row
//! ([`RowFunction`]). Where one value is asked for and there may be several, [`single`] stands in between.

use std::sync::Arc;

use datafusion::common::ScalarValue;
use datafusion::logical_expr::{BinaryExpr, Expr as Lowered, Operator, and, cast, col, lit, not, or};
use maxspan_diagnostics::Span;
use maxspan_esql::query::{ColumnId, Command, Expr, ExprKind};
use maxspan_esql::{DataType, Value};
use maxspan_plan::CompareOp;
use rustc_hash::FxHashMap;

use super::functions::{Computed, Evaluators, RowFunction, call, like, single};
use super::table::plan_name;
use super::values::Form;

/// What is known where an expression stands.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    /// The columns that are there.
    pub(super) forms: FxHashMap<ColumnId, Form>,
    /// How many columns the query has.
    pub(super) columns: usize,
    pub(super) evaluators: Arc<Evaluators>,
}

impl Scope {
    /// A column of a plan.
    pub(super) fn column(id: ColumnId) -> Lowered {
        col(plan_name(id))
    }

    /// The expression, and the form of its values; none where its type has no place in a column.
    pub(super) fn lowered(&self, expr: &Expr) -> Option<(Lowered, Form)> {
        let form = Form::new(expr.data_type, self.may_be_several(expr))?;
        let lowered = self.native(expr).unwrap_or_else(|| self.by_row(expr, form));
        Some((lowered, form))
    }

    /// The expression where single values are asked for.
    pub(super) fn one(&self, expr: &Expr, span: Span) -> Option<Lowered> {
        let (lowered, form) = self.lowered(expr)?;
        Some(if form.several { single(lowered, span, &self.evaluators) } else { lowered })
    }

    /// Evaluates the expression row by row.
    fn by_row(&self, expr: &Expr, form: Form) -> Lowered {
        let mut inputs = Vec::new();
        expr.for_each_column(&mut |id| inputs.push(id));
        let (inputs, arguments) = self.inputs(inputs);
        let outputs = vec![(ColumnId(0), form)];
        let computed = Computed::Value(expr.clone());
        call(self.function(computed, inputs, outputs), arguments)
    }

    /// Computes the columns of a command that changes one row: a structure with a field for each.
    pub(super) fn columns_of(&self, command: &Command, outputs: Vec<(ColumnId, Form)>) -> Lowered {
        let mut inputs = Vec::new();
        command.for_each_read(&mut |id| inputs.push(id));
        let (inputs, arguments) = self.inputs(inputs);
        let computed = Computed::Columns(Box::new(command.clone()));
        call(self.function(computed, inputs, outputs), arguments)
    }

    /// The columns that a row function reads, with their forms, and its arguments.
    fn inputs(&self, mut ids: Vec<ColumnId>) -> (Vec<(ColumnId, Form)>, Vec<Lowered>) {
        ids.sort_unstable();
        ids.dedup();
        // What no command has filled yet is null.
        let filled = ids.into_iter().filter_map(|id| Some((id, *self.forms.get(&id)?)));
        filled.map(|(id, form)| ((id, form), Self::column(id))).unzip()
    }

    fn function(
        &self,
        computed: Computed,
        inputs: Vec<(ColumnId, Form)>,
        outputs: Vec<(ColumnId, Form)>,
    ) -> RowFunction {
        let evaluators = Arc::clone(&self.evaluators);
        RowFunction { computed, inputs, outputs, columns: self.columns, evaluators }
    }

    /// The expression in terms that mean the same.
    fn native(&self, expr: &Expr) -> Option<Lowered> {
        match &expr.kind {
            ExprKind::Constant(value) => constant(value),
            ExprKind::Column(id) => self.forms.contains_key(id).then(|| Self::column(*id)),
            ExprKind::And(list) => self.logic(list, and),
            ExprKind::Or(list) => self.logic(list, or),
            ExprKind::Not(inner) => Some(not(self.one(inner, expr.span)?)),
            ExprKind::IsNull(inner) => Some(self.lowered(inner)?.0.is_null()),
            ExprKind::In(value, list) => self.is_in(value, list, expr.span),
            ExprKind::Like(value, patterns) if value.data_type.is_text() => {
                Some(like(self.one(value, expr.span)?, Arc::clone(patterns)))
            }
            ExprKind::Compare(op, left, right) => self.compare(*op, left, right, expr.span),
            _ => None,
        }
    }

    fn logic(&self, list: &[Expr], join: fn(Lowered, Lowered) -> Lowered) -> Option<Lowered> {
        let mut all = list.iter().map(|one| self.one(one, one.span));
        let first = all.next()??;
        all.try_fold(first, |joined, one| Some(join(joined, one?)))
    }

    fn compare(&self, op: CompareOp, left: &Expr, right: &Expr, span: Span) -> Option<Lowered> {
        let kind = compared_as(left.data_type, right.data_type)?;
        let is_equality = matches!(op, CompareOp::Equal | CompareOp::NotEqual);
        if kind == DataType::Ip && !is_equality {
            return None;
        }
        let operator = match op {
            CompareOp::Equal => Operator::Eq,
            CompareOp::NotEqual => Operator::NotEq,
            CompareOp::Less => Operator::Lt,
            CompareOp::LessOrEqual => Operator::LtEq,
            CompareOp::Greater => Operator::Gt,
            CompareOp::GreaterOrEqual => Operator::GtEq,
        };
        let (left, right) = (self.as_kind(left, kind, span)?, self.as_kind(right, kind, span)?);
        Some(Lowered::BinaryExpr(BinaryExpr::new(Box::new(left), operator, Box::new(right))))
    }

    fn is_in(&self, value: &Expr, list: &[Expr], span: Span) -> Option<Lowered> {
        let mut kind = value.data_type;
        for one in list {
            one.as_constant()?;
            kind = compared_as(kind, one.data_type)?;
        }
        let list: Vec<Lowered> =
            list.iter().map(|one| self.as_kind(one, kind, span)).collect::<Option<_>>()?;
        Some(self.as_kind(value, kind, span)?.in_list(list, false))
    }

    /// One value of the expression, as the type in which it is compared.
    fn as_kind(&self, expr: &Expr, kind: DataType, span: Span) -> Option<Lowered> {
        if let Some(value) = expr.as_constant() {
            return match (value, kind) {
                (Value::Int(value), DataType::Long) => Some(lit(i64::from(*value))),
                _ => constant(value),
            };
        }
        let one = self.one(expr, span)?;
        let widens = kind == DataType::Long && expr.data_type == DataType::Integer;
        Some(if widens { cast(one, Form::one(kind)?.data_type()) } else { one })
    }

    /// Whether some row may have several values. Errs towards yes.
    fn may_be_several(&self, expr: &Expr) -> bool {
        match &expr.kind {
            ExprKind::Constant(value) => matches!(value, Value::Many(_)),
            ExprKind::Column(id) => self.forms.get(id).is_some_and(|form| form.several),
            ExprKind::Call(function, list) => {
                makes_several(function.name) || list.iter().any(|one| self.may_be_several(one))
            }
            ExprKind::Case(branches, otherwise) => {
                branches.iter().any(|(_, value)| self.may_be_several(value)) || self.may_be_several(otherwise)
            }
            ExprKind::Coalesce(list) => list.iter().any(|one| self.may_be_several(one)),
            ExprKind::Widen(inner) => self.may_be_several(inner),
            ExprKind::List(_) => true,
            ExprKind::And(_)
            | ExprKind::Or(_)
            | ExprKind::Not(_)
            | ExprKind::IsNull(_)
            | ExprKind::In(..)
            | ExprKind::Like(..)
            | ExprKind::Compare(..)
            | ExprKind::Arithmetic(..)
            | ExprKind::Negate(_)
            | ExprKind::Match(..)
            | ExprKind::Kql(_) => false,
        }
    }
}

/// Functions that make several values of single ones. Another one that does is an error of the query, and no wrong result.
fn makes_several(name: &str) -> bool {
    name.starts_with("MV_") || matches!(name, "SPLIT" | "JSON_EXTRACT")
}

/// The type in which values of two types are compared as plans compare them; none where that would mean something else.
fn compared_as(left: DataType, right: DataType) -> Option<DataType> {
    use DataType as T;
    match (left, right) {
        _ if left.is_text() && right.is_text() => Some(T::Keyword),
        (T::Integer | T::Long, T::Integer | T::Long) => Some(if left == right { left } else { T::Long }),
        (T::Boolean | T::UnsignedLong | T::Datetime | T::DateNanos | T::Ip, _) if left == right => Some(left),
        _ => None,
    }
}

/// A constant of one value.
fn constant(value: &Value) -> Option<Lowered> {
    let utc = || Some("UTC".into());
    Some(match value {
        Value::Bool(value) => lit(*value),
        Value::Int(value) => lit(*value),
        Value::Long(value) => lit(*value),
        Value::UnsignedLong(value) => lit(*value),
        Value::Double(value) => lit(*value),
        Value::Text(text) | Value::Version(text) => lit(&**text),
        Value::Ip(ip) => lit(ip.to_canonical().to_string()),
        Value::Date(millis) => {
            Lowered::Literal(ScalarValue::TimestampMillisecond(Some(*millis), utc()), None)
        }
        Value::DateNanos(nanos) => {
            Lowered::Literal(ScalarValue::TimestampNanosecond(Some(*nanos), utc()), None)
        }
        Value::Null | Value::Span(_) | Value::Point(..) | Value::Many(_) => return None,
    })
}
