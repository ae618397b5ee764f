//! An event's document as alerts and query results carry it.

use std::borrow::Cow;
use std::sync::Arc;

use maxspan_engine::{EventStore, KeptEvent, SpillError};
use maxspan_esql::rows::RowEvent;
use maxspan_event::{DecodeError, Document, EventId};
use maxspan_rules::alert::SourceEvent;

use crate::input::{InputProblem, Location, ProblemKind};

/// A kept event as alerts and query results take it; a derived `host.os.type` is written in.
pub(crate) fn source_event<'a>(
    events: &'a EventStore,
    event: &'a KeptEvent,
) -> Result<SourceEvent<'a>, SpillError> {
    let whole = match events.source(event)? {
        Cow::Borrowed(source) => Document::read(source),
        Cow::Owned(source) => Document::read(&source).into_owned(),
    };
    let id = event.id().text(&whole);
    let source = match event.derived_os() {
        Some(os) => whole.with_host_os(os),
        None => whole,
    };
    Ok(SourceEvent { index: Arc::clone(event.index()), id, source: Some(source) })
}

/// An event as rows are made of it; its id only where that is asked for, since an id of content takes the whole document.
pub(crate) fn with_row_event<R>(
    (index, id): (&str, &EventId),
    derived_os: Option<&str>,
    source: &[u8],
    asks_id: bool,
    read: impl FnOnce(&RowEvent<'_>) -> R,
) -> R {
    let whole = (asks_id || derived_os.is_some()).then(|| Document::read(source));
    let id = whole.as_ref().filter(|_| asks_id).map(|whole| id.text(whole)).unwrap_or_default();
    let with_os = whole.zip(derived_os).map(|(whole, os)| whole.with_host_os(os).to_json());
    let source = with_os.as_deref().map_or(source, str::as_bytes);
    read(&RowEvent { index, id: &id, source })
}

/// An event that the decoder refused, as a problem of the input.
pub(crate) fn undecodable(location: &Location, error: DecodeError) -> InputProblem {
    let mut location = location.clone();
    location.line += (error.line as u64).saturating_sub(1);
    let column = (error.column > 0).then_some(error.column as u64);
    InputProblem { location, column, kind: ProblemKind::Malformed, message: error.message }
}
