//! The shared typed plan of a rule: what one event must satisfy ([`Predicate`]), and what several must ([`Plan`]).
//!
//! Each query language lowers its syntax tree to a plan; from here on nobody knows which language a rule came from.
//! Fields are slots of [`maxspan_event::Fields`], so a plan can be evaluated as it is.
//!
//! Two ways to look at a field decide which events match, and they treat a missing field differently:
//!
//! * a [`Test`] is two-valued: a missing field fails it, so its negation holds;
//! * an [`Expr`] is three-valued: a missing field is null, null stays null under `not`, and only true matches.

pub mod condition;
mod datum;
pub mod dump;
mod expr;
pub mod functions;
mod grouped;
pub mod indicators;
pub mod limits;
mod pattern;
mod predicate;
mod stream;

pub use datum::{Datum, compare, equals};
pub use expr::{CompareOp, Expr};
pub use functions::Function;
pub use grouped::{GroupTest, Grouped, Windows};
pub use indicators::{Indicators, JoinForm, MappingEntry, MappingGroup, RunBound};
pub use pattern::regex::{LuceneRegex, RegexBudget, RegexError};
pub use pattern::text::{TextMode, TextQuery, words};
pub use predicate::{ByKind, Environment, Leaves, LineageId, Predicate, RangeOp, Test, TestKind, ValueSet};
pub use stream::{Key, Limit, Lineage, Plan, PlanKind, Relation, Sample, Sequence, Step};
