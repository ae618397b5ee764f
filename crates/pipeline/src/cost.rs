//! How rules are found, and what they cost: what `rules explain` says, as data.

use std::collections::BTreeMap;

pub use maxspan_engine::NoAnchor;
use maxspan_engine::{RuleId, Share, UnitReport};
use serde::Serialize;

use crate::hunt::RuleStats;
use crate::profile::HuntCosts;
use crate::rule_base::RuleBase;

/// How a rule is found and what it costs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RuleCost {
    /// The rule's id.
    pub rule_id: String,
    /// Its name.
    pub name: String,
    /// Whether every event of its index and class is evaluated.
    pub always: bool,
    /// What it is thought to cost for an event, beside one plain comparison.
    pub estimate: f64,
    /// What it cost in a hunt.
    pub measured: Option<MeasuredCost>,
    /// Its event query, or its steps.
    pub units: Vec<UnitCost>,
}

/// What a rule cost in a hunt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct MeasuredCost {
    /// The events of the hunt.
    pub events: u64,
    /// What the rule cost; zeros where it was never evaluated.
    #[serde(flatten)]
    pub rule: RuleStats,
}

/// How an event query or a step is found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UnitCost {
    /// The number of the step, from 1; none for an event query, `until`, and a rule with lineage queries.
    pub step: Option<usize>,
    /// Whether it is the `until` of a sequence.
    pub until: bool,
    /// By field of the gate, values of which an event must have one, in lower case.
    pub gate: BTreeMap<&'static str, Vec<String>>,
    /// The share of events that the gate lets through.
    pub gate_share: ShareOfEvents,
    /// What an event must have one of; null where there is no anchor.
    pub anchor: Option<Vec<String>>,
    /// Why there is no anchor.
    pub no_anchor: Option<&'static str>,
    /// The share of events that the anchor lets through.
    pub anchor_share: ShareOfEvents,
    /// The share of events that are evaluated.
    pub share: ShareOfEvents,
    /// Whether nothing satisfies it.
    pub impossible: bool,
    /// What evaluating it costs beside one plain comparison.
    pub weight: u32,
    /// The same as `no_anchor`.
    #[serde(skip)]
    pub reason: Option<NoAnchor>,
}

/// A share of events, from 0 to 1, at most.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ShareOfEvents {
    /// The share.
    pub value: f64,
    /// Whether it was measured; else it is a guess.
    pub measured: bool,
}

impl From<Share> for ShareOfEvents {
    fn from(Share { value, measured }: Share) -> Self {
        Self { value, measured }
    }
}

/// How one rule is found, with what it cost in a hunt.
pub fn rule_cost(rules: &RuleBase, rule: RuleId, costs: Option<&HuntCosts>) -> RuleCost {
    let document = rules.document(rule);
    let steps = rules.rule_set.rule(rule).plan.steps().len();
    let reports = rules.rule_set.prefilter_report(rule);
    let has_until = match &rules.rule_set.rule(rule).plan.kind {
        maxspan_plan::PlanKind::Sequence(sequence) => sequence.until.is_some(),
        _ => false,
    };
    let always = reports.iter().any(|report| report.always);
    let units: Vec<UnitCost> =
        reports.into_iter().map(|report| unit_cost(report, has_until.then(|| steps - 1))).collect();
    RuleCost {
        rule_id: document.rule_id.clone(),
        name: document.name.clone(),
        always,
        estimate: units.iter().map(UnitCost::estimate).sum(),
        measured: costs.map(|costs| MeasuredCost {
            events: costs.events,
            rule: costs.prefilter.rules.get(&document.rule_id).copied().unwrap_or_default(),
        }),
        units,
    }
}

/// The rules that cost most: as measured where that is known, else as estimated; at most `count`.
pub fn worst(rules: &RuleBase, costs: Option<&HuntCosts>, count: usize) -> Vec<RuleCost> {
    let mut all: Vec<RuleCost> =
        rules.rule_set.rules().map(|(rule, _)| rule_cost(rules, rule, costs)).collect();
    let measured = |rule: &RuleCost| {
        rule.measured.map_or((0, 0), |measured| (measured.rule.nanoseconds, measured.rule.candidates))
    };
    all.retain(|rule| rule.measured.is_none_or(|measured| measured.rule.candidates > 0));
    all.sort_by(|a, b| {
        let by_cost = measured(b).cmp(&measured(a)).then(b.estimate.total_cmp(&a.estimate));
        by_cost.then_with(|| a.rule_id.cmp(&b.rule_id))
    });
    all.truncate(count);
    all
}

fn unit_cost(report: UnitReport, until: Option<usize>) -> UnitCost {
    let (share, impossible) = (report.share().into(), report.is_impossible());
    let is_until = report.step.is_some() && report.step == until;
    let reason = report.anchor.as_ref().err().copied();
    UnitCost {
        step: report.step.filter(|_| !is_until).map(|step| step + 1),
        until: is_until,
        gate: report.gate.into_iter().collect(),
        gate_share: report.gate_share.into(),
        anchor: report.anchor.ok(),
        no_anchor: reason.map(NoAnchor::name),
        anchor_share: report.anchor_share.into(),
        share,
        impossible,
        weight: report.weight,
        reason,
    }
}

impl UnitCost {
    fn estimate(&self) -> f64 {
        if self.impossible { 0.0 } else { self.share.value * f64::from(self.weight.max(1)) }
    }
}
