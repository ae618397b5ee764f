//! Events that have the values of indicators, over the windows of a schedule. Indicators are documents of the same input.

use maxspan_event::date::{self, DateFormat};
use maxspan_event::index::IndexPatterns;
use maxspan_event::{FieldType, Slot};

use crate::grouped::Windows;
use crate::predicate::{RangeOp, TestKind};
use crate::stream::Step;

/// Which events are found by which indicators, in which runs of a schedule.
#[derive(Debug, Clone)]
pub struct Indicators {
    /// First the events that are looked at, then the documents that are indicators; without keys.
    pub steps: Vec<Step>,
    /// Where indicators are.
    pub indices: IndexPatterns,
    /// The alternatives that join an event with an indicator.
    pub groups: Vec<MappingGroup>,
    /// Which indicators a run takes, by their time.
    pub bounds: Vec<RunBound>,
    /// What a run looks at.
    pub windows: Windows,
}

/// The step of the events.
pub const EVENTS: usize = 0;
/// The step of the indicators.
pub const INDICATORS: usize = 1;

/// Pairs of fields that must hold together.
#[derive(Debug, Clone)]
pub struct MappingGroup {
    /// The pairs; at least one is not negated.
    pub entries: Vec<MappingEntry>,
    /// The first group that asks indicators for the same fields in the same way.
    pub class: usize,
}

/// A field of the event and a field of the indicator that must have a value in common; negated, that must not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MappingEntry {
    /// Field of the event.
    pub event: Slot,
    /// Field of the indicator.
    pub indicator: Slot,
    /// How values are compared.
    pub form: JoinForm,
    /// Of several values of a field the first one can stand for all.
    pub exact: bool,
    /// They must have no value in common.
    pub negated: bool,
}

/// How values of two fields are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JoinForm {
    /// As texts.
    Text,
    /// As texts in lower case, since one of the fields is normalised so.
    FoldedText,
    /// As addresses, where they are some.
    Address,
}

impl JoinForm {
    /// How values of fields of these types are compared.
    pub fn of(types: [FieldType; 2], lowercase: bool) -> Self {
        match (types.contains(&FieldType::Ip), lowercase) {
            (true, _) => Self::Address,
            (false, true) => Self::FoldedText,
            (false, false) => Self::Text,
        }
    }
}

impl Indicators {
    /// Alternatives of entries as groups that know their class.
    pub fn groups(alternatives: impl IntoIterator<Item = Vec<MappingEntry>>) -> Vec<MappingGroup> {
        let mut groups: Vec<MappingGroup> = Vec::new();
        for entries in alternatives {
            let group = MappingGroup { entries, class: groups.len() };
            let same = groups.iter().position(|other| other.asked() == group.asked());
            groups.push(MappingGroup { class: same.unwrap_or(group.class), ..group });
        }
        groups
    }

    /// The classes, each by its number and the group that shows what it asks for.
    pub fn classes(&self) -> impl Iterator<Item = (usize, &MappingGroup)> {
        self.groups.iter().enumerate().filter(|(number, group)| group.class == *number)
    }

    /// Whether some entry is negated.
    pub fn has_negated(&self) -> bool {
        self.groups.iter().any(|group| group.negated().next().is_some())
    }
}

impl MappingGroup {
    /// The entries whose fields must have a value in common.
    pub fn positive(&self) -> impl Iterator<Item = &MappingEntry> {
        self.entries.iter().filter(|entry| !entry.negated)
    }

    /// The others, each with its place in the group.
    pub fn negated(&self) -> impl Iterator<Item = (usize, &MappingEntry)> {
        self.entries.iter().enumerate().filter(|(_, entry)| entry.negated)
    }

    /// What indicators are asked for, and how.
    fn asked(&self) -> (bool, Vec<(Slot, JoinForm)>) {
        let fields = self.positive().map(|entry| (entry.indicator, entry.form));
        (self.takes_first_value(), fields.collect())
    }

    /// Whether the first of several values stands for all: a single pair of exact fields.
    pub fn takes_first_value(&self) -> bool {
        matches!(self.entries.as_slice(), [entry] if entry.exact)
    }
}

/// A limit on the time of indicators that moves with the runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunBound {
    /// From a moment on. What an earlier run does not take, no later run takes.
    Since {
        /// The indicator's field.
        slot: Slot,
        /// Its type: a date's precision is the millisecond.
        kind: FieldType,
        /// Later than the moment only.
        after: bool,
        /// Date math from the run, `now-30d/d`.
        moment: String,
    },
    /// Up to a moment. What an earlier run takes, a later one takes too.
    Until {
        /// The indicator's field.
        slot: Slot,
        /// Before the moment only.
        before: bool,
        /// The moment, in milliseconds from the run.
        offset_ms: i64,
    },
}

impl RunBound {
    /// The indicator's field.
    pub fn slot(&self) -> Slot {
        match self {
            Self::Since { slot, .. } | Self::Until { slot, .. } => *slot,
        }
    }

    /// The earliest time, in nanoseconds, that a run takes; none where it takes none. Without a limit to the past, all.
    pub fn earliest(&self, run_ms: i64) -> Option<i64> {
        let Self::Since { kind, after, moment, .. } = self else { return Some(i64::MIN) };
        let nanos = date::parse_bound(moment, &DateFormat::default(), date::from_millis(run_ms), *after)?;
        let op = if *after { RangeOp::Greater } else { RangeOp::GreaterOrEqual };
        match TestKind::instant(op, nanos, *kind) {
            TestKind::Between(from, _) => Some(from),
            _ => None,
        }
    }

    /// The first moment, in milliseconds, at which a run takes an indicator of that time. Without a limit to the future,
    /// any.
    pub fn first_moment(&self, nanos: i64) -> i64 {
        let Self::Until { before, offset_ms, .. } = self else { return i64::MIN };
        date::to_millis(nanos).saturating_sub(*offset_ms).saturating_add(i64::from(*before))
    }
}

#[cfg(test)]
mod tests {
    use maxspan_event::{Field, Fields};

    use super::*;

    fn slot(name: &str) -> Slot {
        Fields::default().slot(&Field::new(name, FieldType::Date))
    }

    #[test]
    fn bounds_move_with_the_runs() {
        let run = date::to_millis(date::parse("2026-03-31T10:30:00Z").unwrap());
        let check = |moment: &str, after: bool, expected: &str| {
            let (slot, moment) = (slot("@timestamp"), moment.to_owned());
            let bound = RunBound::Since { slot, kind: FieldType::Date, after, moment: moment.clone() };
            assert_eq!(bound.earliest(run), date::parse(expected), "{moment} {after}");
        };
        check("now-30d/d", false, "2026-03-01T00:00:00Z");
        check("now-30d/d", true, "2026-03-02T00:00:00Z");
        check("now-1h", false, "2026-03-31T09:30:00Z");
        check("now-1h", true, "2026-03-31T09:30:00.001Z");
        check("now-1M/d", false, "2026-02-28T00:00:00Z");
    }

    #[test]
    fn what_is_not_yet_there_comes_with_a_later_run() {
        let check = |before: bool, offset_ms: i64, expected: i64| {
            let bound = RunBound::Until { slot: slot("@timestamp"), before, offset_ms };
            assert_eq!(bound.first_moment(date::from_millis(1_000)), expected, "{before} {offset_ms}");
        };
        check(false, 0, 1_000);
        check(true, 0, 1_001);
        check(false, 600, 400);
        check(false, -600, 1_600);
    }

    #[test]
    fn groups_that_ask_indicators_for_the_same_are_one_class() {
        let mut fields = Fields::default();
        let mut entry = |event: &str, indicator: &str, negated: bool| MappingEntry {
            event: fields.slot(&Field::new(event, FieldType::Keyword)),
            indicator: fields.slot(&Field::new(indicator, FieldType::Keyword)),
            form: JoinForm::Text,
            exact: true,
            negated,
        };
        let groups = Indicators::groups([
            vec![entry("a", "x", false)],
            vec![entry("b", "y", false)],
            vec![entry("c", "x", false)],
            vec![entry("c", "x", false), entry("d", "z", true)],
        ]);
        assert_eq!(groups.iter().map(|group| group.class).collect::<Vec<_>>(), [0, 1, 0, 3]);
        assert_eq!(
            groups.iter().map(MappingGroup::takes_first_value).collect::<Vec<_>>(),
            [true, true, true, false]
        );
    }
}
