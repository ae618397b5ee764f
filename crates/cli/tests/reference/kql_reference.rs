//! `docs/kql-reference.md`, from the table of forms.

use maxspan_kql::reference::{Form, GROUPS, Group, MAPPING};

use crate::markdown::{MADE, code, table};

const HEAD: &str = "\
Every form of a query, and what values mean for a field of each type, with examples. [KQL](kql.md) has the syntax of
values and the limits.

Each example can be run: `maxspan query --language kql --now 2026-03-18T12:00:00Z 'QUERY' event.json` finds the event where
the last column says *yes*.
";

pub(crate) fn page() -> String {
    let mut text =
        format!("# KQL forms and types\n\n{MADE} from `crates/kql/src/reference`; do not edit.\n\n{HEAD}\n");
    text.push_str(&format!(
        "Examples use the built-in types of fields and this mapping:\n\n```json\n{MAPPING}\n```\n"
    ));
    for group in GROUPS {
        text.push_str(&section(group));
    }
    text
}

fn section(group: &Group) -> String {
    let entries: String = group.forms.iter().map(|form| entry(form)).collect();
    format!("\n## {}\n\n{}\n{entries}", group.title, group.about)
}

fn entry(form: &Form) -> String {
    let rows = form.examples.iter().map(|one| {
        let query = if one.query.is_empty() { "(nothing)".to_owned() } else { code(one.query) };
        vec![query, code(one.event), if one.matches { "yes" } else { "no" }.to_owned()]
    });
    format!(
        "\n### {}\n\n{}\n\n{}",
        code(form.form).replace("\\|", "|"),
        form.summary,
        table(&["query", "event", "matches"], rows)
    )
}
