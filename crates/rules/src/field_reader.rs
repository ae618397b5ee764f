//! Takes typed fields out of a JSON object, one by one, and collects a message for each that does not fit.
//!
//! Reading never stops: a field that does not fit gives a message and counts as absent, so that one look at a rule
//! reports everything that is wrong with it. What is left at the end was not known ([`FieldReader::finish`]).

use std::ops::RangeInclusive;

use maxspan_diagnostics::{Code, Diagnostic, Messages, Span, nearest_names};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::json_places::Step;
use crate::limits::MESSAGES_PER_RULE_MAX;

/// Where the fields of a document are written.
pub(crate) trait Places {
    /// The value at the path, or the deepest one before it.
    fn value(&self, path: &[Step<'_>]) -> Span;
    /// The key of a top-level field; where it is not written, the document's beginning.
    fn key(&self, name: &str) -> Span;
}

/// The codes of messages about fields: rules and exceptions have their own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FieldCodes {
    pub(crate) missing: Code,
    pub(crate) invalid: Code,
    pub(crate) unknown: Code,
}

/// The fields of one object that were not taken yet.
pub(crate) struct FieldReader<'a> {
    fields: Map<String, Value>,
    taken: Vec<&'static str>,
    places: &'a dyn Places,
    codes: FieldCodes,
    messages: Messages,
}

impl<'a> FieldReader<'a> {
    pub(crate) fn new(fields: Map<String, Value>, places: &'a dyn Places, codes: FieldCodes) -> Self {
        Self { fields, taken: Vec::new(), places, codes, messages: Messages::new(MESSAGES_PER_RULE_MAX) }
    }

    /// Whether the field is there and not null.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.fields.get(name).is_some_and(|value| !value.is_null())
    }

    /// Any value; null counts as absent, as in Kibana's exports.
    pub(crate) fn value(&mut self, name: &'static str) -> Option<Value> {
        self.taken.push(name);
        self.fields.shift_remove(name).filter(|value| !value.is_null())
    }

    pub(crate) fn text(&mut self, name: &'static str) -> Option<String> {
        match self.value(name)? {
            Value::String(text) => Some(text),
            other => self.invalid(name, &format!("must be a text, not {}", kind_of(&other))),
        }
    }

    /// A text that must be there; the empty text stands in for it.
    pub(crate) fn required_text(&mut self, name: &'static str) -> String {
        let Some(text) = self.required(name).then(|| self.text(name)).flatten() else {
            return String::new();
        };
        if text.is_empty() {
            self.invalid::<()>(name, "must not be empty");
        }
        text
    }

    /// Reports the field when it is not there.
    pub(crate) fn required(&mut self, name: &'static str) -> bool {
        let there = self.has(name);
        if !there {
            // A null is no value either; it is taken, so that it does not count as unknown.
            self.value(name);
            self.report(self.codes.missing, &[Step::Key(name)], format!("`{name}` is missing"));
        }
        there
    }

    pub(crate) fn flag(&mut self, name: &'static str) -> Option<bool> {
        match self.value(name)? {
            Value::Bool(flag) => Some(flag),
            other => self.invalid(name, &format!("must be true or false, not {}", kind_of(&other))),
        }
    }

    /// A whole number in a range; `73.0` is one too.
    pub(crate) fn integer(&mut self, name: &'static str, range: RangeInclusive<u64>) -> Option<u64> {
        let value = self.value(name)?;
        let number = value.as_u64().or_else(|| whole(value.as_f64()?));
        if let Some(number) = number.filter(|number| range.contains(number)) {
            return Some(number);
        }
        let shown = if value.is_number() { value.to_string() } else { kind_of(&value).to_owned() };
        self.invalid(name, &format!("must be {}, not {shown}", in_words(&range)))
    }

    /// A list of texts; absent is empty.
    pub(crate) fn texts(&mut self, name: &'static str) -> Vec<String> {
        match self.value(name) {
            None => Vec::new(),
            Some(Value::Array(values)) => self.texts_of(name, values),
            Some(other) => {
                self.invalid::<()>(name, &format!("must be a list of texts, not {}", kind_of(&other)));
                Vec::new()
            }
        }
    }

    /// A list of texts, or one text.
    pub(crate) fn text_or_texts(&mut self, name: &'static str) -> Vec<String> {
        match self.fields.get(name) {
            Some(Value::String(_)) => self.text(name).into_iter().filter(|text| !text.is_empty()).collect(),
            _ => self.texts(name),
        }
    }

    fn texts_of(&mut self, name: &'static str, values: Vec<Value>) -> Vec<String> {
        let mut texts = Vec::with_capacity(values.len());
        for (index, value) in values.into_iter().enumerate() {
            match value {
                Value::String(text) => texts.push(text),
                other => {
                    let message = format!("`{name}` must hold texts, not {}", kind_of(&other));
                    self.report(self.codes.invalid, &[Step::Key(name), Step::Index(index)], message);
                }
            }
        }
        texts
    }

    /// A list whose elements are kept as they are; absent is empty.
    pub(crate) fn values(&mut self, name: &'static str) -> Vec<Value> {
        match self.value(name) {
            None => Vec::new(),
            Some(Value::Array(values)) => values,
            Some(other) => {
                self.invalid::<()>(name, &format!("must be a list, not {}", kind_of(&other)));
                Vec::new()
            }
        }
    }

    pub(crate) fn object(&mut self, name: &'static str) -> Option<Map<String, Value>> {
        match self.value(name)? {
            Value::Object(map) => Some(map),
            other => self.invalid(name, &format!("must be an object, not {}", kind_of(&other))),
        }
    }

    /// A part with its own shape.
    pub(crate) fn part<T: DeserializeOwned + Serialize>(&mut self, name: &'static str) -> Option<T> {
        let value = self.value(name)?;
        self.shaped_part(&[Step::Key(name)], &value)
    }

    /// A list of parts with their own shape; absent is empty.
    pub(crate) fn parts<T: DeserializeOwned + Serialize>(&mut self, name: &'static str) -> Vec<T> {
        let values = self.values(name).into_iter().enumerate();
        values
            .filter_map(|(index, value)| self.shaped_part(&[Step::Key(name), Step::Index(index)], &value))
            .collect()
    }

    /// A part with its own shape, from a value that was taken already.
    pub(crate) fn shaped_part<T: DeserializeOwned + Serialize>(
        &mut self,
        path: &[Step<'_>],
        value: &Value,
    ) -> Option<T> {
        match T::deserialize(value) {
            Ok(part) => {
                if let Ok(understood) = serde_json::to_value(&part) {
                    for unknown in unknown_keys(value, &understood) {
                        self.report(
                            self.codes.unknown,
                            path,
                            format!("unknown field `{}{unknown}`", dotted(path)),
                        );
                    }
                }
                Some(part)
            }
            Err(error) => {
                self.report(self.codes.invalid, path, format!("`{}`: {error}", dotted(path)));
                None
            }
        }
    }

    /// Reports a value that does not fit; gives `None`, so that it can end an expression.
    pub(crate) fn invalid<T>(&mut self, name: &str, must: &str) -> Option<T> {
        self.report(self.codes.invalid, &[Step::Key(name)], format!("`{name}` {must}"));
        None
    }

    /// Adds a message about the value at `path`.
    pub(crate) fn report(&mut self, code: Code, path: &[Step<'_>], message: impl Into<String>) {
        let places = self.places;
        self.messages.push(code, || Diagnostic::new(code, places.value(path), message));
    }

    /// Adds a way out to the last message.
    pub(crate) fn help(&mut self, help: String) {
        if let Some(diagnostic) = self.messages.last_mut() {
            diagnostic.help = Some(help);
        }
    }

    /// Takes fields that are known but have no effect, without a word.
    pub(crate) fn pass_over(&mut self, names: &[&'static str]) {
        for name in names {
            self.value(name);
        }
    }

    /// Takes fields that are known but have no effect here, with a message for each that is there.
    pub(crate) fn ignore(&mut self, code: Code, names: &[&'static str], because: &str) {
        for name in names {
            if let Some(value) = self.value(name)
                && !is_empty(&value)
            {
                let places = self.places;
                self.messages.push(code, || {
                    Diagnostic::new(code, places.key(name), format!("`{name}` has no effect: {because}"))
                });
            }
        }
    }

    /// All messages, where the fields that were not taken mean nothing.
    pub(crate) fn give_up(self) -> Vec<Diagnostic> {
        self.messages.finish()
    }

    /// Reports whatever was not taken; gives all messages.
    pub(crate) fn finish(mut self) -> Vec<Diagnostic> {
        let (places, code, taken) = (self.places, self.codes.unknown, &self.taken);
        for name in self.fields.keys() {
            self.messages.push(code, || {
                let diagnostic = Diagnostic::new(code, places.key(name), format!("unknown field `{name}`"));
                match nearest_names(name, taken.iter().copied()).first() {
                    Some(near) => diagnostic.with_help(format!("did you mean `{near}`?")),
                    None => diagnostic,
                }
            });
        }
        self.messages.finish()
    }
}

/// What a message calls a value.
pub(crate) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::String(text) => text.is_empty(),
        Value::Array(values) => values.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

fn whole(number: f64) -> Option<u64> {
    (number.fract() == 0.0 && (0.0..9e15).contains(&number)).then_some(number as u64)
}

fn in_words(range: &RangeInclusive<u64>) -> String {
    match *range.end() {
        u64::MAX => format!("a whole number from {}", range.start()),
        end => format!("a whole number from {} to {end}", range.start()),
    }
}

fn dotted(path: &[Step<'_>]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Key(name) if text.is_empty() => text.push_str(name),
            Step::Key(name) => text.extend([".", *name]),
            Step::Index(index) => text.extend(["[", &index.to_string(), "]"]),
        }
    }
    text
}

/// Paths of members that are written but were not understood: those that do not come back out.
fn unknown_keys(written: &Value, understood: &Value) -> Vec<String> {
    match (written, understood) {
        (Value::Object(written), Value::Object(understood)) => {
            let mut unknown = Vec::new();
            for (key, value) in written.iter().filter(|(_, value)| !is_null_or_empty(value)) {
                match understood.get(key) {
                    None => unknown.push(format!(".{key}")),
                    Some(inner) => {
                        unknown.extend(
                            unknown_keys(value, inner).into_iter().map(|rest| format!(".{key}{rest}")),
                        );
                    }
                }
            }
            unknown
        }
        (Value::Array(written), Value::Array(understood)) => {
            let pairs = written.iter().zip(understood).enumerate();
            pairs
                .flat_map(|(i, (a, b))| {
                    unknown_keys(a, b).into_iter().map(move |rest| format!("[{i}]{rest}"))
                })
                .collect()
        }
        _ => Vec::new(),
    }
}

fn is_null_or_empty(value: &Value) -> bool {
    value.is_null() || is_empty(value)
}
