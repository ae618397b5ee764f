//! A match that is held back, as bytes: what it is ordered by in front, so that sorting compares bytes.
//!
//! ```text
//! length of the rest u32 │ length of what is compared u32 │ identity: from u32, length u32 │ place of the event u64
//! compared: rule, milliseconds, tiebreaker, then for TieBreak::Arrival    the arrival
//!                                                for TieBreak::Content    nanoseconds, event.sequence, stage,
//!                                                                         identity (index, id), hash of the document
//! identity, where it is not compared
//! nanoseconds, primary time, arrival, body
//! ```

use std::collections::BTreeSet;

use maxspan_event::{date, identity};

use super::TieBreak;
use crate::bytes::{Bytes, put_id, put_key, put_optional, put_text, put_tuple, put_u32, put_u64};
use crate::detection::{DetectionOrder, TieValue};
use crate::events::Place;
use crate::key::{KeyTuple, KeyValue};
use crate::matcher::{LineageMatch, Match, MatchBody};

/// The bytes before what is compared.
const FRONT_BYTES: usize = 24;
const PLACE: std::ops::Range<usize> = 16..24;

/// Rule, then milliseconds: where the tiebreaker begins in what is compared.
const BEFORE_TIEBREAKER: usize = 4 + 9;

const EVENT: u8 = 0;
const STEPS: u8 = 1;
const LINEAGE: u8 = 2;

/// A hash that stands for a key: two keys with the same one are taken for equal. Nobody can find such two, since that
/// is as hard as for half of SHA-256.
pub(super) type Digest = u128;

/// A step and a key under which the event takes part in it.
pub(super) type StepKey<'a> = (u32, &'a [u8]);

/// The keys of a step, each once.
pub(super) fn keys<'a>(steps: &[StepKey<'a>], wanted: u32) -> impl Iterator<Item = &'a [u8]> {
    let of_step: BTreeSet<_> =
        steps.iter().filter(|(step, _)| *step == wanted).map(|(_, key)| *key).collect();
    of_step.into_iter()
}

/// A held match, read.
#[derive(Debug)]
pub(super) struct Held<'a> {
    compared: &'a [u8],
    /// The rule's number.
    pub(super) rule: usize,
    /// Index and id, as bytes.
    pub(super) identity: &'a [u8],
    pub(super) place: Place,
    /// Nanoseconds since 1970.
    pub(super) time: Option<i64>,
    pub(super) primary_time: Option<i64>,
    arrival: u64,
    pub(super) body: HeldBody<'a>,
}

#[derive(Debug)]
pub(super) enum HeldBody<'a> {
    Event,
    Steps(Vec<StepKey<'a>>),
    Lineage(HeldLineage<'a>),
}

/// A [`LineageMatch`] whose processes are known by their digests.
#[derive(Debug)]
pub(super) struct HeldLineage<'a> {
    pub(super) process: Option<Digest>,
    pub(super) parent: Option<Digest>,
    pub(super) queries: Vec<u64>,
    /// Table and keys of each step.
    pub(super) steps: Vec<(u64, Vec<&'a [u8]>)>,
}

/// The digest of a key's bytes.
pub(super) fn digest(key: &[u8]) -> Digest {
    identity::digest(key)
}

/// Puts a match behind what is there.
pub(super) fn write(out: &mut Vec<u8>, found: &Match, place: Place, tie_break: TieBreak) {
    let start = out.len();
    out.resize(start + FRONT_BYTES, 0);
    put_u32(out, found.rule.0);
    put_optional(out, found.time.map(date::to_millis));
    match &found.tiebreaker {
        Some(value) => {
            out.push(0);
            put_key(out, value);
        }
        // Events without one come after those with one.
        None => out.push(1),
    }
    let event = &*found.event;
    let put_identity = |out: &mut Vec<u8>| {
        let from = out.len();
        put_text(out, event.index.as_bytes());
        put_id(out, &event.id);
        (from - start, out.len() - from)
    };
    let (identity, compared) = match tie_break {
        TieBreak::Arrival => {
            put_u64(out, event.arrival);
            let compared = out.len() - start - FRONT_BYTES;
            (put_identity(out), compared)
        }
        TieBreak::Content => {
            put_optional(out, found.time);
            put_optional(out, found.sequence_number);
            put_u32(out, first_step(&found.body));
            let identity = put_identity(out);
            put_u64(out, event.content);
            (identity, out.len() - start - FRONT_BYTES)
        }
    };
    put_optional(out, found.time);
    put_optional(out, found.primary_time);
    put_u64(out, event.arrival);
    put_body(out, &found.body);
    let length = out.len() - start - 4;
    for (index, value) in [length, compared, identity.0, identity.1].into_iter().enumerate() {
        let at = start + 4 * index;
        out[at..at + 4].copy_from_slice(&(value as u32).to_be_bytes());
    }
    out[start + PLACE.start..start + PLACE.end].copy_from_slice(&place.to_be_bytes());
}

fn first_step(body: &MatchBody) -> u32 {
    match body {
        MatchBody::Event => 0,
        MatchBody::Steps(steps) | MatchBody::Counted(steps) => {
            steps.first().map_or(0, |step| step.step as u32)
        }
        MatchBody::Lineage(lineage) => {
            let first = lineage.steps.iter().position(|(table, _)| *table != 0);
            first.map_or(u32::MAX, |step| step as u32)
        }
    }
}

fn put_body(out: &mut Vec<u8>, body: &MatchBody) {
    match body {
        MatchBody::Event => out.push(EVENT),
        MatchBody::Steps(steps) | MatchBody::Counted(steps) => {
            out.push(STEPS);
            let count: usize = steps.iter().map(|step| step.keys.len()).sum();
            put_u32(out, count as u32);
            for step in steps {
                for key in &step.keys {
                    put_u32(out, step.step as u32);
                    put_tuple_with_length(out, key);
                }
            }
        }
        MatchBody::Lineage(lineage) => {
            out.push(LINEAGE);
            put_lineage(out, lineage);
        }
    }
}

fn put_lineage(out: &mut Vec<u8>, lineage: &LineageMatch) {
    for process in [&lineage.process, &lineage.parent] {
        out.push(u8::from(process.is_some()));
        if let Some(process) = process {
            out.extend_from_slice(&digest_of(process).to_be_bytes());
        }
    }
    put_u32(out, lineage.queries.len() as u32);
    for table in &lineage.queries {
        put_u64(out, *table);
    }
    put_u32(out, lineage.steps.len() as u32);
    for (table, keys) in &lineage.steps {
        put_u64(out, *table);
        put_u32(out, keys.len() as u32);
        for key in keys {
            put_tuple_with_length(out, key);
        }
    }
}

fn put_tuple_with_length(out: &mut Vec<u8>, tuple: &KeyTuple) {
    let at = out.len();
    put_u32(out, 0);
    put_tuple(out, tuple);
    let length = (out.len() - at - 4) as u32;
    out[at..at + 4].copy_from_slice(&length.to_be_bytes());
}

fn digest_of(value: &KeyValue) -> Digest {
    let mut bytes = Vec::new();
    put_key(&mut bytes, value);
    digest(&bytes)
}

/// The whole of the first match in the bytes.
pub(super) fn first(bytes: &[u8]) -> Option<&[u8]> {
    let length = Bytes(bytes).u32()? as usize;
    bytes.get(..length + 4)
}

/// What matches are compared by.
pub(super) fn compared(record: &[u8]) -> &[u8] {
    let length = Bytes(record.get(4..).unwrap_or_default()).u32().unwrap_or(0) as usize;
    record.get(FRONT_BYTES..FRONT_BYTES + length).unwrap_or_default()
}

/// The rule's number; a number beyond all where the bytes are no match.
pub(super) fn rule(record: &[u8]) -> usize {
    Bytes(compared(record)).u32().map_or(usize::MAX, |rule| rule as usize)
}

/// Tells where the event went.
pub(super) fn visit_place(record: &mut [u8], visit: &mut dyn FnMut(&mut Place)) {
    if let Some(bytes) = record.get_mut(PLACE)
        && let Some(mut place) = Bytes(bytes).u64()
    {
        visit(&mut place);
        bytes.copy_from_slice(&place.to_be_bytes());
    }
}

impl<'a> Held<'a> {
    /// Reads what [`write`] wrote; none where the bytes are something else.
    pub(super) fn read(record: &'a [u8]) -> Option<Self> {
        let mut front = Bytes(record);
        let (_, compared_bytes) = (front.u32()?, front.u32()? as usize);
        let (from, length, place) = (front.u32()? as usize, front.u32()? as usize, front.u64()?);
        let compared = record.get(FRONT_BYTES..FRONT_BYTES + compared_bytes)?;
        let identity = record.get(from..from.checked_add(length)?)?;
        let after = (FRONT_BYTES + compared_bytes).max(from + length);
        let mut bytes = Bytes(record.get(after..)?);
        let (mut time, mut primary_time) = (None, None);
        bytes.optional(&mut time)?;
        bytes.optional(&mut primary_time)?;
        Some(Self {
            compared,
            rule: Bytes(compared).u32()? as usize,
            identity,
            place,
            time,
            primary_time,
            arrival: bytes.u64()?,
            body: read_body(&mut bytes)?,
        })
    }

    /// What the match is compared by.
    pub(super) fn compared(&self) -> &'a [u8] {
        self.compared
    }

    /// Milliseconds since 1970.
    pub(super) fn millis(&self) -> i64 {
        super::millis(self.time)
    }

    /// The place of a detection whose last event this is.
    pub(super) fn order(&self, tie_break: TieBreak) -> DetectionOrder {
        let mut tiebreaker = Bytes(self.compared.get(BEFORE_TIEBREAKER..).unwrap_or_default());
        let value = if self.time.is_none() { None } else { tiebreaker.u8().filter(|absent| *absent == 0) };
        DetectionOrder {
            time: self.time.map(|nanos| date::from_millis(date::to_millis(nanos))),
            tiebreaker: value.and_then(|_| tiebreaker.key()).map_or(TieValue::Absent, TieValue::Value),
            arrival: if tie_break == TieBreak::Arrival { self.arrival } else { 0 },
        }
    }
}

fn read_body<'a>(bytes: &mut Bytes<'a>) -> Option<HeldBody<'a>> {
    Some(match bytes.u8()? {
        EVENT => HeldBody::Event,
        STEPS => {
            let count = bytes.u32()?;
            let mut steps = Vec::with_capacity(count.min(1_000) as usize);
            for _ in 0..count {
                steps.push((bytes.u32()?, read_key(bytes)?));
            }
            HeldBody::Steps(steps)
        }
        LINEAGE => HeldBody::Lineage(read_lineage(bytes)?),
        _ => return None,
    })
}

fn read_key<'a>(bytes: &mut Bytes<'a>) -> Option<&'a [u8]> {
    let length = bytes.u32()? as usize;
    bytes.take(length)
}

fn read_lineage<'a>(bytes: &mut Bytes<'a>) -> Option<HeldLineage<'a>> {
    let process = if bytes.u8()? == 0 { None } else { Some(bytes.u128()?) };
    let parent = if bytes.u8()? == 0 { None } else { Some(bytes.u128()?) };
    let mut queries = Vec::new();
    for _ in 0..bytes.u32()? {
        queries.push(bytes.u64()?);
    }
    let mut steps = Vec::new();
    for _ in 0..bytes.u32()? {
        let table = bytes.u64()?;
        let mut keys = Vec::new();
        for _ in 0..bytes.u32()? {
            keys.push(read_key(bytes)?);
        }
        steps.push((table, keys));
    }
    Some(HeldLineage { process, parent, queries, steps })
}
