//! What rules cost: counts of every event, and times of one event in so many.
//!
//! The engine has no clock of its own; whoever wants times hands one in ([`Scratch::metered`](crate::Scratch::metered)).
//! Times are extrapolated from those events that are timed, so that of a rule that is rarely evaluated is rough. A
//! condition that several rules share counts for the first of them.

use std::ops::AddAssign;

use crate::ruleset::RuleId;

/// Nanoseconds since some instant; never less than before.
pub type Clock = fn() -> u64;

/// One event in so many is timed, but for the first ones, which are all.
const TIMED_EVERY: u64 = 64;

/// What the events cost that a worker matched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Costs {
    /// By rule. Empty where nothing was a candidate.
    pub rules: Vec<RuleCosts>,
    /// Nanoseconds for decoding events, and for choosing the rules of their index.
    pub decode: u64,
    /// Nanoseconds for finding candidates.
    pub prefilter: u64,
    /// Nanoseconds for evaluating them.
    pub evaluate: u64,
}

/// What one rule cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RuleCosts {
    /// How often it, or one of its steps, was evaluated.
    pub candidates: u64,
    /// Events that satisfied it, or one of its steps.
    pub matches: u64,
    /// Nanoseconds for evaluating it.
    pub nanoseconds: u64,
}

impl AddAssign<&Self> for Costs {
    fn add_assign(&mut self, other: &Self) {
        let Self { rules, decode, prefilter, evaluate } = other;
        if self.rules.len() < rules.len() {
            self.rules.resize(rules.len(), RuleCosts::default());
        }
        for (sum, one) in self.rules.iter_mut().zip(rules) {
            sum.candidates += one.candidates;
            sum.matches += one.matches;
            sum.nanoseconds += one.nanoseconds;
        }
        self.decode += decode;
        self.prefilter += prefilter;
        self.evaluate += evaluate;
    }
}

/// Keeps account of costs where that is wanted; else it does nothing.
#[derive(Debug, Default)]
pub(crate) struct Meter(Option<Box<Running>>);

#[derive(Debug)]
struct Running {
    clock: Clock,
    events: u64,
    /// How many events the present one stands for; 0 where it is not timed.
    weight: u64,
    /// When the present part of the work began.
    since: u64,
    costs: Costs,
}

impl Meter {
    pub(crate) fn new(clock: Clock) -> Self {
        Self(Some(Box::new(Running { clock, events: 0, weight: 0, since: 0, costs: Costs::default() })))
    }

    pub(crate) fn costs(&self) -> Option<&Costs> {
        self.0.as_ref().map(|running| &running.costs)
    }

    /// An event comes.
    #[inline]
    pub(crate) fn begin(&mut self) {
        if let Some(running) = &mut self.0 {
            running.begin();
        }
    }

    /// It was decoded.
    #[inline]
    pub(crate) fn decoded(&mut self) {
        if let Some(running) = &mut self.0 {
            running.costs.decode += running.lap();
        }
    }

    /// Its candidates are known.
    #[inline]
    pub(crate) fn prefiltered(&mut self) {
        if let Some(running) = &mut self.0 {
            running.costs.prefilter += running.lap();
        }
    }

    /// What all candidates need was done.
    #[inline]
    pub(crate) fn prepared(&mut self) {
        if let Some(running) = &mut self.0 {
            running.costs.evaluate += running.lap();
        }
    }

    /// So many units of a rule were evaluated.
    #[inline]
    pub(crate) fn evaluated(&mut self, rule: RuleId, units: usize, is_match: bool) {
        if let Some(running) = &mut self.0 {
            running.evaluated(rule, units, is_match);
        }
    }
}

impl Running {
    fn begin(&mut self) {
        self.weight = match self.events {
            // The first ones stand for themselves, so that short inputs are measured whole.
            first if first < TIMED_EVERY => 1,
            number if number.is_multiple_of(TIMED_EVERY) => TIMED_EVERY,
            _ => 0,
        };
        self.events += 1;
        if self.weight > 0 {
            self.since = (self.clock)();
        }
    }

    /// The time since the last call, for as many events as the present one stands for.
    fn lap(&mut self) -> u64 {
        if self.weight == 0 {
            return 0;
        }
        let now = (self.clock)();
        let time = now.saturating_sub(self.since) * self.weight;
        self.since = now;
        time
    }

    fn evaluated(&mut self, rule: RuleId, units: usize, is_match: bool) {
        let time = self.lap();
        self.costs.evaluate += time;
        let place = rule.0 as usize;
        if self.costs.rules.len() <= place {
            self.costs.rules.resize(place + 1, RuleCosts::default());
        }
        let costs = &mut self.costs.rules[place];
        costs.candidates += units as u64;
        costs.matches += u64::from(is_match);
        costs.nanoseconds += time;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    thread_local! {
        static NOW: Cell<u64> = const { Cell::new(0) };
    }

    /// A clock that goes on by 10 whenever it is looked at.
    fn clock() -> u64 {
        NOW.set(NOW.get() + 10);
        NOW.get()
    }

    fn metered(events: u64) -> Costs {
        let mut meter = Meter::new(clock);
        for _ in 0..events {
            meter.begin();
            meter.decoded();
            meter.prefiltered();
            meter.evaluated(RuleId(1), 2, true);
        }
        meter.costs().cloned().unwrap_or_default()
    }

    #[test]
    fn times_stand_for_all_events() {
        let check = |events: u64| {
            let costs = metered(events);
            assert_eq!(
                (costs.decode, costs.prefilter, costs.evaluate),
                (10 * events, 10 * events, 10 * events)
            );
            let one = RuleCosts { candidates: 2 * events, matches: events, nanoseconds: 10 * events };
            assert_eq!(costs.rules, [RuleCosts::default(), one]);
        };
        check(3);
        check(64);
        check(64 * 100);
    }

    #[test]
    fn costs_of_workers_are_summed() {
        let mut sum = Costs::default();
        sum += &metered(2);
        sum += &metered(3);
        assert_eq!(sum, metered(5));
        assert_eq!(Meter::default().costs(), None);
    }
}
