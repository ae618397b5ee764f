//! Scalar functions: one file each, with signature, documentation, examples and evaluation; this is their table.
//!
//! The table is what languages check calls against, what evaluation runs on, and what the reference is made from.

use maxspan_event::wildcard::fold;

use crate::datum::Datum;
use crate::limits::STRING_BYTES_MAX;

mod add;
mod arithmetic;
mod between;
mod cidr_match;
mod concat;
mod divide;
mod ends_with;
mod index_of;
mod length;
mod modulo;
mod multiply;
mod number;
mod starts_with;
mod string;
mod string_contains;
mod substring;
mod subtract;

/// All functions, sorted by name.
pub static FUNCTIONS: &[&Function] = &[
    &add::FUNCTION,
    &between::FUNCTION,
    &cidr_match::FUNCTION,
    &concat::FUNCTION,
    &divide::FUNCTION,
    &ends_with::FUNCTION,
    &index_of::FUNCTION,
    &length::FUNCTION,
    &modulo::FUNCTION,
    &multiply::FUNCTION,
    &number::FUNCTION,
    &starts_with::FUNCTION,
    &string::FUNCTION,
    &string_contains::FUNCTION,
    &substring::FUNCTION,
    &subtract::FUNCTION,
];

/// The function of a name; case does not matter.
pub fn find(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.name.eq_ignore_ascii_case(name)).copied()
}

/// A scalar function.
#[derive(Debug)]
pub struct Function {
    /// The name as the reference writes it.
    pub name: &'static str,
    /// The parameters in order.
    pub parameters: &'static [Parameter],
    /// Whether the last parameter may be repeated.
    pub variadic: bool,
    /// Whether `name~` is allowed, which ignores case.
    pub ignores_case: bool,
    /// The type of the result.
    pub returns: Kind,
    /// What it does, in one or two sentences.
    pub summary: &'static str,
    /// Calls and their values, both as text; tests run them.
    pub examples: &'static [(&'static str, &'static str)],
    /// The value for arguments whose number was checked; the flag says that case is ignored.
    pub evaluate: for<'a> fn(&[Datum<'a>], bool) -> Datum<'a>,
}

impl PartialEq for Function {
    /// Names are unique.
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Function {
    /// Whether the text that these arguments make is longer than [`STRING_BYTES_MAX`], so that null stands for it.
    /// Only joining values makes a longer text than was there.
    pub(crate) fn makes_too_long_a_text(&self, arguments: &[Datum<'_>]) -> bool {
        let lengths =
            || arguments.iter().map(|argument| Some(argument.to_text()?.len())).sum::<Option<usize>>();
        self.variadic
            && self.returns == Kind::String
            && lengths().is_some_and(|length| length > STRING_BYTES_MAX)
    }
}

/// A parameter of a function.
#[derive(Debug)]
pub struct Parameter {
    /// The name in the reference.
    pub name: &'static str,
    /// The types that it takes.
    pub kind: Kind,
    /// Whether it may be left out.
    pub optional: bool,
    /// Whether it must be a constant.
    pub constant: bool,
}

/// Types as functions see them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Kind {
    Any,
    Boolean,
    Integer,
    Ip,
    Number,
    String,
}

impl Kind {
    /// As messages call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Ip => "ip",
            Self::Number => "numeric",
            Self::String => "string",
        }
    }
}

impl Function {
    /// Fewest and most arguments; no most where the last parameter repeats.
    pub fn arity(&self) -> (usize, Option<usize>) {
        let required = self.parameters.iter().filter(|parameter| !parameter.optional).count();
        (required, (!self.variadic).then_some(self.parameters.len()))
    }

    /// The parameter that takes the argument at `index`.
    pub fn parameter(&self, index: usize) -> Option<&'static Parameter> {
        self.parameters.get(index).or_else(|| if self.variadic { self.parameters.last() } else { None })
    }
}

const fn required(name: &'static str, kind: Kind) -> Parameter {
    Parameter { name, kind, optional: false, constant: false }
}

const fn optional(name: &'static str, kind: Kind) -> Parameter {
    Parameter { name, kind, optional: true, constant: false }
}

/// Calls `inner` with two strings, folded where case is ignored; null when either is no string.
fn with_texts<'a>(
    arguments: &[Datum<'a>],
    ignore_case: bool,
    inner: impl FnOnce(&str, &str) -> Datum<'static>,
) -> Datum<'a> {
    match (arguments[0].as_text(), arguments[1].as_text()) {
        (Some(a), Some(b)) if ignore_case => inner(&fold(a), &fold(b)),
        (Some(a), Some(b)) => inner(a, b),
        _ => Datum::Null,
    }
}

/// An optional argument: none when it was left out, null when it is there but null.
fn argument<'d, 'a>(arguments: &'d [Datum<'a>], index: usize) -> Option<&'d Datum<'a>> {
    arguments.get(index)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What lets a prefilter require the fields of first arguments.
    #[test]
    fn a_first_argument_that_is_null_makes_null() {
        for function in FUNCTIONS {
            let rest = function.parameters[1..].iter().map(|parameter| match parameter.kind {
                Kind::Integer | Kind::Number => Datum::Long(1),
                Kind::Boolean => Datum::Boolean(true),
                _ => Datum::text("1"),
            });
            let arguments: Vec<Datum<'_>> = std::iter::once(Datum::Null).chain(rest).collect();
            for ignore_case in [false, true] {
                assert_eq!((function.evaluate)(&arguments, ignore_case), Datum::Null, "{}", function.name);
            }
        }
    }

    #[test]
    fn names_are_sorted_and_found_in_any_case() {
        let names: Vec<String> = FUNCTIONS.iter().map(|function| function.name.to_lowercase()).collect();
        assert!(names.is_sorted());
        assert_eq!(find("CIDRMATCH").map(|function| function.name), Some("cidrMatch"));
        assert!(
            FUNCTIONS.iter().all(|function| !function.examples.is_empty() && !function.summary.is_empty())
        );
    }
}
