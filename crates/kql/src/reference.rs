//! The forms of KQL as data: what each means, by itself and for each type of field, and examples that tests run.
//!
//! `docs/kql-reference.md` is made from this table. Every node and literal of the syntax tree, and every type that
//! compares in a way of its own, has to be in some example (`crates/kql/tests/reference.rs`).

mod combinations;
mod forms;
mod types;

/// The mapping over the built-in table that examples use, for types that no built-in field has.
pub const MAPPING: &str = r#"{"properties": {"app": {"properties": {"version": {"type": "version"}}}}}"#;

/// What `now` is in the examples, in nanoseconds since 1970: 2026-03-18T12:00:00Z.
pub const NOW: i64 = 1_773_835_200_000_000_000;

/// Forms that belong together.
#[derive(Debug)]
pub struct Group {
    /// The heading.
    pub title: &'static str,
    /// What holds for all of them, in Markdown.
    pub about: &'static str,
    /// The forms.
    pub forms: &'static [&'static Form],
}

/// A form of a query, or what values mean for a type.
#[derive(Debug)]
pub struct Form {
    /// The heading, as it is written: `field: val*`; or the name of a type.
    pub form: &'static str,
    /// What it means, in Markdown.
    pub summary: &'static str,
    /// Queries on events.
    pub examples: &'static [Example],
}

/// A query on an event.
#[derive(Debug)]
pub struct Example {
    /// The query.
    pub query: &'static str,
    /// The event, in JSON.
    pub event: &'static str,
    /// Whether it matches.
    pub matches: bool,
}

/// All forms, in the order of the reference.
pub static GROUPS: &[Group] = &[forms::GROUP, combinations::GROUP, types::GROUP];

const fn yes(query: &'static str, event: &'static str) -> Example {
    Example { query, event, matches: true }
}

const fn no(query: &'static str, event: &'static str) -> Example {
    Example { query, event, matches: false }
}
