//! What an event must have to satisfy a predicate: from a condition to atoms of which one must hold.
//!
//! The analysis errs to one side: it may ask too little of an event, never too much. A negated condition asks nothing
//! (a missing field satisfies it), but for scripts, where a missing field makes null, and null is not true.

use std::cell::RefCell;
use std::collections::BTreeSet;

use maxspan_event::wildcard::{Wildcard, fold};
use maxspan_event::{FieldType, Fields, Slot, Value};
use maxspan_plan::{CompareOp, Datum, Expr, LuceneRegex, Predicate, TestKind, TextMode, TextQuery};

use super::atom::{Atom, AtomKind, Place};
use super::selectivity::Selectivity;

/// Atoms of which at least one holds for every event that satisfies the predicate. None: nothing is known; no atom at
/// all: no event does.
pub(crate) type Guard = Option<Vec<Atom>>;

/// Finds guards.
pub(crate) struct Analysis<'a> {
    /// The fields of the gate, which are asked before.
    pub(crate) gate: &'a [Slot],
    pub(crate) fields: &'a Fields,
    pub(crate) selectivity: &'a Selectivity,
    /// Collects all atoms that guards are chosen from, where somebody wants to count them.
    pub(crate) considered: Option<RefCell<BTreeSet<Atom>>>,
}

impl Analysis<'_> {
    /// The guard of a predicate that lets the fewest events through; none where there is only what the gate asks.
    pub(crate) fn guard(&self, predicate: &Predicate) -> Guard {
        let guard = self.predicate(predicate, true);
        self.consider(guard.iter().flatten());
        let is_asked = |atom: &Atom| self.gate.contains(&atom.slot);
        guard.filter(|atoms| atoms.is_empty() || !atoms.iter().all(is_asked))
    }

    pub(crate) fn predicate(&self, predicate: &Predicate, wanted: bool) -> Guard {
        match predicate {
            Predicate::Constant(value) if *value == wanted => None,
            Predicate::Constant(_) => Some(Vec::new()),
            Predicate::Not(inner) => self.predicate(inner, !wanted),
            Predicate::And(all) if wanted => self.best(all.iter().map(|one| self.predicate(one, wanted))),
            Predicate::Or(any) if !wanted => self.best(any.iter().map(|one| self.predicate(one, wanted))),
            Predicate::And(list) | Predicate::Or(list) => {
                any(list.iter().map(|one| self.predicate(one, wanted)))
            }
            Predicate::Test(test) if wanted => Some(self.test(test.slot, &test.kind)),
            Predicate::Script(expr) if wanted => self.script(expr, true),
            Predicate::Test(_)
            | Predicate::Script(_)
            | Predicate::Leaves(_)
            | Predicate::Nested(..)
            | Predicate::Lineage(_) => None,
        }
    }

    /// The best of guards that all must hold.
    fn best(&self, guards: impl Iterator<Item = Guard>) -> Guard {
        let guards = guards.flatten().inspect(|atoms| self.consider(atoms));
        guards.min_by(|a, b| self.share(a).total_cmp(&self.share(b)))
    }

    fn consider<'b>(&self, atoms: impl IntoIterator<Item = &'b Atom>) {
        if let Some(considered) = &self.considered {
            considered.borrow_mut().extend(atoms.into_iter().cloned());
        }
    }

    fn test(&self, slot: Slot, kind: &TestKind) -> Vec<Atom> {
        match kind {
            TestKind::OneOf(set) => {
                let texts = set.texts().into_iter().map(|text| exact(slot, text));
                texts.chain(set.others().iter().map(|value| same(slot, value))).collect()
            }
            TestKind::Wildcard(patterns) => patterns.iter().map(|one| self.wildcard(slot, one)).collect(),
            TestKind::Regex(patterns) => patterns.iter().flat_map(|one| regex(slot, one)).collect(),
            TestKind::Text(query) => self.text(slot, query),
            TestKind::Exists | TestKind::Compare(..) | TestKind::Between(..) | TestKind::Cidr(_) => {
                vec![present(slot)]
            }
        }
    }

    /// The most telling part of a pattern.
    fn wildcard(&self, slot: Slot, pattern: &Wildcard) -> Atom {
        if let Some(literal) = pattern.literal() {
            return exact(slot, &literal);
        }
        let parts = pattern.literals().into_iter().map(|part| {
            let place = match (part.at_start, part.at_end) {
                (true, _) => Place::Start,
                (false, true) => Place::End,
                (false, false) => Place::Anywhere,
            };
            Atom { slot, kind: AtomKind::Part(fold(&part.text).into(), place) }
        });
        self.least(parts).unwrap_or_else(|| present(slot))
    }

    /// Words of analysed text are parts of the text, in lower case.
    fn text(&self, slot: Slot, query: &TextQuery) -> Vec<Atom> {
        let part = |word: &Wildcard| {
            let parts = word
                .literals()
                .into_iter()
                .map(|part| Atom { slot, kind: AtomKind::Part(fold(&part.text).into(), Place::Anywhere) });
            self.least(parts).unwrap_or_else(|| present(slot))
        };
        let words = query.words().iter().map(part);
        match query.mode() {
            TextMode::Any => words.collect(),
            TextMode::Phrase => self.least(words).into_iter().collect(),
        }
    }

    /// The atom that lets the fewest events through.
    fn least(&self, atoms: impl Iterator<Item = Atom>) -> Option<Atom> {
        let share = |atom: &Atom| self.share(std::slice::from_ref(atom));
        let atoms = atoms.inspect(|atom| self.consider([atom]));
        atoms.min_by(|a, b| share(a).total_cmp(&share(b)))
    }

    /// The share of events that pass the gate and that the atoms let through.
    fn share(&self, atoms: &[Atom]) -> f64 {
        let of_one = |atom: &Atom| {
            let is_asked = self.gate.contains(&atom.slot);
            if is_asked { 1.0 } else { self.selectivity.share(std::slice::from_ref(atom), self.fields) }
        };
        atoms.iter().map(of_one).sum()
    }

    /// What must be there for an expression to be true, or false.
    fn script(&self, expr: &Expr, wanted: bool) -> Guard {
        match expr {
            Expr::Constant(Datum::Boolean(value)) if *value == wanted => None,
            Expr::Constant(_) => Some(Vec::new()),
            Expr::Not(inner) => self.script(inner, !wanted),
            Expr::And(list) if wanted => self.best(list.iter().map(|one| self.script(one, wanted))),
            Expr::Or(list) if !wanted => self.best(list.iter().map(|one| self.script(one, wanted))),
            Expr::And(list) | Expr::Or(list) => any(list.iter().map(|one| self.script(one, wanted))),
            Expr::IsNull(_) if wanted => None,
            Expr::IsNull(inner) => self.not_null(inner),
            Expr::Compare(CompareOp::Equal, left, right) if wanted => match (&**left, &**right) {
                (Expr::Field(slot), Expr::Constant(datum)) | (Expr::Constant(datum), Expr::Field(slot)) => {
                    Some(vec![self.equal(*slot, datum)])
                }
                _ => self.not_null(expr),
            },
            Expr::In(value, list, _) if wanted => match self.in_constants(value, list) {
                Some(atoms) => Some(atoms),
                None => self.not_null(expr),
            },
            Expr::Wildcard(value, patterns) if wanted => match &**value {
                Expr::Field(slot) => Some(patterns.iter().map(|one| self.wildcard(*slot, one)).collect()),
                _ => self.not_null(expr),
            },
            Expr::Regex(value, patterns) if wanted => match &**value {
                Expr::Field(slot) => Some(patterns.iter().flat_map(|one| regex(*slot, one)).collect()),
                _ => self.not_null(expr),
            },
            Expr::Call(function, arguments, _) if wanted => match arguments.as_slice() {
                [Expr::Field(slot), Expr::Constant(Datum::Text(text))] if !text.is_empty() => {
                    match text_function(function.name) {
                        Some(place) => {
                            Some(vec![Atom { slot: *slot, kind: AtomKind::Part(fold(text).into(), place) }])
                        }
                        None => self.not_null(expr),
                    }
                }
                _ => self.not_null(expr),
            },
            Expr::Field(_)
            | Expr::Call(..)
            | Expr::Compare(..)
            | Expr::In(..)
            | Expr::Wildcard(..)
            | Expr::Regex(..) => self.not_null(expr),
        }
    }

    /// What must be there for an expression not to be null. Every function makes null of a first argument that is null.
    fn not_null(&self, expr: &Expr) -> Guard {
        match expr {
            Expr::Constant(Datum::Null) => Some(Vec::new()),
            Expr::Field(slot) => Some(vec![present(*slot)]),
            Expr::Call(_, arguments, _) => self.not_null(arguments.first()?),
            Expr::Compare(_, left, right) => {
                self.best([self.not_null(left), self.not_null(right)].into_iter())
            }
            Expr::In(value, _, _) | Expr::Wildcard(value, _) | Expr::Regex(value, _) => self.not_null(value),
            Expr::Not(inner) => self.not_null(inner),
            Expr::Constant(_) | Expr::IsNull(_) | Expr::And(_) | Expr::Or(_) => None,
        }
    }

    fn in_constants(&self, value: &Expr, list: &[Expr]) -> Option<Vec<Atom>> {
        let Expr::Field(slot) = value else { return None };
        let constant = |item: &Expr| match item {
            Expr::Constant(datum) => Some(self.equal(*slot, datum)),
            _ => None,
        };
        list.iter().map(constant).collect()
    }

    /// The field's value that a script sees equals a constant, by the script's own equality.
    fn equal(&self, slot: Slot, constant: &Datum<'_>) -> Atom {
        let kind = self.fields.field(slot).kind;
        match constant {
            Datum::Text(text) if kind.is_string() || kind == FieldType::Unknown => exact(slot, text),
            Datum::Boolean(value) if matches!(kind, FieldType::Boolean | FieldType::Unknown) => {
                same(slot, &Value::Boolean(*value))
            }
            Datum::Long(value) if kind.is_number() => same(slot, &Value::Long(*value)),
            Datum::Unsigned(value) if kind.is_number() => same(slot, &Value::Unsigned(*value)),
            Datum::Double(value) if kind.is_number() => same(slot, &Value::Double(*value)),
            _ => present(slot),
        }
    }
}

/// Guards of which one must hold: all their atoms, where each asks something.
fn any(guards: impl Iterator<Item = Guard>) -> Guard {
    let lists: Option<Vec<_>> = guards.collect();
    lists.map(|lists| {
        let mut atoms = lists.concat();
        atoms.sort_unstable();
        atoms.dedup();
        atoms
    })
}

fn present(slot: Slot) -> Atom {
    Atom { slot, kind: AtomKind::Present }
}

fn exact(slot: Slot, text: &str) -> Atom {
    Atom { slot, kind: AtomKind::Text(fold(text).into()) }
}

fn same(slot: Slot, value: &Value) -> Atom {
    Atom { slot, kind: AtomKind::equals(value.borrowed()).unwrap_or(AtomKind::Present) }
}

fn regex(slot: Slot, pattern: &LuceneRegex) -> Vec<Atom> {
    let part = |text: &String| AtomKind::Part(fold(text).into(), Place::Anywhere);
    let atoms: Vec<Atom> =
        pattern.required_literals().iter().map(|text| Atom { slot, kind: part(text) }).collect();
    if atoms.is_empty() { vec![present(slot)] } else { atoms }
}

/// Functions of a text and a part of it that are true only where the part stands in the text.
fn text_function(name: &str) -> Option<Place> {
    match name {
        "startsWith" => Some(Place::Start),
        "endsWith" => Some(Place::End),
        "stringContains" => Some(Place::Anywhere),
        _ => None,
    }
}
