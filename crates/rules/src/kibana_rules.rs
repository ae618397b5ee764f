//! Kibana's exports and packages: NDJSON, JSON lists, single JSON documents (specification 8.1).
//!
//! A line is a rule, an exception list, an exception item, a connector or the details line, told apart by its
//! fields; package assets (`{"type": "security-rule", "attributes": …}`) are rules too. A line that cannot be read
//! does not stop the others.

use std::cell::{OnceCell, RefCell};
use std::sync::Arc;

use maxspan_diagnostics::{Source, Span, codes};
use serde_json::{Map, Value};

use crate::convert::kept::take_kept;
use crate::exceptions::{read_item, read_list};
use crate::field_reader::{Places, kind_of};
use crate::json_places::{Member, Step, elements, key_is, locate, members};
use crate::parsed_file::ParsedFile;
use crate::read_rule::{Dialect, RawRule, read_rule};

/// Reads a file with one JSON document a line; empty lines are allowed, and a line may hold a list of documents.
///
/// A file that is one JSON document over several lines counts as JSON.
pub fn parse_ndjson(source: &Arc<Source>) -> ParsedFile {
    let mut file = ParsedFile::default();
    if !first_line_is_document(&source.text)
        && let Ok(document) = serde_json::from_str(&source.text)
    {
        read_documents(source, document, 0, &mut file);
        return file;
    }
    let mut start = 0;
    for line in source.text.split_inclusive('\n') {
        if !line.trim().is_empty() {
            match serde_json::from_str(line) {
                Ok(document) => read_documents(source, document, start, &mut file),
                Err(error) => report_json_error(&error, line, start, &mut file),
            }
        }
        start += line.len();
    }
    file
}

/// Reads a document, or a list of documents.
fn read_documents(source: &Arc<Source>, document: Value, start: usize, file: &mut ParsedFile) {
    let Value::Array(documents) = document else {
        return read_document(source, document, start, file);
    };
    let places = elements(&source.text, start).unwrap_or_default();
    for (index, document) in documents.into_iter().enumerate() {
        read_document(source, document, places.get(index).map_or(start, |span| span.start), file);
    }
}

/// Reads a file that is one JSON document: a list of rules, or a single one.
///
/// Exports are often given the extension `.json`: where the first line alone is a document, the file counts as NDJSON.
pub fn parse_json(source: &Arc<Source>) -> ParsedFile {
    let mut file = ParsedFile::default();
    match serde_json::from_str(&source.text) {
        Ok(document) => read_documents(source, document, 0, &mut file),
        Err(_) if first_line_is_document(&source.text) => return parse_ndjson(source),
        Err(error) => report_json_error(&error, &source.text, 0, &mut file),
    }
    file
}

fn first_line_is_document(text: &str) -> bool {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("");
    serde_json::from_str::<serde::de::IgnoredAny>(first).is_ok()
}

fn report_json_error(error: &serde_json::Error, text: &str, start: usize, file: &mut ParsedFile) {
    // serde_json counts lines from 1 and columns in bytes from 1; its text repeats both, which the span says already.
    let before: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    let mut at = (before + error.column().saturating_sub(1)).min(text.trim_end().len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let message = error.to_string();
    let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message);
    file.rules_failed += 1;
    file.report(codes::RULE_FORMAT, Span::at(start + at), format!("not valid JSON: {message}"));
}

/// What a JSON document of an export is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentKind {
    /// A rule.
    Rule,
    /// A package asset with a rule in it.
    Asset,
    /// An exception list.
    List,
    /// An exception item.
    Item,
    /// A connector.
    Connector,
    /// The line that ends an export.
    Details,
    /// None of these.
    Unknown,
}

/// Tells documents of an export apart by their fields.
pub fn classify(fields: &Map<String, Value>) -> DocumentKind {
    let has = |name: &str| fields.contains_key(name);
    let type_is = |name: &str| fields.get("type").and_then(Value::as_str) == Some(name);
    if has("exported_count") || has("exported_rules_count") {
        DocumentKind::Details
    } else if type_is("security-rule") && has("attributes") {
        DocumentKind::Asset
    } else if type_is("action") && has("attributes") {
        DocumentKind::Connector
    } else if has("rule_id") {
        DocumentKind::Rule
    } else if has("entries") || has("item_id") {
        DocumentKind::Item
    } else if has("list_id") {
        DocumentKind::List
    } else if has("type") && (has("risk_score") || has("severity") || has("query")) {
        DocumentKind::Rule
    } else {
        DocumentKind::Unknown
    }
}

fn read_document(source: &Arc<Source>, document: Value, start: usize, file: &mut ParsedFile) {
    let span = locate(&source.text, start, &[]).unwrap_or(Span::at(start));
    let mut fields = match document {
        Value::Object(fields) => fields,
        other => {
            file.skipped.not_rules += 1;
            return file.report(codes::RULE_NOT_A_RULE, span, format!("not a rule, but {}", kind_of(&other)));
        }
    };
    let places = ObjectPlaces::new(&source.text, span);
    match classify(&fields) {
        DocumentKind::Rule => file.add_rule(read_rule(raw_rule(source, fields, &places))),
        DocumentKind::Asset => {
            if let Some(Value::Object(attributes)) = fields.shift_remove("attributes") {
                let inner = locate(&source.text, start, &[Step::Key("attributes")]).unwrap_or(span);
                let places = ObjectPlaces::new(&source.text, inner);
                file.add_rule(read_rule(raw_rule(source, attributes, &places)));
            } else {
                file.rules_failed += 1;
                file.report(codes::RULE_FIELD_INVALID, span, "`attributes` must be an object");
            }
        }
        DocumentKind::List => file.add_list(read_list(fields, &places)),
        DocumentKind::Item => file.add_item(read_item(fields, &places, source)),
        DocumentKind::Connector => file.skipped.connectors += 1,
        DocumentKind::Details => file.skipped.details_lines += 1,
        DocumentKind::Unknown => {
            file.skipped.not_rules += 1;
            file.report(codes::RULE_NOT_A_RULE, Span::at(span.start), "neither a rule nor an exception");
        }
    }
}

fn raw_rule<'a>(
    source: &'a Arc<Source>,
    mut fields: Map<String, Value>,
    places: &'a ObjectPlaces<'a>,
) -> RawRule<'a> {
    let field_spans =
        places.members().iter().map(|member| (key_text(member.key.slice(places.text)), member.value));
    // A rule that was TOML once is the same rule again.
    let metadata = take_kept(&mut fields).and_then(|kept| kept.metadata());
    RawRule {
        fields,
        places,
        dialect: Dialect::Api,
        source,
        span: places.span,
        field_spans: field_spans.collect(),
        metadata,
    }
}

/// Places of a JSON object's fields. The text is scanned once for all of them, and once for each list that messages
/// are about.
struct ObjectPlaces<'a> {
    text: &'a str,
    span: Span,
    members: OnceCell<Vec<Member>>,
    /// The list that was asked for last: its start, and its elements.
    list: RefCell<Option<(usize, Vec<Span>)>>,
}

impl<'a> ObjectPlaces<'a> {
    fn new(text: &'a str, span: Span) -> Self {
        Self { text, span, members: OnceCell::new(), list: RefCell::new(None) }
    }

    fn members(&self) -> &[Member] {
        self.members.get_or_init(|| members(self.text, self.span.start).unwrap_or_default())
    }

    fn member(&self, name: &str) -> Option<Member> {
        self.members().iter().copied().find(|member| key_is(member.key.slice(self.text), name))
    }

    fn element(&self, list: usize, index: usize) -> Option<Span> {
        let mut last = self.list.borrow_mut();
        if last.as_ref().is_none_or(|(start, _)| *start != list) {
            *last = Some((list, elements(self.text, list).unwrap_or_default()));
        }
        last.as_ref()?.1.get(index).copied()
    }

    fn find(&self, path: &[Step<'_>]) -> Option<Span> {
        let (start, rest) = match path {
            [] => return Some(self.span),
            [Step::Key(name), rest @ ..] => (self.member(name)?.value, rest),
            [Step::Index(_), ..] => return None,
        };
        match rest {
            [] => Some(start),
            [Step::Index(index), rest @ ..] => match self.element(start.start, *index) {
                Some(element) => locate(self.text, element.start, rest),
                None => Some(start),
            },
            _ => locate(self.text, start.start, rest),
        }
    }

    /// A whole object is too much to show: its beginning stands for it.
    fn beginning(&self) -> Span {
        Span::new(self.span.start, (self.span.start + 1).min(self.span.end))
    }
}

impl Places for ObjectPlaces<'_> {
    fn value(&self, path: &[Step<'_>]) -> Span {
        self.find(path).unwrap_or_else(|| self.beginning())
    }

    fn key(&self, name: &str) -> Span {
        self.member(name).map_or_else(|| self.beginning(), |member| member.key)
    }
}

fn key_text(quoted: &str) -> String {
    serde_json::from_str(quoted).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: &str =
        r#"{"rule_id":"r1","name":"N","description":"D","severity":"low","risk_score":1,"type":"query"}"#;

    fn summary(source: &Source, file: &ParsedFile) -> String {
        let mut parts: Vec<_> = file.rules.iter().map(|rule| rule.rule_id.clone()).collect();
        parts.extend(file.lists.iter().map(|list| format!("list:{}", list.list_id)));
        parts.extend(file.items.iter().map(|item| format!("item:{}", item.item_id)));
        parts.extend(file.diagnostics.iter().map(|diagnostic| {
            format!("{}@{}", diagnostic.code.info().name, source.position(diagnostic.span.start))
        }));
        parts.join(" ")
    }

    #[test]
    fn lines_are_told_apart() {
        let check = |text: &str, expected: &str| {
            let source = Arc::new(Source::new("export.ndjson", text));
            assert_eq!(summary(&source, &parse_ndjson(&source)), expected, "{text}");
        };
        check(&format!("{RULE}\n\n{}\r\n", RULE.replace("r1", "r2")), "r1 r2");
        check(r#"{"list_id":"l","type":"detection","name":"L"}"#, "list:l");
        check(
            r#"{"list_id":"l","item_id":"i","entries":[{"field":"a","type":"exists","operator":"included"}]}"#,
            "item:i",
        );
        check(r#"{"exported_count":3,"exported_rules_count":1}"#, "");
        check(r#"{"id":"c","type":"action","attributes":{}}"#, "");
        check(&format!(r#"{{"id":"p","type":"security-rule","attributes":{RULE}}}"#), "r1");
        check(&format!("{{\"a\":\n{RULE}"), "r1 rule-format@1:6");
        check(&format!("{{\"x\": 1 y}}\n{RULE}"), "r1 rule-format@1:9");
        check("{\"x\": 1}\n[1]", "rule-not-a-rule@1:1 rule-not-a-rule@2:2");
        let other = RULE.replace("r1", "r2");
        check(&format!("[{RULE}, {other}]\n{}", RULE.replace("r1", "r3")), "r1 r2 r3");
        check(&RULE.replace(',', ",\n"), "r1");
        check(&format!("[\n{RULE},\n{other}\n]\n"), "r1 r2");
        check(&format!("{RULE}\n{}", RULE.replace("\"low\"", "7")), "r1 rule-field-invalid@2:57");
        check(&RULE.replace("\"rule_id\":\"r1\",", ""), "rule-field-missing@1:1");
        check(
            r#"{"id":"p","type":"security-rule","attributes":{"rule_id":"r","type":"q"}}"#,
            "rule-type-unknown@1:69",
        );
    }

    #[test]
    fn messages_about_a_rule_are_limited() {
        let check = |fields: &str, expected: (usize, usize, &str)| {
            let text = RULE.replace("\"type\"", &format!("{fields},\"type\""));
            let source = Arc::new(Source::new("rules.json", text));
            let file = parse_json(&source);
            let last = file.diagnostics.last().map_or("", |diagnostic| diagnostic.message.as_str());
            assert_eq!((file.rules.len(), file.diagnostics.len(), last), expected, "{fields:.40}");
        };
        let ones = |count: usize| format!("\"tags\":[{}]", vec!["1"; count].join(","));
        let unknown =
            |count: usize| (0..count).map(|n| format!("\"unknown{n}\":1")).collect::<Vec<_>>().join(",");
        // A scan of the text for each message would take minutes here.
        check(&ones(100), (0, 100, "`tags` must hold texts, not a number"));
        check(&ones(50_000), (0, 101, "and 49900 more messages"));
        check(&unknown(50_000), (1, 101, "and 49900 more messages"));
        // An error among many warnings still makes the rule unusable.
        let actions: Vec<_> =
            (0..200).map(|n| format!("{{\"id\":\"a\",\"list_id\":\"l\",\"type\":\"detection\",\"namespace_type\":\"single\",\"x{n}\":1}}")).collect();
        check(
            &format!("\"exceptions_list\":[{}],\"setup\":1,\"tags\":[1]", actions.join(",")),
            (0, 101, "and 102 more messages"),
        );
    }

    #[test]
    fn a_json_file_is_a_rule_a_list_or_an_export() {
        let check = |text: &str, expected: &str| {
            let source = Arc::new(Source::new("rules.json", text));
            assert_eq!(summary(&source, &parse_json(&source)), expected, "{text}");
        };
        let other = RULE.replace("r1", "r2");
        check(RULE, "r1");
        check(&RULE.replace(',', ",\n"), "r1");
        check(&format!("[{RULE},\n{other}]"), "r1 r2");
        check(&format!("{RULE}\n{other}\n"), "r1 r2");
        check(&format!("[{RULE},\n  {}]", RULE.replace("\"query\"", "\"kql\"")), "r1 rule-type-unknown@2:87");
        check("{\n \"a\": }", "rule-format@2:7");
        check("3", "rule-not-a-rule@1:1");
        check("", "rule-format@1:1");
    }
}
