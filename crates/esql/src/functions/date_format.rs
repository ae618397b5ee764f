//! `DATE_FORMAT` and `DATE_PARSE`, with the letters of Java's date patterns.

use super::date::local;
use super::{Context, Function, PLAIN, Returns, Takes, made_text, optional, required, text_of};
use crate::civil::{self, Civil, Reader, to_instant};
use crate::types::{DATES, DataType, TEXTS};
use crate::value::{Value, ValueRef};
use crate::warning::Failure;

/// Names of days, from Monday.
pub(super) const DAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
/// Names of months.
pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

pub(super) static FUNCTIONS: &[Function] = &[
    Function {
        name: "DATE_FORMAT",
        parameters: &[required("format", TEXTS.or(DATES)), optional("date", DATES)],
        group: "Date",
        summary: "A date as text by a pattern (`yyyy-MM-dd HH:mm:ss`); without one in ISO form.",
        examples: &[(r#"DATE_FORMAT("yyyy-MM-dd", "2024-05-06T07:08:09Z"::date)"#, r#""2024-05-06""#)],
        evaluate: format_date,
        ..PLAIN
    },
    Function {
        name: "DATE_PARSE",
        parameters: &[required("format", TEXTS), optional("text", TEXTS)],
        returns: Returns::Is(DataType::Datetime),
        takes: Takes::Single,
        group: "Date",
        summary: "A text as a date by a pattern; without one in ISO form.",
        examples: &[(r#"DATE_PARSE("dd.MM.yyyy", "06.05.2024")"#, r#""2024-05-06T00:00:00.000Z""#)],
        evaluate: parse_date,
        ..PLAIN
    },
];

/// A piece of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    /// A letter, so many times.
    Field(char, usize),
    Literal(String),
}

fn format_date(context: &mut Context, a: &[ValueRef<'_>]) -> Result<Value, Failure> {
    let [format, date] = a else {
        let text = super::convert::to_text(a[0]);
        return made_text(text);
    };
    let civil = local(context, *date)?;
    let offset = context.zone.offset_ms(date.as_millis().unwrap_or(0)) / 1_000;
    let mut text = String::new();
    for piece in pieces(text_of(*format))? {
        match piece {
            Piece::Literal(literal) => text.push_str(&literal),
            Piece::Field(letter, count) => text.push_str(&field_text(civil, offset, letter, count)?),
        }
    }
    made_text(text)
}

/// Java names the whole pattern in its messages, so does this.
fn pieces(pattern: &str) -> Result<Vec<Piece>, Failure> {
    if matches!(pattern, "iso8601" | "strict_date_optional_time") {
        return pieces("yyyy-MM-dd'T'HH:mm:ss.SSSX");
    }
    let chars: Vec<char> = pattern.chars().collect();
    let (mut pieces, mut at) = (Vec::new(), 0);
    while at < chars.len() {
        let c = chars[at];
        if c == '\'' {
            let end = chars[at + 1..].iter().position(|c| *c == '\'').map(|end| at + 1 + end);
            let end = end.ok_or_else(|| Failure::argument(format!("Invalid format: [{pattern}]")))?;
            let literal: String = chars[at + 1..end].iter().collect();
            pieces.push(Piece::Literal(if literal.is_empty() { "'".to_owned() } else { literal }));
            at = end + 1;
        } else if c.is_ascii_alphabetic() {
            let count = chars[at..].iter().take_while(|other| **other == c).count();
            pieces.push(Piece::Field(c, count));
            at += count;
        } else {
            pieces.push(Piece::Literal(c.to_string()));
            at += 1;
        }
    }
    Ok(pieces)
}

fn field_text(date: Civil, offset: i64, letter: char, count: usize) -> Result<String, Failure> {
    let number = |value: i64| Ok(format!("{value:0count$}"));
    match letter {
        'y' | 'u' if count == 2 => Ok(format!("{:02}", date.year.rem_euclid(100))),
        'y' | 'u' | 'Y' => number(date.year),
        'M' | 'L' if count >= 4 => Ok(MONTHS[date.month as usize - 1].to_owned()),
        'M' | 'L' if count == 3 => Ok(MONTHS[date.month as usize - 1][..3].to_owned()),
        'M' | 'L' => number(date.month),
        'd' => number(date.day),
        'D' => number(date.day_of_year()),
        'E' if count >= 4 => Ok(DAYS[date.weekday() as usize - 1].to_owned()),
        'E' => Ok(DAYS[date.weekday() as usize - 1][..3].to_owned()),
        'e' | 'c' => number(date.weekday()),
        'Q' | 'q' => number((date.month - 1) / 3 + 1),
        'H' => number(date.hour),
        'k' => number(if date.hour == 0 { 24 } else { date.hour }),
        'K' => number(date.hour % 12),
        'h' => number(if date.hour % 12 == 0 { 12 } else { date.hour % 12 }),
        'm' => number(date.minute),
        's' => number(date.second),
        'S' => Ok(format!("{:09}", date.nanos)[..count.min(9)].to_owned()),
        'n' => number(date.nanos),
        'a' => Ok(if date.hour < 12 { "AM" } else { "PM" }.to_owned()),
        'G' => Ok(if date.year > 0 { "AD" } else { "BC" }.to_owned()),
        'X' if offset == 0 => Ok("Z".to_owned()),
        'X' | 'x' | 'Z' => Ok(offset_text(offset, letter, count)),
        'z' | 'V' | 'O' => Ok(if offset == 0 { "Z".to_owned() } else { offset_text(offset, 'x', 3) }),
        _ => Err(Failure::argument(format!("Unknown pattern letter: {letter}"))),
    }
}

fn offset_text(offset: i64, letter: char, count: usize) -> String {
    let sign = if offset < 0 { '-' } else { '+' };
    let (hours, minutes) = (offset.abs() / 3_600, offset.abs() / 60 % 60);
    match (letter, count) {
        ('X' | 'x', 1) if minutes == 0 => format!("{sign}{hours:02}"),
        ('X' | 'x', 3 | 5) => format!("{sign}{hours:02}:{minutes:02}"),
        _ => format!("{sign}{hours:02}{minutes:02}"),
    }
}

fn parse_date(context: &mut Context, a: &[ValueRef<'_>]) -> Result<Value, Failure> {
    let [format, text] = a else { return super::convert::convert(context, a[0], DataType::Datetime) };
    let (format, text) = (text_of(*format), text_of(*text));
    let failed = || Failure::argument(format!("failed to parse date field [{text}] with format [{format}]"));
    if matches!(format, "iso8601" | "strict_date_optional_time") {
        let nanos = civil::parse_iso(text, &context.zone).ok_or_else(failed)?;
        return i64::try_from(nanos.div_euclid(1_000_000)).map(Value::Date).map_err(|_| failed());
    }
    let (civil, offset) = read(text, &pieces(format)?).ok_or_else(failed)?;
    let local = civil.to_millis().ok_or_else(failed)?;
    Ok(Value::Date(match offset {
        Some(seconds) => local.saturating_sub(seconds * 1_000),
        None => to_instant(&context.zone, local),
    }))
}

/// Reads a text by the pieces of a pattern, all of it.
fn read(text: &str, pieces: &[Piece]) -> Option<(Civil, Option<i64>)> {
    let mut reader = Reader { rest: text };
    let mut date = Civil { year: 1970, month: 1, day: 1, hour: 0, minute: 0, second: 0, nanos: 0 };
    let (mut offset, mut afternoon) = (None, None);
    for (i, piece) in pieces.iter().enumerate() {
        let (letter, count) = match piece {
            Piece::Literal(literal) => {
                reader.rest = reader.rest.strip_prefix(literal.as_str())?;
                continue;
            }
            Piece::Field(letter, count) => (*letter, *count),
        };
        // Where another number follows at once, a field has as many digits as letters.
        let tight =
            matches!(pieces.get(i + 1), Some(Piece::Field('y' | 'M' | 'd' | 'H' | 'h' | 'm' | 's' | 'S', _)));
        let most = if tight {
            count
        } else if letter == 'y' || letter == 'u' {
            9
        } else {
            count.max(2)
        };
        let mut digits =
            || reader.some_digits(count.min(most), if count > 1 && letter != 'y' { count } else { most });
        match letter {
            'y' | 'u' if count == 2 => date.year = 2_000 + reader.digits(2)?,
            'y' | 'u' | 'Y' => date.year = digits()?,
            'M' | 'L' if count >= 3 => date.month = name(&mut reader, &MONTHS, count)? + 1,
            'M' | 'L' => date.month = digits().filter(|month| (1..=12).contains(month))?,
            'd' => date.day = digits()?,
            'E' => {
                name(&mut reader, &DAYS, count)?;
            }
            'H' => date.hour = digits().filter(|hour| *hour < 24)?,
            'h' => date.hour = digits().filter(|hour| (1..=12).contains(hour))? % 12,
            'm' => date.minute = digits().filter(|minute| *minute < 60)?,
            's' => date.second = digits().filter(|second| *second < 60)?,
            'S' => date.nanos = reader.fraction()?,
            'a' => afternoon = Some(name(&mut reader, &["AM", "PM"], 4)? == 1),
            'X' | 'x' | 'Z' | 'z' | 'V' => offset = Some(reader.offset()?),
            _ => return None,
        }
    }
    date.hour += if afternoon == Some(true) { 12 } else { 0 };
    let exists = (1..=civil::days_in_month(date.year, date.month)).contains(&date.day);
    (reader.rest.is_empty() && exists).then_some((date, offset))
}

/// Which of the names comes next; three letters of it, or all.
fn name(reader: &mut Reader<'_>, names: &[&str], count: usize) -> Option<i64> {
    for (i, full) in names.iter().enumerate() {
        let wanted = if count >= 4 || full.len() < 3 { full } else { &full[..3] };
        let found = reader.rest.get(..wanted.len()).is_some_and(|start| start.eq_ignore_ascii_case(wanted));
        if found {
            reader.rest = &reader.rest[wanted.len()..];
            return Some(i as i64);
        }
    }
    None
}
