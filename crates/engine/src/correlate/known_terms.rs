//! Terms that came before, so that the documents of events that have them again need not be kept.
//!
//! Matches of new-terms rules wait until all events are in order, and then most turn out to have nothing new. One whose
//! terms all came at an earlier time, that is in the history of every run with the match in its window, is new in none of
//! them, whatever else comes: an event between the two would only be nearer. So nobody will ask for its document.
//!
//! The table forgets: of two terms with the same place in it the later one stays. It errs towards keeping a document that
//! nobody asks for.

use maxspan_event::identity;

use crate::bytes::{put_tuple, put_u32};
use crate::limits::KNOWN_TERMS_MAX;
use crate::matcher::StepMatch;
use crate::ruleset::RuleId;

/// When some terms came.
#[derive(Debug)]
pub(super) struct KnownTerms {
    key: u128,
    /// By the first bits of themselves; 0 where nothing is. Empty until the first one is noted.
    digests: Vec<u128>,
    /// Milliseconds, of each.
    times: Vec<i64>,
    /// The terms of the match that was asked about last: digest, and whether they are known.
    asked: Vec<(u128, bool)>,
    bytes: Vec<u8>,
}

impl KnownTerms {
    /// Nothing came; digests are made with the key.
    pub(super) fn new(key: u128) -> Self {
        Self { key, digests: Vec::new(), times: Vec::new(), asked: Vec::new(), bytes: Vec::new() }
    }

    /// Whether all terms of a match came at a time that is near enough.
    pub(super) fn have(
        &mut self,
        rule: RuleId,
        steps: &[StepMatch],
        is_near_enough: impl Fn(i64) -> bool,
    ) -> bool {
        let Self { key, digests, times, asked, bytes } = self;
        asked.clear();
        for tuple in steps.iter().flat_map(|step| &step.keys) {
            bytes.clear();
            put_u32(bytes, rule.0);
            put_tuple(bytes, tuple);
            let digest = identity::keyed_digest(*key, bytes);
            let place = place(digest);
            let is_known = digests.get(place) == Some(&digest) && is_near_enough(times[place]);
            asked.push((digest, is_known));
        }
        asked.iter().all(|(_, is_known)| *is_known)
    }

    /// Notes the time of the match that was asked about last. What is known stays as it is, for it is earlier.
    pub(super) fn note(&mut self, at: i64) {
        if self.digests.is_empty() {
            self.digests = vec![0; KNOWN_TERMS_MAX];
            self.times = vec![0; KNOWN_TERMS_MAX];
        }
        for (digest, _) in self.asked.iter().filter(|(_, is_known)| !is_known) {
            let place = place(*digest);
            self.digests[place] = *digest;
            self.times[place] = at;
        }
    }
}

fn place(digest: u128) -> usize {
    (digest >> (u128::BITS - KNOWN_TERMS_MAX.ilog2())) as usize
}
