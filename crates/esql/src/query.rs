//! A typed query: what a tree means over known columns. Names are resolved, types are checked, constants are folded.
//!
//! Columns have ids that stand for one meaning throughout the query; KEEP, DROP and RENAME only change which ids can be
//! seen under which names, and leave no command behind. What an engine has to do is in [`Query::commands`], in order.

use std::sync::Arc;

use maxspan_diagnostics::{Source, Span};
use maxspan_event::wildcard::Wildcard;
use maxspan_event::{Decoder, Slot};
use maxspan_plan::{CompareOp, LuceneRegex, Predicate};

use crate::aggregates::AggregateFunction;
use crate::analyze::reads_clock;
use crate::dissect::Dissector;
use crate::functions::Function;
use crate::grok::Grok;
use crate::search::MatchQuery;
use crate::types::DataType;
use crate::value::Value;
use crate::zone::Zone;

/// A query that can be run.
#[derive(Debug, Clone)]
pub struct Query {
    /// The text, for the places in warnings.
    pub source: Arc<Source>,
    /// All columns that any command has, by id.
    pub columns: Vec<Column>,
    /// What is done, in order.
    pub commands: Vec<Command>,
    /// The columns of the result with their names, in order.
    pub output: Vec<(String, ColumnId)>,
    /// The zone of days and hours.
    pub zone: Zone,
    /// Warnings that every run of the query has.
    pub warnings: Vec<String>,
    /// Whether rows of the result stand for groups.
    pub is_aggregating: bool,
}

impl Query {
    /// The query in three: what is done with each row by itself, what is done with all of them, and the rest, from the first
    /// command on that reads the clock; none where none does. Each part reads the rows that the one before makes, which
    /// have a value for each column, by its id.
    pub fn split(&self) -> (Self, Self, Option<Self>) {
        let timeless = self.commands.iter().take_while(|command| !command.reads_clock()).count();
        let (timeless, rest) = self.commands.split_at(timeless);
        let alone = timeless.iter().take_while(|command| command.is_row_by_row()).count();
        let (each, together) = timeless.split_at(alone);
        let ids = (0..self.columns.len()).map(ColumnId);
        let whole_rows: Vec<_> = ids.map(|id| (self.columns[id.0].name.clone(), id)).collect();
        let scan = self.commands.iter().find(|command| command.as_scan().is_some());
        let part = |commands: &[Command], output: &[(String, ColumnId)]| {
            let commands = scan.into_iter().chain(commands).cloned().collect();
            Self { commands, output: output.to_vec(), ..self.clone() }
        };
        let each = Self { commands: each.to_vec(), output: whole_rows.clone(), ..self.clone() };
        if rest.is_empty() {
            return (each, part(together, &self.output), None);
        }
        (each, part(together, &whole_rows), Some(part(rest, &self.output)))
    }

    /// The query from this command on, over the rows that the ones before it make, which have a value for each column, by its
    /// id.
    pub fn after(&self, commands: usize) -> Self {
        let scan = self.commands.iter().find(|command| command.as_scan().is_some());
        let rest = self.commands.iter().skip(commands);
        Self { commands: scan.into_iter().chain(rest).cloned().collect(), ..self.clone() }
    }

    /// Whether all that [`Query::split`] leaves for the rest is the limit that every query has.
    pub fn is_row_by_row(&self) -> bool {
        let alone = self.commands.iter().take_while(|command| command.is_row_by_row()).count();
        matches!(self.commands[alone..], [] | [Command::Limit(_)])
    }
}

impl Command {
    /// Whether the same rows can become others at another time.
    fn reads_clock(&self) -> bool {
        let mut reads = false;
        self.for_each_expr(&mut |expr| reads |= reads_clock(expr));
        reads
    }

    /// Calls `look` with each expression of the command, but not with the parts of these.
    fn for_each_expr(&self, look: &mut dyn FnMut(&Expr)) {
        match self {
            Self::Scan(_) | Self::Limit(_) | Self::MvExpand { .. } | Self::Lookup(_) => {}
            Self::Row(fields) | Self::Eval(fields) => fields.iter().for_each(|(_, value)| look(value)),
            Self::Filter(expr) | Self::Dissect { input: expr, .. } | Self::Grok { input: expr, .. } => {
                look(expr);
            }
            Self::Stats(stats) | Self::InlineStats(stats) => {
                stats.before.iter().chain(&stats.after).for_each(|(_, value)| look(value));
                for aggregate in &stats.aggregates {
                    aggregate.arguments.iter().chain(&aggregate.filter).for_each(&mut *look);
                }
            }
            Self::Sort(keys) => keys.iter().for_each(|key| look(&key.value)),
        }
    }

    fn is_row_by_row(&self) -> bool {
        match self {
            Self::Scan(_)
            | Self::Filter(_)
            | Self::Eval(_)
            | Self::Dissect { .. }
            | Self::Grok { .. }
            | Self::MvExpand { .. }
            | Self::Lookup(_) => true,
            Self::Row(_) | Self::Stats(_) | Self::InlineStats(_) | Self::Sort(_) | Self::Limit(_) => false,
        }
    }
}

/// The number of a column within a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ColumnId(pub usize);

/// A column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// The name under which it came to be.
    pub name: String,
    /// Its type.
    pub kind: DataType,
}

/// What is done with rows.
#[derive(Debug, Clone)]
pub enum Command {
    /// Reads the rows of indices.
    Scan(Scan),
    /// One row of constants.
    Row(Vec<(ColumnId, Expr)>),
    /// Keeps rows of which this is true.
    Filter(Expr),
    /// Computes columns, one after the other.
    Eval(Vec<(ColumnId, Expr)>),
    /// Groups, which replace the rows.
    Stats(Stats),
    /// Groups, whose aggregates each of their rows gets.
    InlineStats(Stats),
    /// Puts rows in order; equal ones stay as they are.
    Sort(Vec<SortKey>),
    /// Keeps the first rows.
    Limit(usize),
    /// Takes text apart.
    Dissect {
        /// The text.
        input: Expr,
        /// How.
        dissector: Dissector,
        /// The column of each key.
        outputs: Vec<ColumnId>,
    },
    /// Searches text.
    Grok {
        /// The text.
        input: Expr,
        /// For what.
        grok: Box<Grok>,
        /// The column of each name.
        outputs: Vec<ColumnId>,
    },
    /// A row for each value.
    MvExpand {
        /// The column with several values.
        from: ColumnId,
        /// The column with one of them.
        to: ColumnId,
    },
    /// Adds what a table says of a row.
    Lookup(Lookup),
}

/// Reads the rows of indices.
#[derive(Debug, Clone, PartialEq)]
pub struct Scan {
    /// Index patterns; one that begins with `-` takes away.
    pub patterns: Vec<String>,
    /// Fields that the query looks at, by their names in the index.
    pub fields: Vec<(ColumnId, String)>,
    /// Metadata (`_id`, `_index`) that the query looks at.
    pub metadata: Vec<(ColumnId, String)>,
}

/// Groups.
#[derive(Debug, Clone)]
pub struct Stats {
    /// What is computed for each row first; groups and aggregates may use it.
    pub before: Vec<(ColumnId, Expr)>,
    /// The value of a key in a row, and the column that holds it for the group.
    pub keys: Vec<(ColumnId, ColumnId)>,
    /// The aggregates.
    pub aggregates: Vec<Aggregate>,
    /// What is computed for each group from keys and aggregates.
    pub after: Vec<(ColumnId, Expr)>,
}

/// An aggregate of each group.
#[derive(Debug, Clone)]
pub struct Aggregate {
    /// Which.
    pub function: &'static AggregateFunction,
    /// Its arguments; none for COUNT(*).
    pub arguments: Vec<Expr>,
    /// Which rows count.
    pub filter: Option<Expr>,
    /// The column of the result.
    pub output: ColumnId,
    /// The call in the text.
    pub span: Span,
}

/// A key of SORT.
#[derive(Debug, Clone)]
pub struct SortKey {
    /// What is compared.
    pub value: Expr,
    /// Greatest first.
    pub descending: bool,
    /// Nulls first.
    pub nulls_first: bool,
}

/// Adds what a table says of a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Lookup {
    /// The table: an enrich policy, or a lookup index.
    pub table: LookupTable,
    /// Columns that have to be equal to the table's.
    pub keys: Vec<(ColumnId, String)>,
    /// Columns that are filled from the table's.
    pub outputs: Vec<(ColumnId, String)>,
    /// How they are compared.
    pub matches: LookupMatch,
    /// Where the name of the table stands.
    pub span: Span,
}

/// When a row of a table belongs to one of the query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LookupMatch {
    /// The values are equal.
    Equal,
    /// Their texts are, as enrich policies compare values of different types.
    EqualTexts,
    /// The value lies in a range of values of this type.
    InRange(DataType),
}

/// Where a lookup looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LookupTable {
    /// ENRICH: several matches become several values.
    Policy(String),
    /// LOOKUP JOIN: several matches become several rows.
    Index(String),
}

/// A typed expression.
#[derive(Debug, Clone)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// The type of its value.
    pub data_type: DataType,
    /// Where it stands in the text.
    pub span: Span,
}

/// Kinds of typed expressions.
#[derive(Debug, Clone)]
pub enum ExprKind {
    /// Always this.
    Constant(Value),
    /// The value of a column.
    Column(ColumnId),
    /// A function.
    Call(&'static Function, Vec<Expr>),
    /// Conditions with their values, and the value when none is true.
    Case(Vec<(Expr, Expr)>, Box<Expr>),
    /// The first that is not null.
    Coalesce(Vec<Expr>),
    /// All are true.
    And(Vec<Expr>),
    /// Some is true.
    Or(Vec<Expr>),
    /// Not true.
    Not(Box<Expr>),
    /// There is no value.
    IsNull(Box<Expr>),
    /// Equal to one of these.
    In(Box<Expr>, Vec<Expr>),
    /// Fits one of the patterns.
    Like(Box<Expr>, Arc<[Pattern]>),
    /// Two values compared.
    Compare(CompareOp, Box<Expr>, Box<Expr>),
    /// Two numbers, or dates and spans.
    Arithmetic(ArithmeticOp, Box<Expr>, Box<Expr>),
    /// The number with its sign changed, or a span backwards.
    Negate(Box<Expr>),
    /// The value as another type of the same kind, as a column with values of several types needs it.
    Widen(Box<Expr>),
    /// Several values from expressions.
    List(Vec<Expr>),
    /// Some value of a field matches words or equals a value.
    Match(Box<Expr>, Arc<MatchQuery>),
    /// A KQL query over the fields of the document.
    Kql(Arc<KqlQuery>),
}

/// A pattern of LIKE or RLIKE.
#[derive(Debug, Clone)]
pub enum Pattern {
    /// `*` and `?`.
    Wildcard(Wildcard),
    /// A regular expression of Lucene.
    Regex(LuceneRegex),
}

/// What `KQL()` looks for.
#[derive(Debug)]
pub struct KqlQuery {
    /// The condition.
    pub predicate: Predicate,
    /// Reads the fields of the condition.
    pub decoder: Decoder,
    /// The fields and the columns of the index with their values.
    pub fields: Vec<(Slot, ColumnId)>,
    /// All columns of the index, where the condition looks at fields without naming them.
    pub all: Vec<(String, ColumnId)>,
}

/// Arithmetic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum ArithmeticOp {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Command {
    /// Calls `look` with each column that the command reads.
    pub fn for_each_read(&self, look: &mut dyn FnMut(ColumnId)) {
        match self {
            Self::Scan(_) | Self::Limit(_) => {}
            Self::Row(fields) | Self::Eval(fields) => {
                for (_, value) in fields {
                    value.for_each_column(look);
                }
            }
            Self::Filter(expr) | Self::Dissect { input: expr, .. } | Self::Grok { input: expr, .. } => {
                expr.for_each_column(look);
            }
            Self::Stats(stats) | Self::InlineStats(stats) => stats.for_each_read(look),
            Self::Sort(keys) => {
                for key in keys {
                    key.value.for_each_column(look);
                }
            }
            Self::MvExpand { from, .. } => look(*from),
            Self::Lookup(lookup) => lookup.keys.iter().for_each(|(id, _)| look(*id)),
        }
    }
}

impl Stats {
    fn for_each_read(&self, look: &mut dyn FnMut(ColumnId)) {
        for (_, value) in self.before.iter().chain(&self.after) {
            value.for_each_column(look);
        }
        for (row, _) in &self.keys {
            look(*row);
        }
        for aggregate in &self.aggregates {
            for expr in aggregate.arguments.iter().chain(&aggregate.filter) {
                expr.for_each_column(look);
            }
        }
    }
}

impl Expr {
    /// The constant, if it is one.
    pub fn as_constant(&self) -> Option<&Value> {
        match &self.kind {
            ExprKind::Constant(value) => Some(value),
            _ => None,
        }
    }

    /// Calls `look` with each column that the expression reads.
    pub fn for_each_column(&self, look: &mut dyn FnMut(ColumnId)) {
        match &self.kind {
            ExprKind::Constant(_) => {}
            ExprKind::Column(id) => look(*id),
            ExprKind::Call(_, list)
            | ExprKind::Coalesce(list)
            | ExprKind::And(list)
            | ExprKind::Or(list)
            | ExprKind::List(list) => list.iter().for_each(|expr| expr.for_each_column(look)),
            ExprKind::Case(branches, otherwise) => {
                for (condition, value) in branches {
                    condition.for_each_column(look);
                    value.for_each_column(look);
                }
                otherwise.for_each_column(look);
            }
            ExprKind::Not(inner)
            | ExprKind::IsNull(inner)
            | ExprKind::Like(inner, _)
            | ExprKind::Negate(inner)
            | ExprKind::Widen(inner)
            | ExprKind::Match(inner, _) => inner.for_each_column(look),
            ExprKind::In(value, list) => {
                value.for_each_column(look);
                for expr in list {
                    expr.for_each_column(look);
                }
            }
            ExprKind::Compare(_, left, right) | ExprKind::Arithmetic(_, left, right) => {
                left.for_each_column(look);
                right.for_each_column(look);
            }
            ExprKind::Kql(query) => {
                query.fields.iter().for_each(|(_, id)| look(*id));
                query.all.iter().for_each(|(_, id)| look(*id));
            }
        }
    }
}
