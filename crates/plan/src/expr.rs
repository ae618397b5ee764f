//! Three-valued expressions over one event: functions of fields, arithmetic, comparisons of fields.
//!
//! A field is its first value in sorted order, or null. Null operands give null, but for `and` and `or`, which
//! follow Kleene's logic, and for the tests for null.

use std::cmp::Ordering;

use maxspan_event::wildcard::{Wildcard, equals_folded, fold};
use maxspan_event::{Slot, Slots, Value};

use crate::datum::{Datum, compare, equals};
use crate::functions::Function;
use crate::pattern::regex::LuceneRegex;

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// A constant or null.
    Constant(Datum<'static>),
    /// A field.
    Field(Slot),
    /// A function's value; the flag says that case is ignored (`fn~`).
    Call(&'static Function, Vec<Expr>, bool),
    /// A comparison.
    Compare(CompareOp, Box<Expr>, Box<Expr>),
    /// Equal to one of the list; the flag says that case is ignored.
    In(Box<Expr>, Vec<Expr>, bool),
    /// A string that one of the patterns matches.
    Wildcard(Box<Expr>, Vec<Wildcard>),
    /// A string that one of the expressions matches.
    Regex(Box<Expr>, Vec<LuceneRegex>),
    /// Whether the operand is null; itself never null.
    IsNull(Box<Expr>),
    /// Not so.
    Not(Box<Expr>),
    /// All of them.
    And(Vec<Expr>),
    /// Any of them.
    Or(Vec<Expr>),
}

/// Comparisons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum CompareOp {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl CompareOp {
    /// The comparison that holds exactly where this one does not.
    pub fn negated(self) -> Self {
        match self {
            Self::Equal => Self::NotEqual,
            Self::NotEqual => Self::Equal,
            Self::Less => Self::GreaterOrEqual,
            Self::LessOrEqual => Self::Greater,
            Self::Greater => Self::LessOrEqual,
            Self::GreaterOrEqual => Self::Less,
        }
    }

    /// The comparison with its sides exchanged.
    pub fn mirrored(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            same => same,
        }
    }

    /// As it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }

    fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::NotEqual => ordering.is_ne(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

impl Expr {
    /// The value for an event.
    pub fn evaluate<'a>(&'a self, slots: &'a Slots) -> Datum<'a> {
        match self {
            Self::Constant(datum) => borrow(datum),
            Self::Field(slot) => slots.first(*slot).map_or(Datum::Null, Datum::from),
            Self::Call(function, arguments, ignore_case) => {
                let arguments: Vec<Datum<'a>> = arguments.iter().map(|one| one.evaluate(slots)).collect();
                let value = (function.evaluate)(&arguments, *ignore_case);
                if value.is_null() && function.makes_too_long_a_text(&arguments) {
                    slots.count_dropped_text();
                }
                value
            }
            Self::Compare(op, left, right) => apply(*op, &left.evaluate(slots), &right.evaluate(slots)),
            Self::In(value, list, ignore_case) => {
                evaluate_in(&value.evaluate(slots), list, *ignore_case, slots)
            }
            Self::Wildcard(value, patterns) => {
                matched(&value.evaluate(slots), |text| patterns.iter().any(|one| one.matches(text)))
            }
            Self::Regex(value, patterns) => {
                matched(&value.evaluate(slots), |text| patterns.iter().any(|one| one.matches(text)))
            }
            Self::IsNull(inner) => Datum::Boolean(inner.evaluate(slots).is_null()),
            Self::Not(inner) => {
                inner.evaluate(slots).as_boolean().map_or(Datum::Null, |value| Datum::Boolean(!value))
            }
            Self::And(all) => kleene(all, slots, false),
            Self::Or(any) => kleene(any, slots, true),
        }
    }

    /// The value, if it depends on no event.
    pub fn constant(&self) -> Option<Datum<'static>> {
        self.is_constant().then(|| self.evaluate(&Slots::default()).into_owned())
    }

    fn is_constant(&self) -> bool {
        match self {
            Self::Constant(_) => true,
            Self::Field(_) => false,
            Self::Call(_, arguments, _) => arguments.iter().all(Self::is_constant),
            Self::Compare(_, left, right) => left.is_constant() && right.is_constant(),
            Self::In(value, list, _) => value.is_constant() && list.iter().all(Self::is_constant),
            Self::Wildcard(value, _) | Self::IsNull(value) | Self::Not(value) => value.is_constant(),
            Self::Regex(value, _) => value.is_constant(),
            Self::And(list) | Self::Or(list) => list.iter().all(Self::is_constant),
        }
    }
}

fn borrow<'a>(datum: &'a Datum<'static>) -> Datum<'a> {
    match datum {
        Datum::Text(text) => Datum::Text(std::borrow::Cow::Borrowed(text)),
        Datum::Version(text) => Datum::Version(std::borrow::Cow::Borrowed(text)),
        other => other.clone(),
    }
}

/// Both sides present but of types without a common order: unequal, and neither smaller nor greater.
fn apply(op: CompareOp, left: &Datum<'_>, right: &Datum<'_>) -> Datum<'static> {
    if left.is_null() || right.is_null() {
        return Datum::Null;
    }
    match (compare(left, right), op) {
        (Some(ordering), op) => Datum::Boolean(op.holds(ordering)),
        (None, CompareOp::Equal) => Datum::Boolean(false),
        (None, CompareOp::NotEqual) => Datum::Boolean(true),
        (None, _) => Datum::Null,
    }
}

fn evaluate_in<'a>(value: &Datum<'a>, list: &'a [Expr], ignore_case: bool, slots: &'a Slots) -> Datum<'a> {
    if value.is_null() {
        return Datum::Null;
    }
    let mut unknown = false;
    for item in list {
        let item = item.evaluate(slots);
        let same = match (value, &item) {
            (Datum::Text(a), Datum::Text(b)) if ignore_case => Some(equals_folded(a, &fold(b))),
            (a, b) => equals(a, b),
        };
        match same {
            Some(true) => return Datum::Boolean(true),
            Some(false) => {}
            None => unknown = true,
        }
    }
    if unknown { Datum::Null } else { Datum::Boolean(false) }
}

fn matched(value: &Datum<'_>, matches: impl Fn(&str) -> bool) -> Datum<'static> {
    value.to_text().map_or(Datum::Null, |text| Datum::Boolean(matches(&text)))
}

/// `and` (decided by false) or `or` (decided by true).
fn kleene(list: &[Expr], slots: &Slots, decided: bool) -> Datum<'static> {
    let mut unknown = false;
    for expr in list {
        match expr.evaluate(slots).as_boolean() {
            Some(value) if value == decided => return Datum::Boolean(decided),
            Some(_) => {}
            None => unknown = true,
        }
    }
    if unknown { Datum::Null } else { Datum::Boolean(!decided) }
}

/// A value as a constant.
impl From<&Value> for Expr {
    fn from(value: &Value) -> Self {
        Self::Constant(Datum::from(value.borrowed()).into_owned())
    }
}
