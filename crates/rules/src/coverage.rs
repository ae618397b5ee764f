//! Which tactics and techniques a set of rules is mapped to, and the layer of it for the ATT&CK Navigator.
//!
//! Only what rules name is known here: a technique that no rule is mapped to is not in the coverage, because
//! the matrix is not part of this program. Rules without any mapping are counted apart, and so are
//! frameworks.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Value, json};

use crate::document::RuleDocument;

/// The framework of most rules, as `threat` names it.
pub const ATTACK: &str = "MITRE ATT&CK";
/// The framework about machine learning systems.
pub const ATLAS: &str = "MITRE ATLAS";

/// The format of layers that is written, and the oldest Navigator that opens it.
const LAYER_VERSION: &str = "4.5";
const NAVIGATOR_VERSION: &str = "5.1.0";
/// The ATT&CK release that layers are laid over. The Navigator offers to upgrade a layer of an older one.
const ATTACK_VERSION: &str = "17";

/// From few rules to many.
const COLOURS: [&str; 3] = ["#fff7bc", "#fec44f", "#d95f0e"];
/// Rules named in the comment of a technique; then their number.
const COMMENT_RULES_MAX: usize = 50;

/// The coverage of a set of rules.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Coverage {
    /// Rules.
    pub rules: usize,
    /// Rules without any mapping, by name.
    pub unmapped: Vec<CoveringRule>,
    /// Whether alerts were counted.
    pub with_alerts: bool,
    /// Frameworks, ATT&CK first.
    pub frameworks: Vec<FrameworkCoverage>,
}

/// The coverage in one framework.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FrameworkCoverage {
    /// Its name, as rules write it.
    pub name: String,
    /// Rules that are mapped to it.
    pub rules: usize,
    /// Tactics, by id.
    pub tactics: Vec<TacticCoverage>,
}

/// A tactic and its rules.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TacticCoverage {
    /// `TA0001`
    pub id: String,
    /// The name.
    pub name: String,
    /// Its page.
    pub reference: String,
    /// All its rules, by name.
    pub rules: Vec<CoveringRule>,
    /// Rules that name the tactic and no technique of it.
    pub without_technique: usize,
    /// Techniques and sub-techniques, by id, so that sub-techniques follow theirs.
    pub techniques: Vec<TechniqueCoverage>,
}

/// A technique or sub-technique and its rules.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TechniqueCoverage {
    /// `T1059`, `T1059.001`
    pub id: String,
    /// The name.
    pub name: String,
    /// Its page.
    pub reference: String,
    /// Whether it is a sub-technique.
    pub sub_technique: bool,
    /// Its rules, by name. Those of a technique include those of its sub-techniques.
    pub rules: Vec<CoveringRule>,
}

/// A rule that covers something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct CoveringRule {
    /// The name.
    pub name: String,
    /// The id.
    pub rule_id: String,
    /// Its alerts; 0 where none were counted.
    pub alerts: u64,
}

impl TacticCoverage {
    /// Techniques, without sub-techniques.
    pub fn technique_count(&self) -> usize {
        self.techniques.iter().filter(|technique| !technique.sub_technique).count()
    }
}

/// The sum of the rules' alerts.
pub fn alert_count(rules: &[CoveringRule]) -> u64 {
    rules.iter().map(|rule| rule.alerts).sum()
}

/// Rules that raised alerts.
pub fn fired_count(rules: &[CoveringRule]) -> usize {
    rules.iter().filter(|rule| rule.alerts > 0).count()
}

/// The coverage of these rules; `alerts` are counts of alerts by rule id.
pub fn coverage(rules: &[RuleDocument], alerts: Option<&BTreeMap<String, u64>>) -> Coverage {
    let mut frameworks: BTreeMap<&str, Collected<'_>> = BTreeMap::new();
    let mut unmapped = Vec::new();
    for rule in rules {
        let covering = CoveringRule {
            name: rule.name.clone(),
            rule_id: rule.rule_id.clone(),
            alerts: alerts.and_then(|alerts| alerts.get(&rule.rule_id)).copied().unwrap_or(0),
        };
        if rule.threat.is_empty() {
            unmapped.push(covering);
            continue;
        }
        for threat in &rule.threat {
            frameworks.entry(&threat.framework).or_default().add(threat, &covering);
        }
    }
    unmapped.sort();
    let mut frameworks: Vec<_> = frameworks.into_iter().map(|(name, found)| found.finish(name)).collect();
    frameworks.sort_by_key(|framework| (framework.name != ATTACK, framework.name.clone()));
    Coverage { rules: rules.len(), unmapped, with_alerts: alerts.is_some(), frameworks }
}

#[derive(Default)]
struct Collected<'a> {
    rules: BTreeSet<String>,
    tactics: BTreeMap<&'a str, CollectedTactic<'a>>,
}

#[derive(Default)]
struct CollectedTactic<'a> {
    name: &'a str,
    reference: &'a str,
    rules: BTreeSet<CoveringRule>,
    with_technique: BTreeSet<String>,
    techniques: BTreeMap<&'a str, CollectedTechnique<'a>>,
}

#[derive(Default)]
struct CollectedTechnique<'a> {
    name: &'a str,
    reference: &'a str,
    sub_technique: bool,
    rules: BTreeSet<CoveringRule>,
}

impl<'a> Collected<'a> {
    fn add(&mut self, threat: &'a crate::document::Threat, rule: &CoveringRule) {
        self.rules.insert(rule.rule_id.clone());
        let tactic = self.tactics.entry(&threat.tactic.id).or_default();
        (tactic.name, tactic.reference) = (&threat.tactic.name, &threat.tactic.reference);
        tactic.rules.insert(rule.clone());
        for technique in &threat.technique {
            tactic.with_technique.insert(rule.rule_id.clone());
            tactic.put(&technique.id, &technique.name, &technique.reference, false, rule);
            for inner in technique.subtechnique.iter().flatten() {
                tactic.put(&inner.id, &inner.name, &inner.reference, true, rule);
            }
        }
    }

    fn finish(self, name: &str) -> FrameworkCoverage {
        let tactics = self.tactics.into_iter().map(|(id, tactic)| TacticCoverage {
            id: id.to_owned(),
            name: tactic.name.to_owned(),
            reference: tactic.reference.to_owned(),
            without_technique: tactic.rules.len() - tactic.with_technique.len(),
            rules: tactic.rules.into_iter().collect(),
            techniques: tactic.techniques.into_iter().map(|(id, technique)| technique.finish(id)).collect(),
        });
        FrameworkCoverage { name: name.to_owned(), rules: self.rules.len(), tactics: tactics.collect() }
    }
}

impl<'a> CollectedTactic<'a> {
    fn put(
        &mut self,
        id: &'a str,
        name: &'a str,
        reference: &'a str,
        sub_technique: bool,
        rule: &CoveringRule,
    ) {
        let technique = self.techniques.entry(id).or_default();
        (technique.name, technique.reference, technique.sub_technique) = (name, reference, sub_technique);
        technique.rules.insert(rule.clone());
    }
}

impl CollectedTechnique<'_> {
    fn finish(self, id: &str) -> TechniqueCoverage {
        TechniqueCoverage {
            id: id.to_owned(),
            name: self.name.to_owned(),
            reference: self.reference.to_owned(),
            sub_technique: self.sub_technique,
            rules: self.rules.into_iter().collect(),
        }
    }
}

/// The layer of a framework, as the ATT&CK Navigator opens it. The score of a technique is its number of
/// rules, or with alerts the number of rules that fired.
pub fn navigator_layer(coverage: &Coverage, framework: &FrameworkCoverage, name: &str) -> Value {
    let score = |rules: &[CoveringRule]| if coverage.with_alerts { fired_count(rules) } else { rules.len() };
    let of_tactics = framework.tactics.iter();
    let techniques: Vec<Value> = of_tactics
        .flat_map(|tactic| {
            let short_name = short_name(&tactic.name);
            tactic.techniques.iter().map(move |technique| {
                let mut entry =
                    layer_technique(technique, &short_name, score(&technique.rules), coverage.with_alerts);
                let below = format!("{}.", technique.id);
                let with_inner = tactic.techniques.iter().any(|other| other.id.starts_with(&below));
                entry["showSubtechniques"] = json!(with_inner);
                entry
            })
        })
        .collect();
    let highest = framework.tactics.iter().flat_map(|tactic| &tactic.techniques);
    let highest = highest.map(|technique| score(&technique.rules)).max().unwrap_or(0).max(1);
    let counted = if coverage.with_alerts { "rules that fired" } else { "rules" };
    json!({
        "name": name,
        "versions": {"attack": ATTACK_VERSION, "navigator": NAVIGATOR_VERSION, "layer": LAYER_VERSION},
        "domain": domain(&framework.name),
        "description": format!(
            "{} of {} rules are mapped to {}; the score of a technique is its number of {counted}",
            framework.rules, coverage.rules, framework.name
        ),
        "filters": {},
        "sorting": 3,
        "layout": {
            "layout": "side", "showID": true, "showName": true, "showAggregateScores": false,
            "countUnscored": false, "aggregateFunction": "max", "expandedSubtechniques": "annotated",
        },
        "hideDisabled": false,
        "techniques": techniques,
        "gradient": {"colors": COLOURS, "minValue": 0, "maxValue": highest},
        "legendItems": [
            {"label": format!("few {counted} (from 1)"), "color": COLOURS[0]},
            {"label": format!("many {counted} (up to {highest})"), "color": COLOURS[2]},
        ],
        "metadata": [
            {"name": "rules", "value": coverage.rules.to_string()},
            {"name": "rules mapped", "value": framework.rules.to_string()},
            {"name": "rules without a mapping", "value": coverage.unmapped.len().to_string()},
        ],
        "links": [],
        "showTacticRowBackground": false,
        "tacticRowBackground": "#dddddd",
        "selectTechniquesAcrossTactics": false,
        "selectSubtechniquesWithParent": false,
        "selectVisibleTechniques": false,
    })
}

fn layer_technique(technique: &TechniqueCoverage, tactic: &str, score: usize, with_alerts: bool) -> Value {
    let mut comment: Vec<&str> =
        technique.rules.iter().take(COMMENT_RULES_MAX).map(|rule| rule.name.as_str()).collect();
    let more = technique.rules.len().saturating_sub(COMMENT_RULES_MAX);
    let more = format!("… and {more} more").into_boxed_str();
    if technique.rules.len() > COMMENT_RULES_MAX {
        comment.push(&more);
    }
    let mut metadata = vec![json!({"name": "rules", "value": technique.rules.len().to_string()})];
    if with_alerts {
        metadata
            .push(json!({"name": "rules that fired", "value": fired_count(&technique.rules).to_string()}));
        metadata.push(json!({"name": "alerts", "value": alert_count(&technique.rules).to_string()}));
    }
    let links = if technique.reference.is_empty() {
        json!([])
    } else {
        json!([{"label": technique.name, "url": technique.reference}])
    };
    json!({
        "techniqueID": technique.id,
        "tactic": tactic,
        "score": score,
        "color": "",
        "comment": comment.join("\n"),
        "enabled": true,
        "metadata": metadata,
        "links": links,
    })
}

/// The name of a tactic as layers write it: `command-and-control`.
fn short_name(tactic: &str) -> String {
    tactic.to_lowercase().split_whitespace().collect::<Vec<_>>().join("-")
}

fn domain(framework: &str) -> &'static str {
    if framework == ATLAS { "atlas-atlas" } else { "enterprise-attack" }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use maxspan_diagnostics::Source;

    use super::*;

    fn rules() -> Vec<RuleDocument> {
        let link = "https://attack.mitre.org/";
        let reference = |id: &str, name: &str| json!({"id": id, "name": name, "reference": link});
        let with = |mut technique: Value, inner: Value| {
            technique["subtechnique"] = json!([inner]);
            technique
        };
        let threat = |framework: &str, tactic: Value, technique: Value| json!({"framework": framework, "tactic": tactic, "technique": technique});
        let execution = || reference("TA0002", "Execution");
        let shell = || with(reference("T1059", "Command"), reference("T1059.004", "Unix Shell"));
        let rule = |id: &str, threat: Value| {
            json!({"rule_id": id, "name": format!("Rule {id}"), "description": "D", "severity": "low", "risk_score": 1,
                "type": "query", "query": "a:1", "threat": threat})
        };
        let lines = [
            rule("1", json!([threat(ATTACK, execution(), json!([shell()]))])),
            rule(
                "2",
                json!([
                    threat(ATTACK, execution(), json!([reference("T1059", "Command")])),
                    threat(ATTACK, reference("TA0011", "Command and Control"), json!([]))
                ]),
            ),
            rule(
                "3",
                json!([threat(
                    ATLAS,
                    reference("AML.TA0005", "Execution"),
                    json!([reference("AML.T0050", "X")])
                )]),
            ),
            rule("4", json!([])),
        ];
        let text = lines.map(|line| line.to_string()).join("\n");
        crate::parse_ndjson(&Arc::new(Source::new("r.ndjson", text))).rules
    }

    #[test]
    fn rules_are_counted_by_tactic_and_technique() {
        let found = coverage(&rules(), None);
        let mut lines = vec![format!("{} rules, {} unmapped", found.rules, found.unmapped.len())];
        for framework in &found.frameworks {
            lines.push(format!("{}: {}", framework.name, framework.rules));
            for tactic in &framework.tactics {
                lines.push(format!(
                    "{} {} ({} bare)",
                    tactic.id,
                    tactic.rules.len(),
                    tactic.without_technique
                ));
                let techniques = tactic.techniques.iter();
                lines.extend(
                    techniques.map(|technique| format!("- {} {}", technique.id, technique.rules.len())),
                );
            }
        }
        assert_eq!(
            lines,
            [
                "4 rules, 1 unmapped",
                "MITRE ATT&CK: 2",
                "TA0002 2 (0 bare)",
                "- T1059 2",
                "- T1059.004 1",
                "TA0011 1 (1 bare)",
                "MITRE ATLAS: 1",
                "AML.TA0005 1 (0 bare)",
                "- AML.T0050 1",
            ]
        );
    }

    #[test]
    fn layers_have_what_the_navigator_wants() {
        let found = coverage(&rules(), None);
        let layer = navigator_layer(&found, &found.frameworks[0], "Ours");
        assert_eq!(layer["versions"]["layer"], "4.5");
        assert_eq!((&layer["domain"], &layer["name"]), (&json!("enterprise-attack"), &json!("Ours")));
        assert_eq!(layer["gradient"]["maxValue"], 2);
        let techniques = layer["techniques"].as_array().unwrap();
        let brief: Vec<_> = techniques
            .iter()
            .map(|one| format!("{} {} {}", one["techniqueID"], one["tactic"], one["score"]))
            .collect();
        assert_eq!(brief, ["\"T1059\" \"execution\" 2", "\"T1059.004\" \"execution\" 1"]);
        assert_eq!(techniques[0]["comment"], "Rule 1\nRule 2");
        let atlas = navigator_layer(&found, &found.frameworks[1], "Ours");
        assert_eq!(atlas["domain"], "atlas-atlas");
    }

    #[test]
    fn alerts_are_counted_where_they_are_known() {
        let alerts = BTreeMap::from([("1".to_owned(), 7)]);
        let found = coverage(&rules(), Some(&alerts));
        let execution = &found.frameworks[0].tactics[0];
        assert_eq!((alert_count(&execution.rules), fired_count(&execution.rules)), (7, 1));
        let layer = navigator_layer(&found, &found.frameworks[0], "Ours");
        let scores: Vec<_> =
            layer["techniques"].as_array().unwrap().iter().map(|one| &one["score"]).collect();
        assert_eq!(scores, [1, 1]);
    }
}
