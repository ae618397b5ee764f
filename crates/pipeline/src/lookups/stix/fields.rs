//! What properties of STIX's objects are in ECS, below `threat.indicator`.

use std::net::IpAddr;

use maxspan_event::parse_ip;
use serde_json::{Map, Value as Json, json};

use super::pattern::{Literal, Test};

/// What one document says.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Observed {
    /// `threat.indicator.type`.
    pub(super) kind: String,
    /// Fields below `threat.indicator`.
    pub(super) fields: Map<String, Json>,
}

/// Hives of the registry and their short names, which events have.
const HIVES: [(&str, &str); 5] = [
    ("HKEY_LOCAL_MACHINE", "HKLM"),
    ("HKEY_CURRENT_USER", "HKCU"),
    ("HKEY_CLASSES_ROOT", "HKCR"),
    ("HKEY_USERS", "HKU"),
    ("HKEY_CURRENT_CONFIG", "HKCC"),
];

/// Hashes as STIX and ECS call them.
const HASHES: [(&str, &str); 7] = [
    ("MD5", "md5"),
    ("SHA-1", "sha1"),
    ("SHA-256", "sha256"),
    ("SHA-384", "sha384"),
    ("SHA-512", "sha512"),
    ("SSDEEP", "ssdeep"),
    ("TLSH", "tlsh"),
];

impl Observed {
    /// The document of tests that hold together; else what cannot be said.
    pub(super) fn of(tests: &[Test]) -> Result<Self, String> {
        let mut observed = Self { kind: String::new(), fields: Map::new() };
        for Test { path, value } in tests {
            let (object, property) = path.split_once(':').unwrap_or((path, ""));
            let (kind, fields) = fields(object, property, value)?;
            if observed.kind.is_empty() {
                observed.kind = kind;
            }
            for (field, value) in fields {
                let other = observed.fields.insert(field.to_owned(), value.clone());
                if other.is_some_and(|other| other != value) {
                    return Err("two values of one property at once".to_owned());
                }
            }
        }
        Ok(observed)
    }
}

type Fields = Vec<(&'static str, Json)>;

/// The type of the indicator, and its fields.
fn fields(object: &str, property: &str, value: &Literal) -> Result<(String, Fields), String> {
    let path = || Err(format!("the property {object}:{property}"));
    let text = match value {
        Literal::Text(text) => text.as_str(),
        Literal::Number(number) => {
            let fields = match (object, property) {
                ("file", "size") => vec![("file.size", json!(number))],
                ("autonomous-system", "number") => vec![("as.number", json!(number))],
                ("network-traffic", "dst_port") => vec![("port", json!(number))],
                _ => return path(),
            };
            let kind = if object == "network-traffic" { "port" } else { object };
            return Ok((kind.to_owned(), fields));
        }
        Literal::Other => return Err("a value that is neither text nor number".to_owned()),
    };
    if let Some(hash) = property.strip_prefix("hashes.") {
        return match (object, hash_field(hash)) {
            // ECS has no hashes of indicators that are certificates; their rules look at those of files.
            ("file" | "x509-certificate" | "artifact", Some(field)) => {
                let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
                let text = if is_hex { text.to_lowercase() } else { text.to_owned() };
                Ok((object.to_owned(), vec![(field, json!(text))]))
            }
            _ => path(),
        };
    }
    let fields = match (object, property) {
        ("ipv4-addr" | "ipv6-addr", "value") | ("network-traffic", "dst_ref.value" | "src_ref.value") => {
            let (kind, fields) = address(text)?;
            return Ok((kind.to_owned(), fields));
        }
        ("domain-name", "value") => vec![("url.domain", json!(text.trim_end_matches('.').to_lowercase()))],
        ("url", "value") => vec![("url.full", json!(text)), ("url.original", json!(text))],
        ("file", "name") => vec![("file.name", json!(text))],
        ("file", "mime_type") => vec![("file.mime_type", json!(text))],
        ("file", "parent_directory_ref.path") | ("directory", "path") => {
            vec![("file.directory", json!(text))]
        }
        ("email-addr", "value") | ("email-message", "from_ref.value" | "sender_ref.value") => {
            let fields = vec![("email.address", json!(text.to_lowercase()))];
            return Ok(("email-addr".to_owned(), fields));
        }
        ("windows-registry-key", "key") => registry(text),
        ("windows-registry-key", "values[*].name") => vec![("registry.value", json!(text))],
        ("windows-registry-key", "values[*].data") => vec![("registry.data.strings", json!([text]))],
        ("x509-certificate", "serial_number") => vec![("x509.serial_number", json!(serial(text)))],
        ("x509-certificate", "issuer") => vec![("x509.issuer.distinguished_name", json!(text))],
        ("x509-certificate", "subject") => vec![("x509.subject.distinguished_name", json!(text))],
        ("autonomous-system", "name") => vec![("as.organization.name", json!(text))],
        _ => return path(),
    };
    Ok((object.to_owned(), fields))
}

fn hash_field(hash: &str) -> Option<&'static str> {
    let plain = |name: &str| name.replace('-', "").to_uppercase();
    let (_, field) = HASHES.iter().find(|(name, _)| plain(name) == plain(hash))?;
    Some(match *field {
        "md5" => "file.hash.md5",
        "sha1" => "file.hash.sha1",
        "sha256" => "file.hash.sha256",
        "sha384" => "file.hash.sha384",
        "sha512" => "file.hash.sha512",
        "ssdeep" => "file.hash.ssdeep",
        _ => "file.hash.tlsh",
    })
}

/// An address; blocks of more than one are not values of `threat.indicator.ip`.
fn address(text: &str) -> Result<(&'static str, Fields), String> {
    let single = text.strip_suffix("/32").filter(|text| !text.contains(':'));
    let single = single.or_else(|| text.strip_suffix("/128")).unwrap_or(text);
    match parse_ip(single.trim()) {
        Some(ip) => {
            let kind = if matches!(ip, IpAddr::V4(_)) { "ipv4-addr" } else { "ipv6-addr" };
            Ok((kind, vec![("ip", json!(ip.to_string()))]))
        }
        None if single.contains('/') => Err("a block of addresses".to_owned()),
        None => Err("an address that is none".to_owned()),
    }
}

/// A key with its hive, as events write them.
fn registry(key: &str) -> Fields {
    let key = key.replace("\\\\", "\\");
    let (hive, rest) = key.split_once('\\').unwrap_or((&key, ""));
    let known = HIVES
        .iter()
        .find(|(long, short)| hive.eq_ignore_ascii_case(long) || hive.eq_ignore_ascii_case(short));
    match known {
        Some((_, short)) => vec![
            ("registry.hive", json!(short)),
            ("registry.key", json!(rest)),
            ("registry.path", json!(format!("{short}\\{rest}").trim_end_matches('\\'))),
        ],
        None => vec![("registry.key", json!(key)), ("registry.path", json!(key))],
    }
}

/// Without colons, in upper case, as ECS writes serial numbers.
fn serial(text: &str) -> String {
    text.replace([':', ' '], "").to_uppercase()
}
