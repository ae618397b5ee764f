//! A rule taken apart for explanations: the query's conditions with their places, filters, exceptions and window, each
//! by itself.

use std::sync::Arc;

use maxspan_diagnostics::{Source, has_errors};
use maxspan_engine::RuleSetBuilder;
use maxspan_eql::{ParseOptions as EqlOptions, Strictness};
use maxspan_event::Slot;
use maxspan_plan::Predicate;
use maxspan_plan::condition::Outline;

use super::anomalies::as_query;
use super::{Columns, Compilation, CompileOptions, eql_category};
use crate::document::{Language, RuleDocument, RuleParams};
use crate::exceptions::ExceptionStore;
use crate::load::ValueLists;

/// A rule that can be run, in parts. An event counts when the query's condition and all filters hold, it lies within
/// the window, and no exception applies to it.
#[derive(Debug)]
pub struct RuleOutline {
    /// The query's conditions; their spans are places in the query's text.
    pub query: Outline,
    /// The text that has the query, to show places in.
    pub source: Arc<Source>,
    /// What to add to a place in the query for the place in `source`.
    pub shift: usize,
    /// The filters: number in the rule's list from 0, condition.
    pub filters: Vec<(usize, Predicate)>,
    /// The exception items: name, id, and the events that are excepted.
    pub exceptions: Vec<(String, String, Predicate)>,
    /// Which events count by their time.
    pub window: Predicate,
    /// Where the time of an event is read, the first present one.
    pub primary: Vec<Slot>,
}

/// The parts of a rule that [`compile`](super::compile) made ready with the same builder; none where it did not.
pub fn outline(
    rule: &RuleDocument,
    exceptions: &ExceptionStore,
    value_lists: &ValueLists,
    builder: &mut RuleSetBuilder,
    options: &CompileOptions,
) -> Option<RuleOutline> {
    // What is to be said was said when the rule was compiled.
    let columns = Columns::default();
    let mut compilation = Compilation::new(rule, builder, &columns, options);
    let anomalies = match &rule.params {
        RuleParams::MachineLearning(params) => Some(as_query(params)),
        _ => None,
    };
    let query = compilation.query_outline(anomalies.as_deref())?;
    let filters = compilation.filters();
    let excepted = compilation.excepted(exceptions, value_lists);
    let exceptions =
        excepted.into_iter().map(|(item, predicate)| (item.name.clone(), item.item_id.clone(), predicate));
    let exceptions = exceptions.collect();
    let primary = compilation.primary();
    let times = match compilation.plan() {
        Some(plan) => compilation.times(&plan),
        None => options.window,
    };
    let window = compilation.within(times, &primary);
    let (source, shift) = match &anomalies {
        Some(text) => (rule.origin.text_source("anomalies", &rule.rule_id, text), 0),
        None => rule.origin.query_source(&rule.rule_id, &rule.query),
    };
    Some(RuleOutline { query, source, shift, filters, exceptions, window, primary })
}

impl Compilation<'_> {
    /// The conditions of the rule's query, or of the one that stands for its anomalies.
    fn query_outline(&mut self, anomalies: Option<&str>) -> Option<Outline> {
        let query = anomalies.unwrap_or(&self.rule.query);
        let RuleSetBuilder { schema, fields, .. } = &mut *self.builder;
        match (&self.rule.params, self.rule.language) {
            (RuleParams::Eql { event_category_override, .. }, _) => {
                let lineage = self.options.strictness == Strictness::Lenient;
                let (tree, found) = maxspan_eql::parse_with(query, &EqlOptions { lineage });
                let options = maxspan_eql::LowerOptions {
                    event_category_field: eql_category(event_category_override.as_deref()).to_owned(),
                    strictness: self.options.strictness,
                    now: self.options.now,
                };
                let tree = tree.filter(|_| !has_errors(&found))?;
                Some(maxspan_eql::outline(&tree, query, schema, fields, &options))
            }
            (
                RuleParams::Query { .. }
                | RuleParams::SavedQuery { .. }
                | RuleParams::Threshold(_)
                | RuleParams::NewTerms(_)
                | RuleParams::ThreatMatch(_)
                | RuleParams::MachineLearning(_),
                Some(Language::Kuery) | None,
            ) => {
                let (tree, _) = maxspan_kql::parse(query, &maxspan_kql::ParseOptions::default());
                let options = maxspan_kql::LowerOptions { now: self.options.now };
                Some(maxspan_kql::outline(&tree?, schema, fields, &options))
            }
            (RuleParams::Esql, _) => {
                self.esql()?;
                let query = &self.rows_query.as_ref()?.query;
                let RuleSetBuilder { schema, fields, .. } = &mut *self.builder;
                Some(maxspan_esql::outline(query, schema, fields))
            }
            _ => None,
        }
    }
}
