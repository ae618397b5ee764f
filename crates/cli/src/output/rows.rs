//! Rows of an ES|QL query: a table, CSV, or JSON as Elasticsearch's `_query` answers.

use std::io::{self, Write};

use maxspan_esql::{Value, to_text};
use maxspan_pipeline::query::rows::RowsAnswer;
use serde_json::json;

use super::csv::csv_line;
use super::table::Look;
use crate::args::RowsFormat;
use crate::terminal::printable;

/// Writes an answer.
pub(crate) fn write(
    out: &mut impl Write,
    answer: &RowsAnswer,
    format: RowsFormat,
    look: Look,
) -> io::Result<()> {
    match format {
        // What needs Arrow is with the events that need it.
        #[cfg(feature = "store")]
        RowsFormat::Arrow => Ok(()),
        RowsFormat::Json => {
            serde_json::to_writer(&mut *out, &document(answer))?;
            out.write_all(b"\n")
        }
        RowsFormat::Csv => {
            let names = answer.columns.iter().map(|column| column.name.as_str());
            out.write_all(csv_line(names).as_bytes())?;
            answer.rows.iter().try_for_each(|row| out.write_all(csv_line(row.iter().map(cell)).as_bytes()))
        }
        RowsFormat::Table => {
            let names: Vec<String> =
                answer.columns.iter().map(|column| printable(&column.name).into_owned()).collect();
            let mut table = look.table(&names.iter().map(String::as_str).collect::<Vec<_>>());
            for row in &answer.rows {
                table.add_row(row.iter().map(|value| printable(&cell(value)).into_owned()));
            }
            writeln!(out, "{table}")
        }
    }
}

fn document(answer: &RowsAnswer) -> serde_json::Value {
    let column = |column: &maxspan_esql::query::Column| json!({"name": column.name, "type": column.kind.answer_name()});
    let row = |row: &Vec<Value>| row.iter().map(Value::to_json).collect::<serde_json::Value>();
    json!({
        "took": u64::try_from(answer.took.as_millis()).unwrap_or(u64::MAX),
        "is_partial": false,
        "columns": answer.columns.iter().map(column).collect::<Vec<_>>(),
        "values": answer.rows.iter().map(row).collect::<Vec<_>>(),
    })
}

/// A value as text; several as a list, nothing for null.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Many(values) => {
            let texts: Vec<String> = values.iter().map(|one| to_text(one.borrowed())).collect();
            format!("[{}]", texts.join(", "))
        }
        one => to_text(one.borrowed()),
    }
}
