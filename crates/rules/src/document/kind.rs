//! The rule types, and what only one type has (specification 1.1, 1.2).

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::schedule::DateMath;

/// The eight rule types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RuleType {
    /// KQL or Lucene over single events.
    Query,
    /// The same, with a query saved in Kibana.
    SavedQuery,
    /// EQL: events, sequences, samples.
    Eql,
    /// An ES|QL pipeline.
    Esql,
    /// Counts by fields.
    Threshold,
    /// Values not seen before.
    NewTerms,
    /// Events that match indicators.
    ThreatMatch,
    /// Anomalies of machine learning jobs.
    MachineLearning,
}

impl RuleType {
    /// All types.
    pub const ALL: [Self; 8] = [
        Self::Query,
        Self::SavedQuery,
        Self::Eql,
        Self::Esql,
        Self::Threshold,
        Self::NewTerms,
        Self::ThreatMatch,
        Self::MachineLearning,
    ];

    /// The value of `type`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::SavedQuery => "saved_query",
            Self::Eql => "eql",
            Self::Esql => "esql",
            Self::Threshold => "threshold",
            Self::NewTerms => "new_terms",
            Self::ThreatMatch => "threat_match",
            Self::MachineLearning => "machine_learning",
        }
    }

    /// The type of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule_type| rule_type.name() == name)
    }

    /// Which languages the type's query may be in, the default first.
    pub fn languages(self) -> &'static [Language] {
        match self {
            Self::Eql => &[Language::Eql],
            Self::Esql => &[Language::Esql],
            Self::MachineLearning => &[],
            _ => &[Language::Kuery, Language::Lucene],
        }
    }

    /// `kibana.alert.rule.category` (specification 3.3).
    pub fn category(self) -> &'static str {
        match self {
            Self::Query => "Custom Query Rule",
            Self::SavedQuery => "Saved Query Rule",
            Self::Eql => "Event Correlation Rule",
            Self::Esql => "ES|QL Rule",
            Self::Threshold => "Threshold Rule",
            Self::NewTerms => "New Terms Rule",
            Self::ThreatMatch => "Indicator Match Rule",
            Self::MachineLearning => "Machine Learning Rule",
        }
    }

    /// `kibana.alert.rule.rule_type_id` (specification 3.3).
    pub fn rule_type_id(self) -> &'static str {
        match self {
            Self::Query => "siem.queryRule",
            Self::SavedQuery => "siem.savedQueryRule",
            Self::Eql => "siem.eqlRule",
            Self::Esql => "siem.esqlRule",
            Self::Threshold => "siem.thresholdRule",
            Self::NewTerms => "siem.newTermsRule",
            Self::ThreatMatch => "siem.indicatorRule",
            Self::MachineLearning => "siem.mlRule",
        }
    }
}

impl fmt::Display for RuleType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The languages of queries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// KQL.
    Kuery,
    /// Lucene's query string.
    Lucene,
    /// EQL.
    Eql,
    /// ES|QL.
    Esql,
}

impl Language {
    /// The value of `language`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kuery => "kuery",
            Self::Lucene => "lucene",
            Self::Eql => "eql",
            Self::Esql => "esql",
        }
    }

    /// The language of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Kuery, Self::Lucene, Self::Eql, Self::Esql]
            .into_iter()
            .find(|language| language.name() == name)
    }
}

/// What only one rule type has.
#[derive(Debug, Clone, PartialEq)]
pub enum RuleParams {
    /// `query`.
    Query {
        /// A saved query that the rule was made from.
        saved_id: Option<String>,
    },
    /// `saved_query`.
    SavedQuery {
        /// The saved query; the rule's own query is used where it is not there.
        saved_id: String,
    },
    /// `eql`.
    Eql {
        /// Field of the event's category, `event.category` where none.
        event_category_override: Option<String>,
        /// Field that orders events of the same time.
        tiebreaker_field: Option<String>,
        /// Field that orders events, `@timestamp` where none.
        timestamp_field: Option<String>,
    },
    /// `esql`.
    Esql,
    /// `threshold`.
    Threshold(ThresholdParams),
    /// `new_terms`.
    NewTerms(NewTermsParams),
    /// `threat_match`.
    ThreatMatch(Box<ThreatMatchParams>),
    /// `machine_learning`.
    MachineLearning(MachineLearningParams),
}

impl RuleParams {
    /// The type that these belong to.
    pub fn rule_type(&self) -> RuleType {
        match self {
            Self::Query { .. } => RuleType::Query,
            Self::SavedQuery { .. } => RuleType::SavedQuery,
            Self::Eql { .. } => RuleType::Eql,
            Self::Esql => RuleType::Esql,
            Self::Threshold(_) => RuleType::Threshold,
            Self::NewTerms(_) => RuleType::NewTerms,
            Self::ThreatMatch(_) => RuleType::ThreatMatch,
            Self::MachineLearning(_) => RuleType::MachineLearning,
        }
    }
}

/// What a threshold rule has.
#[derive(Debug, Clone, PartialEq)]
pub struct ThresholdParams {
    /// What is counted.
    pub threshold: Threshold,
    /// A saved query that the rule was made from.
    pub saved_id: Option<String>,
}

/// `threshold`: how many events, by which fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Threshold {
    /// Fields whose values make a group, at most 5; none counts all events together.
    pub field: Vec<String>,
    /// At least so many events, from 1.
    pub value: u64,
    /// At least so many different values; only the first counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cardinality: Vec<Cardinality>,
}

/// `threshold.cardinality[]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cardinality {
    /// Field whose different values are counted.
    pub field: String,
    /// At least so many, from 1.
    pub value: u64,
}

/// What a new-terms rule has.
#[derive(Debug, Clone, PartialEq)]
pub struct NewTermsParams {
    /// One to three fields.
    pub fields: Vec<String>,
    /// Start of the history, earlier than the rule's `from`.
    pub history_window_start: DateMath,
}

/// What an indicator match rule has.
#[derive(Debug, Clone, PartialEq)]
pub struct ThreatMatchParams {
    /// Index patterns of the indicators.
    pub threat_index: Vec<String>,
    /// Groups are alternatives; entries of a group must all hold.
    pub threat_mapping: Vec<ThreatMappingGroup>,
    /// Query that selects indicators.
    pub threat_query: String,
    /// Its language; of the rule's type's languages.
    pub threat_language: Language,
    /// Filters on indicators.
    pub threat_filters: Vec<Value>,
    /// Where the indicator is in its document.
    pub threat_indicator_path: String,
    /// Searches at a time, from 1.
    pub concurrent_searches: Option<u64>,
    /// Indicators of one search, from 1.
    pub items_per_search: Option<u64>,
    /// A saved query that the rule was made from.
    pub saved_id: Option<String>,
}

/// One of the alternatives of `threat_mapping`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreatMappingGroup {
    /// What must hold together.
    pub entries: Vec<ThreatMappingEntry>,
}

/// The event's `field` equals the indicator's `value`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreatMappingEntry {
    /// Field of the event.
    pub field: String,
    /// Always `mapping`.
    #[serde(rename = "type")]
    pub entry_type: String,
    /// Field of the indicator.
    pub value: String,
    /// Whether they must differ instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub negate: Option<bool>,
}

/// What a machine learning rule has.
#[derive(Debug, Clone, PartialEq)]
pub struct MachineLearningParams {
    /// Lowest anomaly score, 0 to 100.
    pub anomaly_threshold: u8,
    /// Jobs, at least one.
    pub machine_learning_job_id: Vec<String>,
}
