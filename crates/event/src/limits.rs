//! The limits of this crate. Reaching one is an error of the event at hand, never of the run.
//!
//! What nobody asked for is skipped at any depth.

/// Most values that one event can bring for one field; further ones are dropped and counted in
/// [`crate::Dropped::values`].
pub const VALUES_PER_FIELD_MAX: usize = 65_536;

/// Most leaves that free text and wildcard field names look at in one event.
pub const LEAVES_PER_EVENT_MAX: usize = 10_000;

/// A document longer than this is decoded the thorough way: the quick one needs four bytes for each end of a
/// string.
pub(crate) const QUICK_BYTES_MAX: usize = 4 << 20;

/// Deepest nesting of values that somebody wants; a document with deeper ones is refused. As in `serde_json`.
pub(crate) const DEPTH_MAX: usize = 127;

/// Values nested deeper than this, where somebody wants them, are decoded the thorough way. Below the depth that
/// `serde_json` refuses.
pub(crate) const WALK_DEPTH_MAX: usize = 100;

/// Texts longer than this (messages, scripts) lose their escapes only when they are looked at, since few rules do.
pub(crate) const UNESCAPED_AT_ONCE_MAX: usize = 256;
