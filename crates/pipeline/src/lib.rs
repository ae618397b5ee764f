//! Inputs, and the run of rules over them.

pub mod input;
pub mod limits;
