//! `string`: a value as text.

use super::{Function, Kind, required};
use crate::datum::Datum;

pub(super) static FUNCTION: Function = Function {
    name: "string",
    parameters: &[required("value", Kind::Any)],
    variadic: false,
    ignores_case: false,
    returns: Kind::String,
    summary: "The value as a string.",
    examples: &[("string(42)", "42"), ("string(true)", "true"), ("string(null)", "null")],
    evaluate: |arguments, _| {
        arguments[0].to_text().map_or(Datum::Null, |text| Datum::text(text.into_owned()))
    },
};
