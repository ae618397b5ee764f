//! The atoms that units are found by, field by field: exact tables, and one automaton for all parts of texts.

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind, StartKind};
use maxspan_event::wildcard::fold_char;
use maxspan_event::{Slot, Slots, ValueRef};
use maxspan_plan::Datum;
use rustc_hash::FxHashMap;

use super::atom::{Atom, AtomKind, Place, value_hash};

/// Who is found by an atom: a range of [`FieldIndex::units`].
#[derive(Debug, Clone, Copy)]
struct Found {
    start: u32,
    end: u32,
}

/// All atoms of one field.
#[derive(Debug)]
pub(crate) struct FieldIndex {
    pub(crate) slot: Slot,
    /// Units by atom, one atom after the other.
    units: Vec<u32>,
    present: Option<Found>,
    texts: FxHashMap<Box<str>, Found>,
    values: FxHashMap<u64, Found>,
    automaton: Option<AhoCorasick>,
    /// By pattern of the automaton: the place, and who is found by it.
    parts: Vec<(Place, Found)>,
}

impl FieldIndex {
    /// An index of atoms of one field, each with its units.
    pub(crate) fn new(slot: Slot, atoms: &[(&AtomKind, &[u32])]) -> Self {
        let mut index = Self {
            slot,
            units: Vec::new(),
            present: None,
            texts: FxHashMap::default(),
            values: FxHashMap::default(),
            automaton: None,
            parts: Vec::new(),
        };
        let mut patterns: Vec<&str> = Vec::new();
        for (kind, units) in atoms {
            let start = index.units.len() as u32;
            index.units.extend(*units);
            let found = Found { start, end: index.units.len() as u32 };
            match kind {
                AtomKind::Present => index.present = Some(found),
                AtomKind::Text(text) => {
                    index.texts.insert(text.clone(), found);
                }
                AtomKind::Value(hash, _) => {
                    index.values.insert(*hash, found);
                }
                AtomKind::Part(text, place) => {
                    patterns.push(text);
                    index.parts.push((*place, found));
                }
            }
        }
        if !patterns.is_empty() {
            // A table of all steps: the quickest of its kinds over the long texts that it is asked.
            let automaton = AhoCorasick::builder()
                .match_kind(MatchKind::Standard)
                .kind(Some(AhoCorasickKind::DFA))
                .start_kind(StartKind::Unanchored)
                .build(&patterns);
            match automaton {
                Ok(automaton) => index.automaton = Some(automaton),
                // Too many patterns for the automaton: every event that has the field is a candidate.
                Err(_) => index.present = Some(Found { start: 0, end: index.units.len() as u32 }),
            }
        }
        index
    }

    /// Whether texts are asked for, not only whether there are any.
    pub(crate) fn asks_text(&self) -> bool {
        !self.texts.is_empty() || self.automaton.is_some()
    }

    /// All units that are found here.
    pub(crate) fn units(&self) -> &[u32] {
        &self.units
    }

    /// Hands the units whose atoms an event answers with yes to `found`; some of them more than once. `buffer` is
    /// scratch.
    #[inline]
    pub(crate) fn look(&self, slots: &Slots, buffer: &mut String, mut found: impl FnMut(u32)) {
        if !slots.is_present(self.slot) {
            return;
        }
        self.each(self.present, &mut found);
        if !self.asks_text() && self.values.is_empty() {
            return;
        }
        for value in slots.values(self.slot) {
            match value {
                ValueRef::Text(text) | ValueRef::Version(text) => self.look_text(text, buffer, &mut found),
                ValueRef::Object => {}
                other => self.look_value(other, buffer, &mut found),
            }
        }
    }

    #[inline]
    fn look_text(&self, text: &str, buffer: &mut String, found: &mut impl FnMut(u32)) {
        fold_into(text, buffer);
        if !self.texts.is_empty() {
            self.each(self.texts.get(buffer.as_str()).copied(), found);
        }
        if let Some(automaton) = &self.automaton {
            for place in automaton.find_overlapping_iter(buffer.as_str()) {
                let (wanted, units) = self.parts[place.pattern().as_usize()];
                if wanted.holds(place.start(), place.end(), buffer.len()) {
                    self.each(Some(units), found);
                }
            }
        }
    }

    /// A value that is no text; patterns see it as one.
    fn look_value(&self, value: ValueRef<'_>, buffer: &mut String, found: &mut impl FnMut(u32)) {
        if let Some(hash) = value_hash(value) {
            self.each(self.values.get(&hash).copied(), found);
        }
        if self.asks_text()
            && let Some(text) = Datum::from(value).to_text()
        {
            self.look_text(&text, buffer, found);
        }
    }

    #[inline]
    fn each(&self, range: Option<Found>, found: &mut impl FnMut(u32)) {
        if let Some(Found { start, end }) = range {
            self.units[start as usize..end as usize].iter().for_each(|unit| found(*unit));
        }
    }
}

/// The folded text, in a buffer that is used again.
#[inline]
pub(super) fn fold_into(text: &str, buffer: &mut String) {
    buffer.clear();
    if text.is_ascii() {
        buffer.push_str(text);
        buffer.make_ascii_lowercase();
    } else {
        buffer.extend(text.chars().map(fold_char));
    }
}

/// Atoms with their units, field by field.
pub(crate) fn by_field(atoms: &[(Atom, Vec<u32>)]) -> Vec<FieldIndex> {
    let same_field = |a: &(Atom, Vec<u32>), b: &(Atom, Vec<u32>)| a.0.slot == b.0.slot;
    let index = |group: &[(Atom, Vec<u32>)]| {
        let kinds: Vec<_> = group.iter().map(|(atom, units)| (&atom.kind, units.as_slice())).collect();
        FieldIndex::new(group[0].0.slot, &kinds)
    };
    atoms.chunk_by(same_field).map(index).collect()
}
