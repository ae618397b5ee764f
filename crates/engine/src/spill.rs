//! Where bytes go that do not fit in memory.
//!
//! The engine does no input or output: who runs it hands in a [`Spill`].

use std::fmt;

/// A place for bytes beside memory: what is appended can be read again, for as long as the place is there.
pub trait Spill: fmt::Debug + Send + Sync {
    /// Puts bytes behind all others; their place is where those end. After an error nothing was put.
    fn append(&mut self, bytes: &[u8]) -> Result<u64, SpillError>;

    /// Reads as many bytes as there is room for, from a place on.
    fn read(&self, from: u64, into: &mut [u8]) -> Result<(), SpillError>;
}

/// Bytes could not be put aside, or not be read again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpillError {
    /// What went wrong, for a person.
    pub message: String,
}

impl SpillError {
    /// With a sentence for a person, without a full stop.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into() }
    }

    pub(crate) fn damaged() -> Self {
        Self::new("what was put aside is not what was read again")
    }
}

impl fmt::Display for SpillError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for SpillError {}
