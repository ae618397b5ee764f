//! `endsWith`: Whether the text ends with another.

use super::{Function, Kind, required, with_texts};
use crate::datum::Datum;

pub(super) static FUNCTION: Function = Function {
    name: "endsWith",
    parameters: &[required("source", Kind::String), required("suffix", Kind::String)],
    variadic: false,
    ignores_case: true,
    returns: Kind::Boolean,
    summary: "Whether the text ends with another.",
    examples: &[
        (r#"endsWith("cmd.exe", ".exe")"#, "true"),
        (r#"endsWith("cmd.exe", ".EXE")"#, "false"),
        (r#"endsWith~("cmd.exe", ".EXE")"#, "true"),
    ],
    evaluate: |arguments, ignore_case| {
        with_texts(arguments, ignore_case, |source, part| Datum::Boolean(source.ends_with(part)))
    },
};
