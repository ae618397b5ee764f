//! The conditions of a query as it is written: a tree with the place of each in the text, for explanations.
//!
//! The [`Predicate`] that events are matched with has negation pushed down and constants folded, and knows no places.
//! Here every condition of the text is still there. A single condition carries two predicates, one that it holds and
//! one that it fails: where neither is so it is null. `and`, `or` and `not` follow from their parts by three-valued
//! logic, so the root is true for exactly the events that the query's predicate matches.

use maxspan_diagnostics::Span;
use maxspan_event::{NestedSlot, Slot, Slots, Value, ValueRef};

use crate::predicate::{Environment, Predicate};
use crate::stream::Key;

/// A condition and where it stands.
#[derive(Debug, Clone)]
pub struct Condition {
    /// Where it stands in the query.
    pub span: Span,
    /// What it is.
    pub kind: ConditionKind,
}

/// What a condition is.
#[derive(Debug, Clone)]
pub enum ConditionKind {
    /// All of them.
    And(Vec<Condition>),
    /// Any of them.
    Or(Vec<Condition>),
    /// Not so.
    Not(Box<Condition>),
    /// One object of an array satisfies the whole condition by itself.
    Nested(NestedSlot, Box<Condition>),
    /// A condition without conditions in it.
    Single(Box<Single>),
    /// A relation to other events' processes, which one event by itself does not decide.
    Related,
}

/// A condition without conditions in it.
#[derive(Debug, Clone)]
pub struct Single {
    /// When it is true.
    pub holds: Predicate,
    /// When it is false; it is null where neither this nor `holds` is so.
    pub fails: Predicate,
    /// The fields that it reads, in the order of the text.
    pub reads: Vec<Read>,
}

/// A field that a condition reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// The field's name, as the query has it.
    pub name: String,
    /// The path of its values in the event.
    pub path: String,
    /// What the schema calls its type.
    pub kind: &'static str,
    /// Where it stands in the query.
    pub span: Span,
    /// Where its values are.
    pub slot: Slot,
}

/// The conditions of a whole query, in the order of the plan's steps.
#[derive(Debug, Clone)]
pub struct Outline {
    /// One for an event query; one a step for sequences and samples, a stage `with runs=n` n times.
    pub stages: Vec<Stage>,
    /// What ends a sequence in vain.
    pub until: Option<Stage>,
    /// Where `maxspan` is written.
    pub maxspan: Option<Span>,
}

/// A stage of a sequence or sample, or the whole of an event query.
#[derive(Debug, Clone)]
pub struct Stage {
    /// Where it stands.
    pub span: Span,
    /// What its event must satisfy.
    pub condition: Condition,
    /// There must be no such event.
    pub missing: bool,
    /// The join keys, those of all stages first.
    pub keys: Vec<(Read, Key)>,
}

/// Three-valued truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Truth {
    /// So.
    True,
    /// Not so.
    False,
    /// Neither: something that it needs is missing.
    Null,
}

/// What became of a condition for one event.
#[derive(Debug, Clone)]
pub struct Verdict<'c> {
    /// The condition.
    pub condition: &'c Condition,
    /// Its truth.
    pub truth: Truth,
    /// The values of the fields that it reads, for a single condition.
    pub values: Vec<Vec<Value>>,
    /// What became of its parts. Of a nested condition: of the object that comes closest.
    pub parts: Vec<Verdict<'c>>,
}

impl Truth {
    /// Its name in output.
    pub fn name(self) -> &'static str {
        match self {
            Self::True => "true",
            Self::False => "false",
            Self::Null => "null",
        }
    }

    fn not(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            Self::Null => Self::Null,
        }
    }

    /// `and`, which false decides, or `or`, which true decides.
    fn joined(parts: impl IntoIterator<Item = Self>, deciding: Self) -> Self {
        let mut unknown = false;
        for part in parts {
            if part == deciding {
                return deciding;
            }
            unknown |= part == Self::Null;
        }
        if unknown { Self::Null } else { deciding.not() }
    }
}

impl Condition {
    /// What becomes of the condition and all its parts.
    pub fn evaluate<'c>(&'c self, slots: &Slots) -> Verdict<'c> {
        let parts_of = |list: &'c [Self]| list.iter().map(|one| one.evaluate(slots)).collect::<Vec<_>>();
        let (truth, values, parts) = match &self.kind {
            ConditionKind::And(all) => {
                let parts = parts_of(all);
                (Truth::joined(parts.iter().map(|part| part.truth), Truth::False), Vec::new(), parts)
            }
            ConditionKind::Or(any) => {
                let parts = parts_of(any);
                (Truth::joined(parts.iter().map(|part| part.truth), Truth::True), Vec::new(), parts)
            }
            ConditionKind::Not(inner) => {
                let part = inner.evaluate(slots);
                (part.truth.not(), Vec::new(), vec![part])
            }
            ConditionKind::Nested(objects, inner) => {
                let objects = slots.nested(*objects);
                let closest = objects.iter().min_by_key(|object| inner.distance(object));
                // Without an object, the inner conditions still say what is missing.
                let part =
                    closest.map_or_else(|| inner.evaluate(&Slots::default()), |one| inner.evaluate(one));
                let truth =
                    if closest.is_some() && part.truth == Truth::True { Truth::True } else { Truth::False };
                (truth, Vec::new(), vec![part])
            }
            ConditionKind::Single(single) => (single.truth(slots), single.values(slots), Vec::new()),
            ConditionKind::Related => (Truth::Null, Vec::new(), Vec::new()),
        };
        Verdict { condition: self, truth, values, parts }
    }

    /// How many single conditions would have to turn for the condition to be true; 0 where it is.
    pub fn distance(&self, slots: &Slots) -> u32 {
        self.distance_to(slots, true)
    }

    fn distance_to(&self, slots: &Slots, wanted: bool) -> u32 {
        let parts = |list: &[Self], all: bool| {
            let distances = list.iter().map(|one| one.distance_to(slots, wanted));
            // All must turn out as wanted, or one is enough.
            if all { distances.sum() } else { distances.min().unwrap_or(1) }
        };
        match &self.kind {
            ConditionKind::And(list) => parts(list, wanted),
            ConditionKind::Or(list) => parts(list, !wanted),
            ConditionKind::Not(inner) => inner.distance_to(slots, !wanted),
            ConditionKind::Nested(objects, inner) => {
                let distances = slots.nested(*objects).iter().map(|object| inner.distance_to(object, wanted));
                if wanted { distances.min().unwrap_or_else(|| inner.singles()) } else { distances.sum() }
            }
            ConditionKind::Single(single) => {
                let predicate = if wanted { &single.holds } else { &single.fails };
                u32::from(!predicate.holds(Environment::new(slots)))
            }
            ConditionKind::Related => 0,
        }
    }

    /// How many single conditions there are.
    pub fn singles(&self) -> u32 {
        match &self.kind {
            ConditionKind::And(list) | ConditionKind::Or(list) => list.iter().map(Self::singles).sum(),
            ConditionKind::Not(inner) | ConditionKind::Nested(_, inner) => inner.singles(),
            ConditionKind::Single(_) | ConditionKind::Related => 1,
        }
    }
}

impl Single {
    fn truth(&self, slots: &Slots) -> Truth {
        let environment = Environment::new(slots);
        if self.holds.holds(environment) {
            Truth::True
        } else if self.fails.holds(environment) {
            Truth::False
        } else {
            Truth::Null
        }
    }

    fn values(&self, slots: &Slots) -> Vec<Vec<Value>> {
        self.reads.iter().map(|read| slots.values(read.slot).map(ValueRef::into_value).collect()).collect()
    }
}

impl Verdict<'_> {
    /// The single conditions that keep the whole from being true, in the order of the text: those that `and` needs,
    /// and where an alternative is missing all of its alternatives.
    pub fn obstacles(&self) -> Vec<&Self> {
        let mut out = Vec::new();
        self.collect_obstacles(true, &mut out);
        out
    }

    fn collect_obstacles<'v>(&'v self, wanted: bool, out: &mut Vec<&'v Self>) {
        if self.truth == (if wanted { Truth::True } else { Truth::False }) {
            return;
        }
        match &self.condition.kind {
            ConditionKind::Not(_) => self.parts.iter().for_each(|part| part.collect_obstacles(!wanted, out)),
            ConditionKind::Single(_) | ConditionKind::Related => out.push(self),
            _ => self.parts.iter().for_each(|part| part.collect_obstacles(wanted, out)),
        }
    }
}
