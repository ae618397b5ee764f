//! Messages as text for a person, and as data for a tool.

use std::fmt::Write;

use codespan_reporting::diagnostic::{
    Diagnostic as Rendered, Label as RenderedLabel, Severity as RenderedSeverity,
};
use codespan_reporting::files::SimpleFile;
use codespan_reporting::term::{self, Config};
use serde::Serialize;

use crate::excerpt::Excerpt;
use crate::{Code, Diagnostic, Severity, Source, Span};

/// The messages as text, with the lines they are about; without colour. Of long lines only the place is shown.
pub fn render(source: &Source, diagnostics: &[Diagnostic]) -> String {
    let file = SimpleFile::new(&source.name, &source.text);
    let config = Config::default();
    let mut out = String::new();
    for diagnostic in diagnostics {
        let emitted = match Excerpt::of(source, diagnostic) {
            Some(excerpt) => {
                let rendered = to_rendered(&excerpt.moved(diagnostic));
                term::emit_to_string(&mut out, &config, &excerpt, &rendered)
            }
            None => term::emit_to_string(&mut out, &config, &file, &to_rendered(diagnostic)),
        };
        if emitted.is_err() {
            // A span that does not fit the text: still say what is wrong.
            // Writing to a string cannot fail.
            let _ = writeln!(out, "{}: {}", diagnostic.code, diagnostic.message);
        }
    }
    out
}

fn to_rendered(diagnostic: &Diagnostic) -> Rendered<()> {
    let severity = match diagnostic.severity() {
        Severity::Error => RenderedSeverity::Error,
        Severity::Warning => RenderedSeverity::Warning,
        Severity::Note => RenderedSeverity::Note,
    };
    let mut labels = vec![RenderedLabel::primary((), diagnostic.span.start..diagnostic.span.end)];
    for label in &diagnostic.labels {
        labels.push(RenderedLabel::secondary((), label.span.start..label.span.end).with_message(&label.text));
    }
    let mut rendered = Rendered::new(severity)
        .with_code(diagnostic.code.to_string())
        .with_message(&diagnostic.message)
        .with_labels(labels);
    if let Some(help) = &diagnostic.help {
        rendered = rendered.with_notes(vec![format!("help: {help}")]);
    }
    rendered
}

/// A message with its place resolved, as JSON output has it.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The code, `MX1101`.
    pub code: Code,
    /// The code's name, `eql-token`.
    pub name: &'static str,
    /// How grave it is.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// The rule that the message is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule_id: Option<String>,
    /// A way out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// The page that explains the code, in the documentation.
    pub page: String,
    /// The file, or what else the text is called.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Last line of the text that is meant.
    pub end_line: usize,
    /// One past its last column.
    pub end_column: usize,
    /// The same place in bytes.
    pub span: Span,
}

impl Report {
    /// Resolves the place of a message in its text.
    pub fn new(source: &Source, diagnostic: &Diagnostic) -> Self {
        let (start, end) = (source.position(diagnostic.span.start), source.position(diagnostic.span.end));
        Self {
            code: diagnostic.code,
            name: diagnostic.code.info().name,
            severity: diagnostic.severity(),
            message: diagnostic.message.clone(),
            rule_id: diagnostic.rule_id.clone(),
            help: diagnostic.help.clone(),
            page: diagnostic.code.page(),
            file: source.name.clone(),
            line: start.line,
            column: start.column,
            end_line: end.line,
            end_column: end.column,
            span: diagnostic.span,
        }
    }
}
