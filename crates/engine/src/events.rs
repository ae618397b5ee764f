//! Events that something was found in, kept until it is known whether an alert is about them.
//!
//! A document is some kilobytes, and what waits for others of its kind is known by a number: its [`Place`] here.
//! Documents are put one behind the other into pieces of memory; beyond the limit the oldest piece goes to the
//! [`Spill`]. Without one (or after it failed) nothing goes: then who knows which places are still needed moves these
//! ([`EventStore::compact`]), and the others are gone.

use std::borrow::Cow;
use std::sync::Arc;

use maxspan_event::{Event, EventId, HostOs};
use rustc_hash::FxHashMap;

use crate::bytes::{Bytes, put_id, put_text, put_u32, put_u64};
use crate::limits::{DOCUMENT_PIECE_BYTES, INDEX_NAMES_MAX};
use crate::spill::{Spill, SpillError};

/// Where an event is: number of the piece, then offset in it.
pub(crate) type Place = u64;

/// The place of an event that no detection can have.
pub(crate) const NOWHERE: Place = Place::MAX;

/// An event that something was found in: what tells it from others. Its document is in memory, or put aside
/// ([`EventStore::source`]).
#[derive(Debug, Clone)]
pub struct KeptEvent(Kept);

#[derive(Debug, Clone)]
enum Kept {
    Here(Arc<Event>),
    Aside(Arc<Aside>),
}

/// An event whose document is in the store.
#[derive(Debug)]
struct Aside {
    index: Arc<str>,
    id: EventId,
    derived_os: Option<&'static str>,
    arrival: u64,
    content: u64,
    piece: u32,
    offset: u32,
    length: u32,
}

impl KeptEvent {
    /// The index or data stream; empty where nothing says.
    pub fn index(&self) -> &Arc<str> {
        match &self.0 {
            Kept::Here(event) => &event.index,
            Kept::Aside(event) => &event.index,
        }
    }

    /// What tells it from others of its index.
    pub fn id(&self) -> &EventId {
        match &self.0 {
            Kept::Here(event) => &event.id,
            Kept::Aside(event) => &event.id,
        }
    }

    /// The `host.os.type` that was derived, where the event had none.
    pub fn derived_os(&self) -> Option<&'static str> {
        match &self.0 {
            Kept::Here(event) => event.derived_os,
            Kept::Aside(event) => event.derived_os,
        }
    }

    /// Place in the order of arrival.
    pub fn arrival(&self) -> u64 {
        match &self.0 {
            Kept::Here(event) => event.arrival,
            Kept::Aside(event) => event.arrival,
        }
    }

    /// A hash of the document, which orders documents of the same index and id.
    pub fn content(&self) -> u64 {
        match &self.0 {
            Kept::Here(event) => event.content,
            Kept::Aside(event) => event.content,
        }
    }

    /// Bytes of memory that the document takes; 0 where it is put aside.
    pub fn document_bytes(&self) -> usize {
        match &self.0 {
            Kept::Here(event) => event.source.len(),
            Kept::Aside(_) => 0,
        }
    }
}

impl From<Arc<Event>> for KeptEvent {
    fn from(event: Arc<Event>) -> Self {
        Self(Kept::Here(event))
    }
}

/// Events that were put aside together: those that several rules detected are put there once.
#[derive(Debug, Default)]
pub struct MovedEvents {
    /// The events are held, so that no other one comes to their addresses.
    by_address: FxHashMap<usize, (Arc<Event>, Arc<Aside>)>,
}

/// Events by their places.
#[derive(Debug)]
pub struct EventStore {
    spill: Option<Box<dyn Spill>>,
    /// The first error of the spill; nothing is put there after it.
    failed: Option<SpillError>,
    pieces: Vec<Piece>,
    /// Pieces before this one are not in memory.
    first_in_memory: usize,
    /// Pieces before this one stay where they are, since kept events know them.
    fixed: usize,
    memory_bytes: usize,
    memory_bytes_max: usize,
    spilled_bytes: u64,
    /// The last event that was put, since it comes again with its next match.
    last: Option<(Arc<Event>, Place)>,
    index_names: Vec<Arc<str>>,
    index_numbers: FxHashMap<Arc<str>, u32>,
}

#[derive(Debug)]
enum Piece {
    Memory(Vec<u8>),
    Spilled { from: u64, length: u64 },
    Gone,
}

/// What of an event stands before its document.
struct Head<'a> {
    index: &'a [u8],
    index_number: u32,
}

impl EventStore {
    pub(crate) fn new(spill: Option<Box<dyn Spill>>, memory_bytes_max: usize) -> Self {
        Self {
            spill,
            failed: None,
            pieces: Vec::new(),
            first_in_memory: 0,
            fixed: 0,
            memory_bytes: 0,
            memory_bytes_max,
            spilled_bytes: 0,
            last: None,
            index_names: Vec::new(),
            index_numbers: FxHashMap::default(),
        }
    }

    /// The document of an event as JSON bytes.
    pub fn source<'a>(&'a self, event: &'a KeptEvent) -> Result<Cow<'a, [u8]>, SpillError> {
        match &event.0 {
            Kept::Here(event) => Ok(Cow::Borrowed(&event.source)),
            Kept::Aside(event) => self.read(event.piece, event.offset, event.length as usize),
        }
    }

    /// The first error of the spill.
    pub fn error(&self) -> Option<&SpillError> {
        self.failed.as_ref()
    }

    /// Bytes that went to the spill.
    pub fn spilled_bytes(&self) -> u64 {
        self.spilled_bytes
    }

    /// Where bytes can still be put, if anywhere.
    pub(crate) fn spill(&mut self) -> Option<&mut (dyn Spill + 'static)> {
        if self.failed.is_some() { None } else { self.spill.as_deref_mut() }
    }

    /// Where bytes were put.
    pub(crate) fn reader(&self) -> Option<&dyn Spill> {
        self.spill.as_deref()
    }

    /// Notes what became of bytes that were to be put aside.
    pub(crate) fn note(&mut self, put: Result<u64, SpillError>) {
        match put {
            Ok(bytes) => self.spilled_bytes += bytes,
            Err(error) if self.failed.is_none() => {
                self.failed = Some(error);
                // So that the next event begins a piece, which may be moved.
                self.pieces.push(Piece::Gone);
                self.fixed = self.pieces.len();
            }
            Err(_) => {}
        }
    }

    /// Bytes of documents in memory.
    pub fn memory_bytes(&self) -> usize {
        self.memory_bytes
    }

    /// Keeps an event.
    pub(crate) fn put(&mut self, event: &Arc<Event>) -> Place {
        if let Some((last, place)) = &self.last
            && Arc::ptr_eq(last, event)
        {
            return *place;
        }
        let place = self.write(event);
        self.last = Some((Arc::clone(event), place));
        self.relieve();
        place
    }

    /// Takes the document of a kept event out of its memory, where there is a spill that it can go to.
    pub fn put_aside(&mut self, event: &mut KeptEvent, moved: &mut MovedEvents) {
        let Kept::Here(here) = &event.0 else { return };
        if self.spill().is_none() {
            return;
        }
        let address = Arc::as_ptr(here) as usize;
        if let Some((_, aside)) = moved.by_address.get(&address) {
            event.0 = Kept::Aside(Arc::clone(aside));
            return;
        }
        let place = self.put(here);
        if let Ok(Some(aside)) = self.aside(place) {
            let aside = Arc::new(aside);
            moved.by_address.insert(address, (Arc::clone(here), Arc::clone(&aside)));
            event.0 = Kept::Aside(aside);
        }
    }

    /// The event at a place. Its document is copied where the place may be moved.
    pub(crate) fn kept(&self, place: Place) -> Result<KeptEvent, SpillError> {
        let aside = self.aside(place)?.ok_or_else(SpillError::damaged)?;
        let stays = self.spill.is_some() && self.failed.is_none();
        if stays || (aside.piece as usize) < self.fixed {
            return Ok(KeptEvent(Kept::Aside(Arc::new(aside))));
        }
        let source = self.read(aside.piece, aside.offset, aside.length as usize)?.into();
        let Aside { index, id, derived_os, arrival, content, .. } = aside;
        Ok(KeptEvent(Kept::Here(Arc::new(Event { index, id, source, content, derived_os, arrival }))))
    }

    fn write(&mut self, event: &Event) -> Place {
        let index_number = self.index_number(&event.index);
        let index = if index_number == u32::MAX { event.index.as_bytes() } else { &[] };
        let head = Head { index, index_number };
        let id_bytes = if let EventId::Given(id) = &event.id { id.len() } else { 0 };
        let room = event.source.len() + id_bytes + index.len() + 64;
        let full = match self.pieces.last() {
            Some(Piece::Memory(piece)) => piece.len() + room > DOCUMENT_PIECE_BYTES,
            _ => true,
        };
        if full {
            let bytes = Vec::with_capacity(room.max(DOCUMENT_PIECE_BYTES));
            self.memory_bytes += bytes.capacity();
            self.pieces.push(Piece::Memory(bytes));
        }
        let number = self.pieces.len() - 1;
        let Some(Piece::Memory(piece)) = self.pieces.last_mut() else { return NOWHERE };
        let offset = piece.len();
        let before = piece.capacity();
        append(piece, &head, event);
        self.memory_bytes += piece.capacity() - before;
        (number as u64) << 32 | offset as u64
    }

    fn index_number(&mut self, index: &Arc<str>) -> u32 {
        if let Some(number) = self.index_numbers.get(index) {
            return *number;
        }
        if self.index_names.len() >= INDEX_NAMES_MAX {
            return u32::MAX;
        }
        let number = self.index_names.len() as u32;
        self.index_names.push(Arc::clone(index));
        self.index_numbers.insert(Arc::clone(index), number);
        number
    }

    /// Sends the oldest pieces to the spill until the limit is kept.
    fn relieve(&mut self) {
        while self.memory_bytes > self.memory_bytes_max && self.first_in_memory < self.pieces.len() {
            let Some(Piece::Memory(bytes)) = self.pieces.get(self.first_in_memory) else {
                self.first_in_memory += 1;
                continue;
            };
            if self.failed.is_some() {
                return;
            }
            let Some(spill) = &mut self.spill else { return };
            let (length, capacity) = (bytes.len() as u64, bytes.capacity());
            match spill.append(bytes) {
                Ok(from) => {
                    self.pieces[self.first_in_memory] = Piece::Spilled { from, length };
                    self.memory_bytes -= capacity;
                    self.note(Ok(length));
                }
                Err(error) => self.note(Err(error)),
            }
        }
    }

    /// Forgets the events in memory whose places are not shown to the visitor, and tells it the new places of the
    /// others: `visit_places` calls what it is handed for each place that is still needed.
    pub(crate) fn compact(&mut self, visit_places: impl FnOnce(&mut dyn FnMut(&mut Place))) {
        self.last = None;
        let mut old: FxHashMap<u32, Vec<u8>> = FxHashMap::default();
        for (number, piece) in self.pieces.iter_mut().enumerate().skip(self.fixed.max(self.first_in_memory)) {
            if matches!(piece, Piece::Memory(_))
                && let Piece::Memory(bytes) = std::mem::replace(piece, Piece::Gone)
            {
                self.memory_bytes -= bytes.capacity();
                old.insert(number as u32, bytes);
            }
        }
        self.first_in_memory = self.first_in_memory.max(self.fixed).max(self.pieces.len());
        let mut moved: FxHashMap<Place, Place> = FxHashMap::default();
        visit_places(&mut |place| {
            if let Some(new) = moved.get(place) {
                *place = *new;
                return;
            }
            let (number, offset) = split(*place);
            let record = old.get(&number).and_then(|bytes| record_at(bytes, offset));
            if let Some(record) = record {
                let new = self.copy(record);
                moved.insert(*place, new);
                *place = new;
            }
        });
    }

    fn copy(&mut self, record: &[u8]) -> Place {
        let full = match self.pieces.last() {
            Some(Piece::Memory(piece)) => piece.len() + record.len() > piece.capacity(),
            _ => true,
        };
        if full {
            let bytes = Vec::with_capacity(record.len().max(DOCUMENT_PIECE_BYTES));
            self.memory_bytes += bytes.capacity();
            self.pieces.push(Piece::Memory(bytes));
        }
        let number = self.pieces.len() - 1;
        let Some(Piece::Memory(piece)) = self.pieces.last_mut() else { return NOWHERE };
        piece.extend_from_slice(record);
        (number as u64) << 32 | (piece.len() - record.len()) as u64
    }

    fn aside(&self, place: Place) -> Result<Option<Aside>, SpillError> {
        let (piece, offset) = split(place);
        let lengths = self.read(piece, offset, LENGTHS_BYTES)?;
        let mut lengths = Bytes(&lengths);
        let (Some(head), Some(length)) = (lengths.u32(), lengths.u32()) else { return Ok(None) };
        let bytes = self.read(piece, offset + LENGTHS_BYTES as u32, head as usize)?;
        let offset = (offset + LENGTHS_BYTES as u32).saturating_add(head);
        Ok(self.head(&bytes, piece, offset, length))
    }

    fn head(&self, bytes: &[u8], piece: u32, offset: u32, length: u32) -> Option<Aside> {
        let mut bytes = Bytes(bytes);
        let (arrival, content, os) = (bytes.u64()?, bytes.u64()?, bytes.u8()?);
        let derived_os = (os as usize).checked_sub(1).map(|number| OS[number % OS.len()].name());
        let (number, name, id) = (bytes.u32()?, bytes.text()?, bytes.id()?);
        let index = match self.index_names.get(number as usize) {
            Some(index) => Arc::clone(index),
            None => Arc::from(name),
        };
        Some(Aside { index, id, derived_os, arrival, content, piece, offset, length })
    }

    fn read(&self, piece: u32, offset: u32, length: usize) -> Result<Cow<'_, [u8]>, SpillError> {
        match self.pieces.get(piece as usize) {
            Some(Piece::Memory(bytes)) => {
                let offset = offset as usize;
                bytes.get(offset..offset + length).map(Cow::Borrowed).ok_or_else(SpillError::damaged)
            }
            Some(Piece::Spilled { from, length: whole }) => {
                let spill = self.spill.as_ref().ok_or_else(SpillError::damaged)?;
                if u64::from(offset) + length as u64 > *whole {
                    return Err(SpillError::damaged());
                }
                let mut bytes = vec![0; length];
                spill.read(from + u64::from(offset), &mut bytes)?;
                Ok(Cow::Owned(bytes))
            }
            Some(Piece::Gone) | None => Err(SpillError::damaged()),
        }
    }
}

/// The lengths of head and document, before both.
const LENGTHS_BYTES: usize = 8;

const OS: [HostOs; 3] = [HostOs::Windows, HostOs::Linux, HostOs::MacOs];

fn append(out: &mut Vec<u8>, head: &Head<'_>, event: &Event) {
    let start = out.len();
    put_u32(out, 0);
    put_u32(out, event.source.len() as u32);
    put_u64(out, event.arrival);
    put_u64(out, event.content);
    let os = event.derived_os.and_then(|name| OS.iter().position(|os| os.name() == name));
    out.push(os.map_or(0, |number| number as u8 + 1));
    put_u32(out, head.index_number);
    put_text(out, head.index);
    put_id(out, &event.id);
    let length = (out.len() - start - LENGTHS_BYTES) as u32;
    out[start..start + 4].copy_from_slice(&length.to_be_bytes());
    out.extend_from_slice(&event.source);
}

fn record_at(bytes: &[u8], offset: u32) -> Option<&[u8]> {
    let bytes = bytes.get(offset as usize..)?;
    let mut lengths = Bytes(bytes);
    let length = LENGTHS_BYTES + lengths.u32()? as usize + lengths.u32()? as usize;
    bytes.get(..length)
}

fn split(place: Place) -> (u32, u32) {
    ((place >> 32) as u32, place as u32)
}
