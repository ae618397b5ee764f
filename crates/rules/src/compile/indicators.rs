//! Indicator match rules: the events of the rule's query, the indicators of its threat query, and how they are joined
//! (specification 5.3).
//!
//! `now` in the threat query is the time of a run. Conditions of the query's top-level conjunction, and filters, that
//! compare a date with it become bounds that move with the runs; a rule that uses it in another way is not run, rather
//! than run with another meaning.

use std::sync::Arc;

use maxspan_diagnostics::Source;
use maxspan_event::date::{self, DateFormat};
use maxspan_event::index::IndexPatterns;
use maxspan_event::{Field, Schema, Slot};
use maxspan_kql::ast::{Literal, LiteralKind, Node, NodeKind, RangeOp};
use maxspan_plan::limits::{MAPPING_ENTRIES_MAX, MAPPING_GROUPS_MAX};
use maxspan_plan::{
    Indicators, JoinForm, Leaves, MappingEntry, Plan, PlanKind, Predicate, RunBound, Step, TestKind,
};
use serde_json::{Map, Value};

use super::Compilation;
use crate::document::{Language, RuleParams, ThreatMappingEntry, ThreatMatchParams};
use crate::filters::{FilterContext, lower_filter};
use crate::schedule::DateMath;

/// Which documents are indicators, in runs that take them.
#[derive(Debug)]
pub(super) struct IndicatorSide {
    condition: Predicate,
    bounds: Vec<RunBound>,
}

/// Why a rule is not run, and the field that says so.
type NotRun = (&'static str, String);

/// A bound that moves with the runs, and whether it is one: else says why not.
type Bound = Result<RunBound, String>;

impl Compilation<'_> {
    /// The indicators of the rule; none for other rule types, and where an error was reported.
    pub(super) fn indicator_side(&mut self) -> Option<Result<IndicatorSide, NotRun>> {
        let RuleParams::ThreatMatch(params) = &self.rule.params else { return None };
        let params: &ThreatMatchParams = params;
        let filters = self.threat_filters(&params.threat_filters);
        if params.threat_language != Language::Kuery {
            return Some(Err(("threat_language", "Lucene queries are not run yet".to_owned())));
        }
        let query = self.threat_query(&params.threat_query)?;
        if params.threat_mapping.len() > MAPPING_GROUPS_MAX
            || params.threat_mapping.iter().any(|group| group.entries.len() > MAPPING_ENTRIES_MAX)
        {
            let most = format!("{MAPPING_GROUPS_MAX} groups or {MAPPING_ENTRIES_MAX} entries of one");
            return Some(Err(("threat_mapping", format!("mappings of more than {most} are not run"))));
        }
        Some(query.and_then(|mut side| {
            let filters = filters?;
            side.bounds.extend(filters.bounds);
            side.condition = Predicate::and([side.condition, filters.condition]);
            Ok(side)
        }))
    }

    /// The plan of the rule's events and of its indicators, to which exceptions apply too.
    pub(super) fn indicators(&mut self, plan: Plan, side: IndicatorSide, excepted: Predicate) -> Plan {
        let RuleParams::ThreatMatch(params) = &self.rule.params else { return plan };
        let PlanKind::Events(events) = plan.kind else { return plan };
        let step = |predicate| Step { predicate, missing: false, keys: Vec::new() };
        let groups = params.threat_mapping.iter();
        let groups: Vec<Vec<MappingEntry>> =
            groups.map(|group| group.entries.iter().map(|entry| self.entry(entry)).collect()).collect();
        let events = self.with_some_group(&groups, |entry| entry.event, &events);
        let indicators = Predicate::and([side.condition, excepted.negate()]);
        let indicators = self.with_some_group(&groups, |entry| entry.indicator, &indicators);
        let patterns = params.threat_index.iter().map(String::as_str);
        let indicators = Indicators {
            steps: vec![step(events), step(indicators)],
            indices: IndexPatterns::new(patterns.filter(|_| !self.options.any_index)),
            groups: Indicators::groups(groups),
            bounds: side.bounds,
            windows: self.windows(),
        };
        Plan { kind: PlanKind::Indicators(Box::new(indicators)), ..plan }
    }

    /// The condition on documents that have the fields of some group; others are not looked at any further.
    fn with_some_group(
        &self,
        groups: &[Vec<MappingEntry>],
        slot: impl Fn(&MappingEntry) -> Slot,
        condition: &Predicate,
    ) -> Predicate {
        Predicate::or(groups.iter().map(|entries| {
            let slots: Vec<Slot> = entries.iter().filter(|entry| !entry.negated).map(&slot).collect();
            let fields: Vec<&Field> = slots.iter().map(|slot| self.builder.fields.field(*slot)).collect();
            let present = slots.iter().map(|slot| Predicate::test(*slot, TestKind::Exists));
            Predicate::and(present.chain([given(condition, &fields)]))
        }))
    }

    fn entry(&mut self, entry: &ThreatMappingEntry) -> MappingEntry {
        let fields = [&entry.field, &entry.value].map(|name| self.builder.schema.field(name));
        let [event, indicator] = [&fields[0], &fields[1]].map(|field| self.builder.fields.slot(field));
        let kinds = [fields[0].kind, fields[1].kind];
        let is_exact = |field: &Field| field.kind.is_keyword() || field.kind == maxspan_event::FieldType::Ip;
        MappingEntry {
            event,
            indicator,
            form: JoinForm::of(kinds, fields.iter().any(|field| field.lowercase)),
            exact: fields.iter().all(is_exact),
            negated: entry.negate == Some(true),
        }
    }

    /// The threat query; none where it is in error.
    fn threat_query(&mut self, query: &str) -> Option<Result<IndicatorSide, NotRun>> {
        let source: Arc<Source> = self.rule.origin.text_source("threat_query", &self.rule.rule_id, query);
        let (tree, mut found) = maxspan_kql::parse(query, &maxspan_kql::ParseOptions::default());
        let mut bounds = Ok(Vec::new());
        let lowered = tree.and_then(|tree| {
            let (relative, rest) = self.split(&tree);
            bounds = relative;
            let options = maxspan_kql::LowerOptions { now: self.options.now };
            let (predicate, more) =
                maxspan_kql::lower(&rest?, &self.builder.schema, &mut self.builder.fields, &options);
            found.extend(more);
            Some(predicate)
        });
        let failed = maxspan_diagnostics::has_errors(&found);
        self.report_all(&source, 0, found);
        if failed {
            return None;
        }
        let condition = lowered.flatten().unwrap_or(Predicate::Constant(true));
        let side = bounds.map(|bounds| IndicatorSide { condition, bounds });
        Some(side.map_err(|why| ("threat_query", why)))
    }

    /// The conditions that move with the runs, and the query without them; none where nothing else is asked.
    fn split(&mut self, tree: &Node) -> (Result<Vec<RunBound>, String>, Option<Node>) {
        let conditions = match &tree.kind {
            NodeKind::And(all) => all.clone(),
            _ => vec![tree.clone()],
        };
        let schema = &self.builder.schema;
        let (moving, rest): (Vec<Node>, Vec<Node>) =
            conditions.into_iter().partition(|node| mentions_now(node, schema));
        let bounds = moving.iter().map(|node| self.bound_of(node)).collect();
        let rest = match rest.len() {
            0 => None,
            1 => rest.into_iter().next(),
            _ => Some(Node { kind: NodeKind::And(rest), span: tree.span }),
        };
        (bounds, rest)
    }

    /// The bound that a condition with `now` is.
    fn bound_of(&mut self, node: &Node) -> Bound {
        let NodeKind::Range {
            field: Literal { kind: LiteralKind::Text(name) | LiteralKind::Quoted(name), .. },
            op,
            value,
        } = &node.kind
        else {
            return Err(moves_otherwise());
        };
        let field = self.builder.schema.field(name);
        self.bound(&field, *op, text_of(value).unwrap_or_default())
    }

    fn bound(&mut self, field: &Field, op: RangeOp, moment: &str) -> Bound {
        let slot = self.builder.fields.slot(field);
        let moment = moment.trim().to_owned();
        match op {
            RangeOp::Greater | RangeOp::GreaterOrEqual if is_monotone(&moment) => {
                Ok(RunBound::Since { slot, kind: field.kind, after: op == RangeOp::Greater, moment })
            }
            RangeOp::Less | RangeOp::LessOrEqual => {
                let math = DateMath::parse(&moment).ok();
                let fixed = math.filter(|math| math.rounding_ms == 0 && !moment.contains(['M', 'y']));
                let before = op == RangeOp::Less;
                let bound = |math: DateMath| RunBound::Until { slot, before, offset_ms: math.offset_ms };
                fixed.map(bound).ok_or_else(|| not_replayed(&moment))
            }
            _ => Err(not_replayed(&moment)),
        }
    }

    /// The filters on indicators.
    fn threat_filters(&mut self, filters: &[Value]) -> Result<IndicatorSide, NotRun> {
        let (mut bounds, mut conditions, mut refused) = (Vec::new(), Vec::new(), Vec::new());
        let mut not_run = None;
        for filter in filters {
            let filter = match self.moving_filter(filter) {
                Ok((moving, rest)) => {
                    bounds.extend(moving);
                    rest
                }
                Err(why) => {
                    not_run.get_or_insert(why);
                    None
                }
            };
            let Some(filter) = filter else { continue };
            let super::RuleSetBuilder { schema, fields, .. } = &mut *self.builder;
            let mut context = FilterContext::new(schema, fields, self.options.now);
            match lower_filter(&filter, &mut context) {
                Ok(predicate) => conditions.push(predicate),
                Err(what) => refused.push(what),
            }
        }
        self.report_filters("threat_filters", refused);
        match not_run {
            Some(why) => Err(("threat_filters", why)),
            None => Ok(IndicatorSide { condition: Predicate::and(conditions), bounds }),
        }
    }

    /// The bounds of a filter that move with the runs, and what is left of it.
    fn moving_filter(&mut self, filter: &Value) -> Result<(Vec<RunBound>, Option<Value>), String> {
        let meta = filter.get("meta");
        let flag = |name: &str| meta.and_then(|meta| meta.get(name)) == Some(&Value::Bool(true));
        if flag("disabled") || !filter_mentions_now(filter, &self.builder.schema) {
            return Ok((Vec::new(), Some(filter.clone())));
        }
        let range = filter.pointer("/query/range").or_else(|| filter.get("range")).and_then(Value::as_object);
        let mut fields = range.into_iter().flatten();
        match (fields.next(), fields.next(), flag("negate")) {
            (Some((name, limits)), None, false) => {
                let limits = limits.as_object().ok_or_else(moves_otherwise)?;
                let (bounds, rest) = self.moving_limits(name, limits)?;
                let rest = (!rest.is_empty()).then(|| serde_json::json!({"query": {"range": {name: rest}}}));
                Ok((bounds, rest))
            }
            _ => Err(moves_otherwise()),
        }
    }

    /// The limits of a range that move with the runs, and the others; without any of these, nothing.
    fn moving_limits(
        &mut self,
        name: &str,
        limits: &Map<String, Value>,
    ) -> Result<(Vec<RunBound>, Map<String, Value>), String> {
        let field = self.builder.schema.field(name);
        let (mut bounds, mut rest, mut has_limit) = (Vec::new(), Map::new(), false);
        for (key, value) in limits {
            let op = match key.as_str() {
                "gt" => Some(RangeOp::Greater),
                "gte" => Some(RangeOp::GreaterOrEqual),
                "lt" => Some(RangeOp::Less),
                "lte" => Some(RangeOp::LessOrEqual),
                "time_zone" => return Err(moves_otherwise()),
                _ => None,
            };
            match (op, value.as_str().filter(|text| is_now(text))) {
                (Some(op), Some(moment)) => bounds.push(self.bound(&field, op, moment)?),
                (None, Some(_)) => return Err(moves_otherwise()),
                (_, None) => {
                    has_limit |= op.is_some();
                    rest.insert(key.clone(), value.clone());
                }
            }
        }
        Ok((bounds, if has_limit { rest } else { Map::new() }))
    }
}

/// The condition where some fields are there: a question whether any field of their kind is there (`file.hash.*: *`), for
/// which all fields of a document would have to be looked at, is answered.
fn given(condition: &Predicate, present: &[&Field]) -> Predicate {
    let all = |list: &[Predicate]| list.iter().map(|one| given(one, present)).collect::<Vec<_>>();
    let is_answer = |leaves: &Leaves, field: &Field| {
        leaves.fields.as_ref().is_none_or(|names| names.matches(&field.path))
            && leaves.tests.get(field.kind) == Some(&TestKind::Exists)
    };
    match condition {
        Predicate::And(list) => Predicate::and(all(list)),
        Predicate::Or(list) => Predicate::or(all(list)),
        Predicate::Not(inner) => given(inner, present).negate(),
        Predicate::Leaves(leaves) if present.iter().any(|field| is_answer(leaves, field)) => {
            Predicate::Constant(true)
        }
        other => other.clone(),
    }
}

/// Whether date math means later moments for later runs: months and years have different lengths, so that it does only
/// where the moment is rounded to a day or more after them.
fn is_monotone(moment: &str) -> bool {
    let after = moment.rfind(['M', 'y']).map_or("", |at| &moment[at..]);
    let (unit, rest) = after.split_at(after.len().min(1));
    let is_rounding =
        unit.is_empty() || moment.strip_suffix(after).is_some_and(|before| before.ends_with('/'));
    is_rounding || ["/d", "/w"].iter().any(|rounding| rest.contains(rounding))
}

/// Whether a text is date math from now.
fn is_now(text: &str) -> bool {
    let text = text.trim();
    text.starts_with("now") && date::parse_bound(text, &DateFormat::default(), 0, false).is_some()
}

fn text_of(literal: &Literal) -> Option<&str> {
    match &literal.kind {
        LiteralKind::Text(text) | LiteralKind::Quoted(text) => Some(text),
        LiteralKind::Null | LiteralKind::Boolean(_) | LiteralKind::Wildcard(_) => None,
    }
}

/// Whether a condition compares dates with now.
fn mentions_now(node: &Node, schema: &Schema) -> bool {
    // Free text and patterns of fields look at dates too.
    let is_date = |field: Option<&Literal>| {
        field.and_then(text_of).is_none_or(|name| schema.field(name).kind.is_date())
    };
    match &node.kind {
        NodeKind::Is { field, value } => text_of(value).is_some_and(is_now) && is_date(field.as_ref()),
        NodeKind::Range { field, value, .. } => text_of(value).is_some_and(is_now) && is_date(Some(field)),
        NodeKind::And(all) | NodeKind::Or(all) => all.iter().any(|one| mentions_now(one, schema)),
        NodeKind::Not(inner) => mentions_now(inner, schema),
        NodeKind::Nested { query, .. } => mentions_now(query, schema),
    }
}

/// Whether a filter compares dates with now.
fn filter_mentions_now(filter: &Value, schema: &Schema) -> bool {
    fn mentions(value: &Value, in_date: bool, schema: &Schema) -> bool {
        match value {
            Value::Object(members) => members.iter().any(|(key, value)| {
                let is_date = schema.field(key).kind.is_date();
                mentions(value, in_date || is_date, schema)
            }),
            Value::Array(values) => values.iter().any(|value| mentions(value, in_date, schema)),
            Value::String(text) => in_date && is_now(text),
            _ => false,
        }
    }
    let combined = filter.pointer("/meta/type").and_then(Value::as_str) == Some("combined");
    let parts = filter.as_object().into_iter().flatten();
    let mut parts = parts.filter(|(key, _)| combined || key.as_str() != "meta");
    parts.any(|(key, value)| mentions(value, schema.field(key).kind.is_date(), schema))
}

fn moves_otherwise() -> String {
    "indicators are chosen by `now` in another way than by a comparison that must hold; such runs are not replayed yet"
        .to_owned()
}

fn not_replayed(moment: &str) -> String {
    format!("indicators that are chosen by a comparison with `{moment}` are not replayed yet")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_replayed_where_they_are_rounded() {
        let check = |moment: &str, expected: bool| assert_eq!(is_monotone(moment), expected, "{moment}");
        check("now", true);
        check("now-30d/d", true);
        check("now/M", true);
        check("now-1M/d", true);
        check("now-1y/w", true);
        check("now-1M", false);
        check("now-1y-1h/h", false);
        check("now-1M/M", true);
    }
}
