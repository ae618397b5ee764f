//! The syntax tree of a KQL query. It mirrors the grammar: nothing is resolved or typed yet.

use maxspan_diagnostics::Span;

/// A query or a part of one, and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// What it is.
    pub kind: NodeKind,
    /// Where it stands.
    pub span: Span,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq)]
pub enum NodeKind {
    /// `field: value`, or a bare value.
    Is {
        /// The field; none for free text.
        field: Option<Literal>,
        /// The value.
        value: Literal,
    },
    /// `field >= value`.
    Range {
        /// The field.
        field: Literal,
        /// The comparison.
        op: RangeOp,
        /// The bound.
        value: Literal,
    },
    /// Two or more, flat.
    And(Vec<Node>),
    /// Two or more, flat.
    Or(Vec<Node>),
    /// `not x`
    Not(Box<Node>),
    /// `path: { … }`; inner field names are relative to the path.
    Nested {
        /// The path of the array of objects.
        path: Literal,
        /// What one of its objects must satisfy.
        query: Box<Node>,
    },
}

/// A literal and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Literal {
    /// What it is.
    pub kind: LiteralKind,
    /// Where it stands.
    pub span: Span,
}

/// What a literal is.
#[derive(Debug, Clone, PartialEq)]
pub enum LiteralKind {
    /// `null`
    Null,
    /// `true`, `false`
    Boolean(bool),
    /// Unquoted text, unescaped. Numbers are text too.
    Text(String),
    /// Quoted text, unescaped.
    Quoted(String),
    /// Unquoted text with wildcards: the parts between the `*`, unescaped. `*` alone is two empty parts.
    Wildcard(Vec<String>),
}

/// `< <= > >=`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum RangeOp {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}
