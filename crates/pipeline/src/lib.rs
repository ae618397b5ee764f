//! Inputs, and the run of rules over them.
//!
//! [`input`] reads events from files, folders and streams; [`rule_base`] turns rule documents into a rule set;
//! [`hunt`] runs it over an input and gives alerts; [`diff`] runs two and compares; [`explain`] says why a rule matches
//! or not; [`query`] runs one query and answers as Elasticsearch does; [`check`] says what is wrong with rules,
//! [`against`] what events say about them; [`spec`] runs the tests of rules; [`cost`] says how rules are found and what
//! they cost, [`profile`] measures what they are found by; [`lookups`] keeps tables that rules and queries look into.

pub mod against;
pub mod check;
pub mod cost;
pub mod diff;
pub mod executions;
pub mod explain;
pub mod hunt;
pub mod input;
mod kept;
pub mod last_time;
pub mod limits;
pub mod lookups;
mod matching;
pub mod profile;
pub mod query;
mod retained;
mod rows_runs;
pub mod rule_base;
pub mod select;
mod source;
mod span;
pub mod spec;
pub mod spill;
mod suppress;
mod workers;
