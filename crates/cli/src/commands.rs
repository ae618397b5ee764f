//! The subcommands: each reads its files, calls the library, and writes what comes back.

pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod convert;
pub(crate) mod coverage;
pub(crate) mod demo;
pub(crate) mod diff;
pub(crate) mod explain;
#[cfg(feature = "store")]
pub(crate) mod export;
pub(crate) mod hunt;
mod hunt_schedule;
#[cfg(feature = "store")]
pub(crate) mod import;
pub(crate) mod list;
pub(crate) mod lookup;
pub(crate) mod query;
pub(crate) mod rules_explain;
pub(crate) mod rules_profile;
pub(crate) mod show;
#[cfg(feature = "store")]
pub(crate) mod store;
pub(crate) mod test;
