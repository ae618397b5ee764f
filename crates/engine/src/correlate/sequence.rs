//! Sequences: one partial in flight per key and stage.
//!
//! A match for stage k takes the partial that waits at stage k − 1 and moves it; the slot empties. A newer partial that
//! arrives in an occupied slot replaces the older one. Later stages are tried before earlier ones for the same event,
//! so one event can extend a partial and start another but never fills two stages of one.
//!
//! Missing events: one between two stages kills the candidate when its later stage comes. A leading one kills within
//! maxspan before the last event, a trailing one within maxspan after the first; with both, only a pair of them that
//! lies within maxspan kills. What has trailing stages waits until maxspan has passed in event time.
//!
//! A key that waits for its second event takes about 90 bytes: its digest, links to the keys touched before and after
//! it, and a partial, which is two times and the place of its event. Keys are in the order in which they were touched.
//! At its old end those go that can match no more, and, above the limits, those touched longest ago, one by one. Of
//! events that must be missing the last one of each kind is enough: a partial notes the leading one that it found, and
//! what waits for trailing ones is judged by the first that comes.

use std::collections::BTreeMap;

use hashbrown::HashTable;
use maxspan_plan::Sequence;

use super::held::{Digest, Held, StepKey, digest};
use super::slab::{NONE, Slab};
use super::{RuleCounters, TieBreak};
use crate::detection::{DetectionOrder, GroupFacts};
use crate::events::Place;

/// What a step of the plan is to the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// A stage that needs an event; its number among those.
    Stage(u32),
    /// Must be missing before this stage (0: leading; the number of stages: trailing).
    MissingBefore(u32),
    Until,
}

/// A key with something in flight.
#[derive(Debug, Default)]
struct Key {
    digest: [u64; 2],
    /// The key that was touched before.
    older: u32,
    /// The key that was touched after.
    newer: u32,
    /// When it was touched.
    millis: i64,
    /// The first of its partials, or [`NONE`].
    partials: u32,
    /// What it knows of missing events, or [`NONE`].
    missing: u32,
}

/// A sequence on its way.
#[derive(Debug, Default)]
struct Partial {
    first_millis: i64,
    last_position: u64,
    first_event: Place,
    rest: Option<Box<Rest>>,
    /// The next partial of its key, or [`NONE`].
    next: u32,
    /// The stage of its last event.
    stage: u32,
}

/// What few partials have.
#[derive(Debug, Default)]
struct Rest {
    events: Vec<Place>,
    /// Milliseconds of the last event before the first that had to be missing there.
    leading: Option<i64>,
}

/// Events of a key that must be missing.
#[derive(Debug, Default)]
struct Missing {
    /// At index k, position and milliseconds of the last one that must be missing before stage k.
    last: Box<[Option<(u64, i64)>]>,
    /// Waiting sequences that have not met a trailing one.
    unjudged: Vec<(i64, u64)>,
}

/// A full sequence that waits until nothing more that must be missing can come.
#[derive(Debug)]
struct Waiting {
    first_millis: i64,
    last_position: u64,
    leading: Option<i64>,
    fired: Fired,
}

/// A sequence was found.
#[derive(Debug)]
pub(super) struct Fired {
    /// The key's bytes.
    pub(super) key: Box<[u8]>,
    /// One for each step; none where the event had to be missing.
    pub(super) events: Vec<Option<Place>>,
    pub(super) time: Option<i64>,
    pub(super) order: DetectionOrder,
    pub(super) group: Option<GroupFacts>,
    /// The run of the schedule that found it, in milliseconds since 1970.
    pub(super) run_ms: Option<i64>,
}

/// The state of one rule.
#[derive(Debug)]
pub(super) struct SequenceState {
    roles: Vec<Role>,
    stages: u32,
    maxspan_ms: Option<i64>,
    waits: bool,
    keys_max: usize,
    tie_break: TieBreak,
    numbers: HashTable<u32>,
    keys: Slab<Key>,
    partials: Slab<Partial>,
    missing: Slab<Missing>,
    /// The key touched longest ago, and the one touched last.
    oldest: u32,
    newest: u32,
    /// By the end of the window, then in order.
    waiting: BTreeMap<(i64, u64), Waiting>,
    /// Bytes that keys, partials and the like have beside their records.
    more_bytes: usize,
    position: u64,
    waited: u64,
    now_millis: i64,
}

/// What is known of the match that is being taken.
struct Now<'a> {
    held: &'a Held<'a>,
    position: u64,
    millis: i64,
}

impl SequenceState {
    pub(super) fn new(sequence: &Sequence, keys_max: usize, tie_break: TieBreak) -> Self {
        let mut stages = 0;
        let mut roles = Vec::new();
        for step in &sequence.steps {
            roles.push(if step.missing { Role::MissingBefore(stages) } else { Role::Stage(stages) });
            stages += u32::from(!step.missing);
        }
        let waits = roles.last() == Some(&Role::MissingBefore(stages));
        roles.extend(sequence.until.iter().map(|_| Role::Until));
        Self {
            roles,
            stages,
            maxspan_ms: sequence.maxspan_ms,
            waits,
            keys_max,
            tie_break,
            numbers: HashTable::new(),
            keys: Slab::default(),
            partials: Slab::default(),
            missing: Slab::default(),
            oldest: NONE,
            newest: NONE,
            waiting: BTreeMap::new(),
            more_bytes: 0,
            position: 0,
            waited: 0,
            now_millis: i64::MIN,
        }
    }

    /// Takes the next event in order. The state shall have at most so many bytes.
    pub(super) fn push(
        &mut self,
        held: &Held<'_>,
        steps: &[StepKey<'_>],
        bytes_max: usize,
        counters: &mut RuleCounters,
        out: &mut Vec<Fired>,
    ) {
        self.position += 1;
        let now = Now { held, position: self.position, millis: held.millis() };
        self.now_millis = now.millis;
        // What waits is decided before anything else of this time.
        self.settle_due(now.millis, out);
        self.drop_outdated();
        // Later stages first; `until` ends what is left after that.
        for step in steps.chunk_by(|a, b| a.0 == b.0).rev() {
            if let Some(Role::Stage(stage)) = step.first().and_then(|one| self.role(one.0)) {
                for (_, key) in step {
                    self.stage(stage, key, &now, out);
                }
            }
        }
        for (step, key) in steps {
            match self.role(*step) {
                Some(Role::MissingBefore(stage)) => self.missing(stage, key, &now),
                Some(Role::Until) => self.until(key),
                Some(Role::Stage(_)) | None => {}
            }
        }
        while self.keys.len() > self.keys_max || self.bytes() > bytes_max {
            if !self.evict(counters) {
                break;
            }
        }
    }

    /// Bytes of memory, roughly.
    pub(super) fn bytes(&self) -> usize {
        /// A number in the table, which is between half and seven eighths full, and a byte beside it.
        const NUMBER_BYTES: usize = 8;
        self.keys.len() * (size_of::<Key>() + NUMBER_BYTES)
            + self.partials.len() * size_of::<Partial>()
            + self.missing.len() * size_of::<Missing>()
            + self.waiting.len() * size_of::<Waiting>()
            + self.more_bytes
    }

    /// Shows the places of all events.
    pub(super) fn visit_places(&mut self, visit: &mut dyn FnMut(&mut Place)) {
        let mut partial = |partial: &mut Partial| {
            visit(&mut partial.first_event);
            partial.rest.iter_mut().flat_map(|rest| &mut rest.events).for_each(&mut *visit);
        };
        self.partials.places_mut().for_each(&mut partial);
        for waiting in self.waiting.values_mut() {
            waiting.fired.events.iter_mut().flatten().for_each(&mut *visit);
        }
    }

    /// The input has ended, so no more comes that would have to be missing, up to the time until which events are
    /// known. Sequences whose window ends later stay undecided, and are counted.
    pub(super) fn finish(
        &mut self,
        known_until_ms: Option<i64>,
        counters: &mut RuleCounters,
        out: &mut Vec<Fired>,
    ) {
        self.more_bytes -= self.waiting.values().map(bytes_of).sum::<usize>();
        let mut waiting: Vec<((i64, u64), Waiting)> = std::mem::take(&mut self.waiting).into_iter().collect();
        let before = waiting.len();
        if let Some(known_until) = known_until_ms {
            waiting.retain(|((deadline, _), _)| *deadline <= known_until);
        }
        counters.undecided += (before - waiting.len()) as u64;
        waiting.sort_by(|(_, a), (_, b)| {
            let by_last = a.last_position.cmp(&b.last_position);
            by_last.then_with(|| a.fired.key.cmp(&b.fired.key))
        });
        out.extend(waiting.into_iter().map(|(_, waiting)| waiting.fired));
    }

    fn role(&self, step: u32) -> Option<Role> {
        self.roles.get(step as usize).copied()
    }

    // ---- Stages

    fn stage(&mut self, stage: u32, key: &[u8], now: &Now<'_>, out: &mut Vec<Fired>) {
        let digest = digest(key);
        let begun = (stage == 0).then(|| self.begin(digest, now));
        let Some(partial) = begun.or_else(|| self.move_on(stage, digest, now)) else { return };
        if stage + 1 < self.stages {
            let number = self.key(digest, now.millis);
            self.put(number, partial);
        } else {
            self.full(digest, key, &partial, now, out);
        }
    }

    fn begin(&self, digest: Digest, now: &Now<'_>) -> Partial {
        let leading = self.find(digest).and_then(|number| self.last_missing(number, 0));
        let rest = leading.map(|(_, millis)| Box::new(Rest { leading: Some(millis), ..Rest::default() }));
        Partial {
            first_millis: now.millis,
            last_position: now.position,
            first_event: now.held.place,
            rest,
            next: NONE,
            stage: 0,
        }
    }

    /// The partial that waited for this stage, with its event; none where there is none that may go on.
    fn move_on(&mut self, stage: u32, digest: Digest, now: &Now<'_>) -> Option<Partial> {
        let number = self.find(digest)?;
        let mut partial = self.take(number, stage.checked_sub(1)?)?;
        self.touch(number, now.millis);
        let took = now.millis.saturating_sub(partial.first_millis);
        let too_long = self.maxspan_ms.is_some_and(|span| took > span);
        let between = self.last_missing(number, stage).is_some_and(|(at, _)| at > partial.last_position);
        if too_long || between {
            self.drop_if_empty(number);
            return None;
        }
        partial.last_position = now.position;
        partial.stage = stage;
        partial.rest.get_or_insert_default().events.push(now.held.place);
        Some(partial)
    }

    /// All stages have their event: what is left are missing events at the ends.
    fn full(&mut self, digest: Digest, key: &[u8], partial: &Partial, now: &Now<'_>, out: &mut Vec<Fired>) {
        let fired = Fired {
            key: key.into(),
            events: self.events_of(partial),
            time: now.held.primary_time,
            order: now.held.order(self.tie_break),
            group: None,
            run_ms: None,
        };
        let leading = partial.rest.as_ref().and_then(|rest| rest.leading);
        if self.waits {
            let Partial { first_millis, last_position, .. } = *partial;
            let number = self.key(digest, now.millis);
            self.wait(number, Waiting { first_millis, last_position, leading, fired });
            return;
        }
        let killed =
            self.maxspan_ms.zip(leading).is_some_and(|(span, at)| at >= now.millis.saturating_sub(span));
        if !killed {
            out.push(fired);
        }
        if let Some(number) = self.find(digest) {
            self.drop_if_empty(number);
        }
    }

    fn events_of(&self, partial: &Partial) -> Vec<Option<Place>> {
        let rest = partial.rest.iter().flat_map(|rest| rest.events.iter().copied());
        let mut events = std::iter::once(partial.first_event).chain(rest);
        let steps = self.roles.iter().filter(|role| **role != Role::Until);
        steps.map(|role| if matches!(role, Role::Stage(_)) { events.next() } else { None }).collect()
    }

    fn until(&mut self, key: &[u8]) {
        if let Some(number) = self.find(digest(key)) {
            self.drop_partials(number);
            self.drop_if_empty(number);
        }
    }

    // ---- Missing events

    fn missing(&mut self, stage: u32, key: &[u8], now: &Now<'_>) {
        if stage == self.stages {
            self.trailing(digest(key), now);
            return;
        }
        let number = self.key(digest(key), now.millis);
        let missing = self.missing_of(number);
        if let Some(last) = self.missing.get_mut(missing).last.get_mut(stage as usize) {
            *last = Some((now.position, now.millis));
        }
    }

    fn trailing(&mut self, digest: Digest, now: &Now<'_>) {
        let Some(number) = self.find(digest) else { return };
        self.touch(number, now.millis);
        let missing = self.keys.get(number).missing;
        if missing != NONE {
            let unjudged = std::mem::take(&mut self.missing.get_mut(missing).unjudged);
            // The event that completes a sequence is not one that comes after it.
            let (now_full, judged) = unjudged.into_iter().partition(|at| self.is_full_at(*at, now.position));
            self.missing.get_mut(missing).unjudged = now_full;
            self.judge(judged, now.millis);
        }
        self.drop_if_empty(number);
    }

    fn is_full_at(&self, waiting: (i64, u64), position: u64) -> bool {
        self.waiting.get(&waiting).is_some_and(|one| one.last_position == position)
    }

    /// The first trailing event after these sequences decides them.
    fn judge(&mut self, waiting: Vec<(i64, u64)>, after: i64) {
        let leads = self.roles.first() == Some(&Role::MissingBefore(0));
        let span = self.maxspan_ms.unwrap_or(i64::MAX);
        for at in waiting {
            let Some(one) = self.waiting.get(&at) else { continue };
            // The nearest ones on both sides are the ones that lie within maxspan, if any do.
            let from = if leads { one.leading } else { Some(one.first_millis) };
            if from.is_some_and(|from| after.saturating_sub(from) <= span) {
                self.stop_waiting(at);
            }
        }
    }

    fn wait(&mut self, number: u32, waiting: Waiting) {
        let deadline = waiting.first_millis.saturating_add(self.maxspan_ms.unwrap_or(i64::MAX));
        self.waited += 1;
        let at = (deadline, self.waited);
        self.more_bytes += bytes_of(&waiting);
        self.waiting.insert(at, waiting);
        let missing = self.missing_of(number);
        let unjudged = &mut self.missing.get_mut(missing).unjudged;
        if unjudged.len() == unjudged.capacity() {
            unjudged.retain(|at| self.waiting.contains_key(at));
        }
        unjudged.push(at);
    }

    fn stop_waiting(&mut self, at: (i64, u64)) -> Option<Fired> {
        let waiting = self.waiting.remove(&at)?;
        self.more_bytes -= bytes_of(&waiting);
        Some(waiting.fired)
    }

    /// Gives out the sequences whose window has passed before `now_millis`.
    fn settle_due(&mut self, now_millis: i64, out: &mut Vec<Fired>) {
        while let Some((at, _)) = self.waiting.first_key_value() {
            let at = *at;
            if at.0 >= now_millis {
                break;
            }
            out.extend(self.stop_waiting(at));
        }
    }

    // ---- Keys

    fn find(&self, digest: Digest) -> Option<u32> {
        let wanted = halves(digest);
        self.numbers.find(wanted[0], |number| self.keys.get(*number).digest == wanted).copied()
    }

    /// The key, touched now.
    fn key(&mut self, digest: Digest, millis: i64) -> u32 {
        if let Some(number) = self.find(digest) {
            self.touch(number, millis);
            return number;
        }
        let digest = halves(digest);
        let (older, newer, partials, missing) = (NONE, NONE, NONE, NONE);
        let number = self.keys.insert(Key { digest, older, newer, millis, partials, missing });
        let Self { numbers, keys, .. } = self;
        numbers.insert_unique(digest[0], number, |number| keys.get(*number).digest[0]);
        self.link(number);
        number
    }

    fn touch(&mut self, number: u32, millis: i64) {
        self.keys.get_mut(number).millis = millis;
        if self.newest != number {
            self.unlink(number);
            self.link(number);
        }
    }

    fn link(&mut self, number: u32) {
        let older = self.newest;
        let key = self.keys.get_mut(number);
        (key.older, key.newer) = (older, NONE);
        if older == NONE {
            self.oldest = number;
        } else {
            self.keys.get_mut(older).newer = number;
        }
        self.newest = number;
    }

    fn unlink(&mut self, number: u32) {
        let Key { older, newer, .. } = *self.keys.get(number);
        if older == NONE {
            self.oldest = newer;
        } else {
            self.keys.get_mut(older).newer = newer;
        }
        if newer == NONE {
            self.newest = older;
        } else {
            self.keys.get_mut(newer).older = older;
        }
    }

    fn remove(&mut self, number: u32) {
        self.drop_partials(number);
        self.unlink(number);
        let key = self.keys.remove(number);
        if key.missing != NONE {
            let missing = self.missing.remove(key.missing);
            self.more_bytes -= size_of_val(&*missing.last);
        }
        if let Ok(entry) = self.numbers.find_entry(key.digest[0], |other| *other == number) {
            entry.remove();
        }
    }

    fn drop_if_empty(&mut self, number: u32) {
        let key = self.keys.get(number);
        let knows = || {
            let missing = self.missing.get(key.missing);
            !missing.unjudged.is_empty() || missing.last.iter().any(Option::is_some)
        };
        if key.partials == NONE && (key.missing == NONE || !knows()) {
            self.remove(number);
        }
    }

    /// Drops keys that can match no more.
    fn drop_outdated(&mut self) {
        let Some(span) = self.maxspan_ms else { return };
        // A leading and a trailing event can be maxspan apart on both sides of a sequence.
        let earliest = self.now_millis.saturating_sub(span.saturating_mul(2));
        while self.oldest != NONE && self.keys.get(self.oldest).millis < earliest {
            self.remove(self.oldest);
        }
    }

    /// Drops the key touched longest ago, and what it has in flight; else what has waited longest. False where there is
    /// nothing to drop.
    fn evict(&mut self, counters: &mut RuleCounters) -> bool {
        if self.oldest == NONE || (self.keys.len() == 1 && self.keys_max > 0) {
            let first = self.waiting.first_key_value().map(|(at, _)| *at);
            counters.evicted += u64::from(first.is_some());
            return first.and_then(|at| self.stop_waiting(at)).is_some();
        }
        let number = self.oldest;
        let mut next = self.keys.get(number).partials;
        while next != NONE {
            counters.evicted += 1;
            next = self.partials.get(next).next;
        }
        let missing = self.keys.get(number).missing;
        if missing != NONE {
            for at in std::mem::take(&mut self.missing.get_mut(missing).unjudged) {
                counters.evicted += u64::from(self.stop_waiting(at).is_some());
            }
        }
        self.remove(number);
        true
    }

    // ---- What a key has

    /// Takes the partial out that waits at a stage.
    fn take(&mut self, number: u32, stage: u32) -> Option<Partial> {
        let mut before = NONE;
        let mut next = self.keys.get(number).partials;
        while next != NONE {
            let partial = self.partials.get(next);
            let after = partial.next;
            if partial.stage == stage {
                if before == NONE {
                    self.keys.get_mut(number).partials = after;
                } else {
                    self.partials.get_mut(before).next = after;
                }
                let mut partial = self.partials.remove(next);
                partial.next = NONE;
                self.more_bytes -= bytes_of_rest(&partial);
                return Some(partial);
            }
            before = next;
            next = after;
        }
        None
    }

    /// Lets a partial wait at its stage, in place of the one that is there.
    fn put(&mut self, number: u32, mut partial: Partial) {
        drop(self.take(number, partial.stage));
        partial.next = self.keys.get(number).partials;
        self.more_bytes += bytes_of_rest(&partial);
        self.keys.get_mut(number).partials = self.partials.insert(partial);
    }

    fn drop_partials(&mut self, number: u32) {
        let mut next = std::mem::replace(&mut self.keys.get_mut(number).partials, NONE);
        while next != NONE {
            let partial = self.partials.remove(next);
            self.more_bytes -= bytes_of_rest(&partial);
            next = partial.next;
        }
    }

    /// Position and time of the last event that must be missing before a stage.
    fn last_missing(&self, number: u32, stage: u32) -> Option<(u64, i64)> {
        let missing = self.keys.get(number).missing;
        if missing == NONE { None } else { self.missing.get(missing).last.get(stage as usize).copied()? }
    }

    /// The number of what the key knows of missing events.
    fn missing_of(&mut self, number: u32) -> u32 {
        if self.keys.get(number).missing == NONE {
            let last = vec![None; self.stages as usize].into_boxed_slice();
            self.more_bytes += size_of_val(&*last);
            self.keys.get_mut(number).missing = self.missing.insert(Missing { last, unjudged: Vec::new() });
        }
        self.keys.get(number).missing
    }
}

fn halves(digest: Digest) -> [u64; 2] {
    [(digest >> 64) as u64, digest as u64]
}

fn bytes_of_rest(partial: &Partial) -> usize {
    let events = |rest: &Rest| rest.events.capacity() * size_of::<Place>();
    partial.rest.as_ref().map_or(0, |rest| size_of::<Rest>() + events(rest))
}

fn bytes_of(waiting: &Waiting) -> usize {
    /// Place of the sequence among those of its key.
    const UNJUDGED_BYTES: usize = 16;
    let Fired { key, events, .. } = &waiting.fired;
    key.len() + size_of_val(&**events) + UNJUDGED_BYTES
}
