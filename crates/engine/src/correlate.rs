//! Matches to detections: order, sequences, samples, lineage, thresholds, new terms, windows.
//!
//! Matches of rules that look at several events are held back, put in order, and handed to the rule's state machine.
//! So the detections do not depend on the order in which events arrive. What does not fit in memory goes to a
//! [`Spill`](crate::Spill): matches as runs that are merged at the end, documents as they are. Without one, or after it
//! failed, the older half of what is held back is handed on when memory is used up; an event that belongs before that
//! and arrives later is late: it is counted, not used.

use maxspan_event::date;
use maxspan_plan::{GroupTest, Limit, PlanKind};

use crate::bytes;
use crate::detection::{Detection, DetectionOrder, TieValue};
use crate::events::{EventStore, KeptEvent, MovedEvents, NOWHERE, Place};
use crate::indicators::Part;
use crate::limits::{
    BUFFER_BYTES_DEFAULT, DOCUMENT_BYTES_DEFAULT, LINEAGE_PROCESSES_MAX, MATCH_BYTES_MAX, RUNS_LOGGED_MAX,
    SAMPLE_EVENTS_MAX, SAMPLE_KEYS_MAX, SEQUENCE_KEYS_MAX, STATE_BYTES_DEFAULT,
};
use crate::matcher::{Match, MatchBody};
use crate::ruleset::{CompiledRule, RuleId, RuleSet};
use crate::spill::{Spill, SpillError};

mod held;
mod indicators;
mod known_terms;
mod lineage;
mod new_terms;
mod runs;
mod sample;
mod sequence;
mod slab;
mod sort;
mod threshold;
mod window;

use held::{Held, HeldBody};
use indicators::IndicatorState;
use known_terms::KnownTerms;
use lineage::LineageState;
use new_terms::NewTermsState;
pub use runs::RunFacts;
use runs::{CutRuns, RunLog};
use sample::SampleState;
use sequence::{Fired, SequenceState};
use sort::Buffer;
use threshold::ThresholdState;
use window::WindowState;

/// What orders events of the same time and tiebreaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TieBreak {
    /// The order of arrival, as Elasticsearch.
    Arrival,
    /// The time below the millisecond, `event.sequence`, the earlier stage, the event's identity: the same for any order
    /// of arrival.
    Content,
}

/// How a correlator works.
#[derive(Debug, Clone, Copy)]
pub struct CorrelatorOptions {
    /// What orders events of the same time.
    pub tie_break: TieBreak,
    /// Most bytes of matches that are held back in memory for sorting, over all rules.
    pub buffer_bytes: usize,
    /// Most bytes of documents of events in memory.
    pub document_bytes: usize,
    /// Most bytes of the state of sequences, samples and lineage, over all rules that have state at the same time.
    pub state_bytes: usize,
    /// Most keys with state in one sequence.
    pub sequence_keys: usize,
    /// Most keys in one sample.
    pub sample_keys: usize,
    /// Most events of one stage and key in a sample.
    pub sample_events: usize,
    /// Most processes that the lineage queries of one rule remember.
    pub lineage_processes: usize,
    /// Up to when events are known, in nanoseconds since 1970: a sequence whose last events have to be missing for
    /// longer than that is not decided when the input ends. None: what has not come by then does not come.
    pub known_until: Option<i64>,
    /// The key for digests of new terms. Whoever knows it finds two terms that are taken for one by some 2⁴⁰ attempts, so
    /// those who hunt take one by chance. Nothing else depends on it.
    pub digest_key: u128,
    /// Keep account of the runs of schedules: [`Correlator::runs`].
    pub log_runs: bool,
}

impl Default for CorrelatorOptions {
    fn default() -> Self {
        Self {
            tie_break: TieBreak::Content,
            buffer_bytes: BUFFER_BYTES_DEFAULT,
            document_bytes: DOCUMENT_BYTES_DEFAULT,
            state_bytes: STATE_BYTES_DEFAULT,
            sequence_keys: SEQUENCE_KEYS_MAX,
            sample_keys: SAMPLE_KEYS_MAX,
            sample_events: SAMPLE_EVENTS_MAX,
            lineage_processes: LINEAGE_PROCESSES_MAX,
            known_until: None,
            digest_key: 0,
            log_runs: false,
        }
    }
}

/// What was lost, for one rule.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RuleCounters {
    /// Events that arrived after their place in the order had passed.
    pub late: u64,
    /// Events that came again: the same index and id at the same time.
    pub repeated: u64,
    /// Partial sequences, processes or sample events that a limit pushed out.
    pub evicted: u64,
    /// Sequences whose last events have to be missing, and whose window had not passed when events were last known.
    pub undecided: u64,
    /// Searches for an ancestor that ended after [`crate::limits::LINEAGE_DEPTH_MAX`] generations without an answer.
    pub lineage_cut: u64,
    /// Detections with an event that was put aside and could not be read again.
    pub unread: u64,
    /// Groups, events with new terms and events with indicators that the cap of their run left out.
    pub capped: u64,
    /// Detections that have not all of their indicators.
    pub enrichments_cut: u64,
}

/// Holds the state of all rules.
#[derive(Debug)]
pub struct Correlator {
    options: CorrelatorOptions,
    rules: Vec<RuleState>,
    buffer: Buffer,
    events: EventStore,
    known_terms: KnownTerms,
    /// The bytes of documents at which those that are needed no more are looked for, where there is no spill.
    compact_bytes: usize,
    /// Bytes of the state of all rules.
    state_bytes: usize,
    ready: Vec<Detection>,
    /// Matches that were put aside and could not be read again.
    matches_unread: u64,
    logged: Logged,
}

/// How much room there is for the runs of schedules.
#[derive(Debug)]
struct Logged {
    room: usize,
    /// Events whose runs are not all logged.
    left_out: u64,
}

#[derive(Debug)]
struct RuleState {
    /// Where the runs of its schedule are logged.
    runs: Option<RunLog>,
    /// The last match that was handed on.
    frontier: Option<Frontier>,
    lineage: Option<LineageState>,
    machine: Machine,
    counters: RuleCounters,
}

/// What is remembered of a match.
#[derive(Debug, Default)]
struct Frontier {
    compared: Vec<u8>,
    identity: Vec<u8>,
    time: Option<i64>,
}

#[derive(Debug)]
enum Machine {
    Events,
    Sequence(Box<SequenceState>),
    Sample(SampleState),
    Threshold(Box<ThresholdState>),
    NewTerms(Box<NewTermsState>),
    Window(WindowState),
    Indicators(Box<IndicatorState>),
}

impl RuleState {
    fn new(rule: &CompiledRule, options: &CorrelatorOptions) -> Self {
        let machine = match &rule.plan.kind {
            PlanKind::Events(_) => Machine::Events,
            PlanKind::Sequence(sequence) => {
                let state = SequenceState::new(sequence, options.sequence_keys, options.tie_break);
                Machine::Sequence(Box::new(state))
            }
            PlanKind::Sample(sample) => {
                Machine::Sample(SampleState::new(sample.steps.len(), rule.samples_per_key, options))
            }
            PlanKind::Grouped(grouped) => match grouped.test {
                GroupTest::Count { events, values } => {
                    Machine::Threshold(Box::new(ThresholdState::new(grouped.windows, events, values)))
                }
                GroupTest::New { history_ms } => {
                    let state = NewTermsState::new(grouped.windows, history_ms, options.digest_key);
                    Machine::NewTerms(Box::new(state))
                }
                GroupTest::All => Machine::Window(WindowState::new(grouped.windows)),
            },
            PlanKind::Indicators(plan) => Machine::Indicators(Box::new(IndicatorState::new(plan))),
        };
        let lineage = (!rule.plan.lineage.is_empty())
            .then(|| LineageState::new(&rule.plan.lineage, options.lineage_processes));
        let runs = rule.plan.windows().filter(|_| options.log_runs).map(RunLog::new);
        Self { runs, frontier: None, lineage, machine, counters: RuleCounters::default() }
    }

    fn bytes(&self) -> usize {
        let machine = match &self.machine {
            Machine::Events => 0,
            Machine::Sequence(machine) => machine.bytes(),
            Machine::Sample(machine) => machine.bytes(),
            Machine::Threshold(machine) => machine.bytes(),
            Machine::NewTerms(machine) => machine.bytes(),
            Machine::Window(machine) => machine.bytes(),
            Machine::Indicators(machine) => machine.bytes(),
        };
        machine + self.lineage.as_ref().map_or(0, LineageState::bytes)
    }
}

/// What takes detections that are ready, with the store of their documents.
type Sink<'s> = dyn FnMut(&EventStore, Detection) + 's;

impl Correlator {
    /// No state yet; all is kept in memory.
    pub fn new(rule_set: &RuleSet, options: CorrelatorOptions) -> Self {
        Self::with_spill(rule_set, options, None)
    }

    /// No state yet; what does not fit in memory goes to the spill.
    pub fn with_spill(rule_set: &RuleSet, options: CorrelatorOptions, spill: Option<Box<dyn Spill>>) -> Self {
        let rules: Vec<_> = rule_set.rules().map(|(_, rule)| RuleState::new(rule, &options)).collect();
        Self {
            options,
            state_bytes: rules.iter().map(RuleState::bytes).sum(),
            rules,
            buffer: Buffer::default(),
            events: EventStore::new(spill, options.document_bytes),
            known_terms: KnownTerms::new(options.digest_key),
            compact_bytes: options.document_bytes,
            ready: Vec::new(),
            matches_unread: 0,
            logged: Logged { room: RUNS_LOGGED_MAX, left_out: 0 },
        }
    }

    /// Says how many groups, or events with new terms or indicators, one run of a rule's schedule finds at most; others are
    /// counted. Of no effect on rules that do not go by runs.
    pub fn set_cap(&mut self, rule: RuleId, cap: Option<usize>) {
        match &mut self.rules[rule.0 as usize].machine {
            Machine::Threshold(machine) => machine.set_cap(cap),
            Machine::NewTerms(machine) => machine.set_cap(cap),
            Machine::Indicators(machine) => machine.set_cap(cap),
            Machine::Events | Machine::Sequence(_) | Machine::Sample(_) | Machine::Window(_) => {}
        }
    }

    /// Takes a match.
    pub fn push(&mut self, found: Match) {
        let tie_break = self.options.tie_break;
        if matches!(found.body, MatchBody::Event) {
            self.ready.push(single(found, tie_break));
            return;
        }
        let Self { rules, buffer, events, known_terms, .. } = self;
        let state = &mut rules[found.rule.0 as usize];
        let is_wanted = found.body.can_be_detected() && !state.is_known(&found, known_terms);
        let place = if is_wanted { events.put(&found.event) } else { NOWHERE };
        let before = buffer.memory_bytes();
        buffer.push(|bytes| held::write(bytes, &found, place, tie_break));
        let late = state.frontier.as_ref().is_some_and(|last| buffer.last_compared() < &*last.compared);
        if late || buffer.memory_bytes() - before > MATCH_BYTES_MAX {
            buffer.pop();
            state.counters.late += u64::from(late);
            state.counters.evicted += u64::from(!late);
            return;
        }
        // Only of what is used: what comes after it relies on it.
        if matches!(state.machine, Machine::NewTerms(_)) {
            known_terms.note(millis(found.time));
        }
        self.keep_within_memory();
    }

    /// Detections of rules that look at single events, and what limits made ready early.
    pub fn drain(&mut self) -> impl Iterator<Item = Detection> + '_ {
        self.ready.drain(..)
    }

    /// What was lost so far, for one rule.
    pub fn counters(&self, rule: RuleId) -> RuleCounters {
        self.rules[rule.0 as usize].counters
    }

    /// Matches that were put aside and could not be read again.
    pub fn matches_unread(&self) -> u64 {
        self.matches_unread
    }

    /// The runs of a rule's schedule that had events in their windows, in order; none where they are not logged.
    pub fn runs(&self, rule: RuleId) -> impl Iterator<Item = RunFacts> + '_ {
        self.rules[rule.0 as usize].runs.iter().flat_map(RunLog::runs)
    }

    /// Events that miss in the log of runs, since it was full.
    pub fn runs_not_logged(&self) -> u64 {
        self.logged.left_out
    }

    /// The documents of events that detections are about.
    pub fn events(&self) -> &EventStore {
        &self.events
    }

    /// Takes the document of a detection's event out of its memory, where there is a spill that it can go to.
    pub fn put_aside(&mut self, event: &mut KeptEvent, moved: &mut MovedEvents) {
        self.events.put_aside(event, moved);
    }

    /// The input has ended: everything that is held back is settled. Detections come out rule by rule, each rule's in
    /// order of its last event.
    pub fn finish(&mut self) -> Vec<Detection> {
        let mut out = std::mem::take(&mut self.ready);
        let early = out.len();
        self.finish_into(&mut |_, detection| out.push(detection));
        // What waits for trailing missing events is decided in another order.
        out[early..].sort_by(|a, b| a.rule.cmp(&b.rule).then_with(|| a.order.cmp(&b.order)));
        out
    }

    /// The same, one by one and rule by rule; but a rule's detections may come in another order.
    pub fn finish_into(&mut self, sink: &mut Sink<'_>) {
        for detection in std::mem::take(&mut self.ready) {
            sink(&self.events, detection);
        }
        if self.buffer.has_runs() {
            self.put_matches_aside();
        }
        self.hand_on_all(true, sink);
    }

    /// Puts aside, or hands on, what is more than the limits allow.
    fn keep_within_memory(&mut self) {
        let matches_over = self.buffer.memory_bytes() > self.options.buffer_bytes;
        if matches_over {
            self.put_matches_aside();
        }
        if self.events.spill().is_some() {
            return;
        }
        let documents_over = self.events.memory_bytes() > self.compact_bytes;
        if matches_over || documents_over || self.buffer.has_runs() {
            self.relieve();
        }
    }

    /// Puts the matches in memory aside, where that is possible.
    fn put_matches_aside(&mut self) {
        if let Some(spill) = self.events.spill() {
            let put = self.buffer.put_aside(spill);
            self.events.note(put);
        }
    }

    /// Hands on the older half of what every rule has in memory. Where matches were put aside before the spill failed,
    /// all is handed on, since the older half of them would have to be in memory.
    fn relieve(&mut self) {
        if self.buffer.has_runs() {
            let mut ready = std::mem::take(&mut self.ready);
            self.hand_on_all(false, &mut |_, detection| ready.push(detection));
            self.ready = ready;
        } else {
            let Self { options, rules, buffer, events, state_bytes, ready, matches_unread, logged, .. } =
                self;
            let sink = &mut |_: &EventStore, detection| ready.push(detection);
            let mut handing = Handing { options, rules, events, state_bytes, logged, sink };
            buffer.take_older_half(|record| *matches_unread += u64::from(!handing.hand_on(record)));
        }
        self.compact();
    }

    /// Forgets documents that nothing refers to.
    fn compact(&mut self) {
        let Self { rules, buffer, events, .. } = self;
        events.compact(|visit| {
            buffer.visit_places(visit);
            for state in rules {
                match &mut state.machine {
                    Machine::Events | Machine::Threshold(_) => {}
                    Machine::NewTerms(machine) => machine.visit_places(visit),
                    Machine::Window(machine) => machine.visit_places(visit),
                    Machine::Indicators(machine) => machine.visit_places(visit),
                    Machine::Sequence(machine) => machine.visit_places(visit),
                    Machine::Sample(machine) => machine.visit_places(visit),
                }
            }
        });
        // What is left may be needed for long; looking again pays once as much has come to it.
        self.compact_bytes = self.options.document_bytes.max(2 * self.events.memory_bytes());
    }

    /// Hands all matches on, those that were put aside too; with `finish`, every rule ends with its last match.
    fn hand_on_all(&mut self, finish: bool, sink: &mut Sink<'_>) {
        let buffer = std::mem::take(&mut self.buffer);
        let Self { options, rules, events, state_bytes, matches_unread, logged, .. } = self;
        let mut sorted = buffer.into_sorted(events.reader(), options.buffer_bytes);
        let mut handing = Handing { options, rules, events, state_bytes, logged, sink };
        let mut unfinished = 0;
        while let Some(record) = sorted.next() {
            let rule = held::rule(record).min(handing.rules.len());
            while finish && unfinished < rule {
                handing.finish(unfinished);
                unfinished += 1;
            }
            *matches_unread += u64::from(!handing.hand_on(record));
        }
        while finish && unfinished < handing.rules.len() {
            handing.finish(unfinished);
            unfinished += 1;
        }
        *matches_unread += sorted.lost;
        if let Some(error) = sorted.error.take() {
            self.events.note(Err(error));
        }
    }
}

/// Hands matches on to the rules' machines, in order.
struct Handing<'a, 's> {
    options: &'a CorrelatorOptions,
    rules: &'a mut [RuleState],
    events: &'a EventStore,
    state_bytes: &'a mut usize,
    logged: &'a mut Logged,
    sink: &'a mut Sink<'s>,
}

impl Handing<'_, '_> {
    /// False where the bytes are not those of a match.
    fn hand_on(&mut self, record: &[u8]) -> bool {
        let Some(held) = Held::read(record) else { return false };
        let Some(state) = self.rules.get_mut(held.rule) else { return false };
        let last = state.frontier.get_or_insert_default();
        // An identity is never empty, so the first match is not taken for a repetition.
        if last.time == held.time && last.identity == held.identity {
            state.counters.repeated += 1;
            // Under another content it may have other terms, and what comes later is not new after them.
            if !matches!(state.machine, Machine::NewTerms(_)) {
                return true;
            }
        }
        self.settle_windows(held.rule, Some(held.millis()));
        let state = &mut self.rules[held.rule];
        *self.state_bytes -= state.bytes();
        let bytes_max = self.options.state_bytes.saturating_sub(*self.state_bytes);
        state.log(&held, self.logged);
        let mut fired = Vec::new();
        state.take(&held, bytes_max, self.options.tie_break, &mut fired);
        *self.state_bytes += state.bytes();
        for one in fired {
            self.fire(held.rule, one);
        }
        true
    }

    /// Settles the runs of a rule that looks at windows as a whole.
    fn settle_windows(&mut self, rule: usize, before: Option<i64>) {
        let settled = |state: &mut RuleState| match &mut state.machine {
            Machine::Window(machine) => machine.settle(before),
            _ => None,
        };
        let bytes = self.rules[rule].bytes();
        while let Some(one) = settled(&mut self.rules[rule]) {
            self.fire(rule, one);
        }
        *self.state_bytes = *self.state_bytes + self.rules[rule].bytes() - bytes;
    }

    /// The rule gets no more matches. Its memory is free for the next one.
    fn finish(&mut self, rule: usize) {
        self.settle_windows(rule, None);
        let state = &mut self.rules[rule];
        *self.state_bytes -= state.bytes();
        state.lineage = None;
        let machine = std::mem::replace(&mut state.machine, Machine::Events);
        let mut counters = state.counters;
        let mut fired = Vec::new();
        match machine {
            Machine::Events | Machine::Window(_) => {}
            Machine::Sequence(mut machine) => {
                machine.finish(self.options.known_until.map(date::to_millis), &mut counters, &mut fired);
            }
            Machine::Sample(mut machine) => machine.finish(&mut counters, &mut |one| self.fire(rule, one)),
            Machine::Threshold(mut machine) => {
                machine.finish(&mut counters, &mut fired);
                self.rules[rule].put_cut(machine.cut);
            }
            Machine::NewTerms(mut machine) => {
                machine.finish(&mut counters, &mut fired);
                self.rules[rule].put_cut(machine.cut);
            }
            Machine::Indicators(mut machine) => {
                machine.finish(&mut counters, &mut fired);
                self.rules[rule].put_cut(machine.cut);
            }
        }
        for one in fired {
            self.fire(rule, one);
        }
        let unread = self.rules[rule].counters.unread;
        self.rules[rule].counters = RuleCounters { unread, ..counters };
    }

    /// Gives out a detection.
    fn fire(&mut self, rule: usize, fired: Fired) {
        let kept = |place: Option<Place>| place.map(|place| self.events.kept(place)).transpose();
        let events: Result<Vec<Option<KeptEvent>>, SpillError> = fired.events.into_iter().map(kept).collect();
        match (events, bytes::tuple(&fired.key)) {
            (Ok(events), Some(keys)) => {
                let Fired { time, order, group, known_ms, .. } = fired;
                let rule = RuleId(rule as u32);
                let detection = Detection { rule, events, keys, time, order, group, known_ms };
                (self.sink)(self.events, detection);
            }
            _ => self.rules[rule].counters.unread += 1,
        }
    }
}

impl RuleState {
    /// Whether a match is of new terms, and has none.
    fn is_known(&self, found: &Match, known_terms: &mut KnownTerms) -> bool {
        let (Machine::NewTerms(machine), MatchBody::Steps(steps)) = (&self.machine, &found.body) else {
            return false;
        };
        let at = millis(found.time);
        known_terms.have(found.rule, steps, |earlier| machine.is_new_nowhere(at, earlier))
    }

    /// Logs the runs that see an event; indicators are no events.
    fn log(&mut self, held: &Held<'_>, logged: &mut Logged) {
        let Some(runs) = &mut self.runs else { return };
        let is_event = match &held.body {
            HeldBody::Steps(steps) if matches!(self.machine, Machine::Indicators(_)) => {
                steps.iter().any(|(step, _)| matches!(Part::of(*step), Some(Part::Event { .. })))
            }
            _ => true,
        };
        if is_event {
            logged.left_out += u64::from(!runs.note(held.millis(), &mut logged.room));
        }
    }

    fn put_cut(&mut self, cut: CutRuns) {
        if let Some(runs) = &mut self.runs {
            runs.put_cut(cut);
        }
    }

    fn take(&mut self, held: &Held<'_>, bytes_max: usize, tie_break: TieBreak, fired: &mut Vec<Fired>) {
        let Self { frontier, lineage, machine, counters, .. } = self;
        let last = frontier.get_or_insert_default();
        last.time = held.time;
        held.compared().clone_into(&mut last.compared);
        held.identity.clone_into(&mut last.identity);
        let settled;
        let steps = match (&held.body, lineage) {
            (HeldBody::Lineage(found), Some(lineage)) => {
                settled = lineage.settle(found, bytes_max, counters);
                let Some(steps) = &settled else { return };
                steps
            }
            (HeldBody::Steps(steps), _) => steps,
            (HeldBody::Event | HeldBody::Lineage(_), _) => return,
        };
        match machine {
            Machine::Events => {
                let (time, order) = (held.primary_time, held.order(tie_break));
                let events = vec![Some(held.place)];
                let (key, group, known_ms) = (Box::default(), None, None);
                fired.push(Fired { key, events, time, order, group, known_ms });
            }
            Machine::Sequence(machine) => machine.push(held, steps, bytes_max, counters, fired),
            Machine::Sample(machine) => machine.push(held, steps, bytes_max, counters),
            Machine::Threshold(machine) => machine.push(held, steps, bytes_max, counters, fired),
            Machine::NewTerms(machine) => {
                machine.push(held, steps, (bytes_max, tie_break), counters, fired);
            }
            Machine::Window(machine) => machine.push(held, bytes_max, counters),
            Machine::Indicators(machine) => {
                machine.push(held, steps, (bytes_max, tie_break), counters, fired);
            }
        }
    }
}

/// The time that matches are ordered by.
fn millis(time: Option<i64>) -> i64 {
    time.map_or(i64::MIN, date::to_millis)
}

fn single(found: Match, tie_break: TieBreak) -> Detection {
    let order = DetectionOrder {
        time: found.time.map(|nanos| date::from_millis(date::to_millis(nanos))),
        tiebreaker: found.tiebreaker.map_or(TieValue::Absent, TieValue::Value),
        arrival: if tie_break == TieBreak::Arrival { found.event.arrival } else { 0 },
    };
    Detection {
        rule: found.rule,
        time: found.primary_time,
        order,
        events: vec![Some(found.event.into())],
        keys: Box::default(),
        group: None,
        known_ms: None,
    }
}

/// Keeps what `head` and `tail` keep.
pub fn apply_limits<T>(mut results: Vec<T>, limits: &[Limit]) -> Vec<T> {
    for limit in limits {
        match limit {
            Limit::Head(count) => results.truncate(*count),
            Limit::Tail(count) => {
                results.drain(..results.len().saturating_sub(*count));
            }
        }
    }
    results
}
