//! The syntax tree of an ES|QL query: what was written, with the place of each part.
//!
//! Nothing is resolved here: a name may be a column or not, a call a function or an aggregate. Two trees are equal when
//! they say the same, wherever it stands in the text.

use maxspan_diagnostics::Span;

/// A whole query: settings, and commands in the order in which rows pass through them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tree {
    /// `SET name = value;` before the query.
    pub settings: Vec<Setting>,
    /// The commands between the pipes.
    pub commands: Vec<Command>,
}

/// `SET name = value;`
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// What is set.
    pub name: Word,
    /// To what.
    pub value: Expr,
}

/// A command and its place.
#[derive(Debug, Clone)]
pub struct Command {
    /// What it does.
    pub kind: CommandKind,
    /// From its first word to its end.
    pub span: Span,
}

/// What a command does.
#[derive(Debug, Clone, PartialEq)]
pub enum CommandKind {
    /// `FROM index*, other METADATA _id`
    From(From),
    /// `ROW a = 1`
    Row(Vec<Assignment>),
    /// `WHERE condition`
    Where(Expr),
    /// `EVAL a = b + 1`
    Eval(Vec<Assignment>),
    /// `STATS n = COUNT(*) WHERE x BY y`
    Stats(Stats),
    /// `INLINE STATS n = COUNT(*) BY y`
    InlineStats(Stats),
    /// `KEEP a, b*`
    Keep(Vec<Name>),
    /// `DROP a, b*`
    Drop(Vec<Name>),
    /// `RENAME old AS new`
    Rename(Vec<Renaming>),
    /// `SORT a DESC NULLS LAST`
    Sort(Vec<SortKey>),
    /// `LIMIT 10`
    Limit(Expr),
    /// `DISSECT text "%{a} %{b}"`
    Dissect(Dissect),
    /// `GROK text "%{WORD:a}"`
    Grok(Grok),
    /// `MV_EXPAND a`
    MvExpand(Name),
    /// `ENRICH policy ON field WITH new = old`
    Enrich(Enrich),
    /// `LOOKUP JOIN table ON field`
    LookupJoin(LookupJoin),
    /// A command that is known and not run, by its name.
    Unsupported(Word),
}

/// Where rows come from.
#[derive(Debug, Clone, PartialEq)]
pub struct From {
    /// Index patterns; one that begins with `-` takes away.
    pub patterns: Vec<Word>,
    /// `METADATA _id, _index`.
    pub metadata: Vec<Name>,
}

/// A word of the text: a keyword, a name of a function or type, an index pattern, a string.
#[derive(Debug, Clone)]
pub struct Word {
    /// What it says; for strings without quotes and escapes.
    pub text: String,
    /// Where it stands.
    pub span: Span,
}

/// The name of a column, or in KEEP and DROP a pattern of names.
#[derive(Debug, Clone)]
pub struct Name {
    /// The pieces between wildcards; one piece is a plain name.
    pub pieces: Vec<String>,
    /// Where it stands.
    pub span: Span,
}

/// `name = expression`, or an expression that names its column by its text.
#[derive(Debug, Clone, PartialEq)]
pub struct Assignment {
    /// The name of the column, where one is given.
    pub name: Option<Name>,
    /// The value.
    pub value: Expr,
}

/// The parts of STATS.
#[derive(Debug, Clone, PartialEq)]
pub struct Stats {
    /// What is computed for each group.
    pub aggregates: Vec<Aggregate>,
    /// What groups are made by.
    pub by: Vec<Assignment>,
}

/// `name = expression WHERE condition`
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregate {
    /// Name and expression.
    pub assignment: Assignment,
    /// Which rows count.
    pub filter: Option<Expr>,
}

/// `old AS new`
#[derive(Debug, Clone, PartialEq)]
pub struct Renaming {
    /// The name it has.
    pub old: Name,
    /// The name it gets.
    pub new: Name,
}

/// One key of SORT.
#[derive(Debug, Clone, PartialEq)]
pub struct SortKey {
    /// What rows are compared by.
    pub value: Expr,
    /// Greatest first.
    pub descending: bool,
    /// Whether nulls come first, where it is said.
    pub nulls_first: Option<bool>,
}

/// The parts of DISSECT.
#[derive(Debug, Clone, PartialEq)]
pub struct Dissect {
    /// What is taken apart.
    pub input: Expr,
    /// The pattern.
    pub pattern: Word,
    /// What stands between joined parts.
    pub append_separator: Option<Word>,
}

/// The parts of GROK.
#[derive(Debug, Clone, PartialEq)]
pub struct Grok {
    /// What is searched.
    pub input: Expr,
    /// The patterns; the first that fits counts.
    pub patterns: Vec<Word>,
}

/// The parts of ENRICH.
#[derive(Debug, Clone, PartialEq)]
pub struct Enrich {
    /// The policy.
    pub policy: Word,
    /// The column that is looked up.
    pub on: Option<Name>,
    /// `new = field`, or `field`.
    pub with: Vec<(Option<Name>, Name)>,
}

impl Enrich {
    /// The name of the policy, without the mode that says which cluster looks (`_any:`); here is only one.
    pub fn policy_name(&self) -> &str {
        let (mode, name) = self.policy.text.split_once(':').unwrap_or(("", &self.policy.text));
        if ["_any", "_coordinator", "_remote"].contains(&mode) { name } else { &self.policy.text }
    }
}

/// The parts of LOOKUP JOIN.
#[derive(Debug, Clone, PartialEq)]
pub struct LookupJoin {
    /// The lookup table.
    pub table: Word,
    /// The columns that must be equal.
    pub on: Vec<Name>,
}

/// An expression and its place.
#[derive(Debug, Clone)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it stands, without brackets around it.
    pub span: Span,
    /// How deep its tree is.
    pub(crate) depth: u32,
}

/// Kinds of expressions.
#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    /// `null`
    Null,
    /// `true`, `false`
    Boolean(bool),
    /// A whole number as it is written, with its sign inside lists.
    Integer(String),
    /// A number with point or exponent, as it is written.
    Decimal(String),
    /// A string, without quotes and escapes.
    String(String),
    /// `1 day`
    TimeSpan {
        /// The number as it is written.
        amount: String,
        /// The unit as it is written.
        unit: Word,
    },
    /// `[1, 2]`
    List(Vec<Expr>),
    /// A column.
    Column(Name),
    /// `*` as an argument.
    Star,
    /// `name(argument, …)`
    Call {
        /// The name of the function.
        name: Word,
        /// Its arguments.
        arguments: Vec<Expr>,
        /// `{"option": value}` after the arguments.
        options: Vec<(Word, Expr)>,
    },
    /// `-value`
    Negate(Box<Expr>),
    /// `NOT condition`
    Not(Box<Expr>),
    /// Two operands with an operator between them.
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
    /// `value::type`
    Cast(Box<Expr>, Word),
    /// `value LIKE pattern`, `value RLIKE (pattern, …)`
    Like {
        /// What is looked at.
        value: Box<Expr>,
        /// The patterns; any of them may fit.
        patterns: Vec<Expr>,
        /// RLIKE: regular expressions.
        regex: bool,
        /// `NOT LIKE`.
        negated: bool,
    },
    /// `value IN (other, …)`
    In {
        /// What is looked for.
        value: Box<Expr>,
        /// Where.
        list: Vec<Expr>,
        /// `NOT IN`.
        negated: bool,
    },
    /// `value IS NULL`
    IsNull {
        /// What is looked at.
        value: Box<Expr>,
        /// `IS NOT NULL`.
        negated: bool,
    },
    /// `column : "words"`
    Match(Box<Expr>, Box<Expr>),
    /// Something that could not be read; a diagnostic says why.
    Missing,
}

/// Operators with two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum BinaryOp {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl BinaryOp {
    /// As it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Or => "OR",
            Self::And => "AND",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
        }
    }
}

impl PartialEq for Command {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

impl PartialEq for Word {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.pieces == other.pieces
    }
}

impl PartialEq for Expr {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

impl Expr {
    /// An expression at a place.
    pub fn new(kind: ExprKind, span: Span) -> Self {
        let mut depth = 0;
        kind.for_each_part(&mut |part| depth = depth.max(part.depth));
        Self { kind, span, depth: depth + 1 }
    }

    /// Calls `look` with the expressions directly inside.
    pub fn for_each_part<'a>(&'a self, look: &mut dyn FnMut(&'a Expr)) {
        self.kind.for_each_part(look);
    }
}

impl ExprKind {
    fn for_each_part<'a>(&'a self, look: &mut dyn FnMut(&'a Expr)) {
        match self {
            Self::Null | Self::Boolean(_) | Self::Integer(_) | Self::Decimal(_) | Self::String(_) => {}
            Self::TimeSpan { .. } | Self::Column(_) | Self::Star | Self::Missing => {}
            Self::List(parts) => parts.iter().for_each(look),
            Self::Call { arguments, options, .. } => {
                arguments.iter().for_each(&mut *look);
                for (_, value) in options {
                    look(value);
                }
            }
            Self::Negate(inner) | Self::Not(inner) | Self::Cast(inner, _) => look(inner),
            Self::IsNull { value, .. } => look(value),
            Self::Binary(_, left, right) | Self::Match(left, right) => {
                look(left);
                look(right);
            }
            Self::Like { value, patterns: list, .. } | Self::In { value, list, .. } => {
                look(value);
                list.iter().for_each(look);
            }
        }
    }
}

impl Word {
    /// Whether it is this word, in any case.
    pub fn is(&self, word: &str) -> bool {
        self.text.eq_ignore_ascii_case(word)
    }
}

impl Name {
    /// A plain name.
    pub fn plain(text: impl Into<String>, span: Span) -> Self {
        Self { pieces: vec![text.into()], span }
    }

    /// The name, if it has no wildcard.
    pub fn as_plain(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [name] => Some(name),
            _ => None,
        }
    }

    /// The text with `*` for wildcards.
    pub fn text(&self) -> String {
        self.pieces.join("*")
    }
}

impl Tree {
    /// The index patterns of FROM; none for ROW.
    pub fn index_patterns(&self) -> Vec<&str> {
        self.from()
            .map(|from| from.patterns.iter().map(|word| word.text.as_str()).collect())
            .unwrap_or_default()
    }

    /// The source command, where it is FROM.
    pub fn from(&self) -> Option<&From> {
        self.commands.iter().find_map(|command| match &command.kind {
            CommandKind::From(from) => Some(from),
            _ => None,
        })
    }

    /// Whether rows of the result stand for groups and no more for documents: whether there is a STATS.
    pub fn is_aggregating(&self) -> bool {
        self.commands.iter().any(|command| matches!(command.kind, CommandKind::Stats(_)))
    }

    /// The tables that LOOKUP JOIN and ENRICH name.
    pub fn lookup_names(&self) -> Vec<&str> {
        let names = self.commands.iter().filter_map(|command| match &command.kind {
            CommandKind::Enrich(enrich) => Some(enrich.policy_name()),
            CommandKind::LookupJoin(join) => Some(join.table.text.as_str()),
            _ => None,
        });
        names.collect()
    }

    /// The columns that `MV_EXPAND` unfolds.
    pub fn expanded_columns(&self) -> Vec<String> {
        let expanded = self.commands.iter().filter_map(|command| match &command.kind {
            CommandKind::MvExpand(name) => Some(name.text()),
            _ => None,
        });
        expanded.collect()
    }
}
