//! `tape FILE`: the reference of the throughput of a hunt. Reads the file in large pieces, cuts lines, copies each line
//! into a buffer that is used again, parses it into simd-json's tape with buffers that are used again, counts the nodes.
//!
//! The copy belongs to it: simd-json writes into its input, and what is hunted through has to stay for the alert.

use std::fs::File;
use std::io::Read;
use std::time::Instant;

use anyhow::{Context, Result};
use cpu_time::ThreadTime;
use serde_json::{Value, json};
use simd_json::{Buffers, Tape};

use crate::ALLOCATOR_NAME;

/// How much of the file is read at once.
const PIECE_BYTES: usize = 1 << 20;

/// Parses every line of the file.
pub(crate) fn run(path: &str) -> Result<Value> {
    let (started, cpu) = (Instant::now(), ThreadTime::now());
    let mut file = File::open(path).with_context(|| path.to_owned())?;
    let mut counter = Counter::default();
    let mut piece = vec![0; PIECE_BYTES];
    // The begin of a line whose end is in a later piece.
    let mut begun = Vec::new();
    loop {
        let length = file.read(&mut piece).with_context(|| path.to_owned())?;
        if length == 0 {
            break;
        }
        let mut rest = &piece[..length];
        while let Some(end) = memchr::memchr(b'\n', rest) {
            if begun.is_empty() {
                counter.line(&rest[..end])?;
            } else {
                begun.extend_from_slice(&rest[..end]);
                counter.line(&begun)?;
                begun.clear();
            }
            rest = &rest[end + 1..];
        }
        begun.extend_from_slice(rest);
        counter.bytes += length as u64;
    }
    counter.line(&begun)?;
    Ok(json!({
        "program": "simd-json tape",
        "allocator": ALLOCATOR_NAME,
        "cpu_seconds": cpu.elapsed().as_secs_f64(),
        "seconds": started.elapsed().as_secs_f64(),
        "events": counter.events,
        "bytes": counter.bytes,
        "nodes": counter.nodes,
    }))
}

/// What is counted, and the buffers that are used again.
pub(crate) struct Counter {
    pub(crate) events: u64,
    pub(crate) bytes: u64,
    pub(crate) nodes: u64,
    line: Vec<u8>,
    buffers: Buffers,
    tape: Tape<'static>,
}

impl Default for Counter {
    fn default() -> Self {
        let tape = Tape(Vec::new());
        Self { events: 0, bytes: 0, nodes: 0, line: Vec::new(), buffers: Buffers::default(), tape }
    }
}

impl Counter {
    /// Parses one line; an empty one is no event.
    pub(crate) fn line(&mut self, line: &[u8]) -> Result<()> {
        if line.is_empty() {
            return Ok(());
        }
        self.line.clear();
        self.line.extend_from_slice(line);
        let mut tape = std::mem::replace(&mut self.tape, Tape(Vec::new())).reset();
        let parsed = simd_json::fill_tape(&mut self.line, &mut self.buffers, &mut tape);
        self.nodes += tape.0.len() as u64;
        self.tape = tape.reset();
        parsed.with_context(|| format!("event {}", self.events + 1))?;
        self.events += 1;
        Ok(())
    }
}
