//! DISSECT: a pattern of keys and what stands between them, without regular expressions.
//!
//! `%{key}` takes the text up to what follows it in the pattern. `%{}` and `%{?key}` take and forget, `%{+key}` appends to
//! a key (`%{+key/2}` at that place), and `%{key->}` takes repetitions of what follows away.

use std::collections::BTreeMap;

/// A pattern that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dissector {
    /// What stands before the first key.
    prefix: String,
    parts: Vec<Part>,
    keys: Vec<String>,
    separator: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    /// Index into the keys; none where the text is forgotten.
    key: Option<usize>,
    append: bool,
    /// The place among what is appended.
    order: u32,
    padded: bool,
    /// What follows the key.
    delimiter: String,
}

impl Dissector {
    /// Reads a pattern; an error says what is wrong with it.
    pub fn new(pattern: &str, separator: &str) -> Result<Self, String> {
        let mut pieces = pattern.split("%{");
        let prefix = pieces.next().unwrap_or("").to_owned();
        let mut dissector =
            Self { prefix, parts: Vec::new(), keys: Vec::new(), separator: separator.to_owned() };
        for piece in pieces {
            let (key, delimiter) = piece.split_once('}').ok_or("a key has no `}` at its end")?;
            let part = dissector.part(key, delimiter)?;
            dissector.parts.push(part);
        }
        if dissector.parts.is_empty() {
            return Err("the pattern has no `%{key}`".to_owned());
        }
        Ok(dissector)
    }

    fn part(&mut self, key: &str, delimiter: &str) -> Result<Part, String> {
        let (key, padded) = key.strip_suffix("->").map_or((key, false), |key| (key, true));
        let mut part = Part { key: None, append: false, order: 0, padded, delimiter: delimiter.to_owned() };
        if key.is_empty() || key.starts_with('?') {
            return Ok(part);
        }
        if key.starts_with(['*', '&']) {
            return Err(format!("`%{{{key}}}`: names taken from the text are not there in ES|QL"));
        }
        let mut name = key;
        if let Some(appended) = key.strip_prefix('+') {
            part.append = true;
            name = appended;
            if let Some((before, order)) = appended.rsplit_once('/') {
                part.order = order.parse().map_err(|_| format!("`%{{{key}}}`: the order is a number"))?;
                name = before;
            }
        }
        let known = self.keys.iter().position(|known| known == name);
        if known.is_some() && !part.append {
            return Err(format!("the key `{name}` is there twice; `%{{+{name}}}` appends"));
        }
        part.key = Some(known.unwrap_or_else(|| {
            self.keys.push(name.to_owned());
            self.keys.len() - 1
        }));
        Ok(part)
    }

    /// The names of the keys, in order of appearance.
    pub fn keys(&self) -> &[String] {
        &self.keys
    }

    /// The values of the keys; none where the text does not fit.
    pub fn apply(&self, text: &str) -> Option<Vec<String>> {
        let mut rest = text.strip_prefix(self.prefix.as_str())?;
        // What each key was given: the place among appended parts, then the place in the text.
        let mut found: Vec<BTreeMap<(u32, usize), &str>> = vec![BTreeMap::new(); self.keys.len()];
        for (place, part) in self.parts.iter().enumerate() {
            let (value, after) = part.take(rest, place + 1 == self.parts.len())?;
            rest = after;
            if let Some(key) = part.key {
                found[key].insert((part.order, place), value);
            }
        }
        let joined =
            found.into_iter().map(|values| values.into_values().collect::<Vec<_>>().join(&self.separator));
        Some(joined.collect())
    }
}

impl Part {
    /// The value at the front of the text, and what comes after its delimiter.
    fn take<'a>(&self, text: &'a str, last: bool) -> Option<(&'a str, &'a str)> {
        if self.delimiter.is_empty() {
            // Without a delimiter, the last key takes all and others nothing.
            let value = if last { text } else { "" };
            return Some((value, &text[value.len()..]));
        }
        let at = text.find(&self.delimiter)?;
        let mut rest = &text[at + self.delimiter.len()..];
        while self.padded && rest.starts_with(&self.delimiter) {
            rest = &rest[self.delimiter.len()..];
        }
        Some((&text[..at], rest))
    }
}

#[cfg(test)]
mod tests {
    use super::Dissector;

    #[test]
    fn texts_are_taken_apart() {
        let check = |pattern: &str, text: &str, expected: Option<&[&str]>| {
            let found = Dissector::new(pattern, "").unwrap().apply(text);
            let found: Option<Vec<&str>> =
                found.as_ref().map(|found| found.iter().map(String::as_str).collect());
            assert_eq!(found.as_deref(), expected, "{pattern} {text}");
        };
        check("%{a} %{b}", "1 2", Some(&["1", "2"]));
        check("%{a} %{b}", "1", None);
        check("[%{a}] %{?skipped} %{}-%{b}", "[x] y z-w", Some(&["x", "w"]));
        check("%{+a/2} %{b} %{+a/1}", "1 2 3", Some(&["31", "2"]));
        check("%{a->} %{b}", "1    2", Some(&["1", "2"]));
        check("%{a};", "1;", Some(&["1"]));
    }

    #[test]
    fn patterns_that_cannot_be_read() {
        for pattern in ["", "text", "%{a", "%{a} %{a}", "%{*a}", "%{+a/x}"] {
            assert!(Dissector::new(pattern, "").is_err(), "{pattern}");
        }
    }
}
