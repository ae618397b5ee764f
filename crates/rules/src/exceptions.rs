//! Exception lists: what is not to give an alert, although a rule matches (specification 4.6).
//!
//! Entries of an item hold together; items are alternatives; the whole is negated. Making predicates of them is not
//! done here. [`ExceptionStore::items_for`] says which items a rule has at a given time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use maxspan_diagnostics::{Diagnostic, Source, Span, codes, has_errors};
use serde_json::{Map, Value};

use crate::document::{ExceptionListRef, RuleDocument};
use crate::field_reader::{FieldCodes, FieldReader, Places, kind_of};
use crate::json_places::Step;

/// The list of Elastic Endpoint: the agent applies it, the detection engine does not.
pub const ENDPOINT_LIST_ID: &str = "endpoint_list";

const CODES: FieldCodes = FieldCodes {
    missing: codes::EXCEPTION_FORMAT,
    invalid: codes::EXCEPTION_FORMAT,
    unknown: codes::EXCEPTION_FIELD_UNKNOWN,
};

/// Fields that lists and items have in exports, and that decide nothing here.
const WITHOUT_EFFECT: [&str; 12] = [
    "id",
    "_version",
    "version",
    "tie_breaker_id",
    "immutable",
    "created_at",
    "created_by",
    "updated_at",
    "updated_by",
    "meta",
    "comments",
    "type",
];

/// An exception list: the container of items.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExceptionList {
    /// The id that items and rules name.
    pub list_id: String,
    /// The name.
    pub name: String,
    /// `detection`, `rule_default`, `endpoint` …
    pub list_type: String,
    /// `single` or `agnostic`.
    pub namespace_type: String,
    /// Ids of rules that have the list although they do not name it: an extension of this program (`rules`), so that
    /// rules need not be changed for an exception.
    pub rules: Vec<String>,
    /// Where it is written.
    pub span: Span,
}

/// One exception: all entries must hold.
#[derive(Debug, Clone)]
pub struct ExceptionItem {
    /// The item's id; its place (`file:line:column`) where it has none.
    pub item_id: String,
    /// The list that it belongs to.
    pub list_id: String,
    /// The name.
    pub name: String,
    /// `single` or `agnostic`, as its list.
    pub namespace_type: String,
    /// Operating systems that it is for (`windows`, `linux`, `macos`); none for all.
    pub os_types: Vec<String>,
    /// Tags.
    pub tags: Vec<String>,
    /// What must hold together, at least one.
    pub entries: Vec<Entry>,
    /// From when on it has no effect, in milliseconds since 1970; none for never.
    pub expire_time_ms: Option<i64>,
    /// The file.
    pub source: Arc<Source>,
    /// Where it is written.
    pub span: Span,
}

/// Whether an entry must hold, or must not. "Must not" is also true of an event without the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `included`
    Included,
    /// `excluded`
    Excluded,
}

/// One condition of an exception item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// The field has exactly this value; case counts.
    Match {
        /// Field.
        field: String,
        /// Value.
        value: String,
        /// Must it, or must it not.
        operator: Operator,
    },
    /// The field has exactly one of these values; case counts.
    MatchAny {
        /// Field.
        field: String,
        /// Values.
        values: Vec<String>,
        /// Must it, or must it not.
        operator: Operator,
    },
    /// The field matches a pattern of `*` and `?`; case counts.
    Wildcard {
        /// Field.
        field: String,
        /// Pattern.
        value: String,
        /// Must it, or must it not.
        operator: Operator,
    },
    /// The field has a value.
    Exists {
        /// Field.
        field: String,
        /// Must it, or must it not.
        operator: Operator,
    },
    /// The field's value is in a value list.
    List {
        /// Field.
        field: String,
        /// The value list's id.
        list_id: String,
        /// Its type: `keyword`, `ip`, `ip_range`, `text` …
        list_type: String,
        /// Must it, or must it not.
        operator: Operator,
    },
    /// One nested object satisfies all inner entries; their fields are below `field`.
    Nested {
        /// Path of the nested objects.
        field: String,
        /// `match`, `match_any` and `exists` entries, by fields below `field`.
        entries: Vec<Entry>,
    },
}

/// All exception lists and items of a load.
#[derive(Debug, Clone, Default)]
pub struct ExceptionStore {
    lists: BTreeMap<ListKey, StoredList>,
    /// Lists that name rules, by rule id.
    by_rule: BTreeMap<String, Vec<ListKey>>,
    item_count: usize,
}

/// List id, and whether the list is shared by all spaces.
type ListKey = (String, bool);

#[derive(Debug, Clone, Default)]
struct StoredList {
    list: Option<ExceptionList>,
    items: Vec<ExceptionItem>,
    item_ids: BTreeSet<String>,
}

/// The items of one rule.
#[derive(Debug, Default)]
pub struct RuleExceptions<'a> {
    /// Items in force, in the order of the rule's lists.
    pub items: Vec<&'a ExceptionItem>,
    /// Items that have expired.
    pub expired: usize,
    /// Messages about the rule's text.
    pub diagnostics: Vec<Diagnostic>,
}

impl ExceptionStore {
    /// Keeps a list; false where its id was taken already.
    pub fn insert_list(&mut self, list: ExceptionList) -> bool {
        let key = key(&list.list_id, &list.namespace_type);
        let stored = self.lists.entry(key.clone()).or_default();
        if stored.list.is_some() {
            return false;
        }
        for rule in &list.rules {
            self.by_rule.entry(rule.clone()).or_default().push(key.clone());
        }
        stored.list = Some(list);
        true
    }

    /// Keeps an item; false where its id was taken already.
    pub fn insert_item(&mut self, item: ExceptionItem) -> bool {
        let stored = self.lists.entry(key(&item.list_id, &item.namespace_type)).or_default();
        let fresh = stored.item_ids.insert(item.item_id.clone());
        if fresh {
            self.item_count += 1;
            stored.items.push(item);
        }
        fresh
    }

    /// All lists that are there, in order of their ids.
    pub fn lists(&self) -> impl Iterator<Item = &ExceptionList> {
        self.lists.values().filter_map(|stored| stored.list.as_ref())
    }

    /// How many items there are.
    pub fn item_count(&self) -> usize {
        self.item_count
    }

    /// All items, in order of their lists.
    pub fn items(&self) -> impl Iterator<Item = &ExceptionItem> {
        self.lists.values().flat_map(|stored| &stored.items)
    }

    /// The items that a rule has (specification 4.6), those of its own lists first; without a time, none counts as
    /// expired.
    ///
    /// `endpoint_list` is left out, because Elastic Endpoint applies it before events are sent.
    pub fn items_for(&self, rule: &RuleDocument, now_ms: Option<i64>) -> RuleExceptions<'_> {
        let mut found = RuleExceptions::default();
        for reference in &rule.exceptions_list {
            let key = key(&reference.list_id, &reference.namespace_type);
            if reference.list_id != ENDPOINT_LIST_ID && !self.lists.contains_key(&key) {
                found.diagnostics.push(missing_list(rule, reference));
            }
        }
        let lists = self.list_keys(rule).into_iter().filter_map(|key| self.lists.get(&key));
        for item in lists.flat_map(|stored| &stored.items) {
            if item.is_expired(now_ms) {
                found.expired += 1;
            } else {
                found.items.push(item);
            }
        }
        found
    }

    /// Items that none of the rules has; with those of `endpoint_list`, unless a rule names it.
    pub fn unused<'s>(&'s self, rules: &[RuleDocument]) -> impl Iterator<Item = &'s ExceptionItem> {
        let mut used: BTreeSet<ListKey> = BTreeSet::new();
        for rule in rules {
            used.extend(self.list_keys(rule));
            used.extend(rule.exceptions_list.iter().map(|list| key(&list.list_id, &list.namespace_type)));
        }
        let lists = self.lists.iter().filter(move |(key, _)| !used.contains(*key));
        lists.flat_map(|(_, stored)| &stored.items)
    }

    /// The lists that are applied to a rule: those it names, then those that name it; each once.
    fn list_keys(&self, rule: &RuleDocument) -> Vec<ListKey> {
        let named = rule.exceptions_list.iter().map(|list| key(&list.list_id, &list.namespace_type));
        let naming = self.by_rule.get(&rule.rule_id).into_iter().flatten().cloned();
        let mut keys = Vec::new();
        for key in named.chain(naming).filter(|(id, _)| id != ENDPOINT_LIST_ID) {
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        keys
    }

    /// Takes over what another store has; what is here already goes before it, and gives a message.
    pub(crate) fn merge(&mut self, other: Self, report: &mut dyn FnMut(&ExceptionItem)) {
        for stored in other.lists.into_values() {
            if let Some(list) = stored.list {
                // A list that both have is one list.
                self.insert_list(list);
            }
            for item in stored.items {
                let repeated = item.clone();
                if !self.insert_item(item) {
                    report(&repeated);
                }
            }
        }
    }
}

impl ExceptionItem {
    /// Whether the item has no effect any more.
    pub fn is_expired(&self, now_ms: Option<i64>) -> bool {
        self.expire_time_ms.zip(now_ms).is_some_and(|(expires, now)| expires < now)
    }
}

fn key(list_id: &str, namespace_type: &str) -> ListKey {
    (list_id.to_owned(), namespace_type == "agnostic")
}

fn missing_list(rule: &RuleDocument, reference: &ExceptionListRef) -> Diagnostic {
    let message = format!("exception list `{}` is not there: the rule runs without it", reference.list_id);
    Diagnostic::new(codes::EXCEPTION_LIST_MISSING, rule.origin.field_span("exceptions_list"), message)
        .with_help("load the export that has the list, together with the rules")
}

/// Reads a list's container.
pub(crate) fn read_list(
    mut fields: Map<String, Value>,
    places: &dyn Places,
) -> (Option<ExceptionList>, Vec<Diagnostic>) {
    let list_type = fields.shift_remove("type");
    let mut reader = FieldReader::new(fields, places, CODES);
    let list = ExceptionList {
        list_id: reader.required_text("list_id"),
        name: reader.text("name").unwrap_or_default(),
        list_type: list_type.as_ref().and_then(Value::as_str).unwrap_or("detection").to_owned(),
        namespace_type: read_namespace(&mut reader),
        rules: reader.texts("rules"),
        span: places.value(&[]),
    };
    if !list.rules.is_empty() && !["detection", "rule_default"].contains(&list.list_type.as_str()) {
        let must = format!("cannot be in a list of type `{}`, which rules do not have", list.list_type);
        reader.invalid::<()>("rules", &must);
    }
    reader.pass_over(&["description", "tags", "os_types"]);
    reader.pass_over(&WITHOUT_EFFECT);
    let diagnostics = reader.finish();
    (Some(list).filter(|_| !has_errors(&diagnostics)), diagnostics)
}

/// Reads an item. An item with one entry that cannot be read is not used at all: without that entry it would except
/// more than its author meant.
pub(crate) fn read_item(
    fields: Map<String, Value>,
    places: &dyn Places,
    source: &Arc<Source>,
) -> (Option<ExceptionItem>, Vec<Diagnostic>) {
    let mut reader = FieldReader::new(fields, places, CODES);
    let list_id = reader.required_text("list_id");
    let name = reader.text("name").unwrap_or_default();
    let item = ExceptionItem {
        item_id: reader
            .text("item_id")
            .unwrap_or_else(|| format!("{}:{}", source.name, source.position(places.value(&[]).start))),
        list_id,
        name,
        namespace_type: read_namespace(&mut reader),
        os_types: reader.texts("os_types"),
        tags: reader.texts("tags"),
        entries: read_entries(&mut reader),
        expire_time_ms: read_expire_time(&mut reader),
        source: Arc::clone(source),
        span: places.value(&[]),
    };
    reader.pass_over(&["description"]);
    reader.pass_over(&WITHOUT_EFFECT);
    let diagnostics = reader.finish();
    (Some(item).filter(|_| !has_errors(&diagnostics)), diagnostics)
}

fn read_namespace(reader: &mut FieldReader<'_>) -> String {
    let namespace = reader.text("namespace_type").unwrap_or_else(|| "single".to_owned());
    if !["single", "agnostic"].contains(&namespace.as_str()) {
        reader.invalid::<()>("namespace_type", &format!("must be `single` or `agnostic`, not `{namespace}`"));
    }
    namespace
}

fn read_expire_time(reader: &mut FieldReader<'_>) -> Option<i64> {
    let text = reader.text("expire_time").filter(|text| !text.is_empty())?;
    match crate::alert::time::milliseconds(&text) {
        Some(milliseconds) => Some(milliseconds),
        // Without a readable end the exception would hold for ever and hide alerts.
        None => reader.invalid("expire_time", &format!("must be a date, not `{text}`")),
    }
}

fn read_entries(reader: &mut FieldReader<'_>) -> Vec<Entry> {
    if !reader.required("entries") {
        return Vec::new();
    }
    let values = reader.values("entries");
    if values.is_empty() {
        reader.report(codes::EXCEPTION_ENTRY, &[Step::Key("entries")], "an exception item needs an entry");
    }
    let mut entries = Vec::with_capacity(values.len());
    for (index, value) in values.iter().enumerate() {
        match read_entry(value, true) {
            Ok(entry) => entries.push(entry),
            Err(message) => {
                reader.report(codes::EXCEPTION_ENTRY, &[Step::Key("entries"), Step::Index(index)], message);
            }
        }
    }
    entries
}

fn read_entry(value: &Value, may_nest: bool) -> Result<Entry, String> {
    let field = entry_text(value, "field")?;
    let entry_type = entry_text(value, "type")?;
    if entry_type == "nested" && may_nest {
        let inner = value.get("entries").and_then(Value::as_array).filter(|inner| !inner.is_empty());
        let inner = inner.ok_or("`entries` of a nested entry are missing")?;
        let entries = inner.iter().map(|entry| read_entry(entry, false)).collect::<Result<_, _>>()?;
        return Ok(Entry::Nested { field, entries });
    }
    let operator = match value.get("operator").and_then(Value::as_str) {
        Some("included") => Operator::Included,
        Some("excluded") => Operator::Excluded,
        _ => return Err("`operator` must be `included` or `excluded`".to_owned()),
    };
    match entry_type.as_str() {
        "match" => Ok(Entry::Match { field, value: entry_text(value, "value")?, operator }),
        "match_any" => Ok(Entry::MatchAny { field, values: entry_values(value)?, operator }),
        "exists" => Ok(Entry::Exists { field, operator }),
        "wildcard" if may_nest => Ok(Entry::Wildcard { field, value: entry_text(value, "value")?, operator }),
        "list" if may_nest => {
            let list = value.get("list").ok_or("`list` is missing")?;
            let (list_id, list_type) = (entry_text(list, "id")?, entry_text(list, "type")?);
            Ok(Entry::List { field, list_id, list_type, operator })
        }
        other => Err(format!("unknown type of entry `{other}`")),
    }
}

fn entry_text(value: &Value, name: &str) -> Result<String, String> {
    match value.get(name) {
        Some(Value::String(text)) if text.is_empty() => Err(format!("`{name}` must not be empty")),
        Some(scalar) => {
            scalar_text(scalar).ok_or_else(|| format!("`{name}` must be a text, not {}", kind_of(scalar)))
        }
        None => Err(format!("`{name}` is missing")),
    }
}

fn entry_values(value: &Value) -> Result<Vec<String>, String> {
    let values = value.get("value").and_then(Value::as_array).filter(|values| !values.is_empty());
    let values = values.ok_or("`value` must be a list of texts")?;
    values
        .iter()
        .map(|value| scalar_text(value).ok_or_else(|| "`value` must hold texts".to_owned()))
        .collect()
}

/// Kibana writes values as texts; numbers and booleans written by hand mean the same.
fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::needless_pass_by_value, reason = "`json!` values as arguments make tables readable")]

    use serde_json::json;

    use super::*;
    use crate::kibana_rules::{parse_json, parse_ndjson};

    fn item(changes: Value) -> (Option<ExceptionItem>, String) {
        let mut item = json!({"list_id": "l", "item_id": "i", "name": "I", "type": "simple", "comments": [],
            "entries": [{"field": "a", "type": "exists", "operator": "included"}]});
        item.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        let mut file = parse_ndjson(&Arc::new(Source::new("items.ndjson", item.to_string())));
        let messages: Vec<_> =
            file.diagnostics.iter().map(|diagnostic| diagnostic.message.as_str()).collect();
        (file.items.pop(), messages.join(", "))
    }

    #[test]
    fn entries_are_read() {
        let check =
            |entry: Value, expected: Result<Entry, &str>| match (item(json!({"entries": [entry]})), expected)
            {
                ((Some(item), _), Ok(expected)) => assert_eq!(item.entries, [expected], "{entry}"),
                ((None, messages), Err(expected)) => assert_eq!(messages, expected, "{entry}"),
                (found, _) => panic!("{entry}: {found:?}"),
            };
        let (field, operator) = (String::from("a"), Operator::Included);
        check(
            json!({"field": "a", "type": "match", "operator": "included", "value": "x"}),
            Ok(Entry::Match { field: field.clone(), value: "x".into(), operator }),
        );
        check(
            json!({"field": "a", "type": "match_any", "operator": "excluded", "value": ["x", 1]}),
            Ok(Entry::MatchAny {
                field: field.clone(),
                values: vec!["x".into(), "1".into()],
                operator: Operator::Excluded,
            }),
        );
        check(
            json!({"field": "a", "type": "wildcard", "operator": "included", "value": "x*"}),
            Ok(Entry::Wildcard { field: field.clone(), value: "x*".into(), operator }),
        );
        check(
            json!({"field": "a", "type": "list", "operator": "included", "list": {"id": "v", "type": "ip"}}),
            Ok(Entry::List { field: field.clone(), list_id: "v".into(), list_type: "ip".into(), operator }),
        );
        let inner = json!({"field": "b", "type": "exists", "operator": "included"});
        check(
            json!({"field": "a", "type": "nested", "entries": [inner]}),
            Ok(Entry::Nested { field, entries: vec![Entry::Exists { field: "b".into(), operator }] }),
        );
        check(json!({"field": "a", "type": "exists"}), Err("`operator` must be `included` or `excluded`"));
        check(json!({"type": "exists", "operator": "included"}), Err("`field` is missing"));
        check(
            json!({"field": "a", "type": "matsch", "operator": "included"}),
            Err("unknown type of entry `matsch`"),
        );
        check(json!({"field": "a", "type": "match", "operator": "included"}), Err("`value` is missing"));
        check(
            json!({"field": "a", "type": "match", "operator": "included", "value": ""}),
            Err("`value` must not be empty"),
        );
        check(
            json!({"field": "a", "type": "match_any", "operator": "included", "value": "x"}),
            Err("`value` must be a list of texts"),
        );
        check(
            json!({"field": "a", "type": "nested", "entries": []}),
            Err("`entries` of a nested entry are missing"),
        );
    }

    #[test]
    fn an_item_that_cannot_be_read_is_not_used() {
        let check = |changes: Value, used: bool, expected: &str| {
            let (item, messages) = item(changes);
            assert_eq!((item.is_some(), messages.as_str()), (used, expected));
        };
        check(json!({"entries": []}), false, "an exception item needs an entry");
        check(json!({"list_id": null}), false, "`list_id` is missing");
        check(json!({"expire_time": "soon"}), false, "`expire_time` must be a date, not `soon`");
        check(
            json!({"namespace_type": "both"}),
            false,
            "`namespace_type` must be `single` or `agnostic`, not `both`",
        );
        check(json!({"expire_tme": "2024"}), true, "unknown field `expire_tme`");
    }

    #[test]
    fn a_rule_has_the_items_of_its_lists() {
        let text = r#"{"rule_id":"r","name":"N","description":"D","severity":"low","risk_score":1,"type":"query",
            "exceptions_list":[
                {"id":"1","list_id":"l","type":"detection","namespace_type":"single"},
                {"id":"2","list_id":"endpoint_list","type":"endpoint","namespace_type":"agnostic"},
                {"id":"3","list_id":"own","type":"rule_default","namespace_type":"single"},
                {"id":"4","list_id":"gone","type":"detection","namespace_type":"single"},
                {"id":"5","list_id":"l","type":"detection","namespace_type":"agnostic"}]}"#;
        let rule = parse_json(&Arc::new(Source::new("rule.json", text))).rules.remove(0);
        let mut store = ExceptionStore::default();
        for (list_id, item_id, expires) in [
            ("l", "i1", json!(null)),
            ("l", "i2", json!("2024-01-01T00:00:00Z")),
            ("own", "i3", json!("2030-01-01T00:00:00.000Z")),
            ("endpoint_list", "i4", json!(null)),
            ("other", "i5", json!(null)),
        ] {
            let (item, _) = item(json!({"list_id": list_id, "item_id": item_id, "expire_time": expires}));
            assert!(store.insert_item(item.unwrap()));
        }
        let check = |now_ms: Option<i64>, expected: (&str, usize)| {
            let found = store.items_for(&rule, now_ms);
            let items: Vec<_> = found.items.iter().map(|item| item.item_id.as_str()).collect();
            assert_eq!((items.join(" ").as_str(), found.expired), expected);
            let messages: Vec<_> =
                found.diagnostics.iter().map(|diagnostic| diagnostic.message.as_str()).collect();
            assert_eq!(messages.len(), 2, "{messages:?}");
            assert!(messages[0].contains("`gone`") && messages[1].contains("`l`"), "{messages:?}");
            assert!(found.diagnostics[0].span.slice(&rule.origin.source.text).starts_with('['));
        };
        check(None, ("i1 i2 i3", 0));
        check(Some(1_704_067_200_000), ("i1 i2 i3", 0));
        check(Some(1_704_067_200_001), ("i1 i3", 1));
    }
}
