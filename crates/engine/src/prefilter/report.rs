//! How rules are found, and why some have no anchor: what `rules explain` says.

use maxspan_event::Fields;
use maxspan_plan::{Expr, Predicate};

use super::guard::Analysis;
use super::{Prefilter, Selectivity, WHOLE, predicates};
use crate::program::cost;
use crate::ruleset::{CompiledRule, RuleId};

/// How a unit is found, for people: the predicate of an event rule, or of one step.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitReport {
    /// The step, from 0, the `until` of a sequence after the last one; none for event queries and for rules with
    /// lineage queries.
    pub step: Option<usize>,
    /// Values of which the gate's fields must have one, folded.
    pub gate: Vec<(&'static str, Vec<String>)>,
    /// The share of events that the gate lets through, at most.
    pub gate_share: Share,
    /// What an event must have one of, or how it is found without.
    pub anchor: Result<Vec<String>, NoAnchor>,
    /// The share of events that the anchor lets through, at most.
    pub anchor_share: Share,
    /// Whether every event of its classes is a candidate: it has no anchor, and asks nothing that tells kinds of events
    /// apart.
    pub always: bool,
    /// What evaluating its conditions costs beside one plain comparison, roughly.
    pub weight: u32,
}

/// A share of events, from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs)]
pub struct Share {
    pub value: f64,
    /// Whether it was measured; else it is a guess.
    pub measured: bool,
}

/// Why a unit has no anchor. Where there are several reasons, the last of these counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoAnchor {
    /// It asks nothing of an event.
    Anything,
    /// It has only negated conditions and tests for missing fields, which an event without the field satisfies.
    Negated,
    /// It has scripts that need no field.
    Script,
    /// It only asks what the gate has asked.
    Gate,
    /// It asks the objects of nested fields.
    Nested,
    /// It asks free text, or fields by a pattern of their names.
    FreeText,
    /// It has lineage queries, for which every process counts.
    Lineage,
    /// One alternative of an `or` has no anchor, so the whole has none.
    Alternative,
}

impl UnitReport {
    /// The share of events that are candidates, at most.
    pub fn share(&self) -> Share {
        if self.gate_share.value < self.anchor_share.value { self.gate_share } else { self.anchor_share }
    }

    /// Whether no event satisfies it.
    pub fn is_impossible(&self) -> bool {
        self.anchor.as_ref().is_ok_and(Vec::is_empty) || self.gate.iter().any(|(_, values)| values.is_empty())
    }
}

impl NoAnchor {
    /// A name for tools.
    pub fn name(self) -> &'static str {
        match self {
            Self::Anything => "anything",
            Self::Negated => "negated",
            Self::Script => "script",
            Self::Gate => "gate",
            Self::Nested => "nested",
            Self::FreeText => "free-text",
            Self::Lineage => "lineage",
            Self::Alternative => "alternative",
        }
    }
}

impl Share {
    /// Everything: nothing is asked.
    const ALL: Self = Self { value: 1.0, measured: true };
}

impl Prefilter {
    /// How the units of a rule are found.
    pub(crate) fn report(
        &self,
        id: RuleId,
        rule: &CompiledRule,
        fields: &Fields,
        selectivity: &Selectivity,
    ) -> Vec<UnitReport> {
        let slots = self.gate.slots();
        let why = Why { analysis: Analysis { gate: &slots, fields, selectivity, considered: None } };
        let nothing = Predicate::Constant(true);
        let predicates = predicates(rule, &nothing);
        let units = self.units_of(id).zip(predicates);
        units
            .map(|(unit, (step, predicate))| {
                let (requirement, anchor) = (&self.requirements[unit], &self.anchors[unit]);
                let texts = |values: &[Box<str>]| values.iter().map(ToString::to_string).collect();
                let share = |atoms: &[_]| Share {
                    value: selectivity.share(atoms, fields).min(1.0),
                    measured: selectivity.is_measured(atoms, fields),
                };
                let gate_shares = requirement.atoms(&slots).into_iter().map(|atoms| share(&atoms));
                UnitReport {
                    step: (step != WHOLE).then_some(step as usize),
                    gate: requirement.describe().map(|(name, values)| (name, texts(values))).collect(),
                    gate_share: gate_shares.fold(Share::ALL, Share::smaller),
                    anchor: match anchor {
                        Some(atoms) => Ok(atoms.iter().map(|atom| atom.describe(fields)).collect()),
                        None if !rule.plan.lineage.is_empty() => Err(NoAnchor::Lineage),
                        None => Err(why.of(predicate, true)),
                    },
                    anchor_share: anchor.as_deref().map_or(Share::ALL, share),
                    always: anchor.is_none() && requirement.is_coarse(),
                    weight: weight(rule, predicate),
                }
            })
            .collect()
    }
}

impl Share {
    fn smaller(self, other: Self) -> Self {
        if other.value < self.value { other } else { self }
    }
}

/// What evaluating costs; for rules with lineage queries, all of them and every step.
fn weight(rule: &CompiledRule, predicate: &Predicate) -> u32 {
    if rule.plan.lineage.is_empty() {
        return cost(predicate);
    }
    let queries = rule.plan.lineage.iter().map(|query| &query.predicate);
    rule.plan.steps().into_iter().chain(queries).map(cost).sum()
}

/// Finds out why there is no anchor.
struct Why<'a> {
    analysis: Analysis<'a>,
}

impl Why<'_> {
    /// Why a predicate without an anchor has none.
    fn of(&self, predicate: &Predicate, wanted: bool) -> NoAnchor {
        if self.analysis.predicate(predicate, wanted).is_some() {
            return NoAnchor::Gate;
        }
        match predicate {
            Predicate::Constant(_) => NoAnchor::Anything,
            Predicate::Not(inner) => self.of(inner, !wanted),
            Predicate::And(all) if wanted => self.last(all, wanted),
            Predicate::Or(all) if !wanted => self.last(all, wanted),
            Predicate::And(any) | Predicate::Or(any) => self.alternatives(any, wanted),
            Predicate::Lineage(_) => NoAnchor::Lineage,
            _ if !wanted => NoAnchor::Negated,
            Predicate::Leaves(_) => NoAnchor::FreeText,
            Predicate::Nested(..) => NoAnchor::Nested,
            Predicate::Script(expr) if !asks_for_missing(expr) => NoAnchor::Script,
            Predicate::Test(_) | Predicate::Script(_) => NoAnchor::Negated,
        }
    }

    /// Of conditions that all must hold, the reason that counts.
    fn last(&self, all: &[Predicate], wanted: bool) -> NoAnchor {
        all.iter().map(|one| self.of(one, wanted)).max().unwrap_or(NoAnchor::Anything)
    }

    /// Of alternatives, the reason of those without an anchor; where others have one, they are not all to blame.
    fn alternatives(&self, any: &[Predicate], wanted: bool) -> NoAnchor {
        let has_guard = |one: &&Predicate| self.analysis.predicate(one, wanted).is_some();
        if any.iter().any(|one| has_guard(&one)) {
            return NoAnchor::Alternative;
        }
        self.last(any, wanted)
    }
}

/// Whether an expression tests for missing fields somewhere.
fn asks_for_missing(expr: &Expr) -> bool {
    match expr {
        Expr::IsNull(_) => true,
        Expr::Not(inner) => asks_for_missing(inner),
        Expr::And(list) | Expr::Or(list) => list.iter().any(asks_for_missing),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::gate;
    use super::*;
    use crate::ruleset::RuleSetBuilder;
    use maxspan_event::Schema;

    /// How the units of an EQL query are found.
    fn units(query: &str) -> Vec<UnitReport> {
        let mut builder = RuleSetBuilder::new(Schema::built_in());
        let (tree, problems) = maxspan_eql::parse_with(query, &maxspan_eql::ParseOptions { lineage: true });
        let tree = tree.unwrap_or_else(|| panic!("{query}: {problems:?}"));
        let options = maxspan_eql::LowerOptions::default();
        let (plan, problems) =
            maxspan_eql::lower(&tree, query, &builder.schema, &mut builder.fields, &options);
        let timestamp = builder.slot("@timestamp");
        let rule = builder
            .add(CompiledRule::new(plan.unwrap_or_else(|| panic!("{query}: {problems:?}")), timestamp));
        builder.build(false).prefilter_report(rule)
    }

    #[test]
    fn there_is_a_reason_where_there_is_no_anchor() {
        let check = |query: &str, expected: NoAnchor, always: bool| {
            let found = units(query);
            assert_eq!((found[0].anchor.clone(), found[0].always), (Err(expected), always), "{query}");
        };
        check("any where true", NoAnchor::Anything, true);
        check("any where not process.name == \"a\"", NoAnchor::Negated, true);
        check("any where process.name == null", NoAnchor::Negated, true);
        check("process where true", NoAnchor::Gate, true);
        check("process where event.action == \"exec\" and not process.name == \"a\"", NoAnchor::Gate, false);
        check("any where process.name == \"a\" or not user.name == \"b\"", NoAnchor::Alternative, true);
        check("any where descendant of [process where process.name == \"a\"]", NoAnchor::Lineage, true);
    }

    #[test]
    fn gate_anchor_and_shares_are_told_by_step() {
        let found = units(
            "sequence by host.id [process where process.name : (\"ABC.exe\", \"b*\")] \
             [network where destination.port == 443] until [process where event.type == \"end\"]",
        );
        let steps: Vec<_> = found.iter().map(|unit| unit.step).collect();
        assert_eq!(steps, [Some(0), Some(1), Some(2)]);
        let anchors: Vec<_> = found.iter().map(|unit| unit.anchor.clone()).collect();
        let texts = |list: &[&str]| Ok(list.iter().map(ToString::to_string).collect());
        assert_eq!(anchors[0], texts(&["process.name = \"abc.exe\"", "process.name begins with \"b\""]));
        assert_eq!(anchors[1], texts(&["destination.port = 443"]));
        assert_eq!(anchors[2], Err(NoAnchor::Gate));
        assert_eq!(found[0].gate, [("event.category", vec!["process".to_owned()])]);
        for unit in &found {
            assert!(!unit.share().measured && unit.share().value < 1.0, "{unit:?}");
        }
    }

    #[test]
    fn what_nothing_satisfies_is_told() {
        let found = units("any where false");
        assert!(found[0].is_impossible(), "{found:?}");
        assert!(!units("any where process.name == \"a\"")[0].is_impossible());
    }

    #[test]
    fn the_gate_is_described_in_the_order_of_its_slots() {
        let mut builder = RuleSetBuilder::new(Schema::built_in());
        let slots = gate::slots(&mut builder.fields, &Schema::built_in());
        assert_eq!(builder.fields.field(slots[0]).name, "event.category");
    }
}
