//! Diagnostic codes: every number, constant and name stands for one message only.

use std::collections::BTreeSet;

use crate::tidy::Violation;
use crate::tidy::tree::{File, Tree};

const REGISTRY: &str = "crates/diagnostics/src/codes.rs";

/// Reads the registry's entries, `1101 EQL_TOKEN Error "eql-token" "title";`.
pub(crate) fn check(tree: &Tree) -> Vec<Violation> {
    tree.get(REGISTRY).map(check_registry).unwrap_or_default()
}

fn check_registry(file: &File) -> Vec<Violation> {
    let mut seen = BTreeSet::new();
    let mut violations = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        for part in entry(line).into_iter().flatten() {
            if !seen.insert(part) {
                violations.push(Violation::new(&file.path, index + 1, format!("{part} is used twice")));
            }
        }
    }
    if seen.is_empty() {
        violations.push(Violation::new(&file.path, 1, "no entry found; has the form of entries changed?"));
    }
    violations
}

/// Number, constant and quoted name, if the line is an entry.
fn entry(line: &str) -> Option<[&str; 3]> {
    let mut parts = line.split_whitespace();
    let (number, constant, name) = (parts.next()?, parts.next()?, parts.nth(1)?);
    let is_entry = number.len() == 4 && number.bytes().all(|byte| byte.is_ascii_digit());
    is_entry.then_some([number, constant, name])
}

#[cfg(test)]
mod tests {
    use super::{REGISTRY, check};
    use crate::tidy::tree::tests::tree;

    fn violations(text: &str) -> Vec<String> {
        check(&tree(&[(REGISTRY, text)])).into_iter().map(|violation| violation.message).collect()
    }

    #[test]
    fn different_codes_pass() {
        let text = "codes! {\n    1101 A Error \"a\" \"x y\";\n    1102 B Warning \"b\" \"x y\";\n}\n";
        assert_eq!(violations(text), Vec::<String>::new());
    }

    #[test]
    fn what_is_used_twice_is_reported() {
        let text = "    1101 A Error \"a\" \"x\";\n    1101 B Error \"a\" \"y\";\n";
        assert_eq!(violations(text), ["1101 is used twice", "\"a\" is used twice"]);
    }

    #[test]
    fn a_registry_without_entries_is_reported() {
        assert!(violations("pub const A: Code = code(1101);\n")[0].contains("no entry found"));
    }
}
