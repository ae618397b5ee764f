//! One event in the light of a plan of indicators: the values by which it is joined, as an event and as an indicator.
//!
//! What is found is told as steps, so that it goes the way of all matches: the number of a step says what its keys are
//! ([`Part`]). A pair of fields holds where the two have a value in common and one side has no other: Kibana searches
//! with the value of the side that is fewer, and only where that is one (specification 5.3). A tuple of such values
//! *leads*.

use maxspan_event::{Slot, Slots, ValueRef, date, parse_ip, wildcard};
use maxspan_plan::indicators::{EVENTS, INDICATORS};
use maxspan_plan::{Environment, Indicators, JoinForm, MappingEntry, MappingGroup, RunBound};

use crate::key::{KeyStyle, KeyTuple, KeyValue, tuples};
use crate::limits::KEY_TUPLES_PER_EVENT_MAX;
use crate::matcher::{MatchBody, MatchCounters, StepMatch};

/// What the keys of a step are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// The event's values for a group's pairs.
    Event {
        /// The group.
        group: usize,
        /// Whether they lead.
        leads: bool,
    },
    /// The event's values for a negated pair.
    EventNegated {
        /// The group.
        group: usize,
        /// The pair's place in it.
        entry: usize,
    },
    /// The first moment of a run that takes the indicator, and its time for each bound of the plan.
    Times,
    /// The indicator's values for the pairs of a class of groups.
    Indicator {
        /// The class.
        class: usize,
        /// Whether they lead.
        leads: bool,
    },
    /// The indicator's values for a negated pair.
    IndicatorNegated {
        /// The group.
        group: usize,
        /// The pair's place in it.
        entry: usize,
    },
}

const ENTRY_BITS: u32 = 10;
const GROUP_BITS: u32 = 14;
const KIND_SHIFT: u32 = ENTRY_BITS + GROUP_BITS;

impl Part {
    /// The number of the step. Plans have no more groups and entries than fit.
    fn step(self) -> usize {
        let (kind, group, entry) = match self {
            Self::Event { group, leads } => (0, group, usize::from(leads)),
            Self::EventNegated { group, entry } => (1, group, entry),
            Self::Times => (2, 0, 0),
            Self::Indicator { class, leads } => (3, class, usize::from(leads)),
            Self::IndicatorNegated { group, entry } => (4, group, entry),
        };
        kind << KIND_SHIFT | group << ENTRY_BITS | entry
    }

    /// What a number stands for.
    pub(crate) fn of(step: u32) -> Option<Self> {
        let group = (step >> ENTRY_BITS) as usize & ((1 << GROUP_BITS) - 1);
        let entry = step as usize & ((1 << ENTRY_BITS) - 1);
        Some(match step >> KIND_SHIFT {
            0 => Self::Event { group, leads: entry == 1 },
            1 => Self::EventNegated { group, entry },
            2 => Self::Times,
            3 => Self::Indicator { class: group, leads: entry == 1 },
            4 => Self::IndicatorNegated { group, entry },
            _ => return None,
        })
    }

    /// Whether it is about the event, not the indicator.
    fn is_of_event(self) -> bool {
        matches!(self, Self::Event { .. } | Self::EventNegated { .. })
    }
}

/// What an event is to a plan whose steps it satisfied; none where it has no values to be joined by.
pub(crate) fn body(
    plan: &Indicators,
    satisfied: &[StepMatch],
    slots: &Slots,
    counters: &mut MatchCounters,
) -> Option<MatchBody> {
    let is = |wanted: usize| satisfied.iter().any(|found| found.step == wanted);
    let mut reading = Reading { slots, counters, found: Vec::new() };
    if is(EVENTS) {
        reading.event(plan);
    }
    if is(INDICATORS) {
        reading.indicator(plan);
    }
    Some(reading.found).filter(|found| !found.is_empty()).map(MatchBody::Steps)
}

/// What a document is as an indicator, where the plan takes it as one.
pub(crate) fn indicator_body(
    plan: &Indicators,
    slots: &Slots,
    counters: &mut MatchCounters,
) -> Option<MatchBody> {
    let step = plan.steps.get(INDICATORS)?;
    if !step.predicate.holds(Environment::new(slots)) {
        return None;
    }
    body(plan, &[StepMatch { step: INDICATORS, keys: Vec::new() }], slots, counters)
}

/// Leaves the parts of the sides that count; false where nothing is left.
pub(crate) fn keep(body: &mut MatchBody, as_event: bool, as_indicator: bool) -> bool {
    let MatchBody::Steps(steps) = body else { return true };
    steps.retain(|one| {
        let part = Part::of(one.step as u32);
        part.is_some_and(|part| if part.is_of_event() { as_event } else { as_indicator })
    });
    !steps.is_empty()
}

struct Reading<'a> {
    slots: &'a Slots,
    counters: &'a mut MatchCounters,
    found: Vec<StepMatch>,
}

impl Reading<'_> {
    fn event(&mut self, plan: &Indicators) {
        for (number, group) in plan.groups.iter().enumerate() {
            let found = self.pairs(group, |entry| entry.event, |leads| Part::Event { group: number, leads });
            if found {
                let part = |entry| Part::EventNegated { group: number, entry };
                self.negated(group, |entry| entry.event, part);
            }
        }
    }

    fn indicator(&mut self, plan: &Indicators) {
        let before = self.found.len();
        let Some(times) = self.times(&plan.bounds) else { return };
        self.put(Part::Times, vec![times]);
        let mut any = false;
        for (class, group) in plan.classes() {
            any |= self.pairs(group, |entry| entry.indicator, |leads| Part::Indicator { class, leads });
        }
        if !any {
            return self.found.truncate(before);
        }
        for (number, group) in plan.groups.iter().enumerate() {
            let part = |entry| Part::IndicatorNegated { group: number, entry };
            self.negated(group, |entry| entry.indicator, part);
        }
    }

    /// The tuples of a group's pairs; false where one of the fields is missing.
    fn pairs(
        &mut self,
        group: &MappingGroup,
        slot: impl Fn(&MappingEntry) -> Slot,
        part: impl Fn(bool) -> Part,
    ) -> bool {
        let written: Vec<Vec<KeyValue>> =
            group.positive().map(|entry| self.values(slot(entry), entry.form)).collect();
        if written.iter().any(Vec::is_empty) {
            return false;
        }
        let first: KeyTuple = written.iter().map(|values| values[0].clone()).collect();
        let distinct: Vec<Vec<KeyValue>> = written.into_iter().map(distinct).collect();
        let leads = group.takes_first_value() || distinct.iter().all(|values| values.len() == 1);
        let (mut others, dropped) = tuples(&distinct, KEY_TUPLES_PER_EVENT_MAX);
        self.counters.keys_dropped += dropped;
        if leads {
            others.retain(|tuple| *tuple != first);
            self.put(part(true), vec![first]);
        }
        if !others.is_empty() {
            self.put(part(false), others);
        }
        true
    }

    /// The values of a group's negated pairs.
    fn negated(
        &mut self,
        group: &MappingGroup,
        slot: impl Fn(&MappingEntry) -> Slot,
        part: impl Fn(usize) -> Part,
    ) {
        for (place, entry) in group.negated() {
            let mut values = distinct(self.values(slot(entry), entry.form));
            self.counters.keys_dropped += values.len().saturating_sub(KEY_TUPLES_PER_EVENT_MAX) as u64;
            values.truncate(KEY_TUPLES_PER_EVENT_MAX);
            if !values.is_empty() {
                self.put(part(place), values.into_iter().map(|value| [value].into()).collect());
            }
        }
    }

    /// When runs take the indicator; none where it lacks a time that they ask for.
    fn times(&self, bounds: &[RunBound]) -> Option<KeyTuple> {
        let mut first = i64::MIN;
        let mut times = vec![KeyValue::Null];
        for bound in bounds {
            let dates = self.slots.values(bound.slot()).filter_map(|value| match value {
                ValueRef::Date(nanos) => Some(nanos),
                _ => None,
            });
            // Of several dates the one that satisfies the bound longest.
            let date = match bound {
                RunBound::Since { .. } => dates.max()?,
                RunBound::Until { .. } => dates.min()?,
            };
            first = first.max(bound.first_moment(date));
            times.push(KeyValue::Long(date));
        }
        times[0] = KeyValue::Long(first);
        Some(times.into())
    }

    /// The values of a field as they are compared, in the order in which they are written.
    fn values(&self, slot: Slot, form: JoinForm) -> Vec<KeyValue> {
        self.slots.values(slot).filter_map(|value| joined(value, form)).collect()
    }

    fn put(&mut self, part: Part, keys: Vec<KeyTuple>) {
        self.found.push(StepMatch { step: part.step(), keys });
    }
}

/// A value as it is compared.
fn joined(value: ValueRef<'_>, form: JoinForm) -> Option<KeyValue> {
    let value = match value {
        // Dates are equal to the millisecond.
        ValueRef::Date(nanos) => KeyValue::Text(date::format_millis(nanos).into()),
        other => KeyValue::from_value(other)?,
    };
    if form == JoinForm::Address
        && let KeyValue::Text(text) = &value
        && let Some(ip) = parse_ip(text)
    {
        return Some(KeyValue::Ip(ip));
    }
    if matches!(value, KeyValue::Ip(_)) {
        return Some(value);
    }
    let text = value.to_text(KeyStyle::Sequence)?;
    Some(match form {
        JoinForm::FoldedText => KeyValue::Text(wildcard::fold(&text).into()),
        JoinForm::Text | JoinForm::Address => KeyValue::Text(text.into()),
    })
}

fn distinct(mut values: Vec<KeyValue>) -> Vec<KeyValue> {
    values.sort_unstable();
    values.dedup();
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_steps_say_what_their_keys_are() {
        let most = (1 << GROUP_BITS) - 1;
        for part in [
            Part::Event { group: most, leads: true },
            Part::Event { group: 0, leads: false },
            Part::EventNegated { group: 3, entry: (1 << ENTRY_BITS) - 1 },
            Part::Times,
            Part::Indicator { class: 7, leads: true },
            Part::IndicatorNegated { group: most, entry: 0 },
        ] {
            assert_eq!(Part::of(part.step() as u32), Some(part));
        }
        assert_eq!(Part::of(u32::MAX), None);
    }
}
