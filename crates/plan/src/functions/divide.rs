//! `divide`: The quotient of two numbers; of two integers it is an integer, cut towards zero. Division by zero is null.

use super::{Function, Kind, arithmetic, required};

pub(super) static FUNCTION: Function = Function {
    name: "divide",
    parameters: &[required("dividend", Kind::Number), required("divisor", Kind::Number)],
    variadic: false,
    ignores_case: false,
    returns: Kind::Number,
    summary: "The quotient of two numbers; of two integers it is an integer, cut towards zero. Division by zero is null.",
    examples: &[
        ("divide(4, 2)", "2"),
        ("divide(4, 3)", "1"),
        ("divide(4, 3.0)", "1.3333333333333333"),
        ("divide(4, 0)", "null"),
    ],
    evaluate: |arguments, _| arithmetic::apply(arguments, i64::checked_div, |a, b| a / b),
};
