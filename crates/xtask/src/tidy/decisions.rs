//! Decisions are one page each, `docs/decisions/NNNN-name.md`, with the headings of the template in
//! `docs/decisions/README.md`, which also lists them.

use crate::tidy::Violation;
use crate::tidy::tree::{File, Tree};

const FOLDER: &str = "docs/decisions/";
const INDEX: &str = "docs/decisions/README.md";

/// How the template's headings begin, in their order.
const HEADINGS: [&str; 4] = ["## Context", "## Decision", "## Why not ", "## Consequences"];

/// Looks at each decision and at the index.
pub(crate) fn check(tree: &Tree) -> Vec<Violation> {
    let index = tree.get(INDEX).map_or("", |file| &file.text);
    let is_decision =
        |file: &&File| file.path.starts_with(FOLDER) && file.path != INDEX && file.has_extension("md");
    tree.files.iter().filter(is_decision).flat_map(|file| check_decision(file, index)).collect()
}

fn check_decision(file: &File, index: &str) -> Vec<Violation> {
    let name = &file.path[FOLDER.len()..];
    let number = name.get(..4).filter(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
    let Some(number) = number else {
        return vec![Violation::new(&file.path, 1, "a decision's file is called `NNNN-name.md`")];
    };
    let mut violations = Vec::new();
    if !file.text.starts_with(&format!("# {number} ")) {
        violations.push(Violation::new(&file.path, 1, format!("the first line is not `# {number} …`")));
    }
    let headings: Vec<&str> = file.text.lines().filter(|line| line.starts_with("## ")).collect();
    let mut at = 0;
    for wanted in HEADINGS {
        match headings[at..].iter().position(|heading| heading.starts_with(wanted)) {
            Some(found) => at += found,
            None => {
                violations.push(Violation::new(&file.path, 1, format!("no heading `{wanted}` in its place")));
            }
        }
    }
    if !index.contains(&format!("({name})")) {
        violations.push(Violation::new(&file.path, 1, format!("{INDEX} does not list it")));
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::{INDEX, check};
    use crate::tidy::tree::tests::tree;

    const GOOD: &str =
        "# 0001 A\n\n## Context\n\n## Decision\n\n## Why not B\n\n## Why not C\n\n## Consequences\n";

    fn violations(name: &str, text: &str) -> Vec<String> {
        let path = format!("docs/decisions/{name}");
        let tree = tree(&[(INDEX, "[0001](0001-a.md)"), (&path, text)]);
        check(&tree).into_iter().map(|violation| violation.message).collect()
    }

    #[test]
    fn the_template_passes() {
        assert_eq!(violations("0001-a.md", GOOD), Vec::<String>::new());
    }

    #[test]
    fn missing_headings_are_reported() {
        let text = GOOD.replace("## Why not", "## About");
        assert_eq!(violations("0001-a.md", &text), ["no heading `## Why not ` in its place"]);
        let swapped = "# 0001 A\n## Decision\n## Context\n## Why not B\n## Consequences\n";
        assert_eq!(violations("0001-a.md", swapped), ["no heading `## Decision` in its place"]);
    }

    #[test]
    fn names_titles_and_the_index_are_compared() {
        assert!(violations("first.md", GOOD)[0].contains("NNNN-name.md"));
        assert!(violations("0001-a.md", &GOOD.replace("# 0001 ", "# 1 "))[0].contains("`# 0001 …`"));
        assert!(violations("0002-b.md", &GOOD.replace("# 0001 ", "# 0002 "))[0].contains("does not list it"));
    }
}
