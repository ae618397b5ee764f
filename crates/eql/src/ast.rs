//! The syntax tree of an EQL query. It mirrors the text: nothing is resolved, typed or simplified yet.

use maxspan_diagnostics::Span;

/// A whole query: what to find, then the pipes.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// What to find.
    pub kind: QueryKind,
    /// `| head 3`, `| tail 1`, in order.
    pub pipes: Vec<Pipe>,
}

/// The three kinds of queries.
#[derive(Debug, Clone, PartialEq)]
pub enum QueryKind {
    /// `process where …`
    Event(EventQuery),
    /// `sequence by … with maxspan=… [..] [..] until [..]`
    Sequence(SequenceQuery),
    /// `sample by … [..] [..]`
    Sample(SampleQuery),
}

/// `category where condition`.
#[derive(Debug, Clone, PartialEq)]
pub struct EventQuery {
    /// The event category; none for `any`.
    pub category: Option<String>,
    /// Where the category (or `any`) stands.
    pub category_span: Span,
    /// The condition after `where`.
    pub condition: Expr,
    /// The whole event query, without brackets.
    pub span: Span,
}

/// A sequence of two or more stages.
#[derive(Debug, Clone, PartialEq)]
pub struct SequenceQuery {
    /// Join keys of all stages, before those of each stage.
    pub by: Vec<Expr>,
    /// Longest time from the first event to the last.
    pub maxspan: Option<TimeSpan>,
    /// The stages as written; `with runs=n` is not expanded.
    pub stages: Vec<Stage>,
    /// The event that ends a sequence in vain.
    pub until: Option<Stage>,
    /// The keyword `sequence`.
    pub span: Span,
}

/// A sample: events in any order that share keys.
#[derive(Debug, Clone, PartialEq)]
pub struct SampleQuery {
    /// Join keys of all stages, before those of each stage.
    pub by: Vec<Expr>,
    /// The stages.
    pub stages: Vec<Stage>,
    /// The keyword `sample`.
    pub span: Span,
}

/// `[category where condition] by key with runs=n`, or `![…]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Stage {
    /// `![…]`: the event must be missing.
    pub missing: bool,
    /// What is between the brackets.
    pub query: EventQuery,
    /// The stage's own join keys.
    pub by: Vec<Expr>,
    /// `with runs=n`.
    pub runs: Option<Runs>,
    /// From the opening bracket (or `!`) to the end of the stage's options.
    pub span: Span,
}

/// `with runs=n`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Runs {
    /// How often the stage repeats, from 1.
    pub count: u32,
    /// The number.
    pub span: Span,
}

/// `maxspan=5m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeSpan {
    /// Length in milliseconds.
    pub millis: i64,
    /// Number and unit.
    pub span: Span,
}

/// `| name argument, …`.
#[derive(Debug, Clone, PartialEq)]
pub struct Pipe {
    /// `head`, `tail`, or what else was written.
    pub name: String,
    /// The name.
    pub name_span: Span,
    /// The arguments.
    pub arguments: Vec<Expr>,
}

/// An expression and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it stands; without the parentheses around it.
    pub span: Span,
}

impl Expr {
    /// The expressions that it is made of, in the order of the text; those of a lineage query are none of them, since
    /// they are about other events.
    pub fn children(&self) -> Vec<&Expr> {
        match &self.kind {
            ExprKind::Null
            | ExprKind::Boolean(_)
            | ExprKind::Integer(_)
            | ExprKind::Decimal(_)
            | ExprKind::String(_)
            | ExprKind::Field(_)
            | ExprKind::Lineage { .. } => Vec::new(),
            ExprKind::Not(inner) | ExprKind::Negate(inner) => vec![inner],
            ExprKind::And(list) | ExprKind::Or(list) | ExprKind::Call { arguments: list, .. } => {
                list.iter().collect()
            }
            ExprKind::Arithmetic { left, right, .. } | ExprKind::Compare { left, right, .. } => {
                vec![left, right]
            }
            ExprKind::In { value, list, .. } | ExprKind::Match { value, patterns: list, .. } => {
                std::iter::once(&**value).chain(list).collect()
            }
        }
    }
}

/// What an expression is.
#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    /// `null`
    Null,
    /// `true`, `false`
    Boolean(bool),
    /// `42`
    Integer(i64),
    /// `4.2`, `5e14`
    Decimal(f64),
    /// `"text"`, `"""text"""`, decoded
    String(String),
    /// `process.name`, `?process.name`, `` `odd name` ``
    Field(FieldName),
    /// `not x`
    Not(Box<Expr>),
    /// `a and b and c`, flat
    And(Vec<Expr>),
    /// `a or b or c`, flat
    Or(Vec<Expr>),
    /// `-x`
    Negate(Box<Expr>),
    /// `a + b`
    Arithmetic {
        /// The operator.
        op: ArithmeticOp,
        /// Left operand.
        left: Box<Expr>,
        /// Right operand.
        right: Box<Expr>,
    },
    /// `a == b`
    Compare {
        /// The operator.
        op: CompareOp,
        /// Left operand.
        left: Box<Expr>,
        /// Right operand.
        right: Box<Expr>,
    },
    /// `x in (…)`, `x not in~ (…)`
    In {
        /// The value that is looked for.
        value: Box<Expr>,
        /// What it is looked for in; not empty.
        list: Vec<Expr>,
        /// `not in`
        negated: bool,
        /// `in~`
        ignore_case: bool,
    },
    /// `x : "a*"`, `x like ("a*", "b?")`, `x regex~ "…"`
    Match {
        /// The operator.
        op: MatchOp,
        /// The value that is matched.
        value: Box<Expr>,
        /// The patterns, any of which may match; not empty.
        patterns: Vec<Expr>,
    },
    /// `length(x)`, `startsWith~(x, "a")`
    Call {
        /// The name as written, without `~`.
        name: String,
        /// The name, without `~`.
        name_span: Span,
        /// Whether `~` follows the name.
        ignore_case: bool,
        /// The arguments.
        arguments: Vec<Expr>,
    },
    /// `child of [process where …]`
    Lineage {
        /// Which relation.
        relation: Relation,
        /// The query that the related process must have matched.
        query: Box<EventQuery>,
    },
}

/// A field's name in a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldName {
    /// The name, with dots, without backquotes.
    pub name: String,
    /// `?name`: null, not an error, where no schema knows it.
    pub optional: bool,
}

/// `+ - * / %`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum ArithmeticOp {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
}

/// `== != < <= > >=`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum CompareOp {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// String matching operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MatchOp {
    /// `:` — wildcards, case ignored.
    Colon,
    /// `like` — wildcards.
    Like,
    /// `like~` — wildcards, case ignored.
    LikeIgnoreCase,
    /// `regex` — Lucene's syntax, whole string.
    Regex,
    /// `regex~` — the same, case ignored.
    RegexIgnoreCase,
}

/// Process relations of the older dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// `child of`: the parent process matched.
    Child,
    /// `descendant of`: some ancestor matched.
    Descendant,
    /// `event of`: the process itself matched.
    Event,
}
