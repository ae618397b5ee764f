//! Documents that strict JSON refuses but Elasticsearch takes: lone surrogates in strings, and numbers beyond any float.
//!
//! One such value in a field that some rule names would otherwise hide the whole event from every rule, and whoever
//! controls the field could choose to.

/// The document with each lone surrogate escape as U+FFFD and each number out of range as a string; none when there is
/// nothing to repair.
///
/// ```
/// use maxspan_event::repair::repaired;
/// assert_eq!(repaired(br#"{"a": "x\ud800", "b": 1e400}"#).unwrap(), br#"{"a": "x\ufffd", "b": "1e400"}"#);
/// assert_eq!(repaired(br#"{"a": "\ud83d\ude00", "b": 1e40}"#), None);
/// ```
pub fn repaired(document: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(document.len() + 16);
    let mut changed = false;
    let mut rest = document;
    while let Some(&byte) = rest.first() {
        let length = match byte {
            b'"' => string(rest, &mut out, &mut changed),
            b'-' | b'0'..=b'9' => number(rest, &mut out, &mut changed),
            other => {
                out.push(other);
                1
            }
        };
        rest = &rest[length..];
    }
    changed.then_some(out)
}

/// Parses a document, mended where that is needed; none when that is no help either.
pub fn parse(document: &[u8]) -> Option<serde_json::Value> {
    let parsed = serde_json::from_slice(document).ok();
    parsed.or_else(|| serde_json::from_slice(&repaired(document)?).ok())
}

/// Copies a string literal; gives its length.
fn string(rest: &[u8], out: &mut Vec<u8>, changed: &mut bool) -> usize {
    out.push(b'"');
    let mut at = 1;
    while let Some(&byte) = rest.get(at) {
        match byte {
            b'"' => {
                out.push(byte);
                return at + 1;
            }
            b'\\' => {
                let high = surrogate(&rest[at..]);
                let low = surrogate(rest.get(at + 6..).unwrap_or_default());
                let length = match (high, low) {
                    (Some(true), Some(false)) => 12,
                    (Some(_), _) => {
                        out.extend_from_slice(b"\\ufffd");
                        *changed = true;
                        at += 6;
                        continue;
                    }
                    (None, _) => 2,
                };
                let end = (at + length).min(rest.len());
                out.extend_from_slice(&rest[at..end]);
                at = end;
            }
            other => {
                out.push(other);
                at += 1;
            }
        }
    }
    at
}

/// Whether an escape for a surrogate stands here, and whether it is the first of a pair.
fn surrogate(rest: &[u8]) -> Option<bool> {
    let digits = rest.strip_prefix(b"\\u")?.get(..4)?;
    let unit = u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    match unit {
        0xD800..=0xDBFF => Some(true),
        0xDC00..=0xDFFF => Some(false),
        _ => None,
    }
}

/// Copies a number; one that no float can hold becomes a string.
fn number(rest: &[u8], out: &mut Vec<u8>, changed: &mut bool) -> usize {
    let is_part = |byte: &&u8| matches!(**byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
    let length = rest.iter().take_while(is_part).count();
    let text = &rest[..length];
    let value = std::str::from_utf8(text).ok().and_then(|text| text.parse::<f64>().ok());
    if value.is_some_and(f64::is_infinite) {
        *changed = true;
        out.push(b'"');
        out.extend_from_slice(text);
        out.push(b'"');
    } else {
        out.extend_from_slice(text);
    }
    length
}
