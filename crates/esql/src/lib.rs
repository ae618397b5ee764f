//! ES|QL: text to syntax tree, typed query, and a plain executor in memory.
//!
//! 1. [`parse`] makes a [`ast::Tree`] of any text; what is wrong is in the diagnostics.
//! 2. [`analyze`] resolves it against a [`Schema`]: a [`Query`] with typed expressions over numbered columns.
//! 3. [`run`](run::run) executes the query over rows in memory. It is the meaning that other engines are held against: they
//!    may use [`functions`] and [`aggregates`] as they are, row by row, and lower the rest.
//!
//! ```
//! use maxspan_diagnostics::Source;
//! use maxspan_esql::{analyze, parse, run};
//! let source = Source::new("query", "ROW a = [1, 2, 3] | STATS sum = SUM(a)");
//! let (tree, diagnostics) = parse(&source.text);
//! assert!(diagnostics.is_empty());
//! let tables = run::Tables::default();
//! let (query, _) = analyze(&tree, &source, &tables);
//! let result = run::run(&query.unwrap(), &tables, &run::Options::default()).unwrap();
//! assert_eq!(result.rows, [[maxspan_esql::Value::Long(6)]]);
//! ```

pub mod aggregates;
mod analyze;
pub mod ast;
mod civil;
pub mod dissect;
pub mod evaluate;
#[allow(clippy::unnecessary_wraps, reason = "the functions of a table have one signature")]
pub mod functions;
pub mod grok;
pub mod language;
mod lexer;
pub mod limits;
mod necessary;
mod parser;
mod print;
pub mod query;
mod regexes;
pub mod rows;
pub mod run;
mod schema;
pub mod search;
mod time_span;
mod time_window;
pub mod types;
pub mod value;
mod warning;
mod zone;

pub use analyze::analyze;
pub use functions::convert::{convert, to_text};
pub use necessary::{necessary, outline};
pub use parser::parse;
pub use print::to_esql;
pub use query::Query;
pub use schema::{EventSchema, Policy, Schema, WithTables};
pub use time_span::{TimeSpan, Unit};
pub use time_window::time_window;
pub use types::{DataType, Types};
pub use value::{Value, ValueRef};
pub use warning::{Failure, Warnings};
pub use zone::Zone;
