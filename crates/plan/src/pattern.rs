//! Patterns over strings, beside the wildcards of the `event` crate.

pub(crate) mod regex;
pub(crate) mod text;
