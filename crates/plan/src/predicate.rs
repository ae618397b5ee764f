//! What one event must satisfy.

use std::cmp::Ordering;

use maxspan_event::wildcard::{Wildcard, fold_ascii};
use maxspan_event::{
    Cidr, FieldType, Leaf, NestedSlot, Slot, Slots, Value, ValueRef, compare_numbers, date, parse_ip, version,
};
use rustc_hash::FxHashSet;

use crate::datum::Datum;
use crate::expr::Expr;
use crate::pattern::regex::LuceneRegex;
use crate::pattern::text::TextQuery;

/// A condition on one event. Two-valued: what is unknown inside a script is false here.
#[derive(Debug, Clone, PartialEq)]
pub enum Predicate {
    /// Always so, or never.
    Constant(bool),
    /// All of them.
    And(Vec<Predicate>),
    /// Any of them.
    Or(Vec<Predicate>),
    /// Not so.
    Not(Box<Predicate>),
    /// Some value of one field passes a test.
    Test(Test),
    /// A three-valued expression is true.
    Script(Expr),
    /// Some leaf of the event passes: free text, and field names with wildcards.
    Leaves(Box<Leaves>),
    /// One object of an array satisfies the whole condition by itself.
    Nested(NestedSlot, Box<Predicate>),
    /// The event's process is related to one that matched before.
    Lineage(LineageId),
}

/// Number of a lineage query within its plan ([`crate::Plan::lineage`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineageId(pub usize);

/// Some value of a field passes.
#[derive(Debug, Clone, PartialEq)]
pub struct Test {
    /// The field.
    pub slot: Slot,
    /// What a value must be.
    pub kind: TestKind,
}

/// What a value must be.
#[derive(Debug, Clone, PartialEq)]
pub enum TestKind {
    /// Anything.
    Exists,
    /// One of these.
    OneOf(ValueSet),
    /// Before or after this. A value of another type does not pass.
    Compare(RangeOp, Value),
    /// An instant within these, both included, in nanoseconds.
    Between(i64, i64),
    /// A string that one of these patterns matches as a whole.
    Wildcard(Vec<Wildcard>),
    /// A string that one of these expressions matches as a whole.
    Regex(Vec<LuceneRegex>),
    /// An address in one of these blocks.
    Cidr(Vec<Cidr>),
    /// Analysed text.
    Text(TextQuery),
}

/// Comparisons with an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum RangeOp {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl RangeOp {
    /// Whether a value that compares with the bound like this passes.
    pub fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }

    /// The comparison that holds exactly where this one does not.
    pub fn negated(self) -> Self {
        match self {
            Self::Less => Self::GreaterOrEqual,
            Self::LessOrEqual => Self::Greater,
            Self::Greater => Self::LessOrEqual,
            Self::GreaterOrEqual => Self::Less,
        }
    }

    /// As it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
}

/// A set of constants that values are looked up in.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ValueSet {
    texts: FxHashSet<Box<str>>,
    ignore_case: bool,
    others: Vec<Value>,
}

impl ValueSet {
    /// A set of the values; with `ignore_case` the case of ASCII letters does not count.
    pub fn new(values: impl IntoIterator<Item = Value>, ignore_case: bool) -> Self {
        let mut set = Self { ignore_case, ..Self::default() };
        for value in values {
            match value {
                Value::Text(text) if ignore_case => {
                    set.texts.insert(fold_ascii(&text).into());
                }
                Value::Text(text) => {
                    set.texts.insert(text);
                }
                other => set.others.push(other),
            }
        }
        set
    }

    /// The values that equal a constant where no schema says which type the field has: the event's JSON decides, so
    /// the constant is looked for in each type that can hold it.
    pub fn untyped(constant: &Datum<'_>) -> Vec<Value> {
        let text = constant.to_text().map(|text| Value::text(text.as_ref()));
        let other = match constant {
            Datum::Boolean(value) => Some(Value::Boolean(*value)),
            Datum::Text(text) => match text.as_ref() {
                "true" => Some(Value::Boolean(true)),
                "false" => Some(Value::Boolean(false)),
                number => parse_number(number),
            },
            other => other.as_number(),
        };
        text.into_iter().chain(other).collect()
    }

    /// Whether the value is in the set.
    pub fn contains(&self, value: ValueRef<'_>) -> bool {
        match value {
            ValueRef::Text(text) if self.ignore_case => self.texts.contains(&*fold_ascii(text)),
            ValueRef::Text(text) => self.texts.contains(text),
            other => self.others.iter().any(|constant| same(constant.borrowed(), other)),
        }
    }

    /// The strings, sorted.
    pub fn texts(&self) -> Vec<&str> {
        let mut texts: Vec<&str> = self.texts.iter().map(|text| &**text).collect();
        texts.sort_unstable();
        texts
    }

    /// The values that are no strings.
    pub fn others(&self) -> &[Value] {
        &self.others
    }

    /// Whether case is ignored.
    pub fn ignores_case(&self) -> bool {
        self.ignore_case
    }
}

/// A number as JSON writes it.
fn parse_number(text: &str) -> Option<Value> {
    let integer =
        text.parse::<i64>().ok().map(Value::Long).or_else(|| text.parse::<u64>().ok().map(Value::Unsigned));
    let decimal = || {
        let numeric = text.starts_with(|c: char| c.is_ascii_digit() || c == '-');
        text.parse::<f64>().ok().filter(|value| numeric && value.is_finite()).map(Value::Double)
    };
    integer.or_else(decimal)
}

fn same(a: ValueRef<'_>, b: ValueRef<'_>) -> bool {
    match (a, b) {
        (ValueRef::Version(a), ValueRef::Version(b)) => a == b || version::compare(a, b).is_eq(),
        (ValueRef::Date(a), ValueRef::Date(b)) => date::to_millis(a) == date::to_millis(b),
        _ => compare_numbers(&a, &b).map_or_else(|| a == b, Ordering::is_eq),
    }
}

/// The same question put to fields of any type, where the type is only known per leaf.
#[derive(Debug, Clone, PartialEq)]
pub struct Leaves {
    /// Which leaves are asked, by path; none for all.
    pub fields: Option<Wildcard>,
    /// What is asked.
    pub tests: ByKind,
}

/// One test a type; none where no value of the type can pass.
#[derive(Debug, Clone, Default, PartialEq)]
#[allow(missing_docs)]
pub struct ByKind {
    pub keyword: Option<TestKind>,
    pub wildcard: Option<TestKind>,
    pub text: Option<TestKind>,
    pub number: Option<TestKind>,
    pub ip: Option<TestKind>,
    pub date: Option<TestKind>,
    pub boolean: Option<TestKind>,
    pub version: Option<TestKind>,
    pub unknown: Option<TestKind>,
    /// Types that only presence can be asked of.
    pub other: Option<TestKind>,
}

impl ByKind {
    /// The test for fields of a type.
    pub fn get(&self, kind: FieldType) -> Option<&TestKind> {
        match kind {
            FieldType::Keyword => self.keyword.as_ref(),
            FieldType::ConstantKeyword | FieldType::Wildcard | FieldType::Flattened => self.wildcard.as_ref(),
            FieldType::Text => self.text.as_ref(),
            FieldType::Long | FieldType::UnsignedLong | FieldType::Double => self.number.as_ref(),
            FieldType::Ip => self.ip.as_ref(),
            FieldType::Date | FieldType::DateNanos => self.date.as_ref(),
            FieldType::Boolean => self.boolean.as_ref(),
            FieldType::Version => self.version.as_ref(),
            FieldType::Unknown => self.unknown.as_ref(),
            FieldType::Nested | FieldType::Object | FieldType::Binary | FieldType::Unsupported => {
                self.other.as_ref()
            }
        }
    }

    fn passes(&self, leaf: &Leaf) -> bool {
        self.get(leaf.field.kind).is_some_and(|test| test.passes(leaf.value.borrowed()))
    }
}

/// What a predicate is evaluated in.
#[derive(Debug, Clone, Copy)]
pub struct Environment<'a> {
    /// The event's values.
    pub slots: &'a Slots,
    /// For each lineage query of the plan, whether it holds for the event.
    pub lineage: &'a [bool],
}

impl<'a> Environment<'a> {
    /// For plans without lineage queries.
    pub fn new(slots: &'a Slots) -> Self {
        Self { slots, lineage: &[] }
    }
}

impl Predicate {
    /// Whether the event satisfies the predicate.
    pub fn holds(&self, environment: Environment<'_>) -> bool {
        match self {
            Self::Constant(value) => *value,
            Self::And(all) => all.iter().all(|one| one.holds(environment)),
            Self::Or(any) => any.iter().any(|one| one.holds(environment)),
            Self::Not(inner) => !inner.holds(environment),
            Self::Test(test) => environment.slots.values(test.slot).any(|value| test.kind.passes(value)),
            Self::Script(expr) => expr.evaluate(environment.slots).as_boolean() == Some(true),
            Self::Leaves(leaves) => leaves.holds(environment.slots),
            Self::Nested(nested, inner) => {
                let mut objects = environment.slots.nested(*nested).iter();
                objects.any(|slots| inner.holds(Environment { slots, lineage: environment.lineage }))
            }
            Self::Lineage(id) => environment.lineage.get(id.0).copied().unwrap_or(false),
        }
    }

    /// Whether free text, or a field name with wildcards, is among the conditions: [`Slots::leaves`] are needed.
    pub fn asks_leaves(&self) -> bool {
        match self {
            Self::And(list) | Self::Or(list) => list.iter().any(Self::asks_leaves),
            Self::Not(inner) | Self::Nested(_, inner) => inner.asks_leaves(),
            Self::Leaves(_) => true,
            Self::Constant(_) | Self::Test(_) | Self::Script(_) | Self::Lineage(_) => false,
        }
    }

    /// A test of one field.
    pub fn test(slot: Slot, kind: TestKind) -> Self {
        Self::Test(Test { slot, kind })
    }

    /// All of the predicates, without needless nesting.
    pub fn and(predicates: impl IntoIterator<Item = Predicate>) -> Self {
        let mut all = Vec::new();
        for predicate in predicates {
            match predicate {
                Self::Constant(true) => {}
                Self::Constant(false) => return Self::Constant(false),
                Self::And(inner) => all.extend(inner),
                other => all.push(other),
            }
        }
        match all.len() {
            0 => Self::Constant(true),
            1 => all.remove(0),
            _ => Self::And(all),
        }
    }

    /// Any of the predicates, without needless nesting.
    pub fn or(predicates: impl IntoIterator<Item = Predicate>) -> Self {
        let mut any = Vec::new();
        for predicate in predicates {
            match predicate {
                Self::Constant(false) => {}
                Self::Constant(true) => return Self::Constant(true),
                Self::Or(inner) => any.extend(inner),
                other => any.push(other),
            }
        }
        match any.len() {
            0 => Self::Constant(false),
            1 => any.remove(0),
            _ => Self::Or(any),
        }
    }

    /// The opposite.
    pub fn negate(self) -> Self {
        match self {
            Self::Constant(value) => Self::Constant(!value),
            Self::Not(inner) => *inner,
            other => Self::Not(Box::new(other)),
        }
    }
}

impl Leaves {
    /// Something stands below the path: what presence means for an object, however its fields are written.
    pub fn below(path: &str) -> Self {
        let exists = || Some(TestKind::Exists);
        let tests = ByKind {
            keyword: exists(),
            wildcard: exists(),
            text: exists(),
            number: exists(),
            ip: exists(),
            date: exists(),
            boolean: exists(),
            version: exists(),
            unknown: exists(),
            other: exists(),
        };
        Self { fields: Some(Wildcard::from_parts([format!("{path}.").as_str(), ""], false)), tests }
    }

    fn holds(&self, slots: &Slots) -> bool {
        let chosen = |leaf: &&Leaf| self.fields.as_ref().is_none_or(|pattern| pattern.matches(&leaf.path));
        slots.leaves().iter().filter(chosen).any(|leaf| self.tests.passes(leaf))
    }
}

impl TestKind {
    /// A comparison with an instant, in nanoseconds. Dates have the precision of a millisecond, so an event's date counts
    /// from the start of its millisecond; `date_nanos` fields have their own.
    pub fn instant(op: RangeOp, nanos: i64, kind: FieldType) -> Self {
        let precision = if kind == FieldType::DateNanos { 1 } else { date::NANOS_PER_MILLI };
        let start = nanos.div_euclid(precision).saturating_mul(precision);
        let end = start.saturating_add(precision - 1);
        match op {
            RangeOp::Less => Self::Between(i64::MIN, start.saturating_sub(1)),
            RangeOp::LessOrEqual => Self::Between(i64::MIN, end),
            RangeOp::Greater => Self::Between(end.saturating_add(1), i64::MAX),
            RangeOp::GreaterOrEqual => Self::Between(start, i64::MAX),
        }
    }

    /// The instants from one to another, both included, with the precision of the field.
    pub fn instants(from: i64, to: i64, kind: FieldType) -> Self {
        match (
            Self::instant(RangeOp::GreaterOrEqual, from, kind),
            Self::instant(RangeOp::LessOrEqual, to, kind),
        ) {
            (Self::Between(from, _), Self::Between(_, to)) => Self::Between(from, to),
            (other, _) => other,
        }
    }

    /// Whether one value passes.
    pub fn passes(&self, value: ValueRef<'_>) -> bool {
        match self {
            Self::Exists => true,
            Self::OneOf(set) => set.contains(value),
            Self::Compare(op, bound) => {
                order(value, bound.borrowed()).is_some_and(|ordering| op.holds(ordering))
            }
            Self::Between(from, to) => {
                matches!(value, ValueRef::Date(nanos) if (*from..=*to).contains(&nanos))
            }
            Self::Wildcard(patterns) => {
                text_of(value).is_some_and(|text| patterns.iter().any(|one| one.matches(&text)))
            }
            Self::Regex(patterns) => {
                text_of(value).is_some_and(|text| patterns.iter().any(|one| one.matches(&text)))
            }
            Self::Cidr(blocks) => {
                ip_of(value).is_some_and(|ip| blocks.iter().any(|block| block.contains(ip)))
            }
            Self::Text(query) => value.as_text().is_some_and(|text| query.matches(text)),
        }
    }
}

/// The order of a value and a bound of the same type.
fn order(value: ValueRef<'_>, bound: ValueRef<'_>) -> Option<Ordering> {
    match (value, bound) {
        (ValueRef::Text(a), ValueRef::Text(b)) => Some(a.cmp(b)),
        (ValueRef::Version(a), ValueRef::Version(b)) => Some(version::compare(a, b)),
        (ValueRef::Date(_), ValueRef::Date(_))
        | (ValueRef::Ip(_), ValueRef::Ip(_))
        | (ValueRef::Boolean(_), ValueRef::Boolean(_)) => Some(value.total_cmp(&bound)),
        _ => compare_numbers(&value, &bound),
    }
}

/// The string that patterns see. Numbers and booleans stand as strings where no schema says what the field is.
fn text_of(value: ValueRef<'_>) -> Option<std::borrow::Cow<'_, str>> {
    match value {
        ValueRef::Text(text) | ValueRef::Version(text) => Some(text.into()),
        other => Datum::from(other).to_text().map(|text| text.into_owned().into()),
    }
}

fn ip_of(value: ValueRef<'_>) -> Option<std::net::IpAddr> {
    match value {
        ValueRef::Ip(ip) => Some(ip),
        ValueRef::Text(text) => parse_ip(text),
        _ => None,
    }
}
