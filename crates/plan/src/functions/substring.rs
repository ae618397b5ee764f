//! `substring`: a part of a string.

use super::{Function, Kind, argument, optional, required};
use crate::datum::Datum;

pub(super) static FUNCTION: Function = Function {
    name: "substring",
    parameters: &[
        required("source", Kind::String),
        required("start", Kind::Integer),
        optional("end", Kind::Integer),
    ],
    variadic: false,
    ignores_case: false,
    returns: Kind::String,
    summary: "The UTF-16 units (characters, but for rare ones) from `start` up to, but without, `end`; negative places count from the end of the string.",
    examples: &[
        (r#"substring("start regsvr32.exe", 6)"#, "regsvr32.exe"),
        (r#"substring("start regsvr32.exe", 0, 5)"#, "start"),
        (r#"substring("start regsvr32.exe", -4)"#, ".exe"),
        (r#"substring("start regsvr32.exe", -4, -1)"#, ".ex"),
        (r#"substring("abc", 2, 1)"#, ""),
    ],
    evaluate,
};

fn evaluate<'a>(arguments: &[Datum<'a>], _ignore_case: bool) -> Datum<'a> {
    let (Some(source), Some(start)) = (arguments[0].as_text(), arguments[1].as_long()) else {
        return Datum::Null;
    };
    // Elasticsearch counts as Java does, in UTF-16 units.
    let units: Vec<u16> = source.encode_utf16().collect();
    let length = units.len() as i64;
    let end = match argument(arguments, 2) {
        None => length,
        Some(datum) => match datum.as_long() {
            Some(end) => end,
            None => return Datum::Null,
        },
    };
    let place = |at: i64| if at < 0 { at.saturating_add(length) } else { at }.clamp(0, length) as usize;
    let (start, end) = (place(start), place(end));
    Datum::text(String::from_utf16_lossy(&units[start..end.max(start)]))
}
