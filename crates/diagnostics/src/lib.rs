//! Source text, spans, coded messages and their rendering.
//!
//! An error about a user's text is data: a [`Code`] from the one registry, a message, the [`Span`] it is about,
//! further labelled spans, and a way out. It is rendered only at the edge ([`render`], or [`Report`] as JSON).
//!
//! ```
//! use maxspan_diagnostics::{Diagnostic, Source, Span, codes};
//! let source = Source::new("query", "process where pdi == 1");
//! let diagnostic = Diagnostic::new(codes::EQL_UNKNOWN_FIELD, Span::new(14, 17), "unknown field `pdi`")
//!     .with_help("did you mean `pid`?");
//! assert_eq!(source.position(diagnostic.span.start).to_string(), "1:15");
//! assert!(maxspan_diagnostics::render(&source, &[diagnostic]).contains("did you mean"));
//! ```

mod code;
pub mod codes;
mod excerpt;
mod messages;
mod nearest;
mod printable;
mod render;
mod source;

pub use code::{Code, CodeInfo, Severity};
pub use messages::Messages;
pub use nearest::nearest_names;
pub use printable::printable;
pub use render::{Report, render};
pub use source::{Position, Source, Span};

/// One message about a text: what is wrong, where, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Which message this is; gives the severity too.
    pub code: Code,
    /// What is wrong with this text, in one sentence without a full stop.
    pub message: String,
    /// The text that is meant.
    pub span: Span,
    /// Other places that explain the message.
    pub labels: Vec<Label>,
    /// A way out: what to write instead, or where to look.
    pub help: Option<String>,
    /// The id of the rule that the message is about, where it is about one.
    pub rule_id: Option<String>,
}

/// A second place in the text, and what it has to do with the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// Its part in the message.
    pub text: String,
}

impl Diagnostic {
    /// A message without labels or help.
    pub fn new(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), span, labels: Vec::new(), help: None, rule_id: None }
    }

    /// The same, with a way out.
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same, with one more labelled place.
    pub fn with_label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    /// The same, about a rule; one that is about a rule already stays so.
    pub fn about_rule(mut self, rule_id: &str) -> Self {
        self.rule_id.get_or_insert_with(|| rule_id.to_owned());
        self
    }

    /// How grave the message is.
    pub fn severity(&self) -> Severity {
        self.code.severity()
    }

    /// Whether the text cannot be used.
    pub fn is_error(&self) -> bool {
        self.severity() == Severity::Error
    }
}

/// Whether any of the messages is an error.
pub fn has_errors(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(Diagnostic::is_error)
}
