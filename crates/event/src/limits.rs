//! The limits of this crate. Reaching one is an error of the event at hand, never of the run.
//!
//! `serde_json` refuses to decode values nested more than 128 deep by itself; what nobody asked for is skipped at any
//! depth.

/// Most values that one event can bring for one field; further ones are dropped and counted in
/// [`crate::Slots::values_dropped`].
pub const VALUES_PER_FIELD_MAX: usize = 65_536;

/// Most leaves that free text and wildcard field names look at in one event.
pub const LEAVES_PER_EVENT_MAX: usize = 10_000;
