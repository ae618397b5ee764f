//! What a list of rules says about each, and which rules a list is about.
//!
//! [`RuleFacts`] has the facts of one rule; [`RuleFilter`] chooses rules: the values of one criterion are
//! alternatives, and all criteria that are given must hold.

use std::cmp::Reverse;

use maxspan_event::index::IndexPatterns;
use maxspan_event::wildcard::Wildcard;
use serde::Serialize;
use serde_json::Value;

use crate::document::{Language, RuleDocument, RuleSeverity, RuleType, ThreatRef};
use crate::query_fields::query_fields;

/// Operating systems that rules are about, as `host.os.type` names them.
const SYSTEMS: [&str; 5] = ["windows", "linux", "macos", "android", "ios"];
/// How far after `host.os.type` its values are looked for; queries write them right behind.
const SYSTEM_VALUES_CHARS: usize = 80;

/// What a list says about one rule.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RuleFacts {
    /// The id that stays with the rule.
    pub rule_id: String,
    /// The name.
    pub name: String,
    /// The type.
    #[serde(rename = "type")]
    pub rule_type: &'static str,
    /// The language of its query; none for machine learning.
    pub language: Option<&'static str>,
    /// The severity.
    pub severity: &'static str,
    /// The risk score.
    pub risk_score: u8,
    /// Names of tactics, in the rule's order, each once.
    pub tactics: Vec<String>,
    /// Ids of techniques and sub-techniques, each once.
    pub techniques: Vec<String>,
    /// Index patterns, those of an ES|QL query too.
    pub indices: Vec<String>,
    /// Operating systems, see [`systems`].
    pub systems: Vec<String>,
    /// Fleet packages, see [`integrations`].
    pub integrations: Vec<String>,
    /// Tags.
    pub tags: Vec<String>,
    /// The day of the last change, `2024-02-28`, where it is written.
    pub updated: Option<String>,
    /// `production`, `development` …; only TOML says.
    pub maturity: Option<String>,
    /// Whether the rule is enabled.
    pub enabled: bool,
    /// The version.
    pub version: u64,
    /// The file.
    pub file: String,
    /// The rule's line in it.
    pub line: usize,
}

impl RuleFacts {
    /// The facts of a rule.
    pub fn new(rule: &RuleDocument) -> Self {
        let metadata = rule.origin.metadata.as_ref();
        Self {
            rule_id: rule.rule_id.clone(),
            name: rule.name.clone(),
            rule_type: rule.rule_type().name(),
            language: rule.language.map(Language::name),
            severity: rule.severity.name(),
            risk_score: rule.risk_score,
            tactics: once(rule.threat.iter().map(|threat| threat.tactic.name.clone())),
            techniques: once(techniques(rule).map(|(id, _)| id.to_owned())),
            indices: indices(rule),
            systems: systems(rule),
            integrations: integrations(rule),
            tags: rule.tags.clone(),
            updated: updated(rule),
            maturity: metadata.and_then(|metadata| metadata.maturity.clone()),
            enabled: rule.enabled,
            version: rule.version,
            file: rule.origin.source.name.clone(),
            line: rule.origin.source.position(rule.origin.span.start).line,
        }
    }
}

/// Ids and names of all techniques and sub-techniques.
fn techniques(rule: &RuleDocument) -> impl Iterator<Item = (&str, &str)> {
    let all = rule.threat.iter().flat_map(|threat| &threat.technique);
    all.flat_map(|technique| {
        let inner = technique.subtechnique.iter().flatten();
        std::iter::once((technique.id.as_str(), technique.name.as_str()))
            .chain(inner.map(|ThreatRef { id, name, .. }| (id.as_str(), name.as_str())))
    })
}

/// The index patterns of a rule; of ES|QL those after `from`. Machine learning rules have none.
pub fn indices(rule: &RuleDocument) -> Vec<String> {
    if rule.rule_type() == RuleType::Esql {
        return esql_sources(&rule.query);
    }
    rule.index_patterns().into_iter().map(str::to_owned).collect()
}

/// `from a, b metadata _id | …`
fn esql_sources(query: &str) -> Vec<String> {
    let text = query.trim_start();
    let Some(rest) = text.get(..4).filter(|word| word.eq_ignore_ascii_case("from")).map(|_| &text[4..])
    else {
        return Vec::new();
    };
    let command = rest.split('|').next().unwrap_or("");
    let end = command.to_ascii_lowercase().find("metadata").unwrap_or(command.len());
    let sources = command[..end].split(',').map(|source| source.trim().trim_matches('"'));
    sources.filter(|source| !source.is_empty()).map(str::to_owned).collect()
}

/// Operating systems that the rule is about, in small letters: its tags `OS: …`, or where there is none the
/// values that the query has right behind `host.os.type`. A query that excludes a system is not told from
/// one that asks for it.
pub fn systems(rule: &RuleDocument) -> Vec<String> {
    let tagged =
        once(rule.tags.iter().filter_map(|tag| Some(tag.strip_prefix("OS:")?.trim().to_lowercase())));
    if !tagged.is_empty() {
        return tagged;
    }
    let places = rule.query.match_indices("host.os.type").map(|(at, name)| &rule.query[at + name.len()..]);
    once(places.flat_map(|rest| {
        let near: String = rest.chars().take(SYSTEM_VALUES_CHARS).collect();
        let stop = [" and ", " or process", " or event", "\n"].iter().filter_map(|end| near.find(end)).min();
        let near = near[..stop.unwrap_or(near.len())].to_lowercase();
        SYSTEMS.into_iter().filter(move |system| near.contains(system)).map(str::to_owned).collect::<Vec<_>>()
    }))
}

/// Fleet packages whose data the rule needs: `related_integrations`, and `integration` of `[metadata]`.
pub fn integrations(rule: &RuleDocument) -> Vec<String> {
    let metadata = rule.origin.metadata.iter().flat_map(|metadata| metadata.integrations());
    let related =
        rule.related_integrations.iter().filter_map(|entry| entry.get("package").and_then(Value::as_str));
    once(metadata.chain(related).map(str::to_owned))
}

/// The day of the last change, `2024-02-28`: of `[metadata]`, or of the installed rule.
pub fn updated(rule: &RuleDocument) -> Option<String> {
    let metadata = rule.origin.metadata.as_ref().map(|metadata| metadata.updated_date.as_str());
    let written = metadata.filter(|date| !date.is_empty()).or(rule.updated_at.as_deref())?;
    Some(written.chars().take(10).map(|c| if c == '/' { '-' } else { c }).collect())
}

fn once(values: impl Iterator<Item = String>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for value in values {
        if !kept.contains(&value) {
            kept.push(value);
        }
    }
    kept
}

/// Which rules a list is about. A criterion without values holds for every rule.
#[derive(Debug, Clone, Default)]
pub struct RuleFilter {
    /// Types.
    pub types: Vec<RuleType>,
    /// Languages.
    pub languages: Vec<Language>,
    /// Severities.
    pub severities: Vec<RuleSeverity>,
    /// The lowest severity.
    pub min_severity: Option<RuleSeverity>,
    /// The lowest risk score.
    pub min_risk: Option<u8>,
    /// Tags, with `*` and without regard to case; what stands behind the tag's colon is enough (`macOS` for
    /// `OS: macOS`).
    pub tags: Vec<String>,
    /// Tactics by id or name; blanks may be written `-` or `_`.
    pub tactics: Vec<String>,
    /// Techniques by id or name. `T1059` also takes its sub-techniques.
    pub techniques: Vec<String>,
    /// Indices, or patterns of indices, that the rule would look into.
    pub indices: Vec<String>,
    /// Operating systems.
    pub systems: Vec<String>,
    /// Fleet packages.
    pub integrations: Vec<String>,
    /// Maturities.
    pub maturities: Vec<String>,
    /// Words that must all occur, in any order, in name, description, tags, query or notes.
    pub texts: Vec<String>,
    /// Fields that the query names, with `*`.
    pub fields: Vec<String>,
    /// Ids or names of rules.
    pub rules: Vec<String>,
    /// Whether the rule is enabled.
    pub enabled: Option<bool>,
}

impl RuleFilter {
    /// Whether the list is about the rule. What is cheap is asked first; queries are parsed last.
    pub fn accepts(&self, rule: &RuleDocument) -> bool {
        one_of(&self.types, |wanted| *wanted == rule.rule_type())
            && one_of(&self.languages, |wanted| Some(*wanted) == rule.language)
            && one_of(&self.severities, |wanted| *wanted == rule.severity)
            && self.min_severity.is_none_or(|least| rule.severity >= least)
            && self.min_risk.is_none_or(|least| rule.risk_score >= least)
            && self.enabled.is_none_or(|enabled| rule.enabled == enabled)
            && one_of(&self.rules, |wanted| is_named(rule, wanted))
            && one_of(&self.maturities, |wanted| {
                let metadata = rule.origin.metadata.as_ref();
                metadata.and_then(|metadata| metadata.maturity.as_deref()) == Some(wanted)
            })
            && one_of(&self.tags, |wanted| has_tag(rule, wanted))
            && one_of(&self.tactics, |wanted| has_tactic(rule, wanted))
            && one_of(&self.techniques, |wanted| has_technique(rule, wanted))
            && one_of(&self.indices, |wanted| looks_into(rule, wanted))
            && one_of(&self.systems, |wanted| systems(rule).contains(&wanted.to_lowercase()))
            && one_of(&self.integrations, |wanted| {
                integrations(rule).iter().any(|package| fits(wanted, package))
            })
            && one_of(&self.texts, |wanted| has_words(rule, wanted))
            && (self.fields.is_empty() || {
                let names = query_fields(rule);
                one_of(&self.fields, |wanted| {
                    names.iter().any(|name| fits(wanted, name) || fits(name, wanted))
                })
            })
    }
}

fn one_of<T>(wanted: &[T], holds: impl Fn(&T) -> bool) -> bool {
    wanted.is_empty() || wanted.iter().any(holds)
}

/// Whether the rule has this id or name.
pub fn is_named(rule: &RuleDocument, wanted: &str) -> bool {
    rule.rule_id == wanted || rule.uuid == wanted || rule.name.to_lowercase() == wanted.to_lowercase()
}

fn fits(pattern: &str, text: &str) -> bool {
    Wildcard::new(pattern, true).matches(text)
}

fn has_tag(rule: &RuleDocument, wanted: &str) -> bool {
    rule.tags.iter().any(|tag| {
        let value = tag.split_once(':').map_or("", |(_, value)| value.trim());
        fits(wanted, tag) || (!value.is_empty() && fits(wanted, value))
    })
}

fn has_tactic(rule: &RuleDocument, wanted: &str) -> bool {
    let plain = |text: &str| text.to_lowercase().replace(['-', '_'], " ");
    let tactics = rule.threat.iter().map(|threat| &threat.tactic);
    tactics
        .into_iter()
        .any(|tactic| tactic.id.eq_ignore_ascii_case(wanted) || plain(&tactic.name) == plain(wanted))
}

fn has_technique(rule: &RuleDocument, wanted: &str) -> bool {
    let below = |id: &str| {
        let parent = id.get(..wanted.len()).is_some_and(|start| start.eq_ignore_ascii_case(wanted));
        parent && matches!(id.as_bytes().get(wanted.len()), None | Some(b'.'))
    };
    techniques(rule).any(|(id, name)| below(id) || name.to_lowercase() == wanted.to_lowercase())
}

/// A name is held against the patterns as an event's index is. Of a pattern it is asked whether some name
/// could fit both; patterns that the rule takes away are then left out of account, which errs on the side of
/// listing too many.
fn looks_into(rule: &RuleDocument, wanted: &str) -> bool {
    let patterns = indices(rule);
    if patterns.is_empty() {
        return false;
    }
    if !wanted.contains('*') {
        return IndexPatterns::new(patterns.iter().map(String::as_str)).matches(wanted);
    }
    let chosen = patterns.iter().filter(|pattern| !pattern.starts_with('-'));
    chosen.into_iter().any(|pattern| overlap(pattern.as_bytes(), wanted.as_bytes()))
}

/// Whether some text fits both patterns of `*`.
fn overlap(a: &[u8], b: &[u8]) -> bool {
    // Row by row: whether the rest of `a` from here and the rest of `b` from there can be the same.
    let ends = |rest: &[u8]| rest.iter().all(|byte| *byte == b'*');
    let mut below: Vec<bool> = (0..=b.len()).map(|at| ends(&b[at..])).collect();
    for i in (0..a.len()).rev() {
        let mut row = vec![false; b.len() + 1];
        row[b.len()] = ends(&a[i..]);
        for j in (0..b.len()).rev() {
            row[j] = match (a[i], b[j]) {
                (b'*', b'*') => below[j] || row[j + 1],
                (b'*', _) => below[j] || row[j + 1],
                (_, b'*') => row[j + 1] || below[j],
                (x, y) => x == y && below[j + 1],
            };
        }
        below = row;
    }
    below[0]
}

fn has_words(rule: &RuleDocument, wanted: &str) -> bool {
    let mut text =
        [&rule.name, &rule.description, &rule.query, &rule.setup].map(|text| text.to_lowercase()).join("\n");
    for more in rule.note.iter().chain(&rule.tags).chain(&rule.false_positives).chain(&rule.references) {
        text += "\n";
        text += &more.to_lowercase();
    }
    wanted.split_whitespace().all(|word| text.contains(&word.to_lowercase()))
}

/// What a list is ordered by; rules that are alike in it are in order of their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleOrder {
    /// The name, without regard to case.
    Name,
    /// The gravest first.
    Severity,
    /// The highest score first.
    Risk,
    /// What was changed last first; those that do not say at the end.
    Updated,
    /// The rule id.
    Id,
    /// The type.
    Type,
}

/// Puts rules in order.
pub fn sort_rules(rules: &mut [RuleDocument], order: RuleOrder) {
    rules.sort_by_cached_key(|rule| (rule.name.to_lowercase(), rule.rule_id.clone()));
    match order {
        RuleOrder::Name => {}
        RuleOrder::Severity => rules.sort_by_key(|rule| Reverse((rule.severity, rule.risk_score))),
        RuleOrder::Risk => rules.sort_by_key(|rule| Reverse(rule.risk_score)),
        RuleOrder::Updated => rules.sort_by_cached_key(|rule| Reverse(updated(rule))),
        RuleOrder::Id => rules.sort_by_cached_key(|rule| rule.rule_id.clone()),
        RuleOrder::Type => rules.sort_by_key(|rule| rule.rule_type().name()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use maxspan_diagnostics::Source;
    use serde_json::json;

    use super::*;

    fn rule(change: &Value) -> RuleDocument {
        let mut rule = json!({
            "rule_id": "r1", "name": "Odd Shell", "description": "A shell", "severity": "medium", "risk_score": 47,
            "type": "eql", "language": "eql", "query": "process where host.os.type == \"linux\" and process.name == \"sh\"",
            "index": ["logs-endpoint.*", "-logs-endpoint.x-*"], "tags": ["Domain: Endpoint", "Plain"],
            "updated_at": "2024-02-28T10:00:00Z", "related_integrations": [{"package": "endpoint", "version": "^8.2.0"}],
            "threat": [{
                "framework": "MITRE ATT&CK",
                "tactic": {"id": "TA0001", "name": "Initial Access", "reference": "https://attack.mitre.org/tactics/TA0001/"},
                "technique": [{"id": "T1059", "name": "Command", "reference": "https://attack.mitre.org/techniques/T1059/",
                    "subtechnique": [{"id": "T1059.004", "name": "Unix Shell", "reference": "https://attack.mitre.org/"}]}],
            }],
        });
        let fields = rule.as_object_mut().unwrap();
        fields.extend(change.as_object().unwrap().clone());
        let file = crate::parse_json(&Arc::new(Source::new("r.json", rule.to_string())));
        file.rules.into_iter().next().unwrap()
    }

    #[test]
    fn criteria_choose_rules() {
        let check = |change: fn(&mut RuleFilter), expected: bool| {
            let mut filter = RuleFilter::default();
            change(&mut filter);
            assert_eq!(filter.accepts(&rule(&json!({}))), expected, "{filter:?}");
        };
        check(|_| {}, true);
        check(|f| f.types = vec![RuleType::Query, RuleType::Eql], true);
        check(|f| f.types = vec![RuleType::Query], false);
        check(|f| f.languages = vec![Language::Kuery], false);
        check(|f| f.severities = vec![RuleSeverity::Medium], true);
        check(|f| f.min_severity = Some(RuleSeverity::High), false);
        check(|f| f.min_risk = Some(47), true);
        check(|f| f.min_risk = Some(48), false);
        check(|f| f.enabled = Some(false), false);
        check(|f| f.tags = vec!["domain: endpoint".into()], true);
        check(|f| f.tags = vec!["endpoint".into()], true);
        check(|f| f.tags = vec!["Domain*".into()], true);
        check(|f| f.tags = vec!["Domain".into()], false);
        check(|f| f.tactics = vec!["initial-access".into()], true);
        check(|f| f.tactics = vec!["ta0001".into()], true);
        check(|f| f.tactics = vec!["Execution".into()], false);
        check(|f| f.techniques = vec!["T1059".into()], true);
        check(|f| f.techniques = vec!["t1059.004".into()], true);
        check(|f| f.techniques = vec!["T1059.00".into()], false);
        check(|f| f.techniques = vec!["T105".into()], false);
        check(|f| f.techniques = vec!["unix shell".into()], true);
        check(|f| f.indices = vec!["logs-endpoint.events-default".into()], true);
        check(|f| f.indices = vec!["logs-endpoint.x-default".into()], false);
        check(|f| f.indices = vec!["*.events*".into()], true);
        check(|f| f.indices = vec!["logs-*".into()], true);
        check(|f| f.indices = vec!["winlogbeat-*".into()], false);
        check(|f| f.systems = vec!["Linux".into()], true);
        check(|f| f.systems = vec!["windows".into()], false);
        check(|f| f.integrations = vec!["endpoint".into()], true);
        check(|f| f.maturities = vec!["production".into()], false);
        check(|f| f.texts = vec!["shell odd".into()], true);
        check(|f| f.texts = vec!["shell even".into()], false);
        check(|f| f.fields = vec!["process.name".into()], true);
        check(|f| f.fields = vec!["process.*".into()], true);
        check(|f| f.fields = vec!["process".into()], false);
        check(|f| f.rules = vec!["odd shell".into()], true);
        check(
            |f| {
                f.fields = vec!["process.name".into()];
                f.types = vec![RuleType::Query];
            },
            false,
        );
    }

    #[test]
    fn sources_of_esql_are_indices() {
        let check = |query: &str, expected: &[&str]| assert_eq!(esql_sources(query), expected, "{query}");
        check("from logs-a*, \"logs-b\" metadata _id\n| limit 1", &["logs-a*", "logs-b"]);
        check("FROM logs-*|limit 1", &["logs-*"]);
        check("row a = 1", &[]);
        check("", &[]);
    }

    #[test]
    fn patterns_overlap() {
        let check = |a: &str, b: &str, expected: bool| {
            assert_eq!(overlap(a.as_bytes(), b.as_bytes()), expected, "{a} {b}");
            assert_eq!(overlap(b.as_bytes(), a.as_bytes()), expected, "{b} {a}");
        };
        check("logs-*", "logs-endpoint.*", true);
        check("*", "a", true);
        check("*-b*", "a-*c", true);
        check("a*", "b*", false);
        check("a*b", "a*c", false);
        check("", "*", true);
        check("", "a", false);
    }

    #[test]
    fn facts_are_taken_from_where_they_stand() {
        let facts = RuleFacts::new(&rule(&json!({})));
        assert_eq!(facts.techniques, ["T1059", "T1059.004"]);
        assert_eq!(
            (facts.systems, facts.integrations),
            (vec!["linux".to_owned()], vec!["endpoint".to_owned()])
        );
        assert_eq!((facts.updated.as_deref(), facts.line), (Some("2024-02-28"), 1));
        let tagged = rule(&json!({"tags": ["OS: macOS", "OS: Windows"]}));
        assert_eq!(systems(&tagged), ["macos", "windows"]);
    }

    #[test]
    fn rules_are_sorted() {
        let check = |order: RuleOrder, expected: &str| {
            let mut rules = [
                rule(&json!({"rule_id": "3", "name": "a", "severity": "low", "risk_score": 90})),
                rule(&json!({"rule_id": "1", "name": "C", "severity": "high", "updated_at": "2025-01-01"})),
                rule(&json!({"rule_id": "2", "name": "b", "updated_at": null})),
            ];
            sort_rules(&mut rules, order);
            assert_eq!(rules.map(|rule| rule.name).concat(), expected, "{order:?}");
        };
        check(RuleOrder::Name, "abC");
        check(RuleOrder::Severity, "Cba");
        check(RuleOrder::Risk, "abC");
        check(RuleOrder::Updated, "Cab");
        check(RuleOrder::Id, "Cba");
        check(RuleOrder::Type, "abC");
    }
}
