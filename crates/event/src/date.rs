//! Instants: parsing every form that Elasticsearch's default date format takes, date math, and rounding of bounds.
//!
//! Instants are nanoseconds since 1970 in UTC as `i64`, saturating at the years 1677 and 2262. Sources: Elasticsearch
//! reference, "format" (`strict_date_optional_time||epoch_millis`) and "date math".

use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;
use jiff::{Span, Timestamp};

mod pattern;

pub use pattern::DateFormat;

/// Nanoseconds in a millisecond.
pub const NANOS_PER_MILLI: i64 = 1_000_000;

/// A date as written, with how much of it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Written {
    date_time: DateTime,
    precision: Precision,
    offset: Offset,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Precision {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
    Fraction,
}

/// Reads `strict_date_optional_time||epoch_millis`.
///
/// ```
/// use maxspan_event::date::{format_millis, parse};
/// assert_eq!(format_millis(parse("2026-01-15T10:00:00.1234567+02:00").unwrap()), "2026-01-15T08:00:00.123Z");
/// assert_eq!(parse("2026"), parse("2026-01-01T00:00:00Z"));
/// assert_eq!(parse("15000.5"), Some(15_000_500_000));
/// assert_eq!(parse("yesterday"), None);
/// ```
pub fn parse(text: &str) -> Option<i64> {
    parse_written(text).map(|written| instant(written, false)).or_else(|| parse_epoch(text, NANOS_PER_MILLI))
}

/// Milliseconds since 1970 as an instant.
pub fn from_millis(millis: i64) -> i64 {
    millis.saturating_mul(NANOS_PER_MILLI)
}

/// The instant cut to whole milliseconds since 1970, the precision of Elasticsearch's `date`.
pub fn to_millis(nanos: i64) -> i64 {
    nanos.div_euclid(NANOS_PER_MILLI)
}

/// ISO 8601 in UTC with milliseconds, as Elasticsearch and Kibana print dates.
pub fn format_millis(nanos: i64) -> String {
    let timestamp = Timestamp::from_nanosecond(i128::from(nanos)).unwrap_or(Timestamp::UNIX_EPOCH);
    timestamp.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// One end of a range, or a value that a date is compared with.
///
/// `now`, `now-15m/d`, `2026-01-01||+1M/d` and plain dates. With `round_up`, hours and below that are not written are
/// filled to the last millisecond (`2026-01` is the end of the first of January), and `/d` rounds to the end of the
/// day: the meaning for `lte` and `gt`; without, to the first (`gte`, `lt`). Source: Elasticsearch reference, range
/// query, "Missing date components".
pub fn parse_bound(text: &str, format: &DateFormat, now: i64, round_up: bool) -> Option<i64> {
    let text = text.trim();
    if let Some(math) = text.strip_prefix("now") {
        return apply_math(now, math, round_up);
    }
    if let Some((date, math)) = text.split_once("||") {
        // The anchor of date math is rounded only by its own `/unit`.
        return apply_math(format.parse(date, false)?, math, round_up);
    }
    format.parse(text, round_up)
}

/// Applies `+1d`, `-2M`, `/h` from left to right.
fn apply_math(anchor: i64, math: &str, round_up: bool) -> Option<i64> {
    let mut time =
        Timestamp::from_nanosecond(i128::from(anchor)).ok()?.to_zoned(jiff::tz::TimeZone::UTC).datetime();
    let mut rest = math.as_bytes();
    while let Some((&op, after)) = rest.split_first() {
        let digits = after.iter().take_while(|b| b.is_ascii_digit()).count();
        let number = std::str::from_utf8(&after[..digits]).ok()?;
        let amount = if number.is_empty() { 1 } else { number.parse::<i64>().ok()? };
        let unit = *after.get(digits)?;
        rest = &after[digits + 1..];
        time = match op {
            b'+' => time.checked_add(span(amount, unit)?).ok()?,
            b'-' => time.checked_sub(span(amount, unit)?).ok()?,
            b'/' if digits == 0 => round(time, unit, round_up)?,
            _ => return None,
        };
    }
    Some(nanos(time, Offset::UTC))
}

fn span(amount: i64, unit: u8) -> Option<Span> {
    let span = Span::new();
    match unit {
        b'y' => span.try_years(amount),
        b'M' => span.try_months(amount),
        b'w' => span.try_weeks(amount),
        b'd' => span.try_days(amount),
        b'h' | b'H' => span.try_hours(amount),
        b'm' => span.try_minutes(amount),
        b's' => span.try_seconds(amount),
        _ => return None,
    }
    .ok()
}

fn round(time: DateTime, unit: u8, up: bool) -> Option<DateTime> {
    let date = time.date();
    let start = match unit {
        b'y' => Date::new(date.year(), 1, 1).ok()?.at(0, 0, 0, 0),
        b'M' => date.first_of_month().at(0, 0, 0, 0),
        b'w' => {
            let monday = Span::new().days(i64::from(date.weekday().to_monday_zero_offset()));
            date.checked_sub(monday).ok()?.at(0, 0, 0, 0)
        }
        b'd' => date.at(0, 0, 0, 0),
        b'h' | b'H' => date.at(time.hour(), 0, 0, 0),
        b'm' => date.at(time.hour(), time.minute(), 0, 0),
        b's' => date.at(time.hour(), time.minute(), time.second(), 0),
        _ => return None,
    };
    if up {
        start.checked_add(span(1, unit)?).ok()?.checked_sub(Span::new().milliseconds(1)).ok()
    } else {
        Some(start)
    }
}

fn nanos(time: DateTime, offset: Offset) -> i64 {
    let clamp = if time.year() < 1970 { i64::MIN } else { i64::MAX };
    offset
        .to_timestamp(time)
        .map_or(clamp, |timestamp| i64::try_from(timestamp.as_nanosecond()).unwrap_or(clamp))
}

/// The instant that was written, or with `round_up` the last millisecond that it covers.
fn instant(written: Written, round_up: bool) -> i64 {
    let start = nanos(written.date_time, written.offset);
    let unit = match written.precision {
        // A missing month or day is the first, whatever the direction; hours and below are rounded up.
        Precision::Year | Precision::Month | Precision::Day => b'd',
        Precision::Hour => b'h',
        Precision::Minute => b'm',
        Precision::Second => b's',
        Precision::Fraction => return start,
    };
    if !round_up {
        return start;
    }
    round(written.date_time, unit, true).map_or(start, |end| nanos(end, written.offset))
}

/// Digits with an optional sign and fraction, times `unit` nanoseconds.
fn parse_epoch(text: &str, unit: i64) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = whole.strip_prefix('-').unwrap_or(whole);
    if digits.is_empty()
        || !digits.bytes().all(|b| b.is_ascii_digit())
        || !fraction.bytes().all(|b| b.is_ascii_digit())
    {
        return None;
    }
    let whole_nanos = i128::from(whole.parse::<i64>().ok()?) * i128::from(unit);
    let mut scale = i128::from(unit);
    let mut fraction_nanos = 0;
    for digit in fraction.bytes() {
        scale /= 10;
        fraction_nanos += i128::from(digit - b'0') * scale;
    }
    let nanos =
        if whole.starts_with('-') { whole_nanos - fraction_nanos } else { whole_nanos + fraction_nanos };
    Some(i64::try_from(nanos).unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX }))
}

/// `yyyy[-MM[-dd['T'[HH[:mm[:ss[.fraction]]][zone]]]]]`.
fn parse_written(text: &str) -> Option<Written> {
    let mut cursor = Cursor { rest: text.as_bytes() };
    let negative = cursor.eat(b'-');
    let year = cursor.digits(4, 4)? as i16;
    let year = if negative { -year } else { year };
    let (mut month, mut day) = (1, 1);
    let mut precision = Precision::Year;
    if cursor.eat(b'-') {
        month = cursor.digits(2, 2)?;
        precision = Precision::Month;
        if cursor.eat(b'-') {
            day = cursor.digits(2, 2)?;
            precision = Precision::Day;
        }
    }
    let date = Date::new(year, month as i8, day as i8).ok()?;
    if cursor.rest.is_empty() {
        return Some(Written { date_time: date.at(0, 0, 0, 0), precision, offset: Offset::UTC });
    }
    if !(cursor.eat(b'T') || (precision == Precision::Day && cursor.eat(b' '))) {
        return None;
    }
    let (time, time_precision) = cursor.time()?;
    let offset = cursor.zone()?;
    if !cursor.rest.is_empty() {
        return None;
    }
    let precision = time_precision.unwrap_or(precision);
    Some(Written { date_time: DateTime::from_parts(date, time), precision, offset })
}

struct Cursor<'a> {
    rest: &'a [u8],
}

impl Cursor<'_> {
    fn eat(&mut self, byte: u8) -> bool {
        let found = self.rest.first() == Some(&byte);
        if found {
            self.rest = &self.rest[1..];
        }
        found
    }

    /// A number of `min..=max` digits.
    fn digits(&mut self, min: usize, max: usize) -> Option<u32> {
        let count = self.rest.iter().take(max).take_while(|b| b.is_ascii_digit()).count();
        if count < min {
            return None;
        }
        let value = self.rest[..count].iter().fold(0, |value, b| value * 10 + u32::from(b - b'0'));
        self.rest = &self.rest[count..];
        Some(value)
    }

    /// `[HH[:mm[:ss[.fraction]]]]`; a leap second is read as the last second.
    fn time(&mut self) -> Option<(jiff::civil::Time, Option<Precision>)> {
        if !self.rest.first().is_some_and(u8::is_ascii_digit) {
            return Some((jiff::civil::Time::midnight(), None));
        }
        let hour = self.digits(2, 2)?;
        let (mut minute, mut second, mut nano) = (0, 0, 0);
        let mut precision = Precision::Hour;
        if self.eat(b':') {
            minute = self.digits(2, 2)?;
            precision = Precision::Minute;
            if self.eat(b':') {
                second = match self.digits(2, 2)? {
                    60 => 59,
                    second => second,
                };
                precision = Precision::Second;
                if self.eat(b'.') || self.eat(b',') {
                    nano = self.fraction()?;
                    precision = Precision::Fraction;
                }
            }
        }
        let time = jiff::civil::Time::new(hour as i8, minute as i8, second as i8, nano).ok()?;
        Some((time, Some(precision)))
    }

    /// One or more digits as nanoseconds; digits after the ninth are cut.
    fn fraction(&mut self) -> Option<i32> {
        let count = self.rest.iter().take_while(|b| b.is_ascii_digit()).count();
        if count == 0 {
            return None;
        }
        let nano =
            (0..9).fold(0, |nano, i| nano * 10 + if i < count { i32::from(self.rest[i] - b'0') } else { 0 });
        self.rest = &self.rest[count..];
        Some(nano)
    }

    /// Nothing, `Z`, `+01`, `+0100`, `+01:00`.
    fn zone(&mut self) -> Option<Offset> {
        if self.rest.is_empty() || self.eat(b'Z') {
            return Some(Offset::UTC);
        }
        let sign = if self.eat(b'-') {
            -1
        } else if self.eat(b'+') {
            1
        } else {
            return None;
        };
        let hours = self.digits(2, 2)? as i32;
        self.eat(b':');
        let minutes = if self.rest.is_empty() { 0 } else { self.digits(2, 2)? as i32 };
        Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_the_default_format() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(parse(text).map(format_millis).as_deref(), expected, "{text}");
        };
        check("2026-01-15T10:00:00.000Z", Some("2026-01-15T10:00:00.000Z"));
        check("2026-01-15T10:00:00,5Z", Some("2026-01-15T10:00:00.500Z"));
        check("2026-01-15T10:00:00.123456789123Z", Some("2026-01-15T10:00:00.123Z"));
        check("2026-01-15T10:00+0530", Some("2026-01-15T04:30:00.000Z"));
        check("2026-01-15T10", Some("2026-01-15T10:00:00.000Z"));
        check("2026-01-15T", Some("2026-01-15T00:00:00.000Z"));
        check("2026-01", Some("2026-01-01T00:00:00.000Z"));
        check("1516116808349", Some("2018-01-16T15:33:28.349Z"));
        check("-1", Some("1969-12-31T23:59:59.999Z"));
        check("0", Some("1970-01-01T00:00:00.000Z"));
        for bad in
            ["", "2026-13-01", "2026-1-1", "2026-01-15T25:00:00Z", "2026-01-15T10:00:00.Z", "x", "12:00:00"]
        {
            check(bad, None);
        }
        assert_eq!(parse("9999-12-31T00:00:00Z"), Some(i64::MAX));
    }

    #[test]
    fn nanoseconds_are_kept() {
        assert_eq!(parse("1970-01-01T00:00:00.123456789Z"), Some(123_456_789));
        assert_eq!(to_millis(parse("1969-12-31T23:59:59.9995Z").unwrap()), -1);
    }

    #[test]
    fn bounds_round_and_math_applies() {
        let now = parse("2026-03-18T14:30:15.500Z").unwrap();
        let check = |text: &str, up: bool, expected: &str| {
            let bound = parse_bound(text, &DateFormat::default(), now, up).map(format_millis);
            assert_eq!(bound.as_deref(), Some(expected), "{text}");
        };
        check("now", false, "2026-03-18T14:30:15.500Z");
        check("now-15m", false, "2026-03-18T14:15:15.500Z");
        check("now/d", false, "2026-03-18T00:00:00.000Z");
        check("now/d", true, "2026-03-18T23:59:59.999Z");
        check("now-1M/w", false, "2026-02-16T00:00:00.000Z");
        check("2026-01-31||+1M", false, "2026-02-28T00:00:00.000Z");
        check("2026-01", true, "2026-01-01T23:59:59.999Z");
        check("2026", false, "2026-01-01T00:00:00.000Z");
        check("2026-01-15T10:00:00", true, "2026-01-15T10:00:00.999Z");
        check("15000", true, "1970-01-01T00:00:15.000Z");
        check("1500", true, "1677-09-21T00:12:43.145Z");
        for bad in ["now-", "now*1d", "now/2d", "now-1x", "soon"] {
            assert_eq!(parse_bound(bad, &DateFormat::default(), now, false), None, "{bad}");
        }
    }
}
