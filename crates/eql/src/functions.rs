//! The functions of EQL and how many arguments each takes.
//!
//! The parser checks the counts, since Elasticsearch refuses a wrong count before it looks at any type; whether a
//! name is a function at all is decided when the query is lowered.

/// A function and the number of arguments it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Function {
    /// The name as documented; names compare without regard to case.
    pub name: &'static str,
    /// Fewest arguments.
    pub arguments_min: usize,
    /// Most arguments; none where any number will do.
    pub arguments_max: Option<usize>,
}

/// Every function, in alphabetical order.
pub static FUNCTIONS: &[Function] = &[
    function("add", 2, Some(2)),
    function("between", 3, Some(4)),
    function("cidrMatch", 2, None),
    function("concat", 1, None),
    function("divide", 2, Some(2)),
    function("endsWith", 2, Some(2)),
    function("indexOf", 2, Some(3)),
    function("length", 1, Some(1)),
    function("modulo", 2, Some(2)),
    function("multiply", 2, Some(2)),
    function("number", 1, Some(2)),
    function("startsWith", 2, Some(2)),
    function("string", 1, Some(1)),
    function("stringContains", 2, Some(2)),
    function("substring", 2, Some(3)),
    function("subtract", 2, Some(2)),
];

const fn function(name: &'static str, arguments_min: usize, arguments_max: Option<usize>) -> Function {
    Function { name, arguments_min, arguments_max }
}

/// The function of that name, in whatever case it is written.
///
/// ```
/// assert_eq!(maxspan_eql::functions::find("CIDRMATCH").map(|f| f.name), Some("cidrMatch"));
/// assert_eq!(maxspan_eql::functions::find("wildcard"), None);
/// ```
pub fn find(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.name.eq_ignore_ascii_case(name))
}

impl Function {
    /// Whether the function takes that many arguments.
    pub fn takes(&self, count: usize) -> bool {
        count >= self.arguments_min && self.arguments_max.is_none_or(|max| count <= max)
    }

    /// The counts in words, as Elasticsearch says it: `exactly two arguments`.
    pub fn arguments_in_words(&self) -> String {
        let min = in_words(self.arguments_min);
        match self.arguments_max {
            None if self.arguments_min == 1 => "at least one argument".to_owned(),
            None => format!("at least {min} arguments"),
            Some(1) => "exactly one argument".to_owned(),
            Some(max) if max == self.arguments_min => format!("exactly {min} arguments"),
            Some(max) => format!("{min} or {} arguments", in_words(max)),
        }
    }
}

fn in_words(count: usize) -> String {
    match count {
        1 => "one".to_owned(),
        2 => "two".to_owned(),
        3 => "three".to_owned(),
        4 => "four".to_owned(),
        _ => count.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::{FUNCTIONS, find};

    #[test]
    fn names_are_found_in_any_case_and_counts_are_said_in_words() {
        let check = |name: &str, words: &str, taken: &[usize], refused: &[usize]| {
            let function = find(name).unwrap_or_else(|| panic!("{name} is unknown"));
            assert_eq!(function.arguments_in_words(), words, "{name}");
            assert!(taken.iter().all(|count| function.takes(*count)), "{name} should take {taken:?}");
            assert!(!refused.iter().any(|count| function.takes(*count)), "{name} should refuse {refused:?}");
        };
        check("length", "exactly one argument", &[1], &[0, 2]);
        check("STARTSWITH", "exactly two arguments", &[2], &[1, 3]);
        check("substring", "two or three arguments", &[2, 3], &[1, 4]);
        check("between", "three or four arguments", &[3, 4], &[2, 5]);
        check("Concat", "at least one argument", &[1, 99], &[0]);
        check("cidrmatch", "at least two arguments", &[2, 99], &[1]);
    }

    #[test]
    fn the_table_is_in_order() {
        assert!(FUNCTIONS.is_sorted_by_key(|function| function.name.to_lowercase()));
    }
}
