//! Scalar functions: signature, documentation, examples and evaluation, a few related ones a file; this is their table.
//!
//! The table is what calls are checked against, what evaluation runs on, and what the reference is made from. A function
//! takes borrowed values of one row and gives a value or a [`Failure`]; that is all an engine needs to call it. What null
//! and several values mean for it is said by [`Takes`], and done by [`Function::call`].

use crate::regexes::Regexes;
use crate::types::{DataType, Types};
use crate::value::{Value, ValueRef};
use crate::warning::Failure;
use crate::zone::Zone;

mod choose;
mod codec;
pub(crate) mod convert;
mod date;
mod date_format;
mod geo;
mod ip;
mod json;
mod math;
mod multi;
mod network;
mod text;

pub(crate) use date::add_span;

/// What functions may depend on beside their arguments.
#[derive(Debug)]
pub struct Context {
    /// What `NOW()` is, in milliseconds since 1970.
    pub now_ms: i64,
    /// The time zone of days, months and hours.
    pub zone: Zone,
    /// Compiled expressions, kept from row to row.
    pub(crate) regexes: Regexes,
}

impl Context {
    /// A context at a time.
    pub fn new(now_ms: i64, zone: Zone) -> Self {
        Self { now_ms, zone, regexes: Regexes::default() }
    }
}

/// A scalar function.
#[derive(Debug)]
pub struct Function {
    /// The name as the reference writes it.
    pub name: &'static str,
    /// Other names.
    pub aliases: &'static [&'static str],
    /// The parameters in order.
    pub parameters: &'static [Parameter],
    /// Whether the last parameter may be repeated.
    pub variadic: bool,
    /// Options that may be given in braces; each becomes one more argument, null where it is not given.
    pub options: &'static [&'static str],
    /// The type of the result.
    pub returns: Returns,
    /// What null and several values mean.
    pub takes: Takes,
    /// Which part of the reference it belongs to.
    pub group: &'static str,
    /// What it does, in one or two sentences.
    pub summary: &'static str,
    /// Calls and their values; tests run them.
    pub examples: &'static [(&'static str, &'static str)],
    /// The value for arguments whose number and types were checked.
    pub evaluate: fn(&mut Context, &[ValueRef<'_>]) -> Result<Value, Failure>,
}

/// A parameter of a function.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    /// The name in the reference.
    pub name: &'static str,
    /// The types that it takes.
    pub types: Types,
    /// Whether it may be left out.
    pub optional: bool,
}

/// The type of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Returns {
    /// Always this.
    Is(DataType),
    /// That of the first argument.
    First,
    /// The one that all arguments have in common, to which they are converted.
    Common,
    /// That of the first argument, or double where that is no date.
    FirstDate,
}

/// What null and several values mean for a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// One value each: null makes null, several make null with a warning.
    Single,
    /// Several values of the first argument are converted one by one; those that fail are left out with a warning.
    Each,
    /// Values as they are; null makes null.
    Lists,
    /// Values as they are, null too.
    Whole,
}

impl PartialEq for Function {
    /// Names are unique.
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
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

    /// The value for the arguments of one row; `fail` is told why there is none.
    pub fn call(
        &self,
        context: &mut Context,
        arguments: &[ValueRef<'_>],
        fail: &mut dyn FnMut(Failure),
    ) -> Value {
        match self.takes {
            Takes::Single => {
                if arguments.iter().any(|argument| matches!(argument, ValueRef::Null)) {
                    return Value::Null;
                }
                if arguments.iter().any(|argument| matches!(argument, ValueRef::Many(_))) {
                    fail(Failure::multi_value());
                    return Value::Null;
                }
            }
            Takes::Each => return self.call_each(context, arguments, fail),
            Takes::Lists => {
                if arguments.iter().any(|argument| matches!(argument, ValueRef::Null)) {
                    return Value::Null;
                }
            }
            Takes::Whole => {}
        }
        self.evaluated(context, arguments, fail).unwrap_or_default()
    }

    fn call_each(
        &self,
        context: &mut Context,
        arguments: &[ValueRef<'_>],
        fail: &mut dyn FnMut(Failure),
    ) -> Value {
        let mut arguments = arguments.to_vec();
        match arguments.first().copied() {
            None | Some(ValueRef::Null) => Value::Null,
            Some(ValueRef::Many(values)) => {
                let mut results = Vec::with_capacity(values.len());
                for value in values {
                    arguments[0] = value.borrowed();
                    results.extend(self.evaluated(context, &arguments, fail));
                }
                Value::from_values(results.into_iter().filter(|value| !value.is_null()).collect())
            }
            Some(_) => self.evaluated(context, &arguments, fail).unwrap_or_default(),
        }
    }

    fn evaluated(
        &self,
        context: &mut Context,
        arguments: &[ValueRef<'_>],
        fail: &mut dyn FnMut(Failure),
    ) -> Option<Value> {
        match (self.evaluate)(context, arguments) {
            Ok(value) => Some(value),
            Err(failure) => {
                fail(failure);
                None
            }
        }
    }
}

/// The functions of each part of the reference.
static GROUPS: [&[Function]; 12] = [
    choose::FUNCTIONS,
    codec::FUNCTIONS,
    convert::FUNCTIONS,
    date::FUNCTIONS,
    date_format::FUNCTIONS,
    geo::FUNCTIONS,
    ip::FUNCTIONS,
    json::FUNCTIONS,
    math::FUNCTIONS,
    multi::FUNCTIONS,
    network::FUNCTIONS,
    text::FUNCTIONS,
];

/// All functions, by part of the reference.
pub fn all() -> impl Iterator<Item = &'static Function> {
    GROUPS.iter().flat_map(|group| group.iter())
}

/// The function of a name; case does not matter.
pub fn find(name: &str) -> Option<&'static Function> {
    let named = |function: &&Function| {
        function.name.eq_ignore_ascii_case(name)
            || function.aliases.iter().any(|alias| alias.eq_ignore_ascii_case(name))
    };
    all().find(named)
}

const fn required(name: &'static str, types: Types) -> Parameter {
    Parameter { name, types, optional: false }
}

const fn optional(name: &'static str, types: Types) -> Parameter {
    Parameter { name, types, optional: true }
}

/// What most functions are: one value in each argument, and a keyword as result.
const PLAIN: Function = Function {
    name: "",
    aliases: &[],
    parameters: &[],
    variadic: false,
    options: &[],
    returns: Returns::Is(DataType::Keyword),
    takes: Takes::Single,
    group: "",
    summary: "",
    examples: &[],
    evaluate: |_, _| Ok(Value::Null),
};

/// The text of an argument; types were checked, so that another value counts as empty.
fn text_of(value: ValueRef<'_>) -> &str {
    value.as_text().unwrap_or("")
}

/// A text as a value, unless it is too long.
fn made_text(text: String) -> Result<Value, Failure> {
    use crate::limits::TEXT_BYTES_MAX;
    if text.len() > TEXT_BYTES_MAX {
        return Err(Failure::argument(format!(
            "Creating strings with more than [{TEXT_BYTES_MAX}] bytes is not supported"
        )));
    }
    Ok(Value::Text(text.into()))
}

#[cfg(test)]
mod tests;
