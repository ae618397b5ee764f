//! The needed paths as a trie: key by key to the slots that want a value.
//!
//! It is asked for every key of every event. So it is flat: what most events need of it stays in the nearest cache.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::slots::{NestedSlot, Slot};

/// The root of every trie.
pub(super) const ROOT: u32 = 0;

/// A trie of paths.
#[derive(Debug, Default)]
pub(super) struct Trie {
    nodes: Vec<Node>,
    /// The children of all nodes: a hash table of each, one after the other. It is over the ends of the keys, which is
    /// where they differ.
    places: Vec<Place>,
    /// The hash table of whole paths with dots in them, from the root: documents with flat keys ask for these.
    paths: (u32, u32),
    /// The keys that a fingerprint does not hold as a whole, one after the other.
    long_keys: Vec<u8>,
    targets: Vec<Slot>,
    nested: Vec<NestedSlot>,
}

/// One place of the trie: parts of its lists.
#[derive(Debug, Clone, Copy)]
struct Node {
    children: u32,
    /// A power of two, at least twice as many as there are children; 0 where there is none.
    places: u32,
    targets: (u32, u32),
    nested: (u32, u32),
}

/// A place of a hash table.
#[derive(Debug, Clone, Copy)]
struct Place {
    fingerprint: Fingerprint,
    /// [`NOBODY`] where the place is free.
    child: u32,
    /// Where the key begins among the long ones.
    key: u32,
}

const NOBODY: u32 = u32::MAX;

const FREE: Place = Place { fingerprint: Fingerprint { head: 0, tail: 0, len: 0 }, child: NOBODY, key: 0 };

impl Trie {
    /// Who wants the values at a node.
    #[inline]
    pub(super) fn targets(&self, node: u32) -> &[Slot] {
        &self.targets[range(self.nodes[node as usize].targets)]
    }

    /// Nested queries that want the objects at a node.
    #[inline]
    pub(super) fn nested(&self, node: u32) -> &[NestedSlot] {
        &self.nested[range(self.nodes[node as usize].nested)]
    }

    /// The node that a key below `node` leads to; the key may be several with dots between them. None where nobody wants
    /// what stands there.
    #[inline]
    pub(super) fn walk(&self, node: u32, key: &[u8]) -> Option<u32> {
        self.child(node, key).or_else(|| if may_be_several(key) { self.walk_path(node, key) } else { None })
    }

    #[cold]
    #[inline(never)]
    fn walk_path(&self, node: u32, key: &[u8]) -> Option<u32> {
        if node == ROOT { self.look_up(self.paths, key) } else { self.walk_segments(node, key) }
    }

    fn walk_segments(&self, mut node: u32, key: &[u8]) -> Option<u32> {
        for segment in key.split(|byte| *byte == b'.') {
            node = self.child(node, segment)?;
        }
        Some(node)
    }

    #[inline]
    fn child(&self, node: u32, key: &[u8]) -> Option<u32> {
        let Node { children, places, .. } = self.nodes[node as usize];
        self.look_up((children, places), key)
    }

    /// What a key leads to by the hash table of so many places from there on.
    #[inline]
    fn look_up(&self, (children, places): (u32, u32), key: &[u8]) -> Option<u32> {
        if places == 0 {
            return None;
        }
        let table = &self.places[children as usize..(children + places) as usize];
        let fingerprint = Fingerprint::of(key);
        let mut at = fingerprint.place(table.len());
        loop {
            let place = &table[at];
            if place.child == NOBODY {
                return None;
            }
            if place.fingerprint == fingerprint && (key.len() <= FINGERPRINT_BYTES || self.is_key(place, key))
            {
                return Some(place.child);
            }
            at = (at + 1) & (table.len() - 1);
        }
    }

    fn is_key(&self, place: &Place, key: &[u8]) -> bool {
        self.long_keys[place.key as usize..].starts_with(key)
    }
}

fn range((start, end): (u32, u32)) -> Range<usize> {
    start as usize..end as usize
}

/// A trie that grows.
#[derive(Debug)]
pub(super) struct TrieBuilder {
    nodes: Vec<Growing>,
}

/// One place of it.
#[derive(Debug, Default)]
pub(super) struct Growing {
    children: BTreeMap<Box<[u8]>, u32>,
    /// Who wants the values here.
    pub(super) targets: Vec<Slot>,
    /// Nested queries that want the objects here.
    pub(super) nested: Vec<NestedSlot>,
}

impl TrieBuilder {
    pub(super) fn new() -> Self {
        Self { nodes: vec![Growing::default()] }
    }

    /// The node of a path, made where there is none.
    pub(super) fn insert(&mut self, path: &str) -> &mut Growing {
        let mut node = ROOT;
        for segment in path.split('.') {
            let next = self.nodes.len() as u32;
            let key = segment.as_bytes().into();
            node = *self.nodes[node as usize].children.entry(key).or_insert(next);
            if node == next {
                self.nodes.push(Growing::default());
            }
        }
        &mut self.nodes[node as usize]
    }

    /// Adds the paths below a node that have dots in them; `path` is that of the node.
    fn put_paths(&self, node: u32, path: &mut Vec<u8>, paths: &mut BTreeMap<Box<[u8]>, u32>) {
        let length = path.len();
        for (key, child) in &self.nodes[node as usize].children {
            if node != ROOT {
                path.push(b'.');
            }
            path.extend_from_slice(key);
            if node != ROOT {
                paths.insert(path.as_slice().into(), *child);
            }
            self.put_paths(*child, path, paths);
            path.truncate(length);
        }
    }

    pub(super) fn build(self) -> Trie {
        let mut trie = Trie::default();
        let mut paths = BTreeMap::new();
        self.put_paths(ROOT, &mut Vec::new(), &mut paths);
        let places = trie.put(&paths) as u32;
        trie.paths = (0, places);
        for Growing { children, targets, nested } in self.nodes {
            let node = Node {
                children: trie.places.len() as u32,
                places: trie.put(&children) as u32,
                targets: append(&mut trie.targets, targets),
                nested: append(&mut trie.nested, nested),
            };
            trie.nodes.push(node);
        }
        trie
    }
}

/// Where the items stand that are put behind those that are there.
fn append<T>(list: &mut Vec<T>, items: Vec<T>) -> (u32, u32) {
    let start = list.len() as u32;
    list.extend(items);
    (start, list.len() as u32)
}

impl Trie {
    /// Puts a hash table behind those that are there; its places.
    fn put(&mut self, children: &BTreeMap<Box<[u8]>, u32>) -> usize {
        if children.is_empty() {
            return 0;
        }
        let mut table = vec![FREE; (2 * children.len()).next_power_of_two()];
        for (bytes, child) in children {
            let (fingerprint, key) = (Fingerprint::of(bytes), self.long_keys.len() as u32);
            if bytes.len() > FINGERPRINT_BYTES {
                self.long_keys.extend_from_slice(bytes);
            }
            let mut at = fingerprint.place(table.len());
            while table[at].child != NOBODY {
                at = (at + 1) & (table.len() - 1);
            }
            table[at] = Place { fingerprint, child: *child, key };
        }
        self.places.extend_from_slice(&table);
        table.len()
    }
}

/// Whether a key may lead further than by itself: with dots in it. Without a branch for each byte, since most keys that
/// are asked are short and have none.
#[inline]
fn may_be_several(key: &[u8]) -> bool {
    key.iter().fold(0, |found, byte| found | u8::from(*byte == b'.')) != 0
}

/// Keys up to so many bytes are known by their fingerprints.
const FINGERPRINT_BYTES: usize = 16;

/// The first and the last eight bytes, and the length: the whole key up to sixteen bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Fingerprint {
    head: u64,
    tail: u64,
    len: u32,
}

impl Fingerprint {
    #[inline]
    fn of(key: &[u8]) -> Self {
        let len = key.len() as u32;
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
        let mixed = (self.head ^ self.tail.rotate_left(29) ^ u64::from(self.len)).wrapping_mul(SPREAD);
        (mixed >> 32) as usize & (places - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_every_length_are_found() {
        let mut builder = TrieBuilder::new();
        let mut keys: Vec<String> = Vec::new();
        for length in 1..40 {
            keys.extend(["a", "b", "\u{e9}"].map(|letter| letter.repeat(length)));
        }
        keys.push("aaaaaaaaXbbbbbbbb".to_owned());
        let slots = || (0..).map(Slot);
        keys.iter().zip(slots()).for_each(|(key, slot)| builder.insert(key).targets.push(slot));
        let trie = builder.build();
        for (key, slot) in keys.iter().zip(slots()) {
            let found = trie.walk(ROOT, key.as_bytes()).map(|node| trie.targets(node));
            assert_eq!(found, Some(&[slot][..]), "{key}");
            assert_eq!(trie.walk(ROOT, format!("{key}x").as_bytes()), None, "{key}x");
        }
        assert_eq!(trie.walk(ROOT, b"aaaaaaaaYbbbbbbbb"), None);
    }

    #[test]
    fn dotted_keys_and_nested_ones_meet() {
        let mut builder = TrieBuilder::new();
        builder.insert("a.b.c").targets.push(Slot(0));
        let trie = builder.build();
        let ab = trie.walk(ROOT, b"a.b").unwrap();
        assert_eq!(trie.walk(ab, b"c"), trie.walk(ROOT, b"a.b.c"));
        assert_eq!(trie.walk(trie.walk(ROOT, b"a").unwrap(), b"b"), Some(ab));
        assert_eq!(
            (trie.walk(ROOT, b"a.x"), trie.walk(ROOT, b"b"), trie.walk(ROOT, b"")),
            (None, None, None)
        );
    }
}
