//! How many arguments a function takes, in the words of Elasticsearch's messages.
//!
//! The parser checks the counts, since Elasticsearch refuses a wrong count before it looks at any type; whether a
//! name is a function at all is decided when the query is lowered. The functions themselves are in the plan's table.

use maxspan_plan::Function;

/// Whether the function takes that many arguments.
pub(crate) fn takes(function: &Function, count: usize) -> bool {
    let (min, max) = function.arity();
    count >= min && max.is_none_or(|max| count <= max)
}

/// The counts in words: `exactly two arguments`.
pub(crate) fn arguments_in_words(function: &Function) -> String {
    let (min, max) = function.arity();
    let words = in_words(min);
    match max {
        None if min == 1 => "at least one argument".to_owned(),
        None => format!("at least {words} arguments"),
        Some(1) => "exactly one argument".to_owned(),
        Some(max) if max == min => format!("exactly {words} arguments"),
        Some(max) => format!("{words} or {} arguments", in_words(max)),
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
    use maxspan_plan::functions::find;

    use super::{arguments_in_words, takes};

    #[test]
    fn counts_are_said_in_words() {
        let check = |name: &str, words: &str, taken: &[usize], refused: &[usize]| {
            let function = find(name).unwrap_or_else(|| panic!("{name} is unknown"));
            assert_eq!(arguments_in_words(function), words, "{name}");
            assert!(taken.iter().all(|count| takes(function, *count)), "{name} should take {taken:?}");
            assert!(!refused.iter().any(|count| takes(function, *count)), "{name} should refuse {refused:?}");
        };
        check("length", "exactly one argument", &[1], &[0, 2]);
        check("STARTSWITH", "exactly two arguments", &[2], &[1, 3]);
        check("substring", "two or three arguments", &[2, 3], &[1, 4]);
        check("between", "three or four arguments", &[3, 4], &[2, 5]);
        check("Concat", "at least one argument", &[1, 99], &[0]);
        check("cidrmatch", "at least two arguments", &[2, 99], &[1]);
    }
}
