//! Types of expressions, as far as EQL checks them.

use maxspan_event::{Field, FieldType};
use maxspan_plan::functions::Kind;

/// The type of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Null,
    Boolean,
    Integer,
    Long,
    Double,
    Keyword,
    /// Text with an exact sub-field, which stands in for it.
    Text,
    /// Text that cannot be compared exactly.
    InexactText,
    Ip,
    Date,
    Version,
    Binary,
    Unknown,
}

impl Type {
    pub(super) fn of_field(field: &Field) -> Self {
        match field.kind {
            FieldType::Keyword | FieldType::ConstantKeyword | FieldType::Wildcard | FieldType::Flattened => {
                Self::Keyword
            }
            FieldType::Text if field.exact => Self::Text,
            FieldType::Text => Self::InexactText,
            FieldType::Ip => Self::Ip,
            FieldType::Date | FieldType::DateNanos => Self::Date,
            FieldType::Long | FieldType::UnsignedLong => Self::Long,
            FieldType::Double => Self::Double,
            FieldType::Boolean => Self::Boolean,
            FieldType::Version => Self::Version,
            FieldType::Binary => Self::Binary,
            FieldType::Nested | FieldType::Object | FieldType::Unsupported | FieldType::Unknown => {
                Self::Unknown
            }
        }
    }

    pub(super) fn of_kind(kind: Kind) -> Self {
        match kind {
            Kind::Boolean => Self::Boolean,
            Kind::Integer => Self::Integer,
            Kind::Number => Self::Double,
            Kind::String => Self::Keyword,
            Kind::Ip => Self::Ip,
            Kind::Any => Self::Unknown,
        }
    }

    /// As Elasticsearch's messages call the result of a condition.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Boolean => "BOOLEAN",
            Self::Integer => "INTEGER",
            Self::Long => "LONG",
            Self::Double => "DOUBLE",
            Self::Keyword => "KEYWORD",
            Self::Text | Self::InexactText => "TEXT",
            Self::Ip => "IP",
            Self::Date => "DATETIME",
            Self::Version => "VERSION",
            Self::Binary => "BINARY",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// As a mapping calls it.
    pub(super) fn mapping_name(self) -> String {
        if self == Self::Date { "date".to_owned() } else { self.name().to_lowercase() }
    }

    pub(super) fn is_string(self) -> bool {
        matches!(self, Self::Keyword | Self::Text | Self::InexactText | Self::Version)
    }

    pub(super) fn is_number(self) -> bool {
        matches!(self, Self::Integer | Self::Long | Self::Double)
    }

    /// Types of one family can be join keys of each other, and members of one list.
    pub(super) fn family(self) -> u8 {
        match self {
            Self::Keyword | Self::Text | Self::InexactText => 0,
            Self::Integer | Self::Long | Self::Double => 1,
            other => 2 + other as u8,
        }
    }

    /// Whether a parameter of a kind takes it.
    pub(super) fn fits(self, kind: Kind) -> bool {
        match (kind, self) {
            (_, Self::Null | Self::Unknown) | (Kind::Any, _) => true,
            (Kind::String, other) => other.is_string(),
            (Kind::Number, other) => other.is_number(),
            (Kind::Integer, other) => matches!(other, Self::Integer | Self::Long),
            (Kind::Boolean, other) => other == Self::Boolean,
            (Kind::Ip, other) => other == Self::Ip,
        }
    }
}
