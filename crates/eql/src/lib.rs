//! EQL: text to syntax tree and diagnostics, and on to a plan.

pub mod ast;
mod functions;
mod lexer;
pub mod limits;
pub mod literal;
mod lower;
mod parser;
mod position;
pub mod reference;

pub use literal::unquote;
pub use lower::{LowerOptions, Strictness, lower, outline};
pub use parser::{ParseOptions, parse, parse_expression, parse_expression_with, parse_with};
pub use position::elasticsearch_position;
