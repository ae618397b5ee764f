//! Date formats of mappings: built-in names and patterns of the `dd-MM-yyyy` kind, several separated by `||`.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;

use super::{Cursor, NANOS_PER_MILLI, Precision, Written, instant, parse_epoch, parse_written};

/// How dates of a field are written.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DateFormat {
    alternatives: Vec<Alternative>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Alternative {
    OptionalTime,
    EpochMillis,
    EpochSecond,
    Pattern(String),
}

impl Default for DateFormat {
    /// `strict_date_optional_time||epoch_millis`.
    fn default() -> Self {
        Self { alternatives: vec![Alternative::OptionalTime, Alternative::EpochMillis] }
    }
}

impl DateFormat {
    /// The formats of a mapping's `format`; a built-in name that is not known here is read as optional time.
    pub fn new(format: &str) -> Self {
        let alternative = |name: &str| match name.trim() {
            "epoch_millis" => Alternative::EpochMillis,
            "epoch_second" => Alternative::EpochSecond,
            name if name.contains('_') || name.starts_with("iso") => Alternative::OptionalTime,
            pattern => Alternative::Pattern(pattern.to_owned()),
        };
        Self { alternatives: format.split("||").map(alternative).collect() }
    }

    /// These formats, then the other's.
    pub fn or(&self, other: &Self) -> Self {
        let mut alternatives = self.alternatives.clone();
        alternatives
            .extend(other.alternatives.iter().filter(|one| !self.alternatives.contains(one)).cloned());
        Self { alternatives }
    }

    /// The instant that a JSON number stands for: milliseconds unless the formats say otherwise.
    pub fn parse_number(&self, number: i64) -> Option<i64> {
        if self.alternatives.contains(&Alternative::EpochMillis) {
            return Some(super::from_millis(number));
        }
        self.parse(&number.to_string(), false)
    }

    /// The instant; with `round_up` the last millisecond of what was written.
    pub fn parse(&self, text: &str, round_up: bool) -> Option<i64> {
        let text = text.trim();
        self.alternatives.iter().find_map(|alternative| match alternative {
            Alternative::OptionalTime => parse_written(text).map(|written| instant(written, round_up)),
            Alternative::EpochMillis => parse_epoch(text, NANOS_PER_MILLI),
            Alternative::EpochSecond => parse_epoch(text, 1000 * NANOS_PER_MILLI),
            Alternative::Pattern(pattern) => {
                parse_pattern(text, pattern).map(|written| instant(written, round_up))
            }
        })
    }
}

/// Reads letters `y u M d H m s S X Z`, quoted text and punctuation; other letters make the pattern match nothing.
fn parse_pattern(text: &str, pattern: &str) -> Option<Written> {
    let mut cursor = Cursor { rest: text.as_bytes() };
    let (mut year, mut month, mut day) = (1970, 1, 1);
    let (mut hour, mut minute, mut second, mut nano) = (0, 0, 0, 0);
    let mut precision = Precision::Year;
    let mut offset = Offset::UTC;
    let mut letters = pattern.as_bytes();
    while let Some(&letter) = letters.first() {
        let run = letters.iter().take_while(|b| **b == letter).count();
        letters = &letters[run..];
        match letter {
            b'y' | b'u' => year = cursor.digits(run.min(4), 4)?,
            b'M' => month = cursor.digits(run, 2)?,
            b'd' => day = cursor.digits(run, 2)?,
            b'H' => hour = cursor.digits(run, 2)?,
            b'm' => minute = cursor.digits(run, 2)?,
            b's' => second = cursor.digits(run, 2)?,
            b'S' => nano = cursor.fraction()?,
            b'X' | b'Z' | b'x' => offset = cursor.zone()?,
            b'\'' => {
                let end = letters.iter().position(|b| *b == b'\'')?;
                letters[..end].iter().try_for_each(|b| cursor.eat(*b).then_some(()))?;
                letters = &letters[end + 1..];
            }
            b'a'..=b'z' | b'A'..=b'Z' => return None,
            other => (0..run).try_for_each(|_| cursor.eat(other).then_some(()))?,
        }
        precision = precision.max(precision_of(letter).unwrap_or(precision));
    }
    if !cursor.rest.is_empty() {
        return None;
    }
    let date = Date::new(i16::try_from(year).ok()?, month as i8, day as i8).ok()?;
    let time = Time::new(hour as i8, minute as i8, second as i8, nano).ok()?;
    Some(Written { date_time: DateTime::from_parts(date, time), precision, offset })
}

fn precision_of(letter: u8) -> Option<Precision> {
    Some(match letter {
        b'M' => Precision::Month,
        b'd' => Precision::Day,
        b'H' => Precision::Hour,
        b'm' => Precision::Minute,
        b's' => Precision::Second,
        b'S' => Precision::Fraction,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::format_millis;
    use super::*;

    #[test]
    fn patterns_read_dates() {
        let check = |format: &str, text: &str, expected: Option<&str>| {
            assert_eq!(
                DateFormat::new(format).parse(text, false).map(format_millis).as_deref(),
                expected,
                "{format} {text}"
            );
        };
        check("dd-MM-yyyy", "16-12-2022", Some("2022-12-16T00:00:00.000Z"));
        check("yyyy-MM-dd'T'HH:mm:ssX", "2022-12-16T01:02:03+01", Some("2022-12-16T00:02:03.000Z"));
        check("dd-MM-yyyy||epoch_second", "86400", Some("1970-01-02T00:00:00.000Z"));
        check("dd-MM-yyyy", "2022-12-16", None);
    }
}
