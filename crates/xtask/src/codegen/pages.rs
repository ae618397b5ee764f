//! What is made in the book: the reference pages, and the pages of folders in its table of contents.
//!
//! The reference pages are rendered by a test of the `cli` crate (`crates/cli/tests/reference`), since xtask depends on no
//! product crate.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::{cargo, paths};

/// Folders of `docs` whose pages stand below that of their README, in order of their names.
pub(crate) const FOLDERS: [&str; 2] = ["decisions", "diagnostics"];

const SUMMARY: &str = "docs/SUMMARY.md";

/// A page of a folder.
#[derive(Debug)]
struct Page {
    /// From `docs`.
    path: String,
    /// The first heading.
    title: String,
}

/// Writes the pages, or compares them.
pub(super) fn run(check: bool) -> Result<()> {
    summary(check)?;
    // Of the whole workspace, as the tests are: features are those of what is built together, and other ones mean that
    // everything is built again.
    let mut command = cargo::command(&["test", "--quiet", "--workspace", "--test", "reference"]);
    if check {
        command.env_remove("MAXSPAN_UPDATE");
    } else {
        command.env("MAXSPAN_UPDATE", "1");
    }
    cargo::check(&mut command).context("the reference pages")
}

fn summary(check: bool) -> Result<()> {
    let path = paths::workspace().join(SUMMARY);
    let present = fs::read_to_string(&path).with_context(|| SUMMARY.to_owned())?;
    let mut text = present.clone();
    for folder in FOLDERS {
        text = with_pages(&text, folder, &pages(folder)?);
    }
    if check && text != present {
        bail!("{SUMMARY} does not list the pages of {}: run `cargo xtask codegen`", FOLDERS.join(", "));
    }
    if !check {
        fs::write(&path, &text).with_context(|| SUMMARY.to_owned())?;
    }
    println!("{} pages: {SUMMARY}", text.matches(".md)").count());
    Ok(())
}

/// The pages of a folder but for its README; none where the folder is not there.
fn pages(folder: &str) -> Result<Vec<Page>> {
    let root = paths::workspace().join("docs").join(folder);
    if !root.is_dir() {
        return Ok(Vec::new());
    }
    let mut pages = Vec::new();
    for entry in fs::read_dir(&root).with_context(|| root.display().to_string())? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name != "README.md" && Path::new(&name).extension().is_some_and(|extension| extension == "md") {
            let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            pages.push(Page {
                title: title(&text).unwrap_or(&name).to_owned(),
                path: format!("{folder}/{name}"),
            });
        }
    }
    pages.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(pages)
}

fn title(text: &str) -> Option<&str> {
    text.lines().find_map(|line| line.strip_prefix("# ")).map(str::trim)
}

/// The table of contents with these items below that of the folder, in place of those that are there.
fn with_pages(summary: &str, folder: &str, pages: &[Page]) -> String {
    let readme = format!("({folder}/README.md)");
    let (mut text, mut depth) = (String::new(), None);
    for line in summary.lines() {
        let indent = line.len() - line.trim_start().len();
        if depth.is_some_and(|depth| indent > depth) {
            continue;
        }
        depth = None;
        text += &format!("{line}\n");
        if line.contains(&readme) {
            depth = Some(indent);
            for page in pages {
                let title = page.title.replace('[', "\\[").replace(']', "\\]");
                text += &format!("{}- [{title}]({})\n", " ".repeat(indent + 2), page.path);
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Page, title, with_pages};

    #[test]
    fn pages_of_a_folder_replace_what_is_below_its_readme() {
        let page = |name: &str| Page { path: format!("d/{name}.md"), title: format!("The [{name}]") };
        let check = |pages: &[Page], expected: &str| {
            let summary = "- [A](a.md)\n- [D](d/README.md)\n  - [old](d/old.md)\n- [E](e.md)\n";
            assert_eq!(with_pages(summary, "d", pages), expected);
            assert_eq!(with_pages(expected, "d", pages), expected);
        };
        check(&[], "- [A](a.md)\n- [D](d/README.md)\n- [E](e.md)\n");
        check(
            &[page("x"), page("y")],
            "- [A](a.md)\n- [D](d/README.md)\n  - [The \\[x\\]](d/x.md)\n  - [The \\[y\\]](d/y.md)\n- [E](e.md)\n",
        );
    }

    #[test]
    fn the_title_is_the_first_heading() {
        assert_eq!(title("text\n# One \n## Two\n"), Some("One"));
        assert_eq!(title("## Two\n"), None);
    }
}
