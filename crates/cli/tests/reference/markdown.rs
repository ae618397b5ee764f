//! Pieces of Markdown.

/// The remark below the title of a page that is made.
pub(crate) const MADE: &str = "Made by `cargo xtask codegen`";

/// Code in a line or a cell of a table, whatever it holds.
pub(crate) fn code(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let blank = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    match text {
        "" => String::new(),
        text => format!("{fence}{blank}{}{blank}{fence}", text.replace('|', "\\|")),
    }
}

/// A table with a line for each row.
pub(crate) fn table(heads: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut text = format!("| {} |\n|{}\n", heads.join(" | "), "---|".repeat(heads.len()));
    for row in rows {
        // An empty cell is one blank.
        let cells: Vec<String> = row
            .iter()
            .map(|cell| if cell.is_empty() { " ".to_owned() } else { format!(" {cell} ") })
            .collect();
        text.push_str(&format!("|{}|\n", cells.join("|")));
    }
    text
}

/// The first letter as a capital.
pub(crate) fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

/// The anchor of a heading.
pub(crate) fn anchor(heading: &str) -> String {
    let kept = |c: char| match c {
        c if c.is_alphanumeric() || c == '_' || c == '-' => Some(c),
        c if c.is_whitespace() => Some('-'),
        _ => None,
    };
    heading.to_lowercase().chars().filter_map(kept).collect()
}

#[test]
fn code_is_whole_in_cells() {
    assert_eq!(code("a | b"), "`a \\| b`");
    assert_eq!(code("`a b`"), "`` `a b` ``");
    assert_eq!(code(""), "");
    assert_eq!(anchor("In, in any case"), "in-in-any-case");
}
