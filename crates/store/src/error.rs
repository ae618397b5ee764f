//! What goes wrong with a store: a code, the place, and words. Errors of the libraries become one of a few kinds.

use std::error::Error;
use std::fmt;
use std::io;

use datafusion::error::DataFusionError;
use deltalake::DeltaTableError;
use deltalake::kernel::transaction::TransactionError;
use maxspan_diagnostics::{Code, codes};
use parquet::errors::ParquetError;

/// Why something could not be done, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreError {
    /// What kind of error; each has a page.
    pub code: Code,
    /// The file, table or store.
    pub place: String,
    /// What is wrong, in words.
    pub message: String,
}

/// What may fail for reasons of the store.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} [{}]", self.place, self.message, self.code)
    }
}

impl Error for StoreError {}

impl StoreError {
    /// An error of this kind.
    pub fn new(code: Code, place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code, place: place.into(), message: message.into() }
    }

    /// Whether a file is at fault that others can be read without.
    pub fn is_about_one_file(&self) -> bool {
        [codes::STORE_DAMAGED, codes::STORE_COLUMN, codes::STORE_FILE_MISSING].contains(&self.code)
    }

    /// The error of a library that worked on `place`.
    pub(crate) fn of(place: impl Into<String>, error: &(dyn Error + 'static)) -> Self {
        Self::new(code_of(error).unwrap_or(codes::STORE_FAILED), place, words_of(error))
    }

    /// The error of a library that read the file `place`: what is nothing else is damage.
    pub(crate) fn of_file(place: impl Into<String>, error: &(dyn Error + 'static)) -> Self {
        Self::new(code_of(error).unwrap_or(codes::STORE_DAMAGED), place, words_of(error))
    }
}

/// The kind of an error, told by whichever error in the chain of causes says the most.
fn code_of(error: &(dyn Error + 'static)) -> Option<Code> {
    let mut next = Some(error);
    let mut found = None;
    while let Some(error) = next {
        found = code_of_one(error).or(found);
        next = cause(error);
    }
    found
}

fn code_of_one(error: &(dyn Error + 'static)) -> Option<Code> {
    if let Some(error) = error.downcast_ref::<io::Error>() {
        return code_of_io(error);
    }
    if let Some(error) = error.downcast_ref::<object_store::Error>() {
        return match error {
            object_store::Error::NotFound { .. } => Some(codes::STORE_FILE_MISSING),
            object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. } => {
                Some(codes::STORE_ACCESS)
            }
            _ => None,
        };
    }
    if let Some(error) = error.downcast_ref::<DataFusionError>() {
        let exhausted = matches!(error.find_root(), DataFusionError::ResourcesExhausted(_));
        return exhausted.then_some(codes::STORE_MEMORY);
    }
    if let Some(error) = error.downcast_ref::<TransactionError>() {
        let conflict =
            matches!(error, TransactionError::CommitConflict(_) | TransactionError::MaxCommitAttempts(_));
        return conflict.then_some(codes::STORE_CONFLICT);
    }
    if let Some(error) = error.downcast_ref::<DeltaTableError>() {
        return match error {
            DeltaTableError::NotATable(_) | DeltaTableError::InvalidTableLocation(_) => {
                Some(codes::STORE_NONE)
            }
            _ => None,
        };
    }
    error.downcast_ref::<ParquetError>().and_then(|error| match error {
        ParquetError::EOF(_) | ParquetError::NeedMoreData(_) => Some(codes::STORE_DAMAGED),
        _ => None,
    })
}

fn code_of_io(error: &io::Error) -> Option<Code> {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Some(codes::STORE_FULL),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Some(codes::STORE_ACCESS),
        io::ErrorKind::NotFound => Some(codes::STORE_FILE_MISSING),
        io::ErrorKind::UnexpectedEof => Some(codes::STORE_DAMAGED),
        _ => None,
    }
}

/// What is inside an error. An I/O error hides the one that it was made of, and so does a Parquet error.
fn cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    if let Some(ParquetError::External(inner)) = error.downcast_ref::<ParquetError>() {
        return Some(inner.as_ref());
    }
    if let Some(inner) = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        return Some(inner);
    }
    error.source()
}

/// The last words of the chain, on one line: the libraries repeat themselves on the way.
fn words_of(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = cause(error);
    while let Some(error) = next {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        next = cause(error);
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_by_the_innermost_error_that_has_one() {
        let check = |error: &(dyn Error + 'static), code: Code| {
            assert_eq!(StoreError::of("x", error).code, code, "{error:?}");
        };
        let io = |kind: io::ErrorKind| io::Error::from(kind);
        let wrapped = |kind: io::ErrorKind| object_store::Error::Generic {
            store: "LocalFileSystem",
            source: Box::new(io(kind)),
        };
        check(&io(io::ErrorKind::StorageFull), codes::STORE_FULL);
        check(&wrapped(io::ErrorKind::StorageFull), codes::STORE_FULL);
        check(&DeltaTableError::from(wrapped(io::ErrorKind::PermissionDenied)), codes::STORE_ACCESS);
        check(&ParquetError::External(Box::new(wrapped(io::ErrorKind::StorageFull))), codes::STORE_FULL);
        check(&DataFusionError::ResourcesExhausted("much".into()), codes::STORE_MEMORY);
        check(&DeltaTableError::NotATable("here".into()), codes::STORE_NONE);
        check(&fmt::Error, codes::STORE_FAILED);
        assert_eq!(StoreError::of_file("x", &fmt::Error).code, codes::STORE_DAMAGED);
    }
}
