//! Percentiles, medians and deviations.

use super::numbers::Compensated;
use crate::value::Value;
use crate::warning::Failure;

/// PERCENTILE, MEDIAN and `MEDIAN_ABSOLUTE_DEVIATION`: all numbers are kept, so that the result is exact.
#[derive(Debug)]
pub(super) struct NumbersState {
    numbers: Vec<f64>,
    /// None for the deviation.
    percent: Option<f64>,
}

impl NumbersState {
    pub(super) fn percentile(percent: f64) -> Result<Self, Failure> {
        if !(0.0..=100.0).contains(&percent) {
            return Err(Failure::argument(format!("a percentile is from 0 to 100, found [{percent}]")));
        }
        Ok(Self { numbers: Vec::new(), percent: Some(percent) })
    }

    pub(super) fn median_deviation() -> Self {
        Self { numbers: Vec::new(), percent: None }
    }

    pub(super) fn add(&mut self, value: &Value) {
        self.numbers.extend(value.borrowed().as_double());
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.numbers.extend(other.numbers);
    }

    pub(super) fn finish(&mut self) -> Value {
        if self.numbers.is_empty() {
            return Value::Null;
        }
        self.numbers.sort_by(f64::total_cmp);
        if let Some(percent) = self.percent {
            return Value::Double(percentile_of(&self.numbers, percent));
        }
        let center = percentile_of(&self.numbers, 50.0);
        let mut distances: Vec<f64> = self.numbers.iter().map(|number| (number - center).abs()).collect();
        distances.sort_by(f64::total_cmp);
        Value::Double(percentile_of(&distances, 50.0))
    }

    pub(super) fn bytes(&self) -> usize {
        self.numbers.capacity() * size_of::<f64>()
    }
}

/// The percentile of sorted numbers; between two of them in proportion.
pub(crate) fn percentile_of(sorted: &[f64], percent: f64) -> f64 {
    let place = percent / 100.0 * (sorted.len().saturating_sub(1)) as f64;
    let (low, part) = (place.floor() as usize, place.fract());
    match (sorted.get(low), sorted.get(low + 1)) {
        (Some(low), Some(high)) if part > 0.0 => low + part * (high - low),
        (Some(low), _) => *low,
        _ => f64::NAN,
    }
}

/// `STD_DEV` and VARIANCE, updated value by value (Welford's method).
#[derive(Debug)]
pub(super) struct DeviationState {
    root: bool,
    count: u64,
    mean: f64,
    squares: Compensated,
}

impl DeviationState {
    pub(super) fn new(root: bool) -> Self {
        Self { root, count: 0, mean: 0.0, squares: Compensated::default() }
    }

    pub(super) fn add(&mut self, value: &Value) {
        let Some(number) = value.borrowed().as_double() else { return };
        self.count += 1;
        let distance = number - self.mean;
        self.mean += distance / self.count as f64;
        self.squares.add(distance * (number - self.mean));
    }

    pub(super) fn merge(&mut self, other: &Self) {
        let (a, b) = (self.count as f64, other.count as f64);
        if other.count == 0 {
            return;
        }
        let distance = other.mean - self.mean;
        self.squares.add(other.squares.value() + distance * distance * a * b / (a + b));
        self.mean += distance * b / (a + b);
        self.count += other.count;
    }

    pub(super) fn finish(&self) -> Value {
        if self.count == 0 {
            return Value::Null;
        }
        let variance = (self.squares.value() / self.count as f64).max(0.0);
        Value::Double(if self.root { variance.sqrt() } else { variance })
    }
}
