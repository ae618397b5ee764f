//! What the examples of measurements share: the memory of the process, and a file for what does not fit.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::sync::Mutex;

use maxspan_engine::{Spill, SpillError};

const PAGE_BYTES: usize = 4096;

/// Memory of the process, where the system says it; else 0.
pub(crate) fn resident_bytes() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    text.split(' ').nth(1).and_then(|pages| pages.parse().ok()).map_or(0, |pages: usize| pages * PAGE_BYTES)
}

#[derive(Debug)]
struct Aside {
    file: Mutex<File>,
    bytes: u64,
}

/// A spill to a temporary file.
pub(crate) fn aside() -> Box<dyn Spill> {
    let file = tempfile::tempfile().expect("a temporary file can be made");
    Box::new(Aside { file: Mutex::new(file), bytes: 0 })
}

fn failed(error: &std::io::Error) -> SpillError {
    SpillError::new(error.to_string())
}

impl Spill for Aside {
    fn append(&mut self, bytes: &[u8]) -> Result<u64, SpillError> {
        let mut file = self.file.lock().expect("nobody panicked");
        let put = file.seek(SeekFrom::End(0)).and_then(|_| file.write_all(bytes));
        put.map_err(|error| failed(&error))?;
        self.bytes += bytes.len() as u64;
        Ok(self.bytes - bytes.len() as u64)
    }

    fn read(&self, from: u64, into: &mut [u8]) -> Result<(), SpillError> {
        let mut file = self.file.lock().expect("nobody panicked");
        let read = file.seek(SeekFrom::Start(from)).and_then(|_| file.read_exact(into));
        read.map_err(|error| failed(&error))
    }
}
