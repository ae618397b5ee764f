//! A field as a schema knows it: its name, where its values stand in the event, and its type.

use crate::date::DateFormat;

/// The type of a field, as far as the meaning of queries depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FieldType {
    /// Exact strings.
    Keyword,
    /// Exact strings; the same for every document of an index.
    ConstantKeyword,
    /// Exact strings, long ones; KQL treats it as "not exactly keyword".
    Wildcard,
    /// Analysed text: words, case ignored.
    Text,
    /// IPv4 or IPv6 address.
    Ip,
    /// An instant with the precision of a millisecond.
    Date,
    /// An instant with the precision of a nanosecond.
    DateNanos,
    /// Integers of any width up to 64 bit, signed.
    Long,
    /// 64-bit integers without a sign.
    UnsignedLong,
    /// Floating point of any width, and scaled floats.
    Double,
    /// `true` or `false`.
    Boolean,
    /// A software version, ordered by semantic version.
    Version,
    /// An object whose leaves are all keywords.
    Flattened,
    /// An array of objects that `nested` queries tell apart.
    Nested,
    /// An object.
    Object,
    /// Base64 bytes; only presence can be asked.
    Binary,
    /// A type that queries cannot use (`geo_point`, ranges, …).
    Unsupported,
    /// No schema knows the field: the values of the event decide.
    Unknown,
}

impl FieldType {
    /// The type for a name in an Elasticsearch mapping; [`FieldType::Unsupported`] for what queries cannot use.
    pub fn from_mapping(name: &str) -> Self {
        match name {
            "keyword" => Self::Keyword,
            "constant_keyword" => Self::ConstantKeyword,
            "wildcard" => Self::Wildcard,
            "text" | "match_only_text" | "search_as_you_type" | "annotated_text" | "pattern_text" => {
                Self::Text
            }
            "ip" => Self::Ip,
            "date" => Self::Date,
            "date_nanos" => Self::DateNanos,
            "long" | "integer" | "short" | "byte" | "counted_keyword" | "number" => Self::Long,
            "unsigned_long" => Self::UnsignedLong,
            "double" | "float" | "half_float" | "scaled_float" => Self::Double,
            "boolean" => Self::Boolean,
            "version" => Self::Version,
            "flattened" => Self::Flattened,
            "nested" => Self::Nested,
            "object" | "passthrough" => Self::Object,
            "binary" => Self::Binary,
            // Lists of fields that others wrote down name the JSON type here; the values decide.
            "array" => Self::Unknown,
            _ => Self::Unsupported,
        }
    }

    /// The name in an Elasticsearch mapping.
    pub fn name(self) -> &'static str {
        match self {
            Self::Keyword => "keyword",
            Self::ConstantKeyword => "constant_keyword",
            Self::Wildcard => "wildcard",
            Self::Text => "text",
            Self::Ip => "ip",
            Self::Date => "date",
            Self::DateNanos => "date_nanos",
            Self::Long => "long",
            Self::UnsignedLong => "unsigned_long",
            Self::Double => "double",
            Self::Boolean => "boolean",
            Self::Version => "version",
            Self::Flattened => "flattened",
            Self::Nested => "nested",
            Self::Object => "object",
            Self::Binary => "binary",
            Self::Unsupported => "unsupported",
            Self::Unknown => "unknown",
        }
    }

    /// Whether values are exact strings.
    pub fn is_keyword(self) -> bool {
        matches!(self, Self::Keyword | Self::ConstantKeyword | Self::Wildcard | Self::Flattened)
    }

    /// Whether values are strings, exact or analysed.
    pub fn is_string(self) -> bool {
        self.is_keyword() || self == Self::Text
    }

    /// Whether values are numbers.
    pub fn is_number(self) -> bool {
        matches!(self, Self::Long | Self::UnsignedLong | Self::Double)
    }

    /// Whether values are instants.
    pub fn is_date(self) -> bool {
        matches!(self, Self::Date | Self::DateNanos)
    }
}

/// A field: what a query calls it, where its values stand, how they are read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Field {
    /// The name in queries.
    pub name: String,
    /// The path of the values in the event; differs from the name for aliases and multi-fields.
    pub path: String,
    /// A second path whose values count too: the older name of a field that was renamed.
    pub other_path: Option<String>,
    /// The type.
    pub kind: FieldType,
    /// What the mapping calls the type, where that says more than [`Field::kind`] (`integer_range`, `alias`).
    pub mapping_type: Option<String>,
    /// Values are lower-cased before they are compared (a `.caseless` sub-field).
    pub lowercase: bool,
    /// A text field that has an exact sub-field, which comparisons use.
    pub exact: bool,
    /// Fractions of integers are cut, as Elasticsearch's `coerce` does. Not where the type is only a list's word for it.
    pub cuts_fractions: bool,
    /// What stands for an explicit JSON null.
    pub null_value: Option<String>,
    /// How dates are written.
    pub date_format: DateFormat,
    /// The `nested` object around the field, if any.
    pub nested_path: Option<String>,
}

impl Field {
    /// A field that is read from the path of its own name.
    pub fn new(name: impl Into<String>, kind: FieldType) -> Self {
        let name = name.into();
        Self {
            path: name.clone(),
            name,
            other_path: None,
            kind,
            mapping_type: None,
            lowercase: false,
            exact: kind != FieldType::Text,
            cuts_fractions: true,
            null_value: None,
            date_format: DateFormat::default(),
            nested_path: None,
        }
    }

    /// Whether a schema knows the field.
    pub fn is_known(&self) -> bool {
        self.kind != FieldType::Unknown
    }
}
