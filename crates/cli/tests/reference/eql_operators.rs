//! `docs/eql-operators.md`, from the table of operators.

use maxspan_eql::reference::{GROUPS, Group, MAPPING, Operator};

use crate::markdown::{MADE, anchor, capital, code, table};

const HEAD: &str = "\
Operators and what they mean, each with examples. What a missing field does has rules of its own, which
[EQL](eql.md#missing-fields) explains.

The last column says what a condition comes to: *true*; *false*, so that its negation holds; *null*, so that neither it nor
its negation holds; *both*, where it and its negation hold. Only true and both find the event:
`maxspan query --language eql 'any where CONDITION' event.json`.
";

pub(crate) fn page() -> String {
    let mut text =
        format!("# EQL operators\n\n{MADE} from `crates/eql/src/reference`; do not edit.\n\n{HEAD}\n");
    text.push_str(&format!(
        "Examples use the built-in types of fields and this mapping:\n\n```json\n{MAPPING}\n```\n"
    ));
    for group in GROUPS {
        text.push_str(&section(group));
    }
    text
}

fn section(group: &Group) -> String {
    let row = |operator: &&Operator| {
        let name = format!("[{}](#{})", operator.name, anchor(operator.name));
        vec![code(operator.symbol), name, operator.summary.to_owned()]
    };
    let index = table(&["operator", "name", "means"], group.operators.iter().map(row));
    let entries: String = group.operators.iter().map(|operator| entry(operator)).collect();
    format!("\n## {}\n\n{}\n\n{index}{entries}", group.title, group.about)
}

fn entry(operator: &Operator) -> String {
    let rows = operator
        .examples
        .iter()
        .map(|one| vec![code(one.condition), code(one.event), one.truth.name().to_owned()]);
    format!(
        "\n### {}\n\n{}: {}\n\nOperands: {}. A missing field: {}.\n\n{}",
        capital(operator.name),
        code(operator.symbol),
        operator.summary,
        operator.operands,
        operator.missing,
        table(&["condition", "event", "is"], rows)
    )
}
