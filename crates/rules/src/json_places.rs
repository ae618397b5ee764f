//! Finds where a value is written inside a JSON text.
//!
//! `serde_json` gives no places. This scanner runs only when a message needs one, over a text that `serde_json` has
//! accepted already; on any other text it gives up (`None`), it never panics.

use maxspan_diagnostics::Span;

/// One step into a value.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Step<'a> {
    /// The member of that name.
    Key(&'a str),
    /// The element at that position, from 0.
    Index(usize),
}

/// One member of a JSON object, as places in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Member {
    /// The key, with its quotes.
    pub(crate) key: Span,
    /// The value.
    pub(crate) value: Span,
}

/// The deepest value along `path` that the object or array at `start` has: its place.
pub(crate) fn locate(text: &str, start: usize, path: &[Step<'_>]) -> Option<Span> {
    let mut scanner = Scanner { text: text.as_bytes(), at: start };
    let mut found = scanner.value()?;
    for step in path {
        let next = match step {
            Step::Key(name) => members(text, found.start)?
                .into_iter()
                .find(|member| key_is(member.key.slice(text), name))
                .map(|member| member.value),
            Step::Index(index) => elements(text, found.start)?.get(*index).copied(),
        };
        match next {
            Some(span) => found = span,
            None => break,
        }
    }
    Some(found)
}

/// The members of the object at `start`; none where there is no object.
pub(crate) fn members(text: &str, start: usize) -> Option<Vec<Member>> {
    let mut scanner = Scanner { text: text.as_bytes(), at: start };
    let mut members = Vec::new();
    scanner.open(b'{')?;
    while scanner.more(b'}')? {
        let key = scanner.value()?;
        scanner.open(b':')?;
        members.push(Member { key, value: scanner.value()? });
    }
    Some(members)
}

/// The elements of the array at `start`; an empty list where there is no array.
pub(crate) fn elements(text: &str, start: usize) -> Option<Vec<Span>> {
    let mut scanner = Scanner { text: text.as_bytes(), at: start };
    let mut elements = Vec::new();
    if scanner.open(b'[').is_none() {
        return Some(elements);
    }
    while scanner.more(b']')? {
        elements.push(scanner.value()?);
    }
    Some(elements)
}

/// Whether a quoted JSON string stands for `name`.
pub(crate) fn key_is(quoted: &str, name: &str) -> bool {
    quoted.get(1..quoted.len().saturating_sub(1)) == Some(name)
        || (quoted.contains('\\') && serde_json::from_str::<String>(quoted).is_ok_and(|key| key == name))
}

struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
}

impl Scanner<'_> {
    fn skip_space(&mut self) {
        while self.text.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
    }

    /// Steps over one given byte.
    fn open(&mut self, byte: u8) -> Option<()> {
        self.skip_space();
        (self.text.get(self.at) == Some(&byte)).then(|| self.at += 1)
    }

    /// Whether another member or element follows; steps over the comma, or over the closing byte.
    fn more(&mut self, close: u8) -> Option<bool> {
        self.skip_space();
        match *self.text.get(self.at)? {
            byte if byte == close => {
                self.at += 1;
                Some(false)
            }
            b',' => {
                self.at += 1;
                Some(true)
            }
            _ => Some(true),
        }
    }

    /// Steps over one value.
    fn value(&mut self) -> Option<Span> {
        self.skip_space();
        let start = self.at;
        match *self.text.get(start)? {
            b'"' => self.string()?,
            b'{' | b'[' => self.nested()?,
            _ => {
                let ends = |b: &u8| b.is_ascii_whitespace() || b",]}:".contains(b);
                let length = self.text[start..].iter().position(ends);
                self.at = length.map_or(self.text.len(), |length| start + length);
            }
        }
        Some(Span::new(start, self.at))
    }

    fn string(&mut self) -> Option<()> {
        self.at += 1;
        loop {
            match *self.text.get(self.at)? {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        Some(())
    }

    /// Steps over an object or array: only brackets and strings matter for its end.
    fn nested(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        loop {
            match *self.text.get(self.at)? {
                b'"' => {
                    self.string()?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return Some(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_by_path() {
        let text = r#" {"a": [1, {"b": "x}\"y"}, null], "c\"d": true , "e": {}, "f": -1.5e3}"#;
        let check = |path: &[Step<'_>], expected: &str| {
            let found = locate(text, 0, path).map(|span| span.slice(text));
            assert_eq!(found, Some(expected), "{path:?}");
        };
        check(&[Step::Key("a"), Step::Index(0)], "1");
        check(&[Step::Key("a"), Step::Index(1), Step::Key("b")], r#""x}\"y""#);
        check(&[Step::Key("a"), Step::Index(2)], "null");
        check(&[Step::Key("a"), Step::Index(1), Step::Key("nope")], r#"{"b": "x}\"y"}"#);
        check(&[Step::Key("c\"d")], "true");
        check(&[Step::Key("e")], "{}");
        check(&[Step::Key("f")], "-1.5e3");
        check(&[Step::Key("g")], text.trim_start());
    }

    #[test]
    fn a_broken_text_is_given_up() {
        for text in ["", "{", "{\"a", "[1,", "\"\\", "{\"a\":", "}"] {
            let _ = locate(text, 0, &[Step::Key("a"), Step::Index(0)]);
            let _ = (members(text, 0), elements(text, 0));
        }
        assert_eq!(locate("{\"a\": [1", 0, &[Step::Key("a")]), None);
    }
}
