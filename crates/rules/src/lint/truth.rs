//! Conditions that never hold, always hold, or say a thing twice: `MX1601` to `MX1603`, `MX1606` to `MX1610`.
//!
//! The condition of each event is walked from the outside in, with all tests that are known to hold on the way. A test
//! that contradicts one of them never holds, a test that one of them implies holds anyway. Fields can have several
//! values, each test may be met by another one, so `a and b` on different values of a field is no contradiction; where
//! ECS gives the field one value, it is said with a code of its own (`MX1606`, `MX1607`), as not quite certain.
//!
//! Lists and conjunctions longer than [`COMPARED_MAX`] are compared only in their first so many tests.

#[cfg(test)]
mod tests;

use maxspan_diagnostics::{Code, Diagnostic, Span, codes};

use super::condition::{Literal, Node, NodeKind, Step};
use super::domain::{disjoint, implies};
use super::subject::Subject;
use crate::limits::LINT_COMPARED_MAX as COMPARED_MAX;

pub(super) fn check(subject: &mut Subject<'_>) {
    let steps = std::mem::take(&mut subject.steps);
    for step in &steps {
        let (_, diagnostics) = judge(subject, step);
        subject.say_all(diagnostics);
    }
    subject.steps = steps;
}

/// What is known about a condition.
#[derive(Debug, Clone)]
pub(super) enum Verdict {
    /// It can hold and fail.
    Open,
    /// It never holds.
    Never(Why),
    /// It always holds.
    Always(Why),
}

/// Why a condition never or always holds.
#[derive(Debug, Clone)]
pub(super) struct Why {
    pub(super) certainty: Certainty,
    /// The test that decides.
    test: Place,
    /// The test that it has to do with.
    other: Option<Place>,
}

/// A condition in the query, and whether it stands under `not`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    span: Span,
    negative: bool,
}

impl Place {
    fn of(literal: &Literal) -> Self {
        Self { span: literal.span, negative: literal.negative }
    }
}

/// How much a verdict depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Certainty {
    /// Nothing: it is so for every event.
    Certain,
    /// It is so where the field has one value.
    OneValue,
    /// It is so where the conditions around it hold.
    Implied,
}

/// The verdict on the condition of one event, and what is to be said about it.
pub(super) fn judge(subject: &Subject<'_>, step: &Step) -> (Verdict, Vec<Diagnostic>) {
    let mut judge = Judge { subject, said: Vec::new() };
    let verdict = judge.node(&step.condition, &[]);
    match &verdict {
        Verdict::Never(why) => judge.never(why, None),
        // `where true` means what it says.
        Verdict::Always(why) if !matches!(step.condition.kind, NodeKind::Constant(_)) => {
            judge.always(why, step.condition.span);
        }
        _ => {}
    }
    (verdict, judge.said)
}

struct Judge<'a> {
    subject: &'a Subject<'a>,
    said: Vec<Diagnostic>,
}

/// What a test is, given another one that holds.
enum Relation {
    Free,
    Never(Certainty),
    Always,
}

impl Judge<'_> {
    fn node(&mut self, node: &Node, known: &[&Literal]) -> Verdict {
        let why =
            |certainty| Why { certainty, test: Place { span: node.span, negative: false }, other: None };
        match &node.kind {
            NodeKind::Opaque => Verdict::Open,
            NodeKind::Constant(true) => Verdict::Always(why(Certainty::Certain)),
            NodeKind::Constant(false) => Verdict::Never(why(Certainty::Certain)),
            NodeKind::Test(literal) => self.literal(literal, known),
            NodeKind::All(parts) => self.all(parts, known),
            NodeKind::Any(parts) => self.any(node, parts, known),
        }
    }

    /// A test, given those that hold.
    fn literal(&self, literal: &Literal, known: &[&Literal]) -> Verdict {
        let mut found = Verdict::Open;
        for other in known {
            let why = |certainty| Why { certainty, test: Place::of(literal), other: Some(Place::of(other)) };
            match self.relation(literal, other) {
                Relation::Never(Certainty::Certain) => return Verdict::Never(why(Certainty::Certain)),
                Relation::Never(certainty) => found = Verdict::Never(why(certainty)),
                Relation::Always if matches!(found, Verdict::Open) => {
                    found = Verdict::Always(why(Certainty::Implied));
                }
                _ => {}
            }
        }
        found
    }

    fn relation(&self, literal: &Literal, holds: &Literal) -> Relation {
        if literal.slot != holds.slot {
            return Relation::Free;
        }
        let (test, other) = (&literal.test, &holds.test);
        let one_value = || self.subject.holds_one_value(literal.slot);
        match (literal.negative, holds.negative) {
            (false, false) if implies(other, test) => Relation::Always,
            (false, false) if disjoint(test, other) && one_value() => Relation::Never(Certainty::OneValue),
            (true, true) if implies(test, other) => Relation::Always,
            (false, true) if implies(test, other) => Relation::Never(Certainty::Certain),
            (true, false) if implies(other, test) => Relation::Never(Certainty::Certain),
            (true, false) if disjoint(test, other) && one_value() => Relation::Always,
            _ => Relation::Free,
        }
    }

    fn all(&mut self, parts: &[Node], outer: &[&Literal]) -> Verdict {
        let mut known = outer.to_vec();
        let mut redundant: Vec<(Span, Why)> = Vec::new();
        let mut open = false;
        for literal in literals(parts).take(COMPARED_MAX) {
            match self.literal(literal, &known) {
                Verdict::Never(why) => return Verdict::Never(why),
                Verdict::Always(why) => redundant.push((literal.span, why)),
                Verdict::Open => {
                    open = true;
                    redundant.extend(self.made_needless(literal, &known[outer.len()..]));
                }
            }
            known.push(literal);
        }
        for part in parts.iter().filter(|part| !matches!(part.kind, NodeKind::Test(_))) {
            match self.node(part, &known) {
                Verdict::Never(why) => return Verdict::Never(why),
                Verdict::Always(why) => redundant.push((part.span, why)),
                Verdict::Open => open = true,
            }
        }
        let weakest = redundant.iter().find(|(_, why)| why.certainty != Certainty::Certain);
        match weakest.or(redundant.first()) {
            Some((_, why)) if !open => return Verdict::Always(why.clone()),
            _ => {}
        }
        redundant.dedup_by_key(|(span, _)| *span);
        for (span, why) in &redundant {
            self.always(why, *span);
        }
        Verdict::Open
    }

    /// Tests next to this one that it implies.
    fn made_needless(&self, literal: &Literal, siblings: &[&Literal]) -> Vec<(Span, Why)> {
        let needless = siblings.iter().filter(|other| {
            other.span != literal.span && matches!(self.relation(other, literal), Relation::Always)
        });
        let why = |other: &&&Literal| Why {
            certainty: Certainty::Implied,
            test: Place::of(other),
            other: Some(Place::of(literal)),
        };
        needless.map(|other| (other.span, why(&other))).collect()
    }

    fn any(&mut self, node: &Node, parts: &[Node], known: &[&Literal]) -> Verdict {
        let verdicts: Vec<Verdict> = parts.iter().map(|part| self.node(part, known)).collect();
        if let Some(Verdict::Always(why)) = verdicts.iter().find(|one| matches!(one, Verdict::Always(_))) {
            return Verdict::Always(why.clone());
        }
        let certain =
            |one: &Verdict| matches!(one, Verdict::Never(why) if why.certainty == Certainty::Certain);
        if verdicts.iter().all(|one| matches!(one, Verdict::Never(_))) {
            let uncertain = verdicts.iter().find(|one| !certain(one));
            return uncertain.or(verdicts.first()).cloned().unwrap_or(Verdict::Open);
        }
        for (part, verdict) in parts.iter().zip(&verdicts) {
            // What is constant by its type was said where types are checked.
            if let (Verdict::Never(why), false) = (verdict, matches!(part.kind, NodeKind::Constant(_))) {
                self.never(why, Some(part.span));
            }
        }
        if let Some(why) = self.exhausted(parts) {
            return Verdict::Always(Why { test: Place { span: node.span, negative: false }, ..why });
        }
        self.repeated(parts);
        Verdict::Open
    }

    /// Whether two alternatives leave no event out.
    fn exhausted(&self, parts: &[Node]) -> Option<Why> {
        let tests: Vec<&Literal> = literals(parts).take(COMPARED_MAX).collect();
        let mut found = None;
        for (index, a) in tests.iter().enumerate().filter(|(_, a)| a.negative) {
            for (other_index, b) in tests.iter().enumerate() {
                if index == other_index || a.slot != b.slot {
                    continue;
                }
                let why = |certainty| Some(Why { certainty, test: Place::of(a), other: Some(Place::of(b)) });
                if !b.negative && implies(&a.test, &b.test) {
                    return why(Certainty::Certain);
                }
                let leaves_nothing = b.negative && a.span != b.span && disjoint(&a.test, &b.test);
                if found.is_none() && leaves_nothing && self.subject.holds_one_value(a.slot) {
                    found = why(Certainty::OneValue);
                }
            }
        }
        found
    }

    /// Says which alternatives are there twice, or covered by another one.
    fn repeated(&mut self, parts: &[Node]) {
        let tests: Vec<&Literal> = literals(parts).take(COMPARED_MAX).collect();
        let mut said = vec![false; tests.len()];
        for (index, test) in tests.iter().enumerate() {
            for (other_index, other) in tests.iter().enumerate() {
                let comparable = index != other_index
                    && !said[other_index]
                    && test.slot == other.slot
                    && test.negative == other.negative
                    && test.span != other.span;
                if !comparable || !stands_for(test, other) {
                    continue;
                }
                let same = stands_for(other, test);
                if same && index < other_index {
                    // Of two that are the same, the second one is too many.
                    continue;
                }
                said[index] = true;
                self.covered(test, other, same);
                break;
            }
        }
    }

    fn covered(&mut self, test: &Literal, other: &Literal, same: bool) {
        let (text, what) = (self.subject.quote(test.span), self.subject.quote(other.span));
        let diagnostic = if same {
            let message = format!("`{text}` stands there already");
            Diagnostic::new(codes::LINT_DUPLICATE_ALTERNATIVE, test.span, message)
                .with_label(other.span, "here")
                .with_help("take one of the two away")
        } else {
            let message = format!("whatever `{text}` matches, `{what}` matches too");
            Diagnostic::new(codes::LINT_COVERED_ALTERNATIVE, test.span, message)
                .with_label(other.span, "this covers it")
                .with_help("take the narrower one away, or make the wider one narrower")
        };
        self.said.push(diagnostic);
    }

    /// Says that a condition never holds: an alternative of others, or the whole.
    fn never(&mut self, why: &Why, alternative: Option<Span>) {
        let text = self.quote(why.test);
        let (what, code) = match alternative {
            Some(_) => ("this alternative", codes::LINT_DEAD_ALTERNATIVE),
            None => ("this condition", codes::LINT_NEVER),
        };
        let (code, message) = match (why.other, why.certainty) {
            (None, _) => (codes::LINT_NEVER, format!("{what} never holds: `{text}` is never true")),
            (Some(other), Certainty::Certain) => {
                let other = self.quote(other);
                (code, format!("{what} never holds: `{text}` contradicts `{other}`"))
            }
            (Some(other), _) => {
                let other = self.quote(other);
                let message = format!(
                    "{what} holds only for a field with several values: `{text}` and `{other}` have none in common"
                );
                (codes::LINT_SEVERAL_VALUES, message)
            }
        };
        let help = if code == codes::LINT_SEVERAL_VALUES {
            "join the two with `or`; by ECS the field has one value"
        } else {
            "change one of the two, or take the condition away"
        };
        let span = alternative.unwrap_or(why.test.span);
        self.push(code, span, message, why, help);
    }

    /// The text of a condition; the `not` before it, which may stand far away, is written out.
    fn quote(&self, place: Place) -> String {
        let text = self.subject.quote(place.span);
        let says_so = text.contains("!=") || text.starts_with("not ");
        if place.negative && !says_so { format!("not {text}") } else { text }
    }

    fn always(&mut self, why: &Why, span: Span) {
        let text = self.subject.quote(span);
        let other = why.other.map(|other| self.quote(other)).unwrap_or_default();
        let (code, message, help) = match why.certainty {
            Certainty::Certain => {
                (codes::LINT_ALWAYS, format!("`{text}` always holds"), "it has no effect; was `and` meant?")
            }
            Certainty::OneValue => (
                codes::LINT_EXCLUDES_NOTHING,
                format!(
                    "`{text}` holds for every event whose field has one value: what one side excludes, the other lets in"
                ),
                "join the two with `and`",
            ),
            Certainty::Implied => (
                codes::LINT_REDUNDANT,
                format!("`{text}` has no effect next to `{other}`"),
                "take it away, or mend the other one",
            ),
        };
        self.push(code, span, message, why, help);
    }

    fn push(&mut self, code: Code, span: Span, message: String, why: &Why, help: &str) {
        let mut diagnostic = Diagnostic::new(code, span, message).with_help(help);
        if let Some(other) = why.other.filter(|other| other.span != span) {
            diagnostic = diagnostic.with_label(other.span, "the other condition");
        }
        self.said.push(diagnostic);
    }
}

/// Whether the first alternative adds nothing to the second one.
fn stands_for(narrow: &Literal, wide: &Literal) -> bool {
    if narrow.negative { implies(&wide.test, &narrow.test) } else { implies(&narrow.test, &wide.test) }
}

/// The tests among the parts.
fn literals(parts: &[Node]) -> impl Iterator<Item = &Literal> {
    parts.iter().filter_map(|part| match &part.kind {
        NodeKind::Test(literal) => Some(literal),
        _ => None,
    })
}
