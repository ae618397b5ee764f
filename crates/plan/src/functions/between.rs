//! `between`: the text between two others.

use super::{Function, Kind, argument, optional, required};
use crate::datum::Datum;
use maxspan_event::wildcard::fold;

pub(super) static FUNCTION: Function = Function {
    name: "between",
    parameters: &[
        required("source", Kind::String),
        required("left", Kind::String),
        required("right", Kind::String),
        optional("greedy", Kind::Boolean),
    ],
    variadic: false,
    ignores_case: true,
    returns: Kind::String,
    summary: "The text between the first `left` and the next `right` after it, or with `greedy` the last one; empty \
              where one of them is missing.",
    examples: &[
        (r#"between("C:\\Windows\\cmd.exe", "Windows\\", ".exe")"#, "cmd"),
        (r#"between("a-b-c-d", "a", "-", true)"#, "-b-c"),
        (r#"between("abc", "x", "y")"#, ""),
        (r#"between~("ABC", "a", "c")"#, "B"),
    ],
    evaluate,
};

fn evaluate<'a>(arguments: &[Datum<'a>], ignore_case: bool) -> Datum<'a> {
    let greedy = match argument(arguments, 3) {
        None => Some(false),
        Some(datum) => datum.as_boolean(),
    };
    let texts = (arguments[0].as_text(), arguments[1].as_text(), arguments[2].as_text(), greedy);
    let (Some(source), Some(left), Some(right), Some(greedy)) = texts else { return Datum::Null };
    let found = if ignore_case {
        // Folding maps character to character, so places in the folded text are found again by counting.
        let (folded, left, right) = (fold(source), fold(left), fold(right));
        find(&folded, &left, &right, greedy).map(|(start, end)| {
            let (skip, take) = (folded[..start].chars().count(), folded[start..end].chars().count());
            source.chars().skip(skip).take(take).collect()
        })
    } else {
        find(source, left, right, greedy).map(|(start, end)| source[start..end].to_owned())
    };
    Datum::text(found.unwrap_or_default())
}

fn find(source: &str, left: &str, right: &str, greedy: bool) -> Option<(usize, usize)> {
    let start = source.find(left)? + left.len();
    let rest = &source[start..];
    let length = if greedy { rest.rfind(right)? } else { rest.find(right)? };
    Some((start, start + length))
}
