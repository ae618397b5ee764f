//! The records of a hunt's executions, from its counters.

use std::collections::BTreeMap;
use std::time::Duration;

use maxspan_engine::{RuleId, RunFacts};
use maxspan_event::date;
use maxspan_plan::Windows;
use maxspan_rules::{RuleDocument, Runs};

use super::{HuntObserver, HuntStats, Run};
use crate::executions::{Execution, ExecutionContext, ExecutionKind, ExecutionStatus, HuntRecord};
use crate::limits::EXECUTIONS_MAX;
use crate::rows_runs::RowsRun;

/// How many alerts each run raised, by rule and run.
pub(super) type AlertsOfRuns = BTreeMap<(RuleId, i64), u64>;

/// Gives records out, as many as the limit allows.
struct Writer<'o> {
    observer: &'o mut dyn HuntObserver,
    written: u64,
    left_out: u64,
}

impl Writer<'_> {
    fn write(&mut self, rule: &RuleDocument, execution: &Execution, context: &ExecutionContext<'_>) {
        if !execution.says_something() {
            return;
        }
        if self.written < EXECUTIONS_MAX {
            self.written += 1;
            self.observer.execution(&execution.document(rule, context));
        } else {
            self.left_out += 1;
        }
    }
}

impl Run<'_> {
    /// Gives out the records of all rules, after all was accounted for.
    pub(super) fn write_executions(&mut self, alerts: &AlertsOfRuns, observer: &mut dyn HuntObserver) {
        let context = ExecutionContext { uuid: &self.options.execution_uuid, now: self.options.now };
        let mut writer = Writer { observer, written: 0, left_out: 0 };
        for (number, document) in self.rules.documents.iter().enumerate() {
            let id = RuleId(number as u32);
            let sums = match self.rules.rule_set.rule(id).plan.windows() {
                Some(windows) => self.runs_of(id, windows, alerts, &context, &mut writer),
                None => (0, 0),
            };
            writer.write(document, &self.of_rule(id, sums), &context);
        }
        let not_run = self.rules.not_run_documents.iter().zip(&self.rules.not_run);
        for (document, rule) in not_run {
            let reason = Some(rule.reason.clone());
            let execution = without_result(ExecutionStatus::NotRun, reason);
            writer.write(document, &execution, &context);
        }
        for document in &self.rules.failed_documents {
            let reason = Some("the rule cannot be used; `maxspan rules check` says why".to_owned());
            let execution = without_result(ExecutionStatus::Failed, reason);
            writer.write(document, &execution, &context);
        }
        writer.observer.execution(&self.of_hunt().document(&context));
        writer.written += 1;
        (self.stats.executions, self.stats.executions_left_out) = (writer.written, writer.left_out);
    }

    /// Gives out the records of a rule's runs: how many had events, and how many others there were between them, or between
    /// the ends of the hunt.
    fn runs_of(
        &self,
        id: RuleId,
        windows: Windows,
        alerts: &AlertsOfRuns,
        context: &ExecutionContext<'_>,
        writer: &mut Writer<'_>,
    ) -> (u64, u64) {
        let mut rows = self.kept.rows.log_of(id).iter().peekable();
        let (mut count, mut ends) = (0_u64, None);
        for facts in self.correlator.runs(id) {
            let RunFacts { run_ms, events, capped } = facts;
            count += 1;
            ends = Some((ends.map_or(run_ms, |(first, _)| first), run_ms));
            while rows.next_if(|one| one.run_ms < run_ms).is_some() {}
            let of_rows = rows.peek().filter(|one| one.run_ms == run_ms);
            let window = (Some(windows.from(run_ms)), Some(windows.to(run_ms)));
            let execution = Execution {
                events,
                capped: capped + of_rows.map_or(0, |one| one.capped),
                alerts: alerts.get(&(id, run_ms)).copied().unwrap_or(0),
                suppressed: self.kept.suppressing.folded_in(id, run_ms),
                took_ms: of_rows.map(|one| milliseconds(one.took)),
                warnings: of_rows.map(|one| one.warnings.clone()).unwrap_or_default(),
                error: of_rows.and_then(|one| one.error.clone()),
                ..Execution::new(ExecutionKind::Run(run_ms), window)
            };
            writer.write(self.rules.document(id), &execution.settled(), context);
        }
        let first = if self.has_start() { Some(windows.raising.0) } else { ends.map(|(first, _)| first) };
        let last = if self.has_end() { Some(windows.raising.1) } else { ends.map(|(_, last)| last) };
        let all = first
            .zip(last)
            .map_or(0, |(first, last)| (last.saturating_sub(first) / windows.interval_ms).max(0) as u64 + 1);
        (count, all.saturating_sub(count))
    }

    /// The record of a rule over the hunt.
    fn of_rule(&self, id: RuleId, (runs, runs_without_events): (u64, u64)) -> Execution {
        let rule_id = &self.rules.document(id).rule_id;
        let HuntStats { alerts_by_rule, alerts_capped_by_rule, suppressed_by_rule, .. } = &self.stats;
        let count = |counts: &BTreeMap<String, u64>| counts.get(rule_id).copied().unwrap_or(0);
        let costs = self.costs.rules.get(id.0 as usize).copied().unwrap_or_default();
        let rows: Duration = self.kept.rows.log_of(id).iter().map(|one: &RowsRun| one.took).sum();
        let kind = ExecutionKind::Rule { runs, runs_without_events };
        let times = self.rules.rule_set.rule(id).times;
        let end = |at: i64| (at != i64::MIN && at != i64::MAX).then(|| date::to_millis(at));
        Execution {
            events: costs.matches,
            alerts: count(alerts_by_rule),
            suppressed: count(suppressed_by_rule),
            capped: count(alerts_capped_by_rule),
            took_ms: Some(milliseconds(Duration::from_nanos(costs.nanoseconds) + rows)),
            warnings: self.warnings_of(rule_id),
            ..Execution::new(kind, (times.and_then(|(from, _)| end(from)), times.and_then(|(_, to)| end(to))))
        }
        .settled()
    }

    /// What a rule lost, or could not do.
    fn warnings_of(&self, rule_id: &str) -> Vec<String> {
        let stats = &self.stats;
        let counted = [
            (&stats.late_events_by_rule, "events too late to be put in order"),
            (&stats.evicted_by_rule, "pushed out by a limit on memory"),
            (&stats.enrichments_cut_by_rule, "alerts without all of their indicators"),
            (&stats.sequences_undecided_by_rule, "sequences undecided at the end of the window"),
        ];
        let counted =
            counted.iter().filter_map(|(counts, what)| Some(format!("{} {what}", counts.get(rule_id)?)));
        let without_anomalies = stats.rules_without_anomalies.contains(rule_id);
        let jobs = without_anomalies.then(|| "no results of its anomaly detection jobs".to_owned());
        let failed =
            stats.runs_failed_by_rule.get(rule_id).map(|why| format!("runs without a result: {why}"));
        let rows = stats.run_warnings_by_rule.get(rule_id).into_iter().flatten().cloned();
        counted.chain(jobs).chain(failed).chain(rows).collect()
    }

    /// The record of the hunt. What comes after its time may still come, whatever its window is; what is a single run covers
    /// nothing.
    fn of_hunt(&self) -> HuntRecord<'_> {
        let (from, to) = self.rules.window.unwrap_or((i64::MIN, i64::MAX));
        let ran = self.rules.documents.iter().filter(|_| self.rules.runs == Runs::Schedule);
        HuntRecord {
            rules: ran.map(|rule| &*rule.rule_id).collect(),
            window: ((from != i64::MIN).then_some(from), (to != i64::MAX).then_some(to)),
            covered_until: to.min(self.options.now),
            events: self.stats.events,
            alerts: self.stats.alerts,
            seconds: self.stats.seconds,
        }
    }

    fn has_start(&self) -> bool {
        self.rules.runs == Runs::Once || self.rules.window.is_some_and(|(from, _)| from != i64::MIN)
    }

    fn has_end(&self) -> bool {
        self.rules.runs == Runs::Once || self.rules.window.is_some_and(|(_, to)| to != i64::MAX)
    }
}

/// The record of a rule that did not run.
fn without_result(status: ExecutionStatus, error: Option<String>) -> Execution {
    let kind = ExecutionKind::Rule { runs: 0, runs_without_events: 0 };
    Execution { error, status, ..Execution::new(kind, (None, None)) }
}

fn milliseconds(took: Duration) -> f64 {
    took.as_secs_f64() * 1e3
}
