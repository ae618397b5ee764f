//! Codes: fixed numbers, one registry, ranges by origin.

use std::fmt;

use serde::{Serialize, Serializer};

/// How grave a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// For information.
    Note,
    /// The text can be used, but probably does not mean what its author thinks.
    Warning,
    /// The text cannot be used.
    Error,
}

/// One entry of the registry ([`crate::codes::REGISTRY`]).
#[derive(Debug, PartialEq, Eq)]
pub struct CodeInfo {
    /// The number, printed as `MX1101`; never reused.
    pub number: u16,
    /// A short kebab-case name, for `--allow` lists and page names.
    pub name: &'static str,
    /// How grave it is.
    pub severity: Severity,
    /// What the code stands for, independent of the text at hand.
    pub title: &'static str,
}

/// A registered diagnostic code.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Code(pub(crate) &'static CodeInfo);

impl Code {
    /// The registry's entry.
    pub fn info(self) -> &'static CodeInfo {
        self.0
    }

    /// How grave messages of this code are.
    pub fn severity(self) -> Severity {
        self.0.severity
    }

    /// The page that explains the code, in the repository.
    pub fn page(self) -> String {
        format!("docs/diagnostics/{self}.md")
    }

    /// The code of that number (`MX1101`, `1101`) or name (`eql-token`).
    pub fn find(text: &str) -> Option<Self> {
        let number =
            text.strip_prefix("MX").or_else(|| text.strip_prefix("mx")).unwrap_or(text).parse::<u16>();
        let is_meant = |code: &&Self| number == Ok(code.0.number) || code.0.name == text;
        crate::codes::REGISTRY.iter().find(is_meant).copied()
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MX{:04}", self.0.number)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}({})", self.0.name)
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
