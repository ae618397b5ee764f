//! What an event must satisfy to play any part in a query: a condition on single events that rules out most of them before
//! they are made rows of.
//!
//! It follows from the `WHERE` commands before the first one that looks at several rows. It may let events pass that the
//! query drops, never the other way round; what is not understood asks for nothing.

use maxspan_diagnostics::Span;
use maxspan_event::wildcard::Wildcard;
use maxspan_event::{Fields, Slot, Value as EventValue, date};
use maxspan_plan::condition::{Condition, ConditionKind, Outline, Read, Single, Stage};
use maxspan_plan::{CompareOp, Datum, Predicate, RangeOp, TestKind, ValueSet};

use crate::query::{ColumnId, Command, Expr, ExprKind, Pattern, Query, Scan};
use crate::types::DataType;
use crate::value::Value;

/// The condition; slots of the fields that it asks for are added to `fields`.
pub fn necessary(query: &Query, schema: &maxspan_event::Schema, fields: &mut Fields) -> Predicate {
    let each = |(scan, condition)| Reading { scan, query, schema, fields: &mut *fields }.of(condition);
    Predicate::and(conditions(query).map(each))
}

/// The conditions on single events, each at its place, for explanations. A condition that only rows can decide is never
/// said to hold; several values of a field count as any of them.
pub fn outline(query: &Query, schema: &maxspan_event::Schema, fields: &mut Fields) -> Outline {
    let each = |(scan, condition)| Reading { scan, query, schema, fields: &mut *fields }.condition(condition);
    let mut all: Vec<Condition> = conditions(query).map(each).collect();
    let span = Span::new(0, query.source.text.len());
    let condition = match all.len() {
        1 => all.remove(0),
        _ => Condition { span, kind: ConditionKind::And(all) },
    };
    let stage = Stage { span, condition, missing: false, keys: Vec::new() };
    Outline { stages: vec![stage], until: None, maxspan: None }
}

/// The conditions of WHERE before the first command that looks at several rows. Up to there rows stay what they are, or
/// become several; columns get new numbers when they are changed.
pub(crate) fn conditions(query: &Query) -> impl Iterator<Item = (&Scan, &Expr)> {
    let scan = query.commands.iter().find_map(Command::as_scan);
    let before = query.commands.iter().take_while(|command| !command.looks_at_several_rows());
    before.filter_map(move |command| match command {
        Command::Filter(condition) => scan.map(|scan| (scan, condition)),
        _ => None,
    })
}

impl Command {
    /// Whether what is before it decides nothing by itself: INLINE STATS counts rows that are dropped later.
    fn looks_at_several_rows(&self) -> bool {
        matches!(self, Self::Row(_) | Self::Stats(_) | Self::InlineStats(_) | Self::Limit(_))
    }
}

struct Reading<'a> {
    scan: &'a Scan,
    query: &'a Query,
    schema: &'a maxspan_event::Schema,
    fields: &'a mut Fields,
}

const ANYTHING: Predicate = Predicate::Constant(true);

impl Reading<'_> {
    /// What follows for the event from the expression being true.
    fn of(&mut self, expr: &Expr) -> Predicate {
        match &expr.kind {
            ExprKind::And(operands) => Predicate::and(operands.iter().map(|one| self.of(one))),
            ExprKind::Or(operands) => Predicate::or(operands.iter().map(|one| self.of(one))),
            ExprKind::Constant(value) => Predicate::Constant(value.is_true()),
            ExprKind::IsNull(inner) => self.column(inner).map_or(ANYTHING, |(slot, _)| exists(slot).negate()),
            ExprKind::Not(inner) => self.not(inner),
            ExprKind::Compare(op, left, right) => self.compared(*op, left, right),
            ExprKind::In(value, list) => self.one_of(value, list),
            ExprKind::Like(value, patterns) => self.like(value, patterns),
            ExprKind::Column(_) => self.equal(expr, &Value::Bool(true)),
            _ => ANYTHING,
        }
    }

    /// The condition as it is written.
    fn condition(&mut self, expr: &Expr) -> Condition {
        let kind = match &expr.kind {
            ExprKind::And(operands) => {
                ConditionKind::And(operands.iter().map(|one| self.condition(one)).collect())
            }
            ExprKind::Or(operands) => {
                ConditionKind::Or(operands.iter().map(|one| self.condition(one)).collect())
            }
            _ => {
                let fails = self.of(expr).negate();
                let holds = self.sufficient(expr).unwrap_or(Predicate::Constant(false));
                ConditionKind::Single(Box::new(Single { holds, fails, reads: self.reads(expr) }))
            }
        };
        Condition { span: expr.span, kind }
    }

    /// What makes the expression true for fields of one value; none where only the row can say.
    fn sufficient(&mut self, expr: &Expr) -> Option<Predicate> {
        match &expr.kind {
            ExprKind::Not(inner) => match &inner.kind {
                ExprKind::IsNull(_) => self.sufficient(inner).map(Predicate::negate),
                ExprKind::In(..) | ExprKind::Like(..) | ExprKind::Compare(..) => {
                    let holds = self.sufficient(inner)?;
                    Some(Predicate::and([self.present(expr_of(inner)), holds.negate()]))
                }
                _ => None,
            },
            ExprKind::Compare(CompareOp::NotEqual, left, right) => {
                let ExprKind::Constant(constant) = &right.kind else { return None };
                self.column(left)?;
                let equal = self.equal(left, constant);
                Some(Predicate::and([self.present(left), equal.negate()]))
            }
            ExprKind::Compare(_, value, constant) if matches!(constant.kind, ExprKind::Constant(_)) => {
                self.exact(value, expr)
            }
            ExprKind::In(value, _) | ExprKind::Like(value, _) => self.exact(value, expr),
            ExprKind::IsNull(value) => self.column(value).map(|(slot, _)| exists(slot).negate()),
            ExprKind::Constant(value) => Some(Predicate::Constant(value.is_true())),
            _ => None,
        }
    }

    /// What follows from a comparison of a field, where that is all that is asked.
    fn exact(&mut self, value: &Expr, comparison: &Expr) -> Option<Predicate> {
        self.column(without_case(value).0)?;
        Some(self.of(comparison)).filter(|found| !only_exists(found))
    }

    /// The fields that the expression reads.
    fn reads(&mut self, expr: &Expr) -> Vec<Read> {
        let mut reads = Vec::new();
        let mut ids = Vec::new();
        expr.for_each_column(&mut |id| ids.push(id));
        ids.dedup();
        for id in ids {
            let Some((_, name)) = self.scan.fields.iter().find(|(field, _)| *field == id) else { continue };
            let field = self.schema.field(name);
            let slot = self.fields.slot(&field);
            reads.push(Read {
                name: field.name,
                path: field.path,
                kind: field.kind.name(),
                span: expr.span,
                slot,
            });
        }
        reads
    }

    /// Comparisons of nothing are unknown, and so is what is not so of them.
    fn not(&mut self, expr: &Expr) -> Predicate {
        match &expr.kind {
            ExprKind::IsNull(inner)
            | ExprKind::In(inner, _)
            | ExprKind::Like(inner, _)
            | ExprKind::Compare(_, inner, _) => self.present(inner),
            _ => ANYTHING,
        }
    }

    fn compared(&mut self, op: CompareOp, left: &Expr, right: &Expr) -> Predicate {
        let (op, value, constant) = match (&left.kind, &right.kind) {
            (_, ExprKind::Constant(constant)) => (op, left, constant),
            (ExprKind::Constant(constant), _) => (op.mirrored(), right, constant),
            _ => return Predicate::and([self.present(left), self.present(right)]),
        };
        let range = match op {
            CompareOp::Equal => return self.equal(value, constant),
            CompareOp::NotEqual => return self.present(value),
            CompareOp::Less => RangeOp::Less,
            CompareOp::LessOrEqual => RangeOp::LessOrEqual,
            CompareOp::Greater => RangeOp::Greater,
            CompareOp::GreaterOrEqual => RangeOp::GreaterOrEqual,
        };
        match (self.column(value), constant) {
            (Some((slot, DataType::Long)), Value::Int(_) | Value::Long(_)) => {
                let bound = constant.borrowed().as_long().unwrap_or_default();
                Predicate::test(slot, TestKind::Compare(range, EventValue::Long(bound)))
            }
            _ => self.present(value),
        }
    }

    fn equal(&mut self, value: &Expr, constant: &Value) -> Predicate {
        self.any_of(value, std::slice::from_ref(constant))
    }

    fn one_of(&mut self, value: &Expr, list: &[Expr]) -> Predicate {
        let constant = |one: &Expr| match &one.kind {
            ExprKind::Constant(value) => Some(value.clone()),
            _ => None,
        };
        match list.iter().map(constant).collect::<Option<Vec<_>>>() {
            Some(constants) => self.any_of(value, &constants),
            None => self.present(value),
        }
    }

    /// The value equals one of the constants, where these can be compared as events have them.
    fn any_of(&mut self, value: &Expr, constants: &[Value]) -> Predicate {
        let (value, lower) = without_case(value);
        let Some((slot, kind)) = self.column(value) else { return self.present(value) };
        if self.is_untyped(slot) {
            return if lower { exists(slot) } else { untyped(slot, constants) };
        }
        let known = constants.iter().map(|one| constant_of(one, kind)).collect::<Option<Vec<_>>>();
        let Some(values) = known else { return exists(slot) };
        if !lower {
            return Predicate::test(slot, TestKind::OneOf(ValueSet::new(values, false)));
        }
        let texts = values.iter().map(|one| if let EventValue::Text(text) = one { &**text } else { "" });
        any_case(slot, texts.map(|text| Wildcard::from_parts([text], true)).collect())
    }

    fn like(&mut self, value: &Expr, patterns: &[Pattern]) -> Predicate {
        let (value, lower) = without_case(value);
        let Some((slot, kind)) = self.column(value) else { return self.present(value) };
        if kind != DataType::Keyword || self.is_untyped(slot) {
            return exists(slot);
        }
        let tests: Vec<_> = patterns
            .iter()
            .map(|pattern| match pattern {
                Pattern::Wildcard(one) if lower => any_case(slot, vec![one.with_any_case()]),
                Pattern::Wildcard(one) => Predicate::test(slot, TestKind::Wildcard(vec![one.clone()])),
                Pattern::Regex(one) if !lower => Predicate::test(slot, TestKind::Regex(vec![one.clone()])),
                Pattern::Regex(_) => exists(slot),
            })
            .collect();
        Predicate::or(tests)
    }

    /// The fields that the value is nothing without are there.
    fn present(&mut self, value: &Expr) -> Predicate {
        match &value.kind {
            ExprKind::Column(_) => self.column(value).map_or(ANYTHING, |(slot, _)| exists(slot)),
            ExprKind::Arithmetic(_, left, right) => Predicate::and([self.present(left), self.present(right)]),
            ExprKind::Negate(inner) | ExprKind::Widen(inner) => self.present(inner),
            ExprKind::Call(function, arguments) if IS_NULL_OF_NULL.contains(&function.name) => {
                arguments.first().map_or(ANYTHING, |argument| self.present(argument))
            }
            _ => ANYTHING,
        }
    }

    /// The field of the index that the expression is.
    fn column(&mut self, expr: &Expr) -> Option<(Slot, DataType)> {
        let ExprKind::Column(id) = expr.kind else { return None };
        let (_, name) = self.scan.fields.iter().find(|(field, _): &&(ColumnId, String)| *field == id)?;
        Some((self.fields.slot(&self.schema.field(name)), self.query.columns[id.0].kind))
    }

    /// Whether the values of the field have the type that the document gives them, whatever the column says.
    fn is_untyped(&self, slot: Slot) -> bool {
        self.fields.field(slot).kind == maxspan_event::FieldType::Unknown
    }
}

/// Functions that are null where their first argument is.
const IS_NULL_OF_NULL: [&str; 12] = [
    "TO_LOWER",
    "TO_UPPER",
    "LENGTH",
    "TRIM",
    "LTRIM",
    "RTRIM",
    "SUBSTRING",
    "TO_STRING",
    "SPLIT",
    "REPLACE",
    "LEFT",
    "RIGHT",
];

/// The argument of `TO_LOWER`, and whether it is one.
fn without_case(value: &Expr) -> (&Expr, bool) {
    match &value.kind {
        ExprKind::Call(function, arguments) if function.name == "TO_LOWER" => {
            (arguments.first().unwrap_or(value), true)
        }
        _ => (value, false),
    }
}

/// What is compared.
fn expr_of(comparison: &Expr) -> &Expr {
    match &comparison.kind {
        ExprKind::In(value, _) | ExprKind::Like(value, _) | ExprKind::Compare(_, value, _) => value,
        _ => comparison,
    }
}

/// Whether all that is asked is that there is a value.
fn only_exists(found: &Predicate) -> bool {
    matches!(found, Predicate::Test(test) if test.kind == TestKind::Exists) || *found == ANYTHING
}

/// Texts of any case. Outside of ASCII, what differs by case may differ in length.
fn any_case(slot: Slot, patterns: Vec<Wildcard>) -> Predicate {
    let ascii = patterns.iter().all(|pattern| pattern.text().is_ascii());
    if ascii { Predicate::test(slot, TestKind::Wildcard(patterns)) } else { exists(slot) }
}

fn exists(slot: Slot) -> Predicate {
    Predicate::test(slot, TestKind::Exists)
}

/// Equality where the document gives the values their types, and the column has them as text.
fn untyped(slot: Slot, constants: &[Value]) -> Predicate {
    let texts = constants.iter().map(|one| one.borrowed().as_text().map(|text| Datum::Text(text.into())));
    let Some(texts) = texts.collect::<Option<Vec<_>>>() else { return exists(slot) };
    let values = texts.iter().flat_map(ValueSet::untyped);
    Predicate::test(slot, TestKind::OneOf(ValueSet::new(values, false)))
}

/// A constant as events have it; none where the types could differ.
fn constant_of(value: &Value, kind: DataType) -> Option<EventValue> {
    match (kind, value) {
        (DataType::Keyword, Value::Text(text)) => Some(EventValue::text(&**text)),
        (DataType::Long, Value::Int(_) | Value::Long(_)) => value.borrowed().as_long().map(EventValue::Long),
        (DataType::Boolean, Value::Bool(value)) => Some(EventValue::Boolean(*value)),
        (DataType::Datetime, Value::Date(millis)) => Some(EventValue::Date(date::from_millis(*millis))),
        (DataType::Ip, Value::Ip(ip)) => Some(EventValue::Ip(*ip)),
        _ => None,
    }
}
