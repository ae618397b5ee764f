//! The hash of the npm package `object-hash` with its default options: SHA-1 over a textual form (specification 3.6).
//!
//! Written for the values that Kibana hashes: plain objects, arrays, texts, numbers, dates; no functions, no cycles.
//! The odd texts of an object's prototype are part of that form.

use std::fmt::Write as _;

use serde_json::Value;
use sha1::{Digest, Sha1};

/// A JavaScript value.
#[derive(Debug, Clone, PartialEq)]
pub enum HashValue {
    /// `undefined`
    Undefined,
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A number.
    Number(f64),
    /// A text.
    String(String),
    /// A `Date`, as `toJSON` writes it.
    Date(String),
    /// An array.
    Array(Vec<HashValue>),
    /// A plain object; the order of members does not matter.
    Object(Vec<(String, HashValue)>),
}

impl HashValue {
    /// An array of texts.
    pub fn texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        Self::Array(texts.into_iter().map(Self::from).collect())
    }
}

impl From<&str> for HashValue {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<&Value> for HashValue {
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(flag) => Self::Bool(*flag),
            Value::Number(number) => Self::Number(number.as_f64().unwrap_or(f64::NAN)),
            Value::String(text) => Self::String(text.clone()),
            Value::Array(values) => Self::Array(values.iter().map(Self::from).collect()),
            Value::Object(members) => {
                Self::Object(members.iter().map(|(key, value)| (key.clone(), Self::from(value))).collect())
            }
        }
    }
}

/// The hash, 40 hexadecimal digits.
pub fn object_hash(value: &HashValue) -> String {
    let mut writer = Writer { text: String::new(), visited: 0, prototype: None };
    writer.value(value);
    super::hex(&Sha1::digest(writer.text.as_bytes()))
}

/// A function's own text; `Object` is native.
const CONSTRUCTOR: &str = "string:11:constructor:fn:string:8:[native]string:20:function-name:Object";

struct Writer {
    text: String,
    /// How many arrays, objects and dates were met so far: the position of the next.
    visited: usize,
    /// Position of `Object.prototype`, once met; the function `Object` follows it.
    prototype: Option<usize>,
}

impl Writer {
    fn value(&mut self, value: &HashValue) {
        match value {
            HashValue::Undefined => self.text.push_str("Undefined"),
            HashValue::Null => self.text.push_str("Null"),
            HashValue::Bool(flag) => self.write(format_args!("bool:{flag}")),
            HashValue::Number(number) => self.write(format_args!("number:{}", number_text(*number))),
            HashValue::String(text) => self.string(text),
            HashValue::Date(text) => {
                self.visited += 1;
                self.write(format_args!("date:{text}"));
            }
            HashValue::Array(values) => {
                self.visited += 1;
                self.write(format_args!("array:{}:", values.len()));
                for value in values {
                    self.value(value);
                }
            }
            HashValue::Object(members) => self.object(members),
        }
    }

    fn object(&mut self, members: &[(String, HashValue)]) {
        self.visited += 1;
        let mut members: Vec<_> = members.iter().collect();
        // JavaScript sorts by UTF-16 units.
        members.sort_by(|a, b| a.0.encode_utf16().cmp(b.0.encode_utf16()));
        self.write(format_args!("object:{}:", members.len() + 3));
        self.prototype_members();
        for (key, value) in members {
            self.string(key);
            self.text.push(':');
            self.value(value);
            self.text.push(',');
        }
    }

    /// The members `prototype`, `__proto__`, `constructor` that the package adds to every object.
    fn prototype_members(&mut self) {
        let known = self.prototype;
        let prototype = known.unwrap_or(self.visited);
        let circular_object = circular(prototype + 1);
        self.text.push_str("string:9:prototype:Undefined,string:9:__proto__:");
        if known.is_some() {
            self.text.push_str(&circular(prototype));
        } else {
            self.text.push_str("object:3:string:9:prototype:Undefined,string:9:__proto__:Null,");
            self.write(format_args!("{CONSTRUCTOR}object:0:,"));
            self.visited += 2;
            self.prototype = Some(prototype);
        }
        self.write(format_args!(",{CONSTRUCTOR}{circular_object},"));
    }

    fn string(&mut self, text: &str) {
        self.write(format_args!("string:{}:{text}", text.encode_utf16().count()));
    }

    fn write(&mut self, text: std::fmt::Arguments<'_>) {
        let _ = self.text.write_fmt(text);
    }
}

/// What stands for a value that was met before.
fn circular(position: usize) -> String {
    let text = format!("[CIRCULAR:{position}]");
    format!("string:{}:{text}", text.len())
}

/// A number as JavaScript's `toString` writes it: shortest digits, exponents from 1e21 and below 1e-6.
fn number_text(number: f64) -> String {
    if number == 0.0 {
        return "0".to_owned();
    }
    if !number.is_finite() {
        return if number.is_nan() {
            "NaN".into()
        } else if number > 0.0 {
            "Infinity".into()
        } else {
            "-Infinity".into()
        };
    }
    if (1e-6..1e21).contains(&number.abs()) {
        return number.to_string();
    }
    let text = format!("{number:e}");
    match text.split_once('e') {
        Some((digits, exponent)) if !exponent.starts_with('-') => format!("{digits}e+{exponent}"),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_javascript_does() {
        let check = |number: f64, expected: &str| assert_eq!(number_text(number), expected);
        check(0.0, "0");
        check(-0.0, "0");
        check(1.0, "1");
        check(1.5, "1.5");
        check(-0.1, "-0.1");
        check(1e20, "100000000000000000000");
        check(1e21, "1e+21");
        check(1.5e-7, "1.5e-7");
        check(f64::NAN, "NaN");
    }

    #[test]
    fn members_are_sorted_and_lists_are_not() {
        let object = |members: &[(&str, &str)]| {
            HashValue::Object(
                members.iter().map(|(key, value)| ((*key).to_owned(), (*value).into())).collect(),
            )
        };
        let same = object_hash(&object(&[("a", "1"), ("b", "2")]));
        assert_eq!(same, object_hash(&object(&[("b", "2"), ("a", "1")])));
        assert_ne!(
            object_hash(&HashValue::texts(["a", "b"])),
            object_hash(&HashValue::texts(["b", "a"])),
            "the order of a list matters"
        );
    }
}
