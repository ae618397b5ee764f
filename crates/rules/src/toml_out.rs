//! A TOML table as text, in the order of its keys: what is read from the text is the same table, keys in the
//! same order.
//!
//! Tables at the end of a table get headings (`[rule.threat]`), those before a plain value stay inline,
//! since a heading would draw what follows into it. Texts of several lines are written over several lines.
//! Comments are not part of a table, so there are none.

use toml::{Table, Value};
use toml_writer::{ToTomlKey as _, ToTomlValue as _, TomlKeyBuilder, TomlStringBuilder};

/// A list longer than this is written one element a line.
const LINE_CHARS_MAX: usize = 100;
/// Texts with a language of their own: written as they are, where that can be.
const LITERAL_KEYS: [&str; 3] = ["query", "threat_query", "exact"];

/// The text of a table.
///
/// ```
/// let table: toml::Table = "a = 1\nb = { c = [1, 2] }\n[d]\ne = \"f\\ng\"".parse().unwrap();
/// let text = maxspan_rules::toml_out::to_toml_text(&table);
/// assert_eq!(text, "a = 1\n\n[b]\nc = [1, 2]\n\n[d]\ne = \"\"\"\nf\ng\"\"\"\n");
/// assert_eq!(text.parse::<toml::Table>().unwrap(), table);
/// ```
pub fn to_toml_text(table: &Table) -> String {
    let mut out = String::new();
    write_table(&mut out, &mut Vec::new(), table);
    out
}

fn write_table(out: &mut String, path: &mut Vec<String>, table: &Table) {
    let plain = table.iter().rposition_plain();
    for (key, value) in table.iter().take(plain) {
        out.push_str(&format!("{} = {}\n", written_key(key), written_value(key, value)));
    }
    for (key, value) in table.iter().skip(plain) {
        path.push(written_key(key));
        let heading = path.join(".");
        match value {
            Value::Table(inner) => {
                begin(out, &format!("[{heading}]"));
                write_table(out, path, inner);
            }
            Value::Array(tables) => {
                for inner in tables.iter().filter_map(Value::as_table) {
                    begin(out, &format!("[[{heading}]]"));
                    write_table(out, path, inner);
                }
            }
            // Only values that can have a heading come after the last plain one.
            _ => {}
        }
        path.pop();
    }
}

fn begin(out: &mut String, heading: &str) {
    if !out.is_empty() {
        out.push('\n');
    }
    out.push_str(heading);
    out.push('\n');
}

/// How many entries stand before those that can have headings.
trait PlainEntries<'a> {
    fn rposition_plain(self) -> usize;
}

impl<'a, I: Iterator<Item = (&'a String, &'a Value)>> PlainEntries<'a> for I {
    fn rposition_plain(self) -> usize {
        let mut count = 0;
        for (index, (_, value)) in self.enumerate() {
            if !can_have_heading(value) {
                count = index + 1;
            }
        }
        count
    }
}

fn can_have_heading(value: &Value) -> bool {
    match value {
        Value::Table(_) => true,
        Value::Array(values) => !values.is_empty() && values.iter().all(Value::is_table),
        _ => false,
    }
}

fn written_key(key: &str) -> String {
    TomlKeyBuilder::new(key).as_default().to_toml_key()
}

/// The value of a key of its own line.
fn written_value(key: &str, value: &Value) -> String {
    match value {
        Value::String(text) if text.contains('\n') => written_lines(key, text),
        Value::Array(values) => {
            let line = inline(value);
            let has_lines = values.iter().any(|value| value.as_str().is_some_and(|text| text.contains('\n')));
            if (line.chars().count() <= LINE_CHARS_MAX && !has_lines) || values.is_empty() {
                return line;
            }
            let element = |value: &Value| match value {
                Value::String(_) => written_value(key, value),
                other => inline(other),
            };
            let lines: Vec<String> =
                values.iter().map(|value| format!("    {},\n", element(value))).collect();
            format!("[\n{}]", lines.concat())
        }
        _ => inline(value),
    }
}

/// A text of several lines.
fn written_lines(key: &str, text: &str) -> String {
    let builder = TomlStringBuilder::new(text);
    let literal = || builder.as_ml_literal();
    let plain = || builder.as_ml_basic_pretty();
    let chosen =
        if LITERAL_KEYS.contains(&key) { literal().or_else(plain) } else { plain().or_else(literal) };
    chosen.unwrap_or_else(|| builder.as_ml_basic()).to_toml_value()
}

/// A value on one line.
fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => {
            let builder = TomlStringBuilder::new(text);
            let short = builder.as_basic_pretty().or_else(|| builder.as_literal());
            short.unwrap_or_else(|| builder.as_basic()).to_toml_value()
        }
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => number.to_toml_value(),
        Value::Boolean(flag) => flag.to_string(),
        Value::Datetime(moment) => moment.to_string(),
        Value::Array(values) => {
            let values: Vec<String> = values.iter().map(inline).collect();
            format!("[{}]", values.join(", "))
        }
        Value::Table(table) if table.is_empty() => "{}".to_owned(),
        Value::Table(table) => {
            let entries: Vec<String> = table
                .iter()
                .map(|(key, value)| format!("{} = {}", written_key(key), inline(value)))
                .collect();
            format!("{{ {} }}", entries.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_come_back_as_they_were() {
        let check = |text: &str| {
            let table: Table = text.parse().unwrap();
            let written = to_toml_text(&table);
            let again: Table = written.parse().unwrap_or_else(|error| panic!("{error}: {written}"));
            // As texts, which have the order of keys, and in which one `nan` is like another.
            assert_eq!(format!("{again:?}"), format!("{table:?}"), "{written}");
        };
        check("");
        check("a = {b = 1}\nc = 2\nd = {}\n[e]\n[[f]]\n[[f]]\nx = 1\n[f.g.h]\ny = 2");
        check("a = [{b = 1}, {}]\nz = []\ny = [[], [1, 'x']]\nm = [1, {k = 'v'}]");
        check("a = 1979-05-27T07:32:00Z\nb = 07:32:00\nc = 1e300\nd = inf\ne = -nan\nf = 1.0\ng = -0.0");
        check("'odd key' = 1\n\"\" = 2\n'a.b' = 3\n[x.'y z']\nw = 1");
        check("q = '''\n'quoted' and \\ \"\"\" '' \n'''\nquery = '''a\\b\n''\n'''");
        check(
            "a = \"\\u0000\\r\\n\\t\\u007f\\\"\\\\\"\nb = \"\\r\\n\"\nc = \"\"\"\\\n\"\"\"\nd = \"'''\\n\\\"\\\"\\\"\"\ne=\"\\n\"",
        );
        check(
            "a = [\"long long long long long long long long\", \"long long long long long long long long\", \"x\\ny\"]",
        );
    }

    #[test]
    fn queries_are_written_as_they_are() {
        let table: Table = "query = '''\na : \"C:\\\\x\"\n'''\nnote = '''\na\n'''".parse().unwrap();
        assert_eq!(to_toml_text(&table), "query = '''\na : \"C:\\\\x\"\n'''\nnote = \"\"\"\na\n\"\"\"\n");
    }
}
