//! An event that is kept: its identity and its JSON, beside the decoded slots that come and go.

use std::sync::Arc;

/// An event's identity and its document, as a match or an alert holds on to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The index or data stream; empty where nothing says.
    pub index: Arc<str>,
    /// The `_id` that came with the event, else one from its content ([`crate::identity::content_id`]).
    pub id: Box<str>,
    /// The document as JSON bytes.
    pub source: Box<[u8]>,
    /// The `host.os.type` that was derived, where the event had none ([`crate::Normalizer`]).
    pub derived_os: Option<&'static str>,
    /// Place in the order of arrival.
    pub arrival: u64,
}
