//! What one form of a rule keeps for the other, and how it is put back when the rule is read.
//!
//! **In TOML**, the table `[maxspan]` has what Kibana's form says and TOML's `[rule]` does not:
//!
//! * `installed`: fields of the installed rule (`id`, `created_at` …), as they are;
//! * `exact`: a JSON object, by field. `is` is the field's exact value; without it the export has no such
//!   field. It counts only while the field, as read from `[rule]`, is still what `as` says, or absent where
//!   there is no `as`: who edits the rule is not overruled;
//! * `asset`: a package asset around the rule, as JSON.
//!
//! **In JSON**, `meta.maxspan.toml` has what the TOML file said and the API's form does not ([`Kept`]).

use serde_json::{Map, Value};

use crate::document::TomlMetadata;
use crate::toml_text::normalize_whitespace;

/// The table of TOML.
pub(crate) const TOML_TABLE: &str = "maxspan";
/// The key in `meta`.
pub(crate) const META_KEY: &str = "maxspan";

/// Puts back what the table `[maxspan]` keeps, given as JSON.
pub(crate) fn put_back(fields: &mut Map<String, Value>, kept: &Value) -> Result<(), String> {
    if let Some(installed) = kept.get("installed") {
        let installed = installed.as_object().ok_or("`maxspan.installed` must be a table")?;
        for (name, value) in installed {
            fields.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }
    let Some(exact) = kept.get("exact") else { return Ok(()) };
    let exact: Map<String, Value> = exact
        .as_str()
        .and_then(|text| serde_json::from_str(text).ok())
        .ok_or("`maxspan.exact` must be a text with a JSON object")?;
    for (name, entry) in exact {
        if fields.get(&name) != entry.get("as") {
            continue;
        }
        match entry.get("is") {
            Some(value) => fields.insert(name, value.clone()),
            None => fields.shift_remove(&name),
        };
    }
    Ok(())
}

/// What `meta.maxspan.toml` of a JSON rule keeps of the TOML that it was.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Kept {
    /// Tables of the file in order, `rule` among them as null, encoded.
    pub(crate) tables: Map<String, Value>,
    /// Keys of `[rule]` in order.
    pub(crate) keys: Vec<String>,
    /// Fields of `[rule]` that the conversion changed, as they were written, encoded.
    pub(crate) written: Map<String, Value>,
    /// Fields that Kibana wants and TOML lacks, with the values that were filled in.
    pub(crate) filled: Map<String, Value>,
}

impl Kept {
    pub(crate) fn to_json(&self) -> Value {
        serde_json::json!({
            "tables": self.tables, "keys": self.keys, "written": self.written, "filled": self.filled,
        })
    }

    fn from_json(value: &Value) -> Option<Self> {
        let map = |name: &str| value.get(name).and_then(Value::as_object).cloned();
        let keys = value.get("keys")?.as_array()?.iter().map(|key| key.as_str().map(str::to_owned));
        Some(Self {
            tables: map("tables")?,
            keys: keys.collect::<Option<_>>()?,
            written: map("written")?,
            filled: map("filled")?,
        })
    }

    /// `[metadata]`, where the file had one.
    pub(crate) fn metadata(&self) -> Option<TomlMetadata> {
        serde_json::from_value(super::decoded_json(self.tables.get("metadata")?)).ok()
    }
}

/// Takes `meta.maxspan` out of a JSON rule, and `meta` too where nothing else is in it and TOML had none.
///
/// What is there but cannot be read stays, as free data that somebody else wrote.
pub(crate) fn take_kept(fields: &mut Map<String, Value>) -> Option<Kept> {
    let meta = fields.get_mut("meta")?.as_object_mut()?;
    let entry = meta.get(META_KEY)?.as_object().filter(|entry| entry.len() == 1)?;
    let kept = Kept::from_json(entry.get("toml")?)?;
    meta.shift_remove(META_KEY);
    // TOML had one of its own, which stood in the way.
    if let Some(own) = kept.written.get("meta").and_then(|meta| meta.get(META_KEY)) {
        let mut own = super::decoded_json(own);
        normalize_whitespace(&mut own);
        meta.insert(META_KEY.to_owned(), own);
    }
    if meta.is_empty() && !kept.keys.iter().any(|key| key == "meta") {
        fields.shift_remove("meta");
    }
    Some(kept)
}
