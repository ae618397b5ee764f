//! Which detections belong to the window of a hunt: those that became known in it. Sequences look back beyond its start,
//! so that one is found that ends in the window; those that ended before it belong to the hunt over what is before.

use maxspan_engine::{Detection, EventStore, SpillError};
use maxspan_event::{Slots, date};
use maxspan_plan::PlanKind;
use maxspan_rules::Runs;

use crate::rule_base::RuleBase;

/// The window of a hunt as detections see it.
#[derive(Debug)]
pub(crate) struct Span<'a> {
    rules: &'a RuleBase,
    /// The first instant; none where there is no start, or where each rule has one of its own.
    from: Option<i64>,
    slots: Slots,
}

impl<'a> Span<'a> {
    pub(crate) fn new(rules: &'a RuleBase) -> Self {
        let from = rules.window.map(|(from, _)| from).filter(|_| rules.runs == Runs::Schedule);
        Self { rules, from, slots: Slots::default() }
    }

    /// Whether a detection became known in the window. What goes by runs was asked already.
    pub(crate) fn contains(
        &mut self,
        events: &EventStore,
        detection: &Detection,
    ) -> Result<bool, SpillError> {
        let Some(from) = self.from else { return Ok(true) };
        let rule = self.rules.rule_set.rule(detection.rule);
        match &rule.plan.kind {
            PlanKind::Events(_) => Ok(detection.time.is_none_or(|at| at >= from)),
            PlanKind::Sequence(_) => {
                let known = detection.known_ms.map(date::from_millis).max(detection.time);
                Ok(known.is_none_or(|at| at >= from)
                    || self.some_event_came_since(from, events, detection)?)
            }
            PlanKind::Sample(_) | PlanKind::Grouped(_) | PlanKind::Indicators(_) => Ok(true),
        }
    }

    /// Whether an event that is not the last one came late, by the rule's primary timestamp.
    fn some_event_came_since(
        &mut self,
        from: i64,
        events: &EventStore,
        detection: &Detection,
    ) -> Result<bool, SpillError> {
        let rule = self.rules.rule_set.rule(detection.rule);
        if rule.primary == [rule.timestamp] {
            return Ok(false);
        }
        for event in detection.present() {
            let source = events.source(event)?;
            let time = self.rules.rule_set.primary_time(detection.rule, &source, &mut self.slots);
            if time.is_some_and(|at| at >= from) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
