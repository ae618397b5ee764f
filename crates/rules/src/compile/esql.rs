//! ES|QL rules: what an event must satisfy to be looked at, and the query over the events of a run's window.

use std::cell::OnceCell;
use std::sync::Arc;

use maxspan_diagnostics::{Diagnostic, Source, codes};
use maxspan_esql::ast::Tree;
use maxspan_esql::rows::RowReader;
use maxspan_esql::run::Tables;
use maxspan_esql::{EventSchema, Query, WithTables, analyze, necessary, parse};
use maxspan_event::Schema;
use maxspan_plan::{Plan, PlanKind};

use super::Compilation;

/// The query of an ES|QL rule, over the events of a run's window.
#[derive(Debug)]
pub struct RowsQuery {
    /// The query.
    pub query: Query,
    /// What it does with the row of each event by itself, the same in every run.
    pub each: Query,
    /// What it does with all rows that come of that, the same in every run too.
    pub together: Query,
    /// What depends on the time of the run.
    pub timed: Option<Query>,
    /// Makes rows of events.
    pub reader: RowReader,
    /// The columns that `MV_EXPAND` unfolds: an event can have several rows.
    pub expanded: Vec<String>,
    /// The indices that it reads.
    pub patterns: Vec<String>,
    /// The tables that its lookups look at.
    pub tables: Arc<Tables>,
}

/// The columns that ES|QL queries may name. Made once for all rules, when the first of them asks.
#[derive(Debug, Default)]
pub struct Columns {
    listed: OnceCell<EventSchema>,
    on_demand: OnceCell<EventSchema>,
}

impl Columns {
    /// Rows that stand for events need only what the query makes of them, and groups what it names: the fields of the
    /// event are in its document. Of other rows the alert has all columns.
    fn of(&self, tree: &Tree, schema: &Schema) -> &EventSchema {
        let has_id = tree.from().is_some_and(|from| from.metadata.iter().any(|name| name.text() == "_id"));
        if has_id || tree.is_aggregating() {
            self.on_demand.get_or_init(|| EventSchema::on_demand(schema.clone()))
        } else {
            self.listed.get_or_init(|| EventSchema::new(schema.clone()))
        }
    }
}

impl Compilation<'_> {
    /// The condition on single events that follows from the query; the query itself is in `rows_query`.
    pub(super) fn esql(&mut self) -> Option<Plan> {
        let (source, shift) = self.rule.origin.query_source(&self.rule.rule_id, &self.rule.query);
        let text = Source::new(self.rule.rule_id.clone(), self.rule.query.clone());
        let (tree, mut found) = parse(&text.text);
        let mut query = None;
        if !maxspan_diagnostics::has_errors(&found) {
            let events = self.columns.of(&tree, &self.builder.schema);
            let (analyzed, more) = analyze(&tree, &text, &WithTables::new(events, &self.options.tables));
            found.extend(more);
            query = analyzed;
        }
        if let Some(reason) = unsupported(&found) {
            found.retain(|one| !one.is_error());
            self.unsupported = Some(reason);
            query = None;
        }
        self.report_all(&source, shift, found);
        let query = query?;
        let predicate = necessary(&query, &self.builder.schema, &mut self.builder.fields);
        let reader = RowReader::new(&query, &self.builder.schema);
        let patterns = tree.index_patterns().into_iter().map(str::to_owned).collect();
        let (each, together, timed) = query.split();
        let expanded = tree.expanded_columns();
        let tables = Arc::clone(&self.options.tables);
        let rows_query = RowsQuery { query, each, together, timed, reader, expanded, patterns, tables };
        self.rows_query = Some(Arc::new(rows_query));
        Some(Plan::new(PlanKind::Events(predicate)))
    }
}

/// What the query has that is not run, where all that is wrong is that.
fn unsupported(found: &[Diagnostic]) -> Option<String> {
    let mut errors = found.iter().filter(|one| one.is_error()).peekable();
    let first = errors.peek()?.message.clone();
    errors.all(|one| one.code == codes::ESQL_UNSUPPORTED).then_some(first)
}
