//! The gate: fields with few values, which together say at once which units an event can be for.
//!
//! A combination of their values comes again and again, so what it lets through is worked out once.

use maxspan_event::wildcard::fold;
use maxspan_event::{Fields, Schema, Slot, Slots, ValueRef};
use maxspan_plan::{CompareOp, Datum, Expr, Predicate, TestKind};
use rustc_hash::FxHashMap;

use super::atom::{Atom, AtomKind};
use super::index::fold_into;

/// The fields of the gate.
const FIELDS: [&str; 9] = [
    "event.category",
    "host.os.type",
    "event.type",
    "event.action",
    "event.dataset",
    "event.module",
    "event.provider",
    "event.outcome",
    "event.code",
];

/// The first of these tell classes of events apart; the others tell kinds of events.
const COARSE_FIELDS: usize = 3;

/// A set of units, bit by bit.
pub(crate) type Units = Box<[u64]>;

/// Which units a value of one field lets through.
#[derive(Debug)]
struct GateField {
    slot: Slot,
    /// Values that some unit asks for, folded, with their numbers.
    numbers: FxHashMap<Box<str>, u16>,
    /// Bytes of the longest of them, as long as it can be before it is folded.
    longest: usize,
    /// By number, the units that ask for the value.
    units: Vec<Units>,
    /// The units that ask nothing of the field.
    any: Units,
}

/// The gate of a rule set.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    fields: Vec<GateField>,
    units: usize,
}

/// The value of each field that was looked up last: events that follow each other often have the same.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    values: Vec<LastValue>,
    folded: String,
}

#[derive(Debug, Default)]
struct LastValue {
    /// None before the first one.
    text: Option<String>,
    /// Its number; none where no unit asks for it.
    number: Option<u16>,
}

/// What each unit asks of the gate's fields.
#[derive(Debug, Clone, Default)]
pub(crate) struct Requirement {
    /// By field, the values of which there must be one; none where anything will do.
    values: Vec<Option<Vec<Box<str>>>>,
}

impl Requirement {
    /// What a predicate asks.
    pub(crate) fn of(predicate: &Predicate, slots: &[Slot], fields: &Fields) -> Self {
        // Where a mapping makes something else of the field, its values are not the texts that are asked for.
        let is_text = |slot: Slot| fields.field(slot).kind.is_keyword();
        let of_slot = |slot: &Slot| if is_text(*slot) { required(predicate, *slot) } else { None };
        Self { values: slots.iter().map(of_slot).collect() }
    }

    /// Whether nothing is asked that tells kinds of events apart.
    pub(crate) fn is_coarse(&self) -> bool {
        self.values.iter().skip(COARSE_FIELDS).all(Option::is_none)
    }

    /// What is asked, field by field, for `rules explain`.
    pub(crate) fn describe(&self) -> impl Iterator<Item = (&'static str, &[Box<str>])> {
        FIELDS.into_iter().zip(&self.values).filter_map(|(name, values)| Some((name, values.as_deref()?)))
    }

    /// The same, field by field, as atoms.
    pub(crate) fn atoms(&self, slots: &[Slot]) -> Vec<Vec<Atom>> {
        let of_field = |(slot, values): (&Slot, &Option<Vec<Box<str>>>)| {
            let atom = |value: &str| Atom { slot: *slot, kind: AtomKind::Text(value.into()) };
            values.as_ref().map(|values| values.iter().map(|value| atom(value)).collect())
        };
        slots.iter().zip(&self.values).filter_map(of_field).collect()
    }
}

/// The slots of the gate's fields.
pub(crate) fn slots(fields: &mut Fields, schema: &Schema) -> Vec<Slot> {
    FIELDS.iter().map(|name| fields.slot(&schema.field(name))).collect()
}

impl Gate {
    /// The gate for units with these requirements.
    pub(crate) fn new(slots: &[Slot], requirements: &[Requirement]) -> Self {
        let units = requirements.len();
        let field = |(number, slot): (usize, &Slot)| {
            let mut field = GateField {
                slot: *slot,
                numbers: FxHashMap::default(),
                longest: 0,
                units: Vec::new(),
                any: empty(units),
            };
            for (unit, requirement) in requirements.iter().enumerate() {
                match &requirement.values[number] {
                    None => insert(&mut field.any, unit),
                    Some(values) => values.iter().for_each(|value| field.ask(value, unit, units)),
                }
            }
            field
        };
        Self { fields: slots.iter().enumerate().map(field).collect(), units }
    }

    /// The slots of its fields.
    pub(crate) fn slots(&self) -> Vec<Slot> {
        self.fields.iter().map(|field| field.slot).collect()
    }

    /// Adds what the event has for the gate to a key: the same for all events that it treats the same.
    #[inline]
    pub(crate) fn key(&self, slots: &Slots, recent: &mut Recent, key: &mut Vec<u16>) {
        recent.values.resize_with(self.fields.len(), Default::default);
        for (field, last) in self.fields.iter().zip(&mut recent.values) {
            let start = key.len();
            // The place of the number of values; a field has no more different ones than that holds.
            key.push(0);
            for value in slots.values(field.slot) {
                let ValueRef::Text(text) = value else { continue };
                if text.len() > field.longest {
                    continue;
                }
                if last.text.as_deref() != Some(text) {
                    fold_into(text, &mut recent.folded);
                    last.number = field.numbers.get(recent.folded.as_str()).copied();
                    let kept = last.text.get_or_insert_default();
                    kept.clear();
                    kept.push_str(text);
                }
                key.extend(last.number.filter(|number| !key[start + 1..].contains(number)));
            }
            key[start + 1..].sort_unstable();
            key[start] = (key.len() - start - 1) as u16;
        }
    }

    /// The units that a key made by [`Gate::key`] lets through.
    pub(crate) fn units(&self, key: &[u16]) -> Units {
        let mut alive = vec![u64::MAX; self.units.div_ceil(64)].into_boxed_slice();
        let mut rest = key;
        for field in &self.fields {
            let Some((count, after)) = rest.split_first() else { break };
            let (numbers, after) = after.split_at(usize::from(*count).min(after.len()));
            rest = after;
            for (word, alive) in alive.iter_mut().enumerate() {
                let asked =
                    numbers.iter().fold(0, |bits, number| bits | field.units[usize::from(*number)][word]);
                *alive &= field.any[word] | asked;
            }
        }
        alive
    }
}

impl GateField {
    fn ask(&mut self, value: &str, unit: usize, units: usize) {
        let next = self.units.len();
        let number = match self.numbers.get(value) {
            Some(number) => *number,
            // More values than numbers: the unit asks nothing.
            None if next == usize::from(u16::MAX) => return insert(&mut self.any, unit),
            None => {
                self.numbers.insert(value.into(), next as u16);
                // Folding changes the length of a character to no less than a quarter.
                self.longest = self.longest.max(value.len() * 4);
                self.units.push(empty(units));
                next as u16
            }
        };
        insert(&mut self.units[usize::from(number)], unit);
    }
}

fn empty(units: usize) -> Units {
    vec![0; units.div_ceil(64)].into()
}

pub(crate) fn insert(units: &mut [u64], unit: usize) {
    units[unit / 64] |= 1 << (unit % 64);
}

#[inline]
pub(crate) fn contains(units: &[u64], unit: usize) -> bool {
    units[unit / 64] >> (unit % 64) & 1 == 1
}

/// The folded values of which the field must have one for the predicate to hold; none where it may have any, or none.
fn required(predicate: &Predicate, slot: Slot) -> Option<Vec<Box<str>>> {
    let folded = |text: &str| Box::from(&*fold(text));
    match predicate {
        Predicate::And(all) => {
            let lists = all.iter().filter_map(|one| required(one, slot));
            lists.min_by_key(Vec::len)
        }
        Predicate::Or(any) => {
            let lists: Option<Vec<_>> = any.iter().map(|one| required(one, slot)).collect();
            lists.map(|lists| lists.concat())
        }
        Predicate::Test(test) if test.slot == slot => match &test.kind {
            TestKind::OneOf(set) if set.others().is_empty() => {
                Some(set.texts().into_iter().map(folded).collect())
            }
            TestKind::Wildcard(patterns) => {
                patterns.iter().map(|one| one.literal().map(|text| folded(&text))).collect()
            }
            _ => None,
        },
        Predicate::Script(Expr::Compare(CompareOp::Equal, left, right)) => match (&**left, &**right) {
            (Expr::Field(field), Expr::Constant(Datum::Text(text))) if *field == slot => {
                Some(vec![folded(text)])
            }
            _ => None,
        },
        _ => None,
    }
}
