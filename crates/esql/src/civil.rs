//! Instants, days and texts: the arithmetic of the calendar, for any year that milliseconds can hold.

use crate::zone::Zone;

/// Milliseconds of a day.
pub(crate) const DAY_MS: i64 = 86_400_000;

/// A date and time of day, without a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Civil {
    pub(crate) year: i64,
    /// From 1.
    pub(crate) month: i64,
    /// From 1.
    pub(crate) day: i64,
    pub(crate) hour: i64,
    pub(crate) minute: i64,
    pub(crate) second: i64,
    pub(crate) nanos: i64,
}

/// Days since 1970 of a date (the proleptic Gregorian calendar).
pub(crate) fn days_from_date(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month and day of a day since 1970.
pub(crate) fn date_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// How many days a month has.
pub(crate) fn days_in_month(year: i64, month: i64) -> i64 {
    let leap = year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl Civil {
    /// The date and time of milliseconds since 1970 that were moved to a zone already.
    pub(crate) fn from_millis(millis: i64) -> Self {
        Self::from_nanos(i128::from(millis) * 1_000_000)
    }

    /// The same for nanoseconds.
    pub(crate) fn from_nanos(nanos: i128) -> Self {
        let day_nanos = i128::from(DAY_MS) * 1_000_000;
        let (days, of_day) = (nanos.div_euclid(day_nanos) as i64, nanos.rem_euclid(day_nanos) as i64);
        let (year, month, day) = date_from_days(days);
        let seconds = of_day / 1_000_000_000;
        Self {
            year,
            month,
            day,
            hour: seconds / 3_600,
            minute: seconds / 60 % 60,
            second: seconds % 60,
            nanos: of_day % 1_000_000_000,
        }
    }

    /// Nanoseconds since 1970.
    pub(crate) fn to_nanos(self) -> i128 {
        let days = days_from_date(self.year, self.month, self.day);
        let seconds =
            i128::from(days) * 86_400 + i128::from(self.hour * 3_600 + self.minute * 60 + self.second);
        seconds * 1_000_000_000 + i128::from(self.nanos)
    }

    /// Milliseconds since 1970; none where they have no room.
    pub(crate) fn to_millis(self) -> Option<i64> {
        i64::try_from(self.to_nanos().div_euclid(1_000_000)).ok()
    }

    /// Days since 1970.
    pub(crate) fn days(self) -> i64 {
        days_from_date(self.year, self.month, self.day)
    }

    /// The day of the week, Monday is 1.
    pub(crate) fn weekday(self) -> i64 {
        (self.days() + 3).rem_euclid(7) + 1
    }

    /// The day of the year, from 1.
    pub(crate) fn day_of_year(self) -> i64 {
        self.days() - days_from_date(self.year, 1, 1) + 1
    }

    /// Months later, at the last day of the month where the day does not exist.
    pub(crate) fn plus_months(self, months: i64) -> Option<Self> {
        let total = self.year.checked_mul(12)?.checked_add(self.month - 1)?.checked_add(months)?;
        let (year, month) = (total.div_euclid(12), total.rem_euclid(12) + 1);
        Some(Self { year, month, day: self.day.min(days_in_month(year, month)), ..self })
    }
}

/// The instant of a local time. Where clocks jump, the offset before the jump counts.
pub(crate) fn to_instant(zone: &Zone, local_ms: i64) -> i64 {
    let guess = local_ms.saturating_sub(zone.offset_ms(local_ms));
    local_ms.saturating_sub(zone.offset_ms(guess))
}

/// Reads an ISO date, with or without time and zone, to nanoseconds since 1970. Local times are of the zone.
pub(crate) fn parse_iso(text: &str, zone: &Zone) -> Option<i128> {
    let mut reader = Reader { rest: text };
    let year = reader.year()?;
    let mut civil = Civil { year, month: 1, day: 1, hour: 0, minute: 0, second: 0, nanos: 0 };
    if reader.eat('-') {
        civil.month = reader.digits(2).filter(|month| (1..=12).contains(month))?;
        if reader.eat('-') {
            civil.day =
                reader.digits(2).filter(|day| (1..=days_in_month(year, civil.month)).contains(day))?;
        }
    }
    let mut offset = None;
    if reader.eat('T') && !reader.rest.is_empty() {
        reader.time(&mut civil)?;
        offset = reader.offset();
    }
    if !reader.rest.is_empty() {
        return None;
    }
    let local = civil.to_nanos();
    let offset_ms = if let Some(seconds) = offset {
        seconds * 1_000
    } else {
        let local_ms = i64::try_from(local.div_euclid(1_000_000)).ok()?;
        local_ms.saturating_sub(to_instant(zone, local_ms))
    };
    Some(local - i128::from(offset_ms) * 1_000_000)
}

/// Reads the parts of a date from the front of a text.
pub(crate) struct Reader<'a> {
    pub(crate) rest: &'a str,
}

impl Reader<'_> {
    pub(crate) fn eat(&mut self, c: char) -> bool {
        let after = self.rest.strip_prefix(c);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    /// Exactly so many digits.
    pub(crate) fn digits(&mut self, count: usize) -> Option<i64> {
        let digits =
            self.rest.get(..count).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
        self.rest = &self.rest[count..];
        digits.parse().ok()
    }

    /// From `least` to `most` digits.
    pub(crate) fn some_digits(&mut self, least: usize, most: usize) -> Option<i64> {
        let count = self.rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
        if count < least { None } else { self.digits(count) }
    }

    /// Four digits, more only with a sign.
    fn year(&mut self) -> Option<i64> {
        let negative = self.eat('-');
        let signed = negative || self.eat('+');
        let year = self.some_digits(4, if signed { 9 } else { 4 })?;
        Some(if negative { -year } else { year })
    }

    fn time(&mut self, civil: &mut Civil) -> Option<()> {
        civil.hour = self.digits(2).filter(|hour| *hour < 24)?;
        if !self.eat(':') {
            return Some(());
        }
        civil.minute = self.digits(2).filter(|minute| *minute < 60)?;
        if !self.eat(':') {
            return Some(());
        }
        civil.second = self.digits(2).filter(|second| *second < 60)?;
        if self.eat('.') || self.eat(',') {
            civil.nanos = self.fraction()?;
        }
        Some(())
    }

    /// Up to nine digits after the point, as nanoseconds.
    pub(crate) fn fraction(&mut self) -> Option<i64> {
        let before = self.rest.len();
        let digits = self.some_digits(1, 9)?;
        Some(digits * 10_i64.pow(9 - (before - self.rest.len()) as u32))
    }

    /// `Z`, `+01:00`, `+0100` or `+01` in seconds.
    pub(crate) fn offset(&mut self) -> Option<i64> {
        if self.eat('Z') {
            return Some(0);
        }
        let sign = match self.rest.as_bytes().first()? {
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        let mut after = Reader { rest: &self.rest[1..] };
        let hours = after.digits(2)?;
        after.eat(':');
        let minutes = after.digits(2).unwrap_or(0);
        self.rest = after.rest;
        Some(sign * (hours * 3_600 + minutes * 60))
    }
}

/// A year as ISO writes it.
pub(crate) fn year_text(year: i64) -> String {
    match year {
        0..=9_999 => format!("{year:04}"),
        10_000.. => format!("+{year}"),
        _ => format!("-{:04}", -year),
    }
}

/// Milliseconds since 1970 as ISO text, in UTC.
pub(crate) fn iso_millis(millis: i64) -> String {
    let civil = Civil::from_millis(millis);
    let (year, month, day) = (year_text(civil.year), civil.month, civil.day);
    let time =
        format!("{:02}:{:02}:{:02}.{:03}", civil.hour, civil.minute, civil.second, civil.nanos / 1_000_000);
    format!("{year}-{month:02}-{day:02}T{time}Z")
}

/// Nanoseconds since 1970 as ISO text, in UTC, with as many digits as there are, but three.
pub(crate) fn iso_nanos(nanos: i64) -> String {
    let civil = Civil::from_nanos(i128::from(nanos));
    let (year, month, day) = (year_text(civil.year), civil.month, civil.day);
    let mut fraction = format!("{:09}", civil.nanos);
    while fraction.len() > 3 && fraction.ends_with('0') {
        fraction.pop();
    }
    let time = format!("{:02}:{:02}:{:02}.{fraction}", civil.hour, civil.minute, civil.second);
    format!("{year}-{month:02}-{day:02}T{time}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_go_there_and_back() {
        for days in (-1_000_000..1_000_000).step_by(37) {
            let (year, month, day) = date_from_days(days);
            assert_eq!(days_from_date(year, month, day), days);
        }
        assert_eq!(date_from_days(0), (1970, 1, 1));
    }

    #[test]
    fn texts_are_read() {
        let check = |text: &str, expected: Option<&str>| {
            let read = parse_iso(text, &Zone::UTC).map(|nanos| iso_nanos(nanos as i64));
            assert_eq!(read.as_deref(), expected, "{text}");
        };
        check("2024-02-29", Some("2024-02-29T00:00:00.000Z"));
        check("2024-02-30", None);
        check("2024-01-01T01:02:03.04+01:00", Some("2024-01-01T00:02:03.040Z"));
        check("2024-01-01T01:02:03.000000004Z", Some("2024-01-01T01:02:03.000000004Z"));
        check("2024-01-01 01:02", None);
        check("2024", Some("2024-01-01T00:00:00.000Z"));
        check("next week", None);
    }
}
