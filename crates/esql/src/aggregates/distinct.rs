//! `COUNT_DISTINCT`: a set up to a limit, then `HyperLogLog` (Flajolet and others, 2007), whose error is about 0.8 %.

use std::hash::{DefaultHasher, Hash, Hasher};

use rustc_hash::FxHashSet;

use crate::limits::DISTINCT_EXACT_MAX;
use crate::value::Value;

/// The number of registers is two to this power; the error is 1.04 divided by the root of the number.
const REGISTER_BITS: u32 = 14;
const REGISTERS: usize = 1 << REGISTER_BITS;

/// The state of `COUNT_DISTINCT`.
#[derive(Debug, Default)]
pub(super) struct DistinctState {
    /// Hashes of the values; different values share one once in 2^64.
    exact: FxHashSet<u64>,
    /// The longest run of zeros of each register; empty while the set is exact.
    registers: Vec<u8>,
}

impl DistinctState {
    pub(super) fn add(&mut self, value: &Value) {
        // The hasher of the standard library is the same in every process when it is made this way.
        let mut hasher = DefaultHasher::new();
        value.hash(&mut hasher);
        self.add_hash(hasher.finish());
    }

    fn add_hash(&mut self, hash: u64) {
        if self.registers.is_empty() {
            self.exact.insert(hash);
            if self.exact.len() > DISTINCT_EXACT_MAX {
                self.estimate();
            }
        } else {
            self.count_in_register(hash);
        }
    }

    /// From the set to registers.
    fn estimate(&mut self) {
        self.registers = vec![0; REGISTERS];
        for hash in std::mem::take(&mut self.exact) {
            self.count_in_register(hash);
        }
    }

    fn count_in_register(&mut self, hash: u64) {
        let register = &mut self.registers[(hash >> (64 - REGISTER_BITS)) as usize];
        let rest = hash << REGISTER_BITS | 1 << (REGISTER_BITS - 1);
        *register = (*register).max(rest.leading_zeros() as u8 + 1);
    }

    pub(super) fn merge(&mut self, mut other: Self) {
        if other.registers.is_empty() {
            other.exact.drain().for_each(|hash| self.add_hash(hash));
            return;
        }
        if self.registers.is_empty() {
            self.estimate();
        }
        for (mine, theirs) in self.registers.iter_mut().zip(&other.registers) {
            *mine = (*mine).max(*theirs);
        }
    }

    pub(super) fn count(&self) -> i64 {
        if self.registers.is_empty() {
            return self.exact.len() as i64;
        }
        let m = REGISTERS as f64;
        let sum: f64 = self.registers.iter().map(|zeros| 2_f64.powi(-i32::from(*zeros))).sum();
        let estimate = 0.7213 / (1.0 + 1.079 / m) * m * m / sum;
        let empty = self.registers.iter().map(|zeros| usize::from(*zeros == 0)).sum::<usize>();
        // Small counts are better told by how many registers nothing fell into.
        let small = estimate <= 2.5 * m && empty > 0;
        (if small { m * (m / empty as f64).ln() } else { estimate }).round() as i64
    }

    pub(super) fn bytes(&self) -> usize {
        self.exact.capacity() * 9 + self.registers.len()
    }
}
