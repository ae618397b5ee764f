//! `modulo`: The remainder of the division of two numbers, with the sign of the dividend.

use super::{Function, Kind, arithmetic, required};

pub(super) static FUNCTION: Function = Function {
    name: "modulo",
    parameters: &[required("dividend", Kind::Number), required("divisor", Kind::Number)],
    variadic: false,
    ignores_case: false,
    returns: Kind::Number,
    summary: "The remainder of the division of two numbers, with the sign of the dividend.",
    examples: &[("modulo(10, 3)", "1"), ("modulo(-10, 3)", "-1"), ("modulo(10, 0)", "null")],
    evaluate: |arguments, _| arithmetic::apply(arguments, i64::checked_rem, |a, b| a % b),
};
