//! A rule document as plain data: every field typed, checked, and with Kibana's defaults filled in.
//!
//! The fields and their meaning are specification 1.1 (Elastic's TOML) and 1.2 (Kibana's API); both formats give the
//! same [`RuleDocument`]. Parts of which nothing here depends on the shape (`meta`, `actions`, `filters` …) stay JSON.

mod kind;
mod origin;
mod parts;

pub use kind::{
    Cardinality, Language, MachineLearningParams, NewTermsParams, RuleParams, RuleType, ThreatMappingEntry,
    ThreatMappingGroup, ThreatMatchParams, Threshold, ThresholdParams,
};
pub use origin::{Origin, TomlMetadata};
pub use parts::{
    AlertSuppression, DurationUnit, ExceptionListRef, InvestigationFields, MappingOperator,
    MissingFieldsStrategy, RiskScoreMapping, RuleSeverity, SeverityMapping, SuppressionDuration, Technique,
    Threat, ThreatRef,
};

use serde_json::{Map, Value};

use crate::schedule::Schedule;

/// `max_signals` where a rule names none (specification 1.2).
pub const MAX_SIGNALS_DEFAULT: u32 = 100;

/// Where a rule without index patterns and data view looks: Kibana's `securitySolution:defaultIndex`
/// (specification 1.2).
pub const INDEX_PATTERNS_DEFAULT: [&str; 9] = [
    "apm-*-transaction*",
    "auditbeat-*",
    "endgame-*",
    "filebeat-*",
    "logs-*",
    "packetbeat-*",
    "traces-apm*",
    "winlogbeat-*",
    "-*elastic-cloud-logs-*",
];

/// One rule, read and checked.
///
/// Two documents are equal when all fields are, `origin` included.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleDocument {
    /// The id that stays with the rule across installations (`rule_id`).
    pub rule_id: String,
    /// The saved-object id (`id` of an export); where there is none, the `rule_id`. Alert ids derive from it.
    pub uuid: String,
    /// The name, not empty.
    pub name: String,
    /// What the rule detects, not empty.
    pub description: String,
    /// Severity of its alerts, before overrides.
    pub severity: RuleSeverity,
    /// Risk score of its alerts, 0 to 100, before overrides.
    pub risk_score: u8,
    /// Type, and what only that type has.
    pub params: RuleParams,
    /// Language of `query`; none for machine learning.
    pub language: Option<Language>,
    /// The query's text exactly as written; empty where the type has none.
    pub query: String,
    /// Index patterns as written; see [`RuleDocument::index_patterns`] for the default.
    pub index: Vec<String>,
    /// The data view instead of index patterns.
    pub data_view_id: Option<String>,
    /// Kibana filter objects (specification 4.4).
    pub filters: Vec<Value>,
    /// Interval and window.
    pub schedule: Schedule,
    /// At most how many alerts a run may create, at least 1.
    pub max_signals: u32,
    /// Whether the rule runs. A document that does not say so runs, as with Kibana's create route.
    pub enabled: bool,
    /// Exception lists that apply.
    pub exceptions_list: Vec<ExceptionListRef>,
    /// ATT&CK (or ATLAS) mapping.
    pub threat: Vec<Threat>,
    /// Tags.
    pub tags: Vec<String>,
    /// Authors.
    pub author: Vec<String>,
    /// Licence.
    pub license: Option<String>,
    /// Links.
    pub references: Vec<String>,
    /// Known harmless causes.
    pub false_positives: Vec<String>,
    /// Investigation guide, Markdown with plugins (specification 7).
    pub note: Option<String>,
    /// Setup guide, Markdown; empty where there is none.
    pub setup: String,
    /// Field that decides the window instead of `@timestamp`.
    pub timestamp_override: Option<String>,
    /// Whether events without that field are left out instead of going by `@timestamp`.
    pub timestamp_override_fallback_disabled: bool,
    /// Severity by field value.
    pub severity_mapping: Vec<SeverityMapping>,
    /// Risk score by field; only the first counts.
    pub risk_score_mapping: Vec<RiskScoreMapping>,
    /// Field whose value replaces the rule's name in alerts.
    pub rule_name_override: Option<String>,
    /// `Some("default")` where the alerts are building blocks.
    pub building_block_type: Option<String>,
    /// Grouping of alerts (specification 6); of threshold rules only the duration.
    pub alert_suppression: Option<AlertSuppression>,
    /// Fields that an investigation shows first.
    pub investigation_fields: Option<InvestigationFields>,
    /// Timeline template's id.
    pub timeline_id: Option<String>,
    /// Timeline template's title.
    pub timeline_title: Option<String>,
    /// Version of the content, at least 1.
    pub version: u64,
    /// Count of changes to the installed rule.
    pub revision: u64,
    /// Free data.
    pub meta: Option<Map<String, Value>>,
    /// Actions on alerts, as written.
    pub actions: Vec<Value>,
    /// Response actions, as written.
    pub response_actions: Vec<Value>,
    /// Fleet packages whose data the rule needs, as written.
    pub related_integrations: Vec<Value>,
    /// Fields that the query reads, as written.
    pub required_fields: Vec<Value>,
    /// Legacy throttle of actions.
    pub throttle: Option<String>,
    /// Alerts-as-data namespace.
    pub namespace: Option<String>,
    /// Whether the rule was installed from a package.
    pub immutable: bool,
    /// Where the installed rule came from, as written.
    pub rule_source: Option<Value>,
    /// When the rule was created, as written.
    pub created_at: Option<String>,
    /// By whom.
    pub created_by: Option<String>,
    /// When the rule was last changed, as written.
    pub updated_at: Option<String>,
    /// By whom.
    pub updated_by: Option<String>,
    /// The file, and places in it.
    pub origin: Origin,
}

impl RuleDocument {
    /// The rule's type.
    pub fn rule_type(&self) -> RuleType {
        self.params.rule_type()
    }

    /// The index patterns to look at: the rule's own or, where it has none, Kibana's default.
    ///
    /// A data view wins over both in Kibana; what it stands for is not in the document, so the caller decides when
    /// `data_view_id` is set. For ES|QL the patterns are in the query, for machine learning there are none: both
    /// give none here.
    pub fn index_patterns(&self) -> Vec<&str> {
        match self.rule_type() {
            RuleType::Esql | RuleType::MachineLearning => Vec::new(),
            _ if self.index.is_empty() => INDEX_PATTERNS_DEFAULT.to_vec(),
            _ => self.index.iter().map(String::as_str).collect(),
        }
    }

    /// Whether the rule's alerts are building blocks.
    pub fn is_building_block(&self) -> bool {
        self.building_block_type.is_some()
    }
}
