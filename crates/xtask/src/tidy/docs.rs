//! The book is whole: every page is in `docs/SUMMARY.md`, every page that it names is there, and relative links and anchors
//! lead somewhere.
//!
//! Headings get the anchors that file browsers and mdBook give them. Addresses with a scheme are not looked at.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Result;

use crate::codegen::FOLDERS;
use crate::paths;
use crate::tidy::Violation;
use crate::tidy::tree::{File, Tree};

mod markdown;

const ROOT: &str = "docs/";
const SUMMARY: &str = "docs/SUMMARY.md";

/// Files outside of the book whose links are checked too.
const OTHERS: [&str; 4] = ["ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "README.md"];

/// Pages that the table of contents names and that are not there.
pub(crate) fn missing_pages() -> Result<Vec<String>> {
    let tree = Tree::read()?;
    let Some(summary) = tree.get(SUMMARY) else { return Ok(vec![SUMMARY.to_owned()]) };
    let named = markdown::links(&summary.text).into_iter().map(|link| resolve(SUMMARY, &link.target));
    Ok(named.filter(|path| tree.get(path).is_none()).collect())
}

/// Looks at the table of contents and at all links.
pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    // Files that are no text are not in the tree.
    let root = paths::workspace();
    check_with(tree, &|path| root.join(path).exists())
}

fn check_with(tree: &Tree, exists: &dyn Fn(&str) -> bool) -> Vec<Violation> {
    let mut violations = contents(tree);
    for file in tree.files.iter().filter(|file| is_checked(file)) {
        violations.extend(links(file, tree, exists));
    }
    violations
}

fn is_checked(file: &File) -> bool {
    let below = |folder| file.path.starts_with(folder);
    file.has_extension("md") && (below(ROOT) || below("specs/") || OTHERS.contains(&file.path.as_str()))
}

/// Every page is named once. Pages of the folders that `codegen` lists only need their README to be named.
fn contents(tree: &Tree) -> Vec<Violation> {
    let Some(summary) = tree.get(SUMMARY) else {
        return vec![Violation::new(SUMMARY, 1, "the table of contents of the book is missing")];
    };
    let mut violations = Vec::new();
    let mut named = BTreeSet::new();
    for link in markdown::links(&summary.text) {
        let path = resolve(SUMMARY, &link.target);
        if !named.insert(path.clone()) {
            violations.push(Violation::new(SUMMARY, link.line, format!("`{path}` is named twice")));
        }
    }
    let is_listed = |path: &str| {
        let listed_by_codegen = |folder: &str| {
            path.starts_with(&format!("{ROOT}{folder}/"))
                && named.contains(&format!("{ROOT}{folder}/README.md"))
        };
        named.contains(path) || FOLDERS.iter().any(|folder| listed_by_codegen(folder))
    };
    let pages = tree.files.iter().filter(|file| file.path.starts_with(ROOT) && file.has_extension("md"));
    for page in pages.filter(|page| page.path != SUMMARY && !is_listed(&page.path)) {
        violations.push(Violation::new(&page.path, 1, format!("the page is not in {SUMMARY}")));
    }
    violations
}

fn links(file: &File, tree: &Tree, exists: &dyn Fn(&str) -> bool) -> Vec<Violation> {
    let wrong = |link: &markdown::Link| problem(file, &link.target, tree, exists);
    let links = markdown::links(&file.text);
    let violation = |link: &markdown::Link| Some(Violation::new(&file.path, link.line, wrong(link)?));
    links.iter().filter_map(violation).collect()
}

/// What is wrong with a link.
fn problem(file: &File, target: &str, tree: &Tree, exists: &dyn Fn(&str) -> bool) -> Option<String> {
    if has_scheme(target) {
        return None;
    }
    let (path, anchor) = target.split_once('#').map_or((target, None), |(path, anchor)| (path, Some(anchor)));
    let path = if path.is_empty() { file.path.clone() } else { resolve(&file.path, path) };
    if file.path.starts_with(ROOT) && !path.starts_with(ROOT) {
        return Some(format!("`{target}` leads out of the book: name the file in code instead"));
    }
    let Some(found) = tree.get(&path) else {
        return (!exists(&path)).then(|| format!("`{target}`: there is no `{path}`"));
    };
    let anchor = anchor.filter(|_| found.has_extension("md"))?;
    let is_there = markdown::anchors(&found.text).iter().any(|one| one == anchor);
    (!is_there).then(|| format!("`{target}`: `{path}` has no heading `#{anchor}`"))
}

/// `https:…`, `mailto:…`
fn has_scheme(target: &str) -> bool {
    let scheme = target.split_once(':').map_or("", |(scheme, _)| scheme);
    !scheme.is_empty() && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
}

/// A path from the workspace's root, of one that is relative to a file.
fn resolve(file: &str, target: &str) -> String {
    let mut parts: Vec<&str> =
        Path::new(file).parent().and_then(Path::to_str).unwrap_or("").split('/').collect();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.retain(|part| !part.is_empty());
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::{check_with, has_scheme, resolve};
    use crate::tidy::tree::tests::tree;

    fn violations(files: &[(&str, &str)]) -> Vec<String> {
        let exists = |path: &str| path == "docs/picture.png" || path == "docs/folder";
        check_with(&tree(files), &exists).iter().map(ToString::to_string).collect()
    }

    const SUMMARY: (&str, &str) = ("docs/SUMMARY.md", "- [A](a.md)\n  - [B](b/README.md)\n");

    #[test]
    fn pages_and_contents_are_compared() {
        let a = ("docs/a.md", "# A\n");
        let b = ("docs/b/README.md", "# B\n");
        assert!(violations(&[SUMMARY, a, b]).is_empty());
        assert_eq!(
            violations(&[SUMMARY, a]),
            ["docs/SUMMARY.md:2: `b/README.md`: there is no `docs/b/README.md`"]
        );
        let c = ("docs/c.md", "");
        assert_eq!(violations(&[SUMMARY, a, b, c]), ["docs/c.md:1: the page is not in docs/SUMMARY.md"]);
        let twice = ("docs/SUMMARY.md", "[A](a.md)\n[A](a.md)\n[B](b/README.md)");
        assert_eq!(violations(&[twice, a, b]), ["docs/SUMMARY.md:2: `docs/a.md` is named twice"]);
        assert_eq!(violations(&[a])[0], "docs/SUMMARY.md:1: the table of contents of the book is missing");
        // What codegen lists.
        let decisions = ("docs/SUMMARY.md", "[D](decisions/README.md)\n");
        let pages = [("docs/decisions/README.md", "# D"), ("docs/decisions/0001-x.md", "# X")];
        assert!(violations(&[decisions, pages[0], pages[1]]).is_empty());
    }

    #[test]
    fn links_and_anchors_lead_somewhere() {
        let check = |text: &str, expected: &[&str]| {
            let files =
                [SUMMARY, ("docs/a.md", text), ("docs/b/README.md", "# B\n## With `code`, and more\n## B\n")];
            assert_eq!(violations(&[&files[..], &[("README.md", "# R\n")]].concat()), expected, "{text}");
        };
        check("[b](b/README.md#with-code-and-more) [b](b/README.md#b-1) ![p](picture.png) [f](folder/)", &[]);
        check("# One\n[x](#one) [web](https://example.net/a#b) [m](mailto:a@example.net)", &[]);
        check("`[x](gone.md)`\n```md\n[x](gone.md)\n```\n", &[]);
        check("a\n[x\ny](gone.md)", &["docs/a.md:2: `gone.md`: there is no `docs/gone.md`"]);
        check("[x](#one)", &["docs/a.md:1: `#one`: `docs/a.md` has no heading `#one`"]);
        check(
            "[x](../README.md)",
            &["docs/a.md:1: `../README.md` leads out of the book: name the file in code instead"],
        );
    }

    #[test]
    fn paths_are_resolved() {
        assert_eq!(resolve("docs/b/c.md", "../a.md"), "docs/a.md");
        assert_eq!(resolve("README.md", "./docs/a.md"), "docs/a.md");
        assert_eq!(resolve("docs/a.md", "b/"), "docs/b");
        assert!(has_scheme("https://a") && !has_scheme("a.md") && !has_scheme("a/b:c"));
    }
}
