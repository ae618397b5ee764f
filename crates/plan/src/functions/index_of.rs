//! `indexOf`: where a text stands in another.

use super::{Function, Kind, argument, optional, required};
use crate::datum::Datum;
use maxspan_event::wildcard::fold;

pub(super) static FUNCTION: Function = Function {
    name: "indexOf",
    parameters: &[
        required("source", Kind::String),
        required("substring", Kind::String),
        optional("start", Kind::Integer),
    ],
    variadic: false,
    ignores_case: true,
    returns: Kind::Integer,
    summary: "The place of the first `substring`, in UTF-16 units from 0, at `start` or after it; null where there is none.",
    examples: &[
        (r#"indexOf("subdomain.example", ".")"#, "9"),
        (r#"indexOf("a.b.c", ".", 2)"#, "3"),
        (r#"indexOf("abc", "x")"#, "null"),
        (r#"indexOf("abc", "")"#, "0"),
    ],
    evaluate,
};

fn evaluate<'a>(arguments: &[Datum<'a>], ignore_case: bool) -> Datum<'a> {
    let start = match argument(arguments, 2) {
        None => Some(0),
        Some(datum) => datum.as_long(),
    };
    let (Some(source), Some(part), Some(start)) = (arguments[0].as_text(), arguments[1].as_text(), start)
    else {
        return Datum::Null;
    };
    let found = if ignore_case { find(&fold(source), &fold(part), start) } else { find(source, part, start) };
    found.map_or(Datum::Null, Datum::Long)
}

/// Places count UTF-16 units, as Elasticsearch does.
fn find(source: &str, part: &str, start: i64) -> Option<i64> {
    let (source, part): (Vec<u16>, Vec<u16>) =
        (source.encode_utf16().collect(), part.encode_utf16().collect());
    let start = usize::try_from(start.max(0)).ok()?;
    let rest = source.get(start..)?;
    if part.is_empty() {
        return Some(start as i64);
    }
    rest.windows(part.len()).position(|window| *window == *part).map(|found| (start + found) as i64)
}
