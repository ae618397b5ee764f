//! A spec file as data: cases, what they run and what they expect, each with its place in the Markdown.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use maxspan_diagnostics::{Diagnostic, Source, Span};
use serde_json::{Map, Value};

use super::options::SpecOptions;

/// A Markdown file with cases.
#[derive(Debug)]
pub struct SpecFile {
    /// The text; its name is the path.
    pub source: Arc<Source>,
    /// Cases in the order of the file.
    pub cases: Vec<Case>,
    /// What is wrong with the file. Cases that an error is about are not run.
    pub diagnostics: Vec<Diagnostic>,
}

/// One heading with what is below it.
#[derive(Debug)]
pub struct Case {
    /// The heading's text; the file's name where there is none.
    pub name: String,
    /// The headings above it, from the second level on.
    pub above: Vec<String>,
    /// The heading.
    pub span: Span,
    /// The heading's line, from 1.
    pub line: usize,
    /// An error was found in it or in what it inherits.
    pub is_broken: bool,
    pub(crate) setup: Setup,
    pub(crate) events: Vec<Events>,
    pub(crate) expected: Expected,
}

/// A fenced block.
#[derive(Debug, Clone)]
pub struct Block {
    /// All of it, fences included.
    pub span: Span,
    /// The text after the opening fence.
    pub info: Span,
    /// The lines between the fences as they are in the file.
    pub content: Span,
    /// The same without the indentation of the block.
    pub text: Arc<str>,
    /// The line of the first line between the fences, from 1.
    pub line: usize,
}

/// A link to a file or folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The path: that of the spec's folder and what is written, joined.
    pub path: PathBuf,
    /// The link.
    pub span: Span,
}

/// What a case runs with. Parts that several cases inherit are shared.
#[derive(Debug, Clone, Default)]
pub(crate) struct Setup {
    pub(crate) rules: Arc<[RuleSource]>,
    pub(crate) exceptions: Arc<[ExceptionSource]>,
    pub(crate) mapping: Option<Block>,
    pub(crate) options: Option<Arc<SpecOptions>>,
    /// An error was found in one of these.
    pub(crate) is_broken: bool,
}

#[derive(Debug, Clone)]
pub(crate) enum RuleSource {
    Link(Link),
    Text { block: Block, format: RuleFormat },
    Query(Box<QueryRule>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RuleFormat {
    Toml,
    Json,
    NdJson,
}

/// A query alone, and what its attributes say of the rule around it.
#[derive(Debug, Clone)]
pub(crate) struct QueryRule {
    pub(crate) block: Block,
    /// `eql` or `kuery`.
    pub(crate) language: &'static str,
    pub(crate) name: String,
    pub(crate) id: String,
    /// Further fields of the rule.
    pub(crate) fields: Map<String, Value>,
}

#[derive(Debug, Clone)]
pub(crate) enum ExceptionSource {
    Link(Link),
    Text { block: Block, format: RuleFormat },
}

/// Events of a case, in a block or a file.
#[derive(Debug, Clone)]
pub(crate) struct Events {
    pub(crate) from: EventsFrom,
    /// Nanoseconds by which all dates move.
    pub(crate) shift: i64,
    /// Nanoseconds from an event's time to its arrival.
    pub(crate) late: Option<i64>,
    pub(crate) repeat: u64,
    /// Nanoseconds between repetitions.
    pub(crate) every: i64,
    pub(crate) alerts: Option<ExpectedCount>,
}

#[derive(Debug, Clone)]
pub(crate) enum EventsFrom {
    Block(Block),
    Link(Link),
}

/// How many alerts end with an event of the block.
#[derive(Debug, Clone)]
pub(crate) struct ExpectedCount {
    pub(crate) count: u64,
    /// What says so, and what `--update` replaces: the number, or the word `silent`.
    pub(crate) span: Span,
    pub(crate) is_silent: bool,
}

/// What a case expects; what is none is not compared.
#[derive(Debug, Clone, Default)]
pub(crate) struct Expected {
    pub(crate) alerts: Option<ExpectedAlerts>,
    pub(crate) count: Option<(Block, u64)>,
    pub(crate) stats: Option<(Block, Map<String, Value>)>,
    pub(crate) diagnostics: Option<(Block, Vec<ExpectedDiagnostic>)>,
    pub(crate) explain: Option<Block>,
}

#[derive(Debug, Clone)]
pub(crate) struct ExpectedAlerts {
    pub(crate) block: Block,
    pub(crate) alerts: Vec<ExpectedAlert>,
}

/// A line of an `alerts` block.
#[derive(Debug, Clone)]
pub(crate) struct ExpectedAlert {
    pub(crate) fields: Map<String, Value>,
    /// The line as it is written.
    pub(crate) text: String,
}

/// A line of a `diagnostics` block.
#[derive(Debug, Clone)]
pub(crate) struct ExpectedDiagnostic {
    pub(crate) code: String,
    pub(crate) place: Option<(usize, usize)>,
    /// What the message contains.
    pub(crate) message: String,
    /// The line as it is written.
    pub(crate) text: String,
}

impl SpecFile {
    /// The files and folders that cases link to.
    pub fn links(&self) -> BTreeSet<PathBuf> {
        let mut paths = BTreeSet::new();
        for case in &self.cases {
            let rules = case.setup.rules.iter().filter_map(|rule| match rule {
                RuleSource::Link(link) => Some(link),
                _ => None,
            });
            let exceptions = case.setup.exceptions.iter().filter_map(|source| match source {
                ExceptionSource::Link(link) => Some(link),
                ExceptionSource::Text { .. } => None,
            });
            let events = case.events.iter().filter_map(|events| match &events.from {
                EventsFrom::Link(link) => Some(link),
                EventsFrom::Block(_) => None,
            });
            paths.extend(rules.chain(exceptions).chain(events).map(|link| link.path.clone()));
        }
        paths
    }

    /// Whether the file says anything about specs.
    pub fn is_spec(&self) -> bool {
        !self.cases.is_empty() || !self.diagnostics.is_empty()
    }
}

impl Case {
    /// The headings that lead to the case, in one line.
    pub fn title(&self) -> String {
        let mut parts = self.above.clone();
        parts.push(self.name.clone());
        parts.join(" › ")
    }
}

impl Expected {
    /// Whether nothing is expected.
    pub(crate) fn is_empty(&self) -> bool {
        let Self { alerts, count, stats, diagnostics, explain } = self;
        alerts.is_none() && count.is_none() && stats.is_none() && diagnostics.is_none() && explain.is_none()
    }
}
