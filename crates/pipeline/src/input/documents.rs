//! One stream of bytes, cut into events and problems.
//!
//! [`Documents::next`] is the loop over everything at the top level of a stream: lines of NDJSON on the fast path
//! ([`line`](super::line)), all other values by structure ([`shape`](super::shape)), what is neither as a stray line.
//! Which of them the first value is decides whether lines can be trusted: where it does not fill exactly one line,
//! every value of the stream is cut by structure.
//!
//! [`Documents::lines`] is the same fast path for many lines at once, which stay where they are in the buffer.
//!
//! Nothing ends the loop but the end of the stream. Each turn consumes at least a byte or ends the stream.

use std::ops::Range;
use std::sync::Arc;

use super::batch::{Cut, Lines};
use super::bulk::{Action, action};
use super::line::{Lead, LineLook, lead};
use super::line_end::{LineEnd, line_end};
use super::recover::skip_document;
use super::shape::{Found, Outline, Scanner};
use super::source::failure_kind;
use super::stray::{foreign_encoding, why_stray};
use super::tokens::{Fault, FaultKind};
use super::window::Window;
use super::{InputProblem, Item, Location, ProblemKind, RawEvent};
use crate::limits::{InputLimits, LINE_FAST_BYTES, STRAY_BYTES_MAX};

/// The events and problems of one stream.
pub(super) struct Documents {
    window: Window,
    scanner: Scanner,
    look: LineLook,
    limits: InputLimits,
    file: Arc<str>,
    events: u64,
    /// Whether a line from `{` to `}` is one document; unknown before the first value.
    lines_trusted: Option<bool>,
    /// Line of the top-level value being cut by structure.
    value_line: u64,
    /// Line, and bytes before on it, of the document that is open.
    started: (u64, usize),
    pending: Option<Pending>,
    /// Whether a bulk action was seen.
    bulk: bool,
    /// An item found together with the one returned.
    queued: Option<Item>,
    /// Whether the stream has anything to tell: a value or a problem.
    anything: bool,
}

/// What a bulk action says about the next document.
enum Pending {
    /// It is stored at this place. The line is the action's.
    Store { index: Option<String>, id: Option<String>, line: u64 },
    /// It is no event, and was reported with its action.
    Skip,
}

/// The outcome of one turn of the loop.
enum Turn {
    Item(Item),
    Again,
    End,
}

impl Documents {
    pub(super) fn new(window: Window, file: Arc<str>, limits: InputLimits) -> Self {
        Self {
            window,
            scanner: Scanner::new(limits),
            look: LineLook::new(),
            limits,
            file,
            events: 0,
            lines_trusted: None,
            value_line: 1,
            started: (1, 0),
            pending: None,
            bulk: false,
            queued: None,
            anything: false,
        }
    }

    /// The next event or problem; `None` at the end of the stream.
    pub(super) fn next(&mut self) -> Option<Item> {
        if let Some(item) = self.queued.take() {
            return Some(item);
        }
        loop {
            let turn = if self.scanner.at_top() { self.at_top() } else { self.within_value() };
            match turn {
                Turn::Item(item) => return Some(item),
                Turn::Again => {}
                Turn::End => return None,
            }
        }
    }

    /// A turn where no value is open.
    fn at_top(&mut self) -> Turn {
        let Some(byte) = self.next_byte() else { return self.end() };
        if !self.anything && self.window.column() == 0 && foreign_encoding(self.window.bytes()) {
            return self.foreign_encoding();
        }
        self.anything = true;
        if byte == b'{'
            && self.lines_trusted == Some(true)
            && let Some(turn) = self.line()
        {
            return turn;
        }
        match byte {
            b'{' | b'[' => {
                self.value_line = self.window.line();
                self.within_value()
            }
            // Elements copied out of an array keep their commas.
            b',' => self.consumed(1),
            _ => self.stray_line(),
        }
    }

    /// The first byte that is neither blank nor a byte order mark, with all before it consumed.
    fn next_byte(&mut self) -> Option<u8> {
        loop {
            let bytes = self.window.bytes();
            let count = bytes.iter().position(|byte| !is_blank(*byte)).unwrap_or(bytes.len());
            let next = bytes.get(count).copied();
            self.window.consume(count);
            match next {
                Some(0xef)
                    if self.window.ensure(3) == 3 && self.window.bytes().starts_with(b"\xef\xbb\xbf") =>
                {
                    self.window.consume(3);
                }
                Some(byte) => return Some(byte),
                None if self.window.fill() => {}
                None => return None,
            }
        }
    }

    /// The fast path: the line at the start of the window, where it is an event as it stands.
    fn line(&mut self) -> Option<Turn> {
        let length = self.window.line_length(LINE_FAST_BYTES)?;
        let line = &self.window.bytes()[..length];
        let lead = lead(line)?;
        let (source, found) = (self.plain(line, &lead, true)?, &lead.found);
        let (index, id) = (found.index(source).map(str::to_owned), found.id(source).map(str::to_owned));
        let (source, place) = (Box::from(source), (self.window.line(), 0));
        self.window.consume_line(length + 1);
        Some(self.event(source, index, id, place))
    }

    /// The document of a line that starts with `{`, where it is an event as it stands; `suspicious` as in [`LineEnd`].
    fn plain<'l>(&self, line: &'l [u8], lead: &Lead, suspicious: bool) -> Option<&'l [u8]> {
        let line = line.trim_ascii_end();
        if !line.ends_with(b"}") || line.len() > self.limits.document_bytes_max {
            return None;
        }
        (!suspicious || self.look.is_plain(&line[lead.end..])).then_some(line)
    }

    /// Takes the lines that come next, as long as they are events as they stand and end within the bytes of a batch.
    /// False where the next thing is none, or not at hand: it is for [`Documents::next`].
    pub(super) fn lines(&mut self, lines: &mut Lines) -> bool {
        let at_line = self.scanner.at_top() && self.pending.is_none() && self.queued.is_none();
        if !at_line || self.lines_trusted != Some(true) {
            return false;
        }
        self.window.go_on_in(&mut lines.buffer);
        self.window.ensure(self.limits.batch_bytes);
        let (mut end, mut line) = (0, self.window.line());
        while let Some((cut, behind)) = self.cut(end, line) {
            (end, line) = (behind, cut.line + 1);
            lines.cuts.push(cut);
        }
        if lines.cuts.is_empty() {
            return false;
        }
        lines.file = Arc::clone(&self.file);
        lines.ordinal = self.events;
        self.events += lines.cuts.len() as u64;
        lines.start = self.window.hand_over(end, line, &mut lines.buffer);
        true
    }

    /// The next line among the bytes of a batch, from `offset` on, which is on `line`; and the offset behind it.
    fn cut(&self, offset: usize, mut line: u64) -> Option<(Cut, usize)> {
        let bytes = self.window.bytes();
        let bytes = &bytes[..bytes.len().min(self.limits.batch_bytes)];
        let mut start = offset;
        while bytes.get(start).is_some_and(|byte| is_blank(*byte)) {
            line += u64::from(bytes[start] == b'\n');
            start += 1;
        }
        if bytes.get(start) != Some(&b'{') {
            return None;
        }
        let lead = lead(&bytes[start..])?;
        let LineEnd { length, suspicious } = line_end(&bytes[start + lead.end..])?;
        let length = lead.end + length;
        // What is broken may lead beyond its line.
        if length > LINE_FAST_BYTES || memchr::memchr(b'\n', &bytes[start..start + lead.end]).is_some() {
            return None;
        }
        let source = self.plain(&bytes[start..start + length], &lead, suspicious)?;
        let cut = Cut { start, end: start + source.len(), line, found: lead.found };
        Some((cut, start + length + 1))
    }

    /// A turn within a value that is cut by structure.
    fn within_value(&mut self) -> Turn {
        loop {
            let at_end = self.window.at_end();
            match self.scanner.advance(self.window.bytes(), at_end) {
                Found::NeedMore if at_end => return self.cut_off(),
                Found::NeedMore => {
                    if !self.scanner.in_document() {
                        self.drop_bytes(self.scanner.position());
                    }
                    self.window.fill();
                }
                Found::Start(offset) => {
                    self.drop_bytes(offset);
                    self.started = self.window.place_of(0);
                }
                Found::Document(outline) => return self.document(&outline),
                Found::End(offset) => {
                    self.drop_bytes(offset);
                    self.value_ended();
                    return Turn::Again;
                }
                Found::NotAnObject(offset) => {
                    let message = "an element of the array is not an object";
                    return self.problem_at(offset, ProblemKind::NotAnObject, message.to_owned());
                }
                Found::Fault(fault) => return self.broken(&fault),
            }
        }
    }

    /// Takes the document that ends at `outline.end`.
    fn document(&mut self, outline: &Outline) -> Turn {
        let place = self.started;
        let top = self.scanner.at_top();
        let bytes = &self.window.bytes()[..outline.end];
        let action = if top && outline.key_count == 1 { action(bytes) } else { None };
        let text = |range: &Option<Range<usize>>| range.clone().and_then(|range| quoted_text(&bytes[range]));
        let (index, id) = (text(&outline.index), text(&outline.id));
        let source = outline.source.clone().unwrap_or(0..outline.end);
        let source: Box<[u8]> = Box::from(&bytes[source]);
        self.drop_bytes(outline.end);
        if top {
            self.value_ended();
        }
        match action {
            Some(action) if self.bulk || !matches!(action, Action::Unknown(_)) => self.action(action, place),
            _ if outline.hit && outline.missing => Turn::Again,
            _ if outline.hit && outline.source.is_none() => {
                let message =
                    "a hit without `_source`: ask for it in the search, or enable it in the mapping";
                self.problem(place, ProblemKind::NoSource, message.to_owned())
            }
            _ => self.event(source, index, id, place),
        }
    }

    /// Takes an event, unless the bulk action before it says that it is none.
    fn event(
        &mut self,
        source: Box<[u8]>,
        mut index: Option<String>,
        mut id: Option<String>,
        place: (u64, usize),
    ) -> Turn {
        match self.pending.take() {
            None => {}
            Some(Pending::Skip) => return Turn::Again,
            Some(Pending::Store { index: action_index, id: action_id, .. }) => {
                index = action_index.or(index);
                id = action_id.or(id);
            }
        }
        let location = self.location(place.0);
        self.events += 1;
        Turn::Item(Item::Event(RawEvent { source, index, id, location }))
    }

    fn action(&mut self, action: Action, place: (u64, usize)) -> Turn {
        self.bulk = true;
        let orphan = self.action_without_document();
        let turn = match action {
            Action::Store { index, id } => {
                self.pending = Some(Pending::Store { index, id, line: place.0 });
                Turn::Again
            }
            Action::Update => {
                self.pending = Some(Pending::Skip);
                let message = "an update holds a part of an event: skipped with its document";
                self.problem(place, ProblemKind::BulkUpdate, message.to_owned())
            }
            Action::Delete => {
                let message = "a delete names an event and holds none: skipped";
                self.problem(place, ProblemKind::BulkDelete, message.to_owned())
            }
            Action::Unknown(name) => {
                let message = format!("`{name}` is no bulk action: index, create, update, delete are");
                self.problem(place, ProblemKind::UnknownAction, message)
            }
        };
        match (orphan, turn) {
            (Some(orphan), Turn::Item(item)) => {
                self.queued = Some(item);
                Turn::Item(orphan)
            }
            (Some(orphan), _) => Turn::Item(orphan),
            (None, turn) => turn,
        }
    }

    /// The problem of a bulk action that is still waiting for its document.
    fn action_without_document(&mut self) -> Option<Item> {
        let Some(Pending::Store { line, .. }) = self.pending.take() else { return None };
        let message = "no document follows this bulk action".to_owned();
        Some(self.problem_item((line, 0), ProblemKind::NoSource, message))
    }

    /// Reports a fault and goes on behind what it broke.
    fn broken(&mut self, fault: &Fault) -> Turn {
        let place = self.window.place_of(fault.offset);
        let in_document = self.scanner.in_document();
        let (kind, message) = fault_text(fault.kind, self.limits, self.window.bytes().get(fault.offset));
        // A document that a failing source cut off is part of that failure, which is told at the end.
        let told = fault.kind == FaultKind::EndOfInput && self.window.failure().is_some();
        if in_document {
            skip_document(&mut self.window, self.started.1);
            self.scanner.abandon_document();
        } else if fault.kind == FaultKind::EndOfInput {
            self.drop_all();
        } else {
            self.scanner.pass_over(fault);
        }
        if self.scanner.at_top() {
            self.pending = None;
            self.lines_trusted.get_or_insert(true);
            self.drop_rest_of_document();
        }
        if told { Turn::Again } else { self.problem(place, kind, message) }
    }

    /// The stream ends within a value.
    fn cut_off(&mut self) -> Turn {
        let offset = self.window.bytes().len();
        self.broken(&Fault { offset, kind: FaultKind::EndOfInput })
    }

    fn drop_all(&mut self) {
        self.window.consume(self.window.bytes().len());
        self.scanner.abandon_all();
    }

    /// Drops what is left on the line behind a broken document, up to where the next may start.
    fn drop_rest_of_document(&mut self) {
        loop {
            let bytes = self.window.bytes();
            let length = bytes.len();
            let found = memchr::memchr2(b'\n', b'{', bytes);
            self.window.consume(found.unwrap_or(length));
            if found.is_some() || !self.window.fill() {
                return;
            }
        }
    }

    /// Learns from the first value whether lines can be trusted.
    fn value_ended(&mut self) {
        if self.lines_trusted.is_some() {
            return;
        }
        let length = self.window.line_length(LINE_FAST_BYTES).unwrap_or(self.window.bytes().len());
        let one_line = self.value_line == self.window.line();
        let nothing_behind = self.window.bytes()[..length].trim_ascii().is_empty();
        self.lines_trusted = Some(one_line && nothing_behind);
    }

    /// Reports the line at the start of the window, which holds no document, and drops it.
    fn stray_line(&mut self) -> Turn {
        self.lines_trusted.get_or_insert(true);
        self.pending = None;
        let length = self.window.line_length(STRAY_BYTES_MAX);
        let head = &self.window.bytes()[..length.unwrap_or(self.window.bytes().len()).min(STRAY_BYTES_MAX)];
        let (kind, message, offset) = why_stray(head);
        let (line, column) = self.window.place_of(0);
        self.drop_line();
        self.problem((line, column + offset), kind, message)
    }

    fn drop_line(&mut self) {
        loop {
            let bytes = self.window.bytes();
            let length = bytes.len();
            let found = memchr::memchr(b'\n', bytes);
            self.window.consume(found.map_or(length, |found| found + 1));
            if found.is_some() || !self.window.fill() {
                return;
            }
        }
    }

    /// A stream that is no UTF-8 from its first bytes on; nothing of it can be read.
    fn foreign_encoding(&mut self) -> Turn {
        self.anything = true;
        let place = self.window.place_of(0);
        while {
            self.window.consume(self.window.bytes().len());
            self.window.fill()
        } {}
        let message = "the text is UTF-16 and was not read: convert it to UTF-8";
        self.problem(place, ProblemKind::InvalidUtf8, message.to_owned())
    }

    /// The end of the stream: what is left to tell, one item a turn.
    fn end(&mut self) -> Turn {
        if let Some(item) = self.action_without_document() {
            return Turn::Item(item);
        }
        let place = self.window.place_of(0);
        if let Some(error) = self.window.take_failure() {
            return self.problem(place, failure_kind(&error), error.to_string());
        }
        if !self.anything {
            return self.problem(place, ProblemKind::Empty, "nothing in it".to_owned());
        }
        Turn::End
    }

    fn consumed(&mut self, count: usize) -> Turn {
        self.window.consume(count);
        Turn::Again
    }

    fn drop_bytes(&mut self, count: usize) {
        self.window.consume(count);
        self.scanner.rebase(count);
    }

    fn problem_at(&mut self, offset: usize, kind: ProblemKind, message: String) -> Turn {
        let place = self.window.place_of(offset);
        self.problem(place, kind, message)
    }

    fn problem(&mut self, place: (u64, usize), kind: ProblemKind, message: String) -> Turn {
        self.anything = true;
        Turn::Item(self.problem_item(place, kind, message))
    }

    fn problem_item(&self, (line, column): (u64, usize), kind: ProblemKind, message: String) -> Item {
        let location = self.location(line);
        Item::Problem(InputProblem { location, column: Some(column as u64 + 1), kind, message })
    }

    fn location(&self, line: u64) -> Location {
        Location { file: Arc::clone(&self.file), line, ordinal: self.events }
    }
}

/// The text of a string token; `None` where it is no valid JSON string, which the decoder will tell.
fn quoted_text(quoted: &[u8]) -> Option<String> {
    serde_json::from_slice(quoted).ok()
}

/// White space between values.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

fn fault_text(kind: FaultKind, limits: InputLimits, found: Option<&u8>) -> (ProblemKind, String) {
    match kind {
        FaultKind::Expected(what) => {
            let found = found.map(|byte| format!(", found `{}`", byte.escape_ascii())).unwrap_or_default();
            (ProblemKind::Malformed, format!("malformed JSON: expected {what}{found}"))
        }
        FaultKind::StringNotClosed => {
            (ProblemKind::Malformed, "malformed JSON: the string does not end on its line".to_owned())
        }
        FaultKind::EndOfInput => {
            (ProblemKind::Malformed, "malformed JSON: the input ends before the value does".to_owned())
        }
        FaultKind::TooDeep => {
            let (depth, arrays) = (limits.document_depth_max, limits.array_depth_max);
            let message =
                format!("nested deeper than {depth} brackets (or {arrays} arrays around documents): skipped");
            (ProblemKind::TooDeep, message)
        }
        FaultKind::TooLong => {
            let message = format!("longer than {} bytes: skipped", limits.document_bytes_max);
            (ProblemKind::TooLong, message)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each item of `text` as one line: `source`, with ` @index/id` where known and ` :line` of an event, or
    /// `! kind line:column`.
    fn items(text: &[u8]) -> Vec<String> {
        let limits = InputLimits { document_bytes_max: 200, document_depth_max: 8, ..InputLimits::default() };
        let window = Window::new(Box::new(std::io::Cursor::new(text.to_vec())));
        let mut documents = Documents::new(window, Arc::from("f"), limits);
        std::iter::from_fn(|| documents.next()).map(|item| shown(&item)).collect()
    }

    fn shown(item: &Item) -> String {
        match item {
            Item::Problem(problem) => {
                let column = problem.column.unwrap_or_default();
                format!("! {} {}:{column}", problem.kind.name(), problem.location.line)
            }
            Item::Event(event) => {
                let part = |text: &Option<String>, sign: char| {
                    text.as_ref().map(|text| format!(" {sign}{text}")).unwrap_or_default()
                };
                let source = String::from_utf8_lossy(&event.source).replace('\n', "⏎");
                format!("{}:{source}{}{}", event.location.line, part(&event.index, '@'), part(&event.id, '#'))
            }
        }
    }

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        assert_eq!(items(text.as_bytes()), expected, "{text}");
    }

    #[test]
    fn lines() {
        check("{\"a\":1}\r\n\n  {\"a\":2} \n{\"a\":3}", &["1:{\"a\":1}", "3:{\"a\":2}", "4:{\"a\":3}"]);
        check("\u{feff}{\"a\":1}\n\u{feff}{}\n", &["1:{\"a\":1}", "2:{}"]);
        check("{}\n{\"a\":1}{\"b\":1}\n{}\n", &["1:{}", "2:{\"a\":1}", "2:{\"b\":1}", "3:{}"]);
        check("{},\n{},\n", &["1:{}", "2:{}"]);
        check(
            "{\"_index\":\"i\",\"_id\":\"1\"}\n{\"_index\":\"j\",\"a\":2}\n{\"a\":3,\"_id\":\"\\u0033\"}\n",
            &[
                "1:{\"_index\":\"i\",\"_id\":\"1\"} @i #1",
                "2:{\"_index\":\"j\",\"a\":2} @j",
                "3:{\"a\":3,\"_id\":\"\\u0033\"} #3",
            ],
        );
    }

    #[test]
    fn arrays_and_objects_over_several_lines() {
        check("[{\"a\":1},\n {\"a\":\n2}]\n{\"b\":1}\n", &["1:{\"a\":1}", "2:{\"a\":⏎2}", "4:{\"b\":1}"]);
        check("{\n \"a\": {\n}\n}\n{}{}\n", &["1:{⏎ \"a\": {⏎}⏎}", "5:{}", "5:{}"]);
        check("{ \"a\": {}\n, \"b\": {} }\n", &["1:{ \"a\": {}⏎, \"b\": {} }"]);
        check("{}\n{\n\"a\": 1\n}\n", &["1:{}", "2:{⏎\"a\": 1⏎}"]);
    }

    #[test]
    fn hits() {
        let hit = r#"{"_index":"i","_id":"1","_source":{"a":1}}"#;
        check(&format!("{hit}\n{hit}\n"), &["1:{\"a\":1} @i #1", "2:{\"a\":1} @i #1"]);
        check(
            &format!("{{\"took\":1,\"hits\":{{\"hits\":[\n{hit},\n{hit}]}}}}"),
            &["2:{\"a\":1} @i #1", "3:{\"a\":1} @i #1"],
        );
        check("{}\n{\"took\":1,\"hits\":{\"hits\":[]}}\n{}\n", &["1:{}", "3:{}"]);
        check("{\"hits\":{\"hits\":[{\"_id\":\"1\"}]}}", &["! no-source 1:18"]);
        check("{\"hits\":{\"events\":[{\"_id\":\"\",\"_source\":{},\"missing\":true}]}}", &[]);
    }

    #[test]
    fn bulk_bodies() {
        check(
            "{\"index\":{\"_index\":\"i\",\"_id\":\"1\"}}\n{\"a\":1}\n{\"create\":{}}\n{\"a\":2}\n",
            &["2:{\"a\":1} @i #1", "4:{\"a\":2}"],
        );
        check(
            "{\"update\":{}}\n{\"doc\":{}}\n{\"delete\":{}}\n{\"a\":1}\n",
            &["! bulk-update 1:1", "! bulk-delete 3:1", "4:{\"a\":1}"],
        );
        check(
            "{\"index\":{}}\n{\"delete\":{}}\n{\"index\":{}}\n",
            &["! no-source 1:1", "! bulk-delete 2:1", "! no-source 3:1"],
        );
        check(
            "{\"index\":{}}\n{}\n{\"upsert\":{\"_id\":\"1\"}}\n{\"a\":1}\n",
            &["2:{}", "! unknown-action 3:1", "4:{\"a\":1}"],
        );
        check("{\"index\":{\"_index\":\"i\"}}\n{\"a\":{\n{\"b\":1}\n", &["! malformed 3:1", "3:{\"b\":1}"]);
    }

    #[test]
    fn broken_input_does_not_stop_what_is_around_it() {
        check("{\"a\":1}\n{\"a\":{\"b\n{\"a\":2}\n", &["1:{\"a\":1}", "! malformed 2:9", "3:{\"a\":2}"]);
        check(
            "{}\n{\"a\":{\"b\":\n{\"a\":2}\n{\"a\":3}\n",
            &["1:{}", "! malformed 4:1", "3:{\"a\":2}", "4:{\"a\":3}"],
        );
        check("{}\nhello {}\n5\n{}\n", &["1:{}", "! malformed 2:1", "! not-an-object 3:1", "4:{}"]);
        check(
            "[{\"a\":1},{\"a\":x},{\"a\":2},7,{\"a\":3}",
            &[
                "1:{\"a\":1}",
                "! malformed 1:15",
                "1:{\"a\":2}",
                "! not-an-object 1:26",
                "1:{\"a\":3}",
                "! malformed 1:35",
            ],
        );
        check(
            "[\n  {\"a\":1}\n  {\"a\":{},\n  {\"a\":2}\n]\n{}",
            &["2:{\"a\":1}", "! malformed 3:3", "! malformed 4:3", "4:{\"a\":2}", "6:{}"],
        );
        check("{\n\"a\": [\n}\n{}\n", &["! malformed 3:1", "4:{}"]);
        check("{}\n{\"a\":}} x\n{}\n", &["1:{}", "! malformed 2:6", "3:{}"]);
    }

    #[test]
    fn limits_are_told_and_passed() {
        let long = format!("{{\"a\":\"{}\"}}", "x".repeat(300));
        check(&format!("{{}}\n{long}\n{{}}\n"), &["1:{}", "! too-long 2:1", "3:{}"]);
        check(&format!("[{long},{{}}]"), &["! too-long 1:2", "1:{}"]);
        check("[{\"a\":[[[[[[[[[]]]]]]]]]},{}]", &["! too-deep 1:14", "1:{}"]);
    }

    #[test]
    fn what_is_no_text_is_told() {
        check("", &["! empty 1:1"]);
        check(" \n\n", &["! empty 3:1"]);
        assert_eq!(items(b"\xff\xfe{\0}\0"), ["! invalid-utf8 1:1"]);
        assert_eq!(items(b"{}\nab\xff\n{}"), ["1:{}", "! invalid-utf8 2:3", "3:{}"]);
    }
}
