//! Machine learning rules: the records that anomaly detection jobs left, from a score on (specification 5.5).
//!
//! Jobs do not run here. Their results are documents of the input like any others.

use maxspan_event::{Field, FieldType, Slot, Value};
use maxspan_plan::{Plan, PlanKind, Predicate, RangeOp, TestKind, ValueSet};

use super::Compilation;
use crate::document::{MachineLearningParams, RuleParams};

/// Where jobs leave their results.
pub const ANOMALY_INDICES: &str = ".ml-anomalies-*";
/// The time of a result.
pub(super) const TIMESTAMP: &str = "timestamp";
/// How unusual a record is, from 0 to 100.
const SCORE: &str = "record_score";
/// The job that left a result.
const JOB: &str = "job_id";

impl Compilation<'_> {
    /// The records that the rule is about; none for other rule types.
    pub(super) fn anomalies(&mut self) -> Option<Plan> {
        let RuleParams::MachineLearning(params) = &self.rule.params else { return None };
        let jobs: Vec<Value> = params.jobs().map(Value::text).collect();
        let is = |value: Value| TestKind::OneOf(ValueSet::new([value], false));
        let mut conditions = vec![
            Predicate::test(self.result_slot("result_type", FieldType::Keyword), is(Value::text("record"))),
            Predicate::test(self.result_slot("is_interim", FieldType::Boolean), is(Value::Boolean(false))),
        ];
        let job = self.job();
        let least = Value::Double(f64::from(params.anomaly_threshold));
        let score = TestKind::Compare(RangeOp::GreaterOrEqual, least);
        conditions.push(Predicate::test(self.score(), score));
        if !jobs.is_empty() {
            let one_of = TestKind::OneOf(ValueSet::new(jobs, false));
            conditions.push(Predicate::test(job, one_of));
        }
        Some(Plan::new(PlanKind::Events(Predicate::and(conditions))))
    }

    /// What the cap keeps the highest of.
    pub(super) fn score(&mut self) -> Slot {
        self.result_slot(SCORE, FieldType::Double)
    }

    /// The job of a result, which is noted so that it can be told which jobs left nothing.
    pub(super) fn job(&mut self) -> Slot {
        self.result_slot(JOB, FieldType::Keyword)
    }

    /// A field of results, which no schema of events knows.
    fn result_slot(&mut self, name: &str, kind: FieldType) -> Slot {
        self.builder.fields.slot(&Field::new(name, kind))
    }
}

/// The conditions of [`Compilation::anomalies`] as KQL, to show and explain them.
pub(super) fn as_query(params: &MachineLearningParams) -> String {
    let mut query =
        format!("result_type: record and is_interim: false and {SCORE} >= {}", params.anomaly_threshold);
    let quoted = |job: &str| format!("\"{}\"", job.replace('\\', "\\\\").replace('"', "\\\""));
    let jobs: Vec<String> = params.jobs().map(quoted).collect();
    if !jobs.is_empty() {
        query.push_str(&format!(" and {JOB}: ({})", jobs.join(" or ")));
    }
    query
}

impl MachineLearningParams {
    /// The jobs whose records count; none where all do.
    pub fn jobs(&self) -> impl Iterator<Item = &str> {
        let all = self.machine_learning_job_id.iter().any(|job| job == "*");
        self.machine_learning_job_id.iter().map(String::as_str).filter(move |job| !all && !job.is_empty())
    }
}
