//! Severity, risk score and name of an alert, where the event decides them (specification 7).

use serde_json::{Number, Value};

use super::SourceEvent;
use super::source::scalars;
use crate::document::{RuleDocument, RuleSeverity, SeverityMapping};

/// Largest whole number that JavaScript tells apart from its neighbours.
const SAFE_INTEGER_MAX: f64 = 9_007_199_254_740_991.0;

/// What an alert shows in place of the rule's own.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Overrides {
    pub(crate) severity: RuleSeverity,
    pub(crate) risk_score: Number,
    pub(crate) name: String,
}

/// The rule's own severity, risk score and name: sequences have no overrides.
pub(crate) fn none(rule: &RuleDocument) -> Overrides {
    Overrides { severity: rule.severity, risk_score: rule.risk_score.into(), name: rule.name.clone() }
}

/// What the event's values make of them.
pub(crate) fn overrides(rule: &RuleDocument, event: &SourceEvent<'_>) -> Overrides {
    let mut overrides = none(rule);
    if let Some(severity) = mapped_severity(&rule.severity_mapping, event) {
        overrides.severity = severity;
    }
    if let Some(risk_score) =
        rule.risk_score_mapping.first().and_then(|first| mapped_risk(&first.field, event))
    {
        overrides.risk_score = risk_score;
    }
    let named = rule.rule_name_override.as_ref().and_then(|field| event.field(field));
    if let Some(name) = named.as_ref().and_then(first_text) {
        name.clone_into(&mut overrides.name);
    }
    overrides
}

/// The highest severity whose mapping matches.
fn mapped_severity(mappings: &[SeverityMapping], event: &SourceEvent<'_>) -> Option<RuleSeverity> {
    let matching = mappings.iter().filter(|mapping| {
        let value = event.field(&mapping.field);
        let values = value.as_ref().map(scalars).unwrap_or_default();
        if mapping.field == "event.severity" {
            // Written as text in the rule, a number in events: `floor(Number(value))` against the number.
            let wanted = mapping.value.trim().parse::<f64>().map(f64::floor);
            return wanted.is_ok_and(|wanted| values.iter().any(|value| value.as_f64() == Some(wanted)));
        }
        values.iter().any(|value| as_text(value).is_some_and(|text| text == mapping.value))
    });
    matching.filter_map(|mapping| mapping.severity).max()
}

/// The highest value within 0 to 100.
fn mapped_risk(field: &str, event: &SourceEvent<'_>) -> Option<Number> {
    let value = event.field(field)?;
    let numbers = scalars(&value).into_iter().filter_map(|value| match value {
        Value::Number(number) => Some(number.clone()),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    });
    let amount = |number: &Number| number.as_f64().unwrap_or(f64::NAN);
    numbers
        .filter(|number| (0.0..=100.0).contains(&amount(number)))
        .max_by(|a, b| amount(a).total_cmp(&amount(b)))
}

/// Texts and safe whole numbers as text; other values do not take part.
fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => {
            let amount = number.as_f64()?;
            let safe = amount.fract() == 0.0 && amount.abs() <= SAFE_INTEGER_MAX;
            safe.then(|| format!("{amount:.0}"))
        }
        _ => None,
    }
}

fn first_text(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => Some(text.as_str()).filter(|text| !text.is_empty()),
        Value::Array(values) => values.iter().find_map(first_text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use maxspan_diagnostics::Source;
    use maxspan_event::Document;
    use serde_json::json;

    use super::*;

    #[test]
    fn the_event_decides_where_the_rule_says_so() {
        let check = |changes: Value, event: Value, expected: (&str, Value, &str)| {
            let mut rule = json!({"rule_id": "r", "name": "N", "description": "D", "severity": "low", "risk_score": 21,
                "type": "query"});
            rule.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
            let file = crate::parse_json(&Arc::new(Source::new("rule.json", rule.to_string())));
            let text = event.to_string();
            let source = Some(Document::read(text.as_bytes()));
            let source = SourceEvent { index: "".into(), id: String::new(), source };
            let found = overrides(&file.rules[0], &source);
            let found = (found.severity.name(), json!(found.risk_score), found.name.as_str().to_owned());
            assert_eq!(found, (expected.0, expected.1, expected.2.to_owned()), "{changes} {event}");
        };
        let severities = json!({"severity_mapping": [
            {"field": "v", "operator": "equals", "value": "x", "severity": "critical"},
            {"field": "v", "operator": "equals", "value": "7", "severity": "medium"},
            {"field": "event.severity", "operator": "equals", "value": "73", "severity": "high"}]});
        check(severities.clone(), json!({"v": "x"}), ("critical", json!(21), "N"));
        check(severities.clone(), json!({"v": ["x", 7]}), ("critical", json!(21), "N"));
        check(severities.clone(), json!({"v": 7}), ("medium", json!(21), "N"));
        check(severities.clone(), json!({"v": 7.5}), ("low", json!(21), "N"));
        check(severities.clone(), json!({"v": "X"}), ("low", json!(21), "N"));
        check(severities.clone(), json!({"event": {"severity": 73}}), ("high", json!(21), "N"));
        check(severities, json!({"event.severity": "73"}), ("low", json!(21), "N"));
        let risk = json!({"risk_score_mapping": [{"field": "s", "operator": "equals", "value": ""}, {"field": "t"}]});
        check(risk.clone(), json!({"s": [5, "88", 101, "x"]}), ("low", json!(88), "N"));
        check(risk.clone(), json!({"s": 12.5}), ("low", json!(12.5), "N"));
        check(risk, json!({"s": -1, "t": 50}), ("low", json!(21), "N"));
        let name = json!({"rule_name_override": "m.n"});
        check(name.clone(), json!({"m": {"n": "Other"}}), ("low", json!(21), "Other"));
        check(name.clone(), json!({"m.n": ["", "Second"]}), ("low", json!(21), "Second"));
        check(name, json!({"m.n": 7}), ("low", json!(21), "N"));
    }
}
