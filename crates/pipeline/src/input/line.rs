//! The cheap look at one line of NDJSON: is it an event as it stands?
//!
//! The fast path of reading. A line from `{` to `}` is passed on unseen unless its first key, or one of the
//! bookkeeping keys of Elasticsearch anywhere in it, says that it may be a hit, a response or a bulk action; then its
//! structure is read ([`shape`](super::shape)). Errs towards reading structure: a key inside a nested object, or
//! within a string, sends the line there too, to the same result. `_index` and `_id` as the leading keys of a line,
//! as exports write them, are taken out here.

use std::str;

use std::ops::Range;

use memchr::memmem::Finder;

use super::tokens::{StringEnd, string_end};

/// First keys of responses and bulk actions, as they stand in the text.
const FIRST_KEYS: [&[u8]; 12] = [
    b"\"index\"",
    b"\"create\"",
    b"\"update\"",
    b"\"delete\"",
    b"\"took\"",
    b"\"hits\"",
    b"\"responses\"",
    b"\"response\"",
    b"\"rawResponse\"",
    b"\"is_partial\"",
    b"\"is_running\"",
    b"\"timed_out\"",
];

/// Bookkeeping keys, without their opening quote and underscore.
const MARKS: [&[u8]; 5] = [b"index\"", b"id\"", b"source\"", b"scroll_id\"", b"shards\""];

/// Where the text of the leading `_index` and `_id` of a line stands in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Bookkeeping {
    index: Option<Range<usize>>,
    id: Option<Range<usize>>,
}

impl Bookkeeping {
    /// The index of the line. What is no UTF-8 is left out; the decoder will tell.
    pub(super) fn index<'a>(&self, line: &'a [u8]) -> Option<&'a str> {
        text(line, self.index.as_ref())
    }

    /// The id of the line.
    pub(super) fn id<'a>(&self, line: &'a [u8]) -> Option<&'a str> {
        text(line, self.id.as_ref())
    }
}

fn text<'a>(line: &'a [u8], range: Option<&Range<usize>>) -> Option<&'a str> {
    range.and_then(|range| str::from_utf8(line.get(range.clone())?).ok())
}

/// The searches of the look, prepared once.
pub(super) struct LineLook {
    mark: Finder<'static>,
    adjacent: Finder<'static>,
}

impl LineLook {
    pub(super) fn new() -> Self {
        Self { mark: Finder::new(b"\"_"), adjacent: Finder::new(b"}{") }
    }

    /// Whether nothing in `rest`, what follows the leading pairs of a line, says that it may be more than an event.
    pub(super) fn is_plain(&self, rest: &[u8]) -> bool {
        !self.has_mark(rest) && self.adjacent.find(rest).is_none()
    }

    fn has_mark(&self, text: &[u8]) -> bool {
        self.mark.find_iter(text).any(|found| {
            let key = &text[found + 2..];
            MARKS.iter().any(|mark| key.starts_with(mark))
        })
    }
}

/// The leading `"_key":"string"` pairs of a line.
pub(super) struct Lead {
    pub(super) found: Bookkeeping,
    /// Offset from which the line was not looked at.
    pub(super) end: usize,
}

/// Reads the leading pairs of a line that starts with `{`; `None` where the structure of the line must be read.
pub(super) fn lead(line: &[u8]) -> Option<Lead> {
    let mut lead = Lead { found: Bookkeeping::default(), end: 1 };
    let mut first = true;
    loop {
        let key_start = blanks_end(line, lead.end);
        let rest = &line[key_start..];
        if first && FIRST_KEYS.iter().any(|key| rest.starts_with(key)) {
            return None;
        }
        first = false;
        if !rest.starts_with(b"\"_") {
            return Some(lead);
        }
        let Some((key, value, end)) = string_pair(line, key_start) else { return Some(lead) };
        match key {
            b"_index" | b"_id" if line[value.clone()].contains(&b'\\') => return None,
            b"_index" => lead.found.index = Some(value),
            b"_id" => lead.found.id = Some(value),
            _ => {}
        }
        lead.end = end;
    }
}

/// The key and the string value at `start`, without their quotes, and where the next pair starts.
fn string_pair(line: &[u8], start: usize) -> Option<(&[u8], Range<usize>, usize)> {
    let StringEnd::At(key_end) = string_end(line, start + 1) else { return None };
    let colon = blanks_end(line, key_end);
    if line.get(colon) != Some(&b':') {
        return None;
    }
    let value_start = blanks_end(line, colon + 1);
    if line.get(value_start) != Some(&b'"') {
        return None;
    }
    let StringEnd::At(value_end) = string_end(line, value_start + 1) else { return None };
    let comma = blanks_end(line, value_end);
    let next = if line.get(comma) == Some(&b',') { comma + 1 } else { comma };
    Some((&line[start + 1..key_end - 1], value_start + 1..value_end - 1, next))
}

fn blanks_end(line: &[u8], start: usize) -> usize {
    let rest = &line[start..];
    start + rest.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b'\r')).unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: Option<(&str, &str)>) {
        let look =
            lead(line.as_bytes()).filter(|lead| LineLook::new().is_plain(&line.as_bytes()[lead.end..]));
        let shown = look.map(|Lead { found, .. }| {
            let text = |part: Option<&str>| part.unwrap_or("-").to_owned();
            (text(found.index(line.as_bytes())), text(found.id(line.as_bytes())))
        });
        let expected = expected.map(|(index, id)| (index.to_owned(), id.to_owned()));
        assert_eq!(shown, expected, "{line}");
    }

    #[test]
    fn a_plain_line_is_an_event() {
        check(r"{}", Some(("-", "-")));
        check(r#"{"event":{"kind":"event"}}"#, Some(("-", "-")));
        check(r#"{"a":"_index","b":"_other\""}"#, None);
        check(r#"{"a":"say \"_other\""}"#, Some(("-", "-")));
        check(r#"{"_tag":["x"],"a":1}"#, Some(("-", "-")));
    }

    #[test]
    fn leading_bookkeeping_is_taken_out() {
        check(r#"{"_index":"i","_src":"x\"y","_id":"1","a":{}}"#, Some(("i", "1")));
        check(r#"{ "_id" : "1" , "_added":["_x"],"a":1}"#, Some(("-", "1")));
        check(r#"{"_index":"i"}"#, Some(("i", "-")));
    }

    #[test]
    fn what_may_be_more_than_an_event_is_looked_into() {
        for line in [
            r#"{"index":{}}"#,
            r#"{ "delete" : {}}"#,
            r#"{"took":1}"#,
            r#"{"_index":"a\u0062","a":1}"#,
            r#"{"a":1,"_index":"i"}"#,
            r#"{"_index":"i","_source":{}}"#,
            r#"{"_scroll_id":1,"hits":{}}"#,
            r#"{"a":1}{"b":1}"#,
        ] {
            check(line, None);
        }
    }
}
