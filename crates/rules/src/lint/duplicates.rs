//! `MX1650` duplicate-name and `MX1651` duplicate-query: what several rules share. Rules with the same id are refused
//! when they are loaded (`MX1407`).

use std::collections::BTreeMap;
use std::sync::Arc;

use maxspan_diagnostics::{Code, Diagnostic, codes};

use super::Message;
use crate::document::{RuleDocument, RuleType};

pub(super) fn check(rules: &[RuleDocument]) -> Vec<Message> {
    let mut messages = Vec::new();
    let mut names: BTreeMap<String, &RuleDocument> = BTreeMap::new();
    let mut queries: BTreeMap<String, &RuleDocument> = BTreeMap::new();
    for rule in rules {
        match names.entry(rule.name.trim().to_lowercase()) {
            std::collections::btree_map::Entry::Occupied(first) => {
                let message = format!("{} is named `{}` too", place(first.get()), rule.name);
                messages.push(said(rule, "name", codes::LINT_DUPLICATE_NAME, message));
            }
            std::collections::btree_map::Entry::Vacant(entry) => drop(entry.insert(rule)),
        }
        let Some(key) = query_key(rule) else { continue };
        match queries.entry(key) {
            std::collections::btree_map::Entry::Occupied(first) => {
                let message = format!("{} has the same query over the same indices", place(first.get()));
                messages.push(said(rule, "query", codes::LINT_DUPLICATE_QUERY, message));
            }
            std::collections::btree_map::Entry::Vacant(entry) => drop(entry.insert(rule)),
        }
    }
    messages
}

/// What makes two rules find the same events; none for types whose query is not all they look for.
fn query_key(rule: &RuleDocument) -> Option<String> {
    if !matches!(rule.rule_type(), RuleType::Query | RuleType::Eql | RuleType::Esql) {
        return None;
    }
    let query: Vec<&str> = rule.query.split_whitespace().collect();
    let mut index = rule.index_patterns();
    index.sort_unstable();
    let filters = serde_json::to_string(&rule.filters).unwrap_or_default();
    (!query.is_empty())
        .then(|| format!("{}\n{query:?}\n{index:?}\n{filters}\n{:?}", rule.rule_type(), rule.data_view_id))
}

fn place(rule: &RuleDocument) -> String {
    format!("rule `{}` ({})", rule.rule_id, rule.origin.source.name)
}

fn said(rule: &RuleDocument, field: &str, code: Code, message: String) -> Message {
    let diagnostic = Diagnostic::new(code, rule.origin.field_span(field), message);
    (Arc::clone(&rule.origin.source), diagnostic.about_rule(&rule.rule_id))
}

#[cfg(test)]
mod tests {
    use super::super::support::rule_of;
    use super::check;

    #[test]
    fn names_and_queries() {
        let rule = |query: &str, name: &str, fields: &str| {
            let mut rule = rule_of("kuery", query, fields);
            name.clone_into(&mut rule.name);
            rule
        };
        let codes =
            |rules: &[_]| check(rules).iter().map(|(_, one)| one.code.to_string()).collect::<Vec<_>>();
        let first = rule("process.name: a", "A", "");
        assert_eq!(codes(&[first.clone(), rule("process.name:  a", "B", "")]), ["MX1651"]);
        assert_eq!(codes(&[first.clone(), rule("process.name: b", "a ", "")]), ["MX1650"]);
        assert!(codes(&[first, rule("process.name: a", "B", "index = [\"logs-*\"]")]).is_empty());
    }
}
