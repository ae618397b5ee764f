//! `number`: a string read as a number.

use super::{Function, Kind, argument, optional, required};
use crate::datum::Datum;

pub(super) static FUNCTION: Function = Function {
    name: "number",
    parameters: &[required("string", Kind::String), optional("base", Kind::Integer)],
    variadic: false,
    ignores_case: false,
    returns: Kind::Number,
    summary: "The number that the string stands for, in the given base (10 unless told; `0x` means 16); null where it \
              stands for none.",
    examples: &[
        (r#"number("1337")"#, "1337"),
        (r#"number(" -42.5 ")"#, "-42.5"),
        (r#"number("0xdeadbeef")"#, "3735928559"),
        (r#"number("deadbeef", 16)"#, "3735928559"),
        (r#"number("words")"#, "null"),
        (r#"number("0x-5")"#, "null"),
        (r#"number("-0x8000000000000000")"#, "-9223372036854775808"),
    ],
    evaluate,
};

fn evaluate<'a>(arguments: &[Datum<'a>], _ignore_case: bool) -> Datum<'a> {
    let base = match argument(arguments, 1) {
        // A null base is the default base.
        None | Some(Datum::Null) => None,
        Some(Datum::Long(base)) if (2..=36).contains(base) => Some(*base as u32),
        Some(_) => return Datum::Null,
    };
    arguments[0].as_text().and_then(|text| parse(text.trim(), base)).unwrap_or(Datum::Null)
}

fn parse(text: &str, base: Option<u32>) -> Option<Datum<'static>> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let hexadecimal = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X"));
    let (digits, base) = match (hexadecimal, base) {
        (Some(digits), None | Some(16)) => (digits, 16),
        (_, base) => (digits, base.unwrap_or(10)),
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    // The sign is read with the digits, since the least number has no positive counterpart.
    let signed = if negative { format!("-{digits}") } else { digits.to_owned() };
    match i64::from_str_radix(&signed, base) {
        Ok(value) => Some(Datum::Long(value)),
        Err(_) if base == 10 => decimal(digits, negative),
        Err(_) => None,
    }
}

fn decimal(digits: &str, negative: bool) -> Option<Datum<'static>> {
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    let value = digits.parse::<f64>().ok().filter(|value| value.is_finite())?;
    Some(Datum::Double(if negative { -value } else { value }))
}
