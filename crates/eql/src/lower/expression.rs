//! Expressions that are evaluated as scripts: arithmetic, functions, and comparisons inside them.

use maxspan_diagnostics::codes;
use maxspan_event::wildcard::Wildcard;
use maxspan_plan::functions::{self, Function};
use maxspan_plan::{Datum, Expr as Script};

use super::Lowering;
use super::condition::{compare_op, ignores_case};
use super::types::Type;
use crate::ast::{ArithmeticOp, Expr, ExprKind, MatchOp};

impl Lowering<'_> {
    /// The script for an expression, and its type.
    pub(super) fn expression(&mut self, expr: &Expr) -> (Script, Type) {
        match &expr.kind {
            ExprKind::Null => (Script::Constant(Datum::Null), Type::Null),
            ExprKind::Boolean(value) => (Script::Constant(Datum::Boolean(*value)), Type::Boolean),
            ExprKind::Integer(value) => {
                let kind = if i32::try_from(*value).is_ok() { Type::Integer } else { Type::Long };
                (Script::Constant(Datum::Long(*value)), kind)
            }
            ExprKind::Decimal(value) => (Script::Constant(Datum::Double(*value)), Type::Double),
            ExprKind::String(text) => (Script::Constant(Datum::text(text.as_str())), Type::Keyword),
            ExprKind::Field(name) => {
                let field = self.field(name, expr.span);
                (Script::Field(self.fields.slot(&field)), Type::of_field(&field))
            }
            ExprKind::Negate(inner) => self.negation(inner),
            ExprKind::Arithmetic { op, left, right } => self.arithmetic(*op, left, right),
            ExprKind::Call { .. } => self.call(expr),
            ExprKind::Not(inner) => (Script::Not(Box::new(self.boolean(inner))), Type::Boolean),
            ExprKind::And(all) => {
                (Script::And(all.iter().map(|one| self.boolean(one)).collect()), Type::Boolean)
            }
            ExprKind::Or(any) => {
                (Script::Or(any.iter().map(|one| self.boolean(one)).collect()), Type::Boolean)
            }
            ExprKind::Compare { op, left, right } => {
                let (left, right) = (self.expression(left).0, self.expression(right).0);
                (null_aware(*op, left, right), Type::Boolean)
            }
            ExprKind::In { value, list, negated, ignore_case } => {
                let value = self.expression(value).0;
                let list = list.iter().map(|item| self.expression(item).0).collect();
                let script = Script::In(Box::new(value), list, *ignore_case);
                (if *negated { Script::Not(Box::new(script)) } else { script }, Type::Boolean)
            }
            ExprKind::Match { op, value, patterns } => {
                (self.match_script(*op, value, patterns), Type::Boolean)
            }
            ExprKind::Lineage { .. } => {
                self.report(
                    codes::EQL_UNSUPPORTED,
                    expr.span,
                    "Process relationships are not supported inside an expression",
                );
                (Script::Constant(Datum::Null), Type::Boolean)
            }
        }
    }

    fn boolean(&mut self, expr: &Expr) -> Script {
        let (script, kind) = self.expression(expr);
        if !matches!(kind, Type::Boolean | Type::Unknown | Type::Null) {
            self.not_boolean(expr.span, kind);
        }
        script
    }

    fn match_script(&mut self, op: MatchOp, value: &Expr, patterns: &[Expr]) -> Script {
        let value = self.expression(value).0;
        let texts: Vec<String> = patterns
            .iter()
            .filter_map(
                |pattern| if let ExprKind::String(text) = &pattern.kind { Some(text.clone()) } else { None },
            )
            .collect();
        let ignore_case = ignores_case(op);
        match op {
            MatchOp::Regex | MatchOp::RegexIgnoreCase => {
                Script::Regex(Box::new(value), self.regexes(&texts, ignore_case, patterns))
            }
            _ => Script::Wildcard(
                Box::new(value),
                texts.iter().map(|text| Wildcard::new(text, ignore_case)).collect(),
            ),
        }
    }

    fn negation(&mut self, inner: &Expr) -> (Script, Type) {
        let (script, kind) = self.number(inner);
        let minus_one = Script::Constant(Datum::Long(-1));
        (Script::Call(arithmetic_function("multiply"), vec![minus_one, script], false), kind)
    }

    fn arithmetic(&mut self, op: ArithmeticOp, left: &Expr, right: &Expr) -> (Script, Type) {
        let ((left, left_kind), (right, right_kind)) = (self.number(left), self.number(right));
        let function = match op {
            ArithmeticOp::Add => "add",
            ArithmeticOp::Subtract => "subtract",
            ArithmeticOp::Multiply => "multiply",
            ArithmeticOp::Divide => "divide",
            ArithmeticOp::Modulo => "modulo",
        };
        let kind =
            if left_kind == Type::Double || right_kind == Type::Double { Type::Double } else { Type::Long };
        (Script::Call(arithmetic_function(function), vec![left, right], false), kind)
    }

    fn number(&mut self, expr: &Expr) -> (Script, Type) {
        let (script, kind) = self.expression(expr);
        if !(kind.is_number() || matches!(kind, Type::Unknown | Type::Null)) {
            let message = format!(
                "[{}] must be [numeric], found type [{}]",
                self.quote(expr.span),
                kind.mapping_name()
            );
            self.report(codes::EQL_TYPE, expr.span, message);
        }
        (script, kind)
    }
}

/// The function that an operator stands for; the table holds them all, so the first entry is never taken.
fn arithmetic_function(name: &str) -> &'static Function {
    functions::find(name).unwrap_or(functions::FUNCTIONS[0])
}

/// `== null` tests for null inside scripts too.
fn null_aware(op: crate::ast::CompareOp, left: Script, right: Script) -> Script {
    use crate::ast::CompareOp::{Equal, NotEqual};
    let is_null = |script: &Script| matches!(script, Script::Constant(Datum::Null));
    let tested = match (is_null(&left), is_null(&right)) {
        (true, _) => right.clone(),
        (_, true) => left.clone(),
        _ => return Script::Compare(compare_op(op), Box::new(left), Box::new(right)),
    };
    match op {
        Equal => Script::IsNull(Box::new(tested)),
        NotEqual => Script::Not(Box::new(Script::IsNull(Box::new(tested)))),
        _ => Script::Constant(Datum::Null),
    }
}
