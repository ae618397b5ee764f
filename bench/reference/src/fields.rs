//! Forty fields of ECS, as a large set of rules names them, and a trie of them for decoders that walk.

use rustc_hash::FxHashMap;

/// The fields, sorted.
pub(crate) const FIELDS: [&str; 40] = [
    "@timestamp",
    "agent.type",
    "destination.ip",
    "destination.port",
    "dll.name",
    "dns.question.name",
    "event.action",
    "event.category",
    "event.code",
    "event.dataset",
    "event.kind",
    "event.module",
    "event.outcome",
    "event.provider",
    "event.type",
    "file.extension",
    "file.hash.sha256",
    "file.name",
    "file.path",
    "host.id",
    "host.name",
    "host.os.type",
    "network.protocol",
    "process.args",
    "process.args_count",
    "process.code_signature.trusted",
    "process.command_line",
    "process.entity_id",
    "process.executable",
    "process.name",
    "process.parent.args",
    "process.parent.executable",
    "process.parent.name",
    "process.pe.original_file_name",
    "registry.data.strings",
    "registry.path",
    "source.ip",
    "user.domain",
    "user.id",
    "user.name",
];

/// What a key leads to.
#[derive(Debug, Default)]
pub(crate) struct Node {
    pub(crate) children: FxHashMap<&'static str, Node>,
}

/// The trie of the fields; a node without children is a field.
pub(crate) fn trie() -> Node {
    let mut root = Node::default();
    for field in FIELDS {
        field.split('.').fold(&mut root, |node, key| node.children.entry(key).or_default());
    }
    root
}
