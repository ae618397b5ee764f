//! `length`: how long a string is.

use super::{Function, Kind, required};
use crate::datum::Datum;

pub(super) static FUNCTION: Function = Function {
    name: "length",
    parameters: &[required("string", Kind::String)],
    variadic: false,
    ignores_case: false,
    returns: Kind::Integer,
    // Elasticsearch counts as Java does, in UTF-16 units.
    summary: "The length of the string in UTF-16 units: characters, but for rare ones beyond the basic plane, which \
              count twice.",
    examples: &[(r#"length("explorer.exe")"#, "12"), (r#"length("")"#, "0"), ("length(null)", "null")],
    evaluate: |arguments, _| {
        arguments[0].as_text().map_or(Datum::Null, |text| Datum::Long(text.encode_utf16().count() as i64))
    },
};
