//! Matches in the order of arrival: what an event that matched owes to those before it.
//!
//! An event without an id has one from its content. Exact duplicates in one index are told apart by how many of them
//! matched before, which only holds where events come in the order of the input; [`RuleSet::match_event`] can be
//! called in any order and by any worker.
//!
//! [`RuleSet::match_event`]: crate::RuleSet::match_event

use std::hash::{DefaultHasher, Hasher};
use std::sync::Arc;

use maxspan_event::{Event, identity};
use rustc_hash::FxHashMap;

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
        let Matched { mut event, id_of_content, found } = matched;
        event.arrival = arrival;
        if id_of_content {
            self.tell_apart(&mut event);
        }
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

    /// Gives the second and any further event of one index and content an id of its own.
    fn tell_apart(&mut self, event: &mut Event) {
        let mut hasher = DefaultHasher::new();
        hasher.write(event.index.as_bytes());
        hasher.write_u8(0xff);
        hasher.write(event.id.as_bytes());
        let key = hasher.finish();
        if self.counts.len() >= OCCURRENCES_MAX && !self.counts.contains_key(&key) {
            self.dropped += 1;
            return;
        }
        let count = self.counts.entry(key).or_insert(0);
        if *count > 0 {
            event.id = identity::repeated(&event.id, *count).into_boxed_str();
        }
        *count += 1;
    }
}
