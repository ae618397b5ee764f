//! A temporary file for what a run holds back and does not fit in memory.
//!
//! The file is made when it is first needed, and has no name, so that nothing is left behind however the program ends.

use std::fs::File;
use std::io::{Error, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use maxspan_engine::{Spill, SpillError};

/// A file without a name in a folder.
#[derive(Debug)]
pub struct TempFile {
    folder: PathBuf,
    file: Option<Mutex<File>>,
    bytes: u64,
}

impl TempFile {
    /// A file in this folder; without one, in that of the system's temporary files.
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self { folder: folder.unwrap_or_else(tempfile::env::temp_dir), file: None, bytes: 0 }
    }

    fn failed(&self, doing: &str, error: &Error) -> SpillError {
        SpillError::new(format!("cannot {doing} a temporary file in {}: {error}", self.folder.display()))
    }

    fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(Mutex::new(tempfile::tempfile_in(&self.folder)?)),
        };
        let file = file.get_mut().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(self.bytes))?;
        file.write_all(bytes)
    }
}

impl Spill for TempFile {
    fn append(&mut self, bytes: &[u8]) -> Result<u64, SpillError> {
        self.write(bytes).map_err(|error| self.failed("write", &error))?;
        let from = self.bytes;
        self.bytes += bytes.len() as u64;
        Ok(from)
    }

    fn read(&self, from: u64, into: &mut [u8]) -> Result<(), SpillError> {
        let Some(file) = &self.file else { return Err(SpillError::new("nothing was put aside")) };
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        let read = file.seek(SeekFrom::Start(from)).and_then(|_| file.read_exact(into));
        read.map_err(|error| self.failed("read", &error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_aside_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = TempFile::new(Some(folder.path().to_owned()));
        assert_eq!((file.append(b"one"), file.append(b"three")), (Ok(0), Ok(3)));
        let mut read = [0; 4];
        file.read(4, &mut read).unwrap();
        assert_eq!((&read, file.append(b"!")), (b"hree", Ok(8)));
        assert!(file.read(7, &mut read).is_err());
        // The file has no name.
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let mut file = TempFile::new(Some("/there/is/no/such/folder".into()));
        let error = file.append(b"one").unwrap_err();
        assert!(error.message.starts_with("cannot write a temporary file in /there/is/no/such/folder: "));
        assert!(file.read(0, &mut [0; 1]).is_err());
    }
}
