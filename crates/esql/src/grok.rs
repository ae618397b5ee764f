//! GROK: regular expressions made of named patterns. `%{NAME:column:type}` stands for a pattern and names what it finds.
//!
//! An expression is searched for anywhere in the text. A column that is named twice has several values.

use fancy_regex::Regex;

use crate::functions::Context;
use crate::functions::convert::convert;
use crate::limits::{GROK_BYTES_MAX, GROK_DEPTH_MAX};
use crate::regexes;
use crate::types::DataType;
use crate::value::{Value, ValueRef};
use crate::warning::Failure;

mod patterns;

/// Patterns that were read, the first that fits counts.
#[derive(Debug, Clone)]
pub struct Grok {
    patterns: Vec<Pattern>,
    columns: Vec<(String, DataType)>,
}

#[derive(Debug, Clone)]
struct Pattern {
    regex: Regex,
    /// For each capture, the group's name in the expression and the column.
    captures: Vec<(String, usize)>,
}

impl Grok {
    /// Reads patterns; an error says which one is wrong, and why.
    pub fn new(texts: &[&str]) -> Result<Self, (usize, String)> {
        let mut grok = Self { patterns: Vec::new(), columns: Vec::new() };
        for (i, text) in texts.iter().enumerate() {
            let pattern = grok.pattern(text).map_err(|reason| (i, reason))?;
            grok.patterns.push(pattern);
        }
        Ok(grok)
    }

    /// The columns with their types, in order of appearance.
    pub fn columns(&self) -> &[(String, DataType)] {
        &self.columns
    }

    fn pattern(&mut self, text: &str) -> Result<Pattern, String> {
        let mut builder = Builder { grok: self, regex: String::new(), captures: Vec::new() };
        builder.expand(text, 0)?;
        let (regex, captures) = (builder.regex, builder.captures);
        let regex = regexes::compile(&regex).map_err(|failure| failure.text())?;
        Ok(Pattern { regex, captures })
    }

    fn column(&mut self, name: &str, kind: DataType) -> usize {
        if let Some(known) = self.columns.iter().position(|(known, _)| known == name) {
            return known;
        }
        self.columns.push((name.to_owned(), kind));
        self.columns.len() - 1
    }

    /// What the first pattern that fits finds, a list for each column; empty lists where none fits.
    pub fn apply(&self, text: &str, context: &Context) -> Result<Vec<Vec<Value>>, Failure> {
        let mut found = vec![Vec::new(); self.columns.len()];
        for pattern in &self.patterns {
            let captures = pattern.regex.captures(text);
            let captures =
                captures.map_err(|_| Failure::argument("the pattern takes too many steps on this text"))?;
            let Some(captures) = captures else { continue };
            for (group, column) in &pattern.captures {
                let Some(value) = captures.name(group) else { continue };
                let value = convert(context, ValueRef::Text(value.as_str()), self.columns[*column].1);
                found[*column].extend(value.ok().filter(|value| !value.is_null()));
            }
            break;
        }
        Ok(found)
    }
}

struct Builder<'a> {
    grok: &'a mut Grok,
    regex: String,
    captures: Vec<(String, usize)>,
}

impl Builder<'_> {
    fn expand(&mut self, text: &str, depth: usize) -> Result<(), String> {
        if depth > GROK_DEPTH_MAX || self.regex.len() > GROK_BYTES_MAX {
            return Err("the pattern is too large once its names are replaced".to_owned());
        }
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            if let Some(after) = rest.strip_prefix("%{") {
                let (reference, after) = after.split_once('}').ok_or("a reference has no `}` at its end")?;
                self.reference(reference, depth)?;
                rest = after;
            } else if let Some((name, after)) = named_group(rest) {
                self.open_group(&name, DataType::Keyword);
                rest = after;
            } else if c == '\\' {
                let length = 1 + rest[1..].chars().next().map_or(0, char::len_utf8);
                self.regex.push_str(&rest[..length]);
                rest = &rest[length..];
            } else {
                self.regex.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
        Ok(())
    }

    /// `NAME`, `NAME:column` or `NAME:column:type`.
    fn reference(&mut self, reference: &str, depth: usize) -> Result<(), String> {
        let mut parts = reference.splitn(3, ':');
        let name = parts.next().unwrap_or("");
        let definition = patterns::find(name).ok_or_else(|| format!("there is no pattern `{name}`"))?;
        match parts.next() {
            Some(column) if !column.is_empty() => {
                let kind = match parts.next() {
                    None => DataType::Keyword,
                    Some("int" | "integer") => DataType::Integer,
                    Some("long") => DataType::Long,
                    Some("float" | "double") => DataType::Double,
                    Some("boolean") => DataType::Boolean,
                    Some(other) => {
                        return Err(format!(
                            "`{other}` is no type; int, long, float, double and boolean are"
                        ));
                    }
                };
                self.open_group(column, kind);
            }
            _ => self.regex.push_str("(?:"),
        }
        self.expand(definition, depth + 1)?;
        self.regex.push(')');
        Ok(())
    }

    fn open_group(&mut self, column: &str, kind: DataType) {
        let column = self.grok.column(column, kind);
        let group = format!("g{}", self.captures.len());
        self.regex.push_str(&format!("(?<{group}>"));
        self.captures.push((group, column));
    }
}

/// `(?<name>`, which lookbehinds (`(?<=`, `(?<!`) are not.
fn named_group(text: &str) -> Option<(String, &str)> {
    let rest = text.strip_prefix("(?<")?;
    let (name, after) = rest.split_once('>')?;
    let valid = |c: char| c.is_alphanumeric() || "._@[]-".contains(c);
    let starts = name.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '@' || c == '[');
    (starts && name.chars().all(valid)).then(|| (name.to_owned(), after))
}

#[cfg(test)]
mod tests {

    use super::{Grok, patterns};
    use crate::functions::Context;
    use crate::zone::Zone;

    #[test]
    fn texts_are_searched() {
        let context = Context::new(0, Zone::UTC);
        let check = |pattern: &str, text: &str, expected: &[&str]| {
            let grok = Grok::new(&[pattern]).unwrap();
            let found = grok.apply(text, &context).unwrap();
            let shown: Vec<String> = found
                .iter()
                .flatten()
                .map(|value| crate::functions::convert::to_text(value.borrowed()))
                .collect();
            assert_eq!(shown, expected, "{pattern} {text}");
        };
        check("%{WORD:a} %{NUMBER:b:int}", "x 12", &["x", "12"]);
        check("%{IP:ip}", "from 192.0.2.7 to 2001:db8::1", &["192.0.2.7"]);
        check("to %{IP:ip}", "from 192.0.2.7 to 2001:db8::1", &["2001:db8::1"]);
        check("(?<a.b>[a-z]+)-(?<a.b>[a-z]+)", "1 x-y", &["x", "y"]);
        check(
            "%{URIPROTO:p}://%{URIHOST:h}%{URIPATH:path}",
            "see https://example.net:8443/a/b?c",
            &["https", "example.net:8443", "/a/b"],
        );
        check("%{TIMESTAMP_ISO8601:t}", "at 2024-05-06T07:08:09.123Z", &["2024-05-06T07:08:09.123Z"]);
        check("%{EMAILADDRESS:m}", "<someone@example.net>", &["someone@example.net"]);
        check("%{NUMBER:n}", "none", &[]);
    }

    #[test]
    fn all_patterns_compile() {
        for (name, _) in patterns::PATTERNS {
            let pattern = format!("%{{{name}:x}}");
            assert!(Grok::new(&[&pattern]).is_ok(), "{name}: {:?}", Grok::new(&[&pattern]).err());
        }
    }

    #[test]
    fn patterns_that_cannot_be_read() {
        for pattern in ["%{NOSUCH:a}", "%{WORD:a", "%{WORD:a:date}", "(?<a>"] {
            assert!(Grok::new(&[pattern]).is_err(), "{pattern}");
        }
    }
}
