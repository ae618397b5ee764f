//! The text files of the repository: tracked ones, and new ones that git does not ignore.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::paths;

/// Text files, in order of their paths.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    /// The files.
    pub(crate) files: Vec<File>,
}

/// A text file.
#[derive(Debug)]
pub(crate) struct File {
    /// The path from the workspace's root, with `/`.
    pub(crate) path: String,
    /// The content.
    pub(crate) text: String,
}

impl Tree {
    /// Reads the workspace. Files that are not UTF-8 are left out.
    pub(crate) fn read() -> Result<Self> {
        let root = paths::workspace();
        let mut paths = listed_by_git(&root).map_or_else(|| walk(&root, ""), Ok)?;
        paths.sort();
        paths.dedup();
        let read = |path: String| fs::read_to_string(root.join(&path)).ok().map(|text| File { path, text });
        Ok(Self { files: paths.into_iter().filter_map(read).collect() })
    }

    /// The file of this path.
    pub(crate) fn get(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    /// Rust files.
    pub(crate) fn rust(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.has_extension("rs"))
    }
}

impl File {
    /// Whether the name ends so.
    pub(crate) fn has_extension(&self, extension: &str) -> bool {
        Path::new(&self.path).extension().is_some_and(|found| found == extension)
    }

    /// Whether the file holds nothing but tests: `tests.rs`, or anything below a folder `tests`.
    pub(crate) fn is_test(&self) -> bool {
        self.path.split('/').any(|part| part == "tests" || part == "tests.rs")
    }

    /// The crate whose product code this is, and the path below its `src`.
    pub(crate) fn product_code(&self) -> Option<(&str, &str)> {
        let (name, rest) = self.path.strip_prefix("crates/")?.split_once('/')?;
        Some((name, rest.strip_prefix("src/")?))
    }
}

fn listed_by_git(root: &Path) -> Option<Vec<String>> {
    let arguments = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let output = Command::new("git").args(arguments).current_dir(root).output().ok()?;
    let names = String::from_utf8_lossy(&output.stdout).into_owned();
    output.status.success().then(|| names.split_terminator('\0').map(str::to_owned).collect())
}

/// Without git: all files, except hidden folders' and built ones.
fn walk(root: &Path, below: &str) -> Result<Vec<String>> {
    let folder = root.join(below);
    let mut paths = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if below.is_empty() { name.clone() } else { format!("{below}/{name}") };
        if !entry.file_type()?.is_dir() {
            paths.push(path);
        } else if name != ".git" && name != "target" {
            paths.extend(walk(root, &path)?);
        }
    }
    Ok(paths)
}

#[cfg(test)]
pub(super) mod tests {
    use super::{File, Tree};

    /// A tree of these files.
    pub(in crate::tidy) fn tree(files: &[(&str, &str)]) -> Tree {
        let file = |(path, text): &(&str, &str)| File { path: (*path).to_owned(), text: (*text).to_owned() };
        Tree { files: files.iter().map(file).collect() }
    }

    #[test]
    fn product_code_and_tests_are_told_apart() {
        let tree = tree(&[
            ("crates/eql/src/lower/calls.rs", ""),
            ("crates/eql/tests/parse.rs", ""),
            ("build.rs", ""),
        ]);
        assert_eq!(tree.files[0].product_code(), Some(("eql", "lower/calls.rs")));
        assert_eq!(tree.files[1].product_code(), None);
        assert_eq!(tree.files[2].product_code(), None);
        assert!(tree.files[1].is_test() && !tree.files[0].is_test());
    }

    #[test]
    fn this_workspace_is_read() {
        let tree = Tree::read().expect("the workspace");
        assert!(tree.get("crates/xtask/src/tidy/tree.rs").is_some());
        assert!(tree.rust().all(|file| !file.path.starts_with("target/")));
    }
}
