//! The smaller parts of a rule: severity, mappings, threat, suppression, references to exception lists.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How grave an alert is; ordered from low to critical.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RuleSeverity {
    /// `low`
    Low,
    /// `medium`
    Medium,
    /// `high`
    High,
    /// `critical`
    Critical,
}

impl RuleSeverity {
    /// The value of `severity`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The severity of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Low, Self::Medium, Self::High, Self::Critical]
            .into_iter()
            .find(|severity| severity.name() == name)
    }
}

/// One entry of `threat`: a tactic and its techniques.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Threat {
    /// `MITRE ATT&CK` or `MITRE ATLAS`.
    pub framework: String,
    /// The tactic.
    pub tactic: ThreatRef,
    /// Techniques; may be empty.
    #[serde(default)]
    pub technique: Vec<Technique>,
}

/// A name in a threat framework.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreatRef {
    /// `TA0001`, `T1059.001` …
    pub id: String,
    /// The name.
    pub name: String,
    /// Its page.
    pub reference: String,
}

/// A technique and its sub-techniques.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Technique {
    /// `T1059`
    pub id: String,
    /// The name.
    pub name: String,
    /// Its page.
    pub reference: String,
    /// Sub-techniques.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subtechnique: Option<Vec<ThreatRef>>,
}

/// One entry of `severity_mapping`: a value of a field gives a severity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeverityMapping {
    /// The event's field.
    pub field: String,
    /// Only `equals` exists.
    #[serde(default)]
    pub operator: MappingOperator,
    /// The value, compared exactly.
    #[serde(default)]
    pub value: String,
    /// The severity it gives; without one the entry has no effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<RuleSeverity>,
}

/// One entry of `risk_score_mapping`: a field holds the risk score.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RiskScoreMapping {
    /// The event's field.
    pub field: String,
    /// Only `equals` exists.
    #[serde(default)]
    pub operator: MappingOperator,
    /// Without effect (specification 7).
    #[serde(default)]
    pub value: String,
    /// Without effect (specification 7).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk_score: Option<Value>,
}

/// How a mapping compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MappingOperator {
    /// Equality.
    #[default]
    Equals,
}

/// A rule's reference to an exception list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExceptionListRef {
    /// The list's saved-object id.
    pub id: String,
    /// The list's own id, by which items name it.
    pub list_id: String,
    /// `detection`, `rule_default`, `endpoint` …
    #[serde(rename = "type")]
    pub list_type: String,
    /// `single` or `agnostic`.
    pub namespace_type: String,
}

/// `investigation_fields`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvestigationFields {
    /// The fields, at least one.
    pub field_names: Vec<String>,
}

/// `alert_suppression` (specification 6).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertSuppression {
    /// One to three fields; empty for threshold rules, which group by their own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub group_by: Vec<String>,
    /// How long; none suppresses within one run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<SuppressionDuration>,
    /// What becomes of events without one of the fields; none for threshold rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing_fields_strategy: Option<MissingFieldsStrategy>,
}

/// `alert_suppression.duration`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuppressionDuration {
    /// How many units, from 1.
    pub value: u64,
    /// The unit.
    pub unit: DurationUnit,
}

impl SuppressionDuration {
    /// The duration in milliseconds.
    pub fn milliseconds(self) -> u64 {
        let unit_ms = match self.unit {
            DurationUnit::Seconds => 1_000,
            DurationUnit::Minutes => 60_000,
            DurationUnit::Hours => 3_600_000,
        };
        self.value.saturating_mul(unit_ms)
    }
}

/// Unit of a suppression's duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DurationUnit {
    /// `s`
    #[serde(rename = "s")]
    Seconds,
    /// `m`
    #[serde(rename = "m")]
    Minutes,
    /// `h`
    #[serde(rename = "h")]
    Hours,
}

/// What becomes of events that lack a field of `group_by`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum MissingFieldsStrategy {
    /// They are grouped as if the field were null.
    #[default]
    Suppress,
    /// Each gives its own alert.
    DoNotSuppress,
}
