//! Plans to a [`RuleSet`]; events to detections.
//!
//! ```text
//! event ── RuleSet::match_event ──► Matched       in any order, by any worker
//!                                      │
//!                              Occurrences::settle   in the order of arrival
//!                                      ▼
//!                                  Match {rule, steps, keys, time, event}
//!                                      │   the one seam where work can be split by rule and key
//!                                  Correlator::push ── Correlator::finish ──► Detection {rule, events, keys}
//! ```
//!
//! A [`RuleSet`] is immutable. What changes from event to event is [`Scratch`]; what changes over time is the state
//! of the [`Correlator`]. Neither does I/O, reads a clock or knows which language a rule came from.

mod bytes;
mod correlate;
mod detection;
mod events;
mod indicators;
mod key;
mod last_seen;
pub mod limits;
mod matcher;
mod meter;
mod occurrences;
mod prefilter;
mod program;
mod ruleset;
mod spill;

pub use correlate::{Correlator, CorrelatorOptions, RuleCounters, RunFacts, TieBreak, apply_limits};
pub use detection::{Detection, DetectionOrder, GroupFacts, TieValue};
pub use events::{EventStore, KeptEvent, MovedEvents};
pub use key::{KeyStyle, KeyTuple, KeyValue, tuples};
pub use last_seen::{Full, LastSeen, SeenError};
pub use matcher::{
    EventInput, EventView, LineageMatch, Match, MatchBody, MatchCounters, Matched, Scratch, StepMatch,
};
pub use meter::{Clock, Costs, RuleCosts};
pub use occurrences::Occurrences;
pub use prefilter::{NoAnchor, Profiler, Selectivity, Share, UnitReport};
pub use ruleset::{CompiledRule, RuleId, RuleSet, RuleSetBuilder};
pub use spill::{Spill, SpillError};
