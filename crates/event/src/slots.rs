//! Which fields are needed ([`Fields`]) and their values in one event ([`Slots`]).

use std::cell::{Cell, OnceCell};
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::coerce::{Scalar, coerce, normalized};
use crate::decode::{Buffers, unescape};
use crate::field::Field;
use crate::limits::{LEAVES_PER_EVENT_MAX, UNESCAPED_AT_ONCE_MAX, VALUES_PER_FIELD_MAX};
use crate::value::{Value, ValueRef};

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

/// How much was asked for at some time.
#[derive(Debug, Clone, Copy)]
pub struct FieldsMark {
    slots: usize,
    nested: usize,
    leaves: bool,
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

    /// What was asked for up to now; see [`Fields::forget_since`].
    pub fn mark(&self) -> FieldsMark {
        FieldsMark { slots: self.list.len(), nested: self.nested.len(), leaves: self.leaves }
    }

    /// Forgets what was asked for since a mark, so that nothing is decoded in vain for a rule that does not run. Slots
    /// given out since then mean nothing any more.
    pub fn forget_since(&mut self, mark: FieldsMark) {
        for field in self.list.drain(mark.slots..) {
            self.by_field.remove(&field);
        }
        self.nested.truncate(mark.nested);
        self.leaves = mark.leaves;
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

/// Where a text stands in [`Slots::text`], in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Span {
    /// From `start` up to `end`; texts are shorter than 4 GiB.
    pub(crate) fn new(start: usize, end: usize) -> Self {
        Self { start: start as u32, end: end as u32 }
    }

    /// Where it begins.
    pub(crate) fn start(self) -> usize {
        self.start as usize
    }

    /// Where it ends.
    pub(crate) fn end(self) -> usize {
        self.end as usize
    }

    /// What stands there.
    pub(crate) fn of(self, text: &str) -> &str {
        &text[self.start()..self.end()]
    }

    fn len(self) -> usize {
        (self.end - self.start) as usize
    }
}

/// A value as it stands in the document.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Raw {
    Boolean(bool),
    Number(Span),
    Text(Span),
    /// A string with escapes; its number among those.
    Escaped(u32),
    Object,
}

/// A value, and the next one of the same field.
#[derive(Debug, Clone, Copy)]
struct Entry {
    raw: Raw,
    next: u32,
}

/// The values of one field among the entries.
#[derive(Debug, Clone, Copy, Default)]
struct Chain {
    first: u32,
    last: u32,
    count: u32,
}

/// A string with escapes, and the text that it stands for once somebody has asked.
#[derive(Debug)]
struct Escaped {
    span: Span,
    text: OnceCell<Box<str>>,
}

/// What limits dropped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Values beyond the limits of one field and of free text.
    pub values: u64,
    /// Texts that an expression did not make, because they would be longer than its limit.
    pub texts: u64,
}

/// The values of one event. Reused from event to event.
///
/// A value is kept as the place where it stands in the document, and takes its field's type when it is looked at: most
/// values of most events never are.
#[derive(Debug, Default)]
pub struct Slots {
    fields: Arc<[Field]>,
    /// The document, then texts that stand in it otherwise.
    text: String,
    entries: Vec<Entry>,
    chains: Vec<Chain>,
    touched: Vec<Slot>,
    escaped: Vec<Escaped>,
    leaves: Vec<Leaf>,
    nested: Vec<Vec<Slots>>,
    values_dropped: u64,
    texts_dropped: Cell<u64>,
    pub(crate) buffers: Buffers,
}

impl Slots {
    /// All values of a field, in the order of the document; none where the field is missing.
    #[inline]
    pub fn values(&self, slot: Slot) -> Values<'_> {
        let chain = self.chain(slot);
        Values { slots: self, slot, next: chain.first, left: chain.count }
    }

    /// Whether the field is there.
    #[inline]
    pub fn is_present(&self, slot: Slot) -> bool {
        self.chain(slot).count > 0
    }

    /// The fields that are there, in no order of meaning.
    pub fn present(&self) -> &[Slot] {
        &self.touched
    }

    /// The value that a script sees: the first in sorted order.
    pub fn first(&self, slot: Slot) -> Option<ValueRef<'_>> {
        let mut values = self.values(slot);
        let first = values.next()?;
        Some(values.fold(first, |least, value| if value.total_cmp(&least).is_lt() { value } else { least }))
    }

    /// Every leaf of the event; only filled when [`Fields::want_leaves`] was called.
    pub fn leaves(&self) -> &[Leaf] {
        &self.leaves
    }

    /// The objects of a nested query, each with its own slots.
    pub fn nested(&self, slot: NestedSlot) -> &[Slots] {
        self.nested.get(slot.0 as usize).map_or(&[], Vec::as_slice)
    }

    /// What limits dropped since the slots were made.
    pub fn dropped(&self) -> Dropped {
        Dropped { values: self.values_dropped, texts: self.texts_dropped.get() }
    }

    /// Sets what limits dropped: who looks at an event a second time counts it once.
    pub fn set_dropped(&mut self, dropped: Dropped) {
        self.values_dropped = dropped.values;
        self.texts_dropped.set(dropped.texts);
    }

    /// Counts a text that an expression did not make.
    pub fn count_dropped_text(&self) {
        self.texts_dropped.set(self.texts_dropped.get() + 1);
    }

    /// Adds a string to a field.
    pub fn push_text(&mut self, slot: Slot, text: &str) {
        let span = self.keep(slot, text);
        self.push_raw(slot, Raw::Text(span));
    }

    /// Begins with an event; what was there before is gone, its memory is kept.
    pub(crate) fn begin(&mut self, fields: &Arc<[Field]>, document: &str) {
        if Arc::ptr_eq(&self.fields, fields) {
            self.touched.drain(..).for_each(|slot| self.chains[slot.index()] = Chain::default());
        } else {
            self.fields = Arc::clone(fields);
            self.touched.clear();
            self.chains.clear();
            self.chains.resize(fields.len(), Chain::default());
        }
        self.text.clear();
        self.text.push_str(document);
        self.entries.clear();
        self.escaped.clear();
        self.leaves.clear();
        self.nested.iter_mut().for_each(Vec::clear);
    }

    /// Adds a string that stands in the document, which was checked to have valid escapes. Who is sure to look at it says
    /// so: its escapes are undone at once, in memory that is used again.
    #[inline]
    pub(crate) fn push_string(
        &mut self,
        slot: Slot,
        document: &str,
        span: Span,
        escaped: bool,
        looked_at: bool,
    ) {
        let literal = || &document[span.start as usize..span.end as usize];
        let raw = if self.fields[slot.index()].lowercase {
            let text = unescape::unescaped(literal()).unwrap_or_default();
            Raw::Text(self.keep(slot, &text))
        } else if escaped && looked_at && span.len() <= UNESCAPED_AT_ONCE_MAX {
            let start = self.text.len();
            // It was checked, so there is nothing to miss.
            let _ = unescape::unescape_into(literal(), &mut self.text);
            Raw::Text(Span::new(start, self.text.len()))
        } else if escaped {
            self.escaped.push(Escaped { span, text: OnceCell::new() });
            Raw::Escaped(self.escaped.len() as u32 - 1)
        } else {
            Raw::Text(span)
        };
        self.push_raw(slot, raw);
    }

    /// Adds a number that stands in the document.
    #[inline]
    pub(crate) fn push_number(&mut self, slot: Slot, span: Span) {
        self.push_raw(slot, Raw::Number(span));
    }

    /// Adds a number by how it is written.
    pub(crate) fn push_number_text(&mut self, slot: Slot, text: &str) {
        let span = self.keep(slot, text);
        self.push_raw(slot, Raw::Number(span));
    }

    /// Adds a value to a field.
    #[inline]
    pub(crate) fn push_raw(&mut self, slot: Slot, raw: Raw) {
        let chain = &mut self.chains[slot.index()];
        if chain.count as usize == VALUES_PER_FIELD_MAX {
            self.values_dropped += 1;
            return;
        }
        let place = self.entries.len() as u32;
        self.entries.push(Entry { raw, next: u32::MAX });
        if chain.count == 0 {
            chain.first = place;
            self.touched.push(slot);
        } else {
            self.entries[chain.last as usize].next = place;
        }
        chain.last = place;
        chain.count += 1;
    }

    /// Begins with the leaves of the event.
    pub(crate) fn begin_leaves(&mut self) {
        self.leaves.clear();
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

    /// Keeps a text beside the document, normalized for the field.
    fn keep(&mut self, slot: Slot, text: &str) -> Span {
        let start = self.text.len();
        self.text.push_str(&normalized(text, &self.fields[slot.index()]));
        Span::new(start, self.text.len())
    }

    #[inline]
    fn chain(&self, slot: Slot) -> Chain {
        self.chains.get(slot.index()).copied().unwrap_or_default()
    }

    #[inline]
    fn value(&self, raw: Raw, slot: Slot) -> ValueRef<'_> {
        let scalar = match raw {
            Raw::Object => return ValueRef::Object,
            Raw::Boolean(value) => Scalar::Boolean(value),
            Raw::Number(span) => Scalar::Number(self.span(span)),
            Raw::Text(span) => Scalar::Text(self.span(span)),
            Raw::Escaped(number) => {
                let Escaped { span, text } = &self.escaped[number as usize];
                let unescaped = || unescape::unescaped(self.span(*span)).unwrap_or_default().into();
                Scalar::Text(text.get_or_init(unescaped))
            }
        };
        coerce(scalar, &self.fields[slot.index()])
    }

    #[inline]
    fn span(&self, span: Span) -> &str {
        &self.text[span.start as usize..span.end as usize]
    }
}

/// The values of a field.
#[derive(Debug, Clone)]
pub struct Values<'a> {
    slots: &'a Slots,
    slot: Slot,
    next: u32,
    left: u32,
}

impl<'a> Iterator for Values<'a> {
    type Item = ValueRef<'a>;

    #[inline]
    fn next(&mut self) -> Option<ValueRef<'a>> {
        if self.left == 0 {
            return None;
        }
        let entry = self.slots.entries[self.next as usize];
        (self.next, self.left) = (entry.next, self.left - 1);
        Some(self.slots.value(entry.raw, self.slot))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left as usize, Some(self.left as usize))
    }
}

impl ExactSizeIterator for Values<'_> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Schema;

    #[test]
    fn what_was_asked_for_since_a_mark_is_forgotten() {
        let (schema, mut fields) = (Schema::empty(), Fields::default());
        let kept = fields.slot(&schema.field("a"));
        let mark = fields.mark();
        fields.slot(&schema.field("b"));
        fields.nested("n", Fields::default());
        fields.want_leaves();
        fields.forget_since(mark);
        assert_eq!((fields.len(), fields.nested.len(), fields.leaves), (1, 0, false));
        assert_eq!((fields.slot(&schema.field("a")), fields.slot(&schema.field("b"))), (kept, Slot(1)));
    }
}
