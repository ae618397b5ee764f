//! `subtract`: The difference of two numbers.

use super::{Function, Kind, arithmetic, required};

pub(super) static FUNCTION: Function = Function {
    name: "subtract",
    parameters: &[required("minuend", Kind::Number), required("subtrahend", Kind::Number)],
    variadic: false,
    ignores_case: false,
    returns: Kind::Number,
    summary: "The difference of two numbers.",
    examples: &[("subtract(4, 5)", "-1"), ("subtract(4, 0.5)", "3.5")],
    evaluate: |arguments, _| arithmetic::apply(arguments, i64::checked_sub, |a, b| a - b),
};
