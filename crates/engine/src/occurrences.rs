//! Matches in the order of arrival: what an event that matched owes to those before it.
//!
//! An event without an id is known by its content. Exact duplicates in one index are told apart by how many of them
//! matched before, which only holds where events come in the order of the input; [`RuleSet::match_event`] can be
//! called in any order and by any worker. The same document with its keys in another order is not told apart: alerts
//! about it have the same id.
//!
//! [`RuleSet::match_event`]: crate::RuleSet::match_event

use std::hash::Hasher;
use std::sync::Arc;

use maxspan_event::{Event, EventId};
use rustc_hash::{FxHashMap, FxHasher};

use crate::limits::OCCURRENCES_MAX;
use crate::matcher::{Match, Matched};

/// Which contents matched so far; one for a run.
#[derive(Debug, Default)]
pub struct Occurrences {
    /// How often an event of this index and content matched something, by hash; for events without an id.
    counts: FxHashMap<u64, u32>,
    dropped: u64,
}

impl Occurrences {
    /// The matches of an event. Events are handed in by their order of arrival; `arrival` is the place in it.
    pub fn settle(&mut self, matched: Matched, arrival: u64) -> impl Iterator<Item = Match> + use<> {
        let Matched { mut event, found } = matched;
        event.arrival = arrival;
        self.tell_apart(&mut event);
        let event = Arc::new(event);
        found.into_iter().map(move |found| Match {
            rule: found.rule,
            event: Arc::clone(&event),
            time: found.time,
            tiebreaker: found.tiebreaker,
            sequence_number: found.sequence_number,
            primary_time: found.primary_time,
            body: found.body,
        })
    }

    /// Events whose content is beyond [`OCCURRENCES_MAX`]; they are not told apart.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Numbers the events of one index and content.
    fn tell_apart(&mut self, event: &mut Event) {
        let EventId::Content { hash, occurrence } = &mut event.id else { return };
        let mut hasher = FxHasher::default();
        hasher.write(event.index.as_bytes());
        hasher.write_u64(*hash);
        let key = hasher.finish();
        if self.counts.len() >= OCCURRENCES_MAX && !self.counts.contains_key(&key) {
            self.dropped += 1;
            return;
        }
        let count = self.counts.entry(key).or_insert(0);
        *occurrence = *count;
        *count = count.saturating_add(1);
    }
}
