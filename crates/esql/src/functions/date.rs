//! Functions over dates: parts, differences, and cutting to units.

use super::{Context, Function, PLAIN, Returns, optional, required, text_of};
use crate::civil::{Civil, DAY_MS, days_from_date, to_instant};
use crate::time_span::TimeSpan;
use crate::types::{DATES, DataType, NUMBERS, SPANS, TEXTS};
use crate::value::{Value, ValueRef};
use crate::warning::Failure;
use crate::zone::Zone;

const DATE: Function = Function { group: "Date", ..PLAIN };

pub(super) static FUNCTIONS: &[Function] = &[
    Function {
        name: "BUCKET",
        parameters: &[
            required("field", DATES.or(NUMBERS)),
            required("size", SPANS.or(NUMBERS)),
            optional("from", DATES.or(NUMBERS)),
            optional("to", DATES.or(NUMBERS)),
        ],
        returns: Returns::FirstDate,
        summary: "The beginning of the bucket that the value is in. The size is a time span for dates, or a number; with two bounds after it, it is the most buckets that there may be between them, and the size is one that people are used to.",
        examples: &[
            ("BUCKET(17, 5)", "15.0"),
            (r#"BUCKET("2024-05-06T07:08:09Z"::date, 1 hour)"#, r#""2024-05-06T07:00:00.000Z""#),
            (
                r#"BUCKET("2024-05-06T07:08:09Z"::date, 20, "2024-01-01", "2025-01-01")"#,
                r#""2024-05-01T00:00:00.000Z""#,
            ),
            ("BUCKET(57305, 20, 25324, 74999)", "55000.0"),
        ],
        evaluate: bucket,
        ..DATE
    },
    Function {
        name: "DATE_DIFF",
        parameters: &[required("unit", TEXTS), required("start", DATES), required("end", DATES)],
        returns: Returns::Is(DataType::Integer),
        summary: "How many whole units are between two dates. Units: year, quarter, month, week, day, hour, minute, second, millisecond, microsecond, nanosecond, and their short forms.",
        examples: &[(
            r#"DATE_DIFF("hour", "2024-01-01T00:00:00Z"::date, "2024-01-01T05:59:00Z"::date)"#,
            "5",
        )],
        evaluate: date_diff,
        ..DATE
    },
    Function {
        name: "DATE_EXTRACT",
        parameters: &[required("part", TEXTS), required("date", DATES)],
        returns: Returns::Is(DataType::Long),
        summary: "A part of a date: year, month_of_year, day_of_month, day_of_week, day_of_year, hour_of_day, minute_of_hour, second_of_minute, and others of Java's `ChronoField`.",
        examples: &[(r#"DATE_EXTRACT("hour_of_day", "2024-05-06T07:08:09Z"::date)"#, "7")],
        evaluate: date_extract,
        ..DATE
    },
    Function {
        name: "DATE_TRUNC",
        parameters: &[required("span", SPANS), required("date", DATES)],
        returns: Returns::FirstDate,
        summary: "The date cut to a span: weeks begin on Monday, several months or years count from the year 1, hours and less from 1970.",
        examples: &[(
            r#"DATE_TRUNC(1 month, "2024-05-06T07:08:09Z"::date)"#,
            r#""2024-05-01T00:00:00.000Z""#,
        )],
        evaluate: date_trunc,
        ..DATE
    },
    Function {
        name: "DAY_NAME",
        parameters: &[required("date", DATES)],
        summary: "The name of the day of the week.",
        examples: &[(r#"DAY_NAME("2024-05-06"::date)"#, r#""Monday""#)],
        evaluate: |context, a| {
            Ok(Value::text(super::date_format::DAYS[local(context, a[0])?.weekday() as usize - 1]))
        },
        ..DATE
    },
    Function {
        name: "MONTH_NAME",
        parameters: &[required("date", DATES)],
        summary: "The name of the month.",
        examples: &[(r#"MONTH_NAME("2024-05-06"::date)"#, r#""May""#)],
        evaluate: |context, a| {
            Ok(Value::text(super::date_format::MONTHS[local(context, a[0])?.month as usize - 1]))
        },
        ..DATE
    },
    Function {
        name: "NOW",
        returns: Returns::Is(DataType::Datetime),
        summary: "The time of the run; the same for all rows.",
        examples: &[("NOW() == NOW()", "true")],
        evaluate: |context, _| Ok(Value::Date(context.now_ms)),
        ..DATE
    },
    Function {
        name: "TRANGE",
        parameters: &[required("date", DATES), required("from", SPANS.or(DATES)), optional("to", DATES)],
        returns: Returns::Is(DataType::Boolean),
        summary: "Whether the date is after `from` and not after `to`; a span is counted back from now.",
        examples: &[("TRANGE(NOW(), 1 hour)", "true")],
        evaluate: in_range,
        ..DATE
    },
];

/// The local date and time of an instant.
pub(super) fn local(context: &Context, value: ValueRef<'_>) -> Result<Civil, Failure> {
    let nanos = match value {
        ValueRef::Date(millis) => i128::from(millis) * 1_000_000,
        ValueRef::DateNanos(nanos) => i128::from(nanos),
        _ => return Err(Failure::argument("not a date")),
    };
    let offset = context.zone.offset_ms(value.as_millis().unwrap_or(0));
    Ok(Civil::from_nanos(nanos + i128::from(offset) * 1_000_000))
}

fn in_range(context: &mut Context, a: &[ValueRef<'_>]) -> Result<Value, Failure> {
    let now = context.now_ms;
    let date = a[0].as_millis().unwrap_or(0);
    let from = match a[1] {
        ValueRef::Span(span) => add_span(now, span.negate().ok_or_else(overflow)?, &context.zone)?,
        other => other.as_millis().unwrap_or(0),
    };
    let to = a.get(2).and_then(|to| to.as_millis()).unwrap_or(now);
    Ok(Value::Bool(date > from && date <= to))
}

fn overflow() -> Failure {
    Failure::arithmetic("long overflow")
}

/// The largest year of Java's calendar.
const YEAR_MAX: i64 = 999_999_999;

/// An instant and a span.
pub(crate) fn add_span(millis: i64, span: TimeSpan, zone: &Zone) -> Result<i64, Failure> {
    let (months, days) = match span {
        TimeSpan::Duration(duration) => return millis.checked_add(duration).ok_or_else(overflow),
        TimeSpan::Period { months, days } => (months, days),
    };
    let local_ms = millis.checked_add(zone.offset_ms(millis)).ok_or_else(overflow)?;
    let civil = Civil::from_millis(local_ms).plus_months(months).ok_or_else(overflow)?;
    if civil.year.abs() > YEAR_MAX {
        return Err(Failure::date_time(format!(
            "Invalid value for Year (valid values -{YEAR_MAX} - {YEAR_MAX}): {}",
            civil.year
        )));
    }
    let moved = civil.to_millis().ok_or_else(overflow)?;
    let moved = days.checked_mul(DAY_MS).and_then(|days| moved.checked_add(days)).ok_or_else(overflow)?;
    Ok(to_instant(zone, moved))
}

fn date_trunc(context: &mut Context, a: &[ValueRef<'_>]) -> Result<Value, Failure> {
    let ValueRef::Span(span) = a[0] else { return Err(Failure::argument("not a time span")) };
    truncate_value(a[1], span, &context.zone)
}

fn truncate_value(date: ValueRef<'_>, span: TimeSpan, zone: &Zone) -> Result<Value, Failure> {
    let millis = truncate(date.as_millis().unwrap_or(0), span, zone)?;
    match date {
        ValueRef::DateNanos(_) => millis.checked_mul(1_000_000).map(Value::DateNanos).ok_or_else(overflow),
        _ => Ok(Value::Date(millis)),
    }
}

/// The beginning of the span that an instant is in.
fn truncate(millis: i64, span: TimeSpan, zone: &Zone) -> Result<i64, Failure> {
    let local_ms = millis.checked_add(zone.offset_ms(millis)).ok_or_else(overflow)?;
    let civil = Civil::from_millis(local_ms);
    let local = match span {
        TimeSpan::Duration(size) if size > 0 => local_ms.div_euclid(size).checked_mul(size),
        TimeSpan::Period { months: 0, days: 7 } => (civil.days() - (civil.weekday() - 1)).checked_mul(DAY_MS),
        TimeSpan::Period { months: 0, days } if days > 0 => {
            civil.days().div_euclid(days).checked_mul(days).and_then(|days| days.checked_mul(DAY_MS))
        }
        TimeSpan::Period { months, days: 0 } if months > 0 => {
            let index = (civil.year - 1) * 12 + civil.month - 1;
            let first = index.div_euclid(months).saturating_mul(months);
            let (year, month) = (first.div_euclid(12) + 1, first.rem_euclid(12) + 1);
            let days = (year.abs() <= YEAR_MAX).then(|| days_from_date(year, month, 1));
            days.and_then(|days| days.checked_mul(DAY_MS))
        }
        _ => return Err(Failure::argument("Zero or negative time interval is not supported")),
    };
    local.map(|local| to_instant(zone, local)).ok_or_else(overflow)
}

/// Sizes of buckets of dates, the smallest first.
const SIZES: [(TimeSpan, i64); 20] = [
    (TimeSpan::Duration(1), 1),
    (TimeSpan::Duration(10), 10),
    (TimeSpan::Duration(50), 50),
    (TimeSpan::Duration(100), 100),
    (TimeSpan::Duration(1_000), 1_000),
    (TimeSpan::Duration(5_000), 5_000),
    (TimeSpan::Duration(10_000), 10_000),
    (TimeSpan::Duration(30_000), 30_000),
    (TimeSpan::Duration(60_000), 60_000),
    (TimeSpan::Duration(300_000), 300_000),
    (TimeSpan::Duration(600_000), 600_000),
    (TimeSpan::Duration(1_800_000), 1_800_000),
    (TimeSpan::Duration(3_600_000), 3_600_000),
    (TimeSpan::Duration(10_800_000), 10_800_000),
    (TimeSpan::Duration(43_200_000), 43_200_000),
    (TimeSpan::Period { months: 0, days: 1 }, DAY_MS),
    (TimeSpan::Period { months: 0, days: 7 }, 7 * DAY_MS),
    (TimeSpan::Period { months: 1, days: 0 }, 30 * DAY_MS),
    (TimeSpan::Period { months: 3, days: 0 }, 91 * DAY_MS),
    (TimeSpan::Period { months: 12, days: 0 }, 365 * DAY_MS),
];

fn bucket(context: &mut Context, a: &[ValueRef<'_>]) -> Result<Value, Failure> {
    if let ValueRef::Span(span) = a[1] {
        return truncate_value(a[0], span, &context.zone);
    }
    let positive = |size: f64| {
        let message = "the size of a bucket is a positive number, or a time span for dates";
        if size > 0.0 && size.is_finite() { Ok(size) } else { Err(Failure::argument(message)) }
    };
    let size = positive(a[1].as_double().unwrap_or(f64::NAN))?;
    match (a[0], a.get(2), a.get(3)) {
        (date @ (ValueRef::Date(_) | ValueRef::DateNanos(_)), Some(from), Some(to)) => {
            let (from, to) = (from.as_millis().unwrap_or(0), to.as_millis().unwrap_or(0));
            let range = to.saturating_sub(from).max(0);
            let fits = |(_, millis): &&(TimeSpan, i64)| (range / millis) as f64 <= size;
            let (span, _) = SIZES.iter().find(fits).unwrap_or(&SIZES[SIZES.len() - 1]);
            truncate_value(date, *span, &context.zone)
        }
        (value, Some(from), Some(to)) => {
            let range = to.as_double().unwrap_or(f64::NAN) - from.as_double().unwrap_or(f64::NAN);
            // The next power of ten, or half of it.
            let least = positive(range / size)?;
            let power = 10_f64.powf(least.log10().ceil());
            let size = if least <= power / 2.0 { power / 2.0 } else { power };
            Ok(floor_to(value, size))
        }
        (value, ..) => Ok(floor_to(value, size)),
    }
}

fn floor_to(value: ValueRef<'_>, size: f64) -> Value {
    value.as_double().map_or(Value::Null, |value| Value::Double((value / size).floor() * size))
}

/// Nanoseconds of a second.
const SECOND: i128 = 1_000_000_000;

fn date_diff(context: &mut Context, a: &[ValueRef<'_>]) -> Result<Value, Failure> {
    let unit = text_of(a[0]).to_ascii_lowercase();
    let nanos = |value: ValueRef<'_>| match value {
        ValueRef::DateNanos(nanos) => i128::from(nanos),
        other => i128::from(other.as_millis().unwrap_or(0)) * 1_000_000,
    };
    let between = nanos(a[2]) - nanos(a[1]);
    let whole = |unit: i128| between / unit;
    let count = match unit.as_str() {
        "year" | "years" | "yyyy" | "yy" => months_between(context, a)? / 12,
        "quarter" | "quarters" | "qq" | "q" => months_between(context, a)? / 3,
        "month" | "months" | "mm" | "m" => months_between(context, a)?,
        "week" | "weeks" | "wk" | "ww" => whole(604_800 * SECOND),
        "day" | "days" | "dd" | "d" | "dayofyear" | "dy" | "y" | "weekday" | "weekdays" | "dw" => {
            whole(86_400 * SECOND)
        }
        "hour" | "hours" | "hh" => whole(3_600 * SECOND),
        "minute" | "minutes" | "mi" | "n" => whole(60 * SECOND),
        "second" | "seconds" | "ss" | "s" => whole(SECOND),
        "millisecond" | "milliseconds" | "ms" => whole(1_000_000),
        "microsecond" | "microseconds" | "mcs" => whole(1_000),
        "nanosecond" | "nanoseconds" | "ns" => between,
        _ => {
            return Err(Failure::argument(format!(
                "A value of [YEAR, QUARTER, MONTH, DAYOFYEAR, DAY, WEEK, WEEKDAY, HOUR, MINUTE, SECOND, MILLISECOND, MICROSECOND, NANOSECOND] or their aliases is required; received [{}]",
                text_of(a[0])
            )));
        }
    };
    i32::try_from(count).map(Value::Int).map_err(|_| Failure::out_of_range(&count.to_string(), "integer"))
}

/// Whole months between two dates, by the calendar.
fn months_between(context: &Context, a: &[ValueRef<'_>]) -> Result<i128, Failure> {
    let (start, end) = (local(context, a[1])?, local(context, a[2])?);
    let months = (end.year - start.year) * 12 + end.month - start.month;
    let within = |civil: Civil| (civil.day, civil.hour, civil.minute, civil.second, civil.nanos);
    let correction = match months {
        1.. if within(end) < within(start) => -1,
        ..=-1 if within(end) > within(start) => 1,
        _ => 0,
    };
    Ok(i128::from(months + correction))
}

fn date_extract(context: &mut Context, a: &[ValueRef<'_>]) -> Result<Value, Failure> {
    let date = local(context, a[1])?;
    let seconds = date.hour * 3_600 + date.minute * 60 + date.second;
    Ok(Value::Long(match text_of(a[0]).to_ascii_lowercase().as_str() {
        "year" => date.year,
        "year_of_era" => {
            if date.year > 0 {
                date.year
            } else {
                1 - date.year
            }
        }
        "era" => i64::from(date.year > 0),
        "proleptic_month" => date.year * 12 + date.month - 1,
        "month_of_year" => date.month,
        "day_of_month" => date.day,
        "day_of_week" => date.weekday(),
        "day_of_year" => date.day_of_year(),
        "epoch_day" => date.days(),
        "aligned_week_of_month" => (date.day - 1) / 7 + 1,
        "aligned_week_of_year" => (date.day_of_year() - 1) / 7 + 1,
        "aligned_day_of_week_in_month" => (date.day - 1) % 7 + 1,
        "aligned_day_of_week_in_year" => (date.day_of_year() - 1) % 7 + 1,
        "ampm_of_day" => date.hour / 12,
        "hour_of_day" => date.hour,
        "clock_hour_of_day" => {
            if date.hour == 0 {
                24
            } else {
                date.hour
            }
        }
        "hour_of_ampm" => date.hour % 12,
        "clock_hour_of_ampm" => {
            if date.hour % 12 == 0 {
                12
            } else {
                date.hour % 12
            }
        }
        "minute_of_hour" => date.minute,
        "minute_of_day" => seconds / 60,
        "second_of_minute" => date.second,
        "second_of_day" => seconds,
        "milli_of_second" => date.nanos / 1_000_000,
        "milli_of_day" => seconds * 1_000 + date.nanos / 1_000_000,
        "micro_of_second" => date.nanos / 1_000,
        "micro_of_day" => seconds * 1_000_000 + date.nanos / 1_000,
        "nano_of_second" => date.nanos,
        "nano_of_day" => seconds * 1_000_000_000 + date.nanos,
        "epoch_second" | "instant_seconds" => a[1].as_millis().unwrap_or(0).div_euclid(1_000),
        "offset_seconds" => context.zone.offset_ms(a[1].as_millis().unwrap_or(0)) / 1_000,
        other => return Err(Failure::argument(format!("invalid date field for [DATE_EXTRACT]: {other}"))),
    }))
}
