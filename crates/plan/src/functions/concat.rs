//! `concat`: values joined to one string.

use super::{Function, Kind, required};
use crate::datum::Datum;
use crate::limits::STRING_BYTES_MAX;

pub(super) static FUNCTION: Function = Function {
    name: "concat",
    parameters: &[required("value", Kind::Any)],
    variadic: true,
    ignores_case: false,
    returns: Kind::String,
    summary: "The values as strings, one after the other; null when one of them is null.",
    examples: &[(r#"concat("a", 1, true)"#, "a1true"), (r#"concat("a", null)"#, "null")],
    evaluate,
};

fn evaluate<'a>(arguments: &[Datum<'a>], _ignore_case: bool) -> Datum<'a> {
    let mut joined = String::new();
    for argument in arguments {
        let Some(text) = argument.to_text() else { return Datum::Null };
        if joined.len() + text.len() > STRING_BYTES_MAX {
            return Datum::Null;
        }
        joined.push_str(&text);
    }
    Datum::text(joined)
}
