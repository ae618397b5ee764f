//! Inputs, and the run of rules over them.
//!
//! [`input`] reads events from files, folders and streams; [`rule_base`] turns rule documents into a rule
//! set; [`hunt`] runs it over an input and gives alerts; [`diff`] runs two and compares; [`query`] runs one
//! query and answers as Elasticsearch does.

pub mod diff;
pub mod hunt;
pub mod input;
pub mod limits;
pub mod query;
mod retained;
pub mod rule_base;
mod source;
