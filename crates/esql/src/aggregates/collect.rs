//! Aggregates that keep values: VALUES, FIRST, LAST and TOP.

use std::cmp::Ordering;

use rustc_hash::FxHashSet;

use crate::value::{Value, order};
use crate::warning::Failure;

/// VALUES: each value once, in the order of the first.
#[derive(Debug, Default)]
pub(super) struct ValuesState {
    seen: FxHashSet<Value>,
    values: Vec<Value>,
    bytes: usize,
}

impl ValuesState {
    pub(super) fn add(&mut self, value: &Value) {
        if !self.seen.contains(value) {
            self.seen.insert(value.clone());
            self.values.push(value.clone());
            // Once in the list, once in the set, with its text shared.
            self.bytes += 2 * size_of::<Value>() + 8 + value.heap_bytes();
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        other.values.iter().for_each(|value| self.add(value));
    }

    pub(super) fn finish(&mut self) -> Value {
        Value::from_values(std::mem::take(&mut self.values))
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

/// FIRST and LAST: the values of the row whose key is least or greatest; of equal ones the first that came. Rows without
/// a key count only where no row has one.
#[derive(Debug)]
pub(super) struct FirstState {
    last: bool,
    best: Option<(Value, Value)>,
}

impl FirstState {
    pub(super) fn new(last: bool) -> Self {
        Self { last, best: None }
    }

    pub(super) fn add(&mut self, arguments: &[Value]) {
        let [value, key] = arguments else { return };
        let keys = key.values().iter();
        let key = if self.last { keys.max_by(|a, b| order(a, b)) } else { keys.min_by(|a, b| order(a, b)) };
        self.offer(value, &key.cloned().unwrap_or_default());
    }

    fn offer(&mut self, value: &Value, key: &Value) {
        let wanted = if self.last { Ordering::Greater } else { Ordering::Less };
        let better = match &self.best {
            None => true,
            Some((_, Value::Null)) => !key.is_null(),
            Some((_, best)) => !key.is_null() && order(key, best) == wanted,
        };
        if better {
            self.best = Some((value.clone(), key.clone()));
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        if let Some((value, key)) = other.best {
            self.offer(&value, &key);
        }
    }

    pub(super) fn finish(&self) -> Value {
        self.best.as_ref().map(|(value, _)| value.clone()).unwrap_or_default()
    }

    pub(super) fn bytes(&self) -> usize {
        self.best.as_ref().map_or(0, |(value, key)| value.heap_bytes() + key.heap_bytes())
    }
}

/// TOP.
#[derive(Debug)]
pub(super) struct TopState {
    limit: usize,
    descending: bool,
    /// Key, and what stands for it in the result; sorted, at most twice the limit before it is cut.
    kept: Vec<(Value, Value)>,
    bytes: usize,
}

impl TopState {
    pub(super) fn new(limit: Option<&Value>, descending: Option<&Value>) -> Result<Self, Failure> {
        let limit = limit.and_then(|limit| limit.borrowed().as_long()).filter(|limit| *limit > 0);
        let limit = limit.ok_or_else(|| Failure::argument("the limit of TOP is a number greater than 0"))?;
        let descending = match descending.and_then(|order| order.borrowed().as_text()) {
            None => false,
            Some(text) if text.eq_ignore_ascii_case("asc") => false,
            Some(text) if text.eq_ignore_ascii_case("desc") => true,
            Some(text) => {
                return Err(Failure::argument(format!(
                    "the order of TOP is `asc` or `desc`, found [{text}]"
                )));
            }
        };
        Ok(Self { limit: limit as usize, descending, kept: Vec::new(), bytes: 0 })
    }

    pub(super) fn add(&mut self, arguments: &[Value]) {
        let Some(field) = arguments.first() else { return };
        for key in field.values() {
            let shown = arguments.get(3).map_or_else(|| key.clone(), Value::clone);
            self.bytes += pair_bytes(key, &shown);
            self.kept.push((key.clone(), shown));
        }
        if self.kept.len() > self.limit.saturating_mul(2).saturating_add(16) {
            self.cut();
        }
    }

    fn cut(&mut self) {
        let descending = self.descending;
        self.kept.sort_by(|(a, _), (b, _)| if descending { order(b, a) } else { order(a, b) });
        self.kept.truncate(self.limit);
        self.bytes = self.kept.iter().map(|(key, shown)| pair_bytes(key, shown)).sum();
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.kept.extend(other.kept);
        self.cut();
    }

    pub(super) fn finish(&mut self) -> Value {
        self.cut();
        let shown = self.kept.iter().flat_map(|(_, shown)| shown.values().to_vec());
        Value::from_values(shown.collect())
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

fn pair_bytes(key: &Value, shown: &Value) -> usize {
    2 * size_of::<Value>() + key.heap_bytes() + shown.heap_bytes()
}
