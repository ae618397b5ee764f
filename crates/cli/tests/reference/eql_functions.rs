//! `docs/eql-functions.md`, from the table of functions.

use maxspan_plan::Datum;
use maxspan_plan::functions::{FUNCTIONS, Function, Kind, Parameter};

use crate::markdown::{MADE, anchor, code, table};
use crate::support::Place;

const HEAD: &str = "\
Names are found in any case of letters. `name~` ignores the case of letters in the arguments. Places and lengths count
UTF-16 units, as in Elasticsearch: characters, but for rare ones beyond the basic plane, which count twice. A string that
would be longer than 1 MiB is null, and is counted (`texts_dropped`).

Of a field with several values, a function sees the first in sorted order; but `startsWith`, `endsWith`, `stringContains`
and `cidrMatch` of a bare field and constants are [tests](eql.md#missing-fields), which look at every value.

Each example can be run over any event: `maxspan query --language eql 'any where CALL == VALUE' event.json` finds it.
";

pub(crate) fn page() -> String {
    let mut text =
        format!("# EQL functions\n\n{MADE} from `crates/plan/src/functions`; do not edit.\n\n{HEAD}\n");
    let row = |function: &&Function| {
        let name = format!("[`{}`](#{})", function.name, anchor(function.name));
        vec![name, function.summary.trim_end_matches('.').to_owned(), function.returns.name().to_owned()]
    };
    text.push_str(&table(&["function", "gives", "type"], FUNCTIONS.iter().map(row)));
    for function in FUNCTIONS {
        text.push_str(&section(function));
    }
    text
}

fn section(function: &Function) -> String {
    let other = if function.ignores_case {
        format!(", also {}", code(&format!("{}~", function.name)))
    } else {
        String::new()
    };
    let examples =
        function.examples.iter().map(|(call, value)| vec![code(call), code(&written(function, value))]);
    format!(
        "\n## {}\n\n{}{other}\n\n{}\n\n{}\n{}\n\n{}",
        function.name,
        code(&signature(function)),
        function.summary,
        table(
            &["argument", "type", ""],
            function.parameters.iter().enumerate().map(|(at, one)| argument(function, at, one))
        ),
        nulls(function),
        table(&["example", "value"], examples)
    )
}

/// `substring(source, start[, end]): string`
fn signature(function: &Function) -> String {
    let mut text = format!("{}(", function.name);
    for (at, parameter) in function.parameters.iter().enumerate() {
        let comma = if at > 0 { ", " } else { "" };
        let (open, close) = if parameter.optional { ("[", "]") } else { ("", "") };
        text.push_str(&format!("{open}{comma}{}{close}", parameter.name));
    }
    let more = if function.variadic { ", …" } else { "" };
    format!("{text}{more}): {}", function.returns.name())
}

fn argument(function: &Function, at: usize, parameter: &Parameter) -> Vec<String> {
    let mut notes = Vec::new();
    notes.extend(parameter.optional.then_some("may be left out"));
    notes.extend(parameter.constant.then_some("a constant: it does not depend on the event"));
    notes.extend((function.variadic && at + 1 == function.parameters.len()).then_some("may be repeated"));
    vec![code(parameter.name), parameter.kind.name().to_owned(), notes.join("; ")]
}

/// The value of an example as a query writes it.
fn written(function: &Function, value: &str) -> String {
    match (function.returns, value) {
        (Kind::String, value) if value != "null" => format!("\"{value}\""),
        (_, value) => value.to_owned(),
    }
}

/// What null arguments give, found out by calling the function.
fn nulls(function: &Function) -> String {
    let arguments: Vec<Datum<'static>> =
        function.parameters.iter().map(|parameter| sample(parameter)).collect();
    assert!(!(function.evaluate)(&arguments, false).is_null(), "{}: the sample call is null", function.name);
    let (mut null, mut left_out) = (Vec::new(), Vec::new());
    for (at, parameter) in function.parameters.iter().enumerate().filter(|(_, parameter)| !parameter.constant)
    {
        let mut arguments = arguments.clone();
        arguments[at] = Datum::Null;
        let value = (function.evaluate)(&arguments, false);
        if value.is_null() {
            null.push(parameter.name);
        } else {
            assert!(
                parameter.optional && at + 1 == function.parameters.len(),
                "{}: {}",
                function.name,
                parameter.name
            );
            assert_eq!(value, (function.evaluate)(&arguments[..at], false));
            left_out.push(parameter.name);
        }
    }
    if left_out.is_empty() {
        return "Null when an argument is null.".to_owned();
    }
    let names = |names: &[&str]| names.iter().map(|name| code(name)).collect::<Vec<_>>().join(" or ");
    format!("Null when {} is null. A null {} counts as left out.", names(&null), names(&left_out))
}

/// An argument for which every function has a value.
fn sample(parameter: &Parameter) -> Datum<'static> {
    match parameter.kind {
        Kind::Any | Kind::String if parameter.constant => Datum::text("10.0.0.0/8".to_owned()),
        Kind::Any | Kind::String => Datum::text("7".to_owned()),
        Kind::Boolean => Datum::Boolean(false),
        Kind::Integer if parameter.name == "base" => Datum::Long(10),
        Kind::Integer => Datum::Long(0),
        Kind::Number => Datum::Long(1),
        Kind::Ip => Datum::text("10.1.2.3".to_owned()),
    }
}

/// The examples as the page writes them, all in one query, through the program.
#[test]
fn examples_run_as_written() {
    let place = Place::new();
    place.write("event.json", "{}");
    for function in FUNCTIONS {
        let equal = |(call, value): &(&str, &str)| format!("{call} == {}", written(function, value));
        let conditions: Vec<String> = function.examples.iter().map(equal).collect();
        let query = format!("any where {}", conditions.join(" and "));
        let answer = place.run(&["query", "--language", "eql", &query, "event.json"]).code(0).json();
        assert_eq!(answer["hits"]["total"]["value"], 1, "{query}");
    }
}
