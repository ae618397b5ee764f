//! Answers as files of Apache Arrow (the IPC file format).

use std::io::{self, Write};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{Field, Schema as ArrowSchema};
use arrow::error::ArrowError;
use arrow::ipc::writer::FileWriter;
use maxspan_esql::Value;
use maxspan_esql::query::Column;

use super::values::{Form, array_of};
use crate::limits::QUERY_ROWS;

/// The name of the type in ES|QL, as metadata of each field: an address and a keyword are both text in Arrow.
const TYPE: &str = "esql.type";

/// Writes rows. A column is a list where some row has several values in it.
pub fn write_arrow(columns: &[Column], rows: &[Vec<Value>], out: impl Write) -> io::Result<()> {
    written(columns, rows, out).map_err(|error| match error {
        ArrowError::IoError(_, error) => error,
        other => io::Error::other(other),
    })
}

fn written(columns: &[Column], rows: &[Vec<Value>], out: impl Write) -> Result<(), ArrowError> {
    let forms: Vec<Form> = columns
        .iter()
        .enumerate()
        .map(|(place, column)| {
            let several = rows.iter().any(|row| matches!(row[place], Value::Many(_)));
            let none = || ArrowError::SchemaError(format!("Arrow has nothing for {}", column.kind.name()));
            Form::new(column.kind, several).ok_or_else(none)
        })
        .collect::<Result<_, _>>()?;
    let field = |(column, form): (&Column, &Form)| {
        let metadata = [(TYPE.to_owned(), column.kind.answer_name().to_owned())];
        Field::new(&column.name, form.data_type(), true).with_metadata(metadata.into())
    };
    let schema = Arc::new(ArrowSchema::new(columns.iter().zip(&forms).map(field).collect::<Vec<_>>()));
    let mut writer = FileWriter::try_new_buffered(out, &schema)?;
    for part in rows.chunks(QUERY_ROWS) {
        let arrays: Vec<ArrayRef> = forms
            .iter()
            .enumerate()
            .map(|(place, form)| array_of(part.iter().map(|row| &row[place]), *form))
            .collect::<Result<_, _>>()?;
        writer.write(&RecordBatch::try_new(Arc::clone(&schema), arrays)?)?;
    }
    writer.finish()
}

#[cfg(test)]
mod tests {
    use arrow::ipc::reader::FileReader;
    use maxspan_esql::DataType;

    use super::*;
    use crate::query::values::Cells;

    #[test]
    fn rows_are_read_again_as_they_were() {
        let column = |name: &str, kind: DataType| Column { name: name.to_owned(), kind };
        let columns =
            [column("a", DataType::Long), column("b", DataType::Keyword), column("c", DataType::Ip)];
        let several = Value::from_values(vec![Value::text("x"), Value::text("y")]);
        let address = Value::Ip("10.0.0.1".parse().expect("an address"));
        let rows =
            vec![vec![Value::Long(1), several, address], vec![Value::Null, Value::text("z"), Value::Null]];
        let mut bytes = Vec::new();
        write_arrow(&columns, &rows, &mut bytes).expect("a file");
        let mut reader = FileReader::try_new(io::Cursor::new(bytes), None).expect("a file");
        assert_eq!(reader.schema().field(2).metadata()[TYPE], "ip");
        let batch = reader.next().expect("a batch").expect("a batch");
        for (place, (column, several)) in columns.iter().zip([false, true, false]).enumerate() {
            let form = Form::new(column.kind, several).expect("a form");
            let cells = Cells::new(batch.column(place), form).expect("cells");
            let back: Vec<Value> = (0..rows.len()).map(|row| cells.value(row)).collect();
            assert_eq!(
                back,
                rows.iter().map(|row| row[place].clone()).collect::<Vec<_>>(),
                "{}",
                column.name
            );
        }
    }
}
