//! Sequences: one partial in flight per key and stage.
//!
//! A match for stage k takes the partial that waits at stage k − 1 and moves it; the slot empties. A newer partial that
//! arrives in an occupied slot replaces the older one. Later stages are tried before earlier ones for the same event,
//! so one event can extend a partial and start another but never fills two stages of one.
//!
//! Missing events: one between two stages kills the candidate when its later stage comes. A leading one kills within
//! maxspan before the last event, a trailing one within maxspan after the first; with both, only a pair of them that
//! lies within maxspan kills. What has trailing stages waits until maxspan has passed in event time.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use maxspan_event::{Event, date};
use maxspan_plan::Sequence;
use rustc_hash::FxHashMap;

use super::RuleCounters;
use crate::detection::{Detection, DetectionOrder};
use crate::key::KeyTuple;
use crate::matcher::{Match, StepMatch};
use crate::ruleset::RuleId;

/// A place in the order of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Moment {
    position: u64,
    /// Milliseconds since 1970, the precision of Elasticsearch's dates.
    millis: i64,
}

/// What a step of the plan is to the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// A stage that needs an event; its number among those.
    Stage(usize),
    /// Must be missing before this stage (0: leading; the number of stages: trailing).
    MissingBefore(usize),
    Until,
}

/// A sequence on its way.
#[derive(Debug)]
struct Partial {
    first: Moment,
    last: Moment,
    events: Vec<Arc<Event>>,
}

/// A full sequence; it may still wait for trailing missing events.
#[derive(Debug)]
struct Full {
    partial: Partial,
    primary_time: Option<i64>,
    order: DetectionOrder,
}

#[derive(Debug, Default)]
struct KeyState {
    /// At index k, the partial whose last event is of stage k.
    slots: Vec<Option<Partial>>,
    /// At index k, events that must be missing before stage k.
    missing: Vec<VecDeque<Moment>>,
    pending: VecDeque<Full>,
    touched: Option<Moment>,
}

/// The state of one rule.
#[derive(Debug)]
pub(super) struct SequenceState {
    roles: Vec<Role>,
    stages: usize,
    maxspan_ms: Option<i64>,
    waits: bool,
    keys: FxHashMap<KeyTuple, KeyState>,
    keys_max: usize,
    position: u64,
    now: Option<Moment>,
    complete: Vec<(KeyTuple, Full)>,
    /// Keys with pending sequences, by the end of their window.
    due: BTreeSet<(i64, u64, KeyTuple)>,
}

impl SequenceState {
    pub(super) fn new(sequence: &Sequence, keys_max: usize) -> Self {
        let mut stages = 0;
        let mut roles = Vec::new();
        for step in &sequence.steps {
            roles.push(if step.missing { Role::MissingBefore(stages) } else { Role::Stage(stages) });
            stages += usize::from(!step.missing);
        }
        let waits = roles.last() == Some(&Role::MissingBefore(stages));
        roles.extend(sequence.until.iter().map(|_| Role::Until));
        Self {
            roles,
            stages,
            maxspan_ms: sequence.maxspan_ms,
            waits,
            keys: FxHashMap::default(),
            keys_max,
            position: 0,
            now: None,
            complete: Vec::new(),
            due: BTreeSet::new(),
        }
    }

    /// Takes the next event in order.
    pub(super) fn push(
        &mut self,
        found: &Match,
        steps: &[StepMatch],
        order: &DetectionOrder,
        counters: &mut RuleCounters,
        out: &mut Vec<Detection>,
    ) {
        self.position += 1;
        let now = Moment { position: self.position, millis: found.time.map_or(i64::MIN, date::to_millis) };
        self.now = Some(now);
        // What waits is decided before the moments that it needs are forgotten.
        self.settle_due(now.millis);
        // Later stages first; `until` ends what is left after that.
        for step in steps.iter().rev() {
            if let Role::Stage(stage) = self.roles[step.step] {
                step.keys.iter().for_each(|key| self.stage(stage, key, now, found, order));
            }
        }
        for step in steps {
            match self.roles[step.step] {
                Role::Stage(_) => {}
                Role::MissingBefore(stage) => step.keys.iter().for_each(|key| self.missing(stage, key, now)),
                Role::Until => step.keys.iter().for_each(|key| self.until(key)),
            }
        }
        if self.keys.len() > self.keys_max {
            self.expire(counters);
        }
        self.emit(found.rule, out);
    }

    fn state(&mut self, key: &KeyTuple, now: Moment) -> &mut KeyState {
        let stages = self.stages;
        let state = self.keys.entry(key.clone()).or_default();
        if state.slots.is_empty() {
            state.slots.resize_with(stages, || None);
            state.missing.resize_with(stages + 1, VecDeque::new);
        }
        state.touched = Some(now);
        state
    }

    fn stage(&mut self, stage: usize, key: &KeyTuple, now: Moment, found: &Match, order: &DetectionOrder) {
        let (stages, maxspan_ms) = (self.stages, self.maxspan_ms);
        let partial = if stage == 0 {
            let _ = self.state(key, now);
            Partial { first: now, last: now, events: vec![Arc::clone(&found.event)] }
        } else {
            let Some(state) = self.keys.get_mut(key) else { return };
            let Some(mut partial) = state.slots[stage - 1].take() else { return };
            state.touched = Some(now);
            let too_long =
                maxspan_ms.is_some_and(|span| now.millis.saturating_sub(partial.first.millis) > span);
            // Moments are in order and before now, so the last one tells.
            let between = state.missing[stage].back().is_some_and(|moment| *moment > partial.last);
            if too_long || between {
                return;
            }
            partial.last = now;
            partial.events.push(Arc::clone(&found.event));
            partial
        };
        if stage + 1 < stages {
            self.state(key, now).slots[stage] = Some(partial);
        } else {
            self.full(key, Full { partial, primary_time: found.primary_time, order: order.clone() });
        }
    }

    /// All stages have their event: what is left are missing events at the ends.
    fn full(&mut self, key: &KeyTuple, full: Full) {
        if self.waits {
            let now = full.partial.last;
            let deadline = full.partial.first.millis.saturating_add(self.maxspan_ms.unwrap_or(i64::MAX));
            self.due.insert((deadline, now.position, key.clone()));
            self.state(key, now).pending.push_back(full);
            return;
        }
        let partial = &full.partial;
        let killed = self.maxspan_ms.zip(self.keys.get(key)).is_some_and(|(span, state)| {
            let earliest = partial.last.millis.saturating_sub(span);
            last_before(&state.missing[0], partial.first).is_some_and(|moment| moment.millis >= earliest)
        });
        if !killed {
            self.complete.push((key.clone(), full));
        }
    }

    fn missing(&mut self, stage: usize, key: &KeyTuple, now: Moment) {
        // A leading and a trailing one can be maxspan apart on both sides of a sequence, so twice that is kept.
        let earliest = self.maxspan_ms.map(|span| now.millis.saturating_sub(span.saturating_mul(2)));
        let moments = &mut self.state(key, now).missing[stage];
        while moments.front().is_some_and(|front| earliest.is_some_and(|earliest| front.millis < earliest)) {
            moments.pop_front();
        }
        moments.push_back(now);
    }

    fn until(&mut self, key: &KeyTuple) {
        if let Some(state) = self.keys.get_mut(key) {
            state.slots.iter_mut().for_each(|slot| *slot = None);
        }
    }

    /// Decides the pending sequences whose window has passed before `now_ms`.
    fn settle_due(&mut self, now_ms: i64) {
        while let Some((deadline, position, key)) = self.due.pop_first() {
            if deadline >= now_ms {
                self.due.insert((deadline, position, key));
                break;
            }
            self.settle(&key, Some(now_ms));
        }
    }

    /// Decides the pending sequences of a key whose window has passed at `now_ms`; all of them, when there is no more
    /// to come.
    fn settle(&mut self, key: &KeyTuple, now_ms: Option<i64>) {
        let (stages, span) = (self.stages, self.maxspan_ms.unwrap_or(i64::MAX));
        let leads = self.roles.first() == Some(&Role::MissingBefore(0));
        let Some(state) = self.keys.get_mut(key) else { return };
        let KeyState { pending, missing, .. } = state;
        let passed =
            |one: &Full| now_ms.is_none_or(|now| now > one.partial.first.millis.saturating_add(span));
        while pending.front().is_some_and(passed) {
            let Some(full) = pending.pop_front() else { break };
            let partial = &full.partial;
            let after = first_after(&missing[stages], partial.last);
            // The nearest ones on both sides are the ones that lie within maxspan, if any do.
            let from = if leads { last_before(&missing[0], partial.first) } else { Some(partial.first) };
            let killed =
                after.zip(from).is_some_and(|(after, from)| after.millis.saturating_sub(from.millis) <= span);
            if !killed {
                self.complete.push((key.clone(), full));
            }
        }
    }

    /// Drops keys that can match no more; beyond the limit also those that were touched longest ago.
    pub(super) fn expire(&mut self, counters: &mut RuleCounters) {
        let Some(now) = self.now else { return };
        if let Some(span) = self.maxspan_ms {
            let earliest = now.millis.saturating_sub(span.saturating_mul(2));
            let recent = |state: &KeyState| state.touched.is_some_and(|touched| touched.millis >= earliest);
            self.keys.retain(|_, state| recent(state) || !state.pending.is_empty());
        }
        if self.keys.len() > self.keys_max {
            // A tenth at once, so that the cost of choosing is spread over many events.
            let mut touched: Vec<u64> =
                self.keys.values().filter_map(|state| state.touched).map(|moment| moment.position).collect();
            let (_, limit, _) = touched.select_nth_unstable(self.keys_max / 10);
            let limit = *limit;
            self.keys.retain(|_, state| {
                let keep = state.touched.is_some_and(|touched| touched.position > limit);
                counters.evicted += if keep {
                    0
                } else {
                    (state.slots.iter().flatten().count() + state.pending.len()) as u64
                };
                keep
            });
        }
    }

    /// The input has ended, so no more comes that would have to be missing, up to the time until which events are
    /// known. Sequences whose window ends later stay undecided, and are counted.
    pub(super) fn finish(
        &mut self,
        rule: RuleId,
        known_until_ms: Option<i64>,
        counters: &mut RuleCounters,
        out: &mut Vec<Detection>,
    ) {
        let keys: Vec<KeyTuple> = self
            .keys
            .iter()
            .filter(|(_, state)| !state.pending.is_empty())
            .map(|(key, _)| key.clone())
            .collect();
        for key in &keys {
            self.settle(key, None);
        }
        if let Some(known_until) = known_until_ms {
            let span = self.maxspan_ms.unwrap_or(i64::MAX);
            let before = self.complete.len();
            self.complete.retain(|(_, full)| full.partial.first.millis.saturating_add(span) <= known_until);
            counters.undecided += (before - self.complete.len()) as u64;
        }
        self.complete.sort_by(|a, b| a.1.partial.last.cmp(&b.1.partial.last).then_with(|| a.0.cmp(&b.0)));
        self.emit(rule, out);
    }

    fn emit(&mut self, rule: RuleId, out: &mut Vec<Detection>) {
        for (keys, Full { partial, primary_time, order }) in self.complete.drain(..) {
            let mut events = partial.events.into_iter();
            let steps = self.roles.iter().filter(|role| **role != Role::Until);
            let events =
                steps.map(|role| if matches!(role, Role::Stage(_)) { events.next() } else { None }).collect();
            out.push(Detection { rule, events, keys, time: primary_time, order });
        }
    }
}

fn last_before(moments: &VecDeque<Moment>, limit: Moment) -> Option<Moment> {
    let count = moments.partition_point(|moment| *moment < limit);
    count.checked_sub(1).map(|index| moments[index])
}

fn first_after(moments: &VecDeque<Moment>, limit: Moment) -> Option<Moment> {
    moments.get(moments.partition_point(|moment| *moment <= limit)).copied()
}
