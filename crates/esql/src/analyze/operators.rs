//! Operators: AND and OR, comparisons, arithmetic, IN.

use maxspan_diagnostics::{Span, codes};
use maxspan_plan::CompareOp;

use super::Analysis;
use super::expression::boolean;
use crate::ast::{self, BinaryOp};
use crate::query::{ArithmeticOp, ColumnId, Expr, ExprKind};
use crate::types::DataType;

impl Analysis<'_> {
    /// A chain of the same operator is one expression, however long it is.
    pub(super) fn logic(&mut self, op: BinaryOp, left: &ast::Expr, right: &ast::Expr, span: Span) -> Expr {
        let mut operands = Vec::new();
        collect(op, left, &mut operands);
        operands.push(right);
        let list: Vec<Expr> = operands.into_iter().map(|operand| self.condition(operand)).collect();
        if op == BinaryOp::And {
            return boolean(ExprKind::And(list), span);
        }
        boolean(ExprKind::Or(with_common_place(list)), span)
    }

    pub(super) fn binary(&mut self, op: BinaryOp, left: &ast::Expr, right: &ast::Expr, span: Span) -> Expr {
        let (left, right) = (self.expr(left), self.expr(right));
        match op {
            BinaryOp::Add => self.arithmetic(ArithmeticOp::Add, left, right, span),
            BinaryOp::Subtract => self.arithmetic(ArithmeticOp::Subtract, left, right, span),
            BinaryOp::Multiply => self.arithmetic(ArithmeticOp::Multiply, left, right, span),
            BinaryOp::Divide => self.arithmetic(ArithmeticOp::Divide, left, right, span),
            BinaryOp::Remainder => self.arithmetic(ArithmeticOp::Remainder, left, right, span),
            BinaryOp::Equal => self.compare(CompareOp::Equal, left, right, span),
            BinaryOp::NotEqual => self.compare(CompareOp::NotEqual, left, right, span),
            BinaryOp::Less => self.compare(CompareOp::Less, left, right, span),
            BinaryOp::LessOrEqual => self.compare(CompareOp::LessOrEqual, left, right, span),
            BinaryOp::Greater => self.compare(CompareOp::Greater, left, right, span),
            BinaryOp::GreaterOrEqual => self.compare(CompareOp::GreaterOrEqual, left, right, span),
            BinaryOp::And | BinaryOp::Or => boolean(ExprKind::And(vec![left, right]), span),
        }
    }

    fn compare(&mut self, op: CompareOp, left: Expr, right: Expr, span: Span) -> Expr {
        let (left, right) = self.comparable(left, right, span);
        let equality = matches!(op, CompareOp::Equal | CompareOp::NotEqual);
        if !equality && (left.data_type == DataType::Boolean || right.data_type == DataType::Boolean) {
            self.report(codes::ESQL_TYPE, span, "booleans have no order; compare them with `==`");
        }
        boolean(ExprKind::Compare(op, Box::new(left), Box::new(right)), span)
    }

    /// Both operands of a comparison, constants converted to the type of the other; reported where they cannot be compared.
    fn comparable(&mut self, left: Expr, right: Expr, span: Span) -> (Expr, Expr) {
        let (a, b) = (left.data_type, right.data_type);
        let (left, right) = (self.adapted_to(left, b), self.adapted_to(right, a));
        if !can_compare(left.data_type, right.data_type) {
            self.ask(&left, wide(b));
            self.ask(&right, wide(a));
            let message = format!("[{}] cannot be compared with [{}]", a.name(), b.name());
            self.report_with_help(
                codes::ESQL_TYPE,
                span,
                message,
                "convert one of them, as in `field::string`",
            );
        }
        (left, right)
    }

    /// Texts become what they are compared with, but not numbers: `"1" == 1` is a mistake.
    fn adapted_to(&mut self, expr: Expr, other: DataType) -> Expr {
        let adapts = other.is_date()
            || other.is_span()
            || matches!(other, DataType::Ip | DataType::Version | DataType::Boolean);
        if adapts { self.adapted(expr, other) } else { expr }
    }

    pub(super) fn is_in(&mut self, value: &ast::Expr, list: &[ast::Expr], negated: bool, span: Span) -> Expr {
        let mut value = self.expr(value);
        let mut values = Vec::new();
        for other in list {
            let other_span = other.span;
            let other = self.expr(other);
            let (adapted, other) = self.comparable(value, other, other_span);
            value = adapted;
            values.push(other);
        }
        let test = boolean(ExprKind::In(Box::new(value), values), span);
        if negated { boolean(ExprKind::Not(Box::new(test)), span) } else { test }
    }

    fn arithmetic(&mut self, op: ArithmeticOp, left: Expr, right: Expr, span: Span) -> Expr {
        let (a, b) = (left.data_type, right.data_type);
        let left = if b.is_span() { self.adapted(left, DataType::Datetime) } else { left };
        let right = if a.is_span() { self.adapted(right, DataType::Datetime) } else { right };
        let Some(data_type) = result_type(op, left.data_type, right.data_type) else {
            self.ask(&left, wide(b));
            self.ask(&right, wide(a));
            let message = format!("[{}] and [{}] cannot be combined by arithmetic", a.name(), b.name());
            self.report(codes::ESQL_TYPE, span, message);
            return Self::nothing(span);
        };
        Expr { kind: ExprKind::Arithmetic(op, Box::new(left), Box::new(right)), data_type, span }
    }
}

/// The operands of a chain that joins from the left.
fn collect<'t>(op: BinaryOp, expr: &'t ast::Expr, operands: &mut Vec<&'t ast::Expr>) {
    match &expr.kind {
        ast::ExprKind::Binary(found, left, right) if *found == op => {
            collect(op, left, operands);
            operands.push(right);
        }
        _ => operands.push(expr),
    }
}

/// The type of a field that is used with numbers of a type.
fn wide(kind: DataType) -> DataType {
    if kind == DataType::Integer { DataType::Long } else { kind }
}

fn can_compare(a: DataType, b: DataType) -> bool {
    let unknown = |kind: DataType| matches!(kind, DataType::Null | DataType::Unsupported);
    unknown(a) || unknown(b) || a.common(b).is_some()
}

fn result_type(op: ArithmeticOp, a: DataType, b: DataType) -> Option<DataType> {
    let sum = matches!(op, ArithmeticOp::Add | ArithmeticOp::Subtract);
    let known = |kind: DataType| if kind == DataType::Unsupported { DataType::Null } else { kind };
    match (known(a), known(b)) {
        (DataType::Null, DataType::Null) => Some(DataType::Null),
        (DataType::Null, other) | (other, DataType::Null) => {
            (other.is_number() || sum && (other.is_date() || other.is_span())).then_some(other)
        }
        (a, b) if a.is_number() && b.is_number() => a.common(b),
        (date, span) if date.is_date() && span.is_span() && sum => Some(date),
        (span, date) if date.is_date() && span.is_span() && op == ArithmeticOp::Add => Some(date),
        (a, b) if a.is_span() && a == b && sum => Some(a),
        _ => None,
    }
}

/// Tests of the same column for equality, joined by OR, are one test to Elasticsearch, which warns about the column: so
/// their warnings are about the column where it is first named.
fn with_common_place(mut list: Vec<Expr>) -> Vec<Expr> {
    let tested: Vec<Option<(ColumnId, Span)>> = list.iter().map(tested_column).collect();
    for (i, expr) in list.iter_mut().enumerate() {
        let Some((id, _)) = tested[i] else { continue };
        let mut same = tested.iter().flatten().filter(|(other, _)| *other == id);
        let first = same.next().map(|(_, span)| *span);
        if let (Some(first), Some(_)) = (first, same.next()) {
            expr.span = first;
        }
    }
    list
}

/// The column whose equality with constants is asked.
fn tested_column(expr: &Expr) -> Option<(ColumnId, Span)> {
    let (column, others) = match &expr.kind {
        ExprKind::Compare(CompareOp::Equal, column, other) => {
            (column.as_ref(), std::slice::from_ref(other.as_ref()))
        }
        ExprKind::In(column, list) => (column.as_ref(), list.as_slice()),
        ExprKind::Call(function, arguments) if function.name == "CIDR_MATCH" => arguments.split_first()?,
        _ => return None,
    };
    let ExprKind::Column(id) = column.kind else { return None };
    others.iter().all(|other| other.as_constant().is_some()).then_some((id, column.span))
}
