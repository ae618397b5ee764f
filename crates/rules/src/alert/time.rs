//! Dates of events as milliseconds, and as JavaScript's `Date.toISOString` writes them.

use maxspan_event::date;
use serde_json::Value;

/// Milliseconds since 1970 of a date in a form that Elasticsearch takes.
pub fn milliseconds(text: &str) -> Option<i64> {
    date::parse(text.trim()).map(date::to_millis)
}

/// The moment as `2024-01-01T00:00:00.000Z`.
pub fn iso(milliseconds: i64) -> String {
    date::format_millis(date::from_millis(milliseconds))
}

/// A date as events have it: a text, or milliseconds since 1970; of a list, the first.
pub fn milliseconds_of(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => milliseconds(text),
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
            let found = milliseconds_of(&value).map(iso);
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
