//! `version.lock.json` of Elastic's rule repository: the published version of each rule (specification 1.1).

use std::collections::BTreeMap;

use serde::Deserialize;

/// Versions by rule id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VersionLock {
    versions: BTreeMap<String, u64>,
}

#[derive(Deserialize)]
struct LockedRule {
    version: u64,
}

impl VersionLock {
    /// Reads the file's text.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        let rules: BTreeMap<String, LockedRule> = serde_json::from_str(text)?;
        Ok(Self { versions: rules.into_iter().map(|(rule_id, rule)| (rule_id, rule.version)).collect() })
    }

    /// The version of a rule.
    pub fn version_of(&self, rule_id: &str) -> Option<u64> {
        self.versions.get(rule_id).copied()
    }
}
