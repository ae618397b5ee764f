//! Which part of a JSON value is a document: shapes told by their content.
//!
//! A [`Scanner`] follows one top-level value and cuts the documents out of it, without ever holding the value:
//!
//! | value | documents |
//! |---|---|
//! | `{…}` | the object itself |
//! | `[{…},[{…}]]` | each object in the arrays |
//! | `{"hits":{"hits":[{"_source":{…}}]}}` (`_search`, scroll) | each hit |
//! | `{"responses":[{"hits":…}]}` (`_msearch`) | each hit of each response |
//! | `{"hits":{"events":[…]}}`, `{"hits":{"sequences":[{"events":[…]}]}}` (EQL) | each event |
//! | `{"response":{"hits":…}}`, `{"rawResponse":…}` (async search, Kibana's inspector) | as above |
//!
//! An object is held as a possible document until a list of hits opens in it at one of these paths; from then on it
//! is a response, and only its hits are held, one at a time.

use std::ops::Range;

use super::tokens::{Container, Fault, FaultKind, Step, Token, Tokenizer};
use crate::limits::InputLimits;

/// Where a document is, and what stands at its top level. Offsets are into the bytes given to the scanner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outline {
    /// Behind its closing brace; it starts at offset 0, since the caller drops what is before it.
    pub(super) end: usize,
    /// The string under `_index`, with its quotes.
    pub(super) index: Option<Range<usize>>,
    /// The string under `_id`, with its quotes.
    pub(super) id: Option<Range<usize>>,
    /// The object under `_source`.
    pub(super) source: Option<Range<usize>>,
    /// Number of keys at top level.
    pub(super) key_count: usize,
    /// `"missing": true`: what EQL puts where a sequence asks for the absence of an event.
    pub(super) missing: bool,
    /// The element of a list of hits.
    pub(super) hit: bool,
    /// Not a document, but an array around documents that is nested deeper than the limit.
    too_deep: bool,
    /// Brackets open at its top level, its own included.
    depth: usize,
}

/// What a scan came upon.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A document starts at this offset. The caller drops all bytes before.
    Start(usize),
    /// A whole document.
    Document(Outline),
    /// The top-level value ended behind this offset without being a document.
    End(usize),
    /// A list of documents holds something else at this offset.
    NotAnObject(usize),
    Fault(Fault),
    NeedMore,
}

/// What an open bracket means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// An array of documents.
    Documents,
    /// An object that is a document unless it turns out to be a response.
    Candidate,
    /// An object within such a one that may be a response.
    Response,
    Responses,
    /// The object under `hits` of a response.
    Hits,
    /// The list of hits (or EQL events).
    HitList,
    Sequences,
    Sequence,
    Hit,
    /// No part of the way to a document.
    Inside,
}

/// The keys that mean something on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Name {
    Index,
    Id,
    Source,
    Missing,
    Hits,
    Events,
    Sequences,
    Responses,
    Response,
    Other,
}

/// The state of following one top-level value after another.
#[derive(Debug)]
pub(super) struct Scanner {
    tokens: Tokenizer,
    /// One for each open bracket.
    roles: Vec<Role>,
    /// The last key.
    name: Name,
    /// The document that is open.
    document: Option<Outline>,
    limits: InputLimits,
}

impl Scanner {
    pub(super) fn new(limits: InputLimits) -> Self {
        Self {
            tokens: Tokenizer::new(limits.document_depth_max),
            roles: Vec::new(),
            name: Name::Other,
            document: None,
            limits,
        }
    }

    /// Whether no value is open.
    pub(super) fn at_top(&self) -> bool {
        self.roles.is_empty()
    }

    /// Whether a document is open. It starts at offset 0.
    pub(super) fn in_document(&self) -> bool {
        self.document.is_some()
    }

    /// Offset of the first byte that is still to be looked at.
    pub(super) fn position(&self) -> usize {
        self.tokens.position()
    }

    /// Takes note that the first `count` bytes were dropped.
    pub(super) fn rebase(&mut self, count: usize) {
        self.tokens.rebase(count);
    }

    /// Gives up the open document; the caller has dropped it, and goes on with what holds it at offset 0.
    pub(super) fn abandon_document(&mut self) {
        let depth = self.document.take().map_or(self.roles.len(), |document| document.depth - 1);
        self.name = Name::Other;
        self.roles.truncate(depth);
        self.tokens.set_depth_base(depth);
        self.tokens.recover(0, depth);
    }

    /// Goes on behind a fault that was not in a document.
    pub(super) fn pass_over(&mut self, fault: &Fault) {
        // What is nested too deeply would be met again; anything else may be where structure goes on.
        let skipped = usize::from(fault.kind == FaultKind::TooDeep);
        self.name = Name::Other;
        self.tokens.recover(fault.offset + skipped, self.roles.len());
    }

    /// Forgets whatever is open.
    pub(super) fn abandon_all(&mut self) {
        self.document = None;
        self.roles.clear();
        self.tokens.recover(0, 0);
        self.tokens.set_depth_base(0);
    }

    /// Goes on to the next thing that the caller must know; `bytes` continue those of the last call.
    pub(super) fn advance(&mut self, bytes: &[u8], at_end: bool) -> Found {
        if self.document.as_ref().is_some_and(|document| document.too_deep) {
            return Found::Fault(Fault { offset: 0, kind: FaultKind::TooDeep });
        }
        loop {
            let found = match self.tokens.step(bytes, at_end) {
                Step::NeedMore => return self.checked(bytes.len(), Found::NeedMore),
                Step::Fault(fault) => return self.checked(fault.offset, Found::Fault(fault)),
                Step::Token(Token::Open(offset, container)) => self.opened(offset, container),
                Step::Token(Token::Close(offset)) => self.closed(offset),
                Step::Token(Token::Key(range)) => {
                    self.keyed(&bytes[range]);
                    None
                }
                Step::Token(Token::Scalar(range)) => self.scalar(bytes, range),
            };
            if let Some(found) = found {
                return found;
            }
        }
    }

    /// `found`, unless the open document reaches past its limit at `offset`.
    fn checked(&self, offset: usize, found: Found) -> Found {
        if self.in_document() && offset > self.limits.document_bytes_max {
            return Found::Fault(Fault { offset: 0, kind: FaultKind::TooLong });
        }
        found
    }

    fn opened(&mut self, offset: usize, container: Container) -> Option<Found> {
        let parent = self.roles.last().copied();
        let role = child_role(parent, self.name, container);
        self.roles.push(role);
        match role {
            Role::Documents if self.roles.len() <= self.limits.array_depth_max => None,
            // An array too many is dropped like a document that is broken.
            Role::Documents | Role::Candidate | Role::Hit => Some(self.document_starts(offset, role)),
            Role::HitList | Role::Sequences => self.response_known(offset),
            Role::Inside if parent == Some(Role::HitList) => Some(Found::NotAnObject(offset)),
            _ => {
                self.source_starts(offset, container);
                None
            }
        }
    }

    fn document_starts(&mut self, offset: usize, role: Role) -> Found {
        let depth = self.roles.len();
        self.tokens.set_depth_base(depth - 1);
        self.document = Some(Outline {
            end: 0,
            index: None,
            id: None,
            source: None,
            key_count: 0,
            missing: false,
            hit: role == Role::Hit,
            too_deep: role == Role::Documents,
            depth,
        });
        Found::Start(offset)
    }

    /// A list of hits opens: what was held as a possible document is a response.
    fn response_known(&mut self, offset: usize) -> Option<Found> {
        if let fault @ Found::Fault(_) = self.checked(offset, Found::NeedMore) {
            return Some(fault);
        }
        self.document = None;
        None
    }

    fn source_starts(&mut self, offset: usize, container: Container) {
        let (depth, name) = (self.roles.len(), self.name);
        if let Some(document) = &mut self.document
            && depth == document.depth + 1
            && name == Name::Source
            && container == Container::Object
        {
            document.source = Some(offset..offset);
        }
    }

    fn closed(&mut self, offset: usize) -> Option<Found> {
        // A broken response may close several brackets at once.
        self.roles.truncate(self.tokens.depth());
        let depth = self.roles.len() + 1;
        if let Some(document) = &mut self.document {
            if depth == document.depth {
                document.end = offset + 1;
                let found = self.checked(offset + 1, Found::NeedMore);
                return match found {
                    Found::NeedMore => self.document.take().map(Found::Document),
                    fault => Some(fault),
                };
            }
            if depth == document.depth + 1
                && let Some(source) = &mut document.source
                && source.start == source.end
            {
                source.end = offset + 1;
            }
        }
        self.at_top().then_some(Found::End(offset + 1))
    }

    fn keyed(&mut self, quoted: &[u8]) {
        self.name = Name::of(&quoted[1..quoted.len() - 1]);
        let depth = self.roles.len();
        if let Some(document) = &mut self.document
            && depth == document.depth
        {
            document.key_count += 1;
        }
    }

    fn scalar(&mut self, bytes: &[u8], range: Range<usize>) -> Option<Found> {
        let depth = self.roles.len();
        if let Some(document) = &mut self.document {
            let string = bytes[range.start] == b'"';
            match self.name {
                _ if depth != document.depth => {}
                Name::Index if string => document.index = Some(range),
                Name::Id if string => document.id = Some(range),
                Name::Missing => document.missing = bytes[range] == *b"true",
                _ => {}
            }
            return None;
        }
        match self.roles.last() {
            Some(Role::Documents | Role::HitList) => Some(Found::NotAnObject(range.start)),
            _ => None,
        }
    }
}

impl Name {
    fn of(key: &[u8]) -> Self {
        match key {
            b"_index" => Self::Index,
            b"_id" => Self::Id,
            b"_source" => Self::Source,
            b"missing" => Self::Missing,
            b"hits" => Self::Hits,
            b"events" => Self::Events,
            b"sequences" => Self::Sequences,
            b"responses" => Self::Responses,
            b"response" | b"rawResponse" => Self::Response,
            _ => Self::Other,
        }
    }
}

/// The meaning of a bracket, from what it is in, the key before it and its kind.
fn child_role(parent: Option<Role>, name: Name, container: Container) -> Role {
    match (parent, name, container) {
        (None | Some(Role::Documents), _, Container::Array) => Role::Documents,
        (None | Some(Role::Documents), _, Container::Object) => Role::Candidate,
        (Some(Role::Candidate), Name::Response, Container::Object) => Role::Response,
        (Some(Role::Candidate), Name::Responses, Container::Array) => Role::Responses,
        (Some(Role::Responses), _, Container::Object) => Role::Response,
        (Some(Role::Candidate | Role::Response), Name::Hits, Container::Object) => Role::Hits,
        (Some(Role::Hits), Name::Hits | Name::Events, Container::Array) => Role::HitList,
        (Some(Role::Hits), Name::Sequences, Container::Array) => Role::Sequences,
        (Some(Role::Sequences), _, Container::Object) => Role::Sequence,
        (Some(Role::Sequence), Name::Events, Container::Array) => Role::HitList,
        (Some(Role::HitList), _, Container::Object) => Role::Hit,
        _ => Role::Inside,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The documents (or their `_source`) in `text`, each in one line, and whatever else was found.
    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let limits = InputLimits { array_depth_max: 2, document_depth_max: 6, ..InputLimits::default() };
        let mut scanner = Scanner::new(limits);
        let mut rest = text.as_bytes();
        let mut found = Vec::new();
        loop {
            match scanner.advance(rest, true) {
                Found::Start(offset) => {
                    rest = &rest[offset..];
                    scanner.rebase(offset);
                }
                Found::Document(outline) => {
                    let part = outline.source.unwrap_or(0..outline.end);
                    found.push(String::from_utf8_lossy(&rest[part]).into_owned());
                    rest = &rest[outline.end..];
                    scanner.rebase(outline.end);
                }
                Found::NotAnObject(offset) => found.push(format!("not an object @{offset}")),
                Found::Fault(fault) => {
                    found.push(format!("{:?}", fault.kind));
                    break;
                }
                Found::End(_) | Found::NeedMore => break,
            }
            if scanner.at_top() {
                break;
            }
        }
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn documents_are_cut_out_of_what_holds_them() {
        check(r#" {"a":{"hits":[1]}}"#, &[r#"{"a":{"hits":[1]}}"#]);
        check(r#"[{"a":1},[{"b":2}],3]"#, &[r#"{"a":1}"#, r#"{"b":2}"#, "not an object @2"]);
        check(
            r#"{"took":1,"hits":{"total":1,"hits":[{"_source":{"a":1}},{"b":2}],"c":{}}}"#,
            &[r#"{"a":1}"#, r#"{"b":2}"#],
        );
        check(
            r#"{"responses":[{"hits":{"hits":[{"_source":{"a":1}}]}},{"error":{}},{"hits":{"hits":[{"b":2}]}}]}"#,
            &[r#"{"a":1}"#, r#"{"b":2}"#],
        );
        check(r#"{"hits":{"events":[{"_source":{"a":1}}]}}"#, &[r#"{"a":1}"#]);
        check(
            r#"{"hits":{"sequences":[{"join_keys":["x"],"events":[{"_source":{"a":1}},{"b":2}]}]}}"#,
            &[r#"{"a":1}"#, r#"{"b":2}"#],
        );
        check(r#"{"id":"x","response":{"hits":{"hits":[{"a":1}]}}}"#, &[r#"{"a":1}"#]);
        check(r#"{"hits":{"hits":[]}}"#, &[]);
    }

    #[test]
    fn what_only_looks_like_a_response_is_a_document() {
        for text in
            [r#"{"hits":[{"_source":1}]}"#, r#"{"x":{"hits":{"hits":[]}}}"#, r#"{"events":[{"a":1}]}"#]
        {
            check(text, &[text]);
        }
    }

    #[test]
    fn nesting_is_limited() {
        check("[[[{}]]]", &["TooDeep"]);
        check("[[[[[]]]]]", &["TooDeep"]);
        check(r#"[[{"a":[[[[[1]]]]]}]]"#, &[r#"{"a":[[[[[1]]]]]}"#]);
        check(r#"[[{"a":[[[[[[1]]]]]]}]]"#, &["TooDeep"]);
    }
}
