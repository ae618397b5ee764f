//! How fields and calls are written in conditions.

use super::{Group, Operator, fails, holds, unknown};

pub(super) const GROUP: Group = Group {
    title: "Fields and calls as conditions",
    about: "What can stand in a condition without an operator, and how fields are named.",
    operators: &[&BARE, &OPTIONAL, &BACKQUOTES, &CALL, &CALL_IGNORE_CASE],
};

static BARE: Operator = Operator {
    symbol: "field",
    name: "a boolean field by itself",
    operands: "none",
    summary: "The field is true.",
    missing: "false; the negation is true",
    examples: &[
        holds("process.code_signature.trusted", r#"{"process.code_signature.trusted": true}"#),
        fails("process.code_signature.trusted", "{}"),
    ],
};

static OPTIONAL: Operator = Operator {
    symbol: "?field",
    name: "optional field",
    operands: "none",
    summary: "The field, which no schema needs to know: without the mark, a field that is unknown gives a warning, and \
              with `--strict` an error.",
    missing: "as for other fields",
    examples: &[
        holds(r#"?vendor.colour == "red""#, r#"{"vendor.colour": "red"}"#),
        holds("?vendor.colour == null", "{}"),
        fails(r#"?vendor.colour == "red""#, "{}"),
    ],
};

static BACKQUOTES: Operator = Operator {
    symbol: "`field`",
    name: "field with an odd name",
    operands: "none",
    summary: "The field whose name has other characters than letters, digits, `_`, `@` and dots, or is a keyword.",
    missing: "as for other fields",
    examples: &[
        holds(r#"?`vendor.my-colour` == "red""#, r#"{"vendor": {"my-colour": "red"}}"#),
        fails(r#"?`vendor.my-colour` == "red""#, "{}"),
    ],
};

static CALL: Operator = Operator {
    symbol: "f(…)",
    name: "call of a boolean function",
    operands: "arguments in parentheses",
    summary: "`startsWith`, `endsWith`, `stringContains` and `cidrMatch` of a field and constants are tests: any value of \
              the field may satisfy them. All other calls are scripts and see the first value in sorted order.",
    missing: "of a test: false, and the negation is true; of a script: null",
    examples: &[
        holds(r#"startsWith(process.name, "cu")"#, r#"{"process.name": ["bash", "curl"]}"#),
        fails(r#"startsWith(process.name, "cu")"#, "{}"),
        holds(r#"not cidrMatch(source.ip, "10.0.0.0/8")"#, "{}"),
        unknown(r#"startsWith(concat(process.name, ""), "cu")"#, "{}"),
        fails(r#"startsWith(concat(process.name, ""), "cu")"#, r#"{"process.name": ["bash", "curl"]}"#),
    ],
};

static CALL_IGNORE_CASE: Operator = Operator {
    symbol: "f~(…)",
    name: "call in any case",
    operands: "arguments in parentheses",
    summary: "The same, whatever the case of letters, for functions that have this form.",
    missing: "as for the call without `~`",
    examples: &[
        holds(r#"endsWith~(file.name, ".EXE")"#, r#"{"file.name": "setup.exe"}"#),
        fails(r#"endsWith(file.name, ".EXE")"#, r#"{"file.name": "setup.exe"}"#),
    ],
};
