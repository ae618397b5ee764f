//! Generated events for each rule of the corpus: groups that must alert, and near misses that must not.

use std::collections::BTreeMap;
use std::path::Path;

use maxspan_event::Schema;
use maxspan_pipeline::explain::{ExplainOptions, Explanation, Subject, explain};
use maxspan_pipeline::hunt::{Collected, HuntOptions, hunt};
use maxspan_pipeline::input::{InputOptions, Reader};
use maxspan_pipeline::rule_base::{RuleBase, RuleBaseOptions};
use maxspan_rules::document::RuleParams;
use maxspan_rules::load::ValueLists;
use maxspan_rules::{ExceptionStore, LoadOptions, LoadedRules, RuleDocument, load_paths};
use serde_json::Value;

use crate::support::{Record, lines, shared};

/// Groups that raise another number of alerts than they should, and why that is right.
const FAULTS: [(&str, &str); 0] = [];

struct Corpus {
    rules: BTreeMap<String, RuleDocument>,
    schema: Schema,
}

impl Corpus {
    fn load(shared: &Path) -> Self {
        let loaded = load_paths(&[shared.join("corpus/rules")], &LoadOptions::default());
        let rules = loaded.rules.into_iter().map(|rule| (rule.rule_id.clone(), rule)).collect();
        Self { rules, schema: Schema::built_in() }
    }

    /// A rule base of one rule.
    fn only(&self, rule_id: &str) -> RuleBase {
        let rules = vec![self.rules[rule_id].clone()];
        let loaded = LoadedRules { rules, ..LoadedRules::default() };
        RuleBase::new(loaded, &RuleBaseOptions { schema: self.schema.clone(), ..RuleBaseOptions::default() })
    }
}

/// The alerts of one group with its indicators, run by itself.
fn alerts(base: &RuleBase, entry: &Value, group: &Value, indicators: &Value) -> Result<u64, String> {
    let index = base.documents.first().and_then(|rule| match &rule.params {
        RuleParams::ThreatMatch(params) => params.threat_index.first(),
        _ => None,
    });
    let indicators = indicators.as_array().into_iter().flatten().map(|one| {
        let mut indicator = one.clone();
        indicator["_index"] = index.map_or(Value::Null, |index| index.as_str().into());
        format!("{indicator}\n")
    });
    let events = events(entry, group) + &indicators.collect::<String>();
    let mut reader = Reader::of_bytes("group", std::io::Cursor::new(events), InputOptions::default());
    let mut collected = Collected::default();
    let stats = hunt(base, &mut reader, &HuntOptions::default(), &mut collected);
    if stats.events_failed > 0 || !collected.problems.is_empty() {
        return Err(format!("{:?}", collected.problems));
    }
    Ok(stats.alerts)
}

/// The events of a group, in the rule's first index.
fn reader(entry: &Value, group: &Value) -> Reader {
    Reader::of_bytes("group", std::io::Cursor::new(events(entry, group)), InputOptions::default())
}

fn events(entry: &Value, group: &Value) -> String {
    let mut events = String::new();
    for event in group.as_array().unwrap() {
        let mut event = event.clone();
        event["_index"] = entry["index"][0].clone();
        events.push_str(&event.to_string());
        events.push('\n');
    }
    events
}

/// Rules over events and sequences.
const EVENTS: &[&str] = &["eql", "query"];
/// Rules over the windows of their schedule.
const GROUPS: &[&str] = &["threshold", "new_terms"];
/// Rules over events and indicators.
const INDICATORS: &[&str] = &["threat_match"];

fn is_of(entry: &Value, types: &[&str]) -> bool {
    entry["type"].as_str().is_some_and(|found| types.contains(&found))
}

/// What is checked of a file.
struct Checked<'a> {
    file: &'a str,
    /// Where an entry has its groups.
    key: &'a str,
    types: &'a [&'a str],
    /// Alerts of each group.
    expected: u64,
}

impl<'a> Checked<'a> {
    fn new(file: &'a str, key: &'a str, types: &'a [&'a str], expected: u64) -> Self {
        Self { file, key, types, expected }
    }
}

fn check(checked: &Checked<'_>, record: &mut Record, corpus: &Corpus, shared: &Path) {
    let Checked { file, key, types, expected } = *checked;
    for entry in lines(&shared.join("corpus/geneve").join(file)).iter().filter(|entry| is_of(entry, types)) {
        let Some(groups) = entry[key].as_array() else { continue };
        let base = corpus.only(entry["rule_id"].as_str().unwrap());
        for (index, group) in groups.iter().enumerate() {
            let name = format!("{} {key} {index}", entry["rule_id"].as_str().unwrap());
            let found = alerts(&base, entry, group, &entry["indicators"][index]);
            let result = match found {
                Ok(count) if count == expected => Ok(()),
                Ok(count) => Err(format!(
                    "{count} alerts, expected {expected}: {} {}",
                    entry["name"], entry["notes"][index]
                )),
                Err(problem) => Err(problem),
            };
            match (&result, FAULTS.iter().find(|(case, _)| *case == name)) {
                (Err(_), Some((_, reason))) => record.exception(name, *reason),
                _ => record.case(name, result),
            }
        }
    }
}

#[test]
fn generated_positives() {
    let Some(shared) = shared() else { return };
    let corpus = Corpus::load(&shared);
    let mut record = Record::new(
        40,
        "generated-positives",
        "Generated positives (eql, query): groups that raise exactly their rule's alert",
        "≥ 99 %",
    );
    check(&Checked::new("positives.ndjson", "groups", EVENTS, 1), &mut record, &corpus, &shared);
    record.finish(99.0);
}

#[test]
fn generated_case_variants() {
    let Some(shared) = shared() else { return };
    let corpus = Corpus::load(&shared);
    let mut record = Record::new(
        41,
        "generated-case-variants",
        "The same with the case of values under case-insensitive operators flipped",
        "≥ 99 %",
    );
    check(&Checked::new("positives.ndjson", "case_variants", EVENTS, 1), &mut record, &corpus, &shared);
    record.finish(99.0);
}

#[test]
fn generated_negatives() {
    let Some(shared) = shared() else { return };
    let corpus = Corpus::load(&shared);
    let mut record =
        Record::new(42, "generated-negatives", "Generated near misses: groups that stay silent", "100 %");
    check(&Checked::new("negatives.ndjson", "groups", EVENTS, 0), &mut record, &corpus, &shared);
    record.finish(100.0);
}

#[test]
fn generated_case_negatives() {
    let Some(shared) = shared() else { return };
    let corpus = Corpus::load(&shared);
    let mut record = Record::new(
        43,
        "generated-case-negatives",
        "Near misses by case alone (`negatives_case.ndjson`): groups that stay silent",
        "100 %",
    );
    check(&Checked::new("negatives_case.ndjson", "groups", EVENTS, 0), &mut record, &corpus, &shared);
    record.finish(100.0);
}

#[test]
fn generated_groups_positives() {
    let Some(shared) = shared() else { return };
    let corpus = Corpus::load(&shared);
    let mut record = Record::new(
        45,
        "generated-groups-positives",
        "Generated positives (threshold, new_terms): groups that raise exactly their rule's alert",
        "≥ 99 %",
    );
    check(&Checked::new("positives.ndjson", "groups", GROUPS, 1), &mut record, &corpus, &shared);
    record.finish(99.0);
}

#[test]
fn generated_groups_negatives() {
    let Some(shared) = shared() else { return };
    let corpus = Corpus::load(&shared);
    let mut record = Record::new(
        46,
        "generated-groups-negatives",
        "Generated near misses (threshold, new_terms): groups that stay silent",
        "100 %",
    );
    check(&Checked::new("negatives.ndjson", "groups", GROUPS, 0), &mut record, &corpus, &shared);
    record.finish(100.0);
}

#[test]
fn generated_indicator_positives() {
    let Some(shared) = shared() else { return };
    let corpus = Corpus::load(&shared);
    let mut record = Record::new(
        47,
        "generated-indicators-positives",
        "Generated positives (threat_match): events with indicators that raise exactly their rule's alert",
        "100 %",
    );
    check(&Checked::new("positives.ndjson", "groups", INDICATORS, 1), &mut record, &corpus, &shared);
    record.finish(100.0);
}

#[test]
fn generated_indicator_negatives() {
    let Some(shared) = shared() else { return };
    let corpus = Corpus::load(&shared);
    let mut record = Record::new(
        48,
        "generated-indicators-negatives",
        "Generated near misses (threat_match): groups that stay silent",
        "100 %",
    );
    check(&Checked::new("negatives.ndjson", "groups", INDICATORS, 0), &mut record, &corpus, &shared);
    record.finish(100.0);
}

/// Explanations evaluate a query condition by condition, beside the engine: both must say the same of every event.
#[test]
fn explanations_agree() {
    let Some(shared) = shared() else { return };
    let corpus = Corpus::load(&shared);
    let mut record = Record::new(
        44,
        "explanations-agree",
        "Generated groups for which `explain` and the hunt agree on what matches",
        "100 %",
    );
    let options = ExplainOptions { schema: corpus.schema.clone(), ..ExplainOptions::default() };
    for (file, key) in [("positives.ndjson", "groups"), ("negatives.ndjson", "groups")] {
        for entry in
            lines(&shared.join("corpus/geneve").join(file)).iter().filter(|entry| is_of(entry, EVENTS))
        {
            // One group a rule: what differs between them is values.
            let Some(group) = entry[key].as_array().and_then(|groups| groups.first()) else { continue };
            let rule_id = entry["rule_id"].as_str().unwrap();
            let subject = Subject {
                rule: &corpus.rules[rule_id],
                exceptions: &ExceptionStore::default(),
                value_lists: &ValueLists::default(),
            };
            let explanation = explain(subject, &mut reader(entry, group), &options);
            record.case(
                format!("{rule_id} {key}"),
                explanation.map_err(|found| format!("{found:?}")).and_then(|found| agrees(&found)),
            );
        }
    }
    record.finish(100.0);
}

/// Whether the conditions say the same as the hunt.
fn agrees(explanation: &Explanation) -> Result<(), String> {
    let alerted = explanation.stats.alerts > 0;
    let said = if explanation.kind == "event" {
        explanation.matched > 0
    } else {
        let needed = explanation.stages.iter().filter(|stage| stage.role == "event");
        // A sequence needs an event for each stage; that these are a chain is the engine's to say.
        let possible = needed.clone().all(|stage| stage.matched > stage.without_key + stage.without_time);
        if alerted { possible } else { possible && explanation.chain.is_none() }
    };
    if said == alerted {
        return Ok(());
    }
    Err(format!("alerts: {}, explained as {}", explanation.stats.alerts, said))
}
