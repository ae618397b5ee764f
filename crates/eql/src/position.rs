//! Positions as Elasticsearch reports them, for comparison with its messages.

use maxspan_diagnostics::{Code, Diagnostic, Position, Source, codes};

/// Line and column where Elasticsearch reports the same error.
///
/// Spans of diagnostics are always the true place. Elasticsearch counts one column too many where the error is raised
/// by code that walks the finished parse tree, rather than by its lexer or grammar; the code tells which it is.
///
/// ```
/// use maxspan_diagnostics::{Source, codes};
/// let source = Source::new("query", "'text'");
/// let (_, diagnostics) = maxspan_eql::parse_expression(&source.text);
/// assert_eq!(diagnostics[0].code, codes::EQL_STRING_QUOTES);
/// assert_eq!(source.position(diagnostics[0].span.start).to_string(), "1:1");
/// assert_eq!(maxspan_eql::elasticsearch_position(&source, &diagnostics[0]).to_string(), "1:2");
/// ```
pub fn elasticsearch_position(source: &Source, diagnostic: &Diagnostic) -> Position {
    let mut position = source.position(diagnostic.span.start);
    if RAISED_FROM_CODE.contains(&diagnostic.code) {
        position.column += 1;
    }
    position
}

/// Codes of errors that are found in the finished parse tree.
const RAISED_FROM_CODE: &[Code] = &[
    codes::EQL_STRING_QUOTES,
    codes::EQL_UNICODE_ESCAPE,
    codes::EQL_OPTION,
    codes::EQL_TIME_UNIT,
    codes::EQL_STAGES,
    codes::EQL_ARGUMENT_COUNT,
    codes::EQL_NUMBER,
    codes::EQL_PIPE,
];
