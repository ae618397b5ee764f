//! When a rule runs and what span of time it looks at: `interval`, `from`, `to` (specification 1.2, 2.1).
//!
//! Only relative date math is read (`now`, `now-9m`, `now-5h/d`, `now+1d`), because a rule's window moves with its
//! runs. The millisecond offsets serve look-back arithmetic; exact calendar arithmetic belongs to the one who runs
//! the rule and has the text at hand. Months and years count 30 and 365 days here.
//!
//! ```
//! use maxspan_rules::Schedule;
//! let schedule = Schedule::parse("5m", "now-9m", "now").unwrap();
//! assert_eq!(schedule.interval_ms, 300_000);
//! assert_eq!(schedule.look_back_ms(), 240_000);
//! ```

use std::fmt;

/// `interval` where a rule names none.
pub const INTERVAL_DEFAULT: &str = "5m";
/// `from` where a rule names none.
pub const FROM_DEFAULT: &str = "now-6m";
/// `to` where a rule names none.
pub const TO_DEFAULT: &str = "now";

const SECOND_MS: i64 = 1_000;
const MINUTE_MS: i64 = 60 * SECOND_MS;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

/// A rule's `interval`, `from` and `to`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// The interval as written, `5m`.
    pub interval: String,
    /// Milliseconds between two runs, above 0.
    pub interval_ms: i64,
    /// Start of the window, relative to the run.
    pub from: DateMath,
    /// End of the window, relative to the run; inclusive.
    pub to: DateMath,
}

impl Default for Schedule {
    fn default() -> Self {
        let now = |text: &str, offset_ms| DateMath { text: text.to_owned(), offset_ms, rounding_ms: 0 };
        Self {
            interval: INTERVAL_DEFAULT.to_owned(),
            interval_ms: 5 * MINUTE_MS,
            from: now(FROM_DEFAULT, -6 * MINUTE_MS),
            to: now(TO_DEFAULT, 0),
        }
    }
}

impl Schedule {
    /// Reads the three texts of a rule.
    pub fn parse(interval: &str, from: &str, to: &str) -> Result<Self, ScheduleError> {
        Ok(Self {
            interval: interval.to_owned(),
            interval_ms: parse_interval(interval)?,
            from: DateMath::parse(from)?,
            to: DateMath::parse(to)?,
        })
    }

    /// Milliseconds that a run's window reaches back beyond the interval: how late an event may come and still be
    /// seen. Never negative; where `from` rounds, the longest reach counts.
    pub fn look_back_ms(&self) -> i64 {
        self.from.reach_back_ms().saturating_sub(self.interval_ms).max(0)
    }
}

/// A moment relative to the run: `now-9m`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DateMath {
    /// As written.
    pub text: String,
    /// Milliseconds from now, negative for the past; rounding left out.
    pub offset_ms: i64,
    /// At most how many milliseconds rounding down (`/d`) moves the moment further into the past.
    pub rounding_ms: i64,
}

impl DateMath {
    /// Reads `now` followed by any number of `+N<unit>`, `-N<unit>`, `/<unit>`; units `y M w d h H m s`.
    pub fn parse(text: &str) -> Result<Self, ScheduleError> {
        let error = || ScheduleError { text: text.to_owned(), expected: "date math like `now-9m`" };
        let mut rest = text.strip_prefix("now").ok_or_else(error)?;
        let mut math = Self { text: text.to_owned(), offset_ms: 0, rounding_ms: 0 };
        while let Some(operator) = rest.chars().next() {
            rest = &rest[operator.len_utf8()..];
            let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let (number, after) = rest.split_at(digits);
            let unit = after.chars().next().and_then(|unit| unit_ms(unit).map(|ms| (unit.len_utf8(), ms)));
            let (unit_length, unit_ms) = unit.ok_or_else(error)?;
            let count = if number.is_empty() { Some(1) } else { number.parse::<i64>().ok() };
            let span_ms = count.and_then(|count| count.checked_mul(unit_ms));
            match operator {
                '+' => {
                    math.offset_ms = checked(math.offset_ms, span_ms, i64::checked_add).ok_or_else(error)?;
                }
                '-' => {
                    math.offset_ms = checked(math.offset_ms, span_ms, i64::checked_sub).ok_or_else(error)?;
                }
                '/' if number.is_empty() => {
                    math.rounding_ms = math.rounding_ms.saturating_add(unit_ms - 1);
                }
                _ => return Err(error()),
            }
            rest = &after[unit_length..];
        }
        Ok(math)
    }

    /// Milliseconds from now back to the earliest moment that the text can mean.
    pub fn reach_back_ms(&self) -> i64 {
        self.rounding_ms.saturating_sub(self.offset_ms)
    }
}

fn checked(offset: i64, span: Option<i64>, operation: fn(i64, i64) -> Option<i64>) -> Option<i64> {
    span.and_then(|span| operation(offset, span))
}

/// Reads an interval, `^[1-9]\d*[smhd]$`, as milliseconds.
pub fn parse_interval(text: &str) -> Result<i64, ScheduleError> {
    let error =
        || ScheduleError { text: text.to_owned(), expected: "an interval like `5m` (units s, m, h, d)" };
    let unit = text.chars().next_back().filter(|unit| "smhd".contains(*unit)).and_then(unit_ms);
    let number = text.get(..text.len().saturating_sub(1)).unwrap_or("");
    if number.is_empty() || number.starts_with('0') || !number.bytes().all(|b| b.is_ascii_digit()) {
        return Err(error());
    }
    let count = number.parse::<i64>().ok();
    count.zip(unit).and_then(|(count, unit)| count.checked_mul(unit)).ok_or_else(error)
}

fn unit_ms(unit: char) -> Option<i64> {
    Some(match unit {
        's' => SECOND_MS,
        'm' => MINUTE_MS,
        'h' | 'H' => HOUR_MS,
        'd' => DAY_MS,
        'w' => 7 * DAY_MS,
        'M' => 30 * DAY_MS,
        'y' => 365 * DAY_MS,
        _ => return None,
    })
}

/// A text that is no interval, or no date math.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleError {
    /// The text.
    pub text: String,
    /// What it should have been.
    pub expected: &'static str,
}

impl fmt::Display for ScheduleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not {}", self.text, self.expected)
    }
}

impl std::error::Error for ScheduleError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn date_math_gives_offset_and_rounding() {
        let check = |text: &str, expected: Option<(i64, i64)>| {
            let found = DateMath::parse(text).ok().map(|math| (math.offset_ms, math.rounding_ms));
            assert_eq!(found, expected, "{text}");
        };
        check("now", Some((0, 0)));
        check("now-9m", Some((-540_000, 0)));
        check("now-119m", Some((-7_140_000, 0)));
        check("now-5h/d", Some((-18_000_000, DAY_MS - 1)));
        check("now+1d", Some((DAY_MS, 0)));
        check("now-1d+1h", Some((HOUR_MS - DAY_MS, 0)));
        check("now/d-1h", Some((-HOUR_MS, DAY_MS - 1)));
        check("now-d", Some((-DAY_MS, 0)));
        check("now-1M", Some((-30 * DAY_MS, 0)));
        check("", None);
        check("now-", None);
        check("now-9", None);
        check("now-9x", None);
        check("now-9mm", None);
        check("now/2d", None);
        check("now -9m", None);
        check("now-9999999999999y", None);
        check("2024-01-01", None);
        check("now-9µ", None);
    }

    #[test]
    fn intervals_have_a_number_and_a_unit() {
        let check =
            |text: &str, expected: Option<i64>| assert_eq!(parse_interval(text).ok(), expected, "{text}");
        check("5m", Some(300_000));
        check("30s", Some(30_000));
        check("1h", Some(HOUR_MS));
        check("2d", Some(2 * DAY_MS));
        check("0m", None);
        check("05m", None);
        check("5", None);
        check("m", None);
        check("", None);
        check("5w", None);
        check("5 m", None);
        check("5µ", None);
        check("99999999999999999d", None);
    }

    #[test]
    fn look_back_is_what_the_window_has_beyond_the_interval() {
        let check = |interval: &str, from: &str, expected: i64| {
            let schedule = Schedule::parse(interval, from, "now").unwrap();
            assert_eq!(schedule.look_back_ms(), expected, "{interval} {from}");
        };
        check("5m", "now-6m", 60_000);
        check("60m", "now-119m", 59 * 60_000);
        check("10m", "now-5m", 0);
        check("5m", "now-9223372036854775s/d", i64::MAX - 5 * MINUTE_MS);
        check("106751991167d", "now+9223372036854775s", 0);
        check("1d", "now-1d/d", DAY_MS - 1);
        assert_eq!(Schedule::default(), Schedule::parse("5m", "now-6m", "now").unwrap());
    }
}
