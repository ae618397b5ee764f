//! STATS and INLINE STATS: what is computed for each row, for each group, and from groups.
//!
//! An expression of STATS is resolved twice over: inside aggregates names stand for values of rows, outside of them for
//! keys of groups. Keys that are expressions may be repeated outside by their text.

use maxspan_diagnostics::{Span, codes};

use super::Analysis;
use crate::aggregates::{AggregateFunction, AggregateType};
use crate::ast::{self, Name};
use crate::print;
use crate::query::{Aggregate, ColumnId, Command, Expr, ExprKind, Stats};
use crate::types::{DataType, POINTS};

/// What is known while the parts of STATS are resolved.
#[derive(Debug)]
pub(super) struct StatsScope {
    keys: Vec<GroupKey>,
    aggregates: Vec<Aggregate>,
    /// The condition of the aggregates of the expression at hand.
    filter: Option<Expr>,
    /// Whether arguments or conditions are resolved, which see rows.
    pub(super) inside: bool,
}

/// What groups are made by.
#[derive(Debug, Clone)]
struct GroupKey {
    name: String,
    /// The expression as text, in one way to write it.
    text: String,
    /// The value in a row.
    row: ColumnId,
    /// The value of the group.
    group: ColumnId,
    span: Span,
}

/// A column that STATS defines.
struct Defined {
    name: String,
    id: ColumnId,
    span: Span,
}

impl Analysis<'_> {
    pub(super) fn stats(&mut self, stats: &ast::Stats, inline: bool) {
        if stats.aggregates.is_empty() && stats.by.is_empty() {
            self.report(codes::ESQL_AGGREGATE, Span::at(0), "STATS has neither an aggregate nor BY");
        }
        let (keys, before) = self.group_keys(&stats.by);
        self.stats =
            Some(StatsScope { keys: keys.clone(), aggregates: Vec::new(), filter: None, inside: false });
        let (mut after, mut defined) = (Vec::new(), Vec::new());
        for aggregate in &stats.aggregates {
            let value = self.aggregate_expression(aggregate);
            let name = self.aggregate_name(aggregate);
            let id = if let ExprKind::Column(id) = value.kind {
                id
            } else {
                let id = self.add_column(&name, value.data_type);
                after.push((id, value));
                id
            };
            let span =
                aggregate.assignment.name.as_ref().map_or(aggregate.assignment.value.span, |name| name.span);
            defined.push(Defined { name, id, span });
        }
        let scope = self.stats.take();
        let aggregates = scope.map(|scope| scope.aggregates).unwrap_or_default();
        for key in &keys {
            defined.push(Defined { name: key.name.clone(), id: key.group, span: key.span });
        }
        self.see(&defined, inline);
        let keys = keys.iter().map(|key| (key.row, key.group)).collect();
        let stats = Stats { before, keys, aggregates, after };
        self.commands.push(if inline { Command::InlineStats(stats) } else { Command::Stats(stats) });
    }

    /// Of columns with the same name the last one stays; INLINE STATS keeps the others that can be seen.
    fn see(&mut self, defined: &[Defined], inline: bool) {
        if !inline {
            self.scope.clear();
            self.open = false;
        }
        for (i, one) in defined.iter().enumerate() {
            let last = defined[i + 1..].iter().rev().find(|other| other.name == one.name);
            match last {
                Some(last) => self.shadowed(&one.name, one.span, last.span),
                None => self.define(&one.name, one.id),
            }
        }
    }

    fn shadowed(&mut self, name: &str, span: Span, by: Span) {
        let (place, other) = (self.source.position(span.start), self.source.position(by.start));
        self.warnings.push(format!("Line {place}: Field '{name}' shadowed by field at line {other}"));
    }

    /// The keys, and what has to be computed in each row for them.
    fn group_keys(&mut self, by: &[ast::Assignment]) -> (Vec<GroupKey>, Vec<(ColumnId, Expr)>) {
        let (mut keys, mut before) = (Vec::new(), Vec::new());
        for (number, assignment) in by.iter().enumerate() {
            let value = self.expr(&assignment.value);
            let name = self.assigned_name(assignment);
            let span = assignment.name.as_ref().map_or(assignment.value.span, |name| name.span);
            // Of keys with the same name only the last one makes groups.
            let last = by[number + 1..].iter().rev().find(|other| self.assigned_name(other) == name);
            if let Some(last) = last {
                let by = last.name.as_ref().map_or(last.value.span, |name| name.span);
                self.shadowed(&name, span, by);
                continue;
            }
            let row = if let ExprKind::Column(id) = value.kind {
                id
            } else {
                let id = self.add_column(&name, value.data_type);
                self.constants[id.0] = self.constant_value(&value);
                before.push((id, value.clone()));
                id
            };
            let group = self.add_column(&name, value.data_type);
            self.unmapped.extend(self.unmapped_field(&value).map(|field| (group, field)));
            let text = print::expression(&assignment.value);
            keys.push(GroupKey { name, text, row, group, span });
        }
        (keys, before)
    }

    fn aggregate_name(&self, aggregate: &ast::Aggregate) -> String {
        match &aggregate.filter {
            Some(filter) if aggregate.assignment.name.is_none() => {
                self.text(aggregate.assignment.value.span.to(filter.span)).to_owned()
            }
            _ => self.assigned_name(&aggregate.assignment),
        }
    }

    fn aggregate_expression(&mut self, aggregate: &ast::Aggregate) -> Expr {
        if let Some(filter) = &aggregate.filter {
            self.set_inside(true);
            let filter = self.condition(filter);
            self.set_inside(false);
            if let Some(stats) = &mut self.stats {
                stats.filter = Some(filter);
            }
        }
        let value = self.expr(&aggregate.assignment.value);
        if let Some(stats) = &mut self.stats {
            stats.filter = None;
        }
        value
    }

    fn set_inside(&mut self, inside: bool) {
        if let Some(stats) = &mut self.stats {
            stats.inside = inside;
        }
    }

    /// A call of an aggregate: its column, which the groups get.
    pub(super) fn aggregate(
        &mut self,
        function: &'static AggregateFunction,
        arguments: &[ast::Expr],
        span: Span,
    ) -> Expr {
        let allowed = self.stats.as_ref().is_some_and(|stats| !stats.inside);
        if !allowed {
            let message = format!(
                "[{}] is an aggregate, which stands in STATS and not inside another one",
                function.name
            );
            self.report(codes::ESQL_AGGREGATE, span, message);
            return Self::nothing(span);
        }
        let (least, most) = function.arity();
        if !self.check_count(function.name, (least, Some(most)), arguments.len(), span) {
            return Self::nothing(span);
        }
        self.set_inside(true);
        let arguments = self.aggregate_arguments(function, arguments);
        self.set_inside(false);
        let kinds: Vec<DataType> = arguments.iter().map(|argument| argument.data_type).collect();
        let data_type = function.result_type(&kinds);
        let name = self.text(span).to_owned();
        let output = self.add_column(&name, data_type);
        if function.returns == AggregateType::First {
            let field = arguments.first().and_then(|argument| self.unmapped_field(argument));
            self.unmapped.extend(field.map(|field| (output, field)));
        }
        if let Some(stats) = &mut self.stats {
            let filter = stats.filter.clone();
            stats.aggregates.push(Aggregate { function, arguments, filter, output, span });
        }
        Expr { kind: ExprKind::Column(output), data_type, span }
    }

    fn aggregate_arguments(
        &mut self,
        function: &'static AggregateFunction,
        arguments: &[ast::Expr],
    ) -> Vec<Expr> {
        let mut checked = Vec::new();
        for (index, argument) in arguments.iter().enumerate() {
            if argument.kind == ast::ExprKind::Star && function.name == "COUNT" {
                return Vec::new();
            }
            let value = self.expr(argument);
            let value = self.argument(function.name, &function.parameters[index], value);
            if function.is_constant(index) && self.constant_value(&value).is_none() {
                let message =
                    format!("[{}] of [{}] is a constant", function.parameters[index].name, function.name);
                self.report(codes::ESQL_CONSTANT, value.span, message);
            }
            checked.push(value);
        }
        let constants: Vec<_> = checked.iter().map(|argument| self.constant_value(argument)).collect();
        if checked.iter().all(|argument| !POINTS.list().contains(&argument.data_type))
            && let Err(failure) = function.accumulator(&constants)
        {
            let span = arguments.last().map_or(Span::at(0), |argument| argument.span);
            self.report(codes::ESQL_TYPE, span, failure.text());
        }
        // Constants stay constants for the engine.
        checked
            .into_iter()
            .zip(constants)
            .map(|(argument, constant)| match constant {
                Some(value) => Expr { kind: ExprKind::Constant(value), ..argument },
                None => argument,
            })
            .collect()
    }

    /// The key of the group that an expression outside of aggregates repeats.
    pub(super) fn group_key(&mut self, expr: &ast::Expr) -> Option<Expr> {
        let stats = self.stats.as_ref().filter(|stats| !stats.inside)?;
        if matches!(expr.kind, ast::ExprKind::Column(_)) || stats.keys.is_empty() {
            return None;
        }
        let text = print::expression(expr);
        let key = stats.keys.iter().rev().find(|key| key.text == text)?;
        let (id, data_type) = (key.group, self.columns[key.group.0].kind);
        Some(Expr { kind: ExprKind::Column(id), data_type, span: expr.span })
    }

    /// A name outside of aggregates is that of a key.
    pub(super) fn group_column(&mut self, name: &Name) -> Option<ColumnId> {
        let text = name.text();
        let keys = self.stats.as_ref().map_or(&[][..], |stats| &stats.keys);
        let key = keys.iter().rev().find(|key| key.name == text || key.text == print::name(name));
        if let Some(key) = key {
            return Some(key.group);
        }
        let message = format!("[{text}] is neither in an aggregate nor a key of the groups");
        self.report_with_help(
            codes::ESQL_AGGREGATE,
            name.span,
            message,
            "put it in an aggregate, such as VALUES, or in BY",
        );
        None
    }

    /// A name that stands for the value of a row; keys of the groups can be seen inside aggregates.
    pub(super) fn row_column(&mut self, name: &Name) -> Option<ColumnId> {
        let text = name.text();
        let keys = self.stats.as_ref().map_or(&[][..], |stats| &stats.keys);
        if let Some(key) = keys.iter().rev().find(|key| key.name == text) {
            return Some(key.row);
        }
        self.resolve(name)
    }
}
