//! `docs/esql-functions.md`, from the tables of functions and aggregates.

use std::collections::BTreeMap;

use maxspan_esql::DataType;
use maxspan_esql::aggregates::{AGGREGATES, AggregateFunction, AggregateType};
use maxspan_esql::functions::{Function, Parameter, Returns, Takes, all};
use maxspan_esql::language::SPECIAL;

use crate::markdown::{MADE, code, table};

const HEAD: &str = "\
Names are found in any case of letters. Null makes null, and where one value is asked for, several make null with a warning,
unless the function says otherwise. A text that would be longer than 1 MiB is null with a warning.
";

pub(crate) fn page() -> String {
    let mut text = format!(
        "# ES|QL functions\n\n{MADE} from `crates/esql/src/functions` and `aggregates`; do not edit.\n\n{HEAD}"
    );
    text.push_str(&aggregates());
    let mut groups: BTreeMap<&str, Vec<Vec<String>>> = BTreeMap::new();
    for function in all() {
        groups.entry(function.group).or_default().push(row(function));
    }
    for special in &SPECIAL {
        let row = vec![code(special.form), special.summary.to_owned(), String::new()];
        groups.entry(special.group).or_default().push(row);
    }
    for (group, mut rows) in groups {
        rows.sort();
        text.push_str(&format!("\n## {group}\n\n{}", table(&["function", "gives", "example"], rows)));
    }
    text
}

fn aggregates() -> String {
    let row = |function: &AggregateFunction| {
        let returns = match function.returns {
            AggregateType::Is(kind) => kind.name().to_owned(),
            AggregateType::First => "that of the field".to_owned(),
            AggregateType::Sum => "long or double".to_owned(),
        };
        let signature = signature(function.name, function.parameters, false);
        let (call, value) = function.example;
        let example = format!("{} of 1, 2, 3 is {}", code(call), code(value));
        vec![code(&signature), with_aliases(function.summary, function.aliases), returns, example]
    };
    let rows = AGGREGATES.iter().map(row);
    format!("\n## Aggregates\n\n{}", table(&["aggregate", "gives", "type", "example"], rows))
}

fn row(function: &Function) -> Vec<String> {
    let mut summary = with_aliases(function.summary, function.aliases);
    if function.takes == Takes::Each {
        summary.push_str(" Several values are taken one by one.");
    }
    let kind = match function.returns {
        Returns::Is(kind) => kind.name(),
        Returns::First | Returns::Common => "",
        Returns::FirstDate => DataType::Datetime.name(),
    };
    let kind = if kind.is_empty() { String::new() } else { format!(": {kind}") };
    let signature = signature(function.name, function.parameters, function.variadic);
    let examples: Vec<String> =
        function.examples.iter().map(|(call, value)| format!("{} is {}", code(call), code(value))).collect();
    vec![code(&format!("{signature}{kind}")), summary, examples.join("; ")]
}

fn with_aliases(summary: &str, aliases: &[&str]) -> String {
    if aliases.is_empty() {
        return summary.to_owned();
    }
    let names: Vec<String> = aliases.iter().map(|alias| code(alias)).collect();
    format!("{summary} Also called {}.", names.join(", "))
}

/// `SUBSTRING(string, start[, length])`
fn signature(name: &str, parameters: &[Parameter], variadic: bool) -> String {
    let mut text = format!("{name}(");
    for (at, parameter) in parameters.iter().enumerate() {
        let comma = if at > 0 { ", " } else { "" };
        let (open, close) = if parameter.optional { ("[", "]") } else { ("", "") };
        text.push_str(&format!("{open}{comma}{}{close}", parameter.name));
    }
    text + if variadic { ", …)" } else { ")" }
}
