//! What maxspan is measured against: `tape FILE` and `decoders FILE`, over a file with a JSON document a line.
//!
//! Each prints a JSON document with what it measured, on one thread. All work that is timed ends in a count that is
//! printed, so that the compiler cannot leave it out.

mod decoders;
mod fields;
mod tape;

use anyhow::{Result, bail};

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What the programs were built with, for the record.
const ALLOCATOR_NAME: &str = if cfg!(feature = "mimalloc") { "mimalloc" } else { "system" };

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let report = match arguments[..] {
        ["tape", file] => tape::run(file)?,
        ["decoders", file] => decoders::run(file)?,
        _ => bail!("usage: maxspan-reference tape FILE | decoders FILE"),
    };
    println!("{report:#}");
    Ok(())
}
