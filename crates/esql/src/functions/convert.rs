//! Conversions between types: `TO_…`, `::type`, and constants where another type is expected.

use std::net::IpAddr;

use maxspan_event::parse_ip;

use super::{Context, Function, PLAIN, Returns, Takes, required};
use crate::civil;
use crate::time_span::TimeSpan;
use crate::types::{ANY, BOOLEANS, DATES, DataType, IPS, NUMBERS, POINTS, SPANS, TEXTS, Types};
use crate::value::{Value, ValueRef};
use crate::warning::Failure;

const VERSIONS: Types = Types::of(&[DataType::Version]);
const TO_NUMBER: Types = BOOLEANS.or(NUMBERS).or(TEXTS).or(DATES);
const CONVERSION: Function = Function { group: "Type conversion", takes: Takes::Each, ..PLAIN };

pub(super) static FUNCTIONS: &[Function] = &[
    Function {
        name: "TO_AGGREGATE_METRIC_DOUBLE",
        parameters: &[required("value", NUMBERS)],
        returns: Returns::Is(DataType::Double),
        takes: Takes::Single,
        summary: "The number as a metric of one number, which SUM, MIN, MAX and COUNT take like a double. Metrics of several numbers are not there.",
        examples: &[("TO_AGGREGATE_METRIC_DOUBLE(2)", "2.0")],
        evaluate: |context, a| convert(context, a[0], DataType::Double),
        ..CONVERSION
    },
    Function {
        name: "TO_BOOLEAN",
        aliases: &["TO_BOOL"],
        parameters: &[required("value", BOOLEANS.or(NUMBERS).or(TEXTS))],
        returns: Returns::Is(DataType::Boolean),
        summary: "The value as a boolean: texts are true where they say so, numbers where they are not 0.",
        examples: &[(r#"TO_BOOLEAN("True")"#, "true"), ("TO_BOOLEAN(0)", "false")],
        evaluate: |context, a| convert(context, a[0], DataType::Boolean),
        ..CONVERSION
    },
    Function {
        name: "TO_DATETIME",
        aliases: &["TO_DT", "TO_DATE"],
        parameters: &[required("value", DATES.or(NUMBERS).or(TEXTS))],
        returns: Returns::Is(DataType::Datetime),
        summary: "The value as a date: texts in ISO form, numbers as milliseconds since 1970.",
        examples: &[(r#"TO_DATETIME("2024-05-06T07:08:09Z")"#, r#""2024-05-06T07:08:09.000Z""#)],
        evaluate: |context, a| convert(context, a[0], DataType::Datetime),
        ..CONVERSION
    },
    Function {
        name: "TO_DATE_NANOS",
        aliases: &["TO_DATENANOS"],
        parameters: &[required("value", DATES.or(NUMBERS).or(TEXTS))],
        returns: Returns::Is(DataType::DateNanos),
        summary: "The value as a date with nanoseconds: texts in ISO form, numbers as nanoseconds since 1970.",
        examples: &[(
            r#"TO_DATE_NANOS("2024-05-06T07:08:09.000000001Z")"#,
            r#""2024-05-06T07:08:09.000000001Z""#,
        )],
        evaluate: |context, a| convert(context, a[0], DataType::DateNanos),
        ..CONVERSION
    },
    Function {
        name: "TO_DOUBLE",
        aliases: &["TO_DBL"],
        parameters: &[required("value", TO_NUMBER)],
        returns: Returns::Is(DataType::Double),
        summary: "The value as a number with fractions.",
        examples: &[(r#"TO_DOUBLE("1.5")"#, "1.5")],
        evaluate: |context, a| convert(context, a[0], DataType::Double),
        ..CONVERSION
    },
    Function {
        name: "TO_INTEGER",
        aliases: &["TO_INT"],
        parameters: &[required("value", TO_NUMBER)],
        returns: Returns::Is(DataType::Integer),
        summary: "The value as a whole number of 32 bits, rounded.",
        examples: &[(r#"TO_INTEGER("42")"#, "42")],
        evaluate: |context, a| convert(context, a[0], DataType::Integer),
        ..CONVERSION
    },
    Function {
        name: "TO_IP",
        parameters: &[required("value", TEXTS.or(IPS))],
        options: &["leading_zeros"],
        returns: Returns::Is(DataType::Ip),
        summary: "The text as an address. `leading_zeros` says what a number with a zero before it is: `reject`, `octal` or `decimal`.",
        examples: &[
            (r#"TO_IP("192.0.2.1")"#, r#""192.0.2.1""#),
            (r#"TO_IP("192.0.2.010", {"leading_zeros": "octal"})"#, r#""192.0.2.8""#),
        ],
        evaluate: to_ip,
        ..CONVERSION
    },
    Function {
        name: "TO_LONG",
        parameters: &[required("value", TO_NUMBER)],
        returns: Returns::Is(DataType::Long),
        summary: "The value as a whole number of 64 bits, rounded.",
        examples: &[(r#"TO_LONG("2147483648")"#, "2147483648")],
        evaluate: |context, a| convert(context, a[0], DataType::Long),
        ..CONVERSION
    },
    Function {
        name: "TO_STRING",
        aliases: &["TO_STR"],
        parameters: &[required("value", ANY)],
        summary: "The value as text.",
        examples: &[("TO_STRING(1.0)", r#""1.0""#), (r#"TO_STRING(TO_IP("192.0.2.1"))"#, r#""192.0.2.1""#)],
        evaluate: |context, a| convert(context, a[0], DataType::Keyword),
        ..CONVERSION
    },
    Function {
        name: "TO_TEXT",
        parameters: &[required("value", ANY)],
        summary: "The value as text; the same as TO_STRING, since text that functions make is a keyword here.",
        examples: &[("TO_TEXT(1)", r#""1""#)],
        evaluate: |context, a| convert(context, a[0], DataType::Keyword),
        ..CONVERSION
    },
    Function {
        name: "TO_UNSIGNED_LONG",
        aliases: &["TO_ULONG", "TO_UL"],
        parameters: &[required("value", TO_NUMBER)],
        returns: Returns::Is(DataType::UnsignedLong),
        summary: "The value as a whole number of 64 bits without a sign.",
        examples: &[(r#"TO_UNSIGNED_LONG("18446744073709551615")"#, "18446744073709551615")],
        evaluate: |context, a| convert(context, a[0], DataType::UnsignedLong),
        ..CONVERSION
    },
    Function {
        name: "TO_VERSION",
        aliases: &["TO_VER"],
        parameters: &[required("value", TEXTS.or(VERSIONS))],
        returns: Returns::Is(DataType::Version),
        summary: "The text as a version, which sorts by its numbers.",
        examples: &[(r#"TO_VERSION("1.10.0") > TO_VERSION("1.9.0")"#, "true")],
        evaluate: |context, a| convert(context, a[0], DataType::Version),
        ..CONVERSION
    },
    Function {
        name: "TO_GEOPOINT",
        parameters: &[required("value", TEXTS.or(POINTS))],
        returns: Returns::Is(DataType::GeoPoint),
        summary: "A text `POINT(longitude latitude)` as a point on the earth.",
        examples: &[(r#"ST_X(TO_GEOPOINT("POINT(8.5 47.4)"))"#, "8.5")],
        evaluate: |context, a| convert(context, a[0], DataType::GeoPoint),
        ..CONVERSION
    },
    Function {
        name: "TO_DATEPERIOD",
        parameters: &[required("value", TEXTS.or(SPANS))],
        returns: Returns::Is(DataType::DatePeriod),
        summary: "A text such as `3 days` as a span of the calendar.",
        examples: &[(
            r#"TO_DATETIME("2024-01-01") + TO_DATEPERIOD("3 days")"#,
            r#""2024-01-04T00:00:00.000Z""#,
        )],
        evaluate: |context, a| convert(context, a[0], DataType::DatePeriod),
        ..CONVERSION
    },
    Function {
        name: "TO_TIMEDURATION",
        parameters: &[required("value", TEXTS.or(SPANS))],
        returns: Returns::Is(DataType::TimeDuration),
        summary: "A text such as `3 hours` as a fixed time.",
        examples: &[(
            r#"TO_DATETIME("2024-01-01") + TO_TIMEDURATION("3 hours")"#,
            r#""2024-01-01T03:00:00.000Z""#,
        )],
        evaluate: |context, a| convert(context, a[0], DataType::TimeDuration),
        ..CONVERSION
    },
];

/// The function that a cast to a type calls.
pub(crate) fn cast_function(to: DataType) -> Option<&'static Function> {
    let name = match to {
        DataType::Boolean => "TO_BOOLEAN",
        DataType::Datetime => "TO_DATETIME",
        DataType::DateNanos => "TO_DATE_NANOS",
        DataType::Double => "TO_DOUBLE",
        DataType::Integer => "TO_INTEGER",
        DataType::Ip => "TO_IP",
        DataType::Long => "TO_LONG",
        DataType::Keyword | DataType::Text => "TO_STRING",
        DataType::UnsignedLong => "TO_UNSIGNED_LONG",
        DataType::Version => "TO_VERSION",
        DataType::GeoPoint => "TO_GEOPOINT",
        DataType::DatePeriod => "TO_DATEPERIOD",
        DataType::TimeDuration => "TO_TIMEDURATION",
        DataType::Null | DataType::Unsupported => return None,
    };
    FUNCTIONS.iter().find(|function| function.name == name)
}

/// One value as another type. What is of the type already stays as it is.
pub fn convert(context: &Context, value: ValueRef<'_>, to: DataType) -> Result<Value, Failure> {
    if matches!(value, ValueRef::Null) {
        return Ok(Value::Null);
    }
    match to {
        DataType::Boolean => Ok(to_boolean(value)),
        DataType::Integer => to_integer(value),
        DataType::Long => to_long(value),
        DataType::UnsignedLong => to_unsigned(value),
        DataType::Double => to_double(value),
        DataType::Keyword | DataType::Text => Ok(Value::Text(to_text(value).into())),
        DataType::Ip => ip_value(value, None),
        DataType::Version => Ok(Value::Version(to_text(value).into())),
        DataType::Datetime => to_datetime(context, value),
        DataType::DateNanos => to_date_nanos(context, value),
        DataType::DatePeriod | DataType::TimeDuration => to_span(value, to),
        DataType::GeoPoint => to_point(value),
        DataType::Null | DataType::Unsupported => Ok(Value::Null),
    }
}

fn to_boolean(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Bool(value) => Value::Bool(value),
        ValueRef::Text(text) => Value::Bool(text.eq_ignore_ascii_case("true")),
        other => Value::Bool(other.as_double().is_some_and(|number| number != 0.0)),
    }
}

/// A number before it is narrowed: exact where it is whole.
#[derive(Clone, Copy)]
enum Number {
    Whole(i128),
    Double(f64),
}

fn number_of(value: ValueRef<'_>) -> Option<Number> {
    Some(match value {
        ValueRef::Bool(value) => Number::Whole(i128::from(value)),
        ValueRef::UnsignedLong(value) => Number::Whole(i128::from(value)),
        ValueRef::Double(value) => Number::Double(value),
        ValueRef::Date(value) | ValueRef::DateNanos(value) => Number::Whole(i128::from(value)),
        other => Number::Whole(i128::from(other.as_long()?)),
    })
}

/// Halves are rounded up, as Java does.
fn rounded(value: f64) -> Option<i128> {
    (value.is_finite() && value.abs() < 1e30).then(|| (value + 0.5).floor() as i128)
}

/// A whole number in range, or why not.
fn narrowed<T: TryFrom<i128>>(number: Number, kind: &str) -> Result<T, Failure> {
    let (whole, text) = match number {
        Number::Whole(whole) => (Some(whole), whole.to_string()),
        Number::Double(value) => (rounded(value), java_double(value)),
    };
    whole.and_then(|whole| T::try_from(whole).ok()).ok_or_else(|| Failure::out_of_range(&text, kind))
}

/// The number that a text says: exact, else with fractions.
fn parse_number(text: &str) -> Option<Number> {
    let text = text.trim();
    if let Ok(whole) = text.parse::<i128>() {
        return Some(Number::Whole(whole));
    }
    let numeric = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    text.parse::<f64>().ok().filter(|_| numeric && !text.is_empty()).map(Number::Double)
}

fn to_integer(value: ValueRef<'_>) -> Result<Value, Failure> {
    let number = match value.as_text() {
        Some(text) => parse_number(text)
            .ok_or_else(|| Failure::number_format(format!("For input string: \"{text}\"")))?,
        None => number_of(value).ok_or_else(not_convertible)?,
    };
    narrowed(number, "integer").map(Value::Int)
}

fn to_long(value: ValueRef<'_>) -> Result<Value, Failure> {
    let number = match value.as_text() {
        Some(text) => parse_number(text).ok_or_else(|| no_number(text))?,
        None => number_of(value).ok_or_else(not_convertible)?,
    };
    narrowed(number, "long").map(Value::Long)
}

fn to_unsigned(value: ValueRef<'_>) -> Result<Value, Failure> {
    let number = match value.as_text() {
        Some(text) => parse_number(text).ok_or_else(|| {
            let odd = text.chars().find(|c| !c.is_ascii_digit()).unwrap_or(' ');
            Failure::number_format(format!(
                "Character {odd} is neither a decimal digit number, decimal point, nor \"e\" notation exponential mark."
            ))
        })?,
        None => number_of(value).ok_or_else(not_convertible)?,
    };
    narrowed(number, "unsigned_long").map(Value::UnsignedLong)
}

fn to_double(value: ValueRef<'_>) -> Result<Value, Failure> {
    if let Some(text) = value.as_text() {
        return match parse_number(text).ok_or_else(|| no_number(text))? {
            Number::Whole(whole) => Ok(Value::Double(whole as f64)),
            Number::Double(value) => Ok(Value::Double(value)),
        };
    }
    match number_of(value).ok_or_else(not_convertible)? {
        Number::Whole(whole) => Ok(Value::Double(whole as f64)),
        Number::Double(value) => Ok(Value::Double(value)),
    }
}

fn no_number(text: &str) -> Failure {
    Failure::invalid(format!("Cannot parse number [{text}]"))
}

/// Types were checked, so that this is not seen.
fn not_convertible() -> Failure {
    Failure::argument("cannot be converted")
}

fn to_ip(_: &mut Context, a: &[ValueRef<'_>]) -> Result<Value, Failure> {
    ip_value(a[0], a.get(1).and_then(|option| option.as_text()))
}

fn ip_value(value: ValueRef<'_>, leading_zeros: Option<&str>) -> Result<Value, Failure> {
    let text = match value {
        ValueRef::Ip(ip) => return Ok(Value::Ip(ip)),
        other => other.as_text().ok_or_else(not_convertible)?,
    };
    let parsed = match leading_zeros {
        Some("octal") => dotted(text, 8),
        Some("decimal") => dotted(text, 10),
        _ => None,
    };
    parsed
        .or_else(|| parse_ip(text))
        .map(Value::Ip)
        .ok_or_else(|| Failure::argument(format!("'{text}' is not an IP string literal.")))
}

/// Four numbers with dots; those with a zero before them are to this base.
fn dotted(text: &str, base: u32) -> Option<IpAddr> {
    let mut octets = [0_u8; 4];
    let mut parts = text.split('.');
    for octet in &mut octets {
        let part = parts.next()?;
        let base = if part.len() > 1 && part.starts_with('0') { base } else { 10 };
        *octet = u8::from_str_radix(part, base).ok()?;
    }
    parts.next().is_none().then(|| IpAddr::from(octets))
}

fn to_datetime(context: &Context, value: ValueRef<'_>) -> Result<Value, Failure> {
    if let Some(text) = value.as_text() {
        let nanos = civil::parse_iso(text, &context.zone).ok_or_else(|| {
            let format = "strict_date_optional_time";
            Failure::argument(format!("failed to parse date field [{text}] with format [{format}]"))
        })?;
        return i64::try_from(nanos.div_euclid(1_000_000))
            .map(Value::Date)
            .map_err(|_| Failure::out_of_range(text, "long"));
    }
    match value {
        ValueRef::Date(millis) => Ok(Value::Date(millis)),
        ValueRef::DateNanos(nanos) => Ok(Value::Date(nanos.div_euclid(1_000_000))),
        // Fractions of a millisecond are cut, not rounded.
        ValueRef::Double(millis) => narrowed(Number::Double(millis.floor()), "long").map(Value::Date),
        other => narrowed(number_of(other).ok_or_else(not_convertible)?, "long").map(Value::Date),
    }
}

fn to_date_nanos(context: &Context, value: ValueRef<'_>) -> Result<Value, Failure> {
    let nanos = match value {
        ValueRef::DateNanos(nanos) => i128::from(nanos),
        ValueRef::Date(millis) => i128::from(millis) * 1_000_000,
        ValueRef::Text(text) | ValueRef::Version(text) => {
            civil::parse_iso(text, &context.zone).ok_or_else(|| {
                let format = "strict_date_optional_time_nanos";
                Failure::argument(format!("failed to parse date field [{text}] with format [{format}]"))
            })?
        }
        other => match number_of(other).ok_or_else(not_convertible)? {
            Number::Whole(whole) => whole,
            Number::Double(value) => rounded(value).unwrap_or(i128::MAX),
        },
    };
    let in_range = i64::try_from(nanos).ok().filter(|nanos| *nanos >= 0);
    in_range.map(Value::DateNanos).ok_or_else(|| {
        Failure::argument(format!("Nanosecond dates must be between 1970-01-01T00:00:00Z and 2262-04-11T23:47:16.854775807Z; found [{nanos}]"))
    })
}

fn to_span(value: ValueRef<'_>, to: DataType) -> Result<Value, Failure> {
    let span = match value {
        ValueRef::Span(span) => Some(span),
        other => other.as_text().and_then(TimeSpan::parse),
    };
    let span = span.map(Value::Span).filter(|span| span.data_type() == to);
    span.ok_or_else(|| Failure::argument(format!("cannot convert [{}] to [{}]", to_text(value), to.name())))
}

/// `POINT(x y)`
fn to_point(value: ValueRef<'_>) -> Result<Value, Failure> {
    if let ValueRef::Point(x, y) = value {
        return Ok(Value::Point(x, y));
    }
    let text = value.as_text().unwrap_or("").trim();
    let parse = || {
        let inner = text.get(..5).filter(|word| word.eq_ignore_ascii_case("point"))?;
        let inner = text[inner.len()..].trim().strip_prefix('(')?.strip_suffix(')')?;
        let (x, y) = inner.trim().split_once(char::is_whitespace)?;
        Some(Value::Point(x.parse().ok()?, y.trim().parse().ok()?))
    };
    parse().ok_or_else(|| Failure::argument(format!("Failed to parse WKT: [{text}]")))
}

/// One value as text.
pub fn to_text(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null | ValueRef::Many(_) => String::new(),
        ValueRef::Bool(value) => value.to_string(),
        ValueRef::Int(value) => value.to_string(),
        ValueRef::Long(value) => value.to_string(),
        ValueRef::UnsignedLong(value) => value.to_string(),
        ValueRef::Double(value) => java_double(value),
        ValueRef::Text(text) | ValueRef::Version(text) => text.to_owned(),
        ValueRef::Ip(ip) => ip.to_string(),
        ValueRef::Date(millis) => civil::iso_millis(millis),
        ValueRef::DateNanos(nanos) => civil::iso_nanos(nanos),
        ValueRef::Span(TimeSpan::Period { months, days }) => format!("{months} months {days} days"),
        ValueRef::Span(TimeSpan::Duration(millis)) => format!("{millis} milliseconds"),
        ValueRef::Point(x, y) => format!("POINT ({} {})", java_double(x), java_double(y)),
    }
}

/// A number as Java writes it: with a point, and from ten million on with an exponent.
pub(crate) fn java_double(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    if value == 0.0 || (1e-3..1e7).contains(&value.abs()) {
        let text = value.to_string();
        return if text.contains('.') { text } else { text + ".0" };
    }
    let text = format!("{value:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let point = if digits.contains('.') { "" } else { ".0" };
    format!("{digits}{point}E{exponent}")
}
