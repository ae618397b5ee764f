//! Values by number, without an allocation for each: numbers of values that are gone are used again.

/// Values in pieces of this many, so that growing copies nothing and wastes little.
const PIECE: usize = 4096;

/// No value.
pub(super) const NONE: u32 = u32::MAX;

/// Values by number.
#[derive(Debug, Default)]
pub(super) struct Slab<T> {
    pieces: Vec<Vec<T>>,
    free: Vec<u32>,
    used: usize,
}

impl<T: Default> Slab<T> {
    pub(super) fn insert(&mut self, value: T) -> u32 {
        self.used += 1;
        if let Some(number) = self.free.pop() {
            *self.get_mut(number) = value;
            return number;
        }
        if self.pieces.last().is_none_or(|piece| piece.len() == PIECE) {
            self.pieces.push(Vec::with_capacity(PIECE));
        }
        let before = (self.pieces.len() - 1) * PIECE;
        let last = self.pieces.len() - 1;
        self.pieces[last].push(value);
        (before + self.pieces[last].len() - 1) as u32
    }

    /// Takes a value out; its number may be given to another one.
    pub(super) fn remove(&mut self, number: u32) -> T {
        self.used -= 1;
        self.free.push(number);
        std::mem::take(self.get_mut(number))
    }

    pub(super) fn get(&self, number: u32) -> &T {
        &self.pieces[number as usize / PIECE][number as usize % PIECE]
    }

    pub(super) fn get_mut(&mut self, number: u32) -> &mut T {
        &mut self.pieces[number as usize / PIECE][number as usize % PIECE]
    }

    /// How many values there are.
    pub(super) fn len(&self) -> usize {
        self.used
    }

    /// Every place, also those of values that are gone, which are as [`Default`] makes them.
    pub(super) fn places_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.pieces.iter_mut().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_used_again() {
        let mut slab = Slab::default();
        let numbers: Vec<u32> = (0..10_000_u64).map(|value| slab.insert(value)).collect();
        assert_eq!((numbers[9_999], slab.len()), (9_999, 10_000));
        assert_eq!((slab.remove(4_096), slab.len()), (4_096, 9_999));
        assert_eq!((slab.insert(7), *slab.get(4_096), slab.len()), (4_096, 7, 10_000));
    }
}
