//! Ids of alerts, equal to Kibana's (specification 3.6): the same event, rule and space give the same id, so that
//! what is found twice is stored once.
//!
//! `rule_uuid` is the saved-object id. Indices and ids are those of the events.

mod object_hash;

pub use object_hash::{HashValue, object_hash};

use std::fmt::Write as _;

use sha1::Sha1;
use sha2::{Digest, Sha256};

/// What stands where Kibana has the event's version: searches do not ask for it, so it is the word.
const VERSION_UNDEFINED: &str = "undefined";

/// Namespace of the version 5 UUIDs of threshold groups.
const THRESHOLD_NAMESPACE: [u8; 16] =
    [0x06, 0x84, 0xec, 0x03, 0x72, 0x01, 0x4e, 0xe0, 0x8e, 0xe0, 0x3a, 0x3f, 0x6b, 0x24, 0x79, 0xb2];

/// `<space>:<rule uuid>`, a part of most ids.
pub fn space_and_rule(space: &str, rule_uuid: &str) -> String {
    format!("{space}:{rule_uuid}")
}

/// Alert of one event: query, saved query, EQL event, indicator match and machine learning rules.
pub fn event_alert_id(index: &str, id: &str, space: &str, rule_uuid: &str) -> String {
    sha256_hex(&[index, id, VERSION_UNDEFINED, space, ":", rule_uuid])
}

/// Building blocks of a sequence: of each block the `(id, index)` of its ancestors. The space plays no part.
pub fn building_block_ids(blocks: &[Vec<(&str, &str)>], rule_uuid: &str) -> Vec<String> {
    let mut base = String::new();
    for ancestors in blocks {
        for (id, index) in ancestors {
            base.push_str(id);
            base.push_str(index);
        }
        base.push_str(rule_uuid);
    }
    (0..blocks.len()).map(|position| sha256_hex(&[&base, &position.to_string()])).collect()
}

/// Shell of a sequence, and `kibana.alert.group.id`: the `(id, index)` of its ancestors, which for each block are the
/// block's ancestors and then the block itself, with an empty index.
pub fn shell_id(ancestors: &[(&str, &str)], rule_uuid: &str) -> String {
    let mut parts: Vec<&str> = ancestors.iter().flat_map(|(id, index)| [*id, *index]).collect();
    parts.push(rule_uuid);
    sha256_hex(&parts)
}

/// The made-up event of a threshold group; its index is [`threshold_event_index`]. `values` are sorted here.
pub fn threshold_event_id(rule_id: &str, started_at: &str, fields: &[&str], values: &[&str]) -> String {
    let mut values = values.to_vec();
    values.sort_unstable();
    uuid_v5(THRESHOLD_NAMESPACE, &[rule_id, started_at, &fields.join(","), &values.join(",")].concat())
}

/// The index of that made-up event.
pub fn threshold_event_index(index_patterns: &[&str]) -> String {
    index_patterns.join(",")
}

/// Alert of a KQL rule with suppression: the terms, and the times of the first and the last event that it stands for as
/// ISO texts.
pub fn suppressed_event_alert_id(
    index: &str,
    id: &str,
    space: &str,
    rule_uuid: &str,
    terms: &[(&str, HashValue)],
    (start, end): (String, String),
) -> String {
    let mut parts: Vec<_> =
        [index, id, VERSION_UNDEFINED, &space_and_rule(space, rule_uuid)].map(HashValue::from).into();
    parts.extend([terms_value(terms), HashValue::Date(start), HashValue::Date(end)]);
    object_hash(&HashValue::Array(parts))
}

/// Alert of a threshold group with suppression.
pub fn suppressed_threshold_alert_id(index: &str, id: &str, space: &str, rule_uuid: &str) -> String {
    object_hash(&HashValue::texts([index, id, &space_and_rule(space, rule_uuid)]))
}

/// What a threshold rule's history knows a group by: `(field, value)` pairs, sorted here by field.
pub fn threshold_terms_hash(terms: &[(&str, &str)]) -> String {
    let mut terms = terms.to_vec();
    terms.sort_unstable_by_key(|(field, _)| *field);
    let texts: Vec<_> = terms.iter().map(|(field, value)| format!("{field}:{value}")).collect();
    sha256_hex(&[&texts.join(",")])
}

/// Alert of a new combination of terms, in the order of the rule's fields.
pub fn new_terms_alert_id(
    index: &str,
    id: &str,
    space: &str,
    rule_uuid: &str,
    terms: Vec<HashValue>,
) -> String {
    let mut parts: Vec<_> =
        [index, id, VERSION_UNDEFINED, &space_and_rule(space, rule_uuid)].map(HashValue::from).into();
    parts.push(HashValue::Array(terms));
    object_hash(&HashValue::Array(parts))
}

/// Alert of an ES|QL row that has the event's id; `expanded` are the values of its `MV_EXPAND`-ed fields.
pub fn esql_event_alert_id(
    index: &str,
    id: &str,
    version: Option<u64>,
    space: &str,
    rule_uuid: &str,
    expanded: Vec<HashValue>,
) -> String {
    let version = version.map_or(HashValue::Undefined, |version| HashValue::Number(version as f64));
    let mut parts = vec![id.into(), version, index.into(), space_and_rule(space, rule_uuid).as_str().into()];
    parts.extend(expanded);
    object_hash(&HashValue::Array(parts))
}

/// Alert of an ES|QL row without an event: the window's ends as ISO texts, the query, and the row's position.
pub fn esql_row_alert_id(
    window: (&str, &str),
    query: &str,
    space: &str,
    rule_uuid: &str,
    row: usize,
) -> String {
    let window = format!("{}{}", window.0, window.1);
    let mut parts: Vec<_> =
        [window.as_str(), query, &space_and_rule(space, rule_uuid)].map(HashValue::from).into();
    parts.push(HashValue::Number(row as f64));
    object_hash(&HashValue::Array(parts))
}

/// `kibana.alert.instance.id` of suppressed alerts: `(field, value)` of each field of `group_by`.
pub fn suppression_instance_id(terms: &[(&str, HashValue)], rule_uuid: &str, space: &str) -> String {
    object_hash(&HashValue::Array(vec![terms_value(terms), rule_uuid.into(), space.into()]))
}

fn terms_value(terms: &[(&str, HashValue)]) -> HashValue {
    let term = |(field, value): &(&str, HashValue)| {
        let (field, value) = (HashValue::from(*field), value.clone());
        HashValue::Object(vec![("field".to_owned(), field), ("value".to_owned(), value)])
    };
    HashValue::Array(terms.iter().map(term).collect())
}

/// The same for threshold rules: the group's values, sorted here.
pub fn threshold_instance_id(values: &[&str], rule_uuid: &str, space: &str) -> String {
    let mut values = values.to_vec();
    values.sort_unstable();
    object_hash(&HashValue::Array(vec![HashValue::texts(values), rule_uuid.into(), space.into()]))
}

/// SHA-256 of the parts put together, in hexadecimal.
pub fn sha256_hex(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part.as_bytes());
    }
    hex(&hasher.finalize())
}

fn uuid_v5(namespace: [u8; 16], name: &str) -> String {
    let mut bytes = Sha1::new().chain_update(namespace).chain_update(name.as_bytes()).finalize();
    bytes[6] = bytes[6] & 0x0f | 0x50;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let text = hex(&bytes[..16]);
    format!("{}-{}-{}-{}-{}", &text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..])
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: &str = "11111111-2222-3333-4444-555555555555";
    const SPACE: &str = "default";

    #[track_caller]
    fn check(found: &str, expected: &str) {
        assert_eq!(found, expected);
    }

    #[test]
    fn event_and_sequence_ids() {
        check(
            &event_alert_id("logs-test-000001", "abc123", SPACE, RULE),
            "877f4e138998a33431d14c89fd0320e10708b5595b483f96c094de9307ef78b5",
        );
        let blocks = building_block_ids(&[vec![("e1", "logs-1")], vec![("e2", "logs-1")]], RULE);
        check(&blocks[0], "8283a18fe0187ef345e2e67f67c67786e42c09ebd760db7a720cd9cb2ab13c2a");
        check(&blocks[1], "abaa8120b45686b44bf14fcce54d63db83aaa2e91d5712904e5da79be4a0e9ca");
        let ancestors =
            [("e1", "logs-1"), (blocks[0].as_str(), ""), ("e2", "logs-1"), (blocks[1].as_str(), "")];
        check(
            &shell_id(&ancestors, RULE),
            "ca9b16cbf37a0b7bfb06fa4729a8ffdeeb5c7ecc60c4c8ce7f8fd35c09f2dd81",
        );
    }

    #[test]
    fn esql_and_new_terms_ids() {
        let index = "logs-test-000001";
        check(
            &esql_event_alert_id(index, "abc123", None, SPACE, RULE, Vec::new()),
            "a6cce965aa045f4d608ad551caf0bf4bd2a324b4",
        );
        check(
            &esql_event_alert_id(index, "abc123", Some(1), SPACE, RULE, Vec::new()),
            "4fd59ff5814298c54f2c62d54bcd41f3299d3c56",
        );
        let window = ("2024-01-01T00:00:00.000Z", "2024-01-01T00:05:00.000Z");
        check(
            &esql_row_alert_id(window, "from logs-* | stats c=count(*) by host.name", SPACE, RULE, 0),
            "190e2ad8b461eb3852847a8f925a29fd0caabcda",
        );
        check(
            &new_terms_alert_id(index, "abc123", SPACE, RULE, vec!["host-1".into(), "user-1".into()]),
            "9fb9b92d5f4b477eec39862163d6cce83b1ec254",
        );
    }

    #[test]
    fn suppression_ids() {
        let host = ("host.name", HashValue::texts(["host-1"]));
        check(
            &suppression_instance_id(std::slice::from_ref(&host), RULE, SPACE),
            "a955a928b407e2ee5580d3019a06a8f299d40c6f",
        );
        check(
            &suppression_instance_id(&[host, ("user.name", HashValue::Null)], RULE, SPACE),
            "edad3fa2de482f036d6df61d29290fb55dd80a95",
        );
        check(&threshold_instance_id(&["host-1"], RULE, SPACE), "16154437e2962687941b799c82565ea4ea6c1d0a");
    }

    #[test]
    fn threshold_ids() {
        let fields = ["host.name", "user.name"];
        let id = threshold_event_id("rid-1", "2024-01-01T00:05:00.000Z", &fields, &["host-1", "alice"]);
        check(&id, "5c6e5bbd-f094-568d-a919-5b7103cee945");
        check(
            &event_alert_id(&threshold_event_index(&["logs-*", "filebeat-*"]), &id, SPACE, RULE),
            "52ffb5fc7ef0541f59be59a2ac03ac19b806a14a913f5326b5b7f292db6138b3",
        );
        check(
            &threshold_terms_hash(&[("user.name", "alice"), ("host.name", "host-1")]),
            "6506baabaf6f935b3b480d702ce6571169e1503a81e6eda6cf8701f1bffb947a",
        );
    }
}
