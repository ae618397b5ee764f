//! What ECS says about fields, as a tree that a document is walked along.

use rustc_hash::FxHashMap;

/// What kind of value ECS gives a field; as much of it as deciding about a value needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// A text of any type: `keyword`, `wildcard`, `text`, `constant_keyword`, `version` …
    Text,
    /// `ip`
    Ip,
    /// `date`
    Date,
    /// `boolean`
    Boolean,
    /// `long` and the smaller whole numbers.
    Long,
    /// `float`, `double`, `scaled_float` …
    Float,
    /// `geo_point` and other types whose values are not checked.
    Unchecked,
    /// `object`, also a field that only has fields below it.
    Object,
    /// `nested`
    Nested,
}

impl FieldKind {
    /// Whether the field holds a value, and can have no fields below it.
    pub(crate) fn holds_value(self) -> bool {
        !matches!(self, Self::Object | Self::Nested | Self::Unchecked)
    }
}

/// The fields of ECS and their kinds. Made once for many alerts.
#[derive(Debug)]
pub struct FieldKinds {
    /// The first is the root.
    nodes: Vec<Node>,
}

#[derive(Debug, Default)]
struct Node {
    kind: Option<FieldKind>,
    children: FxHashMap<Box<[u8]>, usize>,
}

/// A place in ECS: a field, or an object above fields. What ECS does not know has none.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    kinds: &'a FieldKinds,
    node: usize,
}

impl FieldKinds {
    /// Makes them of dotted names and their kinds; names above others are objects where nothing else is said.
    pub fn new<'a>(fields: impl IntoIterator<Item = (&'a str, FieldKind)>) -> Self {
        let mut kinds = Self { nodes: vec![Node::default()] };
        for (name, kind) in fields {
            let mut node = 0;
            for segment in name.as_bytes().split(|byte| *byte == b'.') {
                node = kinds.child_or_new(node, segment);
            }
            kinds.nodes[node].kind = Some(kind);
        }
        kinds
    }

    fn child_or_new(&mut self, node: usize, segment: &[u8]) -> usize {
        if let Some(child) = self.nodes[node].children.get(segment) {
            return *child;
        }
        let child = self.nodes.len();
        self.nodes.push(Node { kind: Some(FieldKind::Object), children: FxHashMap::default() });
        self.nodes[node].children.insert(segment.into(), child);
        child
    }

    /// Above all fields.
    pub(crate) fn root(&self) -> Place<'_> {
        Place { kinds: self, node: 0 }
    }
}

impl<'a> Place<'a> {
    /// What ECS says here.
    pub(crate) fn kind(self) -> Option<FieldKind> {
        self.kinds.nodes[self.node].kind
    }

    /// The place below, by one segment of a name.
    pub(crate) fn child(self, segment: &[u8]) -> Option<Place<'a>> {
        let node = *self.kinds.nodes[self.node].children.get(segment)?;
        Some(Place { node, ..self })
    }
}
