//! An ECS event: field names, types, values, and decoding from JSON bytes.
//!
//! The way of an event through this crate:
//!
//! 1. A [`Schema`] says which type a field has (a built-in table, and mappings that a user brings).
//! 2. Whoever needs a field asks [`Fields`] for its [`Slot`]; equal fields share one.
//! 3. A [`Decoder`] made from the fields reads JSON bytes into [`Slots`]: only fields that somebody named are
//!    taken out, and each value takes its field's type when it is looked at. Slots are reused from event to event.
//!
//! ```
//! use maxspan_event::{Decoder, Fields, Schema, Slots, ValueRef};
//! let schema = Schema::built_in();
//! let mut fields = Fields::default();
//! let name = fields.slot(&schema.field("process.name"));
//! let pid = fields.slot(&schema.field("process.pid"));
//! let decoder = Decoder::new(fields, schema);
//! let mut slots = Slots::default();
//! decoder.decode(br#"{"process.name": ["sh", "bash"], "process": {"pid": "42"}}"#, &mut slots).unwrap();
//! assert!(slots.values(name).eq([ValueRef::Text("sh"), ValueRef::Text("bash")]));
//! assert!(slots.values(pid).eq([ValueRef::Long(42)]));
//! ```
//!
//! There is no I/O, no clock and no global state here; "now" is handed in.

mod coerce;
pub mod date;
mod decode;
mod document;
mod event;
mod field;
pub mod identity;
pub mod index;
mod ip;
pub mod limits;
mod mapping;
mod normalize;
pub mod repair;
mod schema;
mod slots;
mod value;
pub mod version;
pub mod wildcard;

pub use decode::{DecodeError, Decoder};
pub use document::{Document, Part, PartKind, Parts};
pub use event::{Event, EventId};
pub use field::{Field, FieldType};
pub use ip::{Cidr, parse_ip};
pub use mapping::MappingError;
pub use normalize::{HostOs, Normalizer};
pub use schema::Schema;
pub use slots::{Dropped, Fields, FieldsMark, Leaf, NestedSlot, Slot, Slots, Values};
pub use value::{Value, ValueRef, compare_numbers};
