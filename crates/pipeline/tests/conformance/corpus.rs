//! The rule corpus: every rule loads, lowers and compiles, and runs over real events.

use std::collections::BTreeMap;

use maxspan_pipeline::hunt::{Collected, HuntOptions, hunt};
use maxspan_pipeline::input::{InputOptions, InputSpec, Reader};
use maxspan_pipeline::rule_base::{RuleBase, RuleBaseOptions};
use maxspan_rules::{LoadOptions, RuleType, load_paths};

use crate::support::{Record, shared};

/// Rule types that are compiled.
const COMPILED: [RuleType; 6] = [
    RuleType::Eql,
    RuleType::Esql,
    RuleType::Query,
    RuleType::Threshold,
    RuleType::NewTerms,
    RuleType::ThreatMatch,
];

#[test]
fn corpus_compiles() {
    let Some(shared) = shared() else { return };
    let loaded = load_paths(&[shared.join("corpus/rules")], &LoadOptions::default());
    let names: Vec<(String, RuleType)> =
        loaded.rules.iter().map(|rule| (rule.rule_id.clone(), rule.rule_type())).collect();
    let failed_to_load = loaded.counts.rules_failed;
    let base = RuleBase::new(loaded, &RuleBaseOptions::default());
    let mut errors: BTreeMap<String, String> = BTreeMap::new();
    for (source, diagnostic) in base.errors() {
        errors.insert(source.name.clone(), format!("{} {}", diagnostic.code, diagnostic.message));
    }
    let mut record = Record::new(
        30,
        "corpus-compiles",
        "Rule corpus: rules that load, lower and compile; those that call a model refused",
        "100 %",
    );
    for (rule_id, _) in names.iter().filter(|(_, rule_type)| COMPILED.contains(rule_type)) {
        let runs = base.documents.iter().any(|rule| rule.rule_id == *rule_id);
        let not_run = base.not_run.iter().find(|rule| rule.rule_id == *rule_id);
        let sound = runs || not_run.is_some_and(|rule| rule.reason.contains("COMPLETION"));
        record.case(rule_id.clone(), if sound { Ok(()) } else { Err(format!("{errors:?}")) });
    }
    assert_eq!(failed_to_load, 0, "rules that do not load: {errors:?}");
    record.finish(100.0);
}

/// Packs of real events that are small enough for every run.
const PACKS: [&str; 11] = [
    "aws-cloudtrail-raw",
    "ecs-beats-modules",
    "ecs-integrations",
    "ecs-samples",
    "elastic-defend-samples",
    "kibana-es-archives",
    "macos-elastic-defend",
    "macos-jamf-raw",
    "macos-other-ecs",
    "windows-rta-ecs",
    "winlog-golden-pairs",
];

/// Packs of several hundred thousand events, hunted only where the results are published.
const LARGE_PACKS: [&str; 2] = ["windows-ecs", "windows-sysmon"];

#[test]
fn corpus_runs_over_real_events() {
    let Some(shared) = shared() else { return };
    let base = RuleBase::new(
        load_paths(&[shared.join("corpus/rules")], &LoadOptions::default()),
        &RuleBaseOptions::default(),
    );
    let mut record = Record::new(
        31,
        "corpus-runs",
        "Rule corpus over the packs of real events: packs without an error",
        "100 %",
    );
    let large = if Record::is_published() { LARGE_PACKS.as_slice() } else { &[] };
    for pack in PACKS.iter().chain(large).copied() {
        let spec = InputSpec::new([shared.join(format!("data/{pack}.ndjson.gz"))]);
        let mut reader = Reader::open(&spec, InputOptions::default());
        let mut collected = Collected::default();
        let stats = hunt(&base, &mut reader, &HuntOptions::default(), &mut collected);
        let sound = stats.events > 0
            && stats.events_failed == 0
            && collected.problems.is_empty()
            && stats.runs_failed == 0
            && stats.evicted_by_rule.is_empty()
            && stats.late_events == 0;
        record.note(format!(
            "`{pack}`: {} events, {} rules, {} alerts of {} rules, {} capped, {} runs of ES|QL",
            stats.events,
            stats.rules_loaded,
            stats.alerts,
            stats.alerts_by_rule.len(),
            stats.alerts_capped_by_rule.values().sum::<u64>(),
            stats.runs,
        ));
        record.case(
            pack,
            if sound {
                Ok(())
            } else {
                let failed = (&stats.input_problems, &stats.runs_failed_by_rule, &stats.evicted_by_rule);
                Err(format!("{failed:?} {:?}", collected.problems.first()))
            },
        );
    }
    record.finish(100.0);
}
