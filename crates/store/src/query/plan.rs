//! Commands of ES|QL as a logical plan, as far as they can be.
//!
//! Commands are lowered one after the other; the first that cannot be, and all after it, are run over the rows that the
//! plan gives. Columns of the plan are called after their ids, so that nothing depends on names.

use std::sync::Arc;

use arrow::datatypes::DataType as ArrowType;
use datafusion::catalog::TableProvider;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::common::Column;
use datafusion::datasource::provider_as_source;
use datafusion::error::DataFusionError;
use datafusion::functions::core::expr_fn::get_field;
use datafusion::functions_aggregate::expr_fn::{array_agg, avg, count, count_distinct, max, min, sum};
use datafusion::logical_expr::{
    Expr as Lowered, ExprFunctionExt, LogicalPlan, LogicalPlanBuilder, SortExpr, cast, lit,
};
use maxspan_esql::DataType;
use maxspan_esql::query::{Aggregate, ColumnId, Command, Expr, Query, SortKey, Stats};

use super::expressions::Scope;
use super::functions::{RowFunction, different, flattened, lengths, overflow};
use super::table::{Events, plan_name};
use super::values::Form;

/// A plan of the first commands.
pub(super) struct Planned {
    pub(super) plan: LogicalPlan,
    /// The columns that it gives.
    pub(super) scope: Scope,
    /// How many commands it does.
    pub(super) commands: usize,
}

/// The name of the table; it is only seen in plans.
const TABLE: &str = "events";
/// The precision in which longs are summed: no sum of so many rows as there can be has more digits.
const SUM_DIGITS: u8 = 38;

/// Lowers what it can. The first command is the one that reads events.
pub(super) fn planned(query: &Query, events: &Events, mut scope: Scope) -> Result<Planned, DataFusionError> {
    let table = StreamingTable::try_new(Arc::clone(&events.schema), events.partitions.clone())?;
    let table: Arc<dyn TableProvider> = Arc::new(table);
    for column in &events.shared.columns {
        scope.forms.insert(column.id, column.form);
    }
    let builder = LogicalPlanBuilder::scan(TABLE, provider_as_source(table), None)?;
    let mut planned = Planned { plan: builder.build()?, scope, commands: 1 };
    for command in &query.commands[1..] {
        let step =
            Step { builder: LogicalPlanBuilder::from(planned.plan.clone()), scope: planned.scope.clone() };
        let Some(step) = step.command(command, query)? else { break };
        let Step { builder, scope } = step;
        planned = Planned { plan: builder.build()?, scope, commands: planned.commands + 1 };
    }
    Ok(planned)
}

/// A plan that is being made.
struct Step {
    builder: LogicalPlanBuilder,
    scope: Scope,
}

/// A step further; none where a command cannot be lowered.
type Next = Result<Option<Step>, DataFusionError>;

impl Step {
    fn command(self, command: &Command, query: &Query) -> Next {
        match command {
            Command::Filter(condition) => {
                let Some(condition) = self.scope.one(condition, condition.span) else { return Ok(None) };
                Ok(Some(Self { builder: self.builder.filter(condition)?, ..self }))
            }
            Command::Eval(fields) => self.eval(fields),
            Command::Dissect { outputs, .. } | Command::Grok { outputs, .. } => {
                self.columns(command, outputs, query)
            }
            Command::MvExpand { from, to } => self.mv_expand(*from, *to),
            Command::Stats(stats) => self.stats(stats, query),
            Command::Sort(keys) => self.sort(keys),
            Command::Limit(most) => Ok(Some(Self { builder: self.builder.limit(0, Some(*most))?, ..self })),
            Command::Scan(_) | Command::Row(_) | Command::InlineStats(_) | Command::Lookup(_) => Ok(None),
        }
    }

    /// Computes columns one after the other.
    fn eval(self, fields: &[(ColumnId, Expr)]) -> Next {
        let mut step = self;
        for (id, expr) in fields {
            let Some((value, form)) = step.scope.lowered(expr) else { return Ok(None) };
            step = step.with_columns([(*id, value, form)])?;
        }
        Ok(Some(step))
    }

    /// All columns, and some more or others of the same ids.
    fn with_columns(
        mut self,
        added: impl IntoIterator<Item = (ColumnId, Lowered, Form)>,
    ) -> Result<Self, DataFusionError> {
        let added: Vec<_> = added.into_iter().collect();
        let is_added = |id: &ColumnId| added.iter().any(|(other, ..)| other == id);
        let mut kept: Vec<ColumnId> = self.scope.forms.keys().filter(|id| !is_added(id)).copied().collect();
        kept.sort_unstable();
        let mut shown: Vec<Lowered> = kept.into_iter().map(Scope::column).collect();
        for (id, value, form) in added {
            shown.push(value.alias(plan_name(id)));
            self.scope.forms.insert(id, form);
        }
        Ok(Self { builder: self.builder.project(shown)?, ..self })
    }

    fn columns(self, command: &Command, outputs: &[ColumnId], query: &Query) -> Next {
        // Texts with several values give several, and patterns may find several in one.
        let form = |id: &ColumnId| Some((*id, Form::new(query.columns[id.0].kind, true)?));
        let Some(outputs) = outputs.iter().map(form).collect::<Option<Vec<_>>>() else { return Ok(None) };
        let found = self.scope.columns_of(command, outputs.clone());
        let part = |(place, (id, form)): (usize, &(ColumnId, Form))| {
            (*id, get_field(found.clone(), RowFunction::output_name(place)), *form)
        };
        let parts: Vec<_> = outputs.iter().enumerate().map(part).collect();
        self.with_columns(parts).map(Some)
    }

    fn mv_expand(self, from: ColumnId, to: ColumnId) -> Next {
        let Some(form) = self.scope.forms.get(&from).copied() else { return Ok(None) };
        let step = self.with_columns([(to, Scope::column(from), form)])?;
        if !form.several {
            return Ok(Some(step));
        }
        let Self { builder, mut scope } = step;
        scope.forms.insert(to, Form { several: false, ..form });
        let builder = builder.unnest_column(Column::new_unqualified(plan_name(to)))?;
        Ok(Some(Self { builder, scope }))
    }

    fn sort(self, keys: &[SortKey]) -> Next {
        let mut sorted = Vec::new();
        for key in keys {
            let Some((value, form)) = self.scope.lowered(&key.value) else { return Ok(None) };
            if form.several || !has_plain_order(form.kind) {
                return Ok(None);
            }
            sorted.push(SortExpr::new(value, !key.descending, key.nulls_first));
        }
        Ok(Some(Self { builder: self.builder.sort(sorted)?, ..self }))
    }

    fn stats(self, stats: &Stats, query: &Query) -> Next {
        let Some(step) = self.eval(&stats.before)? else { return Ok(None) };
        let Some(mut step) = step.keys(stats)? else { return Ok(None) };
        let mut aggregates = Vec::new();
        for aggregate in &stats.aggregates {
            let kind = query.columns[aggregate.output.0].kind;
            let Some(lowered) = step.scope.aggregate(aggregate, kind) else { return Ok(None) };
            aggregates.push(lowered);
        }
        let keys: Vec<ColumnId> = unique(stats.keys.iter().map(|(_, group)| *group));
        let forms = &step.scope.forms;
        let Some(mut after) =
            keys.iter().map(|key| Some((*key, forms.get(key).copied()?))).collect::<Option<Vec<_>>>()
        else {
            return Ok(None);
        };
        let raw = |place: usize| format!("a{place}");
        let computed = aggregates.iter().enumerate();
        let computed: Vec<Lowered> =
            computed.map(|(place, made)| made.aggregate.clone().alias(raw(place))).collect();
        step.builder = step.builder.aggregate(keys.iter().copied().map(Scope::column), computed)?;
        let mut shown: Vec<Lowered> = keys.iter().copied().map(Scope::column).collect();
        for (place, made) in aggregates.into_iter().enumerate() {
            let value = (made.finish)(Lowered::Column(Column::new_unqualified(raw(place))));
            shown.push(value.alias(plan_name(made.output)));
            after.push((made.output, made.form));
        }
        step.builder = step.builder.project(shown)?;
        step.scope.forms = after.into_iter().collect();
        step.eval(&stats.after)
    }

    /// Fills the columns of the groups' keys: a row with several values of one is a row for each that differs.
    fn keys(self, stats: &Stats) -> Next {
        let mut step = self;
        let mut filled: Vec<(ColumnId, ColumnId)> = Vec::new();
        for (row, group) in &stats.keys {
            let Some(form) = step.scope.forms.get(row).copied() else { return Ok(None) };
            if form.kind == DataType::Double || form.several && form.kind == DataType::GeoPoint {
                return Ok(None);
            }
            // The same column twice has the same value twice, and not every combination.
            if let Some((_, same)) = filled.iter().find(|(other, _)| other == row) {
                if same != group {
                    let form = Form { several: false, ..form };
                    step = step.with_columns([(*group, Scope::column(*same), form)])?;
                }
                continue;
            }
            filled.push((*row, *group));
            let value = Scope::column(*row);
            let value = if form.several { different(value, form.kind) } else { value };
            step = step.with_columns([(*group, value, form)])?;
            if form.several {
                let Self { builder, mut scope } = step;
                scope.forms.insert(*group, Form { several: false, ..form });
                let builder = builder.unnest_column(Column::new_unqualified(plan_name(*group)))?;
                step = Self { builder, scope };
            }
        }
        Ok(Some(step))
    }
}

/// Whether plans order values of this type as ES|QL does.
fn has_plain_order(kind: DataType) -> bool {
    matches!(
        kind,
        DataType::Boolean
            | DataType::Integer
            | DataType::Long
            | DataType::UnsignedLong
            | DataType::Keyword
            | DataType::Text
            | DataType::Datetime
            | DataType::DateNanos
    )
}

fn unique(ids: impl Iterator<Item = ColumnId>) -> Vec<ColumnId> {
    let mut found = Vec::new();
    for id in ids {
        if !found.contains(&id) {
            found.push(id);
        }
    }
    found
}

/// An aggregate of a plan.
struct Made {
    aggregate: Lowered,
    /// What is still to be done with the result.
    finish: Box<dyn Fn(Lowered) -> Lowered>,
    output: ColumnId,
    form: Form,
}

impl Scope {
    /// None where plans have no such aggregate, or one that means something else.
    fn aggregate(&self, aggregate: &Aggregate, kind: DataType) -> Option<Made> {
        let filter = match &aggregate.filter {
            Some(filter) => Some(self.one(filter, filter.span)?),
            None => None,
        };
        let (raw, finish, several) = self.raw_aggregate(aggregate)?;
        let mut aggregate_expr = raw;
        if let Lowered::AggregateFunction(function) = &mut aggregate_expr {
            // Its builder would forget that values count once.
            function.params.filter = filter.map(Box::new);
        }
        let form = Form::new(kind, several)?;
        Some(Made { aggregate: aggregate_expr, finish, output: aggregate.output, form })
    }

    /// The aggregate without its filter, what finishes it, and whether it has several values.
    #[allow(clippy::type_complexity)]
    fn raw_aggregate(
        &self,
        aggregate: &Aggregate,
    ) -> Option<(Lowered, Box<dyn Fn(Lowered) -> Lowered>, bool)> {
        let as_it_is = || -> Box<dyn Fn(Lowered) -> Lowered> { Box::new(|value| value) };
        let Some(argument) = aggregate.arguments.first() else {
            return (aggregate.function.name == "COUNT").then(|| (count(lit(1_i64)), as_it_is(), false));
        };
        let (value, form) = self.lowered(argument)?;
        let decimal = |value: Lowered| cast(value, ArrowType::Decimal128(SUM_DIGITS, 0));
        let is_whole = matches!(form.kind, DataType::Integer | DataType::Long);
        Some(match (aggregate.function.name, form.several) {
            ("COUNT", false) => (count(value), as_it_is(), false),
            ("COUNT", true) => {
                // No row at all is no sum, but a count of none.
                let none = lit(0_i64);
                let or_none = move |sum: Lowered| {
                    datafusion::functions::core::expr_fn::coalesce(vec![sum, none.clone()])
                };
                (sum(lengths(value)), Box::new(or_none), false)
            }
            ("COUNT_DISTINCT", false) if form.kind != DataType::Double => {
                (count_distinct(value), as_it_is(), false)
            }
            ("MIN", false) if has_plain_order(form.kind) => (min(value), as_it_is(), false),
            ("MAX", false) if has_plain_order(form.kind) => (max(value), as_it_is(), false),
            ("SUM", false) if is_whole => {
                let (span, evaluators) = (aggregate.span, Arc::clone(&self.evaluators));
                let finish = move |sum: Lowered| overflow(sum, span, &evaluators);
                (sum(decimal(value)), Box::new(finish), false)
            }
            ("AVG", false) if is_whole => (avg(cast(value, ArrowType::Float64)), as_it_is(), false),
            ("VALUES", _) if form.kind != DataType::Double => {
                let collected = array_agg(value).distinct().build().ok()?;
                (collected, Box::new(move |lists| flattened(lists, form)), true)
            }
            _ => return None,
        })
    }
}
