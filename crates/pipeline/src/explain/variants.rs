//! Relaxed variants of a sequence or sample, which run beside it to find what nearly is one.
//!
//! A variant leaves out one demand or several: `maxspan`, `until`, missing events, a join key, the order.

use maxspan_plan::{Plan, PlanKind, Predicate, Sample, Sequence, Step, TestKind};

/// A relaxed variant of a plan.
#[derive(Debug)]
pub(super) struct Variant {
    pub(super) kind: PlanKind,
    /// For each step that needs an event, the step of the rule.
    pub(super) steps: Vec<usize>,
}

/// The relaxed variants of a sequence or sample, the strictest first; none for an event query.
pub(super) fn variants(plan: &Plan) -> Vec<Variant> {
    match &plan.kind {
        PlanKind::Events(_) | PlanKind::Grouped(_) | PlanKind::Indicators(_) => Vec::new(),
        PlanKind::Sequence(sequence) => sequence_variants(sequence),
        PlanKind::Sample(sample) => {
            let all: Vec<usize> = (0..sample.steps.len()).collect();
            let keys = sample.steps.first().map_or(0, |step| step.keys.len());
            let without = |key: DroppedKey| Variant {
                kind: PlanKind::Sample(Sample { steps: without_key(&sample.steps, Some(key)) }),
                steps: all.clone(),
            };
            (0..keys).map(DroppedKey::At).chain([DroppedKey::All]).map(without).collect()
        }
    }
}

/// What a variant leaves out.
#[derive(Debug, Clone, Copy, Default)]
struct Without {
    maxspan: bool,
    until: bool,
    missing: bool,
    /// One join key, by its place, or all.
    key: Option<DroppedKey>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DroppedKey {
    At(usize),
    All,
}

impl DroppedKey {
    fn is(self, place: usize) -> bool {
        self == Self::All || self == Self::At(place)
    }
}

fn sequence_variants(sequence: &Sequence) -> Vec<Variant> {
    let keys = sequence.steps.first().map_or(0, |step| step.keys.len());
    let nothing = Without::default();
    let all_but_keys = Without { maxspan: true, until: true, missing: true, key: None };
    let mut wanted = Vec::new();
    if sequence.maxspan_ms.is_some() && !has_missing_ends(sequence) {
        wanted.push(Without { maxspan: true, ..nothing });
    }
    if sequence.until.is_some() {
        wanted.push(Without { until: true, ..nothing });
    }
    if sequence.steps.iter().any(|step| step.missing) {
        wanted.push(Without { missing: true, ..nothing });
    }
    wanted.push(all_but_keys);
    for key in (0..keys).map(DroppedKey::At) {
        wanted.push(Without { key: Some(key), ..nothing });
        wanted.push(Without { key: Some(key), ..all_but_keys });
    }
    wanted.push(Without { key: Some(DroppedKey::All), ..all_but_keys });
    let mut out: Vec<Variant> = wanted.into_iter().map(|without| relaxed(sequence, without)).collect();
    let needed = needed(&sequence.steps);
    let steps: Vec<Step> = needed.iter().map(|index| sequence.steps[*index].clone()).collect();
    // Samples do not ask for an order.
    for key in [None, Some(DroppedKey::All)] {
        let kind = PlanKind::Sample(Sample { steps: without_key(&steps, key) });
        out.push(Variant { kind, steps: needed.clone() });
    }
    out
}

/// Missing events at the ends need a maxspan.
fn has_missing_ends(sequence: &Sequence) -> bool {
    let ends = [sequence.steps.first(), sequence.steps.last()];
    ends.into_iter().flatten().any(|step| step.missing)
}

fn needed(steps: &[Step]) -> Vec<usize> {
    steps.iter().enumerate().filter(|(_, step)| !step.missing).map(|(index, _)| index).collect()
}

fn relaxed(sequence: &Sequence, without: Without) -> Variant {
    let kept: Vec<Step> =
        sequence.steps.iter().filter(|step| !(without.missing && step.missing)).cloned().collect();
    let until = sequence.until.as_ref().filter(|_| !without.until);
    let kind = PlanKind::Sequence(Sequence {
        steps: without_key(&kept, without.key),
        maxspan_ms: sequence.maxspan_ms.filter(|_| !without.maxspan),
        until: until.map(|step| keyed(step, without.key)),
    });
    Variant { kind, steps: needed(&sequence.steps) }
}

fn without_key(steps: &[Step], dropped: Option<DroppedKey>) -> Vec<Step> {
    steps.iter().map(|step| keyed(step, dropped)).collect()
}

/// The step without the key.
fn keyed(step: &Step, dropped: Option<DroppedKey>) -> Step {
    let is_dropped = |place: usize| dropped.is_some_and(|key| key.is(place));
    let (gone, kept): (Vec<_>, Vec<_>) =
        step.keys.iter().enumerate().partition(|(place, _)| is_dropped(*place));
    // An event that lacks a key takes no part in the rule, nor in what is nearly one of its sequences.
    let needed = gone.iter().filter(|(_, key)| !key.optional);
    let present = needed.map(|(_, key)| Predicate::test(key.slot, TestKind::Exists));
    let predicate = Predicate::and(std::iter::once(step.predicate.clone()).chain(present));
    Step { predicate, keys: kept.into_iter().map(|(_, key)| *key).collect(), ..step.clone() }
}
