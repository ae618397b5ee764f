//! A rule document to what the engine runs: query, filters, exceptions and time window in one plan.

mod anomalies;
mod esql;
mod grouped;
mod indicators;
mod outline;
#[cfg(test)]
mod tests;
mod times;

use std::collections::HashSet;
use std::sync::Arc;

use maxspan_diagnostics::{Code, Diagnostic, Source, Span, codes, has_errors, nearest_names};
use maxspan_engine::{CompiledRule, RuleSetBuilder};
use maxspan_eql::{ParseOptions as EqlOptions, Strictness};
use maxspan_esql::run::Tables;
use maxspan_event::index::IndexPatterns;
use maxspan_event::{FieldType, Slot};
use maxspan_plan::{Plan, PlanKind, Predicate, TestKind};

use crate::document::{Language, RuleDocument, RuleParams};
use crate::exception_predicate::{ExceptionContext, NotApplied, lower_item};
use crate::exceptions::{ExceptionItem, ExceptionStore};
use crate::filters::{FilterContext, lower_filter};
use crate::load::ValueLists;

pub use anomalies::ANOMALY_INDICES;
pub use esql::{Columns, RowsQuery};
pub use outline::{RuleOutline, outline};

/// How rules are compiled.
#[derive(Debug, Clone)]
pub struct CompileOptions {
    /// What `now` is in date math, in nanoseconds since 1970; also what exceptions expire against.
    pub now: i64,
    /// Only what happened within these instants is looked for, both included, in nanoseconds since 1970. Where a rule
    /// looks at several events, earlier ones count too, as far back as it goes.
    pub window: Option<(i64, i64)>,
    /// When rules run.
    pub runs: Runs,
    /// Runs of schedules after this instant are not due yet, in nanoseconds since 1970.
    pub due: Option<i64>,
    /// What EQL refuses.
    pub strictness: Strictness,
    /// The user's own index patterns instead of the rule's.
    pub any_index: bool,
    /// The tables that LOOKUP JOIN and ENRICH of ES|QL rules may name.
    pub tables: Arc<Tables>,
}

impl Default for CompileOptions {
    fn default() -> Self {
        Self {
            now: 0,
            window: None,
            runs: Runs::Schedule,
            due: None,
            strictness: Strictness::Lenient,
            any_index: false,
            tables: Arc::default(),
        }
    }
}

/// When rules run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Runs {
    /// Those that go by the runs of their schedule, at each of these; the others over everything at once.
    #[default]
    Schedule,
    /// Each once, over the window that the rule has at the end of [`CompileOptions::window`]; from its start on, where
    /// that says one.
    Once,
}

/// What became of a rule.
#[derive(Debug)]
pub enum Outcome {
    /// It can be run.
    Ready(Box<CompiledRule>),
    /// It is sound as far as was checked, but rules of its kind are not run; says why.
    NotRun(String),
    /// It cannot be run; the diagnostics say why.
    Failed,
}

/// A rule's outcome and all that is to be said about it.
#[derive(Debug)]
pub struct Compiled {
    /// What became of it.
    pub outcome: Outcome,
    /// Messages and the text they are about.
    pub diagnostics: Vec<(Arc<Source>, Diagnostic)>,
    /// Exception items that apply to the rule.
    pub exceptions: usize,
    /// The query over the events of a window, for rules in ES|QL that can be run.
    pub rows_query: Option<Arc<RowsQuery>>,
}

/// Compiles a rule; fields it names are added to the builder, the rule itself is not.
pub fn compile(
    rule: &RuleDocument,
    exceptions: &ExceptionStore,
    value_lists: &ValueLists,
    builder: &mut RuleSetBuilder,
    columns: &Columns,
    options: &CompileOptions,
) -> Compiled {
    let mut compilation = Compilation::new(rule, builder, columns, options);
    let outcome = compilation.run(exceptions, value_lists);
    let Compilation { diagnostics, exceptions, rows_query, .. } = compilation;
    Compiled { outcome, diagnostics, exceptions, rows_query }
}

struct Compilation<'a> {
    rule: &'a RuleDocument,
    builder: &'a mut RuleSetBuilder,
    columns: &'a Columns,
    options: &'a CompileOptions,
    diagnostics: Vec<(Arc<Source>, Diagnostic)>,
    exceptions: usize,
    rows_query: Option<Arc<RowsQuery>>,
    /// What an ES|QL query has that is not run.
    unsupported: Option<String>,
}

impl<'a> Compilation<'a> {
    fn new(
        rule: &'a RuleDocument,
        builder: &'a mut RuleSetBuilder,
        columns: &'a Columns,
        options: &'a CompileOptions,
    ) -> Self {
        let (diagnostics, exceptions, rows_query, unsupported) = (Vec::new(), 0, None, None);
        Self { rule, builder, columns, options, diagnostics, exceptions, rows_query, unsupported }
    }
}

impl Compilation<'_> {
    fn run(&mut self, exceptions: &ExceptionStore, value_lists: &ValueLists) -> Outcome {
        let side = self.indicator_side();
        let plan = self.plan();
        let filters = Predicate::and(self.filters().into_iter().map(|(_, filter)| filter));
        let excepted = self.excepted(exceptions, value_lists);
        self.exceptions = excepted.len();
        let excepted = Predicate::or(excepted.into_iter().map(|(_, item)| item));
        if self.diagnostics.iter().any(|(_, diagnostic)| diagnostic.is_error()) {
            return Outcome::Failed;
        }
        let (side, refused) = match side {
            Some(Err(refused)) => (None, Some(refused)),
            Some(Ok(side)) => (Some(side), None),
            None => (None, None),
        };
        if let Some((field, reason)) = self.not_run().or(refused) {
            self.report_field(field, codes::RULE_NOT_RUN, reason.clone());
            return Outcome::NotRun(reason);
        }
        self.warn_ignored();
        let Some(plan) = plan else { return Outcome::Failed };
        let primary = self.primary();
        let times = self.times(&plan);
        let condition = Predicate::and([self.within(times, &primary), filters, excepted.clone().negate()]);
        let plan = self.grouped(plan.restricted(&condition));
        let plan = match side {
            Some(side) => self.indicators(plan, side, excepted),
            None => plan,
        };
        Outcome::Ready(Box::new(CompiledRule { times, ..self.compiled(plan, primary) }))
    }

    /// Why a sound rule is not run, and the field that says so.
    fn not_run(&self) -> Option<(&'static str, String)> {
        let rule = self.rule;
        match (&rule.params, rule.language) {
            (RuleParams::Eql { .. }, _) => None,
            (RuleParams::SavedQuery { saved_id }, _)
                if rule.query.trim().is_empty() && rule.filters.is_empty() =>
            {
                Some(("saved_id", format!("the saved query `{saved_id}` is not part of the file")))
            }
            (RuleParams::MachineLearning(_), _) => None,
            (RuleParams::Esql, _) => match &self.unsupported {
                Some(what) => Some(("query", what.clone())),
                None => self.not_replayed(),
            },
            (_, Some(Language::Lucene)) => Some(("type", "Lucene queries are not run yet".to_owned())),
            (RuleParams::Threshold(_) | RuleParams::NewTerms(_) | RuleParams::ThreatMatch(_), _) => {
                self.not_replayed()
            }
            (RuleParams::Query { .. } | RuleParams::SavedQuery { .. }, _) => None,
        }
    }

    /// The rule's query as a plan, for rule types that have one in a language that is known.
    fn plan(&mut self) -> Option<Plan> {
        match (&self.rule.params, self.rule.language) {
            (RuleParams::Eql { event_category_override, .. }, _) => {
                self.eql(eql_category(event_category_override.as_deref()))
            }
            (RuleParams::Esql, _) => self.esql(),
            (RuleParams::MachineLearning(_), _) => self.anomalies(),
            (_, Some(Language::Lucene)) => None,
            _ => self.rule_kql(),
        }
    }

    fn rule_kql(&mut self) -> Option<Plan> {
        let (source, shift) = self.rule.origin.query_source(&self.rule.rule_id, &self.rule.query);
        let query = self.rule.query.clone();
        self.kql(&query, &source, shift).map(|predicate| Plan::new(PlanKind::Events(predicate)))
    }

    fn kql(&mut self, query: &str, source: &Arc<Source>, shift: usize) -> Option<Predicate> {
        let (tree, mut found) = maxspan_kql::parse(query, &maxspan_kql::ParseOptions::default());
        let options = maxspan_kql::LowerOptions { now: self.options.now };
        let predicate = tree.and_then(|tree| {
            let (predicate, more) =
                maxspan_kql::lower(&tree, &self.builder.schema, &mut self.builder.fields, &options);
            found.extend(more);
            predicate
        });
        self.report_all(source, shift, found);
        predicate
    }

    fn eql(&mut self, category: &str) -> Option<Plan> {
        let query = &self.rule.query;
        let lineage = self.options.strictness == Strictness::Lenient;
        let (tree, mut found) = maxspan_eql::parse_with(query, &EqlOptions { lineage });
        let options = maxspan_eql::LowerOptions {
            event_category_field: category.to_owned(),
            strictness: self.options.strictness,
            now: self.options.now,
        };
        let plan = tree.filter(|_| !has_errors(&found)).and_then(|tree| {
            let (plan, more) =
                maxspan_eql::lower(&tree, query, &self.builder.schema, &mut self.builder.fields, &options);
            found.extend(more);
            plan
        });
        let (source, shift) = self.rule.origin.query_source(&self.rule.rule_id, query);
        self.report_all(&source, shift, found);
        plan
    }

    /// Lowering repeats what it says about a part of the query for every use of that part: once is enough.
    fn report_all(&mut self, source: &Arc<Source>, shift: usize, found: Vec<Diagnostic>) {
        let mut said = HashSet::new();
        for mut diagnostic in found {
            let Diagnostic { code, span, .. } = diagnostic;
            if said.insert((code.info().number, span, diagnostic.message.clone())) {
                diagnostic.span = diagnostic.span.shifted(shift);
                diagnostic.labels.iter_mut().for_each(|label| label.span = label.span.shifted(shift));
                self.diagnostics.push((Arc::clone(source), diagnostic.about_rule(&self.rule.rule_id)));
            }
        }
    }

    fn report_field(&mut self, field: &str, code: Code, message: String) {
        let span = self.rule.origin.field_span(field);
        self.report(span, code, message);
    }

    fn report(&mut self, span: Span, code: Code, message: String) {
        let diagnostic = Diagnostic::new(code, span, message).about_rule(&self.rule.rule_id);
        self.diagnostics.push((Arc::clone(&self.rule.origin.source), diagnostic));
    }

    /// The rule's filters with their places in the list.
    fn filters(&mut self) -> Vec<(usize, Predicate)> {
        let RuleSetBuilder { schema, fields, .. } = &mut *self.builder;
        let mut context = FilterContext::new(schema, fields, self.options.now);
        let (mut all, mut refused) = (Vec::new(), Vec::new());
        for (index, filter) in self.rule.filters.iter().enumerate() {
            match lower_filter(filter, &mut context) {
                Ok(predicate) => all.push((index, predicate)),
                Err(what) => refused.push(what),
            }
        }
        self.report_filters("filters", refused);
        all
    }

    fn report_filters(&mut self, field: &str, refused: Vec<String>) {
        for what in refused {
            self.report_field(field, codes::FILTER_UNSUPPORTED, format!("{what} cannot be translated"));
        }
    }

    /// The exception items that are applied, each with the events that it excepts.
    fn excepted<'e>(
        &mut self,
        exceptions: &'e ExceptionStore,
        value_lists: &ValueLists,
    ) -> Vec<(&'e ExceptionItem, Predicate)> {
        let now_ms = maxspan_event::date::to_millis(self.options.now);
        let applicable = exceptions.items_for(self.rule, Some(now_ms));
        let source = Arc::clone(&self.rule.origin.source);
        self.report_all(&source, 0, applicable.diagnostics);
        let mut any = Vec::new();
        for item in applicable.items {
            let RuleSetBuilder { schema, fields, .. } = &mut *self.builder;
            let mut context = ExceptionContext::new(schema, fields, value_lists, self.options.now);
            let lowered = lower_item(item, &mut context);
            let mut messages: Vec<(Code, String)> = context
                .notes
                .into_iter()
                .map(|what| {
                    (codes::EXCEPTION_NOT_APPLIED, format!("the exception `{}` has {what}", item.name))
                })
                .collect();
            let not_applied = format!("the exception `{}` is not applied:", item.name);
            match lowered {
                Ok(predicate) => any.push((item, predicate)),
                Err(NotApplied::ListMissing(list)) => messages.push((
                    codes::VALUE_LIST_MISSING,
                    format!("{not_applied} value list `{list}` is not there"),
                )),
                Err(NotApplied::Entry(what)) => {
                    messages.push((codes::EXCEPTION_NOT_APPLIED, format!("{not_applied} it has {what}")));
                }
            }
            for (code, message) in messages {
                self.diagnostics.push((Arc::clone(&item.source), Diagnostic::new(code, item.span, message)));
            }
        }
        any
    }

    /// Which events count by their time: those within the window on the primary timestamp, for which `@timestamp`
    /// stands in where the override is missing, unless the rule says that it does not.
    fn within(&self, times: Option<(i64, i64)>, primary: &[Slot]) -> Predicate {
        let Some((first, fallback)) = primary.split_first() else { return Predicate::Constant(true) };
        let present = || Predicate::test(*first, TestKind::Exists);
        let must_be_there =
            self.rule.timestamp_override.is_some() && self.rule.timestamp_override_fallback_disabled;
        let Some((from, to)) = times else {
            return if must_be_there { present() } else { Predicate::Constant(true) };
        };
        let within = |slot: Slot| {
            let kind = self.builder.fields.field(slot).kind;
            Predicate::test(slot, TestKind::instants(from, to, kind))
        };
        let mut any = vec![within(*first)];
        for slot in fallback {
            any.push(Predicate::and([present().negate(), within(*slot)]));
        }
        Predicate::or(any)
    }

    /// Where the time of an event is read, the first present one.
    fn primary(&mut self) -> Vec<Slot> {
        let rule = self.rule;
        if matches!(rule.params, RuleParams::MachineLearning(_)) {
            return vec![self.date_slot("timestamp_override", anomalies::TIMESTAMP)];
        }
        let mut names: Vec<&str> = rule.timestamp_override.as_deref().into_iter().collect();
        if names.is_empty() || !rule.timestamp_override_fallback_disabled {
            names.push("@timestamp");
        }
        names.dedup();
        names.into_iter().map(|name| self.date_slot("timestamp_override", name)).collect()
    }

    /// The slot of a field that must hold dates; where the schema does not say so, its values are read as dates.
    fn date_slot(&mut self, named_by: &'static str, name: &str) -> Slot {
        let mut field = self.builder.schema.field(name);
        if !field.kind.is_date() {
            if field.is_known() {
                let kind = field.kind.name();
                let message =
                    format!("`{name}` is of type `{kind}`, not a date: its values are read as dates");
                self.report_field(named_by, codes::RULE_FIELD_UNUSUAL, message);
            }
            field.kind = FieldType::Date;
            field.lowercase = false;
        }
        self.builder.fields.slot(&field)
    }

    fn compiled(&mut self, plan: Plan, primary: Vec<Slot>) -> CompiledRule {
        let (timestamp, tiebreaker) = match &self.rule.params {
            RuleParams::Eql { timestamp_field, tiebreaker_field, .. } => {
                (timestamp_field.as_deref(), tiebreaker_field.as_deref())
            }
            _ => (None, None),
        };
        let timestamp = timestamp.filter(|name| !name.is_empty()).unwrap_or("@timestamp");
        let timestamp = self.date_slot("timestamp_field", timestamp);
        let mut compiled = CompiledRule::new(plan, timestamp);
        compiled.tiebreaker = tiebreaker.filter(|name| !name.is_empty()).map(|name| self.builder.slot(name));
        compiled.primary = primary;
        if matches!(self.rule.params, RuleParams::MachineLearning(_)) {
            compiled.tiebreaker = Some(self.score());
            self.builder.noted = Some(self.job());
            compiled.indices = IndexPatterns::new([ANOMALY_INDICES]);
        } else if let Some(rows) = &self.rows_query {
            compiled.indices = IndexPatterns::new(rows.patterns.iter().map(String::as_str));
        } else {
            compiled.indices = IndexPatterns::new(self.rule.index_patterns());
        }
        if self.options.any_index {
            compiled.indices = IndexPatterns::default();
        }
        compiled
    }

    fn warn_ignored(&mut self) {
        let rule = self.rule;
        let mut ignored: Vec<(&'static str, String)> = Vec::new();
        if rule.data_view_id.is_some() {
            let message = "data views are not known here; the rule looks into its index patterns";
            ignored.push(("data_view_id", message.to_owned()));
        }
        if let RuleParams::SavedQuery { saved_id } = &rule.params {
            let message = format!(
                "the saved query `{saved_id}` is not looked up; the rule's own query and filters are used"
            );
            ignored.push(("saved_id", message));
        }
        if rule.severity_mapping.iter().any(|mapping| mapping.severity.is_none()) {
            let message = "an entry of `severity_mapping` without `severity` has no effect";
            ignored.push(("severity_mapping", message.to_owned()));
        }
        for (field, message) in ignored {
            self.report_field(field, codes::RULE_IGNORED, message);
        }
        if let RuleParams::Eql { event_category_override, tiebreaker_field, .. } = &rule.params {
            self.warn_unknown("event_category_override", event_category_override.as_deref());
            self.warn_unknown("tiebreaker_field", tiebreaker_field.as_deref());
        }
    }

    /// A field that the rule names outside of its query, and that no schema knows.
    fn warn_unknown(&mut self, named_by: &'static str, name: Option<&str>) {
        let schema = &self.builder.schema;
        let Some(name) = name.filter(|name| !name.is_empty() && schema.get(name).is_none()) else { return };
        let near = nearest_names(name, schema.names());
        let span = self.rule.origin.field_span(named_by);
        let mut diagnostic =
            Diagnostic::new(codes::EQL_FIELD_UNMAPPED, span, format!("no schema knows the field [{name}]"));
        if !near.is_empty() {
            diagnostic = diagnostic.with_help(format!("did you mean [{}]?", near.join(", ")));
        }
        let diagnostic = diagnostic.about_rule(&self.rule.rule_id);
        self.diagnostics.push((Arc::clone(&self.rule.origin.source), diagnostic));
    }
}

/// The field that holds the event category of an EQL rule.
fn eql_category(named: Option<&str>) -> &str {
    named.filter(|name| !name.is_empty()).unwrap_or("event.category")
}
