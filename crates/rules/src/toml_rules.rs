//! Elastic's TOML: one rule, or exception lists, a file (specification 1.1).
//!
//! The tables are brought into the API's JSON shape, with the transformations of Elastic's tools, and then read like
//! any rule. Not done, because it needs data that rules do not carry: `related_integrations` and `required_fields`
//! stay as written.
//!
//! Items of `[[exceptions]]` belong to the list of their `[exceptions.container]`. An extension of this program: the
//! container may say `rules = ["<rule id>", …]`, and these rules have the list although they do not name it.
//!
//! ```
//! use std::sync::Arc;
//! use maxspan_diagnostics::Source;
//! use maxspan_rules::{TomlOptions, parse_toml};
//! let text = "[rule]\nname = 'N'\ndescription = 'D'\nrule_id = '00000000-0000-0000-0000-000000000001'\n\
//!             severity = 'low'\nrisk_score = 21\ntype = 'eql'\nlanguage = 'eql'\nquery = 'any where true'\n";
//! let file = parse_toml(&Arc::new(Source::new("rule.toml", text)), &TomlOptions::default());
//! assert_eq!(file.rules[0].name, "N");
//! ```

use std::sync::Arc;

use maxspan_diagnostics::{Diagnostic, Source, Span, codes};
use serde_json::{Map, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::convert::kept::{TOML_TABLE, put_back};
use crate::document::TomlMetadata;
use crate::exceptions::{read_item, read_list};
use crate::field_reader::Places;
use crate::json_places::Step;
use crate::parsed_file::ParsedFile;
use crate::read_rule::{Dialect, RawRule, read_rule};
use crate::toml_text::{normalize_whitespace, plugin_text, split_setup, substitute};
use crate::version_lock::VersionLock;

/// Top-level tables that are known.
const TABLES: [&str; 7] =
    ["metadata", "rule", "transform", "exceptions", "actions", "action_connectors", TOML_TABLE];
/// Actions of these types need no throttle (specification 1.1, conversion step 6).
const ACTIONS_WITHOUT_THROTTLE: [&str; 2] = [".cases", ".workflows"];

/// How TOML rules are taken.
#[derive(Debug, Clone, Copy, Default)]
pub struct TomlOptions<'a> {
    /// Also take rules whose maturity is not `production`.
    pub any_maturity: bool,
    /// Where versions of rules come from; without it they are 1.
    pub version_lock: Option<&'a VersionLock>,
}

/// Reads a TOML file.
pub fn parse_toml(source: &Arc<Source>, options: &TomlOptions<'_>) -> ParsedFile {
    let mut file = ParsedFile::default();
    match DeTable::parse(&source.text) {
        Ok(document) => read_file(source, document.get_ref(), options, &mut file),
        Err(error) => {
            let span = error.span().map_or_else(Span::default, |range| Span::new(range.start, range.end));
            let message = error.message().lines().collect::<Vec<_>>().join(", ");
            file.report(codes::RULE_FORMAT, span, format!("not valid TOML: {message}"));
            file.rules_failed += 1;
        }
    }
    file
}

fn read_file(source: &Arc<Source>, document: &DeTable<'_>, options: &TomlOptions<'_>, file: &mut ParsedFile) {
    for key in document.keys().filter(|key| !TABLES.contains(&key.get_ref().as_ref())) {
        if document.contains_key("rule") || document.contains_key("exceptions") {
            let message = format!("unknown table `{}`", key.get_ref());
            file.report(codes::RULE_FIELD_UNKNOWN, span_of(key), message);
        }
    }
    if let Some(lists) = document.get("exceptions") {
        read_exceptions(source, lists, file);
    }
    match document.get("rule") {
        Some(rule) => read_rule_table(source, document, rule, options, file),
        None if document.contains_key("exceptions") => {}
        None if ["actions", "action_connectors"].iter().any(|table| document.contains_key(*table)) => {
            file.skipped.not_rules += 1;
            file.report(codes::RULE_NOT_A_RULE, Span::default(), "actions and connectors are not run");
        }
        None if document.contains_key("metadata") => {
            file.rules_failed += 1;
            file.report(codes::RULE_FIELD_MISSING, Span::default(), "the table `[rule]` is missing");
        }
        None => {
            file.skipped.not_rules += 1;
            file.report(codes::RULE_NOT_A_RULE, Span::default(), "no table `[rule]` or `[[exceptions]]`");
        }
    }
}

fn read_rule_table(
    source: &Arc<Source>,
    document: &DeTable<'_>,
    rule: &Spanned<DeValue<'_>>,
    options: &TomlOptions<'_>,
    file: &mut ParsedFile,
) {
    let span = span_of(rule);
    let DeValue::Table(table) = rule.get_ref() else {
        file.rules_failed += 1;
        return file.report(codes::RULE_FIELD_INVALID, span, "`rule` must be a table");
    };
    let metadata = read_metadata(document, file);
    // A rule that says nothing about its maturity is somebody's own, and meant to run.
    if !options.any_maturity && metadata.maturity.as_deref().is_some_and(|maturity| maturity != "production")
    {
        file.skipped.immature_rules += 1;
        return;
    }
    let mut fields = json_table(table);
    let transform = document.get("transform").map_or(Value::Null, |value| json_value(value.get_ref()));
    if to_api_shape(&mut fields, &transform) == SetupSection::Kept {
        let message = "`note` keeps its section `## Setup`, because the rule has a `setup` too";
        let note = TablePlaces { table, span }.key("note");
        let rule_id = fields.get("rule_id").and_then(Value::as_str).unwrap_or_default();
        let warning = Diagnostic::new(codes::RULE_FIELD_UNUSUAL, note, message).about_rule(rule_id);
        file.diagnostics.push(warning);
    }
    let kept = document.get_key_value(TOML_TABLE);
    if let Some((key, value)) = kept
        && let Err(message) = put_back(&mut fields, &json_value(value.get_ref()))
    {
        file.rules_failed += 1;
        return file.report(codes::RULE_FIELD_INVALID, span_of(key), message);
    }
    put_version(&mut fields, options.version_lock);
    let field_spans = table.iter().map(|(key, value)| (key.get_ref().to_string(), span_of(value))).collect();
    file.add_rule(read_rule(RawRule {
        fields,
        places: &TablePlaces { table, span },
        // What came from Kibana is held to what Kibana asks for.
        dialect: if kept.is_some() { Dialect::Api } else { Dialect::Toml },
        source,
        span,
        field_spans,
        metadata: Some(metadata),
    }));
}

fn read_metadata(document: &DeTable<'_>, file: &mut ParsedFile) -> TomlMetadata {
    let Some(metadata) = document.get("metadata") else {
        return TomlMetadata::default();
    };
    serde_json::from_value(json_value(metadata.get_ref())).unwrap_or_else(|error| {
        file.report(codes::RULE_FIELD_INVALID, span_of(metadata), format!("`metadata`: {error}"));
        TomlMetadata::default()
    })
}

/// What became of a `## Setup` section of the note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SetupSection {
    /// There is none.
    Absent,
    /// It is the rule's `setup` now.
    Moved,
    /// It stays, because the rule has a `setup` too.
    Kept,
}

/// The conversion of specification 1.1, in place. The version is not part of it: [`put_version`].
pub(crate) fn to_api_shape(fields: &mut Map<String, Value>, transform: &Value) -> SetupSection {
    for (_, value) in fields.iter_mut().filter(|(key, _)| !["query", "note", "setup"].contains(&key.as_str()))
    {
        normalize_whitespace(value);
    }
    flatten_new_terms(fields);
    close_references(fields);
    null_throttles(fields);
    substitute_plugins(fields, transform);
    move_setup(fields)
}

/// The published version, unless the rule says one.
pub(crate) fn put_version(fields: &mut Map<String, Value>, version_lock: Option<&VersionLock>) {
    let rule_id = fields.get("rule_id").and_then(Value::as_str);
    if let Some(version) = rule_id.and_then(|rule_id| version_lock?.version_of(rule_id))
        && !fields.contains_key("version")
    {
        fields.insert("version".to_owned(), Value::from(version));
    }
}

/// `new_terms = {field, value, history_window_start = [{field, value}]}` becomes two flat fields.
fn flatten_new_terms(fields: &mut Map<String, Value>) {
    let Some(Value::Object(mut nested)) = fields.shift_remove("new_terms") else {
        return;
    };
    if let Some(names) = nested.shift_remove("value") {
        fields.insert("new_terms_fields".to_owned(), names);
    }
    let start = nested.shift_remove("history_window_start");
    if let Some(start) = start.as_ref().and_then(|start| start.get(0)?.get("value")) {
        fields.insert("history_window_start".to_owned(), start.clone());
    }
}

/// References of `threat` end in a slash.
fn close_references(fields: &mut Map<String, Value>) {
    fn close(value: &mut Value) {
        match value {
            Value::Array(values) => values.iter_mut().for_each(close),
            Value::Object(map) => {
                for (key, value) in map.iter_mut() {
                    match value {
                        Value::String(link) if key == "reference" && !link.ends_with('/') => link.push('/'),
                        _ => close(value),
                    }
                }
            }
            _ => {}
        }
    }
    if let Some(threat) = fields.get_mut("threat") {
        close(threat);
    }
}

/// `actions[].frequency.throttle` is null where it is not written.
fn null_throttles(fields: &mut Map<String, Value>) {
    let Some(Value::Array(actions)) = fields.get_mut("actions") else {
        return;
    };
    for action in actions {
        let action_type = action.get("action_type_id").and_then(Value::as_str).unwrap_or("");
        if ACTIONS_WITHOUT_THROTTLE.contains(&action_type) {
            continue;
        }
        if let Some(Value::Object(frequency)) = action.get_mut("frequency") {
            frequency.entry("throttle").or_insert(Value::Null);
        }
    }
}

/// `$osquery_0` in the note becomes the first `[[transform.osquery]]`, and so on.
fn substitute_plugins(fields: &mut Map<String, Value>, transform: &Value) {
    let Some(Value::String(note)) = fields.get_mut("note").filter(|_| transform.is_object()) else {
        return;
    };
    let plugin = |name: &str| {
        let (plugin, index) = name.rsplit_once('_')?;
        let table = transform.get(plugin)?.get(index.parse::<usize>().ok()?)?;
        Some(plugin_text(plugin, table))
    };
    *note = substitute(note, &plugin);
}

/// A `## Setup` section of the note becomes `setup`, unless the rule has one.
fn move_setup(fields: &mut Map<String, Value>) -> SetupSection {
    let Some((note, setup)) = fields.get("note").and_then(Value::as_str).and_then(split_setup) else {
        return SetupSection::Absent;
    };
    if fields.get("setup").and_then(Value::as_str).is_some_and(|setup| !setup.is_empty()) {
        return SetupSection::Kept;
    }
    fields.insert("note".to_owned(), Value::String(note));
    fields.insert("setup".to_owned(), Value::String(setup));
    SetupSection::Moved
}

/// `[[exceptions]]` with `container` and `items`.
fn read_exceptions(source: &Arc<Source>, lists: &Spanned<DeValue<'_>>, file: &mut ParsedFile) {
    let DeValue::Array(lists) = lists.get_ref() else {
        return file.fail_exception(span_of(lists), "`exceptions` must be a list of tables");
    };
    for list in lists {
        let (Some(container), items) = (list.get_ref().get("container"), list.get_ref().get("items")) else {
            file.fail_exception(span_of(list), "`container` is missing");
            continue;
        };
        let mut inherited = Vec::new();
        if let Some(container) = exception_fields(container, file) {
            let names = ["list_id", "namespace_type"];
            inherited.extend(names.map(|name| (name, container.fields.get(name).cloned())));
            file.add_list(read_list(container.fields, &container.places));
        }
        let items = match items.map(Spanned::get_ref) {
            None => continue,
            Some(DeValue::Array(items)) => items,
            Some(_) => {
                file.fail_exception(span_of(list), "`items` must be a list of tables");
                continue;
            }
        };
        for item in items {
            if let Some(mut item) = exception_fields(item, file) {
                // Items of a container belong to it, also where they do not say so.
                for (name, value) in &inherited {
                    if let (Some(value), false) = (value, item.fields.contains_key(*name)) {
                        item.fields.insert((*name).to_owned(), value.clone());
                    }
                }
                file.add_item(read_item(item.fields, &item.places, source));
            }
        }
    }
}

struct ExceptionTable<'a> {
    fields: Map<String, Value>,
    places: TablePlaces<'a>,
}

fn exception_fields<'a>(
    value: &'a Spanned<DeValue<'a>>,
    file: &mut ParsedFile,
) -> Option<ExceptionTable<'a>> {
    if let DeValue::Table(table) = value.get_ref() {
        Some(ExceptionTable {
            fields: json_table(table),
            places: TablePlaces { table, span: span_of(value) },
        })
    } else {
        file.fail_exception(span_of(value), "must be a table");
        None
    }
}

/// Places of a TOML table's fields.
struct TablePlaces<'a> {
    table: &'a DeTable<'a>,
    span: Span,
}

impl Places for TablePlaces<'_> {
    fn value(&self, path: &[Step<'_>]) -> Span {
        let Some((Step::Key(first), rest)) = path.split_first() else {
            return self.span;
        };
        // Flat names of the API that TOML nests.
        let nested = matches!(*first, "new_terms_fields" | "history_window_start").then_some("new_terms");
        let written = self.table.get(*first).or_else(|| self.table.get(nested?));
        let Some(mut found) = written else {
            return self.span;
        };
        for step in rest {
            let next = match step {
                Step::Key(name) => found.get_ref().get(*name),
                Step::Index(index) => found.get_ref().get(*index),
            };
            match next {
                Some(next) => found = next,
                None => break,
            }
        }
        span_of(found)
    }

    fn key(&self, name: &str) -> Span {
        self.table.get_key_value(name).map_or(self.span, |(key, _)| span_of(key))
    }
}

fn span_of<T>(spanned: &Spanned<T>) -> Span {
    let range = spanned.span();
    Span::new(range.start, range.end)
}

fn json_table(table: &DeTable<'_>) -> Map<String, Value> {
    table.iter().map(|(key, value)| (key.get_ref().to_string(), json_value(value.get_ref()))).collect()
}

/// TOML as JSON; dates become texts, and numbers that JSON cannot hold (`inf`, `nan`) too.
fn json_value(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::from(text.as_ref()),
        DeValue::Integer(number) => {
            let parsed = i64::from_str_radix(number.as_str(), number.radix());
            parsed.map_or_else(|_| Value::from(number.to_string()), Value::from)
        }
        DeValue::Float(number) => {
            let parsed = number.as_str().parse::<f64>().ok().and_then(serde_json::Number::from_f64);
            parsed.map_or_else(|| Value::from(number.to_string()), Value::Number)
        }
        DeValue::Boolean(flag) => Value::from(*flag),
        DeValue::Datetime(moment) => Value::from(moment.to_string()),
        DeValue::Array(values) => values.iter().map(|value| json_value(value.get_ref())).collect(),
        DeValue::Table(table) => Value::Object(json_table(table)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{RuleDocument, RuleParams};

    const BASE: &str = "name = 'N'\ndescription = 'D'\nrule_id = '00000000-0000-0000-0000-00000000000a'\n\
                        severity = 'low'\nrisk_score = 21\n";
    const QUERY: &str = "type = 'query'\nquery = 'a:1'\n";

    fn parse(text: &str, options: &TomlOptions<'_>) -> (Arc<Source>, ParsedFile) {
        let source = Arc::new(Source::new("rule.toml", text));
        let file = parse_toml(&source, options);
        (source, file)
    }

    fn rule(body: &str) -> RuleDocument {
        let (source, mut file) = parse(&format!("[rule]\n{BASE}{body}"), &TomlOptions::default());
        let messages = maxspan_diagnostics::render(&source, &file.diagnostics);
        assert!(file.diagnostics.is_empty(), "{messages}");
        file.rules.remove(0)
    }

    #[test]
    fn texts_are_brought_into_shape() {
        let rule = rule(
            "type = 'eql'\nlanguage = 'eql'\nquery = '''\n any\n where true '''\nlicense = \"\"\"\n  a\n  b\n\"\"\"\n\
             note = ' as is '\nthreat = [{framework = 'F', tactic = {id = 'T', name = 'T', reference = 'https://x/T'}}]",
        );
        assert_eq!(rule.license.as_deref(), Some("a b"));
        assert_eq!(rule.query, " any\n where true ");
        assert_eq!(rule.note.as_deref(), Some(" as is "));
        assert_eq!(rule.threat[0].tactic.reference, "https://x/T/");
        assert!(rule.threat[0].technique.is_empty());
        assert!(rule.origin.query_verbatim);
        assert_eq!(rule.origin.query_span.unwrap().slice(&rule.origin.source.text), rule.query);
    }

    #[test]
    fn an_escaped_query_has_its_own_text() {
        let rule = rule("type = 'query'\nquery = \"a:\\\"b\\\"\"\n");
        assert_eq!((rule.query.as_str(), rule.origin.query_verbatim), ("a:\"b\"", false));
        let (source, shift) = rule.origin.query_source(&rule.rule_id, &rule.query);
        assert_eq!((source.text.as_str(), shift), ("a:\"b\"", 0));
    }

    #[test]
    fn nested_new_terms_become_flat() {
        let nested = "type = 'new_terms'\nquery = 'a:1'\n[rule.new_terms]\nfield = 'new_terms_fields'\nvalue = ['x', 'y']\n\
                      [[rule.new_terms.history_window_start]]\nfield = 'history_window_start'\nvalue = 'now-7d'\n";
        let flat = "type = 'new_terms'\nquery = 'a:1'\nnew_terms_fields = ['x', 'y']\nhistory_window_start = 'now-7d'\n";
        for body in [nested, flat] {
            let RuleParams::NewTerms(params) = rule(body).params else { panic!("not new_terms") };
            assert_eq!(
                (params.fields.join(" "), params.history_window_start.text),
                ("x y".into(), "now-7d".into())
            );
        }
    }

    #[test]
    fn plugins_and_setup_come_out_of_the_note() {
        let text = format!(
            "[transform]\n[[transform.osquery]]\nlabel = 'L'\nquery = 'SELECT 1'\n\
             [rule]\n{BASE}{QUERY}note = '''a $osquery_0 $osquery_1\n## Setup\ndo'''\n"
        );
        let (_, file) = parse(&text, &TomlOptions::default());
        let expected = r#"a !{osquery{"label":"L","query":"SELECT 1"}} $osquery_1"#;
        assert_eq!(file.rules[0].note.as_deref(), Some(expected));
        assert_eq!(file.rules[0].setup, "do");
    }

    #[test]
    fn versions_come_from_the_lock_unless_the_rule_has_one() {
        let lock = r#"{"00000000-0000-0000-0000-00000000000a": {"version": 7, "rule_name": "N"}}"#;
        let lock = VersionLock::parse(lock).unwrap();
        let options = TomlOptions { version_lock: Some(&lock), any_maturity: false };
        for (extra, expected) in [("", 7), ("version = 3\n", 3)] {
            let (_, file) = parse(&format!("[rule]\n{BASE}{QUERY}{extra}"), &options);
            assert_eq!(file.rules[0].version, expected);
        }
        assert_eq!(rule(QUERY).version, 1);
    }

    #[test]
    fn only_production_rules_are_taken_unless_asked() {
        let check = |maturity: &str, any_maturity: bool, expected: (usize, usize)| {
            let text = format!("[metadata]\n{maturity}\n[rule]\n{BASE}{QUERY}");
            let (_, file) = parse(&text, &TomlOptions { any_maturity, version_lock: None });
            assert_eq!((file.rules.len(), file.skipped.immature_rules), expected, "{maturity}");
        };
        check("maturity = 'production'", false, (1, 0));
        check("maturity = 'development'", false, (0, 1));
        check("maturity = 'development'", true, (1, 0));
        check("", false, (1, 0));
    }

    #[test]
    fn throttles_are_null_where_not_written() {
        let rule = rule(&format!(
            "{QUERY}actions = [{{action_type_id = '.email', frequency = {{summary = true}}}}, \
             {{action_type_id = '.cases', frequency = {{summary = true}}}}, {{action_type_id = '.email'}}]\n"
        ));
        assert_eq!(
            serde_json::to_string(&rule.actions).unwrap(),
            r#"[{"action_type_id":".email","frequency":{"summary":true,"throttle":null}},{"action_type_id":".cases","frequency":{"summary":true}},{"action_type_id":".email"}]"#
        );
    }

    #[test]
    fn problems_are_reported_with_line_and_column() {
        let check = |text: &str, expected: &str| {
            let (source, file) = parse(text, &TomlOptions::default());
            let found: Vec<_> = file
                .diagnostics
                .iter()
                .map(|diagnostic| {
                    let place = source.position(diagnostic.span.start);
                    format!("{} {place} {}", diagnostic.code.info().name, diagnostic.message)
                })
                .collect();
            assert_eq!(found.join("\n"), expected, "{text}");
        };
        check(
            "[rule]\nname = \n",
            "rule-format 2:8 not valid TOML: string values must be quoted, expected literal string",
        );
        check("x = 1\n", "rule-not-a-rule 1:1 no table `[rule]` or `[[exceptions]]`");
        check("[metadata]\n", "rule-field-missing 1:1 the table `[rule]` is missing");
        check("[[actions]]\n", "rule-not-a-rule 1:1 actions and connectors are not run");
        check("rule = 1\n", "rule-field-invalid 1:8 `rule` must be a table");
        let base = BASE.replace("'low'", "'grave'");
        check(
            &format!("[rule]\n{base}{QUERY}"),
            "rule-field-invalid 5:12 `severity` must be low, medium, high or critical, not `grave`",
        );
        let base = BASE.replace("name = 'N'\n", "");
        check(&format!("[rule]\n{base}{QUERY}"), "rule-field-missing 1:1 `name` is missing");
        check(&format!("[rule]\n{BASE}{QUERY}nam = 1\n"), "rule-field-unknown 9:1 unknown field `nam`");
        check(&format!("[rule]\n{BASE}{QUERY}[roole]\n"), "rule-field-unknown 9:2 unknown table `roole`");
        check(
            &format!("[rule]\n{BASE}type = 'query'\nlanguage = 'kuery'\n"),
            "rule-field-missing 1:1 `query` is missing",
        );
        check(
            &format!("[rule]\n{BASE}{QUERY}index = ['a']\ndata_view_id = 'v'\n"),
            "rule-field-invalid 10:16 `data_view_id` and `index` exclude each other",
        );
    }

    #[test]
    fn exceptions_belong_to_their_container() {
        let text = "[metadata]\n[[exceptions]]\n[exceptions.container]\nlist_id = 'l'\nname = 'L'\ntype = 'detection'\n\
                    [[exceptions.items]]\nitem_id = 'i'\nname = 'I'\ntype = 'simple'\n\
                    entries = [{field = 'a', type = 'match', operator = 'included', value = 'x'}]\n";
        let (_, file) = parse(text, &TomlOptions::default());
        assert!(file.diagnostics.is_empty(), "{:?}", file.diagnostics);
        assert_eq!((file.lists[0].list_id.as_str(), file.exceptions_failed), ("l", 0));
        assert_eq!((file.items[0].item_id.as_str(), file.items[0].list_id.as_str()), ("i", "l"));
        let text = text.replace("name = 'L'\n", "namespace_type = 'agnostic'\nrules = ['r']\n");
        let (_, file) = parse(&text, &TomlOptions::default());
        assert_eq!(file.lists[0].rules, ["r"]);
        assert_eq!(file.items[0].namespace_type, "agnostic");
    }

    #[test]
    fn exceptions_that_cannot_be_read_are_counted() {
        let check = |text: &str, expected: (usize, usize, &str)| {
            let (_, file) = parse(text, &TomlOptions::default());
            let messages: Vec<_> =
                file.diagnostics.iter().map(|diagnostic| diagnostic.message.as_str()).collect();
            assert_eq!(
                (file.items.len(), file.exceptions_failed, messages.join(", ").as_str()),
                expected,
                "{text}"
            );
        };
        let entry = "entries = [{field = 'a', type = 'exists', operator = 'included'}]";
        let items = "[[exceptions]]\ncontainer = {list_id = 'l'}\n[[exceptions.items]]\n";
        check(&format!("{items}{entry}\n[[exceptions.items]]\n{entry}"), (2, 0, ""));
        check(&format!("{items}name = 'N'\n{entry}\n[[exceptions.items]]\nname = 'N'\n{entry}"), (2, 0, ""));
        check(&format!("{items}name = 'N'"), (0, 1, "`entries` is missing"));
        check("exceptions = 1", (0, 1, "`exceptions` must be a list of tables"));
        check("[[exceptions]]\nitems = []", (0, 1, "`container` is missing"));
        check(
            "[[exceptions]]\ncontainer = {list_id = 'l'}\nitems = 1",
            (0, 1, "`items` must be a list of tables"),
        );
        check("[[exceptions]]\ncontainer = {list_id = 'l'}\nitems = [1]", (0, 1, "must be a table"));
        check(
            "[[exceptions]]\ncontainer = {list_id = 'l', type = 'endpoint', rules = ['r']}",
            (0, 1, "`rules` cannot be in a list of type `endpoint`, which rules do not have"),
        );
    }
}
