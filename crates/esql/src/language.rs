//! Functions that are part of the language: they do not evaluate all their arguments, or look beyond them. Their types are
//! checked by hand, so that they are no entries of the function table; the reference has them from here.

/// A function of the language.
#[derive(Debug)]
pub struct Special {
    /// The name as the reference writes it.
    pub name: &'static str,
    /// Fewest and most arguments.
    pub arguments: (usize, Option<usize>),
    /// How it is called.
    pub form: &'static str,
    /// Which part of the reference it belongs to.
    pub group: &'static str,
    /// What it does.
    pub summary: &'static str,
}

/// All of them, sorted by name.
pub static SPECIAL: [Special; 5] = [
    Special {
        name: "CASE",
        arguments: (2, None),
        form: "CASE(condition, value, …, otherwise)",
        group: "Conditional",
        summary: "The value of the first condition that is true, else the last value, or null where there is none. A condition with several values counts as false, with a warning.",
    },
    Special {
        name: "COALESCE",
        arguments: (1, None),
        form: "COALESCE(first, …)",
        group: "Conditional",
        summary: "The first argument that is not null.",
    },
    Special {
        name: "KQL",
        arguments: (1, Some(1)),
        form: "KQL(query)",
        group: "Search",
        summary: "Whether the document satisfies a KQL query. Any value of a field may match, unlike in comparisons.",
    },
    Special {
        name: "MATCH",
        arguments: (2, Some(2)),
        form: "MATCH(field, query[, {options}])",
        group: "Search",
        summary: "Whether some value of the field has one of the words, or equals the value where the field is no text; the same as `field : query`. Options: `fuzziness` (0, 1, 2 or \"AUTO\" letters may differ), `operator` (\"AND\": all words); those about scores and costs have no effect.",
    },
    Special {
        name: "MATCH_PHRASE",
        arguments: (2, Some(2)),
        form: "MATCH_PHRASE(field, query)",
        group: "Search",
        summary: "Whether some value of the field has the words in this order.",
    },
];

/// The function of a name in upper case.
pub(crate) fn find(name: &str) -> Option<&'static Special> {
    SPECIAL.iter().find(|special| special.name == name)
}
