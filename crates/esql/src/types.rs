//! The types of ES|QL, and sets of them.

use maxspan_event::FieldType;

/// The type of a column or expression.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum DataType {
    #[default]
    Null,
    Boolean,
    Integer,
    Long,
    UnsignedLong,
    Double,
    Keyword,
    Text,
    Ip,
    Version,
    Datetime,
    DateNanos,
    DatePeriod,
    TimeDuration,
    GeoPoint,
    /// A field whose values cannot be used; they read as null.
    Unsupported,
}

use DataType as T;

impl DataType {
    /// As messages and results call it.
    pub fn name(self) -> &'static str {
        match self {
            T::Null => "null",
            T::Boolean => "boolean",
            T::Integer => "integer",
            T::Long => "long",
            T::UnsignedLong => "unsigned_long",
            T::Double => "double",
            T::Keyword => "keyword",
            T::Text => "text",
            T::Ip => "ip",
            T::Version => "version",
            T::Datetime => "datetime",
            T::DateNanos => "date_nanos",
            T::DatePeriod => "date_period",
            T::TimeDuration => "time_duration",
            T::GeoPoint => "geo_point",
            T::Unsupported => "unsupported",
        }
    }

    /// As answers call it: there, dates are `date`.
    pub fn answer_name(self) -> &'static str {
        if self == T::Datetime { "date" } else { self.name() }
    }

    /// The type of a name, in any case; short names as in casts count too.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "null" => T::Null,
            "boolean" | "bool" => T::Boolean,
            "integer" | "int" | "short" | "byte" => T::Integer,
            "long" => T::Long,
            "unsigned_long" | "ul" | "ulong" => T::UnsignedLong,
            "double" | "float" | "half_float" | "scaled_float" => T::Double,
            "keyword" | "string" | "str" => T::Keyword,
            "text" => T::Text,
            "ip" => T::Ip,
            "version" | "ver" => T::Version,
            "datetime" | "date" | "dt" => T::Datetime,
            "date_nanos" => T::DateNanos,
            "date_period" => T::DatePeriod,
            "time_duration" => T::TimeDuration,
            "geo_point" => T::GeoPoint,
            "unsupported" => T::Unsupported,
            _ => return None,
        })
    }

    /// The type of a field of an index.
    pub fn of_field(kind: FieldType) -> Self {
        match kind {
            FieldType::Keyword | FieldType::ConstantKeyword | FieldType::Wildcard => T::Keyword,
            FieldType::Flattened | FieldType::Unknown => T::Keyword,
            FieldType::Text => T::Text,
            FieldType::Ip => T::Ip,
            FieldType::Date => T::Datetime,
            FieldType::DateNanos => T::DateNanos,
            FieldType::Long => T::Long,
            FieldType::UnsignedLong => T::UnsignedLong,
            FieldType::Double => T::Double,
            FieldType::Boolean => T::Boolean,
            FieldType::Version => T::Version,
            _ => T::Unsupported,
        }
    }

    /// Whether its values are texts.
    pub fn is_text(self) -> bool {
        matches!(self, T::Keyword | T::Text)
    }

    /// Whether its values are numbers.
    pub fn is_number(self) -> bool {
        NUMBERS.has(self)
    }

    /// Whether it is an instant.
    pub fn is_date(self) -> bool {
        DATES.has(self)
    }

    /// Whether it is a span of time.
    pub fn is_span(self) -> bool {
        SPANS.has(self)
    }

    /// What functions give back for it: text that was worked on is a keyword.
    pub fn without_text(self) -> Self {
        if self == T::Text { T::Keyword } else { self }
    }

    /// The type that holds values of both; none where they cannot stand in one column.
    pub fn common(self, other: Self) -> Option<Self> {
        if self == other {
            return Some(self);
        }
        match (self, other) {
            (T::Null, other) | (other, T::Null) => Some(other),
            (a, b) if a.is_text() && b.is_text() => Some(T::Keyword),
            (a, b) if a.is_number() && b.is_number() => Some(wider(a, b)),
            (a, b) if a.is_date() && b.is_date() => Some(T::DateNanos),
            _ => None,
        }
    }
}

/// The wider of two number types.
fn wider(a: DataType, b: DataType) -> DataType {
    let both = [a, b];
    [T::Double, T::UnsignedLong, T::Long].into_iter().find(|kind| both.contains(kind)).unwrap_or(T::Integer)
}

/// A set of types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Types(u32);

/// Every type but spans of time.
pub const ANY: Types = Types::of(&[
    T::Boolean,
    T::Integer,
    T::Long,
    T::UnsignedLong,
    T::Double,
    T::Keyword,
    T::Text,
    T::Ip,
    T::Version,
    T::Datetime,
    T::DateNanos,
    T::GeoPoint,
]);
/// Keyword and text.
pub const TEXTS: Types = Types::of(&[T::Keyword, T::Text]);
/// All numbers.
pub const NUMBERS: Types = Types::of(&[T::Integer, T::Long, T::UnsignedLong, T::Double]);
/// Whole numbers as lengths and places. Fields that are integers are known as longs only, so that longs count too.
pub const INTEGERS: Types = Types::of(&[T::Integer, T::Long]);
/// All whole numbers.
pub const WHOLE: Types = Types::of(&[T::Integer, T::Long, T::UnsignedLong]);
/// Booleans.
pub const BOOLEANS: Types = Types::of(&[T::Boolean]);
/// Addresses.
pub const IPS: Types = Types::of(&[T::Ip]);
/// Instants.
pub const DATES: Types = Types::of(&[T::Datetime, T::DateNanos]);
/// Spans of time.
pub const SPANS: Types = Types::of(&[T::DatePeriod, T::TimeDuration]);
/// Points on the earth; fields of a type that is not known otherwise may be such.
pub const POINTS: Types = Types::of(&[T::GeoPoint, T::Unsupported]);

impl Types {
    /// The set of these.
    pub const fn of(types: &[DataType]) -> Self {
        let (mut bits, mut i) = (0, 0);
        while i < types.len() {
            bits |= 1 << types[i] as u32;
            i += 1;
        }
        Self(bits)
    }

    /// Both sets together.
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether a type is in it. Null is in every set, and so is what only ever reads as null.
    pub const fn has(self, kind: DataType) -> bool {
        matches!(kind, T::Null | T::Unsupported) || self.0 & (1 << kind as u32) != 0
    }

    /// The types in it.
    pub fn list(self) -> Vec<DataType> {
        ALL.into_iter().filter(|kind| self.0 & (1 << *kind as u32) != 0).collect()
    }

    /// As messages and the reference call it.
    pub fn describe(self) -> String {
        match self {
            ANY => "any".to_owned(),
            TEXTS => "string".to_owned(),
            NUMBERS => "numeric".to_owned(),
            WHOLE => "whole number".to_owned(),
            DATES => "date".to_owned(),
            SPANS => "time span".to_owned(),
            POINTS => "geo_point".to_owned(),
            _ => self.list().iter().map(|kind| kind.name()).collect::<Vec<_>>().join(" or "),
        }
    }
}

const ALL: [DataType; 15] = [
    T::Boolean,
    T::Integer,
    T::Long,
    T::UnsignedLong,
    T::Double,
    T::Keyword,
    T::Text,
    T::Ip,
    T::Version,
    T::Datetime,
    T::DateNanos,
    T::DatePeriod,
    T::TimeDuration,
    T::GeoPoint,
    T::Unsupported,
];
