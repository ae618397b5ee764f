//! Which fields are needed ([`Fields`]) and their values in one event ([`Slots`]).

use std::cell::Cell;

use rustc_hash::FxHashMap;

use crate::field::Field;
use crate::limits::{LEAVES_PER_EVENT_MAX, VALUES_PER_FIELD_MAX};
use crate::value::Value;

/// The place of a field's values in [`Slots`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot(pub(crate) u32);

/// The place of the objects of a nested query in [`Slots`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NestedSlot(pub(crate) u32);

/// The fields that somebody named, each with its slot. Equal fields share one.
#[derive(Debug, Clone, Default)]
pub struct Fields {
    list: Vec<Field>,
    by_field: FxHashMap<Field, Slot>,
    pub(crate) leaves: bool,
    pub(crate) nested: Vec<Nested>,
}

/// Objects under a path, kept apart for nested queries, and the fields that are asked of each.
#[derive(Debug, Clone)]
pub(crate) struct Nested {
    pub(crate) path: String,
    pub(crate) fields: Fields,
}

impl Slot {
    /// The number of the slot, from 0 in the order of [`Fields::iter`].
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl Fields {
    /// The slot of a field; a new one unless the same field was asked for before.
    pub fn slot(&mut self, field: &Field) -> Slot {
        if let Some(slot) = self.by_field.get(field) {
            return *slot;
        }
        let slot = Slot(self.list.len() as u32);
        self.list.push(field.clone());
        self.by_field.insert(field.clone(), slot);
        slot
    }

    /// Asks for every leaf of the events, as free text and wildcard field names need; see [`Slots::leaves`].
    pub fn want_leaves(&mut self) {
        self.leaves = true;
    }

    /// Asks for the objects under `path`, each with its own fields, which are named relative to the path.
    pub fn nested(&mut self, path: &str, fields: Fields) -> NestedSlot {
        self.nested.push(Nested { path: path.to_owned(), fields });
        NestedSlot(self.nested.len() as u32 - 1)
    }

    /// The field of a slot.
    pub fn field(&self, slot: Slot) -> &Field {
        &self.list[slot.0 as usize]
    }

    /// All fields in order of their slots.
    pub fn iter(&self) -> impl Iterator<Item = (Slot, &Field)> {
        self.list.iter().enumerate().map(|(i, field)| (Slot(i as u32), field))
    }

    /// How many slots there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether no field was asked for.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

/// One scalar of an event and the path it stands at.
#[derive(Debug, Clone, PartialEq)]
pub struct Leaf {
    /// The path with dots; elements of arrays share it.
    pub path: Box<str>,
    /// The field that the schema has for the path.
    pub field: Field,
    /// The value, decoded as that field's type.
    pub value: Value,
}

/// The values of one event. Reused from event to event.
#[derive(Debug, Default)]
pub struct Slots {
    values: Vec<Vec<Value>>,
    touched: Vec<Slot>,
    leaves: Vec<Leaf>,
    nested: Vec<Vec<Slots>>,
    values_dropped: u64,
    texts_dropped: Cell<u64>,
    /// [`Self::values_dropped`] before this event.
    dropped_before: u64,
    number_texts: bool,
}

impl Slots {
    /// All values of a field, in the order of the document; empty where the field is missing.
    pub fn values(&self, slot: Slot) -> &[Value] {
        self.values.get(slot.0 as usize).map_or(&[], Vec::as_slice)
    }

    /// The value that a script sees: the first in sorted order.
    pub fn first(&self, slot: Slot) -> Option<&Value> {
        match self.values(slot) {
            [] => None,
            [only] => Some(only),
            several => several.iter().min_by(|a, b| a.total_cmp(b)),
        }
    }

    /// Every leaf of the event; only filled when [`Fields::want_leaves`] was called.
    pub fn leaves(&self) -> &[Leaf] {
        &self.leaves
    }

    /// The objects of a nested query, each with its own slots.
    pub fn nested(&self, slot: NestedSlot) -> &[Slots] {
        self.nested.get(slot.0 as usize).map_or(&[], Vec::as_slice)
    }

    /// How many values went beyond the limits of one field and of free text since the slots were made.
    pub fn values_dropped(&self) -> u64 {
        self.values_dropped
    }

    /// How many texts an expression did not make, because they would be longer than its limit, since the slots were
    /// made.
    pub fn texts_dropped(&self) -> u64 {
        self.texts_dropped.get()
    }

    /// Counts a text that an expression did not make.
    pub fn count_dropped_text(&self) {
        self.texts_dropped.set(self.texts_dropped.get() + 1);
    }

    /// Adds a value to a field.
    pub fn push(&mut self, slot: Slot, value: Value) {
        let index = slot.0 as usize;
        if self.values.len() <= index {
            self.values.resize_with(index + 1, Vec::new);
        }
        let values = &mut self.values[index];
        if values.is_empty() {
            self.touched.push(slot);
        }
        if values.len() == VALUES_PER_FIELD_MAX {
            self.values_dropped += 1;
            return;
        }
        values.push(value);
    }

    /// Forgets the event, keeps the memory.
    pub(crate) fn clear(&mut self) {
        for slot in self.touched.drain(..) {
            self.values[slot.0 as usize].clear();
        }
        self.leaves.clear();
        for objects in &mut self.nested {
            objects.clear();
        }
        self.dropped_before = self.values_dropped;
        self.number_texts = false;
    }

    /// Forgets what was filled in since [`Self::clear`].
    pub(crate) fn begin_again(&mut self) {
        self.values_dropped = self.dropped_before;
        self.clear();
    }

    /// Notes that a value should be the text of a number, which was not at hand.
    pub(crate) fn want_number_texts(&mut self) {
        self.number_texts = true;
    }

    pub(crate) fn wants_number_texts(&self) -> bool {
        self.number_texts
    }

    pub(crate) fn push_leaf(&mut self, leaf: Leaf) {
        if self.leaves.len() == LEAVES_PER_EVENT_MAX {
            self.values_dropped += 1;
            return;
        }
        self.leaves.push(leaf);
    }

    pub(crate) fn push_nested(&mut self, slot: NestedSlot, object: Slots) {
        let index = slot.0 as usize;
        if self.nested.len() <= index {
            self.nested.resize_with(index + 1, Vec::new);
        }
        self.nested[index].push(object);
    }
}
