//! Markdown to cases: roles of blocks, what headings inherit, what is wrong. Pure, and never panics.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use maxspan_diagnostics::{Diagnostic, Source, Span, codes, nearest_names};
use serde_json::{Map, Value};

use super::document::{
    Block, Case, Events, EventsFrom, ExceptionSource, Expected, ExpectedAlert, ExpectedAlerts, ExpectedCount,
    ExpectedDiagnostic, Link, QueryRule, RuleFormat, RuleSource, Setup, SpecFile,
};
use super::info::{self, Attribute, Info};
use super::markdown::{Fence, Item, LinkItem, Section, sections};
use super::options::{self, SpecOptions, duration};
use crate::hunt::HuntStats;
use crate::limits::{SPEC_BYTES_MAX, SPEC_CASES_MAX, SPEC_DIAGNOSTICS_MAX, SPEC_REPEAT_MAX};

/// Reads a spec. `name` is the path of the file; links are relative to its folder.
pub fn parse(name: &str, text: &str) -> SpecFile {
    let source = Arc::new(Source::new(name, text));
    if text.len() > SPEC_BYTES_MAX {
        let message = format!("the file has {} bytes, over the limit of {SPEC_BYTES_MAX}", text.len());
        let diagnostics = vec![Diagnostic::new(codes::SPEC_LIMIT, Span::default(), message)];
        return SpecFile { source, cases: Vec::new(), diagnostics };
    }
    let (cases, mut diagnostics) = Parser { source: &source, diagnostics: Vec::new() }.run();
    diagnostics.sort_by_key(|diagnostic| diagnostic.span.start);
    let more = diagnostics.len().saturating_sub(SPEC_DIAGNOSTICS_MAX);
    if more > 0 {
        let span = diagnostics[SPEC_DIAGNOSTICS_MAX].span;
        diagnostics.truncate(SPEC_DIAGNOSTICS_MAX);
        diagnostics.push(Diagnostic::new(codes::SPEC_LIMIT, span, format!("and {more} more messages")));
    }
    SpecFile { source, cases, diagnostics }
}

struct Parser<'a> {
    source: &'a Source,
    diagnostics: Vec<Diagnostic>,
}

/// What stands under one heading.
#[derive(Default)]
struct Parts {
    rules: Vec<RuleSource>,
    exceptions: Vec<ExceptionSource>,
    mapping: Option<Block>,
    options: Option<Arc<SpecOptions>>,
    events: Vec<Events>,
    expected: Expected,
    is_broken: bool,
    /// The first block that expects something.
    first_expected: Option<Span>,
}

/// A heading above, with what it hands down.
struct Above {
    level: u8,
    title: String,
    setup: Setup,
}

impl Parser<'_> {
    fn run(mut self) -> (Vec<Case>, Vec<Diagnostic>) {
        let mut cases = Vec::new();
        let mut above: Vec<Above> = Vec::new();
        for section in sections(&self.source.text) {
            above.retain(|one| one.level < section.level);
            let parts = self.parts(&section);
            let inherited = above.last().map(|one| one.setup.clone()).unwrap_or_default();
            let is_case = !parts.events.is_empty() || parts.expected.diagnostics.is_some();
            self.check_parts(&parts, is_case);
            let setup = joined(&parts, &inherited);
            // What a case sets up for itself is its own, but for the title, which stands for the whole file.
            let handed = if is_case && section.level > 1 { inherited } else { setup.clone() };
            if is_case && cases.len() == SPEC_CASES_MAX {
                let message =
                    format!("more than {SPEC_CASES_MAX} cases: this one and those after it are left out");
                self.report(codes::SPEC_LIMIT, section.span, message);
                break;
            }
            if is_case {
                cases.push(self.case(&section, parts, setup, &above));
            }
            above.push(Above { level: section.level, title: section.title, setup: handed });
        }
        (cases, self.diagnostics)
    }

    fn case(&self, section: &Section, parts: Parts, setup: Setup, above: &[Above]) -> Case {
        let titles = above.iter().filter(|one| one.level > 1).map(|one| one.title.clone());
        Case {
            name: if section.level == 0 { self.stem() } else { section.title.clone() },
            above: titles.collect(),
            span: section.span,
            line: self.source.position(section.span.start).line,
            is_broken: parts.is_broken || setup.is_broken,
            setup,
            events: parts.events,
            expected: parts.expected,
        }
    }

    fn stem(&self) -> String {
        Path::new(&self.source.name).file_stem().unwrap_or_default().to_string_lossy().into_owned()
    }

    fn check_parts(&mut self, parts: &Parts, is_case: bool) {
        let Some(span) = parts.first_expected.filter(|_| !is_case) else { return };
        let message = "something is expected here, but there are no events under this heading";
        self.report(codes::SPEC_CASE, span, message);
    }

    fn report(&mut self, code: maxspan_diagnostics::Code, span: Span, message: impl Into<String>) {
        self.diagnostics.push(Diagnostic::new(code, span, message));
    }

    fn parts(&mut self, section: &Section) -> Parts {
        let errors = self.diagnostics.len();
        let mut parts = Parts::default();
        for item in &section.items {
            match item {
                Item::Fence(fence) => self.fence(fence, section, &mut parts),
                Item::Link(link) => self.link(link, &mut parts),
                Item::Unlinked(span) => self.diagnostics.push(
                    Diagnostic::new(codes::SPEC_LINK, *span, "a path that is no link")
                        .with_help("write it as a Markdown link: `Rule: [name](path/to/rule.toml)`, with blanks `[name](<my rules/rule.toml>)`"),
                ),
            }
        }
        parts.is_broken = self.diagnostics.len() > errors;
        parts
    }

    // ---- Links

    fn link(&mut self, item: &LinkItem, parts: &mut Parts) {
        let target = item.target.split('#').next().unwrap_or("");
        if target.is_empty() || target.contains("://") {
            let message = format!("`{}` is no path of a file", item.target);
            return self.report(codes::SPEC_LINK, item.span, message);
        }
        let folder = Path::new(&self.source.name).parent().unwrap_or(Path::new(""));
        let link = Link { path: plain_path(&folder.join(percent_decoded(target))), span: item.span };
        match item.word.as_str() {
            "Rule" | "Rules" => parts.rules.push(RuleSource::Link(link)),
            "Events" => parts.events.push(Events::new(EventsFrom::Link(link))),
            _ => parts.exceptions.push(ExceptionSource::Link(link)),
        }
    }

    // ---- Blocks

    fn fence(&mut self, fence: &Fence, section: &Section, parts: &mut Parts) {
        let text = &self.source.text;
        let info = match info::read(text, fence.info) {
            Ok(Some(info)) => info,
            Ok(None) => return,
            Err(diagnostic) => return self.diagnostics.push(diagnostic),
        };
        if !fence.is_closed {
            let message = "the block is not closed: it would swallow the rest of the file";
            return self.diagnostics.push(Diagnostic::new(codes::SPEC_BLOCK, fence.info, message));
        }
        let block = Block {
            span: fence.span,
            info: fence.info,
            content: fence.content,
            text: Arc::from(fence.text.as_str()),
            line: self.source.position(fence.content.start).line,
        };
        let has_own_attributes = matches!(info.role, "events" | "silent")
            || (info.role == "rule" && ["eql", "kuery", "kql"].contains(&info.language));
        if let Some(one) = info.attributes.first().filter(|_| !has_own_attributes) {
            let message = format!("`{} {}` has no attributes", info.language, info.role);
            return self.diagnostics.push(Diagnostic::new(codes::SPEC_BLOCK, one.span, message));
        }
        self.block(block, &info, section, parts);
    }

    fn block(&mut self, block: Block, info: &Info<'_>, section: &Section, parts: &mut Parts) {
        let format = match info.language {
            "toml" => RuleFormat::Toml,
            "json" => RuleFormat::Json,
            _ => RuleFormat::NdJson,
        };
        let span = info.role_span;
        match (info.language, info.role) {
            ("toml" | "json" | "ndjson", "rule") => parts.rules.push(RuleSource::Text { block, format }),
            (language, "rule") => {
                let language = if language == "eql" { "eql" } else { "kuery" };
                let rule = self.query_rule(block, language, &info.attributes, section, parts.rules.len());
                parts.rules.push(RuleSource::Query(Box::new(rule)));
            }
            (_, "exceptions") => parts.exceptions.push(ExceptionSource::Text { block, format }),
            (_, "mapping") => {
                self.once(parts.mapping.is_some(), span, "mapping");
                parts.mapping = Some(block);
            }
            (_, "options") => {
                self.once(parts.options.is_some(), span, "options");
                parts.options = Some(Arc::new(options::read(&block, &mut self.diagnostics)));
            }
            (_, "events" | "silent") => {
                let events = self.events(block, info);
                parts.events.push(events);
            }
            _ => {
                parts.first_expected.get_or_insert(span);
                self.expected(block, info, &mut parts.expected);
            }
        }
    }

    /// A second block of a kind of which there is one.
    fn once(&mut self, is_there: bool, span: Span, what: &str) {
        if is_there {
            let message = format!("a second block `{what}` under the same heading");
            self.report(codes::SPEC_BLOCK, span, message);
        }
    }

    fn attribute_error(&mut self, one: &Attribute<'_>, known: &[&str]) {
        let diagnostic =
            Diagnostic::new(codes::SPEC_BLOCK, one.span, format!("there is no attribute `{}` here", one.key));
        self.diagnostics.push(match nearest_names(one.key, known.iter().copied()).first() {
            Some(near) => diagnostic.with_help(format!("did you mean `{near}`?")),
            None => diagnostic.with_help(format!("there are {}", known.join(", "))),
        });
    }

    fn query_rule(
        &mut self,
        block: Block,
        language: &'static str,
        attributes: &[Attribute<'_>],
        section: &Section,
        before: usize,
    ) -> QueryRule {
        let heading = if section.level == 0 { self.stem() } else { section.title.clone() };
        let mut name = if heading.is_empty() { "Rule".to_owned() } else { heading };
        if before > 0 {
            name += &format!(" {}", before + 1);
        }
        let (mut id, mut fields) = (None, Map::new());
        for one in attributes {
            let value = one.value.to_owned();
            match one.key {
                "name" => name = value,
                "id" => id = Some(value),
                "interval" | "from" | "to" | "timestamp_override" => {
                    fields.insert(one.key.to_owned(), value.into());
                }
                "max_signals" => {
                    let count = value.parse::<u32>().ok().filter(|count| *count > 0);
                    if count.is_none() {
                        let message = "`max_signals` is a whole number above 0";
                        self.report(codes::SPEC_BLOCK, one.value_span, message);
                    }
                    fields.extend(count.map(|count| (one.key.to_owned(), count.into())));
                }
                _ => {
                    let known = ["name", "id", "interval", "from", "to", "max_signals", "timestamp_override"];
                    self.attribute_error(one, &known);
                }
            }
        }
        let id = id.unwrap_or_else(|| slug(&name));
        QueryRule { block, language, name, id, fields }
    }

    fn events(&mut self, block: Block, info: &Info<'_>) -> Events {
        let mut events = Events::new(EventsFrom::Block(block));
        if info.role == "silent" {
            events.alerts = Some(ExpectedCount { count: 0, span: info.role_span, is_silent: true });
        }
        for one in &info.attributes {
            let outcome = match one.key {
                "alerts" if events.alerts.is_none() => {
                    one.value.parse().map_err(|_| "a number").map(|count| {
                        let span = one.value_span;
                        events.alerts = Some(ExpectedCount { count, span, is_silent: false });
                    })
                }
                "shift" => span_of_time(one.value).map(|shift| events.shift = shift),
                "late" => positive(one.value).map(|late| events.late = Some(late)),
                "every" => span_of_time(one.value).map(|every| events.every = every),
                "repeat" => {
                    let count = one.value.parse().ok().filter(|count| (1..=SPEC_REPEAT_MAX).contains(count));
                    count.map(|count| events.repeat = count).ok_or("a number from 1 to 100000")
                }
                _ => {
                    self.attribute_error(one, &["alerts", "shift", "late", "repeat", "every"]);
                    Ok(())
                }
            };
            if let Err(expected) = outcome {
                let message = format!("`{}` is no value of `{}`: it is {expected}", one.value, one.key);
                self.report(codes::SPEC_BLOCK, one.value_span, message);
            }
        }
        events
    }

    // ---- Expectations

    fn expected(&mut self, block: Block, info: &Info<'_>, expected: &mut Expected) {
        let span = info.role_span;
        match (info.language, info.role) {
            ("ndjson", "alerts") => {
                self.once(expected.alerts.is_some(), span, "ndjson alerts");
                let alerts = self.alerts(&block);
                expected.alerts = Some(ExpectedAlerts { block, alerts });
            }
            ("text", "alerts") => {
                self.once(expected.count.is_some(), span, "text alerts");
                match block.text.trim().parse() {
                    Ok(count) => expected.count = Some((block, count)),
                    Err(_) => self.report(codes::SPEC_CONTENT, block.content, "this is no number of alerts"),
                }
            }
            (_, "stats") => {
                self.once(expected.stats.is_some(), span, "stats");
                match serde_json::from_str(&block.text) {
                    Ok(Value::Object(stats)) => {
                        self.stat_names(&block, &stats);
                        expected.stats = Some((block, stats));
                    }
                    Ok(_) => self.report(codes::SPEC_CONTENT, block.content, "stats are a JSON object"),
                    Err(error) => {
                        let message = format!("the stats are no JSON: {}", reason(&error));
                        self.report(codes::SPEC_CONTENT, block.content, message);
                    }
                }
            }
            (_, "diagnostics") => {
                self.once(expected.diagnostics.is_some(), span, "diagnostics");
                let lines = self.diagnostics_block(&block);
                expected.diagnostics = Some((block, lines));
            }
            _ => {
                self.once(expected.explain.is_some(), span, "explain");
                expected.explain = Some(block);
            }
        }
    }

    /// A misspelt count would be compared with nothing.
    fn stat_names(&mut self, block: &Block, stats: &Map<String, Value>) {
        let known = serde_json::to_value(HuntStats::default()).unwrap_or_default();
        let Value::Object(known) = known else { return };
        for name in stats.keys().filter(|name| !known.contains_key(*name)) {
            let message = format!("a hunt has no stats `{name}`");
            let diagnostic = Diagnostic::new(codes::SPEC_CONTENT, block.content, message);
            self.diagnostics.push(match nearest_names(name, known.keys().map(String::as_str)).first() {
                Some(near) => diagnostic.with_help(format!("did you mean `{near}`?")),
                None => diagnostic,
            });
        }
    }

    fn alerts(&mut self, block: &Block) -> Vec<ExpectedAlert> {
        let mut alerts = Vec::new();
        for (line, span) in lines(block, &self.source.text) {
            match serde_json::from_str(line) {
                Ok(Value::Object(fields)) => alerts.push(ExpectedAlert { fields, text: line.to_owned() }),
                Ok(_) => self.report(codes::SPEC_CONTENT, span, "an expected alert is a JSON object"),
                Err(error) => {
                    self.report(codes::SPEC_CONTENT, span, format!("this is no JSON: {}", reason(&error)));
                }
            }
        }
        alerts
    }

    fn diagnostics_block(&mut self, block: &Block) -> Vec<ExpectedDiagnostic> {
        let mut expected = Vec::new();
        for (line, span) in lines(block, &self.source.text) {
            let (code, rest) = line.split_once(' ').unwrap_or((line, ""));
            let is_code = code.strip_prefix("MX").is_some_and(|digits| {
                digits.len() == 4 && digits.chars().all(|character| character.is_ascii_digit())
            });
            if !is_code {
                self.report(codes::SPEC_CONTENT, span, "the line does not begin with a code like MX1102");
                continue;
            }
            let (first, message) = rest.trim().split_once(' ').unwrap_or((rest.trim(), ""));
            let place = first
                .split_once(':')
                .and_then(|(line, column)| Some((line.parse().ok()?, column.parse().ok()?)));
            expected.push(ExpectedDiagnostic {
                code: code.to_owned(),
                place,
                message: if place.is_some() { message.trim() } else { rest.trim() }.to_owned(),
                text: line.to_owned(),
            });
        }
        expected
    }
}

impl Events {
    fn new(from: EventsFrom) -> Self {
        Self { from, shift: 0, late: None, repeat: 1, every: 0, alerts: None }
    }
}

/// Lines of a block that are not blank, without blanks around them, and where they are in the file.
fn lines<'b>(block: &'b Block, text: &'b str) -> impl Iterator<Item = (&'b str, Span)> {
    let mut start = block.content.start;
    // The block's text is the file's without indentation, line by line.
    let written = block.content.slice(text).split_inclusive('\n').map(move |written| {
        let blank = written.len() - written.trim_start().len();
        let span = Span::new(start + blank, start + written.trim_end().len());
        start += written.len();
        span
    });
    block.text.lines().map(str::trim).zip(written).filter(|(line, _)| !line.is_empty())
}

/// What the JSON parser says, without its own place in the text.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or(&text).to_owned()
}

/// A section's own set-up over what it inherits: each kind as a whole.
fn joined(parts: &Parts, inherited: &Setup) -> Setup {
    let Parts { rules, exceptions, mapping, options, is_broken, .. } = parts;
    Setup {
        rules: if rules.is_empty() { Arc::clone(&inherited.rules) } else { Arc::from(rules.as_slice()) },
        exceptions: if exceptions.is_empty() {
            Arc::clone(&inherited.exceptions)
        } else {
            Arc::from(exceptions.as_slice())
        },
        mapping: mapping.clone().or_else(|| inherited.mapping.clone()),
        options: options.clone().or_else(|| inherited.options.clone()),
        is_broken: inherited.is_broken || *is_broken,
    }
}

fn span_of_time(text: &str) -> Result<i64, &'static str> {
    duration(text).ok_or("a span of time like +5m, -1h30m, 90s, of less than 292 years")
}

fn positive(text: &str) -> Result<i64, &'static str> {
    duration(text)
        .filter(|nanos| *nanos >= 0)
        .ok_or("a span of time like 90s or 1h30m, of less than 292 years")
}

/// A rule id from a name: `A shell, twice` is `a-shell-twice`.
fn slug(name: &str) -> String {
    let words = name.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty());
    let id = words.map(str::to_lowercase).collect::<Vec<_>>().join("-");
    if id.is_empty() { "rule".to_owned() } else { id }
}

/// `%20` and the like as the characters that they stand for.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = (*first == b'%').then(|| after.get(..2)).flatten();
        let byte = code
            .and_then(|code| std::str::from_utf8(code).ok())
            .and_then(|code| u8::from_str_radix(code, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

/// The path without `.` and, where something stands before it, `..`: the same file has one name, as text.
fn plain_path(path: &Path) -> PathBuf {
    use std::path::Component;
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if matches!(plain.components().next_back(), Some(Component::Normal(_))) => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}
