//! Where a store is: a folder, or a URL of an object store.
//!
//! What object stores need to be reached (keys, regions, endpoints) is taken from the environment under the names that
//! their own tools use (`AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT_URL`, `GOOGLE_…`, `AZURE_…`).

use std::env;
use std::path::{Path as FilePath, absolute};
use std::sync::Arc;

use deltalake::logstore::{LogStoreRef, StorageConfig, default_logstore};
use maxspan_diagnostics::codes;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{ObjectStore, parse_url_opts};
use url::Url;

use crate::error::{Result, StoreError};

/// The beginnings of names in the environment that object stores look at.
const ENVIRONMENT: [&str; 4] = ["AWS_", "AZURE_", "GOOGLE_", "MSI_"];

/// A folder, or what stands for one in an object store.
#[derive(Debug, Clone)]
pub struct Location {
    /// As it was written.
    text: String,
    url: Url,
    /// All that the scheme and host of the address reach.
    store: Arc<dyn ObjectStore>,
    /// The folder in it.
    path: Path,
    is_local: bool,
}

impl Location {
    /// The place that `text` names: a URL where it has a scheme, else a folder.
    pub fn new(text: &str) -> Result<Self> {
        let wrong = |words: String| StoreError::new(codes::STORE_ADDRESS, text, words);
        let has_scheme = text.split_once("://").is_some_and(|(scheme, _)| scheme.len() > 1);
        if !has_scheme {
            let folder = absolute(FilePath::new(text)).map_err(|error| wrong(error.to_string()))?;
            let url = Url::from_directory_path(&folder).map_err(|()| wrong("is no folder".to_owned()))?;
            return Self::local(text, url);
        }
        let mut url = Url::parse(text).map_err(|error| wrong(error.to_string()))?;
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        if url.scheme() == "file" {
            return Self::local(text, url);
        }
        let options = env::vars().filter(|(name, _)| ENVIRONMENT.iter().any(|begin| name.starts_with(begin)));
        let options = options.map(|(name, value)| (name.to_ascii_lowercase(), value));
        let (store, path) = parse_url_opts(&url, options).map_err(|error| wrong(error.to_string()))?;
        Ok(Self { text: text.to_owned(), url, store: Arc::from(store), path, is_local: false })
    }

    fn local(text: &str, url: Url) -> Result<Self> {
        let wrong = |words: String| StoreError::new(codes::STORE_ADDRESS, text, words);
        let path = Path::from_url_path(url.path()).map_err(|error| wrong(error.to_string()))?;
        let store: Arc<dyn ObjectStore> = Arc::new(LocalFileSystem::new());
        Ok(Self { text: text.to_owned(), url, store, path, is_local: true })
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it is a folder of this machine.
    pub fn is_local(&self) -> bool {
        self.is_local
    }

    /// What holds the files.
    pub(crate) fn store(&self) -> &Arc<dyn ObjectStore> {
        &self.store
    }

    /// The folder within [`Location::store`].
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The address, with a slash at the end.
    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// A folder below this one.
    pub(crate) fn child(&self, name: &str) -> Result<Self> {
        let wrong = |words: String| StoreError::new(codes::STORE_ADDRESS, &self.text, words);
        let url = self.url.join(&format!("{name}/")).map_err(|error| wrong(error.to_string()))?;
        let text = self.place(name);
        let path = self.path.clone().join(name);
        Ok(Self { text, url, store: Arc::clone(&self.store), path, is_local: self.is_local })
    }

    /// A file below this folder, by its path from here.
    pub(crate) fn file(&self, relative: &str) -> Path {
        self.path.parts().chain(Path::from(relative).parts()).collect()
    }

    /// What a file below this folder is called in messages.
    pub(crate) fn place(&self, relative: &str) -> String {
        format!("{}/{relative}", self.text.trim_end_matches('/'))
    }

    /// The log of the Delta table in this folder.
    pub(crate) fn log(&self) -> LogStoreRef {
        let prefixed = PrefixStore::new(Arc::clone(&self.store), self.path.clone());
        default_logstore(Arc::new(prefixed), Arc::clone(&self.store), &self.url, &StorageConfig::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_and_urls_are_told_apart() {
        let check = |text: &str, local: bool, path: &str| {
            let location = Location::new(text).expect(text);
            assert_eq!((location.is_local(), location.path().as_ref()), (local, path), "{text}");
        };
        check("/a/b", true, "a/b");
        check("file:///a/b c", true, "a/b c");
        check("memory:///a", false, "a");
        check("s3://bucket/a/b", false, "a/b");
        assert_eq!(Location::new("nothing://x").unwrap_err().code, codes::STORE_ADDRESS);
        let child = Location::new("memory:///a").unwrap().child("logs-x").unwrap();
        assert_eq!((child.path().as_ref(), child.url().as_str()), ("a/logs-x", "memory:///a/logs-x/"));
    }
}
