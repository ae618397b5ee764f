//! The binary `maxspan`.
fn main() {}
