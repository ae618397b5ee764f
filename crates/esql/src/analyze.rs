//! From syntax tree to typed query: resolves names, checks types, folds constants.
//!
//! There is a query unless a diagnostic is an error. Every problem that is found is reported, not only the first: what
//! could not be resolved counts as null from there on.

use std::sync::Arc;

use maxspan_diagnostics::{Code, Diagnostic, Messages, Source, Span, codes, has_errors, nearest_names};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::ast::{self, CommandKind, Name, Tree};
use crate::evaluate::Evaluator;
use crate::functions::Returns;
use crate::limits::{DEFAULT_LIMIT, DIAGNOSTICS_MAX, ROWS_MAX};
use crate::query::{Column, ColumnId, Command, Expr, ExprKind, Query, Scan};
use crate::schema::Schema;
use crate::types::DataType;
use crate::value::Value;
use crate::zone::Zone;

mod calls;
mod commands;
mod expression;
mod filters;
mod lookups;
mod names;
mod operators;
mod stats;

pub(crate) use calls::reads_clock;
use stats::StatsScope;

/// Resolves a tree against a schema.
pub fn analyze(tree: &Tree, source: &Source, schema: &dyn Schema) -> (Option<Query>, Vec<Diagnostic>) {
    let mut asked = FxHashMap::default();
    for round in 0.. {
        let mut analysis = Analysis::new(source, schema, asked.clone());
        for setting in &tree.settings {
            analysis.setting(setting);
        }
        for command in &tree.commands {
            analysis.command(command);
        }
        if analysis.asked == asked || round == ROUNDS_MAX {
            return analysis.finish(tree);
        }
        asked = analysis.asked;
    }
    (None, Vec::new())
}

/// How often a query is resolved anew because a field that nobody knows turned out to be of another type.
const ROUNDS_MAX: usize = 4;

struct Analysis<'a> {
    schema: &'a dyn Schema,
    source: Arc<Source>,
    messages: Messages,
    warnings: Vec<String>,
    columns: Vec<Column>,
    /// The values of columns that are the same in every row, by id.
    constants: Vec<Option<Value>>,
    /// What can be seen, in order.
    scope: Vec<Seen>,
    /// The fields of the index that some command looks at.
    scan: Option<Scan>,
    commands: Vec<Command>,
    /// Whether fields that the schema does not list can still be seen: until a command chooses the columns.
    open: bool,
    /// Names that were seen and are not any more.
    gone: FxHashSet<String>,
    /// Set while the parts of STATS are resolved.
    stats: Option<StatsScope>,
    /// Evaluates constants.
    evaluator: Evaluator,
    zone: Zone,
    /// `SET unmapped_fields = "nullify"`: unknown columns are null.
    nullify: bool,
    /// Fields that nobody knows, by their columns.
    unmapped: FxHashMap<ColumnId, String>,
    /// The types that such fields have to have where they are used; the others are keywords.
    asked: FxHashMap<String, DataType>,
}

/// A name and what it stands for.
#[derive(Debug, Clone)]
struct Seen {
    name: String,
    binding: Binding,
}

/// A field of the index gets an id when it is first looked at, so that the others cost nothing.
#[derive(Debug, Clone)]
enum Binding {
    Column(ColumnId),
    Field { field: String, kind: DataType, metadata: bool },
}

impl<'a> Analysis<'a> {
    fn new(source: &Source, schema: &'a dyn Schema, asked: FxHashMap<String, DataType>) -> Self {
        Self {
            schema,
            source: Arc::new(source.clone()),
            messages: Messages::new(DIAGNOSTICS_MAX),
            warnings: Vec::new(),
            columns: Vec::new(),
            constants: Vec::new(),
            scope: Vec::new(),
            scan: None,
            commands: Vec::new(),
            open: false,
            gone: FxHashSet::default(),
            stats: None,
            evaluator: Evaluator::new(0, Zone::UTC),
            zone: Zone::UTC,
            nullify: false,
            unmapped: FxHashMap::default(),
            asked,
        }
    }

    fn finish(mut self, tree: &Tree) -> (Option<Query>, Vec<Diagnostic>) {
        let output: Vec<(String, ColumnId)> = (0..self.scope.len())
            .map(|place| (self.scope[place].name.clone(), self.column_at(place)))
            .collect();
        let mut commands = std::mem::take(&mut self.commands);
        if let (Some(Command::Scan(scan)), Some(found)) = (commands.first_mut(), self.scan.take()) {
            *scan = found;
        }
        self.add_limit(&mut commands);
        self.messages.sort_by_place();
        let diagnostics = self.messages.finish();
        let query = Query {
            source: self.source,
            columns: self.columns,
            commands,
            output,
            zone: self.zone,
            warnings: self.warnings,
            is_aggregating: tree.is_aggregating(),
        };
        ((!has_errors(&diagnostics)).then_some(query), diagnostics)
    }

    /// A query without LIMIT has one all the same.
    fn add_limit(&mut self, commands: &mut Vec<Command>) {
        let limited = commands.iter().any(|command| matches!(command, Command::Limit(_)));
        if !limited {
            self.warnings.push(format!("No limit defined, adding default limit of [{DEFAULT_LIMIT}]"));
        }
        commands.push(Command::Limit(if limited { ROWS_MAX } else { DEFAULT_LIMIT }));
    }

    fn report(&mut self, code: Code, span: Span, message: impl Into<String>) {
        self.messages.push(code, || Diagnostic::new(code, span, message));
    }

    fn report_with_help(
        &mut self,
        code: Code,
        span: Span,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.messages.push(code, || Diagnostic::new(code, span, message).with_help(help));
    }

    /// The text of a place in the query.
    fn text(&self, span: Span) -> &str {
        span.slice(&self.source.text)
    }

    /// A new column.
    fn add_column(&mut self, name: &str, kind: DataType) -> ColumnId {
        self.columns.push(Column { name: name.to_owned(), kind });
        self.constants.push(None);
        ColumnId(self.columns.len() - 1)
    }

    /// Makes a name stand for a column, at the end; what it stood for before is gone.
    fn define(&mut self, name: &str, id: ColumnId) {
        self.scope.retain(|seen| seen.name != name);
        self.scope.push(Seen { name: name.to_owned(), binding: Binding::Column(id) });
    }

    /// Keeps of what can be seen what `keep` says, by its place.
    fn retain(&mut self, keep: impl Fn(usize) -> bool) {
        for (place, seen) in std::mem::take(&mut self.scope).into_iter().enumerate() {
            if keep(place) {
                self.scope.push(seen);
            } else {
                self.gone.insert(seen.name);
            }
        }
    }

    /// A new column for the value of an expression.
    fn define_value(&mut self, name: &str, value: &Expr) -> ColumnId {
        let id = self.add_column(name, value.data_type);
        self.constants[id.0] = self.constant_value(value);
        self.unmapped.extend(self.unmapped_field(value).map(|field| (id, field)));
        self.define(name, id);
        id
    }

    /// The column that the name at a place of the scope stands for.
    fn column_at(&mut self, place: usize) -> ColumnId {
        let (field, kind, metadata) = match &self.scope[place].binding {
            Binding::Column(id) => return *id,
            Binding::Field { field, kind, metadata } => (field.clone(), *kind, *metadata),
        };
        let id = self.read_field(&field, kind, metadata);
        self.scope[place].binding = Binding::Column(id);
        id
    }

    /// The column of a field of the index; the same for every use.
    fn read_field(&mut self, field: &str, kind: DataType, metadata: bool) -> ColumnId {
        let scan = self.scan.get_or_insert_with(|| Scan {
            patterns: Vec::new(),
            fields: Vec::new(),
            metadata: Vec::new(),
        });
        let list = if metadata { &scan.metadata } else { &scan.fields };
        if let Some((id, _)) = list.iter().find(|(_, known)| known == field) {
            return *id;
        }
        let id = self.add_column(field, kind);
        if let Some(scan) = &mut self.scan {
            let list = if metadata { &mut scan.metadata } else { &mut scan.fields };
            list.push((id, field.to_owned()));
        }
        id
    }

    /// The column of a name; reported where there is none.
    fn resolve(&mut self, name: &Name) -> Option<ColumnId> {
        let text = name.text();
        if let Some(place) = self.scope.iter().position(|seen| seen.name == text) {
            return Some(self.column_at(place));
        }
        if let Some((kind, mapped)) = self.unlisted(&text, name.span) {
            let id = self.read_field(&text, kind, false);
            if !mapped {
                self.unmapped.insert(id, text.clone());
            }
            self.scope.push(Seen { name: text, binding: Binding::Column(id) });
            return Some(id);
        }
        if self.nullify {
            let id = self.add_column(&text, DataType::Null);
            self.constants[id.0] = Some(Value::Null);
            return Some(id);
        }
        self.unknown_column(&text, name.span);
        None
    }

    /// Fields that the index may have without listing them, as long as no command chose the columns.
    fn unlisted(&mut self, name: &str, span: Span) -> Option<(DataType, bool)> {
        if !self.open || self.gone.contains(name) {
            return None;
        }
        if let Some(kind) = self.schema.unlisted(name) {
            return Some((kind, true));
        }
        let kind = self.schema.unmapped()?;
        let kind = self.asked.get(name).copied().unwrap_or(kind);
        let message = format!("no schema knows the field [{name}]");
        let mut near = self.schema.near(name);
        if near.is_empty() {
            let names = nearest_names(name, self.scope.iter().map(|seen| seen.name.as_str()));
            near = names.into_iter().map(str::to_owned).collect();
        }
        self.messages.push(codes::ESQL_FIELD_UNMAPPED, || {
            let diagnostic = Diagnostic::new(codes::ESQL_FIELD_UNMAPPED, span, message);
            if near.is_empty() {
                return diagnostic;
            }
            diagnostic.with_help(format!("did you mean [{}]?", near.join(", ")))
        });
        Some((kind, false))
    }

    /// Where a field that nobody knows is used as a type that it does not have, it has that type from the beginning.
    fn ask(&mut self, expr: &Expr, kind: DataType) {
        if let Some(field) = self.unmapped_field(expr).filter(|field| !self.asked.contains_key(field)) {
            self.asked.insert(field, kind);
        }
    }

    /// The field that nobody knows whose type decides that of the expression.
    fn unmapped_field(&self, expr: &Expr) -> Option<String> {
        match &expr.kind {
            ExprKind::Column(id) => self.unmapped.get(id).cloned(),
            ExprKind::Call(function, arguments)
                if matches!(function.returns, Returns::First | Returns::Common) =>
            {
                arguments.iter().find_map(|argument| self.unmapped_field(argument))
            }
            ExprKind::Coalesce(list) => list.iter().find_map(|argument| self.unmapped_field(argument)),
            ExprKind::Case(branches, otherwise) => branches
                .iter()
                .find_map(|(_, value)| self.unmapped_field(value))
                .or_else(|| self.unmapped_field(otherwise)),
            _ => None,
        }
    }

    fn unknown_column(&mut self, name: &str, span: Span) {
        let near: Vec<String> = nearest_names(name, self.scope.iter().map(|seen| seen.name.as_str()))
            .into_iter()
            .map(str::to_owned)
            .collect();
        let message = format!("there is no column [{name}] here");
        self.messages.push(codes::ESQL_UNKNOWN_COLUMN, || {
            let diagnostic = Diagnostic::new(codes::ESQL_UNKNOWN_COLUMN, span, message);
            if near.is_empty() {
                return diagnostic;
            }
            diagnostic.with_help(format!("did you mean [{}]?", near.join(", ")))
        });
    }

    /// The value of an expression, where it is the same for every row and can be computed.
    fn constant_value(&mut self, expr: &Expr) -> Option<Value> {
        let mut constant = !calls::depends_on_run(expr);
        expr.for_each_column(&mut |id| constant &= self.constants[id.0].is_some());
        if !constant {
            return None;
        }
        // Only the columns that the expression reads are looked at.
        let mut row = Vec::new();
        let mut last = 0;
        expr.for_each_column(&mut |id| last = last.max(id.0 + 1));
        row.extend(self.constants[..last].iter().map(|value| value.clone().unwrap_or_default()));
        let mut evaluator = Evaluator::new(0, self.zone.clone());
        let value = evaluator.evaluate(expr, &row);
        evaluator.warnings.texts(&self.source).is_empty().then_some(value)
    }

    /// A constant in place of an expression of constants.
    fn folded(&mut self, expr: Expr) -> Expr {
        let mut reads_column = calls::depends_on_run(&expr);
        expr.for_each_column(&mut |_| reads_column = true);
        if reads_column || matches!(expr.kind, ExprKind::Constant(_)) {
            return expr;
        }
        match self.constant_value(&expr) {
            Some(value) => Expr { kind: ExprKind::Constant(value), ..expr },
            None => expr,
        }
    }

    /// What stands for something that could not be resolved.
    fn nothing(span: Span) -> Expr {
        Expr { kind: ExprKind::Constant(Value::Null), data_type: DataType::Null, span }
    }

    fn command(&mut self, command: &ast::Command) {
        match &command.kind {
            CommandKind::From(from) => self.from(from),
            CommandKind::Row(fields) => self.row(fields),
            CommandKind::Where(condition) => {
                let condition = self.condition(condition);
                self.commands.push(Command::Filter(condition));
            }
            CommandKind::Eval(fields) => self.eval(fields),
            CommandKind::Stats(stats) => self.stats(stats, false),
            CommandKind::InlineStats(stats) => self.stats(stats, true),
            CommandKind::Keep(names) => self.keep(names),
            CommandKind::Drop(names) => self.drop_columns(names),
            CommandKind::Rename(pairs) => self.rename(pairs),
            CommandKind::Sort(keys) => self.sort(keys),
            CommandKind::Limit(rows) => self.limit(rows),
            CommandKind::Dissect(dissect) => self.dissect(dissect),
            CommandKind::Grok(grok) => self.grok(grok),
            CommandKind::MvExpand(name) => self.mv_expand(name),
            CommandKind::Enrich(enrich) => self.enrich(enrich),
            CommandKind::LookupJoin(join) => self.lookup_join(join),
            // The parser said so.
            CommandKind::Unsupported(_) => {}
        }
    }
}
