//! What holds for single files: Rust files say what they are for and are not too long, and no file names a folder that
//! only some machine has.

use crate::tidy::Violation;
use crate::tidy::tree::{File, Tree};

const LINES_MAX: usize = 1_000;

/// First folders of absolute paths on the machines where this is developed.
const MACHINE_FOLDERS: [&str; 3] = ["work", "root", "farm"];

/// Where events and rules are data: an attacker's path is no machine's path there.
const EVENT_DATA: [&str; 4] = ["crates/cli/src/demo/", "examples/", "rules/", "specs/"];

/// Looks at each file.
pub(crate) fn check(tree: &Tree) -> Vec<Violation> {
    let mut violations: Vec<Violation> = tree.rust().flat_map(check_rust).collect();
    violations.extend(tree.files.iter().filter(|file| !is_event_data(file)).flat_map(machine_paths));
    violations
}

fn check_rust(file: &File) -> Vec<Violation> {
    let mut violations = Vec::new();
    if !file.text.starts_with("//!") && !file.is_test() {
        violations.push(Violation::new(
            &file.path,
            1,
            "the file does not begin with `//!` and what it is for",
        ));
    }
    let lines = file.text.lines().count();
    if lines > LINES_MAX {
        violations.push(Violation::new(
            &file.path,
            LINES_MAX + 1,
            format!("{lines} lines; {LINES_MAX} are allowed"),
        ));
    }
    violations
}

fn is_event_data(file: &File) -> bool {
    EVENT_DATA.iter().any(|folder| file.path.starts_with(folder))
}

fn machine_paths(file: &File) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        for folder in MACHINE_FOLDERS.iter().filter(|folder| has_absolute_path(line, folder)) {
            let message = format!("a path below `/{folder}` is only there on some machine");
            violations.push(Violation::new(&file.path, index + 1, message));
        }
    }
    violations
}

/// Whether a path begins with the folder; the same letters later in a path or an address do not count.
fn has_absolute_path(line: &str, folder: &str) -> bool {
    let inside_path = |character: char| character.is_alphanumeric() || "._-/}*".contains(character);
    line.match_indices(&format!("/{folder}/")).any(|(at, _)| !line[..at].ends_with(inside_path))
}

#[cfg(test)]
mod tests {
    use super::{LINES_MAX, check};
    use crate::tidy::tree::tests::tree;

    fn violations(path: &str, text: &str) -> Vec<String> {
        check(&tree(&[(path, text)])).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn files_say_what_they_are_for() {
        assert!(
            violations("crates/a/src/b.rs", "use x;\n")[0]
                .starts_with("crates/a/src/b.rs:1: the file does not begin")
        );
        assert!(violations("crates/a/src/b/tests.rs", "use x;\n").is_empty());
        assert!(violations("crates/a/src/b.rs", "//! This.\n").is_empty());
    }

    #[test]
    fn long_files_are_reported() {
        let text = "//! This.\n".repeat(LINES_MAX);
        assert!(violations("crates/a/src/b.rs", &text).is_empty());
        let longer = format!("{text}\n");
        assert!(violations("crates/a/src/b.rs", &longer)[0].contains("b.rs:1001: 1001 lines"));
        assert!(violations("Cargo.lock", &longer).is_empty());
    }

    #[test]
    fn machine_paths_are_reported() {
        // Written so that this file has none.
        let path = ["", "root", ".cargo"].join("/");
        assert_eq!(
            violations("docs/a.md", &format!("fine\nsee `{path}`\n")),
            ["docs/a.md:2: a path below `/root` is only there on some machine"]
        );
        assert!(violations("docs/a.md", &format!("see https://example.org{path}\n")).is_empty());
        assert!(violations("specs/a.md", &format!("see {path}\n")).is_empty());
    }
}
