//! Specs: Markdown files that say which alerts rules raise on which events.
//!
//! ```text
//! Markdown ── parse ──► SpecFile {cases, messages}
//!                          │  Runner::run: rules and events of the case, through RuleBase and hunt
//!                       CaseRun {alerts, stats, …}
//!                          │  compared with what the case expects
//!                       CaseOutcome {verdict, differences, edits for `--update`}
//! ```
//!
//! [`parse`] is a function of a text; what a case links to is read through [`SpecFiles`], so that specs need no file
//! system. Neither panics on any text. The format is described in `docs/specs.md`.
//!
//! ```
//! use maxspan_pipeline::spec::{MemoryFiles, Runner, RunnerOptions, Verdict, parse};
//!
//! let text = "# Shells\n\n```eql rule\nprocess where process.name == \"sh\"\n```\n\n## A shell\n\n\
//!             ```ndjson events alerts=1\n{\"event\": {\"category\": \"process\"}, \"process\": {\"name\": \"sh\"}}\n```\n";
//! let spec = parse("shells.md", text);
//! let files = MemoryFiles::default();
//! let runner = Runner::new(&files, RunnerOptions::default());
//! assert_eq!(runner.run(&spec, &spec.cases[0]).verdict, Verdict::Passed);
//! ```

mod compare;
mod document;
mod events;
mod expect;
mod files;
mod info;
mod markdown;
mod options;
mod parse;
mod rules;
mod run;
mod update;

pub use document::{Block, Case, Link, SpecFile};
pub use events::CaseEvent;
pub use expect::Difference;
pub use files::{DiskFiles, MemoryFiles, SpecFiles};
pub use parse::parse;
pub use run::{CaseOutcome, CaseRun, Runner, RunnerOptions, Verdict, diagnostics};
pub use update::{Edit, edited};
