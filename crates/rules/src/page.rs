//! A rule as a page to read, as data: its blocks in the order of Elastic's published reference.
//!
//! How a page looks, on a terminal or in Markdown, is for the one who writes it.

use serde_json::Value;

use crate::document::{
    AlertSuppression, DurationUnit, Language, MissingFieldsStrategy, RuleDocument, RuleParams, RuleType,
    Threat, ThreatRef,
};
use crate::guide;
use crate::listing::{indices, integrations, updated};

/// A rule's page.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The rule's name.
    pub title: String,
    /// What is on the page, in order.
    pub blocks: Vec<Block>,
}

/// A part of a page.
#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    /// The heading of a section.
    Heading(String),
    /// Markdown that the rule's author wrote.
    Markdown(String),
    /// A label and what it has to say.
    Fact(&'static str, String),
    /// A label and code: an id, a pattern, an interval.
    CodeFact(&'static str, String),
    /// A label and a list of texts.
    List(&'static str, Vec<String>),
    /// A label and a list of code.
    CodeList(&'static str, Vec<String>),
    /// A label and a list of links.
    Links(&'static str, Vec<String>),
    /// A query.
    Query {
        /// Its language; none where the text is no query.
        language: Option<Language>,
        /// Its text.
        text: String,
    },
    /// A name in a threat framework: what it is, and how deep it lies (tactic 0, technique 1, sub-technique
    /// 2).
    Threat {
        /// `Tactic`, `Technique`, `Sub-technique`.
        label: &'static str,
        /// How deep it lies.
        depth: usize,
        /// Name, id and link.
        reference: ThreatRef,
    },
}

/// The page of a rule.
pub fn page(rule: &RuleDocument) -> Page {
    let mut out = Blocks::default();
    out.0.push(Block::Markdown(rule.description.trim().to_owned()));
    put_run(&mut out, rule);
    put_about(&mut out, rule);
    put_effects(&mut out, rule);
    put_guides(&mut out, rule);
    put_query(&mut out, rule);
    put_threat(&mut out, &rule.threat);
    Page { title: rule.name.clone(), blocks: out.0 }
}

#[derive(Default)]
struct Blocks(Vec<Block>);

impl Blocks {
    fn fact(&mut self, label: &'static str, text: impl Into<String>) {
        self.0.push(Block::Fact(label, text.into()));
    }

    fn code(&mut self, label: &'static str, text: impl Into<String>) {
        self.0.push(Block::CodeFact(label, text.into()));
    }

    fn list(&mut self, label: &'static str, items: &[String]) {
        if !items.is_empty() {
            self.0.push(Block::List(label, items.to_vec()));
        }
    }

    fn codes(&mut self, label: &'static str, items: Vec<String>) {
        if !items.is_empty() {
            self.0.push(Block::CodeList(label, items));
        }
    }

    fn heading(&mut self, text: impl Into<String>) {
        self.0.push(Block::Heading(text.into()));
    }
}

fn put_run(out: &mut Blocks, rule: &RuleDocument) {
    out.code("Rule type", rule.rule_type().name());
    match &rule.data_view_id {
        Some(view) => out.code("Data view", view.clone()),
        None if rule.index.is_empty() && !indices(rule).is_empty() && rule.rule_type() != RuleType::Esql => {
            out.codes("Rule indices (Kibana's default, the rule names none)", indices(rule));
        }
        None => out.codes("Rule indices", indices(rule)),
    }
    out.fact("Severity", rule.severity.name());
    out.fact("Risk score", rule.risk_score.to_string());
    out.code("Runs every", rule.schedule.interval.clone());
    let window = match rule.schedule.to.text.as_str() {
        "now" => rule.schedule.from.text.clone(),
        to => format!("{} to {to}", rule.schedule.from.text),
    };
    out.code("Searches indices from", window);
    out.fact("Maximum alerts per execution", rule.max_signals.to_string());
}

fn put_about(out: &mut Blocks, rule: &RuleDocument) {
    if !rule.references.is_empty() {
        out.0.push(Block::Links("References", rule.references.clone()));
    }
    out.list("Tags", &rule.tags);
    out.fact("Version", rule.version.to_string());
    if let Some(updated) = updated(rule) {
        out.fact("Last updated", updated);
    }
    if let Some(maturity) = rule.origin.metadata.as_ref().and_then(|metadata| metadata.maturity.as_ref()) {
        out.fact("Maturity", maturity.clone());
    }
    out.list("Rule authors", &rule.author);
    if let Some(license) = &rule.license {
        out.fact("Rule license", license.clone());
    }
    out.code("Rule id", rule.rule_id.clone());
    if rule.uuid != rule.rule_id {
        out.code("Saved-object id", rule.uuid.clone());
    }
}

/// What changes alerts, or what the rule needs.
fn put_effects(out: &mut Blocks, rule: &RuleDocument) {
    if !rule.enabled {
        out.fact("Enabled", "no");
    }
    if rule.is_building_block() {
        out.fact("Building block", "yes, its alerts are for other rules and hidden at first");
    }
    for (label, field) in
        [("Rule name from", &rule.rule_name_override), ("Timestamp from", &rule.timestamp_override)]
    {
        if let Some(field) = field {
            out.code(label, field.clone());
        }
    }
    let severities = rule
        .severity_mapping
        .iter()
        .filter_map(|entry| Some(format!("{} = {}: {}", entry.field, entry.value, entry.severity?.name())));
    out.codes("Severity by field", severities.collect());
    out.codes("Risk score from", rule.risk_score_mapping.iter().map(|entry| entry.field.clone()).collect());
    if let Some(suppression) = &rule.alert_suppression {
        out.fact("Alert suppression", suppression_text(suppression));
    }
    let exceptions = rule.exceptions_list.iter().map(|list| format!("{} ({})", list.list_id, list.list_type));
    out.list("Exception lists", &exceptions.collect::<Vec<_>>());
    let packages = integrations(rule);
    let related = rule.related_integrations.iter().filter_map(related_integration);
    let related: Vec<String> = related.collect();
    out.list("Related integrations", if related.is_empty() { &packages } else { &related });
    out.codes("Required fields", rule.required_fields.iter().filter_map(required_field).collect());
    if let Some(fields) = &rule.investigation_fields {
        out.codes("Highlighted fields", fields.field_names.clone());
    }
    if let Some(timeline) = rule.timeline_title.as_ref().or(rule.timeline_id.as_ref()) {
        out.fact("Timeline template", timeline.clone());
    }
    let actions = rule.actions.len() + rule.response_actions.len();
    if actions > 0 {
        out.fact("Actions", format!("{actions}, not run by maxspan"));
    }
}

fn suppression_text(suppression: &AlertSuppression) -> String {
    let mut text = match suppression.group_by.as_slice() {
        [] => "by the threshold's fields".to_owned(),
        fields => format!("by {}", fields.join(", ")),
    };
    match suppression.duration {
        Some(duration) => {
            let unit = match duration.unit {
                DurationUnit::Seconds => "s",
                DurationUnit::Minutes => "m",
                DurationUnit::Hours => "h",
            };
            text += &format!(", for {}{unit}", duration.value);
        }
        None => text += ", within one run",
    }
    if suppression.missing_fields_strategy == Some(MissingFieldsStrategy::DoNotSuppress) {
        text += "; not of events without these fields";
    }
    text
}

fn related_integration(entry: &Value) -> Option<String> {
    let text = |key: &str| entry.get(key).and_then(Value::as_str);
    let mut out = text("package")?.to_owned();
    if let Some(part) = text("integration") {
        out += &format!(" ({part})");
    }
    if let Some(version) = text("version") {
        out += &format!(" {version}");
    }
    Some(out)
}

fn required_field(entry: &Value) -> Option<String> {
    let name = entry.get("name")?.as_str()?;
    Some(match entry.get("type").and_then(Value::as_str) {
        Some(kind) => format!("{name} ({kind})"),
        None => name.to_owned(),
    })
}

fn put_guides(out: &mut Blocks, rule: &RuleDocument) {
    if let Some(note) = rule.note.as_ref().filter(|note| !note.trim().is_empty()) {
        // Guides begin with a heading of their own, as a rule.
        if !note.trim_start().starts_with('#') {
            out.heading("Investigation guide");
        }
        out.0.push(Block::Markdown(guide::readable(note.trim())));
    }
    let setup = rule.setup.trim();
    if !setup.is_empty() {
        if !setup.starts_with("## Setup") {
            out.heading("Setup");
        }
        out.0.push(Block::Markdown(setup.to_owned()));
    }
    if !rule.false_positives.is_empty() {
        out.heading("False positives");
        out.0.extend(rule.false_positives.iter().map(|text| Block::Markdown(format!("- {}", text.trim()))));
    }
}

fn put_query(out: &mut Blocks, rule: &RuleDocument) {
    if !rule.query.trim().is_empty() {
        out.heading("Rule query");
        let text = rule.query.trim_matches(['\n', '\r']).trim_end().to_owned();
        out.0.push(Block::Query { language: rule.language, text });
    }
    if !rule.filters.is_empty() {
        out.heading("Filters");
        let text = serde_json::to_string_pretty(&rule.filters).unwrap_or_default();
        out.0.push(Block::Query { language: None, text });
    }
    put_params(out, &rule.params);
}

fn put_params(out: &mut Blocks, params: &RuleParams) {
    match params {
        RuleParams::Query { saved_id: Some(saved_id) } | RuleParams::SavedQuery { saved_id } => {
            out.code("Saved query", saved_id.clone());
        }
        RuleParams::Query { saved_id: None } | RuleParams::Esql => {}
        RuleParams::Eql { event_category_override, tiebreaker_field, timestamp_field } => {
            for (label, field) in [
                ("Event category field", event_category_override),
                ("Tiebreaker field", tiebreaker_field),
                ("Timestamp field", timestamp_field),
            ] {
                if let Some(field) = field {
                    out.code(label, field.clone());
                }
            }
        }
        RuleParams::Threshold(params) => {
            let threshold = &params.threshold;
            let by =
                if threshold.field.is_empty() { "all events".to_owned() } else { threshold.field.join(", ") };
            out.fact("Threshold", format!("at least {} events, grouped by {by}", threshold.value));
            let cardinality = threshold.cardinality.iter();
            let cardinality =
                cardinality.map(|entry| format!("at least {} values of {}", entry.value, entry.field));
            out.list("Cardinality", &cardinality.collect::<Vec<_>>());
        }
        RuleParams::NewTerms(params) => {
            out.codes("New terms", params.fields.clone());
            out.code("History from", params.history_window_start.text.clone());
        }
        RuleParams::ThreatMatch(params) => {
            out.codes("Indicator indices", params.threat_index.clone());
            let groups = params.threat_mapping.iter().map(|group| {
                let entries = group.entries.iter().map(|entry| {
                    let sign = if entry.negate == Some(true) { "!=" } else { "=" };
                    format!("{} {sign} {}", entry.field, entry.value)
                });
                entries.collect::<Vec<_>>().join(" and ")
            });
            out.codes("Indicator mapping (one of)", groups.collect());
            out.heading("Indicator query");
            let text = params.threat_query.clone();
            out.0.push(Block::Query { language: Some(params.threat_language), text });
        }
        RuleParams::MachineLearning(params) => {
            out.codes("Machine learning jobs", params.machine_learning_job_id.clone());
            out.fact("Anomaly threshold", params.anomaly_threshold.to_string());
        }
    }
}

fn put_threat(out: &mut Blocks, threat: &[Threat]) {
    let mut framework = "";
    for entry in threat {
        if entry.framework != framework {
            framework = &entry.framework;
            out.heading(format!("Framework: {framework}"));
        }
        let mut put = |label: &'static str, depth: usize, reference: ThreatRef| {
            out.0.push(Block::Threat { label, depth, reference });
        };
        put("Tactic", 0, entry.tactic.clone());
        for technique in &entry.technique {
            let (id, name) = (technique.id.clone(), technique.name.clone());
            put("Technique", 1, ThreatRef { id, name, reference: technique.reference.clone() });
            for inner in technique.subtechnique.iter().flatten() {
                put("Sub-technique", 2, inner.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use maxspan_diagnostics::Source;
    use serde_json::json;

    use super::*;

    /// The labels of a rule's page, in order.
    fn labels(rule: &Value) -> String {
        let file = crate::parse_json(&Arc::new(Source::new("r.json", rule.to_string())));
        let page = page(&file.rules[0]);
        let label = |block: &Block| match block {
            Block::Heading(text) => format!("# {text}"),
            Block::Markdown(text) => text.clone(),
            Block::Fact(label, text) | Block::CodeFact(label, text) => format!("{label}={text}"),
            Block::List(label, items) | Block::CodeList(label, items) | Block::Links(label, items) => {
                format!("{label}={}", items.join("+"))
            }
            Block::Query { text, .. } => format!("query {text}"),
            Block::Threat { label, depth, reference } => format!("{depth}{label} {}", reference.id),
        };
        page.blocks.iter().map(label).collect::<Vec<_>>().join("|")
    }

    #[test]
    fn a_page_has_the_order_of_the_reference() {
        let link = "https://attack.mitre.org/";
        let rule = json!({
            "rule_id": "r", "name": "N", "description": "D", "severity": "low", "risk_score": 1, "type": "threshold",
            "query": "a:1", "index": ["x-*"], "threshold": {"field": ["f"], "value": 3}, "references": ["l"],
            "tags": ["t"], "author": ["me"], "license": "L", "note": "## Triage", "setup": "do", "false_positives": ["p"],
            "exceptions_list": [{"id": "1", "list_id": "l", "type": "detection", "namespace_type": "single"}],
            "required_fields": [{"name": "a", "type": "keyword"}], "related_integrations": [{"package": "p", "version": "1"}],
            "alert_suppression": {"duration": {"value": 5, "unit": "m"}}, "building_block_type": "default",
            "threat": [{"framework": "MITRE ATT&CK", "tactic": {"id": "TA1", "name": "A", "reference": link},
                "technique": [{"id": "T1", "name": "B", "reference": link,
                    "subtechnique": [{"id": "T1.1", "name": "C", "reference": link}]}]}],
        });
        assert_eq!(
            labels(&rule),
            "D|Rule type=threshold|Rule indices=x-*|Severity=low|Risk score=1|Runs every=5m|\
             Searches indices from=now-6m|Maximum alerts per execution=100|References=l|Tags=t|Version=1|\
             Rule authors=me|Rule license=L|Rule id=r|Building block=yes, its alerts are for other rules and hidden at \
             first|Alert suppression=by the threshold's fields, for 5m|Exception lists=l (detection)|\
             Related integrations=p 1|Required fields=a (keyword)|## Triage|# Setup|do|# False positives|- p|\
             # Rule query|query a:1|Threshold=at least 3 events, grouped by f|# Framework: MITRE ATT&CK|0Tactic TA1|\
             1Technique T1|2Sub-technique T1.1"
        );
    }

    #[test]
    fn what_a_rule_lacks_is_not_on_its_page() {
        let rule = json!({"rule_id": "r", "name": "N", "description": "D", "severity": "low", "risk_score": 1,
            "type": "query", "query": "", "enabled": false});
        let labels = labels(&rule);
        assert!(labels.contains("Rule indices (Kibana's default, the rule names none)=apm-"), "{labels}");
        assert!(labels.ends_with("Rule id=r|Enabled=no"), "{labels}");
    }
}
