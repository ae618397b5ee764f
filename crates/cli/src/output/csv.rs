//! Comma-separated values (RFC 4180).

use std::borrow::Borrow;

/// One line with its end.
pub(crate) fn csv_line<T: Borrow<str>>(values: impl IntoIterator<Item = T>) -> String {
    let cells: Vec<String> = values.into_iter().map(|value| cell(value.borrow())).collect();
    cells.join(",") + "\r\n"
}

fn cell(text: &str) -> String {
    if text.contains(['"', ',', '\n', '\r']) {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_quoted_where_they_must_be() {
        assert_eq!(csv_line(["a", "", "b,c", "d\"e", "f\ng"]), "a,,\"b,c\",\"d\"\"e\",\"f\ng\"\r\n");
    }
}
