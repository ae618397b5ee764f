//! Conformance with packs that others wrote: EQL and KQL cases, the rule corpus, generated events.
//!
//! The packs are read from `MAXSPAN_SHARED` (default: `../shared` beside the checkout). Where they are absent each test
//! says `SKIPPED:` and passes, but not in CI. With `MAXSPAN_CONFORMANCE_OUT` each test writes its numbers there, for
//! `cargo xtask conformance`.

mod corpus;
mod eql_cases;
mod eql_errors;
mod generated;
mod kql_cases;
mod macos;
mod support;
