//! Rules between Elastic's TOML and Kibana's JSON, without loss.
//!
//! Both directions work on the trees of the texts, not on [`RuleDocument`](crate::RuleDocument), so that
//! fields nobody here knows go along. What one form cannot hold is kept in a place of its own
//! (`convert/kept.rs`), and is put back by the way back and by the readers of rules: a converted rule is the
//! same rule, with the same alert ids.
//!
//! * TOML → JSON → TOML gives the same tree, keys in the same order. Comments and the way strings are quoted
//!   are no part of the tree.
//! * JSON → TOML → JSON gives the same JSON value.
//! * What was edited in between wins over what was kept.
//!
//! ```
//! use maxspan_rules::convert::{to_json, to_toml};
//! let toml: toml::Table = "[rule]\nrule_id = 'r'\nname = 'N'\ntype = 'eql'".parse().unwrap();
//! let json = to_json(&toml, None).unwrap();
//! assert_eq!(json["id"], "r");
//! assert_eq!(to_toml(&json).unwrap(), toml);
//! ```

pub(crate) mod kept;

use serde_json::{Map, Value, json};
use toml::Table;

use self::kept::{Kept, META_KEY, TOML_TABLE, put_back, take_kept};
use crate::toml_out::to_toml_text;
use crate::toml_rules::{put_version, to_api_shape};
use crate::version_lock::VersionLock;

/// A rule that cannot be converted, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConvertError(String);

/// Fields of the installed rule, which a rule's author does not write.
const INSTALLED: [&str; 15] = [
    "id",
    "version",
    "revision",
    "immutable",
    "rule_source",
    "created_at",
    "created_by",
    "updated_at",
    "updated_by",
    "execution_summary",
    "outcome",
    "alias_target_id",
    "alias_purpose",
    "output_index",
    "namespace",
];

/// The order of fields in `[rule]`, as in Elastic's repository: what is short first, then the query, then
/// the mapping.
const ORDER: [&str; 52] = [
    "author",
    "building_block_type",
    "description",
    "enabled",
    "false_positives",
    "from",
    "to",
    "index",
    "data_view_id",
    "interval",
    "language",
    "license",
    "max_signals",
    "machine_learning_job_id",
    "anomaly_threshold",
    "name",
    "note",
    "setup",
    "references",
    "risk_score",
    "rule_id",
    "rule_name_override",
    "severity",
    "tags",
    "throttle",
    "timeline_id",
    "timeline_title",
    "timestamp_override",
    "timestamp_override_fallback_disabled",
    "event_category_override",
    "tiebreaker_field",
    "timestamp_field",
    "saved_id",
    "type",
    "query",
    "new_terms_fields",
    "history_window_start",
    "threat_index",
    "threat_indicator_path",
    "threat_language",
    "threat_query",
    "filters",
    "threat_filters",
    "threat_mapping",
    "threshold",
    "alert_suppression",
    "exceptions_list",
    "severity_mapping",
    "risk_score_mapping",
    "related_integrations",
    "required_fields",
    "threat",
];

type Fields = Map<String, Value>;

// ---- TOML to JSON

/// The JSON of a TOML rule, as Kibana imports it. `id`, `version` and what else an export has and TOML lacks
/// is filled in, with the values that the rule has anyway.
pub fn to_json(tree: &Table, version_lock: Option<&VersionLock>) -> Result<Value, ConvertError> {
    let error = |message: &str| ConvertError(message.to_owned());
    let rule = tree.get("rule").ok_or_else(|| error("there is no table `[rule]`"))?;
    let rule = rule.as_table().ok_or_else(|| error("`rule` must be a table"))?;
    let mut fields = read(tree, rule)?;
    if let Some(asset) = tree.get(TOML_TABLE)
        && to_toml_text(&fresh(&fields, wrapper(asset).as_ref())) == to_toml_text(tree)
    {
        // It was JSON, and is what it was.
        return Ok(wrapped(fields, wrapper(asset)));
    }
    let mut kept = Kept { keys: rule.keys().cloned().collect(), ..Kept::default() };
    for (name, value) in tree {
        let value = if name == "rule" { Value::Null } else { encode(value) };
        kept.tables.insert(name.clone(), value);
    }
    for (name, value) in rule {
        let encoded = encode(value);
        let has_kept = name == "meta" && value.get(META_KEY).is_some();
        if fields.get(name) != Some(&encoded) || has_kept {
            kept.written.insert(name.clone(), encoded);
        }
    }
    if !fields.contains_key("version") {
        put_version(&mut fields, version_lock);
        fields.get("version").iter().for_each(|version| {
            kept.filled.insert("version".to_owned(), (*version).clone());
        });
    }
    fill(&mut fields, &mut kept.filled);
    let meta = fields.entry("meta").or_insert_with(|| json!({}));
    let meta = meta.as_object_mut().ok_or_else(|| error("`meta` must be a table"))?;
    meta.insert(META_KEY.to_owned(), json!({"toml": kept.to_json()}));
    Ok(Value::Object(fields))
}

/// The rule's fields in the API's shape, with what `[maxspan]` keeps.
fn read(tree: &Table, rule: &Table) -> Result<Fields, ConvertError> {
    let mut fields: Fields = rule.iter().map(|(key, value)| (key.clone(), plain_json(value))).collect();
    to_api_shape(&mut fields, &tree.get("transform").map_or(Value::Null, plain_json));
    if let Some(kept) = tree.get(TOML_TABLE) {
        put_back(&mut fields, &plain_json(kept)).map_err(ConvertError)?;
    }
    Ok(fields)
}

/// What every exported rule has. The values are those that a rule without the field has.
fn fill(fields: &mut Fields, filled: &mut Fields) {
    let id = fields.get("rule_id").cloned();
    let defaults = [
        ("id", id),
        ("version", Some(json!(1))),
        ("revision", Some(json!(0))),
        ("enabled", Some(json!(true))),
        ("immutable", Some(json!(false))),
        ("interval", Some(json!(crate::schedule::INTERVAL_DEFAULT))),
        ("from", Some(json!(crate::schedule::FROM_DEFAULT))),
        ("to", Some(json!(crate::schedule::TO_DEFAULT))),
        ("max_signals", Some(json!(crate::document::MAX_SIGNALS_DEFAULT))),
    ];
    for (name, value) in defaults {
        if let (Some(value), false) = (value, fields.contains_key(name)) {
            fields.insert(name.to_owned(), value.clone());
            filled.insert(name.to_owned(), value);
        }
    }
}

/// A package asset without its rule, from `[maxspan]`.
fn wrapper(kept: &toml::Value) -> Option<Fields> {
    serde_json::from_str(kept.get("asset")?.as_str()?).ok()
}

fn wrapped(fields: Fields, wrapper: Option<Fields>) -> Value {
    match wrapper {
        None => Value::Object(fields),
        Some(mut asset) => {
            asset.insert("attributes".to_owned(), Value::Object(fields));
            Value::Object(asset)
        }
    }
}

/// Exception lists and items of a TOML file, as an export has them: each list, then its items.
pub fn exceptions_to_json(tree: &Table) -> Vec<Value> {
    let mut documents = Vec::new();
    for list in tree.get("exceptions").and_then(toml::Value::as_array).into_iter().flatten() {
        let container = list.get("container").map_or(Value::Null, plain_json);
        let items = list.get("items").and_then(toml::Value::as_array).into_iter().flatten();
        let items: Vec<Value> = items
            .map(|item| {
                let mut item = plain_json(item);
                // Items of a container belong to it, also where they do not say so.
                for name in ["list_id", "namespace_type"] {
                    if let (Value::Object(item), Some(value)) = (&mut item, container.get(name)) {
                        item.entry(name).or_insert_with(|| value.clone());
                    }
                }
                item
            })
            .collect();
        documents.extend(Some(container).filter(Value::is_object));
        documents.extend(items);
    }
    documents
}

// ---- JSON to TOML

/// The TOML of a JSON rule, or of a package asset with one.
pub fn to_toml(document: &Value) -> Result<Table, ConvertError> {
    let error = |message: &str| ConvertError(message.to_owned());
    let fields = document.as_object().ok_or_else(|| error("a rule must be an object"))?;
    let is_asset = fields.get("type").and_then(Value::as_str) == Some("security-rule");
    let (mut fields, wrapper) = match fields.get("attributes") {
        Some(Value::Object(attributes)) if is_asset => {
            let mut wrapper = fields.clone();
            wrapper.shift_remove("attributes");
            (attributes.clone(), Some(wrapper))
        }
        _ => (fields.clone(), None),
    };
    let original = fields.clone();
    Ok(match take_kept(&mut fields) {
        // A package asset is no rule that was TOML here.
        Some(kept) if wrapper.is_none() => restored(&fields, &kept),
        _ => fresh(&original, wrapper.as_ref()),
    })
}

/// The TOML of a rule that never was TOML. A function of the fields, in whatever order they are.
fn fresh(fields: &Fields, wrapper: Option<&Fields>) -> Table {
    let mut tables = vec![("metadata".to_owned(), toml::Value::Table(metadata(fields)))];
    let mut names: Vec<&String> = fields.keys().filter(|name| !INSTALLED.contains(&name.as_str())).collect();
    // Unknown fields come before the tables at the end.
    let place = |name: &str| ORDER.iter().position(|known| *known == name).unwrap_or(ORDER.len() - 12);
    names.sort_by_key(|name| (place(name), name.as_str()));
    let rule: Table =
        names.into_iter().filter_map(|name| Some((name.clone(), plain_toml(&fields[name])?))).collect();
    tables.push(("rule".to_owned(), toml::Value::Table(rule)));
    completed(tables, fields, wrapper, true)
}

/// `[metadata]` as Elastic's repository wants it, from what an installed rule says.
fn metadata(fields: &Fields) -> Table {
    let day = |name: &str| {
        let date = fields.get(name)?.as_str()?.get(..10)?;
        Some(toml::Value::String(date.replace('-', "/")))
    };
    let packages: Vec<toml::Value> = fields
        .get("related_integrations")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(toml::Value::String(entry.get("package")?.as_str()?.to_owned())))
        .collect();
    let packages = Some(packages).filter(|packages| !packages.is_empty()).map(toml::Value::Array);
    let entries = [
        ("creation_date", day("created_at")),
        ("integration", packages),
        ("maturity", Some(toml::Value::String("production".to_owned()))),
        ("updated_date", day("updated_at")),
    ];
    entries.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// The TOML that a rule was, with whatever was edited since.
fn restored(fields: &Fields, kept: &Kept) -> Table {
    // What was filled in and is as it was says nothing.
    let mut current = fields.clone();
    current.retain(|name, value| kept.filled.get(name) != Some(value));
    let mut rule: Vec<(String, toml::Value)> = Vec::new();
    for name in &kept.keys {
        let value = match kept.written.get(name) {
            Some(written) => decode(written),
            None => current.get(name).and_then(plain_toml),
        };
        rule.extend(value.map(|value| (name.clone(), value)));
    }
    let tables = |rule: &[(String, toml::Value)]| -> Vec<(String, toml::Value)> {
        let rule = || toml::Value::Table(rule.iter().cloned().collect());
        let table = |(name, value): (&String, &Value)| match name.as_str() {
            "rule" => Some((name.clone(), rule())),
            _ => Some((name.clone(), decode(value)?)),
        };
        kept.tables.iter().filter_map(table).collect()
    };
    let tree: Table = tables(&rule).into_iter().collect();
    let read = tree.get("rule").and_then(toml::Value::as_table).and_then(|rule| read(&tree, rule).ok());
    let read = read.unwrap_or_default();
    if read == current {
        return tree;
    }
    edit(&mut rule, &read, &current);
    completed(tables(&rule), &current, None, false)
}

/// Takes what was edited over into the rule's table.
fn edit(rule: &mut Vec<(String, toml::Value)>, read: &Fields, current: &Fields) {
    let changed = |name: &str| read.get(name) != current.get(name);
    if changed("new_terms_fields") || changed("history_window_start") {
        rule.retain(|(name, _)| name != "new_terms");
        for name in ["new_terms_fields", "history_window_start"] {
            put(rule, name, current.get(name));
        }
    }
    // A setup guide that was a section of the note comes out of the same text.
    if changed("note") || changed("setup") {
        put(rule, "note", current.get("note"));
        put(rule, "setup", current.get("setup"));
    }
    let names = read.keys().chain(current.keys());
    for name in names.filter(|name| changed(name) && !INSTALLED.contains(&name.as_str())) {
        put(rule, name, current.get(name));
    }
}

/// Sets, adds or removes a field; new ones stand before the first table, so that they need no inline tables.
fn put(rule: &mut Vec<(String, toml::Value)>, name: &str, value: Option<&Value>) {
    let place = rule.iter().position(|(known, _)| known == name);
    match (place, value.and_then(plain_toml)) {
        (Some(place), Some(value)) => rule[place].1 = value,
        (Some(place), None) => {
            rule.remove(place);
        }
        (None, Some(value)) => {
            let tables = rule.iter().rposition(|(_, value)| !is_table(value)).map_or(0, |last| last + 1);
            rule.insert(tables, (name.to_owned(), value));
        }
        (None, None) => {}
    }
}

fn is_table(value: &toml::Value) -> bool {
    value.is_table()
        || value.as_array().is_some_and(|values| values.first().is_some_and(toml::Value::is_table))
}

/// The tables, and `[maxspan]` with whatever they do not say yet; `always` also where there is nothing to
/// keep.
fn completed(
    mut tables: Vec<(String, toml::Value)>,
    fields: &Fields,
    wrapper: Option<&Fields>,
    always: bool,
) -> Table {
    tables.retain(|(name, _)| name != TOML_TABLE);
    let tree: Table = tables.iter().cloned().collect();
    let rule = tree.get("rule").and_then(toml::Value::as_table);
    let mut said = rule.and_then(|rule| read(&tree, rule).ok()).unwrap_or_default();
    let mut kept = Table::new();
    let installed: Table = INSTALLED
        .iter()
        .filter(|name| !said.contains_key(**name))
        .filter_map(|name| Some(((*name).to_owned(), exact_toml(fields.get(*name)?)?)))
        .collect();
    for (name, value) in &installed {
        said.insert(name.clone(), plain_json(value));
    }
    let exact = exact(&said, fields);
    if !exact.is_empty() {
        let text = serde_json::to_string_pretty(&exact).unwrap_or_default();
        kept.insert("exact".to_owned(), toml::Value::String(text + "\n"));
    }
    if let Some(wrapper) = wrapper {
        let text = Value::Object(wrapper.clone()).to_string();
        kept.insert("asset".to_owned(), toml::Value::String(text));
    }
    if !installed.is_empty() {
        kept.insert("installed".to_owned(), toml::Value::Table(installed));
    }
    if always || !kept.is_empty() {
        tables.push((TOML_TABLE.to_owned(), toml::Value::Table(kept)));
    }
    tables.into_iter().collect()
}

/// What must be put back exactly, by name.
fn exact(said: &Fields, fields: &Fields) -> Fields {
    let mut names: Vec<&String> = said.keys().chain(fields.keys()).collect();
    names.sort_unstable();
    names.dedup();
    let mut exact = Fields::new();
    for name in names {
        let (read, wanted) = (said.get(name), fields.get(name));
        if read != wanted {
            let entries = [("as", read), ("is", wanted)];
            let entry: Fields = entries
                .into_iter()
                .filter_map(|(key, value)| Some((key.to_owned(), value?.clone())))
                .collect();
            exact.insert(name.clone(), Value::Object(entry));
        }
    }
    exact
}

// ---- Values

/// TOML as JSON; dates become texts, and numbers that JSON cannot hold (`inf`, `nan`) too.
fn plain_json(value: &toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::from(text.as_str()),
        toml::Value::Integer(number) => Value::from(*number),
        toml::Value::Float(number) => serde_json::Number::from_f64(*number)
            .map_or_else(|| Value::from(number.to_string().to_lowercase()), Value::Number),
        toml::Value::Boolean(flag) => Value::from(*flag),
        toml::Value::Datetime(moment) => Value::from(moment.to_string()),
        toml::Value::Array(values) => values.iter().map(plain_json).collect(),
        toml::Value::Table(table) => {
            table.iter().map(|(key, value)| (key.clone(), plain_json(value))).collect()
        }
    }
}

/// JSON as TOML; nothing where it has a null or a number that TOML cannot hold.
fn exact_toml(value: &Value) -> Option<toml::Value> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(flag) => toml::Value::Boolean(*flag),
        Value::Number(number) => match number.as_i64() {
            Some(number) => toml::Value::Integer(number),
            None if number.is_u64() => return None,
            None => toml::Value::Float(number.as_f64()?),
        },
        Value::String(text) => toml::Value::String(text.clone()),
        Value::Array(values) => toml::Value::Array(values.iter().map(exact_toml).collect::<Option<_>>()?),
        Value::Object(fields) => {
            let entries = fields.iter().map(|(key, value)| Some((key.clone(), exact_toml(value)?)));
            toml::Value::Table(entries.collect::<Option<_>>()?)
        }
    })
}

/// The same, with members left out that TOML cannot hold: something to read and edit; what is exact is kept
/// apart.
fn plain_toml(value: &Value) -> Option<toml::Value> {
    match value {
        Value::Object(fields) => {
            let entries = fields.iter().filter_map(|(key, value)| Some((key.clone(), plain_toml(value)?)));
            Some(toml::Value::Table(entries.collect()))
        }
        Value::Array(values) => {
            // Leaving out an element would move the others.
            Some(toml::Value::Array(values.iter().map(plain_toml).collect::<Option<_>>()?))
        }
        other => exact_toml(other),
    }
}

/// The one key of an object that stands for a TOML value that JSON lacks.
const DATETIME: &str = "$datetime";
const FLOAT: &str = "$float";
/// A table with one key that begins with `$`, so that it is not taken for one of these.
const TABLE: &str = "$table";

/// TOML as JSON without loss.
fn encode(value: &toml::Value) -> Value {
    match value {
        toml::Value::Datetime(moment) => json!({DATETIME: moment.to_string()}),
        toml::Value::Float(number) if !number.is_finite() => {
            json!({FLOAT: number.to_string().to_lowercase()})
        }
        toml::Value::Array(values) => values.iter().map(encode).collect(),
        toml::Value::Table(table) => {
            let fields: Fields = table.iter().map(|(key, value)| (key.clone(), encode(value))).collect();
            if fields.len() == 1 && fields.keys().all(|key| key.starts_with('$')) {
                return json!({TABLE: fields});
            }
            Value::Object(fields)
        }
        other => plain_json(other),
    }
}

/// What [`encode`] gave, as JSON; null for what it does not give.
pub(crate) fn decoded_json(value: &Value) -> Value {
    decode(value).map_or(Value::Null, |value| plain_json(&value))
}

/// The way back; nothing for what [`encode`] does not give.
fn decode(value: &Value) -> Option<toml::Value> {
    let Value::Object(fields) = value else {
        return match value {
            Value::Array(values) => values.iter().map(decode).collect::<Option<_>>().map(toml::Value::Array),
            other => exact_toml(other),
        };
    };
    let only = || if fields.len() == 1 { fields.iter().next() } else { None };
    let fields = match only() {
        Some((name, Value::String(text))) if name == DATETIME => {
            return text.parse().ok().map(toml::Value::Datetime);
        }
        Some((name, Value::String(text))) if name == FLOAT => {
            return text.parse().ok().map(toml::Value::Float);
        }
        Some((name, Value::Object(inner))) if name == TABLE => inner,
        _ => fields,
    };
    let entries = fields.iter().map(|(key, value)| Some((key.clone(), decode(value)?)));
    entries.collect::<Option<Table>>().map(toml::Value::Table)
}
