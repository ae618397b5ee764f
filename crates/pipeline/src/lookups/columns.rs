//! The types of columns: how a text is read as one, how a type is found for texts, and what ES|QL makes of values.

use maxspan_diagnostics::nearest_names;
use maxspan_esql::functions::Context;
use maxspan_esql::{DataType, Value, ValueRef, Zone, convert};
use maxspan_event::{Cidr, FieldType, Schema, date, parse_ip};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableColumn {
    /// Its name, with dots.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: ColumnType,
}

/// A type of a column, called as Elasticsearch calls it in mappings and value lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum ColumnType {
    Keyword,
    Text,
    Boolean,
    Byte,
    Short,
    Integer,
    Long,
    HalfFloat,
    Float,
    Double,
    Ip,
    Date,
    DateNanos,
    Version,
    IpRange,
    DateRange,
    IntegerRange,
    LongRange,
    FloatRange,
    DoubleRange,
}

use ColumnType as T;

const NAMES: [(T, &str); 20] = [
    (T::Keyword, "keyword"),
    (T::Text, "text"),
    (T::Boolean, "boolean"),
    (T::Byte, "byte"),
    (T::Short, "short"),
    (T::Integer, "integer"),
    (T::Long, "long"),
    (T::HalfFloat, "half_float"),
    (T::Float, "float"),
    (T::Double, "double"),
    (T::Ip, "ip"),
    (T::Date, "date"),
    (T::DateNanos, "date_nanos"),
    (T::Version, "version"),
    (T::IpRange, "ip_range"),
    (T::DateRange, "date_range"),
    (T::IntegerRange, "integer_range"),
    (T::LongRange, "long_range"),
    (T::FloatRange, "float_range"),
    (T::DoubleRange, "double_range"),
];

impl ColumnType {
    /// The type of a name.
    pub fn parse(name: &str) -> Result<Self, String> {
        let found = NAMES.iter().find(|(_, known)| *known == name);
        found.map(|(kind, _)| *kind).ok_or_else(|| {
            let near = nearest_names(name, NAMES.iter().map(|(_, known)| *known));
            let known: Vec<&str> =
                if near.is_empty() { NAMES.iter().map(|one| one.1).collect() } else { near };
            format!("there is no type `{name}`: {}", known.join(", "))
        })
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(kind, _)| *kind == self).map_or("keyword", |(_, name)| name)
    }

    /// Whether a value list may be of it. Ranges of anything but addresses are not applied by exceptions.
    pub fn is_of_lists(self) -> bool {
        self == T::IpRange || self.range_of().is_none() && self != T::Version
    }

    /// The type of what lies in its ranges.
    pub fn range_of(self) -> Option<DataType> {
        Some(match self {
            T::IpRange => DataType::Ip,
            T::DateRange => DataType::Datetime,
            T::IntegerRange | T::LongRange => DataType::Long,
            T::FloatRange | T::DoubleRange => DataType::Double,
            _ => return None,
        })
    }

    /// What ES|QL calls it; ranges are texts there.
    pub fn data_type(self) -> DataType {
        match self {
            T::Boolean => DataType::Boolean,
            T::Byte | T::Short | T::Integer => DataType::Integer,
            T::Long => DataType::Long,
            T::HalfFloat | T::Float | T::Double => DataType::Double,
            T::Ip => DataType::Ip,
            T::Date => DataType::Datetime,
            T::DateNanos => DataType::DateNanos,
            T::Version => DataType::Version,
            T::Text => DataType::Text,
            _ => DataType::Keyword,
        }
    }

    /// The type of a field that ECS, or a mapping, knows; none for one that it does not.
    pub(super) fn of_field(schema: &Schema, name: &str) -> Option<Self> {
        Some(match schema.get(name)?.kind {
            FieldType::Keyword | FieldType::ConstantKeyword | FieldType::Wildcard => T::Keyword,
            FieldType::Text => T::Text,
            FieldType::Ip => T::Ip,
            FieldType::Date => T::Date,
            FieldType::DateNanos => T::DateNanos,
            FieldType::Long | FieldType::UnsignedLong => T::Long,
            FieldType::Double => T::Double,
            FieldType::Boolean => T::Boolean,
            FieldType::Version => T::Version,
            _ => return None,
        })
    }

    /// The value of a text, as JSON; none where the text is none of this type.
    pub(super) fn read(self, text: &str) -> Option<Json> {
        let whole = |range: std::ops::RangeInclusive<i64>| {
            text.parse::<i64>().ok().filter(|number| range.contains(number)).map(Json::from)
        };
        match self {
            T::Keyword | T::Text | T::Version => Some(Json::from(text)),
            T::Boolean => match text {
                "true" => Some(Json::from(true)),
                "false" => Some(Json::from(false)),
                _ => None,
            },
            T::Byte => whole(-128..=127),
            T::Short => whole(-32_768..=32_767),
            T::Integer => whole(i64::from(i32::MIN)..=i64::from(i32::MAX)),
            T::Long => whole(i64::MIN..=i64::MAX),
            T::HalfFloat | T::Float | T::Double => {
                text.parse::<f64>().ok().filter(|number| number.is_finite()).map(Json::from)
            }
            T::Ip => parse_ip(text).map(|ip| Json::from(ip.to_string())),
            T::Date | T::DateNanos => date::parse(text).map(|_| Json::from(text)),
            range => range.ends(text).map(|_| Json::from(text)),
        }
    }

    /// The same for a value of JSON; none also for objects.
    pub(super) fn accept(self, value: &Json) -> Option<Json> {
        match value {
            Json::Null => Some(Json::Null),
            Json::Array(values) => values.iter().map(|one| self.accept(one)).collect(),
            Json::String(text) => self.read(text),
            Json::Number(number) => self.read(&number.to_string()).or_else(|| {
                // Dates may be milliseconds since 1970.
                (self == T::Date).then(|| number.as_i64()).flatten().map(Json::from)
            }),
            Json::Bool(value) => self.read(if *value { "true" } else { "false" }),
            Json::Object(range) if self.range_of().is_some() => self.read(&range_text(range)?),
            Json::Object(_) => None,
        }
    }

    /// First and last value of a range: `a-b` or a block of addresses, `a..b` or one value of the other types.
    pub(super) fn ends(self, text: &str) -> Option<(Value, Value)> {
        let kind = self.range_of()?;
        let context = Context::new(0, Zone::UTC);
        let one = |text: &str| convert(&context, ValueRef::Text(text.trim()), kind).ok();
        let ends = match (text.split_once(".."), kind) {
            (Some((from, to)), _) => (one(from)?, one(to)?),
            (None, DataType::Ip) => match text.split_once('-') {
                Some((from, to)) => (one(from)?, one(to)?),
                None => Cidr::parse(text).map(|block| (Value::Ip(block.first()), Value::Ip(block.last())))?,
            },
            (None, _) => (one(text)?, one(text)?),
        };
        let is_null = ends.0.is_null() || ends.1.is_null();
        let in_order = !maxspan_esql::value::order(&ends.0, &ends.1).is_gt();
        (in_order && !is_null).then_some(ends)
    }

    /// The value of a cell in ES|QL; what is none of the type is left out.
    pub(super) fn value(self, cell: &Json, context: &Context) -> Value {
        let kind = self.data_type();
        let one = |value: &Json| match value {
            Json::String(text) => convert(context, ValueRef::Text(text), kind).ok(),
            Json::Number(number) => match (kind, number.as_i64()) {
                (DataType::Datetime, Some(millis)) => Some(Value::Date(millis)),
                _ => convert(context, ValueRef::Text(&number.to_string()), kind).ok(),
            },
            Json::Bool(value) => convert(context, ValueRef::Bool(*value), kind).ok(),
            _ => None,
        };
        let values: Vec<Value> = match cell {
            Json::Array(values) => values.iter().filter_map(one).collect(),
            other => one(other).into_iter().collect(),
        };
        let mut values: Vec<Value> = values.into_iter().filter(|value| !value.is_null()).collect();
        // As an index gives them back.
        if values.len() > 1 && kind != DataType::Text {
            values.sort_by(maxspan_esql::value::order);
            if matches!(kind, DataType::Keyword | DataType::Ip | DataType::Version) {
                values.dedup();
            }
        }
        Value::from_values(values)
    }
}

/// A range as Elasticsearch's documents write it.
fn range_text(range: &serde_json::Map<String, Json>) -> Option<String> {
    let end = |name: &str| match range.get(name)? {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    };
    (range.len() == 2).then_some(())?;
    Some(format!("{}..{}", end("gte")?, end("lte")?))
}

/// Finds the type that all values of a column have.
#[derive(Debug, Clone)]
pub(super) struct Detector {
    seen: bool,
    possible: [bool; 5],
}

/// In the order in which they are preferred. Numbers that a number would not print as itself (`007`, `1e5`) are texts.
const DETECTED: [T; 5] = [T::Boolean, T::Long, T::Double, T::Ip, T::Date];

impl Default for Detector {
    fn default() -> Self {
        Self { seen: false, possible: [true; 5] }
    }
}

impl Detector {
    /// A text that stands for a value, as in CSV.
    pub(super) fn text(&mut self, text: &str) {
        self.seen = true;
        for (possible, kind) in self.possible.iter_mut().zip(DETECTED) {
            *possible &= looks_like(kind, text);
        }
    }

    /// A value of JSON.
    pub(super) fn json(&mut self, value: &Json) {
        let only = |wanted: &[T], possible: &mut [bool; 5]| {
            for (possible, kind) in possible.iter_mut().zip(DETECTED) {
                *possible &= wanted.contains(&kind);
            }
        };
        match value {
            Json::Null => return,
            Json::Array(values) => return values.iter().for_each(|one| self.json(one)),
            Json::Bool(_) => only(&[T::Boolean], &mut self.possible),
            Json::Number(number) if number.is_i64() => only(&[T::Long, T::Double], &mut self.possible),
            Json::Number(_) => only(&[T::Double], &mut self.possible),
            Json::String(text) => {
                only(&[T::Ip, T::Date], &mut self.possible);
                self.text(text);
            }
            Json::Object(_) => only(&[], &mut self.possible),
        }
        self.seen = true;
    }

    /// The type; a keyword where nothing else fits, or nothing was seen.
    pub(super) fn kind(&self) -> T {
        let found = self.possible.iter().zip(DETECTED).find(|(possible, _)| **possible && self.seen);
        found.map_or(T::Keyword, |(_, kind)| kind)
    }
}

fn looks_like(kind: T, text: &str) -> bool {
    match kind {
        T::Long => text.parse::<i64>().is_ok_and(|number| number.to_string() == text),
        T::Double => {
            let digits = text.strip_prefix('-').unwrap_or(text);
            let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
            let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            all_digits(whole) && all_digits(fraction) && (whole == "0" || !whole.starts_with('0'))
        }
        // A year alone, and milliseconds, are numbers.
        T::Date => text.len() >= 10 && text.as_bytes().get(4) == Some(&b'-') && date::parse(text).is_some(),
        kind => kind.read(text).is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_of_texts_are_found() {
        let check = |texts: &str, expected: T| {
            let mut detector = Detector::default();
            texts.split(' ').filter(|text| !text.is_empty()).for_each(|text| detector.text(text));
            assert_eq!(detector.kind(), expected, "{texts}");
        };
        check("", T::Keyword);
        check("true false", T::Boolean);
        check("1 -2 9223372036854775807", T::Long);
        check("1 2.5", T::Double);
        check("1 007", T::Keyword);
        check("1e5", T::Keyword);
        check("10.0.0.1 ::1", T::Ip);
        check("10.0.0.1 10.0.0.0/8", T::Keyword);
        check("2026-01-02 2026-01-02T03:04:05Z", T::Date);
        check("2026", T::Long);
        check("nan", T::Keyword);
    }

    #[test]
    fn types_of_json_are_found() {
        let check = |json: &str, expected: T| {
            let mut detector = Detector::default();
            detector.json(&serde_json::from_str(json).unwrap());
            assert_eq!(detector.kind(), expected, "{json}");
        };
        check("[1, 2]", T::Long);
        check("[1, 2.5]", T::Double);
        check("[\"1\"]", T::Keyword);
        check("[true, 1]", T::Keyword);
        check("[\"10.0.0.1\"]", T::Ip);
        check("[null]", T::Keyword);
    }

    #[test]
    fn ranges_have_two_ends() {
        let check = |kind: T, text: &str, expected: Option<&str>| {
            let found = kind.ends(text).map(|(from, to)| {
                let text = |value: &Value| maxspan_esql::to_text(value.borrowed());
                format!("{} {}", text(&from), text(&to))
            });
            assert_eq!(found.as_deref(), expected, "{text}");
        };
        check(T::IpRange, "10.0.0.0/30", Some("10.0.0.0 10.0.0.3"));
        check(T::IpRange, "10.0.0.7", Some("10.0.0.7 10.0.0.7"));
        check(T::IpRange, "10.0.0.1-10.0.0.9", Some("10.0.0.1 10.0.0.9"));
        check(T::IpRange, "10.0.0.9-10.0.0.1", None);
        check(T::LongRange, "-5..7", Some("-5 7"));
        check(T::DoubleRange, "x..1", None);
        check(
            T::DateRange,
            "2026-01-01..2026-01-02",
            Some("2026-01-01T00:00:00.000Z 2026-01-02T00:00:00.000Z"),
        );
        check(T::Keyword, "a..b", None);
    }
}
