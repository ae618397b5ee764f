//! The needed paths as a trie: key by key to the slots that want a value.

use crate::slots::{NestedSlot, Slot};

/// The root of every trie.
pub(super) const ROOT: u32 = 0;

/// A trie of paths.
#[derive(Debug)]
pub(super) struct Trie {
    nodes: Vec<Node>,
}

/// One place of the trie.
#[derive(Debug, Default)]
pub(super) struct Node {
    children: Keys,
    /// Who wants the values here.
    pub(super) targets: Vec<Slot>,
    /// Nested queries that want the objects here.
    pub(super) nested: Vec<NestedSlot>,
}

impl Trie {
    pub(super) fn new() -> Self {
        Self { nodes: vec![Node::default()] }
    }

    pub(super) fn node(&self, node: u32) -> &Node {
        &self.nodes[node as usize]
    }

    /// The node of a path, made where there is none.
    pub(super) fn insert(&mut self, path: &str) -> &mut Node {
        let mut node = ROOT;
        for segment in path.split('.') {
            let known = self.nodes[node as usize].children.get(segment.as_bytes());
            let child = known.unwrap_or(self.nodes.len() as u32);
            if known.is_none() {
                self.nodes[node as usize].children.insert(segment, child);
                self.nodes.push(Node::default());
            }
            node = child;
        }
        &mut self.nodes[node as usize]
    }

    /// The node that a key below `node` leads to; the key may be several with dots between them. None where nobody wants
    /// what stands there.
    #[inline]
    pub(super) fn walk(&self, node: u32, key: &[u8]) -> Option<u32> {
        let children = &self.nodes[node as usize].children;
        children.get(key).or_else(|| if may_be_several(key) { self.walk_segments(node, key) } else { None })
    }

    fn walk_segments(&self, mut node: u32, key: &[u8]) -> Option<u32> {
        for segment in key.split(|byte| *byte == b'.') {
            node = self.nodes[node as usize].children.get(segment)?;
        }
        Some(node)
    }
}

/// Whether a key may lead further than by itself: with dots in it, or with escapes. Without a branch for each byte, since
/// most keys that are asked are short and have neither.
#[inline]
pub(super) fn may_be_several(key: &[u8]) -> bool {
    key.iter().fold(0, |found, byte| found | u8::from(*byte == b'.') | u8::from(*byte == b'\\')) != 0
}

/// The children of a node by their keys: a hash table over the ends of the keys, which is where they differ.
#[derive(Debug, Default)]
struct Keys {
    /// A power of two of places, at most half of them taken.
    table: Vec<Option<Entry>>,
    len: usize,
}

#[derive(Debug, Clone)]
struct Entry {
    fingerprint: Fingerprint,
    key: Box<[u8]>,
    child: u32,
}

/// The first and the last eight bytes, and the length: the whole key up to sixteen bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Fingerprint {
    head: u64,
    tail: u64,
    len: usize,
}

impl Fingerprint {
    #[inline]
    fn of(key: &[u8]) -> Self {
        let len = key.len();
        let (head, tail) = if let (Some(head), Some(tail)) = (key.first_chunk::<8>(), key.last_chunk()) {
            (u64::from_le_bytes(*head), u64::from_le_bytes(*tail))
        } else if let (Some(head), Some(tail)) = (key.first_chunk::<4>(), key.last_chunk()) {
            (u64::from(u32::from_le_bytes(*head)), u64::from(u32::from_le_bytes(*tail)))
        } else {
            let byte = |at: usize| u64::from(key.get(at).copied().unwrap_or(0));
            (byte(0) | byte(1) << 8 | byte(2) << 16, 0)
        };
        Self { head, tail, len }
    }

    #[inline]
    fn place(self, places: usize) -> usize {
        const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;
        let mixed = (self.head ^ self.tail.rotate_left(29) ^ self.len as u64).wrapping_mul(SPREAD);
        (mixed >> 32) as usize & (places - 1)
    }
}

impl Keys {
    #[inline]
    fn get(&self, key: &[u8]) -> Option<u32> {
        if self.table.is_empty() {
            return None;
        }
        let fingerprint = Fingerprint::of(key);
        let mut place = fingerprint.place(self.table.len());
        loop {
            let entry = self.table[place].as_ref()?;
            if entry.fingerprint == fingerprint && (key.len() <= 16 || *entry.key == *key) {
                return Some(entry.child);
            }
            place = (place + 1) & (self.table.len() - 1);
        }
    }

    fn insert(&mut self, key: &str, child: u32) {
        self.len += 1;
        if self.len * 2 > self.table.len() {
            let places = (self.table.len() * 2).max(8);
            let old = std::mem::replace(&mut self.table, vec![None; places]);
            old.into_iter().flatten().for_each(|entry| self.put(entry));
        }
        let key: Box<[u8]> = key.as_bytes().into();
        self.put(Entry { fingerprint: Fingerprint::of(&key), key, child });
    }

    fn put(&mut self, entry: Entry) {
        let mut place = entry.fingerprint.place(self.table.len());
        while self.table[place].is_some() {
            place = (place + 1) & (self.table.len() - 1);
        }
        self.table[place] = Some(entry);
    }
}

#[cfg(test)]
mod tests {
    use rustc_hash::FxHashMap;

    use super::*;

    #[test]
    fn keys_of_every_length_are_found() {
        let mut expected: FxHashMap<String, u32> = FxHashMap::default();
        let mut keys = Keys::default();
        for length in 0..40 {
            for letter in ["a", "b", "\u{e9}"] {
                let key = letter.repeat(length);
                if !expected.contains_key(&key) {
                    let child = expected.len() as u32;
                    keys.insert(&key, child);
                    expected.insert(key, child);
                }
            }
        }
        for (key, child) in &expected {
            assert_eq!(keys.get(key.as_bytes()), Some(*child), "{key}");
            assert_eq!(keys.get(format!("{key}x").as_bytes()), None, "{key}x");
        }
        let middles = ["aaaaaaaaXbbbbbbbb", "aaaaaaaaYbbbbbbbb"];
        keys.insert(middles[0], 7);
        assert_eq!(middles.map(|key| keys.get(key.as_bytes())), [Some(7), None]);
    }

    #[test]
    fn dotted_keys_and_nested_ones_meet() {
        let mut trie = Trie::new();
        trie.insert("a.b.c").targets.push(Slot(0));
        let ab = trie.walk(ROOT, b"a.b").unwrap();
        assert_eq!(trie.walk(ab, b"c"), trie.walk(ROOT, b"a.b.c"));
        assert_eq!(trie.walk(trie.walk(ROOT, b"a").unwrap(), b"b"), Some(ab));
        assert_eq!(
            (trie.walk(ROOT, b"a.x"), trie.walk(ROOT, b"b"), trie.walk(ROOT, b"")),
            (None, None, None)
        );
    }
}
