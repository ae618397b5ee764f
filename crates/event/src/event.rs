//! An event that is kept: its identity and its JSON, beside the decoded slots that come and go.

use std::sync::Arc;

use crate::{Document, identity};

/// An event's identity and its document, as a match or an alert holds on to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The index or data stream; empty where nothing says.
    pub index: Arc<str>,
    /// What tells it from others of its index.
    pub id: EventId,
    /// The document as JSON bytes.
    pub source: Box<[u8]>,
    /// [`identity::content_hash`] of the document.
    pub content: u64,
    /// The `host.os.type` that was derived, where the event had none ([`crate::Normalizer`]).
    pub derived_os: Option<&'static str>,
    /// Place in the order of arrival.
    pub arrival: u64,
}

/// What tells an event from others of its index.
///
/// An id from content is made of the whole document, which costs more than matching it; so until an alert shows it, the
/// document's hash stands for it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventId {
    /// The `_id` that came with the event; not empty.
    Given(Box<str>),
    /// None came.
    Content {
        /// [`identity::content_hash`] of the document.
        hash: u64,
        /// How many events of this index and hash are before it.
        occurrence: u32,
    },
}

impl EventId {
    /// The id as alerts show it. `document` is that of the event.
    pub fn text(&self, document: &Document<'_>) -> String {
        match self {
            Self::Given(id) => id.to_string(),
            Self::Content { occurrence, .. } => identity::content_id(document, *occurrence),
        }
    }
}
