//! Two versions of rules as documents: which came, which went, which fields are not the same.

use std::collections::{BTreeMap, BTreeSet};

use maxspan_rules::{RuleDocument, to_api_json};
use serde::Serialize;
use serde_json::Value;
use similar::TextDiff;

use super::{AlertCounts, RuleDiff};

/// Lines around a changed line of a query.
const CONTEXT_LINES: usize = 3;

/// Fields that say when and by whom a rule was written, or count its changes: they change with every change.
const BOOKKEEPING: [&str; 8] =
    ["id", "version", "revision", "created_at", "created_by", "updated_at", "updated_by", "immutable"];

/// What became of a rule's document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RuleChange {
    /// Only the new version has it.
    Added,
    /// Only the old version has it.
    Removed,
    /// A field is not the same.
    Changed,
    /// It is the same.
    Unchanged,
}

/// A field that is not the same; null where a side lacks it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FieldChange {
    /// The field, as Kibana's API names it.
    pub field: String,
    /// Before.
    pub old: Value,
    /// After.
    pub new: Value,
}

/// All rules of both versions, by rule id; alerts are not counted yet.
pub fn compare_rules(old: &[&RuleDocument], new: &[&RuleDocument]) -> Vec<RuleDiff> {
    fn by_id<'a>(rules: &[&'a RuleDocument]) -> BTreeMap<&'a str, &'a RuleDocument> {
        rules.iter().map(|rule| (rule.rule_id.as_str(), *rule)).collect()
    }
    let (old, new) = (by_id(old), by_id(new));
    let ids: BTreeSet<&str> = old.keys().chain(new.keys()).copied().collect();
    ids.into_iter().filter_map(|id| compare_rule(old.get(id).copied(), new.get(id).copied())).collect()
}

fn compare_rule(old: Option<&RuleDocument>, new: Option<&RuleDocument>) -> Option<RuleDiff> {
    let named = new.or(old)?;
    let (change, fields, query_diff) = match (old, new) {
        (Some(old), Some(new)) => {
            let fields = field_changes(old, new);
            let change = if fields.is_empty() { RuleChange::Unchanged } else { RuleChange::Changed };
            (change, fields, query_diff(&old.query, &new.query))
        }
        (None, _) => (RuleChange::Added, Vec::new(), String::new()),
        (_, None) => (RuleChange::Removed, Vec::new(), String::new()),
    };
    Some(RuleDiff {
        rule_id: named.rule_id.clone(),
        name: named.name.clone(),
        change,
        fields,
        query_diff,
        alerts: AlertCounts::default(),
        samples: Vec::new(),
        notes: Vec::new(),
        capped: (0, 0),
    })
}

/// Fields that are not the same, bookkeeping left out.
fn field_changes(old: &RuleDocument, new: &RuleDocument) -> Vec<FieldChange> {
    let (old, new) = (to_api_json(old), to_api_json(new));
    let (Value::Object(old), Value::Object(new)) = (old, new) else { return Vec::new() };
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let value =
        |fields: &serde_json::Map<String, Value>, name: &str| fields.get(name).cloned().unwrap_or_default();
    let changes = names.into_iter().map(|name| FieldChange {
        field: name.clone(),
        old: value(&old, name),
        new: value(&new, name),
    });
    changes
        .filter(|change| change.old != change.new && !BOOKKEEPING.contains(&change.field.as_str()))
        .collect()
}

/// The lines of two queries as a unified diff, without file names; empty where they are the same.
///
/// ```
/// let diff = maxspan_pipeline::diff::query_diff("a:1\nand b:2", "a:1\nand b:3");
/// assert_eq!(diff, "@@ -1,2 +1,2 @@\n a:1\n-and b:2\n+and b:3\n");
/// ```
pub fn query_diff(old: &str, new: &str) -> String {
    let clean = |text: &str| text.trim_matches('\n').trim_end().to_owned() + "\n";
    let (old, new) = (clean(old), clean(new));
    if old == new {
        return String::new();
    }
    TextDiff::from_lines(&old, &new).unified_diff().context_radius(CONTEXT_LINES).to_string()
}
