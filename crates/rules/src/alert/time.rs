//! Dates of events as milliseconds, and as JavaScript's `Date.toISOString` writes them.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde_json::Value;

/// Milliseconds since 1970 of an ISO 8601 date; without an offset it is UTC, without a time midnight.
pub fn milliseconds(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Some(moment.as_nanosecond().div_euclid(1_000_000) as i64);
    }
    let local: DateTime = text.parse().ok().or_else(|| {
        let months = if text.len() == 4 { format!("{text}-01-01") } else { format!("{text}-01") };
        months.parse::<Date>().ok().map(|date| date.at(0, 0, 0, 0))
    })?;
    Some(local.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond())
}

/// The moment as `2024-01-01T00:00:00.000Z`; none outside the years that can be written.
pub fn iso(milliseconds: i64) -> Option<String> {
    let moment = Timestamp::from_millisecond(milliseconds).ok()?;
    Some(format!("{moment:.3}"))
}

/// A date as events have it: a text, or milliseconds since 1970; of a list, the first.
pub fn milliseconds_of(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => milliseconds(text).or_else(|| text.trim().parse().ok()),
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().map(|number| number as i64)),
        Value::Array(values) => milliseconds_of(values.first()?),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn dates_become_what_javascript_writes() {
        let check = |value: Value, expected: Option<&str>| {
            let found = milliseconds_of(&value).and_then(iso);
            assert_eq!(found.as_deref(), expected, "{value}");
        };
        check(json!("2024-01-01T00:00:00Z"), Some("2024-01-01T00:00:00.000Z"));
        check(json!("2024-01-01T02:00:00.1239999+02:00"), Some("2024-01-01T00:00:00.123Z"));
        check(json!("2024-01-01T00:00:00"), Some("2024-01-01T00:00:00.000Z"));
        check(json!("2024-01-01"), Some("2024-01-01T00:00:00.000Z"));
        check(json!("2024-05"), Some("2024-05-01T00:00:00.000Z"));
        check(json!("2024"), Some("2024-01-01T00:00:00.000Z"));
        check(json!("1969-12-31T23:59:59.9999Z"), Some("1969-12-31T23:59:59.999Z"));
        check(json!(1_704_067_200_000_i64), Some("2024-01-01T00:00:00.000Z"));
        check(json!("1704067200000"), Some("2024-01-01T00:00:00.000Z"));
        check(json!(["2024-01-01T00:00:00Z"]), Some("2024-01-01T00:00:00.000Z"));
        check(json!("soon"), None);
        check(json!(null), None);
    }
}
