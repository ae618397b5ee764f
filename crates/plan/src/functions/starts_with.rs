//! `startsWith`: Whether the text begins with another.

use super::{Function, Kind, required, with_texts};
use crate::datum::Datum;

pub(super) static FUNCTION: Function = Function {
    name: "startsWith",
    parameters: &[required("source", Kind::String), required("prefix", Kind::String)],
    variadic: false,
    ignores_case: true,
    returns: Kind::Boolean,
    summary: "Whether the text begins with another.",
    examples: &[
        (r#"startsWith("cmd.exe", "cmd")"#, "true"),
        (r#"startsWith~("cmd.exe", "CMD")"#, "true"),
        (r#"startsWith("cmd.exe", "")"#, "true"),
    ],
    evaluate: |arguments, ignore_case| {
        with_texts(arguments, ignore_case, |source, part| Datum::Boolean(source.starts_with(part)))
    },
};
