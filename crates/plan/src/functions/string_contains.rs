//! `stringContains`: Whether the text holds another.

use super::{Function, Kind, required, with_texts};
use crate::datum::Datum;

pub(super) static FUNCTION: Function = Function {
    name: "stringContains",
    parameters: &[required("source", Kind::String), required("substring", Kind::String)],
    variadic: false,
    ignores_case: true,
    returns: Kind::Boolean,
    summary: "Whether the text holds another.",
    examples: &[
        (r#"stringContains("cmd.exe", "d.e")"#, "true"),
        (r#"stringContains~("cmd.exe", "D.E")"#, "true"),
    ],
    evaluate: |arguments, ignore_case| {
        with_texts(arguments, ignore_case, |source, part| Datum::Boolean(source.contains(part)))
    },
};
