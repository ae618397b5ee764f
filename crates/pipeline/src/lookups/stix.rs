//! STIX 2.1 bundles to indicators: an ECS document for each alternative of an indicator's pattern.
//!
//! What documents cannot say is counted by its name, never left out in silence. A conjunction becomes one document with all of
//! its fields, so that a rule that maps only one of them errs towards yes.

use std::collections::{BTreeMap, HashMap};

use maxspan_event::date;
use serde_json::{Map, Value as Json, json};

use super::indicators::nested;
use super::load::LoadAccount;
use super::{LookupError, LookupErrorKind};
use crate::limits::STIX_NAMED_MAX;

mod fields;
mod pattern;

use fields::Observed;
use pattern::Alternative;

/// Largest bundle, in bytes. It is held as a tree while it is read.
pub const BYTES_MAX: usize = crate::limits::STIX_BYTES_MAX;

/// How bundles are read.
#[derive(Debug, Clone)]
pub(super) struct StixOptions {
    /// The name of the feed.
    pub(super) feed: String,
    /// The time, in nanoseconds since 1970.
    pub(super) now: i64,
}

/// Whether a JSON text is a bundle, by its beginning.
pub(crate) fn looks_like_bundle(bytes: &[u8]) -> bool {
    let head: Vec<u8> =
        bytes.iter().take(64 << 10).filter(|byte| !byte.is_ascii_whitespace()).copied().collect();
    let has = |text: &[u8]| head.windows(text.len()).any(|window| window == text);
    has(b"\"type\":\"bundle\"") || (has(b"\"objects\":[") && has(b"\"spec_version\""))
}

/// The indicators of a bundle: ids and documents.
pub(super) fn read(
    file: &str,
    bytes: &[u8],
    options: &StixOptions,
    account: &mut LoadAccount,
) -> Result<Vec<(String, Json)>, LookupError> {
    let wrong = |message: String| LookupError::new(LookupErrorKind::Input, format!("{file}: {message}"));
    if bytes.len() > BYTES_MAX {
        return Err(wrong(format!("a bundle of more than {BYTES_MAX} bytes")));
    }
    let bundle: Json = serde_json::from_slice(bytes).map_err(|error| wrong(format!("no JSON: {error}")))?;
    let objects = match bundle {
        Json::Array(objects) => objects,
        Json::Object(mut members) => match members.remove("objects") {
            Some(Json::Array(objects)) => objects,
            _ => return Err(wrong("no STIX bundle: there is no list `objects`".to_owned())),
        },
        _ => return Err(wrong("no STIX bundle".to_owned())),
    };
    let names = Names::new(&objects);
    let mut documents = Vec::new();
    for object in latest(&objects, account) {
        let id = text(object, "id").unwrap_or_default();
        if object.get("revoked") == Some(&Json::Bool(true)) {
            account.revoked += 1;
            continue;
        }
        match alternatives(object, account) {
            Ok(found) => {
                let ends = text(object, "valid_until").and_then(date::parse);
                account.expired += u64::from(ends.is_some_and(|ends| ends <= options.now));
                let several = found.len() > 1;
                for (observed, number) in found.into_iter().zip(1..) {
                    let id = if several { format!("{id}#{number}") } else { id.to_owned() };
                    documents.push((id, document(object, observed, &names, options)));
                }
            }
            Err(message) => account.fail(|| format!("{file}: {id}"), message),
        }
    }
    Ok(documents)
}

/// The indicators, of several with one id the one that was modified last.
fn latest<'a>(objects: &'a [Json], account: &mut LoadAccount) -> Vec<&'a Map<String, Json>> {
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut found: Vec<&Map<String, Json>> = Vec::new();
    for object in objects {
        let Some(object) = object.as_object() else {
            name(&mut account.other_objects, "no object");
            continue;
        };
        match text(object, "type") {
            Some("indicator") => {}
            kind => {
                name(&mut account.other_objects, kind.unwrap_or("without a type"));
                continue;
            }
        }
        let known = text(object, "id").and_then(|id| places.get(id).copied());
        match known {
            Some(place) if text(found[place], "modified") <= text(object, "modified") => {
                found[place] = object;
            }
            Some(_) => {}
            None => {
                places.extend(text(object, "id").map(|id| (id, found.len())));
                found.push(object);
            }
        }
    }
    found
}

/// What the pattern says in documents; an error where that is nothing.
fn alternatives(object: &Map<String, Json>, account: &mut LoadAccount) -> Result<Vec<Observed>, String> {
    let pattern = text(object, "pattern").ok_or("the indicator has no pattern")?;
    if let Some(kind) = text(object, "pattern_type").filter(|kind| *kind != "stix") {
        name(&mut account.not_expressed, &format!("a pattern of type {kind}"));
        return Err(format!("the pattern is of type `{kind}`"));
    }
    let (mut found, mut last) = (Vec::new(), String::new());
    for Alternative { tests, not_expressed } in pattern::parse(pattern)? {
        let observed = match not_expressed {
            Some(what) => Err(what),
            None => Observed::of(&tests),
        };
        match observed {
            Ok(observed) => found.push(observed),
            Err(what) => {
                name(&mut account.not_expressed, &what);
                last = what;
            }
        }
    }
    if found.is_empty() {
        Err(format!("no document can say what the pattern asks: {last}"))
    } else {
        Ok(found)
    }
}

/// Counts something by its name.
fn name(counts: &mut BTreeMap<String, u64>, what: &str) {
    let key = if counts.contains_key(what) || counts.len() < STIX_NAMED_MAX { what } else { "others" };
    *counts.entry(key.chars().take(100).collect()).or_default() += 1;
}

fn text<'a>(object: &'a Map<String, Json>, key: &str) -> Option<&'a str> {
    object.get(key)?.as_str()
}

/// What other objects of the bundle say of indicators.
struct Names<'a> {
    /// Names of identities.
    identities: HashMap<&'a str, &'a str>,
    /// Levels of markings.
    markings: HashMap<&'a str, String>,
}

/// The markings of the traffic light protocol, of versions 1 and 2, which bundles need not hold.
const TLP: [(&str, &str); 9] = [
    ("marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9", "WHITE"),
    ("marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da", "GREEN"),
    ("marking-definition--f88d31f6-486f-44da-b317-01333bde0b82", "AMBER"),
    ("marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed", "RED"),
    ("marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487", "CLEAR"),
    ("marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb", "GREEN"),
    ("marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421", "AMBER"),
    ("marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003", "AMBER+STRICT"),
    ("marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1", "RED"),
];

impl<'a> Names<'a> {
    fn new(objects: &'a [Json]) -> Self {
        let mut identities = HashMap::new();
        let mut markings: HashMap<&str, String> =
            TLP.into_iter().map(|(id, level)| (id, level.to_owned())).collect();
        for object in objects.iter().filter_map(Json::as_object) {
            let Some(id) = text(object, "id") else { continue };
            match text(object, "type") {
                Some("identity") => identities.extend(text(object, "name").map(|name| (id, name))),
                Some("marking-definition") => {
                    let level = object.get("definition").and_then(|definition| definition["tlp"].as_str());
                    markings.extend(level.map(|level| (id, level.to_uppercase())));
                }
                _ => {}
            }
        }
        Self { identities, markings }
    }
}

/// The ECS document of one alternative.
fn document(
    object: &Map<String, Json>,
    observed: Observed,
    names: &Names<'_>,
    options: &StixOptions,
) -> Json {
    let mut fields = Map::new();
    let mut set = |field: &str, value: Option<Json>| {
        fields.extend(value.filter(|value| !value.is_null()).map(|value| (field.to_owned(), value)));
    };
    let copied = |key: &str| object.get(key).filter(|value| value.is_string()).cloned();
    set("@timestamp", copied("modified").or_else(|| copied("created")).or_else(|| copied("valid_from")));
    set("event.kind", Some(json!("enrichment")));
    set("event.category", Some(json!(["threat"])));
    set("event.type", Some(json!(["indicator"])));
    set("threat.feed.name", Some(json!(options.feed)));
    set("threat.indicator.type", Some(json!(observed.kind)));
    set("threat.indicator.name", copied("name"));
    set("threat.indicator.description", copied("description"));
    set("threat.indicator.confidence", object.get("confidence").and_then(Json::as_i64).map(confidence));
    set("threat.indicator.first_seen", copied("valid_from"));
    set("threat.indicator.modified_at", copied("modified"));
    let provider = text(object, "created_by_ref").and_then(|id| names.identities.get(id));
    set("threat.indicator.provider", provider.map(|name| json!(name)));
    set("threat.indicator.reference", references(object));
    let markings = texts(object, "object_marking_refs");
    let tlp = markings.iter().find_map(|id| names.markings.get(id.as_str()));
    set("threat.indicator.marking.tlp", tlp.map(|level| json!(level)));
    set("threat.tactic.name", tactics(object));
    let mut tags = texts(object, "labels");
    tags.extend(texts(object, "indicator_types"));
    set("tags", (!tags.is_empty()).then(|| json!(tags)));
    set("stix.id", copied("id"));
    set("stix.valid_from", copied("valid_from"));
    set("stix.valid_until", copied("valid_until"));
    for (field, value) in observed.fields {
        set(&format!("threat.indicator.{field}"), Some(value));
    }
    Json::Object(nested(fields).unwrap_or_default())
}

/// STIX has a number up to 100, ECS the words of its scale.
fn confidence(number: i64) -> Json {
    json!(match number {
        ..=0 => "None",
        1..=29 => "Low",
        30..=69 => "Medium",
        _ => "High",
    })
}

fn texts(object: &Map<String, Json>, key: &str) -> Vec<String> {
    let values = object.get(key).and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    values.iter().filter_map(|value| value.as_str().map(str::to_owned)).collect()
}

fn references(object: &Map<String, Json>) -> Option<Json> {
    let all = object.get("external_references")?.as_array()?;
    let urls: Vec<&str> = all.iter().filter_map(|one| one["url"].as_str()).collect();
    match urls.as_slice() {
        [] => None,
        [one] => Some(json!(one)),
        several => Some(json!(several)),
    }
}

/// The phases of MITRE's kill chain by the names of its tactics (`initial-access` is `Initial Access`).
fn tactics(object: &Map<String, Json>) -> Option<Json> {
    let phases = object.get("kill_chain_phases")?.as_array()?;
    let of_attack = phases.iter().filter(|phase| phase["kill_chain_name"] == "mitre-attack");
    let names: Vec<String> =
        of_attack.filter_map(|phase| Some(tactic(phase["phase_name"].as_str()?))).collect();
    (!names.is_empty()).then(|| json!(names))
}

fn tactic(phase: &str) -> String {
    let words = phase.split('-').map(|word| match word {
        "and" => word.to_owned(),
        word => {
            let mut letters = word.chars();
            letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
        }
    });
    words.collect::<Vec<_>>().join(" ")
}
