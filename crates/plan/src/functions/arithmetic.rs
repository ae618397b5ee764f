//! Arithmetic that `add` … `subtract` share: integers stay integers, a decimal operand makes the result one, and what
//! has no value (overflow, division by zero) is null.

use crate::datum::Datum;

pub(super) fn apply<'a>(
    arguments: &[Datum<'a>],
    integers: fn(i64, i64) -> Option<i64>,
    doubles: fn(f64, f64) -> f64,
) -> Datum<'a> {
    if let (Datum::Long(a), Datum::Long(b)) = (&arguments[0], &arguments[1]) {
        return integers(*a, *b).map_or(Datum::Null, Datum::Long);
    }
    match (arguments[0].as_double(), arguments[1].as_double()) {
        (Some(a), Some(b)) => {
            let value = doubles(a, b);
            if value.is_finite() { Datum::Double(value) } else { Datum::Null }
        }
        _ => Datum::Null,
    }
}
