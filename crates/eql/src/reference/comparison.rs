//! Comparisons: `==` `!=` `<` `<=` `>` `>=`, `in`, and tests for null.

use super::{Example, Group, Operator, both, fails, holds, unknown};

pub(super) const GROUP: Group = Group {
    title: "Comparison",
    about: "Case counts, but for `in~`. Of a field with several values, any may satisfy the condition. A comparison of a \
            field with constants is a test (`==`, `in`) or an ordering (`<`); with anything else it is a script. \
            Since the negation of an ordering is the opposite ordering, both hold where the values of a field lie on both \
            sides.",
    operators: &[
        &EQUAL,
        &NOT_EQUAL,
        &LESS,
        &LESS_OR_EQUAL,
        &GREATER,
        &GREATER_OR_EQUAL,
        &IN,
        &NOT_IN,
        &IN_IGNORE_CASE,
        &NOT_IN_IGNORE_CASE,
        &IS_NULL,
        &IS_NOT_NULL,
    ],
};

const TEST: &str = "false; the negation is true";
const NEGATED_TEST: &str = "true; the negation is false";
const ORDERING: &str = "null: neither it nor its negation holds";

const ORDERED: &str = "a number, date, string, address or version, and a value of the same type";

static EQUAL: Operator = Operator {
    symbol: "==",
    name: "equal",
    operands: "two values of the same type; an address and a block; a date and a part of a date",
    summary: "The whole value is the same, with case. There are no wildcards.",
    missing: TEST,
    examples: EQUAL_EXAMPLES,
};

const EQUAL_EXAMPLES: &[Example] = &[
    holds(r#"process.name == "curl""#, r#"{"process.name": "curl"}"#),
    fails(r#"process.name == "CURL""#, r#"{"process.name": "curl"}"#),
    fails(r#"process.name == "cur*""#, r#"{"process.name": "curl"}"#),
    holds(r#"process.args == "-k""#, r#"{"process.args": ["curl", "-k"]}"#),
    holds("process.pid == 7.0", r#"{"process.pid": "7"}"#),
    holds(r#"source.ip == "10.0.0.0/8""#, r#"{"source.ip": "10.1.2.3"}"#),
    holds(r#"event.created == "2026-03-10""#, r#"{"event.created": "2026-03-10T15:12:36Z"}"#),
    holds("process.code_signature.trusted == false", r#"{"process.code_signature.trusted": false}"#),
    fails("process.code_signature.trusted == false", "{}"),
    unknown("process.name == process.parent.name", r#"{"process.name": "curl"}"#),
];

static NOT_EQUAL: Operator = Operator {
    symbol: "!=",
    name: "not equal",
    operands: "as for `==`",
    summary: "The negation of `==`: no value of the field is the same.",
    missing: NEGATED_TEST,
    examples: &[
        holds(r#"process.name != "curl""#, r#"{"process.name": "wget"}"#),
        holds(r#"process.name != "curl""#, "{}"),
        fails(r#"process.args != "-k""#, r#"{"process.args": ["curl", "-k"]}"#),
    ],
};

static LESS: Operator = Operator {
    symbol: "<",
    name: "less",
    operands: ORDERED,
    summary: "Before the other value in the order of its type.",
    missing: ORDERING,
    examples: &[
        holds("process.pid < 10", r#"{"process.pid": 9}"#),
        unknown("process.pid < 10", "{}"),
        holds(r#"app.version < "1.10.0""#, r#"{"app.version": "1.9.0"}"#),
        holds(r#"event.created < "2026-03-10""#, r#"{"event.created": "2026-03-09T23:59:59.999Z"}"#),
    ],
};

static LESS_OR_EQUAL: Operator = Operator {
    symbol: "<=",
    name: "less or equal",
    operands: ORDERED,
    summary: "Before the other value, or the same. A date without a time of day is the whole day.",
    missing: ORDERING,
    examples: &[
        holds("process.pid <= 10", r#"{"process.pid": 10}"#),
        holds(r#"event.created <= "2026-03-10""#, r#"{"event.created": "2026-03-10T23:59:59.999Z"}"#),
        unknown("not process.pid <= 10", "{}"),
    ],
};

static GREATER: Operator = Operator {
    symbol: ">",
    name: "greater",
    operands: ORDERED,
    summary: "After the other value in the order of its type.",
    missing: ORDERING,
    examples: &[
        holds("process.pid > 10", r#"{"process.pid": [11, 12]}"#),
        both("process.pid > 10", r#"{"process.pid": [3, 11]}"#),
        fails(r#"event.created > "2026-03-10""#, r#"{"event.created": "2026-03-10T15:12:36Z"}"#),
        holds(r#"process.name > "a""#, r#"{"process.name": "curl"}"#),
        unknown("process.pid > 10", "{}"),
    ],
};

static GREATER_OR_EQUAL: Operator = Operator {
    symbol: ">=",
    name: "greater or equal",
    operands: ORDERED,
    summary: "After the other value, or the same.",
    missing: ORDERING,
    examples: &[
        holds("process.pid >= 10", r#"{"process.pid": 10}"#),
        holds(r#"event.created >= "2026-03-10""#, r#"{"event.created": "2026-03-10T00:00:00Z"}"#),
        unknown("process.pid >= 10", "{}"),
    ],
};

static IN: Operator = Operator {
    symbol: "in",
    name: "in",
    operands: "a value, and a list of values of its type in parentheses",
    summary: "Equal to one of the list, as with `==`.",
    missing: TEST,
    examples: &[
        holds(r#"process.name in ("curl", "wget")"#, r#"{"process.name": "wget"}"#),
        fails(r#"process.name in ("curl", "wget")"#, r#"{"process.name": "Wget"}"#),
        holds("process.exit_code in (1, 2)", r#"{"process.exit_code": 2}"#),
        fails(r#"process.name in ("curl", "wget")"#, "{}"),
    ],
};

static NOT_IN: Operator = Operator {
    symbol: "not in",
    name: "not in",
    operands: "as for `in`",
    summary: "The negation of `in`: no value of the field is in the list.",
    missing: NEGATED_TEST,
    examples: &[
        holds(r#"process.name not in ("curl", "wget")"#, r#"{"process.name": "nc"}"#),
        holds(r#"process.name not in ("curl", "wget")"#, "{}"),
        fails(r#"process.args not in ("-k")"#, r#"{"process.args": ["curl", "-k"]}"#),
    ],
};

static IN_IGNORE_CASE: Operator = Operator {
    symbol: "in~",
    name: "in, in any case",
    operands: "a string, and a list of strings",
    summary: "Equal to one of the list, whatever the case of ASCII letters. There are no wildcards.",
    missing: TEST,
    examples: &[
        holds(r#"process.name in~ ("curl", "wget")"#, r#"{"process.name": "WGET"}"#),
        fails(r#"process.name in~ ("wg*")"#, r#"{"process.name": "wget"}"#),
        fails(r#"process.name in~ ("curl", "wget")"#, "{}"),
    ],
};

static NOT_IN_IGNORE_CASE: Operator = Operator {
    symbol: "not in~",
    name: "not in, in any case",
    operands: "as for `in~`",
    summary: "The negation of `in~`.",
    missing: NEGATED_TEST,
    examples: &[
        fails(r#"process.name not in~ ("curl", "wget")"#, r#"{"process.name": "WGET"}"#),
        holds(r#"process.name not in~ ("curl", "wget")"#, "{}"),
    ],
};

static IS_NULL: Operator = Operator {
    symbol: "== null",
    name: "is missing",
    operands: "anything on the left",
    summary: "The field is missing, or the script has no value. Objects count as present when something stands below them.",
    missing: NEGATED_TEST,
    examples: &[
        holds("process.name == null", "{}"),
        holds("process.args == null", r#"{"process.args": []}"#),
        fails("process.name == null", r#"{"process.name": ""}"#),
        fails("process.parent == null", r#"{"process.parent.name": "launchd"}"#),
        holds("length(process.name) == null", "{}"),
    ],
};

static IS_NOT_NULL: Operator = Operator {
    symbol: "!= null",
    name: "is there",
    operands: "anything on the left",
    summary: "The negation of `== null`.",
    missing: TEST,
    examples: &[
        holds("process.name != null", r#"{"process.name": ""}"#),
        fails("process.name != null", r#"{"process.name": null}"#),
    ],
};
