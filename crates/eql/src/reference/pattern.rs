//! Operators that match strings: `:`, `like`, `regex`, and those with `~`.

use super::{Group, Operator, fails, holds, unknown};

pub(super) const GROUP: Group = Group {
    title: "Patterns",
    about: "The pattern has to fit the whole value. In wildcards, `*` is any run of characters, line ends included, and `?` \
            is exactly one. On the right stands a string, or a list of strings of which one has to fit.",
    operators: &[&COLON, &LIKE, &LIKE_IGNORE_CASE, &REGEX, &REGEX_IGNORE_CASE],
};

const OPERANDS: &str = "a string, and a string or a list of strings";
const MISSING: &str = "false; the negation is true. Of a script: null";

static COLON: Operator = Operator {
    symbol: ":",
    name: "matches",
    operands: OPERANDS,
    summary: "The value fits the wildcard pattern, whatever the case of ASCII letters.",
    missing: MISSING,
    examples: &[
        holds(r#"process.name : "cmd.exe""#, r#"{"process.name": "CMD.EXE"}"#),
        holds(r#"process.name : ("sh", "cmd.*")"#, r#"{"process.name": "CMD.EXE"}"#),
        holds(r#"process.name : "c?d.exe""#, r#"{"process.name": "cmd.exe"}"#),
        fails(r#"process.name : "cmd""#, r#"{"process.name": "cmd.exe"}"#),
        fails(r#"file.name : "ärger""#, r#"{"file.name": "ÄRGER"}"#),
        fails(r#"process.name : "cmd*""#, "{}"),
        unknown(r#"concat(process.name, ".exe") : "cmd*""#, "{}"),
    ],
};

static LIKE: Operator = Operator {
    symbol: "like",
    name: "like",
    operands: OPERANDS,
    summary: "The value fits the wildcard pattern, with case.",
    missing: MISSING,
    examples: &[
        holds(r#"process.name like "CMD.*""#, r#"{"process.name": "CMD.EXE"}"#),
        fails(r#"process.name like "cmd.*""#, r#"{"process.name": "CMD.EXE"}"#),
        fails(r#"process.name like "cmd.*""#, "{}"),
    ],
};

static LIKE_IGNORE_CASE: Operator = Operator {
    symbol: "like~",
    name: "like, in any case",
    operands: OPERANDS,
    summary: "The same as `:`.",
    missing: MISSING,
    examples: &[
        holds(r#"process.name like~ "cmd.*""#, r#"{"process.name": "CMD.EXE"}"#),
        holds(r#"not process.name like~ ("sh", "cmd*")"#, "{}"),
    ],
};

static REGEX: Operator = Operator {
    symbol: "regex",
    name: "regular expression",
    operands: OPERANDS,
    summary: "The whole value fits the expression in Lucene's syntax, with case.",
    missing: MISSING,
    examples: &[
        holds(r#"process.name regex "[a-z]+\\.exe""#, r#"{"process.name": "cmd.exe"}"#),
        holds(r#"process.name regex """[a-z]+\.exe""""#, r#"{"process.name": "cmd.exe"}"#),
        fails(r#"process.name regex "cmd""#, r#"{"process.name": "cmd.exe"}"#),
        fails(r#"process.name regex "cmd.*""#, r#"{"process.name": "CMD.exe"}"#),
        holds(r#"process.name regex "update<1-99>""#, r#"{"process.name": "update42"}"#),
        fails(r#"process.name regex "cmd.*""#, "{}"),
    ],
};

static REGEX_IGNORE_CASE: Operator = Operator {
    symbol: "regex~",
    name: "regular expression, in any case",
    operands: OPERANDS,
    summary: "The same, whatever the case of ASCII letters.",
    missing: MISSING,
    examples: &[
        holds(r#"process.name regex~ ("sh", "cmd\\..*")"#, r#"{"process.name": "CMD.EXE"}"#),
        fails(r#"process.name regex~ "cmd.*""#, "{}"),
    ],
};
