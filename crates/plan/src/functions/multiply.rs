//! `multiply`: The product of two numbers.

use super::{Function, Kind, arithmetic, required};

pub(super) static FUNCTION: Function = Function {
    name: "multiply",
    parameters: &[required("factor", Kind::Number), required("factor", Kind::Number)],
    variadic: false,
    ignores_case: false,
    returns: Kind::Number,
    summary: "The product of two numbers.",
    examples: &[("multiply(2, 3)", "6"), ("multiply(0.5, 3)", "1.5")],
    evaluate: |arguments, _| arithmetic::apply(arguments, i64::checked_mul, |a, b| a * b),
};
