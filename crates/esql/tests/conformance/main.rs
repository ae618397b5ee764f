//! Conformance with packs that others wrote: ES|QL cases with their results and warnings, and the rules of the corpus.
//!
//! The packs are read from `MAXSPAN_SHARED` as the other conformance tests do, whose record this one writes too.

mod cases;
mod corpus;
mod data;
#[allow(dead_code, reason = "the other conformance tests use the rest of it")]
#[path = "../../../pipeline/tests/conformance/support.rs"]
mod support;
