//! KQL: text to syntax tree and diagnostics, and on to a plan.

pub mod ast;
pub mod limits;
mod parser;
mod print;

pub use parser::{ParseOptions, parse, parse_literal};
pub use print::to_kql;
