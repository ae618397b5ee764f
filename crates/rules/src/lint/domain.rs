//! What tests of one field have to do with each other: one implies the other, or no value passes both.
//!
//! Everything errs towards "not known": a claim that is made holds for every value that an event can carry, whatever
//! its JSON type. The cases that are left out (regular expressions but for equal ones, analysed text, versions against
//! patterns) are those where a claim would need more than a look at the two tests.

use std::cmp::Ordering;

use maxspan_event::wildcard::fold_ascii;
use maxspan_event::{Value, compare_numbers};
use maxspan_plan::{RangeOp, TestKind, ValueSet};

/// Whether every value that passes `narrow` passes `wide`.
pub(super) fn implies(narrow: &TestKind, wide: &TestKind) -> bool {
    match (narrow, wide) {
        (_, TestKind::Exists) => true,
        (TestKind::OneOf(set), _) => every_member(set, wide, true),
        (TestKind::Wildcard(some), TestKind::Wildcard(others)) => {
            some.iter().all(|one| others.iter().any(|other| other.covers(one)))
        }
        (TestKind::Compare(op, bound), TestKind::Compare(other_op, other)) => {
            compare_implies(*op, bound, *other_op, other)
        }
        (TestKind::Between(from, to), TestKind::Between(other_from, other_to)) => {
            other_from <= from && to <= other_to
        }
        (TestKind::Cidr(some), TestKind::Cidr(others)) => {
            some.iter().all(|one| others.iter().any(|other| other.covers(one)))
        }
        (TestKind::Regex(some), TestKind::Regex(others)) => some.iter().all(|one| {
            let same = |other: &maxspan_plan::LuceneRegex| {
                one.text() == other.text() && one.ignores_case() == other.ignores_case()
            };
            others.iter().any(same)
        }),
        (TestKind::Text(one), TestKind::Text(other)) => {
            one.mode() == other.mode() && one.texts().eq(other.texts())
        }
        _ => false,
    }
}

/// Whether no value passes both.
pub(super) fn disjoint(a: &TestKind, b: &TestKind) -> bool {
    match (a, b) {
        (TestKind::OneOf(set), other) | (other, TestKind::OneOf(set)) => every_member(set, other, false),
        (TestKind::Compare(op, bound), TestKind::Compare(other_op, other)) => {
            compare_disjoint(*op, bound, *other_op, other)
        }
        (TestKind::Between(from, to), TestKind::Between(other_from, other_to)) => {
            to < other_from || other_to < from
        }
        (TestKind::Cidr(some), TestKind::Cidr(others)) => {
            some.iter().all(|one| others.iter().all(|other| !one.covers(other) && !other.covers(one)))
        }
        (TestKind::Wildcard(some), TestKind::Wildcard(others)) => {
            some.iter().all(|one| others.iter().all(|other| one.disjoint(other)))
        }
        _ => false,
    }
}

/// Whether all members of a set pass a test for certain, or all fail it for certain.
fn every_member(set: &ValueSet, test: &TestKind, pass: bool) -> bool {
    let known = if pass { member_passes } else { member_fails };
    let texts = set.texts();
    let mut some = !texts.is_empty() || !set.others().is_empty();
    some &= texts.iter().all(|text| known(&Value::text(*text), set.ignores_case(), test));
    some && set.others().iter().all(|value| known(value, false, test))
}

/// Whether the value, in whatever case when that is ignored, passes.
fn member_passes(value: &Value, any_case: bool, test: &TestKind) -> bool {
    match (value, test) {
        (Value::Text(_), _) if any_case => ignores_case(test) && test.passes(value.borrowed()),
        (Value::Text(_), _) => test.passes(value.borrowed()),
        (value, TestKind::OneOf(_) | TestKind::Compare(..) | TestKind::Cidr(_)) => {
            is_plain(value) && test.passes(value.borrowed())
        }
        _ => false,
    }
}

/// Whether the value, in whatever case when that is ignored, fails.
fn member_fails(value: &Value, any_case: bool, test: &TestKind) -> bool {
    match (value, test) {
        (_, TestKind::Exists) => false,
        (Value::Text(text), TestKind::OneOf(set)) => {
            let fold = any_case || set.ignores_case();
            let same =
                |other: &&str| if fold { fold_ascii(other) == fold_ascii(text) } else { **other == **text };
            !set.texts().iter().any(same)
        }
        (Value::Text(text), TestKind::Wildcard(patterns)) => patterns.iter().all(|pattern| {
            let matches =
                if any_case { pattern.with_any_case().matches(text) } else { pattern.matches(text) };
            !matches
        }),
        (Value::Text(_), _) => !any_case && !test.passes(value.borrowed()),
        (value, TestKind::OneOf(_) | TestKind::Compare(..) | TestKind::Cidr(_)) => {
            is_plain(value) && !test.passes(value.borrowed())
        }
        _ => false,
    }
}

/// Whether a string passes the test if and only if it does in another case.
fn ignores_case(test: &TestKind) -> bool {
    match test {
        TestKind::Exists => true,
        TestKind::OneOf(set) => set.ignores_case(),
        TestKind::Wildcard(patterns) => patterns.iter().all(|one| one.ignores_case() || one.matches_all()),
        TestKind::Regex(patterns) => patterns.iter().all(maxspan_plan::LuceneRegex::ignores_case),
        _ => false,
    }
}

/// Whether equality with the value is what it seems: not so for versions and dates, which are equal in several
/// spellings, and for zero, which as a float has two signs.
fn is_plain(value: &Value) -> bool {
    match value {
        Value::Long(_) | Value::Unsigned(_) | Value::Boolean(_) | Value::Ip(_) => true,
        Value::Double(number) => number.is_finite() && *number != 0.0,
        Value::Text(_) | Value::Date(_) | Value::Version(_) | Value::Object => false,
    }
}

/// The order of two bounds whose order is that of the values they are compared with.
fn bounds_order(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Text(a), Value::Text(b)) => Some(a.cmp(b)),
        (Value::Ip(_), Value::Ip(_)) => Some(a.borrowed().total_cmp(&b.borrowed())),
        _ if is_plain(a) && is_plain(b) => compare_numbers(&a.borrowed(), &b.borrowed()),
        _ => None,
    }
}

fn compare_implies(op: RangeOp, bound: &Value, other_op: RangeOp, other: &Value) -> bool {
    let Some(order) = bounds_order(bound, other) else { return false };
    match (op, other_op) {
        (RangeOp::Less, RangeOp::Less | RangeOp::LessOrEqual)
        | (RangeOp::LessOrEqual, RangeOp::LessOrEqual) => order.is_le(),
        (RangeOp::LessOrEqual, RangeOp::Less) => order.is_lt(),
        (RangeOp::Greater, RangeOp::Greater | RangeOp::GreaterOrEqual)
        | (RangeOp::GreaterOrEqual, RangeOp::GreaterOrEqual) => order.is_ge(),
        (RangeOp::GreaterOrEqual, RangeOp::Greater) => order.is_gt(),
        _ => false,
    }
}

fn compare_disjoint(op: RangeOp, bound: &Value, other_op: RangeOp, other: &Value) -> bool {
    let Some(order) = bounds_order(bound, other) else { return false };
    let both_closed = |a: RangeOp, b: RangeOp| {
        matches!(a, RangeOp::LessOrEqual | RangeOp::GreaterOrEqual)
            && matches!(b, RangeOp::LessOrEqual | RangeOp::GreaterOrEqual)
    };
    let below = |op: RangeOp| matches!(op, RangeOp::Less | RangeOp::LessOrEqual);
    match (below(op), below(other_op)) {
        (true, false) => order.is_lt() || order.is_eq() && !both_closed(op, other_op),
        (false, true) => order.is_gt() || order.is_eq() && !both_closed(op, other_op),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use maxspan_event::wildcard::Wildcard;

    use super::*;

    fn one_of(texts: &[&str], any_case: bool) -> TestKind {
        TestKind::OneOf(ValueSet::new(texts.iter().map(|text| Value::text(*text)), any_case))
    }

    fn wildcard(text: &str, any_case: bool) -> TestKind {
        TestKind::Wildcard(vec![Wildcard::new(text, any_case)])
    }

    fn above(number: i64) -> TestKind {
        TestKind::Compare(RangeOp::Greater, Value::Long(number))
    }

    fn below(number: i64) -> TestKind {
        TestKind::Compare(RangeOp::Less, Value::Long(number))
    }

    #[test]
    fn implications() {
        let check = |narrow: TestKind, wide: TestKind, expected: bool| {
            assert_eq!(implies(&narrow, &wide), expected, "{narrow:?} in {wide:?}");
        };
        check(one_of(&["a"], false), one_of(&["a", "b"], false), true);
        check(one_of(&["a"], true), one_of(&["a", "b"], false), false);
        check(one_of(&["A"], false), one_of(&["a"], true), true);
        check(one_of(&["cmd.exe"], true), wildcard("CMD*", true), true);
        check(one_of(&["cmd.exe"], true), wildcard("cmd*", false), false);
        check(wildcard("cmd?exe", false), wildcard("cmd*", false), true);
        check(wildcard("cmd*", false), wildcard("cmd?*", false), false);
        check(wildcard("c*d*", false), wildcard("c*", false), true);
        check(wildcard("*a*", false), wildcard("*", false), true);
        check(wildcard("*a*", false), wildcard("*a", false), false);
        check(wildcard("a*", false), one_of(&["a*"], false), false);
        check(above(10), above(5), true);
        check(above(5), above(10), false);
        check(one_of(&[], false), above(10), false);
    }

    #[test]
    fn disjoint_tests() {
        let check = |a: TestKind, b: TestKind, expected: bool| {
            assert_eq!(disjoint(&a, &b), expected, "{a:?} and {b:?}");
            assert_eq!(disjoint(&b, &a), expected, "{b:?} and {a:?}");
        };
        check(one_of(&["a"], false), one_of(&["b"], false), true);
        check(one_of(&["a"], true), one_of(&["A"], false), false);
        check(one_of(&["a"], false), one_of(&["A"], false), true);
        check(one_of(&["cmd.exe"], true), wildcard("CMD*", false), false);
        check(wildcard("a*", false), wildcard("b*", false), true);
        check(wildcard("*.exe", true), wildcard("*.EXE", false), false);
        check(wildcard("*.exe", true), wildcard("*.dll", true), true);
        check(above(5), below(5), true);
        check(above(5), below(7), false);
        check(one_of(&["a"], false), TestKind::Exists, false);
    }
}
