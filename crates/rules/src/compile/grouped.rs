//! Rules that go by the windows of their schedule: thresholds and new terms by the values of fields, ES|QL by itself.

use maxspan_plan::{GroupTest, Grouped, Key, Plan, PlanKind, Step};

use super::Compilation;
use crate::document::RuleParams;
use crate::schedule::DateMath;

impl Compilation<'_> {
    /// Why the runs of the rule cannot be replayed, and the field that says so.
    pub(super) fn not_replayed(&self) -> Option<(&'static str, String)> {
        let schedule = &self.rule.schedule;
        let history = match &self.rule.params {
            RuleParams::NewTerms(params) => Some(("history_window_start", &params.history_window_start)),
            _ => None,
        };
        let texts: [Option<(&'static str, &DateMath)>; 3] =
            [Some(("from", &schedule.from)), Some(("to", &schedule.to)), history];
        let rounded = texts.into_iter().flatten().find(|(_, math)| math.rounding_ms > 0);
        rounded.map(|(field, math)| {
            (field, format!("runs with the rounded time `{}` are not replayed yet", math.text))
        })
    }

    /// The plan over the windows of the schedule, for the rule types that go by them.
    pub(super) fn grouped(&mut self, plan: Plan) -> Plan {
        let (fields, values, test) = match &self.rule.params {
            RuleParams::Threshold(params) => {
                let values = params.threshold.cardinality.first();
                let (events, different) = (params.threshold.value, values.map(|values| values.value));
                let test = GroupTest::Count { events, values: different };
                (params.threshold.field.clone(), values.map(|values| values.field.clone()), test)
            }
            RuleParams::NewTerms(params) => {
                let test = GroupTest::New { history_ms: params.history_window_start.offset_ms };
                (params.fields.clone(), None, test)
            }
            RuleParams::Esql => (Vec::new(), None, GroupTest::All),
            _ => return plan,
        };
        let PlanKind::Events(predicate) = plan.kind else { return plan };
        let mut step = |fields: Vec<String>| {
            let key = |name: &String| Key { slot: self.builder.slot(name), optional: false };
            let keys = fields.iter().map(key).collect();
            Step { predicate: predicate.clone(), missing: false, keys }
        };
        let steps = [Some(fields), values.map(|field| vec![field])];
        let steps = steps.into_iter().flatten().map(&mut step).collect();
        let windows = self.windows();
        Plan { kind: PlanKind::Grouped(Grouped { steps, windows, test }), ..plan }
    }
}
