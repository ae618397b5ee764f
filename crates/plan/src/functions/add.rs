//! `add`: The sum of two numbers.

use super::{Function, Kind, arithmetic, required};

pub(super) static FUNCTION: Function = Function {
    name: "add",
    parameters: &[required("addend", Kind::Number), required("addend", Kind::Number)],
    variadic: false,
    ignores_case: false,
    returns: Kind::Number,
    summary: "The sum of two numbers.",
    examples: &[("add(4, 5)", "9"), ("add(4, 0.5)", "4.5"), ("add(4, null)", "null")],
    evaluate: |arguments, _| arithmetic::apply(arguments, i64::checked_add, |a, b| a + b),
};
