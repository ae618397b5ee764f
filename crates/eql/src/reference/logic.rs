//! `and`, `or`, `not`, and arithmetic.

use super::{Group, Operator, fails, holds, unknown};

pub(super) const GROUP: Group = Group {
    title: "Logic and arithmetic",
    about: "`not` binds tighter than `and`, and `and` tighter than `or`; `*`, `/` and `%` bind tighter than `+` and `-`. \
            Two integers give an integer, a decimal operand makes the result decimal, and what has no value (a missing \
            operand, division by zero, overflow) is null. Arithmetic sees the first value of a field in sorted order.",
    operators: &[&AND, &OR, &NOT, &ADD, &SUBTRACT, &MULTIPLY, &DIVIDE, &MODULO, &NEGATE],
};

const CONDITIONS: &str = "two conditions";
const NUMBERS: &str = "two numbers";
const ARITHMETIC: &str = "the result is null, and so is a comparison with it";

static AND: Operator = Operator {
    symbol: "and",
    name: "and",
    operands: CONDITIONS,
    summary: "Both hold. One that is false decides, whatever the other.",
    missing: "that condition is what it is by itself",
    examples: &[
        holds(r#"process.pid == 7 and process.name == "sh""#, r#"{"process": {"pid": 7, "name": "sh"}}"#),
        unknown("process.pid == 7 and length(process.name) > 1", r#"{"process.pid": 7}"#),
        fails("process.pid == 8 and length(process.name) > 1", r#"{"process.pid": 7}"#),
    ],
};

static OR: Operator = Operator {
    symbol: "or",
    name: "or",
    operands: CONDITIONS,
    summary: "One of them holds. One that is true decides, whatever the other.",
    missing: "that condition is what it is by itself",
    examples: &[
        holds("process.pid == 7 or length(process.name) > 1", r#"{"process.pid": 7}"#),
        unknown("process.pid == 8 or length(process.name) > 1", r#"{"process.pid": 7}"#),
        fails("process.pid == 8 or process.pid == 9", r#"{"process.pid": 7}"#),
    ],
};

static NOT: Operator = Operator {
    symbol: "not",
    name: "not",
    operands: "a condition on the right",
    summary: "True becomes false, false becomes true, and null stays null. It is pushed down to single conditions first.",
    missing: "that condition is what it is by itself",
    examples: &[
        holds(r#"not process.name == "sh""#, "{}"),
        unknown("not length(process.name) > 1", "{}"),
        holds(r#"not (process.pid > 7 and process.name == "sh")"#, r#"{"process.pid": 8}"#),
        holds("not process.code_signature.trusted", "{}"),
    ],
};

static ADD: Operator = Operator {
    symbol: "+",
    name: "plus",
    operands: NUMBERS,
    summary: "The sum. Strings are joined by `concat`.",
    missing: ARITHMETIC,
    examples: &[
        holds("process.pid + 1 == 8", r#"{"process.pid": 7}"#),
        unknown("process.pid + 1 == 8", "{}"),
    ],
};

static SUBTRACT: Operator = Operator {
    symbol: "-",
    name: "minus",
    operands: NUMBERS,
    summary: "The difference.",
    missing: ARITHMETIC,
    examples: &[
        holds("destination.bytes - source.bytes > 100", r#"{"destination.bytes": 500, "source.bytes": 90}"#),
        unknown("destination.bytes - source.bytes > 100", r#"{"destination.bytes": 500}"#),
    ],
};

static MULTIPLY: Operator = Operator {
    symbol: "*",
    name: "times",
    operands: NUMBERS,
    summary: "The product.",
    missing: ARITHMETIC,
    examples: &[
        holds("process.pid * 0.5 == 3.5", r#"{"process.pid": 7}"#),
        unknown("process.pid * 0.5 == 3.5", "{}"),
    ],
};

static DIVIDE: Operator = Operator {
    symbol: "/",
    name: "divided by",
    operands: NUMBERS,
    summary: "The quotient; of two integers it is an integer, cut towards zero.",
    missing: ARITHMETIC,
    examples: &[
        holds("process.pid / 2 == 3", r#"{"process.pid": 7}"#),
        holds("process.pid / 2.0 == 3.5", r#"{"process.pid": 7}"#),
        unknown("process.pid / 0 == 1", r#"{"process.pid": 7}"#),
        unknown("process.pid / 2 == 3", "{}"),
    ],
};

static MODULO: Operator = Operator {
    symbol: "%",
    name: "remainder",
    operands: NUMBERS,
    summary: "The remainder of the division, with the sign of the dividend.",
    missing: ARITHMETIC,
    examples: &[
        holds("process.pid % 4 == 3", r#"{"process.pid": 7}"#),
        holds("process.exit_code % 4 == -3", r#"{"process.exit_code": -7}"#),
        unknown("process.pid % 4 == 3", "{}"),
    ],
};

static NEGATE: Operator = Operator {
    symbol: "-x",
    name: "negative",
    operands: "a number on the right",
    summary: "The number with the other sign.",
    missing: ARITHMETIC,
    examples: &[
        holds("-process.exit_code == 7", r#"{"process.exit_code": -7}"#),
        unknown("-process.exit_code == 7", "{}"),
    ],
};
