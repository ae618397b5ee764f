//! KQL: text to syntax tree and diagnostics, and on to a plan.

pub mod ast;
pub mod limits;
mod lower;
mod parser;
mod print;
pub mod reference;

pub use lower::{LowerOptions, lower, outline, range_test, value_test};
pub use parser::{ParseOptions, parse, parse_literal};
pub use print::to_kql;
