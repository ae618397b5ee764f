//! The operators of EQL as data: what each means, and examples that tests run.
//!
//! `docs/eql-operators.md` is made from this table. It says nothing that the examples beside it do not show, and every
//! operator of the syntax tree has to be in some example (`crates/eql/tests/reference.rs`).

mod comparison;
mod field;
mod logic;
mod pattern;

/// The mapping over the built-in table that examples use, for types that no built-in field has.
pub const MAPPING: &str = r#"{"properties": {"app": {"properties": {"version": {"type": "version"}}}}}"#;

/// Operators that belong together.
#[derive(Debug)]
pub struct Group {
    /// The heading.
    pub title: &'static str,
    /// What holds for all of them, in Markdown.
    pub about: &'static str,
    /// The operators.
    pub operators: &'static [&'static Operator],
}

/// An operator, or a way to write an operand.
#[derive(Debug)]
pub struct Operator {
    /// As it is written: `in~`.
    pub symbol: &'static str,
    /// What it is called.
    pub name: &'static str,
    /// What stands on its left and right.
    pub operands: &'static str,
    /// What it means, in a sentence or two.
    pub summary: &'static str,
    /// What a missing field makes of it.
    pub missing: &'static str,
    /// Conditions on events.
    pub examples: &'static [Example],
}

/// A condition on an event.
#[derive(Debug)]
pub struct Example {
    /// What stands after `where`.
    pub condition: &'static str,
    /// The event, in JSON.
    pub event: &'static str,
    /// What it comes to.
    pub truth: Truth,
}

/// What a condition comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truth {
    /// It holds.
    True,
    /// It does not hold, and its negation does.
    False,
    /// Neither it nor its negation holds.
    Null,
    /// It holds, and so does its negation: an ordering over several values.
    Both,
}

impl Truth {
    /// From whether the condition holds, and whether its negation does.
    pub fn of(holds: bool, negation_holds: bool) -> Self {
        match (holds, negation_holds) {
            (true, false) => Self::True,
            (false, true) => Self::False,
            (false, false) => Self::Null,
            (true, true) => Self::Both,
        }
    }

    /// As the reference writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::True => "true",
            Self::False => "false",
            Self::Null => "null",
            Self::Both => "both",
        }
    }
}

/// All operators, in the order of the reference.
pub static GROUPS: &[Group] = &[comparison::GROUP, pattern::GROUP, logic::GROUP, field::GROUP];

const fn holds(condition: &'static str, event: &'static str) -> Example {
    Example { condition, event, truth: Truth::True }
}

const fn fails(condition: &'static str, event: &'static str) -> Example {
    Example { condition, event, truth: Truth::False }
}

const fn unknown(condition: &'static str, event: &'static str) -> Example {
    Example { condition, event, truth: Truth::Null }
}

const fn both(condition: &'static str, event: &'static str) -> Example {
    Example { condition, event, truth: Truth::Both }
}
