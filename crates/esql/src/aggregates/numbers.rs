//! Sums, averages, least and greatest values.

use std::cmp::Ordering;

use crate::value::{Value, ValueRef, order};
use crate::warning::Failure;

/// A sum of doubles that carries what rounding lost (Kahan's method).
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Compensated {
    sum: f64,
    lost: f64,
}

impl Compensated {
    pub(super) fn add(&mut self, value: f64) {
        let corrected = value + self.lost;
        let next = self.sum + corrected;
        if next.is_finite() {
            self.lost = corrected - (next - self.sum);
        } else {
            self.lost = 0.0;
        }
        self.sum = next;
    }

    pub(super) fn value(&self) -> f64 {
        self.sum + self.lost
    }
}

/// SUM: exact for whole numbers, an error where the result has no room.
#[derive(Debug, Default)]
pub(super) struct SumState {
    whole: i128,
    doubles: Compensated,
    /// A value of the kind that is added; none before the first.
    kind: Option<Value>,
}

impl SumState {
    pub(super) fn add(&mut self, value: &Value) {
        match value.borrowed() {
            ValueRef::Double(double) => self.doubles.add(double),
            ValueRef::UnsignedLong(whole) => self.whole = self.whole.saturating_add(i128::from(whole)),
            other => self.whole = self.whole.saturating_add(i128::from(other.as_long().unwrap_or(0))),
        }
        if self.kind.is_none() {
            self.kind = Some(value.clone());
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.whole = self.whole.saturating_add(other.whole);
        self.doubles.add(other.doubles.value());
        self.kind = self.kind.take().or_else(|| other.kind.clone());
    }

    pub(super) fn finish(&self) -> Result<Value, Failure> {
        match self.kind {
            None => Ok(Value::Null),
            Some(Value::Double(_)) => Ok(Value::Double(self.doubles.value())),
            Some(Value::UnsignedLong(_)) => u64::try_from(self.whole)
                .map(Value::UnsignedLong)
                .map_err(|_| Failure::arithmetic("unsigned_long overflow")),
            Some(_) => {
                i64::try_from(self.whole).map(Value::Long).map_err(|_| Failure::arithmetic("long overflow"))
            }
        }
    }
}

/// AVG.
#[derive(Debug, Default)]
pub(super) struct AverageState {
    sum: SumState,
    count: u64,
}

impl AverageState {
    pub(super) fn add(&mut self, value: &Value) {
        self.sum.add(value);
        self.count += 1;
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.sum.merge(&other.sum);
        self.count += other.count;
    }

    pub(super) fn finish(&self) -> Value {
        if self.count == 0 {
            return Value::Null;
        }
        Value::Double((self.sum.whole as f64 + self.sum.doubles.value()) / self.count as f64)
    }
}

/// MIN and MAX.
#[derive(Debug)]
pub(super) struct ExtremeState {
    wanted: Ordering,
    best: Option<Value>,
}

impl ExtremeState {
    pub(super) fn new(greatest: bool) -> Self {
        Self { wanted: if greatest { Ordering::Greater } else { Ordering::Less }, best: None }
    }

    pub(super) fn add(&mut self, value: &Value) {
        if self.best.as_ref().is_none_or(|best| order(value, best) == self.wanted) {
            self.best = Some(value.clone());
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        if let Some(best) = &other.best {
            self.add(best);
        }
    }

    pub(super) fn finish(&self) -> Value {
        self.best.clone().unwrap_or_default()
    }

    pub(super) fn bytes(&self) -> usize {
        self.best.as_ref().map_or(0, Value::heap_bytes)
    }
}

/// `WEIGHTED_AVG`. With a weight that is the same for all rows, several values count one by one.
#[derive(Debug)]
pub(super) struct WeightedState {
    constant: Option<Value>,
    plain: AverageState,
    products: Compensated,
    weights: Compensated,
    rows: u64,
}

impl WeightedState {
    pub(super) fn new(weight: Option<&Value>) -> Self {
        // A weight with several values is an error of every row.
        let constant = weight.filter(|weight| !matches!(weight, Value::Many(_))).cloned();
        let (plain, products, weights) =
            (AverageState::default(), Compensated::default(), Compensated::default());
        Self { constant, plain, products, weights, rows: 0 }
    }

    pub(super) fn add(&mut self, arguments: &[Value]) -> Result<(), Failure> {
        let [value, weight] = arguments else { return Ok(()) };
        if self.constant.is_some() {
            value.values().iter().for_each(|value| self.plain.add(value));
            return Ok(());
        }
        if matches!(value, Value::Many(_)) || matches!(weight, Value::Many(_)) {
            return Err(Failure::multi_value());
        }
        if let (Some(value), Some(weight)) = (value.borrowed().as_double(), weight.borrowed().as_double()) {
            self.products.add(value * weight);
            self.weights.add(weight);
            self.rows += 1;
        }
        Ok(())
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.plain.merge(&other.plain);
        self.products.add(other.products.value());
        self.weights.add(other.weights.value());
        self.rows += other.rows;
    }

    pub(super) fn finish(&self) -> Result<Value, Failure> {
        if let Some(weight) = &self.constant {
            if self.plain.count == 0 {
                return Ok(Value::Null);
            }
            if weight.borrowed().as_double() == Some(0.0) {
                return Err(Failure::arithmetic("/ by zero"));
            }
            // Sums of whole numbers have to fit, as with SUM.
            self.plain.sum.finish()?;
            return Ok(self.plain.finish());
        }
        if self.rows == 0 {
            return Ok(Value::Null);
        }
        if self.weights.value() == 0.0 {
            return Err(Failure::arithmetic("/ by zero"));
        }
        Ok(Value::Double(self.products.value() / self.weights.value()))
    }
}
