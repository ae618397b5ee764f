//! Time spans: `3 days`, `1 month`. Days and longer follow the calendar; shorter ones are a fixed time.

/// A unit of a time span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Unit {
    Millisecond,
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

/// A span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimeSpan {
    /// Months and days of the calendar.
    Period {
        /// Months; a year has twelve.
        months: i64,
        /// Days; a week has seven.
        days: i64,
    },
    /// A fixed time in milliseconds.
    Duration(i64),
}

impl Unit {
    /// Reads a unit, in any case, in the singular, the plural or short.
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word.to_ascii_lowercase().as_str() {
            "millisecond" | "milliseconds" | "ms" => Self::Millisecond,
            "second" | "seconds" | "sec" | "s" => Self::Second,
            "minute" | "minutes" | "min" | "m" => Self::Minute,
            "hour" | "hours" | "h" => Self::Hour,
            "day" | "days" | "d" => Self::Day,
            "week" | "weeks" | "w" => Self::Week,
            "month" | "months" | "mo" => Self::Month,
            "quarter" | "quarters" | "q" => Self::Quarter,
            "year" | "years" | "yr" | "y" => Self::Year,
            _ => return None,
        })
    }
}

impl TimeSpan {
    /// So many of a unit; none where that is out of range.
    pub fn new(amount: i64, unit: Unit) -> Option<Self> {
        let duration = |millis: i64| amount.checked_mul(millis).map(Self::Duration);
        let days = |days: i64| Some(Self::Period { months: 0, days: amount.checked_mul(days)? });
        let months = |months: i64| Some(Self::Period { months: amount.checked_mul(months)?, days: 0 });
        match unit {
            Unit::Millisecond => duration(1),
            Unit::Second => duration(1_000),
            Unit::Minute => duration(60_000),
            Unit::Hour => duration(3_600_000),
            Unit::Day => days(1),
            Unit::Week => days(7),
            Unit::Month => months(1),
            Unit::Quarter => months(3),
            Unit::Year => months(12),
        }
    }

    /// `1 day` as a text.
    pub fn parse(text: &str) -> Option<Self> {
        let (amount, unit) = text.trim().split_once(char::is_whitespace)?;
        Self::new(amount.parse().ok()?, Unit::parse(unit.trim())?)
    }

    /// The span backwards.
    pub fn negate(self) -> Option<Self> {
        Some(match self {
            Self::Period { months, days } => {
                Self::Period { months: months.checked_neg()?, days: days.checked_neg()? }
            }
            Self::Duration(millis) => Self::Duration(millis.checked_neg()?),
        })
    }

    /// Both spans together; they have to be of the same kind.
    pub fn plus(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::Period { months, days }, Self::Period { months: more, days: further }) => {
                Some(Self::Period { months: months.checked_add(more)?, days: days.checked_add(further)? })
            }
            (Self::Duration(a), Self::Duration(b)) => a.checked_add(b).map(Self::Duration),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_and_added() {
        let check =
            |text: &str, expected: Option<TimeSpan>| assert_eq!(TimeSpan::parse(text), expected, "{text}");
        check("1 day", Some(TimeSpan::Period { months: 0, days: 1 }));
        check("2 Quarters", Some(TimeSpan::Period { months: 6, days: 0 }));
        check("-3 min", Some(TimeSpan::Duration(-180_000)));
        check("1 fortnight", None);
        check("day", None);
        let (day, hour) = (TimeSpan::parse("1 day").unwrap(), TimeSpan::parse("1 hour").unwrap());
        assert_eq!(day.plus(hour), None);
        assert_eq!(hour.plus(hour), Some(TimeSpan::Duration(7_200_000)));
    }
}
