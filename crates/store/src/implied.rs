//! What a condition implies about single fields: what a scan may leave out because of it.
//!
//! Only what certainly must hold counts; all else is left to the condition itself. Fields that are derived, lower-cased
//! or read in another way than the built-in schema does imply nothing about their columns.

use maxspan_event::{Field, Fields, Slot, Value};
use maxspan_plan::{Predicate, Test, TestKind};

use crate::columns::Layout;
use crate::scan::Equality;

/// The field that is derived where an event lacks it.
const DERIVED: &str = "host.os.type";

/// The equalities that hold wherever the condition does.
pub fn implied(condition: &Predicate, fields: &Fields, layout: &Layout) -> Vec<Equality> {
    let mut found = Vec::new();
    match condition {
        Predicate::And(all) => all.iter().for_each(|one| found.extend(implied(one, fields, layout))),
        other => found.extend(equality(other, fields, layout)),
    }
    found
}

/// What one condition says of one field.
fn equality(condition: &Predicate, fields: &Fields, layout: &Layout) -> Option<Equality> {
    let (slot, values) = values_of(condition)?;
    let field = fields.field(slot);
    is_column(field, layout).then(|| Equality { field: field.name.clone(), values })
}

/// The field whose value is one of some.
fn values_of(condition: &Predicate) -> Option<(Slot, Vec<Value>)> {
    match condition {
        Predicate::Test(Test { slot, kind: TestKind::OneOf(set) }) if !set.ignores_case() => {
            let texts = set.texts().into_iter().map(Value::text);
            Some((*slot, texts.chain(set.others().iter().cloned()).collect()))
        }
        Predicate::Or(any) => {
            let mut all = any.iter().map(values_of);
            let (slot, mut values) = all.next()??;
            for one in all {
                let (other, more) = one?;
                if other != slot {
                    return None;
                }
                values.extend(more);
            }
            Some((slot, values))
        }
        Predicate::And(all) if all.len() == 1 => values_of(&all[0]),
        _ => None,
    }
}

/// Whether the column of a field holds what the field is.
pub(crate) fn is_column(field: &Field, layout: &Layout) -> bool {
    field.name != DERIVED && layout.column(&field.name).is_some_and(|column| column.field == *field)
}

#[cfg(test)]
mod tests {
    use maxspan_event::Schema;
    use maxspan_plan::ValueSet;

    use super::*;

    #[test]
    fn only_what_must_hold_is_implied() {
        let (schema, layout, mut fields) = (Schema::built_in(), Layout::default(), Fields::default());
        let mut is = |name: &str, value: &str, ignore_case: bool| {
            let slot = fields.slot(&schema.field(name));
            Predicate::test(slot, TestKind::OneOf(ValueSet::new([Value::text(value)], ignore_case)))
        };
        let name = is("process.name", "sh", false);
        let other_name = is("process.name", "bash", false);
        let loose = is("process.name", "SH", true);
        let caseless = is("process.name.caseless", "sh", false);
        let user = is("user.name", "a", false);
        let system = is("host.os.type", "linux", false);
        let unknown = is("no.such.column", "x", false);
        let check = |condition: Predicate, expected: &[(&str, &[&str])]| {
            let found = implied(&condition, &fields, &layout);
            let found: Vec<_> = found.iter().map(|one| (one.field.as_str(), one.values.clone())).collect();
            let text = |values: &[&str]| values.iter().map(|value| Value::text(*value)).collect::<Vec<_>>();
            let expected: Vec<_> = expected.iter().map(|(field, values)| (*field, text(values))).collect();
            assert_eq!(found, expected, "{condition:?}");
        };
        let and = |all: &[&Predicate]| Predicate::And(all.iter().map(|one| (*one).clone()).collect());
        let or = |any: &[&Predicate]| Predicate::Or(any.iter().map(|one| (*one).clone()).collect());
        check(name.clone(), &[("process.name", &["sh"])]);
        check(and(&[&name, &user]), &[("process.name", &["sh"]), ("user.name", &["a"])]);
        check(or(&[&name, &other_name]), &[("process.name", &["sh", "bash"])]);
        check(
            and(&[&user, &or(&[&name, &other_name])]),
            &[("user.name", &["a"]), ("process.name", &["sh", "bash"])],
        );
        check(or(&[&name, &user]), &[]);
        check(or(&[&name, &loose]), &[]);
        check(name.clone().negate(), &[]);
        for nothing in [loose.clone(), caseless.clone(), system.clone(), unknown.clone()] {
            check(nothing, &[]);
        }
    }
}
