//! Names of data streams, and of the folders of their tables.

use std::borrow::Cow;

use maxspan_event::index::{IndexPatterns, data_stream_name};

use crate::limits::STREAM_NAME_BYTES_MAX;

/// The table of events that name no index, or one that no folder can be called after.
pub const STREAM_DEFAULT: &str = "events";

/// The data stream that an index belongs to; [`STREAM_DEFAULT`] where that cannot be a table's name.
pub(crate) fn stream_of(index: &str) -> Cow<'_, str> {
    let name = data_stream_name(index);
    if name.is_empty() || name.len() > STREAM_NAME_BYTES_MAX || name.chars().any(char::is_control) {
        return Cow::Borrowed(STREAM_DEFAULT);
    }
    name
}

/// The folder of a data stream: its name, with `+XX` for what not every file system, and every tool, takes as it is. A
/// leading dot or underscore hides a folder, and some file systems do not tell upper from lower case.
pub(crate) fn folder_of(stream: &str) -> String {
    let mut folder = String::with_capacity(stream.len());
    for (place, byte) in stream.bytes().enumerate() {
        let plain = byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if plain || (place > 0 && (byte == b'.' || byte == b'_')) {
            folder.push(char::from(byte));
        } else {
            folder.push_str(&format!("+{byte:02X}"));
        }
    }
    folder
}

/// The data stream of a folder; none for a folder that no table can have.
pub(crate) fn stream_of_folder(folder: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(folder.len());
    let mut rest = folder.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte != b'+' {
            bytes.push(*byte);
            continue;
        }
        let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = &rest[2..];
    }
    let stream = String::from_utf8(bytes).ok()?;
    (folder_of(&stream) == folder).then_some(stream)
}

/// Which tables index patterns can choose events of. Errs towards yes.
#[derive(Debug, Clone, Default)]
pub struct Streams {
    /// What one of these chooses; everything where there is none.
    lists: Vec<IndexPatterns>,
    /// These alone, where there are some.
    exact: Vec<String>,
    /// But for these.
    without: Option<Box<Streams>>,
}

impl Streams {
    /// The tables that these patterns choose; all for none.
    pub fn new<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Self {
        Self { lists: vec![IndexPatterns::new(patterns)], ..Self::default() }
    }

    /// The tables that one of some lists of patterns chooses, such as those of rules; all for no list.
    pub fn of_any<'a>(lists: impl IntoIterator<Item = &'a IndexPatterns>) -> Self {
        let mut different: Vec<IndexPatterns> = Vec::new();
        for list in lists {
            if !different.contains(list) {
                different.push(list.clone());
            }
        }
        Self { lists: different, ..Self::default() }
    }

    /// These tables but for others.
    #[must_use]
    pub fn without(self, others: Self) -> Self {
        Self { without: Some(Box::new(others)), ..self }
    }

    /// The tables of these data streams, and no others; all for none.
    pub fn exactly<'a>(streams: impl IntoIterator<Item = &'a str>) -> Self {
        Self { exact: streams.into_iter().map(str::to_owned).collect(), ..Self::default() }
    }

    /// Whether the table of this data stream may hold events of the chosen indices.
    pub fn may_match(&self, stream: &str) -> bool {
        if !self.exact.is_empty() {
            return self.exact.iter().any(|name| name == stream);
        }
        let is_without = self.without.as_ref().is_some_and(|others| others.may_match(stream));
        let is_chosen = || self.lists.iter().any(|list| list.may_choose_stream(stream));
        !is_without && (stream == STREAM_DEFAULT || self.lists.is_empty() || is_chosen())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_can_be_read_back() {
        let check = |stream: &str, folder: &str| {
            assert_eq!(folder_of(stream), folder);
            assert_eq!(stream_of_folder(folder).as_deref(), Some(stream));
        };
        check("logs-endpoint.events.process-default", "logs-endpoint.events.process-default");
        check(".alerts-security.alerts-default", "+2Ealerts-security.alerts-default");
        check("c1:logs-X", "c1+3Alogs-+58");
        check("_x/../é", "+5Fx+2F..+2F+C3+A9");
        for none in ["_delta_log", ".hidden", "a+4", "a+zz", "a+61", "A"] {
            assert_eq!(stream_of_folder(none), None, "{none}");
        }
    }

    #[test]
    fn backing_indices_belong_to_their_stream() {
        assert_eq!(stream_of(".ds-logs-x-default-2026.01.31-000007"), "logs-x-default");
        assert_eq!(stream_of(&"x".repeat(81)), STREAM_DEFAULT);
        assert_eq!(stream_of(""), STREAM_DEFAULT);
    }

    #[test]
    fn patterns_choose_tables() {
        let check = |lists: &[&[&str]], stream: &str, expected: bool| {
            let lists: Vec<_> = lists.iter().map(|list| IndexPatterns::new(list.iter().copied())).collect();
            assert_eq!(Streams::of_any(&lists).may_match(stream), expected, "{lists:?} on {stream}");
        };
        check(&[&["logs-*"]], "logs-x-default", true);
        check(&[&["logs-*"]], "auditbeat-8", false);
        check(&[&["logs-*"], &["auditbeat-*"]], "auditbeat-8", true);
        check(&[&["logs-*", "-logs-x*"], &["logs-y*"]], "logs-x-default", false);
        check(&[&["logs-*"], &[]], "anything", true);
        check(&[&["logs-*"]], STREAM_DEFAULT, true);
        check(&[], "anything", true);
        assert!(Streams::new([]).may_match("anything") && !Streams::new(["logs-*"]).may_match("auditbeat-8"));
        let logs = Streams::new(["logs-*"]).without(Streams::new(["logs-ti*"]));
        assert!(logs.may_match("logs-a") && !logs.may_match("logs-ti-a") && !logs.may_match(STREAM_DEFAULT));
        let others = Streams::default().without(Streams::exactly([".maxspan-x"]));
        assert!(others.may_match(STREAM_DEFAULT) && !others.may_match(".maxspan-x"));
    }
}
