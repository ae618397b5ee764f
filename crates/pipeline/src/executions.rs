//! Records of executions: what each rule of a hunt looked at and raised, and each run of a schedule that had events.
//!
//! There is one record for each rule that had events or something to say (`rule`), with sums, and one for each run of its
//! schedule whose window had events (`run`); and one about the hunt, which says up to when its rules looked at everything.
//! As JSON they have Kibana's names of fields where it has some (specification 2.5), and `maxspan.execution.*` beside them.
//! They are events like others: `_index` and `_id` are theirs, so that they can be imported and asked for.

use std::collections::BTreeMap;

use maxspan_event::date;
use maxspan_rules::RuleDocument;
use serde_json::{Map, Value, json};

use crate::input::{Batch, BatchItem, Reader};
use crate::limits::COVERED_RULES_MAX;

/// The index of records about rules and their runs.
pub const EXECUTIONS_INDEX: &str = ".maxspan-executions";
/// The index of records about hunts.
pub const HUNTS_INDEX: &str = ".maxspan-hunts";

/// How an execution ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExecutionStatus {
    /// Everything was looked at, and everything found raised.
    Succeeded,
    /// There is a warning.
    PartialFailure,
    /// There is no result.
    Failed,
    /// The rule is of a kind that does not run.
    NotRun,
}

impl ExecutionStatus {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::PartialFailure => "partial failure",
            Self::Failed => "failed",
            Self::NotRun => "not run",
        }
    }

    /// The number that Kibana sorts it by.
    fn order(self) -> u64 {
        match self {
            Self::Succeeded => 0,
            Self::PartialFailure => 20,
            Self::Failed | Self::NotRun => 30,
        }
    }
}

/// What a record is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExecutionKind {
    /// A rule over a whole hunt.
    Rule {
        /// Runs of its schedule that had events in their windows; 0 for rules without runs.
        runs: u64,
        /// Others between the first and the last one of the hunt.
        runs_without_events: u64,
    },
    /// One run of its schedule, at this moment in milliseconds since 1970.
    Run(i64),
}

/// What an execution looked at and raised.
#[derive(Debug, Clone, PartialEq)]
pub struct Execution {
    /// What it is about.
    pub kind: ExecutionKind,
    /// The first and the last millisecond that was looked at, since 1970; none where there is no end.
    pub window: (Option<i64>, Option<i64>),
    /// Events that satisfied the rule's conditions, or those of one of its steps.
    pub events: u64,
    /// Alerts, without building blocks.
    pub alerts: u64,
    /// Alerts that suppression took away.
    pub suppressed: u64,
    /// What `max_signals` left out; a later run may have raised it.
    pub capped: u64,
    /// Milliseconds that it took; none where that is not known by itself.
    pub took_ms: Option<f64>,
    /// What went wrong.
    pub warnings: Vec<String>,
    /// Why there is no result.
    pub error: Option<String>,
    /// How it ended.
    pub status: ExecutionStatus,
}

impl Execution {
    /// An execution that found nothing.
    pub fn new(kind: ExecutionKind, window: (Option<i64>, Option<i64>)) -> Self {
        Self {
            kind,
            window,
            events: 0,
            alerts: 0,
            suppressed: 0,
            capped: 0,
            took_ms: None,
            warnings: Vec::new(),
            error: None,
            status: ExecutionStatus::Succeeded,
        }
    }

    /// The status that follows from error and warnings; what a cap left out is one.
    #[must_use]
    pub fn settled(mut self) -> Self {
        if self.capped > 0 {
            self.warnings.push(format!("{} over max_signals", self.capped));
        }
        self.status = match (&self.error, self.warnings.is_empty()) {
            (Some(_), _) => ExecutionStatus::Failed,
            (None, false) => ExecutionStatus::PartialFailure,
            (None, true) => ExecutionStatus::Succeeded,
        };
        self
    }

    /// Whether there is something to tell.
    pub fn says_something(&self) -> bool {
        self.events > 0 || self.candidates() > 0 || self.status != ExecutionStatus::Succeeded
    }

    /// The record as a document.
    pub fn document(&self, rule: &RuleDocument, context: &ExecutionContext<'_>) -> Map<String, Value> {
        let time = |at: i64| Value::from(date::format_millis(date::from_millis(at)));
        let uuid = rule.uuid.as_str();
        let mut out = Map::new();
        let mut put = |name: &str, value: Value| drop(out.insert(name.to_owned(), value));
        put("_index", EXECUTIONS_INDEX.into());
        put("_id", format!("{}:{}:{}", context.uuid, rule.rule_id, self.place()).into());
        put("@timestamp", date::format_millis(context.now).into());
        put("event.kind", "event".into());
        put("event.provider", "maxspan".into());
        put("event.action", "execute".into());
        put("rule.id", uuid.into());
        put("rule.name", rule.name.as_str().into());
        put("kibana.alert.rule.uuid", uuid.into());
        put("kibana.alert.rule.rule_id", rule.rule_id.as_str().into());
        put("kibana.alert.rule.name", rule.name.as_str().into());
        put("kibana.alert.rule.type", rule.rule_type().name().into());
        let execution = "kibana.alert.rule.execution";
        put(&format!("{execution}.uuid"), context.uuid.into());
        put(&format!("{execution}.status"), self.status.name().into());
        put(&format!("{execution}.status_order"), self.status.order().into());
        put(&format!("{execution}.metrics.alerts_candidate_count"), self.candidates().into());
        put(&format!("{execution}.metrics.alert_counts.new"), self.alerts.into());
        if let Some(took) = self.took_ms {
            put(&format!("{execution}.metrics.total_search_duration_ms"), json!((took * 1e3).round() / 1e3));
        }
        let said: Vec<&str> = self.error.iter().chain(&self.warnings).map(String::as_str).collect();
        if !said.is_empty() {
            put("message", said.join(", ").into());
        }
        for (end, at) in [("from", self.window.0), ("to", self.window.1)] {
            if let Some(at) = at {
                put(&format!("maxspan.execution.window.{end}"), time(at));
            }
        }
        for (name, count) in self.counts() {
            put(&format!("maxspan.execution.{name}"), count.into());
        }
        match self.kind {
            ExecutionKind::Rule { .. } => put("maxspan.execution.kind", "rule".into()),
            ExecutionKind::Run(run_ms) => {
                put("maxspan.execution.kind", "run".into());
                put("kibana.alert.intended_timestamp", time(run_ms));
            }
        }
        out
    }

    fn counts(&self) -> Vec<(&'static str, u64)> {
        let mut counts = vec![
            ("events", self.events),
            ("alerts", self.alerts),
            ("suppressed", self.suppressed),
            ("capped", self.capped),
        ];
        if let ExecutionKind::Rule { runs, runs_without_events } = self.kind {
            counts.extend([("runs", runs), ("runs_without_events", runs_without_events)]);
        }
        counts
    }

    /// What would have been alerts.
    fn candidates(&self) -> u64 {
        self.alerts + self.suppressed + self.capped
    }

    /// What tells records of a rule and a hunt apart.
    fn place(&self) -> String {
        match self.kind {
            ExecutionKind::Rule { .. } => "rule".to_owned(),
            ExecutionKind::Run(run_ms) => run_ms.to_string(),
        }
    }
}

/// What all records of a hunt share.
#[derive(Debug, Clone, Copy)]
pub struct ExecutionContext<'a> {
    /// The hunt's id.
    pub uuid: &'a str,
    /// The time of the hunt, in nanoseconds since 1970.
    pub now: i64,
}

/// What is to be known of a hunt to go on where it ended.
#[derive(Debug)]
pub struct HuntRecord<'a> {
    /// The rules that ran, by id.
    pub rules: Vec<&'a str>,
    /// The window that it was asked for, in nanoseconds since 1970; none where there is no end.
    pub window: (Option<i64>, Option<i64>),
    /// Up to when its rules looked at everything, in nanoseconds since 1970.
    pub covered_until: i64,
    /// Events that were read.
    pub events: u64,
    /// Alerts that were raised.
    pub alerts: u64,
    /// Wall time.
    pub seconds: f64,
}

impl HuntRecord<'_> {
    /// The record as a document.
    pub fn document(&self, context: &ExecutionContext<'_>) -> Map<String, Value> {
        let time = |at: i64| Value::from(date::format_millis(at));
        let mut out = Map::new();
        let mut put = |name: &str, value: Value| drop(out.insert(name.to_owned(), value));
        put("_index", HUNTS_INDEX.into());
        put("_id", context.uuid.into());
        put("@timestamp", time(context.now));
        put("event.kind", "event".into());
        put("event.provider", "maxspan".into());
        put("event.action", "hunt".into());
        put("kibana.alert.rule.execution.uuid", context.uuid.into());
        for (end, at) in [("from", self.window.0), ("to", self.window.1)] {
            if let Some(at) = at {
                put(&format!("maxspan.hunt.window.{end}"), time(at));
            }
        }
        put("maxspan.hunt.covered_until", time(self.covered_until));
        put("maxspan.hunt.events", self.events.into());
        put("maxspan.hunt.alerts", self.alerts.into());
        put("maxspan.hunt.duration_ms", json!((self.seconds * 1e3).round()));
        put("maxspan.hunt.rules", json!(self.rules));
        out
    }
}

/// Up to when rules are known to have looked at everything, by rule id, in nanoseconds since 1970; from records of hunts.
#[derive(Debug, Default)]
pub struct Covered {
    until: BTreeMap<String, i64>,
    /// Documents that are no records, and records of more rules than are remembered.
    pub others: u64,
}

impl Covered {
    /// Reads records.
    pub fn read(reader: &mut Reader) -> Self {
        let (mut covered, mut batch) = (Self::default(), Batch::default());
        while reader.batch(&mut batch) {
            for item in batch.iter() {
                let taken = match item {
                    BatchItem::Event(event) => covered.take(event.source),
                    BatchItem::Problem(_) => None,
                };
                covered.others += u64::from(taken.is_none());
            }
        }
        covered
    }

    /// Up to when all of these rules looked at everything, of those that have records; and how many have none.
    pub fn until<'r>(&self, rules: impl IntoIterator<Item = &'r str>) -> (Option<i64>, u64) {
        let (mut until, mut without): (Option<i64>, u64) = (None, 0);
        for rule in rules {
            match self.until.get(rule) {
                Some(at) => until = Some(until.map_or(*at, |earliest| earliest.min(*at))),
                None => without += 1,
            }
        }
        (until, without)
    }

    /// None where the document is no record.
    fn take(&mut self, source: &[u8]) -> Option<()> {
        let record: Map<String, Value> = serde_json::from_slice(source).ok()?;
        if record.contains_key("maxspan.execution.kind") {
            return Some(());
        }
        let until = record.get("maxspan.hunt.covered_until")?.as_str().and_then(date::parse)?;
        let rules = record.get("maxspan.hunt.rules")?;
        // A single value may come as itself.
        let rules = rules.as_array().map_or(std::slice::from_ref(rules), Vec::as_slice);
        for rule in rules.iter().filter_map(Value::as_str) {
            if let Some(known) = self.until.get_mut(rule) {
                *known = until.max(*known);
            } else if self.until.len() < COVERED_RULES_MAX {
                self.until.insert(rule.to_owned(), until);
            } else {
                return None;
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::InputOptions;

    #[test]
    fn the_rule_that_is_furthest_behind_says_from_when_on_to_catch_up() {
        let record = |rules: &[&str], until: &str| {
            let covered_until = date::parse(until).unwrap();
            let rules = rules.to_vec();
            let (window, events, alerts, seconds) = ((None, None), 0, 0, 0.0);
            let record = HuntRecord { rules, window, covered_until, events, alerts, seconds };
            Value::Object(record.document(&ExecutionContext { uuid: "u", now: 0 }))
        };
        let records = [
            record(&["a"], "2026-01-03T00:00:00Z"),
            record(&["a", "b"], "2026-01-02T12:00:00Z"),
            json!({"maxspan.execution.kind": "rule", "kibana.alert.rule.rule_id": "c"}),
            json!({"maxspan.hunt.rules": ["c"]}),
            json!([]),
        ];
        let text: String = records.iter().map(|record| format!("{record}\n")).collect();
        let bytes = std::io::Cursor::new(text);
        let covered = Covered::read(&mut Reader::of_bytes("records", bytes, InputOptions::default()));
        let check = |rules: &[&str], until: Option<&str>, without: u64| {
            assert_eq!(
                covered.until(rules.iter().copied()),
                (until.and_then(date::parse), without),
                "{rules:?}"
            );
        };
        assert_eq!(covered.others, 1);
        check(&["a"], Some("2026-01-03T00:00:00Z"), 0);
        check(&["a", "b", "c"], Some("2026-01-02T12:00:00Z"), 1);
        check(&["c"], None, 1);
        check(&[], None, 0);
    }
}
